"""The UTC day: when one ends, and what the account had done on it before the run began."""

from dataclasses import replace
from decimal import Decimal

import pytest
from streams import micro_cap_run

from botproof.events import EarlierToday, RunStarted, Source
from botproof.invariants.day import DAY_US, Earlier, utc_day

TOLD = EarlierToday(
    src=Source.VENUE,
    t_local_us=5,
    symbol="BTCUSDT",
    fills=3,
    traded_usdt=Decimal("20.25"),
    result_usdt=Decimal("-0.01"),
)


def started(at_us: int) -> RunStarted:
    begun = micro_cap_run(trades=False)[0]
    assert isinstance(begun, RunStarted)
    return replace(begun, t_local_us=at_us)


def earlier(*facts: RunStarted | EarlierToday) -> Earlier:
    told = Earlier("BTCUSDT")
    for fact in facts:
        told.see(fact)
    return told


def both(told: Earlier, day: int) -> tuple[Decimal | None, Decimal | None]:
    return told.traded_usdt(day), told.result_usdt(day)


@pytest.mark.parametrize(("at_us", "day"), [(0, 0), (DAY_US - 1, 0), (DAY_US, 1), (2 * DAY_US + 1, 2)])
def test_a_day_begins_at_midnight(at_us: int, day: int) -> None:
    assert utc_day(at_us) == day
    assert DAY_US == 24 * 60 * 60 * 1_000_000


def test_what_was_done_earlier_counts_on_the_day_of_the_start_and_on_no_later_one() -> None:
    told = earlier(started(DAY_US), TOLD)
    assert both(told, 1) == (Decimal("20.25"), Decimal("-0.01"))
    assert both(told, 2) == (0, 0)


def test_a_day_before_the_start_is_taken_for_it() -> None:
    assert both(earlier(started(DAY_US), TOLD), 0) == (Decimal("20.25"), Decimal("-0.01"))


def test_the_run_starts_once() -> None:
    assert both(earlier(started(DAY_US), started(0), TOLD), 1) == (Decimal("20.25"), Decimal("-0.01"))
    assert both(earlier(started(0), started(DAY_US), TOLD), 1) == (0, 0)


def test_without_the_start_or_the_reading_nobody_knows_it() -> None:
    assert both(earlier(TOLD), 0) == (None, None)
    assert both(earlier(started(0)), 0) == (None, None)
    assert both(earlier(started(0)), 1) == (0, 0)


@pytest.mark.parametrize("other", [{"fills": 4}, {"traded_usdt": Decimal(21)}, {"result_usdt": Decimal(0)}])
def test_two_readings_that_differ_leave_it_unknown(other: dict[str, object]) -> None:
    spoilt = replace(TOLD, **other)  # type: ignore[arg-type]
    assert both(earlier(started(0), TOLD, spoilt), 0) == (None, None)
    assert both(earlier(started(0), TOLD, spoilt, TOLD), 0) == (None, None)
    assert both(earlier(started(0), TOLD, spoilt), 1) == (0, 0)


def test_the_same_reading_again_and_one_of_another_symbol_change_nothing() -> None:
    again = replace(TOLD, t_local_us=9)
    foreign = replace(TOLD, symbol="ETHUSDT", fills=9)
    for facts in ((TOLD, again, foreign), (foreign, TOLD)):
        assert both(earlier(started(0), *facts), 0) == (Decimal("20.25"), Decimal("-0.01"))
    assert both(earlier(started(0), foreign), 0) == (None, None)
