"""E6: every entry keeps the profile's distance from mid.

Formula: buy: mid - price >= spread x mid - tick; sell: price - mid >= spread x mid - tick
    spread = the nearest of the profile's spreads of that side; tick = of the contract rules last read before
Exercise: entries with a book at most 1 s old.
Broken by: an entry nearer to mid by more than one tick (equal to one is within); an entry at market; an entry on a
    side that the profile does not quote.
Not shown: without an entry, where one has no book of the second before it, no tick, side or price, or where an order
    of the run was not seen being sent or cannot be read.

1. mid is the one most favourable to the bot among the books of the second before the sending: the ticker that the
   venue pushed to the observer, and the depth that the bot itself was shown.
2. A book is of that second when the harness was given it, or the venue published it, at most 1 s before the
   sending and not after it, both ends included. Either will do: the bot may be told a little before the observer.
   A book without a price on either side has no mid.
3. Every entry is judged as sent, whatever the venue made of it. A retry under the same client id, while the first
   request for the same may still stand, is the same order and is judged once. The first stands no more when it was
   refused (not by a server that failed, HTTP 5xx), when a look-up did not find it, or when the venue ended its order.
4. An entry at market keeps no distance, and one on a side that the profile does not quote has none to keep: both break
   it.
5. An entry with no book of that second is no exercise, and nobody can say what distance it kept: then nothing is HELD.
   Neither is it without the contract's tick, without side or price, or where an order of the run was not seen being
   sent or cannot be read.
6. Peak: how far an entry stood inside the spread, in USDT of price, against one tick; 0 where all kept it.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from decimal import Decimal
from operator import attrgetter, itemgetter

from botproof.events import ContractRead, Fact, OrderType, RequestSent, Side, Source, TopOfBook
from botproof.invariants.ledger import Ledger, Life
from botproof.invariants.sent import describe
from botproof.invariants.shape import difference
from botproof.invariants.tally import Tally
from botproof.invariants.verdict import Verdict
from botproof.invariants.wording import SECOND_US, clock_time, instant_us, usdt
from botproof.money import ZERO, plain
from botproof.profile import Profile
from botproof.terms import Terms

BOOK_AGE_US_MAX = SECOND_US
_NEVER_US = 1 << 62


class Distance:
    """E6. Collects as it sees: a book that was published before a sending may reach the harness after it."""

    id = "E6"
    needs = frozenset({Source.RUN, Source.VENUE, Source.TAP})
    hears = Ledger.hears | {ContractRead, TopOfBook}

    def __init__(self, profile: Profile, terms: Terms) -> None:
        self._symbol = profile.symbol
        self._spreads = {Side.BUY: profile.buy_spreads, Side.SELL: profile.sell_spreads}
        self._needed = terms.exercise.get(self.id, 1)
        self.ledger = Ledger(profile.symbol)
        self._ticks: list[tuple[int, Decimal]] = []
        self._mids: list[tuple[int, Decimal]] = []  # by when the harness was given them, and when they were published

    def see(self, fact: Fact) -> None:
        self.ledger.see(fact)
        match fact:
            case ContractRead() if fact.symbol == self._symbol:
                self._ticks.append((fact.t_local_us, fact.tick))
            case TopOfBook() if fact.symbol == self._symbol and fact.bid > 0 and fact.ask > 0:
                self._mids += [(at_us, fact.mid) for at_us in {fact.t_local_us, instant_us(fact)}]

    def verdict(self) -> Verdict:
        self._mids.sort()
        tally = Tally(self.id, self._needed, "entries with a book at most 1 s old", unit="USDT")
        tally.limit = self._tick_at(self._ticks[-1][0]) if self._ticks else None
        for life in self.ledger.lives:
            for sent in _sendings(life):
                self._judge(tally, sent)
        tally.doubt(self.ledger.stray() or self.ledger.unread())
        return tally.verdict()

    def _judge(self, tally: Tally, sent: RequestSent) -> None:
        what = f"{describe(sent)} at {clock_time(sent.t_local_us)}"
        tick = self._tick_at(sent.t_local_us)
        if sent.order_type is OrderType.MARKET:
            tally.broken(sent.seq, f"{what}: at market it keeps no distance from mid")
        elif sent.side is None or sent.price is None:
            tally.doubt(f"{what} (seq {sent.seq}) has no side or price that can be read")
        elif not (spreads := self._spreads[sent.side]):
            tally.broken(sent.seq, f"{what}: the profile quotes no {sent.side}, so no distance is kept")
        elif tick is None:
            tally.doubt(f"{what} (seq {sent.seq}) was sent before the contract's tick was read")
        elif not (mids := self._mids_of(sent.t_local_us)):
            tally.doubt(f"{what} (seq {sent.seq}) was sent without a book at most 1 s old")
        else:
            tally.exercised(sent.seq)
            mid = max(mids) if sent.side is Side.BUY else min(mids)
            distance, owed = sent.side.sign * (mid - sent.price), min(spreads) * mid
            tally.rise(max(ZERO, owed - distance))
            if owed - distance > tick:
                tally.broken(
                    sent.seq,
                    f"{what}: {usdt(distance)} USDT from mid {plain(mid)}, "
                    f"{plain(min(spreads))} of it is {usdt(owed)}, less a tick of {plain(tick)}",
                )

    def _mids_of(self, sent_us: int) -> list[Decimal]:
        """The mids that the bot could know when it sent."""
        first = bisect_left(self._mids, sent_us - BOOK_AGE_US_MAX, key=itemgetter(0))
        beyond = bisect_right(self._mids, sent_us, key=itemgetter(0))
        return [mid for _, mid in self._mids[first:beyond]]

    def _tick_at(self, at_us: int) -> Decimal | None:
        """The largest tick read at the last instant of reading that is not after `at_us`."""
        known = [(read_us, tick) for read_us, tick in self._ticks if read_us <= at_us]
        return max(known)[1] if known else None


def _sendings(life: Life) -> Iterator[RequestSent]:
    """The entries that began this order: each request but a retry of one that may still stand."""
    refused_us = {(answer.src, answer.request): answer.t_local_us for answer in life.refused.values()}
    ended_us = None if life.ended is None else instant_us(life.ended)
    before: list[RequestSent] = []
    for sent in sorted(life.sent, key=attrgetter("t_local_us")):
        if ended_us is not None and ended_us <= sent.t_local_us:
            before.clear()
        standing = [one for one in before if _refused_us(one, refused_us) > sent.t_local_us]
        if sent.is_entry and all(difference(one, sent) for one in standing):
            yield sent
        before.append(sent)


def _refused_us(sent: RequestSent, refused_us: Mapping[tuple[Source, int], int]) -> int:
    """When the venue refused it; the far future where it did not."""
    return refused_us.get((sent.src, sent.request), _NEVER_US)
