"""The running account of one invariant, and the rule that turns it into a verdict."""

from decimal import Decimal

import pytest

from botproof.invariants.catalogue import PROMISES
from botproof.invariants.tally import PROOFS_MAX, Tally
from botproof.invariants.verdict import Outcome, Verdict

LIMIT = Decimal(20)


def tally(needed: int = 1) -> Tally:
    return Tally("E1", needed, "entries sent", limit=LIMIT, unit="USDT")


def test_what_was_exercised_and_never_broken_is_held() -> None:
    account = tally(2)
    account.exercised(7)
    account.exercised(9)
    assert account.verdict() == Verdict(
        id="E1",
        promise=PROMISES["E1"],
        outcome=Outcome.HELD,
        proof=(7, 9),
        exercise=2,
        needed=2,
        limit=LIMIT,
        unit="USDT",
    )


def test_too_little_exercise_is_not_shown_and_lacks_nothing_else() -> None:
    account = tally(2)
    account.exercised(7)
    verdict = account.verdict()
    assert (verdict.outcome, verdict.reason) == (Outcome.NOT_SHOWN, "1 of 2 entries sent")
    assert (verdict.lacks_only_exercise, verdict.proof) == (True, (7,))


def test_what_needs_no_exercise_is_held_without_any() -> None:
    assert tally(0).verdict().outcome is Outcome.HELD


def test_a_doubt_takes_held_away_and_the_first_is_the_one_that_is_told() -> None:
    account = tally()
    account.exercised(7)
    for doubt in ("", "no mark price is on the tape", "another"):
        account.doubt(doubt)
    verdict = account.verdict()
    assert (verdict.outcome, verdict.reason) == (Outcome.NOT_SHOWN, "no mark price is on the tape")
    assert (verdict.lacks_only_exercise, verdict.proof, verdict.exercise) == (False, (7,), 1)


def test_a_doubt_comes_before_the_lack_of_exercise() -> None:
    account = tally()
    account.doubt("no mark price is on the tape")
    verdict = account.verdict()
    assert (verdict.reason, verdict.lacks_only_exercise) == ("no mark price is on the tape", False)


def test_no_doubt_is_none() -> None:
    account = tally()
    account.exercised(7)
    account.doubt("")
    assert account.verdict().outcome is Outcome.HELD


@pytest.mark.parametrize(
    ("breaches", "reason"), [(1, "too much"), (2, "too much (and 1 more)"), (3, "too much (and 2 more)")]
)
def test_a_breach_is_broken_whatever_else_is_known_and_tells_how_many_more_there_are(
    breaches: int, reason: str
) -> None:
    account = tally()
    account.exercised(1)
    account.doubt("no mark price is on the tape")
    assert not account.is_broken
    for seq in range(breaches):
        account.broken(10 + seq, "too much" if not seq else "again")
    assert account.is_broken
    verdict = account.verdict()
    assert (verdict.outcome, verdict.reason) == (Outcome.BROKEN, reason)
    assert (verdict.proof, verdict.lacks_only_exercise) == (tuple(range(10, 10 + breaches)), False)


def test_a_breach_without_words_is_one() -> None:
    account = tally()
    account.broken(3, "")
    account.broken(4, "too much")
    assert account.verdict().reason == "too much (and 1 more)"


@pytest.mark.parametrize("broken", [True, False])
def test_at_most_so_many_facts_prove_it(broken: bool) -> None:
    account = tally()
    for seq in range(PROOFS_MAX + 1):
        (account.broken(seq, "too much") if broken else account.exercised(seq))
    verdict = account.verdict()
    assert verdict.proof == tuple(range(PROOFS_MAX))
    assert verdict.exercise == (0 if broken else PROOFS_MAX + 1)


def test_the_peak_is_the_largest_amount_and_none_without_any() -> None:
    account = tally()
    assert account.verdict().peak is None
    for amount, peak in (("-2", "-2"), ("-3", "-2"), ("1", "1"), ("0", "1"), ("1.00", "1")):
        account.rise(Decimal(amount))
        assert str(account.verdict().peak) == peak


def test_without_a_limit_a_verdict_has_neither_limit_nor_unit() -> None:
    verdict = Tally("E4", 1, "entries sent").verdict()
    assert (verdict.limit, verdict.unit, verdict.peak) == (None, "", None)
