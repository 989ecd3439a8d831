"""A seeded, lazy market: an integer path drawn ahead, and a book made on demand.

The path is a random walk in steps of one second. The grid of steps is displaced from whole seconds by a seeded phase
that is no multiple of a millisecond, so that no step shares an instant with anything else. A step's move is a count of
random bits (a binomial number, near enough to normal) times a unit; the unit wanders between calm and wild from one
stretch of five minutes to the next, which clusters the volatility. There is no floating point: the same seed gives the
same path on every machine.

The path is drawn strictly in order, so what it says does not depend on who looks when. The book of a step is a pure
function of (seed, step, side, level), made when somebody looks.

Scripted moves multiply the drawn path by a factor that ramps from 1 to 1 + change, holds, and may ramp back. The mark
can be moved away from the rest by a script of its own, and so can the funding rate. Scripts may only begin in the
future: what has been settled stays.
"""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from operator import add
from random import Random

from botproof.events import Side

from ..core.contract import BTCUSDT, ContractRules
from ..core.ids import snowflake
from ..core.market import Prices
from ..core.messages import MarketTrade
from .draw import mix
from .funding import FundingRates

STEP_US = 1_000_000
_CHUNK = 300  # steps drawn at once: one stretch of even volatility
_KEPT = 3_600  # steps behind the present that can still be asked about
_TRADES_KEPT = 600
_SCALE = 1 << 10  # parts of a tick in which the path is drawn
_BITS = 64
_DITHER = 16  # bits that smooth the lattice of the binomial
_SPARE_STRETCHES = 12  # an hour: what is dropped is dropped in one go
_LOWEST_TICKS = 100
_MOVE_BPS = 23  # deviation of a 15-minute move, before the regimes widen it by a tenth

# Factors of the volatility in per mille; a stretch's factor is a neighbour of the one before.
_REGIMES = (450, 550, 700, 850, 1050, 1250, 1500, 1800)
# Width of the spread in ticks by chance: mostly one tick.
_SPREADS = (1,) * 57 + (2,) * 4 + (3, 3, 5)

# Sizes of book levels in BTC x 10^-4 by chance, from dust to a wall.
_LEVEL_SIZES = (8, 20, 50, 120, 250, 500, 900, 1_500, 2_500, 4_000, 6_000, 9_000, 14_000, 22_000, 40_000, 90_000)
_GAPS = (1, 1, 1, 1, 1, 2, 2, 4)
_LEVELS = 200
_TRADE_SIZES = (1, 3, 7, 7, 12, 40, 90, 400, 752, 2_000, 8_000, 1, 2, 5, 10, 25)

_MARK_STEPS, _MARK_TICKS = 10, 30  # mark lies within 3 USDT of last and is redrawn every 10 s
_INDEX_STEPS, _INDEX_TICKS, _INDEX_WIDTH = 60, 350, 100  # index lies about 35 USDT above last (live, February 2026)


_TRADE, _MARK, _INDEX = 11, 12, 13  # what a draw is for
_FOREIGN_IDS = 3 << 20  # low bits of the trade ids of the market, clear of those that the exchange gives

_PPB = 1_000_000_000


@dataclass(frozen=True, slots=True)
class _Move:
    """A scripted change of the price: down or up a ramp, along a hold, and back (None: it stays)."""

    from_us: int
    change_ppb: int
    over_us: int
    hold_us: int
    recover_us: int | None

    def factor_ppb(self, at_us: int) -> int:
        """What the drawn price is multiplied by, in parts per billion."""
        since = at_us - self.from_us
        if since < 0:
            return _PPB
        if since < self.over_us:
            return _PPB + self.change_ppb * since // self.over_us
        back = since - self.over_us - self.hold_us
        if self.recover_us is None or back <= 0:
            return _PPB + self.change_ppb
        return _PPB + self.change_ppb * (self.recover_us - back) // self.recover_us if back < self.recover_us else _PPB


class _Stretch:
    """The steps of five minutes: bids as drawn, bids and asks as scripted, and their extremes."""

    __slots__ = ("asks", "bids", "drawn", "high_bid", "low_ask", "spreads")

    def __init__(self, drawn: "array[int]", spreads: "array[int]") -> None:
        self.drawn, self.spreads = drawn, spreads
        self.show(drawn)

    def show(self, bids: "array[int]") -> None:
        self.bids = bids
        self.asks = array("q", map(add, bids, self.spreads))
        self.high_bid, self.low_ask = max(bids), min(self.asks)

    def reached(self, buy: int | None, sell: int | None, begin: int, end: int) -> int | None:
        """The first index in begin..end-1 whose ask is at most `buy` or whose bid is at least `sell`."""
        may_buy = buy is not None and self.low_ask <= buy
        may_sell = sell is not None and self.high_bid >= sell
        if not (may_buy or may_sell):
            return None
        for index in range(begin, end):
            if (buy is not None and self.asks[index] <= buy) or (sell is not None and self.bids[index] >= sell):
                return index
        return None


class SyntheticMarket:
    """A market drawn from `seed`, for `Exchange`.

    `volatility_percent` is relative to an ordinary hour of Bitcoin in February 2026, whose 15-minute moves deviate by
    about 0.25 %; 0 gives a path that moves only by script. Raises ValueError where the opening price is not on the
    grid of ticks.
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
        if ticks is None or ticks <= _LOWEST_TICKS:
            raise ValueError(f"an opening price is a multiple of {rules.tick} well above 0; found {opening_price}")
        self._seed, self._rules = seed, rules
        self._random = Random(f"{seed}/path")
        phase = Random(f"{seed}/phase")
        self._phase_us = 1000 * phase.getrandbits(9) + 1 + phase.getrandbits(9)
        self._first = self._number(opened_us)  # number of the first step that is kept
        self._settled_us = opened_us
        self._regime = len(_REGIMES) // 2
        self._price = ticks * _SCALE
        # A binomial of 64 bits deviates by 4, and 900 steps by 30 times as much as one.
        self._unit = ticks * _SCALE * _MOVE_BPS * volatility_percent // (100 * 10_000 * 30 * 4)
        self._stretches: list[_Stretch] = []
        self._moves: list[_Move] = []
        self._mark_moves: list[_Move] = []
        self._funding = FundingRates(
            seed=seed, interval_us=rules.funding_interval_us, phase_us=self._phase_us, cap=rules.funding_rate_cap
        )

    def script(
        self, *, from_us: int, change: Decimal, over_us: int, hold_us: int = 0, recover_us: int | None = None
    ) -> None:
        """Multiply the price by 1 + `change` (-0.004 is a fall of 0.40 %), ramped over `over_us`.

        With `recover_us` it holds for `hold_us` and then ramps back; without, it stays. Moves multiply. Whoever waits
        for `first_touch` must ask again. Raises ValueError for a move that begins in what is settled.
        """
        self._moves.append(self._move(from_us, change, over_us, hold_us, recover_us))
        begin = max(0, self._number(from_us) - self._first) // _CHUNK
        for place in range(begin, len(self._stretches)):
            self._stretches[place].show(self._scripted(place, self._stretches[place].drawn))

    def script_mark(
        self, *, from_us: int, change: Decimal, over_us: int = 0, hold_us: int = 0, recover_us: int | None = None
    ) -> None:
        """Move the mark, and nothing else, away from where it would be: as `script` does with the price.

        `change` is a fraction of the mark. `recover_us=0` ends the divergence at once after `hold_us`; without it the
        divergence stays. Raises ValueError as `script` does.
        """
        self._mark_moves.append(self._move(from_us, change, over_us, hold_us, recover_us))

    def script_funding(self, *, from_us: int, rate: Decimal | None) -> None:
        """From `from_us` on the funding rate (a fraction: 0.0001 is 0.01 %) is `rate`; None: drawn again.

        Raises ValueError for what is settled, before an earlier script, or beyond the contract's cap.
        """
        self._refuse_the_past(from_us)
        self._funding.script(from_us=from_us, rate=rate)

    def _move(self, from_us: int, change: Decimal, over_us: int, hold_us: int, recover_us: int | None) -> _Move:
        self._refuse_the_past(from_us)
        if change <= -1 or min(over_us, hold_us, recover_us or 0) < 0:
            raise ValueError(f"a scripted move falls by less than 100 % and lasts no less than 0; found {change}")
        return _Move(from_us, int(change * _PPB), over_us, hold_us, recover_us)

    def _refuse_the_past(self, from_us: int) -> None:
        if from_us <= self._settled_us:
            raise ValueError(f"a scripted move begins after the present {self._settled_us}; found {from_us}")

    # What the exchange asks

    def step_us(self, at_us: int) -> int:
        return self._instant(self._number(at_us))

    def top(self, at_us: int) -> tuple[int, int]:
        stretch, index = self._locate(self._number(at_us))
        return stretch.bids[index], stretch.asks[index]

    def levels(self, at_us: int, side: Side) -> Iterator[tuple[int, int]]:
        number = self._number(at_us)
        ticks = self.top(at_us)[side is Side.SELL]
        for level in range(_LEVELS):
            bits = mix(self._seed, number, side.sign, level)
            yield ticks, _LEVEL_SIZES[bits & 15] + (bits >> 4 & 7)
            ticks -= side.sign * _GAPS[bits >> 8 & 7]
            if ticks <= 0:
                return

    def prices(self, at_us: int) -> Prices:
        number = self._number(at_us)
        bid, _ = self.top(at_us)
        mark = bid + _about(_MARK_TICKS, self._seed, number // _MARK_STEPS, _MARK)
        for move in self._mark_moves:
            mark = max(_LOWEST_TICKS, mark * move.factor_ppb(self._instant(number)) // _PPB)
        index = bid + _INDEX_TICKS + _about(_INDEX_WIDTH, self._seed, number // _INDEX_STEPS, _INDEX)
        return Prices(
            last=self._trade(number).price,
            mark=self._rules.price(mark),
            index=self._rules.price(index) + Decimal(mix(self._seed, number, _INDEX) % 100_000).scaleb(-6),
        )

    def funding_rate(self, at_us: int) -> Decimal:
        return self._funding.at(at_us)

    def first_touch(self, after_us: int, until_us: int, buy: int | None, sell: int | None) -> int | None:
        number, last = self._number(after_us) + 1, self._number(until_us)
        while number <= last:
            stretch, begin = self._locate(number)
            end = min(_CHUNK, begin + last - number + 1)
            index = stretch.reached(buy, sell, begin, end)
            if index is not None:
                return self._instant(number + index - begin)
            number += end - begin
        return None

    def trades(self, after_us: int, until_us: int) -> list[MarketTrade]:
        """One trade a step, at its instant; ten minutes back and no further."""
        last = self._number(until_us)
        begin = max(self._number(after_us) + 1, last - _TRADES_KEPT, self._first)
        return [self._trade(number) for number in range(begin, last + 1)]

    def settle(self, now_us: int) -> None:
        self._settled_us = max(self._settled_us, now_us)
        spare = (self._number(self._settled_us) - _KEPT - self._first) // _CHUNK
        if spare > _SPARE_STRETCHES:
            self._draw_to(self._number(self._settled_us))
            del self._stretches[:spare]
            self._first += spare * _CHUNK

    # The path

    def _number(self, at_us: int) -> int:
        return (at_us - self._phase_us) // STEP_US

    def _instant(self, number: int) -> int:
        return number * STEP_US + self._phase_us

    def _locate(self, number: int) -> tuple[_Stretch, int]:
        """The stretch of a step and the place in it; what lies before the kept path reads as its first step."""
        self._draw_to(number)
        place, index = divmod(max(0, number - self._first), _CHUNK)
        return self._stretches[place], index

    def _draw_to(self, number: int) -> None:
        while number >= self._first + len(self._stretches) * _CHUNK or not self._stretches:
            self._draw()

    def _draw(self) -> None:
        """The next stretch of the path."""
        bits, price, lowest = self._random.getrandbits, self._price, _LOWEST_TICKS * _SCALE
        self._regime = min(len(_REGIMES) - 1, max(0, self._regime + (-1, 0, 0, 1)[bits(2)]))
        unit = self._unit * _REGIMES[self._regime] // 1000
        drawn, spreads = array("q"), array("q")
        for _ in range(_CHUNK):
            drawn.append(price // _SCALE)
            spreads.append(_SPREADS[bits(6)])
            price += (bits(_BITS).bit_count() - _BITS // 2) * unit + (bits(_DITHER) * unit >> _DITHER) - unit // 2
            price = max(price, lowest)
        self._price = price
        stretch = _Stretch(drawn, spreads)
        self._stretches.append(stretch)
        if self._moves:
            stretch.show(self._scripted(len(self._stretches) - 1, drawn))

    def _scripted(self, place: int, drawn: "array[int]") -> "array[int]":
        """The drawn bids of a stretch with every scripted move on top."""
        bids = array("q", drawn)
        begin = self._first + place * _CHUNK
        for move in self._moves:
            for index in range(_CHUNK):
                factor = move.factor_ppb(self._instant(begin + index))
                bids[index] = max(_LOWEST_TICKS, bids[index] * factor // _PPB)
        return bids

    def _trade(self, number: int) -> MarketTrade:
        """The market's own trade of a step: at the bid or at the ask."""
        bits = mix(self._seed, number, _TRADE)
        side = Side.BUY if bits & 1 else Side.SELL
        stretch, index = self._locate(number)
        ticks = stretch.asks[index] if side is Side.BUY else stretch.bids[index]
        at_us = self._instant(number)
        return MarketTrade(
            trade_id=str(snowflake(at_us, _FOREIGN_IDS | bits >> 44)),
            at_us=at_us,
            price=self._rules.price(ticks),
            size=self._rules.size(_TRADE_SIZES[bits >> 1 & 15]),
            side=side,
        )


def _about(width: int, *numbers: int) -> int:
    """A whole number within `width` of 0."""
    return mix(*numbers) % (2 * width + 1) - width
