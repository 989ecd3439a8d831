"""The picture: CPU time against simulated length, a line a role, and the line that growth in proportion would give.

As every picture of the house it is SVG written by hand, in whole pixels, with colours of its own for light and dark.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from benchmarks.figures import FACTORS_MIN, NAMES, hours
from botproof.evidence.drawing import Scale, box, joined, label, path, round_values, shapes
from botproof.money import plain

WIDTH, HEIGHT = 760, 430
LEFT, RIGHT, TOP, BOTTOM = 70, 610, 62, 360
NAMES_LEFT = RIGHT + 10
_DISC = "m-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0"
_SQUARE = "m-4-4h8v8h-8z"
_SHAPES = {"no_trade": _SQUARE, "micro_cap": _DISC}
_LINE_APART = 16

STYLE = """
svg { font: 13px system-ui, sans-serif; --bg: #fff; --ink: #1b1f24; --dim: #59636e; --grid: #e4e7eb; --one: #0b63c4;
  --two: #b8430a }
@media (prefers-color-scheme: dark) { svg { --bg: #14181d; --ink: #e8eaed; --dim: #a2acb8; --grid: #2b323a;
  --one: #70b5ff; --two: #ff9c57 } }
text { fill: var(--ink) } .dim { fill: var(--dim) } .head { font-weight: 600; font-size: 15px }
.end { text-anchor: end } .middle { text-anchor: middle } .bg { fill: var(--bg) }
path { fill: none; stroke: var(--dim) } .grid { stroke: var(--grid) } .linear { stroke-dasharray: 2 4 }
.no_trade { stroke: var(--one); stroke-width: 2 } .micro_cap { stroke: var(--two); stroke-width: 2 }
.target { stroke-dasharray: 8 5 } .mark { fill: var(--bg) }
"""


def draw(costs: Mapping[str, Mapping[int, float]]) -> str:
    """The picture of `costs`: CPU seconds by simulated length (seconds), by role. It needs one run at least."""
    longest = max(length for lengths in costs.values() for length in lengths)
    dearest = max(cost for lengths in costs.values() for cost in lengths.values())
    across = Scale(0, longest, LEFT, RIGHT)
    up = Scale(Decimal(0), Decimal(str(dearest)) * Decimal("1.1"), BOTTOM, TOP)
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="CPU time against simulated length">',
        f"<style>{STYLE}</style>",
        box(0, 0, WIDTH, HEIGHT, "bg"),
        label(LEFT, 26, "CPU time of a run against its simulated length", "head"),
        label(LEFT, 46, "seconds; faces, observer, judging, evidence and picture included", "dim"),
        *_axes(sorted({length for lengths in costs.values() for length in lengths}), across, up),
        *(_line(role, lengths, across, up) for role, lengths in costs.items()),
        *_names(costs, up),
        *_legend(costs),
        "</svg>",
    ]
    return joined(parts) + "\n"


def _axes(lengths: Sequence[int], across: Scale, up: Scale) -> list[str]:
    values = round_values(Decimal(0), Decimal(up.high), 6)
    return [
        path("".join(f"M{LEFT} {up.at(value)}H{RIGHT}" for value in values), "grid"),
        *(label(LEFT - 8, up.at(value) + 4, plain(value), "dim end") for value in values),
        path("".join(f"M{across.at(length)} {BOTTOM}v6" for length in lengths), "axis"),
        *(label(across.at(length), BOTTOM + 22, hours(length), "dim middle") for length in lengths),
    ]


def _line(role: str, lengths: Mapping[int, float], across: Scale, up: Scale) -> str:
    """Measured, with a mark a length; in proportion to the shortest; and what the target allows."""
    points = [(across.at(length), up.at(_exact(cost))) for length, cost in sorted(lengths.items())]
    shortest, longest = min(lengths), max(lengths)
    proportional = _exact(lengths[shortest]) * longest / shortest
    allowed = Decimal(longest) / FACTORS_MIN[role]
    start = f"M{across.at(0)} {up.at(Decimal(0))}L"
    return joined(
        [
            path(f"{start}{across.at(longest)} {up.at(proportional)}", f"{role} linear"),
            path(f"{start}{across.at(longest)} {up.at(allowed)}", f"{role} target") if up.holds(allowed) else "",
            path("M" + "L".join(f"{x} {y}" for x, y in points), role),
            path(shapes(points, _SHAPES[role]), f"{role} mark"),
        ]
    )


def _names(costs: Mapping[str, Mapping[int, float]], up: Scale) -> list[str]:
    """The name of each line at its right end, none on another."""
    names: list[str] = []
    lowest = TOP
    for role, lengths in sorted(costs.items(), key=lambda item: -item[1][max(item[1])]):
        longest = max(lengths)
        y = max(lowest, up.at(_exact(lengths[longest])) + 4)
        names += [
            label(NAMES_LEFT, y, NAMES[role]),
            label(NAMES_LEFT, y + _LINE_APART, f"{longest / lengths[longest]:,.0f} x real time", "dim"),
        ]
        lowest = y + 2 * _LINE_APART + 4
    return names


def _legend(costs: Mapping[str, Mapping[int, float]]) -> list[str]:
    targets = ", ".join(f"{NAMES[role]} {FACTORS_MIN[role]:,} x" for role in costs)
    return [
        path(f"M{LEFT} {BOTTOM + 46}h28", "linear"),
        label(LEFT + 36, BOTTOM + 50, "in proportion to the shortest", "dim"),
        path(f"M{LEFT + 240} {BOTTOM + 46}h28", "target"),
        label(LEFT + 276, BOTTOM + 50, f"target: {targets}", "dim"),
    ]


def _exact(value: float) -> Decimal:
    return Decimal(str(value))
