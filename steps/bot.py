"""The bot: its profile, and its window."""

from pytest_bdd import given, parsers, when

from botproof.stage import Stage

FIVE_USDT = "epp_v2_4_bot1_bitget_live_microcap"


@given("a bot that never quotes")
def _(stage: Stage) -> None:
    stage.use_rogue("idle")


@given("the 5 USDT profile")
def _(stage: Stage) -> None:
    stage.use_profile(FIVE_USDT)


@given(parsers.parse("the bot is running on {symbol}"))
def _(stage: Stage, symbol: str) -> None:
    stage.start(symbol)


@given("the micro-cap profile")
def _(stage: Stage) -> None:
    stage.use_role("micro_cap")


@given("the no-trade profile")
def _(stage: Stage) -> None:
    stage.use_role("no_trade")


@when("the bounded window ends")
def _(stage: Stage) -> None:
    stage.finish()
