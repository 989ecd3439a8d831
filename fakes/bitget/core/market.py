"""What the exchange asks of a market: a price path in steps, and a book at each step.

A market is lazy: nothing happens in it until somebody looks. Between two steps it stands still, so what it says is a
function of the step alone, and the only question about the future is the first step that touches a price.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from botproof.events import Side

from .messages import MarketTrade


@dataclass(frozen=True, slots=True)
class Prices:
    """The three prices of a contract at one step, in USDT."""

    last: Decimal
    mark: Decimal
    index: Decimal


class Market(Protocol):
    """A path of prices. Times are microseconds since the epoch, prices ticks, sizes quantity steps."""

    def step_us(self, at_us: int) -> int:
        """The instant of the last step at or before `at_us`."""
        ...

    def top(self, at_us: int) -> tuple[int, int]:
        """Best bid and best ask."""
        ...

    def levels(self, at_us: int, side: Side) -> Iterator[tuple[int, int]]:
        """The bids (`Side.BUY`) or asks as (price, size), best first, to the end of the book; none if it is empty."""
        ...

    def prices(self, at_us: int) -> Prices:
        """Last, mark and index."""
        ...

    def funding_rate(self, at_us: int) -> Decimal:
        """The running rate as last published at or before `at_us`; of a settlement, the one just before its instant."""
        ...

    def first_touch(self, after_us: int, until_us: int, buy: int | None, sell: int | None) -> int | None:
        """The first step in (after_us, until_us] that reaches a resting buy at `buy` or a resting sell at `sell`.

        It does where the best ask is at most `buy` or the best bid at least `sell`, and where it trades there: a
        seller hits a bid of at most `buy`, a buyer an ask of at least `sell`. A side without levels reaches nothing.
        """
        ...

    def trades(self, after_us: int, until_us: int) -> list[MarketTrade]:
        """What traded in (after_us, until_us], oldest first; what lies far behind may be forgotten.

        A trade belongs to a step and bears its instant: several of one step share it.
        """
        ...

    def settle(self, now_us: int) -> None:
        """The present is now `now_us`: nothing before it may change any more, and what is far behind may be dropped."""
        ...
