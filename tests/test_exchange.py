"""The exchange: scripts as tables, one row a command and what it must bring about."""

from decimal import Decimal

import pytest
from exchange_floor import OPENED_US, SECOND_US, SYMBOL, Floor, TableMarket, book

from botproof.events import OrderState, OrderType, Side
from botproof.fakes.bitget.core.exchange import Exchange
from botproof.fakes.bitget.core.ids import created_ms
from botproof.fakes.bitget.core.messages import (
    BalanceChanged,
    BillAdded,
    CancelOrder,
    OrderAccepted,
    OrderFilled,
    PlaceOrder,
    PositionChanged,
    Refused,
    SetLeverage,
)
from botproof.fakes.bitget.core.switches import Switches

STILL = {0: book("67500", "67500.1")}
DIP = {0: book("67500", "67500.1"), 5: book("67399.9", "67400"), 10: book("67500", "67500.1")}


def floor(table=None, **settings) -> Floor:
    return Floor(TableMarket(table or STILL), **settings)


# Taking and resting


def test_market_order_takes_the_best_opposing_price() -> None:
    floor().run("at 0: buy 0.001 as a -> accepted a 0.001; filled a 0.001 at 67500.1 taker; position 0.001")


def test_market_order_walks_the_levels_and_its_rest_beyond_the_book_is_canceled() -> None:
    bids, asks = (("67500", "1"),), (("67500.1", "0.001"), ("67500.4", "0.002"))
    floor({0: (bids, asks)}).run(
        """
        at 0: buy 0.004 as a -> accepted a 0.004; filled a 0.001 at 67500.1 taker; position 0.001; \
filled a 0.002 at 67500.4 taker; position 0.003; canceled a ioc_rest; position 0.003
        """
    )


def test_marketable_limit_takes_up_to_its_price_and_rests_with_what_is_left() -> None:
    bids, asks = (("67500", "1"),), (("67500.1", "0.001"), ("67500.4", "0.002"))
    trading = floor({0: (bids, asks), 1: (bids, asks)})
    trading.run(
        """
        at 0: buy 0.003 at 67500.2 as a -> accepted a 0.003; filled a 0.001 at 67500.1 taker; position 0.001
        # the next step shows the level again, and the resting part is a maker at its own price
        at 1:                           -> filled a 0.001 at 67500.2 maker; position 0.002
        """
    )
    assert trading.exchange.order("main", client_id="a").state is OrderState.PARTIALLY_FILLED


def test_what_a_taker_took_is_not_there_again_until_the_next_step() -> None:
    trading = floor({0: book("67500", "67500.1", "0.001"), 2: book("67500", "67500.1", "0.001")})
    trading.run(
        """
        at 0: buy 0.001 as a -> accepted a 0.001; filled a 0.001 at 67500.1 taker; position 0.001
        at 1: buy 0.001 as b -> accepted b 0.001; canceled b ioc_rest; position 0.001
        at 2: buy 0.001 as c -> accepted c 0.001; filled c 0.001 at 67500.1 taker; position 0.002
        """
    )


def test_resting_order_fills_at_its_own_price_when_the_market_touches_it() -> None:
    floor(DIP).run(
        """
        at 0: buy 0.001 at 67400 as a -> accepted a 0.001
        at 4:                         ->
        at 9:                         -> filled a 0.001 at 67400 maker; position 0.001
        """
    )


def test_resting_order_one_tick_short_of_the_touch_does_not_fill() -> None:
    floor(DIP).run(
        """
        at 0: buy 0.001 at 67399.9 as a -> accepted a 0.001
        at 20:                          ->
        """
    )


def test_resting_sell_fills_when_the_bid_reaches_it() -> None:
    floor({0: book("67500", "67500.1"), 3: book("67600", "67600.1")}).run(
        """
        at 0: sell 0.001 at 67600 as a   -> accepted a 0.001
        at 0: sell 0.001 at 67600.1 as b -> accepted b 0.001
        at 9:                            -> filled a 0.001 at 67600 maker; position -0.001
        """
    )


def test_big_resting_order_fills_in_parts_over_the_steps_that_touch_it() -> None:
    table = {0: book("67500", "67500.1"), **{n: book("67399", "67400", "0.002") for n in (1, 2, 3)}}
    trading = floor(table)
    trading.run(
        """
        at 0: buy 0.005 at 67400 as a -> accepted a 0.005
        at 9: -> filled a 0.002 at 67400 maker; position 0.002; filled a 0.002 at 67400 maker; position 0.004; \
filled a 0.001 at 67400 maker; position 0.005
        """
    )
    fills = trading.exchange.fills("main")
    assert len({fill.trade_id for fill in fills}) == 3
    assert [fill.at_us for fill in fills] == [OPENED_US + n * SECOND_US for n in (3, 2, 1)]


def test_price_then_time_decides_who_fills_first() -> None:
    floor({0: book("67500", "67500.1"), 1: book("67399", "67400", "0.002")}).run(
        """
        at 0: buy 0.001 at 67400 as first            -> accepted first 0.001
        at 0: buy 0.001 at 67400 as second by other  -> accepted second 0.001
        at 0: buy 0.001 at 67450 as better by other  -> accepted better 0.001
        at 1: -> filled better 0.001 at 67450 maker; position 0.001; filled first 0.001 at 67400 maker; position 0.001
        """
    )


def test_orders_of_two_accounts_cross_at_the_price_of_the_one_that_was_there() -> None:
    trading = floor()
    trading.run(
        """
        at 0: sell 0.002 at 67500.1 as ask by other -> accepted ask 0.002
        at 0: sell 0.001 at 67500 as hit by other -> accepted hit 0.001; filled hit 0.001 at 67500 taker; \
position -0.001
        at 0: buy 0.001 as a -> accepted a 0.001; filled ask 0.001 at 67500.1 maker; position -0.002; \
filled a 0.001 at 67500.1 taker; position 0.001
        """
    )
    assert [trade.side for trade in trading.exchange.trades(0)] == [Side.SELL, Side.BUY]


def test_resting_order_inside_the_spread_is_the_best_price_and_trades_first() -> None:
    trading = floor({0: book("67500", "67501")})
    trading.run("at 0: sell 0.002 at 67500.5 as ask by other -> accepted ask 0.002")
    assert trading.exchange.quote().asks == ((Decimal("67500.5"), Decimal("0.002")),)
    trading.run(
        """
        at 0: buy 0.003 at 67501 as a -> accepted a 0.003; filled ask 0.002 at 67500.5 maker; position -0.002; \
filled a 0.002 at 67500.5 taker; position 0.002; filled a 0.001 at 67501 taker; position 0.003
        """
    )


def test_own_order_may_be_traded_with_and_each_side_has_a_trade_id_of_its_own() -> None:
    trading = floor({0: book("67500", "67501")})
    trading.run(
        """
        at 0: sell 0.001 at 67500.5 as a -> accepted a 0.001
        at 0: buy 0.001 at 67500.5 as b  -> accepted b 0.001; filled a 0.001 at 67500.5 maker; position -0.001; \
filled b 0.001 at 67500.5 taker; flat
        """
    )
    assert len({fill.trade_id for fill in trading.exchange.fills("main")}) == 2


# Force


@pytest.mark.parametrize(
    "row",
    [
        (
            "at 0: buy 0.002 at 67500.1 ioc as a -> accepted a 0.002; filled a 0.001 at 67500.1 taker; position 0.001; "
            "canceled a ioc_rest; position 0.001"
        ),
        "at 0: buy 0.002 at 67500 ioc as a -> accepted a 0.002; canceled a ioc_rest",
        "at 0: buy 0.002 at 67500.1 fok as a -> accepted a 0.002; canceled a fok_unfillable",
        "at 0: buy 0.001 at 67500.1 fok as a -> accepted a 0.001; filled a 0.001 at 67500.1 taker; position 0.001",
        "at 0: buy 0.001 at 67500.1 post_only as a -> accepted a 0.001; canceled a post_only_would_cross",
        "at 0: buy 0.001 at 67500 post_only as a -> accepted a 0.001",
        "at 0: sell 0.001 at 67500 post_only as a -> accepted a 0.001; canceled a post_only_would_cross",
        "at 0: sell 0.001 at 67500.1 post_only as a -> accepted a 0.001",
    ],
)
def test_force_decides_what_becomes_of_an_order(row: str) -> None:
    floor({0: book("67500", "67500.1", "0.001")}).run(row)


def test_post_only_would_also_cross_a_resting_order() -> None:
    floor({0: book("67500", "67501")}).run(
        """
        at 0: sell 0.001 at 67500.5 as ask by other   -> accepted ask 0.001
        at 0: buy 0.001 at 67500.5 post_only as a     -> accepted a 0.001; canceled a post_only_would_cross
        """
    )


def test_fok_counts_resting_orders_and_the_market_together() -> None:
    floor({0: book("67500", "67501", "0.001")}).run(
        """
        at 0: sell 0.001 at 67500.5 as ask by other -> accepted ask 0.001
        at 0: buy 0.0021 at 67501 fok as a          -> accepted a 0.0021; canceled a fok_unfillable
        at 0: buy 0.002 at 67501 fok as b -> accepted b 0.002; filled ask 0.001 at 67500.5 maker; position -0.001; \
filled b 0.001 at 67500.5 taker; position 0.001; filled b 0.001 at 67501 taker; position 0.002
        """
    )


# Positions in one-way mode


def test_opposite_fills_net_to_flat() -> None:
    trading = floor()
    trading.run(
        """
        at 0: buy 0.002 as a  -> accepted a 0.002; filled a 0.002 at 67500.1 taker; position 0.002
        at 0: sell 0.002 as b -> accepted b 0.002; filled b 0.002 at 67500 taker; flat
        """
    )
    assert trading.exchange.positions("main") == []


def test_sell_larger_than_the_long_flips_it_and_the_new_position_starts_afresh() -> None:
    trading = floor()
    trading.run(
        """
        at 0: buy 0.002 as a  -> accepted a 0.002; filled a 0.002 at 67500.1 taker; position 0.002
        at 0: sell 0.005 as b -> accepted b 0.005; filled b 0.005 at 67500 taker; position -0.003
        """
    )
    (position,) = trading.exchange.positions("main")
    assert (position.entry_price, position.realized) == (Decimal(67500), Decimal(0))
    assert position.fees == Decimal("0.1215")  # the taker fee of 0.003 at 67500 alone
    assert trading.exchange.fills("main")[0].realized == Decimal("-0.0002")


def test_average_entry_is_weighted_by_size_and_unchanged_by_a_partial_close() -> None:
    trading = floor({0: book("67500", "67500.1"), 1: book("67600", "67600.1"), 2: book("67700", "67700.1")})
    trading.run(
        """
        at 0: buy 0.001 as a  -> accepted a 0.001; filled a 0.001 at 67500.1 taker; position 0.001
        at 1: buy 0.003 as b  -> accepted b 0.003; filled b 0.003 at 67600.1 taker; position 0.004
        at 2: sell 0.001 as c -> accepted c 0.001; filled c 0.001 at 67700 taker; position 0.003
        """
    )
    (position,) = trading.exchange.positions("main")
    assert position.entry_price == Decimal("67575.1")
    assert position.realized == trading.exchange.fills("main")[0].realized == Decimal("0.1249")


# Reduce-only


def test_reduce_only_without_a_position_is_refused() -> None:
    floor().run("at 0: sell 0.001 at 67600 reduce -> refused 22002")


def test_reduce_only_on_the_side_of_the_position_is_refused() -> None:
    floor().run(
        """
        at 0: buy 0.001 as a                -> accepted a 0.001; filled a 0.001 at 67500.1 taker; position 0.001
        at 0: buy 0.001 at 67400 reduce     -> refused 22002
        """
    )


def test_reduce_only_order_larger_than_position_is_cut_to_it() -> None:
    floor().run(
        """
        at 0: buy 0.001 as a                 -> accepted a 0.001; filled a 0.001 at 67500.1 taker; position 0.001
        at 0: sell 0.005 reduce as b         -> accepted b 0.001; filled b 0.001 at 67500 taker; flat
        """
    )


def test_older_reduce_only_orders_are_canceled_in_order_until_the_sum_fits() -> None:
    floor().run(
        """
        at 0: buy 0.004 as a                     -> accepted a 0.004; filled a 0.004 at 67500.1 taker; position 0.004
        at 0: sell 0.001 at 67600 reduce as b    -> accepted b 0.001; position 0.004
        at 0: sell 0.001 at 67610 reduce as c    -> accepted c 0.001; position 0.004
        at 0: sell 0.002 at 67620 reduce as d    -> accepted d 0.002; position 0.004
        at 0: sell 0.001 at 67630 reduce as e    -> canceled b reduce_only_cut; accepted e 0.001; position 0.004
        at 0: sell 0.004 at 67640 reduce as f    -> canceled c reduce_only_cut; canceled d reduce_only_cut; \
canceled e reduce_only_cut; accepted f 0.004; position 0.004
        """
    )


def test_reduce_only_order_goes_when_its_position_is_gone() -> None:
    floor().run(
        """
        at 0: buy 0.001 as a                   -> accepted a 0.001; filled a 0.001 at 67500.1 taker; position 0.001
        at 0: sell 0.001 at 67600 reduce as b  -> accepted b 0.001; position 0.001
        at 0: sell 0.001 as c -> accepted c 0.001; filled c 0.001 at 67500 taker; canceled b reduce_only_cut; flat
        """
    )


def test_reduce_only_order_goes_when_its_position_flips() -> None:
    floor().run(
        """
        at 0: buy 0.001 as a                   -> accepted a 0.001; filled a 0.001 at 67500.1 taker; position 0.001
        at 0: sell 0.001 at 67600 reduce as b  -> accepted b 0.001; position 0.001
        at 0: sell 0.003 as c -> accepted c 0.003; filled c 0.003 at 67500 taker; canceled b reduce_only_cut; \
position -0.002
        """
    )


def test_reduce_only_order_without_position_stays_idle_under_the_other_switch() -> None:
    trading = floor(
        {0: book("67500", "67500.1"), 2: book("67600", "67600.1")},
        switches=Switches(cancel_reduce_only_without_position=False),
    )
    trading.run(
        """
        at 0: buy 0.001 as a                   -> accepted a 0.001; filled a 0.001 at 67500.1 taker; position 0.001
        at 0: sell 0.001 at 67600 reduce as b  -> accepted b 0.001; position 0.001
        at 0: sell 0.001 as c                  -> accepted c 0.001; filled c 0.001 at 67500 taker; flat
        at 3:                                  ->
        at 3: buy 0.001 at 67600.1 as d        -> accepted d 0.001; filled d 0.001 at 67600.1 taker; position 0.001
        """
    )


def test_shrunken_position_caps_what_a_resting_reduce_only_order_fills() -> None:
    floor({0: book("67500", "67500.1"), 2: book("67600", "67600.1")}).run(
        """
        at 0: buy 0.003 as a                   -> accepted a 0.003; filled a 0.003 at 67500.1 taker; position 0.003
        at 0: sell 0.003 at 67600 reduce as b  -> accepted b 0.003; position 0.003
        at 0: sell 0.001 as c                  -> accepted c 0.001; filled c 0.001 at 67500 taker; position 0.002
        at 3: -> filled b 0.002 at 67600 maker; canceled b reduce_only_cut; flat
        """
    )


def test_reduce_only_order_below_the_minimum_value_is_accepted_and_the_switch_refuses_it() -> None:
    script = """
        at 0: buy 0.0002 as a                  -> accepted a 0.0002; filled a 0.0002 at 40000 taker; position 0.0002
        at 0: sell 0.0001 at 40010 reduce as b -> {}
        """
    table = {0: book("39999.9", "40000")}
    floor(table).run(script.format("accepted b 0.0001; position 0.0002"))
    floor(table, switches=Switches(reduce_only_min_value_exempt=False)).run(script.format("refused 45110"))


# Hedge mode


def test_hedge_legs_live_side_by_side_and_close_by_their_own_side() -> None:
    trading = floor()
    trading.run(
        """
        at 0: mode hedge_mode         -> set
        at 0: buy 0.002 open as a     -> accepted a 0.002; filled a 0.002 at 67500.1 taker; position 0.002
        at 0: sell 0.001 open as b    -> accepted b 0.001; filled b 0.001 at 67500 taker; position -0.001
        at 0: buy 0.001 close as c    -> accepted c 0.001; filled c 0.001 at 67500 taker; position 0.001
        at 0: sell 0.005 close as d   -> accepted d 0.001; filled d 0.001 at 67500.1 taker; flat
        at 0: sell 0.001 close        -> refused 22002
        """
    )
    closing = trading.exchange.order("main", client_id="c")
    assert (closing.side, closing.trade_side, closing.reduce_only) == (Side.BUY, "close", True)
    kinds = [bill.business_type for bill in trading.exchange.bills("main")]
    assert kinds == ["close_short", "close_long", "open_short", "open_long", "trans_from_exchange"]


def test_trade_side_belongs_to_hedge_mode_only() -> None:
    floor().run(
        """
        at 0: buy 0.001 open           -> refused 40774
        at 0: mode hedge_mode          -> set
        at 0: buy 0.001                -> refused 40774
        """
    )


# Cancels


def test_cancel_acknowledges_and_cancels_and_does_so_once() -> None:
    floor().run(
        """
        at 0: buy 0.001 at 67400 as a -> accepted a 0.001
        at 0: cancel a                -> canceled a normal_cancel
        at 0: cancel a                -> refused 43001
        at 0: cancel never            -> refused 43001
        """
    )


def test_filled_order_cannot_be_canceled() -> None:
    floor(DIP).run(
        """
        at 0: buy 0.001 at 67400 as a -> accepted a 0.001
        at 9: cancel a                -> filled a 0.001 at 67400 maker; position 0.001; refused 43001
        """
    )


def test_another_accounts_order_is_unknown() -> None:
    floor().run(
        """
        at 0: buy 0.001 at 67400 as a -> accepted a 0.001
        at 0: cancel a by other       -> refused 43001
        """
    )


def test_order_id_wins_over_the_client_id() -> None:
    trading = floor()
    trading.run("at 0: buy 0.001 at 67400 as a -> accepted a 0.001")
    trading.run("at 0: buy 0.001 at 67300 as b -> accepted b 0.001")
    first = trading.exchange.order("main", client_id="a")
    command = CancelOrder(symbol=SYMBOL, order_id=first.order_id, client_id="b")
    assert list(trading.told(trading.exchange.apply("main", command, OPENED_US))) == ["canceled a normal_cancel"]


# Settings


def test_settings_change_when_the_account_is_idle() -> None:
    floor().run(
        """
        at 0: leverage 1       -> set
        at 0: leverage 150     -> set
        at 0: leverage 151     -> refused 40797
        at 0: leverage 0       -> refused 40797
        at 0: margin isolated  -> set
        at 0: margin sideways  -> refused 400172
        at 0: mode hedge_mode  -> set
        at 0: mode both        -> refused 400172
        """
    )


def test_modes_do_not_change_under_an_order_or_a_position() -> None:
    floor().run(
        """
        at 0: buy 0.001 at 67400 as a -> accepted a 0.001
        at 0: mode hedge_mode         -> refused 40920
        at 0: mode one_way_mode       -> set
        at 0: margin isolated         -> refused 45117
        at 0: margin crossed          -> set
        at 0: leverage 10             -> set
        at 0: buy 0.001 as b          -> accepted b 0.001; filled b 0.001 at 67500.1 taker; position 0.001
        at 0: margin crossed          -> refused 45117
        """
    )


def test_switches_turn_inferred_settings_behaviour_round() -> None:
    switches = Switches(leverage_with_open_orders=False, same_margin_mode_refused_with_position=False)
    floor(switches=switches).run(
        """
        at 0: buy 0.001 at 67400 as a -> accepted a 0.001
        at 0: leverage 10             -> refused 45097
        at 0: buy 0.001 as b          -> accepted b 0.001; filled b 0.001 at 67500.1 taker; position 0.001
        at 0: margin crossed          -> set
        """
    )


def test_leverage_that_the_position_could_not_afford_is_refused() -> None:
    floor(deposit="20").run(
        """
        at 0: buy 0.001 as a -> accepted a 0.001; filled a 0.001 at 67500.1 taker; position 0.001
        at 0: leverage 3     -> refused 40893
        at 0: leverage 4     -> set
        """
    )


# Money


def test_fee_is_cut_at_eight_decimals_and_taken_from_the_wallet() -> None:
    trading = floor({0: book("83346", "83346.1")})  # captured: 83346.1 x 0.0001 x 0.0006
    trading.run("at 0: buy 0.0001 as a -> accepted a 0.0001; filled a 0.0001 at 83346.1 taker; position 0.0001")
    (fill,) = trading.exchange.fills("main")
    (position,) = trading.exchange.positions("main")
    assert fill.fee == trading.exchange.order("main", client_id="a").fee == Decimal("0.00500076")
    assert position.fees == Decimal("0.005000766")
    assert trading.exchange.account_view("main").wallet == Decimal(1000) - Decimal("0.00500076")


def test_maker_pays_the_maker_rate() -> None:
    trading = floor(DIP)
    trading.run("at 0: buy 0.001 at 67400 as a -> accepted a 0.001")
    trading.exchange.advance(OPENED_US + 9 * SECOND_US)
    assert trading.exchange.fills("main")[0].fee == Decimal("0.01348")


def test_bills_tell_each_change_of_the_wallet_newest_first() -> None:
    trading = floor()
    trading.run(
        """
        at 0: buy 0.002 as a  -> accepted a 0.002; filled a 0.002 at 67500.1 taker; position 0.002
        at 0: sell 0.002 as b -> accepted b 0.002; filled b 0.002 at 67500 taker; flat
        """
    )
    sold, bought, deposit = trading.exchange.bills("main")
    assert (deposit.business_type, deposit.amount, deposit.balance) == ("trans_from_exchange", 1000, 1000)
    assert (bought.business_type, bought.amount, bought.fee) == ("buy", 0, Decimal("0.08100012"))
    assert (sold.business_type, sold.amount, sold.fee) == ("sell", Decimal("-0.0002"), Decimal("0.081"))
    assert sold.balance == bought.balance + sold.amount - sold.fee == trading.exchange.account_view("main").wallet


def test_twenty_usdt_at_leverage_one_back_a_pair_of_quotes_and_not_a_third() -> None:
    trading = floor(deposit="20", leverage=1)
    trading.run(
        """
        at 0: buy 0.0001 at 67263.7 as a   -> accepted a 0.0001
        at 0: sell 0.0001 at 67736.3 as b  -> accepted b 0.0001
        at 0: buy 0.0001 at 67200 as c     -> refused 40762
        at 0: cancel b                     -> canceled b normal_cancel
        at 0: buy 0.0001 at 67200 as c     -> accepted c 0.0001
        """
    )
    view = trading.exchange.account_view("main")
    assert view.locked == (Decimal("6.72637") + Decimal("6.72")) * Decimal("1.0006")
    assert view.available == 20 - view.locked


def test_closing_part_of_an_order_needs_no_margin() -> None:
    floor(deposit="14", leverage=1).run(
        """
        at 0: buy 0.0002 as a               -> accepted a 0.0002; filled a 0.0002 at 67500.1 taker; position 0.0002
        at 0: sell 0.0002 at 67600 as b     -> accepted b 0.0002; position 0.0002
        at 0: sell 0.0001 at 67600 as c     -> refused 40762
        at 0: sell 0.0002 reduce as d       -> accepted d 0.0002; filled d 0.0002 at 67500 taker; flat
        """
    )


def test_equity_moves_with_the_mark() -> None:
    trading = floor(
        {0: book("67500", "67500.1"), 1: book("67600.1", "67600.2"), 2: book("65000", "65000.1")}, deposit="50"
    )
    trading.run("at 0: buy 0.01 as a -> accepted a 0.01; filled a 0.01 at 67500.1 taker; position 0.01")
    trading.exchange.advance(OPENED_US + SECOND_US)
    view = trading.exchange.account_view("main")
    assert (view.unrealized, view.equity - view.wallet) == (1, 1)
    trading.exchange.advance(OPENED_US + 2 * SECOND_US)
    assert trading.exchange.account_view("main").available == 0


# Ids, times, reads


def test_outcomes_of_a_trade_come_in_the_order_that_faces_push() -> None:
    trading = floor()
    command = PlaceOrder(symbol=SYMBOL, side=Side.BUY, order_type=OrderType.MARKET, size=Decimal("0.001"))
    outcomes = trading.exchange.apply("main", command, OPENED_US)
    assert [type(o) for o in outcomes] == [OrderAccepted, OrderFilled, BillAdded, PositionChanged, BalanceChanged]


def test_order_that_rests_tells_the_balance_it_locks() -> None:
    trading = floor()
    price = Decimal(67400)
    command = PlaceOrder(symbol=SYMBOL, side=Side.BUY, order_type=OrderType.LIMIT, size=Decimal("0.001"), price=price)
    accepted, balance = trading.exchange.apply("main", command, OPENED_US)
    assert isinstance(accepted, OrderAccepted)
    assert isinstance(balance, BalanceChanged)
    assert balance.balance.locked == price * Decimal("0.001") * (1 / Decimal(20) + Decimal("0.0006"))


def test_position_tells_what_resting_orders_hold_of_it_and_would_open() -> None:
    trading = floor()
    trading.run(
        """
        at 0: buy 0.003 as a                  -> accepted a 0.003; filled a 0.003 at 67500.1 taker; position 0.003
        at 0: sell 0.002 at 67600 reduce as b -> accepted b 0.002; position 0.003
        at 0: buy 0.004 at 67000 as c         -> accepted c 0.004; position 0.003
        at 0: sell 0.005 at 67700 as d        -> accepted d 0.005; position 0.003
        at 0: sell 0.001 at 67800 as e        -> accepted e 0.001; position 0.003
        """
    )
    (position,) = trading.exchange.positions("main")
    assert (position.locked, position.opening) == (Decimal("0.002"), Decimal("0.007"))


def test_ids_carry_their_time_and_increase() -> None:
    trading = floor(DIP)
    for n in range(50):
        trading.run(f"at 0: buy 0.0001 at {67000 + n} as n{n} -> accepted n{n} 0.0001")
    orders = trading.exchange.orders("main")
    ids = [int(order.order_id) for order in orders]
    assert ids == sorted(set(ids), reverse=True)
    assert {len(order.order_id) for order in orders} == {19}
    assert {created_ms(order.order_id) for order in orders} == {OPENED_US // 1000}


def test_order_without_a_client_id_gets_one_close_to_its_order_id() -> None:
    trading = floor()
    trading.say("at 0: buy 0.001 at 67400")
    (order,) = trading.exchange.open_orders("main")
    assert int(order.client_id) == int(order.order_id) + 1


def test_views_are_values_that_later_events_do_not_change() -> None:
    trading = floor(DIP)
    trading.run("at 0: buy 0.001 at 67400 as a -> accepted a 0.001")
    before = trading.exchange.order("main", client_id="a")
    trading.exchange.advance(OPENED_US + 9 * SECOND_US)
    assert before.state is OrderState.LIVE
    assert trading.exchange.order("main", client_id="a").state is OrderState.FILLED


def test_quote_shows_levels_best_first_with_resting_orders_in_them() -> None:
    bids = (("67500", "1"), ("67499", "2"), ("67498", "3"))
    trading = floor({0: (bids, (("67500.1", "1"),))})
    trading.run("at 0: buy 0.5 at 67499 as a -> refused 40762")
    trading.run("at 0: buy 0.05 at 67499 as a -> accepted a 0.05")
    trading.run("at 0: buy 0.05 at 67499.5 as b -> accepted b 0.05")
    shown = [(str(price), str(size.normalize())) for price, size in trading.exchange.quote(3).bids]
    assert shown == [("67500.0", "1"), ("67499.5", "0.05"), ("67499.0", "2.05")]


def test_advance_is_idempotent_and_does_not_go_back() -> None:
    trading = floor(DIP)
    trading.run("at 0: buy 0.001 at 67400 as a -> accepted a 0.001")
    assert trading.exchange.next_event_us(OPENED_US + 4 * SECOND_US) is None
    assert trading.exchange.next_event_us(OPENED_US + 5 * SECOND_US) == OPENED_US + 5 * SECOND_US
    assert trading.exchange.advance(OPENED_US + 9 * SECOND_US)
    assert trading.exchange.advance(OPENED_US + 9 * SECOND_US) == []
    assert trading.exchange.advance(OPENED_US) == []
    assert trading.exchange.now_us == OPENED_US + 9 * SECOND_US
    assert trading.exchange.next_event_us(OPENED_US + 99 * SECOND_US) is None


def test_command_before_its_instant_was_advanced_to_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(AssertionError, match="advance to"):
        floor().exchange.apply("main", CancelOrder(symbol=SYMBOL, client_id="a"), OPENED_US + 1)


def test_unknown_symbol_is_refused_by_every_command() -> None:
    exchange = floor().exchange
    place = PlaceOrder(symbol="NOPE", side=Side.BUY, order_type=OrderType.MARKET, size=Decimal(1))
    for command in (place, CancelOrder(symbol="NOPE", client_id="a"), SetLeverage(symbol="NOPE", leverage=1)):
        assert exchange.apply("main", command, OPENED_US) == [
            Refused(code="40034", message="Parameter NOPE does not exist")
        ]
    with pytest.raises(KeyError):
        exchange.settings("main", "NOPE")


def test_account_name_is_taken_once() -> None:
    with pytest.raises(ValueError, match="open already"):
        floor().exchange.open_account("main", Decimal(1))


def test_repr_tells_how_everybody_stands() -> None:
    trading = floor()
    assert repr(Exchange(market=TableMarket(STILL), seed=1, opened_us=OPENED_US)).endswith("no accounts>")
    trading.run("at 0: buy 0.001 as a -> accepted a 0.001; filled a 0.001 at 67500.1 taker; position 0.001")
    trading.run("at 0: sell 0.001 at 67600 as b -> accepted b 0.001; position 0.001")
    assert repr(trading.exchange) == (
        f"<Exchange BTCUSDT at {OPENED_US}: main 999.95949994 USDT, 0.001 BTC at 67500.1, 1 open; "
        "other 1000 USDT, flat, 0 open>"
    )
