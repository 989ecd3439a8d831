"""The columns of the bot's own files, in the order in which they are written, and a row as one line of text."""

import re
from collections.abc import Mapping, Sequence

from botproof.errors import HarnessError

MINUTE = (
    "ts",
    "bot_variant",
    "exchange",
    "trading_pair",
    "state",
    "regime",
    "mid",
    "equity_quote",
    "base_pct",
    "target_base_pct",
    "spread_pct",
    "spread_floor_pct",
    "net_edge_pct",
    "skew",
    "adverse_drift_30s",
    "soft_pause_edge",
    "base_balance",
    "quote_balance",
    "market_spread_pct",
    "market_spread_bps",
    "best_bid_size",
    "best_ask_size",
    "turnover_today_x",
    "cancel_per_min",
    "orders_active",
    "fills_count_today",
    "fees_paid_today_quote",
    "daily_loss_pct",
    "drawdown_pct",
    "risk_reasons",
    "fee_source",
    "maker_fee_pct",
    "taker_fee_pct",
    # what binds a row to its run and to the venue's own view stands behind, so that older readers still fit
    "profile_id",
    "profile_sha256",
    "run_id",
    "no_trade",
    "position_base",
    "avg_entry_price",
    "venue_open_orders",
    "venue_plan_orders",
    "venue_fills_seen",
    "funding_rate",
    "ws_reconnect_count",
    "order_rejects_today",
    "ack_timeouts_today",
)

FILLS = (
    "ts",
    "bot_variant",
    "exchange",
    "trading_pair",
    "side",
    "price",
    "amount_base",
    "notional_quote",
    "fee_quote",
    "order_id",
    "state",
    "mid_ref",
    "expected_spread_pct",
    "adverse_drift_30s",
    "fee_source",
    "is_maker",
    "realized_pnl_quote",
    "exchange_trade_id",
)

ORDERS = (
    "t_venue_us",
    "order_id",
    "client_id",
    "side",
    "order_type",
    "force",
    "price",
    "size",
    "filled",
    "state",
    "reduce_only",
    "via",
)


CELL_MAX = 10_000
_QUOTED = re.compile(r'[",\r\n]')


def checked_row(columns: Sequence[str], row: Mapping[str, str]) -> None:
    """Raises `HarnessError` where `row` is not text by known columns: expected, found."""
    if not isinstance(row, Mapping):
        raise HarnessError(f"a row of the bot's files is a mapping of columns to text; found {type(row).__name__}")
    unknown = sorted(str(column) for column in row if column not in columns)
    if unknown:
        raise HarnessError(f"a row of the bot's files has the columns {', '.join(columns[:3])} ...; found {unknown}")
    for column, value in row.items():
        if not isinstance(value, str) or len(value) > CELL_MAX:
            found = f"{len(value)} characters" if isinstance(value, str) else type(value).__name__
            raise HarnessError(
                f"{column} of a row of the bot's files is text of at most {CELL_MAX} characters; found {found}"
            )


def row_text(columns: Sequence[str], row: Mapping[str, str]) -> str:
    """One CSV line with LF. A column that the row lacks is left empty; raises `HarnessError` as `checked_row`."""
    checked_row(columns, row)
    return values_text([row.get(column, "") for column in columns])


def values_text(values: Sequence[str]) -> str:
    """One CSV line with LF from its values.

    Written here, because the `csv` of one Python quotes a lone carriage return and that of another does not, and equal
    values give equal bytes.
    """
    return ",".join(map(_cell, values)) + "\n"


def _cell(value: str) -> str:
    return '"' + value.replace('"', '""') + '"' if _QUOTED.search(value) else value
