"""The bot: its profile, its window, and who stops and starts it."""

from pytest_bdd import given, parsers, then, when

from botproof.stage import Stage

from .tables import Table, number, pairs, whole_minutes, word

FIVE_USDT = "epp_v2_4_bot1_bitget_live_microcap"
STATES = {state: state for state in ("running", "soft_pause", "hard_stop")}


@given(parsers.parse("a bot that {misdeed}"))
def _(stage: Stage, misdeed: str) -> None:
    """One of the bots that break or leave out one thing, by the sentence that tells it."""
    stage.use_rogue(misdeed)


@given(parsers.parse("a bounded window of {minutes} min"))
def _(stage: Stage, minutes: str) -> None:
    stage.window_s = whole_minutes(minutes) * 60


@given("the 5 USDT profile")
def _(stage: Stage) -> None:
    stage.use_profile(FIVE_USDT)


@given(parsers.parse("the bot is running on {symbol}"))
def _(stage: Stage, symbol: str) -> None:
    stage.start(symbol)


@given("the micro-cap profile")
def _(stage: Stage) -> None:
    stage.use_role("micro_cap")


@given("the micro-cap profile with:")
def _(stage: Stage, datatable: Table) -> None:
    stage.use_role("micro_cap")
    stage.change_profile(pairs(datatable))


@given("the no-trade profile")
def _(stage: Stage) -> None:
    stage.use_role("no_trade")


@when("the bot is killed and started again")
def _(stage: Stage) -> None:
    stage.restart()


@when("the bounded window ends")
def _(stage: Stage) -> None:
    stage.finish()


@when("the operator resumes the bot")
def _(stage: Stage) -> None:
    stage.operate("resume")


@when("the operator stops the bot")
def _(stage: Stage) -> None:
    stage.operate("stop")


@then(parsers.parse("no entry is placed for {seconds} s"))
def _(stage: Stage, seconds: str) -> None:
    before = stage.entries_sent()
    stage.world.run_for(number(seconds))
    assert stage.entries_sent() == before, f"{stage.entries_sent() - before} entries were sent"


@then("the bot crashed")
def _(stage: Stage) -> None:
    stage.mention("crash")
    assert stage.finish().crash, "the bot lived to the end"


@then(parsers.parse("the bot is in {state} because {reason} within {seconds} s"))
def _(stage: Stage, state: str, reason: str, seconds: str) -> None:
    stage.await_state(word(state, STATES), reason, number(seconds))


@then(parsers.parse("the bot is running within {seconds} s"))
def _(stage: Stage, seconds: str) -> None:
    stage.await_state("running", "", number(seconds))


@then(parsers.parse("the bot's orders are gone within {seconds} s"))
def _(stage: Stage, seconds: str) -> None:
    stage.await_no_orders(number(seconds))
