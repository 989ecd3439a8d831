"""One acceptance session: what the header says, what may run, how a scenario ends, and what the whole proves.

Verdicts travel from a scenario to the end of the session on its pytest report (`user_properties`), so that it makes no
difference whether the scenarios ran in this process or in workers of xdist.
"""

import shlex
import sys
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from pytest_bdd.exceptions import StepDefinitionNotFoundError

from botproof.closure import Closure, RunRecord, close
from botproof.errors import BotproofError, Broken, NotShown, Unmentioned, Unshown
from botproof.evidence.attachments import (
    AllureBridge,
    attach_file,
    attach_text,
    label,
    mark_cut_short,
    results_folder,
    write_environment,
)
from botproof.evidence.closing import closure_json, closure_page, requirements_table, runs_table
from botproof.evidence.files import INCOMPLETE, cut_short, replace_file
from botproof.evidence.picture import draw
from botproof.evidence.screen import first_screen
from botproof.evidence.summary import run_summary, tape_excerpt
from botproof.evidence.table import verdict_counts, verdict_table
from botproof.invariants.verdict import Outcome, Verdict
from botproof.plugin import STAGE
from botproof.progress import Progress
from botproof.record import read_record
from botproof.run import Run
from botproof.selection import unreadable_feature, why_left_out
from botproof.settings import Settings
from botproof.stage import Stage
from botproof.tripwire import Tripwire

PROPERTY = "botproof_run"
TAPE = "tape.jsonl"
ROGUE = "rogue "  # how the names of bots made to break a promise begin
REFERENCE = "this proves the harness and says nothing about a bot of yours"


class Session:
    """Hooks of one acceptance session, registered once its settings stand."""

    def __init__(self, config: pytest.Config, settings: Settings) -> None:
        self._config, self.settings = config, settings
        self._deselected: Counter[str] = Counter()
        self._records: list[RunRecord] = []
        self._closure: Closure | None = None
        self._unwritten = self._cut_short = ""
        if not config.getoption("allure_report_dir", default=None):
            config.option.allure_report_dir = str(settings.reports / "allure-results")
            config.option.clean_alluredir = True  # a report is of one session
        config.option.randomly_reorganize = False  # scenarios run in the order in which they are told
        self._tripwire = Tripwire()
        self._tripwire.arm()
        config.pluginmanager.register(AllureBridge(config), "botproof.allure")
        config.pluginmanager.register(Progress(config), "botproof.progress")

    @property
    def bot_judged(self) -> str:
        """The bot named first, with what that is worth."""
        return f"reference; {REFERENCE}" if self.settings.bot == "reference" else self.settings.bot

    def header(self) -> list[str]:
        """What a session states before it begins."""
        settings = self.settings
        roles = ", ".join(f"{role}: {profile.id}" for role, profile in settings.profiles.items())
        return [
            f"bot judged: {self.bot_judged}",
            f"venue: {settings.venue}  clock: {settings.clock}  market: {settings.market}  seed: {settings.seed}",
            f"terms: {settings.terms.id} {settings.terms.sha256[:12]}  profiles: {roles}",
        ]

    # what may run

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """A feature that cannot be read is told in words."""
        report = yield
        call = getattr(report, "call", None)
        error = call.excinfo.value if call is not None and call.excinfo else None
        if report.failed and error is not None and (said := unreadable_feature(error, collector.path.parent)):
            report.longrepr = said
        return report

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Leave out, and count, what this session cannot run."""
        stay: list[pytest.Item] = []
        gone: list[pytest.Item] = []
        for item in items:
            if why := why_left_out(item, self.settings):
                gone.append(item)
                self._deselected[why] += 1
            else:
                stay.append(item)
        if gone:
            config.hook.pytest_deselected(items=gone)
            items[:] = stay

    # the end of a scenario

    @pytest.hookimpl(trylast=True)
    def pytest_bdd_after_scenario(self, request: pytest.FixtureRequest) -> None:
        """Nothing goes unnoticed: settle the stage, attach the evidence, fail on what no step mentioned."""
        stage = request.node.stash.get(STAGE, None)
        if stage is None or not stage.runs:
            return
        failure = sys.exc_info()[1]
        conclusion = _conclusion(stage, [*stage.settle(), *self._tripwire.taken()], failure)
        failed, replay = bool(conclusion or failure), self._replay(request.node)
        if failure is not None and not isinstance(failure, Exception):  # Ctrl-C: no report of this scenario will come
            self._cut_short = f"{stage.scenario}: interrupted ({type(failure).__name__}); see {stage.run.sealed}"
            mark_cut_short(self._cut_short)
        for number, run in enumerate(stage.runs, 1):
            which = f"run {number}: " if len(stage.runs) > 1 else ""
            attach_run(run, replay, which=which, failed=failed)
            request.node.user_properties.append((PROPERTY, str(run.sealed)))
        if conclusion is not None:
            raise conclusion from failure

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """A failing scenario is told in words an operator can act on; `--tb=long` still gives the traceback."""
        report = yield
        stage = item.stash.get(STAGE, None)
        error = call.excinfo.value if call.excinfo else None
        if error is not None and (misuse := _misuse(error)):
            report.longrepr = f"{misuse}\nreplay: {self._replay(item)}"
            return report
        brief = self._config.getoption("tbstyle") == "auto" and isinstance(error, AssertionError | BotproofError)
        if error is not None and stage is not None and brief:
            run = stage.runs[-1] if stage.runs else None
            report.longrepr = first_screen(
                error, run.verdicts if run else (), run.facts if run else (), self._replay(item)
            )
        return report

    def _replay(self, item: pytest.Item) -> str:
        """The command that runs this scenario again, to the same bytes."""
        settings = self.settings
        options = {"venue": settings.venue, "bot": settings.bot, "seed": str(settings.seed), **settings.typed}
        said = " ".join(f"--{name}={shlex.quote(value)}" for name, value in options.items() if name != "reports")
        return f"pytest {shlex.quote(item.nodeid)} {said}"

    # the end of the session

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Collect the sealed runs, wherever they ran."""
        if report.when == "teardown":
            folders = [Path(str(value)) for name, value in report.user_properties if name == PROPERTY]
            self._records += [read_record(folder) for folder in folders]

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Compute the closure from the runs of the session and write it down."""
        self._tripwire.disarm()
        if hasattr(self._config, "workerinput") or not self._records:
            return  # a session that ran nothing says nothing, and leaves what an earlier one found
        self._closure = close(self._records, self.settings.terms)
        page = closure_page(self._closure, self.bot_judged, self._records)
        body = orjson.dumps(closure_json(self._closure, self.bot_judged), option=orjson.OPT_INDENT_2) + b"\n"
        folder = self.settings.reports / "closure"
        try:
            replace_file(folder / "closure.json", body)
            replace_file(folder / f"bitget_live_microcap_run_{datetime.now(UTC):%Y%m%d}.md", page.encode())
        except OSError as error:
            self._unwritten = f"expected to write the closure to {folder}, found: {error}"
        results = results_folder(self._config)
        if results is not None:
            attach_text(f"closure: {self._closure.status}", requirements_table(self._closure), "csv")
            attach_text(f"closure: the {len(self._records)} runs that it is of", runs_table(self._records), "csv")
            write_environment(results, self._environment())

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter, exitstatus: int) -> None:
        """Bot judged, verdicts counted, closure."""
        write, settings = terminalreporter.write_line, self.settings
        terminalreporter.section("botproof")
        write(f"bot judged: {self.bot_judged}")
        if exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
            write(f"no scenario was selected: nothing was run on --venue={settings.venue}, and nothing is shown")
        rogues = [record for record in self._records if record.bot.startswith(ROGUE)]
        self._write_verdicts(write, "runs", [record for record in self._records if record not in rogues])
        if rogues:
            self._write_verdicts(write, "runs of bots made to break a promise", rogues)
        for reason, count in sorted(self._deselected.items()):
            write(f"deselected: {count} ({reason})")
        if self._closure is not None:
            missing = ", ".join(item.id for item in self._closure.missing)
            write(f"closure: {self._closure.status}; missing: {missing or 'nothing'}")
        if self._unwritten:
            write(self._unwritten)
        if self._cut_short:
            write(f"{INCOMPLETE}: {self._cut_short}")
        if cut := cut_short(settings.reports):
            write(f"{INCOMPLETE}: {len(cut)} run{'s' * (len(cut) > 1)} not sealed, proving nothing: {cut[0]}")

    def _write_verdicts(self, write: Callable[[str], None], what: str, records: Sequence[RunRecord]) -> None:
        """The counts; of the bot judged each BROKEN by name. What a rogue breaks, its scenario demands."""
        verdicts = [(record, verdict) for record in records for verdict in record.verdicts]
        counts = Counter(verdict.outcome for _, verdict in verdicts)
        write(f"{what}: {len(records)}; verdicts: {', '.join(f'{counts[outcome]} {outcome}' for outcome in Outcome)}")
        for record, verdict in verdicts:
            if verdict.outcome is Outcome.BROKEN and not record.bot.startswith(ROGUE):
                write(f"BROKEN {verdict.id} in {record.scenario}")

    def _environment(self) -> dict[str, object]:
        settings = self.settings
        return {
            "bot judged": self.bot_judged,
            "closure": self._closure.status if self._closure else "",
            "venue": settings.venue,
            "clock": settings.clock,
            "market": settings.market,
            "seed": settings.seed,
            "terms": f"{settings.terms.id} {settings.terms.sha256}",
            **{f"profile {role}": f"{p.id} {p.sha256}" for role, p in settings.profiles.items()},
        }


def attach_run(run: Run, replay: str, *, which: str = "", failed: bool = False) -> None:
    """Show a sealed run: the verdicts, the picture, and a summary that names every file.

    Where the scenario `failed`, also the lines of the tape that it is about, and every other file.
    """
    assert run.sealed is not None
    label("run", run.plan.run_id)
    record, manifest = run.record, orjson.loads((run.sealed / "manifest.json").read_bytes())
    judged = f"{record.bot} {record.bot_version} on {record.venue}"
    attach_text(f"{which}verdicts: {verdict_counts(run.verdicts)} ({judged})", verdict_table(run.verdicts), "csv")
    attach_text(f"{which}picture", draw(run.facts, run.plan.profile), "svg")
    claim = close([record], run.plan.terms)
    closure = f"{claim.status} by this run alone, missing {', '.join(item.id for item in claim.missing) or 'nothing'}"
    told = orjson.loads((run.sealed / "run.json").read_bytes())
    attach_text(f"{which}summary", run_summary(told, manifest, closure=closure, replay=replay))
    if failed:
        _attach_files(run.sealed, manifest, [v for v in run.verdicts if v.outcome is Outcome.BROKEN], which)


def _attach_files(sealed: Path, manifest: Mapping[str, Any], broken: Sequence[Verdict], which: str) -> None:
    """Of the tape what proves a breach, or its end where none is proven; then every other file as it is."""
    entries = {entry["name"]: entry for entry in manifest["files"] if entry["bytes"]}
    proof = [seq for verdict in broken for seq in verdict.proof]
    quoted = tape_excerpt((sealed / TAPE).read_bytes(), proof, entries.pop(TAPE))
    attach_text(f"{which}{TAPE}, {'around what was broken' if proof else 'its end'}", quoted)
    for name in entries:
        attach_file(sealed / name, f"{which}{name}")


def _misuse(error: BaseException) -> str:
    """What is wrong with the feature itself, in words; empty where it is something else."""
    if isinstance(error, StepDefinitionNotFoundError):
        return f"{str(error).rstrip('.')}.\n`pytest --steps` lists every step with an example."
    if isinstance(error, pytest.FixtureLookupError) and error.argname == "datatable":
        return "a step of this scenario needs a table below it: `pytest --steps` lists every step with an example."
    return ""


def _conclusion(stage: Stage, complaints: Sequence[str], failure: BaseException | None) -> Unshown | None:
    """What no step mentions fails the scenario; a promise that is BROKEN outranks whatever a step found besides."""
    broken = [complaint for complaint in complaints if "is BROKEN" in complaint]
    if failure is None and not complaints and (unfired := stage.unfired()):
        return NotShown("\n  ".join(["what was to happen at the venue did not:", *unfired[:7]]))
    if isinstance(failure, Unshown) or not complaints or (failure is not None and not broken):
        return None
    found = [*broken, *(complaint for complaint in complaints if complaint not in broken)]
    said = [] if failure is None else [f"a step failed besides: {str(failure).splitlines()[0]}"]
    text = f"no step mentions {len(found)} thing(s) that happened (seed {stage.settings.seed}):"
    error = Broken if broken else Unmentioned
    return error("\n  ".join([text, *found[:7], *said]))
