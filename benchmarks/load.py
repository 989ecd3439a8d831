"""One run as a load: what is run, what it cost, and how much really happened in it.

A run is conducted as a scenario conducts it: the bot's signed client through the tap, the observer's own client and
key, both sockets of either, the tape written and chained, the books closed, every promise judged, the folder sealed
and the picture drawn. Nothing is left out, so nothing need be added to a figure.

A figure is refused where its run is not what it claims to be: a micro-cap bot that placed fewer than `ENTRIES_A_DAY`
entries or had none filled, a no-trade bot of which N1 is not HELD, a run that is not whole, a promise that is BROKEN, a
disagreement between the fake's journal and the tape.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import MICRO_CAP, NO_TRADE, ROOT, bot
from benchmarks.memory import peak_mib
from botproof.errors import Refusal
from botproof.events import FillSeen
from botproof.evidence.picture import draw
from botproof.fixtures import FakeStageVenue, open_stage
from botproof.invariants.effects import effects
from botproof.invariants.verdict import Outcome
from botproof.profile import Profile
from botproof.run import Run
from botproof.settings import Settings, read_settings
from botproof.stage import Stage
from botproof.terms import Terms

HOUR_S, DAY_S = 3_600, 86_400
ENTRIES_A_DAY = 1_500
SAMPLE_S = 6 * HOUR_S  # a shorter window may lie in hours whose edge is closed
DEPOSIT_USDT = Decimal(1_000)
VOLATILITY_PERCENT = 150  # of an ordinary hour: the quotes fill, and the edge stays open often enough to quote
BENCH = ROOT / "benchmarks" / "profiles"
BENCH_PROFILE = BENCH / "epp_v2_4_bot1bench_bitget_live_microcap.yml"
BENCH_TERMS = BENCH / "bench.yml"

Around = Callable[[Callable[[], None]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What one run is: a role, and how long it is on its own clock."""

    role: str
    window_s: int
    seed: int = 1

    @property
    def hours(self) -> float:
        return self.window_s / HOUR_S

    @property
    def entries_min(self) -> int:
        """How many entries a micro-cap bot must have placed: of a day in proportion, of part of a day three quarters."""
        if self.window_s < SAMPLE_S:
            return 1
        proportion = ENTRIES_A_DAY * self.window_s // DAY_S
        return proportion if self.window_s >= DAY_S else proportion * 3 // 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one run cost (seconds of process CPU time, and of wall time) and what happened in it (counts)."""

    cpu_s: float
    wall_s: float
    phases_cpu_s: dict[str, float]
    phases_peak_mib: dict[str, float]  # the most memory that the process had held by the end of each
    counts: dict[str, int]
    verdicts: dict[str, int]
    refusals: list[str] = field(default_factory=list)
    holders: list[str] = field(default_factory=list)


class Phases:
    """A stopwatch: the CPU time since the last mark goes to the phase that has just ended."""

    def __init__(self) -> None:
        self.cpu_s: dict[str, float] = {}
        self.peak_mib: dict[str, float] = {}
        self._began = self._last = time.process_time()
        self._wall_began = time.perf_counter()

    def ended(self, phase: str) -> None:
        now = time.process_time()
        self.cpu_s[phase], self._last = now - self._last, now
        self.peak_mib[phase] = peak_mib()

    @property
    def total(self) -> tuple[float, float]:
        """CPU and wall seconds so far."""
        return self._last - self._began, time.perf_counter() - self._wall_began


def carry(load: Load, around_window: Around | None = None, at_end: Callable[[], list[str]] | None = None) -> Cost:
    """Conduct one run from the opening of the stage to its last byte, and say what it cost.

    `around_window` is handed what moves time through the window, and calls it: for a profiler. `at_end` is asked who
    holds the memory while the run still stands.
    """
    with TemporaryDirectory() as folder:
        settings = settings_of(load, Path(folder))
        watch = Phases()
        stage = open_stage(settings, f"bench {load.role} {load.window_s} s")
        try:
            cost = _conduct(stage, load, watch, around_window or _plainly)
            return replace(cost, holders=at_end()) if at_end is not None else cost
        finally:
            stage.close()


def settings_of(load: Load, reports: Path) -> Settings:
    """The day-15 settings, with the bench's own profile and terms where the bot is to trade all day."""
    settings = read_settings({"seed": str(load.seed), "reports": str(reports)}, reports)
    settings = replace(settings, window_s=load.window_s)
    if load.role == NO_TRADE:
        return settings
    profiles = {**settings.profiles, MICRO_CAP: Profile.load(BENCH_PROFILE)}
    return replace(settings, profiles=profiles, terms=Terms.load(BENCH_TERMS), factory=bot.create)


def _plainly(move: Callable[[], None]) -> None:
    move()


def _conduct(stage: Stage, load: Load, watch: Phases, around_window: Around) -> Cost:
    stage.use_role(load.role)
    stage.deposit, stage.volatility_percent = DEPOSIT_USDT, VOLATILITY_PERCENT
    run = stage.start(stage.known_profile.symbol)
    watch.ended("opening")
    assert run.window is not None
    end_us = run.window[1]
    around_window(lambda: stage.world.run_until_us(end_us))
    watch.ended("window")
    stage.finish()
    watch.ended("books, judging, sealing")
    complaints = stage.settle()
    draw(run.facts, run.plan.profile)
    watch.ended("picture")
    cpu_s, wall_s = watch.total
    counts = _counts(stage, run)
    return Cost(
        cpu_s=cpu_s,
        wall_s=wall_s,
        phases_cpu_s=watch.cpu_s,
        phases_peak_mib=watch.peak_mib,
        counts=counts,
        verdicts={str(outcome): count for outcome, count in Counter(v.outcome for v in run.verdicts).items()},
        refusals=[*complaints, *_refusals(load, run, counts)],
    )


def _counts(stage: Stage, run: Run) -> dict[str, int]:
    """What went over the wires and onto the tape."""
    assert isinstance(stage.venue, FakeStageVenue)
    journal = stage.venue.fake.faces.journal
    seen = effects(run.facts, run.plan.client_id_prefix)
    return {
        "requests": len(journal.calls),
        "public frames": sum(journal.public_pushes.values()),
        "private frames": len(journal.pushes),
        "orders": seen["orders placed"],
        "cancels": seen["cancels sent"],
        "entries filled": seen["entries filled"],
        "fills": len({fact.trade_id for fact in run.facts if isinstance(fact, FillSeen)}),
        "facts": len(run.facts),
        "entries": stage.entries_sent(),
    }


def _refusals(load: Load, run: Run, counts: dict[str, int]) -> Iterator[str]:
    if not run.complete:
        yield "the run is not whole"
    if load.role == NO_TRADE:
        held = {verdict.id for verdict in run.verdicts if verdict.outcome is Outcome.HELD}
        if "N1" not in held:
            yield "N1 is not HELD: this was no window without trading"
    elif counts["entries"] < load.entries_min:
        yield f"the bot placed {counts['entries']} entries; at least {load.entries_min} are asked for"
    elif load.window_s >= SAMPLE_S and not counts["entries filled"]:
        yield "no entry was filled: the bot did not trade"


def demand(cost: Cost, load: Load) -> None:
    """Raise `Refusal` where the run is not what it claims to be."""
    if cost.refusals:
        raise Refusal(f"{load.role}, {load.hours:g} h is refused: {'; '.join(cost.refusals[:3])}")
