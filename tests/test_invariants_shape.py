"""What an order is, as it was asked for and as the venue shows it."""

from dataclasses import replace
from decimal import Decimal

import pytest
from streams import micro_cap_run

from botproof.events import FillSeen, OrderSeen, OrderType, RequestSent, Side
from botproof.invariants.shape import difference, is_market, unreadable

FACTS = micro_cap_run()
ASKED = next(fact for fact in FACTS if isinstance(fact, RequestSent) and fact.is_entry)
SHOWN = next(fact for fact in FACTS if isinstance(fact, OrderSeen))
FILLED = next(fact for fact in FACTS if isinstance(fact, FillSeen))

LIMIT = {"order_type": OrderType.LIMIT, "price": Decimal(67000), "size": Decimal("0.0002"), "side": Side.BUY}
MARKET = LIMIT | {"order_type": OrderType.MARKET, "price": None}


def asked(**changes: object) -> RequestSent:
    return replace(ASKED, **(LIMIT | {"reduce_only": False} | changes))  # type: ignore[arg-type]


def shown(**changes: object) -> OrderSeen:
    return replace(SHOWN, **(LIMIT | {"reduce_only": False} | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("lacks", "missing"),
    [
        ((), ""),
        (("side",), "side"),
        (("order_type",), "type"),
        (("size",), "size"),
        (("price",), "price"),
        (("side", "order_type", "size", "price"), "side"),
        (("size", "price"), "size"),
    ],
)
def test_what_a_request_leaves_out_is_named_first_things_first(lacks: tuple[str, ...], missing: str) -> None:
    assert unreadable(asked(**dict.fromkeys(lacks))) == missing


def test_a_market_order_lacks_no_price() -> None:
    assert unreadable(asked(**MARKET)) == ""


def test_a_market_order_is_one_by_its_type_or_by_having_no_price() -> None:
    assert is_market(asked(**MARKET))
    assert is_market(asked(order_type=OrderType.MARKET))
    assert is_market(asked(price=None))
    assert not is_market(asked())
    assert not is_market(FILLED)


@pytest.mark.parametrize(
    ("first", "seen", "what"),
    [
        ({}, {}, ""),
        ({}, {"side": Side.SELL}, "side sell instead of buy"),
        ({}, MARKET, "type market instead of limit"),
        (MARKET, {}, "type limit instead of market"),
        (MARKET, {"order_type": OrderType.MARKET, "price": Decimal(1)}, ""),
        ({}, {"price": Decimal("67000.1")}, "price 67000.1 instead of 67000"),
        ({}, {"price": Decimal("67000.0")}, ""),
        ({}, {"reduce_only": True}, "reduce-only"),
        ({"reduce_only": True}, {}, "not reduce-only"),
        ({}, {"size": Decimal("0.0001")}, "size 0.0001 instead of 0.0002"),
        ({}, {"size": Decimal("0.0003")}, "size 0.0003 instead of 0.0002"),
        ({"size": None}, {"size": Decimal("0.0003")}, ""),
    ],
)
def test_the_first_difference_between_asked_and_shown_is_told(
    first: dict[str, object], seen: dict[str, object], what: str
) -> None:
    assert difference(asked(**first), shown(**seen)) == what


@pytest.mark.parametrize(
    ("size", "what"), [("0.0001", ""), ("0.0002", ""), ("0.0003", "size 0.0003 instead of 0.0002")]
)
def test_a_reduce_only_order_may_be_cut_and_never_raised(size: str, what: str) -> None:
    assert difference(asked(reduce_only=True), shown(reduce_only=True, size=Decimal(size))) == what


def test_of_a_fill_only_the_side_is_compared() -> None:
    elsewhere = replace(FILLED, side=Side.BUY, price=Decimal(1), size=Decimal(9))
    assert difference(asked(), elsewhere) == ""
    assert difference(asked(side=Side.SELL), elsewhere) == "side buy instead of sell"
