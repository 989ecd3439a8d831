"""Margin, equity and the prices derived from them; pure functions of the books and the mark.

With m = maintenance rate of the tier reached + taker rate, sizes signed (captured, by arithmetic, unless tagged); the
taker rate is the account's own (inferred: what is known was captured at the base rate):

    unrealised            (mark - entry) x size
    equity                wallet + unrealised of all legs
    position margin       crossed: |size| x mark / leverage; isolated: |size| x entry / leverage
    maintenance           notional at mark, each tier's slice at its own m (documented): notional x m - offset
    margin ratio          crossed: maintenance of the larger leg / equity; isolated: maintenance / (margin + unrealised)
    liquidation price     where the ratio is 1; crossed negative as it comes, isolated not below 0
    break-even price      long  (entry x size + fees) / (size x (1 - taker)); short likewise with the signs turned
    order margin          price x size / leverage + price x size x taker, of what a resting order would open (inferred)
    available             what backs - position margins - order margins, not below 0 (inferred); crossed: the equity
                          backs, isolated: the wallet, as profit and loss stay with the position
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from botproof.events import Side
from botproof.money import ZERO

from .account import Account, Position
from .contract import ContractRules, rounded
from .messages import AccountView, PositionView
from .orders import Order

_DERIVED_PLACES = 16  # derived fields are printed with up to 16 decimals (captured)


@dataclass(frozen=True, slots=True)
class Maintenance:
    """The tier that a notional value reaches: its rate, the rate with the taker fee, and what the lower slices save."""

    rate: Decimal
    charged: Decimal
    offset: Decimal

    def of(self, notional: Decimal) -> Decimal:
        return notional * self.charged - self.offset


def maintenance(rules: ContractRules, notional: Decimal, taker_fee_rate: Decimal) -> Maintenance:
    """The maintenance of a position worth `notional` USDT, of an account that pays `taker_fee_rate`."""
    offset, below = ZERO, ZERO
    for tier in rules.tiers:
        offset += tier.start_usdt * (tier.maintenance_rate - below)
        below = tier.maintenance_rate
        if notional <= tier.end_usdt:
            break
    return Maintenance(below, below + taker_fee_rate, offset)


def notional_max(rules: ContractRules, leverage: int) -> Decimal:
    """The largest position value, in USDT, that the tiers allow at `leverage`."""
    return max((tier.end_usdt for tier in rules.tiers if tier.max_leverage >= leverage), default=ZERO)


def unrealized(position: Position, mark: Decimal, rules: ContractRules) -> Decimal:
    return (mark - position.entry_price) * position.size(rules)


def position_margin(account: Account, position: Position, mark: Decimal, rules: ContractRules) -> Decimal:
    price = mark if account.margin_mode == "crossed" else position.entry_price
    return abs(position.size(rules)) * price / account.leverage


def equity(account: Account, mark: Decimal, rules: ContractRules) -> Decimal:
    return account.wallet + sum((unrealized(p, mark, rules) for p in account.positions.values()), ZERO)


def order_margin(account: Account, value: Decimal, leverage: int | None = None) -> Decimal:
    """What an order that opens `value` USDT holds back, at the account's leverage or another."""
    return value / (leverage or account.leverage) + value * account.rates.taker


def opening_parts(orders: Iterable[Order], account: Account) -> list[tuple[Order, int]]:
    """How many steps of each resting order would open a position.

    Orders against the position take it off in the order of their acceptance and open only with what exceeds it; both
    directions count, as if each filled first. Closing orders open nothing.
    """
    closable: dict[tuple[str, Side], int] = {}
    parts = []
    for order in orders:
        if order.closing:
            continue
        key = order.leg, order.direction
        free = closable.setdefault(key, account.closable(*key) if order.leg == "net" else 0)
        used = min(free, order.remaining)
        closable[key] = free - used
        parts.append((order, order.remaining - used))
    return parts


def order_margins(
    account: Account, orders: Iterable[Order], rules: ContractRules, leverage: int | None = None
) -> Decimal:
    """What the resting `orders` of an account hold back, at its leverage or another."""
    values = (rules.price(order.ticks or 0) * rules.size(steps) for order, steps in opening_parts(orders, account))
    return sum((order_margin(account, value, leverage) for value in values), ZERO)


def position_margins(account: Account, mark: Decimal, rules: ContractRules) -> Decimal:
    return sum((position_margin(account, p, mark, rules) for p in account.positions.values()), ZERO)


def available(account: Account, orders: Iterable[Order], mark: Decimal, rules: ContractRules) -> Decimal:
    """What can open new positions, in USDT."""
    held = position_margins(account, mark, rules) + order_margins(account, orders, rules)
    backing = equity(account, mark, rules) if account.margin_mode == "crossed" else account.wallet
    return max(ZERO, backing - held)


def account_view(account: Account, orders: Sequence[Order], mark: Decimal, rules: ContractRules) -> AccountView:
    worth = equity(account, mark, rules)
    return AccountView(
        account=account.name,
        wallet=account.wallet,
        equity=worth,
        available=available(account, orders, mark, rules),
        locked=order_margins(account, orders, rules),
        unrealized=worth - account.wallet,
        position_mode=account.position_mode,
        risk_rate=_crossed_ratio(account, mark, rules),
    )


def position_view(
    account: Account, position: Position, orders: Sequence[Order], mark: Decimal, rules: ContractRules
) -> PositionView:
    size = abs(position.size(rules))
    tier = maintenance(rules, size * mark, account.rates.taker)
    mine = [order for order in orders if order.leg == position.leg]
    margin = position_margin(account, position, mark, rules)
    profit = unrealized(position, mark, rules)
    return PositionView(
        account=account.name,
        position_id=position.position_id,
        symbol=rules.symbol,
        size=position.size(rules),
        locked=rules.size(min(abs(position.steps), sum(o.remaining for o in mine if o.closing))),
        opening=rules.size(sum(steps for _, steps in opening_parts(mine, account))),
        entry_price=position.entry_price,
        mark=mark,
        margin=rounded(_DERIVED_PLACES, margin),
        unrealized=profit,
        realized=position.realized,
        liquidation_price=_liquidation_price(account, position, mark, rules),
        maintenance_rate=tier.rate,
        margin_ratio=(
            _crossed_ratio(account, mark, rules)
            if account.margin_mode == "crossed"
            else _ratio(tier.of(size * mark), margin + profit)
        ),
        break_even_price=_break_even_price(position, account.rates.taker, rules),
        fees=position.fees,
        funding=position.funding,
        leverage=account.leverage,
        margin_mode=account.margin_mode,
        position_mode=account.position_mode,
        created_us=position.created_us,
        updated_us=position.updated_us,
    )


def _ratio(needed: Decimal, backing: Decimal) -> Decimal:
    """`needed` / `backing`; with nothing left behind it, 1: at the point of liquidation."""
    return rounded(_DERIVED_PLACES, needed / backing) if backing > 0 else Decimal(1)


def _crossed_ratio(account: Account, mark: Decimal, rules: ContractRules) -> Decimal:
    if not account.positions:
        return ZERO
    notional = max(abs(p.size(rules)) for p in account.positions.values()) * mark
    return _ratio(maintenance(rules, notional, account.rates.taker).of(notional), equity(account, mark, rules))


def _liquidation_price(account: Account, position: Position, mark: Decimal, rules: ContractRules) -> Decimal:
    """Where maintenance equals what backs it; 0 where no price does."""
    crossed = account.margin_mode == "crossed"
    legs = list(account.positions.values()) if crossed else [position]
    backing = account.wallet if crossed else position_margin(account, position, mark, rules)
    larger = max(abs(leg.size(rules)) for leg in legs)
    tier = maintenance(rules, larger * mark, account.rates.taker)
    cost = sum((leg.size(rules) * leg.entry_price for leg in legs), ZERO)
    slope = larger * tier.charged - sum((leg.size(rules) for leg in legs), ZERO)
    if not slope:
        return ZERO
    price = rounded(_DERIVED_PLACES, (backing - cost + tier.offset) / slope)
    return price if crossed else max(ZERO, price)


def _break_even_price(position: Position, taker: Decimal, rules: ContractRules) -> Decimal:
    size = position.size(rules)
    cost = position.entry_price * size + position.fees
    return rounded(_DERIVED_PLACES, cost / (size * (1 - taker * (1 if size > 0 else -1))))
