"""The running funding rate of a synthetic market: a pure function of seed and minute, unless it is scripted.

The venue forms it from the mean premium P of the running interval: rate = P + (0.01 % - P, within +-0.05 %), within the
contract's cap (documented). While the premium stays within 0.04 % below and 0.06 % above, the rate is 0.01 % exactly.
In February and March 2026 the premium of Bitcoin was about -0.05 %, so the settled rates lay around zero, between
-0.015 % and the 0.01 % that they cannot exceed from below, and a rate told something of the two or three that followed
it: so it is here (docs/fidelity.md). Rates have six decimals (live).

The mean settles down as its interval goes on, so the rate is republished once a minute, a little less changed each
time. At the instant of a settlement the first rate of the next interval is published.
"""

from dataclasses import dataclass
from decimal import Decimal

from .draw import about

_MINUTE_US = 60_000_000
_PLACES = -6  # rates are counted in millionths
_INTEREST, _DAMPER = 100, 500  # 0.01 % and 0.05 %
_PREMIUM = -495  # of an interval: the middle, around which lies what its own draw and those of the ones before add
_PREMIUM_WIDTHS = (103, 52, 31)
_PARTS = 1_000  # of a width
_UNSETTLED = 60  # how far from its end the mean of an interval may begin
_INTERVAL, _PUBLICATION = 21, 22  # what a draw is for


@dataclass(frozen=True, slots=True)
class _Scripted:
    from_us: int
    rate: Decimal | None  # None: as drawn


class FundingRates:
    """The rates of one contract; `phase_us` displaces the minutes, so that no rate is published on a whole second."""

    def __init__(self, *, seed: int, interval_us: int, phase_us: int, cap: Decimal) -> None:
        self._seed, self._interval_us, self._phase_us, self._cap = seed, interval_us, phase_us, cap
        self._scripts: list[_Scripted] = []
        self._published: tuple[tuple[int, int], Decimal] | None = None  # the rate drawn last, and of which minute

    def script(self, *, from_us: int, rate: Decimal | None) -> None:
        """From `from_us` on the rate is `rate`, until the next script; None gives it back to chance.

        Raises ValueError where the contract's cap forbids it, or where scripts do not follow one another.
        """
        if rate is not None and not -self._cap <= rate <= self._cap:
            raise ValueError(f"a funding rate lies within +-{self._cap}; found {rate}")
        if self._scripts and from_us < self._scripts[-1].from_us:
            raise ValueError(f"scripts of the funding rate follow one another; found {from_us} after {self._scripts}")
        self._scripts.append(_Scripted(from_us, rate))

    def at(self, at_us: int) -> Decimal:
        """The rate as last published at or before `at_us`, as a fraction for one interval."""
        for script in reversed(self._scripts):
            if script.from_us <= at_us:
                return self._drawn(at_us) if script.rate is None else script.rate
        return self._drawn(at_us)

    def _drawn(self, at_us: int) -> Decimal:
        interval, since_us = divmod(at_us, self._interval_us)
        published = (since_us - self._phase_us) // _MINUTE_US + 1  # 0: at the settlement before
        if self._published is None or self._published[0] != (interval, published):
            self._published = (interval, published), self._draw(interval, published)
        return self._published[1]

    def _draw(self, interval: int, published: int) -> Decimal:
        left = self._interval_us // _MINUTE_US - published
        unsettled = about(_UNSETTLED, self._seed, interval, _PUBLICATION, published)
        drawn = [about(_PARTS, self._seed, interval - back, _INTERVAL) for back in range(len(_PREMIUM_WIDTHS))]
        premium = _PREMIUM + sum(width * part // _PARTS for width, part in zip(_PREMIUM_WIDTHS, drawn, strict=True))
        premium += unsettled * left * _MINUTE_US // self._interval_us
        rate = premium + max(-_DAMPER, min(_DAMPER, _INTEREST - premium))
        return max(-self._cap, min(self._cap, Decimal(rate).scaleb(_PLACES)))
