"""The closure as it is filed: a page for people, and the same as data."""

from collections.abc import Sequence
from typing import Any

from botproof.closure import Closure, RunRecord


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
