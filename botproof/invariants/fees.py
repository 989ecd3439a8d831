"""C12: what the venue charged, against the account's rates, and what the bot wrote of it."""

from collections.abc import Iterable
from decimal import Decimal

from botproof.events import BotFill, Fact, FeeRatesRead, FillSeen, Source
from botproof.invariants.cells import FillRows, label, read_number, read_word, word
from botproof.invariants.tally import Tally
from botproof.invariants.verdict import Verdict
from botproof.invariants.wording import clock_time, instant_us
from botproof.money import ZERO, cut, plain
from botproof.profile import Profile
from botproof.terms import Terms

TOLERANCE_BPS = Decimal("0.1")
TOLERANCE_USDT = Decimal("1e-8")
FEE_PLACES = 8  # the venue cuts a fee toward zero there (captured)
BPS = Decimal("0.0001")
LARGEST_USDT = Decimal("1e15")
_IS_MAKER = {"true": True, "false": False}


class FeeOfRole:
    """C12: every fee has the rate of its role.

    Formula: abs(fee - value x rate, cut toward zero at 8 decimals as the venue does) <= 0.1 bps of value, for every
        fill of the account at the venue (value = price x size) and again for its row of fills.csv (fee_quote and
        notional_quote). The rate is the account's own for the role that the venue gave the fill, maker or taker; a
        rebate is a negative rate and a negative fee. It was read before or after the fill; where the two readings
        differ either may apply. The row's fee_quote is the venue's fee within 1e-8 USDT, and its is_maker the venue's
        role.
    Exercise: fills of the account that were held against a rate.
    Broken by: a fee that is further off, of the other role or of the other sign; a row that says otherwise than the
        venue, or whose cells cannot be read. Rows without a trade of the venue are C8's finding.
    Not shown: without a fill, where a row lacks the columns, or where the account's rates were never read: those of
        the contract list are everybody's and not the account's, and fees that follow them show nothing.
    """

    id = "C12"
    needs = frozenset({Source.RUN, Source.VENUE, Source.BOT})
    hears: frozenset[type[Fact]] = frozenset({FeeRatesRead, FillSeen, BotFill})

    def __init__(self, profile: Profile, terms: Terms) -> None:  # noqa: ARG002  every fold is made alike
        self._needed = terms.exercise.get(self.id, 1)
        self._readings: list[FeeRatesRead] = []
        self._fills: dict[str, FillSeen] = {}
        self._rows = FillRows()
        self._contradiction = ""

    def see(self, fact: Fact) -> None:
        match fact:
            case FeeRatesRead():
                self._readings.append(fact)
            case FillSeen():
                first = self._fills.setdefault(fact.trade_id, fact)
                if _charged(first) != _charged(fact):
                    self._contradiction = f"the venue showed the trade {fact.trade_id} twice, and differently"
            case BotFill():
                self._rows.see(fact)

    def verdict(self) -> Verdict:
        tally = Tally(self.id, self._needed, "fills at a known rate", limit=TOLERANCE_BPS, unit="bps")
        for doubt in filter(None, (self._contradiction, self._rows.contradiction)):
            tally.doubt(doubt)
        for fill in self._fills.values():
            rates = self._rates(fill)
            if not rates:
                tally.doubt(f"the account's own fee rates for {fill.symbol} are not on the tape")
                continue
            tally.exercised(fill.seq)
            self._judge_fill(tally, fill, rates)
        for row in self._rows:
            fill_of_row = self._fills.get(word(row.row, "exchange_trade_id"))
            if fill_of_row is not None:
                self._judge_row(tally, row, fill_of_row)
        return tally.verdict()

    def _rates(self, fill: FillSeen) -> list[Decimal]:
        """The rates of the fill's role by the last reading before it and the first one after it."""
        at_us = instant_us(fill)
        readings = [(instant_us(reading), reading) for reading in self._readings if reading.symbol == fill.symbol]
        before = max((read_us for read_us, _ in readings if read_us <= at_us), default=None)
        after = min((read_us for read_us, _ in readings if read_us > at_us), default=None)
        around = [reading for read_us, reading in readings if read_us in (before, after)]
        return [reading.maker_fee_rate if fill.is_maker else reading.taker_fee_rate for reading in around]

    def _judge_fill(self, tally: Tally, fill: FillSeen, rates: list[Decimal]) -> None:
        value = fill.price * fill.size
        off = _off(fill.fee_usdt, value, rates)
        if value > 0:
            tally.rise(off / value / BPS)
        if off > value * TOLERANCE_BPS * BPS:
            when = clock_time(instant_us(fill))
            text = f"the trade {fill.trade_id} of {when} cost {_of(fill.fee_usdt, value)}"
            tally.broken(fill.seq, f"{text}, the account pays {_role(fill)} {_either(rates)}")

    def _judge_row(self, tally: Tally, row: BotFill, fill: FillSeen) -> None:
        fee, value = read_number(tally, row, "fee_quote"), read_number(tally, row, "notional_quote")
        role = read_word(tally, row, "is_maker")
        rates = self._rates(fill)
        if fee is not None and abs(fee - fill.fee_usdt) > TOLERANCE_USDT:
            tally.broken(row.seq, f"{label(row)} says a fee of {plain(fee)}, the venue took {plain(fill.fee_usdt)}")
        elif fee is not None and value is not None and rates and _off(fee, value, rates) > _tolerance(value):
            text = f"{label(row)} says {_of(fee, value)}"
            tally.broken(row.seq, f"{text}, the account pays {_role(fill)} {_either(rates)}")
        if role is not None and _IS_MAKER.get(role.lower()) is not fill.is_maker:
            tally.broken(row.seq, f"{label(row)} says is_maker {role[:40]}, the venue says {fill.is_maker}")


def _charged(fill: FillSeen) -> tuple[object, ...]:
    return fill.symbol, fill.price, fill.size, fill.fee_usdt, fill.is_maker


def _off(fee: Decimal, value: Decimal, rates: Iterable[Decimal]) -> Decimal:
    """How far the fee is from what the nearest of `rates` makes of `value`, USDT."""
    return min(abs(fee - _due(value * rate)) for rate in rates)


def _due(exact: Decimal) -> Decimal:
    """The fee as the venue takes it; what no account could pay has no decimals to cut."""
    return cut(FEE_PLACES, exact) if abs(exact) < LARGEST_USDT else exact


def _tolerance(value: Decimal) -> Decimal:
    """For a row: a fee that is the venue's within `TOLERANCE_USDT` may be off by that as well."""
    return max(ZERO, value) * TOLERANCE_BPS * BPS + TOLERANCE_USDT


def _of(fee: Decimal, value: Decimal) -> str:
    return f"{plain(fee)} USDT on {plain(value)}"


def _role(fill: FillSeen) -> str:
    return "as maker" if fill.is_maker else "as taker"


def _either(rates: list[Decimal]) -> str:
    return " or ".join(dict.fromkeys(plain(rate) for rate in rates))
