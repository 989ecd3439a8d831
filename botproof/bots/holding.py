"""The net position that this bot's own fills made, folded one trade at a time.

In one-way mode the venue nets: a fill against the position first closes, and what is left of it opens the other way.
The entry price is the size-weighted average of the opening fills; closing leaves it as it is. The clock of the time
limit starts with the fill that opened the position and starts anew where a fill turns it over.
"""

from dataclasses import dataclass
from decimal import Decimal

from botproof.events import Side
from botproof.money import ZERO, ceil_to, floor_to
from botproof.ports import Fill


@dataclass(slots=True)
class Holding:
    """Size is signed BTC, entry price USDT; `close_reason` latches why the position must go at once."""

    size: Decimal = ZERO
    entry_price: Decimal = ZERO
    opened_us: int = 0
    close_reason: str = ""  # stop_loss | time_limit | stopping | hard_stop

    @property
    def closing_side(self) -> Side:
        """The side of an order that closes the position."""
        return Side.SELL if self.size > 0 else Side.BUY

    def add(self, fill: Fill) -> Decimal:
        """Fold one trade in; returns how much of it closed (BTC, unsigned)."""
        before, change = self.size, fill.side.sign * fill.size
        closed = min(abs(before), fill.size) if before * change < 0 else ZERO
        self.size = before + change
        if closed < fill.size:
            self._open(fill, fill.size - closed)
        elif not self.size:
            self.entry_price, self.close_reason = ZERO, ""
        return closed

    def _open(self, fill: Fill, opened: Decimal) -> None:
        kept = abs(self.size) - opened  # zero where this fill opened the position, or turned it over
        self.entry_price = (self.entry_price * kept + fill.price * opened) / abs(self.size)
        if not kept:
            self.opened_us, self.close_reason = fill.t_ms * 1000, ""


def take_profit_price(holding: Holding, take_profit: Decimal, tick: Decimal) -> Decimal:
    """entry x (1 +/- take_profit), rounded away from the entry, so that the exit never earns less than promised."""
    if holding.size > 0:
        return ceil_to(tick, holding.entry_price * (1 + take_profit))
    return floor_to(tick, holding.entry_price * (1 - take_profit))


def stop_is_reached(holding: Holding, stop_loss: Decimal, bid: Decimal, ask: Decimal) -> bool:
    """Whether the price at which the position would close (bid of a long, ask of a short) is at or beyond the stop."""
    if holding.size > 0:
        return bid <= holding.entry_price * (1 - stop_loss)
    return holding.size < 0 and ask >= holding.entry_price * (1 + stop_loss)


def closable(own: Decimal, venue: Decimal, step: Decimal) -> Decimal:
    """How much of the own position an exit may close, signed: never more than the venue holds, never its other side.

    Less than one quantity step is dust and nothing to close.
    """
    if own * venue <= 0:
        return ZERO
    size = floor_to(step, min(abs(own), abs(venue)))
    return size if own > 0 else -size
