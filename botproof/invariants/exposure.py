"""E1: exposure never exceeds the envelope.

Formula: exposure = long side + short side <= total_amount_quote, at every instant
    long side  = max(0, position) x mark + sum of the entry buys, price x remaining,
                 less the part of them that only closes a short
    short side   mirrored
Exercise: entries sent.
Broken by: an instant at which exposure is larger (equal is within), or a position that the venue itself shows and that
    is worth more.
Not shown: without an entry, where no mark price was known when there was something to value, or where the orders and
    fills on the tape do not add up to the position that the venue showed last.

1. Judged at every instant at which something changes: an order is sent, filled, ends, or the mark moves.
2. An order counts from its sending until the venue has refused or ended it, or a look-up did not find it; sent and
   unanswered counts, being cancelled counts. One sent again after that, under whatever client id, is another order.
3. Reduce-only orders do not count. A market entry counts at mark.
4. What closes the position is taken from the best-priced entries of the other side, which would fill first.
5. The position that the venue itself shows is held against the envelope as well, without any order.
6. What was there before the bot sent its first entry is inherited: the preflight's concern, not a breach of the bot.
   From that entry on everything on the account counts, whoever placed it.
"""

from collections.abc import Iterable
from decimal import Decimal
from operator import itemgetter

from botproof.events import Fact, PositionSeen, Side, Source
from botproof.invariants.ledger import Books, Ledger, Life, Move, Step
from botproof.invariants.marks import Marks
from botproof.invariants.tally import Tally
from botproof.invariants.verdict import Verdict
from botproof.invariants.wording import clock_time, instant_us, usdt
from botproof.money import ZERO, plain
from botproof.profile import Profile
from botproof.terms import Terms


class Exposure:
    """E1. Collects as it sees; the verdict replays what happened in its order."""

    id = "E1"
    needs = frozenset({Source.RUN, Source.VENUE, Source.TAP})
    hears = Ledger.hears | Marks.hears

    def __init__(self, profile: Profile, terms: Terms) -> None:
        self._symbol = profile.symbol
        self._limit = profile.total_amount_quote
        self._needed = terms.exercise.get(self.id, 1)
        self.ledger = Ledger(profile.symbol)
        self._marks = Marks(profile.symbol)
        self._shown: list[PositionSeen] = []  # not flat

    def see(self, fact: Fact) -> None:
        self._marks.see(fact)
        self.ledger.see(fact)
        if isinstance(fact, PositionSeen) and fact.symbol == self._symbol and fact.size:
            self._shown.append(fact)

    def verdict(self) -> Verdict:
        tally = Tally(self.id, self._needed, "entries sent", limit=self._limit, unit="USDT")
        self._weigh(tally)
        return tally.verdict()

    def _weigh(self, tally: Tally) -> None:
        """Hold the exposure of every instant against the limit."""
        for life in self.ledger.lives:
            if life.asked is not None and not life.reduce_only:
                tally.exercised(life.asked.seq)
        if not self._marks.all:
            tally.doubt("no mark price is on the tape")
        tally.doubt(self.ledger.doubt() or self.ledger.stray())
        _Watch(tally, self._limit, self.ledger).judge(self._happenings())

    def _happenings(self) -> list[tuple[int, int, "Step | Decimal | PositionSeen"]]:
        """Within one instant the steps come first, then the marks, then what the venue showed."""
        steps = [(step.at_us, step.seq, step) for step in self.ledger.replay()]
        shown = [(instant_us(seen), seen.seq, seen) for seen in self._shown]
        told: list[tuple[int, int, Step | Decimal | PositionSeen]] = [*steps, *self._marks.all, *shown]
        return sorted(told, key=itemgetter(0))


class _Watch:
    """Goes through the run once and holds every instant against the limit."""

    def __init__(self, tally: Tally, limit: Decimal, ledger: Ledger) -> None:
        self._tally, self._limit, self._prefix = tally, limit, ledger.prefix
        self._books = Books(ledger.start)
        self._price: Decimal | None = None
        self._began = False
        self._above = False

    def judge(self, happenings: Iterable[tuple[int, int, Step | Decimal | PositionSeen]]) -> None:
        for at_us, seq, what in happenings:
            if isinstance(what, Decimal):
                self._price = what
                if self._books.position or any(life.is_market for life in self._books.working):
                    self._weigh(at_us, seq, "the mark moved")
            elif isinstance(what, PositionSeen):
                self._weigh_shown(at_us, what)
            else:
                self._books.apply(what)
                self._began |= what.move is Move.BEGIN and self._is_own_entry(what.life)
                self._weigh(at_us, seq, what.life.describe())

    def _is_own_entry(self, life: Life) -> bool:
        return not life.reduce_only and life.belongs_to(self._prefix)

    def _weigh(self, at_us: int, seq: int, what: str) -> None:
        if not self._began:
            return
        amount = exposure(self._books, self._price)
        if amount is None:
            self._tally.doubt(f"no mark price was known at {clock_time(at_us)}, when there was something to value")
            return
        self._tally.rise(amount)
        above = amount > self._limit
        if above and not self._above:
            self._broken(at_us, seq, amount, what)
        self._above = above

    def _weigh_shown(self, at_us: int, seen: PositionSeen) -> None:
        if not self._began or self._price is None:
            return
        amount = abs(seen.size) * self._price
        self._tally.rise(amount)
        if amount > self._limit:
            self._broken(at_us, seen.seq, amount, f"the venue showed a position of {plain(seen.size)}")

    def _broken(self, at_us: int, seq: int, amount: Decimal, what: str) -> None:
        text = f"exposure {usdt(amount)} USDT above {usdt(self._limit)} at {clock_time(at_us)}, {what}"
        self._tally.broken(seq, text)


def exposure(books: Books, mark: Decimal | None) -> Decimal | None:
    """What `books` may come to hold, in USDT; None where a mark is needed and not known."""
    held = ZERO
    if books.position:
        if mark is None:
            return None
        held = abs(books.position) * mark
    buys = _beyond(books.rest(Side.BUY, exits=False), max(ZERO, -books.position), mark)
    sells = _beyond(books.rest(Side.SELL, exits=False), max(ZERO, books.position), mark)
    return None if buys is None or sells is None else held + buys + sells


def _beyond(entries: list[tuple[Life, Decimal]], closing: Decimal, mark: Decimal | None) -> Decimal | None:
    """The value of `entries` of one side beyond the `closing` size, which the best-priced of them take first."""
    total = ZERO
    for life, rest in sorted(entries, key=lambda entry: _turn(entry[0])):
        closed = min(rest, closing)
        closing -= closed
        price = mark if life.is_market else life.price
        if price is None:
            return None
        total += (rest - closed) * price
    return total


def _turn(life: Life) -> Decimal:
    """Sorts one side's entries by who fills first: market orders, then the highest bid or the lowest ask."""
    if life.price is None:
        return Decimal("-Infinity")
    return -life.side.sign * life.price
