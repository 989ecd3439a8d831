"""Order, trade, bill and position ids as the venue forms them: 19-digit snowflakes.

`(id >> 22) + 1435725920677` is the creation time in milliseconds (captured, by arithmetic); what the low 22 bits mean
is not known. Here they come from a seed, and every id is larger than the one before.
"""

from random import Random

EPOCH_MS = 1_435_725_920_677
_LOW_BITS = 22


def snowflake(at_us: int, low: int) -> int:
    """The id of something created at `at_us` (microseconds) with `low` as its low 22 bits."""
    return ((at_us // 1000 - EPOCH_MS) << _LOW_BITS) | low


def created_ms(snowflake_id: str) -> int:
    """The creation time, in milliseconds, that an id carries."""
    return (int(snowflake_id) >> _LOW_BITS) + EPOCH_MS


class Ids:
    """A source of increasing ids; the same seed and the same instants give the same ids."""

    def __init__(self, seed: int) -> None:
        self._random = Random(f"{seed}/ids")
        self._last = 0

    def next(self, at_us: int) -> str:
        fresh = snowflake(at_us, self._random.getrandbits(20))
        self._last = max(fresh, self._last + 1 + self._random.getrandbits(6))
        return str(self._last)
