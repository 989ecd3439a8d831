"""E1: exposure never exceeds the envelope, counting what is unanswered or still being cancelled."""

from dataclasses import replace
from decimal import Decimal

import pytest
from streams import BUY, MICRO_CAP, SELL, Stream, broken, micro_cap_run, retape, verdict_of, without

from botproof.events import (
    Action,
    Fact,
    OrderSeen,
    OrderState,
    OrderType,
    RequestAnswered,
    RequestSent,
    Side,
    Source,
    TopOfBook,
)
from botproof.invariants.exposure import exposure
from botproof.invariants.ledger import Books, Life, Move, Step
from botproof.invariants.verdict import Outcome
from botproof.profile import Profile


def envelope(amount: str) -> Profile:
    return replace(MICRO_CAP, total_amount_quote=Decimal(amount))


def entry(side: Side, price: str | None, size: str, seq: int = 1) -> Life:
    sent = RequestSent(
        src=Source.TAP,
        t_local_us=0,
        seq=seq,
        request=seq,
        method="POST",
        path="",
        action=Action.PLACE,
        side=side,
        order_type=OrderType.LIMIT if price else OrderType.MARKET,
        price=None if price is None else Decimal(price),
        size=Decimal(size),
    )
    return Life(f"order {seq}", sent=[sent])


def books(position: str, *entries: Life) -> Books:
    state = Books(Decimal(position))
    for life in entries:
        state.apply(Step(0, life.sent[0].seq, Move.BEGIN, life, life.size))
    return state


@pytest.mark.parametrize(
    ("position", "orders", "expected"),
    [
        ("0", [("buy", "100", "1"), ("sell", "102", "1")], "202"),  # flat: both sides add
        ("1", [("buy", "100", "1"), ("sell", "102", "1")], "201"),  # the sell only closes the long
        ("1", [("sell", "102", "3")], "305"),  # 101 held, two of three sold beyond
        ("-1", [("buy", "100", "3"), ("sell", "102", "1")], "403"),  # mirrored: 101 + 200 + 102
        ("1", [("sell", "102", "1"), ("sell", "110", "1")], "211"),  # the best-priced closes, the other counts
        ("1", [("sell", None, "1"), ("sell", "110", "1")], "211"),  # a market order fills before any other
        ("0", [("buy", None, "2")], "202"),  # a market entry is valued at mark
    ],
)
def test_exposure_adds_what_is_held_and_what_may_still_open(
    position: str, orders: list[tuple[str, str | None, str]], expected: str
) -> None:
    lives = [entry(Side(side), price, size, seq) for seq, (side, price, size) in enumerate(orders, 1)]
    assert exposure(books(position, *lives), Decimal(101)) == Decimal(expected)


def test_a_position_without_a_mark_cannot_be_valued() -> None:
    assert exposure(books("1"), None) is None
    assert exposure(books("0", entry(Side.BUY, None, "1")), None) is None
    assert exposure(books("0"), None) == 0


def test_a_correct_run_is_held_with_its_peak() -> None:
    verdict = verdict_of("E1", micro_cap_run())
    assert (verdict.outcome, verdict.peak, verdict.limit) == (Outcome.HELD, Decimal("13.5"), Decimal(20))


def test_exposure_exactly_at_the_envelope_is_held() -> None:
    assert verdict_of("E1", micro_cap_run(), envelope("13.5")).outcome is Outcome.HELD


def test_exposure_above_the_envelope_by_the_last_digit_is_broken() -> None:
    verdict = verdict_of("E1", micro_cap_run(), envelope("13.49999"))
    assert verdict.outcome is Outcome.BROKEN
    assert verdict.reason.startswith(
        "exposure 13.50 USDT above 13.49999 at 01:01:01.060 UTC, entry sell bot1-r1-2 67736.3 x 0.0001"
    )


def test_a_third_quote_beyond_the_envelope_breaks_nothing_else() -> None:
    facts = micro_cap_run(quoted=lambda stream: stream.cancel(stream.place(Side.BUY, BUY)))
    verdict = verdict_of("E1", facts)
    assert verdict.peak == Decimal("20.22637")
    assert broken(facts) == {"E1"}
    assert isinstance(facts[verdict.proof[0]], RequestSent)


def test_a_sent_and_unanswered_entry_counts() -> None:
    def lose_one(stream: Stream) -> None:
        stream.lose(stream.send(Side.BUY, BUY).request)

    assert "E1" in broken(micro_cap_run(quoted=lose_one))


def test_a_refused_entry_counts_until_its_refusal_only() -> None:
    def refused(stream: Stream) -> None:
        first = stream.send(Side.BUY, BUY)
        stream.wait("0.02").answer(first.request, code="40762")
        second = stream.send(Side.BUY, BUY)
        stream.wait("0.02").answer(second.request, code="40762")

    facts = micro_cap_run(flat=refused)
    assert verdict_of("E1", facts).peak == Decimal("13.5")
    assert verdict_of("E1", facts).outcome is Outcome.HELD


def test_an_unanswered_entry_counts_until_a_look_up_does_not_find_it() -> None:
    def lost(stream: Stream) -> None:
        order = stream.send(Side.BUY, BUY)
        stream.wait(1).lose(order.request)
        sent = stream.request(Action.READ, client_id=order.client_id)
        stream.wait("0.02").answer(sent.request, code="40109")

    assert verdict_of("E1", micro_cap_run(flat=lost)).outcome is Outcome.HELD
    assert "E1" in broken(micro_cap_run(flat=lambda stream: stream.lose(stream.send(Side.BUY, BUY).request)))


def test_a_refused_retry_under_the_same_client_id_leaves_the_first_request_standing() -> None:
    def retry(stream: Stream) -> None:
        order = stream.send(Side.BUY, BUY)
        stream.wait(1).lose(order.request)
        again = stream.send(Side.BUY, BUY, client_id=order.client_id)
        stream.wait("0.02").answer(again.request, code="40786")

    verdict = verdict_of("E1", micro_cap_run(flat=retry))
    assert verdict.outcome is Outcome.BROKEN  # with both quotes above it
    assert verdict.peak == Decimal("20.22637")  # and once, not twice


def test_the_answer_to_a_cancel_ends_nothing() -> None:
    def requote_at_the_answer(stream: Stream) -> None:
        old = [stream.place(Side.BUY, BUY), stream.place(Side.SELL, SELL)]
        for order in old:
            stream.answer(stream.request(Action.CANCEL, client_id=order.client_id).request)
        new = stream.place(Side.BUY, BUY)
        for order in (*old, new):
            stream.show(order, OrderState.CANCELED)

    assert "E1" in broken(micro_cap_run(flat=requote_at_the_answer))


def test_a_cancel_that_the_observer_learns_of_late_counts_from_when_it_happened() -> None:
    def late(stream: Stream) -> None:
        old = [stream.place(Side.BUY, BUY), stream.place(Side.SELL, SELL)]
        ended_us = stream.now_us
        stream.wait("0.1")
        new = [stream.place(Side.BUY, BUY), stream.place(Side.SELL, SELL)]
        now_us, stream.now_us = stream.now_us, ended_us
        for order in old:
            stream.show(order, OrderState.CANCELED, late="0.9")
        stream.now_us = now_us
        for order in new:
            stream.cancel(order)

    assert verdict_of("E1", micro_cap_run(flat=late)).outcome is Outcome.HELD


def test_an_order_that_partly_filled_counts_once_as_held_and_resting() -> None:
    def in_parts(stream: Stream) -> None:
        order = stream.place(Side.BUY, BUY, "0.0002")
        stream.fill(order)
        stream.cancel(order)
        stream.fill(stream.place(Side.SELL, "67532.8", exits=True))

    assert verdict_of("E1", micro_cap_run(flat=in_parts)).peak == Decimal("13.5")


def test_a_moving_mark_alone_can_break_it() -> None:
    facts = micro_cap_run(held=lambda stream: stream.ticker("200000.1"))
    verdict = verdict_of("E1", facts)
    assert (verdict.outcome, verdict.peak) == (Outcome.BROKEN, Decimal("20.00001"))
    assert "the mark moved" in verdict.reason
    assert verdict_of("E1", micro_cap_run(held=lambda stream: stream.ticker("200000"))).outcome is Outcome.HELD


def test_the_position_that_the_venue_shows_is_held_against_the_envelope_itself() -> None:
    facts = micro_cap_run(held=lambda stream: stream.show_position("poll", size="0.0003", mark="67500"))
    assert verdict_of("E1", facts).peak == Decimal("20.25")
    assert "E1" in broken(facts)


def test_what_was_there_before_the_first_entry_is_no_breach_of_the_bot() -> None:
    def foreign(stream: Stream) -> None:
        order = stream.send(Side.BUY, "60000", "0.001", client_id="somebody")
        order.client_id = "somebody"
        stream.show(order, OrderState.LIVE)

    facts = without(micro_cap_run(flat=foreign, trades=False), lambda fact: isinstance(fact, RequestSent))
    assert verdict_of("E1", facts).outcome is Outcome.NOT_SHOWN


def test_an_idle_run_does_not_show_it() -> None:
    verdict = verdict_of("E1", micro_cap_run(trades=False))
    assert (verdict.outcome, verdict.reason) == (Outcome.NOT_SHOWN, "0 of 1 entries sent")


def test_without_any_mark_it_is_not_shown() -> None:
    def unmarked(fact: Fact) -> Fact:
        return replace(fact, mark=None) if isinstance(fact, TopOfBook) else fact

    facts = [replace(f, mark_price=None) if hasattr(f, "mark_price") else unmarked(f) for f in micro_cap_run()]
    assert verdict_of("E1", without(facts, lambda _: False)).reason == "no mark price is on the tape"


def test_fills_that_do_not_add_up_to_the_position_do_not_show_it() -> None:
    facts = micro_cap_run(closed=lambda stream: stream.wait(1).show_position("closing", size="0.0001"))
    assert "the fills add up to a position of 0" in verdict_of("E1", facts).reason
    assert verdict_of("E1", facts).outcome is Outcome.NOT_SHOWN


def test_a_request_of_an_unread_kind_blinds_it() -> None:
    facts = micro_cap_run(quoted=lambda stream: stream.request(Action.OTHER, path="/batch-place-order"))
    for promise in ("E1", "E2", "E4", "E5", "E10"):
        assert "/batch-place-order" in verdict_of(promise, facts).reason, promise


def test_an_order_without_a_client_id_is_one_order_under_its_order_id() -> None:
    def nameless(stream: Stream) -> None:
        order = stream.send(Side.BUY, BUY, client_id="")
        order.client_id = "given-by-the-venue"
        stream.wait("0.02").show(order, OrderState.LIVE)
        stream.answer(order.request, order_id=order.order_id, client_id=order.client_id)
        stream.cancel(order)

    facts = micro_cap_run(flat=nameless)
    assert verdict_of("E1", facts).peak == Decimal("13.5")
    assert verdict_of("E1", facts).outcome is Outcome.HELD


def test_a_client_id_used_for_two_orders_counts_both() -> None:
    def twice(stream: Stream) -> None:
        first = stream.place(Side.BUY, BUY)
        for number in range(2):
            again = stream.send(Side.BUY, BUY, client_id=first.client_id)
            again.client_id = first.client_id
            stream.show(again, OrderState.LIVE)
            assert again.order_id != first.order_id, number

    facts = micro_cap_run(flat=twice, trades=False)
    assert len([fact for fact in facts if isinstance(fact, OrderSeen)]) == 3
    assert verdict_of("E1", facts).peak == Decimal("20.17911")


def test_the_size_that_the_venue_shows_is_the_one_that_counts() -> None:
    facts = micro_cap_run()
    told = [replace(f, size=Decimal("0.005")) if isinstance(f, OrderSeen) and f.order_id == "o1" else f for f in facts]
    verdict = verdict_of("E1", without(told, lambda _: False))
    assert (verdict.outcome, "x 0.005" in verdict.reason) == (Outcome.BROKEN, True)


def test_exits_that_the_venue_shows_without_reduce_only_are_exposure() -> None:
    facts = micro_cap_run(flat=lambda s: s.cancel(s.place(Side.SELL, SELL, "0.0005", exits=True)), trades=False)
    assert verdict_of("E1", facts).outcome is not Outcome.BROKEN
    told = [replace(f, reduce_only=False) if isinstance(f, OrderSeen) else f for f in facts]
    assert verdict_of("E1", without(told, lambda _: False)).outcome is Outcome.BROKEN


def test_a_client_id_used_again_after_a_refused_exit_is_an_entry() -> None:
    def used_again(stream: Stream) -> None:
        for _ in range(3):
            exit_ = stream.send(Side.SELL, SELL, exits=True)
            stream.wait("0.02").answer(exit_.request, code="22002")
            order = stream.send(Side.BUY, BUY, client_id=exit_.client_id)
            order.client_id = exit_.client_id
            stream.wait("0.02").answer(order.request, order_id=order.order_id, client_id=order.client_id)

    verdict = verdict_of("E1", micro_cap_run(flat=used_again, trades=False))
    assert (verdict.outcome, verdict.peak, verdict.exercise) == (Outcome.BROKEN, Decimal("20.17911"), 3)


def test_a_client_id_used_again_before_the_refusal_takes_what_was_accepted() -> None:
    def used_again(stream: Stream) -> None:
        exit_ = stream.send(Side.SELL, SELL, exits=True)
        order = stream.send(Side.BUY, BUY, "0.0003", client_id=exit_.client_id)
        stream.answer(exit_.request, code="22002")
        stream.answer(order.request, order_id=order.order_id, client_id=exit_.client_id)

    verdict = verdict_of("E1", micro_cap_run(flat=used_again, trades=False))
    assert (verdict.outcome, verdict.peak) == (Outcome.BROKEN, Decimal("20.17911"))


@pytest.mark.parametrize("code", ["40762", "40109"])
def test_an_order_that_never_landed_is_not_open_until_it_is_sent_again(code: str) -> None:
    """Both quotes rest between the two sendings: all three would be 20.23 USDT."""

    def again(stream: Stream) -> None:
        order = stream.send(Side.BUY, BUY)
        asked = order.request
        if code == "40109":
            stream.wait(10).lose(order.request)
            asked = stream.request(Action.READ, client_id=order.client_id).request
        stream.wait("0.05").answer(asked, code=code)
        for quote in [stream.place(Side.BUY, BUY), stream.place(Side.SELL, SELL)]:
            stream.cancel(quote)
        sent = stream.wait(1).send(Side.BUY, BUY, client_id=order.client_id)
        stream.wait("0.05").answer(sent.request, code="40762")

    verdict = verdict_of("E1", micro_cap_run(flat=again, trades=False))
    assert (verdict.outcome, verdict.peak, verdict.exercise) == (Outcome.HELD, Decimal("13.5"), 4)


def test_a_server_that_failed_leaves_the_order_open() -> None:
    def failed(stream: Stream) -> None:
        order = stream.send(Side.BUY, BUY)
        stream.wait("0.05").answer(order.request, code="50000")
        for quote in [stream.place(Side.BUY, BUY), stream.place(Side.SELL, SELL)]:
            stream.cancel(quote)

    facts = micro_cap_run(flat=failed, trades=False)
    bad = [replace(f, http_status=502) if isinstance(f, RequestAnswered) and f.code == "50000" else f for f in facts]
    assert verdict_of("E1", facts).outcome is Outcome.HELD
    assert verdict_of("E1", retape(bad)).outcome is Outcome.BROKEN
