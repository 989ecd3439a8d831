"""The book of one market step, less what has been taken from it.

The market shows the same book throughout a step; what somebody here took from it is not there again until the next
step. Resting orders of the accounts stand in the book too. For a taker of the accounts they come before the market's
own size at one price (inferred); for takers among strangers they stand in a queue behind it (`matching`).
"""

from collections.abc import Iterator
from itertools import islice

from botproof.events import Side

from .market import Market, Prices

NEAR_LEVELS = 5  # as far as a queue is looked up when an order begins to rest


def reaches(direction: Side, limit: int | None, ticks: int) -> bool:
    """Whether an order of `direction` and `limit` (None: any price) trades at `ticks`."""
    return limit is None or direction.sign * (limit - ticks) >= 0


class Liquidity:
    """What the market offers at its present step; levels in ticks and steps."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._at_us = 0
        self._step_us: int | None = None
        self._prices: Prices | None = None
        self._sources: dict[Side, Iterator[tuple[int, int]]] = {}
        self._levels: dict[Side, list[list[int]]] = {}

    def move(self, at_us: int) -> None:
        """Look at the step in force at `at_us`; a new step brings a whole book and new prices."""
        step_us = self._market.step_us(at_us)
        if step_us != self._step_us:
            self._at_us, self._step_us, self._prices = at_us, step_us, None
            self._sources.clear()  # most steps are passed without a look at their book
            self._levels.clear()

    def prices(self, at_us: int) -> Prices:
        """Last, mark and index of the step in force at `at_us`, which was moved to."""
        if self._prices is None:
            self._prices = self._market.prices(at_us)
        return self._prices

    def levels(self, side: Side) -> Iterator[tuple[int, int]]:
        """What is left of the bids or asks, best first."""
        seen = self._levels.setdefault(side, [])
        at = 0
        while at < len(seen) or self._extend(side):
            ticks, steps = seen[at]
            if steps:
                yield ticks, steps
            at += 1

    def best(self, side: Side) -> int | None:
        """The best price of a side, or None where nothing is left."""
        return next((ticks for ticks, _ in self.levels(side)), None)

    def within(self, side: Side, limit: int | None, at_most: int) -> int:
        """How many steps of `side` an opposing order of `limit` can trade with, counted up to `at_most`."""
        found = 0
        for ticks, steps in self.levels(side):
            if found >= at_most or not reaches(side.opposite, limit, ticks):
                break
            found += steps
        return min(found, at_most)

    def queue(self, side: Side, ticks: int) -> int | None:
        """How many steps of strangers stand at a price; None where it lies beyond the near book.

        At a price better than the best, or between two levels, there are none.
        """
        for level, steps in islice(self.levels(side), NEAR_LEVELS):
            if level == ticks:
                return steps
            if side.sign * (ticks - level) > 0:
                return 0
        return None

    def take(self, side: Side, steps: int) -> None:
        """Take `steps` from the best levels on; they must be there (`within`)."""
        for level in self._levels[side]:
            part = min(level[1], steps)
            level[1] -= part
            steps -= part
            if not steps:
                return
        raise AssertionError(f"{steps} steps more were taken than the book showed")

    def _extend(self, side: Side) -> bool:
        """Ask the market for one level more."""
        if side not in self._sources:
            self._sources[side] = self._market.levels(self._at_us, side)
        level = next(self._sources[side], None)
        if level is None:
            return False
        self._levels[side].append(list(level))
        return True
