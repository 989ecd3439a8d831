"""The two units that other figures are put in, so that figures of two machines can be compared.

- A **virtual sleep**: `asyncio.sleep` on the virtual loop, with nothing else to do: what a jump of the clock costs.
- A **direct call**: one signed GET of the account, answered by the fake's REST face: no client, no transport, no loop.
"""

import asyncio
import time
from dataclasses import dataclass
from decimal import Decimal
from http import HTTPStatus

from botproof.clock import ManualClock
from botproof.fakes.fixtures import open_fake
from botproof.venue.signing import Credentials, signed_headers
from botproof.virtual import VirtualLoop

SLEEPS, CALLS = 20_000, 3_000
APART_US = 200_000  # between two calls: no rate limit is met
EPOCH_US = 1_771_722_000_000_000
TARGET = "/api/v2/mix/account/account?symbol=BTCUSDT&productType=USDT-FUTURES&marginCoin=USDT"


@dataclass(frozen=True, slots=True)
class Units:
    """CPU microseconds each."""

    virtual_sleep_us: float
    direct_call_us: float


def units() -> Units:
    """Both, measured now."""
    return Units(virtual_sleep_us=virtual_sleep_us(), direct_call_us=direct_call_us())


def virtual_sleep_us() -> float:
    """One `asyncio.sleep` on the virtual loop."""

    async def sleeps() -> None:
        for _ in range(SLEEPS):
            await asyncio.sleep(0.2)

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, VirtualLoop)
        task = loop.create_task(sleeps())
        began = time.process_time()
        loop.drive(stop_when=task.done)
        return (time.process_time() - began) / SLEEPS * 1e6


def direct_call_us() -> float:
    """One signed request, answered by the fake."""
    clock = ManualClock(EPOCH_US)
    fake = open_fake(clock=clock, seed=1, deposit=Decimal(1_000), price=Decimal(67_500))
    key = fake.observer_key
    credentials = Credentials(api_key=key.api_key, secret=key.secret, passphrase=key.passphrase)
    spent_s = 0.0
    for call in range(1, CALLS + 1):
        now_us = EPOCH_US + call * APART_US
        signed = signed_headers(credentials, timestamp_ms=now_us // 1000, method="GET", target=TARGET)
        headers = [(name.lower().encode(), value.encode()) for name, value in signed.items()]
        clock.set_us(now_us)
        began = time.process_time()
        answer = fake.faces.answer("GET", TARGET, headers, b"")
        spent_s += time.process_time() - began
        assert answer is not None
        assert answer.status == HTTPStatus.OK, answer.body
    return spent_s / CALLS * 1e6
