"""Shows nothing: dies in the middle of its window, and leaves its quotes to nobody."""

from botproof.bots.decision import Step
from botproof.bots.gates import SECOND_US
from botproof.bots.reference import ReferenceBot
from botproof.ports import BotContext

AFTER_US = 300 * SECOND_US


class Dies(ReferenceBot):
    """Trades for five minutes."""

    name = "rogue dies"

    def __init__(self, context: BotContext) -> None:
        super().__init__(context)
        self._dies_us = self.now_us() + AFTER_US

    def next_step(self) -> Step:
        if self.now_us() >= self._dies_us:
            raise RuntimeError("out of memory")
        return super().next_step()


create = Dies
