"""The fake's own memory: all it was told and all it answered, in order, as plain tuples.

It is the second witness of a run: at its end the tape must agree with it (`agreement`). It holds no secret: request
headers are not kept, and a login is kept as the name of its key. Frames of public channels are only counted: nobody
is judged by them, and a day of them would fill the memory.

>>> [call.code for call in journal.calls if call.path.endswith("place-order")]
['00000', '45110']
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

UNKNOWN_ROUTE = "40404"
REFUSED, LOST, DROPPED, DELAYED = "refused", "lost", "dropped", "delayed"
UNKNOWN_SOCKET = "unknown_path"


class Call(NamedTuple):
    """One HTTP call and its answer."""

    n: int
    at_us: int
    api_key: str  # as sent; empty on an unsigned call
    account: str  # empty where the key was not accepted
    method: str
    path: str
    query: str
    body: str
    status: int
    code: str  # empty where the answer has no envelope
    order_id: str = ""  # of the answer, else as asked
    client_id: str = ""  # as asked
    nearest: str = ""  # of an unknown route: the known one that is closest
    fate: str = ""  # by an armed fault: refused | lost (status and code never arrived) | dropped (has none) | delayed
    note: str = ""  # something was asked that the fake does not imitate


class SocketEvent(NamedTuple):
    """Something that happened on a connection: opened, login, refused, subscribe, unsubscribe, dropped, closed."""

    n: int
    at_us: int
    connection: int
    account: str
    event: str
    detail: str


class Deed(NamedTuple):
    """What the harness itself did on an account, past the faces."""

    n: int
    at_us: int
    account: str
    command: str  # PlaceOrder, CancelOrder ...
    code: str  # 00000, or the refusal's
    order_id: str = ""
    client_id: str = ""


class Push(NamedTuple):
    """A frame of a private channel: how many rows, and which ids they carry."""

    n: int
    at_us: int
    connection: int
    account: str
    channel: str
    rows: int
    ids: tuple[str, ...]


Entry = Call | SocketEvent | Push | Deed


class Journal:
    """Everything, in order; `n` counts over all kinds.

    With `kept` it forgets the oldest entries once there are twice as many, for a fake that runs for days; what was
    unexpected about them is remembered.
    """

    def __init__(self, kept: int | None = None) -> None:
        self.entries: list[Entry] = []
        self.public_pushes: Counter[str] = Counter()  # frames by channel
        self._kept, self._written, self._complaints = kept, 0, list[str]()

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, index: int) -> Entry:
        return self.entries[index]

    def __repr__(self) -> str:
        counts = Counter(type(entry).__name__ for entry in self.entries)
        return f"<Journal {', '.join(f'{kind}: {counts[kind]}' for kind in ('Call', 'SocketEvent', 'Push', 'Deed'))}>"

    def write(self, entry: Entry) -> None:
        """Append, numbered."""
        self.entries.append(entry._replace(n=self._written))
        self._written += 1
        if self._kept is not None and len(self.entries) >= 2 * self._kept:
            self._complaints += _complaints(self.entries[: -self._kept])
            del self.entries[: -self._kept]

    @property
    def calls(self) -> list[Call]:
        return [entry for entry in self.entries if isinstance(entry, Call)]

    @property
    def socket_events(self) -> list[SocketEvent]:
        return [entry for entry in self.entries if isinstance(entry, SocketEvent)]

    @property
    def pushes(self) -> list[Push]:
        return [entry for entry in self.entries if isinstance(entry, Push)]

    @property
    def deeds(self) -> list[Deed]:
        return [entry for entry in self.entries if isinstance(entry, Deed)]

    def calls_of(self, api_key: str) -> list[Call]:
        """The calls that carried `api_key`."""
        return [call for call in self.calls if call.api_key == api_key]

    def unexpected(self) -> list[str]:
        """One line for each call that the fake does not imitate; a run with any of them proves nothing."""
        return self._complaints + _complaints(self.entries)


def _complaints(entries: Sequence[Entry]) -> list[str]:
    calls = [_complaint(entry) for entry in entries if isinstance(entry, Call) and _is_unexpected(entry)]
    sockets = [
        f"connection: {entry.detail} is no socket of the fake"
        for entry in entries
        if isinstance(entry, SocketEvent) and entry.event == UNKNOWN_SOCKET
    ]
    return calls + sockets


def _is_unexpected(call: Call) -> bool:
    if call.fate:  # an armed fault gave it its code, or none
        return bool(call.note)
    return bool(call.note) or call.code == UNKNOWN_ROUTE or not call.code


def _complaint(call: Call) -> str:
    if call.note:
        return f"call {call.n}: {call.method} {call.path}: {call.note}"
    hint = f"; the nearest known route is {call.nearest}" if call.nearest else ""
    return f"call {call.n}: {call.method} {call.path} is no route of the fake{hint}"
