"""A fake venue opened whole: an exchange on a market, its faces, and two keys on one account."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from botproof.clock import Clock
from botproof.errors import HarnessError

from .bitget.core.contract import FeeRates
from .bitget.core.exchange import Exchange
from .bitget.core.market import Market
from .bitget.journal import Journal
from .bitget.market.synthetic import SyntheticMarket
from .bitget.pump import Cadence
from .bitget.server import FakeBitget
from .bitget.signing import Key

HOST, PORT = "127.0.0.1", 8787
ACCOUNT = "main"


class MarketSource(Protocol):
    """Where a market comes from that is not drawn here: a recording."""

    def market(self, seed: int) -> Market: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeVenue:
    """What steps may do to the venue from behind, and where its faces are."""

    clock: Clock
    source: Market
    exchange: Exchange
    faces: FakeBitget
    bot_key: Key
    observer_key: Key

    @property
    def market(self) -> SyntheticMarket:
        """The market as a scenario may move it. Raises `HarnessError` for a recorded one, which stays as it was."""
        if not isinstance(self.source, SyntheticMarket):
            raise HarnessError("a recorded market is not moved by script: say a market such as `a calm market` instead")
        return self.source

    async def start(self) -> None:
        """Serve on the running loop."""
        await self.faces.serve(HOST, PORT)
        self.faces.start()

    async def stop(self) -> None:
        await self.faces.aclose()


OpenFake = Callable[..., FakeVenue]


def derived_seed(seed: int, purpose: str) -> int:
    """A seed of its own for each purpose, so that a new draw here moves nothing there."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{purpose}".encode()).digest()[:8], "big")


def open_fake(
    *,
    clock: Clock,
    seed: int,
    deposit: Decimal,
    price: Decimal,
    volatility_percent: int = 100,
    rates: FeeRates | None = None,
    cadence: Cadence = "lazy",
    recording: MarketSource | None = None,
    key_seed: int | None = None,
    journal: Journal | None = None,
) -> FakeVenue:
    """A venue with one account of `deposit` USDT at `price`; a volatility of 0 % moves only by script.

    With a `recording` the market is that, and neither price nor volatility is asked for.

    The account pays the contract's base rates unless it has `rates` of its own. The keys come from the seed, or from a
    `key_seed`, by which two venues have the same.
    """
    opened_us = clock.now_us()
    drawn = derived_seed(seed, "market")
    market: Market = (
        recording.market(drawn)
        if recording is not None
        else SyntheticMarket(
            seed=drawn, opened_us=opened_us, opening_price=price, volatility_percent=volatility_percent
        )
    )
    exchange = Exchange(market=market, seed=derived_seed(seed, "exchange"), opened_us=opened_us)
    exchange.open_account(ACCOUNT, deposit, rates=rates)
    keyed = seed if key_seed is None else key_seed
    bot_key = _key(keyed, "bot", frozenset({"read", "trade"}))
    observer_key = _key(keyed, "observer", frozenset({"read"}))
    keys, drawn = [bot_key, observer_key], derived_seed(seed, "faces")
    faces = FakeBitget(exchange, clock, keys, seed=drawn, cadence=cadence, journal=journal)
    return FakeVenue(
        clock=clock, source=market, exchange=exchange, faces=faces, bot_key=bot_key, observer_key=observer_key
    )


def _key(seed: int, owner: str, permissions: frozenset[str]) -> Key:
    secret = hashlib.sha256(f"{seed}:{owner}:secret".encode()).hexdigest()
    return Key(
        account=ACCOUNT,
        api_key=f"bg_{secret[:32]}",
        secret=hashlib.sha256(secret.encode()).hexdigest(),
        passphrase=f"pass{secret[-12:]}",
        permissions=permissions,
    )
