"""Recorded markets on disk: which segments there are, what may run on them, and how a file that is none is refused."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from recorded_floor import BEGINS_MS, needs_recordings, recorded, us

from botproof.errors import Absent, Refusal
from botproof.fakes.bitget.market.replay_candles import CandleReplay
from botproof.fakes.bitget.market.replay_trades import TradeReplay
from botproof.fakes.recordings import DATA, Recording, open_recording, recorded_candles, recorded_trades

TRADES = "timestamp_ms,side,price,size,trade_id"
CANDLES = "timestamp_ms,open,high,low,close,volume"
QUARTER_MS, MINUTE_MS = 900_000, 60_000


@pytest.fixture(autouse=True)
def _without_the_real_data(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if not any(mark.name == "skipif" for mark in request.node.iter_markers()):
        monkeypatch.delenv(DATA, raising=False)


def trade(at_ms: int, trade_id: int | str, side: str = "buy", price: str = "68000.0", size: str = "0.0010") -> str:
    return f"{BEGINS_MS + at_ms},{side},{price},{size},{trade_id}"


def candle(at_ms: int, open_: str = "68000.0", high: str = "68010", low: str = "67990.5", close: str = "68001") -> str:
    return f"{BEGINS_MS + at_ms},{open_},{high},{low},{close},1.5"


def write(folder: Path, name: str, *lines: str) -> Path:
    path = folder / name
    path.write_text("\n".join([*lines, ""]))
    return path


def trades_file(folder: Path, *lines: str) -> Path:
    return write(folder, "x_trades.csv", TRADES, *lines)


def minutes_of_trades(folder: Path, *spans_s: tuple[int, int]) -> Path:
    """Trades every 10 s in each span of seconds after midnight."""
    times = [at for begin, end in spans_s for at in range(begin, end + 1, 10)]
    return trades_file(folder, *(trade(at * 1000, number) for number, at in enumerate(times, 1)))


def candle_files(folder: Path, leave_out: Mapping[str, Sequence[int]] | None = None, count: int = 8) -> Path:
    """Candles of last, mark and index from midnight on, some left out by number."""
    for what in ("", "_mark", "_index"):
        out = (leave_out or {}).get(what, ())
        lines = [candle(n * QUARTER_MS) for n in range(count) if n not in out]
        write(folder, f"x{what}_15m_1.csv", CANDLES, *lines)
    return folder / "x_15m_1.csv"


def opened(path: Path, number: int | None = None, window_s: int = 60) -> Recording:
    text = f"replay:{path}" + ("" if number is None else f"#{number}")
    return open_recording(text, path.parent, window_s)


def refused(path: Path, number: int | None = None, window_s: int = 60) -> str:
    with pytest.raises(Refusal) as refusal:
        opened(path, number, window_s)
    text = str(refusal.value)
    assert len(text.splitlines()) <= 2, text
    return text


# Segments


def test_a_gap_of_more_than_a_minute_between_trades_ends_a_segment(tmp_path: Path) -> None:
    times = (0, 60_000, 120_000, 180_001, 240_001, 300_001)  # the third gap is a millisecond too long
    path = trades_file(tmp_path, *(trade(at_ms, number) for number, at_ms in enumerate(times, 1)))
    first, second = opened(path, 1), opened(path, 2)
    assert (first.ends_us - first.begins_us, second.ends_us - second.begins_us) == (120_000_000, 120_000_000)
    assert "expected a segment from 1 to 2, found #3" in refused(path, 3)
    assert "found #0" in refused(path, 0)


@pytest.mark.parametrize("what", ["", "_mark", "_index"])
def test_a_missing_candle_of_any_series_ends_a_segment(tmp_path: Path, what: str) -> None:
    path = candle_files(tmp_path, {what: [3]})
    first, second = opened(path, 1), opened(path, 2)
    assert (first.ends_us - first.begins_us) // 60_000_000 == 45
    assert (second.begins_us // 1000 - BEGINS_MS) // MINUTE_MS == 60
    assert isinstance(first.market(1), CandleReplay)


def test_without_a_number_the_first_segment_that_is_long_enough_is_taken(tmp_path: Path) -> None:
    path = minutes_of_trades(tmp_path, (0, 130), (600, 1200), (1800, 2000))
    assert opened(path, window_s=60).name.endswith("#1")
    assert opened(path, window_s=540).name.endswith("#2")
    assert isinstance(opened(path).market(1), TradeReplay)
    text = refused(path, window_s=600)
    assert "a window of 10 min" in text
    assert "#2 2026-02-22 00:10:00, 9 min" in text


def test_a_window_opens_on_a_minute_that_leaves_time_to_prepare_and_must_end_inside(tmp_path: Path) -> None:
    path = minutes_of_trades(tmp_path, (0, 300))
    recording = opened(path, 1)
    assert recording.opens_us(recording.begins_us) == us("2026-02-22T00:01")
    assert recording.window_s_max == 240
    assert (recording.unfit(240), bool(recording.unfit(241))) == ("", True)
    late = minutes_of_trades(tmp_path, (36, 306))  # 24 s are too few, so the next minute it is
    assert opened(late, 1).opens_us(opened(late, 1).begins_us) == us("2026-02-22T00:02")


def test_a_window_that_opened_late_is_measured_from_there(tmp_path: Path) -> None:
    recording = opened(minutes_of_trades(tmp_path, (0, 300)), 1)
    assert recording.unfit(180, us("2026-02-22T00:02")) == ""
    assert "ends outside" in recording.unfit(180, us("2026-02-22T00:03"))


def test_a_settlement_without_a_rate_refuses_the_window_and_one_with_a_rate_does_not(tmp_path: Path) -> None:
    path = candle_files(tmp_path, count=40)
    recording = opened(path, 1)
    over_eight = us("2026-02-22T07:50")
    assert "funding is settled at 2026-02-22 08:00:00 UTC" in recording.unfit(900, over_eight)
    assert recording.unfit(900, us("2026-02-22T07:30")) == ""
    assert "08:00" in recording.unfit(900, us("2026-02-22T07:45"))  # at its very end
    write(tmp_path, "x_funding.csv", "timestamp_ms,rate", f"{us('2026-02-22T08:00') // 1000},-5e-6")
    assert opened(path, 1).unfit(900, over_eight) == ""
    assert opened(path, 1).funding == {us("2026-02-22T08:00"): Decimal("-0.000005")}


def test_the_recording_says_its_name_its_times_and_how_long_a_window_it_bears(tmp_path: Path) -> None:
    said = str(opened(minutes_of_trades(tmp_path, (0, 300)), 1))
    assert said.endswith("x_trades.csv#1 (2026-02-22 00:00:00 to 2026-02-22 00:05:00 UTC, windows of up to 4 min)")


# Files that are none


BAD_TRADES = {
    "no line below the header": ([], "line 2: expected at least one line below the header"),
    "too few cells": (["1,2"], "line 2: expected 5 cells as in the header, found 2"),
    "an empty line": (["", trade(0, 1)], "line 2: expected 5 cells as in the header, found 0"),
    "seconds": ([trade(0, 1).replace("1771718400000", "1771718400")], "in milliseconds since 1970"),
    "microseconds": ([trade(0, 1).replace("1771718400000", "1771718400000000")], "in milliseconds since 1970"),
    "a time as text": ([trade(0, 1).replace("1771718400000", "noon")], "found 'noon'"),
    "an unknown side": ([trade(0, 1, side="BUY")], "side buy or sell, found 'BUY'"),
    "a price off the grid": ([trade(0, 1, price="68000.05")], "price as a number above 0 in steps of 0.1"),
    "a negative price": ([trade(0, 1, price="-68000")], "found '-68000'"),
    "a price of nothing": ([trade(0, 1, price="0")], "price as a number above 0"),
    "an endless price": ([trade(0, 1, price="9" * 4000)], "price as a number above 0"),
    "no number": ([trade(0, 1, price="nan")], "found 'nan'"),
    "an exponent": ([trade(0, 1, price="1e400")], "found '1e400'"),
    "digits of another script": ([trade(0, 1, price="٦٨٠٠٠")], "price as a number above 0"),
    "a size below the step": ([trade(0, 1, size="0.00001")], "size as a number above 0 in steps of 0.0001"),
    "an id that is none": ([trade(0, "a b")], "a trade_id of 1 to 20 digits, found 'a b'"),
    "an id twice": (
        [trade(0, 1), trade(1, 2), trade(2, 1)],
        "line 4: expected each trade_id once, found that of line 2",
    ),
    "times that go back": ([trade(1, 1), trade(0, 2)], "line 3: expected times in ascending order"),
    "an open quote": (['"'], "expected comma-separated cells"),
}


@pytest.mark.parametrize(("lines", "said"), BAD_TRADES.values(), ids=BAD_TRADES)
def test_a_file_of_trades_with_a_bad_line_is_refused_with_its_number(
    tmp_path: Path, lines: list[str], said: str
) -> None:
    assert said in refused(trades_file(tmp_path, *lines))


def test_trades_of_one_time_are_in_order(tmp_path: Path) -> None:
    recording = opened(
        trades_file(tmp_path, trade(0, 1), trade(0, 2), *(trade(n * 10_000, n + 2) for n in range(1, 31)))
    )
    assert len(recording.market(1).trades(0, recording.ends_us + 1000)) == 32


BAD_CANDLES = {
    "a high below the close": (
        [candle(0, high="68000"), candle(QUARTER_MS)],
        "line 2: expected low <= open, close <= high",
    ),
    "a low above the open": ([candle(0, low="68000.5"), candle(QUARTER_MS)], "expected low <= open, close <= high"),
    "a close off the grid": ([candle(0, close="68001.01"), candle(QUARTER_MS)], "close as a number above 0 in steps"),
    "a candle twice": ([candle(0), candle(0)], "line 3: expected each time once"),
    "candles that go back": ([candle(QUARTER_MS), candle(0)], "line 3: expected times in ascending order"),
    "one candle": ([candle(0)], "expected at least two candles"),
    "candles off the grid": ([candle(60_000), candle(60_000 + QUARTER_MS)], "each on the grid of its period"),
    "seconds between candles": ([candle(0), candle(1000)], "found a shortest distance of 1 s"),
}


@pytest.mark.parametrize(("lines", "said"), BAD_CANDLES.values(), ids=BAD_CANDLES)
def test_a_file_of_candles_that_is_not_sound_is_refused(tmp_path: Path, lines: list[str], said: str) -> None:
    candle_files(tmp_path)
    assert said in refused(write(tmp_path, "x_15m_1.csv", CANDLES, *lines))


@pytest.mark.parametrize("what", ["mark", "index"])
def test_candles_without_their_mark_or_index_are_refused_with_the_name_that_is_missing(
    tmp_path: Path, what: str
) -> None:
    path = candle_files(tmp_path)
    (tmp_path / f"x_{what}_15m_1.csv").unlink()
    assert f"x_{what}_15m_1.csv: expected a CSV file of recorded market data, found no such file" in refused(path)


def test_candles_under_a_name_that_tells_no_period_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "candles.csv", CANDLES, candle(0), candle(QUARTER_MS))
    assert "with those of mark and index beside them" in refused(path)


def test_candles_of_which_mark_knows_no_time_are_refused(tmp_path: Path) -> None:
    path = candle_files(tmp_path)
    write(tmp_path, "x_mark_15m_1.csv", CANDLES, candle(100 * QUARTER_MS), candle(101 * QUARTER_MS))
    assert "expected candles of last, mark and index of the same times, found none" in refused(path)


@pytest.mark.parametrize(
    ("rate", "at", "said"),
    [
        ("0.01", "2026-02-22T08:00", "a funding rate within +-0.003, found '0.01'"),
        ("high", "2026-02-22T08:00", "found 'high'"),
        ("1e-99", "2026-02-22T08:00", ""),
        ("0.0001", "2026-02-22T08:01", "a settlement at 00:00, 08:00 or 16:00 UTC"),
    ],
)
def test_rates_that_the_venue_could_not_have_settled_are_refused(tmp_path: Path, rate: str, at: str, said: str) -> None:
    path = candle_files(tmp_path)
    write(tmp_path, "x_funding.csv", "timestamp_ms,rate", f"{us(at) // 1000},{rate}")
    if said:
        assert said in refused(path)
    else:
        opened(path)


def test_columns_may_stand_in_any_order_and_more_of_them_are_not_read(tmp_path: Path) -> None:
    lines = [f"x,{n},{BEGINS_MS + n * 10_000},0.0010,68000.0,sell" for n in range(30)]
    opened(write(tmp_path, "t.csv", "note,trade_id,timestamp_ms,size,price,side", *lines))


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("timestamp_ms,side,price,amount,trade_id", "found no size"),
        ("timestamp_ms,side,prices,size,trade_id", "found no price (nearest: prices"),
        ("timestamp_ms,side,price,size,trade_id,side", "expected each column once"),
        ("time;price", "expected the columns of trades (timestamp_ms,side,price,size,trade_id) or of candles"),
        ("", "expected the columns of trades"),
    ],
)
def test_columns_that_are_not_those_of_a_recording_are_refused(tmp_path: Path, header: str, said: str) -> None:
    assert said in refused(write(tmp_path, "t.csv", header, trade(0, 1)))


def test_what_is_no_file_is_refused_by_what_it_is(tmp_path: Path) -> None:
    assert "found a directory" in refused(tmp_path)
    assert "found no such file" in refused(tmp_path / "none.csv")
    (tmp_path / "latin.csv").write_bytes(f"{TRADES}\n".encode() + b"\xe9")
    assert "expected UTF-8 text, found byte 0xe9" in refused(tmp_path / "latin.csv")
    (tmp_path / "empty.csv").write_bytes(b"")
    assert "expected the columns" in refused(tmp_path / "empty.csv")


def test_a_file_too_large_to_be_a_recording_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botproof.fakes.recorded_files.BYTES_MAX", 1 << 20)
    path = trades_file(tmp_path, "x" * (1 << 20))
    assert "expected at most 1 MiB, found more" in refused(path)


@pytest.mark.parametrize("text", ["replay:", "replay:\0", "replay:" + "x" * 5000, "replay:#1", "replay:a\nb"])
def test_a_text_that_names_no_file_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(Refusal) as refusal:
        open_recording(text, tmp_path, 60)
    assert len(str(refusal.value)) < 400


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
@given(header=st.sampled_from([TRADES, CANDLES, "", "timestamp_ms,rate"]), body=st.binary(max_size=300))
def test_no_bytes_bring_more_than_a_refusal(tmp_path: Path, header: str, body: bytes) -> None:
    path = tmp_path / "x_15m_1.csv"
    path.write_bytes(header.encode() + b"\n" + body)
    try:
        opened(path)
    except Refusal as refusal:
        assert str(refusal)


# The real data


def test_a_recorded_day_without_the_data_is_absent_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for ask in (lambda: recorded_candles(date(2026, 2, 22), 0), lambda: recorded_trades(date(2026, 2, 21))):
        monkeypatch.delenv(DATA, raising=False)
        with pytest.raises(Absent, match="BOTPROOF_DATA names no folder"):
            ask()
        (tmp_path / "market").mkdir(exist_ok=True)
        monkeypatch.setenv(DATA, str(tmp_path))
        with pytest.raises(Absent, match="holds no market/btcusdt_"):
            ask()


def test_a_file_that_is_not_here_is_looked_for_among_the_real_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "market"
    home.mkdir()
    minutes_of_trades(home, (0, 300))
    monkeypatch.setenv(DATA, str(tmp_path))
    assert open_recording("replay:x_trades.csv#1", tmp_path, 60).name == "replay:x_trades.csv#1"


@needs_recordings
def test_the_recorded_trades_are_four_segments_of_three_to_six_minutes() -> None:
    path = recorded("btcusdt_trades.csv")
    lengths = [(one.ends_us - one.begins_us) // 1_000_000 for one in (opened(path, n) for n in (1, 2, 3, 4))]
    assert lengths == [387, 264, 278, 176]
    assert "expected a segment from 1 to 4, found #5" in refused(path, 5)


@needs_recordings
def test_february_is_one_segment_and_the_wildest_day_has_no_rates() -> None:
    path = recorded("btcusdt_15m_202602.csv")
    assert (opened(path, 1).ends_us - opened(path, 1).begins_us) // 86_400_000_000 == 28
    assert "found #2" in refused(path, 2)
    assert recorded_candles(date(2026, 2, 22), 470).unfit(900) == ""
    assert "no rate for it" in recorded_candles(date(2026, 2, 6), 470).unfit(900)
    assert recorded_candles(date(2026, 2, 6), 0).unfit(900) == ""


@needs_recordings
def test_a_day_outside_the_recording_is_refused() -> None:
    with pytest.raises(Refusal, match="expected a day on which trades were recorded, found 2026-02-22"):
        recorded_trades(date(2026, 2, 22))
    assert recorded_trades(date(2026, 2, 28)).name == "replay:btcusdt_trades.csv#2"
