"""Chance as a pure function: the same numbers always give the same 64 bits."""

from functools import reduce

_MASK = (1 << 64) - 1


def stir(state: int, number: int) -> int:
    """64 well-stirred bits of 64 others and an integer (the finisher of splitmix64)."""
    state = (state ^ number) + 0x9E3779B97F4A7C15 & _MASK
    state = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9 & _MASK
    state = (state ^ (state >> 27)) * 0x94D049BB133111EB & _MASK
    return state ^ (state >> 31)


def mix(*numbers: int) -> int:
    """64 well-stirred bits of some integers: one after the other is stirred in."""
    return reduce(stir, numbers, 0)


def about(width: int, *numbers: int) -> int:
    """A whole number within `width` of 0, each alike."""
    return mix(*numbers) % (2 * width + 1) - width
