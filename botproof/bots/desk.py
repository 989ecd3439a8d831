"""All that the bot knows, folded from what the venue says; nothing here acts, waits or reads a clock.

The net position is counted twice: by the trades of the bot's own orders (`holding`), and by the venue's own rows
(`venue_size`). The first is exact and immediate, the second is the truth; where they differ for longer than a push
may take, the venue is read again, and where they still differ the bot stops for good, since somebody else trades here.

Reasons that hold make the state. A hard reason latches until an operator lifts it; it withdraws every entry and closes
the position at market, at once: after a hard stop nobody tends the position any more, and what stopped the bot may be
the very thing that its exits rely on. A soft one pauses the bot, and a pause withdraws its entries; a gate that is shut
only forbids new ones, and what rests goes with its refresh. A note is only said.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal

from botproof.bots.day import Day
from botproof.bots.gates import CANCEL_PAUSE_US, SECOND_US, CancelBudget
from botproof.bots.holding import Holding, closable, stop_is_reached
from botproof.bots.orders import OwnOrders, Purpose
from botproof.bots.quoting import Level, backing_usdt
from botproof.money import ZERO
from botproof.ports import Contract, Fill, Order, Position, Ticker
from botproof.profile import Profile

STALE_US = 30 * SECOND_US
ECHO_US = 2 * SECOND_US  # how long the venue's word on a cancel, a market order or a trade is awaited before asking
COOLDOWN_S_MIN = 5
FAILED_CANCELS_MAX = 8  # in a row, before the bot stops for good
HARD_STOP = "hard_stop"  # why a position is closed under one
DISPUTES_MAX = 5  # readings in a row that contradict the own trades before the bot stops for good
FLAT = Position(symbol="", size=ZERO, entry_price=ZERO, mark_price=None, leverage=0, margin_mode="", t_ms=0)


class Desk:
    """State of one trading bot on one symbol."""

    def __init__(
        self, profile: Profile, symbol: str, *, began_us: int = 0, on_trade: Callable[[Fill, Decimal], None]
    ) -> None:
        """`on_trade` is told each own trade once, with how much of it closed, after it was folded in."""
        self.profile, self.symbol = profile, symbol
        self.own_prefix = f"{profile.instance_name}-"
        self.contract: Contract | None = None
        self.orders, self.holding = OwnOrders(), Holding()
        self.ticker: Ticker | None = None
        self.ticker_us = 0
        self.streams_up = {True: False, False: False}  # private, public
        self.venue_size, self.venue_entry_price = ZERO, ZERO
        self.inherited = ZERO  # what the account held on the symbol before this bot's first order
        self.foreign_orders: set[str] = set()  # ids, plain and trigger
        self.foreign_positions = False  # on other symbols
        self.no_trade = profile.no_trade or profile.variant == "d"
        self.hard_reasons: list[str] = []
        self.is_disabled = not profile.enabled or profile.variant not in "ad"
        self.gates: tuple[str, ...] = ()
        self.day = Day(symbol, began_us)
        self.cancel_budget = CancelBudget(profile.cancel_budget_per_min)
        self.cancel_room = profile.cancel_budget_per_min  # how many cancels may be sent at this step
        self.cancel_pause_until_us = 0
        self.started, self.stopping, self.proven_flat = False, False, False

        self.owed: tuple[Level, ...] = ()  # levels that the round under way has still to quote
        self.skipped: list[str] = []  # for each level of the round that was not sent, why
        self.round_size = 0
        self.round_margin_usdt = ZERO  # what the account had available when the round began, with no entry resting
        self.round_reason = ""  # what ended the round early
        self.next_round_us = 0
        self.cooldown_until_us = 0
        self.take_profit_after_us = 0  # a refused exit is not sent again before
        self.close_after_us = 0
        self.close_refusals = 0

        self.reread_due_us: int | None = None
        self.disputed_since_us: int | None = None
        self._disputes = 0
        self._on_trade = on_trade
        self._trades_seen: set[str] = set()
        self._unclaimed: list[Fill] = []
        self.weigh_latches()

    # What the venue says.

    def see_ticker(self, ticker: Ticker, now_us: int) -> None:
        """A side that holds nothing has no price: such a ticker tells nothing, and the one before grows stale."""
        if ticker.bid > 0 and ticker.ask > 0:
            self.ticker, self.ticker_us = ticker, now_us

    def see_stream(self, *, private: bool, is_up: bool, now_us: int) -> None:
        """A stream opened or closed; what happened in the gap has to be read."""
        self.streams_up[private] = is_up
        if private and is_up and self.started:
            self.reread_due_us = now_us

    def see_order(self, row: Order, now_us: int, *, asked: bool = False) -> bool:
        """A row of an order, pushed or asked for; returns whether an own order went with it, canceled."""
        if not row.client_id.startswith(self.own_prefix):
            (self.foreign_orders.add if row.state.is_open else self.foreign_orders.discard)(row.order_id)
            return False
        order = self.orders.get(row.client_id)
        if order is None and not self.orders.is_over(row.client_id) and row.state.is_open:
            self.orders.adopt(row, now_us)
        if order is not None and order.purpose is Purpose.CLOSE and not row.state.is_open and not row.filled:
            self.close_after_us = now_us + SECOND_US  # nobody was there to trade with, and may not be at once
        is_gone = self.orders.seen(row, now_us, asked=asked)
        self._claim(now_us)
        return is_gone

    def see_accepted(self, client_id: str, order_id: str, now_us: int) -> None:
        self.orders.accepted(client_id, order_id, now_us)
        self._claim(now_us)

    def see_open_orders(self, rows: Sequence[Order], trigger_ids: Sequence[str], now_us: int) -> None:
        """The complete lists: what is foreign is remembered, what is an unknown own order is taken in."""
        self.foreign_orders = set(trigger_ids)
        for row in rows:
            self.see_order(row, now_us)
        self.orders.listed({row.client_id for row in rows}, now_us - ECHO_US)

    def see_fill(self, fill: Fill, now_us: int) -> None:
        """A trade of the account, however often it is told; those of other people's orders are not this bot's."""
        self.day.fill(fill)
        if fill.symbol != self.symbol or fill.trade_id in self._trades_seen:
            return
        client_id = fill.client_id or self.orders.name_of(fill.order_id)
        if not client_id:
            if all(fill.trade_id != waiting.trade_id for waiting in self._unclaimed):
                self._unclaimed.append(fill)  # its order has not been named yet
        elif client_id.startswith(self.own_prefix):
            self._book(fill, client_id, now_us)

    def see_positions(self, positions: Sequence[Position], now_us: int) -> None:
        """The complete list of open positions."""
        ours = next((position for position in positions if position.symbol == self.symbol), FLAT)
        self.venue_size, self.venue_entry_price = ours.size, ours.entry_price
        self.foreign_positions = any(position.symbol != self.symbol for position in positions)
        if not self.venue_size and not self.holding.size:
            self.inherited = ZERO
        if self.is_agreed and self.holding.size and not self.inherited:
            self.holding.entry_price = self.venue_entry_price
        self._weigh_dispute(now_us)

    def reread_done(self, now_us: int) -> None:
        """Trades and positions were read; where they still contradict one another, somebody else trades here."""
        if self.is_settled:
            self._disputes = 0
            return
        self._disputes, self.disputed_since_us = self._disputes + 1, now_us
        if self._disputes >= DISPUTES_MAX:
            self.stop_for_good("position_mismatch")

    def see_first_positions(self, positions: Sequence[Position], now_us: int) -> None:
        """The positions before the first order: what this run's own trades do not explain was inherited."""
        size = next((p.size for p in positions if p.symbol == self.symbol), ZERO)
        self.inherited = size - self.holding.size
        self.see_positions(positions, now_us)

    def see_earlier_trades(self, fills: Sequence[Fill], prefix: str, now_us: int) -> None:
        """Trades of this run from before this start (client ids under `prefix`), oldest first.

        The position that they make is this bot's own again, with its opening time and entry price. Those that came by
        push while the list was read are folded anew with the others, in their order, and told no second time.
        """
        told, self.holding = frozenset(self._trades_seen), Holding()
        booked: dict[str, Decimal] = {}
        for fill in fills:
            self._trades_seen.add(fill.trade_id)
            booked[fill.order_id] = booked.get(fill.order_id, ZERO) + fill.size
            closed = self.holding.add(fill)
            if fill.trade_id not in told:
                self._on_trade(fill, closed)
        self.orders.explained(prefix, booked)
        self._weigh_dispute(now_us)

    def expect(self, client_id: str, now_us: int) -> None:
        """An earlier start may have sent an order of this name; until that is known nothing new is quoted."""
        if not self.no_trade and self.orders.get(client_id) is None and not self.orders.is_over(client_id):
            self.orders.expect(client_id, self.symbol, now_us)

    def stop_for_good(self, reason: str) -> None:
        """Add a hard reason; it stays until it is lifted."""
        if reason not in self.hard_reasons:
            self.hard_reasons.append(reason)

    def lift(self) -> None:
        """An operator lifts every hard stop; what still holds stops the bot again at once."""
        self.hard_reasons.clear()
        self.orders.forgive()
        self._disputes = 0
        self.round_reason, self.next_round_us = "", 0
        if self.holding.close_reason == HARD_STOP:
            self.holding.close_reason = ""
        self.weigh_latches()

    def weigh_latches(self) -> None:
        """Stop for good for what is known here."""
        if self.is_disabled:
            self.stop_for_good("profile_disabled")
        if self.orders.failed_cancels >= FAILED_CANCELS_MAX:
            self.stop_for_good("cancels_refused")

    def pause_cancels(self, now_us: int) -> None:
        """The budget of cancels has no room for what comes next: nothing new for a while."""
        self.cancel_pause_until_us = now_us + CANCEL_PAUSE_US

    # What follows from it.

    @property
    def trades_seen(self) -> int:
        return len(self._trades_seen)

    @property
    def is_agreed(self) -> bool:
        """Whether own trades and the venue's row give one net position."""
        return self.venue_size == self.inherited + self.holding.size

    @property
    def is_settled(self) -> bool:
        """Whether no trade and no position row is known to be on its way."""
        return self.is_agreed and not self.orders.owed_trades

    @property
    def to_close(self) -> Decimal:
        """The signed size that exits owe; a no-trade bot sends none."""
        if self.no_trade or self.contract is None:
            return ZERO
        return closable(self.holding.size, self.venue_size, self.contract.qty_step)

    @property
    def awaits_trades(self) -> bool:
        """Whether exits must wait for trades on their way; not for ever, where the venue does not tell of them."""
        return bool(self.orders.owed_trades) and "position_mismatch" not in self.hard_reasons

    @property
    def free_margin_usdt(self) -> Decimal:
        """What is left for entries of the margin that was available when the round began, with none resting then.

        What the round's own entries hold since is counted here and not by the account's pushes, which may come before
        or after them. One whose fate is unknown may rest, and counts.
        """
        assert self.contract is not None, "the contract is read before anything is quoted"
        free_usdt = self.round_margin_usdt
        for order in self.orders.entries:
            price = order.request.price or ZERO
            free_usdt -= backing_usdt(price, order.remaining, self.profile.leverage, self.contract)
        return free_usdt

    def pauses(self, now_us: int) -> tuple[str, ...]:
        """Why no entry may be sent or rest, apart from gates and what a round itself found; empty where it may."""
        stale = self.ticker is None or now_us - self.ticker_us > STALE_US
        found = {
            "starting": not self.started,
            "stopping": self.stopping,
            "no_trade": self.no_trade,
            "inherited_position": bool(self.inherited) or self.foreign_positions,
            "foreign_order": bool(self.foreign_orders),
            "stream_down": not all(self.streams_up.values()),
            "order_book_stale": self.started and stale,
            "cooldown": now_us < self.cooldown_until_us,
            "cancel_budget": now_us < self.cancel_pause_until_us or self.cancel_room <= 0,
        }
        return (*self.hard_reasons, *(reason for reason, holds in found.items() if holds))

    def soft_round_reasons(self) -> tuple[str, ...]:
        """Why the last round put nothing, or not all, at the venue, in a way that withdraws the rest of it."""
        if self.round_reason:
            return (self.round_reason,)
        return self._skip_reasons() if self.round_size and len(self.skipped) == self.round_size else ()

    def state(self, now_us: int) -> tuple[str, tuple[str, ...]]:
        """running, soft_pause or hard_stop, and every reason that holds."""
        reasons = tuple(dict.fromkeys((*self.pauses(now_us), *self.gates, *self.soft_round_reasons())))
        notes = tuple(reason for reason in self._skip_reasons() if reason not in reasons)
        notes += ("fate_unknown",) if self.orders.unknown else ()
        if self.hard_reasons:
            return "hard_stop", reasons + notes
        return ("soft_pause" if reasons else "running"), reasons + notes

    def why_close(self, now_us: int) -> str:
        """Why the position must be closed at market now; empty where it need not."""
        holding = self.holding
        if not holding.size:
            return ""
        if self.stopping:
            return "stopping"
        if self.hard_reasons:
            return HARD_STOP
        if now_us >= holding.opened_us + self.profile.time_limit * SECOND_US:
            return "time_limit"
        is_reached = self.ticker and stop_is_reached(holding, self.profile.stop_loss, self.ticker.bid, self.ticker.ask)
        return "stop_loss" if is_reached else ""

    def tidy(self, now_us: int, why_close: str | None = None) -> None:
        """Draw the consequences of time and prices: latch why to close, and give up a round that may not go on.

        `why_close` replaces the desk's own answer, where somebody knows better.
        """
        self.weigh_latches()
        if self.holding.size and not self.holding.close_reason:
            self.holding.close_reason = self.why_close(now_us) if why_close is None else why_close
        self._weigh_dispute(now_us)
        if self.holding.size or self.pauses(now_us):
            self.owed = ()
            if not self.soft_round_reasons():
                self.next_round_us = min(self.next_round_us, now_us)
        elif self.gates:
            self.owed = ()

    def begin_round(self, levels: tuple[Level, ...], now_us: int) -> None:
        self.owed, self.round_size, self.skipped, self.round_reason = levels, len(levels), [], ""
        self.next_round_us = now_us + self.profile.executor_refresh_time * SECOND_US

    def end_round(self, reason: str) -> None:
        """The round went wrong: withdraw what it placed and wait for the next."""
        self.owed, self.round_reason = (), reason

    def level_done(self, level: Level, *, skipped: str = "") -> None:
        """The level was quoted, or `skipped` says why not."""
        self.owed = tuple(owed for owed in self.owed if owed != level)
        if skipped:
            self.skipped.append(skipped)

    def _skip_reasons(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.skipped))

    def _book(self, fill: Fill, client_id: str, now_us: int) -> None:
        self._trades_seen.add(fill.trade_id)
        fill = replace(fill, client_id=client_id)
        self.orders.trade(client_id, fill, now_us)
        close_reason = self.holding.close_reason
        closed = self.holding.add(fill)
        if close_reason == "stop_loss" and not self.holding.size:
            self.cooldown_until_us = now_us + max(COOLDOWN_S_MIN, self.profile.cooldown_time) * SECOND_US
        if not self.holding.size:
            self.take_profit_after_us = self.close_after_us = self.close_refusals = 0
        self._weigh_dispute(now_us)
        self._on_trade(fill, closed)

    def _claim(self, now_us: int) -> None:
        waiting, self._unclaimed = self._unclaimed, []
        for fill in waiting:
            self.see_fill(fill, now_us)

    def _weigh_dispute(self, now_us: int) -> None:
        if self.is_settled:
            self.disputed_since_us = None
        elif self.disputed_since_us is None:
            self.disputed_since_us = now_us
        elif "position_mismatch" not in self.hard_reasons and now_us >= self.disputed_since_us + ECHO_US:
            self.reread_due_us = now_us if self.reread_due_us is None else self.reread_due_us
