"""E17: both order directions and the operator's stop were exercised.

Formula: the least of three counts: entry buys shown, entry sells shown, operator's stops that cleared the account
    within closing_s_max >= the exercise that the terms ask for
Exercise: times all three paths were seen.
Broken by: nothing, it is never BROKEN: what nobody tried is no breach, and a bot that nobody has seen stopped is not
    scaled up.
Not shown: where one of the three was not seen, where an order of the run was not seen being sent, without the
    contract's quantity step, or where orders and fills do not add up to the position that the venue showed last.

Three paths are to be seen:

1. The venue showed an entry buy of the bot, in whatever state; the answer to its request is not enough.
2. The venue showed an entry sell of the bot.
3. An operator stopped the bot while it had an order working or a position, and by the venue's record every order of the
   bot was gone and the account back where it stood before the run within `closing_s_max` seconds. It stayed so until
   the operator's resume or the end, and no entry was sent later than 1 s after the stop. What was cleared
   only once the run itself had asked the bot to stop, or its operator to resume, shows nothing. Less than one quantity
   step is dust.
4. It was the bot that cleared it: for each order that the stop found working it sent a cancel, and for a position that
   stood then or since a market order, reduce-only, at or after the stop. What was over within 1 s left no time for it.
   A take-profit that happened to fill shows no kill path.

The least of the three counts adds up over runs without ever counting two buys for a missing stop. Peak: the longest
that an operator's stop took. Equal to the limit is within.
"""

from bisect import bisect_left
from decimal import Decimal

from botproof.events import (
    Action,
    ContractRead,
    Fact,
    OperatorAction,
    RequestSent,
    RunEnded,
    Side,
    Source,
    StopStep,
)
from botproof.invariants.latch import IN_FLIGHT_US, RESUME, STOP
from botproof.invariants.ledger import Books, Ledger, Life, Move, Step
from botproof.invariants.tally import Tally
from botproof.invariants.verdict import Verdict
from botproof.invariants.wording import SECOND_US, to_us
from botproof.money import ZERO
from botproof.profile import Profile
from botproof.terms import Terms


class Paths:
    """E17."""

    id = "E17"
    needs = frozenset({Source.RUN, Source.VENUE, Source.TAP, Source.OPERATOR})
    hears = Ledger.hears | {ContractRead, OperatorAction, StopStep, RunEnded}

    def __init__(self, profile: Profile, terms: Terms) -> None:
        self._symbol = profile.symbol
        self._needed = terms.exercise.get(self.id, 1)
        self._limit_us = to_us(terms.closing_s_max)
        self.ledger = Ledger(profile.symbol)
        self._dust_below: Decimal | None = None
        self._stops: dict[int, OperatorAction] = {}  # by instant, as the resumes and the ends
        self._until: list[int] = []
        self._cancels: list[RequestSent] = []

    def see(self, fact: Fact) -> None:
        self.ledger.see(fact)
        match fact:
            case ContractRead() if fact.symbol == self._symbol:
                self._dust_below = fact.qty_step
            case RequestSent(action=Action.CANCEL):
                self._cancels.append(fact)
            case OperatorAction() if fact.action == STOP:
                self._stops.setdefault(fact.t_local_us, fact)
            case OperatorAction() if fact.action == RESUME:
                self._until.append(fact.t_local_us)
            case StopStep(step="asked") | RunEnded():
                self._until.append(fact.t_local_us)

    def verdict(self) -> Verdict:
        limit = Decimal(self._limit_us) / SECOND_US
        tally = Tally(self.id, self._needed, "times all three paths", limit=limit, unit="s")
        tally.doubt(self.ledger.doubt() or self.ledger.stray())
        if self._dust_below is None:
            tally.doubt("the contract's quantity step is not on the tape")
        seen = {
            "an accepted entry buy": self._entries(Side.BUY),
            "an accepted entry sell": self._entries(Side.SELL),
            "an operator's stop that cleared the account": self._clearing_stops(tally),
        }
        missing = [path for path, seqs in seen.items() if len(seqs) < self._needed]
        tally.what += f"; missing: {', '.join(missing)}"
        for seqs in zip(*seen.values(), strict=False):
            tally.exercised(max(seqs))
        return tally.verdict()

    def _entries(self, side: Side) -> list[int]:
        """The entries of one side that the venue showed, by the fact that showed each."""
        lives = [life for life in self.ledger.lives if life.belongs_to(self.ledger.prefix) and life.side is side]
        return [life.shown.seq for life in lives if life.shown is not None and not life.shown.reduce_only]

    def _clearing_stops(self, tally: Tally) -> list[int]:
        until = sorted(self._until)
        ends = ((stop, bisect_left(until, stop.t_local_us)) for stop in self._stops.values())
        return [stop.seq for stop, at in ends if at < len(until) and self._clears(stop, until[at], tally)]

    def _clears(self, stop: OperatorAction, until_us: int, tally: Tally) -> bool:
        """Whether `stop` found something open, and had it cleared for good in time and before `until_us`."""
        watch = _Watch(self.ledger, self._dust_below or ZERO, stop.t_local_us)
        for step in self.ledger.replay():
            if step.at_us < until_us:
                watch.take(step)
        if not watch.found_open or watch.clear_since_us is None:
            return False
        took_us = watch.clear_since_us - stop.t_local_us
        tally.rise(Decimal(took_us) / SECOND_US)
        acted = not watch.stood_idle and all(self._is_canceled(life, watch.stop_us, until_us) for life in watch.resting)
        return took_us <= self._limit_us and acted and not watch.went_on

    def _is_canceled(self, life: Life, from_us: int, until_us: int) -> bool:
        """Whether the bot asked for its cancel in time."""
        asked = (cancel for cancel in self._cancels if from_us <= cancel.t_local_us < until_us)
        return any(_names(cancel, life) for cancel in asked)


def _names(cancel: RequestSent, life: Life) -> bool:
    named = {sent.client_id for sent in life.sent}
    return cancel.client_id in named or bool(cancel.order_id and cancel.order_id == life.order_id)


class _Watch:
    """Goes through the run once, for one stop of an operator."""

    def __init__(self, ledger: Ledger, dust_below: Decimal, stop_us: int) -> None:
        self._prefix, self._dust_below, self.stop_us = ledger.prefix, dust_below, stop_us
        self._start = ledger.start
        self._books = Books(ledger.start)
        self._is_open = False
        self._held_since_us = stop_us
        self._is_closing = False  # a market exit was sent for the position, at or after the stop
        self.found_open = False
        self.resting: set[Life] = set()  # orders that the stop had found, and that the bot had time to cancel
        self.clear_since_us: int | None = None  # when all was cleared that the stop had found open
        self.stood_idle = False  # a position that the bot had time to close, and sent no market exit for
        self.went_on = False  # an entry was sent after it

    def take(self, step: Step) -> None:
        was_open, was_held = self._is_open, self._is_held
        self._books.apply(step)
        working = {life for life in self._books.working if life.belongs_to(self._prefix)}
        self._is_open = self._is_held or bool(working)
        if step.move is Move.BEGIN and step.life.sent and step.at_us >= self.stop_us:
            self._see_sending(step)
        if self._is_held is not was_held:
            self._see_position(step.at_us)
        if step.at_us <= self.stop_us:
            self.found_open, self.resting = self._is_open, working
            return
        if step.at_us <= self.stop_us + IN_FLIGHT_US:
            self.resting &= working
        if was_open:
            self.clear_since_us = None if self._is_open else step.at_us

    def _see_sending(self, step: Step) -> None:
        if not step.life.reduce_only:
            self.went_on = step.at_us > self.stop_us + IN_FLIGHT_US
        elif step.life.is_market:
            self._is_closing = True

    def _see_position(self, at_us: int) -> None:
        """It opened, or it is over."""
        if self._is_held:
            self._held_since_us, self._is_closing = max(at_us, self.stop_us), False
        elif at_us > self._held_since_us + IN_FLIGHT_US and not self._is_closing:
            self.stood_idle = True

    @property
    def _is_held(self) -> bool:
        left = abs(self._books.position - self._start)
        return left != 0 and left >= self._dust_below
