"""The exchange without I/O: commands in, outcomes out, and a market that moves only when it is looked at.

Time is handed in. `advance(now_us)` lets the market do what it did up to now; `apply(account, command, now_us)` then
carries out one command at that instant. Both return outcomes in the order in which they happened. How orders fill is
told in `matching`, which orders may enter in `admission`.

What an accepted order goes through: a closing order is cut to its position (documented: reduce-only never opens; that
the order's size is what is reduced is inferred) and makes room by canceling older closing orders in the order of
their creation until the sum fits (documented); post_only that would trade and fok that cannot fill are canceled before
they trade (inferred: accepted first); then it takes what it reaches; then it rests, unless it is a market, ioc or fok
order.

Two things happen by themselves, each at its own instant: the market reaches a resting order, and funding is settled.
Where both fall on one instant the settlement comes first: it concerns the positions that stood just before it. So a
position closed at the very instant of a settlement pays, and one opened at it does not; commands come after both. The
rate is the last one published before the instant (captured), the mark that of the instant.

Liquidation and trigger orders would be further sources of instants: they belong into the loop of `advance` beside these
two, and into `next_event_us`.
"""

from decimal import Decimal
from itertools import islice

from botproof.events import Side
from botproof.money import ZERO, plain

from .account import Account
from .admission import Intake, refusal
from .contract import BTCUSDT, ContractRules, FeeRates
from .market import Market
from .matching import Matching
from .messages import (
    AccountView,
    BillView,
    CancelOrder,
    Command,
    FillOrder,
    FillView,
    FundingView,
    MarketTrade,
    OrderAccepted,
    OrderView,
    Outcome,
    PlaceOrder,
    PositionView,
    Quote,
    Refused,
    SettingsView,
    Settlement,
)
from .orders import ONE_WAY, Order
from .settings import Change, Setting, change_setting, settings_view
from .switches import Switches

_AS_INFERRED = Switches()
_SETTLEMENTS_SHOWN = 270  # 90 days of them, as other histories (inferred)


class Exchange:
    """One contract, its market, and the accounts that trade on it."""

    def __init__(
        self,
        *,
        market: Market,
        rules: ContractRules = BTCUSDT,
        seed: int,
        opened_us: int,
        switches: Switches = _AS_INFERRED,
    ) -> None:
        self.market, self.rules, self.switches = market, rules, switches
        self._matching = Matching(market=market, rules=rules, switches=switches, seed=seed, opened_us=opened_us)
        self._accounts = self._matching.accounts
        self._orders = self._matching.orders
        self._accepted = 0

    def open_account(
        self,
        account: str,
        deposit: Decimal,
        *,
        leverage: int = 20,  # of a new account (inferred)
        position_mode: str = ONE_WAY,
        margin_mode: str = "crossed",
        rates: FeeRates | None = None,
    ) -> None:
        """A new account with `deposit` USDT transferred in; it pays the contract's base rates unless it has its own.

        Raises ValueError where the name is taken.
        """
        if account in self._accounts:
            raise ValueError(f"account {account!r} is open already")
        self._accounts[account] = Account(
            name=account,
            rates=rates or self.rules.fee_rates,
            leverage=leverage,
            position_mode=position_mode,
            margin_mode=margin_mode,
        )
        self._matching.bill(self._accounts[account], "trans_from_exchange", amount=deposit, fee=ZERO)

    def set_fee_rates(self, account: str, rates: FeeRates) -> None:
        """Put an account on another fee tier: what it trades from now on is charged at `rates`."""
        self._accounts[account].rates = rates

    # Time

    @property
    def now_us(self) -> int:
        """The last instant that was advanced to."""
        return self._matching.now_us

    def advance(self, now_us: int) -> list[Outcome]:
        """What happened by itself up to and including `now_us`; nothing where time does not move on."""
        outcomes: list[Outcome] = []
        while (at_us := self.next_event_us(now_us)) is not None:
            is_settlement = at_us == self._settlement_us(at_us)
            is_touch = not is_settlement or at_us == self._touch_us(at_us)
            self._matching.move(at_us)
            if is_settlement:
                outcomes += self._matching.settle_funding(self.market.funding_rate(at_us - 1))
            if is_touch:
                outcomes += self._matching.fill_touched()
        if now_us > self.now_us:
            self._matching.move(now_us)
        return outcomes

    def next_event_us(self, until_us: int) -> int | None:
        """The first instant after the last advance, and at most `until_us`, at which something happens by itself.

        To be asked again after every command and every scripted move of the market.
        """
        settlement_us = self._settlement_us(until_us)
        touch_us = self._touch_us(until_us if settlement_us is None else settlement_us)
        return settlement_us if touch_us is None else touch_us

    def _settlement_us(self, until_us: int) -> int | None:
        """The next settlement that finds an open position; positions change by fills alone, so it is asked again."""
        at_us = self.rules.next_funding_us(self.now_us)
        if at_us > until_us or not any(account.positions for account in self._accounts.values()):
            return None
        return at_us

    def _touch_us(self, until_us: int) -> int | None:
        buy, sell = self._orders.extremes()
        if buy is None and sell is None:
            return None
        return self.market.first_touch(self.now_us, until_us, buy, sell)

    # Commands

    def apply(self, account: str, command: Command, now_us: int) -> list[Outcome]:
        """Carry out one command at `now_us`, which must have been advanced to.

        A refusal is `[Refused]` and changes nothing. A settings command answers with `SettingsChanged`, also where the
        setting was so already. Raises KeyError where there is no such account.
        """
        assert now_us == self.now_us, f"advance to {now_us} first: the exchange stands at {self.now_us}"
        holder = self._accounts[account]
        if isinstance(command, PlaceOrder):
            return self._place(holder, command)
        if isinstance(command, CancelOrder):
            return self._cancel(holder, command)
        if isinstance(command, FillOrder):
            return self._force(holder, command)
        return self._set(holder, command)

    def _place(self, account: Account, command: PlaceOrder) -> list[Outcome]:
        intake = Intake(
            command=command,
            account=account,
            orders=self._orders,
            rules=self.rules,
            switches=self.switches,
            mark=self._matching.prices().mark,
            best={side: self._matching.best(side) for side in Side},
        )
        if refused := refusal(intake) or self._unanswered(intake):
            return [refused]
        outcomes = self._make_room(intake) if intake.closing else []
        order = self._enter(intake)
        return [*outcomes, OrderAccepted(order=order.view(self.rules)), *self._execute(account, order)]

    def _unanswered(self, intake: Intake) -> Refused | None:
        """A market order that finds nobody is let in, and canceled, or it is refused (inferred, a switch)."""
        if self.switches.market_order_on_empty_book_accepted or intake.limit is not None:
            return None
        if next(self._matching.levels(intake.direction.opposite), None) is not None:
            return None
        return Refused(code="22067", message="Insufficient liquidity in the market, please operate later")

    def _enter(self, intake: Intake) -> Order:
        account, command = intake.account, intake.command
        order_id = self._matching.ids.next(self.now_us)
        self._accepted += 1
        order = Order(
            account=account.name,
            order_id=order_id,
            client_id=command.client_id or str(int(order_id) + 1),  # close to the order id (captured)
            number=self._accepted,
            command=command,
            leg=intake.leg,
            direction=intake.direction,
            closing=intake.closing,
            ticks=None if intake.limit is None else self.rules.ticks(intake.limit),
            steps=min(intake.steps, intake.closable) if intake.closing else intake.steps,
            position_mode=account.position_mode,
            margin_mode=account.margin_mode,
            leverage=account.leverage,
            created_us=self.now_us,
            updated_us=self.now_us,
        )
        self._orders.add(order)
        return order

    def _make_room(self, intake: Intake) -> list[Outcome]:
        """Cancel older closing orders, oldest first, until their sum and the new one fit into the position."""
        free = intake.closable - min(intake.steps, intake.closable)
        outcomes: list[Outcome] = []
        older = self._orders.closing(intake.account.name, intake.leg)
        for place, order in enumerate(older):
            if sum(each.remaining for each in older[place:]) <= free:
                break
            outcomes.append(self._matching.withdraw(order, "reduce_only_cut"))
        return outcomes

    def _execute(self, account: Account, order: Order) -> list[Outcome]:
        """Let an accepted order trade, rest or go."""
        reason, outcomes = self._unfit_to_trade(order), []
        if not reason:
            outcomes = self._matching.take(order)
            reason = self._unfit_to_rest(order)
        if reason and order.state.is_open:
            outcomes.append(self._matching.withdraw(order, reason))
            return outcomes + self._matching.standing(account, order.leg)
        if order.state.is_open:
            self._matching.join_queue(order)
        if order.filled:
            return outcomes  # the last fill told how the account stands
        return outcomes + self._matching.standing(account, order.leg)

    def _unfit_to_trade(self, order: Order) -> str:
        """Why an accepted order is canceled before it trades, or an empty reason."""
        force, side = order.command.force, order.direction.opposite
        if order.ticks is None:
            return ""
        if force == "post_only" and self._matching.offered(side, order.ticks, at_most=1):
            return "post_only_would_cross"
        if force == "fok" and self._matching.offered(side, order.ticks, at_most=order.steps) < order.steps:
            return "fok_unfillable"
        return ""

    def _unfit_to_rest(self, order: Order) -> str:
        """Why what is left of an order after it traded is canceled, or an empty reason."""
        may_rest = order.ticks is not None and order.command.force in ("gtc", "post_only")
        return "" if may_rest else "ioc_rest"

    def _cancel(self, account: Account, command: CancelOrder) -> list[Outcome]:
        if command.symbol != self.rules.symbol:
            return [Refused(code="40034", message=f"Parameter {command.symbol} does not exist")]
        order = self._orders.find(account.name, command.order_id, command.client_id)
        if order is None or not order.state.is_open:  # for a finished order the code is inferred
            return [Refused(code="43001", message="The order does not exist")]
        canceled = self._matching.withdraw(order, "normal_cancel")
        return [canceled, *self._matching.standing(account, order.leg)]

    def _force(self, account: Account, command: FillOrder) -> list[Outcome]:
        """The harness's own command: what cannot be filled is refused as an unknown order is."""
        order = self._orders.find(account.name, command.order_id, "")
        if order is None or not order.state.is_open or command.symbol != self.rules.symbol:
            return [Refused(code="43001", message="The order does not exist")]
        steps = order.remaining if command.size is None else self.rules.steps(command.size)
        if steps is None or not 0 < steps <= order.remaining:
            return [Refused(code="40020", message="Parameter size error")]
        nothing = Refused(code="22002", message="No position to close")
        return self._matching.force(order, steps) or [nothing]

    def _set(self, account: Account, command: Setting) -> list[Outcome]:
        change = Change(
            account=account,
            resting=self._orders.open(account.name),
            mark=self._matching.prices().mark,
            rules=self.rules,
            switches=self.switches,
        )
        return [change_setting(change, command)]

    # Reads, as of the last advance

    @property
    def accounts(self) -> tuple[str, ...]:
        return tuple(self._accounts)

    def quote(self, levels: int = 1) -> Quote:
        """The public book with everybody's resting orders in it, and the three prices."""
        prices = self._matching.prices()
        return Quote(
            at_us=self.now_us,
            bids=self._shown(Side.BUY, levels),
            asks=self._shown(Side.SELL, levels),
            last=prices.last,
            mark=prices.mark,
            index=prices.index,
        )

    def _shown(self, side: Side, levels: int) -> tuple[tuple[Decimal, Decimal], ...]:
        shown = islice(self._matching.levels(side), levels)
        return tuple((self.rules.price(ticks), self.rules.size(steps)) for ticks, steps in shown)

    def index_price(self) -> Decimal:
        """The index, of which `quote` tells too, without the book."""
        return self._matching.prices().index

    def funding(self) -> FundingView:
        """The running rate and the next settlement; at the instant of a settlement already those of the next one."""
        return FundingView(rate=self.market.funding_rate(self.now_us), next_us=self.rules.next_funding_us(self.now_us))

    def settlements(self, newest: int, count: int) -> list[Settlement]:
        """Past settlements, newest first, `count` of them after skipping `newest`; 90 days and no further."""
        interval_us = self.rules.funding_interval_us
        last_us = self.now_us - self.now_us % interval_us
        instants = [last_us - back * interval_us for back in range(newest, min(newest + count, _SETTLEMENTS_SHOWN))]
        return [Settlement(at_us=at_us, rate=self.market.funding_rate(at_us - 1)) for at_us in instants]

    def fee_rates(self, account: str) -> FeeRates:
        """What an account pays."""
        return self._accounts[account].rates

    def account_view(self, account: str) -> AccountView:
        return self._matching.account_view(self._accounts[account])

    def settings(self, account: str, symbol: str = "") -> SettingsView:
        """Leverage, margin mode and position mode. Raises KeyError for a symbol that is not traded here."""
        if symbol not in ("", self.rules.symbol):
            raise KeyError(symbol)
        return settings_view(self._accounts[account], self.rules)

    def positions(self, account: str) -> list[PositionView]:
        """The open positions, oldest leg first; empty when flat."""
        holder = self._accounts[account]
        return [self._matching.position_view(holder, leg) for leg in holder.positions]

    def order(self, account: str, *, order_id: str = "", client_id: str = "") -> OrderView | None:
        """One order by either id, finished or not; the order id wins where both are given."""
        found = self._orders.find(account, order_id, client_id)
        return found.view(self.rules) if found else None

    def orders(self, account: str) -> list[OrderView]:
        """Every order, newest first."""
        return [order.view(self.rules) for order in reversed(self._orders.of(account))]

    def open_orders(self, account: str) -> list[OrderView]:
        """The resting orders, newest first."""
        return [order.view(self.rules) for order in reversed(self._orders.open(account))]

    def fills(self, account: str) -> list[FillView]:
        """Every fill, newest first."""
        return self._accounts[account].fills[::-1]

    def bills(self, account: str) -> list[BillView]:
        """Every bill, newest first."""
        return self._accounts[account].bills[::-1]

    def trades(self, since_us: int) -> list[MarketTrade]:
        """What traded after `since_us`, the accounts' trades among it, oldest first."""
        own = [trade for trade in self._matching.prints if trade.at_us > since_us]
        both = self.market.trades(since_us, self.now_us) + own
        return sorted(both, key=lambda trade: (trade.at_us, int(trade.trade_id)))

    def __repr__(self) -> str:
        accounts = "; ".join(self._line(account) for account in self._accounts.values())
        return f"<Exchange {self.rules.symbol} at {self.now_us}: {accounts or 'no accounts'}>"

    def _line(self, account: Account) -> str:
        """`main 994.5 USDT, -0.01 BTC at 66938.4, 2 open`."""
        held = [
            f"{plain(position.size(self.rules))} {self.rules.base_coin} at {plain(position.entry_price)}"
            for position in account.positions.values()
        ]
        wallet, resting = plain(account.wallet), len(self._orders.open(account.name))
        return f"{account.name} {wallet} {self.rules.quote_coin}, {' and '.join(held) or 'flat'}, {resting} open"
