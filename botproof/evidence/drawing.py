"""Scales and marks of a picture as SVG text, in whole pixels and without a dependency.

All coordinates are integers, so equal values give equal bytes on any machine. A line is thinned honestly: of what
falls into one column of pixels, the lowest, the highest and the last value are drawn, and nothing between them could
have been seen.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from html import escape
from itertools import groupby
from operator import itemgetter

LETTER_PX = 8  # the width of a letter of 13 px in a wide font
UNREADABLE = "\N{REPLACEMENT CHARACTER}"
DAY_S = 86_400
EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
TIME_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, DAY_S)

Point = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps values from `low` to `high` to pixels from `first` to `last`; what lies outside is put on the edge."""

    low: Decimal | int
    high: Decimal | int  # above `low`
    first: int
    last: int

    def at(self, value: Decimal | int) -> int:
        """The pixel of `value`."""
        if value <= self.low:
            return self.first
        if value >= self.high:
            return self.last
        length = self.last - self.first
        offset = int((value - self.low) * abs(length) // (self.high - self.low))
        return self.first + (offset if length > 0 else -offset)

    def holds(self, value: Decimal | int) -> bool:
        """Whether `value` lies on the scale and not beyond it."""
        return self.low <= value <= self.high


def round_values(low: Decimal, high: Decimal, most: int) -> list[Decimal]:
    """At most `most` + 1 multiples of 1, 2 or 5 times a power of ten from `low` to `high`."""
    step = next(
        step
        for power in range(high.adjusted() - 30, high.adjusted() + 2)
        for step in (Decimal(digit).scaleb(power) for digit in (1, 2, 5))
        if (high - low) / step <= most
    )
    value, values = -(-low // step) * step, []
    while value <= high:
        if value >= low:
            values.append(value)
        value += step
    return values


def round_instants(from_us: int, to_us: int, most: int) -> list[int]:
    """Instants (microseconds) on the round seconds, minutes or hours of UTC; about `most` of them."""
    span_us = to_us - from_us
    days = 1 + span_us // (most * DAY_S * 1_000_000)
    step_us = next((s * 1_000_000 for s in TIME_STEPS_S if span_us <= s * most * 1_000_000), days * DAY_S * 1_000_000)
    return list(range(from_us + -from_us % step_us, to_us + 1, step_us))


def day(at_us: int) -> str:
    """The UTC day of an instant: "2026-02-22"; empty where no calendar has it."""
    ordinal = EPOCH_ORDINAL + at_us // (DAY_S * 1_000_000)
    return date.fromordinal(ordinal).isoformat() if 1 <= ordinal <= date.max.toordinal() else ""


def time_of_day(at_us: int, *, with_seconds: bool = True) -> str:
    """The UTC time of an instant: "01:03:20"."""
    minutes, seconds = divmod(at_us // 1_000_000 % DAY_S, 60)
    text = f"{minutes // 60:02}:{minutes % 60:02}"
    return f"{text}:{seconds:02}" if with_seconds else text


def stairs(points: Iterable[Point], end_x: int) -> str:
    """A path that keeps each value until the next one, up to `end_x`; `points` are in order of x, later ones last."""
    commands: list[str] = []
    at_y = 0
    for x, column in groupby(points, key=itemgetter(0)):
        ys = [y for _, y in column]
        if commands:
            commands.append(f"H{x}")
        else:
            commands.append(f"M{x} {ys[0]}")
            at_y = ys[0]
        for y in (min(ys), max(ys), ys[-1]) if len(ys) > 1 else ys:
            if y != at_y:
                commands.append(f"V{y}")
                at_y = y
    return "".join([*commands, f"H{end_x}"]) if commands else ""


def bars(points: Iterable[Point]) -> str:
    """A path with one upright bar for each column, from its lowest point to its highest."""
    extremes: dict[int, tuple[int, int]] = {}
    for x, y in points:
        low, high = extremes.get(x, (y, y))
        extremes[x] = (min(low, y), max(high, y))
    return "".join(f"M{x} {low}V{high + 1}" for x, (low, high) in sorted(extremes.items()))


def shapes(points: Iterable[Point], shape: str) -> str:
    """A path with one `shape` (relative commands) at each point, each point once."""
    return "".join(f"M{x} {y}{shape}" for x, y in dict.fromkeys(points))


def words(text: object, most: int = 120) -> str:
    """`text` as it may stand in a picture: one line, no control characters, cut at `most` characters, escaped."""
    line = " ".join(str(text)[: 4 * most].split())
    if not line.isprintable():
        line = "".join(char if char.isprintable() else UNREADABLE for char in line)
    return escape(line if len(line) <= most else f"{line[: most - 1]}\N{HORIZONTAL ELLIPSIS}")


def label(x: int, y: int, text: object, kind: str = "", most: int = 120) -> str:
    """Words with their baseline at x, y."""
    return f'<text x="{x}" y="{y}"{_class(kind)}>{words(text, most)}</text>'


def upright(x: int, y: int, text: object, kind: str = "") -> str:
    """Words that run upwards, with their baseline at x; `kind` says how they stand to y."""
    return f'<text transform="translate({x} {y}) rotate(-90)"{_class(kind)}>{words(text)}</text>'


def path(commands: str, kind: str, title: str = "") -> str:
    """A path; nothing where there are no commands."""
    return f"<path{_class(kind)} d={chr(34)}{commands}{chr(34)}{_closed('path', title)}" if commands else ""


def box(x: int, y: int, width: int, height: int, kind: str, title: str = "") -> str:
    """A filled rectangle."""
    return f'<rect{_class(kind)} x="{x}" y="{y}" width="{width}" height="{height}"{_closed("rect", title)}'


class Lanes:
    """Lines of text under one another; each label takes the first lane that has room for it at its place."""

    def __init__(self, lanes: int, right: int) -> None:
        self._lanes: list[list[tuple[int, int]]] = [[] for _ in range(lanes)]
        self._right = right

    def take(self, x: int, letters: int) -> tuple[int, int] | None:
        """The left end and the lane of a label of so many letters that belongs to `x`; None where it finds no room."""
        width = letters * LETTER_PX
        left = max(0, min(x, self._right - width))
        for number, lane in enumerate(self._lanes):
            if all(left >= end or left + width <= begin for begin, end in lane):
                lane.append((left, left + width + LETTER_PX))
                return left, number
        return None


def joined(parts: Sequence[str]) -> str:
    """The parts that say something, a line each."""
    return "\n".join(part for part in parts if part)


def _class(kind: str) -> str:
    return f' class="{kind}"' if kind else ""


def _closed(tag: str, title: str) -> str:
    return f"><title>{words(title, 400)}</title></{tag}>" if title else "/>"
