"""Try the mutants of one tree: collect its tests once, run them clean once, then fork for each mutant.

    cd mutants/exits && python ../../scripts/mutants_trial.py

mutmut cuts the mutants and keeps their results. Its own `run` starts pytest anew for every mutant, and collecting the
tests takes ten times as long as a fold takes to fail one. Here each mutant is a child of the one session that has
collected them: it runs the tests that reach the mutated function, those that killed its neighbours first, and ends
with the first that fails. Tried are the mutants without a result, and those that survived before.

Exit status: 0 all tried, 1 a test fails without any mutant, 2 no test reaches any function of the tree.
"""

import math
import os
import resource
import signal
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol
from mutmut.__main__ import create_mutants_for_file
from mutmut.configuration import config
from mutmut.mutation.data import SourceFileMutationData
from mutmut.mutation.trampoline import set_mutant_under_test
from mutmut.state import state
from mutmut.utils.file_utils import setup_source_paths
from mutmut.utils.format_utils import mangled_name_from_mutant_name

SURVIVED, FAILED, FELL, UNREACHED = 0, 1, 3, 33
UNTRIED = frozenset({None, SURVIVED, 5, UNREACHED})
PATIENCE, PATIENCE_S = 3, 5  # a mutant may take three times as long as its tests without it, and five seconds


class Trial:
    """A pytest plugin: in place of running the collected tests it tries the mutants with them."""

    def __init__(self, results: SourceFileMutationData) -> None:
        self._results = results
        self._reaching: dict[str, list[pytest.Item]] = defaultdict(list)  # by mutated function
        self._seconds: dict[pytest.Item, float] = {}
        self._kills: Counter[pytest.Item] = Counter()
        self._kills_in: dict[str, Counter[pytest.Item]] = defaultdict(Counter)  # by mutated function

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if session.testsfailed:
            raise session.Failed("a test file could not be read")
        self._run_clean(session.items)
        if not self._reaching:
            pytest.exit("no test reaches any function of this tree", returncode=2)
        codes = self._results.exit_code_by_key
        for mutant in [mutant for mutant, code in codes.items() if code in UNTRIED]:
            codes[mutant] = self._try(mutant)
            self._results.save()
        return True

    def _run_clean(self, items: Sequence[pytest.Item]) -> None:
        """Run every test without a mutant, and note which functions it reaches."""
        set_mutant_under_test("stats")
        reached = state()._stats  # noqa: SLF001 - what the trampolines of mutmut have noted
        for item, following in _in_turn(items):
            reached.clear()
            before = time.process_time()
            if not _passes(item, following):
                pytest.exit(f"{item.nodeid} fails without any mutant", returncode=1)
            self._seconds[item] = time.process_time() - before
            for function in reached:
                self._reaching[function].append(item)

    def _try(self, mutant: str) -> int:
        """The exit status of `mutant`, as mutmut keeps it."""
        function = mangled_name_from_mutant_name(mutant)
        tests, kills = self._reaching.get(function, []), self._kills_in[function]
        if not tests:
            return UNREACHED
        tests = sorted(tests, key=lambda test: (-kills[test], -self._kills[test], self._seconds[test]))
        patience_s = math.ceil(PATIENCE * sum(self._seconds[test] for test in tests) + PATIENCE_S)
        code, killer = _in_child(mutant, tests, patience_s)
        if killer is not None:
            self._kills[tests[killer]] += 1
            kills[tests[killer]] += 1
        return code


def _in_turn(items: Sequence[pytest.Item]) -> Iterable[tuple[pytest.Item, pytest.Item | None]]:
    """Each test with the one that follows it: pytest ends the fixtures that the next one does not share."""
    return zip(items, [*items[1:], None], strict=True)


def _passes(item: pytest.Item, following: pytest.Item | None) -> bool:
    return not any(report.failed for report in runtestprotocol(item, log=False, nextitem=following))


def _in_child(mutant: str, tests: Sequence[pytest.Item], patience_s: int) -> tuple[int, int | None]:
    """How a child that runs `tests` on `mutant` ends, and which of them killed it."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        code = FELL
        try:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(3 * patience_s)
            resource.setrlimit(resource.RLIMIT_CPU, (patience_s, patience_s + 1))
            set_mutant_under_test(mutant)
            code = _first_failing(tests, writing)
        finally:
            os._exit(code)
    os.close(writing)
    told = os.read(reading, 16)
    os.close(reading)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), int(told) if told else None


def _first_failing(tests: Sequence[pytest.Item], writing: int) -> int:
    for place, (item, following) in enumerate(_in_turn(tests)):
        if not _passes(item, following):
            os.write(writing, str(place).encode())
            return FAILED
    return SURVIVED


def lay_out(module: Path) -> Path:
    """Where the mutants of `module` are to be written: in a tree that has links to everything else."""
    source, place = Path(), Path("mutants")
    for part in module.parts:
        place.mkdir(exist_ok=True)
        for entry in source.iterdir():
            link = place / entry.name
            if entry.name not in (part, "mutants") and not link.is_symlink():
                link.symlink_to(entry.absolute())
        source, place = source / part, place / part
    return place


def main() -> int:
    """Cut the mutants of the module that the tree in the working directory is about, and try them."""
    set_mutant_under_test("mutant_generation")
    (module,) = map(Path, config().only_mutate)
    cut = create_mutants_for_file(module, lay_out(module))
    if cut.error:
        raise cut.error
    setup_source_paths()
    results = SourceFileMutationData(path=module)
    results.load()
    results.meta_path = results.meta_path.absolute()
    tests, options = config().pytest_add_cli_args_test_selection, config().pytest_add_cli_args
    os.chdir("mutants")
    quiet = ["--rootdir=.", "--tb=native", "-q", "-p", "no:randomly"]
    return int(pytest.main([*quiet, *options, *tests], plugins=[Trial(results)]))


if __name__ == "__main__":
    sys.exit(main())
