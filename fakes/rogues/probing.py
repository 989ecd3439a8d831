"""Breaks N1: a no-trade bot that places one order 5 % below the market and cancels it within a second."""

from decimal import Decimal

from botproof.bots.decision import Step, Wait
from botproof.bots.gates import SECOND_US
from botproof.bots.orders import Purpose
from botproof.bots.quoting import Quote
from botproof.bots.reference import ReferenceBot
from botproof.events import Side
from botproof.money import floor_to
from botproof.ports import BotContext

AFTER_US = 150 * SECOND_US  # late enough that the no-trade window is open
AWAY = Decimal("0.05")


class Probing(ReferenceBot):
    """Does one forbidden thing, once, and goes on as if nothing had been."""

    name = "rogue probing"

    def __init__(self, context: BotContext) -> None:
        super().__init__(context)
        self._due_us = self.now_us() + AFTER_US
        self._is_done = False

    async def act(self, step: Step) -> None:
        if isinstance(step, Wait) and not self._is_done and self.now_us() >= self._due_us:
            self._is_done = True
            await self.misbehave()
        else:
            await super().act(step)

    async def misbehave(self) -> None:
        """Place an order that cannot fill; the pause that it stands in makes the bot cancel it at once."""
        await self.execution.place(self.entry_order(self.probe()), Purpose.ENTRY)

    def probe(self) -> Quote:
        """A buy of one minimum quantity, far away."""
        assert self.desk.contract is not None
        assert self.desk.ticker is not None
        price = floor_to(self.desk.contract.tick, self.desk.ticker.bid * (1 - AWAY))
        return Quote(side=Side.BUY, price=price, size=self.desk.contract.min_qty, below_minimum="")


create = Probing
