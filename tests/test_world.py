"""Time moves only inside the calls of a world."""

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from decimal import Decimal

import pytest

from botproof.errors import HarnessError, Incomplete, VenueError
from botproof.virtual import VirtualDeadlock
from botproof.world import RealWorld, World

EPOCH_US = 1_771_722_000_000_000  # 2026-02-22T01:00:00Z


@pytest.fixture
def world() -> Iterator[World]:
    with World(epoch_us=EPOCH_US) as world:
        yield world


@pytest.fixture
def real_world() -> Iterator[RealWorld]:
    with RealWorld() as world:
        yield world


async def tick(period_s: float, ticks: list[float]) -> None:
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(period_s)
        ticks.append(loop.time())


async def fail_after(seconds: float, error: Exception) -> None:
    await asyncio.sleep(seconds)
    raise error


async def result_after(seconds: float, result: str) -> str:
    await asyncio.sleep(seconds)
    return result


# Time


def test_it_begins_at_its_epoch_and_stands_still_between_calls(world: World) -> None:
    time.sleep(0.002)
    assert world.clock.now_us() == EPOCH_US


@pytest.mark.parametrize("seconds", [1, 27, 0, Decimal("0.000001"), Decimal("59.999999"), 86_400, 30 * 86_400])
def test_run_for_advances_the_clock_by_exactly_that(world: World, seconds: Decimal | int) -> None:
    world.run_for(Decimal("0.1"))
    world.run_for(seconds)
    assert world.clock.now_us() == EPOCH_US + 100_000 + int(seconds * 1_000_000)


def test_run_for_does_what_is_due_at_its_last_instant_and_nothing_later(world: World) -> None:
    ticks: list[float] = []
    world.spawn(tick(10, ticks), name="ticks")
    world.run_for(30)
    assert ticks == [10.0, 20.0, 30.0]
    world.run_for(Decimal("9.999999"))
    assert len(ticks) == 3


def test_many_short_moves_see_what_one_long_move_sees() -> None:
    seen = []
    for moves, seconds in ((1, Decimal(12)), (120, Decimal("0.1"))):
        with World(epoch_us=EPOCH_US) as world:
            ticks: list[float] = []
            world.spawn(tick(0.7, ticks), name="ticks")
            for _ in range(moves):
                world.run_for(seconds)
            seen.append((ticks, world.clock.now_us()))
    assert seen[0] == seen[1]


def test_a_fraction_of_a_microsecond_is_refused(world: World) -> None:
    with pytest.raises(HarnessError, match="whole microseconds"):
        world.run_for(Decimal("0.0000001"))


def test_time_does_not_run_backwards(world: World) -> None:
    with pytest.raises(HarnessError, match="backwards"):
        world.run_until_us(EPOCH_US - 1)
    with pytest.raises(HarnessError, match="forward"):
        world.run_for(-1)


# What lives in it


def test_a_spawned_task_starts_with_the_next_move(world: World) -> None:
    started: list[bool] = []

    async def main() -> None:
        started.append(True)

    task = world.spawn(main(), name="bot")
    assert (started, task.get_name()) == ([], "bot")
    world.run_for(0)
    assert started == [True]


def test_run_returns_the_result_and_lets_time_pass(world: World) -> None:
    assert world.run(result_after(2.5, "done")) == "done"
    assert world.clock.now_us() == EPOCH_US + 2_500_000


def test_run_raises_what_the_coroutine_raises(world: World) -> None:
    with pytest.raises(VenueError, match="40774"):
        world.run(fail_after(1, VenueError("40774", "mode mismatch")))


def test_run_of_what_can_never_return_is_an_error_at_once(world: World) -> None:
    with pytest.raises(VirtualDeadlock, match="nothing is scheduled"):
        world.run(asyncio.Event().wait())
    assert world.loop.tasks() == []
    world.run_for(1)


def test_a_bounded_move_may_pass_with_nothing_to_do(world: World) -> None:
    world.spawn(asyncio.Event().wait(), name="waits for ever")
    world.run_for(60)
    assert world.clock.now_us() == EPOCH_US + 60_000_000


# Waiting for something


def test_run_until_stops_at_the_first_instant_at_which_it_holds(world: World) -> None:
    ticks: list[float] = []
    world.spawn(tick(0.7, ticks), name="ticks")
    assert world.run_until(lambda: len(ticks) == 3, 60) is True
    assert world.clock.now_us() == EPOCH_US + 2_100_000


def test_run_until_sees_what_holds_for_an_instant_only(world: World) -> None:
    state = {"open": False}

    async def blink() -> None:
        await asyncio.sleep(5)
        state["open"] = True
        await asyncio.sleep(0)
        state["open"] = False

    world.spawn(blink(), name="blink")
    assert world.run_until(lambda: state["open"], 10) is True
    assert state["open"]
    world.run_for(0)
    assert not state["open"]


def test_run_until_gives_up_at_its_limit(world: World) -> None:
    assert world.run_until(lambda: False, Decimal("2.5")) is False
    assert world.clock.now_us() == EPOCH_US + 2_500_000


def test_run_until_takes_no_time_where_it_holds_already(world: World) -> None:
    world.spawn(fail_after(0, ZeroDivisionError()), name="unlucky")
    assert world.run_until(lambda: True, 10) is True
    assert world.clock.now_us() == EPOCH_US
    with pytest.raises(HarnessError):
        world.run_for(0)


def test_what_holds_at_the_limit_itself_holds(world: World) -> None:
    ticks: list[float] = []
    world.spawn(tick(5, ticks), name="ticks")
    assert world.run_until(lambda: bool(ticks), 5) is True


# What dies in it


def test_a_spawned_task_that_fails_ends_the_move_in_which_it_fails(world: World) -> None:
    world.spawn(fail_after(3, ZeroDivisionError("by zero")), name="bot")
    with pytest.raises(HarnessError, match="task bot ended with ZeroDivisionError: by zero") as caught:
        world.run_for(60)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert world.clock.now_us() == EPOCH_US + 3_000_000
    world.run_for(1)


@pytest.mark.parametrize("move", ["run", "run_until"])
def test_every_move_raises_it(world: World, move: str) -> None:
    world.spawn(fail_after(3, ZeroDivisionError()), name="bot")
    with pytest.raises(HarnessError, match="task bot"):
        world.run(asyncio.Event().wait()) if move == "run" else world.run_until(lambda: False, 60)


def test_a_cancelled_task_is_no_failure(world: World) -> None:
    task = world.spawn(asyncio.sleep(60), name="bot")
    world.run_for(1)
    task.cancel()
    world.run_for(1)
    assert task.cancelled()


# The end


def test_close_cancels_the_youngest_first_and_waits_for_each() -> None:
    ended: list[str] = []

    async def live(name: str) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(1)
            ended.append(name)

    world = World(epoch_us=EPOCH_US)
    for name in ("fake", "observer", "bot"):
        world.spawn(live(name), name=name)
    world.run_for(1)
    world.close()
    assert ended == ["bot", "observer", "fake"]
    assert world.loop.is_closed()
    world.close()


def test_close_raises_what_fails_while_unwinding() -> None:
    async def stubborn() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise ZeroDivisionError

    world = World(epoch_us=EPOCH_US)
    world.spawn(stubborn(), name="bot")
    world.run_for(1)
    with pytest.raises(HarnessError, match="task bot"):
        world.close()
    assert world.loop.is_closed()


def test_an_error_inside_the_block_is_not_hidden_by_one_at_its_end() -> None:
    def body() -> None:
        with World(epoch_us=EPOCH_US) as world:
            world.spawn(fail_after(0, ZeroDivisionError()), name="bot")
            raise KeyError("the first")

    with pytest.raises(KeyError):
        body()


def test_a_thread_takes_no_virtual_time_in_it(world: World) -> None:
    world.run(asyncio.to_thread(time.sleep, 0.01))
    assert world.clock.now_us() == EPOCH_US


# On the machine's clock


def test_the_real_world_has_the_same_calls(real_world: RealWorld) -> None:
    ticks: list[float] = []
    real_world.spawn(tick(0.01, ticks), name="ticks")
    before = real_world.clock.now_us()
    assert real_world.run_until(lambda: len(ticks) >= 2, 5) is True
    real_world.run_for(Decimal("0.02"))
    assert real_world.clock.now_us() - before >= 40_000
    assert real_world.run(result_after(0.01, "done")) == "done"
    assert real_world.run_until(lambda: False, Decimal("0.02")) is False


def test_a_task_that_fails_ends_the_move_in_the_real_world_too(real_world: RealWorld) -> None:
    real_world.spawn(fail_after(0.02, ZeroDivisionError()), name="bot")
    with pytest.raises(HarnessError, match="task bot ended with ZeroDivisionError"):
        real_world.run_for(20)


def test_the_real_world_cancels_what_is_left() -> None:
    world = RealWorld()
    task = world.spawn(asyncio.sleep(60), name="bot")
    world.close()
    assert task.cancelled()


def test_a_failure_that_is_handed_in_ends_the_move_that_is_going_on() -> None:
    with World(epoch_us=0) as world:
        world.loop.call_later(3, world.fail, Incomplete("the disk is full"))
        with pytest.raises(Incomplete, match="the disk is full"):
            world.run_for(10)
        assert world.clock.now_us() == 3_000_000
        world.run_for(1)


def test_a_task_that_fails_while_another_unwinds_leaves_it_the_time_to_do_so() -> None:
    unwound: list[str] = []

    async def slow() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(2)
            unwound.append("slow")

    async def failing() -> None:
        await asyncio.sleep(2)
        raise ValueError("in the middle")

    world = World(epoch_us=0)
    world.spawn(failing(), name="failing")
    world.spawn(slow(), name="slow")
    world.run_for(1)
    with pytest.raises(HarnessError, match="in the middle"):
        world.close()
    assert unwound == ["slow"]


def test_ctrl_c_ends_a_move_between_two_steps_and_tears_nothing() -> None:
    """What a signal interrupts in Python may be anything; what it does to a world is not."""
    done: list[str] = []

    async def write() -> None:
        await asyncio.sleep(1)
        done.append("begun")
        os.kill(os.getpid(), signal.SIGINT)
        done.append("ended")
        await asyncio.sleep(1)
        done.append("after")

    with World(epoch_us=0) as world:
        world.spawn(write(), name="writer")
        with pytest.raises(KeyboardInterrupt):
            world.run_for(10)
        assert (done, world.clock.now_us()) == (["begun", "ended"], 1_000_000)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_second_ctrl_c_ends_what_does_not_come_to_its_next_step() -> None:
    async def spin() -> None:
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGINT)
        raise AssertionError("it went on")

    def spinning() -> None:
        with World(epoch_us=0) as world:
            world.spawn(spin(), name="spinner")
            world.run_for(10)

    with pytest.raises(KeyboardInterrupt):
        spinning()
