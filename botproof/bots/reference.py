"""The house's own small market maker: it keeps every promise of its profile, and it proves the harness, not itself.

    pushes and answers ---> Desk (what is known) ---> next_step (what is to be done) ---> act (done) ---.
                              ^                                                                        |
                              '------------------------------------------------------------------------'

Chores run beside that loop: the two streams are listened to, prices are sampled, fee rates are asked for, and once a
minute the account is read and a row of minute.csv is written. Only the loop sends anything that trades.

The start agrees position mode, margin mode and leverage with the profile, changing only what differs, and reads them
back: where they still differ the bot stops for good before its first order. Then it reads what the venue knows of the
day, and of this run's earlier starts (`reconciliation`). Open entries of an earlier start of the same instance (by the
prefix of their client ids) are canceled, an exit of it rests on while it fits the position; anybody else's order or
position is left as it is and is a reason not to trade. A no-trade bot does the same and nothing else, ever.

Without the account's own fee rates, where the profile asks for them, nothing is quoted. A hard stop stays until the
operator's `resume`, whatever becomes of its cause; what still holds then stops the bot again at once.

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
from botproof.bots.desk import Desk
from botproof.bots.diary import Diary, fill_row
from botproof.bots.execution import Execution
from botproof.bots.gates import EXIT_CANCELS, SECOND_US
from botproof.bots.guard import Guard
from botproof.bots.hearing import hear
from botproof.bots.holding import take_profit_price
from botproof.bots.minutes import Minutes
from botproof.bots.orders import Purpose
from botproof.bots.quoting import Level, Quote, levels_of, mid_of, quote_of, weighed
from botproof.bots.reconciliation import read_past, take_over
from botproof.bots.settings import mismatches, set_promised
from botproof.errors import Unanswered, VenueError
from botproof.events import OrderType, Side
from botproof.money import ZERO
from botproof.ports import (
    AccountState,
    Bot,
    BotContext,
    Contract,
    Fill,
    OrderRequest,
    Push,
)

BOOK_FRESH_US = SECOND_US // 2  # a quote is priced from a book no older than this
READ_AGAIN_US = 5 * SECOND_US
FEES_TRIES = 3  # at the start, before they count as unresolved
FEES_WANTED_S, FEES_AGAIN_S = 300.0, 600.0  # how often the rates are asked for: until they are known, and then
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
        self.desk = Desk(context.profile, context.symbol, began_us=self.now_us(), on_trade=self._on_trade)
        self.guard = Guard(self.desk, self.diary)
        if context.was_stopped:
            self.desk.stop_for_good("stopped_before_restart")
        self.execution = self.hands()
        self._wake, self._stop_asked, self._fees_asked = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._reading = asyncio.Lock()  # loop and chores read the account one after the other
        self._told: tuple[str, tuple[str, ...]] | None = None
        self._mid, self._mid_us = ZERO, -BOOK_FRESH_US

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

    def operate(self, action: str) -> None:
        """The operator's switch: `stop` is a hard stop for the reason `operator`, `resume` lifts every hard stop."""
        match action:
            case "stop":
                self.desk.stop_for_good("operator")
            case "resume":
                self.desk.lift()
                self._fees_asked.set()
            case _:
                raise ValueError(f"an operator may stop or resume; found {action!r}")
        self._wake.set()

    # The joints.

    def hands(self) -> Execution:
        """What sends the bot's requests."""
        return Execution(self.context, self.desk, self.diary)

    def levels(self) -> tuple[Level, ...]:
        """What one round quotes: each level, and whether the margin that is free now backs it at the last mid."""
        return self._weighed(levels_of(self.profile))

    def quote(self, level: Level, mid: Decimal) -> Quote:
        """The planned order of a level."""
        return quote_of(level, mid, self._contract)

    def gates(self) -> tuple[str, ...]:
        """Why no new entry may be sent, though what rests may rest on."""
        shut = {"fee_unresolved": not self.has_fees(), "edge_gate_blocked": not self.is_edge_open()}
        return tuple(reason for reason, holds in shut.items() if holds)

    def has_fees(self) -> bool:
        """Whether the fee rates are resolved as far as the profile asks."""
        return self.guard.are_fees_resolved or not self.profile.require_fee_resolution

    def is_edge_open(self) -> bool:
        """Whether a new quote pays."""
        return self.guard.is_edge_open(self.now_us())

    def turnover_room(self) -> Decimal:
        """How much one more entry may be worth, USDT."""
        return self.guard.turnover_room()

    def loss_room(self) -> Decimal:
        """How much one more entry may lose at worst, USDT."""
        return self.guard.loss_room()

    def cancel_room(self) -> int:
        """How many cancels may be sent now."""
        return self.desk.cancel_budget.room(self.now_us())

    def breaches(self) -> tuple[str, ...]:
        """Hard limits of the day that are exceeded now."""
        return self.guard.breaches()

    def is_latched(self, _reason: str) -> bool:
        """Whether a hard reason stays though its cause may have gone."""
        return True

    def why_close(self) -> str:
        """Why the position must be closed at market now; empty where it need not."""
        return self.desk.why_close(self.now_us())

    def state(self) -> tuple[str, tuple[str, ...]]:
        """running, soft_pause or hard_stop, and every reason that holds, as it is told and written."""
        return self.desk.state(self.now_us())

    def why_not(self, quote: Quote, *, is_backed: bool) -> str:
        """Why a planned order is not sent, weighed right before sending; empty where it is."""
        value_usdt = quote.price * quote.size
        if quote.below_minimum:
            return "below_minimum"
        if not is_backed:
            return "insufficient_margin"
        if value_usdt > self.turnover_room():
            return "turnover_cap"
        return "loss_projected" if self.guard.worst_loss(value_usdt) > self.loss_room() else ""

    def next_step(self) -> Step:
        """The one thing to do now."""
        now_us = self.now_us()
        self.guard.roll(now_us)
        for reason in self.breaches():
            self.desk.stop_for_good(reason)
        self.desk.gates, self.desk.cancel_room = self.gates(), self.cancel_room()
        self.desk.tidy(now_us, self.why_close())
        return decision.next_step(self.desk, now_us)

    async def act(self, step: Step) -> None:
        """Do one thing."""
        match step:
            case Cancel(client_id):
                await self.execution.cancel(client_id)
            case LookUp(client_id):
                self.desk.orders.looked_up(client_id, self.now_us())
                await self.look_up(client_id)
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
        """Read the account again, each minute and before each round.

        Settings that are not the profile's stop the bot for good.
        """
        async with self._reading:
            self._see_account(await self.context.venue.account(self.desk.symbol))

    async def read_fees(self) -> None:
        """Ask for the account's own fee rates; where the venue does not tell them, those known so far stay."""
        with suppress(VenueError, Unanswered):
            self.guard.see_rates(await self.context.venue.fee_rates(self.desk.symbol))

    def weigh_fees(self) -> None:
        """Unresolved fee rates stop the bot where the profile wants them resolved."""
        if not self.has_fees():
            self.desk.stop_for_good("fee_unresolved")

    async def reconcile(self) -> None:
        """Read what the venue knows of the time before this start, and make it the bot's own where it is."""
        past = await read_past(self.context, self.execution.started_ms)
        take_over(past, self.context, self.desk, self.diary)
        self.guard.open_day(self.now_us())

    async def look_up(self, client_id: str) -> None:
        """Ask what became of an order of which nothing is known."""
        await self.execution.look_up(client_id)

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
        state, _ = self.state()
        source, mid = self.guard.rates.source, self._last_mid(fill.price)
        return fill_row(self.diary, fill, state=state, mid=mid, closed=closed, fee_source=source)

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
                kept = (self._keep_samples(), self._minutes().keep(self._wake.set), self._keep_fees())
                chores += [group.create_task(chore) for chore in kept]
                await self._trade()
            else:
                self._tell(*self.state())
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
                state, reasons = self.state()
                self._tell(state, tuple(dict.fromkeys((*self.desk.hard_reasons, "starting", reason, *reasons))))
                await _within(wait_s, self._stop_asked)
                wait_s = min(2 * wait_s, 30)

    async def _take_stock(self) -> None:
        venue, desk = self.context.venue, self.desk
        self.execution.started_ms = await venue.server_time_ms()
        desk.contract = await venue.contract(desk.symbol)
        await self.agree_settings()
        await self._resolve_fees()
        await self.execution.read_lists()
        await self.reconcile()
        desk.see_ticker(await venue.ticker(desk.symbol), self.now_us())
        desk.started = True

    async def _resolve_fees(self) -> None:
        for wait_s in range(FEES_TRIES):
            await _within(wait_s, self._stop_asked)
            await self.read_fees()
            if self.guard.are_fees_resolved:
                break
        self.weigh_fees()

    async def _keep_fees(self) -> None:
        while True:
            await _within(FEES_AGAIN_S if self.guard.are_fees_resolved else FEES_WANTED_S, self._fees_asked)
            self._fees_asked.clear()
            await self.read_fees()
            self.weigh_fees()
            self._wake.set()

    def _minutes(self) -> Minutes:
        parts = (self.desk, self.diary, self.guard, self.execution)
        return Minutes(self.context, parts, read_settings=self.read_settings, state=self.state)

    async def _trade(self) -> None:
        while True:
            self._wake.clear()
            step = self.next_step()
            state, reasons = self.state()
            if isinstance(step, Wait | Finish) or state == "hard_stop":
                self._tell(state, reasons)  # else there is more to do, and the state is not yet what it will be
            if isinstance(step, Finish):
                return
            await self.act(step)

    async def _wait(self, until_us: int) -> None:
        await _within((until_us - self.now_us()) / SECOND_US, self._wake)
        self.desk.hard_reasons = [reason for reason in self.desk.hard_reasons if self.is_latched(reason)]

    async def _limit_the_end(self, limit: asyncio.Timeout) -> None:
        await self._stop_asked.wait()
        limit.reschedule(asyncio.get_running_loop().time() + CLOSING_S)

    async def _listen(self, stream: AsyncIterator[Push]) -> None:
        async for push in stream:
            hear(push, self.desk, self.diary, self.guard, self.now_us())
            self._wake.set()

    async def _keep_samples(self) -> None:
        while True:
            self.diary.sample(self.now_us(), self._last_mid(ZERO))
            await asyncio.sleep(self.profile.sample_interval_s)

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
        if self.cancel_room() < len(levels_of(self.profile)) + EXIT_CANCELS:
            self.desk.pause_cancels(self.now_us())
            return
        try:
            await self.read_settings()
        except (VenueError, Unanswered):
            self._put_off("account_unread")
            return
        if self.guard.available is None:
            self._put_off("account_unread")
        elif await self._read_book() and self.next_step() == BeginRound():  # else something happened meanwhile
            self.desk.round_margin_usdt = self.guard.available
            self.desk.begin_round(self.levels(), self.now_us())

    async def _place_quote(self, level: Level) -> None:
        is_backed = level.is_backed
        if self.now_us() - self._mid_us > BOOK_FRESH_US:
            if not await self._read_book() or self.next_step() != PlaceQuote(level):
                return  # something happened while the book was read
            is_backed = self._weighed((level,))[0].is_backed  # other prices, other sizes
        quote = self.quote(level, self._mid)
        if self.cancel_room() < len(self.desk.orders.entries) + 1 + EXIT_CANCELS:
            self.desk.pause_cancels(self.now_us())
            return
        reason = self.why_not(quote, is_backed=is_backed)
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
        self.guard.see_money(account, self.now_us())
        for setting in mismatches(self.profile, account):
            self.desk.stop_for_good(f"{setting}_mismatch")

    def _on_trade(self, fill: Fill, closed: Decimal) -> None:
        self.diary.fills.append(fill)
        if fill.trade_id not in self.context.recorded_trades:
            self.record_fill(fill, closed)

    def _tell(self, state: str, reasons: tuple[str, ...]) -> None:
        if (state, reasons) != self._told:
            self._told = (state, reasons)
            self.context.evidence.state(state, reasons)


async def _within(seconds: float, event: asyncio.Event) -> None:
    """Wait for `event`, at most `seconds`. Not by `wait_for`: on Python 3.11 that may swallow a cancellation."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
