"""E12: every order is answered or declared unknown, and an unknown one is looked up under the same client id.

Formula: answer or declaration - sending <= ack_s_max, for every request; entries of one kind sent under another client
    id while the fate of an order is unknown = 0; first look-up - the fate became unknown <= ack_s_max; orders of
    unknown fate at the end = 0
Exercise: orders answered in time.
Broken by: a request that is answered or declared unknown later (equal is within), or never; another order of its kind
    sent while the fate of one is unknown; an unknown order that is looked up later, or whose fate is unknown at the
    end.
Not shown: without an order that was answered, where an answer has no request on the tape, where what a request did
    cannot be judged, or where the run ended before a request was answered.

1. Every request, readings included, is answered or declared unknown within `ack_s_max` seconds of its sending.
2. The fate of an order is unknown from when its request is declared so, or is answered by a server that failed (HTTP
   5xx): such an answer does not say what was done. It is known again when
       a request that names it is accepted: a look-up, a cancel, a retry;
       a request for it that was sent after it became unknown is answered with "no such order" (40109, 43001);
       a retry is refused because the client id is in use (40786, 45034): the first request had landed;
       the venue ended it, and it counts from when that happened;
       the list of open orders, sent for since, was read: where the venue's record has it open, else together with
       the past orders or the fills.
   A retry that is refused otherwise says nothing of the first request.
3. While the fate of an order is unknown, no other order of its kind is sent under another client id: a retry uses the
   same one again, so that it cannot become a second order. Of its kind is what has its symbol, side and reduce-only
   and, where the profile quotes several levels of that side, is an entry for the same one: the one of the nearest
   spread, by the last book before its sending. That the venue's record has it resting changes nothing: what the
   observer was shown is not what the bot was told, and a bot that did hear of it has even less reason to send another.
4. An order of unknown fate is asked for within `ack_s_max` of becoming so: by a request that names it, or for the list
   of open orders. Where the venue showed it by then, the bot may have been told without asking. By the end of the run
   the fate of every order is known, to the bot or by the venue's record. One that was sent without a client id cannot
   be looked up.
5. A bot that was restarted does not know what it had asked for. The fate of orders of its former starts is known when
   it has read the open orders anew, and to ask for them it has `ack_s_max` from the restart.
6. Nothing is promised of an unknown cancel but that it is declared so: its order counts as open until the venue has
   ended it (E1, E10), and none is left at the end (E14). A reading that went unanswered is worth nothing and owes
   nothing. What a request of an unnamed kind did cannot be judged: then nothing is HELD, nor where the request of an
   answer is not on the tape.
7. Peak: the longest wait for an answer.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from operator import itemgetter

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
    TopOfBook,
)
from botproof.invariants.ledger import NO_SUCH_ORDER
from botproof.invariants.tally import Tally
from botproof.invariants.verdict import Verdict
from botproof.invariants.wording import SECOND_US, clock_time, instant_us, seconds, to_us
from botproof.profile import Profile
from botproof.terms import Terms

ID_IN_USE = frozenset({"40786", "45034"})  # captured; the second is documented
OPEN_ORDERS = "/api/v2/mix/order/orders-pending"  # documented, as the next ones
PAST_ORDERS = frozenset(f"/api/v2/mix/order/{list_}" for list_ in ("orders-history", "fills", "fill-history"))

Request = tuple[Source, int]
Outcome = RequestAnswered | RequestUnknown


class Answers:
    """E12. Collects as it sees; the verdict replays it by the instants at which it happened."""

    id = "E12"
    needs = frozenset({Source.RUN, Source.VENUE, Source.TAP})
    hears: frozenset[type[Fact]] = frozenset(
        {RequestSent, RequestAnswered, RequestUnknown, OrderSeen, FillSeen, TopOfBook, BotRestarted, RunEnded}
    )

    def __init__(self, profile: Profile, terms: Terms) -> None:
        self._needed = terms.exercise.get(self.id, 1)
        self._limit_us = to_us(terms.ack_s_max)
        self._profile = profile
        self._mids: list[tuple[int, Decimal]] = []
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
            case TopOfBook() if fact.symbol == self._profile.symbol and fact.bid > 0 and fact.ask > 0:
                self._mids.append((instant_us(fact), fact.mid))
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
        levels = _Levels(self._profile, sorted(self._mids, key=itemgetter(0)))
        fates = _Fates(tally, levels, self._limit_us)
        for at_us, _, _, fact, asked in sorted(self._happenings(), key=itemgetter(0, 1, 2)):
            fates.take(at_us, fact, asked)
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
            yield sent.t_local_us, 2, sent.seq, sent, None
        for seen in self._shown:
            yield instant_us(seen), 0, seen.seq, seen, None
        for restart in self._restarts:
            yield restart.t_local_us, 3, restart.seq, restart, None


def _leaves_unknown(outcome: Outcome) -> bool:
    """Whether nobody knows what the request did."""
    return isinstance(outcome, RequestUnknown) or outcome.leaves_unknown


class _Levels:
    """Tells for which of the profile's levels an entry stands."""

    def __init__(self, profile: Profile, mids: Sequence[tuple[int, Decimal]]) -> None:
        self._spreads = {Side.BUY: profile.buy_spreads, Side.SELL: profile.sell_spreads}
        self._mids = mids  # by the instant of their publication

    def are_one(self, first: RequestSent, second: RequestSent) -> bool:
        """Whether the two may stand for one level; where that cannot be told, they may."""
        levels = self._of(first), self._of(second)
        return None in levels or levels[0] == levels[1]

    def _of(self, sent: RequestSent) -> Decimal | None:
        """The nearest spread of its side; None for an exit, and where no level is known."""
        mid = self._mid_at(sent.t_local_us)
        if mid is None or sent.side is None or sent.price is None or sent.reduce_only:
            return None
        spreads = self._spreads[sent.side]
        distance = sent.side.sign * (mid - sent.price) / mid
        return min(spreads, key=lambda spread: abs(spread - distance), default=None)

    def _mid_at(self, at_us: int) -> Decimal | None:
        place = bisect_right(self._mids, at_us, key=itemgetter(0))
        return self._mids[place - 1][1] if place else None


@dataclass(slots=True, eq=False)
class _Unknown:
    """An order of unknown fate, what left it so, and what was done about it since."""

    sent: RequestSent
    outcome: Outcome
    due_us: int  # until when it is to be asked for
    is_asked: bool = False  # or the venue showed it: nothing is owed any more
    is_told: bool = False
    read: set[str] = field(default_factory=set)  # the lists, by their paths

    def is_named(self, client_id: str) -> bool:
        return bool(client_id) and self.sent.client_id == client_id


class _Fates:
    """Goes through the run once, and keeps the orders whose fate the bot cannot know."""

    def __init__(self, tally: Tally, levels: _Levels, patience_us: int) -> None:
        self._tally, self._levels, self._patience_us = tally, levels, patience_us
        self._unknown: list[_Unknown] = []
        self._known: set[str] = set()  # client ids that the venue has acknowledged or ended
        self._shown: set[str] = set()  # client ids that its record shows
        self._names: dict[str, str] = {}  # client id by order id, as the venue showed them
        self._restarted_us = 0

    def take(self, at_us: int, fact: Fact, sent: RequestSent | None) -> None:
        match fact:
            case RequestSent():
                self._see_sent(fact)
            case OrderSeen() | FillSeen():
                self._see_shown(at_us, fact)
            case BotRestarted():
                self._restarted_us = at_us
                for unknown in self._unknown:
                    unknown.due_us = at_us + self._patience_us
            case RequestUnknown() | RequestAnswered() if sent is not None:
                self._see_outcome(fact, sent)

    def end(self, ended: RunEnded) -> None:
        """Nothing may be unknown any more that the venue's record does not tell."""
        for unknown in self._unknown:
            if unknown.is_told or unknown.sent.client_id in self._shown:
                continue
            what = f"and still at the end of the run at {clock_time(ended.t_local_us)}"
            self._tally.broken(unknown.outcome.seq, f"{_since(unknown)}, {what}")

    def _see_sent(self, sent: RequestSent) -> None:
        name = self._name(sent)
        is_list = sent.path == OPEN_ORDERS and _is_whole(sent)
        for unknown in self._unknown:
            if unknown.is_named(name) or (is_list and sent.symbol in ("", unknown.sent.symbol)):
                self._see_asked(unknown, sent.t_local_us)
        if sent.action is Action.PLACE:
            self._see_order(sent)

    def _see_order(self, sent: RequestSent) -> None:
        for unknown in self._unknown:
            is_another = sent is not unknown.sent and not unknown.is_named(sent.client_id)
            if is_another and self._is_of_one_kind(sent, unknown.sent):
                when, other = clock_time(sent.t_local_us), unknown.sent.client_id or "one without a client id"
                text = f"the order {sent.client_id} was sent at {when}, while the fate of {other} was unknown"
                self._tally.broken(sent.seq, text)
                return

    def _is_of_one_kind(self, sent: RequestSent, other: RequestSent) -> bool:
        """Whether one order may double the other."""
        kinds = [(one.symbol, one.side, one.reduce_only) for one in (sent, other)]
        return kinds[0] == kinds[1] and self._levels.are_one(sent, other)

    def _see_asked(self, unknown: _Unknown, at_us: int) -> None:
        """The bot asked for it, or may have been told."""
        if not unknown.is_asked and at_us > unknown.due_us:
            unknown.is_told = True
            what = f"and nobody asked for it before {clock_time(at_us)}"
            self._tally.broken(unknown.outcome.seq, f"{_since(unknown)}, {what}")
        unknown.is_asked = True

    def _see_shown(self, at_us: int, seen: OrderSeen | FillSeen) -> None:
        name = seen.client_id or self._names.get(seen.order_id, "")
        if not name:
            return
        if seen.order_id:
            self._names[seen.order_id] = name
        self._shown.add(name)
        for unknown in self._unknown:
            if unknown.is_named(name):
                self._see_asked(unknown, at_us)
        if isinstance(seen, OrderSeen) and not seen.state.is_open:
            self._settle(name)

    def _see_outcome(self, outcome: Outcome, sent: RequestSent) -> None:
        if _leaves_unknown(outcome):
            if sent.action is Action.PLACE and sent.client_id not in self._known:
                due_us, is_shown = outcome.t_local_us + self._patience_us, sent.client_id in self._shown
                self._unknown.append(_Unknown(sent, outcome, due_us, is_asked=is_shown))
            return
        assert isinstance(outcome, RequestAnswered)  # all else leaves it unknown
        name = self._name(sent)
        if outcome.accepted or (outcome.code in ID_IN_USE and sent.action is Action.PLACE):
            self._settle(name)
        elif outcome.code in NO_SUCH_ORDER:
            # A look-up from before it became unknown may have overtaken the order.
            asked_us = sent.t_local_us
            self._keep(lambda one: not one.is_named(name) or asked_us < one.outcome.t_local_us)
        if outcome.accepted and _is_whole(sent):
            self._see_list(sent)

    def _see_list(self, sent: RequestSent) -> None:
        """A list of orders was read: the bot knows what stands in it, and what does not."""
        if sent.path == OPEN_ORDERS and sent.t_local_us >= self._restarted_us:
            self._keep(lambda one: one.sent.t_local_us >= self._restarted_us)
        if sent.path != OPEN_ORDERS and sent.path not in PAST_ORDERS:
            return
        for unknown in self._unknown:
            if sent.t_local_us >= unknown.outcome.t_local_us and sent.symbol in ("", unknown.sent.symbol):
                unknown.read.add(sent.path)
        self._keep(lambda one: not self._is_read(one))

    def _is_read(self, unknown: _Unknown) -> bool:
        """Whether the lists that were read since tell its fate."""
        is_over = bool(unknown.read & PAST_ORDERS) or unknown.sent.client_id in self._shown
        return bool(unknown.sent.client_id) and OPEN_ORDERS in unknown.read and is_over

    def _settle(self, client_id: str) -> None:
        """Its fate is known."""
        if client_id:
            self._known.add(client_id)
            self._keep(lambda one: not one.is_named(client_id))

    def _keep(self, stays: Callable[[_Unknown], bool]) -> None:
        self._unknown = [one for one in self._unknown if stays(one)]

    def _name(self, sent: RequestSent) -> str:
        """The client id of the order that a request is about."""
        return sent.client_id or self._names.get(sent.order_id, "")


def _is_whole(sent: RequestSent) -> bool:
    """Whether a reading of a list asks for all that is in it, and not for one order."""
    return sent.action is Action.READ and not sent.client_id and not sent.order_id


def _since(unknown: _Unknown) -> str:
    name = unknown.sent.client_id or "an order without a client id"
    return f"the fate of {name} was unknown at {clock_time(unknown.outcome.t_local_us)}"
