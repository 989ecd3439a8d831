"""The virtual loop and its network: exact, in order, and never hanging."""

import asyncio
import contextlib
import os
import shutil
import subprocess
import sys
import textwrap
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosedError

from botproof.errors import HarnessError
from botproof.virtual import VirtualClock, VirtualDeadlock, VirtualLoop

ROOT = Path(__file__).parents[1]


def run(main: Coroutine[Any, Any, Any]) -> Any:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)


def now() -> float:
    return asyncio.get_running_loop().time()


# Time


def test_time_starts_at_zero_and_a_sleep_takes_exactly_its_length() -> None:
    async def main() -> tuple[float, float]:
        start = now()
        for seconds in (2.5, 4.5, 20):
            await asyncio.sleep(seconds)
        return start, now()

    assert run(main()) == (0.0, 27.0)


def test_a_day_of_short_sleeps_drifts_by_less_than_a_microsecond() -> None:
    async def main() -> int:
        for _ in range(43_200):
            await asyncio.sleep(0.2)
        return VirtualClock(asyncio.get_running_loop(), 1_771_722_000_000_000).now_us()  # type: ignore[arg-type]

    assert run(main()) == 1_771_722_000_000_000 + 8_640_000_000


def test_virtual_hours_take_no_real_time() -> None:
    began = time.perf_counter()
    run(asyncio.sleep(24 * 3600))
    assert time.perf_counter() - began < 1


def test_timers_run_in_order_of_time_and_ties_in_order_of_creation() -> None:
    async def main() -> list[str]:
        loop, ran = asyncio.get_running_loop(), list[str]()
        for name in "abcdefgh":
            loop.call_at(5.0, ran.append, name)
        loop.call_at(4.0, ran.append, "first")
        await asyncio.sleep(6)
        return ran

    assert run(main()) == ["first", *"abcdefgh"]


def test_a_cancelled_timer_leaves_the_order_of_the_others() -> None:
    async def main() -> list[int]:
        loop, ran = asyncio.get_running_loop(), list[int]()
        timers = [loop.call_at(5.0, ran.append, number) for number in range(300)]
        for timer in timers[::2]:
            timer.cancel()
        await asyncio.sleep(6)
        return ran

    assert run(main()) == list(range(1, 300, 2))


def test_a_timer_never_runs_before_its_instant() -> None:
    async def main() -> list[tuple[float, float]]:
        loop, ran = asyncio.get_running_loop(), list[tuple[float, float]]()

        def note(due: float) -> None:
            ran.append((due, loop.time()))

        for step in range(200):
            due = 1 + step * 1e-8
            loop.call_at(due, note, due)
        await asyncio.sleep(2)
        return ran

    ran = run(main())
    assert len(ran) == 200
    assert all(due == at for due, at in ran)


def test_waiting_for_what_is_left_of_a_deadline_reaches_it() -> None:
    async def main() -> bool:
        loop = asyncio.get_running_loop()
        loop.call_at(0.3, lambda: None)  # the neighbour instant that float arithmetic makes of 0.1 + 0.2
        deadline = 0.1 + 0.2
        while now() < deadline:
            await asyncio.sleep(deadline - now())
        return True

    assert run(main())


def test_timeouts_and_task_groups_work() -> None:
    async def slow() -> None:
        await asyncio.sleep(100)

    async def main() -> list[float]:
        instants = []
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5):
                await slow()
        instants.append(now())
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(slow(), 3)
        instants.append(now())
        async with asyncio.TaskGroup() as group:
            for seconds in (1, 4, 2):
                group.create_task(asyncio.sleep(seconds))
        return [*instants, now()]

    assert run(main()) == [5.0, 8.0, 12.0]


# Nothing left


def test_waiting_for_nothing_is_an_error_at_once_that_names_who_waits() -> None:
    async def main() -> None:
        await asyncio.sleep(3)
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.Event().wait(), name="observer")

    with pytest.raises(VirtualDeadlock, match=r"at 3\.0 s; 2 task\(s\) wait: .*observer at Event\.wait"):
        run(main())


def test_a_busy_wait_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botproof.virtual._MAX_TURNS_AT_ONE_INSTANT", 1000)

    async def main() -> None:
        while now() < 1:
            await asyncio.sleep(0)

    with pytest.raises(VirtualDeadlock, match="waits busily"):
        run(main())


def test_a_deadlock_is_a_fault_of_the_harness() -> None:
    assert issubclass(VirtualDeadlock, HarnessError)


# Threads


def read_slowly(found: int) -> int:
    """Blocks its thread for 20 ms of the machine's time."""
    time.sleep(0.02)
    return found


def test_a_thread_takes_no_virtual_time_and_trips_no_timeout() -> None:
    async def main() -> tuple[int, float]:
        async with asyncio.timeout(0.001):
            found = await asyncio.to_thread(read_slowly, 7)
        return found, now()

    assert run(main()) == (7, 0.0)


def test_timers_wait_for_a_thread_that_is_out() -> None:
    async def main() -> list[str]:
        ran = list[str]()
        asyncio.get_running_loop().call_later(1, ran.append, "timer")
        await asyncio.to_thread(time.sleep, 0.02)
        ran.append("thread")
        await asyncio.sleep(2)
        return ran

    assert run(main()) == ["thread", "timer"]


def test_after_a_thread_has_come_back_nothing_left_is_an_error_again() -> None:
    async def main() -> None:
        await asyncio.to_thread(lambda: None)
        await asyncio.Event().wait()

    with pytest.raises(VirtualDeadlock):
        run(main())


# Driving from outside


def test_drive_stops_at_its_limit_with_the_last_instant_done() -> None:
    loop, ran = VirtualLoop(), list[float]()
    for due in (1.0, 2.0, 2.000001, 3.0):
        loop.call_at(due, ran.append, due)
    assert loop.drive(until_us=2_000_000) is False
    assert (ran, loop.now_us()) == ([1.0, 2.0], 2_000_000)
    loop.close()


def test_drive_stops_between_two_iterations_when_its_predicate_holds() -> None:
    loop, ran = VirtualLoop(), list[str]()

    def first() -> None:
        ran.append("first")
        loop.call_soon(ran.append, "second")

    loop.call_at(7.5, first)
    assert loop.drive(until_us=60_000_000, stop_when=lambda: bool(ran)) is True
    assert (ran, loop.now_us()) == (["first"], 7_500_000)
    loop.drive(until_us=8_000_000)
    assert ran == ["first", "second"]
    loop.close()


def test_a_predicate_that_looks_at_the_clock_is_asked_at_the_limit() -> None:
    loop = VirtualLoop()
    assert loop.drive(until_us=5_000_000, stop_when=lambda: loop.now_us() >= 5_000_000) is True
    loop.close()


def test_driving_from_inside_is_refused() -> None:
    async def main() -> None:
        asyncio.get_running_loop().drive(until_us=1)  # type: ignore[attr-defined]

    with pytest.raises(HarnessError, match="from outside the loop"):
        run(main())


# The network


class Recorder(asyncio.Protocol):
    """Keeps all that a connection tells it."""

    def __init__(self, *, keep_open: bool = False) -> None:
        self.said: list[Any] = []
        self.keep_open = keep_open

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self.said.append(data)

    def eof_received(self) -> bool:
        self.said.append("eof")
        return self.keep_open

    def connection_lost(self, exc: Exception | None) -> None:
        self.said.append(exc)

    def pause_writing(self) -> None:
        self.said.append("pause")

    def resume_writing(self) -> None:
        self.said.append("resume")


async def pair(*, keep_open: bool = False) -> tuple[Recorder, Recorder]:
    loop = asyncio.get_running_loop()
    server, client = Recorder(keep_open=keep_open), Recorder()
    await loop.create_server(lambda: server, "127.0.0.1", 9000)
    await loop.create_connection(lambda: client, "localhost", 9000)
    await asyncio.sleep(0)
    return server, client


def test_bytes_and_the_end_arrive_in_order() -> None:
    async def main() -> tuple[list[Any], list[Any]]:
        server, client = await pair()
        client.transport.writelines([b"a", b"b"])
        client.transport.write(b"c")
        client.transport.close()
        await asyncio.sleep(1)
        return server.said, client.said

    assert run(main()) == ([b"ab", b"c", "eof", None], [None])


def test_a_half_closed_connection_still_answers() -> None:
    async def main() -> list[Any]:
        server, client = await pair(keep_open=True)
        client.transport.write_eof()
        await asyncio.sleep(1)
        server.transport.write(b"answer")
        server.transport.close()
        await asyncio.sleep(1)
        return client.said

    assert run(main()) == [b"answer", "eof", None]


def test_writing_to_a_peer_that_has_closed_is_a_reset() -> None:
    async def main() -> Any:
        server, client = await pair(keep_open=True)
        client.transport.close()
        await asyncio.sleep(1)
        server.transport.write(b"too late")
        await asyncio.sleep(1)
        return server.said[-1]

    assert isinstance(run(main()), ConnectionResetError)


def test_a_reader_that_pauses_slows_its_writer_down_and_loses_nothing() -> None:
    async def main() -> tuple[list[Any], int, list[Any]]:
        server, client = await pair()
        server.transport.pause_reading()
        for _ in range(200):
            client.transport.write(b"x" * 1000)
        await asyncio.sleep(1)
        before = list(client.said)
        server.transport.resume_reading()
        client.transport.write(b"last")
        await asyncio.sleep(1)
        return before, sum(map(len, server.said)), [client.said[-1], server.said[-1]]

    assert run(main()) == (["pause"], 200_004, ["resume", b"last"])


def test_a_protocol_that_fails_loses_its_connection_and_is_reported() -> None:
    class Faulty(Recorder):
        def data_received(self, data: bytes) -> None:
            raise ZeroDivisionError(data)

    async def main() -> tuple[list[Any], list[Any]]:
        loop, reported = asyncio.get_running_loop(), list[Any]()
        loop.set_exception_handler(lambda _, context: reported.append(type(context["exception"])))
        client = Recorder()
        await loop.create_server(Faulty, "127.0.0.1", 9000)
        await loop.create_connection(lambda: client, "127.0.0.1", 9000)
        client.transport.write(b"x")
        await asyncio.sleep(1)
        return reported, client.said

    assert run(main()) == ([ZeroDivisionError], ["eof", None])


def test_nobody_serving_is_a_refused_connection() -> None:
    async def main() -> None:
        await asyncio.open_connection("127.0.0.1", 9001)

    with pytest.raises(ConnectionRefusedError, match=r"nobody serves 127\.0\.0\.1:9001"):
        run(main())


def test_an_address_is_served_once_and_free_again_after_closing() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(Recorder, "127.0.0.1", 9000)
        with pytest.raises(OSError, match="served already"):
            await loop.create_server(Recorder, "localhost", 9000)
        server.close()
        assert not server.is_serving()
        await loop.create_server(Recorder, "127.0.0.1", 9000)

    run(main())


def test_streams_meet_at_a_free_port_and_know_each_other() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write((await reader.readline()).upper())
        writer.close()

    async def main() -> tuple[bytes, bool]:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(b"hello\n")
        said = await reader.read()
        writer.close()
        return said, writer.get_extra_info("peername") == (host, port)

    assert run(main()) == (b"HELLO\n", True)


async def websocket_session() -> list[Any]:
    async def echo(socket: ServerConnection) -> None:
        async for message in socket:
            if message == "drop":
                socket.transport.abort()
            await socket.send(message)

    said: list[Any] = []
    async with serve(echo, "ws.bitget.com", 443), connect("ws://ws.bitget.com:443/v2/ws/public", proxy=None) as socket:
        await socket.send("ping")
        said.append(await socket.recv())
        await asyncio.sleep(300)
        await socket.send("x" * 300_000)
        said.append(len(await socket.recv()))
        await socket.send("drop")
        with pytest.raises(ConnectionClosedError):
            await socket.recv()
    return said


def test_unmodified_websockets_speak_over_it_and_see_the_peer_go() -> None:
    assert run(websocket_session()) == ["ping", 300_000]


async def app(scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]) -> None:
    body = (await receive()).get("body", b"")
    await asyncio.sleep(0.05)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"x-path", scope["path"].encode())]})
    await send({"type": "http.response.body", "body": body[::-1]})


class Web:
    """uvicorn's protocol on the running loop, and an unmodified client of it."""

    def __init__(self) -> None:
        self.connections = 0
        self._config = uvicorn.Config(app, lifespan="off", log_config=None, ws="websockets-sansio")
        self._config.load()
        self._state = ServerState()

    def _accept(self) -> HttpToolsProtocol:
        self.connections += 1
        return HttpToolsProtocol(self._config, self._state, {})

    @contextlib.asynccontextmanager
    async def client(self) -> AsyncIterator[httpx.AsyncClient]:
        server = await asyncio.get_running_loop().create_server(self._accept, "api.bitget.com", 80)
        async with httpx.AsyncClient(base_url="http://api.bitget.com", trust_env=False) as client:
            yield client
        server.close()


def test_unmodified_httpx_speaks_to_uvicorn_and_sees_that_a_kept_connection_expired() -> None:
    web = Web()

    async def main() -> list[Any]:
        said: list[Any] = []
        async with web.client() as client:
            for _ in range(3):
                answer = await client.post("/api", content=b"abc")
                said.append((answer.status_code, answer.content, answer.headers["x-path"], round(now(), 6)))
                await asyncio.sleep(10)  # longer than uvicorn keeps a connection
            with pytest.raises(httpx.ConnectError):
                await client.get("http://api.bitget.com:81/")
        return said

    assert run(main()) == [
        (200, b"cba", "/api", 0.05),
        (200, b"cba", "/api", 10.1),
        (200, b"cba", "/api", 20.15),
    ]
    assert web.connections == 3


def test_a_kept_connection_is_used_again() -> None:
    web = Web()

    async def main() -> None:
        async with web.client() as client:
            for _ in range(3):
                await client.get("/api")
                await asyncio.sleep(1)

    run(main())
    assert web.connections == 1


# Every Python, any hash seed

SCRIPT = """
import asyncio, hashlib, random, time
from botproof.virtual import VirtualDeadlock, VirtualLoop

seen = []
note = lambda *what: seen.append((round(asyncio.get_running_loop().time() * 1e6), *what))

async def client(number, chance):
    for _ in range(20):
        await asyncio.sleep(chance.randint(0, 9) / 10)
        reader, writer = await asyncio.open_connection("fake", 80)
        writer.write(b"%d" % number)
        writer.write_eof()
        note(number, await reader.read())
        writer.close()

async def serve(reader, writer):
    word = await reader.read()
    note("serves", word)
    try:
        async with asyncio.timeout(0.2):
            await asyncio.sleep(len(word) / 7)
    except TimeoutError:
        note("late", word)
    writer.write(word * 2)
    writer.close()

async def main():
    server = await asyncio.start_server(serve, "fake", 80)
    async with asyncio.TaskGroup() as group:
        for number in range(8, 13):
            group.create_task(client(number, random.Random(number)), name=f"client {number}")
    note(await asyncio.to_thread(lambda: time.sleep(0.01) or "thread"))
    for _ in range(1000):
        await asyncio.sleep(0.2)
    note("end")
    server.close()
    await asyncio.Event().wait()

with asyncio.Runner(loop_factory=VirtualLoop) as runner:
    try:
        runner.run(main())
    except VirtualDeadlock as error:
        seen.append(str(error).split(";")[0])
print(len(seen), seen[-1], hashlib.sha256(repr(seen).encode()).hexdigest())
"""


def interpreters() -> list[str]:
    names = [shutil.which(f"python3.{minor}") for minor in (11, 12, 13)]
    built = sorted(Path.home().glob(".pyenv/versions/3.1[123].*/bin/python"))
    return [sys.executable, *filter(None, names), *map(str, built)]


def outcome(python: str, hash_seed: int) -> str | None:
    """What the script says under `python`; None where that is no Python of 3.11 to 3.13."""
    probe = "import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))"
    if subprocess.run([python, "-c", probe], capture_output=True, check=False).returncode != 0:
        return None
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": str(hash_seed)}
    return subprocess.run(
        [python, "-W", "error", "-c", textwrap.dedent(SCRIPT)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_one_program_runs_alike_under_two_hash_seeds() -> None:
    first, second = outcome(sys.executable, 0), outcome(sys.executable, 1)
    assert first == second
    assert first is not None
    assert "nothing is ready and nothing is scheduled" in first


def test_one_program_runs_alike_on_every_python_present() -> None:
    said = {python: outcome(python, 0) for python in interpreters()}
    others = {python: text for python, text in said.items() if text is not None and python != sys.executable}
    if not others:
        pytest.skip("no other Python from 3.11 to 3.13 was found on PATH or under ~/.pyenv/versions")
    assert set(others.values()) == {said[sys.executable]}


def test_an_interrupted_drive_ends_before_its_next_iteration_and_time_goes_on_with_the_next() -> None:
    loop = VirtualLoop()
    try:
        loop.call_later(1, loop.interrupt)
        seen: list[float] = []
        loop.call_later(2, lambda: seen.append(loop.time()))
        assert loop.drive(until_us=10_000_000)
        assert (loop.now_us(), seen) == (1_000_000, [])
        assert not loop.drive(until_us=10_000_000)
        assert (loop.now_us(), seen) == (10_000_000, [2.0])
    finally:
        loop.close()
