"""C12 at its edges: which reading applies, how much a row may be off, and what an operator reads."""

from dataclasses import replace
from decimal import Decimal

import pytest
from streams import without
from streams_rows import changed, more, of, recorded, swapped
from test_invariants_fees import FEE, c12, charged, with_rates

from botproof.events import BotFill, Fact, FeeRatesRead, FillSeen
from botproof.invariants.verdict import Outcome

WRONG, RIGHT = Decimal("0.0001"), Decimal("0.0002")


def read_at(*readings: tuple[int, Decimal]) -> list[Fact]:
    """A run of one fill with these readings of the maker rate, by microseconds from the fill."""
    facts = recorded()
    one, other = of(facts, FillSeen)
    reading = of(facts, FeeRatesRead)[0]
    told = without(facts, lambda fact: isinstance(fact, FeeRatesRead) or fact is other)
    at_us = one.t_venue_us
    assert at_us is not None
    return more(told, *(replace(reading, t_local_us=at_us + apart, maker_fee_rate=rate) for apart, rate in readings))


@pytest.mark.parametrize(
    ("readings", "outcome"),
    [
        (((-1, WRONG), (0, RIGHT), (1, WRONG)), Outcome.HELD),
        (((-1, RIGHT), (0, WRONG), (1, WRONG)), Outcome.BROKEN),
        (((0, WRONG), (1, RIGHT)), Outcome.HELD),
        (((0, WRONG), (1, WRONG), (2, RIGHT)), Outcome.BROKEN),
        (((-1, RIGHT),), Outcome.HELD),
        (((1, RIGHT),), Outcome.HELD),
    ],
)
def test_the_reading_of_the_fills_own_instant_is_the_last_before_it(
    readings: tuple[tuple[int, Decimal], ...], outcome: Outcome
) -> None:
    assert c12(read_at(*readings)).outcome is outcome


def test_a_fill_without_a_rate_does_not_hide_the_next_one() -> None:
    facts = charged(FEE * 2)
    first, second = of(facts, FillSeen)
    foreign = replace(first, trade_id="t0", symbol="ETHUSDT")
    facts = [foreign, *facts]
    verdict = c12([replace(fact, seq=seq) for seq, fact in enumerate(facts)])
    assert (verdict.outcome, verdict.exercise) == (Outcome.BROKEN, 2)
    assert second.trade_id == "t2"


def test_how_far_a_fee_of_a_small_fill_is_off_is_told_as_of_any_other() -> None:
    fee = cents = Decimal("0.00013452")  # of 0.672637 USDT, cut at 8 decimals
    small = {"size": Decimal("0.00001"), "fee_usdt": fee + Decimal("0.00000672637")}
    row = {"fee_quote": str(cents), "notional_quote": "0.672637"}
    verdict = c12(changed(swapped(recorded(), FillSeen, 0, **small), BotFill, 0, **row))
    assert verdict.peak == Decimal("0.1")


@pytest.mark.parametrize(("notional", "outcome"), [("6.406", Outcome.HELD), ("6.405", Outcome.BROKEN)])
def test_a_row_may_be_off_by_a_tenth_of_a_basis_point_and_the_cut_exactly(notional: str, outcome: Outcome) -> None:
    assert c12(changed(recorded(), BotFill, 0, notional_quote=notional)).outcome is outcome


def test_a_row_of_another_rate_is_told_with_both() -> None:
    verdict = c12(changed(recorded(), BotFill, 0, notional_quote="67.2637"))
    assert verdict.reason == (
        "the row of trade t1 in fills.csv says 0.00134527 USDT on 67.2637, the account pays as maker 0.0002"
    )


def test_a_fill_of_a_taker_is_told_as_such_and_each_rate_once() -> None:
    facts = changed(swapped(recorded(), FillSeen, 0, is_maker=False), BotFill, 0, is_maker="False")
    text = "the trade t1 of 01:01:16.460 UTC cost 0.00134527 USDT on 6.72637, the account pays as taker "
    assert c12(facts).reason == f"{text}0.0006 (and 1 more)"
    assert c12(swapped(facts, FeeRatesRead, 1, taker_fee_rate=Decimal("0.0005"))).reason == (
        f"{text}0.0006 or 0.0005 (and 1 more)"
    )


def test_two_readings_that_agree_are_told_as_one_rate() -> None:
    assert c12(charged(FEE * 3)).reason.endswith("the account pays as maker 0.0002 (and 1 more)")
    assert "as maker 0.0001 or 0.0003" in c12(with_rates("0.0001", "0.0003")).reason


def test_a_role_that_is_none_is_told_as_far_as_it_fits() -> None:
    verdict = c12(changed(recorded(), BotFill, 0, is_maker="m" * 41))
    assert verdict.reason == f"the row of trade t1 in fills.csv says is_maker {'m' * 40}, the venue says True"


def test_a_fill_told_in_two_ways_is_named() -> None:
    facts = recorded()
    again = replace(of(facts, FillSeen)[0], fee_usdt=FEE + Decimal("1e-8"))
    assert c12(more(facts, again)).reason == "the venue showed the trade t1 twice, and differently"
