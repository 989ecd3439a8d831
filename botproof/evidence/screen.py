"""The first screen of a failing scenario: at most twelve lines that an operator can act on.

First the rule that was broken, in the operator's words; what broke it, with amount and limit; and the facts on the tape
that prove it. Then what else is broken, and what the failing step said, where that is something else. Last the one
command that replays it.
"""

import dataclasses
from collections.abc import Iterator, Sequence
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
NAMES = ("client_id", "order_id", "trade_id")  # long, and the last thing that an operator looks at


def first_screen(error: BaseException, verdicts: Sequence[Verdict], facts: Sequence[Fact], replay: str) -> str:
    """The screen; `verdicts` and `facts` are of the scenario's run, empty where it has none."""
    broken = [verdict for verdict in verdicts if verdict.outcome is Outcome.BROKEN]
    lines = [line for verdict in broken[:1] for line in _rule(verdict)]
    proof = [seq for verdict in broken[:1] for seq in dict.fromkeys(verdict.proof) if seq < len(facts)]
    also = [f"also BROKEN: {', '.join(verdict.id for verdict in broken[1:])}"] if broken[1:] else []
    said = list(_said(error, broken[:1]))
    room = LINES_MAX - len(lines) - len(also) - bool(said) - 1
    lines += [f"  {fact_text(facts[seq])}" for seq in proof[: min(FACTS_MAX, room)]] + also
    lines += said[: LINES_MAX - len(lines) - 1]
    return "\n".join([_cut(line) for line in lines] + [f"replay: {replay}"])


def _rule(verdict: Verdict) -> Iterator[str]:
    """What was promised, and what broke it: the amount, and the limit where one was passed."""
    yield f"{verdict.id} BROKEN: {verdict.promise}"
    limit = ""
    if verdict.limit is not None and (verdict.peak is None or verdict.peak > verdict.limit):
        limit = f" (limit {plain(verdict.limit)} {verdict.unit}".rstrip() + ")"
    yield f"  {verdict.reason}{limit}"


def _said(error: BaseException, told: Sequence[Verdict]) -> Iterator[str]:
    """What the step said, unless it said no more than what is told already."""
    lines = [line for line in str(error).splitlines() if line.strip() and not line.lstrip().startswith(REWRITTEN)]
    if any(verdict.reason and len(lines) == 1 and verdict.reason in lines[0] for verdict in told):
        return
    for number, line in enumerate(lines):
        yield line if number else f"{type(error).__name__}: {line}"


def fact_text(fact: Fact) -> str:
    """A fact on one line: seq, time of day (UTC), kind, and its fields that say something, names last."""
    at_us = fact.t_local_us if fact.t_venue_us is None else fact.t_venue_us
    clock = datetime.fromtimestamp(at_us // 1_000_000, UTC).strftime("%H:%M:%S") + f".{at_us % 1_000_000 // 1000:03d}"
    names = sorted((field.name for field in dataclasses.fields(fact)), key=lambda name: name in NAMES)
    said = " ".join(
        f"{name}={_value(getattr(fact, name))}"
        for name in names
        if name not in UNSAID and getattr(fact, name) not in (None, "", (), False)
    )
    return f"#{fact.seq} {clock} {fact.kind} {said}"


def _value(value: object) -> str:
    return plain(value) if isinstance(value, Decimal) else str(value)


def _cut(line: str) -> str:
    return line if len(line) <= WIDTH else line[: WIDTH - 3] + "..."
