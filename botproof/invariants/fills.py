"""C1, C8, C10: the bot's fills.csv against itself and against the venue. It must agree; it never decides.

C1   abs(notional_quote - price x amount_base) <= 1e-8 in every row; a number that cannot be read breaks it.
C8   every trade id of the bot's orders at the venue stands in exactly one row, and every row has a trade id that the
     venue knows. Trades of other orders of the account need no row.
C10  declared position + sum of amount_base, bought plus and sold minus, = the last position that the venue showed.
     A row that repeats a trade id is C8's finding and adds nothing here.

Exercise: rows (C1, C10), trades that match (C8). Numbers are plain or scientific ASCII decimals (`0.0001`, `0E+2`).
"""

import re
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal

from botproof.events import BotFill, Fact, FillSeen, PositionSeen, RunStarted, Side, Source
from botproof.invariants.ledger import Ledger
from botproof.invariants.tally import Tally
from botproof.invariants.verdict import Verdict
from botproof.invariants.wording import clock_time, instant_us
from botproof.money import ZERO, plain
from botproof.profile import Profile
from botproof.terms import Terms

TOLERANCE_USDT = Decimal("1e-8")
_NUMBER = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{0,30})?([eE][+-]?[0-9]{1,2})?")


def number(row: Mapping[str, str], column: str) -> Decimal | None:
    """The number in `column`; None where it is missing, is none, or is no text."""
    text = word(row, column)
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def word(row: Mapping[str, str], column: str) -> str:
    """The text in `column`; empty where it is missing or where a bot put something else than text."""
    text: object = row.get(column, "")
    return text if isinstance(text, str) else ""


class Notional:
    """C1."""

    id = "C1"
    needs = frozenset({Source.RUN, Source.BOT})
    hears: frozenset[type[Fact]] = frozenset({BotFill})

    def __init__(self, profile: Profile, terms: Terms) -> None:  # noqa: ARG002  every fold is made alike
        self._tally = Tally(
            self.id, terms.exercise.get(self.id, 1), "rows of fills.csv", limit=TOLERANCE_USDT, unit="USDT"
        )
        self._rows: set[str] = set()

    def see(self, fact: Fact) -> None:
        if not isinstance(fact, BotFill):
            return
        content = repr(tuple(fact.row.items()))
        if content in self._rows:
            return
        self._rows.add(content)
        self._judge(fact)

    def verdict(self) -> Verdict:
        return self._tally.verdict()

    def _judge(self, fact: BotFill) -> None:
        price, amount = number(fact.row, "price"), number(fact.row, "amount_base")
        notional = number(fact.row, "notional_quote")
        row = f"the row of trade {word(fact.row, 'exchange_trade_id')}"
        if price is None or amount is None or notional is None:
            wrong = [c for c in ("price", "amount_base", "notional_quote") if number(fact.row, c) is None]
            found = ", ".join(f"{column} {fact.row.get(column)!r}" for column in wrong)
            self._tally.broken(fact.seq, f"{row} has no readable number in {found}")
            return
        self._tally.exercised(fact.seq)
        off = abs(notional - price * amount)
        self._tally.rise(off)
        if off > TOLERANCE_USDT:
            right = plain(price * amount)
            self._tally.broken(fact.seq, f"{row} says {plain(notional)}, price x amount is {right}")


class Trades:
    """C8."""

    id = "C8"
    needs = frozenset({Source.RUN, Source.VENUE, Source.TAP, Source.BOT})
    hears = Ledger.hears | {BotFill}

    def __init__(self, profile: Profile, terms: Terms) -> None:
        self._needed = terms.exercise.get(self.id, 1)
        self._ledger = Ledger(profile.symbol)
        self._started: RunStarted | None = None
        self._all: dict[str, FillSeen] = {}
        self._rows: list[BotFill] = []

    def see(self, fact: Fact) -> None:
        match fact:
            case BotFill():
                self._rows.append(fact)
                return
            case FillSeen():
                self._all.setdefault(fact.trade_id, fact)
            case RunStarted():
                self._started = self._started or fact
        self._ledger.see(fact)

    def verdict(self) -> Verdict:
        tally = Tally(self.id, self._needed, "trades of the bot in fills.csv")
        rows = Counter(word(fact.row, "exchange_trade_id") for fact in self._rows)
        for fact in self._rows:
            self._judge_row(tally, fact, rows)
        for fill in self._owed():
            if fill.trade_id not in rows:
                when = clock_time(instant_us(fill))
                tally.broken(fill.seq, f"the trade {fill.trade_id} of {when} is not in fills.csv")
        return tally.verdict()

    def _judge_row(self, tally: Tally, fact: BotFill, rows: Counter[str]) -> None:
        trade = word(fact.row, "exchange_trade_id")
        if not trade:
            tally.broken(fact.seq, "a row of fills.csv has no exchange_trade_id")
        elif trade not in self._all:
            tally.broken(fact.seq, f"the venue knows no trade {trade}, and fills.csv has it")
        elif rows[trade] > 1:
            tally.broken(fact.seq, f"the trade {trade} is in fills.csv {rows[trade]} times")
        else:
            tally.exercised(fact.seq)

    def _owed(self) -> list[FillSeen]:
        """The bot's own trades since the run began; whose trade it is, its order tells."""
        since_us = self._started.t_local_us if self._started else 0
        own = (life for life in self._ledger.lives if life.belongs_to(self._ledger.prefix))
        return [fill for life in own for fill in life.fills if instant_us(fill) >= since_us]


class Balance:
    """C10."""

    id = "C10"
    needs = frozenset({Source.RUN, Source.VENUE, Source.BOT})
    hears: frozenset[type[Fact]] = frozenset({RunStarted, BotFill, PositionSeen})

    def __init__(self, profile: Profile, terms: Terms) -> None:
        self._symbol = profile.symbol
        self._needed = terms.exercise.get(self.id, 1)
        self._declared: Decimal | None = None
        self._rows: dict[str, BotFill] = {}  # by trade id, else by content
        self._last: PositionSeen | None = None

    def see(self, fact: Fact) -> None:
        match fact:
            case RunStarted():
                self._declared = fact.declared_position if self._declared is None else self._declared
            case BotFill():
                self._rows.setdefault(word(fact.row, "exchange_trade_id") or repr(tuple(fact.row.items())), fact)
            case PositionSeen() if fact.symbol == self._symbol:
                if self._last is None or instant_us(fact) >= instant_us(self._last):
                    self._last = fact

    def verdict(self) -> Verdict:
        tally = Tally(self.id, self._needed, "rows of fills.csv")
        total = (self._declared or ZERO) + sum((self._amount(tally, fact) for fact in self._rows.values()), ZERO)
        if self._last is None:
            tally.doubt("no position is on the tape")
        elif total != self._last.size:
            text = f"fills.csv adds up to a position of {plain(total)}, the venue shows {plain(self._last.size)}"
            tally.broken(self._last.seq, text)
        return tally.verdict()

    def _amount(self, tally: Tally, fact: BotFill) -> Decimal:
        amount, side = number(fact.row, "amount_base"), word(fact.row, "side")
        if amount is None or side not in tuple(Side):
            found = f"side {fact.row.get('side')!r}, amount_base {fact.row.get('amount_base')!r}"
            tally.broken(fact.seq, f"a row of fills.csv has no readable amount: {found}")
            return ZERO
        tally.exercised(fact.seq)
        return Side(side).sign * amount
