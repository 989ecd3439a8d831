"""The correct bot over many seeds: runs without pytest, a ledger of outcomes, and what to type to see one again.

A seed fixes everything: the market's path and how wild it is (from ordinary to six times so), every latency, every
order id. One seed in five is a no-trade run. The ledger is a file of JSON lines, one a seed; a seed that it holds for
the same bot, profiles, terms and source is not run again, so a search can be cut short and taken up.
"""

import hashlib
import importlib
import os
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from botproof.errors import HarnessError, Refusal
from botproof.fixtures import open_stage
from botproof.invariants.verdict import Outcome
from botproof.settings import Settings, read_settings

LEDGER = "search.jsonl"
VOLATILITIES = (100, 200, 300, 600)  # percent of an ordinary hour
NO_TRADE_EVERY = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What one seed showed."""

    seed: int
    role: str
    held: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    complaints: tuple[str, ...] = ()
    entries_filled: int = 0
    exits_filled: int = 0

    @property
    def is_clean(self) -> bool:
        """Whether nothing was broken and nothing went unnoticed."""
        return not self.broken and not self.complaints


def try_seed(seed: int, bot: str) -> Tried:
    """One run of 15 simulated minutes; its evidence is not kept."""
    with tempfile.TemporaryDirectory() as folder:
        settings = read_settings({"bot": bot, "seed": str(seed), "reports": folder}, Path(folder))
        try:
            return _conduct(settings)
        except Exception as error:  # noqa: BLE001  the seed that fails is the one that was looked for
            return Tried(seed=seed, role=_role(seed), complaints=(f"{type(error).__name__}: {error}",))


def _conduct(settings: Settings) -> Tried:
    seed = settings.seed
    role = _role(seed)
    stage = open_stage(settings, f"search {role}")
    try:
        stage.use_role(role)
        stage.volatility_percent = VOLATILITIES[seed % len(VOLATILITIES)]
        stage.start(stage.known_profile.symbol)
        run = stage.finish()
        effects = stage.effects()
        outcomes = {
            wanted: tuple(verdict.id for verdict in run.verdicts if verdict.outcome is wanted) for wanted in Outcome
        }
        return Tried(
            seed=seed,
            role=role,
            held=outcomes[Outcome.HELD],
            broken=outcomes[Outcome.BROKEN],
            complaints=tuple(stage.settle()),
            entries_filled=effects["entries filled"],
            exits_filled=effects["limit exits filled"] + effects["market exits filled"],
        )
    finally:
        stage.close()


def _source_digest() -> str:
    """One digest of every module of the package, wherever its folders lie: another line of code is another search."""
    digest = hashlib.sha256()
    for package in ("botproof", "botproof.fakes"):
        folder = Path(str(importlib.import_module(package).__file__)).parent
        for path in sorted(folder.rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _role(seed: int) -> str:
    return "no_trade" if seed % NO_TRADE_EVERY == 0 else "micro_cap"


class Ledger:
    """What was tried before, and what is added as it comes."""

    def __init__(self, reports: Path, bot: str) -> None:
        settings = read_settings({"bot": bot, "reports": str(reports)}, reports)
        self._path = settings.reports / LEDGER
        profiles = {role: profile.sha256 for role, profile in settings.profiles.items()}
        self._of = {"bot": bot, "source": _source_digest(), "terms": settings.terms.sha256, "profiles": profiles}

    def tried(self, seeds: Iterable[int]) -> dict[int, Tried]:
        """What the ledger holds of `seeds` for the same bot, profiles, terms and version."""
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


def search(first: int, end: int, *, bot: str, reports: Path, workers: int = 2) -> Iterator[Tried]:
    """Try the seeds from `first` up to but not `end`, what the ledger holds first; yields each as it is known."""
    if not 0 <= first < end:
        raise Refusal(f"--seeds={first}:{end}: expected two whole numbers, the first smaller, such as 0:500.")
    ledger = Ledger(reports, bot)
    known = ledger.tried(range(first, end))
    yield from known.values()
    missing = [seed for seed in range(first, end) if seed not in known]
    with ProcessPoolExecutor(max_workers=workers) as pool:
        for tried in pool.map(try_seed, missing, [bot] * len(missing)):
            ledger.add(tried)
            yield tried


def summary(tried: Iterable[Tried]) -> list[str]:
    """What all of it showed, in a few lines."""
    every = list(tried)
    held: Counter[str] = Counter(id_ for one in every for id_ in one.held)
    broken = [one for one in every if one.broken]
    return [
        (
            f"{len(every)} seeds, {sum(one.role == 'no_trade' for one in every)} of them no-trade; "
            f"{sum(one.entries_filled for one in every)} entries and {sum(one.exits_filled for one in every)} exits filled"
        ),
        "HELD: " + ", ".join(f"{id_} {count}" for id_, count in sorted(held.items())),
        (
            f"BROKEN: {sum(len(one.broken) for one in broken)} in {len(broken)} seeds; "
            f"unnoticed: {sum(bool(one.complaints) for one in every)}"
        ),
        *[
            f"  seed {one.seed} ({one.role}): {'; '.join(one.broken + one.complaints)}"[:300]
            for one in every
            if not one.is_clean
        ],
    ]


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
        lists = {name: tuple(body[name]) for name in ("held", "broken", "complaints")}
        return Tried(**{**body, **lists})
    except (KeyError, TypeError) as error:
        raise HarnessError(f"the ledger holds an entry that is none: {error!r}; remove it and search again") from error
