"""The market, and how it moves."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from pytest_bdd import given, parsers, when

from botproof.errors import Absent
from botproof.events import Side
from botproof.stage import Stage

from .tables import day, minute_of_day, number, word

SIGNS = {"falls": -1, "rises": 1}
BOOK_SIDES = {"buy": Side.BUY, "sell": Side.SELL}


@given(parsers.parse("a calm market at {price} USDT"))
def _(stage: Stage, price: str) -> None:
    stage.price, stage.volatility_percent = number(price), 0


@given(parsers.parse("a funding rate of {percent} %"))
def _(stage: Stage, percent: str) -> None:
    stage.funding_rate = number(percent) / 100


@given(parsers.parse("a market {percent} % as wild as an ordinary hour"))
def _(stage: Stage, percent: str) -> None:
    stage.volatility_percent = int(number(percent))


@given(parsers.parse("the market of {date} from {time} UTC as recorded"))
def _(stage: Stage, date: str, time: str) -> None:
    """The candles of that day; the path inside a candle is drawn from the seed."""
    _replay(lambda: stage.replay_candles(day(date), minute_of_day(time)))


@given(parsers.parse("the trades of {date} as recorded"))
def _(stage: Stage, date: str) -> None:
    _replay(lambda: stage.replay_trades(day(date)))


@when(parsers.parse("the book holds {percent} % of its size for {seconds:d} s"))
def _(stage: Stage, percent: str, seconds: int) -> None:
    stage.venue.thin_book(number(percent) / 100, seconds)


@when(parsers.parse("the book is empty for {seconds:d} s"))
def _(stage: Stage, seconds: int) -> None:
    stage.venue.thin_book(Decimal(0), seconds)


@when(parsers.parse("the price swings {down} % down and {up} % up, each within {seconds:d} s and 1 s apart"))
def _(stage: Stage, down: str, up: str, seconds: int) -> None:
    stage.venue.move_price(number(up) / 100, seconds, None, after_s=seconds + 1)
    _move(stage, "falls", down, seconds, None)
    stage.world.run_for(seconds)


@when(parsers.parse("the price {way} {percent} % at once"))
def _(stage: Stage, way: str, percent: str) -> None:
    _move(stage, way, percent, 0, None)


@when(parsers.parse("the price {way} {percent} % within {seconds:d} s"))
def _(stage: Stage, way: str, percent: str, seconds: int) -> None:
    _move(stage, way, percent, seconds, None)


@when(parsers.parse("the price {way} {percent} % within {seconds:d} s and recovers within {back:d} s"))
def _(stage: Stage, way: str, percent: str, seconds: int, back: int) -> None:
    _move(stage, way, percent, seconds, back)


@when(parsers.parse("the {side} side of the book is empty for {seconds:d} s"))
def _(stage: Stage, side: str, seconds: int) -> None:
    stage.venue.thin_book(Decimal(0), seconds, word(side, BOOK_SIDES))


def _replay(choose: Callable[[], None]) -> None:
    """Without the files, which lie outside the project, there is nothing to show."""
    try:
        choose()
    except Absent as absent:
        pytest.skip(str(absent))


def _move(stage: Stage, way: str, percent: str, seconds: int, back: int | None) -> None:
    stage.venue.move_price(word(way, SIGNS) * number(percent) / 100, seconds, back)
    stage.world.run_for(seconds + (back or 0) + 1)
