"""Time: where it begins, and how it passes."""

import re

from pytest_bdd import given, parsers, when

from botproof.errors import HarnessError
from botproof.stage import Stage

from .tables import number

TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])", re.ASCII)


@given(parsers.parse("it is {time} UTC"))
def _(stage: Stage, time: str) -> None:
    match = TIME.fullmatch(time)
    if match is None:
        raise HarnessError(f"expected a time of day such as 23:50, found {time!r}")
    stage.begin_at((int(match[1]) * 60 + int(match[2])) * 60_000_000)


@when(parsers.parse("{minutes} min pass"))
def _(stage: Stage, minutes: str) -> None:
    stage.world.run_for(number(minutes) * 60)


@when(parsers.parse("{seconds} s pass"))
def _(stage: Stage, seconds: str) -> None:
    stage.world.run_for(number(seconds))
