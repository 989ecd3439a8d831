"""Breaks E8: leverage 2 in the middle of the run, set while the account is flat and without orders."""

from botproof.bots.decision import BeginRound, Step
from botproof.bots.reference import ReferenceBot
from botproof.ports import BotContext


class LeverageChanger(ReferenceBot):
    """Changes the leverage before every round but the first."""

    name = "rogue leverage_changer"

    def __init__(self, context: BotContext) -> None:
        super().__init__(context)
        self._is_first_round = True

    async def act(self, step: Step) -> None:
        if isinstance(step, BeginRound):
            if not self._is_first_round:
                await self.context.venue.set_leverage(self.desk.symbol, 2)
            self._is_first_round = False
        await super().act(step)


create = LeverageChanger
