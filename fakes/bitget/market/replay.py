"""Recorded markets: what replays of trades and of candles have in common.

A recording says what was traded, and nothing of the book. What a replay adds to it is inferred:

1. **The spread is one tick.** Who bought took the best ask, so the ask stood there, and the best bid one tick below. In
   four stretches of February and March 2026, 116 of 124 changes of side within 200 ms lie one tick apart.
2. **Sizes in the book are drawn** from the seed, step by step, as those of the synthetic market are. So an order that
   begins to rest has a queue before it, which recorded trades at its price must take first; where they go through its
   price, nobody is left ahead.
3. **Nobody reacts** to the orders of the accounts: what was recorded happens whatever they do. Nothing can be scripted
   on top of it either: a market moved by hand would not be the one that was recorded.

What happened is known ahead, so a replay is a function of (recording, seed, step) and keeps nothing that may be lost.
Before its first step and after its last the market stands still.
"""

from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from botproof.events import Side

_BLOCK = 256  # steps whose extremes are known without looking at each
_UNPUBLISHED_RATE = Decimal("0.0001")  # the interest part alone, which the rate is while the premium is small


@dataclass(frozen=True, slots=True)
class RecordedTrade:
    """One public trade: the side is the taker's, the price in ticks, the size in quantity steps."""

    at_ms: int
    side: Side
    ticks: int
    steps: int
    trade_id: str


@dataclass(frozen=True, slots=True)
class Candle:
    """What the price did in one period, in whole units of its series."""

    open: int
    high: int
    low: int
    close: int


class Lasts:
    """The last price at consecutive steps, in ticks, who took it, and the extremes of each block of steps.

    After a buyer the last price is the best ask, after a seller the best bid.
    """

    __slots__ = ("_blocks", "bought", "prices")

    def __init__(self, prices: "array[int]", bought: bytes | bytearray) -> None:
        self.prices, self.bought = prices, bought
        blocks = (prices[begin : begin + _BLOCK] for begin in range(0, len(prices), _BLOCK))
        self._blocks = [(min(block), max(block)) for block in blocks]

    def top(self, step: int) -> tuple[int, int]:
        """Best bid and best ask."""
        bid = self.prices[step] - self.bought[step]
        return bid, bid + 1

    def first_reached(self, begin: int, end: int, buy: int | None, sell: int | None) -> int | None:
        """The first step in begin..end-1 whose last price is at most `buy` or at least `sell`."""
        while begin < end:
            low, high = self._blocks[begin // _BLOCK]
            block_end = min(end, begin - begin % _BLOCK + _BLOCK)
            if (buy is not None and low <= buy) or (sell is not None and high >= sell):
                for step in range(begin, block_end):
                    price = self.prices[step]
                    if (buy is not None and price <= buy) or (sell is not None and price >= sell):
                        return step
            begin = block_end
        return None


class SettledRates:
    """Funding as it was settled: the running rate of an interval is the one that its end will settle.

    The venue publishes a rate that converges to that one (documented); how it did was not recorded. Of an interval
    whose settlement is not in the recording the rate is the interest part, 0.01 % (inferred).
    """

    def __init__(self, by_instant_us: Mapping[int, Decimal], interval_us: int) -> None:
        self._by_instant_us, self._interval_us = by_instant_us, interval_us

    def at(self, at_us: int) -> Decimal:
        """The rate in force at `at_us`; at the instant of a settlement already that of the next interval."""
        next_us = (at_us // self._interval_us + 1) * self._interval_us
        return self._by_instant_us.get(next_us, _UNPUBLISHED_RATE)
