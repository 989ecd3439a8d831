"""What the bot's rows say, cell by cell, read by one rule for every identity. Any bot's rows, so nothing is expected.

1. A cell that is not there, or is empty, was never written: what needs it was not tested, and is NOT SHOWN.
2. A cell that holds something else than it should breaks what needs it.
3. Numbers are plain or scientific ASCII decimals (`0.0001`, `.5`, `0E+2`, `1e-08`); instants are ISO-8601 in UTC
   (`2026-02-22T01:00:00.000000+00:00`, `...Z`), to the microsecond.
4. A row that is written again says nothing new. Of rows of fills.csv with one trade id the first counts; where another
   says otherwise, nothing that counts trades is HELD.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TypeVar

import orjson

from botproof.events import BotFill, BotSample
from botproof.invariants.tally import Tally

Row = BotSample | BotFill
Value = TypeVar("Value")

DAY_US = 24 * 3600 * 1_000_000
SHOWN_MAX = 40

_NUMBER = re.compile(r"[+-]?([0-9]{1,60}(\.[0-9]{0,60})?|\.[0-9]{1,60})([eE][+-]?[0-9]{1,2})?")
_INSTANT = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?(?:Z|\+00:00)"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def number(row: Mapping[str, str], column: str) -> Decimal | None:
    """The number in `column`; None where it is missing, is none, or is no text."""
    text = word(row, column)
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def word(row: Mapping[str, str], column: str) -> str:
    """The text in `column`; empty where it is missing or where a bot put something else than text."""
    text: object = row.get(column, "")
    return text if isinstance(text, str) else ""


def instant(row: Mapping[str, str], column: str) -> int | None:
    """The instant in `column`, microseconds since the epoch; None where it is missing or none."""
    parts = _INSTANT.fullmatch(word(row, column))
    if parts is None:
        return None
    fraction = (parts[7] or "0").ljust(6, "0")[:6]
    try:
        whole = datetime(*(int(part) for part in parts.groups()[:6]), tzinfo=UTC)  # type: ignore[misc,arg-type]
    except ValueError:  # the 30th of February
        return None
    return (whole - _EPOCH) // timedelta(microseconds=1) + int(fraction)


def is_blank(row: Mapping[str, str], column: str) -> bool:
    """Whether nothing was written into `column`; the file shows a missing cell and an empty one alike."""
    return row.get(column, "") == ""


def label(fact: Row) -> str:
    """How an operator finds the row."""
    if isinstance(fact, BotFill):
        return f"the row of trade {_shown(fact.row.get('exchange_trade_id'))} in fills.csv"
    return f"the row of {_shown(fact.row.get('ts'))} in minute.csv"


def read_number(tally: Tally, fact: Row, column: str) -> Decimal | None:
    """The number in `column`; without one None, and `tally` knows why."""
    return _read(tally, fact, column, number, "number")


def read_instant(tally: Tally, fact: Row, column: str = "ts") -> int | None:
    """The instant in `column` (microseconds since the epoch); without one None, and `tally` knows why."""
    return _read(tally, fact, column, instant, "time in UTC")


def read_word(tally: Tally, fact: Row, column: str) -> str | None:
    """The text in `column`; without one None, and `tally` knows why."""
    return _read(tally, fact, column, lambda row, name: word(row, name) or None, "text")


def content(fact: Row) -> str:
    """The same for rows that say the same; a digest, since every row is asked by many and kept by each."""
    try:
        said = orjson.dumps(fact.row, option=orjson.OPT_PASSTHROUGH_DATETIME)
    except TypeError:  # a bot put something else than text into it
        said = repr(tuple(fact.row.items())).encode()
    return hashlib.sha256(said).hexdigest()


class FillRows:
    """The rows of fills.csv, each trade once."""

    def __init__(self) -> None:
        self._rows: dict[str, BotFill] = {}
        self._contradiction = ""

    def see(self, fact: BotFill) -> None:
        first = self._rows.setdefault(word(fact.row, "exchange_trade_id") or content(fact), fact)
        if dict(first.row) != dict(fact.row):
            self._contradiction = f"{label(fact)} is written twice, and differs"

    def __iter__(self) -> Iterator[BotFill]:
        return iter(self._rows.values())

    @property
    def contradiction(self) -> str:
        """Why the rows cannot be counted; empty where they can."""
        return self._contradiction


def _read(
    tally: Tally, fact: Row, column: str, read: Callable[[Mapping[str, str], str], Value | None], what: str
) -> Value | None:
    if is_blank(fact.row, column):
        tally.doubt(f"{label(fact)} has no {column}")
        return None
    value = read(fact.row, column)
    if value is None:
        tally.broken(fact.seq, f"{label(fact)} has no readable {what} in {column}: {_shown(fact.row.get(column))}")
    return value


def _shown(value: object) -> str:
    """What stands in a cell, short enough for one line."""
    text = value if isinstance(value, str) and value.isprintable() and value else repr(value)
    return text if len(text) <= SHOWN_MAX else f"{text[:SHOWN_MAX]}..."
