"""C11: the account's money over the run."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest
from streams import EPOCH_US, broken, held, micro_cap_run, verdict_of, without
from streams_rows import MIDNIGHT_S, more, of, recorded, swapped

from botproof.events import BalanceSeen, BillSeen, Fact, FillSeen
from botproof.invariants.verdict import Outcome, Verdict

HELD, BROKEN, NOT_SHOWN = Outcome.HELD, Outcome.BROKEN, Outcome.NOT_SHOWN
END = -1


def c11(facts: Sequence[Fact]) -> Verdict:
    return verdict_of("C11", facts)


def ended_with(facts: Sequence[Fact], more_usdt: str, unrealized: str = "0") -> list[Fact]:
    """The run with another balance at its end."""
    end = of(facts, BalanceSeen)[END]
    return swapped(
        facts, BalanceSeen, END, equity_usdt=end.equity_usdt + Decimal(more_usdt), unrealized_usdt=Decimal(unrealized)
    )


def billed(facts: Sequence[Fact], kind: str, amount: str, *, fee: str = "0", bill_id: str = "b9") -> list[Fact]:
    """The run with one more bill."""
    last = of(facts, BillSeen)[END] if of(facts, BillSeen) else None
    at_us = last.t_venue_us if last else facts[0].t_local_us + 1_000_000
    bill = BillSeen(
        src=facts[1].src,
        t_venue_us=at_us,
        t_local_us=at_us or 0,
        bill_id=bill_id,
        symbol="",
        business_type=kind,
        amount=Decimal(amount),
        fee=Decimal(fee),
        balance=Decimal(20),
    )
    return more(facts, bill)


@pytest.mark.parametrize("shift_s", [0, MIDNIGHT_S])
def test_a_correct_run_keeps_it(shift_s: int) -> None:
    verdict = c11(recorded(shift_s=shift_s))
    assert (verdict.outcome, verdict.exercise, verdict.peak) == (HELD, 2, Decimal(0))


def test_a_rebate_is_money_received() -> None:
    rebate = Decimal("-0.0001")
    assert "C11" in held(recorded(maker=rebate, known=rebate))


def test_a_run_in_which_no_money_moved_shows_nothing_and_may_be_broken() -> None:
    facts = recorded(micro_cap_run(trades=False))
    assert c11(facts).reason == "0 of 1 bills of the run"
    assert c11(ended_with(facts, "0.02")).outcome is BROKEN


@pytest.mark.parametrize(
    ("off", "outcome"), [("0.01", HELD), ("-0.01", HELD), ("0.01000001", BROKEN), ("-0.01000001", BROKEN)]
)
def test_equity_moved_by_what_was_booked_within_a_cent(off: str, outcome: Outcome) -> None:
    facts = ended_with(recorded(), off)
    verdict = c11(facts)
    assert (verdict.outcome, verdict.peak) == (outcome, abs(Decimal(off)))
    assert broken(facts) <= {"C11"}


@pytest.mark.parametrize("unrealized", ["0.4", "-0.4"])
def test_unrealised_profit_moves_equity_as_well(unrealized: str) -> None:
    assert "C11" in held(ended_with(recorded(), unrealized, unrealized))
    assert "C11" in broken(ended_with(recorded(), "0", unrealized))


def test_an_inherited_position_began_with_a_profit_of_its_own() -> None:
    facts = swapped(recorded(), BalanceSeen, 0, unrealized_usdt=Decimal("0.4"))
    assert "C11" in broken(facts)
    assert "C11" in held(ended_with(facts, "0", "0.4"))


@pytest.mark.parametrize("kind", ["contract_settle_fee", "trans_from_exchange", "trans_to_exchange"])
@pytest.mark.parametrize("amount", ["5", "-0.5"])
def test_funding_and_transfers_move_equity(kind: str, amount: str) -> None:
    facts = billed(recorded(), kind, amount)
    assert "C11" in broken(facts)
    moved = c11(ended_with(facts, amount))
    assert (moved.outcome, moved.exercise) == (HELD, 3)


@pytest.mark.parametrize("kind", ["bonus_issue", "append_margin", "risk_captital_user_transfer", "whatever"])
def test_nothing_else_may_move_equity(kind: str) -> None:
    facts = billed(recorded(), kind, "5")
    assert "C11" in held(facts)
    assert "C11" in broken(ended_with(facts, "5"))


def test_a_funding_that_was_booked_twice_is_seen_in_the_balance() -> None:
    once = ended_with(billed(recorded(), "contract_settle_fee", "-0.02"), "-0.02")
    assert "C11" in held(once)
    assert "C11" in broken(billed(once, "contract_settle_fee", "-0.02", bill_id="b10"))


# bills and fills


@pytest.mark.parametrize("place", [0, 1])
def test_a_missing_bill_is_found_however_small_it_is(place: int) -> None:
    facts = recorded()
    gone = of(facts, BillSeen)[place]
    verdict = c11(without(facts, lambda fact: fact is gone))
    assert verdict.outcome is BROKEN
    assert "1 bills of trades" in verdict.reason or "equity moved" in verdict.reason


def test_without_any_bill_the_fills_are_missed() -> None:
    assert c11(without(recorded(), lambda fact: isinstance(fact, BillSeen))).outcome is BROKEN


def test_a_trade_that_was_billed_twice_is_found() -> None:
    verdict = c11(billed(recorded(), "buy", "0", fee="-0.0013"))
    assert verdict.outcome is BROKEN
    assert "the 3 bills of trades make fees of 0.00399592 USDT, the 2 fills make 0.00269592" in verdict.reason


@pytest.mark.parametrize("place", [0, 1])
def test_a_fee_of_the_wrong_sign_is_found(place: int) -> None:
    facts = recorded()
    fee = of(facts, BillSeen)[place].fee
    assert c11(swapped(facts, BillSeen, place, fee=-fee)).outcome is BROKEN


def test_a_profit_of_the_wrong_sign_is_found() -> None:
    facts = recorded()
    assert c11(swapped(facts, BillSeen, 1, amount=-of(facts, BillSeen)[1].amount)).outcome is BROKEN


@pytest.mark.parametrize(("off", "outcome"), [("2e-8", HELD), ("-2e-8", HELD), ("2.1e-8", BROKEN), ("-2.1e-8", BROKEN)])
@pytest.mark.parametrize("field", ["amount", "fee"])
def test_bills_and_fills_agree_to_the_last_decimal_of_each(field: str, off: str, outcome: Outcome) -> None:
    facts = recorded()
    value = getattr(of(facts, BillSeen)[0], field) + Decimal(off)
    assert c11(swapped(facts, BillSeen, 0, **{field: value})).outcome is outcome


@pytest.mark.parametrize("field", ["fee_usdt", "realized_usdt"])
def test_a_fill_that_says_otherwise_than_its_bill_is_found(field: str) -> None:
    facts = recorded()
    value = getattr(of(facts, FillSeen)[1], field) + Decimal("0.001")
    assert "C11" in broken(swapped(facts, FillSeen, 1, **{field: value}))


@pytest.mark.parametrize(
    "kind", ["open_long", "close_short", "burst_sell", "force_buy", "adl_close_long", "delivery_long", "sell"]
)
def test_a_trade_is_a_trade_under_each_of_its_names(kind: str) -> None:
    facts = recorded()
    for place in range(2):
        facts = swapped(facts, BillSeen, place, business_type=kind)
    assert "C11" in held(facts)


# the run's own


@pytest.mark.parametrize("kind", ["buy", "contract_settle_fee"])
def test_what_was_billed_before_the_run_is_not_of_it(kind: str) -> None:
    facts = recorded()
    bill = of(facts, BillSeen)[0]
    for earlier_us in (0, 1):
        before = replace(bill, bill_id="b0", business_type=kind, amount=Decimal(9), t_venue_us=EPOCH_US - earlier_us)
        assert "C11" in held(more(facts, before))
    assert "C11" in broken(more(facts, replace(bill, bill_id="b0", amount=Decimal(9), t_venue_us=EPOCH_US + 1)))


@pytest.mark.parametrize(("late_us", "outcome"), [(0, BROKEN), (1, HELD)])
def test_what_is_billed_after_the_last_balance_is_not_of_the_run(late_us: int, outcome: Outcome) -> None:
    facts = recorded()
    at_us = of(facts, BalanceSeen)[END].t_local_us + late_us
    bill = replace(of(facts, BillSeen)[0], bill_id="b9", amount=Decimal(9), t_venue_us=at_us, t_local_us=at_us)
    assert c11(more(facts, bill)).outcome is outcome


def test_the_first_preflight_and_the_last_closing_balance_count() -> None:
    facts = recorded()
    start, end = of(facts, BalanceSeen)
    later = replace(start, equity_usdt=Decimal(7), t_local_us=start.t_local_us + 1)
    earlier = replace(end, equity_usdt=Decimal(7), t_local_us=end.t_local_us - 1)
    polled = [replace(end, equity_usdt=Decimal(7), via=via) for via in ("push", "poll")]
    assert "C11" in held(more(facts, later, earlier, *polled))
    assert "C11" in broken(more(facts, replace(later, t_local_us=start.t_local_us - 1)))


@pytest.mark.parametrize("place", [0, END])
def test_without_both_balances_it_is_not_shown(place: int) -> None:
    facts = recorded()
    gone = of(facts, BalanceSeen)[place]
    verdict = c11(without(facts, lambda fact: fact is gone))
    assert (verdict.outcome, "the balance before the run or after it" in verdict.reason) == (NOT_SHOWN, True)


# duplicates, contradictions, disorder, removal


def test_bills_and_fills_written_twice_count_once() -> None:
    facts = recorded()
    for kind in (BillSeen, FillSeen, BalanceSeen):
        again = c11(more(facts, *of(facts, kind)))
        assert (again.outcome, again.exercise) == (HELD, 2)


def test_a_bill_or_a_fill_with_two_stories_shows_nothing() -> None:
    facts = recorded()
    bill, fill = of(facts, BillSeen)[0], of(facts, FillSeen)[0]
    assert c11(more(facts, replace(bill, fee=Decimal(-9)))).outcome is NOT_SHOWN
    assert c11(more(facts, replace(fill, fee_usdt=Decimal(9)))).outcome is NOT_SHOWN


def test_bills_in_another_order_say_the_same() -> None:
    facts = recorded()
    bills = of(facts, BillSeen)
    assert "C11" in held(more(without(facts, lambda fact: isinstance(fact, BillSeen)), *reversed(bills)))


@pytest.mark.parametrize("kind", [BillSeen, FillSeen, BalanceSeen])
def test_no_fact_taken_from_the_tape_improves_it(kind: type[Fact]) -> None:
    facts = ended_with(recorded(), "0.02")
    for gone in of(facts, kind):
        assert "C11" not in held([fact for fact in facts if fact is not gone])
