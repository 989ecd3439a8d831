"""Breaks E11: holds on while the price runs beyond the stop."""

from botproof.bots.reference import ReferenceBot


class IgnoresStop(ReferenceBot):
    """Closes for every reason but its stop loss."""

    name = "rogue ignores_stop"

    def why_close(self) -> str:
        why = super().why_close()
        return "" if why == "stop_loss" else why


create = IgnoresStop
