"""What a bot, a venue and a sink must offer: protocols, and the values that cross them.

The venue handed to a bot or to the observer speaks for one API key. Its calls raise `VenueError` where the
venue refuses and `Unanswered` where nobody knows whether the call took effect. Values are in the trade's units:
prices USDT, sizes BTC, times integer milliseconds of the venue's clock; fees are positive when paid, positions
are signed.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol, runtime_checkable

from botproof.clock import Clock
from botproof.events import Fact, OrderState, OrderType, Side
from botproof.profile import Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """A row of the contract list."""

    symbol: str
    min_qty: Decimal
    qty_step: Decimal
    min_value_usdt: Decimal
    tick: Decimal
    maker_fee_rate: Decimal
    taker_fee_rate: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeRates:
    """What this account pays, fractions of value; negative = a rebate (`common/trade-rate`)."""

    maker: Decimal
    taker: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticker:
    symbol: str
    bid: Decimal
    bid_size: Decimal
    ask: Decimal
    ask_size: Decimal
    last: Decimal
    mark: Decimal | None
    index: Decimal | None
    funding_rate: Decimal | None
    t_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Depth:
    """Levels as (price, size): bids descending, asks ascending; either may be empty."""

    symbol: str
    bids: tuple[tuple[Decimal, Decimal], ...]
    asks: tuple[tuple[Decimal, Decimal], ...]
    t_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolPrice:
    last: Decimal
    mark: Decimal
    index: Decimal
    t_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountState:
    """The account as one symbol sees it (`account/account`)."""

    symbol: str
    position_mode: str  # one_way_mode | hedge_mode
    margin_mode: str  # crossed | isolated
    leverage: int
    equity_usdt: Decimal
    available_usdt: Decimal
    unrealized_usdt: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """The net position of a symbol; size signed."""

    symbol: str
    size: Decimal
    entry_price: Decimal
    mark_price: Decimal | None
    leverage: int
    margin_mode: str
    t_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRequest:
    """An order to place; `price` is None on a market order."""

    symbol: str
    side: Side
    order_type: OrderType
    size: Decimal
    client_id: str
    price: Decimal | None = None
    force: str = "gtc"  # gtc | ioc | fok | post_only
    reduce_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderAck:
    """The venue took a request: that an order exists, or that a cancel will be tried, and no more."""

    order_id: str
    client_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    order_id: str
    client_id: str
    symbol: str
    side: Side
    order_type: OrderType
    force: str
    price: Decimal | None
    size: Decimal
    filled: Decimal
    average_price: Decimal | None
    state: OrderState
    reduce_only: bool
    created_ms: int
    updated_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    trade_id: str
    order_id: str
    client_id: str  # empty where the endpoint does not name it
    symbol: str
    side: Side
    price: Decimal
    size: Decimal
    fee_usdt: Decimal
    is_maker: bool
    realized_usdt: Decimal
    t_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    bill_id: str
    symbol: str
    business_type: str
    amount: Decimal  # the venue's sign
    fee: Decimal  # the venue's sign: negative = paid
    balance: Decimal
    t_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyInfo:
    """Who the key belongs to and what it may do."""

    user_id: str
    authorities: tuple[str, ...]


# What a stream delivers, in the order in which it came.


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamOpened:
    """Connected, logged in where the stream is private, and every subscription acknowledged."""

    private: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamClosed:
    """The connection is gone; the stream dials again by itself, and `StreamOpened` tells when it is back."""

    private: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TickerPush:
    ticker: Ticker


@dataclass(frozen=True, slots=True, kw_only=True)
class BookPush:
    """Best level of each side (`books1`); a side may be empty."""

    depth: Depth


@dataclass(frozen=True, slots=True, kw_only=True)
class TradePush:
    symbol: str
    side: Side  # of the taker
    price: Decimal
    size: Decimal
    trade_id: str
    t_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPush:
    """A row of the `orders` channel; `fill` where the row reports one."""

    order: Order
    fill: Fill | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FillPush:
    fill: Fill


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionsPush:
    """The complete list of open positions: what is missing is flat."""

    positions: tuple[Position, ...]
    t_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountPush:
    equity_usdt: Decimal
    available_usdt: Decimal
    unrealized_usdt: Decimal
    t_ms: int


Push = (
    StreamOpened | StreamClosed | TickerPush | BookPush | TradePush | OrderPush | FillPush | PositionsPush | AccountPush
)


class Venue(Protocol):
    """One API key's view of Bitget USDT perpetuals."""

    async def server_time_ms(self) -> int: ...
    async def contract(self, symbol: str) -> Contract: ...
    async def ticker(self, symbol: str) -> Ticker: ...
    async def depth(self, symbol: str, limit: int = 5) -> Depth: ...
    async def symbol_price(self, symbol: str) -> SymbolPrice: ...
    async def key_info(self) -> KeyInfo: ...

    async def account(self, symbol: str) -> AccountState: ...
    async def fee_rates(self, symbol: str) -> FeeRates: ...
    async def positions(self) -> tuple[Position, ...]: ...
    async def set_leverage(self, symbol: str, leverage: int) -> None: ...
    async def set_position_mode(self, mode: str) -> None: ...
    async def set_margin_mode(self, symbol: str, mode: str) -> None: ...

    async def place(self, order: OrderRequest) -> OrderAck: ...
    async def cancel(self, symbol: str, *, order_id: str = "", client_id: str = "") -> OrderAck: ...
    async def order(self, symbol: str, *, order_id: str = "", client_id: str = "") -> Order: ...
    async def open_orders(self) -> tuple[Order, ...]: ...
    async def open_trigger_order_ids(self) -> tuple[str, ...]: ...
    async def order_history(self, start_ms: int, end_ms: int) -> tuple[Order, ...]: ...
    async def fills(self, start_ms: int, end_ms: int) -> tuple[Fill, ...]: ...
    async def bills(self, start_ms: int, end_ms: int) -> tuple[Bill, ...]: ...

    async def request(self, method: str, path: str, params: Mapping[str, str]) -> Any:
        """Any other signed call: query parameters of a GET, body of a POST; the envelope's `data`."""
        ...

    def public_stream(self, symbol: str, channels: Sequence[str]) -> AsyncIterator[Push]:
        """Channels out of ticker, books1, trade. Dials again for ever; ends when the iterator is closed."""
        ...

    def private_stream(self) -> AsyncIterator[Push]:
        """orders, fill, positions, account. Dials again for ever; ends when the iterator is closed."""
        ...

    async def close(self) -> None: ...


class Evidence(Protocol):
    """Where a bot leaves its own record; the harness writes the files and puts the rows on the tape."""

    def minute(self, row: Mapping[str, str]) -> None:
        """A row of minute.csv by column name."""
        ...

    def fill(self, row: Mapping[str, str]) -> None:
        """A row of fills.csv by column name."""
        ...

    def state(self, state: str, reasons: Sequence[str]) -> None:
        """The bot is now in `state` (running, soft_pause, hard_stop) because of `reasons`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class BotContext:
    """All that a bot is given."""

    profile: Profile
    venue: Venue
    clock: Clock
    evidence: Evidence
    symbol: str  # BTCUSDT
    client_id_prefix: str  # every client id starts with it: `<instance>-<run part>-`, after a restart one longer
    run_id: str
    run_prefix: str = ""  # how every client id of the run begins; what an earlier start of this run placed bears it too
    recorded_trades: frozenset[str] = frozenset()  # trade ids that fills.csv of this run holds already
    was_stopped: bool = False  # whether an earlier start of this run said `hard_stop` last


class Bot(Protocol):
    """A trading bot in this process.

    `run` trades until `stop` has been called and everything is wound down, then returns; an exception that leaves
    it is a crash of the bot and is reported as one. `stop` asks for the orderly end (cancel, then flatten by
    reduce-only market orders) and returns at once.

    A bot that an operator can stop and release offers `operate(action)` as well (`Operated`).
    """

    name: str
    version: str

    async def run(self) -> None: ...
    def stop(self) -> None: ...


@runtime_checkable
class Operated(Protocol):
    """A bot with a switch for its operator."""

    def operate(self, action: str) -> None:
        """`stop`: cancel, flatten, stay in hard_stop (reason `operator`). `resume`: lift whatever hard stop holds."""
        ...


class BotFactory(Protocol):
    """What `--bot python:module:factory` names."""

    def __call__(self, context: BotContext) -> Bot: ...


class Sink(Protocol):
    """Where facts go: the tape gives the sequence number and returns the fact as written."""

    def write(self, fact: Fact) -> Fact: ...
