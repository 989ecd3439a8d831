"""What to do next: one step, decided from the desk alone.

The bot does one thing at a time and decides anew after each, so a step never rests on what was true before the last
answer. The order of the questions is the order of dangers:

1. Entries that may not rest are withdrawn: a net position exists, the bot is paused or stopping, their time is up, or
   an earlier start of the bot left them.
   *All* entries go on *any* net position. That is the simplest rule under which the envelope and the exits hold
   together: what is left is one position worth at most its own side's share, one exit for it, and nothing that
   could turn it over while the exit works. Where both sides fill before the cancels land, the venue has netted.
2. A net position gets one exit. A take-profit LIMIT rests for all of it. A stop, the time limit or the end of the run
   cancels that first, awaits its fate, and sends a market order for what is then left. A second exit never waits
   beside a first, and no exit is larger than what both the own trades and the venue call open.
3. What nobody knows is found out: unanswered requests, cancels without an echo, trades that were announced and did
   not come.
4. A flat, unpaused bot begins a round every `executor_refresh_time`: cancel, wait for the venue's word on it, read
   what margin is available, quote what it covers. While a fate is unknown nothing new is sent.

A cancel is sent only where the budget has room. The last one of it belongs to the exit: what bars a stop from closing
a position is worse than an entry that rests a little longer.

Before it builds on the disappearance of an order the bot leaves `SETTLE_US` for a trade that raced the cancel, and
for the other listeners to the account, who learn of it a few milliseconds apart. A market close waits for less: the
price runs away meanwhile, and the canceled order's own row says whether a trade is on its way.
"""

from dataclasses import dataclass
from decimal import Decimal

from botproof.bots.desk import ECHO_US, STALE_US, Desk
from botproof.bots.gates import SECOND_US
from botproof.bots.orders import Fate, OwnOrder, Purpose
from botproof.bots.quoting import Level
from botproof.events import OrderType

SETTLE_US = SECOND_US // 4
CLOSE_SETTLE_US = SECOND_US // 20
ASK_AGAIN_US = 2 * SECOND_US
EXIT_PATIENCE_US = 2 * SECOND_US  # how long a take-profit waits for the entries' cancels; it is owed within 5 s
IDLE_US = 10 * SECOND_US


@dataclass(frozen=True, slots=True)
class Cancel:
    client_id: str


@dataclass(frozen=True, slots=True)
class LookUp:
    client_id: str


@dataclass(frozen=True, slots=True)
class Reread:
    """Read trades and positions of the venue again."""


@dataclass(frozen=True, slots=True)
class TakeProfit:
    size: Decimal  # signed, the position to close


@dataclass(frozen=True, slots=True)
class Close:
    size: Decimal  # signed, the position to close


@dataclass(frozen=True, slots=True)
class BeginRound:
    pass


@dataclass(frozen=True, slots=True)
class PlaceQuote:
    level: Level


@dataclass(frozen=True, slots=True)
class ProveFlat:
    """Read the venue once more before calling it a day."""


@dataclass(frozen=True, slots=True)
class Finish:
    pass


@dataclass(frozen=True, slots=True)
class Wait:
    until_us: int


Step = Cancel | LookUp | Reread | TakeProfit | Close | BeginRound | PlaceQuote | ProveFlat | Finish | Wait


def next_step(desk: Desk, now_us: int) -> Step:
    """The one thing to do at `now_us`."""
    step = _withdraw(desk, now_us) or _exit(desk, now_us) or _find_out(desk, now_us)
    step = step or (_finish(desk, now_us) if desk.stopping else _quote(desk, now_us))
    return step or Wait(_due_us(desk, now_us))


def _withdraw(desk: Desk, now_us: int) -> Step | None:
    paused = desk.pauses(now_us) or desk.soft_round_reasons()
    all_go = bool(desk.holding.size or paused or now_us >= desk.next_round_us)
    for order in desk.orders.entries:
        if (all_go or order.purpose is Purpose.LEFTOVER) and _may_cancel(order, desk, now_us):
            return Cancel(order.client_id)
    return None


def _may_cancel(order: OwnOrder, desk: Desk, now_us: int) -> bool:
    """Whether the order works, its last cancel did not fail just now, and the budget has room."""
    if order.fate is not Fate.WORKING or now_us < order.cancel_after_us:
        return False
    is_kept_for_exit = not order.is_exit and desk.orders.exit is not None and desk.cancel_budget.per_min > 1
    return desk.cancel_room > (1 if is_kept_for_exit else 0)


def _exit(desk: Desk, now_us: int) -> Step | None:
    exit_order, size = desk.orders.exit, desk.to_close
    if exit_order is not None:
        is_due_to_go = not _fits(exit_order, desk) or desk.holding.close_reason
        is_limit = exit_order.purpose is Purpose.TAKE_PROFIT
        if is_limit and is_due_to_go and _may_cancel(exit_order, desk, now_us):
            return Cancel(exit_order.client_id)
        return None
    if not size or desk.awaits_trades:
        return None
    if desk.holding.close_reason:
        is_due = now_us >= max(desk.close_after_us, desk.orders.last_gone_us + CLOSE_SETTLE_US)
        return Close(size) if is_due else None
    if now_us < desk.orders.last_gone_us + SETTLE_US:
        return None
    awaits_entries = desk.orders.entries and now_us < desk.holding.opened_us + EXIT_PATIENCE_US
    if awaits_entries or now_us < desk.take_profit_after_us:
        return None
    return TakeProfit(size)


def _fits(order: OwnOrder, desk: Desk) -> bool:
    """Whether a working exit is for exactly what there is to close; while the desk is unsettled nobody can tell."""
    if not desk.is_settled:
        return True
    return order.request.side is desk.holding.closing_side and order.remaining == abs(desk.to_close)


def _find_out(desk: Desk, now_us: int) -> Step | None:
    for order in desk.orders:
        if _ask_at_us(order) <= now_us:
            return LookUp(order.client_id)
    if desk.reread_due_us is not None and now_us >= desk.reread_due_us:
        return Reread()
    return None


def _ask_at_us(order: OwnOrder) -> int:
    """When to ask the venue about an order that it has not spoken of; never, where it rests in peace."""
    awaits_echo = order.fate is Fate.CANCELING or order.request.order_type is OrderType.MARKET
    if order.fate is Fate.UNKNOWN or order.is_doubted:
        first_us = order.since_us
    elif awaits_echo:
        first_us = order.since_us + ECHO_US
    else:
        return _NEVER_US
    return max(first_us, order.looked_up_us + ASK_AGAIN_US)


def _finish(desk: Desk, now_us: int) -> Step | None:
    is_disputed = not desk.is_settled and "position_mismatch" not in desk.hard_reasons
    if len(desk.orders) or desk.to_close or is_disputed:
        return None
    if desk.proven_flat:
        return Finish()
    return ProveFlat() if now_us >= desk.orders.last_gone_us + SETTLE_US else None


def _quote(desk: Desk, now_us: int) -> Step | None:
    orders = desk.orders
    if desk.pauses(now_us) or desk.gates or desk.holding.size or not desk.is_settled:
        return None
    if orders.unknown or orders.exit or now_us < orders.last_gone_us + SETTLE_US:
        return None
    if desk.owed:
        return PlaceQuote(desk.owed[0])
    return BeginRound() if now_us >= desk.next_round_us and not len(orders) else None


_NEVER_US = 1 << 62


def _due_us(desk: Desk, now_us: int) -> int:
    """The next instant at which the answer may change although nothing was heard."""
    holding = desk.holding
    instants = [
        now_us + IDLE_US,
        desk.next_round_us,
        desk.cooldown_until_us,
        desk.cancel_pause_until_us,
        _room_at_us(desk, now_us),
        desk.take_profit_after_us,
        desk.close_after_us,
        desk.orders.last_gone_us + (CLOSE_SETTLE_US if holding.close_reason else SETTLE_US),
        desk.ticker_us + STALE_US + 1,
        _NEVER_US if desk.reread_due_us is None else desk.reread_due_us,
        _NEVER_US if desk.disputed_since_us is None else desk.disputed_since_us + ECHO_US,
        holding.opened_us + EXIT_PATIENCE_US,
        holding.opened_us + desk.profile.time_limit * SECOND_US,
        *(_ask_at_us(order) for order in desk.orders),
        *(order.cancel_after_us for order in desk.orders),
    ]
    return min(instant for instant in instants if instant > now_us)


def _room_at_us(desk: Desk, now_us: int) -> int:
    """When the budget of cancels has more room, where it matters."""
    if desk.cancel_room > len(desk.orders):
        return _NEVER_US
    return desk.cancel_budget.frees_us(now_us) or _NEVER_US
