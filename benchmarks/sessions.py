"""Pytest from outside, as somebody types it: collection, the first verdict, and scenarios in a warm process."""

import json
import re
import resource
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import MICRO_CAP, NO_TRADE, ROOT
from benchmarks.child import environment
from benchmarks.layers import shares, stats_of
from botproof.errors import HarnessError

NO_AUTOLOAD = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
OWN_PLUGINS = ("-p", "pytest_bdd.plugin", "-p", "allure_pytest.plugin")  # what botproof brings with it
SCENARIOS = ("benchmarks/features", "--venue=fake", "-q", "-p", "no:randomly", "-p", "benchmarks.stopwatch")
WORDS = {MICRO_CAP: "microcap", NO_TRADE: "notrade"}  # in the names of the scenarios
VERDICT = re.compile(r"(PASSED|FAILED|ERROR)")
TRIVIAL = "def test_trivial():\n    pass\n"


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds of a child: CPU (its own children included) and wall."""

    cpu_s: float
    wall_s: float


@dataclass(frozen=True, slots=True)
class Collections:
    """What it costs to collect: nothing, the features with what botproof brings, and with all plugins there are."""

    bare: Spent
    features: Spent
    with_all_plugins: Spent
    files: int
    scenarios: int


def collections() -> Collections:
    """Each once, one after the other."""
    with TemporaryDirectory() as folder:
        trivial = Path(folder) / "empty" / "test_trivial.py"
        trivial.parent.mkdir()
        trivial.write_text(TRIVIAL)
        bare, _ = timed(("--collect-only", "-q"), cwd=trivial.parent, extra=NO_AUTOLOAD)
        asked = ("features/", "--venue=fake", "--collect-only", "-q", "--reports", f"{folder}/reports")
        features, told = timed((*OWN_PLUGINS, *asked), extra=NO_AUTOLOAD)
        with_all_plugins, _ = timed(asked)
    found = re.search(r"([0-9]+) tests? collected", told)
    files = sum(1 for _ in (ROOT / "features").rglob("*.feature"))
    return Collections(bare, features, with_all_plugins, files, int(found[1]) if found else 0)


def first_verdict() -> Spent:
    """From the start of `pytest features/` to the first scenario that is judged and reported."""
    with TemporaryDirectory() as reports:
        command = _pytest(("features/", "--venue=fake", "-p", "no:randomly", "-v", "--reports", reports))
        before_s, began = _children_cpu_s(), time.perf_counter()
        with subprocess.Popen(
            command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as child:
            assert child.stdout is not None
            is_there = any(VERDICT.search(line.decode(errors="replace")) for line in child.stdout)
            wall_s = time.perf_counter() - began
            child.kill()
        if not is_there:
            raise HarnessError("pytest features/ ended without a verdict")
        return Spent(_children_cpu_s() - before_s, wall_s)


def scenarios() -> Mapping[str, list[Spent]]:
    """What a scenario of 15 simulated minutes costs, judged and reported, by role; the first take of each left out."""
    with TemporaryDirectory() as folder:
        times = Path(folder) / "times.json"
        timed((*SCENARIOS, "--bench-times", str(times), "--reports", f"{folder}/reports"))
        told: Mapping[str, tuple[float, float]] = json.loads(times.read_text())
    return by_kind(told)


def profiled_scenarios() -> Mapping[str, Mapping[str, float]]:
    """Where the time of the same scenarios goes: the share of each layer, by role."""
    with TemporaryDirectory() as folder:
        return {role: _profiled(word, Path(folder)) for role, word in WORDS.items()}


def _profiled(word: str, folder: Path) -> Mapping[str, float]:
    profile = folder / f"{word}.prof"
    files = ("--bench-times", str(folder / "times.json"), "--bench-profile", str(profile))
    timed((*SCENARIOS, "-k", word, *files, "--reports", str(folder / "reports")))
    return shares(stats_of(profile))


def by_kind(told: Mapping[str, tuple[float, float]]) -> Mapping[str, list[Spent]]:
    """The takes of each scenario but its first, by role."""
    takes: dict[str, list[Spent]] = defaultdict(list)
    for name, (cpu_s, wall_s) in told.items():
        kind = next(role for role, word in WORDS.items() if word in name)
        takes[kind].append(Spent(cpu_s, wall_s))
    return {kind: spent[1:] for kind, spent in takes.items()}


def best(spent: Iterable[Spent]) -> Spent:
    """The one that cost the least CPU."""
    return min(spent, key=lambda one: one.cpu_s)


def timed(arguments: Sequence[str], *, cwd: Path = ROOT, extra: Mapping[str, str] | None = None) -> tuple[Spent, str]:
    """One pytest in a child, and what it printed. Raises `HarnessError` where it fails."""
    before_s, began = _children_cpu_s(), time.perf_counter()
    done = subprocess.run(
        _pytest(arguments), cwd=cwd, env=environment() | dict(extra or {}), capture_output=True, text=True, check=False
    )
    spent = Spent(_children_cpu_s() - before_s, time.perf_counter() - began)
    if done.returncode:
        last = (done.stdout.strip() or done.stderr.strip() or "it said nothing").splitlines()[-1]
        raise HarnessError(f"pytest {' '.join(arguments)} ended with {done.returncode}: {last}")
    return spent, done.stdout


def _pytest(arguments: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]


def _children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
