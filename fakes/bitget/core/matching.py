"""Matching, and what a trade does to the books.

How orders fill
- A **taker** (market order, marketable limit, ioc, fok) walks the book of the present step, best price first, at the
  prices it finds: resting orders of the accounts first, then the market's size at that price. What it takes is gone
  until the next step.
- A **resting** order fills at its own price and the maker rate, in one of two ways, and never without a touch.
  *The market comes to it*: at a step whose best opposing price reaches its own, for no more than the book then shows up
  to that price; the rest waits for the next such step. Whoever stood before it is gone by then.
  *Strangers trade at its price*: what takers bring there goes first to those ahead in the queue, and to the order what
  is left of it. Ahead is what strangers showed at that price when the order began to rest; where that lay beyond the
  near book, what they show when it first trades there. Only trades shorten the queue: that somebody ahead might cancel
  is not assumed, nor that an order is first. A trade through its price leaves nobody ahead.
- A **closing** order (reduce-only, or tradeSide close) never takes more than its position, and is canceled when the
  position is gone (inferred, a switch).

Every trade leaves, in this order: the fill, its bill, cancellations that follow from it, the position, the balance. A
settlement of funding leaves, for each open position: what was paid, its bill, the position, the balance.
"""

from collections.abc import Iterator
from decimal import Decimal
from heapq import merge
from itertools import groupby

from botproof.events import Side
from botproof.money import ZERO, cut

from . import margin
from .account import Account, Trade
from .contract import ContractRules
from .ids import Ids
from .liquidity import Liquidity, reaches
from .market import Market, Prices
from .messages import (
    AccountView,
    BalanceChanged,
    BillAdded,
    BillView,
    FillView,
    FundingPaid,
    MarketTrade,
    OrderCanceled,
    OrderFilled,
    Outcome,
    PositionChanged,
    PositionView,
)
from .orders import NET, Order, Orders
from .switches import Switches

_FEE_PLACES = 8  # fees are cut toward zero at 8 decimals (captured)
_FUNDING_PLACES = 8  # funding likewise (inferred: it is printed at 8)


class Matching:
    """The orders, the book and the books of one contract, at one instant."""

    def __init__(self, *, market: Market, rules: ContractRules, switches: Switches, seed: int, opened_us: int) -> None:
        self.market, self.rules, self.switches = market, rules, switches
        self.ids = Ids(seed)
        self.now_us = opened_us
        self.accounts: dict[str, Account] = {}
        self.orders = Orders()
        self.prints: list[MarketTrade] = []  # the accounts' trades as the public sees them, oldest first
        self._liquidity = Liquidity(market)
        self._liquidity.move(opened_us)

    def move(self, at_us: int) -> None:
        """Go on to `at_us` without filling anything."""
        self.now_us = at_us
        self.market.settle(at_us)
        self._liquidity.move(at_us)

    # The book

    def prices(self) -> Prices:
        return self._liquidity.prices(self.now_us)

    def best(self, side: Side) -> Decimal:
        """The market's best price of a side; the last price where nothing is left of it."""
        ticks = self._liquidity.best(side)
        return self.prices().last if ticks is None else self.rules.price(ticks)

    def levels(self, side: Side) -> Iterator[tuple[int, int]]:
        """The public book of a side as (ticks, steps), best first, everybody's resting orders in it."""
        resting = ((order.ticks or 0, order.remaining) for order in self.orders.resting(side))
        both = merge(self._liquidity.levels(side), resting, key=lambda level: -side.sign * level[0])
        for ticks, same in groupby(both, key=lambda level: level[0]):
            yield ticks, sum(steps for _, steps in same)

    def offered(self, side: Side, limit: int, at_most: int) -> int:
        """How many steps of `side` an opposing order of `limit` would find, counted up to `at_most`."""
        resting = self.orders.resting(side)
        ours = sum(self._takable(order) for order in resting if reaches(side.opposite, limit, order.ticks or 0))
        return min(at_most, ours + self._liquidity.within(side, limit, at_most))

    # Trading

    def take(self, order: Order) -> list[Outcome]:
        """Trade with what stands in the book, best price first, a resting order before the market at one price."""
        outcomes: list[Outcome] = []
        side = order.direction.opposite
        while order.state.is_open and self._takable(order):
            maker, ticks = self._first_resting(side), self._liquidity.best(side)
            if maker and maker.ticks is not None and (ticks is None or reaches(side, maker.ticks, ticks)):
                ticks = maker.ticks
            else:
                maker = None
            if ticks is None or not reaches(order.direction, order.ticks, ticks):
                break
            outcomes += self._match(order, maker, ticks) if maker else self._hit(order, ticks)
        return outcomes

    def fill_touched(self) -> list[Outcome]:
        """The market takes the resting orders that its present step reaches, or at whose price it trades."""
        outcomes = [found for side in Side for order in self.orders.resting(side) for found in self._touch(order)]
        for trade in self.market.trades(self.now_us - 1, self.now_us):
            outcomes += self._fill_behind(trade)
        return outcomes

    def _touch(self, order: Order) -> list[Outcome]:
        """The best opposing price is at the order's own, or beyond it."""
        side = order.direction.opposite
        if not order.state.is_open:  # a fill just before took its position away
            return []
        steps = self._liquidity.within(side, order.ticks, self._takable(order))
        if not steps:
            return []
        self._liquidity.take(side, steps)
        order.ahead = 0
        return self._fill(order, order.ticks or 0, steps, is_maker=True)

    def _fill_behind(self, trade: MarketTrade) -> list[Outcome]:
        """Strangers traded: those ahead in the queue come first, then the orders here."""
        side, ticks, left = trade.side.opposite, self.rules.ticks(trade.price), self.rules.steps(trade.size)
        assert ticks is not None, f"the market traded off the grid of prices: {trade}"
        assert left is not None, f"the market traded off the grid of sizes: {trade}"
        outcomes: list[Outcome] = []
        for order in self.orders.resting(side):
            if not left or order.ticks is None or not reaches(side, order.ticks, ticks):
                break
            if not order.state.is_open:  # a fill just before took its position away
                continue
            passed = self._pass_queue(order, ticks, left)
            steps = min(passed, self._takable(order))
            if steps:
                left -= steps
                outcomes += self._fill(order, order.ticks, steps, is_maker=True)
        return outcomes

    def _pass_queue(self, order: Order, ticks: int, steps: int) -> int:
        """What of `steps` traded at `ticks` those ahead of an order leave to it."""
        if order.ticks != ticks:  # through its price
            order.ahead = 0
        elif order.ahead is None:
            order.ahead = self._liquidity.queue(order.direction, ticks) or 0
        taken = min(order.ahead or 0, steps)
        order.ahead = (order.ahead or 0) - taken
        return steps - taken

    def force(self, order: Order, steps: int) -> list[Outcome]:
        """A stranger takes up to `steps` of a resting order at its own price, whoever stands before it."""
        steps = min(steps, self._takable(order))
        return self._fill(order, order.ticks or 0, steps, is_maker=True) if steps else []

    def join_queue(self, order: Order) -> None:
        """An order begins to rest, behind what strangers show at its price."""
        if order.ticks is not None:
            order.ahead = self._liquidity.queue(order.direction, order.ticks)

    def _match(self, taker: Order, maker: Order, ticks: int) -> list[Outcome]:
        """Two orders of accounts here, at the price of the one that was there first."""
        steps = min(self._takable(taker), self._takable(maker))
        outcomes = self._fill(maker, ticks, steps, is_maker=True, is_printed=False)
        return outcomes + self._fill(taker, ticks, steps, is_maker=False)

    def _hit(self, taker: Order, ticks: int) -> list[Outcome]:
        """The market's own size at one price."""
        side = taker.direction.opposite
        steps = self._liquidity.within(side, ticks, self._takable(taker))
        self._liquidity.take(side, steps)
        return self._fill(taker, ticks, steps, is_maker=False)

    def _first_resting(self, direction: Side) -> Order | None:
        """The first in priority that can trade."""
        return next((order for order in self.orders.resting(direction) if self._takable(order)), None)

    def _takable(self, order: Order) -> int:
        """How much of the order can trade now: a closing order no more than there is to close."""
        if not order.closing:
            return order.remaining
        return min(order.remaining, self.accounts[order.account].closable(order.leg, order.direction))

    # The books

    def _fill(self, order: Order, ticks: int, steps: int, *, is_maker: bool, is_printed: bool = True) -> list[Outcome]:
        """One trade of one order, and all that follows from it in its account's books."""
        account, rules = self.accounts[order.account], self.rules
        trade = Trade(
            trade_id=self.ids.next(self.now_us),
            leg=order.leg,
            steps=steps * order.direction.sign,
            price=rules.price(ticks),
            fee_rate=account.rates.maker if is_maker else account.rates.taker,
            is_maker=is_maker,
            at_us=self.now_us,
        )
        value = trade.price * rules.size(steps)
        fee = cut(_FEE_PLACES, value * trade.fee_rate)
        realized = account.trade(trade, rules)
        order.fill(steps, value, fee, realized, self.now_us)
        if not order.state.is_open:
            self.orders.close(order)
        fill = _fill_view(order, trade, rules, fee=fee, realized=realized)
        account.fills.append(fill)
        if is_printed:
            self.prints.append(_print(fill, order.direction.opposite if is_maker else order.direction))
        bill = self.bill(account, _business_type(order), amount=realized, fee=fee)
        outcomes: list[Outcome] = [OrderFilled(order=order.view(rules), fill=fill), BillAdded(bill=bill)]
        outcomes += self._drop_closing(account, order.leg)
        return outcomes + self.standing(account, order.leg, moved=True)

    def _drop_closing(self, account: Account, leg: str) -> list[Outcome]:
        """Cancel the closing orders of a leg that have nothing left to close (inferred, a switch)."""
        if not self.switches.cancel_reduce_only_without_position:
            return []
        resting = self.orders.closing(account.name, leg)
        idle = [order for order in resting if not account.closable(leg, order.direction)]
        return [self.withdraw(order, "reduce_only_cut") for order in idle]

    def settle_funding(self, rate: Decimal) -> list[Outcome]:
        """Every open position pays or receives size x mark x rate: at a positive rate the long pays (documented)."""
        legs = [(account, leg) for account in self.accounts.values() for leg in account.positions]
        return [outcome for account, leg in legs for outcome in self._pay_funding(account, leg, rate)]

    def _pay_funding(self, account: Account, leg: str, rate: Decimal) -> list[Outcome]:
        position, mark = account.positions[leg], self.prices().mark
        size = position.size(self.rules)
        amount = cut(_FUNDING_PLACES, -size * mark * rate)
        position.settle(amount, self.now_us)
        paid = FundingPaid(
            account=account.name,
            symbol=self.rules.symbol,
            size=size,
            mark=mark,
            rate=rate,
            amount=amount,
            at_us=self.now_us,
        )
        bill = self.bill(account, "contract_settle_fee", amount=amount, fee=ZERO)
        return [paid, BillAdded(bill=bill), *self.standing(account, leg, moved=True)]

    def withdraw(self, order: Order, reason: str) -> OrderCanceled:
        """Cancel a resting order."""
        order.cancel(reason, self.now_us)
        self.orders.close(order)
        return OrderCanceled(order=order.view(self.rules))

    def bill(self, account: Account, business_type: str, *, amount: Decimal, fee: Decimal) -> BillView:
        """Book money into the wallet: the only way in or out."""
        account.wallet += amount - fee
        bill = BillView(
            account=account.name,
            bill_id=self.ids.next(self.now_us),
            symbol="" if business_type.startswith("trans_") else self.rules.symbol,
            business_type=business_type,
            amount=amount,
            fee=fee,
            balance=account.wallet,
            at_us=self.now_us,
        )
        account.bills.append(bill)
        return bill

    def standing(self, account: Account, leg: str, *, moved: bool = False) -> list[Outcome]:
        """How the account stands after the position of a leg (`moved`) or its resting orders changed."""
        balance = BalanceChanged(balance=self.account_view(account))
        if leg not in account.positions and not moved:
            return [balance]
        position = self.position_view(account, leg) if leg in account.positions else None
        return [PositionChanged(account=account.name, symbol=self.rules.symbol, position=position), balance]

    def account_view(self, account: Account) -> AccountView:
        return margin.account_view(account, self.orders.open(account.name), self.prices().mark, self.rules)

    def position_view(self, account: Account, leg: str) -> PositionView:
        resting = self.orders.open(account.name)
        return margin.position_view(account, account.positions[leg], resting, self.prices().mark, self.rules)


def _fill_view(order: Order, trade: Trade, rules: ContractRules, *, fee: Decimal, realized: Decimal) -> FillView:
    return FillView(
        account=order.account,
        trade_id=trade.trade_id,
        order_id=order.order_id,
        client_id=order.client_id,
        symbol=rules.symbol,
        side=order.command.side,
        price=trade.price,
        size=rules.size(abs(trade.steps)),
        fee=fee,
        is_maker=trade.is_maker,
        realized=realized,
        trade_side=order.trade_side,
        position_mode=order.position_mode,
        at_us=trade.at_us,
    )


def _print(fill: FillView, taker_side: Side) -> MarketTrade:
    return MarketTrade(trade_id=fill.trade_id, at_us=fill.at_us, price=fill.price, size=fill.size, side=taker_side)


def _business_type(order: Order) -> str:
    """The bill's name of a trade: buy or sell in one-way mode, else open_long, close_short and so on (documented)."""
    return str(order.direction) if order.leg == NET else f"{order.trade_side}_{order.leg}"
