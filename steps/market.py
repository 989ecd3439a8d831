"""The market, and how it moves."""

from pytest_bdd import given, parsers, when

from botproof.stage import Stage

from .tables import number, word

SIGNS = {"falls": -1, "rises": 1}


@given(parsers.parse("a calm market at {price} USDT"))
def _(stage: Stage, price: str) -> None:
    stage.price, stage.volatility_percent = number(price), 0


@given(parsers.parse("a funding rate of {percent} %"))
def _(stage: Stage, percent: str) -> None:
    stage.funding_rate = number(percent) / 100


@given(parsers.parse("a market {percent} % as wild as an ordinary hour"))
def _(stage: Stage, percent: str) -> None:
    stage.volatility_percent = int(number(percent))


@when(parsers.parse("the price swings {down} % down and {up} % up, each within {seconds:d} s and 1 s apart"))
def _(stage: Stage, down: str, up: str, seconds: int) -> None:
    stage.venue.move_price(number(up) / 100, seconds, None, after_s=seconds + 1)
    _move(stage, "falls", down, seconds, None)
    stage.world.run_for(seconds)


@when(parsers.parse("the price {way} {percent} % within {seconds:d} s"))
def _(stage: Stage, way: str, percent: str, seconds: int) -> None:
    _move(stage, way, percent, seconds, None)


@when(parsers.parse("the price {way} {percent} % within {seconds:d} s and recovers within {back:d} s"))
def _(stage: Stage, way: str, percent: str, seconds: int, back: int) -> None:
    _move(stage, way, percent, seconds, back)


def _move(stage: Stage, way: str, percent: str, seconds: int, back: int | None) -> None:
    stage.venue.move_price(word(way, SIGNS) * number(percent) / 100, seconds, back)
    stage.world.run_for(seconds + (back or 0) + 1)
