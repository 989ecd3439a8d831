"""The mark price of one symbol over a run."""

from decimal import Decimal

from botproof.events import PositionSeen, Source, TopOfBook
from botproof.invariants.marks import Marks

ONE = Decimal(1)


def ticker(at_us: int, seq: int, mark: str | None, *, symbol: str = "BTCUSDT", src: Source = Source.VENUE) -> TopOfBook:
    return TopOfBook(
        src=src,
        seq=seq,
        t_local_us=at_us,
        symbol=symbol,
        bid=ONE,
        bid_size=ONE,
        ask=ONE,
        ask_size=ONE,
        mark=None if mark is None else Decimal(mark),
        via="ticker",
    )


def position(at_us: int, seq: int, mark: str | None, *, symbol: str = "BTCUSDT") -> PositionSeen:
    return PositionSeen(
        src=Source.VENUE,
        seq=seq,
        t_local_us=at_us,
        symbol=symbol,
        size=ONE,
        entry_price=None,
        mark_price=None if mark is None else Decimal(mark),
        via="push",
    )


def marks(*facts: TopOfBook | PositionSeen) -> Marks:
    told = Marks("BTCUSDT")
    for fact in facts:
        told.see(fact)
    return told


def test_ticker_and_position_tell_it_in_the_order_of_happening() -> None:
    told = marks(ticker(20, 1, "101"), position(10, 2, "100"), ticker(10, 3, "99"))
    assert told.all == [(10, 2, Decimal(100)), (10, 3, Decimal(99)), (20, 1, Decimal(101))]
    told.see(position(5, 4, "98"))
    assert [price for *_, price in told.all] == [98, 100, 99, 101]


def test_what_is_of_another_symbol_of_the_bots_own_or_without_a_mark_tells_none() -> None:
    told = marks(
        ticker(1, 1, "1", symbol="ETHUSDT"),
        ticker(1, 2, "1", src=Source.TAP),
        ticker(1, 3, None),
        position(1, 4, "1", symbol="ETHUSDT"),
        position(1, 5, None),
    )
    assert told.all == []
    assert told.at(9, 9) is None


def test_the_last_one_at_or_before_an_instant_is_known_and_of_one_instant_what_stands_earlier() -> None:
    told = marks(ticker(10, 1, "100"), ticker(10, 3, "101"), ticker(20, 5, "102"))
    known = [told.at(9, 9), told.at(10, 0), told.at(10, 1), told.at(10, 2), told.at(10, 3), told.at(19, 0)]
    assert known == [None, None, 100, 100, 101, 101]
    assert [told.at(20, 4), told.at(20, 5), told.at(21, 0)] == [101, 102, 102]
