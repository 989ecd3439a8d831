"""The prices that the venue's ticker delivered, and what an order would have met in them."""

from decimal import Decimal

import pytest

from botproof.events import Side, Source, TopOfBook
from botproof.invariants.prices import FRESH_US, Prices, is_beyond, opposite

ONE = Decimal(1)


def top(at_us: int, bid: int, seq: int = 0, known_us: int | None = None) -> TopOfBook:
    """A book with the ask two above the bid; the observer had it at `known_us`."""
    return TopOfBook(
        src=Source.VENUE,
        seq=seq,
        t_venue_us=at_us,
        t_local_us=at_us if known_us is None else known_us,
        symbol="BTCUSDT",
        bid=Decimal(bid),
        bid_size=ONE,
        ask=Decimal(bid + 2),
        ask_size=ONE,
        via="ticker",
    )


SECOND = FRESH_US
STEADY = Prices([top(4 * SECOND, 104), top(SECOND, 101), top(2 * SECOND, 102), top(3 * SECOND, 103)])


def bids(tops: list[TopOfBook]) -> list[int]:
    return [int(one.bid) for one in tops]


def test_a_sell_meets_the_bid_and_a_buy_the_ask() -> None:
    assert opposite(top(0, 100), Side.SELL) == 100
    assert opposite(top(0, 100), Side.BUY) == 102


@pytest.mark.parametrize(("price", "sell", "buy"), [(99, True, False), (100, True, True), (101, False, True)])
def test_a_limit_is_reached_at_it_and_beyond_it(price: int, sell: bool, buy: bool) -> None:
    assert is_beyond(Decimal(price), Decimal(100), Side.SELL) is sell
    assert is_beyond(Decimal(price), Decimal(100), Side.BUY) is buy


@pytest.mark.parametrize(
    ("from_us", "to_us", "found"),
    [
        (2 * SECOND, 3 * SECOND, [102, 103]),  # the one of the last instant follows it
        (2 * SECOND - 1, 3 * SECOND, [101, 102, 103]),
        (2 * SECOND + 1, 3 * SECOND + 1, [102, 103, 104]),
        (2 * SECOND, 3 * SECOND - 1, [102, 103]),
        (0, SECOND, [101]),
        (0, SECOND - 1, [101]),
        (0, 0, [101]),  # exactly a second later
        (-5, -1, []),  # a second and a microsecond later
        (4 * SECOND, 4 * SECOND, [104]),
        (4 * SECOND, 5 * SECOND, [104]),
        (9 * SECOND, 9 * SECOND, [104]),
    ],
)
def test_the_prices_around_two_instants_reach_from_the_last_before_to_the_first_after(
    from_us: int, to_us: int, found: list[int]
) -> None:
    assert bids(STEADY.around(from_us, to_us)) == found


def test_without_a_price_there_is_none() -> None:
    assert Prices([]).around(0, 1) == []
    assert Prices([]).carried_on(Side.SELL, 1) == []


def test_prices_stand_in_the_order_in_which_they_were_made_and_of_one_instant_as_they_were_told() -> None:
    late = top(SECOND, 1, seq=9, known_us=5 * SECOND)
    assert bids(Prices([top(2 * SECOND, 3, seq=1), late, top(SECOND, 2, seq=3)]).around(SECOND, 2 * SECOND)) == [1, 3]
    assert bids(Prices([late, top(SECOND, 2, seq=10)]).around(SECOND, 9 * SECOND)) == [2]


@pytest.mark.parametrize(
    ("at_us", "side", "carried"),
    [
        (3 * SECOND, Side.SELL, [104]),
        (3 * SECOND + 1, Side.BUY, [106]),
        (3 * SECOND - 1, Side.SELL, [103]),
        (2 * SECOND, Side.SELL, [103]),
        (SECOND, Side.SELL, []),  # nothing a second before it
        (SECOND - 1, Side.SELL, []),
        (0, Side.SELL, []),
    ],
)
def test_the_last_price_is_carried_on_by_as_much_as_it_moved_in_the_second_before(
    at_us: int, side: Side, carried: list[int]
) -> None:
    assert STEADY.carried_on(side, at_us) == carried


def test_what_moved_over_a_longer_time_is_carried_on_by_its_share() -> None:
    falling = Prices([top(0, 100), top(4 * SECOND, 92), top(4 * SECOND + 1, 90)])
    assert falling.carried_on(Side.SELL, 4 * SECOND) == [90]
    assert falling.carried_on(Side.SELL, 5 * SECOND) == [Decimal(90) - Decimal(10) * SECOND / (4 * SECOND + 1)]
