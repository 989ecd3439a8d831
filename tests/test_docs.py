"""Every command of README and docs, run as it stands.

A block marked `sh` is run whole, the blocks of a page one after the other in one shell, in a copy of what a checkout
holds; a comment `exits N` says which exit is meant. A command anywhere else must be in the table of those that are
not run, each with its reason.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
TRIED_ELSEWHERE = {  # pages whose blocks need something at hand; a test of their own runs them
    "fake.md": "test_loopback.py",
    "judging-no-trade.md": "test_judging_doc.py",
}
NOT_RUN = {
    "make accept": "sets the project up, and runs the whole suite: minutes",
    "make test": "sets the project up, and runs this very test",
    "make bench": "minutes, and a machine of its own",
    'make bench BENCH="--short --profile"': "as above",
    "make mutants": "hours",
    'make mutants MODULES="exits ledger"': "minutes to hours",
    "rm -rf mutants": "takes away what the line before left",
    "botproof search --seeds 0:500 --bot reference": "five minutes; tests/test_search.py runs shorter ones",
    "botproof search --seeds 0:20 --window 9h --begin 15:30": "ten minutes; as above",
    "pytest features/ --market=replay:btcusdt_trades.csv#2 --window=3m": (
        "needs recorded trades, which are not in the project; tests/test_replay_stage.py runs them where they are"
    ),
    "pytest features/ --venue=fake --seed 1": "the whole suite, minutes; tests/test_acceptance.py runs a part of it",
    "PYTHONPATH=. pytest features/ --venue=fake --bot python:my_package.adapter:factory": (
        "the name stands for the reader's own; tests/test_new.py runs a bot by its address"
    ),
    (
        "botproof judge no-trade --minute-csv RUN/minute.csv --profile epp_v2_4_bot1u20_bitget_live_notrade "
        "--start 2026-02-22T01:01:00Z --end 2026-02-22T01:16:00Z --run-record RUN --venue-record RUN"
    ): "RUN stands for the folder of a run; tests/test_judging_doc.py runs it on one",
    "botproof fake --port 8787 --seed 7 --balance 1000": "runs until it is ended; tests/test_loopback.py begins and ends it",
}
COMMAND = re.compile(r"(?:[A-Z_]+=\S+ )*(?:make|pytest|botproof|curl|python3?|pip|uv|rm|scripts/\S+) \S|pytest$")
BLOCK = re.compile(r"^```([a-z]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LIMIT_S = 300


@dataclass(frozen=True)
class Command:
    page: str
    text: str
    exit_code: int


def blocks(page: Path) -> Iterator[tuple[str, str]]:
    """Language and text of each fenced block."""
    yield from (match.groups() for match in BLOCK.finditer(page.read_text()))  # type: ignore[misc]


def marked(page: Path) -> list[Command]:
    """The commands of the blocks that are run."""
    lines = [line for language, text in blocks(page) if language == "sh" for line in text.splitlines() if line.strip()]
    return [
        Command(page.name, line, int(said[1]) if (said := re.search(r"# exits ([0-9]+)", line)) else 0)
        for line in lines
    ]


def unmarked(page: Path) -> list[str]:
    """The commands of the other blocks, without what is said beside them."""
    lines = [line for language, text in blocks(page) if language != "sh" for line in text.splitlines()]
    return [re.split(r"\s{2,}", line)[0] for line in lines if COMMAND.match(line)]


# Where the package is installed pytest finds the plugin by itself, and must be the first to import it.
PYTEST = """
from importlib.metadata import entry_points
plugin = []
if all(point.value != "botproof.plugin" for point in entry_points(group="pytest11")):
    plugin = ["-p", "botproof.plugin"]
    BRIDGE
import pytest
sys.exit(pytest.main([*plugin, "-p", "no:randomly", *sys.argv[1:]]))
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What a checkout holds, with `pytest` and `botproof` of this interpreter in `bin`."""
    copy = tmp_path / "checkout"
    copy.mkdir()
    for folder in ("botproof", "fakes", "features", "profiles", "steps"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("conftest.py", "pytest.ini"):
        shutil.copy(ROOT / name, copy)
    (copy / "bin").mkdir()
    path = f"import sys; sys.path.insert(0, {str(copy)!r})"
    bridge = f"import botproof; botproof.__path__.append({str(copy)!r})"
    for name, main in (("pytest", PYTEST), ("botproof", "BRIDGE\nfrom botproof.cli import main; main()")):
        script = copy / "bin" / name
        script.write_text(f"#!{sys.executable}\n{path}\n{main.replace('BRIDGE', bridge)}\n")
        script.chmod(0o755)
    return copy


def run(commands: list[Command], checkout: Path) -> list[tuple[int, str]]:
    """Exit code and output of each command, in one shell."""
    script = "\n".join(f"{command.text}\nprintf '\\n@@ %s\\n' $?" for command in commands)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "PYTHONPATH"))}
    environment["PATH"] = f"{checkout / 'bin'}:{environment['PATH']}"
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=checkout,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    parts = re.split(r"\n@@ ([0-9]+)\n", done.stdout)
    return [(int(code), said) for said, code in zip(parts[::2], parts[1::2], strict=False)]


@pytest.mark.parametrize(
    "page", [page for page in PAGES if marked(page) and page.name not in TRIED_ELSEWHERE], ids=lambda page: page.stem
)
def test_every_marked_command_exits_as_the_page_says(page: Path, checkout: Path) -> None:
    commands = marked(page)
    answers = run(commands, checkout)
    assert len(answers) == len(commands)
    for command, (code, said) in zip(commands, answers, strict=True):
        assert code == command.exit_code, f"{page.name}: {command.text}\n{said}"
        assert "Traceback" not in said, f"{page.name}: {command.text}\n{said}"


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.name not in TRIED_ELSEWHERE], ids=lambda page: page.stem
)
def test_every_other_command_is_known_with_the_reason_why_it_is_not_run(page: Path) -> None:
    assert [command for command in unmarked(page) if command not in NOT_RUN] == []


def test_the_table_of_what_is_not_run_holds_nothing_that_is_nowhere() -> None:
    said = {command for page in PAGES for command in unmarked(page)}
    assert set(NOT_RUN) - said == set()


@pytest.mark.parametrize("page", TRIED_ELSEWHERE)
def test_a_page_that_is_tried_elsewhere_is_read_there(page: str) -> None:
    assert page in (ROOT / "tests" / TRIED_ELSEWHERE[page]).read_text()


def test_every_page_that_is_named_is_there() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+\.md)\)", page.read_text()):
            assert (page.parent / target).is_file(), f"{page.name} names {target}"


def test_a_wrong_exit_is_seen(checkout: Path) -> None:
    planted = [Command("x.md", "botproof feasable", 0), Command("x.md", "botproof --version", 0)]
    assert [code for code, _ in run(planted, checkout)] == [2, 0]
