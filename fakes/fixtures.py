"""The fake venue of a scenario: an exchange, its faces, and two keys on one account."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

import pytest

from botproof.clock import Clock

from .bitget.core.contract import FeeRates
from .bitget.core.exchange import Exchange
from .bitget.market.synthetic import SyntheticMarket
from .bitget.server import FakeBitget
from .bitget.signing import Key

HOST, PORT = "127.0.0.1", 8787
ACCOUNT = "main"


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeVenue:
    """What steps may do to the venue from behind, and where its faces are."""

    clock: Clock
    market: SyntheticMarket
    exchange: Exchange
    faces: FakeBitget
    bot_key: Key
    observer_key: Key

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
) -> FakeVenue:
    """A venue with one account of `deposit` USDT at `price`; a volatility of 0 % moves only by script.

    The account pays the contract's base rates unless it has `rates` of its own.
    """
    opened_us = clock.now_us()
    market = SyntheticMarket(
        seed=derived_seed(seed, "market"),
        opened_us=opened_us,
        opening_price=price,
        volatility_percent=volatility_percent,
    )
    exchange = Exchange(market=market, seed=derived_seed(seed, "exchange"), opened_us=opened_us)
    exchange.open_account(ACCOUNT, deposit, rates=rates)
    bot_key = _key(seed, "bot", frozenset({"read", "trade"}))
    observer_key = _key(seed, "observer", frozenset({"read"}))
    faces = FakeBitget(exchange, clock, [bot_key, observer_key], seed=derived_seed(seed, "faces"))
    return FakeVenue(
        clock=clock, market=market, exchange=exchange, faces=faces, bot_key=bot_key, observer_key=observer_key
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


@pytest.fixture
def fake_bitget() -> OpenFake:
    """Opens a fake venue: `fake_bitget(clock=..., seed=..., deposit=..., price=...)`."""
    return open_fake
