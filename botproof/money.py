"""Exact money: `Decimal` in and out, no float anywhere.

A price has the unit USDT, a size the unit BTC (base coin), a value the unit USDT. Rates are fractions.
"""

from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, Decimal
from functools import cache

ZERO = Decimal(0)


def floor_to(step: Decimal, amount: Decimal) -> Decimal:
    """The largest multiple of `step` that is at most `amount`: `floor_to(Decimal("0.1"), Decimal("2.39"))` is 2.3."""
    return (amount / step).to_integral_value(rounding=ROUND_FLOOR) * step


def ceil_to(step: Decimal, amount: Decimal) -> Decimal:
    """The smallest multiple of `step` that is at least `amount`."""
    return (amount / step).to_integral_value(rounding=ROUND_CEILING) * step


def is_multiple(step: Decimal, amount: Decimal) -> bool:
    """Whether `amount` lies on the grid of `step`."""
    return amount % step == 0


def cut(places: int, amount: Decimal) -> Decimal:
    """`amount` cut toward zero at `places` decimals, as the venue cuts fees (8) and quote volumes (4)."""
    return amount.quantize(_unit(places), rounding=ROUND_DOWN)


@cache
def _unit(places: int) -> Decimal:
    return Decimal(1).scaleb(-places)


def plain(amount: Decimal) -> str:
    """Digits only: no exponent, no trailing zeros, no minus zero. `plain(Decimal("1.50E+1"))` is "15"."""
    text = format(amount, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text
