"""The venue's books over a window, asked for over a key of the harness: what a venue record is made of.

    books = VenueBooks(venue, "BTCUSDT")
    await books.look()                      before the window opens, and now and then inside it
    record = await books.close(start_us, end_us, kind="live", key="...", since_us=..., known_orders=...)

`close` is for after the window. It reads the lists of open orders first and the orders that ended second, so that an
order which ends in between is in one of them; every history is read to its last page. A source that the venue refuses
is left out and named with the venue's own words, and the judge decides what that is worth.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from botproof.errors import Unanswered, VenueError
from botproof.notrade.record import (
    KnownOrder,
    ListReading,
    PastBill,
    PastFill,
    PastOrder,
    PositionReading,
    SettingsReading,
    Source,
    VenueRecord,
)
from botproof.ports import Bill, Fill, Order, Venue

_Ask = Callable[[int, int], Awaitable[Sequence[Any]]]


@dataclass
class _Readings:
    """What was read at an instant of the venue's clock."""

    open_orders: list[ListReading] = field(default_factory=list)
    trigger_orders: list[ListReading] = field(default_factory=list)
    positions: list[PositionReading] = field(default_factory=list)
    settings: list[SettingsReading] = field(default_factory=list)


class VenueBooks:
    """Reads one account for one symbol. Times are the venue's, microseconds since the epoch."""

    def __init__(self, venue: Venue, symbol: str) -> None:
        self._venue, self._symbol = venue, symbol
        self._readings = _Readings()
        self._missing: dict[str, str] = {}
        self._first_us: int | None = None

    async def look(self) -> bool:
        """Read both lists of open orders, positions and settings; whether nothing rests."""
        orders = await self._read("open_orders", self._venue.open_orders)
        triggers = await self._read("trigger_orders", self._venue.open_trigger_order_ids)
        positions = await self._read("positions", self._venue.positions)
        account = await self._read("settings", lambda: self._venue.account(self._symbol))
        now_us = await self._now_us()
        self._first_us = self._first_us or now_us
        readings = self._readings
        if orders is not None:
            readings.open_orders.append(ListReading(at_us=now_us, ids=tuple(order.order_id for order in orders)))
        if triggers is not None:
            readings.trigger_orders.append(ListReading(at_us=now_us, ids=tuple(triggers)))
        if positions is not None:
            sizes = {self._symbol: Decimal(0)} | {position.symbol: position.size for position in positions}
            readings.positions += [
                PositionReading(at_us=now_us, symbol=symbol, size=size) for symbol, size in sizes.items()
            ]
        if account is not None:
            readings.settings.append(
                SettingsReading(
                    at_us=now_us,
                    position_mode=account.position_mode,
                    margin_mode=account.margin_mode,
                    leverage=str(account.leverage),
                )
            )
        return not orders and not triggers

    async def close(
        self,
        start_us: int,
        end_us: int,
        *,
        kind: str,
        key: str,
        since_us: int,
        known_orders: Sequence[KnownOrder] = (),
    ) -> VenueRecord:
        """The record of the window. Histories are asked for from `since_us` on, the start of the closure.

        `kind` is fake, rehearsal, demo or live; `key` names the API key without telling it (a digest of it).
        """
        await self.look()
        since_ms, now_us = since_us // 1000, await self._now_us()
        histories: dict[str, tuple[str, _Ask, Callable[[Any], Any]]] = {
            "orders": ("orders-history", self._venue.order_history, _order),
            "fills": ("order/fills", self._venue.fills, _fill),
            "bills": ("account/bill", self._venue.bills, _bill),
        }
        sources: dict[str, Source[Any] | None] = {}
        for name, (via, ask, row) in histories.items():
            sources[name] = await self._history(name, via, ask, row, (since_ms, now_us // 1000))
        user_id = await self._read("account", self._venue.key_info)
        from_us = now_us if self._first_us is None else self._first_us

        def listed(name: str, via: str) -> Source[Any] | None:
            rows = tuple(getattr(self._readings, name))
            if name in self._missing or not rows:
                return None
            return Source(from_us=from_us, to_us=now_us, read_us=now_us, via=via, rows=rows)

        return VenueRecord(
            venue=kind,
            account=user_id.user_id if user_id else "",
            key=key,
            symbol=self._symbol,
            start_us=start_us,
            end_us=end_us,
            **sources,  # type: ignore[arg-type]  # by the names of the record's own fields
            open_orders=listed("open_orders", "orders-pending"),
            trigger_orders=listed("trigger_orders", "orders-plan-pending"),
            positions=listed("positions", "all-position"),
            settings=listed("settings", "account/account"),
            known_orders=tuple(known_orders),
            missing={**self._missing, "requests": "the venue does not tell what it was asked"},
        )

    async def _history(
        self,
        name: str,
        via: str,
        ask: _Ask,
        row: Callable[[Any], Any],
        stretch_ms: tuple[int, int],
    ) -> Source[Any] | None:
        found = await self._read(name, lambda: ask(*stretch_ms))
        if found is None:
            return None
        read_us = await self._now_us()
        since_us, to_us = (at_ms * 1000 for at_ms in stretch_ms)
        return Source(from_us=since_us, to_us=to_us, read_us=read_us, via=via, rows=tuple(map(row, found)))

    async def _read(self, name: str, ask: Callable[[], Awaitable[Any]]) -> Any:
        """What the venue says; None where it refuses or does not answer, and the record will name that."""
        try:
            return await ask()
        except (VenueError, Unanswered) as error:
            self._missing[name] = str(error)
            return None

    async def _now_us(self) -> int:
        return await self._venue.server_time_ms() * 1000


def _order(order: Order) -> PastOrder:
    return PastOrder(
        order_id=order.order_id,
        client_id=order.client_id,
        symbol=order.symbol,
        side=order.side.value,
        size=order.size,
        filled=order.filled,
        state=order.state.value,
        created_us=order.created_ms * 1000,
        updated_us=order.updated_ms * 1000,
    )


def _fill(fill: Fill) -> PastFill:
    return PastFill(
        trade_id=fill.trade_id,
        order_id=fill.order_id,
        symbol=fill.symbol,
        side=fill.side.value,
        price=fill.price,
        size=fill.size,
        at_us=fill.t_ms * 1000,
    )


def _bill(bill: Bill) -> PastBill:
    return PastBill(
        bill_id=bill.bill_id,
        symbol=bill.symbol,
        business_type=bill.business_type,
        amount=bill.amount,
        fee=bill.fee,
        at_us=bill.t_ms * 1000,
    )
