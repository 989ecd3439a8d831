"""The search over seeds: what it found before is not run again, and what is unclean is named with its seed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest
from click.testing import CliRunner

from botproof import search as searching
from botproof.cli import main
from botproof.errors import Refusal
from botproof.search import Tried, search, summary, try_seed

ROGUE = "python:botproof.fakes.rogues.one_quote_too_many:create"


def tried(seed: int, **changes: object) -> Tried:
    values = {"seed": seed, "role": "micro_cap", "held": ("E1",), "broken": (), "complaints": ()}
    return Tried(**{**values, "entries_filled": 1, "exits_filled": 1, **changes})


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

        def map(self, _do: object, numbers: list[int], _bots: list[str]) -> Iterator[Tried]:
            for seed in numbers:
                seeds.append(seed)
                yield tried(seed)

    monkeypatch.setattr(searching, "ProcessPoolExecutor", Here)
    return seeds


def test_the_correct_bot_breaks_nothing_and_trades() -> None:
    one = try_seed(3, "reference")  # a seed whose market is six times as wild as an ordinary hour
    assert one.is_clean, one
    assert one.entries_filled > 0
    assert {"E1", "E10", "C8"} <= set(one.held)


def test_one_seed_in_five_is_a_no_trade_run() -> None:
    one = try_seed(5, "reference")
    assert one.is_clean, one
    assert one.role == "no_trade"
    assert "N1" in one.held
    assert one.entries_filled == 0


def test_a_bot_that_breaks_a_promise_is_found() -> None:
    one = try_seed(3, ROGUE)
    assert "E1" in one.broken
    assert not one.is_clean


def test_what_the_ledger_holds_is_not_run_again(tmp_path: Path, ran: list[int]) -> None:
    assert len(list(search(0, 4, bot="reference", reports=tmp_path))) == 4
    assert [one.seed for one in search(2, 6, bot="reference", reports=tmp_path)] == [2, 3, 4, 5]
    assert ran == [0, 1, 2, 3, 4, 5]


def test_another_bot_has_a_ledger_of_its_own(tmp_path: Path, ran: list[int]) -> None:
    list(search(0, 2, bot="reference", reports=tmp_path))
    list(search(0, 2, bot=ROGUE, reports=tmp_path))
    assert ran == [0, 1, 0, 1]


def test_a_torn_line_of_the_ledger_is_run_again(tmp_path: Path, ran: list[int]) -> None:
    list(search(0, 2, bot="reference", reports=tmp_path))
    ledger = tmp_path / searching.LEDGER
    ledger.write_bytes(b'7\n[]\n{}\n{"seed": 0}\n' + ledger.read_bytes()[:-9])
    for _ in range(2):
        list(search(0, 2, bot="reference", reports=tmp_path))
    assert ran == [0, 1, 1]


def test_a_seed_that_fails_is_on_the_ledger_with_its_failure(tmp_path: Path) -> None:
    one = try_seed(1, "python:os:getcwd")
    assert not one.is_clean
    assert "the bot's factory failed" in one.complaints[0]


@pytest.mark.parametrize(("first", "end"), [(4, 4), (5, 2), (-1, 3)])
def test_an_empty_range_is_refused(tmp_path: Path, first: int, end: int) -> None:
    with pytest.raises(Refusal, match="expected two whole numbers"):
        list(search(first, end, bot="reference", reports=tmp_path))


def test_the_summary_names_what_was_unclean() -> None:
    lines = "\n".join(summary([tried(0), tried(1, broken=("E1",)), tried(2, complaints=("call 7 is no route",))]))
    assert "3 seeds" in lines
    assert "BROKEN: 1 in 1 seeds; unnoticed: 1" in lines
    assert "seed 1 (micro_cap): E1" in lines
    assert "seed 2 (micro_cap): call 7 is no route" in lines


def test_the_command_exits_1_and_says_how_to_see_it_again(
    tmp_path: Path, ran: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(main, ["search", "--seeds", "0:2"]).exit_code == 0
    monkeypatch.setattr(searching, "search", lambda *_, **__: iter([tried(7, broken=("E1",))]))
    result = CliRunner().invoke(main, ["search", "--seeds", "7:8"])
    assert result.exit_code == 1
    assert "again: botproof search --bot reference --seeds 7:8" in result.output
    assert ran == [0, 1]


@pytest.mark.parametrize("seeds", ["", "5", "5:", ":5", "a:b", "5:5", "9:3", "1:2:3", "-1:3", "1" * 50 + ":2"])
def test_a_range_that_is_none_is_refused_in_a_line(seeds: str) -> None:
    result = CliRunner().invoke(main, ["search", "--seeds", seeds])
    assert result.exit_code == 2
    assert "Traceback" not in result.output
