"""Coverage: who counts what, and how a missing fact shows."""

import hashlib
from dataclasses import replace

import pytest
from streams import micro_cap_run

from botproof.events import Covered, Fact, Source
from botproof.invariants.coverage import Coverage
from botproof.notation import line


def seen(facts: list[Fact]) -> Coverage:
    coverage = Coverage()
    for fact in facts:
        coverage.see(fact)
    return coverage


def missing(facts: list[Fact], source: Source = Source.VENUE) -> str:
    first, last = facts[0].t_local_us, max(fact.t_local_us for fact in facts if isinstance(fact, Covered))
    return seen(facts).missing(source, first, last)


@pytest.mark.parametrize("source", list(Source))
def test_a_whole_tape_covers_every_source(source: Source) -> None:
    assert missing(micro_cap_run(), source) == ""


def test_each_fact_that_is_missing_uncovers_its_source() -> None:
    facts = micro_cap_run()
    for place, fact in enumerate(facts):
        if not isinstance(fact, Covered) and place:
            assert missing(facts[:place] + facts[place + 1 :], fact.src), fact


def test_a_changed_fact_uncovers_its_source() -> None:
    facts = micro_cap_run()
    changed = [replace(f, t_local_us=f.t_local_us + 1) if f.seq == 5 else f for f in facts]
    assert "the tape holds" in missing(changed, facts[5].src)


def test_without_a_statement_nothing_is_covered() -> None:
    facts = [f for f in micro_cap_run() if not (isinstance(f, Covered) and f.source is Source.VENUE)]
    assert missing(facts) == "facts of venue are not covered to the end of the tape"


def test_a_fact_after_the_last_statement_is_not_covered() -> None:
    facts = micro_cap_run()
    late = next(fact for fact in facts if fact.src is Source.VENUE)
    assert "not covered to the end" in missing([*facts, late])


def test_a_statement_that_was_wrong_once_is_never_made_good() -> None:
    facts = micro_cap_run()
    wrong = next(fact for fact in facts if isinstance(fact, Covered) and fact.source is Source.VENUE)
    assert "3 facts of venue were covered" in missing([*facts[:20], replace(wrong, count=3), *facts[20:]])


def test_a_stretch_beyond_what_was_asked_is_not_covered() -> None:
    coverage = seen(micro_cap_run())
    assert "for a part of the run only" in coverage.missing(Source.VENUE, 0, 1)


def test_the_writer_may_hand_its_line_in() -> None:
    fact = micro_cap_run()[3]
    one, other = Coverage(), Coverage()
    one.see(fact)
    other.see(fact, line(fact))
    assert one.state(fact.src) == other.state(fact.src)


def test_a_fact_that_no_line_can_hold_uncovers_its_source() -> None:
    facts = micro_cap_run()
    impossible = replace(facts[0], t_local_us=10**30)
    assert "cannot stand on a tape" in missing([*facts, impossible], Source.RUN)


# the words, and what is counted


def test_the_state_of_a_source_is_how_many_facts_it_said_and_their_digest() -> None:
    facts = [fact for fact in micro_cap_run() if not isinstance(fact, Covered)]
    coverage = seen(facts)
    for source in Source:
        assert coverage.state(source)[0] == sum(fact.src is source for fact in facts)
    assert coverage.state(Source.FAULT) == (0, hashlib.sha256().hexdigest())
    lines = b"".join(line(fact) for fact in facts if fact.src is Source.RUN)
    assert coverage.state(Source.RUN)[1] == hashlib.sha256(lines).hexdigest()


def test_the_line_that_was_written_is_the_one_that_counts() -> None:
    coverage = Coverage()
    coverage.see(micro_cap_run()[0], b"as it was written")
    assert coverage.state(Source.RUN) == (1, hashlib.sha256(b"as it was written").hexdigest())


def test_why_a_source_is_not_covered_is_told_in_one_sentence() -> None:
    facts = micro_cap_run()
    stated = next(f for f in facts if isinstance(f, Covered) and f.source is Source.VENUE)
    count = stated.count
    gone = next(fact for fact in facts if fact.src is Source.VENUE)
    assert missing([fact for fact in facts if fact is not gone]) == (
        f"{count} facts of venue were covered at seq {stated.seq}, the tape holds {count - 1} or others"
    )
    assert seen(facts).missing(Source.VENUE, 0, 1) == "facts of venue are covered for a part of the run only"
    impossible = replace(facts[0], t_local_us=10**30)
    assert missing([*facts, impossible], Source.RUN) == f"the fact of run at seq {facts[0].seq} cannot stand on a tape"


@pytest.mark.parametrize(("from_us", "to_us", "covered"), [(0, 0, True), (-1, 0, False), (0, 1, False), (1, -1, True)])
def test_a_stretch_is_covered_to_both_its_ends_and_no_further(from_us: int, to_us: int, covered: bool) -> None:
    facts = micro_cap_run()
    stated = next(f for f in facts if isinstance(f, Covered) and f.source is Source.VENUE)
    reason = seen(facts).missing(Source.VENUE, stated.from_us + from_us, stated.to_us + to_us)
    assert (reason == "") is covered
