"""The tap: every signed request is a fact before it leaves, and gets exactly one answer or an unknown fate."""

import asyncio
import dataclasses
import gzip
import json
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import httpx
import pytest

from botproof.clock import ManualClock
from botproof.events import (
    Action,
    Fact,
    OrderType,
    RequestAnswered,
    RequestSent,
    RequestUnknown,
    SettingsRead,
    Side,
    Source,
    TopOfBook,
)
from botproof.venue.tap import Tap

NOW_US = 1_771_722_000_000_000
SIGNED = {"ACCESS-KEY": "bg_key"}
PLACE = "/api/v2/mix/order/place-order"
ORDER = {
    "symbol": "BTCUSDT",
    "side": "buy",
    "orderType": "limit",
    "force": "post_only",
    "price": "67500.1",
    "size": "0.0001",
    "clientOid": "bot1-a-1",
}

Inner = Callable[[httpx.Request], Awaitable[httpx.Response]]


class Facts:
    """A sink in memory."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []

    def write(self, fact: Fact) -> Fact:
        self.facts.append(dataclasses.replace(fact, seq=len(self.facts) + 1))
        return self.facts[-1]


class Scripted(httpx.AsyncBaseTransport):
    """A transport that answers by a function, and knows how many facts there were when it was asked."""

    def __init__(self, inner: Inner, sink: Facts) -> None:
        self._inner, self._sink = inner, sink
        self.facts_when_asked: list[int] = []
        self.closed = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.facts_when_asked.append(len(self._sink.facts))
        return await self._inner(request)

    async def aclose(self) -> None:
        self.closed = True


def answering(data: Any, *, code: str = "00000", status: int = 200) -> Inner:
    async def inner(_: httpx.Request) -> httpx.Response:
        body = {"code": code, "msg": "said so", "requestTime": 1_771_722_000_007, "data": data}
        return httpx.Response(status, json=body)

    return inner


def through_tap(inner: Inner, *requests: tuple[Any, ...], headers: dict[str, str] | None = None) -> list[Fact]:
    """The facts of `requests`, each (method, path) or (method, path, body)."""
    sink = Facts()

    async def main() -> None:
        tap = Tap(Scripted(inner, sink), sink, ManualClock(NOW_US))
        async with httpx.AsyncClient(transport=tap, base_url="http://fake") as client:
            for method, path, *body in requests:
                content = body[0] if body and isinstance(body[0], bytes) else json.dumps(body[0]) if body else None
                await client.request(method, path, content=content, headers=SIGNED if headers is None else headers)

    asyncio.run(main())
    return sink.facts


def failing(inner: Inner) -> list[Fact]:
    """The facts of one order whose sending fails, as it fails for the bot too."""
    sink = Facts()

    async def main() -> None:
        tap = Tap(Scripted(inner, sink), sink, ManualClock(NOW_US))
        async with httpx.AsyncClient(transport=tap, base_url="http://fake") as client:
            with pytest.raises((httpx.HTTPError, TimeoutError)):
                async with asyncio.timeout(0.05):
                    await client.post(PLACE, json=ORDER, headers=SIGNED)

    asyncio.run(main())
    return sink.facts


# What was sent


def test_an_order_is_read_from_its_bytes() -> None:
    sent, _ = through_tap(answering({"orderId": "1001", "clientOid": "bot1-a-1"}), ("POST", PLACE, ORDER))
    assert sent == RequestSent(
        seq=1,
        src=Source.TAP,
        t_local_us=NOW_US,
        request=1,
        method="POST",
        path=PLACE,
        action=Action.PLACE,
        symbol="BTCUSDT",
        side=Side.BUY,
        order_type=OrderType.LIMIT,
        force="post_only",
        price=Decimal("67500.1"),
        size=Decimal("0.0001"),
        client_id="bot1-a-1",
    )


@pytest.mark.parametrize(("word", "meant"), [("YES", True), ("yes", True), ("NO", False), ("", False), (None, False)])
def test_reduce_only_makes_an_order_an_exit(word: Any, meant: bool) -> None:
    sent, _ = through_tap(answering({}), ("POST", PLACE, {**ORDER, "reduceOnly": word}))
    assert isinstance(sent, RequestSent)
    assert (sent.reduce_only, sent.is_exit, sent.is_entry) == (meant, meant, not meant)


def test_numbers_and_letter_case_are_read_as_the_venue_reads_them() -> None:
    order = {**ORDER, "side": "BUY", "orderType": "Limit", "force": "GTC", "symbol": "btcusdt"}
    body = json.dumps(order | {"size": 1}).replace('"67500.1"', "67500.10000000000000001")
    sent, _ = through_tap(answering({}), ("POST", PLACE, body.encode()))
    assert isinstance(sent, RequestSent)
    assert (sent.side, sent.order_type, sent.force, sent.symbol) == (Side.BUY, OrderType.LIMIT, "gtc", "BTCUSDT")
    assert (sent.size, sent.price) == (Decimal(1), Decimal("67500.10000000000000001"))


def test_a_market_order_has_no_price_whatever_it_says() -> None:
    sent, _ = through_tap(answering({}), ("POST", PLACE, {**ORDER, "orderType": "market"}))
    assert isinstance(sent, RequestSent)
    assert (sent.order_type, sent.price) == (OrderType.MARKET, None)


@pytest.mark.parametrize("body", [b"", b"{torn", b"[]", b'"order"', b"\xff\xfe", b'{"size":"NaN","price":[],"side":5}'])
def test_an_order_that_cannot_be_read_is_an_order_all_the_same(body: bytes) -> None:
    sent, _ = through_tap(answering({}), ("POST", PLACE, body))
    assert isinstance(sent, RequestSent)
    assert (sent.action, sent.size, sent.price, sent.side) == (Action.PLACE, None, None, None)
    assert sent.changes_something


@pytest.mark.parametrize(
    ("method", "path", "action"),
    [
        ("POST", PLACE, Action.PLACE),
        ("POST", "/api/v2/mix/order/cancel-order", Action.CANCEL),
        ("POST", "/api/v2/mix/account/set-leverage", Action.SET_LEVERAGE),
        ("POST", "/api/v2/mix/account/set-position-mode", Action.SET_POSITION_MODE),
        ("POST", "/api/v2/mix/account/set-margin-mode", Action.SET_MARGIN_MODE),
        ("POST", "/api/v2/mix/order/batch-place-order", Action.OTHER),
        ("POST", "/api/v2/mix/order/place-plan-order", Action.OTHER),
        ("POST", "/api/v2/mix/order/place-tpsl-order", Action.OTHER),
        ("POST", "/api/v2/mix/order/close-positions", Action.OTHER),
        ("POST", "/api/v2/mix/order/modify-order", Action.OTHER),
        ("POST", "/api/v9/what/ever", Action.OTHER),
        ("PUT", PLACE, Action.OTHER),
        ("DELETE", "/api/v2/mix/position/all-position", Action.OTHER),
        ("GET", "/api/v2/mix/position/all-position", Action.READ),
    ],
)
def test_only_a_get_passes_for_a_read(method: str, path: str, action: Action) -> None:
    sent, _ = through_tap(answering({}), (method, path))
    assert isinstance(sent, RequestSent)
    assert sent.action is action


def test_a_get_names_what_its_query_names() -> None:
    sent, _ = through_tap(answering({}), ("GET", "/api/v2/mix/order/detail?symbol=BTCUSDT&orderId=1001&clientOid=c"))
    assert isinstance(sent, RequestSent)
    assert (sent.path, sent.symbol, sent.order_id, sent.client_id) == (
        "/api/v2/mix/order/detail",
        "BTCUSDT",
        "1001",
        "c",
    )


def test_the_request_is_a_fact_before_it_leaves() -> None:
    sink = Facts()
    inner = Scripted(answering({}), sink)

    async def main() -> None:
        async with httpx.AsyncClient(transport=Tap(inner, sink, ManualClock(NOW_US))) as client:
            await client.post(f"http://fake{PLACE}", json=ORDER, headers=SIGNED)

    asyncio.run(main())
    assert inner.facts_when_asked == [1]
    assert inner.closed


def test_unsigned_requests_are_no_facts() -> None:
    assert through_tap(answering({}), ("GET", "/api/v2/public/time"), headers={}) == []


# What came back


def test_an_answer_carries_code_text_and_ids() -> None:
    _, answered = through_tap(answering({"orderId": "1001", "clientOid": "c"}), ("POST", PLACE, ORDER))
    assert answered == RequestAnswered(
        seq=2,
        src=Source.TAP,
        t_venue_us=1_771_722_000_007_000,
        t_local_us=NOW_US,
        request=1,
        http_status=200,
        code="00000",
        message="said so",
        order_id="1001",
        client_id="c",
    )


def test_a_refusal_is_an_answer() -> None:
    _, answered = through_tap(answering(None, code="40762", status=400), ("POST", PLACE, ORDER))
    assert isinstance(answered, RequestAnswered)
    assert (answered.http_status, answered.code, answered.accepted) == (400, "40762", False)


def test_answers_are_tied_to_their_requests_by_number() -> None:
    facts = through_tap(answering({}), ("POST", PLACE, ORDER), ("GET", "/api/v2/mix/position/all-position"))
    assert [(type(fact), fact.request) for fact in facts if isinstance(fact, (RequestSent, RequestAnswered))] == [
        (RequestSent, 1),
        (RequestAnswered, 1),
        (RequestSent, 2),
        (RequestAnswered, 2),
    ]


@pytest.mark.parametrize(
    "answer",
    [
        lambda: httpx.Response(502, text="<html>"),
        lambda: httpx.Response(200, text='{"code":"00000","da'),
        lambda: httpx.Response(200),
        lambda: httpx.Response(500, json={"code": "00000", "msg": "success"}),
    ],
)
def test_an_unreadable_answer_is_an_unknown_fate(answer: Callable[[], httpx.Response]) -> None:
    async def inner(_: httpx.Request) -> httpx.Response:
        return answer()

    _, unknown = through_tap(inner, ("POST", PLACE, ORDER))
    assert isinstance(unknown, RequestUnknown)
    assert unknown.request == 1


@pytest.mark.parametrize("error", [httpx.ConnectError("refused"), httpx.ReadTimeout("slow"), httpx.ReadError("reset")])
def test_a_transport_error_is_an_unknown_fate_and_goes_on_to_the_bot(error: httpx.TransportError) -> None:
    async def inner(_: httpx.Request) -> httpx.Response:
        raise error

    sent, unknown = failing(inner)
    assert isinstance(sent, RequestSent)
    assert unknown == RequestUnknown(
        seq=2, src=Source.TAP, t_local_us=NOW_US, request=1, reason=f"{type(error).__name__} {error}"
    )


def test_a_bot_that_stops_waiting_leaves_an_unknown_fate() -> None:
    async def inner(_: httpx.Request) -> httpx.Response:
        await asyncio.sleep(60)
        return httpx.Response(200)

    _, unknown = failing(inner)
    assert isinstance(unknown, RequestUnknown)
    assert unknown.reason == "CancelledError"


def test_a_connection_lost_while_the_answer_comes_is_an_unknown_fate() -> None:
    class Torn(httpx.AsyncByteStream):
        async def __aiter__(self) -> Any:
            yield b'{"code":"00000"'
            raise httpx.ReadError("reset")

    async def inner(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=Torn())

    _, unknown = failing(inner)
    assert isinstance(unknown, RequestUnknown)


def test_the_bot_gets_what_came_byte_for_byte() -> None:
    content = json.dumps({"code": "00000", "msg": "", "data": {"orderId": "7"}}, indent=3).encode()
    sink = Facts()

    async def inner(_: httpx.Request) -> httpx.Response:
        headers = {"content-encoding": "gzip", "x-mbx-used-remain-limit": "19"}
        return httpx.Response(200, headers=headers, stream=httpx.ByteStream(gzip.compress(content)))

    async def main() -> httpx.Response:
        tap = Tap(Scripted(inner, sink), sink, ManualClock(NOW_US))
        async with httpx.AsyncClient(transport=tap) as client:
            return await client.post(f"http://fake{PLACE}", json=ORDER, headers=SIGNED)

    response = asyncio.run(main())
    assert (response.content, response.headers["x-mbx-used-remain-limit"]) == (content, "19")
    answered = sink.facts[1]
    assert isinstance(answered, RequestAnswered)
    assert answered.order_id == "7"


# What the bot was shown

DEPTH = "/api/v2/mix/market/merge-depth?symbol=BTCUSDT&productType=USDT-FUTURES&limit=5"
ACCOUNT = "/api/v2/mix/account/account?marginCoin=USDT&productType=USDT-FUTURES&symbol=BTCUSDT"


@pytest.mark.parametrize("headers", [SIGNED, {}])
def test_the_best_prices_of_a_depth_are_a_fact(headers: dict[str, str]) -> None:
    book = {"bids": [[67499.9, 0.5], [67499.8, 1]], "asks": [[67500.1, 2]], "ts": "1771722000001"}
    facts = through_tap(answering(book), ("GET", DEPTH), headers=headers)
    [top] = [fact for fact in facts if isinstance(fact, TopOfBook)]
    assert (top.src, top.symbol, top.via, top.t_venue_us) == (Source.TAP, "BTCUSDT", "depth", 1_771_722_000_001_000)
    assert (top.bid, top.bid_size, top.ask, top.ask_size) == tuple(map(Decimal, ("67499.9", "0.5", "67500.1", "2")))


@pytest.mark.parametrize(
    "book", [{"bids": [], "asks": [["1", "2"]], "ts": "1"}, {"bids": "x", "asks": [], "ts": "1"}, None, []]
)
def test_a_book_without_two_sides_or_sense_shows_nothing(book: Any) -> None:
    assert through_tap(answering(book), ("GET", DEPTH), headers={}) == []


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("productType=USDT-FUTURES", 1),
        ("productType=usdt-futures&precision=scale0", 1),
        ("productType=USDT-FUTURES&precision=scale1", 0),
        ("productType=USDT-FUTURES&precision=scale3", 0),
        ("productType=USDT-FUTURES&precision=scale0&precision=scale3", 0),
        ("productType=USDT-FUTURES&precision=", 0),
        ("productType=COIN-FUTURES", 0),
        ("productType=USDT-FUTURES&productType=USDC-FUTURES", 0),
        ("precision=scale0", 0),
    ],
)
def test_only_a_depth_of_the_perpetuals_at_the_finest_precision_is_a_book(query: str, shown: int) -> None:
    book = {"bids": [[67499.9, 0.5]], "asks": [[67500.1, 2]], "ts": "1771722000001"}
    path = f"/api/v2/mix/market/merge-depth?symbol=BTCUSDT&{query}"
    assert len(through_tap(answering(book), ("GET", path), headers={})) == shown


def test_the_settings_of_an_account_are_a_fact() -> None:
    account = {
        "marginCoin": "USDT",
        "available": "20",
        "accountEquity": "20",
        "crossedMarginLeverage": 1,
        "marginMode": "crossed",
        "posMode": "one_way_mode",
    }
    settings = through_tap(answering(account), ("GET", ACCOUNT))[-1]
    assert isinstance(settings, SettingsRead)
    assert (settings.symbol, settings.position_mode, settings.margin_mode, settings.leverage) == (
        "BTCUSDT",
        "one_way_mode",
        "crossed",
        1,
    )


@pytest.mark.parametrize(("code", "status"), [("40037", 400), ("40037", 200)])
def test_a_refused_reading_shows_nothing(code: str, status: int) -> None:
    facts = through_tap(answering(None, code=code, status=status), ("GET", DEPTH), ("GET", ACCOUNT))
    assert not [fact for fact in facts if isinstance(fact, (TopOfBook, SettingsRead))]
