"""Bots that trade as they should and write down something else: one false cell each, in minute.csv or fills.csv.

What a file says is C1 to C16's affair; what the venue saw of these bots keeps every promise.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from botproof.bots.reference import ReferenceBot
from botproof.ports import Bot, BotContext, BotFactory, Evidence

Row = Mapping[str, str]
Falsify = Callable[[Row], Row]


def as_it_is(row: Row) -> Row:
    return row


@dataclass(frozen=True, slots=True)
class Forger:
    """Stands between a bot and its evidence."""

    evidence: Evidence
    minute_row: Falsify
    fill_row: Falsify

    def minute(self, row: Row) -> None:
        self.evidence.minute(self.minute_row(row))

    def fill(self, row: Row) -> None:
        self.evidence.fill(self.fill_row(row))

    def state(self, state: str, reasons: Sequence[str]) -> None:
        self.evidence.state(state, reasons)


class Misreporting(ReferenceBot):
    """The reference bot with a forger at its elbow."""

    name = "rogue misreporting"


def forger(context: BotContext, *, minute_row: Falsify = as_it_is, fill_row: Falsify = as_it_is) -> Bot:
    return Misreporting(replace(context, evidence=Forger(context.evidence, minute_row, fill_row)))


def _set(column: str, value: str) -> Falsify:
    return lambda row: {**row, column: value}


def _without(column: str) -> Falsify:
    return lambda row: {name: value for name, value in row.items() if name != column}


def _another_run_at_odd_minutes(row: Row) -> Row:
    return {**row, "run_id": "another"} if int(row["ts"][14:16]) % 2 else row


def _no_fills_at_odd_minutes(row: Row) -> Row:
    return {**row, "fills_count_today": "0"} if int(row["ts"][14:16]) % 2 else row


def _other_role(row: Row) -> Row:
    return {**row, "is_maker": str(row["is_maker"] != "True")}


def _minutes(falsify: Falsify) -> BotFactory:
    return partial(forger, minute_row=falsify)


def _fills(falsify: Falsify) -> BotFactory:
    return partial(forger, fill_row=falsify)


miscounts_fills = _minutes(_set("fills_count_today", "7"))
hides_fees = _minutes(_set("fees_paid_today_quote", "0"))
hides_turnover = _minutes(_set("turnover_today_x", "0"))
misreckons_spread = _minutes(_set("market_spread_bps", "1"))
denies_drawdown = _minutes(_set("daily_loss_pct", "0.5"))
forgets_fills = _minutes(_no_fills_at_odd_minutes)
hides_cancels = _minutes(_set("cancel_per_min", "0"))
sees_no_book = _minutes(_set("best_bid_size", "0"))
changes_its_run = _minutes(_another_run_at_odd_minutes)
leaves_out_a_column = _minutes(_without("skew"))
renames_its_orders = _fills(_set("order_id", "by-hand-1"))
swaps_roles = _fills(_other_role)
