"""E3: no order and no exposure exceeds the desk cap, whatever the profile says."""

from dataclasses import replace
from decimal import Decimal

import pytest
from streams import BUY, MICRO_CAP, SELL, TERMS, Stream, micro_cap_run, verdict_of, without
from streams_money import folded, held_with_one_twice, held_without_one, lost_with_one_twice, requests_of

from botproof.events import Fact, OrderState, RequestSent, Side
from botproof.invariants.desk_cap import DeskCap
from botproof.invariants.verdict import Outcome, Verdict

WIDE = replace(MICRO_CAP, total_amount_quote=Decimal(1000))


def capped(amount: str, facts: list[Fact]) -> Verdict:
    return verdict_of("E3", facts, MICRO_CAP, replace(TERMS, desk_cap_usdt=Decimal(amount)))


def refused(side: Side, price: str | None, size: str, *, exits: bool = False) -> list[Fact]:
    def send(stream: Stream) -> None:
        order = stream.send(side, price, size, exits=exits)
        stream.wait("0.02").answer(order.request, code="40762")

    return micro_cap_run(WIDE, flat=send)


def test_a_correct_run_is_held_with_its_peak_against_the_cap() -> None:
    verdict = verdict_of("E3", micro_cap_run())
    assert (verdict.outcome, verdict.peak, verdict.limit) == (Outcome.HELD, Decimal("13.5"), Decimal(100))
    assert verdict.exercise == 4


def test_exposure_exactly_at_the_cap_is_held_and_above_it_by_the_last_digit_is_broken() -> None:
    assert capped("13.5", micro_cap_run()).outcome is Outcome.HELD
    verdict = capped("13.49999", micro_cap_run())
    assert verdict.outcome is Outcome.BROKEN
    assert verdict.reason.startswith("exposure 13.50 USDT above 13.49999")


@pytest.mark.parametrize(("price", "outcome"), [("50000", Outcome.HELD), ("50000.1", Outcome.BROKEN)])
def test_an_order_is_held_at_the_cap_and_broken_a_tick_above_whatever_the_profile_says(
    price: str, outcome: Outcome
) -> None:
    verdict = verdict_of("E3", refused(Side.BUY, price, "0.002"), WIDE)
    assert verdict.outcome is outcome
    if outcome is Outcome.BROKEN:
        text = "entry buy bot1-r1-1 50000.1 x 0.002 at 01:01:01.020 UTC: worth 100.0002 USDT, above the desk cap 100.00"
        assert verdict.reason.startswith(text)


def test_terms_may_lower_the_cap_and_never_raise_it() -> None:
    facts = refused(Side.BUY, "50000.1", "0.002")
    raised = replace(TERMS, desk_cap_usdt=Decimal(500))
    assert verdict_of("E3", facts, WIDE, raised).outcome is Outcome.BROKEN
    assert verdict_of("E3", micro_cap_run(), MICRO_CAP, raised).limit == Decimal(100)


def test_an_entry_at_market_is_worth_the_mark_of_its_sending() -> None:
    def late_mark(stream: Stream) -> None:
        order = stream.send(Side.BUY, None, "0.0014")
        stream.wait("0.02").answer(order.request, code="40762")
        stream.wait(1).ticker("80000")

    facts = micro_cap_run(WIDE, flat=late_mark, trades=False)
    assert verdict_of("E3", facts, WIDE).peak == Decimal("94.5")
    assert verdict_of("E3", refused(Side.BUY, None, "0.0015"), WIDE).outcome is Outcome.BROKEN


def test_an_order_on_another_symbol_is_judged_by_its_own_price() -> None:
    def elsewhere(price: str) -> list[Fact]:
        def send(stream: Stream) -> None:
            order = stream.send(Side.BUY, price, "1", symbol="ETHUSDT")
            stream.wait("0.02").answer(order.request, code="40762")

        return micro_cap_run(flat=send)

    assert verdict_of("E3", elsewhere("100.1")).outcome is Outcome.BROKEN
    assert verdict_of("E3", elsewhere("100")).outcome is Outcome.NOT_SHOWN  # what becomes of it is not read


def test_an_exit_of_what_is_held_is_no_order_of_its_own() -> None:
    facts = micro_cap_run()  # the take-profit of the long is worth 6.75328, the long itself 6.75
    assert max(sent.value_usdt() or 0 for sent in requests_of(facts) if sent.reduce_only) == Decimal("6.75328")
    entries = [sent for sent in requests_of(facts) if sent.is_entry]
    assert capped("13.5", facts).outcome is Outcome.HELD
    assert len(entries) == capped("13.5", facts).exercise


def test_an_exit_larger_than_anything_held_is_judged_like_any_order() -> None:
    facts = refused(Side.SELL, "50000.1", "0.002", exits=True)
    assert verdict_of("E3", facts, WIDE).outcome is Outcome.BROKEN
    assert verdict_of("E3", refused(Side.SELL, "50000", "0.002", exits=True), WIDE).outcome is Outcome.HELD


def test_a_sent_and_unanswered_entry_counts_and_a_cancel_under_way_counts() -> None:
    def lose(stream: Stream) -> None:
        stream.lose(stream.send(Side.BUY, BUY).request)

    assert capped("20", micro_cap_run(quoted=lose)).outcome is Outcome.BROKEN

    def requote_at_the_answer(stream: Stream) -> None:
        old = [stream.place(Side.BUY, BUY), stream.place(Side.SELL, SELL)]
        new = stream.place(Side.BUY, BUY)
        for order in (*old, new):
            stream.show(order, OrderState.CANCELED)

    assert capped("20", micro_cap_run(flat=requote_at_the_answer)).outcome is Outcome.BROKEN


def test_an_idle_run_does_not_show_it() -> None:
    verdict = verdict_of("E3", micro_cap_run(trades=False))
    assert (verdict.outcome, verdict.reason) == (Outcome.NOT_SHOWN, "0 of 1 entries sent")


@pytest.mark.parametrize("kind", ["RequestSent", "PositionSeen", "FillSeen"])
def test_it_is_not_shown_without_what_it_needs(kind: str) -> None:
    facts = without(micro_cap_run(), lambda fact: fact.kind == kind)
    assert verdict_of("E3", facts).outcome is Outcome.NOT_SHOWN


def test_an_order_without_a_size_that_can_be_read_is_not_shown() -> None:
    def sizeless(fact: Fact) -> Fact:
        return replace(fact, size=None) if isinstance(fact, RequestSent) and fact.reduce_only else fact

    assert "cannot be valued" in verdict_of("E3", without(map(sizeless, micro_cap_run()), lambda _: False)).reason


def test_no_single_fact_taken_away_or_told_twice_improves_it() -> None:
    facts = refused(Side.BUY, "50000.1", "0.002")
    assert folded(DeskCap, facts, WIDE).outcome is Outcome.BROKEN
    assert held_without_one(DeskCap, facts, WIDE) == []
    assert held_with_one_twice(DeskCap, facts, WIDE) == []
    assert lost_with_one_twice(DeskCap, micro_cap_run()) == []
