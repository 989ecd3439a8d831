"""Recorded market data as it lies on disk: CSV files, read strictly.

    trades    timestamp_ms,side,price,size,trade_id
    candles   timestamp_ms,open,high,low,close[,...]     of last, of mark and of index, a file each
    funding   timestamp_ms,rate

The columns may stand in any order, and others beside them are not read. A line that is not what its column says ends
the reading with its number: a recording is right as a whole or it is not used.
"""

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

from botproof.document import nearest, shown, shown_path
from botproof.errors import Refusal
from botproof.events import Side

from .bitget.core.contract import BTCUSDT
from .bitget.market.replay import Candle, RecordedTrade

BYTES_MAX = 64 << 20
TRADES = ("timestamp_ms", "side", "price", "size", "trade_id")
CANDLES = ("timestamp_ms", "open", "high", "low", "close")
FUNDING = ("timestamp_ms", "rate")
PLACES = 12  # decimals of a price at most

_FIRST_MS, _END_MS = 1_230_768_000_000, 4_102_444_800_000  # 2009 to 2100: milliseconds, not seconds or microseconds
_WHOLE = re.compile(r"[0-9]{1,20}", re.ASCII)
_AMOUNT = re.compile(r"[0-9]{1,9}(\.[0-9]{1,12})?", re.ASCII)
_RATE = re.compile(r"-?[0-9]{1,3}(\.[0-9]{1,12})?([eE]-?[0-9]{1,2})?", re.ASCII)
_SIDES = {side.value: side for side in Side}

Row = TypeVar("Row")


class _UnfitError(Exception):
    """A line is not what it must be; `str()` is what was expected and found."""


def read_header(path: Path) -> tuple[str, ...]:
    """The names of the columns. Raises `Refusal` where there is no readable CSV file."""
    return tuple(next(iter(_lines(path)), ()))


def read_trades(path: Path) -> list[RecordedTrade]:
    """The trades, oldest first, of different ids. Raises `Refusal`."""
    trades = _rows(path, TRADES, _trade)
    _refuse_disorder(path, [trade.at_ms for trade in trades], may_be_equal=True)
    _refuse_twins(path, "trade_id", [trade.trade_id for trade in trades])
    return trades


def read_candles(path: Path, unit: Decimal) -> dict[int, Candle]:
    """The candles by their beginning (ms), prices in whole `unit`s. Raises `Refusal`."""
    found = _rows(path, CANDLES, lambda cells: _candle(cells, unit))
    _refuse_disorder(path, [at_ms for at_ms, _ in found], may_be_equal=False)
    return dict(found)


def read_funding(path: Path) -> dict[int, Decimal]:
    """The settled rates by instant (us), as fractions. Raises `Refusal`."""
    found = _rows(path, FUNDING, _rate)
    _refuse_disorder(path, [at_us for at_us, _ in found], may_be_equal=False)
    return dict(found)


# Lines


def _rows(path: Path, columns: tuple[str, ...], read: Callable[[list[str]], Row]) -> list[Row]:
    """Every line below the header, read from its cells in the order of `columns`."""
    lines = _lines(path)
    header = next(lines, [])
    missing = [column for column in columns if column not in header]
    if missing:
        hint = nearest(missing[0], header)
        raise _refusal(path, 1, f"expected the columns {','.join(columns)}, found no {missing[0]}{hint}")
    if len(set(header)) < len(header):
        raise _refusal(path, 1, f"expected each column once, found {shown(','.join(header))}")
    places = [header.index(column) for column in columns]
    rows = [_row(path, number, cells, len(header), places, read) for number, cells in enumerate(lines, 2)]
    if not rows:
        raise _refusal(path, 2, "expected at least one line below the header, found none")
    return rows


def _row(
    path: Path, number: int, cells: list[str], width: int, places: Sequence[int], read: Callable[[list[str]], Row]
) -> Row:
    try:
        if len(cells) != width:
            raise _UnfitError(f"{width} cells as in the header, found {len(cells)}")
        return read([cells[place] for place in places])
    except _UnfitError as unfit:
        raise _refusal(path, number, f"expected {unfit}") from None


def _lines(path: Path) -> Iterator[list[str]]:
    """The cells of each line. Raises `Refusal` where the file cannot be read as CSV of honest size."""
    try:
        if path.is_dir():
            raise _refusal(path, 0, "expected a CSV file, found a directory")
        with path.open("rb") as file:
            data = file.read(BYTES_MAX + 1)
    except FileNotFoundError:
        raise _refusal(path, 0, "expected a CSV file of recorded market data, found no such file") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise _refusal(path, 0, f"expected a CSV file that can be read, found: {reason}") from None
    if len(data) > BYTES_MAX:
        raise _refusal(path, 0, f"expected at most {BYTES_MAX >> 20} MiB, found more")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _refusal(path, 0, f"expected UTF-8 text, found byte 0x{data[error.start]:02x} at {error.start}") from None
    return _cells(path, text)


def _cells(path: Path, text: str) -> Iterator[list[str]]:
    reader = csv.reader(text.splitlines(), strict=True)
    try:
        yield from reader
    except csv.Error as error:
        raise _refusal(path, reader.line_num, f"expected comma-separated cells, found: {error}") from None


def _refuse_disorder(path: Path, times: Sequence[int], *, may_be_equal: bool) -> None:
    for number, (before, after) in enumerate(pairwise(times), 3):
        if after < before:
            raise _refusal(
                path, number, "expected times in ascending order, found an earlier one than in the line before"
            )
        if after == before and not may_be_equal:
            raise _refusal(path, number, "expected each time once, found that of the line before")


def _refuse_twins(path: Path, column: str, ids: Sequence[str]) -> None:
    first: dict[str, int] = {}
    for number, each in enumerate(ids, 2):
        if first.setdefault(each, number) != number:
            raise _refusal(path, number, f"expected each {column} once, found that of line {first[each]}")


def _refusal(path: Path, line: int, what: str) -> Refusal:
    where = f" line {line}:" if line else ""
    return Refusal(f"{shown_path(path)}:{where} {what}")


# Cells


def _trade(cells: list[str]) -> RecordedTrade:
    at, side, price, size, trade_id = cells
    if side not in _SIDES:
        raise _UnfitError(f"side buy or sell, found {shown(side)}")
    if not _WHOLE.fullmatch(trade_id):
        raise _UnfitError(f"a trade_id of 1 to 20 digits, found {shown(trade_id)}")
    return RecordedTrade(
        at_ms=_time_ms(at),
        side=_SIDES[side],
        ticks=_units(price, "price", BTCUSDT.tick),
        steps=_units(size, "size", BTCUSDT.qty_step),
        trade_id=trade_id,
    )


def _candle(cells: list[str], unit: Decimal) -> tuple[int, Candle]:
    at, *texts = cells
    begin, high, low, close = (_units(text, name, unit) for text, name in zip(texts, CANDLES[1:], strict=True))
    if not low <= min(begin, close) <= max(begin, close) <= high:
        raise _UnfitError(f"low <= open, close <= high, found {shown(','.join(texts))}")
    return _time_ms(at), Candle(begin, high, low, close)


def _rate(cells: list[str]) -> tuple[int, Decimal]:
    at, text = cells
    cap = BTCUSDT.funding_rate_cap
    rate = Decimal(text) if _RATE.fullmatch(text) else None
    if rate is None or abs(rate) > cap:
        raise _UnfitError(f"a funding rate within +-{cap}, found {shown(text)}")
    at_us = _time_ms(at) * 1000
    if at_us % BTCUSDT.funding_interval_us:
        raise _UnfitError(f"a settlement at 00:00, 08:00 or 16:00 UTC, found {shown(at)}")
    return at_us, rate


def _time_ms(text: str) -> int:
    at_ms = int(text) if _WHOLE.fullmatch(text) else 0
    if not _FIRST_MS <= at_ms < _END_MS:
        raise _UnfitError(f"timestamp_ms in milliseconds since 1970, such as 1771718400000, found {shown(text)}")
    return at_ms


def _units(text: str, name: str, unit: Decimal) -> int:
    """A positive amount in whole units, of which each is a power of ten."""
    whole, _, decimals = text.partition(".") if _AMOUNT.fullmatch(text) else ("0", "", "")
    decimals, places = decimals.rstrip("0"), -unit.adjusted()
    count = int(whole + decimals.ljust(places, "0"))
    if len(decimals) > places or not count:
        raise _UnfitError(f"{name} as a number above 0 in steps of {unit:f}, found {shown(text)}")
    return count
