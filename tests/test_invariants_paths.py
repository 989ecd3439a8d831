"""E17: both order directions and the operator's stop were exercised."""

import pytest
from streams import BUY, SELL, Moment, Placed, Stream, micro_cap_run, verdict_of, without
from streams_money import held_with_one_twice, lost_with_one_twice

from botproof.events import (
    Action,
    ContractRead,
    Fact,
    OperatorAction,
    OrderSeen,
    OrderState,
    PositionSeen,
    Side,
    Source,
)
from botproof.invariants.paths import Paths
from botproof.invariants.verdict import Outcome, Verdict


def operate(stream: Stream, action: str = "stop") -> None:
    stream.write(OperatorAction(src=Source.OPERATOR, t_local_us=stream.now_us, action=action, detail=""))


def quotes(stream: Stream) -> list[Placed]:
    return [stream.place(Side.BUY, BUY), stream.place(Side.SELL, SELL)]


def clear(stream: Stream, orders: list[Placed], after: str = "1") -> None:
    """The bot asks for the cancel of all `orders`, and they are gone `after` so many seconds."""
    for order in orders:
        stream.answer(stream.request(Action.CANCEL, client_id=order.client_id).request)
    stream.wait(after)
    for order in orders:
        stream.show(order, OrderState.CANCELED)


def stopped(stream: Stream, after: str = "1") -> None:
    orders = quotes(stream)
    operate(stream)
    clear(stream, orders, after)


def told(passage: Moment) -> Verdict:
    return verdict_of("E17", micro_cap_run(flat=passage, trades=False))


def test_both_directions_and_a_stop_that_clears_are_held() -> None:
    verdict = told(stopped)
    assert (verdict.outcome, verdict.exercise, verdict.peak, verdict.limit) == (Outcome.HELD, 1, 1, 30)


def test_a_run_in_which_nobody_stops_the_bot_is_not_shown() -> None:
    verdict = verdict_of("E17", micro_cap_run())
    assert verdict.lacks_only_exercise
    assert verdict.reason == "0 of 1 times all three paths; missing: an operator's stop that cleared the account"


@pytest.mark.parametrize(
    ("side", "missing"), [(Side.BUY, "an accepted entry sell"), (Side.SELL, "an accepted entry buy")]
)
def test_one_direction_alone_is_not_shown(side: Side, missing: str) -> None:
    def passage(stream: Stream) -> None:
        order = stream.place(side, BUY)
        operate(stream)
        clear(stream, [order])

    assert told(passage).reason.endswith(f"missing: {missing}")


def test_an_exit_is_no_entry_of_its_side() -> None:
    def passage(stream: Stream) -> None:
        stream.fill(stream.place(Side.BUY, BUY))
        exit_ = stream.place(Side.SELL, SELL, exits=True)
        operate(stream)
        stream.wait(1).cancel(exit_)
        stream.fill(stream.place(Side.SELL, None, exits=True))

    assert told(passage).reason.endswith("missing: an accepted entry sell")


def test_an_answer_alone_is_no_accepted_order() -> None:
    facts = micro_cap_run(flat=stopped, trades=False)
    unseen = without(facts, lambda fact: isinstance(fact, OrderSeen) and fact.side is Side.SELL)
    assert verdict_of("E17", unseen).outcome is Outcome.NOT_SHOWN


@pytest.mark.parametrize(("after", "outcome"), [("30", Outcome.HELD), ("30.000001", Outcome.NOT_SHOWN)])
def test_the_account_is_cleared_within_exactly_the_terms_limit(after: str, outcome: Outcome) -> None:
    verdict = told(lambda s: stopped(s, after))
    assert verdict.outcome is outcome


def test_a_position_is_flattened_as_well() -> None:
    def passage(stream: Stream) -> None:
        buy, sell = quotes(stream)
        stream.fill(buy)
        operate(stream)
        stream.wait(1).show(sell, OrderState.CANCELED)
        stream.wait(1).fill(stream.place(Side.SELL, None, exits=True))

    verdict = told(passage)
    assert verdict.outcome is Outcome.HELD
    assert verdict.peak is not None
    assert verdict.peak > 2


def test_a_position_or_an_order_left_is_not_shown() -> None:
    def order_left(stream: Stream) -> None:
        orders = quotes(stream)
        operate(stream)
        clear(stream, orders[:1])

    def position_left(stream: Stream) -> None:
        orders = quotes(stream)
        stream.fill(orders[0])
        operate(stream)
        clear(stream, orders[1:])

    for passage in (order_left, position_left):
        assert told(passage).outcome is Outcome.NOT_SHOWN


def test_a_stop_with_nothing_open_shows_nothing() -> None:
    def passage(stream: Stream) -> None:
        clear(stream, quotes(stream))
        operate(stream.wait(5))

    assert told(passage).outcome is Outcome.NOT_SHOWN


def test_what_was_in_flight_alone_is_nothing_that_the_stop_found_open() -> None:
    def passage(stream: Stream) -> None:
        operate(stream)
        clear(stream, quotes(stream.wait("0.1")))

    assert told(passage).outcome is Outcome.NOT_SHOWN


@pytest.mark.parametrize(("after", "outcome"), [("1", Outcome.HELD), ("1.000001", Outcome.NOT_SHOWN)])
def test_no_entry_is_sent_later_than_a_second_after_it(after: str, outcome: Outcome) -> None:
    def passage(stream: Stream) -> None:
        orders = quotes(stream)
        operate(stream)
        late = stream.wait(after).place(Side.BUY, BUY)
        clear(stream, [*orders, late])

    assert told(passage).outcome is outcome


def test_an_entry_after_a_resume_is_no_matter() -> None:
    def passage(stream: Stream) -> None:
        stopped(stream)
        operate(stream.wait(5), "resume")
        clear(stream, quotes(stream))

    assert told(passage).outcome is Outcome.HELD


def test_what_is_cleared_only_after_the_resume_or_the_end_shows_nothing() -> None:
    def resumed(stream: Stream) -> None:
        orders = quotes(stream)
        operate(stream)
        operate(stream.wait(1), "resume")
        clear(stream, orders)

    assert told(resumed).outcome is Outcome.NOT_SHOWN
    orders: list[Placed] = []

    def late(stream: Stream) -> None:
        orders[:] = quotes(stream)
        stream.now_us = stream.window[1] - 12_000_000
        operate(stream)

    facts = micro_cap_run(flat=late, trades=False, stopping=lambda s: clear(s, orders))
    assert verdict_of("E17", facts).outcome is Outcome.NOT_SHOWN


def test_two_rounds_are_two_exercises_and_the_stop_told_twice_is_one() -> None:
    def passage(stream: Stream) -> None:
        for _ in range(2):
            stopped(stream)
            operate(stream.wait(5), "resume")

    assert told(passage).exercise == 2

    def twice(stream: Stream) -> None:
        quoted = quotes(stream) + quotes(stream)
        operate(stream)
        operate(stream)
        clear(stream, quoted)

    assert told(twice).exercise == 1


@pytest.mark.parametrize("kind", [ContractRead, OrderSeen, PositionSeen, OperatorAction])
def test_without_a_kind_that_it_needs_it_is_not_shown(kind: type[Fact]) -> None:
    facts = without(micro_cap_run(flat=stopped, trades=False), lambda fact: isinstance(fact, kind))
    assert verdict_of("E17", facts).outcome is Outcome.NOT_SHOWN


def test_no_fact_told_twice_changes_it() -> None:
    assert lost_with_one_twice(Paths, micro_cap_run(flat=stopped, trades=False)) == []
    assert held_with_one_twice(Paths, micro_cap_run()) == []


def held_at_the_stop(stream: Stream) -> Placed:
    """A long of one step, whose take-profit rests when the operator stops the bot."""
    buy, sell = quotes(stream)
    stream.fill(buy)
    stream.cancel(sell)
    exit_ = stream.place(Side.SELL, SELL, exits=True)
    operate(stream)
    return exit_


def test_a_take_profit_that_happens_to_fill_shows_no_kill_path() -> None:
    def fills_later(stream: Stream) -> None:
        exit_ = held_at_the_stop(stream)
        stream.wait(25).fill(exit_)

    assert told(fills_later).outcome is Outcome.NOT_SHOWN


def test_orders_that_went_without_a_cancel_of_the_bot_show_no_kill_path() -> None:
    def passage(stream: Stream, after: str) -> None:
        orders = quotes(stream)
        operate(stream)
        stream.wait(after)
        for order in orders:
            stream.show(order, OrderState.CANCELED)

    assert told(lambda s: passage(s, "25")).outcome is Outcome.NOT_SHOWN
    assert told(lambda s: passage(s, "1.000001")).outcome is Outcome.NOT_SHOWN
    assert told(lambda s: passage(s, "1")).outcome is Outcome.HELD


@pytest.mark.parametrize(("how", "outcome"), [("market", Outcome.HELD), ("limit", Outcome.NOT_SHOWN)])
def test_a_position_is_flattened_at_market(how: str, outcome: Outcome) -> None:
    def passage(stream: Stream) -> None:
        stream.wait("0.2").cancel(held_at_the_stop(stream))
        stream.wait(1).fill(stream.place(Side.SELL, None if how == "market" else SELL, exits=True))

    assert told(passage).outcome is outcome


def test_a_cancel_from_before_the_stop_is_none_after_it() -> None:
    def passage(stream: Stream) -> None:
        buy, sell = quotes(stream)
        for order in (buy, sell):
            stream.request(Action.CANCEL, order_id=order.order_id)
        operate(stream.wait("0.1"))
        stream.wait(5)
        for order in (buy, sell):
            stream.show(order, OrderState.CANCELED)

    assert told(passage).outcome is Outcome.NOT_SHOWN
