"""`botproof fake`: the fake venue on a loopback port and the machine's clock, for a bot in any language.

It is the venue of the scenarios, with the venue's own cadence of pushes and the control face beside its faces. Only
127.0.0.1 is ever bound. What it needs is imported here and nowhere above it: it is to be ready in half a second.
"""

import asyncio
import errno
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Protocol

from botproof.clock import Clock, SystemClock
from botproof.errors import Refusal
from botproof.fakes.bitget.control.calls import BALANCE_USDT_MAX, BALANCE_USDT_MIN, PREFIX, SEED_MAX, Control, Open
from botproof.fakes.bitget.control.face import ControlFace
from botproof.fakes.bitget.core.market import Market
from botproof.fakes.bitget.journal import Journal
from botproof.fakes.bitget.market.shifted import ShiftedMarket
from botproof.fakes.bitget.server import PRIVATE_PATH, PUBLIC_PATH, FakeBitget, Mount
from botproof.fakes.bitget.signing import Key
from botproof.fakes.venue import HOST, MarketSource, open_fake

SYNTHETIC = "synthetic"
OPENING_PRICE_USDT = Decimal(67_500)
JOURNAL_KEPT = 10_000  # entries, and up to twice as many: about 20 MB, after however many days
_PORT_MAX = 65_535
_DIGITS_MAX = 20
_PLACES_MAX = 8

Announce = Callable[[Mapping[str, object]], None]


class Recording(MarketSource, Protocol):
    """A stretch of a recorded market; instants are microseconds since the epoch."""

    @property
    def name(self) -> str: ...
    @property
    def begins_us(self) -> int: ...
    @property
    def ends_us(self) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What is to be served; port 0 takes any that is free."""

    port: int
    seed: int
    balance_usdt: Decimal
    recording: Recording | None = None  # None: the market is synthetic

    @property
    def note(self) -> str:
        """What the user should know before he relies on it; empty where there is nothing."""
        if self.recording is None:
            return ""
        minutes = (self.recording.ends_us - self.recording.begins_us) // 60_000_000
        return f"{self.recording.name} begins now and lasts {minutes} min; then its market stands still"


@dataclass(frozen=True, slots=True)
class _FromNow:
    """A recording that begins at another instant."""

    recording: Recording
    now_us: int

    def market(self, seed: int) -> Market:
        return ShiftedMarket(self.recording.market(seed), self.now_us - self.recording.begins_us)


def read_offer(*, port: str, seed: str, market: str, balance: str, folder: Path) -> Offer:
    """Check the options as typed; a recording is looked for in `folder` too. Raises `Refusal`."""
    return Offer(
        port=_whole("--port", port, _PORT_MAX),
        seed=_whole("--seed", seed, SEED_MAX),
        balance_usdt=_balance(balance),
        recording=_recording(market, folder),
    )


def serve(offer: Offer, announce: Announce) -> None:
    """Serve until SIGINT or SIGTERM; `announce` hears where and with which key, once. Raises `Refusal`."""
    asyncio.run(_serve(offer, announce))


async def _serve(offer: Offer, announce: Announce) -> None:
    ended, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    desk = _Desk(offer, SystemClock())
    control = Control(desk.open, offer.seed, offer.balance_usdt)
    mount = Mount(ControlFace(control).app)
    try:
        port = await _listen(mount, offer.port)
        control.faces.start()
        announce(_announcement(port, offer.seed, desk.key))
        await ended.wait()
    finally:
        control.faces.hang_up()
        await mount.aclose()


class _Desk:
    """Opens the venue, at the start and at each reset, always with the same key."""

    def __init__(self, offer: Offer, clock: Clock) -> None:
        self._offer, self._clock = offer, clock
        self.open: Open = self._open
        self.key: Key

    def _open(self, seed: int, balance_usdt: Decimal) -> FakeBitget:
        recording = self._offer.recording
        fake = open_fake(
            clock=self._clock,
            seed=seed,
            deposit=balance_usdt,
            price=OPENING_PRICE_USDT,
            cadence="channel",
            recording=recording and _FromNow(recording, self._clock.now_us()),
            key_seed=self._offer.seed,
            journal=Journal(kept=JOURNAL_KEPT),
        )
        self.key = fake.bot_key
        return fake.faces


async def _listen(mount: Mount, port: int) -> int:
    """The port that was taken."""
    try:
        server = await mount.listen(HOST, port)
    except OSError as error:
        why = "in use" if error.errno == errno.EADDRINUSE else (error.strerror or "not to be had").lower()
        raise Refusal(
            f"--port: expected a port that can be bound on {HOST}, found {port}: {why}; give another, or 0 for any"
        ) from None
    taken: int = server.sockets[0].getsockname()[1]
    return taken


def _announcement(port: int, seed: int, key: Key) -> dict[str, object]:
    return {
        "rest_url": f"http://{HOST}:{port}",
        "ws_public_url": f"ws://{HOST}:{port}{PUBLIC_PATH}",
        "ws_private_url": f"ws://{HOST}:{port}{PRIVATE_PATH}",
        "control_url": f"http://{HOST}:{port}{PREFIX}",
        "api_key": key.api_key,
        "api_secret": key.secret,
        "passphrase": key.passphrase,
        "seed": seed,
    }


def _whole(option: str, text: str, high: int) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > _DIGITS_MAX or int(text) > high:
        raise Refusal(f"{option}: expected a whole number from 0 to {high}, found {_shown(text)}")
    return int(text)


def _balance(text: str) -> Decimal:
    try:
        balance = Decimal(text) if len(text) <= _DIGITS_MAX and text.isascii() else Decimal("NaN")
    except InvalidOperation:
        balance = Decimal("NaN")
    exponent = balance.as_tuple().exponent
    is_money = isinstance(exponent, int) and exponent >= -_PLACES_MAX
    if not is_money or not BALANCE_USDT_MIN <= balance <= BALANCE_USDT_MAX:
        raise Refusal(
            f"--balance: expected USDT from {BALANCE_USDT_MIN} to {BALANCE_USDT_MAX} "
            f"with at most {_PLACES_MAX} decimals, found {_shown(text)}"
        )
    return balance


def _recording(market: str, folder: Path) -> Recording | None:
    if market == SYNTHETIC:
        return None
    if not market.startswith("replay:"):
        raise Refusal(f"--market: expected {SYNTHETIC} or replay:FILE[#k], found {_shown(market)}")
    from botproof.fakes.recordings import open_recording

    return open_recording(market, folder, 0)


def _shown(text: str) -> str:
    from botproof.document import shown

    return shown(text)
