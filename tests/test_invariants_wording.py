"""Amounts and instants in the words of an operator."""

from dataclasses import replace
from decimal import Decimal

import pytest
from streams import micro_cap_run

from botproof.events import Fact
from botproof.invariants.wording import clock_time, instant_us, seconds, to_us, usdt


@pytest.mark.parametrize(
    ("at_us", "text"),
    [
        (0, "00:00:00.000 UTC"),
        (999, "00:00:00.000 UTC"),
        (3_800_114_000, "01:03:20.114 UTC"),
        (86_399_999_999, "23:59:59.999 UTC"),
        (86_400_000_000, "00:00:00.000 UTC"),
        (1_771_722_000_000_000, "01:00:00.000 UTC"),
    ],
)
def test_a_time_of_day_is_cut_to_the_millisecond_and_never_rounded_up(at_us: int, text: str) -> None:
    assert clock_time(at_us) == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [("20", "20.00"), ("20.5", "20.50"), ("20.0001", "20.0001"), ("-0.1", "-0.10"), ("1E+2", "100.00"), ("0", "0.00")],
)
def test_an_amount_has_its_cents_and_all_its_digits(amount: str, text: str) -> None:
    assert usdt(Decimal(amount)) == text


@pytest.mark.parametrize(
    ("duration_us", "text"),
    [(0, "0"), (999, "0"), (5_001_000, "5.001"), (5_001_999, "5.001"), (60_000_000, "60")],
)
def test_a_duration_is_cut_to_the_millisecond(duration_us: int, text: str) -> None:
    assert seconds(duration_us) == text


@pytest.mark.parametrize(("duration_s", "us"), [(5, 5_000_000), (Decimal("0.0000019"), 1), (0, 0)])
def test_seconds_are_whole_microseconds(duration_s: Decimal | int, us: int) -> None:
    assert to_us(duration_s) == us


def told(t_venue_us: int | None, t_local_us: int) -> Fact:
    return replace(micro_cap_run()[0], t_venue_us=t_venue_us, t_local_us=t_local_us)


def test_it_happened_when_the_venue_says_but_never_after_it_was_known() -> None:
    assert instant_us(told(None, 7)) == 7
    assert instant_us(told(5, 7)) == 5
    assert instant_us(told(9, 7)) == 7
    assert instant_us(told(0, 7)) == 0
