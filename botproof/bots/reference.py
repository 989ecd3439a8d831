"""The house's own small market maker: it keeps every promise of its profile, and it proves the harness, not itself.

    pushes and answers ---> Desk (what is known) ---> next_step (what is to be done) ---> act (done) ---.
                              ^                                                                        |
                              '------------------------------------------------------------------------'

Three chores run beside that loop: the two streams are listened to, prices are sampled, and once a minute the account
is read and a row of minute.csv is written. Only the loop sends anything that trades.

The start agrees position mode, margin mode and leverage with the profile, changing only what differs, and reads them
back: where they still differ the bot stops for good before its first order. Open orders of an earlier run of the same
instance (by the prefix of their client ids) are canceled; anybody else's order or position is left as it is and is a
reason not to trade. A no-trade bot does the same and nothing else, ever.

The methods without an underscore are the joints at which a bot may be made to break one promise.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from decimal import Decimal

from botproof.bots import decision
from botproof.bots.decision import (
    BeginRound,
    Cancel,
    Close,
    Finish,
    LookUp,
    PlaceQuote,
    ProveFlat,
    Reread,
    Step,
    TakeProfit,
    Wait,
)
from botproof.bots.desk import SECOND_US, Desk
from botproof.bots.diary import MINUTE_US, Diary, Instant, fill_row, minute_row
from botproof.bots.execution import Execution
from botproof.bots.holding import take_profit_price
from botproof.bots.orders import Purpose
from botproof.bots.quoting import Level, Quote, levels_of, mid_of, quote_of, weighed
from botproof.bots.settings import mismatches, set_promised
from botproof.errors import Unanswered, VenueError
from botproof.events import OrderType, Side
from botproof.money import ZERO
from botproof.ports import (
    AccountPush,
    AccountState,
    Bot,
    BotContext,
    Contract,
    Fill,
    FillPush,
    OrderPush,
    OrderRequest,
    PositionsPush,
    Push,
    StreamClosed,
    StreamOpened,
    TickerPush,
)

BOOK_FRESH_US = SECOND_US // 2  # a quote is priced from a book no older than this
READ_AGAIN_US = 5 * SECOND_US
ROW_AFTER_US = SECOND_US  # a row waits this long after its minute's first instant, for the pushes of that instant
CLOSING_S = 28.0  # the orderly end gives up after this; 30 s are promised


def create(context: BotContext) -> Bot:
    """The factory that `--bot reference` names."""
    return ReferenceBot(context)


class ReferenceBot:
    """One instance on one symbol; see the module's text."""

    name = "reference"
    version = "1"

    def __init__(self, context: BotContext) -> None:
        self.context, self.profile = context, context.profile
        self.diary = Diary(context.profile)
        self.desk = Desk(context.profile, context.symbol, on_trade=self._on_trade)
        self.execution = Execution(context, self.desk, self.diary)
        self._wake, self._stop_asked = asyncio.Event(), asyncio.Event()
        self._told: tuple[str, tuple[str, ...]] | None = None
        self._mid, self._mid_us = ZERO, -BOOK_FRESH_US
        self._equity: Decimal | None = None
        self._wallet: Decimal | None = None
        self._available: Decimal | None = None

    # The Bot port.

    async def run(self) -> None:
        """Trade until `stop` was called and everything is wound down. Raises what crashed it."""
        try:
            async with asyncio.timeout(None) as limit:
                await self._serve(limit)
        except TimeoutError:
            if not limit.expired():
                raise
            self._tell("hard_stop", ("stop_timed_out",))
        except ExceptionGroup as crash:
            raise crash.exceptions[0] from crash

    def stop(self) -> None:
        """Ask for the orderly end: cancel, await, flatten, prove."""
        self.desk.stopping = True
        self._stop_asked.set()
        self._wake.set()

    # The joints.

    def levels(self) -> tuple[Level, ...]:
        """What one round quotes: each level, and whether the margin that is free now backs it at the last mid."""
        return self._weighed(levels_of(self.profile))

    def quote(self, level: Level, mid: Decimal) -> Quote:
        """The planned order of a level."""
        return quote_of(level, mid, self._contract)

    def gates(self) -> tuple[str, ...]:
        """Reasons of the entry gates; the costs are written into every row already, none of them pauses yet."""
        return ()

    def next_step(self) -> Step:
        """The one thing to do now."""
        now_us = self.now_us()
        self.desk.gates = self.gates()
        self.desk.tidy(now_us)
        return decision.next_step(self.desk, now_us)

    async def act(self, step: Step) -> None:
        """Do one thing."""
        match step:
            case Cancel(client_id):
                await self.execution.cancel(client_id)
            case LookUp(client_id):
                await self.execution.look_up(client_id)
            case Reread():
                await self.execution.reread()
            case TakeProfit(size):
                await self.take_profit(size)
            case Close(size):
                await self.close(size)
            case BeginRound():
                await self._begin_round()
            case PlaceQuote(level):
                await self._place_quote(level)
            case ProveFlat():
                await self._prove_flat()
            case Wait(until_us):
                await self._wait(until_us)

    async def agree_settings(self) -> None:
        """Bring the account's settings to the profile's where they differ, and read them back."""
        account = await self.context.venue.account(self.desk.symbol)
        differing = mismatches(self.profile, account)
        for setting in differing:
            if not await set_promised(self.context.venue, self.profile, self.desk.symbol, setting):
                self.diary.rejects_us.append(self.now_us())
        if differing:
            account = await self.context.venue.account(self.desk.symbol)
        self._see_account(account)

    async def read_settings(self) -> None:
        """Read the account again, each minute and before each round; settings that are not the profile's stop the bot for good."""
        self._see_account(await self.context.venue.account(self.desk.symbol))

    async def take_profit(self, size: Decimal) -> None:
        """Rest the take-profit for the whole position (`size` signed, BTC)."""
        price = take_profit_price(self.desk.holding, self.profile.take_profit, self._contract.tick)
        await self.execution.place(self.exit_order(size, price), Purpose.TAKE_PROFIT)

    async def close(self, size: Decimal) -> None:
        """Close the position at market (`size` signed, BTC)."""
        await self.execution.place(self.exit_order(size, None), Purpose.CLOSE)

    def exit_order(self, size: Decimal, price: Decimal | None) -> OrderRequest:
        """A reduce-only order that closes `size` (signed, BTC); at market where `price` is None."""
        return OrderRequest(
            symbol=self.desk.symbol,
            side=Side.SELL if size > 0 else Side.BUY,
            order_type=OrderType.MARKET if price is None else OrderType.LIMIT,
            size=abs(size),
            price=price,
            client_id=self.execution.next_client_id(is_exit=True),
            reduce_only=True,
        )

    def entry_order(self, quote: Quote) -> OrderRequest:
        """A post-only order; where it would cross the venue cancels it, which is a quote missed and no more."""
        return OrderRequest(
            symbol=self.desk.symbol,
            side=quote.side,
            order_type=OrderType.LIMIT,
            size=quote.size,
            price=quote.price,
            client_id=self.execution.next_client_id(is_exit=False),
            force="post_only",
        )

    def record_fill(self, fill: Fill, closed: Decimal) -> None:
        """Write an own trade down, once."""
        self.context.evidence.fill(self.fill_row(fill, closed))

    def fill_row(self, fill: Fill, closed: Decimal) -> dict[str, str]:
        """The trade's row of fills.csv."""
        state, _ = self.desk.state(self.now_us())
        return fill_row(self.diary, fill, state=state, mid=self._last_mid(fill.price), closed=closed)

    def now_us(self) -> int:
        return self.context.clock.now_us()

    # The loop and its chores.

    async def _serve(self, limit: asyncio.Timeout) -> None:
        async with asyncio.TaskGroup() as group:
            public = self.context.venue.public_stream(self.desk.symbol, ("ticker",))
            chores = [
                group.create_task(self._listen(public)),
                group.create_task(self._listen(self.context.venue.private_stream())),
                group.create_task(self._limit_the_end(limit)),
            ]
            await self._start()
            if self.desk.started:
                chores += [group.create_task(self._keep_samples()), group.create_task(self._keep_minutes())]
                await self._trade()
            else:
                self._tell(*self.desk.state(self.now_us()))
            for chore in chores:
                chore.cancel()

    async def _start(self) -> None:
        """Try until it works or a stop is asked for; each try begins again and changes only what still differs."""
        wait_s = 1
        while not (self.desk.started or self.desk.stopping):
            try:
                await self._take_stock()
            except (VenueError, Unanswered) as error:
                reason = "venue_refused" if isinstance(error, VenueError) else "venue_unreachable"
                self._tell("soft_pause", ("starting", reason))
                await _within(wait_s, self._stop_asked)
                wait_s = min(2 * wait_s, 30)

    async def _take_stock(self) -> None:
        venue, desk = self.context.venue, self.desk
        self.execution.started_ms = await venue.server_time_ms()
        desk.contract = await venue.contract(desk.symbol)
        await self.agree_settings()
        await self.execution.read_lists()
        desk.see_first_positions(await venue.positions(), self.now_us())
        desk.see_ticker(await venue.ticker(desk.symbol), self.now_us())
        desk.started = True

    async def _trade(self) -> None:
        while True:
            self._wake.clear()
            step = self.next_step()
            if isinstance(step, Wait | Finish):  # with more to do the state is not yet what it will be
                self._tell(*self.desk.state(self.now_us()))
            if isinstance(step, Finish):
                return
            await self.act(step)

    async def _wait(self, until_us: int) -> None:
        await _within((until_us - self.now_us()) / SECOND_US, self._wake)

    async def _limit_the_end(self, limit: asyncio.Timeout) -> None:
        await self._stop_asked.wait()
        limit.reschedule(asyncio.get_running_loop().time() + CLOSING_S)

    async def _listen(self, stream: AsyncIterator[Push]) -> None:
        async for push in stream:
            self._hear(push)
            self._wake.set()

    def _hear(self, push: Push) -> None:
        now_us = self.now_us()
        match push:
            case TickerPush(ticker=ticker):
                self.desk.see_ticker(ticker, now_us)
            case OrderPush(order=order, fill=fill):
                if fill is not None:
                    self.desk.see_fill(fill, now_us)
                if self.desk.see_order(order, now_us):
                    self.diary.cancels_us.append(order.updated_ms * 1000)
            case FillPush(fill=fill):
                self.desk.see_fill(fill, now_us)
            case PositionsPush(positions=positions):
                self.desk.see_positions(positions, now_us)
            case AccountPush():
                self._note_money(push)
            case StreamOpened(private=private):
                self.diary.stream_openings += 1
                self.desk.see_stream(private=private, is_up=True, now_us=now_us)
            case StreamClosed(private=private):
                self.desk.see_stream(private=private, is_up=False, now_us=now_us)

    async def _keep_samples(self) -> None:
        while True:
            self.diary.sample(self.now_us(), self._last_mid(ZERO))
            await asyncio.sleep(self.profile.sample_interval_s)

    async def _keep_minutes(self) -> None:
        await self._write_minute(self.now_us())
        while True:
            minute_us = (self.now_us() // MINUTE_US + 1) * MINUTE_US
            while (left_us := minute_us + ROW_AFTER_US - self.now_us()) > 0:
                await asyncio.sleep(left_us / SECOND_US)
            await self._write_minute(minute_us)

    async def _write_minute(self, at_us: int) -> None:
        plain, trigger = await self._read_account()
        desk = self.desk
        state, reasons = desk.state(self.now_us())
        if desk.ticker is None:
            return
        now = Instant(
            at_us=at_us,
            ticker=desk.ticker,
            state=state,
            reasons=reasons,
            equity=self._equity,
            wallet=self._wallet,
            position=desk.venue_size,
            entry_price=desk.venue_entry_price,
            maker_fee=self._contract.maker_fee_rate,
            taker_fee=self._contract.taker_fee_rate,
            orders_active=len(desk.orders),
            venue_open_orders=plain,
            venue_plan_orders=trigger,
            venue_fills_seen=desk.trades_seen,
        )
        self.context.evidence.minute(minute_row(self.diary, self.context.run_id, now))
        self.diary.prune(at_us)

    async def _read_account(self) -> tuple[int | None, int | None]:
        try:
            await self.read_settings()
            return await self.execution.read_lists()
        except (VenueError, Unanswered):
            return None, None
        finally:
            self._wake.set()

    # What acting takes.

    @property
    def _contract(self) -> Contract:
        assert self.desk.contract is not None, "the contract is read before anything else"
        return self.desk.contract

    def _last_mid(self, otherwise: Decimal) -> Decimal:
        ticker = self.desk.ticker
        return otherwise if ticker is None else (ticker.bid + ticker.ask) / 2

    async def _begin_round(self) -> None:
        """Plan a round from one reading of the account and one of the book."""
        try:
            await self.read_settings()
        except (VenueError, Unanswered):
            self._put_off("account_unread")
            return
        if self._available is None:
            self._put_off("account_unread")
        elif await self._read_book() and self.next_step() == BeginRound():  # else something happened meanwhile
            self.desk.round_margin_usdt = self._available
            self.desk.begin_round(self.levels(), self.now_us())

    async def _place_quote(self, level: Level) -> None:
        is_backed = level.is_backed
        if self.now_us() - self._mid_us > BOOK_FRESH_US:
            if not await self._read_book() or self.next_step() != PlaceQuote(level):
                return  # something happened while the book was read
            is_backed = self._weighed((level,))[0].is_backed  # other prices, other sizes
        quote = self.quote(level, self._mid)
        reason = _why_not(quote, is_backed=is_backed)
        self.desk.level_done(level, skipped=reason)
        if not reason:
            await self.execution.place(self.entry_order(quote), Purpose.ENTRY)

    async def _read_book(self) -> bool:
        try:
            mid = mid_of(await self.context.venue.depth(self.desk.symbol))
        except (VenueError, Unanswered):
            mid = None
        if mid is None:
            self._put_off("order_book_unread")
            return False
        self._mid, self._mid_us = mid, self.now_us()
        return True

    def _weighed(self, levels: tuple[Level, ...]) -> tuple[Level, ...]:
        return weighed(levels, self.desk.free_margin_usdt, self._mid, self._contract, self.profile.leverage)

    def _put_off(self, reason: str) -> None:
        """What a round rests on could not be read: no round now, and another attempt soon."""
        self.desk.end_round(reason)
        self.desk.next_round_us = self.now_us() + READ_AGAIN_US

    async def _prove_flat(self) -> None:
        try:
            await self.execution.read_lists()
            self.desk.see_positions(await self.context.venue.positions(), self.now_us())
        except (VenueError, Unanswered):
            await asyncio.sleep(1)
        else:
            self.desk.proven_flat = True

    def _see_account(self, account: AccountState) -> None:
        self._note_money(account)
        for setting in mismatches(self.profile, account):
            self.desk.stop_for_good(f"{setting}_mismatch")

    def _note_money(self, told: AccountState | AccountPush) -> None:
        self._equity, self._wallet = told.equity_usdt, told.equity_usdt - told.unrealized_usdt
        self._available = told.available_usdt
        self.diary.note_equity(self.now_us(), told.equity_usdt)

    def _on_trade(self, fill: Fill, closed: Decimal) -> None:
        self.diary.fills.append(fill)
        self.record_fill(fill, closed)

    def _tell(self, state: str, reasons: tuple[str, ...]) -> None:
        if (state, reasons) != self._told:
            self._told = (state, reasons)
            self.context.evidence.state(state, reasons)


def _why_not(quote: Quote, *, is_backed: bool) -> str:
    """Why a planned order is not sent; empty where it is."""
    if quote.below_minimum:
        return "below_minimum"
    return "" if is_backed else "insufficient_margin"


async def _within(seconds: float, event: asyncio.Event) -> None:
    """Wait for `event`, at most `seconds`. Not by `wait_for`: on Python 3.11 that may swallow a cancellation."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
