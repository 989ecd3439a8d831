"""Instants and windows: absolute, in UTC, and compared with nothing but one another."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from botproof.document import shown
from botproof.errors import Refusal

MINUTE_US = 60_000_000
SECOND_US = 1_000_000
DAY_US = 86_400_000_000
WINDOW_DAYS_MAX = 3650
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
SHAPE = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?(?:Z|\+00:00)", re.ASCII
)
_LOCAL = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?", re.ASCII)
_EPOCH_TEXT = re.compile(r"[0-9]{9,17}(?:\.[0-9]+)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Window:
    """[start, end], microseconds since the epoch; both ends belong to it."""

    start_us: int
    end_us: int

    @property
    def minutes(self) -> int:
        """How many clock minutes it touches; its end alone touches none."""
        return -(-self.end_us // MINUTE_US) - self.start_us // MINUTE_US

    def holds(self, at_us: int) -> bool:
        """Whether an instant lies inside."""
        return self.start_us <= at_us <= self.end_us

    def __str__(self) -> str:
        return f"{iso(self.start_us)} to {iso(self.end_us)}"


def read_window(start: str, end: str) -> Window:
    """The window between two instants as text. Raises `Refusal` where they are none, or no window."""
    start_us, end_us = read_instant(start), read_instant(end)
    for name, text, at_us in (("--start", start, start_us), ("--end", end, end_us)):
        if at_us is None:
            raise Refusal(f"{name}: expected an instant in UTC such as 2026-02-22T01:37:00Z, found {why_none(text)}")
    assert start_us is not None
    assert end_us is not None
    if not start_us < end_us <= start_us + WINDOW_DAYS_MAX * DAY_US:
        raise Refusal(f"--end: expected an instant after --start {shown(start)}, found {shown(end)}")
    return Window(start_us, end_us)


def read_instant(text: object) -> int | None:
    """Microseconds since the epoch of `2026-02-22T01:00:00.000000+00:00` or `...Z`; None where it is none."""
    if not isinstance(text, str) or SHAPE.fullmatch(text) is None:
        return None
    try:
        return (datetime.fromisoformat(text) - EPOCH) // MICROSECOND
    except ValueError:  # the 30th of February
        return None


def why_none(text: str) -> str:
    """What an unreadable instant is instead, in words."""
    if _EPOCH_TEXT.fullmatch(text):
        return f"{shown(text)}, which looks like seconds since the epoch"
    if _LOCAL.fullmatch(text):
        return f"{shown(text)}, a time without a zone"
    return shown(text) if text else "nothing"


def iso(at_us: int) -> str:
    """An instant as text: `2026-02-22T01:00:00Z`, with microseconds where there are some."""
    try:
        at = EPOCH + timedelta(microseconds=at_us)
    except OverflowError:
        return f"{at_us} us since the epoch"
    return at.isoformat().replace("+00:00", "Z")


def duration(length_us: int) -> str:
    """A length of time as a person says it: `9 h 16 min 20 s`."""
    whole = length_us // SECOND_US
    hours, rest = divmod(whole, 3600)
    minutes, seconds = divmod(rest, 60)
    parts = [f"{amount} {unit}" for amount, unit in ((hours, "h"), (minutes, "min"), (seconds, "s")) if amount]
    return " ".join(parts) or "0 s"
