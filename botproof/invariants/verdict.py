"""Held, broken, never tested: three words, and what stands behind each.

A verdict carries what was seen, what was allowed, the exercise behind it and the sequence numbers that prove it.
HELD needs exercise: `exercise >= needed`. NOT SHOWN is what remains when nothing was broken and too little was
exercised, or when a fact that the judgement needs is not covered. Of these only the first can be made good by another
window: `lacks_only_exercise` tells it apart.
"""

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from botproof.events import Fact, Source


class Outcome(StrEnum):
    HELD = "HELD"
    BROKEN = "BROKEN"
    NOT_SHOWN = "NOT SHOWN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The judgement of one invariant over one run."""

    id: str  # E1, N1, C8 ...
    promise: str  # one sentence in the operator's words
    outcome: Outcome
    proof: tuple[int, ...] = ()  # sequence numbers; of the breach where BROKEN, of the exercise where HELD (some)
    exercise: int = 0
    needed: int = 1
    peak: Decimal | None = None
    limit: Decimal | None = None
    unit: str = ""
    reason: str = ""  # why BROKEN or NOT SHOWN, with amounts and times
    lacks_only_exercise: bool = False  # NOT SHOWN, and for no other reason than `exercise < needed`

    def but_not_shown(self, reason: str) -> "Verdict":
        """The same verdict with HELD, and the hope of more exercise, taken away; BROKEN stays BROKEN."""
        if self.outcome is not Outcome.HELD and not self.lacks_only_exercise:
            return self
        return replace(self, outcome=Outcome.NOT_SHOWN, reason=reason, lacks_only_exercise=False)


class Invariant(Protocol):
    """A fold over the facts of a run: it never raises, logs or acts."""

    id: str
    needs: frozenset[Source]  # the sources whose facts must be covered for a HELD
    hears: frozenset[type[Fact]]  # the kinds it is shown; others leave it untouched

    def see(self, fact: Fact) -> None: ...
    def verdict(self) -> Verdict: ...
