"""E2, E4, E5: what each order is when it is sent."""

from dataclasses import replace
from decimal import Decimal

import pytest
from streams import BUY, MICRO_CAP, SELL, Stream, broken, held, micro_cap_run, verdict_of, without

from botproof.events import (
    Action,
    ContractRead,
    Fact,
    FillSeen,
    OrderSeen,
    OrderState,
    OrderType,
    RequestSent,
    Side,
)
from botproof.invariants.sizing import planned_sizes
from botproof.invariants.verdict import Outcome


def refused(side: Side, price: str | None, size: str) -> list[Fact]:
    """A run with one more entry, which the venue refuses: judged as sent all the same."""

    def send(stream: Stream) -> None:
        order = stream.send(side, price, size)
        stream.wait("0.02").answer(order.request, code="40762")

    return micro_cap_run(flat=send)


def alone(side: Side, price: str | None, size: str, **rules: str) -> list[Fact]:
    """A run whose only order is this one, under the rules given."""

    def send(stream: Stream) -> None:
        if rules:
            stream.contract(**rules)
        stream.cancel(stream.place(side, price, size))

    return micro_cap_run(flat=send, trades=False)


# E2


def test_an_entry_worth_exactly_the_envelope_is_held() -> None:
    facts = alone(Side.BUY, "50000", "0.0004")
    assert verdict_of("E2", facts).outcome is Outcome.HELD
    assert verdict_of("E2", facts).peak == Decimal(20)


def test_an_entry_one_tick_above_the_envelope_is_broken() -> None:
    verdict = verdict_of("E2", alone(Side.BUY, "50000.1", "0.0004"))
    assert verdict.outcome is Outcome.BROKEN
    assert verdict.reason == (
        "entry buy bot1-r1-1 50000.1 x 0.0004 at 01:01:01.020 UTC: worth 20.00004 USDT, above 20.00"
    )


def test_a_refused_entry_is_judged_as_sent() -> None:
    assert "E2" in broken(refused(Side.BUY, "67263.7", "0.0003"))


def test_an_entry_of_three_steps_breaks_what_its_implications_allow() -> None:
    assert broken(refused(Side.BUY, "67263.7", "0.0003")) == {"E1", "E2", "E5"}


def test_a_market_entry_is_valued_at_mark() -> None:
    assert verdict_of("E2", alone(Side.BUY, None, "0.0002")).peak == Decimal("13.5")


def test_a_market_entry_without_a_mark_is_not_shown() -> None:
    facts = without(alone(Side.BUY, None, "0.0002"), lambda fact: fact.kind in ("TopOfBook", "PositionSeen"))
    assert "cannot be valued" in verdict_of("E2", facts).reason


# E4


@pytest.mark.parametrize(
    ("price", "size", "rules"),
    [
        ("50000", "0.0001", {}),  # worth exactly the minimum, of exactly the minimum size
        ("67263.7", "0.0002", {"min_qty": "0.0002"}),
        ("67263.5", "0.0001", {"tick": "0.5"}),
    ],
)
def test_an_order_on_the_edge_of_the_rules_is_held(price: str, size: str, rules: dict[str, str]) -> None:
    assert verdict_of("E4", alone(Side.BUY, price, size, **rules)).outcome is Outcome.HELD


@pytest.mark.parametrize(
    ("price", "size", "rules", "why"),
    [
        ("49999.9", "0.0001", {}, "worth 4.99999 USDT, below the minimum 5.00"),
        ("67263.7", "0.0001", {"min_qty": "0.0002"}, "size 0.0001 below the minimum 0.0002"),
        ("67263.7", "0.00015", {}, "size 0.00015 off the step 0.0001"),
        ("67263.75", "0.0001", {}, "price 67263.75 off the tick 0.1"),
        ("67263.6", "0.0001", {"tick": "0.5"}, "price 67263.6 off the tick 0.5"),
    ],
)
def test_an_order_off_the_rules_is_broken(price: str, size: str, rules: dict[str, str], why: str) -> None:
    verdict = verdict_of("E4", alone(Side.BUY, price, size, **rules))
    assert verdict.outcome is Outcome.BROKEN
    assert verdict.reason.endswith(why)


def test_the_rules_that_count_are_those_in_force_when_the_order_was_sent() -> None:
    facts = micro_cap_run(stopping=lambda stream: stream.contract(min_qty="0.001"))
    assert verdict_of("E4", facts).outcome is Outcome.HELD


def test_an_exit_is_exempt_from_the_minimum_value_and_from_nothing_else() -> None:
    def send(price: str) -> list[Fact]:
        return micro_cap_run(
            exiting=lambda stream: stream.answer(stream.send(Side.SELL, price, exits=True).request, code="40762")
        )

    assert verdict_of("E4", send("40000")).outcome is Outcome.HELD
    assert verdict_of("E4", send("40000.05")).outcome is Outcome.BROKEN


def test_an_order_before_the_rules_were_read_is_not_shown() -> None:
    facts = without(micro_cap_run(), lambda fact: isinstance(fact, ContractRead))
    assert not {"E4", "E5"} & held(facts)


# E5


@pytest.mark.parametrize(
    ("price", "planned"), [("67263.7", "0.0001"), ("50000", "0.0002"), ("50000.1", "0.0001"), ("100000.1", "0")]
)
def test_the_plan_is_own_share_at_own_price_rounded_down(price: str, planned: str) -> None:
    assert planned_sizes(MICRO_CAP, Side.BUY, Decimal(price), Decimal("0.0001")) == (Decimal(planned),)


def test_levels_of_different_shares_plan_different_sizes_and_equal_ones_one() -> None:
    profile = replace(MICRO_CAP, buy_amounts_pct=(Decimal(1), Decimal(3)), sell_amounts_pct=(Decimal(2), Decimal(2)))
    step = Decimal("0.0001")
    assert planned_sizes(profile, Side.BUY, Decimal(10000), step) == (Decimal("0.0002"), Decimal("0.0007"))
    assert planned_sizes(profile, Side.SELL, Decimal(10000), step) == (Decimal("0.0005"),)


def test_a_size_planned_to_the_step_is_held() -> None:
    assert verdict_of("E5", alone(Side.BUY, "50000", "0.0002")).outcome is Outcome.HELD


@pytest.mark.parametrize("size", ["0.0001", "0.0003"])
def test_a_size_one_step_off_the_plan_is_broken(size: str) -> None:
    verdict = verdict_of("E5", alone(Side.BUY, "50000", size))
    assert verdict.outcome is Outcome.BROKEN
    assert verdict.reason.endswith("the profile plans 0.0002 at 50000")


def test_twice_the_planned_size_under_the_envelope_breaks_nothing_else() -> None:
    assert broken(alone(Side.BUY, BUY, "0.0002")) == {"E5"}


def test_a_market_entry_is_never_planned() -> None:
    assert "limit price only" in verdict_of("E5", alone(Side.BUY, None, "0.0001")).reason


def test_raising_a_size_to_the_minimum_is_broken() -> None:
    five = replace(MICRO_CAP, total_amount_quote=Decimal(5))
    verdict = verdict_of("E5", alone(Side.SELL, SELL, "0.0001"), five)
    assert verdict.reason.endswith("the profile plans 0 at 67736.3")


def test_a_size_as_planned_but_below_the_minimum_was_not_to_be_sent() -> None:
    verdict = verdict_of("E5", alone(Side.BUY, BUY, "0.0001", min_qty="0.0002"))
    assert "not to be sent" in verdict.reason


def test_an_entry_on_another_symbol_is_broken() -> None:
    facts = micro_cap_run(flat=lambda stream: stream.send(Side.BUY, "2000", "0.01", symbol="ETHUSDT"))
    assert "an entry on ETHUSDT" in verdict_of("E5", facts).reason


# all three


@pytest.mark.parametrize("promise", ["E2", "E4", "E5"])
def test_without_an_entry_nothing_is_shown(promise: str) -> None:
    verdict = verdict_of(promise, micro_cap_run(trades=False))
    assert (verdict.outcome, verdict.reason) == (Outcome.NOT_SHOWN, "0 of 1 entries sent")


@pytest.mark.parametrize("promise", ["E2", "E4", "E5"])
def test_an_order_of_the_bot_that_nobody_saw_being_sent_is_not_shown(promise: str) -> None:
    def unseen(stream: Stream) -> None:
        order = stream.place(Side.BUY, BUY)
        stream.cancel(order)
        hidden.append(order.client_id)

    hidden: list[str] = []
    facts = micro_cap_run(flat=unseen)
    gone = without(facts, lambda f: isinstance(f, RequestSent) and f.client_id in hidden and f.action is Action.PLACE)
    assert verdict_of(promise, gone).reason == f"the venue showed the order {hidden[0]}, and nobody saw it being sent"


@pytest.mark.parametrize("promise", ["E2", "E4", "E5"])
def test_a_repeated_line_is_no_second_exercise(promise: str) -> None:
    facts = alone(Side.BUY, BUY, "0.0001")
    sent = next(fact for fact in facts if isinstance(fact, RequestSent) and fact.is_entry)
    assert verdict_of(promise, without([*facts, sent], lambda _: False)).exercise == 1


def test_an_order_of_an_earlier_run_is_not_one_that_nobody_saw() -> None:
    def leftover(stream: Stream) -> None:
        order = stream.send(Side.BUY, BUY, client_id="")
        order.client_id = "bot1-r0-1"
        stream.lists("preflight", plain=(order.order_id,))
        stream.show(order, OrderState.CANCELED)

    facts = micro_cap_run(begun=leftover)
    kept = without(facts, lambda f: isinstance(f, RequestSent) and f.is_entry and not f.client_id)
    assert {"E2", "E4", "E5"} <= held(kept)


def of_the_first_order(facts: list[Fact], **changes: object) -> list[Fact]:
    """The same run where the venue shows the first order otherwise than it was asked for."""
    first = next(fact for fact in facts if isinstance(fact, OrderSeen)).order_id
    told = [replace(f, **changes) if isinstance(f, OrderSeen) and f.order_id == first else f for f in facts]  # type: ignore[arg-type]
    return without(told, lambda _: False)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"size": Decimal("0.0002")}, "size 0.0002 instead of 0.0001"),
        ({"price": Decimal(67000)}, "price 67000 instead of 67263.7"),
        ({"side": Side.SELL}, "side sell instead of buy"),
        ({"reduce_only": True}, "reduce-only"),
        ({"order_type": OrderType.MARKET, "price": None}, "type market instead of limit"),
    ],
)
def test_an_order_that_the_venue_shows_otherwise_is_not_shown(changes: dict[str, object], what: str) -> None:
    facts = of_the_first_order(micro_cap_run(), **changes)
    for promise in ("E1", "E2", "E4", "E5"):
        assert promise not in held(facts), promise
    assert verdict_of("E4", facts).reason.endswith(what)


def test_a_limit_entry_that_the_venue_shows_at_market_was_never_planned() -> None:
    facts = of_the_first_order(micro_cap_run(), order_type=OrderType.MARKET, price=None)
    verdict = verdict_of("E5", facts)
    assert (verdict.outcome, "at a limit price only" in verdict.reason) == (Outcome.BROKEN, True)


def test_a_fill_of_the_other_side_is_not_shown() -> None:
    told = [replace(f, side=f.side.opposite) if isinstance(f, FillSeen) else f for f in micro_cap_run()]
    assert not {"E1", "E2", "E4", "E5", "E10"} & held(without(told, lambda _: False))


def test_an_exit_that_the_venue_cuts_to_the_position_is_no_other_order() -> None:
    def cut(stream: Stream) -> None:
        order = stream.send(Side.SELL, "67532.8", "0.0002", exits=True)
        order.size = Decimal("0.0001")
        stream.show(order, OrderState.LIVE)
        stream.cancel(order)

    assert {"E2", "E4", "E5"} <= held(micro_cap_run(held=cut))


@pytest.mark.parametrize("field", ["side", "order_type", "size", "price"])
def test_an_order_that_cannot_be_read_is_not_shown(field: str) -> None:
    def padded(stream: Stream) -> None:
        stream.answer(stream.send(Side.BUY, BUY, client_id="padded").request, code="40017")

    told = micro_cap_run(flat=padded)
    facts = without(
        (replace(f, **{field: None}) if getattr(f, "client_id", "") == "padded" else f for f in told),  # type: ignore[arg-type]
        lambda _: False,
    )
    assert not {"E1", "E2", "E4", "E5", "E10"} & held(facts)


def test_a_market_entry_is_valued_at_mark_whatever_price_it_names() -> None:
    facts = micro_cap_run(flat=lambda s: s.cancel(s.place(Side.BUY, None, "0.0003")))
    told = [replace(f, price=Decimal(1)) if isinstance(f, RequestSent) and f.is_entry else f for f in facts]
    assert "worth 20.25 USDT" in verdict_of("E2", without(told, lambda _: False)).reason


def test_an_answer_without_its_request_is_not_shown() -> None:
    facts = without(micro_cap_run(), lambda f: isinstance(f, RequestSent) and f.action is Action.READ)
    assert not {"E1", "E2", "E4", "E5", "E8", "E10"} & held(facts)


def test_an_order_of_nobody_known_is_not_shown() -> None:
    def foreign(stream: Stream) -> None:
        order = stream.send(Side.BUY, "50000", client_id="hidden")
        order.client_id, order.order_id = "zzz-1", "f1"
        stream.show(order, OrderState.LIVE)
        stream.show(order, OrderState.CANCELED)

    facts = without(micro_cap_run(flat=foreign), lambda f: getattr(f, "client_id", "") == "hidden")
    for promise in ("E1", "E2", "E4", "E5"):
        assert verdict_of(promise, facts).reason == "the venue showed the order zzz-1, and nobody saw it being sent"
