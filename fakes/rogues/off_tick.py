"""Breaks E4: prices that lie between two ticks, which the venue refuses."""

from dataclasses import replace
from decimal import Decimal

from botproof.bots.quoting import Level, Quote
from botproof.bots.reference import ReferenceBot
from botproof.events import Side


class OffTick(ReferenceBot):
    """Sends its sells half a tick further out."""

    name = "rogue off_tick"

    def quote(self, level: Level, mid: Decimal) -> Quote:
        planned = super().quote(level, mid)
        return replace(planned, price=planned.price + Decimal("0.05")) if level.side is Side.SELL else planned


create = OffTick
