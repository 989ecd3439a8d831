"""The tape: numbered, chained, counted, and read back to the same facts."""

import io
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from botproof.errors import HarnessError
from botproof.events import Covered, Fact, PositionSeen, RunEnded, Source, StopStep
from botproof.evidence.tape import Tape, read_tape
from botproof.invariants.coverage import Coverage


def position(size: str, at_us: int = 1) -> PositionSeen:
    return PositionSeen(
        src=Source.VENUE,
        t_local_us=at_us,
        symbol="BTCUSDT",
        size=Decimal(size),
        entry_price=None,
        mark_price=Decimal("67500.0"),
        via="poll",
    )


def ended() -> RunEnded:
    return RunEnded(src=Source.RUN, t_local_us=9, reason="ended", complete=True)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "tape.jsonl"
    with path.open("wb") as file:
        tape = Tape(file)
        for fact in (position("0"), position("0.0001", 2), ended()):
            tape.write(fact)
        tape.cover(Source.VENUE, 0, 9, 9)
    return path


def test_facts_are_numbered_in_the_order_of_writing() -> None:
    tape = Tape()
    assert [tape.write(fact).seq for fact in (position("0"), ended(), position("1"))] == [0, 1, 2]


def test_a_tape_is_read_back_to_the_same_facts(written: Path) -> None:
    reading = read_tape(written)
    assert [fact.kind for fact in reading.facts] == ["PositionSeen", "PositionSeen", "RunEnded", "Covered"]
    assert reading.facts[1] == replace(position("0.0001", 2), seq=1)
    assert reading.torn == b""


def test_a_line_that_was_taken_out_breaks_the_chain(written: Path) -> None:
    lines = written.read_bytes().splitlines(keepends=True)
    written.write_bytes(b"".join(lines[:1] + lines[2:]))
    with pytest.raises(HarnessError, match="line 2: the chain is broken"):
        read_tape(written)


def test_a_line_that_was_changed_breaks_the_chain_at_the_next(written: Path) -> None:
    written.write_bytes(written.read_bytes().replace(b'"size":"0.0001"', b'"size":"0.0000"'))
    with pytest.raises(HarnessError, match="line 3: the chain is broken"):
        read_tape(written)


def test_a_torn_last_line_is_told_apart_from_a_broken_chain(written: Path) -> None:
    written.write_bytes(written.read_bytes()[:-20])
    reading = read_tape(written)
    assert len(reading.facts) == 3
    assert reading.torn.startswith(b'{"seq":3')


def test_a_line_that_is_no_fact_is_named_with_its_number(written: Path) -> None:
    written.write_bytes(b'{"seq":0,"kind":"Rumour"}\n' + written.read_bytes())
    with pytest.raises(HarnessError, match=r"line 1: not a line of a tape.*Rumour"):
        read_tape(written)


def test_bytes_that_are_no_json_are_named_with_their_line(written: Path) -> None:
    written.write_bytes(b"\xff\xfe\n" + written.read_bytes())
    with pytest.raises(HarnessError, match="line 1: not a line of a tape"):
        read_tape(written)


def test_secrets_reach_neither_the_file_nor_the_facts() -> None:
    file = io.BytesIO()
    tape = Tape(file, secrets=("s3cret", ""))
    fact = tape.write(StopStep(src=Source.RUN, t_local_us=1, step="asked", outcome="x", detail="key s3cret"))
    assert isinstance(fact, StopStep)
    assert fact.detail == "key [redacted]"
    assert b"s3cret" not in file.getvalue()


def test_what_the_tape_covers_is_what_a_reader_counts(written: Path) -> None:
    coverage = Coverage()
    for fact in read_tape(written).facts:
        coverage.see(fact)
    assert coverage.missing(Source.VENUE, 0, 9) == ""
    assert coverage.missing(Source.RUN, 0, 9) == "facts of run are not covered to the end of the tape"


@pytest.mark.parametrize("gone", [0, 1])
def test_a_reader_who_lacks_a_fact_finds_its_source_uncovered(written: Path, gone: int) -> None:
    coverage = Coverage()
    for number, fact in enumerate(read_tape(written).facts):
        if number != gone:
            coverage.see(fact)
    assert "2 facts of venue were covered" in coverage.missing(Source.VENUE, 0, 9)


def test_a_stretch_that_was_not_asked_about_is_not_covered(written: Path) -> None:
    coverage = Coverage()
    for fact in read_tape(written).facts:
        coverage.see(fact)
    assert "for a part of the run only" in coverage.missing(Source.VENUE, 0, 10)


def test_facts_after_the_last_covered_uncover_their_source(written: Path) -> None:
    coverage = Coverage()
    for fact in (*read_tape(written).facts, position("0", 10)):
        coverage.see(fact)
    assert "not covered to the end" in coverage.missing(Source.VENUE, 0, 9)


def test_listeners_hear_every_fact_as_written() -> None:
    heard: list[Fact] = []
    tape = Tape()
    tape.listen(heard.append)
    tape.write(position("0"))
    tape.cover(Source.VENUE, 0, 1, 1)
    assert [type(fact) for fact in heard] == [PositionSeen, Covered]
    assert heard == tape.facts
