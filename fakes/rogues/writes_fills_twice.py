"""Breaks C8: each fill twice in fills.csv."""

from decimal import Decimal

from botproof.bots.reference import ReferenceBot
from botproof.ports import Fill


class WritesFillsTwice(ReferenceBot):
    """Stutters; over whole round trips the sum of sizes still fits."""

    name = "rogue writes_fills_twice"

    def record_fill(self, fill: Fill, closed: Decimal) -> None:
        super().record_fill(fill, closed)
        super().record_fill(fill, closed)


create = WritesFillsTwice
