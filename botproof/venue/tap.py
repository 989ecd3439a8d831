"""A tap in the bot's transport: what it really sent and what it really got, as facts, before the bot can know better.

Every signed request is a fact before it is handed on, and every one of them gets exactly one more: answered, or unknown
where no readable answer came (an error, a time-out, a cancellation). What the bot gets is what came, byte for byte.

A request is READ only if it is a GET. Of the others the five that the harness knows by name have their own action; all
that remain (batches, plan orders, closing calls, whatever the venue adds) are OTHER, so nothing that may change the
venue passes for a read.

From the answers the tap also writes what the bot was shown: the best prices of a depth, the settings of an account. A
depth counts only where it was asked for of the USDT perpetuals at the finest precision: the coarser ones put prices
into buckets (documented; 100 USDT wide at the coarsest, inferred), so a bot that asked for one could choose the mid it
is judged by.
"""

import itertools
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

import httpx

from botproof.clock import Clock
from botproof.errors import Unanswered
from botproof.events import (
    Action,
    OrderType,
    RequestAnswered,
    RequestSent,
    RequestUnknown,
    SettingsRead,
    Side,
    Source,
    TopOfBook,
)
from botproof.ports import Sink
from botproof.venue import rows
from botproof.venue.body import decoded, sent, whole
from botproof.venue.envelope import SUCCESS, Envelope, envelope, parsed

_ACTIONS = {
    "/api/v2/mix/order/place-order": Action.PLACE,
    "/api/v2/mix/order/cancel-order": Action.CANCEL,
    "/api/v2/mix/account/set-leverage": Action.SET_LEVERAGE,
    "/api/v2/mix/account/set-position-mode": Action.SET_POSITION_MODE,
    "/api/v2/mix/account/set-margin-mode": Action.SET_MARGIN_MODE,
}
_DEPTH = "/api/v2/mix/market/merge-depth"
_PRODUCT = "USDT-FUTURES"
_FINEST = "scale0"  # documented as the default
_ACCOUNT = "/api/v2/mix/account/account"
_QUERIES_KEPT = 256
_SIDES = {side.value: side for side in Side}
_ORDER_TYPES = {kind.value: kind for kind in OrderType}


class Tap(httpx.AsyncBaseTransport):
    """A transport that writes facts to `sink` and otherwise does what `inner` does."""

    def __init__(self, inner: httpx.AsyncBaseTransport, sink: Sink, clock: Clock) -> None:
        self._inner, self._sink, self._clock = inner, sink, clock
        self._numbers = itertools.count(1)
        self._closed = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Write, hand on, write, hand back. Once closed it lets nothing pass: a bot that was stopped is cut off."""
        if self._closed:
            raise httpx.ConnectError("the run is over for this client", request=request)
        number = await self._sent(request) if "ACCESS-KEY" in request.headers else None
        try:
            response = await whole(await self._inner.handle_async_request(request))
        except BaseException as error:
            self._unknown(number, f"{type(error).__name__} {error}".rstrip())
            raise
        self._answered(number, request, response)
        return response

    async def aclose(self) -> None:
        """Close the transport inside, and let nothing pass any more."""
        self._closed = True
        await self._inner.aclose()

    async def _sent(self, request: httpx.Request) -> int:
        body = await sent(request)
        number = next(self._numbers)
        self._sink.write(request_sent(request, body, number=number, now_us=self._clock.now_us()))
        return number

    def _unknown(self, number: int | None, reason: str) -> None:
        if number is not None:
            fact = RequestUnknown(src=Source.TAP, t_local_us=self._clock.now_us(), request=number, reason=reason)
            self._sink.write(fact)

    def _answered(self, number: int | None, request: httpx.Request, response: httpx.Response) -> None:
        try:
            answer = envelope(response.status_code, decoded(response))
        except (Unanswered, httpx.DecodingError) as unreadable:
            self._unknown(number, str(unreadable))
            return
        if number is not None:
            self._sink.write(_request_answered(answer, number, self._clock.now_us()))
        if answer.code == SUCCESS:
            self._shown(request, answer, signed=number is not None)

    def _shown(self, request: httpx.Request, answer: Envelope, *, signed: bool) -> None:
        path = request.url.path
        try:
            if path == _DEPTH and _is_exact(request):
                self._top_of_book(answer, _symbol(request))
            elif path == _ACCOUNT and signed:
                self._settings(answer, _symbol(request))
        except Unanswered:
            return  # the bot was shown nothing that can be read

    def _top_of_book(self, answer: Envelope, symbol: str) -> None:
        depth = rows.depth(answer.data, symbol)
        if depth.bids and depth.asks:
            (bid, bid_size), (ask, ask_size) = depth.bids[0], depth.asks[0]
            self._sink.write(
                TopOfBook(
                    src=Source.TAP,
                    t_venue_us=depth.t_ms * 1000,
                    t_local_us=self._clock.now_us(),
                    symbol=symbol,
                    bid=bid,
                    bid_size=bid_size,
                    ask=ask,
                    ask_size=ask_size,
                    via="depth",
                )
            )

    def _settings(self, answer: Envelope, symbol: str) -> None:
        account = rows.account(answer.data, symbol)
        self._sink.write(
            SettingsRead(
                src=Source.TAP,
                t_venue_us=_microseconds(answer.t_ms),
                t_local_us=self._clock.now_us(),
                symbol=symbol,
                position_mode=account.position_mode,
                margin_mode=account.margin_mode,
                leverage=account.leverage,
            )
        )


def request_sent(request: httpx.Request, body: bytes, *, number: int, now_us: int) -> RequestSent:
    """The fact of a signed request, read from its bytes; what cannot be read in it stays empty."""
    named = _named(request, body)
    order_type = _ORDER_TYPES.get(_text(named.get("orderType")).lower())
    return RequestSent(
        src=Source.TAP,
        t_local_us=now_us,
        request=number,
        method=request.method,
        path=request.url.path,
        action=_action(request),
        symbol=_text(named.get("symbol")).upper(),
        side=_SIDES.get(_text(named.get("side")).lower()),
        order_type=order_type,
        force=_text(named.get("force")).lower(),
        price=None if order_type is OrderType.MARKET else _amount(named.get("price")),
        size=_amount(named.get("size")),
        reduce_only=_text(named.get("reduceOnly")).lower() == "yes",
        client_id=_text(named.get("clientOid")),
        order_id=_text(named.get("orderId")),
    )


def _action(request: httpx.Request) -> Action:
    if request.method == "GET":
        return Action.READ
    return _ACTIONS.get(request.url.path, Action.OTHER) if request.method == "POST" else Action.OTHER


def _named(request: httpx.Request, body: bytes) -> Mapping[str, Any]:
    """The parameters of a request: the query, over which the body counts."""
    named: dict[str, Any] = dict(_asked(request.url.query))
    try:
        found = parsed(body) if body else {}
    except ValueError:
        found = {}
    return named | found if isinstance(found, dict) else named


@lru_cache(_QUERIES_KEPT)
def _asked(query: bytes) -> Mapping[str, str]:
    """The parameters of a query; bots ask the same again and again."""
    return dict(httpx.QueryParams(query.decode("ascii")))


def _request_answered(answer: Envelope, number: int, now_us: int) -> RequestAnswered:
    ids = answer.data if isinstance(answer.data, dict) else {}
    return RequestAnswered(
        src=Source.TAP,
        t_venue_us=_microseconds(answer.t_ms),
        t_local_us=now_us,
        request=number,
        http_status=answer.status,
        code=answer.code,
        message=answer.message,
        order_id=_text(ids.get("orderId")),
        client_id=_text(ids.get("clientOid")),
    )


def _is_exact(request: httpx.Request) -> bool:
    """Whether a depth was asked for with every price of the contract's own book; a parameter told twice must agree."""
    asked = request.url.params
    products = {product.upper() for product in asked.get_list("productType")}
    return products == {_PRODUCT} and {word.lower() for word in asked.get_list("precision")} <= {_FINEST}


def _symbol(request: httpx.Request) -> str:
    return str(request.url.params.get("symbol", "")).upper()


def _text(value: object) -> str:
    """As the venue reads it: blanks around a word mean nothing."""
    return "" if value is None else str(value).strip()


def _amount(value: object) -> Decimal | None:
    if value is None:
        return None
    try:
        amount = Decimal(_text(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None


def _microseconds(t_ms: int | None) -> int | None:
    return None if t_ms is None else t_ms * 1000
