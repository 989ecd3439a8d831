"""E16: the venue accepted at least one order of the bot, else the window was idle and proves nothing.

Formula: orders of the bot that the venue itself showed >= the exercise that the terms ask for
Exercise: orders accepted.
Broken by: nothing, it is never BROKEN: an idle window is no breach, and it closes nothing.
Not shown: without such an order.

1. An order counts when the venue itself showed it, in whatever state; the answer to its request is not enough.
2. It is the bot's where it was sent through the tap or bears a client id of this run.
"""

from botproof.events import Fact, Source
from botproof.invariants.ledger import Ledger
from botproof.invariants.tally import Tally
from botproof.invariants.verdict import Verdict
from botproof.profile import Profile
from botproof.terms import Terms


class Activity:
    """E16."""

    id = "E16"
    needs = frozenset({Source.RUN, Source.VENUE, Source.TAP})
    hears = Ledger.hears

    def __init__(self, profile: Profile, terms: Terms) -> None:
        self._needed = terms.exercise.get(self.id, 1)
        self.ledger = Ledger(profile.symbol)

    def see(self, fact: Fact) -> None:
        self.ledger.see(fact)

    def verdict(self) -> Verdict:
        tally = Tally(self.id, self._needed, "orders accepted: the window was idle")
        for life in self.ledger.lives:
            if life.shown is not None and life.belongs_to(self.ledger.prefix):
                tally.exercised(life.shown.seq)
        return tally.verdict()
