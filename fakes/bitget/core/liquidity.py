"""The book of one market step, less what has been taken from it.

The market shows the same book throughout a step; what somebody here took from it is not there again until the next
step. Resting orders of the accounts stand in the book too, and at one price they come before the market's own size
(inferred: the market's path says nothing about queues).
"""

from collections.abc import Iterator

from botproof.events import Side

from .market import Market, Prices


def reaches(direction: Side, limit: int | None, ticks: int) -> bool:
    """Whether an order of `direction` and `limit` (None: any price) trades at `ticks`."""
    return limit is None or direction.sign * (limit - ticks) >= 0


class Liquidity:
    """What the market offers at its present step; levels in ticks and steps."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._step_us: int | None = None
        self._prices: Prices | None = None
        self._sources: dict[Side, Iterator[tuple[int, int]]] = {}
        self._levels: dict[Side, list[list[int]]] = {}

    def move(self, at_us: int) -> None:
        """Look at the step in force at `at_us`; a new step brings a whole book and new prices."""
        step_us = self._market.step_us(at_us)
        if step_us != self._step_us:
            self._step_us = step_us
            self._prices = None
            self._sources = {side: self._market.levels(at_us, side) for side in Side}
            self._levels = {side: [] for side in Side}

    def prices(self, at_us: int) -> Prices:
        """Last, mark and index of the step in force at `at_us`, which was moved to."""
        if self._prices is None:
            self._prices = self._market.prices(at_us)
        return self._prices

    def levels(self, side: Side) -> Iterator[tuple[int, int]]:
        """What is left of the bids or asks, best first."""
        seen = self._levels[side]
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
        level = next(self._sources[side], None)
        if level is None:
            return False
        self._levels[side].append(list(level))
        return True
