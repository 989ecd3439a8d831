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
5. A cancel that failed (refused, or the venue was asked later and still had the order open) is tried again after 1 s,
   2 s, 4 s and so on up to 30 s: the order is watched for ever, and never showered. An exit is in the way of another
   exit, so its first retry comes at once and none later than 4 s.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from botproof.events import OrderState, OrderType, Side
from botproof.money import ZERO
from botproof.ports import Fill, Order, OrderRequest

_SECOND_US = 1_000_000
_CANCEL_AGAIN_US_MAX = 30 * _SECOND_US
_CANCEL_EXIT_AGAIN_US_MAX = 4 * _SECOND_US

LANDING_US = (
    35_000_000  # a request may land as late as the venue's tolerance of timestamps (30 s, documented), and a bit
)


class Purpose(StrEnum):
    """Why an order was sent."""

    ENTRY = "entry"
    TAKE_PROFIT = "take_profit"
    CLOSE = "close"  # market, reduce-only
    LEFTOVER = "leftover"  # an entry of an earlier start of this instance: to be canceled


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
    cancel_failures: int = 0
    cancel_after_us: int = 0

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

    def cancel_failed(self, now_us: int) -> None:
        """It works on; another cancel waits a while."""
        self.turn(Fate.WORKING, now_us)
        self.cancel_failures = min(self.cancel_failures + 1, 20)
        doubled_us = _SECOND_US << (self.cancel_failures - 1)
        wait_us = min(doubled_us, _CANCEL_AGAIN_US_MAX)
        if self.is_exit:
            wait_us = min(doubled_us // 2, _CANCEL_EXIT_AGAIN_US_MAX) if self.cancel_failures > 1 else 0
        self.cancel_after_us = now_us + wait_us


class OwnOrders:
    """Every order of this bot that is not over, and the names of those that are."""

    def __init__(self) -> None:
        self._orders: dict[str, OwnOrder] = {}  # by client id, in the order in which they were sent
        self._names: dict[str, str] = {}  # client id by order id, for trades that name no client id
        self._over: set[str] = set()  # client ids whose orders are done
        self._spare_ids: dict[bool, list[str]] = {True: [], False: []}  # client ids of absent exits, absent entries
        self.last_gone_us = 0
        self.failed_cancels = 0  # in a row: since an order last went, canceled

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

    @property
    def pending_usdt(self) -> Decimal:
        """What entries may still trade: own price x what is neither booked nor known never to be."""
        return sum((_pending(order) * (order.request.price or ZERO) for order in self._orders.values()), ZERO)

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
        """Take in an open order of an earlier start of this instance; what had filled by then is `explained` later."""
        order = self.sent(_request_of(row), _purpose_of(row), now_us)
        order.filled = order.booked = row.filled
        self._name(order, row.order_id)
        order.turn(Fate.WORKING, now_us)

    def expect(self, client_id: str, symbol: str, now_us: int) -> None:
        """An earlier start may have asked for an order of this name just before it died: its fate is unknown."""
        request = OrderRequest(
            symbol=symbol, side=Side.BUY, order_type=OrderType.LIMIT, size=ZERO, price=ZERO, client_id=client_id
        )
        self.sent(request, Purpose.LEFTOVER, now_us).turn(Fate.UNKNOWN, now_us)

    def explained(self, prefix: str, booked: Mapping[str, Decimal]) -> None:
        """Earlier trades under `prefix` are known now: how much of each order, by order id, they explain."""
        for order in self._orders.values():
            if order.client_id.startswith(prefix):
                order.booked = booked.get(order.order_id, ZERO)
                order.filled = max(order.filled, order.booked)

    def looked_up(self, client_id: str, now_us: int) -> None:
        """The venue is asked about the order now; not again for a while, whatever it answers."""
        if client_id in self._orders:
            self._orders[client_id].looked_up_us = now_us

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

    def cancel_refused(self, client_id: str, now_us: int) -> None:
        """The venue does not cancel the order."""
        order = self._orders.get(client_id)
        if order is not None and order.fate is Fate.CANCELING:
            self._cancel_failed(order, now_us)

    def forgive(self) -> None:
        """Forget failed cancels: the next one may go at once."""
        self.failed_cancels = 0
        for order in self._orders.values():
            order.cancel_failures = order.cancel_after_us = 0

    def absent(self, client_id: str, now_us: int) -> None:
        """The venue was asked and does not know the order.

        An exit is given up at once: its retry under the same client id cannot double it, and a position must not
        wait. An entry waits until its request cannot land any more. An order that was canceled and that neither a
        push nor an answer has spoken of for as long is over; what it may have traded shows in the position.
        """
        order = self._orders[client_id]
        if order.fate is Fate.UNKNOWN and (order.is_exit or now_us - order.since_us >= LANDING_US):
            del self._orders[client_id]
            if order.purpose is not Purpose.LEFTOVER:
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
            is_canceled = row.state is OrderState.CANCELED
            self.failed_cancels = 0 if is_canceled else self.failed_cancels
            return is_canceled
        if order.fate in (Fate.SENT, Fate.UNKNOWN):
            order.turn(Fate.WORKING, now_us)
        elif asked and order.fate is Fate.CANCELING:
            self._cancel_failed(order, now_us)
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
        if order.request.size and order.booked >= order.request.size:
            order.turn(Fate.DONE, now_us)
        self._sweep(order, now_us)

    def _cancel_failed(self, order: OwnOrder, now_us: int) -> None:
        order.cancel_failed(now_us)
        self.failed_cancels += 1

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
    if order.is_exit or order.purpose is Purpose.LEFTOVER:
        order.purpose = _purpose_of(row)


def _purpose_of(row: Order) -> Purpose:
    """What an order that was not sent by this start, or not in this shape, is for."""
    if not row.reduce_only:
        return Purpose.LEFTOVER
    return Purpose.CLOSE if row.order_type is OrderType.MARKET else Purpose.TAKE_PROFIT


def _pending(order: OwnOrder) -> Decimal:
    """The size of an entry that may still trade or has traded unbooked."""
    if order.is_exit:
        return ZERO
    return (order.filled if order.fate is Fate.DONE else order.request.size) - order.booked
