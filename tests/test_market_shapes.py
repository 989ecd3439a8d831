"""Books that are thin or gone, jumps, and the path behind them: scripts change what comes and nothing before it."""

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botproof.events import OrderType, Side
from botproof.fakes.bitget.core.contract import BTCUSDT
from botproof.fakes.bitget.core.exchange import Exchange
from botproof.fakes.bitget.core.messages import OrderAccepted, OrderCanceled, OrderFilled, PlaceOrder, Refused
from botproof.fakes.bitget.core.switches import Switches
from botproof.fakes.bitget.market.book import LEVELS, book_levels
from botproof.fakes.bitget.market.path import CHUNK, Path
from botproof.fakes.bitget.market.prints import QUIET_STEPS_MAX, prints
from botproof.fakes.bitget.market.scripts import PPB, Move, Shade
from botproof.fakes.bitget.market.synthetic import STEP_US, SyntheticMarket
from botproof.fakes.bitget.market.weather import SECOND_VALUES, Weather, factor_permille, second_moves

OPENED_US = 1_771_722_000_000_000
MINUTE_US = 60 * STEP_US
HALT = (OPENED_US + 100 * STEP_US, OPENED_US + 160 * STEP_US)


def market(seed: int = 1, **settings: object) -> SyntheticMarket:
    return SyntheticMarket(seed=seed, opened_us=OPENED_US, **settings)


def trading(of: SyntheticMarket, deposit: int = 100_000) -> Exchange:
    exchange = Exchange(market=of, seed=1, opened_us=OPENED_US)
    exchange.open_account("main", Decimal(deposit))
    return exchange


def order(side: Side, size: str, price: str | None = None, client_id: str = "a") -> PlaceOrder:
    return PlaceOrder(
        symbol="BTCUSDT",
        side=side,
        order_type=OrderType.MARKET if price is None else OrderType.LIMIT,
        size=Decimal(size),
        price=None if price is None else Decimal(price),
        client_id=client_id,
    )


def seen(of: SyntheticMarket, at_us: int) -> tuple[object, ...]:
    return (
        of.top(at_us),
        of.prices(at_us),
        [list(of.levels(at_us, side)) for side in Side],
        of.trades(at_us - STEP_US, at_us),
    )


# A halted book


def halted(seed: int = 1, **settings: object) -> SyntheticMarket:
    of = market(seed, **settings)
    of.script_halt(from_us=HALT[0], until_us=HALT[1])
    return of


def test_halted_book_is_empty_and_nobody_trades() -> None:
    of = halted()
    for at_us in range(HALT[0] + STEP_US, HALT[1], STEP_US):
        assert not any(list(of.levels(at_us, side)) for side in Side)
        assert not of.trades(at_us - STEP_US, at_us)


def test_last_price_stands_still_through_a_halt_and_the_mark_does_not() -> None:
    of, free = halted(5, volatility_percent=400), market(5, volatility_percent=400)
    inside = range(HALT[0] + 2 * STEP_US, HALT[1], STEP_US)
    assert {of.prices(at_us).last for at_us in inside} == {of.prices(HALT[0] - 1).last}
    assert [of.prices(at_us).mark for at_us in inside] == [free.prices(at_us).mark for at_us in inside]
    assert len({of.prices(at_us).mark for at_us in inside}) > 3


def test_last_price_of_a_halt_is_kept_when_the_path_before_it_is_dropped() -> None:
    of = market()
    of.script_halt(from_us=HALT[0], until_us=HALT[0] + 5 * 3_600 * STEP_US)
    last = of.prices(HALT[0] - 1).last
    of.settle(HALT[0] + 4 * 3_600 * STEP_US)
    of.settle(HALT[0] + 4 * 3_600 * STEP_US + STEP_US)
    assert of.prices(HALT[0] + 4 * 3_600 * STEP_US + STEP_US).last == last


def test_market_is_its_old_self_before_and_after_a_halt() -> None:
    of, free = halted(), market()
    for at_us in (OPENED_US, HALT[0] - 1, HALT[1] + 10 * STEP_US, HALT[1] + 20 * MINUTE_US):
        assert seen(of, at_us) == seen(free, at_us)


@pytest.mark.parametrize("side", [None, Side.BUY, Side.SELL])
def test_ticker_of_an_empty_side_has_no_price(side: Side | None) -> None:
    of = market()
    of.script_depth(from_us=HALT[0], share=Decimal(0), until_us=HALT[1], side=side)
    exchange = trading(of)
    exchange.advance(HALT[0] + 5 * STEP_US)
    quote = exchange.quote()
    assert bool(quote.bids) is (side is Side.SELL)
    assert bool(quote.asks) is (side is Side.BUY)


@pytest.mark.parametrize("side", Side)
def test_nobody_trades_against_an_empty_side(side: Side) -> None:
    of = market()
    of.script_depth(from_us=HALT[0], share=Decimal(0), until_us=HALT[1], side=side)
    takers = {trade.side for trade in of.trades(HALT[0] + STEP_US, HALT[1] - STEP_US)}
    assert takers == {side}, "who sells needs bids, who buys needs asks: those of this side have the other one"


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 50), away=st.integers(-300, 300), buys=st.booleans())
def test_halted_book_never_fills(seed: int, away: int, *, buys: bool) -> None:
    of = halted(seed, volatility_percent=500)
    exchange = trading(of)
    exchange.advance(HALT[0] - 1)
    side = Side.BUY if buys else Side.SELL
    price = BTCUSDT.price(of.top(HALT[0] - 1)[0] - side.sign * (abs(away) + 30))
    exchange.advance(HALT[0] + STEP_US)
    exchange.apply("main", order(side, "0.01", str(price)), HALT[0] + STEP_US)
    assert not [each for each in exchange.advance(HALT[1] - 1) if isinstance(each, OrderFilled)]


def test_market_order_on_an_empty_book_is_accepted_and_canceled_unfilled() -> None:
    exchange = trading(halted())
    exchange.advance(HALT[0] + STEP_US)
    outcomes = exchange.apply("main", order(Side.BUY, "0.01"), HALT[0] + STEP_US)
    assert [each.order.filled for each in outcomes if isinstance(each, OrderCanceled)] == [0]
    assert exchange.positions("main") == []


def test_market_order_on_an_empty_book_is_refused_where_the_switch_says_so() -> None:
    exchange = Exchange(
        market=halted(), seed=1, opened_us=OPENED_US, switches=Switches(market_order_on_empty_book_accepted=False)
    )
    exchange.open_account("main", Decimal(1000))
    exchange.advance(HALT[0] - 1)
    assert isinstance(exchange.apply("main", order(Side.BUY, "0.01"), HALT[0] - 1)[0], OrderAccepted)
    exchange.advance(HALT[0] + STEP_US)
    refused = exchange.apply("main", order(Side.BUY, "0.01", client_id="b"), HALT[0] + STEP_US)
    assert [each.code for each in refused if isinstance(each, Refused)] == ["22067"]
    rests = exchange.apply("main", order(Side.BUY, "0.01", "67000", client_id="c"), HALT[0] + STEP_US)
    assert isinstance(rests[0], OrderAccepted)


def test_resting_order_that_the_price_passed_in_a_halt_fills_when_the_book_returns() -> None:
    of = market(volatility_percent=0)
    of.script_halt(from_us=HALT[0], until_us=HALT[1])
    of.script(from_us=HALT[0] + 10 * STEP_US, change=Decimal("-0.01"), over_us=STEP_US)
    exchange = trading(of)
    exchange.advance(OPENED_US + STEP_US)
    exchange.apply("main", order(Side.BUY, "0.001", "67000"), OPENED_US + STEP_US)
    fills = [each.fill for each in exchange.advance(HALT[1] + MINUTE_US) if isinstance(each, OrderFilled)]
    assert fills
    assert fills[0].at_us == of.step_us(HALT[1]) + STEP_US
    assert {fill.price for fill in fills} == {Decimal("67000.0")}


# A thin book


def test_thin_book_holds_the_share_of_each_level_and_loses_those_below_one_step() -> None:
    full = dict(book_levels(1, 7, Side.SELL, 675_000))
    thin = dict(book_levels(1, 7, Side.SELL, 675_000, PPB // 100))
    assert thin == {ticks: steps // 100 for ticks, steps in full.items() if steps >= 100}


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 200), size=st.integers(10, 3_000), share=st.sampled_from(["0.01", "0.001", "0.0001"]))
def test_thin_book_fills_deeper(seed: int, size: int, share: str) -> None:
    worst = []
    for held in ("1", share):
        of = market(seed)
        of.script_depth(from_us=OPENED_US + 1, share=Decimal(held), until_us=OPENED_US + MINUTE_US)
        exchange = trading(of, 10_000_000)
        now_us = OPENED_US + 10 * STEP_US
        exchange.advance(now_us)
        outcomes = exchange.apply("main", order(Side.BUY, str(BTCUSDT.size(size))), now_us)
        fills = [each.fill for each in outcomes if isinstance(each, OrderFilled)]
        worst.append((max((fill.price for fill in fills), default=Decimal(0)), sum(fill.size for fill in fills)))
    (full_price, full_size), (thin_price, thin_size) = worst
    assert thin_price >= full_price or thin_size < full_size
    assert thin_size <= full_size == BTCUSDT.size(size)


def test_strangers_trades_shrink_with_the_book() -> None:
    of, free = market(), market()
    of.script_depth(from_us=HALT[0], share=Decimal("0.01"), until_us=HALT[1])
    thin, full = (each.trades(HALT[0] + STEP_US, HALT[1] - STEP_US) for each in (of, free))
    assert [trade.trade_id for trade in thin] == [trade.trade_id for trade in full]
    assert [trade.size for trade in thin] == [max(BTCUSDT.qty_step, _cut(trade.size / 100)) for trade in full]


def _cut(size: Decimal) -> Decimal:
    return size // BTCUSDT.qty_step * BTCUSDT.qty_step


@pytest.mark.parametrize(
    "script",
    [
        {"from_us": OPENED_US, "share": Decimal(0), "until_us": HALT[1]},
        {"from_us": HALT[0], "share": Decimal(0), "until_us": HALT[0]},
        {"from_us": HALT[0], "share": Decimal("1.01"), "until_us": HALT[1]},
        {"from_us": HALT[0], "share": Decimal("-0.01"), "until_us": HALT[1]},
    ],
)
def test_impossible_book_is_refused(script: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="a scripted"):
        market().script_depth(**script)


# Jumps and moves


def test_jump_lies_between_two_steps() -> None:
    of = market(volatility_percent=0)
    of.script(from_us=HALT[0], change=Decimal("-0.004"))
    path = [of.top(HALT[0] + n * STEP_US)[0] for n in range(-5, 6)]
    assert sorted(set(path)) == [672_300, 675_000]
    assert sum(a != b for a, b in pairwise(path)) == 1


def test_post_only_order_is_not_saved_from_a_jump_and_fills_at_its_own_price() -> None:
    of = market(volatility_percent=0)
    exchange = trading(of)
    exchange.advance(OPENED_US + STEP_US)
    exchange.apply("main", order(Side.BUY, "0.0001", "67400"), OPENED_US + STEP_US)
    of.script(from_us=HALT[0], change=Decimal("-0.01"))
    fills = [each.fill for each in exchange.advance(HALT[0] + 2 * STEP_US) if isinstance(each, OrderFilled)]
    assert [(fill.price, fill.is_maker) for fill in fills] == [(Decimal("67400.0"), True)]


MOVES = st.builds(
    Move,
    st.integers(0, 2_000).map(lambda second: OPENED_US + second * STEP_US + 1),
    st.integers(-PPB // 10, PPB // 10),
    st.integers(0, 400).map(lambda second: second * STEP_US),
    st.integers(0, 400).map(lambda second: second * STEP_US),
    st.none() | st.integers(0, 400).map(lambda second: second * STEP_US),
)


@settings(max_examples=60, deadline=None)
@given(move=MOVES, begin_s=st.integers(0, 3_000), length_s=st.integers(0, 400))
def test_move_that_is_even_over_a_time_has_one_factor_there(move: Move, begin_s: int, length_s: int) -> None:
    begin_us = OPENED_US + begin_s * STEP_US
    end_us = begin_us + length_s * STEP_US
    if move.is_even(begin_us, end_us):
        assert {move.factor_ppb(at_us) for at_us in range(begin_us, end_us + 1, STEP_US)} == {move.factor_ppb(begin_us)}


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 20),
    moves=st.lists(MOVES, max_size=3),
    halt_s=st.integers(1, 1_500),
    looks=st.lists(st.integers(0, 2_500), max_size=5),
)
def test_who_looks_when_does_not_matter(seed: int, moves: list[Move], halt_s: int, looks: list[int]) -> None:
    """Lazy equals eager: looks before, between and after the scripts change nothing of what is seen."""
    eager, lazy = (_path(seed) for _ in range(2))
    eager.top(eager.opened + 3_000)
    for second in looks:
        lazy.top(lazy.opened + second)
    shade = Shade(OPENED_US + halt_s * STEP_US, OPENED_US + (halt_s + 90) * STEP_US, 0, None)
    for path in (eager, lazy):
        for move in moves:
            path.move(move)
        path.shade(shade)
    for number in range(eager.opened, eager.opened + 2_600, 13):
        assert eager.top(number) == lazy.top(number)
    touched = [
        path.first_reached(path.opened + 1, path.opened + 2_500, 674_500, 675_500, lambda _number, _side: False)
        for path in (eager, lazy)
    ]
    assert touched[0] == touched[1]


def _path(seed: int) -> Path:
    return Path(seed=seed, opened_us=OPENED_US, ticks=675_000, volatility_percent=100)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 50), after_s=st.integers(1, 900), share=st.sampled_from(["0", "0.001", "0.5"]))
def test_scripts_do_not_change_the_past(seed: int, after_s: int, share: str) -> None:
    plain, scripted = market(seed), market(seed)
    from_us = OPENED_US + after_s * STEP_US
    scripted.script_depth(from_us=from_us, share=Decimal(share), until_us=from_us + MINUTE_US)
    scripted.script(from_us=from_us, change=Decimal("0.05"))
    for at_us in range(OPENED_US, from_us, 29 * STEP_US):
        assert seen(plain, at_us) == seen(scripted, at_us)


# Weather, prints and books as pure functions


def test_moves_of_a_second_deviate_as_asked_for_in_every_weather() -> None:
    for points in range(-12, 14):
        moves = second_moves(60_000, points)
        assert len(moves) == SECOND_VALUES
        assert sum(moves) == 0
        deviation = (sum(move * move for move in moves) / len(moves)) ** 0.5
        assert 0.99 < deviation / 60_000 < 1.01


def test_wilder_weather_moves_more_seconds_and_is_twice_as_wild_every_four_points() -> None:
    still = [second_moves(60_000, points).count(0) for points in range(-12, 10)]
    assert still == sorted(still, reverse=True)
    for points in range(-8, 8):
        assert abs(factor_permille(points + 4) - 2 * factor_permille(points)) <= 2


def test_weather_opens_in_an_ordinary_hour_and_changes_rarely_by_much() -> None:
    bits = iter([1 << 15] * 3)  # nothing is drawn anew
    assert Weather(lambda _count: next(bits)).next_points() == 0


def test_quiet_never_lasts_longer_than_ten_steps() -> None:
    busy = [number for number in range(3_000) if any(prints(3, number, 0))]
    assert max(b - a for a, b in pairwise(busy)) <= QUIET_STEPS_MAX


def test_those_who_move_the_price_trade_in_its_direction() -> None:
    rising = [each.side for number in range(300) for each in prints(3, number, 5)]
    assert 0.84 < rising.count(Side.BUY) / len(rising) < 0.91


def test_book_does_not_pass_zero() -> None:
    ticks = [ticks for ticks, _ in book_levels(1, 1, Side.BUY, 40)]
    assert min(ticks) > 0
    assert len(ticks) < LEVELS


def test_stretch_without_a_touch_is_stepped_over_by_its_extremes() -> None:
    path = _path(3)
    asked: list[int] = []

    def traded(number: int, _side: Side) -> bool:
        asked.append(number)
        return False

    assert path.first_reached(path.opened, path.opened + 10 * CHUNK, 1, 10_000_000, traded) is None
    assert asked == []
