"""The report on disk, with a stand-in for the Allure program; the real one needs Node and is met by `make accept`."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from botproof.errors import HarnessError
from botproof.evidence import html
from botproof.evidence.attachments import CATEGORIES

TAG = """
    <script async src="https://www.googletagmanager.com/gtag/js?id=G-1"></script>
    <script>
        window.dataLayer = window.dataLayer || [];
        gtag('config', 'G-1', {"report": "awesome"});
    </script>"""
PAGE = f"<html><body><p>7 scenarios</p>{TAG}<script>report()</script></body></html>"

Allure = Callable[..., None]


@pytest.fixture
def reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the results of one scenario, and nothing on the PATH."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    (tmp_path / "bin").mkdir()
    results = tmp_path / "reports" / "allure-results"
    results.mkdir(parents=True)
    (results / "1-result.json").write_text("{}")
    return tmp_path / "reports"


@pytest.fixture
def allure(tmp_path: Path) -> Allure:
    """Put a program on the PATH that says its version, keeps its configuration and writes the page it is given."""

    def install(page: str = PAGE, version: str = "3.18.0", status: int = 0) -> None:
        program = f"""#!{sys.executable}
import pathlib, shutil, sys
if sys.argv[1] == "--version":
    print({version!r})
    sys.exit()
arguments = dict(zip(sys.argv[2::2], sys.argv[3::2]))
shutil.copy(arguments["--config"], {str(tmp_path / "config.json")!r})
if {status}:
    sys.exit("reading results\\nout of memory")
pathlib.Path(arguments["--output"]).mkdir()
pathlib.Path(arguments["--output"], "index.html").write_text({page!r})
"""
        for name in ("allure", "node"):
            path = tmp_path / "bin" / name
            path.write_text(program)
            path.chmod(0o755)

    return install


def state_closure(reports: Path, text: str, *, before_the_results: bool = False) -> None:
    path = reports / "closure" / "closure.json"
    path.parent.mkdir()
    path.write_text(text)
    moment = (reports / "allure-results" / "1-result.json").stat().st_mtime_ns
    moment += -1_000_000_000 if before_the_results else 1_000_000_000
    os.utime(path, ns=(moment, moment))


CLOSURE = json.dumps(
    {
        "status": "PARTIAL",
        "bot_judged": "reference",
        "missing": [{"id": "E3", "reason": "not built"}, {"id": "E16", "reason": "never exercised"}],
    }
)


def test_page_is_published_without_the_analytics_tag(reports: Path, allure: Allure) -> None:
    allure()
    page = html.publish(reports).read_text()
    assert page == "<html><body><p>7 scenarios</p><script>report()</script></body></html>"
    assert [path.name for path in (reports / "allure-report").iterdir()] == ["index.html"]


def test_page_that_still_calls_home_is_not_published(reports: Path, allure: Allure) -> None:
    allure(page=PAGE.replace("window.dataLayer", "window.data"))
    with pytest.raises(HarnessError, match=r"still calls googletagmanager\.com"):
        html.publish(reports)
    assert not (reports / "allure-report" / "index.html").exists()


def test_report_of_an_earlier_run_does_not_outlive_a_failure(reports: Path) -> None:
    (reports / "allure-report").mkdir()
    (reports / "allure-report" / "index.html").write_text("earlier")
    assert html.main(["--reports", str(reports)]) == 1
    assert not (reports / "allure-report" / "index.html").exists()


def test_generator_is_told_the_categories(reports: Path, allure: Allure, tmp_path: Path) -> None:
    allure()
    html.publish(reports)
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["categories"] == list(CATEGORIES)
    assert config["plugins"]["awesome"]["options"]["singleFile"] is True


def said(reports: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    status = html.main(["--reports", str(reports)])
    return (status, *capsys.readouterr())


def test_report_bot_and_closure_are_the_closing_lines(
    reports: Path, allure: Allure, capsys: pytest.CaptureFixture[str]
) -> None:
    allure()
    state_closure(reports, CLOSURE)
    status, lines, error = said(reports, capsys)
    assert (status, error) == (0, "")
    assert lines.splitlines() == [
        f"report: {reports / 'allure-report' / 'index.html'}",
        "bot judged: reference",
        "closure: PARTIAL; missing 2:",
        "  E3   not built",
        "  E16  never exercised",
    ]


@pytest.mark.parametrize(
    ("missing", "expected"),
    [
        ("allure", "report: none; expected Allure 3 and Node to write the report, found no allure; "),
        ("node", "report: none; expected Allure 3 and Node to write the report, found no node; "),
    ],
)
def test_missing_program_is_named_in_one_line(
    reports: Path, allure: Allure, capsys: pytest.CaptureFixture[str], missing: str, expected: str
) -> None:
    allure()
    (reports.parent / "bin" / missing).unlink()
    status, _, error = said(reports, capsys)
    assert (status, error.count("\n")) == (1, 1)
    assert error.startswith(expected)


def test_allure_2_is_refused(reports: Path, allure: Allure, capsys: pytest.CaptureFixture[str]) -> None:
    allure(version="2.46.1")
    status, _, error = said(reports, capsys)
    assert status == 1
    assert "expected Allure 3 to write the report, found 2.46.1" in error


def test_failing_generator_is_quoted_in_one_line(
    reports: Path, allure: Allure, capsys: pytest.CaptureFixture[str]
) -> None:
    allure(status=1)
    status, _, error = said(reports, capsys)
    assert (status, error.count("\n")) == (1, 1)
    assert error.endswith("ended with 1: out of memory\n")


def test_no_results_are_no_report(reports: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (reports / "allure-results" / "1-result.json").unlink()
    status, _, error = said(reports, capsys)
    assert status == 1
    assert "found none; run pytest features/ first" in error


def test_closure_is_told_where_there_is_no_report(reports: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state_closure(reports, CLOSURE)
    assert said(reports, capsys)[1].startswith("bot judged: reference\nclosure: PARTIAL")


def test_closure_older_than_the_results_is_not_repeated(reports: Path) -> None:
    state_closure(reports, CLOSURE, before_the_results=True)
    [line] = html.closing_lines(reports)
    assert line.startswith("closure: not stated by this run")


def test_closure_without_any_results_is_not_repeated(reports: Path) -> None:
    state_closure(reports, CLOSURE)
    (reports / "allure-results" / "1-result.json").unlink()
    [line] = html.closing_lines(reports)
    assert line.startswith("closure: not stated by this run")


def test_missing_closure_is_said(reports: Path) -> None:
    assert list(html.closing_lines(reports)) == [
        f"closure: not stated, there is no {reports / 'closure' / 'closure.json'}"
    ]


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"status": "CLOSED", "bot_judged": "x", "missing": [1]}'])
def test_unreadable_closure_never_reads_as_closed(reports: Path, text: str) -> None:
    state_closure(reports, text)
    [line] = html.closing_lines(reports)
    assert "cannot be read" in line
    assert "CLOSED" not in line


def test_closure_that_misses_nothing_is_a_status_alone(reports: Path) -> None:
    state_closure(reports, '{"status": "CLOSED", "bot_judged": "x", "missing": []}')
    assert list(html.closing_lines(reports)) == ["bot judged: x", "closure: CLOSED"]
