"""E1 at its edges: from which order on it is judged, and what an operator reads."""

from dataclasses import replace
from decimal import Decimal

import pytest
from streams import BUY, PREFIX, Placed, Stream, micro_cap_run, retape, verdict_of, without
from test_invariants_exposure import books, entry

from botproof.events import Fact, OpenOrdersRead, OrderState, PositionSeen, Side, TopOfBook
from botproof.invariants.exposure import exposure
from botproof.invariants.verdict import Outcome


def test_a_mark_that_moves_too_far_is_told_with_its_time() -> None:
    verdict = verdict_of("E1", micro_cap_run(held=lambda stream: stream.ticker("200000.1")))
    assert verdict.reason.startswith("exposure 20.00001 USDT above 20.00 at 01:01:16.531 UTC, the mark moved")


def test_a_position_that_the_venue_shows_is_told_with_its_size() -> None:
    facts = micro_cap_run(held=lambda stream: stream.show_position("poll", size="0.0003", mark="67500"))
    assert verdict_of("E1", facts).reason == (
        "exposure 20.25 USDT above 20.00 at 01:01:16.531 UTC, the venue showed a position of 0.0003"
    )


@pytest.mark.parametrize(("named", "outcome"), [(f"{PREFIX}0", Outcome.BROKEN), ("manual-1", Outcome.NOT_SHOWN)])
def test_an_entry_of_before_is_the_bots_first_by_its_prefix_alone(named: str, outcome: Outcome) -> None:
    def flat(stream: Stream) -> None:
        order = Placed(named, "o900", Side.BUY, Decimal(BUY), Decimal("0.0003"), False)
        stream.show(order, OrderState.LIVE)

    facts = [
        replace(fact, plain=("o900",)) if isinstance(fact, OpenOrdersRead) and fact.purpose == "preflight" else fact
        for fact in micro_cap_run(flat=flat, trades=False)
    ]
    assert verdict_of("E1", retape(facts)).outcome is outcome


def test_a_position_without_a_mark_so_far_is_told_with_the_time() -> None:
    def flat(stream: Stream) -> None:
        stream.fill(stream.place(Side.BUY, BUY))
        stream.wait(5).ticker()
        stream.fill(stream.place(Side.SELL, None, exits=True))

    facts = micro_cap_run(flat=flat, trades=False)
    late = [fact for fact in facts if isinstance(fact, TopOfBook)][1]

    def unmarked(fact: Fact) -> Fact:
        if isinstance(fact, TopOfBook) and fact.seq < late.seq:
            return replace(fact, mark=None)
        return replace(fact, mark_price=None) if isinstance(fact, PositionSeen) else fact

    assert verdict_of("E1", without(map(unmarked, facts), lambda _: False)).reason == (
        "no mark price was known at 01:01:01.060 UTC, when there was something to value"
    )


def test_what_stays_above_the_envelope_is_one_breach_and_what_rises_again_another() -> None:
    def flat(stream: Stream) -> None:
        order = stream.place(Side.BUY, BUY)
        stream.fill(order)
        for mark in ("250000", "260000", "67500", "250000", "67500"):
            stream.wait(1).ticker(mark)
        stream.fill(stream.place(Side.SELL, None, exits=True))

    assert len(verdict_of("E1", micro_cap_run(flat=flat, trades=False)).proof) == 2


def test_a_shown_position_worth_exactly_the_envelope_is_within() -> None:
    def held(stream: Stream) -> None:
        stream.ticker("50000")
        stream.show_position("poll", size="0.0004", mark="50000")

    verdict = verdict_of("E1", micro_cap_run(held=held))
    assert (verdict.outcome, verdict.peak) == (Outcome.HELD, 20)


@pytest.mark.parametrize("prices", [("102", "110"), ("110", "102"), ("110", None), (None, "110")])
def test_the_best_priced_entry_closes_the_position_whichever_was_sent_first(prices: tuple[str | None, ...]) -> None:
    lives = [entry(Side.SELL, price, "1", seq) for seq, price in enumerate(prices, 1)]
    assert exposure(books("1", *lives), Decimal(101)) == 101 + 110
