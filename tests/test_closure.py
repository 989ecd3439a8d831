"""Closure: COMPLETED only where everything is shown, else PARTIAL and why."""

from dataclasses import replace

import pytest
from streams import MICRO_CAP, NO_TRADE, TERMS, micro_cap_run, no_trade_run

from botproof.closure import Closure, RunRecord, Status, close
from botproof.invariants.catalogue import PROMISES
from botproof.invariants.judge import judge
from botproof.invariants.verdict import Outcome, Verdict
from botproof.terms import Terms

TERMS_NAMED = replace(
    TERMS, bot_name="bot1", bot_version="7", bot_profiles={p.id: p.sha256 for p in (MICRO_CAP, NO_TRADE)}
)


def verdicts(outcome: Outcome = Outcome.HELD, **other: Outcome) -> tuple[Verdict, ...]:
    return tuple(
        Verdict(id=id_, promise=text, outcome=other.get(id_, outcome), exercise=1) for id_, text in PROMISES.items()
    )


def run(**changes: object) -> RunRecord:
    """A live micro-cap run of the bot under proof in which everything is HELD."""
    record = RunRecord(
        run_id="r1",
        scenario="s",
        bot="bot1",
        bot_version="7",
        venue="live",
        profile_id=MICRO_CAP.id,
        profile_sha256=MICRO_CAP.sha256,
        terms_sha256=TERMS.sha256,
        mode="live_microcap",
        complete=True,
        agreement=True,
        window_s=900,
        verdicts=verdicts(),
    )
    return replace(record, **changes)  # type: ignore[arg-type]


def no_trade(**changes: object) -> RunRecord:
    record = run(mode="live_notrade", profile_id=NO_TRADE.id, profile_sha256=NO_TRADE.sha256, window_s=3600)
    return replace(record, **changes)  # type: ignore[arg-type]


def reasons(closure: Closure) -> dict[str, str]:
    return {item.id: item.reason for item in closure.missing}


def missing(*runs: RunRecord) -> dict[str, str]:
    return reasons(close(runs, TERMS_NAMED))


def test_no_run_closes_nothing_and_every_requirement_says_why() -> None:
    closure = close([], TERMS_NAMED)
    assert closure.status is Status.PARTIAL
    assert [item.id for item in closure.requirements] == [f"K{n}" for n in range(13)]
    assert set(reasons(closure)) == {f"K{n}" for n in range(13)}
    assert all(reasons(closure).values())


def test_a_live_run_of_the_bot_under_proof_shows_what_runs_can_show() -> None:
    shown = {item.id for item in close([run(), no_trade()], TERMS_NAMED).requirements if item.shown}
    assert shown == {"K0", "K4", "K5", "K6", "K8"}


def test_a_run_that_was_judged_by_other_terms_shows_nothing_until_it_is_judged_again() -> None:
    other = "0" * 64
    found = missing(run(terms_sha256=other), no_trade(terms_sha256=other))
    assert found["K4"] == "each live micro-cap window was judged by other terms: judge it again by these"
    assert found["K7"] == "each live no-trade window was judged by other terms: judge it again by these"
    assert {"K5", "K6", "K8"} <= set(found)


def test_one_run_judged_by_these_terms_is_enough_beside_others() -> None:
    assert "K4" not in missing(run(), run(run_id="r2", terms_sha256="0" * 64))


def test_what_is_broken_by_other_terms_still_counts() -> None:
    worse = run(run_id="r2", terms_sha256="0" * 64, verdicts=verdicts(E1=Outcome.BROKEN))
    assert missing(run(), no_trade(), worse)["K5"] == "BROKEN on the bot under proof: E1 in r2"


def test_nothing_is_completed_while_anything_is_missing() -> None:
    assert close([run(), no_trade()], TERMS_NAMED).status is Status.PARTIAL


@pytest.mark.parametrize("venue", ["fake", "rehearsal", "demo"])
def test_a_perfect_run_elsewhere_never_shows_k4_to_k8(venue: str) -> None:
    gone = missing(run(venue=venue), no_trade(venue=venue))
    assert {"K4", "K5", "K6", "K7", "K8"} <= set(gone)
    assert (
        gone["K4"]
        == f"no complete live micro-cap window of the bot under proof; runs on {venue} prove the harness only"
    )


def test_runs_of_another_bot_close_nothing() -> None:
    gone = missing(run(bot="reference", bot_version="1"))
    assert gone["K0"] == ("the bot judged is not the bot of the rollout: reference was judged, the terms name bot1")
    assert {"K4", "K5", "K6", "K8"} <= set(gone)


@pytest.mark.parametrize("change", [{"bot_version": "8"}, {"profile_sha256": "0" * 64}, {"profile_id": "other"}])
def test_another_version_or_other_bytes_are_another_bot(change: dict[str, str]) -> None:
    gone = missing(run(**change))
    assert "no run was of bot1 7" in gone["K0"]
    assert "K4" in gone


def test_while_the_terms_leave_the_version_unset_nothing_is_shown() -> None:
    closure = close([run(bot_version="unset")], replace(TERMS_NAMED, bot_version="unset"))
    assert "leave the version of bot1 unset" in reasons(closure)["K0"]
    assert "K4" in reasons(closure)


@pytest.mark.parametrize("change", [{"complete": False}, {"agreement": False}])
def test_a_run_that_was_cut_short_or_disagreed_does_not_count(change: dict[str, bool]) -> None:
    assert {"K4", "K5", "K6", "K8"} <= set(missing(run(**change)))


def test_a_window_counts_from_exactly_its_least_length() -> None:
    assert "K4" not in missing(run(window_s=900))
    assert missing(run(window_s=899))["K4"] == (
        "the longest live micro-cap window is 14 min, 15 min is the least that counts"
    )


@pytest.mark.parametrize("promise", ["E1", "E9", "E16"])
def test_one_promise_not_shown_live_keeps_k5_open(promise: str) -> None:
    gone = missing(run(verdicts=verdicts(**{promise: Outcome.NOT_SHOWN})))
    assert gone["K5"] == f"not HELD in live micro-cap windows: {promise} (0 of 1)"


def test_some_promises_may_be_held_in_a_rehearsal() -> None:
    live = run(verdicts=verdicts(E11=Outcome.NOT_SHOWN))
    assert "K5" in missing(live)
    assert "K5" in missing(live, run(venue="fake"))
    assert "K5" not in missing(live, run(venue="rehearsal"))
    assert "K5" in missing(run(verdicts=verdicts(E1=Outcome.NOT_SHOWN)), run(venue="rehearsal"))


@pytest.mark.parametrize("venue", ["fake", "rehearsal", "live"])
def test_a_promise_broken_anywhere_keeps_k5_open(venue: str) -> None:
    gone = missing(run(), run(run_id="r2", venue=venue, verdicts=verdicts(E2=Outcome.BROKEN)))
    assert gone["K5"] == "BROKEN on the bot under proof: E2 in r2"


def test_what_another_bot_broke_is_not_held_against_the_bot_under_proof() -> None:
    assert "K5" not in missing(run(), run(bot="reference", verdicts=verdicts(Outcome.BROKEN)))


def test_an_idle_window_keeps_k6_open() -> None:
    assert "idle window" in missing(run(verdicts=verdicts(E16=Outcome.NOT_SHOWN)))["K6"]
    assert "no fill with its exit" in missing(run(verdicts=verdicts(E10=Outcome.NOT_SHOWN)))["K6"]


def test_a_no_trade_window_needs_its_length_its_verdict_and_its_sensitivity_proof() -> None:
    assert "no complete live no-trade window" in missing(run())["K7"]
    assert "59 min" in missing(no_trade(window_s=3599))["K7"]
    assert "N1 is not HELD" in missing(no_trade(verdicts=verdicts(N1=Outcome.NOT_SHOWN)))["K7"]
    assert "sensitivity proof" in missing(no_trade())["K7"]


def test_n1_of_a_short_window_does_not_show_k7_beside_a_long_one_without_it() -> None:
    long, short = no_trade(verdicts=verdicts(N1=Outcome.NOT_SHOWN)), no_trade(run_id="r2", window_s=3599)
    assert "N1 is not HELD" in missing(long, short)["K7"]
    assert "sensitivity proof" in missing(long, no_trade(run_id="r2"))["K7"]


@pytest.mark.parametrize("change", [{}, {"venue": "fake"}, {"window_s": 60}, {"complete": False}])
def test_n1_broken_in_any_run_of_the_bot_under_proof_keeps_k7_open(change: dict[str, object]) -> None:
    broken = no_trade(run_id="r2", verdicts=verdicts(N1=Outcome.BROKEN), **change)
    assert missing(no_trade(), broken)["K7"] == "BROKEN on the bot under proof: N1 in r2"
    assert "sensitivity proof" in missing(no_trade(), replace(broken, bot="other"))["K7"]


@pytest.mark.parametrize(("window_s", "counts"), [(900, True), (899, False)])
def test_a_rehearsed_window_is_as_long_as_a_live_one_must_be(window_s: int, counts: bool) -> None:
    live = run(verdicts=verdicts(E11=Outcome.NOT_SHOWN))
    assert ("K5" not in missing(live, run(run_id="r2", venue="rehearsal", window_s=window_s))) is counts


def test_an_identity_not_held_or_broken_keeps_k8_open() -> None:
    assert missing(run(verdicts=verdicts(C4=Outcome.NOT_SHOWN)))["K8"] == "not HELD in live windows: C4 (0 of 1)"
    assert missing(run(verdicts=verdicts(C4=Outcome.BROKEN)))["K8"] == "BROKEN on the bot under proof: C4 in r1"


def lacking(exercise: int, *ids: str, only: bool = True, needed: int = 2) -> tuple[Verdict, ...]:
    """Everything HELD but `ids`, which were exercised `exercise` times where `needed` are asked for."""
    return tuple(
        replace(v, outcome=Outcome.NOT_SHOWN, exercise=exercise, needed=needed, lacks_only_exercise=only)
        if v.id in ids
        else v
        for v in verdicts()
    )


def asking(needed: int, *ids: str) -> Terms:
    return replace(TERMS_NAMED, exercise=dict(TERMS_NAMED.exercise) | dict.fromkeys(ids, needed))


def test_exercise_adds_up_over_live_windows() -> None:
    terms = asking(2, "E1", "C4")
    one = run(verdicts=lacking(1, "E1", "C4"))
    gone = reasons(close([one], terms))
    assert gone["K5"] == "not HELD in live micro-cap windows: E1 (1 of 2)"
    assert gone["K8"] == "not HELD in live windows: C4 (1 of 2)"
    assert not {"K5", "K8"} & set(reasons(close([one, replace(one, run_id="r2")], terms)))


def test_one_unit_too_little_over_all_windows_does_not_add_up() -> None:
    runs = [run(run_id=f"r{n}", verdicts=lacking(1, "E1", needed=4)) for n in range(3)]
    assert reasons(close(runs, asking(4, "E1")))["K5"] == "not HELD in live micro-cap windows: E1 (3 of 4)"
    assert "K5" not in reasons(close(runs, asking(3, "E1")))


def test_one_window_told_twice_counts_once() -> None:
    one = run(verdicts=lacking(1, "E1"))
    assert "E1 (1 of 2)" in reasons(close([one, one], asking(2, "E1")))["K5"]


def test_a_window_with_a_doubt_adds_nothing_and_takes_nothing() -> None:
    doubted = run(run_id="r2", verdicts=lacking(5, "E1", only=False))
    one = run(verdicts=lacking(1, "E1"))
    assert "E1 (1 of 2)" in reasons(close([one, doubted], asking(2, "E1")))["K5"]
    assert "K5" not in reasons(close([one, doubted, replace(one, run_id="r3")], asking(2, "E1")))


def test_a_promise_held_in_one_window_is_held_over_all_but_broken_in_one_is_not() -> None:
    idle = run(verdicts=lacking(0, "E1"))
    assert "K5" not in missing(idle, run(run_id="r2"))
    broken = run(run_id="r3", verdicts=verdicts(E1=Outcome.BROKEN))
    assert missing(idle, run(run_id="r2"), broken)["K5"] == "BROKEN on the bot under proof: E1 in r3"


@pytest.mark.parametrize(
    "change",
    [{"window_s": 899}, {"venue": "rehearsal"}, {"venue": "fake"}, {"complete": False}, {"mode": "live_notrade"}],
)
def test_what_does_not_count_adds_no_exercise(change: dict[str, object]) -> None:
    one = run(verdicts=lacking(1, "E1"))
    assert "E1 (1 of 2)" in reasons(close([one, replace(one, run_id="r2", **change)], asking(2, "E1")))["K5"]


def test_a_rehearsal_adds_to_no_live_window_even_where_it_may_stand_for_one() -> None:
    live, rehearsed = run(verdicts=lacking(1, "E11")), run(run_id="r2", venue="rehearsal", verdicts=lacking(1, "E11"))
    assert "E11 (1 of 2)" in reasons(close([live, rehearsed], asking(2, "E11")))["K5"]
    assert "K5" not in reasons(close([live, run(run_id="r2", venue="rehearsal")], asking(2, "E11")))


def test_what_shows_an_order_and_an_exit_adds_up_as_well() -> None:
    terms = asking(2, "E10", "E16")
    one = run(verdicts=lacking(1, "E10", "E16"))
    assert "idle window" in reasons(close([one], terms))["K6"]
    assert "K6" not in reasons(close([one, replace(one, run_id="r2")], terms))
    assert "no fill with its exit" in reasons(close([run(verdicts=lacking(1, "E10"))], asking(2, "E10")))["K6"]


@pytest.mark.parametrize("promise", ["E1", "C4"])
def test_a_window_too_short_to_close_anything_shows_no_promise(promise: str) -> None:
    gone = missing(run(window_s=899))
    assert f"{promise} (0 of 1)" in gone["K5" if promise == "E1" else "K8"]
    assert "of sufficient length" in gone["K6"]


def test_what_no_run_can_show_stays_missing_until_it_is_recorded() -> None:
    gone = missing(run(), no_trade())
    for id_, word in (("K1", "approval"), ("K2", "feasibility"), ("K3", "pre-flight"), ("K10", "rollback")):
        assert word in gone[id_]


def test_the_reference_bot_on_the_fake_is_partial_with_its_real_verdicts() -> None:
    records = [
        run(bot="reference", bot_version="1", venue="fake", verdicts=judge(micro_cap_run(), MICRO_CAP, TERMS)),
        no_trade(bot="reference", bot_version="1", venue="fake", verdicts=judge(no_trade_run(), NO_TRADE, TERMS)),
    ]
    closure = close(records, TERMS)
    assert closure.status is Status.PARTIAL
    assert {item.id for item in closure.missing} == {f"K{n}" for n in range(13)}
