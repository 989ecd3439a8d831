"""A resting order that is taken by command, wherever the market stands: what it fills, and what it refuses."""

from decimal import Decimal
from typing import Any

import pytest
from fake_on_hand import OPENED_US, HandMarket

from botproof.events import OrderType, Side
from botproof.fakes.bitget.core.conservation import conservation
from botproof.fakes.bitget.core.exchange import Exchange
from botproof.fakes.bitget.core.messages import FillOrder, OrderAccepted, OrderFilled, PlaceOrder, Refused
from botproof.fakes.bitget.core.switches import Switches


@pytest.fixture
def exchange() -> Exchange:
    opened = Exchange(
        market=HandMarket(),
        seed=1,
        opened_us=OPENED_US,
        switches=Switches(cancel_reduce_only_without_position=False),
    )
    opened.open_account("main", Decimal(1000))
    return opened


def rest(exchange: Exchange, side: Side, price: str, size: str = "0.01", **changes: Any) -> str:
    """The id of a limit order that now rests."""
    command = PlaceOrder(
        symbol="BTCUSDT",
        side=side,
        order_type=OrderType.LIMIT,
        size=Decimal(size),
        price=Decimal(price),
        **changes,
    )
    [order] = [each.order for each in exchange.apply("main", command, OPENED_US) if isinstance(each, OrderAccepted)]
    return order.order_id


def force(exchange: Exchange, order_id: str, size: str | None = None, symbol: str = "BTCUSDT") -> list[Any]:
    command = FillOrder(symbol=symbol, order_id=order_id, size=None if size is None else Decimal(size))
    return exchange.apply("main", command, OPENED_US)


def refusal(outcomes: list[Any]) -> str:
    [refused] = outcomes
    assert isinstance(refused, Refused)
    return refused.code


def test_forced_order_fills_at_its_own_price_as_maker(exchange: Exchange) -> None:
    order_id = rest(exchange, Side.BUY, "66000")
    [filled] = [each for each in force(exchange, order_id) if isinstance(each, OrderFilled)]
    assert (filled.fill.price, filled.fill.size, filled.fill.is_maker) == (Decimal(66000), Decimal("0.01"), True)
    assert filled.fill.fee == Decimal("0.132")
    assert exchange.open_orders("main") == []
    assert conservation(exchange, "main") == []


def test_forced_order_leaves_those_ahead_of_it_alone(exchange: Exchange) -> None:
    ahead, behind = rest(exchange, Side.BUY, "66000"), rest(exchange, Side.BUY, "65000")
    force(exchange, behind)
    assert [order.order_id for order in exchange.open_orders("main")] == [ahead]


def test_part_of_an_order_is_forced_and_the_rest_rests(exchange: Exchange) -> None:
    order_id = rest(exchange, Side.SELL, "70000")
    force(exchange, order_id, "0.004")
    [order] = exchange.open_orders("main")
    assert (order.filled, order.size) == (Decimal("0.004"), Decimal("0.01"))
    assert refusal(force(exchange, order_id, "0.0061")) == "40020"
    force(exchange, order_id, "0.006")
    assert exchange.open_orders("main") == []


@pytest.mark.parametrize("size", ["0", "-0.001", "0.00005", "0.0101", "NaN"])
def test_size_that_is_none_of_the_order_s_is_refused(exchange: Exchange, size: str) -> None:
    order_id = rest(exchange, Side.BUY, "66000")
    assert refusal(force(exchange, order_id, size)) == "40020"
    assert exchange.fills("main") == []


def test_order_that_does_not_rest_is_refused(exchange: Exchange) -> None:
    order_id = rest(exchange, Side.BUY, "66000")
    force(exchange, order_id)
    assert refusal(force(exchange, order_id)) == "43001"
    assert refusal(force(exchange, "1")) == "43001"
    assert refusal(force(exchange, rest(exchange, Side.BUY, "65000"), symbol="ETHUSDT")) == "43001"


def test_closing_order_is_forced_no_further_than_there_is_to_close(exchange: Exchange) -> None:
    force(exchange, rest(exchange, Side.BUY, "66000"))
    closing = rest(exchange, Side.SELL, "70000", reduce_only=True)
    force(exchange, rest(exchange, Side.SELL, "69000", "0.007"))
    [filled] = [each for each in force(exchange, closing) if isinstance(each, OrderFilled)]
    assert filled.fill.size == Decimal("0.003")
    assert exchange.positions("main") == []
    assert refusal(force(exchange, closing)) == "22002"
    assert conservation(exchange, "main") == []
