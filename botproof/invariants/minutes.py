"""C2, C3, C4, C7, C13: the counters of minute.csv against fills.csv, against themselves, and against the venue.

1. A row speaks of the instant in its `ts`, and counters of a day of the UTC day of that instant: the row of midnight
   counts what happened at midnight and nothing before.
2. A row of fills.csv counts by its `ts`, wherever it stands on the tape: one that was written late counts for the
   minutes in between, which did not know of it. What a kill took from fills.csv is missing, and C8 says so.
3. On the day on which the run began a counter may start from what the venue told of that day in the preflight,
   or from nothing. The first row of that day that leaves no choice (6) decides which, and the day goes on from there.
4. A restart starts no counter anew: the files of a run are one, and so is its day.
5. A zero that nothing could have moved shows nothing: a row is exercise where there was something to count.
6. No bot knows at once what happened at the venue. What happened within a second before a row may be missing in it,
   the newest first; the next row has it. C13 leaves the same second at the other end of its minute.
7. Where the window has too few rows (`botproof.invariants.cadence`), nothing is HELD.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import accumulate, groupby
from operator import attrgetter, itemgetter

from botproof.events import BotFill, BotSample, EarlierToday, Fact, OrderState, Source
from botproof.invariants.cadence import Cadence
from botproof.invariants.cancels import Cancels
from botproof.invariants.cells import DAY_US, FillRows, content, label, read_instant, read_number
from botproof.invariants.ledger import Ledger, Life
from botproof.invariants.tally import Tally
from botproof.invariants.verdict import Verdict
from botproof.invariants.wording import MINUTE_US, SECOND_US
from botproof.money import ZERO, plain
from botproof.profile import Profile
from botproof.terms import Terms

TOLERANCE_USDT = Decimal("1e-8")
TURNOVER_TOLERANCE = Decimal("1e-6")  # of the notional
LEAST_NOTIONAL_USDT = TOLERANCE_USDT / TURNOVER_TOLERANCE  # below it the absolute tolerance is the wider one
ONE = Decimal(1)
RACE_US = SECOND_US
"""How long a bot may not know yet what happened at the venue."""


@dataclass(frozen=True, slots=True)
class _Said:
    """What one minute row says at its instant; `seq` tells equal instants apart for the reader alone."""

    at_us: int
    seq: int
    amount: Decimal
    row: BotSample
    known_us: int = 0  # what had happened by then the bot knew
    spare: Decimal = ZERO  # by how much the amount may be meant to be less

    @property
    def day(self) -> int:
        return self.at_us // DAY_US


class _DaySums:
    """Amounts by their instants, added up from midnight (UTC); of one instant in the order in which they were told."""

    def __init__(self, amounts: Iterable[tuple[int, Decimal]]) -> None:
        ordered = sorted(amounts, key=itemgetter(0))
        self._at_us = [at_us for at_us, _ in ordered]
        self._sums = [ZERO, *accumulate(amount for _, amount in ordered)]

    def count(self, one: _Said) -> int:
        """How many of its day up to its instant the row must know."""
        first, known, _ = self._day(one)
        return known - first

    def totals(self, one: _Said) -> list[Decimal]:
        """What the row may say, least known first: the sum of its day up to its instant, but what it may not know."""
        first, known, end = self._day(one)
        return [self._sums[place] - self._sums[first] for place in range(known, end + 1)]

    def _day(self, one: _Said) -> tuple[int, int, int]:
        first = bisect_left(self._at_us, one.day * DAY_US)
        return first, max(first, bisect_right(self._at_us, one.known_us)), bisect_right(self._at_us, one.at_us)


class _Minutes:
    """What all of them share: each minute row once, and the rows of fills.csv."""

    id = ""
    needs = frozenset({Source.RUN, Source.BOT})
    hears = Cadence.hears | {BotFill}

    def __init__(self, profile: Profile, terms: Terms) -> None:  # noqa: ARG002  every fold is made alike
        self._needed = terms.exercise.get(self.id, 1)
        self._cadence = Cadence(terms)
        self._samples: dict[str, BotSample] = {}
        self._fills = FillRows()

    def see(self, fact: Fact) -> None:
        self._cadence.see(fact)
        match fact:
            case BotSample():
                self._samples.setdefault(content(fact), fact)
            case BotFill():
                self._fills.see(fact)

    def _tally(self, what: str, limit: Decimal | None = None, unit: str = "") -> Tally:
        """The account of the verdict; where rows are missing it knows that already."""
        tally = Tally(self.id, self._needed, what, limit=limit, unit=unit)
        tally.doubt(self._cadence.doubt())
        return tally

    def _says(self, tally: Tally, row: BotSample) -> Decimal | None:
        raise NotImplementedError

    def _said(self, tally: Tally) -> list[_Said]:
        """What the readable rows say, in the order of their instants."""
        said = []
        for row in self._samples.values():
            at_us, amount = read_instant(tally, row), self._says(tally, row)
            if at_us is not None and amount is not None:
                said.append(_Said(at_us, row.seq, amount, row))
        return _in_order(said)


class _Counted(_Minutes):
    """What C2, C3 and C4 share: a counter of a row = a sum over the rows of fills.csv of its day up to its instant."""

    hears = _Minutes.hears | {EarlierToday}
    column = ""
    limit = ZERO
    unit = ""

    def __init__(self, profile: Profile, terms: Terms) -> None:
        super().__init__(profile, terms)
        self._earlier: EarlierToday | None = None

    def see(self, fact: Fact) -> None:
        if isinstance(fact, EarlierToday):
            self._earlier = self._earlier or fact
        super().see(fact)

    def verdict(self) -> Verdict:
        tally = self._tally("minute rows with fills of their day before them", self.limit, self.unit)
        said, sums = self._said(tally), self._sums(tally)
        if sums is None:
            return tally.verdict()
        before = self._before(tally, said, sums)
        for one in said:
            if sums.count(one):
                tally.exercised(one.seq)
            start = before.get(one.day, ZERO)
            self._compare(tally, one, [start + total for total in sums.totals(one)])
        return tally.verdict()

    def _counts(self, tally: Tally, row: BotFill) -> Decimal | None:
        """What one row of fills.csv adds."""
        raise NotImplementedError

    def _carried(self, earlier: EarlierToday) -> Decimal | None:
        """What the counter holds of the day before the run, by the venue; None where the venue did not tell."""
        raise NotImplementedError

    def _scale(self, right: Decimal) -> Decimal:  # noqa: ARG002  only a relative tolerance looks at it
        """What `limit` is measured in."""
        return ONE

    def _sums(self, tally: Tally) -> _DaySums | None:
        amounts, is_whole = [], not self._fills.contradiction
        if self._fills.contradiction:
            tally.doubt(self._fills.contradiction)
        for row in self._fills:
            at_us, amount = read_instant(tally, row), self._counts(tally, row)
            if at_us is None or amount is None:
                is_whole = False
            else:
                amounts.append((at_us, amount))
        return _DaySums(amounts) if is_whole else None

    def _before(self, tally: Tally, said: list[_Said], sums: _DaySums) -> dict[int, Decimal]:
        """Where the counter of the run's first day started, by its first row that leaves no choice."""
        earlier = self._earlier
        of_day = [one for one in said if earlier and one.day == earlier.t_local_us // DAY_US]
        if earlier is None or not of_day:
            return {}
        first = min(of_day, key=lambda one: len(sums.totals(one)) > 1)
        counted, carried = sums.totals(first)[-1], self._carried(earlier)
        over = first.amount - counted
        if carried is None:
            if abs(over) <= self.limit:
                return {}
            tally.doubt(
                f"{plain(over)} of {self.column} are of {earlier.fills} fills before the run, and not on the tape"
            )
            return {first.day: over}
        fits = abs(over - carried) <= self.limit * self._scale(counted + carried)
        return {first.day: carried} if fits else {}

    def _compare(self, tally: Tally, one: _Said, totals: list[Decimal]) -> None:
        off = min(abs(one.amount - total) / self._scale(total) for total in totals)
        tally.rise(off)
        if off > self.limit:
            right = totals[-1]
            text = f"{label(one.row)} says {self.column} {plain(one.amount)}, the rows of fills.csv make {plain(right)}"
            tally.broken(one.seq, text)


class CountedFills(_Counted):
    """C2: fills_count_today counts the rows of fills.csv.

    Formula: fills_count_today of a row = number of rows of fills.csv of its UTC day with ts <= its ts.
    Exercise: minute rows with at least one row of fills.csv of their day before them.
    Broken by: a count that differs by one; a count or a ts that cannot be read.
    Not shown: without a fill, or where a row of either file lacks the columns.
    """

    id = "C2"
    column = "fills_count_today"
    unit = "fills"

    def _says(self, tally: Tally, row: BotSample) -> Decimal | None:
        return read_number(tally, row, self.column)

    def _counts(self, tally: Tally, row: BotFill) -> Decimal:  # noqa: ARG002  a row is one fill, whatever it says
        return ONE

    def _carried(self, earlier: EarlierToday) -> Decimal:
        return Decimal(earlier.fills)


class CountedFees(_Counted):
    """C3: fees_paid_today_quote sums the fees of fills.csv.

    Formula: fees_paid_today_quote of a row = sum of fee_quote (paid +, rebate -) over the rows of fills.csv of its UTC
        day with ts <= its ts, within 1e-8 USDT.
    Exercise: minute rows with at least one row of fills.csv of their day before them.
    Broken by: a sum that is further off; a fee or a ts that cannot be read.
    Not shown: without a fill, where a row of either file lacks the columns, or where the day began with fees that
        were paid before the run.
    """

    id = "C3"
    column = "fees_paid_today_quote"
    limit = TOLERANCE_USDT
    unit = "USDT"

    def _says(self, tally: Tally, row: BotSample) -> Decimal | None:
        return read_number(tally, row, self.column)

    def _counts(self, tally: Tally, row: BotFill) -> Decimal | None:
        return read_number(tally, row, "fee_quote")

    def _carried(self, earlier: EarlierToday) -> Decimal | None:
        return None if earlier.fills else ZERO


class CountedTurnover(_Counted):
    """C4: turnover_today_x x equity_quote is the notional of fills.csv.

    Formula: turnover_today_x x equity_quote of a row = sum of notional_quote over the rows of fills.csv of its UTC day
        with ts <= its ts, within a millionth of that sum (of 0.01 USDT where it is smaller).
    Exercise: minute rows with at least one row of fills.csv of their day before them.
    Broken by: a product that is further off; a number or a ts that cannot be read.
    Not shown: without a fill, or where a row of either file lacks the columns.
    """

    id = "C4"
    column = "turnover_today_x x equity_quote"
    limit = TURNOVER_TOLERANCE
    unit = "of the notional"

    def _says(self, tally: Tally, row: BotSample) -> Decimal | None:
        return _notional(tally, row)

    def _counts(self, tally: Tally, row: BotFill) -> Decimal | None:
        return read_number(tally, row, "notional_quote")

    def _carried(self, earlier: EarlierToday) -> Decimal:
        return earlier.traded_usdt

    def _scale(self, right: Decimal) -> Decimal:
        return max(right, LEAST_NOTIONAL_USDT)


class DayCounters(_Minutes):
    """C7: the day's counters never decrease.

    Formula: over the rows of one UTC day in the order of their ts, none of fills_count_today, fees_paid_today_quote
        less the rebates that fills.csv shows up to then (1e-8 USDT), turnover_today_x x equity_quote (a millionth)
        falls below the highest before it. Rows of one ts say the same.
    Exercise: minute rows after one of their day that counts a fill.
    Broken by: a counter that falls by more than its tolerance within a day, at a restart too; a number or a ts that
        cannot be read.
    Not shown: without a fill before the last row of a day, or where a row lacks the columns.
    """

    id = "C7"

    def verdict(self) -> Verdict:
        tally = self._tally("minute rows after a counted fill of their day")
        rebates = self._rebates(tally)
        counts, fees, notionals = [], [], []
        for row in self._samples.values():
            at_us, count, fee = read_instant(tally, row), *(read_number(tally, row, c) for c in _COUNTERS)
            notional = _notional(tally, row)
            if at_us is None or count is None or fee is None or notional is None:
                continue
            counts.append(_Said(at_us, row.seq, count, row))
            notionals.append(_Said(at_us, row.seq, notional, row))
            fees.append(_Said(at_us, row.seq, fee, row))
        fees = [] if rebates is None else [_without(one, rebates) for one in _in_order(fees)]
        self._exercise(tally, counts)
        for found, name, slack in (
            (counts, _COUNTERS[0], lambda _: ZERO),
            (fees, _COUNTERS[1], lambda _: TOLERANCE_USDT),
            (notionals, CountedTurnover.column, lambda high: TURNOVER_TOLERANCE * max(high, LEAST_NOTIONAL_USDT)),
        ):
            for one, high in _falls(found):
                if one.amount < high - slack(high):
                    text = f"{label(one.row)} lets {name} fall from {plain(high)} to {plain(one.amount)}"
                    tally.broken(one.seq, text)
        return tally.verdict()

    def _rebates(self, tally: Tally) -> _DaySums | None:
        """What the venue gave back, as negative amounts; None where that is not known."""
        amounts, is_whole = [], not self._fills.contradiction
        if self._fills.contradiction:
            tally.doubt(self._fills.contradiction)
        for row in self._fills:
            at_us, fee = read_instant(tally, row), read_number(tally, row, "fee_quote")
            if at_us is None or fee is None:
                is_whole = False
            elif fee < 0:
                amounts.append((at_us, fee))
        return _DaySums(amounts) if is_whole else None

    @staticmethod
    def _exercise(tally: Tally, counts: list[_Said]) -> None:
        counted: set[int] = set()  # days
        for one in sorted(counts, key=attrgetter("at_us")):
            if one.day in counted:
                tally.exercised(one.seq)
            elif one.amount > 0:
                counted.add(one.day)


class CountedCancels(_Minutes):
    """C13: cancel_per_min counts the cancels that the venue confirmed.

    Formula: cancel_per_min of a row = orders of the bot's instance that the venue showed canceled at an instant t of
        its own clock with ts - 60 s < t <= ts, each order once. What was ended within a second of either end of that
        minute, or without a request of the bot that the venue took (the rest of an ioc order, a post-only order that
        would have crossed), may be counted or not.
    Exercise: minute rows with at least one cancel that must be counted.
    Broken by: a count that is one too high or too low; a count or a ts that cannot be read.
    Not shown: without a cancel in the minute before a row, or where a row lacks the columns.
    """

    id = "C13"
    needs = frozenset({Source.RUN, Source.VENUE, Source.TAP, Source.BOT})
    hears = Ledger.hears | Cadence.hears

    def __init__(self, profile: Profile, terms: Terms) -> None:
        super().__init__(profile, terms)
        self._instance = f"{profile.instance_name}-"
        self.ledger = Ledger(profile.symbol)
        self._cancels = Cancels()

    def see(self, fact: Fact) -> None:
        super().see(fact)
        self.ledger.see(fact)
        self._cancels.see(fact)

    def verdict(self) -> Verdict:
        tally = self._tally("minute rows with a cancel in their minute", ZERO, "cancels")
        ended = dict(self._canceled())
        asked = self._cancels.asked(ended, granted=True)
        all_us, asked_us = sorted(ended.values()), sorted(ended[life] for life in asked)
        for one in self._said(tally):
            begin_us = one.at_us - MINUTE_US
            least = _between(asked_us, begin_us + RACE_US, one.known_us)
            most = _between(all_us, begin_us - RACE_US, one.at_us)
            if least:
                tally.exercised(one.seq)
            off = max(least - one.amount, one.amount - most, abs(one.amount - round(one.amount)))
            tally.rise(off)
            if off:
                says = f"{label(one.row)} says cancel_per_min {plain(one.amount)}"
                right = _between(all_us, begin_us, one.at_us)
                tally.broken(one.seq, f"{says}, the venue confirmed {right} in the 60 s before")
        return tally.verdict()

    def _says(self, tally: Tally, row: BotSample) -> Decimal | None:
        return read_number(tally, row, "cancel_per_min")

    def _canceled(self) -> Iterator[tuple[Life, int]]:
        """The bot's orders that were canceled, each with its instant by the venue's clock."""
        for life in self.ledger.lives:
            ended = life.ended
            if ended is not None and ended.state is OrderState.CANCELED and self._is_own(life):
                yield life, ended.t_local_us if ended.t_venue_us is None else ended.t_venue_us

    def _is_own(self, life: Life) -> bool:
        named = life.shown.client_id if life.shown else ""
        return life.belongs_to(self.ledger.prefix) or named.startswith(self._instance)


_COUNTERS = (CountedFills.column, CountedFees.column)


def _between(instants_us: list[int], after_us: int, until_us: int) -> int:
    """How many of the sorted instants lie there."""
    return max(0, bisect_right(instants_us, until_us) - bisect_right(instants_us, after_us))


def _notional(tally: Tally, row: BotSample) -> Decimal | None:
    """What was traded that day, as the row has it."""
    turnover_x, equity = read_number(tally, row, "turnover_today_x"), read_number(tally, row, "equity_quote")
    return None if turnover_x is None or equity is None else turnover_x * equity


def _in_order(said: Iterable[_Said]) -> list[_Said]:
    """By their instants, each with what the bot knew: what was a second old, or as old as an earlier row."""
    ordered = []
    earlier_us = 0
    for at_us, rows in groupby(sorted(said, key=attrgetter("at_us", "seq")), key=attrgetter("at_us")):
        ordered += [replace(one, known_us=max(at_us - RACE_US, earlier_us)) for one in rows]
        earlier_us = at_us
    return ordered


def _without(one: _Said, rebates: _DaySums) -> _Said:
    """The fees of a row had nothing been given back; a rebate that it may not know may be none of it."""
    totals = rebates.totals(one)
    return replace(one, amount=one.amount - totals[-1], spare=totals[0] - totals[-1])


def _falls(said: list[_Said]) -> Iterator[tuple[_Said, Decimal]]:
    """Each amount below the highest of its day before it, with that highest; of one instant, the lower ones."""
    ordered = sorted(said, key=lambda one: (one.at_us, -one.amount, one.seq))
    for _, day in groupby(ordered, key=attrgetter("day")):
        high: Decimal | None = None
        for one in day:
            if high is not None and one.amount < high:
                yield one, high
            high = one.amount - one.spare if high is None else max(high, one.amount - one.spare)
