"""E12: what the bot itself can know of an order whose request was not answered, and what only the observer knows."""

from dataclasses import replace
from decimal import Decimal

import pytest
from streams import BUY, MICRO_CAP, SELL, Moment, Placed, Stream, micro_cap_run, retape, verdict_of, without
from test_invariants_answers import look_up, lost, place

from botproof.events import Action, BotRestarted, OrderSeen, OrderState, Side, Source, TopOfBook
from botproof.invariants.answers import OPEN_ORDERS
from botproof.invariants.verdict import Outcome, Verdict

PAST_ORDERS = "/api/v2/mix/order/orders-history"
FILLS = "/api/v2/mix/order/fills"
TWO_LEVELS = replace(
    MICRO_CAP,
    total_amount_quote=Decimal(100),
    buy_spreads=(Decimal("0.0035"), Decimal("0.0075")),
    buy_amounts_pct=(Decimal(50), Decimal(50)),
)
SECOND_BUY = "66993.7"  # 0.0075 below 67499.95


def told(passage: Moment) -> Verdict:
    return verdict_of("E12", micro_cap_run(flat=lambda s: (place(s), passage(s)), trades=False))


def landed(stream: Stream) -> Placed:
    """An order that the venue took and shows open, and whose answer was lost."""
    order = stream.send(Side.BUY, BUY)
    stream.wait("0.05").show(order, OrderState.LIVE)
    stream.wait(10).lose(order.request)
    return order


def read(stream: Stream, path: str, **fields: str) -> None:
    sent = stream.request(Action.READ, path=path, **fields)
    stream.wait("0.1").answer(sent.request)


def test_an_order_that_landed_is_doubled_by_the_next_of_its_kind() -> None:
    def doubled(stream: Stream) -> None:
        first = landed(stream)
        second = stream.wait("0.001").place(Side.BUY, BUY)
        stream.cancel(first)
        stream.cancel(second)

    verdict = told(doubled)
    assert verdict.outcome is Outcome.BROKEN
    assert "while the fate of bot1-r1-2 was unknown" in verdict.reason


def test_a_bot_that_heard_of_it_cancels_it_before_the_next() -> None:
    def refreshed(stream: Stream) -> None:
        stream.cancel(landed(stream))
        place(stream)

    assert told(refreshed).outcome is Outcome.HELD


@pytest.mark.parametrize("reads", [True, False])
def test_a_bot_that_looked_it_up_or_read_the_open_orders_knows_of_it(reads: bool) -> None:
    def known(stream: Stream) -> None:
        order = landed(stream)
        if reads:
            read(stream, OPEN_ORDERS)
        else:
            look_up(stream, order, "00000")
        place(stream)
        stream.cancel(order)

    assert told(known).outcome is Outcome.HELD


def test_the_venues_record_of_it_is_enough_at_the_end() -> None:
    assert told(landed).outcome is Outcome.HELD


@pytest.mark.parametrize("past", [PAST_ORDERS, FILLS])
@pytest.mark.parametrize("turned", [False, True])
def test_open_and_past_orders_read_since_tell_the_fate_of_what_never_landed(past: str, turned: bool) -> None:
    def listed(stream: Stream) -> None:
        lost(stream)
        for path in (past, OPEN_ORDERS) if turned else (OPEN_ORDERS, past):
            read(stream, path)
        place(stream)

    assert told(listed).outcome is Outcome.HELD


def test_lists_of_before_of_another_symbol_or_of_one_order_tell_nothing() -> None:
    def before(stream: Stream) -> None:
        order = stream.send(Side.BUY, BUY)
        asked = [stream.wait(1).request(Action.READ, path=path) for path in (OPEN_ORDERS, PAST_ORDERS)]
        stream.wait(8).lose(order.request)
        for sent in asked:
            stream.answer(sent.request)
        place(stream)

    def elsewhere(stream: Stream, **fields: str) -> None:
        lost(stream)
        for path in (OPEN_ORDERS, PAST_ORDERS):
            read(stream, path, **fields)
        place(stream)

    assert told(before).outcome is Outcome.BROKEN
    assert told(lambda s: elsewhere(s, symbol="ETHUSDT")).outcome is Outcome.BROKEN
    assert told(lambda s: elsewhere(s, order_id="o77")).outcome is Outcome.BROKEN


@pytest.mark.parametrize(("after", "outcome"), [("30", Outcome.HELD), ("30.000001", Outcome.BROKEN)])
def test_an_unknown_order_is_asked_for_within_exactly_the_terms_limit(after: str, outcome: Outcome) -> None:
    def asked(stream: Stream) -> None:
        order = lost(stream)
        look_up(stream.wait(after), order)

    def listed(stream: Stream) -> None:
        lost(stream)
        stream.wait(after)
        read(stream, OPEN_ORDERS)
        read(stream, PAST_ORDERS)

    for passage in (asked, listed):
        verdict = told(passage)
        assert verdict.outcome is outcome
        assert verdict.reason.startswith("the fate of bot1-r1-2 was unknown at") is (outcome is Outcome.BROKEN)


def test_what_the_venue_showed_in_time_need_not_be_asked_for_and_what_it_showed_later_does() -> None:
    def shown(stream: Stream, after: str) -> None:
        order = lost(stream)
        stream.wait(after).show(order, OrderState.LIVE)
        stream.wait(1).show(order, OrderState.CANCELED)

    assert told(lambda s: shown(s, "29")).outcome is Outcome.HELD
    assert told(lambda s: shown(s, "31")).outcome is Outcome.BROKEN


@pytest.mark.parametrize(("after", "outcome"), [("30", Outcome.HELD), ("31", Outcome.BROKEN)])
def test_a_restarted_bot_has_as_long_from_its_restart(after: str, outcome: Outcome) -> None:
    def restarted(stream: Stream) -> None:
        lost(stream)
        stream.wait(20)
        stream.write(BotRestarted(src=Source.RUN, t_local_us=stream.now_us, start=2, client_id_prefix="bot1-r1-r2-"))
        read(stream.wait(after), OPEN_ORDERS)

    assert told(restarted).outcome is outcome


@pytest.mark.parametrize(
    ("price", "outcome"), [(SECOND_BUY, Outcome.HELD), (BUY, Outcome.BROKEN), ("67130", Outcome.BROKEN)]
)
def test_an_entry_for_another_level_is_of_another_kind(price: str, outcome: Outcome) -> None:
    def levels(stream: Stream) -> None:
        place(stream)
        stream.ticker()
        order = lost(stream)
        stream.ticker()
        stream.cancel(stream.place(Side.BUY, price))
        look_up(stream, order)

    assert verdict_of("E12", micro_cap_run(TWO_LEVELS, flat=levels, trades=False), TWO_LEVELS).outcome is outcome


def test_a_level_goes_with_the_market() -> None:
    def moved(stream: Stream) -> None:
        place(stream)
        stream.ticker()
        order = lost(stream)
        stream.ticker("67800")  # 0.0035 below it is nearer to the other price than to the first
        stream.cancel(stream.place(Side.BUY, "67562.7"))
        look_up(stream, order)

    verdict = verdict_of("E12", micro_cap_run(TWO_LEVELS, flat=moved, trades=False), TWO_LEVELS)
    assert verdict.outcome is Outcome.BROKEN


def test_without_a_second_level_every_entry_of_a_side_is_of_one_kind() -> None:
    def other_price(stream: Stream) -> None:
        order = lost(stream)
        stream.cancel(stream.place(Side.BUY, SECOND_BUY))
        look_up(stream, order)

    assert told(other_price).outcome is Outcome.BROKEN


def test_every_fate_that_stays_unknown_is_told_beside_those_that_the_record_tells() -> None:
    def two(stream: Stream) -> None:
        landed(stream)
        lost(stream, Side.SELL)

    verdict = told(two)
    assert verdict.reason.startswith("the fate of bot1-r1-3 was unknown at 01:01:")
    assert len(verdict.proof) == 1


def test_past_orders_alone_are_no_question_for_an_order() -> None:
    def past(stream: Stream) -> None:
        order = lost(stream)
        read(stream, PAST_ORDERS)
        look_up(stream.wait(40), order)

    assert told(past).reason == (
        "the fate of bot1-r1-2 was unknown at 01:01:11.100 UTC, and nobody asked for it before 01:01:51.200 UTC"
    )


def test_what_is_asked_for_too_late_and_never_told_is_one_breach() -> None:
    def late(stream: Stream) -> None:
        order = lost(stream)
        for _ in range(2):
            look_up(stream.wait(40), order, "40010")

    verdict = told(late)
    assert verdict.reason.endswith("and nobody asked for it before 01:01:51.100 UTC")
    assert len(verdict.proof) == 1


def test_what_was_asked_for_in_time_may_be_asked_for_again() -> None:
    def again(stream: Stream) -> None:
        order = lost(stream)
        look_up(stream, order, "40010")
        look_up(stream.wait(40), order)

    assert told(again).outcome is Outcome.HELD


def test_what_was_shown_before_it_became_unknown_need_not_be_asked_for() -> None:
    def later(stream: Stream) -> None:
        order = landed(stream)
        look_up(stream.wait(40), order)

    assert told(later).outcome is Outcome.HELD


def test_lists_of_all_symbols_tell_of_each() -> None:
    def listed(stream: Stream, symbol: str) -> None:
        lost(stream)
        for path in (OPEN_ORDERS, PAST_ORDERS):
            read(stream, path, symbol=symbol)
        place(stream)

    assert told(lambda s: listed(s, "")).outcome is Outcome.HELD
    assert told(lambda s: listed(s, "BTCUSDT")).outcome is Outcome.HELD


def test_the_list_of_open_orders_of_all_symbols_asks_for_each() -> None:
    def asked(stream: Stream) -> None:
        order = lost(stream)
        read(stream, OPEN_ORDERS, symbol="")
        look_up(stream.wait(40), order)

    assert told(asked).outcome is Outcome.HELD


def test_a_list_read_at_the_very_instant_of_the_silence_tells_nothing() -> None:
    def at_once(stream: Stream) -> None:
        lost(stream)
        for path in (OPEN_ORDERS, PAST_ORDERS):
            stream.answer(stream.request(Action.READ, path=path).request)
        place(stream.wait(1))

    assert told(at_once).outcome is Outcome.BROKEN


def test_a_report_without_the_client_id_is_of_the_order_that_has_its_order_id() -> None:
    def ended(stream: Stream) -> None:
        order = landed(stream)
        stream.wait(1).show(order, OrderState.CANCELED)
        place(stream)

    facts = micro_cap_run(flat=lambda s: (place(s), ended(s)), trades=False)
    bare = [
        replace(fact, client_id="")
        if isinstance(fact, OrderSeen) and fact.order_id == "o2" and fact.state is OrderState.CANCELED
        else fact
        for fact in facts
    ]
    assert verdict_of("E12", retape(bare)).outcome is Outcome.HELD


@pytest.mark.parametrize("known", [True, False])
def test_a_look_up_by_order_id_settles_the_order_that_is_known_by_it(known: bool) -> None:
    def asked(stream: Stream) -> None:
        order = landed(stream)
        read(stream, "/api/v2/mix/order/detail", order_id=order.order_id if known else "o77")
        place(stream)

    assert told(asked).outcome is (Outcome.HELD if known else Outcome.BROKEN)


def test_what_is_sent_at_the_instant_of_a_restart_was_sent_before_it() -> None:
    def restarted(stream: Stream, restarts_first: bool) -> None:
        lost(stream)
        stream.wait(31)
        restart = BotRestarted(src=Source.RUN, t_local_us=stream.now_us, start=2, client_id_prefix="bot1-r1-r2-")
        if restarts_first:
            stream.write(restart)
        sent = stream.request(Action.READ, path=OPEN_ORDERS)
        if not restarts_first:
            stream.write(restart)
        stream.wait("0.1").answer(sent.request)

    for restarts_first in (True, False):
        assert told(lambda s, first=restarts_first: restarted(s, first)).outcome is Outcome.BROKEN


# for which level an entry stands


def levelled(price: str | None, *books: Moment, first: str | None = BUY, exits: bool = False) -> Verdict:
    """Whether another buy at `price` may follow one at `first` whose fate is unknown; `books` come between them."""

    def passage(stream: Stream) -> None:
        place(stream)
        stream.ticker()
        one = stream.send(Side.BUY, first, exits=exits)
        stream.wait(10).lose(one.request)
        stream.ticker()
        for book in books:
            book(stream)
        other = stream.send(Side.BUY, price, exits=exits)
        stream.wait("0.02").answer(other.request, code="40762")
        stream.ticker()
        look_up(stream, one)

    return verdict_of("E12", micro_cap_run(TWO_LEVELS, flat=passage, trades=False), TWO_LEVELS)


def book(bid: str, ask: str, *, symbol: str = "BTCUSDT", later_us: int = 0, published_us: int | None = None) -> Moment:
    """A book that the observer has now, or `later_us` from now; published then, or `published_us` from now."""

    def show(stream: Stream) -> None:
        at_us = stream.now_us + later_us
        stream.write(
            TopOfBook(
                src=Source.VENUE,
                t_local_us=at_us,
                t_venue_us=None if published_us is None else stream.now_us + published_us,
                symbol=symbol,
                bid=Decimal(bid),
                bid_size=Decimal(1),
                ask=Decimal(ask),
                ask_size=Decimal(1),
                last=Decimal(67230),
                mark=Decimal(67230),
                via="ticker",
            )
        )

    return show


LOWER = book("67229.9", "67230.1")  # 0.0035 below its mid is nearer to SECOND_BUY than to BUY


@pytest.mark.parametrize(
    ("top", "outcome"),
    [
        (book("1", "134459"), Outcome.BROKEN),
        (book("134459", "1"), Outcome.BROKEN),
        (book("0.5", "134459.5"), Outcome.BROKEN),
        (book("0", "134460"), Outcome.HELD),
        (book("134460", "0"), Outcome.HELD),
        (book("67229.9", "67230.1", symbol="ETHUSDT"), Outcome.HELD),
        (book("67229.9", "67230.1", later_us=1), Outcome.HELD),
        (book("67229.9", "67230.1", later_us=1, published_us=0), Outcome.BROKEN),
    ],
)
def test_the_last_whole_book_of_the_symbol_before_a_sending_tells_its_level(top: Moment, outcome: Outcome) -> None:
    assert levelled(SECOND_BUY, top).outcome is outcome


def test_books_count_by_their_publication_and_of_one_instant_the_one_told_last() -> None:
    older = book("67499.9", "67500", published_us=-1)
    assert levelled(SECOND_BUY, LOWER, older).outcome is Outcome.BROKEN
    assert levelled(SECOND_BUY, LOWER, book("67499.9", "67500")).outcome is Outcome.HELD
    assert levelled(SECOND_BUY, book("67499.9", "67500"), LOWER).outcome is Outcome.BROKEN


def test_what_has_no_level_may_stand_for_any() -> None:
    assert levelled(None).outcome is Outcome.BROKEN
    assert levelled(SECOND_BUY, first=None).outcome is Outcome.BROKEN
    assert levelled(SECOND_BUY, exits=True).outcome is Outcome.BROKEN


def test_without_a_book_before_it_an_entry_may_stand_for_any_level() -> None:
    def passage(stream: Stream) -> None:
        one = lost(stream)
        stream.cancel(stream.place(Side.BUY, SECOND_BUY))
        look_up(stream, one)
        stream.wait(1).ticker()

    facts = micro_cap_run(TWO_LEVELS, flat=passage, trades=False)
    first = next(fact for fact in facts if isinstance(fact, TopOfBook))
    assert verdict_of("E12", facts, TWO_LEVELS).outcome is Outcome.HELD
    assert verdict_of("E12", without(facts, lambda fact: fact is first), TWO_LEVELS).outcome is Outcome.BROKEN


def test_a_side_that_the_profile_does_not_quote_has_no_levels() -> None:
    profile = replace(TWO_LEVELS, sell_spreads=(), sell_amounts_pct=())

    def passage(stream: Stream) -> None:
        place(stream)
        one = lost(stream, Side.SELL)
        stream.cancel(stream.place(Side.SELL, SELL))
        look_up(stream, one)

    facts = micro_cap_run(profile, flat=passage, trades=False)
    assert verdict_of("E12", facts, profile).reason.startswith("the order bot1-r1-3 was sent at 01:01:11.100 UTC")
