"""E18: the loss stays within the limit.

Formula: loss <= loss_limit_fraction x total_amount_quote
    loss = equity when the run began - equity now + what was transferred in since - the day's result before the run
Exercise: fills of the bot.
Broken by: a reading of the account, after the bot's first fill, that shows a larger loss. Equal is within.
Not shown: without a fill, without the preflight's reading or a closing one after the last fill, where what the account
    had done earlier on the day is not known, or where the bills do not explain how the wallet (equity less unrealised)
    moved over the run, within 0.01 USDT: then a transfer may be missing.

1. Judged at every reading of the account: pushes, polls and the closing one. The first reading of the preflight is the
   equity when the run began. What happens to equity between two readings is not seen.
2. Transfers are the bills that book neither a trade nor funding (`botproof.invariants.bills`), gifts of the venue
   among them, in with a plus and out with a minus, by the time of the bill: money that is put in hides no loss, and
   money that is taken out is none. A reading within a second of a transfer is left out, for nobody can say on which
   side of it the reading lies.
3. All runs of a UTC day count together: on the day on which the run began, the result of the account earlier on that
   day counts as well, a gain against a loss.
4. At midnight the loss starts anew, from the last equity read before it.
5. It is the bot's from its first fill on: a bot that finds the limit reached, and trades nothing, broke nothing. From
   then on the whole account counts, whoever lost it; unrealised loss, fees and funding are in the equity.
6. Peak: the largest loss of a day, 0 where there was none.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from decimal import Decimal
from itertools import accumulate

from botproof.events import BalanceSeen, BillSeen, Fact, Source
from botproof.invariants.bills import is_funding, is_trade
from botproof.invariants.day import UNKNOWN, Earlier, utc_day
from botproof.invariants.ledger import Ledger
from botproof.invariants.tally import Tally
from botproof.invariants.verdict import Verdict
from botproof.invariants.wording import SECOND_US, clock_time, instant_us, usdt
from botproof.money import ZERO, plain
from botproof.profile import Profile
from botproof.terms import Terms

RACE_US = SECOND_US
UNEXPLAINED_USDT_MAX = Decimal("0.01")


class Loss:
    """E18. Collects as it sees: the bills that tell of transfers come at the end of the tape."""

    id = "E18"
    needs = frozenset({Source.RUN, Source.VENUE, Source.TAP})
    hears = Ledger.hears | Earlier.hears | {BalanceSeen, BillSeen}

    def __init__(self, profile: Profile, terms: Terms) -> None:
        self._limit = terms.loss_limit_fraction * profile.total_amount_quote
        self._needed = terms.exercise.get(self.id, 1)
        self.ledger = Ledger(profile.symbol)
        self._earlier = Earlier(profile.symbol)
        self._readings: list[BalanceSeen] = []
        self._bills: dict[str, BillSeen] = {}

    def see(self, fact: Fact) -> None:
        match fact:
            case BalanceSeen():
                self._readings.append(fact)
            case BillSeen():
                self._bills.setdefault(fact.bill_id, fact)
            case _:
                self.ledger.see(fact)
                self._earlier.see(fact)

    def verdict(self) -> Verdict:
        tally = Tally(self.id, self._needed, "fills", limit=self._limit, unit="USDT")
        fills = sorted(instant_us(fill) for fill in self._own_fills(tally))
        transfers = _Transfers(self._bills.values())
        readings = self._usable(transfers)
        if not readings:
            tally.doubt("the equity when the run began is not on the tape")
            return tally.verdict()
        self._judge(tally, readings, transfers, fills[0] if fills else None)
        self._complete(tally, readings, fills[-1] if fills else 0)
        return tally.verdict()

    def _own_fills(self, tally: Tally) -> list[Fact]:
        """The fills of the bot, each counted as exercise."""
        own = [life for life in self.ledger.lives if life.belongs_to(self.ledger.prefix)]
        fills: list[Fact] = [fill for life in own for fill in life.fills]
        for fill in fills:
            tally.exercised(fill.seq)
        return fills

    def _usable(self, transfers: "_Transfers") -> list[BalanceSeen]:
        """The readings from the first one of the preflight on, in the order of happening."""
        readings = sorted(self._readings, key=lambda seen: (instant_us(seen), seen.seq))
        readings = [seen for seen in readings if not transfers.is_near(instant_us(seen))]
        start = next((place for place, seen in enumerate(readings) if seen.via == "preflight"), len(readings))
        return readings[start:]

    def _judge(self, tally: Tally, readings: list[BalanceSeen], transfers: "_Transfers", traded_us: int | None) -> None:
        day, above = utc_day(instant_us(readings[0])), False
        result = self._earlier.result_usdt(day)
        if result is None:
            tally.doubt(UNKNOWN)
        start, now = transfers.without(readings[0]) - (result or ZERO), ZERO
        for seen in readings:
            if utc_day(instant_us(seen)) > day:
                day, start, above = utc_day(instant_us(seen)), now, False
            now = transfers.without(seen)
            if traded_us is None or instant_us(seen) < traded_us:
                continue
            tally.rise(max(ZERO, start - now))
            if start - now > self._limit and not above:
                text = f"{usdt(start - now)} USDT were lost at {clock_time(instant_us(seen))}"
                tally.broken(seen.seq, f"{text}, the limit is {usdt(self._limit)}")
            above = start - now > self._limit

    def _complete(self, tally: Tally, readings: list[BalanceSeen], traded_us: int) -> None:
        """Doubt what was not read to the end, or what the bills do not explain."""
        first, last = readings[0], readings[-1]
        if not any(seen.via == "closing" for seen in readings) or instant_us(last) < traded_us:
            tally.doubt("the equity after the last fill and the stop is not on the tape")
        billed = sum(
            (bill.amount + bill.fee for bill in self._bills.values() if _between(first, bill, last)),
            ZERO,
        )
        moved = _wallet(last) - _wallet(first)
        if abs(moved - billed) > UNEXPLAINED_USDT_MAX:
            tally.doubt(f"the wallet moved by {plain(moved)} USDT, and the bills explain {plain(billed)}")


class _Transfers:
    """What was put in (+) or taken out (-), summed up in the order of happening."""

    def __init__(self, bills: Iterable[BillSeen]) -> None:
        found = sorted((instant_us(bill), bill.amount + bill.fee) for bill in bills if _is_transfer(bill))
        self._times = [at_us for at_us, _ in found]
        self._sums = [ZERO, *accumulate(amount for _, amount in found)]

    def without(self, seen: BalanceSeen) -> Decimal:
        """The equity of a reading, had nothing been transferred in the run."""
        return seen.equity_usdt - self._sums[bisect_right(self._times, instant_us(seen))]

    def is_near(self, at_us: int) -> bool:
        """Whether a transfer happened within a second of `at_us`."""
        return bisect_left(self._times, at_us - RACE_US) != bisect_right(self._times, at_us + RACE_US)


def _is_transfer(bill: BillSeen) -> bool:
    return not (is_trade(bill) or is_funding(bill))


def _between(first: BalanceSeen, bill: BillSeen, last: BalanceSeen) -> bool:
    return instant_us(first) < instant_us(bill) <= instant_us(last)


def _wallet(seen: BalanceSeen) -> Decimal:
    return seen.equity_usdt - seen.unrealized_usdt
