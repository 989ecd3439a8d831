"""N1: nothing was traded, asked for or left open in the whole no-trade window."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest
from streams import BUY, NO_TRADE, SELL, Stream, broken, held, micro_cap_run, no_trade_run, verdict_of, without

from botproof.events import (
    Action,
    Fact,
    ModeOrLeverageChanged,
    OpenOrdersRead,
    OrderSeen,
    OrderState,
    PositionSeen,
    RequestSent,
    SettingsRead,
    Side,
    Source,
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
    verdict = judged(without(no_trade_run(), lambda f: isinstance(f, RequestSent) and f.request == 2))
    assert verdict.outcome is Outcome.HELD  # a reading that was never answered
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
