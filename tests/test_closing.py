"""The closure as tables: what a report shows whole."""

import csv
import io
from dataclasses import replace

import pytest

from botproof.closure import Closure, Requirement, RunRecord, Status
from botproof.evidence.closing import requirements_table, runs_table

CLOSURE = Closure(
    status=Status.PARTIAL,
    requirements=(
        Requirement(id="K0", text="the bot judged is the bot", shown=True, reason="it is, by name and version"),
        Requirement(id="K1", text="accepted in writing", shown=False, reason='no "approval" is on record'),
    ),
)
RUN = RunRecord(
    run_id="r1",
    scenario="s",
    bot="bot1",
    bot_version="7",
    venue="fake",
    profile_id="p",
    profile_sha256="0" * 64,
    terms_sha256="1" * 64,
    mode="live_microcap",
    complete=True,
    agreement=False,
    window_s=900,
    verdicts=(),
)


def read(table: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(table)))


def test_every_requirement_has_its_line_with_the_reason() -> None:
    assert read(requirements_table(CLOSURE)) == [
        ["requirement", "status"],
        ["K0 the bot judged is the bot", "shown: it is, by name and version"],
        ["K1 accepted in writing", 'missing: no "approval" is on record'],
    ]


@pytest.mark.parametrize(
    ("complete", "agreement", "worth"),
    [
        (True, True, "complete, agrees with the journal"),
        (True, False, "complete, disagrees with the journal"),
        (False, True, "incomplete, agrees with the journal"),
    ],
)
def test_every_run_has_its_line(complete: bool, agreement: bool, worth: str) -> None:
    assert read(runs_table([replace(RUN, complete=complete, agreement=agreement)])) == [
        ["run", "judged", "worth"],
        ["r1", "bot1 7 on fake, p", worth],
    ]
