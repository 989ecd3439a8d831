"""Requests as they were sent: each once, and in the words of an operator."""

from dataclasses import replace
from decimal import Decimal

import pytest

from botproof.events import Action, OrderType, RequestSent, Side, Source
from botproof.invariants.sent import Once, describe, value_usdt

ENTRY = RequestSent(
    src=Source.TAP,
    t_local_us=0,
    request=1,
    method="POST",
    path="/p",
    action=Action.PLACE,
    side=Side.BUY,
    order_type=OrderType.LIMIT,
    price=Decimal("67263.70"),
    size=Decimal("0.0001"),
    client_id="bot1-r1-1",
)
MARKET = replace(ENTRY, order_type=OrderType.MARKET, price=None, side=Side.SELL, reduce_only=True)


def test_a_request_is_new_once_and_those_of_two_witnesses_are_two() -> None:
    once = Once()
    assert [once.is_new(sent) for sent in (ENTRY, ENTRY, replace(ENTRY, client_id="x"))] == [True, False, False]
    assert once.is_new(replace(ENTRY, request=2))
    assert once.is_new(replace(ENTRY, src=Source.FAKE_JOURNAL))


@pytest.mark.parametrize(
    ("sent", "mark", "value"),
    [
        (ENTRY, None, "6.72637"),
        (ENTRY, "70000", "6.72637"),
        (MARKET, "70000", "7"),
        (MARKET, None, None),
        (replace(ENTRY, price=None), "70000", "7"),
        (replace(ENTRY, size=None), None, None),
    ],
)
def test_a_request_is_worth_its_own_price_and_at_market_the_mark(
    sent: RequestSent, mark: str | None, value: str | None
) -> None:
    assert value_usdt(sent, None if mark is None else Decimal(mark)) == (None if value is None else Decimal(value))


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        (ENTRY, "entry buy bot1-r1-1 67263.7 x 0.0001"),
        (MARKET, "exit sell bot1-r1-1 at market x 0.0001"),
        (replace(ENTRY, side=None, size=None), "entry  bot1-r1-1 67263.7 x no size"),
    ],
)
def test_a_request_is_described_as_it_was_sent(sent: RequestSent, text: str) -> None:
    assert describe(sent) == text
