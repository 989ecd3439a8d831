"""The net position of a bot's own fills, with its entry price and its age."""

from decimal import Decimal

import pytest

from botproof.events import Side
from botproof.invariants.holding import Holding
from botproof.invariants.ledger import Life, Move, Step


def held(*fills: tuple[str, int], anew: bool = False) -> tuple[Holding, list[bool]]:
    """A holding after fills (signed size, price), one a microsecond from 10 on; and which of them opened a position."""
    holding = Holding()
    opened = []
    for place, (change, price) in enumerate(fills):
        step = Step(10 + place, 100 + place, Move.FILL, Life("x"), abs(Decimal(change)), Decimal(change))
        opened.append(holding.add(step, Decimal(price), anew=anew and place == len(fills) - 1))
    return holding, opened


@pytest.mark.parametrize(
    ("fills", "size", "entry", "opened_us", "opened"),
    [
        ([("2", 100)], "2", "100", 10, [True]),
        ([("2", 100), ("1", 106)], "3", "102", 10, [True, False]),
        ([("1", 100), ("2", 106)], "3", "104", 10, [True, False]),
        ([("2", 100), ("-1", 106)], "1", "100", 10, [True, False]),
        ([("2", 100), ("-2", 106)], "0", "100", 10, [True, False]),
        ([("2", 100), ("-3", 106)], "-1", "106", 11, [True, True]),
        ([("-2", 100), ("-1", 106)], "-3", "102", 10, [True, False]),
        ([("-2", 100), ("3", 106)], "1", "106", 11, [True, True]),
        ([("2", 100), ("-2", 106), ("1", 90)], "1", "90", 12, [True, False, True]),
    ],
)
def test_a_position_is_opened_added_to_reduced_and_turned(
    fills: list[tuple[str, int]], size: str, entry: str, opened_us: int, opened: list[bool]
) -> None:
    holding, told = held(*fills)
    assert (holding.size, holding.entry) == (Decimal(size), Decimal(entry))
    assert (holding.opened_us, holding.opened_seq) == (opened_us, opened_us + 90)
    assert told == opened


def test_what_is_added_to_dust_opens_a_position_anew_at_the_price_of_both() -> None:
    holding, opened = held(("1", 100), ("3", 104), anew=True)
    assert (holding.size, holding.entry, holding.opened_us, opened) == (4, 103, 11, [True, True])


@pytest.mark.parametrize(("change", "side"), [("1", Side.SELL), ("-1", Side.BUY)])
def test_a_long_is_closed_by_a_sell_and_a_short_by_a_buy(change: str, side: Side) -> None:
    assert held((change, 100))[0].closing_side is side


@pytest.mark.parametrize(("change", "left"), [("2", "0.5"), ("-2", "-0.5")])
def test_what_somebody_cut_keeps_its_side_and_its_entry(change: str, left: str) -> None:
    holding, _ = held((change, 100))
    holding.cut(Decimal("0.5"))
    assert (holding.size, holding.entry) == (Decimal(left), 100)


@pytest.mark.parametrize(("change", "stop"), [("1", "99.5"), ("-1", "100.5")])
def test_the_stop_of_a_long_is_below_its_entry_and_of_a_short_above(change: str, stop: str) -> None:
    assert held((change, 100))[0].stop_price(Decimal("0.005")) == Decimal(stop)


def test_nothing_is_held_at_first() -> None:
    assert Holding() == Holding(Decimal(0), Decimal(0), 0, 0)
