"""Cells at their edges: what is told of one that cannot be read, and which rows say the same."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from test_invariants_cells import MIDNIGHT_US, a_fill

from botproof.events import BotFill, Source
from botproof.invariants.cells import SHOWN_MAX, content, instant, label, read_instant, read_number, read_word
from botproof.invariants.tally import Tally
from botproof.invariants.verdict import Outcome, Verdict

Read = Callable[[Tally, BotFill, str], object]


def read(how: Read, column: str, **row: object) -> tuple[object, Verdict]:
    tally = Tally("C1", 0, "rows")
    fill = BotFill(src=Source.BOT, seq=7, t_local_us=0, row={"exchange_trade_id": "t1"} | row)  # type: ignore[arg-type]
    return how(tally, fill, column), tally.verdict()


def read_ts(tally: Tally, fill: BotFill, _: str) -> int | None:
    return read_instant(tally, fill)


@pytest.mark.parametrize(
    ("how", "column", "what", "cell"),
    [
        (read_number, "price", "number", "noon"),
        (read_instant, "at", "time in UTC", "noon"),
        (read_ts, "ts", "time in UTC", "noon"),
        (read_word, "side", "text", 7),
    ],
)
def test_a_cell_that_cannot_be_read_is_told_with_its_row_and_proved_by_it(
    how: Read, column: str, what: str, cell: object
) -> None:
    value, verdict = read(how, column, **{column: cell})
    assert (value, verdict.outcome, verdict.proof) == (None, Outcome.BROKEN, (7,))
    assert verdict.reason == f"the row of trade t1 in fills.csv has no readable {what} in {column}: {cell}"
    value, verdict = read(how, column)
    assert (value, verdict.outcome) == (None, Outcome.NOT_SHOWN)
    assert verdict.reason == f"the row of trade t1 in fills.csv has no {column}"


def test_a_cell_that_can_be_read_leaves_no_trace() -> None:
    assert read(read_number, "price", price="1.50")[0] == Decimal("1.5")
    assert read(read_instant, "at", at="2026-02-23T00:00:00Z")[0] == MIDNIGHT_US
    assert read(read_ts, "ts", ts="2026-02-23T00:00:00Z")[0] == MIDNIGHT_US
    value, verdict = read(read_word, "side", side="buy")
    assert (value, verdict.outcome) == ("buy", Outcome.HELD)


def test_an_instant_is_a_whole_number_of_microseconds() -> None:
    assert isinstance(instant({"ts": "2026-02-23T00:00:00.5Z"}, "ts"), int)


@pytest.mark.parametrize(("length", "shown"), [(SHOWN_MAX, "x" * 40), (SHOWN_MAX + 1, "x" * 40 + "...")])
def test_a_cell_is_shown_as_far_as_it_fits_in_a_line(length: int, shown: str) -> None:
    assert label(a_fill(exchange_trade_id="x" * length)) == f"the row of trade {shown} in fills.csv"


def test_rows_with_something_else_than_text_say_the_same_only_where_they_do() -> None:
    assert content(a_fill(a=Decimal(1))) == content(a_fill(a=Decimal(1))) != content(a_fill(a=Decimal(2)))
    noon = datetime(2026, 2, 23, 12, tzinfo=UTC)
    assert content(a_fill(ts=noon)) != content(a_fill(ts=noon.isoformat()))
