"""C5, C6, C14, C15, C16: minute.csv against itself, column by column.

Each row counts once, however often it is written. Where the window has too few of them (`botproof.invariants.cadence`),
nothing is HELD.
"""

from decimal import Decimal

from botproof.events import BotFill, BotSample, Fact, RunStarted, Source, WindowOpened
from botproof.invariants.cadence import Cadence
from botproof.invariants.cells import Row, content, label, read_instant, read_number, read_word
from botproof.invariants.tally import Tally
from botproof.invariants.verdict import Verdict
from botproof.money import ZERO, plain
from botproof.profile import Profile
from botproof.terms import Terms

TOLERANCE = Decimal("1e-8")
EMPTY_SHARE_MAX = Decimal("0.01")

REQUIRED = (
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
)
"""The columns that every minute row has, whatever stands behind them."""


class _MinuteRows:
    """What all of them share: the minute rows, each once, and one judgement a row."""

    id = ""
    needs = frozenset({Source.RUN, Source.BOT})
    hears = Cadence.hears
    limit: Decimal | None = None
    unit = ""

    def __init__(self, profile: Profile, terms: Terms) -> None:  # noqa: ARG002  every fold is made alike
        self._needed = terms.exercise.get(self.id, 1)
        self._rows: dict[str, BotSample] = {}
        self._cadence = Cadence(terms)

    def see(self, fact: Fact) -> None:
        self._cadence.see(fact)
        if isinstance(fact, BotSample):
            self._rows.setdefault(content(fact), fact)

    def verdict(self) -> Verdict:
        tally = self._tally("minute rows")
        for row in self._rows.values():
            self._judge(tally, row)
        return tally.verdict()

    def _tally(self, what: str) -> Tally:
        """The account of the verdict; where rows are missing it knows that already."""
        tally = Tally(self.id, self._needed, what, limit=self.limit, unit=self.unit)
        tally.doubt(self._cadence.doubt())
        return tally

    def _judge(self, tally: Tally, row: BotSample) -> None:
        raise NotImplementedError


class MarketSpread(_MinuteRows):
    """C5: market_spread_bps is market_spread_pct in basis points.

    Formula: abs(market_spread_bps - 10000 x market_spread_pct) <= 1e-8 bps in every minute row.
    Exercise: minute rows with both numbers.
    Broken by: a row that is further off; a number that cannot be read.
    Not shown: where a row lacks one of the columns.
    """

    id = "C5"
    limit = TOLERANCE
    unit = "bps"

    def _judge(self, tally: Tally, row: BotSample) -> None:
        share, bps = read_number(tally, row, "market_spread_pct"), read_number(tally, row, "market_spread_bps")
        if share is None or bps is None:
            return
        tally.exercised(row.seq)
        off = abs(bps - 10_000 * share)
        tally.rise(off)
        if off > TOLERANCE:
            tally.broken(
                row.seq, f"{label(row)} says {plain(bps)} bps, 10000 x its fraction is {plain(10_000 * share)}"
            )


class DayLoss(_MinuteRows):
    """C6: the daily loss lies between zero and the drawdown.

    Formula: 0 <= daily_loss_pct <= drawdown_pct in every minute row, within 1e-8. A day's peak begins at its open and
        only rises, so that the condition "where the peak is not below the open" is met by every row.
    Exercise: minute rows with both numbers.
    Broken by: a row that is further off; a number that cannot be read.
    Not shown: where a row lacks one of the columns.
    """

    id = "C6"
    limit = TOLERANCE
    unit = "of equity"

    def _judge(self, tally: Tally, row: BotSample) -> None:
        loss, drawdown = read_number(tally, row, "daily_loss_pct"), read_number(tally, row, "drawdown_pct")
        if loss is None or drawdown is None:
            return
        tally.exercised(row.seq)
        off = max(ZERO, -loss, loss - drawdown)
        tally.rise(off)
        if off > TOLERANCE:
            tally.broken(row.seq, f"{label(row)} says a daily loss of {plain(loss)} at a drawdown of {plain(drawdown)}")


class BookSizes(_MinuteRows):
    """C14: the best bid and ask have a size.

    Formula: rows without best_bid_size > 0 and best_ask_size > 0 <= 1 % of all minute rows.
    Exercise: minute rows with both numbers.
    Broken by: a larger share of rows with an empty side: a bot that quotes blind; a number that cannot be read.
    Not shown: where a row lacks one of the columns.
    """

    id = "C14"
    limit = EMPTY_SHARE_MAX
    unit = "of the rows"

    def verdict(self) -> Verdict:
        tally = self._tally("minute rows")
        empty = [row for row in self._rows.values() if self._is_empty(tally, row)]
        tally.rise(Decimal(len(empty)) / max(1, len(self._rows)))
        if len(empty) > EMPTY_SHARE_MAX * len(self._rows):
            for row in empty:
                tally.broken(
                    row.seq, f"{label(row)} has an empty side: {len(empty)} of {len(self._rows)} rows have one"
                )
        return tally.verdict()

    def _is_empty(self, tally: Tally, row: BotSample) -> bool:
        bid, ask = read_number(tally, row, "best_bid_size"), read_number(tally, row, "best_ask_size")
        if bid is None or ask is None:
            return False
        tally.exercised(row.seq)
        return bid <= 0 or ask <= 0


class Constants(_MinuteRows):
    """C15: venue, pair, variant, profile and run are constant in a window.

    Formula: exchange, trading_pair, bot_variant and profile_sha256 of every minute row with ts inside the window are
        the profile's, and run_id is the run's. Profile and run are what the harness itself started, so that rows which
        agree with one another and belong to another run are found as well.
    Exercise: minute rows inside the window that name all five.
    Broken by: one other text; a ts that cannot be read.
    Not shown: where a row inside the window lacks one of the columns.
    """

    id = "C15"
    hears = _MinuteRows.hears | {RunStarted}

    def __init__(self, profile: Profile, terms: Terms) -> None:
        super().__init__(profile, terms)
        self._expected = {
            "exchange": profile.connector_name,
            "trading_pair": profile.trading_pair,
            "bot_variant": profile.variant,
        }
        self._started: RunStarted | None = None
        self._window: WindowOpened | None = None

    def see(self, fact: Fact) -> None:
        match fact:
            case RunStarted():
                self._started = self._started or fact
            case WindowOpened():
                self._window = self._window or fact
        super().see(fact)

    def verdict(self) -> Verdict:
        tally = self._tally("minute rows inside the window")
        started, window = self._started, self._window
        if started is None or window is None:
            tally.doubt("the start of the run or of its window is not on the tape")
            return tally.verdict()
        expected = self._expected | {"profile_sha256": started.profile_sha256, "run_id": started.run_id}
        for row in self._rows.values():
            at_us = read_instant(tally, row)
            if at_us is not None and window.start_us <= at_us <= window.end_us:
                self._compare(tally, row, expected)
        return tally.verdict()

    @staticmethod
    def _compare(tally: Tally, row: BotSample, expected: dict[str, str]) -> None:
        found = {column: read_word(tally, row, column) for column in expected}
        if None not in found.values():
            tally.exercised(row.seq)
        for column, text in found.items():
            if text is not None and text != expected[column]:
                tally.broken(row.seq, f"{label(row)} says {column} {text[:80]}, the run has {expected[column]}")


class Columns(_MinuteRows):
    """C16: every row has the fields of the header.

    Formula: every minute row has the 33 required columns, and the same columns in the same order as the other minute
        rows; every row of fills.csv has the same columns in the same order as the other rows of fills.csv. Rows reach
        the judge by column; the width of the lines of a file is checked where the file is written.
    Exercise: minute rows.
    Broken by: a column more, less, or in another place than in the first row; a required column that is not there.
    Not shown: without a minute row.
    """

    id = "C16"
    hears = _MinuteRows.hears | {BotFill}

    def __init__(self, profile: Profile, terms: Terms) -> None:
        super().__init__(profile, terms)
        self._fills: dict[str, BotFill] = {}

    def see(self, fact: Fact) -> None:
        if isinstance(fact, BotFill):
            self._fills.setdefault(content(fact), fact)
        super().see(fact)

    def verdict(self) -> Verdict:
        tally = self._tally("minute rows")
        samples, fills = list(self._rows.values()), list(self._fills.values())
        for row in samples:
            tally.exercised(row.seq)
            missing = [column for column in REQUIRED if column not in row.row]
            if missing:
                tally.broken(row.seq, f"{label(row)} has no column {', '.join(missing[:3])}")
            self._compare(tally, samples[0], row)
        for fill in fills:
            self._compare(tally, fills[0], fill)
        return tally.verdict()

    @staticmethod
    def _compare(tally: Tally, first: Row, row: Row) -> None:
        header, columns = list(first.row), list(row.row)
        if columns == header:
            return
        odd = sorted({str(column) for column in set(header).symmetric_difference(columns)})
        what = f"differ in {', '.join(odd[:3])}" if odd else "stand in another order"
        tally.broken(row.seq, f"{label(row)} has {len(columns)} columns, the first row {len(header)}: they {what}")
