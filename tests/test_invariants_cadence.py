"""Whether minute.csv has its rows."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from decimal import Decimal

import pytest
from streams import MICRO_CAP, TERMS, judge, micro_cap_run, retape, without
from streams_rows import of, recorded, utc

from botproof.events import BotSample, Fact, Source, WindowOpened
from botproof.invariants.cadence import Cadence
from botproof.invariants.verdict import Outcome
from botproof.terms import Terms

ON_ROWS = {"C2", "C3", "C4", "C5", "C6", "C7", "C13", "C14", "C15", "C16"}
START_US = 1_771_722_000_000_000
MINUTES = range(16)  # of a window of fifteen, its end included


def doubt(rows_s: Iterable[object], minutes: int = 15, terms: Terms = TERMS) -> str:
    """What is said of rows at these seconds of a window."""
    cadence = Cadence(terms)
    end_us = START_US + minutes * 60_000_000
    cadence.see(WindowOpened(src=Source.RUN, t_local_us=START_US, start_us=START_US, end_us=end_us))
    for at_s in rows_s:
        at_us = START_US + int(Decimal(str(at_s)) * 1_000_000)
        cadence.see(BotSample(src=Source.BOT, t_local_us=at_us, row={"ts": utc(at_us)}))
    return cadence.doubt()


def all_but(*gone: int) -> list[int]:
    return [60 * minute for minute in MINUTES if minute not in gone]


def without_rows(facts: Sequence[Fact], is_gone: Callable[[int], bool]) -> list[Fact]:
    gone = [sample for place, sample in enumerate(of(facts, BotSample)) if is_gone(place)]
    return without(facts, lambda fact: fact in gone)


@pytest.mark.parametrize("gone", [(), (0,), (7,), (14,), (15,)])
def test_a_row_a_minute_is_enough_and_one_may_be_missing(gone: tuple[int, ...]) -> None:
    assert doubt(all_but(*gone)) == ""


@pytest.mark.parametrize("gone", [(3, 9), (0, 5), (5, 6)])
def test_two_rows_of_fifteen_may_not_be_missing(gone: tuple[int, ...]) -> None:
    assert doubt(all_but(*gone)) == "minute.csv has rows in 13 of 15 minutes of the window, 0.95 is the least"


@pytest.mark.parametrize(("gone", "enough"), [((10, 20, 30), True), ((10, 20, 30, 40), False)])
def test_of_a_long_window_the_share_of_the_terms_may_be_missing(gone: tuple[int, ...], enough: bool) -> None:
    assert (doubt([60 * m for m in range(61) if m not in gone], minutes=60) == "") is enough


@pytest.mark.parametrize(("back_s", "said"), [("480.999999", ""), ("481", "121"), ("500", "140")])
def test_a_hole_is_no_longer_than_the_terms_allow(back_s: str, said: str) -> None:
    rows = [*range(0, 361, 60), Decimal(back_s), *range(540, 901, 60)]
    text = f"minute.csv is without a row for {said} s inside the window, 120 s is the most"
    assert doubt(rows) == (text if said else "")


@pytest.mark.parametrize(("first_s", "enough"), [("90.9", True), ("91", False)])
def test_the_first_row_is_near_the_opening(first_s: str, enough: bool) -> None:
    text = "minute.csv is without a row for 91 s at the start of the window, 90 s is the most"
    assert doubt([Decimal(first_s), *all_but(0, 1)]) == ("" if enough else text)


@pytest.mark.parametrize(("last_s", "enough"), [("810", True), ("809", False)])
def test_the_last_row_is_near_the_close(last_s: str, enough: bool) -> None:
    text = "minute.csv is without a row for 91 s at the end of the window, 90 s is the most"
    assert doubt([*all_but(13, 14, 15), Decimal(last_s)]) == ("" if enough else text)


def test_rows_outside_the_window_and_rows_told_twice_cover_nothing() -> None:
    assert doubt([-60, 960]) == "minute.csv has no row in the window"
    assert "2 of 15 minutes" in doubt([60, 120] * 10)


def test_without_a_row_or_a_window_there_is_a_doubt() -> None:
    assert doubt([], minutes=1) == "minute.csv has no row in the window"
    assert Cadence(TERMS).doubt() == "the window is not on the tape"


def test_the_thresholds_are_the_terms() -> None:
    assert doubt(all_but(3, 9), terms=replace(TERMS, coverage_min=Decimal("0.8"))) == ""
    assert "60 s is the most" in doubt(all_but(3), terms=replace(TERMS, gap_s_max=60))


def test_a_row_without_a_readable_time_covers_nothing() -> None:
    cadence = Cadence(TERMS)
    cadence.see(WindowOpened(src=Source.RUN, t_local_us=0, start_us=0, end_us=60_000_000))
    cadence.see(BotSample(src=Source.BOT, t_local_us=1, row={"ts": "noon"}))
    assert cadence.doubt() == "minute.csv has no row in the window"


def outcomes(facts: Iterable[Fact]) -> dict[str, Outcome]:
    return {v.id: v.outcome for v in judge(facts, MICRO_CAP, TERMS) if v.id in ON_ROWS}


@pytest.mark.parametrize(
    ("is_gone", "outcome"),
    [
        (lambda place: place == 9, Outcome.HELD),
        (lambda place: place in (9, 12), Outcome.NOT_SHOWN),
        (lambda place: place > 2, Outcome.NOT_SHOWN),
    ],
)
def test_nothing_that_minute_csv_says_is_held_where_it_has_too_few_rows(
    is_gone: Callable[[int], bool], outcome: Outcome
) -> None:
    facts = without_rows(recorded(micro_cap_run(minutes=15), every_s=60), is_gone)
    assert outcomes(facts) == dict.fromkeys(ON_ROWS, outcome)


def test_a_window_with_too_few_rows_adds_no_exercise_to_another() -> None:
    facts = without_rows(recorded(micro_cap_run(minutes=15, trades=False), every_s=60), lambda place: place > 2)
    assert not any(v.lacks_only_exercise for v in judge(retape(facts), MICRO_CAP, TERMS) if v.id in ON_ROWS)
