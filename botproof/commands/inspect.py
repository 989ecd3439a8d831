"""`botproof inspect`: what a file or folder of evidence shows, without judging it."""

from collections.abc import Iterable
from pathlib import Path

import click

_EXAMPLE = "Example:\n\n\b\n  botproof inspect minute.csv\n  botproof inspect reports/runs/RUN"


@click.command(name="inspect", short_help="What a minute.csv, a fills.csv or a run's folder shows.", epilog=_EXAMPLE)
@click.argument("file", metavar="FILE")
def inspect(file: str) -> int:
    """What a minute.csv or fills.csv shows, whoever wrote it: rows of each venue, misaligned rows, coverage, holes,
    states, reasons. Of the folder of a run: whether it is sealed, and still as it was then.

    It judges nothing: for a verdict see botproof judge.

    \b
    Exit codes: 0 readable; of a folder: sealed and whole
                2 not readable, or a folder that is no evidence: INCOMPLETE, or altered
    """  # noqa: D205, D301  click makes one paragraph of it, and reads the backspace: one that it must not wrap
    from botproof.evidence.folder import inspect_folder, run_folder
    from botproof.evidence.inspection import inspect_file

    path = Path(file)
    folder = run_folder(path)
    if folder is None:
        _tell(inspect_file(path).report())
        return 0
    found = inspect_folder(folder)
    _tell(found.report())
    return 0 if found.is_evidence else 2


def _tell(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(line)
