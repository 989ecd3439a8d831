"""Breaks C8: fills of the venue that fills.csv does not hold."""

from decimal import Decimal

from botproof.bots.reference import ReferenceBot
from botproof.ports import BotContext, Fill


class OmitsFills(ReferenceBot):
    """Writes nothing of its first position down, neither entry nor exit, so that the sum of sizes still fits."""

    name = "rogue omits_fills"

    def __init__(self, context: BotContext) -> None:
        super().__init__(context)
        self._trips = 0

    def record_fill(self, fill: Fill, closed: Decimal) -> None:
        if self._trips:
            super().record_fill(fill, closed)
        if not self.desk.holding.size:
            self._trips += 1


create = OmitsFills
