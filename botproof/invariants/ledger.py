"""Every order from its sending to its end, and the net position, in the order in which things happened.

The tape is written in the order of learning; exposure and exits are a matter of what was true. A bot may learn of a
cancel some milliseconds before the observer does, send the next quote at once, and have broken nothing. So a ledger
collects facts as they come and replays them by the instant at which they happened: what the venue says by the venue's
clock, though never later than the harness knew it, and what was sent by the clock of the tap (the two agree within a
second, else the run is refused).

1. An order counts from the moment it is sent, answered or not, until the venue shows it filled or canceled. The
   acknowledgement of a cancel ends nothing. Within one instant what was sent before is filled and ends before anything
   is sent, in whatever order the harness learned of it.
2. An order that the venue never showed ends when every request for it was refused, or when a look-up by its id that
   was sent after them was answered with "no such order". A refused retry under the same client id does not end what the
   first request began, and a server that failed (HTTP 5xx) refuses nothing.
3. A fill counts once, by its trade id, and moves order and position at the same instant; so no size is ever counted
   as resting and as held, nor as neither. A filled size that no fill explains is taken from the order itself, and is
   a doubt.
4. The position is what the preflight showed plus every fill since. Where that disagrees with the last position that
   the venue showed, somebody traded unseen. `Ledger.doubt` tells such doubts: nothing built on the books may be HELD.
5. An order is one order under all its names: client id, order id, and the request that sent it without either. What
   is sent under the client id of an order that ended as in 2 is another order, which begins when it is sent, alike or
   not. Should the first appear after all, as another order than the second, nothing is HELD.
6. What an order is, the venue tells where it showed it, else the request that was not refused. Where the two differ,
   where an answer has no request, or a request cannot be read, nothing is HELD (`Ledger.unread`); and an order that
   nobody saw being sent was sent around the tap (`Ledger.stray`).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import Enum, auto
from operator import attrgetter, itemgetter

from botproof.events import (
    Action,
    Fact,
    FillSeen,
    OpenOrdersRead,
    OrderSeen,
    PositionSeen,
    RequestAnswered,
    RequestSent,
    RunStarted,
    Side,
    Source,
)
from botproof.invariants.shape import difference, is_market, unreadable
from botproof.invariants.wording import instant_us
from botproof.money import ZERO, plain

NO_SUCH_ORDER = frozenset({"40109", "43001"})


class Move(Enum):
    """What a step does to the books."""

    BEGIN = auto()
    FILL = auto()
    TRIM = auto()  # filled before the preflight: part of the position that the preflight showed
    END = auto()


@dataclass(slots=True, eq=False)
class Life:
    """One order, as far as the tape tells it."""

    name: str  # what an operator finds it by
    order_id: str = ""
    sent: list[RequestSent] = field(default_factory=list)
    refused: dict[str, RequestAnswered] = field(default_factory=dict)  # by request
    accepted: bool = False
    missed: RequestAnswered | None = None  # the first look-up after the last sending that did not find it
    shown: OrderSeen | None = None
    most: OrderSeen | None = None  # the report with the largest filled size
    ended: OrderSeen | None = None
    fills: list[FillSeen] = field(default_factory=list)
    odd: str = ""  # in what two reports of the venue differ

    @property
    def asked(self) -> RequestSent | None:
        """The first request for it that was not refused, else the first."""
        standing = (sent for sent in self.sent if _request(sent) not in self.refused)
        return next(standing, self.sent[0] if self.sent else None)

    @property
    def _told(self) -> RequestSent | OrderSeen | FillSeen:
        return self.shown or self.asked or self.fills[0]

    @property
    def side(self) -> Side:
        return self._told.side or Side.BUY

    @property
    def size(self) -> Decimal:
        told, asked = self._told.size or ZERO, self.asked
        # A reduce-only order is cut to the position by the venue; what was asked for is what is judged.
        return max(told, asked.size or ZERO) if asked is not None and self.reduce_only else told

    @property
    def price(self) -> Decimal | None:
        """None on a market order."""
        return None if self.is_market else self._told.price

    @property
    def reduce_only(self) -> bool:
        told = self._told
        return not isinstance(told, FillSeen) and told.reduce_only

    @property
    def is_market(self) -> bool:
        return is_market(self._told)

    @property
    def never_existed(self) -> bool:
        """Whether the venue refused it for good: it was never shown, and each request for it was refused."""
        return self.shown is None and not self.fills and len(self.refused) == len(self.sent) > 0

    @property
    def difference(self) -> str:
        """How the venue shows another order than was asked for, or tells of it in two ways; empty where it agrees."""
        asked = [sent for sent in self.sent if _request(sent) not in self.refused] or self.sent
        told: list[RequestSent | OrderSeen | FillSeen] = [*asked[1:]]
        told += [self.shown] if self.shown else []
        told += self.fills
        first = asked[0] if asked else self.shown
        found = (difference(first, other) for other in told) if first is not None else iter(())
        what = self.odd or next((text for text in found if text), "")
        return f"{self.name} is told of in two ways: {what}" if what else ""

    @property
    def unexplained(self) -> Decimal:
        """What the venue reported as filled beyond the fills that are known; zero or less where they explain it."""
        return ZERO if self.most is None else self.most.filled - sum((fill.size for fill in self.fills), ZERO)

    def belongs_to(self, prefix: str) -> bool:
        """Whether it is the bot's: sent through the tap, or under a client id of this run."""
        named = self.shown.client_id if self.shown else self.fills[0].client_id if self.fills else ""
        return bool(self.sent) or (bool(prefix) and named.startswith(prefix))

    def describe(self) -> str:
        kind = "exit" if self.reduce_only else "entry"
        price = "at market" if self.price is None else plain(self.price)
        return f"{kind} {self.side} {self.name} {price} x {plain(self.size)}"

    def absorb(self, other: "Life") -> None:
        """Take over what is known of the same order under another name."""
        self.order_id = self.order_id or other.order_id
        self.sent += other.sent
        self.refused |= other.refused
        self.accepted |= other.accepted
        self.missed = self.missed or other.missed
        self.fills += other.fills
        self.odd = self.odd or other.odd
        for report in (other.shown, other.most, other.ended):
            if report is not None:
                self.report(report)

    def report(self, seen: OrderSeen) -> None:
        """Take one report of the venue, in whatever order the reports come."""
        self.shown = self.shown or seen
        cut = seen.reduce_only and self.shown.reduce_only  # the venue may cut it once more, as the position shrinks
        self.odd = self.odd or difference(self.shown, replace(seen, size=self.shown.size) if cut else seen)
        if self.most is None or seen.filled > self.most.filled:
            self.most = seen
        if not seen.state.is_open and (self.ended is None or instant_us(seen) < instant_us(self.ended)):
            self.ended = seen

    def is_void(self, at_us: int) -> bool:
        """Whether it was over by then without ever having rested: refused for good, or looked up and not there."""
        landed = self.accepted or self.shown is not None
        end = None if landed else self._end()
        return end is not None and end.t_local_us <= at_us

    def steps(self) -> Iterator["Step"]:
        """Its beginning, its fills and its end; nothing of it happened before its beginning."""
        begin_us, seq = self._begin()
        yield Step(begin_us, seq, Move.BEGIN, self, self.size)
        for fact, size in self._filled():
            yield Step(max(begin_us, instant_us(fact)), fact.seq, Move.FILL, self, size, fact.side.sign * size)
        end = self._end()
        if end is not None:
            yield Step(max(begin_us, instant_us(end)), end.seq, Move.END, self)

    def _begin(self) -> tuple[int, int]:
        if self.sent:
            return self.sent[0].t_local_us, self.sent[0].seq
        told = [fact for fact in (self.shown, *self.fills) if fact is not None]
        return min(instant_us(fact) for fact in told), min(fact.seq for fact in told)

    def _filled(self) -> Iterator[tuple[FillSeen | OrderSeen, Decimal]]:
        for fill in self.fills:
            yield fill, fill.size
        if self.most is not None and self.unexplained > 0:
            yield self.most, self.unexplained

    def _end(self) -> Fact | None:
        if self.shown is not None or self.fills:
            return self.ended
        if self.never_existed:
            return max(self.refused.values(), key=attrgetter("seq"))
        return None if self.accepted else self.missed


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened to the books at `at_us`; `seq` is the fact that tells it."""

    at_us: int
    seq: int
    move: Move
    life: Life
    size: Decimal = ZERO  # none at an end
    change: Decimal = ZERO  # of the position, signed


class Books:
    """The state between two steps: the signed net position, and what remains of each working order."""

    def __init__(self, position: Decimal) -> None:
        self.position = position
        self.working: dict[Life, Decimal] = {}

    def apply(self, step: Step) -> None:
        if step.move is Move.BEGIN:
            self.working[step.life] = step.size
        elif step.move is Move.END:
            self.working.pop(step.life, None)
        else:
            if step.move is Move.FILL:
                self.position += step.change
            rest = self.working.get(step.life, ZERO) - step.size
            if rest > 0:
                self.working[step.life] = rest
            else:
                self.working.pop(step.life, None)

    def rest(self, side: Side, *, exits: bool) -> list[tuple[Life, Decimal]]:
        """The working exits or entries of one side, each with its remaining size."""
        return [(life, rest) for life, rest in self.working.items() if life.side is side and life.reduce_only is exits]


class Ledger:
    """Collects what the tape says of the orders and the position of one symbol.

    Many promises reckon with it, and one ledger serves them all: a fact that it was shown last it does not take twice.
    """

    hears: frozenset[type[Fact]] = frozenset(
        {RunStarted, RequestSent, RequestAnswered, OrderSeen, OpenOrdersRead, FillSeen, PositionSeen}
    )

    def __init__(self, symbol: str) -> None:
        self._symbol = symbol
        self.prefix = ""
        self._declared: RunStarted | None = None
        self._preflight: PositionSeen | None = None
        self._last_position: PositionSeen | None = None
        self._lives: dict[str, Life] = {}  # by every name
        self._asked: dict[str, RequestSent] = {}  # by request: what its answer is about
        self._trades: set[str] = set()
        self._requests: set[tuple[Source, int]] = set()  # every one, readings included
        self._listed: set[str] = set()  # order ids that were open before the bot sent anything
        self._unread = ""
        self._taken: Fact | None = None  # the last fact
        self._refused: Exception | None = None  # why it could not be taken: everybody who shows it is told
        self._lives_known: tuple[Life, ...] | None = None
        self._steps_known: tuple[Step, ...] | None = None

    def see(self, fact: Fact) -> None:
        if fact is self._taken:
            if self._refused is not None:
                raise self._refused
            return
        self._taken, self._refused = fact, None
        self._lives_known = self._steps_known = None
        try:
            self._take(fact)
        except Exception as error:
            self._refused = error
            raise

    def _take(self, fact: Fact) -> None:
        match fact:
            case RunStarted():
                self._declared = self._declared or fact
                self.prefix = self._declared.client_id_prefix
            case RequestSent():
                self._see_sent(fact)
            case RequestAnswered():
                self._see_answered(fact)
            case OpenOrdersRead() if not self._requests:
                self._listed.update(fact.plain, fact.trigger)
            case OrderSeen() if fact.symbol == self._symbol:
                self._life(fact.client_id, fact.order_id).report(fact)
            case FillSeen() if fact.symbol == self._symbol and fact.trade_id not in self._trades:
                self._trades.add(fact.trade_id)
                self._life(fact.client_id, fact.order_id).fills.append(fact)
            case PositionSeen() if fact.symbol == self._symbol:
                self._see_position(fact)

    @property
    def lives(self) -> tuple[Life, ...]:
        """Every order, once, in the order of its first mention."""
        if self._lives_known is None:
            every = dict.fromkeys(self._lives.values())
            self._lives_known = tuple(life for life in every if life.sent or life.shown or life.fills)
        return self._lives_known

    @property
    def start(self) -> Decimal:
        """The position before the first fill: as the preflight showed it, else as declared."""
        if self._preflight is not None:
            return self._preflight.size
        return self._declared.declared_position if self._declared else ZERO

    def replay(self) -> tuple[Step, ...]:
        """Every step in the order of happening, whatever the order of learning within one instant."""
        if self._steps_known is None:
            turns = [(step.at_us, turn, step.seq, step) for life in self.lives for turn, step in _turns(life.steps())]
            ordered = sorted(turns, key=itemgetter(0, 1, 2))
            self._steps_known = tuple(self._since_start(step) for *_, step in ordered)
        return self._steps_known

    def unread(self) -> str:
        """Why what the bot asked for is not known for sure; empty where it is."""
        return self._unread or next((text for life in self.lives if (text := life.difference)), "")

    def stray(self) -> str:
        """An order of the run that nobody saw being sent, and that was not there before; empty where there is none."""
        since_us = self._declared.t_local_us if self._declared else 0
        for life in self.lives:
            told = [fact for fact in (life.shown, *life.fills) if fact is not None]
            if life.sent or life.order_id in self._listed or min(instant_us(fact) for fact in told) < since_us:
                continue
            return f"the venue showed the order {life.name}, and nobody saw it being sent"
        return ""

    def doubt(self) -> str:
        """Why the books cannot be trusted; empty where they can."""
        if unread := self.unread():
            return unread
        steps = [step for step in self.replay() if step.move is Move.FILL]
        gaps = [step.life for step in steps if step.life.unexplained > 0]
        if gaps:
            return f"{gaps[0].describe()} was filled, and not all of its fills are on the tape"
        last = self._last_position
        if last is None:
            return "no position is on the tape"
        held = self.start + sum((step.change for step in steps), ZERO)
        late = bool(steps) and steps[-1].at_us > instant_us(last)
        if late or held != last.size:
            return f"the fills add up to a position of {plain(held)}, the venue last showed {plain(last.size)}"
        return ""

    def _since_start(self, step: Step) -> Step:
        known = self._preflight is not None and step.at_us <= instant_us(self._preflight)
        return replace(step, move=Move.TRIM) if known and step.move is Move.FILL else step

    def _see_sent(self, sent: RequestSent) -> None:
        self._requests.add((sent.src, sent.request))
        if sent.action is Action.READ and not sent.client_id:
            return  # looks up no order: most requests of a quiet bot
        request = _request(sent)
        if request in self._asked:
            return
        self._asked[request] = sent
        if sent.action is Action.OTHER and sent.changes_something:
            self._unread = self._unread or f"what {sent.method} {sent.path} did (seq {sent.seq}) is not judged"
        if sent.action is not Action.PLACE:
            return
        missing = unreadable(sent)
        if sent.symbol != self._symbol or missing:
            what = f"without a readable {missing}" if missing else f"not one on {self._symbol}"
            self._unread = self._unread or f"the order {sent.client_id} sent at seq {sent.seq} is {what}"
        if sent.symbol != self._symbol or sent.side is None or sent.size is None:
            return
        named = self._lives.get(sent.client_id)
        if named is not None and named.is_void(sent.t_local_us):
            del self._lives[sent.client_id]  # the name is free for another order
        self._life(sent.client_id, request=request).sent.append(sent)

    def _see_answered(self, answer: RequestAnswered) -> None:
        if (answer.src, answer.request) not in self._requests:
            self._unread = self._unread or f"the request that was answered at seq {answer.seq} is not on the tape"
        request = _request(answer)
        sent = self._asked.get(request)
        if sent is None or answer.leaves_unknown:
            return
        if sent.action is Action.PLACE and request in self._lives:
            if answer.accepted:
                self._see_accepted(sent, answer, request)
            else:
                self._lives[request].refused.setdefault(request, answer)
        elif answer.code in NO_SUCH_ORDER and sent.client_id in self._lives:
            life = self._lives[sent.client_id]
            if all(one.seq < sent.seq for one in life.sent):  # a look-up may overtake an order that is sent after it
                life.missed = life.missed or answer

    def _see_accepted(self, sent: RequestSent, answer: RequestAnswered, request: str) -> None:
        former = self._lives[request]
        life = self._life("" if sent.client_id else answer.client_id, answer.order_id, request)
        life.accepted = True
        if life is not former and sent in former.sent:  # under a name in use, and yet another order
            former.sent.remove(sent)
            life.sent.append(sent)

    def _see_position(self, seen: PositionSeen) -> None:
        if self._last_position is None or instant_us(seen) >= instant_us(self._last_position):
            self._last_position = seen
        if seen.via == "preflight" and not self._trades:
            self._preflight = seen

    def _life(self, client_id: str, order_id: str = "", request: str = "") -> Life:
        """The order under these names; names that turn out to mean one order are made one."""
        names = [name for name in (_by_order(order_id), client_id, request) if name]
        known = list(dict.fromkeys(self._lives[name] for name in names if name in self._lives))
        # A client id used again belongs to another order where the venue gave it another order id.
        known = [life for life in known if not order_id or life.order_id in ("", order_id)]
        life = known[0] if known else Life(client_id or order_id or request)
        for other in known[1:]:
            life.absorb(other)
            self._lives |= {name: life for name, owner in self._lives.items() if owner is other}
        life.order_id = life.order_id or order_id
        self._lives |= dict.fromkeys(names, life)
        return life


def _turns(steps: Iterator[Step]) -> Iterator[tuple[int, Step]]:
    """The steps of one order, each with its turn within its instant.

    What was sent before is filled, then it ends; then orders are sent, and these are filled and end.
    """
    began_us = None
    for step in steps:
        if step.move is Move.BEGIN:
            began_us = step.at_us
            yield 2, step
        else:
            turn = 1 if step.move is Move.END else 0
            yield turn + (3 if step.at_us == began_us else 0), step


def _request(fact: RequestSent | RequestAnswered) -> str:
    return f"{fact.src} request {fact.request}"


def _by_order(order_id: str) -> str:
    return f"order {order_id}" if order_id else ""
