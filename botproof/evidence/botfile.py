"""A CSV file that a bot left, read as it is: once, in constant memory, whatever stands in it.

    with BotFile(path) as file:
        file.header                    the cells of the first record
        for line, cells in file: ...   the other records; cells is None where the file is damaged there
        file.damage()                  after the last record: what is wrong with the file as a whole
        file.sha256, file.size         of all its bytes, read in the same pass

Nothing is guessed and nothing is mended: a record has the cells that CSV gives it, of whatever number, empty lines are
counted and left out, and what the columns mean is the reader's business. A record is one line: a cell that runs on
into the next line is an open quote, which must not swallow the rows that follow it, so each such line is damage. Bytes
that are not UTF-8 come through as lone surrogates, and the pass goes on: every later record is still seen.

A line without a quote is what splitting at its commas gives, at a third of the price of `csv.reader`; the others go
through `csv.reader`. Both ways give the same cells (tested on random lines).
"""

import codecs
import csv
import hashlib
import re
from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Self

from botproof.document import shown_path
from botproof.errors import Refusal

BLOCK = 1 << 17
LINE_MAX = 1 << 20
_SURROGATE = re.compile("[\ud800-\udfff]")
UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

Record = tuple[int, list[str] | None]
"""The number of the line, counted from 1, and its cells; None where they cannot be read."""


class BotFile:
    """One pass over one file. Raises `Refusal` where it cannot be opened or read."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.header: list[str] = []
        self.lines = 0
        self.empty_lines = 0
        self._file = _opened(self.path)
        self._bytes = _Bytes()
        self._records = self._read()
        self.header = next((cells for _, cells in self._records if cells is not None), [])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def __iter__(self) -> Iterator[Record]:
        """The records after the header; the second time there are none."""
        return self._records

    @property
    def size(self) -> int:
        """Bytes read so far; of the whole file after the last record."""
        return self._bytes.size

    @property
    def sha256(self) -> str:
        """Of the bytes read so far; of the whole file after the last record."""
        return self._bytes.digest.hexdigest()

    @property
    def ends_torn(self) -> bool:
        """Whether the last line has no end."""
        return self._bytes.size > 0 and self._bytes.last not in (b"\n", b"\r")

    @property
    def has_mark(self) -> bool:
        """Whether it begins with the byte-order mark of UTF-8."""
        return self._bytes.head.startswith(codecs.BOM_UTF8)

    def damage(self) -> list[str]:
        """What is wrong with the file as a whole, as far as it was read: expected a text of UTF-8, found ..."""
        read = self._bytes
        if not read.size:
            return ["the file is empty"]
        if read.head[:2] in UTF16:
            return ["the file is UTF-16, not UTF-8"]
        found = []
        if read.nul_at is not None:
            found.append(f"a NUL byte at {read.nul_at}")
        if read.is_foreign:
            found.append("bytes that are not UTF-8")
        return found

    def _read(self) -> Iterator[Record]:
        for lines, is_plain in self._blocks():
            first = self.lines + 1
            self.lines += len(lines)
            for number, text in enumerate(lines, first):
                if is_plain and text:
                    yield number, text.split(",")
                elif bare := text.rstrip("\r"):
                    yield number, _cells(bare)
                else:
                    self.empty_lines += 1

    def _blocks(self) -> Iterator[tuple[list[str], bool]]:
        """Lines without their ends, and whether none of them holds a quote or a carriage return.

        A line that is longer than `LINE_MAX` is cut there, and fits no header.
        """
        rest = ""
        while block := self._next_block():
            text = rest + self._bytes.read(block)
            *lines, rest = text.split("\n")
            if len(rest) > LINE_MAX:
                lines.append(rest)
                rest = ""
            yield lines, '"' not in text and "\r" not in text
        rest += self._bytes.read(b"")
        if rest:
            yield [rest], False

    def _next_block(self) -> bytes:
        try:
            return self._file.read(BLOCK) or b""
        except OSError as error:
            raise Refusal(f"{shown_path(self.path)}: cannot be read: {error.strerror}") from error


def _cells(text: str) -> list[str] | None:
    """The cells of one line, which is a record of its own; None where it is not a whole one."""
    try:
        return next(csv.reader((text,), strict=True))
    except csv.Error:
        return None


def _opened(path: Path) -> FileIO:
    try:
        if path.is_dir():
            raise Refusal(f"{shown_path(path)}: expected a CSV file, found a directory")
        if not path.is_file():
            raise Refusal(
                f"{shown_path(path)}: expected a CSV file, found {'no regular' if path.exists() else 'no such'} file"
            )
        return path.open("rb", buffering=0)
    except OSError as error:
        raise Refusal(f"{shown_path(path)}: expected a CSV file, found: {error.strerror}") from error
    except ValueError:
        raise Refusal(f"{shown_path(path)}: expected a CSV file, found a path that cannot exist") from None


class _Bytes:
    """Bytes on their way to text: counted, hashed, and looked at for what no text holds."""

    def __init__(self) -> None:
        self._text = codecs.getincrementaldecoder("utf-8-sig")("surrogateescape")
        self.digest = hashlib.sha256()
        self.size = 0
        self.head = self.last = b""
        self.nul_at: int | None = None
        self.is_foreign = False

    def read(self, block: bytes) -> str:
        """The text of the next block; an empty one ends it."""
        self.digest.update(block)
        self.head = self.head or block[:4]
        self.last = block[-1:] or self.last
        if self.nul_at is None and (at := block.find(b"\0")) >= 0:
            self.nul_at = self.size + at
        self.size += len(block)
        text = self._text.decode(block, final=not block)
        if not (self.is_foreign or text.isascii()):
            self.is_foreign = _SURROGATE.search(text) is not None
        return text
