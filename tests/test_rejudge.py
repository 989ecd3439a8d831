"""A run judged again from its folder alone, by another process: the same verdicts to the byte."""

import os
import subprocess
import sys
from pathlib import Path

import orjson
import pytest
from stages import a_stage, finished

from botproof.errors import HarnessError
from botproof.fakes.rogues import ROGUES
from botproof.invariants.verdict import Outcome
from botproof.record import judge_again, read_record

ROOT = Path(__file__).parents[1]
AGAIN = """
import sys
from pathlib import Path
from botproof.evidence.files import json_text
from botproof.record import judge_again, verdict_json
sys.stdout.write(json_text([verdict_json(verdict) for verdict in judge_again(Path(sys.argv[1]))]))
"""


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sealed folder of a run that broke a promise."""
    with a_stage(tmp_path_factory.mktemp("reports"), bot=ROGUES["one_quote_too_many"].create, window="3m") as stage:
        run = finished(stage).run
        assert run.sealed is not None
        return run.sealed


def judged_elsewhere(folder: Path, cwd: Path, hash_seed: str) -> bytes:
    """What another process makes of `folder`: another working directory, hash seed, locale and zone."""
    environment = {
        "PATH": os.defpath,
        "PYTHONPATH": str(ROOT),
        "PYTHONHASHSEED": hash_seed,
        "LC_ALL": "C",
        "TZ": "Asia/Tokyo",
    }
    command = [sys.executable, "-c", AGAIN, str(folder)]
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


@pytest.mark.parametrize("hash_seed", ["7", "4711"])
def test_a_broken_run_judged_again_by_another_process_has_the_same_verdicts_to_the_byte(
    broken: Path, tmp_path: Path, hash_seed: str
) -> None:
    sealed = (broken / "verdicts.json").read_bytes()
    assert {"E1"} <= {verdict["id"] for verdict in orjson.loads(sealed) if verdict["outcome"] == Outcome.BROKEN}
    assert judged_elsewhere(broken, tmp_path, hash_seed) == sealed


def copy(folder: Path, target: Path) -> Path:
    target.mkdir()
    for path in folder.iterdir():
        (target / path.name).write_bytes(path.read_bytes())
    return target


def test_the_former_verdicts_are_not_read(broken: Path, tmp_path: Path) -> None:
    folder = copy(broken, tmp_path / "run")
    (folder / "verdicts.json").write_text("[]")
    assert judge_again(folder) == read_record(broken).verdicts


def test_a_tape_with_a_changed_line_is_refused(broken: Path, tmp_path: Path) -> None:
    folder = copy(broken, tmp_path / "run")
    tape = (folder / "tape.jsonl").read_bytes()
    (folder / "tape.jsonl").write_bytes(tape.replace(b'"seed":1', b'"seed":2', 1))
    with pytest.raises(HarnessError, match="the chain is broken"):
        judge_again(folder)


@pytest.mark.parametrize("what", ["profile", "terms"])
def test_a_profile_or_terms_of_other_bytes_are_refused(broken: Path, tmp_path: Path, what: str) -> None:
    folder = copy(broken, tmp_path / "run")
    for path in folder.glob("*.yml"):
        if path.name.startswith("epp_") is (what == "profile"):
            path.write_bytes(path.read_bytes() + b"# changed\n")
    with pytest.raises(HarnessError, match=f"expected the {what} with the sha256"):
        judge_again(folder)


def test_a_folder_without_a_tape_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match="expected the folder of a sealed run"):
        judge_again(tmp_path)


def test_an_empty_tape_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tape.jsonl").write_bytes(b"")
    with pytest.raises(HarnessError, match="holds no RunStarted"):
        judge_again(tmp_path)
