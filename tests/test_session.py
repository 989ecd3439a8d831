"""What a report gets of each run: the verdicts at a glance, the picture, the summary; of a failing one every file."""

import copy
import csv
import hashlib
import io
from pathlib import Path

import orjson
import pytest
from stages import a_stage, finished

from botproof import session
from botproof.fakes.rogues import ROGUES
from botproof.invariants.verdict import Outcome
from botproof.run import Run

Attached = list[tuple[str, str, str]]


@pytest.fixture
def attached(monkeypatch: pytest.MonkeyPatch) -> Attached:
    """Name, text and kind of what was attached, in order."""
    seen: Attached = []
    monkeypatch.setattr(session, "attach_text", lambda name, text, kind="txt": seen.append((name, text, kind)))
    monkeypatch.setattr(session, "attach_file", lambda path, name: seen.append((name, "", path.suffix)))
    return seen


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A sealed run of a bot that breaks E1."""
    with a_stage(tmp_path_factory.mktemp("reports"), bot=ROGUES["one_quote_too_many"].create, window="2m") as stage:
        return finished(stage).run


def test_a_passing_scenario_shows_verdicts_picture_and_a_summary_and_no_file(broken: Run, attached: Attached) -> None:
    session.attach_run(broken, "pytest -k one")
    (verdicts, table, kind), (picture, svg, svg_kind), (summary, text, summary_kind) = attached
    assert verdicts.startswith("verdicts: 1 BROKEN, ")
    assert verdicts.endswith(f"({broken.record.bot} {broken.record.bot_version} on fake)")
    assert next(csv.DictReader(io.StringIO(table)))["promise"].startswith("E1 ")
    assert (kind, picture, svg_kind, summary, summary_kind) == ("csv", "picture", "svg", "summary", "txt")
    assert svg.startswith("<svg ")
    assert "closure   PARTIAL by this run alone, missing K0, " in text
    assert "replay    pytest -k one\n" in text


def test_the_summary_tells_size_lines_and_sha256_of_the_tape(broken: Run, attached: Attached) -> None:
    session.attach_run(broken, "")
    assert broken.sealed is not None
    tape = (broken.sealed / "tape.jsonl").read_bytes()
    said = f"tape.jsonl: {len(tape)} bytes, {len(broken.facts)} lines\n{' ' * 14}{hashlib.sha256(tape).hexdigest()}\n"
    assert said in attached[2][1]
    assert f"runs/{broken.sealed.name}/" in attached[2][1]


def test_a_failing_scenario_shows_every_file_besides(broken: Run, attached: Attached) -> None:
    session.attach_run(broken, "", failed=True)
    assert broken.sealed is not None
    files = {path.name for path in broken.sealed.iterdir() if path.stat().st_size} - {"manifest.json"}
    assert {name.split(",")[0] for name, *_ in attached[3:]} == files


def test_of_the_tape_a_failing_scenario_shows_what_proves_the_breach(broken: Run, attached: Attached) -> None:
    session.attach_run(broken, "", failed=True)
    quoted = next(text for name, text, _ in attached if name == "tape.jsonl, around what was broken")
    proof = next(verdict.proof for verdict in broken.verdicts if verdict.outcome is Outcome.BROKEN)
    marked = {orjson.loads(line[2:])["seq"] for line in quoted.splitlines() if line.startswith("> ")}
    assert marked == set(proof)
    assert len(quoted.splitlines()) < len(broken.facts)


def test_of_a_tape_that_proves_no_breach_a_failing_scenario_shows_the_end(broken: Run, attached: Attached) -> None:
    held = [verdict for verdict in broken.verdicts if verdict.outcome is not Outcome.BROKEN]
    run = copy.copy(broken)
    run.verdicts = tuple(held)
    session.attach_run(run, "", failed=True)
    quoted = next(text for name, text, _ in attached if name == "tape.jsonl, its end")
    assert orjson.loads(quoted.splitlines()[-1][2:])["seq"] == len(broken.facts) - 1


def test_of_several_runs_each_attachment_says_of_which(broken: Run, attached: Attached) -> None:
    session.attach_run(broken, "", which="run 2: ", failed=True)
    assert {name[:7] for name, *_ in attached} == {"run 2: "}


def test_the_table_holds_every_promise_in_words(broken: Run, attached: Attached, tmp_path: Path) -> None:
    session.attach_run(broken, "")
    rows = list(csv.DictReader(io.StringIO(attached[0][1])))
    assert {row["promise"].split()[0] for row in rows} == {verdict.id for verdict in broken.verdicts}
    assert {row["verdict (exercise)"].split(" (")[0] for row in rows} <= {"BROKEN", "HELD", "NOT SHOWN"}


def test_a_passing_scenario_is_light_in_the_report(broken: Run, attached: Attached) -> None:
    session.attach_run(broken, "pytest -k one")
    assert sum(len(text.encode()) for _, text, _ in attached) < 32 * 1024
