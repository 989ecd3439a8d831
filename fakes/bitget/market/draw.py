"""Chance as a pure function: the same numbers always give the same 64 bits."""

_MASK = (1 << 64) - 1


def mix(*numbers: int) -> int:
    """64 well-stirred bits of some integers (the finisher of splitmix64, folded over them)."""
    state = 0
    for number in numbers:
        state = (state ^ number) + 0x9E3779B97F4A7C15 & _MASK
        state = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9 & _MASK
        state = (state ^ (state >> 27)) * 0x94D049BB133111EB & _MASK
        state ^= state >> 31
    return state
