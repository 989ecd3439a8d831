"""Which orders may enter: each check refuses by itself, and the checks answer in their order."""

from dataclasses import replace
from decimal import Decimal

import pytest
from exchange_floor import OPENED_US, SYMBOL, Floor, TableMarket, book
from hypothesis import given, settings
from hypothesis import strategies as st

from botproof.events import OrderType, Side
from botproof.fakes.bitget.core.contract import BTCUSDT
from botproof.fakes.bitget.core.exchange import Exchange
from botproof.fakes.bitget.core.messages import PlaceOrder, Refused
from botproof.fakes.bitget.core.switches import Switches

GOOD = PlaceOrder(
    symbol=SYMBOL,
    side=Side.BUY,
    order_type=OrderType.LIMIT,
    size=Decimal("0.001"),
    price=Decimal("67400.0"),
    client_id="good",
)


def answer(command: PlaceOrder, *, deposit: str = "100000000", switches: Switches | None = None) -> str:
    """The code of the refusal and its text, or "accepted"."""
    market = TableMarket({0: book("67500", "67500.1")}, mark="67500")
    trading = Floor(market, deposit=deposit, switches=switches or Switches())
    first, *_ = trading.exchange.apply("main", command, OPENED_US)
    return f"{first.code} {first.message}" if isinstance(first, Refused) else "accepted"


def test_good_order_is_accepted() -> None:
    assert answer(GOOD) == "accepted"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"force": "day"}, "400172 The order validity period is invalid"),
        ({"margin_mode": ""}, "400172 margin mode cannot be empty"),
        ({"price": None}, "400172 Parameter verification failed"),
        ({"client_id": "a" * 49}, "accepted"),
        ({"client_id": "a" * 50}, "40304 "),
        ({"client_id": "a" * 65}, "40305 "),
        ({"client_id": "bot 1"}, "40305 "),
        ({"client_id": "böt"}, "40305 "),
        ({"client_id": "aZ09-_+,#"}, "accepted"),
        ({"symbol": "NOPEUSDT"}, "40034 Parameter NOPEUSDT does not exist"),
        ({"size": Decimal("0.00001")}, "40808 Parameter verification exception size checkBDScale error value=0.00001"),
        ({"size": Decimal("0.00010")}, "accepted"),
        ({"size": Decimal(0)}, "45111 less than the minimum order quantity"),
        ({"size": Decimal("0E+999999")}, "45111 "),
        ({"size": Decimal("0E-999999")}, "40808 "),
        ({"size": Decimal("-0.001")}, "40808 "),
        ({"size": Decimal("NaN")}, "40808 "),
        ({"size": Decimal("Infinity")}, "40808 "),
        ({"size": Decimal("1e400")}, "40808 "),
        ({"size": Decimal("1." + "1" * 60)}, "40808 "),
        ({"size": Decimal(1200)}, "accepted"),
        ({"size": Decimal("1200.0001")}, "45112 more than the maximum order quantity"),
        ({"size": Decimal("220.0001"), "order_type": OrderType.MARKET}, "45112 "),
        ({"price": Decimal("67400.05")}, "45115 The price you enter should be a multiple of 0.1"),
        ({"price": Decimal("67400.10")}, "accepted"),
        ({"price": Decimal(0)}, "40808 "),
        ({"price": Decimal(-1)}, "40808 "),
        ({"price": Decimal("sNaN")}, "40808 "),
        ({"price": Decimal("1e400")}, "40808 "),
        ({"price": Decimal("70875.0")}, "accepted"),  # 67500 x 1.05
        ({"price": Decimal("70875.1")}, "40815 "),
        ({"price": Decimal("33750.0")}, "accepted"),  # far away on the passive side (captured)
        ({"side": Side.SELL, "price": Decimal("64125.0")}, "accepted"),
        ({"side": Side.SELL, "price": Decimal("64124.9")}, "40816 "),
        ({"size": Decimal("0.0001"), "price": Decimal("50000.0")}, "accepted"),
        ({"size": Decimal("0.0001"), "price": Decimal("49999.9")}, "45110 less than the minimum amount 5 USDT"),
        ({"trade_side": "open"}, "40774 "),
        ({"reduce_only": True}, "22002 No position to close"),
        ({"order_type": OrderType.MARKET, "price": Decimal("67400.05")}, "accepted"),  # means nothing there
    ],
)
def test_each_field_is_checked(change: dict[str, object], expected: str) -> None:
    found = answer(replace(GOOD, **change))
    assert found.startswith(expected), found


def test_size_off_the_step_is_refused_where_the_step_is_not_one_decimal() -> None:
    rules = replace(BTCUSDT, qty_step=Decimal("0.0005"), min_qty=Decimal("0.0005"))
    exchange = Exchange(market=TableMarket({0: book("67500", "67500.1")}), rules=rules, seed=1, opened_us=OPENED_US)
    exchange.open_account("main", Decimal(1000))
    (refused,) = exchange.apply("main", replace(GOOD, size=Decimal("0.0007")), OPENED_US)
    assert refused == Refused(code="22038", message="Please enter the quantity as an integral multiple of 0.0005")


def test_codes_of_the_price_band_can_be_switched() -> None:
    switches = Switches(price_too_high_code="22006", price_too_low_code="22007")
    assert answer(replace(GOOD, price=Decimal(80000)), switches=switches).startswith("22006")
    assert answer(replace(GOOD, side=Side.SELL, price=Decimal(50000)), switches=switches).startswith("22007")


def test_balance_to_the_last_digit_is_enough_and_one_less_is_not() -> None:
    needed = Decimal("67.4") / 20 + Decimal("67.4") * Decimal("0.0006")
    assert answer(GOOD, deposit=str(needed)) == "accepted"
    assert answer(GOOD, deposit=str(needed - Decimal("1e-8"))).startswith("40762 ")


def test_client_id_is_used_once_per_account_even_after_its_order_is_gone() -> None:
    Floor(TableMarket({0: book("67500", "67500.1")})).run(
        """
        at 0: buy 0.001 at 67400 as a          -> accepted a 0.001
        at 0: buy 0.001 at 67400 as a          -> refused 40786
        at 0: cancel a                         -> canceled a normal_cancel
        at 0: buy 0.001 at 67400 as a          -> refused 40786
        at 0: buy 0.001 at 67400 as a by other -> accepted a 0.001
        """
    )


def test_refused_client_id_can_be_used_again() -> None:
    Floor(TableMarket({0: book("67500", "67500.1")})).run(
        """
        at 0: buy 0.00001 at 67400 as a  -> refused 40808
        at 0: buy 0.001 at 67400 as a    -> accepted a 0.001
        """
    )


def test_room_for_resting_orders_is_bounded() -> None:
    rules = replace(BTCUSDT, max_symbol_orders=2)
    exchange = Exchange(market=TableMarket({0: book("67500", "67500.1")}), rules=rules, seed=1, opened_us=OPENED_US)
    exchange.open_account("main", Decimal(1000))
    codes = []
    for n in range(3):
        first, *_ = exchange.apply("main", replace(GOOD, client_id=f"n{n}"), OPENED_US)
        codes.append(first.code if isinstance(first, Refused) else "accepted")
    assert codes == ["accepted", "accepted", "45118"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"force": "day", "symbol": "NOPE"}, "400172"),
        ({"symbol": "NOPE", "size": Decimal(0)}, "40034"),
        ({"size": Decimal("0.00001"), "price": Decimal("0.01")}, "40808"),
        ({"size": Decimal("0.0001"), "price": Decimal("100.01")}, "45115"),
        ({"size": Decimal("0.0001"), "price": Decimal(100), "trade_side": "open"}, "45110"),
        ({"trade_side": "open", "reduce_only": True}, "40774"),
        ({"reduce_only": True, "client_id": "taken"}, "22002"),
        ({"client_id": "taken", "size": Decimal(1000)}, "40786"),
    ],
)
def test_of_two_failing_checks_the_earlier_answers(changes: dict[str, object], code: str) -> None:
    trading = Floor(TableMarket({0: book("67500", "67500.1")}))
    trading.run("at 0: buy 0.001 at 67400 as taken -> accepted taken 0.001")
    first, *_ = trading.exchange.apply("main", replace(GOOD, **changes), OPENED_US)
    assert isinstance(first, Refused)
    assert first.code == code


@settings(deadline=None)
@given(
    size=st.decimals(allow_nan=True, allow_infinity=True) | st.decimals(0, 2, places=4),
    price=st.none() | st.decimals(allow_nan=True, allow_infinity=True) | st.decimals(0, 100_000, places=1),
    client_id=st.text(max_size=70),
    order_type=st.sampled_from(OrderType),
    reduce_only=st.booleans(),
)
def test_refusal_changes_nothing_and_nothing_raises(
    size: Decimal, price: Decimal | None, client_id: str, order_type: OrderType, *, reduce_only: bool
) -> None:
    trading = Floor(TableMarket({0: book("67500", "67500.1")}))
    before = repr(trading.exchange)
    command = replace(GOOD, size=size, price=price, client_id=client_id, order_type=order_type, reduce_only=reduce_only)
    first, *_ = trading.exchange.apply("main", command, OPENED_US)
    if isinstance(first, Refused):
        assert repr(trading.exchange) == before
        assert trading.exchange.orders("main") == []
