"""A seeded simulation of the exchange, and an auditor that keeps books of its own.

The auditor knows the commands and the outcomes and nothing else. It works in fractions and shares no arithmetic with
the exchange; after every step its books must equal what the exchange says of itself.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from random import Random

import pytest

from botproof.events import OrderType, Side
from botproof.fakes.bitget.core.conservation import conservation
from botproof.fakes.bitget.core.contract import FeeRates
from botproof.fakes.bitget.core.exchange import Exchange
from botproof.fakes.bitget.core.messages import (
    AccountView,
    BalanceChanged,
    BillAdded,
    CancelOrder,
    Command,
    FundingPaid,
    OrderAccepted,
    OrderCanceled,
    OrderFilled,
    Outcome,
    PlaceOrder,
    Refused,
)
from botproof.fakes.bitget.market.synthetic import SyntheticMarket

OPENED_US = 1_771_722_000_000_000
SYMBOL = "BTCUSDT"
BASE_RATES = FeeRates(maker=Decimal("0.0002"), taker=Decimal("0.0006"))
FUNDING_INTERVAL_US = 8 * 3600 * 1_000_000
STEP = Fraction(1, 10_000)
DEPOSITS = {"main": 1000, "other": 100_000}
Leg = tuple[str, str]
Pace = Callable[[Random, int], int]


def rounded(amount: Fraction, places: int) -> Fraction:
    """Half away from zero."""
    scaled = abs(amount) * 10**places
    whole = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    return Fraction(whole if amount >= 0 else -whole, 10**places)


def cut(amount: Fraction, places: int) -> Fraction:
    """Toward zero."""
    whole = abs(amount.numerator) * 10**places // amount.denominator
    return Fraction(whole if amount >= 0 else -whole, 10**places)


def _instant(outcome: Outcome) -> int:
    """When it happened; 0 where it does not say."""
    match outcome:
        case FundingPaid(at_us=at_us):
            return at_us
        case OrderAccepted(order=order) | OrderCanceled(order=order):
            return order.updated_us
        case OrderFilled(fill=fill):
            return fill.at_us
        case BillAdded(bill=bill):
            return bill.at_us
    return 0


_TRADING = (OrderAccepted, OrderFilled, OrderCanceled)


@dataclass
class Auditor:
    """Cash, positions and open orders by account, from outcomes alone; `check` compares them with the exchange."""

    wallets: dict[str, Fraction] = field(default_factory=lambda: {name: Fraction(d) for name, d in DEPOSITS.items()})
    sizes: dict[Leg, Fraction] = field(default_factory=lambda: defaultdict(Fraction))
    entries: dict[Leg, Fraction] = field(default_factory=dict)
    remaining: dict[tuple[str, str], Fraction] = field(default_factory=dict)
    told_balances: dict[str, AccountView] = field(default_factory=dict)
    rates: dict[str, FeeRates] = field(default_factory=lambda: dict.fromkeys(DEPOSITS, BASE_RATES))
    due: set[Leg] = field(default_factory=set)  # legs that have yet to pay or receive at the settlement `due_us`
    due_us: int = OPENED_US
    trade_ids: set[str] = field(default_factory=set)
    fills: int = 0
    fees: Fraction = Fraction(0)
    realized: Fraction = Fraction(0)
    funding: Fraction = Fraction(0)
    settled: int = 0
    last_id: int = 0

    def see(self, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            self._pass(_instant(outcome))
            assert not (self.due and isinstance(outcome, _TRADING)), "a settlement is the first thing of its instant"
            match outcome:
                case FundingPaid():
                    self._settle(outcome)
                case OrderAccepted(order=order):
                    self._grow(order.order_id)
                    assert order.filled == 0
                    self.remaining[order.account, order.order_id] = Fraction(order.size)
                case OrderFilled():
                    self._fill(outcome)
                case OrderCanceled(order=order):
                    left = self.remaining.pop((order.account, order.order_id))
                    assert left == Fraction(order.size) - Fraction(order.filled) > 0
                case BillAdded(bill=bill):
                    self._grow(bill.bill_id)
                    assert Fraction(bill.balance) == self.wallets[bill.account]
                case BalanceChanged(balance=balance):
                    self.told_balances[balance.account] = balance

    def _pass(self, at_us: int) -> None:
        """Time goes on to `at_us`: a settlement on the way is owed by every position that is open now."""
        following_us = (self.due_us // FUNDING_INTERVAL_US + 1) * FUNDING_INTERVAL_US
        if not at_us or (self.due and at_us == self.due_us):
            return
        assert not self.due, f"the settlement of {self.due_us} left out {self.due}"
        held = {leg for leg, size in self.sizes.items() if size}
        if held and following_us <= at_us:
            self.due, self.due_us = held, following_us
        else:
            self.due_us = max(self.due_us, at_us)

    def _settle(self, paid: FundingPaid) -> None:
        assert paid.at_us == self.due_us, "a settlement is at its instant"
        leg = next(leg for leg in self.due if leg[0] == paid.account and self.sizes[leg] == Fraction(paid.size))
        self.due.remove(leg)
        amount = cut(-self.sizes[leg] * Fraction(paid.mark) * Fraction(paid.rate), 8)
        assert amount == Fraction(paid.amount)
        self.wallets[paid.account] += amount
        self.funding += amount
        self.settled += 1

    def _grow(self, identifier: str) -> None:
        assert int(identifier) > self.last_id, "ids increase"
        self.last_id = int(identifier)

    def _fill(self, outcome: OrderFilled) -> None:
        order, fill = outcome.order, outcome.fill
        self._grow(fill.trade_id)
        assert fill.trade_id not in self.trade_ids
        self.trade_ids.add(fill.trade_id)
        self.fills += 1
        size, price = Fraction(fill.size), Fraction(fill.price)
        assert size > 0
        closes = order.trade_side == "close"
        buys = (fill.side is Side.BUY) != closes
        if order.price is not None:
            limit = Fraction(order.price)
            assert price <= limit if buys else price >= limit
            assert price == limit or not fill.is_maker, "a maker trades at its own price"
        rates = self.rates[order.account]
        fee = cut(price * size * Fraction(rates.maker if fill.is_maker else rates.taker), 8)
        assert fee == Fraction(fill.fee)
        leg = order.account, self._leg(order.position_mode, fill.side)
        before = self.sizes[leg]
        profit = self._move(leg, size if buys else -size, price)
        assert profit == Fraction(fill.realized)
        if order.reduce_only:
            assert abs(self.sizes[leg]) < abs(before), "a reduce-only order never opens"
            assert before * self.sizes[leg] >= 0
        self.wallets[order.account] += profit - fee
        self.fees += fee
        self.realized += profit
        self._consume(outcome, size)

    def _consume(self, outcome: OrderFilled, size: Fraction) -> None:
        order = outcome.order
        key = order.account, order.order_id
        self.remaining[key] -= size
        assert self.remaining[key] == Fraction(order.size) - Fraction(order.filled) >= 0
        if not self.remaining[key]:
            del self.remaining[key]

    @staticmethod
    def _leg(mode: str, side: Side) -> str:
        return "net" if mode == "one_way_mode" else side.value

    def _move(self, leg: Leg, signed: Fraction, price: Fraction) -> Fraction:
        held = self.sizes[leg]
        closed = Fraction(0)
        if held * signed < 0:
            closed = min(abs(held), abs(signed)) * (1 if signed > 0 else -1)
        opened, profit = signed - closed, Fraction(0)
        if closed:
            profit = -closed * (price - self.entries[leg])
        if opened:
            base = held + closed
            cost = base * self.entries.get(leg, Fraction(0)) + opened * price
            self.entries[leg] = rounded(cost / (base + opened), 12)
        self.sizes[leg] = held + signed
        return profit

    def check(self, exchange: Exchange) -> None:
        self._pass(exchange.now_us)
        assert not self.due, f"the settlement of {self.due_us} left out {self.due}"
        total = Fraction(0)
        for account in DEPOSITS:
            wallet = Fraction(exchange.account_view(account).wallet)
            assert wallet == self.wallets[account], f"the wallet of {account}"
            total += wallet
            self._check_orders(exchange, account)
            self._check_positions(exchange, account)
            self._check_told(exchange, account)
        assert total == sum(DEPOSITS.values()) + self.realized - self.fees + self.funding, "money is conserved"
        quote = exchange.quote()
        assert not (quote.bids and quote.asks) or quote.bids[0][0] < quote.asks[0][0], "the book is not crossed"

    def _check_orders(self, exchange: Exchange, account: str) -> None:
        shown = {(account, o.order_id): Fraction(o.size - o.filled) for o in exchange.open_orders(account)}
        assert shown == {key: left for key, left in self.remaining.items() if key[0] == account}, "open orders"

    def _check_positions(self, exchange: Exchange, account: str) -> None:
        shown = {}
        for position in exchange.positions(account):
            one_way = position.position_mode == "one_way_mode"
            leg = "net" if one_way else ("buy" if position.size > 0 else "sell")
            shown[account, leg] = Fraction(position.size), Fraction(position.entry_price)
        mine = {k: (size, self.entries[k]) for k, size in self.sizes.items() if size and k[0] == account}
        assert shown == mine, "positions"

    def _check_told(self, exchange: Exchange, account: str) -> None:
        """The last balance that was told is still how the account stands, apart from what moves with the mark."""
        told = self.told_balances.get(account)
        if told is not None:
            view = exchange.account_view(account)
            assert (told.wallet, told.locked) == (view.wallet, view.locked), "the balance as told"


class Crowd:
    """Random commands of two accounts, near the market so that much of it trades."""

    def __init__(self, seed: int, exchange: Exchange) -> None:
        self.random, self.exchange, self.count = Random(f"{seed}/crowd"), exchange, 0

    def command(self, account: str) -> Command:
        working = self.exchange.open_orders(account)
        if working and self.random.random() < 0.35:
            return CancelOrder(symbol=SYMBOL, order_id=self.random.choice(working).order_id)
        return self._order(account)

    def _order(self, account: str) -> PlaceOrder:
        pick, self.count = self.random, self.count + 1
        quote = self.exchange.quote()
        side = pick.choice(list(Side))
        hedge = self.exchange.settings(account).position_mode == "hedge_mode"
        market = pick.random() < 0.2
        price = quote.last + Decimal(pick.randint(-60, 60)) / 10
        return PlaceOrder(
            symbol=SYMBOL,
            side=side,
            order_type=OrderType.MARKET if market else OrderType.LIMIT,
            size=Decimal(pick.choice((1, 2, 3, 7, 20, 500, 30_000))) / 10_000,
            price=None if market else price,
            force=pick.choice(("gtc", "gtc", "gtc", "post_only", "ioc", "fok")),
            reduce_only=pick.random() < 0.25 and not hedge,
            trade_side=pick.choice(("open", "close")) if hedge else "",
            client_id=f"c{self.count}",
        )


def quickly(pick: Random, now_us: int) -> int:
    """From nothing to twenty seconds."""
    return now_us + pick.choice((0, 0, 1_000, 700_000, 3_000_000, 20_000_000))


def for_days(pick: Random, now_us: int) -> int:
    """Seconds, an hour at times, and at times to the very instant of the next settlement."""
    if pick.random() < 0.1:
        return (now_us // FUNDING_INTERVAL_US + 1) * FUNDING_INTERVAL_US
    return now_us + 3_600_000_000 if pick.random() < 0.1 else quickly(pick, now_us)


def simulate(
    seed: int, steps: int, *, mode: str = "one_way_mode", pace: Pace = quickly, tiers: dict[int, FeeRates] | None = None
) -> tuple[Auditor, Exchange, list[Outcome]]:
    """Drive an exchange with random commands, audited after each; `tiers`: at which step `main` gets which rates."""
    market = SyntheticMarket(seed=seed, opened_us=OPENED_US)
    exchange = Exchange(market=market, seed=seed, opened_us=OPENED_US)
    for account, deposit in DEPOSITS.items():
        exchange.open_account(account, Decimal(deposit), leverage=50, position_mode=mode)
    auditor, crowd = Auditor(), Crowd(seed, exchange)
    now_us, history = OPENED_US, []
    for step in range(steps):
        now_us = pace(crowd.random, now_us)
        outcomes = exchange.advance(now_us)
        if tiers and step in tiers:
            auditor.see(outcomes)
            history, outcomes = history + outcomes, []
            exchange.set_fee_rates("main", tiers[step])
            auditor.rates["main"] = tiers[step]
        account = crowd.random.choice(list(DEPOSITS))
        before = repr(exchange)
        answer = exchange.apply(account, crowd.command(account), now_us)
        assert repr(exchange) == before or not isinstance(answer[0], Refused)
        auditor.see(outcomes + answer)
        auditor.check(exchange)
        history += outcomes + answer
        assert step % 50 or not any(conservation(exchange, name) for name in DEPOSITS)
    return auditor, exchange, history


@pytest.mark.parametrize("seed", [0, 2, 3])
def test_auditor_agrees_after_every_step_in_one_way_mode(seed: int) -> None:
    auditor, _, history = simulate(seed, 1_200)
    roles = {(o.fill.account, o.fill.is_maker) for o in history if isinstance(o, OrderFilled)}
    reasons = {o.order.cancel_reason for o in history if isinstance(o, OrderCanceled)}
    assert auditor.fills > 300
    assert len(roles) == 4
    assert reasons == {"normal_cancel", "post_only_would_cross", "ioc_rest", "fok_unfillable", "reduce_only_cut"}


def test_auditor_agrees_after_every_step_in_hedge_mode() -> None:
    auditor, exchange, _ = simulate(4, 1_200, mode="hedge_mode")
    assert auditor.fills > 200
    assert any(len(exchange.positions(account)) == 2 for account in DEPOSITS)


@pytest.mark.parametrize("mode", ["one_way_mode", "hedge_mode"])
def test_auditor_agrees_over_days_with_settlements_and_changes_of_the_fee_tier(mode: str) -> None:
    tiers = {
        100: FeeRates(maker=Decimal("0.00014"), taker=Decimal("0.0005")),
        300: FeeRates(maker=Decimal("-0.00005"), taker=Decimal("0.00032")),
    }
    auditor, exchange, history = simulate(6, 600, mode=mode, pace=for_days, tiers=tiers)
    assert auditor.settled > 50
    assert auditor.fills > 150
    assert any(isinstance(o, OrderFilled) and o.fill.fee < 0 for o in history), "a rebate was paid"
    signs = {outcome.amount > 0 for outcome in history if isinstance(outcome, FundingPaid)}
    assert signs == {True, False}
    assert [conservation(exchange, account) for account in DEPOSITS] == [[], []]


def test_auditor_notices_a_settlement_left_out() -> None:
    _, exchange, history = simulate(6, 100, pace=for_days)
    place = next(place for place, outcome in enumerate(history) if isinstance(outcome, FundingPaid))
    del history[place]
    with pytest.raises(AssertionError):
        _audit(history, exchange)


def test_auditor_notices_funding_that_is_off_by_one_unit() -> None:
    _, exchange, history = simulate(6, 100, pace=for_days)
    place = next(place for place, outcome in enumerate(history) if isinstance(outcome, FundingPaid))
    paid = history[place]
    assert isinstance(paid, FundingPaid)
    history[place] = replace(paid, amount=paid.amount + Decimal("1e-8"))
    with pytest.raises(AssertionError):
        _audit(history, exchange)


def test_same_seed_gives_the_same_outcomes_and_another_gives_others() -> None:
    assert _digest(9) == _digest(9)
    assert _digest(9) != _digest(10)


def test_outcomes_of_seed_nine_are_the_same_on_every_machine() -> None:
    assert _digest(9) == "eaed2a12b8f433d354a48431c28a5a541c0d6daee56bad5415c50abb894fd7a5"


def _digest(seed: int) -> str:
    return hashlib.sha256(repr(simulate(seed, 200)[2]).encode()).hexdigest()


def _first_fill(history: list[Outcome]) -> int:
    return next(place for place, outcome in enumerate(history) if isinstance(outcome, OrderFilled))


def test_auditor_notices_a_lost_fill() -> None:
    _, exchange, history = simulate(1, 60)
    del history[_first_fill(history)]
    with pytest.raises((AssertionError, KeyError)):
        _audit(history, exchange)


def test_auditor_notices_a_fill_told_twice() -> None:
    _, exchange, history = simulate(1, 60)
    place = _first_fill(history)
    with pytest.raises(AssertionError):
        _audit([*history[: place + 1], history[place], *history[place + 1 :]], exchange)


def test_auditor_notices_a_fee_that_is_off_by_one_unit() -> None:
    _, exchange, history = simulate(1, 60)
    place = _first_fill(history)
    filled = history[place]
    assert isinstance(filled, OrderFilled)
    history[place] = replace(filled, fill=replace(filled.fill, fee=filled.fill.fee + Decimal("1e-8")))
    with pytest.raises(AssertionError):
        _audit(history, exchange)


def test_auditor_notices_money_out_of_nowhere() -> None:
    auditor, exchange, _ = simulate(1, 60)
    exchange._accounts["main"].wallet += Decimal("1e-16")
    with pytest.raises(AssertionError, match="the wallet of main"):
        auditor.check(exchange)


def _audit(history: list[Outcome], exchange: Exchange) -> None:
    auditor = Auditor()
    auditor.see(history)
    auditor.check(exchange)
