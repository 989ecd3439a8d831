"""What the folder of a run is: sealed and whole, sealed and altered since, or not sealed at all.

Only the first of them is evidence. Everything is looked up anew: each file against the manifest, the tape against its
own chain; what a folder of an earlier version does not say is not guessed.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from botproof.document import shown, shown_path
from botproof.errors import HarnessError, Refusal
from botproof.events import Fact, RunStarted
from botproof.evidence.files import INCOMPLETE, PAYLOAD, TAPE, is_written
from botproof.evidence.stretch import name
from botproof.evidence.tape import read_tape
from botproof.invariants.verdict import Outcome
from botproof.notrade.window import iso

MANIFEST, RUN, VERDICTS = "manifest.json", "run.json", "verdicts.json"
MARKS = (MANIFEST, RUN, TAPE, INCOMPLETE)  # one of them tells the folder of a run from others
FLAWS_SHOWN = 7
_LABEL = 10


@dataclass(slots=True)
class Folder:
    """What was found in the folder of a run; `flaws` say why it is no evidence."""

    path: Path
    is_sealed: bool
    is_going_on: bool = False
    flaws: list[str] = field(default_factory=list)
    said: dict[str, str] = field(default_factory=dict)  # by label

    @property
    def is_evidence(self) -> bool:
        """Whether the run was sealed, and every byte is as it was then."""
        return self.is_sealed and not self.flaws

    def report(self) -> Iterator[str]:
        """The lines of the answer."""
        yield f"{shown_path(self.path)}: {self._state()}"
        for label, text in self.said.items():
            yield f"{label + ':':<{_LABEL}} {text}"
        for flaw in self.flaws[:FLAWS_SHOWN]:
            yield f"  {flaw}"
        if len(self.flaws) > FLAWS_SHOWN:
            yield f"  and {len(self.flaws) - FLAWS_SHOWN} more"

    def _state(self) -> str:
        if not self.is_sealed:
            why = "it is going on" if self.is_going_on else "it was cut short"
            return f"{INCOMPLETE}: a run that is not sealed ({why}); it proves nothing"
        if self.flaws:
            return (
                f"NOT WHOLE: a sealed run of which {len(self.flaws)} thing(s) are not as they were; it proves nothing"
            )
        return "a sealed run; every file is as it was sealed"


def run_folder(path: Path) -> Path | None:
    """The run's folder that `path` is, or one of whose files it is, rows apart; None where there is none."""
    try:
        if path.is_dir():
            return path if any((path / mark).exists() for mark in MARKS) else None
        return path.parent if path.name in (*MARKS, VERDICTS) and path.is_file() else None
    except (OSError, ValueError):  # a name that no file system takes
        return None


def inspect_folder(path: Path) -> Folder:
    """Look a run's folder through. Raises `Refusal` where it cannot be read."""
    try:
        names = {entry.name for entry in path.iterdir()}
    except OSError as error:
        raise Refusal(f"{shown_path(path)}: expected the folder of a run, found: {error.strerror}") from error
    found = Folder(path, is_sealed=MANIFEST in names and INCOMPLETE not in names)
    found.is_going_on = not found.is_sealed and is_written(path / TAPE)
    facts = _tape(found)
    _run(found, facts)
    if found.is_sealed:
        _files(found, names)
    if VERDICTS in names:
        _verdicts(found)
    return found


def _tape(found: Folder) -> tuple[Fact, ...]:
    try:
        reading = read_tape(found.path / TAPE)
    except OSError as error:
        found.flaws.append(f"{TAPE} cannot be read: {error.strerror}")
        return ()
    except HarnessError as error:
        text = str(error).removeprefix(f"{found.path / TAPE}, ")
        found.flaws.append(f"{TAPE}, {text} (lines of another version cannot be read by this one)")
        return ()
    facts = reading.facts
    extent = f", {iso(facts[0].t_local_us)} to {iso(facts[-1].t_local_us)}" if facts else ""
    found.said["tape"] = f"{len(facts)} facts{extent}; the chain is intact"
    if reading.torn:
        found.flaws.append(f"{TAPE} ends in a torn line of {len(reading.torn)} bytes, after line {len(facts)}")
    return facts


def _run(found: Folder, facts: tuple[Fact, ...]) -> None:
    """Which run it is, by the first fact on its tape and by its run.json."""
    started = next((fact for fact in facts if isinstance(fact, RunStarted)), None)
    if started is not None:
        found.said["run"] = name(started.run_id)
        found.said["scenario"] = name(started.scenario)
        found.said["bot"] = f"{name(started.bot)} {name(started.bot_version)} on {started.venue}, seed {started.seed}"
        found.said["profile"] = f"{name(started.profile_id)} {started.profile_sha256}"
    if not found.is_sealed:
        return
    told = _json(found, RUN, dict)
    if told is None:
        return
    found.said["sealed by"] = f"pytest-botproof {name(_version(told))}"
    if told.get("complete") is not True:
        found.flaws.append(f"{RUN} does not say that the run is complete")
    if started is not None and told.get("run_id") != started.run_id:
        found.flaws.append(f"{RUN} is of another run than the tape: {shown(str(told.get('run_id')))}")


def _version(told: Mapping[str, Any]) -> str:
    """Which version of ours sealed the run."""
    said: Any = told
    for key in ("circumstances", "versions", "pytest-botproof"):
        said = said.get(key) if isinstance(said, dict) else None
    return said if isinstance(said, str) else "of a version that is not told"


def _files(found: Folder, names: set[str]) -> None:
    """Every file against the manifest, and the manifest against the folder."""
    manifest = _json(found, MANIFEST, dict)
    entries = manifest.get("files") if manifest is not None else None
    if not isinstance(entries, list) or not all(_is_entry(entry) for entry in entries):
        found.flaws.append(f"{MANIFEST} does not list the files with their sha256")
        return
    listed = {entry["name"]: entry["sha256"] for entry in entries}
    found.said["files"] = f"{len(listed)} in its manifest"
    found.flaws += [f"{name(each)} is not in the manifest" for each in sorted(names - listed.keys() - {MANIFEST})]
    found.flaws += [f"{each} is missing in the manifest" for each in PAYLOAD if each not in listed]
    for each, sha256 in listed.items():
        try:
            if hashlib.sha256((found.path / Path(each).name).read_bytes()).hexdigest() != sha256:
                found.flaws.append(f"{name(each)} is not the file that was sealed: its sha256 differs")
        except (OSError, ValueError) as error:
            found.flaws.append(f"{name(each)} cannot be read: {getattr(error, 'strerror', None) or error}")


def _is_entry(entry: Any) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("name"), str) and isinstance(entry.get("sha256"), str)


def _verdicts(found: Folder) -> None:
    verdicts = _json(found, VERDICTS, list)
    if verdicts is None:
        return
    outcomes = [verdict.get("outcome") for verdict in verdicts if isinstance(verdict, Mapping)]
    counts = Counter(outcome for outcome in outcomes if isinstance(outcome, str))
    found.said["verdicts"] = ", ".join(f"{counts[outcome.value]} {outcome.value}" for outcome in Outcome)


def _json(found: Folder, file: str, kind: type) -> Any:
    """What a file of the folder says; None, with the flaw, where it says nothing."""
    try:
        body = orjson.loads((found.path / file).read_bytes())
    except OSError as error:
        found.flaws.append(f"{file} cannot be read: {error.strerror}")
        return None
    except ValueError:
        found.flaws.append(f"{file} is no JSON")
        return None
    if not isinstance(body, kind):
        found.flaws.append(f"{file} holds no {'object' if kind is dict else 'list'}")
        return None
    return body
