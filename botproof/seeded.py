"""What a seed of the search stands for: one run, its market, and the scenario that tells it again.

1. A seed fixes everything: role, volatility and scripted moves by `scene`, and by the stage's own draws the market's
   path, every latency and every id. One seed in five is a no-trade run.
2. The volatility is that of an ordinary hour, two, three or six times so. Besides, every quarter of an hour of the
   window has one chance in two of a move that fills quotes or stops positions out: 0.30 to 0.90 %, up or down, with or
   without recovery.
3. At the end the fake's books are added up: money is conserved to the last unit, or the seed is not clean.
4. What a run did it must have shown: where an entry was sent, cancelled or filled, or a position closed, the promises
   that this puts to the test are HELD (`SHOWN_BY`), or the seed is not clean. A judgement that falls silent is found.
5. The run conducts itself as the steps of a feature do. So a seed that is not clean can be written as a feature file,
   and the scenario in it is the same run, fact by fact.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cache
from pathlib import Path
from random import Random
from shlex import quote
from tempfile import TemporaryDirectory
from typing import Literal

from botproof.events import Fact, FillSeen, WindowClosed
from botproof.fakes.bitget.core.conservation import conservation
from botproof.fakes.fixtures import ACCOUNT
from botproof.fixtures import FakeStageVenue, open_stage
from botproof.invariants.day import utc_day
from botproof.invariants.verdict import Outcome
from botproof.invariants.wording import instant_us
from botproof.run import Run
from botproof.settings import Settings, read_settings
from botproof.stage import Stage

VOLATILITIES = (100, 200, 300, 600)  # percent of an ordinary hour
NO_TRADE_EVERY = 5

# What a correct run shows where this happened in it. E11, E13, E15, E17 and C13 are not among them: what puts them to
# the test cannot be told from the counts of a run.
ALWAYS = ("E8", "E14", "C5", "C6", "C14", "C15", "C16")
SHOWN_BY: Mapping[str, tuple[str, ...]] = {
    "a no-trade window passed": ("N1",),
    "entries were sent": ("E1", "E2", "E3", "E4", "E5", "E6", "E12", "E16"),
    "cancels were sent": ("E9",),
    "entries were filled": ("E7", "E18", "C1", "C8", "C9", "C10", "C11", "C12"),
    "rows were written after a fill": ("C2", "C3", "C4", "C7"),
    "exits were filled": ("E10",),
}

_QUARTER_S = 900
_LATEST_MIN = 9  # of a quarter: the slowest move and its recovery end within it
_MOVE_BASIS_POINTS = (30, 90)
_OVER_S = (20, 60, 120)
_RECOVER_S = (None, None, 60, 120)
_ROWS_US = 180_000_000  # two rows of minute.csv are due by then, and one more to be sure
_ROLES = {"micro_cap": "the micro-cap profile", "no_trade": "the no-trade profile"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What all runs of one search have in common."""

    bot: str = "reference"
    window_s: int = 900
    begin_min: int = 60  # minute of the UTC day at which virtual time begins
    cadence: Literal["lazy", "channel"] = "lazy"  # of the fake's public channels; verdicts do not hang on it


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A scripted move of the price, `after_min` minutes after the one before has ended."""

    after_min: int
    percent: Decimal  # signed
    over_s: int
    recover_s: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """The part of a run that its seed fixes in words."""

    seed: int
    role: str
    volatility_percent: int
    moves: tuple[Move, ...]

    @property
    def file(self) -> str:
        """The name of the feature file that tells it."""
        return f"seed_{self.seed}.feature"

    @property
    def title(self) -> str:
        return f"seed {self.seed}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What one seed showed."""

    seed: int
    role: str
    held: tuple[str, ...] = ()
    broken: Mapping[str, str] = field(default_factory=dict)  # by id: the reason
    complaints: tuple[str, ...] = ()
    moves: int = 0
    entries_filled: int = 0
    exits_filled: int = 0

    @property
    def is_clean(self) -> bool:
        """Whether nothing was broken and nothing went unnoticed."""
        return not self.broken and not self.complaints

    @property
    def findings(self) -> tuple[str, ...]:
        """All that was wrong, each thing once and in words."""
        broken = (f"{id_} is BROKEN: {reason}" for id_, reason in self.broken.items())
        return tuple(dict.fromkeys((*broken, *self.complaints)))


def scene(seed: int, asked: Asked) -> Scene:
    """What `seed` stands for in a window of that length."""
    return Scene(
        seed=seed,
        role="no_trade" if seed % NO_TRADE_EVERY == 0 else "micro_cap",
        volatility_percent=VOLATILITIES[seed % len(VOLATILITIES)],
        moves=tuple(_moves(Random(f"{seed}/moves"), asked.window_s)),  # noqa: S311  a market's chance is no secret
    )


def try_seed(seed: int, asked: Asked, scratch: str | None = None, *, changes: Mapping[str, str] | None = None) -> Tried:
    """Run one seed; its evidence is written below `scratch` and not kept. Whatever fails is a complaint.

    `changes` are other values for keys of its profile; what `feature` tells is the seed without them.
    """
    drawn = scene(seed, asked)
    with TemporaryDirectory(dir=scratch) as folder:
        try:
            settings = replace(_settings(asked.bot), seed=seed, window_s=asked.window_s, reports=Path(folder))
            stage = open_stage(settings, f"{drawn.file} {drawn.title}")
            try:
                return _conduct(stage, drawn, asked, changes or {})
            finally:
                stage.close()
        except Exception as error:  # noqa: BLE001  the seed that fails is the one that was looked for
            return Tried(seed=seed, role=drawn.role, complaints=(f"{type(error).__name__}: {error}",))


def feature(drawn: Scene, asked: Asked, *, showed: Iterable[str], module: Path) -> str:
    """The scenario of a seed, as a feature file that `module` collects; its head tells what the seed `showed`."""
    begin = f"{asked.begin_min // 60:02d}:{asked.begin_min % 60:02d}"
    replay = (
        f"pytest {quote(f'{module}::test_seed_{drawn.seed}')} --venue=fake --bot={quote(asked.bot)} --seed={drawn.seed}"
    )
    steps = [
        f"Given {_ROLES[drawn.role]}",
        f"And it is {begin} UTC",
        f"And a market {drawn.volatility_percent} % as wild as an ordinary hour",
        "And a flat account of 20 USDT",
        f"And a bounded window of {asked.window_s // 60} min",
        "And the bot is running on BTCUSDT",
        *(step for move in drawn.moves for step in _told(move)),
        f"{'And' if drawn.moves else 'When'} the bounded window ends",
        "Then no promise is broken",
    ]
    head = dict.fromkeys(f"# {line}" for text in showed for line in text.splitlines())
    return "\n".join(
        [
            *head,
            f"# replay: {replay}",
            "@fake",
            "Feature: What the search over seeds has found",
            "",
            f"  Scenario: {drawn.title}",
            *(f"    {step}" for step in steps),
            "",
        ]
    )


def _moves(chance: Random, window_s: int) -> Iterator[Move]:
    passed_s = 0
    for begin_s in range(0, window_s - _QUARTER_S + 1, _QUARTER_S):
        drawn = chance.getrandbits(1), chance.randint(1, _LATEST_MIN), chance.choice((-1, 1))
        size, over_s, recover_s = chance.randint(*_MOVE_BASIS_POINTS), chance.choice(_OVER_S), chance.choice(_RECOVER_S)
        happens, minute, sign = drawn
        if happens:
            after_min = (begin_s + minute * 60 - passed_s) // 60
            yield Move(after_min=after_min, percent=Decimal(sign * size) / 100, over_s=over_s, recover_s=recover_s)
            passed_s += after_min * 60 + _lasts_s(over_s, recover_s)


def _lasts_s(over_s: int, recover_s: int | None) -> int:
    """As the step does: the move, its recovery, and a second."""
    return over_s + (recover_s or 0) + 1


@cache
def _settings(bot: str) -> Settings:
    """The settings of this process but for what a seed replaces."""
    with TemporaryDirectory() as nowhere:
        return read_settings({"bot": bot, "reports": nowhere}, Path(nowhere))


def _conduct(stage: Stage, drawn: Scene, asked: Asked, changes: Mapping[str, str]) -> Tried:
    stage.use_role(drawn.role)
    if changes:
        stage.change_profile(changes)
    stage.begin_at(asked.begin_min * 60_000_000)
    stage.volatility_percent, stage.cadence = drawn.volatility_percent, asked.cadence
    stage.start(stage.known_profile.symbol)
    for move in drawn.moves:
        stage.world.run_for(move.after_min * 60)
        stage.venue.move_price(move.percent / 100, move.over_s, move.recover_s)
        stage.world.run_for(_lasts_s(move.over_s, move.recover_s))
    run = stage.finish()
    effects = stage.effects()
    broken = {verdict.id: verdict.reason for verdict in run.verdicts if verdict.outcome is Outcome.BROKEN}
    for id_ in broken:
        stage.mention(id_)
    return Tried(
        seed=drawn.seed,
        role=drawn.role,
        held=tuple(verdict.id for verdict in run.verdicts if verdict.outcome is Outcome.HELD),
        broken=broken,
        complaints=(*stage.settle(), *_silent(run, drawn, effects), *_missing_money(stage)),
        moves=len(drawn.moves),
        entries_filled=effects["entries filled"],
        exits_filled=effects["limit exits filled"] + effects["market exits filled"],
    )


def _silent(run: Run, drawn: Scene, effects: Mapping[str, int]) -> Iterator[str]:
    """Promises that the run put to the test, and that are NOT SHOWN all the same."""
    happened = {
        "a no-trade window passed": drawn.role == "no_trade",
        "entries were sent": effects["orders placed"] > 0,
        "cancels were sent": effects["cancels sent"] > 0,
        "entries were filled": effects["entries filled"] > 0,
        "rows were written after a fill": _has_rows_after_a_fill(run.facts),
        "exits were filled": effects["limit exits filled"] + effects["market exits filled"] > 0,
    }
    due = dict.fromkeys(ALWAYS, "the window passed")
    due |= {id_: why for why, ids in SHOWN_BY.items() if happened[why] for id_ in ids}
    for verdict in run.verdicts:
        if verdict.outcome is Outcome.NOT_SHOWN and verdict.id in due:
            yield f"{verdict.id} is NOT SHOWN although {due[verdict.id]}: {verdict.reason}"


def _has_rows_after_a_fill(facts: Iterable[Fact]) -> bool:
    """Whether a fill had two rows of minute.csv of its day after it."""
    tape = list(facts)
    end_us = next((fact.end_us for fact in tape if isinstance(fact, WindowClosed)), 0)
    fills_us = (instant_us(fact) for fact in tape if isinstance(fact, FillSeen))
    return any(at_us + _ROWS_US <= end_us and utc_day(at_us) == utc_day(at_us + _ROWS_US) for at_us in fills_us)


def _missing_money(stage: Stage) -> list[str]:
    assert isinstance(stage.venue, FakeStageVenue)
    return [f"money is not conserved: {line}" for line in conservation(stage.venue.fake.exchange, ACCOUNT)]


def _told(move: Move) -> tuple[str, str]:
    way = "rises" if move.percent > 0 else "falls"
    back = "" if move.recover_s is None else f" and recovers within {move.recover_s} s"
    return (
        f"When {move.after_min} min pass",
        f"And the price {way} {abs(move.percent):.2f} % within {move.over_s} s{back}",
    )
