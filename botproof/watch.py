"""The observer: the venue's own record, read over a key of its own.

It survives what the bot must survive. Pushes tell at once; a poll every `POLL_S` tells what pushes may have missed;
the closing reconciliation reads orders, fills and bills over the whole run to the last page, writes down what was
never pushed, and only then may the run say that the venue's record is covered.

1. A fill reaches the tape once, by its trade id, whichever channel brought it.
2. An order reaches the tape when it is first seen and whenever state or filled size moved on; a late report of an
   older state is not written.
3. A position that is missing from a list of positions is flat, and is written as size zero.
4. Nothing is inferred: every fact is something the venue said.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from decimal import Decimal

from botproof.clock import Clock
from botproof.errors import HarnessError, Unanswered, VenueError
from botproof.events import (
    BalanceSeen,
    BillSeen,
    ConnectionChanged,
    ContractRead,
    FillSeen,
    ModeOrLeverageChanged,
    OpenOrdersRead,
    OrderSeen,
    PositionSeen,
    SettingsRead,
    Source,
    TopOfBook,
)
from botproof.money import ZERO
from botproof.ports import (
    AccountPush,
    AccountState,
    Fill,
    FillPush,
    Order,
    OrderPush,
    Position,
    PositionsPush,
    Push,
    Sink,
    StreamClosed,
    StreamOpened,
    Ticker,
    TickerPush,
    Venue,
)

POLL_S = 30  # pushes tell at once; polls are there for what pushes miss, and need not be dense
LISTS_APART_S = 5  # two readings of the lists of open orders, so that an order in flight shows in one of them
SETTLE_S = 2  # pushes in flight when the bot has stopped
DAY_MS = 86_400_000


class Observer:
    """Writes the venue's record of one account and one symbol to the tape."""

    def __init__(self, venue: Venue, sink: Sink, clock: Clock, symbol: str) -> None:
        self._venue, self._sink, self._clock, self._symbol = venue, sink, clock, symbol
        self._orders: dict[str, Order] = {}
        self._trades: set[str] = set()
        self._bills: set[str] = set()
        self._settings: AccountState | None = None
        self._began_ms = 0
        self._opened = asyncio.Event()
        self.lists_empty_in_a_row = 0

    async def preflight(self) -> None:
        """Read contract, settings, money, position and the lists of open orders, the lists twice."""
        self._began_ms = await self._venue.server_time_ms()
        await self._read_contract()
        await self._read_account("preflight")
        await self._read_positions("preflight")
        await self._forget_bills_before()
        for _ in range(2):
            await self.read_lists("preflight")
            await asyncio.sleep(LISTS_APART_S)

    async def watch(self) -> None:
        """Follow the streams and poll, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow(self._venue.private_stream()), name="observer private stream")
            public = self._venue.public_stream(self._symbol, ("ticker",))
            group.create_task(self._follow(public), name="observer public stream")
            group.create_task(self._poll(), name="observer poll")

    async def ready(self) -> None:
        """Wait until the private stream is subscribed: what happens after it is pushed."""
        await self._opened.wait()

    async def read_lists(self, purpose: str) -> None:
        """Read the open plain and trigger orders; an order that nobody pushed is written too."""
        orders = await self._venue.open_orders()
        trigger = await self._venue.open_trigger_order_ids()
        for order in orders:
            self._see_order(order, "pending")
        plain = tuple(order.order_id for order in orders)
        self.lists_empty_in_a_row = 0 if plain or trigger else self.lists_empty_in_a_row + 1
        self._sink.write(
            OpenOrdersRead(
                src=Source.VENUE, t_local_us=self._clock.now_us(), plain=plain, trigger=trigger, purpose=purpose
            )
        )

    async def close_books(self) -> None:
        """Reconcile with the venue's histories over the whole run and read the account a last time.

        Raises `HarnessError` where the venue cannot be read: then nothing is covered.
        """
        try:
            await asyncio.sleep(SETTLE_S)
            await self.read_lists("closing")
            await asyncio.sleep(LISTS_APART_S)
            await self.read_lists("closing")
            await self._read_histories()
            await self._read_positions("closing")
            await self._read_account("closing")
        except (VenueError, Unanswered) as error:
            raise HarnessError(f"the venue's record of the run could not be read: {error}") from error

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(POLL_S)
            try:
                await self.read_lists("poll")
                await self._read_positions("poll")
                await self._read_account("poll")
            except (VenueError, Unanswered) as error:
                self._connection("rest", "closed", str(error))

    async def _follow(self, stream: AsyncIterator[Push]) -> None:
        async with aclosing(stream) as pushes:  # type: ignore[type-var]
            async for push in pushes:
                self._see(push)

    def _see(self, push: Push) -> None:
        match push:
            case StreamOpened(private=private):
                self._connection("private" if private else "public", "open")
                if private:
                    self._opened.set()
            case StreamClosed(private=private, reason=reason):
                self._connection("private" if private else "public", "closed", reason)
            case OrderPush(order=order, fill=fill):
                self._see_order(order, "push")
                if fill is not None:
                    self._see_fill(fill, "push")
            case FillPush(fill=fill):
                self._see_fill(fill, "push")
            case PositionsPush(positions=positions, t_ms=t_ms):
                self._see_positions(positions, "push", t_ms)
            case AccountPush():
                self._see_balance(push, "push", push.t_ms)
            case TickerPush(ticker=ticker):
                self._see_ticker(ticker)
            case _:
                pass  # books1 and trade are not subscribed here

    async def _read_contract(self) -> None:
        contract = await self._venue.contract(self._symbol)
        self._sink.write(
            ContractRead(
                src=Source.VENUE,
                t_local_us=self._clock.now_us(),
                symbol=contract.symbol,
                min_qty=contract.min_qty,
                qty_step=contract.qty_step,
                min_value_usdt=contract.min_value_usdt,
                tick=contract.tick,
                maker_fee_rate=contract.maker_fee_rate,
                taker_fee_rate=contract.taker_fee_rate,
            )
        )

    async def _read_account(self, via: str) -> None:
        account = await self._venue.account(self._symbol)
        self._see_settings(account)
        self._see_balance(account, via, None)

    async def _read_positions(self, via: str) -> None:
        self._see_positions(await self._venue.positions(), via, None)

    async def _forget_bills_before(self) -> None:
        """What was billed before the run is not of the run."""
        earlier = await self._venue.bills(self._began_ms - DAY_MS, self._began_ms)
        self._bills.update(bill.bill_id for bill in earlier)

    async def _read_histories(self) -> None:
        now_ms = await self._venue.server_time_ms()
        # an order of an earlier run may end in this one: look a day back, write what moved since the run began
        for order in await self._venue.order_history(self._began_ms - DAY_MS, now_ms):
            if order.order_id in self._orders or order.updated_ms >= self._began_ms:
                self._see_order(order, "history")
        for fill in await self._venue.fills(self._began_ms, now_ms):
            self._see_fill(fill, "history")
        for bill in await self._venue.bills(self._began_ms, now_ms):
            if bill.bill_id not in self._bills:
                self._bills.add(bill.bill_id)
                self._sink.write(
                    BillSeen(
                        src=Source.VENUE,
                        t_venue_us=bill.t_ms * 1000,
                        t_local_us=self._clock.now_us(),
                        bill_id=bill.bill_id,
                        symbol=bill.symbol,
                        business_type=bill.business_type,
                        amount=bill.amount,
                        fee=bill.fee,
                        balance=bill.balance,
                    )
                )

    def _see_order(self, order: Order, via: str) -> None:
        if not _is_news(self._orders.get(order.order_id), order):
            return
        self._orders[order.order_id] = order
        self._sink.write(
            OrderSeen(
                src=Source.VENUE,
                t_venue_us=order.updated_ms * 1000,
                t_local_us=self._clock.now_us(),
                order_id=order.order_id,
                client_id=order.client_id,
                symbol=order.symbol,
                side=order.side,
                order_type=order.order_type,
                force=order.force,
                price=order.price,
                size=order.size,
                filled=order.filled,
                state=order.state,
                reduce_only=order.reduce_only,
                via=via,
            )
        )

    def _see_fill(self, fill: Fill, via: str) -> None:
        if fill.trade_id in self._trades:
            return
        self._trades.add(fill.trade_id)
        known = self._orders.get(fill.order_id)
        self._sink.write(
            FillSeen(
                src=Source.VENUE,
                t_venue_us=fill.t_ms * 1000,
                t_local_us=self._clock.now_us(),
                trade_id=fill.trade_id,
                order_id=fill.order_id,
                client_id=fill.client_id or (known.client_id if known else ""),
                symbol=fill.symbol,
                side=fill.side,
                price=fill.price,
                size=fill.size,
                fee_usdt=fill.fee_usdt,
                is_maker=fill.is_maker,
                realized_usdt=fill.realized_usdt,
                via=via,
            )
        )

    def _see_positions(self, positions: Sequence[Position], via: str, t_ms: int | None) -> None:
        held = [position for position in positions if position.size != 0]
        for position in held:
            self._write_position(position.symbol, position.size, position.entry_price, position.mark_price, via, t_ms)
        if all(position.symbol != self._symbol for position in held):
            self._write_position(self._symbol, ZERO, None, None, via, t_ms)

    def _write_position(
        self, symbol: str, size: Decimal, entry: Decimal | None, mark: Decimal | None, via: str, t_ms: int | None
    ) -> None:
        self._sink.write(
            PositionSeen(
                src=Source.VENUE,
                t_venue_us=None if t_ms is None else t_ms * 1000,
                t_local_us=self._clock.now_us(),
                symbol=symbol,
                size=size,
                entry_price=entry,
                mark_price=mark,
                via=via,
            )
        )

    def _see_balance(self, account: AccountState | AccountPush, via: str, t_ms: int | None) -> None:
        self._sink.write(
            BalanceSeen(
                src=Source.VENUE,
                t_venue_us=None if t_ms is None else t_ms * 1000,
                t_local_us=self._clock.now_us(),
                equity_usdt=account.equity_usdt,
                available_usdt=account.available_usdt,
                unrealized_usdt=account.unrealized_usdt,
                via=via,
            )
        )

    def _see_settings(self, account: AccountState) -> None:
        before, self._settings = self._settings, account
        now_us = self._clock.now_us()
        self._sink.write(
            SettingsRead(
                src=Source.VENUE,
                t_local_us=now_us,
                symbol=account.symbol,
                position_mode=account.position_mode,
                margin_mode=account.margin_mode,
                leverage=account.leverage,
            )
        )
        for setting in ("position_mode", "margin_mode", "leverage") if before is not None else ():
            old, new = str(getattr(before, setting)), str(getattr(account, setting))
            if old != new:
                self._sink.write(
                    ModeOrLeverageChanged(
                        src=Source.VENUE,
                        t_local_us=now_us,
                        symbol=account.symbol,
                        setting=setting,
                        before=old,
                        after=new,
                    )
                )

    def _see_ticker(self, ticker: Ticker) -> None:
        self._sink.write(
            TopOfBook(
                src=Source.VENUE,
                t_venue_us=ticker.t_ms * 1000,
                t_local_us=self._clock.now_us(),
                symbol=ticker.symbol,
                bid=ticker.bid,
                bid_size=ticker.bid_size,
                ask=ticker.ask,
                ask_size=ticker.ask_size,
                last=ticker.last,
                mark=ticker.mark,
                via="ticker",
            )
        )

    def _connection(self, channel: str, state: str, detail: str = "") -> None:
        self._sink.write(
            ConnectionChanged(
                src=Source.VENUE,
                t_local_us=self._clock.now_us(),
                who="observer",
                channel=channel,
                state=state,
                detail=detail,
            )
        )


def _is_news(known: Order | None, order: Order) -> bool:
    """Whether a report of an order tells more than the one before: a late report of an older state does not."""
    if known is None:
        return True
    if not known.state.is_open:
        return False
    return order.filled > known.filled or (order.filled == known.filled and order.state != known.state)
