"""Breaks C10: exits written with the side of their entries, so that the signed sizes never add up."""

from decimal import Decimal

from botproof.bots.reference import ReferenceBot
from botproof.ports import Fill


class WrongSide(ReferenceBot):
    """Confuses opening and closing."""

    name = "rogue wrong_side"

    def fill_row(self, fill: Fill, closed: Decimal) -> dict[str, str]:
        row = super().fill_row(fill, closed)
        return row | {"side": fill.side.opposite.value} if closed else row


create = WrongSide
