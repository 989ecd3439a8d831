"""The judge where the frame of a run itself cannot be judged: it says so, names the fact, and holds nothing."""

from dataclasses import replace
from decimal import Decimal

import pytest
from streams import MICRO_CAP, TERMS, judge, micro_cap_run, retape, verdict_of
from streams_full import full_run
from streams_rows import more

from botproof.events import Covered, Fact, PositionSeen, RunStarted, Source, TopOfBook, WindowClosed, WindowOpened
from botproof.invariants.catalogue import PROMISES
from botproof.invariants.verdict import Outcome


def spoilt(*kinds: type[Fact], **fields: object) -> list[Fact]:
    """The correct run with such fields in every fact of these kinds."""
    return [replace(fact, **fields) if isinstance(fact, kinds) else fact for fact in micro_cap_run()]  # type: ignore[arg-type]


def test_a_start_that_cannot_be_compared_is_named() -> None:
    facts = spoilt(RunStarted, run_id=Decimal("sNaN"))
    verdict = verdict_of("E4", facts)
    assert verdict.outcome is Outcome.NOT_SHOWN
    assert verdict.reason == "the RunStarted at seq 0 cannot be judged (InvalidOperation)"


def test_of_two_facts_that_cannot_be_judged_the_first_is_named() -> None:
    facts = [fact for fact in spoilt(RunStarted, run_id=Decimal("sNaN")) if not isinstance(fact, Covered)]
    told = retape([*facts[:-1], facts[0], facts[-1]])
    assert verdict_of("E4", told).reason == "the RunStarted at seq 0 cannot be judged (InvalidOperation)"


def test_a_window_that_cannot_be_reckoned_with_is_told() -> None:
    facts = spoilt(WindowOpened, WindowClosed, end_us=None)
    assert verdict_of("E4", facts).reason == "the frame of the run cannot be judged (TypeError)"
    assert not [verdict for verdict in judge(facts, MICRO_CAP, TERMS) if verdict.outcome is Outcome.HELD]


@pytest.mark.parametrize(
    ("bid", "why"),
    [
        (Decimal("sNaN"), "the numbers of the TopOfBook at seq {} cannot be reckoned with"),
        (None, "the TopOfBook at seq {} cannot be judged (TypeError)"),
    ],
)
def test_a_fact_that_a_promise_cannot_take_is_named_and_the_first_of_them(bid: object, why: str) -> None:
    facts = full_run()
    assert verdict_of("E6", facts).outcome is Outcome.HELD
    last = [fact for fact in facts if isinstance(fact, TopOfBook)][-1]
    told = more(facts, *[replace(last, bid=bid)] * 2)  # type: ignore[arg-type]
    first = next(fact for fact in told if isinstance(fact, TopOfBook) and fact.bid is bid)
    verdict = verdict_of("E6", told)
    assert (verdict.outcome, verdict.reason) == (Outcome.NOT_SHOWN, why.format(first.seq))


@pytest.mark.parametrize("declared", [Decimal("sNaN"), "1"])
def test_a_verdict_that_cannot_be_reckoned_is_still_one_on_its_promise(declared: object) -> None:
    facts = [fact for fact in spoilt(RunStarted, declared_position=declared) if not isinstance(fact, PositionSeen)]
    verdict = verdict_of("C10", retape(facts))
    assert (verdict.id, verdict.promise, verdict.outcome) == ("C10", PROMISES["C10"], Outcome.NOT_SHOWN)


def test_a_cover_that_cannot_be_reckoned_with_is_told() -> None:
    facts = full_run()
    bent = next(fact for fact in facts if isinstance(fact, Covered) and fact.source is Source.VENUE)
    told = [replace(fact, from_us=None) if fact is bent else fact for fact in facts]
    assert verdict_of("E4", told).reason == "what is covered cannot be judged (TypeError)"
