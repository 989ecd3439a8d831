"""Counters of the UTC day: in a window without trading they stay where they were, and a new day begins at 0.

A counter that rises counted something: FAIL. One that falls was corrected or forgotten: INVALID, except that a restart
which the run log declares may begin again at 0. So the level is kept as one number, and every row is held against it.
"""

from decimal import Decimal

from botproof.money import ZERO, plain
from botproof.notrade.answer import Docket


class DayCounter:
    """One counter, row by row."""

    def __init__(self, rule: str, name: str, docket: Docket, *, tolerance: Decimal = ZERO) -> None:
        self._rule, self._name, self._docket, self._tolerance = rule, name, docket, tolerance
        self._level: Decimal | None = None
        self._day = 0

    def see(self, value: Decimal, day: int, where: str, *, opens_day: bool, restarted: bool) -> bool:
        """Take the value of a row; `opens_day` where the window holds the whole day before it. Did it stand still?"""
        if self._level is None:
            self._level, self._day = (ZERO if opens_day else value), day
        elif day != self._day:
            self._level, self._day = ZERO, day
        before, slack = self._level, self._tolerance * max(abs(self._level), abs(value))
        if abs(value - before) <= slack:
            return True
        self._level = value
        if value > before:
            self._docket.fail(
                self._rule,
                f"{self._name} rose from {plain(before)} to {plain(value)}",
                f"{self._name} as at the start of the window, 0 on a new UTC day",
                where,
                key=self._name,
            )
        elif not (restarted and value == ZERO):
            self._docket.invalid(
                self._rule,
                f"{self._name} fell from {plain(before)} to {plain(value)} within a day",
                "a restart in the run log where a counter begins again at 0",
                where,
                key=f"{self._name} fell",
            )
        return False
