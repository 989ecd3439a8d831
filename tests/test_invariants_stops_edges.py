"""E11 at its edges: what calls for an exit, what answers the call, and what an operator reads of it."""

from dataclasses import replace
from decimal import Decimal

import pytest
from streams import PREFIX, SELL, Moment, Placed, Stream, micro_cap_run, verdict_of, without
from test_invariants_stops import LONG, ROUND, STOP_LONG, aged, bought, filled_at, judged, out, price, run, stopped_out

from botproof.events import (
    Action,
    BotRestarted,
    ContractRead,
    Fact,
    OperatorAction,
    OrderState,
    PositionSeen,
    RequestAnswered,
    RequestSent,
    Side,
    Source,
    TopOfBook,
)
from botproof.invariants.verdict import Outcome, Verdict


def facts_and_verdict(passage: Moment) -> tuple[list[Fact], Verdict]:
    facts = without(run(passage), lambda _: False)
    return facts, verdict_of("E11", facts, ROUND)


def proved_by(passage: Moment) -> list[str]:
    facts, verdict = facts_and_verdict(passage)
    return [facts[seq].kind for seq in verdict.proof]


def operated(stream: Stream, action: str) -> None:
    stream.write(OperatorAction(src=Source.OPERATOR, t_local_us=stream.now_us, action=action, detail=""))


def restarted(stream: Stream) -> None:
    stream.write(BotRestarted(src=Source.RUN, t_local_us=stream.now_us, start=2, client_id_prefix=f"{PREFIX}r2-"))


def sold_late(stream: Stream, after: str = "8") -> None:
    """Closed at last by a take-profit."""
    stream.fill(stream.wait(after).place(Side.SELL, LONG, exits=True))


# what an operator reads


def test_a_stop_that_nobody_acted_on_is_one_breach_proved_by_the_price() -> None:
    def late(stream: Stream) -> None:
        bought(stream)
        for _ in range(4):
            price(stream.wait(1), STOP_LONG)
        sold_late(stream)

    assert judged(late).reason == (
        "a long of 0.0001 from 67000 reached its stop of 66665 at 01:01:02.561 UTC, "
        "and had no exit sent for it within 2 s"
    )
    assert proved_by(late) == ["TopOfBook"]


def test_a_short_is_called_one() -> None:
    def late(stream: Stream) -> None:
        stream.fill(stream.place(Side.SELL, LONG))
        price(stream.wait(1), "67334.9")
        stream.fill(stream.wait(8).place(Side.BUY, LONG, exits=True))

    assert judged(late).reason.startswith("a short of 0.0001 from 67000 reached its stop of 67335 at 01:01:02.061 UTC")


def test_a_time_limit_that_nobody_acted_on_is_one_breach_proved_by_the_fill_that_opened_it() -> None:
    def late(stream: Stream) -> None:
        aged(stream, "700")

    verdict = judged(late)
    assert verdict.reason == (
        "a long of 0.0001 from 67000, opened at 01:01:01.060 UTC, had reached its time limit, "
        "and had no exit sent for it within 30 s"
    )
    assert (proved_by(late), verdict.peak) == (["FillSeen"], None)


def test_a_fill_beyond_the_slippage_is_told_with_both_prices_and_proved_by_the_fill() -> None:
    assert judged(lambda s: stopped_out(s, at="66600")).reason == (
        "exit sell bot1-r1-2 at market x 0.0001 was filled at 66600 at 01:01:03.581 UTC, beyond 66618.3345, "
        "7 bps worse than 66665"
    )
    assert proved_by(lambda s: stopped_out(s, at="66600")) == ["FillSeen"]


def test_what_was_stopped_is_proved_by_what_called_for_it() -> None:
    assert proved_by(stopped_out) == ["TopOfBook"]
    assert proved_by(lambda s: aged(s, "610")) == ["FillSeen"]


def test_why_nothing_is_held_is_told_in_one_sentence() -> None:
    facts = run(stopped_out)
    no_rules = without(facts, lambda fact: isinstance(fact, ContractRead))
    assert verdict_of("E11", no_rules, ROUND).reason == "the contract's quantity step is not on the tape"
    before = [
        replace(f, size=f.size + Decimal("0.0003")) if isinstance(f, PositionSeen) else f
        for f in without(facts, lambda _: False)
    ]
    assert verdict_of("E11", without(before, lambda _: False), ROUND).reason == (
        "the account had a position before, and its entry price is not known"
    )


def test_a_position_that_stood_without_any_price_is_told_with_how_long() -> None:
    facts = without(run(lambda s: aged(s, "610")), lambda fact: isinstance(fact, TopOfBook))
    assert verdict_of("E11", facts, ROUND).reason == "a long of 0.0001 from 67000 stood for 610.02 s without a price"


def test_an_exit_whose_fills_are_not_on_the_tape_is_a_doubt_of_the_books() -> None:
    def partly(stream: Stream) -> None:
        bought(stream)
        price(stream.wait(1), STOP_LONG)
        order = stream.wait(1).send(Side.SELL, None, exits=True)
        order.filled = order.size
        stream.wait("0.02").show(order, OrderState.FILLED)
        stream.answer(order.request, order_id=order.order_id)
        stream.position = Decimal(0)

    reason = judged(partly).reason
    assert reason.startswith("exit sell bot1-r1-2 at market x 0.0001 was filled, and not all of its fills")


# whose it is


def by_the_venue_alone(passage: Moment) -> Verdict:
    facts = without(run(passage), lambda f: isinstance(f, RequestSent | RequestAnswered))
    return verdict_of("E11", facts, ROUND)


def test_a_position_under_the_runs_prefix_is_the_bots_though_nobody_saw_it_being_sent() -> None:
    assert by_the_venue_alone(lambda s: stopped_out(s, "3")).outcome is Outcome.BROKEN
    assert by_the_venue_alone(stopped_out).exercise == 1


# what calls for an exit


def test_dust_has_no_stop() -> None:
    def passage(stream: Stream) -> None:
        bought(stream)
        exit_ = stream.place(Side.SELL, LONG, exits=True)
        stream.fill(exit_, "0.00005")
        price(stream.wait(1), STOP_LONG)
        stream.wait(8).fill(exit_, "0.00005")

    assert judged(passage).outcome is Outcome.NOT_SHOWN


def test_what_is_left_as_dust_covers_the_position() -> None:
    def passage(stream: Stream) -> None:
        stream.fill(stream.place(Side.BUY, LONG, "0.00015"), "0.00015")
        price(stream.wait("0.5"), LONG)
        price(stream.wait(1), STOP_LONG)
        out(stream.wait(1))

    assert (judged(passage).outcome, judged(passage).exercise) == (Outcome.HELD, 1)


def test_a_position_that_follows_dust_has_an_age_of_its_own() -> None:
    def waits(stream: Stream, seconds: int) -> None:
        for _ in range(seconds // 20):
            price(stream.wait(20), LONG)

    def passage(stream: Stream) -> None:
        bought(stream)
        exit_ = stream.place(Side.SELL, LONG, exits=True)
        stream.fill(exit_, "0.00005")
        stream.show(exit_, OrderState.CANCELED)
        waits(stream, 500)
        stream.fill(stream.place(Side.BUY, LONG))
        waits(stream, 200)
        order = stream.place(Side.SELL, LONG, "0.00015", exits=True)
        stream.fill(order, "0.00015")

    assert judged(passage).outcome is Outcome.NOT_SHOWN


@pytest.mark.parametrize(("actions", "owed"), [(("stop",), False), (("stop", "resume"), True), (("resume",), True)])
def test_an_operators_stop_calls_for_nothing_until_it_is_lifted(actions: tuple[str, ...], owed: bool) -> None:
    def passage(stream: Stream) -> None:
        bought(stream)
        for action in actions:
            operated(stream.wait("0.1"), action)
        price(stream.wait(1), STOP_LONG)
        sold_late(stream)

    assert (judged(passage).outcome is Outcome.BROKEN) is owed


def test_a_price_at_the_very_instant_of_the_runs_stop_still_calls() -> None:
    def standing(stream: Stream) -> None:
        bought(stream)
        stream.now_us = stream.window[1] - 12_000_000
        price(stream, LONG)

    def stopping(stream: Stream) -> None:
        price(stream, STOP_LONG)
        out(stream.wait(4))

    facts = micro_cap_run(ROUND, flat=standing, trades=False, stopping=stopping)
    assert verdict_of("E11", without(facts, lambda _: False), ROUND).outcome is Outcome.BROKEN


def test_a_position_that_stands_without_prices_to_the_end_is_not_shown() -> None:
    facts = run(bought)
    blind = without(facts, lambda f: isinstance(f, TopOfBook) and f.t_local_us > facts[0].t_local_us + 70_000_000)
    assert "without a price" in verdict_of("E11", blind, ROUND).reason


# the restart


def test_after_a_restart_a_stop_that_has_passed_is_owed_no_more() -> None:
    def passage(stream: Stream) -> None:
        bought(stream)
        price(stream.wait(1), STOP_LONG)
        restarted(stream.wait("0.2"))
        price(stream.wait(1), LONG)
        sold_late(stream)

    assert judged(passage).outcome is Outcome.NOT_SHOWN


def test_a_restart_without_a_stop_owed_owes_nothing() -> None:
    def passage(stream: Stream) -> None:
        bought(stream)
        restarted(stream.wait("0.2"))
        sold_late(stream, "1")

    verdict = judged(passage)
    assert (verdict.outcome, verdict.lacks_only_exercise) == (Outcome.NOT_SHOWN, True)


def test_an_exit_that_worked_at_the_restart_and_came_to_nothing_is_owed_again() -> None:
    def passage(stream: Stream) -> None:
        bought(stream)
        price(stream.wait(1), STOP_LONG)
        order = stream.wait("0.5").send(Side.SELL, None, exits=True)
        restarted(stream.wait("0.1"))
        price(stream.wait("0.1"), LONG)
        stream.wait("0.1").answer(order.request, code="40762")
        sold_late(stream)

    assert judged(passage).outcome is Outcome.BROKEN


# what answers the call


def sent_and_filled(stream: Stream, rests: str, at: str = STOP_LONG, *, before: str = "0") -> None:
    """A market exit that works for a while; the price reaches the stop `before` seconds after its sending."""
    order = stream.send(Side.SELL, None, exits=True)
    if Decimal(before):
        price(stream.wait(before), STOP_LONG)
    order.price = None
    stream.wait(rests)
    stream.show(order, OrderState.LIVE)
    stream.answer(order.request, order_id=order.order_id, client_id=order.client_id)
    price(stream, STOP_LONG)
    filled_at(stream, order, at)


def test_a_market_exit_answers_for_as_long_as_it_works() -> None:
    def passage(stream: Stream) -> None:
        bought(stream)
        price(stream.wait(1), STOP_LONG)
        sent_and_filled(stream.wait(1), "8")

    assert judged(passage).outcome is Outcome.HELD


@pytest.mark.parametrize(("before", "exercise"), [("0.1", 1), ("0.100001", 0)])
def test_a_market_exit_sent_a_moment_before_the_price_is_for_it(before: str, exercise: int) -> None:
    def passage(stream: Stream, at: str = STOP_LONG) -> None:
        bought(stream)
        sent_and_filled(stream.wait(1), "4", at, before=before)

    verdict = judged(passage)
    assert (verdict.outcome is not Outcome.BROKEN, verdict.exercise) == (True, exercise)
    worse = judged(lambda s: passage(s, "66000"))
    assert (worse.outcome is Outcome.BROKEN) is bool(exercise)


def test_a_market_exit_that_works_when_the_time_limit_is_reached_answers_it() -> None:
    def passage(stream: Stream) -> None:
        stream.fill(stream.place(Side.BUY, LONG))
        for _ in range(29):
            price(stream.wait(20), LONG)
        order = stream.wait("19.9").send(Side.SELL, None, exits=True)
        for _ in range(2):
            price(stream.wait(20), LONG)
        stream.show(order, OrderState.LIVE)
        stream.answer(order.request, order_id=order.order_id, client_id=order.client_id)
        filled_at(stream, order, LONG)

    assert judged(passage).outcome is not Outcome.BROKEN


@pytest.mark.parametrize(("side", "exits"), [(Side.SELL, False), (Side.BUY, True)])
def test_an_entry_and_an_order_of_the_wrong_side_answer_nothing(side: Side, exits: bool) -> None:
    def passage(stream: Stream) -> None:
        bought(stream)
        price(stream.wait(1), STOP_LONG)
        order = stream.wait(1).send(side, None, exits=exits)
        stream.wait(4).answer(order.request, code="40762")
        sold_late(stream, "0.1")

    assert "had no exit sent for it within 2 s" in judged(passage).reason


def test_a_second_limit_wins_no_more_time() -> None:
    def passage(stream: Stream) -> None:
        bought(stream)
        price(stream.wait(1), STOP_LONG)
        first = stream.wait(1).place(Side.SELL, STOP_LONG, exits=True)
        stream.wait(3).cancel(first)
        second = stream.place(Side.SELL, STOP_LONG, exits=True)
        price(stream.wait(2), STOP_LONG)
        stream.fill(second)

    assert judged(passage).reason.endswith("and was not closed within 5 s")


def test_the_peak_is_the_first_reaction_to_a_stop() -> None:
    def again(stream: Stream) -> None:
        bought(stream)
        price(stream.wait(1), STOP_LONG)
        order = stream.wait(1).send(Side.SELL, None, exits=True)
        stream.wait("0.02").answer(order.request, code="40762")
        price(stream.wait(3), STOP_LONG)
        out(stream)

    assert (judged(again).outcome, judged(again).peak) == (Outcome.HELD, Decimal("0.9"))
    assert judged(lambda s: aged(s, "610")).peak is None


def test_a_fill_that_moved_the_stop_away_leaves_nothing_but_exercise_to_be_wanted() -> None:
    def passage(stream: Stream) -> None:
        bought(stream)
        second = stream.place(Side.BUY, "66000")
        price(stream.wait(1), STOP_LONG)
        stream.wait("0.1").fill(second)
        stream.wait(8).fill(stream.place(Side.SELL, SELL, "0.0002", exits=True), "0.0002")

    assert judged(passage).reason == "0 of 1 positions closed by a stop or time exit"


def test_a_fill_that_moved_the_stop_too_little_leaves_it_owed() -> None:
    def passage(stream: Stream) -> None:
        bought(stream)
        second = stream.place(Side.BUY, "66999")
        price(stream.wait(1), "66600")
        stream.wait("0.1").fill(second)
        stream.wait(8).fill(stream.place(Side.SELL, SELL, "0.0002", exits=True), "0.0002")

    assert judged(passage).outcome is Outcome.BROKEN


@pytest.mark.parametrize(("before", "covers"), [("0.1", False), ("0.099999", True)])
def test_an_exit_is_for_all_that_the_bot_could_know_of(before: str, covers: bool) -> None:
    def passage(stream: Stream) -> None:
        bought(stream)
        second = stream.place(Side.BUY, LONG)
        price(stream.wait(1), STOP_LONG)
        at_us = stream.wait(1).now_us
        stream.fill(second)
        stream.now_us = at_us + int(Decimal(before) * 1_000_000)
        out(stream)
        stream.fill(stream.wait(3).place(Side.SELL, LONG, exits=True))

    assert ("had no exit sent for it within 2 s" in judged(passage).reason) is not covers


def test_each_exit_that_was_called_for_is_judged_by_its_price() -> None:
    def passage(stream: Stream) -> None:
        stopped_out(stream, at="66600")
        stream.wait(3)
        stopped_out(stream)

    verdict = judged(passage)
    assert (verdict.outcome, verdict.exercise) == (Outcome.BROKEN, 2)


# a limit that closes at once: at the time limit, where there is no stop price


def limited(limit: str, *bids: tuple[str, str]) -> int:
    """A limit exit at the time limit, after these bids, each so many seconds before its sending."""

    def passage(stream: Stream) -> None:
        stream.fill(stream.place(Side.BUY, LONG))
        for _ in range(30):
            price(stream.wait(20), "66900")
        sent_us = stream.now_us + 9_000_000
        for bid, before in bids:
            stream.now_us = sent_us - int(Decimal(before) * 1_000_000)
            price(stream, bid)
        stream.now_us = sent_us
        order = stream.send(Side.SELL, limit, exits=True)
        stream.wait("0.02").show(order, OrderState.LIVE)
        stream.answer(order.request, order_id=order.order_id)
        stream.fill(order)

    return judged(passage).exercise


def test_a_limit_at_a_best_opposite_price_of_the_last_second_closes_at_once() -> None:
    assert limited("67005", ("67010", "1"), ("67000", "0.5")) == 1
    assert limited("67005", ("67010", "1.000001"), ("67000", "0.5")) == 0
    assert limited("67000", ("67010", "5"), ("67000", "3")) == 1  # the last one, however old
    assert limited("67000.1", ("67000", "0.5")) == 0  # the other side of the book


# which prices there are


@pytest.mark.parametrize(
    ("bid", "ask", "calls"),
    [
        ("66665", "66665.1", True),
        ("66665", "1", True),
        ("66665", "0", False),
        ("1", "66665", True),
        ("0", "66665", False),
        ("-1", "66665", False),
    ],
)
def test_a_book_has_prices_where_it_has_both(bid: str, ask: str, calls: bool) -> None:
    def passage(stream: Stream) -> None:
        bought(stream)
        price(stream.wait(1), LONG)
        price(stream.wait(1), "66664")
        sold_late(stream)

    facts = [
        replace(fact, bid=Decimal(bid), ask=Decimal(ask))
        if isinstance(fact, TopOfBook) and fact.bid == Decimal(66664)
        else fact
        for fact in run(passage)
    ]
    assert (verdict_of("E11", without(facts, lambda _: False), ROUND).outcome is Outcome.BROKEN) is calls


# an exit that lapses, and counts again while the bot asks for it and nobody answers


def asked_again(stream: Stream, *, size: str = "0.0001", answers_after: str = "9", fills_after: str = "8") -> None:
    """A market exit that is lost after 1 s, and asked for 4 s later; that question is lost as well."""
    stream.fill(stream.place(Side.BUY, LONG), "0.0001")
    price(stream.wait("0.5"), LONG)
    price(stream.wait(1), STOP_LONG)
    exit_ = stream.wait("0.5").send(Side.SELL, None, size, exits=True)
    stream.wait(1).lose(exit_.request)
    asked = stream.wait(4).request(Action.READ, client_id=exit_.client_id)
    asked_us = stream.now_us
    stream.wait(answers_after).lose(asked.request)
    stream.now_us = asked_us
    price(stream.wait(fills_after), STOP_LONG)
    filled_at(stream, exit_, STOP_LONG)


def test_a_lost_exit_counts_again_while_it_is_asked_for_in_vain() -> None:
    assert judged(asked_again).outcome is Outcome.HELD


def test_it_lapses_again_when_that_question_is_lost_as_well() -> None:
    verdict = judged(lambda s: asked_again(s, answers_after="1"))
    assert verdict.reason.endswith("and was not closed within 5 s")


def test_what_is_asked_for_again_covers_no_more_than_it_is_for() -> None:
    def smaller(stream: Stream) -> None:
        stream.fill(stream.place(Side.BUY, LONG))
        price(stream.wait("0.5"), LONG)
        exit_ = stream.send(Side.SELL, None, exits=True)
        stream.wait(1).lose(exit_.request)
        stream.fill(stream.place(Side.BUY, LONG))
        price(stream.wait("0.5"), STOP_LONG)
        asked = stream.wait("0.5").request(Action.READ, client_id=exit_.client_id)
        price(stream.wait(8), STOP_LONG)
        filled_at(stream, exit_, STOP_LONG)
        stream.wait(1).lose(asked.request)
        out(stream)

    assert judged(smaller).reason.endswith("and had no exit sent for it within 2 s")


def test_an_exit_that_counts_again_before_the_price_answers_it() -> None:
    def passage(stream: Stream) -> None:
        bought(stream)
        exit_ = stream.wait(1).send(Side.SELL, None, exits=True)
        stream.wait(1).lose(exit_.request)
        asked = stream.wait(1).request(Action.READ, client_id=exit_.client_id)
        price(stream.wait(1), STOP_LONG)
        price(stream.wait(4), STOP_LONG)
        filled_at(stream, exit_, STOP_LONG)
        stream.wait(1).lose(asked.request)

    assert judged(passage).reason == "0 of 1 positions closed by a stop or time exit"


# what somebody else does


def by_hand(stream: Stream, side: Side = Side.SELL) -> Placed:
    foreign = Placed("by-hand", "o900", side, None, Decimal("0.0001"), True)
    stream.show(foreign, OrderState.LIVE)
    return foreign


def test_a_position_that_somebody_closed_in_time_owes_nothing_more() -> None:
    def passage(stream: Stream) -> None:
        bought(stream)
        price(stream.wait(1), STOP_LONG)
        stream.fill(by_hand(stream.wait(1)), at=STOP_LONG, row=False, is_maker=False)
        for _ in range(3):
            price(stream.wait(3), STOP_LONG)

    assert judged(passage).reason == "the venue showed the order by-hand, and nobody saw it being sent"


def test_an_order_of_somebody_else_answers_no_call() -> None:
    def passage(stream: Stream) -> None:
        bought(stream)
        price(stream.wait(1), STOP_LONG)
        foreign = by_hand(stream.wait(1))
        price(stream.wait(3), STOP_LONG)
        stream.show(foreign, OrderState.CANCELED)
        sold_late(stream, "0.1")

    assert judged(passage).reason.endswith("and had no exit sent for it within 2 s")


def test_what_somebody_cut_is_closed_by_an_exit_for_the_rest() -> None:
    def passage(stream: Stream) -> None:
        stream.fill(stream.place(Side.BUY, LONG, "0.0002"), "0.0002")
        price(stream.wait("0.5"), LONG)
        stream.fill(by_hand(stream), at=LONG, row=False, is_maker=False)
        price(stream.wait(1), STOP_LONG)
        exit_ = stream.wait(1).send(Side.SELL, None, exits=True)
        price(stream.wait(4), STOP_LONG)
        filled_at(stream, exit_, STOP_LONG)

    assert judged(passage).reason == "the venue showed the order by-hand, and nobody saw it being sent"


# exactly at the edge


@pytest.mark.parametrize(("after", "peak"), [("2.9", Decimal("0.4")), ("2.899999", None)])
def test_a_reaction_counts_from_when_a_restarted_bot_owes_it(after: str, peak: Decimal | None) -> None:
    def passage(stream: Stream) -> None:
        bought(stream)
        restarted(stream)
        price(stream.wait(after), STOP_LONG)
        out(stream.wait("0.5"))

    assert judged(passage).peak == peak


def test_a_stop_that_was_acted_on_is_not_taken_back_by_a_fill() -> None:
    def passage(stream: Stream) -> None:
        bought(stream)
        second = stream.place(Side.BUY, "66000")
        price(stream.wait(1), STOP_LONG)
        exit_ = stream.wait("0.05").send(Side.SELL, None, exits=True)
        stream.wait("0.03").fill(second)
        stream.wait("0.1").answer(exit_.request, code="40762")
        stream.wait(8).fill(stream.place(Side.SELL, SELL, "0.0002", exits=True), "0.0002")

    assert judged(passage).reason.endswith("and was not closed within 5 s")


def test_without_the_step_an_exit_for_the_whole_position_answers_for_it() -> None:
    def passage(stream: Stream) -> None:
        bought(stream)
        price(stream.wait(1), STOP_LONG)
        sent_and_filled(stream.wait(1), "8")

    facts = without(run(passage), lambda fact: isinstance(fact, ContractRead))
    assert verdict_of("E11", facts, ROUND).reason == "the contract's quantity step is not on the tape"


# the price of an exit


def test_a_sell_is_held_against_the_worst_bid_that_was_delivered_meanwhile() -> None:
    def passage(stream: Stream) -> None:
        bought(stream)
        for _ in range(2):
            price(stream.wait(1), "66600")
        exit_ = stream.wait("0.2").send(Side.SELL, None, exits=True)
        for bid in ("66400", "66600"):
            price(stream.wait("0.2"), bid)
        stream.wait("0.1")
        filled_at(stream, exit_, "66400")

    wide = [
        replace(fact, ask=fact.bid + 200) if isinstance(fact, TopOfBook) and fact.bid <= Decimal(66600) else fact
        for fact in run(passage)
    ]
    assert verdict_of("E11", without(wide, lambda _: False), ROUND).outcome is Outcome.HELD


def test_an_exit_without_any_price_around_it_is_told_with_its_time() -> None:
    soon = replace(ROUND, time_limit=20)

    def passage(stream: Stream) -> None:
        stream.fill(stream.place(Side.BUY, LONG))
        out(stream.wait(21), LONG)

    facts = without(micro_cap_run(soon, flat=passage, trades=False), lambda fact: isinstance(fact, TopOfBook))
    assert verdict_of("E11", facts, soon).reason == (
        "no price is on the tape around exit sell bot1-r1-2 at market x 0.0001 of 01:01:22.061 UTC"
    )


def test_a_price_that_no_fill_tells_is_proved_by_what_called_for_the_exit() -> None:
    def passage(stream: Stream) -> None:
        bought(stream)
        price(stream.wait(1), STOP_LONG)
        order = stream.wait(1).send(Side.SELL, "66200", exits=True)
        order.filled = order.size
        stream.wait("0.02").show(order, OrderState.FILLED)
        stream.answer(order.request, order_id=order.order_id)
        stream.position = Decimal(0)
        stream.wait("0.1").show_position()

    assert judged(passage).reason.startswith("exit sell bot1-r1-2 66200 x 0.0001 was filled at 66200 at 01:01:03.581")
    assert proved_by(passage) == ["TopOfBook"]
