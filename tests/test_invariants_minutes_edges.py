"""C2, C3, C4, C7, C13 at their edges: rows that are missing, rows of one instant, and what an operator reads."""

from dataclasses import replace
from decimal import Decimal

import pytest
from streams import retape, verdict_of, without
from streams_rows import changed, more, of, recorded, swapped, utc
from test_invariants_minutes import COUNTED, LAST, OURS, cells, first_cancel_us, with_earlier

from botproof.events import BotFill, BotSample, EarlierToday, Fact, OrderSeen, OrderState, WindowOpened
from botproof.invariants.verdict import Outcome


@pytest.mark.parametrize("promise", sorted(OURS))
def test_where_minutes_have_no_row_nothing_is_held_and_it_says_so(promise: str) -> None:
    facts = recorded()
    kept = of(facts, BotSample)[:3]
    thin = without(facts, lambda fact: isinstance(fact, BotSample) and fact not in kept)
    assert verdict_of(promise, thin).reason == (
        "minute.csv is without a row for 100 s at the end of the window, 90 s is the most"
    )


@pytest.mark.parametrize("promise", sorted(COUNTED | {"C7"}))
def test_a_trade_with_two_stories_is_named(promise: str) -> None:
    facts = recorded()
    row = of(facts, BotFill)[0]
    told = more(facts, replace(row, row=dict(row.row) | {"side": "sell"}))
    assert verdict_of(promise, told).reason == "the row of trade t1 in fills.csv is written twice, and differs"


@pytest.mark.parametrize(("turned", "outcome"), [(True, Outcome.HELD), (False, Outcome.BROKEN)])
def test_of_two_fills_of_one_instant_a_row_may_know_the_one_that_was_told_first(turned: bool, outcome: Outcome) -> None:
    facts: list[Fact] = [fact for fact in recorded() if fact.kind != "Covered"]
    at_us = of(facts, BotSample)[1].t_local_us - 1_000_000 - 300_000
    rows = [replace(row, row=dict(row.row) | {"ts": utc(at_us)}) for row in of(facts, BotFill)]
    rest = [fact for fact in facts if not isinstance(fact, BotFill)]
    told = retape([*rest[:-1], *(reversed(rows) if turned else rows), rest[-1]])
    both = cells(facts, LAST, "fees_paid_today_quote")
    for place in range(2, len(of(told, BotSample))):
        told = changed(told, BotSample, place, fees_paid_today_quote=both)
    second = rows[1].row["fee_quote"]
    assert verdict_of("C3", changed(told, BotSample, 1, fees_paid_today_quote=second)).outcome is outcome


def test_a_rebate_that_cannot_be_known_leaves_the_fall_of_the_fees_not_shown() -> None:
    facts = changed(recorded(maker=Decimal("-0.0001")), BotFill, 1, fee_quote=None)
    verdict = verdict_of("C7", facts)
    assert (verdict.outcome, verdict.reason) == (
        Outcome.NOT_SHOWN,
        "the row of trade t2 in fills.csv has no fee_quote",
    )


def test_rows_are_exercise_by_their_instants_whatever_their_place_on_the_tape() -> None:
    facts = [fact for fact in recorded() if fact.kind != "Covered"]
    samples = of(facts, BotSample)
    others = [fact for fact in facts if not isinstance(fact, BotSample)]
    turned = retape([*others[:-1], *reversed(samples), others[-1]])
    assert verdict_of("C7", turned).exercise == verdict_of("C7", retape(facts)).exercise


# what the day held before the run


def test_the_first_row_that_leaves_no_choice_tells_whether_the_day_is_carried_on() -> None:
    facts = with_earlier(counts=True)
    opening_us = of(facts, WindowOpened)[0].start_us
    facts = changed(facts, BotFill, 0, ts=utc(opening_us - 500_000))  # the first row may know of it or not
    told = changed(facts, BotSample, 1, fills_count_today="4")
    assert verdict_of("C2", told).outcome is Outcome.HELD
    assert verdict_of("C2", changed(told, BotSample, 0, fills_count_today="4")).outcome is Outcome.HELD


@pytest.mark.parametrize(("fees", "outcome"), [("0.00000001", Outcome.HELD), ("0.000000011", Outcome.NOT_SHOWN)])
def test_fees_that_began_at_nothing_within_the_tolerance_are_the_runs_own(fees: str, outcome: Outcome) -> None:
    assert verdict_of("C3", with_earlier(counts=True, fees=fees)).outcome is outcome


@pytest.mark.parametrize(("off", "outcome"), [("0.00002025", Outcome.HELD), ("0.0000203", Outcome.BROKEN)])
def test_what_was_traded_earlier_is_carried_within_a_millionth_of_it(off: str, outcome: Outcome) -> None:
    facts = with_earlier(counts=True)
    assert verdict_of("C4", swapped(facts, EarlierToday, 0, traded_usdt=Decimal("20.25") + Decimal(off))).outcome is (
        outcome
    )


# what is judged beside a row that cannot be


def test_a_row_that_cannot_be_read_hides_no_other() -> None:
    assert verdict_of("C7", changed(recorded(), BotSample, 0, fills_count_today="")).exercise == 10


@pytest.mark.parametrize(("count", "outcome"), [("1", Outcome.HELD), ("1.5", Outcome.BROKEN), ("2", Outcome.HELD)])
def test_a_count_between_two_that_may_be_is_none(count: str, outcome: Outcome) -> None:
    facts = recorded()
    told = changed(facts, BotSample, LAST, ts=utc(first_cancel_us(facts) + 59_500_000))
    assert verdict_of("C13", changed(told, BotSample, LAST, cancel_per_min=count)).outcome is outcome


def test_a_cancel_without_the_venues_time_counts_from_when_it_was_known() -> None:
    facts = [
        replace(fact, t_venue_us=None) if isinstance(fact, OrderSeen) and fact.state is OrderState.CANCELED else fact
        for fact in recorded()
    ]
    assert verdict_of("C13", facts).exercise == verdict_of("C13", recorded()).exercise == 6


def test_a_rebate_that_the_days_first_row_may_not_know_is_no_fall_in_the_next() -> None:
    facts = recorded(maker=Decimal("-0.0001"))
    opening_us = of(facts, WindowOpened)[0].start_us
    told = changed(facts, BotFill, 0, ts=utc(opening_us - 500_000))
    told = changed(told, BotSample, 1, fees_paid_today_quote=cells(facts, 2, "fees_paid_today_quote"))
    assert cells(told, 0, "fees_paid_today_quote") == "0"
    assert verdict_of("C7", told).outcome is Outcome.HELD
