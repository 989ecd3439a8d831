"""Tables of a scenario as typed rows."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import TypeVar

from botproof.errors import HarnessError

Table = Sequence[Sequence[str]]
Meaning = TypeVar("Meaning")
MINUTES_MAX = 7 * 24 * 60
NUMBER = re.compile(r"[0-9]{1,12}(\.[0-9]{1,12})?", re.ASCII)
TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])", re.ASCII)
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
COUNT = re.compile(r"(at least )?([0-9]{1,9})", re.ASCII)


def rows(datatable: Table, *columns: str) -> list[dict[str, str]]:
    """The rows below the header, by column. Raises `HarnessError` where a wanted column or every row is missing."""
    header, *body = [list(row) for row in datatable]
    missing = [column for column in columns if column not in header]
    if missing or not body:
        raise HarnessError(f"expected a table with the columns {list(columns)} and at least one row, found {header}")
    return [dict(zip(header, row, strict=True)) for row in body]


def pairs(datatable: Table) -> dict[str, str]:
    """A table of two columns without header: name and value."""
    if any(len(row) != 2 for row in datatable):  # noqa: PLR2004  name and value
        raise HarnessError(f"expected a table of names and values, found {datatable}")
    return {row[0]: row[1] for row in datatable}


def number(text: str) -> Decimal:
    """A number of a phrase or a cell: `20`, `0.40`. Raises `HarnessError` where it is none."""
    if NUMBER.fullmatch(text) is None:
        raise HarnessError(f"expected a number such as 20 or 0.40, found {text!r}")
    return Decimal(text)


def whole_minutes(text: str) -> int:
    """The length of a window. Raises `HarnessError` where it is none of 1 min to 7 days."""
    minutes = number(text)
    if minutes != int(minutes) or not 1 <= minutes <= MINUTES_MAX:
        raise HarnessError(f"expected a window of 1 to {MINUTES_MAX} whole minutes, found {text}")
    return int(minutes)


def minute_of_day(text: str) -> int:
    """The minute of a time such as `23:50`. Raises `HarnessError` where it is none."""
    match = TIME.fullmatch(text)
    if match is None:
        raise HarnessError(f"expected a time of day such as 23:50, found {text!r}")
    return int(match[1]) * 60 + int(match[2])


def day(text: str) -> date:
    """A day such as `2026-02-22`. Raises `HarnessError` where it is none."""
    try:
        found = date.fromisoformat(text) if DAY.fullmatch(text) else None
    except ValueError:
        found = None
    if found is None:
        raise HarnessError(f"expected a day such as 2026-02-22, found {text!r}")
    return found


def word(text: str, known: Mapping[str, Meaning]) -> Meaning:
    """What a word of a phrase means. Raises `HarnessError` where it is none of the known."""
    if text not in known:
        raise HarnessError(f"expected one of {', '.join(known)}, found {text!r}")
    return known[text]


def count_fits(count: int, expected: str) -> bool:
    """Whether `count` is what a cell says: `3`, or `at least 3`. Raises `HarnessError` where it says neither."""
    match = COUNT.fullmatch(expected)
    if match is None:
        raise HarnessError(f"expected a count such as 3 or `at least 3`, found {expected!r}")
    return count >= int(match[2]) if match[1] else count == int(match[2])
