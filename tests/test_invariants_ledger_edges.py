"""The ledger at its edges: what happens within one instant, and which names mean one order."""

from dataclasses import replace
from decimal import Decimal

import pytest
from test_invariants_ledger import NO_NAME, Tape, tape

from botproof.events import OpenOrdersRead, OrderSeen, OrderState, OrderType, Source


def moves(told: Tape) -> list[str]:
    return [f"{move} {name}" for _, move, name in told.story]


# within one instant


def test_what_was_sent_before_ends_before_anything_is_sent_though_it_is_learned_later() -> None:
    told = tape().start().send(1, 10, "bot1-a").send(2, 40, "bot1-b").show(40, OrderState.CANCELED)
    assert moves(told) == ["BEGIN bot1-a", "END bot1-a", "BEGIN bot1-b"]


def test_what_was_sent_before_is_filled_before_it_ends_and_before_anything_is_sent() -> None:
    told = tape().start().send(1, 10, "bot1-a").send(2, 40, "bot1-b")
    told.show(40, OrderState.CANCELED, filled=Decimal(1)).fill("t1", 40)
    assert moves(told) == ["BEGIN bot1-a", "FILL bot1-a", "END bot1-a", "BEGIN bot1-b"]
    assert told.working == {"bot1-b": 2}


def test_an_order_begins_before_it_is_filled_and_ends_though_its_sending_is_learned_last() -> None:
    told = tape().start().fill("t1", 40, 2).show(40, OrderState.FILLED, filled=Decimal(2)).send(1, 40, "bot1-a")
    assert moves(told) == ["BEGIN bot1-a", "FILL bot1-a", "END bot1-a"]


def test_fills_of_one_instant_stand_in_the_order_in_which_they_were_told() -> None:
    told = tape().start().send(1, 10, "bot1-a").send(2, 20, "bot1-b")
    told.fill("t1", 40, client_id="bot1-b", order_id="o2").fill("t2", 40)
    assert moves(told)[2:] == ["FILL bot1-b", "FILL bot1-a"]


def test_a_fill_after_the_end_moves_the_position_alone() -> None:
    told = tape().start().send(1, 10).show(40, OrderState.CANCELED).fill("t1", 50)
    assert (told.working, told.books.position) == ({}, 1)


# what an order is


def test_a_market_order_is_described_as_one() -> None:
    (life,) = tape().start().send(1, 10, order_type=OrderType.MARKET, price=None).ledger.lives
    assert life.describe() == "entry buy bot1-a at market x 2"


@pytest.mark.parametrize("sizes", [("2", "1"), ("1", "2"), ("2", "1", "2")])
def test_an_exit_that_the_venue_cuts_is_the_same_order_in_every_report(sizes: tuple[str, ...]) -> None:
    told = tape().start().send(1, 10, reduce_only=True, size=Decimal(3))
    for place, size in enumerate(sizes):
        told.show(20 + place, size=Decimal(size), reduce_only=True)
    assert told.ledger.unread() == ""


@pytest.mark.parametrize("exits", [(True, False), (False, True)])
def test_a_report_that_differs_in_reduce_only_is_another_order_whatever_its_size(exits: tuple[bool, bool]) -> None:
    told = tape().start()
    for place, reduce_only in enumerate(exits):
        told.show(20 + place, size=Decimal(2 - place), reduce_only=reduce_only)
    text = "not reduce-only" if exits[0] else "reduce-only"
    assert told.ledger.unread() == f"bot1-a is told of in two ways: {text}"


def test_an_entry_that_grows_smaller_is_told_of_in_two_ways() -> None:
    told = tape().start().show(20).show(21, size=Decimal(1))
    assert told.ledger.unread() == "bot1-a is told of in two ways: size 1 instead of 2"


# which names mean one order


def test_a_name_of_an_order_that_the_venue_ended_is_not_free() -> None:
    told = tape().start().send(1, 10).show(40, OrderState.CANCELED).send(2, 50)
    assert len(told.ledger.lives) == 1


def test_a_name_of_an_order_that_the_venue_took_is_not_free_though_it_then_refuses_it() -> None:
    told = tape().start().send(1, 10).answer(1, 20, order_id="o1").answer(1, 30, "40762", http_status=400).send(2, 50)
    assert len(told.ledger.lives) == 1


def test_the_end_that_is_known_under_one_name_is_the_end_under_both() -> None:
    told = tape().start().send(1, 10).show(20, client_id="", filled=Decimal(0))
    told.show(40, OrderState.CANCELED, order_id="").show(50)
    assert told.story == [(10, "BEGIN", told.ledger.lives[0].name), (40, "END", told.ledger.lives[0].name)]


def test_orders_that_are_made_one_leave_the_others_as_they_are() -> None:
    told = tape().start().send(1, 10, "bot1-b").send(2, 15, "bot1-a")
    told.show(20, client_id="").show(30)
    assert len(told.ledger.lives) == 2
    told.show(40, OrderState.CANCELED, client_id="bot1-b", order_id="o2")
    assert len(told.ledger.lives) == 2
    assert len(told.working) == 1


def test_a_retry_whose_first_request_is_accepted_began_with_the_first() -> None:
    told = tape().start().send(1, 10).send(2, 20).answer(1, 30, order_id="o1")
    assert told.story == [(10, "BEGIN", "bot1-a")]


def test_an_answer_gives_no_second_name_to_an_order_that_has_one() -> None:
    told = tape().start().send(1, 10, "bot1-a").answer(1, 20, order_id="o1", client_id="bot1-z").send(2, 30, "bot1-z")
    assert len(told.ledger.lives) == 2


# what was there before


@pytest.mark.parametrize("kind", ["plain", "trigger"])
def test_an_order_that_was_listed_before_the_bot_sent_anything_is_no_stray(kind: str) -> None:
    listed = OpenOrdersRead(src=Source.VENUE, seq=1, t_local_us=1, plain=(), trigger=(), purpose="preflight")
    told = tape().start().add(replace(listed, **{kind: ("o1",)})).show(20)
    assert told.ledger.stray() == ""
    assert told.show(30, order_id="o2", client_id="bot1-b").ledger.stray() == (
        "the venue showed the order bot1-b, and nobody saw it being sent"
    )


def test_a_list_that_was_read_after_the_first_request_excuses_nothing() -> None:
    assert tape().start().send(1, 10, "bot1-z").lists(15, "o1").show(20).ledger.stray() != ""


# a fact that cannot be taken


def test_a_fact_that_cannot_be_taken_is_refused_to_everybody_who_shows_it() -> None:
    told = tape().start()
    spoilt = replace(tape().start().show(20).facts[-1], filled=None)
    assert isinstance(spoilt, OrderSeen)
    told.show(10)
    for _ in range(2):
        with pytest.raises(TypeError):
            told.ledger.see(spoilt)
    told.show(30, OrderState.CANCELED)
    assert told.working == {}


def test_a_fact_that_is_shown_twice_in_a_row_is_taken_once() -> None:
    told = tape().start().send(1, 10).fill("t1", 40, 2)
    told.ledger.see(told.facts[-1])
    assert told.books.position == 2


def test_an_account_of_nothing_has_no_orders_and_no_steps() -> None:
    ledger = tape().ledger
    assert (ledger.lives, ledger.replay(), ledger.start) == ((), (), 0)
    assert (ledger.unread(), ledger.stray(), ledger.doubt()) == ("", "", "no position is on the tape")


def test_an_order_without_any_name_is_one_by_its_request() -> None:
    told = tape().start().send(1, 10, **NO_NAME).send(2, 20, **NO_NAME)
    assert len(told.ledger.lives) == 2
