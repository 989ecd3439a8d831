"""How wild a synthetic market is, stretch by stretch, and how far its seconds move then.

Volatility clusters on every scale at once: a wild quarter of an hour stands in a wild afternoon, and that in a wild
week. So the weather is a sum of three parts, each of which keeps its value for a while and is then drawn anew: on
average after a quarter of an hour, three hours, four days. Four points more double the volatility; no points are an
ordinary hour, in which every market opens. Few parts of that kind are enough for the fat tails and the long memory of
the quarters of an hour of February 2026 (docs/fidelity.md).

Within a stretch the seconds are alike: most stand still, some move, and a move is drawn from the measured sizes. The
number of trades grows about as the volatility does (measured: exponent 1.14), so in wilder hours more seconds move, in
proportion, and each somewhat further; how the sizes are spread stays the same (inferred: no seconds of a wild hour
are at hand).
"""

from collections.abc import Callable
from math import isqrt

SECOND_VALUES = 256  # a second's move is drawn by one byte

# Points that a part may take, each as likely as any other.
_QUARTER = (-2, -1, -1, -1, 0, 0, 1, 4)
_HOURS = (-4, -2, -1, 0, 0, 1, 2, 4)
_DAYS = (-4, -2, -1, -1, 0, 1, 2, 4)
_PARTS = ((_QUARTER, 3), (_HOURS, 36), (_DAYS, 1_152))  # and after how many stretches of five minutes, on average

_ROOTS = (1_000, 1_189, 1_414, 1_682)  # 2 to the power of 0, 1/4, 2/4, 3/4, in per mille
_MOVING = 40  # of 256 seconds that many rise in an ordinary hour, and as many fall
_FEWEST, _MOST = 4, 127

# Sizes of a second's moves in per cent of their deviation in one stretch: the middles of 16 parts alike.
_SIZES = (30, 50, 70, 94, 109, 133, 159, 169, 181, 196, 229, 258, 301, 354, 439, 743)
_FINE = 64


class Weather:
    """The regimes of one market, drawn in order: `bits(n)` gives n random bits."""

    def __init__(self, bits: Callable[[int], int]) -> None:
        self._bits = bits
        self._points = [0] * len(_PARTS)

    def next_points(self) -> int:
        """The weather of the next stretch."""
        for place, (values, stretches) in enumerate(_PARTS):
            if self._bits(16) * stretches >> 16 == 0:
                self._points[place] = values[self._bits(3)]
        return sum(self._points)


def factor_permille(points: int) -> int:
    """How much wilder than an ordinary hour `points` are."""
    return _ROOTS[points % 4] << points // 4 if points >= 0 else _ROOTS[points % 4] >> -(points // 4)


def second_moves(deviation: int, points: int) -> tuple[int, ...]:
    """The moves that a second may make, each as likely as any other, when they deviate by `deviation`."""
    rising = max(_FEWEST, min(_MOST, _MOVING * factor_permille(points) // 1_000))
    sizes = [_size((2 * place + 1) * len(_SIZES) * _FINE // (2 * rising)) for place in range(rising)]
    squares = 2 * sum(size * size for size in sizes)
    norm = isqrt((squares << 20) // SECOND_VALUES)
    moves = [(size * deviation << 10) // norm for size in sizes]
    return (*(0,) * (SECOND_VALUES - 2 * rising), *moves, *(-move for move in moves))


def _size(place: int) -> int:
    """The size at a place of the table, in between by a straight line."""
    whole, part = divmod(max(0, min(place - _FINE // 2, (len(_SIZES) - 1) * _FINE)), _FINE)
    after = _SIZES[min(whole + 1, len(_SIZES) - 1)]
    return _SIZES[whole] * (_FINE - part) + after * part
