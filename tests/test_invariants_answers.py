"""E12: every order is answered or declared unknown, and an unknown one is looked up under the same client id."""

from dataclasses import replace

import pytest
from streams import BUY, PREFIX, SELL, Moment, Placed, Stream, broken, micro_cap_run, verdict_of, without
from streams_money import held_with_one_twice, lost_with_one_twice

from botproof.events import (
    Action,
    BotRestarted,
    Fact,
    OrderState,
    RequestAnswered,
    RequestSent,
    RunEnded,
    Side,
    Source,
)
from botproof.invariants.answers import OPEN_ORDERS, Answers
from botproof.invariants.verdict import Outcome, Verdict


def told(passage: Moment) -> Verdict:
    return verdict_of("E12", micro_cap_run(flat=passage, trades=False))


def lost(stream: Stream, side: Side = Side.BUY, *, exits: bool = False) -> Placed:
    """An order whose request was declared unknown ten seconds after it was sent."""
    order = stream.send(side, BUY if side is Side.BUY else SELL, exits=exits)
    stream.wait(10).lose(order.request)
    return order


def retry(stream: Stream, order: Placed) -> RequestSent:
    return stream.request(
        Action.PLACE,
        side=order.side,
        price=order.price,
        size=order.size,
        reduce_only=order.reduce_only,
        client_id=order.client_id,
        order_type="limit",
    )


def look_up(stream: Stream, order: Placed, code: str = "40109") -> None:
    sent = stream.request(Action.READ, client_id=order.client_id)
    stream.wait("0.02").answer(sent.request, code=code)


def place(stream: Stream) -> None:
    """An order that the venue takes and soon cancels."""
    stream.cancel(stream.place(Side.BUY, BUY))


def test_a_run_whose_orders_are_all_answered_is_held() -> None:
    verdict = verdict_of("E12", micro_cap_run())
    assert (verdict.outcome, verdict.exercise, verdict.limit) == (Outcome.HELD, 5, 30)


def test_without_an_order_it_is_not_shown() -> None:
    verdict = verdict_of("E12", micro_cap_run(trades=False))
    assert (verdict.reason, verdict.lacks_only_exercise) == ("0 of 1 orders answered in time", True)


@pytest.mark.parametrize(("wait", "outcome"), [("30", Outcome.HELD), ("30.000001", Outcome.BROKEN)])
@pytest.mark.parametrize("ends", ["answer", "lose", "read"])
def test_an_answer_or_its_absence_is_told_within_exactly_the_terms_limit(
    wait: str, outcome: Outcome, ends: str
) -> None:
    def passage(stream: Stream) -> None:
        place(stream)
        if ends == "read":
            sent = stream.request(Action.READ)
            stream.wait(wait).lose(sent.request)
            return
        order = stream.send(Side.BUY, BUY)
        stream.wait(wait)
        if ends == "lose":
            stream.lose(order.request)
            look_up(stream, order)
        else:
            stream.answer(order.request, code="40762")

    verdict = told(passage)
    assert verdict.outcome is outcome
    assert verdict.peak is not None
    assert verdict.peak >= 30


def test_a_request_that_nobody_answers_is_broken_and_near_the_end_not_shown() -> None:
    verdict = told(lambda s: (place(s), s.request(Action.READ)))
    assert "was neither answered nor declared unknown in" in verdict.reason
    facts = micro_cap_run(stopped=lambda s: s.request(Action.READ))
    verdict = verdict_of("E12", facts)
    assert (verdict.outcome, verdict.lacks_only_exercise) == (Outcome.NOT_SHOWN, False)


@pytest.mark.parametrize("code", ["40109", "43001", "00000"])
def test_a_look_up_tells_the_fate_whatever_it_is(code: str) -> None:
    def passage(stream: Stream) -> None:
        order = lost(stream)
        look_up(stream, order, code)
        place(stream)

    assert told(passage).outcome is Outcome.HELD


def test_an_unknown_order_that_is_never_looked_up_is_broken() -> None:
    def passage(stream: Stream) -> None:
        place(stream)
        lost(stream)

    verdict = told(passage)
    assert verdict.outcome is Outcome.BROKEN
    assert f"the fate of {PREFIX}2 was unknown at" in verdict.reason


@pytest.mark.parametrize("code", ["40010", "429", "22001"])
def test_a_look_up_that_says_nothing_of_the_order_leaves_it_unknown(code: str) -> None:
    assert told(lambda s: (place(s), look_up(s, lost(s), code))).outcome is Outcome.BROKEN


def test_a_look_up_from_before_it_was_unknown_may_have_overtaken_the_order() -> None:
    def passage(stream: Stream) -> None:
        place(stream)
        order = stream.send(Side.BUY, BUY)
        sent = stream.wait(1).request(Action.READ, client_id=order.client_id)
        stream.wait(8).lose(order.request)
        stream.wait(1).answer(sent.request, code="40109")

    assert told(passage).outcome is Outcome.BROKEN


def test_a_new_order_of_its_kind_under_another_name_is_broken() -> None:
    def passage(stream: Stream) -> None:
        order = lost(stream)
        place(stream)
        look_up(stream, order)

    verdict = told(passage)
    assert f"the order {PREFIX}2 was sent at" in verdict.reason
    assert f"while the fate of {PREFIX}1 was unknown" in verdict.reason


@pytest.mark.parametrize(("side", "exits"), [(Side.SELL, False), (Side.BUY, True)])
def test_an_order_of_another_kind_may_follow(side: Side, exits: bool) -> None:
    def passage(stream: Stream) -> None:
        order = lost(stream)
        other = stream.send(side, SELL, exits=exits)
        stream.answer(other.request, code="40762")
        look_up(stream, order)

    assert told(passage).outcome is Outcome.HELD


def test_two_orders_in_flight_at_once_are_no_retry() -> None:
    def passage(stream: Stream) -> None:
        first, second = stream.send(Side.BUY, BUY), stream.send(Side.BUY, BUY)
        for order in (first, second):
            stream.wait(1).lose(order.request)
        for order in (first, second):
            look_up(stream, order)
        place(stream)

    assert told(passage).outcome is Outcome.HELD


@pytest.mark.parametrize(
    ("code", "outcome"),
    [("00000", Outcome.HELD), ("40786", Outcome.HELD), ("45034", Outcome.HELD), ("40762", Outcome.BROKEN)],
)
def test_a_retry_uses_the_same_name_and_a_refusal_of_it_says_nothing_of_the_first(code: str, outcome: Outcome) -> None:
    def passage(stream: Stream) -> None:
        place(stream)
        order = lost(stream)
        stream.wait("0.1").answer(retry(stream, order).request, code=code)

    assert told(passage).outcome is outcome


def test_what_the_venue_shows_is_known_from_when_it_happened() -> None:
    def passage(stream: Stream) -> None:
        order = lost(stream)
        stream.show(order, OrderState.CANCELED, late="20")
        stream.wait(1)
        place(stream)

    assert told(passage).outcome is Outcome.HELD


def test_an_order_that_ended_before_its_request_timed_out_was_never_unknown() -> None:
    def passage(stream: Stream) -> None:
        order = stream.send(Side.BUY, BUY)
        stream.wait("0.02").show(order, OrderState.LIVE)
        stream.wait(1).show(order, OrderState.CANCELED)
        stream.wait(9).lose(order.request)
        place(stream)

    assert told(passage).outcome is Outcome.HELD


@pytest.mark.parametrize(("status", "outcome"), [(500, Outcome.BROKEN), (503, Outcome.BROKEN), (499, Outcome.HELD)])
def test_the_answer_of_a_server_that_failed_tells_no_fate(status: int, outcome: Outcome) -> None:
    def passage(stream: Stream) -> None:
        place(stream)
        stream.answer(stream.send(Side.BUY, BUY).request, code="40015")

    told_facts = micro_cap_run(flat=passage, trades=False)
    facts = [
        replace(f, http_status=status) if isinstance(f, RequestAnswered) and f.code == "40015" else f
        for f in told_facts
    ]
    assert verdict_of("E12", without(facts, lambda _: False)).outcome is outcome


def test_an_order_without_a_name_cannot_be_looked_up() -> None:
    def passage(stream: Stream) -> None:
        place(stream)
        stream.wait(1).lose(stream.send(Side.SELL, SELL, client_id="").request)

    assert "the fate of an order without a client id" in told(passage).reason


def test_an_unknown_cancel_and_an_unknown_reading_owe_nothing_more() -> None:
    def passage(stream: Stream) -> None:
        order = stream.place(Side.BUY, BUY)
        cancel = stream.request(Action.CANCEL, client_id=order.client_id)
        stream.wait("0.02").show(order, OrderState.CANCELED)
        stream.wait(5).lose(cancel.request)
        stream.lose(stream.request(Action.READ).request)
        place(stream)

    assert told(passage).outcome is Outcome.HELD


@pytest.mark.parametrize("reads", [True, False])
def test_a_restarted_bot_reads_the_open_orders_before_it_trades_on(reads: bool) -> None:
    def passage(stream: Stream) -> None:
        order = stream.send(Side.BUY, BUY)
        stream.wait(1).lose(order.request)
        stream.write(BotRestarted(src=Source.RUN, t_local_us=stream.now_us, start=2, client_id_prefix=f"{PREFIX}r2-"))
        sent = stream.wait(1).request(Action.READ, path=OPEN_ORDERS if reads else "/api/v2/mix/market/ticker")
        stream.wait("0.02").answer(sent.request)
        place(stream)

    assert told(passage).outcome is (Outcome.HELD if reads else Outcome.BROKEN)


def test_reading_the_open_orders_without_a_restart_is_no_look_up() -> None:
    def passage(stream: Stream) -> None:
        lost(stream)
        stream.wait("0.02").answer(stream.request(Action.READ, path=OPEN_ORDERS).request)
        place(stream)

    assert told(passage).outcome is Outcome.BROKEN


def test_a_request_of_an_unnamed_kind_leaves_it_not_shown() -> None:
    def passage(stream: Stream) -> None:
        place(stream)
        stream.answer(stream.request(Action.OTHER).request)

    assert "is not judged" in told(passage).reason


def test_a_retry_that_doubles_breaks_e1_at_most_beside_it() -> None:
    def passage(stream: Stream) -> None:
        order = lost(stream)
        place(stream)
        look_up(stream, order)

    assert broken(micro_cap_run(flat=passage, trades=False)) == {"E12"}


@pytest.mark.parametrize("kind", [RequestSent, RequestAnswered, RunEnded])
def test_without_a_kind_that_it_needs_it_is_not_held(kind: type[Fact]) -> None:
    facts = without(micro_cap_run(), lambda fact: isinstance(fact, kind))
    assert verdict_of("E12", facts).outcome is not Outcome.HELD


def test_no_fact_told_twice_changes_it() -> None:
    def unknown(stream: Stream) -> None:
        look_up(stream, lost(stream))
        place(stream)

    facts = micro_cap_run(flat=unknown, trades=False)
    assert lost_with_one_twice(Answers, facts) == []
    assert held_with_one_twice(Answers, micro_cap_run(flat=lambda s: (place(s), lost(s)), trades=False)) == []
