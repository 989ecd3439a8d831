"""One folder a run: its name says INCOMPLETE until it is sealed, and then it is renamed whole.

    reports/runs/<run_id>.INCOMPLETE/   while it runs, and what is left of a run that was cut short
    reports/runs/<run_id>/              sealed: manifest.json lists size, lines and SHA-256 of every other file

What was seen is with the operating system as soon as it is written: a process that is killed takes no line with it.
Where the disk refuses, the run goes on without evidence only as far as its safe end, and is never sealed. What was cut
short stays until a run of the same name is sealed; while its process lives, another one leaves it alone.

The payload (tape, minute, fills, orders, incidents, verdicts) depends on seed, version and terms alone; what depends
on the machine and the day stands in the `circumstances` of run.json. Its digest is what a shell makes of it:
`sha256sum tape.jsonl minute.csv fills.csv orders.csv incidents.jsonl verdicts.json | sha256sum`. A folder of the same
run is replaced whole.
"""

import fcntl
import hashlib
import itertools
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from botproof.errors import Incomplete, Refusal
from botproof.evidence.redact import redact
from botproof.evidence.rows import FILLS, MINUTE, row_text, values_text

INCOMPLETE = "INCOMPLETE"
TAPE = "tape.jsonl"
_CUT_SHORT = "This run is not sealed: it is going on, or it was cut short. Nothing in this folder proves anything.\n"

PAYLOAD = (TAPE, "minute.csv", "fills.csv", "orders.csv", "incidents.jsonl", "verdicts.json")


class RunFolder:
    """Where one run leaves its evidence. Raises `Refusal` where the folder cannot be written."""

    def __init__(self, reports: Path, run_id: str, *, secrets: Sequence[str] = ()) -> None:
        self.final = reports / "runs" / run_id
        self._secrets = tuple(secrets)
        self.failure: Incomplete | None = None  # why no more can be written
        self.on_failure: Callable[[Incomplete], None] = lambda _: None
        try:
            self.path = _new_folder(self.final)
            files = [_File(self.path / name, self._fail) for name in (TAPE, "minute.csv", "fills.csv")]
        except OSError as error:
            raise Refusal(f"the run's evidence goes to {self.final}, which cannot be written: {error}") from error
        self.tape_file, self._minutes, self._fills = files
        self.text(INCOMPLETE, _CUT_SHORT)
        self._minutes.write(values_text(MINUTE).encode())
        self._fills.write(values_text(FILLS).encode())

    def minute(self, row: Mapping[str, str]) -> None:
        """Append a row of minute.csv."""
        self._minutes.write(redact(row_text(MINUTE, row), self._secrets).encode())

    def fill(self, row: Mapping[str, str]) -> None:
        """Append a row of fills.csv."""
        self._fills.write(redact(row_text(FILLS, row), self._secrets).encode())

    def text(self, name: str, content: str) -> None:
        """Write a whole file. Raises `Incomplete` where the disk refuses."""
        try:
            (self.path / name).write_bytes(redact(content, self._secrets).encode())
        except OSError as error:
            raise self._fail(error) from error

    def json(self, name: str, content: Any) -> None:
        """Write a whole JSON file, as `json_text` puts it."""
        self.text(name, json_text(content))

    def seal(self) -> Path:
        """Close the files, write the manifest, put the folder under its own name; returns it.

        Raises `Incomplete` where something could not be written, now or before.
        """
        if self.failure is not None:
            raise self.failure
        try:
            entries = [_entry(path) for path in sorted(self.path.iterdir()) if path.name != INCOMPLETE]
            self.json("manifest.json", {"files": entries, "payload_sha256": _payload_digest(entries)})
            (self.path / INCOMPLETE).unlink()
            if self.final.exists():
                shutil.rmtree(self.final)
            self.path.rename(self.final)
        except OSError as error:
            raise self._fail(error) from error
        self.close()
        for left in sorted(self.final.parent.glob(f"{self.final.name}.{INCOMPLETE}*")):
            if not is_written(left / TAPE):
                shutil.rmtree(left, ignore_errors=True)
        return self.final

    def discard(self) -> None:
        """Close the files and remove the folder: nothing was seen yet."""
        self.close()
        shutil.rmtree(self.path)

    def close(self) -> None:
        """Close the files and leave the folder under the name it has."""
        for file in (self.tape_file, self._minutes, self._fills):
            file.close()

    def _fail(self, error: OSError) -> Incomplete:
        """Remember and tell, once, that the disk refused."""
        if self.failure is None:
            self.failure = Incomplete(
                f"the evidence cannot be written any further: {error.strerror or error}; the run is {INCOMPLETE}, what "
                f"was seen is in {self.path}. Make room, or let the folder be written, and run again."
            )
            self.on_failure(self.failure)
        return self.failure


class _File:
    """A file whose every line is with the operating system at once; after a refusal it takes nothing more."""

    def __init__(self, path: Path, fail: Callable[[OSError], object]) -> None:
        self._file = path.open("wb", buffering=0)
        self._fail = fail
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def write(self, data: bytes) -> int:
        """Append `data` whole; how much of it was taken."""
        taken = 0
        try:
            while not self._file.closed and taken < len(data):
                taken += self._file.write(data[taken:]) or 0
        except OSError as error:
            self._file.close()
            self._fail(error)
        return taken

    def close(self) -> None:
        self._file.close()


def _new_folder(final: Path) -> Path:
    """A folder that nobody else has: of an earlier run that was cut short something may be left."""
    final.parent.mkdir(parents=True, exist_ok=True)
    for number in itertools.count(1):
        path = final.with_name(f"{final.name}.{INCOMPLETE}{f'-{number}' if number > 1 else ''}")
        try:
            path.mkdir()
        except FileExistsError:
            continue
        return path
    raise AssertionError("counting does not end")


def is_written(tape: Path) -> bool:
    """Whether a living process holds the tape."""
    try:
        with tape.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def cut_short(reports: Path) -> list[Path]:
    """The folders of runs that are not sealed."""
    return sorted((reports / "runs").glob(f"*.{INCOMPLETE}*"))


def json_text(content: Any) -> str:
    """JSON as it stands in a run's files: keys as given, two blanks of indent, one newline at the end."""
    return orjson.dumps(content, option=orjson.OPT_INDENT_2).decode() + "\n"


def replace_file(path: Path, content: bytes) -> None:
    """Put `content` in place of a file in one step: a reader sees the old one or the new one. Raises `OSError`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(content)
    part.replace(path)


def _entry(path: Path) -> dict[str, Any]:
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    return {"name": path.name, "bytes": len(content), "lines": content.count(b"\n"), "sha256": digest}


def _payload_digest(entries: Sequence[Mapping[str, Any]]) -> str:
    digests = {entry["name"]: entry["sha256"] for entry in entries}
    return hashlib.sha256("".join(f"{digests[name]}  {name}\n" for name in PAYLOAD).encode()).hexdigest()
