"""Breaks E1: three quotes of planned size, 3 x 6.7 USDT, beyond an envelope of 20 USDT."""

from dataclasses import replace

from botproof.bots.quoting import Level
from botproof.bots.reference import ReferenceBot
from botproof.events import Side


class OneQuoteTooMany(ReferenceBot):
    """Quotes each buy level twice."""

    name = "rogue one_quote_too_many"

    def levels(self) -> tuple[Level, ...]:
        planned = super().levels()
        return planned + tuple(
            replace(level, number=level.number + len(planned)) for level in planned if level.side is Side.BUY
        )


create = OneQuoteTooMany
