"""The mark price of one symbol over a run, as the venue showed it: with its ticker, and with a position."""

from bisect import bisect_right
from decimal import Decimal

from botproof.events import Fact, PositionSeen, Source, TopOfBook
from botproof.invariants.wording import instant_us


class Marks:
    """Collects every mark with the instant at which it was true and the place of its fact on the tape."""

    hears: frozenset[type[Fact]] = frozenset({TopOfBook, PositionSeen})

    def __init__(self, symbol: str) -> None:
        self._symbol = symbol
        self._all: list[tuple[int, int, Decimal]] = []
        self._is_sorted = True

    def see(self, fact: Fact) -> None:
        match fact:
            case TopOfBook() if fact.src is Source.VENUE and fact.symbol == self._symbol:
                self._add(fact, fact.mark)
            case PositionSeen() if fact.symbol == self._symbol:
                self._add(fact, fact.mark_price)

    @property
    def all(self) -> list[tuple[int, int, Decimal]]:
        """Instant, seq and price of every mark, in the order of happening."""
        if not self._is_sorted:
            self._all.sort(key=lambda mark: mark[:2])
            self._is_sorted = True
        return self._all

    def at(self, at_us: int, seq: int) -> Decimal | None:
        """The last mark at or before the instant; of one instant, what stands earlier on the tape. None before any."""
        place = bisect_right(self.all, (at_us, seq), key=lambda mark: mark[:2])
        return self._all[place - 1][2] if place else None

    def _add(self, fact: Fact, mark: Decimal | None) -> None:
        if mark is not None:
            self._all.append((instant_us(fact), fact.seq, mark))
            self._is_sorted = False
