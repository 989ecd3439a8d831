"""The venue's record as a file: written from what was read, read back for the judge, or taken from a run's own tape."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson

from botproof.document import shown_path
from botproof.errors import Refusal
from botproof.evidence.files import json_text, replace_file
from botproof.money import plain
from botproof.notrade.record import FORMAT, SOURCES, Source, VenueRecord, digest, read_record
from botproof.notrade.window import iso

BYTES_MAX = 256 << 20
PRODUCT = "USDT-FUTURES"


def read_json(path: Path, what: str) -> tuple[Any, bytes]:
    """The JSON in a file, and its bytes. Raises `Refusal` where there is none."""
    try:
        if not path.is_file():
            raise Refusal(f"{shown_path(path)}: expected {what}, found no such file")
        if path.stat().st_size > BYTES_MAX:
            raise Refusal(f"{shown_path(path)}: expected {what} of at most {BYTES_MAX} bytes, found a longer file")
        content = path.read_bytes()
        return orjson.loads(content), content
    except OSError as error:
        raise Refusal(f"{shown_path(path)}: expected {what}, found: {error.strerror}") from error
    except ValueError as error:  # of JSON, and of a path with a NUL
        raise Refusal(f"{shown_path(path)}: expected {what}, found no JSON: {error}") from None


def read_venue_record(path: Path) -> tuple[VenueRecord, bytes]:
    """The record in a file, and its bytes; what is wrong with it stands in its `flaws`. Raises `Refusal`."""
    body, content = read_json(path, "a venue record")
    return read_record(body), content


def write_venue_record(path: Path, record: VenueRecord) -> None:
    """Put a record into a file that `read_venue_record` reads back to an equal one. Raises `Refusal`."""
    try:
        replace_file(path, json_text(record_json(record)).encode())
    except OSError as error:
        raise Refusal(f"{shown_path(path)}: expected a file that can be written, found: {error.strerror}") from error


def record_json(record: VenueRecord) -> dict[str, Any]:
    """The record as it stands in its file."""
    sources = {name: source for name in SOURCES if (source := getattr(record, name)) is not None}
    return {
        "format": FORMAT,
        "venue": record.venue,
        "account": record.account,
        "key": record.key,
        "product": PRODUCT,
        "symbol": record.symbol,
        "start": iso(record.start_us),
        "end": iso(record.end_us),
        "sources": {name: _source_json(source) for name, source in sources.items()},
        "missing": dict(record.missing),
        "known_orders": list(_rows_json(record.known_orders)),
    }


def _source_json(source: Source[Any]) -> dict[str, Any]:
    rows = list(_rows_json(source.rows))
    return {
        "from": iso(source.from_us),
        "to": iso(source.to_us),
        "read": iso(source.read_us),
        "via": source.via,
        "count": len(rows),
        "sha256": digest(rows),
        "rows": rows,
    }


def _rows_json(rows: Iterable[Any]) -> Iterable[Mapping[str, Any]]:
    for row in rows:
        kinds = type(row).__annotations__
        yield {name.removesuffix("_us"): _value(kind, getattr(row, name)) for name, kind in kinds.items()}


def _value(kind: Any, value: Any) -> Any:
    if kind is int:
        return iso(value)
    if kind is Decimal:
        return plain(value)
    return list(value) if isinstance(value, tuple) else value
