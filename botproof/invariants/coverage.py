"""Who counts what: one running count and digest per source, kept alike by the writer of a tape and by its judge.

1. The tape adds every fact but `Covered` as it is written, and states count and digest in each `Covered`.
2. The judge adds every fact as it reads it. A `Covered` that disagrees with the judge's own count or digest, at the
   place where it stands, marks its source as not covered for good.
3. A source is covered over a stretch when its last `Covered` agrees, spans the stretch, and nothing of that source
   came after it.

So a tape from which any fact was taken, or on which any was changed or moved, covers less and never more.
"""

import hashlib
from dataclasses import dataclass, field
from typing import Any

from botproof.events import Covered, Fact, Source
from botproof.notation import line


@dataclass(slots=True)
class _Count:
    facts: int = 0
    digest: Any = field(default_factory=hashlib.sha256)
    covered: Covered | None = None
    doubt: str = ""


class Coverage:
    """Counts facts per source and tells how far each source is covered."""

    def __init__(self) -> None:
        self._counts = {source: _Count() for source in Source}

    def see(self, fact: Fact, written: bytes | None = None) -> None:
        """Count `fact`; `written` is its line where the caller has it already."""
        if isinstance(fact, Covered):
            self._check(fact)
            return
        count = self._counts[fact.src]
        count.facts += 1
        count.covered = None
        try:
            count.digest.update(line(fact) if written is None else written)
        except (TypeError, ValueError):  # no line can hold it, so no tape ever did
            count.doubt = f"the fact of {fact.src} at seq {fact.seq} cannot stand on a tape"

    def state(self, source: Source) -> tuple[int, str]:
        """How many facts of `source` were seen, and their digest (hexadecimal)."""
        count = self._counts[source]
        return count.facts, count.digest.hexdigest()

    def missing(self, source: Source, from_us: int, to_us: int) -> str:
        """Why `source` is not covered over the stretch; empty where it is."""
        count = self._counts[source]
        if count.doubt:
            return count.doubt
        if count.covered is None:
            return f"facts of {source} are not covered to the end of the tape"
        if count.covered.from_us > from_us or count.covered.to_us < to_us:
            return f"facts of {source} are covered for a part of the run only"
        return ""

    def _check(self, covered: Covered) -> None:
        count = self._counts[covered.source]
        count.covered = covered
        if (covered.count, covered.digest) != self.state(covered.source):
            count.doubt = (
                f"{covered.count} facts of {covered.source} were covered at seq {covered.seq}, "
                f"the tape holds {count.facts} or others"
            )
