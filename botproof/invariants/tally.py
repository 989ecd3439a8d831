"""The running account of one invariant, and the one rule that turns it into a verdict.

1. A breach makes it BROKEN, whatever else is known.
2. Without a breach, a doubt (a fact that the judgement needs is missing or cannot be read) makes it NOT SHOWN.
3. Without either, it is HELD where the exercise reaches what the terms ask for, else NOT SHOWN for lack of exercise
   alone: another window may add what is missing.
"""

from decimal import Decimal

from botproof.invariants.catalogue import PROMISES
from botproof.invariants.verdict import Outcome, Verdict

PROOFS_MAX = 20


class Tally:
    """Counts exercise, breaches and doubts. `what` names one exercise in the plural: "entries sent"."""

    def __init__(self, id: str, needed: int, what: str, *, limit: Decimal | None = None, unit: str = "") -> None:  # noqa: A002
        self.id, self.needed, self.what, self.limit, self.unit = id, needed, what, limit, unit
        self.exercise = 0
        self.peak: Decimal | None = None
        self._shown_by: list[int] = []
        self._broken_by: list[int] = []
        self._breach = ""
        self._doubt = ""

    def exercised(self, seq: int) -> None:
        """Once more: the fact at `seq` put the promise to the test."""
        self.exercise += 1
        if len(self._shown_by) < PROOFS_MAX:
            self._shown_by.append(seq)

    def broken(self, seq: int, reason: str) -> None:
        """The fact at `seq` breaks the promise; the first reason is the one that is told."""
        self._breach = self._breach or reason
        self._broken_by.append(seq)

    @property
    def is_broken(self) -> bool:
        """Whether a breach was found; no doubt matters any more then."""
        return bool(self._broken_by)

    def doubt(self, reason: str) -> None:
        """Something needed is missing: never HELD; the first reason is the one that is told."""
        self._doubt = self._doubt or reason

    def rise(self, amount: Decimal) -> None:
        """Keep the largest `amount` as the peak."""
        if self.peak is None or amount > self.peak:
            self.peak = amount

    def verdict(self) -> Verdict:
        if self._broken_by:
            more = len(self._broken_by) - 1
            reason = self._breach + (f" (and {more} more)" if more else "")
            return self._verdict(Outcome.BROKEN, self._broken_by[:PROOFS_MAX], reason)
        if self._doubt:
            return self._verdict(Outcome.NOT_SHOWN, self._shown_by, self._doubt)
        if self.exercise < self.needed:
            reason = f"{self.exercise} of {self.needed} {self.what}"
            return self._verdict(Outcome.NOT_SHOWN, self._shown_by, reason, lacks_only_exercise=True)
        return self._verdict(Outcome.HELD, self._shown_by, "")

    def _verdict(
        self, outcome: Outcome, proof: list[int], reason: str, *, lacks_only_exercise: bool = False
    ) -> Verdict:
        return Verdict(
            id=self.id,
            promise=PROMISES[self.id],
            outcome=outcome,
            proof=tuple(proof),
            exercise=self.exercise,
            needed=self.needed,
            peak=self.peak,
            limit=self.limit,
            unit=self.unit,
            reason=reason,
            lacks_only_exercise=lacks_only_exercise,
        )
