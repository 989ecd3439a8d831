"""Recorded candles replayed: each is touched exactly, lazily, the same everywhere; mark, index and funding as recorded."""

import hashlib
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded_floor import BEGINS_US, FINE, SECOND_US, TICK, Desk, candle_replay, needs_recordings, recorded, us

from botproof.events import Side
from botproof.fakes.bitget.core.market import Prices
from botproof.fakes.bitget.core.messages import FundingPaid
from botproof.fakes.bitget.market.replay import Candle
from botproof.fakes.bitget.market.replay_candles import CandleReplay, Series
from botproof.fakes.recorded_files import read_candles, read_funding

CALM = Candle(680_000, 680_400, 679_700, 680_100)
FALL = Candle(680_100, 680_100, 650_000, 650_000)  # its high is its open, its low its close
FLAT = Candle(650_000, 650_000, 650_000, 650_000)
PERIOD_US = 900 * SECOND_US


@st.composite
def candles(draw: st.DrawFn) -> Candle:
    begin, close = draw(st.integers(100, 10**7)), draw(st.integers(100, 10**7))
    up, down = draw(st.sampled_from((0, 1, 7, 5000))), draw(st.sampled_from((0, 1, 7, 90)))
    return Candle(begin, max(begin, close) + up, min(begin, close) - down, close)


def lasts(market: CandleReplay, count: int, period_s: int = 900, *, first: int = 0) -> list[int]:
    """The last price of every step of `count` candles, in ticks."""
    begin = BEGINS_US + first * period_s * SECOND_US + SECOND_US
    return [
        int(market.prices(at_us).last * 10) for at_us in range(begin, begin + count * period_s * SECOND_US, SECOND_US)
    ]


def condensed(prices: list[int]) -> Candle:
    return Candle(prices[0], max(prices), min(prices), prices[-1])


# The path of last


@pytest.mark.parametrize("seed", range(4))
def test_a_path_condenses_to_the_candle_that_it_was_drawn_from(seed: int) -> None:
    market = candle_replay([CALM, FALL, FLAT], seed=seed)
    path = lasts(market, 3)
    assert [condensed(path[begin : begin + 900]) for begin in (0, 900, 1800)] == [CALM, FALL, FLAT]


@settings(max_examples=40, deadline=None)
@given(drawn=candles(), seed=st.integers(0, 2**64), period_s=st.sampled_from((60, 61, 300, 900)))
def test_any_candle_of_any_period_is_touched_exactly_and_never_left(drawn: Candle, seed: int, period_s: int) -> None:
    market = candle_replay([drawn], seed=seed, period_s=period_s)
    assert condensed(lasts(market, 1, period_s)) == drawn


def test_another_seed_takes_another_way_through_the_same_candle() -> None:
    assert lasts(candle_replay([CALM], seed=1), 1) != lasts(candle_replay([CALM], seed=2), 1)


def test_a_path_does_not_depend_on_who_looks_when() -> None:
    forwards = candle_replay([CALM, FALL] * 20)
    backwards = candle_replay([CALM, FALL] * 20)
    for candle in reversed(range(40)):  # more than are kept
        backwards.top(BEGINS_US + candle * PERIOD_US)
    assert lasts(forwards, 3) == lasts(backwards, 3)
    assert lasts(forwards, 3) == lasts(forwards, 3)


def test_a_path_moves_as_a_walk_does_and_does_not_jump_to_its_extremes() -> None:
    height = CALM.high - CALM.low
    for seed in range(20):
        steps = [abs(b - a) for a, b in pairwise(lasts(candle_replay([CALM], seed=seed), 1))]
        assert height / 120 < sum(steps) / len(steps) < height / 30
        assert max(steps) < height / 5


def test_either_extreme_may_come_first_mostly_the_one_against_the_direction() -> None:
    rising = Candle(680_000, 680_500, 679_500, 680_300)
    paths = [lasts(candle_replay([rising], seed=seed), 1) for seed in range(40)]
    low_first = sum(path.index(rising.low) < path.index(rising.high) for path in paths)
    assert 22 <= low_first <= 38


def test_candles_of_seed_one_are_the_same_on_every_machine() -> None:
    market = candle_replay([CALM, FALL])
    seen = [(market.top(at), market.prices(at)) for at in range(BEGINS_US, BEGINS_US + 2 * PERIOD_US, 7 * SECOND_US)]
    assert hashlib.sha256(repr(seen).encode()).hexdigest() == DIGEST


DIGEST = "036b192a5cba56f33434761c50653073d0f6453547e98d7f1b3e16e6fa48d038"


# What the exchange is shown


def test_the_last_price_is_one_side_of_the_book_and_the_other_is_a_tick_away() -> None:
    market = candle_replay([CALM])
    sides = set()
    for at_us in range(BEGINS_US + SECOND_US, BEGINS_US + PERIOD_US, SECOND_US):
        (bid, ask), last = market.top(at_us), int(market.prices(at_us).last * 10)
        assert ask == bid + 1
        sides.add((bid, ask).index(last))
    assert sides == {0, 1}


def test_trades_are_at_the_last_price_and_where_it_moved_there_are_some() -> None:
    market = candle_replay([CALM])
    path = lasts(market, 1)
    for step, (before, after) in enumerate(pairwise(path), 1):
        at_us = market.step_us(BEGINS_US + (step + 1) * SECOND_US)
        found = market.trades(at_us - 1, at_us)
        assert {int(trade.price * 10) for trade in found} <= {after}
        assert {trade.side for trade in found} <= {Side.BUY if market.top(at_us)[1] == after else Side.SELL}
        assert found or before == after
        assert len({trade.trade_id for trade in found}) == len(found)


def test_steps_lie_a_second_apart_and_off_the_whole_millisecond() -> None:
    market = candle_replay([CALM])
    first, second = (market.step_us(BEGINS_US + n * SECOND_US) for n in (1, 2))
    assert second - first == SECOND_US
    assert first % 1000


def test_outside_the_recording_the_market_stands_still() -> None:
    market = candle_replay([CALM])
    before, after = market.prices(0), market.prices(BEGINS_US + 10 * PERIOD_US)
    assert (before.last, after.last) == (Decimal("68000.0"), Decimal("68010.0"))
    assert market.first_touch(BEGINS_US + PERIOD_US, BEGINS_US + 10 * PERIOD_US, 10**7, 0) is None
    assert market.trades(BEGINS_US + 2 * PERIOD_US, BEGINS_US + 3 * PERIOD_US) == []


@settings(max_examples=150, deadline=None)
@given(
    drawn=st.sampled_from(
        (
            [CALM, Candle(680_100, 680_300, 679_800, 680_000)],
            [Candle(680_000, 680_000, 680_000, 680_000)] * 2,  # seconds in which nobody trades
        )
    ),
    buy=st.one_of(st.none(), st.just(680_000), st.integers(679_600, 680_500)),
    sell=st.one_of(st.none(), st.just(680_000), st.integers(679_600, 680_500)),
    after_s=st.integers(-5, 130),
    seed=st.integers(0, 7),
)
def test_the_first_touch_is_the_one_that_a_look_at_every_step_finds(
    drawn: list[Candle], buy: int | None, sell: int | None, after_s: int, seed: int
) -> None:
    market = candle_replay(drawn, seed=seed, period_s=60)
    after_us, until_us = BEGINS_US + after_s * SECOND_US, BEGINS_US + 100 * SECOND_US
    steps = (market.step_us(at) for at in range(max(after_us, BEGINS_US) + SECOND_US, until_us + 1, SECOND_US))

    def reaches(at_us: int) -> bool:
        bid, ask = market.top(at_us)
        found = market.trades(at_us - 1, at_us)
        sold_at = [int(trade.price * 10) for trade in found if trade.side is Side.SELL]
        bought_at = [int(trade.price * 10) for trade in found if trade.side is Side.BUY]
        low, high = min([ask, *sold_at]), max([bid, *bought_at])
        return (buy is not None and low <= buy) or (sell is not None and high >= sell)

    first = market.step_us(BEGINS_US)
    looked = [first, *steps] if after_us < first else list(steps)
    expected = next((at for at in looked if after_us < at <= until_us and reaches(at)), None)
    assert market.first_touch(after_us, until_us, buy, sell) == expected


@pytest.mark.parametrize("seed", range(4))
def test_where_the_price_stands_an_order_behind_its_queue_is_reached_when_somebody_trades_and_not_before(
    seed: int,
) -> None:
    market = candle_replay([FLAT], seed=seed)
    bid, _ = market.top(BEGINS_US)
    buy, sell = (FLAT.close, None) if bid == FLAT.close else (None, FLAT.close)
    touched = [market.first_touch(BEGINS_US + s * SECOND_US, BEGINS_US + PERIOD_US, buy, sell) for s in range(1, 800)]
    assert all(at_us and market.trades(at_us - 1, at_us) for at_us in touched)
    assert len(set(touched)) < len(touched)


def test_candles_that_no_order_is_near_are_not_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    market = candle_replay([CALM, FALL] * 1000)
    drawn: list[int] = []
    path = CandleReplay._path
    monkeypatch.setattr(CandleReplay, "_path", lambda self, number: drawn.append(number) or path(self, number))
    assert market.first_touch(BEGINS_US, BEGINS_US + 2000 * PERIOD_US, 600_000, 700_000) is None
    assert drawn == []
    assert market.first_touch(BEGINS_US, BEGINS_US + 2000 * PERIOD_US, 650_000, None) is not None
    assert set(drawn) == {1}


def test_series_of_different_lengths_and_candles_too_short_are_refused() -> None:
    with pytest.raises(ValueError, match="as many candles"):
        candle_replay([CALM, FALL], mark=[CALM])
    with pytest.raises(ValueError, match="as many candles"):
        candle_replay([])
    with pytest.raises(ValueError, match="at least"):
        candle_replay([CALM], period_s=3)


# Mark and index


MARK = Candle(680_030, 680_380, 679_650, 680_090)


def test_mark_lies_as_recorded_at_the_four_turns_and_inside_its_candle_between() -> None:
    market = candle_replay([CALM], mark=[MARK])
    path = lasts(market, 1)
    marks = [int(market.prices(BEGINS_US + (n + 1) * SECOND_US).mark * 10) for n in range(900)]
    assert condensed(marks) == MARK
    assert MARK.high in {marks[n] for n, price in enumerate(path) if price == CALM.high}
    assert MARK.low in {marks[n] for n, price in enumerate(path) if price == CALM.low}


def test_the_distance_of_mark_from_last_does_not_twitch() -> None:
    market = candle_replay([CALM], mark=[MARK])
    away = [prices.mark - prices.last for prices in _each_second(market)]
    inside = [abs(b - a) for a, b in pairwise(away)]
    assert sorted(inside)[-20] <= Decimal("0.2")


@settings(max_examples=30, deadline=None)
@given(last=candles(), mark=candles(), seed=st.integers(0, 9))
def test_any_mark_stays_inside_its_own_candle(last: Candle, mark: Candle, seed: int) -> None:
    market = candle_replay([last], mark=[mark], seed=seed)
    marks = [int(prices.mark * 10) for prices in _each_second(market)]
    assert condensed(marks) == mark


def test_an_index_of_finer_units_than_a_tick_is_told_to_its_last_decimal() -> None:
    fine = [Candle(68_003_123_456_789_012, 68_043_000_000_000_001, 67_975_000_000_000_000, 68_011_000_000_000_009)]
    market = CandleReplay(
        seed=1,
        begins_us=BEGINS_US,
        period_us=PERIOD_US,
        last=[CALM],
        mark=Series(TICK, [CALM]),
        index=Series(FINE, fine),
    )
    indexes = [prices.index for prices in _each_second(market)]
    assert (indexes[0], indexes[-1]) == (Decimal("68003.123456789012"), Decimal("68011.000000000009"))
    assert (max(indexes), min(indexes)) == (Decimal("68043.000000000001"), Decimal(67_975))


def _each_second(market: CandleReplay) -> Iterator[Prices]:
    return (market.prices(BEGINS_US + (n + 1) * SECOND_US) for n in range(900))


# Funding


def test_the_running_rate_is_the_one_that_will_be_settled_and_unknown_ones_are_the_interest_part() -> None:
    known = us("2026-02-22T08:00")
    market = candle_replay([CALM], funding={known: Decimal("-0.00004")})
    assert market.funding_rate(known - 1) == Decimal("-0.00004")
    assert market.funding_rate(known) == Decimal("0.0001")


def test_a_long_pays_the_recorded_rate_on_the_recorded_mark() -> None:
    market = candle_replay([CALM] * 40, mark=[MARK] * 40, funding={us("2026-02-22T08:00"): Decimal("0.00007")})
    here = Desk(market)
    here.place(Side.BUY, us("2026-02-22T07:55"), size="0.0010")
    [paid] = [f for f in here.exchange.advance(us("2026-02-22T08:05")) if isinstance(f, FundingPaid)]
    assert paid.at_us == us("2026-02-22T08:00")
    assert paid.mark == Decimal("68009.0")  # where the mark's candle of 07:45 closed
    assert paid.amount == -(Decimal("0.0010") * Decimal("68009.0") * Decimal("0.00007")).quantize(Decimal("1E-8"))
    assert here.exchange.bills("main")[0].business_type == "contract_settle_fee"


# The recorded days


def february() -> tuple[CandleReplay, dict[int, Candle], dict[int, Candle], dict[int, Candle]]:
    last = read_candles(recorded("btcusdt_15m_202602.csv"), TICK)
    mark, index = (read_candles(recorded(f"btcusdt_{what}_15m_202602.csv"), FINE) for what in ("mark", "index"))
    market = CandleReplay(
        seed=1,
        begins_us=next(iter(last)) * 1000,
        period_us=PERIOD_US,
        last=list(last.values()),
        mark=Series(FINE, list(mark.values())),
        index=Series(FINE, list(index.values())),
        funding=read_funding(recorded("btcusdt_funding.csv")),
    )
    return market, last, mark, index


@needs_recordings
@pytest.mark.parametrize("day", ["2026-02-06", "2026-02-22"])
def test_a_recorded_day_condenses_to_its_candles_of_last_mark_and_index(day: str) -> None:
    market, *series = february()
    for quarter in range(0, 96, 7):
        begin_us = us(f"{day}T00:00") + quarter * PERIOD_US
        seen = [market.prices(begin_us + (n + 1) * SECOND_US) for n in range(900)]
        for unit, recorded_candles, prices in zip(
            (TICK, FINE, FINE),
            series,
            ([p.last for p in seen], [p.mark for p in seen], [p.index for p in seen]),
            strict=True,
        ):
            assert condensed([int(price / unit) for price in prices]) == recorded_candles[begin_us // 1000]


@needs_recordings
def test_funding_of_the_recorded_days_has_the_recorded_rates() -> None:
    market, *_ = february()
    rates = [market.funding_rate(us(f"2026-02-22T{hour:02d}:00") - 1) for hour in (0, 8, 16)]
    assert rates == [Decimal("-0.00004"), Decimal("0.00007"), Decimal("0.0001")]
