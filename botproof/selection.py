"""Which scenarios a session leaves out, and why. What is left out is counted, with the reason.

1. Tags say on which venues a scenario may run.
2. A recorded market (`--market=replay:...`) brings prices, funding and a time of its own. A scenario that says a market
   or a time itself would contradict it, and one whose window is longer than the recording could not end.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_bdd.exceptions import GherkinParseError
from pytest_bdd.parser import Step
from pytest_bdd.scenario import scenario_wrapper_template_registry
from pytest_bdd.steps import step_function_context_registry

from botproof.plugin import PLACES
from botproof.settings import Recording, Settings

MARKET_STEPS, TIME_STEPS = "botproof.steps.market", "botproof.steps.clock"
_WINDOW = re.compile(r"a bounded window of ([0-9]{1,6}) min", re.ASCII)


def why_left_out(item: pytest.Item, settings: Settings) -> str:
    """Why the session cannot run a scenario, or an empty text."""
    places = {mark.name for mark in item.iter_markers() if mark.name in PLACES}
    if places and settings.venue not in places:
        return f"runs on {', '.join(sorted(places))} only"
    if settings.recording is None:
        return ""
    return next(_contradictions(item, settings.recording), "")


def unreadable_feature(error: BaseException, folder: Path) -> str:
    """Why the features in a folder cannot be read, if that is what the error says; else an empty text."""
    if isinstance(error, GherkinParseError):
        return "\n".join(str(error).splitlines())
    if not isinstance(error, UnicodeDecodeError | KeyError):
        return ""
    for path in sorted(folder.rglob("*.feature")):
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return f"{path}: expected a feature in UTF-8, found something else"
        if not text.strip():
            return f"{path}: expected a feature, found an empty file"
    return ""


def _contradictions(item: pytest.Item, recording: Recording) -> Iterator[str]:
    """What a scenario says against a recorded market."""
    for step in _steps(item):
        if _is_of(step, MARKET_STEPS):
            yield "says a market of its own, and --market gives a recorded one"
        if step.type == "given" and _is_of(step, TIME_STEPS):
            yield "says a time of its own, and the recorded market has one"
        window = _WINDOW.fullmatch(step.name)
        if window is not None and recording.unfit(int(window[1]) * 60):
            yield "has a window that the recorded market does not span"


def _steps(item: pytest.Item) -> list[Step]:
    """The steps of a scenario with the values of its example; none of what is no scenario."""
    function = getattr(item, "function", None)
    template = None if function is None else scenario_wrapper_template_registry.get(function)
    if template is None:
        return []
    params = item.callspec.params if hasattr(item, "callspec") else {}
    return template.render(params.get("_pytest_bdd_example", {})).steps


def _is_of(step: Step, module: str) -> bool:
    """Whether the phrase of a step stands in that module of steps."""
    return any(
        context.step_func.__module__ == module
        and context.type in (None, step.type)
        and context.parser.is_matching(step.name)
        for context in step_function_context_registry.values()
    )
