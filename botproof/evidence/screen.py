"""The first screen of a failing scenario: at most twelve lines that an operator can act on.

First what was broken, in the operator's words with amount and limit, and the facts on the tape that prove it; then
what the failing step said; last the one command that replays it.
"""

import dataclasses
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

from botproof.events import Fact
from botproof.invariants.verdict import Outcome, Verdict
from botproof.money import plain

LINES_MAX = 12
FACTS_MAX = 7
WIDTH = 160
REWRITTEN = ("assert ", "+  where")  # what pytest adds to an assertion
UNSAID = {field.name for field in dataclasses.fields(Fact)} | {"request", "method", "path"}


def first_screen(error: BaseException, verdicts: Sequence[Verdict], facts: Sequence[Fact], replay: str) -> str:
    """The screen; `verdicts` and `facts` are of the scenario's run, empty where it has none."""
    broken = [verdict for verdict in verdicts if verdict.outcome is Outcome.BROKEN]
    lines = [f"{verdict.id} BROKEN: {verdict.reason}" for verdict in broken[:1]]
    if broken[1:]:
        lines.append(f"also BROKEN: {', '.join(verdict.id for verdict in broken[1:])}")
    proof = [seq for verdict in broken[:1] for seq in verdict.proof if seq < len(facts)]
    lines += [f"  {fact_text(facts[seq])}" for seq in proof[: FACTS_MAX - 1]]
    said = [line for line in str(error).splitlines() if line.strip() and not line.lstrip().startswith(REWRITTEN)]
    lines += [
        f"{type(error).__name__}: {line}" if not number else line
        for number, line in enumerate(said[: LINES_MAX - 1 - len(lines)])
    ]
    return "\n".join([_cut(line) for line in lines] + [f"replay: {replay}"])


def fact_text(fact: Fact) -> str:
    """A fact on one line: seq, time of day (UTC), kind, and its fields that say something."""
    at_us = fact.t_local_us if fact.t_venue_us is None else fact.t_venue_us
    clock = datetime.fromtimestamp(at_us // 1_000_000, UTC).strftime("%H:%M:%S") + f".{at_us % 1_000_000 // 1000:03d}"
    said = " ".join(
        f"{field.name}={_value(getattr(fact, field.name))}"
        for field in dataclasses.fields(fact)
        if field.name not in UNSAID and getattr(fact, field.name) not in (None, "", (), False)
    )
    return f"#{fact.seq} {clock} {fact.kind} {said}"


def _value(value: object) -> str:
    return plain(value) if isinstance(value, Decimal) else str(value)


def _cut(line: str) -> str:
    return line if len(line) <= WIDTH else line[: WIDTH - 3] + "..."
