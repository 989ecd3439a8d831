"""Breaks E3: entries of 0.0015 BTC, about 101 USDT, beyond the desk's cap of 100 USDT."""

from dataclasses import replace
from decimal import Decimal

from botproof.bots.quoting import Level, Quote
from botproof.bots.reference import ReferenceBot


class BeyondDeskCap(ReferenceBot):
    """Sends fifteen times its planned size, and asks neither margin nor any limit."""

    name = "rogue beyond_desk_cap"

    def quote(self, level: Level, mid: Decimal) -> Quote:
        return replace(super().quote(level, mid), size=Decimal("0.0015"))

    def why_not(self, quote: Quote, *, is_backed: bool) -> str:  # noqa: ARG002  whatever speaks against it
        return ""


create = BeyondDeskCap
