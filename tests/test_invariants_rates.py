"""E9: cancels stay within the budget and requests within the venue's limits."""

from dataclasses import replace
from decimal import Decimal

import pytest
from streams import BUY, MICRO_CAP, PREFIX, SELL, Placed, Stream, micro_cap_run, retape, verdict_of, without
from streams_money import folded, held_with_one_twice, held_without_one, lost_with_one_twice

from botproof.events import Action, Fact, OrderSeen, OrderState, RequestSent, RequestUnknown, Side, Source
from botproof.invariants.rates import PER_SECOND_MAX, Rates
from botproof.invariants.verdict import Outcome, Verdict
from botproof.profile import Profile

DETAIL = "/api/v2/mix/order/detail"


def budget(cancels: int) -> Profile:
    return replace(MICRO_CAP, cancel_budget_per_min=cancels)


def burst(count: int, apart: str = "0", *, code: str = "00000", **request: object) -> list[Fact]:
    """A run with that many requests, `apart` seconds from one to the next."""

    def send(stream: Stream) -> None:
        for _ in range(count):
            sent = stream.request(**({"action": Action.READ, "path": DETAIL} | request))  # type: ignore[arg-type]
            stream.answer(sent.request, code=code)
            stream.wait(apart)
        stream.wait(60)

    return micro_cap_run(flat=send)


def judged(facts: list[Fact], profile: Profile = MICRO_CAP) -> Verdict:
    return verdict_of("E9", facts, profile)


def test_a_correct_run_is_held_with_its_peak_against_the_budget() -> None:
    verdict = judged(micro_cap_run())
    assert (verdict.outcome, verdict.exercise) == (Outcome.HELD, 3)
    assert (verdict.peak, verdict.limit, verdict.unit) == (Decimal(3), Decimal(20), "cancels in 60 s")


def test_cancels_exactly_at_the_budget_are_held_and_one_more_is_broken() -> None:
    assert judged(micro_cap_run(), budget(3)).outcome is Outcome.HELD
    verdict = judged(micro_cap_run(), budget(2))
    assert verdict.outcome is Outcome.BROKEN
    assert verdict.reason == "3 cancels in the 60 s up to 01:01:16.491 UTC, the budget is 2"


@pytest.mark.parametrize(("apart", "outcome"), [("60", Outcome.BROKEN), ("60.000001", Outcome.HELD)])
def test_the_sixty_seconds_include_both_ends(apart: str, outcome: Outcome) -> None:
    def cancels(stream: Stream) -> None:
        for _ in range(2):
            order = stream.place(Side.BUY, BUY)
            at_us = stream.now_us
            stream.cancel(order)
            stream.now_us = at_us + int(Decimal(apart) * 1_000_000) - 40_000  # placing takes 40 ms

    assert judged(micro_cap_run(flat=cancels, trades=False), budget(1)).outcome is outcome


def test_twenty_one_cancels_a_minute_are_broken_whatever_the_venue_made_of_them() -> None:
    assert judged(burst(20, "1", action=Action.CANCEL, path="", code="43001")).outcome is Outcome.HELD
    assert judged(burst(21, "1", action=Action.CANCEL, path="", code="43001")).outcome is Outcome.BROKEN


def test_a_cancel_of_an_unnamed_kind_is_one_at_least_and_never_held() -> None:
    path = "/api/v2/mix/order/batch-cancel-orders"
    assert judged(burst(21, "1", action=Action.OTHER, path=path)).outcome is Outcome.BROKEN
    verdict = judged(burst(1, action=Action.OTHER, path=path))
    assert (verdict.outcome, verdict.exercise, path in verdict.reason) == (Outcome.NOT_SHOWN, 4, True)


# the venue's limits


@pytest.mark.parametrize(
    ("request_", "limit"),
    [
        ({"path": DETAIL}, 10),
        ({"path": "/api/v2/mix/position/all-position"}, 5),
        ({"path": "/api/v2/mix/market/merge-depth"}, 20),
        ({"path": "/api/v2/common/trade-rate"}, 10),
        ({"action": Action.PLACE, "path": "", "symbol": "ETHUSDT"}, 10),
        ({"action": Action.CANCEL, "path": ""}, 10),
        ({"action": Action.SET_LEVERAGE, "path": ""}, 5),
    ],
)
def test_an_endpoint_may_be_asked_as_often_as_the_venue_allows_and_no_more(
    request_: dict[str, object], limit: int
) -> None:
    assert judged(burst(limit, **request_)).outcome is Outcome.HELD  # type: ignore[arg-type]
    verdict = judged(burst(limit + 1, **request_))  # type: ignore[arg-type]
    assert verdict.outcome is Outcome.BROKEN
    assert f"{limit + 1} requests" in verdict.reason
    assert f"{limit} may be" in verdict.reason


def test_requests_a_tenth_of_a_second_apart_are_ten_a_second() -> None:
    assert judged(burst(40, "0.1")).outcome is Outcome.HELD
    assert judged(burst(40, "0.099999")).outcome is Outcome.BROKEN


def test_each_endpoint_counts_alone() -> None:
    def send(stream: Stream) -> None:
        for path in (DETAIL, "/api/v2/mix/order/orders-pending"):
            for _ in range(10):
                stream.answer(stream.request(Action.READ, path=path).request)

    assert judged(micro_cap_run(flat=send)).outcome is Outcome.HELD


def test_an_endpoint_whose_limit_is_not_known_is_held_to_the_tightest_class_and_never_blamed() -> None:
    path = "/api/v2/mix/account/something-new"
    assert judged(burst(3, "1", path=path)).outcome is Outcome.HELD
    verdict = judged(burst(2, "0.5", path=path))
    assert (verdict.outcome, "its limit is not known" in verdict.reason) == (Outcome.NOT_SHOWN, True)


def test_all_requests_together_stay_within_the_venue_s_minute() -> None:
    paths = [path for path, limit in PER_SECOND_MAX.items() if limit == 10 and "/order/" in path][:12]

    def sent(count: int, cancel_us: int) -> list[Fact]:
        """100 a second, spread over the endpoints, and one cancel."""
        facts: list[Fact] = [
            RequestSent(
                src=Source.TAP,
                seq=number,
                t_local_us=number * 10_000,
                request=number,
                method="GET",
                path=paths[number % len(paths)],
                action=Action.READ,
            )
            for number in range(count)
        ]
        cancel = replace(facts[0], t_local_us=cancel_us, request=count, action=Action.CANCEL)  # type: ignore[call-arg]
        return [*facts, cancel]

    assert folded(Rates, sent(6000, 10**9)).outcome is Outcome.HELD
    verdict = folded(Rates, sent(6000, 59_999_999))
    assert (verdict.outcome, "6001 requests" in verdict.reason) == (Outcome.BROKEN, True)


# what is missing


def test_an_idle_run_does_not_show_it() -> None:
    verdict = judged(micro_cap_run(trades=False))
    assert (verdict.outcome, verdict.reason) == (Outcome.NOT_SHOWN, "0 of 1 cancels sent")


def test_a_429_that_the_tape_does_not_explain_is_never_held() -> None:
    verdict = judged(burst(1, code="429"))
    assert (verdict.outcome, "429" in verdict.reason) == (Outcome.NOT_SHOWN, True)


def test_an_answer_or_a_silence_to_a_request_that_is_not_on_the_tape_is_never_held() -> None:
    answered = micro_cap_run(flat=lambda stream: stream.answer(99))
    assert "is not on the tape" in judged(answered).reason
    silent = micro_cap_run(flat=lambda stream: stream.lose(99))
    assert judged(silent).outcome is Outcome.NOT_SHOWN
    assert [fact for fact in silent if isinstance(fact, RequestUnknown)]


def test_an_order_that_went_around_the_tap_is_never_held() -> None:
    def around(stream: Stream) -> None:
        order = stream.send(Side.BUY, BUY)
        stream.wait("0.02").show(order, OrderState.CANCELED)

    facts = micro_cap_run(flat=around)
    gone = next(fact for fact in facts if isinstance(fact, RequestSent) and fact.action is Action.PLACE)
    verdict = judged(without(facts, lambda fact: fact == gone))
    assert (verdict.outcome, "nobody saw it being sent" in verdict.reason) == (Outcome.NOT_SHOWN, True)


def test_the_order_of_the_tape_changes_nothing() -> None:
    facts = burst(21, "1", action=Action.CANCEL, path="", code="43001")
    assert folded(Rates, reversed(facts)).outcome is Outcome.BROKEN
    assert folded(Rates, reversed(facts)).peak == folded(Rates, facts).peak


def test_no_single_fact_taken_away_or_told_twice_improves_it() -> None:
    for facts in (burst(21, "1", action=Action.CANCEL, path="", code="43001"), burst(11)):
        assert folded(Rates, facts).outcome is Outcome.BROKEN
        assert held_without_one(Rates, facts) == []
        assert held_with_one_twice(Rates, facts) == []
    assert lost_with_one_twice(Rates, micro_cap_run(), budget(3)) == []


# cancels that no request asked for


def ended(force: str, after: str, price: str | None = BUY) -> list[Fact]:
    """A correct run, and before it an order that the venue shows canceled `after` its beginning, asked by nobody."""

    def end(stream: Stream) -> None:
        order = stream.send(Side.BUY, price, force=force)
        stream.show(order, OrderState.LIVE)
        stream.answer(order.request, order_id=order.order_id, client_id=order.client_id)
        stream.wait(after).show(order, OrderState.CANCELED)

    facts = micro_cap_run(flat=end)
    return retape(replace(f, force=force) if isinstance(f, OrderSeen) and f.order_id == "o1" else f for f in facts)


@pytest.mark.parametrize(
    ("force", "after", "outcome"),
    [
        ("post_only", "0.100001", Outcome.NOT_SHOWN),
        ("post_only", "0.1", Outcome.HELD),
        ("gtc", "0", Outcome.NOT_SHOWN),
        ("gtc", "5", Outcome.NOT_SHOWN),
        ("ioc", "5", Outcome.HELD),
        ("fok", "5", Outcome.HELD),
    ],
)
def test_a_resting_order_that_ended_unasked_was_canceled_around_the_tap(
    force: str, after: str, outcome: Outcome
) -> None:
    verdict = judged(ended(force, after))
    assert verdict.outcome is outcome
    assert outcome is Outcome.HELD or "the order bot1-r1-1 was canceled at 01:01:" in verdict.reason


def test_what_remains_of_a_market_order_ends_unasked() -> None:
    assert judged(ended("", "5", price=None)).outcome is Outcome.HELD


def test_a_post_only_order_that_never_rested_ends_unasked() -> None:
    def crossed(stream: Stream) -> None:
        order = stream.send(Side.BUY, BUY)
        stream.wait("0.5").show(order, OrderState.CANCELED)

    assert judged(micro_cap_run(flat=crossed)).outcome is Outcome.HELD


@pytest.mark.parametrize("named", [{"order_id": "o1"}, {"client_id": f"{PREFIX}1"}])
def test_one_request_by_either_name_is_enough_even_if_its_answer_was_lost(named: dict[str, str]) -> None:
    def lost(stream: Stream) -> None:
        order = stream.place(Side.BUY, BUY)
        sent = stream.wait(5).request(Action.CANCEL, **named)
        stream.wait("0.02").show(order, OrderState.CANCELED)
        stream.wait(10).lose(sent.request)

    assert judged(micro_cap_run(flat=lost)).outcome is Outcome.HELD


@pytest.mark.parametrize(("closed", "outcome"), [(True, Outcome.HELD), (False, Outcome.NOT_SHOWN)])
def test_an_exit_ends_unasked_where_the_position_holds_less_than_is_to_be_closed(
    closed: bool, outcome: Outcome
) -> None:
    def cut(stream: Stream) -> None:
        stream.fill(stream.place(Side.BUY, BUY))
        resting = stream.wait(1).place(Side.SELL, SELL, exits=True)
        last = stream.wait(1).place(Side.SELL, None, exits=True)
        if closed:
            stream.fill(last, at=BUY)
        else:
            stream.cancel(last)
        stream.wait(1).show(resting, OrderState.CANCELED)
        if not closed:
            stream.fill(stream.wait(1).place(Side.SELL, None, exits=True), at=BUY)

    facts = micro_cap_run(flat=lambda stream: (stream.cancel(stream.place(Side.BUY, BUY)), cut(stream)), trades=False)
    assert judged(facts).outcome is outcome


def test_an_order_of_somebody_else_is_ended_by_whom_it_may() -> None:
    def foreign(stream: Stream) -> None:
        order = Placed("manual-1", "o900", Side.BUY, Decimal(BUY), Decimal("0.0001"), False)
        stream.show(order, OrderState.LIVE)
        stream.wait(5).show(order, OrderState.CANCELED)

    assert "manual-1 was canceled" not in judged(micro_cap_run(flat=foreign)).reason
