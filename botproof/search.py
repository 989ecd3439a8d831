"""The correct bot over many seeds: runs without pytest, a ledger of outcomes, and what to type to see one again.

What a seed stands for is told in `botproof.seeded`. The ledger is a file of JSON lines, one a seed; a seed that it
holds for the same bot, window, profiles, terms and source is not run again, so a search can be cut short and taken up.
A seed that was not clean is written beside it as a feature file.
"""

import dataclasses
import hashlib
import importlib
import os
import signal
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO

import orjson

from botproof.errors import HarnessError, Refusal
from botproof.evidence.files import replace_file
from botproof.invariants.catalogue import PROMISES
from botproof.seeded import Asked, Tried, feature, scene, try_seed
from botproof.settings import read_settings

LEDGER = "search.jsonl"
FOUND = "search"  # folder of the feature files
_COLLECTOR = '''"""Every scenario that the search has written here."""

from pytest_bdd import scenarios

scenarios(".")
'''


class Ledger:
    """What was tried before, and what is added as it comes."""

    def __init__(self, reports: Path, asked: Asked) -> None:
        settings = read_settings({"bot": asked.bot, "reports": str(reports)}, reports)
        self._path = settings.reports / LEDGER
        profiles = {role: profile.sha256 for role, profile in settings.profiles.items()}
        self._of = {
            **dataclasses.asdict(asked),
            "source": _source_digest(),
            "terms": settings.terms.sha256,
            "profiles": profiles,
        }

    def tried(self, seeds: Iterable[int]) -> dict[int, Tried]:
        """What the ledger holds of `seeds` for the same search and version."""
        wanted = set(seeds)
        lines = self._path.read_bytes().splitlines() if self._path.exists() else []
        entries = [entry for line in lines if (entry := _entry(line)) and entry.get("of") == self._of]
        return {entry["seed"]: _tried(entry["tried"]) for entry in entries if entry["seed"] in wanted}

    def add(self, tried: Tried) -> None:
        """Append one seed, on a line of its own even where the last one is torn."""
        with self._path.open("ab+") as file:
            if file.tell() and _last_byte(file) != b"\n":
                file.write(b"\n")
            file.write(orjson.dumps({"seed": tried.seed, "of": self._of, "tried": tried}) + b"\n")


def search(first: int, end: int, *, asked: Asked, reports: Path, workers: int = 2) -> Iterator[Tried]:
    """Try the seeds from `first` up to but not `end`, what the ledger holds first; yields each as it is known.

    Raises `HarnessError` where a worker dies; what was known by then is on the ledger.
    """
    if not 0 <= first < end:
        raise Refusal(f"--seeds={first}:{end}: expected two whole numbers, the first smaller, such as 0:500.")
    ledger = Ledger(reports, asked)
    known = ledger.tried(range(first, end))
    missing = [seed for seed in range(first, end) if seed not in known]
    for tried in known.values():
        _write_down(tried, asked, reports)
        yield tried
    for tried in _work(missing, asked, workers):
        ledger.add(tried)
        _write_down(tried, asked, reports)
        yield tried


def summary(tried: Iterable[Tried]) -> list[str]:
    """What all of it showed, in a few lines."""
    every = list(tried)
    held: Counter[str] = Counter(id_ for one in every for id_ in one.held)
    broken = [one for one in every if one.broken]
    never = [id_ for id_ in PROMISES if id_ not in held]
    return [
        (
            f"{len(every)} seeds, {sum(one.role == 'no_trade' for one in every)} of them no-trade; "
            f"{sum(one.moves for one in every)} scripted moves, "
            f"{sum(one.entries_filled for one in every)} entries and "
            f"{sum(one.exits_filled for one in every)} exits filled"
        ),
        "HELD: " + ", ".join(f"{id_} {held[id_]}" for id_ in PROMISES if id_ in held),
        *([f"HELD by no seed: {', '.join(never)}"] if never else []),
        (
            f"BROKEN: {sum(len(one.broken) for one in broken)} in {len(broken)} seeds; "
            f"unnoticed: {sum(bool(one.complaints) for one in every)}"
        ),
        *[f"  seed {one.seed} ({one.role}): {'; '.join(one.findings)}"[:300] for one in every if not one.is_clean],
    ]


def _work(seeds: list[int], asked: Asked, workers: int) -> Iterator[Tried]:
    """Each seed in a worker, in order; after an interruption no further one is begun."""
    if not seeds:
        return
    with (
        TemporaryDirectory(prefix="botproof-search-") as scratch,
        ProcessPoolExecutor(max_workers=workers, initializer=_heed_the_terminal) as pool,
    ):
        try:
            yield from pool.map(try_seed, seeds, [asked] * len(seeds), [scratch] * len(seeds))
        except BrokenProcessPool as error:
            raise HarnessError(
                "a worker of the search has died; what was known is on the ledger, search again"
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)


def _heed_the_terminal() -> None:
    """Ctrl-C reaches every process of the terminal: a worker ends at once and without a word."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _write_down(tried: Tried, asked: Asked, reports: Path) -> None:
    """A seed that is not clean becomes a scenario."""
    if tried.is_clean:
        return
    drawn, folder = scene(tried.seed, asked), reports / FOUND
    module = folder / "test_search.py"
    replace_file(folder / drawn.file, feature(drawn, asked, showed=tried.findings, module=module).encode())
    replace_file(module, _COLLECTOR.encode())


def _source_digest() -> str:
    """One digest of every module of the package, wherever its folders lie: another line of code is another search."""
    digest = hashlib.sha256()
    for package in ("botproof", "botproof.fakes"):
        folder = Path(str(importlib.import_module(package).__file__)).parent
        for path in sorted(folder.rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _last_byte(file: BinaryIO) -> bytes:
    file.seek(-1, os.SEEK_END)
    return file.read(1)


def _entry(line: bytes) -> dict[str, Any] | None:
    """A line of the ledger; a torn one, left by a search that was cut short, counts as not there."""
    try:
        entry = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return entry if isinstance(entry, dict) else None


def _tried(body: dict[str, Any]) -> Tried:
    try:
        lists = {name: tuple(body[name]) for name in ("held", "complaints")}
        return Tried(**{**body, **lists})
    except (KeyError, TypeError) as error:
        raise HarnessError(f"the ledger holds an entry that is none: {error!r}; remove it and search again") from error
