"""What is quoted: levels, own prices and planned sizes, from the profile, the contract and a mid.

1. A level quotes at mid x (1 -/+ its spread). A buy price is rounded down to the tick and a sell price up, so that a
   quote never stands inside the promised spread.
2. The planned size of a level is its own share (its pct of the sum of both sides' pcts) of `total_amount_quote`,
   divided by the order's own price and rounded down to the step. It is never raised: what falls below the venue's
   minimum quantity or value is not sent, and that is said.
3. An entry is sent only where the account's available margin covers it. Planned orders fit the envelope by
   their value alone; margin and taker fee together may exceed the account by some cents, and losses make it smaller.
   The venue then refuses (40762, documented), and an order that is known to be refused is noise: it spends the
   rate limit, counts as a reject, and hides the refusals that nobody foresaw.
"""

from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import chain, zip_longest

from botproof.events import Side
from botproof.money import ZERO, ceil_to, floor_to
from botproof.ports import Contract, Depth
from botproof.profile import Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One quoting slot: at most one order rests in it."""

    side: Side
    number: int  # 0 is nearest to mid
    spread: Decimal  # fraction of mid
    amount_usdt: Decimal  # the share of the envelope that this level may commit
    is_backed: bool = True  # whether the account's margin was found to cover its order


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A level's order as planned at one mid; `below_minimum` says why it must not be sent, else it is empty."""

    side: Side
    price: Decimal
    size: Decimal
    below_minimum: str


def levels_of(profile: Profile) -> tuple[Level, ...]:
    """The levels in the order in which they are quoted: nearest first, the buy before the sell."""
    buys = tuple(zip(profile.buy_spreads, profile.buy_amounts_pct, strict=True))
    sells = tuple(zip(profile.sell_spreads, profile.sell_amounts_pct, strict=True))
    pct_sum = sum((pct for _, pct in buys + sells), Decimal(0))

    def level(side: Side, number: int, spread: Decimal, pct: Decimal) -> Level:
        amount_usdt = profile.total_amount_quote * pct / pct_sum
        return Level(side=side, number=number, spread=spread, amount_usdt=amount_usdt)

    buy_levels = [level(Side.BUY, number, *terms) for number, terms in enumerate(buys)]
    sell_levels = [level(Side.SELL, number, *terms) for number, terms in enumerate(sells)]
    return tuple(found for found in chain(*zip_longest(buy_levels, sell_levels)) if found is not None)


def mid_of(depth: Depth) -> Decimal | None:
    """(best bid + best ask) / 2; None where a side is empty."""
    if not depth.bids or not depth.asks:
        return None
    return (depth.bids[0][0] + depth.asks[0][0]) / 2


def quote_of(level: Level, mid: Decimal, contract: Contract) -> Quote:
    """The order of `level` at `mid`: its own price first, then the size that its share buys at that price."""
    away = 1 - level.side.sign * level.spread
    price = (floor_to if level.side is Side.BUY else ceil_to)(contract.tick, mid * away)
    size = floor_to(contract.qty_step, level.amount_usdt / price)
    return Quote(side=level.side, price=price, size=size, below_minimum=_shortfall(size, price, contract))


def weighed(
    levels: tuple[Level, ...], free_usdt: Decimal, mid: Decimal, contract: Contract, leverage: int
) -> tuple[Level, ...]:
    """The levels with `is_backed` told anew: the planned orders at `mid` take of the free margin, nearest first."""
    found = []
    for level in levels:
        quote = quote_of(level, mid, contract)
        needed_usdt = ZERO if quote.below_minimum else backing_usdt(quote.price, quote.size, leverage, contract)
        is_backed = needed_usdt <= free_usdt
        free_usdt -= needed_usdt if is_backed else ZERO
        found.append(replace(level, is_backed=is_backed))
    return tuple(found)


def backing_usdt(price: Decimal, size: Decimal, leverage: int, contract: Contract) -> Decimal:
    """What the venue holds back for an entry of `size` BTC at `price` USDT: its margin and its taker fee (inferred)."""
    value = price * size
    return value / leverage + value * contract.taker_fee_rate


def _shortfall(size: Decimal, price: Decimal, contract: Contract) -> str:
    if size < contract.min_qty:
        return f"planned {size} is below the minimum quantity {contract.min_qty}"
    if size * price < contract.min_value_usdt:
        return f"planned {size * price} USDT is below the minimum value {contract.min_value_usdt} USDT"
    return ""
