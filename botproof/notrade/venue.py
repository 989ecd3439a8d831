"""The venue's record against R8, R9 and R13: the venue is the judge, the bot's files only agree or do not.

Trading is judged from the start of the window until the bot had stopped (or, where nobody knows when that was, as far
as the record reaches), since what happens between the last row and the stop is the bot's as well. Before the window the
bot may cancel what an earlier run left and set its account right; it may place nothing from its own start on.

A zero counts only where the record could have shown something else:

1. fills, bills and ended orders were asked for over the whole window;
2. the lists of open orders, plain and trigger, were read before the window opened and after it closed, the first not
   before the stretch of ended orders begins, the last before the ended orders were read;
3. position and settings were read before the window opened and after it closed;
4. the requests of the bot's key were recorded over the whole window: a refused order leaves no other trace.
"""

from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Any

from botproof.document import shown
from botproof.money import ZERO, plain
from botproof.notrade.answer import Docket
from botproof.notrade.record import NEEDED, ListReading, Request, Source, VenueRecord
from botproof.notrade.window import DAY_US, Window, iso

KEPT_US = 90 * DAY_US  # how far back the venue's histories reach (documented)
READ, CANCEL, PLACE = "read", "cancel", "place"
SETTING_UP = frozenset({CANCEL, READ, "set_leverage", "set_position_mode", "set_margin_mode"})
OPEN_STATES = frozenset({"live", "partially_filled", "new", "init"})
FUNDING = "contract_settle_fee"
TRANSFERS = ("trans_", "deposit", "withdraw")
TRADES = ("buy", "sell", "open_", "close_", "force_", "burst_", "adl_", "delivery_")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What the record is held against."""

    window: Window
    symbol: str
    position: Decimal  # declared, signed, BTC
    bot_started_us: int | None = None
    stopped_us: int | None = None
    own_prefix: str = ""  # of this run's client ids
    requests: Source[Request] | None = None  # of the run, where the harness recorded them itself


class VenueJudge:
    """Judges one record; findings go to the docket."""

    def __init__(self, record: VenueRecord, scene: Scene, docket: Docket) -> None:
        self._record, self._scene, self._docket = record, scene, docket
        self._window = scene.window

    def judge(self) -> None:
        """All of it."""
        self._whole()
        self._orders()
        self._lists("open_orders", self._record.open_orders)
        self._lists("trigger_orders", self._record.trigger_orders)
        self._asked()
        self._fills()
        self._bills()
        self._positions()
        self._settings()

    def transfers_usdt(self) -> Decimal:
        """What was moved into the account or out of it in the window, signed."""
        bills = self._record.bills.rows if self._record.bills else ()
        moved = (bill for bill in bills if self._window.holds(bill.at_us) and bill.business_type.startswith(TRANSFERS))
        return sum((bill.amount + bill.fee for bill in moved), ZERO)

    def opening_position(self) -> Decimal:
        """The position that was read last before the window, signed; 0 where none was."""
        rows = self._record.positions.rows if self._record.positions else ()
        before = [each for each in rows if each.symbol == self._scene.symbol and each.at_us <= self._window.start_us]
        return max(before, key=lambda each: each.at_us).size if before else ZERO

    # R13

    def _whole(self) -> None:
        record, docket = self._record, self._docket
        for flaw in record.flaws:
            docket.invalid("R13", f"the venue record is no evidence: {flaw}", "a whole record, as it was written")
        had = [name for name in (*NEEDED, "requests", "prices", "trigger_history") if self._source(name)]
        docket.saw("R13", f"venue {record.venue or 'unknown'}; sources had: {', '.join(had) or 'none'}")
        for name in NEEDED:
            if self._source(name) is None:
                why = record.missing.get(name, "it is not there")
                docket.invalid("R13", f"the venue record has no {name}: {why}", "every source over the whole window")
        for name, why in record.missing.items():
            docket.note("R13", f"the venue record lacks {name}: {why}")
        if record.symbol != self._scene.symbol:
            docket.invalid("R13", f"the venue record is of {shown(record.symbol)}", f"a record of {self._scene.symbol}")
        if not (record.start_us <= self._window.start_us and self._window.end_us <= record.end_us):
            docket.invalid(
                "R13",
                f"the venue record is of {iso(record.start_us)} to {iso(record.end_us)}",
                f"a record of {self._window}",
            )

    def _source(self, name: str) -> Source[Any] | None:
        return getattr(self._record, name, None)

    def _spans(self, rule: str, name: str, source: Source[Any] | None) -> None:
        """Whether a source was asked about the whole window, after its end; else nothing of it is a zero."""
        if source is None:
            return  # told by R13
        if source.from_us > self._window.start_us or source.to_us < self._window.end_us:
            seen = f"{name} were asked for from {iso(source.from_us)} to {iso(source.to_us)}"
            self._docket.invalid(rule, seen, f"the whole window, {self._window}")
        if source.read_us < self._window.end_us:
            seen = f"{name} were read at {iso(source.read_us)}, before the window closed"
            self._docket.invalid(rule, seen, "a reading after the end of the window")

    def _until_us(self, source: Source[Any]) -> int:
        """Until when what a source shows is judged."""
        stopped_us = self._scene.stopped_us
        return max(self._window.end_us, source.to_us if stopped_us is None else stopped_us)

    # R8

    def _orders(self) -> None:
        for name in ("orders", "trigger_history"):
            source = self._source(name)
            if source is None:
                continue
            self._spans("R8", name, source)
            until_us = self._until_us(source)
            inside = 0
            for order in source.rows:
                ended_us = None if order.state in OPEN_STATES else order.updated_us
                where = f"order {order.order_id} {order.client_id}".rstrip()
                if order.created_us <= until_us and (ended_us is None or ended_us >= self._window.start_us):
                    inside += 1
                    seen = (
                        f"an order of {plain(order.size)} at the venue, created {iso(order.created_us)}, "
                        f"{order.state} {iso(order.updated_us)}"
                    )
                    self._docket.fail("R8", seen, "no order in the window", where, key=f"{name} inside")
                elif self._is_of_this_run(order.client_id, order.created_us):
                    seen = f"the bot placed an order before the window, at {iso(order.created_us)}"
                    self._docket.fail("R8", seen, "a no-trade bot places nothing", where, key="placed before")
            self._docket.saw("R8", f"{name}: {inside} of {len(source.rows)} in the window")

    def _is_of_this_run(self, client_id: str, at_us: int) -> bool:
        scene = self._scene
        named = bool(scene.own_prefix) and client_id.startswith(scene.own_prefix)
        return named and scene.bot_started_us is not None and at_us >= scene.bot_started_us

    def _lists(self, name: str, source: Source[ListReading] | None) -> None:
        if source is None:
            return
        window, history = self._window, self._record.orders
        readings = sorted(source.rows, key=lambda reading: reading.at_us)
        until_us = self._until_us(source)
        for reading in readings:
            if reading.ids and window.start_us <= reading.at_us <= until_us:
                self._rests(name, reading)
        before = [reading for reading in readings if reading.at_us <= window.start_us]
        after = [reading for reading in readings if reading.at_us >= window.end_us]
        self._docket.saw("R8", f"{name}: {len(readings)} readings, {len(before)} before the window, {len(after)} after")
        if before:
            self._still_open(name, before[-1])
        if not after:
            self._docket.invalid("R8", f"{name} were not read after the window", "a reading after the end")
        elif name == "open_orders" and history is not None and history.read_us < after[0].at_us:
            self._docket.invalid(
                "R8", "ended orders were read before the list of open ones", "first the open orders, then the ended"
            )
        reaches = history is not None and history.from_us <= window.start_us - KEPT_US and name == "open_orders"
        if not before and not reaches:
            self._docket.invalid("R8", f"{name} were not read before the window", "a reading before the start")
        elif before and name == "open_orders" and history is not None and history.from_us > before[-1].at_us:
            seen = f"ended orders were asked for from {iso(history.from_us)}"
            self._docket.invalid("R8", seen, f"from the reading of the open ones at {iso(before[-1].at_us)}")

    def _rests(self, name: str, reading: ListReading) -> None:
        seen = f"{len(reading.ids)} of {name} at the venue at {iso(reading.at_us)}"
        where = f"order {', '.join(reading.ids[:3])}"
        self._docket.fail("R8", seen, "no order rests in the window", where, key=f"{name} rest")

    def _still_open(self, name: str, reading: ListReading) -> None:
        """What the last list before the window named rests in it, unless the venue says that it ended before."""
        rows = self._record.orders.rows if self._record.orders else ()
        ended = {
            order.order_id
            for order in rows
            if order.state not in OPEN_STATES and order.updated_us < self._window.start_us
        }
        left = [order_id for order_id in reading.ids if order_id not in ended]
        if left and reading.at_us < self._window.start_us:
            self._rests(name, ListReading(at_us=reading.at_us, ids=tuple(left)))

    def _asked(self) -> None:
        """The record of requests: the harness's own where there is one, else the venue record's."""
        own, told = self._scene.requests, self._record.requests
        for source in (own, None if told == own else told):
            if source is not None:
                self._requests(source, until_us=self._until_us(source))
        usable = own or told
        if usable is None:
            self._docket.invalid(
                "R8",
                "no record of requests: an order that the venue refused leaves no other trace",
                "the requests of the bot's key over the whole window (run record or venue record)",
            )
            return
        if not any(self._covers(source) for source in (own, told) if source is not None):
            seen = f"requests were recorded from {iso(usable.from_us)} to {iso(usable.to_us)}"
            self._docket.invalid("R8", seen, f"the whole window, {self._window}")

    def _covers(self, source: Source[Any]) -> bool:
        return source.from_us <= self._window.start_us and self._window.end_us <= source.to_us

    def _requests(self, source: Source[Request], until_us: int) -> None:
        window, begins_us = self._window, self._scene.bot_started_us
        acts = 0
        for request in source.rows:
            if request.action == READ or request.at_us > until_us:
                continue
            if request.at_us < window.start_us:
                if begins_us is None or request.at_us < begins_us or request.action in SETTING_UP:
                    continue
            elif request.at_us > window.end_us and request.action == CANCEL:
                continue  # winding down
            acts += 1
            told = {"00000": "accepted", "": "unanswered"}.get(request.code, f"refused with {request.code}")
            seen = f"the bot asked for {request.action} ({request.method} {request.path}), {told}, {iso(request.at_us)}"
            self._docket.fail("R8", seen, "no request that changes anything", request.client_id, key="request")
        self._docket.saw("R8", f"requests ({source.via}): {acts} that change something, of {len(source.rows)}")

    # R9

    def _fills(self) -> None:
        source = self._record.fills
        if source is None:
            return
        self._spans("R9", "fills", source)
        until_us, inside = self._until_us(source), 0
        for fill in source.rows:
            if self._window.start_us <= fill.at_us <= until_us:
                inside += 1
                seen = f"a fill at the venue: {fill.side} {plain(fill.size)} at {plain(fill.price)}, {iso(fill.at_us)}"
                self._docket.fail("R9", seen, "no fill in the window", f"trade {fill.trade_id}", key="venue fill")
        self._docket.saw("R9", f"fills: {inside} of {len(source.rows)} in the window")

    def _bills(self) -> None:
        source = self._record.bills
        if source is None:
            return
        self._spans("R9", "bills", source)
        until_us = self._until_us(source)
        for bill in source.rows:
            if not self._window.start_us <= bill.at_us <= until_us:
                continue
            seen = f"a bill of {bill.business_type}: {plain(bill.amount)} at {iso(bill.at_us)}"
            where = f"bill {bill.bill_id}"
            if bill.business_type.startswith(TRADES):
                self._docket.fail("R9", seen, "no bill of a trade in the window", where, key="trade bill")
            elif bill.business_type == FUNDING and self._scene.position == ZERO:
                self._docket.fail("R9", seen, "no funding on a flat account", where, key="funding bill")
            elif bill.business_type == FUNDING or bill.business_type.startswith(TRANSFERS):
                self._docket.note("R9", seen, proof=where)
            else:
                self._docket.invalid("R9", seen, "bills of known kinds", where, key="unknown bill")

    def _positions(self) -> None:
        source = self._record.positions
        if source is None:
            return
        window, declared = self._window, self._scene.position
        until_us = self._until_us(source)
        readings = sorted(source.rows, key=lambda reading: reading.at_us)
        own = [reading for reading in readings if reading.symbol == self._scene.symbol]
        before = [reading for reading in own if reading.at_us <= window.start_us]
        after = [reading for reading in own if reading.at_us >= window.end_us]
        self._docket.saw("R9", f"positions: {len(own)} readings")
        if not before or not after:
            when = "after" if before else "before"
            self._docket.invalid("R9", f"the position was not read {when} the window", "readings before and after it")
        judged = [*before[-1:], *(each for each in own if window.start_us < each.at_us <= until_us), *after[:1]]
        for earlier, later in pairwise(judged):
            if later.size != earlier.size:
                seen = f"the position moved from {plain(earlier.size)} to {plain(later.size)} by {iso(later.at_us)}"
                self._docket.fail("R9", seen, "the position at the start is the position at the end", key="position")
        if judged and judged[0].size != declared:
            seen = f"the window opened with a position of {plain(judged[0].size)} BTC"
            self._docket.invalid("R9", seen, f"the position that the plan declares, {plain(declared)} BTC")
        for reading in readings:
            foreign = reading.symbol != self._scene.symbol and reading.size != ZERO
            if foreign and window.start_us <= reading.at_us <= until_us:
                seen = f"a position of {plain(reading.size)} {reading.symbol} at {iso(reading.at_us)}"
                self._docket.fail("R9", seen, "no other position on the account", key="foreign position")

    def _settings(self) -> None:
        source = self._record.settings
        if source is None:
            return
        window, until_us = self._window, self._until_us(source)
        readings = sorted(source.rows, key=lambda reading: reading.at_us)
        before = [reading for reading in readings if reading.at_us <= window.start_us]
        after = [reading for reading in readings if reading.at_us >= window.end_us]
        if not before or not after:
            when = "after" if before else "before"
            self._docket.invalid("R9", f"the settings were not read {when} the window", "readings before and after it")
        inside = [reading for reading in readings if window.start_us < reading.at_us <= until_us]
        for earlier, later in pairwise([*before[-1:], *inside, *after[:1]]):
            was, became = (_settings_text(each) for each in (earlier, later))
            if was != became:
                seen = f"the settings became {became}, were {was}, by {iso(later.at_us)}"
                self._docket.fail("R9", seen, "no change of mode or leverage in the window", key="settings")


def _settings_text(reading: Any) -> str:
    return f"{reading.position_mode}, {reading.margin_mode}, leverage {reading.leverage}"
