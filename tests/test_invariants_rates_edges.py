"""E9 at its edges: what is a cancel, what is one endpoint, and what an operator reads."""

from dataclasses import replace
from decimal import Decimal

import pytest
from streams import BUY, PREFIX, SELL, Placed, Stream, micro_cap_run, retape, verdict_of, without
from streams_money import folded
from test_invariants_rates import DETAIL, budget, burst, ended, judged

from botproof.events import Action, Fact, OpenOrdersRead, OrderState, RequestAnswered, RequestSent, Side
from botproof.invariants.rates import Rates
from botproof.invariants.verdict import Outcome


def test_too_many_requests_to_one_endpoint_are_told_with_it_and_the_second() -> None:
    assert judged(burst(11)).reason == (f"11 requests GET {DETAIL} in the second up to 01:01:01.020 UTC, 10 may be")
    assert judged(burst(11, action=Action.PLACE, path="", symbol="ETHUSDT")).reason == (
        "11 requests to place in the second up to 01:01:01.020 UTC, 10 may be"
    )


def test_too_many_requests_in_a_minute_are_told_with_it() -> None:
    one = next(fact for fact in micro_cap_run() if isinstance(fact, RequestSent) and fact.action is Action.READ)
    many: list[Fact] = [
        replace(one, seq=n, request=n, t_local_us=n * 9_000, path=f"/api/v2/mix/p{n % 200}") for n in range(6001)
    ]
    verdict = folded(Rates, many)
    assert verdict.reason == "6001 requests in the 60 s up to 00:00:54.000 UTC, 6000 may be"
    assert verdict.proof == (6000,)


def test_a_429_is_known_by_its_code_or_its_status_and_told_with_its_time() -> None:
    text = "the venue answered with 429, too many requests, at 01:01:01.020 UTC, and the tape shows none too many"
    assert judged(burst(1, code="429")).reason == text
    facts = burst(1, code="40010")
    told = [replace(f, http_status=429) if isinstance(f, RequestAnswered) and f.code == "40010" else f for f in facts]
    assert judged(without(told, lambda _: False)).reason == text


@pytest.mark.parametrize(
    ("method", "path", "count"),
    [
        ("POST", "/api/v2/mix/order/batch-cancel-orders", 4),
        ("POST", "/api/v2/mix/order/modify-order", 3),
        ("POST", "/api/v2/cancelled/order/modify-order", 3),
        ("GET", "/api/v2/mix/order/cancel-history", 3),
    ],
)
def test_a_request_of_an_unnamed_kind_cancels_where_its_last_word_says_so(method: str, path: str, count: int) -> None:
    assert judged(burst(1, action=Action.OTHER, path=path, method=method)).exercise == count


def test_requests_are_counted_in_the_order_of_their_sending_whatever_their_place_on_the_tape() -> None:
    facts = [fact for fact in burst(3, "1", action=Action.CANCEL, path="") if isinstance(fact, RequestSent)]
    swapped = [replace(fact, seq=len(facts) - place) for place, fact in enumerate(facts)]
    assert folded(Rates, swapped, budget(20)).peak == folded(Rates, facts, budget(20)).peak


def test_a_request_of_an_unnamed_kind_is_told_where_nothing_is_held() -> None:
    verdict = verdict_of("E9", burst(1, action=Action.OTHER, path="/p"))
    assert (verdict.outcome, "what POST /p did (seq " in verdict.reason) == (Outcome.NOT_SHOWN, True)


@pytest.mark.parametrize(("named", "told"), [(f"{PREFIX}0", True), ("manual-1", False)])
def test_an_order_from_before_the_run_is_the_bots_by_its_prefix_alone(named: str, told: bool) -> None:
    def flat(stream: Stream) -> None:
        order = Placed(named, "o900", Side.BUY, Decimal(BUY), Decimal("0.0001"), False)
        stream.show(order, OrderState.LIVE)
        stream.wait(5).show(order, OrderState.CANCELED)

    facts = [
        replace(fact, plain=("o900",)) if isinstance(fact, OpenOrdersRead) and fact.purpose == "preflight" else fact
        for fact in micro_cap_run(flat=flat)
    ]
    verdict = judged(retape(facts))
    text = f"the order {named} was canceled at 01:01:06.020 UTC, and nobody saw who asked for it"
    assert (verdict.outcome, verdict.reason) == ((Outcome.NOT_SHOWN, text) if told else (Outcome.HELD, ""))


def test_a_post_only_order_is_over_at_once_or_was_canceled_around_the_tap_whatever_else_rests() -> None:
    def sold(stream: Stream, first: str) -> None:
        stream.fill(stream.place(Side.BUY, BUY, "0.0002"), "0.0002")
        one = stream.wait(1).place(Side.SELL, SELL, first, exits=True)
        other = stream.place(Side.SELL, SELL, exits=True)
        stream.wait(5).show(one, OrderState.CANCELED)
        stream.cancel(other)
        stream.fill(stream.wait(1).place(Side.SELL, None, "0.0002", exits=True), "0.0002", at=BUY)

    def facts(first: str) -> list[Fact]:
        return micro_cap_run(flat=lambda stream: sold(stream, first), trades=False)

    assert judged(facts("0.0001")).reason.endswith("and nobody saw who asked for it")
    assert judged(facts("0.0002")).outcome is Outcome.HELD


def test_an_order_canceled_around_the_tap_is_told_by_the_fold_itself() -> None:
    assert folded(Rates, ended("gtc", "5")).reason == (
        "the order bot1-r1-1 was canceled at 01:01:06.020 UTC, and nobody saw who asked for it"
    )
