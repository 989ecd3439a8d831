"""Allure results from Gherkin: pytest-bdd's hooks on one side, allure-pytest's open result on the other.

allure-pytest writes one result per test and knows nothing of Gherkin. Its sister for pytest-bdd cannot be installed
beside it, does not report plain tests and fails where a fixture attaches. So this bridge stands on allure-pytest,
and is the one module that imports allure. It adds:

1. **Steps.** A Gherkin step stands open in the report exactly while its function runs. Attachments and nested steps
   find their parent through allure's own stack of open items; the bridge only has to open and close in order,
   however a step is left: `after_step` when it returns, `step_error` when it raises, and neither of them when it
   skips, exits or never starts; then `after_scenario` closes it, which runs while the exception is in flight.
   A step without a definition has its own hook. Steps that were not reached are listed as skipped.
2. **Parameters.** The scalars that stand in the text of the step, and no fixture: a fixture may hold a secret.
   Data tables become CSV, doc strings text.
3. **Names.** pytest knows a scenario by a Python identifier that depends on its neighbours. The result takes the
   rendered title, the feature's and the scenario's description, one parameter per column of an outline, and an
   identity made of file, title and row, so that history follows the scenario.
4. **Labels.** Feature, story (the Rule, else the scenario), the folder as suite; severity, epic, owner and links
   from Gherkin tags. Any other tag stays what it is to pytest-bdd: a mark, which must be registered. Tags of an
   `Examples:` block do not pass through here and are plain marks.
5. **Fixtures.** Whatever a test stands on has a fixture, every step of pytest-bdd among them. One that passed and has
   nothing to show is left out; one that failed, attached something or holds steps stays.
6. **Verdicts.** `Broken` and `NotShown` are assertion errors: allure calls them failed, and the label `verdict` and
   a category tell them apart. Errors of the harness are none, so allure calls them broken.

pytest-bdd does not await an `async def` step: the step would pass without having run. Here that is an error.
Without `--alluredir` all of this does nothing, but for the error just named.

`scenario_wrapper_template_registry` is no documented API of pytest-bdd; hence the upper bound in pyproject.toml.
"""

import csv
import inspect
import io
import json
import re
import sys
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

import allure
import allure_commons
import pytest
from allure_commons.model2 import (
    ExecutableItem,
    Parameter,
    Status,
    StatusDetails,
    TestResult,
    TestResultContainer,
    TestStepResult,
)
from allure_commons.reporter import AllureReporter
from allure_commons.utils import md5
from allure_pytest.listener import AllureListener
from pytest_bdd.parser import Feature, Scenario, ScenarioTemplate, Step
from pytest_bdd.scenario import scenario_wrapper_template_registry

from botproof.errors import Broken, HarnessError, Incomplete, NotShown

# Attachments are inlined in a one-file report at a third more than their size.
ATTACHED_BYTES_MAX = 1_000_000

# Kinds are file suffixes. JSON lines go as text because reports offer their own type for download only.
MEDIA_TYPES = MappingProxyType(
    {
        "csv": "text/csv",
        "json": "application/json",
        "jsonl": "text/plain",
        "log": "text/plain",
        "md": "text/markdown",
        "png": "image/png",
        "svg": "image/svg+xml",
        "txt": "text/plain",
        "yml": "text/plain",
    }
)
_CUT_BY_LINE = frozenset({"csv", "jsonl", "log", "md", "txt", "yml"})

# What a failure means. A pattern is read by Java, which matches the whole message, and by JavaScript, which searches.
CATEGORIES: Sequence[Mapping[str, Any]] = (
    {
        "name": "BROKEN: a promise was broken",
        "matchedStatuses": ["failed"],
        "messageRegex": r"^botproof\.errors\.Broken: [\s\S]*",
    },
    {
        "name": "NOT SHOWN: a promise was never exercised",
        "matchedStatuses": ["failed"],
        "messageRegex": r"^botproof\.errors\.NotShown: [\s\S]*",
    },
    {
        "name": "Expectation failed: a step found something else",
        "matchedStatuses": ["failed"],
        "messageRegex": r"^(?!botproof\.errors\.(Broken|NotShown): )[\s\S]*",
    },
    {
        "name": "INCOMPLETE: the run was cut short",
        "matchedStatuses": ["broken"],
        "messageRegex": r"^botproof\.errors\.Incomplete: [\s\S]*",
    },
    {
        "name": "Harness error: nothing may be concluded about the bot",
        "matchedStatuses": ["broken"],
        "messageRegex": r"^(?!botproof\.errors\.Incomplete: )[\s\S]*",
    },
)

_SEVERITY = re.compile(r"(?:severity:)?(blocker|critical|normal|minor|trivial)")
_LABEL = re.compile(r"(epic|owner|layer):(.+)")
_LINK = re.compile(r"(issue|tms|link):(.+)")


def label(name: str, value: str) -> None:
    """Label the running scenario; does nothing where none runs."""
    allure.dynamic.label(name, value)


def attach_text(name: str, text: str, kind: str = "txt") -> None:
    """Attach `text` to the running step, fixture or scenario, else to the report as a whole.

    `kind` is one of `MEDIA_TYPES`; anything else is offered for download. Call it from pytest's own thread.
    """
    _attach(text.encode(), name, kind)


def attach_file(path: Path, name: str = "") -> None:
    """Attach the file at `path` under `name` (its own where empty), as `attach_text` does.

    Of a file over `ATTACHED_BYTES_MAX` only the first lines are attached, and the name says so; where lines mean
    nothing, a note of where it lies. Raises `OSError` where the file cannot be read and a report is being written.
    """
    if _reporter() is None:
        return
    kind, name = path.suffix.removeprefix("."), name or path.name
    size = path.stat().st_size
    if size <= ATTACHED_BYTES_MAX:
        _attach(path.read_bytes(), name, kind)
    elif kind in _CUT_BY_LINE:
        head = _first_lines(path)
        _attach(head, f"{name} (first {len(head)} of {size} bytes; all: {path})", kind)
    else:
        _attach(f"{size} bytes, not attached: {path}\n".encode(), name, "txt")


def mark_cut_short(reason: str) -> None:
    """Let the running scenario read as INCOMPLETE: whoever interrupts pytest leaves its result as it stood before."""
    reporter = _reporter()
    result = None if reporter is None else reporter.get_test(None)
    if result is not None:
        result.status = Status.BROKEN
        result.statusDetails = StatusDetails(message=f"{Incomplete.__module__}.{Incomplete.__name__}: {reason}")


def results_folder(config: pytest.Config) -> Path | None:
    """Where the controller of this run writes Allure results; None without `--alluredir` and in a worker of xdist."""
    folder: str | None = config.getoption("allure_report_dir", default=None)
    return Path(folder) if folder and not hasattr(config, "workerinput") else None


def write_environment(folder: Path, values: Mapping[str, object]) -> None:
    """Write `environment.properties`: what the report says about the run as a whole, in the order given."""
    lines = (f"{_escaped(key, ' =:#!')}={_escaped(str(value), '')}\n" for key, value in values.items())
    _write(folder / "environment.properties", "".join(lines))


def write_executor(folder: Path, build: str = "") -> None:
    """Write `executor.json`: who made the results; `build` names the run."""
    executor = {"name": "botproof", "type": "pytest", "reportName": "Bitget acceptance", "buildName": build}
    _write(folder / "executor.json", json.dumps(executor, indent=2))


def write_categories(folder: Path) -> None:
    """Write `categories.json` for readers of Allure 2; Allure 3 takes the same list from its configuration."""
    _write(folder / "categories.json", json.dumps(list(CATEGORIES), indent=2))


@dataclass(slots=True)
class _Progress:
    """How far a scenario has come: the step that stands open, and how many have begun."""

    open: ExitStack = field(default_factory=ExitStack)
    begun: int = 0

    def begin(self, step: Step) -> None:
        self.begun += 1
        self.open.enter_context(allure.step(_title(step)))

    def end(self, exception: BaseException | None = None) -> None:
        traceback = exception.__traceback__ if exception else None
        self.open.__exit__(type(exception) if exception else None, exception, traceback)


_PROGRESS = pytest.StashKey[_Progress]()


class _Reporter(AllureReporter):
    """Writes no fixture that says nothing."""

    def stop_group(self, uuid: str, **kwargs: object) -> None:
        """Write what a fixture has to show, or forget it."""
        group: TestResultContainer = self.get_item(uuid)
        group.befores = [before for before in group.befores if _speaks(before)]
        group.afters = [after for after in group.afters if _speaks(after)]
        if group.befores or group.afters:
            AllureReporter.stop_group(self, uuid, **kwargs)
        else:
            self.drop_test(uuid)


class AllureBridge:
    """Hooks for a run of features; register one per session while pytest is being configured."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def pytest_sessionstart(self) -> None:
        """Take over the writing of fixtures, before there is one."""
        if listener := _listener():
            listener.allure_logger = _Reporter()

    # Collection: what the features say about themselves.

    @pytest.hookimpl(tryfirst=True)  # the first result counts, and pytest-bdd has an implementation of its own
    def pytest_bdd_apply_tag(self, tag: str, function: Callable[..., object]) -> bool | None:
        """Turn tags that mean something to Allure into labels and links; leave the others to pytest-bdd."""
        if severity := _SEVERITY.fullmatch(tag):
            allure.severity(severity[1])(function)
        elif named := _LABEL.fullmatch(tag):
            allure.label(named[1], named[2])(function)
        elif link := _LINK.fullmatch(tag):
            allure.link(link[2], link_type=link[1], name=link[2].rsplit("/", 1)[-1])(function)
        else:
            return None
        return True

    def pytest_collection_modifyitems(self, items: Iterable[pytest.Item]) -> None:
        """Label every scenario with its feature, its story and its suites."""
        for item in items:
            if template := _template(item):
                for name, value in _labels(template):
                    item.add_marker(pytest.mark.allure_label(value, label_type=name))

    # A scenario, step by step.

    def pytest_bdd_before_scenario(self, request: pytest.FixtureRequest) -> None:
        """Begin to follow the scenario."""
        request.node.stash[_PROGRESS] = _Progress()

    def pytest_bdd_before_step(self, request: pytest.FixtureRequest, step: Step, step_func: Callable[..., Any]) -> None:
        """Open the step with its table and text; raises `HarnessError` where pytest-bdd would not run it."""
        request.node.stash[_PROGRESS].begin(step)
        if step.docstring is not None:
            attach_text("Doc string", step.docstring)
        if step.datatable is not None:
            attach_text("Data table", _csv(step.datatable.raw()), "csv")
        _refuse_async(step, step_func)

    def pytest_bdd_before_step_call(self, request: pytest.FixtureRequest, step_func_args: dict[str, object]) -> None:
        """Show what the text of the step hands to its function."""
        reporter = _reporter()
        if reporter is not None:
            fixtures = frozenset(request.fixturenames)
            said = {name: value for name, value in step_func_args.items() if name not in fixtures}
            reporter.get_last_item(TestStepResult).parameters.extend(_parameters(said))

    def pytest_bdd_after_step(self, request: pytest.FixtureRequest) -> None:
        """Close the step: it returned."""
        request.node.stash[_PROGRESS].end()

    def pytest_bdd_step_error(self, request: pytest.FixtureRequest, exception: Exception) -> None:
        """Close the step: it raised."""
        request.node.stash[_PROGRESS].end(exception)

    def pytest_bdd_step_func_lookup_error(
        self, request: pytest.FixtureRequest, step: Step, exception: Exception
    ) -> None:
        """Show the step that has no definition."""
        progress = request.node.stash[_PROGRESS]
        progress.begin(step)
        progress.end(exception)

    def pytest_bdd_after_scenario(self, request: pytest.FixtureRequest, scenario: Scenario) -> None:
        """Close what a skip, an exit or a refusal left open, and list the steps that were not reached."""
        progress = request.node.stash[_PROGRESS]
        progress.end(sys.exc_info()[1])
        for step in scenario.steps[progress.begun :]:
            progress.begin(step)
            progress.end(pytest.skip.Exception("not reached"))

    # The result as a whole.

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, call: pytest.CallInfo[None]) -> None:
        """Label the result with the verdict that failed it, if one did."""
        error = call.excinfo.value if call.excinfo else None
        if isinstance(error, Broken):
            label("verdict", "BROKEN")
        elif isinstance(error, NotShown):
            label("verdict", "NOT SHOWN")

    @pytest.hookimpl(wrapper=True, tryfirst=True)  # outermost: allure-pytest has filled in the result when this goes on
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, None, None]:
        """Give the result the scenario's own words and identity."""
        try:
            return (yield)
        finally:
            template, reporter = _template(item), _reporter()
            if template is not None and reporter is not None:
                _describe(reporter.get_test(None), template, _example(item))

    def pytest_sessionfinish(self) -> None:
        """Write the files about the results that are the same in every run."""
        folder = results_folder(self._config)
        if folder is not None and folder.is_dir():
            write_categories(folder)
            write_executor(folder)


def _listener() -> AllureListener | None:
    """allure-pytest itself; None where no results are written."""
    return next(
        (each for each in allure_commons.plugin_manager.get_plugins() if isinstance(each, AllureListener)), None
    )


def _reporter() -> AllureReporter | None:
    """allure-pytest's stack of open results; None where no results are written."""
    listener = _listener()
    return None if listener is None else listener.allure_logger


def _speaks(fixture: ExecutableItem) -> bool:
    """Whether a part of a fixture has something to show: it went wrong, or something was done or attached in it."""
    went_well = fixture.status in (None, Status.PASSED)  # the last finalizer has not ended when it is asked
    return bool(not went_well or fixture.attachments or fixture.steps)


def _attach(body: bytes, name: str, kind: str) -> None:
    reporter = _reporter()
    if reporter is None:
        return
    attach = allure.global_attach if reporter.get_last_item(ExecutableItem) is None else allure.attach
    attach(body, name, MEDIA_TYPES.get(kind, "application/octet-stream"), kind or None)


def _first_lines(path: Path) -> bytes:
    """The lines that fit into what may be attached; a single line longer than that is cut."""
    with path.open("rb") as file:
        head = file.read(ATTACHED_BYTES_MAX)
    return head[: head.rfind(b"\n") + 1] or head


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _escaped(text: str, special: str) -> str:
    """`text` for a Java properties file."""
    text = text.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
    return "".join(f"\\{char}" if char in special else char for char in text)


def _template(item: pytest.Item) -> ScenarioTemplate | None:
    """The scenario behind a test; None for a plain test."""
    function = getattr(item, "function", None)
    return None if function is None else scenario_wrapper_template_registry.get(function)


def _example(item: pytest.Item) -> Mapping[str, str]:
    """The row of the outline that a test runs; empty where there is none."""
    callspec = getattr(item, "callspec", None)
    row: Mapping[str, str] = callspec.params.get("_pytest_bdd_example", {}) if callspec else {}
    return row


def _labels(template: ScenarioTemplate) -> Iterable[tuple[str, str]]:
    """Feature and story for the tree of behaviours, folder and feature for the tree of suites."""
    yield "feature", template.feature.name
    yield "story", template.rule.name if template.rule else template.name
    yield "parentSuite", Path(template.feature.filename).parent.name
    yield "suite", template.feature.name


def _title(step: Step) -> str:
    return f"{step.keyword} {step.name}"


def _csv(rows: Sequence[Sequence[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _parameters(values: Mapping[str, object]) -> list[Parameter]:
    scalars = (str, int, float, Decimal, type(None))
    shown = {name: value for name, value in values.items() if name != "docstring" and isinstance(value, scalars)}
    return [Parameter(name=name, value=str(value)) for name, value in shown.items()]


def _refuse_async(step: Step, step_func: Callable[..., Any]) -> None:
    if inspect.iscoroutinefunction(step_func) or inspect.isasyncgenfunction(step_func):
        name = getattr(step_func, "__qualname__", repr(step_func))
        raise HarnessError(
            f"step {_title(step)!r}: {name} is 'async def', and pytest-bdd would pass it without running it; "
            "make it a plain 'def' and let the world run what is to be awaited"
        )


def _describe(result: TestResult, template: ScenarioTemplate, example: Mapping[str, str]) -> None:
    feature = template.feature
    result.name = template.render(example).name
    result.description = _description(feature, template)
    others = [parameter for parameter in result.parameters if parameter.name != "_pytest_bdd_example"]
    result.parameters = others + _parameters(example)
    result.titlePath = [*Path(feature.rel_filename).parts[:-1], feature.name]
    result.testCaseId = md5(feature.rel_filename, template.name)
    result.historyId = md5(result.testCaseId, *(f"{name}={value}" for name, value in sorted(example.items())))


def _description(feature: Feature, template: ScenarioTemplate) -> str | None:
    parts = (feature.description, template.rule.description if template.rule else "", template.description)
    return "\n\n".join(part.strip() for part in parts if part and part.strip()) or None
