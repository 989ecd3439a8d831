"""A loop whose time jumps: asyncio programs run unmodified, without waiting and without sockets.

Theory
------
An asyncio loop does one thing over and over: it computes how long it may wait for the kernel (`select(timeout)`), then
runs what became ready. Nothing else in it takes time. So a loop whose `select` moves the clock instead of waiting runs
any program of timers and tasks in the same order, in no time. Four rules make that exact:

1. **Time is a number.** `time()` starts at 0 and is set to the due time of the next timer, never added up. It starts at
   0 and not at an epoch because a float of epoch size has steps of 0.2 us; the epoch is an integer that `VirtualClock`
   adds when a stamp is made.
2. **A timer runs at its own instant.** asyncio runs every timer that is due within its clock resolution; the resolution
   here is one float step, so no timer runs early, and `sleep(deadline - time())` always reaches its deadline.
3. **Ties are first come, first served.** asyncio's heap leaves the order of equal due times open; timers here are
   ordered by (due time, order of creation). Nothing depends on hashes or on the heap's shape.
4. **Nothing left is an error.** Where nothing is ready, nothing is scheduled and no thread is out, no wait would ever
   end: `VirtualDeadlock`, at once. So is a busy wait, which would hold time still for ever.

`drive` stops before a jump would pass its limit, or between two iterations as soon as its predicate holds; what was
ready then stays ready for the next call. Threads of `run_in_executor` take real time and no virtual time: while one is
out, time stands still and the kernel is polled. What it returns arrives at the right instant, but in no promised order
within that instant.

The network is `network.py`: servers and connections of this loop live in memory. `ssl` arguments of the loop are
accepted and mean nothing: no byte leaves the process.
"""

import asyncio
import heapq
import itertools
import math
import selectors
import socket
from collections.abc import Callable, Coroutine, Generator
from concurrent.futures import Executor
from contextvars import Context
from typing import Any, TypeVar, TypeVarTuple
from weakref import WeakKeyDictionary

from botproof.errors import HarnessError
from botproof.network import Network

_MAX_TURNS_AT_ONE_INSTANT = 1_000_000

Arguments = TypeVarTuple("Arguments")
Result = TypeVar("Result")


class VirtualDeadlock(HarnessError):
    """Virtual time cannot move: nothing is ready and nothing is scheduled, or a task spins without waiting."""


class _Halt(Exception):
    """Leave `run_forever` here, with what is ready still ready."""

    def __init__(self, *, held: bool) -> None:
        self.held = held


class _Timer(asyncio.TimerHandle):
    """A timer that knows when it was made."""

    __slots__ = ("rank",)

    rank: tuple[float, int]  # due time, order of creation
    _scheduled: bool  # of asyncio: whether it is on the heap, which a cancelled timer may still be

    def __lt__(self, other: "_Timer") -> bool:  # type: ignore[override]  # every timer of this loop is one
        return self.rank < other.rank


class _Turnstile(selectors.DefaultSelector):
    """Where asyncio would wait. The kernel is asked only while a thread is out."""

    def __init__(self, turn: Callable[[float | None], bool]) -> None:
        super().__init__()
        self._turn = turn

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if not self._turn(timeout):
            return []
        return super().select(0 if timeout is not None and timeout <= 0 else None)


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop on virtual time with a network in memory; see the module's theory."""

    _scheduled: list[asyncio.TimerHandle]  # of asyncio: the heap of timers, cancelled ones included
    _clock_resolution: float  # of asyncio: timers due within it run now
    _closed: bool  # of asyncio

    def __init__(self) -> None:
        self._now, self._now_us = 0.0, 0
        self._turns = 0
        self._threads_out = 0
        self._until_us: int | None = None
        self._stop_when: Callable[[], bool] | None = None
        self._is_driven = self._interrupted = False
        self._orders = itertools.count()
        self._task_orders: WeakKeyDictionary[asyncio.Task[Any], int] = WeakKeyDictionary()
        self._network = Network(self)
        super().__init__(_Turnstile(self._turn))
        self._clock_resolution = math.ulp(self._now)

    # Time

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._now

    def now_us(self) -> int:
        """Virtual microseconds since the loop was made."""
        return self._now_us

    def drive(self, *, until_us: int | None = None, stop_when: Callable[[], bool] | None = None) -> bool:
        """Run from outside until `stop_when` holds (True) or all that is due by `until_us` is done (False).

        `stop_when` is asked between loop iterations; when it holds, time stands at that instant. At the limit
        `now_us()` is `until_us` exactly. Without a limit, raises `VirtualDeadlock` where time cannot move.
        """
        if self.is_running():
            raise HarnessError("virtual time is moved from outside the loop; inside it, await asyncio.sleep()")
        self._until_us, self._stop_when, self._turns, self._is_driven = until_us, stop_when, 0, True
        try:
            self.run_forever()
        except _Halt as halt:
            return halt.held
        finally:
            self._until_us = self._stop_when = None
            self._is_driven = self._interrupted = False
        return False  # somebody called stop()

    def interrupt(self) -> None:
        """Let the drive that is going on end before its next iteration, as if its predicate held."""
        self._interrupted = self._is_driven

    def call_at(
        self, when: float, callback: Callable[[*Arguments], object], *args: *Arguments, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """As asyncio, with ties in order of creation."""
        if self._closed:
            raise RuntimeError("Event loop is closed")
        timer = _Timer(when, callback, args, self, context)
        timer.rank = (when, next(self._orders))
        heapq.heappush(self._scheduled, timer)
        timer._scheduled = True  # noqa: SLF001 -- as asyncio does in call_at
        return timer

    def _turn(self, timeout: float | None) -> bool:
        """One loop iteration begins: halt, move time, or neither; whether the kernel must be polled."""
        if self._interrupted or (self._stop_when is not None and self._stop_when()):
            raise _Halt(held=True)
        if self._threads_out:
            return True
        if timeout is None or timeout > 0:
            self._jump()
            return False
        self._turns += 1
        if self._turns > _MAX_TURNS_AT_ONE_INSTANT:
            raise VirtualDeadlock(
                f"{_MAX_TURNS_AT_ONE_INSTANT} loop iterations at {self._now} s and time has not moved: "
                f"something waits busily instead of sleeping; {self._waiting()}"
            )
        return False

    def _jump(self) -> None:
        due = self._scheduled[0].when() if self._scheduled else None
        if self._until_us is not None and (due is None or round(due * 1_000_000) > self._until_us):
            self._move_to(max(self._now, self._until_us / 1_000_000))
            raise _Halt(held=self._stop_when is not None and self._stop_when())
        if due is None:
            raise VirtualDeadlock(f"nothing is ready and nothing is scheduled at {self._now} s; {self._waiting()}")
        self._move_to(due)

    def _move_to(self, instant: float) -> None:
        self._now, self._now_us = instant, round(instant * 1_000_000)
        self._clock_resolution = math.ulp(instant)
        self._turns = 0

    # Tasks

    def create_task(
        self, coro: Generator[Any, None, Result] | Coroutine[Any, Any, Result], **options: Any
    ) -> asyncio.Task[Result]:
        """As asyncio; remembers the order of creation."""
        task = super().create_task(coro, **options)
        self._task_orders[task] = next(self._orders)
        return task

    def tasks(self) -> list[asyncio.Task[Any]]:
        """The tasks that are not done, in order of creation."""
        return sorted(asyncio.all_tasks(self), key=lambda task: self._task_orders.get(task, -1))

    def _waiting(self) -> str:
        names = [f"{task.get_name()} at {_place(task)}" for task in self.tasks()]
        return f"{len(names)} task(s) wait: {'; '.join(names)}" if names else "no task is left"

    # Threads

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*Arguments], Result], *args: *Arguments
    ) -> asyncio.Future[Result]:
        """As asyncio; virtual time stands still until the thread has answered."""
        future = super().run_in_executor(executor, func, *args)
        self._threads_out += 1
        future.add_done_callback(self._thread_is_back)
        return future

    def _thread_is_back(self, _: object) -> None:
        self._threads_out -= 1

    async def shutdown_default_executor(self, *args: Any, **options: Any) -> None:
        """As asyncio, which waits here for a thread of its own."""
        self._threads_out += 1
        try:
            await super().shutdown_default_executor(*args, **options)
        finally:
            self._threads_out -= 1

    # Network

    def close(self) -> None:
        """As asyncio."""
        if not self.is_running():
            self._network.close()
        super().close()

    async def getaddrinfo(self, host: bytes | str | None, port: Any, **_options: Any) -> list[Any]:
        """A name resolves to itself."""
        name = host.decode() if isinstance(host, bytes) else host
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (name, int(port or 0)))]

    async def create_server(  # type: ignore[override]  # asyncio's overloads for sockets and ssl mean nothing here
        self, protocol_factory: Callable[[], asyncio.BaseProtocol], host: Any = None, port: Any = None, **_options: Any
    ) -> asyncio.AbstractServer:
        """Serve `host`:`port` in memory; port 0 takes a free one. Raises `OSError` where it is taken."""
        return self._network.serve(protocol_factory, host, int(port or 0))

    async def create_connection(
        self,
        protocol_factory: Callable[[], Any],
        host: Any = None,
        port: Any = None,
        *,
        sock: socket.socket | None = None,
        **_options: Any,
    ) -> tuple[asyncio.Transport, Any]:
        """Connect in memory; raises `ConnectionRefusedError` where nobody serves."""
        host, port = self._network.address_of(sock) if sock is not None else (host, port)
        return self._network.connect(protocol_factory, host, int(port or 0))

    async def sock_connect(self, sock: socket.socket, address: Any) -> None:
        """Note where `sock` leads; `create_connection(sock=...)` makes the connection."""
        self._network.note(sock, address)


class VirtualClock:
    """The clock of a virtual loop: an integer epoch plus the loop's time."""

    def __init__(self, loop: VirtualLoop, epoch_us: int) -> None:
        self._loop, self._epoch_us = loop, epoch_us

    def now_us(self) -> int:
        """Microseconds since 1970-01-01T00:00:00Z."""
        return self._epoch_us + self._loop.now_us()


def _place(task: asyncio.Task[Any]) -> str:
    frames = task.get_stack(limit=1)
    if not frames:
        return "its start"
    code = frames[-1].f_code
    return f"{code.co_qualname}, line {frames[-1].f_lineno}"
