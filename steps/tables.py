"""Tables of a scenario as typed rows."""

from collections.abc import Sequence

from botproof.errors import HarnessError

Table = Sequence[Sequence[str]]


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


def amount_fits(count: int, expected: str) -> bool:
    """Whether `count` is what a cell says: `3`, or `at least 3`."""
    least = expected.removeprefix("at least ")
    return count >= int(least) if least != expected else count == int(expected)
