"""Breaks E9: cancels as often as it likes; a profile that refreshes every 5 s shows it."""

from botproof.bots.reference import ReferenceBot


class UncountedCancels(ReferenceBot):
    """Always finds room for one more cancel."""

    name = "rogue uncounted_cancels"

    def cancel_room(self) -> int:
        return self.profile.cancel_budget_per_min


create = UncountedCancels
