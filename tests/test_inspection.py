"""`botproof inspect FILE`: what the bots of the rollout left, in every shape, and what is no file of a bot."""

import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from botproof.cli import main
from botproof.evidence.inspection import inspect_file
from botproof.evidence.rows import FILLS, MINUTE

SAMPLE = Path(os.environ.get("BOTPROOF_DATA", "")) / "samples" / "minute_bot1_a_20260222.csv"
needs_sample = pytest.mark.skipif(
    not os.environ.get("BOTPROOF_DATA") or not SAMPLE.is_file(),
    reason="BOTPROOF_DATA names no folder with the rollout's minute.csv in samples",
)
LIVE = {
    **dict.fromkeys(MINUTE[:33], "0"),
    "bot_variant": "a",
    "exchange": "bitget_perpetual",
    "trading_pair": "BTC-USDT",
    "state": "soft_pause",
    "regime": "neutral_low_vol",
    "risk_reasons": "",
    "fee_source": "api:trade-rate",
    "mid": "67500",
    "equity_quote": "5.00",
}


def inspect(path: Path | str) -> Result:
    result = CliRunner().invoke(main, ["inspect", str(path)])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


def shows(path: Path) -> list[str]:
    result = inspect(path)
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout.splitlines()


def refused(path: Path | str) -> str:
    result = inspect(path)
    assert (result.exit_code, result.stdout) == (2, "")
    assert 1 <= len(result.stderr.splitlines()) <= 2
    return result.stderr


def row(minute: str, columns: tuple[str, ...] = MINUTE[:33], **cells: str) -> str:
    cells = LIVE | {"ts": f"2026-02-22T{minute}.500000+00:00"} | cells
    return ",".join(cells[column] for column in columns)


def written(path: Path, *lines: str, header: tuple[str, ...] = MINUTE[:33]) -> Path:
    path.write_text("\n".join([",".join(header), *lines, ""]))
    return path


@pytest.fixture
def minute(tmp_path: Path) -> Path:
    return tmp_path / "minute.csv"


@needs_sample
def test_the_sample_of_the_rollout_is_reported_in_full():
    lines = shows(SAMPLE)
    assert "rows: 1066, of which 61 misaligned: not 33 cells wide, as the header" in lines
    live = lines.index("bitget_perpetual BTC-USDT a: 939 rows")
    assert lines[live + 1 : live + 7] == [
        "  from 2026-02-22T01:37:00Z to 2026-02-23T02:38:00Z",
        "  939 of 1501 minutes have a row: coverage 62.6 %",
        "  holes over 120 s: 3, the longest 9 h 16 min, from 2026-02-22T08:15:00.278982Z",
        "  states:                soft_pause 939",
        "  regimes:               neutral_low_vol 703, down 171, up 65",
        "  reasons:               base_pct_below_min 939",
    ]
    before = ", before the rows of bitget_perpetual BTC-USDT a"
    for title, extent in (
        ("binance_perpetual_testnet BTC-USDT a: 52 rows", "2026-02-21T01:03:00Z to 2026-02-21T02:08:00Z"),
        ("bitget_paper_trade BTC-USDT a: 14 rows", "2026-02-20T18:39:00Z to 2026-02-20T21:22:00Z"),
        (
            "misaligned: 61 rows of 21 cells that begin as rows of bitget_paper_trade",
            "2026-02-21T00:00:00Z to 2026-02-21T01:01:00Z, first in line 16",
        ),
    ):
        assert lines[lines.index(title) + 1] == f"  from {extent}{before}"


@pytest.mark.parametrize("width", [14, 21, 24, 33, 46])
def test_a_file_of_any_shape_is_read_as_far_as_it_goes(minute, width):
    header = MINUTE[:width]
    extra = dict.fromkeys(MINUTE[33:], "1")
    lines = shows(
        written(minute, row("01:00:00", header, **extra), row("01:01:00", header, **extra), header=header),
    )
    assert f"header: {width} columns" in lines
    assert ("  without: " in "\n".join(lines)) == (width < 33)
    assert f"rows: 2, all {width} cells wide, as the header" in lines
    assert "  2 of 2 minutes have a row: coverage 100.0 %" in lines


@pytest.mark.parametrize("width", [14, 21, 24])
def test_short_rows_of_an_older_writer_are_counted_with_their_time_and_venue_and_no_more(minute, width):
    lines = shows(written(minute, row("01:00:00"), row("01:01:00", MINUTE[:width]), row("01:02:00")))
    assert "rows: 3, of which 1 misaligned: not 33 cells wide, as the header" in lines
    assert f"misaligned: 1 rows of {width} cells that begin as rows of bitget_perpetual" in lines
    assert "OVERLAPPING the rows of bitget_perpetual" in lines[-1]
    assert "bitget_perpetual BTC-USDT a: 2 rows" in lines


def test_venues_pairs_and_variants_are_told_apart(minute):
    lines = shows(
        written(minute, row("01:00:00"), row("01:01:00", exchange="x"), row("01:02:00", trading_pair="ETH-USDT"))
    )
    assert [line for line in lines if line.endswith(": 1 rows")] == [
        "bitget_perpetual BTC-USDT a: 1 rows",
        "x BTC-USDT a: 1 rows",
        "bitget_perpetual ETH-USDT a: 1 rows",
    ]


def test_each_reason_of_a_row_counts(minute):
    lines = shows(written(minute, row("01:00:00", risk_reasons="high_vol|edge_gate_blocked"), row("01:01:00")))
    assert "  reasons:               high_vol 1, edge_gate_blocked 1, no reason 1" in lines


@pytest.mark.parametrize(("second", "holes"), [("01:02:00", 0), ("01:02:01", 1)])
def test_a_hole_is_more_than_two_minutes(minute, second, holes):
    lines = shows(written(minute, row("01:00:00"), row(second)))
    assert any(line.startswith("  holes over 120 s: 1") for line in lines) == bool(holes)


def test_rows_out_of_order_without_time_and_cells_without_number_are_told(minute):
    lines = shows(
        written(
            minute, row("01:05:00"), row("01:01:00"), row("01:06:00", ts="22/02/2026 01:06"), row("01:07:00", mid="8%")
        )
    )
    assert "  1 rows are no later than one before them" in lines
    assert "  1 rows have a ts that is no instant in UTC" in lines
    assert "  mid:                   67500 (1 cells hold no number)" in lines


def test_a_header_that_stands_again_a_torn_line_and_an_open_quote_are_told(minute):
    written(minute, row("01:00:00"), ",".join(MINUTE[:33]), row("01:01:00"), '"open' + row("01:02:00"))
    with minute.open("a") as file:
        file.write("2026-02-22T01:03")
    lines = shows(minute)
    assert "the header stands again: line 3" in lines
    assert "not readable as CSV: line 5" in lines
    assert "line 6, the last, is torn: it has no end" in lines


def test_a_column_that_is_named_twice_is_not_read(minute):
    minute.write_text(",".join(MINUTE[:33]) + ",mid\n" + row("01:00:00") + ",1\n")
    lines = shows(minute)
    assert "  more than once, and therefore not read: mid" in lines
    assert not [line for line in lines if line.startswith("  mid:")]


def test_a_byte_order_mark_and_windows_line_ends_are_no_matter(minute):
    minute.write_bytes(b"\xef\xbb\xbf" + "\r\n".join([",".join(MINUTE[:33]), row("01:00:00"), ""]).encode())
    lines = shows(minute)
    assert lines[0].endswith("2 lines, with a byte-order mark")
    assert "bitget_perpetual BTC-USDT a: 1 rows" in lines


def test_fills_are_counted_and_added_up(tmp_path):
    base = dict.fromkeys(FILLS, "0") | {"exchange": "bitget_perpetual", "trading_pair": "BTC-USDT", "bot_variant": "a"}
    rows = [
        base | {"ts": "2026-02-22T01:00:01Z", "side": "buy", "price": "67000", "amount_base": "0.0001"}
        | {"notional_quote": "6.7", "fee_quote": "0.00134"},
        base | {"ts": "2026-02-22T01:03:01Z", "side": "sell", "price": "67100", "amount_base": "0.0001"}
        | {"notional_quote": "6.8", "fee_quote": "0.00134"},
    ]  # fmt: skip
    lines = shows(written(tmp_path / "f.csv", *(",".join(each.values()) for each in rows), header=FILLS))
    assert lines[0].startswith(f"{tmp_path / 'f.csv'}: a fills.csv, ")
    assert "  sides:                 buy 1, sell 1" in lines
    assert "  fee_quote:             0.00134, in all 0.00268" in lines
    assert "  1 rows have a notional_quote that is not price x amount_base" in lines


def test_a_file_without_rows_shows_nothing(minute):
    assert "it has a header and no row: it shows nothing" in shows(written(minute))


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "the file is empty"),
        (",".join(MINUTE).encode("utf-16"), "UTF-16"),
        (b"\xff\xfe\x00", "UTF-16"),
        (",".join(MINUTE).replace(",", ";").encode(), "the first line 'ts;bot_variant;"),
        ((row("01:00:00") + "\n").encode(), "the first line '2026-02-22T01:00:00.5"),
        (b"timestamp_ms,side,price,size,trade_id\n", "the first line 'timestamp_ms,"),
        ((",".join(MINUTE) + "\n").encode() + b"\0\0", "a NUL byte"),
        ((",".join(MINUTE) + "\n\xe9").encode("latin-1"), "bytes that are not UTF-8"),
    ],
)
def test_what_is_no_file_of_a_bot_is_refused(minute, content, found):
    minute.write_bytes(content)
    assert found in refused(minute)


@pytest.mark.parametrize("path", ["", "no such", "\0", "x" * 9000, "/", "/dev/null"])
def test_what_is_no_file_at_all_is_refused(path):
    assert "expected a CSV file, found" in refused(path)


def test_what_stands_in_the_file_cannot_drive_a_terminal(minute):
    text = "\n".join(shows(written(minute, row("01:00:00", exchange="\x1b[2Jx", state="\x07"))))
    assert "'\\x1b[2Jx' BTC-USDT a: 1 rows" in text
    assert "\x1b" not in text
    assert "\x07" not in text


def test_a_file_of_noise_makes_no_endless_report(minute):
    noise = [row("01:00:00", exchange=f"x{number}", state=f"s{number}") for number in range(500)]
    narrow = [f"2026-02-22T01:00:00Z,a,v{number}" for number in range(500)]
    lines = shows(written(minute, *noise, *narrow))
    assert len(lines) < 1800
    assert f"and {500 - 64} rows of further names, after the first 64" in lines


@given(st.binary(max_size=400), st.booleans())
@settings(max_examples=300, deadline=None)
def test_no_bytes_bring_a_traceback(tmp_path_factory, content, has_header):
    path = tmp_path_factory.mktemp("fuzz") / "minute.csv"
    path.write_bytes((",".join(MINUTE[:33]).encode() + b"\n" if has_header else b"") + content)
    assert inspect(path).exit_code in (0, 2)


CELLS = st.one_of(st.sampled_from(["", "1e99", "-1e-99", "nan", "9" * 60, "2026-02-22T01:00:00Z", "a|b||"]), st.text())


@given(st.sampled_from([MINUTE[:33], MINUTE, FILLS]), st.lists(st.lists(CELLS, min_size=17, max_size=46), max_size=5))
@settings(max_examples=150, deadline=None)
def test_no_cells_bring_a_traceback(tmp_path_factory, header, rows):
    path = tmp_path_factory.mktemp("fuzz") / "some.csv"
    lines = [header, *(each[: len(header)] + [""] * (len(header) - len(each)) for each in rows)]
    path.write_bytes("\n".join(map(",".join, lines)).encode(errors="replace"))
    assert inspect(path).exit_code in (0, 2)


def test_memory_does_not_hold_the_rows(minute):
    found = inspect_file(written(minute, *(row(f"{hour:02}:{at:02}:00") for hour in range(24) for at in range(60))))
    [group] = found.groups.values()
    assert (group.stretch.rows, group.stretch.minutes) == (1440, 1440)
    assert not found.misfits
