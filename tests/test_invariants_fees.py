"""C12: fees at the rate of their role."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest
from streams import broken, held, micro_cap_run, verdict_of, without
from streams_rows import MAKER, TAKER, changed, more, of, recorded, swapped

from botproof.events import BotFill, Fact, FeeRatesRead, FillSeen
from botproof.invariants.verdict import Outcome, Verdict

HELD, BROKEN, NOT_SHOWN = Outcome.HELD, Outcome.BROKEN, Outcome.NOT_SHOWN
VALUE = Decimal("6.72637")  # of the first fill
FEE = Decimal("0.00134527")  # at the maker rate, cut at 8 decimals


def c12(facts: Sequence[Fact]) -> Verdict:
    return verdict_of("C12", facts)


def charged(fee: Decimal, **fields: object) -> list[Fact]:
    """The run with another fee of the first fill, at the venue and in its row."""
    return changed(swapped(recorded(), FillSeen, 0, fee_usdt=fee, **fields), BotFill, 0, fee_quote=str(fee))


def with_rates(*makers: str) -> list[Fact]:
    """The run with these two readings of the maker rate instead, before the fills and after them."""
    facts = recorded()
    for place, maker in enumerate(makers):
        facts = swapped(facts, FeeRatesRead, place, maker_fee_rate=Decimal(maker))
    return facts


def test_a_correct_run_keeps_it() -> None:
    verdict = c12(recorded())
    assert (verdict.outcome, verdict.exercise, verdict.peak) == (HELD, 2, Decimal(0))


def test_without_a_fill_it_is_not_shown() -> None:
    assert c12(recorded(micro_cap_run(trades=False))).reason == "0 of 1 fills at a known rate"


@pytest.mark.parametrize(
    ("off", "outcome"),
    [
        ("0", HELD),
        ("0.0000672637", HELD),
        ("-0.0000672637", HELD),
        ("0.0000672638", BROKEN),
        ("-0.0000672638", BROKEN),
        ("-0.00269054", BROKEN),
    ],
)
def test_a_fee_is_the_rates_within_a_tenth_of_a_basis_point(off: str, outcome: Outcome) -> None:
    facts = charged(FEE + Decimal(off))
    assert c12(facts).outcome is outcome
    assert broken(facts) <= {"C12", "C3", "C11"}


def test_the_venue_cuts_a_fee_toward_zero_and_the_cut_is_no_difference() -> None:
    assert Decimal("0.001345274") == VALUE * MAKER
    assert c12(charged(FEE)).peak == 0


@pytest.mark.parametrize("is_maker", [True, False])
def test_the_rate_is_that_of_the_role(is_maker: bool) -> None:
    facts = changed(recorded(), BotFill, 0, is_maker=str(is_maker))
    assert c12(swapped(facts, FillSeen, 0, is_maker=is_maker)).outcome is (HELD if is_maker else BROKEN)
    taker = changed(charged(Decimal("0.00403582"), is_maker=is_maker), BotFill, 0, is_maker=str(is_maker))
    taker = changed(taker, BotFill, 0, fee_quote="0.00403582", is_maker=str(is_maker))
    assert c12(taker).outcome is (BROKEN if is_maker else HELD)


def test_the_reason_names_trade_fee_and_rate() -> None:
    reason = c12(charged(Decimal("0.00403582"))).reason
    assert reason.startswith("the trade t1 of 01:01:16.460 UTC cost 0.00403582 USDT on 6.72637, ")
    assert "the account pays as maker 0.0002" in reason


def test_a_rebate_is_a_negative_fee() -> None:
    rebate = Decimal("-0.0001")
    assert c12(recorded(maker=rebate, known=rebate)).outcome is HELD
    assert c12(recorded(maker=-rebate, known=rebate)).outcome is BROKEN  # the sign is lost


@pytest.mark.parametrize(
    ("before", "after", "outcome"),
    [("0.0002", "0.0001", HELD), ("0.0001", "0.0002", HELD), ("0.0001", "0.0003", BROKEN)],
)
def test_where_two_readings_differ_either_may_apply(before: str, after: str, outcome: Outcome) -> None:
    assert c12(with_rates(before, after)).outcome is outcome


def test_only_the_readings_next_to_a_fill_apply() -> None:
    facts = with_rates("0.0002", "0.0001")
    first = of(facts, FeeRatesRead)[0]
    later = replace(first, maker_fee_rate=Decimal("0.0001"), t_local_us=first.t_local_us + 1)
    assert c12(more(facts, later)).outcome is BROKEN


def test_a_reading_of_the_fills_own_instant_applies() -> None:
    facts = recorded()
    fills = of(facts, FillSeen)
    reading = of(facts, FeeRatesRead)[0]
    told = without(facts, lambda fact: isinstance(fact, FeeRatesRead))
    for fill in fills:
        told = more(told, replace(reading, t_local_us=fill.t_venue_us))
    assert c12(told).outcome is HELD


@pytest.mark.parametrize("place", [0, 1])
def test_one_reading_before_or_after_is_enough(place: int) -> None:
    facts = recorded()
    gone = of(facts, FeeRatesRead)[place]
    assert c12(without(facts, lambda fact: fact is gone)).outcome is HELD


def test_the_contracts_rates_show_nothing() -> None:
    facts = without(recorded(), lambda fact: isinstance(fact, FeeRatesRead))
    assert c12(facts).reason == "the account's own fee rates for BTCUSDT are not on the tape"
    assert c12(facts).outcome is NOT_SHOWN


def test_the_rates_of_another_symbol_show_nothing() -> None:
    facts = swapped(swapped(recorded(), FeeRatesRead, 0, symbol="ETHUSDT"), FeeRatesRead, 1, symbol="ETHUSDT")
    assert c12(facts).outcome is NOT_SHOWN


# the row


@pytest.mark.parametrize(("off", "outcome"), [("1e-8", HELD), ("-1e-8", HELD), ("1.1e-8", BROKEN), ("-1.1e-8", BROKEN)])
def test_the_rows_fee_is_the_venues(off: str, outcome: Outcome) -> None:
    facts = changed(recorded(), BotFill, 0, fee_quote=str(FEE + Decimal(off)))
    assert c12(facts).outcome is outcome


def test_a_row_with_the_sign_turned_is_broken() -> None:
    verdict = c12(changed(recorded(), BotFill, 0, fee_quote=str(-FEE)))
    assert "says a fee of -0.00134527, the venue took 0.00134527" in verdict.reason


@pytest.mark.parametrize(
    ("text", "outcome"),
    [("True", HELD), ("true", HELD), ("TRUE", HELD), ("False", BROKEN), ("1", BROKEN), ("maker", BROKEN)],
)
def test_the_rows_role_is_the_venues(text: str, outcome: Outcome) -> None:
    facts = changed(recorded(), BotFill, 0, is_maker=text)
    assert c12(facts).outcome is outcome
    assert broken(facts) <= {"C12"}


@pytest.mark.parametrize(
    ("notional", "outcome"), [("6.72637", HELD), ("6.41", HELD), ("6.4", BROKEN), ("67.2637", BROKEN)]
)
def test_the_rows_fee_has_the_rate_of_the_rows_notional(notional: str, outcome: Outcome) -> None:
    assert c12(changed(recorded(), BotFill, 0, notional_quote=notional)).outcome is outcome


def test_a_notional_that_nobody_could_trade_is_broken() -> None:
    assert c12(changed(recorded(), BotFill, 0, notional_quote="1e60")).outcome is BROKEN


@pytest.mark.parametrize("column", ["fee_quote", "notional_quote", "is_maker"])
@pytest.mark.parametrize("text", [None, "", "n/a", "1,0", 1])
def test_a_cell_without_its_value_holds_nothing(column: str, text: object) -> None:
    outcome = NOT_SHOWN if text in (None, "") else BROKEN
    assert c12(changed(recorded(), BotFill, 0, **{column: text})).outcome is outcome


def test_a_row_without_a_trade_of_the_venue_is_c8s_finding() -> None:
    facts = changed(recorded(), BotFill, 0, exchange_trade_id="t99", fee_quote="9")
    assert "C12" in held(facts)
    assert "C8" in broken(facts)


# duplicates, contradictions, removal


def test_facts_written_twice_say_nothing_new() -> None:
    facts = recorded()
    for kind in (FillSeen, FeeRatesRead, BotFill):
        again = c12(more(facts, of(facts, kind)[0]))
        assert (again.outcome, again.exercise) == (HELD, 2)


def test_a_fill_with_two_stories_shows_nothing() -> None:
    facts = recorded()
    fill = of(facts, FillSeen)[0]
    assert c12(more(facts, replace(fill, fee_usdt=FEE + Decimal("1e-8")))).outcome is NOT_SHOWN
    row = of(facts, BotFill)[0]
    assert c12(more(facts, replace(row, row=dict(row.row) | {"state": "running"}))).outcome is NOT_SHOWN


def test_no_fact_taken_from_the_tape_improves_it() -> None:
    facts = charged(FEE * 3)
    for gone in [*of(facts, FillSeen), *of(facts, FeeRatesRead), *of(facts, BotFill)]:
        assert "C12" not in held([fact for fact in facts if fact is not gone])


def test_a_fill_of_no_value_is_judged_without_an_exception() -> None:
    assert c12(swapped(recorded(), FillSeen, 0, price=Decimal(0), fee_usdt=Decimal(1))).outcome is BROKEN
    assert TAKER > MAKER
