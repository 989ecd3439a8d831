"""What the venue saw of a bot, counted from the tape: a table of effects is complete, so what is not listed is zero."""

from collections.abc import Iterable, Mapping

from botproof.events import (
    Action,
    Fact,
    FillSeen,
    FundingSettled,
    OrderSeen,
    OrderType,
    RequestAnswered,
    RequestSent,
    Source,
)
from botproof.invariants.ledger import NO_SUCH_ORDER
from botproof.money import ZERO

ORDER_GONE, POSITION_GONE = "43001", "22002"
RACE_US = 5_000_000
SETTINGS = (Action.SET_LEVERAGE, Action.SET_POSITION_MODE, Action.SET_MARGIN_MODE)


def effects(facts: Iterable[Fact], prefix: str) -> Mapping[str, int]:
    """Counts of the bot's doings: its requests by the tap, its orders by the venue.

    An order is the bot's when its own request was answered with that id, or when its client id begins with `prefix`.
    """
    tape = list(facts)
    sent = [fact for fact in tape if isinstance(fact, RequestSent) and fact.src is Source.TAP]
    changing = {fact.request for fact in sent if fact.changes_something}
    refused = [fact for fact in tape if isinstance(fact, RequestAnswered) and _refuses(fact)]
    placed = {fact.request for fact in sent if fact.action is Action.PLACE}
    own = {fact.order_id for fact in tape if isinstance(fact, RequestAnswered) and fact.request in placed}
    orders = {
        fact.order_id: fact
        for fact in tape
        if isinstance(fact, OrderSeen) and (fact.order_id in own or fact.client_id.startswith(prefix))
    }
    filled = {fact.order_id for fact in tape if isinstance(fact, FillSeen)} & set(orders)
    exits = {order_id for order_id in filled if orders[order_id].reduce_only}
    return {
        "orders placed": len(orders),
        "entries filled": len(filled - exits),
        "limit exits filled": sum(orders[order_id].order_type is OrderType.LIMIT for order_id in exits),
        "market exits filled": sum(orders[order_id].order_type is OrderType.MARKET for order_id in exits),
        "orders left open": sum(order.state.is_open for order in orders.values()),
        "cancels sent": sum(fact.action is Action.CANCEL for fact in sent),
        "settings changed": sum(fact.action in SETTINGS for fact in sent),
        "other changes asked": sum(fact.action is Action.OTHER and fact.changes_something for fact in sent),
        "requests refused": sum(fact.request in changing for fact in refused),
        "fundings settled": len({fact.t_venue_us for fact in tape if isinstance(fact, FundingSettled)}),
    }


def holding_times_us(facts: Iterable[Fact]) -> list[int]:
    """How long each net position was held, by the venue's fills: from the one that opened it to the one that closed it.

    A position that is still open, or was there before, has no time of its own and is left out.
    """
    held, opened_us, times = ZERO, 0, []
    fills = {fact.trade_id: fact for fact in facts if isinstance(fact, FillSeen)}
    for fill in sorted(fills.values(), key=lambda fill: (fill.t_venue_us or fill.t_local_us, fill.seq)):
        at_us = fill.t_venue_us or fill.t_local_us
        before, held = held, held + fill.side.sign * fill.size
        if before * held <= 0:
            times += [at_us - opened_us] if before else []
            opened_us = at_us
    return times


def unexpected_refusals(facts: Iterable[Fact]) -> list[RequestAnswered]:
    """Refusals that no correct bot expects.

    Three are the lot of a careful bot in a race and are left out: a cancel of an order that has ended meanwhile
    (43001), an exit of a position that is gone (22002) within `RACE_US` of a fill, and a look-up that does not find an
    order which the venue had not shown: it was lost on its way, or a former start of the bot never sent it.
    """
    tape = list(facts)
    sent = {fact.request: fact for fact in tape if isinstance(fact, RequestSent)}
    ended = {name for fact in tape if isinstance(fact, OrderSeen) and not fact.state.is_open for name in _names(fact)}
    first_us: dict[str, int] = {}  # by name: when the venue showed the order first
    for fact in tape:
        for name in _names(fact) if isinstance(fact, OrderSeen) else ():
            first_us.setdefault(name, fact.t_local_us)
    filled_us = [fact.t_venue_us or fact.t_local_us for fact in tape if isinstance(fact, FillSeen)]

    def is_race(answer: RequestAnswered) -> bool:
        request = sent.get(answer.request)
        if request is None:
            return False
        if answer.code == ORDER_GONE and request.action is Action.CANCEL:
            return bool({request.order_id, request.client_id} & ended)
        if answer.code in NO_SUCH_ORDER and request.action is Action.READ:
            shown_us = (first_us.get(name) for name in (request.order_id, request.client_id))
            return all(at_us is None or at_us > answer.t_local_us for at_us in shown_us)
        near = any(abs(answer.t_local_us - at_us) <= RACE_US for at_us in filled_us)
        return answer.code == POSITION_GONE and request.is_exit and near

    return [fact for fact in tape if isinstance(fact, RequestAnswered) and _refuses(fact) and not is_race(fact)]


def server_faults(facts: Iterable[Fact]) -> list[RequestAnswered]:
    """Answers of a server that failed: they refuse nothing, and whether the venue acted is not known from them."""
    return [fact for fact in facts if isinstance(fact, RequestAnswered) and fact.leaves_unknown]


def foreign_names(facts: Iterable[Fact], prefix: str) -> list[str]:
    """Client ids under which the bot placed orders although they do not begin with its prefix."""
    sent = [fact for fact in facts if isinstance(fact, RequestSent) and fact.action is Action.PLACE]
    return sorted({fact.client_id for fact in sent if not fact.client_id.startswith(prefix)})


def _refuses(answer: RequestAnswered) -> bool:
    return not (answer.accepted or answer.leaves_unknown)


def _names(order: OrderSeen) -> set[str]:
    return {order.order_id, order.client_id} - {""}
