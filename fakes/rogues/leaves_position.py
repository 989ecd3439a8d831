"""Breaks E14: cancels its orders at the end and leaves the position open."""

from botproof.bots.decision import Close, Finish, Step
from botproof.bots.reference import ReferenceBot


class LeavesPosition(ReferenceBot):
    """Never flattens at the end."""

    name = "rogue leaves_position"

    def next_step(self) -> Step:
        step = super().next_step()
        return Finish() if isinstance(step, Close) and self.desk.stopping else step


create = LeavesPosition
