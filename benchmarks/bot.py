"""The bot of the micro-cap benchmark: the reference bot with the limits lifted that would end its day early.

Turnover and loss are reckoned as ever, at the same cost, and then not obeyed: what is measured is a bot that trades
from the first minute of a day to its last.
"""

from decimal import Decimal

from botproof.bots.reference import ReferenceBot
from botproof.ports import Bot, BotContext

LIFTED_USDT = Decimal(10**9)
LIFTED = frozenset({"turnover_hard", "daily_loss", "drawdown"})


def create(context: BotContext) -> Bot:
    """The factory."""
    return TirelessBot(context)


class TirelessBot(ReferenceBot):
    """Trades on whatever it has traded and lost; keeps every other promise."""

    name = "bench"

    def turnover_room(self) -> Decimal:
        super().turnover_room()
        return LIFTED_USDT

    def loss_room(self) -> Decimal:
        super().loss_room()
        return LIFTED_USDT

    def breaches(self) -> tuple[str, ...]:
        return tuple(reason for reason in super().breaches() if reason not in LIFTED)
