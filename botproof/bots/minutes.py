"""The chore that reads the account once a minute and writes what was so at the minute's first instant."""

import asyncio
from collections.abc import Awaitable, Callable

from botproof.bots.desk import Desk
from botproof.bots.diary import MINUTE_US, Diary, Instant, minute_row
from botproof.bots.execution import Execution
from botproof.bots.gates import SECOND_US
from botproof.bots.guard import Guard
from botproof.errors import Unanswered, VenueError
from botproof.ports import BotContext

ROW_AFTER_US = SECOND_US  # a row waits this long after its minute's first instant, for the pushes of that instant
FUNDING_MIN = 3  # minutes after each full hour in which bills are read: funding is settled on the hour

ReadSettings = Callable[[], Awaitable[None]]
TellState = Callable[[], tuple[str, tuple[str, ...]]]


class Minutes:
    """Reads and writes; nothing here trades."""

    def __init__(
        self,
        context: BotContext,
        parts: tuple[Desk, Diary, Guard, Execution],
        *,
        read_settings: ReadSettings,
        state: TellState,
    ) -> None:
        self._context = context
        self._desk, self._diary, self._guard, self._execution = parts
        self._read_settings, self._state = read_settings, state

    async def keep(self, wake: Callable[[], None]) -> None:
        """Write a row now and one for each minute that begins; `wake` is called after every reading."""
        await self._write(self._now_us(), wake)
        while True:
            minute_us = (self._now_us() // MINUTE_US + 1) * MINUTE_US
            while (left_us := minute_us + ROW_AFTER_US - self._now_us()) > 0:
                await asyncio.sleep(left_us / SECOND_US)
            await self._write(minute_us, wake)

    async def _write(self, at_us: int, wake: Callable[[], None]) -> None:
        plain, trigger = await self._read_account(at_us)
        wake()
        desk = self._desk
        state, reasons = self._state()
        if desk.ticker is None:
            return
        now = Instant(
            at_us=at_us,
            ticker=desk.ticker,
            state=state,
            reasons=reasons,
            equity=self._guard.equity,
            wallet=self._guard.wallet,
            position=desk.venue_size,
            entry_price=desk.venue_entry_price,
            rates=self._guard.rates,
            is_edge_open=self._guard.edge.is_open,
            orders_active=len(desk.orders),
            venue_open_orders=plain,
            venue_plan_orders=trigger,
            venue_fills_seen=desk.trades_seen,
        )
        self._context.evidence.minute(minute_row(self._diary, self._context.run_id, now))
        self._diary.prune(at_us)

    async def _read_account(self, at_us: int) -> tuple[int | None, int | None]:
        try:
            await self._read_settings()
            if not self._desk.streams_up[True]:
                await self._execution.read_trades()  # nobody pushes what the row must count
            if at_us // MINUTE_US % 60 < FUNDING_MIN:
                await self._read_funding()
            return await self._execution.read_lists()
        except (VenueError, Unanswered):
            return None, None

    async def _read_funding(self) -> None:
        midnight_us = self._desk.day.midnight_us
        for bill in await self._context.venue.bills(midnight_us // 1000, self._now_us() // 1000):
            self._desk.day.bill(bill)

    def _now_us(self) -> int:
        return self._context.clock.now_us()
