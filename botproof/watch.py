"""The observer: the venue's own record, read over a key of its own.

It survives what the bot must survive. Pushes tell at once; a poll in every minute tells what pushes may have missed,
and polls are dense while nothing is pushed; the closing reconciliation reads orders, fills and bills over the whole run
to the last page, writes down what was never pushed, and only then may the run say that the venue's record is covered.

1. A fill reaches the tape once, by its trade id, whichever channel brought it.
2. An order reaches the tape when it is first seen and whenever state or filled size moved on; a late report of an
   older state is not written.
3. A position that is missing from a list of positions is flat, and is written as size zero.
4. Nothing is inferred: every fact is something the venue said. What the account had done earlier on the UTC day is
   one fact, summed from the venue's lists.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import fields
from functools import cache
from typing import Any

from botproof.clock import Clock
from botproof.errors import HarnessError, Unanswered, VenueError
from botproof.events import (
    BalanceSeen,
    BillSeen,
    ConnectionChanged,
    ContractRead,
    EarlierToday,
    Fact,
    FeeRatesRead,
    FillSeen,
    FundingSettled,
    ModeOrLeverageChanged,
    OpenOrdersRead,
    OrderSeen,
    PositionSeen,
    SettingsRead,
    Source,
    TopOfBook,
)
from botproof.invariants.bills import is_funding, is_trade
from botproof.money import ZERO
from botproof.ports import (
    AccountPush,
    AccountState,
    Bill,
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
    TickerPush,
    Venue,
)

POLL_S = 60  # pushes tell at once; polls are there for what pushes miss, and need not be dense
DEAF_POLL_S = 10  # while the private stream is closed
LISTS_APART_S = 5  # two readings of the lists of open orders, so that an order in flight shows in one of them
SETTLE_S = 2  # pushes in flight when the bot has stopped
DAY_MS = 86_400_000
CLOCKS_APART_US_MAX = 1_000_000


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
        self._is_open = False  # now; `_opened` says whether it ever was
        self._why_not_open = "nothing was heard of it"

    async def preflight(self) -> None:
        """Compare the clocks; read contract, settings, money, position, and the lists of open orders twice.

        Raises `HarnessError` where the venue cannot be read or its clock differs by more than a second.
        """
        try:
            await self._compare_clocks()
            self._tell(ContractRead, **_said(await self._venue.contract(self._symbol), ContractRead))
            await self._read_account("preflight")
            await self._read_positions("preflight")
            await self._read_fee_rates()
            await self._read_the_day_before()
            for _ in range(2):
                await self.read_lists("preflight")
                await asyncio.sleep(LISTS_APART_S)
        except (VenueError, Unanswered) as error:
            raise HarnessError(f"the venue could not be read before the run: {error}") from error

    async def watch(self) -> None:
        """Follow the streams and poll, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow(self._venue.private_stream()), name="observer private stream")
            public = self._venue.public_stream(self._symbol, ("ticker",))
            group.create_task(self._follow(public), name="observer public stream")
            group.create_task(self._poll(), name="observer poll")

    async def look(self, purpose: str) -> None:
        """Read lists, position and account once. Raises `VenueError` or `Unanswered` where they cannot be read."""
        await self.read_lists(purpose)
        await self._read_positions(purpose)
        await self._read_account(purpose)

    async def ready(self, watching: asyncio.Task[None], limit_s: int) -> None:
        """Wait until the private stream is subscribed: what happens after it is pushed.

        Raises `HarnessError` where it is not within `limit_s`, or where `watching` has ended.
        """
        opened = asyncio.create_task(self._opened.wait())
        done, _ = await asyncio.wait({opened, watching}, timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
        opened.cancel()
        if opened not in done:
            raise HarnessError(f"the observer's private stream did not open within {limit_s} s: {self._why_not_open}")

    async def read_lists(self, purpose: str) -> bool:
        """Read the open plain and trigger orders; tell whether there are none. What nobody pushed is written too."""
        orders = await self._venue.open_orders()
        trigger = await self._venue.open_trigger_order_ids()
        for order in orders:
            self._see_order(order, "pending")
        plain = tuple(order.order_id for order in orders)
        self._tell(OpenOrdersRead, plain=plain, trigger=trigger, purpose=purpose)
        return not plain and not trigger

    async def close_books(self) -> None:
        """Reconcile with the venue's histories over the whole run and read the account a last time.

        Raises `HarnessError` where the venue cannot be read: then nothing is covered.
        """
        try:
            await asyncio.sleep(SETTLE_S)
            await self.read_lists("closing")
            await asyncio.sleep(LISTS_APART_S)
            await self._read_histories()
            await self._read_fee_rates()
            await self.look("closing")
        except (VenueError, Unanswered) as error:
            raise HarnessError(f"the venue's record of the run could not be read: {error}") from error

    async def _poll(self) -> None:
        looked_us = self._clock.now_us()
        while True:
            await asyncio.sleep(DEAF_POLL_S)
            apart_s = POLL_S if self._is_open else DEAF_POLL_S
            now_us = self._clock.now_us()
            if now_us - looked_us < apart_s * 1_000_000:
                continue
            looked_us = now_us
            try:
                await self.look("poll")
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
                    self._is_open = True
                    self._opened.set()
            case StreamClosed(private=private, reason=reason):
                if private:
                    self._is_open, self._why_not_open = False, reason
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
                self._tell(TopOfBook, ticker.t_ms, **_said(ticker, TopOfBook), via="ticker")
            case _:
                pass  # books1 and trade are not subscribed here

    async def _compare_clocks(self) -> None:
        """Facts are ordered by the venue's clock and by ours, so the two must agree."""
        asked_us = self._clock.now_us()
        self._began_ms = await self._venue.server_time_ms()
        between_us = (asked_us + self._clock.now_us()) // 2
        if abs(self._began_ms * 1000 - between_us) > CLOCKS_APART_US_MAX:
            apart_ms = self._began_ms - between_us // 1000
            raise HarnessError(
                f"the venue's clock and ours agree within 1 s, found {apart_ms} ms; set this machine's clock"
            )

    async def _read_account(self, via: str) -> None:
        account = await self._venue.account(self._symbol)
        self._see_settings(account)
        self._see_balance(account, via, None)

    async def _read_positions(self, via: str) -> None:
        self._see_positions(await self._venue.positions(), via, None)

    async def _read_fee_rates(self) -> None:
        """The account's own rates; a venue that does not tell them leaves them unknown."""
        try:
            rates = await self._venue.fee_rates(self._symbol)
        except VenueError as error:
            self._connection("rest", "closed", str(error))
            return
        self._tell(FeeRatesRead, symbol=self._symbol, maker_fee_rate=rates.maker, taker_fee_rate=rates.taker)

    async def _read_the_day_before(self) -> None:
        """What was billed before the run is not of the run, but of its day."""
        midnight_ms = self._began_ms // DAY_MS * DAY_MS
        bills = await self._venue.bills(self._began_ms - DAY_MS, self._began_ms)
        self._bills.update(bill.bill_id for bill in bills)
        fills = [fill for fill in await self._venue.fills(midnight_ms, self._began_ms) if fill.symbol == self._symbol]
        self._trades.update(fill.trade_id for fill in fills)
        today = [bill for bill in bills if bill.t_ms >= midnight_ms and (is_trade(bill) or is_funding(bill))]
        self._tell(
            EarlierToday,
            symbol=self._symbol,
            fills=len(fills),
            traded_usdt=sum((fill.price * fill.size for fill in fills), ZERO),
            result_usdt=sum((bill.amount + bill.fee for bill in today), ZERO),
        )

    async def _read_histories(self) -> None:
        now_ms = await self._venue.server_time_ms()
        # an order of an earlier run may end in this one: look a day back, write what moved since the run began
        for order in await self._venue.order_history(self._began_ms - DAY_MS, now_ms):
            if order.order_id in self._orders or order.updated_ms >= self._began_ms:
                self._see_order(order, "history")
        for fill in await self._venue.fills(self._began_ms, now_ms):
            self._see_fill(fill, "history")
        for bill in await self._venue.bills(self._began_ms, now_ms):
            self._see_bill(bill)

    def _see_order(self, order: Order, via: str) -> None:
        if not _is_news(self._orders.get(order.order_id), order):
            return
        self._orders[order.order_id] = order
        self._tell(OrderSeen, order.updated_ms, **_said(order, OrderSeen), via=via)

    def _see_fill(self, fill: Fill, via: str) -> None:
        if fill.trade_id in self._trades:
            return
        self._trades.add(fill.trade_id)
        known = self._orders.get(fill.order_id)
        client_id = fill.client_id or (known.client_id if known else "")
        self._tell(FillSeen, fill.t_ms, **(_said(fill, FillSeen) | {"client_id": client_id}), via=via)

    def _see_bill(self, bill: Bill) -> None:
        if bill.bill_id in self._bills:
            return
        self._bills.add(bill.bill_id)
        self._tell(BillSeen, bill.t_ms, **_said(bill, BillSeen))
        if is_funding(bill):
            self._tell(FundingSettled, bill.t_ms, symbol=bill.symbol, rate=None, amount_usdt=bill.amount)

    def _see_positions(self, positions: Sequence[Position], via: str, t_ms: int | None) -> None:
        held = [position for position in positions if position.size != 0]
        for position in held:
            self._tell(PositionSeen, t_ms, **_said(position, PositionSeen), via=via)
        if all(position.symbol != self._symbol for position in held):
            self._tell(PositionSeen, t_ms, symbol=self._symbol, size=ZERO, entry_price=None, mark_price=None, via=via)

    def _see_balance(self, account: AccountState | AccountPush, via: str, t_ms: int | None) -> None:
        self._tell(BalanceSeen, t_ms, **_said(account, BalanceSeen), via=via)

    def _see_settings(self, account: AccountState) -> None:
        before, self._settings = self._settings, account
        self._tell(SettingsRead, **_said(account, SettingsRead))
        for setting in ("position_mode", "margin_mode", "leverage") if before is not None else ():
            old, new = str(getattr(before, setting)), str(getattr(account, setting))
            if old != new:
                self._tell(ModeOrLeverageChanged, symbol=account.symbol, setting=setting, before=old, after=new)

    def _connection(self, channel: str, state: str, detail: str = "") -> None:
        self._tell(ConnectionChanged, who="observer", channel=channel, state=state, detail=detail)

    def _tell(self, kind: type[Fact], t_ms: int | None = None, **fields: Any) -> None:
        """Write a fact of the venue; `t_ms` is when it happened by the venue's clock, where the venue said so."""
        t_venue_us = None if t_ms is None else t_ms * 1000
        self._sink.write(kind(src=Source.VENUE, t_venue_us=t_venue_us, t_local_us=self._clock.now_us(), **fields))


def _said(value: Any, kind: type[Fact]) -> dict[str, Any]:
    """What `value`, of the ports, says of a fact of `kind`: the fields that bear the same name."""
    shared = _shared(type(value), kind)  # type: ignore[arg-type]  # mypy doubts that a class can be hashed
    return {name: getattr(value, name) for name in shared}


@cache
def _shared(told: type[Any], kind: type[Fact]) -> tuple[str, ...]:
    """The names of the fields that both have; asked for every fact."""
    ours = {field.name for field in fields(kind)}
    return tuple(field.name for field in fields(told) if field.name in ours)


def _is_news(known: Order | None, order: Order) -> bool:
    """Whether a report of an order tells more than the one before: a late report of an older state does not."""
    if known is None:
        return True
    if not known.state.is_open:
        return False
    return order.filled > known.filled or (order.filled == known.filled and order.state != known.state)
