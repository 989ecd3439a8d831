"""The sources of the house under the names they are installed by, for rules that are checked by reading them."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = {
    "botproof": "botproof",
    "steps": "botproof.steps",
    "fakes": "botproof.fakes",
    "features": "botproof.features",
}


@dataclass(frozen=True)
class Import:
    """`target` is absolute and goes down to the name taken: `botproof.events.Fill`."""

    line: int
    target: str
    relative: bool = False
    on_demand: bool = False


@dataclass(frozen=True)
class Module:
    """A source under the name it is installed by."""

    name: str
    source: str
    is_package: bool = False

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.source)

    @cached_property
    def imports(self) -> list[Import]:
        top = set(self.tree.body)
        return [each for node in ast.walk(self.tree) for each in self._imports_of(node, on_demand=node not in top)]

    def _imports_of(self, node: ast.AST, *, on_demand: bool) -> Iterator[Import]:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(node.lineno, alias.name, on_demand=on_demand)
        elif isinstance(node, ast.ImportFrom):
            base = [*self._above(node.level), *filter(None, [node.module])]
            for alias in node.names:
                yield Import(node.lineno, ".".join([*base, alias.name]), bool(node.level), on_demand)

    def _above(self, level: int) -> list[str]:
        parts = self.name.split(".")
        return parts[: len(parts) - level + self.is_package] if level else []


def modules() -> Iterator[Module]:
    for folder, package in FOLDERS.items():
        for path in sorted((ROOT / folder).rglob("*.py")):
            parts = [package, *path.relative_to(ROOT / folder).with_suffix("").parts]
            is_package = parts[-1] == "__init__"
            name = ".".join(parts[:-1] if is_package else parts)
            yield Module(name, path.read_text(encoding="utf-8"), is_package)


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")
