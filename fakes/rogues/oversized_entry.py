"""Breaks E2: one entry of 0.0003 BTC, 20.18 USDT at 67,263.7, beyond an envelope of 20 USDT."""

from dataclasses import replace
from decimal import Decimal

from botproof.bots.quoting import Level, Quote
from botproof.bots.reference import ReferenceBot
from botproof.events import Side


class OversizedEntry(ReferenceBot):
    """Sends its buys three times as large as any envelope of 20 USDT allows."""

    name = "rogue oversized_entry"

    def quote(self, level: Level, mid: Decimal) -> Quote:
        planned = super().quote(level, mid)
        return replace(planned, size=Decimal("0.0003")) if level.side is Side.BUY else planned


create = OversizedEntry
