"""E13: a hard stop stays until an operator lifts it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from streams import BUY, PREFIX, TERMS, Moment, Stream, micro_cap_run, retape, verdict_of, without
from streams_money import held_with_one_twice, lost_with_one_twice

from botproof.events import (
    BotRestarted,
    BotSample,
    BotStateChanged,
    Fact,
    OperatorAction,
    OrderState,
    RequestSent,
    RunEnded,
    Side,
    Source,
)
from botproof.invariants.latch import Latch
from botproof.invariants.verdict import Outcome, Verdict

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def say(state: str, *reasons: str) -> Moment:
    return lambda s: s.write(BotStateChanged(src=Source.BOT, t_local_us=s.now_us, state=state, reasons=reasons))


def operate(action: str) -> Moment:
    return lambda s: s.write(OperatorAction(src=Source.OPERATOR, t_local_us=s.now_us, action=action, detail=""))


def restart(s: Stream) -> None:
    s.write(BotRestarted(src=Source.RUN, t_local_us=s.now_us, start=2, client_id_prefix=f"{PREFIX}r2-"))


def wait(seconds: str) -> Moment:
    return lambda s: s.wait(seconds)


def enter(s: Stream) -> None:
    s.cancel(s.place(Side.BUY, BUY))


def leave(s: Stream) -> None:
    """An exit, refused because there is nothing to close."""
    s.answer(s.send(Side.SELL, BUY, exits=True).request, code="22002")


HARD: Moment = say("hard_stop", "day_loss")
STOP, RESUME = operate("stop"), operate("resume")


def run(*passages: Moment) -> list[Fact]:
    def flat(stream: Stream) -> None:
        for passage in passages:
            passage(stream)

    return micro_cap_run(flat=flat, trades=False)


def told(*passages: Moment) -> Verdict:
    return verdict_of("E13", run(*passages))


@pytest.mark.parametrize("begin", [HARD, STOP])
def test_a_hard_stop_in_which_nothing_is_sent_is_held(begin: Moment) -> None:
    verdict = told(enter, wait("1"), begin, wait("60"), leave)
    assert (verdict.outcome, verdict.exercise, verdict.peak, verdict.limit) == (Outcome.HELD, 1, 0, 0)


def test_without_a_hard_stop_it_is_not_shown() -> None:
    verdict = told(enter, say("soft_pause", "cooldown"), wait("90"), say("running"), enter)
    assert (verdict.outcome, verdict.lacks_only_exercise) == (Outcome.NOT_SHOWN, True)


@pytest.mark.parametrize(("after", "outcome"), [("60", Outcome.HELD), ("59.999999", Outcome.NOT_SHOWN)])
def test_it_takes_sixty_seconds_before_the_resume_to_show_it(after: str, outcome: Outcome) -> None:
    assert told(HARD, wait(after), RESUME, say("running"), enter).outcome is outcome


@pytest.mark.parametrize(("after", "outcome"), [("60", Outcome.HELD), ("59.999999", Outcome.NOT_SHOWN)])
def test_it_takes_sixty_seconds_before_the_end_to_show_it(after: str, outcome: Outcome) -> None:
    def flat(stream: Stream) -> None:
        stream.now_us = stream.window[1] - int(Decimal(after) * 1_000_000)
        HARD(stream)

    def back(stream: Stream) -> None:
        stream.now_us = stream.window[1] - 10_000_000

    facts = micro_cap_run(flat=lambda s: (flat(s), back(s)), trades=False)
    assert verdict_of("E13", facts).outcome is outcome


@pytest.mark.parametrize(("after", "broken"), [("0", False), ("0.000001", True), ("59", True)])
def test_no_entry_follows_the_bots_own_word(after: str, broken: bool) -> None:
    verdict = told(HARD, wait(after), enter, wait("60"))
    assert (verdict.outcome is Outcome.BROKEN) is broken
    if broken:
        assert f"the entry {PREFIX}1 was sent at" in verdict.reason
        assert "in its hard stop of 01:01:01.020 UTC that nobody lifted" in verdict.reason
        assert verdict.peak == 1


@pytest.mark.parametrize(("after", "broken"), [("1", False), ("1.000001", True)])
def test_an_operators_stop_leaves_a_second_for_what_is_in_flight(after: str, broken: bool) -> None:
    verdict = told(STOP, wait(after), enter, wait("60"))
    assert (verdict.outcome is Outcome.BROKEN) is broken
    assert broken is ("in its operator's hard stop" in verdict.reason)


@pytest.mark.parametrize("order", [(HARD, STOP), (STOP, HARD)])
def test_that_second_does_not_help_a_bot_that_had_stopped_itself(order: tuple[Moment, ...]) -> None:
    assert told(*order, wait("0.5"), enter, wait("60")).outcome is Outcome.BROKEN


def test_a_day_or_a_row_of_other_causes_does_not_lift_it() -> None:
    assert told(HARD, wait("3600"), enter).outcome is Outcome.BROKEN


@pytest.mark.parametrize(
    ("begin", "state"), [(HARD, "running"), (HARD, "soft_pause"), (HARD, "stopped"), (STOP, "running")]
)
def test_another_state_without_a_resume_breaks_it(begin: Moment, state: str) -> None:
    verdict = told(begin, wait("2"), say(state, "why"), wait("60"))
    assert f"the bot said {state} at" in verdict.reason
    assert verdict.outcome is Outcome.BROKEN


@pytest.mark.parametrize("state", ["soft_pause", "stopped"])
def test_what_a_bot_calls_its_operators_stop_is_its_own_affair(state: str) -> None:
    assert told(STOP, wait("3"), say(state, "external_pause"), wait("60")).outcome is Outcome.HELD
    assert told(STOP, wait("3"), HARD, wait("3"), say(state, "why"), wait("60")).outcome is Outcome.BROKEN


def row(state: str, ago: str = "0") -> Moment:
    """A row of minute.csv, written so many seconds ago and read now."""

    def write(s: Stream) -> None:
        written = EPOCH + timedelta(microseconds=s.now_us - int(Decimal(ago) * 1_000_000))
        cells = {"ts": written.isoformat(timespec="microseconds"), "state": state, "risk_reasons": "day_loss"}
        s.write(BotSample(src=Source.BOT, t_local_us=s.now_us, row=cells))

    return write


def test_a_hard_stop_that_stands_only_in_minute_csv_binds_the_bot() -> None:
    verdict = told(row("hard_stop"), wait("1"), enter, wait("60"))
    assert "in its hard stop of 01:01:01.020 UTC that nobody lifted" in verdict.reason
    assert told(row("hard_stop"), wait("60")).outcome is Outcome.HELD
    assert told(row("soft_pause"), wait("1"), enter, HARD, wait("60")).outcome is Outcome.HELD


def test_a_row_read_late_does_not_begin_anew_what_was_lifted() -> None:
    assert told(HARD, wait("60"), RESUME, wait("5"), row("hard_stop", "4"), wait("1"), enter).outcome is Outcome.HELD
    late = told(HARD, wait("60"), RESUME, wait("5"), row("hard_stop", "3.999999"), wait("1"), enter)
    assert late.outcome is Outcome.BROKEN


def test_a_row_of_hard_stop_whose_time_nobody_can_read_leaves_it_not_shown() -> None:
    def undated(s: Stream) -> None:
        s.write(BotSample(src=Source.BOT, t_local_us=s.now_us, row={"state": "hard_stop"}))

    verdict = told(undated, wait("5"), HARD, wait("60"))
    assert verdict.outcome is Outcome.NOT_SHOWN
    assert "nobody can say when" in verdict.reason
    assert told(HARD, wait("5"), undated, wait("60")).outcome is Outcome.HELD


def test_the_same_state_said_again_is_the_same_hard_stop() -> None:
    verdict = told(HARD, wait("20"), say("hard_stop", "day_loss", "drawdown"), wait("40"))
    assert (verdict.outcome, verdict.exercise) == (Outcome.HELD, 1)


def test_after_a_resume_the_bot_trades_and_may_stop_again() -> None:
    verdict = told(HARD, wait("60"), RESUME, say("running"), enter, wait("5"), HARD, wait("61"))
    assert (verdict.outcome, verdict.exercise) == (Outcome.HELD, 2)
    assert told(HARD, wait("60"), RESUME, enter, wait("5"), HARD, wait("1"), enter).outcome is Outcome.BROKEN


def test_a_resume_and_a_hard_stop_of_one_instant_leave_it_in_force() -> None:
    for order in ((RESUME, HARD), (HARD, RESUME)):
        assert told(HARD, wait("60"), *order, wait("1"), enter).outcome is Outcome.BROKEN


def test_a_restart_lifts_nothing() -> None:
    assert told(HARD, wait("5"), restart, wait("60")).outcome is Outcome.HELD
    assert told(HARD, wait("5"), restart, wait("5"), say("soft_pause", "starting"), wait("60")).outcome is Outcome.HELD
    assert told(HARD, wait("5"), restart, wait("5"), say("running"), wait("60")).outcome is Outcome.BROKEN
    assert told(HARD, wait("5"), restart, wait("5"), enter, wait("60")).outcome is Outcome.BROKEN
    assert told(HARD, wait("5"), say("soft_pause", "x"), restart, wait("60")).outcome is Outcome.BROKEN


def test_once_the_run_asks_the_bot_to_stop_only_entries_matter() -> None:
    facts = micro_cap_run(flat=HARD, trades=False, stopping=lambda s: say("soft_pause", "stopping")(s.wait(1)))
    assert verdict_of("E13", facts).outcome is Outcome.HELD
    facts = micro_cap_run(flat=HARD, trades=False, stopping=lambda s: enter(s.wait(1)))
    assert verdict_of("E13", facts).outcome is Outcome.BROKEN


def test_an_order_that_nobody_saw_being_sent_leaves_it_not_shown() -> None:
    def around(stream: Stream) -> None:
        order = stream.send(Side.BUY, BUY)
        stream.show(order, OrderState.CANCELED)

    facts = without(run(HARD, wait("5"), around, wait("60")), lambda f: isinstance(f, RequestSent) and f.is_entry)
    assert "nobody saw it being sent" in verdict_of("E13", facts).reason


@pytest.mark.parametrize("kind", [BotStateChanged, RunEnded])
def test_without_a_kind_that_it_needs_it_is_not_held(kind: type[Fact]) -> None:
    facts = without(run(HARD, wait("60")), lambda fact: isinstance(fact, kind))
    assert verdict_of("E13", facts).outcome is not Outcome.HELD


def test_without_the_resume_it_is_broken() -> None:
    facts = without(run(HARD, wait("60"), RESUME, wait("1"), enter), lambda fact: isinstance(fact, OperatorAction))
    assert verdict_of("E13", facts).outcome is Outcome.BROKEN


def test_a_resume_that_nobody_but_the_bot_claims_lifts_nothing() -> None:
    claim: Callable[[Fact], Fact] = lambda f: replace(f, src=Source.BOT) if isinstance(f, OperatorAction) else f  # noqa: E731
    facts = retape(map(claim, run(HARD, wait("60"), RESUME, wait("1"), enter)))
    assert verdict_of("E13", facts).outcome is Outcome.BROKEN


def test_no_fact_told_twice_changes_it() -> None:
    assert lost_with_one_twice(Latch, run(HARD, wait("60"), RESUME, wait("1"), enter)) == []
    assert held_with_one_twice(Latch, run(HARD, wait("60"), enter, RESUME)) == []
    assert held_with_one_twice(Latch, run(HARD, wait("30"), RESUME)) == []
    more = replace(TERMS, exercise=dict(TERMS.exercise) | {"E13": 2})
    facts = run(HARD, wait("60"), RESUME)
    doubled = retape([*facts[:-8], *[f for f in facts if isinstance(f, BotStateChanged | OperatorAction)], facts[-8]])
    assert verdict_of("E13", doubled, terms=more).exercise == 1
