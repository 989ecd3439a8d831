"""What a scenario scripts: moves of a price, and times in which the book is thin or gone. Times in microseconds."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from botproof.events import Side

PPB = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Move:
    """A scripted change of a price: down or up a ramp, along a hold, and back (None: it stays)."""

    from_us: int
    change_ppb: int
    over_us: int
    hold_us: int
    recover_us: int | None

    @classmethod
    def of(cls, from_us: int, change: Decimal, over_us: int, hold_us: int, recover_us: int | None) -> "Move":
        """A move by `change`, a fraction. Raises ValueError for a fall of 100 % or more, or for a negative time."""
        if change <= -1 or min(over_us, hold_us, recover_us or 0) < 0:
            raise ValueError(f"a scripted move falls by less than 100 % and lasts no less than 0; found {change}")
        return cls(from_us, int(change * PPB), over_us, hold_us, recover_us)

    def factor_ppb(self, at_us: int) -> int:
        """What the price is multiplied by, in parts per billion."""
        since = at_us - self.from_us
        if since < 0:
            return PPB
        if since < self.over_us:
            return PPB + self.change_ppb * since // self.over_us
        back = since - self.over_us - self.hold_us
        if self.recover_us is None or back <= 0:
            return PPB + self.change_ppb
        return PPB + self.change_ppb * (self.recover_us - back) // self.recover_us if back < self.recover_us else PPB

    def is_even(self, begin_us: int, end_us: int) -> bool:
        """Whether the factor is one and the same from `begin_us` to `end_us`."""
        top_us = self.from_us + self.over_us
        if end_us < self.from_us:
            return True
        if self.recover_us is None:
            return begin_us >= top_us
        falls_us = top_us + self.hold_us
        return begin_us >= falls_us + self.recover_us or top_us <= begin_us <= end_us <= falls_us


@dataclass(frozen=True, slots=True)
class Shade:
    """From `from_us` on and before `until_us` the book of `side` (None: of both) holds a part of its size only.

    At 0 ppb the side is empty, and nobody trades against it.
    """

    from_us: int
    until_us: int
    ppb: int
    side: Side | None

    @classmethod
    def of(cls, from_us: int, until_us: int, share: Decimal, side: Side | None) -> "Shade":
        """A book of `share` (a fraction of what it would hold). Raises ValueError below 0, above 1, or for no time."""
        if not 0 <= share <= 1:
            raise ValueError(f"a scripted book holds between 0 and 100 % of its size; found {share}")
        if until_us <= from_us:
            raise ValueError(f"a scripted book ends after it begins at {from_us}; found {until_us}")
        return cls(from_us, until_us, int(share * PPB), side)

    def covers(self, at_us: int, side: Side) -> bool:
        return self.from_us <= at_us < self.until_us and self.side in (None, side)

    def overlaps(self, begin_us: int, end_us: int) -> bool:
        return self.from_us <= end_us and begin_us < self.until_us


def share_ppb(shades: Iterable[Shade], at_us: int, side: Side) -> int:
    """What part of its size a side holds; shades multiply."""
    ppb = PPB
    for shade in shades:
        if shade.covers(at_us, side):
            ppb = ppb * shade.ppb // PPB
    return ppb
