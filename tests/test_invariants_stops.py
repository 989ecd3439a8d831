"""E11: a stop or a time limit is acted on in time and near its price."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest
from streams import MICRO_CAP, PREFIX, SELL, Moment, Placed, Stream, micro_cap_run, verdict_of, without
from streams_money import held_with_one_twice, lost_with_one_twice

from botproof.events import (
    Action,
    BotRestarted,
    ContractRead,
    Fact,
    FillSeen,
    OperatorAction,
    OrderState,
    PositionSeen,
    Side,
    Source,
    TopOfBook,
)
from botproof.invariants.stops import Stops
from botproof.invariants.verdict import Outcome, Verdict
from botproof.money import plain

ROUND = replace(MICRO_CAP, stop_loss=Decimal("0.005"))
"""From 67000 the stop of a long is 66665, of a short 67335."""
LONG, STOP_LONG, STOP_SHORT = "67000", "66665", "67335"


def run(passage: Moment) -> list[Fact]:
    return micro_cap_run(ROUND, flat=passage, trades=False)


def price(stream: Stream, bid: str, *, late: str = "0") -> None:
    """The ticker tells of a best bid; the ask is one tick above. The observer learns of it `late` seconds later."""
    now_us = stream.now_us
    stream.write(
        TopOfBook(
            src=Source.VENUE,
            t_venue_us=now_us,
            t_local_us=now_us + int(Decimal(late) * 1_000_000),
            symbol="BTCUSDT",
            bid=Decimal(bid),
            bid_size=Decimal(1),
            ask=Decimal(bid) + Decimal("0.1"),
            ask_size=Decimal(1),
            via="ticker",
        )
    )


def bought(stream: Stream, at: str = LONG) -> None:
    stream.fill(stream.place(Side.BUY, at))
    price(stream.wait("0.5"), at)


def out(stream: Stream, at: str = STOP_LONG, side: Side = Side.SELL) -> None:
    """A market exit, filled at `at` twenty milliseconds later."""
    order = stream.send(side, None, exits=True)
    stream.wait("0.02")
    order.price = None
    stream.show(order, OrderState.LIVE)
    stream.answer(order.request, order_id=order.order_id, client_id=order.client_id)
    filled_at(stream, order, at)


def filled_at(stream: Stream, order: Placed, at: str) -> None:
    before = len(stream.tape.facts)
    stream.fill(order, row=False)
    place, fill = next((n, f) for n, f in enumerate(stream.tape.facts) if n >= before and isinstance(f, FillSeen))
    stream.tape.facts[place] = replace(fill, price=Decimal(at))


def stopped_out(stream: Stream, after: str = "1", at: str = STOP_LONG, bid: str = STOP_LONG) -> None:
    bought(stream)
    price(stream.wait(1), bid)
    now_us = stream.now_us
    price(stream.wait(1), bid)  # it stands
    stream.now_us = now_us
    out(stream.wait(after), at)


def judged(passage: Moment) -> Verdict:
    """E11 with the fills at the prices that the passage set: numbered and covered anew."""
    return verdict_of("E11", without(run(passage), lambda _: False), ROUND)


def test_a_stop_that_is_acted_on_in_time_is_held() -> None:
    verdict = judged(stopped_out)
    assert (verdict.outcome, verdict.exercise, verdict.limit) == (Outcome.HELD, 1, 2)
    assert verdict.peak == Decimal("0.9")  # a tenth of a second is the listeners'


def test_a_take_profit_alone_shows_nothing() -> None:
    verdict = verdict_of("E11", micro_cap_run())
    assert (verdict.outcome, verdict.lacks_only_exercise) == (Outcome.NOT_SHOWN, True)
    assert verdict.reason == "0 of 1 positions closed by a stop or time exit"


@pytest.mark.parametrize(("after", "outcome"), [("2.1", Outcome.HELD), ("2.100001", Outcome.BROKEN)])
def test_the_exit_is_sent_within_exactly_the_terms_limit(after: str, outcome: Outcome) -> None:
    verdict = judged(lambda s: stopped_out(s, after))
    assert verdict.outcome is outcome
    if outcome is Outcome.BROKEN:
        assert verdict.reason.startswith(f"a long of 0.0001 from {LONG} reached its stop of {STOP_LONG} at 01:01:")
        assert verdict.reason.endswith("and had no exit sent for it within 2 s")


@pytest.mark.parametrize(("bid", "calls"), [(STOP_LONG, True), ("66665.1", False)])
def test_the_stop_is_reached_at_its_price_and_not_a_tick_before(bid: str, calls: bool) -> None:
    def passage(stream: Stream) -> None:
        bought(stream)
        price(stream.wait(1), bid)
        stream.fill(stream.wait(9).place(Side.SELL, LONG, exits=True))

    assert (judged(passage).outcome is Outcome.BROKEN) is calls


@pytest.mark.parametrize(("ask", "calls"), [(STOP_SHORT, True), ("67334.9", False)])
def test_a_short_is_judged_by_the_ask(ask: str, calls: bool) -> None:
    def passage(stream: Stream) -> None:
        stream.fill(stream.place(Side.SELL, LONG))
        price(stream.wait(1), plain(Decimal(ask) - Decimal("0.1")))
        out(stream.wait(1), ask, Side.BUY)

    assert judged(passage).exercise is int(calls)
    assert judged(passage).outcome is (Outcome.HELD if calls else Outcome.NOT_SHOWN)


def test_the_price_counts_from_when_it_was_delivered() -> None:
    def passage(stream: Stream) -> None:
        bought(stream)
        price(stream.wait(1), STOP_LONG, late="0.5")
        out(stream.wait("2.6"))

    assert judged(passage).outcome is Outcome.HELD


def test_an_exit_sent_before_the_observer_knew_of_the_price_is_one() -> None:
    def passage(stream: Stream) -> None:
        bought(stream)
        price(stream.wait(1), STOP_LONG, late="0.05")
        out(stream.wait("0.01"))

    verdict = judged(passage)
    assert (verdict.outcome, verdict.exercise, verdict.peak) == (Outcome.HELD, 1, 0)


# 7 bps of 66665 are 46.6655


@pytest.mark.parametrize(("at", "outcome"), [("66618.3345", Outcome.HELD), ("66618.3344", Outcome.BROKEN)])
def test_the_exit_fills_within_exactly_the_slippage_of_the_stop_price(at: str, outcome: Outcome) -> None:
    verdict = judged(lambda s: stopped_out(s, at=at))
    assert verdict.outcome is outcome
    assert outcome is Outcome.HELD or "7 bps worse than 66665" in verdict.reason


@pytest.mark.parametrize(("at", "outcome"), [("67382.1345", Outcome.HELD), ("67382.1346", Outcome.BROKEN)])
def test_the_exit_of_a_short_as_well(at: str, outcome: Outcome) -> None:
    def passage(stream: Stream) -> None:
        stream.fill(stream.place(Side.SELL, LONG))
        price(stream.wait(1), "67334.9")
        out(stream.wait(1), at, Side.BUY)

    assert judged(passage).outcome is outcome


@pytest.mark.parametrize(("at", "outcome"), [("66453.45", Outcome.HELD), ("66453.44", Outcome.BROKEN)])
def test_where_the_market_gapped_the_best_opposite_price_counts(at: str, outcome: Outcome) -> None:
    def passage(stream: Stream) -> None:
        bought(stream)
        for _ in range(2):
            price(stream.wait(1), "66500")
        out(stream.wait("0.5"), at)

    assert judged(passage).outcome is outcome


def test_a_price_within_a_second_after_the_fill_counts_as_well_and_later_ones_do_not() -> None:
    def passage(stream: Stream, after: str) -> None:
        stopped_out(stream, at="66500")
        price(stream.wait(after), "66500")

    assert judged(lambda s: passage(s, "0.9")).outcome is Outcome.HELD
    assert judged(lambda s: passage(s, "1.1")).outcome is Outcome.BROKEN


def test_a_market_that_runs_may_move_on_by_as_much_again() -> None:
    def passage(stream: Stream, at: str) -> None:
        bought(stream)
        price(stream.wait(1), "66800")
        price(stream.wait(1), "66600")  # 200 USDT in a second
        out(stream.wait("0.1"), at)

    assert judged(lambda s: passage(s, "66353.52")).outcome is Outcome.HELD
    assert judged(lambda s: passage(s, "66353.51")).outcome is Outcome.BROKEN


def test_a_stop_stays_owed_when_the_price_recovers() -> None:
    def passage(stream: Stream) -> None:
        bought(stream)
        price(stream.wait(1), STOP_LONG)
        price(stream.wait(1), LONG)
        stream.fill(stream.wait(8).place(Side.SELL, LONG, exits=True))

    assert judged(passage).outcome is Outcome.BROKEN


@pytest.mark.parametrize(("after", "outcome"), [("2.05", Outcome.NOT_SHOWN), ("2.2", Outcome.BROKEN)])
@pytest.mark.parametrize("exits", [True, False])
def test_a_position_closed_in_time_by_its_take_profit_or_netting_owes_nothing(
    after: str, outcome: Outcome, exits: bool
) -> None:
    def passage(stream: Stream) -> None:
        stream.fill(stream.place(Side.BUY, LONG))
        resting = stream.place(Side.SELL, SELL, exits=exits)
        price(stream.wait(1), STOP_LONG)
        stream.wait(after).fill(resting)

    assert judged(passage).outcome is outcome


@pytest.mark.parametrize(("limit", "counts"), [(STOP_LONG, True), ("66665.1", False), (SELL, False)])
def test_a_limit_counts_where_it_closes_at_once(limit: str, counts: bool) -> None:
    def passage(stream: Stream) -> None:
        bought(stream)
        price(stream.wait(1), "66600")
        stream.fill(stream.wait("1.5").place(Side.SELL, limit, exits=True))

    assert judged(passage).exercise is int(counts)


@pytest.mark.parametrize(("rests", "outcome"), [("4.9", Outcome.HELD), ("5.1", Outcome.BROKEN)])
def test_a_limit_does_not_rest_for_long(rests: str, outcome: Outcome) -> None:
    def passage(stream: Stream) -> None:
        bought(stream)
        price(stream.wait(1), STOP_LONG)
        order = stream.wait(1).place(Side.SELL, STOP_LONG, exits=True)
        stream.wait(rests).fill(order)

    verdict = judged(passage)
    assert verdict.outcome is outcome
    assert outcome is Outcome.HELD or verdict.reason.endswith("and was not closed within 5 s")


@pytest.mark.parametrize(("again", "outcome"), [("4.9", Outcome.HELD), ("5.1", Outcome.BROKEN)])
def test_after_a_refused_exit_the_next_is_owed(again: str, outcome: Outcome) -> None:
    def passage(stream: Stream) -> None:
        bought(stream)
        price(stream.wait(1), STOP_LONG)
        order = stream.wait(1).send(Side.SELL, None, exits=True)
        stream.wait("0.02").answer(order.request, code="40762")
        out(stream.wait(again))

    assert judged(passage).outcome is outcome


def test_an_exit_for_a_part_of_the_position_is_not_enough() -> None:
    def passage(stream: Stream) -> None:
        stream.fill(stream.place(Side.BUY, LONG, "0.0002"), "0.0002")
        price(stream.wait(1), STOP_LONG)
        out(stream.wait(1))
        out(stream.wait(3))

    assert judged(passage).outcome is Outcome.BROKEN


def test_the_entry_is_weighted_by_size_and_closing_leaves_it() -> None:
    def passage(stream: Stream, bid: str) -> None:
        entry = stream.place(Side.BUY, "66000", "0.0001")
        stream.fill(entry)
        stream.fill(stream.place(Side.BUY, "68000", "0.0003"), "0.0003")  # on average 67500, stop 67162.5
        stream.fill(stream.place(Side.SELL, "68000", "0.0001", exits=True))
        price(stream.wait(1), bid)
        stream.wait(8).fill(stream.place(Side.SELL, "68000", "0.0003", exits=True), "0.0003")

    assert judged(lambda s: passage(s, "67162.5")).outcome is Outcome.BROKEN
    assert judged(lambda s: passage(s, "67162.6")).outcome is Outcome.NOT_SHOWN


def test_a_fill_that_moved_the_stop_away_may_have_overtaken_the_price() -> None:
    def passage(stream: Stream, after: str) -> None:
        bought(stream)
        second = stream.place(Side.BUY, "66000")
        price(stream.wait(1), STOP_LONG)
        stream.wait(after).fill(second)  # on average 66500, stop 66167.5
        stream.wait(8).fill(stream.place(Side.SELL, SELL, "0.0002", exits=True), "0.0002")

    assert judged(lambda s: passage(s, "0.1")).outcome is Outcome.NOT_SHOWN
    assert judged(lambda s: passage(s, "0.2")).outcome is Outcome.BROKEN


def test_a_turned_position_has_a_stop_and_an_age_of_its_own() -> None:
    def passage(stream: Stream) -> None:
        bought(stream)
        stream.fill(stream.place(Side.SELL, "68000", "0.0002"), "0.0002")  # short from 68000, stop 68340
        price(stream.wait(1), STOP_LONG)
        price(stream.wait(1), "68339.9")
        out(stream.wait(1), "68340", Side.BUY)

    assert (judged(passage).outcome, judged(passage).exercise) == (Outcome.HELD, 1)


# the time limit


def aged(stream: Stream, age_s: str) -> None:
    """A market exit is sent `age_s` seconds after the fill; prices come each twenty seconds."""
    stream.fill(stream.place(Side.BUY, LONG))
    opened_us = stream.now_us - 1000  # the push of the position takes one more millisecond
    until_us = opened_us + int(Decimal(age_s) * 1_000_000)
    while stream.now_us + 20_000_000 < until_us:
        price(stream.wait(20), LONG)
    stream.now_us = until_us
    out(stream, LONG)


@pytest.mark.parametrize(
    ("age_s", "outcome"),
    [("599.999999", Outcome.NOT_SHOWN), ("600", Outcome.HELD), ("630", Outcome.HELD), ("630.000001", Outcome.BROKEN)],
)
def test_a_time_exit_is_sent_between_the_time_limit_and_its_grace(age_s: str, outcome: Outcome) -> None:
    verdict = judged(lambda s: aged(s, age_s))
    assert verdict.outcome is outcome
    assert verdict.exercise == (0 if outcome is Outcome.NOT_SHOWN else 1)
    if outcome is Outcome.BROKEN:
        assert "had reached its time limit, and had no exit sent for it within 30 s" in verdict.reason


@pytest.mark.parametrize(("at", "outcome"), [("66953.1", Outcome.HELD), ("66953.0", Outcome.BROKEN)])
def test_a_time_exit_fills_near_the_best_opposite_price(at: str, outcome: Outcome) -> None:
    def passage(stream: Stream) -> None:
        stream.fill(stream.place(Side.BUY, LONG))
        for _ in range(30):
            price(stream.wait(20), LONG)
        out(stream.wait(1), at)

    assert judged(passage).outcome is outcome


# what is no stop


@pytest.mark.parametrize("by", ["run", "operator"])
def test_what_is_closed_because_somebody_stopped_the_bot_is_no_stop(by: str) -> None:
    def stop(stream: Stream) -> None:
        if by == "operator":
            stream.write(OperatorAction(src=Source.OPERATOR, t_local_us=stream.now_us, action="stop", detail=""))

    def passage(stream: Stream) -> None:
        bought(stream)
        if by == "operator":
            stop(stream)
        stream.now_us = stream.window[1] - 15_000_000
        price(stream, LONG)

    def close(stream: Stream) -> None:
        price(stream.wait(1), STOP_LONG)
        out(stream.wait(4))

    facts = micro_cap_run(ROUND, flat=passage, trades=False, stopping=close)
    verdict = verdict_of("E11", without(facts, lambda _: False), ROUND)
    assert verdict.outcome is not Outcome.BROKEN
    assert verdict.exercise == 0


def test_what_was_owed_before_the_stop_is_owed_still() -> None:
    def passage(stream: Stream) -> None:
        bought(stream)
        stream.now_us = stream.window[1] - 12_000_000
        price(stream, STOP_LONG)

    facts = micro_cap_run(ROUND, flat=passage, trades=False, stopping=lambda s: out(s.wait(1)))
    assert verdict_of("E11", without(facts, lambda _: False), ROUND).outcome is Outcome.BROKEN


@pytest.mark.parametrize(("after", "outcome"), [("5", Outcome.HELD), ("5.000001", Outcome.BROKEN)])
def test_a_restarted_bot_takes_stock_first(after: str, outcome: Outcome) -> None:
    def passage(stream: Stream) -> None:
        bought(stream)
        price(stream.wait(1), STOP_LONG)
        at_us = stream.wait("0.2").now_us
        stream.write(BotRestarted(src=Source.RUN, t_local_us=at_us, start=2, client_id_prefix=f"{PREFIX}r2-"))
        price(stream.wait("0.5"), STOP_LONG)
        stream.now_us = at_us + int(Decimal(after) * 1_000_000)
        out(stream)

    assert judged(passage).outcome is outcome


# what is not known is not held


def test_a_position_that_stood_without_prices_is_not_shown() -> None:
    def passage(stream: Stream, blind: str) -> None:
        bought(stream)
        price(stream.wait(blind), STOP_LONG)
        out(stream.wait(1))

    assert judged(lambda s: passage(s, "30")).outcome is Outcome.HELD
    verdict = judged(lambda s: passage(s, "30.000001"))
    assert (verdict.outcome, verdict.lacks_only_exercise) == (Outcome.NOT_SHOWN, False)
    assert verdict.reason == f"a long of 0.0001 from {LONG} stood for 30 s without a price"


@pytest.mark.parametrize("kind", [TopOfBook, ContractRead, FillSeen, PositionSeen])
def test_without_a_kind_that_it_needs_it_is_not_held(kind: type[Fact]) -> None:
    facts = without(run(stopped_out), lambda fact: isinstance(fact, kind))
    assert verdict_of("E11", facts, ROUND).outcome is not Outcome.HELD


def test_a_position_of_before_leaves_it_not_shown() -> None:
    told_ = [
        replace(f, size=Decimal("0.0001")) if isinstance(f, PositionSeen) and f.via == "preflight" else f
        for f in run(stopped_out)
    ]
    assert verdict_of("E11", without(told_, lambda _: False), ROUND).outcome is Outcome.NOT_SHOWN


def test_the_bots_own_look_at_the_book_is_no_delivered_price() -> None:
    def own(fact: Fact) -> Fact:
        return replace(fact, src=Source.TAP) if isinstance(fact, TopOfBook) else fact

    assert verdict_of("E11", without(map(own, run(stopped_out)), lambda _: False), ROUND).outcome is Outcome.NOT_SHOWN


def test_no_fact_told_twice_changes_it() -> None:
    def late(stream: Stream) -> None:
        stopped_out(stream, "3")

    facts: Callable[[Moment], list[Fact]] = lambda passage: without(run(passage), lambda _: False)  # noqa: E731
    assert lost_with_one_twice(Stops, facts(stopped_out), ROUND) == []
    assert held_with_one_twice(Stops, facts(late), ROUND) == []
    assert held_with_one_twice(Stops, facts(lambda s: stopped_out(s, bid="66665.1")), ROUND) == []


# an exit that lapses, and a position that somebody else closed


def owed_again(stream: Stream, *, asks_after: str, loses: bool) -> None:
    """A market exit in time that is lost, or accepted and not filled; the next one so many seconds after that is clear."""
    bought(stream)
    price(stream.wait(3), STOP_LONG)
    exit_ = stream.wait("0.5").send(Side.SELL, None, exits=True)
    if loses:
        stream.wait(10).lose(exit_.request)
        price(stream, STOP_LONG)
        asked = stream.wait(asks_after).request(Action.READ, client_id=exit_.client_id)
        stream.answer(asked.request, code="40109")
        out(stream)
        return
    stream.wait("0.02").show(exit_, OrderState.LIVE)
    stream.answer(exit_.request, order_id=exit_.order_id, client_id=exit_.client_id)
    price(stream.wait("4.98"), STOP_LONG)
    stream.wait(asks_after).fill(exit_, at=STOP_LONG)
    price(stream.wait("0.5"), STOP_LONG)


@pytest.mark.parametrize("loses", [True, False])
@pytest.mark.parametrize(("after", "outcome"), [("4.9", Outcome.HELD), ("5.1", Outcome.BROKEN)])
def test_a_market_exit_that_is_unknown_or_unfilled_no_longer_answers_the_call(
    after: str, outcome: Outcome, loses: bool
) -> None:
    verdict = judged(lambda s: owed_again(s, asks_after=after, loses=loses))
    assert verdict.outcome is outcome


def closed_by_somebody(stream: Stream, size: str = "0.0001") -> None:
    foreign = Placed("by-hand", "o900", Side.SELL, None, Decimal(size), True)
    stream.wait(3).show(foreign, OrderState.LIVE)
    stream.fill(foreign, size, at="66900", row=False, is_maker=False)


def test_a_position_that_somebody_else_closed_owes_no_exit() -> None:
    def passage(stream: Stream) -> None:
        bought(stream)
        closed_by_somebody(stream)
        for _ in range(3):
            price(stream.wait(10), "66600")

    verdict = judged(passage)
    assert "nobody saw it being sent" in verdict.reason
    assert verdict.outcome is Outcome.NOT_SHOWN


def test_a_position_that_somebody_else_cut_owes_an_exit_for_the_rest_alone() -> None:
    def passage(stream: Stream, exits: bool) -> None:
        order = stream.place(Side.BUY, LONG, "0.0002")
        stream.fill(order, "0.0002")
        price(stream.wait("0.5"), LONG)
        closed_by_somebody(stream)
        price(stream.wait(3), STOP_LONG)
        if exits:
            out(stream.wait("0.5"))
        for _ in range(2):
            price(stream.wait(4), STOP_LONG)

    assert judged(lambda s: passage(s, exits=True)).outcome is Outcome.NOT_SHOWN
    assert judged(lambda s: passage(s, exits=False)).outcome is Outcome.BROKEN


def test_what_somebody_else_opens_after_closing_it_is_not_the_bots() -> None:
    def passage(stream: Stream) -> None:
        bought(stream)
        closed_by_somebody(stream)
        foreign = Placed("by-hand-2", "o901", Side.BUY, None, Decimal("0.0001"), False)
        stream.show(foreign, OrderState.LIVE)
        stream.fill(foreign, at="66900", row=False, is_maker=False)
        for _ in range(3):
            price(stream.wait(10), "66600")

    assert judged(passage).outcome is Outcome.NOT_SHOWN
