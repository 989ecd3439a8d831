"""E8: position mode, margin mode and leverage are read back as declared before the first order, and stay so.

Formula: position_mode, leverage (profile) and margin_mode (terms) = as read by the bot before its first order, and as
    every later reading and change of bot and venue shows them, up to one reading of the venue after the window
Exercise: readings of the venue as declared, after at least one by the bot.
Broken by: an order sent before the bot had read them back as declared; a reading or a change, after that, of another
    value.
Not shown: without a read-back of the bot, without a reading of the venue after the window, or where a change that was
    asked for leaves a stretch nobody saw (4).

1. The bot reads its settings back (on the tap) before its first order, and what it read is what the profile (position
   mode, leverage) and the terms (margin mode) declare. An order sent before that breaks the promise. A setting that
   the bot asks to change must be read back again.
2. From that read-back on, every reading and every change seen, by the bot or by the venue, is as declared. What a
   reading showed before it is excused: an account may need setting up.
3. The venue itself showed the settings as declared, and once more after the window had closed.
4. After the first order nobody asks to change a setting: a request that was not refused leaves a stretch nobody saw,
   and then nothing is HELD. Nor is it where, when they were read back, a change was on its way or its fate unknown, or
   where the bot sent a request of a kind that nobody reads.
"""

from botproof.events import (
    Action,
    Fact,
    ModeOrLeverageChanged,
    RequestAnswered,
    RequestSent,
    SettingsRead,
    Source,
    WindowClosed,
)
from botproof.invariants.tally import Tally
from botproof.invariants.verdict import Verdict
from botproof.invariants.wording import clock_time, instant_us
from botproof.profile import Profile
from botproof.terms import Terms

POSITION_MODES = {"ONEWAY": "one_way_mode"}  # the words of the profile and of the venue
CHANGES = frozenset({Action.SET_LEVERAGE, Action.SET_POSITION_MODE, Action.SET_MARGIN_MODE})


class Settings:
    """E8."""

    id = "E8"
    needs = frozenset({Source.RUN, Source.VENUE, Source.TAP})
    hears: frozenset[type[Fact]] = frozenset(
        {RequestSent, RequestAnswered, SettingsRead, ModeOrLeverageChanged, WindowClosed}
    )

    def __init__(self, profile: Profile, terms: Terms) -> None:
        self._symbol = profile.symbol
        self._declared = {
            "position_mode": POSITION_MODES[profile.position_mode],
            "margin_mode": terms.margin_mode,
            "leverage": str(profile.leverage),
        }
        self._tally = Tally(self.id, terms.exercise.get(self.id, 1), "read-backs of the venue as declared")
        self._settled_us: int | None = None  # when the bot had read its settings back
        self._changed_us = 0  # when the bot last asked to change one before its first order
        self._ordered = False
        self._shown_us = 0  # the last instant at which the venue showed them as declared
        self._closed_us: int | None = None
        self._asked: dict[tuple[Source, int], RequestSent] = {}  # changes after the first order, not refused
        self._pending: dict[tuple[Source, int], RequestSent] = {}  # changes, not answered
        self._answered_seq = 0  # the last answer to a change
        self._readings: dict[tuple[Source, int], int] = {}  # sent and not answered: the seq of the sending
        self._read_seq: int | None = None  # where the reading was sent that was answered last
        self._unsure = ""  # why the last read-back may be older than a change
        self._requests: set[tuple[Source, int]] = set()

    def see(self, fact: Fact) -> None:
        match fact:
            case RequestSent():
                self._see_request(fact)
            case RequestAnswered():
                self._see_answer(fact)
            case SettingsRead() if fact.symbol == self._symbol:
                self._see_reading(fact)
            case ModeOrLeverageChanged() if fact.symbol == self._symbol:
                self._see_setting(fact, {fact.setting: fact.after})
            case WindowClosed():
                self._closed_us = fact.t_local_us if self._closed_us is None else self._closed_us

    def verdict(self) -> Verdict:
        if self._settled_us is None:
            self._tally.doubt("the bot never read its settings back as declared")
        if self._unsure or self._pending:
            self._tally.doubt(self._unsure or self._on_its_way())
        for sent in self._asked.values():
            what, when = f"{sent.method} {sent.path} (seq {sent.seq})", clock_time(sent.t_local_us)
            unread = sent.action is Action.OTHER
            self._tally.doubt(
                f"what {what} did is not judged"
                if unread
                else f"a setting was asked to change at {when} by {what}, after the first order"
            )
        if self._tally.exercise and (self._closed_us is None or self._shown_us < self._closed_us):
            self._tally.doubt("the venue's settings were not read after the window had closed")
        return self._tally.verdict()

    def _see_answer(self, answer: RequestAnswered) -> None:
        request = (answer.src, answer.request)
        if request not in self._requests:
            self._tally.doubt(f"the request that was answered at seq {answer.seq} is not on the tape")
        if not answer.accepted:
            self._asked.pop(request, None)
        if self._pending.pop(request, None) is not None:
            self._answered_seq = answer.seq
        if request in self._readings:
            self._read_seq = self._readings.pop(request)

    def _on_its_way(self) -> str:
        """Why a reading of now may not show what was asked for; empty where it does."""
        if self._pending:
            sent = next(iter(self._pending.values()))
            return f"the fate of {sent.method} {sent.path} (seq {sent.seq}) is unknown"
        if self._read_seq is not None and self._read_seq < self._answered_seq:
            return f"the settings were asked for before a change of them was answered (seq {self._answered_seq})"
        return ""

    def _see_request(self, sent: RequestSent) -> None:
        request = (sent.src, sent.request)
        if request in self._requests:
            return
        self._requests.add(request)
        if sent.action is Action.READ:
            self._readings[request] = sent.seq
        elif sent.action is Action.OTHER and sent.changes_something:
            self._asked[request] = sent
        elif sent.action in CHANGES:
            self._pending[request] = sent
        if sent.action is Action.PLACE:
            self._ordered = True
            if self._settled_us is None:
                when = clock_time(sent.t_local_us)
                self._tally.broken(
                    sent.seq, f"an order was sent at {when}, before the settings were read back as declared"
                )
        elif sent.action in CHANGES and self._ordered:
            self._asked.setdefault(request, sent)
        elif sent.action in CHANGES:
            self._settled_us, self._changed_us = None, max(self._changed_us, sent.t_local_us)

    def _see_reading(self, read: SettingsRead) -> None:
        shown = {
            "position_mode": read.position_mode,
            "margin_mode": read.margin_mode,
            "leverage": str(read.leverage),
        }
        if shown != self._declared:
            self._see_setting(read, shown)
        elif read.src is Source.TAP:
            if not self._ordered and instant_us(read) > self._changed_us and (self._settled_us is None or self._unsure):
                self._settled_us, self._unsure = instant_us(read), self._on_its_way()
        elif instant_us(read) > self._shown_us:
            self._shown_us = instant_us(read)
            self._tally.exercised(read.seq)

    def _see_setting(self, fact: Fact, shown: dict[str, str]) -> None:
        """Settings that differ from the declared ones are a breach once the bot has read them back."""
        if self._settled_us is None or instant_us(fact) < self._settled_us:
            return
        for setting, value in shown.items():
            declared = self._declared.get(setting, "unknown")
            if value != declared:
                when = clock_time(instant_us(fact))
                self._tally.broken(fact.seq, f"{setting} was {value} at {when}, declared is {declared}")
