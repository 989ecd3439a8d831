"""Closure, sentence by sentence: what an operator reads beside each requirement, and where its edges lie."""

from dataclasses import replace

import pytest
from test_closure import TERMS_NAMED, missing, no_trade, reasons, run, verdicts

from botproof import closure
from botproof.closure import REQUIREMENTS, Status, close
from botproof.invariants.verdict import Outcome

SHOWN_BY_RUNS = ("K0", "K4", "K5", "K6", "K8")


def test_every_requirement_is_told_with_its_text_and_a_plain_yes_or_no() -> None:
    told = close([run(), no_trade()], TERMS_NAMED).requirements
    assert {item.id: item.text for item in told} == REQUIREMENTS
    assert {item.shown for item in told} == {True, False}
    assert [item.shown for item in told] == [item.id in SHOWN_BY_RUNS for item in told]
    assert all(type(item.shown) is bool for item in told)


def test_it_is_completed_where_everything_that_is_required_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    required = {id_: text for id_, text in REQUIREMENTS.items() if id_ in SHOWN_BY_RUNS}
    monkeypatch.setattr(closure, "REQUIREMENTS", required)
    assert close([run()], TERMS_NAMED).status is Status.COMPLETED
    assert close([run(), run(verdicts=verdicts(E1=Outcome.BROKEN))], TERMS_NAMED).status is Status.PARTIAL


def test_without_a_run_the_bot_of_the_rollout_is_not_looked_for() -> None:
    assert missing()["K0"] == "no run was judged"


def test_a_run_of_another_bot_beside_one_of_the_rollout_takes_nothing_from_it() -> None:
    assert "K0" not in missing(run(), run(bot="reference"))


def test_other_bots_are_named_in_the_order_of_their_names() -> None:
    others = [run(bot=name) for name in ("zeta", "alpha", "zeta")]
    assert missing(*others)["K0"] == (
        "the bot judged is not the bot of the rollout: alpha, zeta was judged, the terms name bot1"
    )


def test_every_breach_is_named_with_its_run_and_every_promise_that_is_not_held() -> None:
    broken = run(verdicts=verdicts(E1=Outcome.BROKEN, E3=Outcome.BROKEN, C4=Outcome.BROKEN, C9=Outcome.BROKEN))
    assert missing(broken)["K5"] == "BROKEN on the bot under proof: E1 in r1, E3 in r1"
    assert missing(broken)["K8"] == "BROKEN on the bot under proof: C4 in r1, C9 in r1"
    idle = Outcome.NOT_SHOWN
    short = run(verdicts=verdicts(E1=idle, E3=idle, C4=idle, C9=idle))
    assert missing(short)["K5"] == "not HELD in live micro-cap windows: E1 (0 of 1), E3 (0 of 1)"
    assert missing(short)["K8"] == "not HELD in live windows: C4 (0 of 1), C9 (0 of 1)"


def test_what_keeps_the_activity_open_is_told_in_one_sentence() -> None:
    assert missing()["K6"] == "no complete live micro-cap window of the bot under proof, of sufficient length"
    assert missing(run(verdicts=verdicts(E16=Outcome.NOT_SHOWN)))["K6"] == (
        "idle window: the live venue accepted no order of the bot"
    )
    assert missing(run(verdicts=verdicts(E10=Outcome.NOT_SHOWN)))["K6"] == "the live venue showed no fill with its exit"


def test_what_keeps_the_no_trade_window_open_is_told_in_one_sentence() -> None:
    assert missing(run())["K7"] == "no complete live no-trade window of the bot under proof"
    assert missing(no_trade(verdicts=verdicts(N1=Outcome.NOT_SHOWN)))["K7"] == (
        "N1 is not HELD in the live no-trade window"
    )
    assert missing(no_trade())["K7"] == "the live no-trade window has no sensitivity proof (R11)"


def test_runs_elsewhere_are_named_where_they_are_of_the_window_that_is_missing() -> None:
    assert missing(no_trade(), no_trade(venue="fake"))["K4"] == (
        "no complete live micro-cap window of the bot under proof"
    )
    assert missing(run(venue="rehearsal"), run(venue="fake"), run(complete=False))["K4"] == (
        "no complete live micro-cap window of the bot under proof; runs on fake, rehearsal prove the harness only"
    )


@pytest.mark.parametrize(("window_s", "minutes"), [(59, 0), (60, 1), (840, 14)])
def test_the_longest_window_is_told_in_whole_minutes(window_s: int, minutes: int) -> None:
    assert missing(run(window_s=window_s), run(window_s=1))["K4"] == (
        f"the longest live micro-cap window is {minutes} min, 15 min is the least that counts"
    )


def test_a_held_promise_of_another_profile_of_the_bot_counts_only_if_the_terms_name_its_bytes() -> None:
    assert "K4" not in missing(run())
    assert "K4" in missing(run(profile_id="other", profile_sha256=run().profile_sha256))
    unnamed = replace(TERMS_NAMED, bot_profiles={})
    assert {item.id for item in close([run()], unnamed).missing} >= {"K0", "K4", "K5", "K6", "K8"}


def test_what_is_needed_of_a_promise_is_what_the_terms_ask_for_and_one_where_they_do_not_name_it() -> None:
    idle = run(verdicts=verdicts(E1=Outcome.NOT_SHOWN, E3=Outcome.NOT_SHOWN))
    asking = replace(TERMS_NAMED, exercise={"E1": 3})
    assert reasons(close([idle], asking))["K5"] == "not HELD in live micro-cap windows: E1 (0 of 3), E3 (0 of 1)"
