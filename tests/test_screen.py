"""The first screen of a failure."""

from decimal import Decimal

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


def broken(id_: str, *proof: int) -> Verdict:
    return Verdict(id=id_, promise="p", outcome=Outcome.BROKEN, proof=proof, reason=f"{id_}: 20.23 above 20.00 USDT")


def test_a_fact_is_told_with_time_kind_and_the_fields_that_say_something() -> None:
    assert fact_text(sent(71)) == (
        "#71 01:01:01.217 RequestSent action=place symbol=BTCUSDT side=buy order_type=limit price=67263.7 size=0.0001"
    )


def test_what_was_broken_comes_first_and_the_replay_last() -> None:
    lines = first_screen(Broken("why"), [broken("E1", 0)], [sent(0)], "pytest x").splitlines()
    assert lines[0] == "E1 BROKEN: E1: 20.23 above 20.00 USDT"
    assert lines[1].startswith("  #0 01:01:01.217 RequestSent")
    assert lines[-2:] == ["Broken: why", "replay: pytest x"]


def test_a_screen_has_at_most_twelve_lines_and_cuts_long_ones() -> None:
    error = Broken("\n".join("x" * 400 for _ in range(50)))
    verdicts = [broken(f"E{number}", *range(20)) for number in range(1, 9)]
    screen = first_screen(error, verdicts, [sent(number) for number in range(20)], "pytest x").splitlines()
    assert len(screen) <= 12
    assert max(map(len, screen)) <= 160
    assert screen[1] == "also BROKEN: E2, E3, E4, E5, E6, E7, E8"


def test_without_a_run_the_screen_says_what_the_step_said() -> None:
    assert (
        first_screen(AssertionError("no\nassert 1 == 2"), (), (), "pytest x") == "AssertionError: no\nreplay: pytest x"
    )
