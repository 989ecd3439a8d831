"""Whether an order may enter: every check in one order, the first that fails answers.

The venue does not say in which order it checks (inferred): the fields by themselves, the symbol, size, price, value,
the position mode, what a closing order would close, the client id, the count of open orders, the tier of the position,
and the balance last. A refusal changes nothing.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from botproof.events import OrderType, Side
from botproof.money import plain

from . import margin
from .account import Account
from .contract import ContractRules, is_computable
from .messages import PlaceOrder, Refused
from .orders import HEDGE, LONG, NET, ONE_WAY, SHORT, Order, Orders
from .switches import Switches

FORCES = ("gtc", "ioc", "fok", "post_only")
_CLIENT_ID = re.compile(r"[0-9A-Za-z\-,+_#]*")
_CLIENT_ID_LENGTH, _CLIENT_ID_LENGTH_MAX = 50, 64  # shorter than 50 (documented); beyond 64 another code (documented)


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """An order at the door, and what the checks need to know about the house."""

    command: PlaceOrder
    account: Account
    orders: Orders
    rules: ContractRules
    switches: Switches
    mark: Decimal
    best: Mapping[Side, Decimal]  # best bid (buy) and ask (sell), the last price where there is none

    @property
    def leg(self) -> str:
        if self.account.position_mode == ONE_WAY:
            return NET
        return LONG if self.command.side is Side.BUY else SHORT

    @property
    def closing(self) -> bool:
        """Whether it may only reduce: reduce-only in one-way mode, tradeSide close in hedge mode (documented)."""
        if self.account.position_mode == HEDGE:
            return self.command.trade_side == "close"
        return self.command.reduce_only

    @property
    def direction(self) -> Side:
        closes_leg = self.account.position_mode == HEDGE and self.closing
        return self.command.side.opposite if closes_leg else self.command.side

    @property
    def limit(self) -> Decimal | None:
        """The price it must not trade beyond; a price sent with a market order means nothing."""
        return self.command.price if self.command.order_type is OrderType.LIMIT else None

    @property
    def price(self) -> Decimal:
        """The price it is valued at: its own, or the best opposing one (inferred)."""
        return self.best[self.direction.opposite] if self.limit is None else self.limit

    @property
    def closable(self) -> int:
        """How many steps of the position it can take off."""
        return self.account.closable(self.leg, self.direction)

    @property
    def steps(self) -> int:
        """The size in steps; only asked after the size was found on the grid."""
        return self.rules.steps(self.command.size) or 0


Check = Callable[[Intake], Refused | None]


def refusal(intake: Intake) -> Refused | None:
    """Why the order may not enter, or None."""
    return next((refused for check in CHECKS if (refused := check(intake))), None)


def _fields(intake: Intake) -> Refused | None:
    command = intake.command
    if command.force not in FORCES:
        return Refused(code="400172", message="The order validity period is invalid")
    if command.margin_mode not in ("crossed", "isolated"):
        return Refused(code="400172", message="margin mode cannot be empty")
    if command.order_type is OrderType.LIMIT and command.price is None:
        return Refused(code="400172", message="Parameter verification failed")
    if len(command.client_id) > _CLIENT_ID_LENGTH_MAX or not _CLIENT_ID.fullmatch(command.client_id):
        return _too_long_or_exotic("40305", _CLIENT_ID_LENGTH_MAX)
    if len(command.client_id) >= _CLIENT_ID_LENGTH:
        return _too_long_or_exotic("40304", _CLIENT_ID_LENGTH)
    return None


def _too_long_or_exotic(code: str, length: int) -> Refused:
    text = f"clientOid or clientOrderId length cannot greater than {length}, and cannot be Martian characters"
    return Refused(code=code, message=text)


def _symbol(intake: Intake) -> Refused | None:
    if intake.command.symbol == intake.rules.symbol:
        return None
    return Refused(code="40034", message=f"Parameter {intake.command.symbol} does not exist")


def _size(intake: Intake) -> Refused | None:
    rules, size = intake.rules, intake.command.size
    largest = rules.max_market_qty if intake.command.order_type is OrderType.MARKET else rules.max_order_qty
    if not is_computable(size) or size < 0:
        return _unreadable("size", size)
    if size and _decimals(size) > rules.volume_place:
        text = f"size checkBDScale error value={plain(size)} checkScale={rules.volume_place}"
        return Refused(code="40808", message=f"Parameter verification exception {text}")
    if size < rules.min_qty:
        return Refused(code="45111", message="less than the minimum order quantity")
    if rules.steps(size) is None:
        text = f"Please enter the quantity as an integral multiple of {plain(rules.qty_step)}"
        return Refused(code="22038", message=text)
    if size > largest:
        return Refused(code="45112", message="more than the maximum order quantity")
    return None


def _unreadable(name: str, amount: Decimal) -> Refused:
    return Refused(code="40808", message=f"Parameter verification exception {name} error value={str(amount)[:40]}")


def _decimals(amount: Decimal) -> int:
    """Decimals that count: 1.500 has one."""
    fraction = plain(amount).partition(".")[2]
    return len(fraction)


def _price(intake: Intake) -> Refused | None:
    price, rules = intake.limit, intake.rules
    if price is None:
        return None
    if not is_computable(price) or price <= 0:
        return _unreadable("price", price)
    if rules.ticks(price) is None:
        return Refused(code="45115", message=f"The price you enter should be a multiple of {plain(rules.tick)}")
    return _band(intake, price)


def _band(intake: Intake, price: Decimal) -> Refused | None:
    """A buy not above, a sell not below the band around the mark (documented; the codes are inferred)."""
    rules, switches = intake.rules, intake.switches
    if intake.direction is Side.BUY and price > intake.mark * (1 + rules.buy_limit_ratio):
        return Refused(
            code=switches.price_too_high_code, message="The order price is higher than the highest bid price"
        )
    if intake.direction is Side.SELL and price < intake.mark * (1 - rules.sell_limit_ratio):
        return Refused(
            code=switches.price_too_low_code, message="The order price is lower than the lowest selling price"
        )
    return None


def _value(intake: Intake) -> Refused | None:
    minimum = intake.rules.min_value_usdt
    exempt = intake.closing and intake.switches.reduce_only_min_value_exempt
    if exempt or intake.command.size * intake.price >= minimum:
        return None
    return Refused(code="45110", message=f"less than the minimum amount {plain(minimum)} USDT")


def _mode(intake: Intake) -> Refused | None:
    """tradeSide belongs to hedge mode and to no other (captured; the documentation says it is ignored)."""
    hedge = intake.account.position_mode == HEDGE
    if intake.command.trade_side in (("open", "close") if hedge else ("",)):
        return None
    text = "The order type for unilateral position must also be the unilateral position type."
    return Refused(code="40774", message=text)


def _something_to_close(intake: Intake) -> Refused | None:
    if intake.closing and not intake.closable:
        return Refused(code="22002", message="No position to close")
    return None


def _client_id_is_new(intake: Intake) -> Refused | None:
    """Unique per account among all orders on record (inferred: the horizon is not documented)."""
    if intake.orders.find(intake.account.name, "", intake.command.client_id):
        return Refused(code="40786", message="Duplicate clientOid")
    return None


def _room(intake: Intake) -> Refused | None:
    most = intake.rules.max_symbol_orders
    if len(intake.orders.open(intake.account.name)) < most:
        return None
    return Refused(code="45118", message=f"Reached the upper limit of the order of transactions (limit) {most}")


def _tier(intake: Intake) -> Refused | None:
    """A position, were the order and its older companions all filled, stays within the tiers of its leverage."""
    rules, account = intake.rules, intake.account
    if intake.closing:
        return None
    resting = [o for o in intake.orders.open(account.name) if o.leg == intake.leg and not o.closing]
    same = sum(order.remaining for order in resting if order.direction is intake.direction)
    reached = abs(intake.direction.sign * (intake.steps + same) + account.held(intake.leg))
    grows = reached > abs(account.held(intake.leg))
    if not grows or rules.size(reached) * intake.price <= margin.notional_max(rules, account.leverage):
        return None
    return Refused(code="40921", message="The order size cannot exceed the maximum size of the positionLevel")


def _balance(intake: Intake) -> Refused | None:
    """What the order would open needs margin and its fee; what it would close needs none (inferred)."""
    rules, account = intake.rules, intake.account
    resting = intake.orders.open(account.name)
    opening = intake.steps - _closing_part(intake, resting)
    needed = margin.order_margin(account, intake.price * rules.size(opening))
    if intake.closing or not opening or needed <= margin.available(account, resting, intake.mark, rules):
        return None
    return Refused(code="40762", message="The order size is greater than the max open size")


def _closing_part(intake: Intake, resting: list[Order]) -> int:
    """How many steps of the order take off a position that no older order of its direction takes off already."""
    if intake.leg != NET:
        return intake.steps if intake.closing else 0
    older = [o for o in resting if o.direction is intake.direction and not o.closing]
    free = intake.closable - sum(o.remaining for o in older)
    return min(intake.steps, max(0, free))


CHECKS: tuple[Check, ...] = (
    _fields,
    _symbol,
    _size,
    _price,
    _value,
    _mode,
    _something_to_close,
    _client_id_is_new,
    _room,
    _tier,
    _balance,
)
