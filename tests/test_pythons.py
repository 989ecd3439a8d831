"""Same seed, same bytes on every Python: what is compared, and a run on the others that are set up here."""

import importlib.util
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]


def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("conformance_script", ROOT / "scripts" / "conformance.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses look themselves up
    spec.loader.exec_module(module)
    return module


pythons = script()
HERE, ELSEWHERE = pythons.CIRCUMSTANCES
OTHERS = [version for version in pythons.VERSIONS if version != f"{sys.version_info[0]}.{sys.version_info[1]}"]
ONE_RUN = "clean_window_is_proven"


def result(**changes: object) -> object:
    files = {"run/tape.jsonl": "a" * 64, "run/minute.csv": "b" * 64}
    return replace(pythons.Result("3.11", HERE, files, "c" * 64), **changes)


# What is compared


def test_equal_results_have_no_difference() -> None:
    assert pythons.differences([result(), result(python="3.12", circumstance=ELSEWHERE)]) == []


def test_a_file_that_is_not_the_same_is_named_with_python_and_circumstance() -> None:
    other = result(python="3.12", circumstance=ELSEWHERE, files={"run/tape.jsonl": "a" * 64, "run/minute.csv": "d"})
    [line] = pythons.differences([result(), other])
    parted = "1 files of 2 are not as on Python 3.11: run/minute.csv ..."
    assert line == f"Python 3.12, {pythons.told(ELSEWHERE)}: {parted}"
    assert pythons.told(ELSEWHERE) == "hash seed 4242, another folder, C, CHAST-12:45, 2 workers"


def test_a_file_that_is_missing_and_one_too_many_are_differences() -> None:
    [line] = pythons.differences([result(), result(files={"run/tape.jsonl": "a" * 64, "run/fills.csv": "e"})])
    assert line.endswith("2 files of 3 are not as on Python 3.11: run/fills.csv ...")


def test_another_byte_of_a_source_or_another_name_is_noticed(tmp_path: Path) -> None:
    source = tmp_path / "steps" / "bot.py"
    source.parent.mkdir()
    source.write_bytes(b"1")
    digests = {pythons.source_digest(tmp_path)}
    source.write_bytes(b"2")
    digests.add(pythons.source_digest(tmp_path))
    source.rename(source.with_name("bots.py"))
    digests.add(pythons.source_digest(tmp_path))
    assert len(digests) == 3


def test_another_exchange_is_a_difference() -> None:
    [line] = pythons.differences([result(), result(python="3.13", exchange="f")])
    assert line.startswith("Python 3.13, ")
    assert line.endswith("the exchange is not as on Python 3.11")


def test_the_table_has_a_line_a_result() -> None:
    header, first, second = pythons.table([result(), result(python="3.12", circumstance=ELSEWHERE)])
    assert header.split() == ["Python", "circumstance", "files", "payload", "exchange"]
    assert first.split()[-3:] == second.split()[-3:] == ["2", result().payload[:12], "cccccccccccc"]


def test_payload_digest_hangs_on_every_name_and_every_byte() -> None:
    digests = {result(files=files).payload for files in ({"a": "1"}, {"a": "2"}, {"b": "1"}, {})}
    assert len(digests) == 4


def test_the_circumstances_differ_in_everything_that_may_not_matter() -> None:
    assert all(getattr(HERE, name) != getattr(ELSEWHERE, name) for name in HERE.__dataclass_fields__)
    variables = ELSEWHERE.environment()
    assert variables["PYTHONUTF8"] == variables["PYTHONCOERCECLOCALE"] == "0"


# Interpreters


def test_this_python_is_found_by_its_path() -> None:
    found = pythons.find_pythons([sys.executable])[sys.executable]
    assert found is not None
    assert Path(sys.executable).samefile(found)


def test_a_shim_that_names_no_python_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder, text in (("shims", "#!/bin/sh\nexit 127\n"), ("wrong", "#!/bin/sh\necho 2.7 /usr/bin/python\n")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "python3.12").write_text(text, encoding="utf-8")
        (tmp_path / folder / "python3.12").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'shims'}{os.pathsep}{tmp_path / 'wrong'}")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    assert pythons.find_pythons(["3.12"]) == {"3.12": None}


def test_without_any_python_the_command_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert pythons.main(["1.5"]) == 2
    assert capsys.readouterr().out == ("Python 1.5: not found, left out\nexpected at least one Python, found none\n")


# Runs


def test_a_part_that_falls_is_a_complaint_with_its_last_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pythons, "PART", "no_such_scenario")
    monkeypatch.setattr(pythons, "elsewhere", lambda folder: folder.mkdir() or folder)
    fallen = pythons.run_part("3.11", Path(sys.executable), replace(ELSEWHERE, workers=0), tmp_path / "scratch")
    assert fallen.files == {}
    assert "error" in fallen.complaint.lower()


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return one_run(Path(sys.executable), tmp_path_factory.mktemp("here"), HERE)


def one_run(python: Path, scratch: Path, circumstance: object) -> dict[str, str]:
    """The payload of one window without trading, on that Python."""
    command = [str(python), "-m", "pytest", "features/", "-p", "no:randomly", "-p", "no:cacheprovider"]
    done = pythons.command([*command, "--reports", str(scratch), "-k", ONE_RUN], ROOT, circumstance)
    assert done.returncode == 0, done.stdout
    files: dict[str, str] = pythons.payloads(scratch / "runs")
    return files


@pytest.mark.parametrize("version", OTHERS)
def test_another_python_leaves_the_same_bytes(version: str, here: dict[str, str], tmp_path: Path) -> None:
    python = ROOT / ".tools" / f"python-{version}" / "bin" / "python"
    if not python.exists():
        pytest.skip(f"Python {version} is not set up here: make conformance does it, and compares more")
    ready = subprocess.run([python, "-c", "import botproof, pytest_bdd, uvicorn"], cwd=tmp_path, check=False)
    if ready.returncode:
        pytest.skip(f"Python {version} is not set up as the lock file has it: make conformance does it")
    assert len(here) == len(pythons.PAYLOAD)
    assert one_run(python, tmp_path, ELSEWHERE) == here
