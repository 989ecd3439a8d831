"""Everything botproof raises on purpose.

    BotproofError
    |-- Refusal                 what the user asked for cannot be done: one or two lines, an exit code
    |   |-- ProfileError        a profile or terms file that breaks its schema: every violation at once
    |   `-- Absent              a file that lies outside the project is not there: the one reason to skip
    |-- VenueError              the venue answered, and the answer is not 00000 (its own code and text)
    |-- Unanswered              the outcome of a request is unknown: no answer, or one that cannot be read
    |-- HarnessError            a mistake of ours or of the evidence: the run proves nothing
    |   `-- Incomplete          the run was cut short
    `-- Unshown (AssertionError too)
        |-- Broken              an invariant is BROKEN
        |-- NotShown            an invariant was never exercised
        `-- Unmentioned         something happened that no step of the scenario mentions

A remote fault (`VenueError`, `Unanswered`) and a local one (`HarnessError`) are different classes because
they have different cures. A breach of the envelope is a verdict; it becomes `Broken` only when a step says
that it held.
"""

from collections.abc import Sequence


class BotproofError(Exception):
    """The root: catch this to catch everything that botproof raises on purpose."""


class Refusal(BotproofError):
    """What was asked cannot be done. `str()` says what was expected, what was found and what to do."""


class ProfileError(Refusal):
    """A profile or terms file that breaks its schema; `violations` holds one line each, with the YAML path."""

    def __reduce__(self) -> tuple[type["ProfileError"], tuple[str, tuple[str, ...]]]:
        return type(self), (self.file, self.violations)  # it crosses processes with its parts

    def __init__(self, file: str, violations: Sequence[str]) -> None:
        self.file, self.violations = file, tuple(violations)
        super().__init__(
            f"{file}: {len(self.violations)} violation(s)\n" + "\n".join(f"  {v}" for v in self.violations)
        )


class Absent(Refusal):
    """A file that lies outside the project, such as recorded market data, is not on this machine."""


class VenueError(BotproofError):
    """The venue refused: HTTP `status`, the venue's own `code` and `message`."""

    def __reduce__(self) -> tuple[type["VenueError"], tuple[str, str, int]]:
        return type(self), (self.code, self.message, self.status)

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        self.code, self.message, self.status = code, message, status
        super().__init__(f"{code} {message} (HTTP {status})")


class Unanswered(BotproofError):
    """Nobody knows whether the request took effect: timed out, cut off, or answered unreadably."""


class HarnessError(BotproofError):
    """The harness or its evidence is at fault; nothing may be concluded about the bot."""


class Incomplete(HarnessError):
    """The run was cut short: what was seen is kept, and it never reads as passed."""


class Unshown(BotproofError, AssertionError):
    """A promise that a step states does not stand."""


class Broken(Unshown):
    """An invariant is BROKEN: the facts that prove it are on the tape."""


class NotShown(Unshown):
    """An invariant was never exercised, or its facts are not covered: that closes nothing."""


class Unmentioned(Unshown):
    """A crash, a refusal, an unknown call or a disagreement that no step of the scenario mentions."""
