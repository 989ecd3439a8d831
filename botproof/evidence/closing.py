"""Verdicts and closure as they are filed: pages for people, and the same as data."""

from collections.abc import Sequence
from typing import Any

from botproof.closure import Closure, RunRecord
from botproof.invariants.verdict import Outcome, Verdict
from botproof.money import plain

NOT_BUILT = "not built"
ORDER = (Outcome.BROKEN, Outcome.HELD, Outcome.NOT_SHOWN)


def closure_json(closure: Closure, bot_judged: str) -> dict[str, Any]:
    """The closure as it stands in closure.json."""
    requirements = [
        {"id": item.id, "requirement": item.text, "shown": item.shown, "reason": item.reason}
        for item in closure.requirements
    ]
    return {
        "status": closure.status.value,
        "bot_judged": bot_judged,
        "missing": [{"id": item.id, "reason": item.reason} for item in closure.missing],
        "requirements": requirements,
    }


def closure_page(closure: Closure, bot_judged: str, runs: Sequence[RunRecord]) -> str:
    """The closure as Markdown, with the runs it was computed from."""
    rows = [
        f"| {item.id} | {item.text} | {'shown' if item.shown else 'missing'} | {item.reason} |"
        for item in closure.requirements
    ]
    return "\n".join(
        [
            "# Bitget live micro-cap rollout: closure",
            "",
            f"Status: **{closure.status}**",
            "",
            f"Bot judged: {bot_judged}",
            "",
            "| Item | Requirement | Status | Why |",
            "|---|---|---|---|",
            *rows,
            "",
            "| Run | Bot | Venue | Profile | Complete | Agrees with the journal |",
            "|---|---|---|---|---|---|",
            *[
                f"| {run.run_id} | {run.bot} {run.bot_version} | {run.venue} | {run.profile_id} "
                f"| {_yes(run.complete)} | {_yes(run.agreement)} |"
                for run in runs
            ],
            "",
        ]
    )


def _yes(fact: bool) -> str:
    return "yes" if fact else "no"


def verdict_page(run: RunRecord) -> str:
    """The verdicts of a run as Markdown: what was broken first, what is not built last."""
    verdicts = sorted(run.verdicts, key=lambda verdict: (ORDER.index(verdict.outcome), verdict.reason == NOT_BUILT))
    return "\n".join(
        [
            f"# {run.scenario}",
            "",
            f"Bot {run.bot} {run.bot_version} on {run.venue}, profile {run.profile_id}, {run.window_s} s",
            "",
            "| Promise | Verdict | Exercise | Peak | Limit | Why |",
            "|---|---|---|---|---|---|",
            *[_row(verdict) for verdict in verdicts],
            "",
        ]
    )


def _row(verdict: Verdict) -> str:
    peak, limit = ("" if amount is None else plain(amount) for amount in (verdict.peak, verdict.limit))
    exercise = f"{verdict.exercise} of {verdict.needed}"
    said = f"{verdict.id} {verdict.promise}"
    return f"| {said} | {verdict.outcome} | {exercise} | {peak} {verdict.unit} | {limit} | {verdict.reason} |"
