"""The path of a price: a walk in steps of one second, drawn from a seed in stretches, moved and shaded by script.

The grid of steps is displaced from whole seconds by a seeded phase that is no multiple of a millisecond, so that no
step shares an instant with anything else. The path is drawn strictly in order, so what it says does not depend on who
looks when; there is no floating point, so it is the same on every machine. A stretch of five minutes has one weather
(`weather`), and about once in two days one second of a stretch jumps by more than its weather explains.

Each stretch knows its extremes. Whoever waits for a price to be reached steps over whole stretches that do not come
near it.
"""

from array import array
from collections.abc import Callable
from itertools import accumulate
from operator import add
from random import Random

from botproof.events import Side

from .scripts import PPB, Move, Shade, share_ppb
from .weather import Weather, factor_permille, second_moves

STEP_US = 1_000_000
LOWEST_TICKS = 100
CHUNK = 300  # steps drawn at once
_KEPT = 3_600  # steps behind the present that can still be asked about
_SPARE_STRETCHES = 12  # an hour: what is dropped is dropped in one go
_SCALE = 1 << 10  # parts of a tick in which the path is drawn

_QUARTER_BPS = 25  # deviation of a 15-minute move in an ordinary hour, so of 30 times that of a second
_JUMP_ODDS_BITS = 9  # of 2^9 stretches one jumps
_JUMPS_BPS = (30, 35, 40, 45, 55, 65, 80, 110)  # by so much in an ordinary hour
# Ask less bid in ticks, by the low six bits of a byte: mostly one tick.
_SPREADS = bytes(((1,) * 57 + (2,) * 4 + (3, 3, 5)) * 4)

NO_BID, NO_ASK = -1, 1 << 62  # of an empty side: no price reaches them

Traded = Callable[[int, Side], bool]  # whether takers of a side traded at a step


class Stretch:
    """The steps of five minutes: the path as drawn and as scripted, best prices as shown, and their extremes."""

    __slots__ = ("asks", "bids", "drawn", "high_ask", "low_bid", "path", "spreads")

    def __init__(self, drawn: "array[int]", spreads: bytes) -> None:
        self.drawn, self.spreads = drawn, spreads
        self.show(drawn)

    def show(self, path: "array[int]") -> None:
        """Let the stretch follow `path`; no side of it is empty."""
        self.path = self.bids = path
        self.asks = array("q", map(add, path, self.spreads))
        self._measure()

    def empty(self, index: int, side: Side) -> None:
        """Take the book of a side away at one step; `close` is to be called after the last."""
        if side is Side.SELL:
            self.asks[index] = NO_ASK
            return
        if self.bids is self.path:
            self.bids = array("q", self.path)
        self.bids[index] = NO_BID

    def _measure(self) -> None:
        self.low_bid, self.high_ask = min(self.bids), max(self.asks)

    close = _measure

    def reached(self, buy: int | None, sell: int | None, places: range, base: int, traded: Traded) -> int | None:
        """The first step at which a resting buy at `buy` or sell at `sell` is reached.

        Looked at are `places`, counted from step `base`.
        """
        may_buy = buy is not None and self.low_bid <= buy
        may_sell = sell is not None and self.high_ask >= sell
        if not (may_buy or may_sell):
            return None
        bids, asks = self.bids, self.asks
        for index in places:
            bid, ask = bids[index], asks[index]
            if buy is not None and bid <= buy and (ask <= buy or traded(base + index, Side.SELL)):
                return base + index
            if sell is not None and ask >= sell and (bid >= sell or traded(base + index, Side.BUY)):
                return base + index
        return None


class Path:
    """The path of one market by the number of its steps; prices in ticks."""

    def __init__(self, *, seed: int, opened_us: int, ticks: int, volatility_percent: int) -> None:
        phase = Random(f"{seed}/phase")
        self.phase_us = 1000 * phase.getrandbits(9) + 1 + phase.getrandbits(9)
        self.opened = self._first = self.number(opened_us)  # the latter is the number of the first step that is kept
        self._random = Random(f"{seed}/path")
        self._weather = Weather(self._random.getrandbits)
        self._price = ticks * _SCALE
        self._bps_100 = self._price * volatility_percent // 10_000  # a hundred basis points of an ordinary hour
        self._tables: dict[int, tuple[int, ...]] = {}
        self._stretches: list[Stretch] = []
        self._moves: list[Move] = []
        self._shades: list[Shade] = []

    # Steps and instants

    def number(self, at_us: int) -> int:
        """The last step at or before an instant."""
        return (at_us - self.phase_us) // STEP_US

    def instant(self, number: int) -> int:
        return number * STEP_US + self.phase_us

    # What a step looks like

    def stretch(self, number: int) -> tuple[Stretch, int]:
        """The stretch of a step and the place in it; what lies before the kept path reads as its first step."""
        place, index = divmod(max(0, number - self._first), CHUNK)
        if place >= len(self._stretches):
            self._draw_to(number)
        return self._stretches[place], index

    def price(self, number: int) -> int:
        """The best bid, or what it would be."""
        stretch, index = self.stretch(number)
        return stretch.path[index]

    def top(self, number: int) -> tuple[int, int]:
        """Best bid and best ask, or what they would be where a side is empty."""
        stretch, index = self.stretch(number)
        return stretch.path[index], stretch.path[index] + stretch.spreads[index]

    def share_ppb(self, number: int, side: Side) -> int:
        """What part of its size a side of the book holds."""
        return share_ppb(self._shades, self.instant(number), side) if self._shades else PPB

    def before_halt(self, number: int) -> int:
        """The step itself; or the last one before the halt, where it lies in one: neither side holds anything."""
        if not self._shades:
            return number
        at_us = self.instant(number)
        halts = [shade.from_us for shade in self._shades if not shade.ppb and all(shade.covers(at_us, s) for s in Side)]
        return self.number(min(halts) - 1) if halts else number

    def first_reached(self, begin: int, last: int, buy: int | None, sell: int | None, traded: Traded) -> int | None:
        """The first step from `begin` to `last` that reaches a resting buy at `buy` or sell at `sell`."""
        number = max(begin, self._first)
        while number <= last:
            stretch, index = self.stretch(number)
            base = number - index
            found = stretch.reached(buy, sell, range(index, min(CHUNK, last + 1 - base)), base, traded)
            if found is not None:
                return found
            number = base + CHUNK
        return None

    # Scripts

    def move(self, move: Move) -> None:
        """Multiply what is drawn by a move, also where it is drawn already."""
        self._moves.append(move)
        self._show_from(move.from_us)

    def shade(self, shade: Shade) -> None:
        """Take a part of the book away, or all of it."""
        self._shades.append(shade)
        self._show_from(shade.from_us)

    def _show_from(self, from_us: int) -> None:
        begin = max(0, self.number(from_us) - self._first) // CHUNK
        for place in range(begin, len(self._stretches)):
            self._show(place)

    def _show(self, place: int) -> None:
        """Let a stretch follow the scripts."""
        stretch, first = self._stretches[place], self._first + place * CHUNK
        begin_us, end_us = self.instant(first), self.instant(first + CHUNK - 1)
        path = stretch.drawn
        for move in self._moves:
            path = self._moved(path, move, begin_us, end_us)
        stretch.show(path)
        empty = [shade for shade in self._shades if not shade.ppb and shade.overlaps(begin_us, end_us)]
        for shade in empty:
            for index in range(CHUNK):
                for side in Side:
                    if shade.covers(begin_us + index * STEP_US, side):
                        stretch.empty(index, side)
        if empty:
            stretch.close()

    def _moved(self, path: "array[int]", move: Move, begin_us: int, end_us: int) -> "array[int]":
        if move.is_even(begin_us, end_us):
            factor = move.factor_ppb(begin_us)
            if factor == PPB:
                return path
            return array("q", [max(LOWEST_TICKS, ticks * factor // PPB) for ticks in path])
        factors = map(move.factor_ppb, range(begin_us, end_us + 1, STEP_US))
        return array("q", [max(LOWEST_TICKS, t * factor // PPB) for t, factor in zip(path, factors, strict=True)])

    # Drawing

    def spare(self, number: int) -> int:
        """How many stretches lie so far behind step `number` that they may go; 0 until it is worth while."""
        spare = (number - _KEPT - self._first) // CHUNK
        return spare if spare > _SPARE_STRETCHES else 0

    def forget(self, spare: int) -> None:
        """Drop that many of the oldest stretches."""
        self._draw_to(self._first + spare * CHUNK)
        del self._stretches[:spare]
        self._first += spare * CHUNK

    def _draw_to(self, number: int) -> None:
        while number >= self._first + len(self._stretches) * CHUNK or not self._stretches:
            self._draw()

    def _draw(self) -> None:
        """The next stretch of the path."""
        points = self._weather.next_points()
        moves = list(map(self._table(points).__getitem__, self._random.randbytes(CHUNK)))
        spreads = self._random.randbytes(CHUNK).translate(_SPREADS)
        bits = self._random.getrandbits
        if bits(_JUMP_ODDS_BITS) == 0:
            jump = _JUMPS_BPS[bits(3)] * self._bps_100 * factor_permille(points) // 100_000
            moves[bits(16) % CHUNK] += jump if bits(1) else -jump
        prices = list(accumulate(moves, initial=self._price))
        if min(prices) < LOWEST_TICKS * _SCALE:
            prices = list(accumulate(moves, _bounded_sum, initial=self._price))
        self._price = prices.pop()
        self._stretches.append(Stretch(array("q", [price // _SCALE for price in prices]), spreads))
        if self._moves or self._shades:
            self._show(len(self._stretches) - 1)

    def _table(self, points: int) -> tuple[int, ...]:
        if points not in self._tables:
            deviation = self._bps_100 * _QUARTER_BPS * factor_permille(points) // (100 * 1_000 * 30)
            self._tables[points] = second_moves(deviation, points)
        return self._tables[points]


def _bounded_sum(price: int, move: int) -> int:
    return max(price + move, LOWEST_TICKS * _SCALE)
