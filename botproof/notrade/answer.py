"""The three answers of the no-trade judge, and what stands behind each.

PASS: the whole window was seen, and nothing traded. FAIL: trading was seen. INVALID: it cannot be judged. FAIL beats
INVALID, and PASS is only what no finding took away. A finding belongs to one rule and says what was seen, what was
required, and where the proof stands; the same finding on a thousand rows is one finding with a count.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

PROOFS_KEPT = 5
FINDINGS_KEPT = 500  # kinds of findings: a file may hold any number of names


class Answer(StrEnum):
    PASS = "PASS"  # noqa: S105  a verdict
    FAIL = "FAIL"
    INVALID = "INVALID"

    @property
    def exit_code(self) -> int:
        """What a command that says so returns: 0, 1 or 2."""
        return {Answer.PASS: 0, Answer.FAIL: 1, Answer.INVALID: 2}[self]


RULES: Mapping[str, str] = {
    "R1": "three answers: FAIL beats INVALID, and PASS is what neither took away",
    "R2": "the window is given as absolute UTC instants and belongs to one run; now is never read",
    "R3": "every required column is there once under its exact name, every row has its width, every number is one",
    "R4": "one exchange, pair and variant, bound to one profile hash and one run, and the profile says no_trade",
    "R5": "time moves forward, one row a minute, enough minutes, no hole, no blind head or tail",
    "R6": "the count of fills stays what it was when the window opened, and 0 on a new day",
    "R7": "the bot says soft_pause in every row",
    "R8": "no order rests, plain or trigger, none was asked for, taken or refused, and none is cancelled",
    "R9": "no fill in fills.csv or at the venue; position, equity, turnover, fees and cancels stand still",
    "R10": "every input is named by its sha256 and size, and every row that was refused is told with its reason",
    "R11": "the judge would have seen it: an injected fill and an injected order turn it to FAIL, and the venue's "
    "queries have returned known orders of this closure",
    "R12": "the bot was alive and on this account",
    "R13": "the venue's own record covers the window, and what lies outside the window is a note",
    "R14": "the window opens and closes on UTC minutes, after the lists of open orders were read",
}


@dataclass(slots=True)
class Finding:
    """Something that takes PASS away (`answer` FAIL or INVALID), or a note (None) that does not."""

    rule: str
    answer: Answer | None
    seen: str
    required: str
    count: int = 1
    proof: list[str] = field(default_factory=list)

    def text(self) -> str:
        """One line for an operator."""
        times = f" ({self.count} times)" if self.count > 1 else ""
        where = f"; {', '.join(self.proof[:2])}" if self.proof else ""
        return f"{self.seen}{times}; required: {self.required}{where}"


@dataclass(frozen=True, slots=True)
class RuleVerdict:
    """What one rule says of the window."""

    rule: str
    promise: str
    answer: Answer
    seen: str  # what was looked at, in the operator's words
    findings: tuple[Finding, ...]
    notes: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict on a window, rule by rule."""

    answer: Answer
    rules: tuple[RuleVerdict, ...]

    def reasons(self) -> tuple[Finding, ...]:
        """Why it is not PASS: trading first, then what could not be judged."""
        found = [finding for rule in self.rules for finding in rule.findings]
        return tuple(sorted(found, key=lambda finding: finding.answer is not Answer.FAIL))

    def notes(self) -> tuple[Finding, ...]:
        """What should be known and takes nothing away."""
        return tuple(note for rule in self.rules for note in rule.notes)


class Docket:
    """Collects findings; `key` tells which ones are the same."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, Answer | None, str], Finding] = {}
        self._seen: dict[str, list[str]] = {}

    def saw(self, rule: str, what: str) -> None:
        """What `rule` looked at."""
        self._seen.setdefault(rule, []).append(legible(what))

    def fail(self, rule: str, seen: str, required: str, proof: str = "", *, key: str = "") -> None:
        """Trading was seen."""
        self._add(rule, Answer.FAIL, seen, required, proof, key)

    def invalid(self, rule: str, seen: str, required: str, proof: str = "", *, key: str = "") -> None:
        """It cannot be judged."""
        self._add(rule, Answer.INVALID, seen, required, proof, key)

    def note(self, rule: str, seen: str, required: str = "nothing", proof: str = "", *, key: str = "") -> None:
        """Something that should be known and takes nothing away."""
        self._add(rule, None, seen, required, proof, key)

    def found(self, answer: Answer) -> list[Finding]:
        """The findings of one answer so far."""
        return [finding for finding in self._found.values() if finding.answer is answer]

    def judgement(self) -> Judgement:
        """The verdict on what was found so far."""
        answer = next((each for each in (Answer.FAIL, Answer.INVALID) if self.found(each)), Answer.PASS)
        counts = [f"{len(self.found(each))} {each}" for each in (Answer.FAIL, Answer.INVALID)]
        self._seen["R1"] = [f"findings: {', '.join(counts)}"]
        rules = [self._rule(rule, promise) for rule, promise in RULES.items()]
        rules[0] = replace(rules[0], answer=answer)
        return Judgement(answer, tuple(rules))

    def _rule(self, rule: str, promise: str) -> RuleVerdict:
        own = [finding for finding in self._found.values() if finding.rule == rule]
        answers = {finding.answer for finding in own}
        answer = next((each for each in (Answer.FAIL, Answer.INVALID) if each in answers), Answer.PASS)
        return RuleVerdict(
            rule=rule,
            promise=promise,
            answer=answer,
            seen="; ".join(self._seen.get(rule, ())),
            findings=tuple(finding for finding in own if finding.answer is not None),
            notes=tuple(finding for finding in own if finding.answer is None),
        )

    def _add(self, rule: str, answer: Answer | None, seen: str, required: str, proof: str, key: str) -> None:
        seen, required, proof = legible(seen), legible(required), legible(proof)
        name = (rule, answer, key or seen)
        if name not in self._found and len(self._found) >= FINDINGS_KEPT:
            name, seen = (rule, answer, "more"), "more of other kinds"
        found = self._found.setdefault(name, Finding(rule, answer, seen, required, count=0))
        found.count += 1
        if proof and len(found.proof) < PROOFS_KEPT and proof not in found.proof:
            found.proof.append(proof)


def legible(text: str) -> str:
    """`text` on one line, without what a terminal would obey or a file could not hold."""
    return text if text.isprintable() else ascii(text)[1:-1]
