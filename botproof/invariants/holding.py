"""The net position of a bot's own fills, with its entry price and its age."""

from dataclasses import dataclass
from decimal import Decimal

from botproof.events import Side
from botproof.invariants.ledger import Step
from botproof.money import ZERO


@dataclass(slots=True)
class Holding:
    """From the fill that opened a position to the one that closed it or turned it over.

    The entry price (USDT) is the average of the opening fills, weighted by size; closing leaves it as it is.
    """

    size: Decimal = ZERO  # signed, BTC
    entry: Decimal = ZERO
    opened_us: int = 0
    opened_seq: int = 0

    @property
    def closing_side(self) -> Side:
        return Side.SELL if self.size > 0 else Side.BUY

    def add(self, step: Step, price: Decimal, *, anew: bool) -> bool:
        """Fold one fill in; returns whether it opened a position (`anew` where only dust was left) or turned one."""
        change = step.change
        self.size += change
        opened = min(abs(change), abs(self.size))
        if self.size * change <= 0:
            return False  # it closed, and opened nothing
        kept = abs(self.size) - opened
        self.entry = (self.entry * kept + price * opened) / abs(self.size)
        if anew or not kept:
            self.opened_us, self.opened_seq = step.at_us, step.seq
        return anew or not kept

    def cut(self, size: Decimal) -> None:
        """Somebody else closed it down to `size` (BTC, unsigned)."""
        self.size = size if self.size > 0 else -size

    def stop_price(self, stop_loss: Decimal) -> Decimal:
        return self.entry * (1 - stop_loss if self.size > 0 else 1 + stop_loss)
