"""The signed client against scripted answers: what it sends, what it makes of what comes back, what it never does."""

import asyncio
import json
from collections.abc import Callable, Coroutine, Iterator
from decimal import Decimal
from typing import Any

import httpx
import pytest
import respx

from botproof.clock import ManualClock
from botproof.errors import HarnessError, Unanswered, VenueError
from botproof.events import OrderType, Side
from botproof.ports import OrderRequest, Venue
from botproof.venue.rest import BitgetVenue
from botproof.venue.signing import Credentials, sign
from botproof.virtual import VirtualLoop

HOST = "https://api.bitget.com"
SECRET = "secret0123456789"
LOCAL_US = 1_771_722_000_000_000
VENUE_MS = 1_771_722_005_000  # the venue's clock is five seconds ahead
LIMIT_BUY = OrderRequest(
    symbol="BTCUSDT",
    side=Side.BUY,
    order_type=OrderType.LIMIT,
    size=Decimal("0.00010"),
    price=Decimal("67500.10"),
    client_id="bot1-a-1",
    force="post_only",
)


@pytest.fixture
def venue_mock() -> Iterator[respx.MockRouter]:
    with respx.mock(base_url=HOST, assert_all_called=False) as router:
        router.get("/api/v2/public/time").mock(return_value=ok({"serverTime": str(VENUE_MS)}))
        yield router


def ok(data: Any) -> httpx.Response:
    return httpx.Response(200, json={"code": "00000", "msg": "success", "requestTime": VENUE_MS, "data": data})


def refused(code: str, message: str = "refused", status: int = 400) -> httpx.Response:
    return httpx.Response(status, json={"code": code, "msg": message, "requestTime": VENUE_MS, "data": None})


def call(use: Callable[[BitgetVenue], Coroutine[Any, Any, Any]], *, demo: bool = False) -> Any:
    """What `use` makes of a fresh client."""

    async def main() -> Any:
        venue = BitgetVenue(
            httpx.AsyncHTTPTransport(),
            HOST,
            Credentials(api_key="bg_key", secret=SECRET, passphrase="open sesame"),
            ManualClock(LOCAL_US),
            public_ws="ws://unused/public",
            private_ws="ws://unused/private",
            demo=demo,
        )
        try:
            return await use(venue)
        finally:
            await venue.close()

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main())


def sent(route: respx.Route, index: int = -1) -> httpx.Request:
    request: httpx.Request = route.calls[index].request
    return request


def body_of(route: respx.Route) -> dict[str, str]:
    found: dict[str, str] = json.loads(sent(route).content)
    return found


def is_signed_as_sent(request: httpx.Request) -> bool:
    prehash = f"{request.headers['ACCESS-TIMESTAMP']}{request.method}{request.url.raw_path.decode()}".encode()
    return bool(request.headers["ACCESS-SIGN"] == sign(SECRET, prehash + request.content))


def test_it_is_a_venue() -> None:
    def accepts(venue: Venue) -> Venue:
        return venue

    async def check(venue: BitgetVenue) -> bool:
        return accepts(venue) is venue

    assert call(check)


# What is sent


def test_a_get_is_sent_sorted_and_signed_as_sent(venue_mock: respx.MockRouter) -> None:
    route = venue_mock.get("/api/v2/mix/position/all-position").mock(return_value=ok([]))
    assert call(lambda venue: venue.positions()) == ()
    assert sent(route).url.raw_path == b"/api/v2/mix/position/all-position?marginCoin=USDT&productType=USDT-FUTURES"
    assert is_signed_as_sent(sent(route))


@pytest.mark.parametrize("value", ["a b", "a+b", "a%2Cb", "ä", "a&b=c", "1,2;3", "~_-.'()*"])
def test_a_query_that_needs_encoding_is_signed_as_sent(venue_mock: respx.MockRouter, value: str) -> None:
    route = venue_mock.get("/api/v2/mix/x").mock(return_value=ok(None))
    call(lambda venue: venue.request("GET", "/api/v2/mix/x", {"z": value, "a": "1"}))
    assert sent(route).url.query.startswith(b"a=1&z=")
    assert sent(route).url.params["z"] == value
    assert is_signed_as_sent(sent(route))


def test_a_post_is_signed_over_its_bytes(venue_mock: respx.MockRouter) -> None:
    route = venue_mock.post("/api/v2/mix/account/set-position-mode").mock(return_value=ok({"posMode": "one_way_mode"}))
    call(lambda venue: venue.set_position_mode("one_way_mode"))
    assert sent(route).content == b'{"productType":"USDT-FUTURES","posMode":"one_way_mode"}'
    assert sent(route).headers["Content-Type"] == "application/json"
    assert is_signed_as_sent(sent(route))


def test_the_clock_of_the_venue_is_read_once_and_stamps_every_request(venue_mock: respx.MockRouter) -> None:
    clock = venue_mock.get("/api/v2/public/time").mock(return_value=ok({"serverTime": str(VENUE_MS)}))
    route = venue_mock.get("/api/v2/mix/position/all-position").mock(return_value=ok([]))

    async def twice(venue: BitgetVenue) -> None:
        await venue.positions()
        await venue.positions()

    call(twice)
    assert [request.request.headers["ACCESS-TIMESTAMP"] for request in route.calls] == [str(VENUE_MS)] * 2
    assert clock.call_count == 1


def test_public_calls_are_not_signed(venue_mock: respx.MockRouter) -> None:
    price = {"symbol": "BTCUSDT", "price": "1", "markPrice": "2", "indexPrice": "3", "ts": "4"}
    route = venue_mock.get("/api/v2/mix/market/symbol-price").mock(return_value=ok([price]))
    assert call(lambda venue: venue.symbol_price("BTCUSDT")).mark == 2
    assert not any(name.lower().startswith("access-") for name in sent(route).headers)


@pytest.mark.parametrize("demo", [True, False])
def test_demo_trading_is_asked_for_by_its_header(venue_mock: respx.MockRouter, demo: bool) -> None:
    route = venue_mock.get("/api/v2/mix/position/all-position").mock(return_value=ok([]))
    call(lambda venue: venue.positions(), demo=demo)
    assert sent(route).headers.get("paptrading") == ("1" if demo else None)


def test_a_limit_order_is_sent_in_plain_numbers(venue_mock: respx.MockRouter) -> None:
    route = venue_mock.post("/api/v2/mix/order/place-order").mock(
        return_value=ok({"orderId": "1001", "clientOid": "bot1-a-1"})
    )
    ack = call(lambda venue: venue.place(LIMIT_BUY))
    assert (ack.order_id, ack.client_id) == ("1001", "bot1-a-1")
    assert body_of(route) == {
        "productType": "USDT-FUTURES",
        "marginCoin": "USDT",
        "symbol": "BTCUSDT",
        "marginMode": "crossed",
        "side": "buy",
        "orderType": "limit",
        "size": "0.0001",
        "clientOid": "bot1-a-1",
        "price": "67500.1",
        "force": "post_only",
    }


def test_a_reduce_only_market_order_has_neither_price_nor_force(venue_mock: respx.MockRouter) -> None:
    route = venue_mock.post("/api/v2/mix/order/place-order").mock(return_value=ok({"orderId": "1", "clientOid": "c"}))
    order = OrderRequest(
        symbol="BTCUSDT",
        side=Side.SELL,
        order_type=OrderType.MARKET,
        size=Decimal("1E-4"),
        client_id="c",
        reduce_only=True,
    )
    call(lambda venue: venue.place(order))
    body = body_of(route)
    assert (body["reduceOnly"], body["size"], body["orderType"]) == ("YES", "0.0001", "market")
    assert not {"price", "force"} & set(body)


def test_a_cancel_names_the_order_by_the_id_it_was_given(venue_mock: respx.MockRouter) -> None:
    route = venue_mock.post("/api/v2/mix/order/cancel-order").mock(return_value=ok({"orderId": "1", "clientOid": ""}))
    call(lambda venue: venue.cancel("BTCUSDT", client_id="c"))
    assert (body_of(route).get("clientOid"), body_of(route).get("orderId")) == ("c", None)
    with pytest.raises(HarnessError, match="order_id or client_id"):
        call(lambda venue: venue.cancel("BTCUSDT"))


def test_settings_are_sent_to_their_own_endpoints(venue_mock: respx.MockRouter) -> None:
    leverage = venue_mock.post("/api/v2/mix/account/set-leverage").mock(return_value=ok({}))
    margin = venue_mock.post("/api/v2/mix/account/set-margin-mode").mock(return_value=ok({}))
    call(lambda venue: venue.set_leverage("BTCUSDT", 1))
    call(lambda venue: venue.set_margin_mode("BTCUSDT", "crossed"))
    assert (body_of(leverage)["leverage"], body_of(margin)["marginMode"]) == ("1", "crossed")


@pytest.mark.parametrize(
    "path", ["https://evil.example/api/v2/x", "//evil.example/x", "http://api.bitget.com/x", "api/v2/x", ""]
)
def test_nothing_signed_goes_to_another_host(venue_mock: respx.MockRouter, path: str) -> None:
    with pytest.raises(HarnessError, match=r"expected a path of https://api\.bitget\.com"):
        call(lambda venue: venue.request("GET", path, {}))
    assert not venue_mock.calls


def test_a_redirect_to_another_host_is_not_followed(venue_mock: respx.MockRouter) -> None:
    elsewhere = respx.get("https://evil.example/").mock(return_value=ok([]))
    venue_mock.get("/api/v2/mix/position/all-position").mock(
        return_value=httpx.Response(302, headers={"Location": "https://evil.example/"})
    )
    with pytest.raises(Unanswered, match="HTTP 302"):
        call(lambda venue: venue.positions())
    assert not elsewhere.called


def test_only_get_and_post_are_spoken(venue_mock: respx.MockRouter) -> None:
    with pytest.raises(HarnessError, match="GET and POST"):
        call(lambda venue: venue.request("DELETE", "/api/v2/x", {}))
    assert not venue_mock.calls


# What comes back


@pytest.mark.parametrize(
    "failure",
    [
        httpx.ConnectTimeout("slow"),
        httpx.ReadTimeout("slow"),
        httpx.ConnectError("refused"),
        httpx.ReadError("reset"),
        httpx.RemoteProtocolError("Server disconnected without sending a response."),
    ],
)
def test_no_answer_is_unanswered_and_never_tried_again(
    venue_mock: respx.MockRouter, failure: httpx.TransportError
) -> None:
    route = venue_mock.post("/api/v2/mix/order/place-order").mock(side_effect=failure)
    with pytest.raises(Unanswered, match=f"POST /api/v2/mix/order/place-order: {type(failure).__name__}"):
        call(lambda venue: venue.place(LIMIT_BUY))
    assert route.call_count == 1


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(502, text="<html>Bad Gateway</html>"),
        httpx.Response(500),
        httpx.Response(200, text='{"code":"00000","da'),
        httpx.Response(200, text="[]"),
        httpx.Response(200, json={"code": "00000", "msg": "success"}),
        httpx.Response(200, json={"code": "00000", "msg": "success", "data": ["1"]}),
        httpx.Response(200, headers={"content-encoding": "gzip"}, stream=httpx.ByteStream(b"no gzip")),
    ],
)
def test_an_answer_that_cannot_be_read_is_unanswered_and_never_tried_again(
    venue_mock: respx.MockRouter, answer: httpx.Response
) -> None:
    route = venue_mock.post("/api/v2/mix/order/place-order").mock(return_value=answer)
    with pytest.raises(Unanswered):
        call(lambda venue: venue.place(LIMIT_BUY))
    assert route.call_count == 1


def test_an_answer_that_never_comes_is_unanswered_after_ten_seconds(venue_mock: respx.MockRouter) -> None:
    async def never(_: httpx.Request) -> httpx.Response:
        await asyncio.sleep(3600)
        return ok([])

    venue_mock.get("/api/v2/mix/position/all-position").mock(side_effect=never)

    async def use(venue: BitgetVenue) -> float:
        with pytest.raises(Unanswered, match="no answer within 10 s"):
            await venue.positions()
        return asyncio.get_running_loop().time()

    assert call(use) == 10.0


@pytest.mark.parametrize(("status", "code"), [(400, "40762"), (429, "429"), (500, "40725"), (200, "45110")])
def test_a_refusal_is_the_venues_and_never_tried_again(venue_mock: respx.MockRouter, status: int, code: str) -> None:
    route = venue_mock.post("/api/v2/mix/order/place-order").mock(return_value=refused(code, "said so", status))
    with pytest.raises(VenueError) as caught:
        call(lambda venue: venue.place(LIMIT_BUY))
    assert (caught.value.code, caught.value.message, caught.value.status) == (code, "said so", status)
    assert route.call_count == 1


def test_an_expired_stamp_reads_the_clock_again_and_sends_once_more(venue_mock: respx.MockRouter) -> None:
    clock = venue_mock.get("/api/v2/public/time").mock(
        side_effect=[ok({"serverTime": str(VENUE_MS)}), ok({"serverTime": str(VENUE_MS + 60_000)})]
    )
    route = venue_mock.post("/api/v2/mix/order/place-order").mock(
        side_effect=[refused("40008"), ok({"orderId": "1", "clientOid": "c"})]
    )
    assert call(lambda venue: venue.place(LIMIT_BUY)).order_id == "1"
    assert sent(route).headers["ACCESS-TIMESTAMP"] == str(VENUE_MS + 60_000)
    assert (clock.call_count, route.call_count) == (2, 2)
    assert sent(route, 0).content == sent(route, 1).content


def test_a_stamp_that_expires_twice_is_a_refusal(venue_mock: respx.MockRouter) -> None:
    route = venue_mock.get("/api/v2/mix/position/all-position").mock(return_value=refused("40008"))
    with pytest.raises(VenueError, match="40008"):
        call(lambda venue: venue.positions())
    assert route.call_count == 2


# Lists


def order_row(number: int, **changed: str) -> dict[str, str]:
    return {
        "symbol": "BTCUSDT",
        "size": "0.0001",
        "orderId": str(number),
        "clientOid": f"c{number}",
        "baseVolume": "0",
        "price": "67500",
        "status": "live",
        "side": "buy",
        "force": "gtc",
        "reduceOnly": "NO",
        "orderType": "limit",
        "cTime": str(number),
    } | changed


def fill_row(number: int) -> dict[str, Any]:
    return {
        "tradeId": str(number),
        "symbol": "BTCUSDT",
        "orderId": "1",
        "price": "67500",
        "baseVolume": "0.0001",
        "feeDetail": [{"feeCoin": "USDT", "totalFee": "-0.00135"}],
        "side": "buy",
        "profit": "0",
        "tradeScope": "maker",
        "cTime": str(number),
    }


class Pages:
    """A list as the venue gives it out: newest first, `limit` rows at a time, older than `idLessThan`."""

    def __init__(self, list_name: str, id_name: str, rows: list[dict[str, Any]]) -> None:
        self._list_name, self._id_name, self._rows = list_name, id_name, rows
        self.asked: list[dict[str, str]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        asked = dict(request.url.params)
        self.asked.append(asked)
        below = int(asked.get("idLessThan", 10**18))
        within = range(int(asked.get("startTime", 0)), int(asked.get("endTime", 10**18)) + 1)
        found = [row for row in self._rows if int(row[self._id_name]) < below and int(row["cTime"]) in within]
        page = sorted(found, key=lambda row: -int(row[self._id_name]))[: int(asked["limit"])]
        return ok({self._list_name: page or None, "endId": page[-1][self._id_name] if page else None})


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 250])
def test_a_history_is_read_to_its_end_and_given_oldest_first(venue_mock: respx.MockRouter, count: int) -> None:
    pages = Pages("entrustedList", "orderId", [order_row(number, status="filled") for number in range(1, count + 1)])
    venue_mock.get("/api/v2/mix/order/orders-history").mock(side_effect=pages)
    found = call(lambda venue: venue.order_history(0, 1000))
    assert [order.order_id for order in found] == [str(number) for number in range(1, count + 1)]
    assert len(pages.asked) == count // 100 + 1


def test_a_list_that_repeats_its_page_is_unanswered(venue_mock: respx.MockRouter) -> None:
    page = [order_row(number) for number in range(100, 0, -1)]
    venue_mock.get("/api/v2/mix/order/orders-history").mock(return_value=ok({"entrustedList": page, "endId": "1"}))
    with pytest.raises(Unanswered, match="the same page again"):
        call(lambda venue: venue.order_history(0, 1000))


def test_one_unreadable_row_makes_the_whole_list_unanswered(venue_mock: respx.MockRouter) -> None:
    pages = Pages("entrustedList", "orderId", [order_row(1), order_row(2, status="resting")])
    venue_mock.get("/api/v2/mix/order/orders-history").mock(side_effect=pages)
    with pytest.raises(Unanswered, match="'resting'"):
        call(lambda venue: venue.order_history(0, 1000))


def test_open_orders_are_asked_for_in_both_states(venue_mock: respx.MockRouter) -> None:
    listed = {"live": [order_row(2), order_row(1)], "partially_filled": [order_row(3, status="partially_filled")]}
    venue_mock.get("/api/v2/mix/order/orders-pending").mock(
        side_effect=lambda request: ok({"entrustedList": listed[request.url.params["status"]], "endId": "1"})
    )
    assert [order.order_id for order in call(lambda venue: venue.open_orders())] == ["1", "2", "3"]


def test_an_order_that_moves_between_the_two_readings_is_listed_once_as_it_stood_last(
    venue_mock: respx.MockRouter,
) -> None:
    listed = {"live": [order_row(1)], "partially_filled": [order_row(1, status="partially_filled")]}
    venue_mock.get("/api/v2/mix/order/orders-pending").mock(
        side_effect=lambda request: ok({"entrustedList": listed[request.url.params["status"]], "endId": "1"})
    )
    [order] = call(lambda venue: venue.open_orders())
    assert order.state == "partially_filled"


def test_trigger_orders_of_every_plan_are_found(venue_mock: respx.MockRouter) -> None:
    venue_mock.get("/api/v2/mix/order/orders-plan-pending").mock(
        side_effect=lambda request: ok({"entrustedList": [{"orderId": request.url.params["planType"]}], "endId": "1"})
    )
    assert call(lambda venue: venue.open_trigger_order_ids()) == ("normal_plan", "track_plan", "profit_loss")


def test_fills_are_read_oldest_first(venue_mock: respx.MockRouter) -> None:
    pages = Pages("fillList", "tradeId", [fill_row(number) for number in range(1, 120)])
    venue_mock.get("/api/v2/mix/order/fills").mock(side_effect=pages)
    found = call(lambda venue: venue.fills(0, 1000))
    assert [fill.trade_id for fill in found] == [str(number) for number in range(1, 120)]


def test_where_fills_are_not_served_the_fill_history_is_read_week_by_week(venue_mock: respx.MockRouter) -> None:
    day = 86_400_000
    pages = Pages("fillList", "tradeId", [fill_row(number * day) for number in range(20)])
    venue_mock.get("/api/v2/mix/order/fills").mock(return_value=refused("40404", "Request URL NOT FOUND"))
    venue_mock.get("/api/v2/mix/order/fill-history").mock(side_effect=pages)
    found = call(lambda venue: venue.fills(0, 20 * day))
    assert [fill.t_ms for fill in found] == [number * day for number in range(20)]
    asked = [(int(each["startTime"]), int(each["endTime"])) for each in pages.asked]
    assert asked == [(0, 7 * day - 1), (7 * day, 14 * day - 1), (14 * day, 20 * day)]


def test_another_refusal_of_the_fills_is_not_worked_around(venue_mock: respx.MockRouter) -> None:
    venue_mock.get("/api/v2/mix/order/fills").mock(return_value=refused("40014", "Incorrect permissions"))
    with pytest.raises(VenueError, match="40014"):
        call(lambda venue: venue.fills(0, 1000))


def test_bills_are_read_month_by_month(venue_mock: respx.MockRouter) -> None:
    day = 86_400_000
    rows = [
        {"billId": str(at), "symbol": "BTCUSDT", "businessType": "buy", "amount": "0", "fee": "-1", "balance": "20",
         "cTime": str(at)}
        for at in (day, 31 * day, 44 * day)
    ]  # fmt: skip
    pages = Pages("bills", "billId", rows)
    venue_mock.get("/api/v2/mix/account/bill").mock(side_effect=pages)
    assert [bill.t_ms for bill in call(lambda venue: venue.bills(0, 45 * day))] == [day, 31 * day, 44 * day]
    assert len(pages.asked) == 2


# Single values


def test_the_key_names_its_owner_and_its_rights(venue_mock: respx.MockRouter) -> None:
    venue_mock.get("/api/v2/spot/account/info").mock(return_value=ok({"userId": 77, "authorities": ["coow", "cpow"]}))
    info = call(lambda venue: venue.key_info())
    assert (info.user_id, info.authorities) == ("77", ("coow", "cpow"))


def test_a_flat_account_has_no_positions_however_it_is_said(venue_mock: respx.MockRouter) -> None:
    empty = {"symbol": "BTCUSDT", "holdSide": "long", "total": "0", "leverage": "1", "openPriceAvg": "0",
             "marginMode": "crossed", "cTime": "1"}  # fmt: skip
    for said in (None, [], [empty]):
        venue_mock.get("/api/v2/mix/position/all-position").mock(return_value=ok(said))
        assert call(lambda venue: venue.positions()) == ()


def test_a_contract_of_another_symbol_is_no_answer(venue_mock: respx.MockRouter) -> None:
    venue_mock.get("/api/v2/mix/market/contracts").mock(return_value=ok([{"symbol": "ETHUSDT"}]))
    with pytest.raises(Unanswered, match="a row of BTCUSDT"):
        call(lambda venue: venue.contract("BTCUSDT"))


def test_one_order_is_read_by_its_client_id(venue_mock: respx.MockRouter) -> None:
    route = venue_mock.get("/api/v2/mix/order/detail").mock(
        return_value=ok(order_row(1, state="filled", status="filled"))
    )
    assert call(lambda venue: venue.order("BTCUSDT", client_id="c1")).state == "filled"
    assert sent(route).url.params["clientOid"] == "c1"


def test_any_other_call_gives_its_data_as_it_came(venue_mock: respx.MockRouter) -> None:
    venue_mock.post("/api/v2/mix/order/close-positions").mock(return_value=ok({"successList": []}))
    path = "/api/v2/mix/order/close-positions"
    assert call(lambda venue: venue.request("post", path, {"productType": "USDT-FUTURES"})) == {"successList": []}
