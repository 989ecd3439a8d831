"""The judge: one verdict for every promise, nothing HELD on a hole in the evidence, and never an exception."""

from collections.abc import Callable
from dataclasses import fields, replace
from decimal import Decimal, localcontext
from typing import Any, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from streams import (
    BUY,
    MICRO_CAP,
    NO_TRADE,
    TERMS,
    Stream,
    broken,
    held,
    micro_cap_run,
    no_trade_run,
    retape,
    verdict_of,
    without,
)

from botproof.events import (
    Action,
    BotFill,
    Covered,
    Fact,
    RequestSent,
    RunEnded,
    RunStarted,
    Side,
    Source,
    WindowClosed,
)
from botproof.invariants.catalogue import IMPLICATIONS, PROMISES
from botproof.invariants.judge import BUILT, FOLDS, WITNESSES, judge
from botproof.invariants.verdict import Outcome
from botproof.profile import Profile

MICRO_CAP_HELD = {"E1", "E2", "E4", "E5", "E8", "E10", "E14", "E16", "C1", "C8", "C10"}
NO_TRADE_HELD = {"N1", "E8", "E14"}

RUN = {"RunStarted", "WindowOpened", "WindowClosed", "RunEnded"}
NEEDED: dict[str, set[str]] = {
    "E1": RUN | {"RequestSent", "PositionSeen", "FillSeen"},
    "E2": RUN | {"RequestSent"},
    "E4": RUN | {"RequestSent", "ContractRead"},
    "E5": RUN | {"RequestSent", "ContractRead"},
    "E8": RUN | {"SettingsRead"},
    "E10": RUN | {"ContractRead", "PositionSeen", "FillSeen"},
    "E14": RUN | {"StopStep", "OpenOrdersRead", "PositionSeen"},
    "E16": RUN | {"OrderSeen"},
    "N1": RUN | {"OpenOrdersRead", "PositionSeen"},
    "C1": RUN | {"BotFill"},
    "C8": RUN | {"BotFill", "FillSeen"},
    "C10": RUN | {"BotFill", "PositionSeen"},
}
"""The kinds without which a promise cannot be HELD, however honestly the rest is covered."""


def test_every_promise_gets_a_verdict_in_its_order() -> None:
    verdicts = judge(micro_cap_run(), MICRO_CAP, TERMS)
    ids = [*(f"E{n}" for n in range(1, 19)), "N1", *(f"C{n}" for n in range(1, 17))]
    assert [verdict.id for verdict in verdicts] == ids == list(PROMISES)


def test_a_correct_run_is_held_in_all_that_is_built() -> None:
    assert held(micro_cap_run()) == MICRO_CAP_HELD
    assert held(no_trade_run(), NO_TRADE) == NO_TRADE_HELD
    assert MICRO_CAP_HELD | NO_TRADE_HELD == BUILT


def test_what_is_not_built_is_not_shown_and_says_so() -> None:
    unbuilt = [verdict for verdict in judge(micro_cap_run(), MICRO_CAP, TERMS) if verdict.id not in BUILT]
    assert {(verdict.outcome, verdict.reason) for verdict in unbuilt} == {(Outcome.NOT_SHOWN, "not built")}


def test_an_empty_tape_shows_nothing() -> None:
    assert {verdict.outcome for verdict in judge([], MICRO_CAP, TERMS)} == {Outcome.NOT_SHOWN}


def test_a_verdict_proves_itself_by_sequence_numbers_of_the_tape() -> None:
    facts = micro_cap_run()
    for verdict in judge(facts, MICRO_CAP, TERMS):
        assert all(facts[seq].seq == seq for seq in verdict.proof)
        assert verdict.proof or verdict.outcome is not Outcome.HELD


def test_the_terms_say_how_much_exercise_is_needed() -> None:
    more = replace(TERMS, exercise=dict(TERMS.exercise) | {"E1": 5})
    assert verdict_of("E1", micro_cap_run(), MICRO_CAP, more).reason == "4 of 5 entries sent"
    enough = replace(TERMS, exercise=dict(TERMS.exercise) | {"E1": 4})
    assert verdict_of("E1", micro_cap_run(), MICRO_CAP, enough).outcome is Outcome.HELD


# nothing is held on a hole in the evidence


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"profile_sha256": "0" * 64}, "another profile"),
        ({"terms_sha256": "0" * 64}, "other terms"),
        ({"symbol": "ETHUSDT"}, "made on ETHUSDT"),
    ],
)
def test_a_run_of_something_else_shows_nothing(change: dict[str, str], reason: str) -> None:
    facts = retape(replace(f, **change) if isinstance(f, RunStarted) else f for f in micro_cap_run())
    assert held(facts) == set()
    assert reason in verdict_of("E2", facts).reason


def test_a_run_that_was_cut_short_shows_nothing() -> None:
    facts = retape(replace(f, complete=False) if isinstance(f, RunEnded) else f for f in micro_cap_run())
    assert held(facts) == set()
    assert "cut short" in verdict_of("E2", facts).reason


def test_two_runs_on_one_tape_show_nothing() -> None:
    facts = micro_cap_run()
    assert held(retape([replace(facts[0], run_id="r0"), *facts])) == set()  # type: ignore[call-arg]


@pytest.mark.parametrize("cut_us", [-1, 1])
def test_a_source_that_is_covered_for_a_part_of_the_run_shows_nothing(cut_us: int) -> None:
    def shorten(fact: Fact) -> Fact:
        if not isinstance(fact, Covered) or fact.source is not Source.VENUE:
            return fact
        return replace(fact, from_us=fact.from_us + max(0, cut_us), to_us=fact.to_us + min(0, cut_us))

    facts = [shorten(fact) for fact in micro_cap_run()]
    assert held(facts) == {"C1"}
    assert "for a part of the run only" in verdict_of("E1", facts).reason


def test_breaches_stay_broken_on_a_hole_in_the_evidence() -> None:
    facts = micro_cap_run(flat=lambda stream: stream.cancel(stream.place(Side.BUY, "67263.75")))
    assert {verdict.id for verdict in judge(facts[:-7], MICRO_CAP, TERMS) if verdict.outcome is Outcome.BROKEN} == {
        "E4"
    }


@pytest.mark.parametrize("promise", sorted(BUILT))
def test_without_a_kind_of_fact_that_it_needs_no_promise_is_held(promise: str) -> None:
    whole, profile = (no_trade_run(), NO_TRADE) if promise == "N1" else (micro_cap_run(), MICRO_CAP)
    for kind in NEEDED[promise]:
        assert promise not in held(without(whole, lambda fact, kind=kind: fact.kind == kind), profile), kind  # type: ignore[misc]


@pytest.mark.parametrize("profile", [MICRO_CAP, NO_TRADE], ids=["micro-cap", "no-trade"])
def test_without_any_kind_no_promise_that_needs_its_source_is_held(profile: Profile) -> None:
    whole = no_trade_run() if profile.no_trade else micro_cap_run()
    needs = {fold.id: fold.needs for fold in FOLDS}
    for kind in {fact.kind for fact in whole}:
        sources = {fact.src for fact in whole if fact.kind == kind}
        left = held([fact for fact in whole if fact.kind != kind], profile)
        assert not {promise for promise in left if needs[promise] & sources}, kind


def spoiled() -> dict[str, tuple[list[Fact], Profile]]:
    """Runs that break something, and the two that do not."""
    quote: Callable[[Stream], object] = lambda s: s.cancel(s.place(Side.BUY, BUY))  # noqa: E731
    return {
        "micro-cap": (micro_cap_run(), MICRO_CAP),
        "no-trade": (no_trade_run(minutes=2), NO_TRADE),
        "idle": (micro_cap_run(trades=False), MICRO_CAP),
        "E1": (micro_cap_run(quoted=quote), MICRO_CAP),
        "E2": (micro_cap_run(flat=lambda s: s.cancel(s.place(Side.BUY, BUY, "0.0003"))), MICRO_CAP),
        "E4": (micro_cap_run(flat=lambda s: s.cancel(s.place(Side.BUY, "67263.75"))), MICRO_CAP),
        "E8": (micro_cap_run(reads_back=False), MICRO_CAP),
        "E10": (micro_cap_run(exiting=lambda s: s.cancel(s.place(Side.SELL, BUY, exits=True))), MICRO_CAP),
        "E14": (micro_cap_run(stopped=lambda s: s.lists("closing", plain=("o9",))), MICRO_CAP),
        "N1": (no_trade_run(minutes=2, inside=quote), NO_TRADE),
    }


@pytest.mark.parametrize("name", sorted(spoiled()))
def test_no_single_fact_removed_improves_a_verdict(name: str) -> None:
    whole, profile = spoiled()[name]
    best = held(whole, profile)
    for gone in range(len(whole)):
        left = whole[:gone] + whole[gone + 1 :]
        assert held(left, profile) <= best, whole[gone]


@pytest.mark.parametrize("name", ["idle", "no-trade", "E1", "E8", "E10", "N1"])
def test_no_fact_written_twice_improves_a_verdict(name: str) -> None:
    whole, profile = spoiled()[name]
    told = [fact for fact in whole if not isinstance(fact, Covered)]
    best = held(whole, profile)
    for place, fact in enumerate(told):
        for again in (place + 1, len(told)):
            doubled = retape([*told[:again], fact, *told[again:]])
            assert held(doubled, profile) <= best, (fact, again)


def test_a_fact_written_twice_takes_nothing_from_a_correct_run_but_what_it_says_twice() -> None:
    told = [fact for fact in micro_cap_run() if not isinstance(fact, Covered)]
    for place, fact in enumerate(told):
        doubled = retape([*told[: place + 1], fact, *told[place + 1 :]])
        lost = MICRO_CAP_HELD - held(doubled)
        assert lost <= ({"C8"} if isinstance(fact, BotFill) else set()), fact


def test_a_line_moved_or_changed_shows_nothing_of_its_source() -> None:
    facts = micro_cap_run()
    place = next(place for place, fact in enumerate(facts) if fact.kind == "OrderSeen")
    changed = [replace(f, size=f.size * 2) if i == place else f for i, f in enumerate(facts)]  # type: ignore[attr-defined,call-arg]
    assert held(changed) == {"C1"}
    moved = [*facts[:place], facts[place + 1], facts[place], *facts[place + 2 :]]
    assert held(moved) == set()


# who is believed


def test_a_fact_is_believed_from_nobody_who_cannot_know_it() -> None:
    for place, fact in enumerate(micro_cap_run()):
        if type(fact) not in WITNESSES:
            continue
        facts = micro_cap_run()
        told = [replace(f, src=Source.OPERATOR) if i == place else f for i, f in enumerate(facts)]
        assert held(retape(told)) <= MICRO_CAP_HELD
    lie = [replace(f, src=Source.BOT) if f.kind in ("FillSeen", "OrderSeen") else f for f in micro_cap_run()]
    assert not {"E16", "C8"} & held(retape(lie))


# implications


def test_implications_name_known_promises_and_never_themselves() -> None:
    for first, others in IMPLICATIONS.items():
        assert {first} | others <= set(PROMISES)
        assert first not in others


@pytest.mark.parametrize("name", ["E1", "E2", "E4", "E8", "E10", "E14", "N1"])
def test_a_breach_brings_no_other_than_its_implications(name: str) -> None:
    facts, profile = spoiled()[name]
    assert name in broken(facts, profile)
    assert broken(facts, profile) <= {name} | IMPLICATIONS.get(name, frozenset())


# never an exception

WEIRD = st.one_of(
    st.decimals(allow_nan=True, allow_infinity=True),
    st.sampled_from(
        [Decimal(0), Decimal(1), Decimal("0.0001"), Decimal(-1), Decimal("NaN"), Decimal("sNaN"), Decimal("1E+400")]
    ),
)
WORD = st.sampled_from(
    ["", "BTCUSDT", "bot1-r1-1", "bot1-r1-2", "o1", "closing", "preflight", "asked", "stopped", "40109"]
)
TIME = st.one_of(st.integers(0, 100), st.integers(-(10**30), 10**30))


def values_of(hint: Any) -> st.SearchStrategy[Any]:
    """Anything that fits the type of a field."""
    text = str(hint)
    if "Mapping" in text:
        columns = st.sampled_from(["price", "amount_base", "notional_quote", "side", "exchange_trade_id"])
        return st.dictionaries(columns, st.one_of(WORD, st.text(max_size=8), st.just("1")), max_size=5)
    if "tuple" in text:
        return st.lists(WORD, max_size=2).map(tuple)
    plain: st.SearchStrategy[Any] = WORD
    for kind, strategy in ((Decimal, WEIRD), (bool, st.booleans()), (int, TIME)):
        if kind.__name__ in text:
            plain = strategy
            break
    for kind in (
        Side,
        Source,
        Action,
        *(k for k in get_type_hints(kinds("OrderSeen")).values() if hasattr(k, "__members__")),
    ):
        if kind.__name__ in text:
            plain = st.sampled_from(list(kind))
    return st.one_of(st.none(), plain) if "None" in text else plain


def kinds(name: str) -> type[Fact]:
    return Fact.kinds[name]


def any_fact(kind: type[Fact]) -> st.SearchStrategy[Fact]:
    hints = get_type_hints(kind)
    return st.builds(kind, **{field.name: values_of(hints[field.name]) for field in fields(kind)})


JUNK = st.one_of([any_fact(kind) for kind in Fact.kinds.values()])


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(JUNK, max_size=25))
def test_junk_is_judged_without_an_exception_and_shows_nothing(facts: list[Fact]) -> None:
    for profile in (MICRO_CAP, NO_TRADE):
        outcomes = {verdict.outcome for verdict in judge(facts, profile, TERMS)}
        assert Outcome.HELD not in outcomes


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_junk_inside_a_correct_run_is_judged_without_an_exception(data: st.DataObject) -> None:
    told = micro_cap_run()
    place = data.draw(st.integers(0, len(told)))
    judge([*told[:place], data.draw(JUNK), *told[place:]], MICRO_CAP, TERMS)


def test_numbers_that_cannot_be_reckoned_with_blind_and_do_not_raise() -> None:
    facts = micro_cap_run(flat=lambda stream: stream.contract(tick="0"))
    verdict = verdict_of("E4", facts)
    assert (verdict.outcome, "cannot be reckoned with" in verdict.reason) == (Outcome.NOT_SHOWN, True)
    assert "E2" in held(facts)


@pytest.mark.parametrize("value", [None, 1, 0.1, Decimal(1), ["1"], {"a": 1}])
def test_a_row_value_that_is_no_text_is_never_held_and_never_raises(value: object) -> None:
    for column in ("price", "amount_base", "notional_quote", "side", "exchange_trade_id"):

        def spoilt(fact: Fact, column: str = column) -> Fact:
            return replace(fact, row=dict(fact.row) | {column: value}) if isinstance(fact, BotFill) else fact  # type: ignore[dict-item]

        verdicts = judge(map(spoilt, micro_cap_run()), MICRO_CAP, TERMS)
        assert Outcome.HELD not in {verdict.outcome for verdict in verdicts if verdict.id in ("C1", "C8", "C10")}
        expected = {"C8"} if column == "exchange_trade_id" else {"C10"} if column == "side" else {"C1"}
        assert expected <= {verdict.id for verdict in verdicts if verdict.outcome is Outcome.BROKEN}


def test_a_value_of_another_kind_blinds_what_meets_it_and_nothing_else() -> None:
    told = [replace(f, size="0.0001") if isinstance(f, RequestSent) and f.is_entry else f for f in micro_cap_run()]  # type: ignore[arg-type]
    facts = retape(told)
    verdict = verdict_of("E4", facts)
    assert (verdict.outcome, "TypeError" in verdict.reason) == (Outcome.NOT_SHOWN, True)
    assert {"E8", "E14"} <= held(facts)


def test_a_breach_that_was_found_before_stays_broken() -> None:
    told = micro_cap_run(flat=lambda stream: stream.cancel(stream.place(Side.BUY, "67263.75")))
    last = max(f.seq for f in told if isinstance(f, RequestSent) and f.is_entry)
    odd = [replace(f, size=()) if f.seq == last else f for f in told]  # type: ignore[call-arg]
    assert verdict_of("E4", odd).outcome is Outcome.BROKEN


def test_equal_tapes_give_equal_verdicts_whatever_the_callers_decimal_context() -> None:
    facts = micro_cap_run()
    with localcontext() as context:
        context.prec = 3
        few = judge(facts, MICRO_CAP, TERMS)
    assert few == judge(facts, MICRO_CAP, TERMS)


@pytest.mark.parametrize(("early_us", "shows"), [(0, True), (1, False)])
def test_a_window_closed_before_its_end_shows_nothing(early_us, shows):
    whole = micro_cap_run()
    cut = [
        replace(fact, t_local_us=fact.end_us - early_us) if isinstance(fact, WindowClosed) else fact for fact in whole
    ]
    assert bool(held(retape(cut))) is shows
