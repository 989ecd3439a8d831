"""E11: a stop or a time limit is acted on in time and near its price.

Formula: exit sent - stop price delivered <= stop_reaction_s_max; exit sent - position opened <= time_limit +
    time_exit_grace_s; average price of its fills at most exit_slippage_bps worse than the worse of stop price and
    best opposite price
Exercise: positions closed by an exit that a stop or a time limit had called for.
Broken by: an exit that comes late or not at all, is not reduce-only or does not close at once, or fills farther from
    its price. Equal to a limit is within.
Not shown: without such a position, where one stood for more than 30 s without a price, where the account had a
    position before, whose entry price nobody knows, where no price is known around an exit, without the contract's
    quantity step, or where the orders and fills on the tape do not add up to the position that the venue showed last.

The position is the net of the bot's own fills; its entry price is the average of the fills that opened it, weighted by
size, and closing leaves it as it is. What was true at an instant is judged (see `botproof.invariants.ledger`); a price
counts from when the venue's ticker delivered it to the observer. Bot and observer are two listeners: what a bot owes it
owes from 0.1 s after the observer knew.

1. The stop price of a long is entry x (1 - stop_loss), of a short entry x (1 + stop_loss). The first best opposite
   price (bid of a long, ask of a short) at or beyond it calls for an exit within `stop_reaction_s_max` seconds.
2. So does the age of the position: the exit is sent by `time_limit` + `time_exit_grace_s` after the fill that opened it
   or turned it over; fills that add to it do not begin its time anew.
3. Such an exit is reduce-only and closes at once: a market order, or a limit at or beyond the stop price or a best
   opposite price: the last one, or one of the last 1 s. It counts from its sending, and for as much of the position
   as it is for. A take-profit that rests already is none.
4. A stop that was reached stays owed when the price recovers; it ends with the position. Where the take-profit or an
   opposite entry closed the position in time, or somebody else did (a hand, an order of the venue's), nothing more is
   owed. What a fill that is not the bot's leaves of the account's position is the most that the bot has to close.
5. Where what was sent did not close the position (it was refused, canceled, cut, or too small, or it lapsed: see
   `botproof.invariants.lapse`), the next exit is owed within `exit_owed_s_max`, and a limit may not rest longer than
   that.
6. The exit fills on average at most `exit_slippage_bps` worse than the worse of the stop price and the best opposite
   price at that moment: the worst that was delivered from the last price before its sending to the first within
   1 s of its last fill, or the last before it moved on by as much as in the second before: prices come once a
   second, and a market that runs does not wait for them. After a time limit there is no stop price.
7. What is closed because the run or an operator stopped the bot is neither stop nor time exit: nothing is called for
   any more, and what was owed already is owed still. A bot that was restarted owes nothing before `exit_owed_s_max` are
   over, and the stop anew when it sees a price beyond it.
8. Peak: the longest reaction to a stop.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from operator import itemgetter

from botproof.events import (
    BotRestarted,
    ContractRead,
    Fact,
    OperatorAction,
    RunEnded,
    Side,
    Source,
    StopStep,
    TopOfBook,
)
from botproof.invariants.holding import Holding
from botproof.invariants.lapse import Lapse, Lapses
from botproof.invariants.latch import RESUME
from botproof.invariants.ledger import Books, Ledger, Life, Move, Step
from botproof.invariants.prices import FRESH_US, Prices, is_beyond, opposite
from botproof.invariants.tally import Tally
from botproof.invariants.verdict import Verdict
from botproof.invariants.wording import SECOND_US, clock_time, instant_us, seconds, to_us
from botproof.money import ZERO, plain
from botproof.profile import Profile
from botproof.terms import Terms

LISTENERS_APART_US = SECOND_US // 10
BLIND_US = 30 * SECOND_US
BPS = Decimal("0.0001")

Happening = Step | Lapse | TopOfBook | OperatorAction | StopStep | BotRestarted | RunEnded


class Stops:
    """E11. Collects as it sees; the verdict replays what happened in its order."""

    id = "E11"
    needs = frozenset({Source.RUN, Source.VENUE, Source.TAP, Source.OPERATOR})
    hears = Ledger.hears | Lapses.hears | {ContractRead, TopOfBook, OperatorAction, StopStep, BotRestarted, RunEnded}

    def __init__(self, profile: Profile, terms: Terms) -> None:
        self._profile, self._terms = profile, terms
        self.ledger = Ledger(profile.symbol)
        self._lapses = Lapses(terms)
        self._dust_below: Decimal | None = None
        self._prices: list[TopOfBook] = []
        self._others: list[OperatorAction | StopStep | BotRestarted | RunEnded] = []

    def see(self, fact: Fact) -> None:
        self.ledger.see(fact)
        self._lapses.see(fact)
        match fact:
            case ContractRead() if fact.symbol == self._profile.symbol:
                self._dust_below = fact.qty_step
            case TopOfBook() if fact.src is Source.VENUE and fact.symbol == self._profile.symbol:
                if fact.bid > 0 and fact.ask > 0:  # a side that holds nothing has no price
                    self._prices.append(fact)
            case OperatorAction() | BotRestarted() | RunEnded() | StopStep(step="asked"):
                self._others.append(fact)

    def verdict(self) -> Verdict:
        limit = Decimal(self._terms.stop_reaction_s_max)
        needed = self._terms.exercise.get(self.id, 1)
        tally = Tally(self.id, needed, "positions closed by a stop or time exit", limit=limit, unit="s")
        tally.doubt(self.ledger.doubt() or self.ledger.stray())
        if self._dust_below is None:
            tally.doubt("the contract's quantity step is not on the tape")
        if self.ledger.start:
            tally.doubt("the account had a position before, and its entry price is not known")
        watch = _Watch(tally, self.ledger.prefix, self._dust_below or ZERO, self._profile, self._terms)
        for what in self._happenings():
            watch.take(what)
        prices = Prices(self._prices)
        for closing in watch.closings:
            _judge_price(tally, closing, prices, self._terms.exit_slippage_bps)
        return tally.verdict()

    def _happenings(self) -> Iterator[Happening]:
        """Within one instant a price comes after the fills that it was made of."""
        steps = [(step.at_us, step) for step in self.ledger.replay()]
        prices = [(instant_us(seen), seen) for seen in self._prices]
        others = [(fact.t_local_us, fact) for fact in self._others]
        lapses = [(lapse.at_us, lapse) for lapse in self._lapses.of(self.ledger.lives)]
        told: list[tuple[int, Happening]] = [*steps, *prices, *others, *lapses]
        return (what for _, what in sorted(told, key=itemgetter(0)))


@dataclass(slots=True)
class _Call:
    """What calls for an exit: until when one is owed, unless one works."""

    what: str
    seq: int
    since_us: int
    due_us: int
    price: Decimal | None = None  # the one that reached the stop
    stop_price: Decimal | None = None
    seen_us: int = 0  # when the price was made
    is_reacted_to: bool = False
    is_answered: bool = False  # an exit for it works that closes at once
    is_slow: bool = False  # a limit was sent for it
    is_told: bool = False


@dataclass(slots=True)
class _Closing:
    """An exit that was called for, and its fills as (instant, price, size)."""

    life: Life
    call: _Call
    sent_us: int
    fills: list[tuple[int, Decimal, Decimal]] = field(default_factory=list)


class _Watch:
    """Goes through the run once, from happening to happening."""

    def __init__(self, tally: Tally, prefix: str, dust_below: Decimal, profile: Profile, terms: Terms) -> None:
        self._tally, self._prefix, self._dust_below = tally, prefix, dust_below
        self._stop_loss = profile.stop_loss
        self._reaction_us = to_us(terms.stop_reaction_s_max)
        self._age_us, self._grace_us = to_us(profile.time_limit), to_us(terms.time_exit_grace_s)
        self._owed_us = to_us(terms.exit_owed_s_max)
        self._books = Books(ZERO)
        self._holding = Holding()
        self._sizes: list[tuple[int, Decimal]] = [(0, ZERO)]  # since when the bot held how much, unsigned
        self._calls: dict[str, _Call] = {}  # of the present position: stop, age
        self._acting: dict[Life, int] = {}  # exits that close at once, and work: when each was sent
        self._closings: list[_Closing] = []  # of the present position
        self._recent: list[tuple[int, TopOfBook]] = []  # prices of the last `FRESH_US`
        self._priced_us = 0
        self._spared_until_us = 0
        self._is_winding_down = False
        self.closings: list[_Closing] = []

    def take(self, what: Happening) -> None:
        """Let time pass until `what` happened, and judge what it brought about."""
        at_us = what.at_us if isinstance(what, Step | Lapse) else instant_us(what)
        self._pass_to(at_us)
        match what:
            case Step():
                self._take_step(what)
            case Lapse():
                self._take_lapse(what)
            case TopOfBook():
                self._take_price(what, at_us)
            case BotRestarted():
                self._spared_until_us = at_us + self._owed_us
                stop = self._calls.get("stop")
                if stop is not None and not stop.is_answered:
                    del self._calls["stop"]
            case OperatorAction():
                self._is_winding_down = what.action != RESUME
            case StopStep():
                self._is_winding_down = True
            case RunEnded():
                self._note_blindness(at_us)

    def _pass_to(self, at_us: int) -> None:
        """What grows too old calls for an exit, and what was owed for too long is a breach."""
        holding = self._holding
        due_us = holding.opened_us + self._age_us
        if self._stands and at_us >= due_us and "age" not in self._calls and not self._is_winding_down:
            what = f"{self._position()}, opened at {clock_time(holding.opened_us)}, had reached its time limit"
            self._calls["age"] = _Call(
                what, holding.opened_seq, due_us, due_us + self._grace_us, is_answered=bool(self._acting)
            )
        for call in self._calls.values():
            if not call.is_answered and not call.is_told and at_us > max(call.due_us, self._spared_until_us):
                call.is_told = True
                allowed = seconds(call.due_us - call.since_us)
                done = "was not closed" if call.is_reacted_to else "had no exit sent for it"
                self._tally.broken(call.seq, f"{call.what}, and {done} within {allowed} s")

    def _take_price(self, top: TopOfBook, at_us: int) -> None:
        self._note_blindness(at_us)
        self._priced_us = max(self._priced_us, at_us)
        self._recent = [(t_us, price) for t_us, price in self._recent if t_us >= at_us - FRESH_US] + [(at_us, top)]
        if not self._stands or self._is_winding_down or "stop" in self._calls:
            return
        side = self._holding.closing_side
        price, stop_price = opposite(top, side), self._holding.stop_price(self._stop_loss)
        if is_beyond(price, stop_price, side):
            since_us = max(at_us, top.t_local_us) + LISTENERS_APART_US
            what = f"{self._position()} reached its stop of {plain(stop_price)} at {clock_time(top.t_local_us)}"
            self._calls["stop"] = _Call(
                what,
                top.seq,
                since_us,
                since_us + self._reaction_us,
                price=price,
                stop_price=stop_price,
                seen_us=at_us,
                is_answered=bool(self._acting),
            )
            for life, sent_us in self._acting.items():
                if sent_us >= at_us - LISTENERS_APART_US:  # the bot knew of the price before the observer did
                    self._closings.append(_Closing(life, self._calls["stop"], sent_us))

    def _take_step(self, step: Step) -> None:
        stood = self._stands
        if step.move is Move.FILL:
            self._note_blindness(step.at_us)
        self._books.apply(step)
        is_own = step.life.belongs_to(self._prefix)
        if step.move is Move.FILL and is_own:
            self._see_fill(step, stood=stood)
        elif step.move is Move.FILL:
            self._see_foreign_fill(step.at_us)
        elif step.move is Move.BEGIN and is_own:
            self._see_sending(step)
        if step.life in self._acting and step.life not in self._books.working:
            del self._acting[step.life]
            self._call_again(step.at_us)

    def _take_lapse(self, lapse: Lapse) -> None:
        life, at_us = lapse.life, lapse.at_us
        if not lapse.counts:
            if self._acting.pop(life, None) is not None:
                self._call_again(at_us)
        elif life in self._books.working and self._closes(life) and self._covers(life, at_us):
            self._answer(life, at_us)

    def _see_foreign_fill(self, at_us: int) -> None:
        """What is not the bot's may leave less of its position than it holds, or nothing."""
        self._holding.cut(self._size)
        self._sizes.append((at_us, self._size))
        if not self._stands:
            self._end_position()

    def _see_sending(self, step: Step) -> None:
        life = step.life
        if not self._closes(life):
            return
        if not self._closes_at_once(step) or not self._covers(life, step.at_us):
            return
        if not life.is_market:
            self._answer_slowly(step)
        else:
            self._answer(life, step.at_us)
        if self._calls and not self._is_winding_down:
            call = self._calls.get("stop") or self._calls["age"]
            self._closings.append(_Closing(life, call, step.at_us))

    def _answer(self, life: Life, at_us: int) -> None:
        self._acting[life] = at_us
        for call in self._calls.values():
            self._react(call, at_us)
            call.is_answered = True

    def _answer_slowly(self, step: Step) -> None:
        """A limit answers the call, and has to close what it is for; another one does not win more time."""
        for call in self._calls.values():
            self._react(call, step.at_us)
            if not call.is_slow:
                call.is_slow, call.since_us, call.due_us = True, step.at_us, step.at_us + self._owed_us

    def _react(self, call: _Call, at_us: int) -> None:
        if call.stop_price is not None and not call.is_reacted_to and call.due_us >= self._spared_until_us:
            self._tally.rise(Decimal(max(0, at_us - call.since_us)) / SECOND_US)
        call.is_reacted_to = True

    def _call_again(self, at_us: int) -> None:
        """What was sent is over; where a position still stands, the next exit is owed."""
        for call in self._calls.values():
            if not self._acting:
                call.is_answered, call.since_us, call.due_us = False, at_us, at_us + self._owed_us

    def _see_fill(self, step: Step, *, stood: bool) -> None:
        fill = next((fill for fill in step.life.fills if fill.seq == step.seq), None)
        price = fill.price if fill is not None else step.life.price or self._holding.entry
        for closing in self._closings:
            if closing.life is step.life:
                closing.fills.append((step.at_us, price, step.size))
        is_new = self._holding.add(step, price, anew=not stood)
        self._sizes.append((step.at_us, self._size))
        if is_new or not self._stands:
            self._end_position()
        self._withdraw(step.at_us)

    def _end_position(self) -> None:
        filled = [closing for closing in self._closings if closing.fills]
        if filled:
            self._tally.exercised(filled[0].call.seq)
        self.closings += filled
        self._closings, self._calls = [], {}
        self._acting.clear()

    def _withdraw(self, at_us: int) -> None:
        """A fill that moved the stop away may have reached the bot before the price that had reached the stop."""
        call = self._calls.get("stop")
        if call is None or call.price is None or call.is_reacted_to or at_us > call.seen_us + LISTENERS_APART_US:
            return
        if not is_beyond(call.price, self._holding.stop_price(self._stop_loss), self._holding.closing_side):
            del self._calls["stop"]

    def _closes_at_once(self, sent: Step) -> bool:
        """Whether it is a market order, or a limit that nobody rests for profit."""
        limit, side = sent.life.price, self._holding.closing_side
        if limit is None:
            return True
        fresh = [top for t_us, top in self._recent if t_us >= sent.at_us - FRESH_US] + [t for _, t in self._recent[-1:]]
        stop = self._calls.get("stop")
        if stop is not None and stop.stop_price is not None and is_beyond(limit, stop.stop_price, side):
            return True
        return any(is_beyond(limit, opposite(top, side), side) for top in fresh)

    def _covers(self, life: Life, at_us: int) -> bool:
        """Whether what works now closes all that the bot could know of."""
        while len(self._sizes) > 1 and self._sizes[1][0] <= at_us - LISTENERS_APART_US:
            del self._sizes[0]
        at_work = sum(self._books.working[one] for one in {*self._acting, life})
        left = min(size for _, size in self._sizes) - at_work
        return left <= 0 or left < self._dust_below

    def _note_blindness(self, at_us: int) -> None:
        blind_us = at_us - max(self._priced_us, self._holding.opened_us)
        if self._stands and blind_us > BLIND_US:
            self._tally.doubt(f"{self._position()} stood for {seconds(blind_us)} s without a price")

    def _closes(self, life: Life) -> bool:
        return life.reduce_only and self._stands and life.side is self._holding.closing_side

    @property
    def _size(self) -> Decimal:
        """What the bot holds, unsigned, as far as the account holds it too."""
        return min(abs(self._holding.size), max(ZERO, -self._holding.closing_side.sign * self._books.position))

    @property
    def _stands(self) -> bool:
        return self._size > 0 and self._size >= self._dust_below

    def _position(self) -> str:
        side = "long" if self._holding.size > 0 else "short"
        return f"a {side} of {plain(abs(self._holding.size))} from {plain(self._holding.entry)}"


def _judge_price(tally: Tally, closing: _Closing, prices: Prices, slippage_bps: Decimal) -> None:
    """Hold the average price of an exit against the worst that was to be had."""
    size = sum((size for _, _, size in closing.fills), ZERO)
    average = sum((price * size for _, price, size in closing.fills), ZERO) / size
    side, call = closing.life.side, closing.call
    delivered = [opposite(top, side) for top in prices.around(closing.sent_us, closing.fills[-1][0])]
    if not delivered:
        tally.doubt(f"no price is on the tape around {closing.life.describe()} of {clock_time(closing.sent_us)}")
        return
    delivered += prices.carried_on(side, closing.fills[-1][0])
    if call.stop_price is not None:
        delivered.append(call.stop_price)
    worst = min(delivered) if side is Side.SELL else max(delivered)
    limit = worst * (1 - side.opposite.sign * slippage_bps * BPS)
    if not is_beyond(limit, average, side):
        seq = closing.life.fills[-1].seq if closing.life.fills else call.seq
        when = clock_time(closing.fills[-1][0])
        text = f"{closing.life.describe()} was filled at {plain(average)} at {when}, beyond {plain(limit)}"
        tally.broken(seq, f"{text}, {plain(slippage_bps)} bps worse than {plain(worst)}")
