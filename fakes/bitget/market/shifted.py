"""A recorded market at another time: what was recorded at its beginning happens when the venue opens."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from botproof.events import Side

from ..core.market import Market, Prices
from ..core.messages import MarketTrade


@dataclass(frozen=True, slots=True)
class ShiftedMarket:
    """`market`, `by_us` later. Funding is settled at the exchange's instants, with the rate that was in force then."""

    market: Market
    by_us: int

    def step_us(self, at_us: int) -> int:
        return self.market.step_us(at_us - self.by_us) + self.by_us

    def top(self, at_us: int) -> tuple[int, int]:
        return self.market.top(at_us - self.by_us)

    def levels(self, at_us: int, side: Side) -> Iterator[tuple[int, int]]:
        return self.market.levels(at_us - self.by_us, side)

    def prices(self, at_us: int) -> Prices:
        return self.market.prices(at_us - self.by_us)

    def funding_rate(self, at_us: int) -> Decimal:
        return self.market.funding_rate(at_us - self.by_us)

    def first_touch(self, after_us: int, until_us: int, buy: int | None, sell: int | None) -> int | None:
        found = self.market.first_touch(after_us - self.by_us, until_us - self.by_us, buy, sell)
        return None if found is None else found + self.by_us

    def trades(self, after_us: int, until_us: int) -> list[MarketTrade]:
        found = self.market.trades(after_us - self.by_us, until_us - self.by_us)
        return [replace(trade, at_us=trade.at_us + self.by_us) for trade in found]

    def settle(self, now_us: int) -> None:
        self.market.settle(now_us - self.by_us)
