"""C1, C8, C9, C10 at their edges: which trades are owed a row, where the sum starts, and what an operator reads."""

from dataclasses import replace
from decimal import Decimal

import pytest
from streams import BUY, NO_TRADE, Placed, Stream, micro_cap_run, no_trade_run, retape, verdict_of, without
from streams_money import folded
from test_invariants_fills import rows, with_row

from botproof.events import BotFill, Fact, FillSeen, OpenOrdersRead, OrderState, PositionSeen, RunStarted, Side
from botproof.invariants.fills import Balance, OrderIds, Trades
from botproof.invariants.verdict import Outcome, Verdict


def c8(facts: list[Fact]) -> Verdict:
    return verdict_of("C8", facts)


@pytest.mark.parametrize(
    ("promise", "cells", "reason"),
    [
        (
            "C1",
            {"price": "x", "notional_quote": None},
            "the row of trade t1 has no readable number in price 'x', notional_quote None",
        ),
        ("C1", {"amount_base": "x"}, "the row of trade t1 has no readable number in amount_base 'x'"),
        ("C1", {"notional_quote": "6.8"}, "the row of trade t1 says 6.8, price x amount is 6.72637"),
        ("C8", {"exchange_trade_id": ""}, "a row of fills.csv has no exchange_trade_id (and 1 more)"),
        ("C8", {"exchange_trade_id": "t99"}, "the venue knows no trade t99, and fills.csv has it (and 1 more)"),
        ("C8", {"exchange_trade_id": "t2"}, "the trade t2 is in fills.csv 2 times (and 2 more)"),
        (
            "C9",
            {"order_id": "x" * 81},
            f"the row of trade t1 in fills.csv has the order id {'x' * 80}, those of this run begin with bot1-r1-",
        ),
        ("C10", {"side": "sell"}, "fills.csv adds up to a position of -0.0002, the venue shows 0"),
        (
            "C10",
            {"side": "long"},
            "a row of fills.csv has no readable amount: side 'long', amount_base '0.0001' (and 1 more)",
        ),
        (
            "C10",
            {"side": None, "amount_base": None},
            "a row of fills.csv has no readable amount: side None, amount_base None (and 1 more)",
        ),
    ],
)
def test_a_breach_is_told_whole(promise: str, cells: dict[str, str | None], reason: str) -> None:
    assert verdict_of(promise, with_row(0, **cells)).reason == reason


def test_a_row_that_breaks_one_promise_is_no_exercise_of_it() -> None:
    assert verdict_of("C1", with_row(0, price="x")).exercise == 1
    assert c8(with_row(0, exchange_trade_id="t99")).exercise == 1
    assert c8(with_row(0, exchange_trade_id="t2")).exercise == 0
    assert verdict_of("C10", with_row(0, side="long")).exercise == 1


def test_the_peak_is_the_row_that_is_furthest_off() -> None:
    assert verdict_of("C1", with_row(0, notional_quote="6.8")).peak == Decimal("0.07363")
    assert verdict_of("C1", with_row(0, notional_quote="6.7")).peak == Decimal("0.02637")


def test_a_row_written_twice_is_one_row_of_the_notional() -> None:
    facts = micro_cap_run()
    assert verdict_of("C1", retape([*facts[:-8], rows(facts)[0]])).exercise == 2


# C8


@pytest.mark.parametrize(("before_us", "owed"), [(0, True), (1, False)])
def test_a_trade_is_owed_a_row_from_the_very_start_of_the_run(before_us: int, owed: bool) -> None:
    facts = micro_cap_run()
    start = next(fact for fact in facts if isinstance(fact, RunStarted))
    fill = next(fact for fact in facts if isinstance(fact, FillSeen))
    early = replace(fill, t_venue_us=start.t_local_us - before_us)
    told = [early if fact is fill else fact for fact in facts if fact is not rows(facts)[0]]
    assert (c8(retape(told)).outcome is Outcome.BROKEN) is owed


def test_without_the_start_of_the_run_every_trade_is_owed_a_row() -> None:
    facts = [fact for fact in micro_cap_run() if not isinstance(fact, RunStarted | BotFill)]
    assert len(folded(Trades, facts).proof) == 2


def test_the_run_begins_once_however_often_it_is_told() -> None:
    facts = micro_cap_run()
    start = next(fact for fact in facts if isinstance(fact, RunStarted))
    again = replace(start, t_local_us=start.t_local_us + 10**9, client_id_prefix="other-", declared_position=Decimal(1))
    kept = [fact for fact in facts if fact is not rows(facts)[0]]
    assert folded(Trades, [*kept, again]).outcome is Outcome.BROKEN
    assert folded(OrderIds, [*facts, again]).outcome is Outcome.HELD
    bare = [fact for fact in facts if not (isinstance(fact, PositionSeen) and fact.via == "preflight")]
    assert folded(Balance, [*bare, again]).outcome is Outcome.HELD


@pytest.mark.parametrize(("named", "owed"), [("bot1-r1-0", True), ("manual-1", False)])
def test_a_trade_of_an_order_of_before_is_the_bots_by_its_prefix_alone(named: str, owed: bool) -> None:
    def flat(stream: Stream) -> None:
        order = Placed(named, "o900", Side.BUY, Decimal(BUY), Decimal("0.0001"), False)
        stream.show(order, OrderState.LIVE)
        stream.fill(order, row=False)
        stream.fill(stream.place(Side.SELL, None, exits=True))

    facts = [
        replace(fact, plain=("o900",)) if isinstance(fact, OpenOrdersRead) and fact.purpose == "preflight" else fact
        for fact in micro_cap_run(flat=flat, trades=False)
    ]
    assert c8(retape(facts)).outcome is (Outcome.BROKEN if owed else Outcome.HELD)


# C9


def test_without_a_prefix_it_says_so() -> None:
    facts = without(micro_cap_run(), lambda fact: isinstance(fact, RunStarted))
    assert folded(OrderIds, facts).reason == "the run's client-id prefix is not on the tape"


def test_a_row_without_an_order_id_hides_no_other() -> None:
    facts = with_row(0, order_id="")
    second = rows(facts)[1]
    told = [replace(second, row=dict(second.row) | {"order_id": "x"}) if fact is second else fact for fact in facts]
    verdict = verdict_of("C9", without(told, lambda _: False))
    assert (verdict.outcome, verdict.exercise) == (Outcome.BROKEN, 1)


# C10


def test_the_sum_starts_at_what_the_preflight_showed_first() -> None:
    facts = no_trade_run(declared="0.0003")
    preflight = next(fact for fact in facts if isinstance(fact, PositionSeen) and fact.via == "preflight")
    later = replace(preflight, size=Decimal(7))
    spoilt = [later if fact is preflight else fact for fact in facts]
    assert folded(Balance, spoilt, NO_TRADE).reason == ("fills.csv adds up to a position of 7, the venue shows 0.0003")
    assert folded(Balance, [preflight, *spoilt], NO_TRADE).outcome is Outcome.NOT_SHOWN
    declared = [fact for fact in facts if fact is not preflight]
    assert folded(Balance, declared, NO_TRADE).reason == "0 of 1 rows of fills.csv"


def test_neither_declared_nor_shown_it_starts_at_nothing() -> None:
    facts = [
        fact
        for fact in micro_cap_run()
        if not isinstance(fact, RunStarted) and not (isinstance(fact, PositionSeen) and fact.via == "preflight")
    ]
    assert folded(Balance, facts).outcome is Outcome.HELD


def test_the_position_of_another_symbol_is_none_of_it() -> None:
    facts = micro_cap_run()
    last = [fact for fact in facts if isinstance(fact, PositionSeen)][-1]
    assert folded(Balance, [*facts, replace(last, symbol="ETHUSDT", size=Decimal(5))]).outcome is Outcome.HELD
    first = next(fact for fact in facts if isinstance(fact, PositionSeen))
    assert folded(Balance, [replace(first, symbol="ETHUSDT", size=Decimal(5)), *facts]).outcome is Outcome.HELD


@pytest.mark.parametrize(("later_us", "outcome"), [(0, Outcome.BROKEN), (1, Outcome.BROKEN), (-1, Outcome.HELD)])
def test_of_two_positions_of_one_instant_the_one_that_was_told_last_counts(later_us: int, outcome: Outcome) -> None:
    facts = micro_cap_run()
    last = [fact for fact in facts if isinstance(fact, PositionSeen)][-1]
    assert folded(Balance, [*facts, replace(last, size=Decimal(5), t_local_us=last.t_local_us + later_us)]).outcome is (
        outcome
    )


def test_the_difference_is_proved_by_the_position() -> None:
    facts = with_row(0, side="sell")
    last = [fact for fact in facts if isinstance(fact, PositionSeen)][-1]
    assert verdict_of("C10", facts).proof == (last.seq,)


def test_a_row_without_a_trade_id_adds_by_its_own_and_one_that_repeats_a_trade_adds_nothing() -> None:
    assert verdict_of("C10", with_row(0, exchange_trade_id="")).outcome is Outcome.HELD
    assert verdict_of("C10", with_row(0, exchange_trade_id="t2")).outcome is Outcome.BROKEN
