"""The fake venue as a whole: an exchange behind its faces, with a journal, on any asyncio loop.

It can be met in three ways that answer alike: `answer` (a function: bytes in, bytes out), `app` (ASGI) and `serve`
(listening on the running loop, which may be a virtual one with a network in memory, or the machine's own).

uvicorn's protocol classes are put on the loop's own server: its `Server` would wake ten times a second and do nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from random import Random
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.exceptions import InvalidState
from websockets.http11 import Request as Handshake

from botproof.clock import Clock

from .core.exchange import Exchange
from .core.messages import (
    CancelOrder,
    Command,
    FillOrder,
    OrderAccepted,
    OrderCanceled,
    OrderFilled,
    Outcome,
    Refused,
)
from .faults import Armed, Fault, Faults
from .journal import UNKNOWN_SOCKET, Deed, Journal, SocketEvent
from .pump import Cadence, Connection, Pump
from .rest import Request, RestFace
from .signing import Key, keyring
from .wire import DEFAULT_SWITCHES, OK, Answer, FaceSwitches, Skew
from .ws import Session

PUBLIC_PATH, PRIVATE_PATH = "/v2/ws/public", "/v2/ws/private"
ABORT = "botproof.abort"  # an ASGI extension: cuts the line without a close frame

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class FakeBitget:
    """Bitget, faked: one exchange, its keys, its faces and its journal."""

    def __init__(
        self,
        exchange: Exchange,
        clock: Clock,
        keys: Sequence[Key],
        *,
        seed: int,
        switches: FaceSwitches = DEFAULT_SWITCHES,
        cadence: Cadence = "lazy",
        journal: Journal | None = None,
    ) -> None:
        self.exchange, self.switches, self.faults = exchange, switches, Faults()
        self.journal = Journal() if journal is None else journal
        self._clock, self._seed, self._ring = clock, seed, keyring(keys)
        self.skew = Skew()  # set it to put the venue's clock ahead, or behind
        self._rest = RestFace(exchange, self._ring, switches, self.faults, self.skew)
        self._pump = Pump(exchange, clock, self.journal, self.faults, seed=seed, cadence=cadence, skew=self.skew)
        self._opened = 0
        self._mounts: list[Mount] = []

    def __repr__(self) -> str:
        return f"<FakeBitget {self.exchange!r} {self.journal!r} connections: {len(self._pump.connections)}>"

    @property
    def connections(self) -> Sequence[Connection]:
        """Who is connected to a socket now."""
        return self._pump.connections

    def answer(self, method: str, target: str, headers: Sequence[tuple[bytes, bytes]], body: bytes) -> Answer | None:
        """Answer one HTTP call; `target` is the path with its query as received.

        None where an armed fault loses the answer or drops the call: whoever asked waits until he gives up.
        """
        now_us = self._pump.settle()
        reply = self._rest.answer(Request.of(method, target, headers, body), now_us)
        self.journal.write(reply.call)
        self._pump.report(reply.outcomes, now_us)
        return reply.answer

    def command(self, account: str, command: Command) -> list[Outcome]:
        """Have an account act past the faces (somebody else's order, an earlier run's): pushed, and no call.

        The journal keeps it as a deed of the harness. A market order before the run gives the account a position.
        """
        now_us = self._pump.settle()
        outcomes = self.exchange.apply(account, command, now_us)
        self.journal.write(_deed(account, command, outcomes, now_us))
        self._pump.report(outcomes, now_us)
        return outcomes

    def arm(self, fault: Fault) -> Armed:
        """Put a fault in place from now on; what it does can be read from what comes back."""
        return self.faults.arm(fault, self._pump.now_us())

    def advance(self) -> None:
        """Bring the exchange to the present and push what happened on the way; before reading or scripting it."""
        self._pump.settle()

    def rearm(self) -> None:
        """Set the alarms anew: after scripting the market, whose next fill may have moved."""
        self._pump.rearm()

    def start(self) -> None:
        """Let things happen by themselves on the running loop; `serve` does it too."""
        self._pump.start()

    def hang_up(self) -> None:
        """Cut every line without a word, as a venue that goes down does, and let nothing happen any more."""
        for connection in self._pump.connections:
            connection.drop()
        self._pump.stop()

    async def aclose(self) -> None:
        """Hang up on everybody and stop listening."""
        self._pump.stop()
        for mount in self._mounts:
            await mount.aclose()
        self._mounts.clear()

    async def serve(self, host: str, port: int) -> asyncio.Server:
        """Listen on the running loop; port 0 takes a free one (see `sockets`)."""
        self.start()
        mount = Mount(self.app)
        self._mounts.append(mount)
        return await mount.listen(host, port)

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI application: HTTP calls and the two sockets."""
        if scope["type"] == "http":
            await self._serve_call(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._serve_socket(scope, receive, send)

    async def _serve_call(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = b""
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
        answer = self.answer(scope["method"], _target(scope), scope["headers"], body)
        if answer is None:
            await _hung_up(receive)
            return
        if answer.after_us and await _gives_up(receive, answer.after_us):
            return
        length = (b"content-length", str(len(answer.body)).encode())
        headers = [header for header in answer.headers if header[0] != length[0]] + [length]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})

    async def _serve_socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()  # websocket.connect
        path = scope["path"]
        if path not in (PUBLIC_PATH, PRIVATE_PATH):
            self.journal.write(SocketEvent(0, self._pump.now_us(), 0, "", UNKNOWN_SOCKET, path))
            await send({"type": "websocket.close", "code": 1000})
            return
        await send({"type": "websocket.accept"})
        connection = self._connect(is_private=path == PRIVATE_PATH, scope=scope)
        writer = asyncio.get_running_loop().create_task(_write(connection, send))
        try:
            await self._read(connection, receive)
        finally:
            writer.cancel()
            self._disconnect(connection)

    def _connect(self, *, is_private: bool, scope: Scope) -> Connection:
        self._pump.start()
        now_us = self._pump.settle()
        self._opened += 1
        chance = Random(f"{self._seed}/connection/{self._opened}")
        session = Session(
            exchange=self.exchange,
            ring=self._ring,
            switches=self.switches,
            is_private=is_private,
            connection_id=f"{chance.getrandbits(128):032x}",
            opened_us=now_us,
            skew=self.skew,
        )
        abort = scope.get("extensions", {}).get(ABORT, {}).get("abort", _nothing)
        connection = Connection(self._opened, session, clock=self._clock, chance=chance, abort=abort)
        self._pump.attach(connection)
        self._note(connection, "opened", "private" if is_private else "public")
        return connection

    async def _read(self, connection: Connection, receive: Receive) -> None:
        while (message := await receive())["type"] == "websocket.receive":
            if connection.session.is_closing:
                continue
            now_us = self._pump.settle()
            text = message.get("text")
            said = text if text is not None else message.get("bytes", b"").decode("utf-8", "replace")
            self._pump.send(connection, connection.session.receive(said, now_us), now_us)
            self._pump.rearm()

    def _disconnect(self, connection: Connection) -> None:
        self._pump.detach(connection)
        self._note(connection, "dropped" if connection.was_dropped else "closed", "")

    def _note(self, connection: Connection, event: str, detail: str) -> None:
        entry = SocketEvent(0, self._pump.now_us(), connection.number, connection.session.account, event, detail)
        self.journal.write(entry)


async def _hung_up(receive: Receive) -> None:
    """Wait until the client gives up."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _gives_up(receive: Receive, within_us: int) -> bool:
    """Let time pass; whether the client gives up on the way."""
    try:
        async with asyncio.timeout(within_us / 1_000_000):
            await _hung_up(receive)
    except TimeoutError:
        return False
    return True


_TOLD_BY: Mapping[type[Command], type[OrderAccepted | OrderCanceled | OrderFilled]] = {
    CancelOrder: OrderCanceled,
    FillOrder: OrderFilled,
}


def _deed(account: str, command: Command, outcomes: Sequence[Outcome], now_us: int) -> Deed:
    deed = Deed(0, now_us, account, type(command).__name__, OK)
    told = _TOLD_BY.get(type(command), OrderAccepted)
    for outcome in outcomes:
        if isinstance(outcome, Refused):
            return deed._replace(code=outcome.code)
        if isinstance(outcome, told):
            return deed._replace(order_id=outcome.order.order_id, client_id=outcome.order.client_id)
    return deed


async def _write(connection: Connection, send: Send) -> None:
    """Send what is due, in order, until the connection is closed by either side."""
    try:
        while (text := await connection.outgoing.get()) is not None:
            await send({"type": "websocket.send", "text": text})
        await send({"type": "websocket.close", "code": 1000})
    except OSError:  # the client hung up; `receive` tells the reader
        return


def _target(scope: Scope) -> str:
    query = scope["query_string"].decode("latin-1")
    path = scope.get("raw_path", scope["path"].encode()).decode("latin-1")
    return f"{path}?{query}" if query else path


def _nothing() -> None:
    """A server that cannot cut a line without a close frame leaves it to the client to notice the silence."""


class _Socket(WebSocketsSansIOProtocol):
    """uvicorn's socket, which can also be cut."""

    def handle_connect(self, event: Handshake) -> None:
        super().handle_connect(event)
        if not self.close_sent:
            self.scope["extensions"][ABORT] = {"abort": self.transport.abort}

    def shutdown(self) -> None:
        """Hang up; a socket whose client is taking its leave already is cut: a closing handshake cannot be joined."""
        try:
            super().shutdown()
        except InvalidState:
            self.transport.abort()


def _is_asking(protocol: HttpToolsProtocol) -> bool:
    """Whether a call is under way; of a client that has not asked anything yet there is no cycle."""
    cycle: RequestResponseCycle | None = protocol.cycle
    return cycle is not None and not cycle.response_complete


class Mount:
    """An ASGI application on the loop's own server: uvicorn's protocol classes without its `Server`."""

    def __init__(self, app: App) -> None:
        self._config = Config(
            app,
            http="httptools",
            ws=_Socket,
            interface="asgi3",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            ws_per_message_deflate=False,
            ws_ping_interval=None,
        )
        self._config.load()
        self._state = ServerState()
        self._server: asyncio.Server | None = None

    async def listen(self, host: str, port: int) -> asyncio.Server:
        """Serve an address; port 0 takes a free one. Raises `OSError` where it cannot be had."""
        self._server = await asyncio.get_running_loop().create_server(self._protocol, host, port)
        return self._server

    def _protocol(self) -> asyncio.Protocol:
        make: Any = self._config.http_protocol_class
        protocol: asyncio.Protocol = make(
            config=self._config, server_state=self._state, app_state={}, _loop=asyncio.get_running_loop()
        )
        return protocol

    async def aclose(self) -> None:
        """Stop listening, hang up, and give the applications a second to notice."""
        if self._server is not None:
            self._server.close()
        for protocol in list(self._state.connections):
            protocol.shutdown()
        for protocol in list(self._state.connections):
            if isinstance(protocol, HttpToolsProtocol) and _is_asking(protocol):
                protocol.transport.abort()  # a call that will never be answered
        if self._state.tasks:
            await asyncio.wait(set(self._state.tasks), timeout=1)
