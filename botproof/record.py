"""A run as the closure needs it, written into its sealed folder, read back from there, and judged again from there."""

import hashlib
from collections.abc import Mapping
from dataclasses import fields
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson

from botproof.closure import RunRecord
from botproof.errors import HarnessError
from botproof.events import RunStarted
from botproof.evidence.tape import read_tape
from botproof.invariants.judge import judge
from botproof.invariants.verdict import Outcome, Verdict
from botproof.money import plain
from botproof.profile import Profile
from botproof.terms import Terms

FIELDS = tuple(field.name for field in fields(RunRecord) if field.name != "verdicts")


def record_json(record: RunRecord) -> dict[str, Any]:
    """What run.json says of a run; its verdicts stand in verdicts.json."""
    return {name: getattr(record, name) for name in FIELDS}


def verdict_json(verdict: Verdict) -> dict[str, Any]:
    """A verdict as it stands in verdicts.json."""
    return {
        "id": verdict.id,
        "outcome": verdict.outcome.value,
        "promise": verdict.promise,
        "exercise": verdict.exercise,
        "needed": verdict.needed,
        "peak": None if verdict.peak is None else plain(verdict.peak),
        "limit": None if verdict.limit is None else plain(verdict.limit),
        "unit": verdict.unit,
        "reason": verdict.reason,
        "lacks_only_exercise": verdict.lacks_only_exercise,
        "proof": list(verdict.proof),
    }


def read_record(folder: Path) -> RunRecord:
    """The record of a sealed run; raises `HarnessError` where the folder holds none."""
    try:
        run = orjson.loads((folder / "run.json").read_bytes())
        verdicts = orjson.loads((folder / "verdicts.json").read_bytes())
        return RunRecord(
            **{name: run[name] for name in FIELDS} | {"incidents": tuple(run["incidents"])},
            verdicts=tuple(_verdict(verdict) for verdict in verdicts),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise HarnessError(f"{folder}: expected run.json and verdicts.json of a sealed run: {error!r}") from error


def judge_again(folder: Path) -> tuple[Verdict, ...]:
    """The verdicts on the tape of a sealed run, by the profile and the terms that lie beside it.

    What an earlier judgement said is not read. Raises `HarnessError` where the tape is no tape, or where the folder
    holds no file with the sha256 of the profile or the terms that the tape names.
    """
    try:
        facts = read_tape(folder / "tape.jsonl").facts
        files = {hashlib.sha256(path.read_bytes()).hexdigest(): path for path in sorted(folder.glob("*.yml"))}
    except OSError as error:
        raise HarnessError(f"{folder}: expected the folder of a sealed run: {error}") from error
    started = next((fact for fact in facts if isinstance(fact, RunStarted)), None)
    if started is None:
        raise HarnessError(f"{folder}: the tape does not say which run it is of: it holds no RunStarted")
    profile = _named(files, started.profile_sha256, "profile", folder)
    terms = _named(files, started.terms_sha256, "terms", folder)
    return judge(facts, Profile.load(profile), Terms.load(terms))


def _named(files: Mapping[str, Path], sha256: str, what: str, folder: Path) -> Path:
    if sha256 not in files:
        found = ", ".join(path.name for path in files.values()) or "none"
        raise HarnessError(f"{folder}: expected the {what} with the sha256 {sha256} of the tape, found {found}")
    return files[sha256]


def _verdict(body: Mapping[str, Any]) -> Verdict:
    return Verdict(
        id=body["id"],
        promise=body["promise"],
        outcome=Outcome(body["outcome"]),
        proof=tuple(body["proof"]),
        exercise=body["exercise"],
        needed=body["needed"],
        peak=_amount(body["peak"]),
        limit=_amount(body["limit"]),
        unit=body["unit"],
        reason=body["reason"],
        lacks_only_exercise=body.get("lacks_only_exercise") is True,  # folders of earlier versions do not say it
    )


def _amount(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
