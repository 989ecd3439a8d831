"""N1: nothing was traded, asked for or left open in the whole no-trade window."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest
from streams import (
    BUY,
    NO_TRADE,
    SELL,
    TERMS,
    Placed,
    Stream,
    broken,
    held,
    micro_cap_run,
    no_trade_run,
    verdict_of,
    without,
)

from botproof.events import (
    Action,
    Fact,
    FillSeen,
    ModeOrLeverageChanged,
    OpenOrdersRead,
    OrderSeen,
    OrderState,
    PositionSeen,
    RequestSent,
    SettingsRead,
    Side,
    Source,
    WindowOpened,
)
from botproof.invariants.catalogue import IMPLICATIONS
from botproof.invariants.verdict import Outcome, Verdict


def judged(facts: list[Fact]) -> Verdict:
    return verdict_of("N1", facts, NO_TRADE)


def venue_only(facts: list[Fact]) -> list[Fact]:
    """The same run where nobody saw the requests."""
    return without(facts, lambda fact: fact.kind == "RequestSent" and getattr(fact, "action", None) is not Action.READ)


def test_a_quiet_window_is_held() -> None:
    verdict = judged(no_trade_run())
    assert (verdict.outcome, verdict.exercise, verdict.peak) == (Outcome.HELD, 3, Decimal(0))


def test_a_micro_cap_run_is_not_a_no_trade_run() -> None:
    verdict = verdict_of("N1", micro_cap_run())
    assert (verdict.outcome, verdict.reason) == (Outcome.NOT_SHOWN, "not a no-trade run")


def test_what_only_entries_show_is_never_held_in_a_no_trade_run() -> None:
    assert held(no_trade_run(), NO_TRADE) == {"N1", "E8", "E14"}


def place_and_cancel(stream: Stream) -> None:
    stream.cancel(stream.place(Side.BUY, "50000", "0.0002"))


def refused(stream: Stream) -> None:
    stream.answer(stream.send(Side.BUY, "50000", "0.0002").request, code="40762")


def foreign_order(stream: Stream) -> None:
    order = stream.send(Side.SELL, SELL)
    order.client_id, order.order_id = "somebody-1", "f1"
    stream.show(order, OrderState.LIVE)


BREACHES: dict[str, tuple[Callable[[Stream], object], str]] = {
    "an order placed and cancelled": (place_and_cancel, "the bot sent POST"),
    "an order refused": (refused, "the bot sent POST"),
    "a cancel": (lambda s: s.request(Action.CANCEL, order_id="f1"), "the bot sent POST /api/v2/mix/cancel f1"),
    "a setting asked to change": (lambda s: s.request(Action.SET_LEVERAGE), "set_leverage"),
    "a request of an unread kind": (lambda s: s.request(Action.OTHER), "other"),
    "an open order in a list": (lambda s: s.lists(plain=("f1",)), "an order rests inside the window: f1"),
    "a trigger order in a list": (lambda s: s.lists(trigger=("f1",)), "inside the window: trigger f1"),
    "another position": (lambda s: s.show_position("poll", size="0.0001"), "a position of 0.0001 BTCUSDT"),
    "another leverage": (lambda s: s.settings(leverage=2), "became one_way_mode, crossed, 2"),
    "another leverage that the bot read": (lambda s: s.settings(Source.TAP, leverage=2), "crossed, 2"),
}


@pytest.mark.parametrize("name", BREACHES)
def test_each_trace_of_trading_inside_the_window_breaks_it(name: str) -> None:
    spoil, reason = BREACHES[name]
    verdict = judged(no_trade_run(inside=spoil))
    assert verdict.outcome is Outcome.BROKEN
    assert reason in verdict.reason


@pytest.mark.parametrize("name", ["an order placed and cancelled", "an order refused"])
def test_a_breach_brings_only_what_its_implications_allow(name: str) -> None:
    assert broken(no_trade_run(inside=BREACHES[name][0]), NO_TRADE) <= {"N1"} | IMPLICATIONS["N1"]


def test_an_order_between_two_polls_is_seen_by_the_venue_alone() -> None:
    verdict = judged(venue_only(no_trade_run(inside=place_and_cancel)))
    assert verdict.outcome is Outcome.BROKEN
    assert "the order bot1-r1-1 was live at the venue" in verdict.reason


def test_a_fill_is_broken_even_where_nothing_else_shows_it() -> None:
    def fill(stream: Stream) -> None:
        stream.fill(stream.send(Side.BUY, BUY), row=False)
        stream.position -= stream.position

    facts = without(no_trade_run(inside=fill), lambda f: isinstance(f, OrderSeen | PositionSeen) and bool(f.size))
    assert "buy 0.0001 was filled, trade t1" in judged(venue_only(facts)).reason


def test_an_order_of_somebody_else_breaks_it_too() -> None:
    assert judged(venue_only(no_trade_run(inside=foreign_order))).outcome is Outcome.BROKEN


def test_an_order_open_since_before_the_window_rests_inside_it() -> None:
    verdict = judged(venue_only(no_trade_run(begun=foreign_order)))
    assert verdict.outcome is Outcome.BROKEN
    assert verdict.reason.startswith("an order rests inside the window: somebody-1, open since before")


def clean_up(stream: Stream) -> None:
    stream.answer(stream.request(Action.CANCEL, order_id="f1").request)
    stream.answer(stream.request(Action.SET_LEVERAGE).request)


def test_clean_up_before_the_window_is_held() -> None:
    assert judged(no_trade_run(begun=clean_up)).outcome is Outcome.HELD


def test_after_the_window_a_cancel_is_allowed_and_a_setting_is_not() -> None:
    assert judged(no_trade_run(ended=lambda s: s.wait(1).request(Action.CANCEL))).outcome is Outcome.HELD
    changed = judged(no_trade_run(ended=lambda s: s.wait(1).request(Action.SET_LEVERAGE)))
    assert (changed.outcome, "outside the window" in changed.reason) == (Outcome.BROKEN, True)


@pytest.mark.parametrize("moment", ["begun", "ended"])
@pytest.mark.parametrize("name", ["an order placed and cancelled", "an order refused", "a request of an unread kind"])
def test_a_bot_that_places_anything_outside_the_window_breaks_it(name: str, moment: str) -> None:
    spoil = BREACHES[name][0]
    verdict = judged(no_trade_run(**{moment: lambda s: spoil(s.wait(1))}))  # type: ignore[arg-type]
    assert verdict.outcome is Outcome.BROKEN
    assert "outside the window" in verdict.reason


@pytest.mark.parametrize("moment", ["begun", "ended"])
def test_an_order_of_the_bot_outside_the_window_is_seen_by_the_venue_alone(moment: str) -> None:
    verdict = judged(venue_only(no_trade_run(**{moment: lambda s: place_and_cancel(s.wait(1))})))  # type: ignore[arg-type]
    assert "the bot placed bot1-r1-1 outside the window: it was live" in verdict.reason


def test_a_fill_of_the_bot_outside_the_window_breaks_it() -> None:
    def fill(stream: Stream) -> None:
        stream.fill(stream.wait(1).send(Side.BUY, BUY), row=False)

    facts = without(venue_only(no_trade_run(ended=fill)), lambda f: isinstance(f, OrderSeen))
    assert "outside the window: it was filled" in judged(facts).reason


def test_an_answer_without_its_request_is_not_shown() -> None:
    asked: list[RequestSent] = []  # a reading that was never answered
    facts = no_trade_run(inside=lambda stream: asked.append(stream.request(Action.READ)))
    unasked = without(facts, lambda f: isinstance(f, RequestSent) and f.request == asked[0].request)
    assert judged(unasked).outcome is Outcome.HELD
    orphan = judged(without(no_trade_run(), lambda f: isinstance(f, RequestSent) and f.request == 1))
    assert (orphan.outcome, "is not on the tape" in orphan.reason) == (Outcome.NOT_SHOWN, True)


def test_an_order_of_before_that_ends_inside_is_broken() -> None:
    def ends_inside(stream: Stream) -> None:
        order = stream.send(Side.BUY, BUY)
        stream.show(order, OrderState.CANCELED)

    assert judged(venue_only(no_trade_run(inside=ends_inside))).outcome is Outcome.BROKEN


def test_an_end_before_the_window_counts_however_late_it_is_learned() -> None:
    def begun(stream: Stream) -> None:
        foreign_order(stream)
        order = stream.send(Side.SELL, SELL)
        order.client_id, order.order_id = "somebody-1", "f1"
        stream.show(order, OrderState.CANCELED, late="200")

    assert judged(venue_only(no_trade_run(begun=begun))).outcome is Outcome.HELD


def test_an_order_that_ended_after_the_window_and_began_unseen_is_not_shown() -> None:
    def late(stream: Stream) -> None:
        order = stream.wait(1).send(Side.SELL, SELL)
        order.client_id, order.order_id = "somebody-1", "f1"
        stream.show(order, OrderState.CANCELED)

    verdict = judged(venue_only(no_trade_run(ended=late)))
    assert verdict.outcome is Outcome.NOT_SHOWN
    assert "when it began is unknown" in verdict.reason


def test_the_window_includes_both_its_ends() -> None:
    facts = no_trade_run()
    opened = next(fact for fact in facts if fact.kind == "WindowOpened")
    for at_us, outcome in (
        (opened.start_us - 1, Outcome.HELD),  # type: ignore[attr-defined]
        (opened.start_us, Outcome.BROKEN),  # type: ignore[attr-defined]
        (opened.end_us, Outcome.BROKEN),  # type: ignore[attr-defined]
        (opened.end_us + 1, Outcome.HELD),  # type: ignore[attr-defined]
    ):
        moved = no_trade_run(inside=lambda stream: stream.request(Action.CANCEL))
        cancel = next(fact for fact in moved if getattr(fact, "action", None) is Action.CANCEL)
        facts = [replace(fact, t_local_us=at_us) if fact is cancel else fact for fact in moved]
        assert judged(without(facts, lambda _: False)).outcome is outcome, at_us


def test_a_declared_position_that_stays_is_held_and_one_that_was_not_declared_is_broken() -> None:
    assert judged(no_trade_run(declared="0.0003")).outcome is Outcome.HELD

    def inherit(stream: Stream) -> None:
        stream.position += 1

    assert "a position of 1 BTCUSDT" in judged(no_trade_run(begun=inherit)).reason


def test_a_position_that_moved_after_the_last_poll_is_broken() -> None:
    def moved(stream: Stream) -> None:
        stream.position += 1

    assert "closed with a position of 1" in judged(no_trade_run(ended=moved)).reason


def test_settings_put_right_before_the_window_are_no_change_in_it() -> None:
    def put_right(stream: Stream) -> None:
        stream.settings(leverage=20)
        stream.wait(1).read_back()

    assert judged(no_trade_run(begun=put_right)).outcome is Outcome.HELD


def test_the_settings_that_count_are_the_last_ones_on_the_tape_before_the_window_opened() -> None:
    def opening(stream: Stream) -> None:  # the bot changed them since the preflight, and the clock is at the opening
        stream.to_minute()
        stream.settings(leverage=7)
        stream.write(
            ModeOrLeverageChanged(
                src=Source.VENUE,
                t_local_us=stream.now_us,
                symbol="BTCUSDT",
                setting="leverage",
                before="1",
                after="9",
            )
        )

    facts = no_trade_run(begun=opening)
    opened = next(fact.seq for fact in facts if fact.kind == "WindowOpened")
    seven = [replace(f, leverage=7) if isinstance(f, SettingsRead) and f.seq > opened else f for f in facts]
    assert judged(without(seven, lambda _: False)).outcome is Outcome.HELD


@pytest.mark.parametrize("kind", [OpenOrdersRead, PositionSeen])
def test_a_zero_without_polls_is_not_shown(kind: type) -> None:
    verdict = judged(without(no_trade_run(), lambda fact: isinstance(fact, kind)))
    assert verdict.outcome is Outcome.NOT_SHOWN
    assert "0 of 3 minutes" in verdict.reason


@pytest.mark.parametrize("kind", [OpenOrdersRead, PositionSeen])
@pytest.mark.parametrize(("seconds", "outcome"), [(119, Outcome.HELD), (120, Outcome.NOT_SHOWN)])
def test_a_hole_longer_than_the_terms_allow_is_not_shown(kind: type, seconds: int, outcome: Outcome) -> None:
    facts = no_trade_run(minutes=40)
    opened = next(fact for fact in facts if fact.kind == "WindowOpened")
    lost = range(600_000_001, 600_000_001 + seconds * 1_000_000)

    def polled(fact: Fact) -> bool:
        return isinstance(fact, kind) and fact.t_local_us - opened.t_local_us in lost

    # Polls are 10 s apart: without eleven of them the hole is exactly 120 s, without twelve it is 130 s.
    assert judged(without(facts, polled)).outcome is outcome


def test_the_head_and_the_tail_of_the_window_are_watched_too() -> None:
    facts = no_trade_run(minutes=60)
    opened = next(fact for fact in facts if fact.kind == "WindowOpened")
    for lost in (range(130_000_000), range(60 * 60_000_000 - 125_000_000, 60 * 60_000_000 + 1)):
        kept = without(
            facts,
            lambda fact, lost=lost: isinstance(fact, OpenOrdersRead) and fact.t_local_us - opened.t_local_us in lost,  # type: ignore[misc]
        )
        assert "went unpolled" in judged(kept).reason


# the verdict's own words, and its edges


def window(facts: list[Fact]) -> tuple[int, int]:
    opened = next(fact for fact in facts if isinstance(fact, WindowOpened))
    return opened.start_us, opened.end_us


def moved(facts: list[Fact], one: Fact, at_us: int, **changes: object) -> list[Fact]:
    """The same run where one fact happened at another instant; it is learned where it was."""
    there = [replace(f, t_venue_us=None, t_local_us=at_us, **changes) if f is one else f for f in facts]  # type: ignore[arg-type]
    return without(there, lambda _: False)


def last(facts: list[Fact], kind: type[Fact]) -> Fact:
    return next(fact for fact in reversed(facts) if isinstance(fact, kind))


def changed(stream: Stream, setting: str = "leverage", after: str = "9") -> None:
    stream.write(
        ModeOrLeverageChanged(
            src=Source.VENUE, t_local_us=stream.now_us, symbol="BTCUSDT", setting=setting, before="1", after=after
        )
    )


def test_a_quiet_window_had_no_event_of_none_that_are_allowed() -> None:
    facts = no_trade_run()
    verdict = judged(facts)
    assert (verdict.peak, verdict.limit, verdict.unit) == (Decimal(0), Decimal(0), "events")
    assert {facts[seq].kind for seq in verdict.proof} == {"OpenOrdersRead"}
    more = replace(TERMS, exercise={"N1": 4})
    assert verdict_of("N1", facts, NO_TRADE, more).reason == (
        "3 of 4 minutes in which open orders and position were polled"
    )


@pytest.mark.parametrize("kind", ["WindowOpened", "WindowClosed"])
def test_without_one_end_of_the_window_there_is_none(kind: str) -> None:
    facts = without(no_trade_run(), lambda fact: fact.kind == kind)
    assert judged(facts).reason == "the window is not on the tape"


@pytest.mark.parametrize(("inside", "outcome"), [(0, Outcome.BROKEN), (1, Outcome.HELD)])
@pytest.mark.parametrize("end", ["start", "end"])
@pytest.mark.parametrize("trace", ["cancel", "order", "fill", "setting", "change"])
def test_every_trace_counts_once_at_both_ends_of_the_window_and_not_beyond(
    trace: str, end: str, inside: int, outcome: Outcome
) -> None:
    def leave(stream: Stream) -> None:
        order = Placed("somebody-1", "f1", Side.BUY, Decimal(BUY), Decimal("0.0001"), reduce_only=False)
        match trace:
            case "cancel":
                stream.request(Action.CANCEL, order_id="f1")
            case "order":
                stream.show(order, OrderState.CANCELED)
            case "fill":
                stream.fill(order, row=False)
                stream.position = Decimal(0)
            case "setting":
                stream.settings(leverage=2)
            case "change":
                changed(stream)

    facts = no_trade_run(inside=leave)
    if trace == "fill":
        facts = without(facts, lambda f: isinstance(f, OrderSeen) or (isinstance(f, PositionSeen) and f.size != 0))
    if trace == "setting":  # the account stays as it was changed
        first = next(f.seq for f in facts if isinstance(f, SettingsRead) and f.leverage == 2)
        facts = without(facts, lambda f: isinstance(f, SettingsRead) and f.seq > first)
    kinds = {
        "cancel": lambda f: isinstance(f, RequestSent) and f.action is Action.CANCEL,
        "order": lambda f: isinstance(f, OrderSeen),
        "fill": lambda f: isinstance(f, FillSeen),
        "setting": lambda f: isinstance(f, SettingsRead) and f.leverage == 2,
        "change": lambda f: isinstance(f, ModeOrLeverageChanged),
    }
    one = next(fact for fact in facts if kinds[trace](fact))
    start_us, end_us = window(facts)
    verdict = judged(moved(facts, one, start_us - inside if end == "start" else end_us + inside))
    if trace == "order" and end == "end" and inside:
        assert verdict.reason == "the order somebody-1 ended after the window; when it began is unknown"
        return
    assert verdict.outcome is outcome, verdict.reason
    assert verdict.peak == (1 - inside)


def test_a_change_of_a_setting_is_told_unless_it_leads_to_what_was_declared() -> None:
    verdict = judged(no_trade_run(inside=changed))
    assert verdict.reason.startswith("leverage became 9 at 01:02:")
    assert judged(no_trade_run(inside=lambda stream: changed(stream, after="1"))).outcome is Outcome.HELD


def test_settings_that_become_others_are_told_with_all_three() -> None:
    facts = no_trade_run(inside=lambda stream: stream.settings(leverage=2))
    verdict = judged(facts)
    assert verdict.reason.startswith("the settings of the account became one_way_mode, crossed, 2 at 01:02:")
    assert {facts[seq].kind for seq in verdict.proof} == {"SettingsRead"}


def test_without_a_reading_before_the_window_the_first_one_in_it_counts() -> None:
    def unread(facts: list[Fact]) -> list[Fact]:
        start_us, _ = window(facts)
        return without(facts, lambda f: isinstance(f, SettingsRead) and f.t_local_us < start_us)

    assert judged(unread(no_trade_run())).outcome is Outcome.HELD
    assert judged(unread(no_trade_run(inside=lambda s: s.settings(leverage=2)))).outcome is Outcome.BROKEN
    assert judged(unread(no_trade_run(inside=changed))).outcome is Outcome.BROKEN


def test_without_any_reading_a_change_in_the_window_breaks_it() -> None:
    facts = without(no_trade_run(inside=changed), lambda f: isinstance(f, SettingsRead))
    assert judged(facts).reason.startswith("leverage became 9")


def test_a_reading_at_the_opening_that_was_written_before_it_is_what_counts() -> None:
    def put_right(stream: Stream) -> None:
        stream.to_minute()
        stream.settings(leverage=7)

    facts = no_trade_run(begun=put_right)  # the polls of the window read 1 again
    assert judged(facts).reason.startswith("the settings of the account became one_way_mode, crossed, 1")


def test_a_reading_of_before_the_window_counts_however_late_it_is_learned() -> None:
    facts = no_trade_run(inside=lambda stream: stream.settings(leverage=7))
    late = next(fact for fact in facts if isinstance(fact, SettingsRead) and fact.leverage == 7)
    start_us, _ = window(facts)
    told = [replace(f, t_venue_us=start_us - 1) if f is late else f for f in facts]
    assert judged(without(told, lambda _: False)).reason.startswith("the settings of the account became one_way_mode")


def test_the_position_that_was_declared_first_is_the_one_that_counts() -> None:
    facts = no_trade_run(declared="0.0003")
    again = [facts[0], replace(facts[0], declared_position=Decimal(0)), *facts[1:]]  # type: ignore[call-arg]
    assert judged(without(again, lambda _: False)).outcome is Outcome.HELD


def test_what_is_declared_is_declared_of_one_symbol() -> None:
    facts = no_trade_run(declared="0.0003")
    told = [replace(f, symbol="ETHUSDT") if f is last(facts, PositionSeen) else f for f in facts]  # type: ignore[call-arg]
    assert judged(without(told, lambda _: False)).reason == (
        "the run closed with a position of 0.0003 ETHUSDT at 01:04:08.000 UTC"
    )


def test_orders_in_the_lists_are_named_and_three_at_most() -> None:
    verdict = judged(no_trade_run(inside=lambda s: s.lists(plain=("a", "b"), trigger=("c", "d"))))
    assert verdict.reason.startswith("an order rests inside the window: a, b, trigger c at 01:02:")


def test_orders_are_told_apart_by_their_ids() -> None:
    def ended(stream: Stream) -> None:
        order = Placed("somebody-1", "f1", Side.BUY, Decimal(BUY), Decimal("0.0001"), reduce_only=False)
        stream.show(order, OrderState.CANCELED)

    facts = no_trade_run(begun=ended, inside=lambda s: s.show(known(s), OrderState.LIVE))
    assert judged(facts).reason.startswith("the order somebody-2 was live at the venue at 01:02:")
    assert judged(no_trade_run(begun=ended)).outcome is Outcome.HELD


def known(_: Stream) -> Placed:
    return Placed("somebody-2", "f2", Side.BUY, Decimal(BUY), Decimal("0.0001"), reduce_only=False)


def test_an_order_without_a_client_id_is_named_by_its_order_id() -> None:
    def ended(stream: Stream) -> None:
        stream.show(Placed("", "f1", Side.BUY, Decimal(BUY), Decimal(1), reduce_only=False), OrderState.CANCELED)

    assert judged(no_trade_run(ended=lambda s: ended(s.wait(1)))).reason == (
        "the order f1 ended after the window; when it began is unknown"
    )


@pytest.mark.parametrize(
    ("action", "fields", "what"),
    [
        (Action.PLACE, {"client_id": "x-1"}, "the bot placed x-1 outside the window at 01:04:01.000 UTC"),
        (Action.PLACE, {"order_id": "o1"}, "the bot placed o1 outside the window at 01:04:01.000 UTC"),
        (Action.SET_LEVERAGE, {}, "the bot sent POST /api/v2/mix/set_leverage outside the window at 01:04:01.000 UTC"),
    ],
)
def test_what_the_bot_did_outside_the_window_is_told_in_one_sentence(
    action: Action, fields: dict[str, str], what: str
) -> None:
    facts = no_trade_run(ended=lambda s: s.wait(1).request(action, **fields))
    verdict = judged(facts)
    assert verdict.reason == what
    assert [facts[seq].kind for seq in verdict.proof] == ["RequestSent"]


@pytest.mark.parametrize("kind", [OrderSeen, FillSeen])
@pytest.mark.parametrize("end", ["start", "end"])
def test_an_order_of_the_bot_at_the_ends_of_the_window_is_inside_it_and_told_once(kind: type, end: str) -> None:
    def show(stream: Stream) -> None:
        order = Placed("bot1-r1-9", "f9", Side.BUY, Decimal(BUY), Decimal("0.0001"), reduce_only=False)
        stream.fill(order, row=False)
        stream.position = Decimal(0)

    facts = no_trade_run(inside=show)
    facts = without(
        facts,
        lambda f: (
            (isinstance(f, OrderSeen | FillSeen) and not isinstance(f, kind))
            or (isinstance(f, PositionSeen) and f.size != 0)
        ),
    )
    start_us, end_us = window(facts)
    verdict = judged(moved(facts, last(facts, kind), start_us if end == "start" else end_us))
    assert (verdict.outcome, verdict.peak) == (Outcome.BROKEN, 1)


@pytest.mark.parametrize("end", ["start", "end"])
def test_an_order_sent_at_the_ends_of_the_window_is_inside_it_and_told_once(end: str) -> None:
    facts = no_trade_run(inside=lambda stream: stream.request(Action.PLACE, client_id="x-1"))
    sent = next(fact for fact in facts if isinstance(fact, RequestSent) and fact.action is Action.PLACE)
    verdict = judged(moved(facts, sent, window(facts)[end == "end"]))
    assert (verdict.outcome, verdict.peak) == (Outcome.BROKEN, 1)


# how much watch makes a zero


def test_a_window_of_one_minute_is_watched_by_its_polls() -> None:
    facts = no_trade_run(minutes=1)
    assert (judged(facts).outcome, judged(facts).exercise) == (Outcome.HELD, 1)


@pytest.mark.parametrize("end", ["start", "end"])
def test_a_poll_at_either_end_of_the_window_is_inside_it(end: str) -> None:
    facts = no_trade_run(minutes=1)
    start_us, end_us = window(facts)
    reads = [f for f in facts if isinstance(f, OpenOrdersRead) and start_us <= f.t_local_us <= end_us]
    alone = without(facts, lambda f: f in reads[1:])
    one = next(f for f in alone if isinstance(f, OpenOrdersRead) and f.t_local_us == reads[0].t_local_us)
    verdict = judged(moved(alone, one, start_us if end == "start" else end_us))
    # The closing instant begins a minute that is no longer of the window.
    assert verdict.outcome is (Outcome.HELD if end == "start" else Outcome.NOT_SHOWN)


@pytest.mark.parametrize(("lost", "outcome"), [((5, 20), Outcome.HELD), ((5, 20, 30), Outcome.NOT_SHOWN)])
def test_exactly_the_terms_share_of_the_minutes_is_enough(lost: tuple[int, ...], outcome: Outcome) -> None:
    facts = no_trade_run(minutes=40)
    start_us, _ = window(facts)
    kept = without(facts, lambda f: isinstance(f, OpenOrdersRead) and (f.t_local_us - start_us) // 60_000_000 in lost)
    verdict = judged(kept)
    assert verdict.outcome is outcome
    if outcome is Outcome.NOT_SHOWN:
        assert verdict.reason == "the venue was polled in 37 of 40 minutes of the window, 0.95 is the least"


@pytest.mark.parametrize(("kind", "name"), [(OpenOrdersRead, "open orders"), (PositionSeen, "position")])
def test_a_hole_in_the_watch_is_told_with_its_length(kind: type, name: str) -> None:
    facts = no_trade_run(minutes=60)
    start_us, _ = window(facts)
    kept = without(facts, lambda f: isinstance(f, kind) and 600_000_000 < f.t_local_us - start_us <= 725_000_000)
    assert judged(kept).reason == f"the {name} went unpolled for 130 s, 120 s is the most"
