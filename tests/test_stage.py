"""The stage: what a step may ask of a finished run."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from stages import a_stage, finished

from botproof.errors import NotShown
from botproof.events import BotSample, Fact, RequestAnswered, WindowOpened
from botproof.record import read_record
from botproof.run import Run
from botproof.stage import Stage


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A stage after a run of fifteen minutes."""
    with a_stage(tmp_path_factory.mktemp("reports")) as stage:
        yield finished(stage)


@pytest.fixture
def without(whole: Stage, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Stage]:
    """The stage, where the rows of these places are missing on the tape."""

    def leave_out(*places: int) -> Stage:
        facts = whole.run.facts
        gone = {id(_rows(facts)[place]) for place in places}
        monkeypatch.setattr(Run, "facts", [fact for fact in facts if id(fact) not in gone])
        return whole

    return leave_out


def _rows(facts: list[Fact]) -> list[BotSample]:
    opened = next(fact for fact in facts if isinstance(fact, WindowOpened))
    return [fact for fact in facts if isinstance(fact, BotSample) and fact.t_local_us >= opened.start_us]


def test_rows_in_every_minute_of_the_window_are_enough(whole: Stage) -> None:
    assert len(_rows(whole.run.facts)) == 15
    whole.require_rows()


def test_one_minute_may_be_without_a_row(without: Callable[..., Stage]) -> None:
    without(7).require_rows()


def test_two_minutes_without_a_row_show_nothing(without: Callable[..., Stage]) -> None:
    with pytest.raises(NotShown, match=r"^minute\.csv has rows in 13 of 15 minutes of the window, 0.95 is the least$"):
        without(3, 9).require_rows()


def test_a_hole_of_two_minutes_shows_nothing(without: Callable[..., Stage]) -> None:
    with pytest.raises(NotShown, match=r"minute\.csv"):
        without(6, 7).require_rows()


def test_a_window_without_a_row_shows_nothing(without: Callable[..., Stage]) -> None:
    with pytest.raises(NotShown, match=r"^minute\.csv has no row in the window$"):
        without(*range(15)).require_rows()


def test_a_server_that_failed_does_not_go_unnoticed(whole: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = list(whole.run.facts)
    place, answer = next((n, fact) for n, fact in enumerate(facts) if isinstance(fact, RequestAnswered))
    facts[place] = replace(answer, http_status=503, code="45001", message="unknown error")
    monkeypatch.setattr(Run, "facts", facts)
    said = "the venue failed with HTTP 503 (45001 unknown error) and left unknown what it did, and no step mentions it"
    assert whole.settle() == [said]
    monkeypatch.setattr(whole, "_mentioned", {"45001"})
    assert whole.settle() == []


def test_the_record_of_a_run_names_the_terms_it_was_judged_by(whole: Stage) -> None:
    run = whole.run
    assert run.sealed is not None
    assert run.record.terms_sha256 == run.plan.terms.sha256
    assert read_record(run.sealed) == run.record
