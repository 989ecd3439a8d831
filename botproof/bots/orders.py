"""The bot's own orders, each with what is known of its fate.

        sent ---ack---> working ---cancel---> canceling
         |                 |                      |
         |                 '------ venue: filled or canceled ------> done
         |--refused--> forgotten
         '--no answer--> unknown --look-up--> working, done, or absent

1. An order counts against the envelope from the moment it is sent until the venue says that it is filled or
   canceled. The answer to a cancel is only a promise to try, so `canceling` still counts.
2. A row of the venue may come before the answer to the request that caused it, twice, or late; `done` is final.
3. `filled` is what the order's own rows say, `booked` what its trades sum to. While the two differ a trade is still
   on its way, and nobody should trade on the position.
4. An order that the venue does not know of after an unanswered request is absent. A retry uses its client id again,
   so that a request which lands late after all cannot become a second order.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from botproof.events import OrderState, OrderType
from botproof.money import ZERO
from botproof.ports import Fill, Order, OrderRequest

LANDING_US = (
    35_000_000  # a request may land as late as the venue's tolerance of timestamps (30 s, documented), and a bit
)


class Purpose(StrEnum):
    """Why an order was sent."""

    ENTRY = "entry"
    TAKE_PROFIT = "take_profit"
    CLOSE = "close"  # market, reduce-only
    LEFTOVER = "leftover"  # of an earlier run of this instance: to be canceled


class Fate(StrEnum):
    SENT = "sent"
    UNKNOWN = "unknown"
    WORKING = "working"
    CANCELING = "canceling"
    DONE = "done"


@dataclass(slots=True, kw_only=True)
class OwnOrder:
    request: OrderRequest
    purpose: Purpose
    since_us: int  # when its fate last changed
    order_id: str = ""
    fate: Fate = Fate.SENT
    filled: Decimal = ZERO
    booked: Decimal = ZERO
    looked_up_us: int = 0
    is_doubted: bool = False  # the venue's list of open orders did not show it

    @property
    def client_id(self) -> str:
        return self.request.client_id

    @property
    def is_exit(self) -> bool:
        return self.purpose in (Purpose.TAKE_PROFIT, Purpose.CLOSE)

    @property
    def remaining(self) -> Decimal:
        return self.request.size - self.filled

    def turn(self, fate: Fate, now_us: int) -> None:
        """Give the order another fate."""
        self.is_doubted = False
        if fate is not self.fate:
            self.fate, self.since_us = fate, now_us


class OwnOrders:
    """Every order of this bot that is not over, and the names of those that are."""

    def __init__(self) -> None:
        self._orders: dict[str, OwnOrder] = {}  # by client id, in the order in which they were sent
        self._names: dict[str, str] = {}  # client id by order id, for trades that name no client id
        self._over: set[str] = set()  # client ids whose orders are done
        self._spare_ids: dict[bool, list[str]] = {True: [], False: []}  # client ids of absent exits, absent entries
        self.last_gone_us = 0

    def __iter__(self) -> Iterator[OwnOrder]:
        """The orders that still count, oldest first."""
        return (order for order in self._orders.values() if order.fate is not Fate.DONE)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def get(self, client_id: str) -> OwnOrder | None:
        return self._orders.get(client_id)

    @property
    def entries(self) -> list[OwnOrder]:
        """Orders that can increase exposure, leftovers included."""
        return [order for order in self if not order.is_exit]

    @property
    def exit(self) -> OwnOrder | None:
        """The one exit that counts, if any."""
        return next((order for order in self if order.is_exit), None)

    @property
    def unknown(self) -> list[OwnOrder]:
        return [order for order in self if order.fate is Fate.UNKNOWN]

    @property
    def owed_trades(self) -> list[OwnOrder]:
        """Orders that were filled further than the trades seen so far explain."""
        return [order for order in self._orders.values() if order.filled > order.booked]

    def name_of(self, order_id: str) -> str:
        """The client id of an order id; empty where the order is not known here."""
        return self._names.get(order_id, "")

    def is_over(self, client_id: str) -> bool:
        return client_id in self._over

    def take_spare_id(self, *, is_exit: bool) -> str:
        """The client id of an absent order of the same kind, to be used again; empty where there is none."""
        spare = self._spare_ids[is_exit]
        return spare.pop(0) if spare else ""

    def sent(self, request: OrderRequest, purpose: Purpose, now_us: int) -> OwnOrder:
        order = OwnOrder(request=request, purpose=purpose, since_us=now_us)
        self._orders[request.client_id] = order
        return order

    def listed(self, client_ids: Collection[str], before_us: int) -> None:
        """The venue listed its open orders: what has worked since before `before_us` and is not there is doubted."""
        for order in self:
            if order.fate is Fate.WORKING and order.since_us < before_us and order.client_id not in client_ids:
                order.is_doubted = True

    def adopt(self, row: Order, now_us: int) -> None:
        """Take an open order of an earlier run of this instance in; what it had filled by then is not this run's."""
        order = self.sent(_request_of(row), Purpose.LEFTOVER, now_us)
        order.filled = order.booked = row.filled
        self._name(order, row.order_id)
        order.turn(Fate.WORKING, now_us)

    def accepted(self, client_id: str, order_id: str, now_us: int) -> None:
        """The venue took the order."""
        order = self._orders.get(client_id)
        if order is None:
            self._names[order_id] = client_id  # its own rows came first, and it is over already
            return
        self._name(order, order_id)
        if order.fate is Fate.SENT:
            order.turn(Fate.WORKING, now_us)

    def refused(self, client_id: str) -> None:
        """The venue took no order."""
        self._orders.pop(client_id, None)

    def unanswered(self, client_id: str, now_us: int) -> None:
        """Nobody knows whether the venue took the order."""
        order = self._orders.get(client_id)
        if order is not None and order.fate is Fate.SENT:
            order.turn(Fate.UNKNOWN, now_us)

    def canceling(self, client_id: str, now_us: int) -> None:
        """A cancel goes out."""
        self._orders[client_id].turn(Fate.CANCELING, now_us)

    def absent(self, client_id: str, now_us: int) -> None:
        """The venue was asked and does not know the order.

        An exit is given up at once: its retry under the same client id cannot double it, and a position must not
        wait. An entry waits until its request cannot land any more. An order that was canceled and that neither a
        push nor an answer has spoken of for as long is over; what it may have traded shows in the position.
        """
        order = self._orders[client_id]
        if order.fate is Fate.UNKNOWN and (order.is_exit or now_us - order.since_us >= LANDING_US):
            del self._orders[client_id]
            self._spare_ids[order.is_exit].append(client_id)
        elif order.fate is Fate.CANCELING and now_us - order.since_us >= LANDING_US:
            order.turn(Fate.DONE, now_us)
            self._sweep(order, now_us)

    def seen(self, row: Order, now_us: int, *, asked: bool = False) -> bool:
        """Take a row of the venue in; returns whether the order went with it, canceled.

        A row that was `asked` for, long enough after a cancel, shows that the cancel did not take.
        """
        order = self._orders.get(row.client_id)
        if order is None or order.fate is Fate.DONE:
            return False
        self._name(order, row.order_id)
        _take_shape(order, row)
        order.filled = max(order.filled, row.filled)
        order.is_doubted = False
        if not row.state.is_open:
            order.turn(Fate.DONE, now_us)
            self._sweep(order, now_us)
            return row.state is OrderState.CANCELED
        if order.fate in (Fate.SENT, Fate.UNKNOWN) or (asked and order.fate is Fate.CANCELING):
            order.turn(Fate.WORKING, now_us)
        return False

    def trade(self, client_id: str, fill: Fill, now_us: int) -> None:
        """Book a trade on its order; the trade that completes it ends it."""
        order = self._orders.get(client_id)
        if order is None:
            return
        self._name(order, fill.order_id)
        order.booked += fill.size
        order.filled = max(order.filled, order.booked)
        if order.fate in (Fate.SENT, Fate.UNKNOWN):
            order.turn(Fate.WORKING, now_us)
        if order.booked >= order.request.size:
            order.turn(Fate.DONE, now_us)
        self._sweep(order, now_us)

    def _name(self, order: OwnOrder, order_id: str) -> None:
        order.order_id = order_id
        self._names[order_id] = order.client_id

    def _sweep(self, order: OwnOrder, now_us: int) -> None:
        """Forget an order that is done and whose trades are all here."""
        if order.fate is not Fate.DONE:
            return
        self.last_gone_us = now_us
        if order.filled == order.booked:
            self._over.add(order.client_id)
            self._orders.pop(order.client_id, None)


def _request_of(row: Order) -> OrderRequest:
    return OrderRequest(
        symbol=row.symbol,
        side=row.side,
        order_type=row.order_type,
        size=row.size,
        client_id=row.client_id,
        price=row.price,
        force=row.force,
        reduce_only=row.reduce_only,
    )


def _take_shape(order: OwnOrder, row: Order) -> None:
    """Believe the venue where the order under this client id is another than was last asked for.

    A reduce-only order may have been cut to the position, and a retried id may name the exit that was asked for first.
    """
    if (row.order_type, row.size) == (order.request.order_type, order.request.size):
        return
    order.request = _request_of(row)
    if order.is_exit:
        order.purpose = Purpose.CLOSE if row.order_type is OrderType.MARKET else Purpose.TAKE_PROFIT
