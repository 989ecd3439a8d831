"""E7: turnover stays within the cap.

Formula: traded today + open entries + this entry <= x * min(equity, total_amount_quote)
    x = the smaller of the profile's turnover_cap_x and the terms' turnover_hard_x
Exercise: fills of the bot's entries.
Broken by: an entry that is sent although it would take the day beyond the cap. Equal to the cap is within.
Not shown: without a fill of an entry, where what was traded earlier on the first day, an equity at an entry, or a mark
    for entries at market is not known, where fills do not add up to the position that the venue showed last, or where
    an order of the run was not seen being sent or cannot be read.

1. Judged at the sending of every entry of the bot, whatever the venue made of it. Exits are never held back: a
   reduce-only order is owed to the position. So exits may take the day beyond the cap, and no entry may follow then.
   A retry under the same client id, while the first may stand, is the same order; sent again after the first was
   refused, or looked up and not there, it is another.
2. Traded today: what the account had traded before the run (on the run's first day) plus price x size of every fill of
   the symbol on the UTC day of the sending, exits and fills of others included, by the venue's clock, once by trade id.
3. Open entries: price x remaining of the bot's own entries, market orders at mark, from the sending until the venue has
   ended them; sent and unanswered ones count, ones being cancelled count. An entry that rests over midnight is open on
   the new day. An entry that fills moves from open to traded at one instant, and is never counted twice nor missed.
4. The bot and the observer learn of a fill some 100 ms apart, and their clocks agree within a second. So of the fills
   of the last second the bot need not know: the maker fill of its own exit, a fill of somebody else, and by how much
   its own limit entry filled above its price. A taker fill of its own exit always counts, for the bot sent it to be
   filled at once; and after that second everything counts.
5. Equity: the largest that was in force within the 30 s before the sending, which is how often it is polled beside the
   pushes. A reading that is older than 90 s is none.
6. Peak: the largest left side, as a multiple of min(equity, total_amount_quote), rounded up at the sixth decimal.
"""

from bisect import bisect_right
from collections import defaultdict, deque
from decimal import ROUND_CEILING, Decimal
from operator import itemgetter

from botproof.events import BalanceSeen, Fact, FillSeen, Source
from botproof.invariants.day import UNKNOWN, Earlier, utc_day
from botproof.invariants.ledger import Books, Ledger, Life, Move, Step
from botproof.invariants.marks import Marks
from botproof.invariants.tally import Tally
from botproof.invariants.verdict import Verdict
from botproof.invariants.wording import SECOND_US, clock_time, instant_us, usdt
from botproof.money import ZERO, plain
from botproof.profile import Profile
from botproof.terms import Terms

RACE_US = SECOND_US
POLL_US = 30 * SECOND_US
EQUITY_AGE_US_MAX = 3 * POLL_US
SIXTH = Decimal("0.000001")


class Turnover:
    """E7. Collects as it sees; the verdict replays what happened in its order."""

    id = "E7"
    needs = frozenset({Source.RUN, Source.VENUE, Source.TAP})
    hears = Ledger.hears | Earlier.hears | Marks.hears | {BalanceSeen}

    def __init__(self, profile: Profile, terms: Terms) -> None:
        self._cap_x = min(profile.turnover_cap_x, terms.turnover_hard_x)
        self._cap = "the hard limit" if terms.turnover_hard_x < profile.turnover_cap_x else "the cap"
        self._envelope = profile.total_amount_quote
        self._needed = terms.exercise.get(self.id, 1)
        self.ledger = Ledger(profile.symbol)
        self._earlier = Earlier(profile.symbol)
        self._marks = Marks(profile.symbol)
        self._equities: list[tuple[int, Decimal]] = []  # instant, USDT

    def see(self, fact: Fact) -> None:
        for part in (self.ledger, self._earlier, self._marks):
            part.see(fact)
        if isinstance(fact, BalanceSeen):
            self._equities.append((instant_us(fact), fact.equity_usdt))

    def verdict(self) -> Verdict:
        tally = Tally(self.id, self._needed, "fills of entries", limit=self._cap_x, unit="x")
        self._equities.sort(key=itemgetter(0))
        traded = _Traded(self.ledger)
        books = Books(self.ledger.start)
        for step in self.ledger.replay():
            books.apply(step)
            if step.move is Move.BEGIN and self._is_own_entry(step.life):
                self._judge(tally, step, books, traded)
            elif step.move is not Move.BEGIN and traded.take(step) and self._is_own_entry(step.life):
                tally.exercised(step.seq)
        tally.doubt(self.ledger.doubt() or self.ledger.stray())
        return tally.verdict()

    def _judge(self, tally: Tally, step: Step, books: Books, traded: "_Traded") -> None:
        what, day = f"{step.life.describe()} at {clock_time(step.at_us)}", utc_day(step.at_us)
        earlier = self._earlier.traded_usdt(day)
        if earlier is None:
            tally.doubt(UNKNOWN)
        done = (earlier or ZERO) + traded.on(day, step.at_us)
        entries = self._open(books, step)
        equity = self._equity(step.at_us)
        if entries is None or equity is None:
            missing = "mark" if entries is None else "equity"
            tally.doubt(f"no {missing} was known at {what} (seq {step.seq})")
            return
        base = min(equity, self._envelope)
        if base > 0:
            tally.rise(((done + entries) / base).quantize(SIXTH, rounding=ROUND_CEILING))
        if done + entries > self._cap_x * base:
            limit = f"{self._cap} {usdt(max(ZERO, self._cap_x * base))} = {plain(self._cap_x)} x {usdt(base)}"
            text = f"{what}: traded today {usdt(done)} + open entries {usdt(entries)} USDT, above {limit}"
            tally.broken(step.seq, text)

    def _open(self, books: Books, step: Step) -> Decimal | None:
        """What the bot's entries may still trade, this one included; None where a mark is needed and not known."""
        total = ZERO
        for life, rest in books.working.items():
            if self._is_own_entry(life):
                price = self._marks.at(step.at_us, step.seq) if life.is_market else life.price
                if price is None:
                    return None
                total += price * rest
        return total

    def _equity(self, at_us: int) -> Decimal | None:
        """The largest in force within the last poll interval; None where none was read for too long."""
        beyond = bisect_right(self._equities, at_us, key=itemgetter(0))
        if not beyond or self._equities[beyond - 1][0] < at_us - EQUITY_AGE_US_MAX:
            return None
        inside = bisect_right(self._equities, at_us - POLL_US, key=itemgetter(0))
        return max(equity for _, equity in self._equities[max(0, inside - 1) : beyond])

    def _is_own_entry(self, life: Life) -> bool:
        return not life.reduce_only and life.belongs_to(self.ledger.prefix)


class _Traded:
    """What was traded on each UTC day, and how much of it the bot need not know yet."""

    def __init__(self, ledger: Ledger) -> None:
        self._prefix = ledger.prefix
        self._fills = {life: {fill.seq: fill for fill in life.fills} for life in ledger.lives}
        self._days: dict[int, Decimal] = defaultdict(Decimal)
        self._recent: deque[tuple[int, int, Decimal]] = deque()  # instant, day, excused

    def take(self, step: Step) -> bool:
        """Count the fill that `step` tells; False where it tells none."""
        fill = self._fills[step.life].get(step.seq)
        if fill is None:
            return False
        day = utc_day(instant_us(fill))
        self._days[day] += fill.price * fill.size
        self._recent.append((step.at_us, day, self._excused(step.life, fill)))
        return True

    def on(self, day: int, at_us: int) -> Decimal:
        """Traded on `day`, as a bot that sends at `at_us` must know it."""
        while self._recent and self._recent[0][0] < at_us - RACE_US:
            self._recent.popleft()
        return self._days[day] - sum((excused for _, filled, excused in self._recent if filled == day), ZERO)

    def _excused(self, life: Life, fill: FillSeen) -> Decimal:
        if not life.belongs_to(self._prefix):
            return fill.price * fill.size
        if life.reduce_only:
            return fill.price * fill.size if fill.is_maker else ZERO
        return ZERO if life.price is None else max(ZERO, (fill.price - life.price) * fill.size)
