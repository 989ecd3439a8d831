"""Each rogue turns its own promise BROKEN in a real run, and nothing else but what such a breach brings with it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from decimal import Decimal
from pathlib import Path

import pytest
from stages import FAR, a_stage, finished, judged

from botproof.bots.reference import create
from botproof.events import Side
from botproof.fakes.rogues import ROGUES, Rogue
from botproof.invariants.catalogue import IMPLICATIONS
from botproof.invariants.judge import BUILT
from botproof.invariants.verdict import Outcome
from botproof.ports import BotFactory
from botproof.settings import find_factory
from botproof.stage import Stage

NO_TRADE = [rogue for rogue in ROGUES.values() if rogue.breaks == "N1"]
TRADING = [rogue for rogue in ROGUES.values() if rogue.breaks not in ("N1", "E16")]


NOT_BY_A_BOT = {"E17", "C11"}  # never BROKEN by its rule; and what the venue books is the venue's


def moved(stage: Stage, *moves: tuple[str, int, int]) -> None:
    """The price changes by a fraction within so many seconds, and so many more pass."""
    for change, over_s, then_s in moves:
        stage.venue.move_price(Decimal(change), over_s, None)
        stage.world.run_for(over_s + then_s)


def round_trip_and_fill(stage: Stage) -> None:
    """A buy fills and is exited with profit, and shortly before the end another one fills."""
    stage.world.run_for(99)
    moved(stage, ("-0.0036", 10, 30), ("0.0048", 30, 190), ("-0.0040", 1, 4))


def three_round_trips(stage: Stage) -> None:
    for _ in range(3):
        moved(stage, ("-0.0040", 10, 60), ("0.0050", 30, 200))


def stopped_out(stage: Stage) -> None:
    """The price runs 0.5 % beyond the entry, with more than a time limit left to the end."""
    moved(stage, ("-0.0040", 10, 10), ("-0.0050", 30, 700))


def held_for_long(stage: Stage) -> None:
    moved(stage, ("-0.0040", 10, 700))


def an_order_is_lost(stage: Stage) -> None:
    stage.venue.strike("drop", "order")
    stage.world.run_for(200)


def stopped_by_the_operator(stage: Stage) -> None:
    stage.operate("stop")
    stage.world.run_for(120)


def two_large_losses(stage: Stage) -> None:
    for _ in range(2):
        moved(stage, ("-0.0040", 10, 0), ("-0.0520", 120, 120))


Situation = Callable[[Stage], None]
SITUATIONS: dict[
    str, tuple[Situation, str, dict[str, str]]
] = {  # by rogue: what happens, window, changes of the profile
    "no_turnover_cap": (three_round_trips, "30m", {}),
    "uncounted_cancels": (lambda _: None, "6m", {"executor_refresh_time": "5"}),
    "ignores_stop": (stopped_out, "15m", {}),
    "overstays": (held_for_long, "15m", {}),
    "no_exit": (held_for_long, "15m", {}),
    "retries_anew": (an_order_is_lost, "6m", {}),
    "unlatched": (stopped_by_the_operator, "6m", {}),
    "silent_pause": (stopped_by_the_operator, "6m", {}),
    "no_loss_limit": (two_large_losses, "15m", {"stop_loss": "0.05"}),
}
ORDINARY = (round_trip_and_fill, "6m", {})


def lived(folder: Path, name: str, bot: BotFactory) -> AbstractContextManager[Stage]:
    """A stage after a run of `bot` in the situation of the rogue `name`, with nothing settled yet."""

    @contextmanager
    def stage_of() -> Iterator[Stage]:
        happens, window, changes = SITUATIONS.get(name, ORDINARY)
        with a_stage(folder, bot=bot, window=window) as stage:
            stage.volatility_percent = 0
            stage.change_profile(changes)
            stage.start("BTCUSDT")
            happens(stage)
            stage.finish()
            yield stage

    return stage_of()


def test_every_promise_that_a_bot_can_break_has_a_rogue() -> None:
    assert {rogue.breaks for rogue in ROGUES.values()} == set(BUILT) - NOT_BY_A_BOT


def test_the_reference_bot_keeps_every_promise_in_an_ordinary_run(tmp_path: Path) -> None:
    with lived(tmp_path, "", create) as stage:
        assert judged(stage, Outcome.BROKEN) == set()
        assert judged(stage, Outcome.HELD) == set(BUILT) - {"N1", "E11", "E13", "E17"}
        assert stage.settle() == []


@pytest.mark.parametrize("name", SITUATIONS)
def test_the_reference_bot_breaks_nothing_in_the_situation_of_a_rogue(tmp_path: Path, name: str) -> None:
    with lived(tmp_path, name, create) as stage:
        assert ROGUES[name].breaks in judged(stage, Outcome.HELD)
        assert judged(stage, Outcome.BROKEN) == set()
        assert stage.settle() == []


@pytest.mark.parametrize("rogue", TRADING, ids=lambda rogue: rogue.name)
def test_a_rogue_breaks_its_own_promise_and_no_other(tmp_path: Path, rogue: Rogue) -> None:
    with lived(tmp_path, rogue.name, rogue.create) as stage:
        broken = judged(stage, Outcome.BROKEN)
        assert rogue.breaks in broken
        assert broken - {rogue.breaks} <= IMPLICATIONS.get(rogue.breaks, frozenset())
        assert stage.run.crash == ""
        assert stage.run.disagreements == ()


@pytest.mark.parametrize("rogue", NO_TRADE, ids=lambda rogue: rogue.name)
def test_a_no_trade_rogue_breaks_no_trade_and_nothing_but_what_that_brings(tmp_path: Path, rogue: Rogue) -> None:
    with a_stage(tmp_path, role="no_trade", bot=rogue.create, window="6m") as stage:
        if rogue.name == "cancels_foreign":
            stage.venue.place_resting("hand-1", Side.BUY, FAR)
        broken = judged(finished(stage), Outcome.BROKEN)
        assert "N1" in broken
        assert broken <= {"N1"} | IMPLICATIONS["N1"]
        assert bool(stage.effects()["requests refused"]) is (rogue.name == "refused_probe")
        assert stage.run.disagreements == ()


def test_an_idle_bot_breaks_nothing_and_shows_nothing_of_trading(tmp_path: Path) -> None:
    with a_stage(tmp_path, bot=ROGUES["idle"].create, window="6m") as stage:
        finished(stage)
        assert judged(stage, Outcome.BROKEN) == set()
        assert judged(stage, Outcome.HELD) == {"E8", "E14", "C5", "C6", "C14", "C15", "C16"}


def test_a_bot_that_dies_holds_nothing(tmp_path: Path) -> None:
    with a_stage(tmp_path, bot=ROGUES["dies"].create, window="6m") as stage:
        finished(stage)
        assert judged(stage, Outcome.HELD) == set()
        assert stage.run.crash == "RuntimeError: out of memory"


@pytest.mark.parametrize("rogue", ROGUES.values(), ids=lambda rogue: rogue.name)
def test_a_rogue_can_be_named_on_the_command_line(rogue: Rogue) -> None:
    assert find_factory(rogue.address) is rogue.create
