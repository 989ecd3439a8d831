"""A run as the closure needs it, written into its sealed folder and read back from there."""

from collections.abc import Mapping
from dataclasses import fields
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson

from botproof.closure import RunRecord
from botproof.errors import HarnessError
from botproof.invariants.verdict import Outcome, Verdict
from botproof.money import plain

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
    )


def _amount(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
