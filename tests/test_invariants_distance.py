"""E6: every entry keeps the profile's distance from mid."""

from dataclasses import replace
from decimal import Decimal

import pytest
from streams import BUY, MICRO_CAP, Stream, broken, micro_cap_run, retape, verdict_of, without
from streams_money import folded, held_with_one_twice, held_without_one, lost_with_one_twice

from botproof.events import Action, Fact, OrderState, RequestAnswered, RequestSent, Side, Source, TopOfBook
from botproof.invariants.catalogue import IMPLICATIONS
from botproof.invariants.distance import Distance
from botproof.invariants.verdict import Outcome
from botproof.profile import Profile

MARK = "60000.05"  # a mid of 60000: the buy stands at 59790 or lower, the sell at 60210 or higher


def book(stream: Stream, mark: str = MARK, *, src: Source = Source.VENUE, late: str = "0") -> None:
    """Best prices around a mid of `mark` less half a tick, published now and delivered `late` seconds later."""
    price = Decimal(mark)
    stream.write(
        TopOfBook(
            src=src,
            t_venue_us=stream.now_us,
            t_local_us=stream.now_us + int(Decimal(late) * 1_000_000),
            symbol="BTCUSDT",
            bid=price - Decimal("0.1"),
            bid_size=Decimal(1),
            ask=price,
            ask_size=Decimal(1),
            via="ticker" if src is Source.VENUE else "depth",
        )
    )


def entry(side: Side, price: str | None, *, age: str = "0.5", src: Source = Source.VENUE) -> list[Fact]:
    """A run with one entry, sent `age` seconds after its only fresh book."""

    def send(stream: Stream) -> None:
        book(stream.wait(5), src=src)
        stream.cancel(stream.wait(age).place(side, price))

    return micro_cap_run(flat=send, trades=False)


def every_entry_with_a_book(**moments: object) -> list[Fact]:
    return micro_cap_run(quoted=lambda stream: stream.ticker(), **moments)  # type: ignore[arg-type]


def test_a_correct_run_is_held() -> None:
    verdict = verdict_of("E6", every_entry_with_a_book())
    assert (verdict.outcome, verdict.exercise) == (Outcome.HELD, 4)
    assert (verdict.peak, verdict.limit, verdict.unit) == (Decimal(0), Decimal("0.1"), "USDT")


@pytest.mark.parametrize(
    ("side", "price", "outcome"),
    [
        (Side.BUY, "59790", Outcome.HELD),
        (Side.BUY, "59790.1", Outcome.HELD),  # one tick inside is within
        (Side.BUY, "59790.2", Outcome.BROKEN),
        (Side.SELL, "60210", Outcome.HELD),
        (Side.SELL, "60209.9", Outcome.HELD),
        (Side.SELL, "60209.8", Outcome.BROKEN),
        (Side.BUY, "50000", Outcome.HELD),  # further out is no breach
        (Side.BUY, "60100", Outcome.BROKEN),  # on the wrong side of mid
    ],
)
def test_an_entry_keeps_the_spread_less_one_tick(side: Side, price: str, outcome: Outcome) -> None:
    assert verdict_of("E6", entry(side, price)).outcome is outcome


def test_a_breach_tells_distance_mid_and_what_was_owed() -> None:
    verdict = verdict_of("E6", entry(Side.BUY, "59790.2"))
    assert verdict.reason == (
        "entry buy bot1-r1-1 59790.2 x 0.0001 at 01:01:06.520 UTC: 209.80 USDT from mid 60000, "
        "0.0035 of it is 210.00, less a tick of 0.1"
    )
    assert verdict.peak == Decimal("0.2")


def test_the_nearest_spread_of_the_side_rules() -> None:
    spreads: Profile = replace(MICRO_CAP, buy_spreads=(Decimal("0.005"), Decimal("0.001")))
    assert verdict_of("E6", entry(Side.BUY, "59940.1"), spreads).outcome is Outcome.HELD
    assert verdict_of("E6", entry(Side.BUY, "59940.2"), spreads).outcome is Outcome.BROKEN
    assert verdict_of("E6", entry(Side.SELL, "60209.8"), spreads).outcome is Outcome.BROKEN


def test_an_entry_on_a_side_that_the_profile_does_not_quote_is_broken() -> None:
    assert "quotes no buy" in verdict_of("E6", entry(Side.BUY, "50000"), replace(MICRO_CAP, buy_spreads=())).reason


# which books count


@pytest.mark.parametrize("src", [Source.VENUE, Source.TAP])
def test_a_book_of_exactly_one_second_counts_and_an_older_one_does_not(src: Source) -> None:
    assert verdict_of("E6", entry(Side.BUY, "59790", age="1", src=src)).outcome is Outcome.HELD
    verdict = verdict_of("E6", entry(Side.BUY, "59790", age="1.000001", src=src))
    assert (verdict.outcome, verdict.exercise) == (Outcome.NOT_SHOWN, 0)
    assert "without a book at most 1 s old" in verdict.reason


def test_an_entry_without_a_fresh_book_is_never_held_beside_others_that_were() -> None:
    def send(stream: Stream) -> None:
        stream.cancel(stream.wait(5).place(Side.BUY, BUY))

    facts = every_entry_with_a_book(flat=send)
    assert verdict_of("E6", facts).exercise == 2
    assert verdict_of("E6", facts).outcome is Outcome.NOT_SHOWN


@pytest.mark.parametrize(("side", "price"), [(Side.BUY, "59790.2"), (Side.SELL, "60209.8")])
def test_of_several_books_the_most_favourable_counts(side: Side, price: str) -> None:
    def send(stream: Stream) -> None:
        book(stream.wait(5), "60000.95" if side is Side.BUY else "59999.15")
        book(stream.wait("0.3"))
        stream.cancel(stream.wait("0.3").place(side, price))

    assert verdict_of("E6", micro_cap_run(flat=send, trades=False)).outcome is Outcome.HELD


@pytest.mark.parametrize(("published", "outcome"), [("0", Outcome.HELD), ("0.000001", Outcome.BROKEN)])
def test_a_book_that_the_observer_got_late_counts_from_its_publication(published: str, outcome: Outcome) -> None:
    """The bot may have been told before the observer; it cannot have been told before the venue said it."""

    def send(stream: Stream) -> None:
        book(stream.wait(5), "59000.05")
        sent_us = stream.wait("0.5").now_us
        order = stream.send(Side.BUY, "59790")
        book(stream.wait(published), late="0.1")
        stream.now_us = sent_us + 200_000
        stream.answer(order.request, code="40762")

    facts = micro_cap_run(flat=send, trades=False)
    assert verdict_of("E6", facts).outcome is outcome
    assert verdict_of("E6", retape(sorted(facts, key=lambda fact: fact.t_local_us))).outcome is outcome


def test_the_order_of_an_instant_on_the_tape_changes_nothing() -> None:
    def send(stream: Stream) -> None:
        order = stream.wait(5).send(Side.BUY, "59790.2")
        book(stream)
        stream.wait("0.02").answer(order.request, code="40762")

    assert verdict_of("E6", micro_cap_run(flat=send, trades=False)).outcome is Outcome.BROKEN


def test_a_book_with_an_empty_side_has_no_mid() -> None:
    def send(stream: Stream) -> None:
        book(stream.wait(5))
        stream.cancel(stream.wait("0.1").place(Side.SELL, "60000"))

    facts = micro_cap_run(flat=send, trades=False)
    empty = [replace(f, bid=Decimal(0)) if isinstance(f, TopOfBook) and f.ask == Decimal(MARK) else f for f in facts]
    assert verdict_of("E6", retape(empty)).outcome is Outcome.NOT_SHOWN
    assert verdict_of("E6", facts).outcome is Outcome.BROKEN


def test_a_book_of_another_symbol_does_not_count() -> None:
    facts = [replace(f, symbol="ETHUSDT") if isinstance(f, TopOfBook) else f for f in entry(Side.BUY, "59790")]
    assert verdict_of("E6", retape(facts)).outcome is Outcome.NOT_SHOWN


# which entries count


def test_an_entry_at_market_breaks_it_with_or_without_a_book() -> None:
    assert "at market" in verdict_of("E6", entry(Side.BUY, None)).reason
    facts = entry(Side.BUY, None, age="3")
    assert verdict_of("E6", facts).outcome is Outcome.BROKEN
    assert broken(facts) <= {"E5"} | IMPLICATIONS["E5"]


def test_an_exit_may_stand_anywhere() -> None:
    def send(stream: Stream) -> None:
        stream.cancel(stream.place(Side.SELL, "67500", exits=True))

    assert verdict_of("E6", every_entry_with_a_book(held=send)).outcome is Outcome.HELD


def test_a_refused_entry_is_judged_as_sent() -> None:
    def send(stream: Stream) -> None:
        order = stream.send(Side.BUY, "67400")
        stream.wait("0.02").answer(order.request, code="40762")

    assert verdict_of("E6", every_entry_with_a_book(flat=send)).outcome is Outcome.BROKEN


def retried(code: str = "", price: str = "59790", *, ended: bool = False, status: int = 400) -> list[Fact]:
    """An entry that is sent, not answered (or with `code`), and sent again after the market has fallen."""

    def send(stream: Stream) -> None:
        book(stream.wait(5))
        order = stream.wait("0.1").send(Side.BUY, "59790")
        if ended:
            stream.show(order, OrderState.CANCELED)
        if code:
            stream.wait("0.02").answer(order.request, code=code)
        else:
            stream.wait(2).lose(order.request)
        book(stream.wait(1), "59800.05")
        again = stream.wait("0.1").send(Side.BUY, price, client_id=order.client_id)
        stream.wait("0.02").answer(again.request, order_id=order.order_id, client_id=order.client_id)
        if not ended:
            stream.show(order, OrderState.CANCELED)

    facts = micro_cap_run(flat=send, trades=False)
    return retape(
        replace(f, http_status=status) if isinstance(f, RequestAnswered) and not f.accepted else f for f in facts
    )


def test_a_retry_of_an_entry_that_may_stand_is_the_same_order() -> None:
    assert verdict_of("E6", retried()).outcome is Outcome.HELD
    assert verdict_of("E6", retried()).exercise == 1


def test_an_entry_sent_again_after_its_refusal_or_end_is_judged_again() -> None:
    assert verdict_of("E6", retried("40762")).outcome is Outcome.BROKEN
    assert verdict_of("E6", retried(ended=True)).outcome is Outcome.BROKEN


@pytest.mark.parametrize(("status", "outcome"), [(499, Outcome.BROKEN), (500, Outcome.HELD), (502, Outcome.HELD)])
def test_a_server_that_failed_refuses_nothing_so_the_retry_is_the_same_order(status: int, outcome: Outcome) -> None:
    assert verdict_of("E6", retried("50000", status=status)).outcome is outcome


def test_an_entry_sent_again_after_a_look_up_did_not_find_it_is_judged_again() -> None:
    def send(stream: Stream) -> None:
        book(stream.wait(5))
        order = stream.wait("0.1").send(Side.BUY, "59790")
        look_up = stream.wait(10).request(Action.READ, client_id=order.client_id)
        stream.wait("0.02").answer(look_up.request, code="40109")
        book(stream.wait(1), "59800.05")
        again = stream.wait("0.1").send(Side.BUY, "59790", client_id=order.client_id)
        stream.wait("0.02").answer(again.request, code="40762")

    assert verdict_of("E6", micro_cap_run(flat=send, trades=False)).outcome is Outcome.BROKEN


def test_another_price_under_the_same_client_id_is_no_retry() -> None:
    assert verdict_of("E6", retried(price="59790.1")).outcome is Outcome.BROKEN


# what is missing


def test_an_idle_run_does_not_show_it() -> None:
    verdict = verdict_of("E6", micro_cap_run(trades=False))
    assert (verdict.outcome, verdict.reason) == (Outcome.NOT_SHOWN, "0 of 1 entries with a book at most 1 s old")


def test_without_the_tick_it_is_not_shown() -> None:
    facts = without(every_entry_with_a_book(), lambda fact: fact.kind == "ContractRead")
    assert "before the contract's tick was read" in verdict_of("E6", facts).reason


@pytest.mark.parametrize("field", ["side", "price"])
def test_an_entry_that_cannot_be_read_is_not_shown(field: str) -> None:
    def unread(fact: Fact) -> Fact:
        if not isinstance(fact, RequestSent) or not fact.is_entry:
            return fact
        return replace(fact, side=None) if field == "side" else replace(fact, price=None)

    assert verdict_of("E6", retape(map(unread, every_entry_with_a_book()))).outcome is Outcome.NOT_SHOWN


def test_no_single_fact_taken_away_or_told_twice_improves_it() -> None:
    for facts in (entry(Side.BUY, "59790.2"), entry(Side.BUY, "59790", age="2"), entry(Side.SELL, None)):
        assert held_without_one(Distance, facts) == []
        assert held_with_one_twice(Distance, facts) == []
    whole = every_entry_with_a_book()
    assert folded(Distance, whole).outcome is Outcome.HELD
    assert lost_with_one_twice(Distance, whole) == []
