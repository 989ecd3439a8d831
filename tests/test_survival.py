"""What is left of a session that is interrupted, killed, or whose disk refuses: all that was seen, and never a pass."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from botproof.evidence.files import INCOMPLETE, TAPE
from botproof.evidence.tape import read_tape

ROOT = Path(__file__).parents[1]
LIMIT_S = 120


@pytest.mark.slow
def test_a_killed_run_leaves_a_folder_that_says_incomplete_and_a_tape_whose_chain_holds() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "kill_runs.py", "6", "7"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "every chain intact" in done.stdout


def session(reports: Path, *arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "pytest", "features", "-p", "no:cacheprovider", "-p", "no:randomly"]
    return subprocess.Popen(
        [*command, f"--reports={reports}", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTEST_ADDOPTS": ""},
    )


def cut_short(reports: Path) -> list[Path]:
    return sorted((reports / "runs").glob(f"*{INCOMPLETE}*"))


def wait_for_a_run(reports: Path, running: "subprocess.Popen[str]") -> None:
    """Until a run that will take a while has begun to write."""
    for _ in range(100 * LIMIT_S):
        if any(tape.stat().st_size > 20_000 for tape in (reports / "runs").glob(f"*{INCOMPLETE}/{TAPE}")):
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            running.wait(0.01)
            break
    raise AssertionError("no run has begun")


@pytest.mark.slow
@pytest.mark.parametrize(("sent", "status"), [(signal.SIGINT, 2), (signal.SIGTERM, -signal.SIGTERM)])
def test_an_interrupted_session_passes_nothing_and_keeps_what_was_seen(
    tmp_path: Path, sent: signal.Signals, status: int
) -> None:
    running = session(tmp_path, "-k", "clean_window_is_proven", "--window=12h")
    try:
        wait_for_a_run(tmp_path, running)
        running.send_signal(sent)
        said, _ = running.communicate(timeout=LIMIT_S)
    finally:
        running.kill()
    assert running.returncode == status
    [folder] = (tmp_path / "runs").iterdir()
    assert read_tape(folder / TAPE).facts
    assert not re.search(r"\b\d+ passed", said)
    if sent is signal.SIGTERM:  # nobody is asked
        assert folder.name.endswith(INCOMPLETE)
        return
    assert f"{INCOMPLETE}: no_trade/window_without_trading.feature" in said
    assert json.loads((folder / "run.json").read_bytes())["complete"] is False
    assert {verdict["outcome"] for verdict in json.loads((folder / "verdicts.json").read_bytes())} == {"NOT SHOWN"}
    assert results(tmp_path) == {("broken", f"botproof.errors.Incomplete: {said_of(folder)}")}


def results(reports: Path) -> set[tuple[str, str]]:
    """Status and message of every scenario in the results for the report."""
    read = (json.loads(path.read_bytes()) for path in (reports / "allure-results").glob("*-result.json"))
    return {(result["status"], result["statusDetails"]["message"]) for result in read}


def said_of(folder: Path) -> str:
    scenario = json.loads((folder / "run.json").read_bytes())["scenario"]
    return f"{scenario}: interrupted (KeyboardInterrupt); see {folder}"


@pytest.mark.slow
def test_a_disk_that_refuses_in_the_middle_of_a_run_fails_the_scenario_in_words(tmp_path: Path) -> None:
    script = (
        f"import resource, sys, pytest; resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000)); "
        f"sys.exit(pytest.main(['features', '-p', 'no:cacheprovider', '-p', 'no:randomly', '-k', 'clean_window_is_proven', "
        f"'--window=12h', '--reports={tmp_path}']))"
    )
    done = subprocess.run(
        [sys.executable, "-B", "-c", script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
        env={**os.environ, "PYTEST_ADDOPTS": ""},
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "the evidence cannot be written any further: File too large" in done.stdout
    assert "Traceback" not in done.stdout
    [folder] = cut_short(tmp_path)
    assert f"{INCOMPLETE}: 1 run not sealed" in done.stdout
    assert len(read_tape(folder / TAPE).facts) > 20
    [(status, message)] = results(tmp_path)
    assert status == "broken"
    assert message.startswith("botproof.errors.Incomplete: the evidence cannot be written any further")
