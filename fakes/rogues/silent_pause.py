"""Breaks E15: pauses and stops without saying why."""

from botproof.bots.reference import ReferenceBot


class SilentPause(ReferenceBot):
    """Tells its state and keeps the reasons to itself."""

    name = "rogue silent_pause"

    def state(self) -> tuple[str, tuple[str, ...]]:
        state, _ = super().state()
        return state, ()


create = SilentPause
