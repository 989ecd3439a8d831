"""The reference bot's decisions, by plain calls."""

import asyncio
from dataclasses import replace
from decimal import Decimal

import pytest
from bot_floor import profile

from botproof.bots.decision import (
    BeginRound,
    Cancel,
    Close,
    Finish,
    LookUp,
    PlaceQuote,
    ProveFlat,
    Reread,
    TakeProfit,
    Wait,
    next_step,
)
from botproof.bots.desk import Desk
from botproof.bots.diary import Diary, costs, utc_text
from botproof.bots.execution import Execution
from botproof.bots.gates import SECOND_US
from botproof.bots.holding import Holding, closable, stop_is_reached, take_profit_price
from botproof.bots.orders import Fate, OwnOrders, Purpose
from botproof.bots.quoting import backing_usdt, levels_of, mid_of, quote_of, weighed
from botproof.bots.settings import mismatches
from botproof.clock import ManualClock
from botproof.errors import Unanswered, VenueError
from botproof.events import OrderState, OrderType, Side
from botproof.ports import (
    AccountState,
    BotContext,
    Contract,
    Depth,
    Fill,
    Order,
    OrderAck,
    OrderRequest,
    Position,
    Ticker,
)

NOW = 1_771_722_000_000_000
STEP = Decimal("0.0001")
CONTRACT = Contract(
    symbol="BTCUSDT",
    min_qty=STEP,
    qty_step=STEP,
    min_value_usdt=Decimal(5),
    tick=Decimal("0.1"),
    maker_fee_rate=Decimal("0.0002"),
    taker_fee_rate=Decimal("0.0006"),
)
ACCOUNT = AccountState(
    symbol="BTCUSDT",
    position_mode="one_way_mode",
    margin_mode="crossed",
    leverage=1,
    equity_usdt=Decimal(20),
    available_usdt=Decimal(20),
    unrealized_usdt=Decimal(0),
)


def request(client_id: str = "bot1-a-1", *, is_exit: bool = False, market: bool = False) -> OrderRequest:
    return OrderRequest(
        symbol="BTCUSDT",
        side=Side.SELL if is_exit else Side.BUY,
        order_type=OrderType.MARKET if market else OrderType.LIMIT,
        size=STEP,
        price=None if market else Decimal(67000),
        client_id=client_id,
        reduce_only=is_exit,
    )


def row(client_id: str = "bot1-a-1", state: OrderState = OrderState.LIVE, **changes: object) -> Order:
    order = Order(
        order_id=f"id-{client_id}",
        client_id=client_id,
        symbol="BTCUSDT",
        side=Side.BUY,
        order_type=OrderType.LIMIT,
        force="post_only",
        price=Decimal(67000),
        size=STEP,
        filled=STEP if state is OrderState.FILLED else Decimal(0),
        average_price=None,
        state=state,
        reduce_only=False,
        created_ms=0,
        updated_ms=0,
    )
    return replace(order, **changes)


def trade(trade_id: str, side: Side, size: str, price: str = "67000", **changes: object) -> Fill:
    fill = Fill(
        trade_id=trade_id,
        order_id="id-bot1-a-1",
        client_id="bot1-a-1",
        symbol="BTCUSDT",
        side=side,
        price=Decimal(price),
        size=Decimal(size),
        fee_usdt=Decimal("0.001"),
        is_maker=True,
        realized_usdt=Decimal(0),
        t_ms=NOW // 1000,
    )
    return replace(fill, **changes)


def position(size: str, entry: str = "67000") -> Position:
    return Position(
        symbol="BTCUSDT",
        size=Decimal(size),
        entry_price=Decimal(entry),
        mark_price=None,
        leverage=1,
        margin_mode="crossed",
        t_ms=0,
    )


def ticker(bid: str = "67000", ask: str = "67000.1") -> Ticker:
    return Ticker(
        symbol="BTCUSDT",
        bid=Decimal(bid),
        bid_size=Decimal(1),
        ask=Decimal(ask),
        ask_size=Decimal(1),
        last=Decimal(bid),
        mark=None,
        index=None,
        funding_rate=None,
        t_ms=0,
    )


# quoting


@pytest.mark.parametrize(
    ("mid", "buy", "sell"),
    [("67500.05", "67263.7", "67736.4"), ("100000", "99650", "100350"), ("67500", "67263.7", "67736.3")],
)
def test_prices_are_rounded_away_from_mid(mid: str, buy: str, sell: str) -> None:
    quotes = [quote_of(level, Decimal(mid), CONTRACT) for level in levels_of(profile())]
    assert [(quote.side, quote.price) for quote in quotes] == [
        (Side.BUY, Decimal(buy)),
        (Side.SELL, Decimal(sell)),
    ]


def test_each_level_gets_its_share_of_both_sides_together() -> None:
    settings = profile(
        buy_spreads=(Decimal("0.001"), Decimal("0.002")),
        buy_amounts_pct=(Decimal(50), Decimal(30)),
        sell_spreads=(Decimal("0.003"),),
        sell_amounts_pct=(Decimal(120),),
    )
    levels = levels_of(settings)
    assert [(level.side, level.number, level.amount_usdt) for level in levels] == [
        (Side.BUY, 0, Decimal(5)),
        (Side.SELL, 0, Decimal(12)),
        (Side.BUY, 1, Decimal(3)),
    ]


def test_a_size_is_rounded_down_and_never_raised_to_the_minimum() -> None:
    level = replace(levels_of(profile())[0], spread=Decimal(0))
    at_fifty = quote_of(replace(level, amount_usdt=Decimal(5)), Decimal(50_000), CONTRACT)
    assert (at_fifty.size, at_fifty.below_minimum) == (STEP, "")
    above = quote_of(replace(level, amount_usdt=Decimal(5)), Decimal("50000.1"), CONTRACT)
    assert above.size == 0
    assert "minimum quantity" in above.below_minimum
    cheap = quote_of(replace(level, amount_usdt=Decimal("4.99")), Decimal(40_000), CONTRACT)
    assert cheap.size == STEP
    assert "minimum value" in cheap.below_minimum


def test_a_book_with_an_empty_side_has_no_mid() -> None:
    side = ((Decimal(2), Decimal(1)),)
    assert mid_of(Depth(symbol="", bids=side, asks=((Decimal(3), Decimal(1)),), t_ms=0)) == Decimal("2.5")
    assert mid_of(Depth(symbol="", bids=side, asks=(), t_ms=0)) is None


def test_an_entry_is_backed_by_its_margin_and_its_taker_fee() -> None:
    assert backing_usdt(Decimal(50_000), STEP, 2, CONTRACT) == Decimal("2.503")


@pytest.mark.parametrize(
    ("free", "backed"),
    [
        ("20", [True, True]),
        ("13.50812", [True, True]),
        ("13.50811", [True, False]),
        ("6.8", [True, False]),
        ("6.7", [False] * 2),
    ],
)
def test_levels_take_of_the_margin_nearest_first(free: str, backed: list[bool]) -> None:
    levels = weighed(levels_of(profile()), Decimal(free), Decimal("67500.05"), CONTRACT, 1)
    assert [level.is_backed for level in levels] == backed


def test_a_level_that_is_left_out_leaves_its_margin_to_the_next() -> None:
    dear, cheap = levels_of(profile())
    levels = weighed((replace(dear, amount_usdt=Decimal(14)), cheap), Decimal(7), Decimal(67_500), CONTRACT, 1)
    assert [level.is_backed for level in levels] == [False, True]


def test_a_level_below_the_minimum_takes_no_margin() -> None:
    level = replace(levels_of(profile())[0], amount_usdt=Decimal(1))
    assert weighed((level,), Decimal(0), Decimal(67_500), CONTRACT, 1)[0].is_backed


# holding


def test_the_entry_price_is_weighted_and_closing_leaves_it() -> None:
    holding = Holding()
    assert holding.add(trade("1", Side.BUY, "0.0001", "100")) == 0
    assert holding.add(trade("2", Side.BUY, "0.0003", "104")) == 0
    assert (holding.size, holding.entry_price) == (Decimal("0.0004"), Decimal(103))
    assert holding.add(trade("3", Side.SELL, "0.0003", "110")) == Decimal("0.0003")
    assert (holding.size, holding.entry_price) == (STEP, Decimal(103))


def test_a_fill_that_turns_the_position_over_opens_it_anew() -> None:
    holding = Holding()
    holding.add(trade("1", Side.BUY, "0.0001", "100", t_ms=1))
    holding.close_reason = "time_limit"
    assert holding.add(trade("2", Side.SELL, "0.0003", "101", t_ms=5)) == STEP
    assert (holding.size, holding.entry_price, holding.opened_us) == (Decimal("-0.0002"), Decimal(101), 5000)
    assert holding.close_reason == ""


def test_the_time_limit_counts_from_the_opening_fill() -> None:
    holding = Holding()
    holding.add(trade("1", Side.SELL, "0.0001", t_ms=1))
    holding.add(trade("2", Side.SELL, "0.0001", t_ms=9))
    assert holding.opened_us == 1000


@pytest.mark.parametrize(
    ("size", "bid", "ask", "reached"),
    [
        ("1", "99.6", "99.7", True),
        ("1", "99.61", "99.7", False),
        ("-1", "100.3", "100.4", True),
        ("-1", "100.3", "100.39", False),
        ("0", "1", "1", False),
    ],
)
def test_a_stop_is_reached_at_the_price_that_would_close(size: str, bid: str, ask: str, reached: bool) -> None:
    holding = Holding(size=Decimal(size), entry_price=Decimal(100))
    assert stop_is_reached(holding, Decimal("0.004"), Decimal(bid), Decimal(ask)) is reached


def test_a_take_profit_never_earns_less_than_promised() -> None:
    tick, profit = Decimal("0.1"), Decimal("0.004")
    assert take_profit_price(Holding(size=STEP, entry_price=Decimal("67263.7")), profit, tick) == Decimal("67532.8")
    assert take_profit_price(Holding(size=-STEP, entry_price=Decimal("67736.4")), profit, tick) == Decimal("67465.4")


@pytest.mark.parametrize(
    ("own", "venue", "expected"),
    [("3", "3", "3"), ("3", "2", "2"), ("2", "3", "2"), ("3", "0", "0"), ("3", "-3", "0"), ("-3", "-2", "-2")],
)
def test_exits_close_what_both_counts_call_open(own: str, venue: str, expected: str) -> None:
    assert closable(Decimal(own), Decimal(venue), Decimal(1)) == Decimal(expected)


def test_less_than_a_step_is_dust() -> None:
    assert closable(Decimal("0.00005"), Decimal("0.00005"), STEP) == 0
    assert closable(Decimal("-0.00015"), Decimal("-0.00015"), STEP) == -STEP


# own orders


def test_a_row_may_come_before_the_answer() -> None:
    orders = OwnOrders()
    orders.sent(request(), Purpose.ENTRY, NOW)
    orders.seen(row(), NOW + 1)
    orders.accepted("bot1-a-1", "id-bot1-a-1", NOW + 2)
    assert [order.fate for order in orders] == [Fate.WORKING]


def test_a_cancel_counts_as_resting_until_the_venue_says_otherwise() -> None:
    orders = OwnOrders()
    orders.sent(request(), Purpose.ENTRY, NOW)
    orders.accepted("bot1-a-1", "1", NOW)
    orders.canceling("bot1-a-1", NOW)
    orders.seen(row(), NOW + 1)
    assert [order.fate for order in orders] == [Fate.CANCELING]
    assert orders.seen(row(state=OrderState.CANCELED), NOW + 2) is True
    assert len(orders) == 0
    assert orders.seen(row(state=OrderState.CANCELED), NOW + 3) is False


def test_done_is_final() -> None:
    orders = OwnOrders()
    orders.sent(request(), Purpose.ENTRY, NOW)
    orders.trade("bot1-a-1", trade("1", Side.BUY, "0.0001"), NOW)
    orders.seen(row(), NOW + 1)
    orders.accepted("bot1-a-1", "id-bot1-a-1", NOW + 1)
    assert len(orders) == 0
    assert orders.is_over("bot1-a-1")
    assert orders.name_of("id-bot1-a-1") == "bot1-a-1"


def test_an_order_filled_further_than_its_trades_is_owed_some() -> None:
    orders = OwnOrders()
    orders.sent(request(), Purpose.ENTRY, NOW)
    orders.seen(row(state=OrderState.FILLED), NOW)
    assert len(orders) == 0
    assert [order.client_id for order in orders.owed_trades] == ["bot1-a-1"]
    orders.trade("bot1-a-1", trade("1", Side.BUY, "0.0001"), NOW)
    assert orders.owed_trades == []


def test_an_absent_entry_is_given_up_only_when_it_can_not_land_any_more() -> None:
    orders = OwnOrders()
    orders.sent(request(), Purpose.ENTRY, NOW)
    orders.unanswered("bot1-a-1", NOW)
    orders.absent("bot1-a-1", NOW + 34 * SECOND_US)
    assert len(orders) == 1
    orders.absent("bot1-a-1", NOW + 35 * SECOND_US)
    assert len(orders) == 0
    assert orders.take_spare_id(is_exit=True) == ""
    assert orders.take_spare_id(is_exit=False) == "bot1-a-1"
    assert orders.take_spare_id(is_exit=False) == ""


def test_an_absent_exit_is_given_up_at_once_and_its_name_used_again() -> None:
    orders = OwnOrders()
    orders.sent(request(is_exit=True), Purpose.TAKE_PROFIT, NOW)
    orders.unanswered("bot1-a-1", NOW)
    orders.absent("bot1-a-1", NOW)
    assert orders.take_spare_id(is_exit=True) == "bot1-a-1"


def test_the_venue_is_believed_on_what_a_name_stands_for() -> None:
    orders = OwnOrders()
    orders.sent(request(is_exit=True, market=True), Purpose.CLOSE, NOW)
    orders.unanswered("bot1-a-1", NOW)
    orders.seen(row(side=Side.SELL, reduce_only=True), NOW)
    assert orders.exit is not None
    assert orders.exit.purpose is Purpose.TAKE_PROFIT


# the desk


def desk(**changes: object) -> Desk:
    """Started, connected, priced and flat."""
    found = Desk(profile(**changes), "BTCUSDT", on_trade=lambda *_: None)
    found.contract, found.started = CONTRACT, True
    found.see_ticker(ticker(), NOW)
    for private in (True, False):
        found.see_stream(private=private, is_up=True, now_us=NOW)
    found.reread_due_us = None
    return found


def holding_desk(size: str = "0.0001") -> Desk:
    found = desk()
    found.orders.sent(request(), Purpose.ENTRY, NOW - 10 * SECOND_US)
    found.see_fill(trade("1", Side.BUY, size), NOW - SECOND_US)
    found.see_positions([position(size)], NOW - SECOND_US)
    return found


def step_of(found: Desk, now_us: int = NOW) -> object:
    found.tidy(now_us)
    return next_step(found, now_us)


def test_a_trade_told_twice_counts_once() -> None:
    told: list[str] = []
    found = Desk(profile(), "BTCUSDT", on_trade=lambda fill, _: told.append(fill.trade_id))
    for _ in range(2):
        found.see_fill(trade("1", Side.BUY, "0.0001"), NOW)
    assert told == ["1"]
    assert found.holding.size == STEP


def test_two_alike_trades_with_two_ids_count_twice() -> None:
    found = desk()
    found.see_fill(trade("1", Side.BUY, "0.0001"), NOW)
    found.see_fill(trade("2", Side.BUY, "0.0001"), NOW)
    assert found.holding.size == 2 * STEP


def test_somebody_elses_trade_is_not_the_bots() -> None:
    found = desk()
    found.see_fill(trade("1", Side.BUY, "0.0001", client_id="bot10-a-1"), NOW)
    found.see_fill(trade("2", Side.BUY, "0.0001", symbol="ETHUSDT"), NOW)
    assert found.holding.size == 0


def test_a_trade_without_a_name_waits_for_its_order() -> None:
    found = desk()
    found.orders.sent(request(), Purpose.ENTRY, NOW)
    for _ in range(2):
        found.see_fill(trade("1", Side.BUY, "0.0001", client_id=""), NOW)
    assert found.holding.size == 0
    found.see_accepted("bot1-a-1", "id-bot1-a-1", NOW)
    assert found.holding.size == STEP


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda found: found.see_stream(private=True, is_up=False, now_us=NOW), "stream_down"),
        (lambda found: found.see_stream(private=False, is_up=False, now_us=NOW), "stream_down"),
        (lambda found: found.see_ticker(ticker(), NOW - 30 * SECOND_US - 1), "order_book_stale"),
        (lambda found: found.see_order(row("hand-1"), NOW), "foreign_order"),
        (lambda found: found.see_open_orders([], ["77"], NOW), "foreign_order"),
        (lambda found: found.see_first_positions([position("0.0001")], NOW), "inherited_position"),
        (lambda found: found.see_positions([replace(position("1"), symbol="ETHUSDT")], NOW), "inherited_position"),
        (lambda found: found.pause_cancels(NOW), "cancel_budget"),
        (lambda found: setattr(found, "cooldown_until_us", NOW + 1), "cooldown"),
        (lambda found: setattr(found, "stopping", True), "stopping"),
    ],
)
def test_whatever_forbids_entries_is_a_reason_and_withdraws_them(change: object, reason: str) -> None:
    found = desk()
    found.orders.sent(request(), Purpose.ENTRY, NOW)
    found.orders.accepted("bot1-a-1", "1", NOW)
    found.next_round_us = NOW + 90 * SECOND_US
    assert isinstance(step_of(found), Wait)
    change(found)  # type: ignore[operator]
    assert found.state(NOW) == ("soft_pause", (reason,))
    assert step_of(found) == Cancel("bot1-a-1")


def test_a_shut_gate_is_a_reason_and_lets_what_rests_rest_until_its_refresh() -> None:
    found = desk()
    found.orders.sent(request(), Purpose.ENTRY, NOW)
    found.orders.accepted("bot1-a-1", "1", NOW)
    found.begin_round(levels_of(found.profile), NOW)
    found.gates = ("edge_gate_blocked",)
    assert found.state(NOW) == ("soft_pause", ("edge_gate_blocked",))
    assert isinstance(step_of(found), Wait)
    assert found.owed == ()
    assert step_of(found, NOW + 90 * SECOND_US) == Cancel("bot1-a-1")
    found.orders.canceling("bot1-a-1", NOW)
    found.see_order(row(state=OrderState.CANCELED), NOW)
    assert isinstance(step_of(found, NOW + 91 * SECOND_US), Wait)
    found.gates = ()
    found.see_ticker(ticker(), NOW + 91 * SECOND_US)
    assert step_of(found, NOW + 91 * SECOND_US) == BeginRound()


def test_a_price_of_exactly_thirty_seconds_is_not_stale() -> None:
    found = desk()
    assert found.pauses(NOW + 30 * SECOND_US) == ()
    assert found.pauses(NOW + 30 * SECOND_US + 1) == ("order_book_stale",)


@pytest.mark.parametrize("changes", [{"enabled": False}, {"variant": "b"}, {"variant": "c"}])
def test_a_disabled_profile_is_a_hard_stop(changes: dict[str, object]) -> None:
    assert desk(**changes).state(NOW) == ("hard_stop", ("profile_disabled",))


def test_variant_d_is_no_trade() -> None:
    assert desk(variant="d").state(NOW) == ("soft_pause", ("no_trade",))


def test_a_hard_reason_stays() -> None:
    found = desk()
    found.stop_for_good("leverage_mismatch")
    found.stop_for_good("leverage_mismatch")
    assert found.state(NOW) == ("hard_stop", ("leverage_mismatch",))


def test_a_position_that_nobody_here_opened_stops_the_bot_after_five_readings() -> None:
    found = desk()
    found.see_positions([position("0.0001")], NOW)
    assert isinstance(step_of(found), Wait)
    assert step_of(found, NOW + 2 * SECOND_US) == Reread()
    for _ in range(5):
        assert found.hard_reasons == []
        found.reread_done(NOW)
    assert found.hard_reasons == ["position_mismatch"]
    found.reread_due_us = None
    assert isinstance(step_of(found, NOW + 9 * SECOND_US), Wait)


# what to do


def test_a_flat_desk_begins_a_round_and_quotes_level_by_level() -> None:
    found = desk()
    assert step_of(found) == BeginRound()
    levels = levels_of(found.profile)
    found.begin_round(levels, NOW)
    assert step_of(found) == PlaceQuote(levels[0])
    found.level_done(levels[0])
    assert step_of(found) == PlaceQuote(levels[1])
    found.level_done(levels[1])
    assert step_of(found) == Wait(NOW + 10 * SECOND_US)


def test_nothing_new_is_sent_while_a_fate_is_unknown() -> None:
    found = desk()
    found.begin_round(levels_of(found.profile), NOW)
    order = found.orders.sent(request(), Purpose.ENTRY, NOW)
    found.orders.unanswered("bot1-a-1", NOW)
    assert step_of(found) == LookUp("bot1-a-1")
    order.looked_up_us = NOW
    assert step_of(found) == Wait(NOW + 2 * SECOND_US)


def test_a_position_is_exited_once_the_entries_are_gone_and_settled() -> None:
    found = holding_desk()
    found.orders.sent(request("bot1-a-2"), Purpose.ENTRY, NOW - 10 * SECOND_US)
    found.orders.accepted("bot1-a-2", "2", NOW - 10 * SECOND_US)
    assert step_of(found) == Cancel("bot1-a-2")
    found.orders.canceling("bot1-a-2", NOW)
    assert isinstance(step_of(found), Wait)
    found.see_order(row("bot1-a-2", OrderState.CANCELED), NOW)
    assert step_of(found) == Wait(NOW + SECOND_US // 4)
    assert step_of(found, NOW + SECOND_US // 4) == TakeProfit(STEP)


def test_a_cancel_without_an_echo_does_not_hold_the_exit_up() -> None:
    found = holding_desk()
    found.orders.sent(request("bot1-a-2"), Purpose.ENTRY, NOW)
    found.orders.accepted("bot1-a-2", "2", NOW)
    found.orders.canceling("bot1-a-2", NOW)
    assert step_of(found, NOW + 2 * SECOND_US) == TakeProfit(STEP)


def test_a_stop_is_latched_though_the_price_recovers() -> None:
    found = holding_desk()
    found.see_ticker(ticker("66732", "66732.1"), NOW)
    assert step_of(found) == Close(STEP)
    found.see_ticker(ticker(), NOW)
    assert step_of(found) == Close(STEP)


def test_a_working_take_profit_goes_before_a_close() -> None:
    found = holding_desk()
    found.orders.sent(request("bot1-a-2", is_exit=True), Purpose.TAKE_PROFIT, NOW)
    found.orders.accepted("bot1-a-2", "2", NOW)
    assert isinstance(step_of(found), Wait)
    found.stopping = True
    assert step_of(found) == Cancel("bot1-a-2")
    found.orders.canceling("bot1-a-2", NOW)
    assert isinstance(step_of(found), Wait)


def test_a_market_close_waits_only_a_moment_for_what_raced_the_cancel() -> None:
    found = holding_desk()
    found.stopping = True
    found.orders.last_gone_us = NOW
    assert step_of(found) == Wait(NOW + SECOND_US // 20)
    assert step_of(found, NOW + SECOND_US // 20) == Close(STEP)


def test_a_take_profit_that_no_longer_fits_is_replaced() -> None:
    found = holding_desk()
    found.orders.sent(request("bot1-a-2", is_exit=True), Purpose.TAKE_PROFIT, NOW)
    found.orders.accepted("bot1-a-2", "2", NOW)
    found.see_fill(trade("2", Side.BUY, "0.0001"), NOW)
    assert isinstance(step_of(found), Wait)  # until the venue's position says so too
    found.see_positions([position("0.0002")], NOW)
    assert step_of(found) == Cancel("bot1-a-2")


def test_a_take_profit_of_a_position_that_was_netted_is_canceled() -> None:
    found = holding_desk()
    found.orders.sent(request("bot1-a-2", is_exit=True), Purpose.TAKE_PROFIT, NOW)
    found.orders.accepted("bot1-a-2", "2", NOW)
    found.see_fill(trade("2", Side.SELL, "0.0001"), NOW)
    found.see_positions([], NOW)
    assert step_of(found) == Cancel("bot1-a-2")


def test_no_exit_is_sent_while_a_trade_is_on_its_way() -> None:
    found = holding_desk()
    found.orders.sent(request("bot1-a-2", is_exit=True), Purpose.TAKE_PROFIT, NOW)
    found.see_order(row("bot1-a-2", OrderState.FILLED, side=Side.SELL), NOW)
    assert isinstance(step_of(found, NOW + SECOND_US), Wait)


def test_a_market_exit_that_met_nobody_is_sent_again_after_a_second() -> None:
    found = holding_desk()
    found.holding.close_reason = "time_limit"
    found.orders.sent(request("bot1-a-2", is_exit=True, market=True), Purpose.CLOSE, NOW)
    found.see_order(row("bot1-a-2", OrderState.CANCELED, side=Side.SELL, order_type=OrderType.MARKET), NOW)
    assert isinstance(step_of(found, NOW + SECOND_US - 1), Wait)
    assert step_of(found, NOW + SECOND_US) == Close(STEP)


def test_a_market_exit_that_was_filled_in_part_goes_on_at_once() -> None:
    found = holding_desk("0.0002")
    found.holding.close_reason = "time_limit"
    found.orders.sent(request("bot1-a-2", is_exit=True, market=True), Purpose.CLOSE, NOW)
    gone = row("bot1-a-2", OrderState.CANCELED, side=Side.SELL, order_type=OrderType.MARKET, filled=STEP)
    found.see_order(gone, NOW)
    assert found.close_after_us <= NOW


def test_a_no_trade_desk_owes_no_exit() -> None:
    found = desk(no_trade=True)
    found.see_fill(trade("1", Side.BUY, "0.0001"), NOW)
    found.see_positions([position("0.0001")], NOW)
    assert found.to_close == 0
    assert isinstance(step_of(found), Wait)


def test_the_end_is_proven_before_it_is_believed() -> None:
    found = desk()
    found.stopping = True
    assert step_of(found) == ProveFlat()
    found.proven_flat = True
    assert step_of(found) == Finish()
    found.orders.sent(request(), Purpose.ENTRY, NOW)
    found.orders.unanswered("bot1-a-1", NOW)
    assert step_of(found) == LookUp("bot1-a-1")


def test_settings_that_differ_are_named() -> None:
    assert mismatches(profile(), ACCOUNT) == ()
    wrong = replace(ACCOUNT, position_mode="hedge_mode", margin_mode="isolated", leverage=2)
    assert mismatches(profile(), wrong) == ("position_mode", "margin_mode", "leverage")


# the diary


def test_the_edge_of_the_shipped_profile_is_nineteen_basis_points() -> None:
    found = costs(profile(), maker_fee=Decimal("0.0002"), drift=Decimal(0), turnover_x=Decimal(0), funding=Decimal(0))
    assert (found.spread, found.floor, found.net_edge) == (Decimal("0.007"), Decimal("0.003"), Decimal("0.0019"))


def test_turnover_beyond_the_cap_and_funding_cost_edge() -> None:
    found = costs(
        profile(), maker_fee=Decimal(0), drift=Decimal(0), turnover_x=Decimal("2.5"), funding=Decimal("-0.0032")
    )
    assert found.net_edge == Decimal("0.0028") - Decimal("0.0007") - Decimal("0.0005") - Decimal("0.00001")


def test_drift_compares_with_the_newest_sample_of_thirty_seconds_ago() -> None:
    diary = Diary(profile())
    assert diary.drift(NOW, Decimal(100)) == 0
    for seconds, price in ((0, 90), (10, 100), (20, 50)):
        diary.sample(NOW + seconds * SECOND_US, Decimal(price))
    assert diary.drift(NOW + 40 * SECOND_US, Decimal(101)) == Decimal("0.01")


def test_fills_of_a_day_end_at_midnight_and_with_the_row() -> None:
    midnight_us = NOW // 86_400_000_000 * 86_400_000_000
    diary = Diary(profile())
    at_ms = [midnight_us // 1000 - 1, midnight_us // 1000, midnight_us // 1000 + 5]
    diary.fills = [trade(str(t_ms), Side.BUY, "0.0001", t_ms=t_ms) for t_ms in at_ms]
    assert [fill.t_ms for fill in diary.fills_today(midnight_us + 4_000)] == [at_ms[1]]
    diary.prune(midnight_us + 4_000)
    assert [fill.t_ms for fill in diary.fills] == at_ms[1:]


def test_open_and_peak_begin_anew_each_day() -> None:
    diary = Diary(profile())
    for at_us, equity in ((NOW, 20), (NOW + 1, 22), (NOW + 2, 21)):
        diary.note_equity(at_us, Decimal(equity))
    assert (diary.open_equity, diary.peak_equity) == (20, 22)
    diary.note_equity(NOW + 86_400_000_000, Decimal(21))
    assert (diary.open_equity, diary.peak_equity) == (21, 21)


def test_times_carry_their_zone_and_microseconds() -> None:
    assert utc_text(NOW) == "2026-02-22T01:00:00.000000+00:00"


# the hands


class Stub:
    """A venue that answers each placing with what it was given, in order."""

    def __init__(self, *answers: object) -> None:
        self.answers, self.sent = list(answers), []

    async def place(self, order: OrderRequest) -> OrderAck:
        self.sent.append(order)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return OrderAck(order_id=str(answer), client_id=order.client_id)


def hands(found: Desk, venue: object) -> tuple[Execution, ManualClock]:
    clock = ManualClock(NOW)
    context = BotContext(
        profile=found.profile,
        venue=venue,
        clock=clock,
        evidence=None,
        symbol="BTCUSDT",
        client_id_prefix="bot1-a-",
        run_id="a",
    )
    return Execution(context, found, Diary(found.profile)), clock


def place(found: Desk, answer: object, purpose: Purpose) -> None:
    execution, _ = hands(found, Stub(answer))
    asyncio.run(execution.place(request("bot1-a-9", is_exit=purpose is not Purpose.ENTRY), purpose))


@pytest.mark.parametrize(
    "answer", [Unanswered("cut off"), VenueError("40786", "Duplicate clientOid"), VenueError("45001", "Unknown", 500)]
)
def test_an_order_that_may_have_landed_is_unknown_and_looked_up(answer: Exception) -> None:
    found = desk()
    place(found, answer, Purpose.ENTRY)
    assert [order.fate for order in found.orders.unknown] == [Fate.UNKNOWN]
    assert step_of(found) == LookUp("bot1-a-9")


def test_a_refused_entry_ends_its_round() -> None:
    found = desk()
    found.begin_round(levels_of(found.profile), NOW)
    place(found, VenueError("40762", "too much"), Purpose.ENTRY)
    assert len(found.orders) == 0
    assert found.state(NOW) == ("soft_pause", ("order_rejected",))
    assert isinstance(step_of(found, NOW + 29 * SECOND_US), Wait)


def test_a_refused_take_profit_waits_one_refresh_and_the_stop_does_not() -> None:
    found = holding_desk()
    place(found, VenueError("45110", "less than the minimum amount 5 USDT"), Purpose.TAKE_PROFIT)
    assert isinstance(step_of(found, NOW + 20 * SECOND_US), Wait)
    found.see_ticker(ticker("66732", "66732.1"), NOW)
    assert step_of(found) == Close(STEP)


def test_a_refused_close_is_tried_again_after_one_two_four_seconds() -> None:
    found = holding_desk()
    found.stopping = True
    waits = []
    for _ in range(9):
        place(found, VenueError("40808", "refused"), Purpose.CLOSE)
        waits.append((found.close_after_us - NOW) // SECOND_US)
    assert waits == [1, 2, 4, 8, 16, 32, 64, 90, 90]
    assert isinstance(step_of(found), Wait)


def test_nothing_to_close_makes_the_bot_read_the_position_again() -> None:
    found = holding_desk()
    place(found, VenueError("22002", "No position to close"), Purpose.TAKE_PROFIT)
    assert isinstance(step_of(found), Wait)
    assert step_of(found, NOW + SECOND_US) == Reread()


def test_an_open_order_that_the_list_does_not_show_is_looked_up() -> None:
    found = desk()
    found.next_round_us = NOW + 90 * SECOND_US
    found.orders.sent(request(), Purpose.ENTRY, NOW)
    found.orders.accepted("bot1-a-1", "1", NOW)
    found.see_open_orders([], [], NOW + 2 * SECOND_US)
    assert isinstance(step_of(found), Wait)  # it may be younger than the list
    found.see_open_orders([], [], NOW + 3 * SECOND_US)
    assert step_of(found, NOW + 3 * SECOND_US) == LookUp("bot1-a-1")


# a cancel that comes too late


class TooLate:
    """A venue that has nothing to cancel; asked for the order it answers as it was told."""

    def __init__(self, answer: Order | VenueError) -> None:
        self.answer, self.cancels = answer, 0

    async def cancel(self, _symbol: str, *, client_id: str) -> None:
        self.cancels += 1
        raise VenueError("43001", f"The order does not exist: {client_id}")

    async def order(self, _symbol: str, *, client_id: str) -> Order:
        assert client_id == "bot1-a-1"
        if isinstance(self.answer, VenueError):
            raise self.answer
        return self.answer


def canceled_too_late(answer: Order | VenueError) -> tuple[Desk, Execution, ManualClock]:
    """A desk whose only order was canceled in vain."""
    found = desk()
    found.next_round_us = NOW + 90 * SECOND_US
    found.orders.sent(request(), Purpose.ENTRY, NOW)
    found.orders.accepted("bot1-a-1", "id-bot1-a-1", NOW)
    execution, clock = hands(found, TooLate(answer))
    asyncio.run(execution.cancel("bot1-a-1"))
    return found, execution, clock


def test_a_cancel_answered_unknown_is_not_repeated_and_waits_for_the_push() -> None:
    found, _, _ = canceled_too_late(row(state=OrderState.FILLED))
    assert [order.fate for order in found.orders] == [Fate.CANCELING]
    assert step_of(found, NOW + SECOND_US) == Wait(NOW + 2 * SECOND_US)
    found.see_fill(trade("1", Side.BUY, "0.0001"), NOW + SECOND_US)
    assert len(found.orders) == 0
    assert found.holding.size == STEP


def test_a_cancel_answered_unknown_without_a_push_is_settled_by_asking() -> None:
    found, execution, _ = canceled_too_late(row(state=OrderState.FILLED))
    assert step_of(found, NOW + 2 * SECOND_US) == LookUp("bot1-a-1")
    asyncio.run(execution.look_up("bot1-a-1"))
    assert len(found.orders) == 0
    assert [order.client_id for order in found.orders.owed_trades] == ["bot1-a-1"]


def test_a_canceled_order_that_the_venue_knows_nothing_of_is_not_asked_for_for_ever() -> None:
    found, execution, clock = canceled_too_late(VenueError("40109", "cannot be found"))
    asked_s = []
    for second in range(60):
        clock.set_us(NOW + second * SECOND_US)
        if isinstance(step_of(found, clock.now_us()), LookUp):
            asked_s.append(second)
            asyncio.run(execution.look_up("bot1-a-1"))
    assert asked_s == list(range(2, 37, 2))
    assert len(found.orders) == 0
