"""Breaks C1: notionals in fills.csv that are not price x amount."""

from decimal import Decimal

from botproof.bots.reference import ReferenceBot
from botproof.money import plain
from botproof.ports import Fill


class WrongNotional(ReferenceBot):
    """Writes every notional a cent too high."""

    name = "rogue wrong_notional"

    def fill_row(self, fill: Fill, closed: Decimal) -> dict[str, str]:
        row = super().fill_row(fill, closed)
        return row | {"notional_quote": plain(fill.price * fill.size + Decimal("0.01"))}


create = WrongNotional
