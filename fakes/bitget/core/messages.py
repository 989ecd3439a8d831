"""What the exchange is told, and what it tells: commands in, views and outcomes out.

Commands and outcomes are plain values; the exchange neither reads a clock nor knows bytes. Sizes are BTC, prices
and money USDT, times integer microseconds since the epoch. Positions are signed. Fees carry the trade's sign:
positive = paid (the faces print the venue's negative).
"""

from dataclasses import dataclass
from decimal import Decimal

from botproof.events import OrderState, OrderType, Side


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceOrder:
    """Place an order. `reduce_only` counts in one-way mode, `trade_side` ("open", "close" or "") in hedge mode."""

    symbol: str
    side: Side
    order_type: OrderType
    size: Decimal
    price: Decimal | None = None
    force: str = "gtc"  # gtc | ioc | fok | post_only
    reduce_only: bool = False
    trade_side: str = ""
    client_id: str = ""  # empty: the exchange gives one
    margin_mode: str = "crossed"


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelOrder:
    """Cancel an order by either id; the order id wins where both are given."""

    symbol: str
    order_id: str = ""
    client_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetLeverage:
    symbol: str
    leverage: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPositionMode:
    mode: str  # one_way_mode | hedge_mode


@dataclass(frozen=True, slots=True, kw_only=True)
class SetMarginMode:
    symbol: str
    mode: str  # crossed | isolated


@dataclass(frozen=True, slots=True, kw_only=True)
class FillOrder:
    """A stranger takes a resting order at its own price, wherever the market stands: no client can ask for it."""

    symbol: str
    order_id: str
    size: Decimal | None = None  # None: all that is left of it


Command = PlaceOrder | CancelOrder | SetLeverage | SetPositionMode | SetMarginMode | FillOrder


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderView:
    """An order as it stands at `updated_us`."""

    account: str
    order_id: str
    client_id: str
    symbol: str
    side: Side
    order_type: OrderType
    force: str
    price: Decimal | None
    size: Decimal
    filled: Decimal
    filled_value: Decimal  # sum of price x size of its fills
    fee: Decimal
    realized: Decimal
    state: OrderState
    cancel_reason: str  # "" | normal_cancel | post_only_would_cross | ioc_rest | fok_unfillable | reduce_only_cut
    reduce_only: bool
    trade_side: str  # buy_single | sell_single | open | close
    position_mode: str
    margin_mode: str
    leverage: int
    created_us: int
    updated_us: int

    @property
    def average_price(self) -> Decimal | None:
        return self.filled_value / self.filled if self.filled else None


@dataclass(frozen=True, slots=True, kw_only=True)
class FillView:
    account: str
    trade_id: str
    order_id: str
    client_id: str
    symbol: str
    side: Side
    price: Decimal
    size: Decimal
    fee: Decimal
    is_maker: bool
    realized: Decimal
    trade_side: str
    position_mode: str
    at_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionView:
    """A net position; only open ones have a view. Derived money is at `mark`."""

    account: str
    position_id: str
    symbol: str
    size: Decimal  # signed
    locked: Decimal  # held by resting reduce-only orders, unsigned
    opening: Decimal  # unfilled size of opening orders, unsigned
    entry_price: Decimal
    mark: Decimal
    margin: Decimal
    unrealized: Decimal
    realized: Decimal
    liquidation_price: Decimal
    maintenance_rate: Decimal
    margin_ratio: Decimal
    break_even_price: Decimal
    fees: Decimal  # cumulative trading fees, positive = paid, not cut
    funding: Decimal | None  # cumulative, signed; None until the first settlement
    leverage: int
    margin_mode: str
    position_mode: str
    created_us: int
    updated_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountView:
    account: str
    wallet: Decimal
    equity: Decimal
    available: Decimal
    locked: Decimal  # order margin and fees held by resting entries
    unrealized: Decimal
    position_mode: str
    risk_rate: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class FundingView:
    """The funding of a contract: the running rate as last published, and when it is settled next."""

    rate: Decimal
    next_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """A past settlement and the rate that applied to it."""

    at_us: int
    rate: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsView:
    """Leverage and margin mode of one symbol, position mode of the account."""

    account: str
    symbol: str
    leverage: int
    margin_mode: str
    position_mode: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BillView:
    account: str
    bill_id: str
    symbol: str
    business_type: str  # buy | sell | contract_settle_fee | trans_from_exchange ...
    amount: Decimal  # the venue's sign
    fee: Decimal  # positive = paid
    balance: Decimal
    at_us: int


# Outcomes, in the order in which they happened; a private face pushes them in that order.


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The command had no effect: the venue's code and its text."""

    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderAccepted:
    order: OrderView


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFilled:
    """One trade; `order` as it stands after it."""

    order: OrderView
    fill: FillView


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCanceled:
    order: OrderView


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionChanged:
    """`position` is None when it was closed."""

    account: str
    symbol: str
    position: PositionView | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceChanged:
    balance: AccountView


@dataclass(frozen=True, slots=True, kw_only=True)
class BillAdded:
    bill: BillView


@dataclass(frozen=True, slots=True, kw_only=True)
class FundingPaid:
    """Funding was settled on one position of an account; what follows from it comes after."""

    account: str
    symbol: str
    size: Decimal  # signed
    mark: Decimal
    rate: Decimal
    amount: Decimal  # the venue's sign: negative = paid
    at_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsChanged:
    settings: SettingsView


Outcome = (
    Refused
    | OrderAccepted
    | OrderFilled
    | OrderCanceled
    | PositionChanged
    | BalanceChanged
    | BillAdded
    | FundingPaid
    | SettingsChanged
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """The market at an instant, from outside: `bids` and `asks` as (price, size), best first."""

    at_us: int
    bids: tuple[tuple[Decimal, Decimal], ...]
    asks: tuple[tuple[Decimal, Decimal], ...]
    last: Decimal
    mark: Decimal
    index: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketTrade:
    """A trade of the market (not of an account here)."""

    trade_id: str
    at_us: int
    price: Decimal
    size: Decimal
    side: Side  # of the taker
