"""The run folder: hidden while it is written, whole when it is sealed."""

import csv
import errno
import hashlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botproof.errors import HarnessError, Refusal
from botproof.evidence.files import PAYLOAD, RunFolder
from botproof.evidence.rows import MINUTE, row_text, values_text


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
        assert entry["lines"] == len(content.splitlines())
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


def test_the_payload_digest_is_what_a_shell_makes_of_it(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path, "run-1")
    fill(folder)
    sealed = folder.seal()
    sums = "".join(f"{hashlib.sha256((sealed / name).read_bytes()).hexdigest()}  {name}\n" for name in PAYLOAD)
    manifest = json.loads((sealed / "manifest.json").read_text())
    assert manifest["payload_sha256"] == hashlib.sha256(sums.encode()).hexdigest()


@pytest.mark.parametrize("name", PAYLOAD)
def test_the_payload_digest_sees_every_file_of_it(tmp_path: Path, name: str) -> None:
    digests = []
    for more in (b"", b"x"):
        folder = RunFolder(tmp_path, "run-1")
        fill(folder)
        folder.close()
        (folder.path / name).write_bytes((folder.path / name).read_bytes() + more)
        digests.append(json.loads((folder.seal() / "manifest.json").read_text())["payload_sha256"])
    assert digests[0] != digests[1]


def test_the_files_are_utf_8_whatever_the_locale(tmp_path: Path) -> None:
    script = f"""
from pathlib import Path
from botproof.evidence.files import RunFolder
folder = RunFolder(Path({str(tmp_path)!r}), "run-1")
folder.minute({{"state": "l\\u00e4uft"}})
folder.text("note.txt", "l\\u00e4uft")
folder.close()
"""
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    command = [sys.executable, "-X", "utf8=0", "-c", script]
    subprocess.run(command, cwd=Path(__file__).parents[1], env={**os.environ, **plain}, check=True, timeout=60)
    for name in ("minute.csv", "note.txt"):
        assert "l\u00e4uft".encode() in (tmp_path / "runs" / "run-1.INCOMPLETE" / name).read_bytes()


CELLS = st.text(st.characters(exclude_categories=["Cs"], codec="utf-8"), max_size=8)


@settings(deadline=None)
@given(st.lists(CELLS | st.text('",\r\n ab', max_size=5), min_size=2, max_size=5))
def test_a_row_is_read_back_as_it_was_written(values: list[str]) -> None:
    assert next(csv.reader(io.StringIO(values_text(values), newline=""))) == values


@settings(deadline=None)
@given(st.lists(st.text('",\n ab;\t', max_size=5), min_size=2, max_size=5))
def test_a_row_is_quoted_as_csv_quotes_it_where_every_python_agrees(values: list[str]) -> None:
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerow(values)
    assert values_text(values) == written.getvalue()


def test_a_carriage_return_is_quoted_on_every_python() -> None:
    assert values_text(["a\rb", "c"]) == '"a\rb",c\n'


# Evidence that survives

Opened = Callable[[str], RunFolder]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    """Opens run folders and closes their files in the end, as a process that dies would."""
    folders: list[RunFolder] = []

    def open_(run_id: str) -> RunFolder:
        folders.append(RunFolder(tmp_path, run_id))
        return folders[-1]

    yield open_
    for folder in folders:
        folder.close()


def test_until_it_is_sealed_name_and_a_file_say_that_it_proves_nothing(tmp_path: Path, opened: Opened) -> None:
    folder = opened("run-1")
    fill(folder)
    assert folder.path.name == "run-1.INCOMPLETE"
    assert "Nothing in this folder proves anything" in (folder.path / "INCOMPLETE").read_text()
    assert not (folder.seal() / "INCOMPLETE").exists()


def test_every_line_is_on_disk_as_soon_as_it_is_written(opened: Opened) -> None:
    folder = opened("run-1")
    fill(folder)
    assert (folder.path / "tape.jsonl").read_bytes() == b"{}\n"
    assert len((folder.path / "minute.csv").read_text().splitlines()) == 2


def test_what_was_cut_short_stays_until_a_run_of_its_name_is_sealed(tmp_path: Path, opened: Opened) -> None:
    cut = opened("run-1")
    fill(cut)
    cut.close()
    again = opened("run-1")
    fill(again)
    assert (cut.path / "tape.jsonl").read_bytes() == b"{}\n"
    again.seal()
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["run-1"]


def test_a_run_that_is_still_written_is_left_alone_by_another_of_its_name(tmp_path: Path, opened: Opened) -> None:
    going_on = opened("run-1")
    other = opened("run-1")
    for folder in (going_on, other):
        fill(folder)
    other.seal()
    assert (going_on.path / "tape.jsonl").exists()
    going_on.seal()
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["run-1"]


class Refusing(io.RawIOBase):
    """A disk that takes `room` bytes in all."""

    def __init__(self, room: int) -> None:
        self.room = room

    def write(self, data: bytes) -> int:  # type: ignore[override]
        if not self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken = min(self.room, len(data), 3)
        self.room -= taken
        return taken


def test_a_full_disk_is_told_once_and_nothing_is_sealed(opened: Opened) -> None:
    told: list[HarnessError] = []
    folder = opened("run-1")
    folder.on_failure = told.append
    folder.tape_file.close()
    folder.tape_file._file = Refusing(10)  # type: ignore[attr-defined]
    for _ in range(9):
        folder.tape_file.write(b"{}\n")
    assert len(told) == 1
    assert "No space left on device" in str(told[0])
    assert str(folder.path) in str(told[0])
    with pytest.raises(HarnessError, match="cannot be written any further"):
        folder.seal()
    assert folder.path.exists()
    assert not folder.final.exists()


def test_a_folder_that_can_no_longer_be_written_is_not_sealed(opened: Opened) -> None:
    folder = opened("run-1")
    fill(folder)
    (folder.path / "run.json").mkdir()
    with pytest.raises(HarnessError, match="the run is INCOMPLETE"):
        folder.json("run.json", {})
    with pytest.raises(HarnessError, match="the run is INCOMPLETE"):
        folder.seal()


def test_a_disk_that_takes_a_line_in_parts_gets_the_whole_of_it(opened: Opened) -> None:
    folder = opened("run-1")
    disk = Refusing(100)
    folder.tape_file.close()
    folder.tape_file._file = disk  # type: ignore[attr-defined]
    assert folder.tape_file.write(b"0123456789\n") == 11
    assert (disk.room, folder.failure) == (89, None)
