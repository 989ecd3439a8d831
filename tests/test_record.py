"""A run's record: the same after a way through its folder."""

from decimal import Decimal
from pathlib import Path

import orjson
import pytest

from botproof.closure import RunRecord
from botproof.errors import HarnessError
from botproof.invariants.verdict import Outcome, Verdict
from botproof.record import read_record, record_json, verdict_json

RECORD = RunRecord(
    run_id="r",
    scenario="s",
    bot="reference",
    bot_version="1",
    venue="fake",
    profile_id="p",
    profile_sha256="0" * 64,
    terms_sha256="1" * 64,
    mode="live_microcap",
    complete=True,
    agreement=False,
    window_s=900,
    verdicts=(
        Verdict(
            id="E1",
            promise="p",
            outcome=Outcome.BROKEN,
            proof=(1, 2),
            exercise=3,
            peak=Decimal("20.22638"),
            limit=Decimal(20),
            unit="USDT",
            reason="r",
        ),
        Verdict(id="E7", promise="p", outcome=Outcome.NOT_SHOWN, reason="not built"),
        Verdict(id="E11", promise="p", outcome=Outcome.NOT_SHOWN, needed=2, exercise=1, lacks_only_exercise=True),
    ),
)


def write(folder: Path) -> None:
    (folder / "run.json").write_bytes(orjson.dumps(record_json(RECORD)))
    (folder / "verdicts.json").write_bytes(orjson.dumps([verdict_json(verdict) for verdict in RECORD.verdicts]))


def test_a_record_comes_back_as_it_was_written(tmp_path: Path) -> None:
    write(tmp_path)
    assert read_record(tmp_path) == RECORD


@pytest.mark.parametrize("told", [None, "true", 1, {}])
def test_a_folder_that_does_not_say_what_a_verdict_lacks_is_read_as_lacking_more_than_exercise(
    tmp_path: Path, told: object
) -> None:
    write(tmp_path)
    bodies = [verdict_json(verdict) for verdict in RECORD.verdicts]
    for body in bodies:
        if told is None:
            del body["lacks_only_exercise"]
        else:
            body["lacks_only_exercise"] = told
    (tmp_path / "verdicts.json").write_bytes(orjson.dumps(bodies))
    assert not any(verdict.lacks_only_exercise for verdict in read_record(tmp_path).verdicts)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'{"run_id": "x"}'])
def test_a_folder_without_a_whole_run_json_is_refused(tmp_path: Path, content: bytes) -> None:
    write(tmp_path)
    (tmp_path / "run.json").write_bytes(content)
    with pytest.raises(HarnessError, match=r"expected run\.json and verdicts\.json"):
        read_record(tmp_path)


@pytest.mark.parametrize("content", [b"", b"{", b"null", b'[{"id": "E1"}]', b"[7]"])
def test_a_folder_without_whole_verdicts_is_refused(tmp_path: Path, content: bytes) -> None:
    write(tmp_path)
    (tmp_path / "verdicts.json").write_bytes(content)
    with pytest.raises(HarnessError, match=r"expected run\.json and verdicts\.json"):
        read_record(tmp_path)


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match="FileNotFoundError"):
        read_record(tmp_path / "nowhere")
