"""What an order is: as it was asked for, and as the venue shows it. Where the two differ, the venue is believed.

The venue cuts a reduce-only order to the position, so a smaller size of such an order is no difference. A market order
has no price of its own. What a request leaves out cannot be read, and is a difference of its own (`unreadable`).
"""

from botproof.events import FillSeen, OrderSeen, OrderType, RequestSent
from botproof.money import plain

Shaped = RequestSent | OrderSeen
"""Both have side, type, price, size and reduce-only."""


def is_market(order: Shaped | FillSeen) -> bool:
    """Whether it takes any price."""
    return order.price is None or (not isinstance(order, FillSeen) and order.order_type is OrderType.MARKET)


def unreadable(sent: RequestSent) -> str:
    """What of an order cannot be read in the request for it; empty where all can."""
    if sent.side is None:
        return "side"
    if sent.order_type is None:
        return "type"
    if sent.size is None:
        return "size"
    return "price" if sent.price is None and sent.order_type is not OrderType.MARKET else ""


def difference(first: Shaped, seen: Shaped | FillSeen) -> str:
    """In what `seen` is another order than `first`: "size 0.005 instead of 0.0001"; empty where it is the same one."""
    if first.side is not seen.side:
        return f"side {seen.side} instead of {first.side}"
    if isinstance(seen, FillSeen):
        return ""
    if is_market(first) != is_market(seen):
        return f"type {_type(seen)} instead of {_type(first)}"
    if not is_market(first) and first.price != seen.price:
        return f"price {_text(seen)} instead of {_text(first)}"
    if first.reduce_only != seen.reduce_only:
        return "not reduce-only" if first.reduce_only else "reduce-only"
    if first.size is None or seen.size is None or first.size == seen.size:
        return ""
    cut = first.reduce_only and seen.size < first.size
    return "" if cut else f"size {plain(seen.size)} instead of {plain(first.size)}"


def _type(order: Shaped) -> OrderType:
    return OrderType.MARKET if is_market(order) else OrderType.LIMIT


def _text(order: Shaped) -> str:
    return "" if order.price is None else plain(order.price)
