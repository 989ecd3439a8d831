"""What is counted from a tape, and which refusals a correct bot expects."""

from decimal import Decimal

import pytest

from botproof.events import (
    Action,
    Fact,
    FillSeen,
    OrderSeen,
    OrderState,
    OrderType,
    RequestAnswered,
    RequestSent,
    Side,
    Source,
)
from botproof.invariants.effects import effects, foreign_names, holding_times_us, server_faults, unexpected_refusals

SECOND_US = 1_000_000


def sent(request: int, action: Action, *, client_id: str = "bot1-x-1", exit_: bool = False, at_s: int = 0) -> Fact:
    return RequestSent(
        src=Source.TAP,
        t_local_us=at_s * SECOND_US,
        request=request,
        method="GET" if action is Action.READ else "POST",
        path="/p",
        action=action,
        client_id=client_id,
        reduce_only=exit_,
    )


def answered(request: int, code: str = "00000", *, order_id: str = "", at_s: int = 0, status: int = 200) -> Fact:
    return RequestAnswered(
        src=Source.TAP,
        t_local_us=at_s * SECOND_US,
        request=request,
        http_status=status,
        code=code,
        message="m",
        order_id=order_id,
    )


def order(
    order_id: str, state: OrderState, *, client_id: str = "", kind: OrderType = OrderType.LIMIT, exit_: bool = False
) -> Fact:
    return OrderSeen(
        src=Source.VENUE,
        t_local_us=0,
        order_id=order_id,
        client_id=client_id or f"bot1-x-{order_id}",
        symbol="BTCUSDT",
        side=Side.BUY,
        order_type=kind,
        force="gtc",
        price=None,
        size=Decimal("0.0001"),
        filled=Decimal(0),
        state=state,
        reduce_only=exit_,
        via="push",
    )


def fill(trade_id: str, side: Side, at_s: int, *, order_id: str = "1", size: str = "0.0001") -> Fact:
    return FillSeen(
        src=Source.VENUE,
        t_venue_us=at_s * SECOND_US,
        t_local_us=at_s * SECOND_US + 30_000,
        trade_id=trade_id,
        order_id=order_id,
        client_id="",
        symbol="BTCUSDT",
        side=side,
        price=Decimal(67500),
        size=Decimal(size),
        fee_usdt=Decimal(0),
        is_maker=True,
        realized_usdt=Decimal(0),
        via="push",
    )


def test_an_empty_tape_has_no_effects() -> None:
    assert set(effects([], "bot1-x-").values()) == {0}


def test_every_effect_is_counted_where_it_belongs() -> None:
    tape = [
        sent(1, Action.PLACE),
        answered(1, order_id="9"),
        order("9", OrderState.LIVE, client_id="another-name"),
        order("1", OrderState.FILLED),
        order("2", OrderState.FILLED, exit_=True),
        order("3", OrderState.FILLED, kind=OrderType.MARKET, exit_=True),
        order("7", OrderState.LIVE, client_id="somebody-else"),
        fill("a", Side.BUY, 1),
        fill("b", Side.SELL, 2, order_id="2"),
        fill("c", Side.SELL, 3, order_id="3"),
        sent(2, Action.CANCEL),
        answered(2, "43001"),
        sent(3, Action.SET_LEVERAGE),
        sent(4, Action.OTHER),
        sent(5, Action.READ),
        answered(5, "40109"),
    ]
    assert effects(tape, "bot1-x-") == {
        "orders placed": 4,
        "entries filled": 1,
        "limit exits filled": 1,
        "market exits filled": 1,
        "orders left open": 1,
        "cancels sent": 1,
        "settings changed": 1,
        "other changes asked": 1,
        "requests refused": 1,
        "fundings settled": 0,
    }


def test_a_cancel_that_lost_its_race_is_expected_and_one_of_a_live_order_is_not() -> None:
    race = [sent(1, Action.CANCEL, client_id="bot1-x-1"), answered(1, "43001")]
    assert unexpected_refusals([*race, order("1", OrderState.FILLED)]) == []
    assert len(unexpected_refusals([*race, order("1", OrderState.LIVE)])) == 1
    assert len(unexpected_refusals(race)) == 1


@pytest.mark.parametrize(("filled_at_s", "expected"), [(5, 0), (4, 1)])
def test_an_exit_of_a_position_that_has_just_gone_is_expected(filled_at_s: int, expected: int) -> None:
    tape = [sent(1, Action.PLACE, exit_=True), answered(1, "22002", at_s=10), fill("a", Side.SELL, filled_at_s)]
    assert len(unexpected_refusals(tape)) == expected


def test_an_entry_is_never_excused_nor_is_another_code() -> None:
    near = fill("a", Side.SELL, 10)
    assert unexpected_refusals([sent(1, Action.PLACE), answered(1, "22002", at_s=10), near])
    assert unexpected_refusals([sent(1, Action.PLACE, exit_=True), answered(1, "40762", at_s=10), near])
    assert unexpected_refusals([answered(8, "43001")])


@pytest.mark.parametrize(
    ("status", "refusals", "faults"), [(400, 1, 0), (429, 1, 0), (499, 1, 0), (500, 0, 1), (503, 0, 1)]
)
def test_a_server_that_failed_refuses_nothing(status: int, refusals: int, faults: int) -> None:
    tape = [sent(1, Action.PLACE), answered(1, "45001", status=status)]
    assert effects(tape, "bot1-x-")["requests refused"] == refusals
    assert len(unexpected_refusals(tape)) == refusals
    assert len(server_faults(tape)) == faults


def test_an_order_that_was_taken_is_no_fault_of_the_server_whatever_status_it_came_with() -> None:
    tape = [sent(1, Action.PLACE), answered(1, status=500)]
    assert (server_faults(tape), unexpected_refusals(tape)) == ([], [])


def test_a_client_id_without_the_prefix_is_named_once() -> None:
    tape = [sent(1, Action.PLACE, client_id="x-1"), sent(2, Action.PLACE, client_id="x-1"), sent(3, Action.PLACE)]
    assert foreign_names(tape, "bot1-x-") == ["x-1"]


def test_a_position_is_held_from_the_fill_that_opens_it_to_the_one_that_closes_it() -> None:
    tape = [
        fill("a", Side.BUY, 10),
        fill("b", Side.BUY, 12),
        fill("b", Side.BUY, 12),
        fill("c", Side.SELL, 20),
        fill("d", Side.SELL, 25),
        fill("e", Side.SELL, 40),
    ]
    assert holding_times_us(tape) == [15 * SECOND_US]


def test_a_flip_ends_one_position_and_begins_another() -> None:
    tape = [fill("a", Side.BUY, 10), fill("b", Side.SELL, 30, size="0.0002"), fill("c", Side.BUY, 70)]
    assert holding_times_us(tape) == [20 * SECOND_US, 40 * SECOND_US]
