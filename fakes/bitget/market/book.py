"""The levels of a book, made on demand: a pure function of (seed, step, side, level).

Sizes and gaps are those of February and March 2026, read from what takers' orders took: a level that an order went
through was taken whole, the level where it ended held at least what was taken (an estimate of the kind of Kaplan and
Meier); the best level's were then set so that orders end there as often as recorded ones did. So the best level is
mostly a wall, what lies behind it mostly dust, and behind the best level it is some six ticks from level to level. See
docs/fidelity.md.
"""

from collections.abc import Iterator

from botproof.events import Side

from .draw import mix, stir
from .scripts import PPB

LEVELS = 200

# By chance, in BTC x 10^-4: the best level, and any level behind it.
_BEST_SIZES = (
    *(1, 80, 860, 9_300, 20_000, 25_000, 27_000, 28_000, 29_000, 30_000, 31_000, 32_000, 33_000, 42_000, 54_000),
    90_000,  # beyond what was ever taken at once; walls of 14 BTC were captured
)
_SIZES = (1, 1, 1, 1, 1, 1, 2, 17, 45, 99, 147, 149, 695, 2_335, 6_183, 24_553)
_GAPS = (1, 1, 1, 1, 1, 2, 3, 5, 6, 7, 10, 10, 10, 11, 13, 19)  # ticks from one level to the next


def book_levels(seed: int, number: int, side: Side, best: int, ppb: int = PPB) -> Iterator[tuple[int, int]]:
    """The bids or asks of step `number` as (ticks, steps), from `best` ticks on; `ppb` is the part that they hold.

    A level of which less than one step is left is not there.
    """
    ticks, sizes, state = best, _BEST_SIZES, mix(seed, number, side.sign)
    for level in range(LEVELS):
        bits = stir(state, level)
        size = (sizes[bits & 15] + (bits >> 4 & 7)) * ppb // PPB
        if size:
            yield ticks, size
        ticks -= side.sign * _GAPS[bits >> 8 & 15]
        if ticks <= 0:
            return
        sizes = _SIZES
