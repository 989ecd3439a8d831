"""Recorded trades replayed: what stands in the book, when a resting order fills and what that costs."""

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorded_floor import (
    BEGINS_MS,
    BEGINS_US,
    SECOND_US,
    Desk,
    bought,
    needs_recordings,
    recorded,
    sold,
)

from botproof.events import Side
from botproof.fakes.bitget.core.market import Prices
from botproof.fakes.bitget.market.replay import RecordedTrade
from botproof.fakes.bitget.market.replay_trades import TradeReplay
from botproof.fakes.recorded_files import read_trades
from botproof.fakes.recordings import open_recording

FAR = 10_000  # quantity steps that no queue of a book holds


def replay(*trades: RecordedTrade, seed: int = 1) -> TradeReplay:
    return TradeReplay(trades, seed=seed)


def desk(*trades: RecordedTrade) -> Desk:
    return Desk(replay(*trades))


# What is shown


def test_after_a_buyer_the_trade_is_the_ask_and_after_a_seller_the_bid() -> None:
    market = replay(bought(0, 680_000), sold(1000, 679_990))
    assert market.top(BEGINS_US + 500_000) == (679_999, 680_000)
    assert market.top(BEGINS_US + 1_500_000) == (679_990, 679_991)


def test_before_the_first_trade_and_after_the_last_the_market_stands_still() -> None:
    market = replay(bought(0, 680_000), sold(1000, 679_990))
    assert market.top(0) == (679_999, 680_000)
    assert market.top(BEGINS_US + 86_400 * SECOND_US) == (679_990, 679_991)
    assert market.first_touch(BEGINS_US + 2 * SECOND_US, BEGINS_US + 86_400 * SECOND_US, 10**6, 0) is None


def test_trades_of_one_millisecond_are_steps_of_their_own_in_their_order() -> None:
    market = replay(sold(5, 680_000), sold(5, 679_990), bought(5, 679_995), sold(6, 679_000))
    shown = market.trades(BEGINS_US, BEGINS_US + SECOND_US)
    assert [int(trade.price * 10) for trade in shown] == [680_000, 679_990, 679_995, 679_000]
    assert [trade.at_us - BEGINS_US for trade in shown] == [5001, 5002, 5003, 6001]
    assert {trade.at_us // 1000 for trade in shown[:3]} == {BEGINS_MS + 5}


def test_a_thousand_trades_of_one_millisecond_keep_their_order() -> None:
    market = replay(*(sold(5, 680_000 + n) for n in range(1200)), sold(6, 1))
    instants = [trade.at_us for trade in market.trades(0, BEGINS_US + SECOND_US)]
    assert all(before < after for before, after in pairwise(instants))
    assert len(instants) == 1201


def test_the_tape_shows_the_recorded_ids_sides_prices_and_sizes() -> None:
    [shown] = replay(bought(7, 680_001, 25)).trades(0, BEGINS_US + SECOND_US)
    assert (shown.trade_id, shown.side, shown.price, shown.size) == ("7", "buy", Decimal("68000.1"), Decimal("0.0025"))


def test_mark_and_index_are_the_last_price() -> None:
    last = Decimal("67999.0")
    assert replay(bought(0, 680_000), sold(9, 679_990)).prices(BEGINS_US + SECOND_US) == Prices(last, last, last)


def test_the_book_is_drawn_from_the_seed_and_begins_at_the_best_prices() -> None:
    market = replay(bought(0, 680_000), sold(1000, 679_990))
    bids, asks = (list(market.levels(BEGINS_US + 500_000, side)) for side in Side)
    assert (bids[0][0], asks[0][0]) == (679_999, 680_000)
    assert bids == sorted(bids, reverse=True)
    assert asks == sorted(asks)
    assert list(replay(bought(0, 680_000), seed=2).levels(BEGINS_US + 500_000, Side.BUY)) != bids


def test_without_a_trade_or_out_of_order_there_is_no_replay() -> None:
    with pytest.raises(ValueError, match="at least one trade"):
        replay()
    with pytest.raises(ValueError, match="in the order of their times"):
        replay(sold(5, 1), sold(4, 1))


# How orders fill


def test_a_market_order_fills_at_the_side_shown() -> None:
    [filled] = desk(sold(0, 680_000)).place(Side.BUY, BEGINS_US + SECOND_US)
    assert (filled.fill.price, filled.fill.is_maker) == (Decimal("68000.1"), False)
    [filled] = desk(sold(0, 680_000)).place(Side.SELL, BEGINS_US + SECOND_US)
    assert filled.fill.price == Decimal("68000.0")


def test_a_trade_at_the_price_of_an_order_takes_the_queue_before_it_first() -> None:
    queue = next(replay(sold(0, 680_000)).levels(BEGINS_US + 100_000, Side.BUY))
    assert queue[0] == 680_000
    at_it = [sold(1000 * n, 680_000, queue[1] // 2) for n in (1, 2)]
    here = desk(sold(0, 680_000), *at_it, sold(3000, 680_000, 1), sold(4000, 680_000, 1), sold(5000, 680_000, FAR))
    here.place(Side.BUY, BEGINS_US + 100_000, "68000.0")
    filled = here.advance(BEGINS_US + 10 * SECOND_US)
    rest = queue[1] - 2 * (queue[1] // 2)  # what the halves leave of an odd queue
    assert [fill.fill.at_us for fill in filled] == [BEGINS_US + (3 + rest) * SECOND_US + 1]
    assert filled[0].fill.is_maker


def test_a_trade_through_the_price_of_an_order_fills_it_at_its_own_price() -> None:
    here = desk(sold(0, 680_000), sold(1000, 679_999), sold(2000, 679_950))
    here.place(Side.BUY, BEGINS_US + 100_000, "67999.6")
    [filled] = here.advance(BEGINS_US + 10 * SECOND_US)
    assert (filled.fill.at_us, filled.fill.price) == (BEGINS_US + 2 * SECOND_US + 1, Decimal("67999.6"))


def test_a_trade_one_tick_short_of_an_order_leaves_it() -> None:
    here = desk(sold(0, 680_000), sold(1000, 679_997))
    here.place(Side.BUY, BEGINS_US + 100_000, "67999.6")
    assert here.advance(BEGINS_US + 10 * SECOND_US) == []


def test_inside_a_sweep_an_order_fills_at_the_trade_that_went_through_it() -> None:
    here = desk(bought(0, 680_000), bought(1000, 680_005), bought(1000, 680_020), sold(1000, 679_999))
    here.place(Side.SELL, BEGINS_US + 100_000, "68001.0")
    [filled] = here.advance(BEGINS_US + 10 * SECOND_US)
    assert (filled.fill.at_us, filled.fill.price) == (BEGINS_US + SECOND_US + 2, Decimal("68001.0"))


def test_a_fill_is_charged_at_the_rate_of_its_role() -> None:
    here = desk(sold(0, 680_000), sold(1000, 679_000))
    [taken] = here.place(Side.SELL, BEGINS_US + 100_000)
    here.place(Side.BUY, BEGINS_US + 200_000, "67999.0")
    [made] = here.advance(BEGINS_US + 10 * SECOND_US)
    assert taken.fill.fee == Decimal("68000.0") * Decimal("0.0001") * Decimal("0.0006")
    assert made.fill.fee == Decimal("67999.0") * Decimal("0.0001") * Decimal("0.0002")


LEVELS = st.integers(679_980, 680_020)


@given(
    trades=st.lists(st.tuples(st.integers(0, 30_000), st.booleans(), LEVELS), min_size=1, max_size=400),
    buy=st.one_of(st.none(), LEVELS),
    sell=st.one_of(st.none(), LEVELS),
    after_ms=st.integers(-1000, 31_000),
)
def test_the_first_touch_is_the_one_that_a_look_at_every_trade_finds(
    trades: list[tuple[int, bool, int]], buy: int | None, sell: int | None, after_ms: int
) -> None:
    said = [(bought if is_buy else sold)(at_ms, ticks) for at_ms, is_buy, ticks in sorted(trades, key=lambda t: t[0])]
    market, after_us = replay(*said), BEGINS_US + after_ms * 1000
    until_us = BEGINS_US + 20 * SECOND_US
    reached = (
        trade.at_us
        for trade in market.trades(after_us, until_us)
        if (buy is not None and trade.price * 10 <= buy) or (sell is not None and trade.price * 10 >= sell)
    )
    assert market.first_touch(after_us, until_us, buy, sell) == next(reached, None)


# The recorded stretches


@needs_recordings
@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_on_recorded_trades_no_order_fills_before_a_trade_reaches_it_and_each_does_where_one_goes_through(
    number: int,
) -> None:
    recording = open_recording(f"replay:{recorded('btcusdt_trades.csv')}#{number}", recorded("."), 60)
    market = recording.market(number)
    end_us, filled, placed = recording.ends_us + SECOND_US, 0, 0
    for at_us in range(recording.begins_us + SECOND_US, recording.ends_us, 40 * SECOND_US):
        for side in Side:
            for away in (1, 20, 136):  # up to 2 bps
                ticks = market.top(at_us)[side is Side.SELL] - side.sign * away
                here = Desk(market, at_us)
                assert here.place(side, at_us, str(Decimal(ticks) / 10)) == []
                found, placed = here.advance(end_us), placed + 1
                later = market.trades(at_us, end_us)
                touched = [t.at_us for t in later if side.sign * (int(t.price * 10) - ticks) <= 0]
                through = [t.at_us for t in later if side.sign * (int(t.price * 10) - ticks) < 0]
                filled += bool(found)
                assert (not found) or found[0].fill.at_us >= touched[0]
                assert (not through) or (found and found[0].fill.at_us <= through[0])
                assert all(fill.fill.is_maker and fill.fill.price * 10 == ticks for fill in found)
    assert filled > placed // 10, f"of {placed} orders {filled} were filled: too little was exercised"


@needs_recordings
def test_changes_of_side_within_a_fifth_of_a_second_lie_mostly_one_tick_apart() -> None:
    trades = read_trades(recorded("btcusdt_trades.csv"))
    near = [(a, b) for a, b in pairwise(trades) if a.side is not b.side and b.at_ms - a.at_ms <= 200]
    apart = [b.side.sign * (b.ticks - a.ticks) for a, b in near]
    assert (apart.count(1), len(apart)) == (116, 124)
