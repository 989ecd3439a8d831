"""Breaks E11: holds a position beyond the time limit."""

from botproof.bots.reference import ReferenceBot


class Overstays(ReferenceBot):
    """Closes for every reason but its time limit."""

    name = "rogue overstays"

    def why_close(self) -> str:
        why = super().why_close()
        return "" if why == "time_limit" else why


create = Overstays
