"""Each rogue turns its own promise BROKEN in a real run, and nothing else but what such a breach brings with it."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from botproof.bots.reference import create
from botproof.events import RequestAnswered, Side
from botproof.evidence.files import RunFolder
from botproof.fakes.fixtures import open_fake
from botproof.fakes.rogues import ROGUES
from botproof.fixtures import FakeStageVenue
from botproof.invariants.catalogue import IMPLICATIONS
from botproof.invariants.verdict import Outcome
from botproof.ports import BotFactory
from botproof.profile import Profile, find_profile
from botproof.run import Plan, Run
from botproof.terms import Terms, find_terms
from botproof.world import World

EPOCH_US = 1_771_722_000_000_000
WINDOW_S = 360


class Trial:
    """One run of one bot; its market moves only by script."""

    def __init__(self, folder: Path, factory: BotFactory, role: str) -> None:
        self.world = World(epoch_us=EPOCH_US)
        fake = open_fake(
            clock=self.world.clock, seed=1, deposit=Decimal(20), price=Decimal(67500), volatility_percent=0
        )
        self.venue = FakeStageVenue(fake, 1, self._inside)
        self.world.run(self.venue.start())
        terms = Terms.load(find_terms("day15"))
        plan = Plan(
            run_id="trial",
            scenario="trial",
            profile=Profile.load(find_profile(f"epp_v2_4_bot1u20_bitget_live_{role}")),
            terms=terms,
            factory=factory,
            venue="fake",
            clock="virtual",
            seed=1,
            symbol="BTCUSDT",
            client_id_prefix="bot1-trial-",
            window_s=WINDOW_S,
        )
        self.run = Run(plan, self.world.clock, RunFolder(folder, "trial"), self.venue.connect)

    def _inside(self, deed: Callable[[], Any]) -> Any:
        async def do() -> Any:
            return deed()

        return self.world.run(do())

    def trade(self) -> None:
        """A buy fills and is exited with profit, and shortly before the end another one fills."""
        self.world.run(self.run.open())
        self.world.run_for(100)
        self.venue.move_price(Decimal("-0.0036"), 10, None)
        self.world.run_for(40)
        self.venue.move_price(Decimal("0.0048"), 30, None)
        self.world.run_for(WINDOW_S - 40 - 140)
        self.venue.move_price(Decimal("-0.0036"), 10, None)
        self.finish()

    def wait(self) -> None:
        """Nothing happens."""
        self.world.run(self.run.open())
        self.finish()

    def finish(self) -> None:
        assert self.run.window is not None
        self.world.run_until_us(self.run.window[1])
        self.world.run(self.run.close("ended"))
        self.run.seal({})

    def broken(self) -> set[str]:
        return {verdict.id for verdict in self.run.verdicts if verdict.outcome is Outcome.BROKEN}

    def held(self) -> set[str]:
        return {verdict.id for verdict in self.run.verdicts if verdict.outcome is Outcome.HELD}

    def close(self) -> None:
        self.world.run(self.venue.stop())
        self.world.close()


@pytest.fixture
def trial(tmp_path: Path) -> Iterator[Callable[..., Trial]]:
    opened: list[Trial] = []

    def make(factory: BotFactory, role: str = "microcap") -> Trial:
        opened.append(Trial(tmp_path, factory, role))
        return opened[-1]

    yield make
    for each in opened:
        each.close()


def test_the_reference_bot_keeps_every_promise_in_the_same_run(trial: Callable[..., Trial]) -> None:
    run = trial(create)
    run.trade()
    assert run.broken() == set()
    assert {"E1", "E2", "E4", "E5", "E8", "E10", "E14", "E16", "C1", "C8", "C10"} <= run.held()
    assert run.venue.disagreements(run.run) == []


TRADING = [rogue for rogue in ROGUES.values() if rogue.breaks not in ("N1", "E16")]


@pytest.mark.parametrize("rogue", TRADING, ids=lambda rogue: rogue.name)
def test_a_rogue_breaks_its_own_promise_and_no_other(trial: Callable[..., Trial], rogue: Any) -> None:
    run = trial(rogue.create)
    run.trade()
    assert rogue.breaks in run.broken()
    assert run.broken() - {rogue.breaks} <= IMPLICATIONS.get(rogue.breaks, frozenset())
    assert run.run.crash == ""
    assert run.venue.disagreements(run.run) == []


@pytest.mark.parametrize("name", ["probing", "refused_probe", "cancels_foreign"])
def test_a_no_trade_rogue_breaks_no_trade_and_nothing_else(trial: Callable[..., Trial], name: str) -> None:
    run = trial(ROGUES[name].create, "notrade")
    if name == "cancels_foreign":
        run.venue.place_resting("hand-1", Side.BUY, Decimal("0.02"))
    run.wait()
    assert run.broken() == {"N1"}
    refusals = [fact for fact in run.run.facts if isinstance(fact, RequestAnswered) and not fact.accepted]
    assert bool(refusals) is (name == "refused_probe")


def test_an_idle_bot_breaks_nothing_and_shows_nothing(trial: Callable[..., Trial]) -> None:
    run = trial(ROGUES["idle"].create)
    run.wait()
    assert run.broken() == set()
    assert not run.held() & {"E1", "E2", "E4", "E5", "E10", "E16", "C1", "C8", "C10"}


@pytest.mark.parametrize("name", ROGUES)
def test_a_rogue_can_be_named_on_the_command_line(name: str) -> None:
    assert import_module(f"botproof.fakes.rogues.{name}").create is ROGUES[name].create
