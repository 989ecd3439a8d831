"""One request at a time: sent, and its outcome folded into the desk, whatever it is.

Nothing here decides what to send. A refusal says when the same may be tried again: an entry with the next round; a
take-profit after one `executor_refresh_time`, since stop and time limit guard the position meanwhile; a market close,
which nothing replaces, after 1 s, then 2, 4 and so on up to that time; a cancel as its order says. 22002 (no position
to close) is what the venue answers to an exit that lost a race against another fill: the position is read again, and
nothing was wrong.
"""

import asyncio

from botproof.bots.decision import SETTLE_US
from botproof.bots.desk import ECHO_US, Desk
from botproof.bots.diary import Diary
from botproof.bots.gates import SECOND_US
from botproof.bots.orders import Purpose
from botproof.errors import Unanswered, VenueError
from botproof.ports import BotContext, OrderRequest

NOTHING_TO_CLOSE = "22002"  # documented
DUPLICATE_ID = frozenset({"40786", "45034"})  # captured; the second is documented
SERVER_FAULT = 500  # HTTP; an envelope from a server that failed does not say what it did
UNKNOWN_ORDER = frozenset({"40109", "43001"})  # captured for detail and cancel


class Execution:
    """The bot's hands."""

    def __init__(self, context: BotContext, desk: Desk, diary: Diary) -> None:
        self._venue, self._clock, self._symbol = context.venue, context.clock, context.symbol
        self._prefix, self._counter = context.client_id_prefix, 0
        self._desk, self._diary = desk, diary
        self._reading = asyncio.Lock()  # of lists: the loop and the chores read them one after the other
        self.started_ms = 0  # venue time; trades before it are not this run's

    def next_client_id(self, *, is_exit: bool) -> str:
        """A new name for an order, or the name of an absent order of the same kind again."""
        spare = self._desk.orders.take_spare_id(is_exit=is_exit)
        if spare:
            return spare
        self._counter += 1
        return f"{self._prefix}{self._counter}"

    async def place(self, request: OrderRequest, purpose: Purpose) -> None:
        """Send an order. It counts from now on, whatever the answer will be."""
        orders = self._desk.orders
        orders.sent(request, purpose, self._clock.now_us())
        try:
            ack = await self._venue.place(request)
        except VenueError as error:
            if error.code in DUPLICATE_ID or error.status >= SERVER_FAULT:
                orders.unanswered(request.client_id, self._clock.now_us())  # it did land, or may have: ask for it
            else:
                orders.refused(request.client_id)
                self._note_refusal(purpose, error.code)
        except Unanswered:
            self._diary.timeouts_us.append(self._clock.now_us())
            await self.lost(request, purpose)
        else:
            self._desk.see_accepted(request.client_id, ack.order_id, self._clock.now_us())

    async def lost(self, request: OrderRequest, _purpose: Purpose) -> None:
        """No answer came to an order. It may rest: it is asked for until its fate is known; nothing is sent anew."""
        self._desk.orders.unanswered(request.client_id, self._clock.now_us())

    async def cancel(self, client_id: str) -> None:
        """Ask for a cancel. Only the venue's own word on the order ends it; without one it is looked up."""
        self._desk.orders.canceling(client_id, self._clock.now_us())
        self._desk.cancel_budget.sent(self._clock.now_us())
        try:
            await self._venue.cancel(self._symbol, client_id=client_id)
        except VenueError as error:
            if error.code in UNKNOWN_ORDER:
                return  # it is over already, and its last row is on the way
            self._diary.rejects_us.append(self._clock.now_us())
            if error.status < SERVER_FAULT:
                self._desk.orders.cancel_refused(client_id, self._clock.now_us())
        except Unanswered:
            self._diary.timeouts_us.append(self._clock.now_us())

    async def look_up(self, client_id: str) -> None:
        """Ask what became of an order."""
        order = self._desk.orders.get(client_id)
        if order is None:
            return
        self._desk.orders.looked_up(client_id, self._clock.now_us())
        try:
            row = await self._venue.order(self._symbol, client_id=client_id)
        except VenueError as error:
            if error.code in UNKNOWN_ORDER and self._desk.orders.get(client_id) is order:
                self._desk.orders.absent(client_id, self._clock.now_us())
        except Unanswered:
            return  # asked again later
        else:
            if self._desk.see_order(row, self._clock.now_us(), asked=True):
                self._diary.cancels_us.append(row.updated_ms * 1000)

    async def reread(self) -> None:
        """Read the venue's lists after a gap or a doubt: open orders, what became of the others, trades, position."""
        self._desk.reread_due_us = None
        try:
            await self.read_lists()
            for order in list(self._desk.orders):
                await self.look_up(order.client_id)
            await self.read_trades()
            self._desk.see_positions(await self._venue.positions(), self._clock.now_us())
        except (VenueError, Unanswered):
            self._desk.reread_due_us = self._clock.now_us() + ECHO_US
        else:
            self._desk.reread_done(self._clock.now_us())

    async def read_trades(self) -> None:
        """Read the account's trades since the start; those that were pushed already are known."""
        until_ms = self._clock.now_us() // 1000 + 60_000
        async with self._reading:
            fills = await self._venue.fills(self.started_ms, until_ms)
        for fill in fills:
            self._desk.see_fill(fill, self._clock.now_us())

    async def read_lists(self) -> tuple[int, int]:
        """Read the open lists; returns how many plain and trigger orders the account has."""
        async with self._reading:
            rows = await self._venue.open_orders()
            trigger_ids = await self._venue.open_trigger_order_ids()
        self._desk.see_open_orders(rows, trigger_ids, self._clock.now_us())
        return len(rows), len(trigger_ids)

    def _note_refusal(self, purpose: Purpose, code: str) -> None:
        desk, now_us = self._desk, self._clock.now_us()
        refresh_us = desk.profile.executor_refresh_time * SECOND_US
        if purpose is Purpose.ENTRY:
            desk.end_round("order_rejected")
        elif code == NOTHING_TO_CLOSE:
            desk.take_profit_after_us = desk.close_after_us = now_us + ECHO_US
            desk.reread_due_us = now_us + SETTLE_US
            return
        elif purpose is Purpose.TAKE_PROFIT:
            desk.take_profit_after_us = now_us + refresh_us
        else:
            desk.close_refusals = min(desk.close_refusals + 1, 20)
            desk.close_after_us = now_us + min(SECOND_US << (desk.close_refusals - 1), refresh_us)
        self._diary.rejects_us.append(now_us)
