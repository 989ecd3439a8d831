"""E12: what the bot itself can know of an order whose request was not answered, and what only the observer knows."""

from dataclasses import replace
from decimal import Decimal

import pytest
from streams import BUY, MICRO_CAP, Moment, Placed, Stream, micro_cap_run, verdict_of
from test_invariants_answers import look_up, lost, place

from botproof.events import Action, BotRestarted, OrderState, Side, Source
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
