"""E2, E4, E5: what each order is when it is sent. Requests are judged as sent, whatever the venue made of them.

1. Every order is judged once; a line that repeats a request says nothing new.
2. Where the judgement cannot look, it says so: a request of a kind it does not read, an order of the run that nobody
   saw being sent, an order without the facts to judge it by, an order that the venue shows with another side, type,
   price or size than was asked for. Then nothing is HELD.
"""

from decimal import Decimal

from botproof.events import (
    Action,
    ContractRead,
    Fact,
    PositionSeen,
    RequestSent,
    Side,
    Source,
    TopOfBook,
)
from botproof.invariants.ledger import Ledger
from botproof.invariants.shape import is_market
from botproof.invariants.tally import Tally
from botproof.invariants.verdict import Verdict
from botproof.invariants.wording import clock_time, instant_us, usdt
from botproof.money import is_multiple, plain
from botproof.profile import Profile
from botproof.terms import Terms


class _WhenSent:
    """What E2, E4 and E5 share: each order once, with the rules and the mark known when it was sent."""

    id = ""
    unit = ""
    needs = frozenset({Source.RUN, Source.VENUE, Source.TAP})
    hears: frozenset[type[Fact]] = Ledger.hears | {ContractRead, TopOfBook}

    def __init__(self, profile: Profile, terms: Terms) -> None:
        self._profile = profile
        self._tally = Tally(self.id, terms.exercise.get(self.id, 1), "entries sent", unit=self.unit)
        self._rules: ContractRead | None = None
        self._mark: Decimal | None = None
        self._mark_us = 0
        self.ledger = Ledger(profile.symbol)
        self._requests: set[tuple[Source, int]] = set()

    def see(self, fact: Fact) -> None:
        self.ledger.see(fact)
        match fact:
            case RequestSent():
                self._see_request(fact)
            case ContractRead() if fact.symbol == self._profile.symbol:
                self._rules = fact
            case TopOfBook() if fact.src is Source.VENUE and fact.symbol == self._profile.symbol:
                self._see_mark(fact, fact.mark)
            case PositionSeen() if fact.symbol == self._profile.symbol:
                self._see_mark(fact, fact.mark_price)

    def verdict(self) -> Verdict:
        if not self._tally.is_broken:
            self._tally.doubt(self.ledger.stray() or self.ledger.unread())
        return self._tally.verdict()

    def _see_request(self, sent: RequestSent) -> None:
        if sent.action is Action.READ:
            return
        request = (sent.src, sent.request)
        if request in self._requests:
            return
        self._requests.add(request)
        if sent.action is Action.PLACE:
            self._judge(sent)

    def _see_mark(self, fact: Fact, mark: Decimal | None) -> None:
        if mark is not None and instant_us(fact) >= self._mark_us:
            self._mark, self._mark_us = mark, instant_us(fact)

    def _judge(self, sent: RequestSent) -> None:
        raise NotImplementedError

    def _broken(self, sent: RequestSent, why: str) -> None:
        self._tally.broken(sent.seq, f"{_describe(sent)} at {clock_time(sent.t_local_us)}: {why}")


class OrderValue(_WhenSent):
    """E2: no single entry is worth more than the envelope.

    Formula: own price x size of one entry <= total_amount_quote. A market entry is valued at mark.
    Exercise: entries sent.
    Broken by: an entry worth more; equal is within.
    Not shown: without an entry, or where one cannot be valued.
    """

    id = "E2"
    unit = "USDT"

    def __init__(self, profile: Profile, terms: Terms) -> None:
        super().__init__(profile, terms)
        self._tally.limit = profile.total_amount_quote

    def _judge(self, sent: RequestSent) -> None:
        if not sent.is_entry:
            return
        value = _value_usdt(sent, self._mark)
        if value is None:
            self._tally.doubt(f"{_describe(sent)} (seq {sent.seq}) cannot be valued")
            return
        self._tally.exercised(sent.seq)
        self._tally.rise(value)
        if value > self._profile.total_amount_quote:
            self._broken(sent, f"worth {usdt(value)} USDT, above {usdt(self._profile.total_amount_quote)}")


class OrderShape(_WhenSent):
    """E4: every order sent keeps the contract's rules then in force.

    Formula: size >= minimum and a multiple of the step; price a multiple of the tick; value >= minimum. By the contract
        rules last read before. Reduce-only orders are exempt from the minimum value (as the venue allows; inferred);
        a market order has no price, and its value is taken at mark.
    Exercise: entries sent.
    Broken by: an order, entry or exit, off one of the rules.
    Not shown: without an entry, where the rules of an order's symbol were not read before it, or where an entry cannot
        be valued.
    """

    id = "E4"

    def _judge(self, sent: RequestSent) -> None:
        rules = self._rules
        if rules is None or sent.symbol != rules.symbol or sent.size is None:
            self._tally.doubt(
                f"{_describe(sent)} (seq {sent.seq}) was sent without size, or before its rules were read"
            )
            return
        if sent.is_entry:
            self._tally.exercised(sent.seq)
        if sent.size < rules.min_qty:
            self._broken(sent, f"size {plain(sent.size)} below the minimum {plain(rules.min_qty)}")
        if not is_multiple(rules.qty_step, sent.size):
            self._broken(sent, f"size {plain(sent.size)} off the step {plain(rules.qty_step)}")
        if sent.price is not None and not is_multiple(rules.tick, sent.price):
            self._broken(sent, f"price {plain(sent.price)} off the tick {plain(rules.tick)}")
        if sent.is_entry:
            self._judge_value(sent, rules.min_value_usdt)

    def _judge_value(self, sent: RequestSent, minimum: Decimal) -> None:
        value = _value_usdt(sent, self._mark)
        if value is None:
            self._tally.doubt(f"{_describe(sent)} (seq {sent.seq}) cannot be valued")
        elif value < minimum:
            self._broken(sent, f"worth {usdt(value)} USDT, below the minimum {usdt(minimum)}")


class PlannedSize(_WhenSent):
    """E5: every entry has the size that the profile plans at its own price.

    Formula: size = total_amount_quote x own pct / sum of the pcts of both sides / own price, rounded down to the step,
        for one of the levels of its side.
    Exercise: entries sent, and their plan reckoned.
    Broken by: an entry of another size; one that is planned below a minimum, which means not sent at all; one at market
        or on another symbol, where nothing is planned.
    Not shown: without an entry, or where one has no side or size, or was sent before the contract rules were read.
    """

    id = "E5"

    def verdict(self) -> Verdict:
        for life in () if self._tally.is_broken else self.ledger.lives:
            asked, shown = life.asked, life.shown
            if asked is None or shown is None or is_market(asked) or not is_market(shown) or shown.reduce_only:
                continue
            text = f"the venue showed {life.describe()}: the profile plans entries at a limit price only"
            self._tally.broken(shown.seq, text)
        return super().verdict()

    def _judge(self, sent: RequestSent) -> None:
        if not sent.is_entry:
            return
        if sent.symbol != self._profile.symbol:
            self._broken(sent, f"an entry on {sent.symbol}, the profile trades {self._profile.symbol}")
        elif is_market(sent) or sent.price is None or sent.price <= 0:
            self._broken(sent, "the profile plans entries at a limit price only")
        elif self._rules is None or sent.side is None or sent.size is None:
            self._tally.doubt(
                f"{_describe(sent)} (seq {sent.seq}) was sent without side or size, or before its rules were read"
            )
        else:
            self._judge_plan(sent, sent.side, sent.price, self._rules)

    def _judge_plan(self, sent: RequestSent, side: Side, price: Decimal, rules: ContractRead) -> None:
        self._tally.exercised(sent.seq)
        planned = planned_sizes(self._profile, side, price, rules.qty_step)
        if sent.size not in planned:
            plan = " or ".join(plain(size) for size in planned) or "nothing"
            self._broken(sent, f"the profile plans {plan} at {plain(price)}")
        elif sent.size < rules.min_qty or sent.size * price < rules.min_value_usdt:
            self._broken(sent, "planned below the venue's minimum, so it was not to be sent")


def planned_sizes(profile: Profile, side: Side, price: Decimal, step: Decimal) -> tuple[Decimal, ...]:
    """The planned size of each level of `side` at `price`, each value once, in the order of the levels."""
    own = profile.buy_amounts_pct if side is Side.BUY else profile.sell_amounts_pct
    shares = sum((*profile.buy_amounts_pct, *profile.sell_amounts_pct))
    # Whole steps by exact division: no rounded quotient can lie on the wrong side of a step.
    sizes = ((profile.total_amount_quote * share) // (shares * price * step) * step for share in own)
    return tuple(dict.fromkeys(sizes))


def _value_usdt(sent: RequestSent, mark: Decimal | None) -> Decimal | None:
    """Own price x size, a market order at `mark`; None where either is missing."""
    price = mark if is_market(sent) else sent.price
    return None if price is None or sent.size is None else price * sent.size


def _describe(sent: RequestSent) -> str:
    kind = "exit" if sent.reduce_only else "entry"
    price = "at market" if sent.price is None else plain(sent.price)
    size = "no size" if sent.size is None else plain(sent.size)
    return " ".join(filter(None, (kind, sent.side, sent.client_id, price, "x", size)))
