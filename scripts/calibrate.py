"""The synthetic market beside the recorded one: the same figures of both, measured in the same way.

    BOTPROOF_DATA=... python scripts/calibrate.py [--months 4]

Recorded are the 15-minute candles of February 2026 (last, mark, index), the settled funding rates, and four stretches
of 3 to 6 minutes of trades. The synthetic figures come from so many months of other seeds; those of its seconds and its
trades from stretches that are about as calm as the recorded ones. Nothing here is on the path of a run, so it counts in
floats. docs/fidelity.md says what the figures mean.
"""

import csv
import math
import os
import statistics
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import count, groupby, islice, pairwise
from operator import sub
from pathlib import Path

import click

ROOT = str(Path(__file__).parents[1])
sys.path.insert(0, ROOT)  # a checkout; conftest.py does the same for tests

import botproof  # noqa: E402

if ROOT not in botproof.__path__:
    botproof.__path__.append(ROOT)

from botproof.events import Side  # noqa: E402
from botproof.fakes.bitget.core.contract import BTCUSDT  # noqa: E402
from botproof.fakes.bitget.market.book import book_levels  # noqa: E402
from botproof.fakes.bitget.market.funding import FundingRates  # noqa: E402
from botproof.fakes.bitget.market.path import CHUNK  # noqa: E402
from botproof.fakes.bitget.market.synthetic import STEP_US, SyntheticMarket  # noqa: E402

OPENED_US = 1_771_722_000_000_000
QUARTER_S, QUARTERS = 900, 2_688  # of a month of four weeks
BPS = 10_000
APART_MS = 60_000  # a longer silence between two trades parts two stretches
STIRRED_TICKS = 5  # a second that moves less only bounces between bid and ask
CALM_TICKS = (19, 26)  # deviation of a second in the recorded stretches
STRETCHES, STRETCH_S = 40, 300
BESIDE_MS = 50  # a sale and a purchase no further apart tell the spread
HIGHEST_RATE = 1e-4  # that a premium below 0.01 % gives

Figures = dict[str, float]


@dataclass(frozen=True)
class Candle:
    """Fifteen minutes: extremes and close of last, closes of mark and index, in USDT."""

    high: float
    low: float
    close: float
    mark: float
    index: float


@dataclass(frozen=True)
class Trade:
    """One record: when (ms), the taker's side, price in ticks, size in steps of 0.0001 BTC."""

    at_ms: int
    side: str
    ticks: int
    steps: int


@dataclass(frozen=True)
class Market:
    """What is measured of a market, recorded or drawn; `months` and `stretches` are each in one piece."""

    months: list[list[Candle]]
    stretches: list[list[Trade]]
    funding: list[float]

    @cached_property
    def figures(self) -> Figures:
        return {
            **quarter_figures(self.months),
            **reference_figures([candle for month in self.months for candle in month]),
            **second_figures(self.stretches),
            **trade_figures(self.stretches),
            **funding_figures(self.funding),
        }


# What is measured


def quarter_figures(months: Sequence[Sequence[Candle]]) -> Figures:
    """Moves and ranges of 15 minutes; correlations are means over the months."""
    moves = [[math.log(b.close / a.close) for a, b in pairwise(month)] for month in months]
    sizes = [[abs(move) for move in month] for month in moves]
    ranges = [[math.log(math.log(candle.high / candle.low) + 1e-7) for candle in month] for month in months]
    pooled = sorted(size for month in sizes for size in month)
    found = {"15 min: deviation, bps": BPS * statistics.fmean(map(statistics.pstdev, moves))}
    found |= {f"15 min: {share:g} % move less than, bps": BPS * at(pooled, share / 100) for share in (50, 90, 99, 99.9)}
    found["15 min: kurtosis of a month, median"] = statistics.median(map(kurtosis, moves))
    found["15 min: deviation of the log range"] = statistics.fmean(map(statistics.pstdev, ranges))
    for lag in (1, 4, 16, 96):
        found[f"15 min: correlation of sizes, {lag} apart"] = statistics.fmean(echo(month, lag) for month in sizes)
        found[f"15 min: correlation of log ranges, {lag} apart"] = statistics.fmean(echo(m, lag) for m in ranges)
    found["15 min: correlation of moves, 1 apart"] = statistics.fmean(echo(month, 1) for month in moves)
    return found


def reference_figures(candles: Sequence[Candle]) -> Figures:
    """Mark less last and index less mark at the end of 15 minutes, in USDT."""
    mark = sorted(candle.mark - candle.close for candle in candles)
    basis = [candle.index - candle.mark for candle in candles]
    found = {f"mark less last: {share} % below, USDT": at(mark, share / 100) for share in (5, 25, 50, 75, 95)}
    found["index less mark: mean, USDT"] = statistics.fmean(basis)
    found["index less mark: deviation, USDT"] = statistics.pstdev(basis)
    for lag in (1, 16):
        found[f"index less mark: correlation, {lag} apart"] = echo(basis, lag)
    return found


def second_figures(stretches: Sequence[Sequence[Trade]]) -> Figures:
    """Last price from second to second; kurtosis is of moves in deviations of their stretch."""
    moves = [seconds(stretch, 1) for stretch in stretches]
    tens = [seconds(stretch, 10) for stretch in stretches]
    every = [move for stretch in moves for move in stretch]
    return {
        "1 s: deviation, ticks": statistics.fmean(map(statistics.pstdev, moves)),
        "1 s: without a move, %": 100 * share(move == 0 for move in every),
        f"1 s: moved by {STIRRED_TICKS} ticks or more, %": 100 * share(abs(move) >= STIRRED_TICKS for move in every),
        "1 s: kurtosis": kurtosis([move / statistics.pstdev(each) for each in moves for move in each]),
        "10 s: kurtosis": kurtosis([move / statistics.pstdev(each) for each in tens for move in each]),
        "10 s: deviation to that of 1 s": statistics.fmean(
            statistics.pstdev(ten) / statistics.pstdev(one) for ten, one in zip(tens, moves, strict=True)
        ),
    }


def trade_figures(stretches: Sequence[Sequence[Trade]]) -> Figures:
    """How often, how much, from which side; the spread where the side changes within 50 ms."""
    trades = [trade for stretch in stretches for trade in stretch]
    counts = [number for stretch in stretches for number in per_second(stretch)]
    sizes = sorted(trade.steps for trade in trades)
    pairs = [pair for stretch in stretches for pair in pairwise(stretch)]
    turns = [
        (a, b) if b.side == "buy" else (b, a) for a, b in pairs if a.side != b.side and b.at_ms - a.at_ms <= BESIDE_MS
    ]
    found = {
        "trades: a second": statistics.fmean(counts),
        "trades: seconds without, %": 100 * share(number == 0 for number in counts),
        "trades: variance of their number to its mean": statistics.pvariance(counts) / statistics.fmean(counts),
        "trades: bought by the taker, %": 100 * share(trade.side == "buy" for trade in trades),
        "trades: same side as the one before, %": 100 * share(a.side == b.side for a, b in pairs),
        "trades: same instant as the one before, %": 100 * share(a.at_ms == b.at_ms for a, b in pairs),
        "trades: one tick from a sale to a purchase beside it, %": 100
        * share(b.ticks - a.ticks == 1 for a, b in turns),
        "trades: mean size, 0.0001 BTC": statistics.fmean(sizes),
    }
    return found | {f"trades: {part:g} % smaller than, 0.0001 BTC": at(sizes, part / 100) for part in (50, 75, 90, 99)}


def funding_figures(rates: Sequence[float]) -> Figures:
    """Settled rates in millionths."""
    millionths = [rate * 1e6 for rate in rates]
    return {
        "funding: mean, millionths": statistics.fmean(millionths),
        "funding: deviation, millionths": statistics.pstdev(millionths),
        "funding: lowest, millionths": min(millionths),
        "funding: at 0.01 % exactly, %": 100 * share(rate == HIGHEST_RATE for rate in rates),
        "funding: below 0, %": 100 * share(rate < 0 for rate in rates),
        "funding: same sign as before, %": 100 * share((a < 0) == (b < 0) for a, b in pairwise(rates)),
        "funding: correlation, 1 apart": echo(rates, 1),
        "funding: correlation, 2 apart": echo(rates, 2),
    }


def walks(orders: Sequence[tuple[int, Sequence[int]]]) -> Figures:
    """How many takers' orders of a size (in steps) end at the price at which they began; `orders`: size, prices."""
    classes = {"0.3 to 1 BTC": (3_000, 10_000), "1 to 3 BTC": (10_000, 30_000), "3 BTC and more": (30_000, 1 << 62)}
    found = {}
    for name, (low, high) in classes.items():
        spans = [max(prices) - min(prices) for size, prices in orders if low <= size < high]
        found[f"orders of {name}: filled at one price, %"] = 100 * share(span == 0 for span in spans)
    gaps = [abs(b - a) for _, prices in orders for a, b in pairwise(dict.fromkeys(prices))]
    found["orders: from one level to the next, ticks"] = statistics.fmean(gaps)
    return found


# Where it comes from


def recorded(folder: Path) -> Market:
    """The files of `market/`."""
    last, mark, index = (rows(folder / f"btcusdt_{name}15m_202602.csv") for name in ("", "mark_", "index_"))
    month = [
        Candle(float(a["high"]), float(a["low"]), float(a["close"]), float(b["close"]), float(c["close"]))
        for a, b, c in zip(last, mark, index, strict=True)
    ]
    funding = [float(row["rate"]) for row in rows(folder / "btcusdt_funding.csv")]
    return Market([month], stretches_of(recorded_trades(folder)), funding)


def recorded_trades(folder: Path) -> list[Trade]:
    return [
        Trade(int(r["timestamp_ms"]), r["side"], round(float(r["price"]) * 10), round(float(r["size"]) * 10_000))
        for r in rows(folder / "btcusdt_trades.csv")
    ]


def drawn(months: int) -> Market:
    """As much of the synthetic market, from seeds of its own."""
    funding = FundingRates(seed=1, interval_us=BTCUSDT.funding_interval_us, phase_us=1, cap=BTCUSDT.funding_rate_cap)
    first = OPENED_US // BTCUSDT.funding_interval_us
    rates = [float(funding.at((first + n) * BTCUSDT.funding_interval_us - 1)) for n in range(1_000)]
    return Market([drawn_month(1_000 + n) for n in range(months)], drawn_stretches(), rates)


def drawn_month(seed: int) -> list[Candle]:
    market, candles = SyntheticMarket(seed=seed, opened_us=OPENED_US), []
    for quarter in range(QUARTERS):
        begin = market.path.opened + quarter * QUARTER_S
        bids = drawn_bids(market, begin, QUARTER_S)
        end_us = market.path.instant(begin + QUARTER_S - 1)
        prices = market.prices(end_us)
        candles.append(Candle(max(bids), min(bids), float(prices.last), float(prices.mark), float(prices.index)))
        market.settle(end_us)
    return candles


def drawn_stretches() -> list[list[Trade]]:
    """Stretches as calm as the recorded ones."""
    found: list[list[Trade]] = []
    for seed in count(1):
        market = SyntheticMarket(seed=seed, opened_us=OPENED_US)
        for begin in range(market.path.opened, market.path.opened + 86_400, 2 * STRETCH_S):
            bids = drawn_bids(market, begin, STRETCH_S)
            if CALM_TICKS[0] <= statistics.pstdev(map(sub, bids[1:], bids)) <= CALM_TICKS[1]:
                found.append(drawn_trades(market, market.path.instant(begin)))
                break
        if len(found) == STRETCHES:
            break
    return found


def drawn_bids(market: SyntheticMarket, begin: int, steps: int) -> list[int]:
    """Best bids from step `begin` on, in ticks; it begins a piece of the path as that was drawn."""
    pieces = [market.path.stretch(number)[0].path for number in range(begin, begin + steps, CHUNK)]
    return [ticks for piece in pieces for ticks in piece]


def drawn_trades(market: SyntheticMarket, begin_us: int) -> list[Trade]:
    hundreds = range(begin_us, begin_us + STRETCH_S * STEP_US, 100 * STEP_US)
    return [
        Trade(trade.at_us // 1000, str(trade.side), int(trade.price * 10), int(trade.size * 10_000))
        for at_us in hundreds
        for trade in market.trades(at_us, at_us + 100 * STEP_US)
    ]


def recorded_orders(trades: Iterable[Trade]) -> list[tuple[int, list[int]]]:
    """Takers' orders: records of one instant and side."""
    groups = (list(group) for _, group in groupby(trades, key=lambda trade: (trade.at_ms, trade.side)))
    return [(sum(each.steps for each in group), [each.ticks for each in group]) for group in groups]


def drawn_orders(sizes: Iterable[int]) -> list[tuple[int, list[int]]]:
    """Orders of those sizes, each against ten books of the synthetic market."""
    return [(size, taken(size, number)) for number, size in enumerate(size for size in sizes for _ in range(10))]


def taken(size: int, number: int) -> list[int]:
    prices = []
    for ticks, steps in islice(book_levels(1, number, Side.SELL, 675_000), 200):
        prices.append(ticks)
        size -= steps
        if size <= 0:
            break
    return prices


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# Arithmetic


def stretches_of(trades: Sequence[Trade]) -> list[list[Trade]]:
    found = [[trades[0]]]
    for before, trade in pairwise(trades):
        if trade.at_ms - before.at_ms > APART_MS:
            found.append([])
        found[-1].append(trade)
    return found


def seconds(stretch: Sequence[Trade], width_s: int) -> list[int]:
    """Moves of the last price, in ticks."""
    closes = {(trade.at_ms - stretch[0].at_ms) // (1000 * width_s): trade.ticks for trade in stretch}
    prices, last = [], stretch[0].ticks
    for place in range(max(closes)):
        last = closes.get(place, last)
        prices.append(last)
    return [b - a for a, b in pairwise(prices)]


def per_second(stretch: Sequence[Trade]) -> list[int]:
    counts: defaultdict[int, int] = defaultdict(int)
    for trade in stretch:
        counts[(trade.at_ms - stretch[0].at_ms) // 1000] += 1
    return [counts[place] for place in range(max(counts))]


def at(ordered: Sequence[float], part: float) -> float:
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def share(hits: Iterable[bool]) -> float:
    found = list(hits)
    return sum(found) / len(found) if found else 0.0


def kurtosis(values: Sequence[float]) -> float:
    mean = statistics.fmean(values)
    squares = [(value - mean) ** 2 for value in values]
    return statistics.fmean(square * square for square in squares) / statistics.fmean(squares) ** 2


def echo(values: Sequence[float], lag: int) -> float:
    """Correlation of values with those `lag` before."""
    return statistics.correlation(values[:-lag], values[lag:])


def compare(folder: Path, months: int) -> list[tuple[str, float, float]]:
    """Name, recorded, drawn."""
    trades = recorded_trades(folder)
    orders = recorded_orders(trades)
    found, made = recorded(folder).figures, drawn(months).figures
    found, made = found | walks(orders), made | walks(drawn_orders(size for size, _ in orders))
    return [(name, found[name], made[name]) for name in found]


@click.command(help=__doc__, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--months", default=4, show_default=True, type=click.IntRange(1, 100), help="Synthetic months of 28 days."
)
def main(months: int) -> None:
    folder = Path(os.environ.get("BOTPROOF_DATA", "")) / "market"
    if not os.environ.get("BOTPROOF_DATA") or not folder.is_dir():
        click.echo(
            "BOTPROOF_DATA names no folder with a market folder in it: set it to the folder of real data", err=True
        )
        sys.exit(2)
    click.echo(f"{'figure':<58}{'recorded':>12}{'synthetic':>12}")
    for name, found, made in compare(folder, months):
        click.echo(f"{name:<58}{found:>12.4g}{made:>12.4g}")


if __name__ == "__main__":
    main()
