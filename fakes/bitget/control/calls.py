"""The calls of the control face: a request in, an answer out, no I/O; nothing that is sent makes it raise.

    GET  state     everything at a glance              POST answer    what becomes of the n-th call from now on
    GET  seed      what all chance comes from          POST silence   a channel says nothing for a while
    GET  journal   the newest calls                    POST mend      take every fault away
    POST journal   the calls that fit, or the closest  POST clock     put the venue's clock ahead, or behind
    POST fill      force this fill                     POST price     move the price; mark: the mark alone
    POST reset     the opening state, with any seed    POST funding   script the rate; book: make it thin or empty

An answer is HTTP 200 with an object. A refusal is 4xx with `{"refused": {"expected", "found", "do"}}`, and changes
nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

from ..core.messages import FillOrder, OrderFilled, OrderView, Refused
from ..faults import FOR_GOOD, Delay, Drop, Lose, Refuse, Silence, Strike
from ..journal import Call, Deed, Push, SocketEvent
from ..rest import ROUTES
from ..server import FakeBitget
from ..wire import OK
from ..ws import PRIVATE_CHANNELS, PUBLIC_CHANNELS
from .asked import Asked, Unfit, nearest, quoted
from .nearest import LOOKED_AT_MAX, TEXTS, Wanted, fits
from .nearest import nearest as nearest_call
from .scripts import BOOK_FIELDS, FUNDING_FIELDS, MOVE_FIELDS, Scripts
from .shown import dumps, fault, state

PREFIX = "/_control"
SEED_MAX = 2**63 - 1
BALANCE_USDT_MIN, BALANCE_USDT_MAX = Decimal("0.01"), Decimal(1_000_000_000)
CLOCK_MS_MAX = 86_400_000
FAULTS_MAX = 10_000  # armed until a reset

_ALWAYS = "always"
_ENTRIES_DEFAULT, _ENTRIES_MAX = 50, 1_000
_CALLS_MAX = 1_000_000
_DELAY_MS_MAX, _SILENT_S_MAX = 3_600_000, 86_400
_ORDERS_TOLD = 5
_KINDS = {"call": Call, "socket": SocketEvent, "push": Push, "deed": Deed}
_FAULTS = ("refuse", "lose", "drop", "delay")
_ANSWER_FIELDS = ("do", "path", "method", "api_key", "nth", "times", "code", "message", "status", "delay_ms")

Open = Callable[[int, Decimal], FakeBitget]  # a venue in its opening state, from a seed and a balance in USDT


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP status and a JSON body."""

    status: int
    body: bytes

    @classmethod
    def refused(cls, unfit: Unfit) -> "Reply":
        told = {"expected": unfit.expected, "found": unfit.found, "do": unfit.remedy}
        return cls(unfit.status, dumps({"refused": told}))


@dataclass(frozen=True, slots=True)
class ControlCall:
    """One call: what it does in a few words, and the members that its object may have."""

    method: str
    name: str
    does: str
    members: Sequence[str]
    handle: Callable[[Asked], object]


class Control:
    """Looks behind one venue and scripts it. `faces` is the present one: a reset opens another."""

    def __init__(self, open_venue: Open, seed: int, balance_usdt: Decimal) -> None:
        self._open, self._seed, self._balance_usdt = open_venue, seed, balance_usdt
        self.faces = open_venue(seed, balance_usdt)
        self._scripts = Scripts(self.faces.exchange)
        self._calls = {(call.method, call.name): call for call in self._table()}

    def answer(self, method: str, path: str, body: bytes) -> Reply:
        """Answer one request; `path` is as received, query and all."""
        try:
            return Reply(200, dumps(self._answer(method, path, body)))
        except Unfit as unfit:
            return Reply.refused(unfit)

    def _answer(self, method: str, path: str, body: bytes) -> object:
        name, mark, query = path.removeprefix(PREFIX).strip("/").partition("?")
        call = self._find(method, name.rstrip("/"))
        if mark:
            raise Unfit("a path without a query", quoted(query), "put what you ask for into a JSON body, by POST")
        if method == "GET" and body:
            raise Unfit("a GET without a body", f"{len(body)} bytes", "leave it away, or POST where the call takes one")
        asked = Asked.of(body, call.members)
        self.faces.advance()
        return call.handle(asked)

    def _find(self, method: str, name: str) -> ControlCall:
        if (call := self._calls.get((method, name))) is not None:
            return call
        methods = [known for known, other in self._calls if other == name]
        if methods:
            raise Unfit(" or ".join(methods), quoted(method), "use that method", 405)
        names = {known for _, known in self._calls} - {""}
        raise Unfit(f"a call under {PREFIX}/", quoted(name), nearest(name, names), 404)

    def _table(self) -> tuple[ControlCall, ...]:
        journal = ("kind", "after_n", "limit", "status", "params", *TEXTS)
        return (
            ControlCall("GET", "", "this list", (), self._list),
            ControlCall("GET", "state", "everything at a glance", (), self._state),
            ControlCall("GET", "seed", "what all chance comes from", (), lambda _: {"seed": self._seed}),
            ControlCall("GET", "journal", "the newest calls", (), self._journal),
            ControlCall("POST", "journal", "the calls that fit, or the closest", journal, self._journal),
            ControlCall("POST", "fill", "force this fill", ("order_id", "client_id", "size"), self._fill),
            ControlCall("POST", "price", "move the price", MOVE_FIELDS, partial(self._move, what="price")),
            ControlCall("POST", "mark", "move the mark alone", MOVE_FIELDS, partial(self._move, what="mark")),
            ControlCall("POST", "funding", "script the funding rate", FUNDING_FIELDS, self._funding),
            ControlCall("POST", "book", "make the book thin or empty", BOOK_FIELDS, self._book),
            ControlCall("POST", "clock", "offset the venue's clock", ("offset_ms",), self._clock),
            ControlCall("POST", "answer", "what becomes of the n-th call", _ANSWER_FIELDS, self._strike),
            ControlCall("POST", "silence", "silence a channel", ("channel", "for_s", "api_key"), self._silence),
            ControlCall("POST", "mend", "take every fault away", (), self._mend),
            ControlCall("POST", "reset", "back to the opening state", ("seed", "balance_usdt"), self._reset),
        )

    # Looking

    def _list(self, _: Asked) -> object:
        calls = [
            {"call": f"{call.method} {PREFIX}/{call.name}", "does": call.does, "members": list(call.members)}
            for call in self._calls.values()
        ]
        return {"botproof": "the control face of a fake Bitget; no venue has one", "calls": calls}

    def _state(self, _: Asked) -> object:
        return state(self.faces, self._seed)

    def _journal(self, asked: Asked) -> object:
        """Oldest first, the newest `limit` of those that fit; `nearest` where no call does."""
        kind = asked.word("kind", _KINDS, "call")
        after_n = asked.whole("after_n", -1, _CALLS_MAX**2, -1)
        limit = asked.whole("limit", 1, _ENTRIES_MAX, _ENTRIES_DEFAULT)
        texts = {name: asked.text(name) for name in TEXTS if name in asked}
        status = asked.maybe("status", lambda name: asked.whole(name, 0, 599))
        wanted = Wanted(texts=texts, status=status, params=asked.texts("params"))
        if kind != "call" and wanted != Wanted():
            raise Unfit("a question about calls alone to name a method, a path or the like", kind, "ask for kind call")
        journal = self.faces.journal.entries
        entries = [entry for entry in journal if entry.n > after_n and isinstance(entry, _KINDS[kind])]
        fitting = [entry for entry in entries if not isinstance(entry, Call) or fits(wanted, entry)]
        told = {"kind": kind, "count": len(fitting), "entries": fitting[-limit:]}
        if kind != "call" or fitting:
            return told
        calls = [entry for entry in entries if isinstance(entry, Call)]
        return {**told, "nearest": nearest_call(wanted, calls[-LOOKED_AT_MAX:])}

    # Scripting

    def _fill(self, asked: Asked) -> object:
        order, exchange = self._open_order(asked), self.faces.exchange
        left, step = order.size - order.filled, exchange.rules.qty_step
        size = asked.maybe("size", lambda name: asked.amount(name, step, left))
        if size is not None and exchange.rules.steps(size) is None:
            raise Unfit(f"size as a multiple of {step}", quoted(size), "change it")
        command = FillOrder(symbol=order.symbol, order_id=order.order_id, size=size)
        outcomes = self.faces.command(order.account, command)
        for refused in outcomes:
            if isinstance(refused, Refused):
                raise Unfit("an order that has something to trade", refused.message, "open a position it can close")
        fills = [outcome for outcome in outcomes if isinstance(outcome, OrderFilled)]
        return {"fills": [outcome.fill for outcome in fills], "order": fills[-1].order}

    def _open_order(self, asked: Asked) -> OrderView:
        which = asked.one_of("order_id", "client_id")
        name, exchange = asked.text(which), self.faces.exchange
        for account in exchange.accounts:
            order = exchange.order(account, **{which: name}) if name else None
            if order is not None and order.state.is_open:
                return order
            if order is not None:
                raise Unfit("an order that rests", f"one that is {order.state.value}", "name one that is open")
        known = [order for account in exchange.accounts for order in exchange.open_orders(account)]
        ids = [str(getattr(order, which)) for order in known[:_ORDERS_TOLD]]
        raise Unfit(f"the {which} of an open order", quoted(name), f"open are {', '.join(map(quoted, ids)) or 'none'}")

    def _move(self, asked: Asked, what: str) -> object:
        return self._scripted(self._scripts.move(asked, what))

    def _funding(self, asked: Asked) -> object:
        return self._scripted(self._scripts.funding(asked))

    def _book(self, asked: Asked) -> object:
        return self._scripted(self._scripts.book(asked))

    def _scripted(self, told: object) -> object:
        self.faces.rearm()
        return told

    def _clock(self, asked: Asked) -> object:
        offset_ms = asked.whole("offset_ms", -CLOCK_MS_MAX, CLOCK_MS_MAX)
        self.faces.skew.us = offset_ms * 1000
        return {"offset_ms": offset_ms, "venue_clock_us": self.faces.skew.told_us(self.faces.exchange.now_us)}

    def _reset(self, asked: Asked) -> object:
        seed = asked.whole("seed", 0, SEED_MAX, self._seed)
        balance = asked.amount("balance_usdt", BALANCE_USDT_MIN, BALANCE_USDT_MAX, self._balance_usdt)
        before, lines = self.faces, len(self.faces.connections)
        self.faces = self._open(seed, balance)
        before.hang_up()
        self._seed, self._balance_usdt = seed, balance
        self._scripts = Scripts(self.faces.exchange)
        return {"seed": seed, "balance_usdt": balance, "hung_up": lines}

    # Faults

    def _strike(self, asked: Asked) -> object:
        kind, path = asked.word("do", _FAULTS), asked.word("path", {route.path for route in ROUTES})
        methods = {route.method for route in ROUTES if route.path == path}
        self._refuse_idle(asked, kind)
        hit: dict[str, Any] = {
            "path": path,
            "method": asked.maybe("method", lambda name: asked.word(name, methods)) or "",
            "api_key": asked.text("api_key", ""),
            "skip": asked.whole("nth", 1, _CALLS_MAX, 1) - 1,
            "times": FOR_GOOD if asked.says("times", _ALWAYS) else asked.whole("times", 1, _CALLS_MAX, 1),
        }
        return self._arm(_strike(kind, hit, asked))

    def _refuse_idle(self, asked: Asked, kind: str) -> None:
        """A member that means nothing here would pass for a fault that was never set up."""
        own = {"refuse": ("code", "message", "status"), "delay": ("delay_ms",)}
        for owner, names in own.items():
            for name in names:
                if name in asked and kind != owner:
                    raise Unfit(f"no {name} where the call is to {kind}", name, f'leave it away, or "do": "{owner}"')

    def _silence(self, asked: Asked) -> object:
        channel = asked.word("channel", (*PUBLIC_CHANNELS, *PRIVATE_CHANNELS))
        for_us = asked.whole("for_s", 1, _SILENT_S_MAX) * 1_000_000
        return self._arm(Silence(channel=channel, for_us=for_us, api_key=asked.text("api_key", "")))

    def _arm(self, wanted: Strike | Silence) -> object:
        if len(self.faces.faults.armed) >= FAULTS_MAX:
            raise Unfit(f"at most {FAULTS_MAX} faults on one venue", "as many already", "reset the venue")
        return fault(self.faces.arm(wanted))

    def _mend(self, _: Asked) -> object:
        faults = self.faces.faults
        unfired = faults.unfired()
        for armed in faults.armed:
            faults.lift(armed)
        return {"lifted": len(faults.armed), "unfired": unfired}


def _strike(kind: str, hit: dict[str, Any], asked: Asked) -> Strike:
    match kind:
        case "refuse":
            code = asked.text("code")
            if not code.isascii() or not code.isalnum() or code == OK:
                raise Unfit("code as a refusal's code of letters and digits", quoted(code), "give one such as 40010")
            message = asked.text("message", "refused by the control face")
            return Refuse(**hit, code=code, message=message, status=asked.whole("status", 200, 599, 400))
        case "delay":
            return Delay(**hit, for_us=asked.whole("delay_ms", 1, _DELAY_MS_MAX) * 1000)
        case "lose":
            return Lose(**hit)
    return Drop(**hit)
