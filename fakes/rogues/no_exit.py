"""Breaks E10: a position without an exit, for as long as the run lasts."""

from botproof.bots.decision import Close, Step, TakeProfit, Wait
from botproof.bots.gates import SECOND_US
from botproof.bots.reference import ReferenceBot


class NoExit(ReferenceBot):
    """Sits on its positions until it is asked to stop."""

    name = "rogue no_exit"

    def next_step(self) -> Step:
        step = super().next_step()
        if isinstance(step, TakeProfit | Close) and not self.desk.stopping:
            return Wait(self.now_us() + SECOND_US)
        return step


create = NoExit
