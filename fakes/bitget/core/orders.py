"""Orders as the exchange holds them, and the register of all of them.

An order acts on one **leg**: "net" in one-way mode, "long" or "short" in hedge mode. Its **direction** is what it does
to the signed position. In hedge mode that is not its side: closing a long is `side=buy, tradeSide=close` (documented)
and sells.
"""

from dataclasses import dataclass, field
from decimal import Decimal

from botproof.events import OrderState, Side
from botproof.money import ZERO

from .contract import ContractRules
from .messages import OrderView, PlaceOrder

NET, LONG, SHORT = "net", "long", "short"
ONE_WAY, HEDGE = "one_way_mode", "hedge_mode"


@dataclass(slots=True, kw_only=True)
class Order:
    """A working or finished order; prices in ticks, sizes in steps, money in USDT."""

    account: str
    order_id: str
    client_id: str
    number: int  # order of acceptance: time priority
    command: PlaceOrder
    leg: str
    direction: Side
    closing: bool  # may only reduce the position of its leg
    ticks: int | None  # None: at any price
    steps: int
    position_mode: str
    margin_mode: str
    leverage: int
    created_us: int
    updated_us: int
    ahead: int | None = None  # steps of strangers before it in the queue at its price; None: not seen yet
    filled: int = 0
    filled_value: Decimal = ZERO
    fee: Decimal = ZERO
    realized: Decimal = ZERO
    state: OrderState = OrderState.LIVE
    cancel_reason: str = ""
    _last_view: OrderView | None = field(default=None, repr=False)

    @property
    def remaining(self) -> int:
        return self.steps - self.filled

    @property
    def trade_side(self) -> str:
        """How the venue labels it: buy_single or sell_single in one-way mode, else open or close (documented)."""
        return f"{self.direction}_single" if self.leg == NET else self.command.trade_side

    def fill(self, steps: int, value: Decimal, fee: Decimal, realized: Decimal, at_us: int) -> None:
        """One trade of this order."""
        self.filled += steps
        self.filled_value += value
        self.fee += fee
        self.realized += realized
        self._enter(OrderState.PARTIALLY_FILLED if self.remaining else OrderState.FILLED, at_us)

    def cancel(self, reason: str, at_us: int) -> None:
        self.cancel_reason = reason
        self._enter(OrderState.CANCELED, at_us)

    def _enter(self, state: OrderState, at_us: int) -> None:
        self.state, self.updated_us, self._last_view = state, at_us, None

    def view(self, rules: ContractRules) -> OrderView:
        """The order as it stands; the same object until something about it changes."""
        if self._last_view is None:
            self._last_view = self._picture(rules)
        return self._last_view

    def _picture(self, rules: ContractRules) -> OrderView:
        command = self.command
        return OrderView(
            account=self.account,
            order_id=self.order_id,
            client_id=self.client_id,
            symbol=command.symbol,
            side=command.side,
            order_type=command.order_type,
            force="gtc" if self.ticks is None else command.force,  # as stored on market orders (captured)
            price=None if self.ticks is None else rules.price(self.ticks),
            size=rules.size(self.steps),
            filled=rules.size(self.filled),
            filled_value=self.filled_value,
            fee=self.fee,
            realized=self.realized,
            state=self.state,
            cancel_reason=self.cancel_reason,
            reduce_only=self.closing,
            trade_side=self.trade_side,
            position_mode=self.position_mode,
            margin_mode=self.margin_mode,
            leverage=self.leverage,
            created_us=self.created_us,
            updated_us=self.updated_us,
        )


class Orders:
    """Every order of every account, and which of them are resting."""

    def __init__(self) -> None:
        self._all: dict[str, list[Order]] = {}
        self._by_id: dict[tuple[str, str], Order] = {}
        self._by_client_id: dict[tuple[str, str], Order] = {}
        self._open: dict[str, Order] = {}
        self._extremes: tuple[int | None, int | None] | None = None  # None: to be found anew

    def add(self, order: Order) -> None:
        self._all.setdefault(order.account, []).append(order)
        self._by_id[order.account, order.order_id] = order
        self._by_client_id[order.account, order.client_id] = order
        self._open[order.order_id] = order
        self._extremes = None

    def close(self, order: Order) -> None:
        """Take a finished order out of the resting ones; it stays on record."""
        self._open.pop(order.order_id, None)
        self._extremes = None

    def find(self, account: str, order_id: str, client_id: str) -> Order | None:
        """The order by either id; the order id wins where both are given (documented)."""
        if order_id:
            return self._by_id.get((account, order_id))
        return self._by_client_id.get((account, client_id)) if client_id else None

    def of(self, account: str) -> list[Order]:
        """All orders of an account, oldest first."""
        return self._all.get(account, [])

    def open(self, account: str) -> list[Order]:
        """The resting orders of an account, oldest first."""
        return [order for order in self._open.values() if order.account == account]

    def closing(self, account: str, leg: str) -> list[Order]:
        """The resting orders that may only reduce `leg`, oldest first."""
        return [order for order in self.open(account) if order.closing and order.leg == leg]

    def resting(self, direction: Side) -> list[Order]:
        """The resting orders of one direction in price-time priority."""
        found = [order for order in self._open.values() if order.direction is direction]
        return sorted(found, key=lambda order: (-direction.sign * (order.ticks or 0), order.number))

    def extremes(self) -> tuple[int | None, int | None]:
        """The highest price of a resting buy and the lowest of a resting sell, in ticks."""
        if self._extremes is None:
            buys = [o.ticks for o in self._open.values() if o.direction is Side.BUY and o.ticks is not None]
            sells = [o.ticks for o in self._open.values() if o.direction is Side.SELL and o.ticks is not None]
            self._extremes = max(buys, default=None), min(sells, default=None)
        return self._extremes
