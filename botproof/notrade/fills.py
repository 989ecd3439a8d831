"""The rows of fills.csv: none may lie in the window, and none that might lie there may be unreadable (R9).

A row whose time can be read and lies in the window is a fill, whatever else is wrong with it. A row whose time cannot
be read may be one.
"""

from collections.abc import Iterable, Sequence

from botproof.notrade.answer import Docket
from botproof.notrade.cadence import Record
from botproof.notrade.columns import FILLS, read_header
from botproof.notrade.window import Window, iso, read_instant, why_none

FILE = "fills.csv"


class FillRows:
    """Judges a file of fills, row by row."""

    def __init__(self, names: Sequence[str], window: Window | None, until_us: int | None, docket: Docket) -> None:
        self.rows = self.inside = 0
        self._names, self._window, self._docket = list(names), window, docket
        self._until_us = until_us
        self._header = read_header(names, FILLS, FILE, docket)

    def judge(self, records: Iterable[Record]) -> None:
        """Take all rows."""
        for line, cells in records:
            self.rows += 1
            self._see(line, cells)
        self._docket.saw("R9", f"{FILE}: {self.inside} of {self.rows} rows in the window")

    def _see(self, line: int, cells: list[str] | None) -> None:
        place = self._header.places["ts"] if self._header else 0
        text = cells[place] if cells is not None and place < len(cells) else ""
        at_us = read_instant(text)
        where = f"line {line}"
        if at_us is None:
            why = "the header stands there again" if cells == self._names else f"ts is {why_none(text)}"
            seen = f"a row of {FILE} might lie in the window: {why}"
            self._docket.invalid("R9", seen, f"readable rows of {FILE}", where, key="unreadable fill")
        elif self._is_inside(at_us):
            self.inside += 1
            seen = f"{FILE} has a fill in the window, at {iso(at_us)}"
            self._docket.fail("R9", seen, f"no row of {FILE} in the window", where, key="fill row")
        elif cells is not None and self._header is not None and len(cells) != self._header.width:
            self._docket.note("R9", f"a misaligned row of {FILE} outside the window", proof=where)

    def _is_inside(self, at_us: int) -> bool:
        if self._window is None:
            return True
        return self._window.start_us <= at_us <= max(self._window.end_us, self._until_us or 0)
