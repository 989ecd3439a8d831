"""Recorded trades, replayed one by one: each is a step, and what stands around it is told in `replay`.

A recording knows milliseconds, and many trades share one. They are put a microsecond apart, in their order and off the
whole millisecond, so that each is a step of its own: a resting order then fills at the trade that reached it, not at
the last one of the sweep.

Mark and index are the last price (inferred: nobody recorded them beside the trades).
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise

from botproof.events import Side

from ..core.contract import BTCUSDT, ContractRules
from ..core.market import Prices
from ..core.messages import MarketTrade
from .book import book_levels
from .replay import Lasts, RecordedTrade, SettledRates


class TradeReplay:
    """One contiguous stretch of recorded trades, for `Exchange`; `funding` is the settled rate by instant (us).

    Raises ValueError where there is no trade, or where the trades are not in the order of their times.
    """

    def __init__(
        self,
        trades: Sequence[RecordedTrade],
        *,
        seed: int,
        funding: Mapping[int, Decimal] | None = None,
        rules: ContractRules = BTCUSDT,
    ) -> None:
        if not trades:
            raise ValueError("a replay needs at least one trade")
        self._trades, self._seed, self._rules = trades, seed, rules
        self._instants = _instants(trades)
        prices = array("q", (trade.ticks for trade in trades))
        self._lasts = Lasts(prices, bytes(trade.side is Side.BUY for trade in trades))
        self._funding = SettledRates(funding or {}, rules.funding_interval_us)

    # What the exchange asks

    def step_us(self, at_us: int) -> int:
        return self._instants[self._step(at_us)]

    def top(self, at_us: int) -> tuple[int, int]:
        return self._lasts.top(self._step(at_us))

    def levels(self, at_us: int, side: Side) -> Iterator[tuple[int, int]]:
        step = self._step(at_us)
        return book_levels(self._seed, step, side, self._lasts.top(step)[side is Side.SELL])

    def prices(self, at_us: int) -> Prices:
        last = self._rules.price(self._lasts.prices[self._step(at_us)])
        return Prices(last=last, mark=last, index=last)

    def funding_rate(self, at_us: int) -> Decimal:
        return self._funding.at(at_us)

    def first_touch(self, after_us: int, until_us: int, buy: int | None, sell: int | None) -> int | None:
        begin, end = bisect_right(self._instants, after_us), bisect_right(self._instants, until_us)
        step = self._lasts.first_reached(begin, end, buy, sell)
        return None if step is None else self._instants[step]

    def trades(self, after_us: int, until_us: int) -> list[MarketTrade]:
        begin, end = bisect_right(self._instants, after_us), bisect_right(self._instants, until_us)
        return [self._trade(step) for step in range(begin, end)]

    def settle(self, now_us: int) -> None:
        """Nothing can change, and nothing is dropped."""

    def _step(self, at_us: int) -> int:
        return max(0, bisect_right(self._instants, at_us) - 1)

    def _trade(self, step: int) -> MarketTrade:
        trade = self._trades[step]
        return MarketTrade(
            trade_id=trade.trade_id,
            at_us=self._instants[step],
            price=self._rules.price(trade.ticks),
            size=self._rules.size(trade.steps),
            side=trade.side,
        )


def _instants(trades: Sequence[RecordedTrade]) -> "array[int]":
    if any(after.at_ms < before.at_ms for before, after in pairwise(trades)):
        raise ValueError(
            "trades are replayed in the order of their times; found one that is earlier than its predecessor"
        )
    instants, last_us = array("q"), 0
    for trade in trades:
        last_us = max(last_us + 1, trade.at_ms * 1000 + 1)
        instants.append(last_us)
    return instants
