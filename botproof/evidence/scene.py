"""What of a tape is drawn: prices, orders, fills, exposure, states and notes, each with its instants.

1. A fact is believed from the source that can know it, as the judge believes it.
2. Orders, position and exposure are those of the judge's ledger: what is drawn is what is judged.
3. The frame is the time from the first line of the tape to the last. What happened before it (an order that an earlier
   run left) begins at its edge; a number that is none is left out.
4. Nothing is refused: where orders cannot be made out, the rest is drawn and the scene says so.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from operator import itemgetter

from botproof.events import (
    BotRestarted,
    BotStateChanged,
    Fact,
    FillSeen,
    FundingSettled,
    OperatorAction,
    PositionSeen,
    RunEnded,
    RunStarted,
    Side,
    Source,
    StopStep,
    TopOfBook,
    WindowClosed,
    WindowOpened,
)
from botproof.invariants.exposure import exposure
from botproof.invariants.judge import WITNESSES
from botproof.invariants.ledger import Books, Ledger, Life, Move, Step
from botproof.invariants.wording import instant_us
from botproof.money import plain
from botproof.profile import Profile

ORDERS: frozenset[type[Fact]] = Ledger.hears - {FillSeen, RunStarted}
DRAWN = Ledger.hears | {
    *(BotRestarted, BotStateChanged, FundingSettled, OperatorAction, RunEnded, StopStep, TopOfBook),
    *(WindowClosed, WindowOpened),
}
SHOWN_STOPS = frozenset({"asked", "crashed", "killed"})


@dataclass(frozen=True, slots=True)
class Quote:
    """Best prices at an instant."""

    at_us: int
    bid: Decimal
    ask: Decimal


@dataclass(frozen=True, slots=True)
class Order:
    """A limit order from its sending to its end; `owner` is bot, other or refused."""

    from_us: int
    to_us: int
    price: Decimal
    side: Side
    exits: bool
    owner: str


@dataclass(frozen=True, slots=True)
class State:
    """What the bot said that it was, and why."""

    from_us: int
    to_us: int
    name: str
    reason: str

    @property
    def said(self) -> str:
        return f"{self.name}: {self.reason}" if self.reason else self.name


@dataclass(frozen=True, slots=True)
class Note:
    """Something that happened to the run as a whole."""

    at_us: int
    text: str
    kind: str  # run | state


@dataclass(slots=True)
class Scene:
    """All that is drawn of one run."""

    from_us: int = 0
    to_us: int = 1
    started: RunStarted | None = None
    ended: RunEnded | None = None
    quotes: list[Quote] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    fills: list[FillSeen] = field(default_factory=list)
    exposure: list[tuple[int, Decimal]] = field(default_factory=list)
    states: list[State] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    blind: str = ""  # why orders and exposure are missing; empty where they are not


def scene(facts: Sequence[Fact], profile: Profile) -> Scene:
    """The scene of a tape, whole or cut short."""
    if not facts:
        return Scene()
    from_us = facts[0].t_local_us
    drawn = Scene(from_us=from_us, to_us=max(from_us + 1, facts[-1].t_local_us))
    believed = [fact for fact in facts if type(fact) in DRAWN and fact.src in WITNESSES.get(type(fact), ())]
    for fact in believed:
        if type(fact) not in ORDERS:
            _note(drawn, fact, profile.symbol)
    drawn.states = list(_states(believed, drawn.to_us))
    drawn.quotes.sort(key=lambda quote: quote.at_us)
    try:
        _replay(drawn, believed, profile.symbol)
    except Exception as error:  # noqa: BLE001  a tape may hold anything; the rest of it is drawn all the same
        drawn.blind = f"orders and exposure cannot be made out ({type(error).__name__})"
    return drawn


def _note(drawn: Scene, fact: Fact, symbol: str) -> None:
    at_us = instant_us(fact)
    if not drawn.from_us <= at_us <= drawn.to_us:
        return
    match fact:
        case RunStarted():
            drawn.started = drawn.started or fact
        case RunEnded():
            drawn.ended = fact
        case TopOfBook() if fact.symbol == symbol and _is_price(fact.bid) and _is_price(fact.ask):
            drawn.quotes.append(Quote(at_us, fact.bid, fact.ask))
        case FillSeen() if fact.symbol == symbol and _is_price(fact.price):
            drawn.fills.append(fact)
        case _:
            if told := _told(fact):
                drawn.notes.append(Note(at_us, told, "run"))


def _told(fact: Fact) -> str:
    """The words of a note; empty where it is none."""
    match fact:
        case WindowOpened():
            return "window opens"
        case WindowClosed():
            return f"window {fact.reason}"
        case OperatorAction():
            return f"operator: {fact.action}"
        case BotRestarted():
            return f"bot killed, start {fact.start}"
        case StopStep() if fact.step in SHOWN_STOPS:
            return f"bot {fact.step}" + (" to stop" if fact.step == "asked" else "")
        case FundingSettled() if fact.amount_usdt.is_finite():
            return f"funding {plain(fact.amount_usdt)} USDT"
    return ""


def _states(facts: Sequence[Fact], to_us: int) -> Iterator[State]:
    """The states one after another; a bot that is gone or killed is in none."""
    now: BotStateChanged | None = None
    for fact in facts:
        if not isinstance(fact, BotStateChanged | BotRestarted | StopStep):
            continue
        gone = isinstance(fact, BotRestarted) or (isinstance(fact, StopStep) and fact.step in ("stopped", "killed"))
        if not gone and not isinstance(fact, BotStateChanged):
            continue
        if now is not None:
            if isinstance(fact, BotStateChanged) and (fact.state, fact.reasons) == (now.state, now.reasons):
                continue
            yield _state(now, fact.t_local_us)
        now = fact if isinstance(fact, BotStateChanged) else None
    if now is not None:
        yield _state(now, to_us)


def _state(said: BotStateChanged, to_us: int) -> State:
    return State(said.t_local_us, max(said.t_local_us, to_us), said.state, ", ".join(said.reasons))


def _replay(drawn: Scene, facts: Sequence[Fact], symbol: str) -> None:
    """Go through the books once: each order with its end, and the exposure after every change."""
    ledger, marks = Ledger(symbol), list[tuple[int, int, Step | Decimal]]()
    for fact in facts:
        if type(fact) in Ledger.hears:
            ledger.see(fact)
        mark = _mark(fact, symbol)
        if mark is not None:
            marks.append((instant_us(fact), fact.seq, mark))
    books, price, at_market = Books(ledger.start), None, False
    begun: dict[Life, int] = {}
    steps = [(step.at_us, step.seq, step) for step in ledger.replay()]
    for at_us, _, what in sorted([*marks, *steps], key=itemgetter(0, 1)):
        if isinstance(what, Decimal):
            price = what
            if not books.position and not at_market:
                continue  # orders at their own prices are worth the same
        else:
            books.apply(what)
            at_market = any(life.is_market for life in books.working)
            if what.move is Move.BEGIN:
                begun[what.life] = at_us
            if what.life not in books.working and what.life in begun:
                _add_order(drawn, what.life, begun.pop(what.life), at_us, ledger.prefix)
        amount = exposure(books, price)
        if amount is not None and amount.is_finite():
            drawn.exposure.append((max(at_us, drawn.from_us), amount))
    for life, at_us in begun.items():
        _add_order(drawn, life, at_us, drawn.to_us, ledger.prefix)


def _mark(fact: Fact, symbol: str) -> Decimal | None:
    mark = None
    if isinstance(fact, TopOfBook) and fact.src is Source.VENUE and fact.symbol == symbol:
        mark = fact.mark
    elif isinstance(fact, PositionSeen) and fact.symbol == symbol:
        mark = fact.mark_price
    return mark if mark is not None and _is_price(mark) else None


def _add_order(drawn: Scene, life: Life, from_us: int, to_us: int, prefix: str) -> None:
    price = life.price
    if price is not None and _is_price(price):
        owner = "refused" if life.never_existed else "bot" if life.belongs_to(prefix) else "other"
        drawn.orders.append(Order(from_us, to_us, price, life.side, life.reduce_only, owner))


def _is_price(amount: Decimal) -> bool:
    return amount.is_finite() and amount > 0
