"""Nothing of a run on the fake may reach the world: an audit hook that stands before every socket of the process.

CPython raises an audit event before it connects a socket or asks for a name, whichever library does it. While the wire
is armed, an address off this machine is refused there and then, and remembered, so that the scenario fails however the
caller takes the refusal. Hooks of CPython cannot be removed: a disarmed one looks and does nothing.
"""

import ipaddress
import sys
from typing import Any

CONNECT = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
RESOLVE = frozenset({"socket.getaddrinfo", "socket.gethostbyname"})


class LiveLeakError(ConnectionRefusedError):
    """A bot, or anything beside it, tried to leave this machine during a run on the fake."""


class Tripwire:
    """Refuses and remembers what would leave this machine."""

    def __init__(self) -> None:
        self._armed, self._hooked = False, False
        self._leaks: list[str] = []

    def arm(self) -> None:
        """Stand before every socket from now on."""
        if not self._hooked:
            sys.addaudithook(self._look)
            self._hooked = True
        self._armed = True

    def disarm(self) -> None:
        """Let everything pass again."""
        self._armed = False

    def taken(self) -> list[str]:
        """What was refused since the last call, a line each."""
        leaks, self._leaks = self._leaks, []
        return leaks

    def _look(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._armed:
            return
        if event in CONNECT:
            self._refuse(arguments[1] if len(arguments) > 1 else None)
        elif event in RESOLVE:
            self._refuse((arguments[0], None))

    def _refuse(self, address: object) -> None:
        host = address[0] if isinstance(address, tuple) and address else None
        if host is None or is_here(host):
            return  # a path of this machine, or no address at all
        leak = f"live_leak: a connection to {host!s} was refused: nothing leaves this machine on the fake"
        self._leaks.append(leak)
        raise LiveLeakError(leak)


def is_here(host: object) -> bool:
    """Whether `host` is this machine: a loopback address, its name, or any address to listen on."""
    name = host.decode(errors="replace") if isinstance(host, bytes) else str(host)
    if name in ("", "localhost"):
        return True
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified
