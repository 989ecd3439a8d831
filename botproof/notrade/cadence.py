"""Which rows of minute.csv belong to the window, and whether there are enough of them: R3 (width, time), R5.

1. A row belongs to the window by its `ts`. One without a readable `ts` belongs to it where the readable row before or
   after it does, unless it is a torn line whose first sixteen letters already lie after the end.
2. Rows stand in the order of their time, at most one in a clock minute.
3. The minutes with a row are at least `coverage_min` of the window's; a restart of the run log may cost the minute in
   which it happened. No hole is longer than `gap_s_max`, in whole seconds: a row is due on the minute and written by
   the first tick after it. The first row stands within 90 s of the start, the last within 90 s of the end.
4. What lies outside the window is a note.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from operator import sub
from typing import NamedTuple

from botproof.document import shown
from botproof.money import plain
from botproof.notrade.answer import Docket
from botproof.notrade.columns import Header
from botproof.notrade.window import EPOCH, MICROSECOND, MINUTE_US, SECOND_US, SHAPE, Window, duration, iso, why_none

FILE = "minute.csv"
EDGE_S_MAX = 90
HOLES_TOLD = 5
NAMES_KEPT = 100
ROWS_MIN = 2  # what stands still stands still between two rows
_COMMON_LENGTH = 32  # of 2026-02-22T01:00:00.000000+00:00, which needs no closer look at its shape
_MINUTE_LENGTH = 16  # of 2026-02-22T01:00
_TORN = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}", re.ASCII)
_TOLD = 4
_TIDY = timedelta(seconds=61)  # a minute, and the tick that writes the row
BATCH = 64
_EARLIEST, _LATEST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)

Record = tuple[int, list[str] | None]
"""A record of a file: the number of its line, and its cells, or None where the file is damaged there."""


class Batch(NamedTuple):
    """Rows of the window, piece by piece: lines, instants, `ts` as written, cells."""

    lines: Sequence[int]
    ats: Sequence[datetime]
    texts: Sequence[str]
    cells: Sequence[list[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How dense rows must be."""

    coverage_min: Decimal
    gap_s_max: int
    restarts_us: tuple[int, ...] = ()


@dataclass(slots=True)
class Told:
    """What was counted on the way."""

    rows: int = 0
    used: int = 0
    refused: int = 0
    outside: int = 0
    minutes: int = 0
    first_ts: str = ""
    last_ts: str = ""
    by_exchange: Counter[str] = field(default_factory=Counter)  # of the rows outside
    misfits_outside: int = 0
    refusals: Counter[str] = field(default_factory=Counter)  # of rows inside, by reason


class WindowRows:
    """The rows of the window, in the order of the file; what is wrong with the others is on the docket."""

    def __init__(
        self, records: Iterable[Record], header: Header, names: Sequence[str], window: Window | None, limits: Limits,
        docket: Docket,
    ) -> None:  # fmt: skip
        self.told = Told()
        self._records, self._header, self._names = records, header, list(names)
        self._window, self._limits, self._docket = window, limits, docket
        self._start = _EARLIEST if window is None else EPOCH + window.start_us * MICROSECOND
        self._end = _LATEST if window is None else EPOCH + window.end_us * MICROSECOND
        self._last: datetime | None = None  # of the file
        self._last_inside: datetime | None = None
        self._was_inside = False
        self._minute = ""
        self._waiting: list[tuple[int, str]] = []
        self._excused: set[int] = set()
        self._waiting_more = 0
        self._holes: list[tuple[int, str, int, str]] = []
        self._holes_count = 0

    def batches(self) -> Iterator[Batch]:
        """The rows of the window, some hundred at a time."""
        source = iter(self._records)
        while records := list(islice(source, BATCH)):
            batch = self._at_once(records) or self._one_by_one(records)
            if batch.lines:
                yield batch

    def _at_once(self, records: Sequence[Record]) -> Batch | None:
        """Records in the midst of the window, a row a minute and nothing odd; None where they are not quite that."""
        lines, cells = zip(*records, strict=True)
        last, ts_at = self._last_inside, self._header.places["ts"]
        if last is None or last is not self._last or not self._was_inside or self._waiting or None in cells:
            return None
        if set(map(len, cells)) != {self._header.width}:
            return None
        texts = [row[ts_at] for row in cells]
        minutes = {text[:_MINUTE_LENGTH] for text in texts}
        is_common = {text[-6:] for text in texts} == {"+00:00"} and set(map(len, texts)) == {_COMMON_LENGTH}
        if not is_common or len(minutes) != len(texts) or self._minute in minutes:
            return None
        try:
            ats = list(map(datetime.fromisoformat, texts))
        except ValueError:
            return None
        steps = list(map(sub, ats, [last, *ats[:-1]]))
        if not (timedelta(0) < min(steps) and max(steps) <= _TIDY and ats[-1] <= self._end):
            return None
        self.told.rows += len(ats)
        self.told.used += len(ats)
        self.told.minutes += len(ats)
        self.told.last_ts, self._minute = texts[-1], texts[-1][:_MINUTE_LENGTH]
        self._last = self._last_inside = ats[-1]
        return Batch(lines, ats, texts, cells)

    def _one_by_one(self, records: Sequence[Record]) -> Batch:
        batch = Batch([], [], [], [])
        for line, cells in records:
            self.told.rows += 1
            if cells is None or len(cells) != self._header.width:
                self._misfit(line, cells)
                continue
            text = cells[self._header.places["ts"]]
            at = _instant(text)
            if at is None:
                self._unreadable(line, text, cells)
            elif self._place(line, at, text, cells):
                for column, value in zip(batch, (line, at, text, cells), strict=True):
                    column.append(value)  # type: ignore[attr-defined]  # made of lists above
        return batch

    def _place(self, line: int, at: datetime, text: str, cells: list[str]) -> bool:
        """Whether a readable row belongs to the window; its place in time is judged either way."""
        inside = self._start <= at <= self._end
        last, self._last = self._last, at
        if last is not None and at <= last:
            self._backwards(line, text, stands=at == last, inside=inside)
        if self._waiting:
            self._settle(inside=inside)
        self._was_inside = inside
        if not inside:
            self._outside(cells)
            return False
        if text[:_MINUTE_LENGTH] != self._minute:
            self._minute = text[:_MINUTE_LENGTH]
            self.told.minutes += 1
        elif last is not None and at > last:
            self._crowded(line, last, at, text)
        before, self._last_inside = self._last_inside, at
        if before is None or at - before > _TIDY:
            self._step(line, before, at, text)
        self.told.used += 1
        self.told.last_ts = text
        return True

    def close(self) -> None:
        """After the last row: head, tail and coverage."""
        self._settle(inside=self._last_inside is None)  # where no row can be placed, none lies elsewhere either
        told, window = self.told, self._window
        self._tell_outside()
        for reason, times in sorted(told.refusals.items()):
            self._docket.saw("R10", f"{times} row(s) of {FILE} refused: {reason}")
        if self._last_inside is None:
            where = "the window" if window else "the file"
            self._docket.invalid("R5", f"{FILE} has no readable row in {where}", "rows that cover the window")
            return
        if told.used < ROWS_MIN:
            self._docket.invalid("R5", "one row, compared with nothing", f"at least {ROWS_MIN} rows")
        if window is not None:
            self._tail(window)
            self._coverage(window)
        self._tell_holes()

    def _step(self, line: int, before: datetime | None, at: datetime, text: str) -> None:
        """The first row of the window, or one that is late."""
        if before is not None:
            self._hole("inside the window", before, at, self._limits.gap_s_max, f"line {line}")
            self._excuse(before, at)
            return
        self.told.first_ts = text
        if self._window is not None:
            self._hole("at the start of the window", self._start, at, EDGE_S_MAX, f"line {line}")

    def _tail(self, window: Window) -> None:
        assert self._last_inside is not None
        self._hole("at the end of the window", self._last_inside, self._end, EDGE_S_MAX, "the last row")
        if window.end_us % MINUTE_US == 0 and self._last_inside == self._end:
            self.told.minutes -= 1  # the end itself touches no minute

    def _coverage(self, window: Window) -> None:
        covered, minutes = self.told.minutes, window.minutes
        excused = f", {len(self._excused)} lost to restarts" if self._excused else ""
        share = Decimal(covered) / minutes
        text = f"rows in {covered} of {minutes} minutes of the window ({share:.3f}){excused}"
        self._docket.saw("R5", text)
        if covered + len(self._excused) < self._limits.coverage_min * minutes:
            self._docket.invalid(
                "R5", f"coverage {share:.3f}: {text}", f"at least {plain(self._limits.coverage_min)}", key="coverage"
            )

    def _hole(self, where: str, before: datetime, after: datetime, most_s: int, proof: str) -> None:
        hole_us = (after - before) // MICROSECOND
        if hole_us // SECOND_US <= most_s:
            return
        self._holes_count += 1
        seen = f"no row for {duration(hole_us)} {where}, after {iso((before - EPOCH) // MICROSECOND)}"
        self._holes = sorted([*self._holes, (hole_us, seen, most_s, proof)], reverse=True)[:HOLES_TOLD]

    def _tell_holes(self) -> None:
        """The longest ones, in words; all of them, counted."""
        for _, seen, most_s, proof in self._holes:
            self._docket.invalid("R5", seen, f"at most {most_s} s", proof)
        if self._holes_count > len(self._holes):
            self._docket.saw("R5", f"{self._holes_count} holes, of which the longest {HOLES_TOLD} are told")

    def _excuse(self, before: datetime, after: datetime) -> None:
        """A restart between two rows may have cost the minute in which it happened."""
        first, last = ((at - EPOCH) // MICROSECOND // MINUTE_US for at in (before, after))
        for restart_us in self._limits.restarts_us:
            if first < restart_us // MINUTE_US < last:
                self._excused.add(restart_us // MINUTE_US)

    def _crowded(self, line: int, before: datetime, at: datetime, text: str) -> None:
        before_us, at_us = ((each - EPOCH) // MICROSECOND for each in (before, at))
        if not any(before_us <= restart_us <= at_us for restart_us in self._limits.restarts_us):
            self._docket.invalid(
                "R5", f"two rows in the minute {text[:_MINUTE_LENGTH]}", "one row a minute", f"line {line}",
                key="two rows",
            )  # fmt: skip

    def _backwards(self, line: int, text: str, *, stands: bool, inside: bool) -> None:
        what = "stands still" if stands else "goes backwards"
        if inside or self._was_inside:
            seen = f"time {what} at {text}"
            self._docket.invalid("R5", seen, "strictly increasing ts", f"line {line}", key=f"time {what}")
        else:
            self._docket.note("R5", f"outside the window time {what}", proof=f"line {line}")

    def _outside(self, cells: Sequence[str]) -> None:
        self.told.outside += 1
        place = self._header.places.get("exchange")
        if place is not None:
            name = cells[place].strip()[:40]
            known = len(self.told.by_exchange) < NAMES_KEPT or name in self.told.by_exchange
            self.told.by_exchange[name if known else "others"] += 1

    def _misfit(self, line: int, cells: list[str] | None) -> None:
        """A record without the header's width: by its `ts` where that can be read, else by its neighbours."""
        if cells is None:
            self._unplaced(line, "cannot be read as CSV")
            return
        ts_at = self._header.places["ts"]
        text = cells[ts_at] if ts_at < len(cells) else ""
        reason = f"{len(cells)} fields where the header has {self._header.width}"
        at = _instant(text)
        if at is None and _TORN.match(text) and (torn := _instant(f"{text[:_MINUTE_LENGTH]}Z")) and torn > self._end:
            at = torn
        if at is None:
            self._unplaced(line, reason)
            return
        inside = self._start <= at <= self._end
        if self._waiting:
            self._settle(inside=inside)
        self._was_inside = inside
        self._refuse(line, reason) if inside else self._misfit_outside()

    def _misfit_outside(self) -> None:
        self.told.outside += 1
        self.told.misfits_outside += 1

    def _unreadable(self, line: int, text: str, cells: list[str]) -> None:
        if cells == self._names:
            self._unplaced(line, "the header stands there again")
        else:
            self._unplaced(line, f"ts is no instant in UTC: {why_none(text)}")

    def _unplaced(self, line: int, reason: str) -> None:
        if self._was_inside or self._window is None:
            self._refuse(line, reason)
        elif len(self._waiting) < _TOLD:
            self._waiting.append((line, reason))
        else:
            self._waiting_more += 1

    def _settle(self, *, inside: bool) -> None:
        """Rows without a time between two readable ones belong to the window where the later one does."""
        waiting, more = self._waiting, self._waiting_more
        self._waiting, self._waiting_more = [], 0
        for line, reason in waiting:
            if inside:
                self._refuse(line, reason)
            else:
                self._misfit_outside()
        self.told.outside += 0 if inside else more
        self.told.refused += more if inside else 0

    def _refuse(self, line: int, reason: str) -> None:
        self.told.refused += 1
        kind = reason.split(":", maxsplit=1)[0]
        self.told.refusals[kind] += 1
        where = "a row of the window" if self._window else "a row"
        self._docket.invalid("R3", f"{where} is refused: {reason}", "whole, readable rows", f"line {line}", key=kind)

    def _tell_outside(self) -> None:
        told = self.told
        if told.outside:
            venues = ", ".join(f"{count} of {shown(name)}" for name, count in told.by_exchange.most_common(_TOLD))
            self._docket.note("R13", f"{told.outside} rows lie outside the window" + (f" ({venues})" if venues else ""))
        if told.misfits_outside:
            self._docket.note("R13", f"{told.misfits_outside} misaligned or unreadable rows lie outside the window")


def _instant(text: str) -> datetime | None:
    if SHAPE.fullmatch(text) is None:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
