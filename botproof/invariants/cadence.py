"""Whether minute.csv has its rows: what a bot did not write down was not tested, and most is left out when it matters.

1. The rows of a window cover the terms' share of its minutes (`coverage_min`), except that one minute may always be
   without a row: a restart or a halt costs one, and of fifteen minutes that alone is more than a twentieth.
2. No hole between two rows is longer than `gap_s_max`, counted in whole seconds: a row that is due on the minute is
   written by the first tick after it.
3. The first row stands within 90 s of the opening of the window and the last one within 90 s of its close.
4. A row counts by its `ts`, both ends of the window included, however often it is written. A row without a readable
   `ts` covers nothing.
"""

from itertools import pairwise

from botproof.events import BotSample, Fact, WindowOpened
from botproof.invariants.cells import instant
from botproof.invariants.wording import MINUTE_US, SECOND_US, seconds
from botproof.money import plain
from botproof.terms import Terms

EDGE_S_MAX = 90


class Cadence:
    """Collects the instants of the rows; whoever judges minute.csv asks it why that may not be enough."""

    hears: frozenset[type[Fact]] = frozenset({WindowOpened, BotSample})

    def __init__(self, terms: Terms) -> None:
        self._coverage_min, self._gap_s_max = terms.coverage_min, terms.gap_s_max
        self._window: WindowOpened | None = None
        self._rows_us: set[int] = set()

    def see(self, fact: Fact) -> None:
        match fact:
            case WindowOpened():
                self._window = self._window or fact
            case BotSample():
                at_us = instant(fact.row, "ts")
                if at_us is not None:
                    self._rows_us.add(at_us)

    def doubt(self) -> str:
        """Why the rows do not tell of the whole window; empty where they do."""
        if self._window is None:
            return "the window is not on the tape"
        start_us, end_us = self._window.start_us, self._window.end_us
        rows_us = sorted(at_us for at_us in self._rows_us if start_us <= at_us <= end_us)
        if not rows_us:
            return "minute.csv has no row in the window"
        return self._thin(rows_us, start_us, end_us) or self._torn(rows_us, start_us, end_us)

    def _thin(self, rows_us: list[int], start_us: int, end_us: int) -> str:
        minutes = -((start_us - end_us) // MINUTE_US)
        covered = len({(at_us - start_us) // MINUTE_US for at_us in rows_us if at_us < end_us})
        if covered >= minutes - 1 or covered >= minutes * self._coverage_min:
            return ""
        least = plain(self._coverage_min)
        return f"minute.csv has rows in {covered} of {minutes} minutes of the window, {least} is the least"

    def _torn(self, rows_us: list[int], start_us: int, end_us: int) -> str:
        holes = [
            ("at the start of the window", rows_us[0] - start_us, EDGE_S_MAX),
            *(("inside the window", later - earlier, self._gap_s_max) for earlier, later in pairwise(rows_us)),
            ("at the end of the window", end_us - rows_us[-1], EDGE_S_MAX),
        ]
        for where, hole_us, most_s in holes:
            if hole_us // SECOND_US > most_s:
                return f"minute.csv is without a row for {seconds(hole_us)} s {where}, {most_s} s is the most"
        return ""
