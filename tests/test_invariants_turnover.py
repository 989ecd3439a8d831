"""E7: turnover stays within the cap."""

from dataclasses import replace
from decimal import Decimal

import pytest
from streams import BUY, MICRO_CAP, SELL, TERMS, Placed, Stream, micro_cap_run, retape, verdict_of, without
from streams_money import (
    MIDNIGHT_US,
    balance,
    earlier,
    folded,
    funded_run,
    held_with_one_twice,
    held_without_one,
    lost_with_one_twice,
    moved,
)

from botproof.events import Action, EarlierToday, Fact, FillSeen, OrderState, Side
from botproof.invariants.turnover import Turnover
from botproof.invariants.verdict import Outcome
from botproof.profile import Profile


def cap(multiple: str) -> Profile:
    return replace(MICRO_CAP, turnover_cap_x=Decimal(multiple))


def pair(stream: Stream) -> None:
    """Both quotes, 13.50 USDT together, and their cancels."""
    for order in [stream.place(Side.BUY, BUY), stream.place(Side.SELL, SELL)]:
        stream.cancel(order)


def round_trip(stream: Stream) -> None:
    """A buy of 6.72637 USDT and its take-profit of 6.75328, both filled."""
    stream.fill(stream.place(Side.BUY, BUY))
    stream.fill(stream.wait("0.1").place(Side.SELL, "67532.8", exits=True))


def outcome(facts: list[Fact], profile: Profile = MICRO_CAP) -> Outcome:
    return verdict_of("E7", facts, profile).outcome


def test_a_correct_run_is_held_with_its_peak_against_the_cap() -> None:
    verdict = verdict_of("E7", funded_run())
    assert (verdict.outcome, verdict.exercise) == (Outcome.HELD, 1)
    assert (verdict.peak, verdict.limit, verdict.unit) == (Decimal("0.675"), Decimal("1.5"), "x")


def test_turnover_exactly_at_the_cap_is_held_and_above_it_by_the_last_digit_is_broken() -> None:
    assert outcome(funded_run(traded="16.5")) is Outcome.HELD
    verdict = verdict_of("E7", funded_run(traded="16.50001"))
    assert verdict.outcome is Outcome.BROKEN
    assert verdict.reason.startswith(
        "entry sell bot1-r1-2 67736.3 x 0.0001 at 01:01:01.060 UTC: "
        "traded today 16.50001 + open entries 13.50 USDT, above the cap 30.00 = 1.5 x 20.00"
    )
    assert verdict.peak == Decimal("1.500001")


def test_a_cap_that_the_run_meets_exactly_is_held() -> None:
    assert outcome(funded_run(), cap("0.675")) is Outcome.HELD
    assert outcome(funded_run(), cap("0.6749999")) is Outcome.BROKEN


def test_both_sides_of_a_round_trip_count() -> None:
    facts = funded_run(flat=round_trip)  # 13.47965 traded, and two quotes
    assert verdict_of("E7", facts).peak == Decimal("1.348983")

    def twice(stream: Stream) -> None:
        for _ in range(2):
            round_trip(stream)

    assert outcome(funded_run(flat=twice)) is Outcome.BROKEN


def test_an_exit_is_never_held_back_and_takes_the_day_beyond_the_cap() -> None:
    facts = funded_run(traded="16.5")  # the entry takes it to 30 at most, the exit to 36.7
    assert outcome(facts) is Outcome.HELD

    def quote_after(stream: Stream) -> None:
        round_trip(stream)
        pair(stream.wait(2))

    assert outcome(funded_run(traded="16.5", flat=quote_after, trades=False)) is Outcome.BROKEN


def test_the_envelope_rules_where_the_account_holds_more() -> None:
    assert outcome(funded_run(equity="1000", traded="16.5")) is Outcome.HELD
    assert outcome(funded_run(equity="1000", traded="16.50001")) is Outcome.BROKEN


@pytest.mark.parametrize(("equity", "expected"), [("9", Outcome.HELD), ("8.99", Outcome.BROKEN)])
def test_the_equity_rules_where_the_account_holds_less(equity: str, expected: Outcome) -> None:
    assert outcome(funded_run(equity=equity)) is expected


def test_an_account_without_money_may_not_send_an_entry() -> None:
    verdict = verdict_of("E7", funded_run(equity="-1"))
    assert (verdict.outcome, verdict.peak) == (Outcome.BROKEN, None)


@pytest.mark.parametrize(("traded", "expected"), [("106.5", Outcome.HELD), ("106.50001", Outcome.BROKEN)])
def test_the_hard_limit_of_the_terms_rules_a_profile_that_allows_more(traded: str, expected: Outcome) -> None:
    verdict = verdict_of("E7", funded_run(traded=traded), cap("10"))
    assert (verdict.outcome, verdict.limit) == (expected, Decimal(6))
    assert ("above the hard limit 120.00 = 6 x 20.00" in verdict.reason) is (expected is Outcome.BROKEN)


# open entries


def test_a_sent_and_unanswered_entry_counts() -> None:
    def lose(stream: Stream) -> None:
        stream.lose(stream.send(Side.BUY, BUY).request)

    assert verdict_of("E7", funded_run(quoted=lose)).peak == Decimal("1.011319")  # 20.22637 / 20, rounded up


def test_a_refused_entry_counts_until_its_refusal_only() -> None:
    def refused(stream: Stream) -> None:
        order = stream.send(Side.BUY, BUY, "0.0002")
        stream.wait("0.02").answer(order.request, code="40762")

    assert verdict_of("E7", funded_run(flat=refused)).peak == Decimal("0.675")
    assert outcome(funded_run(flat=refused), cap("0.6")) is Outcome.BROKEN


def test_an_entry_being_cancelled_counts_until_the_venue_has_ended_it() -> None:
    def requote_at_the_answer(stream: Stream) -> None:
        old = [stream.place(Side.BUY, BUY), stream.place(Side.SELL, SELL)]
        new = stream.place(Side.BUY, BUY)
        for order in (*old, new):
            stream.show(order, OrderState.CANCELED)

    assert verdict_of("E7", funded_run(flat=requote_at_the_answer)).peak == Decimal("1.011319")


def test_a_partly_filled_entry_counts_once_as_traded_and_open() -> None:
    def in_parts(stream: Stream) -> None:
        order = stream.place(Side.BUY, BUY, "0.0003")
        stream.fill(order)
        other = stream.place(Side.SELL, SELL)
        stream.fill(order)
        stream.cancel(order)
        stream.cancel(other)
        stream.fill(stream.place(Side.SELL, "67532.8", "0.0002", exits=True))

    # 0.0003 of the buy, traded or open, and the sell: 20.17911 + 6.77363
    assert verdict_of("E7", funded_run(flat=in_parts, trades=False)).peak == Decimal("1.347637")


def test_a_retry_under_the_same_client_id_is_one_order() -> None:
    def retry(stream: Stream) -> None:
        order = stream.send(Side.BUY, BUY)
        stream.wait(1).lose(order.request)
        again = stream.send(Side.BUY, BUY, client_id=order.client_id)
        stream.wait("0.02").answer(again.request, order_id=order.order_id, client_id=order.client_id)
        stream.cancel(order)

    assert verdict_of("E7", funded_run(flat=retry)).peak == Decimal("0.675")


def test_an_entry_at_market_counts_at_mark() -> None:
    def at_market(stream: Stream) -> None:
        order = stream.send(Side.BUY, None, "0.0004")
        stream.wait("0.02").answer(order.request, code="40762")

    assert verdict_of("E7", funded_run(flat=at_market, trades=False)).peak == Decimal("1.35")
    unmarked = without(funded_run(flat=at_market), lambda fact: fact.kind == "TopOfBook")
    assert "no mark was known" in verdict_of("E7", unmarked).reason


# who learns of a fill when


def after_an_exit(apart: str, *, maker: bool = True) -> list[Fact]:
    """A round trip of 13.47965 USDT, and an entry of 6.72637 `apart` seconds after the exit's fill."""

    def trade(stream: Stream) -> None:
        round_trip(stream)
        stream.now_us += int(Decimal(apart) * 1_000_000) - 1000  # the position was shown 1 ms after the fill
        stream.cancel(stream.place(Side.BUY, BUY))

    facts = funded_run(flat=trade, trades=False)
    return retape(replace(fact, is_maker=maker) if isinstance(fact, FillSeen) else fact for fact in facts)


@pytest.mark.parametrize(("apart", "expected"), [("0.1", Outcome.HELD), ("1", Outcome.HELD), ("1.001", Outcome.BROKEN)])
def test_the_maker_fill_of_an_exit_need_not_be_known_for_a_second(apart: str, expected: Outcome) -> None:
    assert outcome(after_an_exit(apart), cap("1")) is expected


def test_what_the_bot_itself_sent_to_be_filled_counts_at_once() -> None:
    assert outcome(after_an_exit("0.1", maker=False), cap("1")) is Outcome.BROKEN


def test_a_fill_that_the_observer_learned_of_late_counts_from_when_it_happened() -> None:
    late = moved(after_an_exit("1.5"), FillSeen, 2_000_000)
    assert outcome(late, cap("1")) is Outcome.BROKEN


def test_an_entry_that_fills_within_the_second_before_is_missed_nowhere() -> None:
    def trade(stream: Stream) -> None:
        stream.fill(stream.place(Side.BUY, BUY))
        stream.cancel(stream.wait("0.1").place(Side.BUY, BUY))
        stream.fill(stream.place(Side.SELL, "67532.8", exits=True))

    assert verdict_of("E7", funded_run(flat=trade, trades=False)).peak == Decimal("0.672637")


def filled_above(apart: str) -> list[Fact]:
    """A sell whose fill was 100 USDT better than its price, and a second one `apart` seconds after the fill."""

    def trade(stream: Stream) -> None:
        stream.fill(stream.place(Side.SELL, SELL))
        stream.now_us += int(Decimal(apart) * 1_000_000) - 1000
        stream.cancel(stream.place(Side.SELL, SELL))
        stream.fill(stream.place(Side.BUY, BUY, exits=True))

    better = Decimal("67836.3")
    facts = funded_run(flat=trade, trades=False)
    return retape(replace(f, price=better) if isinstance(f, FillSeen) and f.side is Side.SELL else f for f in facts)


def test_how_much_better_an_entry_filled_need_not_be_known_for_a_second() -> None:
    assert verdict_of("E7", filled_above("1")).peak == Decimal("0.677363")
    assert verdict_of("E7", filled_above("1.001")).peak == Decimal("0.677863")


def foreign(apart: str) -> list[Fact]:
    """Somebody else's order, there before the bot began, fills 16.75328 USDT `apart` seconds before the quotes."""
    theirs = Placed("theirs-1", "f1", Side.BUY, Decimal("67013.12"), Decimal("0.00025"), False)

    def before(stream: Stream) -> None:
        stream.lists("preflight", plain=("f1",))
        stream.show(theirs, OrderState.LIVE)

    def fill(stream: Stream) -> None:
        stream.fill(theirs, "0.00025", row=False)
        stream.now_us += int(Decimal(apart) * 1_000_000) - 1000
        pair(stream)

    return funded_run(start=before, flat=fill, trades=False)


def test_fills_of_others_count_after_a_second_and_their_open_orders_do_not() -> None:
    assert verdict_of("E7", foreign("0.5")).peak == Decimal("0.675")
    assert verdict_of("E7", foreign("1.5")).outcome is Outcome.BROKEN
    assert verdict_of("E7", foreign("1.5")).exercise == 0


# equity


@pytest.mark.parametrize(("later", "expected"), [("28.939999", Outcome.HELD), ("28.94", Outcome.BROKEN)])
def test_an_equity_that_fell_is_known_after_a_poll_at_the_latest(later: str, expected: Outcome) -> None:
    def fallen(stream: Stream) -> None:
        balance(stream, "8.99")

    def quote(stream: Stream) -> None:  # the sell goes out 1.06 s later than that after the reading of 8.99
        pair(stream.wait(later))
        round_trip(stream)

    facts = funded_run(equity="9", start=fallen, flat=quote, trades=False)
    assert outcome(facts) is expected


def test_an_equity_that_is_too_old_is_none() -> None:
    def quote(stream: Stream) -> None:
        pair(stream.wait("88.94"))

    facts = funded_run(flat=quote, trades=False)
    assert verdict_of("E7", facts).reason == "0 of 1 fills of entries"
    late = funded_run(flat=lambda stream: quote(stream.wait("0.000001")), trades=False)
    assert "no equity was known" in verdict_of("E7", late).reason
    assert outcome(funded_run(flat=lambda stream: balance(stream.wait(89), "20"))) is Outcome.HELD


def test_a_balance_read_after_the_sending_does_not_count() -> None:
    def richer(stream: Stream) -> None:
        balance(stream, "20")

    assert outcome(funded_run(equity="8.99", quoted=richer)) is Outcome.BROKEN


# the day


def around_midnight(at_us: int, *, traded: str = "16.6") -> list[Fact]:
    """The quotes go out at an instant near midnight; 16.6 USDT had been traded on the day on which the run began."""

    def at_night(stream: Stream) -> None:
        stream.now_us = at_us - 5_000_000
        balance(stream, "20")
        stream.now_us = at_us
        pair(stream)

    return funded_run(traded=traded, flat=at_night, trades=False)


def test_at_midnight_the_count_begins_anew() -> None:
    assert folded(Turnover, around_midnight(MIDNIGHT_US - 60_000)).peak == Decimal("1.505")
    assert folded(Turnover, around_midnight(MIDNIGHT_US)).peak == Decimal("0.675")


def test_a_fill_belongs_to_the_day_of_the_venue() -> None:
    def over_midnight(stream: Stream) -> None:
        stream.now_us = MIDNIGHT_US - 2_000_000
        balance(stream, "20")
        order = stream.place(Side.BUY, BUY)
        stream.now_us = MIDNIGHT_US - 1000
        stream.fill(order)
        exit_ = stream.wait("0.5").place(Side.SELL, "67532.8", exits=True)
        stream.fill(exit_)
        pair(stream.wait(2))

    facts = funded_run(flat=over_midnight, trades=False)
    assert folded(Turnover, moved(facts, FillSeen, 700_000)).peak == Decimal("1.012664")  # 6.75328 + 13.5
    assert folded(Turnover, facts).peak == Decimal("1.012664")


def test_an_entry_that_rests_over_midnight_is_open_on_the_new_day() -> None:
    def resting(stream: Stream) -> None:
        stream.now_us = MIDNIGHT_US - 2_000_000
        balance(stream, "20")
        order = stream.place(Side.BUY, BUY, "0.0002")
        pair(stream.wait(5))
        stream.cancel(order)

    assert folded(Turnover, funded_run(flat=resting, trades=False)).peak == Decimal("1.347637")


# what is missing


def test_an_idle_run_does_not_show_it() -> None:
    verdict = verdict_of("E7", funded_run(trades=False))
    assert (verdict.outcome, verdict.reason) == (Outcome.NOT_SHOWN, "0 of 1 fills of entries")


def test_quotes_without_a_fill_do_not_show_it() -> None:
    assert outcome(funded_run(flat=pair, trades=False)) is Outcome.NOT_SHOWN


@pytest.mark.parametrize("kind", ["EarlierToday", "BalanceSeen", "RequestSent", "FillSeen", "PositionSeen"])
def test_it_is_not_shown_without_what_it_needs(kind: str) -> None:
    assert outcome(without(funded_run(), lambda fact: fact.kind == kind)) is Outcome.NOT_SHOWN


def test_what_was_done_earlier_is_not_needed_on_a_later_day() -> None:
    def trade(stream: Stream) -> None:
        stream.now_us = MIDNIGHT_US
        balance(stream, "20")
        round_trip(stream)

    facts = [f for f in funded_run(flat=trade, trades=False) if not isinstance(f, EarlierToday)]
    assert folded(Turnover, facts).outcome is Outcome.HELD


def test_two_readings_of_the_day_before_that_differ_show_nothing() -> None:
    assert outcome(funded_run(start=lambda stream: earlier(stream, "1"))) is Outcome.NOT_SHOWN
    assert outcome(funded_run(start=earlier)) is Outcome.HELD


def test_no_single_fact_taken_away_or_told_twice_improves_it() -> None:
    for facts, profile in ((funded_run(traded="16.50001"), MICRO_CAP), (after_an_exit("1.5"), cap("1"))):
        assert folded(Turnover, facts, profile).outcome is Outcome.BROKEN
        assert held_without_one(Turnover, facts, profile) == []
        assert held_with_one_twice(Turnover, facts, profile) == []
    assert lost_with_one_twice(Turnover, funded_run()) == []


def test_facts_out_of_their_order_say_the_same() -> None:
    facts = funded_run(flat=round_trip)
    expected = verdict_of("E7", facts)
    late = verdict_of("E7", moved(facts, FillSeen, 90_000))
    assert (late.outcome, late.peak, late.exercise) == (expected.outcome, expected.peak, expected.exercise)
    anyhow = folded(Turnover, sorted(facts, key=lambda fact: (fact.kind != "RunStarted", fact.t_local_us, -fact.seq)))
    assert (anyhow.outcome, anyhow.peak) == (expected.outcome, expected.peak)


def test_without_balances_the_micro_cap_run_does_not_show_it() -> None:
    assert "is not on the tape" in verdict_of("E7", micro_cap_run()).reason
    assert TERMS.turnover_hard_x == 6


@pytest.mark.parametrize("refused", [True, False])
def test_an_entry_under_the_client_id_of_an_order_that_never_landed_is_judged_when_it_is_sent(*, refused: bool) -> None:
    def again(stream: Stream, *, same_id: bool) -> None:
        stream.ticker()
        order = stream.send(Side.BUY, BUY)
        never_landed(stream, order, refused=refused)
        for _ in range(2):
            round_trip(stream.wait(5))
        sent = stream.wait(5).send(Side.BUY, BUY, **({"client_id": order.client_id} if same_id else {}))
        stream.answer(sent.request, code="40762")

    for same_id in (True, False):
        verdict = verdict_of(
            "E7", funded_run(flat=lambda stream, same_id=same_id: again(stream, same_id=same_id), trades=False)
        )
        assert verdict.outcome is Outcome.BROKEN
        assert "traded today 26.9593 + open entries 6.72637 USDT" in verdict.reason


def never_landed(stream: Stream, order: Placed, *, refused: bool) -> None:
    """The venue refuses the order, or it is lost and looked up."""
    if refused:
        stream.wait("0.05").answer(order.request, code="40762")
        return
    stream.wait(10).lose(order.request)
    look_up = stream.request(Action.READ, client_id=order.client_id)
    stream.wait("0.05").answer(look_up.request, code="40109")
