"""The reference bot as a whole: on the real fake, over its faces, on virtual time."""

import errno
import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import httpx
import pytest
from bot_floor import CANCEL, EPOCH_US, PLACE, PREFIX, SETTINGS, Floor, no_trade_profile, profile

from botproof.bots.quoting import Quote
from botproof.bots.reference import ReferenceBot
from botproof.errors import HarnessError
from botproof.events import OrderState, OrderType, Side
from botproof.evidence.rows import FILLS, MINUTE
from botproof.fakes.bitget.core.messages import CancelOrder, OrderView, PlaceOrder, SetLeverage, SetPositionMode
from botproof.ports import OrderRequest

STEP = Decimal("0.0001")
ACCOUNT_PATH = "/api/v2/mix/account/account"
DETAIL = "/api/v2/mix/order/detail"
BOTH_QUOTES = [(Side.BUY, Decimal("67263.7"), STEP), (Side.SELL, Decimal("67736.4"), STEP)]


def shapes(orders: list[OrderView]) -> list[tuple[Side, Decimal | None, Decimal]]:
    return [(order.side, order.price, order.size) for order in orders]


def first(path: str) -> Callable[[httpx.Request], bool]:
    """Picks the first request of a path."""
    seen: list[httpx.Request] = []

    def picks(request: httpx.Request) -> bool:
        if request.url.path != path or seen:
            return False
        seen.append(request)
        return True

    return picks


def filled_entry(floor: Floor) -> Floor:
    """The market falls onto the buy quote and a little further, and stays there; the take-profit rests."""
    floor.start(10).move("-0.0036")
    floor.until(lambda: bool(floor.exits))
    return floor


# quotes


def test_both_sides_are_quoted_once_at_their_own_price_and_planned_size() -> None:
    with Floor() as floor:
        floor.start(60)
        assert shapes(floor.open_orders) == BOTH_QUOTES
        assert {order.force for order in floor.orders} == {"post_only"}
        assert [order.client_id for order in floor.orders] == [f"{PREFIX}1", f"{PREFIX}2"]
        assert floor.record.states == [("running", ())]


def test_settings_are_read_back_before_the_first_order_and_only_what_differs_is_set() -> None:
    with Floor() as floor:
        floor.start(5)
        before = [call.path.rsplit("/", 1)[1] for call in floor.calls()]
        before = before[: before.index("place-order")]
        assert [path for path in before if path.startswith("set-")] == ["set-leverage"]
        assert before.index("set-leverage") < len(before) - 1 - before[::-1].index("account")


def test_a_refresh_cancels_waits_for_the_venue_and_quotes_again() -> None:
    with Floor() as floor:
        floor.start(100)
        old, new = floor.orders[:2], floor.orders[2:]
        assert [order.state for order in old] == [OrderState.CANCELED] * 2
        assert shapes(new) == BOTH_QUOTES
        assert max(order.updated_us for order in old) < min(order.created_us for order in new)
        assert old[0].updated_us - old[0].created_us >= 89_000_000


def test_a_quiet_hour_never_shows_more_than_two_orders_and_few_calls() -> None:
    with Floor() as floor:
        floor.start()
        for _ in range(60):
            floor.pass_time(60)
            assert len(floor.open_orders) <= 2
        assert len(floor.calls(PLACE)) == 2 * 40
        assert len(floor.calls()) < 700


def test_levels_below_the_minimum_are_not_sent_and_said() -> None:
    with Floor(settings=profile("epp_v2_4_bot1_bitget_live_microcap")) as floor:
        floor.start(200)
        assert floor.calls(PLACE) == []
        assert floor.record.states[-1] == ("soft_pause", ("below_minimum",))


def test_one_side_below_the_minimum_leaves_the_other_side_quoted() -> None:
    settings = profile(buy_amounts_pct=(Decimal(30),), sell_amounts_pct=(Decimal(70),))
    with Floor(settings=settings) as floor:
        floor.start(60)
        assert [order.side for order in floor.open_orders] == [Side.SELL]
        assert floor.record.states == [("running", ("below_minimum",))]


class QuotesOffTick(ReferenceBot):
    """Prices its entries between two ticks; the venue takes none of them."""

    def entry_order(self, quote: Quote) -> OrderRequest:
        return super().entry_order(replace(quote, price=quote.price + Decimal("0.05")))


def test_an_order_refused_for_ever_is_tried_once_a_refresh() -> None:
    with Floor(QuotesOffTick) as floor:
        floor.start(300)
        refused = floor.calls(PLACE)
        assert refused
        assert "00000" not in {call.code for call in refused}
        assert len(refused) <= 4
        assert ("soft_pause", ("order_rejected",)) in floor.record.states


# margin


def test_an_account_that_backs_no_quote_is_sent_none_and_said() -> None:
    with Floor(deposit=5) as floor:
        floor.start(300)
        assert floor.calls(PLACE) == []
        assert floor.record.states == [("soft_pause", ("insufficient_margin",))]


def test_a_side_that_the_account_does_not_back_is_left_out_and_the_other_quoted() -> None:
    with Floor(deposit=10) as floor:
        floor.start(300)
        assert {order.side for order in floor.orders} == {Side.BUY}
        assert len(floor.open_orders) == 1
        assert {call.code for call in floor.calls(PLACE)} == {"00000"}
        assert floor.record.states == [("running", ("insufficient_margin",))]


def test_no_round_begins_on_an_account_that_could_not_be_read() -> None:
    with Floor() as floor:
        floor.start(60)
        floor.line.loses_request = lambda request: request.url.path == ACCOUNT_PATH
        floor.pass_time(120)
        assert len(floor.calls(PLACE)) == 2
        assert floor.record.states[-1] == ("soft_pause", ("account_unread",))
        floor.line.loses_request = lambda _: False
        floor.until(lambda: len(floor.open_orders) == 2, 30)


@pytest.mark.parametrize("seed", [1, 3])
def test_no_entry_is_refused_where_the_envelope_is_the_whole_account(seed: int) -> None:
    with Floor(deposit=20, price="50000", volatility_percent=600, seed=seed) as floor:
        floor.start(1800)
        floor.stop()
        assert len(floor.fills) > 2
        assert {call.code for call in floor.calls(PLACE)} <= {"00000", "22002"}


# exits


def test_a_fill_withdraws_the_other_quote_and_rests_one_take_profit() -> None:
    with filled_entry(Floor()) as floor:
        take_profit = floor.exits[0]
        assert take_profit.order_type is OrderType.LIMIT
        assert (take_profit.side, take_profit.price, take_profit.size) == (Side.SELL, Decimal("67532.8"), STEP)
        assert floor.open_orders == [take_profit]
        assert take_profit.created_us - floor.fills[0].at_us < 5_000_000


def test_a_short_takes_its_profit_below() -> None:
    with Floor() as floor:
        floor.start(10).move("0.0036")
        floor.until(lambda: bool(floor.exits))
        entry = floor.fills[0]
        assert entry.side is Side.SELL
        assert floor.exits[0].side is Side.BUY
        assert floor.exits[0].price == Decimal("67465.4")  # 67736.4 x 0.996 = 67465.4544, rounded away from the entry


def test_after_the_take_profit_the_bot_is_flat_and_quotes_again() -> None:
    with filled_entry(Floor()) as floor:
        floor.move("0.0045", 10)
        floor.until(lambda: floor.exits[0].state is OrderState.FILLED)
        floor.pass_time(5)
        assert floor.position == 0
        assert [order.reduce_only for order in floor.open_orders] == [False, False]
        assert [row["is_maker"] for row in floor.record.fills] == ["True", "True"]


def test_a_stop_cancels_the_take_profit_awaits_it_and_closes_at_market() -> None:
    with filled_entry(Floor()) as floor:
        floor.move("-0.0045", 10)
        floor.until(lambda: len(floor.exits) == 2)
        floor.pass_time(2)
        take_profit, stop = floor.exits
        assert take_profit.state is OrderState.CANCELED
        assert (stop.order_type, stop.state, stop.side) == (OrderType.MARKET, OrderState.FILLED, Side.SELL)
        assert take_profit.updated_us < stop.created_us
        assert floor.position == 0


def test_a_stop_is_followed_by_its_cooldown() -> None:
    with filled_entry(Floor()) as floor:
        floor.move("-0.0045", 10)
        floor.until(lambda: len(floor.exits) == 2)
        stopped_us, placed = floor.exits[1].created_us, len(floor.orders)
        floor.until(lambda: len(floor.orders) > placed)
        assert floor.orders[-1].created_us - stopped_us >= 10_000_000
        assert ("soft_pause", ("cooldown",)) in floor.record.states


def test_a_position_is_closed_at_its_time_limit() -> None:
    with filled_entry(Floor()) as floor:
        opened_us = floor.fills[0].at_us
        floor.until(lambda: len(floor.exits) == 2, 700)
        assert 600_000_000 <= floor.exits[1].created_us - opened_us <= 602_000_000
        floor.pass_time(2)
        assert floor.position == 0


def test_when_both_sides_fill_the_venue_nets_and_no_exit_is_owed() -> None:
    with Floor() as floor:
        floor.start(10)
        floor.line.loses_request = lambda request: request.url.path == CANCEL
        floor.move("-0.0036", 1)
        floor.until(lambda: bool(floor.fills))
        floor.move("0.0075", 1)
        floor.until(lambda: len(floor.fills) == 2, 3)
        floor.line.loses_request = lambda _: False
        floor.pass_time(3)
        assert floor.position == 0
        assert floor.exits == []
        assert [order.reduce_only for order in floor.open_orders] == [False, False]


def test_fills_in_parts_are_exited_whole_and_never_beyond_the_position() -> None:
    settings = profile(total_amount_quote=Decimal(20_000_000))
    with Floor(settings=settings, deposit=100_000_000) as floor:
        floor.start(10).move("-0.00351", 40)
        floor.until(lambda: bool(floor.exits))
        now_us = floor.world.clock.now_us()
        floor.market.script_depth(from_us=now_us + 1, share=Decimal("0.02"), until_us=now_us + 10**9)
        floor.move("0.004015", 40)
        for _ in range(400):
            floor.pass_time(Decimal("0.25"))
            resting = sum((order.size - order.filled for order in floor.open_orders if order.reduce_only), Decimal(0))
            assert resting <= abs(floor.position)
        parts = [fill for fill in floor.fills if fill.order_id == floor.exits[0].order_id]
        assert len(parts) > 2
        assert len(floor.exits) == 1
        floor.stop()
        assert floor.position == 0
        assert {row["exchange_trade_id"] for row in floor.record.fills} == {fill.trade_id for fill in floor.fills}
        assert len(floor.record.fills) == len(floor.fills)


def test_an_exit_that_finds_nothing_to_close_is_not_repeated() -> None:
    with filled_entry(Floor()) as floor:

        def closes_first(request: httpx.Request) -> bool:
            if request.url.path == PLACE and json.loads(request.content)["orderType"] == "market" and floor.position:
                floor.faces.command(
                    "main",
                    PlaceOrder(
                        symbol="BTCUSDT",
                        side=Side.SELL,
                        order_type=OrderType.MARKET,
                        size=STEP,
                        reduce_only=True,
                        client_id="hand-1",
                    ),
                )
            return False

        floor.line.loses_request = closes_first
        floor.move("-0.0045", 10)
        floor.pass_time(120)
        assert [call.code for call in floor.calls(PLACE)][-1] == "22002"
        assert sum(call.code == "22002" for call in floor.calls(PLACE)) == 1
        assert floor.record.states[-1] == ("hard_stop", ("position_mismatch",))  # somebody else traded on the account


# what nobody knows


def test_an_order_whose_answer_was_lost_is_found_and_not_sent_twice() -> None:
    with Floor() as floor:
        floor.line.loses_answer = first(PLACE)
        floor.start(60)
        assert shapes(floor.open_orders) == BOTH_QUOTES
        assert len(floor.calls(PLACE)) == 2


def test_an_order_that_never_arrived_is_looked_for_and_retried_under_its_own_name() -> None:
    with Floor() as floor:
        floor.line.loses_request = first(PLACE)
        floor.start(30)
        assert floor.calls(PLACE) == []
        assert 5 <= len(floor.calls(DETAIL)) <= 16
        assert ("running", ("fate_unknown",)) in floor.record.states
        floor.pass_time(100)
        assert floor.orders[0].client_id == f"{PREFIX}1"


def test_a_lost_exit_is_retried_at_once_under_its_own_name() -> None:
    with Floor() as floor:
        floor.start(10)
        floor.line.loses_request = first(PLACE)
        floor.move("-0.0036")
        floor.until(lambda: bool(floor.exits))
        assert floor.exits[0].client_id == f"{PREFIX}3"
        assert floor.exits[0].created_us - floor.fills[0].at_us < 5_000_000


def test_a_cancel_that_was_lost_is_sent_again() -> None:
    with Floor() as floor:
        floor.start(80)
        floor.line.loses_request = first(CANCEL)
        floor.pass_time(30)
        assert [order.state for order in floor.orders[:2]] == [OrderState.CANCELED] * 2
        assert shapes(floor.open_orders) == BOTH_QUOTES


def test_a_cancel_that_comes_too_late_is_not_repeated_and_the_fill_is_exited() -> None:
    with Floor() as floor:
        floor.start(10)
        lost = []

        def fills_first(request: httpx.Request) -> bool:
            """Loses the cancel until the quote is filled, so that what arrives at last finds nothing to cancel."""
            if request.url.path != CANCEL or floor.fills:
                return False
            lost.append(request)
            return True

        floor.line.loses_request = fills_first
        floor.rest("hand-1", Side.BUY, "66000")  # makes the bot withdraw its quotes
        floor.move("-0.0036", 1)
        floor.until(lambda: bool(floor.fills))
        floor.pass_time(20)
        late = [call for call in floor.calls(CANCEL) if call.code == "43001"]
        assert lost
        assert len(late) <= 1
        assert len(floor.exits) == 1
        assert len(floor.record.fills) == 1


def test_a_fill_behind_a_dropped_stream_is_found_by_reading() -> None:
    with Floor() as floor:
        floor.start(10)
        floor.line.loses_request = lambda request: request.url.path == CANCEL
        floor.move("-0.0036", 1)
        for connection in list(floor.faces.connections):
            connection.drop()
        floor.until(lambda: bool(floor.exits), 20)
        assert any("stream_down" in reasons for _, reasons in floor.record.states)
        floor.pass_time(5)
        assert len(floor.record.fills) == len(floor.fills) == 1


def test_quotes_go_while_a_stream_is_down_and_come_back_with_it() -> None:
    with Floor() as floor:
        floor.start(10)
        for connection in list(floor.faces.connections):
            connection.drop()
        floor.until(lambda: not floor.open_orders, 5)
        floor.until(lambda: len(floor.open_orders) == 2, 30)


# what is not the bot's


def test_a_no_trade_bot_clears_its_own_leftovers_and_does_nothing_else() -> None:
    with Floor(settings=no_trade_profile()) as floor:
        floor.rest("bot1-old-7", Side.BUY, "66000")
        floor.rest("bot1-old-8", Side.SELL, "69000")
        floor.start(900)
        assert floor.open_orders == []
        posts = [call.path for call in floor.calls() if call.method == "POST"]
        assert sorted(posts) == sorted([CANCEL, CANCEL, SETTINGS[0]])
        assert {state for state, _ in floor.record.states} == {"soft_pause"}
        assert floor.record.states[-1] == ("soft_pause", ("no_trade",))
        assert {row["state"] for row in floor.record.minutes} == {"soft_pause"}
        assert floor.record.minutes[-1]["orders_active"] == "0"


def test_a_no_trade_bot_leaves_other_peoples_orders_alone() -> None:
    with Floor(settings=no_trade_profile()) as floor:
        floor.rest("bot10-old-7", Side.BUY, "66000")
        floor.start(120)
        floor.stop()
        assert [order.client_id for order in floor.open_orders] == ["bot10-old-7"]
        assert floor.calls(CANCEL, PLACE) == []
        assert ("soft_pause", ("no_trade", "foreign_order")) in floor.record.states


def test_a_trading_bot_waits_until_the_foreign_order_is_gone() -> None:
    with Floor() as floor:
        order_id = floor.rest("hand-1", Side.BUY, "66000")
        floor.start(120)
        assert floor.calls(PLACE, CANCEL) == []
        assert floor.record.states == [("soft_pause", ("foreign_order",))]
        floor.command(CancelOrder(symbol="BTCUSDT", order_id=order_id))
        floor.until(lambda: len(floor.open_orders) == 2, 5)


def test_a_foreign_order_that_appears_in_mid_run_withdraws_the_quotes() -> None:
    with Floor() as floor:
        floor.start(10)
        floor.rest("hand-1", Side.BUY, "66000")
        floor.pass_time(3)
        assert [order.client_id for order in floor.open_orders] == ["hand-1"]


def test_an_inherited_position_is_left_as_it_is() -> None:
    with Floor() as floor:
        market = PlaceOrder(symbol="BTCUSDT", side=Side.BUY, order_type=OrderType.MARKET, size=STEP, client_id="hand-1")
        floor.command(market)
        floor.start(120)
        floor.stop()
        assert floor.position == STEP
        assert floor.calls(PLACE, CANCEL) == []
        assert ("soft_pause", ("inherited_position",)) in floor.record.states


def test_settings_that_do_not_come_out_as_promised_stop_the_bot_before_its_first_order() -> None:
    with Floor() as floor:
        floor.command(SetPositionMode(mode="hedge_mode"))
        floor.rest_hedge("hand-1")
        floor.start(120)
        assert floor.calls(PLACE) == []
        state, reasons = floor.record.states[-1]
        assert state == "hard_stop"
        assert "position_mode_mismatch" in reasons


def test_a_leverage_changed_in_mid_run_stops_the_bot_for_good() -> None:
    with Floor() as floor:
        floor.start(10)
        floor.command(SetLeverage(symbol="BTCUSDT", leverage=2))
        floor.pass_time(60)
        assert floor.open_orders == []
        floor.command(SetLeverage(symbol="BTCUSDT", leverage=1))
        placed = len(floor.calls(PLACE))
        floor.pass_time(200)
        assert len(floor.calls(PLACE)) == placed
        assert floor.record.states[-1] == ("hard_stop", ("leverage_mismatch",))


# the end


def test_a_stop_with_resting_quotes_leaves_nothing() -> None:
    with Floor() as floor:
        floor.start(10)
        floor.stop()
        assert floor.open_orders == []
        assert floor.exits == []


@pytest.mark.parametrize("change", ["-0.0036", "0.0036"])
def test_a_stop_with_a_position_cancels_its_exit_and_flattens(change: str) -> None:
    with Floor() as floor:
        floor.start(10).move(change)
        floor.until(lambda: bool(floor.exits))
        floor.stop()
        take_profit, close = floor.exits
        assert take_profit.state is OrderState.CANCELED
        assert (close.order_type, close.state) == (OrderType.MARKET, OrderState.FILLED)
        assert floor.open_orders == []
        assert floor.position == 0


def test_a_stop_returns_within_thirty_seconds_though_the_venue_is_out_of_reach() -> None:
    with Floor() as floor:
        floor.start(10)
        floor.line.loses_request = lambda _: True
        floor.stop(30)
        assert floor.record.states[-1] == ("hard_stop", ("stop_timed_out",))


def test_a_start_that_fails_is_tried_again() -> None:
    with Floor() as floor:
        floor.line.loses_request = first("/api/v2/mix/position/all-position")
        floor.start(15)
        assert floor.record.states[0] == ("soft_pause", ("starting", "venue_unreachable"))
        assert [order.side for order in floor.open_orders] == [Side.BUY, Side.SELL]


def test_a_stop_before_the_start_has_worked_sends_nothing_that_trades() -> None:
    with Floor() as floor:
        floor.line.loses_request = lambda _: True
        floor.start(40)
        floor.stop()
        assert floor.orders == []


def test_a_bot_stopped_before_its_run_asks_the_venue_for_nothing_and_returns() -> None:
    with Floor() as floor:
        floor.bot.stop()
        floor.start()
        floor.until(floor.task.done, 5)
        assert floor.task.exception() is None
        assert floor.calls() == []
        assert floor.record.states == [("soft_pause", ("starting", "stopping", "stream_down"))]


def test_a_second_stop_changes_nothing() -> None:
    with filled_entry(Floor()) as floor:
        floor.bot.stop()
        floor.pass_time(Decimal("0.1"))
        floor.stop()
        assert floor.position == 0
        assert [order.order_type for order in floor.exits] == [OrderType.LIMIT, OrderType.MARKET]
        told = list(floor.record.states)
        floor.bot.stop()
        floor.pass_time(5)
        assert floor.record.states == told


def test_a_second_stop_does_not_extend_the_thirty_seconds() -> None:
    with Floor() as floor:
        floor.start(10)
        floor.line.loses_request = lambda _: True
        floor.bot.stop()
        floor.pass_time(20)
        floor.stop(10)
        assert floor.record.states[-1] == ("hard_stop", ("stop_timed_out",))


def test_what_crashes_the_bot_leaves_it_as_itself() -> None:
    with Floor() as floor:

        def full_disk(_: object) -> None:
            raise OSError(errno.ENOSPC, "no space left")

        floor.record.minute = full_disk
        with pytest.raises(HarnessError, match="no space left"):
            floor.start(30)  # its streams say goodbye first


# its own record


def test_each_minute_has_one_row_with_every_column() -> None:
    with Floor() as floor:
        floor.start(610)
        minutes = [row["ts"] for row in floor.record.minutes]
        assert [ts[11:16] for ts in minutes] == [f"01:{minute:02}" for minute in range(11)]
        assert all(ts.endswith(":00.000000+00:00") for ts in minutes[1:])
        assert {tuple(row) for row in floor.record.minutes} == {tuple(floor.record.minutes[0])}
        assert set(floor.record.minutes[0]) == set(MINUTE)
        assert floor.record.minutes[-1]["orders_active"] == floor.record.minutes[-1]["venue_open_orders"] == "2"


def test_each_trade_is_one_row_with_every_column_and_agrees_with_the_venue() -> None:
    with filled_entry(Floor()) as floor:
        floor.stop()
        assert [set(row) for row in floor.record.fills] == [set(FILLS)] * 2
        for row, fill in zip(floor.record.fills, floor.fills, strict=True):
            assert row["exchange_trade_id"] == fill.trade_id
            assert (row["side"], Decimal(row["price"]), Decimal(row["amount_base"])) == (
                fill.side,
                fill.price,
                fill.size,
            )
            assert Decimal(row["notional_quote"]) == fill.price * fill.size
            assert Decimal(row["fee_quote"]) == fill.fee > 0
            assert row["is_maker"] == str(fill.is_maker)
            assert row["order_id"].startswith(PREFIX)
        exit_fill = floor.fills[1]
        assert Decimal(floor.record.fills[1]["realized_pnl_quote"]) == exit_fill.realized - exit_fill.fee


def test_counters_of_a_row_take_in_exactly_the_fills_before_it() -> None:
    with Floor(volatility_percent=600, seed=3) as floor:
        floor.start(3600)
        assert len(floor.record.fills) > 2
        for row in floor.record.minutes:
            earlier = [fill for fill in floor.record.fills if fill["ts"] <= row["ts"]]
            assert row["fills_count_today"] == str(len(earlier))
            assert Decimal(row["fees_paid_today_quote"]) == sum(Decimal(fill["fee_quote"]) for fill in earlier)


def test_the_same_seed_gives_the_same_bytes() -> None:
    def run() -> object:
        with Floor(volatility_percent=400, seed=5) as floor:
            floor.start(1200)
            floor.stop()
            calls = [(call.at_us, call.path, call.code, call.client_id) for call in floor.calls()]
            return calls, floor.record.minutes, floor.record.fills, floor.record.states

    assert run() == run()


def test_the_bot_begins_within_two_seconds_of_its_epoch() -> None:
    with Floor() as floor:
        floor.start(5)
        assert floor.orders[0].created_us - EPOCH_US < 2_000_000
