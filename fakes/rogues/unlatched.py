"""Breaks E13: forgets a hard stop at once and trades on."""

from botproof.bots.reference import ReferenceBot


class Unlatched(ReferenceBot):
    """Keeps no hard stop."""

    name = "rogue unlatched"

    def is_latched(self, _reason: str) -> bool:
        return False


create = Unlatched
