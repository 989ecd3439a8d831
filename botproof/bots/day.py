"""The account's UTC day in money: what was traded and what it earned, by whomever.

    earned   = profit realised by fills - their fees + funding, since midnight; transfers are not in it
    result   = earned + what the open position would earn now - what it would have earned at midnight

Fills and bills are known by their ids, so that a fill may be told by push and by list. The loss is the worse of the
day's and of the day since this start: a profit of this morning is no licence to lose it, and a loss of this morning
counts.
"""

from dataclasses import dataclass
from decimal import Decimal

from botproof.money import ZERO
from botproof.ports import Bill, Fill

DAY_US = 86_400_000_000
FUNDING = "contract_settle_fee"  # business type of a bill (documented)


@dataclass(frozen=True, slots=True)
class _Entry:
    at_us: int
    traded_usdt: Decimal
    earned_usdt: Decimal


class Day:
    """Sums since midnight, USDT; kept for one symbol's turnover and the whole account's result."""

    def __init__(self, symbol: str, began_us: int) -> None:
        self.midnight_us = began_us // DAY_US * DAY_US
        self.traded_usdt = ZERO
        self._symbol, self._began_us = symbol, began_us
        self._entries: dict[str, _Entry] = {}
        self._earned_usdt = self._earned_since_usdt = ZERO
        self._opening_usdt = ZERO  # what the open position would have earned at midnight
        self._peak_usdt = ZERO

    def fill(self, fill: Fill) -> None:
        """A fill of the account, however often it is told."""
        traded_usdt = fill.price * fill.size if fill.symbol == self._symbol else ZERO
        self._add(f"fill {fill.trade_id}", _Entry(fill.t_ms * 1000, traded_usdt, fill.realized_usdt - fill.fee_usdt))

    def bill(self, bill: Bill) -> None:
        """A line of the account's bill; only funding is taken from it, since fills tell the rest."""
        if bill.business_type == FUNDING:
            self._add(f"bill {bill.bill_id}", _Entry(bill.t_ms * 1000, ZERO, bill.amount + bill.fee))

    def roll(self, now_us: int, unrealized_usdt: Decimal) -> None:
        """Begin a new day where midnight has passed."""
        if now_us < self.midnight_us + DAY_US:
            return
        self.midnight_us = now_us // DAY_US * DAY_US
        self._entries = {name: entry for name, entry in self._entries.items() if entry.at_us >= self.midnight_us}
        self._opening_usdt, self._peak_usdt = unrealized_usdt, ZERO
        self.traded_usdt = self._earned_usdt = self._earned_since_usdt = ZERO
        for entry in self._entries.values():
            self._count(entry)

    def result(self, unrealized_usdt: Decimal) -> Decimal:
        """What the day has earned, signed; keeps the peak."""
        result_usdt = self._earned_usdt + unrealized_usdt - self._opening_usdt
        self._peak_usdt = max(self._peak_usdt, result_usdt)
        return result_usdt

    def loss(self, unrealized_usdt: Decimal) -> Decimal:
        """What was lost, the worse of the day's and of this start's; negative is a profit."""
        since_usdt = self._earned_since_usdt + unrealized_usdt - self._opening_usdt
        return -min(self.result(unrealized_usdt), since_usdt)

    def fall(self, unrealized_usdt: Decimal) -> Decimal:
        """How far the result is below the day's peak, never negative."""
        result_usdt = self.result(unrealized_usdt)
        return self._peak_usdt - result_usdt

    def _add(self, name: str, entry: _Entry) -> None:
        if name not in self._entries and entry.at_us >= self.midnight_us:
            self._entries[name] = entry
            self._count(entry)

    def _count(self, entry: _Entry) -> None:
        if entry.at_us >= self.midnight_us + DAY_US:
            return  # the venue's clock is ahead: it counts once the day has begun here too
        self.traded_usdt += entry.traded_usdt
        self._earned_usdt += entry.earned_usdt
        if entry.at_us >= self._began_us:
            self._earned_since_usdt += entry.earned_usdt
