"""What a minute.csv or fills.csv shows, whoever wrote it: which rows are there, of whom, and when.

It judges nothing. Columns are found by their names, so that a file of an earlier shape (14, 21, 24 or 33 columns) is
read as far as it goes; a row that has another number of cells than the header is of another shape, and of it only `ts`
and `exchange` are looked at, which stood first in all of them. Rows are grouped by venue, pair and variant: the
rollout's bots wrote everything that went by one name into one file.
"""

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from botproof.document import shown, shown_path
from botproof.errors import Refusal
from botproof.evidence.botfile import BotFile
from botproof.evidence.rows import FILLS, MINUTE
from botproof.evidence.stretch import Places, Range, Stretch, Tally, amount, name
from botproof.notrade.window import read_instant

GROUPS_MAX = 64
KNOWN_MIN = 3  # columns of one file alone that tell which of the two it is
WHO = ("exchange", "trading_pair", "bot_variant")
TOLERANCE_USDT = Decimal("1e-8")
NAMES_SHOWN = 12
SHAPES = {"minute.csv": MINUTE, "fills.csv": FILLS}
WORDS = {
    "minute.csv": ("state", "regime", "risk_reasons", "fee_source", "soft_pause_edge"),
    "fills.csv": ("side", "state", "is_maker", "fee_source"),
}
AMOUNTS = {
    "minute.csv": (
        *("mid", "equity_quote", "base_balance", "spread_pct", "turnover_today_x", "cancel_per_min", "orders_active"),
        *("fills_count_today", "fees_paid_today_quote", "daily_loss_pct", "drawdown_pct", "best_bid_size"),
        *("best_ask_size", "position_base", "venue_open_orders"),
    ),
    "fills.csv": ("price", "amount_base", "notional_quote", "fee_quote", "realized_pnl_quote"),
}
SUMS = ("amount_base", "notional_quote", "fee_quote", "realized_pnl_quote")
CALLED = {"state": "states", "regime": "regimes", "risk_reasons": "reasons", "side": "sides"}
_LABEL = 22
_WIDTH = 100


@dataclass(slots=True)
class Group:
    """The rows of one bot on one venue."""

    who: tuple[str, ...]
    stretch: Stretch = field(default_factory=Stretch)
    words: dict[str, Tally] = field(default_factory=dict)
    amounts: dict[str, Range] = field(default_factory=dict)
    untrue: int = 0  # fills whose notional is not price x amount

    @property
    def title(self) -> str:
        return " ".join(map(name, self.who)) if any(self.who) else "rows of no named venue"


@dataclass(slots=True)
class Misfits:
    """The rows of one other width that name one venue."""

    width: int
    exchange: str
    first_line: int
    stretch: Stretch = field(default_factory=Stretch)


@dataclass(slots=True)
class Inspection:
    """What was found in one file."""

    path: Path
    kind: str  # minute.csv or fills.csv
    header: list[str]
    size: int = 0
    sha256: str = ""
    lines: int = 0
    empty_lines: int = 0
    rows: int = 0
    groups: dict[tuple[str, ...], Group] = field(default_factory=dict)
    misfits: dict[tuple[int, str], Misfits] = field(default_factory=dict)
    ungrouped: int = 0
    headers_again: Places = field(default_factory=Places)
    unreadable: Places = field(default_factory=Places)
    torn_line: int = 0
    has_mark: bool = False

    def report(self) -> Iterator[str]:
        """The lines of the answer."""
        yield from self._top()
        groups = sorted(self.groups.values(), key=lambda group: -group.stretch.rows)
        for group in groups:
            yield from ["", *_group_lines(group, self.kind, groups[0])]
        if self.misfits:
            yield from ["", *self._misfit_lines(groups[0] if groups else None)]
        if self.ungrouped:
            yield f"and {self.ungrouped} rows of further names, after the first {GROUPS_MAX}"

    def _top(self) -> Iterator[str]:
        mark = ", with a byte-order mark" if self.has_mark else ""
        yield f"{shown_path(self.path)}: a {self.kind}, {self.size} bytes, {self.lines} lines{mark}"
        yield f"sha256 {self.sha256}"
        yield from self._header_lines()
        misaligned = sum(misfit.stretch.rows for misfit in self.misfits.values())
        of_which = f"of which {misaligned} misaligned: not" if misaligned else "all"
        yield f"rows: {self.rows}, {of_which} {len(self.header)} cells wide, as the header"
        if not self.rows:
            yield "it has a header and no row: it shows nothing"
        if self.headers_again.count:
            yield f"the header stands again: {self.headers_again}"
        if self.unreadable.count:
            yield f"not readable as CSV: {self.unreadable}"
        if self.empty_lines:
            yield f"empty lines: {self.empty_lines}"
        if self.torn_line:
            yield f"line {self.torn_line}, the last, is torn: it has no end"

    def _header_lines(self) -> Iterator[str]:
        known = SHAPES[self.kind]
        seen = set(self.header)
        twice = sorted({column for column in self.header if self.header.count(column) > 1})
        yield f"header: {len(self.header)} columns"
        core = known[:33] if self.kind == "minute.csv" else known[:17]
        for said, columns in (
            ("without", [column for column in core if column not in seen]),
            ("beside those of the rollout's file", [column for column in self.header if column not in core]),
            ("more than once, and therefore not read", twice),
        ):
            if columns:
                yield f"  {said}: {_names(columns)}"

    def _misfit_lines(self, main: Group | None) -> Iterator[str]:
        for misfit in self.misfits.values():
            stretch = misfit.stretch
            where = f", {stretch.beside(main.stretch)} the rows of {main.title}" if main is not None else ""
            yield (
                f"misaligned: {stretch.rows} rows of {misfit.width} cells that begin as rows of {name(misfit.exchange)}"
            )
            yield f"  {stretch.extent()}, first in line {misfit.first_line}{where}"
            yield from (f"  {fault}" for fault in stretch.faults())


def inspect_file(path: Path) -> Inspection:
    """Read a file once. Raises `Refusal` where it is no minute.csv and no fills.csv, or is damaged throughout."""
    with BotFile(path) as file:
        kind = _kind(file)
        found = Inspection(path, kind, file.header)
        _Reader(found).read(file)
        if damage := file.damage():
            raise Refusal(
                f"{shown_path(path)}: expected CSV in UTF-8, found {' and '.join(damage)}; nothing is read of it."
            )
        found.size, found.sha256, found.lines = file.size, file.sha256, file.lines
        found.empty_lines, found.has_mark = file.empty_lines, file.has_mark
        if file.ends_torn:
            found.torn_line = file.lines
    return found


def _kind(file: BotFile) -> str:
    """Which of the two files it is, by the columns that only one of them has."""
    seen = set(file.header)
    alone = {"minute.csv": set(MINUTE) - set(FILLS), "fills.csv": set(FILLS) - set(MINUTE)}
    known = {kind: len(columns & seen) for kind, columns in alone.items()}
    kind = max(known, key=known.__getitem__)
    if known[kind] >= KNOWN_MIN and len(set(known.values())) > 1:
        return kind
    damage = file.damage()
    found = damage[0] if damage else f"the first line {shown(','.join(file.header))}"
    raise Refusal(
        f"{shown_path(file.path)}: expected a minute.csv or a fills.csv (columns separated by commas, named in its "
        f"first line), found {found}."
    )


class _Reader:
    """Takes the rows of one file."""

    def __init__(self, found: Inspection) -> None:
        self._found = found
        header = found.header
        self._places = {column: place for place, column in enumerate(header) if header.count(column) == 1}
        self._who = [self._places.get(column) for column in WHO]
        self._words = self._of(WORDS[found.kind])
        self._amounts = self._of(AMOUNTS[found.kind])

    def _of(self, columns: Sequence[str]) -> dict[str, int]:
        return {column: self._places[column] for column in columns if column in self._places}

    def read(self, records: Iterable[tuple[int, list[str] | None]]) -> None:
        found, width = self._found, len(self._found.header)
        for line, cells in records:
            if cells is None:
                found.unreadable.see(line)
            elif cells == found.header:
                found.headers_again.see(line)
            else:
                found.rows += 1
                if len(cells) == width:
                    self._row(cells)
                else:
                    self._misfit(line, cells)

    def _row(self, cells: Sequence[str]) -> None:
        who = tuple("" if place is None else cells[place].strip() for place in self._who)
        group = self._found.groups.get(who)
        if group is None:
            if len(self._found.groups) >= GROUPS_MAX:
                self._found.ungrouped += 1
                return
            group = self._found.groups[who] = Group(
                who,
                words={column: Tally() for column in self._words},
                amounts={column: Range() for column in self._amounts},
            )
        group.stretch.see(self._instant(cells))
        for column, place in self._words.items():
            for word in cells[place].split("|") if column == "risk_reasons" else (cells[place],):
                group.words[column].see(word)
        values = {column: group.amounts[column].see(cells[place]) for column, place in self._amounts.items()}
        group.untrue += _is_untrue(values)

    def _misfit(self, line: int, cells: Sequence[str]) -> None:
        place = self._places.get("exchange", len(cells))
        exchange = cells[place].strip() if place < len(cells) else ""
        key = (len(cells), exchange)
        misfit = self._found.misfits.get(key)
        if misfit is None:
            if len(self._found.misfits) >= GROUPS_MAX:
                key = (len(cells), "")  # a file of noise: by width alone
            misfit = self._found.misfits.setdefault(key, Misfits(*key, line))
        misfit.stretch.see(self._instant(cells))

    def _instant(self, cells: Sequence[str]) -> int | None:
        place = self._places.get("ts", len(cells))
        return read_instant(cells[place]) if place < len(cells) else None


def _is_untrue(values: Mapping[str, Decimal | None]) -> bool:
    """Whether a fill's notional is not its price times its amount."""
    price, amount, notional = (values.get(column) for column in ("price", "amount_base", "notional_quote"))
    if price is None or amount is None or notional is None:
        return False
    return abs(price * amount - notional) > TOLERANCE_USDT


def _group_lines(group: Group, kind: str, main: Group) -> Iterator[str]:
    where = "" if group is main else f", {group.stretch.beside(main.stretch)} the rows of {main.title}"
    yield f"{group.title}: {group.stretch.rows} rows"
    yield f"  {group.stretch.extent()}{where}"
    if kind == "minute.csv":
        yield from (f"  {line}" for line in group.stretch.density())
    yield from (f"  {fault}" for fault in group.stretch.faults())
    for column, tally in group.words.items():
        yield f"  {CALLED.get(column, column) + ':':<{_LABEL}} {_told(tally, column)}"
    zero = [column for column, amounts in group.amounts.items() if amounts.is_zero]
    for column, amounts in group.amounts.items():
        if column not in zero:
            total = f", in all {amount(amounts.total)}" if column in SUMS else ""
            yield f"  {column + ':':<{_LABEL}} {amounts}{total}"
    if zero:
        indent = " " * (_LABEL + 3)
        yield textwrap.fill(f"  {'0 in every row:':<{_LABEL}} {', '.join(zero)}", _WIDTH, subsequent_indent=indent)
    if group.untrue:
        yield f"  {group.untrue} rows have a notional_quote that is not price x amount_base"


def _told(tally: Tally, column: str) -> str:
    """The counts; an empty cell of reasons says that there was none."""
    text = str(tally)
    return text.replace("'' ", "no reason ") if column == "risk_reasons" else text.replace("'' ", "(empty) ")


def _names(columns: Sequence[str]) -> str:
    more = f" and {len(columns) - NAMES_SHOWN} more" if len(columns) > NAMES_SHOWN else ""
    return ", ".join(map(name, columns[:NAMES_SHOWN])) + more
