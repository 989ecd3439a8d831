"""What `python -m benchmarks` does: measure everything, print the table, leave JSON and picture behind.

Short measurements are taken in three rounds, one after the other and then again, so that a busy minute of the machine
does not fall on one of them alone; a long run is repeated while it stays within `AGAIN_S`. A missed target is a result,
and no error: exit 0. A measurement that is refused, because the run was not what it claims to be, ends with exit 1.
"""

import sys
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryFile

import click

from benchmarks import MICRO_CAP, NO_TRADE
from benchmarks.child import Measured, measured
from benchmarks.engine import engine
from benchmarks.figures import NAMES, Bench, figures, hours
from benchmarks.report import beside, table, units_line, write
from benchmarks.sessions import collections, first_verdict, profiled_scenarios, scenarios
from benchmarks.units import units
from botproof.errors import BotproofError, Refusal

ROUNDS = 3
AGAIN_S = 30  # a run that cost more CPU than this is not run again
ROLES = (NO_TRADE, MICRO_CAP)
LENGTHS_S = (6 * 3600, 12 * 3600, 24 * 3600, 48 * 3600)
SHORT = 48  # a short bench takes a 48th of each length
PROFILED_S = 3600
REPORTS = Path("reports") / "bench"


@click.command(epilog="Example:\n\n\b\n  python -m benchmarks --short --profile")
@click.option("--short", "is_short", is_flag=True, help="Lengths of 7.5 to 60 min instead of 6 to 48 h: to try it out.")
@click.option("--profile", "is_profiled", is_flag=True, help="Print the dearest functions of each role as well.")
@click.option("--reports", type=click.Path(path_type=Path), default=REPORTS, show_default=True, help="Where JSON goes.")
def main(*, is_short: bool, is_profiled: bool, reports: Path) -> None:
    """What a run costs: factors, growth, memory, engine, scenarios, collection, and what dominates each."""
    lengths = [length // SHORT for length in LENGTHS_S] if is_short else LENGTHS_S
    try:
        _try_to_write(reports)
        bench = measure(lengths)
    except BotproofError as refusal:
        click.echo(f"bench: {refusal}", err=True)
        sys.exit(1)
    found = figures(bench, day_s=lengths[2])
    file = write(bench, found, reports, is_short=is_short)
    click.echo("\n".join(["", table(found), "", beside(found), "", units_line(bench)]))
    if is_profiled:
        click.echo("\n".join(_profiled(bench.profiles.items())))
    click.echo(f"written: {file} and its picture")


def measure(lengths: Iterable[int]) -> Bench:
    """All of it; says on stderr what is under way. Raises `BotproofError` where a run is refused or a child falls."""
    bench = Bench()
    for number in range(1, ROUNDS + 1):
        _say(f"round {number} of {ROUNDS}: units, engine, collection, first verdict, scenarios")
        bench.units.append(units())
        bench.engines.append(engine())
        bench.collections.append(collections())
        bench.first_verdicts.append(first_verdict())
        for role, takes in scenarios().items():
            bench.scenarios.setdefault(role, []).extend(takes)
        for length in lengths:
            for role in ROLES:
                earlier = bench.of(role).get(length, [])
                if not any(run.cpu_s > AGAIN_S for run in earlier):
                    _say(f"round {number} of {ROUNDS}: {NAMES[role]}, {hours(length)}")
                    bench.runs.append(measured(role, length))
    _say("profiles")
    bench.profiles = {role: measured(role, PROFILED_S, "--profile") for role in ROLES}
    bench.scenario_layers.update(profiled_scenarios())
    return bench


def _profiled(profiles: Iterable[tuple[str, Measured]]) -> Iterable[str]:
    for role, profile in profiles:
        yield f"\n{NAMES[role]}, {hours(profile.window_s)}, own time with what is called in C:"
        yield from (f"{share:6.1%}  {layer}" for layer, share in profile.layers.items())
        yield from profile.hottest


def _try_to_write(folder: Path) -> None:
    """Before anything is measured. Raises `Refusal`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise Refusal(f"expected a folder that can be written, found {folder}: {error.strerror}") from error


def _say(what: str) -> None:
    click.echo(what, err=True)
