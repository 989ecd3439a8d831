"""The search over seeds: what it found before is not run again, and what is unclean is named with its seed."""

import re
import signal
from collections.abc import Callable, Iterator
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Self

import pytest
from click.testing import CliRunner

from botproof import search as searching
from botproof import seeded
from botproof.cli import main
from botproof.errors import HarnessError, Refusal
from botproof.invariants.catalogue import PROMISES
from botproof.invariants.judge import FOLDS
from botproof.invariants.verdict import Outcome, Verdict
from botproof.search import Ledger, search, summary
from botproof.seeded import Asked, Tried, feature, scene, try_seed

ROGUE = "python:botproof.fakes.rogues.one_quote_too_many:create"
CORRECT, BROKEN = Asked(), Asked(bot=ROGUE)
NINE_HOURS = Asked(window_s=9 * 3600, begin_min=15 * 60 + 30)


def tried(seed: int, **changes: object) -> Tried:
    values = {"seed": seed, "role": "micro_cap", "held": ("E1",), "broken": {}, "complaints": ()}
    return Tried(**{**values, "entries_filled": 1, "exits_filled": 1, **changes})


def _cut_short(error: BaseException) -> Callable[..., Iterator[Tried]]:
    """Seed 0 is known, and then nothing more."""

    def run(*_: object) -> Iterator[Tried]:
        yield tried(0)
        raise error

    return run


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The seeds that were really run; they run in this process and show nothing wrong."""
    seeds: list[int] = []

    class Here:
        def __init__(self, **_: object) -> None:
            pass

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def map(self, _do: object, numbers: list[int], *_: object) -> Iterator[Tried]:
            for seed in numbers:
                seeds.append(seed)
                yield tried(seed)

        def shutdown(self, **_: object) -> None:
            pass

    monkeypatch.setattr(searching, "ProcessPoolExecutor", Here)
    return seeds


def test_the_correct_bot_breaks_nothing_and_trades() -> None:
    one = try_seed(3, CORRECT)  # a seed whose market is six times as wild as an ordinary hour
    assert one.is_clean, one
    assert one.entries_filled > 0
    assert {"E1", "E10", "C8"} <= set(one.held)


def test_one_seed_in_five_is_a_no_trade_run() -> None:
    one = try_seed(5, CORRECT)
    assert one.is_clean, one
    assert one.role == "no_trade"
    assert "N1" in one.held
    assert one.entries_filled == 0


def test_a_bot_that_breaks_a_promise_is_found() -> None:
    one = try_seed(3, BROKEN)
    assert not one.is_clean
    assert "above 20" in one.broken["E1"]
    assert [finding for finding in one.findings if "E1" in finding] == [f"E1 is BROKEN: {one.broken['E1']}"]


@pytest.mark.parametrize(
    ("seed", "id_", "although"),
    [
        (3, "C8", "entries were filled"),
        (3, "C2", "rows were written after a fill"),
        (3, "E1", "entries were sent"),
        (3, "E9", "cancels were sent"),
        (3, "E10", "exits were filled"),
        (3, "C16", "the window passed"),
        (5, "N1", "a no-trade window passed"),
    ],
)
def test_a_judgement_that_falls_silent_is_a_complaint(
    seed: int, id_: str, although: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fold = next(fold for fold in FOLDS if fold.id == id_)
    silent = Verdict(id=id_, promise=PROMISES[id_], outcome=Outcome.NOT_SHOWN, reason="0 of 1")
    monkeypatch.setattr(fold, "verdict", lambda _: silent)
    one = try_seed(seed, CORRECT)
    assert one.complaints == (f"{id_} is NOT SHOWN although {although}: 0 of 1",)


def test_what_was_broken_is_read_back_from_the_ledger(tmp_path: Path, ran: list[int]) -> None:
    found = tried(0, broken={"E1": "27 USDT"}, complaints=("it fell",))
    Ledger(tmp_path, CORRECT).add(found)
    assert list(search(0, 1, asked=CORRECT, reports=tmp_path)) == [found]
    assert ran == []


def test_what_the_ledger_holds_is_not_run_again(tmp_path: Path, ran: list[int]) -> None:
    assert len(list(search(0, 4, asked=CORRECT, reports=tmp_path))) == 4
    assert [one.seed for one in search(2, 6, asked=CORRECT, reports=tmp_path)] == [2, 3, 4, 5]
    assert ran == [0, 1, 2, 3, 4, 5]


def test_another_bot_has_a_ledger_of_its_own(tmp_path: Path, ran: list[int]) -> None:
    list(search(0, 2, asked=CORRECT, reports=tmp_path))
    list(search(0, 2, asked=BROKEN, reports=tmp_path))
    assert ran == [0, 1, 0, 1]


def test_another_window_has_a_ledger_of_its_own(tmp_path: Path, ran: list[int]) -> None:
    list(search(0, 2, asked=CORRECT, reports=tmp_path))
    list(search(0, 2, asked=NINE_HOURS, reports=tmp_path))
    assert ran == [0, 1, 0, 1]


def test_what_was_known_when_a_search_is_cut_short_stays_known(
    tmp_path: Path, ran: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(searching.ProcessPoolExecutor, "map", _cut_short(KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            list(search(0, 4, asked=CORRECT, reports=tmp_path))
    list(search(0, 4, asked=CORRECT, reports=tmp_path))
    assert ran == [1, 2, 3]


def test_a_worker_that_dies_is_told_in_a_line(tmp_path: Path, ran: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching.ProcessPoolExecutor, "map", _cut_short(BrokenProcessPool()))
    with pytest.raises(HarnessError, match="what was known is on the ledger"):
        list(search(0, 4, asked=CORRECT, reports=tmp_path))
    assert ran == []


def test_an_interruption_ends_a_worker_without_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    heeded: list[object] = []
    monkeypatch.setattr(signal, "signal", lambda number, action: heeded.append((number, action)))
    searching._heed_the_terminal()
    assert heeded == [(signal.SIGINT, signal.SIG_DFL)]


def test_a_torn_line_of_the_ledger_is_run_again(tmp_path: Path, ran: list[int]) -> None:
    list(search(0, 2, asked=CORRECT, reports=tmp_path))
    ledger = tmp_path / searching.LEDGER
    ledger.write_bytes(b'7\n[]\n{}\n{"seed": 0}\n' + ledger.read_bytes()[:-9])
    for _ in range(2):
        list(search(0, 2, asked=CORRECT, reports=tmp_path))
    assert ran == [0, 1, 1]


def test_a_seed_that_fails_is_on_the_ledger_with_its_failure(tmp_path: Path) -> None:
    one = try_seed(1, Asked(bot="python:os:getcwd"))
    assert not one.is_clean
    assert "the bot's factory failed" in one.complaints[0]


@pytest.mark.parametrize(("first", "end"), [(4, 4), (5, 2), (-1, 3)])
def test_an_empty_range_is_refused(tmp_path: Path, first: int, end: int) -> None:
    with pytest.raises(Refusal, match="expected two whole numbers"):
        list(search(first, end, asked=CORRECT, reports=tmp_path))


def test_a_seed_in_a_quarter_of_an_hour_has_one_chance_in_two_of_a_move() -> None:
    moved = sum(bool(scene(seed, CORRECT).moves) for seed in range(1000))
    assert 450 < moved < 550
    assert all(len(scene(seed, CORRECT).moves) <= 1 for seed in range(100))


@pytest.mark.parametrize("asked", [CORRECT, NINE_HOURS, Asked(window_s=1800)])
def test_every_move_and_its_recovery_end_within_the_window_and_one_after_the_other(asked: Asked) -> None:
    for seed in range(300):
        passed_s = 30  # the quotes rest by then
        for move in scene(seed, asked).moves:
            assert move.after_min >= 0
            assert 30 <= abs(move.percent) * 100 <= 90
            passed_s += move.after_min * 60 + move.over_s + (move.recover_s or 0) + 1
        assert passed_s <= asked.window_s


def test_a_window_shorter_than_a_quarter_of_an_hour_has_no_scripted_move() -> None:
    assert not any(scene(seed, Asked(window_s=840)).moves for seed in range(100))


def test_a_loss_of_money_is_a_complaint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seeded, "conservation", lambda *_: ["wallet: found 1, expected 2"])
    assert try_seed(5, CORRECT).complaints == ("money is not conserved: wallet: found 1, expected 2",)


def test_a_seed_that_is_not_clean_becomes_a_scenario(
    tmp_path: Path, ran: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        searching.ProcessPoolExecutor, "map", lambda *_: iter([tried(2, broken={"E1": "27 USDT"}), tried(3)])
    )
    list(search(2, 4, asked=CORRECT, reports=tmp_path))
    found = tmp_path / searching.FOUND
    assert {path.name for path in found.iterdir()} == {"seed_2.feature", "test_search.py"}
    text = (found / "seed_2.feature").read_text()
    assert text.startswith("# E1 is BROKEN: 27 USDT\n# replay: pytest ")
    assert f"{found}/test_search.py::test_seed_2 --venue=fake --bot=reference --seed=2" in text
    assert ran == []


def test_a_scenario_tells_the_whole_of_a_seed(tmp_path: Path) -> None:
    text = feature(scene(2, NINE_HOURS), NINE_HOURS, showed=("it fell", "it fell"), module=tmp_path / "test_it.py")
    assert text.count("it fell") == 1
    steps = [line.strip() for line in text.splitlines() if line.startswith("    ")]
    assert steps[:6] == [
        "Given the micro-cap profile",
        "And it is 15:30 UTC",
        "And a market 300 % as wild as an ordinary hour",
        "And a flat account of 20 USDT",
        "And a bounded window of 540 min",
        "And the bot is running on BTCUSDT",
    ]
    assert len(steps) == 8 + 2 * len(scene(2, NINE_HOURS).moves)
    assert any(
        re.fullmatch(r"And the price falls 0\.\d\d % within \d+ s( and recovers within \d+ s)?", it) for it in steps
    )
    assert steps[-2:] == ["And the bounded window ends", "Then no promise is broken"]


def test_the_summary_names_what_was_unclean() -> None:
    lines = "\n".join(
        summary([tried(0), tried(1, broken={"E1": "27 USDT"}), tried(2, complaints=("call 7 is no route",))])
    )
    assert "3 seeds" in lines
    assert "BROKEN: 1 in 1 seeds; unnoticed: 1" in lines
    assert "seed 1 (micro_cap): E1 is BROKEN: 27 USDT\n" in lines
    assert "seed 2 (micro_cap): call 7 is no route" in lines


def test_the_command_exits_1_and_says_how_to_see_it_again(
    tmp_path: Path, ran: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(main, ["search", "--seeds", "0:2"]).exit_code == 0
    monkeypatch.setattr(searching, "search", lambda *_, **__: iter([tried(7, broken={"E1": "27 USDT"})]))
    result = CliRunner().invoke(main, ["search", "--seeds", "7:8"])
    assert result.exit_code == 1
    assert "again: botproof search --bot reference --window 15m --begin 01:00 --seeds 7:8" in result.output
    assert ran == [0, 1]


@pytest.mark.parametrize("seeds", ["", "5", "5:", ":5", "a:b", "5:5", "9:3", "1:2:3", "-1:3", "1" * 50 + ":2"])
def test_a_range_that_is_none_is_refused_in_a_line(seeds: str) -> None:
    result = CliRunner().invoke(main, ["search", "--seeds", seeds])
    assert result.exit_code == 2
    assert "Traceback" not in result.output


@pytest.mark.parametrize("begin", ["", "24:00", "1:00", "12:60", "noon", "\u0661\u0662:00"])
def test_a_time_of_day_that_is_none_is_refused_in_a_line(begin: str) -> None:
    result = CliRunner().invoke(main, ["search", "--seeds", "0:1", "--begin", begin])
    assert result.exit_code == 2
    assert "expected a UTC time of day such as 15:30" in result.output
