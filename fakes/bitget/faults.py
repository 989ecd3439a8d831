"""What goes wrong at the venue, as data: small classes in a table by name, armed on the server's faces.

    refuse    the call is answered with a code of the scenario's choice, and nothing is carried out
    lose      the call is carried out, and no answer ever comes
    drop      the call is neither carried out nor answered
    delay     the call is carried out, and answered late
    silence   a channel of the sockets says nothing for a while

All but the last are `Strike`s: each takes `times` calls that fit its method, path and API key: the next ones, or those
after the `skip` next. They strike what the venue would have served: a call that fails the gate (signature, permission,
a body that is no object) is refused as ever and uses nothing up; a call that the exchange would have refused is struck
like any other. Strikes are tried in the order in which they were armed, and one call is struck by one of them; it
counts as passed for all that it fits.

A fault that was armed and never fired has shown nothing: `unfired` tells it, and a scenario fails on it.

>>> armed = faces.arm(Lose(path="/api/v2/mix/order/place-order", times=2))
>>> armed.fired, armed.left
(0, 2)
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

FOR_GOOD = 1_000_000_000  # so many calls that it lasts: it has fired when it has fired once


@dataclass(frozen=True, slots=True, kw_only=True)
class Strike:
    """A fault of `times` calls, after `skip` that pass. `path` is exact; an empty method or API key fits any."""

    name: ClassVar[str]
    path: str
    method: str = ""
    api_key: str = ""
    times: int = 1
    skip: int = 0

    def __post_init__(self) -> None:
        if self.times < 1 or self.skip < 0:
            raise ValueError(f"a fault strikes at least once, after no call or more; found {self.times}, {self.skip}")

    def __str__(self) -> str:
        often = "for good" if self.times == FOR_GOOD else f"{self.times} times"
        later = f" after {self.skip} calls" if self.skip else ""
        return f"{self.name} {self.method or 'any'} {self.path}, {often}{later}"

    def fits(self, method: str, path: str, api_key: str) -> bool:
        """Whether a call is one of those that it strikes."""
        return path == self.path and self.method in ("", method) and self.api_key in ("", api_key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse(Strike):
    """Answered with `code`, `message` and an HTTP `status`; never carried out."""

    name: ClassVar[str] = "refuse"
    code: str
    message: str
    status: int = 400

    def __str__(self) -> str:
        return f"{Strike.__str__(self)}, with {self.code}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lose(Strike):
    """Carried out, and never answered."""

    name: ClassVar[str] = "lose"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop(Strike):
    """Neither carried out nor answered."""

    name: ClassVar[str] = "drop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay(Strike):
    """Carried out at once, and answered after `for_us`."""

    name: ClassVar[str] = "delay"
    for_us: int

    def __post_init__(self) -> None:
        Strike.__post_init__(self)
        if self.for_us < 1:
            raise ValueError(f"a delay lasts at least a microsecond; found {self.for_us}")

    def __str__(self) -> str:
        return f"{Strike.__str__(self)}, by {self.for_us // 1000} ms"


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """`channel` pushes nothing for `for_us` from when it is armed, first snapshots included.

    An API key confines it to the private connections of that key.
    """

    name: ClassVar[str] = "silence"
    channel: str
    for_us: int
    api_key: str = ""

    def __post_init__(self) -> None:
        if self.for_us < 1:
            raise ValueError(f"a silence lasts at least a microsecond; found {self.for_us}")

    def __str__(self) -> str:
        return f"{self.name} {self.channel}, {self.for_us // 1000} ms"

    def fits(self, channel: str, api_key: str) -> bool:
        """Whether a frame is one of those that it withholds."""
        return channel == self.channel and self.api_key in ("", api_key)


Fault = Strike | Silence

FAULTS: Mapping[str, type[Fault]] = {fault.name: fault for fault in (Refuse, Lose, Drop, Delay, Silence)}


@dataclass(slots=True)
class Armed:
    """A fault in place. `fired_us` holds the instants at which it took effect: calls struck, frames withheld."""

    fault: Fault
    armed_us: int
    fired_us: list[int] = field(default_factory=list)
    is_lifted: bool = False
    seen: int = 0  # calls that fitted, struck or not

    @property
    def fired(self) -> int:
        return len(self.fired_us)

    @property
    def left(self) -> int:
        """How many calls it will still strike; of a silence 0."""
        if self.is_lifted or isinstance(self.fault, Silence):
            return 0
        return self.fault.times - self.fired


Listener = Callable[[Armed, int, str], None]


class Faults:
    """The faults of one server. `listener` is told of each effect: the fault, the instant, and what it hit."""

    def __init__(self) -> None:
        self.armed: list[Armed] = []
        self.listener: Listener | None = None

    def __repr__(self) -> str:
        return f"<Faults {'; '.join(f'{each.fault}: fired {each.fired}' for each in self.armed) or 'none'}>"

    def arm(self, fault: Fault, at_us: int) -> Armed:
        """Put a fault in place from now on."""
        armed = Armed(fault, at_us)
        self.armed.append(armed)
        return armed

    def lift(self, armed: Armed) -> None:
        """Take a fault away; what it did stays on record."""
        armed.is_lifted = True

    def unfired(self) -> list[str]:
        """One line for each fault that was armed and did less than it was armed for."""
        return [complaint for armed in self.armed if (complaint := _complaint(armed))]

    def strike(self, method: str, path: str, api_key: str, at_us: int) -> Strike | None:
        """The fault that takes this call, used up by one; None where there is none."""
        due: Armed | None = None
        for armed in self.armed:
            fault = armed.fault
            if isinstance(fault, Strike) and armed.left and fault.fits(method, path, api_key):
                armed.seen += 1
                due = due or (armed if armed.seen > fault.skip else None)
        if due is None or not isinstance(due.fault, Strike):
            return None
        self._fire(due, at_us, f"{method} {path}")
        return due.fault

    def silences(self, channel: str, api_key: str, at_us: int) -> bool:
        """Whether a frame of `channel` is to be withheld, which counts as an effect."""
        for armed in self.armed:
            fault = armed.fault
            if not isinstance(fault, Silence) or armed.is_lifted or not fault.fits(channel, api_key):
                continue
            if armed.armed_us <= at_us < armed.armed_us + fault.for_us:
                self._fire(armed, at_us, channel)
                return True
        return False

    def _fire(self, armed: Armed, at_us: int, what: str) -> None:
        armed.fired_us.append(at_us)
        if self.listener is not None:
            self.listener(armed, at_us, what)


def _complaint(armed: Armed) -> str:
    if isinstance(armed.fault, Silence):
        return "" if armed.fired else f"fault armed and never fired: {armed.fault}"
    if armed.fired == armed.fault.times or (armed.fired and armed.fault.times == FOR_GOOD):
        return ""
    times = "never fired" if not armed.fired else f"fired only {armed.fired} times"
    return f"fault armed and {times}: {armed.fault}"
