"""The summary of a sealed run, and what is quoted of its tape."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import pytest

from botproof.evidence.summary import AROUND, LINE_MAX, QUOTED_MAX, run_summary, tape_excerpt

RUN: Mapping[str, Any] = {
    "run_id": "r1",
    "scenario": "a.feature it holds",
    "bot": "reference",
    "bot_version": "1",
    "venue": "fake",
    "seed": 7,
    "profile_id": "p",
    "profile_sha256": "1" * 64,
    "terms_sha256": "2" * 64,
    "complete": True,
    "window_us": [1_771_722_060_000_000, 1_771_722_960_000_000],
    "disagreements": [],
}
ENTRY = {"name": "tape.jsonl", "bytes": 12, "lines": 3, "sha256": "4" * 64}
MANIFEST: Mapping[str, Any] = {"payload_sha256": "3" * 64, "files": [ENTRY]}


def summary(**changes: object) -> list[str]:
    return run_summary({**RUN, **changes}, MANIFEST, closure="PARTIAL", replay="pytest -k it").splitlines()


def tape(count: int, **texts: str) -> bytes:
    rows = ({"seq": seq, "text": texts.get(f"at{seq}", ""), "prev": "0" * 64} for seq in range(count))
    return b"".join(orjson.dumps(row) + b"\n" for row in rows)


def quoted(text: str) -> list[int]:
    """The numbers of the lines that are quoted."""
    return [orjson.loads(line[2:])["seq"] for line in text.split("\n") if line[2:].startswith("{")]


def left_out(text: str) -> list[str]:
    return [line for line in text.split("\n") if line.startswith("...")]


def excerpt(count: int, *proof: int) -> str:
    return tape_excerpt(tape(count), proof, ENTRY)


def test_a_summary_says_what_was_judged_when_and_how_it_is_run_again() -> None:
    assert summary() == [
        "scenario  a.feature it holds",
        "replay    pytest -k it",
        "bot       reference 1 on fake, seed 7",
        "window    2026-02-22 01:01:00 to 2026-02-22 01:16:00 UTC, 900 s, complete",
        "journal   the venue's journal and the tape agree",
        "closure   PARTIAL",
        "profile   p",
        f"          {'1' * 64}",
        f"terms     {'2' * 64}",
        f"payload   {'3' * 64}",
        "evidence  in the folder of reports, each file with its sha256:",
        "          runs/r1/",
        "            tape.jsonl: 12 bytes, 3 lines",
        f"              {'4' * 64}",
    ]


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            {"complete": False},
            "window    2026-02-22 01:01:00 to 2026-02-22 01:16:00 UTC, 900 s, INCOMPLETE: it proves nothing",
        ),
        ({"window_us": None, "complete": False}, "window    never opened"),
        ({"disagreements": ["a", "b"]}, "journal   2 disagreement(s) with the tape, the first: a"),
    ],
)
def test_what_devalues_a_run_is_said(changes: Mapping[str, object], line: str) -> None:
    assert line in summary(**changes)


def test_the_lines_around_a_proof_are_quoted_and_the_others_counted_where_they_stood() -> None:
    text = excerpt(100, 50)
    assert quoted(text) == list(range(50 - AROUND, 50 + AROUND + 1))
    assert left_out(text) == ["... 45 lines left out", "... 44 lines left out"]
    assert text.startswith(f"tape.jsonl: 12 bytes, 3 lines, sha256 {'4' * 64}\n... 45")


def test_proofs_that_stand_close_together_are_quoted_once() -> None:
    text = excerpt(100, 20, 24)
    assert quoted(text) == list(range(20 - AROUND, 24 + AROUND + 1))


def test_a_single_line_between_two_proofs_is_counted_as_one() -> None:
    assert left_out(excerpt(30, 5, 5 + 2 * AROUND + 2)) == ["... 1 line left out", "... 7 lines left out"]


@pytest.mark.parametrize("seq", [0, 29])
def test_a_proof_at_an_end_of_the_tape_is_quoted(seq: int) -> None:
    assert seq in quoted(excerpt(30, seq))


def test_where_nothing_is_proven_the_last_lines_are_quoted() -> None:
    text = excerpt(QUOTED_MAX + 5)
    assert quoted(text) == list(range(5, QUOTED_MAX + 5))
    assert left_out(text) == ["... 5 lines left out"]


def test_a_short_tape_is_quoted_whole() -> None:
    assert quoted(excerpt(QUOTED_MAX)) == list(range(QUOTED_MAX))
    assert not left_out(excerpt(QUOTED_MAX))


def test_of_many_proofs_the_first_are_quoted() -> None:
    proofs: Sequence[int] = range(900, 0, -20)
    seqs = quoted(excerpt(1000, *proofs))
    assert len(seqs) <= QUOTED_MAX
    assert 900 in seqs
    assert 20 not in seqs


def test_what_proves_the_breach_is_marked() -> None:
    lines = excerpt(30, 4, 6).split("\n")
    assert [line for line in lines if line.startswith(">")] == ['> {"seq": 4, "text": ""}', '> {"seq": 6, "text": ""}']


def test_a_line_that_is_too_long_is_cut_and_says_so() -> None:
    line = tape_excerpt(tape(1, at0="x" * LINE_MAX), (), ENTRY).split("\n")[1]
    assert line == '  {"seq": 0, "text": "' + "x" * (LINE_MAX - 20) + "... 22 characters left out"


def test_what_else_may_end_a_line_ends_none_of_a_tape() -> None:
    separators = "".join(map(chr, itertools.chain(range(0x0B, 0x0D), [0x85, 0x2028])))
    assert quoted(tape_excerpt(tape(3, at1=separators), (2,), ENTRY)) == [0, 1, 2]
