"""May a profile keep its own promise at this price? Every simultaneous order is sized, each at its own price.

A profile promises an envelope and spreads it over the levels of both sides. The venue refuses orders below a minimum
quantity or value. Where a planned order falls below, the bot must either not quote or quote more than it promised, so
the profile is INFEASIBLE at that price: a result, not an error.

For an order at its own price p (the mid less or plus its spread, rounded as quoted: a buy down, a sell up to the tick)

    planned(p) = envelope x own share / sum of the shares of both sides / p,    rounded down to the quantity step
    needed(p)  = max(minimum value / p, minimum quantity),                       rounded up to the quantity step
    V(p)       = p x needed(p),                                                  what one minimum order is worth

FEASIBLE is said where
 1. no planned order is below the minimum quantity or the minimum value (equal is enough);
 2. the values of all planned orders together are within the envelope (equal is within);
 3. an account that holds the envelope and nothing else can back them: value / leverage plus taker fee, all orders.

Because the mid decides, neither verdict is for ever: a planned size goes to the next step down as the price rises.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Context, Decimal, localcontext
from enum import StrEnum
from typing import Protocol

from botproof.errors import Refusal
from botproof.events import Side
from botproof.money import ZERO, ceil_to, floor_to, plain
from botproof.profile import Profile

# Wide enough that every product below is exact; a quotient is rounded far beyond any step.
_EXACT = Context(prec=80)
_PRICE_MAX = Decimal(10) ** 9
_SUGGESTIONS_MAX = 1000


class Rules(Protocol):
    """What the venue asks of an order: BTC for sizes, USDT for prices and values, the fee as a fraction."""

    @property
    def min_qty(self) -> Decimal: ...
    @property
    def qty_step(self) -> Decimal: ...
    @property
    def min_value_usdt(self) -> Decimal: ...
    @property
    def tick(self) -> Decimal: ...
    @property
    def taker_fee_rate(self) -> Decimal: ...


class Answer(StrEnum):
    FEASIBLE = "FEASIBLE"
    INFEASIBLE = "INFEASIBLE"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedOrder:
    """One of the simultaneous orders: prices and values USDT, sizes BTC."""

    side: Side
    level: int  # counted from 1, outward from the mid
    price: Decimal
    budget_usdt: Decimal  # its share of the envelope
    exact_size: Decimal  # what the budget buys, to 8 decimals down
    size: Decimal  # planned: rounded down to the step
    value_usdt: Decimal
    needed_size: Decimal
    needed_value_usdt: Decimal  # V of its own price
    reason: str  # why the venue would refuse it; empty where it would not

    def __str__(self) -> str:
        order = f"{self.side:<4} {plain(self.price)} x {self.size:f} BTC"
        if not self.reason:
            return f"{order} = {plain(self.value_usdt)} USDT (minimum {plain(self.needed_value_usdt)} USDT)"
        bought = f"{_short(self.budget_usdt)} USDT buys {self.exact_size:f}, rounded down {self.size:f}"
        return f"{order}: {bought} {self.reason} (needs {_cents(self.needed_value_usdt)} USDT)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Feasibility:
    """The answer, with everything an operator needs to check it by hand; money in USDT."""

    verdict: Answer
    profile_id: str
    no_trade: bool
    price: Decimal  # the mid it was judged at
    rules: Rules
    leverage: int
    envelope_usdt: Decimal
    orders: tuple[PlannedOrder, ...]
    reasons: tuple[str, ...]  # empty where FEASIBLE

    @property
    def planned_usdt(self) -> Decimal:
        """The value of all planned orders together."""
        return sum((order.value_usdt for order in self.orders), ZERO)

    @property
    def needed_usdt(self) -> Decimal:
        """What all simultaneous orders are worth at their minimum."""
        return sum((order.needed_value_usdt for order in self.orders), ZERO)

    @property
    def planned_backing_usdt(self) -> Decimal:
        """Margin and taker fee of the planned orders."""
        return self._backing(self.planned_usdt)

    @property
    def needed_backing_usdt(self) -> Decimal:
        """Margin and taker fee of all simultaneous orders at their minimum."""
        return self._backing(self.needed_usdt)

    @property
    def single_usdt(self) -> Decimal:
        """What one minimum order alone would be worth, at the cheapest of the own prices."""
        return min(order.needed_value_usdt for order in self.orders)

    def lines(self) -> tuple[str, ...]:
        """The arithmetic, a line a step."""
        return tuple(self._lines())

    def _backing(self, value_usdt: Decimal) -> Decimal:
        return value_usdt / self.leverage + value_usdt * self.rules.taker_fee_rate

    def _lines(self) -> Iterator[str]:
        rules, envelope, count = self.rules, self.envelope_usdt, len(self.orders)
        yield f"{self.profile_id}: {self.verdict} at {plain(self.price)} USDT"
        yield (
            f"venue minimum: {plain(rules.min_qty)} BTC in steps of {plain(rules.qty_step)}, and "
            f"{plain(rules.min_value_usdt)} USDT; tick {plain(rules.tick)}; taker fee {plain(rules.taker_fee_rate)}"
        )
        yield f"planned: {plain(envelope)} USDT over {count} simultaneous order(s), each at its own price"
        yield from (f"  {order}" for order in self.orders)
        yield self._sum("planned together", self.planned_usdt, self.planned_backing_usdt)
        yield self._sum("at the minimum", self.needed_usdt, self.needed_backing_usdt)
        single = min(self.orders, key=lambda order: order.needed_value_usdt)
        yield (
            f"one order alone at the minimum: {single.side} {plain(single.price)} x {plain(single.needed_size)} BTC = "
            f"{plain(single.needed_value_usdt)} USDT, {_times(single.needed_value_usdt, envelope)} the envelope"
        )
        yield from (f"because {reason}" for reason in self.reasons)
        if self.no_trade:
            yield "no_trade is true: this profile places nothing; it is judged as if it quoted"

    def _sum(self, what: str, value_usdt: Decimal, backing_usdt: Decimal) -> str:
        return (
            f"{what}: {plain(value_usdt)} USDT, {_times(value_usdt, self.envelope_usdt)} the envelope of "
            f"{plain(self.envelope_usdt)}; margin at leverage {self.leverage} and taker fee {_cents(backing_usdt)} USDT"
        )


def judge_feasibility(profile: Profile, rules: Rules, price: Decimal) -> Feasibility:
    """Size every order that `profile` would have open at once at the mid `price` (USDT), and judge them together.

    Raises `Refusal` where it cannot be judged: a price or rules that no order could have.
    """
    with localcontext(_EXACT):
        _check(rules, price)
        orders = tuple(_orders(profile, rules, price))
        planned = sum((order.value_usdt for order in orders), ZERO)
        backing = planned / profile.leverage + planned * rules.taker_fee_rate
        reasons = tuple(_reasons(orders, planned, backing, profile.total_amount_quote))
        return Feasibility(
            verdict=Answer.INFEASIBLE if reasons else Answer.FEASIBLE,
            profile_id=profile.id,
            no_trade=profile.no_trade,
            price=price,
            rules=rules,
            leverage=profile.leverage,
            envelope_usdt=profile.total_amount_quote,
            orders=orders,
            reasons=reasons,
        )


def suggest(profile: Profile, rules: Rules, price: Decimal) -> int:
    """The smallest envelope in whole USDT with which the levels of `profile` are FEASIBLE at `price`.

    No envelope below the first one tried can be: each order's share must reach its own minimum. From there each is
    judged. Raises `Refusal` where it cannot be judged, or where none of the next thousand is FEASIBLE.
    """
    with localcontext(_EXACT):
        least = max(
            order.needed_value_usdt * profile.total_amount_quote / order.budget_usdt
            for order in judge_feasibility(profile, rules, price).orders
        )
        first = int(ceil_to(Decimal(1), least - Decimal("1e-20")))  # the quotient may be rounded up beyond a whole
    for envelope in range(max(first, 1), first + _SUGGESTIONS_MAX):
        resized = replace(profile, total_amount_quote=Decimal(envelope))
        if judge_feasibility(resized, rules, price).verdict is Answer.FEASIBLE:
            return envelope
    raise Refusal(
        f"expected a feasible envelope of at most {first + _SUGGESTIONS_MAX} USDT at {plain(price)}, found none"
    )


def planned_size(profile: Profile, side: Side, level: int, price: Decimal, qty_step: Decimal) -> Decimal:
    """The size in BTC that `profile` promises a level (counted from 1) at its own `price`, rounded down to the step.

    One exact division: an order that buys a whole number of steps to the last digit is not cut by a rounded quotient.
    """
    with localcontext(_EXACT):
        share, shares = _shares(profile, side)[level - 1], sum(_all_shares(profile), ZERO)
        return (profile.total_amount_quote * share) // (shares * price * qty_step) * qty_step


def quoted_price(side: Side, mid: Decimal, spread: Decimal, tick: Decimal) -> Decimal:
    """The own price of an order: a buy rounded down, a sell up to the tick, so never inside the promised spread."""
    if side is Side.BUY:
        return floor_to(tick, mid * (1 - spread))
    return ceil_to(tick, mid * (1 + spread))


def _check(rules: Rules, price: Decimal) -> None:
    if not (price.is_finite() and 0 < price <= _PRICE_MAX):
        raise Refusal(f"expected a price above 0 and up to {plain(_PRICE_MAX)} USDT, found {price}")
    positive = (rules.min_qty, rules.qty_step, rules.min_value_usdt, rules.tick)
    if not all(rule.is_finite() and rule > 0 for rule in positive) or not 0 <= rules.taker_fee_rate < 1:
        raise Refusal(
            "expected contract rules above 0 and a fee rate from 0 below 1, found others; read the contract again"
        )


def _orders(profile: Profile, rules: Rules, mid: Decimal) -> Iterator[PlannedOrder]:
    for side, spreads in ((Side.BUY, profile.buy_spreads), (Side.SELL, profile.sell_spreads)):
        for level, spread in enumerate(spreads, start=1):
            price = quoted_price(side, mid, spread, rules.tick)
            if price <= 0:
                raise Refusal(f"expected a price of at least some ticks of {plain(rules.tick)}, found {plain(mid)}")
            yield _order(profile, rules, side, level, price)


def _order(profile: Profile, rules: Rules, side: Side, level: int, price: Decimal) -> PlannedOrder:
    share, shares = _shares(profile, side)[level - 1], sum(_all_shares(profile), ZERO)
    budget = profile.total_amount_quote * share / shares
    size = planned_size(profile, side, level, price, rules.qty_step)
    needed = ceil_to(rules.qty_step, max(rules.min_value_usdt / price, rules.min_qty))
    return PlannedOrder(
        side=side,
        level=level,
        price=price,
        budget_usdt=budget,
        exact_size=floor_to(Decimal("1e-8"), budget / price),
        size=size,
        value_usdt=size * price,
        needed_size=needed,
        needed_value_usdt=needed * price,
        reason=_refusal(size, price, rules),
    )


def _refusal(size: Decimal, price: Decimal, rules: Rules) -> str:
    if size < rules.min_qty:
        return f"< {plain(rules.min_qty)} minimum"
    if size * price < rules.min_value_usdt:
        return f"= {plain(size * price)} USDT < {plain(rules.min_value_usdt)} USDT minimum"
    return ""


def _reasons(orders: tuple[PlannedOrder, ...], planned: Decimal, backing: Decimal, envelope: Decimal) -> Iterator[str]:
    below = [order for order in orders if order.reason]
    if below:
        yield f"{len(below)} of {len(orders)} planned order(s) are below the venue's minimum"
    if planned > envelope:
        yield f"the planned orders are worth {plain(planned)} USDT, above the envelope of {plain(envelope)}"
    elif backing > envelope:
        yield (
            f"margin and taker fee of the planned orders, {_cents(backing)} USDT, "
            f"exceed the envelope of {plain(envelope)}"
        )


def _shares(profile: Profile, side: Side) -> tuple[Decimal, ...]:
    return profile.buy_amounts_pct if side is Side.BUY else profile.sell_amounts_pct


def _all_shares(profile: Profile) -> tuple[Decimal, ...]:
    return profile.buy_amounts_pct + profile.sell_amounts_pct


def _cents(usdt: Decimal) -> str:
    """What is needed, rounded up to the cent."""
    return f"{ceil_to(Decimal('0.01'), usdt):f}"


def _short(usdt: Decimal) -> str:
    return plain(floor_to(Decimal("1e-8"), usdt))


def _times(value_usdt: Decimal, envelope: Decimal) -> str:
    return f"{ceil_to(Decimal('0.01'), value_usdt / envelope):f} x"
