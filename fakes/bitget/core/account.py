"""An account's books: wallet, positions, fills, bills.

The wallet changes by transfers, realised profit, fees and funding, and by nothing else. The average entry price is
weighted by size and is not changed by partial closes (inferred); it is kept at 12 decimals, so that every product with
a size stays exact within the 28 digits that `Decimal` carries, and `wallet = transfers + realised - fees + funding`
holds to the last digit.
"""

from dataclasses import dataclass, field
from decimal import Decimal

from botproof.events import Side
from botproof.money import ZERO

from .contract import ContractRules, FeeRates, rounded
from .messages import BillView, FillView
from .orders import ONE_WAY

_ENTRY_PLACES = 12


@dataclass(slots=True, kw_only=True)
class Position:
    """One open leg; `steps` signed, prices and money in USDT."""

    position_id: str
    leg: str
    steps: int
    entry_price: Decimal
    realized: Decimal = ZERO
    fees: Decimal = ZERO  # positive = paid, not cut
    funding: Decimal | None = None  # the venue's sign: negative = paid; None until the first settlement
    created_us: int
    updated_us: int

    def size(self, rules: ContractRules) -> Decimal:
        return rules.size(self.steps)

    def increase(self, steps: int, price: Decimal) -> None:
        """Add `steps` (signed, same direction) at `price`: the entry price is the average weighted by size."""
        total = self.steps + steps
        average = (self.entry_price * self.steps + price * steps) / total
        self.entry_price, self.steps = rounded(_ENTRY_PLACES, average), total

    def reduce(self, steps: int, price: Decimal, rules: ContractRules) -> Decimal:
        """Take `steps` (signed, opposite direction) off at `price`; the profit realised, without fees."""
        profit = (price - self.entry_price) * rules.size(-steps)
        self.steps += steps
        self.realized += profit
        return profit

    def settle(self, amount: Decimal, at_us: int) -> None:
        """Funding came in (positive) or went out; the instant counts as a change of the position (inferred)."""
        self.funding = (self.funding or ZERO) + amount
        self.updated_us = at_us


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """One side of a match, as the books need it."""

    trade_id: str
    leg: str
    steps: int  # signed
    price: Decimal
    fee_rate: Decimal
    is_maker: bool
    at_us: int


@dataclass(slots=True, kw_only=True)
class Account:
    """One customer: settings, wallet, open positions by leg, and the record of what happened."""

    name: str
    rates: FeeRates
    wallet: Decimal = ZERO
    leverage: int
    position_mode: str = ONE_WAY
    margin_mode: str = "crossed"
    positions: dict[str, Position] = field(default_factory=dict)
    fills: list[FillView] = field(default_factory=list)  # oldest first
    bills: list[BillView] = field(default_factory=list)  # oldest first

    def held(self, leg: str) -> int:
        """The signed size of a leg in steps, 0 when flat."""
        position = self.positions.get(leg)
        return position.steps if position else 0

    def closable(self, leg: str, direction: Side) -> int:
        """How many steps an order of `direction` can take off the leg's position."""
        return max(0, -direction.sign * self.held(leg))

    def trade(self, trade: Trade, rules: ContractRules) -> Decimal:
        """Move the position of a leg by one trade, through zero if need be; the profit realised, without fees."""
        against = self.held(trade.leg) * trade.steps < 0
        closing = min(abs(trade.steps), abs(self.held(trade.leg))) if against else 0
        opening = abs(trade.steps) - closing
        sign = 1 if trade.steps > 0 else -1
        realized = self._close(trade, sign * closing, rules) if closing else ZERO
        if opening:
            self._open(trade, sign * opening, rules)
        return realized

    def _close(self, trade: Trade, steps: int, rules: ContractRules) -> Decimal:
        position = self.positions[trade.leg]
        realized = position.reduce(steps, trade.price, rules)
        _charge(position, steps, trade, rules)
        if not position.steps:
            del self.positions[trade.leg]
        return realized

    def _open(self, trade: Trade, steps: int, rules: ContractRules) -> None:
        position = self.positions.get(trade.leg)
        if position is None:
            position = Position(
                position_id=trade.trade_id,
                leg=trade.leg,
                steps=0,
                entry_price=trade.price,
                created_us=trade.at_us,
                updated_us=trade.at_us,
            )
            self.positions[trade.leg] = position
        position.increase(steps, trade.price)
        _charge(position, steps, trade, rules)


def _charge(position: Position, steps: int, trade: Trade, rules: ContractRules) -> None:
    position.fees += trade.price * rules.size(abs(steps)) * trade.fee_rate
    position.updated_us = trade.at_us
