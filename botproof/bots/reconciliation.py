"""What the venue knows of the time before this start, read before the first order.

1. Fills and funding of the UTC day, of whatever client id: they count against turnover and loss.
2. After a restart within one run, the fills of the run's earlier starts: the position that they make is the bot's own
   again. The list of fills names no client ids (documented), so the orders of the last 24 h name them. Fills are read
   between two equal readings of the positions, so that no trade is in one and not in the other.
3. An earlier start that died may have sent one request whose answer nobody read. Client ids are counted, so its name
   is known but for the numbers that refused requests used up: the next few names are looked up until they either show
   or cannot land any more, and nothing new is quoted before.

What an earlier *run* left is not explained here: its position was declared, or it is somebody's to explain.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from botproof.bots.day import DAY_US
from botproof.bots.desk import Desk
from botproof.bots.diary import MINUTE_US, Diary
from botproof.errors import Unanswered
from botproof.events import OrderState
from botproof.ports import Bill, BotContext, Fill, Order, Position

DAY_MS = DAY_US // 1000
AHEAD_MS = 60_000  # the venue's clock may be ahead of the reading of it
NAMES_TRIED = 3  # after the last name that an earlier start is known to have used
READINGS_MAX = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """Fills of 24 h; after a restart the orders of 24 h, ended and open, that name them; bills since midnight."""

    fills: tuple[Fill, ...]
    orders: tuple[Order, ...]
    open_orders: tuple[Order, ...]
    bills: tuple[Bill, ...]
    positions: tuple[Position, ...]

    def fills_under(self, prefix: str) -> list[Fill]:
        """Those of orders whose client ids begin with `prefix`, oldest first."""
        found = [fill for fill in self.fills if fill.client_id.startswith(prefix)]
        return sorted(found, key=lambda fill: fill.t_ms)  # equal instants stay in the venue's order

    def cancels_us(self, prefix: str, since_us: int) -> list[int]:
        """When orders under `prefix` were canceled, since `since_us`."""
        ended = (order for order in self.orders if order.client_id.startswith(prefix))
        found = (order.updated_ms * 1000 for order in ended if order.state is OrderState.CANCELED)
        return [at_us for at_us in found if at_us > since_us]


async def read_past(context: BotContext, now_ms: int) -> Past:
    """Read it all. Raises `VenueError`, and `Unanswered` also where the position does not stand still meanwhile."""
    venue, is_again = context.venue, is_restart(context)
    orders = await venue.order_history(now_ms - DAY_MS, now_ms + AHEAD_MS) if is_again else ()
    still_open = await venue.open_orders() if is_again else ()
    bills = await venue.bills(now_ms // DAY_MS * DAY_MS, now_ms + AHEAD_MS)
    before = await venue.positions()
    for _ in range(READINGS_MAX):
        fills = await venue.fills(now_ms - DAY_MS, now_ms + AHEAD_MS)
        positions = await venue.positions() if is_again else before
        if _sizes(positions) == _sizes(before):
            named = _named(fills, (*orders, *still_open))
            return Past(fills=named, orders=orders, open_orders=still_open, bills=bills, positions=positions)
        before = positions
    raise Unanswered("the position moved while its fills were read")


def take_over(past: Past, context: BotContext, desk: Desk, diary: Diary) -> None:
    """Fold it all in: the day's money, and after a restart cancels, trades, position and names in doubt."""
    now_us = context.clock.now_us()
    for fill in past.fills:
        desk.day.fill(fill)
    for bill in past.bills:
        desk.day.bill(bill)
    if is_restart(context):
        run_prefix = context.run_prefix
        diary.cancels_us = past.cancels_us(run_prefix, now_us - MINUTE_US)
        desk.cancel_budget.restore(diary.cancels_us)
        desk.see_earlier_trades(past.fills_under(run_prefix), run_prefix, now_us)
        known = [order.client_id for order in (*past.orders, *past.open_orders)]
        for client_id in names_in_doubt(run_prefix, context.client_id_prefix, known):
            desk.expect(client_id, now_us)
    desk.see_first_positions(past.positions, now_us)


def is_restart(context: BotContext) -> bool:
    """Whether an earlier start of the same run may have traded."""
    return bool(context.run_prefix) and context.client_id_prefix != context.run_prefix


def names_in_doubt(run_prefix: str, client_id_prefix: str, known: Iterable[str]) -> list[str]:
    """Client ids that an earlier start of the run may have used last, given those that the venue showed.

    >>> names_in_doubt("bot1-a-", "bot1-a-r2-", ["bot1-a-1", "bot1-a-2"])
    ['bot1-a-3', 'bot1-a-4', 'bot1-a-5']
    """
    highest = dict.fromkeys(_earlier_prefixes(run_prefix, client_id_prefix), 0)
    shape = re.compile(re.escape(run_prefix) + r"(?:r\d+-)?(?=\d+$)")
    for client_id in known:
        match = shape.match(client_id)
        if match and match[0] in highest:
            highest[match[0]] = max(highest[match[0]], int(client_id[match.end() :]))
    return [f"{prefix}{last + ahead}" for prefix, last in highest.items() for ahead in range(1, NAMES_TRIED + 1)]


def _earlier_prefixes(run_prefix: str, client_id_prefix: str) -> list[str]:
    match = re.fullmatch(re.escape(run_prefix) + r"r(\d+)-", client_id_prefix)
    if match is None:
        return []
    return [run_prefix, *(f"{run_prefix}r{start}-" for start in range(2, int(match[1])))]


def _sizes(positions: Sequence[Position]) -> dict[str, object]:
    return {position.symbol: position.size for position in positions}


def _named(fills: Sequence[Fill], orders: Sequence[Order]) -> tuple[Fill, ...]:
    names = {order.order_id: order.client_id for order in orders}
    return tuple(replace(fill, client_id=fill.client_id or names.get(fill.order_id, "")) for fill in fills)
