"""What is measured against which target, from what the measurements told.

Times are CPU seconds of one process unless a figure says wall: on a machine that does other work besides, wall time
measures the neighbours. A **factor** is simulated seconds a CPU second. To compare machines, put a time in the units of
the same run: `virtual sleeps` are times divided by what one jump of the clock costs.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from benchmarks import MICRO_CAP, NO_TRADE
from benchmarks.child import Measured
from benchmarks.engine import Engine
from benchmarks.sessions import Collections, Spent, best
from benchmarks.units import Units

FACTORS_MIN = {NO_TRADE: 20_000, MICRO_CAP: 10_000}
SCALING_MAX = 1.1
MEMORY_MIB_MAX = 200
EVENTS_MIN = 1_000_000
SCENARIO_MS_MAX = 100
COLLECTION_X, COLLECTION_MS_A_FILE = 2, 3
FIRST_VERDICT_S_MAX = 2
NAMES = {NO_TRADE: "no-trade", MICRO_CAP: "micro-cap"}
_DOMINATING = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the table; `at_most` says on which side of the target it has to lie."""

    name: str
    value: float
    unit: str
    target: float
    at_most: bool
    beside: Sequence[str] = ()
    dominated_by: str = ""

    @property
    def is_reached(self) -> bool:
        return self.value <= self.target if self.at_most else self.value >= self.target


@dataclass(slots=True, kw_only=True)
class Bench:
    """All that was measured, every round of it."""

    units: list[Units] = field(default_factory=list)
    engines: list[Engine] = field(default_factory=list)
    collections: list[Collections] = field(default_factory=list)
    first_verdicts: list[Spent] = field(default_factory=list)
    scenarios: dict[str, list[Spent]] = field(default_factory=dict)  # by role
    runs: list[Measured] = field(default_factory=list)
    profiles: dict[str, Measured] = field(default_factory=dict)  # by role, an hour under the profiler
    scenario_layers: dict[str, Mapping[str, float]] = field(default_factory=dict)  # by role, shares

    def of(self, role: str) -> dict[int, list[Measured]]:
        """The runs of a role by length, the shortest first."""
        lengths = sorted({run.window_s for run in self.runs if run.role == role})
        return {s: [run for run in self.runs if run.role == role and run.window_s == s] for s in lengths}


def figures(bench: Bench, day_s: int) -> list[Figure]:
    """The table; `day_s` is the length whose factor counts."""
    found = [*_factors(bench, day_s), *_scaling(bench), *_memory(bench), *_engine(bench.engines)]
    return [*found, *_scenarios(bench), *_collection(bench.collections), *_first_verdict(bench)]


def cheapest(runs: Iterable[Measured]) -> Measured:
    """The run that cost the least CPU."""
    return min(runs, key=lambda run: run.cpu_s)


def dominating(layers: Mapping[str, float]) -> str:
    """The heaviest layers of a profile, whose shares are in order."""
    return ", ".join(f"{name} {share:.0%}" for name, share in list(layers.items())[:_DOMINATING])


def _factors(bench: Bench, day_s: int) -> Iterator[Figure]:
    sleep_us = _sleep_us(bench)
    for role, target in FACTORS_MIN.items():
        runs = bench.of(role).get(day_s, [])
        if not runs:
            continue
        run = cheapest(runs)
        yield Figure(
            name=f"{NAMES[role]}, {hours(day_s)}",
            value=run.factor,
            unit="x real time",
            target=target,
            at_most=False,
            beside=(
                f"{run.cpu_s:.2f} s CPU, {run.wall_s:.2f} s wall; best of {len(runs)}",
                _counted(run.counts),
                _phases(run.phases_cpu_s),
                f"{run.cpu_s * 1e6 / sleep_us / (day_s / 10):.0f} virtual sleeps for 10 simulated seconds",
            ),
            dominated_by=dominating(bench.profiles[role].layers) if role in bench.profiles else "",
        )


def _scaling(bench: Bench) -> Iterator[Figure]:
    for role in FACTORS_MIN:
        lengths = bench.of(role)
        if len(lengths) < 2:
            continue
        shortest, longest = min(lengths), max(lengths)
        costs = {length: cheapest(runs).cpu_s for length, runs in lengths.items()}
        yield Figure(
            name=f"{NAMES[role]}, from {hours(shortest)} to {hours(longest)}",
            value=costs[longest] / costs[shortest] / (longest / shortest),
            unit="x linear growth",
            target=SCALING_MAX,
            at_most=True,
            beside=("; ".join(f"{hours(length)} {cpu_s:.2f} s" for length, cpu_s in costs.items()),),
            dominated_by=_grown(cheapest(lengths[shortest]), cheapest(lengths[longest])),
        )


def _memory(bench: Bench) -> Iterator[Figure]:
    if not bench.runs:
        return
    top = max(bench.runs, key=lambda run: run.peak_mib)
    peaks = {(run.role, run.window_s): run.peak_mib for run in bench.runs}
    yield Figure(
        name="peak memory of all these runs",
        value=top.peak_mib,
        unit="MiB",
        target=MEMORY_MIB_MAX,
        at_most=True,
        beside=(
            f"{top.start_mib:.0f} MiB of it with everything imported and nothing run",
            "; ".join(f"{NAMES[role]} {hours(length)} {mib:.0f}" for (role, length), mib in peaks.items()),
        ),
        dominated_by="; ".join(f"{phase} {mib:.0f}" for phase, mib in top.phases_peak_mib.items()),
    )


def _engine(engines: Sequence[Engine]) -> Iterator[Figure]:
    if not engines:
        return
    one = max(engines, key=lambda engine: engine.advance)
    yield Figure(
        name="engine, one account, two resting orders",
        value=one.advance,
        unit="market events a second",
        target=EVENTS_MIN,
        at_most=False,
        beside=(
            f"{one.events:,} events, {one.orders:,} orders, {one.fills} fills; best of {len(engines)}",
            f"with a look every 10 s {one.looking:,.0f}",
            f"with the drawing of the path {one.drawing:,.0f}, with the commands {one.quoting:,.0f}",
        ),
        dominated_by="what a look costs, found or not",
    )


def _scenarios(bench: Bench) -> Iterator[Figure]:
    for role, takes in sorted(bench.scenarios.items()):
        middle = median(take.cpu_s for take in takes)
        yield Figure(
            name=f"a {NAMES[role]} scenario of 15 min, judged and reported",
            value=middle * 1e3,
            unit="ms",
            target=SCENARIO_MS_MAX,
            at_most=True,
            beside=(
                f"median of {len(takes)}; best {best(takes).cpu_s * 1e3:.0f} ms",
                f"wall {median(take.wall_s for take in takes) * 1e3:.0f} ms",
            ),
            dominated_by=dominating(bench.scenario_layers.get(role, {})),
        )


def _collection(rounds: Sequence[Collections]) -> Iterator[Figure]:
    if not rounds:
        return
    bare, features = best(each.bare for each in rounds), best(each.features for each in rounds)
    everything, files = best(each.with_all_plugins for each in rounds), rounds[0].files
    yield Figure(
        name="collection of features/",
        value=features.cpu_s,
        unit="s",
        target=COLLECTION_X * bare.cpu_s + files * COLLECTION_MS_A_FILE / 1e3,
        at_most=True,
        beside=(
            f"{rounds[0].scenarios} scenarios in {files} files; best of {len(rounds)}; wall {features.wall_s:.2f} s",
            f"bare pytest {bare.cpu_s:.2f} s; with every plugin installed here {everything.cpu_s:.2f} s",
        ),
        dominated_by="imports, three quarters of it",
    )


def _first_verdict(bench: Bench) -> Iterator[Figure]:
    if not bench.first_verdicts:
        return
    one = best(bench.first_verdicts)
    yield Figure(
        name="first verdict of pytest features/",
        value=one.cpu_s,
        unit="s",
        target=FIRST_VERDICT_S_MAX,
        at_most=True,
        beside=(f"best of {len(bench.first_verdicts)}; wall {one.wall_s:.2f} s",),
        dominated_by="collection, then the first scenario",
    )


def _sleep_us(bench: Bench) -> float:
    return min(unit.virtual_sleep_us for unit in bench.units)


def _counted(counts: Mapping[str, int]) -> str:
    frames = counts["public frames"] + counts["private frames"]
    return (
        f"{counts['requests']:,} requests, {frames:,} frames, {counts['orders']:,} orders, "
        f"{counts['cancels']:,} cancels, {counts['fills']:,} fills, {counts['facts']:,} facts"
    )


def _phases(phases_cpu_s: Mapping[str, float]) -> str:
    return "; ".join(f"{phase} {cpu_s:.2f} s" for phase, cpu_s in phases_cpu_s.items())


def _grown(short: Measured, long: Measured) -> str:
    """The phase that grew the most beyond its share."""
    times = long.window_s / short.window_s
    growth = {
        phase: long.phases_cpu_s[phase] / cpu_s / times for phase, cpu_s in short.phases_cpu_s.items() if cpu_s > 0
    }
    return "; ".join(f"{phase} x {grew:.2f}" for phase, grew in growth.items() if phase != "opening")


def hours(window_s: int) -> str:
    """`6 h`, `7.5 min`."""
    return f"{window_s // 3600} h" if window_s % 3600 == 0 else f"{window_s / 60:g} min"
