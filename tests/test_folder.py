"""`botproof inspect` of a run's folder: sealed and whole, altered, cut short, or of an earlier version."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from botproof.cli import main
from botproof.events import RunStarted, Source
from botproof.evidence.files import RunFolder
from botproof.evidence.tape import Tape

RUN_ID = "some-run-1"
VERDICTS = [{"id": "E1", "outcome": "HELD"}, {"id": "E2", "outcome": "NOT SHOWN"}]


def opened(reports: Path) -> RunFolder:
    folder = RunFolder(reports, RUN_ID)
    tape = Tape(folder.tape_file)
    for at_us in range(3):
        tape.write(
            RunStarted(
                src=Source.RUN,
                t_local_us=1_771_722_000_000_000 + at_us,
                run_id=RUN_ID,
                scenario="a quiet window",
                profile_id="p",
                profile_sha256="0" * 64,
                terms_sha256="1" * 64,
                bot="reference",
                bot_version="1",
                venue="fake",
                clock="virtual",
                seed=1,
                symbol="BTCUSDT",
                client_id_prefix="bot1-x-",
                window_s=900,
                declared_position=Decimal(0),
            )
        )
    return folder


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    return seal(opened(tmp_path))


def seal(folder: RunFolder) -> Path:
    folder.text("orders.csv", "")
    folder.text("incidents.jsonl", "")
    folder.json("verdicts.json", VERDICTS)
    folder.json("run.json", {"run_id": RUN_ID, "complete": True, "circumstances": {"versions": {}}})
    return folder.seal()


def inspect(path: Path) -> tuple[int, list[str]]:
    result = CliRunner().invoke(main, ["inspect", str(path)])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert result.stderr == "" or not result.stdout
    return result.exit_code, (result.stdout or result.stderr).splitlines()


@pytest.mark.parametrize("named", ["", "run.json", "manifest.json", "tape.jsonl", "verdicts.json"])
def test_a_sealed_folder_is_whole_whichever_of_its_files_is_named(sealed, named):
    code, lines = inspect(sealed / named)
    assert code == 0
    assert lines[0] == f"{sealed}: a sealed run; every file is as it was sealed"
    assert "run:       some-run-1" in lines
    assert "verdicts:  1 HELD, 0 BROKEN, 1 NOT SHOWN" in lines
    assert any("3 facts" in line and "the chain is intact" in line for line in lines)


@pytest.mark.parametrize("name", ["tape.jsonl", "minute.csv", "run.json", "verdicts.json"])
def test_a_file_that_was_changed_is_named_and_the_folder_is_no_evidence(sealed, name):
    with (sealed / name).open("a") as file:
        file.write(" ")
    code, lines = inspect(sealed)
    assert code == 2
    assert "NOT WHOLE" in lines[0]
    assert f"  {name} is not the file that was sealed: its sha256 differs" in lines


@pytest.mark.parametrize("name", ["tape.jsonl", "fills.csv", "run.json", "verdicts.json"])
def test_a_file_that_is_gone_is_named(sealed, name):
    (sealed / name).unlink()
    code, lines = inspect(sealed)
    assert code == 2
    assert any(line.startswith(f"  {name} cannot be read") for line in lines)


def test_a_line_taken_out_of_the_tape_breaks_its_chain(sealed):
    lines = (sealed / "tape.jsonl").read_bytes().splitlines(keepends=True)
    (sealed / "tape.jsonl").write_bytes(b"".join([lines[0], lines[2]]))
    code, told = inspect(sealed)
    assert code == 2
    assert any("line 2: the chain is broken" in line for line in told)


def test_a_file_that_was_put_in_is_named(sealed):
    (sealed / "note.txt").write_text("x")
    assert "  note.txt is not in the manifest" in inspect(sealed)[1]


def test_a_run_that_goes_on_and_one_that_was_cut_short_are_incomplete(tmp_path):
    folder = opened(tmp_path)
    code, lines = inspect(folder.path)
    assert code == 2
    assert "INCOMPLETE: a run that is not sealed (it is going on); it proves nothing" in lines[0]
    folder.tape_file.write(b'{"seq":3,"kin')
    folder.close()
    code, lines = inspect(folder.path)
    assert code == 2
    assert "INCOMPLETE: a run that is not sealed (it was cut short); it proves nothing" in lines[0]
    assert any("3 facts" in line for line in lines)
    assert "  tape.jsonl ends in a torn line of 13 bytes, after line 3" in lines


def test_a_sealed_folder_that_is_marked_incomplete_again_is_incomplete(sealed):
    (sealed / "INCOMPLETE").write_text("")
    assert inspect(sealed)[0] == 2


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("tape.jsonl", '{"seq":0,"kind":"SomethingOld","src":"run","prev":"%s"}\n' % ("0" * 64), "another version"),
        ("tape.jsonl", "[]\n", "line 1: not a line of a tape"),
        ("manifest.json", "{}", "manifest.json does not list the files"),
        ("manifest.json", '{"files": [1]}', "manifest.json does not list the files"),
        ("manifest.json", "\xff", "manifest.json is no JSON"),
        ("run.json", "[]", "run.json holds no object"),
        ("run.json", '{"run_id": "another"}', "run.json is of another run than the tape: 'another'"),
        ("run.json", '{"circumstances": {"versions": 3}}', "run.json does not say that the run is complete"),
        ("verdicts.json", "{}", "verdicts.json holds no list"),
    ],
)
def test_a_folder_of_another_version_is_told_and_is_no_evidence(sealed, name, content, told):
    (sealed / name).write_text(content, encoding="latin-1")
    code, lines = inspect(sealed)
    assert code == 2
    assert any(told in line for line in lines)


def test_a_folder_of_something_else_is_refused(tmp_path):
    code, lines = inspect(tmp_path)
    assert (code, len(lines)) == (2, 1)
    assert "expected a CSV file, found a directory" in lines[0]


@given(
    st.sampled_from(["tape.jsonl", "manifest.json", "run.json", "verdicts.json", "INCOMPLETE"]),
    st.one_of(
        st.binary(max_size=80),
        st.recursive(
            st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=8),
            lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["files", "name", "circumstances"]), inner),
            max_leaves=6,
        ).map(lambda body: json.dumps(body).encode()),
    ),
)
@settings(max_examples=60, deadline=None)
def test_no_content_brings_a_traceback(tmp_path_factory, name, content):
    sealed = seal(opened(tmp_path_factory.mktemp("fuzz")))
    (sealed / name).write_bytes(content)
    assert inspect(sealed)[0] in (0, 2)
