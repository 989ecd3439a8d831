"""A scenario that takes longer than a moment says how far it is: after 2 s, 4 s, 8 s and so on.

A window of a day takes a minute or two, in which pytest has nothing to say. The lines go to the terminal alone, past
the capture of a scenario's own output; workers of xdist have no terminal, and say nothing.
"""

from collections.abc import Callable

import pytest

from botproof.clock import Clock, SystemClock
from botproof.events import Fact
from botproof.notrade.window import iso
from botproof.plugin import STAGE
from botproof.run import Run

FIRST_US = 2_000_000
SECOND_US = 1_000_000

Say = Callable[[str], None]


class Waiting:
    """How long one scenario has been going on, and when that is next worth a line."""

    def __init__(self, scenario: str, clock: Clock, say: Say) -> None:
        self._scenario, self._clock, self._say = scenario, clock, say
        self._began_us = clock.now_us()
        self._next_us = FIRST_US
        self.followed: Run | None = None

    def see(self, fact: Fact) -> None:
        """A fact was written: time goes on."""
        took_us = self._clock.now_us() - self._began_us
        if took_us < self._next_us:
            return
        while self._next_us <= took_us:
            self._next_us *= 2
        at_us = fact.t_local_us // SECOND_US * SECOND_US
        self._say(f"{self._scenario}: at {iso(at_us)} after {took_us // SECOND_US} s, and going on")


class Progress:
    """Hooks that follow the runs of each scenario."""

    def __init__(self, config: pytest.Config, clock: Clock | None = None) -> None:
        self._config = config
        self._clock = clock or SystemClock()
        self._waiting: Waiting | None = None

    def pytest_bdd_before_scenario(self, scenario: object) -> None:
        """Begin to count."""
        self._waiting = Waiting(str(getattr(scenario, "name", "")), self._clock, self._say)

    def pytest_bdd_before_step(self, request: pytest.FixtureRequest) -> None:
        """Follow the run that the step before has begun."""
        stage, waiting = request.node.stash.get(STAGE, None), self._waiting
        if stage is None or waiting is None or not stage.runs or stage.runs[-1] is waiting.followed:
            return
        waiting.followed = stage.runs[-1]
        waiting.followed.tape.listen(waiting.see)

    def _say(self, text: str) -> None:
        manager = self._config.pluginmanager
        reporter, capture = manager.get_plugin("terminalreporter"), manager.get_plugin("capturemanager")
        if reporter is None or hasattr(self._config, "workerinput"):
            return
        if capture is None:
            reporter.ensure_newline()
            reporter.write_line(text)
            return
        with capture.global_and_fixture_disabled():
            reporter.ensure_newline()
            reporter.write_line(text)
