"""The closure as it is filed: a page for people, the same as data, and as tables, which a report shows whole."""

from collections.abc import Sequence
from typing import Any

from botproof.closure import Closure, RunRecord
from botproof.evidence.rows import values_text


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


def requirements_table(closure: Closure) -> str:
    """One line a requirement, as CSV under a header; few columns, because a report breaks words in narrow ones."""
    rows = [
        (f"{item.id} {item.text}", f"{'shown' if item.shown else 'missing'}: {item.reason}")
        for item in closure.requirements
    ]
    return "".join(map(values_text, [("requirement", "status"), *rows]))


def runs_table(runs: Sequence[RunRecord]) -> str:
    """One line a run from which the closure was computed, as CSV under a header."""
    rows = [(run.run_id, f"{run.bot} {run.bot_version} on {run.venue}, {run.profile_id}", _worth(run)) for run in runs]
    return "".join(map(values_text, [("run", "judged", "worth"), *rows]))


def _worth(run: RunRecord) -> str:
    return f"{'complete' if run.complete else 'incomplete'}, {'' if run.agreement else 'dis'}agrees with the journal"


def _yes(fact: bool) -> str:
    return "yes" if fact else "no"
