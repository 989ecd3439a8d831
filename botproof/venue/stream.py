"""The venue's sockets as streams of pushes that dial again by themselves.

The protocol (documented unless tagged): log in on a private socket and wait for the answer, subscribe and wait for one
acknowledgement per channel, then data. Text `ping` is answered by text `pong`; a socket that does not ping is dropped
after two minutes although data flows (live). After any `error` frame what is subscribed is not certain, so the
connection is given up and dialled anew.

    dial --> log in --> subscribe --> StreamOpened --> pushes ... --> StreamClosed --> wait 1 s, 2 s ... 30 s --> dial

A connection that stood for a minute makes the next wait 1 s again. Data that comes before the last acknowledgement is
delivered after `StreamOpened`. What was missed while the stream was closed is not repeated by the venue: whoever needs
it reads it over REST. The first frame of `trade` holds trades from before the subscription.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from botproof.errors import Unanswered, VenueError
from botproof.ports import Push, StreamClosed, StreamOpened
from botproof.venue import rows
from botproof.venue.envelope import parsed

PING_PERIOD_S = 30  # documented
SILENCE_LIMIT_S = 60
ACKNOWLEDGE_LIMIT_S = 10
DIAL_LIMIT_S = 10
FIRST_WAIT_S, LONGEST_WAIT_S = 1, 30
STEADY_AFTER_S = 60

_LOGIN_SUCCESS = ("0", "00000")  # a JSON number on the wire, a string in the documentation (live, documented)

Frame = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """What to ask of which socket; `login` makes the login frame of a private one."""

    url: str
    arguments: tuple[Mapping[str, str], ...]
    login: Callable[[], Awaitable[Mapping[str, object]]] | None = None

    @property
    def private(self) -> bool:
        """Whether it needs a login."""
        return self.login is not None


class _Lost(Exception):
    """The connection cannot be used any longer, and why."""


async def stream(subscription: Subscription) -> AsyncGenerator[Push, None]:
    """Deliver pushes for ever; ends when the iterator is closed. Failures are pushes too, never exceptions."""
    loop = asyncio.get_running_loop()
    wait_s, told = FIRST_WAIT_S, False
    while True:
        opened_at: float | None = None
        try:
            async with contextlib.aclosing(_connection(subscription)) as pushes:
                async for push in pushes:
                    if isinstance(push, StreamOpened):
                        opened_at, told = loop.time(), False
                    yield push
        except _Lost as lost:
            if not told:
                told = True
                yield StreamClosed(private=subscription.private, reason=str(lost))
        if opened_at is not None and loop.time() - opened_at >= STEADY_AFTER_S:
            wait_s = FIRST_WAIT_S
        await asyncio.sleep(wait_s)
        wait_s = min(2 * wait_s, LONGEST_WAIT_S)


async def _connection(subscription: Subscription) -> AsyncGenerator[Push, None]:
    """One connection from dialling to its loss, which is raised as `_Lost`."""
    socket = await _dial(subscription.url)
    patience: asyncio.Task[None] | None = None
    try:
        if subscription.login is not None:
            await _log_in(socket, subscription.login)
        early = await _subscribe(socket, subscription.arguments)
        ear = _Ear(socket)
        patience = asyncio.create_task(ear.keep_alive(), name=f"ping {subscription.url}")
        yield StreamOpened(private=subscription.private)
        for frame in early:
            for push in _pushes(frame):
                yield push
        while True:
            for push in _pushes(await ear.receive()):
                yield push
    finally:
        if patience is not None:
            patience.cancel()
        await socket.close()


class _Ear:
    """Who listens on a socket: pings it, and gives it up after a silence.

    Silence is what passes while somebody waits for a frame. One task looks after it: a time-out of its own for every
    frame would cost as much as the frame.
    """

    def __init__(self, socket: ClientConnection) -> None:
        self._socket, self._now_s = socket, asyncio.get_running_loop().time
        self._waits_since: float | None = None
        self._gave_up = False

    async def receive(self) -> Frame:
        """The next frame; raises `_Lost`, also where there was none for too long."""
        self._waits_since = self._now_s()
        try:
            return await _receive(self._socket, self._heard)
        except _Lost:
            if self._gave_up:
                raise _Lost(f"silent: expected a frame within {SILENCE_LIMIT_S} s, found none") from None
            raise
        finally:
            self._waits_since = None

    def _heard(self) -> None:
        self._waits_since = self._now_s()

    async def keep_alive(self) -> None:
        """Ping at each period, and cut the line where it has been silent for too long."""
        ping_at = self._now_s() + PING_PERIOD_S
        with contextlib.suppress(_Lost):
            while True:
                now = self._now_s()
                silent_at = (now if self._waits_since is None else self._waits_since) + SILENCE_LIMIT_S
                if now >= silent_at:
                    self._gave_up = True
                    self._socket.transport.abort()
                    return
                if now >= ping_at:
                    ping_at += PING_PERIOD_S
                    await _send(self._socket, "ping")
                await asyncio.sleep(min(ping_at, silent_at) - now)


async def _dial(url: str) -> ClientConnection:
    try:
        return await connect(
            url, open_timeout=DIAL_LIMIT_S, close_timeout=1, ping_interval=None, compression=None, proxy=None
        )
    except (OSError, TimeoutError, WebSocketException) as error:
        raise _Lost(f"cannot connect: {type(error).__name__} {error}") from error


async def _log_in(socket: ClientConnection, login: Callable[[], Awaitable[Mapping[str, object]]]) -> None:
    try:
        frame = await login()
    except (VenueError, Unanswered) as error:
        raise _Lost(f"cannot log in: {error}") from error
    await _send(socket, orjson.dumps(frame).decode())
    async with _patience("an answer to the login"):
        answer = await _receive(socket)
        while answer.get("event") != "login":
            answer = await _receive(socket)
    if str(answer.get("code", 0)) not in _LOGIN_SUCCESS:
        raise _Lost(f"login refused: {answer}")


async def _subscribe(socket: ClientConnection, arguments: tuple[Mapping[str, str], ...]) -> list[Frame]:
    """Subscribe and wait for every acknowledgement; returns the data frames that came in between."""
    await _send(socket, orjson.dumps({"op": "subscribe", "args": arguments}).decode())
    missing = {argument["channel"] for argument in arguments}
    early: list[Frame] = []
    async with _patience(f"{len(arguments)} acknowledgements"):
        while missing:
            frame = await _receive(socket)
            if frame.get("event") == "subscribe":
                missing.discard(_channel(frame))
            else:
                early.append(frame)
    return early


@contextlib.asynccontextmanager
async def _patience(what: str) -> AsyncGenerator[None, None]:
    try:
        async with asyncio.timeout(ACKNOWLEDGE_LIMIT_S):
            yield
    except TimeoutError:
        raise _Lost(f"expected {what} within {ACKNOWLEDGE_LIMIT_S} s, found none") from None


async def _send(socket: ClientConnection, text: str) -> None:
    try:
        await socket.send(text)
    except WebSocketException as error:
        raise _Lost(f"closed: {error}") from error


async def _receive(socket: ClientConnection, heard: Callable[[], None] = lambda: None) -> Frame:
    """The next JSON frame; raises `_Lost` for an error frame, an unreadable one, a closed socket."""
    text: str | bytes = "pong"
    while text == "pong":
        try:
            text = await socket.recv()
        except WebSocketException as error:
            raise _Lost(f"closed: {error}") from error
        heard()
    return _frame(text)


def _frame(text: str | bytes) -> Frame:
    try:
        frame = parsed(text)
    except ValueError:
        frame = None
    if not isinstance(frame, dict):
        raise _Lost(f"expected a JSON object, found {text[:120]!r}")
    if frame.get("event") == "error":
        raise _Lost(f"refused: {frame.get('code')} {frame.get('msg')}")
    return frame


def _pushes(frame: Frame) -> list[Push]:
    if "event" in frame:
        return []  # late acknowledgements
    try:
        return rows.pushes(frame)
    except Unanswered as error:
        raise _Lost(f"unreadable: {error}") from error


def _channel(frame: Frame) -> str:
    argument = frame.get("arg")
    return str(argument.get("channel")) if isinstance(argument, dict) else ""
