"""E17 at its edges: what an operator's stop found, and what it left."""

from dataclasses import replace
from decimal import Decimal

import pytest
from streams import BUY, SELL, Stream, micro_cap_run, verdict_of, without
from streams_money import folded
from test_invariants_paths import clear, operate, quotes, stopped, told

from botproof.events import ContractRead, OrderState, PositionSeen, RunEnded, RunStarted, Side, StopStep
from botproof.invariants.paths import Paths
from botproof.invariants.verdict import Outcome

MISSING = "0 of 1 times all three paths; missing: an operator's stop that cleared the account"


def test_a_run_that_lacks_more_than_one_path_names_them_all() -> None:
    assert verdict_of("E17", micro_cap_run(trades=False)).reason == (
        "0 of 1 times all three paths; missing: an accepted entry buy, an accepted entry sell, "
        "an operator's stop that cleared the account"
    )


def test_what_the_stop_never_cleared_is_a_path_that_is_missing() -> None:
    def left(stream: Stream) -> None:
        orders = quotes(stream)
        operate(stream)
        clear(stream, orders[:1])

    assert told(left).reason == MISSING


def test_without_an_end_no_stop_is_known_to_have_lasted() -> None:
    facts = micro_cap_run(flat=stopped, trades=False)
    endless = without(facts, lambda fact: isinstance(fact, RunEnded | StopStep))
    assert folded(Paths, endless).reason == MISSING


def test_without_the_contract_it_says_so() -> None:
    facts = without(micro_cap_run(flat=stopped, trades=False), lambda fact: isinstance(fact, ContractRead))
    assert verdict_of("E17", facts).reason == "the contract's quantity step is not on the tape"


def test_an_order_sent_at_the_very_instant_of_the_stop_was_found_open() -> None:
    def at_once(stream: Stream) -> None:
        clear(stream, quotes(stream), "0.1")
        at_us = stream.wait(1).now_us
        order = stream.place(Side.BUY, BUY)
        stream.now_us, later_us = at_us, stream.now_us
        operate(stream)
        stream.now_us = later_us
        clear(stream, [order])

    assert told(at_once).outcome is Outcome.HELD


@pytest.mark.parametrize(("left", "outcome"), [("0.00005", Outcome.HELD), ("0.0001", Outcome.NOT_SHOWN)])
def test_less_than_one_step_is_dust_that_a_stop_may_leave(left: str, outcome: Outcome) -> None:
    def passage(stream: Stream) -> None:
        buy, sell = quotes(stream)
        stream.fill(buy)
        operate(stream)
        stream.wait(1).show(sell, OrderState.CANCELED)
        exit_ = stream.place(Side.SELL, None, exits=True)
        part = Decimal("0.0001") - Decimal(left)
        if part:
            stream.fill(exit_, str(part))
        stream.cancel(exit_)

    assert told(passage).outcome is outcome


@pytest.mark.parametrize("declared", ["0.0003", "-0.0003", "1"])
def test_what_was_declared_is_left_by_a_stop_that_cleared_the_rest(declared: str) -> None:
    def moved(fact: object) -> object:
        if isinstance(fact, RunStarted):
            return replace(fact, declared_position=Decimal(declared))
        return replace(fact, size=fact.size + Decimal(declared)) if isinstance(fact, PositionSeen) else fact

    facts = micro_cap_run(flat=stopped, trades=False)
    assert verdict_of("E17", without(map(moved, facts), lambda _: False)).outcome is Outcome.HELD  # type: ignore[arg-type]


def test_a_whole_coin_that_is_left_is_a_position() -> None:
    def passage(stream: Stream) -> None:
        buy, sell = stream.place(Side.BUY, BUY, "1"), stream.place(Side.SELL, SELL)
        stream.fill(buy, "1")
        operate(stream)
        clear(stream, [sell])

    assert told(passage).reason == MISSING
