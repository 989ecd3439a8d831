"""The page of promises: it is what the generator makes now, and every promise of the envelope is shown."""

import inspect
import re
import sys
from pathlib import Path

import pytest

from botproof.errors import HarnessError
from botproof.evidence import promises
from botproof.evidence.promises import BY_NO_BOT, LABELS, Showing, is_never_broken, missing, page, part, showings
from botproof.fakes.rogues import ROGUES
from botproof.invariants.catalogue import FILES_AGREE, PROMISES
from botproof.invariants.judge import Fold
from botproof.invariants.verdict import Outcome
from botproof.terms import Terms, find_terms

ROOT = Path(__file__).parents[1]
ENVELOPE = tuple(f"E{number}" for number in range(1, 19))


@pytest.fixture(scope="module")
def shown() -> tuple[Showing, ...]:
    return showings(ROOT / "features")


@pytest.fixture(scope="module")
def terms() -> Terms:
    return Terms.load(find_terms("day15"))


def test_the_page_is_what_the_generator_makes_now(shown: tuple[Showing, ...], terms: Terms) -> None:
    written = (ROOT / "docs" / "invariants.md").read_text(encoding="utf-8")
    assert written == page(shown, terms), "run: python -m botproof.evidence.promises > docs/invariants.md"


def test_every_promise_of_the_envelope_is_shown_held_broken_and_not_shown(shown: tuple[Showing, ...]) -> None:
    assert {id_: sorted(outcomes) for id_, outcomes in missing(shown).items() if id_ in ENVELOPE and outcomes} == {}


def test_what_a_scenario_claims_is_a_promise_and_its_bot_a_known_one(shown: tuple[Showing, ...]) -> None:
    assert {showing.id for showing in shown} <= PROMISES.keys()
    assert {showing.rogue for showing in shown} - {""} <= {rogue.does for rogue in ROGUES.values()}


def test_only_activity_and_paths_are_never_broken() -> None:
    assert {id_ for id_ in PROMISES if is_never_broken(id_)} == {"E16", "E17"}


def test_what_the_page_says_that_no_bot_breaks_no_rogue_breaks() -> None:
    assert BY_NO_BOT.keys() == PROMISES.keys() - {rogue.breaks for rogue in ROGUES.values()} - {"E17"}


@pytest.mark.parametrize("id_", PROMISES)
def test_every_promise_is_told_in_four_parts(id_: str) -> None:
    assert [label for label in LABELS if not part(id_, label)] == []


@pytest.mark.parametrize("fold", promises.FOLDS, ids=[fold.id for fold in promises.FOLDS])
def test_every_promise_stands_on_the_page_with_its_own_four_parts(fold: Fold, terms: Terms) -> None:
    folds = [other for other in promises.FOLDS if other.__module__ == fold.__module__]
    section = page((), terms).partition(f"\n### {', '.join(other.id for other in folds)}\n")[2].partition("\n### ")[0]
    assert [section.count(f"\n{label}: ") for label in LABELS] == [len(folds)] * len(LABELS)


def test_the_page_speaks_no_python(shown: tuple[Showing, ...], terms: Terms) -> None:
    text = page(shown, terms)
    assert re.findall(r"\b[A-Z]+_[A-Z_]+\b", text) == []
    assert re.findall(r"[0-9,]+ us\b", text) == []


def read(tmp_path: Path, *lines: str, background: str = "") -> tuple[Showing, ...]:
    text = ["Feature: f", *([f"  Background:\n    {background}"] if background else []), "  Scenario: s"]
    (tmp_path / "one.feature").write_text("\n".join([*text, *(f"    {line}" for line in lines)]) + "\n")
    return showings(tmp_path)


HELD = ("Then these promises are held:", "| promise | about |", "| E1 | x |", "| E2 | y |")


def test_a_table_of_held_promises_holds_each_of_them_for_the_correct_bot(tmp_path: Path) -> None:
    shown = read(tmp_path, *HELD)
    assert shown == tuple(Showing(id_, Outcome.HELD, "one.feature", "s") for id_ in ("E1", "E2"))
    assert all(showing.proves for showing in shown)


def test_a_promise_held_by_a_bot_that_breaks_another_proves_nothing(tmp_path: Path) -> None:
    shown = read(tmp_path, *HELD, background="Given a bot that rests two exits")
    assert {showing.rogue for showing in shown} == {"rests two exits"}
    assert not any(showing.proves for showing in shown)


def test_a_breach_is_proven_by_a_bot_made_for_it_and_by_no_other(tmp_path: Path) -> None:
    broken = "Then promise E7 is BROKEN because 1.6 above 1.5"
    [by_the_correct_bot] = read(tmp_path, broken)
    [by_a_rogue] = read(tmp_path, "Given a bot that trades on", broken)
    assert (by_the_correct_bot.proves, by_a_rogue.proves) == (False, True)
    assert (by_a_rogue.id, by_a_rogue.outcome) == ("E7", Outcome.BROKEN)


def test_a_breach_that_only_comes_along_is_none_of_its_own(tmp_path: Path) -> None:
    shown = read(
        tmp_path,
        "Given a bot that sends too much",
        "Then promise E2 is BROKEN because 27",
        "And promise E1 is BROKEN because 27",
    )
    assert {showing.id: showing.proves for showing in shown} == {"E2": True, "E1": False}


def test_an_idle_bot_proves_that_something_is_not_shown(tmp_path: Path) -> None:
    [showing] = read(
        tmp_path, "Given a bot that never quotes", "Then these promises are NOT SHOWN:", "| promise | a |", "| E1 | b |"
    )
    assert (showing.outcome, showing.proves) == (Outcome.NOT_SHOWN, True)


def test_the_phrase_about_the_files_holds_the_identities(tmp_path: Path) -> None:
    assert [showing.id for showing in read(tmp_path, "Then the bot's files agree with the venue")] == list(FILES_AGREE)


def test_rows_of_an_outline_count_once_under_each_name(tmp_path: Path) -> None:
    (tmp_path / "one.feature").write_text(
        "Feature: f\n  Scenario Outline: at <price>\n    Then promise <id> is BROKEN because x\n"
        "    Examples:\n      | price | id |\n      | 1 | E1 |\n      | 2 | E2 |\n"
    )
    assert [(showing.id, showing.scenario) for showing in showings(tmp_path)] == [("E1", "at 1"), ("E2", "at 2")]


def test_what_no_scenario_shows_is_said_and_counted(terms: Terms) -> None:
    lines = page((), terms).splitlines()
    assert "| E1 | no scenario yet | no scenario yet | no scenario yet |" in lines
    assert "| E16 | never: HELD or NOT SHOWN only | no scenario yet | no scenario yet |" in lines
    assert "| C11 | the venue's books; no bot breaks it | no scenario yet | no scenario yet |" in lines
    assert missing(())["E1"] == frozenset(Outcome)
    assert missing(())["E16"] == missing(())["C11"] == {Outcome.HELD, Outcome.NOT_SHOWN}


def test_every_promise_built_is_told_with_its_docstring_and_its_exercise(terms: Terms) -> None:
    text = page((), terms)
    for fold in promises.FOLDS:
        assert f"`{fold.__module__.replace('.', '/')}.py`" in text
    assert f"| E1 | {PROMISES['E1']} | entries sent: {terms.exercise['E1']} |" in text
    assert "exposure = long side + short side" in text


def test_what_holds_for_all_promises_of_a_module_is_told_once(terms: Terms) -> None:
    text = page((), terms)
    for module in {fold.__module__ for fold in promises.FOLDS}:
        told = inspect.cleandoc(sys.modules[module].__doc__ or "")
        assert text.count(told) == 1


def test_the_settings_that_a_promise_names_stand_below_it_with_their_values(terms: Terms) -> None:
    text = page((), terms)
    assert "\nTerms: `exit_gone_s_max` 5 s, `exit_owed_s_max` 5 s.\n" in text
    assert "\nTerms: `desk_cap_usdt` 100 USDT.\n" in text
    assert "`loss_limit_fraction` 0.03 of the envelope." in text


def test_a_cell_is_not_torn_by_what_stands_in_it(terms: Terms) -> None:
    odd = Showing("E1", Outcome.HELD, "one.feature", "a | b <c>")
    assert r"a \| b &lt;c>" in page((odd,), terms)


def test_every_scenario_that_proves_it_is_named(terms: Terms) -> None:
    many = [Showing("E1", Outcome.HELD, "one.feature", f"s{number}") for number in range(5)]
    named = "<br>".join(f"s{number} (`one.feature`)" for number in range(5))
    assert f"| E1 | no scenario yet | {named} | no scenario yet |" in page(many, terms)


@pytest.mark.parametrize(
    ("scenario", "told"),
    [
        ("a bot that trades on", "a bot that trades on"),
        ("the bot trades on", "the bot trades on"),
        ("a third entry", "a bot that trades on: a third entry"),
    ],
)
def test_what_the_bot_does_is_told_once(scenario: str, told: str, terms: Terms) -> None:
    showing = Showing("E7", Outcome.BROKEN, "one.feature", scenario, "trades on")
    assert f"| E7 | {told} (`one.feature`) |" in page([showing], terms)


def test_a_feature_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "one.feature").write_text("Feature: f\n  Scenario: s\n    Given x\n    nonsense\n")
    with pytest.raises(HarnessError, match=r"one\.feature: expected a feature in Gherkin"):
        showings(tmp_path)


def test_the_page_is_printed(capsys: pytest.CaptureFixture[str], shown: tuple[Showing, ...], terms: Terms) -> None:
    assert promises.main(["--features", str(ROOT / "features")]) == 0
    assert capsys.readouterr().out == page(shown, terms)


@pytest.mark.parametrize("options", [["--features", "nowhere"], ["--terms", "no_such"]])
def test_what_cannot_be_read_is_told_in_words(
    options: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    assert promises.main(options) == 1
    out, error = capsys.readouterr()
    assert out == ""
    assert "expected" in error
