"""What the venue holds, as JSON: money and sizes are strings of digits, instants whole microseconds (`..._us`)."""

import json
from dataclasses import fields, is_dataclass
from decimal import Decimal
from enum import Enum
from typing import Any

from botproof.money import plain

from ..core.conservation import conservation
from ..core.exchange import Exchange
from ..faults import Armed
from ..journal import Journal
from ..pump import Connection
from ..server import FakeBitget


def dumps(value: object) -> bytes:
    """JSON in ASCII: half a character, which a client may have escaped, can be shown again."""
    return json.dumps(jsonable(value), separators=(",", ":")).encode() + b"\n"


def jsonable(value: object) -> Any:
    """The value in terms of JSON."""
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: jsonable(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, dict):
        return {str(key): jsonable(each) for key, each in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return jsonable(value._asdict())
    if isinstance(value, list | tuple):
        return [jsonable(each) for each in value]
    return value


def state(faces: FakeBitget, seed: int) -> dict[str, Any]:
    """Everything at a glance; `complaints` is empty on a sound venue that was asked nothing it does not imitate."""
    exchange = faces.exchange
    books = [f"{name}: {line}" for name in exchange.accounts for line in conservation(exchange, name)]
    return {
        "seed": seed,
        "now_us": exchange.now_us,
        "clock_offset_ms": faces.skew.us // 1000,
        "market": market(exchange),
        "accounts": {name: account(exchange, name) for name in exchange.accounts},
        "connections": [connection(each) for each in faces.connections],
        "faults": [fault(each) for each in faces.faults.armed],
        "journal": counts(faces.journal),
        "complaints": faces.journal.unexpected() + books,
    }


def market(exchange: Exchange) -> dict[str, Any]:
    """The public side; a side of the book that is empty is null."""
    quote, funding = exchange.quote(), exchange.funding()
    return {
        "symbol": exchange.rules.symbol,
        "bid": quote.bids[0][0] if quote.bids else None,
        "ask": quote.asks[0][0] if quote.asks else None,
        "last": quote.last,
        "mark": quote.mark,
        "index": quote.index,
        "funding_rate": funding.rate,
        "next_funding_us": funding.next_us,
    }


def account(exchange: Exchange, name: str) -> dict[str, Any]:
    view = exchange.account_view(name)
    return {
        "wallet": view.wallet,
        "equity": view.equity,
        "available": view.available,
        "position_mode": view.position_mode,
        "positions": exchange.positions(name),
        "open_orders": exchange.open_orders(name),
        "orders": len(exchange.orders(name)),
        "fills": len(exchange.fills(name)),
    }


def connection(each: Connection) -> dict[str, Any]:
    session = each.session
    kind = "private" if session.is_private else "public"
    return {"number": each.number, "kind": kind, "account": session.account, "channels": sorted(session.channels)}


def fault(armed: Armed) -> dict[str, Any]:
    return {"fault": str(armed.fault), "seen": armed.seen, "fired": armed.fired, "left": armed.left}


def counts(journal: Journal) -> dict[str, Any]:
    return {
        "calls": len(journal.calls),
        "socket_events": len(journal.socket_events),
        "pushes": len(journal.pushes),
        "deeds": len(journal.deeds),
        "public_pushes": dict(journal.public_pushes),
    }
