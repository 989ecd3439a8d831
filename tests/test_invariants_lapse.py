"""When a market exit that was sent stops counting as the exit that its position is owed."""

import pytest
from streams import TERMS
from test_invariants_ledger import Tape, tape

from botproof.events import Action, OrderType, RequestUnknown, Source
from botproof.invariants.lapse import Lapses

S = 1_000_000
ANSWER_US, OWED_US = 30 * S, 5 * S  # of the terms


def exit_(told: Tape, request: int, at: int, client_id: str = "bot1-a", **fields: object) -> Tape:
    order = {"order_type": OrderType.MARKET, "price": None, "reduce_only": True}
    return told.send(request, at, client_id, **(order | fields))


def lose(told: Tape, request: int, at: int) -> Tape:
    return told.add(
        RequestUnknown(src=Source.TAP, seq=len(told.facts), t_local_us=at, request=request, reason="timed out")
    )


def ask(told: Tape, request: int, at: int, **fields: object) -> Tape:
    return told.send(request, at, **({"action": Action.READ, "method": "GET"} | fields))


def lapses(told: Tape) -> list[tuple[int, int, bool]]:
    """Instant, proof and whether it counts again, of each."""
    found = Lapses(TERMS)
    for fact in told.facts:
        if type(fact) in Lapses.hears:
            found.see(fact)
    return [(lapse.at_us, lapse.seq, lapse.counts) for lapse in found.of(told.ledger.lives)]


def test_an_exit_that_nobody_answers_counts_for_as_long_as_an_answer_may_take() -> None:
    assert lapses(exit_(tape(), 1, 10)) == [(10 + ANSWER_US, 0, False)]


@pytest.mark.parametrize(("code", "status"), [("40762", 400), ("40015", 503)])
def test_an_exit_that_was_refused_or_left_unknown_counts_until_then(code: str, status: int) -> None:
    assert lapses(exit_(tape(), 1, 10).answer(1, 2 * S, code, http_status=status)) == [(2 * S, 1, False)]
    assert lapses(lose(exit_(tape(), 1, 10), 1, 2 * S)) == [(2 * S, 1, False)]


@pytest.mark.parametrize(("answered", "until"), [(S, 10 + OWED_US), (10 + OWED_US + 1, 10 + OWED_US + 1)])
def test_an_exit_that_the_venue_took_counts_for_as_long_as_one_may_be_owed(answered: int, until: int) -> None:
    assert lapses(exit_(tape(), 1, 10).answer(1, answered, order_id="o1")) == [(until, 1, False)]


def test_the_first_outcome_of_a_request_counts() -> None:
    assert lapses(lose(exit_(tape(), 1, 10), 1, 2 * S).answer(1, 3 * S)) == [(2 * S, 1, False)]


def test_a_retry_in_time_makes_one_stretch_and_a_later_one_counts_anew() -> None:
    def retried(at: int) -> list[tuple[int, int, bool]]:
        told = lose(exit_(tape(), 1, 10), 1, 2 * S)
        return lapses(lose(exit_(told, 2, at), 2, 7 * S))

    assert retried(S) == retried(2 * S) == [(7 * S, 3, False)]
    assert retried(2 * S + 1) == [(2 * S, 1, False), (2 * S + 1, 2, True), (7 * S, 3, False)]


def test_of_two_that_end_at_one_instant_the_later_sent_proves_it_and_a_shorter_one_ends_nothing() -> None:
    both = lose(lose(exit_(exit_(tape(), 1, 10), 2, 20), 1, 2 * S), 2, 2 * S)
    assert lapses(both) == [(2 * S, 3, False)]
    shorter = lose(lose(exit_(exit_(tape(), 1, 10), 2, 20), 2, S), 1, 2 * S)
    assert lapses(shorter) == [(2 * S, 3, False)]


@pytest.mark.parametrize("action", [Action.READ, Action.CANCEL])
def test_asking_for_it_in_vain_counts_anew(action: Action) -> None:
    told = ask(lose(exit_(tape(), 1, 10), 1, 2 * S), 2, 4 * S, action=action)
    again = [(2 * S, 1, False), (4 * S, 2, True)]
    assert lapses(told) == [*again, (4 * S + ANSWER_US, 2, False)]
    assert lapses(lose(told, 2, 6 * S)) == [*again, (6 * S, 3, False)]
    failed = ask(lose(exit_(tape(), 1, 10), 1, 2 * S), 2, 4 * S, action=action)
    assert lapses(failed.answer(2, 6 * S, "40015", http_status=503)) == [*again, (6 * S, 3, False)]


@pytest.mark.parametrize("code", ["00000", "40109"])
def test_a_question_that_was_answered_counts_for_nothing(code: str) -> None:
    told = ask(lose(exit_(tape(), 1, 10), 1, 2 * S), 2, 4 * S)
    assert lapses(told.answer(2, 5 * S, code)) == [(2 * S, 1, False)]


def test_a_question_from_before_it_or_for_another_counts_for_nothing() -> None:
    before = lose(exit_(ask(tape(), 2, 9), 1, 10), 1, 2 * S)
    assert lapses(before) == [(2 * S, 2, False)]
    at_once = lose(exit_(ask(tape(), 2, 10), 1, 10), 1, 2 * S)
    assert lapses(at_once)[-1] == (10 + ANSWER_US, 0, False)
    for named in ({"client_id": "bot1-b"}, {"client_id": "", "order_id": "o1"}):
        other = ask(lose(exit_(tape(), 1, 10), 1, 2 * S), 2, 4 * S, **named)
        assert lapses(other) == [(2 * S, 1, False)]
    answered_before = lose(exit_(ask(tape(), 2, 9).answer(2, 9), 1, 10), 1, 2 * S)
    assert lapses(answered_before) == [(2 * S, 3, False)]


def test_only_market_exits_that_were_sent_lapse_each_in_its_turn() -> None:
    told = exit_(exit_(tape(), 1, 20, "bot1-a"), 2, 10, "bot1-b")
    assert lapses(told) == [(10 + ANSWER_US, 1, False), (20 + ANSWER_US, 0, False)]
    assert lapses(exit_(tape(), 1, 10, reduce_only=False)) == []
    assert lapses(tape().send(1, 10, reduce_only=True)) == []
    assert lapses(tape().show(10, order_type=OrderType.MARKET, price=None, reduce_only=True)) == []
