"""`botproof new DIR`: a folder that runs at once, or nothing at all."""

import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from botproof.cli import main
from botproof.commands.starter import PROFILE, starter
from botproof.fakes.bitget.core.contract import BTCUSDT
from botproof.feasibility import Answer, judge_feasibility
from botproof.profile import Profile

ROOT = Path(__file__).parents[1]
BOT_LINES_MAX = 30
SCREEN_LINES_MAX = 12


def new(directory: Path | str) -> Result:
    result = CliRunner().invoke(main, ["new", str(directory)])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


def refused(directory: Path | str) -> str:
    result = new(directory)
    assert (result.exit_code, result.stdout) == (2, "")
    assert len(result.stderr.splitlines()) == 1
    return result.stderr


def files(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", ["mine", "a/b/mine", "a folder of mine"])
def test_a_folder_that_is_not_there_is_laid_out(tmp_path: Path, name: str) -> None:
    result = new(tmp_path / name)
    assert (result.exit_code, result.stderr) == (0, "")
    assert files(tmp_path / name) == starter()


def test_an_empty_folder_is_laid_out_where_one_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert new(".").stdout.splitlines()[-1] == "run them: pytest"
    assert files(tmp_path) == starter()


def test_a_folder_that_is_not_empty_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / ".hidden").write_text("x")
    assert "found 1 thing(s) in it, such as .hidden" in refused(tmp_path)
    assert files(tmp_path) == {".hidden": "x"}


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "nowhere").symlink_to(tmp_path / "gone")
    assert "found a file" in refused(tmp_path / "file")
    assert "found a file" in refused(tmp_path / "nowhere")
    for impossible in (tmp_path / "file" / "below", "\0", "x" * 5000, "/proc/mine"):
        assert "expected a folder" in refused(impossible)
    assert files(tmp_path) == {"file": "x"}


@pytest.mark.parametrize("good", [0, 1, 4])
def test_what_cannot_be_written_whole_is_not_there_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, good: int
) -> None:
    written: list[Path] = []
    write = Path.write_text

    def full(path: Path, text: str, encoding: str | None = None) -> int:
        if len(written) >= good:
            raise OSError(28, "No space left on device")
        written.append(path)
        return write(path, text, encoding)

    monkeypatch.setattr(Path, "write_text", full)
    assert "found: No space left on device; nothing was left there." in refused(tmp_path / "a" / "mine")
    assert list(tmp_path.iterdir()) == []


def test_the_bot_is_short_and_the_profile_is_one_of_its_own_and_feasible(tmp_path: Path) -> None:
    new(tmp_path / "mine")
    assert len((tmp_path / "mine" / "my_bot.py").read_text().splitlines()) <= BOT_LINES_MAX
    profile = Profile.load(tmp_path / "mine" / "profiles" / f"{PROFILE}.yml")
    assert profile.total_amount_quote == 30
    assert judge_feasibility(profile, BTCUSDT, Decimal(67500)).verdict is Answer.FEASIBLE


def pytest_in(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """As an installed copy runs there."""
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); import botproof; botproof.__path__.append({str(ROOT)!r});"
        "import pytest; sys.exit(pytest.main(['-p', 'botproof.plugin', '-p', 'no:randomly', *sys.argv[1:]]))"
    )
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


def test_it_runs_at_once_and_fails_on_the_one_promise_that_the_bot_does_not_keep(tmp_path: Path) -> None:
    new(tmp_path / "mine")
    done = pytest_in(tmp_path / "mine")
    assert (done.returncode, done.stderr) == (1, "")
    assert "1 failed, 1 passed" in done.stdout
    assert "bot judged: python:my_bot:MyBot" in done.stdout
    lines = done.stdout.splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("E10 BROKEN: every net position is"))
    last = next(number for number, line in enumerate(lines) if line.startswith("replay: "))
    assert last - first < SCREEN_LINES_MAX
    assert "had no exit for" in lines[first + 1]
    assert lines[first + 1].endswith("(limit 5 s)")
    assert "FillSeen" in lines[first + 2]


def test_two_sessions_in_one_folder_of_reports_do_not_disturb_each_other(tmp_path: Path) -> None:
    new(tmp_path / "mine")
    for _ in range(2):
        assert "1 passed" in pytest_in(tmp_path / "mine", "-k", "nothing_fills").stdout
    [run] = (tmp_path / "mine" / "reports" / "runs").iterdir()
    assert (run / "manifest.json").is_file()
