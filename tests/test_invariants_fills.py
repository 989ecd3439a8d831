"""C1, C8, C9, C10: fills.csv against itself and against the venue."""

from dataclasses import replace

import pytest
from streams import BUY, NO_TRADE, TERMS, Stream, broken, held, micro_cap_run, no_trade_run, verdict_of, without

from botproof.events import BotFill, Fact, FillSeen, PositionSeen, RunStarted, Side
from botproof.invariants.cells import number
from botproof.invariants.verdict import Outcome


def rows(facts: list[Fact]) -> list[BotFill]:
    return [fact for fact in facts if isinstance(fact, BotFill)]


def with_row(place: int, **columns: str | None) -> list[Fact]:
    """The correct run with one row of fills.csv changed; None takes a column away."""
    facts = micro_cap_run()
    old = rows(facts)[place]
    row = {name: text for name, text in (dict(old.row) | columns).items() if text is not None}
    return without([replace(fact, row=row) if fact is old else fact for fact in facts], lambda _: False)


def test_correct_files_are_held() -> None:
    assert {"C1", "C8", "C9", "C10"} <= held(micro_cap_run())


def test_without_a_row_nothing_is_shown() -> None:
    facts = micro_cap_run(trades=False)
    assert not {"C1", "C8", "C9", "C10"} & (held(facts) | broken(facts))


def test_a_zero_is_held_only_where_the_terms_ask_for_none() -> None:
    none = replace(TERMS, exercise=dict(TERMS.exercise) | {"C8": 0})
    assert verdict_of("C8", no_trade_run(), NO_TRADE).outcome is Outcome.NOT_SHOWN
    assert verdict_of("C8", no_trade_run(), NO_TRADE, none).outcome is Outcome.HELD


# C1


@pytest.mark.parametrize(
    ("notional", "outcome"),
    [
        ("6.72637", Outcome.HELD),
        ("6.72637001", Outcome.HELD),  # exactly 1e-8 off
        ("6.726370011", Outcome.BROKEN),
        ("6.726369989", Outcome.BROKEN),
        ("672637E-5", Outcome.HELD),
    ],
)
def test_notional_is_price_times_amount_within_the_tolerance(notional: str, outcome: Outcome) -> None:
    facts = with_row(0, notional_quote=notional)
    assert verdict_of("C1", facts).outcome is outcome
    assert broken(facts) <= {"C1"}


@pytest.mark.parametrize("text", ["", "n/a", "nan", "Infinity", "6,72", "1_0", " 6.72637", "٦", "1e999", None])
@pytest.mark.parametrize("column", ["price", "amount_base", "notional_quote"])
def test_a_number_that_cannot_be_read_breaks_it(column: str, text: str | None) -> None:
    verdict = verdict_of("C1", with_row(0, **{column: text}))
    assert verdict.outcome is Outcome.BROKEN
    assert column in verdict.reason


def test_numbers_may_carry_an_exponent() -> None:
    assert number({"n": "0E+2"}, "n") == 0
    assert number({"n": "-1.5e-3"}, "n") is not None


# C8


def test_a_trade_left_out_is_broken() -> None:
    facts = micro_cap_run()
    kept = without(facts, lambda fact: fact is rows(facts)[0])
    assert "the trade t1 of 01:01:16.460 UTC is not in fills.csv" in verdict_of("C8", kept).reason
    assert broken(kept) <= {"C8", "C10"}


def test_a_trade_written_twice_breaks_nothing_else() -> None:
    facts = micro_cap_run()
    again = rows(facts)[0]
    assert broken(without([*facts, again], lambda _: False)) == {"C8"}


def test_a_trade_that_the_venue_does_not_know_is_broken() -> None:
    assert "knows no trade t99" in verdict_of("C8", with_row(0, exchange_trade_id="t99")).reason


@pytest.mark.parametrize("text", ["", None])
def test_a_row_without_its_trade_is_broken(text: str | None) -> None:
    assert "no exchange_trade_id" in verdict_of("C8", with_row(0, exchange_trade_id=text)).reason


def test_a_trade_of_somebody_else_needs_no_row() -> None:
    def foreign(stream: Stream) -> None:
        order = stream.place(Side.BUY, BUY)
        stream.cancel(order)
        order.client_id, order.order_id = "somebody-1", "f1"
        stream.fill(order, row=False)

    facts = micro_cap_run(flat=foreign)
    assert "C8" in held(facts)


def test_a_trade_under_no_client_id_belongs_to_its_order() -> None:
    facts = micro_cap_run()
    nameless = [replace(fact, client_id="") if isinstance(fact, FillSeen) else fact for fact in facts]
    kept = without(nameless, lambda fact: fact is rows(facts)[0])
    assert "C8" in broken(kept)


# C9


@pytest.mark.parametrize("order_id", ["bot1-r0-1", "bot1-r1", "BOT1-R1-1", " bot1-r1-1", "o1", "x"])
def test_an_order_of_another_run_is_broken(order_id: str) -> None:
    facts = with_row(0, order_id=order_id)
    assert broken(facts) == {"C9"}
    assert f"has the order id {order_id}, those of this run begin with bot1-r1-" in verdict_of("C9", facts).reason


def test_the_orders_of_a_restarted_bot_bear_the_runs_prefix_too() -> None:
    assert "C9" in held(with_row(0, order_id="bot1-r1-2-1"))


@pytest.mark.parametrize("text", ["", None])
def test_a_row_without_an_order_id_is_not_shown(text: str | None) -> None:
    verdict = verdict_of("C9", with_row(0, order_id=text))
    assert (verdict.outcome, verdict.exercise) == (Outcome.NOT_SHOWN, 1)
    assert verdict.reason == "the row of trade t1 in fills.csv has no order_id"


def test_an_order_id_that_is_no_text_is_broken() -> None:
    assert "C9" in broken(with_row(0, order_id=7))  # type: ignore[arg-type]


def test_a_run_without_a_prefix_shows_no_order_as_its_own() -> None:
    facts = [replace(f, client_id_prefix="") if isinstance(f, RunStarted) else f for f in micro_cap_run()]
    assert verdict_of("C9", without(facts, lambda _: False)).outcome is Outcome.NOT_SHOWN
    assert verdict_of("C9", without(facts, lambda fact: isinstance(fact, RunStarted))).outcome is Outcome.NOT_SHOWN


def test_an_order_id_written_twice_counts_once() -> None:
    facts = micro_cap_run()
    verdict = verdict_of("C9", without([*facts, rows(facts)[0]], lambda _: False))
    assert (verdict.outcome, verdict.exercise) == (Outcome.HELD, 2)


# C10


@pytest.mark.parametrize("columns", [{"side": "sell"}, {"amount_base": "0.0002"}, {"amount_base": "-0.0001"}])
def test_amounts_that_do_not_add_up_are_broken(columns: dict[str, str]) -> None:
    verdict = verdict_of("C10", with_row(0, **columns))
    assert verdict.outcome is Outcome.BROKEN
    assert "the venue shows 0" in verdict.reason


def test_a_side_turned_round_breaks_nothing_else() -> None:
    assert broken(with_row(0, side="sell")) == {"C10"}


@pytest.mark.parametrize("columns", [{"side": "long"}, {"side": None}, {"amount_base": "x"}])
def test_a_row_that_cannot_be_added_is_broken(columns: dict[str, str | None]) -> None:
    assert "no readable amount" in verdict_of("C10", with_row(0, **columns)).reason


def test_the_sum_starts_at_the_declared_position() -> None:
    def trade(stream: Stream) -> None:
        stream.fill(stream.send(Side.BUY, BUY))

    assert verdict_of("C10", no_trade_run(declared="0.0003", inside=trade), NO_TRADE).outcome is Outcome.HELD


def test_one_step_between_the_sum_and_the_position_is_broken() -> None:
    facts = micro_cap_run(closed=lambda stream: stream.wait(1).show_position("closing", size="0.0001"))
    assert "C10" in broken(facts)


def test_a_reading_of_an_older_position_changes_nothing() -> None:
    facts = micro_cap_run()
    old = next(fact for fact in facts if isinstance(fact, PositionSeen) and fact.size)
    assert "C10" in held(without([*facts, old], lambda _: False))


def test_without_a_position_it_is_not_shown() -> None:
    facts = without(micro_cap_run(), lambda fact: isinstance(fact, PositionSeen))
    assert verdict_of("C10", facts).reason == "no position is on the tape"
