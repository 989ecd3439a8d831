"""What a session leaves out: by tags, and by what a scenario says against a recorded market."""

import subprocess
import sys
from pathlib import Path

import pytest

MODULE = """
from pytest_bdd import scenarios

scenarios(".")
"""
FEATURE = """
Feature: Recorded and said

  Scenario: quiet
    Given the no-trade profile
    And a flat account of 20 USDT
    And the bot is running on BTCUSDT
    When the bounded window ends
    Then the account is flat

  Scenario: own price
    Given the no-trade profile
    And a calm market at 67500 USDT

  Scenario: own move
    Given the no-trade profile
    And the bot is running on BTCUSDT
    When the price falls 0.40 % within 10 s

  Scenario: own time
    Given it is 07:50 UTC

  Scenario Outline: own window
    Given the no-trade profile
    And a bounded window of <minutes> min
    And the bot is running on BTCUSDT
    When 60 s pass
    And the bounded window ends
    Then the account is flat

    Examples:
      | minutes |
      | 2       |
      | 7       |

  @live
  Scenario: elsewhere
    Given the no-trade profile
"""
BEGINS_MS = 1_771_718_400_000  # 2026-02-22T00:00:00Z


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Features, and five minutes of trades that never move."""
    (tmp_path / "test_it.py").write_text(MODULE)
    (tmp_path / "it.feature").write_text(FEATURE)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "conftest.py").write_text("")
    rows = [f"{BEGINS_MS + n * 5000},buy,68000.0,0.0010,{n + 1}" for n in range(64)]
    (tmp_path / "t.csv").write_text("\n".join(["timestamp_ms,side,price,size,trade_id", *rows, ""]))
    return tmp_path


def run(folder: Path, *options: str) -> tuple[int, str]:
    """An acceptance session of its own in `folder`: its exit code, and what it said."""
    root = Path(__file__).parents[1]
    bridge = f"import sys; sys.path.insert(0, {str(root)!r}); import botproof; botproof.__path__.append({str(root)!r})"
    command = [sys.executable, "-c", f"{bridge}; import pytest; sys.exit(pytest.main(sys.argv[1:]))"]
    done = subprocess.run(
        [*command, "-p", "botproof.plugin", "--venue=fake", "-p", "no:randomly", "-q", *options],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_what_contradicts_a_recorded_market_is_left_out_and_counted_with_the_reason(folder: Path) -> None:
    code, said = run(folder, "--market=replay:t.csv", "--window=3m")
    assert code == 0, said
    assert "2 passed, 5 deselected" in said
    assert "deselected: 2 (says a market of its own, and --market gives a recorded one)" in said
    assert "deselected: 1 (says a time of its own, and the recorded market has one)" in said
    assert "deselected: 1 (has a window that the recorded market does not span)" in said
    assert "deselected: 1 (runs on live only)" in said


def test_on_the_synthetic_market_only_the_tags_leave_out(folder: Path) -> None:
    code, said = run(folder, "--collect-only")
    assert code == 0, said
    assert "6/7 tests collected (1 deselected)" in said


@pytest.mark.parametrize(
    ("market", "found"),
    [
        ("replay:none.csv", "found no such file"),
        ("replay:t.csv#2", "expected a segment from 1 to 1, found #2"),
        ("replay:t.csv", "a window of 15 min"),
        ("replay:it.feature", "expected the columns of trades"),
        ("replay:.", "found a directory"),
    ],
)
def test_a_recording_that_cannot_be_replayed_ends_the_session_before_it_begins(
    folder: Path, market: str, found: str
) -> None:
    code, said = run(folder, f"--market={market}")
    assert code == pytest.ExitCode.USAGE_ERROR, said
    assert found in said
    assert len([line for line in said.splitlines() if line.strip()]) <= 2, said
    assert not (folder / "reports").exists()
