"""Three ways to bring an exchange to the fake: by its function, over the network in memory, over loopback.

Clients are unmodified: `httpx` for calls, `websockets` for sockets. By function there are no bytes: calls go through
the transport that runs use, and a socket is the fake's ASGI application called directly.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import Any, Protocol

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from botproof.conformance.watched import WatchedFake
from botproof.fakes.bitget.server import ABORT
from botproof.fakes.fixtures import FakeVenue
from botproof.fixtures import FakeTransport
from botproof.virtual import VirtualLoop

HOST = "127.0.0.1"
REFUSED, CLOSED, CUT = "refused", "closed", "cut"  # how a line ended
_CUT_CODE = 1006  # of a connection that ended without a close frame


class Line(Protocol):
    """A client's end of a socket: what it heard so far, and how it ended (empty while it is open)."""

    heard: list[str]
    ended: str

    async def say(self, text: str) -> None: ...
    async def hang_up(self) -> None: ...


Dial = Callable[[str], Awaitable[Line]]


@dataclass(frozen=True, slots=True)
class Carrier:
    """Calls go through `http`; `dial` opens a socket on a path."""

    http: httpx.AsyncClient
    dial: Dial


Carry = Callable[[FakeVenue, WatchedFake], AbstractAsyncContextManager[Carrier]]


@dataclass(frozen=True, slots=True)
class Way:
    """A carrier and the loop that it runs on."""

    loop: Callable[[], asyncio.AbstractEventLoop]
    carry: Carry


@asynccontextmanager
async def by_function(venue: FakeVenue, fake: WatchedFake) -> AsyncIterator[Carrier]:
    """No wire at all: `answer` behind the transport of a run, and the ASGI application for sockets."""
    fake.start()

    async def dial(path: str) -> Line:
        line = _AppLine(fake)
        await line.dial(path)
        return line

    transport = FakeTransport(venue, Random(1))  # noqa: S311 -- latency of a loop that nobody looks at
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}") as http:
        yield Carrier(http, dial)


@asynccontextmanager
async def by_bytes(_venue: FakeVenue, fake: WatchedFake) -> AsyncIterator[Carrier]:
    """Served on the running loop, on a free port."""
    server = await fake.serve(HOST, 0)
    address = f"{HOST}:{server.sockets[0].getsockname()[1]}"

    async def dial(path: str) -> Line:
        line = _WireLine(fake)
        await line.dial(f"ws://{address}{path}")
        return line

    async with httpx.AsyncClient(base_url=f"http://{address}", trust_env=False) as http:
        yield Carrier(http, dial)


WAYS = {
    "function": Way(VirtualLoop, by_function),
    "network in memory": Way(VirtualLoop, by_bytes),
    "loopback": Way(asyncio.new_event_loop, by_bytes),
}


class _AppLine:
    """A socket without a wire: messages of ASGI from hand to hand."""

    def __init__(self, fake: WatchedFake) -> None:
        self.heard: list[str] = []
        self.ended = ""
        self._fake = fake
        self._said: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
        self._answered = asyncio.Event()
        self._is_accepted = False

    async def dial(self, path: str) -> None:
        scope = {"type": "websocket", "path": path, "extensions": {ABORT: {"abort": self._abort}}}
        self._said.put_nowait({"type": "websocket.connect"})
        self._serving = asyncio.create_task(self._fake.app(scope, self._said.get, self._take))
        await self._answered.wait()

    async def say(self, text: str) -> None:
        self._said.put_nowait({"type": "websocket.receive", "text": text})

    async def hang_up(self) -> None:
        self._end(f"{CLOSED} 1000")

    async def _take(self, message: MutableMapping[str, Any]) -> None:
        match message["type"]:
            case "websocket.accept":
                self._is_accepted = True
            case "websocket.send":
                self.heard.append(message["text"])
            case "websocket.close":
                self._end(f"{CLOSED} {message['code']}" if self._is_accepted else REFUSED)
        self._answered.set()

    def _abort(self) -> None:
        self._end(CUT)

    def _end(self, how: str) -> None:
        if not self.ended:
            self.ended = how
            self._said.put_nowait({"type": "websocket.disconnect"})


class _WireLine:
    """A socket of `websockets`."""

    _socket: ClientConnection

    def __init__(self, fake: WatchedFake) -> None:
        self.heard: list[str] = []
        self.ended = ""
        self._fake = fake

    async def dial(self, url: str) -> None:
        try:
            self._socket = await connect(url, compression=None, ping_interval=None, proxy=None)
        except InvalidStatus:
            self.ended = REFUSED
        else:
            self._hearing = asyncio.create_task(self._hear())

    async def say(self, text: str) -> None:
        await self._socket.send(text)

    async def hang_up(self) -> None:
        await self._socket.close()

    async def _hear(self) -> None:
        try:
            while True:
                self.heard.append(str(await self._socket.recv()))
                self._fake.stirred.set()
        except ConnectionClosed:
            code = self._socket.close_code
            self.ended = CUT if code == _CUT_CODE else f"{CLOSED} {code}"
            self._fake.stirred.set()
