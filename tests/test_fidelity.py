"""docs/fidelity.md against the data: its recorded figures come out again, and what is drawn lies within its bounds."""

import importlib.util
import os
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]
DATA = Path(os.environ.get("BOTPROOF_DATA", "")) / "market"
ROW = re.compile(r"\| ([^|]+) \| ([-0-9.e+]+) \| ([-0-9.e+]+) \| (x|\+-) ([0-9.]+) \|")
MONTHS = 2


def _calibrate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("calibrate", ROOT / "scripts" / "calibrate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CALIBRATE = _calibrate()
STATED = {
    name: (float(recorded), kind, float(bound))
    for name, recorded, _, kind, bound in ROW.findall((ROOT / "docs" / "fidelity.md").read_text("utf-8"))
}


@pytest.fixture(scope="module")
def measured() -> dict[str, tuple[float, float]]:
    if not os.environ.get("BOTPROOF_DATA") or not DATA.is_dir():
        pytest.skip("BOTPROOF_DATA names no folder with a market folder in it: the recorded figures cannot be measured")
    return {name: (recorded, drawn) for name, recorded, drawn in CALIBRATE.compare(DATA, MONTHS)}


def fits(recorded: float, drawn: float, kind: str, bound: float) -> bool:
    if kind == "x":
        return recorded * drawn > 0 and 1 / bound <= drawn / recorded <= bound
    return abs(drawn - recorded) <= bound


def test_page_states_a_bound_for_every_figure(measured: dict[str, tuple[float, float]]) -> None:
    assert list(STATED) == list(measured)


@pytest.mark.parametrize("figure", STATED)
def test_recorded_figure_is_as_the_page_states_it(figure: str, measured: dict[str, tuple[float, float]]) -> None:
    assert f"{measured[figure][0]:.4g}" == f"{STATED[figure][0]:.4g}"


@pytest.mark.parametrize("figure", STATED)
def test_drawn_figure_fits_the_recorded_one(figure: str, measured: dict[str, tuple[float, float]]) -> None:
    recorded, drawn = measured[figure]
    assert fits(recorded, drawn, *STATED[figure][1:]), f"recorded {recorded:.4g}, drawn {drawn:.4g}"


def test_bound_is_missed_by_what_lies_beyond_it() -> None:
    assert fits(10, 13, "x", 1.3)
    assert fits(10, 10 / 1.3, "x", 1.3)
    assert not fits(10, 13.1, "x", 1.3)
    assert not fits(10, -10, "x", 1.3)
    assert fits(10, 12, "+-", 2)
    assert not fits(10, 7.9, "+-", 2)


def test_kurtosis_and_echo_know_simple_series() -> None:
    assert CALIBRATE.kurtosis([-1, 1, -1, 1]) == 1
    assert CALIBRATE.echo([1, -1, 1, -1, 1, -1], 1) == pytest.approx(-1)
    assert CALIBRATE.echo([1, -1, 1, -1, 1, -1], 2) == pytest.approx(1)


def test_trades_part_where_nobody_traded_for_more_than_a_minute() -> None:
    trades = [CALIBRATE.Trade(at_ms, "buy", 1, 1) for at_ms in (0, 60_000, 120_001, 120_002)]
    assert [len(stretch) for stretch in CALIBRATE.stretches_of(trades)] == [2, 2]


def test_orders_of_takers_are_the_records_of_one_instant_and_side() -> None:
    trades = [CALIBRATE.Trade(at_ms, side, 1, 2) for at_ms, side in ((1, "buy"), (1, "buy"), (1, "sell"), (2, "sell"))]
    assert [size for size, _ in CALIBRATE.recorded_orders(trades)] == [4, 2, 2]
