"""The ways in which a no-trade window once passed or failed wrongly, by their ids, each with the verdict it must get.

P01 to P38 passed; F01 to F15 failed. Each is a correct window with all its files (`notrade_windows`) and the one defect
of its case. Cases that need a filter, a since or a minimum run through the rollout's own front.
"""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest
from notrade_windows import (
    COLUMNS,
    DAY,
    NoTradeWindow,
    at,
    fill_row,
    latest,
    minute_row,
    table,
    venue_fill,
    venue_order,
)

from botproof.evidence.rows import values_text
from botproof.notrade.answer import Answer
from botproof.notrade.record import ListReading
from botproof.notrade.window import SECOND_US
from botproof.profile import find_profile
from botproof.trial import Asked, judge_window

PASS, FAIL, INVALID = Answer.PASS, Answer.FAIL, Answer.INVALID
QUIET = "01:00 X S 0 0 / 01:01 X S 0 0 / 01:02 X S 0 0"
SCRIPT = Path(__file__).parents[1] / "scripts" / "release" / "validate_notrade_window.py"


@dataclass(frozen=True)
class Case:
    """One id: the rows, the defect, the verdict, and what the reasons must say."""

    id: str
    specs: str
    defect: Callable[[NoTradeWindow], None]
    must: Answer
    says: str = ""


def nothing(_: NoTradeWindow) -> None:
    """The rows are the defect."""


def setting(**changes: object) -> Callable[[NoTradeWindow], None]:
    def change(window: NoTradeWindow) -> None:
        for name, value in changes.items():
            setattr(window, name, value)

    return change


def cells(number: int, **values: str) -> Callable[[NoTradeWindow], None]:
    """Other cells in one row."""
    return lambda window: window.rows[number].update(values)


def every(**values: str) -> Callable[[NoTradeWindow], None]:
    """The same cells in every row."""

    def change(window: NoTradeWindow) -> None:
        for row in window.rows:
            row.update(values)

    return change


def without(*columns: str) -> Callable[[NoTradeWindow], None]:
    """Columns that the file does not have."""
    return setting(columns=tuple(name for name in COLUMNS if name not in columns))


def edited(edit: Callable[[list[str]], list[str]]) -> Callable[[NoTradeWindow], None]:
    """The file's lines, changed."""

    def change(window: NoTradeWindow) -> None:
        lines = table(window.columns, window.rows).splitlines()
        window.text = "\n".join([*edit(lines), ""])

    return change


def raw(edit: Callable[[bytes], bytes]) -> Callable[[NoTradeWindow], None]:
    """The file's bytes, changed."""

    def change(window: NoTradeWindow) -> None:
        window.content = edit(table(window.columns, window.rows).encode())

    return change


def columns_twice(window: NoTradeWindow) -> None:
    window.columns = (*COLUMNS, "orders_active", "fills_count_today")
    window.text = values_text(window.columns) + "".join(
        values_text([{**row, "orders_active": "4"}[name] for name in COLUMNS] + ["0", "0"]) for row in window.rows
    )


def shared_file(window: NoTradeWindow) -> None:
    early = [minute_row(f"00:{minute:02} bitget_paper_trade running 3 {minute}", minute) for minute in range(10, 40)]
    window.rows[:0] = early


def resting(window: NoTradeWindow) -> None:
    window.change("open_orders", ListReading(at_us=window.start_us + 30 * SECOND_US, ids=("555",)))


def tail_fill(window: NoTradeWindow) -> None:
    window.stop_after_us = 55 * SECOND_US
    window.change("fills", venue_fill(window.end_us + 30 * SECOND_US))


def micro_cap(window: NoTradeWindow) -> None:
    every(risk_reasons="base_pct_below_min")(window)
    window.asked["profile"] = str(find_profile("epp_v2_4_bot1u20_bitget_live_microcap"))


def earlier_day(day: str) -> Callable[[NoTradeWindow], None]:
    """All rows of another day than the window."""

    def change(window: NoTradeWindow) -> None:
        for row in window.rows:
            row["ts"] = row["ts"].replace(DAY, day)

    return change


def header_again(lines: list[str]) -> list[str]:
    return [*lines[:2], lines[0], *lines[2:]]


def torn(lines: list[str]) -> list[str]:
    return [*lines, "2026-02-22T00:10"]


CASES = (
    Case("P01", "23:58 X S 0 1 / 23:59 X S 0 1 / +00:00:59 X S 0 1 / +00:01 X S 0 1", nothing, FAIL, "fills_count_today"),
    Case("P02", "01:00 X S 0 2 / 01:01 X S 0 2", setting(fills=[fill_row("01:00:40")], restarts=(at("01:00:30"),)), FAIL, "fills.csv"),
    Case("P03", QUIET, without("fills_count_today"), INVALID, "no column fills_count_today"),
    Case("P04", QUIET, without("orders_active"), INVALID, "no column orders_active"),
    Case("P05", QUIET, lambda w: [cells(0, orders_active="n/a")(w), cells(1, orders_active="2 orders")(w)], INVALID, "'n/a'"),
    Case("P06", QUIET, cells(1, orders_active="8%"), INVALID, "'8%'"),
    Case("P06", QUIET, cells(1, orders_active="1,0"), INVALID, "'1,0'"),
    Case("P06", QUIET, cells(1, fills_count_today="1,008"), INVALID, "'1,008'"),
    Case("P06", QUIET, cells(1, fills_count_today="3-"), INVALID, "'3-'"),
    Case("P07", QUIET, every(orders_active="", fills_count_today=""), INVALID, "holds nothing"),
    Case("P08", QUIET, cells(1, orders_active="nan"), INVALID, "'nan'"),
    Case("P09", QUIET, lambda w: [cells(0, orders_active="-1")(w), cells(1, orders_active="-3")(w)], INVALID, "'-1'"),
    Case("P10", QUIET, edited(lambda lines: [lines[0], *(line.rsplit(",", 1)[0] for line in lines[1:])]), INVALID, "32 fields"),
    Case("P11", QUIET, edited(lambda lines: [lines[0], *(line.replace("soft_pause", "soft,pause") for line in lines[1:])]), INVALID, "34 fields"),
    Case("P12", QUIET, edited(lambda lines: [lines[0].replace("orders_active", " orders_active"), *lines[1:]]), INVALID, "no column orders_active"),
    Case("P13", QUIET, columns_twice, INVALID, "more than once"),
    Case("P14", QUIET, edited(lambda lines: [line.replace(",", ";") for line in lines]), INVALID, "its header is"),
    Case("P15", QUIET, edited(lambda lines: [lines[0], "," * 32, "," * 32]), INVALID, "no instant in UTC: nothing"),
    Case("P15", QUIET, edited(lambda lines: [lines[0], ",,,,", ",,,,"]), INVALID, "5 fields"),
    Case("P16", "00:08 X S 0 0 / 00:09 X S 0 0 / 00:10 X S 0 0", edited(torn), INVALID, "1 fields"),
    Case("P18", "01:00 X S 0 0 / 01:00 X S 0 0", nothing, INVALID, "time stands still"),
    Case("P19", QUIET, earlier_day("2020-01-01"), INVALID, "no readable row in the window"),
    Case("P21", "00:00 X S 0 0 / 06:00 X S 0 0", nothing, INVALID, "no row for 6 h"),
    Case("P22", "01:09 X S 0 0 / 01:01 X S 0 0", nothing, INVALID, "time goes backwards"),
    Case("P23", "01:00 X S 0 0 / 01:01 X S 4 9 / 01:02 X S 0 0", cells(1, ts="22/02/2026 01:01"), INVALID, "'22/02/2026 01:01'"),
    Case("P26", QUIET, every(trading_pair="ETH-USDT"), INVALID, "trading_pair 'ETH-USDT'"),
    Case("P26", QUIET, every(bot_variant="b"), INVALID, "bot_variant 'b'"),
    Case("P27", QUIET, micro_cap, INVALID, "no_trade: false"),
    Case("P28", "01:00 X running 0 0 / 01:01 X hard_stop 0 0", nothing, FAIL, "the bot says running"),
    Case("P29", QUIET, cells(1, cancel_per_min="6", turnover_today_x="1.35", fees_paid_today_quote="0.004"), FAIL, "cancel_per_min is 6"),
    Case("P29", QUIET, cells(1, turnover_today_x="1.35"), FAIL, "turnover_today_x"),
    Case("P29", QUIET, cells(1, fees_paid_today_quote="0.004"), FAIL, "fees_paid_today_quote rose"),
    Case("P30", QUIET, cells(1, base_balance="0.0001", equity_quote="19.99"), FAIL, "base_balance moved"),
    Case("P30", QUIET, cells(2, equity_quote="19.99"), FAIL, "equity_quote moved from 20 to 19.99"),
    Case("P31", QUIET, setting(fills=[fill_row("01:00:40")]), FAIL, "fills.csv has a fill in the window"),
    Case("P32", QUIET, lambda w: w.change("orders", venue_order("01:00:20", "01:00:40")), FAIL, "an order of 0.0001 at the venue"),
    Case("P33", QUIET, resting, FAIL, "1 of open_orders at the venue"),
    Case("P34", QUIET, tail_fill, FAIL, "a fill at the venue"),
    Case("P34", QUIET, lambda w: w.change("fills", venue_fill(w.start_us)), FAIL, "a fill at the venue"),
    Case("P35", QUIET, every(mid="67500"), INVALID, "the venue's price moved meanwhile"),
    Case("P37", QUIET, edited(header_again), INVALID, "the header stands there again"),
    Case("F01", "23:58 X S 0 5 / 23:59 X S 0 5 / +00:00 X S 0 0 / +00:01 X S 0 0", nothing, PASS),
    Case("F02", "01:00 X S 0 3 / 01:02 X S 0 0", setting(restarts=(at("01:01"),)), PASS),
    Case("F02", "01:00 X S 0 3 / 01:02 X S 0 0", nothing, INVALID, "fell from 3 to 0"),
    Case("F03", "01:00 X S 0 3 / 01:01 X S 0 2 / 01:02 X S 0 2", nothing, INVALID, "fell from 3 to 2"),
    Case("F04", QUIET, shared_file, PASS),
    Case("F05", "01:00 X S 30 2 / 01:01 X S 30 2", nothing, INVALID, "restart the bot"),
    Case("F06", QUIET, edited(header_again), INVALID, "the header stands there again"),
    Case("F07", QUIET, every(exchange="bitget_perpetual "), PASS),
    Case("F07", QUIET, every(exchange="BITGET_PERPETUAL"), INVALID, "written 'BITGET_PERPETUAL'"),
    Case("F08", "00:08 X S 0 0 / 00:09 X S 0 0", edited(torn), PASS),
    Case("F08", "00:09 X S 0 0 / 00:10 X S 0 0", edited(torn), INVALID, "1 fields"),
    Case("F09", QUIET, raw(lambda data: data + b"\0" * 64), INVALID, "a NUL byte"),
    Case("F10", QUIET, raw(lambda data: data.decode().encode("utf-16")), INVALID, "UTF-16"),
    Case("F10", QUIET, raw(lambda data: data.replace(b"no_trade", b"no_tr\xe4de")), INVALID, "not UTF-8"),
    Case("F11", QUIET, cells(1, ts="1771722000"), INVALID, "seconds since the epoch"),
    Case("F11", QUIET, cells(1, ts="2026-02-22T01:01:00"), INVALID, "without a zone"),
    Case("F13", QUIET, cells(0, orders_active="nan"), INVALID, "'nan'"),
    Case("F14", QUIET, edited(lambda lines: [*lines[:2], '"' + lines[2], *lines[3:]]), INVALID, "cannot be read as CSV"),
    Case("F15", QUIET, raw(lambda data: b"\xef\xbb\xbf" + data), PASS),
)  # fmt: skip

FRONT_CASES = (
    Case("P17", "01:00 X S 0 0", setting(asked={"min-samples": "1"}), INVALID, "one row, compared with nothing"),
    Case("P17", "01:00 X S 0 0", setting(asked={"min-samples": "0"}), INVALID, "one row, compared with nothing"),
    Case("P17", "01:00 X S 0 0", setting(asked={"min-samples": "-5"}), INVALID, "one row, compared with nothing"),
    Case("P20", QUIET, lambda w: [earlier_day("2099-01-01")(w), w.asked.update({"since-minutes": "10"})], INVALID, "no readable row"),
    Case("P24", "01:00 X S 0 0 / 01:01 X S 0 0 / 01:02 Bitget_Perpetual running 5 7", setting(asked={"exchange-filter": "bitget_perpetual"}), FAIL, "running"),
    Case("P24", "01:00 X S 0 0 / 01:01 X S 0 0 / 01:02 binance running 5 7", setting(asked={"exchange-filter": "bitget_perpetual"}), INVALID, "binance"),
    Case("P25", QUIET, setting(asked={"expected-exchange": ""}), INVALID, "--expected-exchange is missing"),
    Case("P37", QUIET, lambda w: [edited(header_again)(w), w.asked.update({"exchange-filter": "bitget_perpetual"})], INVALID, "header"),
    Case("F07", QUIET, setting(asked={"expected-exchange": "bitget_perpetual "}), PASS),
    Case("F07", QUIET, setting(asked={"expected-exchange": "BITGET_PERPETUAL"}), INVALID, "'BITGET_PERPETUAL'"),
    Case("F11", QUIET, lambda w: [cells(1, ts="1771722000")(w), w.asked.update({"since-minutes": "10"})], INVALID, "seconds since the epoch"),
    Case("F12", QUIET, setting(asked={"since-minutes": "1"}), PASS),
    Case("P19", QUIET, lambda w: [earlier_day("2020-01-01")(w), w.asked.update({"min-samples": "2"})], INVALID, "no readable row"),
)  # fmt: skip

# P36 and P38 are about what is left on disk; their tests stand below.
IDS = {*(f"P{n:02}" for n in range(1, 39)), *(f"F{n:02}" for n in range(1, 16))}
ELSEWHERE = {"P36", "P38"}


def test_every_case_has_its_test():
    assert {case.id for case in (*CASES, *FRONT_CASES)} | ELSEWHERE == IDS


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_case_gets_the_verdict_it_must(case: Case, tmp_path: Path) -> None:
    window = NoTradeWindow.of(tmp_path, case.specs)
    case.defect(window)
    verdict = window.judge()
    told = "\n".join(finding.text() for finding in verdict.judgement.reasons())
    assert verdict.answer is case.must, told
    assert case.says in told
    report = latest(tmp_path)
    assert (report["verdict"], report["exit_code"]) == (case.must, case.must.exit_code)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_case_without_its_defect_passes(case: Case, tmp_path: Path) -> None:
    """Else a case would show nothing: what is INVALID anyway is INVALID for any reason."""
    assert NoTradeWindow.of(tmp_path, QUIET).judge().answer is PASS


def front() -> ModuleType:
    spec = importlib.util.spec_from_file_location("validate_notrade_window", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def through_the_front(window: NoTradeWindow) -> int:
    flags = {"expected-exchange": "bitget_perpetual"} | window.asked
    window.asked = {}
    asked = {name.replace("_", "-"): value for name, value in window.write().items()} | flags
    said = [f"--{name}={value}" for name, value in asked.items()]
    code: int = front().main([*said, f"--reports={window.folder / 'reports'}"])
    return code


@pytest.mark.parametrize("case", FRONT_CASES, ids=lambda case: case.id)
def test_a_case_with_the_old_flags_gets_the_verdict_it_must(
    case: Case, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    window = NoTradeWindow.of(tmp_path, case.specs)
    case.defect(window)
    assert through_the_front(window) == case.must.exit_code, capsys.readouterr().out
    assert case.says in capsys.readouterr().out
    assert latest(tmp_path)["verdict"] == case.must


def test_p36_latest_is_replaced_by_invalid_whatever_becomes_of_the_next_run(tmp_path: Path) -> None:
    window = NoTradeWindow.of(tmp_path, QUIET)
    asked = window.write()
    for ruin in ("header only", "no file", "crash"):
        (tmp_path / "minute.csv").write_bytes(window.minute_bytes())
        assert judge_window(Asked(**asked, reports=tmp_path / "reports")).answer is PASS
        assert latest(tmp_path)["verdict"] == PASS
        if ruin == "header only":
            (tmp_path / "minute.csv").write_text(values_text(COLUMNS))
        elif ruin == "no file":
            (tmp_path / "minute.csv").unlink()
        with pytest.MonkeyPatch.context() as patch:
            if ruin == "crash":
                patch.setattr("botproof.trial.judge_no_trade", lambda case: 1 / 0)
            assert judge_window(Asked(**asked, reports=tmp_path / "reports")).answer is INVALID
        assert latest(tmp_path)["verdict"] == INVALID


def test_p38_two_runs_inside_one_second_leave_two_reports(tmp_path: Path) -> None:
    asked = NoTradeWindow.of(tmp_path, QUIET).write()
    reports = {judge_window(Asked(**asked, reports=tmp_path / "reports")).report for _ in range(5)}
    assert len(reports) == 5
    assert all(report.is_file() for report in reports)
