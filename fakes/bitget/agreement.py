"""Whether the tape and the fake tell one story: the check that judges the observer and the tap themselves.

The tape is written by a client, the journal and the exchange by the fake; they share nothing but the wire. Each
disagreement is one line. Checked are

1. requests: every call of the bot's key is on the tape once, with method, path and client id, and was answered there
   with the code it got; a request of unknown fate matches any code, and none (it may never have arrived);
2. their order: a request sent after the answer to another also arrived after it (what is under way at the same time may
   overtake);
3. fills: each of the account's is on the tape once, equal in order, side, price, size, fee and role;
4. orders: the last sighting of each agrees in state, filled size and price;
5. the position: the last sighting agrees in size and entry price;
6. bills: each that is on the tape is there once, equal in type, amount, fee and balance;
7. nothing is on the tape that the fake does not know.

A call whose answer an armed fault lost, or that it dropped, was never answered: the tape must not say it was. What the
harness itself did on the account (the journal's deeds) and was over when the tape began may be missing from it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from botproof.events import (
    BillSeen,
    Fact,
    FillSeen,
    OrderSeen,
    PositionSeen,
    RequestAnswered,
    RequestSent,
    RequestUnknown,
    Source,
)
from botproof.money import cut, plain

from .core.exchange import Exchange
from .core.messages import BillView, FillView, OrderView, PositionView
from .journal import DROPPED, LOST, Call, Journal
from .wire import DERIVED_PLACES, MONEY_PLACES

_FOREVER = 1 << 62

Identity = tuple[str, str, str]  # method, path, client id


@dataclass(slots=True)
class _Taped:
    """A request as the tape tells it; `code` is None where its fate is unknown."""

    sent: RequestSent
    arrived_us: int  # as near as the tape tells
    code: str | None = None
    ended_seq: int = _FOREVER

    @property
    def identity(self) -> Identity:
        return self.sent.method, self.sent.path, self.sent.client_id

    def __str__(self) -> str:
        return f"request {self.sent.request} ({_named(self.identity)})"


def disagreements(
    facts: Iterable[Fact], *, exchange: Exchange, journal: Journal, account: str, bot_key: str
) -> list[str]:
    """One line for each point in which the tape differs from the fake's own record; empty where they agree."""
    tape = list(facts)
    excused = _over_before(tape, exchange.orders(account), journal)
    fills = [fact for fact in tape if isinstance(fact, FillSeen) and fact.src is Source.VENUE]
    return [
        *_of_requests(tape, journal.calls_of(bot_key)),
        *_of_fills(fills, exchange.fills(account), excused),
        *_of_orders([fact for fact in tape if isinstance(fact, OrderSeen)], exchange.orders(account), excused),
        *_of_position([fact for fact in tape if isinstance(fact, PositionSeen)], exchange.positions(account)),
        *_of_bills([fact for fact in tape if isinstance(fact, BillSeen)], exchange.bills(account)),
    ]


def _over_before(tape: Sequence[Fact], orders: Sequence[OrderView], journal: Journal) -> frozenset[str]:
    """The orders that the harness placed and that were finished when the tape began."""
    own = {deed.order_id for deed in journal.deeds}
    began_us = tape[0].t_local_us if tape else 0
    return frozenset(
        order.order_id
        for order in orders
        if order.order_id in own and not order.state.is_open and order.updated_us <= began_us
    )


# Requests


def _of_requests(tape: Sequence[Fact], calls: Sequence[Call]) -> Iterator[str]:
    taped: dict[Identity, list[_Taped]] = defaultdict(list)
    for request in _requests(tape):
        taped[request.identity].append(request)
    asked: dict[Identity, list[Call]] = defaultdict(list)
    for call in calls:
        asked[call.method, call.path, call.client_id].append(call)
    matched: list[tuple[Call, _Taped]] = []
    for identity in dict.fromkeys((*asked, *taped)):
        in_turn = sorted(taped[identity], key=lambda request: request.arrived_us)  # two alike may overtake each other
        yield from _match(in_turn, asked[identity], matched)
    yield from _out_of_order(sorted(matched, key=lambda pair: pair[0].n))


def _requests(tape: Sequence[Fact]) -> list[_Taped]:
    """The tap's requests, each with its answer."""
    by_number: dict[int, _Taped] = {}
    for fact in tape:
        if fact.src not in (Source.TAP, Source.FAKE_JOURNAL):
            continue
        if isinstance(fact, RequestSent):
            by_number[fact.request] = _Taped(fact, fact.t_local_us)
        elif isinstance(fact, RequestAnswered | RequestUnknown) and fact.request in by_number:
            request = by_number[fact.request]
            request.ended_seq = fact.seq
            request.code = fact.code if isinstance(fact, RequestAnswered) else None
            request.arrived_us = max(request.sent.t_local_us, fact.t_venue_us or 0)
    return list(by_number.values())


def _match(taped: Sequence[_Taped], asked: Sequence[Call], matched: list[tuple[Call, _Taped]]) -> Iterator[str]:
    """Pair requests of one identity in the order of their arrival; unknown ones that never came are left out."""
    lost = max(len(taped) - len(asked), 0)
    calls = iter(asked)
    call = next(calls, None)
    for position, request in enumerate(taped):
        if request.code is None and lost and _was_lost(call, taped[position + 1 :]):
            lost -= 1
            continue
        if call is None:
            yield f"{request} is on the tape and never reached the fake"
            continue
        matched.append((call, request))
        yield from _wrongly_answered(request, call)
        call = next(calls, None)
    while call is not None:
        yield f"call {call.n} ({_named((call.method, call.path, call.client_id))}) is not on the tape"
        call = next(calls, None)


def _wrongly_answered(request: _Taped, call: Call) -> Iterator[str]:
    if request.code is None:
        return
    if call.fate in (LOST, DROPPED):
        yield f"{request} was answered {request.code} on the tape, and the fake never answered: {call.fate}"
    elif request.code != call.code:
        yield f"{request} was answered {request.code} on the tape, and the fake answered {call.code}"


def _was_lost(call: Call | None, later: Sequence[_Taped]) -> bool:
    """Whether the next call belongs to a later request of the same kind, or there is none left."""
    return call is None or (bool(later) and later[0].sent.t_local_us <= call.at_us)


def _out_of_order(pairs: Sequence[tuple[Call, _Taped]]) -> Iterator[str]:
    """`pairs` in the order of arrival."""
    latest: _Taped | None = None
    for _, request in pairs:
        if latest is not None and request.ended_seq < latest.sent.seq:
            yield f"{request} reached the fake after {latest}, and the tape has it answered before that was sent"
        if latest is None or request.sent.seq > latest.sent.seq:
            latest = request


def _named(identity: Identity) -> str:
    return " ".join(filter(None, identity))


# Fills


def _of_fills(seen: Sequence[FillSeen], fills: Sequence[FillView], excused: frozenset[str]) -> Iterator[str]:
    times = Counter(fact.trade_id for fact in seen)
    by_id = {fact.trade_id: fact for fact in seen}
    known = {fill.trade_id: fill for fill in reversed(fills)}
    for trade_id, fill in known.items():
        if not times[trade_id] and fill.order_id in excused:
            continue
        if times[trade_id] != 1:
            yield f"fill {trade_id} is on the tape {times[trade_id]} times, expected once"
        else:
            yield from _differences(f"fill {trade_id}", _seen_fill(by_id[trade_id]), _true_fill(fill))
    yield from (
        f"fill {trade_id} is on the tape and unknown to the fake" for trade_id in times if trade_id not in known
    )


def _seen_fill(fact: FillSeen) -> dict[str, object]:
    return {
        "order": fact.order_id,
        "side": fact.side,
        "price": fact.price,
        "size": fact.size,
        "fee": fact.fee_usdt,
        "role": "maker" if fact.is_maker else "taker",
    }


def _true_fill(fill: FillView) -> dict[str, object]:
    return {
        "order": fill.order_id,
        "side": fill.side,
        "price": fill.price,
        "size": fill.size,
        "fee": fill.fee,
        "role": "maker" if fill.is_maker else "taker",
    }


# Orders


def _of_orders(seen: Sequence[OrderSeen], orders: Sequence[OrderView], excused: frozenset[str]) -> Iterator[str]:
    last = {fact.order_id: fact for fact in seen}
    known = {order.order_id: order for order in reversed(orders)}
    for order_id, order in known.items():
        if order_id not in last and order_id in excused:
            continue
        if order_id not in last:
            yield f"order {order_id} ({order.client_id}) is not on the tape"
            continue
        fact = last[order_id]
        found: dict[str, object] = {"state": fact.state, "filled": fact.filled, "price": fact.price}
        truth: dict[str, object] = {"state": order.state, "filled": order.filled, "price": order.price}
        yield from _differences(f"order {order_id} ({order.client_id})", found, truth)
    yield from (
        f"order {order_id} is on the tape and unknown to the fake" for order_id in last if order_id not in known
    )


# Position


def _of_position(seen: Sequence[PositionSeen], positions: Sequence[PositionView]) -> Iterator[str]:
    """One-way: at most one position a symbol; a symbol never sighted is as good as flat only where it is flat."""
    if not seen:
        yield "no position was ever read: the tape has no PositionSeen"
        return
    last = {fact.symbol: fact for fact in seen}
    held = {view.symbol: view for view in positions}
    for symbol in dict.fromkeys((*last, *held)):
        yield from _differences(
            f"position {symbol}", _seen_position(last.get(symbol)), _true_position(held.get(symbol))
        )


def _seen_position(fact: PositionSeen | None) -> dict[str, object]:
    if fact is None or not fact.size:
        return _FLAT
    return {"size": fact.size, "entry": fact.entry_price}


def _true_position(view: PositionView | None) -> dict[str, object]:
    if view is None:
        return _FLAT
    return {"size": view.size, "entry": cut(DERIVED_PLACES, view.entry_price)}


_FLAT: dict[str, object] = {"size": Decimal(0), "entry": None}


# Bills


def _of_bills(seen: Sequence[BillSeen], bills: Sequence[BillView]) -> Iterator[str]:
    """The tape need not hold them all: it reads those of its window."""
    known = {bill.bill_id: bill for bill in bills}
    for bill_id, times in Counter(fact.bill_id for fact in seen).items():
        if times != 1:
            yield f"bill {bill_id} is on the tape {times} times, expected once"
    for fact in {fact.bill_id: fact for fact in seen}.values():
        bill = known.get(fact.bill_id)
        if bill is None:
            yield f"bill {fact.bill_id} is on the tape and unknown to the fake"
        else:
            yield from _differences(f"bill {fact.bill_id}", _seen_bill(fact), _true_bill(bill))


def _seen_bill(fact: BillSeen) -> dict[str, object]:
    return {"type": fact.business_type, "amount": fact.amount, "fee": fact.fee, "balance": fact.balance}


def _true_bill(bill: BillView) -> dict[str, object]:
    """As the venue prints it: cut at 8 decimals, the fee negative when paid."""
    printed = {"amount": bill.amount, "fee": -bill.fee, "balance": bill.balance}
    return {"type": bill.business_type, **{name: cut(MONEY_PLACES, money) for name, money in printed.items()}}


def _differences(what: str, found: dict[str, object], truth: dict[str, object]) -> Iterator[str]:
    for name, expected in truth.items():
        if found[name] != expected:
            yield f"{what}: the tape says {name} {_text(found[name])}, the fake {_text(expected)}"


def _text(value: object) -> str:
    return plain(value) if isinstance(value, Decimal) else "none" if value is None else str(value)
