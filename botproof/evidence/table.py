"""The verdicts of a run as a table that is read at a glance: what was broken first, then held, then not shown.

The table is CSV, because a report shows that whole and in its own colours; a page would get a window of a few lines.
It has few columns, because the report gives each a width by its longest cell and breaks words in the narrow ones.
"""

from collections import Counter
from collections.abc import Sequence

from botproof.evidence.rows import values_text
from botproof.invariants.verdict import Outcome, Verdict
from botproof.money import plain

COLUMNS = ("verdict (exercise)", "promise", "peak / limit", "reason")
ORDER = (Outcome.BROKEN, Outcome.HELD, Outcome.NOT_SHOWN)


def verdict_table(verdicts: Sequence[Verdict]) -> str:
    """One line a verdict under a header, each group in the order given."""
    ranked = sorted(verdicts, key=lambda verdict: ORDER.index(verdict.outcome))
    return "".join(map(values_text, [COLUMNS, *map(_row, ranked)]))


def verdict_counts(verdicts: Sequence[Verdict]) -> str:
    """How many of each outcome: "1 BROKEN, 12 HELD, 22 NOT SHOWN"."""
    counts = Counter(verdict.outcome for verdict in verdicts)
    return ", ".join(f"{counts[outcome]} {outcome}" for outcome in ORDER)


def _row(verdict: Verdict) -> tuple[str, ...]:
    return (
        f"{verdict.outcome} ({verdict.exercise}, needs {verdict.needed})",
        f"{verdict.id} {verdict.promise}",
        _amounts(verdict),
        verdict.reason,
    )


def _amounts(verdict: Verdict) -> str:
    """The peak against the limit, with the unit: "20.22638 / 20 USDT"; a dash for what there is none of."""
    if verdict.peak is None and verdict.limit is None:
        return ""
    peak, limit = ("-" if amount is None else plain(amount) for amount in (verdict.peak, verdict.limit))
    return f"{peak} / {limit} {verdict.unit}".rstrip()
