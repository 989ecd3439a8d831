"""The judge: one verdict for every promise, nothing HELD on a hole in the evidence, and never an exception."""

from collections.abc import Iterable
from dataclasses import fields, replace
from decimal import Decimal, localcontext
from typing import Any, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from streams import (
    MICRO_CAP,
    NO_TRADE,
    TERMS,
    broken,
    held,
    micro_cap_run,
    no_trade_run,
    retape,
    verdict_of,
    without,
)
from streams_broken import BREACHES, BROUGHT, told
from streams_full import full_run

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
from botproof.invariants.catalogue import ENTRY_PROMISES, IMPLICATIONS, PROMISES
from botproof.invariants.judge import BUILT, FOLDS, WITNESSES, judge
from botproof.invariants.verdict import Outcome
from botproof.profile import Profile

HELD = frozenset(PROMISES) - {"N1"}
NO_TRADE_HELD = {"N1", "E8", "E14"}
NEVER_BROKEN = {"E16", "E17"}

RUN = {"RunStarted", "WindowOpened", "WindowClosed", "RunEnded"}
NEEDED: dict[str, set[str]] = {
    "E1": {"RequestSent", "PositionSeen", "FillSeen", "TopOfBook"},
    "E2": {"RequestSent"},
    "E3": {"RequestSent", "PositionSeen", "FillSeen", "TopOfBook"},
    "E4": {"RequestSent", "ContractRead"},
    "E5": {"RequestSent", "ContractRead"},
    "E6": {"RequestSent", "ContractRead", "TopOfBook"},
    "E7": {"RequestSent", "FillSeen", "PositionSeen", "BalanceSeen", "EarlierToday"},
    "E8": {"SettingsRead"},
    "E9": {"RequestSent"},
    "E10": {"RequestSent", "ContractRead", "PositionSeen", "FillSeen"},
    "E11": {"RequestSent", "ContractRead", "PositionSeen", "FillSeen", "TopOfBook"},
    "E12": {"RequestSent", "RequestAnswered", "RequestUnknown"},
    "E13": {"RequestSent"},
    "E14": {"StopStep", "OpenOrdersRead", "PositionSeen"},
    "E15": {"BotStateChanged", "BotSample"},
    "E16": {"OrderSeen"},
    "E17": {"RequestSent", "ContractRead", "OrderSeen", "FillSeen", "PositionSeen", "OperatorAction"},
    "E18": {"BalanceSeen", "BillSeen", "EarlierToday", "FillSeen"},
    "N1": {"RequestSent", "OpenOrdersRead", "PositionSeen"},
    "C1": {"BotFill"},
    "C2": {"BotSample", "BotFill"},
    "C3": {"BotSample", "BotFill"},
    "C4": {"BotSample", "BotFill"},
    "C5": {"BotSample"},
    "C6": {"BotSample"},
    "C7": {"BotSample"},
    "C8": {"BotFill", "FillSeen"},
    "C9": {"BotFill"},
    "C10": {"BotFill", "PositionSeen"},
    "C11": {"BalanceSeen", "BillSeen", "FillSeen"},
    "C12": {"FeeRatesRead", "FillSeen"},
    "C13": {"BotSample", "OrderSeen"},
    "C14": {"BotSample"},
    "C15": {"BotSample"},
    "C16": {"BotSample"},
}
"""The kinds without which a promise cannot be HELD, however honestly the rest is covered; beside those of `RUN`."""

EITHER: dict[str, set[str]] = {"E13": {"BotStateChanged", "BotSample", "OperatorAction"}, "C12": {"FillSeen"}}
"""Kinds of which one is enough: without all of them the promise cannot be HELD."""


def independent_of(source: Source) -> set[str]:
    """The promises of a trading run that `source` says nothing about."""
    return {fold.id for fold in FOLDS if source not in fold.needs} & HELD


def whole_run(promise: str) -> tuple[list[Fact], Profile]:
    """A run in which `promise` is HELD, and its profile."""
    return (no_trade_run(), NO_TRADE) if promise == "N1" else (full_run(), MICRO_CAP)


def test_every_promise_gets_a_verdict_in_its_order() -> None:
    verdicts = judge(full_run(), MICRO_CAP, TERMS)
    ids = [*(f"E{n}" for n in range(1, 19)), "N1", *(f"C{n}" for n in range(1, 17))]
    assert [verdict.id for verdict in verdicts] == ids == list(PROMISES)


def test_the_whole_catalogue_is_built_and_each_promise_once() -> None:
    assert set(PROMISES) == BUILT
    assert [fold.id for fold in FOLDS] == list(PROMISES)
    assert set(NEEDED) == set(PROMISES)


def test_a_correct_run_is_held_in_all_that_it_can_show() -> None:
    assert held(full_run()) == HELD
    assert held(no_trade_run(), NO_TRADE) == NO_TRADE_HELD


def test_a_correct_run_breaks_nothing() -> None:
    for facts, profile in (
        (full_run(), MICRO_CAP),
        (micro_cap_run(), MICRO_CAP),
        (micro_cap_run(trades=False), MICRO_CAP),
        (no_trade_run(), NO_TRADE),
    ):
        assert broken(facts, profile) == set()


def test_a_window_in_which_nothing_is_tried_shows_nothing_that_needs_trying() -> None:
    idle = held(micro_cap_run(trades=False))
    assert idle == {"E8", "E14"}


def test_a_no_trade_run_never_shows_what_entries_show() -> None:
    facts = [replace(f, profile_sha256=NO_TRADE.sha256) if isinstance(f, RunStarted) else f for f in full_run()]
    assert not ENTRY_PROMISES & held(retape(facts), NO_TRADE)


def test_an_empty_tape_shows_nothing() -> None:
    assert {verdict.outcome for verdict in judge([], MICRO_CAP, TERMS)} == {Outcome.NOT_SHOWN}


def test_a_verdict_proves_itself_by_sequence_numbers_of_the_tape() -> None:
    for facts in (full_run(), *(told(promise)[0] for promise in ("E1", "E11", "C8", "C12"))):
        for verdict in judge(facts, MICRO_CAP, TERMS):
            assert all(facts[seq].seq == seq for seq in verdict.proof)
            assert verdict.proof or verdict.outcome is Outcome.NOT_SHOWN, verdict


@pytest.mark.parametrize("promise", PROMISES)
def test_the_terms_say_how_much_exercise_is_needed(promise: str) -> None:
    facts, profile = whole_run(promise)
    exercise = verdict_of(promise, facts, profile).exercise
    enough = replace(TERMS, exercise=dict(TERMS.exercise) | {promise: exercise})
    assert verdict_of(promise, facts, profile, enough).outcome is Outcome.HELD
    more = replace(TERMS, exercise=dict(TERMS.exercise) | {promise: exercise + 1})
    verdict = verdict_of(promise, facts, profile, more)
    assert (verdict.outcome, verdict.lacks_only_exercise) == (Outcome.NOT_SHOWN, True)
    assert verdict.reason.startswith(f"{exercise} of {exercise + 1} ")


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
    facts = retape(replace(f, **change) if isinstance(f, RunStarted) else f for f in full_run())
    assert held(facts) == set()
    assert reason in verdict_of("E2", facts).reason


def test_a_run_that_was_cut_short_shows_nothing() -> None:
    facts = retape(replace(f, complete=False) if isinstance(f, RunEnded) else f for f in full_run())
    assert held(facts) == set()
    assert "cut short" in verdict_of("E2", facts).reason


def test_two_runs_on_one_tape_show_nothing() -> None:
    facts = full_run()
    assert held(retape([replace(facts[0], run_id="r0"), *facts])) == set()  # type: ignore[call-arg]


@pytest.mark.parametrize("cut_us", [-1, 1])
@pytest.mark.parametrize("source", [Source.VENUE, Source.TAP, Source.BOT, Source.OPERATOR, Source.RUN])
def test_a_source_that_is_covered_for_a_part_of_the_run_shows_nothing(source: Source, cut_us: int) -> None:
    def shorten(fact: Fact) -> Fact:
        if not isinstance(fact, Covered) or fact.source is not source:
            return fact
        return replace(fact, from_us=fact.from_us + max(0, cut_us), to_us=fact.to_us + min(0, cut_us))

    facts = [shorten(fact) for fact in full_run()]
    assert held(facts) == independent_of(source)
    assert f"facts of {source} are covered for a part of the run only" in {
        verdict.reason for verdict in judge(facts, MICRO_CAP, TERMS)
    }


def test_the_venue_says_nothing_of_what_the_files_say_of_themselves() -> None:
    files = {"C1", "C2", "C3", "C4", "C5", "C6", "C7", "C9", "C14", "C15", "C16"}
    assert independent_of(Source.VENUE) == independent_of(Source.TAP) - {"C10", "C11", "C12"} == {"E15"} | files
    assert independent_of(Source.RUN) == set()


def test_whoever_else_may_state_a_kind_of_fact_must_be_covered_as_well() -> None:
    """What a process bot asked for may be told by the fake's journal instead of the tap."""
    facts = [f for f in full_run() if not (isinstance(f, Covered) and f.source is Source.FAKE_JOURNAL)]
    whole = [replace(fact, seq=seq) for seq, fact in enumerate(facts)]
    assert held(whole) == independent_of(Source.TAP)


def test_breaches_stay_broken_on_a_hole_in_the_evidence() -> None:
    facts, _ = told("E4")
    assert broken(facts[:-7]) == {"E4"}
    assert held(facts[:-7]) == set()


@pytest.mark.parametrize("promise", PROMISES)
def test_without_a_kind_of_fact_that_it_needs_no_promise_is_held(promise: str) -> None:
    whole, profile = whole_run(promise)
    assert promise in held(whole, profile)
    for kind in RUN | NEEDED[promise]:
        assert promise not in held(lacking(whole, {kind}), profile), kind
    if promise in EITHER:
        assert promise not in held(lacking(whole, EITHER[promise]), profile)


def lacking(facts: Iterable[Fact], kinds: set[str]) -> list[Fact]:
    """As if nothing of these kinds had ever been learned."""
    return without(facts, lambda fact: fact.kind in kinds)


@pytest.mark.parametrize("profile", [MICRO_CAP, NO_TRADE], ids=["micro-cap", "no-trade"])
def test_without_any_kind_no_promise_that_needs_its_source_is_held(profile: Profile) -> None:
    whole = no_trade_run() if profile.no_trade else full_run()
    needs = {fold.id: fold.needs for fold in FOLDS}
    for kind in {fact.kind for fact in whole}:
        sources = {fact.src for fact in whole if fact.kind == kind}
        left = held([fact for fact in whole if fact.kind != kind], profile)
        assert not {promise for promise in left if needs[promise] & sources}, kind


def test_a_line_moved_or_changed_shows_nothing_of_its_source() -> None:
    facts = full_run()
    place = next(place for place, fact in enumerate(facts) if fact.kind == "OrderSeen")
    changed = [replace(f, size=f.size * 2) if i == place else f for i, f in enumerate(facts)]  # type: ignore[attr-defined,call-arg]
    assert held(changed) == independent_of(Source.VENUE)
    moved = [*facts[:place], facts[place + 1], facts[place], *facts[place + 2 :]]
    assert held(moved) == set()


# who is believed


def test_every_kind_that_is_heard_has_a_witness_that_is_needed() -> None:
    for fold in FOLDS:
        unneeded = {kind.__name__ for kind in fold(MICRO_CAP, TERMS).hears if not WITNESSES[kind] & fold.needs}
        # The counters hold what the venue told of the day only where it takes a breach away from the first row.
        assert unneeded == ({"EarlierToday"} if fold.id in ("C2", "C3", "C4") else set()), fold.id


@pytest.mark.parametrize("place", range(0, len(full_run()), 3))
def test_a_fact_is_believed_from_nobody_who_cannot_know_it(place: int) -> None:
    facts = full_run()
    fact = facts[place]
    if type(fact) not in WITNESSES or Source.OPERATOR in WITNESSES[type(fact)]:
        return
    lie = retape(replace(f, src=Source.OPERATOR) if f is fact else f for f in facts)
    unsaid = without(facts, lambda other: other is fact)
    assert outcomes(lie) == outcomes(unsaid)


def outcomes(facts: Iterable[Fact]) -> list[tuple[str, Outcome]]:
    return [(verdict.id, verdict.outcome) for verdict in judge(facts, MICRO_CAP, TERMS)]


# implications


def test_implications_name_known_promises_and_never_themselves() -> None:
    for first, others in IMPLICATIONS.items():
        assert {first} | others <= set(PROMISES) - NEVER_BROKEN
        assert first not in others


def test_every_promise_but_two_has_a_run_that_breaks_it() -> None:
    assert set(BREACHES) == set(PROMISES) - NEVER_BROKEN
    assert set(BROUGHT) <= set(IMPLICATIONS)


@pytest.mark.parametrize("promise", BREACHES)
def test_a_breach_brings_no_other_than_its_implications(promise: str) -> None:
    facts, profile = told(promise)
    runs = [facts, *(make() for make in BROUGHT.get(promise, ()))]
    brought: set[str] = set()
    for run in runs:
        found = broken(run, profile)
        assert promise in found
        assert found <= {promise} | IMPLICATIONS.get(promise, frozenset())
        brought |= found - {promise}
    assert brought == IMPLICATIONS.get(promise, frozenset()), "an implication that no run shows"


def test_a_breach_of_one_promise_leaves_the_others_held() -> None:
    """But for what it implies, and what cannot be reckoned any more beside it."""
    blinded = {"E12": {"E7"}, "E13": {"E17"}, "C7": {"C2", "C3", "C4"}, "C11": {"E18"}}
    for promise in BREACHES.keys() - {"N1"}:
        facts, profile = told(promise)
        assert held(facts, profile) == HELD - broken(facts, profile) - blinded.get(promise, set()), promise


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


@pytest.mark.slow
@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(JUNK, max_size=25))
def test_junk_is_judged_without_an_exception_and_shows_nothing(facts: list[Fact]) -> None:
    for profile in (MICRO_CAP, NO_TRADE):
        outcomes = {verdict.outcome for verdict in judge(facts, profile, TERMS)}
        assert Outcome.HELD not in outcomes


@pytest.mark.slow
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


def test_what_the_shared_ledger_cannot_take_blinds_every_promise_that_reckons_with_it() -> None:
    told = [replace(f, client_id=[]) if isinstance(f, RequestSent) and f.is_entry else f for f in micro_cap_run()]  # type: ignore[arg-type]
    reckon = {make.id for make in FOLDS if hasattr(make(MICRO_CAP, TERMS), "ledger")}
    assert len(reckon) > 12
    assert not reckon & held(retape(told))


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
def test_a_window_closed_before_its_end_shows_nothing(early_us: int, shows: bool) -> None:
    whole = micro_cap_run()
    cut = [
        replace(fact, t_local_us=fact.end_us - early_us) if isinstance(fact, WindowClosed) else fact for fact in whole
    ]
    assert bool(held(retape(cut))) is shows
