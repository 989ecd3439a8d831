"""A network in memory: who serves which address, and the wires between them.

It offers what asyncio's own transports offer, in the shape that client libraries look at. Bytes, the end of a stream
and closing arrive in order, one loop iteration after they were sent; nothing is lost and nothing takes time. A reader
that pauses slows its writer down, as a kernel's buffers would. Who writes to a peer that has closed is reset. A name
resolves to itself, so a fake can serve under the venue's own host names.
"""

import asyncio
import errno
import itertools
import socket
from asyncio import transports
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any
from weakref import WeakKeyDictionary

from botproof.errors import HarnessError

_SOCKET_BUFFER = 65_536  # bytes that the kernel would hold for a reader that has paused
_FIRST_FREE_PORT = 49_152

_HERE = "127.0.0.1"
_ALL_HERE = ("localhost", "::1", "0.0.0.0", "::")  # noqa: S104 -- names of the one machine there is

Address = tuple[str, int]


class Network:
    """Who serves which address, and the wires between them."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._servers: dict[Address, Callable[[], asyncio.BaseProtocol]] = {}
        self._ports = itertools.count(_FIRST_FREE_PORT)
        self._leads: WeakKeyDictionary[socket.socket, Address] = WeakKeyDictionary()
        self._marks: tuple[socket.socket, socket.socket] | None = None

    def fileno(self, *, readable: bool) -> int:
        """A file number that `poll` finds readable, or one that it never does."""
        if self._marks is None:
            self._marks = socket.socketpair()
            self._marks[0].send(b"!")
        return self._marks[readable].fileno()

    def close(self) -> None:
        """Give the file numbers back."""
        for mark in self._marks or ():
            mark.close()
        self._marks = None

    def serve(self, factory: Callable[[], asyncio.BaseProtocol], host: Any, port: int) -> asyncio.AbstractServer:
        """Serve an address; port 0 takes a free one. Raises `OSError` where it is served already."""
        address = _address(host, port or next(self._ports))
        if address in self._servers:
            raise OSError(errno.EADDRINUSE, f"{address[0]}:{address[1]} is served already")
        self._servers[address] = factory
        return _Server(self._loop, self, address)

    def serves(self, address: Address) -> bool:
        """Whether somebody serves `address`."""
        return address in self._servers

    def withdraw(self, address: Address) -> None:
        """Nobody serves `address` any longer; its connections live on."""
        self._servers.pop(address, None)

    def note(self, sock: socket.socket, address: Any) -> None:
        """`sock` is to lead to `address`; raises `ConnectionRefusedError` where nobody serves it."""
        self._server_at(_address(*address[:2]))
        self._leads[sock] = _address(*address[:2])

    def address_of(self, sock: socket.socket) -> Address:
        """Where `sock` was connected to; the real socket has done its part."""
        if sock not in self._leads:
            raise HarnessError("the virtual network takes no connected socket: use host and port")
        address = self._leads.pop(sock)
        sock.close()
        return address

    def connect(self, factory: Callable[[], Any], host: Any, port: int) -> tuple[transports.Transport, Any]:
        """The near end of a new connection and its protocol; raises `ConnectionRefusedError` where nobody serves."""
        server = _address(host, port)
        accept = self._server_at(server)
        client = (_HERE, next(self._ports))
        near, far = _Pipe(self._loop, self, client, server), _Pipe(self._loop, self, server, client)
        near.tie(far)
        far.tie(near)
        self._loop.call_soon(far.start, accept)
        return near, near.start(factory)

    def _server_at(self, address: Address) -> Callable[[], asyncio.BaseProtocol]:
        try:
            return self._servers[address]
        except KeyError:
            reason = f"nobody serves {address[0]}:{address[1]}"
            raise ConnectionRefusedError(errno.ECONNREFUSED, reason) from None


def _address(host: Any, port: Any) -> Address:
    name = host.decode() if isinstance(host, bytes) else str(host or _HERE)
    return (_HERE if name in _ALL_HERE else name.lower(), int(port))


class _Server(asyncio.AbstractServer):
    def __init__(self, loop: asyncio.AbstractEventLoop, network: Network, address: Address) -> None:
        self._loop, self._network, self._address = loop, network, address

    @property
    def sockets(self) -> tuple["_Socket", ...]:
        return (_Socket(self._network, self._address, ("", 0), lambda: False),) if self.is_serving() else ()

    def close(self) -> None:
        self._network.withdraw(self._address)

    def is_serving(self) -> bool:
        return self._network.serves(self._address)

    def get_loop(self) -> asyncio.AbstractEventLoop:
        return self._loop

    async def start_serving(self) -> None:
        """It serves from the start."""

    async def serve_forever(self) -> None:
        try:
            await self._loop.create_future()
        finally:
            self.close()

    async def wait_closed(self) -> None:
        """Connections outlive their server, as on Python 3.11."""

    def close_clients(self) -> None:
        """Connections are closed by their protocols."""

    def abort_clients(self) -> None:
        """Connections are closed by their protocols."""


class _Socket:
    """What client libraries look at: addresses, options, and whether something could be read (httpcore asks)."""

    family, type, proto = socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP

    def __init__(self, network: "Network", local: Address, peer: Address, readable: Callable[[], bool]) -> None:
        self._network, self._local, self._peer, self._readable = network, local, peer, readable

    def getsockname(self) -> Address:
        return self._local

    def getpeername(self) -> Address:
        return self._peer

    def setsockopt(self, *_: object) -> None:
        """Options change nothing in memory."""

    def getsockopt(self, *_: object) -> int:
        return 0

    def fileno(self) -> int:
        """A number that `poll` finds readable exactly while this connection has something to read."""
        return self._network.fileno(readable=self._readable())

    def close(self) -> None:
        """The transport is what closes."""


class _Pipe(transports.Transport):
    """One end of a connection. Bytes written here stand in the peer's inbox until the loop comes to them."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, network: Network, local: Address, peer_address: Address
    ) -> None:
        sock = _Socket(network, local, peer_address, self._has_something_to_read)
        super().__init__({"sockname": local, "peername": peer_address, "socket": sock})
        self._loop = loop
        self._protocol: Any = None
        self._inbox: deque[bytes | None] = deque()  # None is the end of the stream
        self.queued = 0
        self._reading, self._pumping = True, False
        self._writing_paused, self._high, self._low = False, _SOCKET_BUFFER, _SOCKET_BUFFER // 4
        self._eof_sent = self._eof_seen = self._closing = False
        self._peer = self

    def tie(self, peer: "_Pipe") -> None:
        """Make `peer` the other end."""
        self._peer = peer

    def start(self, factory: Callable[[], Any]) -> Any:
        """Give this end its protocol."""
        self._protocol = factory()
        self._protocol.connection_made(self)
        return self._protocol

    # Writing

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._eof_sent:
            raise RuntimeError("Cannot call write() after write_eof()")
        if self._closing or not data:
            return
        if self._peer.is_closing():
            if not self._inbox:  # its last words were read: what a kernel answers with a reset
                self._shut(ConnectionResetError(errno.ECONNRESET, "the peer has closed the connection"))
            return
        self._peer.receive(bytes(data))
        self.heed_room()

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        self.write(b"".join(list_of_data))

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        if not (self._eof_sent or self._closing):
            self._eof_sent = True
            self._peer.receive(None)

    def get_write_buffer_size(self) -> int:
        return max(0, self._peer.queued - _SOCKET_BUFFER)

    def get_write_buffer_limits(self) -> tuple[int, int]:
        return self._low, self._high

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._high = high if high is not None else 4 * low if low is not None else _SOCKET_BUFFER
        self._low = low if low is not None else self._high // 4
        self.heed_room()

    def heed_room(self) -> None:
        """Pause or resume our writer by what the peer has not read yet."""
        if self._closing:
            return
        size = self.get_write_buffer_size()
        if not self._writing_paused and size > self._high:
            self._writing_paused = True
            self._protocol.pause_writing()
        elif self._writing_paused and size <= self._low:
            self._writing_paused = False
            self._protocol.resume_writing()

    # Reading

    def is_reading(self) -> bool:
        return self._reading and not self._closing

    def pause_reading(self) -> None:
        self._reading = False

    def resume_reading(self) -> None:
        self._reading = True
        self._schedule_pump()

    def _has_something_to_read(self) -> bool:
        return bool(self._inbox) or self._eof_seen or self._closing

    def receive(self, item: bytes | None) -> None:
        """Take what the peer has written; None is the end of its stream."""
        if not self._closing:
            self._inbox.append(item)
            self.queued += len(item or b"")
            self._schedule_pump()

    def _schedule_pump(self) -> None:
        if self._inbox and self._reading and not self._pumping:
            self._pumping = True
            self._loop.call_soon(self._pump)

    def _pump(self) -> None:
        self._pumping = False
        while self._inbox and self._reading and not self._closing:
            item = self._inbox.popleft()
            self.queued -= len(item or b"")
            try:
                self._hand_over(item)
            except Exception as error:  # noqa: BLE001 -- as asyncio: a protocol that fails loses its connection
                self._loop.call_exception_handler(
                    {"message": "Fatal error: protocol failed", "exception": error, "transport": self}
                )
                self._shut(error)
        self._peer.heed_room()

    def _hand_over(self, item: bytes | None) -> None:
        if item is None:
            self._eof_seen = True
            if not self._protocol.eof_received():
                self.close()
        elif isinstance(self._protocol, asyncio.BufferedProtocol):
            _fill(self._protocol, item)
        else:
            self._protocol.data_received(item)

    # Closing

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        self._shut(None)

    def abort(self) -> None:
        self._shut(None)

    def _shut(self, error: Exception | None) -> None:
        if self._closing:
            return
        self._closing = True
        self._inbox.clear()
        self.queued = 0
        self._loop.call_soon(self._protocol.connection_lost, error)
        if not self._eof_sent:
            self._peer.receive(None)

    # Who reads

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        found: asyncio.BaseProtocol = self._protocol
        return found


def _fill(protocol: asyncio.BufferedProtocol, data: bytes) -> None:
    while data:
        buffer = memoryview(protocol.get_buffer(len(data)))
        taken = min(len(buffer), len(data))
        buffer[:taken] = data[:taken]
        protocol.buffer_updated(taken)
        data = data[taken:]
