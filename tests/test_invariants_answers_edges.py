"""E12 at its edges: what an operator reads, and what comes first within one instant."""

from decimal import Decimal

import pytest
from streams import BUY, SELL, Moment, Stream, micro_cap_run, verdict_of, without
from test_invariants_answers import look_up, lost, place, retry

from botproof.events import (
    Action,
    BotRestarted,
    Fact,
    OrderState,
    RunEnded,
    Side,
    Source,
)
from botproof.invariants.answers import OPEN_ORDERS
from botproof.invariants.verdict import Outcome, Verdict


def told(passage: Moment) -> tuple[list[Fact], Verdict]:
    facts = micro_cap_run(flat=passage, trades=False)
    return facts, verdict_of("E12", facts)


def reason(passage: Moment) -> str:
    return told(passage)[1].reason


def test_an_answer_that_came_too_late_is_told_with_the_request_and_how_long_it_took() -> None:
    def late(stream: Stream) -> None:
        sent = stream.request(Action.READ, path="/p")
        stream.wait(31).answer(sent.request)

    assert reason(late) == "GET /p of 01:01:01.020 UTC was answered or declared unknown after 31 s"


def test_an_answer_that_never_came_is_proved_by_its_request() -> None:
    facts, verdict = told(lambda stream: stream.request(Action.READ, path="/p"))
    assert verdict.reason == "GET /p of 01:01:01.020 UTC was neither answered nor declared unknown in 126.98 s"
    assert [facts[seq].kind for seq in verdict.proof] == ["RequestSent"]


def test_a_tape_that_ends_before_an_answer_says_so() -> None:
    near = micro_cap_run(stopped=lambda stream: stream.request(Action.READ, path="/p"))
    assert verdict_of("E12", near).reason == "the run ended before GET /p of 01:03:01.000 UTC was answered"
    cut = without(near, lambda fact: isinstance(fact, RunEnded))
    assert verdict_of("E12", cut).reason == (
        "GET /p of 01:03:01.000 UTC was neither answered nor declared unknown, and the end of the run is not on the tape"
    )


def test_a_request_of_an_unnamed_kind_is_told() -> None:
    def other(stream: Stream) -> None:
        stream.answer(stream.request(Action.OTHER, path="/p").request)

    assert reason(other) == "what POST /p of 01:01:01.020 UTC did is not judged"


def test_an_outcome_without_its_request_is_told_with_its_place() -> None:
    facts, verdict = told(lambda stream: stream.lose(99))
    seq = next(fact.seq for fact in facts if fact.kind == "RequestUnknown")
    assert verdict.reason == f"the request whose outcome stands at seq {seq} is not on the tape"


def test_what_is_answered_at_once_was_not_waited_for() -> None:
    def at_once(stream: Stream) -> None:
        stream.answer(stream.send(Side.BUY, BUY).request, code="40762")

    facts = micro_cap_run(flat=at_once, trades=False, reads_back=False)
    assert verdict_of("E12", facts).peak == Decimal(0)


def test_a_breach_on_a_tape_without_its_end_stays_broken() -> None:
    def late(stream: Stream) -> None:
        sent = stream.request(Action.READ, path="/p")
        stream.wait(31).answer(sent.request)

    facts = micro_cap_run(flat=late, trades=False)
    assert verdict_of("E12", without(facts, lambda fact: isinstance(fact, RunEnded))).outcome is Outcome.BROKEN


def test_a_fate_that_stayed_unknown_is_told_with_both_times_and_proved_by_what_left_it_so() -> None:
    facts, verdict = told(lost)
    assert verdict.reason == (
        "the fate of bot1-r1-1 was unknown at 01:01:11.020 UTC, and still at the end of the run at 01:03:08.000 UTC"
    )
    assert [facts[seq].kind for seq in verdict.proof] == ["RequestUnknown"]


def test_another_order_beside_one_without_a_client_id_is_told() -> None:
    def beside(stream: Stream) -> None:
        stream.wait(1).lose(stream.send(Side.BUY, BUY, client_id="").request)
        place(stream)

    facts, verdict = told(beside)
    assert verdict.reason.startswith(
        "the order bot1-r1-2 was sent at 01:01:02.020 UTC, while the fate of one without a client id was unknown"
    )
    assert facts[verdict.proof[0]].kind == "RequestSent"


def test_a_retry_that_takes_its_time_is_no_other_order() -> None:
    def retried(stream: Stream) -> None:
        order = lost(stream)
        sent = retry(stream, order)
        stream.wait("0.5").answer(sent.request)

    assert told(retried)[1].outcome is Outcome.HELD


# within one instant


def test_what_becomes_unknown_comes_before_what_is_sent_at_that_instant() -> None:
    def crossing(stream: Stream) -> None:
        first = stream.send(Side.BUY, BUY)
        stream.wait(1)
        second = stream.send(Side.BUY, BUY)
        stream.lose(first.request)
        stream.wait("0.02").answer(second.request, code="40762")
        look_up(stream, first)

    assert "while the fate of bot1-r1-1 was unknown" in reason(crossing)


def test_what_becomes_known_comes_before_what_is_sent_at_that_instant() -> None:
    def crossing(stream: Stream) -> None:
        order = lost(stream)
        sent = stream.request(Action.READ, client_id=order.client_id)
        stream.wait(1)
        other = stream.send(Side.BUY, BUY)
        stream.answer(sent.request)
        stream.wait("0.02").answer(other.request, code="40762")

    assert told(crossing)[1].outcome is Outcome.HELD


def test_what_the_venue_shows_comes_before_what_is_sent_at_that_instant() -> None:
    def crossing(stream: Stream) -> None:
        order = lost(stream)
        stream.wait(1)
        other = stream.send(Side.BUY, BUY)
        stream.show(order, OrderState.CANCELED)
        stream.wait("0.02").answer(other.request, code="40762")

    assert told(crossing)[1].outcome is Outcome.HELD


# which order is meant


def asked_by_order_id(code: str, *, known: bool) -> Verdict:
    """A look-up by order id, of an order that the venue had shown by both its names, or never."""

    def passage(stream: Stream) -> None:
        place(stream)
        order = stream.send(Side.SELL, SELL)
        if known:
            stream.show(order, OrderState.LIVE, late="0")
        stream.wait(9).lose(order.request)
        again = retry(stream, order)
        stream.wait(1).lose(again.request)
        sent = stream.wait(1).request(Action.READ, order_id=order.order_id)
        stream.wait("0.02").answer(sent.request, code=code)

    return told(passage)[1]


@pytest.mark.parametrize("code", ["00000", "40109"])
def test_a_look_up_by_order_id_says_something_of_an_order_that_is_known_by_it(code: str) -> None:
    assert asked_by_order_id(code, known=True).outcome is Outcome.HELD
    assert asked_by_order_id(code, known=False).outcome is Outcome.BROKEN


def test_an_order_without_a_name_is_not_settled_by_one_that_has_none_either() -> None:
    def passage(stream: Stream) -> None:
        place(stream)
        stream.wait(1).lose(stream.send(Side.SELL, SELL, client_id="").request)
        sent = stream.wait(1).request(Action.CANCEL, order_id="o9")
        stream.wait("0.02").answer(sent.request)

    assert "the fate of an order without a client id" in reason(passage)


def test_what_settles_one_order_leaves_the_others_unknown() -> None:
    def passage(stream: Stream) -> None:
        first, second = stream.send(Side.BUY, BUY), stream.send(Side.SELL, SELL)
        for order in (first, second):
            stream.wait(1).lose(order.request)
        look_up(stream, first, "00000")

    assert "the fate of bot1-r1-2" in reason(passage)


# the restart


def restarted(sent_us: int, asked_us: int) -> Outcome:
    """An order sent, and open orders asked for, that many microseconds from the restart on."""

    def passage(stream: Stream) -> None:
        stream.wait(1)
        at_us = stream.now_us
        stream.now_us = at_us + sent_us
        order = stream.send(Side.BUY, BUY)
        stream.now_us = at_us
        stream.write(BotRestarted(src=Source.RUN, t_local_us=at_us, start=2, client_id_prefix="bot1-r2-"))
        stream.now_us = at_us + asked_us
        asked = stream.request(Action.READ, path=OPEN_ORDERS)
        stream.now_us = at_us + 20_000
        stream.lose(order.request)
        stream.wait("0.02").answer(asked.request)
        place(stream)

    return told(passage)[1].outcome


def test_open_orders_asked_for_since_the_restart_tell_the_fate_of_what_was_sent_before_it() -> None:
    assert restarted(-1, 0) is Outcome.HELD
    assert restarted(-1, 1) is Outcome.HELD
    assert restarted(-1, -1) is Outcome.BROKEN
    assert restarted(0, 1) is Outcome.BROKEN
