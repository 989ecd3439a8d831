"""Counts over the rows of a file, in memory that does not grow with it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Context, Decimal

from botproof.document import shown
from botproof.money import plain
from botproof.notrade.columns import number
from botproof.notrade.window import MINUTE_US, SECOND_US, Window, duration, iso

HOLE_S = 120  # with one row due a minute, more than this lacks at least one
DISTINCT_MAX = 32
_NAME_MAX = 160
_DIGITS = Context(prec=10)


@dataclass(slots=True)
class Places:
    """Lines of one kind: the first, and how many."""

    first: int = 0
    count: int = 0

    def see(self, line: int) -> None:
        self.first = self.first or line
        self.count += 1

    def __str__(self) -> str:
        return f"line {self.first}" + (f", and {self.count - 1} more" if self.count > 1 else "")


class Tally:
    """How often each text was seen; of texts beyond the first `DISTINCT_MAX` only how often there were others."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.others = 0

    def see(self, text: str) -> None:
        if text in self.counts or len(self.counts) < DISTINCT_MAX:
            self.counts[text] += 1
        else:
            self.others += 1

    def __str__(self) -> str:
        said = [f"{name(text)} {count}" for text, count in self.counts.most_common()]
        return ", ".join([*said, *([f"others {self.others}"] if self.others else [])]) or "none"


class Range:
    """The lowest and the highest of the numbers in a column, and how many cells hold none."""

    def __init__(self) -> None:
        self.low: Decimal | None = None
        self.high: Decimal | None = None
        self.total = Decimal(0)
        self.unreadable = 0
        self._text, self._value = "", number("")

    def see(self, text: str) -> Decimal | None:
        """The number that the cell holds; most cells hold what the one before them held."""
        if text != self._text:
            self._text, self._value = text, number(text)
            if self._value is not None:
                self.low = self._value if self.low is None else min(self.low, self._value)
                self.high = self._value if self.high is None else max(self.high, self._value)
        if self._value is None:
            self.unreadable += 1
        else:
            self.total += self._value
        return self._value

    @property
    def is_zero(self) -> bool:
        """Whether every cell holds 0."""
        return self.low == self.high == 0 and not self.unreadable

    def __str__(self) -> str:
        if self.low is None or self.high is None:
            said = "no number"
        else:
            said = amount(self.low) if self.low == self.high else f"{amount(self.low)} to {amount(self.high)}"
        return said + (f" ({self.unreadable} cells hold no number)" if self.unreadable else "")


class Stretch:
    """Instants in the order in which they come: from when to when, how dense, with which holes."""

    def __init__(self) -> None:
        self.rows = self.minutes = self.holes = self.backwards = self.timeless = 0
        self.first_us: int | None = None
        self.last_us: int | None = None
        self._hole_us = self._hole_from_us = 0

    def see(self, at_us: int | None) -> None:
        """The next row; None where it says no time that can be read."""
        self.rows += 1
        last_us = self.last_us
        if at_us is None:
            self.timeless += 1
        elif last_us is None:
            self.first_us = self.last_us = at_us
            self.minutes = 1
        elif at_us <= last_us:
            self.backwards += 1
        else:
            self.minutes += at_us // MINUTE_US > last_us // MINUTE_US
            self._between(last_us, at_us)
            self.last_us = at_us

    def _between(self, last_us: int, at_us: int) -> None:
        """A gap counts in whole seconds: a row is due on the minute, and written by the first tick after it."""
        if (at_us - last_us) // SECOND_US > HOLE_S:
            self.holes += 1
            if at_us - last_us > self._hole_us:
                self._hole_us, self._hole_from_us = at_us - last_us, last_us

    @property
    def window(self) -> Window | None:
        """The whole minutes that the rows stand in."""
        if self.first_us is None or self.last_us is None:
            return None
        return Window(self.first_us // MINUTE_US * MINUTE_US, (self.last_us // MINUTE_US + 1) * MINUTE_US)

    def extent(self) -> str:
        """From when to when, in whole minutes."""
        window = self.window
        return "no row says when it is of" if window is None else f"from {iso(window.start_us)} to {iso(window.end_us)}"

    def density(self) -> Iterator[str]:
        """Coverage and holes, and what is out of order."""
        window = self.window
        if window is None:
            return
        share = Decimal(100 * self.minutes) / window.minutes
        yield f"{self.minutes} of {window.minutes} minutes have a row: coverage {share:.1f} %"
        if self.holes:
            longest = f"{duration(self._hole_us // MINUTE_US * MINUTE_US)}, from {iso(self._hole_from_us)}"
            yield f"holes over {HOLE_S} s: {self.holes}, the longest {longest}"
        else:
            yield f"holes over {HOLE_S} s: none"

    def faults(self) -> Iterator[str]:
        """What is wrong with the time of rows."""
        if self.backwards:
            yield f"{self.backwards} rows are no later than one before them"
        if self.timeless:
            yield f"{self.timeless} rows have a ts that is no instant in UTC"

    def beside(self, other: "Stretch") -> str:
        """Where it lies from another: before it, after it, or over it."""
        if None in (self.first_us, self.last_us, other.first_us, other.last_us):
            return "at no known time beside"
        assert self.first_us is not None
        assert self.last_us is not None
        assert other.first_us is not None
        assert other.last_us is not None
        if self.last_us < other.first_us:
            return "before"
        return "after" if self.first_us > other.last_us else "OVERLAPPING"


def amount(value: Decimal) -> str:
    """A number for a reader: at most ten digits of it, and no power of ten where it can do without."""
    short = _DIGITS.plus(value)
    return plain(short) if abs(short.adjusted()) <= _DIGITS.prec else f"{short.normalize():E}"


def name(text: str) -> str:
    """A word from a file for a message: as it is, or quoted and escaped where it is no plain one."""
    return text if 0 < len(text) <= _NAME_MAX and text.isascii() and text.isprintable() else shown(text)
