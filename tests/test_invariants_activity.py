"""E16: the window was not idle."""

from streams import BUY, Placed, Stream, micro_cap_run, verdict_of, without

from botproof.events import OrderState, Side
from botproof.invariants.verdict import Outcome


def known_as(order: Placed, client_id: str) -> Placed:
    """The same order under other ids."""
    order.client_id, order.order_id = client_id, "f1"
    return order


def test_an_order_that_the_venue_showed_is_held() -> None:
    assert verdict_of("E16", micro_cap_run()).exercise == 5


def test_an_idle_window_is_not_shown_and_never_broken() -> None:
    verdict = verdict_of("E16", micro_cap_run(trades=False))
    assert (verdict.outcome, verdict.reason) == (Outcome.NOT_SHOWN, "0 of 1 orders accepted: the window was idle")


def test_an_answer_alone_is_no_accepted_order() -> None:
    def answered(stream: Stream) -> None:
        order = stream.send(Side.BUY, BUY)
        stream.answer(order.request, order_id="o1", client_id=order.client_id)

    assert verdict_of("E16", micro_cap_run(flat=answered, trades=False)).outcome is Outcome.NOT_SHOWN


def test_orders_of_somebody_else_do_not_count() -> None:
    def foreign(stream: Stream) -> None:
        stream.show(known_as(stream.send(Side.BUY, BUY, client_id="hidden"), "somebody-1"), OrderState.LIVE)

    facts = without(micro_cap_run(trades=False, flat=foreign), lambda f: getattr(f, "client_id", "") == "hidden")
    assert verdict_of("E16", facts).exercise == 0


def test_an_accepted_order_is_proved_by_the_report_of_it() -> None:
    facts = micro_cap_run()
    proof = verdict_of("E16", facts).proof
    assert {facts[seq].kind for seq in proof} == {"OrderSeen"}
    assert len(proof) == 5


def test_an_order_under_the_runs_prefix_is_accepted_though_nobody_saw_it_sent() -> None:
    facts = without(micro_cap_run(), lambda fact: fact.kind in ("RequestSent", "RequestAnswered"))
    assert verdict_of("E16", facts).exercise == 5
