"""What a scripted exchange brought back, in order, and where two of them part.

An entry is an answer (status, headers, body) or a frame, with the act of the script that it followed. The digest is
over all of them. Headers are compared by lower-case name, in order of name. Left out is what the server of a carrier
adds on its own account (`date`, `server`) and what says how a carrier frames an answer (`connection`, `content-length`,
`transfer-encoding`): the body itself is compared.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import NamedTuple

from botproof.evidence.rows import values_text

OF_THE_CARRIER = frozenset({b"connection", b"content-length", b"date", b"server", b"transfer-encoding"})
ANSWER = "answer"
_SHOWN = 60  # characters about the place where two texts part


class Entry(NamedTuple):
    """`act` is the act that it followed, `source` an answer or the line that the frame came on."""

    act: str
    source: str
    text: str

    def __str__(self) -> str:
        return f"after `{self.act}`: {self.source}"


@dataclass(slots=True)
class Transcript:
    """The entries in order, and how many there are of each kind."""

    entries: list[Entry] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def digest(self) -> str:
        """The sha256 over every entry, hexadecimal."""
        digest = hashlib.sha256()
        for entry in self.entries:
            for part in entry:
                digest.update(b"%d:" % len(part) + part.encode("utf-8", "surrogatepass"))
        return digest.hexdigest()

    def table(self) -> str:
        """A line an entry, as CSV: the act, what came back, its first words and its sha256."""
        lines = [("after", "came", "begins", "sha256")]
        for entry in self.entries:
            begin = entry.text.rpartition("\n")[2][:_SHOWN]
            lines.append(
                (entry.act[:_SHOWN], entry.source, begin, hashlib.sha256(entry.text.encode()).hexdigest()[:12])
            )
        return "".join(map(values_text, lines))

    def note(self, act: str, source: str, text: str, kind: str) -> None:
        """Add an entry; `kind` is what it counts as."""
        self.entries.append(Entry(act, source, text))
        self.counts[kind] += 1


def answer_text(status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> str:
    """An answer as one text, byte for byte."""
    named = sorted((name.lower(), value) for name, value in headers if name.lower() not in OF_THE_CARRIER)
    head = b"".join(name + b": " + value + b"\n" for name, value in named)
    return (b"%d\n" % status + head + b"\n" + body).decode("latin-1")


def first_difference(expected: Sequence[Entry], found: Sequence[Entry]) -> str:
    """Where two transcripts part, in words; empty where they are equal."""
    for number, (one, other) in enumerate(zip_longest(expected, found), 1):
        if one == other:
            continue
        if one is None or other is None:
            missing, there = ("expected", other) if one is None else ("found", one)
            return f"entry {number}, {there}: nothing was {missing} in place of {_cut(there.text, 0)}"
        if one[:2] != other[:2]:
            return f"entry {number}: expected {one}, found {other}"
        place = _parting(one.text, other.text)
        return (
            f"entry {number}, {one}, character {place}: "
            f"expected {_cut(one.text, place)}, found {_cut(other.text, place)}"
        )
    return ""


def _parting(one: str, other: str) -> int:
    pairs = zip(one, other, strict=False)
    return next((place for place, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _cut(text: str, place: int) -> str:
    begin = max(place - _SHOWN // 3, 0)
    return repr(text[begin : begin + _SHOWN])
