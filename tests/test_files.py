"""The run folder: hidden while it is written, whole when it is sealed."""

import hashlib
import json
from pathlib import Path

import pytest

from botproof.errors import HarnessError, Refusal
from botproof.evidence.files import PAYLOAD, RunFolder
from botproof.evidence.rows import MINUTE, row_text


def fill(folder: RunFolder) -> None:
    folder.minute({"ts": "2026-02-22T01:00:00+00:00", "state": "running"})
    folder.tape_file.write(b"{}\n")
    for name in ("orders.csv", "incidents.jsonl", "verdicts.json"):
        folder.text(name, "")


def test_a_sealed_folder_lists_size_and_hash_of_every_file(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path, "run-1")
    fill(folder)
    sealed = folder.seal()
    manifest = json.loads((sealed / "manifest.json").read_text())
    listed = {entry["name"]: entry for entry in manifest["files"]}
    assert set(listed) == {path.name for path in sealed.iterdir()} - {"manifest.json"}
    for name, entry in listed.items():
        content = (sealed / name).read_bytes()
        assert (entry["bytes"], entry["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
    assert set(PAYLOAD) <= set(listed)


def test_until_it_is_sealed_a_run_has_no_folder_of_its_own_name(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path, "run-1")
    fill(folder)
    assert not (tmp_path / "runs" / "run-1").exists()
    folder.seal()
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["run-1"]


def test_a_folder_of_the_same_run_is_replaced_whole(tmp_path: Path) -> None:
    for _ in range(2):
        folder = RunFolder(tmp_path, "run-1")
        fill(folder)
        sealed = folder.seal()
        assert not (sealed / "left over").exists()
        (sealed / "left over").write_text("x")


def test_the_payload_digest_does_not_see_the_circumstances(tmp_path: Path) -> None:
    digests = []
    for host in ("one", "two"):
        folder = RunFolder(tmp_path, "run-1")
        fill(folder)
        folder.json("run.json", {"circumstances": host})
        digests.append(json.loads((folder.seal() / "manifest.json").read_text())["payload_sha256"])
    assert digests[0] == digests[1]


def test_files_begin_with_their_columns(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path, "run-1")
    fill(folder)
    header, row, *rest = (folder.seal() / "minute.csv").read_text().splitlines()
    assert header == ",".join(MINUTE)
    assert len(row.split(",")) == len(MINUTE)
    assert rest == []


def test_a_column_that_nobody_knows_is_an_error() -> None:
    with pytest.raises(HarnessError, match="colour"):
        row_text(MINUTE, {"colour": "red"})


def test_a_folder_that_cannot_be_written_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file where a folder should be")
    with pytest.raises(Refusal, match="cannot be written"):
        RunFolder(tmp_path, "run-1")


def test_secrets_reach_no_file(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path, "run-1", secrets=("s3cret",))
    fill(folder)
    folder.minute({"risk_reasons": "s3cret"})
    folder.json("run.json", {"key": "s3cret"})
    assert all(b"s3cret" not in path.read_bytes() for path in folder.seal().iterdir())
