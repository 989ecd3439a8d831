"""The REST face: bytes in, the exchange asked, bytes out. Nothing is decided here.

A call passes in this order (the venue's own order is not documented; inferred): route known, headers, key, timestamp,
passphrase, signature, permission, parameters, armed faults, exchange. Every refusal is HTTP 400 with the venue's code;
an unknown path under /api is 40404, any other path is a page with HTTP 404 (captured).
"""

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from botproof.errors import VenueError

from . import rest_account, rest_market, rest_order
from .ask import Ask, NotImitated, Params
from .core.exchange import Exchange
from .core.messages import Outcome
from .faults import Delay, Drop, Faults, Lose, Refuse, Strike
from .journal import DELAYED, DROPPED, LOST, REFUSED, Call
from .signing import Key, Keyring, authenticate
from .wire import OK, Answer, FaceSwitches, Skew, failure, page_not_found, success

Handler = Callable[[Ask], object]


@dataclass(frozen=True, slots=True)
class Route:
    """A method and a path; `permission` is empty on a public one, `per_second` is the documented rate."""

    method: str
    path: str
    permission: str
    per_second: int
    handler: Handler


ROUTES = (
    Route("GET", "/api/v2/public/time", "", 20, rest_market.server_time),
    Route("GET", "/api/v2/mix/market/contracts", "", 20, rest_market.contracts),
    Route("GET", "/api/v2/mix/market/ticker", "", 20, rest_market.ticker),
    Route("GET", "/api/v2/mix/market/merge-depth", "", 20, rest_market.merge_depth),
    Route("GET", "/api/v2/mix/market/symbol-price", "", 20, rest_market.symbol_price),
    Route("GET", "/api/v2/mix/market/current-fund-rate", "", 20, rest_market.current_fund_rate),
    Route("GET", "/api/v2/mix/market/funding-time", "", 20, rest_market.funding_time),
    Route("GET", "/api/v2/mix/market/history-fund-rate", "", 20, rest_market.history_fund_rate),
    Route("GET", "/api/v2/mix/account/account", "read", 10, rest_account.account),
    Route("GET", "/api/v2/mix/account/accounts", "read", 10, rest_account.accounts),
    Route("GET", "/api/v2/mix/account/bill", "read", 10, rest_account.bills),
    Route("POST", "/api/v2/mix/account/set-leverage", "trade", 5, rest_account.set_leverage),
    Route("POST", "/api/v2/mix/account/set-margin-mode", "trade", 5, rest_account.set_margin_mode),
    Route("POST", "/api/v2/mix/account/set-position-mode", "trade", 5, rest_account.set_position_mode),
    Route("GET", "/api/v2/mix/position/all-position", "read", 5, rest_account.positions),
    Route("GET", "/api/v2/mix/position/single-position", "read", 10, rest_account.single_position),
    Route("POST", "/api/v2/mix/order/place-order", "trade", 10, rest_order.place_order),
    Route("POST", "/api/v2/mix/order/cancel-order", "trade", 10, rest_order.cancel_order),
    Route("GET", "/api/v2/mix/order/detail", "read", 10, rest_order.detail),
    Route("GET", "/api/v2/mix/order/orders-pending", "read", 10, rest_order.pending),
    Route("GET", "/api/v2/mix/order/orders-plan-pending", "read", 10, rest_order.plan_pending),
    Route("GET", "/api/v2/mix/order/orders-history", "read", 10, rest_order.history),
    Route("GET", "/api/v2/mix/order/fills", "read", 10, rest_order.fills),
    Route("GET", "/api/v2/mix/order/fill-history", "read", 10, rest_order.fill_history),
    Route("GET", "/api/v2/common/trade-rate", "read", 10, rest_account.trade_rate),
    Route("GET", "/api/v2/spot/account/info", "read", 1, rest_account.key_info),
    Route("GET", "/api/v3/account/settings", "read", 10, rest_account.unified_settings),
)

# How the venue names the permission that a key lacks (inferred from the one text that was captured, for spot).
_MISSING = {"read": "contract order read", "trade": "contract order write"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A call as received; `headers` by lower-case name."""

    method: str
    target: str  # path and query as received
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    @classmethod
    def of(cls, method: str, target: str, headers: Sequence[tuple[bytes, bytes]], body: bytes) -> "Request":
        named = {name.lower().decode("latin-1"): value.strip().decode("latin-1") for name, value in headers}
        path, _, query = target.partition("?")
        return cls(method=method.upper(), target=target, path=path, query=query, headers=named, body=body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The answer (None: there will be none), what the call set in motion, and its journal line (still unnumbered)."""

    answer: Answer | None
    call: Call
    outcomes: Sequence[Outcome] = ()


@dataclass(slots=True)
class _Progress:
    """How far a call came: what its journal line can say even where it was refused."""

    key: Key | None = None
    params: Params | None = None
    strike: Strike | None = None
    outcomes: Sequence[Outcome] = ()
    note: str = ""
    nearest: str = ""


class RestFace:
    """Answers calls out of the exchange; the caller has advanced it to `now_us`."""

    def __init__(
        self,
        exchange: Exchange,
        ring: Keyring,
        switches: FaceSwitches,
        faults: Faults,
        skew: Skew | None = None,
    ) -> None:
        self._skew = skew or Skew()
        self._exchange, self._ring, self._switches, self._faults = exchange, ring, switches, faults
        self._routes = {(route.method, route.path): route for route in ROUTES}

    def answer(self, request: Request, now_us: int) -> Reply:
        """Never raises for anything that a client can send."""
        progress = _Progress()
        return _struck(self._answer(request, now_us, progress), progress.strike)

    def _answer(self, request: Request, now_us: int, progress: _Progress) -> Reply:
        if not request.path.startswith("/api/"):
            progress.nearest = self._nearest(request)
            return _reply(request, now_us, progress, page_not_found(), code="", data=None)
        route = self._routes.get((request.method, request.path))
        headers = ((b"x-mbx-used-remain-limit", str(route.per_second - 1).encode()),) if route else ()
        try:
            data = self._serve(route, request, now_us, progress)
        except VenueError as refusal:
            progress.note = refusal.what if isinstance(refusal, NotImitated) else ""
            answer = failure(refusal, self._told_ms(now_us), headers)
            return _reply(request, now_us, progress, answer, code=refusal.code, data=None)
        return _reply(request, now_us, progress, success(data, self._told_ms(now_us), headers), code=OK, data=data)

    def _told_ms(self, now_us: int) -> int:
        return self._skew.told_us(now_us) // 1000

    def _serve(self, route: Route | None, request: Request, now_us: int, progress: _Progress) -> object:
        if route is None:
            progress.nearest = self._nearest(request)
            raise VenueError("40404", "Request URL NOT FOUND")
        # Rate limits belong here: before the signature is looked at.
        if route.permission:
            progress.key = self._admit(route, request, now_us)
        progress.params = _params(request)
        progress.strike = self._strike(request, progress.key, now_us)
        if isinstance(progress.strike, Drop):
            return None
        if isinstance(progress.strike, Refuse):
            raise VenueError(progress.strike.code, progress.strike.message, progress.strike.status)
        ask = Ask(
            exchange=self._exchange,
            params=progress.params,
            now_us=now_us,
            key=progress.key,
            told_us=self._skew.told_us(now_us),
        )
        data = route.handler(ask)
        progress.outcomes = ask.outcomes
        return data

    def _admit(self, route: Route, request: Request, now_us: int) -> Key:
        key = authenticate(
            self._ring,
            request.headers,
            method=request.method,
            target=request.target,
            body=request.body,
            now_ms=self._told_ms(now_us),
        )
        if (request.headers.get("paptrading") == "1") is not self._switches.demo:
            raise VenueError("40099", "exchange environment is incorrect")
        if route.permission not in key.permissions:
            raise VenueError("40014", f"Incorrect permissions, need {_MISSING[route.permission]} permissions")
        return key

    def _strike(self, request: Request, key: Key | None, now_us: int) -> Strike | None:
        return self._faults.strike(request.method, request.path, key.api_key if key else "", now_us)

    def _nearest(self, request: Request) -> str:
        known = [f"{route.method} {route.path}" for route in ROUTES]
        found = difflib.get_close_matches(f"{request.method} {request.path}"[:300], known, n=1, cutoff=0.5)
        return found[0] if found else ""


def _params(request: Request) -> Params:
    if request.method == "GET":
        return Params.of_query(request.query)
    if "json" not in request.headers.get("content-type", "").lower():
        raise VenueError("40007", "Invalid Content_Type")
    return Params.of_body(request.body)


def _legible(request: Request) -> Params:
    """What a call that never came to its parameters asked for, as far as it can be read."""
    try:
        return Params.of_query(request.query) if request.method == "GET" else Params.of_body(request.body)
    except VenueError:
        return Params({})


def _struck(reply: Reply, strike: Strike | None) -> Reply:
    """The reply as an armed fault leaves it; the journal keeps what the venue would have said and that it never did."""
    match strike:
        case Refuse():
            return replace(reply, call=reply.call._replace(fate=REFUSED))
        case Lose():
            return replace(reply, answer=None, call=reply.call._replace(fate=LOST))
        case Drop():
            return replace(reply, answer=None, call=reply.call._replace(fate=DROPPED, status=0, code=""))
        case Delay(for_us=for_us) if reply.answer is not None:
            answer = replace(reply.answer, after_us=for_us)
            return replace(reply, answer=answer, call=reply.call._replace(fate=DELAYED))
    return reply


def _reply(request: Request, now_us: int, progress: _Progress, answer: Answer, *, code: str, data: object) -> Reply:
    """A refused command had no effect, so its outcomes are empty."""
    answered = data.get("orderId", "") if isinstance(data, dict) else ""
    params = _legible(request) if progress.params is None else progress.params
    call = Call(
        n=0,
        at_us=now_us,
        api_key=request.headers.get("access-key", ""),
        account=progress.key.account if progress.key else "",
        method=request.method,
        path=request.path,
        query=request.query,
        body=request.body.decode("utf-8", "replace"),
        status=answer.status,
        code=code,
        order_id=answered or params.text("orderId"),
        client_id=params.text("clientOid"),
        nearest=progress.nearest,
        note=progress.note,
    )
    return Reply(answer=answer, call=call, outcomes=progress.outcomes)
