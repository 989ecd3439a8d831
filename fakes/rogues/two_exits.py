"""Breaks E10: two exits for one position, each of its whole size."""

from decimal import Decimal

from botproof.bots.reference import ReferenceBot


class TwoExits(ReferenceBot):
    """Rests every take-profit twice."""

    name = "rogue two_exits"

    async def take_profit(self, size: Decimal) -> None:
        await super().take_profit(size)
        await super().take_profit(size)


create = TwoExits
