"""What a report says of a sealed run: the run on one screen, and where every byte of its evidence lies.

The folder of a run is the evidence; a report that carried all of it would be too heavy to open. So the report names
each file by size, lines and SHA-256, and quotes of the tape only what a failure is about. Both are written from what
stands in the sealed folder, so that a report can say nothing that the folder does not.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

QUOTED_MAX = 200  # lines of a tape
AROUND = 5  # lines before and after a fact that proves a breach
LINE_MAX = 4000  # characters; a bot may write rows as long as it likes

_LABEL = 10  # columns; a report wraps text at about ninety


def run_summary(run: Mapping[str, Any], manifest: Mapping[str, Any], *, closure: str, replay: str) -> str:
    """One screen of text from run.json and manifest.json; `closure` says what this run alone may claim."""
    said: dict[str, Sequence[str]] = {
        "scenario": [run["scenario"]],
        "replay": [replay],
        "bot": [f"{run['bot']} {run['bot_version']} on {run['venue']}, seed {run['seed']}"],
        "window": [_window(run["window_us"], is_complete=run["complete"])],
        "journal": [_agreement(run["disagreements"])],
        "closure": [closure],
        "profile": [run["profile_id"], run["profile_sha256"]],
        "terms": [run["terms_sha256"]],
        "payload": [manifest["payload_sha256"]],
        "evidence": ["in the folder of reports, each file with its sha256:", f"runs/{run['run_id']}/"],
    }
    lines = [f"{'' if at else label:<{_LABEL}}{text}" for label, texts in said.items() for at, text in enumerate(texts)]
    return "\n".join([*lines, *_files(manifest["files"]), ""])


def tape_excerpt(tape: bytes, proof: Sequence[int], entry: Mapping[str, Any]) -> str:
    """The lines of a tape around the sequence numbers in `proof`, each of which is marked, or its last lines.

    At most `QUOTED_MAX` lines of `LINE_MAX` characters; what is left out is counted where it stood. The first line
    tells the whole file by its `entry` of the manifest. A fact is told with blanks, so that a report can break its
    line, and without the hash of the line before it, which means nothing outside the whole.
    """
    *lines, _ = tape.decode().split("\n")  # a row of a bot may hold what else counts as the end of a line
    wanted = _around(proof, len(lines)) or range(max(0, len(lines) - QUOTED_MAX), len(lines))
    marked = frozenset(proof)
    quoted = [f"{entry['name']}: {entry['bytes']} bytes, {entry['lines']} lines, sha256 {entry['sha256']}"]
    for before, at in pairwise([-1, *wanted]):
        quoted += _left_out(at - before - 1)
        quoted.append(f"{'>' if at in marked else ' '} {_told(lines[at])}")
    quoted += _left_out(len(lines) - 1 - max(wanted, default=-1))
    return "\n".join([*quoted, ""])


def _around(proof: Iterable[int], count: int) -> list[int]:
    """The numbers of the lines around those in `proof`, in order; the first of them where they are too many."""
    wanted: set[int] = set()
    for seq in proof:
        near = {at for at in range(seq - AROUND, seq + AROUND + 1) if 0 <= at < count}
        if len(wanted | near) > QUOTED_MAX:
            break
        wanted |= near
    return sorted(wanted)


def _left_out(count: int) -> list[str]:
    return [f"... {count} line{'s' if count > 1 else ''} left out"] if count else []


def _told(line: str) -> str:
    body = json.loads(line)
    body.pop("prev", None)
    text = json.dumps(body, ensure_ascii=False)
    return text if len(text) <= LINE_MAX else f"{text[:LINE_MAX]}... {len(text) - LINE_MAX} characters left out"


def _files(entries: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for entry in entries:
        yield f"{'':<{_LABEL}}  {entry['name']}: {entry['bytes']} bytes, {entry['lines']} lines"
        yield f"{'':<{_LABEL}}    {entry['sha256']}"


def _window(window_us: Sequence[int] | None, *, is_complete: bool) -> str:
    if window_us is None:
        return "never opened"
    start_us, end_us = window_us
    length = f"{_moment(start_us)} to {_moment(end_us)} UTC, {(end_us - start_us) // 1_000_000} s"
    return f"{length}, {'complete' if is_complete else 'INCOMPLETE: it proves nothing'}"


def _agreement(disagreements: Sequence[str]) -> str:
    if not disagreements:
        return "the venue's journal and the tape agree"
    return f"{len(disagreements)} disagreement(s) with the tape, the first: {disagreements[0]}"


def _moment(at_us: int) -> str:
    return datetime.fromtimestamp(at_us // 1_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S")
