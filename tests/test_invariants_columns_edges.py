"""C5, C6, C14, C15, C16 at their edges: what counts as a row, and what an operator reads."""

from dataclasses import replace
from decimal import Decimal

import pytest
from streams import retape, verdict_of, without
from streams_rows import changed, of, recorded, utc
from test_invariants_columns import OURS, every_row, many

from botproof.events import BotFill, BotSample, Fact, RunStarted, WindowOpened
from botproof.invariants.columns import REQUIRED
from botproof.invariants.verdict import Outcome

ROW = "the row of 2026-02-22T01:01:40.000000+00:00 in minute.csv"


@pytest.mark.parametrize("promise", sorted(OURS))
def test_where_minutes_have_no_row_nothing_is_held_and_it_says_so(promise: str) -> None:
    facts = recorded()
    kept = of(facts, BotSample)[:3]
    thin = without(facts, lambda fact: isinstance(fact, BotSample) and fact not in kept)
    assert verdict_of(promise, thin).reason == (
        "minute.csv is without a row for 100 s at the end of the window, 90 s is the most"
    )


@pytest.mark.parametrize(
    ("cells", "promise", "reason"),
    [
        ({"market_spread_bps": "0.02"}, "C5", f"{ROW} says 0.02 bps, 10000 x its fraction is 0.0148"),
        ({"daily_loss_pct": "0.003"}, "C6", f"{ROW} says a daily loss of 0.003 at a drawdown of 0.002"),
        ({"best_bid_size": "0"}, "C14", f"{ROW} has an empty side: 1 of 13 rows have one"),
        ({"run_id": "x" * 81}, "C15", f"{ROW} says run_id {'x' * 80}, the run has r1"),
        ({"extra": "1"}, "C16", f"{ROW} has 47 columns, the first row 46: they differ in extra"),
    ],
)
def test_a_breach_is_told_whole_and_proved_by_its_row(cells: dict[str, str], promise: str, reason: str) -> None:
    facts = changed(recorded(), BotSample, 4, **cells)
    verdict = verdict_of(promise, facts)
    assert (verdict.reason, verdict.proof) == (reason, (of(facts, BotSample)[4].seq,))


def test_without_a_row_no_share_of_them_is_empty() -> None:
    facts = without(recorded(), lambda fact: isinstance(fact, BotSample))
    assert verdict_of("C14", facts).peak == 0


@pytest.mark.parametrize(("rows", "peak"), [(1, "1"), (2, "0.5")])
def test_the_peak_is_the_share_of_the_rows(rows: int, peak: str) -> None:
    assert verdict_of("C14", many(rows, 1, best_ask_size="0")).peak == Decimal(peak)


def test_a_row_that_lacks_a_size_is_no_exercise() -> None:
    assert verdict_of("C14", changed(recorded(), BotSample, 4, best_ask_size="")).exercise == 12


@pytest.mark.parametrize("promise", ["C5", "C6"])
def test_a_row_that_lacks_one_number_is_no_exercise(promise: str) -> None:
    column = {"C5": "market_spread_bps", "C6": "drawdown_pct"}[promise]
    verdict = verdict_of(promise, changed(recorded(), BotSample, 4, **{column: ""}))
    assert (verdict.exercise, verdict.reason) == (12, f"{ROW} has no {column}")


@pytest.mark.parametrize("gone", [RunStarted, WindowOpened])
def test_without_start_or_window_no_row_is_compared(gone: type[Fact]) -> None:
    facts = without(every_row(recorded(), run_id="r0"), lambda fact: isinstance(fact, gone))
    assert verdict_of("C15", facts).outcome is Outcome.NOT_SHOWN


def test_a_row_that_lacks_a_constant_is_no_exercise_and_its_others_are_compared() -> None:
    verdict = verdict_of("C15", changed(recorded(), BotSample, 4, exchange="", run_id="r0"))
    assert (verdict.exercise, verdict.reason) == (12, f"{ROW} says run_id r0, the run has r1")


def test_the_first_start_and_the_first_window_that_were_told_count() -> None:
    facts = [fact for fact in recorded() if fact.kind != "Covered"]
    start, window = of(facts, RunStarted)[0], of(facts, WindowOpened)[0]
    others = [replace(start, run_id="r9"), replace(window, start_us=window.end_us, end_us=window.end_us + 1)]
    verdict = verdict_of("C15", retape([*facts[:-1], *others, facts[-1]]))
    assert (verdict.exercise, "r9" in verdict.reason) == (13, False)


def test_at_most_three_columns_are_named() -> None:
    def cut(fact: Fact) -> Fact:
        if not isinstance(fact, BotSample) or fact.row["ts"] != utc(fact.t_local_us - 1_000_000):
            return fact
        return replace(fact, row={name: text for name, text in fact.row.items() if name not in REQUIRED[2:6]})

    facts = retape(map(cut, recorded()))
    reason = verdict_of("C16", facts).reason
    assert "in minute.csv has no column exchange, trading_pair, state (and 12 more)" in reason


def test_at_most_three_odd_columns_are_named_in_the_order_of_the_alphabet() -> None:
    facts = changed(recorded(), BotSample, 4, d="1", c="1", b="1", a="1")
    assert verdict_of("C16", facts).reason == f"{ROW} has 50 columns, the first row 46: they differ in a, b, c"


def test_the_same_columns_in_another_order_are_told_as_such() -> None:
    facts = recorded()
    row = of(facts, BotSample)[4]
    turned = {name: row.row[name] for name in reversed(list(row.row))}
    facts = retape(replace(row, row=turned) if fact is row else fact for fact in facts)
    assert verdict_of("C16", facts).reason == (f"{ROW} has 46 columns, the first row 46: they stand in another order")


def test_rows_of_fills_are_compared_with_the_first_of_them() -> None:
    facts = changed(recorded(), BotFill, 1, regime="up")
    verdict = verdict_of("C16", facts)
    assert verdict.reason == ("the row of trade t2 in fills.csv has 10 columns, the first row 9: they differ in regime")
    assert verdict.proof == (of(facts, BotFill)[1].seq,)


@pytest.mark.parametrize("side", ["best_bid_size", "best_ask_size"])
@pytest.mark.parametrize(("size", "outcome"), [("0.0001", Outcome.HELD), ("1", Outcome.HELD), ("0", Outcome.BROKEN)])
def test_any_size_above_nothing_is_one_on_either_side(side: str, size: str, outcome: Outcome) -> None:
    assert verdict_of("C14", every_row(recorded(), **{side: size})).outcome is outcome


@pytest.mark.parametrize("kind", [BotSample, BotFill])
def test_the_first_row_is_the_measure_of_all_others(kind: type[BotSample] | type[BotFill]) -> None:
    facts = changed(recorded(), kind, 1, extra="1")
    assert verdict_of("C16", facts).proof == (of(facts, kind)[1].seq,)
