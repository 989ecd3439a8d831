"""The reader of the bot's files: what stands there comes out, whatever it is, and the bytes are known afterwards."""

import csv
import hashlib
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botproof.errors import Refusal
from botproof.evidence.botfile import BLOCK, LINE_MAX, BotFile

CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), max_size=12)


def read(path: Path, content: bytes) -> tuple[BotFile, list[tuple[int, list[str] | None]]]:
    path.write_bytes(content)
    with BotFile(path) as file:
        return file, list(file)


@given(st.lists(st.lists(CELLS, min_size=2, max_size=6), min_size=1, max_size=8), st.sampled_from(("\n", "\r\n")))
def test_it_reads_what_a_writer_of_csv_wrote(tmp_path_factory, rows, end):
    path = tmp_path_factory.mktemp("bot") / "minute.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator=end).writerows(rows)
    with BotFile(path) as file:
        assert [file.header, *(cells for _, cells in file)] == rows
        assert file.damage() == []


@given(st.text(st.sampled_from('ab,"\r 1'), max_size=20))
def test_a_line_has_the_cells_of_csv_reader_or_none(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("bot") / "minute.csv"
    _, records = read(path, f"ts,mid\n{text}\n".encode())
    try:
        expected = next(csv.reader((text.rstrip("\r"),), strict=True), [])
    except csv.Error:
        expected = None
    assert [cells for _, cells in records] == ([] if expected == [] else [expected])


@given(st.binary(max_size=400))
def test_any_bytes_are_read_to_their_end(tmp_path_factory, content):
    file, records = read(tmp_path_factory.mktemp("bot") / "minute.csv", content)
    assert file.size == len(content)
    assert file.sha256 == hashlib.sha256(content).hexdigest()
    assert len(records) + file.empty_lines + bool(file.header) <= content.count(b"\n") + 1


def test_lines_are_numbered_as_an_editor_numbers_them(tmp_path: Path):
    file, records = read(tmp_path / "minute.csv", b"ts,mid\n1,2\n\n3,4\r\n5,6")
    assert records == [(2, ["1", "2"]), (4, ["3", "4"]), (5, ["5", "6"])]
    assert (file.lines, file.empty_lines, file.ends_torn) == (5, 1, True)


def test_an_open_quote_does_not_swallow_what_follows(tmp_path: Path):
    _, records = read(tmp_path / "minute.csv", b'ts,mid\n1,"2\n3,4\n5,6"\n')
    assert records == [(2, None), (3, ["3", "4"]), (4, ["5", '6"'])]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "the file is empty"),
        ("ts,mid\n".encode("utf-16"), "UTF-16"),
        (b"ts,mid\n1,2\n\0\0", "a NUL byte at 11"),
        (b"ts,mid\n1,\xe4\n", "not UTF-8"),
        (b"ts,mid\n1,\xc3", "not UTF-8"),
    ],
)
def test_damage_is_named(tmp_path: Path, content: bytes, says: str):
    file, _ = read(tmp_path / "minute.csv", content)
    assert says in " ".join(file.damage())


def test_a_byte_order_mark_is_no_part_of_the_header(tmp_path: Path):
    file, _ = read(tmp_path / "minute.csv", b"\xef\xbb\xbfts,mid\n")
    assert (file.header, file.has_mark, file.damage()) == (["ts", "mid"], True, [])


def test_a_character_on_the_edge_of_a_block_is_one_character(tmp_path: Path):
    lead = b"ts,mid\n" + b"x" * (BLOCK - 8)
    file, records = read(tmp_path / "minute.csv", lead + "ä,1\n".encode())
    assert file.damage() == []
    assert records[-1][1] == ["x" * (BLOCK - 8) + "ä", "1"]


def test_a_line_without_end_takes_no_more_than_its_share(tmp_path: Path):
    path = tmp_path / "minute.csv"
    path.write_bytes(b"ts,mid\n" + b"x" * (8 * LINE_MAX))
    tracemalloc.start()
    with BotFile(path) as file:
        records = sum(1 for _ in file)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert records == 8
    assert peak < 12 * LINE_MAX


def test_memory_does_not_grow_with_the_file(tmp_path: Path):
    def peak(rows: int) -> int:
        path = tmp_path / "minute.csv"
        path.write_bytes(b"ts,mid\n" + b"2026-02-22T01:00:00.000000+00:00,67500\n" * rows)
        tracemalloc.start()
        with BotFile(path) as file:
            for _ in file:
                pass
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    assert peak(100_000) < 1.5 * peak(10_000)


@pytest.mark.parametrize("name", ["", "missing.csv", "\0", "x" * 5000])
def test_what_is_no_file_is_refused_in_a_line(tmp_path: Path, name: str):
    with pytest.raises(Refusal, match="expected a CSV file, found"):
        BotFile(tmp_path / name)
