"""A stage without pytest-bdd: what the tests of the conduct stand on."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from botproof.fixtures import open_stage
from botproof.ports import BotFactory
from botproof.settings import read_settings
from botproof.stage import Stage


@contextmanager
def a_stage(folder: Path, *, role: str = "micro_cap", bot: BotFactory | None = None, seed: int = 1) -> Iterator[Stage]:
    """A stage with a profile and a flat account of 20 USDT; closed at the end."""
    stage = open_stage(read_settings({"reports": str(folder), "seed": str(seed)}, folder), f"test {role}")
    stage.use_role(role)
    if bot is not None:
        stage.factory = bot
    try:
        yield stage
    finally:
        stage.close()
