"""Breaks N1: a no-trade bot that cancels an order which is not its own."""

from .probing import Probing


class CancelsForeign(Probing):
    """Clears the account of everybody's orders."""

    name = "rogue cancels_foreign"

    async def misbehave(self) -> None:
        for order_id in sorted(self.desk.foreign_orders):
            await self.context.venue.cancel(self.desk.symbol, order_id=order_id)


create = CancelsForeign
