"""C5, C6, C14, C15, C16: minute.csv against itself."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest
from streams import broken, held, micro_cap_run, retape, verdict_of, verdicts_of, without
from streams_rows import changed, more, of, recorded, utc

from botproof.events import BotFill, BotSample, Fact, RunStarted, WindowOpened
from botproof.evidence.rows import MINUTE
from botproof.invariants.columns import REQUIRED
from botproof.invariants.verdict import Outcome

OURS = {"C5", "C6", "C14", "C15", "C16"}
HELD, BROKEN, NOT_SHOWN = Outcome.HELD, Outcome.BROKEN, Outcome.NOT_SHOWN


def found(facts: Sequence[Fact], outcome: Outcome) -> set[str]:
    """Which of the identities of this module have the outcome."""
    return {v.id for v in verdicts_of(OURS, facts) if v.outcome is outcome}


def every_row(facts: Sequence[Fact], **cells: str) -> list[Fact]:
    """All minute rows with other cells."""
    return retape(replace(f, row=dict(f.row) | cells) if isinstance(f, BotSample) else f for f in facts)


def many(rows: int, empty: int, **cells: str) -> list[Fact]:
    """A run with `rows` minute rows all over its window, of which `empty` have other cells."""
    facts = recorded()
    first = of(facts, BotSample)[0]
    window = of(facts, WindowOpened)[0]
    apart_us = (window.end_us - window.start_us) // rows
    samples = [
        replace(
            first,
            row=dict(first.row) | {"ts": utc(window.start_us + place * apart_us)} | (cells if place < empty else {}),
        )
        for place in range(rows)
    ]
    return more(without(facts, lambda fact: isinstance(fact, BotSample)), *samples)


def test_a_correct_run_keeps_all_of_them_with_and_without_trades() -> None:
    assert found(recorded(), HELD) == OURS
    assert found(recorded(micro_cap_run(trades=False)), HELD) == OURS
    assert verdict_of("C5", recorded()).exercise == 13


def test_without_minute_rows_none_of_them_is_shown() -> None:
    assert found(without(recorded(), lambda fact: isinstance(fact, BotSample)), NOT_SHOWN) == OURS


def test_a_row_written_twice_counts_once() -> None:
    facts = recorded()
    again = more(facts, of(facts, BotSample)[0])
    assert found(again, HELD) == OURS
    assert {verdict_of(id_, again).exercise for id_ in OURS} == {13}


# C5


@pytest.mark.parametrize(
    ("bps", "outcome"),
    [
        ("0.0148", HELD),
        ("0.01480001", HELD),
        ("0.01479999", HELD),
        ("148E-4", HELD),
        ("0.014800011", BROKEN),
        ("0.014799989", BROKEN),
        ("0.00000148", BROKEN),
        ("-0.0148", BROKEN),
    ],
)
def test_the_spread_in_bps_is_ten_thousand_times_its_fraction(bps: str, outcome: Outcome) -> None:
    facts = changed(recorded(), BotSample, 4, market_spread_bps=bps)
    assert verdict_of("C5", facts).outcome is outcome
    assert broken(facts) <= {"C5"}


def test_a_spread_of_28_digits_is_read_to_the_last() -> None:
    share = Decimal("0.1") / Decimal(67500)
    facts = every_row(recorded(), market_spread_pct=f"{share:f}", market_spread_bps=f"{share * 10_000:f}")
    assert "C5" in held(facts)


# C6


@pytest.mark.parametrize(
    ("loss", "outcome"),
    [
        ("0", HELD),
        ("-0.00000001", HELD),
        ("-0.000000011", BROKEN),
        ("0.002", HELD),
        ("0.00200001", HELD),
        ("0.002000011", BROKEN),
        ("0.003", BROKEN),
    ],
)
def test_the_days_loss_lies_between_zero_and_the_drawdown(loss: str, outcome: Outcome) -> None:
    facts = changed(recorded(), BotSample, 4, daily_loss_pct=loss)
    assert verdict_of("C6", facts).outcome is outcome
    assert broken(facts) <= {"C6"}


def test_a_drawdown_below_zero_is_broken() -> None:
    assert "C6" in broken(changed(recorded(), BotSample, 0, drawdown_pct="-0.1", daily_loss_pct="-0.1"))


def test_the_peak_is_the_furthest_off() -> None:
    assert verdict_of("C6", recorded()).peak == 0
    assert verdict_of("C6", changed(recorded(), BotSample, 0, daily_loss_pct="0.005")).peak == Decimal("0.003")


# C14


@pytest.mark.parametrize("side", ["best_bid_size", "best_ask_size"])
@pytest.mark.parametrize(
    ("rows", "empty", "outcome"), [(100, 0, HELD), (100, 1, HELD), (99, 1, BROKEN), (100, 2, BROKEN), (1, 1, BROKEN)]
)
def test_one_row_in_a_hundred_may_have_an_empty_side(side: str, rows: int, empty: int, outcome: Outcome) -> None:
    verdict = verdict_of("C14", many(rows, empty, **{side: "0"}))
    assert (verdict.outcome, verdict.peak) == (outcome, Decimal(empty) / rows)


def test_the_smallest_size_is_one_and_a_negative_is_none() -> None:
    assert "C14" in held(every_row(recorded(), best_bid_size="0.00000001"))
    assert "C14" in broken(every_row(recorded(), best_bid_size="-1"))
    assert "13 of 13 rows have one" in verdict_of("C14", every_row(recorded(), best_ask_size="0E+2")).reason


def test_good_rows_written_again_do_not_dilute_the_empty_ones() -> None:
    facts = many(50, 1, best_bid_size="0")
    good = of(facts, BotSample)[1]
    assert "C14" in broken(more(facts, *[good] * 60))


# C15

CONSTANT = {
    "exchange": "Bitget_Perpetual",
    "trading_pair": "ETH-USDT",
    "bot_variant": "d",
    "profile_sha256": "0" * 64,
    "run_id": "r0",
}


@pytest.mark.parametrize("column", CONSTANT)
def test_one_other_text_inside_the_window_is_broken(column: str) -> None:
    facts = changed(recorded(), BotSample, 4, **{column: CONSTANT[column]})
    assert broken(facts) == {"C15"}
    assert f"says {column} {CONSTANT[column]}" in verdict_of("C15", facts).reason


@pytest.mark.parametrize("column", CONSTANT)
def test_rows_that_agree_on_another_run_are_broken(column: str) -> None:
    assert "C15" in broken(every_row(recorded(), **{column: CONSTANT[column]}))


@pytest.mark.parametrize(("end", "outside_us"), [(0, -1), (-1, 1)])
def test_rows_outside_the_window_are_no_part_of_it(end: int, outside_us: int) -> None:
    facts = recorded()
    window = of(facts, WindowOpened)[0]
    edge_us = window.start_us if end == 0 else window.end_us
    inside = changed(facts, BotSample, end, run_id="r0", ts=utc(edge_us))
    outside = changed(facts, BotSample, end, run_id="r0", ts=utc(edge_us + outside_us))
    assert ("C15" in broken(inside), "C15" in broken(outside)) == (True, False)
    assert verdict_of("C15", outside).exercise == 12


def test_without_start_or_window_it_is_not_shown() -> None:
    told = {
        RunStarted: "the start of the run or of its window is not on the tape",
        WindowOpened: "the window is not on the tape",
    }
    for kind, reason in told.items():
        facts = without(recorded(), lambda fact, kind=kind: isinstance(fact, kind))  # type: ignore[misc]
        assert verdict_of("C15", facts).reason == reason


# C16


def test_the_required_columns_are_the_first_ones_of_the_file() -> None:
    assert MINUTE[: len(REQUIRED)] == REQUIRED
    assert len(REQUIRED) == 33


@pytest.mark.parametrize("column", REQUIRED)
def test_no_required_column_may_be_missing_even_where_no_row_has_it(column: str) -> None:
    def cut(fact: Fact) -> Fact:
        if not isinstance(fact, BotSample):
            return fact
        return replace(fact, row={name: text for name, text in fact.row.items() if name != column})

    verdict = verdict_of("C16", map(cut, recorded()))
    assert (verdict.outcome, f"has no column {column}" in verdict.reason) == (BROKEN, True)


def test_a_column_more_is_broken_in_one_row_and_none_in_all() -> None:
    facts = recorded()
    assert broken(changed(facts, BotSample, 4, extra="1")) == {"C16"}
    assert "C16" in held(every_row(facts, extra="1"))
    reason = verdict_of("C16", changed(facts, BotSample, 4, extra="1")).reason
    assert "has 47 columns, the first row 46: they differ in extra" in reason


def test_a_column_less_is_broken() -> None:
    assert "C16" in broken(changed(recorded(), BotSample, 4, funding_rate=None))


def test_the_same_columns_in_another_order_are_broken() -> None:
    facts = recorded()
    row = of(facts, BotSample)[4]
    turned = {name: row.row[name] for name in reversed(list(row.row))}
    facts = retape(replace(row, row=turned) if fact is row else fact for fact in facts)
    assert "they stand in another order" in verdict_of("C16", facts).reason


def test_an_empty_cell_is_a_field_like_any_other() -> None:
    assert "C16" in held(changed(recorded(), BotSample, 4, soft_pause_edge=""))


def test_rows_of_fills_have_the_columns_of_one_another() -> None:
    facts = recorded()
    assert "C16" in broken(changed(facts, BotFill, 1, regime="up"))
    assert "C16" in broken(changed(facts, BotFill, 0, side=None))
    assert "C16" in held(without(facts, lambda fact: isinstance(fact, BotFill)))


# cells

NUMBERS = {
    "market_spread_pct": "C5",
    "market_spread_bps": "C5",
    "daily_loss_pct": "C6",
    "drawdown_pct": "C6",
    "best_bid_size": "C14",
    "best_ask_size": "C14",
}


@pytest.mark.parametrize("text", ["", "n/a", "1,0", "nan", "inf", "8%", 1, ["1"]])
def test_a_cell_without_its_number_holds_nothing(text: object) -> None:
    for column, identity in NUMBERS.items():
        told = changed(recorded(), BotSample, 0, **{column: text})
        assert found(told, BROKEN if text else NOT_SHOWN) == {identity}, column
        assert found(told, HELD) == OURS - {identity}


def test_a_missing_number_is_not_shown_and_breaks_the_width() -> None:
    for column, identity in NUMBERS.items():
        told = changed(recorded(), BotSample, 0, **{column: None})
        assert found(told, NOT_SHOWN) == {identity}, column
        assert found(told, BROKEN) == {"C16"}


@pytest.mark.parametrize("column", [*CONSTANT, "ts"])
def test_a_missing_constant_is_not_shown(column: str) -> None:
    assert verdict_of("C15", changed(recorded(), BotSample, 0, **{column: ""})).outcome is NOT_SHOWN
    assert verdict_of("C15", changed(recorded(), BotSample, 0, **{column: None})).outcome is NOT_SHOWN
    assert verdict_of("C15", changed(recorded(), BotSample, 0, **{column: 7})).outcome is BROKEN


def test_no_row_taken_from_the_tape_improves_a_verdict() -> None:
    facts = changed(recorded(), BotSample, 4, market_spread_bps="1", daily_loss_pct="1", extra="1", run_id="r0")
    for gone in of(facts, BotSample):
        assert not OURS & held([fact for fact in facts if fact is not gone])
