"""Breaks nothing and shows nothing: E16 is NOT SHOWN, since it never quotes."""

from botproof.bots.quoting import Level
from botproof.bots.reference import ReferenceBot


class Idle(ReferenceBot):
    """Runs, reads, writes its rows, and has no level to quote."""

    name = "rogue idle"

    def levels(self) -> tuple[Level, ...]:
        return ()


create = Idle
