"""What may be done to a tape and must never improve a verdict: reordering, repeating, leaving out, spoiling.

Each property is tried on the full run, on the correct runs that show less, and on a run for every promise that breaks
it. Tapes that are numbered and covered anew ("resealed") are honest about what is left; others are not.
"""

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields, replace
from decimal import Decimal
from functools import cache
from itertools import groupby

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from streams import BUY, MICRO_CAP, NO_TRADE, SELL, TERMS, Stream, broken, held, micro_cap_run, no_trade_run, retape
from streams_broken import BREACHES, BROUGHT, told
from streams_full import full_run

from botproof.events import BotFill, Covered, Fact, OrderState, Side, Source
from botproof.invariants.catalogue import PROMISES
from botproof.invariants.judge import FOLDS, judge
from botproof.profile import Profile

Tape = tuple[list[Fact], Profile]

GRAIN_US = 100_000
"""Instants are shared within a tenth of a second where something is to be reordered."""

bounded = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
CHANCE = st.integers(0, 2**32).map(random.Random)


def quotes_before_the_end(stream: Stream) -> None:
    """A third quote is sent ten milliseconds before the one that it replaces has ended."""
    first, other = stream.place(Side.BUY, BUY), stream.place(Side.SELL, SELL)
    stream.wait(5).to_minute()
    third = stream.send(Side.BUY, BUY)
    stream.wait("0.01").show(first, OrderState.CANCELED, late="0")
    stream.wait("0.01").show(third, OrderState.LIVE, late="0")
    stream.answer(third.request, order_id=third.order_id, client_id=third.client_id)
    for order in (other, third):
        stream.cancel(order)


def exits_before_the_end(stream: Stream) -> None:
    """The same of an exit."""
    first = stream.place(Side.SELL, SELL, exits=True)
    second = stream.send(Side.SELL, SELL, exits=True)
    stream.show(first, OrderState.CANCELED, late="0")
    stream.wait("0.02").show(second, OrderState.LIVE, late="0")
    stream.answer(second.request, order_id=second.order_id, client_id=second.client_id)
    stream.cancel(second)


RUNS: dict[str, Callable[[], Tape]] = {
    "full": lambda: (full_run(), MICRO_CAP),
    "micro-cap": lambda: (micro_cap_run(), MICRO_CAP),
    "idle": lambda: (micro_cap_run(trades=False), MICRO_CAP),
    "no-trade": lambda: (no_trade_run(minutes=2), NO_TRADE),
    "quotes before the end": lambda: (full_run(flat=quotes_before_the_end), MICRO_CAP),
    "exits before the end": lambda: (full_run(held=exits_before_the_end), MICRO_CAP),
    **{promise: lambda promise=promise: told(promise) for promise in BREACHES},  # type: ignore[misc]
    **{
        f"{promise}, {place}": lambda make=make, promise=promise: (make(), told(promise)[1])  # type: ignore[misc]
        for promise, runs in BROUGHT.items()
        for place, make in enumerate(runs, 2)
    },
}
SOME_RUN = st.one_of(st.just("full"), st.sampled_from(sorted(RUNS)))


@cache
def tape(name: str) -> Tape:
    """The run as it was told. The list is shared: leave it as it is."""
    return RUNS[name]()


@cache
def best(name: str) -> frozenset[str]:
    """What the run shows as HELD: no tape made of it may show more."""
    return frozenset(held(*tape(name)))


@cache
def coarse(name: str) -> tuple[list[Fact], frozenset[str]]:
    """The run with instants that many of its facts share, and what is HELD then."""
    facts, profile = tape(name)
    shared = sorted(map(_on_the_grain, stated(facts)), key=lambda fact: fact.t_local_us)
    return shared, frozenset(held(retape(shared), profile))


def _on_the_grain(fact: Fact) -> Fact:
    at_us = fact.t_venue_us
    return replace(
        fact,
        t_local_us=fact.t_local_us // GRAIN_US * GRAIN_US,
        t_venue_us=None if at_us is None else at_us // GRAIN_US * GRAIN_US,
    )


def stated(facts: Iterable[Fact]) -> list[Fact]:
    """What was said, without who covers it."""
    return [fact for fact in facts if not isinstance(fact, Covered)]


def renumbered(facts: Iterable[Fact]) -> list[Fact]:
    """No gap shows any more in the sequence numbers, but nothing is covered anew."""
    return [replace(fact, seq=seq) for seq, fact in enumerate(facts)]


def dependent_on(sources: Iterable[Source]) -> set[str]:
    """The promises that need one of `sources`."""
    return {fold.id for fold in FOLDS if fold.needs & set(sources)}


# reordering


@bounded
@given(SOME_RUN, CHANCE)
def test_no_reordering_within_an_instant_improves_a_verdict(name: str, chance: random.Random) -> None:
    facts, most = coarse(name)
    assert held(retape(_reordered(facts, chance)), tape(name)[1]) <= most


@bounded
@given(st.sampled_from(["quotes before the end", "exits before the end"]), CHANCE)
def test_no_order_within_an_instant_hides_what_another_one_shows(name: str, chance: random.Random) -> None:
    facts, most = coarse(name)
    assert held(retape(_reordered(facts, chance)), MICRO_CAP) <= most


def _reordered(facts: list[Fact], chance: random.Random) -> list[Fact]:
    """Another order within some instants; each source may keep its own order, as its facts come through one connection."""
    instants = sorted({fact.t_local_us for fact in facts})
    chosen = set(chance.sample(instants, chance.choice([1, 2, 5, len(instants)])))
    keeps_order = chance.random() < 0.6
    reordered: list[Fact] = []
    for at_us, group in groupby(facts, key=lambda fact: fact.t_local_us):
        together = list(group)
        if at_us in chosen:
            turns = chance.sample([fact.src for fact in together], len(together))
            queues = {src: [fact for fact in together if fact.src is src] for src in turns}
            chance.shuffle(together)
            together = [queues[src].pop(0) for src in turns] if keeps_order else together
        reordered += together
    return reordered


def test_there_is_something_to_reorder() -> None:
    facts, most = coarse("full")
    assert len({fact.t_local_us for fact in facts}) < len(facts) / 2
    assert most == best("full") == set(PROMISES) - {"N1"}


# repeating


SAYS_MORE_WHEN_REPEATED = {"BotFill": {"C8"}}
"""A row that stands twice in fills.csv is a breach of its own; every other kind says nothing new when it is repeated."""


@bounded
@given(SOME_RUN, CHANCE)
def test_no_fact_that_is_repeated_improves_a_verdict_or_breaks_a_promise(name: str, chance: random.Random) -> None:
    facts, profile = tape(name)
    said = stated(facts)
    place = chance.randrange(len(said))
    again = chance.choice([place + 1, len(said), chance.randint(place + 1, len(said))])
    doubled = retape([*said[:again], said[place], *said[again:]])
    assert held(doubled, profile) <= best(name)
    new = broken(doubled, profile) - broken(facts, profile)
    assert new <= SAYS_MORE_WHEN_REPEATED.get(said[place].kind, set())


@bounded
@given(CHANCE)
def test_a_correct_run_stays_held_when_facts_are_repeated(chance: random.Random) -> None:
    said = stated(tape("full")[0])
    twice = [fact for fact in said for _ in range(1 if isinstance(fact, BotFill) else chance.choice([1, 1, 2, 3]))]
    assert held(retape(twice)) == best("full")


def test_a_row_of_fills_csv_that_is_repeated_is_the_one_that_says_more() -> None:
    said = stated(tape("full")[0])
    row = next(fact for fact in said if isinstance(fact, BotFill))
    assert broken(retape([*said, row])) == {"C8"}


# leaving out


@bounded
@given(SOME_RUN, CHANCE)
def test_no_facts_left_out_improve_a_verdict(name: str, chance: random.Random) -> None:
    facts, profile = tape(name)
    gone = set(chance.sample(range(len(facts)), chance.choice([1, 1, 2, 5, len(facts) // 2])))
    left = [fact for place, fact in enumerate(facts) if place not in gone]
    missed = dependent_on(_told_by(facts[place]) for place in gone)
    for tape_ in (left, renumbered(left)):
        shown = held(tape_, profile)
        assert shown <= best(name)
        assert not shown & missed


def _told_by(fact: Fact) -> Source:
    return fact.source if isinstance(fact, Covered) else fact.src


@pytest.mark.parametrize("source", list(Source))
@pytest.mark.parametrize("covered", [True, False], ids=["still covered", "covered no more"])
def test_without_a_source_nothing_that_needs_it_is_held(source: Source, covered: bool) -> None:
    for name in ("full", "no-trade", "E14", "C8"):
        facts, profile = tape(name)
        left = [
            fact
            for fact in facts
            if (fact.source is not source or covered if isinstance(fact, Covered) else fact.src is not source)
        ]
        for tape_ in (left, renumbered(left)):
            shown = held(tape_, profile)
            assert shown <= best(name), name
            silent = not any(fact.src is source for fact in facts)
            assert not shown & dependent_on([source]) or (silent and covered), name


@bounded
@given(SOME_RUN, CHANCE)
def test_neither_a_tape_without_its_beginning_nor_one_without_its_end_improves_a_verdict(
    name: str, chance: random.Random
) -> None:
    facts, profile = tape(name)
    cut = chance.randint(1, len(facts))
    assert held(renumbered(facts[cut:]), profile) == set()
    assert held(facts[cut:], profile) == set()
    shown = held(facts[:-cut], profile)
    assert shown <= best(name)
    assert not shown or cut < len(Source)  # only of the statements of cover some may be gone


# spoiling

ODD: Sequence[object] = (
    None,
    "",
    "x",
    "NaN",
    True,
    -1,
    0,
    10**40,
    0.1,
    Decimal("NaN"),
    Decimal("sNaN"),
    Decimal("Infinity"),
    Decimal("-1E+400"),
    Decimal("1E+999999"),
    Decimal("-0"),
    (),
    ("o1", None),
    {},
    {"price": None, "ts": 1, "side": ()},
    b"\xff",
    object,
)
NOT_A_VALUE = frozenset({"seq", "src", "source"})
"""Where a fact stands and who says so; a tape knows no other sources."""


@bounded
@given(SOME_RUN, CHANCE)
def test_the_judge_never_raises_whatever_stands_in_a_field(name: str, chance: random.Random) -> None:
    facts, profile = tape(name)
    spoilt = list(facts)
    for _ in range(chance.choice([1, 1, 3, 30])):
        place = chance.randrange(len(spoilt))
        names = [field.name for field in fields(spoilt[place]) if field.name not in NOT_A_VALUE]
        spoilt[place] = replace(spoilt[place], **{chance.choice(names): chance.choice(ODD)})
    chance.choice([chance.shuffle, list])(spoilt)
    assert [verdict.id for verdict in judge(spoilt, profile, TERMS)] == list(PROMISES)
    assert held(spoilt, profile) <= best(name)


@bounded
@given(st.sampled_from(["full", "no-trade"]), CHANCE)
def test_no_tape_with_its_lines_mixed_up_is_held(name: str, chance: random.Random) -> None:
    facts, profile = tape(name)
    mixed = list(facts)
    chance.shuffle(mixed)
    assert mixed == facts or held(mixed, profile) == set()
