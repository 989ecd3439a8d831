"""Mistakes in a feature of a user's own: each is told in words, and none with a traceback."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from botproof.cli import main

ROOT = Path(__file__).parents[1]
READY = ("Given the micro-cap profile", "And the bot is running on BTCUSDT")
MISTAKES = {
    "a word for a number": (("Given a flat account of twenty USDT",), "expected a number such as 20 or 0.40, found 'twenty'"),
    "less than nothing": (("Given a flat account of -5 USDT",), "expected a number such as 20 or 0.40, found '-5'"),
    "an absurd size": (("Given a flat account of 1e400 USDT",), "found '1e400'"),
    "another symbol": (("Given the micro-cap profile", "And the bot is running on DOGEUSDT"), "not DOGEUSDT"),
    "no profile": (("Given the bot is running on BTCUSDT",), "this step needs a profile"),
    "no bot": (("When the bounded window ends",), "this step looks at a run; start one first"),
    "a key nobody knows": (("Given the micro-cap profile with:", "| leverag | 3 |"), "nearest: leverage"),
    "a bot nobody knows": (("Given a bot that sings",), "no bot 'sings' is known"),
    "a step nobody knows": (("Given the moon is full",), 'Step definition is not found: Given "the moon is full"'),
    "no table": ((*READY, "Then these promises are held:"), "needs a table below it"),
    "no window": (("Given a bounded window of 0 min",), "expected a window of 1 to 10080 whole minutes, found 0"),
    "a window of ages": (("Given a bounded window of 99999999999 min",), "expected a window of 1 to 10080 whole minutes"),
    "a wait of ages": ((*READY, "When 999999999999 s pass"), "expected a wait of at most 2678400 s"),
    "a fall to nothing": ((*READY, "When the price falls 400 % within 1 s"), "falls by less than 100 %"),
    "more than a book": ((*READY, "When the book holds 900 % of its size for 5 s"), "between 0 and 100 % of its size"),
    "a rate beyond the cap": (("Given the micro-cap profile", "And a funding rate of 4000 %", READY[1]), "a funding rate lies"),
    "a price of nothing": (("Given the micro-cap profile", "And a calm market at 0 USDT", READY[1]), "well above 0; found 0"),
}  # fmt: skip


def session(mine: Path) -> "subprocess.CompletedProcess[str]":
    """As an installed copy runs there."""
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); import botproof; botproof.__path__.append({str(ROOT)!r});"
        "import pytest; sys.exit(pytest.main(['-p', 'botproof.plugin', '-p', 'no:randomly', '-k', 'not nothing_fills']))"
    )
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=mine, capture_output=True, text=True, timeout=200, check=False)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the session says of each scenario, by its title."""
    mine = tmp_path_factory.mktemp("bad") / "mine"
    assert CliRunner().invoke(main, ["new", str(mine)]).exit_code == 0
    lines = ["@fake", "Feature: Mistakes"]
    for title, (steps, _) in MISTAKES.items():
        lines += ["", f"  Scenario: {title}", *(f"    {step}" for step in steps)]
    (mine / "features" / "red.feature").write_text("\n".join([*lines, ""]))
    done = session(mine)
    assert done.returncode == 1, done.stdout + done.stderr
    parts = re.split(
        r"^_+ test_(\w+) _+$", done.stdout.partition("= FAILURES =")[2].partition("= botproof =")[0], flags=re.MULTILINE
    )
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize("title", MISTAKES)
def test_a_mistake_is_told_in_words(told: dict[str, str], title: str) -> None:
    said = told[title.replace(" ", "_")]
    assert MISTAKES[title][1] in said
    assert len(said.strip().splitlines()) <= 12
    assert "Traceback" not in said
    assert "replay: pytest " in said


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "red.feature: expected a feature, found an empty file"),
        (b"\xff\xfe", "red.feature: expected a feature in UTF-8, found something else"),
        (b"Feature: x\n  Scenario: y\n    And the account is flat\n", "must start with 'Given', 'When' or 'Then'"),
        (b"Feature: x\n  Scenario: y\n    Given a\n    | b |\n    | c | d |\n", "inconsistent cell count"),
    ],
)
def test_a_feature_that_cannot_be_read_is_told_in_words(tmp_path: Path, content: bytes, said: str) -> None:
    assert CliRunner().invoke(main, ["new", str(tmp_path / "mine")]).exit_code == 0
    (tmp_path / "mine" / "features" / "red.feature").write_bytes(content)
    done = session(tmp_path / "mine")
    assert done.returncode == 2
    assert said in done.stdout
    assert "Error" not in done.stdout.partition("short test summary")[0].replace("StepError", "")
