"""One trial of a no-trade window: the files are read, the judge is asked, the verdict is written down.

Every trial leaves a report, whatever became of it: a file that is missing makes it INVALID, and so does a judge that
falls over. `latest.json` is replaced whole by each of them, so that an earlier PASS never outlives a later trial. The
one thing that is read from the machine's clock is the name of the report; it decides nothing.
"""

import hashlib
import platform
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from botproof import __version__
from botproof.document import shown, shown_path
from botproof.errors import BotproofError, Refusal
from botproof.evidence.botfile import BotFile
from botproof.evidence.files import json_text, replace_file
from botproof.evidence.sealed import SealedRun, read_sealed_run
from botproof.evidence.venuefile import read_venue_record
from botproof.notrade.answer import Answer, Docket, Finding, Judgement, legible
from botproof.notrade.cadence import Told
from botproof.notrade.columns import number
from botproof.notrade.evidence import RunEvidence
from botproof.notrade.judge import Case, Trial, judge_no_trade
from botproof.notrade.minute import Said
from botproof.notrade.record import SOURCES, VenueRecord
from botproof.notrade.window import Window, iso, read_window
from botproof.profile import Profile, find_profile
from botproof.terms import Terms, find_terms

FOLDER = "notrade_validation"
NAMES_MAX = 10_000
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is to be judged, as it was typed; empty where it was not given."""

    minute_csv: str = ""
    profile: str = ""
    start: str = ""
    end: str = ""
    run_record: str = ""
    fills_csv: str = ""
    venue_record: str = ""
    run_id: str = ""
    position: str = ""
    terms: str = "day15"
    reports: Path = Path("reports")
    expected_exchange: str = ""  # said by whoever asks; the profile's, where it is said
    without: tuple[str, ...] = ()  # what was not given and must be, in words
    overruled: tuple[str, ...] = ()  # what was asked for and is not done, in words
    front: Mapping[str, Any] = field(default_factory=dict)  # what the rollout's own tool was asked, for its report


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of a trial, and where it was written."""

    judgement: Judgement
    report: Path

    @property
    def answer(self) -> Answer:
        return self.judgement.answer


def judge_window(asked: Asked) -> Verdict:
    """Judge a window from its files and write the report. Raises `Refusal` where the report cannot be written."""
    inputs = _Inputs(asked)
    trial = _try(inputs)
    return Verdict(trial.judgement, _write(asked.reports / FOLDER, _report(asked, inputs, trial)))


def judge_files(asked: Asked) -> Judgement:
    """The same judgement, and nothing is written: for a scenario, whose verdict is no operator's."""
    return _try(_Inputs(asked)).judgement


def asked_of(folder: Path, profile_id: str, window_us: tuple[int, int]) -> Asked:
    """What is asked about a sealed run by its own folder: rows, fills, run record and venue's record lie in it."""
    start_us, end_us = window_us
    return Asked(
        minute_csv=str(folder / "minute.csv"),
        fills_csv=str(folder / "fills.csv"),
        profile=str(folder / f"{profile_id}.yml"),
        start=iso(start_us),
        end=iso(end_us),
        run_record=str(folder),
        venue_record=str(folder),
    )


def _try(inputs: "_Inputs") -> Trial:
    try:
        with inputs.stack:
            trial = judge_no_trade(inputs.case())
            inputs.measure()
    except Exception as error:  # noqa: BLE001  whatever it was, the verdict is INVALID, and it is written down
        return _fallen(error)
    return trial


class _Inputs:
    """The files of a trial; what cannot be read is remembered with its reason."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self.stack = ExitStack()
        self.unread: dict[str, str] = {}
        self.listed: list[dict[str, Any]] = []
        self.profile: Profile | None = None
        self.terms: Terms | None = None
        self.window: Window | None = None
        self.run: SealedRun | None = None
        self.evidence: RunEvidence | None = None
        self.venue: VenueRecord | None = None
        self._tables: list[tuple[str, BotFile]] = []

    def case(self) -> Case:
        """Open and read everything."""
        asked = self._asked
        self.terms = Terms.load(find_terms(asked.terms))
        self._list("terms", self.terms.path, self.terms.source)
        if asked.start or asked.end:
            self.window = self._read("window", lambda: read_window(asked.start, asked.end))
        self.profile = self._given("profile", asked.profile, lambda text: Profile.load(find_profile(text)))
        if self.profile is not None:
            self._list("profile", self.profile.path, self.profile.source)
        self.run = self._given("run record", asked.run_record, self._run)
        self.evidence = self.run.evidence() if self.run else None
        self.venue = self._given("venue record", asked.venue_record, self._venue)
        return Case(
            terms=self.terms,
            window=self.window,
            run_id=asked.run_id,
            minutes=self._given("minute.csv", asked.minute_csv, lambda text: self._table("minute.csv", text)),
            fills=self._given(
                "fills.csv", asked.fills_csv or self._own_fills(), lambda text: self._table("fills.csv", text)
            ),
            profile=self.profile,
            run=self.evidence,
            venue=self.venue,
            position=self._given("position", asked.position, _position),
            unread=self.unread,
            expected_exchange=asked.expected_exchange,
            without=asked.without,
            overruled=asked.overruled,
        )

    def measure(self) -> None:
        """The tables have been read to their ends: now their bytes are known."""
        for name, file in self._tables:
            self.listed.append(
                {"name": name, "path": str(file.path), "bytes": file.size, "lines": file.lines, "sha256": file.sha256}
            )

    def _own_fills(self) -> str:
        """The fills.csv that the run itself sealed."""
        if self.run is None or "fills.csv" not in self.run.files:
            return ""
        return str(self.run.folder / "fills.csv")

    def _table(self, name: str, text: str) -> BotFile:
        file = self.stack.enter_context(BotFile(text))
        self._tables.append((name, file))
        return file

    def _run(self, text: str) -> SealedRun:
        run = read_sealed_run(Path(text))
        self._list("run record", run.folder / "manifest.json", (run.folder / "manifest.json").read_bytes())
        return run

    def _venue(self, text: str) -> VenueRecord:
        path = Path(text)
        if path.is_dir():
            run = self.run if self.run and self.run.folder == path else read_sealed_run(path)
            self._list("venue record", path / "tape.jsonl", (path / "tape.jsonl").read_bytes())
            return run.venue_record()
        record, content = read_venue_record(path)
        self._list("venue record", path, content)
        return record

    def _list(self, name: str, path: Path, content: bytes) -> None:
        digest = hashlib.sha256(content).hexdigest()
        self.listed.append({"name": name, "path": str(path), "bytes": len(content), "sha256": digest})

    def _given(self, name: str, text: str, read: Callable[[str], Value]) -> Value | None:
        return self._read(name, lambda: read(text)) if text else None

    def _read(self, name: str, read: Callable[[], Value]) -> Value | None:
        try:
            return read()
        except (BotproofError, OSError, ValueError) as error:
            self.unread[name] = " ".join(str(error).split())
            return None


def _position(text: str) -> Decimal:
    position = number(text)
    if position is None:
        raise Refusal(f"--position: expected a signed amount of BTC such as -0.0001, found {shown(text)}")
    return position


def _fallen(error: Exception) -> Trial:
    docket = Docket()
    text = str(error) if isinstance(error, BotproofError) else f"{type(error).__name__}: {error}"
    docket.invalid("R10", f"the judge could not finish: {' '.join(text.split())}", "a judgement that runs to its end")
    return Trial(docket.judgement(), Told(), Said(), 0)


def _report(asked: Asked, inputs: _Inputs, trial: Trial) -> dict[str, Any]:
    judgement, told, said = trial.judgement, trial.told, trial.said
    answers = {rule.rule: rule.answer for rule in judgement.rules}
    profile, terms, window = inputs.profile, inputs.terms, inputs.window
    evidence = inputs.evidence
    return {
        "ts_utc": datetime.now(UTC).isoformat(),
        "status": judgement.answer.lower(),
        "verdict": judgement.answer,
        "exit_code": judgement.answer.exit_code,
        "minute_csv": asked.minute_csv,
        "total_rows_read": told.rows,
        "rows_filtered_out": told.outside,
        "sample_count": told.used,
        "expected_exchange": asked.front.get("expected_exchange", profile.connector_name if profile else ""),
        "exchange_filter": asked.front.get("exchange_filter", ""),
        "since_minutes": asked.front.get("since_minutes", 0),
        "fills_increase": said.fills_high - said.fills_low,
        "max_orders_active": said.orders_active,
        "checks": {
            "min_samples": answers["R5"] is Answer.PASS,
            "exchange_match": answers["R4"] is Answer.PASS,
            "fills_not_increasing": answers["R6"] is Answer.PASS,
            "orders_active_zero": answers["R8"] is Answer.PASS,
        },
        "window": {"start": iso(window.start_us), "end": iso(window.end_us), "minutes": window.minutes}
        if window
        else None,
        "run_id": asked.run_id or (evidence.run_id if evidence else ""),
        "first_ts": told.first_ts,
        "last_ts": told.last_ts,
        "rows_used": told.used,
        "rows_refused": dict(sorted(told.refusals.items())),
        "fill_rows": trial.fill_rows,
        "profile": {"id": profile.id, "sha256": profile.sha256, "no_trade": profile.no_trade} if profile else None,
        "terms": {"id": terms.id, "sha256": terms.sha256} if terms else None,
        "bot": {"name": evidence.bot, "version": evidence.bot_version} if evidence else None,
        "venue": _venue_json(inputs.venue),
        "inputs": inputs.listed,
        "versions": {"pytest-botproof": __version__, "python": platform.python_version()},
        "rules": [
            {
                "rule": rule.rule,
                "promise": rule.promise,
                "verdict": rule.answer,
                "seen": rule.seen,
                "findings": [_finding_json(finding) for finding in rule.findings],
                "notes": [_finding_json(note) for note in rule.notes],
            }
            for rule in judgement.rules
        ],
        "reasons": [f"{finding.rule} {finding.answer}: {finding.text()}" for finding in judgement.reasons()],
        "notes": [f"{note.rule}: {note.seen}" for note in judgement.notes()],
    }


def _finding_json(finding: Finding) -> dict[str, Any]:
    return {
        "verdict": finding.answer or "note",
        "seen": finding.seen,
        "required": finding.required,
        "count": finding.count,
        "proof": finding.proof,
    }


def _venue_json(record: VenueRecord | None) -> dict[str, Any] | None:
    if record is None:
        return None
    had = {name: source for name in SOURCES if (source := getattr(record, name)) is not None}
    return {
        "venue": record.venue,
        "account": record.account,
        "sources": {name: {"via": source.via, "rows": len(source.rows)} for name, source in had.items()},
        "missing": dict(record.missing),
    }


def _legible(value: Any) -> Any:
    """The same, with every text as a report can hold it: a path or a cell may be of any bytes."""
    if isinstance(value, Mapping):
        return {legible(str(key)): _legible(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_legible(each) for each in value]
    return legible(value) if isinstance(value, str) else value


def _write(folder: Path, report: Mapping[str, Any]) -> Path:
    """Under a name of its own, and as latest.json in place of the one before."""
    content = json_text(_legible(report)).encode()
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for attempt in range(1, NAMES_MAX):
            path = folder / (
                f"notrade_validation_{stamp}.json" if attempt == 1 else f"notrade_validation_{stamp}_{attempt}.json"
            )
            try:
                with path.open("xb") as file:
                    file.write(content)
            except FileExistsError:
                continue
            replace_file(folder / "latest.json", content)
            return path
        raise Refusal(f"{shown_path(folder)}: expected a free name for the report, found {NAMES_MAX} of this second")
    except OSError as error:
        raise Refusal(
            f"{shown_path(folder)}: expected a folder that can be written, found: {error.strerror}"
        ) from error
