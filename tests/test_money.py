"""Exact money."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botproof.money import ceil_to, cut, floor_to, is_multiple, plain

AMOUNTS = st.decimals(min_value=-(10**9), max_value=10**9, places=10)


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("1.50E+1", "15"),
        ("0E+2", "0"),
        ("-0.00", "0"),
        ("0.00010000", "0.0001"),
        ("1E-8", "0.00000001"),
        ("100", "100"),
    ],
)
def test_plain_text_has_neither_exponent_nor_trailing_zeros(amount: str, text: str) -> None:
    assert plain(Decimal(amount)) == text


@given(AMOUNTS)
def test_plain_text_loses_nothing(amount: Decimal) -> None:
    assert Decimal(plain(amount)) == amount


@given(AMOUNTS)
def test_floor_and_ceiling_enclose_the_amount_on_the_grid(amount: Decimal) -> None:
    step = Decimal("0.0001")
    low, high = floor_to(step, amount), ceil_to(step, amount)
    assert low <= amount <= high
    assert high - low in (0, step)
    assert is_multiple(step, low)


def test_fees_are_cut_toward_zero() -> None:
    assert cut(8, Decimal("83346.1") * Decimal("0.0001") * Decimal("0.0006")) == Decimal("0.00500076")
    assert cut(4, Decimal("-8.34649")) == Decimal("-8.3464")
