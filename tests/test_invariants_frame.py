"""The frame of a run: what the harness itself says, and in which words it is found wanting."""

from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest
from streams import MICRO_CAP, TERMS, micro_cap_run

from botproof.events import Fact, RunEnded, RunStarted, WindowClosed, WindowOpened
from botproof.invariants.frame import Frame


def doubt(facts: Iterable[Fact]) -> str:
    frame = Frame()
    for fact in facts:
        if type(fact) in Frame.hears:
            frame.see(fact)
    return frame.doubt(MICRO_CAP, TERMS)


def changed(kind: type[Fact], **changes: object) -> list[Fact]:
    """The frame of a correct run where the one fact of this kind says something else."""
    return [replace(f, **changes) if isinstance(f, kind) else f for f in micro_cap_run()]  # type: ignore[arg-type]


def twice(kind: type[Fact], **changes: object) -> list[Fact]:
    """The frame of a correct run with a second fact of this kind that says something else."""
    facts = micro_cap_run()
    return [*facts, *(replace(f, **changes) for f in facts if isinstance(f, kind))]  # type: ignore[arg-type]


def test_a_whole_frame_leaves_no_doubt() -> None:
    assert doubt(micro_cap_run()) == ""


@pytest.mark.parametrize("kind", [RunStarted, WindowOpened, WindowClosed, RunEnded])
def test_a_fact_of_the_frame_that_is_repeated_says_nothing_new(kind: type[Fact]) -> None:
    assert doubt(twice(kind)) == ""


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (RunStarted, "the start of the run is not on the tape"),
        (WindowOpened, "the opening of the window is not on the tape"),
        (WindowClosed, "the closing of the window is not on the tape"),
        (RunEnded, "the end of the run is not on the tape"),
    ],
)
def test_a_fact_of_the_frame_that_is_missing_is_named(kind: type[Fact], words: str) -> None:
    assert doubt(fact for fact in micro_cap_run() if not isinstance(fact, kind)) == words


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (
            lambda: changed(RunStarted, profile_sha256="0" * 64),
            "the run was made with another profile than the one judged (its sha256 differs)",
        ),
        (
            lambda: changed(RunStarted, terms_sha256="0" * 64),
            "the run was made under other terms than the ones judged by (their sha256 differs)",
        ),
        (
            lambda: changed(RunStarted, symbol="ETHUSDT"),
            "the run was made on ETHUSDT, the profile says BTCUSDT",
        ),
        (lambda: twice(RunStarted, run_id="r2"), "the tape holds two runs"),
        (lambda: twice(WindowOpened, start_us=1), "the window was opened twice"),
        (lambda: twice(WindowOpened, end_us=1), "the window was opened twice"),
        (lambda: twice(WindowClosed, start_us=1), "the window was closed twice"),
        (lambda: twice(WindowClosed, end_us=1), "the window was closed twice"),
        (lambda: changed(WindowOpened, start_us=1), "the window that closed is not the one that opened"),
        (lambda: changed(WindowClosed, end_us=1), "the window that closed is not the one that opened"),
        (lambda: changed(WindowClosed, t_local_us=1), "the window was closed before its end"),
        (lambda: changed(RunEnded, complete=False, reason="a crash"), "the run was cut short: a crash"),
    ],
)
def test_a_frame_that_does_not_stand_is_told_in_one_sentence(facts: Callable[[], list[Fact]], words: str) -> None:
    assert doubt(facts()) == words


def test_the_first_doubt_is_the_one_that_is_told() -> None:
    facts = [*twice(RunStarted, run_id="r2"), *twice(RunEnded, complete=False)]
    assert doubt(facts) == "the tape holds two runs"


def test_what_was_judged_comes_before_how_it_went() -> None:
    facts = changed(RunStarted, symbol="ETHUSDT")
    assert doubt(fact for fact in facts if not isinstance(fact, RunEnded)) == (
        "the run was made on ETHUSDT, the profile says BTCUSDT"
    )
