"""The picture of a run: prices, the bot's orders and fills, exposure against the envelope, states; one SVG.

    header      what was run, when, and whether it lasted to its end
    notes       the window, the operator, restarts, the stop, funding; a line through the panels each
    states      what the bot said that it was, as bands
    price       mid, own orders at their price from sending to end, fills
    exposure    USDT at risk against the profile's envelope; what lies above it is filled
    legend      every mark, told apart by shape and not by colour alone

Reports show a picture as an image on a page of their own colours, so it brings its own background, light or dark as
the reader's system asks. It has no script, no font and no link, and its bytes depend on the tape and the profile
alone. Its size is bounded: lines are thinned to one column of pixels, and where more marks of a kind were made than
can be told apart, the range of their prices is drawn column by column.

`draw` never raises: what cannot be drawn is said in the picture.
"""

from collections.abc import Iterable, Sequence
from decimal import Context, Decimal, localcontext

from botproof.events import Fact, FillSeen, Side
from botproof.evidence.drawing import (
    LETTER_PX,
    Lanes,
    Point,
    Scale,
    bars,
    box,
    day,
    joined,
    label,
    path,
    round_instants,
    round_values,
    shapes,
    stairs,
    time_of_day,
    upright,
    words,
)
from botproof.evidence.scene import Note, Order, Scene, State, scene
from botproof.invariants.wording import instant_us
from botproof.money import ZERO, plain
from botproof.profile import Profile

WIDTH, HEIGHT = 960, 690
LEFT, RIGHT = 76, 944
NAMES = 14  # baseline of the names of the panels, left of their values
NOTES, LANES, LANE = 66, 4, 16  # baseline of the first lane, how many, how far apart
BAND, BAND_HEIGHT = 124, 18
PRICE_TOP, PRICE_BOTTOM = 166, 432
EXPOSURE_TOP, EXPOSURE_BOTTOM = 462, 566
LEGEND = 626
MARKS_MAX = 1000  # of one kind; more than that are drawn as ranges
NOTES_MAX = 60
NOTE_LETTERS = 70
STATES_MAX = 400
REACH = Decimal("0.01")  # how far beyond the market (fraction) the scale goes for a mark; what lies farther is counted

STYLE = """
svg { font: 13px system-ui, sans-serif; --bg: #fff; --ink: #1b1f24; --dim: #59636e; --grid: #e4e7eb; --mid: #444c56;
  --buy: #0b63c4; --sell: #b8430a; --bad: #c3141f; --ok: #cfead6; --pause: #f6dd9b; --stop: #e9a5a5; --odd: #d8dbe0 }
@media (prefers-color-scheme: dark) { svg { --bg: #14181d; --ink: #e8eaed; --dim: #a2acb8; --grid: #2b323a;
  --mid: #c5ccd4; --buy: #70b5ff; --sell: #ff9c57; --bad: #ff6b70; --ok: #1e4a2c; --pause: #665013; --stop: #7c2529;
  --odd: #3c434c } }
text { fill: var(--ink) } .dim { fill: var(--dim) } .head { font-weight: 600; font-size: 15px }
.end { text-anchor: end } .middle { text-anchor: middle } .bg { fill: var(--bg) }
path { fill: none; stroke: var(--dim) } .grid { stroke: var(--grid) } .mid { stroke: var(--mid) }
.spread { fill: var(--odd); stroke: none } .entry { stroke-width: 2 } .exit { stroke-width: 2; stroke-dasharray: 5 3 }
.other { stroke-dasharray: 1 3; stroke-width: 2 } .buy { stroke: var(--buy) } .sell { stroke: var(--sell) }
.maker.buy { fill: var(--buy) } .maker.sell { fill: var(--sell) } .taker { fill: var(--bg); stroke-width: 2 }
.refused { stroke: var(--bad); stroke-width: 2 } .cap { stroke: var(--bad); stroke-width: 2; stroke-dasharray: 8 3 }
.above { fill: var(--bad); fill-opacity: 0.35; stroke: none }
.exposure { stroke: var(--mid); stroke-width: 1.5 } .note { stroke-dasharray: 2 3 }
.running { fill: var(--ok) } .soft_pause { fill: var(--pause) }
.hard_stop { fill: var(--stop) } .odd { fill: var(--odd) }
"""
STATES = {"running": "running", "soft_pause": "soft_pause", "hard_stop": "hard_stop"}
UP, DOWN, CROSS = "m0-7l6 11h-12z", "m0 7l6-11h-12z", "m-4-4l8 8m0-8l-8 8"


def draw(facts: Sequence[Fact], profile: Profile) -> str:
    """The picture of the run on this tape, as SVG text. Never raises, whatever `facts` hold."""
    with localcontext(Context(prec=28)):
        try:
            return _Picture(scene(facts, profile), profile).svg()
        except Exception as error:  # noqa: BLE001  a tape may hold anything, and the report is written all the same
            return _framed(label(16, 30, f"this tape cannot be drawn ({type(error).__name__})", "head"), "", "", 48)


class _Picture:
    """One scene on its scales."""

    def __init__(self, drawn: Scene, profile: Profile) -> None:
        self._scene, self._envelope = drawn, profile.total_amount_quote
        self._symbol = profile.symbol
        self._time = Scale(drawn.from_us, drawn.to_us, LEFT, RIGHT)
        self._price = _price_scale(drawn)
        peak = max([self._envelope, *(amount for _, amount in drawn.exposure)])
        self._usdt = Scale(ZERO, peak * Decimal("1.2"), EXPOSURE_BOTTOM, EXPOSURE_TOP)

    def svg(self) -> str:
        scene = self._scene
        body = joined(
            [
                *self._header(),
                *self._time_axis(),
                *self._axis(self._price, PRICE_BOTTOM, "price, USDT", PRICE_TOP),
                *self._axis(self._usdt, EXPOSURE_BOTTOM, "exposure, USDT", EXPOSURE_TOP),
                *self._bands(),
                *self._notes(),
                *self._market(),
                *self._orders(),
                *self._fills(),
                *self._exposure(),
                *_legend(),
            ]
        )
        title = scene.started.scenario if scene.started else "a run without a beginning"
        return _framed(body, title, self._description(), HEIGHT)

    def _header(self) -> Iterable[str]:
        started, ended = self._scene.started, self._scene.ended
        yield label(16, 24, started.scenario if started else "the start of the run is not on the tape", "head", 110)
        if started is not None:
            said = f"bot {started.bot} {started.bot_version} on {started.venue}, profile {started.profile_id}"
            whole = "" if ended is not None and ended.complete else "; INCOMPLETE: the run was cut short"
            yield label(16, 44, f"{said}{whole}", "dim", 130)

    def _description(self) -> str:
        drawn = self._scene
        peak = max((amount for _, amount in drawn.exposure), default=None)
        exposed = "unknown" if peak is None else f"at most {plain(peak)} USDT"
        own = sum(order.owner == "bot" for order in drawn.orders)
        return (
            f"{day(drawn.from_us)} {time_of_day(drawn.from_us)} to {time_of_day(drawn.to_us)} UTC: {own} orders of the "
            f"bot at a limit price, {len(drawn.fills)} fills, exposure {exposed} of {plain(self._envelope)} USDT, "
            f"states {', '.join(dict.fromkeys(state.name for state in drawn.states)) or 'none'}."
        )

    # axes

    def _time_axis(self) -> Iterable[str]:
        instants = round_instants(self._scene.from_us, self._scene.to_us, 10)
        in_minutes = all(at_us % 60_000_000 == 0 for at_us in instants)
        yield path("".join(f"M{self._x(at_us)} {BAND}V{EXPOSURE_BOTTOM}" for at_us in instants), "grid")
        told = ""
        for at_us in instants:
            yield label(
                self._x(at_us) - 18, EXPOSURE_BOTTOM + 18, time_of_day(at_us, with_seconds=not in_minutes), "dim"
            )
            if day(at_us) != told:
                told = day(at_us)
                yield label(self._x(at_us) - 18, EXPOSURE_BOTTOM + 34, f"{told} UTC", "dim")

    def _axis(self, scale: Scale | None, bottom: int, name: str, top: int) -> Iterable[str]:
        yield path(f"M{LEFT} {bottom}H{RIGHT}", "grid")
        yield upright(NAMES, (top + bottom) // 2, name, "dim middle")
        if scale is None:
            yield label(LEFT + 12, (top + bottom) // 2, "no price is on the tape", "dim")
            return
        values = round_values(Decimal(scale.low), Decimal(scale.high), 7)
        yield path("".join(f"M{LEFT} {scale.at(value)}H{RIGHT}" for value in values), "grid")
        for value in values:
            yield label(LEFT - 6, scale.at(value) + 4, plain(value), "dim end")

    # what happened

    def _bands(self) -> Iterable[str]:
        yield label(LEFT - 6, BAND + 13, "state", "dim end")
        states = self._scene.states
        if len(states) > STATES_MAX:
            yield label(LEFT, BAND + 13, f"{len(states)} states, one after another: too many to be drawn")
            return
        for state in states:
            x, letters = self._x(state.from_us), self._letters(state)
            yield box(x, BAND, self._width(state), BAND_HEIGHT, STATES.get(state.name, "odd"), state.said)
            if letters >= len(state.name):
                yield label(x + 2, BAND + 13, state.said, most=letters)
            elif letters:
                yield label(x + 2, BAND + 13, state.name[:1].upper())

    def _width(self, state: State) -> int:
        return max(1, self._x(state.to_us) - self._x(state.from_us))

    def _letters(self, state: State) -> int:
        """How many letters its band has room for."""
        return (self._width(state) - 1) // LETTER_PX

    def _notes(self) -> Iterable[str]:
        """What happened to the run, then the reasons of pauses and stops that their bands are too narrow to tell."""
        narrow = [state for state in self._scene.states if state.reason and self._letters(state) < len(state.said)]
        narrow.sort(key=lambda state: state.name != "hard_stop")  # what stops a bot is told before what pauses it
        notes = sorted(self._scene.notes, key=lambda note: note.at_us)
        notes += [Note(state.from_us, state.said, "state") for state in narrow]
        lanes = Lanes(LANES, WIDTH)
        for note in notes[:NOTES_MAX]:
            yield from self._told(note, lanes)
        if len(notes) > NOTES_MAX:
            yield label(RIGHT, 44, f"and {len(notes) - NOTES_MAX} more notes", "dim end")

    def _told(self, note: Note, lanes: Lanes) -> Iterable[str]:
        x, said = self._x(note.at_us), f"{time_of_day(note.at_us)} {note.text}"[:NOTE_LETTERS]
        place = lanes.take(x, len(said))
        top = BAND if place is None else NOTES + place[1] * LANE + 4
        yield path(f"M{x} {top}V{BAND if note.kind == 'state' else EXPOSURE_BOTTOM}", "note", said)
        if place is not None:
            yield label(place[0], NOTES + place[1] * LANE, said)

    def _market(self) -> Iterable[str]:
        price, quotes = self._price, self._scene.quotes
        if price is None or not quotes:
            return
        asks = [(self._x(quote.at_us), price.at(quote.ask)) for quote in quotes]
        bids = [(self._x(quote.at_us), price.at(quote.bid)) for quote in quotes]
        if any(bid[1] - ask[1] > 1 for bid, ask in zip(bids, asks, strict=True)):
            yield path(bars([*asks, *bids]), "note")
        yield path(stairs([(x, (ask + bid) // 2) for (x, ask), (_, bid) in zip(asks, bids, strict=True)], RIGHT), "mid")

    def _orders(self) -> Iterable[str]:
        price, orders = self._price, self._scene.orders
        if self._scene.blind:
            yield label(LEFT + 12, PRICE_TOP + 18, self._scene.blind)
        if price is None:
            return
        for owner in ("other", "bot"):
            for side in Side:
                for exits in (False, True):
                    some = [o for o in orders if (o.owner, o.side, o.exits) == (owner, side, exits)]
                    kind = owner if owner == "other" else "exit" if exits else "entry"
                    yield path(self._stretches(some, price), f"{kind} {side}")
        refused = [(self._x(o.from_us), price.at(o.price)) for o in orders if o.owner == "refused"]
        yield path(_marks(refused, CROSS), "refused")
        beyond = [o.price for o in orders if not price.holds(o.price)]
        beyond += [fill.price for fill in self._scene.fills if not price.holds(fill.price)]
        if beyond:
            span = f"{plain(min(beyond))} to {plain(max(beyond))}" if len(set(beyond)) > 1 else plain(beyond[0])
            said = f"beyond the scale, and drawn on its edge: {len(beyond)} at {span}"
            yield label(RIGHT, PRICE_TOP - 5, said, "dim end")

    def _stretches(self, orders: Iterable[Order], price: Scale) -> str:
        """Orders as lines at their price; a range for each column where they are too many."""
        lines = dict.fromkeys((self._x(o.from_us), self._x(o.to_us), price.at(o.price)) for o in orders)
        if len(lines) <= MARKS_MAX:
            return "".join(f"M{x} {y}H{max(end, x + 1)}" for x, end, y in lines)
        extremes: dict[int, tuple[int, int]] = {}
        for begin, end, y in lines:
            for x in range(begin, end + 1):
                low, high = extremes.get(x, (y, y))
                extremes[x] = (min(low, y), max(high, y))
        return bars((x, y) for x, ends in extremes.items() for y in ends)

    def _fills(self) -> Iterable[str]:
        if self._price is None:
            return
        for side, shape in ((Side.BUY, UP), (Side.SELL, DOWN)):
            for is_maker in (True, False):
                some = [fill for fill in self._scene.fills if (fill.side, fill.is_maker) == (side, is_maker)]
                points = [(self._x(instant_us(fill)), self._price.at(fill.price)) for fill in some]
                yield path(_marks(points, shape), f"{'maker' if is_maker else 'taker'} {side}", _fills_told(some))

    def _exposure(self) -> Iterable[str]:
        usdt, cap = self._usdt, self._usdt.at(self._envelope)
        points = [(self._x(at_us), usdt.at(amount)) for at_us, amount in self._scene.exposure]
        if any(amount > self._envelope for _, amount in self._scene.exposure):
            outline = stairs([(x, min(y, cap)) for x, y in points], RIGHT)
            yield path(f"{outline}V{cap}H{points[0][0]}Z", "above", "above the envelope")
        yield path(stairs(points, RIGHT), "exposure")
        yield path(f"M{LEFT} {cap}H{RIGHT}", "cap")
        yield label(RIGHT, cap - 5, f"envelope {plain(self._envelope)} USDT", "end")

    def _x(self, at_us: int) -> int:
        return self._time.at(at_us)


def _price_scale(drawn: Scene) -> Scale | None:
    """From the lowest to the highest price of the market, and of the marks that lie near it."""
    market = [price for quote in drawn.quotes for price in (quote.bid, quote.ask)]
    marks = [order.price for order in drawn.orders] + [fill.price for fill in drawn.fills]
    if not market and not marks:
        return None
    low, high = min(market or marks), max(market or marks)
    near = [price for price in marks if low * (1 - REACH) <= price <= high * (1 + REACH)]
    low, high = min([low, *near]), max([high, *near])
    room = max((high - low) / 20, high / 10_000)
    return Scale(low - room, high + room, PRICE_BOTTOM, PRICE_TOP)


def _marks(points: Sequence[Point], shape: str) -> str:
    """One shape a mark; a range for each column where they are too many."""
    return shapes(points, shape) if len(set(points)) <= MARKS_MAX else bars(points)


def _fills_told(fills: Sequence[FillSeen]) -> str:
    return "; ".join(
        f"{time_of_day(instant_us(fill))} {fill.side} {plain(fill.size)} at {plain(fill.price)}" for fill in fills[:10]
    )


def _legend() -> Iterable[str]:
    samples = (
        ("M{x} {y}h26", "mid", "mid"),
        ("M{x} {y}h26", "entry buy", "entry buy"),
        ("M{x} {y}h26", "entry sell", "entry sell"),
        ("M{x} {y}h26", "exit buy", "exit buy"),
        ("M{x} {y}h26", "exit sell", "exit sell"),
        ("M{x} {y}h26", "other buy", "order of others"),
        ("M{c} {y}" + UP, "maker buy", "buy as maker"),
        ("M{c} {y}" + DOWN, "maker sell", "sell as maker"),
        ("M{c} {y}" + UP, "taker buy", "buy as taker"),
        ("M{c} {y}" + DOWN, "taker sell", "sell as taker"),
        ("M{c} {y}" + CROSS, "refused", "order refused"),
    )
    for number, (commands, kind, said) in enumerate(samples):
        x, y = LEFT + number % 6 * 145, LEGEND + number // 6 * 22
        yield path(commands.format(x=x, y=y - 4, c=x + 13), kind)
        yield label(x + 32, y, said)
    names = (*STATES, "any other state")
    for number, name in enumerate(names):
        x, y = LEFT + number * 145, LEGEND + 44
        yield box(x, y - 13, 26, 16, STATES.get(name, "odd"))
        yield label(x + 32, y, f"{name} ({name[0].upper()})" if name in STATES else name)


def _framed(body: str, title: str, description: str, height: int) -> str:
    size = f'width="{WIDTH}" height="{height}"'
    return joined(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" {size} role="img">',
            f"<title>{words(title, 200)}</title>" if title else "<title>a tape that cannot be drawn</title>",
            f"<desc>{words(description, 600)}</desc>" if description else "",
            f"<style>{STYLE}</style>",
            f'<rect class="bg" {size}/>',
            body,
            "</svg>\n",
        ]
    )
