"""The no-trade judge on files: a real file, a run on the fake, what each piece of evidence is worth, what it leaves."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from notrade_windows import COLUMNS, NO_TRADE, NoTradeWindow, at, clean_record, latest, venue_fill
from stages import a_stage, finished

from botproof.cli import main
from botproof.events import Action
from botproof.evidence import rows as evidence_rows
from botproof.evidence.books import VenueBooks
from botproof.evidence.sealed import read_sealed_run
from botproof.evidence.tape import Tape
from botproof.evidence.venuefile import read_venue_record, record_json, write_venue_record
from botproof.fakes.rogues import ROGUES
from botproof.notrade import columns
from botproof.notrade.answer import Answer
from botproof.notrade.record import PastBill, VenueRecord, read_record
from botproof.notrade.window import MINUTE_US, SECOND_US
from botproof.trial import Asked, Verdict, asked_of, judge_files, judge_window

PASS, FAIL, INVALID = Answer.PASS, Answer.FAIL, Answer.INVALID
WINDOW = {"start": "2026-02-22T01:37:00Z", "end": "2026-02-23T02:38:00Z"}


def reasons(verdict: Verdict) -> str:
    return "\n".join(f"{finding.rule} {finding.text()}" for finding in verdict.judgement.reasons())


def notes(verdict: Verdict) -> str:
    return "\n".join(f"{note.rule} {note.seen}" for note in verdict.judgement.notes())


def answers(verdict: Verdict) -> dict[str, Answer]:
    return {rule.rule: rule.answer for rule in verdict.judgement.rules}


# The file of the rollout.


@pytest.fixture
def sample() -> Path:
    folder = os.environ.get("BOTPROOF_DATA", "")
    path = Path(folder) / "samples" / "minute_bot1_a_20260222.csv"
    if not folder or not path.is_file():
        pytest.skip("BOTPROOF_DATA names no folder with samples/minute_bot1_a_20260222.csv")
    return path


def test_the_file_that_once_passed_is_invalid_for_its_window_and_says_why(sample: Path, tmp_path: Path) -> None:
    verdict = judge_window(Asked(minute_csv=str(sample), reports=tmp_path, **WINDOW))
    assert verdict.answer is INVALID
    told = reasons(verdict)
    for words in (
        "no profile",
        "bound to no profile, no run and no no_trade",
        "nothing names the run",
        "no venue record",
        "coverage 0.626",
        "939 of 1501 minutes",
        "no row for 9 h 16 min",
    ):
        assert words in told
    assert "52 of 'binance_perpetual_testnet', 14 of 'bitget_paper_trade'" in notes(verdict)
    assert "61 misaligned or unreadable rows lie outside the window" in notes(verdict)
    assert "misaligned" not in told
    assert "bitget_paper_trade" not in told
    assert answers(verdict)["R7"] is PASS


@pytest.mark.parametrize("window", [{}, {"start": "2026-02-20T18:39:00Z", "end": "2026-02-23T02:38:00Z"}])
def test_over_the_whole_file_its_venues_and_misaligned_rows_are_reasons(
    sample: Path, tmp_path: Path, window: dict[str, str]
) -> None:
    verdict = judge_window(Asked(minute_csv=str(sample), profile=NO_TRADE.id, reports=tmp_path, **window))
    assert verdict.answer is INVALID
    assert "21 fields where the header has 33 (61 times)" in reasons(verdict)
    assert "exchange 'bitget_paper_trade' in the window (14 times)" in reasons(verdict)
    assert "exchange 'binance_perpetual_testnet' in the window (52 times)" in reasons(verdict)


def test_the_same_file_without_fills_count_today_is_invalid(sample: Path, tmp_path: Path) -> None:
    place = sample.read_text().splitlines()[0].split(",").index("fills_count_today")
    cut = [line.split(",") for line in sample.read_text().splitlines()]
    path = tmp_path / "minute.csv"
    path.write_text("".join(",".join(cells[:place] + cells[place + 1 :]) + "\n" for cells in cut))
    verdict = judge_window(Asked(minute_csv=str(path), reports=tmp_path, **WINDOW))
    assert verdict.answer is INVALID
    assert "no column fills_count_today" in reasons(verdict)


# A run on the fake.


def test_an_order_placed_and_cancelled_between_two_rows_fails_from_the_venue_record_alone(tmp_path: Path) -> None:
    with a_stage(tmp_path, role="no_trade", bot=ROGUES["probing"].create) as stage:
        run = finished(stage).run
        assert run.sealed is not None
        assert run.window is not None
        start_us, end_us = run.window
        books = VenueBooks(stage.venue.connect(Tape()).observer, "BTCUSDT")
        record = stage.world.run(books.close(start_us, end_us, kind="fake", key="k", since_us=start_us - 3600 * 10**6))
    record = replace(record, fills=replace(record.fills, rows=()), bills=replace(record.bills, rows=()))
    window = NoTradeWindow.hour(tmp_path / "innocent", minutes=(end_us - start_us) // MINUTE_US, begin="01:01")
    clean = window.record
    assert clean is not None
    assert (window.start_us, window.end_us) == (start_us, end_us)
    assert window.judge().answer is PASS
    window.record = replace(clean, orders=record.orders)
    verdict = window.judge()
    assert verdict.answer is FAIL
    trading = [finding for finding in verdict.judgement.reasons() if finding.answer is FAIL]
    assert [finding.rule for finding in trading] == ["R8"]
    assert "an order of 0.0001 at the venue" in trading[0].seen


def test_the_books_of_the_fake_make_a_whole_record(tmp_path: Path) -> None:
    with a_stage(tmp_path, role="no_trade") as stage:
        stage.venue  # noqa: B018  the venue opens
        books = VenueBooks(stage.venue.connect(Tape()).observer, "BTCUSDT")
        now_us = stage.world.clock.now_us()
        assert stage.world.run(books.look()) is True
        stage.world.run_for(Decimal(120))
        record = stage.world.run(
            books.close(now_us + MINUTE_US, now_us + 2 * MINUTE_US, kind="fake", key="k", since_us=now_us)
        )
    assert record.account
    assert set(record.missing) == {"requests"}
    path = tmp_path / "venue.json"
    write_venue_record(path, record)
    assert read_venue_record(path)[0] == record


def test_the_sealed_run_of_a_clean_window_passes_and_its_record_goes_through_a_file(tmp_path: Path) -> None:
    with a_stage(tmp_path, role="no_trade") as stage:
        run = finished(stage).run
    assert run.sealed is not None
    assert run.window is not None
    asked = asked_of(run.sealed, run.plan.profile.id, run.window)
    assert judge_files(asked).answer is PASS
    output = tmp_path / "venue.json"
    written = CliRunner().invoke(main, ["judge", "venue-record", str(run.sealed), "--output", str(output)])
    assert written.exit_code == 0
    assert judge_files(replace(asked, venue_record=str(output))).answer is PASS
    assert read_venue_record(output)[0] == read_sealed_run(run.sealed).venue_record()


@pytest.mark.parametrize("name", ["tape.jsonl", "minute.csv", "fills.csv", "run.json"])
def test_a_sealed_run_that_was_touched_binds_nothing(tmp_path: Path, name: str) -> None:
    window = NoTradeWindow.hour(tmp_path)
    asked = Asked(**window.write(), reports=tmp_path / "reports")
    path = Path(asked.run_record) / name
    path.write_bytes(path.read_bytes() + b"\n")
    verdict = judge_window(asked)
    assert verdict.answer is INVALID
    assert "is not the file that was sealed" in reasons(verdict)


# What each piece is worth.


@pytest.mark.parametrize(
    ("piece", "rules"),
    [
        ("minute_csv", {"R3", "R5", "R6", "R7"}),
        ("profile", {"R4"}),
        ("run_record", {"R12"}),
        ("venue_record", {"R13", "R11", "R8", "R9"}),
    ],
)
def test_without_a_piece_its_rules_are_invalid(tmp_path: Path, piece: str, rules: set[str]) -> None:
    asked = NoTradeWindow.hour(tmp_path).write()
    verdict = judge_window(Asked(**asked | {piece: ""}, reports=tmp_path / "reports"))
    assert verdict.answer is INVALID
    assert {rule for rule, answer in answers(verdict).items() if answer is INVALID} >= rules


def test_fills_csv_is_taken_from_the_run_record_where_it_is_not_given(tmp_path: Path) -> None:
    asked = NoTradeWindow.hour(tmp_path).write()
    assert judge_window(Asked(**asked | {"fills_csv": ""}, reports=tmp_path / "reports")).answer is PASS


def test_trading_is_a_fail_without_any_venue_record(tmp_path: Path) -> None:
    window = NoTradeWindow.of(tmp_path, "01:00 X S 0 0 / 01:01 X S 0 1")
    window.record = None
    assert window.judge().answer is FAIL


@pytest.mark.parametrize("option", ["start", "end", "profile", "venue_record", "run_record", "minute_csv", "position"])
def test_what_cannot_be_read_is_invalid_and_is_written_down(tmp_path: Path, option: str) -> None:
    asked = NoTradeWindow.hour(tmp_path).write()
    verdict = judge_window(Asked(**asked | {option: "/no such\nthing"}, reports=tmp_path / "reports"))
    assert verdict.answer is INVALID
    assert latest(tmp_path)["verdict"] == "INVALID"


def test_on_live_the_known_orders_of_the_closure_must_have_been_returned(tmp_path: Path) -> None:
    window = NoTradeWindow.hour(tmp_path)
    assert window.record is not None
    window.record = replace(window.record, known_orders=())
    verdict = window.judge()
    assert (verdict.answer, answers(verdict)["R11"]) == (INVALID, INVALID)
    window.record = replace(window.record, venue="fake")
    verdict = window.judge()
    assert verdict.answer is PASS
    assert "on live that alone makes it INVALID" in notes(verdict)


def test_equity_that_a_transfer_moved_is_a_note(tmp_path: Path) -> None:
    window = NoTradeWindow.hour(tmp_path)
    for row in window.rows[30:]:
        row["equity_quote"] = "30"
    assert window.judge().answer is FAIL
    transfer = PastBill(
        bill_id="1",
        symbol="",
        business_type="trans_from_exchange",
        amount=Decimal(10),
        fee=Decimal(0),
        at_us=at("01:29:30"),
    )
    window.change("bills", transfer)
    verdict = window.judge()
    assert verdict.answer is PASS
    assert "by transfers of 10 USDT" in notes(verdict)


def test_a_declared_position_may_stay_and_an_undeclared_one_may_not(tmp_path: Path) -> None:
    window = NoTradeWindow.hour(tmp_path)
    assert window.record is not None
    held = window.record.positions
    assert held is not None
    rows = tuple(row._replace(size=Decimal("-0.0001")) for row in held.rows)
    window.record = replace(window.record, positions=replace(held, rows=rows))
    assert window.judge().answer is INVALID
    window.asked = {"position": "-0.0001"}
    assert window.judge().answer is PASS


def test_cancels_of_the_minute_before_the_window_are_a_note_and_later_ones_a_fail(tmp_path: Path) -> None:
    window = NoTradeWindow.hour(tmp_path)
    window.rows[0]["cancel_per_min"] = "2"
    verdict = window.judge()
    assert verdict.answer is PASS
    assert "cancel_per_min is 2, of the minute before the window" in notes(verdict)
    window.rows[1]["cancel_per_min"] = "2"
    assert window.judge().answer is FAIL


def test_requests_before_the_window_may_cancel_and_set_up_but_not_place(tmp_path: Path) -> None:
    for action, must in (
        (Action.CANCEL, PASS),
        (Action.SET_LEVERAGE, PASS),
        (Action.PLACE, FAIL),
        (Action.OTHER, FAIL),
    ):
        window = NoTradeWindow.hour(tmp_path / action)
        window.requests = [(window.start_us - 5 * SECOND_US, action, "00000")]
        assert window.judge().answer is must, action


def test_the_rows_may_bind_themselves_where_the_run_did_not_seal_them(tmp_path: Path) -> None:
    window = NoTradeWindow.hour(tmp_path)
    window.columns = (*COLUMNS, "profile_sha256", "run_id", "no_trade")
    for row in window.rows:
        row.update(profile_sha256=NO_TRADE.sha256, run_id="live-no-trade-1", no_trade="True")
    asked = window.write()
    path = Path(asked["minute_csv"])
    path.write_bytes(path.read_bytes() + b"\n")
    verdict = judge_window(Asked(**asked, reports=tmp_path / "reports"))
    assert verdict.answer is PASS
    assert "not the file that the run sealed" in notes(verdict)


def test_a_venue_record_survives_its_file_and_a_change_in_it_does_not(tmp_path: Path) -> None:
    record = clean_record(at("01:00"), at("02:00"))
    body = orjson.loads(orjson.dumps(record_json(record)))
    assert read_record(body) == record
    body["sources"]["orders"]["rows"][0]["state"] = "canceled"
    assert "sha256" in read_record(body).flaws[0]


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    ),
    st.sampled_from(("sources", "orders", "rows", "known_orders", "missing", "start", "venue", "")),
)
def test_any_json_in_place_of_a_venue_record_is_a_flaw_and_no_traceback(value, place):
    body = orjson.loads(orjson.dumps(record_json(clean_record(at("01:00"), at("02:00")))))
    if place == "rows":
        body["sources"]["orders"]["rows"] = value
    elif place == "orders":
        body["sources"]["orders"] = value
    elif place:
        body[place] = value
    else:
        body = value
    found = read_record(body)
    assert isinstance(found, VenueRecord)
    assert found.flaws or place == "missing" or value in ([], {}) or found.known_orders == ()


# What is left, and what is said.


def test_a_report_has_the_fields_of_the_old_tool_and_the_new_ones(tmp_path: Path) -> None:
    window = NoTradeWindow.hour(tmp_path)
    verdict = window.judge()
    report = json.loads(verdict.report.read_bytes())
    assert report == latest(tmp_path)
    assert (report["status"], report["verdict"], report["sample_count"], report["fills_increase"]) == (
        "pass",
        "PASS",
        60,
        0,
    )
    assert all(report["checks"].values())
    assert report["first_ts"] == "2026-02-22T01:00:00.000000+00:00"
    assert report["last_ts"] == "2026-02-22T01:59:00.000000+00:00"
    assert report["profile"]["sha256"] == NO_TRADE.sha256
    assert report["bot"] == {"name": "bot1", "version": "2.12.0"}
    assert [rule["rule"] for rule in report["rules"]] == [f"R{n}" for n in range(1, 15)]
    named = {each["name"]: each for each in report["inputs"]}
    assert set(named) == {"terms", "profile", "run record", "venue record", "minute.csv", "fills.csv"}
    assert named["minute.csv"]["bytes"] == len(window.minute_bytes())
    assert set(report) >= {
        *("ts_utc", "status", "minute_csv", "total_rows_read", "rows_filtered_out", "sample_count"),
        *("expected_exchange", "exchange_filter", "since_minutes", "fills_increase", "max_orders_active", "checks"),
    }


def test_a_folder_that_cannot_be_written_is_refused_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    result = run("judge", "no-trade", f"--reports={tmp_path / 'taken'}")
    assert result.exit_code == 2
    assert result.stderr.startswith("botproof: ")
    assert len(result.stderr.splitlines()) == 1


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(main, list(arguments))
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda window: None, 0),
        (lambda window: window.change("fills", venue_fill(at("01:30"))), 1),
        (lambda window: window.rows.pop(30) and window.rows.pop(30) and window.rows.pop(30), 2),
    ],
)
def test_the_command_says_the_answer_each_rule_and_the_reasons(
    tmp_path: Path, change: Callable[[NoTradeWindow], None], code: int
) -> None:
    window = NoTradeWindow.hour(tmp_path)
    change(window)
    options = [f"--{name.replace('_', '-')}={value}" for name, value in window.write().items()]
    result = run("judge", "no-trade", *options, f"--reports={tmp_path / 'reports'}")
    assert (result.exit_code, result.stderr) == (code, "")
    lines = result.stdout.splitlines()
    assert lines[0] == f"no-trade: {('PASS', 'FAIL', 'INVALID')[code]}"
    assert [line.split()[0] for line in lines[1:15]] == [f"R{n}" for n in range(1, 15)]
    assert lines[-1].startswith("report: ")


def test_the_rollouts_script_says_what_is_missing_and_why(tmp_path: Path) -> None:
    script = Path(__file__).parents[1] / "scripts" / "release" / "validate_notrade_window.py"
    minute = NoTradeWindow.hour(tmp_path).write()["minute_csv"]
    result = subprocess.run(
        [sys.executable, script, "--minute-csv", minute, "--min-samples", "2", "--reports", tmp_path / "reports"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stderr) == (2, "")
    assert "--venue-record is missing: without it an order that was placed and cancelled" in result.stdout
    assert latest(tmp_path)["verdict"] == "INVALID"


def test_the_judge_never_reads_the_clock(tmp_path: Path) -> None:
    """The one reading names the report."""
    asked = NoTradeWindow.hour(tmp_path).write()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("botproof.trial.datetime", None)
        assert judge_files(Asked(**asked)).answer is PASS


def test_the_columns_are_those_that_the_writers_write() -> None:
    assert evidence_rows.MINUTE[:33] == columns.MINUTE
    assert evidence_rows.FILLS[:17] == columns.FILLS


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("run.json", b"[]"),
        ("run.json", b"{"),
        ("tape.jsonl", b'{"kind":"RunStarted"}\n'),
        ("tape.jsonl", b"[1]\n"),
        ("tape.jsonl", b""),
        ("manifest.json", b'{"files":[{}]}'),
        ("manifest.json", b"[]"),
        ("manifest.json", b"\xff"),
    ],
)
def test_a_sealed_folder_of_nonsense_is_invalid_and_trading_beside_it_is_still_a_fail(
    tmp_path: Path, name: str, content: bytes
) -> None:
    asked = NoTradeWindow.of(tmp_path, "01:00 X S 0 0 / 01:01 X S 0 1").write()
    (Path(asked["run_record"]) / name).write_bytes(content)
    asked["venue_record"] = asked["run_record"]
    assert judge_window(Asked(**asked, reports=tmp_path / "reports")).answer is FAIL


def test_a_file_of_countless_names_is_told_in_a_few_lines(tmp_path: Path) -> None:
    window = NoTradeWindow.hour(tmp_path, minutes=1200, begin="00:10")
    for number, row in enumerate(window.rows):
        row["exchange"] = f"venue{number}"
    verdict = window.judge()
    assert verdict.answer is INVALID
    assert len(verdict.judgement.reasons()) < 600
