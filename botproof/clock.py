"""Time is handed in: integer microseconds since the epoch (`now_us`), never read from the wall elsewhere."""

import time
from typing import Protocol


class Clock(Protocol):
    """Where the present comes from."""

    def now_us(self) -> int:
        """Microseconds since 1970-01-01T00:00:00Z."""
        ...


class ManualClock:
    """A clock that stands still until somebody sets it."""

    def __init__(self, now_us: int) -> None:
        self._now_us = now_us

    def now_us(self) -> int:
        return self._now_us

    def set_us(self, now_us: int) -> None:
        """Move to `now_us`; a clock never runs backwards."""
        if now_us < self._now_us:
            raise ValueError(f"a clock does not run backwards: {now_us} is before {self._now_us}")
        self._now_us = now_us


class SystemClock:
    """The machine's clock."""

    def now_us(self) -> int:
        return time.time_ns() // 1000
