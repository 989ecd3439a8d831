"""Breaks E7: entries that the day's turnover has no room for."""

from decimal import Decimal

from botproof.bots.reference import ReferenceBot


class NoTurnoverCap(ReferenceBot):
    """Always finds room for one more entry."""

    name = "rogue no_turnover_cap"

    def turnover_room(self) -> Decimal:
        return self.profile.total_amount_quote


create = NoTurnoverCap
