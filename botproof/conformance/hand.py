"""A clock that is set by hand, and rings what falls due on the way.

What sets its timers by such a clock (`call_at`) does not hang on a loop: nothing happens until somebody moves time,
and then everything happens at its own instant, in order.
"""

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

from botproof.clock import ManualClock


@dataclass(order=True, slots=True)
class HandTimer:
    """Due at an instant; ties ring in the order in which they were made."""

    at_us: int
    number: int
    callback: Callable[[], None] = field(compare=False)
    is_cancelled: bool = field(default=False, compare=False)

    def cancel(self) -> None:
        """Never ring."""
        self.is_cancelled = True


class HandClock(ManualClock):
    """A `ManualClock` with timers."""

    def __init__(self, now_us: int) -> None:
        super().__init__(now_us)
        self._timers: list[HandTimer] = []
        self._numbers = itertools.count()

    def call_at(self, at_us: int, callback: Callable[[], None]) -> HandTimer:
        """Ring when time has been moved to `at_us`; what is due already rings at the next move."""
        timer = HandTimer(at_us, next(self._numbers), callback)
        heapq.heappush(self._timers, timer)
        return timer

    def ring_next(self, until_us: int) -> bool:
        """Move to the next timer due by `until_us` and ring it; without one, move to `until_us` and say False."""
        while self._timers and self._timers[0].at_us <= until_us:
            timer = heapq.heappop(self._timers)
            if not timer.is_cancelled:
                self.set_us(max(self.now_us(), timer.at_us))
                timer.callback()
                return True
        self.set_us(until_us)
        return False
