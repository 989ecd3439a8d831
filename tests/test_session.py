"""What a report gets of each run: the verdicts at a glance, the picture, and every file."""

import csv
import io
from pathlib import Path

import pytest
from stages import a_stage, finished

from botproof import session
from botproof.fakes.rogues import ROGUES
from botproof.run import Run


@pytest.fixture
def attached(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, str]]:
    """Name, text and kind of what was attached, in order."""
    seen: list[tuple[str, str, str]] = []
    monkeypatch.setattr(session, "attach_text", lambda name, text, kind: seen.append((name, text, kind)))
    monkeypatch.setattr(session, "attach_file", lambda path, name: seen.append((name, "", path.suffix)))
    return seen


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A sealed run of a bot that breaks E1."""
    with a_stage(tmp_path_factory.mktemp("reports"), bot=ROGUES["one_quote_too_many"].create, window="2m") as stage:
        return finished(stage).run


def test_verdicts_and_picture_come_first_and_then_every_file(broken: Run, attached: list[tuple[str, str, str]]) -> None:
    session._attach(broken, "")
    (verdicts, table, kind), (picture, svg, svg_kind), *files = attached
    assert verdicts.startswith("verdicts: 1 BROKEN, ")
    assert verdicts.endswith(f"({broken.record.bot} {broken.record.bot_version} on fake)")
    assert next(csv.DictReader(io.StringIO(table)))["promise"].startswith("E1 ")
    assert (kind, picture, svg_kind) == ("csv", "picture", "svg")
    assert svg.startswith("<svg ")
    assert broken.sealed is not None
    assert [name for name, *_ in files] == sorted(p.name for p in broken.sealed.iterdir() if p.stat().st_size)


def test_of_several_runs_each_attachment_says_of_which(broken: Run, attached: list[tuple[str, str, str]]) -> None:
    session._attach(broken, "run 2: ")
    assert {name[:7] for name, *_ in attached} == {"run 2: "}


def test_the_table_holds_every_promise_in_words(
    broken: Run, attached: list[tuple[str, str, str]], tmp_path: Path
) -> None:
    session._attach(broken, "")
    rows = list(csv.DictReader(io.StringIO(attached[0][1])))
    assert {row["promise"].split()[0] for row in rows} == {verdict.id for verdict in broken.verdicts}
    assert {row["verdict (exercise)"].split(" (")[0] for row in rows} <= {"BROKEN", "HELD", "NOT SHOWN"}
