"""Where a run takes place: one loop, one clock, and the only calls in which time moves.

A step of a feature, or a test, stands outside the loop. It spawns what lives in the world (a bot, an observer, a fake)
and then lets time pass: until a coroutine has returned (`run`), for a stretch (`run_for`), to an instant
(`run_until_us`), or until something holds (`run_until`). Between these calls nothing moves.

`World` stands on virtual time, `RealWorld` on the machine's, with its loop in a thread; callers cannot tell which.
An exception that leaves a spawned task ends the move in which it happens: it is raised there as a `HarnessError`, with
the exception as its cause, so nothing that died goes on counting as alive.
"""

import asyncio
import contextlib
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from decimal import Decimal
from types import FrameType
from typing import Any, Self, TypeVar

from botproof.clock import Clock, SystemClock
from botproof.errors import HarnessError, Incomplete
from botproof.virtual import VirtualClock, VirtualLoop

Result = TypeVar("Result")

_UNWINDING_LIMIT_S = 60  # what a cancelled task may take to close its connections
_REAL_POLL_S = 0.01
MOVE_MAX_US = 31 * 86_400 * 1_000_000  # more is a slip of whoever wrote the feature


class _Spawned:
    """The tasks of a world in order of birth, and what went wrong in them."""

    def __init__(self, interrupt: Callable[[], None] = lambda: None) -> None:
        self._tasks: list[asyncio.Task[Any]] = []
        self._interrupt = interrupt  # ends the move that is going on
        self.failures: list[tuple[str, BaseException]] = []  # in words and as raised; not raised yet

    def add(self, task: asyncio.Task[Any]) -> None:
        self._tasks.append(task)
        task.add_done_callback(self._done)

    def youngest_first(self) -> list[asyncio.Task[Any]]:
        return [task for task in reversed(self._tasks) if not task.done()]

    def raise_failure(self) -> None:
        """Raise the first failure, once; what else failed at the same instant is named in the message."""
        if not self.failures:
            return
        said = "; ".join(words for words, _ in self.failures)
        cause = self.failures[0][1]
        self.failures.clear()
        raise (Incomplete if isinstance(cause, Incomplete) else HarnessError)(said) from cause

    def _done(self, task: asyncio.Task[Any]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._add(f"task {task.get_name()} ended with {type(error).__name__}: {error}", error)

    def fail(self, error: HarnessError) -> None:
        self._add(str(error), error)

    def _add(self, words: str, error: BaseException) -> None:
        self.failures.append((words, error))
        self._interrupt()


class World:
    """A world on virtual time that begins at `epoch_us` (microseconds since 1970)."""

    clock: Clock

    def __init__(self, *, epoch_us: int) -> None:
        self.loop = VirtualLoop()
        self._runner = asyncio.Runner(loop_factory=lambda: self.loop)
        self._runner.get_loop()  # from here on the runner owns the loop
        self.clock = VirtualClock(self.loop, epoch_us)
        self._epoch_us = epoch_us
        self._spawned = _Spawned(self.loop.interrupt)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            self.close()
        except HarnessError:
            if kind is None:
                raise

    def run(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        """Drive until `coroutine` has returned, and return its result; time passes as it needs.

        Raises what the coroutine raises, `VirtualDeadlock` where it can never return.
        """
        task = self.loop.create_task(coroutine)
        try:
            self._move(None, task.done)
        finally:
            self._cancel(task)
        result: Result = task.result()
        return result

    def spawn(self, coroutine: Coroutine[Any, Any, Any], *, name: str) -> asyncio.Task[Any]:
        """Give `coroutine` a life of its own; it starts with the next move of time."""
        task = self.loop.create_task(coroutine, name=name)
        self._spawned.add(task)
        return task

    def fail(self, error: HarnessError) -> None:
        """End the move that is going on, else the next one, with an error of the same words."""
        self._spawned.fail(error)

    def run_for(self, seconds: Decimal | int) -> None:
        """Let exactly `seconds` pass; all that is due by then, the last instant included, is done."""
        self.run_until_us(self.clock.now_us() + _microseconds(seconds))

    def run_until_us(self, at_us: int) -> None:
        """Let time pass to `at_us` exactly. Raises `HarnessError` where that lies in the past."""
        if at_us < self.clock.now_us():
            raise HarnessError(f"time does not run backwards: {at_us} is before {self.clock.now_us()}")
        self._move(at_us, None)

    def run_until(self, predicate: Callable[[], bool], limit_s: Decimal | int) -> bool:
        """Let time pass until `predicate` holds: True at the first instant at which it does, False at the limit.

        It is asked between any two steps of the loop, so it must be quick and change nothing.
        """
        return self._move(self.clock.now_us() + _microseconds(limit_s), predicate)

    def close(self) -> None:
        """Cancel what is left, the youngest first, and close the loop. Raises what failed while unwinding.

        A task that outlives its cancellation by a minute is torn from the loop: it cannot keep it going for ever.
        """
        if self.loop.is_closed():
            return
        try:
            for task in [*self._spawned.youngest_first(), *reversed(self.loop.tasks())]:
                self._cancel(task)
                if not task.done():
                    _tear_out(task)
        finally:
            if all(task.done() or _is_over(task) for task in self.loop.tasks()):
                self._runner.close()
            else:
                self.loop.close()
        self._spawned.raise_failure()

    def _move(self, until_us: int | None, stop_when: Callable[[], bool] | None) -> bool:
        self._spawned.raise_failure()
        limit = None if until_us is None else until_us - self._epoch_us
        with _interruptible(self.loop):
            held = self.loop.drive(until_us=limit, stop_when=stop_when)
        self._spawned.raise_failure()
        return held

    def _cancel(self, task: asyncio.Task[Any]) -> None:
        if not task.done():
            task.cancel()
            limit = self.loop.now_us() + _microseconds(_UNWINDING_LIMIT_S)
            while self.loop.drive(until_us=limit, stop_when=task.done) and not task.done():
                pass  # interrupted: something else failed while this unwinds


class RealWorld:
    """The same world on the machine's clock; the loop runs in a thread of its own."""

    clock: Clock

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.clock = SystemClock()
        self._spawned = _Spawned()
        self._thread = threading.Thread(target=self.loop.run_forever, name="botproof world", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            self.close()
        except HarnessError:
            if kind is None:
                raise

    def run(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        """Wait until `coroutine` has returned, and return its result; raises what it raises."""
        return self._there(self._beside(coroutine))

    def spawn(self, coroutine: Coroutine[Any, Any, Any], *, name: str) -> asyncio.Task[Any]:
        """Give `coroutine` a life of its own, at once."""

        async def begin() -> asyncio.Task[Any]:
            task = asyncio.create_task(coroutine, name=name)
            self._spawned.add(task)
            return task

        return self._there(begin())

    def fail(self, error: HarnessError) -> None:
        """End the move that is going on, else the next one, with an error of the same words."""
        self._spawned.fail(error)

    def run_for(self, seconds: Decimal | int) -> None:
        """Let `seconds` pass, at least."""
        self.run_until_us(self.clock.now_us() + _microseconds(seconds))

    def run_until_us(self, at_us: int) -> None:
        """Let time pass to `at_us`, at least."""
        self._there(self._until(_never, at_us))

    def run_until(self, predicate: Callable[[], bool], limit_s: Decimal | int) -> bool:
        """Let time pass until `predicate` holds (asked every 10 ms, in the loop's thread) or the limit is reached."""
        return self._there(self._until(predicate, self.clock.now_us() + _microseconds(limit_s)))

    def close(self) -> None:
        """Cancel what is left, the youngest first, and end the thread. Raises what failed while unwinding."""
        if self.loop.is_closed():
            return
        try:
            asyncio.run_coroutine_threadsafe(self._unwind(), self.loop).result(_UNWINDING_LIMIT_S)
        finally:
            self.loop.call_soon_threadsafe(self.loop.stop)
            self._thread.join(_UNWINDING_LIMIT_S)
            self.loop.close()
        self._spawned.raise_failure()

    def _there(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        future: Future[Result] = asyncio.run_coroutine_threadsafe(coroutine, self.loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    async def _beside(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        task = asyncio.create_task(coroutine)
        try:
            while not task.done():
                self._spawned.raise_failure()
                await asyncio.wait([task], timeout=_REAL_POLL_S)
        finally:
            task.cancel()
        return task.result()

    async def _until(self, predicate: Callable[[], bool], at_us: int) -> bool:
        while True:
            self._spawned.raise_failure()
            if predicate():
                return True
            left_us = at_us - self.clock.now_us()
            if left_us <= 0:
                return False
            await asyncio.sleep(min(_REAL_POLL_S, left_us / 1_000_000))

    async def _unwind(self) -> None:
        me = asyncio.current_task()
        for task in [*self._spawned.youngest_first(), *asyncio.all_tasks()]:
            if task is not me and not task.done():
                task.cancel()
                await asyncio.wait([task])
        await self.loop.shutdown_asyncgens()
        await self.loop.shutdown_default_executor()


@contextlib.contextmanager
def _interruptible(loop: VirtualLoop) -> Iterator[None]:
    """Ctrl-C ends a move between two steps of the loop, so that no line of evidence is torn; a second one, at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    asked: list[int] = []

    def ask(number: int, frame: FrameType | None) -> None:
        if asked and callable(usual):
            usual(number, frame)
        asked.append(number)
        loop.interrupt()

    usual = signal.getsignal(signal.SIGINT)
    if usual is not signal.default_int_handler:  # somebody else decides what Ctrl-C means
        yield
        return
    signal.signal(signal.SIGINT, ask)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)
    if asked:
        raise KeyboardInterrupt


def _tear_out(task: asyncio.Task[Any]) -> None:
    """End the coroutine of a task that swallows its cancellation; one that swallows even this stays as it is."""
    coroutine = task.get_coro()
    with contextlib.suppress(RuntimeError):
        coroutine.close()


def _is_over(task: asyncio.Task[Any]) -> bool:
    return getattr(task.get_coro(), "cr_frame", None) is None


def _never() -> bool:
    return False


def _microseconds(seconds: Decimal | int) -> int:
    exact = Decimal(seconds) * 1_000_000
    if exact != int(exact) or exact < 0:
        raise HarnessError(f"time moves forward by whole microseconds; found {seconds} s")
    if exact > MOVE_MAX_US:
        raise HarnessError(f"expected a wait of at most {MOVE_MAX_US // 1_000_000} s, found {seconds} s")
    return int(exact)
