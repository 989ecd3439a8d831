"""Tables of a scenario as typed rows."""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TypeVar

from botproof.errors import HarnessError

Table = Sequence[Sequence[str]]
Meaning = TypeVar("Meaning")
NUMBER = re.compile(r"[0-9]{1,12}(\.[0-9]{1,12})?", re.ASCII)
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
