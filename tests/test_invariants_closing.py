"""E14: after the stop no order is open and the account is flat, or as declared."""

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


# the verdict's own words, and its edges


def reason_of(facts: list[Fact]) -> str:
    return verdict_of("E14", facts).reason


def proved_by(facts: list[Fact]) -> list[str]:
    return [facts[seq].kind for seq in verdict_of("E14", facts).proof]


def test_the_peak_is_how_long_the_stop_took_against_the_terms_limit() -> None:
    verdict = verdict_of("E14", micro_cap_run(stopping=lambda stream: stream.wait(2)))
    assert (verdict.peak, verdict.limit, verdict.unit) == (Decimal(3), Decimal(30), "s")
    at_once = micro_cap_run(stopping=lambda stream: stream.step("stopped"))
    assert verdict_of("E14", at_once).peak == Decimal(0)


def test_a_stop_that_took_too_long_is_told_with_both_lengths() -> None:
    facts = micro_cap_run(stopping=lambda stream: stream.wait(30))
    assert reason_of(facts) == "the bot took 31 s to stop, 30 s are allowed"
    assert proved_by(facts) == ["StopStep"]
    killed = micro_cap_run(stopping=lambda stream: stream.wait(1).step("killed"))
    assert reason_of(killed) == "the bot had to be killed 1 s after it was asked to stop"
    assert proved_by(killed) == ["StopStep"]


@pytest.mark.parametrize("step", ["asked", "stopped"])
def test_half_a_stop_is_no_stop(step: str) -> None:
    half = without(micro_cap_run(), lambda fact: isinstance(fact, StopStep) and fact.step == step)
    verdict = verdict_of("E14", half)
    assert (verdict.outcome, verdict.reason) == (Outcome.NOT_SHOWN, "the stop of the bot is not on the tape")


@pytest.mark.parametrize("step", ["asked", "stopped"])
def test_what_is_left_open_breaks_it_though_half_of_the_stop_is_missing(step: str) -> None:
    facts = micro_cap_run(stopped=lambda stream: stream.lists("closing", plain=("o9",)))
    half = without(facts, lambda fact: isinstance(fact, StopStep) and fact.step == step)
    assert reason_of(half).startswith("open after the stop")


def test_orders_left_open_are_named_by_their_client_ids_and_three_at_most() -> None:
    def rests(stream: Stream) -> None:
        first = stream.place(Side.BUY, BUY)
        stream.lists("closing", plain=(first.order_id, "o7"), trigger=("o8", "o9"))

    facts = micro_cap_run(stopping=rests)
    assert reason_of(facts) == "open after the stop at 01:03:00.040 UTC: bot1-r1-6, o7, o8 (and 1 more)"
    assert proved_by(facts) == ["OpenOrdersRead", "OrderSeen"]


def test_an_order_whose_end_nothing_shows_is_named_by_its_client_id_else_by_its_order_id() -> None:
    facts = micro_cap_run(flat=lambda stream: stream.place(Side.BUY, BUY), trades=False)
    assert reason_of(facts) == "the order bot1-r1-1 was last seen live, and nothing shows its end"
    assert proved_by(facts) == ["OrderSeen"]
    nameless = [replace(f, client_id="") if f.kind == "OrderSeen" else f for f in facts]  # type: ignore[call-arg]
    assert reason_of(without(nameless, lambda _: False)).startswith("the order o1 was last seen live")


def test_an_order_sent_after_the_bot_was_done_is_told_with_its_time() -> None:
    facts = micro_cap_run(stopped=lambda s: s.answer(s.send(Side.BUY, BUY).request, code="40762"))
    assert reason_of(facts) == "the order bot1-r1-6 was sent at 01:03:01.000 UTC, after the bot was done"
    assert proved_by(facts) == ["RequestSent"]


def test_a_position_that_is_left_is_told_with_what_was_declared() -> None:
    facts = micro_cap_run(stopped=lambda stream: stream.show_position("closing", size="1"))
    assert reason_of(facts) == "a position of 1 after the stop, declared is 0"
    assert proved_by(facts) == ["PositionSeen"]

    def sold(stream: Stream) -> None:
        stream.position -= stream.position

    inherited = verdict_of("E14", no_trade_run(declared="0.0003", ended=sold), NO_TRADE)
    assert inherited.reason == "a position of 0 after the stop, declared is 0.0003"


def test_a_position_of_another_symbol_is_told_with_it() -> None:
    facts: list[Fact] = []
    for fact in micro_cap_run():
        facts.append(fact)
        if isinstance(fact, PositionSeen) and fact.via == "closing":
            facts.append(replace(fact, symbol="ETHUSDT", size=Decimal(5)))
    spoilt = without(facts, lambda _: False)
    assert reason_of(spoilt) == "a position of 5 ETHUSDT after the stop"
    assert proved_by(spoilt) == ["PositionSeen"]


def test_the_position_that_was_declared_first_is_the_one_that_counts() -> None:
    def left(stream: Stream) -> None:
        stream.show_position("closing", size="0.0001")

    facts = micro_cap_run(stopped=left)
    twice = [facts[0], replace(facts[0], declared_position=Decimal("0.0001")), *facts[1:]]  # type: ignore[call-arg]
    assert reason_of(without(twice, lambda _: False)) == "a position of 0.0001 after the stop, declared is 0"


def test_a_position_is_judged_to_its_last_digit_where_the_contract_is_unknown() -> None:
    def rules(fact: Fact) -> bool:
        return fact.kind == "ContractRead"

    left = micro_cap_run(stopped=lambda stream: stream.show_position("closing", size="0.00009"))
    assert verdict_of("E14", without(left, rules)).outcome is Outcome.BROKEN
    assert verdict_of("E14", without(micro_cap_run(), rules)).outcome is Outcome.HELD


@pytest.mark.parametrize(("early_us", "outcome"), [(1_000_000, Outcome.HELD), (1_000_001, Outcome.NOT_SHOWN)])
def test_two_closing_readings_lie_at_least_four_seconds_apart(early_us: int, outcome: Outcome) -> None:
    facts = micro_cap_run()
    _, second = (fact for fact in facts if two_lists(fact))  # sent five seconds apart
    near = [replace(f, t_local_us=f.t_local_us - early_us) if f is second else f for f in facts]
    assert verdict_of("E14", without(near, lambda _: False)).outcome is outcome


@pytest.mark.parametrize(("early_us", "outcome"), [(0, Outcome.HELD), (1, Outcome.NOT_SHOWN)])
def test_a_reading_before_the_stop_was_asked_for_is_no_closing_reading(early_us: int, outcome: Outcome) -> None:
    facts = micro_cap_run()
    asked_us = next(fact for fact in facts if isinstance(fact, StopStep)).t_local_us
    first, _ = (fact for fact in facts if two_lists(fact))
    moved = [replace(f, t_local_us=asked_us - early_us) if f is first else f for f in facts]
    assert verdict_of("E14", without(moved, lambda _: False)).outcome is outcome


def test_the_last_closing_reading_proves_it() -> None:
    facts = micro_cap_run(closed=lambda stream: stream.wait(5).lists("closing"))
    last = max(fact.seq for fact in facts if two_lists(fact))
    assert verdict_of("E14", facts).proof == (last,)


def listed(where: str, purposes: tuple[str, ...]) -> list[Fact]:
    """A quiet run in which an order of somebody else rests, and stands in the lists of these purposes."""

    def told(fact: Fact) -> Fact:
        if not isinstance(fact, OpenOrdersRead):
            return fact
        lists = {"plain": (), "trigger": ()} | ({where: ("f1",)} if fact.purpose in purposes else {})
        return replace(fact, **lists)  # type: ignore[arg-type]

    return without(map(told, resting("somebody-1")), lambda _: False)


@pytest.mark.parametrize("where", ["plain", "trigger"])
def test_an_order_of_somebody_else_is_inherited_by_the_lists_from_before_the_bot_began(where: str) -> None:
    inherited = verdict_of("E14", listed(where, ("preflight", "closing")), NO_TRADE)
    assert (inherited.outcome, inherited.reason) == (
        Outcome.NOT_SHOWN,
        "an order of somebody else was open before the bot began, and still is: f1",
    )
    assert verdict_of("E14", listed(where, ("poll", "closing")), NO_TRADE).outcome is Outcome.BROKEN


def test_an_order_from_before_of_which_nothing_is_known_is_not_somebody_elses() -> None:
    unknown = without(resting("somebody-1"), lambda fact: fact.kind == "OrderSeen")
    verdict = verdict_of("E14", unknown, NO_TRADE)
    assert (verdict.outcome, verdict.reason.split(": ")[1][:2]) == (Outcome.BROKEN, "f1")


def test_an_order_that_is_first_seen_at_its_end_is_over() -> None:
    def at_once(stream: Stream) -> None:
        stream.show(stream.send(Side.BUY, BUY), OrderState.CANCELED)

    assert "E14" in held(micro_cap_run(flat=at_once))
