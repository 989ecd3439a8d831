"""Breaks E18: trades on whatever the day has lost."""

from decimal import Decimal

from botproof.bots.reference import ReferenceBot


class NoLossLimit(ReferenceBot):
    """Knows neither a limit of loss nor one of drawdown."""

    name = "rogue no_loss_limit"

    def loss_room(self) -> Decimal:
        return self.profile.total_amount_quote

    def breaches(self) -> tuple[str, ...]:
        return ()


create = NoLossLimit
