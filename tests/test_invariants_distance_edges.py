"""E6 at its edges: which books have a mid, and which sendings are one order."""

from dataclasses import replace
from decimal import Decimal

import pytest
from streams import BUY, MICRO_CAP, Stream, micro_cap_run, verdict_of, without
from test_invariants_distance import entry, every_entry_with_a_book

from botproof.events import Fact, OrderState, RequestSent, Side, TopOfBook


def reason_of(facts: list[Fact]) -> str:
    return verdict_of("E6", facts).reason


@pytest.mark.parametrize(
    ("bid", "ask", "exercise"), [("1", "2", 1), ("0.5", "1", 1), ("1", "0", 0), ("0", "1", 0), ("-1", "1", 0)]
)
def test_a_book_has_a_mid_where_it_has_both_prices(bid: str, ask: str, exercise: int) -> None:
    facts = [
        replace(f, bid=Decimal(bid), ask=Decimal(ask)) if isinstance(f, TopOfBook) else f
        for f in entry(Side.BUY, "0.5")
    ]
    assert verdict_of("E6", without(facts, lambda _: False)).exercise == exercise


def otherwise(**changes: object) -> list[Fact]:
    """The one entry of the run, asked for otherwise."""
    facts = entry(Side.BUY, "59790")
    told = [replace(f, **changes) if isinstance(f, RequestSent) and f.is_entry else f for f in facts]  # type: ignore[arg-type]
    return without(told, lambda _: False)


def test_an_entry_without_its_price_is_told_with_its_place() -> None:
    facts = otherwise(price=None)
    seq = next(fact.seq for fact in facts if isinstance(fact, RequestSent) and fact.is_entry)
    assert reason_of(facts).startswith("entry buy bot1-r1-1 at market x 0.0001 at 01:01:06.520 UTC")
    assert f"(seq {seq}) has no side or price that can be read" in reason_of(facts)


def test_an_order_that_nobody_saw_being_sent_is_told() -> None:
    facts = without(every_entry_with_a_book(), lambda f: isinstance(f, RequestSent) and f.client_id == "bot1-r1-1")
    assert reason_of(facts) == "the venue showed the order bot1-r1-1, and nobody saw it being sent"


def test_a_breach_is_proved_by_the_request() -> None:
    for facts, profile in (
        (entry(Side.BUY, None), MICRO_CAP),
        (entry(Side.BUY, "59900"), MICRO_CAP),
        (entry(Side.BUY, "59790"), replace(MICRO_CAP, buy_spreads=())),
    ):
        verdict = verdict_of("E6", facts, profile)
        assert [facts[seq].kind for seq in verdict.proof] == ["RequestSent"]


@pytest.mark.parametrize(("wait", "exercise"), [("0", 2), ("-0.000001", 1)])
def test_what_was_refused_or_ended_before_it_is_sent_again_is_another_sending(wait: str, exercise: int) -> None:
    def again(stream: Stream, *, ended: bool) -> None:
        stream.ticker()
        first = stream.send(Side.BUY, BUY)
        over_us = stream.wait("0.1").now_us
        if ended:
            stream.show(first, OrderState.CANCELED, late="0")
        else:
            stream.answer(first.request, code="40762")
        stream.now_us = over_us + int(Decimal(wait) * 1_000_000)
        stream.send(Side.BUY, BUY, client_id=first.client_id)
        stream.now_us = over_us

    for ended in (True, False):
        facts = micro_cap_run(flat=lambda stream, ended=ended: again(stream, ended=ended), trades=False)  # type: ignore[misc]
        assert verdict_of("E6", facts).exercise == exercise, ended


def test_a_request_that_was_refused_at_the_very_instant_stands_no_more_beside_another() -> None:
    def again(stream: Stream) -> None:
        stream.ticker()
        first = stream.send(Side.BUY, BUY)
        stream.wait("0.1").send(Side.BUY, "67263.6", client_id=first.client_id)
        stream.wait("0.1").answer(first.request, code="40762")
        stream.send(Side.BUY, BUY, client_id=first.client_id)

    assert verdict_of("E6", micro_cap_run(flat=again, trades=False)).exercise == 3
