"""The columns of minute.csv and fills.csv as the judge needs them, and how a cell is read.

A number is a plain or scientific ASCII decimal (`0.0001`, `0E+2`); a count is digits alone. Nothing else is a number:
no blank, no `nan`, no `8%`, no `1,008`.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from botproof.document import nearest, shown
from botproof.notrade.answer import Docket

MINUTE = (
    *("ts", "bot_variant", "exchange", "trading_pair", "state", "regime", "mid", "equity_quote", "base_pct"),
    *("target_base_pct", "spread_pct", "spread_floor_pct", "net_edge_pct", "skew", "adverse_drift_30s"),
    *("soft_pause_edge", "base_balance", "quote_balance", "market_spread_pct", "market_spread_bps", "best_bid_size"),
    *("best_ask_size", "turnover_today_x", "cancel_per_min", "orders_active", "fills_count_today"),
    *("fees_paid_today_quote", "daily_loss_pct", "drawdown_pct", "risk_reasons", "fee_source", "maker_fee_pct"),
    "taker_fee_pct",
)
BINDING = ("profile_sha256", "run_id", "no_trade")
FILLS = (
    *("ts", "bot_variant", "exchange", "trading_pair", "side", "price", "amount_base", "notional_quote", "fee_quote"),
    *("order_id", "state", "mid_ref", "expected_spread_pct", "adverse_drift_30s", "fee_source", "is_maker"),
    "realized_pnl_quote",
)
WORDS = frozenset(
    {
        *("ts", "bot_variant", "exchange", "trading_pair", "state", "regime", "soft_pause_edge", "risk_reasons"),
        "fee_source",
    }
)
COUNTS = ("cancel_per_min", "orders_active", "fills_count_today")
MAY_BE_EMPTY = frozenset({"risk_reasons"})
_NAMES_SHOWN = 6

_NUMBER = re.compile(r"[+-]?([0-9]{1,60}(\.[0-9]{0,60})?|\.[0-9]{1,60})([eE][+-]?[0-9]{1,2})?", re.ASCII)
_EACH = r"[+-]?+(?:[0-9]{1,60}+(?:\.[0-9]{0,60}+)?+|\.[0-9]{1,60}+)(?:[eE][+-]?+[0-9]{1,2}+)?+"
NUMBERS = re.compile(rf"{_EACH}(?:\n{_EACH})*+", re.ASCII)
"""Numbers, a line each: the same, with nothing tried twice."""
_COUNT = re.compile(r"[0-9]{1,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Header:
    """Where each column stands."""

    width: int
    places: dict[str, int]

    def holds(self, name: str) -> bool:
        """Whether there is such a column."""
        return name in self.places


def read_header(names: Sequence[str], required: Sequence[str], file: str, docket: Docket) -> Header | None:
    """The places of the columns; None, with the reasons on the docket, where rows cannot be read by it."""
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    missing = [name for name in required if name not in names]
    if twice:
        docket.invalid("R3", f"{file}: the header names {_list(twice)} more than once", "every column once")
    if missing:
        hint = nearest(missing[0], names) if len(names) > 1 else f" (its header is {shown(names[0] if names else '')})"
        docket.invalid(
            "R3",
            f"{file}: no column {_list(missing)}{hint}",
            f"the {len(required)} columns of {file} under their exact names",
        )
    if twice or missing:
        return None
    return Header(len(names), {name: place for place, name in enumerate(names)})


def number(text: str) -> Decimal | None:
    """The number that a cell holds; None where it holds none."""
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def count(text: str) -> int | None:
    """The whole number, not negative, that a cell holds; None where it holds none."""
    return int(text) if _COUNT.fullmatch(text) else None


def _list(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    return ", ".join(name if name.isidentifier() else shown(name) for name in names[:_NAMES_SHOWN]) + more
