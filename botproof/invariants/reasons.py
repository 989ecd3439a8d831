"""E15: a pause and a hard stop always carry a recorded reason.

Formula: reasons >= 1 with every state other than running, in what the bot says and in every row of minute.csv
Exercise: rows of minute.csv that are not running. Each counts once, however often it is written.
Broken by: a pause or a hard stop without a reason, or with a word that only fills its place; a state that is none.
Not shown: without such a row, where a row has no state, where the bot never told its state beside the rows, or
    where the window has too few rows (`botproof.invariants.cadence`): a pause without a row was never told.

1. A bot that says it is in another state than `running` gives at least one reason with it. A blank is no reason, nor is
   a word that only fills its place (`-`, `n/a`, `nan`, `none`, `null`).
2. Every row of minute.csv whose state is another than `running` has at least one in `risk_reasons`, where they are
   separated by `|`.
3. The states are running, soft_pause and hard_stop; another word says nothing and breaks the promise. A row without a
   state was never told: then nothing is HELD.
4. While it is running a bot may note reasons or none.
"""

from botproof.events import BotSample, BotStateChanged, Fact, Source
from botproof.invariants.cadence import Cadence
from botproof.invariants.cells import content, label, read_word, word
from botproof.invariants.tally import Tally
from botproof.invariants.verdict import Verdict
from botproof.invariants.wording import clock_time
from botproof.profile import Profile
from botproof.terms import Terms

RUNNING, HARD_STOP = "running", "hard_stop"
STATES = frozenset({RUNNING, "soft_pause", HARD_STOP})
NO_REASON = frozenset({"", "-", "n/a", "nan", "none", "null"})


class Reasons:
    """E15."""

    id = "E15"
    needs = frozenset({Source.RUN, Source.BOT})
    hears = Cadence.hears | {BotStateChanged}

    def __init__(self, profile: Profile, terms: Terms) -> None:  # noqa: ARG002  every fold is made alike
        self._tally = Tally(self.id, terms.exercise.get(self.id, 1), "rows of minute.csv that are not running")
        self._has_spoken = False
        self._rows: set[str] = set()
        self._cadence = Cadence(terms)

    def see(self, fact: Fact) -> None:
        self._cadence.see(fact)
        match fact:
            case BotStateChanged():
                self._has_spoken = True
                self._judge(fact, "the bot said", fact.state, fact.reasons)
            case BotSample():
                self._see_row(fact)

    def verdict(self) -> Verdict:
        if not self._has_spoken:
            self._tally.doubt("the bot never told its state")
        self._tally.doubt(self._cadence.doubt())
        return self._tally.verdict()

    def _see_row(self, sample: BotSample) -> None:
        if content(sample) in self._rows:
            return
        self._rows.add(content(sample))
        state = read_word(self._tally, sample, "state")
        if state is None:
            return
        self._judge(sample, f"{label(sample)} says", state, word(sample.row, "risk_reasons").split("|"))
        if state != RUNNING:
            self._tally.exercised(sample.seq)

    def _judge(self, fact: Fact, who: str, state: str, reasons: tuple[str, ...] | list[str]) -> None:
        when = clock_time(fact.t_local_us)
        if state not in STATES:
            self._tally.broken(fact.seq, f"{who} {state!r} at {when}, which is no state")
        elif state != RUNNING and all(reason.strip().casefold() in NO_REASON for reason in reasons):
            self._tally.broken(fact.seq, f"{who} {state} at {when}, and gives no reason")
