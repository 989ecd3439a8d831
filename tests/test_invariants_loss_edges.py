"""E18 at its edges: from which instant on a reading counts, and what an operator reads."""

from dataclasses import replace
from decimal import Decimal

import pytest
from streams import BUY, Stream, verdict_of, without
from streams_money import balance, bill, funded_run
from test_invariants_loss import lost, outcome

from botproof.events import BalanceSeen, BillSeen, FillSeen, Side
from botproof.invariants.verdict import Outcome


def test_without_the_equity_at_either_end_it_says_so() -> None:
    facts = lost("0.1")
    no_start = without(facts, lambda f: isinstance(f, BalanceSeen) and f.via == "preflight")
    assert verdict_of("E18", no_start).reason == "the equity when the run began is not on the tape"
    no_end = without(facts, lambda f: isinstance(f, BalanceSeen) and f.via == "closing")
    assert verdict_of("E18", no_end).reason == "the equity after the last fill and the stop is not on the tape"


def test_what_was_lost_at_the_limit_first_and_beyond_it_then_is_a_breach() -> None:
    def sinking(stream: Stream) -> None:
        balance(stream, "19.4", unrealized="-0.6")
        balance(stream.wait("0.01"), "19.39", unrealized="-0.61")

    assert outcome(funded_run(held=sinking)) is Outcome.BROKEN


def test_a_reading_at_the_very_instant_of_the_first_fill_counts() -> None:
    def at_once(stream: Stream) -> None:
        order = stream.place(Side.BUY, BUY)
        filled_us = stream.now_us
        stream.fill(order)
        now_us, stream.now_us = stream.now_us, filled_us
        balance(stream, "19.3", unrealized="-0.7")
        stream.now_us = now_us
        stream.fill(stream.wait("0.1").place(Side.SELL, "67532.8", exits=True))

    assert outcome(funded_run(flat=at_once, trades=False)) is Outcome.BROKEN


@pytest.mark.parametrize(("later_us", "shown"), [(0, True), (-1, False)])
def test_the_last_reading_is_not_before_the_last_fill(later_us: int, shown: bool) -> None:
    facts = lost("0")
    closing = max(f.t_local_us for f in facts if isinstance(f, BalanceSeen))
    last = [f for f in facts if isinstance(f, FillSeen)][-1]
    moved = [replace(f, t_venue_us=None, t_local_us=closing - later_us) if f is last else f for f in facts]
    verdict = verdict_of("E18", without(moved, lambda _: False))
    assert ("the equity after the last fill" not in verdict.reason) is shown


def test_a_bill_at_the_very_instant_of_the_first_reading_is_part_of_it() -> None:
    facts = lost("0")
    start = next(f for f in facts if isinstance(f, BalanceSeen))

    def booked(stream: Stream) -> None:
        bill(stream, "-3", "sell", at_us=start.t_venue_us or start.t_local_us, name="before")

    assert outcome(funded_run(closed=booked)) is Outcome.HELD


def test_what_a_transfer_cost_is_transferred_as_well() -> None:
    def sent(stream: Stream) -> None:
        at_us = stream.now_us
        bill(stream, "-5", "trans_to_exchange", at_us=at_us, name="out")
        stream.wait(5)
        balance(stream, "14")
        stream.wait(5)

    facts = funded_run(held=sent, closing_equity="14")
    told = [replace(f, fee=Decimal(-1)) if isinstance(f, BillSeen) and f.bill_id == "out" else f for f in facts]
    verdict = verdict_of("E18", without(told, lambda _: False))
    assert (verdict.outcome, verdict.peak) == (Outcome.HELD, Decimal(0))


@pytest.mark.parametrize(("apart", "expected"), [("1", Outcome.HELD), ("1.000001", Outcome.BROKEN)])
@pytest.mark.parametrize("before", [True, False])
def test_a_reading_within_a_second_of_a_transfer_is_none(apart: str, before: bool, expected: Outcome) -> None:
    def during(stream: Stream) -> None:
        if before:
            balance(stream.wait(2), "17")
            stream.wait(apart)
            bill(stream, "-3", "trans_to_exchange", name="out")
        else:
            bill(stream, "3", "trans_from_exchange", name="in")
            balance(stream.wait(apart), "20")
        stream.wait(3)

    facts = funded_run(held=during, closing_equity="17" if before else "23")
    assert outcome(facts) is expected


def test_a_poll_after_the_last_fill_is_no_reading_after_the_stop() -> None:
    facts = funded_run(closed=lambda stream: balance(stream, "20", via="poll", polled=True))
    no_end = without(facts, lambda fact: isinstance(fact, BalanceSeen) and fact.via == "closing")
    assert verdict_of("E18", no_end).reason == "the equity after the last fill and the stop is not on the tape"


@pytest.mark.parametrize(("equity", "outcome_"), [("20.4", Outcome.HELD), ("20", Outcome.NOT_SHOWN)])
def test_what_is_not_realised_is_no_part_of_the_wallet(equity: str, outcome_: Outcome) -> None:
    facts = funded_run(closing_equity=equity)
    last = [fact for fact in facts if isinstance(fact, BalanceSeen)][-1]
    told = [replace(fact, unrealized_usdt=Decimal("0.4")) if fact is last else fact for fact in facts]
    assert outcome(without(told, lambda _: False)) is outcome_


def test_a_wallet_that_no_bill_explains_is_told_with_both() -> None:
    assert verdict_of("E18", lost("0.1", billed=False)).reason == (
        "the wallet moved by -0.1 USDT, and the bills explain 0"
    )
