"""The scripted exchange: what is said to the fake, in which order, and when time moves.

Every route of the fake is called, every channel heard, and nearly every refusal met that a client can cause: what a
carrier could lose or bend (a body, a query, a header, an order of frames, the end of a connection) is there to be lost.
`<name>` in a target or a body stands for the order id that the answer to client id `name` carried.

It begins ten seconds before a settlement of funding, so that one happens.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

BEGINS_US = 1_771_747_190_000_000  # 2026-02-22T07:59:50Z
SECOND_US = 1_000_000
SYMBOL, PRODUCT = "BTCUSDT", "USDT-FUTURES"
PUBLIC, PRIVATE = "/v2/ws/public", "/v2/ws/private"
MIX = "/api/v2/mix"
PLACE, CANCEL = f"{MIX}/order/place-order", f"{MIX}/order/cancel-order"
HERE = f"symbol={SYMBOL}&productType={PRODUCT}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """An HTTP call. `key` is bot, observer or empty (unsigned); `spoilt` names what is wrong with its credentials."""

    method: str
    target: str
    body: str = ""
    key: str = ""
    spoilt: str = ""
    content_type: str = "application/json"

    def __str__(self) -> str:
        return " ".join(filter(None, (self.method, self.target, self.body, self.spoilt and f"({self.spoilt})")))


@dataclass(frozen=True, slots=True)
class Dial:
    """Open a socket, from now on known as `line`."""

    line: str
    path: str

    def __str__(self) -> str:
        return f"{self.line} dials {self.path}"


@dataclass(frozen=True, slots=True)
class Say:
    """Send a text on a line."""

    line: str
    text: str

    def __str__(self) -> str:
        return f"{self.line} says {self.text}"


@dataclass(frozen=True, slots=True)
class Login:
    """Log in on a line with a key; `spoilt` as of a call."""

    line: str
    key: str
    spoilt: str = ""

    def __str__(self) -> str:
        return f"{self.line} logs in as {self.key}{self.spoilt and f' ({self.spoilt})'}"


@dataclass(frozen=True, slots=True)
class HangUp:
    """Close a line from the client's end."""

    line: str

    def __str__(self) -> str:
        return f"{self.line} hangs up"


@dataclass(frozen=True, slots=True)
class Pass:
    """Let time pass, by hand."""

    us: int

    def __str__(self) -> str:
        return f"{self.us} us pass"


@dataclass(frozen=True, slots=True)
class Move:
    """The market moves by a fraction within `over_us`, from now on."""

    change: Decimal
    over_us: int

    def __str__(self) -> str:
        return f"the market moves by {self.change} within {self.over_us} us"


@dataclass(frozen=True, slots=True)
class Mute:
    """A channel falls silent for a while."""

    channel: str
    for_us: int

    def __str__(self) -> str:
        return f"{self.channel} is silent for {self.for_us} us"


Act = Call | Dial | Say | Login | HangUp | Pass | Move | Mute


def _get(target: str, key: str = "bot", spoilt: str = "") -> Call:
    return Call(method="GET", target=target, key=key, spoilt=spoilt)


def _post(path: str, body: Mapping[str, Any], key: str = "bot", spoilt: str = "") -> Call:
    return Call(method="POST", target=path, body=json.dumps(body), key=key, spoilt=spoilt)


def _order(client_id: str, side: str = "buy", price: str | None = "66000", **changes: Any) -> Call:
    """A limit order of 0.001 BTC, or what `changes` make of it; a change to None leaves the key out."""
    body = {
        "symbol": SYMBOL,
        "productType": PRODUCT,
        "marginMode": "crossed",
        "marginCoin": "USDT",
        "size": "0.001",
        "price": price,
        "side": side,
        "orderType": "limit",
        "force": "gtc",
        "clientOid": client_id,
        **changes,
    }
    return _post(PLACE, {name: value for name, value in body.items() if value is not None})


def _market(client_id: str, side: str, **changes: Any) -> Call:
    return _order(client_id, side, orderType="market", price=None, force=None, **changes)


def _cancel(**ids: str) -> Call:
    return _post(CANCEL, {"symbol": SYMBOL, "productType": PRODUCT, "marginCoin": "USDT", **ids})


def _ask(line: str, operation: str, *arguments: Mapping[str, str]) -> Say:
    return Say(line, json.dumps({"op": operation, "args": arguments}))


def _public(channel: str, instrument: str = SYMBOL) -> dict[str, str]:
    return {"instType": PRODUCT, "channel": channel, "instId": instrument}


def _private(channel: str) -> dict[str, str]:
    return {"instType": PRODUCT, "channel": channel, "coin" if channel == "account" else "instId": "default"}


def _setting(name: str, **changes: str) -> Call:
    body = {"symbol": SYMBOL, "productType": PRODUCT, "marginCoin": "USDT", **changes}
    return _post(f"{MIX}/account/{name}", body)


_MARKET_DATA = (
    _get("/api/v2/public/time", ""),
    _get(f"{MIX}/market/contracts?productType={PRODUCT}", ""),
    _get(f"{MIX}/market/contracts?productType=COIN-FUTURES", ""),
    _get(f"{MIX}/market/ticker?{HERE}", ""),
    _get(f"{MIX}/market/ticker?symbol=BTCUSDT&productType=usdt-futures", ""),
    _get(f"{MIX}/market/merge-depth?{HERE}&precision=scale0&limit=5", ""),
    _get(f"{MIX}/market/merge-depth?{HERE}&precision=scale2&limit=max", ""),
    _get(f"{MIX}/market/symbol-price?{HERE}", ""),
    _get(f"{MIX}/market/current-fund-rate?{HERE}", ""),
    _get(f"{MIX}/market/funding-time?{HERE}", ""),
    _get(f"{MIX}/market/history-fund-rate?{HERE}&pageSize=3", ""),
)

_REFUSED_AT_THE_GATE = (
    _get("/", ""),
    _get("/api/v2/mix/market/tickers?productType=USDT-FUTURES", ""),
    _get(f"{MIX}/market/ticker?symbol=NOSUCHUSDT&productType={PRODUCT}", ""),
    _get(f"{MIX}/market/ticker?symbol={SYMBOL}", ""),
    _get(f"{MIX}/market/history-fund-rate?{HERE}&pageNo=101", ""),
    _get(f"{MIX}/account/accounts?productType={PRODUCT}", ""),
    *(
        _get(f"{MIX}/account/accounts?productType={PRODUCT}", "bot", spoilt)
        for spoilt in ("signature", "no signature", "stale", "ahead", "time", "passphrase", "key")
    ),
    _post(PLACE, {"symbol": SYMBOL}, "observer"),
    Call(method="POST", target=PLACE, body='{"symbol": "BTCUSDT"', key="bot"),
    Call(method="POST", target=PLACE, body='["BTCUSDT"]', key="bot"),
    Call(method="POST", target=PLACE, body="{}", key="bot", content_type="text/plain"),
    _get("/api/v3/account/settings"),
)

_ACCOUNT = (
    _get(f"{MIX}/account/account?{HERE}&marginCoin=USDT"),
    _get(f"{MIX}/account/accounts?productType={PRODUCT}", "observer"),
    _get("/api/v2/spot/account/info"),
    _get("/api/v2/spot/account/info", "observer"),
    _get(f"/api/v2/common/trade-rate?symbol={SYMBOL}&businessType=mix"),
    _get(f"/api/v2/common/trade-rate?symbol={SYMBOL}"),
    _setting("set-position-mode", posMode="hedge_mode"),
    _setting("set-position-mode", posMode="one_way_mode"),
    _setting("set-position-mode", posMode="both_ways"),
    _setting("set-leverage", leverage="5"),
    _setting("set-leverage", leverage="500"),
    _setting("set-leverage", leverage="five"),
    _setting("set-margin-mode", marginMode="isolated"),
    _setting("set-margin-mode", marginMode="crossed"),
    _setting("set-margin-mode", marginMode="half"),
)

_SOCKETS_OPEN: tuple[Act, ...] = (
    Dial("lost", "/v3/ws/public"),
    Dial("public", PUBLIC),
    _ask("public", "subscribe", _public("ticker"), _public("books1"), _public("trade")),
    Pass(100_000),
    _ask("public", "subscribe", _public("candle1m"), _public("ticker", "NOSUCHUSDT"), _public("ticker")),
    Say("public", "ping"),
    Say("public", "pong?"),
    Login("public", "bot"),
    Dial("private", PRIVATE),
    _ask("private", "subscribe", _private("orders")),
    *(Login("private", "bot", spoilt) for spoilt in ("key", "time", "stale", "passphrase", "signature")),
    Pass(SECOND_US),
    Login("private", "bot"),
    _ask("private", "subscribe", *map(_private, ("orders", "fill", "positions", "account"))),
    _ask("private", "subscribe", _public("orders", "ETHUSDT"), _public("ticker")),
    Dial("observer", PRIVATE),
    Login("observer", "observer"),
    _ask("observer", "subscribe", *map(_private, ("account", "orders"))),
    Pass(SECOND_US),
)

_ORDERS_REFUSED = (
    _order("conf-small", size="0.0001", price="100"),
    _order("conf-dust", size="0.00001"),
    _order("conf-place", size="0.00015"),
    _order("conf-tick", price="66000.05"),
    _order("conf-far", price="6600000"),
    _order("conf-rich", size="900"),
    _order("conf-word", side="sideways"),
    _order("conf-number", size="a lot"),
    _order("conf-empty", size=None),
    _order("conf-symbol", symbol="NOSUCHUSDT"),
    _order("conf-coin", marginCoin="BTC"),
    _order("conf-stop", presetStopLossPrice="60000"),
    _order("conf-reduce", reduceOnly="YES"),
)

_ORDERS: tuple[Act, ...] = (
    _order("conf-1"),
    _order("conf-1"),
    _order("conf-2", "sell", "69000", force="post_only"),
    _order("conf-3", force="post_only", price="69000"),
    _order("conf-4", force="fok"),
    _order("conf-5", force="ioc"),
    _market("conf-6", "buy", size="0.002"),
    Pass(SECOND_US),
    _get(f"{MIX}/order/orders-pending?productType={PRODUCT}"),
    _get(f"{MIX}/order/orders-pending?productType=USDT%2DFUTURES&clientOid=conf%2D1"),
    _get(f"{MIX}/order/orders-plan-pending?productType={PRODUCT}&planType=normal_plan"),
    _get(f"{MIX}/order/detail?{HERE}&orderId=<conf-6>"),
    _get(f"{MIX}/order/detail?{HERE}&clientOid=conf-1"),
    _get(f"{MIX}/order/detail?{HERE}&clientOid=conf-none"),
    _get(f"{MIX}/order/detail?{HERE}"),
    _get(f"{MIX}/position/all-position?productType={PRODUCT}&marginCoin=USDT"),
    _get(f"{MIX}/position/single-position?{HERE}&marginCoin=USDT", "observer"),
    _setting("set-position-mode", posMode="hedge_mode"),
    _cancel(orderId="<conf-1>"),
    _cancel(orderId="<conf-1>"),
    _cancel(clientOid="conf-2"),
    _cancel(clientOid="conf-none"),
    _cancel(),
)

_FILLED_BY_THE_MARKET: tuple[Act, ...] = (
    _order("conf-7", "buy", "67300"),
    _order("conf-8", "sell", "67700", reduceOnly="YES"),
    Move(Decimal("-0.006"), SECOND_US),
    Pass(3 * SECOND_US),
    Mute("ticker", 2 * SECOND_US),
    Move(Decimal("0.012"), SECOND_US),
    Pass(3 * SECOND_US),
    _get(f"{MIX}/market/ticker?{HERE}", ""),
    Pass(2 * SECOND_US),  # and with it the settlement of funding
    _market("conf-9", "sell", size="0.5", reduceOnly="YES"),
    Pass(SECOND_US),
)

_HISTORIES = (
    _get(f"{MIX}/order/orders-history?productType={PRODUCT}&limit=3"),
    _get(f"{MIX}/order/orders-history?productType={PRODUCT}&idLessThan=<conf-6>"),
    _get(f"{MIX}/order/orders-history?productType={PRODUCT}&startTime=2&endTime=1"),
    _get(f"{MIX}/order/orders-history?productType={PRODUCT}&limit=many"),
    _get(f"{MIX}/order/fills?productType={PRODUCT}&limit=1"),
    _get(f"{MIX}/order/fills?{HERE}&orderId=<conf-6>", "observer"),
    _get(f"{MIX}/order/fill-history?productType={PRODUCT}"),
    _get(f"{MIX}/order/fill-history?productType={PRODUCT}&startTime=1760000000000&endTime=1770000000000"),
    _get(f"{MIX}/account/bill?productType={PRODUCT}&limit=2"),
    _get(f"{MIX}/account/bill?productType={PRODUCT}&onlyFunding=yes", "observer"),
    _get(f"{MIX}/market/history-fund-rate?{HERE}", ""),
)

_SOCKETS_CLOSE: tuple[Act, ...] = (
    _ask("public", "unsubscribe", _public("books1"), _public("candle1m")),
    Pass(SECOND_US),
    HangUp("public"),
    Dial("flood", PUBLIC),
    *(Say("flood", "ping") for _ in range(21)),
    Pass(SECOND_US),
    Pass(60 * SECOND_US),
    Say("private", "ping"),
    Pass(90 * SECOND_US),  # the observer has not pinged: it is cut without a close frame
    HangUp("private"),
    _get("/api/v2/public/time", ""),
)

SCRIPT: tuple[Act, ...] = (
    *_MARKET_DATA,
    *_REFUSED_AT_THE_GATE,
    *_ACCOUNT,
    *_SOCKETS_OPEN,
    *_ORDERS_REFUSED,
    *_ORDERS,
    *_FILLED_BY_THE_MARKET,
    *_HISTORIES,
    *_SOCKETS_CLOSE,
)
