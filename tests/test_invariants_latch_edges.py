"""E13 at its edges: one stop, however often it is said."""

from dataclasses import replace
from decimal import Decimal

from streams import Stream, verdict_of, without
from test_invariants_latch import HARD, RESUME, STOP, enter, row, run, told, wait

from botproof.events import BotSample, RequestSent
from botproof.invariants.verdict import Outcome


def test_an_entry_in_a_hard_stop_is_one_breach_however_often_its_line_is_written() -> None:
    facts = run(HARD, wait("1"), enter)
    sent = next(fact for fact in facts if isinstance(fact, RequestSent) and fact.is_entry)
    verdict = verdict_of("E13", without([*facts, sent], lambda _: False))
    assert len(verdict.proof) == 1


def test_every_entry_in_a_hard_stop_counts() -> None:
    verdict = told(HARD, wait("1"), enter, enter)
    assert (verdict.outcome, verdict.peak, len(verdict.proof)) == (Outcome.BROKEN, Decimal(2), 2)


def test_a_stop_said_again_gives_no_new_grace() -> None:
    assert told(STOP, wait("59.5"), STOP, wait("0.5"), enter).outcome is Outcome.BROKEN
    assert told(HARD, wait("5"), enter, HARD).outcome is Outcome.BROKEN
    at_once = told(HARD, wait("5"), lambda stream: (HARD(stream), enter(stream)))
    assert at_once.outcome is Outcome.BROKEN


def test_a_row_read_twice_begins_nothing_anew_though_the_bots_clock_is_ahead() -> None:
    ahead = row("hard_stop", "-90")

    def again(stream: Stream) -> None:
        stream.write(replace(rows[-1], t_local_us=stream.now_us))

    rows: list[BotSample] = []

    def first(stream: Stream) -> None:
        ahead(stream)
        rows.append(next(fact for fact in stream.tape.facts if isinstance(fact, BotSample)))

    assert told(first, wait("60"), RESUME, wait("5"), again, wait("1"), enter).outcome is Outcome.HELD
    assert told(first, wait("60"), RESUME, wait("5"), ahead, wait("1"), enter).outcome is Outcome.BROKEN
