"""The signed client over REST: one API key's view of Bitget USDT perpetuals (classic v2).

What a caller may rely on:

1. A call returns what the venue said, raises `VenueError` where the venue refused, or `Unanswered` where nobody knows:
   no answer within 10 s, a broken connection, an answer that cannot be read.
2. Nothing is tried twice. The one exception is 40008 (the time stamp was out of tolerance, so the request was refused
   before it was looked at): the venue's time is read again and the request is sent once more.
3. What is signed is what is sent, byte for byte, and it is sent to the host of `base_url` and to no other: redirects
   are not followed, an address elsewhere is refused. There are no cookies and no credentials but the key's: a request
   goes straight into the transport, without the parts of a client that could add to it.
4. Lists are read to their end and returned oldest first. Stretches longer than an endpoint allows are asked for piece
   by piece.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeVar
from urllib.parse import urlencode

import httpx
import orjson

from botproof.clock import Clock
from botproof.errors import HarnessError, Unanswered, VenueError
from botproof.money import plain
from botproof.ports import (
    AccountState,
    Bill,
    Contract,
    Depth,
    FeeRates,
    Fill,
    KeyInfo,
    Order,
    OrderAck,
    OrderRequest,
    Position,
    Push,
    SymbolPrice,
    Ticker,
)
from botproof.venue import rows
from botproof.venue.body import decoded, whole
from botproof.venue.envelope import Envelope, Row, envelope, row_list
from botproof.venue.signing import Credentials, login_frame, signed_headers
from botproof.venue.stream import Subscription, stream

PRODUCT = {"productType": "USDT-FUTURES"}
MARGIN = {"marginCoin": rows.MARGIN_COIN}
MIX = "/api/v2/mix"

TIMESTAMP_EXPIRED = "40008"
NO_SUCH_ADDRESS = "40404"

_ANSWER_LIMIT_S = 10
_PAGE_ROWS = 100
_PAGES_MAX = 1_000
_TARGETS_KEPT = 256
_DAY_MS = 86_400_000
_FILLS = ("/api/v2/mix/order/fills", 90 * _DAY_MS)  # three months (documented)
_FILL_HISTORY = ("/api/v2/mix/order/fill-history", 7 * _DAY_MS)  # 40404 in demo trading (captured)
_ORDER_HISTORY_SPAN_MS = 90 * _DAY_MS
_BILL_SPAN_MS = 30 * _DAY_MS
_TRIGGER_PLANS = ("normal_plan", "track_plan", "profit_loss")
_OPEN_STATES = ("live", "partially_filled")
_HEADERS = (
    (b"Accept-Encoding", b"gzip, deflate"),
    (b"User-Agent", b"pytest-botproof"),
    (b"locale", b"en-US"),
)

Value = TypeVar("Value")


class BitgetVenue:
    """`ports.Venue` at `base_url` over `transport`, which is closed with the venue.

    `demo` asks for demo trading (header `paptrading: 1`; the key must be a demo key).
    """

    def __init__(
        self,
        transport: httpx.AsyncBaseTransport,
        base_url: str,
        credentials: Credentials,
        clock: Clock,
        *,
        public_ws: str,
        private_ws: str,
        demo: bool = False,
    ) -> None:
        self._transport, self._base, self._credentials, self._clock = transport, httpx.URL(base_url), credentials, clock
        self._public_ws, self._private_ws = public_ws, private_ws
        self._headers = ((b"Host", self._base.netloc), *_HEADERS, *(((b"paptrading", b"1"),) if demo else ()))
        self._url = lru_cache(_TARGETS_KEPT)(self._address)
        self._offset_us: int | None = None  # the venue's clock less ours

    # Market

    async def server_time_ms(self) -> int:
        """The venue's time, milliseconds since the epoch."""
        data = await self._public("/api/v2/public/time", {})
        return Row(data, "time").whole("serverTime")

    async def contract(self, symbol: str) -> Contract:
        """The rules of `symbol`."""
        data = await self._public(f"{MIX}/market/contracts", {**PRODUCT, "symbol": symbol})
        return rows.contract(rows.only_row(data, "contracts", symbol))

    async def ticker(self, symbol: str) -> Ticker:
        """The ticker; an empty side of the book has price and size 0."""
        data = await self._public(f"{MIX}/market/ticker", {**PRODUCT, "symbol": symbol})
        return rows.ticker(rows.only_row(data, "ticker", symbol))

    async def depth(self, symbol: str, limit: int = 5) -> Depth:
        """The best `limit` levels of each side; the venue knows 1, 5, 15, 50 and cuts others to what it has."""
        data = await self._public(f"{MIX}/market/merge-depth", {**PRODUCT, "symbol": symbol, "limit": str(limit)})
        return rows.depth(data, symbol)

    async def symbol_price(self, symbol: str) -> SymbolPrice:
        """Last, mark and index price."""
        data = await self._public(f"{MIX}/market/symbol-price", {**PRODUCT, "symbol": symbol})
        return rows.symbol_price(rows.only_row(data, "symbol price", symbol))

    # Account

    async def key_info(self) -> KeyInfo:
        """Who the key belongs to and what it may do; the endpoint takes one call a second (documented)."""
        return rows.key_info(await self._get("/api/v2/spot/account/info", {}))

    async def account(self, symbol: str) -> AccountState:
        """Modes, leverage and money, as `symbol` sees them."""
        data = await self._get(f"{MIX}/account/account", {**PRODUCT, **MARGIN, "symbol": symbol})
        return rows.account(data, symbol)

    async def fee_rates(self, symbol: str) -> FeeRates:
        """What this account pays for trades of `symbol`, which need not be the contract's rates."""
        params = {"symbol": symbol, "businessType": "mix"}
        return rows.fee_rates(await self._get("/api/v2/common/trade-rate", params))

    async def positions(self) -> tuple[Position, ...]:
        """Every open position; flat is an empty tuple."""
        data = await self._get(f"{MIX}/position/all-position", {**PRODUCT, **MARGIN})
        held = map(rows.position, row_list(data, "positions"))
        return tuple(position for position in held if position.size)

    async def set_leverage(self, symbol: str, leverage: int) -> None:
        """Leverage of `symbol`, both sides."""
        body = {**PRODUCT, **MARGIN, "symbol": symbol, "leverage": str(leverage)}
        await self._post(f"{MIX}/account/set-leverage", body)

    async def set_position_mode(self, mode: str) -> None:
        """`one_way_mode` or `hedge_mode`, for the whole product; refused while a position or order exists."""
        await self._post(f"{MIX}/account/set-position-mode", {**PRODUCT, "posMode": mode})

    async def set_margin_mode(self, symbol: str, mode: str) -> None:
        """`crossed` or `isolated`; refused while `symbol` has a position or order."""
        body = {**PRODUCT, **MARGIN, "symbol": symbol, "marginMode": mode}
        await self._post(f"{MIX}/account/set-margin-mode", body)

    # Orders

    async def place(self, order: OrderRequest) -> OrderAck:
        """Place an order in one-way, crossed mode; the answer says that it was taken, not that it rests."""
        return rows.acknowledgement(await self._post(f"{MIX}/order/place-order", _order_body(order)))

    async def cancel(self, symbol: str, *, order_id: str = "", client_id: str = "") -> OrderAck:
        """Ask for a cancel; where both ids are given the order id wins (documented)."""
        body = {**PRODUCT, **MARGIN, "symbol": symbol, **_order_name(order_id, client_id)}
        return rows.acknowledgement(await self._post(f"{MIX}/order/cancel-order", body))

    async def order(self, symbol: str, *, order_id: str = "", client_id: str = "") -> Order:
        """One order as it stands; raises `VenueError` 40109 where the venue does not know it."""
        params = {**PRODUCT, "symbol": symbol, **_order_name(order_id, client_id)}
        return rows.order(await self._get(f"{MIX}/order/detail", params))

    async def open_orders(self) -> tuple[Order, ...]:
        """Every open plain order of the product.

        Asked for state by state: whether a call without `status` lists partially filled orders is contradicted between
        the documentation and what clients rely on, and an order that is missed here is quoted twice.
        """
        found: dict[str, Order] = {}
        for state in _OPEN_STATES:
            params = {**PRODUCT, "status": state}
            for body in await self._pages(f"{MIX}/order/orders-pending", params, "entrustedList", "orderId"):
                order = rows.order(body)
                found[order.order_id] = order
        return tuple(sorted(found.values(), key=lambda order: (order.created_ms, order.order_id)))

    async def open_trigger_order_ids(self) -> tuple[str, ...]:
        """The ids of every open trigger, trailing, take-profit and stop-loss order of the product."""
        found: list[str] = []
        for plan in _TRIGGER_PLANS:
            params = {**PRODUCT, "planType": plan}
            listed = await self._pages(f"{MIX}/order/orders-plan-pending", params, "entrustedList", "orderId")
            found += [Row(body, "trigger order").text("orderId") for body in listed]
        return tuple(found)

    async def order_history(self, start_ms: int, end_ms: int) -> tuple[Order, ...]:
        """Orders that ended, created in start..end, oldest first; the venue keeps 90 days."""
        address = (f"{MIX}/order/orders-history", _ORDER_HISTORY_SPAN_MS)
        return await self._history(address, (start_ms, end_ms), ("entrustedList", "orderId"), rows.order)

    async def fills(self, start_ms: int, end_ms: int) -> tuple[Fill, ...]:
        """Fills in start..end, oldest first; of the two endpoints that list them, the one that is served."""
        try:
            return await self._history(_FILLS, (start_ms, end_ms), ("fillList", "tradeId"), rows.fill)
        except VenueError as refusal:
            if refusal.code != NO_SUCH_ADDRESS:
                raise
        return await self._history(_FILL_HISTORY, (start_ms, end_ms), ("fillList", "tradeId"), rows.fill)

    async def bills(self, start_ms: int, end_ms: int) -> tuple[Bill, ...]:
        """Lines of the account's bill in start..end, oldest first; the venue keeps 90 days."""
        address = (f"{MIX}/account/bill", _BILL_SPAN_MS)
        return await self._history(address, (start_ms, end_ms), ("bills", "billId"), rows.bill)

    # Anything else

    async def request(self, method: str, path: str, params: Mapping[str, str]) -> Any:
        """A signed GET with `params` as its query, or a signed POST with `params` as its body; the answer's data."""
        verb = method.upper()
        if verb not in ("GET", "POST"):
            raise HarnessError(f"the venue takes GET and POST; found {method}")
        return await (self._get(path, params) if verb == "GET" else self._post(path, params))

    def public_stream(self, symbol: str, channels: Sequence[str]) -> AsyncIterator[Push]:
        """Pushes of `channels` (ticker, books1, trade) of `symbol`."""
        arguments = tuple({"instType": "USDT-FUTURES", "channel": name, "instId": symbol} for name in channels)
        return stream(Subscription(url=self._public_ws, arguments=arguments))

    def private_stream(self) -> AsyncIterator[Push]:
        """Pushes of orders, fill, positions and account."""
        return stream(Subscription(url=self._private_ws, arguments=_PRIVATE_CHANNELS, login=self._login))

    async def close(self) -> None:
        """Close the transport; streams end when their iterators are closed."""
        await self._transport.aclose()

    # Lists

    async def _history(
        self,
        address: tuple[str, int],
        stretch_ms: tuple[int, int],
        names: tuple[str, str],
        read: Callable[[Any], Value],
    ) -> tuple[Value, ...]:
        """Rows of a stretch of time, read window by window and page by page, oldest first."""
        path, span_ms = address
        found: list[Value] = []
        for start, end in _windows(*stretch_ms, span_ms):
            params = {**PRODUCT, "startTime": str(start), "endTime": str(end)}
            newest_first = await self._pages(path, params, *names)
            found += [read(body) for body in reversed(newest_first)]
        return tuple(found)

    async def _pages(self, path: str, params: Mapping[str, str], list_name: str, id_name: str) -> list[Any]:
        """Every row of a list that the venue gives out newest first and page by page."""
        found: list[Any] = []
        older: dict[str, str] = {}
        for _ in range(_PAGES_MAX):
            data = await self._get(path, {**params, "limit": str(_PAGE_ROWS), **older})
            page = row_list(Row(data, path).raw(list_name), list_name)
            found += page
            if len(page) < _PAGE_ROWS:
                return found
            last = Row(page[-1], list_name).text(id_name)
            if older.get("idLessThan") == last:
                raise Unanswered(f"{path}: expected rows older than {last}, found the same page again")
            older = {"idLessThan": last}
        raise Unanswered(f"{path}: expected an end of the list within {_PAGES_MAX} pages, found none")

    # Requests

    # What is said again and again is put into httpx's form once: the address of a target, and the headers that every
    # request carries. Parsing and merging them anew costs more than everything else a call does.

    async def _public(self, path: str, params: Mapping[str, str]) -> Any:
        request = httpx.Request("GET", self._url(_target(path, params)), headers=self._headers)
        return (await self._send(request)).unwrapped()

    async def _get(self, path: str, params: Mapping[str, str]) -> Any:
        return await self._signed("GET", _target(path, params), b"")

    async def _post(self, path: str, body: Mapping[str, str]) -> Any:
        return await self._signed("POST", path, orjson.dumps(dict(body)))

    async def _signed(self, method: str, target: str, body: bytes) -> Any:
        answer = await self._send_signed(method, target, body)
        if answer.code == TIMESTAMP_EXPIRED:
            self._offset_us = None
            answer = await self._send_signed(method, target, body)
        return answer.unwrapped()

    async def _send_signed(self, method: str, target: str, body: bytes) -> Envelope:
        url = self._url(target)
        proof = signed_headers(
            self._credentials,
            timestamp_ms=await self._venue_now_us() // 1000,
            method=method,
            target=url.raw_path.decode(),
            body=body,
        )
        headers = [*self._headers, *((name.encode(), value.encode()) for name, value in proof.items())]
        if body:
            headers += [(b"Content-Type", b"application/json"), (b"Content-Length", str(len(body)).encode())]
        return await self._send(httpx.Request(method, url, headers=headers, stream=httpx.ByteStream(body)))

    def _address(self, target: str) -> httpx.URL:
        if not target.startswith("/") or target.startswith("//"):
            raise HarnessError(f"expected a path of {self._base}, found {target!r}")
        return self._base.copy_with(raw_path=httpx.URL(target).raw_path)

    async def _send(self, request: httpx.Request) -> Envelope:
        what = f"{request.method} {request.url.path}"
        try:
            async with asyncio.timeout(_ANSWER_LIMIT_S):
                response = await whole(await self._transport.handle_async_request(request))
            content = decoded(response)
        except TimeoutError:
            raise Unanswered(f"{what}: no answer within {_ANSWER_LIMIT_S} s") from None
        except httpx.RequestError as error:
            raise Unanswered(f"{what}: {type(error).__name__} {error}".rstrip()) from error
        try:
            return envelope(response.status_code, content)
        except Unanswered as unreadable:
            raise Unanswered(f"{what}: {unreadable}") from None

    # The venue's clock

    async def _venue_now_us(self) -> int:
        if self._offset_us is None:
            asked_us = self._clock.now_us()
            venue_us = await self.server_time_ms() * 1000
            self._offset_us = venue_us - (asked_us + self._clock.now_us()) // 2
        return self._clock.now_us() + self._offset_us

    async def _login(self) -> dict[str, object]:
        self._offset_us = None  # a stream dials rarely, and an expired login is answered by nothing but a new reading
        return login_frame(self._credentials, timestamp_s=await self._venue_now_us() // 1_000_000)


_PRIVATE_CHANNELS = (
    {"instType": "USDT-FUTURES", "channel": "account", "coin": "default"},
    {"instType": "USDT-FUTURES", "channel": "positions", "instId": "default"},
    {"instType": "USDT-FUTURES", "channel": "orders", "instId": "default"},
    {"instType": "USDT-FUTURES", "channel": "fill", "instId": "default"},
)


def _order_body(order: OrderRequest) -> dict[str, str]:
    body = {
        **PRODUCT,
        **MARGIN,
        "symbol": order.symbol,
        "marginMode": "crossed",
        "side": order.side.value,
        "orderType": order.order_type.value,
        "size": plain(order.size),
        "clientOid": order.client_id,
    }
    if order.price is not None:
        body |= {"price": plain(order.price), "force": order.force}
    if order.reduce_only:
        body["reduceOnly"] = "YES"
    return body


def _order_name(order_id: str, client_id: str) -> dict[str, str]:
    named = {"orderId": order_id, "clientOid": client_id}
    if not any(named.values()):
        raise HarnessError("an order is named by order_id or client_id; found neither")
    return {name: value for name, value in named.items() if value}


def _target(path: str, params: Mapping[str, str]) -> str:
    return _encoded(path, tuple(sorted(params.items())))


@lru_cache(_TARGETS_KEPT)
def _encoded(path: str, params: tuple[tuple[str, str], ...]) -> str:
    return f"{path}?{urlencode(params)}" if params else path


def _windows(start_ms: int, end_ms: int, span_ms: int) -> list[tuple[int, int]]:
    """Stretches of at most `span_ms` that cover start..end, both ends included."""
    return [(start, min(start + span_ms - 1, end_ms)) for start in range(start_ms, end_ms + 1, span_ms)]
