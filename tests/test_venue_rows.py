"""Rows of the venue are read strictly: what is known to vary is read alike, the rest is not guessed."""

import json
from decimal import Decimal
from typing import Any

import pytest

from botproof.errors import Unanswered, VenueError
from botproof.events import OrderState, OrderType, Side
from botproof.ports import AccountPush, BookPush, Fill, FillPush, OrderPush, PositionsPush, TickerPush, TradePush
from botproof.venue import rows
from botproof.venue.envelope import envelope, parsed

ORDER = {
    "symbol": "BTCUSDT", "size": "0.0003", "orderId": "1001", "clientOid": "bot1-a-1", "baseVolume": "0.0001",
    "fee": "-0.00135", "price": "67500.1", "priceAvg": "67500.1", "state": "partially_filled", "side": "buy",
    "force": "post_only", "reduceOnly": "NO", "orderType": "limit", "cTime": "1771722000000", "uTime": "1771722000500",
}  # fmt: skip
FILL = {
    "tradeId": "9001", "symbol": "BTCUSDT", "orderId": "1001", "price": "83346.4", "baseVolume": "0.0001",
    "feeDetail": [{"deduction": "no", "feeCoin": "USDT", "totalDeductionFee": None, "totalFee": "-0.00500076"}],
    "side": "sell", "quoteVolume": "8.3346", "profit": "0.00031", "tradeScope": "taker", "cTime": "1771722000000",
}  # fmt: skip
POSITION = {
    "symbol": "BTCUSDT", "holdSide": "long", "total": "0.0001", "leverage": "3", "openPriceAvg": "83343.3",
    "marginMode": "crossed", "markPrice": "83344.1", "cTime": "1771722000000", "uTime": "1771722000500",
}  # fmt: skip
ACCOUNT = {
    "marginCoin": "USDT", "available": "19.5", "accountEquity": "20", "usdtEquity": "20.0000000001",
    "crossedMarginLeverage": 3, "isolatedLongLever": 7, "marginMode": "crossed", "posMode": "one_way_mode",
    "unrealizedPL": "",
}  # fmt: skip
CONTRACT = {
    "symbol": "BTCUSDT", "minTradeNum": "0.0001", "priceEndStep": "1", "pricePlace": "1", "sizeMultiplier": "0.0001",
    "minTradeUSDT": "5", "makerFeeRate": "0.0002", "takerFeeRate": "0.0006",
}  # fmt: skip
TICKER = {
    "symbol": "BTCUSDT", "lastPr": "67500", "bidPr": "67499.9", "bidSz": "1.5", "askPr": "67500.1", "askSz": "2",
    "markPrice": "67500.2", "indexPrice": "67501.953125", "fundingRate": "0.0001", "ts": "1771722000000",
}  # fmt: skip


def frame(channel: str, data: Any, **argument: str) -> dict[str, Any]:
    return {"action": "snapshot", "arg": {"instType": "USDT-FUTURES", "channel": channel, **argument}, "data": data,
            "ts": 1771722000999}  # fmt: skip


# Envelopes


def test_a_success_gives_its_data() -> None:
    found = envelope(200, b'{"code":"00000","msg":"success","requestTime":1771722000000,"data":{"a":"b"}}')
    assert (found.unwrapped(), found.t_ms) == ({"a": "b"}, 1771722000000)


@pytest.mark.parametrize("status", [200, 400, 429, 500])
def test_a_refusal_carries_the_venues_code_text_and_status(status: int) -> None:
    with pytest.raises(VenueError) as caught:
        envelope(status, b'{"code":"40762","msg":"The order size is greater","data":null}').unwrapped()
    assert (caught.value.code, caught.value.message, caught.value.status) == (
        "40762",
        "The order size is greater",
        status,
    )


@pytest.mark.parametrize(
    "content",
    [b"", b"<html>502</html>", b'{"code":"00000","da', b"[]", b'"00000"', b'{"msg":"x"}', b'{"code":"00000","data":NaN}',
     b"\xff\xfe"],
)  # fmt: skip
def test_what_is_no_envelope_is_unanswered(content: bytes) -> None:
    with pytest.raises(Unanswered, match="HTTP 200"):
        envelope(200, content)


def test_accepted_and_refused_at_once_is_unanswered() -> None:
    with pytest.raises(Unanswered, match="at once"):
        envelope(500, b'{"code":"00000","msg":"success","data":null}')


def test_numbers_never_pass_through_a_float() -> None:
    assert parsed("[104823.812345678901234567, 0.1]") == [Decimal("104823.812345678901234567"), Decimal("0.1")]


# REST rows


def test_a_contract_has_its_tick_from_places_and_step() -> None:
    found = rows.contract({**CONTRACT, "priceEndStep": 5, "pricePlace": "2"})
    assert (found.tick, found.min_qty, found.min_value_usdt) == (Decimal("0.05"), Decimal("0.0001"), Decimal(5))


def test_a_ticker_with_an_empty_side_has_price_zero_there() -> None:
    found = rows.ticker({**TICKER, "bidPr": "", "bidSz": None})
    assert (found.bid, found.bid_size, found.ask) == (Decimal(0), Decimal(0), Decimal("67500.1"))


def test_a_depth_of_json_numbers_is_exact_and_may_have_an_empty_side() -> None:
    found = rows.depth(parsed('{"asks":[[83744.7,0.5],[83744.8,1]],"bids":[],"ts":"1771722000000"}'), "BTCUSDT")
    assert (found.asks[0], found.bids) == ((Decimal("83744.7"), Decimal("0.5")), ())


@pytest.mark.parametrize("levels", [[["1"]], [[None, "1"]], ["ab"], {"a": 1}, [["1", "x"]], [["1", "NaN"]]])
def test_a_depth_that_is_no_list_of_pairs_is_unanswered(levels: Any) -> None:
    with pytest.raises(Unanswered, match="depth bids"):
        rows.depth({"bids": levels, "asks": [], "ts": "1"}, "BTCUSDT")


@pytest.mark.parametrize(("mode", "leverage"), [("crossed", 3), ("isolated", 7)])
def test_the_leverage_of_the_margin_mode_counts(mode: str, leverage: int) -> None:
    assert rows.account({**ACCOUNT, "marginMode": mode}, "BTCUSDT").leverage == leverage


@pytest.mark.parametrize(("side", "size"), [("long", "0.0001"), ("short", "-0.0001")])
def test_a_position_is_signed_by_its_side(side: str, size: str) -> None:
    assert rows.position({**POSITION, "holdSide": side}).size == Decimal(size)


@pytest.mark.parametrize("leverage", ["3", 3, Decimal("3.0")])
def test_leverage_is_read_from_text_and_number(leverage: Any) -> None:
    assert rows.position({**POSITION, "leverage": leverage}).leverage == 3


@pytest.mark.parametrize(
    ("key", "word", "state"),
    [
        ("state", "live", OrderState.LIVE),
        ("status", "partially_filled", OrderState.PARTIALLY_FILLED),
        ("state", "filled", OrderState.FILLED),
        ("status", "canceled", OrderState.CANCELED),
        ("state", "cancelled", OrderState.CANCELED),
    ],
)
def test_an_orders_state_goes_by_two_names_and_two_spellings(key: str, word: str, state: OrderState) -> None:
    body = {name: value for name, value in ORDER.items() if name != "state"}
    assert rows.order({**body, key: word}).state is state


def test_an_unknown_state_is_not_guessed() -> None:
    with pytest.raises(Unanswered, match=r"order: expected one of .* as state or status, found 'resting'"):
        rows.order({**ORDER, "state": "resting"})


@pytest.mark.parametrize("price", ["", "0", None])
def test_a_market_order_has_no_price(price: Any) -> None:
    found = rows.order({**ORDER, "orderType": "market", "price": price, "priceAvg": ""})
    assert (found.order_type, found.price, found.average_price) == (OrderType.MARKET, None, None)


@pytest.mark.parametrize(("word", "meant"), [("YES", True), ("yes", True), ("NO", False), ("no", False), (None, False)])
def test_reduce_only_is_read_in_any_case(word: Any, meant: bool) -> None:
    assert rows.order({**ORDER, "reduceOnly": word}).reduce_only is meant


@pytest.mark.parametrize("missing", ["orderId", "symbol", "side", "size", "price", "orderType", "state", "cTime"])
@pytest.mark.parametrize("nothing", ["absent", None, ""])
def test_an_order_without_what_it_needs_is_unanswered(missing: str, nothing: str | None) -> None:
    body: dict[str, Any] = {name: value for name, value in ORDER.items() if name != missing}
    if nothing != "absent":
        body[missing] = nothing
    with pytest.raises(Unanswered, match=f"expected .*{missing}"):
        rows.order(body)


@pytest.mark.parametrize("size", ["abc", "NaN", "Infinity", True, [], {}])
def test_a_size_that_is_no_number_is_unanswered(size: Any) -> None:
    with pytest.raises(Unanswered, match="size"):
        rows.order({**ORDER, "size": size})


@pytest.mark.parametrize("time", ["1.5", "yesterday", "Infinity"])
def test_a_time_that_is_no_whole_number_is_unanswered(time: str) -> None:
    with pytest.raises(Unanswered, match="a whole number as cTime"):
        rows.order({**ORDER, "cTime": time})


@pytest.mark.parametrize("body", [None, [], "row", 5])
def test_a_row_that_is_no_object_is_unanswered(body: Any) -> None:
    for read in (rows.order, rows.fill, rows.position, rows.bill, rows.contract, rows.ticker, rows.acknowledgement):
        with pytest.raises(Unanswered, match="expected a JSON object"):
            read(body)


def test_a_fee_paid_is_positive_and_a_rebate_negative() -> None:
    assert rows.fill(FILL).fee_usdt == Decimal("0.00500076")
    assert rows.fill({**FILL, "feeDetail": [{"feeCoin": "USDT", "totalFee": "0.001"}]}).fee_usdt == Decimal("-0.001")


def test_fee_details_are_read_as_list_as_object_and_as_text() -> None:
    details = FILL["feeDetail"]
    spelled = [details, details[0], json.dumps(details)]
    assert {rows.fill({**FILL, "feeDetail": each}).fee_usdt for each in spelled} == {Decimal("0.00500076")}


@pytest.mark.parametrize(
    "details", [None, [], "", "torn [", [{}], [{"totalFee": "x"}], [{"totalFee": "-1", "feeCoin": "BGB"}]]
)
def test_a_fill_without_a_readable_fee_in_usdt_is_unanswered(details: Any) -> None:
    with pytest.raises(Unanswered):
        rows.fill({**FILL, "feeDetail": details})


def test_a_fill_without_its_role_is_not_guessed() -> None:
    with pytest.raises(Unanswered, match="one of maker, m, taker, t as tradeScope"):
        rows.fill({**FILL, "tradeScope": None})


def test_a_bill_keeps_the_venues_sign() -> None:
    found = rows.bill({"billId": "7", "symbol": "BTCUSDT", "businessType": "contract_settle_fee",
                       "amount": "-0.004992", "fee": "0", "balance": "19.9", "cTime": "1771722000000"})  # fmt: skip
    assert (found.amount, found.business_type) == (Decimal("-0.004992"), "contract_settle_fee")


def test_of_several_rows_the_one_of_the_symbol_is_taken() -> None:
    other = {**CONTRACT, "symbol": "ETHUSDT"}
    assert rows.only_row([other, CONTRACT], "contracts", "btcusdt") is CONTRACT
    with pytest.raises(Unanswered, match="a row of BTCUSDT"):
        rows.only_row([other], "contracts", "BTCUSDT")


# Pushes


def test_a_ticker_is_pushed() -> None:
    row = {**TICKER, "instId": "BTCUSDT", "symbolType": "1"}
    assert rows.pushes(frame("ticker", [row], instId="BTCUSDT")) == [TickerPush(ticker=rows.ticker(TICKER))]


def test_the_best_levels_are_pushed_with_the_symbol_of_the_frame() -> None:
    data = [{"asks": [["67500.1", "2"]], "bids": [], "ts": "1771722000000", "seq": 1, "pseq": 0}]
    [push] = rows.pushes(frame("books1", data, instId="BTCUSDT"))
    assert isinstance(push, BookPush)
    assert (push.depth.symbol, push.depth.bids, push.depth.asks[0][1]) == ("BTCUSDT", (), Decimal(2))


def test_trades_are_pushed_oldest_first() -> None:
    data = [{"ts": str(ts), "price": "1", "size": "2", "side": "Buy", "tradeId": str(ts)} for ts in (3, 2, 1)]
    found = rows.pushes(frame("trade", data, instId="BTCUSDT"))
    assert [push.trade_id for push in found if isinstance(push, TradePush)] == ["1", "2", "3"]
    assert isinstance(found[0], TradePush)
    assert (found[0].side, found[0].symbol) == (Side.BUY, "BTCUSDT")


PUSHED_ORDER = {
    "instId": "BTCUSDT", "orderId": "1001", "clientOid": "bot1-a-1", "price": "67500.1", "size": "0.0003",
    "accBaseVolume": "0.0002", "orderType": "limit", "force": "gtc", "side": "buy", "status": "partially_filled",
    "reduceOnly": "no", "leverage": "1", "feeDetail": [{"feeCoin": "USDT", "fee": "-0.0027"}],
    "cTime": "1771722000000", "uTime": "1771722000500",
}  # fmt: skip
ITS_FILL = {
    "fillPrice": "67500.1", "baseVolume": "0.0001", "fillFee": "-0.00135", "fillFeeCoin": "USDT",
    "fillTime": "1771722000490", "tradeId": "9002", "tradeScope": "M", "pnl": "0.5", "priceAvg": "67500.05",
}  # fmt: skip


def test_an_order_without_a_trade_id_reports_no_fill() -> None:
    [push] = rows.pushes(frame("orders", [PUSHED_ORDER], instId="default"))
    assert isinstance(push, OrderPush)
    assert (push.fill, push.order.filled) == (None, Decimal("0.0002"))


def test_an_order_with_a_trade_id_reports_the_last_fill_beside_the_sum() -> None:
    [push] = rows.pushes(frame("orders", [PUSHED_ORDER | ITS_FILL], instId="default"))
    assert isinstance(push, OrderPush)
    assert push.order.filled == Decimal("0.0002")
    assert push.fill == Fill(
        trade_id="9002", order_id="1001", client_id="bot1-a-1", symbol="BTCUSDT", side=Side.BUY,
        price=Decimal("67500.1"), size=Decimal("0.0001"), fee_usdt=Decimal("0.00135"), is_maker=True,
        realized_usdt=Decimal("0.5"), t_ms=1771722000490,
    )  # fmt: skip


def test_a_fill_by_either_channel_has_the_same_fee() -> None:
    row = {**FILL, "feeDetail": [{"feeCoin": "USDT", "deduction": "no", "totalFee": "-0.00135"}], "tradeScope": "maker"}
    [by_fill] = rows.pushes(frame("fill", [row], instId="default"))
    [by_order] = rows.pushes(frame("orders", [PUSHED_ORDER | ITS_FILL], instId="default"))
    assert isinstance(by_fill, FillPush)
    assert isinstance(by_order, OrderPush)
    assert by_order.fill is not None
    assert (by_fill.fill.fee_usdt, by_fill.fill.is_maker) == (by_order.fill.fee_usdt, by_order.fill.is_maker)


def test_positions_are_pushed_as_the_complete_list() -> None:
    row = {name: value for name, value in POSITION.items() if name != "symbol"} | {"instId": "BTCUSDT", "leverage": 20}
    [push] = rows.pushes(frame("positions", [row], instId="default"))
    assert isinstance(push, PositionsPush)
    assert [(each.symbol, each.leverage) for each in push.positions] == [("BTCUSDT", 20)]
    assert rows.pushes(frame("positions", [], instId="default")) == [PositionsPush(positions=(), t_ms=1771722000999)]


def test_the_account_is_pushed_for_usdt_alone() -> None:
    ours = {"marginCoin": "USDT", "available": "26.1", "equity": "26.2", "unrealizedPL": "0.1"}
    found = rows.pushes(frame("account", [{**ours, "marginCoin": "BTC"}, ours], coin="default"))
    assert found == [
        AccountPush(equity_usdt=Decimal("26.2"), available_usdt=Decimal("26.1"), unrealized_usdt=Decimal("0.1"),
                    t_ms=1771722000999)
    ]  # fmt: skip


@pytest.mark.parametrize(
    "torn",
    [{}, {"arg": None}, {"arg": {}}, {"arg": {"channel": "books50"}, "data": []},
     {"arg": {"channel": "ticker"}, "data": [{}]}, {"arg": {"channel": "positions"}, "data": []},
     {"arg": {"channel": "orders"}, "data": {"orderId": "1"}}],
)  # fmt: skip
def test_a_frame_that_cannot_be_read_is_unanswered(torn: dict[str, Any]) -> None:
    with pytest.raises(Unanswered):
        rows.pushes(torn)
