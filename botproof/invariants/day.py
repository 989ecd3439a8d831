"""The UTC day: when one ends, and what the account had done on it before the run began.

1. What was done earlier counts on the day on which the run began, and on no other: of later days the whole is on the
   tape.
2. It is read once, in the preflight. Where it was not read, or where two readings differ, nobody knows it.
"""

from decimal import Decimal

from botproof.events import EarlierToday, Fact, RunStarted
from botproof.invariants.wording import SECOND_US
from botproof.money import ZERO

DAY_US = 86_400 * SECOND_US
UNKNOWN = "what the account had done earlier on the day is not on the tape"


def utc_day(at_us: int) -> int:
    """The number of the UTC day, counted from 1970-01-01."""
    return at_us // DAY_US


class Earlier:
    """What the account had done on one symbol on the day before the run began."""

    hears: frozenset[type[Fact]] = frozenset({RunStarted, EarlierToday})

    def __init__(self, symbol: str) -> None:
        self._symbol = symbol
        self._day: int | None = None
        self._told: EarlierToday | None = None
        self._disputed = False

    def see(self, fact: Fact) -> None:
        match fact:
            case RunStarted():
                self._day = utc_day(fact.t_local_us) if self._day is None else self._day
            case EarlierToday() if fact.symbol == self._symbol:
                first = self._told = self._told or fact
                said = (first.fills, first.traded_usdt, first.result_usdt)
                self._disputed |= said != (fact.fills, fact.traded_usdt, fact.result_usdt)

    def traded_usdt(self, day: int) -> Decimal | None:
        """What had been traded on `day` before the run; None where nobody knows."""
        return self._on(day, None if self._told is None else self._told.traded_usdt)

    def result_usdt(self, day: int) -> Decimal | None:
        """What had been gained (+) or lost (-) on `day` before the run; None where nobody knows."""
        return self._on(day, None if self._told is None else self._told.result_usdt)

    def _on(self, day: int, amount: Decimal | None) -> Decimal | None:
        if self._day is not None and day > self._day:
            return ZERO
        return None if self._disputed or self._day is None else amount
