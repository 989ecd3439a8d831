"""Mark and index: how far they lie from the best bid, drawn anew each minute from (seed, minute).

The mark is mostly the last price itself or a few dimes beside it, with tails of 10 to 20 USDT (measured at the ends of
2,688 candles; how long a deviation lasts is inferred). The index lies above the mark by a basis of about 33 USDT that
wanders from one eight hours to the next, and somewhat from minute to minute (measured likewise).
"""

from .draw import about, mix

_MINUTE_STEPS = 60
_EIGHT_HOURS = 480  # minutes

_MARK, _INDEX, _BASIS = 12, 13, 14  # what a draw is for

# In ticks; of the mark's, each as likely as any other.
_MARK_TICKS = (-83, -34, 0, 0, 0, 0, 0, 0, 1, 1, 1, 3, 10, 23, 28, 32, 37, 41, 46, 54, 63, 77, 110, 190)
_BASIS_TICKS, _BASIS_WIDTH, _INDEX_WIDTH = 329, 136, 90


class References:
    """Where mark and index of one market lie."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._known = -1, (0, 0)  # the minute that was asked about last

    def of(self, number: int) -> tuple[int, int]:
        """Mark and index of step `number`, in ticks from the best bid."""
        minute = number // _MINUTE_STEPS
        if self._known[0] != minute:
            mark = _MARK_TICKS[mix(self._seed, minute, _MARK) % len(_MARK_TICKS)]
            index = mark + self._basis(minute) + about(_INDEX_WIDTH, self._seed, minute, _INDEX)
            self._known = minute, (mark, index)
        return self._known[1]

    def _basis(self, minute: int) -> int:
        """Index less mark, from one draw to the next by a straight line."""
        node, part = divmod(minute, _EIGHT_HOURS)
        before, after = (about(_BASIS_WIDTH, self._seed, each, _BASIS) for each in (node, node + 1))
        return _BASIS_TICKS + (before * (_EIGHT_HOURS - part) + after * part) // _EIGHT_HOURS
