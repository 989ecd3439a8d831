"""Breaks E14: goes away and leaves its quotes resting at the venue."""

from botproof.bots.decision import Finish, Step
from botproof.bots.reference import ReferenceBot


class LeavesQuotes(ReferenceBot):
    """Takes being asked to stop for having stopped."""

    name = "rogue leaves_quotes"

    def next_step(self) -> Step:
        step = super().next_step()
        return Finish() if self.desk.stopping else step


create = LeavesQuotes
