"""E2, E4, E5: what each order is when it is sent."""

from dataclasses import replace
from decimal import Decimal

import pytest
from streams import (
    BUY,
    MICRO_CAP,
    SELL,
    TERMS,
    Moment,
    Stream,
    broken,
    held,
    micro_cap_run,
    retape,
    verdict_of,
    without,
)

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
    Source,
)
from botproof.invariants.judge import Judge
from botproof.invariants.sizing import planned_sizes
from botproof.invariants.verdict import Outcome
from botproof.profile import Profile


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


# the verdicts' own words, and their edges


def reason_of(promise: str, facts: list[Fact], profile: Profile = MICRO_CAP) -> str:
    return verdict_of(promise, facts, profile).reason


def without_kinds(facts: list[Fact], *names: str) -> list[Fact]:
    return without(facts, lambda fact: fact.kind in names)


def asked_otherwise(facts: list[Fact], client_id: str, **changes: object) -> list[Fact]:
    """The same run where this one order was asked for otherwise."""
    told = [replace(f, **changes) if isinstance(f, RequestSent) and f.client_id == client_id else f for f in facts]  # type: ignore[arg-type]
    return without(told, lambda _: False)


def test_the_limit_of_one_entry_is_the_envelope() -> None:
    verdict = verdict_of("E2", micro_cap_run())
    assert (verdict.peak, verdict.limit, verdict.unit) == (Decimal("6.77363"), Decimal(20), "USDT")


@pytest.mark.parametrize("promise", ["E2", "E4", "E5"])
def test_every_entry_that_was_judged_is_proved_by_its_request(promise: str) -> None:
    facts = micro_cap_run()
    proof = verdict_of(promise, facts).proof
    assert [facts[seq] for seq in proof] == [f for f in facts if isinstance(f, RequestSent) and f.is_entry]


@pytest.mark.parametrize("promise", ["E2", "E4", "E5"])
def test_every_breach_is_proved_by_its_request(promise: str) -> None:
    facts = alone(Side.BUY, "100000.05", "0.0003")
    verdict = verdict_of(promise, facts)
    assert [facts[seq] for seq in verdict.proof] == [f for f in facts if isinstance(f, RequestSent) and f.is_entry]


def test_a_market_order_has_no_price_in_words() -> None:
    assert reason_of("E5", alone(Side.BUY, None, "0.0001")) == (
        "entry buy bot1-r1-1 at market x 0.0001 at 01:01:01.020 UTC: the profile plans entries at a limit price only"
    )


def test_an_exit_is_called_one() -> None:
    def send(stream: Stream) -> None:
        stream.answer(stream.send(Side.SELL, "40000.05", exits=True).request, code="40762")

    assert reason_of("E4", micro_cap_run(flat=send)) == (
        "exit sell bot1-r1-1 40000.05 x 0.0001 at 01:01:01.020 UTC: price 40000.05 off the tick 0.1"
    )


@pytest.mark.parametrize("promise", ["E2", "E4"])
def test_a_market_entry_without_a_mark_is_named(promise: str) -> None:
    facts = without_kinds(alone(Side.BUY, None, "0.0002"), "TopOfBook", "PositionSeen")
    seq = next(fact.seq for fact in facts if isinstance(fact, RequestSent) and fact.is_entry)
    assert reason_of(promise, facts) == f"entry buy bot1-r1-1 at market x 0.0002 (seq {seq}) cannot be valued"


@pytest.mark.parametrize(
    ("promise", "lacks"), [("E4", "size, or before its rules were read"), ("E5", "side or size, or before its rules")]
)
def test_an_entry_before_the_rules_were_read_is_named(promise: str, lacks: str) -> None:
    facts = without_kinds(alone(Side.BUY, BUY, "0.0001"), "ContractRead")
    seq = next(fact.seq for fact in facts if isinstance(fact, RequestSent) and fact.is_entry)
    assert reason_of(promise, facts).startswith(f"entry buy bot1-r1-1 67263.7 x 0.0001 (seq {seq}) was sent without")
    assert lacks in reason_of(promise, facts)


def test_an_entry_without_a_size_or_a_side_is_named() -> None:
    facts = alone(Side.BUY, BUY, "0.0001")
    sizeless, sideless = (asked_otherwise(facts, "bot1-r1-1", **{field: None}) for field in ("size", "side"))
    seq = next(fact.seq for fact in sizeless if isinstance(fact, RequestSent) and fact.is_entry)
    lacks = "was sent without side or size, or before its rules were read"
    assert reason_of("E4", sizeless).startswith(f"entry buy bot1-r1-1 67263.7 x no size (seq {seq}) was sent without")
    assert reason_of("E5", sizeless) == f"entry buy bot1-r1-1 67263.7 x no size (seq {seq}) {lacks}"
    assert reason_of("E5", sideless) == f"entry bot1-r1-1 67263.7 x 0.0001 (seq {seq}) {lacks}"
    assert reason_of("E2", sizeless) == f"entry buy bot1-r1-1 67263.7 x no size (seq {seq}) cannot be valued"


def test_an_order_on_another_symbol_is_not_judged_by_these_rules() -> None:
    facts = micro_cap_run(flat=lambda s: s.answer(s.send(Side.BUY, "2000", "0.01", symbol="ETHUSDT").request))
    seq = next(fact.seq for fact in facts if isinstance(fact, RequestSent) and fact.is_entry)
    verdict = verdict_of("E4", facts)
    assert (verdict.outcome, verdict.reason) == (
        Outcome.NOT_SHOWN,
        f"entry buy bot1-r1-1 2000 x 0.01 (seq {seq}) was sent without size, or before its rules were read",
    )


# the mark that a market entry is valued at


def marked(stream: Stream, mark: str | None, **changes: object) -> None:
    """The venue's ticker with this mark, or something else that names one."""
    stream.ticker(mark or "1")
    ticker = stream.tape.facts.pop()
    told = {"mark": None if mark is None else Decimal(mark)} | changes
    stream.write(replace(ticker, seq=0, **told))  # type: ignore[arg-type]


def valued(passage: Moment) -> Decimal | None:
    """What E2 takes a market entry of 0.0001 for, after `passage`, in USDT per 0.0001."""

    def send(stream: Stream) -> None:
        passage(stream)
        stream.answer(stream.send(Side.BUY, None).request, code="40762")

    return verdict_of("E2", retape(micro_cap_run(flat=send, trades=False))).peak


def test_a_market_entry_is_valued_at_the_last_mark_that_the_venue_told() -> None:
    assert valued(lambda stream: stream.ticker("60000")) == Decimal(6)
    assert valued(lambda stream: stream.show_position(mark="61000")) == Decimal("6.1")
    assert valued(lambda stream: (stream.ticker("60000"), stream.ticker("62000"))) == Decimal("6.2")


def test_the_mark_is_of_the_symbol_and_from_the_venue() -> None:
    assert valued(lambda stream: marked(stream, "1", symbol="ETHUSDT")) == Decimal("6.75")
    assert valued(lambda stream: marked(stream, "1", src=Source.TAP)) == Decimal("6.75")

    def elsewhere(stream: Stream) -> None:
        stream.show_position(mark="1")
        stream.write(replace(stream.tape.facts.pop(), seq=0, symbol="ETHUSDT"))  # type: ignore[call-arg]

    assert valued(elsewhere) == Decimal("6.75")


def test_a_report_without_a_mark_takes_none_away_and_an_older_one_neither() -> None:
    assert valued(lambda stream: marked(stream, None)) == Decimal("6.75")
    assert valued(lambda stream: marked(stream, "1", t_venue_us=stream.now_us - 2_000_000)) == Decimal("6.75")


def test_a_market_entry_worth_less_than_the_minimum_at_mark_is_broken() -> None:
    assert reason_of("E4", alone(Side.BUY, None, "0.0001", min_value_usdt="10")) == (
        "entry buy bot1-r1-1 at market x 0.0001 at 01:01:01.020 UTC: worth 6.75 USDT, below the minimum 10.00"
    )


# the plan


UNEVEN = replace(MICRO_CAP, buy_amounts_pct=(Decimal(1), Decimal(3)), sell_amounts_pct=(Decimal(4),))


@pytest.mark.parametrize(("side", "planned"), [(Side.BUY, "0.0002 or 0.0007"), (Side.SELL, "0.001")])
def test_the_plan_of_its_own_side_is_told_with_every_level(side: Side, planned: str) -> None:
    assert reason_of("E5", alone(side, "10000", "0.0005"), UNEVEN).endswith(f": the profile plans {planned} at 10000")


@pytest.mark.parametrize(("side", "size"), [(Side.BUY, "0.0002"), (Side.BUY, "0.0007"), (Side.SELL, "0.001")])
def test_a_size_of_any_level_of_its_own_side_is_held(side: Side, size: str) -> None:
    assert verdict_of("E5", alone(side, "10000", size, min_value_usdt="2"), UNEVEN).outcome is Outcome.HELD


def test_a_side_without_a_level_plans_nothing() -> None:
    one_sided = replace(MICRO_CAP, sell_amounts_pct=())
    assert reason_of("E5", alone(Side.SELL, SELL, "0.0001"), one_sided).endswith("plans nothing at 67736.3")


def test_a_plan_worth_exactly_the_minimum_is_to_be_sent_and_one_below_is_not() -> None:
    assert verdict_of("E5", alone(Side.BUY, "50000", "0.0002", min_value_usdt="10")).outcome is Outcome.HELD
    below = alone(Side.BUY, "50000", "0.0002", min_value_usdt="10.01")
    assert reason_of("E5", below).endswith(": planned below the venue's minimum, so it was not to be sent")


@pytest.mark.parametrize(
    ("price", "why"),
    [
        ("0", "the profile plans entries at a limit price only"),
        ("1", "the profile plans 10 at 1"),
    ],
)
def test_an_entry_for_nothing_is_at_no_price(price: str, why: str) -> None:
    assert reason_of("E5", alone(Side.BUY, price, "0.0001")).endswith(f": {why}")


def test_a_market_entry_is_never_planned_whatever_price_it_names() -> None:
    facts = asked_otherwise(alone(Side.BUY, None, "0.0001"), "bot1-r1-1", price=Decimal(67000))
    assert reason_of("E5", facts).endswith(": the profile plans entries at a limit price only")


def test_every_limit_entry_that_the_venue_shows_at_market_is_found_among_the_others() -> None:
    def refused_first(stream: Stream) -> None:
        stream.answer(stream.send(Side.BUY, BUY).request, code="40762")
        stream.cancel(stream.place(Side.BUY, BUY))
        stream.cancel(stream.place(Side.SELL, SELL))

    facts = micro_cap_run(flat=refused_first, trades=False)
    told = [
        replace(f, order_type=OrderType.MARKET, price=None) if isinstance(f, OrderSeen) and f.order_id == "o3" else f
        for f in facts
    ]
    spoilt = without(told, lambda _: False)
    verdict = verdict_of("E5", spoilt)
    assert verdict.reason == (
        "the venue showed entry sell bot1-r1-3 at market x 0.0001: the profile plans entries at a limit price only"
    )
    assert [spoilt[seq].kind for seq in verdict.proof] == ["OrderSeen"]


def test_a_market_order_where_a_limit_was_asked_is_told_once_however_often_it_is_asked_for() -> None:
    bench = Judge(MICRO_CAP, TERMS)
    for fact in of_the_first_order(micro_cap_run(), order_type=OrderType.MARKET, price=None):
        bench.see(fact)
    assert bench.verdicts() == bench.verdicts()
