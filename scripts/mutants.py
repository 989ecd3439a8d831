"""Mutation testing of the judgement, module by module: which changes of it would no test notice?

    python scripts/mutants.py                 every module; what has not changed since is not run again
    python scripts/mutants.py exits ledger    these alone

Nearly every test of the judgement asks the whole judge, so a mutant of any module meets every test of every other one,
and a surviving one all of them. Each module is therefore mutated in a tree of its own, `mutants/<module>/`, against the
tests that are about it: its own (`test_<module>*.py`, `test_invariants_<module>*.py`), where it has none those of the
modules that import it, and what all folds have in common. Properties of drawn tapes (`*_properties.py`) and tests
marked slow are left out: they take seconds each. What `[tool.mutmut]` in pyproject.toml says holds for every tree.

mutmut cuts the mutants and keeps a result until the function changes; scripts/mutants_trial.py tries them. Where a
module's tests have changed, what survived is tried once more. What was killed stays killed: `rm -rf mutants` begins
anew.

A mutant that ends in a time-out is killed; one that no test reaches has survived. Every survivor is to stand in
docs/mutants.md with its function, its line and the reason why it may live. Exit status: 1 where less than
KILLED_MIN of 100 are killed or a module could not be tried, else 0.
"""

import ast
import difflib
import hashlib
import json
import re
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

ROOT = Path(__file__).parents[1]
TREES = ROOT / "mutants"
LIST = ROOT / "docs" / "mutants.md"
ROOM = ROOT / "botproof" / "invariants"
TRIAL = ROOT / "scripts" / "mutants_trial.py"
LINKS = ("botproof", "conftest.py", "fakes", "features", "profiles", "pytest.ini", "steps", "tests")
KILLED_MIN = 95

SURVIVED = frozenset({0, 5, 33})  # 5 and 33: no test reaches it
KILLED = frozenset({1, 3, -signal.SIGXCPU, -signal.SIGALRM})  # 3: pytest fell; the signals: a time-out


@dataclass(frozen=True)
class Module:
    """A module of the judgement, and the test files that are about it."""

    name: str
    path: Path
    tests: tuple[str, ...]

    @property
    def tree(self) -> Path:
        return TREES / self.name

    @property
    def mutated(self) -> Path:
        return self.tree / "mutants" / self.path.relative_to(ROOT)

    def results(self) -> dict[str, int | None]:
        """Exit status by mutant; None where it has not been tried."""
        meta = self.mutated.with_name(f"{self.path.name}.meta")
        if not meta.exists() or not self.mutated.exists():
            return {}
        codes: dict[str, int | None] = json.loads(meta.read_text())["exit_code_by_key"]
        return codes

    def survivors(self) -> list[str]:
        return [name for name, code in self.results().items() if code in SURVIVED]


def modules() -> list[Module]:
    """Every module of the judgement that does something, by its name."""
    paths = {path.stem: path for path in sorted(ROOM.glob("[a-z]*.py")) if "def " in path.read_text()}
    used = {name: _imported(path) for name, path in paths.items()}
    found = [Module("closure", ROOT / "botproof" / "closure.py", tuple(_tests_of(["closure"])))]
    for name, path in paths.items():
        users = {user for user in paths if user != "judge" and name in used[user]}
        tests = _tests_of([name]) or _tests_of(users)
        found.append(Module(name, path, (*tests, *(_tests_of(["verdicts"]) if name in used["judge"] else ()))))
    return found


def _imported(path: Path) -> set[str]:
    """The modules of the same room that it imports."""
    tree = ast.parse(path.read_text())
    targets = (node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom))
    return {
        target.removeprefix("botproof.invariants.") for target in targets if target.startswith("botproof.invariants")
    }


def _tests_of(names: Iterable[str]) -> list[str]:
    patterns = [f"test_{room}{name}{rest}.py" for name in names for room in ("", "invariants_") for rest in ("", "_*")]
    found = {path for pattern in patterns for path in (ROOT / "tests").glob(pattern)}
    return sorted(f"tests/{path.name}" for path in found if not path.stem.endswith("_properties"))


def settle(module: Module) -> None:
    """Lay out the tree of `module`: links to the checkout, and the settings of mutmut for this module alone."""
    module.tree.mkdir(parents=True, exist_ok=True)
    for name in LINKS:
        link = module.tree / name
        if not link.is_symlink():
            link.symlink_to(ROOT / name)
    settings: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mutmut"]
    settings |= {
        "only_mutate": [str(module.path.relative_to(ROOT))],
        "pytest_add_cli_args_test_selection": list(module.tests),
    }
    lines = [f"{key} = {json.dumps(value)}" for key, value in settings.items()]  # what mutmut is told is both
    (module.tree / "pyproject.toml").write_text("\n".join(["[tool.mutmut]", *lines, ""]))


def state(module: Module) -> str:
    """The module, its settings and its tests with the streams that they judge, as one digest."""
    streams = sorted((ROOT / "tests").glob("streams*.py"))
    tests = [ROOT / test for test in module.tests]
    digest = hashlib.sha256()
    for path in (module.tree / "pyproject.toml", module.path, *streams, *tests):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def try_out(module: Module) -> None:
    """Run what is new in `module`, and once more what survived before, unless nothing has changed since.

    Raises `click.ClickException` where no test is about it, or the trial does not get that far: the tests fail
    without any mutant, say.
    """
    if not module.tests:
        raise click.ClickException(
            f"expected tests/test_invariants_{module.name}.py, found no test about {module.name}"
        )
    settle(module)
    stamp = module.tree / "state"
    now = state(module)
    if stamp.exists() and stamp.read_text() == now and None not in module.results().values():
        return
    _try(module)
    if None not in module.results().values():
        stamp.write_text(now)


def _try(module: Module) -> None:
    # mutmut goes by the time of a file, and takes one that was left half written for a whole one.
    made_from, now = module.tree / "made_from", hashlib.sha256(module.path.read_bytes()).hexdigest()
    if not made_from.exists() or made_from.read_text() != now:
        module.mutated.unlink(missing_ok=True)
    made_from.unlink(missing_ok=True)
    log = module.tree / "trial.log"
    with log.open("wb") as out:
        done = subprocess.run(
            [sys.executable, TRIAL], cwd=module.tree, stdout=out, stderr=subprocess.STDOUT, check=False
        )
    if done.returncode:
        raise click.ClickException(
            f"the trial of {module.name} ended with {done.returncode}; see {log.relative_to(ROOT)}"
        )
    made_from.write_text(now)


def changes(module: Module) -> Iterator[tuple[str, str]]:
    """Every survivor as its function and what it changes: ("Exits.end", "left = a - b -> left = a + b")."""
    lines = module.mutated.read_text().splitlines()
    spans = json.loads(module.mutated.with_name(f"{module.path.name}.spans").read_text())["spans"]
    for mutant in module.survivors():
        name = mutant.rpartition(".")[2]
        original, mutated = (
            [line.strip().replace(f"def {span}(", "def (") for line in lines[first - 1 : last]]
            for span in (re.sub(r"_\d+$", "_orig", name), name)
            for first, last in [spans[span]]
        )
        differing = list(difflib.ndiff(original, mutated))
        was, now = (" ".join(line[2:] for line in differing if line[0] == sign) for sign in "-+")
        yield _function(name), f"{was} -> {now}"


def _function(name: str) -> str:
    """`xǁExitsǁverdict__mutmut_7` is "Exits.verdict"."""
    return re.sub(r"__mutmut_\d+$", "", name).removeprefix("x_").removeprefix("xǁ").replace("ǁ", ".")


def report(found: Iterable[Module]) -> float:
    """Print the figures, and every survivor that the list does not explain; the share killed, of 100."""
    explained = LIST.read_text() if LIST.exists() else ""
    total = killed = 0
    unexplained: list[str] = []
    for module in found:
        results = module.results()
        if not results:
            continue
        good = sum(code in KILLED for code in results.values())
        total, killed = total + len(results), killed + good
        click.echo(f"{module.name:12} {good:5} of {len(results):5} killed  {100 * good / len(results):5.1f} %")
        unexplained += [
            f"{module.name}  {function}  {change}"
            for function, change in changes(module)
            if f"`{function}`: `{change}`" not in explained
        ]
    for line in unexplained:
        click.echo(f"survived, and not in docs/mutants.md: {line}")
    share = 100 * killed / total if total else 0.0
    click.echo(f"{'together':12} {killed:5} of {total:5} killed  {share:5.1f} %, {KILLED_MIN} are the least")
    return share


@click.command()
@click.argument("names", nargs=-1)
def main(names: tuple[str, ...]) -> None:
    """Mutate the judgement and tell what no test noticed."""
    known = {module.name: module for module in modules()}
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise click.ClickException(f"expected names of {', '.join(known)}; found {', '.join(unknown)}")
    wanted = [known[name] for name in names] or list(known.values())
    failed = False
    for module in wanted:
        click.echo(f"{module.name} ...", err=True)
        try:
            try_out(module)
        except click.ClickException as error:
            error.show()
            failed = True
    if report(wanted) < KILLED_MIN or failed:
        sys.exit(1)


if __name__ == "__main__":
    main()
