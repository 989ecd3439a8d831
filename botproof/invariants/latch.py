"""E13: a hard stop stays until an operator lifts it.

Formula: entries sent from the begin of a hard stop to the operator's resume = 0, and states said in between that deny
    it (4) = 0
Exercise: hard stops after which the bot was left alone for 60 s.
Broken by: an entry sent in a hard stop; `running` said while it is in force, or any other state where the bot itself
    had said `hard_stop`.
Not shown: without such a hard stop, or where an order of the run was not seen being sent or cannot be read.

1. A hard stop begins when the bot says `hard_stop`, and when an operator stops the bot, whatever the bot says then.
   A row of minute.csv that says `hard_stop` while none is in force is the bot's word too, from when the row was read; a
   row of before the resume, or of the second after it, is not. One whose `ts` cannot be read leaves the promise not
   shown.
2. While it is in force no entry is sent. What was sent at the very instant of the bot's word is not after it; an
   operator's stop leaves 1 s for what was already on its way, unless the bot itself said `hard_stop` before.
3. Only an operator's resume lifts it; neither time nor another cause, a new day or a restart of the bot does.
4. Nor does the bot say `running` while it is in force, nor any other state where it had said `hard_stop` itself: what
   a bot calls its operator's stop is its own affair. A bot that was restarted may say `soft_pause` until it knows; and
   once the run has asked the bot to stop for good, only entries matter.
5. Where the judgement cannot look it says so: an order that nobody saw being sent, a request that cannot be read.
6. Left alone means before it was resumed or asked to stop for good; another hard stop while the first is in force is
   the same. Peak: entries sent in a hard stop; none is allowed.
"""

from dataclasses import dataclass
from decimal import Decimal

from botproof.events import (
    BotRestarted,
    BotSample,
    BotStateChanged,
    Fact,
    OperatorAction,
    RequestSent,
    RunEnded,
    Source,
    StopStep,
)
from botproof.invariants.cells import content, instant, label, word
from botproof.invariants.ledger import Ledger
from botproof.invariants.reasons import HARD_STOP, RUNNING
from botproof.invariants.tally import Tally
from botproof.invariants.verdict import Verdict
from botproof.invariants.wording import SECOND_US, clock_time
from botproof.money import ZERO
from botproof.profile import Profile
from botproof.terms import Terms

IN_FLIGHT_US = SECOND_US  # what a bot sent before it could heed its operator
SHOWN_AFTER_US = 60 * SECOND_US
STOP, RESUME = "stop", "resume"

Heard = BotStateChanged | BotSample | OperatorAction | BotRestarted | StopStep | RequestSent | RunEnded


@dataclass(slots=True)
class _HardStop:
    """A hard stop: what began it, and since when it binds the bot by its own word and by its operator's."""

    began: BotStateChanged | BotSample | OperatorAction
    said_us: int | None = None
    operated_us: int | None = None
    has_restarted: bool = False

    def binds(self, at_us: int) -> bool:
        """Whether what a bot sends or says at `at_us` is after it."""
        said = self.said_us is not None and at_us > self.said_us
        return said or (self.operated_us is not None and at_us > self.operated_us + IN_FLIGHT_US)


class Latch:
    """E13. Collects as it sees; the verdict replays it by the instants at which it was said and sent."""

    id = "E13"
    needs = frozenset({Source.RUN, Source.VENUE, Source.TAP, Source.BOT, Source.OPERATOR})
    hears = Ledger.hears | {BotStateChanged, BotSample, OperatorAction, BotRestarted, StopStep, RunEnded}

    def __init__(self, profile: Profile, terms: Terms) -> None:
        self._needed = terms.exercise.get(self.id, 1)
        self.ledger = Ledger(profile.symbol)
        self._heard: list[Heard] = []
        self._requests: set[tuple[Source, int]] = set()
        self._rows: set[str] = set()

    def see(self, fact: Fact) -> None:
        self.ledger.see(fact)
        match fact:
            case RequestSent() if fact.is_entry:
                if (fact.src, fact.request) not in self._requests:
                    self._requests.add((fact.src, fact.request))
                    self._heard.append(fact)
            case BotSample() if word(fact.row, "state") == HARD_STOP and content(fact) not in self._rows:
                self._rows.add(content(fact))
                self._heard.append(fact)
            case BotStateChanged() | OperatorAction() | BotRestarted() | RunEnded():
                self._heard.append(fact)
            case StopStep(step="asked"):
                self._heard.append(fact)

    def verdict(self) -> Verdict:
        what = f"hard stops watched for {SHOWN_AFTER_US // SECOND_US} s"
        tally = Tally(self.id, self._needed, what, limit=ZERO, unit="entries")
        tally.doubt(self.ledger.stray() or self.ledger.unread())
        watch = _Watch(tally)
        for fact in sorted(self._heard, key=_turn):
            watch.take(fact)
        return tally.verdict()


def _turn(fact: Heard) -> tuple[int, bool, int]:
    """By the instant; a resume lifts what began before it, and nothing that begins with it."""
    return fact.t_local_us, not (isinstance(fact, OperatorAction) and fact.action == RESUME), fact.seq


class _Watch:
    """Goes through the run once."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._stop: _HardStop | None = None
        self._resumed_us: int | None = None
        self._is_asked = False
        self._entries = 0

    def take(self, fact: Heard) -> None:
        match fact:
            case RequestSent():
                self._see_entry(fact)
            case BotStateChanged():
                self._see_state(fact)
            case BotSample():
                self._see_row(fact)
            case OperatorAction(action="stop"):
                self._begin(fact)
            case OperatorAction(action="resume"):
                self._count(fact.t_local_us)
                self._stop, self._resumed_us = None, fact.t_local_us
            case BotRestarted() if self._stop is not None:
                self._stop.has_restarted = True
            case StopStep() | RunEnded():
                self._count(fact.t_local_us)
                self._is_asked = True

    def _begin(self, fact: BotStateChanged | BotSample | OperatorAction) -> None:
        stop = self._stop = self._stop or _HardStop(fact)
        if isinstance(fact, OperatorAction):
            stop.operated_us = fact.t_local_us if stop.operated_us is None else stop.operated_us
        else:
            stop.said_us = fact.t_local_us if stop.said_us is None else stop.said_us

    def _count(self, at_us: int) -> None:
        """The stretch in which the bot was left alone in a hard stop ends."""
        if self._stop is None or self._is_asked:
            return
        self._tally.rise(Decimal(self._entries))
        if at_us - self._stop.began.t_local_us >= SHOWN_AFTER_US:
            self._tally.exercised(self._stop.began.seq)

    def _see_entry(self, sent: RequestSent) -> None:
        stop = self._stop
        if stop is None or not stop.binds(sent.t_local_us):
            return
        self._entries += 1
        self._tally.rise(Decimal(self._entries))
        self._tally.broken(sent.seq, f"the entry {sent.client_id} was sent at {_when(sent)}, in {_name(stop)}")

    def _see_row(self, sample: BotSample) -> None:
        if self._stop is not None:
            return
        written_us = instant(sample.row, "ts")
        if written_us is None:
            self._tally.doubt(f"{label(sample)} says {HARD_STOP}, and nobody can say when")
        elif self._resumed_us is None or written_us > self._resumed_us + IN_FLIGHT_US:
            self._begin(sample)

    def _see_state(self, said: BotStateChanged) -> None:
        if said.state == HARD_STOP:
            self._begin(said)
            return
        stop = self._stop
        if stop is None or self._is_asked or not stop.binds(said.t_local_us):
            return
        if said.state == RUNNING or (stop.said_us is not None and not stop.has_restarted):
            self._tally.broken(said.seq, f"the bot said {said.state} at {_when(said)}, in {_name(stop)}")


def _name(stop: _HardStop) -> str:
    by = "its operator's" if isinstance(stop.began, OperatorAction) else "its"
    return f"{by} hard stop of {_when(stop.began)} that nobody lifted"


def _when(fact: Fact) -> str:
    return clock_time(fact.t_local_us)
