"""Each rogue turns its own promise BROKEN in a real run, and nothing else but what such a breach brings with it."""

from decimal import Decimal
from importlib import import_module
from pathlib import Path

import pytest
from stages import FAR, a_stage, finished, judged

from botproof.bots.reference import create
from botproof.events import Side
from botproof.fakes.rogues import ROGUES, Rogue
from botproof.invariants.catalogue import IMPLICATIONS
from botproof.invariants.judge import BUILT
from botproof.invariants.verdict import Outcome
from botproof.stage import Stage

NO_TRADE = [rogue for rogue in ROGUES.values() if rogue.breaks == "N1"]
TRADING = [rogue for rogue in ROGUES.values() if rogue.breaks not in ("N1", "E16")]


def traded(stage: Stage) -> Stage:
    """A buy fills and is exited with profit, and shortly before the end another one fills."""
    stage.volatility_percent = 0
    stage.start("BTCUSDT")
    stage.world.run_for(99)
    for change, over_s, then_s in (("-0.0036", 10, 30), ("0.0048", 30, 190), ("-0.0036", 10, 0)):
        stage.venue.move_price(Decimal(change), over_s, None)
        stage.world.run_for(over_s + then_s)
    stage.finish()
    return stage


def test_every_built_promise_but_the_idle_one_has_a_rogue() -> None:
    assert {rogue.breaks for rogue in ROGUES.values()} == set(BUILT)


def test_the_reference_bot_keeps_every_promise_in_the_same_run(tmp_path: Path) -> None:
    with a_stage(tmp_path, bot=create, window="6m") as stage:
        traded(stage)
        assert judged(stage, Outcome.BROKEN) == set()
        assert judged(stage, Outcome.HELD) == set(BUILT) - {"N1"}
        assert stage.settle() == []


@pytest.mark.parametrize("rogue", TRADING, ids=lambda rogue: rogue.name)
def test_a_rogue_breaks_its_own_promise_and_no_other(tmp_path: Path, rogue: Rogue) -> None:
    with a_stage(tmp_path, bot=rogue.create, window="6m") as stage:
        broken = judged(traded(stage), Outcome.BROKEN)
        assert rogue.breaks in broken
        assert broken - {rogue.breaks} <= IMPLICATIONS.get(rogue.breaks, frozenset())
        assert stage.run.crash == ""
        assert stage.run.disagreements == ()


@pytest.mark.parametrize("rogue", NO_TRADE, ids=lambda rogue: rogue.name)
def test_a_no_trade_rogue_breaks_no_trade_and_nothing_else(tmp_path: Path, rogue: Rogue) -> None:
    with a_stage(tmp_path, role="no_trade", bot=rogue.create, window="6m") as stage:
        if rogue.name == "cancels_foreign":
            stage.venue.place_resting("hand-1", Side.BUY, FAR)
        assert judged(finished(stage), Outcome.BROKEN) == {"N1"}
        assert bool(stage.effects()["requests refused"]) is (rogue.name == "refused_probe")
        assert stage.run.disagreements == ()


def test_an_idle_bot_breaks_nothing_and_shows_nothing(tmp_path: Path) -> None:
    with a_stage(tmp_path, bot=ROGUES["idle"].create, window="6m") as stage:
        finished(stage)
        assert judged(stage, Outcome.BROKEN) == set()
        assert judged(stage, Outcome.HELD) == {"E8", "E14"}


@pytest.mark.parametrize("name", ROGUES)
def test_a_rogue_can_be_named_on_the_command_line(name: str) -> None:
    assert import_module(f"botproof.fakes.rogues.{name}").create is ROGUES[name].create
