"""The acceptance suite as a user starts it: in a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EVIDENCE = {
    *("fills.csv", "incidents.jsonl", "manifest.json", "minute.csv", "orders.csv", "run.json", "tape.jsonl"),
    *("verdicts.json", "day15.yml"),
}


@dataclass(frozen=True)
class Session:
    code: int
    said: str
    reports: Path

    @property
    def payloads(self) -> dict[str, str]:
        """The digest of every run's payload."""
        manifests = sorted(self.reports.glob("runs/*/manifest.json"))
        return {path.parent.name: json.loads(path.read_text())["payload_sha256"] for path in manifests}


# A run of each kind: fills and exits, a restart, funding, faults, an operator, no-trade, a breach, no run at all.
PART = "takeprofit or comes_back or settlement or lost or releases or resting or declares or third_quote or partial or honest"


def start(reports: Path, options: Sequence[str], hash_seed: str = "0") -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "pytest", "features/", "-p", "no:randomly", "--reports", str(reports), *options]
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "COLUMNS": "200"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def end(process: subprocess.Popen[str], reports: Path) -> Session:
    said, _ = process.communicate(timeout=300)
    return Session(process.returncode, said, reports)


def session(reports: Path, *options: str) -> Session:
    return end(start(reports, options), reports)


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> list[Session]:
    """A part of the suite under two hash seeds, in two folders, one of them in two workers."""
    folders = [tmp_path_factory.mktemp(f"reports{number}") for number in range(2)]
    workers = ([], ["-n", "2"])
    processes = [
        start(folder, ["--venue=fake", "--seed", "1", "-k", PART, *more], str(number))
        for number, (folder, more) in enumerate(zip(folders, workers, strict=True))
    ]
    return [end(process, folder) for process, folder in zip(processes, folders, strict=True)]


def test_the_scenarios_pass_on_the_fake(twice: list[Session]) -> None:
    for session in twice:
        assert session.code == 0, session.said


def test_the_same_seed_gives_the_same_bytes_whatever_hash_seed_folder_and_workers(twice: list[Session]) -> None:
    first, second = twice
    assert len(first.payloads) >= 8
    assert first.payloads == second.payloads


def test_every_run_leaves_all_of_its_evidence(twice: list[Session]) -> None:
    for run in (twice[0].reports / "runs").iterdir():
        profile = json.loads((run / "run.json").read_text())["profile_id"]
        assert {path.name for path in run.iterdir()} == {*EVIDENCE, f"{profile}.yml"}


def test_the_bot_judged_is_named_first_and_the_closure_last(twice: list[Session]) -> None:
    for session in twice:
        lines = session.said.splitlines()
        judged = "bot judged: reference; this proves the harness and says nothing about a bot of yours"
        assert lines.count(judged) == 2
        assert lines.index(judged) < 8
        assert any(line.startswith("closure: PARTIAL; missing: K0, K1") for line in lines)


def test_the_closure_is_written_with_what_is_missing(twice: list[Session]) -> None:
    for session in twice:
        closure = json.loads((session.reports / "closure" / "closure.json").read_text())
        assert closure["status"] == "PARTIAL"
        assert {"K0", "K1", "K4", "K7"} <= {item["id"] for item in closure["missing"]}
        assert all(item["reason"] for item in closure["missing"])


def test_every_scenario_is_in_the_results_with_its_evidence(twice: list[Session]) -> None:
    for session in twice:
        results = [json.loads(path.read_text()) for path in (session.reports / "allure-results").glob("*-result.json")]
        assert len(results) >= 11
        assert {result["status"] for result in results} == {"passed"}
        runs = [result for result in results if any(label["name"] == "run" for label in result["labels"])]
        assert len(runs) >= 8
        for result in runs:
            shown = [one["name"].removeprefix("run 1: ").split(":")[0] for one in result["attachments"][:3]]
            assert shown == ["verdicts", "picture", "summary"]
        environment = (session.reports / "allure-results" / "environment.properties").read_text()
        assert "closure=PARTIAL" in environment


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--venue=live"], "--venue=live is not built yet: nothing was sent"),
        (["--venue=moon"], "--venue: expected one of fake, rehearsal, demo, live, found 'moon'"),
        (["--bot", "python:nowhere:bot"], "nowhere:bot cannot be imported"),
        (["--profile", "no_such"], "expected a profile by path or by name"),
    ],
)
def test_what_cannot_be_done_is_refused_with_exit_4_before_anything_is_written(
    tmp_path: Path, options: list[str], said: str
) -> None:
    refused = session(tmp_path / "reports", *options)
    assert refused.code == 4
    assert said in refused.said
    assert "Traceback" not in refused.said
    assert len(refused.said.strip().splitlines()) <= 2
    assert not (tmp_path / "reports").exists()


def test_an_empty_selection_is_said_and_is_no_success(tmp_path: Path) -> None:
    nothing = session(tmp_path, "-k", "no_such_scenario")
    assert nothing.code == 5
    assert "no scenario was selected" in nothing.said


def test_a_bot_that_breaks_a_promise_fails_with_the_promise_the_fact_and_the_replay(tmp_path: Path) -> None:
    failed = session(tmp_path, "-k", "buy_quote", "--bot", "python:botproof.fakes.rogues.one_quote_too_many:create")
    assert failed.code == 1
    assert "E1 BROKEN: " in failed.said
    assert "\n  exposure 20.2" in failed.said
    assert "RequestSent action=place" in failed.said
    assert "replay: pytest features/test_features.py::" in failed.said
    assert "Traceback" not in failed.said
    results = [json.loads(path.read_text()) for path in (tmp_path / "allure-results").glob("*-result.json")]
    assert [result["status"] for result in results] == ["failed"]
    shown = [one["name"] for one in results[0]["attachments"]]
    assert shown[3] == "tape.jsonl, around what was broken"
    assert {"minute.csv", "fills.csv", "orders.csv", "run.json", "verdicts.json"} <= set(shown[4:])
