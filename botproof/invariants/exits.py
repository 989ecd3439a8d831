"""E10: every net position is closed by one reduce-only exit at a time, never larger than the position.

Formula: exits at work <= 1, each of a size <= position, at every instant; and time without an exit, while a position
    stands, <= exit_owed_s_max; and position at the end = position before the first fill
Exercise: net positions that fills of the bot opened, and for which an exit was sent or filled.
Broken by: two exits at work at one instant; an exit larger than the position, sent so or left so for longer than
    exit_gone_s_max; a position longer without an exit than exit_owed_s_max; an exit that opens or turns a position;
    a position that is left at the end.
Not shown: without such a position, without the contract's quantity step, or where the orders and fills on the tape do
    not add up to the position that the venue showed last.

The position is the net of all fills; what was true at an instant is judged, not what the observer knew at it (see
`botproof.invariants.ledger`).

1. One exit works at a time, counted from its sending until the venue has ended it: whoever replaces an exit cancels
   it, awaits its fate, and only then sends the next.
2. An exit that is sent is at most the position. Against the race with an opposite entry, the largest position of the
   last `exit_gone_s_max` seconds counts: a bot may learn of netting a moment after it happened, and the venue then
   answers 22002.
3. When opposite entries have netted the position away, wholly or in part, no exit is larger than what is left for
   longer than `exit_gone_s_max`.
4. An exit is owed: no position stands for longer than `exit_owed_s_max` without a working exit. One that the venue
   refused was none, and a market order that lapsed (see `botproof.invariants.lapse`) is none any more, though it still
   stands in the way of another (1).
5. No exit opens or turns a position.
6. At the end of the run the position is what it was before the first fill. Less than one quantity step is dust.
7. A position that was there before the first fill of the bot, or that somebody else opened, owes no exit.
8. Peak: the longest a position stood without a working exit. Equal to a limit is within.
"""

from decimal import Decimal
from operator import attrgetter

from botproof.events import ContractRead, Fact, RunEnded, Side, Source
from botproof.invariants.lapse import Lapse, Lapses
from botproof.invariants.ledger import Books, Ledger, Life, Move, Step
from botproof.invariants.tally import Tally
from botproof.invariants.verdict import Verdict
from botproof.invariants.wording import SECOND_US, clock_time, seconds, to_us
from botproof.money import ZERO, plain
from botproof.profile import Profile
from botproof.terms import Terms


class Exits:
    """E10. Collects as it sees; the verdict replays what happened in its order."""

    id = "E10"
    needs = frozenset({Source.RUN, Source.VENUE, Source.TAP})
    hears = Ledger.hears | Lapses.hears | {ContractRead, RunEnded}

    def __init__(self, profile: Profile, terms: Terms) -> None:
        self._symbol = profile.symbol
        self._terms = terms
        self.ledger = Ledger(profile.symbol)
        self._lapses = Lapses(terms)
        self._step: Decimal | None = None
        self._ended: RunEnded | None = None

    def see(self, fact: Fact) -> None:
        match fact:
            case ContractRead() if fact.symbol == self._symbol:
                self._step = fact.qty_step
            case RunEnded():
                self._ended = self._ended or fact
            case _:
                self.ledger.see(fact)
                self._lapses.see(fact)

    def verdict(self) -> Verdict:
        owed = Decimal(self._terms.exit_owed_s_max)
        tally = Tally(
            self.id,
            self._terms.exercise.get(self.id, 1),
            "net positions opened by fills and exited",
            limit=owed,
            unit="s",
        )
        tally.doubt(self.ledger.doubt())
        if self._step is None:
            tally.doubt("the contract's quantity step is not on the tape")
        watch = _Watch(tally, self.ledger, self._step or ZERO, self._terms)
        happenings: list[Step | Lapse] = [*self.ledger.replay(), *self._lapses.of(self.ledger.lives)]
        for what in sorted(happenings, key=attrgetter("at_us")):
            watch.take(what)
        if self._ended is not None:
            watch.end(self._ended)
        return tally.verdict()


class _Watch:
    """Goes through the run once, from step to step."""

    def __init__(self, tally: Tally, ledger: Ledger, dust_below: Decimal, terms: Terms) -> None:
        self._tally, self._prefix, self._dust_below = tally, ledger.prefix, dust_below
        self._gone_us, self._owed_us = to_us(terms.exit_gone_s_max), to_us(terms.exit_owed_s_max)
        self._start = ledger.start
        self._books = Books(ledger.start)
        self._lapsed: set[Life] = set()
        self._held: list[tuple[int, Decimal]] = [(0, ledger.start)]  # since when, position: as far back as it matters
        self._opened = False
        self._unexited: int | None = None  # the fill that opened the last position, until an exit is sent or filled
        self._naked_since: tuple[int, int] | None = None  # instant, seq
        self._larger_since: tuple[int, int] | None = None
        self._told: set[str] = set()  # findings of the present stretch

    def take(self, what: Step | Lapse) -> None:
        """Let time pass until it happened, and judge what it brought about."""
        self._pass_to(what.at_us)
        if isinstance(what, Step):
            self._take_step(what)
        elif what.counts:
            self._lapsed.discard(what.life)
        else:
            self._lapsed.add(what.life)
        self._note_stretches(what.at_us, what.seq)

    def _take_step(self, step: Step) -> None:
        before = self._books.position
        if step.move is Move.BEGIN and self._is_own_exit(step.life):
            self._judge_sending(step)
            self._exercise()
        self._books.apply(step)
        if step.move is Move.FILL:
            self._judge_fill(step, before)

    def end(self, ended: RunEnded) -> None:
        """Judge what is left at the end of the run."""
        self._pass_to(ended.t_local_us)
        left = self._books.position - self._start
        if self._opened and not self._is_dust(left):
            self._tally.broken(ended.seq, f"a position of {plain(left)} was left at the end of the run")

    def _pass_to(self, at_us: int) -> None:
        """Let time pass: what lasts too long is a breach at the moment at which it became one."""
        if self._naked_since is not None:
            since_us, seq = self._naked_since
            self._tally.rise(Decimal(max(0, at_us - since_us)) / SECOND_US)
            if at_us - since_us > self._owed_us:
                held = plain(self._books.position)
                self._tell(
                    "naked", seq, f"a position of {held} had no exit for {seconds(at_us - since_us)} s", since_us
                )
        if self._larger_since is not None:
            since_us, seq = self._larger_since
            if at_us - since_us > self._gone_us:
                text = f"the exits were larger than the position for {seconds(at_us - since_us)} s"
                self._tell("larger", seq, text, since_us)

    def _judge_sending(self, step: Step) -> None:
        others = self._exits(step.life.side)
        if others:
            self._broken(step, f"was sent while {others[0][0].describe()} was working")
        total = step.size + sum(rest for _, rest in others)
        most = self._largest(step.life.side.opposite, step.at_us)
        if total > most:
            self._broken(step, f"makes exits of {plain(total)} for a position of {plain(most)}")

    def _judge_fill(self, step: Step, before: Decimal) -> None:
        after = self._books.position
        self._held.append((step.at_us, after))
        if step.life.reduce_only:
            self._exercise()
            if not (ZERO <= after <= before or before <= after <= ZERO):
                self._broken(step, f"took the position from {plain(before)} to {plain(after)}")
        elif step.life.belongs_to(self._prefix) and (self._is_dust(before) or before * after < 0):
            self._opened = True
            if not self._is_dust(after):
                self._unexited = step.seq

    def _exercise(self) -> None:
        """An exit was sent or filled: the position that was opened last is put to the test, once."""
        if self._unexited is not None:
            self._tally.exercised(self._unexited)
            self._unexited = None

    def _note_stretches(self, at_us: int, seq: int) -> None:
        """Begin or end the stretches in which an exit is owed, or is larger than the position."""
        position = self._books.position
        closing = Side.SELL if position > 0 else Side.BUY
        exits = [life for life, _ in self._exits(closing) if not life.never_existed and life not in self._lapsed]
        naked = self._opened and not self._is_dust(position) and not exits
        larger = any(sum(rest for _, rest in self._exits(side)) > max(ZERO, -side.sign * position) for side in Side)
        self._naked_since = (self._naked_since or (at_us, seq)) if naked else None
        self._larger_since = (self._larger_since or (at_us, seq)) if larger else None
        self._told &= {name for name, lasts in (("naked", naked), ("larger", larger)) if lasts}

    def _exits(self, side: Side) -> list[tuple[Life, Decimal]]:
        return [(life, rest) for life, rest in self._books.rest(side, exits=True) if life.belongs_to(self._prefix)]

    def _largest(self, side: Side, at_us: int) -> Decimal:
        """The largest position on `side` that was held within the last `exit_gone_s_max` seconds."""
        while len(self._held) > 1 and self._held[1][0] < at_us - self._gone_us:
            del self._held[0]
        return max(max(ZERO, side.sign * held) for _, held in self._held)

    def _is_own_exit(self, life: Life) -> bool:
        return life.reduce_only and life.belongs_to(self._prefix)

    def _is_dust(self, size: Decimal) -> bool:
        return size == 0 or abs(size) < self._dust_below

    def _broken(self, step: Step, what: str) -> None:
        self._tally.broken(step.seq, f"{step.life.describe()} {what} at {clock_time(step.at_us)}")

    def _tell(self, name: str, seq: int, text: str, since_us: int) -> None:
        """A stretch is one breach, however many steps it spans."""
        if name not in self._told:
            self._told.add(name)
            self._tally.broken(seq, f"{text} from {clock_time(since_us)} on")
