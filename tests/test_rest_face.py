"""The REST face by round trips of bytes: shapes as captured on the venue, refusals with its codes."""

import json
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest
from fake_on_hand import BOT, OPENED_US, OTHER, SECOND_US, WATCHER, Desk, order_body, signed
from hypothesis import given, settings
from hypothesis import strategies as st

from botproof.events import OrderType, Side
from botproof.fakes.bitget.core.contract import FeeRates
from botproof.fakes.bitget.core.messages import CancelOrder, PlaceOrder
from botproof.fakes.bitget.rest import ROUTES, Route
from botproof.fakes.bitget.wire import FaceSwitches

PLACE = "/api/v2/mix/order/place-order"
CANCEL = "/api/v2/mix/order/cancel-order"
MARKET = "symbol=BTCUSDT&productType=USDT-FUTURES"
ACCOUNT = f"/api/v2/mix/account/account?{MARKET}&marginCoin=USDT"
POSITIONS = "/api/v2/mix/position/all-position?productType=USDT-FUTURES&marginCoin=USDT"
PENDING = "/api/v2/mix/order/orders-pending?productType=USDT-FUTURES"
HISTORY = "/api/v2/mix/order/orders-history?productType=USDT-FUTURES"
FILLS = "/api/v2/mix/order/fills?productType=USDT-FUTURES"
BILLS = "/api/v2/mix/account/bill?productType=USDT-FUTURES"


@pytest.fixture
def desk() -> Desk:
    return Desk()


# The gate


def test_envelope_of_an_answer(desk: Desk) -> None:
    answer = desk.fake.answer("GET", "/api/v2/public/time", [], b"")
    now = OPENED_US // 1000
    assert answer.status == 200
    assert json.loads(answer.body) == {
        "code": "00000",
        "msg": "success",
        "requestTime": now,
        "data": {"serverTime": str(now)},
    }
    assert dict(answer.headers)[b"x-mbx-used-remain-limit"] == b"19"


def test_envelope_of_a_refusal_is_http_400_without_data(desk: Desk) -> None:
    status, envelope = desk.send("GET", "/api/v2/mix/market/ticker", {})
    assert status == 400
    assert envelope == {
        "code": "400172",
        "msg": "Parameter verification failed",
        "requestTime": OPENED_US // 1000,
        "data": None,
    }


@pytest.mark.parametrize("target", ["/api/v2/mix/order/place-orders", "/api/v2/mix/order", "/api/", PLACE])
def test_unknown_route_under_the_api_is_40404(desk: Desk, target: str) -> None:
    assert desk.code_of_get(target) == "40404 Request URL NOT FOUND"


def test_path_outside_the_api_is_a_page(desk: Desk) -> None:
    answer = desk.fake.answer("GET", "/index.html", [], b"")
    assert answer.status == 404
    assert answer.body.startswith(b"<html>")


def test_every_signed_route_refuses_a_caller_without_headers(desk: Desk) -> None:
    for route in ROUTES:
        if route.permission:
            status, envelope = desk.send(route.method, route.path, {})
            assert (status, envelope["code"]) == (400, "40001"), route.path


def test_public_route_tolerates_signed_headers(desk: Desk) -> None:
    assert desk.get("/api/v2/public/time", BOT) == {"serverTime": str(OPENED_US // 1000)}


def test_read_only_key_reads_and_may_not_trade(desk: Desk) -> None:
    assert desk.get(POSITIONS, WATCHER) == []
    assert desk.code_of_post(PLACE, order_body(), WATCHER).startswith("40014 Incorrect permissions, need ")
    assert desk.get(PENDING)["entrustedList"] is None


def test_demo_header_on_a_live_key_is_the_wrong_environment(desk: Desk) -> None:
    headers = signed(BOT, OPENED_US, "GET", POSITIONS) | {"PAPTRADING": "1"}
    assert desk.send("GET", POSITIONS, headers)[1]["code"] == "40099"
    demo = Desk(switches=FaceSwitches(demo=True))
    assert demo.send("GET", POSITIONS, headers)[0] == 200
    assert demo.code_of_get(POSITIONS) == "40099 exchange environment is incorrect"


def test_unified_account_call_is_refused_so_that_clients_stay_classic(desk: Desk) -> None:
    assert desk.code_of_get("/api/v3/account/settings").startswith("40084 You are in Classic Account mode")


def test_post_without_json_content_type_is_refused(desk: Desk) -> None:
    body = json.dumps(order_body())
    headers = signed(BOT, OPENED_US, "POST", PLACE, body) | {"Content-Type": "text/plain"}
    assert desk.send("POST", PLACE, headers, body)[1]["code"] == "40007"


@pytest.mark.parametrize("body", ["", "[]", "null", "{", '"x"', "[" * 100_000])
def test_body_that_is_no_object_is_refused(desk: Desk, body: str) -> None:
    status, envelope = desk.send("POST", PLACE, signed(BOT, OPENED_US, "POST", PLACE, body), body)
    assert (status, envelope["code"]) == (400, "400172")


def test_answers_to_garbage_are_still_answers(desk: Desk) -> None:
    body = '{"symbol":"\\ud800","productType":"USDT-FUTURES"}'
    assert desk.send("POST", PLACE, signed(BOT, OPENED_US, "POST", PLACE, body), body)[1]["code"] == "40034"
    assert desk.code_of_get("/api/v2/mix/market/merge-depth?symbol=%ff%00&productType=USDT-FUTURES").startswith("40034")


NAMES = st.sampled_from(
    ["symbol", "productType", "marginCoin", "size", "price", "side", "orderType", "force", "clientOid", "orderId",
     "leverage", "posMode", "limit", "idLessThan", "startTime", "endTime", "precision", "planType"]
)  # fmt: skip
VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text())
ODD_VALUES = st.sampled_from(["1e5", "NaN", "-0", "1_000", "\u0661", "0.00010", "+1", "max"])


@settings(max_examples=150, deadline=None)
@given(route=st.sampled_from(ROUTES), changes=st.dictionaries(NAMES, VALUES | ODD_VALUES))
def test_whatever_is_asked_is_answered_in_the_envelope(route: Route, changes: dict[str, Any]) -> None:
    desk, asked = Desk(), order_body() | changes
    query = "?" + urlencode(asked) if route.method == "GET" else ""
    body = "" if query else json.dumps(asked)
    target = route.path + query
    status, envelope = desk.send(route.method, target, signed(BOT, OPENED_US, route.method, target, body), body)
    assert (status == 200) is (envelope["code"] == "00000")
    assert status in (200, 400)


# The market


def test_contract_row_is_the_live_one(desk: Desk) -> None:
    [row] = desk.get("/api/v2/mix/market/contracts?productType=usdt-futures", None)
    assert row == {
        "symbol": "BTCUSDT", "baseCoin": "BTC", "quoteCoin": "USDT", "buyLimitPriceRatio": "0.05",
        "sellLimitPriceRatio": "0.05", "feeRateUpRatio": "0.005", "makerFeeRate": "0.0002", "takerFeeRate": "0.0006",
        "openCostUpRatio": "0.01", "supportMarginCoins": ["USDT"], "minTradeNum": "0.0001", "priceEndStep": "1",
        "volumePlace": "4", "pricePlace": "1", "sizeMultiplier": "0.0001", "symbolType": "perpetual",
        "minTradeUSDT": "5", "maxSymbolOrderNum": "200", "maxProductOrderNum": "1000", "maxPositionNum": "200",
        "symbolStatus": "normal", "offTime": "-1", "limitOpenTime": "-1", "deliveryTime": "", "deliveryStartTime": "",
        "deliveryPeriod": "", "launchTime": "", "fundInterval": "8", "minLever": "1", "maxLever": "150",
        "posLimit": "0.2", "maintainTime": "", "openTime": "", "maxMarketOrderQty": "220", "maxOrderQty": "1200",
        "isRwa": "NO",
    }  # fmt: skip


def test_other_product_types_have_no_contracts(desk: Desk) -> None:
    for product in ("COIN-FUTURES", "USDC-FUTURES", "SUSDT-FUTURES", "SCOIN-FUTURES", "SUSDC-FUTURES"):
        assert desk.get(f"/api/v2/mix/market/contracts?productType={product}", None) == []


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/api/v2/mix/market/ticker?symbol=BTCUSDT", "400172 Parameter verification failed"),
        ("/api/v2/mix/market/ticker?productType=USDT-FUTURES", "40019 Parameter symbol cannot be empty"),
        (
            "/api/v2/mix/market/ticker?symbol=BTCUSDT&productType=NOPE-FUTURES",
            "40019 Parameter NOPE-FUTURES cannot be empty",
        ),
        (
            "/api/v2/mix/market/merge-depth?symbol=NOPEUSDT&productType=USDT-FUTURES",
            "40034 Parameter NOPEUSDT does not exist",
        ),
        (
            "/api/v2/mix/market/merge-depth?symbol=BTCUSDT_UMCBL&productType=USDT-FUTURES",
            "40034 Parameter BTCUSDT_UMCBL does not exist",
        ),
        (f"/api/v2/mix/market/merge-depth?{MARKET}&precision=scale9", "400172 Parameter verification failed"),
        (f"/api/v2/mix/market/merge-depth?{MARKET}&limit=few", "40020 Parameter limit error"),
    ],
)
def test_market_parameters_are_refused_as_the_venue_does(desk: Desk, target: str, expected: str) -> None:
    assert desk.code_of_get(target, None) == expected


def test_ticker_row_has_the_captured_fields_and_types(desk: Desk) -> None:
    [row] = desk.get(f"/api/v2/mix/market/ticker?{MARKET}", None)
    assert set(row) == {
        "symbol", "lastPr", "askPr", "bidPr", "bidSz", "askSz", "high24h", "low24h", "ts", "change24h", "baseVolume",
        "quoteVolume", "usdtVolume", "openUtc", "changeUtc24h", "indexPrice", "fundingRate", "holdingAmount", "open24h",
        "markPrice", "deliveryStartTime", "deliveryTime", "deliveryStatus",
    }  # fmt: skip
    assert (row["bidPr"], row["askPr"], row["markPrice"]) == ("67499.9", "67500", "67499.9")
    assert (row["deliveryStartTime"], row["deliveryTime"], row["deliveryStatus"]) == (None, None, "")
    assert all(isinstance(value, str) for name, value in row.items() if not name.startswith("delivery"))


def test_depth_holds_json_numbers_best_first(desk: Desk) -> None:
    answer = desk.fake.answer("GET", f"/api/v2/mix/market/merge-depth?{MARKET}&limit=2", [], b"")
    assert b'"asks":[[67500,0.1],[67500.1,0.1]],"bids":[[67499.9,0.1],[67499.8,0.1]]' in answer.body
    data = json.loads(answer.body)["data"]
    assert (data["scale"], data["precision"], data["ts"]) == ("0.1", "scale0", str(OPENED_US // 1000))


@pytest.mark.parametrize(
    ("limit", "levels"), [("1", 1), ("20", 20), ("100", 100), ("max", 100), ("500", 100), ("", 100)]
)
def test_depth_has_as_many_levels_as_asked_and_at_most_a_hundred(desk: Desk, limit: str, levels: int) -> None:
    data = desk.get(f"/api/v2/mix/market/merge-depth?{MARKET}&limit={limit}", None)
    assert (len(data["asks"]), len(data["bids"])) == (levels, levels)


def test_depth_of_a_coarser_scale_merges_levels_away_from_the_middle(desk: Desk) -> None:
    data = desk.get(f"/api/v2/mix/market/merge-depth?{MARKET}&precision=scale1&limit=2", None)
    assert data["asks"] == [[67500, 0.1], [67501, 1]]
    assert data["bids"] == [[67499, 1], [67498, 1]]
    assert data["scale"] == "1"


def test_symbol_price_row(desk: Desk) -> None:
    assert desk.get(f"/api/v2/mix/market/symbol-price?{MARKET}", None) == [
        {
            "symbol": "BTCUSDT",
            "price": "67499.9",
            "indexPrice": "67499.9125",
            "markPrice": "67499.9",
            "ts": str(OPENED_US // 1000),
        }
    ]


# The account


def test_account_object_has_the_captured_fields_and_types(desk: Desk) -> None:
    data = desk.get(ACCOUNT)
    assert data == {
        "marginCoin": "USDT", "locked": "0", "available": "1000", "crossedMaxAvailable": "1000",
        "isolatedMaxAvailable": "1000", "maxTransferOut": "1000", "accountEquity": "1000", "usdtEquity": "1000",
        "btcEquity": data["btcEquity"], "crossedRiskRate": "0", "crossedMarginLeverage": 20, "isolatedLongLever": 20,
        "isolatedShortLever": 20, "marginMode": "crossed", "posMode": "one_way_mode", "unrealizedPL": "0",
        "coupon": "0", "crossedUnrealizedPL": "0", "isolatedUnrealizedPL": "", "grant": "", "assetMode": "single",
        "isolatedMargin": None, "crossedMargin": None,
    }  # fmt: skip
    assert data["btcEquity"] == "0.0148148340192292"


def test_accounts_is_one_row_without_assets(desk: Desk) -> None:
    [row] = desk.get("/api/v2/mix/account/accounts?productType=USDT-FUTURES")
    assert (row["available"], row["assetList"], row["unionMm"]) == ("1000", [], "0")
    assert desk.get("/api/v2/mix/account/accounts?productType=COIN-FUTURES") == []


def test_margin_coin_other_than_usdt_is_refused(desk: Desk) -> None:
    assert desk.code_of_get(ACCOUNT.replace("marginCoin=USDT", "marginCoin=BTC")).startswith("40778")


def test_settings_are_changed_and_read_back(desk: Desk) -> None:
    common = {"symbol": "BTCUSDT", "productType": "USDT-FUTURES", "marginCoin": "USDT"}
    crossed = desk.post("/api/v2/mix/account/set-leverage", common | {"leverage": 3})
    assert crossed == {
        "symbol": "BTCUSDT",
        "marginCoin": "USDT",
        "longLeverage": "3",
        "shortLeverage": "3",
        "marginMode": "crossed",
        "crossMarginLeverage": "3",
    }
    isolated = desk.post("/api/v2/mix/account/set-margin-mode", common | {"marginMode": "ISOLATED"})
    assert isolated["marginMode"] == "isolated"
    assert desk.post("/api/v2/mix/account/set-leverage", common | {"leverage": "1"})["crossMarginLeverage"] == ""
    mode = {"productType": "USDT-FUTURES", "posMode": "hedge_mode"}
    assert desk.post("/api/v2/mix/account/set-position-mode", mode) == {"posMode": "hedge_mode"}
    data = desk.get(ACCOUNT)
    assert (data["crossedMarginLeverage"], data["marginMode"], data["posMode"]) == (1, "isolated", "hedge_mode")


@pytest.mark.parametrize(
    ("name", "change", "expected"),
    [
        ("set-leverage", {"leverage": "151"}, "40797"),
        ("set-leverage", {"leverage": "2.5"}, "40020"),
        ("set-leverage", {}, "40019"),
        ("set-margin-mode", {"marginMode": "cross"}, "400172 margin mode cannot be empty"),
        ("set-position-mode", {"posMode": "both"}, "400172"),
        ("set-position-mode", {"posMode": "hedge_mode", "productType": "COIN-FUTURES"}, "400172"),
        ("set-leverage", {"leverage": "2", "productType": "COIN-FUTURES"}, "40034"),
    ],
)
def test_setting_that_cannot_be_is_refused(desk: Desk, name: str, change: dict[str, str], expected: str) -> None:
    body = {"symbol": "BTCUSDT", "productType": "USDT-FUTURES", "marginCoin": "USDT"} | change
    assert desk.code_of_post(f"/api/v2/mix/account/{name}", body).startswith(expected)


def test_key_info_tells_what_the_key_may_do(desk: Desk) -> None:
    trader, watcher = (desk.get("/api/v2/spot/account/info", key) for key in (BOT, WATCHER))
    assert trader["userId"] == watcher["userId"] != desk.get("/api/v2/spot/account/info", OTHER)["userId"]
    assert {"coow", "trade"} <= set(trader["authorities"])
    assert watcher["authorities"] == ["coor", "cpor", "stor", "readonly"]
    assert isinstance(trader["parentId"], int)


def test_position_row_has_the_captured_fields_all_strings(desk: Desk) -> None:
    desk.place(orderType="market", price=None)
    [row] = desk.get(POSITIONS)
    assert all(isinstance(value, str) for value in row.values())
    assert set(row) == {
        "marginCoin", "symbol", "holdSide", "openDelegateSize", "marginSize", "available", "locked", "total",
        "leverage", "achievedProfits", "openPriceAvg", "marginMode", "posMode", "unrealizedPL", "liquidationPrice",
        "keepMarginRate", "markPrice", "marginRatio", "breakEvenPrice", "totalFee", "deductedFee", "grant", "assetMode",
        "autoMargin", "takeProfit", "stopLoss", "takeProfitId", "stopLossId", "cashDividend", "cTime", "uTime",
    }  # fmt: skip
    assert (row["holdSide"], row["total"], row["openPriceAvg"], row["totalFee"]) == ("long", "0.001", "67500", "")
    assert (row["marginSize"], row["deductedFee"], row["unrealizedPL"]) == ("3.374995", "0.0405", "-0.0001")
    single = desk.get(f"/api/v2/mix/position/single-position?{MARKET}&marginCoin=USDT")
    assert single == [row]


def test_short_position_is_printed_unsigned(desk: Desk) -> None:
    desk.place(orderType="market", side="sell", price=None)
    [row] = desk.get(POSITIONS)
    assert (row["holdSide"], row["total"]) == ("short", "0.001")
    desk.place(orderType="market", reduceOnly="YES", price=None)
    assert desk.get(POSITIONS) == []


def test_bill_rows_carry_the_sign_of_the_venue(desk: Desk) -> None:
    desk.place(orderType="market", price=None)
    data = desk.get(BILLS)
    trade, deposit = data["bills"]
    assert (trade["businessType"], trade["amount"], trade["fee"]) == ("buy", "0", "-0.0405")
    assert (deposit["businessType"], deposit["amount"], deposit["fee"]) == ("trans_from_exchange", "1000", "0")
    assert (trade["balance"], trade["coin"], trade["feeByCoupon"]) == ("999.9595", "USDT", "")
    assert data["endId"] == deposit["billId"]
    assert [row["billId"] for row in desk.get(f"{BILLS}&businessType=buy")["bills"]] == [trade["billId"]]
    assert desk.get(f"{BILLS}&businessType=contract_settle_fee") == {"bills": [], "endId": None}


# Orders


def test_order_is_placed_and_shown_in_detail(desk: Desk) -> None:
    placed = desk.place(clientOid="bot1-a-1")
    assert placed["clientOid"] == "bot1-a-1"
    row = desk.get(f"/api/v2/mix/order/detail?{MARKET}&clientOid=bot1-a-1")
    now = str(OPENED_US // 1000)
    assert row == {
        "symbol": "BTCUSDT", "size": "0.001", "orderId": placed["orderId"], "clientOid": "bot1-a-1", "baseVolume": "0",
        "quoteVolume": "0", "price": "67000", "priceAvg": "", "fee": "0", "status": "live", "side": "buy",
        "force": "gtc", "totalProfits": "0", "posSide": "net", "marginCoin": "USDT", "presetStopSurplusPrice": "",
        "presetStopLossPrice": "", "orderType": "limit", "leverage": "20", "marginMode": "crossed", "reduceOnly": "NO",
        "tradeSide": "buy_single", "posMode": "one_way_mode", "orderSource": "normal", "cTime": now, "uTime": now,
        "state": "live", "presetStopSurplusType": "", "presetStopSurplusExecutePrice": "", "presetStopLossType": "",
        "presetStopLossExecutePrice": "", "enterPointSource": "API", "newTradeSide": None, "cancelReason": "",
    }  # fmt: skip


def test_market_order_is_printed_without_a_price_and_as_gtc(desk: Desk) -> None:
    placed = desk.place(orderType="MARKET", force="ioc", price=None)
    row = desk.get(f"/api/v2/mix/order/detail?{MARKET}&orderId={placed['orderId']}")
    assert (row["price"], row["priceAvg"], row["force"], row["orderSource"]) == ("", "67500", "gtc", "market")
    assert (row["state"], row["baseVolume"], row["quoteVolume"], row["fee"]) == ("filled", "0.001", "67.5", "-0.0405")


def test_order_numbers_may_be_json_numbers_and_words_in_any_case(desk: Desk) -> None:
    placed = desk.place(size=0.0021, price=67000.5, side="BUY", orderType="Limit", force="POST_ONLY", symbol="btcusdt")
    row = desk.get(f"/api/v2/mix/order/detail?{MARKET}&orderId={placed['orderId']}")
    assert (row["size"], row["price"], row["side"], row["force"]) == ("0.0021", "67000.5", "buy", "post_only")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"symbol": None}, "40019 Parameter symbol cannot be empty"),
        ({"productType": None}, "400172"),
        ({"productType": "COIN-FUTURES"}, "40034"),
        ({"marginMode": None}, "400172 margin mode cannot be empty"),
        ({"marginCoin": None}, "40019 Parameter marginCoin cannot be empty"),
        ({"orderType": "stop"}, "400172 The order type is illegal"),
        ({"force": "day"}, "400172 The order validity period is invalid"),
        ({"side": None}, "400172"),
        ({"side": "long"}, "400172"),
        ({"size": None}, "40019 Parameter size cannot be empty"),
        ({"size": "much"}, "40020 Parameter size error"),
        ({"size": "NaN"}, "40020 Parameter size error"),
        ({"size": "1e99"}, "40808"),
        ({"size": "1201"}, "45112"),
        ({"size": "-1"}, "40"),
        ({"price": None}, "40019 Parameter price cannot be empty"),
        ({"price": "67000.05"}, "45115"),
        ({"reduceOnly": "maybe"}, "400172"),
        ({"reduceOnly": "YES"}, "22002"),
        ({"tradeSide": "open"}, "40774"),
        ({"size": "0.00001"}, "40808"),
        ({"size": "0.0001", "price": "40000"}, "45110"),
        ({"size": "100"}, "40762"),
        ({"clientOid": "a b"}, "40305"),
        ({"clientOid": "a" * 65}, "40305"),
    ],
)
def test_order_that_cannot_be_is_refused_and_leaves_no_trace(
    desk: Desk, changes: dict[str, Any], expected: str
) -> None:
    assert desk.code_of_post(PLACE, order_body(**changes)).startswith(expected)
    assert desk.fake.exchange.orders("main") == []


def test_duplicate_client_id_is_refused(desk: Desk) -> None:
    desk.place(clientOid="once")
    assert desk.code_of_post(PLACE, order_body(clientOid="once")) == "40786 Duplicate clientOid"


@pytest.mark.parametrize("name", ["presetStopLossPrice", "presetStopSurplusPrice", "stpMode"])
def test_what_is_not_imitated_is_refused_and_put_on_record(desk: Desk, name: str) -> None:
    assert desk.code_of_post(PLACE, order_body(**{name: "66000"})).startswith("400172")
    assert desk.fake.journal.unexpected() == [f"call 0: POST {PLACE}: {name} is not imitated"]
    desk.place(presetStopLossPrice="", stpMode="none")


def test_cancel_answers_with_both_ids_and_the_order_is_canceled(desk: Desk) -> None:
    placed = desk.place(clientOid="mine")
    body = {"symbol": "BTCUSDT", "productType": "USDT-FUTURES", "clientOid": "mine"}
    assert desk.post(CANCEL, body) == placed
    row = desk.get(f"/api/v2/mix/order/detail?{MARKET}&orderId={placed['orderId']}")
    assert (row["state"], row["status"], row["cancelReason"]) == ("canceled", "canceled", "normal_cancel")
    assert desk.code_of_post(CANCEL, body) == "43001 The order does not exist"


def test_cancel_by_order_id_wins_over_the_client_id(desk: Desk) -> None:
    first, second = desk.place(clientOid="first"), desk.place(clientOid="second")
    body = {"symbol": "BTCUSDT", "productType": "USDT-FUTURES", "orderId": first["orderId"], "clientOid": "second"}
    assert desk.post(CANCEL, body) == first
    assert [row["orderId"] for row in desk.get(PENDING)["entrustedList"]] == [second["orderId"]]


def test_order_of_another_account_is_unknown(desk: Desk) -> None:
    placed = desk.place(OTHER)
    target = f"/api/v2/mix/order/detail?{MARKET}&orderId={placed['orderId']}"
    assert desk.code_of_get(target).startswith("40109 The data of the order cannot be found")
    body = {"symbol": "BTCUSDT", "productType": "USDT-FUTURES", "orderId": placed["orderId"]}
    assert desk.code_of_post(CANCEL, body).startswith("43001")


def test_neither_id_is_refused(desk: Desk) -> None:
    assert desk.code_of_post(CANCEL, {"symbol": "BTCUSDT", "productType": "USDT-FUTURES"}).startswith("40924")
    assert desk.code_of_get(f"/api/v2/mix/order/detail?{MARKET}").startswith("40924")


@pytest.mark.parametrize(
    "target", [PENDING, HISTORY, f"{PENDING.replace('pending', 'plan-pending')}&planType=profit_loss"]
)
def test_empty_order_list_is_null(desk: Desk, target: str) -> None:
    assert desk.get(target) == {"entrustedList": None, "endId": None}


def test_trigger_orders_need_a_plan_type(desk: Desk) -> None:
    target = PENDING.replace("pending", "plan-pending")
    assert desk.code_of_get(target) == "400172 planType Illegal type"


def test_empty_fill_list_is_a_list(desk: Desk) -> None:
    for target in (FILLS, FILLS.replace("fills", "fill-history")):
        assert desk.get(target) == {"fillList": [], "endId": None}


def test_pending_and_history_part_open_from_finished(desk: Desk) -> None:
    kept, gone, filled = desk.place(), desk.place(), desk.place(orderType="market", price=None)
    desk.post(CANCEL, {"symbol": "BTCUSDT", "productType": "USDT-FUTURES", "orderId": gone["orderId"]})
    [pending] = desk.get(PENDING)["entrustedList"]
    assert (pending["orderId"], pending["status"], pending["enterPointSource"]) == (kept["orderId"], "live", "api")
    assert "state" not in pending
    history = desk.get(HISTORY)["entrustedList"]
    assert [row["orderId"] for row in history] == [filled["orderId"], gone["orderId"]]
    assert all("posAvg" in row and "liqPrice" in row for row in history)


def test_pending_shows_partially_filled_orders_too_and_filters_by_status(desk: Desk) -> None:
    partly = desk.place(price="67400", size="0.2")
    whole = desk.place(price="67000")
    desk.market.move(OPENED_US + SECOND_US, 673_999)
    desk.wait(1)
    states = {row["orderId"]: row["status"] for row in desk.get(PENDING)["entrustedList"]}
    assert states == {partly["orderId"]: "partially_filled", whole["orderId"]: "live"}
    assert [row["orderId"] for row in desk.get(f"{PENDING}&status=live")["entrustedList"]] == [whole["orderId"]]


def test_pages_go_back_by_id_newest_first(desk: Desk) -> None:
    ids = []
    for _ in range(5):
        ids.append(desk.place()["orderId"])
        desk.wait(1)
    newest = desk.get(f"{PENDING}&limit=2")
    assert [row["orderId"] for row in newest["entrustedList"]] == [ids[4], ids[3]]
    assert newest["endId"] == ids[3]
    older = desk.get(f"{PENDING}&limit=10&idLessThan={newest['endId']}")
    assert [row["orderId"] for row in older["entrustedList"]] == [ids[2], ids[1], ids[0]]
    assert desk.get(f"{PENDING}&idLessThan={ids[0]}") == {"entrustedList": None, "endId": None}


def test_time_bounds_are_inclusive(desk: Desk) -> None:
    ids = []
    for _ in range(3):
        ids.append(desk.place()["orderId"])
        desk.wait(1)
    start, end = OPENED_US // 1000 + 1000, OPENED_US // 1000 + 2000
    rows = desk.get(f"{PENDING}&startTime={start}&endTime={end}")["entrustedList"]
    assert [row["orderId"] for row in rows] == [ids[2], ids[1]]


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ("startTime=2000&endTime=1000", "40707"),
        ("startTime=x", "40020"),
        ("limit=-1", "40020"),
        ("idLessThan=abc", "40020"),
    ],
)
def test_page_that_cannot_be_is_refused(desk: Desk, bounds: str, expected: str) -> None:
    assert desk.code_of_get(f"{PENDING}&{bounds}").startswith(expected)


def test_fill_history_spans_at_most_seven_days(desk: Desk) -> None:
    end = OPENED_US // 1000
    span = f"{FILLS.replace('fills', 'fill-history')}&startTime={end - 7 * 86_400_000 - 1}&endTime={end}"
    assert desk.code_of_get(span).startswith("40705")
    desk.get(span.replace("fill-history", "fills"))


def test_fill_row_has_the_captured_fields_and_types(desk: Desk) -> None:
    placed = desk.place(orderType="market", size="0.0035", price=None)
    [row] = desk.get(f"{FILLS}&orderId={placed['orderId']}")["fillList"]
    assert row == {
        "tradeId": row["tradeId"], "symbol": "BTCUSDT", "orderId": placed["orderId"], "price": "67500",
        "baseVolume": "0.0035",
        "feeDetail": [{"deduction": "no", "feeCoin": "USDT", "totalDeductionFee": None, "totalFee": "-0.14175"}],
        "side": "buy", "quoteVolume": "236.25", "profit": "0", "enterPointSource": "api", "tradeSide": "buy_single",
        "posMode": "one_way_mode", "tradeScope": "taker", "cTime": str(OPENED_US // 1000),
    }  # fmt: skip
    [kept] = desk.get(FILLS.replace("fills", "fill-history"))["fillList"]
    assert kept == row | {"marginCoin": "USDT"}


def test_volume_is_cut_at_four_decimals_and_the_fee_at_eight(desk: Desk) -> None:
    desk.market.move(OPENED_US, 833_463)  # the captured fill: 83346.4 x 0.0001 is 8.33464
    desk.place(orderType="market", size="0.0001", price=None)
    [row] = desk.get(FILLS)["fillList"]
    assert (row["price"], row["quoteVolume"]) == ("83346.4", "8.3346")
    assert row["feeDetail"][0]["totalFee"] == "-0.00500078"


def test_resting_order_fills_at_the_touch_as_maker(desk: Desk) -> None:
    placed = desk.place()
    desk.market.move(OPENED_US + 5 * SECOND_US, 669_990)
    desk.wait(60)
    [row] = desk.get(FILLS)["fillList"]
    assert (row["orderId"], row["price"], row["tradeScope"]) == (placed["orderId"], "67000", "maker")
    assert row["cTime"] == str(OPENED_US // 1000 + 5000)
    assert row["feeDetail"][0]["totalFee"] == "-0.0134"


def test_lists_of_another_product_type_are_empty(desk: Desk) -> None:
    desk.place(orderType="market", price=None)
    for target in (POSITIONS, FILLS, BILLS, HISTORY):
        data = desk.get(target.replace("USDT-FUTURES", "COIN-FUTURES"))
        assert not (data if isinstance(data, list) else data["endId"]), target


# Past the faces


def test_somebody_else_may_act_past_the_faces_without_a_line_in_the_journal(desk: Desk) -> None:
    foreign = PlaceOrder(
        symbol="BTCUSDT",
        side=Side.BUY,
        order_type=OrderType.LIMIT,
        size=Decimal("0.001"),
        price=Decimal(60000),
        client_id="foreign-1",
    )
    desk.fake.command("main", foreign)
    [row] = desk.get(PENDING)["entrustedList"]
    assert row["clientOid"] == "foreign-1"
    desk.fake.command("main", CancelOrder(symbol="BTCUSDT", client_id="foreign-1"))
    assert [call.path for call in desk.fake.journal.calls] == ["/api/v2/mix/order/orders-pending"]


# Fee rates


TRADE_RATE = "/api/v2/common/trade-rate?symbol=BTCUSDT"


@pytest.mark.parametrize("business", ["businessType=mix", "business=mix", "businessType=MIX"])
def test_own_rates_are_told_and_the_contract_keeps_its_base_rates(desk: Desk, business: str) -> None:
    assert desk.get(f"{TRADE_RATE}&{business}") == {"makerFeeRate": "0.0002", "takerFeeRate": "0.0006"}
    desk.fake.exchange.set_fee_rates("main", FeeRates(maker=Decimal("-0.00005"), taker=Decimal("0.00032")))
    assert desk.get(f"{TRADE_RATE}&{business}") == {"makerFeeRate": "-0.00005", "takerFeeRate": "0.00032"}
    assert desk.get(f"{TRADE_RATE}&{business}", OTHER) == {"makerFeeRate": "0.0002", "takerFeeRate": "0.0006"}
    [contract] = desk.get("/api/v2/mix/market/contracts?productType=USDT-FUTURES", None)
    assert (contract["makerFeeRate"], contract["takerFeeRate"]) == ("0.0002", "0.0006")


def test_rebate_is_a_positive_fee_on_the_wire(desk: Desk) -> None:
    desk.fake.exchange.set_fee_rates("main", FeeRates(maker=Decimal("-0.00005"), taker=Decimal("0.00032")))
    desk.place(clientOid="mine", price="67400")
    desk.market.move(OPENED_US + SECOND_US, 673_000)
    desk.wait(1)
    [fill] = desk.get(FILLS)["fillList"]
    assert fill["feeDetail"][0]["totalFee"] == "0.00337"
    [bill] = desk.get(f"{BILLS}&businessType=buy")["bills"]
    assert (bill["fee"], bill["amount"], bill["balance"]) == ("0.00337", "0", "1000.00337")
    detail = desk.get(f"/api/v2/mix/order/detail?{MARKET}&clientOid=mine")
    assert detail["fee"] == "0.00337"


@pytest.mark.parametrize(
    ("query", "refusal"),
    [
        ("symbol=BTCUSDT", "40019 Parameter businessType cannot be empty"),
        ("businessType=mix", "40019 Parameter symbol cannot be empty"),
        ("symbol=NOPEUSDT&businessType=mix", "40034 Parameter NOPEUSDT does not exist"),
        ("symbol=BTCUSDT&businessType=futures", "400172 Parameter verification failed"),
        ("symbol=BTCUSDT&businessType=spot", "400172 Parameter verification failed"),
    ],
)
def test_rates_of_anything_else_are_refused(desk: Desk, query: str, refusal: str) -> None:
    assert desk.code_of_get(f"/api/v2/common/trade-rate?{query}") == refusal


def test_call_refused_at_the_gate_is_on_record_with_what_it_asked_for(desk: Desk) -> None:
    body = json.dumps(order_body(clientOid="mine"))
    desk.send("POST", PLACE, signed(BOT, OPENED_US, "POST", "/elsewhere", body), body)
    desk.code_of_post(PLACE, order_body(clientOid="watched"), WATCHER)
    assert [(call.code, call.client_id) for call in desk.fake.journal.calls] == [
        ("40009", "mine"),
        ("40014", "watched"),
    ]
