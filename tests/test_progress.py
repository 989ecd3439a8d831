"""A scenario that takes its time says so; a quick one says nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

from botproof.clock import ManualClock
from botproof.events import Fact, Source, WindowOpened
from botproof.progress import Waiting

ROOT = Path(__file__).parents[1]
SECOND_US = 1_000_000


def fact(at_us: int = 1_771_722_061_500_000) -> Fact:
    return WindowOpened(src=Source.RUN, t_local_us=at_us, start_us=0, end_us=0)


def waiting(clock: ManualClock, said: list[str]) -> Waiting:
    return Waiting("a long window", clock, said.append)


def test_before_two_seconds_nothing_is_said() -> None:
    clock, said = ManualClock(5), list[str]()
    one = waiting(clock, said)
    clock.set_us(5 + 2 * SECOND_US - 1)
    one.see(fact())
    assert said == []


def test_after_two_seconds_the_time_of_the_run_is_told_and_then_ever_more_rarely() -> None:
    clock, said = ManualClock(0), list[str]()
    one = waiting(clock, said)
    for second in range(1, 40):
        clock.set_us(second * SECOND_US)
        one.see(fact())
    assert said[0] == "a long window: at 2026-02-22T01:01:01Z after 2 s, and going on"
    assert [line.split(" after ")[1] for line in said] == [f"{n} s, and going on" for n in (2, 4, 8, 16, 32)]


def test_after_a_long_silence_one_line_is_said() -> None:
    clock, said = ManualClock(0), list[str]()
    one = waiting(clock, said)
    for _ in range(2):
        clock.set_us(100 * SECOND_US)
        one.see(fact())
    assert len(said) == 1


@pytest.mark.slow
def test_the_line_reaches_the_terminal_past_the_capture(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pytest", "features/", "--venue=fake", "-k", "window_is_proven", "--window=9h"]
    done = subprocess.run(
        [*command, f"--reports={tmp_path}", "-p", "no:randomly"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert "a clean window is proven from the venue's side: at 2026-02-22T0" in done.stdout
    assert done.returncode == 0
