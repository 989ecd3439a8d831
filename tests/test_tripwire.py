"""The tripwire: nothing leaves this machine while it is armed."""

import socket
from collections.abc import Iterator

import pytest

from botproof.tripwire import LiveLeakError, Tripwire, is_here


@pytest.fixture
def wire() -> Iterator[Tripwire]:
    wire = Tripwire()
    wire.arm()
    yield wire
    wire.disarm()


def test_a_connection_off_this_machine_is_refused_and_remembered(wire: Tripwire) -> None:
    with socket.socket() as sock, pytest.raises(LiveLeakError, match=r"203\.0\.113\.7"):
        sock.connect(("203.0.113.7", 443))
    assert len(wire.taken()) == 1
    assert wire.taken() == []


def test_a_name_is_not_even_looked_up(wire: Tripwire) -> None:
    with pytest.raises(LiveLeakError, match=r"api\.bitget\.com"):
        socket.getaddrinfo("api.bitget.com", 443)
    assert "api.bitget.com" in wire.taken()[0]


def test_a_datagram_is_refused_too(wire: Tripwire) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as sock, pytest.raises(LiveLeakError):
        sock.sendto(b"x", ("203.0.113.7", 53))


def test_this_machine_is_let_pass(wire: Tripwire) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        pass
    assert wire.taken() == []


def test_a_disarmed_wire_lets_everything_pass(wire: Tripwire) -> None:
    wire.disarm()
    with socket.socket() as sock:
        sock.settimeout(0)
        with pytest.raises(OSError) as refused:  # noqa: PT011  whatever the network says, it is not the wire
            sock.connect(("192.0.2.1", 9))
    assert not isinstance(refused.value, LiveLeakError)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost", b"localhost", "", "0.0.0.0", "::1%lo"])
def test_what_is_this_machine(host: object) -> None:
    assert is_here(host)


@pytest.mark.parametrize(
    "host", ["10.0.0.1", "api.bitget.com", "::ffff:8.8.8.8", b"ws.bitget.com", "127.0.0.1.evil.com"]
)
def test_what_is_not(host: object) -> None:
    assert not is_here(host)
