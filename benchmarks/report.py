"""The table of a bench, and its files: everything as JSON under its instant and as `latest.json`, and the picture."""

import json
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.chart import draw
from benchmarks.figures import Bench, Figure
from botproof.circumstances import git_state, versions
from botproof.evidence.files import replace_file

_HEAD = ("what", "figure", "target", "reached", "what dominates")


def table(figures: Sequence[Figure]) -> str:
    """A Markdown table that reads as well in a terminal; what stands beside a figure follows below it."""
    rows = [_HEAD, *(_row(figure) for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    lines = [_line(row, widths) for row in rows]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])


def beside(figures: Sequence[Figure]) -> str:
    """What happened behind each figure."""
    return "\n".join(f"- {figure.name}: {'; '.join(figure.beside)}." for figure in figures if figure.beside)


def units_line(bench: Bench) -> str:
    """The units of the run, as medians of its rounds."""
    sleep_us = median(unit.virtual_sleep_us for unit in bench.units)
    call_us = median(unit.direct_call_us for unit in bench.units)
    return f"units: a virtual sleep {sleep_us:.1f} us, a direct call {call_us:.0f} us; {machine()}"


def machine() -> str:
    """The class of the machine, without its name."""
    return f"{platform.python_implementation()} {platform.python_version()}, {sys.platform}, {os.cpu_count()} cores"


def write(bench: Bench, figures: Sequence[Figure], folder: Path, *, is_short: bool) -> Path:
    """Put everything into `folder`, whole or not at all; a short bench leaves `latest.json` and its picture alone."""
    stamp = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    told = {
        "measured_utc": stamp,
        "short": is_short,
        "machine": machine(),
        "versions": versions(),
        "git": git_state(),
        "figures": [asdict(figure) | {"reached": figure.is_reached} for figure in figures],
        **asdict(bench),
    }
    body = (json.dumps(told, indent=2) + "\n").encode()
    picture = draw(_costs(bench)).encode()
    file = folder / f"{stamp}.json"
    replace_file(file, body)
    replace_file(folder / f"{stamp}.svg", picture)
    if not is_short:
        replace_file(folder / "latest.json", body)
        replace_file(folder / "latest.svg", picture)
    return file


def _costs(bench: Bench) -> dict[str, dict[int, float]]:
    roles = dict.fromkeys(run.role for run in bench.runs)
    return {role: {s: min(run.cpu_s for run in runs) for s, runs in bench.of(role).items()} for role in roles}


def _row(figure: Figure) -> Sequence[str]:
    bound = "at most" if figure.at_most else "at least"
    return (
        figure.name,
        f"{_number(figure.value)} {figure.unit}",
        f"{bound} {_number(figure.target)}",
        "yes" if figure.is_reached else "**no**",
        figure.dominated_by,
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def _line(row: Sequence[Any], widths: Sequence[int]) -> str:
    return "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
