"""C11 at its edges: which balances count, which tolerance, and what an operator reads."""

from dataclasses import replace
from decimal import Decimal

import pytest
from streams import without
from streams_money import folded
from streams_rows import of, recorded, swapped
from test_invariants_equity import END, billed, c11, ended_with

from botproof.events import BalanceSeen, BillSeen, Fact, FillSeen
from botproof.invariants.equity import Equity
from botproof.invariants.verdict import Outcome


def test_equity_that_nothing_explains_is_told_with_what_does() -> None:
    assert c11(ended_with(recorded(), "1", "0.4")).reason == (
        "equity moved by 1.02421408 USDT, bills 0.02421408 and unrealised profit 0.40 explain 0.42421408"
    )


@pytest.mark.parametrize("via", ["preflight", "closing"])
def test_without_a_balance_at_both_ends_it_says_so(via: str) -> None:
    facts = without(recorded(), lambda fact: isinstance(fact, BalanceSeen) and fact.via == via)
    assert c11(facts).reason == "the balance before the run or after it is not on the tape"


@pytest.mark.parametrize(("place", "via"), [(0, "preflight"), (END, "closing")])
def test_of_two_balances_of_one_instant_the_first_that_was_told_counts(place: int, via: str) -> None:
    facts = recorded()
    one = of(facts, BalanceSeen)[place]
    assert one.via == via
    again = replace(one, equity_usdt=one.equity_usdt + 5)
    assert folded(Equity, [*facts, again]).outcome is Outcome.HELD


def test_profit_that_the_fills_do_not_make_is_told_and_proved_by_the_last_bill() -> None:
    facts = recorded()
    spoilt = swapped(facts, BillSeen, 1, amount=of(facts, BillSeen)[1].amount + Decimal("0.001"))
    verdict = c11(spoilt)
    assert verdict.reason.startswith("the 2 bills of trades make profit of ")
    assert [spoilt[seq].kind for seq in verdict.proof] == ["BillSeen"]


def test_without_a_bill_the_balance_at_the_end_proves_what_the_fills_miss() -> None:
    facts = without(recorded(), lambda fact: isinstance(fact, BillSeen))
    verdict = c11(facts)
    assert {facts[seq].kind for seq in verdict.proof} == {"BalanceSeen"}


@pytest.mark.parametrize(
    ("bills", "fills", "off", "outcome"),
    [
        (2, 2, "0.00000002", Outcome.HELD),
        (2, 2, "0.00000003", Outcome.BROKEN),
        (3, 2, "0.00000003", Outcome.HELD),  # each is cut alone: the more there are, the more may be cut away
        (3, 2, "0.00000004", Outcome.BROKEN),
        (2, 3, "0.00000003", Outcome.HELD),
        (2, 3, "0.00000004", Outcome.BROKEN),
        (0, 1, "0.00000001", Outcome.NOT_SHOWN),
        (0, 1, "0.00000002", Outcome.BROKEN),
        (0, 0, "0", Outcome.NOT_SHOWN),
    ],
)
def test_bills_and_fills_may_be_a_hundredth_of_a_millionth_apart_for_each(
    bills: int, fills: int, off: str, outcome: Outcome
) -> None:
    facts = recorded()
    start, end = of(facts, BalanceSeen)[0], of(facts, BalanceSeen)[END]
    bill, fill = of(facts, BillSeen)[0], of(facts, FillSeen)[0]
    told: list[Fact] = [start, replace(end, equity_usdt=start.equity_usdt, unrealized_usdt=start.unrealized_usdt)]
    told += [replace(bill, bill_id=f"b{n}", amount=Decimal(0), fee=Decimal(0)) for n in range(bills)]
    told += [
        replace(fill, trade_id=f"t{n}", realized_usdt=Decimal(0), fee_usdt=Decimal(off) if n == 0 else Decimal(0))
        for n in range(fills)
    ]
    assert folded(Equity, told).outcome is outcome


def test_a_bill_told_in_two_ways_is_named() -> None:
    facts = billed(recorded(), "contract_settle_fee", "1", bill_id="b9")
    twice = billed(ended_with(facts, "1"), "contract_settle_fee", "2", bill_id="b9")
    assert c11(twice).reason == "the bill b9 is told of in two ways"


def test_money_that_moved_without_a_bill_is_told_with_none() -> None:
    facts = without(recorded(), lambda fact: isinstance(fact, BillSeen | FillSeen))
    assert c11(ended_with(facts, "2")).reason == (
        "equity moved by 2.02421408 USDT, bills 0.00 and unrealised profit 0.00 explain 0.00"
    )


def test_fills_without_a_bill_are_told_with_none() -> None:
    facts = recorded()
    start = of(facts, BalanceSeen)[0]
    unmoved = swapped(facts, BalanceSeen, END, equity_usdt=start.equity_usdt, unrealized_usdt=start.unrealized_usdt)
    assert c11(without(unmoved, lambda fact: isinstance(fact, BillSeen))).reason == (
        "the 0 bills of trades make profit of 0 USDT, the 2 fills make 0.02691 (and 1 more)"
    )
    assert c11(without(unmoved, lambda fact: isinstance(fact, FillSeen))).reason.startswith(
        "equity moved by 0.00 USDT, bills 0.02421408 and unrealised profit 0.00 explain 0.02421408"
    )
