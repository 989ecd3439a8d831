"""Recorded candles, replayed in steps of one second along a path that is drawn inside each.

A candle tells four prices and not when they were paid. The path of one is a function of (seed, candle):

    open ----> high ----> low ----> close        or the low first

1. Which extreme comes first, and when, is drawn; mostly it is the one that lies against the candle's direction.
2. Each leg is a bridge: a random walk, tilted so that it ends where the next leg begins, and folded back where it would
   leave the candle. Its steps deviate by 1/48 of the candle's height for a candle of 900 steps: the height that such a
   walk has on average. So open, high, low and close are touched exactly, and never left behind.
3. Who took is told by the direction of the last step that moved (the tick rule, inferred). Numbers of trades in a step
   and their sizes are those of the synthetic market; all of a step trade at its last price.

Mark and index have candles of their own. At the four turns of the path they lie as recorded, and between two turns
their distance from last goes over evenly from one to the other, inside their own candle: so mark leaves last when and
as far as it did, and does not twitch at every step.

A candle is drawn when somebody looks at it or has an order that its extremes reach; all others cost two comparisons.
There is no floating point. The grid of steps is displaced from whole seconds by a seeded phase that is no multiple of a
millisecond, as the synthetic market's is.
"""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import isqrt
from random import Random

from botproof.events import Side

from ..core.contract import BTCUSDT, ContractRules
from ..core.ids import snowflake
from ..core.market import Prices
from ..core.messages import MarketTrade
from .book import book_levels
from .prints import Print, prints
from .replay import Candle, Lasts, SettledRates

STEP_US = 1_000_000
_TRADES_KEPT = 120
_DRAWN_KEPT = 16  # candles whose path is at hand
_TURNS = 4  # open, one extreme, the other, close
_LEGS = _TURNS - 1
_SHORTEST_LEG = 20  # a leg takes at least this part of the candle, but for drawing
_SCALE = 1 << 10  # parts of a tick in which a bridge is drawn
_BITS = 32  # a binomial of 32 bits deviates by the root of 8
_RANGE_PER_ROOT = 160  # a walk of n steps covers 1.6 deviations times the root of n, here in hundredths
_FOREIGN_IDS = 3 << 20  # low bits of the trade ids of the market, clear of those that the exchange gives


@dataclass(frozen=True, slots=True)
class Series:
    """Consecutive candles, and what one whole unit of theirs is worth in USDT."""

    unit: Decimal
    candles: Sequence[Candle]


@dataclass(frozen=True, slots=True)
class _Path:
    """A candle drawn: the last price of each step, and where the four turns lie."""

    lasts: Lasts
    turns: tuple[int, ...]
    high_first: bool


class CandleReplay:
    """One contiguous stretch of recorded candles, for `Exchange`, the first of which begins at `begins_us`.

    `last` counts in ticks; a tick is a whole number of units of `mark` and of `index`. `funding` is the settled rate
    by instant (us). Raises ValueError where the series differ in length, or a candle has too few steps for its turns.
    """

    def __init__(
        self,
        *,
        seed: int,
        begins_us: int,
        period_us: int,
        last: Sequence[Candle],
        mark: Series,
        index: Series,
        funding: Mapping[int, Decimal] | None = None,
        rules: ContractRules = BTCUSDT,
    ) -> None:
        if not len(last) == len(mark.candles) == len(index.candles) > 0:
            raise ValueError(f"a replay needs as many candles of last as of mark and index; found {len(last)}")
        self._steps = period_us // STEP_US
        if self._steps < _TURNS:
            raise ValueError(f"a candle takes at least {_TURNS} s; found {period_us} us")
        self._seed, self._begins_us, self._rules = seed, begins_us, rules
        self._last, self._mark, self._index = last, mark, index
        phase = Random(f"{seed}/phase")
        self._phase_us = 1000 * phase.getrandbits(9) + 1 + phase.getrandbits(9)
        self._ends = len(last) * self._steps
        self._funding = SettledRates(funding or {}, rules.funding_interval_us)
        self._paths: dict[int, _Path] = {}

    # What the exchange asks

    def step_us(self, at_us: int) -> int:
        return self._instant(self._step(at_us))

    def top(self, at_us: int) -> tuple[int, int]:
        path, place = self._locate(self._step(at_us))
        return path.lasts.top(place)

    def levels(self, at_us: int, side: Side) -> Iterator[tuple[int, int]]:
        return book_levels(self._seed, self._step(at_us), side, self.top(at_us)[side is Side.SELL])

    def prices(self, at_us: int) -> Prices:
        candle, place = divmod(self._step(at_us), self._steps)
        path = self._path(candle)
        return Prices(
            last=self._rules.price(path.lasts.prices[place]),
            mark=self._beside(self._mark, candle, place),
            index=self._beside(self._index, candle, place),
        )

    def funding_rate(self, at_us: int) -> Decimal:
        return self._funding.at(at_us)

    def first_touch(self, after_us: int, until_us: int, buy: int | None, sell: int | None) -> int | None:
        number = max(0, self._number(after_us) + 1)
        end = min(self._ends, self._number(until_us) + 1)
        while number < end:
            candle, place = divmod(number, self._steps)
            stop = min(self._steps, place + end - number)
            found = self._reached(candle, place, stop, buy, sell)
            if found is not None:
                return self._instant(number + found - place)
            number += stop - place
        return None

    def _reached(self, candle: int, begin: int, end: int, buy: int | None, sell: int | None) -> int | None:
        """The first place in begin..end-1 of a candle that reaches a resting order."""
        whole = self._last[candle]
        if (buy is None or whole.low > buy) and (sell is None or whole.high < sell):
            return None
        path = self._path(candle)
        while (place := path.lasts.first_reached(begin, end, buy, sell)) is not None:
            bid, ask = path.lasts.top(place)
            came = (buy is not None and ask <= buy) or (sell is not None and bid >= sell)
            if came or any(self._prints(candle * self._steps + place)):
                return place
            begin = place + 1
        return None

    def trades(self, after_us: int, until_us: int) -> list[MarketTrade]:
        """What strangers traded, each step's at its instant; two minutes back and no further."""
        end = min(self._ends, self._number(until_us) + 1)
        begin = max(0, self._number(after_us) + 1, end - _TRADES_KEPT)
        return [trade for number in range(begin, end) for trade in self._trades(number)]

    def settle(self, now_us: int) -> None:
        """Nothing can change, and a path that is dropped is drawn again."""

    # Steps

    def _number(self, at_us: int) -> int:
        return (at_us - self._begins_us - self._phase_us) // STEP_US

    def _step(self, at_us: int) -> int:
        return min(self._ends - 1, max(0, self._number(at_us)))

    def _instant(self, number: int) -> int:
        return self._begins_us + self._phase_us + number * STEP_US

    def _locate(self, number: int) -> tuple[_Path, int]:
        candle, place = divmod(number, self._steps)
        return self._path(candle), place

    def _path(self, number: int) -> _Path:
        path = self._paths.get(number)
        if path is None:
            chance = Random(f"{self._seed}/candle/{number}")
            path = self._paths[number] = _draw(self._last[number], self._steps, chance)
            if len(self._paths) > _DRAWN_KEPT:
                del self._paths[next(iter(self._paths))]
        return path

    def _prints(self, number: int) -> Iterator[Print]:
        """The trades of a step, newest first; their sides are for another path to say."""
        candle, place = divmod(number, self._steps)
        prices = self._path(candle).lasts.prices
        before = prices[place - 1] if place else self._last[max(0, candle - 1)].close
        return prints(self._seed, number, prices[place] - before)

    def _trades(self, number: int) -> list[MarketTrade]:
        """The strangers' trades of a step, oldest first; their ids grow."""
        path, place = self._locate(number)
        at_us, found = self._instant(number), list(self._prints(number))
        return [
            MarketTrade(
                trade_id=str(snowflake(at_us, _FOREIGN_IDS | count << 13 | each.bits >> 7)),
                at_us=at_us,
                price=self._rules.price(path.lasts.prices[place]),
                size=self._rules.size(each.steps),
                side=Side.BUY if path.lasts.bought[place] else Side.SELL,
            )
            for count, each in enumerate(reversed(found))
        ]

    def _beside(self, series: Series, candle: int, place: int) -> Decimal:
        """A price that has a candle of its own, at a step of the path of last."""
        path, own = self._path(candle), series.candles[candle]
        per_tick = int(self._rules.tick / series.unit)
        away = [
            theirs - last * per_tick
            for theirs, last in zip(_told(own, path), _told(self._last[candle], path), strict=True)
        ]
        leg = next(leg for leg in range(_LEGS) if place <= path.turns[leg + 1])
        begin, end = path.turns[leg], path.turns[leg + 1]
        distance = away[leg] + (away[leg + 1] - away[leg]) * (place - begin) // (end - begin)
        return series.unit * min(own.high, max(own.low, path.lasts.prices[place] * per_tick + distance))


def _told(candle: Candle, path: _Path) -> tuple[int, ...]:
    """The four prices of a candle in the order of the turns."""
    extremes = (candle.high, candle.low) if path.high_first else (candle.low, candle.high)
    return candle.open, *extremes, candle.close


def _draw(candle: Candle, steps: int, chance: Random) -> _Path:
    """The path of a candle."""
    rises = candle.close > candle.open
    high_first = chance.getrandbits(2) == 0 if rises else chance.getrandbits(2) > 0
    extremes = (candle.high, candle.low) if high_first else (candle.low, candle.high)
    prices = (candle.open, *extremes, candle.close)
    turns = _turns(steps, chance)
    unit = _unit(candle, steps)
    lasts = array("q")
    for leg in range(_LEGS):
        length = turns[leg + 1] - turns[leg]
        lasts.extend(_bridge(prices[leg], prices[leg + 1], length, unit, candle, chance))
    lasts.append(candle.close)
    return _Path(Lasts(lasts, _taken(lasts, chance)), turns, high_first)


def _turns(steps: int, chance: Random) -> tuple[int, ...]:
    """The steps of open, both extremes and close; no leg is shorter than it must be."""
    shortest = max(1, steps // _SHORTEST_LEG)
    free = steps - 1 - _LEGS * shortest
    first, second = sorted(chance.randrange(free + 1) for _ in range(2))
    return 0, shortest + first, 2 * shortest + second, steps - 1


def _unit(candle: Candle, steps: int) -> int:
    """What one bit of a walk is worth in parts of a tick, so that it covers the candle's height in `steps`."""
    roots = isqrt(steps * _BITS // 4 * _RANGE_PER_ROOT**2)  # hundredths
    return (candle.high - candle.low) * _SCALE * 100 // roots


def _bridge(begin: int, end: int, length: int, unit: int, candle: Candle, chance: Random) -> Iterator[int]:
    """`length` prices from `begin` on, of which the next would be `end`."""
    bits, half, low, high = chance.getrandbits, _BITS // 2, candle.low, candle.high
    walk, walked = [0], 0
    for _ in range(length):
        walked += bits(_BITS).bit_count() - half
        walk.append(walked)
    tilt = (end - begin) * _SCALE - walked * unit
    for place in range(length):
        price = begin + (walk[place] * unit + tilt * place // length) // _SCALE
        if price > high:
            price = max(low, 2 * high - price)
        elif price < low:
            price = min(high, 2 * low - price)
        yield price


def _taken(prices: "array[int]", chance: Random) -> bytearray:
    """Whether a buyer took, step by step: after a rise a buyer did, after a fall a seller, else who did before."""
    bought = bool(chance.getrandbits(1))
    taken, before = bytearray(), prices[0]
    for price in prices:
        if price != before:
            bought, before = price > before, price
        taken.append(bought)
    return taken
