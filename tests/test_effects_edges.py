"""Effects counted one by one, so that no count can stand in for another."""

from dataclasses import replace

import pytest
from test_effects import SECOND_US, answered, fill, order, sent

from botproof.events import Action, Fact, FillSeen, OrderState, OrderType, RequestAnswered, Side
from botproof.invariants.effects import effects, foreign_names, holding_times_us, unexpected_refusals

PREFIX = "bot1-x-"


def counted(*tape: Fact) -> dict[str, int]:
    """The effects that are not zero."""
    return {name: count for name, count in effects(tape, PREFIX).items() if count}


def test_an_order_under_another_name_is_the_bots_only_by_the_answer_to_its_own_request() -> None:
    foreign = order("9", OrderState.CANCELED, client_id="another-name")
    assert counted(foreign) == {}
    assert counted(sent(1, Action.PLACE), answered(1, order_id="9"), foreign) == {"orders placed": 1}
    assert counted(sent(1, Action.CANCEL), answered(1, order_id="9"), foreign) == {"cancels sent": 1}


@pytest.mark.parametrize("kind", list(OrderType))
def test_exits_are_counted_by_their_type(kind: OrderType) -> None:
    tape = [order("1", OrderState.FILLED, kind=kind, exit_=True), fill("a", Side.SELL, 1)]
    assert counted(*tape) == {"orders placed": 1, f"{kind} exits filled": 1}


def test_refusals_are_counted_of_what_would_have_changed_something() -> None:
    changing = [sent(1, Action.CANCEL), answered(1, "43001"), sent(2, Action.CANCEL), answered(2)]
    assert counted(*changing) == {"cancels sent": 2, "requests refused": 1}
    reading = [sent(3, Action.READ), answered(3, "40109"), sent(4, Action.READ), answered(4, "40109")]
    assert counted(*reading) == {}


def on_one_clock(fact: Fact, at_s: int) -> Fact:
    """A fill of which the venue's own time is not known."""
    assert isinstance(fact, FillSeen)
    return replace(fact, t_venue_us=None, t_local_us=at_s * SECOND_US)


def test_a_holding_time_is_reckoned_by_the_venues_clock_where_it_is_known() -> None:
    late = replace(fill("a", Side.BUY, 10), t_local_us=90 * SECOND_US)
    assert holding_times_us([late, fill("b", Side.SELL, 30)]) == [20 * SECOND_US]
    assert holding_times_us([on_one_clock(late, 10), on_one_clock(fill("b", Side.SELL, 1), 30)]) == [20 * SECOND_US]


def test_a_short_is_held_like_a_long_and_a_step_larger_is_no_end() -> None:
    tape = [fill("a", Side.SELL, 10), fill("b", Side.SELL, 15, size="0.0003"), fill("c", Side.BUY, 40, size="0.0004")]
    assert holding_times_us(tape) == [30 * SECOND_US]
    turned = [fill("a", Side.BUY, 10), fill("b", Side.SELL, 20, size="0.0003"), fill("c", Side.SELL, 30)]
    assert holding_times_us([*turned, fill("d", Side.BUY, 60, size="0.0003")]) == [10 * SECOND_US, 40 * SECOND_US]


def unexpected(*tape: Fact) -> int:
    return len(unexpected_refusals(tape))


def test_a_refused_cancel_is_a_race_only_where_the_order_was_gone() -> None:
    ended = order("1", OrderState.FILLED)
    cancel = sent(1, Action.CANCEL)
    assert unexpected(cancel, answered(1, "43001"), ended) == 0
    assert unexpected(cancel, answered(1, "40762"), ended) == 1
    assert unexpected(sent(1, Action.SET_LEVERAGE), answered(1, "43001"), ended) == 1


def test_an_order_without_a_client_id_does_not_excuse_a_cancel_without_one() -> None:
    ended = replace(order("1", OrderState.FILLED), client_id="")  # type: ignore[call-arg]
    assert unexpected(sent(1, Action.CANCEL, client_id=""), answered(1, "43001"), ended) == 1


@pytest.mark.parametrize(("at_s", "expected"), [(10, 0), (15, 0), (16, 1)])
def test_an_exit_of_a_position_that_is_gone_is_near_a_fill_by_whatever_clock_is_known(at_s: int, expected: int) -> None:
    refused = [sent(1, Action.PLACE, exit_=True), answered(1, "22002", at_s=at_s)]
    assert unexpected(*refused, on_one_clock(fill("a", Side.SELL, 1), 10)) == expected
    told_late = replace(fill("a", Side.SELL, 10), t_local_us=99 * SECOND_US)
    assert unexpected(*refused, told_late) == expected


@pytest.mark.parametrize("code", ["40109", "43001"])
@pytest.mark.parametrize(("seen_at_s", "expected"), [(None, 0), (9, 1), (10, 1), (11, 0)])
def test_a_look_up_that_does_not_find_what_the_venue_had_not_shown_is_expected(
    code: str, seen_at_s: int | None, expected: int
) -> None:
    look_up = [sent(1, Action.READ, client_id="bot1-x-1"), answered(1, code, at_s=10)]
    shown = replace(order("1", OrderState.LIVE), t_local_us=(seen_at_s or 0) * SECOND_US)
    again = replace(shown, t_local_us=99 * SECOND_US)
    assert unexpected(*look_up, *([] if seen_at_s is None else [shown, again])) == expected


def test_a_look_up_is_excused_for_no_other_code_and_no_other_order() -> None:
    other = replace(order("2", OrderState.LIVE), t_local_us=1)
    assert unexpected(sent(1, Action.READ), answered(1, "40808", at_s=10)) == 1
    assert unexpected(sent(1, Action.READ), answered(1, "40109", at_s=10), other) == 0
    by_order = replace(sent(1, Action.READ, client_id=""), order_id="2")  # type: ignore[call-arg]
    assert unexpected(by_order, answered(1, "40109", at_s=10), other) == 1
    assert unexpected(sent(1, Action.PLACE), answered(1, "40109", at_s=10)) == 1


def test_what_is_unexpected_is_handed_back_whole_and_in_order() -> None:
    tape = [answered(8, "43001"), answered(9), answered(7, "40762")]
    assert [answer.request for answer in unexpected_refusals(tape)] == [8, 7]
    assert all(isinstance(answer, RequestAnswered) for answer in unexpected_refusals(tape))


def test_only_what_was_placed_has_a_foreign_name() -> None:
    tape = [sent(1, Action.CANCEL, client_id="y-1"), sent(2, Action.PLACE, client_id="x-2"), fill("a", Side.BUY, 1)]
    assert foreign_names([*tape, sent(3, Action.PLACE, client_id="x-1")], PREFIX) == ["x-1", "x-2"]


def test_a_position_of_nothing_was_never_held() -> None:
    assert holding_times_us([]) == []
    assert holding_times_us([fill("a", Side.BUY, 0), fill("b", Side.SELL, 0, size="0.0001")]) == [0]
