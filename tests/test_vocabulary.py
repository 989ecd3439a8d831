"""The phrases of the steps: each used, each once, each where a reader looks for it."""

import ast
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pytest_bdd import parsers
from pytest_bdd.parser import FeatureParser

ROOT = Path(__file__).parents[1]
KINDS = ("given", "when", "then")


@dataclass(frozen=True)
class Phrase:
    file: str
    kind: str
    text: str

    def matches(self, name: str) -> bool:
        return parsers.parse(self.text).is_matching(name)


def phrases_of(source: str, file: str) -> Iterator[Phrase]:
    """The phrases of a module of steps, in the order of the file."""
    for node in ast.parse(source).body:
        for decorator in node.decorator_list if isinstance(node, ast.FunctionDef) else ():
            if isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Name) and decorator.func.id in KINDS:
                [text] = [n.value for n in ast.walk(decorator.args[0]) if isinstance(n, ast.Constant)]
                yield Phrase(file, decorator.func.id, str(text))


def said_in_features() -> list[tuple[str, str]]:
    """Kind and text of every step of every feature, outlines rendered row by row."""
    said = []
    for path in sorted((ROOT / "features").rglob("*.feature")):
        feature = FeatureParser(str(ROOT / "features"), str(path.relative_to(ROOT / "features"))).parse()
        for template in feature.scenarios.values():
            rows = [row for examples in template.examples for row in examples.as_contexts()] or [{}]
            for row in rows:
                said += [(step.type, step.name) for step in template.render(row).steps]
    return said


PHRASES = [
    phrase for path in sorted((ROOT / "steps").glob("*.py")) for phrase in phrases_of(path.read_text(), path.name)
]
SAID = said_in_features()


def unsorted(phrases: list[Phrase]) -> list[str]:
    """Phrases that stand out of order among those of their file and kind."""
    return [
        later.text
        for earlier, later in itertools.pairwise(phrases)
        if (earlier.file, earlier.kind) == (later.file, later.kind) and earlier.text.lower() > later.text.lower()
    ]


def unused(phrases: list[Phrase], said: list[tuple[str, str]]) -> list[str]:
    return [p.text for p in phrases if not any(kind == p.kind and p.matches(text) for kind, text in said)]


def ambiguous(phrases: list[Phrase], said: list[tuple[str, str]]) -> list[str]:
    """Steps of the features that no phrase takes, or more than one."""
    return [text for kind, text in said if sum(p.kind == kind and p.matches(text) for p in phrases) != 1]


def test_the_features_speak() -> None:
    assert len(PHRASES) > 20
    assert len(SAID) > 40


def test_every_phrase_is_used() -> None:
    assert unused(PHRASES, SAID) == []


def test_every_step_is_taken_by_exactly_one_phrase() -> None:
    assert ambiguous(PHRASES, SAID) == []


def test_a_phrase_stands_once() -> None:
    texts = [(phrase.kind, phrase.text) for phrase in PHRASES]
    assert len(set(texts)) == len(texts)


def test_every_phrase_stands_in_the_guide_to_writing_features() -> None:
    guide = (ROOT / "docs" / "writing-features.md").read_text()
    assert [phrase.text for phrase in PHRASES if f"`{phrase.text}`" not in guide] == []


def test_phrases_are_in_alphabetical_order_within_their_kind() -> None:
    assert unsorted(PHRASES) == []


@pytest.mark.parametrize("path", sorted((ROOT / "features").rglob("*.feature")), ids=lambda path: path.stem)
def test_no_title_says_test_verify_should_or_works(path: Path) -> None:
    titles = [
        line.partition(":")[2]
        for line in path.read_text().splitlines()
        if line.strip().startswith(("Feature:", "Rule:", "Scenario"))
    ]
    words = {word.strip(".,").lower() for title in titles for word in title.split()}
    assert not words & {"test", "verify", "should", "works"}


PLANTED = [Phrase("a.py", "then", "the sky is {colour}"), Phrase("a.py", "then", "the grass is green")]


def test_each_rule_is_seen_to_fail() -> None:
    said = [("then", "the sky is blue"), ("then", "the sea is deep")]
    assert unused(PLANTED, said) == ["the grass is green"]
    assert ambiguous(PLANTED, said) == ["the sea is deep"]
    assert ambiguous([*PLANTED, Phrase("b.py", "then", "the sky is blue")], said[:1]) == ["the sky is blue"]
    assert unsorted(PLANTED) == ["the grass is green"]
