"""C1, C8, C9, C10: the bot's fills.csv against itself and against the venue. It must agree; it never decides.

A number in a row of fills.csv that cannot be read, or is not there, breaks what needs it: a fill without its price,
size and side is no record of a fill.
"""

from collections import Counter
from decimal import Decimal

from botproof.events import BotFill, Fact, FillSeen, PositionSeen, RunStarted, Side, Source
from botproof.invariants.cells import content, label, number, read_word, word
from botproof.invariants.ledger import Ledger
from botproof.invariants.tally import Tally
from botproof.invariants.verdict import Verdict
from botproof.invariants.wording import clock_time, instant_us
from botproof.money import ZERO, plain
from botproof.profile import Profile
from botproof.terms import Terms

TOLERANCE_USDT = Decimal("1e-8")


class Notional:
    """C1: the notional of every row of fills.csv is price x amount.

    Formula: abs(notional_quote - price x amount_base) <= 1e-8 USDT in every row.
    Exercise: rows of fills.csv.
    Broken by: a row that is further off; a number that is not there or cannot be read.
    Not shown: without a row.
    """

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
        if content(fact) not in self._rows:
            self._rows.add(content(fact))
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
    """C8: every trade of the bot at the venue is in fills.csv exactly once, and nothing else is.

    Formula: every trade id of the bot's orders at the venue since the run began stands in exactly one row, and every
        row has a trade id that the venue knows. Trades of other orders of the account need no row.
    Exercise: trades of the bot that stand in fills.csv once.
    Broken by: a trade left out, a row written twice, a row without a trade id or with one that the venue does not know.
    Not shown: without a trade.
    """

    id = "C8"
    needs = frozenset({Source.RUN, Source.VENUE, Source.TAP, Source.BOT})
    hears = Ledger.hears | {BotFill}

    def __init__(self, profile: Profile, terms: Terms) -> None:
        self._needed = terms.exercise.get(self.id, 1)
        self.ledger = Ledger(profile.symbol)
        self._started: RunStarted | None = None
        self._known: set[str] = set()  # every trade id of the venue
        self._rows: list[BotFill] = []

    def see(self, fact: Fact) -> None:
        match fact:
            case BotFill():
                self._rows.append(fact)
                return
            case FillSeen():
                self._known.add(fact.trade_id)
            case RunStarted():
                self._started = self._started or fact
        self.ledger.see(fact)

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
        elif trade not in self._known:
            tally.broken(fact.seq, f"the venue knows no trade {trade}, and fills.csv has it")
        elif rows[trade] > 1:
            tally.broken(fact.seq, f"the trade {trade} is in fills.csv {rows[trade]} times")
        else:
            tally.exercised(fact.seq)

    def _owed(self) -> list[FillSeen]:
        """The bot's own trades since the run began; whose trade it is, its order tells."""
        since_us = self._started.t_local_us if self._started else 0
        own = (life for life in self.ledger.lives if life.belongs_to(self.ledger.prefix))
        return [fill for life in own for fill in life.fills if instant_us(fill) >= since_us]


class OrderIds:
    """C9: every order id in fills.csv is one of this run.

    Formula: order_id of every row begins with the run's client-id prefix, which the ids of a restarted bot bear too.
    Exercise: rows of fills.csv with an order_id.
    Broken by: an order_id without the prefix: a fill of another bot or of an earlier run in this run's file.
    Not shown: without a row, where a row has no order_id, or where the run has no prefix.
    """

    id = "C9"
    needs = frozenset({Source.RUN, Source.BOT})
    hears: frozenset[type[Fact]] = frozenset({RunStarted, BotFill})

    def __init__(self, profile: Profile, terms: Terms) -> None:  # noqa: ARG002  every fold is made alike
        self._needed = terms.exercise.get(self.id, 1)
        self._prefix: str | None = None
        self._rows: dict[str, BotFill] = {}

    def see(self, fact: Fact) -> None:
        match fact:
            case RunStarted():
                self._prefix = fact.client_id_prefix if self._prefix is None else self._prefix
            case BotFill():
                self._rows.setdefault(content(fact), fact)

    def verdict(self) -> Verdict:
        tally = Tally(self.id, self._needed, "rows of fills.csv")
        if not self._prefix:
            tally.doubt("the run's client-id prefix is not on the tape")
            return tally.verdict()
        for fact in self._rows.values():
            order_id = read_word(tally, fact, "order_id")
            if order_id is None:
                continue
            tally.exercised(fact.seq)
            if not order_id.startswith(self._prefix):
                found = f"{label(fact)} has the order id {order_id[:80]}"
                tally.broken(fact.seq, f"{found}, those of this run begin with {self._prefix}")
        return tally.verdict()


class Balance:
    """C10: the amounts of fills.csv add up to the position at the venue.

    Formula: position at the start + sum of amount_base, bought plus and sold minus, = the last position that the venue
        showed. The start is what the preflight showed first, else what the run declared. A row that repeats a trade id
        is C8's finding and adds nothing here.
    Exercise: rows of fills.csv.
    Broken by: any difference; an amount or a side that is not there or cannot be read.
    Not shown: without a row, or without a position of the venue.
    """

    id = "C10"
    needs = frozenset({Source.RUN, Source.VENUE, Source.BOT})
    hears: frozenset[type[Fact]] = frozenset({RunStarted, BotFill, PositionSeen})

    def __init__(self, profile: Profile, terms: Terms) -> None:
        self._symbol = profile.symbol
        self._needed = terms.exercise.get(self.id, 1)
        self._declared: Decimal | None = None
        self._shown: Decimal | None = None  # by the preflight
        self._rows: dict[str, BotFill] = {}  # by trade id, else by content
        self._last: PositionSeen | None = None

    def see(self, fact: Fact) -> None:
        match fact:
            case RunStarted():
                self._declared = fact.declared_position if self._declared is None else self._declared
            case BotFill():
                self._rows.setdefault(word(fact.row, "exchange_trade_id") or content(fact), fact)
            case PositionSeen() if fact.symbol == self._symbol:
                if self._shown is None and fact.via == "preflight":
                    self._shown = fact.size
                if self._last is None or instant_us(fact) >= instant_us(self._last):
                    self._last = fact

    def verdict(self) -> Verdict:
        tally = Tally(self.id, self._needed, "rows of fills.csv")
        start = self._shown if self._shown is not None else self._declared or ZERO
        total = start + sum((self._amount(tally, fact) for fact in self._rows.values()), ZERO)
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
