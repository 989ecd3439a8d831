"""One folder a run: written under a hidden name while the run lasts, renamed whole when it is sealed.

    reports/runs/.<run_id>.part/     while it runs, and what is left of a run that was cut short
    reports/runs/<run_id>/           sealed: manifest.json lists the size and SHA-256 of every other file

The payload (tape, minute, fills, orders, incidents, verdicts) depends on seed, version and terms alone; what depends
on the machine and the day stands in the `circumstances` of run.json. A folder of the same run is replaced whole.
"""

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from botproof.errors import Refusal
from botproof.evidence.redact import redact
from botproof.evidence.rows import FILLS, MINUTE, row_text, values_text

PAYLOAD = ("tape.jsonl", "minute.csv", "fills.csv", "orders.csv", "incidents.jsonl", "verdicts.json")


class RunFolder:
    """Where one run leaves its evidence. Raises `Refusal` where the folder cannot be written."""

    def __init__(self, reports: Path, run_id: str, *, secrets: Sequence[str] = ()) -> None:
        self.final = reports / "runs" / run_id
        self._secrets = tuple(secrets)
        self.path = reports / "runs" / f".{run_id}.part"
        try:
            shutil.rmtree(self.path, ignore_errors=True)
            self.path.mkdir(parents=True)
            self.tape_file: BinaryIO = (self.path / "tape.jsonl").open("wb")
            self._rows = {name: (self.path / name).open("w", newline="") for name in ("minute.csv", "fills.csv")}
        except OSError as error:
            raise Refusal(f"the run's evidence goes to {self.path}, which cannot be written: {error}") from error
        self._rows["minute.csv"].write(values_text(MINUTE))
        self._rows["fills.csv"].write(values_text(FILLS))

    def minute(self, row: Mapping[str, str]) -> None:
        """Append a row of minute.csv."""
        self._rows["minute.csv"].write(redact(row_text(MINUTE, row), self._secrets))

    def fill(self, row: Mapping[str, str]) -> None:
        """Append a row of fills.csv."""
        self._rows["fills.csv"].write(redact(row_text(FILLS, row), self._secrets))

    def text(self, name: str, content: str) -> None:
        """Write a whole file."""
        (self.path / name).write_text(redact(content, self._secrets))

    def json(self, name: str, content: Any) -> None:
        """Write a whole JSON file, as `json_text` puts it."""
        self.text(name, json_text(content))

    def flush(self) -> None:
        """Hand what was written to the operating system."""
        for file in self._rows.values():
            file.flush()
        self.tape_file.flush()

    def seal(self) -> Path:
        """Close the files, write the manifest, put the folder under its own name; returns it."""
        self.close()
        entries = [_entry(path) for path in sorted(self.path.iterdir())]
        self.json("manifest.json", {"files": entries, "payload_sha256": _payload_digest(self.path)})
        if self.final.exists():
            shutil.rmtree(self.final)
        self.path.rename(self.final)
        return self.final

    def discard(self) -> None:
        """Close the files and remove the folder: nothing was seen yet."""
        self.close()
        shutil.rmtree(self.path)

    def close(self) -> None:
        """Close the files and leave the folder under its hidden name."""
        self.tape_file.close()
        for file in self._rows.values():
            file.close()


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
    return {"name": path.name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def _payload_digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for name in PAYLOAD:
        digest.update(f"{name}\n".encode())
        digest.update((folder / name).read_bytes())
    return digest.hexdigest()
