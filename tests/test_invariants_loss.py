"""E18: the loss stays within the limit."""

from decimal import Decimal

import pytest
from streams import BUY, MICRO_CAP, TERMS, Placed, Stream, micro_cap_run, verdict_of, without
from streams_money import (
    MIDNIGHT_US,
    balance,
    bill,
    earlier,
    folded,
    funded_run,
    held_with_one_twice,
    held_without_one,
    lost_with_one_twice,
)

from botproof.events import BalanceSeen, BillSeen, EarlierToday, Fact, OrderState, Side
from botproof.invariants.loss import Loss
from botproof.invariants.verdict import Outcome


def lost(amount: str, *, result: str = "0", billed: bool = True) -> list[Fact]:
    """A run that ends with `amount` less in the wallet than the 20 USDT it began with."""

    def bills(stream: Stream) -> None:
        if billed:
            bill(stream, f"-{amount}", "sell")

    return funded_run(result=result, closed=bills, closing_equity=str(Decimal(20) - Decimal(amount)))


def outcome(facts: list[Fact]) -> Outcome:
    return verdict_of("E18", facts).outcome


def test_a_correct_run_is_held_with_its_peak_against_the_limit() -> None:
    verdict = verdict_of("E18", lost("0.0123"))
    assert (verdict.outcome, verdict.exercise) == (Outcome.HELD, 2)
    assert (verdict.peak, verdict.limit, verdict.unit) == (Decimal("0.0123"), Decimal("0.6"), "USDT")


def test_a_loss_exactly_at_the_limit_is_held_and_above_it_by_the_last_digit_is_broken() -> None:
    assert outcome(lost("0.6")) is Outcome.HELD
    verdict = verdict_of("E18", lost("0.60000001"))
    assert verdict.outcome is Outcome.BROKEN
    assert verdict.reason == "0.60000001 USDT were lost at 01:03:08.000 UTC, the limit is 0.60"


def test_a_gain_is_a_loss_of_nothing() -> None:
    facts = funded_run(closed=lambda stream: bill(stream, "3", "sell"), closing_equity="23")
    assert (verdict_of("E18", facts).outcome, verdict_of("E18", facts).peak) == (Outcome.HELD, Decimal(0))


def test_a_loss_that_was_made_good_again_was_a_loss() -> None:
    facts = funded_run(held=lambda stream: balance(stream, "19.3", unrealized="-0.7"))
    verdict = verdict_of("E18", facts)
    assert (verdict.outcome, verdict.peak) == (Outcome.BROKEN, Decimal("0.7"))


def test_a_stretch_above_the_limit_is_one_breach() -> None:
    def twice(stream: Stream) -> None:
        for equity in ("19.3", "19.2", "20", "19.1"):
            balance(stream.wait("0.01"), equity, unrealized=str(Decimal(equity) - 20))

    assert len(verdict_of("E18", funded_run(held=twice)).proof) == 2


# the day


@pytest.mark.parametrize(("result", "amount", "expected"), [
    ("-0.5", "0.1", Outcome.HELD),
    ("-0.5", "0.10000001", Outcome.BROKEN),
    ("0.5", "1.1", Outcome.HELD),  # a gain of an earlier run counts against it
    ("0.5", "1.10000001", Outcome.BROKEN),
])  # fmt: skip
def test_all_runs_of_the_day_count_together(result: str, amount: str, expected: Outcome) -> None:
    assert outcome(lost(amount, result=result)) is expected


def test_a_bot_that_finds_the_limit_reached_and_trades_nothing_broke_nothing() -> None:
    verdict = verdict_of("E18", funded_run(result="-5", trades=False))
    assert (verdict.outcome, verdict.reason) == (Outcome.NOT_SHOWN, "0 of 1 fills")
    assert outcome(funded_run(result="-5")) is Outcome.BROKEN


def over_midnight(before: str, after: str) -> list[Fact]:
    """A fill on the first day, `before` lost when it ends, and `after` lost on the second day."""

    def night(stream: Stream) -> None:
        stream.fill(stream.place(Side.BUY, BUY))
        stream.fill(stream.wait("0.1").place(Side.SELL, "67532.8", exits=True))
        stream.now_us = MIDNIGHT_US - 5_000_000
        balance(stream, str(20 - Decimal(before)))
        stream.now_us = MIDNIGHT_US + 5_000_000
        balance(stream, str(20 - Decimal(before) - Decimal(after)))

    total = Decimal(before) + Decimal(after)
    return funded_run(
        flat=night, trades=False, closed=lambda s: bill(s, str(-total), "sell"), closing_equity=str(20 - total)
    )


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("0.6", "0.6", Outcome.HELD),
        ("0.60000001", "0", Outcome.BROKEN),
        ("0", "0.60000001", Outcome.BROKEN),
        ("-2", "0.60000001", Outcome.BROKEN),  # the gain of yesterday is of yesterday
    ],
)
def test_at_midnight_the_loss_starts_anew_from_the_equity_then_known(
    before: str, after: str, expected: Outcome
) -> None:
    assert folded(Loss, over_midnight(before, after)).outcome is expected


# transfers


def transferred(amount: str, equity: str, *, apart: str = "5", billed: bool = True, kind: str = "") -> list[Fact]:
    """`amount` is transferred (or booked as `kind`) while a position stands; `apart` seconds later the equity is `equity`, to the end."""

    def during(stream: Stream) -> None:
        at_us.append(stream.now_us)
        balance(stream.wait(apart), equity)
        stream.wait(5)

    def bills(stream: Stream) -> None:
        if billed:
            way = "trans_to_exchange" if "-" in amount else "trans_from_exchange"
            bill(stream, amount, kind or way, at_us=at_us[0])
        bill(stream, str(Decimal(equity) - 20 - Decimal(amount)), "sell", name="result")

    at_us: list[int] = []
    return funded_run(held=during, closed=bills, closing_equity=equity)


@pytest.mark.parametrize(
    ("amount", "equity", "expected"),
    [
        ("5", "24.4", Outcome.HELD),
        ("5", "24.39999999", Outcome.BROKEN),  # what was put in hides no loss
        ("-5", "14.4", Outcome.HELD),  # what was taken out is none
        ("-5", "14.39999999", Outcome.BROKEN),
    ],
)
def test_transfers_are_no_gain_and_no_loss(amount: str, equity: str, expected: Outcome) -> None:
    assert outcome(transferred(amount, equity)) is expected


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("bonus_issue", Outcome.BROKEN),
        ("what_the_venue_invents", Outcome.BROKEN),
        ("contract_settle_fee", Outcome.HELD),
        ("close_long", Outcome.HELD),
    ],
)
def test_what_books_neither_a_trade_nor_funding_hides_no_loss(kind: str, expected: Outcome) -> None:
    assert outcome(transferred("1", "20", kind=kind)) is expected


@pytest.mark.parametrize(("apart", "peak"), [("1", "0"), ("1.000001", "5")])
def test_a_reading_within_a_second_of_a_transfer_is_left_out(apart: str, peak: str) -> None:
    """Nobody can say on which side of the transfer it lies; here it lacks the money that had come in."""
    happened_us: list[int] = []

    def during(stream: Stream) -> None:
        happened_us.append(stream.now_us)
        balance(stream.wait(apart), "15")
        stream.wait(2)

    def bills(stream: Stream) -> None:
        bill(stream, "5", at_us=happened_us[0])

    facts = funded_run(held=during, closed=bills, equity="15", closing_equity="20")
    assert verdict_of("E18", facts).peak == Decimal(peak)


def test_a_transfer_before_midnight_is_in_the_equity_known_at_midnight() -> None:
    def night(stream: Stream) -> None:
        stream.fill(stream.place(Side.BUY, BUY))
        stream.fill(stream.wait("0.1").place(Side.SELL, "67532.8", exits=True))
        stream.now_us = MIDNIGHT_US - 60_000_000
        balance(stream, "20")
        stream.now_us = MIDNIGHT_US + 5_000_000
        balance(stream, "15")

    def bills(stream: Stream) -> None:
        bill(stream, "-5", "trans_to_exchange", at_us=MIDNIGHT_US - 30_000_000)

    verdict = folded(Loss, funded_run(flat=night, trades=False, closed=bills, closing_equity="15"))
    assert (verdict.outcome, verdict.peak) == (Outcome.HELD, Decimal(0))


def test_a_transfer_that_is_not_on_the_tape_does_not_hide_a_loss() -> None:
    verdict = verdict_of("E18", transferred("5", "24", billed=False))
    assert (verdict.outcome, "the bills explain" in verdict.reason) == (Outcome.NOT_SHOWN, True)


def test_funding_and_fees_are_losses() -> None:
    facts = funded_run(closed=lambda s: bill(s, "-0.7", "contract_settle_fee"), closing_equity="19.3")
    assert outcome(facts) is Outcome.BROKEN


# whose loss it is


def test_what_was_lost_before_the_bot_s_first_fill_is_judged_from_that_fill_on() -> None:
    def dip(stream: Stream) -> None:
        balance(stream, "19", unrealized="-1")
        balance(stream.wait(1), "20")

    assert outcome(funded_run(flat=dip)) is Outcome.HELD


def test_a_fill_of_somebody_else_is_no_exercise() -> None:
    theirs = Placed("theirs-1", "f1", Side.BUY, Decimal(67000), Decimal("0.0001"), False)

    def before(stream: Stream) -> None:
        stream.lists("preflight", plain=("f1",))
        stream.show(theirs, OrderState.LIVE)

    facts = funded_run(start=before, flat=lambda s: s.fill(theirs, row=False), trades=False)
    assert verdict_of("E18", facts).reason == "0 of 1 fills"


# what is missing


def test_an_idle_run_does_not_show_it() -> None:
    assert verdict_of("E18", funded_run(trades=False)).reason == "0 of 1 fills"


@pytest.mark.parametrize("kind", ["BalanceSeen", "EarlierToday", "FillSeen"])
def test_it_is_not_shown_without_what_it_needs(kind: str) -> None:
    assert outcome(without(funded_run(), lambda fact: fact.kind == kind)) is Outcome.NOT_SHOWN


@pytest.mark.parametrize(
    ("via", "reason"), [("preflight", "when the run began"), ("closing", "after the last fill and the stop")]
)
def test_it_is_not_shown_without_the_first_and_the_last_reading(via: str, reason: str) -> None:
    facts = without(funded_run(), lambda fact: isinstance(fact, BalanceSeen) and fact.via == via)
    verdict = verdict_of("E18", facts)
    assert (verdict.outcome, reason in verdict.reason) == (Outcome.NOT_SHOWN, True)


def test_a_fill_after_the_last_reading_is_not_shown() -> None:
    def after(stream: Stream) -> None:
        balance(stream, "20", via="closing")
        stream.fill(stream.wait(1).place(Side.BUY, BUY))

    facts = funded_run(closed=after)
    last = [fact for fact in facts if isinstance(fact, BalanceSeen)][-1]
    assert folded(Loss, facts).outcome is Outcome.HELD
    assert folded(Loss, [fact for fact in facts if fact is not last]).outcome is Outcome.NOT_SHOWN


def test_bills_that_do_not_explain_the_wallet_are_not_shown() -> None:
    assert outcome(lost("0.01", billed=False)) is Outcome.HELD
    assert outcome(lost("0.01000001", billed=False)) is Outcome.NOT_SHOWN
    assert outcome(lost("0.7", billed=False)) is Outcome.BROKEN  # a breach is one, explained or not


def test_two_readings_of_the_day_before_that_differ_show_nothing() -> None:
    facts = funded_run(start=lambda stream: earlier(stream, result="1"))
    assert outcome(facts) is Outcome.NOT_SHOWN
    assert len([fact for fact in facts if isinstance(fact, EarlierToday)]) == 2


def test_a_bill_told_twice_counts_once() -> None:
    facts = transferred("5", "24.4")
    assert [fact for fact in facts if isinstance(fact, BillSeen)]
    assert lost_with_one_twice(Loss, facts) == []


def test_no_single_fact_taken_away_or_told_twice_improves_it() -> None:
    for facts in (lost("0.7"), transferred("5", "24.3"), lost("0.2", result="-0.5")):
        assert folded(Loss, facts).outcome is Outcome.BROKEN
        assert held_without_one(Loss, facts) == []
        assert held_with_one_twice(Loss, facts) == []
    assert lost_with_one_twice(Loss, lost("0.6")) == []


def test_the_order_of_the_tape_changes_nothing() -> None:
    for facts in (over_midnight("0.6", "0.6"), over_midnight("0", "0.7")):
        again = folded(Loss, sorted(facts, key=lambda fact: (fact.kind, -fact.seq)))
        assert (again.outcome, again.peak) == (folded(Loss, facts).outcome, folded(Loss, facts).peak)


def test_without_an_account_the_micro_cap_run_does_not_show_it() -> None:
    assert outcome(micro_cap_run()) is Outcome.NOT_SHOWN
    assert (TERMS.loss_limit_fraction, MICRO_CAP.total_amount_quote) == (Decimal("0.03"), Decimal(20))
