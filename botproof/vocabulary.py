"""The phrases that features may be written in, each with an example of its use: what `--steps` lists."""

import importlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from pytest_bdd import exceptions
from pytest_bdd.parser import FeatureParser, Step
from pytest_bdd.steps import StepFunctionContext, step_function_context_registry

import botproof
from botproof.plugin import STEPS

ROWS_SHOWN = 2
_KINDS = ("given", "when", "then")
_HOUSE = "botproof.steps."


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase as it stands in the steps, and the first step of a feature that says it."""

    noun: str  # the module that it stands in
    kind: str
    text: str
    example: Step | None

    def lines(self) -> Iterator[str]:
        """The phrase, and its example with its table."""
        yield f"  {self.kind.title():<5} {self.text}"
        if self.example is None:
            yield "        no feature says it yet"
            return
        yield f"        {self.example.name}"
        if self.example.datatable is not None:
            rows = [[cell.value for cell in row.cells] for row in self.example.datatable.rows]
            widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
            for row in rows[:ROWS_SHOWN]:
                yield (
                    "        | "
                    + " | ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
                    + " |"
                )
            if len(rows) > ROWS_SHOWN:
                yield "        ..."


def list_steps(config: pytest.Config) -> Iterator[str]:
    """The lines that `--steps` prints: our phrases, then those of the user's own conftest, noun by noun."""
    for noun in STEPS:
        importlib.import_module(f"{_HOUSE}{noun}")
    said = list(_said(_folders(config)))
    noun = ""
    for phrase in sorted(_phrases(said), key=_order):
        if phrase.noun != noun:
            noun = phrase.noun
            yield f"{noun}"
        yield from phrase.lines()


def _order(phrase: Phrase) -> tuple[bool, str, int, str]:
    return phrase.noun not in STEPS, phrase.noun, _KINDS.index(phrase.kind), phrase.text.lower()


def _phrases(said: Iterable[Step]) -> Iterator[Phrase]:
    for context in list(step_function_context_registry.values()):
        module = context.step_func.__module__
        if module.startswith("pytest_bdd"):
            continue
        noun = module.removeprefix(_HOUSE)
        for kind in (context.type,) if context.type else _KINDS:
            yield Phrase(noun, kind, context.parser.name, next(_uses(context, kind, said), None))


def _uses(context: StepFunctionContext, kind: str, said: Iterable[Step]) -> Iterator[Step]:
    return (step for step in said if step.type == kind and context.parser.is_matching(step.name))


def _folders(config: pytest.Config) -> list[Path]:
    """Where features lie: the user's own first, then ours."""
    own = [Path(folder) for folder in config.getini("botproof_features")]
    shipped = [Path(place) / "features" for place in botproof.__path__]
    return [folder for folder in dict.fromkeys([*own, *shipped]) if folder.is_dir()]


def _said(folders: Iterable[Path]) -> Iterator[Step]:
    """Every step of every feature that can be read, outlines by their first row."""
    for folder in folders:
        for path in sorted(folder.rglob("*.feature")):
            try:
                feature = FeatureParser(str(folder), str(path.relative_to(folder))).parse()
            except (exceptions.GherkinParseError, KeyError, UnicodeDecodeError, OSError):
                continue  # its own run says what is wrong with it
            for template in feature.scenarios.values():
                row: Mapping[str, str] = next(
                    (row for examples in template.examples for row in examples.as_contexts()), {}
                )
                yield from template.render(row).steps
