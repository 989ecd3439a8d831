"""Recordings of the market, cut into contiguous segments: `replay:FILE[#k]`, and days that a scenario names.

What may be replayed is decided here, before anything is sent:

- A segment of trades ends where no trade follows within 60 s; a segment of candles where a candle of last, of mark or
  of index is missing. Segments count from 1.
- Candles of last need those of mark and index beside them: to `btcusdt_15m_202602.csv` belong
  `btcusdt_mark_15m_202602.csv`, `btcusdt_index_15m_202602.csv` and, for the rates, `btcusdt_funding.csv`.
- Virtual time begins with the segment. The window opens on the first UTC minute that leaves the harness time to read
  the venue before, and it must end inside the segment. What follows it (the bot is stopped, the books are read) takes
  place in a market that stands still where the segment ends.
- A window in which funding is settled needs the settled rate.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from itertools import pairwise
from pathlib import Path

from botproof.document import shown, shown_path
from botproof.errors import Absent, Refusal

from .bitget.core.contract import BTCUSDT
from .bitget.core.market import Market
from .bitget.market.replay import Candle, RecordedTrade
from .bitget.market.replay_candles import CandleReplay, Series
from .bitget.market.replay_trades import TradeReplay
from .recorded_files import CANDLES, PLACES, TRADES, read_candles, read_funding, read_header, read_trades

DATA = "BOTPROOF_DATA"  # names the folder of real data; its markets lie in `market`
GAP_MS_MAX = 60_000  # between two trades of one segment
LEAD_US = 25_000_000  # what the harness may need between its first call and the opening of the window
AFTER_US = 60_000_000  # what it may need after the window to stop the bot and to read the books
_MINUTE_US = 60_000_000
_DAY_MS = 86_400_000
_PERIOD_MS_MIN = 60_000
_FINE = Decimal(1).scaleb(-PLACES)
_ASKED = re.compile(r"(?P<file>.+?)(?:#(?P<number>[0-9]{1,6}))?", re.ASCII | re.DOTALL)
_NAME = re.compile(r"(?P<symbol>[A-Za-z0-9]+)_(?P<rest>[0-9]+[mhd](?:_.*)?)\.csv", re.ASCII)
_SEGMENTS_TOLD = 12


@dataclass(frozen=True, slots=True)
class Trades:
    """A segment of recorded trades."""

    trades: Sequence[RecordedTrade]

    def market(self, seed: int, funding: Mapping[int, Decimal]) -> Market:
        return TradeReplay(self.trades, seed=seed, funding=funding)


@dataclass(frozen=True, slots=True)
class Candles:
    """A segment of recorded candles: last in ticks, mark and index in units of 10^-12 USDT."""

    begins_us: int
    period_us: int
    last: Sequence[Candle]
    mark: Sequence[Candle]
    index: Sequence[Candle]

    def market(self, seed: int, funding: Mapping[int, Decimal]) -> Market:
        return CandleReplay(
            seed=seed,
            begins_us=self.begins_us,
            period_us=self.period_us,
            last=self.last,
            mark=Series(_FINE, self.mark),
            index=Series(_FINE, self.index),
            funding=funding,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One segment of a recorded market; instants are microseconds since the epoch."""

    name: str  # as it is reported: replay:btcusdt_trades.csv#2
    begins_us: int  # where virtual time begins
    ends_us: int
    source: Trades | Candles = field(repr=False)
    funding: Mapping[int, Decimal] = field(repr=False)

    def market(self, seed: int) -> Market:
        """The segment as a market of the fake; what was not recorded is drawn from `seed`."""
        return self.source.market(seed, self.funding)

    @property
    def window_s_max(self) -> int:
        """The longest window, in whole minutes, that fits behind its preparation."""
        return max(0, self.ends_us - self.opens_us(self.begins_us)) // _MINUTE_US * 60

    def opens_us(self, now_us: int) -> int:
        """When a window opens whose run begins at `now_us`, at the latest."""
        return -(-(now_us + LEAD_US) // _MINUTE_US) * _MINUTE_US

    def unfit(self, window_s: int, opens_us: int | None = None) -> str:
        """Why a window of that length cannot be shown here, or an empty text; `opens_us` where it is known."""
        opens_us = self.opens_us(self.begins_us) if opens_us is None else opens_us
        closes_us = opens_us + window_s * 1_000_000
        if closes_us > self.ends_us:
            return f"a window of {window_s // 60} min from {_time(opens_us)} UTC ends outside {self}"
        for at_us in _settlements(opens_us - LEAD_US, closes_us + AFTER_US):
            if at_us not in self.funding:
                return f"funding is settled at {_time(at_us)} UTC, and {self.name} has no rate for it"
        return ""

    def __str__(self) -> str:
        return (
            f"{self.name} ({_time(self.begins_us)} to {_time(self.ends_us)} UTC, "
            f"windows of up to {self.window_s_max // 60} min)"
        )


def open_recording(text: str, folder: Path, window_s: int) -> Recording:
    """The recording that `text`, `replay:FILE[#k]`, means, for windows of `window_s`.

    FILE lies in `folder`, or in the market folder of the real data. Without #k it is the first segment that is long
    enough. Raises `Refusal`, with the segments that there are.
    """
    match = _ASKED.fullmatch(text.removeprefix("replay:"))
    if match is None:
        raise Refusal(f"--market={text}: expected replay:FILE or replay:FILE#k with a CSV file of trades or candles")
    path = _find(match["file"], folder)
    found = _segments(path, f"replay:{match['file']}")
    if match["number"] is None:
        fitting = (segment for segment in found if not segment.unfit(window_s))
        chosen = next(fitting, found[0])
    elif not 1 <= int(match["number"]) <= len(found):
        raise Refusal(f"--market: expected a segment from 1 to {len(found)}, found #{match['number']}.\n{_told(found)}")
    else:
        chosen = found[int(match["number"]) - 1]
    if why := chosen.unfit(window_s):
        raise Refusal(f"--market: {why}; give a shorter --window or another segment.\n{_told(found)}")
    return chosen


def recorded_candles(day: date, minute: int) -> Recording:
    """The candles of BTCUSDT from a minute of a UTC day on. Raises `Absent` without the data, `Refusal` outside it."""
    path = _data_file(f"btcusdt_15m_{day:%Y%m}.csv")
    begins_us = _midnight_us(day) + minute * _MINUTE_US
    for segment in _real_segments(path):
        if segment.begins_us <= begins_us < segment.ends_us:
            return replace(segment, begins_us=begins_us)
    raise Refusal(
        f"expected a minute that was recorded, found {_time(begins_us)} UTC, which {path.name} does not cover"
    )


def recorded_trades(day: date) -> Recording:
    """The first trades of BTCUSDT recorded on a UTC day. Raises `Absent` and `Refusal` as `recorded_candles` does."""
    path = _data_file("btcusdt_trades.csv")
    found = _real_segments(path)
    for segment in found:
        if _midnight_us(day) <= segment.begins_us < _midnight_us(day) + _DAY_MS * 1000:
            return segment
    raise Refusal(f"expected a day on which trades were recorded, found {day}.\n{_told(found)}")


@cache
def _real_segments(path: Path) -> Sequence[Recording]:
    """The segments of a file of the real data, which does not change: many scenarios of a session replay it."""
    return _segments(path, f"replay:{path.name}")


def _midnight_us(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1_000_000


def _data_file(name: str) -> Path:
    """A file of the real data. Raises `Absent`."""
    home = _data_folder()
    if home is None:
        raise Absent(f"the recorded market is not there: {DATA} names no folder with a market folder in it")
    if not (home / name).is_file():
        raise Absent(f"the recorded market is not there: {DATA} holds no market/{name}")
    return home / name


def _find(text: str, folder: Path) -> Path:
    """Beside the caller, or among the real data."""
    home = _data_folder()
    places = [folder / text, *([home / text] if home else [])]
    try:
        return next((place for place in places if place.exists()), places[0])
    except (OSError, ValueError):  # a name too long for the file system, or one with a NUL
        raise Refusal(f"--market: expected a CSV file, found a path that cannot exist: {shown(text)}") from None


def _data_folder() -> Path | None:
    home = os.environ.get(DATA)
    return Path(home) / "market" if home and (Path(home) / "market").is_dir() else None


# Segments


def _segments(path: Path, name: str) -> Sequence[Recording]:
    """Every segment of a file, in order. Raises `Refusal` where the file is none of trades or candles."""
    header = read_header(path)
    if "side" in header:
        return tuple(_trade_segments(path, name))
    if "open" in header:
        return tuple(_candle_segments(path, name))
    raise Refusal(
        f"{shown_path(path)}: line 1: expected the columns of trades ({','.join(TRADES)}) or of candles "
        f"({','.join(CANDLES)}), found {shown(','.join(header))}"
    )


def _trade_segments(path: Path, name: str) -> Iterator[Recording]:
    trades = read_trades(path)
    funding = _funding_beside(path.with_name(f"{path.name.partition('_')[0]}_funding.csv"))
    begins = [0, *(n for n, pair in enumerate(pairwise(trades), 1) if pair[1].at_ms - pair[0].at_ms > GAP_MS_MAX)]
    for number, (begin, end) in enumerate(pairwise([*begins, len(trades)]), 1):
        part = trades[begin:end]
        yield Recording(
            name=f"{name}#{number}",
            begins_us=part[0].at_ms * 1000,
            ends_us=part[-1].at_ms * 1000,
            source=Trades(part),
            funding=funding,
        )


def _candle_segments(path: Path, name: str) -> Iterator[Recording]:
    last = read_candles(path, BTCUSDT.tick)
    period_ms = _period_ms(path, list(last))
    mark, index = (read_candles(_beside(path, what), _FINE) for what in ("mark", "index"))
    funding = _funding_beside(path.with_name(f"{path.name.partition('_')[0]}_funding.csv"))
    whole = [at_ms for at_ms in last if at_ms in mark and at_ms in index]
    begins = [0, *(n for n, (a, b) in enumerate(pairwise(whole), 1) if b - a != period_ms)] if whole else []
    if not begins:
        raise Refusal(f"{shown_path(path)}: expected candles of last, mark and index of the same times, found none")
    for number, (begin, end) in enumerate(pairwise([*begins, len(whole)]), 1):
        part = whole[begin:end]
        yield Recording(
            name=f"{name}#{number}",
            begins_us=part[0] * 1000,
            ends_us=(part[-1] + period_ms) * 1000,
            source=Candles(
                begins_us=part[0] * 1000,
                period_us=period_ms * 1000,
                last=[last[at_ms] for at_ms in part],
                mark=[mark[at_ms] for at_ms in part],
                index=[index[at_ms] for at_ms in part],
            ),
            funding=funding,
        )


def _period_ms(path: Path, times: Sequence[int]) -> int:
    """How long a candle lasts: the shortest distance between two, on whose grid all must lie."""
    period_ms = min((b - a for a, b in pairwise(times)), default=0)
    if period_ms < _PERIOD_MS_MIN or _DAY_MS % period_ms or any(at_ms % period_ms for at_ms in times):
        raise Refusal(
            f"{shown_path(path)}: expected at least two candles of 1 min to 1 day, each on the grid of its period "
            f"since midnight UTC, found a shortest distance of {period_ms / 1000:g} s"
        )
    return period_ms


def _beside(path: Path, what: str) -> Path:
    """The file of mark or index candles that belongs to one of last candles."""
    match = _NAME.fullmatch(path.name)
    if match is None:
        raise Refusal(
            f"{shown_path(path)}: expected candles under a name such as btcusdt_15m_202602.csv, with those of mark and "
            f"index beside them as btcusdt_mark_15m_202602.csv and btcusdt_index_15m_202602.csv"
        )
    return path.with_name(f"{match['symbol']}_{what}_{match['rest']}.csv")


def _funding_beside(path: Path) -> Mapping[int, Decimal]:
    """The settled rates; none where there is no such file."""
    return read_funding(path) if path.is_file() else {}


def _settlements(after_us: int, until_us: int) -> Iterator[int]:
    at_us = BTCUSDT.next_funding_us(after_us)
    while at_us <= until_us:
        yield at_us
        at_us = BTCUSDT.next_funding_us(at_us)


def _told(segments: Sequence[Recording]) -> str:
    """The segments on one line."""
    told = [f"#{n} {_time(one.begins_us)}, {one.window_s_max // 60} min" for n, one in enumerate(segments, 1)]
    more = [f"and {len(told) - _SEGMENTS_TOLD} more"] if len(told) > _SEGMENTS_TOLD else []
    return f"Segments, with their longest window: {'; '.join([*told[:_SEGMENTS_TOLD], *more])}."


def _time(at_us: int) -> str:
    return f"{datetime.fromtimestamp(at_us // 1_000_000, UTC):%Y-%m-%d %H:%M:%S}"
