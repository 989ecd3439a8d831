"""E10: every net position is closed by one reduce-only exit at a time, never larger than the position."""

from dataclasses import replace
from decimal import Decimal

import pytest
from streams import BUY, MICRO_CAP, SELL, Moment, Stream, broken, micro_cap_run, verdict_of, without

from botproof.events import (
    Action,
    ContractRead,
    Fact,
    OrderSeen,
    OrderState,
    OrderType,
    PositionSeen,
    RequestAnswered,
    RequestSent,
    RunEnded,
    RunStarted,
    Side,
)
from botproof.invariants.verdict import Outcome, Verdict

WIDE = replace(MICRO_CAP, total_amount_quote=Decimal(100))
PROFIT = "67532.8"


def trading(passage: Moment) -> Verdict:
    """E10 on a run whose only trading is `passage`."""
    return verdict_of("E10", micro_cap_run(flat=passage, trades=False), WIDE)


def bought(stream: Stream, size: str = "0.0001") -> None:
    stream.fill(stream.place(Side.BUY, BUY, size), size)


def test_a_position_closed_by_its_take_profit_is_held() -> None:
    verdict = verdict_of("E10", micro_cap_run())
    assert (verdict.outcome, verdict.exercise, verdict.limit) == (Outcome.HELD, 1, Decimal(5))


def test_without_a_position_it_is_not_shown() -> None:
    verdict = trading(lambda stream: stream.cancel(stream.place(Side.BUY, BUY)))
    assert (verdict.outcome, verdict.reason) == (Outcome.NOT_SHOWN, "0 of 1 net positions opened by fills and exited")


@pytest.mark.parametrize(("wait", "outcome"), [("4.999", Outcome.HELD), ("4.999001", Outcome.BROKEN)])
def test_an_exit_is_owed_within_exactly_the_terms_limit(wait: str, outcome: Outcome) -> None:
    def passage(stream: Stream) -> None:
        bought(stream)  # the push of the position takes one more millisecond
        stream.wait(wait)
        stream.fill(stream.place(Side.SELL, PROFIT, exits=True))

    assert trading(passage).outcome is outcome


def test_the_peak_is_the_longest_time_without_an_exit() -> None:
    def passage(stream: Stream) -> None:
        bought(stream)
        stream.wait("4.999")
        stream.fill(stream.place(Side.SELL, PROFIT, exits=True))

    assert (trading(passage).outcome, trading(passage).peak) == (Outcome.HELD, Decimal(5))


def test_a_bot_that_never_exits_breaks_it_and_e14() -> None:
    facts = micro_cap_run(flat=bought, trades=False)
    assert broken(facts) == {"E10", "E14"}
    assert "had no exit for" in verdict_of("E10", facts).reason


def test_an_exit_that_the_venue_refused_was_none() -> None:
    def passage(stream: Stream) -> None:
        bought(stream)
        for _ in range(3):
            order = stream.send(Side.SELL, PROFIT, exits=True)
            stream.wait(2).answer(order.request, code="40762")
        stream.fill(stream.place(Side.SELL, PROFIT, exits=True))

    assert "had no exit for 6" in trading(passage).reason


def test_a_second_exit_while_one_works_is_broken() -> None:
    def passage(stream: Stream) -> None:
        bought(stream, "0.0002")
        first = stream.place(Side.SELL, PROFIT, exits=True)
        second = stream.place(Side.SELL, PROFIT, exits=True)
        stream.fill(first)
        stream.fill(second)

    verdict = trading(passage)
    assert verdict.outcome is Outcome.BROKEN
    assert "was sent while exit sell bot1-r1-2 67532.8 x 0.0001 was working" in verdict.reason


def test_cancel_confirm_then_market_is_held() -> None:
    def passage(stream: Stream) -> None:
        bought(stream)
        stream.cancel(stream.place(Side.SELL, PROFIT, exits=True))
        stream.fill(stream.place(Side.SELL, None, exits=True))

    assert trading(passage).outcome is Outcome.HELD


def test_market_before_the_cancel_is_confirmed_is_broken() -> None:
    def passage(stream: Stream) -> None:
        bought(stream)
        resting = stream.place(Side.SELL, PROFIT, exits=True)
        market = stream.send(Side.SELL, None, exits=True)
        stream.wait("0.01").show(resting, OrderState.CANCELED)
        stream.fill(market)

    assert trading(passage).outcome is Outcome.BROKEN


@pytest.mark.parametrize(("size", "outcome"), [("0.0002", Outcome.HELD), ("0.0003", Outcome.BROKEN)])
def test_an_exit_is_at_most_the_position(size: str, outcome: Outcome) -> None:
    def passage(stream: Stream) -> None:
        bought(stream, "0.0002")
        exit_ = stream.place(Side.SELL, PROFIT, size, exits=True)
        stream.fill(exit_, "0.0002")
        stream.show(exit_, OrderState.CANCELED)

    assert trading(passage).outcome is outcome


def test_an_exit_follows_a_position_that_fills_in_parts() -> None:
    def passage(stream: Stream) -> None:
        entry = stream.place(Side.BUY, BUY, "0.0003")
        stream.fill(entry, "0.0001")
        first = stream.place(Side.SELL, PROFIT, "0.0001", exits=True)
        stream.wait(8).fill(entry, "0.0002")
        stream.cancel(first)
        second = stream.place(Side.SELL, PROFIT, "0.0003", exits=True)
        stream.wait(8).fill(second, "0.0001")
        stream.wait(8).fill(second, "0.0002")

    verdict = trading(passage)
    assert (verdict.outcome, verdict.exercise) == (Outcome.HELD, 1)


@pytest.mark.parametrize(("wait", "outcome"), [("4.9", Outcome.HELD), ("5.1", Outcome.BROKEN)])
def test_a_resting_exit_is_gone_soon_after_netting_to_flat(wait: str, outcome: Outcome) -> None:
    def passage(stream: Stream) -> None:
        sell = stream.place(Side.SELL, SELL)
        bought(stream)
        exit_ = stream.place(Side.SELL, PROFIT, exits=True)
        stream.wait(20).fill(sell)
        stream.wait(wait).show(exit_, OrderState.CANCELED)

    assert trading(passage).outcome is outcome


def test_opposite_entries_that_net_to_flat_owe_no_exit() -> None:
    def passage(stream: Stream) -> None:
        sell = stream.place(Side.SELL, SELL)
        bought(stream)
        stream.wait(1).fill(sell)

    def and_one_that_is_exited(stream: Stream) -> None:
        passage(stream)
        bought(stream)
        stream.fill(stream.place(Side.SELL, PROFIT, exits=True))

    verdict = trading(and_one_that_is_exited)
    assert (verdict.outcome, verdict.exercise) == (Outcome.HELD, 1)


def test_positions_that_were_only_netted_away_put_no_exit_to_the_test() -> None:
    def passage(stream: Stream) -> None:
        for _ in range(2):
            sell = stream.place(Side.SELL, SELL)
            bought(stream)
            stream.wait(1).fill(sell)

    verdict = trading(passage)
    assert (verdict.outcome, verdict.exercise) == (Outcome.NOT_SHOWN, 0)


def test_an_exit_that_the_venue_shows_without_reduce_only_is_none() -> None:
    facts = micro_cap_run()
    told = [replace(f, reduce_only=False) if isinstance(f, OrderSeen) else f for f in facts]
    verdict = verdict_of("E10", without(told, lambda _: False))
    assert verdict.outcome is Outcome.BROKEN
    assert "had no exit for" in verdict.reason


def test_a_venue_clock_that_is_ahead_breaks_nothing_that_the_tape_shows_in_order() -> None:
    def ahead(fact: Fact) -> Fact:
        return fact if fact.t_venue_us is None else replace(fact, t_venue_us=fact.t_venue_us + 900_000)

    told = [
        replace(f, t_local_us=f.t_venue_us) if isinstance(f, OrderSeen) and f.t_venue_us else f for f in micro_cap_run()
    ]
    assert broken(without(map(ahead, told), lambda _: False)) == set()


def test_an_exit_that_raced_with_netting_and_was_refused_with_22002_is_held() -> None:
    def passage(stream: Stream) -> None:
        sell = stream.place(Side.SELL, SELL)
        bought(stream)
        stream.fill(sell)
        order = stream.wait("0.05").send(Side.SELL, PROFIT, exits=True)
        stream.wait("0.02").answer(order.request, code="22002")

    assert trading(passage).outcome is Outcome.HELD


def test_an_exit_long_after_the_position_was_gone_is_broken() -> None:
    def passage(stream: Stream) -> None:
        sell = stream.place(Side.SELL, SELL)
        bought(stream)
        stream.fill(sell)
        order = stream.wait(6).send(Side.SELL, PROFIT, exits=True)
        stream.wait("0.02").answer(order.request, code="22002")

    assert "makes exits of 0.0001 for a position of 0" in trading(passage).reason


def test_an_exit_that_turns_the_position_is_broken() -> None:
    def passage(stream: Stream) -> None:
        bought(stream)
        exit_ = stream.place(Side.SELL, PROFIT, "0.0002", exits=True)
        stream.fill(exit_, "0.0002")
        stream.fill(stream.place(Side.BUY, BUY))

    assert any(word in trading(passage).reason for word in ("took the position", "makes exits"))


def test_an_exit_on_the_side_of_the_position_is_broken() -> None:
    def passage(stream: Stream) -> None:
        bought(stream)
        stream.fill(stream.place(Side.BUY, BUY, exits=True))
        stream.fill(stream.place(Side.SELL, PROFIT, "0.0002", exits=True), "0.0002")

    assert trading(passage).outcome is Outcome.BROKEN


def test_a_fill_that_the_observer_learns_of_late_counts_from_when_it_happened() -> None:
    def passage(stream: Stream) -> None:
        entry = stream.place(Side.BUY, BUY)
        filled_us = stream.now_us
        exit_ = stream.wait("0.05").place(Side.SELL, PROFIT, exits=True)
        now_us, stream.now_us = stream.now_us, filled_us
        stream.fill(entry)
        stream.now_us = now_us
        stream.wait(3).fill(exit_)

    assert trading(passage).outcome is Outcome.HELD


def test_each_net_position_is_an_exercise() -> None:
    def passage(stream: Stream) -> None:
        for _ in range(3):
            bought(stream)
            stream.fill(stream.place(Side.SELL, PROFIT, exits=True))

    assert trading(passage).exercise == 3


def test_a_short_is_judged_like_a_long() -> None:
    def passage(stream: Stream) -> None:
        stream.fill(stream.place(Side.SELL, SELL))
        stream.fill(stream.place(Side.BUY, "67465.3", exits=True))

    assert trading(passage).outcome is Outcome.HELD


def test_what_somebody_else_opened_owes_no_exit() -> None:
    def passage(stream: Stream) -> None:
        foreign = stream.place(Side.BUY, BUY)
        stream.cancel(foreign)
        foreign.client_id, foreign.order_id = "somebody-1", "f1"  # this one was never sent through the tap
        stream.fill(foreign, row=False)

    assert trading(passage).outcome is Outcome.NOT_SHOWN


def test_without_the_contract_it_is_not_shown() -> None:
    facts = without(micro_cap_run(), lambda fact: isinstance(fact, ContractRead))
    assert "quantity step is not on the tape" in verdict_of("E10", facts).reason


# the verdict's own words, and its edges


def test_a_verdict_says_its_limit_and_its_unit() -> None:
    verdict = verdict_of("E10", micro_cap_run())
    assert (verdict.limit, verdict.unit) == (Decimal(5), "s")


def test_a_doubt_of_the_books_is_told_in_their_words() -> None:
    facts = without(micro_cap_run(), lambda fact: isinstance(fact, PositionSeen))
    assert verdict_of("E10", facts).reason == "no position is on the tape"
    no_rules = without(micro_cap_run(), lambda fact: isinstance(fact, ContractRead))
    assert verdict_of("E10", no_rules).reason == "the contract's quantity step is not on the tape"


def test_a_position_without_an_exit_is_one_breach_with_its_size_its_length_and_its_beginning() -> None:
    def passage(stream: Stream) -> None:
        bought(stream)
        for _ in range(3):
            stream.wait(6).cancel(stream.place(Side.BUY, "67000"))
        stream.fill(stream.place(Side.SELL, PROFIT, exits=True))

    facts = micro_cap_run(flat=passage, trades=False)
    verdict = verdict_of("E10", facts, WIDE)
    assert verdict.reason == "a position of 0.0001 had no exit for 6.001 s from 01:01:01.060 UTC on"
    assert [facts[seq].kind for seq in verdict.proof] == ["FillSeen"]


def test_each_stretch_without_an_exit_is_a_breach_of_its_own() -> None:
    def passage(stream: Stream) -> None:
        for _ in range(2):
            bought(stream)
            stream.wait(6).fill(stream.place(Side.SELL, PROFIT, exits=True))

    verdict = trading(passage)
    assert verdict.reason.endswith("(and 1 more)")
    assert len(verdict.proof) == 2


def test_an_exit_larger_than_the_netted_position_is_one_breach_with_its_length_and_its_beginning() -> None:
    def passage(stream: Stream) -> None:
        sell = stream.place(Side.SELL, SELL)
        bought(stream)
        exit_ = stream.place(Side.SELL, PROFIT, exits=True)
        stream.wait(2).fill(sell)
        for _ in range(2):
            stream.wait(6).cancel(stream.place(Side.BUY, "67000"))
        stream.show(exit_, OrderState.CANCELED)

    facts = micro_cap_run(flat=passage, trades=False)
    verdict = verdict_of("E10", facts, WIDE)
    assert verdict.reason == "the exits were larger than the position for 6.001 s from 01:01:03.141 UTC on"
    assert [facts[seq].kind for seq in verdict.proof] == ["FillSeen"]


@pytest.mark.parametrize(("wait", "outcome"), [("4.999", Outcome.HELD), ("4.999001", Outcome.BROKEN)])
def test_a_netted_exit_is_gone_within_exactly_the_terms_limit(wait: str, outcome: Outcome) -> None:
    def passage(stream: Stream) -> None:
        sell = stream.place(Side.SELL, SELL)
        bought(stream)
        exit_ = stream.place(Side.SELL, PROFIT, exits=True)
        stream.fill(sell)  # the push of the position takes one more millisecond
        stream.wait(wait).show(exit_, OrderState.CANCELED)

    assert trading(passage).outcome is outcome


def test_two_exits_that_together_exceed_the_position_are_two_breaches() -> None:
    def passage(stream: Stream) -> None:
        bought(stream, "0.0003")
        first = stream.place(Side.SELL, PROFIT, "0.0002", exits=True)
        second = stream.place(Side.SELL, PROFIT, "0.0002", exits=True)
        stream.fill(first, "0.0002")
        stream.fill(second, "0.0001")

    facts = micro_cap_run(flat=passage, trades=False)
    verdict = verdict_of("E10", facts, WIDE)
    second = [fact.seq for fact in facts if isinstance(fact, RequestSent) and fact.is_exit][1]
    assert verdict.proof[:2] == (second, second)


def test_what_was_exited_in_time_is_proved_by_the_fill_that_opened_it() -> None:
    facts = micro_cap_run()
    verdict = verdict_of("E10", facts)
    assert [facts[seq].kind for seq in verdict.proof] == ["FillSeen"]


@pytest.mark.parametrize("side", list(Side))
def test_an_exit_that_was_filled_beyond_the_position_is_told_with_both_sizes(side: Side) -> None:
    def passage(stream: Stream) -> None:
        stream.fill(stream.place(side, BUY))
        stream.fill(stream.place(side.opposite, BUY, "0.0003", exits=True), "0.0003")
        stream.fill(stream.place(side, BUY, "0.0002", exits=True), "0.0002")

    verdict = trading(passage)
    assert verdict.reason.startswith(f"exit {side.opposite} bot1-r1-2 67263.7 x 0.0003 makes exits of 0.0003")
    assert len(verdict.proof) == 2


def test_a_fill_that_turns_the_position_within_the_largest_of_the_last_seconds_is_told_with_both_sizes() -> None:
    def passage(stream: Stream) -> None:
        sell = stream.place(Side.SELL, SELL)
        bought(stream)
        exit_ = stream.place(Side.SELL, PROFIT, exits=True)
        stream.fill(sell)
        stream.fill(exit_)
        stream.fill(stream.place(Side.BUY, PROFIT, exits=True))

    facts = micro_cap_run(flat=passage, trades=False)
    verdict = verdict_of("E10", facts, WIDE)
    assert verdict.reason == (
        "exit sell bot1-r1-3 67532.8 x 0.0001 took the position from 0 to -0.0001 at 01:01:01.142 UTC"
    )
    assert [facts[seq].kind for seq in verdict.proof] == ["FillSeen"]


def test_a_fill_of_nothing_takes_the_position_nowhere() -> None:
    def passage(stream: Stream, side: Side) -> None:
        stream.fill(stream.place(side, BUY))
        exit_ = stream.place(side.opposite, BUY, exits=True)
        stream.fill(exit_, "0")
        stream.fill(exit_)

    for side in Side:
        assert trading(lambda stream, side=side: passage(stream, side)).outcome is Outcome.HELD  # type: ignore[misc]


def test_a_position_that_is_left_at_the_end_is_broken_by_the_end() -> None:
    def passage(stream: Stream) -> None:
        bought(stream, "0.0003")
        stream.place(Side.SELL, PROFIT, "0.0003", exits=True)

    facts = micro_cap_run(flat=passage, trades=False)
    verdict = verdict_of("E10", facts, WIDE)
    assert verdict.reason == "a position of 0.0003 was left at the end of the run"
    assert [facts[seq].kind for seq in verdict.proof] == ["RunEnded"]


def inherited(passage: Moment, declared: str) -> Verdict:
    """E10 on a run that begins with a declared position."""
    facts = micro_cap_run(flat=passage, trades=False)
    held = Decimal(declared)

    def moved(fact: Fact) -> Fact:
        if isinstance(fact, RunStarted):
            return replace(fact, declared_position=held)
        return replace(fact, size=fact.size + held) if isinstance(fact, PositionSeen) else fact

    return verdict_of("E10", without(map(moved, facts), lambda _: False), WIDE)


def test_what_was_declared_is_there_at_the_end_and_owes_no_exit() -> None:
    def passage(stream: Stream) -> None:
        stream.wait(10)
        bought(stream)
        stream.fill(stream.place(Side.SELL, PROFIT, exits=True))

    verdict = inherited(passage, "0.0003")
    assert (verdict.outcome, verdict.exercise) == (Outcome.NOT_SHOWN, 0)  # the bot added to what it did not open


def test_an_exit_of_what_the_bot_did_not_open_is_no_exercise() -> None:
    def passage(stream: Stream) -> None:
        stream.fill(stream.place(Side.SELL, PROFIT, exits=True))

    verdict = inherited(passage, "0.0001")
    assert (verdict.outcome, verdict.exercise) == (Outcome.NOT_SHOWN, 0)


def test_an_entry_that_nets_away_what_was_declared_opens_nothing() -> None:
    verdict = inherited(lambda stream: bought(stream.wait(1)), "-0.0001")
    assert (verdict.outcome, verdict.exercise) == (Outcome.NOT_SHOWN, 0)


def test_an_entry_that_turns_what_was_declared_owes_an_exit() -> None:
    verdict = inherited(lambda stream: bought(stream, "0.0003"), "-0.0001")
    assert verdict.reason.startswith("a position of 0.0002 had no exit for")


def test_a_short_with_its_exit_resting_is_held_however_long_it_lasts() -> None:
    def passage(stream: Stream) -> None:
        stream.fill(stream.place(Side.SELL, SELL))
        exit_ = stream.place(Side.BUY, "67465.3", exits=True)
        stream.wait(20).cancel(stream.place(Side.BUY, "67000"))
        stream.fill(exit_)

    assert trading(passage).outcome is Outcome.HELD


def test_less_than_one_step_is_dust_that_owes_no_exit() -> None:
    def passage(stream: Stream) -> None:
        bought(stream)
        stream.fill(stream.place(Side.SELL, PROFIT, exits=True), "0.00005")
        stream.wait(20)

    verdict = trading(passage)
    assert (verdict.outcome, verdict.exercise) == (Outcome.HELD, 1)


def test_a_position_without_an_exit_is_broken_even_where_the_contract_is_unknown() -> None:
    facts = without(micro_cap_run(flat=bought, trades=False), lambda fact: isinstance(fact, ContractRead))
    assert verdict_of("E10", facts).reason.startswith("a position of 0.0001 had no exit for")


def test_a_breach_on_a_tape_without_its_end_stays_broken() -> None:
    def late(stream: Stream) -> None:
        bought(stream)
        stream.wait(6).fill(stream.place(Side.SELL, PROFIT, exits=True))

    facts = micro_cap_run(flat=late, trades=False)
    assert verdict_of("E10", without(facts, lambda fact: isinstance(fact, RunEnded))).outcome is Outcome.BROKEN


def by_the_venue_alone(passage: Moment) -> Verdict:
    """E10 where the tap saw none of the orders being sent."""
    facts = micro_cap_run(flat=passage, trades=False)
    return verdict_of("E10", without(facts, lambda f: isinstance(f, RequestSent | RequestAnswered)), WIDE)


def test_an_order_under_the_runs_prefix_is_the_bots_though_nobody_saw_it_sent() -> None:
    assert by_the_venue_alone(bought).reason.startswith("a position of 0.0001 had no exit for")

    def twice(stream: Stream) -> None:
        bought(stream, "0.0002")
        exits = [stream.place(Side.SELL, PROFIT, exits=True) for _ in range(2)]
        for exit_ in exits:
            stream.fill(exit_)

    assert "was sent while exit sell bot1-r1-2 67532.8 x 0.0001 was working" in by_the_venue_alone(twice).reason


def test_an_order_under_the_runs_prefix_that_the_venue_alone_saw_covers_the_position() -> None:
    def passage(stream: Stream) -> None:
        bought(stream)
        stream.wait(8).fill(stream.place(Side.SELL, PROFIT, exits=True))

    def covered(stream: Stream) -> None:
        bought(stream)
        exit_ = stream.place(Side.SELL, PROFIT, exits=True)
        stream.wait(8).fill(exit_)

    assert by_the_venue_alone(passage).outcome is Outcome.BROKEN
    assert (by_the_venue_alone(covered).outcome, by_the_venue_alone(covered).exercise) == (Outcome.HELD, 1)


def test_the_largest_position_of_the_last_seconds_counts_to_exactly_the_terms_limit() -> None:
    def passage(stream: Stream, wait: str) -> None:
        sell = stream.place(Side.SELL, SELL)
        bought(stream)
        stream.fill(sell)  # the push of the position takes one more millisecond
        stream.wait(wait).answer(stream.send(Side.SELL, PROFIT, exits=True).request, code="22002")

    for wait, broken_ in (("4.999", False), ("4.999001", True)):
        verdict = trading(lambda stream, wait=wait: passage(stream, wait))  # type: ignore[misc]
        assert (verdict.outcome is Outcome.BROKEN) is broken_, wait


def test_a_position_of_long_ago_excuses_no_exit_of_today() -> None:
    def passage(stream: Stream) -> None:
        sell = stream.place(Side.SELL, SELL, "0.0003")
        bought(stream, "0.0003")
        stream.fill(sell, "0.0002")
        stream.wait(3).fill(sell)
        order = stream.wait(3).send(Side.SELL, PROFIT, "0.0002", exits=True)
        stream.answer(order.request, code="22002")

    assert "makes exits of 0.0002 for a position of 0.0001" in trading(passage).reason


def test_an_exit_at_the_instant_of_the_fill_leaves_no_time_without_one() -> None:
    def passage(stream: Stream) -> None:
        entry = stream.place(Side.BUY, BUY)
        filled_us = stream.now_us
        stream.fill(entry)
        stream.now_us = filled_us
        exit_ = stream.place(Side.SELL, PROFIT, exits=True)
        stream.wait(8).fill(exit_)

    assert (trading(passage).outcome, trading(passage).peak) == (Outcome.HELD, Decimal(0))


def test_what_is_left_at_the_end_is_measured_from_what_was_declared() -> None:
    def passage(stream: Stream) -> None:
        bought(stream, "0.0003")  # turns the declared short
        stream.fill(stream.place(Side.SELL, PROFIT, "0.0002", exits=True), "0.0002")

    assert inherited(passage, "-0.0001").reason == "a position of 0.0001 was left at the end of the run"


# an exit that lapses


def lapsing(stream: Stream, *, waits: str, accepted: bool = False) -> None:
    """A market exit that never lands (or rests unfilled), and one that closes the position so much later."""
    bought(stream)
    first = stream.send(Side.SELL, None, exits=True)
    if accepted:
        stream.wait("0.02").show(first, OrderState.LIVE)
        stream.answer(first.request, order_id=first.order_id, client_id=first.client_id)
        stream.wait("4.98").wait(waits)
        stream.fill(first)
        return
    stream.wait(10).lose(first.request)
    look_up = stream.wait(waits).request(Action.READ, client_id=first.client_id)
    stream.wait("0.02").answer(look_up.request, code="40109")
    stream.fill(stream.place(Side.SELL, None, exits=True))


@pytest.mark.parametrize("accepted", [False, True])
@pytest.mark.parametrize(("waits", "outcome"), [("4.9", Outcome.HELD), ("5.1", Outcome.BROKEN)])
def test_a_market_exit_that_is_unknown_or_unfilled_is_soon_none(waits: str, outcome: Outcome, accepted: bool) -> None:
    assert trading(lambda s: lapsing(s, waits=waits, accepted=accepted)).outcome is outcome


def test_a_bot_that_keeps_asking_in_vain_for_its_exit_does_what_it_can() -> None:
    def cut_off(stream: Stream, asks: bool) -> None:
        bought(stream)
        first = stream.send(Side.SELL, None, exits=True)
        stream.wait(10).lose(first.request)
        for _ in range(3):
            if asks:
                asked = stream.wait(1).request(Action.READ, client_id=first.client_id)
                stream.wait(9).lose(asked.request)
            else:
                stream.wait(10)
        found = stream.request(Action.READ, client_id=first.client_id)
        stream.wait("0.02").answer(found.request, code="40109")
        stream.fill(stream.place(Side.SELL, None, exits=True))

    assert trading(lambda s: cut_off(s, asks=True)).outcome is Outcome.HELD
    assert trading(lambda s: cut_off(s, asks=False)).outcome is Outcome.BROKEN


def test_a_retry_under_its_client_id_counts_anew() -> None:
    def retried(stream: Stream, waits: str) -> None:
        bought(stream)
        first = stream.send(Side.SELL, None, exits=True)
        stream.wait(10).lose(first.request)
        again = stream.wait(waits).request(
            Action.PLACE,
            side=Side.SELL,
            order_type=OrderType.MARKET,
            size=first.size,
            reduce_only=True,
            client_id=first.client_id,
        )
        stream.wait(8).fill(first)
        stream.answer(again.request, order_id=first.order_id, client_id=first.client_id)

    assert trading(lambda s: retried(s, "4")).outcome is Outcome.HELD
    assert trading(lambda s: retried(s, "6")).outcome is Outcome.BROKEN


def test_a_take_profit_that_rests_does_not_lapse() -> None:
    def resting(stream: Stream) -> None:
        bought(stream)
        exit_ = stream.place(Side.SELL, PROFIT, exits=True)
        stream.wait(40).fill(exit_)

    assert trading(resting).outcome is Outcome.HELD
