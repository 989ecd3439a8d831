"""When a market exit that was sent stops counting as the exit that its position is owed.

A market order is filled within an instant, or it is nothing to wait for. It counts from its sending

    until its request is declared unknown, or a server that failed answers it: it may never have landed;
    until the venue refuses it;
    where the venue took it, for as long as an exit may be owed, and then it lapses unfilled;
    where nobody answers at all, for as long as an answer may take.

A retry under its client id counts as anew, and so does asking for it as long as no answer comes: a bot that is cut off
from the venue can do no more. What an answered look-up says, the books know.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from botproof.events import Action, Fact, RequestAnswered, RequestSent, RequestUnknown, Source
from botproof.invariants.ledger import Life
from botproof.invariants.wording import to_us
from botproof.terms import Terms

Outcome = RequestAnswered | RequestUnknown


@dataclass(frozen=True, slots=True)
class Lapse:
    """At `at_us` the exit lapses, or counts again; `seq` is the fact that tells it."""

    at_us: int
    seq: int
    life: Life
    counts: bool


@dataclass(frozen=True, slots=True)
class _Try:
    """A stretch in which something was sent for the exit and is awaited."""

    sent: RequestSent
    until_us: int
    seq: int


class Lapses:
    """Collects requests and their outcomes; tells the lapses of given orders."""

    hears: frozenset[type[Fact]] = frozenset({RequestSent, RequestAnswered, RequestUnknown})

    def __init__(self, terms: Terms) -> None:
        self._answer_us, self._owed_us = to_us(terms.ack_s_max), to_us(terms.exit_owed_s_max)
        self._asked: dict[str, list[RequestSent]] = {}  # readings and cancels by the client id that they name
        self._outcomes: dict[tuple[Source, int], Outcome] = {}

    def see(self, fact: Fact) -> None:
        match fact:
            case RequestSent(action=Action.READ | Action.CANCEL) if fact.client_id:
                self._asked.setdefault(fact.client_id, []).append(fact)
            case RequestAnswered() | RequestUnknown():
                self._outcomes.setdefault((fact.src, fact.request), fact)

    def of(self, lives: Iterable[Life]) -> list[Lapse]:
        """The lapses of the market exits among `lives`, in the order of happening."""
        exits = (life for life in lives if life.sent and life.reduce_only and life.is_market)
        return sorted((lapse for life in exits for lapse in self._of_one(life)), key=lambda lapse: lapse.at_us)

    def _of_one(self, life: Life) -> Iterator[Lapse]:
        first, *others = sorted(self._tries(life), key=lambda one: one.sent.t_local_us)
        until_us, seq = first.until_us, first.seq
        for one in others:
            if one.sent.t_local_us > until_us:
                yield Lapse(until_us, seq, life, counts=False)
                yield Lapse(one.sent.t_local_us, one.sent.seq, life, counts=True)
            if one.until_us >= until_us:
                until_us, seq = one.until_us, one.seq
        yield Lapse(until_us, seq, life, counts=False)

    def _tries(self, life: Life) -> Iterator[_Try]:
        for sent in life.sent:
            yield self._try(sent)
        for asked in self._asked.get(life.sent[0].client_id, []):
            outcome = self._outcomes.get((asked.src, asked.request))
            is_answered = isinstance(outcome, RequestAnswered) and not outcome.leaves_unknown
            if not is_answered and asked.t_local_us >= life.sent[0].t_local_us:
                yield self._try(asked)

    def _try(self, sent: RequestSent) -> _Try:
        outcome = self._outcomes.get((sent.src, sent.request))
        if outcome is None:
            return _Try(sent, sent.t_local_us + self._answer_us, sent.seq)
        until_us = outcome.t_local_us
        if isinstance(outcome, RequestAnswered) and outcome.accepted:
            until_us = max(until_us, sent.t_local_us + self._owed_us)
        return _Try(sent, until_us, outcome.seq)
