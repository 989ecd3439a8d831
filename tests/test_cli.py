"""The command line as an operator meets it: exit codes, one or two lines for bad input, never a traceback."""

import contextlib
import tempfile
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from botproof import __version__
from botproof.cli import RESERVED, main
from botproof.commands.judge import judge
from botproof.profile import find_profile

LEAVES = [
    *([name] for name, command in main.commands.items() if not isinstance(command, click.Group)),
    *(["judge", name] for name in judge.commands),
]
UNJUDGED = {"fake", "inspect", "new", "venue-record"}  # which say no more than whether it could be done
ALONE = ("feasible", "new", "search")  # whose example needs nothing at hand, and comes to an end
FIVE, TWENTY = "epp_v2_4_bot1_bitget_live_microcap", "epp_v2_4_bot1u20_bitget_live_microcap"


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(main, list(arguments))
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


def refused(*arguments: str) -> str:
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert 1 <= len(result.stderr.splitlines()) <= 2
    assert "Traceback" not in result.stderr
    return result.stderr


def test_the_5_usdt_profile_is_infeasible_with_the_arithmetic_and_exit_1():
    result = run("feasible", "--profile", FIVE)
    assert (result.exit_code, result.stderr) == (1, "")
    assert result.stdout.splitlines()[0] == f"{FIVE}: INFEASIBLE at 67500 USDT"
    assert "rounded down 0.0000 < 0.0001 minimum (needs 6.73 USDT)" in result.stdout


def test_the_20_usdt_profile_is_feasible_with_exit_0():
    result = run("feasible", "--profile", TWENTY)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines()[0] == f"{TWENTY}: FEASIBLE at 67500 USDT"


def test_a_price_is_judged_as_given():
    result = run("feasible", "--profile", FIVE, "--price", "50000")
    assert result.exit_code == 1
    assert "49825" in result.stdout


@pytest.mark.parametrize(("price", "smallest"), [("67500", "14"), ("50000", "20"), ("600000", "121")])
def test_a_suggestion_is_the_smallest_honest_envelope(price, smallest):
    result = run("feasible", "--profile", FIVE, "--price", price, "--suggest")
    assert f"smallest honest envelope: {smallest} USDT" in result.stdout
    assert ("above the desk cap" in result.stdout) == (int(smallest) > 100)


def test_where_no_envelope_is_feasible_the_verdict_stands(tmp_path: Path):
    own = tmp_path / f"{TWENTY}.yml"
    own.write_text(find_profile(TWENTY).read_text().replace("buy_amounts_pct: 100", "buy_amounts_pct: 0.0001"))
    result = run("feasible", "--profile", str(own), "--suggest")
    assert (result.exit_code, result.stderr) == (1, "")
    assert "smallest honest envelope: none" in result.stdout


def test_a_profile_may_be_a_path(tmp_path: Path):
    own = tmp_path / f"{TWENTY}.yml"
    own.write_bytes(find_profile(TWENTY).read_bytes())
    assert run("feasible", "--profile", str(own)).exit_code == 0


@pytest.mark.parametrize(
    "price", ["x", "", "-1", "0", "nan", "inf", "1e400", "67,500", "0.01", "67500 USDT", "9999999999"]
)
def test_a_price_that_is_none_cannot_be_judged(price):
    assert "expected" in refused("feasible", "--profile", TWENTY, f"--price={price}")


@pytest.mark.parametrize("profile", ["", "no such", "/", "\0", "x" * 9000, "epp_v2_4_bot1_bitget_live_microcup"])
def test_a_profile_that_is_none_cannot_be_judged(profile):
    assert "expected a" in refused("feasible", f"--profile={profile}")


def test_one_violation_is_one_line_and_many_are_all_there(tmp_path: Path):
    own = tmp_path / f"{TWENTY}.yml"
    own.write_text(find_profile(TWENTY).read_text().replace("stop_loss: 0.004", "stop_loss: 0.4"))
    assert len(refused("feasible", "--profile", str(own)).splitlines()) == 1
    own.write_text(
        own.read_text().replace("leverage: 1", "leverage: 1x").replace("time_limit: 600", "time_limit: 600s")
    )
    result = run("feasible", "--profile", str(own))
    assert result.exit_code == 2
    assert [line.strip().partition(":")[0] for line in result.stderr.splitlines()[1:]] == [
        "leverage",
        "stop_loss",
        "time_limit",
    ]


@pytest.mark.parametrize(
    "arguments",
    [["feasible"], ["--bogus"], ["feasible", "--bogus"], ["feasable"], ["feasible", "--price"], ["--", "-x"]],
)
def test_a_wrong_use_is_told_in_a_line_with_what_to_do(arguments):
    assert "--help" in refused(*arguments)


def test_an_unknown_command_names_the_nearest():
    assert "nearest: feasible" in refused("feasable")


@pytest.mark.parametrize("name", RESERVED)
@pytest.mark.parametrize("rest", [[], ["--help"], ["no-trade", "--minute-csv", "x", "-h"]])
def test_a_reserved_name_says_that_it_is_not_built(name, rest):
    assert refused(name, *rest) == f"botproof: {name}: not built yet; the name is reserved\n"


def test_reserved_names_are_not_listed_as_working():
    listed = run("--help").stdout
    assert not [name for name in RESERVED if f"\n  {name} " in listed]
    assert "\n  feasible " in listed


@pytest.mark.parametrize("arguments", [[], ["--help"], ["feasible", "--help"]])
def test_help_has_an_example(arguments):
    result = run(*arguments)
    assert result.exit_code == 0
    assert "Example:" in result.stdout


@pytest.mark.parametrize("leaf", LEAVES, ids=" ".join)
def test_the_exit_codes_stand_in_the_help_line_by_line(leaf):
    lines = run(*leaf, "--help").stdout.splitlines()
    first = next(number for number, line in enumerate(lines) if "Exit codes:" in line)
    codes = [line.split()[0] for line in lines[first + 1 : first + 3] if line.strip()]
    assert codes == (["2"] if leaf[-1] in UNJUDGED else ["1", "2"])
    assert lines[first].startswith("  Exit codes: 0 ")
    assert not [line for line in lines if "\\" in line.removesuffix(" \\") or "\b" in line]
    assert "Example:" in "\n".join(lines)


def test_the_help_of_the_search_leaves_the_length_of_the_window_to_its_option():
    assert "minutes" not in run("search", "--help").stdout


@pytest.mark.parametrize("name", ALONE)
def test_the_example_of_a_command_runs(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    example = next(line for line in run(name, "--help").stdout.splitlines() if line.startswith("    botproof "))
    assert run(*example.split()[1:]).exit_code in (0, 1)


def test_the_version_is_the_librarys():
    assert run("--version").stdout == f"botproof, version {__version__}\n"


WORDS = [
    *("feasible", "inspect", "new", "judge", "no-trade", "venue-record", "--help", "--version", "--", "-", ".", "/"),
    *("--profile", "--price", "--suggest", "--minute-csv", "--fills-csv", "--start", "--end", "--run-record"),
    *("--venue-record", "--position", "--terms", "--reports", "--output", "--known", TWENTY, "minute.csv", "folder"),
    *("2026-02-22T01:00:00Z", "2026-02-22T02:00:00Z", "NaN", "9" * 400),
]


@settings(max_examples=250, deadline=None)
@given(
    arguments=st.lists(
        st.one_of(st.sampled_from(WORDS), st.text(max_size=12), st.text("-=\n\x1b\ud800\0'", max_size=6)), max_size=8
    ),
    content=st.binary(max_size=60),
)
def test_no_arguments_end_in_a_traceback(arguments, content):
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        Path("minute.csv").write_bytes(content)
        Path("folder").mkdir()
        result = run(*arguments)
    assert result.exit_code in (0, 1, 2)
    if result.exit_code == 2 and not result.stdout:
        assert 1 <= len(result.stderr.splitlines()) <= 2
    assert "\x1b" not in result.output
    assert "Traceback" not in result.output
