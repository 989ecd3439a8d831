"""Breaks N1: a no-trade bot that tries to place an order and is refused; the attempt is the breach."""

from dataclasses import replace
from decimal import Decimal

from botproof.bots.quoting import Quote
from botproof.money import floor_to

from .probing import Probing

ABOVE = Decimal("0.20")  # beyond the venue's price band


class RefusedProbe(Probing):
    """Bids so far above the market that the venue takes no such order."""

    name = "rogue refused_probe"

    def probe(self) -> Quote:
        assert self.desk.contract is not None
        assert self.desk.ticker is not None
        price = floor_to(self.desk.contract.tick, self.desk.ticker.ask * (1 + ABOVE))
        return replace(super().probe(), price=price)


create = RefusedProbe
