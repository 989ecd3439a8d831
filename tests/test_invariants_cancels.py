"""Which orders the bot asked to cancel."""

import pytest
from test_invariants_ledger import Tape, tape

from botproof.events import Action, RequestAnswered, RequestSent
from botproof.invariants.cancels import Cancels


def asked(told: Tape, *, granted: bool = False) -> set[str]:
    """The names of the orders that a request on the tape asked to cancel."""
    cancels = Cancels()
    for fact in told.facts:
        if isinstance(fact, RequestSent | RequestAnswered):
            cancels.see(fact)
    return {life.name for life in cancels.asked(told.ledger.lives, granted=granted)}


def two() -> Tape:
    """Two orders, of which the venue showed the first by both its names and the second was never heard of."""
    return tape().start().send(1, 10, "bot1-a").show(20).send(2, 30, "bot1-b")


@pytest.mark.parametrize(
    ("named", "found"),
    [
        ({"client_id": "bot1-a"}, {"bot1-a"}),
        ({"client_id": "", "order_id": "o1"}, {"bot1-a"}),
        ({"client_id": "bot1-b"}, {"bot1-b"}),
        ({"client_id": "bot1-b", "order_id": "o1"}, {"bot1-a", "bot1-b"}),
        ({"client_id": "", "order_id": ""}, set()),
        ({"client_id": "bot1-c", "order_id": "o9"}, set()),
    ],
)
def test_an_order_is_asked_for_by_either_of_its_names(named: dict[str, str], found: set[str]) -> None:
    assert asked(two().send(3, 40, action=Action.CANCEL, **named)) == found


def test_an_order_that_only_the_venue_showed_has_the_name_under_which_it_was_shown() -> None:
    shown = tape().start().show(10, client_id="bot1-z")
    assert asked(shown.send(1, 20, client_id="bot1-z", action=Action.CANCEL)) == {"bot1-z"}


def test_an_order_that_was_never_shown_has_no_name_but_its_own() -> None:
    assert asked(tape().start().send(1, 10).send(2, 20, "XXXX", action=Action.CANCEL)) == set()


@pytest.mark.parametrize("action", [Action.PLACE, Action.READ, Action.OTHER])
def test_no_other_request_asks_for_a_cancel(action: Action) -> None:
    assert asked(two().send(3, 40, "bot1-a", action=action)) == set()


@pytest.mark.parametrize(
    ("code", "status", "granted"),
    [("00000", 200, True), ("43001", 400, False), ("40015", 503, True), (None, 0, True)],
)
def test_what_the_venue_refused_was_asked_for_and_not_granted(code: str | None, status: int, granted: bool) -> None:
    told = two().send(3, 40, "bot1-a", action=Action.CANCEL)
    if code is not None:
        told.answer(3, 50, code, http_status=status)
    assert asked(told) == {"bot1-a"}
    assert asked(told, granted=True) == ({"bot1-a"} if granted else set())


def test_of_a_request_that_is_written_twice_the_first_line_counts() -> None:
    told = two().send(3, 40, "bot1-a", action=Action.CANCEL).send(3, 41, "bot1-b", action=Action.CANCEL)
    assert asked(told) == {"bot1-a"}


def test_one_refused_cancel_does_not_take_back_another() -> None:
    told = two()
    for request in (3, 4):
        told.send(request, 40, "bot1-a", action=Action.CANCEL)
    assert asked(told.answer(3, 50, "43001", http_status=400), granted=True) == {"bot1-a"}


def test_unasked_a_refused_cancel_was_asked_for() -> None:
    told, cancels = two().send(3, 40, "bot1-a", action=Action.CANCEL).answer(3, 50, "43001", http_status=400), Cancels()
    for fact in told.facts:
        cancels.see(fact)
    assert {life.name for life in cancels.asked(told.ledger.lives)} == {"bot1-a"}
