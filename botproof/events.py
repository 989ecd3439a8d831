"""The facts of a run: a closed union of frozen dataclasses.

A fact is something that happened, in the past tense. It carries

    seq         its place on the tape, given by the tape when it is written
    src         who says so (`Source`); the venue is believed first, the bot last
    t_venue_us  when it happened by the venue's clock, microseconds since the epoch, or None
    t_local_us  when the harness learned of it, microseconds since the epoch

Money is `Decimal` (USDT for prices and values, BTC for sizes); fees are positive when paid. A fact of a kind
that is not in this module cannot be written; `botproof.notation` puts facts onto lines.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar

SERVER_FAULT = 500  # HTTP: from here on the server failed


class Source(StrEnum):
    """Who states a fact."""

    RUN = "run"  # the harness: windows, stops, plans
    VENUE = "venue"  # the observer: the venue's own record, over a key of its own
    TAP = "tap"  # the signed transport handed to the bot: what it really sent and got
    BOT = "bot"  # the bot's own words and files: a third witness, never the judge
    FAKE_JOURNAL = "fake_journal"  # requests of a process bot, from the fake's journal
    FAULT = "fault"
    OPERATOR = "operator"


class Side(StrEnum):
    BUY = "buy"
    SELL = "sell"

    @property
    def sign(self) -> int:
        """+1 for buy, -1 for sell."""
        return 1 if self is Side.BUY else -1

    @property
    def opposite(self) -> "Side":
        return Side.SELL if self is Side.BUY else Side.BUY


class OrderType(StrEnum):
    LIMIT = "limit"
    MARKET = "market"


class OrderState(StrEnum):
    LIVE = "live"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELED = "canceled"

    @property
    def is_open(self) -> bool:
        return self in (OrderState.LIVE, OrderState.PARTIALLY_FILLED)


class Action(StrEnum):
    """What a request asks of the venue."""

    READ = "read"
    PLACE = "place"
    CANCEL = "cancel"
    SET_LEVERAGE = "set_leverage"
    SET_POSITION_MODE = "set_position_mode"
    SET_MARGIN_MODE = "set_margin_mode"
    OTHER = "other"  # a signed request of a kind not named here; it changes something unless it is a GET


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Something that happened."""

    seq: int = 0
    src: Source
    t_venue_us: int | None = None
    t_local_us: int

    kinds: ClassVar[dict[str, type["Fact"]]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super(Fact, cls).__init_subclass__(**kwargs)
        Fact.kinds[cls.__name__] = cls

    @property
    def kind(self) -> str:
        return type(self).__name__


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted(Fact):
    """A run began: what was judged, where, and by which rules."""

    run_id: str
    scenario: str
    profile_id: str
    profile_sha256: str
    terms_sha256: str
    bot: str
    bot_version: str
    venue: str
    clock: str
    seed: int
    symbol: str
    client_id_prefix: str
    window_s: int
    declared_position: Decimal  # signed, BTC; what the account may hold before the first order
    market: str = ""  # of the fake: synthetic, or the recording that is replayed; empty where nobody says


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractRead(Fact):
    """The contract's rules as the venue stated them."""

    symbol: str
    min_qty: Decimal
    qty_step: Decimal
    min_value_usdt: Decimal
    tick: Decimal
    maker_fee_rate: Decimal
    taker_fee_rate: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeRatesRead(Fact):
    """The account's own fee rates, as fractions of value; negative where the venue pays a rebate."""

    symbol: str
    maker_fee_rate: Decimal
    taker_fee_rate: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierToday(Fact):
    """What the account had done on the UTC day before the run began, from the venue's histories."""

    symbol: str
    fills: int
    traded_usdt: Decimal  # price x size of every fill of the symbol
    result_usdt: Decimal  # amounts and fees of the bills of trades and funding, signed: negative = lost


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsRead(Fact):
    """Position mode, margin mode and leverage were read back from the venue."""

    symbol: str
    position_mode: str  # one_way_mode | hedge_mode
    margin_mode: str  # crossed | isolated
    leverage: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeOrLeverageChanged(Fact):
    """A setting of the account was seen to differ from the reading before."""

    symbol: str
    setting: str  # position_mode | margin_mode | leverage
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BotStateChanged(Fact):
    """The bot entered a state, with every reason that holds."""

    state: str  # running | soft_pause | hard_stop
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestSent(Fact):
    """The bot sent a signed request, parsed from its bytes."""

    request: int  # counter of the tap; ties the answer to it
    method: str
    path: str
    action: Action
    symbol: str = ""
    side: Side | None = None
    order_type: OrderType | None = None
    force: str = ""
    price: Decimal | None = None  # None on market orders
    size: Decimal | None = None
    reduce_only: bool = False
    client_id: str = ""
    order_id: str = ""

    @property
    def is_entry(self) -> bool:
        """An order that can increase exposure: placed without reduce-only."""
        return self.action is Action.PLACE and not self.reduce_only

    @property
    def is_exit(self) -> bool:
        return self.action is Action.PLACE and self.reduce_only

    @property
    def changes_something(self) -> bool:
        """Whether it asks for more than a reading; of an unnamed kind, anything that is not a GET."""
        if self.action is Action.OTHER:
            return self.method != "GET"
        return self.action is not Action.READ

    def value_usdt(self, mark: Decimal | None = None) -> Decimal | None:
        """Own price x size; a market order is valued at `mark`; None where either is missing."""
        price = self.price if self.price is not None else mark
        return None if price is None or self.size is None else price * self.size


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestAnswered(Fact):
    """The venue answered a request of the bot."""

    request: int
    http_status: int
    code: str
    message: str
    order_id: str = ""
    client_id: str = ""

    @property
    def accepted(self) -> bool:
        return self.code == "00000"

    @property
    def leaves_unknown(self) -> bool:
        """Whether a server that failed (HTTP 5xx) answered: it does not say what was done, so it refuses nothing."""
        return not self.accepted and self.http_status >= SERVER_FAULT


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestUnknown(Fact):
    """No answer came, or none that can be read: the request may or may not have taken effect."""

    request: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderSeen(Fact):
    """The venue showed an order in a state."""

    order_id: str
    client_id: str
    symbol: str
    side: Side
    order_type: OrderType
    force: str
    price: Decimal | None
    size: Decimal
    filled: Decimal
    state: OrderState
    reduce_only: bool
    via: str  # push | pending | history | detail

    @property
    def remaining(self) -> Decimal:
        return self.size - self.filled


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenOrdersRead(Fact):
    """The lists of open orders were read: plain and trigger order ids, all of the account's product type."""

    plain: tuple[str, ...]
    trigger: tuple[str, ...]
    purpose: str  # preflight | poll | closing


@dataclass(frozen=True, slots=True, kw_only=True)
class FillSeen(Fact):
    """The venue showed a fill; the trade id is its identity."""

    trade_id: str
    order_id: str
    client_id: str
    symbol: str
    side: Side
    price: Decimal
    size: Decimal
    fee_usdt: Decimal  # positive = paid
    is_maker: bool
    realized_usdt: Decimal
    via: str  # push | history


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionSeen(Fact):
    """The venue showed the net position; size is signed, zero when flat."""

    symbol: str
    size: Decimal
    entry_price: Decimal | None
    mark_price: Decimal | None
    via: str  # push | preflight | poll | closing


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceSeen(Fact):
    """The venue showed the account's money."""

    equity_usdt: Decimal
    available_usdt: Decimal
    unrealized_usdt: Decimal
    via: str  # push | preflight | poll | closing


@dataclass(frozen=True, slots=True, kw_only=True)
class BillSeen(Fact):
    """The venue showed a line of the account's bill; amount and fee carry the venue's sign."""

    bill_id: str
    symbol: str
    business_type: str
    amount: Decimal
    fee: Decimal
    balance: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class FundingSettled(Fact):
    """Funding was settled on a position; negative = paid."""

    symbol: str
    rate: Decimal | None
    amount_usdt: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class TopOfBook(Fact):
    """Best prices were delivered."""

    symbol: str
    bid: Decimal
    bid_size: Decimal
    ask: Decimal
    ask_size: Decimal
    last: Decimal | None = None
    mark: Decimal | None = None
    via: str  # depth | ticker | books1

    @property
    def mid(self) -> Decimal:
        return (self.bid + self.ask) / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionChanged(Fact):
    """A stream of the observer or the bot opened or closed."""

    who: str  # observer | bot
    channel: str  # public | private
    state: str  # open | closed
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BotSample(Fact):
    """A row of the bot's minute.csv, as text by column."""

    row: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class BotFill(Fact):
    """A row of the bot's fills.csv, as text by column."""

    row: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultArmed(Fact):
    """A fault was armed."""

    fault: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultFired(Fact):
    """An armed fault took effect."""

    fault: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorAction(Fact):
    """A person did something to the run."""

    action: str  # stop: cancel, flatten and stay stopped | resume: lift a hard stop
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BotRestarted(Fact):
    """The bot was killed in mid-run, without winding down, and started anew under `client_id_prefix`."""

    start: int  # 2 for the first restart
    client_id_prefix: str  # begins with the run's


@dataclass(frozen=True, slots=True, kw_only=True)
class StopStep(Fact):
    """A step of stopping the bot and closing the account was done."""

    step: str  # asked | stopped | killed | lists_read | flat
    outcome: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentOpened(Fact):
    """An incident of a named class began."""

    incident: str
    incident_class: str
    severity: str
    symptom: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentClosed(Fact):
    """An incident ended."""

    incident: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Covered(Fact):
    """All facts of `source` with a seq below this one are on the tape: `count` of them, chained to `digest`.

    The stretch from_us..to_us (microseconds) is what the source was asked about and has answered for in full.
    """

    source: Source
    from_us: int
    to_us: int
    count: int
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowOpened(Fact):
    """The bounded window opened; both ends are fixed in advance."""

    start_us: int
    end_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowClosed(Fact):
    """The bounded window closed."""

    start_us: int
    end_us: int
    reason: str  # ended | stopped


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnded(Fact):
    """The run is over; `complete` is false where it was cut short."""

    reason: str
    complete: bool
