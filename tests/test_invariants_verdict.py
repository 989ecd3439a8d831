"""What a verdict becomes where it may not stand."""

import pytest

from botproof.invariants.verdict import Outcome, Verdict


@pytest.mark.parametrize(
    ("outcome", "lacks", "told"),
    [
        (Outcome.HELD, False, Outcome.NOT_SHOWN),
        (Outcome.NOT_SHOWN, True, Outcome.NOT_SHOWN),
    ],
)
def test_a_verdict_that_may_not_stand_is_not_shown_and_says_why(outcome: Outcome, lacks: bool, told: Outcome) -> None:
    verdict = Verdict(id="E1", promise="", outcome=outcome, reason="", lacks_only_exercise=lacks, exercise=3)
    spoilt = verdict.but_not_shown("the tape jumps")
    assert (spoilt.outcome, spoilt.reason, spoilt.lacks_only_exercise) == (told, "the tape jumps", False)
    assert spoilt.exercise == 3


@pytest.mark.parametrize("outcome", [Outcome.BROKEN, Outcome.NOT_SHOWN])
def test_what_is_broken_or_in_doubt_already_stays_as_it_is(outcome: Outcome) -> None:
    verdict = Verdict(id="E1", promise="", outcome=outcome, reason="too much")
    assert verdict.but_not_shown("the tape jumps") is verdict
