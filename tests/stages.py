"""A stage without pytest-bdd: what the tests of the conduct stand on."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

from botproof.fixtures import open_stage
from botproof.invariants.verdict import Outcome
from botproof.ports import BotFactory
from botproof.settings import read_settings
from botproof.stage import Stage

FAR = Decimal("0.02")  # an order this far from mid is not touched within a window


@contextmanager
def a_stage(
    folder: Path, *, role: str = "micro_cap", bot: BotFactory | None = None, seed: int = 1, window: str = "15m"
) -> Iterator[Stage]:
    """A stage with a profile and a flat account of 20 USDT; closed at the end."""
    settings = read_settings({"reports": str(folder), "seed": str(seed), "window": window}, folder)
    stage = open_stage(settings, f"test {role}")
    stage.use_role(role)
    if bot is not None:
        stage.factory = bot
    try:
        yield stage
    finally:
        stage.close()


def finished(stage: Stage) -> Stage:
    """The stage after one run in which nothing happened from outside."""
    stage.start("BTCUSDT")
    stage.finish()
    return stage


def judged(stage: Stage, outcome: Outcome) -> set[str]:
    """The ids with this verdict."""
    return {verdict.id for verdict in stage.run.verdicts if verdict.outcome is outcome}
