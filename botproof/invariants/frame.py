"""The frame of a run: what the harness itself says about it, without which no verdict may be HELD.

1. One run began, with the profile, the terms and the symbol that are judged now.
2. Its window opened and closed with both ends as fixed in advance, and lasted to its end.
3. It ended, and was not cut short.
"""

from botproof.events import Fact, RunEnded, RunStarted, WindowClosed, WindowOpened
from botproof.profile import Profile
from botproof.terms import Terms


class Frame:
    """Remembers the first fact of each kind; a later one that says otherwise is a doubt."""

    hears: frozenset[type[Fact]] = frozenset({RunStarted, WindowOpened, WindowClosed, RunEnded})

    def __init__(self) -> None:
        self.started: RunStarted | None = None
        self.opened: WindowOpened | None = None
        self.closed: WindowClosed | None = None
        self.ended: RunEnded | None = None
        self._doubt = ""

    def see(self, fact: Fact) -> None:
        match fact:
            case RunStarted():
                self.started = self.started or fact
                self._agree(fact.run_id == self.started.run_id, "the tape holds two runs")
            case WindowOpened():
                self.opened = self.opened or fact
                same = (fact.start_us, fact.end_us) == (self.opened.start_us, self.opened.end_us)
                self._agree(same, "the window was opened twice")
            case WindowClosed():
                self.closed = self.closed or fact
                same = (fact.start_us, fact.end_us) == (self.closed.start_us, self.closed.end_us)
                self._agree(same, "the window was closed twice")
            case RunEnded():
                self.ended = self.ended or fact
                self._agree(fact.complete, f"the run was cut short: {fact.reason}")

    def doubt(self, profile: Profile, terms: Terms) -> str:
        """Why nothing of this run may be HELD; empty where something may."""
        if self.started is None:
            return "the start of the run is not on the tape"
        if self.started.profile_sha256 != profile.sha256:
            return "the run was made with another profile than the one judged (its sha256 differs)"
        if self.started.terms_sha256 != terms.sha256:
            return "the run was made under other terms than the ones judged by (their sha256 differs)"
        if self.started.symbol != profile.symbol:
            return f"the run was made on {self.started.symbol}, the profile says {profile.symbol}"
        return self._doubt or self._window_doubt()

    def _window_doubt(self) -> str:
        if self.opened is None:
            return "the opening of the window is not on the tape"
        if self.closed is None:
            return "the closing of the window is not on the tape"
        if (self.opened.start_us, self.opened.end_us) != (self.closed.start_us, self.closed.end_us):
            return "the window that closed is not the one that opened"
        if self.closed.t_local_us < self.closed.end_us:
            return "the window was closed before its end"
        if self.ended is None:
            return "the end of the run is not on the tape"
        return ""

    def _agree(self, agrees: bool, otherwise: str) -> None:
        if not agrees:
            self._doubt = self._doubt or otherwise
