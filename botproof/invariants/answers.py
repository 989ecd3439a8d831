"""E12: every order is answered or declared unknown, and an unknown one is looked up under the same client id.

1. Every request, readings included, is answered or declared unknown within `ack_s_max` seconds of its sending.
2. The fate of an order is unknown from when its request is declared so, or is answered by a server that failed (HTTP
   5xx): such an answer does not say what was done. It is known again when
       a request that names its client id, or another for it, is accepted: a look-up, a cancel, a retry;
       a request for it that was sent after it became unknown is answered with "no such order" (40109, 43001);
       a retry is refused because the client id is in use (40786, 45034): the first request had landed;
       the venue's record shows the order or a fill of it, and it counts from when that happened.
   A retry that is refused otherwise says nothing of the first request.
3. While the fate of an order is unknown, no other order of its kind (symbol, side, reduce-only) is sent under another
   client id: a retry uses the same one again, so that it cannot become a second order.
4. By the end of the run the fate of every order is known. One that was sent without a client id cannot be looked up.
5. A bot that was restarted does not know what it had asked for. The fate of orders of its former starts is known when
   it has read the open orders anew.
6. Nothing is promised of an unknown cancel but that it is declared so: its order counts as open until the venue has
   ended it (E1, E10), and none is left at the end (E14). A reading that went unanswered is worth nothing and owes
   nothing. What a request of an unnamed kind did cannot be judged: then nothing is HELD, nor where the request of an
   answer is not on the tape.

Exercise: orders answered in time. Peak: the longest wait for an answer. Equal to the limit is within.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from botproof.events import (
    Action,
    BotRestarted,
    Fact,
    FillSeen,
    OrderSeen,
    RequestAnswered,
    RequestSent,
    RequestUnknown,
    RunEnded,
    Side,
    Source,
)
from botproof.invariants.ledger import NO_SUCH_ORDER
from botproof.invariants.tally import Tally
from botproof.invariants.verdict import Verdict
from botproof.invariants.wording import SECOND_US, clock_time, instant_us, seconds, to_us
from botproof.profile import Profile
from botproof.terms import Terms

ID_IN_USE = frozenset({"40786", "45034"})  # captured; the second is documented
OPEN_ORDERS = "/api/v2/mix/order/orders-pending"  # documented
SERVER_FAULT = 500  # HTTP

Request = tuple[Source, int]
Outcome = RequestAnswered | RequestUnknown


class Answers:
    """E12. Collects as it sees; the verdict replays it by the instants at which it happened."""

    id = "E12"
    needs = frozenset({Source.RUN, Source.VENUE, Source.TAP})
    hears: frozenset[type[Fact]] = frozenset(
        {RequestSent, RequestAnswered, RequestUnknown, OrderSeen, FillSeen, BotRestarted, RunEnded}
    )

    def __init__(self, profile: Profile, terms: Terms) -> None:  # noqa: ARG002  every fold is made alike
        self._needed = terms.exercise.get(self.id, 1)
        self._limit_us = to_us(terms.ack_s_max)
        self._sent: dict[Request, RequestSent] = {}
        self._outcomes: dict[Request, Outcome] = {}
        self._shown: list[OrderSeen | FillSeen] = []
        self._restarts: list[BotRestarted] = []
        self._ended: RunEnded | None = None

    def see(self, fact: Fact) -> None:
        match fact:
            case RequestSent():
                self._sent.setdefault((fact.src, fact.request), fact)
            case RequestAnswered() | RequestUnknown():
                self._outcomes.setdefault((fact.src, fact.request), fact)
            case OrderSeen() | FillSeen():
                self._shown.append(fact)
            case BotRestarted():
                self._restarts.append(fact)
            case RunEnded():
                self._ended = self._ended or fact

    def verdict(self) -> Verdict:
        limit = Decimal(self._limit_us) / SECOND_US
        tally = Tally(self.id, self._needed, "orders answered in time", limit=limit, unit="s")
        for request, sent in self._sent.items():
            self._judge_wait(tally, sent, self._outcomes.get(request))
        for request, outcome in self._outcomes.items():
            if request not in self._sent:
                tally.doubt(f"the request whose outcome stands at seq {outcome.seq} is not on the tape")
        fates = _Fates(tally)
        for _, _, _, fact, asked in sorted(self._happenings(), key=lambda happening: happening[:3]):
            fates.take(fact, asked)
        if self._ended is not None:
            fates.end(self._ended)
        return tally.verdict()

    def _judge_wait(self, tally: Tally, sent: RequestSent, outcome: Outcome | None) -> None:
        what = f"{sent.method} {sent.path} {sent.client_id}".rstrip() + f" of {clock_time(sent.t_local_us)}"
        if sent.action is Action.OTHER and sent.changes_something:
            tally.doubt(f"what {what} did is not judged")
        last = outcome or self._ended
        if last is None:
            tally.doubt(f"{what} was neither answered nor declared unknown, and the end of the run is not on the tape")
            return
        waited_us = max(0, last.t_local_us - sent.t_local_us)
        tally.rise(Decimal(waited_us) / SECOND_US)
        if waited_us > self._limit_us:
            how = (
                "was answered or declared unknown after" if outcome else "was neither answered nor declared unknown in"
            )
            tally.broken((outcome or sent).seq, f"{what} {how} {seconds(waited_us)} s")
        elif outcome is None:
            tally.doubt(f"the run ended before {what} was answered")
        elif isinstance(outcome, RequestAnswered) and sent.action is Action.PLACE:
            tally.exercised(outcome.seq)

    def _happenings(self) -> Iterator[tuple[int, int, int, Fact, RequestSent | None]]:
        """Within one instant: what makes a fate known, then what makes one unknown, then what is sent in its place."""
        for request, outcome in self._outcomes.items():
            sent = self._sent.get(request)
            if sent is not None:
                yield outcome.t_local_us, 1 if _leaves_unknown(outcome) else 0, outcome.seq, outcome, sent
        for sent in self._sent.values():
            if sent.action is Action.PLACE:
                yield sent.t_local_us, 2, sent.seq, sent, None
        for seen in self._shown:
            yield instant_us(seen), 0, seen.seq, seen, None
        for restart in self._restarts:
            yield restart.t_local_us, 3, restart.seq, restart, None


def _leaves_unknown(outcome: Outcome) -> bool:
    """Whether nobody knows what the request did."""
    return isinstance(outcome, RequestUnknown) or (not outcome.accepted and outcome.http_status >= SERVER_FAULT)


def _kind(sent: RequestSent) -> tuple[str, Side | None, bool]:
    """What an order is for: another of its kind may double it."""
    return sent.symbol, sent.side, sent.reduce_only


@dataclass(frozen=True, slots=True)
class _Unknown:
    """An order of unknown fate, and what left it so."""

    sent: RequestSent
    outcome: Outcome

    def is_named(self, client_id: str) -> bool:
        return bool(client_id) and self.sent.client_id == client_id


class _Fates:
    """Goes through the run once, and keeps the orders whose fate is unknown."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._unknown: list[_Unknown] = []
        self._known: set[str] = set()  # client ids that the venue has shown or acknowledged
        self._restarted_us = 0

    def take(self, fact: Fact, sent: RequestSent | None) -> None:
        match fact:
            case RequestSent():
                self._see_order(fact)
            case OrderSeen() | FillSeen():
                self._see_shown(fact)
            case BotRestarted():
                self._restarted_us = fact.t_local_us
            case RequestUnknown() | RequestAnswered() if sent is not None:
                self._see_outcome(fact, sent)

    def end(self, ended: RunEnded) -> None:
        """Nothing may be unknown any more."""
        for unknown in self._unknown:
            when = clock_time(unknown.outcome.t_local_us)
            name = unknown.sent.client_id or "an order without a client id"
            self._tally.broken(
                unknown.outcome.seq,
                f"the fate of {name} was unknown at {when}, and still at the end of the run at "
                f"{clock_time(ended.t_local_us)}",
            )

    def _see_order(self, sent: RequestSent) -> None:
        for unknown in self._unknown:
            is_another = sent is not unknown.sent and not unknown.is_named(sent.client_id)
            if is_another and _kind(sent) == _kind(unknown.sent):
                when, other = clock_time(sent.t_local_us), unknown.sent.client_id or "one without a client id"
                text = f"the order {sent.client_id} was sent at {when}, while the fate of {other} was unknown"
                self._tally.broken(sent.seq, text)
                return

    def _see_shown(self, seen: OrderSeen | FillSeen) -> None:
        self._settle(seen.client_id)

    def _see_outcome(self, outcome: Outcome, sent: RequestSent) -> None:
        if _leaves_unknown(outcome):
            if sent.action is Action.PLACE and sent.client_id not in self._known:
                self._unknown.append(_Unknown(sent, outcome))
            return
        assert isinstance(outcome, RequestAnswered), "all else leaves it unknown"
        name = sent.client_id  # an order whose order id is known was shown, or acknowledged: its fate is known
        if outcome.accepted or (outcome.code in ID_IN_USE and sent.action is Action.PLACE):
            self._settle(name)
        elif outcome.code in NO_SUCH_ORDER:
            # A look-up from before it became unknown may have overtaken the order.
            asked_us = sent.t_local_us
            self._keep(lambda one: not one.is_named(name) or asked_us < one.outcome.t_local_us)
        if outcome.accepted and sent.path == OPEN_ORDERS and sent.t_local_us >= self._restarted_us:
            self._keep(lambda one: one.sent.t_local_us >= self._restarted_us)

    def _settle(self, client_id: str) -> None:
        """The order exists, or did."""
        if client_id:
            self._known.add(client_id)
            self._keep(lambda one: not one.is_named(client_id))

    def _keep(self, stays: Callable[[_Unknown], bool]) -> None:
        self._unknown = [one for one in self._unknown if stays(one)]
