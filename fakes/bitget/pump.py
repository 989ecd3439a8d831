"""What happens by itself: fills at their own instant, public channels at their cadence, frames after their latency.

Time is the clock's, in integer microseconds; the loop only wakes us. Before every command and every read the exchange
is advanced to the present (`settle`), and what that did goes to the private channels of the accounts concerned. While
anybody is subscribed, one alarm stands at the next instant at which the market fills something resting, so a fill is
reported when it happens and not when somebody looks. With nobody subscribed nothing is scheduled at all.

Public channels have a grid of their own each, displaced by a seeded phase that is no whole millisecond: no two sources
share an instant, so no order of events hangs on a tie.

    cadence    ticker    books1    trade    and besides
    channel    300 ms    100 ms    1 s
    lazy       10 s      10 s      10 s     at once when the market fills something resting; each second while any
                                            account has a position

Every frame reaches its connection 5 to 35 ms after it was made, drawn from a stream of the connection's own, and never
before the one made earlier.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from random import Random
from typing import Literal, Protocol

from botproof.clock import Clock

from .core.exchange import Exchange
from .core.messages import Outcome, PositionChanged
from .faults import Faults
from .journal import Journal, Push, SocketEvent
from .wire import Skew
from .ws import PUBLIC_CHANNELS, Frame, Session, Shown

Cadence = Literal["lazy", "channel"]

LATENCY_US = (5_000, 35_000)
PING_GRACE_US = (120_000_000, 142_000_000)  # seen at 127 s and 142 s; documented as two minutes (live)
LOOK_AHEAD_US = 60_000_000
_SECOND_US = 1_000_000
_LAZY_PERIOD_US = 10_000_000
_CHANNEL_PERIOD_US = {"ticker": 300_000, "books1": 100_000, "trade": 1_000_000}
_SHORTEST_SLEEP_S = 2e-6  # above the resolution of any loop: an alarm that rang early must not ring on the spot again


class Timer(Protocol):
    """Something that is due, and can be called off."""

    def cancel(self) -> None: ...


CallAt = Callable[[int, Callable[[], None]], Timer]


class Alarm:
    """Calls `ring` once, at an instant of the clock; setting it again moves it.

    The loop wakes it, unless the clock does: one that is set by hand offers `call_at(at_us, callback)`.
    """

    def __init__(self, clock: Clock, ring: Callable[[], None]) -> None:
        self._clock, self._ring = clock, ring
        self._call_at: CallAt | None = getattr(clock, "call_at", None)
        self._at_us = 0
        self._handle: Timer | None = None

    def set(self, at_us: int) -> None:
        if self._handle is not None and at_us == self._at_us:
            return
        self.cancel()
        self._at_us = at_us
        self._sleep(0.0)

    def cancel(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _sleep(self, shortest_s: float) -> None:
        if self._call_at is not None:
            self._handle = self._call_at(self._at_us, self._wake)
            return
        delay_s = max((self._at_us - self._clock.now_us()) / 1_000_000, shortest_s)
        self._handle = asyncio.get_running_loop().call_later(delay_s, self._wake)

    def _wake(self) -> None:
        """The loop counts in floats and may be a hair early."""
        if self._clock.now_us() < self._at_us:
            self._sleep(_SHORTEST_SLEEP_S)
            return
        self._handle = None
        self._ring()


class Connection:
    """A session on the wire: its frames wait here for their instant, then go out in order through `outgoing`."""

    def __init__(
        self, number: int, session: Session, *, clock: Clock, chance: Random, abort: Callable[[], None]
    ) -> None:
        self.number, self.session = number, session
        self.outgoing: asyncio.Queue[str | None] = asyncio.Queue()  # None: close
        self._clock, self._chance, self._abort = clock, chance, abort
        self._waiting: deque[tuple[int, str | None]] = deque()
        self._delivery = Alarm(clock, self._deliver)
        self._silence = Alarm(clock, self._check_silence)
        self._grace_us = chance.randint(*PING_GRACE_US)
        self.was_dropped = False

    def __repr__(self) -> str:
        kind = "private" if self.session.is_private else "public"
        return f"<Connection {self.number} {kind} {sorted(self.session.channels)}>"

    def open(self) -> None:
        self._silence.set(self._deadline_us())

    def post(self, frames: Iterable[Frame], now_us: int) -> None:
        """Hand over what the session said just now."""
        for frame in frames:
            self._enqueue(frame.text, now_us)
        if self.session.is_closing:
            self._enqueue(None, now_us)

    def close(self) -> None:
        """Stop all alarms; nothing more is sent."""
        self._delivery.cancel()
        self._silence.cancel()
        self._waiting.clear()

    def drop(self) -> None:
        """Cut the line: no close frame, the client sees 1006."""
        self.was_dropped = True
        self.close()
        self._abort()

    def _enqueue(self, text: str | None, now_us: int) -> None:
        earliest_us = self._waiting[-1][0] if self._waiting else 0
        self._waiting.append((max(earliest_us, now_us + self._chance.randint(*LATENCY_US)), text))
        self._delivery.set(self._waiting[0][0])

    def _deliver(self) -> None:
        now_us = self._clock.now_us()
        while self._waiting and self._waiting[0][0] <= now_us:
            self.outgoing.put_nowait(self._waiting.popleft()[1])
        if self._waiting:
            self._delivery.set(self._waiting[0][0])

    def _deadline_us(self) -> int:
        quiet_us = self.session.last_ping_us + self._grace_us
        age_s = self.session.switches.connection_age_s_max
        return quiet_us if age_s is None else min(quiet_us, self.session.opened_us + age_s * _SECOND_US)

    def _check_silence(self) -> None:
        """Pings since the alarm was set move it on."""
        deadline_us = self._deadline_us()
        if deadline_us <= self._clock.now_us():
            self.drop()
        else:
            self._silence.set(deadline_us)


class Pump:
    """Keeps the exchange at the present and the connections fed."""

    def __init__(
        self,
        exchange: Exchange,
        clock: Clock,
        journal: Journal,
        faults: Faults,
        *,
        seed: int,
        cadence: Cadence,
        skew: Skew,
    ) -> None:
        self._exchange, self._clock, self._journal, self._cadence = exchange, clock, journal, cadence
        self._faults, self._skew = faults, skew
        self._connections: list[Connection] = []
        self._now_us = 0
        self._holders = {account for account in exchange.accounts if exchange.positions(account)}
        self._phases = _phases(seed)
        self._market = Alarm(clock, self._on_market)
        self._channels = {channel: Alarm(clock, self._due(channel)) for channel in PUBLIC_CHANNELS}
        self._is_running = False

    @property
    def connections(self) -> Sequence[Connection]:
        return tuple(self._connections)

    @property
    def is_running(self) -> bool:
        return self._is_running

    def start(self) -> None:
        """Set the alarms from now on; needs a running loop. A second start changes nothing."""
        asyncio.get_running_loop()
        self._is_running = True
        self.rearm()

    def stop(self) -> None:
        self._is_running = False
        for alarm in (self._market, *self._channels.values()):
            alarm.cancel()
        for connection in self._connections:
            connection.close()

    def attach(self, connection: Connection) -> None:
        self._connections.append(connection)
        connection.open()

    def detach(self, connection: Connection) -> None:
        connection.close()
        if connection in self._connections:
            self._connections.remove(connection)
        self.rearm()

    def now_us(self) -> int:
        """The present; it does not go back where the machine's clock does."""
        self._now_us = max(self._now_us, self._clock.now_us())
        return self._now_us

    def settle(self) -> int:
        """Bring the exchange to the present, report what happened on the way, and return the present."""
        now_us = self.now_us()
        self.report(self._exchange.advance(now_us), now_us)
        return now_us

    def report(self, outcomes: Sequence[Outcome], now_us: int) -> None:
        """Push what the exchange did to the private channels; where it did nothing, every alarm is right as it is."""
        if not outcomes:
            return
        for outcome in outcomes:
            if isinstance(outcome, PositionChanged):
                holds = outcome.position is not None or self._exchange.positions(outcome.account)
                (self._holders.add if holds else self._holders.discard)(outcome.account)
        for connection in self._connections:
            if connection.session.account:
                self.send(connection, connection.session.report(outcomes, now_us), now_us)
        self.rearm()

    def send(self, connection: Connection, frames: Sequence[Frame], now_us: int) -> None:
        """Put frames on their way, and what they carry into the journal; what an armed silence covers is gone."""
        session = connection.session
        if self._faults.armed:
            frames = [frame for frame in frames if not self._is_silenced(session, frame, now_us)]
        for note in session.notes:
            self._journal.write(SocketEvent(0, now_us, connection.number, session.account, note.event, note.detail))
        session.notes.clear()
        for frame in frames:
            if frame.channel in PUBLIC_CHANNELS:
                self._journal.public_pushes[frame.channel] += 1
            elif frame.channel:
                self._journal.write(
                    Push(0, now_us, connection.number, session.account, frame.channel, frame.rows, frame.ids)
                )
        connection.post(frames, now_us)

    def _is_silenced(self, session: Session, frame: Frame, now_us: int) -> bool:
        api_key = session.key.api_key if session.key else ""
        return bool(frame.channel) and self._faults.silences(frame.channel, api_key, now_us)

    # Alarms

    def rearm(self) -> None:
        """Put every alarm where it now belongs: subscriptions, resting orders, positions or the market have changed."""
        if not self._is_running:
            return
        subscribed = {channel for connection in self._connections for channel in connection.session.channels}
        now_us = self.now_us()
        if subscribed:
            until_us = now_us + LOOK_AHEAD_US
            self._market.set(self._exchange.next_event_us(until_us) or until_us)
        else:
            self._market.cancel()
        for channel, alarm in self._channels.items():
            if channel in subscribed:
                alarm.set(self._next_us(channel, now_us))
            else:
                alarm.cancel()

    def _next_us(self, channel: str, now_us: int) -> int:
        return _next_on_grid(now_us, self._period_us(channel), self._phases[channel])

    def _period_us(self, channel: str) -> int:
        if self._cadence == "channel":
            return _CHANNEL_PERIOD_US[channel]
        return _SECOND_US if self._holders else _LAZY_PERIOD_US

    def _on_market(self) -> None:
        now_us = self.now_us()
        outcomes = self._exchange.advance(now_us)
        self.report(outcomes, now_us)
        self.rearm()  # also where nothing happened: this far was looked ahead, and no further
        if outcomes and self._cadence == "lazy":
            for channel in PUBLIC_CHANNELS:
                self._publish(channel, now_us)

    def _due(self, channel: str) -> Callable[[], None]:
        def ring() -> None:
            now_us = self.settle()
            self._publish(channel, now_us)
            self._channels[channel].set(self._next_us(channel, now_us))

        return ring

    def _publish(self, channel: str, now_us: int) -> None:
        shown = Shown(self._exchange, now_us, self._skew.told_us(now_us))
        for connection in self._connections:
            if frames := connection.session.publish(channel, now_us, shown):
                self.send(connection, frames, now_us)


def _phases(seed: int) -> dict[str, int]:
    """A phase of each channel within ten seconds, never on a whole millisecond."""
    chance = Random(f"{seed}/phases")
    return {
        channel: chance.randrange(_LAZY_PERIOD_US // 1000) * 1000 + chance.randint(1, 999)
        for channel in PUBLIC_CHANNELS
    }


def _next_on_grid(after_us: int, period_us: int, phase_us: int) -> int:
    """The first instant after `after_us` that lies `phase_us` beyond a multiple of the period."""
    return after_us + period_us - (after_us - phase_us) % period_us
