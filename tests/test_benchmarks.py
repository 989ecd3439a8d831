"""The bench: what it counts as a figure, what it refuses, and what it leaves behind."""

import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from benchmarks import MICRO_CAP, NO_TRADE, chart, command, layers, load, report, sessions
from benchmarks.child import Measured, measured
from benchmarks.engine import Engine
from benchmarks.figures import Bench, Figure, dominating, figures, hours
from benchmarks.load import BENCH_PROFILE, BENCH_TERMS, Cost, Load, demand
from benchmarks.sessions import Collections, Spent
from benchmarks.units import Units
from botproof.errors import HarnessError, Refusal
from botproof.profile import Profile, find_profile
from botproof.terms import Terms, find_terms

HOUR_S = 3_600
COUNTS = {
    "requests": 6_000,
    "public frames": 10_000,
    "private frames": 3_000,
    "orders": 400,
    "cancels": 380,
    "entries filled": 10,
    "fills": 20,
    "facts": 16_000,
    "entries": 390,
}
PHASES = {"opening": 0.1, "window": 4.0, "books, judging, sealing": 0.8, "picture": 0.1}
FIGURE = Figure(name="a run", value=9.0, unit="s", target=10.0, at_most=True)


def a_run(role: str, hours_long: int, cpu_s: float, peak_mib: float = 100.0) -> Measured:
    phases = {phase: part * cpu_s / 5 for phase, part in PHASES.items()}
    return Measured(
        role=role,
        window_s=hours_long * HOUR_S,
        cpu_s=cpu_s,
        wall_s=cpu_s * 2,
        peak_mib=peak_mib,
        start_mib=50.0,
        phases_cpu_s=phases,
        phases_peak_mib=dict.fromkeys(phases, peak_mib),
        counts=COUNTS,
        verdicts={"HELD": 32},
        layers={"loop": 0.4, "httpx": 0.3, "judge": 0.2, "bot": 0.06, "tape": 0.04},
    )


def a_bench() -> Bench:
    """One round, in which everything is exactly on its target but for the factor of the micro-cap run."""
    return Bench(
        units=[Units(virtual_sleep_us=8.0, direct_call_us=100.0)],
        engines=[Engine(advance=1e6, looking=5e5, drawing=4e5, quoting=1e5, events=86_400, orders=1_920, fills=3)],
        collections=[Collections(Spent(0.3, 0.4), Spent(0.705, 1.0), Spent(1.0, 2.0), files=35, scenarios=87)],
        first_verdicts=[Spent(2.5, 4.0), Spent(2.0, 3.0)],
        scenarios={MICRO_CAP: [Spent(0.3, 1), Spent(0.1, 1), Spent(0.05, 1)], NO_TRADE: [Spent(0.1, 0.2)]},
        runs=[
            a_run(NO_TRADE, 6, 1.08),
            a_run(NO_TRADE, 24, 4.32, peak_mib=200.0),
            a_run(MICRO_CAP, 6, 2.0),
            a_run(MICRO_CAP, 24, 8.65),
            a_run(MICRO_CAP, 24, 8.8),
        ],
        scenario_layers={MICRO_CAP: {"pytest, allure": 0.75, "loop": 0.25}},
        profiles={MICRO_CAP: a_run(MICRO_CAP, 1, 1.0)},
    )


# Figures


def test_a_figure_on_its_target_has_reached_it() -> None:
    assert replace(FIGURE, value=10.0).is_reached
    assert not replace(FIGURE, value=10.01).is_reached
    assert replace(FIGURE, value=10.0, at_most=False).is_reached
    assert not replace(FIGURE, value=9.99, at_most=False).is_reached


def test_every_target_has_its_figure() -> None:
    found = {figure.name: figure for figure in figures(a_bench(), day_s=24 * HOUR_S)}
    assert {name: (round(figure.value, 3), figure.is_reached) for name, figure in found.items()} == {
        "no-trade, 24 h": (20_000.0, True),
        "micro-cap, 24 h": (round(86_400 / 8.65, 3), False),
        "no-trade, from 6 h to 24 h": (1.0, True),
        "micro-cap, from 6 h to 24 h": (1.081, True),
        "peak memory of all these runs": (200.0, True),
        "engine, one account, two resting orders": (1_000_000.0, True),
        "a micro-cap scenario of 15 min, judged and reported": (100.0, True),
        "a no-trade scenario of 15 min, judged and reported": (100.0, True),
        "collection of features/": (0.705, True),
        "first verdict of pytest features/": (2.0, True),
    }


def test_a_factor_stands_beside_what_happened_in_it() -> None:
    factor = figures(a_bench(), day_s=24 * HOUR_S)[0]
    assert "6,000 requests, 13,000 frames, 400 orders, 380 cancels, 20 fills, 16,000 facts" in factor.beside
    assert any("virtual sleeps for 10 simulated seconds" in line for line in factor.beside)


def test_what_dominates_is_the_heaviest_layers() -> None:
    assert dominating(a_run(MICRO_CAP, 1, 1.0).layers) == "loop 40%, httpx 30%, judge 20%, bot 6%"
    assert dominating({}) == ""


def test_a_length_is_told_in_hours_or_minutes() -> None:
    assert [hours(s) for s in (6 * HOUR_S, 900, 450)] == ["6 h", "15 min", "7.5 min"]


# Refusals


COST = Cost(cpu_s=1.0, wall_s=1.0, phases_cpu_s={}, phases_peak_mib={}, counts=COUNTS, verdicts={})


def test_a_run_that_was_not_what_it_claims_to_be_is_refused() -> None:
    demand(COST, Load(role=MICRO_CAP, window_s=6 * HOUR_S))
    with pytest.raises(Refusal, match="micro_cap, 6 h is refused: the run is not whole"):
        demand(replace(COST, refusals=["the run is not whole"]), Load(role=MICRO_CAP, window_s=6 * HOUR_S))


def test_a_day_needs_1500_entries_and_part_of_it_three_quarters_in_proportion() -> None:
    needed = [Load(role=MICRO_CAP, window_s=length * HOUR_S).entries_min for length in (1, 6, 12, 24, 48)]
    assert needed == [1, 281, 562, 1_500, 3_000]


def test_a_bot_that_does_not_trade_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "BENCH_PROFILE", find_profile("epp_v2_4_bot1_bitget_live_microcap"))
    with pytest.raises(Exception, match="INFEASIBLE"):
        load.carry(Load(role=MICRO_CAP, window_s=60))


def test_too_few_entries_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "SAMPLE_S", 60)
    monkeypatch.setattr(load, "ENTRIES_A_DAY", 86_400 * 2)
    cost = load.carry(Load(role=MICRO_CAP, window_s=120))
    assert cost.refusals == ["the bot placed 4 entries; at least 180 are asked for"]


def test_a_bot_whose_quotes_never_fill_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "SAMPLE_S", 60)
    cost = load.carry(Load(role=MICRO_CAP, window_s=120))
    assert cost.refusals == ["no entry was filled: the bot did not trade"]


# Loads


def test_the_bench_profile_is_the_20_usdt_profile_with_its_turnover_cap_lifted() -> None:
    ordinary = Profile.load(find_profile("epp_v2_4_bot1u20_bitget_live_microcap")).source.decode()
    kept = [line for line in ordinary.splitlines() if line and not line.startswith(("#", "id:", "turnover_cap_x:"))]
    bench = Profile.load(BENCH_PROFILE)
    assert [line for line in kept if line not in bench.source.decode().splitlines()] == []
    assert bench.turnover_cap_x == 1_000_000


def test_the_bench_terms_are_those_of_day_15_with_turnover_and_loss_lifted() -> None:
    def settings(terms: Terms) -> list[str]:
        return [line for line in terms.source.decode().splitlines() if line and not line.startswith("#")]

    bench = settings(Terms.load(BENCH_TERMS))
    assert [line for line in settings(Terms.load(find_terms("day15"))) if line not in bench] == [
        "id: day15",
        "  turnover_hard_x: 6.0",
        "  loss_limit_fraction: 0.03",
    ]


def test_a_run_goes_through_both_faces_the_observer_and_the_judge() -> None:
    cost = load.carry(Load(role=NO_TRADE, window_s=60))
    assert list(cost.phases_cpu_s) == ["opening", "window", "books, judging, sealing", "picture"]
    assert min(cost.counts[what] for what in ("requests", "public frames", "private frames", "facts")) > 0
    assert sum(cost.verdicts.values()) == 35
    assert cost.refusals == []


def test_a_child_measures_its_own_memory_and_profile() -> None:
    told = measured(MICRO_CAP, 60, "--profile")
    assert 10 < told.start_mib <= told.peak_mib
    assert told.factor > 0
    assert sum(told.layers.values()) == pytest.approx(1)
    assert {"loop", "httpx", "signing", "bot", "tape"} <= told.layers.keys()


def test_a_child_that_falls_is_an_error_and_no_figure() -> None:
    with pytest.raises(HarnessError):
        measured("nobody", 60)


# Layers


@pytest.mark.parametrize(
    ("file", "layer"),
    [
        ("/x/site-packages/httpx/_client.py", "httpx"),
        ("/x/botproof/venue/signing.py", "signing"),
        ("/x/botproof/venue/tap.py", "tap"),
        ("/x/botproof/venue/rest.py", "client"),
        ("/x/site-packages/websockets/asyncio/connection.py", "websockets, uvicorn"),
        ("/usr/lib/python3.11/asyncio/events.py", "loop"),
        ("/x/fakes/bitget/core/exchange.py", "exchange"),
        ("/x/fakes/bitget/pump.py", "fake's faces"),
        ("/x/botproof/invariants/exits.py", "judge"),
        ("/usr/lib/python3.11/enum.py", "other"),
    ],
)
def test_a_file_belongs_to_its_layer(file: str, layer: str) -> None:
    assert layers.layer_of(file) == layer


def test_what_is_written_in_c_is_booked_to_who_called_it() -> None:
    mine, other, digest = ("a.py", 1, "f"), ("b.py", 1, "g"), ("~", 0, "<built-in digest>")
    stats = {
        mine: (1, 1, 2.0, 5.0, {}),
        other: (1, 1, 1.0, 2.0, {}),
        digest: (2, 2, 4.0, 4.0, {mine: (1, 1, 3.0, 3.0), other: (1, 1, 0.5, 0.5)}),
    }
    assert list(layers.own_times(stats)) == [(mine, 2.0), (other, 1.0), (mine, 3.0), (other, 0.5), (digest, 0.5)]


# Sessions


def test_the_first_take_of_each_scenario_is_left_out() -> None:
    told = {"a_microcap_take[1]": (9.0, 9.0), "a_microcap_take[2]": (1.0, 1.5), "a_notrade_take[1]": (8.0, 8.0)}
    assert sessions.by_kind(told) == {MICRO_CAP: [Spent(1.0, 1.5)], NO_TRADE: []}


def test_a_command_that_fails_is_told_and_is_no_figure(tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match="pytest --no-such-option ended with 4"):
        sessions.timed(("--no-such-option",), cwd=tmp_path)


# The command


def bench_command(monkeypatch: pytest.MonkeyPatch, found: Bench | Exception, *arguments: str) -> Result:
    def measured_before(_: object) -> Bench:
        if isinstance(found, Exception):
            raise found
        return found

    monkeypatch.setattr(command, "measure", measured_before)
    return CliRunner().invoke(command.main, arguments)


def test_a_missed_target_is_a_result_and_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = bench_command(monkeypatch, a_bench(), "--reports", str(tmp_path), "--profile")
    assert result.exit_code == 0
    assert "**no**" in result.output
    assert "units: a virtual sleep 8.0 us, a direct call 100 us" in result.output
    assert " 30.0%  httpx" in result.output
    assert (tmp_path / "latest.json").is_file()


def test_a_refused_measurement_ends_with_1_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = bench_command(monkeypatch, Refusal("no entry was filled"), "--reports", str(tmp_path))
    assert result.exit_code == 1
    assert result.output == "bench: no entry was filled\n"
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_refused_before_anything_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    result = bench_command(monkeypatch, a_bench(), "--reports", str(tmp_path / "file"))
    assert result.exit_code == 1
    assert result.output.startswith("bench: expected a folder that can be written, found ")


# Reports


def test_the_table_marks_what_is_missed() -> None:
    rows = report.table([FIGURE, replace(FIGURE, name="another", value=12_345.6)]).splitlines()
    assert [" ".join(row.split()) for row in rows[2:]] == [
        "| a run | 9.00 s | at most 10.00 | yes | |",
        "| another | 12,346 s | at most 10.00 | **no** | |",
    ]
    assert len({len(row) for row in rows}) == 1


def test_everything_is_left_behind_as_json_and_a_picture(tmp_path: Path) -> None:
    bench = a_bench()
    found = figures(bench, day_s=24 * HOUR_S)
    file = report.write(bench, found, tmp_path, is_short=False)
    told = json.loads(file.read_bytes())
    assert told == json.loads((tmp_path / "latest.json").read_bytes())
    assert [figure["reached"] for figure in told["figures"]] == [figure.is_reached for figure in found]
    assert len(told["runs"]) == len(bench.runs)
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".svg"}


def test_a_short_bench_leaves_the_latest_alone(tmp_path: Path) -> None:
    file = report.write(a_bench(), [FIGURE], tmp_path, is_short=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == [file.name, file.with_suffix(".svg").name]


def test_the_picture_has_a_line_and_a_mark_for_each_length() -> None:
    costs = {NO_TRADE: {6 * HOUR_S: 1.0, 48 * HOUR_S: 8.0}, MICRO_CAP: {6 * HOUR_S: 2.0, 48 * HOUR_S: 20.0}}
    picture = chart.draw(costs)
    assert picture == chart.draw(costs)
    texts = [element.text for element in ET.fromstring(picture).iter("{http://www.w3.org/2000/svg}text")]
    assert {"no-trade", "micro-cap", "6 h", "48 h", "21,600 x real time", "8,640 x real time"} <= set(texts)
    assert "prefers-color-scheme: dark" in picture
