"""E14: after the stop no order is open and the account is flat, or as declared. E16: the window was not idle."""

from dataclasses import replace
from decimal import Decimal

import pytest
from streams import BUY, NO_TRADE, Placed, Stream, broken, held, micro_cap_run, no_trade_run, verdict_of, without

from botproof.events import Fact, OpenOrdersRead, OrderState, PositionSeen, Side, StopStep
from botproof.invariants.verdict import Outcome


def test_empty_lists_and_a_flat_account_are_held() -> None:
    verdict = verdict_of("E14", micro_cap_run())
    assert (verdict.outcome, verdict.exercise) == (Outcome.HELD, 1)


@pytest.mark.parametrize("kind", ["plain", "trigger"])
def test_an_order_left_open_breaks_nothing_else(kind: str) -> None:
    facts = micro_cap_run(stopped=lambda stream: stream.lists("closing", **{kind: ("o9",)}))  # type: ignore[arg-type]
    assert broken(facts) == {"E14"}
    assert "open after the stop at 01:03:01.000 UTC: o9" in verdict_of("E14", facts).reason


@pytest.mark.parametrize("size", ["0.0001", "-0.0001"])
def test_one_step_of_position_left_is_broken(size: str) -> None:
    facts = micro_cap_run(stopped=lambda stream: stream.show_position("closing", size=size))
    assert broken(facts) == {"E14"}


def test_less_than_one_step_is_dust() -> None:
    facts = micro_cap_run(stopped=lambda stream: stream.show_position("closing", size="0.00009"))
    assert "E14" in held(facts)


def test_a_declared_position_that_is_still_there_is_held_and_flat_is_not() -> None:
    assert "E14" in held(no_trade_run(declared="0.0003"), NO_TRADE)

    def sold(stream: Stream) -> None:
        stream.position -= stream.position

    assert "E14" in broken(no_trade_run(declared="0.0003", ended=sold), NO_TRADE)


@pytest.mark.parametrize(("wait", "outcome"), [("29", Outcome.HELD), ("29.000001", Outcome.BROKEN)])
def test_the_stop_takes_at_most_the_terms_limit(wait: str, outcome: Outcome) -> None:
    verdict = verdict_of("E14", micro_cap_run(stopping=lambda stream: stream.wait(wait)))  # and one more second
    assert verdict.outcome is outcome


def test_a_bot_that_had_to_be_killed_did_not_stop() -> None:
    facts = micro_cap_run(stopping=lambda stream: stream.wait(1).step("killed"))
    assert "had to be killed 1 s after" in verdict_of("E14", facts).reason


def two_lists(fact: Fact) -> bool:
    return isinstance(fact, OpenOrdersRead) and fact.purpose == "closing"


def test_one_closing_reading_is_not_enough() -> None:
    facts = micro_cap_run()
    first = next(fact for fact in facts if two_lists(fact))
    verdict = verdict_of("E14", without(facts, lambda fact: fact is first))
    assert (verdict.outcome, verdict.reason) == (Outcome.NOT_SHOWN, "0 of 1 pairs of closing readings")


def test_the_same_reading_twice_is_not_two() -> None:
    facts = micro_cap_run()
    first, second = (fact for fact in facts if two_lists(fact))
    doubled = [second if fact is first else fact for fact in facts]
    assert verdict_of("E14", without(doubled, lambda _: False)).outcome is Outcome.NOT_SHOWN


@pytest.mark.parametrize("kind", [OpenOrdersRead, PositionSeen, StopStep])
def test_without_what_it_is_judged_by_it_is_not_held(kind: type) -> None:
    assert "E14" not in held(without(micro_cap_run(), lambda fact: isinstance(fact, kind)))


def resting(client_id: str) -> list[Fact]:
    """A run in which an order of `client_id` is in every list from before the bot began to the end."""

    def see(stream: Stream) -> None:
        stream.show(known_as(stream.send(Side.BUY, BUY, client_id="hidden"), client_id), OrderState.LIVE)

    facts = without(no_trade_run(begun=see), lambda fact: getattr(fact, "client_id", "") == "hidden")
    return without(
        [replace(fact, plain=("f1",)) if isinstance(fact, OpenOrdersRead) else fact for fact in facts], lambda _: False
    )


def known_as(order: Placed, client_id: str) -> Placed:
    """The same order under other ids."""
    order.client_id, order.order_id = client_id, "f1"
    return order


def test_an_order_of_somebody_else_from_before_is_no_blame_and_no_proof() -> None:
    verdict = verdict_of("E14", resting("somebody-1"), NO_TRADE)
    assert verdict.outcome is Outcome.NOT_SHOWN
    assert "somebody else" in verdict.reason


def test_an_order_of_an_earlier_run_of_the_bot_is_its_own_to_remove() -> None:
    assert verdict_of("E14", resting("bot1-r0-7"), NO_TRADE).outcome is Outcome.BROKEN


# E16


def test_an_order_that_the_venue_showed_is_held() -> None:
    assert verdict_of("E16", micro_cap_run()).exercise == 5


def test_an_idle_window_is_not_shown_and_never_broken() -> None:
    verdict = verdict_of("E16", micro_cap_run(trades=False))
    assert (verdict.outcome, verdict.reason) == (Outcome.NOT_SHOWN, "0 of 1 orders accepted: the window was idle")


def test_an_answer_alone_is_no_accepted_order() -> None:
    def answered(stream: Stream) -> None:
        order = stream.send(Side.BUY, BUY)
        stream.answer(order.request, order_id="o1", client_id=order.client_id)

    assert verdict_of("E16", micro_cap_run(flat=answered, trades=False)).outcome is Outcome.NOT_SHOWN


def test_orders_of_somebody_else_do_not_count() -> None:
    def foreign(stream: Stream) -> None:
        stream.show(known_as(stream.send(Side.BUY, BUY, client_id="hidden"), "somebody-1"), OrderState.LIVE)

    facts = without(micro_cap_run(trades=False, flat=foreign), lambda f: getattr(f, "client_id", "") == "hidden")
    assert verdict_of("E16", facts).exercise == 0


# what is open, sent or held at the end


def test_an_order_whose_end_nothing_shows_breaks_it_though_the_lists_are_empty() -> None:
    facts = micro_cap_run(flat=lambda stream: stream.place(Side.BUY, BUY), trades=False)
    verdict = verdict_of("E14", facts)
    assert (verdict.outcome, "last seen live" in verdict.reason) == (Outcome.BROKEN, True)


def test_an_end_that_is_learned_before_a_late_report_is_an_end() -> None:
    def late(stream: Stream) -> None:
        order = stream.place(Side.BUY, BUY)
        stream.cancel(order)
        stream.show(order, OrderState.LIVE)

    assert "E14" in held(micro_cap_run(flat=late))


@pytest.mark.parametrize("step", ["stopped", "killed"])
def test_an_order_that_is_sent_after_the_bot_was_done_breaks_it(step: str) -> None:
    def late(stream: Stream) -> None:
        stream.step(step)
        stream.answer(stream.send(Side.BUY, BUY).request, code="40762")

    verdict = verdict_of("E14", micro_cap_run(stopped=late))
    assert verdict.outcome is Outcome.BROKEN
    assert "was sent at 01:03:01.000 UTC, after the bot was done" in verdict.reason


@pytest.mark.parametrize(
    ("before", "after", "outcome"),
    [
        (None, "5", Outcome.BROKEN),
        ("4", "5", Outcome.BROKEN),
        ("5", "5", Outcome.HELD),
        ("5", "0", Outcome.HELD),
    ],
)
def test_a_position_of_another_symbol_is_what_it_was_before_or_none(
    before: str | None, after: str, outcome: Outcome
) -> None:
    facts: list[Fact] = []
    for fact in micro_cap_run():
        facts.append(fact)
        size = {"preflight": before, "closing": after}.get(fact.via) if isinstance(fact, PositionSeen) else None
        if size is not None:
            facts.append(replace(fact, symbol="ETHUSDT", size=Decimal(size)))  # type: ignore[call-arg]
    assert verdict_of("E14", without(facts, lambda _: False)).outcome is outcome
