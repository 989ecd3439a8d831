"""E14: after the stop no order is open and the account is flat, or as declared.

Formula: open orders of the bot = 0 and abs(position - declared position) < one quantity step, in every closing reading,
    and done - asked to stop <= closing_s_max
Exercise: pairs of closing readings.
Broken by: an order of the bot that is open, was last seen open, or was sent once the bot was done; a position other
    than the declared one; a bot that takes longer to stop (equal is within) or has to be killed.
Not shown: without two readings about five seconds apart, without the stop on the tape, or where an order of somebody
    else was open before the bot began, and still is.

1. The bot was asked to stop and was done within `closing_s_max` seconds; one that had to be killed was not.
2. Both lists of open orders, plain and trigger, were read empty in every closing reading, and twice at least, about
   five seconds apart: a request still in flight at the first shows at the second.
   An order that rested before the bot sent anything and is not of the bot's instance is not the bot's to remove: it
   leaves the promise NOT SHOWN, and no blame.
   Nor does any other order stand open where the venue last reported it, and none was sent once the bot was done. A line
   that repeats a request says nothing new.
3. Every closing reading of the position is what the run declared before it began. Less than one quantity step is dust.
   Another symbol holds at the close what it held before the run, or nothing.
"""

from decimal import Decimal

from botproof.events import (
    Action,
    ContractRead,
    Fact,
    OpenOrdersRead,
    OrderSeen,
    PositionSeen,
    RequestSent,
    RunStarted,
    Source,
    StopStep,
)
from botproof.invariants.sent import Once
from botproof.invariants.tally import Tally
from botproof.invariants.verdict import Verdict
from botproof.invariants.wording import SECOND_US, clock_time, seconds, to_us
from botproof.money import ZERO, plain
from botproof.profile import Profile
from botproof.terms import Terms

APART_US = 4 * SECOND_US  # sent five seconds apart; the answers may travel up to a second


class Closing:
    """E14."""

    id = "E14"
    needs = frozenset({Source.RUN, Source.VENUE, Source.TAP})
    hears: frozenset[type[Fact]] = frozenset(
        {RunStarted, ContractRead, RequestSent, StopStep, OrderSeen, OpenOrdersRead, PositionSeen}
    )

    def __init__(self, profile: Profile, terms: Terms) -> None:
        self._symbol = profile.symbol
        self._limit_us = to_us(terms.closing_s_max)
        self._needed = terms.exercise.get(self.id, 1)
        self._declared: Decimal | None = None
        self._dust_below = ZERO
        self._asked: StopStep | None = None
        self._done: StopStep | None = None
        self._bot_began = False
        self._inherited: set[str] = set()  # order ids in the lists before the bot sent anything
        self._client_ids: dict[str, str] = {}
        self._open: dict[str, OrderSeen] = {}  # by order id: reported open, and no end of it
        self._over: set[str] = set()
        self._once = Once()
        self._late: list[RequestSent] = []  # orders sent after the bot was done
        self._elsewhere: dict[str, Decimal] = {}  # positions of other symbols before the run
        self._instance = f"{profile.instance_name}-"
        self._lists: list[OpenOrdersRead] = []
        self._positions: list[PositionSeen] = []

    def see(self, fact: Fact) -> None:
        match fact:
            case RunStarted():
                self._declared = fact.declared_position if self._declared is None else self._declared
            case ContractRead() if fact.symbol == self._symbol:
                self._dust_below = fact.qty_step
            case RequestSent():
                self._bot_began = True
                if self._once.is_new(fact) and self._done is not None and fact.action is Action.PLACE:
                    self._late.append(fact)
            case OrderSeen():
                self._see_order(fact)
            case StopStep():
                self._see_stop(fact)
            case OpenOrdersRead():
                self._see_lists(fact)
            case PositionSeen(via="closing"):
                self._positions.append(fact)
            case PositionSeen(via="preflight"):
                self._elsewhere[fact.symbol] = fact.size

    def verdict(self) -> Verdict:
        limit = Decimal(self._limit_us) / SECOND_US
        tally = Tally(self.id, self._needed, "pairs of closing readings", limit=limit, unit="s")
        self._judge_stop(tally)
        self._judge_lists(tally)
        self._judge_orders(tally)
        self._judge_positions(tally)
        return tally.verdict()

    def _see_stop(self, step: StopStep) -> None:
        if step.step == "asked":
            self._asked = self._asked or step
        elif step.step in ("stopped", "killed"):
            self._done = self._done or step

    def _see_order(self, seen: OrderSeen) -> None:
        self._client_ids[seen.order_id] = seen.client_id
        if not seen.state.is_open:
            self._over.add(seen.order_id)
            self._open.pop(seen.order_id, None)
        elif seen.order_id not in self._over:
            self._open[seen.order_id] = seen

    def _see_lists(self, read: OpenOrdersRead) -> None:
        if read.purpose == "closing":
            self._lists.append(read)
        elif not self._bot_began:
            self._inherited.update(read.plain, read.trigger)

    def _judge_stop(self, tally: Tally) -> None:
        asked, done = self._asked, self._done
        if asked is None or done is None:
            tally.doubt("the stop of the bot is not on the tape")
            return
        took_us = max(0, done.t_local_us - asked.t_local_us)
        tally.rise(Decimal(took_us) / SECOND_US)
        if done.step == "killed":
            tally.broken(done.seq, f"the bot had to be killed {seconds(took_us)} s after it was asked to stop")
        elif took_us > self._limit_us:
            tally.broken(
                done.seq, f"the bot took {seconds(took_us)} s to stop, {seconds(self._limit_us)} s are allowed"
            )

    def _judge_lists(self, tally: Tally) -> None:
        for read in self._lists:
            orders = (*read.plain, *read.trigger)
            left = [self._client_ids.get(order) or order for order in orders if not self._is_of_others(order)]
            if left:
                tally.broken(read.seq, f"open after the stop at {clock_time(read.t_local_us)}: {', '.join(left[:3])}")
            elif orders:
                tally.doubt(f"an order of somebody else was open before the bot began, and still is: {orders[0]}")
        asked_us = self._asked.t_local_us if self._asked else 0
        times = sorted(read.t_local_us for read in self._lists if read.t_local_us >= asked_us)
        if times and times[-1] - times[0] >= APART_US and self._own_positions():
            tally.exercised(self._lists[-1].seq)

    def _judge_orders(self, tally: Tally) -> None:
        for sent in self._late:
            when = clock_time(sent.t_local_us)
            tally.broken(sent.seq, f"the order {sent.client_id} was sent at {when}, after the bot was done")
        for order_id, seen in self._open.items():
            if not self._is_of_others(order_id):
                name = seen.client_id or order_id
                tally.broken(seen.seq, f"the order {name} was last seen {seen.state}, and nothing shows its end")

    def _is_of_others(self, order_id: str) -> bool:
        return order_id in self._inherited and not self._client_ids.get(order_id, self._instance).startswith(
            self._instance
        )

    def _judge_positions(self, tally: Tally) -> None:
        for seen in self._positions:
            if seen.symbol != self._symbol and seen.size not in (ZERO, self._elsewhere.get(seen.symbol)):
                tally.broken(seen.seq, f"a position of {plain(seen.size)} {seen.symbol} after the stop")
        for seen in self._own_positions():
            left = seen.size - (self._declared or ZERO)
            if left != 0 and abs(left) >= self._dust_below:
                declared = plain(self._declared or ZERO)
                tally.broken(seen.seq, f"a position of {plain(seen.size)} after the stop, declared is {declared}")

    def _own_positions(self) -> list[PositionSeen]:
        return [seen for seen in self._positions if seen.symbol == self._symbol]
