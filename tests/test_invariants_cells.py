"""What the cells of a row say, whoever wrote them."""

from decimal import Decimal

import pytest
from streams_rows import utc

from botproof.events import BotFill, BotSample, Source
from botproof.invariants.cells import FillRows, content, instant, is_blank, label, number, read_number, read_word, word
from botproof.invariants.tally import Tally
from botproof.invariants.verdict import Outcome

MIDNIGHT_US = 1_771_804_800_000_000  # 2026-02-23T00:00:00Z


def a_fill(**row: object) -> BotFill:
    return BotFill(src=Source.BOT, t_local_us=0, row=row)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", "0"),
        ("-0.0001", "-0.0001"),
        ("+1.50", "1.5"),
        ("0E+2", "0"),
        ("1e-08", "0.00000001"),
        (".5", "0.5"),
        ("5.", "5"),
        ("0.0000014814814814814814814814814815", "0.0000014814814814814814814814814815"),  # 28 digits behind zeros
    ],
)
def test_a_number_is_read_in_any_spelling_of_a_decimal(text: str, value: str) -> None:
    assert number({"n": text}, "n") == Decimal(value)


@pytest.mark.parametrize(
    "text",
    ["", ".", "nan", "Infinity", "6,72", "1_0", " 1", "1 ", "٦", "1e999", "8%", "3-", "--1", "0x1", "1" * 61, "1\n"],
)
def test_a_text_that_is_no_number_is_none(text: str) -> None:
    assert number({"n": text}, "n") is None


@pytest.mark.parametrize(
    ("text", "at_us"),
    [
        ("2026-02-23T00:00:00.000000+00:00", MIDNIGHT_US),
        ("2026-02-23T00:00:00Z", MIDNIGHT_US),
        ("2026-02-22T23:59:59.999999+00:00", MIDNIGHT_US - 1),
        ("2026-02-23T00:00:00.5+00:00", MIDNIGHT_US + 500_000),
        ("2026-02-23T00:00:00.123456789Z", MIDNIGHT_US + 123_456),
        ("2024-02-29T00:00:00Z", 1_709_164_800_000_000),
    ],
)
def test_an_instant_is_read_to_the_microsecond(text: str, at_us: int) -> None:
    assert instant({"ts": text}, "ts") == at_us


def test_an_instant_is_read_back_as_it_was_written() -> None:
    assert instant({"ts": utc(MIDNIGHT_US + 1)}, "ts") == MIDNIGHT_US + 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-02-23T00:00:00",  # no zone
        "2026-02-23T00:00:00+01:00",  # not UTC
        "2026-02-23 00:00:00+00:00",
        "2026-02-30T00:00:00Z",
        "2026-02-23T24:00:00Z",
        "2026-02-23T00:00:60Z",
        "22/02/2026 01:01",
        "1771804800",
        "2026-02-23T00:00",
        "٢٠٢٦-02-23T00:00:00Z",
        "0000-01-01T00:00:00Z",
    ],
)
def test_a_text_that_is_no_utc_instant_is_none(text: str) -> None:
    assert instant({"ts": text}, "ts") is None


@pytest.mark.parametrize("value", [None, 1, 0.5, Decimal(1), ["1"]])
def test_what_is_no_text_is_neither_word_nor_number_nor_blank(value: object) -> None:
    row = {"n": value}
    assert (word(row, "n"), number(row, "n"), instant(row, "n"), is_blank(row, "n")) == ("", None, None, False)  # type: ignore[arg-type]


def test_a_missing_cell_is_a_doubt_and_an_unreadable_one_a_breach() -> None:
    for row, outcome in (({}, Outcome.NOT_SHOWN), ({"n": ""}, Outcome.NOT_SHOWN), ({"n": "x"}, Outcome.BROKEN)):
        tally = Tally("C1", 0, "rows")
        assert read_number(tally, a_fill(**row), "n") is None
        assert tally.verdict().outcome is outcome
    tally = Tally("C1", 0, "rows")
    assert read_word(tally, a_fill(n="x"), "n") == "x"
    assert read_number(tally, a_fill(n="1"), "n") == 1
    assert tally.verdict().outcome is Outcome.HELD


def test_a_reason_names_row_column_and_cell_in_one_short_line() -> None:
    tally = Tally("C1", 0, "rows")
    read_number(tally, a_fill(exchange_trade_id="t7", n="x\n" * 500), "n")
    reason = tally.verdict().reason
    assert reason.startswith("the row of trade t7 in fills.csv has no readable number in n: 'x")
    assert len(reason) < 150
    assert "\n" not in reason
    assert label(BotSample(src=Source.BOT, t_local_us=0, row={"ts": "noon"})) == "the row of noon in minute.csv"


def test_rows_with_one_trade_count_once_and_a_second_story_is_a_contradiction() -> None:
    rows = FillRows()
    for _ in range(2):
        rows.see(a_fill(exchange_trade_id="t1", price="1"))
    rows.see(a_fill(price="1"))
    rows.see(a_fill(price="2"))
    assert (len(list(rows)), rows.contradiction) == (3, "")
    rows.see(a_fill(exchange_trade_id="t1", price="2"))
    assert (len(list(rows)), "t1" in rows.contradiction) == (3, True)


def test_rows_that_say_the_same_have_the_same_content() -> None:
    assert content(a_fill(a="1")) == content(a_fill(a="1")) != content(a_fill(a="2"))
