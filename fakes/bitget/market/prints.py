"""What strangers trade with one another at a step, as a pure function of (seed, step).

Numbers of trades, their sizes and how often both sides trade within one second are those of the trades of February and
March 2026 (docs/fidelity.md): several records share an instant, because one taker's order leaves one record for each
maker. A second in which the price moves has about nine times as many as one in which it stands.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from botproof.events import Side

from .draw import mix, stir

QUIET_STEPS_MAX = 10  # so long nobody trades, and no longer (gaps of 4 to 10 s were the longest in the data)

_LEAN_STEPS = 8  # so long one side leads while the price stands

# How many trades by chance: of a second in which the price stands, and of one in which it moves.
_STANDING = (0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 6, 13)
_MOVING = (2, 3, 5, 7, 8, 9, 10, 11, 12, 15, 19, 21, 26, 30, 37, 62)
# Sizes in BTC x 10^-4, each as likely as any other.
_SIZES = (
    *((1,) * 22),
    *(2, 3, 3, 3, 3, 3, 3, 4, 6, 7, 7, 7, 9, 11, 15, 20, 26, 28, 30, 35, 40, 42, 45, 60, 71, 86, 104, 131, 147, 150),
    *(206, 257, 315, 432, 570, 727, 996, 1_181, 1_702, 2_457, 3_730, 8_206),
)
_TRADE = 11  # what a draw is for


class Print(NamedTuple):
    """One trade of strangers: the taker's side, its size in steps, and 20 bits of chance."""

    side: Side
    steps: int
    bits: int


@lru_cache(maxsize=16)
def _of_trades(seed: int) -> int:
    return mix(seed, _TRADE)


def prints(seed: int, number: int, move: int) -> Iterator[Print]:
    """The trades of step `number`, newest first; `move` is how far the price came since the step before."""
    bits = stir(_of_trades(seed), number)
    count = (_MOVING if move else _STANDING)[bits & 15]
    if not count and number % QUIET_STEPS_MAX == 0:
        count = 1
    buys = move > 0 or (not move and stir(_of_trades(seed), ~(number // _LEAN_STEPS)) & 1 == 1)
    for place in range(count, 0, -1):
        chance = stir(bits, place)
        side = Side.BUY if buys is bool(chance & 7) else Side.SELL  # one in eight goes against the rest
        yield Print(side, _SIZES[chance >> 3 & 63], chance >> 44)
