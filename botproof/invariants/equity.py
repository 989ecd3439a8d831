"""C11: the account's money over the run, from three records of the venue that must agree: balances, bills and fills.

1. A bill or a fill is of the run when it happened after the first reading of the balance in the preflight and not
   after the last closing one.
2. Every bill counts once by its id, every fill once by its trade id.
3. A bill is a trade, funding or a transfer by its business type (documented). Whatever else is booked is none of what
   may move equity: it is left out of the sum, and shows in it.
"""

from collections.abc import Iterable
from decimal import Decimal

from botproof.events import BalanceSeen, BillSeen, Fact, FillSeen, Source
from botproof.invariants.bills import is_funding, is_trade, is_transfer
from botproof.invariants.tally import Tally
from botproof.invariants.verdict import Verdict
from botproof.invariants.wording import instant_us, usdt
from botproof.money import ZERO, plain
from botproof.profile import Profile
from botproof.terms import Terms

TOLERANCE_USDT = Decimal("0.01")
BOOKED_TOLERANCE_USDT = Decimal("1e-8")  # of each fill: bills and fills are cut there, one by one (captured)


class Equity:
    """C11: equity moved by profit, fees, funding and transfers and by nothing else.

    Formula: equity at the end - equity at the start = realised profit + change of the unrealised - fees + funding +
        transfers, within 0.01 USDT: equity and unrealised profit from the first preflight and the last closing reading
        of the balance, the rest from the bills between them, with the venue's sign. And the bills of trades are the
        fills of the account: sum of amount = sum of realised profit, sum of fee = - sum of fees paid, each within 1e-8
        USDT a fill; so that a bill that is missing, booked twice or of the wrong sign is found however small it is.
    Exercise: bills of the run.
    Broken by: money that is further off; bills and fills that disagree.
    Not shown: without a bill, without both balances, or where one bill or one fill is told of in two ways.
    """

    id = "C11"
    needs = frozenset({Source.RUN, Source.VENUE})
    hears: frozenset[type[Fact]] = frozenset({BalanceSeen, BillSeen, FillSeen})

    def __init__(self, profile: Profile, terms: Terms) -> None:  # noqa: ARG002  every fold is made alike
        self._needed = terms.exercise.get(self.id, 1)
        self._start: BalanceSeen | None = None
        self._end: BalanceSeen | None = None
        self._bills: dict[str, BillSeen] = {}
        self._fills: dict[str, FillSeen] = {}
        self._contradiction = ""

    def see(self, fact: Fact) -> None:
        match fact:
            case BalanceSeen(via="preflight"):
                if self._start is None or instant_us(fact) < instant_us(self._start):
                    self._start = fact
            case BalanceSeen(via="closing"):
                if self._end is None or instant_us(fact) > instant_us(self._end):
                    self._end = fact
            case BillSeen():
                self._see_bill(fact)
            case FillSeen():
                self._see_fill(fact)

    def verdict(self) -> Verdict:
        tally = Tally(self.id, self._needed, "bills of the run", limit=TOLERANCE_USDT, unit="USDT")
        start, end = self._start, self._end
        if start is None or end is None:
            tally.doubt("the balance before the run or after it is not on the tape")
            return tally.verdict()
        if self._contradiction:
            tally.doubt(self._contradiction)
        bills = [bill for bill in self._bills.values() if _is_between(start, bill, end)]
        fills = [fill for fill in self._fills.values() if _is_between(start, fill, end)]
        for bill in bills:
            tally.exercised(bill.seq)
        _weigh_balances(tally, start, end, bills)
        _compare(tally, end, [bill for bill in bills if is_trade(bill)], fills)
        return tally.verdict()

    def _see_bill(self, fact: BillSeen) -> None:
        first = self._bills.setdefault(fact.bill_id, fact)
        if _booked(first) != _booked(fact):
            self._contradiction = f"the bill {fact.bill_id} is told of in two ways"

    def _see_fill(self, fact: FillSeen) -> None:
        first = self._fills.setdefault(fact.trade_id, fact)
        if (first.fee_usdt, first.realized_usdt) != (fact.fee_usdt, fact.realized_usdt):
            self._contradiction = f"the trade {fact.trade_id} is told of in two ways"


def _weigh_balances(tally: Tally, start: BalanceSeen, end: BalanceSeen, bills: Iterable[BillSeen]) -> None:
    """Equity against what was booked."""
    moved = end.equity_usdt - start.equity_usdt
    unrealized = end.unrealized_usdt - start.unrealized_usdt
    booked = sum((bill.amount + bill.fee for bill in bills if _is_known(bill)), ZERO)
    off = abs(moved - unrealized - booked)
    tally.rise(off)
    if off > TOLERANCE_USDT:
        parts = f"bills {usdt(booked)} and unrealised profit {usdt(unrealized)}"
        tally.broken(end.seq, f"equity moved by {usdt(moved)} USDT, {parts} explain {usdt(booked + unrealized)}")


def _compare(tally: Tally, end: BalanceSeen, bills: list[BillSeen], fills: list[FillSeen]) -> None:
    """Bills of trades against the fills of the account."""
    seq = bills[-1].seq if bills else end.seq
    tolerance = BOOKED_TOLERANCE_USDT * max(len(bills), len(fills))
    sums = (
        ("profit", _total(bill.amount for bill in bills), _total(fill.realized_usdt for fill in fills)),
        ("fees", _total(-bill.fee for bill in bills), _total(fill.fee_usdt for fill in fills)),
    )
    for name, billed, filled in sums:
        if abs(billed - filled) > tolerance:
            text = f"the {len(bills)} bills of trades make {name} of {plain(billed)} USDT"
            tally.broken(seq, f"{text}, the {len(fills)} fills make {plain(filled)}")


def _total(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, ZERO)


def _booked(bill: BillSeen) -> tuple[object, ...]:
    return bill.business_type, bill.amount, bill.fee


def _is_known(bill: BillSeen) -> bool:
    return is_trade(bill) or is_funding(bill) or is_transfer(bill)


def _is_between(start: BalanceSeen, fact: Fact, end: BalanceSeen) -> bool:
    return instant_us(start) < instant_us(fact) <= instant_us(end)
