"""E17 at its edges: what an operator's stop found, and what it left."""

from dataclasses import replace
from decimal import Decimal

import pytest
from streams import BUY, SELL, Stream, micro_cap_run, verdict_of, without
from streams_money import folded
from test_invariants_paths import clear, held_at_the_stop, operate, quotes, stopped, told

from botproof.events import Action, ContractRead, OrderState, PositionSeen, RunEnded, RunStarted, Side, StopStep
from botproof.invariants.paths import Paths
from botproof.invariants.verdict import Outcome

MISSING = "0 of 1 times all three paths; missing: an operator's stop that cleared the account"


def test_a_run_that_lacks_more_than_one_path_names_them_all() -> None:
    assert verdict_of("E17", micro_cap_run(trades=False)).reason == (
        "0 of 1 times all three paths; missing: an accepted entry buy, an accepted entry sell, "
        "an operator's stop that cleared the account"
    )


def test_what_the_stop_never_cleared_is_a_path_that_is_missing() -> None:
    def left(stream: Stream) -> None:
        orders = quotes(stream)
        operate(stream)
        clear(stream, orders[:1])

    assert told(left).reason == MISSING


def test_without_an_end_no_stop_is_known_to_have_lasted() -> None:
    facts = micro_cap_run(flat=stopped, trades=False)
    endless = without(facts, lambda fact: isinstance(fact, RunEnded | StopStep))
    assert folded(Paths, endless).reason == MISSING


def test_without_the_contract_it_says_so() -> None:
    facts = without(micro_cap_run(flat=stopped, trades=False), lambda fact: isinstance(fact, ContractRead))
    assert verdict_of("E17", facts).reason == "the contract's quantity step is not on the tape"


def test_an_order_sent_at_the_very_instant_of_the_stop_was_found_open() -> None:
    def at_once(stream: Stream) -> None:
        clear(stream, quotes(stream), "0.1")
        at_us = stream.wait(1).now_us
        order = stream.place(Side.BUY, BUY)
        stream.now_us, later_us = at_us, stream.now_us
        operate(stream)
        stream.now_us = later_us
        clear(stream, [order])

    assert told(at_once).outcome is Outcome.HELD


@pytest.mark.parametrize(("left", "outcome"), [("0.00005", Outcome.HELD), ("0.0001", Outcome.NOT_SHOWN)])
def test_less_than_one_step_is_dust_that_a_stop_may_leave(left: str, outcome: Outcome) -> None:
    def passage(stream: Stream) -> None:
        buy, sell = quotes(stream)
        stream.fill(buy)
        operate(stream)
        stream.wait(1).show(sell, OrderState.CANCELED)
        exit_ = stream.place(Side.SELL, None, exits=True)
        part = Decimal("0.0001") - Decimal(left)
        if part:
            stream.fill(exit_, str(part))
        stream.cancel(exit_)

    assert told(passage).outcome is outcome


@pytest.mark.parametrize("declared", ["0.0003", "-0.0003", "1"])
def test_what_was_declared_is_left_by_a_stop_that_cleared_the_rest(declared: str) -> None:
    def moved(fact: object) -> object:
        if isinstance(fact, RunStarted):
            return replace(fact, declared_position=Decimal(declared))
        return replace(fact, size=fact.size + Decimal(declared)) if isinstance(fact, PositionSeen) else fact

    facts = micro_cap_run(flat=stopped, trades=False)
    assert verdict_of("E17", without(map(moved, facts), lambda _: False)).outcome is Outcome.HELD  # type: ignore[arg-type]


def test_a_whole_coin_that_is_left_is_a_position() -> None:
    def passage(stream: Stream) -> None:
        buy, sell = stream.place(Side.BUY, BUY, "1"), stream.place(Side.SELL, SELL)
        stream.fill(buy, "1")
        operate(stream)
        clear(stream, [sell])

    assert told(passage).reason == MISSING


def test_a_stop_after_which_nothing_happened_cleared_nothing() -> None:
    def left(stream: Stream) -> None:
        quotes(stream)
        operate(stream)

    assert told(left).reason == MISSING


@pytest.mark.parametrize(
    "others",
    [
        {"client_id": "bot1-r1-1"},
        {"client_id": "bot1-r1-99"},
        {"order_id": "o1"},
        {"order_id": "o99"},
    ],
)
def test_the_cancel_of_one_order_is_none_of_another(others: dict[str, str]) -> None:
    def passage(stream: Stream) -> None:
        buy, sell = quotes(stream)
        operate(stream)
        for name in (others, {"order_id": buy.order_id}):
            stream.answer(stream.request(Action.CANCEL, **name).request)
        stream.wait(5)
        for order in (buy, sell):
            stream.show(order, OrderState.CANCELED)

    assert told(passage).reason == MISSING


def test_a_cancel_may_name_its_order_by_the_venues_id_alone() -> None:
    def passage(stream: Stream) -> None:
        orders = quotes(stream)
        operate(stream)
        for order in orders:
            stream.answer(stream.request(Action.CANCEL, order_id=order.order_id).request)
        stream.wait(5)
        for order in orders:
            stream.show(order, OrderState.CANCELED)

    assert told(passage).outcome is Outcome.HELD


def test_a_cancel_at_the_very_instant_of_the_resume_is_no_answer_to_the_stop() -> None:
    def passage(stream: Stream, before: str) -> None:
        orders = quotes(stream)
        operate(stream)
        stream.wait(5)
        for order in orders:
            stream.show(order, OrderState.CANCELED)
        stream.wait(5)
        resumed_us = stream.now_us
        stream.wait(f"-{before}")
        for order in orders:
            stream.request(Action.CANCEL, order_id=order.order_id)
        stream.now_us = resumed_us
        operate(stream, "resume")

    assert told(lambda s: passage(s, "0.000001")).outcome is Outcome.HELD
    assert told(lambda s: passage(s, "0")).reason == MISSING


@pytest.mark.parametrize(("after", "outcome"), [("0", Outcome.HELD), ("-0.000001", Outcome.NOT_SHOWN)])
def test_a_market_exit_at_the_very_instant_of_the_stop_answers_it(after: str, outcome: Outcome) -> None:
    def passage(stream: Stream) -> None:
        buy, sell = stream.place(Side.BUY, BUY, "0.0002"), stream.place(Side.SELL, SELL)
        stream.fill(buy, "0.0002")
        stream.cancel(sell)
        stopped_us = stream.now_us
        operate(stream)
        exit_ = stream.wait(after).place(Side.SELL, None, "0.0002", exits=True)
        stream.now_us = stopped_us + 500_000
        stream.fill(exit_, "0.0001")
        stream.show(exit_, OrderState.CANCELED)
        stream.fill(stream.wait(2).place(Side.SELL, BUY, exits=True))

    assert told(passage).outcome is outcome


@pytest.mark.parametrize(("after", "outcome"), [("1", Outcome.HELD), ("1.000001", Outcome.NOT_SHOWN)])
def test_a_position_that_is_over_within_a_second_left_no_time_to_close_it(after: str, outcome: Outcome) -> None:
    def passage(stream: Stream) -> None:
        exit_ = held_at_the_stop(stream)
        stream.wait(after).fill(exit_)

    assert told(passage).outcome is outcome


def test_an_order_that_was_on_its_way_at_the_stop_is_none_that_it_had_found() -> None:
    def passage(stream: Stream) -> None:
        orders = quotes(stream)
        operate(stream)
        late = stream.wait("0.5").place(Side.BUY, BUY)
        clear(stream, orders)
        stream.wait(5).show(late, OrderState.CANCELED)

    assert told(passage).outcome is Outcome.HELD


def test_the_worst_of_two_stops_is_the_peak_and_each_that_cleared_counts() -> None:
    def passage(stream: Stream) -> None:
        for after in ("3", "1"):
            stopped(stream, after)
            operate(stream.wait(5), "resume")

    verdict = told(passage)
    assert (verdict.exercise, verdict.peak, verdict.unit) == (2, 3, "s")


def test_what_was_in_flight_alone_is_told_as_a_path_that_is_missing() -> None:
    def passage(stream: Stream) -> None:
        operate(stream)
        clear(stream, quotes(stream.wait("0.1")))

    assert told(passage).reason == MISSING
