"""R11: would the judge have seen it? Both halves.

The first half asks the same judge about the same record with one fill put into it, and with one order that was placed
and cancelled in the middle of the window: each must turn it to FAIL. The second half is about the queries: the same
key, account and endpoints must have returned orders that an earlier run of the closure is known to have placed, one of
them cancelled unfilled. A query that cannot return a cancelled order proves nothing by returning none.

On live, INVALID without both. The fake answers for itself, so there the second half is a note.
"""

from dataclasses import replace
from decimal import Decimal

from botproof.money import ZERO
from botproof.notrade.answer import Answer, Docket
from botproof.notrade.record import PastFill, PastOrder, VenueRecord
from botproof.notrade.venue import Scene, VenueJudge

PLANTED = "injected by the judge"
REAL = ("live", "demo")
_CANCELED = ("canceled", "cancelled")


class Sensitivity:
    """Both halves, over one record."""

    def __init__(self, record: VenueRecord | None, scene: Scene | None, docket: Docket) -> None:
        self._record, self._scene, self._docket = record, scene, docket

    def judge(self) -> None:
        """Plant, judge again, then look for the known orders."""
        record, scene = self._record, self._scene
        if record is None or scene is None:
            self._docket.invalid("R11", "no venue record in which a fill could be planted", "a judge that has seen one")
            return
        for name, planted in (("fill", _with_fill(record, scene)), ("order", _with_order(record, scene))):
            if planted is None or not _is_seen(planted, scene):
                self._docket.invalid("R11", f"one injected {name} does not turn the verdict", "FAIL with it")
            else:
                self._docket.saw("R11", f"one injected {name}: FAIL")
        self._known_orders(record, scene)

    def _known_orders(self, record: VenueRecord, scene: Scene) -> None:
        returned = {order.order_id: order for order in record.orders.rows} if record.orders else {}
        known = [order.order_id for order in record.known_orders]
        lost = [order_id for order_id in known if order_id not in returned]
        earlier = [
            returned[order_id]
            for order_id in known
            if order_id in returned and returned[order_id].created_us < scene.window.start_us
        ]
        unfilled = [order for order in earlier if order.state in _CANCELED and order.filled == ZERO]
        if lost:
            seen = f"the venue's queries did not return {len(lost)} of {len(known)} known orders"
            self._docket.invalid("R11", seen, "every known order of the closure", ", ".join(lost[:3]))
        elif earlier and unfilled:
            self._docket.saw("R11", f"{len(earlier)} known orders returned, {len(unfilled)} of them cancelled unfilled")
        else:
            seen = "the venue's queries have returned no known order of this closure that was cancelled unfilled"
            required = "known orders of an earlier run over the same queries, key and account"
            if record.venue in REAL:
                self._docket.invalid("R11", seen, required)
            else:
                self._docket.note("R11", f"{seen}; on live that alone makes it INVALID")


def _is_seen(record: VenueRecord, scene: Scene) -> bool:
    docket = Docket()
    VenueJudge(record, scene, docket).judge()
    return any(PLANTED in proof for finding in docket.found(Answer.FAIL) for proof in finding.proof)


def _with_fill(record: VenueRecord, scene: Scene) -> VenueRecord | None:
    if record.fills is None:
        return None
    fill = PastFill(
        trade_id=PLANTED,
        order_id=PLANTED,
        symbol=scene.symbol,
        side="buy",
        price=Decimal(1),
        size=Decimal(1),
        at_us=_middle(scene),
    )
    return replace(record, fills=replace(record.fills, rows=(fill, *record.fills.rows)))


def _with_order(record: VenueRecord, scene: Scene) -> VenueRecord | None:
    if record.orders is None:
        return None
    order = PastOrder(
        order_id=PLANTED,
        client_id="",
        symbol=scene.symbol,
        side="buy",
        size=Decimal(1),
        filled=ZERO,
        state="canceled",
        created_us=_middle(scene),
        updated_us=_middle(scene),
    )
    return replace(record, orders=replace(record.orders, rows=(order, *record.orders.rows)))


def _middle(scene: Scene) -> int:
    return (scene.window.start_us + scene.window.end_us) // 2
