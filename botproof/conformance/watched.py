"""A fake that can tell when everything said has been heard, on either side of its sockets.

Under a clock set by hand the loop's time means nothing, so nobody can wait for a frame by waiting a while: time is
moved only once nothing is under way.
"""

import asyncio
from collections.abc import Iterable, MutableMapping
from dataclasses import dataclass
from typing import Any, Protocol

from botproof.errors import HarnessError
from botproof.fakes.bitget.server import FakeBitget, Receive, Scope, Send

PATIENCE_S = 10  # of the loop: for bytes on loopback, which nothing else delays
_CONNECTED_AND_WAITING = 2  # calls of `receive` on a socket on which nothing has been said


class Hearer(Protocol):
    """The client's end of a socket, as far as it is counted."""

    said: int

    @property
    def heard(self) -> int: ...
    @property
    def ended(self) -> str: ...


@dataclass(slots=True)
class Traffic:
    """The server's end of a socket: how often it asked for a message, how many frames it gave, and whether it ended."""

    asked: int = 0
    given: int = 0
    is_closing: bool = False
    is_over: bool = False


class WatchedFake(FakeBitget):
    """A fake whose sockets are counted, in the order in which they were dialled."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.stirred = asyncio.Event()  # something has come or gone
        self._traffic: list[Traffic] = []

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI application, with its sockets counted."""
        if scope["type"] != "websocket":
            await super().app(scope, receive, send)
            return
        traffic = Traffic()
        self._traffic.append(traffic)

        async def counted_receive() -> MutableMapping[str, Any]:
            traffic.asked += 1
            self.stirred.set()
            return await receive()

        async def counted_send(message: MutableMapping[str, Any]) -> None:
            traffic.given += message["type"] == "websocket.send"
            traffic.is_closing |= message["type"] == "websocket.close"
            await send(message)
            self.stirred.set()

        try:
            await super().app(scope, counted_receive, counted_send)
        finally:
            traffic.is_over = True
            self.stirred.set()

    async def quiet(self, hearers: Iterable[Hearer]) -> None:
        """Wait until the clients' ends (in the order of dialling) have heard all, and this end has dealt with all."""
        ends = list(hearers)
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not self._is_quiet(ends):
                    self.stirred.clear()
                    await self.stirred.wait()
        except TimeoutError:
            raise HarnessError(f"something said was never heard: {self._traffic} against {ends}") from None

    def _is_quiet(self, ends: list[Hearer]) -> bool:
        if any(connection.was_dropped or not connection.outgoing.empty() for connection in self.connections):
            return False
        return all(map(_agree, ends, self._traffic))


def _agree(end: Hearer, traffic: Traffic) -> bool:
    if end.ended or traffic.is_closing or traffic.is_over:
        return bool(end.ended) and traffic.is_over
    return end.heard == traffic.given and end.said + _CONNECTED_AND_WAITING == traffic.asked
