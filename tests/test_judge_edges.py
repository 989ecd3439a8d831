"""The judge's own words: what it says where it cannot judge."""

from dataclasses import replace
from decimal import Decimal, localcontext

import pytest
from streams import (
    BUY,
    MICRO_CAP,
    NO_TRADE,
    TERMS,
    Stream,
    held,
    micro_cap_run,
    no_trade_run,
    retape,
    verdict_of,
    without,
)

from botproof.events import BotFill, Fact, RunEnded, RunStarted, Side
from botproof.invariants.catalogue import PROMISES
from botproof.invariants.judge import Judge, judge
from botproof.invariants.verdict import Outcome
from botproof.profile import Profile


def test_every_verdict_is_told_with_its_promise_whatever_became_of_it() -> None:
    odd = [replace(f, row={"price": ()}) if isinstance(f, BotFill) else f for f in micro_cap_run()]  # type: ignore[dict-item]
    endless = [replace(f, declared_position=Decimal("NaN")) if isinstance(f, RunStarted) else f for f in odd]
    for facts in ([], micro_cap_run(), odd, endless):
        for verdict in judge(facts, MICRO_CAP, TERMS):
            assert verdict.promise == PROMISES[verdict.id], verdict


def test_what_no_entry_can_show_in_a_no_trade_run_says_so() -> None:
    entries = verdict_of("E2", micro_cap_run(), NO_TRADE)
    assert entries.outcome is Outcome.NOT_SHOWN
    assert entries.reason == "a no-trade run: no entry is promised"


@pytest.mark.parametrize("kind", [RunStarted, RunEnded])
def test_without_either_end_of_the_run_nothing_is_held(kind: type[Fact]) -> None:
    facts = without(micro_cap_run(), lambda fact: isinstance(fact, kind))
    assert held(facts) == set()
    told = "start" if kind is RunStarted else "end"
    assert verdict_of("E2", facts).reason == f"the {told} of the run is not on the tape"


def test_a_jump_of_the_tape_is_told_with_both_places() -> None:
    facts = micro_cap_run()
    assert verdict_of("C1", facts[:20] + facts[21:]).reason == (
        f"the tape jumps to seq {facts[21].seq} where {facts[20].seq} was due"
    )


@pytest.mark.parametrize(
    ("declared", "reason"),
    [
        (Decimal("sNaN"), "the tape holds numbers that cannot be reckoned with"),
        ("1", "the tape holds what cannot be judged (TypeError)"),
    ],
)
def test_what_only_the_verdict_stumbles_over_is_told_as_such(declared: object, reason: str) -> None:
    told = [replace(f, declared_position=declared) if isinstance(f, RunStarted) else f for f in micro_cap_run()]  # type: ignore[arg-type]
    verdict = verdict_of("E14", retape(told))
    assert (verdict.outcome, verdict.reason) == (Outcome.NOT_SHOWN, reason)


def test_the_verdicts_are_reckoned_in_a_context_of_their_own() -> None:
    facts = micro_cap_run(stopping=lambda stream: stream.wait("1.234567"))
    with localcontext() as context:
        context.prec = 3
        few = judge(facts, MICRO_CAP, TERMS)
    assert few == judge(facts, MICRO_CAP, TERMS)
    assert verdict_of("E14", facts).peak == Decimal("2.234567")


def quote(stream: Stream) -> None:
    stream.cancel(stream.place(Side.BUY, BUY))


@pytest.mark.parametrize(
    ("facts", "profile"),
    [
        (micro_cap_run(), MICRO_CAP),
        (micro_cap_run(quoted=quote), MICRO_CAP),
        (micro_cap_run(reads_back=False), MICRO_CAP),
        (micro_cap_run(flat=lambda stream: stream.fill(stream.place(Side.BUY, BUY)), trades=False), MICRO_CAP),
        (no_trade_run(), NO_TRADE),
        (no_trade_run(inside=quote), NO_TRADE),
    ],
)
def test_asking_twice_for_the_verdicts_gives_the_same(facts: list[Fact], profile: Profile) -> None:
    bench = Judge(profile, TERMS)
    for fact in facts:
        bench.see(fact)
    assert bench.verdicts() == bench.verdicts()
