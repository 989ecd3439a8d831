"""E15: a pause and a hard stop always carry a recorded reason."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from streams import NO_TRADE, TERMS, Moment, Stream, micro_cap_run, nothing, verdict_of, without
from streams_money import held_with_one_twice, lost_with_one_twice
from streams_rows import of, with_rows

from botproof.events import BotSample, BotStateChanged, Fact, Source
from botproof.invariants.reasons import NO_REASON, Reasons
from botproof.invariants.verdict import Outcome, Verdict


def row(stream: Stream, state: object = "soft_pause", reasons: object = "order_book_stale", ts: str = "1") -> None:
    cells: Mapping[str, object] = {"ts": ts, "state": state, "risk_reasons": reasons}
    cells = {column: cell for column, cell in cells.items() if cell is not None}
    stream.write(BotSample(src=Source.BOT, t_local_us=stream.now_us, row=cells))  # type: ignore[arg-type]


def say(stream: Stream, state: str, *reasons: str) -> None:
    stream.write(BotStateChanged(src=Source.BOT, t_local_us=stream.now_us, state=state, reasons=reasons))


def run(*passages: Moment) -> list[Fact]:
    def flat(stream: Stream) -> None:
        for passage in passages:
            passage(stream.wait(1))

    return with_rows(micro_cap_run(flat=flat))


def told(*passages: Moment) -> Verdict:
    return verdict_of("E15", run(*passages))


def test_a_pause_with_its_reason_in_word_and_row_is_held() -> None:
    verdict = told(lambda s: say(s, "soft_pause", "order_book_stale"), row)
    assert (verdict.outcome, verdict.exercise) == (Outcome.HELD, 1)


@pytest.mark.parametrize("passage", [nothing, lambda s: row(s, "running", "")])
def test_a_bot_that_only_ran_shows_nothing(passage: Moment) -> None:
    verdict = told(passage)
    assert (verdict.outcome, verdict.lacks_only_exercise) == (Outcome.NOT_SHOWN, True)
    assert verdict.reason == "0 of 1 rows of minute.csv that are not running"


@pytest.mark.parametrize("state", ["soft_pause", "hard_stop"])
@pytest.mark.parametrize("reasons", [*sorted(NO_REASON), " ", "|", " None | ", None])
def test_a_row_that_is_not_running_without_a_reason_breaks_it(state: str, reasons: str | None) -> None:
    verdict = told(lambda s: row(s, state, reasons))
    assert verdict.reason == f"the row of 1 in minute.csv says {state} at 01:01:02.020 UTC, and gives no reason"


@pytest.mark.parametrize("reasons", [(), ("",), (" ", "none")])
def test_a_state_that_is_not_running_without_a_reason_breaks_it(reasons: tuple[str, ...]) -> None:
    assert "the bot said soft_pause at" in told(row, lambda s: say(s, "soft_pause", *reasons)).reason


def test_one_reason_among_blanks_is_enough() -> None:
    assert told(lambda s: say(s, "hard_stop", "", "day_loss"), lambda s: row(s, reasons="|high_vol|")).outcome == "HELD"


@pytest.mark.parametrize("state", ["paused", "RUNNING", "running ", "soft-pause"])
def test_a_word_that_is_no_state_breaks_it(state: str) -> None:
    assert "which is no state" in told(lambda s: row(s, state, "because")).reason
    assert "which is no state" in told(row, lambda s: say(s, state, "because")).reason


@pytest.mark.parametrize("state", [None, ""])
def test_a_row_without_a_state_leaves_it_not_shown(state: str | None) -> None:
    verdict = told(row, lambda s: row(s, state, "because", ts="2"))
    assert (verdict.outcome, verdict.lacks_only_exercise) == (Outcome.NOT_SHOWN, False)
    assert verdict.reason == "the row of 2 in minute.csv has no state"


def test_a_state_or_a_reason_that_is_no_text_breaks_it_and_raises_nothing() -> None:
    assert told(lambda s: row(s, 7)).outcome is Outcome.BROKEN
    assert told(lambda s: row(s, reasons=["because"])).outcome is Outcome.BROKEN


def test_a_running_bot_may_note_reasons() -> None:
    assert (
        told(row, lambda s: row(s, "running", "below_minimum"), lambda s: say(s, "running", "note")).outcome == "HELD"
    )


def test_rows_without_the_bots_own_word_are_not_held() -> None:
    facts = without(run(row), lambda fact: isinstance(fact, BotStateChanged))
    assert verdict_of("E15", facts).reason == "the bot never told its state"


def test_a_row_written_twice_is_one_exercise() -> None:
    more = replace(TERMS, exercise=dict(TERMS.exercise) | {"E15": 2})
    facts = run(row, row)
    assert verdict_of("E15", facts, terms=more).reason == "1 of 2 rows of minute.csv that are not running"
    assert verdict_of("E15", run(row, lambda s: row(s, ts="2")), terms=more).outcome is Outcome.HELD


def test_a_no_trade_bot_shows_it_like_any_other() -> None:
    facts = with_rows(micro_cap_run(profile=NO_TRADE, trades=False, flat=row))
    assert verdict_of("E15", facts, NO_TRADE).outcome is Outcome.HELD


def test_a_pause_is_not_shown_where_minutes_have_no_row() -> None:
    facts = run(row)
    assert verdict_of("E15", facts).outcome is Outcome.HELD
    rows = [sample for sample in of(facts, BotSample) if sample.row["state"] == "running"]
    verdict = verdict_of("E15", without(facts, lambda fact: fact in rows[1:]))
    assert verdict.reason == "minute.csv is without a row for 120 s at the end of the window, 90 s is the most"


def test_no_fact_told_twice_changes_it() -> None:
    assert held_with_one_twice(Reasons, run()) == []
    assert held_with_one_twice(Reasons, run(row, lambda s: say(s, "hard_stop"))) == []
    assert lost_with_one_twice(Reasons, run(row, lambda s: say(s, "hard_stop", "day_loss"))) == []
