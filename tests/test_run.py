"""One run, conducted on the fake: where its window lies, how its bot ends, what it leaves behind."""

import asyncio
import contextlib
import json
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from stages import FAR, a_stage, finished

from botproof.errors import HarnessError, NotShown, VenueError
from botproof.events import (
    BillSeen,
    BotFill,
    BotRestarted,
    Covered,
    EarlierToday,
    FillSeen,
    OpenOrdersRead,
    OperatorAction,
    OrderType,
    RunEnded,
    RunStarted,
    Side,
    Source,
    StopStep,
    WindowClosed,
    WindowOpened,
)
from botproof.evidence.tape import read_tape
from botproof.fakes.rogues import ROGUES
from botproof.invariants.judge import judge
from botproof.invariants.verdict import Outcome
from botproof.ports import BotContext, BotFactory, OrderRequest
from botproof.profile import Profile
from botproof.run import MINUTE_US
from botproof.stage import Stage
from botproof.terms import Terms


class Scripted:
    """A bot that does what a test says and nothing else."""

    name, version = "scripted", "0"

    def __init__(self, context: BotContext) -> None:
        self.context, self.stopped = context, asyncio.Event()

    async def run(self) -> None:
        await self.stopped.wait()

    def stop(self) -> None:
        self.stopped.set()


class Crashing(Scripted):
    async def run(self) -> None:
        await asyncio.sleep(100)
        raise RuntimeError("out of ideas")


class Leaving(Scripted):
    async def run(self) -> None:
        await asyncio.sleep(100)


class Deaf(Scripted):
    def stop(self) -> None:
        pass


class Probing(Scripted):
    """Asks for a route that the venue does not have."""

    async def run(self) -> None:
        with contextlib.suppress(VenueError):
            await self.context.venue.request("GET", "/api/v2/mix/account/acount", {})
        await self.stopped.wait()


def steps(stage: Stage) -> list[tuple[str, str]]:
    return [(fact.step, fact.outcome) for fact in stage.facts if isinstance(fact, StopStep)]


def test_a_window_lies_on_utc_minutes_and_lasts_what_was_fixed(tmp_path: Path) -> None:
    with a_stage(tmp_path, bot=Scripted) as stage:
        finished(stage)
        opened = next(fact for fact in stage.facts if isinstance(fact, WindowOpened))
        closed = next(fact for fact in stage.facts if isinstance(fact, WindowClosed))
        assert opened.start_us % MINUTE_US == 0
        assert opened.end_us - opened.start_us == 15 * MINUTE_US
        assert opened.t_local_us == opened.start_us
        assert closed.t_local_us == closed.end_us == opened.end_us


def test_a_tape_begins_with_the_start_and_ends_with_what_every_source_covered(tmp_path: Path) -> None:
    with a_stage(tmp_path, bot=Scripted) as stage:
        facts = finished(stage).facts
        assert isinstance(facts[0], RunStarted)
        tail = facts[-len(Source) :]
        assert {fact.source for fact in tail if isinstance(fact, Covered)} == set(Source)
        ended = facts[-len(Source) - 1]
        assert isinstance(ended, RunEnded)
        assert ended.complete


def test_a_bot_that_crashes_is_written_down_and_the_run_goes_on_to_its_end(tmp_path: Path) -> None:
    with a_stage(tmp_path, bot=Crashing) as stage:
        finished(stage)
        assert stage.run.crash == "RuntimeError: out of ideas"
        assert ("crashed", "failed") in steps(stage)
        assert ("stopped", "crashed") in steps(stage)
        assert not stage.run.complete
        assert all(verdict.outcome is not Outcome.HELD for verdict in stage.run.verdicts)
        assert "the bot crashed and no step mentions it: RuntimeError: out of ideas" in stage.settle()


def test_a_bot_that_leaves_early_shows_nothing(tmp_path: Path) -> None:
    with a_stage(tmp_path, bot=Leaving) as stage:
        assert ("stopped", "before it was asked") in steps(finished(stage))
        assert not stage.run.complete
        assert "the bot crashed and no step mentions it: it left before it was asked to stop" in stage.settle()


def test_a_bot_that_does_not_stop_is_killed_after_the_terms_limit(tmp_path: Path) -> None:
    with a_stage(tmp_path, bot=Deaf) as stage:
        finished(stage)
        asked, killed = [fact for fact in stage.facts if isinstance(fact, StopStep)]
        assert killed.step == "killed"
        assert killed.t_local_us - asked.t_local_us == 30_000_000


@pytest.mark.parametrize(
    ("factory", "said"),
    [
        (lambda _: object(), "expected a bot with name and version as text, run and stop"),
        (lambda _: 1 / 0, "the bot's factory failed: ZeroDivisionError"),
    ],
)
def test_a_factory_that_makes_no_bot_leaves_no_folder(tmp_path: Path, factory: BotFactory, said: str) -> None:
    with a_stage(tmp_path, bot=factory) as stage:
        with pytest.raises(HarnessError, match=said):
            stage.start("BTCUSDT")
        assert list((tmp_path / "runs").iterdir()) == []


def test_an_unknown_call_fails_the_scenario_at_its_end_with_the_nearest_route(tmp_path: Path) -> None:
    with a_stage(tmp_path, bot=Probing) as stage:
        finished(stage)
        complaints = "\n".join(stage.settle())
        assert "40404" in complaints
        assert "/api/v2/mix/account/acount" in complaints
        assert "nearest known route is GET /api/v2/mix/account/account" in complaints


def test_a_no_trade_window_opens_after_the_lists_were_read_empty_twice(tmp_path: Path) -> None:
    with a_stage(tmp_path, role="no_trade") as stage:
        finished(stage)
        opened = next(fact for fact in stage.facts if isinstance(fact, WindowOpened))
        before = [fact for fact in stage.facts[: opened.seq] if isinstance(fact, OpenOrdersRead)]
        assert [fact.plain + fact.trigger for fact in before[-2:]] == [(), ()]


def test_a_foreign_order_does_not_keep_the_no_trade_window_from_opening(tmp_path: Path) -> None:
    with a_stage(tmp_path, role="no_trade") as stage:
        order_id = stage.venue.place_resting("desk-by-hand-7", Side.BUY, FAR)
        finished(stage)
        assert stage.verdict("N1").outcome is Outcome.BROKEN
        assert stage.open_order_ids() == (order_id,)


def test_a_run_is_rejudged_from_its_tape_alone(tmp_path: Path) -> None:
    with a_stage(tmp_path) as stage:
        run = finished(stage).run
        assert run.sealed is not None
        reading = read_tape(run.sealed / "tape.jsonl")
        assert list(reading.facts) == run.facts
        assert judge(reading.facts, run.plan.profile, run.plan.terms) == run.verdicts


def test_every_fill_is_on_the_tape_once_and_billed(tmp_path: Path) -> None:
    with a_stage(tmp_path) as stage:
        stage.volatility_percent = 600
        facts = finished(stage).facts
        fills = [fact for fact in facts if isinstance(fact, FillSeen)]
        bills = [fact for fact in facts if isinstance(fact, BillSeen)]
        assert len({fact.trade_id for fact in fills}) == len(fills)
        assert len(bills) == len(fills)
        assert sum(-bill.fee for bill in bills) == sum(fill.fee_usdt for fill in fills)


def test_secrets_reach_no_file_of_the_evidence(tmp_path: Path) -> None:
    with a_stage(tmp_path) as stage:
        sealed = finished(stage).run.sealed
        assert sealed is not None
        for path in sealed.iterdir():
            content = path.read_text()
            assert not [secret for secret in stage.venue.secrets() if secret in content], path.name


def test_the_same_seed_gives_the_same_payload_and_another_seed_another(tmp_path: Path) -> None:
    def payload(folder: str, seed: int) -> str:
        with a_stage(tmp_path / folder, seed=seed) as stage:
            sealed = finished(stage).run.sealed
            assert sealed is not None
            return str(json.loads((sealed / "manifest.json").read_text())["payload_sha256"])

    first = payload("one", 1)
    assert payload("two", 1) == first
    assert payload("three", 2) != first


def test_a_tape_that_hides_an_order_disagrees_with_the_journal(tmp_path: Path) -> None:
    with a_stage(tmp_path) as stage:
        run = finished(stage).run
        assert run.disagreements == ()
        run.tape.facts[:] = [fact for fact in run.facts if getattr(fact, "client_id", "").endswith("-1") is False]
        assert stage.venue.disagreements(run)


def test_a_refusal_that_no_step_mentions_fails_the_scenario(tmp_path: Path) -> None:

    with a_stage(tmp_path, bot=ROGUES["off_tick"].create) as stage:
        complaints = finished(stage).settle()
        assert any("refused a request with 45115" in complaint for complaint in complaints)
        stage.mention("45115")
        stage.mention("E4")
        assert stage.settle() == []


class Stopless(Scripted):
    """Raises when it is asked to stop, and ends all the same."""

    def stop(self) -> None:
        self.stopped.set()
        raise ValueError("not now")


class Undead(Scripted):
    """Swallows its cancellation."""

    async def run(self) -> None:
        while True:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(7)


class Quitting(Scripted):
    async def run(self) -> None:
        sys.exit(3)


class Late(Scripted):
    """A no-trade bot whose order rests until 25 s after its start."""

    async def run(self) -> None:
        await asyncio.sleep(25)
        for order in await self.context.venue.open_orders():
            await self.context.venue.cancel("BTCUSDT", order_id=order.order_id)
        await self.stopped.wait()


def test_a_bot_that_raises_when_asked_to_stop_has_crashed_and_the_run_is_whole(tmp_path: Path) -> None:
    with a_stage(tmp_path, bot=Stopless) as stage:
        assert finished(stage).run.crash == "ValueError: not now"
        assert stage.run.complete
        assert steps(stage)[:3] == [("asked", "sent"), ("crashed", "failed"), ("stopped", "crashed")]


def test_a_bot_that_cannot_be_killed_leaves_the_run_incomplete(tmp_path: Path) -> None:
    with a_stage(tmp_path, bot=Undead) as stage:
        finished(stage)
        assert ("killed", "it did not die") in steps(stage)
        assert not stage.run.complete
        assert all(verdict.outcome is not Outcome.HELD for verdict in stage.run.verdicts)


def test_a_bot_that_exits_the_interpreter_has_crashed(tmp_path: Path) -> None:
    with a_stage(tmp_path, bot=Quitting) as stage:
        assert finished(stage).run.crash == "SystemExit: 3"


def test_a_window_that_was_cut_short_shows_nothing(tmp_path: Path) -> None:
    with a_stage(tmp_path, role="no_trade") as stage:
        stage.start("BTCUSDT")
        stage.world.run_for(300)
        stage.settle()
        closed = next(fact for fact in stage.facts if isinstance(fact, WindowClosed))
        assert closed.reason == "stopped"
        assert not stage.run.record.complete
        assert all(verdict.outcome is not Outcome.HELD for verdict in stage.run.verdicts)


def test_a_second_run_waits_for_the_end_of_the_first(tmp_path: Path) -> None:
    with a_stage(tmp_path, bot=Scripted) as stage:
        stage.start("BTCUSDT")
        with pytest.raises(HarnessError, match="a run is under way"):
            stage.start("BTCUSDT")
        stage.finish()
        finished(stage)
        assert len({run.sealed for run in stage.runs}) == 2


def test_the_no_trade_window_waits_for_two_empty_readings_after_the_bots_start(tmp_path: Path) -> None:
    with a_stage(tmp_path, role="no_trade", bot=Late) as stage:
        stage.world.run_for(25)  # the preflight ends at about 36 s, so that 25 s more lie beyond the first minute
        stage.venue.place_resting("bot1-earlier-1", Side.BUY, FAR)
        finished(stage)
        opened = next(fact for fact in stage.facts if isinstance(fact, WindowOpened))
        read = [bool(fact.plain) for fact in stage.facts[: opened.seq] if isinstance(fact, OpenOrdersRead)]
        assert read.index(False) >= 4  # the preflight and the first readings after the start saw the order
        assert read[read.index(False) :].count(True) == 0
        assert len(read) - read.index(False) >= 2
        assert stage.verdict("N1").outcome is Outcome.HELD


def test_a_run_whose_files_were_never_sealed_lets_go_of_them(tmp_path: Path) -> None:
    with a_stage(tmp_path, bot=Scripted) as stage:
        run = stage.start("BTCUSDT")
    assert run.sealed is None
    assert [path.name.endswith(".INCOMPLETE") for path in (tmp_path / "runs").iterdir()] == [True]


class Ageless(Scripted):
    version = 1  # type: ignore[assignment]


def test_a_bot_whose_version_is_no_text_is_refused(tmp_path: Path) -> None:
    with a_stage(tmp_path, bot=Ageless) as stage, pytest.raises(HarnessError, match="name and version as text"):
        stage.start("BTCUSDT")


class Writing(Scripted):
    """Hands in rows that are none, and takes every refusal lightly."""

    rows = ({"price": 1}, {"price": None}, {"colour": "red"}, {"price": "x" * 10_001}, ["price"])

    async def run(self) -> None:
        for row in self.rows:
            with contextlib.suppress(HarnessError):
                self.context.evidence.fill(row)  # type: ignore[arg-type]
        await self.stopped.wait()


def test_a_row_that_is_none_reaches_neither_tape_nor_file(tmp_path: Path) -> None:
    with a_stage(tmp_path, bot=Writing) as stage:
        sealed = finished(stage).run.sealed
        assert sealed is not None
        assert len((sealed / "fills.csv").read_text().splitlines()) == 1
        assert not [fact for fact in stage.facts if isinstance(fact, BotFill)]


class LeavesLate(Scripted):
    """Stops in time, and places an order while the books are being read."""

    async def run(self) -> None:
        await self.stopped.wait()
        self.later = asyncio.create_task(self.place())

    async def place(self) -> None:
        await asyncio.sleep(7)
        with contextlib.suppress(Exception):
            await self.context.venue.place(
                OrderRequest(
                    symbol="BTCUSDT",
                    side=Side.BUY,
                    order_type=OrderType.LIMIT,
                    size=Decimal("0.0001"),
                    price=Decimal(60000),
                    client_id=f"{self.context.client_id_prefix}9",
                )
            )


def test_a_bot_that_was_stopped_is_cut_off_before_the_books_are_read(tmp_path: Path) -> None:
    with a_stage(tmp_path, bot=LeavesLate) as stage:
        finished(stage)
        assert stage.open_order_ids() == ()
        assert stage.effects()["orders placed"] == 0
        assert stage.run.disagreements == ()


def test_orders_under_other_names_are_counted_and_named(tmp_path: Path) -> None:
    class Renamed(Scripted):
        async def run(self) -> None:
            for number in range(2):
                await self.context.venue.place(
                    OrderRequest(
                        symbol="BTCUSDT",
                        side=Side.BUY,
                        order_type=OrderType.LIMIT,
                        size=Decimal("0.0001"),
                        price=Decimal(60000 + number),
                        client_id=f"x-{number}",
                    )
                )
            await self.stopped.wait()

    with a_stage(tmp_path, bot=Renamed) as stage:
        finished(stage)
        assert stage.effects()["orders placed"] == 2
        assert any("placed an order as 'x-0'" in complaint for complaint in stage.settle())


def test_an_infeasible_profile_is_not_run(tmp_path: Path) -> None:
    with a_stage(tmp_path) as stage:
        stage.use_profile("epp_v2_4_bot1_bitget_live_microcap")
        with pytest.raises(NotShown, match="INFEASIBLE at 67"):
            stage.start("BTCUSDT")
        assert stage.runs == []


class Switched(Scripted):
    """Remembers what its operator did."""

    def __init__(self, context: BotContext) -> None:
        super().__init__(context)
        self.actions: list[str] = []

    def operate(self, action: str) -> None:
        self.actions.append(action)
        if action == "break":
            raise RuntimeError("the switch came off")


def test_what_the_operator_does_is_on_the_tape_and_reaches_the_bot(tmp_path: Path) -> None:
    made: list[Switched] = []

    def create(context: BotContext) -> Switched:
        made.append(Switched(context))
        return made[-1]

    with a_stage(tmp_path, bot=create, window="2m") as stage:
        stage.start("BTCUSDT")
        stage.operate("stop")
        stage.operate("resume")
        stage.finish()
        actions = [(fact.action, fact.src) for fact in stage.facts if isinstance(fact, OperatorAction)]
    assert actions == [("stop", Source.OPERATOR), ("resume", Source.OPERATOR)]
    assert made[0].actions == ["stop", "resume"]


def test_a_bot_without_a_switch_shows_nothing_of_an_operators_stop(tmp_path: Path) -> None:
    with a_stage(tmp_path, bot=Scripted, window="2m") as stage:
        stage.start("BTCUSDT")
        with pytest.raises(NotShown, match="scripted has no switch"):
            stage.operate("stop")
        stage.finish()
        assert not [fact for fact in stage.facts if isinstance(fact, OperatorAction)]


def test_a_switch_that_breaks_is_a_crash_of_the_bot(tmp_path: Path) -> None:
    with a_stage(tmp_path, bot=Switched, window="2m") as stage:
        stage.start("BTCUSDT")
        stage.operate("break")
        assert stage.finish().crash == "RuntimeError: the switch came off"


def test_a_restarted_bot_gets_longer_client_ids_and_the_trades_that_were_written_down(tmp_path: Path) -> None:
    contexts: list[BotContext] = []

    class Writing(Scripted):
        async def run(self) -> None:
            if self.context.client_id_prefix == self.context.run_prefix:
                self.context.evidence.fill({"exchange_trade_id": "77"})
            await super().run()

    def create(context: BotContext) -> Writing:
        contexts.append(context)
        return Writing(context)

    with a_stage(tmp_path, bot=create, window="2m") as stage:
        run = stage.start("BTCUSDT")
        stage.restart()
        stage.finish()
        [restarted] = [fact for fact in run.facts if isinstance(fact, BotRestarted)]
    first, second = contexts
    assert first.client_id_prefix == first.run_prefix == second.run_prefix
    assert second.client_id_prefix == f"{second.run_prefix}r2-" == restarted.client_id_prefix
    assert (first.recorded_trades, second.recorded_trades) == (frozenset(), {"77"})


def test_a_bot_that_is_gone_cannot_be_restarted(tmp_path: Path) -> None:
    with a_stage(tmp_path, bot=Leaving, window="2m") as stage:
        stage.start("BTCUSDT")
        stage.world.run_for(100)
        with pytest.raises(HarnessError, match="none is running"):
            stage.restart()


def test_a_position_of_before_is_not_of_the_run_but_of_its_day(tmp_path: Path) -> None:
    with a_stage(tmp_path, role="no_trade", window="2m") as stage:
        stage.hold(Decimal("0.0001"), is_declared=True)
        finished(stage)
        [earlier] = [fact for fact in stage.facts if isinstance(fact, EarlierToday)]
        assert not [fact for fact in stage.facts if isinstance(fact, FillSeen)]
        assert stage.position() == Decimal("0.0001")
    assert (earlier.fills, earlier.traded_usdt > 6) == (1, True)


def test_the_profile_and_the_terms_of_a_run_lie_in_its_folder(tmp_path: Path) -> None:
    with a_stage(tmp_path, window="2m") as stage:
        stage.change_profile({"executor_refresh_time": "45"})
        run = finished(stage).run
        assert run.sealed is not None
        profile = Profile.load(run.sealed / f"{run.plan.profile.id}.yml")
        terms = Terms.load(run.sealed / "day15.yml")
    assert (profile.executor_refresh_time, profile.sha256) == (45, run.plan.profile.sha256)
    assert terms.sha256 == run.plan.terms.sha256


def test_a_hard_stop_outlives_the_process_that_said_it(tmp_path: Path) -> None:
    with a_stage(tmp_path, window="5m") as stage:
        stage.start("BTCUSDT")
        stage.operate("stop")
        stage.world.run_for(5)
        stage.restart()
        stage.world.run_for(100)
        assert stage.run.state[0] == "hard_stop"
        assert stage.verdict("E13").outcome is Outcome.HELD
        assert stage.settle() == []
