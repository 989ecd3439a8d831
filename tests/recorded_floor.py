"""Recorded markets for tests: small ones written by hand, and the real ones where the machine has them."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from botproof.events import OrderType, Side
from botproof.fakes.bitget.core.exchange import Exchange
from botproof.fakes.bitget.core.market import Market
from botproof.fakes.bitget.core.messages import OrderFilled, Outcome, PlaceOrder
from botproof.fakes.bitget.market.replay import Candle, RecordedTrade
from botproof.fakes.bitget.market.replay_candles import CandleReplay, Series

BEGINS_MS = 1_771_718_400_000  # 2026-02-22T00:00:00Z
BEGINS_US = BEGINS_MS * 1000
SECOND_US = 1_000_000
TICK, FINE = Decimal("0.1"), Decimal("0.000000000001")

_HOME = Path(os.environ.get("BOTPROOF_DATA", "")) / "market"
needs_recordings = pytest.mark.skipif(
    not os.environ.get("BOTPROOF_DATA") or not (_HOME / "btcusdt_trades.csv").is_file(),
    reason="BOTPROOF_DATA names no folder with the recorded markets",
)


def recorded(name: str) -> Path:
    """A file of the real data."""
    return _HOME / name


def us(text: str) -> int:
    """An instant such as `2026-02-22T08:00`, UTC, in microseconds."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND_US


def sold(at_ms: int, ticks: int, steps: int = 1) -> RecordedTrade:
    """A seller took the best bid, `at_ms` after the beginning."""
    return _trade(at_ms, Side.SELL, ticks, steps)


def bought(at_ms: int, ticks: int, steps: int = 1) -> RecordedTrade:
    """A buyer took the best ask."""
    return _trade(at_ms, Side.BUY, ticks, steps)


def _trade(at_ms: int, side: Side, ticks: int, steps: int) -> RecordedTrade:
    return RecordedTrade(BEGINS_MS + at_ms, side, ticks, steps, str(at_ms))


def candle_replay(
    last: Sequence[Candle],
    *,
    seed: int = 1,
    period_s: int = 900,
    mark: Sequence[Candle] | None = None,
    index: Sequence[Candle] | None = None,
    funding: dict[int, Decimal] | None = None,
) -> CandleReplay:
    """Candles from midnight on; mark and index, where nobody says them, are last in ticks."""
    return CandleReplay(
        seed=seed,
        begins_us=BEGINS_US,
        period_us=period_s * SECOND_US,
        last=last,
        mark=Series(TICK, mark or last),
        index=Series(TICK, index or last),
        funding=funding,
    )


class Desk:
    """An exchange on a market, and one account of 1000 USDT on it."""

    def __init__(self, market: Market, opened_us: int = BEGINS_US) -> None:
        self.exchange = Exchange(market=market, seed=1, opened_us=opened_us)
        self.exchange.open_account("main", Decimal(1000))

    def place(self, side: Side, at_us: int, price: str | None = None, size: str = "0.0001") -> list[OrderFilled]:
        """Place an order, at market where there is no price; its fills at once."""
        command = PlaceOrder(
            symbol="BTCUSDT",
            side=side,
            order_type=OrderType.MARKET if price is None else OrderType.LIMIT,
            size=Decimal(size),
            price=None if price is None else Decimal(price),
        )
        self.exchange.advance(at_us)
        return fills(self.exchange.apply("main", command, at_us))

    def advance(self, at_us: int) -> list[OrderFilled]:
        """The fills up to an instant."""
        return fills(self.exchange.advance(at_us))


def fills(outcomes: Sequence[Outcome]) -> list[OrderFilled]:
    """The fills among outcomes."""
    return [outcome for outcome in outcomes if isinstance(outcome, OrderFilled)]
