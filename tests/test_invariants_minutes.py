"""C2, C3, C4, C7, C13: the counters of minute.csv."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from random import Random

import pytest
from streams import BUY, SYMBOL, Stream, broken, held, micro_cap_run, retape, verdict_of, verdicts_of, without
from streams_rows import DAY_US, MIDNIGHT_S, changed, more, of, recorded, swapped, utc

from botproof.events import (
    Action,
    BotFill,
    BotSample,
    EarlierToday,
    Fact,
    FillSeen,
    OrderSeen,
    OrderState,
    OrderType,
    Side,
    Source,
    WindowOpened,
)
from botproof.invariants.catalogue import IMPLICATIONS
from botproof.invariants.verdict import Outcome

COUNTED = {"C2", "C3", "C4"}
OURS = COUNTED | {"C7", "C13"}
LAST = -1
HELD, BROKEN, NOT_SHOWN = Outcome.HELD, Outcome.BROKEN, Outcome.NOT_SHOWN


def found(facts: Sequence[Fact], outcome: Outcome) -> set[str]:
    """Which of the identities of this module have the outcome."""
    return {v.id for v in verdicts_of(OURS, facts) if v.outcome is outcome}


def cells(facts: Sequence[Fact], place: int, column: str) -> str:
    return of(facts, BotSample)[place].row[column]


def earlier(facts: Sequence[Fact], *, fills: int = 3, traded: str = "20.25", at_us: int | None = None) -> EarlierToday:
    at_us = facts[0].t_local_us if at_us is None else at_us
    return EarlierToday(
        src=Source.VENUE,
        t_local_us=at_us,
        symbol=SYMBOL,
        fills=fills,
        traded_usdt=Decimal(traded),
        result_usdt=Decimal("-0.01"),
    )


def with_earlier(*, counts: bool, fees: str = "0", fills: int = 3, traded: str = "20.25", **kwargs: int) -> list[Fact]:
    """A run on a day with earlier fills; `counts` tells whether the bot's rows hold them."""
    facts = recorded(**kwargs)  # type: ignore[arg-type]
    day = of(facts, WindowOpened)[0].start_us // DAY_US
    told: list[Fact] = []
    for fact in more(facts, earlier(facts, fills=fills, traded=traded))[: -len(Source)]:
        if isinstance(fact, BotSample) and counts and fact.t_local_us // DAY_US == day:
            row = dict(fact.row)
            row["fills_count_today"] = str(int(row["fills_count_today"]) + fills)
            row["turnover_today_x"] = str(Decimal(row["turnover_today_x"]) + Decimal(traded) / 20)
            row["fees_paid_today_quote"] = str(Decimal(row["fees_paid_today_quote"]) + Decimal(fees))
            told.append(replace(fact, row=row))
        else:
            told.append(fact)
    return retape(told)


# kept, and not exercised


@pytest.mark.parametrize("shift_s", [0, MIDNIGHT_S])
def test_a_correct_run_keeps_all_of_them(shift_s: int) -> None:
    facts = recorded(shift_s=shift_s)
    assert found(facts, HELD) == OURS
    assert verdict_of("C2", facts).exercise == (10 if shift_s else 11)


def test_a_run_without_fills_and_cancels_shows_none_of_them() -> None:
    facts = recorded(micro_cap_run(trades=False))
    assert found(facts, NOT_SHOWN) == OURS
    assert verdict_of("C2", facts).reason == "0 of 1 minute rows with fills of their day before them"
    assert verdict_of("C13", facts).reason == "0 of 1 minute rows with a cancel in their minute"


def test_without_minute_rows_none_of_them_is_shown() -> None:
    assert found(without(recorded(), lambda fact: isinstance(fact, BotSample)), NOT_SHOWN) == OURS


def test_a_counter_that_counts_what_never_was_is_broken_without_any_fill() -> None:
    facts = recorded(micro_cap_run(trades=False))
    assert broken(changed(facts, BotSample, 3, fills_count_today="1")) == {"C2", "C7"}
    assert broken(changed(facts, BotSample, LAST, fees_paid_today_quote="0.00000002")) == {"C3"}
    assert broken(changed(facts, BotSample, LAST, turnover_today_x="0.000000001")) == {"C4"}
    assert broken(changed(facts, BotSample, LAST, cancel_per_min="1")) == {"C13"}


# by the smallest unit, and exactly at the tolerance


@pytest.mark.parametrize("count", ["1", "3", "2.1", "-2"])
def test_a_count_that_differs_breaks_c2(count: str) -> None:
    verdict = verdict_of("C2", changed(recorded(), BotSample, LAST, fills_count_today=count))
    assert verdict.outcome is BROKEN
    assert f"says fills_count_today {count}, the rows of fills.csv make 2" in verdict.reason


@pytest.mark.parametrize("count", ["2.0", "2E+0", "+2"])
def test_the_same_count_in_another_spelling_is_held(count: str) -> None:
    assert "C2" in held(changed(recorded(), BotSample, LAST, fills_count_today=count))


@pytest.mark.parametrize(("off", "outcome"), [("1e-8", HELD), ("-1e-8", HELD), ("1.1e-8", BROKEN), ("-1.1e-8", BROKEN)])
def test_the_fees_agree_within_the_tolerance(off: str, outcome: Outcome) -> None:
    facts = recorded()
    fees = Decimal(cells(facts, LAST, "fees_paid_today_quote")) + Decimal(off)
    changed_facts = changed(facts, BotSample, LAST, fees_paid_today_quote=str(fees))
    verdict = verdict_of("C3", changed_facts)
    assert (verdict.outcome, verdict.peak) == (outcome, abs(Decimal(off)))
    assert broken(changed_facts) <= {"C3", "C7"}


@pytest.mark.parametrize(
    ("factor", "outcome"),
    [("1.000001", HELD), ("0.999999", HELD), ("1.0000011", BROKEN), ("0.9999989", BROKEN), ("0", BROKEN)],
)
def test_the_turnover_agrees_within_a_millionth(factor: str, outcome: Outcome) -> None:
    facts = recorded()
    turnover = Decimal(cells(facts, LAST, "turnover_today_x")) * Decimal(factor)
    assert verdict_of("C4", changed(facts, BotSample, LAST, turnover_today_x=str(turnover))).outcome is outcome


@pytest.mark.parametrize(("product", "outcome"), [("1e-8", HELD), ("1.1e-8", BROKEN)])
def test_a_turnover_of_nothing_agrees_within_the_absolute_tolerance(product: str, outcome: Outcome) -> None:
    facts = recorded()
    turnover = Decimal(product) / 20
    assert (verdict_of("C4", changed(facts, BotSample, 0, turnover_today_x=str(turnover))).outcome) is outcome


@pytest.mark.parametrize("equity", ["19.99", "0", "-20"])
def test_another_equity_breaks_the_turnover(equity: str) -> None:
    assert "C4" in broken(changed(recorded(), BotSample, LAST, equity_quote=equity))


@pytest.mark.parametrize("count", ["0", "2"])
def test_a_cancel_more_or_less_breaks_c13(count: str) -> None:
    facts = recorded()
    assert cells(facts, 2, "cancel_per_min") == "3"
    verdict = verdict_of("C13", changed(facts, BotSample, 2, cancel_per_min=count))
    assert verdict.outcome is BROKEN
    assert "the venue confirmed 3 in the 60 s before" in verdict.reason
    assert broken(changed(facts, BotSample, 2, cancel_per_min=count)) == {"C13"}


@pytest.mark.parametrize(("moved_us", "count"), [(0, 2), (1, 3)])
def test_the_minute_before_a_row_is_open_at_its_start_and_closed_at_its_end(moved_us: int, count: int) -> None:
    facts = recorded()
    first = min(seen.t_venue_us for seen in of(facts, OrderSeen) if seen.state is OrderState.CANCELED)  # type: ignore[type-var]
    assert first is not None
    start = changed(facts, BotSample, 2, ts=utc(first + 60_000_000 - moved_us), cancel_per_min=str(count))
    assert "C13" not in broken(start)
    end = changed(facts, BotSample, 1, ts=utc(first - 1 + moved_us), cancel_per_min=str(moved_us))
    assert "C13" not in broken(end)


# whose cancels


def order(client_id: str, state: OrderState, at_us: int) -> OrderSeen:
    return OrderSeen(
        src=Source.VENUE,
        t_venue_us=at_us,
        t_local_us=at_us,
        order_id=f"order {client_id}",
        client_id=client_id,
        symbol=SYMBOL,
        side=Side.BUY,
        order_type=OrderType.LIMIT,
        force="gtc",
        price=Decimal(60000),
        size=Decimal("0.0001"),
        filled=Decimal(0),
        state=state,
        reduce_only=False,
        via="push",
    )


@pytest.mark.parametrize(("client_id", "is_own"), [("bot1-r0-4", True), ("bot12-r0-4", False), ("somebody", False)])
def test_cancels_of_the_bots_instance_count_and_those_of_others_do_not(client_id: str, is_own: bool) -> None:
    facts = recorded()
    at_us = of(facts, WindowOpened)[0].start_us
    told = more(facts, order(client_id, OrderState.CANCELED, at_us))
    count = int(cells(facts, 2, "cancel_per_min")) + 1
    assert "C13" in held(told)  # nobody asked for it: it may be counted or not
    assert ("C13" in held(changed(told, BotSample, 2, cancel_per_min=str(count)))) is is_own


def test_an_order_counts_once_however_often_its_end_is_shown() -> None:
    facts = recorded()
    ended = next(seen for seen in of(facts, OrderSeen) if seen.state is OrderState.CANCELED)
    assert "C13" in held(more(facts, replace(ended, via="history", t_local_us=ended.t_local_us + 30_000_000)))


# what a bot cannot know yet


RACES = (1, 60_000, 999_999)
"""By how much a row stands after a fill, microseconds: within the second that it takes to learn of it."""


def row_after(facts: Sequence[Fact], at_us: int, by_us: int) -> list[Fact]:
    """The last row before an instant moved to `by_us` after it, with what it says."""
    place = max(place for place, sample in enumerate(of(facts, BotSample)) if sample.row["ts"] < utc(at_us))
    return changed(facts, BotSample, place, ts=utc(at_us + by_us))


def first_fill_us(facts: Sequence[Fact]) -> int:
    at_us = of(facts, FillSeen)[0].t_venue_us
    assert at_us is not None
    return at_us


@pytest.mark.parametrize("by_us", [0, *RACES])
def test_a_fill_within_a_second_before_a_row_may_be_missing_in_it(by_us: int) -> None:
    facts = recorded()
    told = row_after(facts, first_fill_us(facts), by_us)
    assert COUNTED | {"C7"} <= found(told, HELD)


@pytest.mark.parametrize("maker", [Decimal("0.0002"), Decimal("-0.0001")])
def test_a_fill_a_second_before_a_row_is_in_it(maker: Decimal) -> None:
    facts = recorded(maker=maker)
    assert found(row_after(facts, first_fill_us(facts), 1_000_000), BROKEN) >= COUNTED
    assert COUNTED | {"C7"} <= found(row_after(facts, first_fill_us(facts), 60_000), HELD)


def test_what_one_row_may_miss_the_next_one_has_however_soon_it_comes() -> None:
    facts = recorded()
    at_us = first_fill_us(facts)
    place = max(place for place, sample in enumerate(of(facts, BotSample)) if sample.row["ts"] < utc(at_us))
    told = changed(facts, BotSample, place - 1, ts=utc(at_us + 1))
    assert COUNTED | {"C7"} <= found(told, HELD)
    assert found(changed(told, BotSample, place, ts=utc(at_us + 2)), BROKEN) >= COUNTED


@pytest.mark.parametrize(("count", "outcome"), [("0", HELD), ("1", HELD), ("2", HELD), ("3", BROKEN), ("0.5", BROKEN)])
def test_of_two_fills_within_a_second_a_row_may_know_the_first_alone(count: str, outcome: Outcome) -> None:
    facts = recorded()
    rows = of(facts, BotSample)
    at_us = rows[1].t_local_us - 1_000_000
    for place, ago_us in ((0, 600_000), (1, 300_000)):
        facts = changed(facts, BotFill, place, ts=utc(at_us - ago_us))
    for place in range(2, len(rows)):
        facts = changed(facts, BotSample, place, fills_count_today="2")
    assert verdict_of("C2", changed(facts, BotSample, 1, fills_count_today=count)).outcome is outcome
    fees = of(facts, BotFill)[1].row["fee_quote"]  # the second one alone
    assert "C3" in broken(changed(facts, BotSample, 1, fees_paid_today_quote=fees))


def test_a_zero_that_a_row_was_allowed_is_no_exercise() -> None:
    facts = recorded()
    told = row_after(facts, first_fill_us(facts), 60_000)
    assert verdict_of("C2", told).exercise == verdict_of("C2", facts).exercise


def first_cancel_us(facts: Sequence[Fact]) -> int:
    return min(seen.t_venue_us or 0 for seen in of(facts, OrderSeen) if seen.state is OrderState.CANCELED)


@pytest.mark.parametrize(("by_us", "counts"), [(30_000, {"0", "1"}), (3_000_000, {"2"})])
def test_a_cancel_within_a_second_before_a_row_may_be_missing_in_it(by_us: int, counts: set[str]) -> None:
    facts = recorded()
    told = changed(facts, BotSample, 1, ts=utc(first_cancel_us(facts) + by_us))
    held_with = {n for n in "0123" if "C13" in held(changed(told, BotSample, 1, cancel_per_min=n))}
    assert held_with == counts


@pytest.mark.parametrize(
    ("after_us", "counts"),
    [(58_900_000, {"3"}), (59_500_000, {"1", "2", "3"}), (60_500_000, {"1", "2", "3"}), (61_100_000, {"1"})],
)
def test_a_cancel_within_a_second_of_the_far_end_of_a_minute_may_be_counted_or_not(
    after_us: int, counts: set[str]
) -> None:
    facts = recorded()
    told = changed(facts, BotSample, LAST, ts=utc(first_cancel_us(facts) + after_us))
    held_with = {n for n in "01234" if "C13" in held(changed(told, BotSample, LAST, cancel_per_min=n))}
    assert held_with == counts


# cancels that nobody asked for


def cut_off(stream: Stream) -> None:
    """A long of two steps, closed by an order that may not rest: the venue ends what remains of it."""
    buy = stream.place(Side.BUY, BUY, "0.0002")
    stream.wait(2).fill(buy, "0.0002")
    order = stream.place(Side.SELL, "67260", "0.0002", exits=True)
    stream.fill(order, "0.0001")
    stream.show(order, OrderState.CANCELED)
    stream.fill(stream.wait(1).place(Side.SELL, "67255", exits=True))


@pytest.mark.parametrize(("count", "outcome"), [("0", NOT_SHOWN), (None, NOT_SHOWN), ("2", BROKEN)])
def test_what_the_venue_ended_may_be_counted_or_not_and_shows_nothing(count: str | None, outcome: Outcome) -> None:
    facts = recorded(micro_cap_run(flat=cut_off, trades=False))
    for place, sample in enumerate(of(facts, BotSample)):
        if count is not None and sample.row["cancel_per_min"] != "0":
            facts = changed(facts, BotSample, place, cancel_per_min=count)
    verdict = verdict_of("C13", facts)
    assert verdict.outcome is outcome
    assert outcome is BROKEN or verdict.lacks_only_exercise


@pytest.mark.parametrize(("code", "counted"), [("43001", False), ("", True)])
def test_a_cancel_counts_for_sure_unless_the_venue_refused_it(code: str, counted: bool) -> None:
    def withdrawn(stream: Stream) -> None:
        order = stream.place(Side.BUY, BUY)
        sent = stream.wait(5).request(Action.CANCEL, order_id=order.order_id)
        stream.wait("0.02").show(order, OrderState.CANCELED)
        if code:
            stream.answer(sent.request, code=code)

    facts = recorded(micro_cap_run(flat=withdrawn, trades=False))
    place = next(place for place, row in enumerate(of(facts, BotSample)) if row.row["cancel_per_min"] == "1")
    assert ("C13" in broken(changed(facts, BotSample, place, cancel_per_min="0"))) is counted


# days


def test_the_row_of_midnight_counts_what_happened_at_midnight_and_nothing_before() -> None:
    facts = recorded(shift_s=MIDNIGHT_S)
    midnight_us = of(facts, WindowOpened)[0].start_us // DAY_US * DAY_US + DAY_US
    row = next(place for place, s in enumerate(of(facts, BotSample)) if s.row["ts"] == utc(midnight_us))
    assert cells(facts, row, "fills_count_today") == "0"
    yesterday = changed(facts, BotSample, row, fills_count_today="1")
    assert broken(yesterday) == {"C2"}
    at_midnight = changed(facts, BotFill, 1, ts=utc(midnight_us))
    assert "C2" in held(changed(at_midnight, BotSample, row, fills_count_today="1"))
    assert "C2" in broken(changed(at_midnight, BotSample, row + 1, fills_count_today="0"))


def test_a_roll_over_is_no_decrease_and_a_counter_that_goes_on_is_broken() -> None:
    facts = recorded(shift_s=MIDNIGHT_S)
    assert {"C2", "C7"} <= held(facts)
    assert "C2" in broken(changed(facts, BotSample, LAST, fills_count_today="2"))


def test_a_fill_counts_from_its_own_instant_on() -> None:
    facts = recorded()
    at = of(facts, BotSample)[2].row["ts"]
    assert cells(facts, 2, "fills_count_today") == "1"
    early = changed(facts, BotFill, 1, ts=at)
    assert "C2" in held(early)  # the bot may have learned of it after its row
    assert "C2" in held(changed(early, BotSample, 2, fills_count_today="2"))
    assert "C2" in broken(changed(early, BotSample, 2, fills_count_today="3"))
    late = changed(facts, BotFill, 1, ts=utc(of(facts, BotSample)[2].t_local_us - 1_000_000 + 1))
    assert "C2" in held(late)


def test_a_row_of_fills_written_late_counts_by_its_time() -> None:
    facts = [fact for fact in recorded() if fact.kind != "Covered"]
    row = of(facts, BotFill)[0]
    rest = [fact for fact in facts if fact is not row]
    assert found(retape([*rest[:-1], row, rest[-1]]), HELD) == OURS


def test_rows_in_another_order_say_the_same() -> None:
    facts = [fact for fact in recorded() if fact.kind != "Covered"]
    samples = of(facts, BotSample)
    others = [fact for fact in facts if not isinstance(fact, BotSample)]
    assert found(retape([*others[:-1], *reversed(samples), others[-1]]), HELD) == OURS


# what the day held before the run


def test_a_counter_may_hold_what_the_venue_told_of_the_day() -> None:
    assert found(with_earlier(counts=True), HELD) == OURS
    assert found(with_earlier(counts=False), HELD) == OURS


def test_a_counter_that_changes_its_mind_about_the_earlier_fills_is_broken() -> None:
    facts = with_earlier(counts=True)
    assert "C2" in broken(changed(facts, BotSample, LAST, fills_count_today="2"))
    assert "C2" in broken(changed(with_earlier(counts=False), BotSample, LAST, fills_count_today="5"))


def test_earlier_fills_that_nobody_told_of_are_broken() -> None:
    facts = without(with_earlier(counts=True), lambda fact: isinstance(fact, EarlierToday))
    assert found(facts, BROKEN) == {"C2", "C4"}


def test_the_earlier_fills_end_with_their_day() -> None:
    facts = with_earlier(counts=True, shift_s=MIDNIGHT_S)
    assert found(facts, HELD) == OURS
    assert "C2" in broken(changed(facts, BotSample, LAST, fills_count_today="4"))


def test_fees_of_earlier_fills_are_not_shown_and_broken_where_they_move() -> None:
    facts = with_earlier(counts=True, fees="0.004")
    assert verdict_of("C3", facts).outcome is NOT_SHOWN
    assert "0.004 of fees_paid_today_quote are of 3 fills before the run" in verdict_of("C3", facts).reason
    assert "C3" in broken(changed(facts, BotSample, LAST, fees_paid_today_quote="0.005"))
    nothing = with_earlier(counts=True, fees="0.004", fills=0, traded="0")
    assert "C3" in broken(nothing)


def test_a_day_before_the_runs_own_carries_nothing() -> None:
    facts = with_earlier(counts=True)
    day = of(facts, EarlierToday)[0]
    assert "C2" in broken(swapped(facts, EarlierToday, 0, t_local_us=day.t_local_us - DAY_US))


# restart


def restarted(facts: Sequence[Fact]) -> list[Fact]:
    """From the fourth row on the counters start anew."""
    told = list(facts)
    for place in range(3, len(of(facts, BotSample))):
        told = changed(told, BotSample, place, fills_count_today="0", fees_paid_today_quote="0", turnover_today_x="0")
    return told


def test_a_restart_that_forgets_the_day_is_broken() -> None:
    assert found(restarted(recorded()), BROKEN) == COUNTED | {"C7"}


# C7


@pytest.mark.parametrize(
    ("column", "factor", "outcome"),
    [
        ("fills_count_today", "1", HELD),
        ("fills_count_today", "0.99", BROKEN),
        ("turnover_today_x", "0.999999", HELD),
        ("turnover_today_x", "0.9999989", BROKEN),
    ],
)
def test_a_counter_of_the_day_never_falls(column: str, factor: str, outcome: Outcome) -> None:
    facts = recorded()
    value = Decimal(cells(facts, LAST, column)) * Decimal(factor)
    assert verdict_of("C7", changed(facts, BotSample, LAST, **{column: str(value)})).outcome is outcome


@pytest.mark.parametrize(("fall", "outcome"), [("1e-8", HELD), ("1.1e-8", BROKEN)])
def test_fees_fall_by_no_more_than_the_tolerance(fall: str, outcome: Outcome) -> None:
    facts = recorded()
    value = Decimal(cells(facts, LAST, "fees_paid_today_quote")) - Decimal(fall)
    verdict = verdict_of("C7", changed(facts, BotSample, LAST, fees_paid_today_quote=str(value)))
    assert verdict.outcome is outcome


def test_many_small_falls_are_one_large_one() -> None:
    facts = recorded()
    fees = Decimal(cells(facts, LAST, "fees_paid_today_quote"))
    for steps, place in enumerate((-2, -1), start=1):
        facts = changed(facts, BotSample, place, fees_paid_today_quote=str(fees - steps * Decimal("0.9e-8")))
    assert "C7" in broken(facts)


def test_a_rebate_may_lower_the_fees_and_by_no_more_than_itself() -> None:
    facts = recorded(maker=Decimal("-0.0001"))
    fees = Decimal(cells(facts, LAST, "fees_paid_today_quote"))
    assert fees < 0
    assert found(facts, HELD) == OURS
    lower = changed(facts, BotSample, LAST, fees_paid_today_quote=str(fees - Decimal("1.1e-8")))
    assert {"C3", "C7"} <= broken(lower)


def test_the_reason_names_the_counter_that_fell() -> None:
    verdict = verdict_of("C7", changed(recorded(), BotSample, LAST, fills_count_today="1"))
    assert "lets fills_count_today fall from 2 to 1" in verdict.reason
    assert verdict.exercise == 10


def test_two_rows_of_one_instant_that_differ_are_broken_in_either_order() -> None:
    facts = recorded()
    last = of(facts, BotSample)[LAST]
    for count in ("1", "3"):
        twin = replace(last, row=dict(last.row) | {"fills_count_today": count})
        assert "C7" in broken(more(facts, twin))


def test_a_row_written_twice_says_nothing_new() -> None:
    facts = recorded()
    for kind in (BotSample, BotFill):
        again = more(facts, of(facts, kind)[0])
        assert found(again, HELD) == OURS
        assert verdict_of("C2", again).exercise == verdict_of("C2", facts).exercise


def test_a_trade_with_two_stories_shows_no_counter() -> None:
    facts = recorded()
    row = of(facts, BotFill)[0]
    told = more(facts, replace(row, row=dict(row.row) | {"fee_quote": "0.5"}))
    assert found(told, NOT_SHOWN) == COUNTED | {"C7"}
    assert found(told, BROKEN) == set()


# cells

MINUTE_CELLS = {
    "fills_count_today": {"C2", "C7"},
    "fees_paid_today_quote": {"C3", "C7"},
    "turnover_today_x": {"C4", "C7"},
    "equity_quote": {"C4", "C7"},
    "cancel_per_min": {"C13"},
    "ts": OURS,
}
FILL_CELLS = {"ts": COUNTED | {"C7"}, "fee_quote": {"C3", "C7"}, "notional_quote": {"C4"}}


@pytest.mark.parametrize("kind", [BotSample, BotFill])
@pytest.mark.parametrize("text", [None, "", "n/a", "1,0", "nan", "-Infinity", "8%", "22/02/2026 01:01", 1, ["1"]])
def test_a_cell_without_its_value_holds_nothing(kind: type[BotSample] | type[BotFill], text: object) -> None:
    facts = recorded()
    for column, needing in (MINUTE_CELLS if kind is BotSample else FILL_CELLS).items():
        told = changed(facts, kind, 0, **{column: text})
        if text is None:  # `changed` takes the cell away
            assert column not in of(told, kind)[0].row
        assert found(told, NOT_SHOWN if text in (None, "") else BROKEN) == needing, column
        assert found(told, HELD) == OURS - needing


def test_a_missing_column_is_named() -> None:
    told = changed(recorded(), BotSample, 0, fills_count_today=None)
    assert verdict_of("C2", told).reason.endswith("in minute.csv has no fills_count_today")


# removal


@pytest.mark.parametrize("kind", [BotSample, BotFill, OrderSeen, FillSeen])
def test_no_fact_taken_from_the_tape_improves_a_verdict(kind: type[Fact]) -> None:
    facts = changed(recorded(), BotSample, LAST, fills_count_today="3", cancel_per_min="9")
    for gone in of(facts, kind):
        assert held([fact for fact in facts if fact is not gone]) <= held(facts)


def test_a_lost_row_of_fills_breaks_the_counters_and_is_c8s_finding() -> None:
    facts = recorded()
    row = of(facts, BotFill)[0]
    assert broken(without(facts, lambda fact: fact is row)) == COUNTED | {"C8", "C10"}


def test_a_breach_brings_no_other_than_its_implications() -> None:
    facts = recorded()
    lost = of(facts, BotFill)[0]
    spoilt = {
        "C8": without(facts, lambda fact: fact is lost),
        "C2": changed(facts, BotSample, LAST, fills_count_today="1"),
        "C3": changed(facts, BotSample, LAST, fees_paid_today_quote="0"),
        "C4": changed(facts, BotSample, LAST, turnover_today_x="0"),
        "C1": changed(facts, BotFill, 0, notional_quote="67.2637"),
        "C12": changed(facts, BotFill, 0, fee_quote="0.01"),
    }
    for name, told in spoilt.items():
        assert name in broken(told)
        assert broken(told) <= {name} | IMPLICATIONS[name], name


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_the_tape_decides_nothing(seed: int) -> None:
    by_time = {*(f"C{n}" for n in range(1, 17))} - {"C10", "C13"}  # these two follow what the venue showed last
    for facts in (recorded(), recorded(maker=Decimal("-0.0001")), changed(recorded(), BotSample, 4, ts="noon")):
        told = [fact for fact in facts if fact.kind != "Covered"]
        middle = told[1:-1]
        Random(seed).shuffle(middle)
        mixed = retape([told[0], *middle, told[-1]])
        assert held(mixed) & by_time == held(facts) & by_time
        assert broken(mixed) & by_time == broken(facts) & by_time
