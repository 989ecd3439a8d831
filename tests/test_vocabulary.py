"""The phrases of the steps: each used, each once, each where a reader looks for it."""

import ast
import itertools
import subprocess
import sys
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


# What `--steps` lists.


@pytest.fixture(scope="module")
def listed() -> list[str]:
    command = [sys.executable, "-m", "pytest", "features/", "--steps"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_every_phrase_is_listed_once_by_noun_and_kind(listed: list[str]) -> None:
    assert [line[8:] for line in listed if line.startswith(("  Given ", "  When  ", "  Then  "))] == [
        phrase.text for phrase in sorted(PHRASES, key=lambda p: (p.file, KINDS.index(p.kind), p.text.lower()))
    ]


def test_every_phrase_is_listed_with_a_step_that_says_it(listed: list[str]) -> None:
    phrases = [number for number, line in enumerate(listed) if line.startswith(("  Given ", "  When  ", "  Then  "))]
    for number in phrases:
        assert parsers.parse(listed[number][8:]).is_matching(listed[number + 1].strip()), listed[number]


def test_a_table_is_listed_with_its_step(listed: list[str]) -> None:
    assert listed[listed.index("  Given the micro-cap profile with:") + 2].startswith("        | ")


def test_a_users_own_steps_are_listed_behind_ours_and_his_features_are_the_examples(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\nbotproof_features = features\n")
    (tmp_path / "conftest.py").write_text(
        "from pytest_bdd import given, then\n"
        "@given('the moon is full')\ndef _(): pass\n"
        "@then('nobody says this')\ndef _(): pass\n"
    )
    (tmp_path / "features").mkdir()
    (tmp_path / "features" / "a.feature").write_text(
        "Feature: a\n  Scenario: b\n    Given the moon is full\n    And a flat account of 77 USDT\n"
    )
    (tmp_path / "features" / "torn.feature").write_text("Scenario Scenario: |")
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); import botproof; botproof.__path__.append({str(ROOT)!r});"
        "import pytest; sys.exit(pytest.main(['-p', 'botproof.plugin', '--steps']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "        a flat account of 77 USDT\n" in done.stdout
    assert done.stdout.endswith(
        "conftest\n  Given the moon is full\n        the moon is full\n"
        "  Then  nobody says this\n        no feature says it yet\n"
    )
