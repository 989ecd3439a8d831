"""The tape: the ordered, append-only stream of the facts of a run, and its one file.

A line is a fact (`botproof.notation.line`) with one more key at its end, `prev`: the SHA-256 of the whole line before
it, or 64 zeros on the first. So a line that was taken out, changed or moved shows at the next one. What follows the
last whole line after a kill is a torn line and is told apart from a broken chain.

One writer gives the sequence numbers: the order of writing is the order of the tape.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import orjson

from botproof.errors import HarnessError
from botproof.events import Covered, Fact, Source
from botproof.evidence.redact import redact
from botproof.invariants.coverage import Coverage
from botproof.notation import line, parse

FIRST = "0" * 64


class Lines(Protocol):
    """What takes the lines of a tape: a binary file does."""

    def write(self, data: bytes, /) -> object: ...


class Tape:
    """Writes facts in order; `facts` holds them as written. A file is optional: without one the tape is in memory."""

    def __init__(self, file: Lines | None = None, *, secrets: Sequence[str] = ()) -> None:
        self.facts: list[Fact] = []
        self._file = file
        self._secrets = tuple(secrets)
        self._secret_bytes = tuple(secret.encode() for secret in secrets if secret)
        self._previous = FIRST
        self._coverage = Coverage()
        self._listeners: list[Callable[[Fact], None]] = []

    def write(self, fact: Fact) -> Fact:
        """Append `fact` under the next sequence number and return it as written, secrets masked."""
        fact = replace(fact, seq=len(self.facts))
        written = line(fact)
        if self._tells(written):
            written = redact(written.decode(), self._secrets).encode()
            fact = parse(orjson.loads(written))
        self._coverage.see(fact, written)
        self.facts.append(fact)
        if self._file is not None:
            chained = written[:-1] + b',"prev":"' + self._previous.encode() + b'"}\n'
            self._file.write(chained)
            self._previous = hashlib.sha256(chained).hexdigest()
        for listener in self._listeners:
            listener(fact)
        return fact

    def _tells(self, written: bytes) -> bool:
        for secret in self._secret_bytes:  # noqa: SIM110  asked for every fact: a generator costs as much as the search
            if secret in written:
                return True
        return False

    def listen(self, listener: Callable[[Fact], None]) -> None:
        """Call `listener` with every fact from now on, as it is written."""
        self._listeners.append(listener)

    def cover(self, source: Source, from_us: int, to_us: int, now_us: int) -> None:
        """State how many facts of `source` there are and that the stretch from_us..to_us was answered for in full."""
        count, digest = self._coverage.state(source)
        self.write(
            Covered(
                src=Source.RUN,
                t_local_us=now_us,
                source=source,
                from_us=from_us,
                to_us=to_us,
                count=count,
                digest=digest,
            )
        )


@dataclass(frozen=True, slots=True)
class Reading:
    """What a tape file holds: its facts, and the bytes of a torn last line (empty where there is none)."""

    facts: tuple[Fact, ...]
    torn: bytes


def read_tape(path: Path) -> Reading:
    """Read a tape and check its chain and its numbering; raises `HarnessError` naming the first line at fault."""
    facts: list[Fact] = []
    previous = FIRST
    *whole, torn = path.read_bytes().split(b"\n")
    for number, text in enumerate(whole):
        try:
            body = orjson.loads(text)
            if not isinstance(body, dict):
                raise HarnessError(f"expected an object, found {type(body).__name__}")
            prev = body.pop("prev", None)
            fact = parse(body)
        except (orjson.JSONDecodeError, HarnessError) as error:
            raise HarnessError(f"{path}, line {number + 1}: not a line of a tape: {error}") from error
        if prev != previous or fact.seq != number:
            raise HarnessError(f"{path}, line {number + 1}: the chain is broken: lines were changed, moved or removed")
        facts.append(fact)
        previous = hashlib.sha256(text + b"\n").hexdigest()
    return Reading(tuple(facts), torn)
