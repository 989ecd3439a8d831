"""The first screen of a failure."""

import dataclasses
from decimal import Decimal

import pytest

from botproof.errors import Broken
from botproof.events import Action, Fact, OrderType, RequestSent, Side, Source
from botproof.evidence.screen import fact_text, first_screen
from botproof.invariants.verdict import Outcome, Verdict


def sent(seq: int) -> Fact:
    return RequestSent(
        seq=seq,
        src=Source.TAP,
        t_local_us=1_771_722_061_217_000 + seq,
        request=16,
        method="POST",
        path="/api/v2/mix/order/place-order",
        action=Action.PLACE,
        symbol="BTCUSDT",
        side=Side.BUY,
        order_type=OrderType.LIMIT,
        price=Decimal("67263.7"),
        size=Decimal("0.0001"),
    )


def broken(id_: str, *proof: int, peak: str | None = "20.23", limit: str | None = "20") -> Verdict:
    return Verdict(
        id=id_,
        promise="exposure stays inside the envelope",
        outcome=Outcome.BROKEN,
        proof=proof,
        reason="20.23 USDT were at risk at 01:01:01.217 UTC",
        peak=None if peak is None else Decimal(peak),
        limit=None if limit is None else Decimal(limit),
        unit="USDT",
    )


def test_a_fact_is_told_with_time_kind_and_the_fields_that_say_something() -> None:
    assert fact_text(sent(71)) == (
        "#71 01:01:01.217 RequestSent action=place symbol=BTCUSDT side=buy order_type=limit price=67263.7 size=0.0001"
    )


def test_names_of_orders_come_last() -> None:
    assert fact_text(dataclasses.replace(sent(71), client_id="bot1-x-1")).endswith(" size=0.0001 client_id=bot1-x-1")


def test_rule_amount_and_limit_come_first_and_the_replay_last() -> None:
    lines = first_screen(Broken("why"), [broken("E1", 0)], [sent(0)], "pytest x").splitlines()
    assert lines[:2] == [
        "E1 BROKEN: exposure stays inside the envelope",
        "  20.23 USDT were at risk at 01:01:01.217 UTC (limit 20 USDT)",
    ]
    assert lines[2].startswith("  #0 01:01:01.217 RequestSent")
    assert lines[3:] == ["Broken: why", "replay: pytest x"]


@pytest.mark.parametrize(
    ("peak", "limit", "told"), [("19", "20", ""), (None, "20", " (limit 20 USDT)"), (None, None, ""), ("21", None, "")]
)
def test_a_limit_that_was_not_passed_is_not_told(peak: str | None, limit: str | None, told: str) -> None:
    [_, line, *_] = first_screen(Broken("why"), [broken("E1", peak=peak, limit=limit)], (), "pytest x").splitlines()
    assert line == f"  20.23 USDT were at risk at 01:01:01.217 UTC{told}"


def test_a_fact_that_proves_twice_is_told_once() -> None:
    assert first_screen(Broken("why"), [broken("E1", 0, 0)], [sent(0)], "pytest x").count("#0 ") == 1


def test_a_step_that_says_what_is_told_already_is_not_repeated() -> None:
    verdict = broken("E1", 0)
    screen = first_screen(Broken(f"E1 {verdict.promise}: {verdict.reason}"), [verdict], [sent(0)], "pytest x")
    assert "Broken:" not in screen


def test_a_screen_has_at_most_twelve_lines_seven_facts_and_cuts_long_ones() -> None:
    error = Broken("\n".join("x" * 400 for _ in range(50)))
    verdicts = [broken(f"E{number}", *range(20)) for number in range(1, 9)]
    screen = first_screen(error, verdicts, [sent(number) for number in range(20)], "pytest x").splitlines()
    assert len(screen) == 12
    assert max(map(len, screen)) <= 160
    assert sum(line.startswith("  #") for line in screen) == 7
    assert screen[9] == "also BROKEN: E2, E3, E4, E5, E6, E7, E8"
    assert screen[10].startswith("Broken: xxx")
    assert screen[11] == "replay: pytest x"


def test_without_a_run_the_screen_says_what_the_step_said() -> None:
    assert (
        first_screen(AssertionError("no\nassert 1 == 2"), (), (), "pytest x") == "AssertionError: no\nreplay: pytest x"
    )
