"""Time: where it begins, and how it passes."""

from pytest_bdd import given, parsers, when

from botproof.stage import Stage

from .tables import minute_of_day, number


@given(parsers.parse("it is {time} UTC"))
def _(stage: Stage, time: str) -> None:
    stage.begin_at(minute_of_day(time) * 60_000_000)


@when(parsers.parse("{minutes} min pass"))
def _(stage: Stage, minutes: str) -> None:
    stage.world.run_for(number(minutes) * 60)


@when(parsers.parse("{seconds} s pass"))
def _(stage: Stage, seconds: str) -> None:
    stage.world.run_for(number(seconds))
