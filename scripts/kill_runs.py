"""Kill runs at random moments and look at what they leave.

    python scripts/kill_runs.py [KILLS] [SEED]      100 kills of seed 1, where nothing is said

Each time a process of its own conducts a run on the fake and is killed (SIGKILL) at a moment drawn from the seed. What
it leaves must be one folder whose name says INCOMPLETE, with a tape whose chain holds to its last whole line; or, where
the run was faster, a sealed one. Exit status: 1 where one folder is anything else.
"""

import os
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random

ROOT = str(Path(__file__).parents[1])
sys.path.insert(0, ROOT)

import click  # noqa: E402

import botproof  # noqa: E402  it is found where the path now leads

if ROOT not in botproof.__path__:
    botproof.__path__.append(ROOT)

from botproof.errors import HarnessError  # noqa: E402
from botproof.evidence.files import INCOMPLETE, TAPE  # noqa: E402
from botproof.evidence.tape import read_tape  # noqa: E402
from botproof.fixtures import open_stage  # noqa: E402
from botproof.record import read_record  # noqa: E402
from botproof.settings import Settings, read_settings  # noqa: E402

WINDOW_S = 900


@click.command()
@click.argument("kills", default=100)
@click.argument("seed", default=1)
def main(kills: int, seed: int) -> None:
    """Kill, look, and tell."""
    chance, seen, lines = Random(seed), Counter[str](), []  # noqa: S311  a moment is no secret
    with tempfile.TemporaryDirectory() as folder:
        settings = replace(read_settings({"reports": folder}, Path(folder)), window_s=WINDOW_S)
        longest_s = _seconds(settings)
        for number in range(kills):
            reports = Path(folder) / str(number)
            _killed(replace(settings, reports=reports, seed=number), chance.uniform(0, longest_s))
            try:
                what, length = _left(sorted(reports.glob("runs/*")))
            except HarnessError as fault:
                raise click.ClickException(f"kill {number} of seed {seed}: {fault}") from fault
            seen[what] += 1
            lines.append(length)
    told = ", ".join(f"{count} {what}" for what, count in sorted(seen.items()))
    click.echo(f"{kills} kills: {told}; {min(lines)} to {max(lines)} whole lines of tape, every chain intact")


def _seconds(settings: Settings) -> float:
    """How long a run takes here; the first one, which imports, does not count."""
    for _ in range(2):
        began = time.monotonic()
        if (child := os.fork()) == 0:
            _conduct(settings)
        os.waitpid(child, 0)
    return time.monotonic() - began


def _killed(settings: Settings, after_s: float) -> None:
    if (child := os.fork()) == 0:
        _conduct(settings)
    time.sleep(after_s)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def _conduct(settings: Settings) -> None:
    """One run of the reference bot, in a process that ends here."""
    stage = open_stage(settings, "a run to be killed")
    stage.use_role("micro_cap")
    stage.start(stage.known_profile.symbol)
    stage.finish()
    os._exit(0)


def _left(folders: list[Path]) -> tuple[str, int]:
    """What lies there, and how many whole lines of tape; raises `HarnessError` where it is not what it says."""
    if not folders or not (folders[0] / TAPE).exists():
        return "before the first line", 0
    if len(folders) > 1:
        raise HarnessError(f"expected one folder, found {[folder.name for folder in folders]}")
    [folder] = folders
    length = len(read_tape(folder / TAPE).facts)
    if INCOMPLETE not in folder.name:
        read_record(folder)
        return "sealed", length
    if not (folder / INCOMPLETE).exists() and length > 0 and not (folder / "manifest.json").exists():
        raise HarnessError(f"{folder.name}: expected a file that says so")
    return INCOMPLETE, length


if __name__ == "__main__":
    main()
