"""The queue before a resting order: strangers' trades at its price shorten it, and nothing else does."""

from decimal import Decimal

import pytest
from exchange_floor import OPENED_US, SECOND_US, Floor, Levels, TableMarket
from hypothesis import given, settings
from hypothesis import strategies as st

from botproof.events import Side
from botproof.fakes.bitget.core.contract import BTCUSDT
from botproof.fakes.bitget.core.messages import MarketTrade

Traded = tuple[Side, str, str]  # the taker's side, price, size

BOOK = ((("67000.0", "0.005"), ("66999.0", "0.002")), (("67000.1", "1"), ("67001.0", "1")))
DEEP = (tuple((f"{67000 - level}.0", "1") for level in range(9)), (("67100.0", "1"),))  # 66000 is not in sight


class TradedMarket(TableMarket):
    """A table of books, and what strangers traded at some of its seconds."""

    def __init__(self, table: dict[int, tuple[Levels, Levels]], traded: dict[int, list[Traded]]) -> None:
        super().__init__({**{second: table[0] for second in traded if second not in table}, **table})
        self._traded = traded

    def trades(self, after_us: int, until_us: int) -> list[MarketTrade]:
        instants = {OPENED_US + second * SECOND_US: trades for second, trades in self._traded.items()}
        return [
            MarketTrade(trade_id=str(place), at_us=at_us, price=Decimal(price), size=Decimal(size), side=side)
            for at_us, trades in sorted(instants.items())
            if after_us < at_us <= until_us
            for place, (side, price, size) in enumerate(trades)
        ]

    def first_touch(self, after_us: int, until_us: int, buy: int | None, sell: int | None) -> int | None:
        touched = super().first_touch(after_us, until_us, buy, sell)
        hits = [trade.at_us for trade in self.trades(after_us, until_us) if _hits(trade, buy, sell)]
        return min([*hits, *([] if touched is None else [touched])], default=None)


def _hits(trade: MarketTrade, buy: int | None, sell: int | None) -> bool:
    ticks = BTCUSDT.ticks(trade.price) or 0
    return (buy is not None and ticks <= buy) if trade.side is Side.SELL else (sell is not None and ticks >= sell)


def floor(traded: dict[int, list[Traded]], book: tuple[Levels, Levels] = BOOK) -> Floor:
    return Floor(TradedMarket({0: book}, traded))


def sold(size: str, price: str = "67000.0") -> list[Traded]:
    return [(Side.SELL, price, size)]


def test_order_waits_behind_what_strangers_showed_at_its_price() -> None:
    floor({1: sold("0.003"), 2: sold("0.002"), 3: sold("0.001")}).run("""
        at 0: buy 0.001 at 67000 as a   ->  accepted a 0.001
        at 1:                           ->
        at 2:                           ->
        at 3:                           ->  filled a 0.001 at 67000 maker; position 0.001
    """)


def test_trade_that_outlasts_the_queue_fills_with_its_rest() -> None:
    floor({1: sold("0.0058")}).run("""
        at 0: buy 0.001 at 67000 as a   ->  accepted a 0.001
        at 1:                           ->  filled a 0.0008 at 67000 maker; position 0.0008
    """)


def test_trade_through_the_price_leaves_nobody_ahead() -> None:
    floor({1: sold("0.0004", "66999.9"), 2: sold("0.0004")}).run("""
        at 0: buy 0.001 at 67000 as a   ->  accepted a 0.001
        at 1:                           ->  filled a 0.0004 at 67000 maker; position 0.0004
        at 2:                           ->  filled a 0.0004 at 67000 maker; position 0.0008
    """)


def test_trades_of_buyers_do_nothing_for_a_resting_buy() -> None:
    floor({1: [(Side.BUY, "67000.0", "9")]}).run("""
        at 0: buy 0.001 at 67000 as a   ->  accepted a 0.001
        at 1:                           ->
    """)


def test_trades_above_its_price_do_nothing_for_a_resting_buy() -> None:
    floor({1: sold("9", "67000.0")}).run("""
        at 0: buy 0.001 at 66999 as a   ->  accepted a 0.001
        at 1:                           ->
    """)


def test_resting_sell_waits_in_the_queue_of_the_asks() -> None:
    floor({1: [(Side.BUY, "67000.1", "1")], 2: [(Side.BUY, "67000.1", "0.001")]}).run("""
        at 0: sell 0.001 at 67000.1 as a   ->  accepted a 0.001
        at 1:                              ->
        at 2:                              ->  filled a 0.001 at 67000.1 maker; position -0.001
    """)


def test_order_that_improves_the_best_price_has_nobody_ahead() -> None:
    wide = ((("67000.0", "0.005"),), (("67010.0", "1"),))
    floor({1: sold("0.0003", "67005.0")}, wide).run("""
        at 0: buy 0.001 at 67005 as a   ->  accepted a 0.001
        at 1:                           ->  filled a 0.0003 at 67005 maker; position 0.0003
    """)


def test_order_between_two_levels_has_nobody_ahead() -> None:
    floor({1: sold("0.0003", "66999.5")}).run("""
        at 0: buy 0.001 at 66999.5 as a   ->  accepted a 0.001
        at 1:                             ->  filled a 0.0003 at 66999.5 maker; position 0.0003
    """)


def test_order_beyond_the_near_book_waits_behind_what_is_shown_when_it_first_trades_there() -> None:
    near = ((("66000.0", "0.005"),), (("66000.1", "1"),))
    traded = {5: sold("0.004", "66000.0"), 6: sold("0.002", "66000.0")}
    Floor(TradedMarket({0: DEEP, 5: near, 6: near}, traded)).run("""
        at 0: buy 0.001 at 66000 as a   ->  accepted a 0.001
        at 5:                           ->
        at 6:                           ->  filled a 0.001 at 66000 maker; position 0.001
    """)


def test_two_orders_at_one_price_share_what_the_queue_leaves_in_their_order() -> None:
    trading = floor({1: sold("0.0065")})
    trading.run("""
        at 0: buy 0.001 at 67000 as a            ->  accepted a 0.001
        at 0: buy 0.001 at 67000 as b by other   ->  accepted b 0.001
    """)
    assert trading.say("at 1:") == [
        "filled a 0.001 at 67000 maker",
        "position 0.001",
        "filled b 0.0005 at 67000 maker",
        "position 0.0005",
    ]


def test_market_that_comes_to_the_order_fills_it_whoever_was_ahead() -> None:
    market = TradedMarket({0: BOOK, 1: ((("66990.0", "1"),), (("67000.0", "1"),))}, {})
    Floor(market).run("""
        at 0: buy 0.001 at 67000 as a   ->  accepted a 0.001
        at 1:                           ->  filled a 0.001 at 67000 maker; position 0.001
    """)


def test_closing_orders_in_a_queue_never_take_more_than_their_position() -> None:
    trading = floor({1: [(Side.BUY, "67002.0", "5")]})
    trading.run("""
        at 0: buy 0.001 as a                     ->  accepted a 0.001; filled a 0.001 at 67000.1 taker; position 0.001
        at 0: sell 0.0006 at 67002 reduce as b   ->  accepted b 0.0006; position 0.001
        at 0: sell 0.0004 at 67002 reduce as c   ->  accepted c 0.0004; position 0.001
        at 0: sell 0.0006 as d                   ->  accepted d 0.0006; filled d 0.0006 at 67000 taker; position 0.0004
    """)
    trading.run("at 1: -> filled b 0.0004 at 67002 maker; canceled b reduce_only_cut; canceled c reduce_only_cut; flat")


@settings(max_examples=150, deadline=None)
@given(
    ahead=st.integers(1, 60),
    size=st.integers(1, 40),
    sizes=st.lists(st.integers(1, 30), min_size=1, max_size=12),
)
def test_filled_is_what_was_traded_at_the_price_less_those_ahead(ahead: int, size: int, sizes: list[int]) -> None:
    book = ((("67000.0", str(BTCUSDT.size(ahead))),), (("67000.1", "1"),))
    traded = {second + 1: sold(str(BTCUSDT.size(steps))) for second, steps in enumerate(sizes)}
    trading = floor(traded, book)
    trading.say(f"at 0: buy {BTCUSDT.size(size)} at 67000 as a")
    for second in range(1, len(sizes) + 1):
        trading.say(f"at {second}:")
        placed = trading.exchange.order("main", client_id="a")
        assert placed is not None
        assert placed.filled == BTCUSDT.size(max(0, min(size, sum(sizes[:second]) - ahead)))


@pytest.mark.parametrize("step_s", [1, 7, 60])
def test_fills_do_not_depend_on_who_looks_when(step_s: int) -> None:
    traded = {second: sold("0.0009") for second in range(1, 60, 3)}
    trading = floor(traded)
    trading.say("at 0: buy 0.004 at 67000 as a")
    for second in range(step_s, 61, step_s):
        trading.say(f"at {second}:")
    trading.say("at 61:")
    fills = [(fill.at_us, fill.size) for fill in trading.exchange.fills("main")]
    often = floor(traded)
    often.say("at 0: buy 0.004 at 67000 as a")
    for second in range(1, 62):
        often.say(f"at {second}:")
    assert fills == [(fill.at_us, fill.size) for fill in often.exchange.fills("main")]
    assert len(fills) > 2
