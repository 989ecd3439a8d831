"""The synthetic market: a pure function of its seed, cheap, bounded, and moved by script."""

import hashlib
import statistics
from decimal import Decimal
from itertools import islice, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botproof.events import Side
from botproof.fakes.bitget.core.contract import BTCUSDT
from botproof.fakes.bitget.market.draw import mix
from botproof.fakes.bitget.market.synthetic import STEP_US, SyntheticMarket

OPENED_US = 1_771_722_000_000_000
MINUTE_US = 60 * STEP_US


def market(seed: int = 1, **settings: object) -> SyntheticMarket:
    return SyntheticMarket(seed=seed, opened_us=OPENED_US, **settings)


def digest(of: SyntheticMarket, steps: int = 2_000) -> str:
    seen = [
        (of.top(at), of.prices(at), list(islice(of.levels(at, Side.BUY), 5)), of.trades(at - STEP_US, at))
        for at in range(OPENED_US, OPENED_US + steps * STEP_US, 7 * STEP_US)
    ]
    return hashlib.sha256(repr(seen).encode()).hexdigest()


def test_same_seed_gives_the_same_market_whoever_looks_first() -> None:
    far_first = market()
    far_first.top(OPENED_US + 600 * MINUTE_US)
    assert digest(market()) == digest(far_first)
    assert digest(market(2)) != digest(market())


def test_market_of_seed_one_is_the_same_on_every_machine() -> None:
    assert digest(market()) == "d7721ac0b70cf79ae76583186417cc468c3e1f5bc15e9c3ad08a0278f1e6d740"


def test_market_opens_at_the_opening_price() -> None:
    assert market(opening_price=Decimal("50000.0")).top(OPENED_US)[0] == 500_000


@pytest.mark.parametrize("price", [Decimal("0.05"), Decimal("67500.05"), Decimal(0), Decimal(-5), Decimal("NaN")])
def test_opening_price_off_the_grid_is_refused(price: Decimal) -> None:
    with pytest.raises(ValueError, match="opening price"):
        market(opening_price=price)


def test_quarter_of_an_ordinary_hour_moves_by_about_a_quarter_of_a_percent() -> None:
    moves = []
    for seed in range(60):
        drawn = market(seed)
        closes = [drawn.top(OPENED_US + n * 15 * MINUTE_US)[0] for n in range(3)]
        moves += [abs(b - a) / a for a, b in pairwise(closes)]
    assert 0.0010 < statistics.median(moves) < 0.0022  # two thirds of the deviation


def test_volatility_is_in_proportion_to_the_percent_that_was_asked_for() -> None:
    def path(percent: int) -> list[int]:
        drawn = market(3, volatility_percent=percent)
        return [drawn.top(OPENED_US + n * MINUTE_US)[0] - 675_000 for n in range(60)]

    assert set(path(0)) == {0}
    assert all(abs(double - 2 * once) <= 2 for once, double in zip(path(100), path(200), strict=True))


def test_volatility_clusters() -> None:
    pairs = []
    for seed in range(6):
        drawn = market(seed)
        closes = [drawn.top(OPENED_US + n * MINUTE_US)[0] for n in range(1_441)]
        sizes = [abs(b - a) for a, b in pairwise(closes)]
        pairs += list(zip(sizes, sizes[2:], strict=False))
    assert statistics.correlation(*zip(*pairs, strict=True)) > 0.05


def test_spread_is_one_tick_most_of_the_time_and_never_less() -> None:
    drawn = market()
    spreads = [ask - bid for bid, ask in (drawn.top(OPENED_US + n * STEP_US) for n in range(2_000))]
    assert min(spreads) == 1
    assert 0.8 < spreads.count(1) / len(spreads) < 1


def test_levels_begin_at_the_top_and_go_away_from_it() -> None:
    drawn = market()
    bid, ask = drawn.top(OPENED_US)
    bids, asks = list(drawn.levels(OPENED_US, Side.BUY)), list(drawn.levels(OPENED_US, Side.SELL))
    assert (bids[0][0], asks[0][0]) == (bid, ask)
    assert [ticks for ticks, _ in bids] == sorted({ticks for ticks, _ in bids}, reverse=True)
    assert [ticks for ticks, _ in asks] == sorted({ticks for ticks, _ in asks})
    assert all(steps > 0 for _, steps in bids + asks)
    assert bids == list(drawn.levels(OPENED_US, Side.BUY))


def test_mark_lies_near_the_best_bid_and_index_above_it() -> None:
    drawn = market()
    for n in range(0, 3_000, 50):
        at_us = OPENED_US + n * STEP_US
        prices, bid = drawn.prices(at_us), BTCUSDT.price(drawn.top(at_us)[0])
        assert Decimal("-8.3") <= prices.mark - bid <= 19
        assert 10 < prices.index - prices.mark < 56
        assert BTCUSDT.ticks(prices.mark) is not None


def test_steps_share_no_instant_with_whole_milliseconds() -> None:
    for seed in range(50):
        assert market(seed).step_us(OPENED_US + MINUTE_US) % 1000


def test_nothing_moves_between_two_steps() -> None:
    drawn = market()
    step_us = drawn.step_us(OPENED_US + MINUTE_US)
    assert drawn.top(step_us) == drawn.top(step_us + STEP_US - 1)
    assert drawn.step_us(step_us - 1) == step_us - STEP_US
    assert drawn.step_us(step_us) == step_us


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 20),
    after_s=st.integers(0, 2_000),
    length_s=st.integers(0, 2_000),
    away=st.integers(-400, 400),
    buys=st.booleans(),
    sells=st.booleans(),
)
def test_first_touch_is_what_looking_at_every_step_finds(
    seed: int, after_s: int, length_s: int, away: int, *, buys: bool, sells: bool
) -> None:
    drawn = market(seed)
    after_us, until_us = OPENED_US + after_s * STEP_US, OPENED_US + (after_s + length_s) * STEP_US
    bid, ask = drawn.top(after_us)
    buy, sell = (ask - away if buys else None), (bid + away if sells else None)
    assert drawn.first_touch(after_us, until_us, buy, sell) == _looked_up(drawn, after_us, until_us, buy, sell)


def _looked_up(drawn: SyntheticMarket, after_us: int, until_us: int, buy: int | None, sell: int | None) -> int | None:
    at_us = drawn.step_us(after_us) + STEP_US
    while at_us <= until_us:
        bid, ask = drawn.top(at_us)
        sides = {trade.side for trade in drawn.trades(at_us - 1, at_us)}
        if buy is not None and (ask <= buy or (bid <= buy and Side.SELL in sides)):
            return at_us
        if sell is not None and (bid >= sell or (ask >= sell and Side.BUY in sides)):
            return at_us
        at_us += STEP_US
    return None


def test_scripted_fall_happens_on_time_and_recovers() -> None:
    drawn = market(volatility_percent=0)
    start_us = OPENED_US + 10 * STEP_US
    drawn.script(from_us=start_us, change=Decimal("-0.004"), over_us=MINUTE_US, recover_us=MINUTE_US)
    before, bottom, half, after = (drawn.top(start_us + seconds * STEP_US)[0] for seconds in (0, 61, 91, 122))
    assert (before, after) == (675_000, 675_000)
    assert 672_300 <= bottom <= 672_400
    assert bottom < half < after


def test_scripted_move_without_recovery_stays_and_the_market_goes_on() -> None:
    drawn = market(volatility_percent=0)
    drawn.script(from_us=OPENED_US + STEP_US, change=Decimal("0.01"), over_us=0)
    assert drawn.top(OPENED_US + 3 * STEP_US)[0] == drawn.top(OPENED_US + 900 * MINUTE_US)[0] == 681_750


def test_scripted_move_holds_before_it_recovers() -> None:
    drawn = market(volatility_percent=0)
    drawn.script(
        from_us=OPENED_US + STEP_US, change=Decimal("-0.01"), over_us=STEP_US, hold_us=MINUTE_US, recover_us=STEP_US
    )
    assert {drawn.top(OPENED_US + n * STEP_US)[0] for n in range(4, 61)} == {668_250}
    assert drawn.top(OPENED_US + 70 * STEP_US)[0] == 675_000


def test_scripted_moves_multiply() -> None:
    drawn = market(volatility_percent=0)
    for _ in range(2):
        drawn.script(from_us=OPENED_US + STEP_US, change=Decimal("-0.1"), over_us=0)
    assert drawn.top(OPENED_US + 3 * STEP_US)[0] == 546_750


def test_script_changes_nothing_before_it_begins() -> None:
    plain, scripted = market(), market()
    scripted.top(OPENED_US + 60 * MINUTE_US)
    scripted.script(from_us=OPENED_US + 20 * MINUTE_US, change=Decimal("-0.02"), over_us=MINUTE_US)
    assert digest(plain, 1_190) == digest(scripted, 1_190)
    assert digest(plain, 1_400) != digest(scripted, 1_400)


def test_script_gives_the_same_path_before_and_after_it_was_drawn() -> None:
    early, late = market(), market()
    late.top(OPENED_US + 60 * MINUTE_US)
    for drawn in (early, late):
        drawn.script(from_us=OPENED_US + 7 * MINUTE_US, change=Decimal("-0.02"), over_us=MINUTE_US)
    assert digest(early) == digest(late)


@pytest.mark.parametrize(
    "move",
    [
        {"from_us": OPENED_US, "change": Decimal("0.1"), "over_us": 1},
        {"from_us": OPENED_US + 1, "change": Decimal(-1), "over_us": 1},
        {"from_us": OPENED_US + 1, "change": Decimal("0.1"), "over_us": -1},
        {"from_us": OPENED_US + 1, "change": Decimal("0.1"), "over_us": 1, "recover_us": -1},
    ],
)
def test_impossible_script_is_refused(move: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="a scripted move"):
        market().script(**move)


def test_what_is_settled_cannot_be_scripted() -> None:
    drawn = market()
    drawn.settle(OPENED_US + MINUTE_US)
    with pytest.raises(ValueError, match="begins after the present"):
        drawn.script(from_us=OPENED_US + MINUTE_US, change=Decimal("-0.01"), over_us=0)


def test_settled_path_is_dropped_and_the_rest_stays_the_same() -> None:
    kept, dropping = market(), market()
    for hour in range(1, 25):
        at_us = OPENED_US + hour * 60 * MINUTE_US
        dropping.settle(at_us)
        assert dropping.top(at_us) == kept.top(at_us)
        assert dropping.prices(at_us) == kept.prices(at_us)
    assert len(dropping.path._stretches) < 40 < len(kept.path._stretches)
    assert dropping.top(at_us - 59 * MINUTE_US) == kept.top(at_us - 59 * MINUTE_US)


def test_settling_far_ahead_of_what_was_drawn_keeps_the_path() -> None:
    kept, jumping = market(), market()
    at_us = OPENED_US + 600 * MINUTE_US
    jumping.settle(at_us)
    assert jumping.top(at_us) == kept.top(at_us)


def test_trades_lie_between_the_bounds_at_the_touch() -> None:
    drawn = market()
    after_us, until_us = OPENED_US + 100 * STEP_US, OPENED_US + 130 * STEP_US
    trades = drawn.trades(after_us, until_us)
    assert len(trades) > 30
    assert all(after_us < trade.at_us <= until_us for trade in trades)
    assert [int(trade.trade_id) for trade in trades] == sorted({int(trade.trade_id) for trade in trades})
    for trade in trades:
        bid, ask = drawn.top(trade.at_us)
        assert BTCUSDT.ticks(trade.price) == (ask if trade.side is Side.BUY else bid)


def test_last_price_is_that_of_the_newest_trade() -> None:
    drawn = market(4)
    after_us, until_us = OPENED_US, OPENED_US + 100 * STEP_US
    for newest in {trade.at_us: trade for trade in drawn.trades(after_us, until_us)}.values():
        assert drawn.prices(newest.at_us).last == newest.price


def test_last_price_is_never_older_than_ten_seconds() -> None:
    drawn = market(4)
    instants = sorted({trade.at_us for trade in drawn.trades(OPENED_US, OPENED_US + 119 * STEP_US)})
    assert max(b - a for a, b in pairwise(instants)) <= 10 * STEP_US


def test_trades_reach_two_minutes_back_and_no_further() -> None:
    drawn = market()
    now_us = drawn.step_us(OPENED_US + 1_000 * STEP_US)
    assert drawn.trades(0, now_us)[0].at_us >= now_us - 120 * STEP_US


def test_trade_ids_of_a_step_grow() -> None:
    drawn = market()
    ids = [int(trade.trade_id) for trade in drawn.trades(OPENED_US, OPENED_US + 100 * STEP_US)]
    assert ids == sorted(set(ids))


def test_path_never_reaches_zero() -> None:
    drawn = market(volatility_percent=100_000, opening_price=Decimal("100.0"))
    assert min(drawn.top(OPENED_US + n * STEP_US)[0] for n in range(3_000)) >= 100


def test_mix_depends_on_every_number_and_their_order() -> None:
    assert len({mix(1, 2, 3), mix(1, 2, 4), mix(2, 1, 3), mix(1, 2), mix(-1, 2, 3), mix(1, 2, 3, 0)}) == 6
    assert 0 <= mix(-5, 1 << 90) < 1 << 64


# The mark by script


def test_scripted_mark_diverges_alone_and_comes_back() -> None:
    moved, still = market(), market()
    begin_us = OPENED_US + 100 * STEP_US
    moved.script_mark(from_us=begin_us, change=Decimal("-0.003"), hold_us=60 * STEP_US, recover_us=0)
    for second in (99, 102, 130, 159, 163):
        at_us = OPENED_US + second * STEP_US
        found, expected = moved.prices(at_us), still.prices(at_us)
        assert (found.last, found.index) == (expected.last, expected.index)
        assert moved.top(at_us) == still.top(at_us)
        away = (found.mark - expected.mark) / expected.mark
        diverges = 100 < second < 160
        assert abs(away - Decimal("-0.003")) < Decimal("0.00001") if diverges else away == 0


def test_scripted_mark_may_stay_and_ramp() -> None:
    moved, still = market(), market()
    begin_us = OPENED_US + 100 * STEP_US
    moved.script_mark(from_us=begin_us, change=Decimal("0.01"), over_us=100 * STEP_US)
    away = []
    for second in (150, 300, 3_000):
        at_us = OPENED_US + second * STEP_US
        away.append(moved.prices(at_us).mark / still.prices(at_us).mark - 1)
    assert Decimal("0.0045") < away[0] < Decimal("0.0055")
    assert all(Decimal("0.0099") < part < Decimal("0.0101") for part in away[1:])


def test_mark_lies_on_the_ticks_while_it_is_scripted() -> None:
    moved = market()
    moved.script_mark(from_us=OPENED_US + 1, change=Decimal("-0.00333"))
    assert all(BTCUSDT.ticks(moved.prices(OPENED_US + n * STEP_US).mark) is not None for n in range(50))


def test_scripted_mark_of_the_past_is_refused() -> None:
    with pytest.raises(ValueError, match="begins after the present"):
        market().script_mark(from_us=OPENED_US, change=Decimal("0.01"))
