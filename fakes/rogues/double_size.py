"""Breaks E5: twice the planned size, and still inside the envelope, since it quotes one side only."""

from dataclasses import replace
from decimal import Decimal

from botproof.bots.quoting import Level, Quote
from botproof.bots.reference import ReferenceBot
from botproof.events import Side


class DoubleSize(ReferenceBot):
    """Puts both sides' money on the buys."""

    name = "rogue double_size"

    def levels(self) -> tuple[Level, ...]:
        return tuple(level for level in super().levels() if level.side is Side.BUY)

    def quote(self, level: Level, mid: Decimal) -> Quote:
        planned = super().quote(level, mid)
        return replace(planned, size=2 * planned.size)


create = DoubleSize
