"""What the rows of the window say: R3 (cells), R4, R6 to R9 and R12, in one pass and constant memory.

What a row says of trading seldom changes from one minute to the next. So those cells are taken out at once and looked
up among the ones of the day that were read already; only what is new is read, and only what changed nothing is
remembered. Numbers that nobody reckons with are tested for being numbers, all of a row at once.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from operator import eq, itemgetter
from typing import Any

from botproof.document import shown
from botproof.money import ZERO, plain
from botproof.notrade.answer import Docket
from botproof.notrade.cadence import Batch
from botproof.notrade.columns import BINDING, COUNTS, MAY_BE_EMPTY, MINUTE, NUMBERS, WORDS, Header, count, number
from botproof.notrade.counters import DayCounter
from botproof.notrade.window import DAY_US, EPOCH, MICROSECOND, Window

FROZEN_S_MAX = 600
"""How long the mid may stand still: two to five equal minutes were observed in quiet hours, never more."""
TOLERANCE_USDT = Decimal("1e-8")
TURNOVER_TOLERANCE = Decimal("1e-6")
QUIET, LOUD = "soft_pause", ("running", "hard_stop")
TRAIL = timedelta(seconds=60)  # what cancel_per_min looks back on
VIEWS = ("venue_open_orders", "venue_plan_orders")  # what the bot itself saw at the venue
TALLIES = {"venue_fills_seen": "R9", "order_rejects_today": "R8"}
_JUDGED = (
    *("bot_variant", "exchange", "trading_pair", "state", "equity_quote", "base_balance", "turnover_today_x"),
    *("cancel_per_min", "orders_active", "fills_count_today", "fees_paid_today_quote"),
)
_KEPT = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the rows are held against; an empty name is any name, as long as it is one."""

    exchange: str = ""
    pair: str = ""
    variant: str = ""
    position: Decimal = ZERO  # declared, signed, BTC
    restarts_us: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Stillness:
    """A stretch over which the bot wrote one and the same mid."""

    mid: str
    begins: datetime
    ends: datetime
    rows: int

    @property
    def length(self) -> timedelta:
        return self.ends - self.begins


@dataclass(slots=True)
class Said:
    """What must be weighed against the venue's record before it is a finding."""

    orders_active: int = 0  # the largest
    orders_where: str = ""
    equity_first: Decimal | None = None
    equity_last: Decimal | None = None
    equity_where: str = ""  # the first row whose equity differs
    longest_still: Stillness | None = None
    position: Decimal = ZERO  # as the rows say, where they do
    fills_low: int = 0
    fills_high: int = 0
    rows: int = 0
    mids: int = 0  # how many stretches of one mid
    bound: dict[str, set[str]] = field(default_factory=dict)  # by binding column: what the rows say


class MinuteRows:
    """Judges the rows of the window, one after another."""

    def __init__(self, header: Header, window: Window | None, expected: Expected, docket: Docket) -> None:
        self.said = Said()
        self._header, self._window, self._expected, self._docket = header, window, expected, docket
        self._names = {"exchange": expected.exchange, "trading_pair": expected.pair, "bot_variant": expected.variant}
        optional = [name for name in (*BINDING, "position_base", *VIEWS, *TALLIES) if header.holds(name)]
        self._judged = (*_JUDGED, *optional)
        self._counters = {
            "fills_count_today": DayCounter("R6", "fills_count_today", docket),
            "fees_paid_today_quote": DayCounter("R9", "fees_paid_today_quote", docket),
            "traded": DayCounter("R9", "turnover_today_x x equity_quote", docket, tolerance=TURNOVER_TOLERANCE),
            **{name: DayCounter(rule, name, docket) for name, rule in TALLIES.items()},
        }
        self._levels: dict[str, Decimal] = {}
        self._known: set[tuple[str, ...]] = set()  # cells that were read on this day, and changed nothing
        self._day = ""
        self._figures = [header.places[name] for name in MINUTE if name not in WORDS and name not in _JUDGED]
        self._words = [header.places[name] for name in MINUTE if name in WORDS - MAY_BE_EMPTY - {"ts", *_JUDGED}]
        self._mid, self._held = "", 0
        self._began: datetime | None = None
        self._ended: datetime | None = None
        self._cancels: int | None = None
        # the first day that begins inside the window: its counters begin at 0
        self._first_whole_day = None if window is None else -(-window.start_us // DAY_US)

    def judge(self, batches: Iterable[Batch]) -> None:
        """Take all rows, batch by batch: what is alike in all of a batch is looked at once."""
        judged = itemgetter(*(self._header.places[name] for name in self._judged))
        mid_at, last = self._header.places["mid"], None
        for batch in batches:
            columns = list(zip(*batch.cells, strict=True))
            self._trading(judged, batch, judged(columns), last)
            self._other_cells(batch, columns)
            self._mids(columns[mid_at], batch.ats)
            last = batch.ats[-1]
        self._rest()

    def _trading(
        self, judged: Callable[[Sequence[Any]], tuple[Any, ...]], batch: Batch, steady: tuple[tuple[str, ...], ...],
        last: datetime | None,
    ) -> None:  # fmt: skip
        """The cells that tell of trading, unless the same ones were found quiet on the same day."""
        days, known = (batch.texts[0][:10], batch.texts[-1][:10]), self._known
        if days != (self._day, self._day):
            known.clear()
        elif all(column.count(column[0]) == len(column) for column in steady):
            if tuple(column[0] for column in steady) in known:
                return
        elif known.issuperset(zip(*steady, strict=True)):
            return
        for line, at, text, cells in zip(*batch, strict=True):
            said = judged(cells)
            if text[:10] != self._day:
                self._day = text[:10]
                known.clear()
            if said not in known:
                if not self._look(f"line {line} ({text})", last, at, said) or len(known) == _KEPT:
                    known.clear()  # a level moved: what stood still before must be read again
                else:
                    known.add(said)
            last = at

    def _other_cells(self, batch: Batch, columns: Sequence[tuple[str, ...]]) -> None:
        """Whether the cells that nobody reckons with are what they must be; where one is not, each row is asked."""
        texts: list[str] = []
        for place in self._figures:
            column = columns[place]
            texts += column[:1] if column.count(column[0]) == len(column) else column
        if not _are_numbers(texts) or any("" in columns[place] for place in self._words):
            for line, cells in zip(batch.lines, batch.cells, strict=True):
                self._blame(line, cells)

    def _mids(self, mids: Sequence[str], ats: Sequence[datetime]) -> None:
        """How long the mid stands still."""
        if mids[0] != self._mid and not any(map(eq, mids, mids[1:])):  # most batches of a market that moves
            if self._held > 1:
                self._rest()
            self._mid, self._began, self._ended, self._held = mids[-1], ats[-1], ats[-1], 1
            self.said.mids += len(mids)
            return
        for mid, at in zip(mids, ats, strict=True):
            if mid == self._mid:
                self._held += 1
            else:
                if self._held > 1:
                    self._rest()
                self._mid, self._began, self._held = mid, at, 1
                self.said.mids += 1
            self._ended = at

    def _look(self, where: str, last: datetime | None, at: datetime, steady: Sequence[str]) -> bool:
        """Read the cells that tell of trading; whether all is as it was, so that the same cells need no second look."""
        cells = dict(zip(self._judged, steady, strict=True))
        if not self._is_ours(cells, where):
            return False
        self._bind(cells)
        amounts = self._amounts(cells, where)
        if amounts is None:
            return False
        at_us = (at - EPOCH) // MICROSECOND
        last_us = None if last is None else (last - EPOCH) // MICROSECOND
        restarted = last_us is not None and any(last_us < each <= at_us for each in self._expected.restarts_us)
        return all(
            [
                self._state(cells["state"], where),
                self._counted(amounts, at_us // DAY_US, where, restarted=restarted),
                self._cancelled(int(amounts["cancel_per_min"]), at, where),
                self._active(int(amounts["orders_active"]), int(amounts["fills_count_today"]), where),
                self._equity(amounts["equity_quote"], where),
                self._positions(amounts, where),
                self._views(amounts, where),
            ]
        )

    # R4

    def _is_ours(self, cells: dict[str, str], where: str) -> bool:
        """Whether the row is of the bot that is judged; in other letters it is, but does not count."""
        ours = True
        for name, expected in self._names.items():
            found = cells[name].strip()
            if not expected:
                self._names[name] = found
            elif found.casefold() != expected.casefold():
                seen = f"a row with {name} {shown(found)} in the window"
                self._docket.invalid("R4", seen, f"{name} {expected} in every row", where, key=f"{name} {found[:40]}")
                ours = False
            elif found != expected:
                seen = f"{name} is written {shown(found)}"
                self._docket.invalid("R4", seen, f"exactly {expected}", where, key=f"case of {name}")
        return ours

    def _bind(self, cells: dict[str, str]) -> None:
        for name in BINDING:
            if name in cells:
                values = self.said.bound.setdefault(name, set())
                if len(values) < _KEPT:
                    values.add(cells[name].strip())

    # R3

    def _amounts(self, cells: dict[str, str], where: str) -> dict[str, Decimal] | None:
        """The numbers among the cells; None where one of them is none, and the docket knows."""
        amounts: dict[str, Decimal] = {}
        readable = True
        for name, text in cells.items():
            if name in WORDS or name in BINDING or (name not in _JUDGED and not text):
                continue
            value = count(text) if name in COUNTS or name in VIEWS or name in TALLIES else number(text)
            if value is None:
                self._no_number(name, text, where)
                readable = False
            else:
                amounts[name] = Decimal(value)
        return amounts if readable else None

    def _no_number(self, name: str, text: str, where: str) -> None:
        kind = "a whole number, not negative" if name in COUNTS or name in VIEWS or name in TALLIES else "a number"
        found = shown(text) if text else "nothing"
        self._docket.invalid("R3", f"{name} holds {found}", f"{kind} in {name}", where, key=name)

    def _blame(self, line: int, cells: Sequence[str]) -> None:
        """Which of the cells that nobody reckons with is none of its kind."""
        where = f"line {line} ({cells[self._header.places['ts']]})"
        for name in MINUTE:
            text = cells[self._header.places[name]]
            if name in self._judged and name not in WORDS:
                continue  # read on its own
            if name in WORDS:
                if not text and name not in MAY_BE_EMPTY:
                    self._docket.invalid("R3", f"{name} is empty", "a word in every row", where, key=name)
            elif number(text) is None:
                self._no_number(name, text, where)

    # R6 to R9

    def _state(self, state: str, where: str) -> bool:
        if state == QUIET:
            return True
        if state in LOUD:
            self._docket.fail("R7", f"the bot says {state}", f"{QUIET} in every row", where, key=state)
        else:
            self._docket.invalid("R7", f"the bot says {shown(state)}", f"{QUIET} in every row", where, key="state")
        return False

    def _counted(self, amounts: dict[str, Decimal], day: int, where: str, *, restarted: bool) -> bool:
        """Counters of the day; what was traded is turnover x equity, since turnover alone moves with equity."""
        values = {**amounts, "traded": amounts["turnover_today_x"] * amounts["equity_quote"]}
        opens_day = self._first_whole_day is not None and day >= self._first_whole_day
        still = [
            counter.see(values[name], day, where, opens_day=opens_day, restarted=restarted)
            for name, counter in self._counters.items()
            if name in values
        ]
        return all(still)

    def _cancelled(self, cancels: int, at: datetime, where: str) -> bool:
        """A row looks back a minute, so that the first ones may still show what was cleaned up before the window."""
        before, self._cancels = self._cancels, cancels
        if not cancels:
            return True
        start = None if self._window is None else EPOCH + self._window.start_us * MICROSECOND
        is_earlier = start is not None and at - TRAIL < start and (before is None or cancels <= before)
        seen = f"cancel_per_min is {cancels}"
        if is_earlier:
            self._docket.note("R9", f"{seen}, of the minute before the window", "0 from then on", where)
        else:
            self._docket.fail("R9", seen, "no cancel in the window", where, key="cancel_per_min")
        return False

    def _active(self, active: int, fills: int, where: str) -> bool:
        said = self.said
        said.fills_low, said.fills_high = (
            (fills, fills) if not said.rows else (min(said.fills_low, fills), max(said.fills_high, fills))
        )
        said.rows += 1
        if active > self.said.orders_active:
            self.said.orders_active, self.said.orders_where = active, where
        return True

    def _equity(self, equity: Decimal, where: str) -> bool:
        said = self.said
        if said.equity_first is None:
            said.equity_first = equity
        elif abs(equity - said.equity_first) > TOLERANCE_USDT and not said.equity_where:
            said.equity_where = where
        said.equity_last = equity
        return said.equity_first == equity

    def _positions(self, amounts: dict[str, Decimal], where: str) -> bool:
        still = True
        for name in ("base_balance", "position_base"):
            if name not in amounts:
                continue
            first = self._levels.setdefault(name, amounts[name])
            if amounts[name] != first:
                still = False
                seen = f"{name} moved from {plain(first)} to {plain(amounts[name])}"
                self._docket.fail("R9", seen, "the position at the start is the position at the end", where, key=name)
        self.said.position = amounts.get("position_base", ZERO)
        declared = self._expected.position
        if amounts.get("position_base", declared) != declared and still:
            seen = f"position_base is {plain(amounts['position_base'])}"
            self._docket.invalid(
                "R9", seen, f"the position that the plan declares, {plain(declared)} BTC", where, key="declared"
            )
        return still

    def _views(self, amounts: dict[str, Decimal], where: str) -> bool:
        resting = [name for name in VIEWS if amounts.get(name, ZERO)]
        for name in resting:
            seen = f"the bot saw orders at the venue: {name} is {plain(amounts[name])}"
            self._docket.fail("R8", seen, "no order rests in the window", where, key=name)
        return not resting

    # R12

    def _rest(self) -> None:
        """A stretch of one mid is over."""
        if self._began is None or self._ended is None:
            return
        still, longest = Stillness(self._mid, self._began, self._ended, self._held), self.said.longest_still
        if longest is None or still.length > longest.length:
            self.said.longest_still = still


def _are_numbers(cells: Sequence[str]) -> bool:
    """Whether every cell is a number; asked of all at once."""
    return NUMBERS.fullmatch("\n".join(cells)) is not None
