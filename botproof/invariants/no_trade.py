"""N1: nothing was traded, asked for or left open in the whole no-trade window.

Formula: acts of the bot that change anything + orders + fills + readings of another position or setting = 0, from the
    window's open to its close
Exercise: minutes in which open orders and position were polled.
Broken by: one such event; the bot's own order outside the window, from the start of the run to its end.
Not shown: where the venue was polled in a smaller share of the window's minutes than coverage_min or with a hole longer
    than gap_s_max, where an answer has no request on the tape, and in a run that may trade.

The venue is the judge, over the whole window, both ends included, by the instants at which things happened:

1. The bot only reads: no request to place, cancel or change anything was sent, accepted or refused.
2. No order of anybody began, filled, ended or rested: neither in the venue's reports nor in its lists of open orders,
   plain and trigger.
3. Nothing was filled.
4. The position is the declared one in every reading, and at the close.
5. Position mode, margin mode and leverage are what they were when the window opened.

Nor does the bot place anything outside the window: from the start of the run to its end no order was sent, shown or
filled that is the bot's, and no request of a kind that nobody reads. Before the window it may clean up and set the
account right (cancels, settings), after it it may cancel.

A zero is only as good as the watch that was kept. Pushes tell at once but may be missed; so the lists of open orders
and the position must have been polled in at least `coverage_min` of the window's minutes, without a hole longer
than `gap_s_max`, the head and the tail of the window included: the same thresholds that the bot's own rows must keep.
What happened and was gone between two polls stands in the venue's
histories, whose facts carry the venue's time and are judged like any other.
"""

from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise

from botproof.events import (
    Action,
    Fact,
    FillSeen,
    ModeOrLeverageChanged,
    OpenOrdersRead,
    OrderSeen,
    PositionSeen,
    RequestAnswered,
    RequestSent,
    RunStarted,
    SettingsRead,
    Source,
    WindowClosed,
    WindowOpened,
)
from botproof.invariants.settings import CHANGES
from botproof.invariants.tally import Tally
from botproof.invariants.verdict import Verdict
from botproof.invariants.wording import MINUTE_US, clock_time, instant_us, seconds, to_us
from botproof.money import ZERO, plain
from botproof.profile import Profile
from botproof.terms import Terms


class NoTrade:
    """N1. Collects what may be a breach; the verdict holds it against the window."""

    id = "N1"
    needs = frozenset({Source.RUN, Source.VENUE, Source.TAP})
    hears: frozenset[type[Fact]] = frozenset(
        {
            RunStarted,
            WindowOpened,
            WindowClosed,
            RequestSent,
            RequestAnswered,
            OrderSeen,
            OpenOrdersRead,
            FillSeen,
            PositionSeen,
            SettingsRead,
            ModeOrLeverageChanged,
        }
    )

    def __init__(self, profile: Profile, terms: Terms) -> None:
        self._profile, self._terms = profile, terms
        self._declared: Decimal | None = None
        self._opened: WindowOpened | None = None
        self._closed: WindowClosed | None = None
        self._happened: list[tuple[Fact, str]] = []
        self._closing: list[PositionSeen] = []
        self._orders: dict[str, list[OrderSeen]] = {}
        self._settings: list[tuple[Fact, tuple[str, str, str]]] = []  # each reading that differs from the one before
        self._changes: list[ModeOrLeverageChanged] = []
        self._list_reads: list[tuple[int, int]] = []  # instant, seq
        self._position_reads: list[tuple[int, int]] = []
        self._prefix = ""
        self._requests: set[tuple[Source, int]] = set()
        self._changing: list[RequestSent] = []
        self._fills: list[FillSeen] = []
        self._orphan: RequestAnswered | None = None

    def see(self, fact: Fact) -> None:
        match fact:
            case RunStarted() | WindowOpened() | WindowClosed():
                self._see_frame(fact)
            case RequestSent():
                self._see_request(fact)
            case RequestAnswered():
                self._see_answer(fact)
            case OrderSeen():
                self._orders.setdefault(fact.order_id, []).append(fact)
            case FillSeen():
                self._fills.append(fact)
                self._happened.append((fact, f"{fact.side} {plain(fact.size)} was filled, trade {fact.trade_id}"))
            case OpenOrdersRead():
                self._see_lists(fact)
            case PositionSeen():
                self._see_position(fact)
            case SettingsRead() if fact.symbol == self._profile.symbol:
                values = (fact.position_mode, fact.margin_mode, str(fact.leverage))
                if not self._settings or self._settings[-1][1] != values:
                    self._settings.append((fact, values))
            case ModeOrLeverageChanged():
                self._changes.append(fact)

    def verdict(self) -> Verdict:
        what = "minutes in which open orders and position were polled"
        tally = Tally(self.id, self._terms.exercise.get(self.id, 1), what, limit=ZERO, unit="events")
        if not self._profile.no_trade:
            tally.doubt("not a no-trade run")
        elif self._opened is None or self._closed is None:
            tally.doubt("the window is not on the tape")
        else:
            self._judge(tally, self._opened, min(self._closed.end_us, self._closed.t_local_us))
        return tally.verdict()

    def _see_frame(self, fact: RunStarted | WindowOpened | WindowClosed) -> None:
        match fact:
            case RunStarted():
                self._declared = fact.declared_position if self._declared is None else self._declared
                self._prefix = self._prefix or fact.client_id_prefix
            case WindowOpened():
                self._opened = self._opened or fact
            case WindowClosed():
                self._closed = self._closed or fact

    def _see_request(self, sent: RequestSent) -> None:
        request = (sent.src, sent.request)
        if request in self._requests:
            return
        self._requests.add(request)
        if sent.changes_something:
            self._changing.append(sent)
            self._happened.append((sent, f"the bot sent {sent.method} {sent.path} {sent.client_id or sent.order_id}"))

    def _see_answer(self, answer: RequestAnswered) -> None:
        if (answer.src, answer.request) not in self._requests:
            self._orphan = self._orphan or answer

    def _see_lists(self, read: OpenOrdersRead) -> None:
        self._list_reads.append((instant_us(read), read.seq))
        left = (*read.plain, *(f"trigger {order}" for order in read.trigger))
        if left:
            self._happened.append((read, f"an order rests inside the window: {', '.join(left[:3])}"))

    def _see_position(self, seen: PositionSeen) -> None:
        if seen.symbol == self._profile.symbol:
            self._position_reads.append((instant_us(seen), seen.seq))
        if self._is_declared(seen):
            return
        self._happened.append((seen, f"a position of {plain(seen.size)} {seen.symbol}"))
        if seen.via == "closing":
            self._closing.append(seen)

    def _is_declared(self, seen: PositionSeen) -> bool:
        return seen.size == (self._declared or ZERO if seen.symbol == self._profile.symbol else ZERO)

    def _judge(self, tally: Tally, opened: WindowOpened, end_us: int) -> None:
        start_us = opened.start_us
        breaches = [
            *((fact, text) for fact, text in self._happened if start_us <= instant_us(fact) <= end_us),
            *((seen, f"the run closed with a position of {plain(seen.size)} {seen.symbol}") for seen in self._closing),
            *self._rested(tally, start_us, end_us),
            *self._changed(opened.seq, start_us, end_us),
            *self._outside(start_us, end_us),
        ]
        if self._orphan is not None:
            tally.doubt(f"the request that was answered at seq {self._orphan.seq} is not on the tape")
        for fact, text in sorted(breaches, key=lambda breach: breach[0].seq):
            tally.broken(fact.seq, f"{text} at {clock_time(instant_us(fact))}")
        tally.peak = Decimal(len(breaches))
        self._judge_watch(tally, start_us, end_us)

    def _rested(self, tally: Tally, start_us: int, end_us: int) -> Iterator[tuple[Fact, str]]:
        """Orders of anybody that were reported in the window, or were open when it opened."""
        for order_id, reports in self._orders.items():
            inside = [seen for seen in reports if start_us <= instant_us(seen) <= end_us]
            before = [seen for seen in reports if instant_us(seen) < start_us]
            ended = any(not seen.state.is_open for seen in before)
            if not inside and not before and not reports[0].state.is_open:
                tally.doubt(
                    f"the order {reports[0].client_id or order_id} ended after the window; when it began is unknown"
                )
            if inside and not ended:
                first = min(inside, key=instant_us)
                yield first, f"the order {first.client_id or order_id} was {first.state} at the venue"
            elif before and not ended:
                yield (
                    before[0],
                    f"an order rests inside the window: {before[0].client_id or order_id}, open since before",
                )

    def _outside(self, start_us: int, end_us: int) -> Iterator[tuple[Fact, str]]:
        """What the bot placed, or asked for unread, before the window opened or after it closed."""
        for sent in self._changing:
            at_us = instant_us(sent)
            allowed = (*CHANGES, Action.CANCEL) if at_us < start_us else (Action.CANCEL,)
            if not start_us <= at_us <= end_us and sent.action not in allowed:
                what = "placed" if sent.action is Action.PLACE else f"sent {sent.method} {sent.path}"
                yield sent, f"the bot {what} {sent.client_id or sent.order_id}".rstrip() + " outside the window"
        shown: list[OrderSeen | FillSeen] = [min(reports, key=instant_us) for reports in self._orders.values()]
        for seen in filter(self._is_own, [*shown, *self._fills]):
            if not start_us <= instant_us(seen) <= end_us:
                what = "was filled" if isinstance(seen, FillSeen) else f"was {seen.state}"
                name = seen.client_id or seen.order_id
                yield seen, f"the bot placed {name} outside the window: it {what} at the venue"

    def _is_own(self, seen: OrderSeen | FillSeen) -> bool:
        """By its name; an order under another name is told by the request that placed it."""
        return bool(self._prefix) and seen.client_id.startswith(self._prefix)

    def _changed(self, opened_seq: int, start_us: int, end_us: int) -> Iterator[tuple[Fact, str]]:
        """Settings in the window that differ from the last ones read before it opened, else from the first ones in it.

        A change that a reading in the window reveals may have been made before it, at the start of the bot; so what
        counts is where it led.
        """
        before = [values for fact, values in self._settings if fact.seq < opened_seq or instant_us(fact) < start_us]
        later = [(fact, values) for fact, values in self._settings if fact.seq > opened_seq]
        inside = [(fact, values) for fact, values in later if start_us <= instant_us(fact) <= end_us]
        declared = before[-1] if before else inside[0][1] if inside else ()
        for fact, values in inside:
            if values != declared:
                yield fact, f"the settings of the account became {', '.join(values)}"
        for change in self._changes:
            written_inside = change.seq > opened_seq and start_us <= instant_us(change) <= end_us
            if written_inside and change.after not in declared:
                yield change, f"{change.setting} became {change.after}"

    def _judge_watch(self, tally: Tally, start_us: int, end_us: int) -> None:
        minutes = max(1, -((start_us - end_us) // MINUTE_US))
        lists = _by_minute(self._list_reads, start_us, end_us)
        positions = _by_minute(self._position_reads, start_us, end_us)
        watched = sorted(minute for minute in lists.keys() & positions.keys() if minute < minutes)
        for minute in watched:
            tally.exercised(lists[minute][0][1])
        share = Decimal(len(watched)) / minutes
        if share < self._terms.coverage_min:
            least = plain(self._terms.coverage_min)
            tally.doubt(
                f"the venue was polled in {len(watched)} of {minutes} minutes of the window, {least} is the least"
            )
        for reads, name in ((lists, "open orders"), (positions, "position")):
            instants = sorted(instant for minute in reads.values() for instant, _ in minute)
            hole_us = max(later - earlier for earlier, later in pairwise([start_us, *instants, end_us]))
            if hole_us > to_us(self._terms.gap_s_max):
                tally.doubt(f"the {name} went unpolled for {seconds(hole_us)} s, {self._terms.gap_s_max} s is the most")


def _by_minute(reads: list[tuple[int, int]], start_us: int, end_us: int) -> dict[int, list[tuple[int, int]]]:
    """The readings in the window by the minute of the window."""
    minutes: dict[int, list[tuple[int, int]]] = {}
    for instant, seq in reads:
        if start_us <= instant <= end_us:
            minutes.setdefault((instant - start_us) // MINUTE_US, []).append((instant, seq))
    return minutes
