"""The venue's record of a window: what it holds, and how it is read back from JSON.

The record is one JSON object; docs/judging-no-trade.md shows one whole. Every source is an object of its own:

    "orders": {"from": "...", "to": "...", "read": "...", "via": "...", "count": 1, "sha256": "...", "rows": [...]}

`from` and `to` are what the venue was asked about, `read` is when, and a source that was not read to its last page is
left out and named under `missing` with the reason. `count` and `sha256` (of the rows, as `digest` puts them) must agree
with the rows: a record from which a row was taken, or in which one was changed, is no evidence.

An order placed and cancelled between two readings of a list stands in `orders`, which are the orders that ended (the
venue's history); one that is still open stands in `open_orders`. So the two together miss nothing only if the lists
were read before the window, and again after it and before the history was.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Generic, NamedTuple, TypeVar

import orjson

from botproof.document import nearest, shown
from botproof.notrade.columns import number
from botproof.notrade.window import read_instant

FORMAT = "botproof-venue-record/1"
SOURCES = (
    *("orders", "fills", "bills", "open_orders", "trigger_orders", "positions", "settings", "requests", "prices"),
    "trigger_history",
)
NEEDED = SOURCES[:7]
VENUES = ("fake", "rehearsal", "demo", "live")
KEYS = frozenset(
    {"format", "venue", "account", "key", "symbol", "product", "start", "end", "sources", "missing", "known_orders"}
)

Value = TypeVar("Value")


class PastOrder(NamedTuple):
    """An order that ended: `updated_us` is when."""

    order_id: str
    client_id: str
    symbol: str
    side: str
    size: Decimal
    filled: Decimal
    state: str
    created_us: int
    updated_us: int


class PastFill(NamedTuple):
    trade_id: str
    order_id: str
    symbol: str
    side: str
    price: Decimal
    size: Decimal
    at_us: int


class PastBill(NamedTuple):
    bill_id: str
    symbol: str
    business_type: str
    amount: Decimal
    fee: Decimal
    at_us: int


class ListReading(NamedTuple):
    """A list of open orders as it was read."""

    at_us: int
    ids: tuple[str, ...]


class PositionReading(NamedTuple):
    """The net position of a symbol, signed; 0 where the venue's list does not name it."""

    at_us: int
    symbol: str
    size: Decimal


class SettingsReading(NamedTuple):
    at_us: int
    position_mode: str
    margin_mode: str
    leverage: str


class Request(NamedTuple):
    """A signed request of the bot's key, accepted (`code` 00000), refused, or unanswered (empty)."""

    at_us: int
    method: str
    path: str
    action: str
    client_id: str
    code: str


class Price(NamedTuple):
    at_us: int
    bid: str
    ask: str


class KnownOrder(NamedTuple):
    """An order that an earlier run of the closure is known to have placed, from that run's own requests."""

    order_id: str
    client_id: str
    run_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Source(Generic[Value]):
    """What one query of the venue gave, over the stretch that it was asked about."""

    from_us: int
    to_us: int
    read_us: int
    via: str
    rows: tuple[Value, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueRecord:
    """Everything that was asked of the venue about a window."""

    venue: str
    account: str
    key: str
    symbol: str
    start_us: int
    end_us: int
    orders: Source[PastOrder] | None = None
    fills: Source[PastFill] | None = None
    bills: Source[PastBill] | None = None
    open_orders: Source[ListReading] | None = None
    trigger_orders: Source[ListReading] | None = None
    positions: Source[PositionReading] | None = None
    settings: Source[SettingsReading] | None = None
    requests: Source[Request] | None = None
    prices: Source[Price] | None = None
    trigger_history: Source[PastOrder] | None = None
    known_orders: tuple[KnownOrder, ...] = ()
    missing: Mapping[str, str] = field(default_factory=dict)
    flaws: tuple[str, ...] = ()  # why it is no evidence


def digest(rows: Sequence[Mapping[str, Any]]) -> str:
    """SHA-256 over the rows of a source: JSON without blanks, keys sorted, a line each."""
    found = hashlib.sha256()
    for row in rows:
        found.update(orjson.dumps(row, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE))
    return found.hexdigest()


def read_record(body: Any) -> VenueRecord:
    """The record in a decoded JSON object; what is wrong with it stands in `flaws`."""
    flaws: list[str] = []
    if not isinstance(body, dict) or body.get("format") != FORMAT:
        return _none(f"expected a venue record (format {FORMAT}), found {_kind(body)}")
    flaws += [f"unknown key {shown(str(key))}{nearest(str(key), KEYS)}" for key in body if key not in KEYS]
    listed = body.get("sources")
    sources: dict[str, Source[Any]] = {}
    if not isinstance(listed, dict):
        flaws.append("expected an object under sources")
        listed = {}
    for name, source in listed.items():
        if name not in SOURCES:
            flaws.append(f"unknown source {shown(str(name))}{nearest(str(name), SOURCES)}")
            continue
        try:
            sources[name] = _source(name, source)
        except (_FlawError, KeyError, TypeError, ValueError) as error:
            flaws.append(f"{name}: {_why(error)}")
    texts = {name: body.get(name) for name in ("venue", "account", "key", "symbol")}
    flaws += [
        f"{name}: expected text, found {_kind(text)}" for name, text in texts.items() if not isinstance(text, str)
    ]
    if texts["venue"] not in VENUES:
        flaws.append(f"venue: expected one of {', '.join(VENUES)}, found {shown(str(texts['venue']))}")
    start_us, end_us = read_instant(body.get("start")), read_instant(body.get("end"))
    if start_us is None or end_us is None:
        flaws.append("start, end: expected instants in UTC")
    missing = body.get("missing", {})
    named: dict[str, Any] = {name: text if isinstance(text, str) else "" for name, text in texts.items()}
    return VenueRecord(
        **named,
        **sources,  # type: ignore[arg-type]  # by the names of the record's own fields
        start_us=start_us or 0,
        end_us=end_us or 0,
        known_orders=_known(body.get("known_orders", []), flaws),
        missing={str(name): str(why) for name, why in missing.items()} if isinstance(missing, dict) else {},
        flaws=tuple(flaws),
    )


class _FlawError(Exception):
    """A source that cannot be read; `str()` says why."""


def _none(flaw: str) -> VenueRecord:
    return VenueRecord(venue="", account="", key="", symbol="", start_us=0, end_us=0, flaws=(flaw,))


def _kind(value: object) -> str:
    if isinstance(value, dict):
        return f"an object with format {shown(str(value.get('format')))}"
    return "nothing" if value is None else type(value).__name__


def _why(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"no {error.args[0]}"
    return str(error)


def _source(name: str, body: Any) -> Source[Any]:
    if not isinstance(body, dict):
        raise _FlawError(f"expected an object, found {_kind(body)}")
    rows = body["rows"]
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise _FlawError("expected a list of objects under rows")
    if body["count"] != len(rows):
        raise _FlawError(f"{body['count']} rows were written, {len(rows)} are there")
    if body["sha256"] != digest(rows):
        raise _FlawError("its rows are not the ones that were written (their sha256 differs)")
    from_us, to_us, read_us = (_instant(body[key]) for key in ("from", "to", "read"))
    read = _READERS[name]
    return Source(
        from_us=from_us, to_us=to_us, read_us=read_us, via=str(body.get("via", "")), rows=tuple(map(read, rows))
    )


def _known(rows: Any, flaws: list[str]) -> tuple[KnownOrder, ...]:
    try:
        return tuple(
            KnownOrder(**{name: _text(row[name]) for name in ("order_id", "client_id", "run_id")}) for row in rows
        )
    except (KeyError, TypeError, _FlawError) as error:
        flaws.append(f"known_orders: {_why(error)}")
        return ()


def _instant(value: Any) -> int:
    at_us = read_instant(value)
    if at_us is None:
        raise _FlawError(f"expected an instant in UTC, found {shown(str(value))}")
    return at_us


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise _FlawError(f"expected text, found {_kind(value)}")
    return value


def _amount(value: Any) -> Decimal:
    amount = number(value) if isinstance(value, str) else None
    if amount is None:
        raise _FlawError(f"expected an amount as text, found {shown(str(value))}")
    return amount


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise _FlawError(f"expected a list, found {_kind(value)}")
    return tuple(map(_text, value))


_BY_TYPE: Mapping[Any, Callable[[Any], Any]] = {int: _instant, str: _text, Decimal: _amount, tuple[str, ...]: _texts}


def _reader(kind: type[Any]) -> Callable[[Mapping[str, Any]], Any]:
    """What makes a value of `kind` of a row; an instant stands under its name without `_us`."""
    parts = [(name, name.removesuffix("_us"), _BY_TYPE[each]) for name, each in kind.__annotations__.items()]

    def read(row: Mapping[str, Any]) -> Any:
        return kind(**{name: reader(row[key]) for name, key, reader in parts})

    return read


_READERS: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    "orders": _reader(PastOrder),
    "trigger_history": _reader(PastOrder),
    "fills": _reader(PastFill),
    "bills": _reader(PastBill),
    "open_orders": _reader(ListReading),
    "trigger_orders": _reader(ListReading),
    "positions": _reader(PositionReading),
    "settings": _reader(SettingsReading),
    "requests": _reader(Request),
    "prices": _reader(Price),
}
