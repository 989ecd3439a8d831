"""One call as its handler sees it: who asks, when, and parameters that are read strictly.

Words are matched in any letter case and come out in the venue's spelling (captured: its own samples vary). Numbers may
be strings or JSON numbers, keys that nobody asks for are ignored (inferred). What cannot be read is refused with the
code and text the venue uses for it.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import TypeVar
from urllib.parse import parse_qsl

from botproof.errors import VenueError

from .core.exchange import Exchange
from .core.messages import Command, Outcome, Refused
from .signing import Key
from .wire import MARGIN_COIN, PRODUCT

Row = TypeVar("Row")

PRODUCTS = (PRODUCT, "COIN-FUTURES", "USDC-FUTURES", "SUSDT-FUTURES", "SCOIN-FUTURES", "SUSDC-FUTURES")
PAGE_ROWS_MAX = 100
_DECIMAL = re.compile(r"[+-]?[0-9]{1,20}(\.[0-9]{0,20})?([eE][+-]?[0-9]{1,2})?", re.ASCII)
_WHOLE = re.compile(r"[0-9]{1,19}", re.ASCII)
_DAY_MS = 86_400_000


class NotImitated(VenueError):
    """The venue has it and the fake does not: refused, and put on record, so that nobody relies on it unawares."""

    def __init__(self, what: str) -> None:
        super().__init__("400172", "Parameter verification failed")
        self.what = what


class Params(Mapping[str, str]):
    """The parameters of a call as texts."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    @classmethod
    def of_query(cls, query: str) -> "Params":
        return cls(_of_query(query))

    @classmethod
    def of_body(cls, body: bytes) -> "Params":
        """The scalars of a JSON object; raises `VenueError` 400172 where the body is no such object."""
        try:
            read = json.loads(body, parse_int=str, parse_float=str, parse_constant=str)
        except (ValueError, RecursionError):
            read = None
        if not isinstance(read, dict):
            raise VenueError("400172", "Parameter verification failed")
        return cls({name: _text(value) for name, value in read.items() if not isinstance(value, list | dict)})

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def text(self, name: str, default: str = "") -> str:
        """`default` where the parameter is absent or empty."""
        return self._values.get(name, "").strip() or default

    def need(self, name: str) -> str:
        if not (value := self.text(name)):
            raise VenueError("40019", f"Parameter {name} cannot be empty")
        return value

    def word(self, name: str, allowed: Sequence[str], default: str = "", message: str = "") -> str:
        """One of `allowed` in any letter case; absent is `default`, which is refused where it is empty."""
        value = self.text(name, default)
        for spelling in allowed:
            if spelling.lower() == value.lower():
                return spelling
        raise VenueError("400172", message or "Parameter verification failed")

    def decimal(self, name: str) -> Decimal:
        value = self.need(name)
        if not _DECIMAL.fullmatch(value):
            raise VenueError("40020", f"Parameter {name} error")
        return Decimal(value)

    def whole(self, name: str, default: int | None = None) -> int:
        """A whole number; raises 40020 where it is none, 40019 where it is missing without a default."""
        value = self.need(name) if default is None else self.text(name, str(default))
        if not _WHOLE.fullmatch(value):
            raise VenueError("40020", f"Parameter {name} error")
        return int(value)


@lru_cache(256)
def _of_query(query: str) -> Mapping[str, str]:
    """Clients ask the same again and again."""
    return dict(parse_qsl(query, keep_blank_values=True))


def _text(value: object) -> str:
    if value is None:
        return ""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text.encode("utf-8", "replace").decode()  # JSON may escape half a character, which no answer could hold


@dataclass(slots=True)
class Ask:
    """A call that passed the gate. `key` is None on unsigned routes; `outcomes` collects what it set in motion.

    `told_us` is what the venue's clock says, which may be off; the present of the exchange is `now_us`.
    """

    exchange: Exchange
    params: Params
    now_us: int
    told_us: int
    key: Key | None = None
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def account(self) -> str:
        assert self.key is not None, "the route is signed"
        return self.key.account

    @property
    def symbol_here(self) -> str:
        """The one contract of this exchange."""
        return self.exchange.rules.symbol

    def product(self) -> str:
        """The product type; a wrong one is refused as the venue does, oddly as an empty parameter (captured)."""
        value = self.params.text("productType")
        if not value:
            raise VenueError("400172", "Parameter verification failed")
        for spelling in PRODUCTS:
            if spelling == value.upper():
                return spelling
        raise VenueError("40019", f"Parameter {value} cannot be empty")

    def is_here(self) -> bool:
        """Whether the product type asked for is the one that this exchange trades."""
        return self.product() == PRODUCT

    def symbol(self) -> str:
        """The contract asked for; raises 40019 where it is missing, 40034 where it is unknown."""
        asked = self.params.need("symbol")
        if asked.upper() != self.symbol_here:
            raise VenueError("40034", f"Parameter {asked} does not exist")
        return self.symbol_here

    def contract(self) -> str:
        """The contract of a call that trades or configures: known, and of this product type (inferred)."""
        symbol = self.symbol()
        if not self.is_here():
            raise VenueError("40034", f"Parameter {symbol} does not exist")
        return symbol

    def margin_coin(self) -> str:
        coin = self.params.need("marginCoin").upper()
        if coin != MARGIN_COIN:
            raise VenueError("40778", f"Coin pair {self.symbol_here} does not support {coin} currency as margin")
        return coin

    def apply(self, command: Command) -> list[Outcome]:
        """Have the exchange act; raises `VenueError` with its refusal."""
        outcomes = self.exchange.apply(self.account, command, self.now_us)
        for outcome in outcomes:
            if isinstance(outcome, Refused):
                raise VenueError(outcome.code, outcome.message)
        self.outcomes.extend(outcomes)
        return outcomes

    def page(
        self,
        rows: Sequence[Row],
        *,
        row_id: Callable[[Row], str],
        at_us: Callable[[Row], int],
        rows_default: int = PAGE_ROWS_MAX,
        days_max: int = 90,
    ) -> list[Row]:
        """The page asked for out of `rows`, newest first: idLessThan, startTime, endTime (inclusive), limit."""
        start_ms, end_ms = self._bounds(days_max)
        below = self.params.whole("idLessThan", 0)
        limit = min(self.params.whole("limit", rows_default) or rows_default, PAGE_ROWS_MAX)
        chosen: list[Row] = []
        for row in rows:
            if start_ms <= at_us(row) // 1000 <= end_ms and (not below or int(row_id(row)) < below):
                chosen.append(row)
                if len(chosen) == limit:
                    break
        return chosen

    def _bounds(self, days_max: int) -> tuple[int, int]:
        end_ms = self.params.whole("endTime", 0) or self.now_us // 1000
        start_ms = self.params.whole("startTime", 0)
        if start_ms > end_ms:
            raise VenueError("40707", "Start time is greater than end time")
        if start_ms and end_ms - start_ms > days_max * _DAY_MS:
            raise VenueError("40705", f"The start and end time cannot exceed {days_max} days")
        return start_ms, end_ms
