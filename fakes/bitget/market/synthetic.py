"""A seeded, lazy market, calibrated on Bitcoin in February and March 2026; what was measured: docs/fidelity.md.

The path is drawn ahead and in order (`path`, `weather`); everything else is a pure function of the seed and a step,
made when somebody looks: the levels of a book (`book`), the trades of strangers (`prints`), mark and index
(`references`), and the running funding rate (`funding`). There is no floating point: the same seed gives the same
market on every machine.

Scripts change what comes: a move multiplies the drawn path by a factor that ramps from 1 to 1 + change, holds, and may
ramp back; at once, it is a jump. The mark can be moved away from the rest by a script of its own, and so can the
funding rate. The book can be made thin, or emptied on one side or both: while both are empty nobody trades, the last
price stands still, and mark and index go on. Scripts may only begin in the future: what has been settled stays.
"""

from collections.abc import Iterator
from decimal import Decimal

from botproof.events import Side

from ..core.contract import BTCUSDT, ContractRules
from ..core.ids import snowflake
from ..core.market import Prices
from ..core.messages import MarketTrade
from .book import book_levels
from .funding import FundingRates
from .path import LOWEST_TICKS, STEP_US, Path
from .prints import Print, prints
from .references import References
from .scripts import PPB, Move, Shade

__all__ = ["STEP_US", "SyntheticMarket"]

_TRADES_KEPT = 120
_FOREIGN_IDS = 3 << 20  # low bits of the trade ids of the market, clear of those that the exchange gives

_GOLDEN = 61_803  # spreads the digits of the index below a tick


class SyntheticMarket:
    """A market drawn from `seed`, for `Exchange`.

    `volatility_percent` is relative to Bitcoin in February 2026: at 100 an ordinary hour, in which every market opens,
    moves by about 0.25 % in 15 minutes; 0 gives a path that moves only by script. Raises ValueError where the opening
    price is not on the grid of ticks.
    """

    def __init__(
        self,
        *,
        seed: int,
        opened_us: int,
        opening_price: Decimal = Decimal(67_500),
        volatility_percent: int = 100,
        rules: ContractRules = BTCUSDT,
    ) -> None:
        ticks = rules.ticks(opening_price)
        if ticks is None or ticks <= LOWEST_TICKS:
            raise ValueError(f"an opening price is a multiple of {rules.tick} well above 0; found {opening_price}")
        self._seed, self._rules = seed, rules
        self.path = Path(seed=seed, opened_us=opened_us, ticks=ticks, volatility_percent=volatility_percent)
        self._settled_us = opened_us
        self._forgotten = self.path.opened, ticks  # up to this step, and the last price there
        self._references = References(seed)
        self._mark_moves: list[Move] = []
        self._funding = FundingRates(
            seed=seed, interval_us=rules.funding_interval_us, phase_us=self.path.phase_us, cap=rules.funding_rate_cap
        )

    # Scripts

    def script(
        self, *, from_us: int, change: Decimal, over_us: int = 0, hold_us: int = 0, recover_us: int | None = None
    ) -> None:
        """Multiply the price by 1 + `change` (-0.004 is a fall of 0.40 %), ramped over `over_us`; 0 is a jump.

        With `recover_us` it holds for `hold_us` and then ramps back; without, it stays. Moves multiply. Whoever waits
        for `first_touch` must ask again. Raises ValueError for a move that begins in what is settled.
        """
        self._refuse_the_past(from_us)
        self.path.move(Move.of(from_us, change, over_us, hold_us, recover_us))

    def script_mark(
        self, *, from_us: int, change: Decimal, over_us: int = 0, hold_us: int = 0, recover_us: int | None = None
    ) -> None:
        """Move the mark, and nothing else, away from where it would be: as `script` does with the price.

        `change` is a fraction of the mark. `recover_us=0` ends the divergence at once after `hold_us`; without it the
        divergence stays. Raises ValueError as `script` does.
        """
        self._refuse_the_past(from_us)
        self._mark_moves.append(Move.of(from_us, change, over_us, hold_us, recover_us))

    def script_funding(self, *, from_us: int, rate: Decimal | None) -> None:
        """From `from_us` on the funding rate (a fraction: 0.0001 is 0.01 %) is `rate`; None: drawn again.

        Raises ValueError for what is settled, before an earlier script, or beyond the contract's cap.
        """
        self._refuse_the_past(from_us)
        self._funding.script(from_us=from_us, rate=rate)

    def script_depth(self, *, from_us: int, share: Decimal, until_us: int, side: Side | None = None) -> None:
        """From `from_us` on and before `until_us` the levels of a side (None: of both) hold `share` of their size.

        `share` is a fraction: at 0.0001 a market order of 0.001 BTC walks several levels; a level of which less than
        one step of quantity is left is gone; at 0 the side is empty. Strangers' trades shrink as the levels do. Raises
        ValueError for what is settled, or for a share below 0 or above 1.
        """
        self._refuse_the_past(from_us)
        self.path.shade(Shade.of(from_us, until_us, share, side))

    def script_halt(self, *, from_us: int, until_us: int) -> None:
        """From `from_us` on and before `until_us` the book is empty and nobody trades: `script_depth` of nothing.

        The price goes on unseen, so the market may resume with a gap. The contract's status stays "normal" (inferred).
        """
        self.script_depth(from_us=from_us, share=Decimal(0), until_us=until_us)

    def _refuse_the_past(self, from_us: int) -> None:
        if from_us <= self._settled_us:
            raise ValueError(f"a scripted move begins after the present {self._settled_us}; found {from_us}")

    # What the exchange asks

    def step_us(self, at_us: int) -> int:
        return self.path.instant(self.path.number(at_us))

    def top(self, at_us: int) -> tuple[int, int]:
        """Best bid and best ask; of an empty side, what it would be."""
        return self.path.top(self.path.number(at_us))

    def levels(self, at_us: int, side: Side) -> Iterator[tuple[int, int]]:
        number = self.path.number(at_us)
        ppb = self.path.share_ppb(number, side)
        if not ppb:
            return iter(())
        return book_levels(self._seed, number, side, self.path.top(number)[side is Side.SELL], ppb)

    def prices(self, at_us: int) -> Prices:
        number = self.path.number(at_us)
        price = self.path.price(number)
        mark, index = (price + ticks for ticks in self._references.of(number))
        for move in self._mark_moves:
            mark = mark * move.factor_ppb(self.path.instant(number)) // PPB
        return Prices(
            last=self._rules.price(self._last(number)),
            mark=self._rules.price(max(LOWEST_TICKS, mark)),
            index=self._rules.price(index) + Decimal(number * _GOLDEN % 100_000).scaleb(-6),
        )

    def funding_rate(self, at_us: int) -> Decimal:
        return self._funding.at(at_us)

    def first_touch(self, after_us: int, until_us: int, buy: int | None, sell: int | None) -> int | None:
        begin, last = self.path.number(after_us) + 1, self.path.number(until_us)
        found = self.path.first_reached(begin, last, buy, sell, self._traded)
        return None if found is None else self.path.instant(found)

    def trades(self, after_us: int, until_us: int) -> list[MarketTrade]:
        """What strangers traded, each step's at its instant; two minutes back and no further."""
        last = self.path.number(until_us)
        begin = max(self.path.number(after_us) + 1, last - _TRADES_KEPT + 1, self.path.opened)
        return [trade for number in range(begin, last + 1) for trade in self._trades(number)]

    def settle(self, now_us: int) -> None:
        self._settled_us = max(self._settled_us, now_us)
        number = self.path.number(self._settled_us)
        if spare := self.path.spare(number):
            self._forgotten = number, self._last(number)
            self.path.forget(spare)

    # The trades of strangers

    def _prints(self, number: int) -> Iterator[tuple[int, Print]]:
        """The trades of a step and their prices in ticks, newest first; nobody trades against an empty side."""
        sold_at, bought_at = self.path.top(number)
        for each in prints(self._seed, number, sold_at - self.path.price(number - 1)):
            ppb = self.path.share_ppb(number, each.side.opposite)
            if ppb:
                smaller = each if ppb == PPB else each._replace(steps=max(1, each.steps * ppb // PPB))
                yield bought_at if each.side is Side.BUY else sold_at, smaller

    def _traded(self, number: int, side: Side) -> bool:
        return any(each.side is side for _, each in self._prints(number))

    def _last(self, number: int) -> int:
        """The price of the last trade at or before a step, in ticks."""
        known, ticks = self._forgotten
        back = number
        while (back := self.path.before_halt(back)) > known:
            for newest, _ in self._prints(back):
                return newest
            back -= 1
        return ticks

    def _trades(self, number: int) -> list[MarketTrade]:
        """The strangers' trades of a step, oldest first; their ids grow."""
        at_us, found = self.path.instant(number), list(self._prints(number))
        return [
            MarketTrade(
                trade_id=str(snowflake(at_us, _FOREIGN_IDS | place << 13 | each.bits >> 7)),
                at_us=at_us,
                price=self._rules.price(ticks),
                size=self._rules.size(each.steps),
                side=each.side,
            )
            for place, (ticks, each) in enumerate(reversed(found))
        ]
