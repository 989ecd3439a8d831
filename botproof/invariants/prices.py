"""The prices that the venue's ticker delivered, and what an order would have met in them."""

from bisect import bisect_left, bisect_right
from decimal import Decimal

from botproof.events import Side, TopOfBook
from botproof.invariants.wording import SECOND_US, instant_us

FRESH_US = SECOND_US


def opposite(top: TopOfBook, side: Side) -> Decimal:
    """The best price at which an order of `side` is filled at once."""
    return top.bid if side is Side.SELL else top.ask


def is_beyond(price: Decimal, limit: Decimal, side: Side) -> bool:
    """Whether `price` is at `limit` or worse for who closes by an order of `side`."""
    return price <= limit if side is Side.SELL else price >= limit


class Prices:
    """What was delivered, by the instant at which it was made."""

    def __init__(self, prices: list[TopOfBook]) -> None:
        self._prices = sorted(prices, key=lambda top: (instant_us(top), top.seq))
        self._instants = [instant_us(top) for top in self._prices]

    def around(self, from_us: int, to_us: int) -> list[TopOfBook]:
        """From the last one at or before `from_us` to the first one within `FRESH_US` after `to_us`."""
        first = max(0, bisect_right(self._instants, from_us) - 1)
        last = bisect_left(self._instants, to_us)
        follows = last < len(self._instants) and self._instants[last] <= to_us + FRESH_US
        return self._prices[first : last + 1 if follows else last]

    def carried_on(self, side: Side, at_us: int) -> list[Decimal]:
        """The last price before `at_us` for an order of `side`, moved on by as much as in the second before."""
        last = bisect_right(self._instants, at_us) - 1
        if last < 1:
            return []
        first = bisect_right(self._instants, self._instants[last] - FRESH_US) - 1
        if first < 0:
            return []
        apart_us = self._instants[last] - self._instants[first]
        before, then = opposite(self._prices[first], side), opposite(self._prices[last], side)
        return [then + (then - before) * FRESH_US / apart_us]
