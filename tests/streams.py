"""Streams of facts as a run leaves them: a complete micro-cap run, a complete no-trade run, and ways to spoil them.

    facts = micro_cap_run(flat=lambda stream: stream.place(Side.BUY, "67263.7", "0.0001"))

Each run tells its story in order and calls back at named moments, so that a test says only what is different.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from botproof.events import (
    Action,
    BotFill,
    BotStateChanged,
    ContractRead,
    Covered,
    Fact,
    FillSeen,
    OpenOrdersRead,
    OrderSeen,
    OrderState,
    OrderType,
    PositionSeen,
    RequestAnswered,
    RequestSent,
    RequestUnknown,
    RunEnded,
    RunStarted,
    SettingsRead,
    Side,
    Source,
    StopStep,
    TopOfBook,
    WindowClosed,
    WindowOpened,
)
from botproof.evidence.tape import Tape
from botproof.invariants.judge import Judge, judge
from botproof.invariants.verdict import Outcome, Verdict
from botproof.money import plain
from botproof.profile import Profile, find_profile, profiles_folder
from botproof.terms import Terms

TERMS = Terms.load(profiles_folder("terms") / "day15.yml")
MICRO_CAP = Profile.load(find_profile(TERMS.roles["micro_cap"]))
NO_TRADE = Profile.load(find_profile(TERMS.roles["no_trade"]))

SYMBOL = "BTCUSDT"
PREFIX = "bot1-r1-"
EPOCH_US = 1_771_722_000_000_000  # 2026-02-22T01:00:00Z
MINUTE_S = 60
BUY, SELL, STEP = "67263.7", "67736.3", "0.0001"

Moment = Callable[["Stream"], object]


def nothing(_: "Stream") -> None:
    """Leave the run as it is."""


@dataclass(slots=True)
class Placed:
    """An order of the stream."""

    client_id: str
    order_id: str
    side: Side
    price: Decimal | None
    size: Decimal
    reduce_only: bool
    filled: Decimal = Decimal(0)
    request: int = 0


class Stream:
    """Writes facts to a tape in memory at a time set by hand."""

    def __init__(self, profile: Profile, *, declared: str = "0", bot: str = "reference") -> None:
        self.profile, self.declared, self.bot = profile, Decimal(declared), bot
        self.tape = Tape()
        self.now_us = EPOCH_US
        self.position = self.declared
        self._requests = 0
        self._orders = 0
        self._trades = 0

    def write(self, fact: Fact) -> Fact:
        return self.tape.write(fact)

    def wait(self, seconds: str | int) -> "Stream":
        """Let time pass."""
        self.now_us += int(Decimal(seconds) * 1_000_000)
        return self

    # the run

    def start(self) -> None:
        self.write(
            RunStarted(
                src=Source.RUN,
                t_local_us=self.now_us,
                run_id="r1",
                scenario="a stream",
                profile_id=self.profile.id,
                profile_sha256=self.profile.sha256,
                terms_sha256=TERMS.sha256,
                bot=self.bot,
                bot_version="1",
                venue="fake",
                clock="virtual",
                seed=1,
                symbol=SYMBOL,
                client_id_prefix=PREFIX,
                window_s=2 * MINUTE_S,
                declared_position=self.declared,
            )
        )

    def open_window(self, minutes: int) -> None:
        self.window = (self.now_us, self.now_us + minutes * MINUTE_S * 1_000_000)
        start_us, end_us = self.window
        self.write(WindowOpened(src=Source.RUN, t_local_us=self.now_us, start_us=start_us, end_us=end_us))

    def close_window(self) -> None:
        start_us, end_us = self.window
        self.write(
            WindowClosed(src=Source.RUN, t_local_us=self.now_us, start_us=start_us, end_us=end_us, reason="ended")
        )

    def step(self, step: str, outcome: str = "done") -> None:
        self.write(StopStep(src=Source.RUN, t_local_us=self.now_us, step=step, outcome=outcome))

    def end(self) -> list[Fact]:
        self.write(RunEnded(src=Source.RUN, t_local_us=self.now_us, reason="ended", complete=True))
        cover(self.tape, EPOCH_US, self.now_us)
        return self.tape.facts

    # the venue

    def contract(self, **rules: str) -> None:
        known = {
            "min_qty": "0.0001",
            "qty_step": "0.0001",
            "min_value_usdt": "5",
            "tick": "0.1",
            "maker_fee_rate": "0.0002",
            "taker_fee_rate": "0.0006",
        }
        values = {name: Decimal(text) for name, text in (known | rules).items()}
        self.write(ContractRead(src=Source.VENUE, t_local_us=self.now_us, symbol=SYMBOL, **values))

    def settings(self, src: Source = Source.VENUE, *, leverage: int = 1, margin_mode: str = "crossed") -> None:
        self.write(
            SettingsRead(
                src=src,
                t_local_us=self.now_us,
                symbol=SYMBOL,
                position_mode="one_way_mode",
                margin_mode=margin_mode,
                leverage=leverage,
            )
        )

    def lists(self, purpose: str = "poll", *, plain: Iterable[str] = (), trigger: Iterable[str] = ()) -> None:
        self.write(
            OpenOrdersRead(
                src=Source.VENUE,
                t_local_us=self.now_us,
                plain=tuple(plain),
                trigger=tuple(trigger),
                purpose=purpose,
            )
        )

    def show_position(self, via: str = "push", *, size: str | None = None, mark: str | None = None) -> None:
        self.write(
            PositionSeen(
                src=Source.VENUE,
                t_local_us=self.now_us,
                symbol=SYMBOL,
                size=self.position if size is None else Decimal(size),
                entry_price=None,
                mark_price=None if mark is None else Decimal(mark),
                via=via,
            )
        )

    def ticker(self, mark: str = "67500") -> None:
        price = Decimal(mark)
        self.write(
            TopOfBook(
                src=Source.VENUE,
                t_venue_us=self.now_us,
                t_local_us=self.now_us,
                symbol=SYMBOL,
                bid=price - Decimal("0.1"),
                bid_size=Decimal(1),
                ask=price,
                ask_size=Decimal(1),
                last=price,
                mark=price,
                via="ticker",
            )
        )

    def show(self, order: Placed, state: OrderState, *, late: str = "0.05") -> None:
        """The venue shows `order`; the observer learns of it `late` seconds later."""
        self.write(
            OrderSeen(
                src=Source.VENUE,
                t_venue_us=self.now_us,
                t_local_us=self.now_us + int(Decimal(late) * 1_000_000),
                order_id=order.order_id,
                client_id=order.client_id,
                symbol=SYMBOL,
                side=order.side,
                order_type=OrderType.MARKET if order.price is None else OrderType.LIMIT,
                force="" if order.price is None else "post_only",
                price=order.price,
                size=order.size,
                filled=order.filled,
                state=state,
                reduce_only=order.reduce_only,
                via="push",
            )
        )

    def fill(
        self, order: Placed, size: str = STEP, *, row: bool = True, at: str | None = None, is_maker: bool = True
    ) -> FillSeen:
        """A fill at the order's price, or at `at`: pushes of order, fill and position, and the bot's row."""
        amount = Decimal(size)
        order.filled += amount
        self.position += order.side.sign * amount
        self._trades += 1
        state = OrderState.FILLED if order.filled == order.size else OrderState.PARTIALLY_FILLED
        self.show(order, state)
        fill = self.write(
            FillSeen(
                src=Source.VENUE,
                t_venue_us=self.now_us,
                t_local_us=self.now_us,
                trade_id=f"t{self._trades}",
                order_id=order.order_id,
                client_id=order.client_id,
                symbol=SYMBOL,
                side=order.side,
                price=order.price or Decimal(67500) if at is None else Decimal(at),
                size=amount,
                fee_usdt=Decimal("0.00134"),
                is_maker=is_maker,
                realized_usdt=Decimal(0),
                via="push",
            )
        )
        assert isinstance(fill, FillSeen)
        self.wait("0.001").show_position(mark="67500" if self.position else None)
        if row:
            self.row(fill)
        return fill

    # the bot

    def request(self, action: Action, **fields: object) -> RequestSent:
        self._requests += 1
        method = "GET" if action is Action.READ else "POST"
        sent = self.write(
            RequestSent(
                src=Source.TAP,
                t_local_us=self.now_us,
                request=self._requests,
                action=action,
                **({"method": method, "path": f"/api/v2/mix/{action}", "symbol": SYMBOL} | fields),  # type: ignore[arg-type]
            )
        )
        assert isinstance(sent, RequestSent)
        return sent

    def answer(self, request: int, *, code: str = "00000", order_id: str = "", client_id: str = "") -> None:
        self.write(
            RequestAnswered(
                src=Source.TAP,
                t_local_us=self.now_us,
                request=request,
                http_status=200 if code == "00000" else 400,
                code=code,
                message="",
                order_id=order_id,
                client_id=client_id,
            )
        )

    def lose(self, request: int) -> None:
        self.write(RequestUnknown(src=Source.TAP, t_local_us=self.now_us, request=request, reason="timed out"))

    def read_back(self, *, leverage: int = 1) -> None:
        sent = self.request(Action.READ)
        self.wait("0.02").answer(sent.request)
        self.settings(Source.TAP, leverage=leverage)

    def send(self, side: Side, price: str | None, size: str = STEP, *, exits: bool = False, **fields: object) -> Placed:
        """Send an order and leave it unanswered."""
        self._orders += 1
        limit = None if price is None else Decimal(price)
        order = Placed(f"{PREFIX}{self._orders}", f"o{self._orders}", side, limit, Decimal(size), exits)
        sent = self.request(
            Action.PLACE,
            **(
                {
                    "side": side,
                    "order_type": OrderType.MARKET if price is None else OrderType.LIMIT,
                    "force": "" if price is None else "post_only",
                    "price": limit,
                    "size": Decimal(size),
                    "reduce_only": exits,
                    "client_id": order.client_id,
                }
                | fields
            ),
        )
        order.request = sent.request
        return order

    def place(self, side: Side, price: str | None, size: str = STEP, *, exits: bool = False) -> Placed:
        """Send an order that the venue takes."""
        order = self.send(side, price, size, exits=exits)
        self.wait("0.02").show(order, OrderState.LIVE)
        self.wait("0.02").answer(order.request, order_id=order.order_id, client_id=order.client_id)
        return order

    def cancel(self, order: Placed) -> None:
        """Cancel, answered and confirmed."""
        sent = self.request(Action.CANCEL, client_id=order.client_id, order_id=order.order_id)
        self.wait("0.02").show(order, OrderState.CANCELED)
        self.wait("0.02").answer(sent.request, order_id=order.order_id)

    def row(self, fill: FillSeen, **columns: str) -> None:
        """The row of fills.csv for `fill`."""
        row = {
            "side": str(fill.side),
            "price": plain(fill.price),
            "amount_base": plain(fill.size),
            "notional_quote": plain(fill.price * fill.size),
            "order_id": fill.client_id,
            "exchange_trade_id": fill.trade_id,
        }
        self.write(BotFill(src=Source.BOT, t_local_us=self.now_us, row=row | columns))

    # passages

    def preflight(self) -> None:
        self.contract()
        self.settings()
        self.show_position("preflight")
        for _ in range(2):
            self.lists("preflight")
            self.wait(5)

    def poll(self) -> None:
        self.settings()
        self.lists()
        self.show_position("poll", mark="67500" if self.position else None)
        self.ticker()

    def to_minute(self) -> None:
        """Wait for the next UTC minute."""
        self.now_us += -self.now_us % 60_000_000

    def close_books(self) -> None:
        self.wait(2).lists("closing")
        self.wait(5).lists("closing")
        self.show_position("closing")
        self.settings()


def micro_cap_run(
    profile: Profile = MICRO_CAP,
    *,
    begun: Moment = nothing,
    flat: Moment = nothing,
    quoted: Moment = nothing,
    held: Moment = nothing,
    exiting: Moment = nothing,
    stopping: Moment = nothing,
    stopped: Moment = nothing,
    closed: Moment = nothing,
    trades: bool = True,
    reads_back: bool = True,
    minutes: int = 2,
) -> list[Fact]:
    """Two quotes, a refresh, a fill, the take-profit, the stop, the closing reads: every promise is kept.

    The moments: `begun` before the read-back, `flat` before any order, `quoted` with both quotes resting, `held` with a
    long of one step and no exit yet, `exiting` with the exit resting, `stopping` once it is asked, `stopped` when the
    bot is gone, `closed` after the closing reads.
    """
    stream = Stream(profile)
    stream.start()
    stream.preflight()
    stream.to_minute()
    stream.open_window(minutes)
    stream.write(BotStateChanged(src=Source.BOT, t_local_us=stream.now_us, state="running", reasons=()))
    begun(stream)
    if reads_back:
        stream.read_back()
    stream.wait(1).poll()
    flat(stream)
    if trades:
        _trade(stream, quoted, held, exiting)
    stream.wait(10).poll()
    stream.now_us = max(stream.now_us, stream.window[1])
    stream.close_window()
    stream.step("asked")
    stopping(stream)
    stream.wait(1).step("stopped", "in time")
    stopped(stream)
    stream.close_books()
    closed(stream)
    return stream.end()


def _trade(stream: Stream, quoted: Moment, held: Moment, exiting: Moment) -> None:
    buy, sell = stream.place(Side.BUY, BUY), stream.place(Side.SELL, SELL)
    quoted(stream.wait(10))
    for quote in (buy, sell):
        stream.cancel(quote)
    buy, sell = stream.wait("0.2").place(Side.BUY, BUY), stream.place(Side.SELL, SELL)
    stream.wait(5).fill(buy)
    stream.wait("0.03").cancel(sell)
    held(stream)
    take_profit = stream.wait("0.1").place(Side.SELL, "67532.8", exits=True)
    exiting(stream)
    stream.wait(8).poll()
    stream.wait(1).fill(take_profit)


def no_trade_run(
    *,
    declared: str = "0",
    begun: Moment = nothing,
    inside: Moment = nothing,
    ended: Moment = nothing,
    minutes: int = 3,
    profile: Profile = NO_TRADE,
) -> list[Fact]:
    """A bot that reads and nothing else, polled every 10 s: every promise is kept.

    The moments: `begun` before the window, `inside` in its second minute, `ended` after it and before the stop.
    """
    stream = Stream(profile, declared=declared)
    stream.start()
    stream.preflight()
    stream.read_back()
    begun(stream)
    stream.to_minute()
    stream.open_window(minutes)
    for tenth in range(minutes * 6):
        read = stream.wait(5).request(Action.READ)
        if tenth == 7:  # 75 s after the opening
            inside(stream)
        stream.answer(read.request)
        stream.wait(5).poll()
    stream.close_window()
    ended(stream)
    stream.step("asked")
    stream.wait(1).step("stopped", "in time")
    stream.close_books()
    return stream.end()


def cover(tape: Tape, from_us: int, to_us: int) -> None:
    """State for every source what it said."""
    for source in Source:
        tape.cover(source, from_us, to_us, to_us)


def without(facts: Iterable[Fact], gone: Callable[[Fact], bool]) -> list[Fact]:
    """The facts as if those `gone` had never been learned: numbered and covered anew."""
    return retape(fact for fact in facts if not gone(fact))


def retape(facts: Iterable[Fact]) -> list[Fact]:
    """The same facts on an honest tape of their own."""
    tape, last_us = Tape(), EPOCH_US
    for fact in facts:
        if not isinstance(fact, Covered):
            tape.write(replace(fact))
            last_us = max(last_us, fact.t_local_us)
    cover(tape, EPOCH_US, last_us)
    return tape.facts


def verdict_of(id_: str, facts: Iterable[Fact], profile: Profile = MICRO_CAP, terms: Terms = TERMS) -> Verdict:
    """The judge's verdict on one promise, which it hears alone."""
    return verdicts_of({id_}, facts, profile, terms)[0]


def verdicts_of(
    ids: Collection[str], facts: Iterable[Fact], profile: Profile = MICRO_CAP, terms: Terms = TERMS
) -> list[Verdict]:
    """The judge's verdicts on some promises, which it hears alone; whatever they are, facts of the tape prove them."""
    told, bench = list(facts), Judge(profile, terms)
    heard = bench._hearers.items()
    bench._hearers = {kind: [seat for seat in seats if seat.fold.id in ids] for kind, seats in heard}
    for fact in told:
        bench.see(fact)
    verdicts = [verdict for verdict in bench.verdicts() if verdict.id in ids]
    assert {seq for verdict in verdicts for seq in verdict.proof} <= {fact.seq for fact in told}
    return verdicts


def broken(facts: Iterable[Fact], profile: Profile = MICRO_CAP) -> set[str]:
    """The promises that the judge finds BROKEN."""
    return {verdict.id for verdict in judge(facts, profile, TERMS) if verdict.outcome is Outcome.BROKEN}


def held(facts: Iterable[Fact], profile: Profile = MICRO_CAP) -> set[str]:
    """The promises that the judge finds HELD."""
    return {verdict.id for verdict in judge(facts, profile, TERMS) if verdict.outcome is Outcome.HELD}
