"""What goes wrong at the venue: refusals and answers that never come."""

from pytest_bdd import given, parsers, when

from botproof.stage import Stage


@given(parsers.parse("the venue refuses to tell the bot its fee rates with {code}"))
def _(stage: Stage, code: str) -> None:
    stage.venue.strike("refuse", "fee rates", times=None, code=code)


@when("the answer to the bot's next order is lost")
def _(stage: Stage) -> None:
    stage.venue.strike("lose", "order")


@when("the bot's next order is lost on its way")
def _(stage: Stage) -> None:
    stage.venue.strike("drop", "order")


@when(parsers.parse("the ticker falls silent for {seconds:d} s"))
def _(stage: Stage, seconds: int) -> None:
    stage.venue.silence("ticker", seconds)


@when("the venue is itself again")
def _(stage: Stage) -> None:
    stage.venue.mend()


@when(parsers.parse("the venue refuses the bot's next {count:d} cancels with {code}"))
def _(stage: Stage, count: int, code: str) -> None:
    stage.venue.strike("refuse", "cancel", times=count, code=code)
