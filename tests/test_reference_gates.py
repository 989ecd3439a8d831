"""The reference bot's gates, day and reconciliation, by plain calls."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from bot_floor import profile
from test_reference_parts import NOW, STEP, desk, holding_desk, position, request, row, step_of, ticker, trade

from botproof.bots.day import DAY_US, Day
from botproof.bots.decision import Cancel, Close, TakeProfit, Wait
from botproof.bots.diary import Diary
from botproof.bots.gates import (
    SECOND_US,
    CancelBudget,
    EdgeGate,
    breached,
    stopped_out,
    turnover_room,
)
from botproof.bots.orders import Fate, OwnOrders, Purpose
from botproof.bots.reconciliation import Past, names_in_doubt, read_past
from botproof.errors import Unanswered
from botproof.events import OrderState, OrderType, Side
from botproof.ports import Bill, BotContext

MIDNIGHT_US = NOW // DAY_US * DAY_US
BELOW, AT, ABOVE = Decimal("0.00029"), Decimal("0.0003"), Decimal("0.00031")
DRIFT, CALM = Decimal("0.0001"), Decimal(0)


# the edge gate


def gate(*readings: tuple[int, Decimal, Decimal], **changes: Any) -> EdgeGate:
    """A gate after readings of (second, net edge, drift)."""
    found = EdgeGate(profile(**changes))
    for second, edge, drift in readings:
        found.see(edge, drift=drift, now_us=NOW + second * SECOND_US)
    return found


def test_the_first_reading_decides_at_once() -> None:
    assert not gate((0, BELOW, DRIFT)).is_open
    assert gate((0, AT, DRIFT)).is_open


def test_the_gate_closes_below_its_limit_and_not_at_it() -> None:
    assert gate((0, ABOVE, DRIFT), (60, AT, DRIFT)).is_open
    assert not gate((0, ABOVE, DRIFT), (60, BELOW, DRIFT)).is_open


def test_the_gate_opens_above_its_limit_and_not_at_it() -> None:
    assert not gate((0, BELOW, DRIFT), (60, AT, DRIFT)).is_open
    assert gate((0, BELOW, DRIFT), (60, ABOVE, DRIFT)).is_open


def test_at_its_limit_the_gate_opens_where_nothing_moves_any_more() -> None:
    assert gate((0, BELOW, DRIFT), (60, AT, CALM)).is_open
    assert not gate((0, BELOW, DRIFT), (60, BELOW, CALM)).is_open


@pytest.mark.parametrize(
    ("hold_s", "second", "is_open"), [(60, 59, True), (60, 60, False), (5, 4, True), (5, 5, False)]
)
def test_a_state_is_held_for_its_time(hold_s: int, second: int, is_open: bool) -> None:
    found = gate((0, ABOVE, DRIFT), (second, BELOW, DRIFT), edge_state_hold_s=hold_s)
    assert found.is_open is is_open


def test_between_its_two_limits_the_gate_stays_as_it_is() -> None:
    between = Decimal("0.00035")
    changes = {"edge_resume_bps": Decimal(4)}
    assert gate((0, ABOVE, DRIFT), (60, between, DRIFT), **changes).is_open
    assert not gate((0, BELOW, DRIFT), (60, between, DRIFT), (120, between, CALM), **changes).is_open


def test_the_floor_is_refreshed_every_two_minutes_and_no_sooner() -> None:
    diary = Diary(profile())
    assert diary.refreshed_floor(NOW, Decimal(1)) == 1
    assert diary.refreshed_floor(NOW + 119 * SECOND_US, Decimal(2)) == 1
    assert diary.refreshed_floor(NOW + 120 * SECOND_US, Decimal(3)) == 3


# the budget of cancels


def test_cancels_of_the_trailing_minute_count_its_edge_included() -> None:
    budget = CancelBudget(3)
    for second in (0, 10, 20):
        budget.sent(NOW + second * SECOND_US)
    assert budget.room(NOW + 60 * SECOND_US) == 0
    assert budget.frees_us(NOW + 60 * SECOND_US) == NOW + 61 * SECOND_US + 1
    assert budget.room(NOW + 61 * SECOND_US + 1) == 1
    assert budget.room(NOW + 100 * SECOND_US) == 3
    assert budget.frees_us(NOW + 100 * SECOND_US) is None


def test_cancels_of_an_earlier_start_count_in_their_order() -> None:
    budget = CancelBudget(3)
    budget.sent(NOW)
    budget.restore([NOW - 30 * SECOND_US, NOW - 50 * SECOND_US])
    assert budget.room(NOW) == 0
    assert budget.room(NOW + 12 * SECOND_US) == 1


def quoting_desk(room: int) -> Any:
    """A desk with one resting entry, paused, and so much room for cancels."""
    found = desk()
    found.orders.sent(request(), Purpose.ENTRY, NOW)
    found.orders.accepted("bot1-a-1", "1", NOW)
    found.cancel_room = room
    found.pause_cancels(NOW)
    return found


def test_a_cancel_waits_for_room() -> None:
    assert step_of(quoting_desk(1)) == Cancel("bot1-a-1")
    found = quoting_desk(0)
    found.cancel_budget.sent(NOW - 60 * SECOND_US)
    assert step_of(found) == Wait(NOW + SECOND_US + 1)


def test_without_room_for_cancels_the_bot_is_paused() -> None:
    found = desk()
    found.cancel_room = 0
    assert found.state(NOW) == ("soft_pause", ("cancel_budget",))


def test_the_last_cancel_belongs_to_the_exit() -> None:
    found = holding_desk()
    found.orders.sent(request("bot1-a-2"), Purpose.ENTRY, NOW)
    found.orders.accepted("bot1-a-2", "2", NOW)
    found.orders.sent(request("bot1-a-3", is_exit=True), Purpose.TAKE_PROFIT, NOW)
    found.orders.accepted("bot1-a-3", "3", NOW)
    found.cancel_room = 1
    assert isinstance(step_of(found), Wait)
    found.see_ticker(ticker("66732", "66732.1"), NOW)
    assert step_of(found) == Cancel("bot1-a-3")
    found.cancel_room = 2
    assert step_of(found) == Cancel("bot1-a-2")


def failed(*, is_exit: bool, times: int) -> list[int]:
    """How many seconds each failed cancel of one order waits for the next."""
    orders = OwnOrders()
    order = orders.sent(request(is_exit=is_exit), Purpose.TAKE_PROFIT if is_exit else Purpose.ENTRY, NOW)
    waits = []
    for _ in range(times):
        orders.canceling("bot1-a-1", NOW)
        orders.cancel_refused("bot1-a-1", NOW)
        waits.append((order.cancel_after_us - NOW) // SECOND_US)
    return waits


def test_a_cancel_that_fails_is_tried_again_ever_more_slowly() -> None:
    assert failed(is_exit=False, times=7) == [1, 2, 4, 8, 16, 30, 30]
    assert failed(is_exit=True, times=6) == [0, 1, 2, 4, 4, 4]


def test_eight_failed_cancels_in_a_row_stop_the_bot_and_a_resume_forgives_them() -> None:
    found = quoting_desk(20)
    for n in range(8):
        assert found.hard_reasons == []
        found.orders.canceling("bot1-a-1", NOW)
        if n % 2:
            found.orders.cancel_refused("bot1-a-1", NOW)
        else:
            found.see_order(row(), NOW, asked=True)  # asked for: it is still open
        found.tidy(NOW)
    assert found.hard_reasons == ["cancels_refused"]
    found.lift()
    assert found.hard_reasons == []
    assert step_of(found) == Cancel("bot1-a-1")


def test_a_cancel_that_works_ends_the_row_of_failed_ones() -> None:
    found = quoting_desk(20)
    found.orders.canceling("bot1-a-1", NOW)
    found.orders.cancel_refused("bot1-a-1", NOW)
    found.orders.canceling("bot1-a-1", NOW)
    found.see_order(row(state=OrderState.CANCELED), NOW)
    assert found.orders.failed_cancels == 0


# hard stops


def test_a_hard_stop_closes_the_position_at_once_and_a_lifted_one_gives_it_its_exit_back() -> None:
    found = holding_desk()
    found.stop_for_good("operator")
    assert step_of(found) == Close(STEP)
    found.lift()
    assert step_of(found) == TakeProfit(STEP)


def test_a_lifted_disabled_profile_is_stopped_again() -> None:
    found = desk(enabled=False)
    found.lift()
    assert found.hard_reasons == ["profile_disabled"]


@pytest.mark.parametrize(("cooldown_s", "waits_s"), [(0, 5), (10, 10)])
def test_the_cooldown_is_at_least_five_seconds(cooldown_s: int, waits_s: int) -> None:
    found = desk(cooldown_time=cooldown_s)
    found.orders.sent(request(), Purpose.ENTRY, NOW)
    found.see_fill(trade("1", Side.BUY, "0.0001"), NOW)
    found.holding.close_reason = "stop_loss"
    found.see_fill(trade("2", Side.SELL, "0.0001"), NOW)
    assert found.cooldown_until_us == NOW + waits_s * SECOND_US


# turnover and loss


def room(**changes: Any) -> Decimal:
    values = {"base_usdt": Decimal(20), "traded_usdt": Decimal(10), "pending_usdt": Decimal(5)} | changes
    cap = values.pop("cap", Decimal("1.5"))
    return turnover_room(profile(turnover_cap_x=cap), **values)


def test_what_was_traded_and_what_rests_leave_the_rest_of_the_cap() -> None:
    assert room() == 15
    assert room(base_usdt=Decimal(10)) == 0
    assert room(cap=Decimal(1000)) == 105  # the hard limit of six rules


def test_an_entry_stopped_out_loses_its_stop_the_slippage_and_two_fees() -> None:
    assert stopped_out(profile(), Decimal(1000), Decimal("0.0006")) == Decimal("5.9")
    assert stopped_out(profile(), Decimal(1000), Decimal("-0.0001")) == Decimal("4.7")


@pytest.mark.parametrize(
    ("name", "limit", "reason"),
    [("loss_usdt", "0.6", "daily_loss"), ("fall_usdt", "1", "drawdown"), ("traded_usdt", "120", "turnover_hard")],
)
def test_exactly_on_a_limit_is_within(name: str, limit: str, reason: str) -> None:
    values = dict.fromkeys(("loss_usdt", "fall_usdt", "traded_usdt"), Decimal(0))
    values |= dict.fromkeys(("loss_base_usdt", "turnover_base_usdt"), Decimal(20))
    assert breached(**(values | {name: Decimal(limit)})) == ()
    assert breached(**(values | {name: Decimal(limit) + Decimal("0.00000001")})) == (reason,)


def test_pending_entries_are_worth_what_may_still_trade() -> None:
    orders = OwnOrders()
    orders.sent(request(), Purpose.ENTRY, NOW)
    orders.sent(request("bot1-a-2", is_exit=True), Purpose.TAKE_PROFIT, NOW)
    assert orders.pending_usdt == Decimal("6.7")
    orders.unanswered("bot1-a-1", NOW)
    assert orders.pending_usdt == Decimal("6.7")
    orders.seen(row(state=OrderState.FILLED), NOW)
    assert orders.pending_usdt == Decimal("6.7")  # its trade is on its way
    orders.trade("bot1-a-1", trade("1", Side.BUY, "0.0001"), NOW)
    assert orders.pending_usdt == 0


def at(day_us: int, trade_id: str, **changes: Any) -> Any:
    values = {"realized_usdt": Decimal(0), "fee_usdt": Decimal("0.01")} | changes
    return trade(trade_id, Side.BUY, "0.0001", t_ms=(MIDNIGHT_US + day_us) // 1000, **values)


def test_the_day_counts_each_fill_once_by_whomever() -> None:
    day = Day("BTCUSDT", NOW)
    for _ in range(2):
        day.fill(at(0, "1", client_id="hand-1", realized_usdt=Decimal("-0.5")))
    day.fill(at(5_000, "2", symbol="ETHUSDT"))
    assert day.traded_usdt == Decimal("6.7")
    assert day.result(Decimal(0)) == Decimal("-0.52")


def test_funding_is_part_of_the_day_and_transfers_are_not() -> None:
    day = Day("BTCUSDT", NOW)
    for n, (kind, amount) in enumerate((("contract_settle_fee", "-0.2"), ("trans_to_exchange", "-9"), ("buy", "-1"))):
        bill = Bill(
            bill_id=str(n),
            symbol="BTCUSDT",
            business_type=kind,
            amount=Decimal(amount),
            fee=Decimal(0),
            balance=Decimal(0),
            t_ms=NOW // 1000,
        )
        day.bill(bill)
        day.bill(bill)
    assert day.loss(Decimal(0)) == Decimal("0.2")


def test_a_profit_before_the_start_is_no_licence_and_a_loss_before_it_counts() -> None:
    won, lost = Day("BTCUSDT", NOW), Day("BTCUSDT", NOW)
    won.fill(at(0, "1", realized_usdt=Decimal("1.01")))
    lost.fill(at(0, "1", realized_usdt=Decimal("-0.99")))
    assert (won.loss(Decimal("-0.1")), lost.loss(Decimal("-0.1"))) == (Decimal("0.1"), Decimal("1.1"))


def test_a_fall_counts_from_the_days_peak() -> None:
    day = Day("BTCUSDT", MIDNIGHT_US)
    for unrealized, fall in (("0.3", "0"), ("0.5", "0"), ("0.1", "0.4")):
        assert day.fall(Decimal(unrealized)) == Decimal(fall)


def test_midnight_begins_anew_and_takes_a_position_as_it_stands() -> None:
    day = Day("BTCUSDT", NOW)
    day.fill(at(0, "1", realized_usdt=Decimal("-0.5")))
    day.fill(at(DAY_US + 1000, "2"))  # of a clock that is ahead
    assert day.traded_usdt == Decimal("6.7")
    day.roll(MIDNIGHT_US + DAY_US - 1, Decimal("-0.1"))
    assert day.loss(Decimal("-0.1")) == Decimal("0.61")
    day.roll(MIDNIGHT_US + DAY_US, Decimal("-0.1"))
    assert day.traded_usdt == Decimal("6.7")
    assert day.loss(Decimal("-0.1")) == Decimal("0.01")
    day.fill(at(5, "3"))  # of yesterday, told late
    assert day.traded_usdt == Decimal("6.7")


# reconciliation


def test_the_names_in_doubt_follow_the_last_one_known_of_each_earlier_start() -> None:
    known = ["bot1-a-2", "bot1-a-10", "bot1-a-r2-4", "bot1-b-99", "bot1-a-r3-7"]
    assert names_in_doubt("bot1-a-", "bot1-a-r3-", known) == [
        *(f"bot1-a-{n}" for n in (11, 12, 13)),
        *(f"bot1-a-r2-{n}" for n in (5, 6, 7)),
    ]
    assert names_in_doubt("bot1-a-", "bot1-a-", known) == []
    assert names_in_doubt("bot1-a-", "bot1-a-r2-", []) == ["bot1-a-1", "bot1-a-2", "bot1-a-3"]


class Moving:
    """A venue whose position is read as it was told, reading by reading."""

    def __init__(self, *sizes: str) -> None:
        self.sizes = list(sizes)

    async def positions(self) -> tuple[Any, ...]:
        size = self.sizes.pop(0) if len(self.sizes) > 1 else self.sizes[0]
        return (position(size),) if Decimal(size) else ()

    async def fills(self, *_: int) -> tuple[Any, ...]:
        return (trade("1", Side.BUY, "0.0001", client_id=""),)

    async def order_history(self, *_: int) -> tuple[Any, ...]:
        return (row(state=OrderState.FILLED), row("bot1-a-2", OrderState.CANCELED, updated_ms=NOW // 1000))

    async def bills(self, *_: int) -> tuple[Any, ...]:
        return ()

    async def open_orders(self) -> tuple[Any, ...]:
        return ()


def past(*sizes: str, prefix: str = "bot1-a-r2-") -> Past:
    context = BotContext(
        profile=profile(),
        venue=Moving(*sizes),
        clock=None,
        evidence=None,
        symbol="BTCUSDT",
        client_id_prefix=prefix,
        run_id="a",
        run_prefix="bot1-a-",
    )
    return asyncio.run(read_past(context, NOW // 1000))


def test_fills_are_named_by_their_orders_and_read_between_two_equal_positions() -> None:
    found = past("0", "0.0001", "0.0001")
    assert [fill.client_id for fill in found.fills_under("bot1-a-")] == ["bot1-a-1"]
    assert found.positions == (position("0.0001"),)
    assert found.cancels_us("bot1-a-", NOW - 1) == [NOW]
    assert found.cancels_us("bot1-a-", NOW) == []


def test_a_position_that_never_stands_still_is_not_built_upon() -> None:
    with pytest.raises(Unanswered, match="moved"):
        past(*(str(n) for n in range(20)))


def test_a_first_start_reads_no_orders_of_earlier_ones() -> None:
    assert past("0", prefix="bot1-a-").orders == ()


def test_trades_of_an_earlier_start_make_the_position_its_own_and_are_told_once() -> None:
    told: list[str] = []
    found = desk()
    found._on_trade = lambda fill, _: told.append(fill.trade_id)
    fills = [trade("1", Side.BUY, "0.0001", t_ms=5), trade("2", Side.BUY, "0.0001", t_ms=7)]
    found.see_fill(fills[1], NOW)  # by push, before the list was read
    for _ in range(2):  # a start that is tried again
        found.see_earlier_trades(fills, "bot1-a-", NOW)
    found.see_first_positions([position("0.0002")], NOW)
    assert told == ["2", "1"]
    assert (found.holding.size, found.holding.opened_us, found.inherited) == (2 * STEP, 5000, 0)


def test_a_position_that_earlier_trades_do_not_explain_is_inherited() -> None:
    found = desk()
    found.see_earlier_trades([trade("1", Side.BUY, "0.0001")], "bot1-a-", NOW)
    found.see_first_positions([position("0.0003")], NOW)
    assert found.inherited == 2 * STEP
    assert "inherited_position" in found.pauses(NOW)


def test_an_open_order_is_explained_by_exactly_its_trades() -> None:
    found = desk()
    found.see_order(row(size=Decimal("0.0003"), filled=STEP, state=OrderState.PARTIALLY_FILLED), NOW)
    fills = [trade(n, Side.BUY, "0.0001") for n in ("1", "2")]  # the second after the row
    found.see_earlier_trades(fills, "bot1-a-", NOW)
    order = found.orders.get("bot1-a-1")
    assert order is not None
    assert (order.filled, order.booked) == (2 * STEP, 2 * STEP)


@pytest.mark.parametrize(
    ("changes", "purpose"),
    [
        ({"reduce_only": True, "side": Side.SELL}, Purpose.TAKE_PROFIT),
        ({"reduce_only": True, "side": Side.SELL, "order_type": OrderType.MARKET}, Purpose.CLOSE),
        ({}, Purpose.LEFTOVER),
    ],
)
def test_an_order_in_doubt_is_what_the_venue_shows(changes: dict[str, Any], purpose: Purpose) -> None:
    found = desk()
    found.expect("bot1-a-1", NOW)
    assert [order.fate for order in found.orders] == [Fate.UNKNOWN]
    found.see_order(row(**changes), NOW)
    assert [order.purpose for order in found.orders] == [purpose]


def test_an_order_in_doubt_that_fills_in_parts_still_rests() -> None:
    found = desk()
    found.expect("bot1-a-1", NOW)
    found.see_fill(trade("1", Side.BUY, "0.0001"), NOW)
    assert len(found.orders) == 1
    found.see_order(row(size=Decimal("0.0003"), filled=STEP, state=OrderState.PARTIALLY_FILLED), NOW)
    assert step_of(found) == Cancel("bot1-a-1")


def test_a_name_in_doubt_is_not_used_again() -> None:
    orders = OwnOrders()
    orders.expect("bot1-a-1", "BTCUSDT", NOW)
    orders.absent("bot1-a-1", NOW + 35 * SECOND_US)
    assert len(orders) == 0
    assert orders.take_spare_id(is_exit=False) == ""


def test_a_no_trade_bot_has_no_names_in_doubt() -> None:
    found = desk(no_trade=True)
    found.expect("bot1-a-1", NOW)
    assert len(found.orders) == 0


def test_a_leftover_goes_though_the_quotes_may_stay() -> None:
    found = desk()
    found.next_round_us = NOW + 90 * SECOND_US
    found.orders.sent(request("bot1-b-1"), Purpose.ENTRY, NOW)
    found.orders.accepted("bot1-b-1", "b", NOW)
    found.see_order(row(), NOW)
    assert step_of(found) == Cancel("bot1-a-1")


def test_a_row_of_the_day_opens_with_what_the_account_had_before_it_traded() -> None:
    diary = Diary(profile())
    diary.open_day(NOW, Decimal(20), Decimal("19.5"))
    diary.note_equity(NOW, Decimal("19.4"))
    assert (diary.open_equity, diary.peak_equity) == (20, 20)
    diary.open_day(NOW, Decimal(19), Decimal("19.5"))
    assert diary.peak_equity == Decimal("19.5")
