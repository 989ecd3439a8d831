"""The market, and how it moves."""

from decimal import Decimal

from pytest_bdd import given, parsers, when

from botproof.stage import Stage

SIGNS = {"falls": -1, "rises": 1}


@given(parsers.parse("a calm market at {price} USDT"))
def _(stage: Stage, price: str) -> None:
    stage.price, stage.volatility_percent = Decimal(price), 0


@when(parsers.parse("the price {way} {percent} % within {seconds:d} s"))
def _(stage: Stage, way: str, percent: str, seconds: int) -> None:
    _move(stage, way, percent, seconds, None)


@when(parsers.parse("the price {way} {percent} % within {seconds:d} s and recovers within {back:d} s"))
def _(stage: Stage, way: str, percent: str, seconds: int, back: int) -> None:
    _move(stage, way, percent, seconds, back)


def _move(stage: Stage, way: str, percent: str, seconds: int, back: int | None) -> None:
    stage.venue.move_price(SIGNS[way] * Decimal(percent) / 100, seconds, back)
    stage.world.run_for(seconds + (back or 0) + 1)
