"""The socket's face: a connection as a state machine, text in, texts out, no I/O.

A `Session` is told what the client sent (`receive`), what the exchange did (`report`) and when a public channel is due
(`publish`), and gives the texts that go back, in order. Who carries them, and when, is the server's matter.

    client text --> receive -.
    outcomes    --> report  --+--> frames (text, and what it carries) --> outbox --> wire
    cadence     --> publish -'

Each argument of a subscription is answered on its own: one acknowledgement, or one error (live). A subscription is a
channel and an instrument; a second one is acknowledged again with a fresh snapshot and doubles nothing (sibling venue).
Frames on private channels hold the rows that changed, but `positions` is always the complete list: what is missing is
flat (live).
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import orjson

from botproof.errors import VenueError

from . import ws_rows
from .core.exchange import Exchange
from .core.messages import (
    BalanceChanged,
    FundingPaid,
    OrderAccepted,
    OrderCanceled,
    OrderFilled,
    Outcome,
    PositionChanged,
    PositionView,
    Quote,
)
from .signing import Key, Keyring, login
from .wire import PRODUCT, FaceSwitches, Skew

PUBLIC_CHANNELS = ("ticker", "books1", "trade")
PRIVATE_CHANNELS = ("orders", "fill", "positions", "account")
PRODUCT_LINES = (PRODUCT, "COIN-FUTURES", "USDC-FUTURES", "SPOT")
DEFAULT = "default"
MESSAGES_PER_SECOND_MAX = 10
TRADES_IN_SNAPSHOT = 50  # inferred
_FIRST_SEQUENCE = 850_000_000_000  # about 10^12 on this product line (live)
_SECOND_US = 1_000_000
_BATCH_STARTS = (OrderAccepted, OrderFilled, OrderCanceled, FundingPaid)

Topic = tuple[str, str, str]  # product line, channel, instrument
Rows = list[dict[str, Any]]


class Frame(NamedTuple):
    """A text for the client; `channel`, `rows` and `ids` say what a push carries (empty on other frames)."""

    text: str
    channel: str = ""
    rows: int = 0
    ids: tuple[str, ...] = ()


class Note(NamedTuple):
    """Something worth a line in the journal."""

    event: str
    detail: str


class Shown:
    """What everybody sees of the exchange at one instant: made when first asked for, and once for all connections."""

    def __init__(self, exchange: Exchange, now_us: int, told_us: int) -> None:
        self._exchange, self.now_us, self.told_us = exchange, now_us, told_us

    @cached_property
    def quote(self) -> Quote:
        return self._exchange.quote(1)

    @cached_property
    def ticker(self) -> dict[str, str]:
        exchange = self._exchange
        return ws_rows.ticker_row(exchange.rules.symbol, self.quote, exchange.funding(), self.told_us)


@dataclass(slots=True)
class Session:
    """One connection. `notes` collects what the journal is to hold; whoever reads them empties it."""

    exchange: Exchange
    ring: Keyring
    switches: FaceSwitches
    is_private: bool
    connection_id: str
    opened_us: int
    key: Key | None = None
    is_closing: bool = False
    notes: list[Note] = field(default_factory=list)
    skew: Skew = field(default_factory=Skew)
    _topics: dict[Topic, dict[str, str]] = field(default_factory=dict)  # and the argument as it is echoed
    _arrivals: deque[int] = field(default_factory=deque)
    _excess: int = 0
    _pinged_us: int = 0
    _trades_us: int = 0
    _sequence: int = 0

    def __post_init__(self) -> None:
        self._pinged_us = self._trades_us = self.opened_us

    @property
    def last_ping_us(self) -> int:
        """When the client last sent `ping`, or connected: no other traffic keeps a connection alive (live)."""
        return self._pinged_us

    @property
    def account(self) -> str:
        return self.key.account if self.key else ""

    @property
    def channels(self) -> frozenset[str]:
        """The channels of this exchange that the connection is subscribed to."""
        return frozenset(channel for line, channel, _ in self._topics if line == PRODUCT)

    def receive(self, text: str, now_us: int) -> list[Frame]:
        """Answer one message of the client; `is_closing` tells whether the connection ends after it."""
        if (refused := self._refuse_excess(now_us)) is not None:
            return refused
        if text == "ping":
            self._pinged_us = now_us
            return [Frame("pong")]
        return self._obey(_parse(text), now_us) or [_error("30002", f"Unrecognized request:{text}")]

    def report(self, outcomes: Iterable[Outcome], now_us: int) -> list[Frame]:
        """The private pushes for what the exchange did to this session's account, in order of time."""
        frames: list[Frame] = []
        order = self.switches.push_order
        for batch in _batches(outcome for outcome in outcomes if _account_of(outcome) == self.account):
            made = [frame for outcome in batch for frame in self._report(outcome, now_us) if frame.channel in order]
            frames += sorted(made, key=lambda frame: order.index(frame.channel))
        return frames

    def publish(self, channel: str, now_us: int, shown: Shown | None = None) -> list[Frame]:
        """The push of a public channel, if this connection is subscribed to it; `shown` where the caller has it."""
        argument = self._topics.get((PRODUCT, channel, self.exchange.rules.symbol))
        if argument is None:
            return []
        return self._snapshot(channel, argument, shown or self._shown(now_us), action="update")

    # Messages of the client

    def _refuse_excess(self, now_us: int) -> list[Frame] | None:
        """Ten messages a second, pings included; what exceeds them is answered and not acted on."""
        while self._arrivals and self._arrivals[0] <= now_us - _SECOND_US:
            self._arrivals.popleft()
        self._arrivals.append(now_us)
        if len(self._arrivals) <= MESSAGES_PER_SECOND_MAX:
            self._excess = 0
            return None
        self._excess += 1
        if self._excess <= self.switches.excess_messages_before_close:
            self.notes.append(Note("refused", "30006"))
            return [_error("30006", "request too many")]
        self.is_closing = True
        self.notes.append(Note("refused", "30007"))
        return [_error("30007", "request over limit,connection close")]

    def _obey(self, request: Mapping[str, Any], now_us: int) -> list[Frame]:
        """Do what is asked; nothing where it cannot be understood."""
        arguments = request.get("args")
        if not isinstance(arguments, list) or not all(isinstance(argument, dict) for argument in arguments):
            return []
        match request.get("op"):
            case "login":
                return self._log_in(arguments, now_us)
            case "subscribe":
                return self._each(arguments, lambda argument: self._subscribe(argument, now_us))
            case "unsubscribe":
                return self._each(arguments, self._unsubscribe)
        return []

    def _log_in(self, arguments: Sequence[Mapping[str, Any]], now_us: int) -> list[Frame]:
        if not self.is_private:
            return [_error("30003", "INVALID op:login")]
        claim = {name: value for name, value in (arguments[0] if arguments else {}).items() if isinstance(value, str)}
        try:
            self.key = login(self.ring, claim, self.skew.told_us(now_us) // 1000)
        except VenueError as refusal:
            self.is_closing = self.switches.close_after_failed_login
            self.notes.append(Note("refused", refusal.code))
            return [_error(refusal.code, refusal.message)]
        self.notes.append(Note("login", self.key.api_key))
        acknowledged: dict[str, Any] = {"event": "login", "code": 0}
        if self.switches.login_conn_id:
            acknowledged["connId"] = self.connection_id
        return [Frame(_json(acknowledged))]

    def _each(
        self, arguments: Sequence[Mapping[str, Any]], answer: Callable[[dict[str, str]], list[Frame]]
    ) -> list[Frame]:
        frames: list[Frame] = []
        for argument in arguments:
            frames += answer({name: str(value) for name, value in argument.items() if name in _ARGUMENT_KEYS})
        return frames

    def _subscribe(self, argument: dict[str, str], now_us: int) -> list[Frame]:
        try:
            topic, echoed = self._topic(argument)
        except VenueError as refusal:
            self.notes.append(Note("refused", f"{refusal.code} {argument.get('channel', '')}"))
            return [_refused_argument(refusal, argument)]
        self._topics[topic] = echoed
        line, channel, _ = topic
        self.notes.append(Note("subscribe", channel))
        acknowledged = Frame(_json({"event": "subscribe", "arg": echoed}))
        return [acknowledged, *(self._first_push(channel, echoed, now_us) if line == PRODUCT else ())]

    def _unsubscribe(self, argument: dict[str, str]) -> list[Frame]:
        """Acknowledged whether it was subscribed or not (inferred)."""
        instrument = argument.get("instId") or argument.get("coin") or ""
        instrument = instrument if instrument == DEFAULT else instrument.upper()
        self._topics.pop((argument.get("instType", ""), argument.get("channel", ""), instrument), None)
        self.notes.append(Note("unsubscribe", argument.get("channel", "")))
        return [Frame(_json({"event": "unsubscribe", "arg": argument}))]

    def _topic(self, argument: dict[str, str]) -> tuple[Topic, dict[str, str]]:
        """The topic of an argument and its echo; raises `VenueError` with the socket's code."""
        line, channel = argument.get("instType", ""), argument.get("channel", "")
        if self.is_private and channel in PRIVATE_CHANNELS and self.key is None:
            raise VenueError("30004", "User not logged in/User must be logged in")
        if line not in PRODUCT_LINES or channel not in (PRIVATE_CHANNELS if self.is_private else PUBLIC_CHANNELS):
            raise VenueError("30016", "Param error")
        if self.is_private:
            return self._private_topic(line, channel, argument)
        symbol = argument.get("instId", "").upper()
        if symbol != self.exchange.rules.symbol and line == PRODUCT:
            raise _no_such(argument)
        return (line, channel, symbol), {**argument, "instId": symbol}

    def _private_topic(self, line: str, channel: str, argument: dict[str, str]) -> tuple[Topic, dict[str, str]]:
        """`default`, by instId or by coin, echoed as sent; a symbol where the switch allows it."""
        instrument = argument.get("instId") or argument.get("coin") or ""
        if instrument == DEFAULT or (channel == "account" and instrument.upper() == "USDT"):
            return (line, channel, DEFAULT), argument
        is_symbol = instrument.upper() == self.exchange.rules.symbol and channel in ("orders", "fill")
        if is_symbol and self.switches.symbol_selectors:
            return (line, channel, instrument.upper()), {**argument, "instId": instrument.upper()}
        raise _no_such(argument)

    # Pushes

    def _first_push(self, channel: str, echoed: dict[str, str], now_us: int) -> list[Frame]:
        """What follows an acknowledgement: all but `orders` and `fill` begin with the whole state (live)."""
        if channel in PUBLIC_CHANNELS:
            return self._snapshot(channel, echoed, self._shown(now_us), action="snapshot")
        if channel == "positions":
            return [self._positions(echoed, self.exchange.positions(self.account), now_us)]
        if channel == "account":
            row = ws_rows.account_row(self.exchange.account_view(self.account))
            return [self._push("account", echoed, [row], now_us)]
        return []

    def _snapshot(self, channel: str, argument: dict[str, str], shown: Shown, *, action: str) -> list[Frame]:
        """`action` matters for trades alone: ticker and books1 are snapshots every time (live)."""
        if channel == "trade":
            return self._trades(argument, shown.now_us, action=action)
        if channel == "ticker":
            row: dict[str, Any] = shown.ticker
        else:
            self._sequence += 1
            row = ws_rows.book_row(shown.quote, _FIRST_SEQUENCE + self._sequence, shown.told_us)
        return [self._push(channel, argument, [row], shown.now_us)]

    def _shown(self, now_us: int) -> Shown:
        return Shown(self.exchange, now_us, self.skew.told_us(now_us))

    def _trades(self, argument: dict[str, str], now_us: int, *, action: str) -> list[Frame]:
        """Newest first; the first frame holds recent ones, an update what came since the frame before."""
        trades = self.exchange.trades(0 if action == "snapshot" else self._trades_us)
        self._trades_us = now_us
        rows = [ws_rows.trade_row(trade) for trade in reversed(trades[-TRADES_IN_SNAPSHOT:])]
        return [self._push("trade", argument, rows, now_us, action=action)] if rows else []

    def _report(self, outcome: Outcome, now_us: int) -> list[Frame]:
        match outcome:
            case OrderAccepted(order=order) | OrderCanceled(order=order):
                return self._push_rows("orders", [ws_rows.order_row(order)], (order.order_id,), now_us)
            case OrderFilled(order=order, fill=fill):
                changed, ids = ws_rows.filled_order_row(order, fill), (order.order_id, fill.trade_id)
                return [
                    *self._push_rows("orders", [changed], ids, now_us),
                    *self._push_rows("fill", [ws_rows.fill_row(fill, order)], ids, now_us),
                ]
            case PositionChanged(account=account, position=position):
                held = self._held(account, position)
                return [self._positions(argument, held, now_us) for argument in self._arguments("positions")]
            case BalanceChanged(balance=balance):
                return self._push_rows("account", [ws_rows.account_row(balance)], (), now_us)
        return []

    def _held(self, account: str, changed: PositionView | None) -> list[PositionView]:
        """All open positions after a change; in hedge mode the other leg is as it stands now."""
        if self.exchange.settings(account, self.exchange.rules.symbol).position_mode == "hedge_mode":
            return self.exchange.positions(account)
        return [] if changed is None else [changed]

    def _positions(self, argument: dict[str, str], held: Iterable[PositionView], now_us: int) -> Frame:
        rows = [(ws_rows.position_row(view), view.position_id) for view in held]
        ids = tuple(position_id for _, position_id in rows)
        return self._push("positions", argument, [row for row, _ in rows], now_us, ids=ids)

    def _push_rows(self, channel: str, rows: Rows, ids: tuple[str, ...], now_us: int) -> list[Frame]:
        return [self._push(channel, argument, rows, now_us, ids=ids) for argument in self._arguments(channel)]

    def _push(
        self,
        channel: str,
        argument: dict[str, str],
        rows: Rows,
        now_us: int,
        *,
        action: str = "snapshot",
        ids: tuple[str, ...] = (),
    ) -> Frame:
        """The envelope of a push: `ts` is a number here and a string inside the rows (live)."""
        told_ms = self.skew.told_us(now_us) // 1000
        text = _json({"action": action, "arg": argument, "data": rows, "ts": told_ms})
        return Frame(text, channel, len(rows), ids)

    def _arguments(self, channel: str) -> list[dict[str, str]]:
        """The subscriptions to a private channel: by `default`, by symbol, or both."""
        return [echoed for (line, name, _), echoed in self._topics.items() if (line, name) == (PRODUCT, channel)]


_ARGUMENT_KEYS = ("instType", "channel", "instId", "coin")


def _parse(text: str) -> dict[str, Any]:
    try:
        request = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    return request if isinstance(request, dict) else {}


def _json(value: Mapping[str, Any]) -> str:
    return orjson.dumps(value).decode()


def _error(code: str, message: str) -> Frame:
    """An error that concerns no subscription; the code is a number (live)."""
    return Frame(_json({"event": "error", "code": int(code), "msg": message}))


def _refused_argument(refusal: VenueError, argument: dict[str, str]) -> Frame:
    """An error that names the argument it is about; 30004 does not (live)."""
    if refusal.code == "30004":
        return _error(refusal.code, refusal.message)
    body = {"event": "error", "arg": argument, "code": int(refusal.code), "msg": refusal.message, "op": "subscribe"}
    return Frame(_json(body))


def _no_such(argument: dict[str, str]) -> VenueError:
    line, channel = argument.get("instType", ""), argument.get("channel", "")
    instrument = argument.get("instId") or argument.get("coin") or ""
    text = f"instType:{line},channel:{channel},instId:{instrument},precision:null doesn't exist"
    return VenueError("30001", text)


def _account_of(outcome: Outcome) -> str:
    match outcome:
        case OrderAccepted(order=order) | OrderCanceled(order=order) | OrderFilled(order=order):
            return order.account
        case PositionChanged(account=account) | FundingPaid(account=account):
            return account
        case BalanceChanged(balance=balance):
            return balance.account
    return ""


def _batches(outcomes: Iterable[Outcome]) -> list[list[Outcome]]:
    """What belongs to one match, one change of an order or one funding payment: consequences follow what began it."""
    batches: list[list[Outcome]] = []
    for outcome in outcomes:
        if isinstance(outcome, _BATCH_STARTS) or not batches:
            batches.append([])
        batches[-1].append(outcome)
    return batches
