"""E3: no order and no exposure exceeds the desk cap, whatever the profile says.

Formula: own price x size of every order <= cap, and exposure (as E1 reckons it) <= cap
    cap = the smaller of the terms' desk_cap_usdt and the desk's own 100 USDT
Exercise: entries sent.
Broken by: an order worth more than the cap, an instant at which exposure is larger. Equal to the cap is within.
Not shown: without an entry, without a mark price, where fills do not add up to the position that the venue showed
    last, or where an order of the run was not seen being sent or cannot be read.

1. Every order is judged as sent, on whatever symbol, whatever the venue made of it; one at market at the mark then
   known. A line that repeats a request says nothing new.
2. A reduce-only order no larger than the largest position of the run on its other side closes what is judged as
   exposure, and is no order of its own here: a take-profit above the entry must not break what the entry kept. A
   larger one is judged like any other.
3. Exposure is E1's in every word: long side + short side at every instant from the bot's first entry on, sent and
   unanswered orders and cancels under way included.
4. Peak: the largest order or exposure.
"""

from decimal import Decimal

from botproof.events import Action, Fact, RequestSent, Side
from botproof.invariants.exposure import Exposure
from botproof.invariants.ledger import Move
from botproof.invariants.sent import Once, describe, value_usdt
from botproof.invariants.shape import is_market
from botproof.invariants.tally import Tally
from botproof.invariants.verdict import Verdict
from botproof.invariants.wording import clock_time, usdt
from botproof.money import ZERO
from botproof.profile import DESK_CAP_USDT, Profile
from botproof.terms import Terms


class DeskCap(Exposure):
    """E3. Orders as they were sent, and E1's exposure under another limit."""

    id = "E3"

    def __init__(self, profile: Profile, terms: Terms) -> None:
        super().__init__(profile, terms)
        self._limit = min(terms.desk_cap_usdt, DESK_CAP_USDT)
        self._once = Once()
        self._orders: list[RequestSent] = []

    def see(self, fact: Fact) -> None:
        if isinstance(fact, RequestSent) and fact.action is Action.PLACE and self._once.is_new(fact):
            self._orders.append(fact)
        super().see(fact)

    def verdict(self) -> Verdict:
        tally = Tally(self.id, self._needed, "entries sent", limit=self._limit, unit="USDT")
        largest = self._largest_positions()
        for sent in self._orders:
            if sent.symbol != self._symbol or not _closes(sent, largest):
                self._judge(tally, sent)
        self._weigh(tally)
        return tally.verdict()

    def _judge(self, tally: Tally, sent: RequestSent) -> None:
        known = is_market(sent) and sent.symbol == self._symbol
        value = value_usdt(sent, self._marks.at(sent.t_local_us, sent.seq) if known else None)
        if value is None:
            tally.doubt(f"{describe(sent)} (seq {sent.seq}) cannot be valued")
            return
        tally.rise(value)
        if value > self._limit:
            what = f"{describe(sent)} at {clock_time(sent.t_local_us)}"
            tally.broken(sent.seq, f"{what}: worth {usdt(value)} USDT, above the desk cap {usdt(self._limit)}")

    def _largest_positions(self) -> dict[Side, Decimal]:
        """The largest long (buy) and the largest short (sell) of the run, both unsigned."""
        position = self.ledger.start
        largest = {side: max(ZERO, side.sign * position) for side in Side}
        for step in self.ledger.replay():
            position += step.change if step.move is Move.FILL else ZERO
            largest = {side: max(most, side.sign * position) for side, most in largest.items()}
        return largest


def _closes(sent: RequestSent, largest: dict[Side, Decimal]) -> bool:
    """Whether it can do nothing but close what was held."""
    if not sent.reduce_only or sent.side is None or sent.size is None:
        return False
    return sent.size <= largest[sent.side.opposite]
