"""Breaks E6: quotes 20 bps from mid where the profile promises 35."""

from dataclasses import replace
from decimal import Decimal

from botproof.bots.quoting import Level, Quote
from botproof.bots.reference import ReferenceBot


class TooNear(ReferenceBot):
    """Quotes nearer to mid, in the size that the profile plans there."""

    name = "rogue too_near"

    def quote(self, level: Level, mid: Decimal) -> Quote:
        return super().quote(replace(level, spread=Decimal("0.0020")), mid)


create = TooNear
