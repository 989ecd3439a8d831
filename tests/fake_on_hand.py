"""The fake for tests of its faces: a market that stands where a test puts it, a clock set by hand, a caller who signs."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from botproof.clock import Clock, ManualClock
from botproof.events import Side
from botproof.fakes.bitget.core.exchange import Exchange
from botproof.fakes.bitget.core.market import Prices
from botproof.fakes.bitget.core.messages import MarketTrade
from botproof.fakes.bitget.server import FakeBitget
from botproof.fakes.bitget.signing import Key
from botproof.fakes.bitget.wire import DEFAULT_SWITCHES, FaceSwitches

OPENED_US = 1_771_722_000_000_000  # 2026-02-22T01:00:00Z
SECOND_US = 1_000_000
BOT = Key("main", "bot-key", "bot-secret", "bot-passphrase")
WATCHER = Key("main", "watch-key", "watch-secret", "watch-passphrase", frozenset({"read"}))
OTHER = Key("other", "other-key", "other-secret", "other-passphrase")
LEVELS = 200
LEVEL_STEPS = 1_000  # 0.1 BTC a level


class HandMarket:
    """Best bid in ticks by instant (the ask is one tick above); it changes only where a test says so."""

    def __init__(self, bid: int = 674_999) -> None:
        self._moves = [(OPENED_US, bid)]

    def move(self, at_us: int, bid: int) -> None:
        """From `at_us` on the best bid is `bid` ticks."""
        self._moves.append((at_us, bid))

    def step_us(self, at_us: int) -> int:
        """Steps lie on whole seconds."""
        return at_us - at_us % SECOND_US

    def top(self, at_us: int) -> tuple[int, int]:
        """Best bid and ask in ticks."""
        bid = [ticks for moved_us, ticks in self._moves if moved_us <= at_us][-1]
        return bid, bid + 1

    def levels(self, at_us: int, side: Side) -> Iterator[tuple[int, int]]:
        """A tenth of a BTC on each tick."""
        bid, ask = self.top(at_us)
        for depth in range(LEVELS):
            yield (bid - depth if side is Side.BUY else ask + depth), LEVEL_STEPS

    def prices(self, at_us: int) -> Prices:
        """Last and mark are the bid."""
        last = Decimal(self.top(at_us)[0]) / 10
        return Prices(last=last, mark=last, index=last + Decimal("0.0125"))

    def funding_rate(self, at_us: int) -> Decimal:
        """A hundredth of a percent until 08:00 UTC of the first day, then minus half of it."""
        return Decimal("0.0001") if at_us < OPENED_US + 7 * 3600 * SECOND_US else Decimal("-0.00005")

    def first_touch(self, after_us: int, until_us: int, buy: int | None, sell: int | None) -> int | None:
        """The first move that reaches either price."""
        for moved_us, bid in self._moves:
            reached = (buy is not None and bid + 1 <= buy) or (sell is not None and bid >= sell)
            if reached and after_us < moved_us <= until_us:
                return moved_us
        return None

    def trades(self, after_us: int, until_us: int) -> list[MarketTrade]:
        """One trade on each whole second of the last three."""
        first = max(after_us - after_us % SECOND_US + SECOND_US, until_us - 3 * SECOND_US)
        return [_trade(at_us) for at_us in range(first, until_us + 1, SECOND_US)]

    def settle(self, now_us: int) -> None:
        """Nothing is kept, so nothing is dropped."""


def _trade(at_us: int) -> MarketTrade:
    return MarketTrade(trade_id=str(at_us), at_us=at_us, price=Decimal(67500), size=Decimal("0.0120"), side=Side.BUY)


def open_fake(
    clock: Clock, market: HandMarket, *, switches: FaceSwitches = DEFAULT_SWITCHES, cadence: Any = "lazy"
) -> FakeBitget:
    """Two accounts of 1000 USDT at leverage 20: `main` with two keys, `other` with one."""
    exchange = Exchange(market=market, seed=1, opened_us=OPENED_US)
    exchange.open_account("main", Decimal(1000))
    exchange.open_account("other", Decimal(1000))
    return FakeBitget(exchange, clock, [BOT, WATCHER, OTHER], seed=1, switches=switches, cadence=cadence)


def signature(secret: str, prehash: str) -> str:
    """Written from the documentation once more, so that a mistake of the fake's own check shows."""
    digest = hmac.new(secret.encode(), prehash.encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def signed(key: Key, at_us: int, method: str, target: str, body: str = "") -> dict[str, str]:
    """The headers of a signed call."""
    stamp = str(at_us // 1000)
    return {
        "ACCESS-KEY": key.api_key,
        "ACCESS-SIGN": signature(key.secret, stamp + method + target + body),
        "ACCESS-TIMESTAMP": stamp,
        "ACCESS-PASSPHRASE": key.passphrase,
        "Content-Type": "application/json",
    }


def login_frame(key: Key, at_us: int, *, in_ms: bool = False) -> str:
    """A login as clients send it."""
    stamp = str(at_us // (1000 if in_ms else SECOND_US))
    claim = {
        "apiKey": key.api_key,
        "passphrase": key.passphrase,
        "timestamp": stamp,
        "sign": signature(key.secret, f"{stamp}GET/user/verify"),
    }
    return json.dumps({"op": "login", "args": [claim]})


def subscribe_frame(*channels: str, op: str = "subscribe") -> str:
    """Subscriptions as clients send them: the symbol on public channels, `default` on private ones."""
    return json.dumps({"op": op, "args": [argument(channel) for channel in channels]})


def argument(channel: str) -> dict[str, str]:
    """The argument of a subscription."""
    if channel == "account":
        return {"instType": "USDT-FUTURES", "channel": channel, "coin": "default"}
    instrument = "default" if channel in ("orders", "fill", "positions") else "BTCUSDT"
    return {"instType": "USDT-FUTURES", "channel": channel, "instId": instrument}


class Desk:
    """A fake on a clock set by hand, and a caller who knows its keys."""

    def __init__(self, *, switches: FaceSwitches = DEFAULT_SWITCHES) -> None:
        self.clock, self.market = ManualClock(OPENED_US), HandMarket()
        self.fake = open_fake(self.clock, self.market, switches=switches)

    def wait(self, seconds: int) -> None:
        """Let time pass."""
        self.clock.set_us(self.clock.now_us() + seconds * SECOND_US)

    def send(self, method: str, target: str, headers: Mapping[str, str], body: str = "") -> tuple[int, dict[str, Any]]:
        """Status and envelope of one call."""
        raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        answer = self.fake.answer(method, target, raw, body.encode())
        envelope: dict[str, Any] = json.loads(answer.body)
        return answer.status, envelope

    def get(self, target: str, key: Key | None = BOT) -> Any:
        """The data of an accepted GET."""
        status, envelope = self.send("GET", target, signed(key, self.clock.now_us(), "GET", target) if key else {})
        assert (status, envelope["code"], envelope["msg"]) == (200, "00000", "success"), envelope
        return envelope["data"]

    def post(self, path: str, body: Mapping[str, Any], key: Key = BOT) -> Any:
        """The data of an accepted POST."""
        status, envelope = self.try_post(path, body, key)
        assert (status, envelope["code"]) == (200, "00000"), envelope
        return envelope["data"]

    def try_post(self, path: str, body: Mapping[str, Any], key: Key = BOT) -> tuple[int, dict[str, Any]]:
        """Status and envelope of a POST."""
        text = json.dumps(body)
        return self.send("POST", path, signed(key, self.clock.now_us(), "POST", path, text), text)

    def code_of_get(self, target: str, key: Key | None = BOT) -> str:
        """The code of a refused GET; every refusal is HTTP 400 without data."""
        status, envelope = self.send("GET", target, signed(key, self.clock.now_us(), "GET", target) if key else {})
        assert (status, envelope["data"]) == (400, None), envelope
        return f"{envelope['code']} {envelope['msg']}"

    def code_of_post(self, path: str, body: Mapping[str, Any], key: Key = BOT) -> str:
        """The code and text of a refused POST."""
        status, envelope = self.try_post(path, body, key)
        assert (status, envelope["data"]) == (400, None), envelope
        return f"{envelope['code']} {envelope['msg']}"

    def place(self, key: Key = BOT, **changes: Any) -> Any:
        """Place a limit buy of 0.001 BTC at 67,000, or what `changes` make of it."""
        return self.post("/api/v2/mix/order/place-order", order_body(**changes), key)


def order_body(**changes: Any) -> dict[str, Any]:
    """A place-order body; a change to None leaves the key out."""
    body = {
        "symbol": "BTCUSDT",
        "productType": "USDT-FUTURES",
        "marginMode": "crossed",
        "marginCoin": "USDT",
        "size": "0.001",
        "price": "67000",
        "side": "buy",
        "orderType": "limit",
        "force": "gtc",
        **changes,
    }
    return {name: value for name, value in body.items() if value is not None}
