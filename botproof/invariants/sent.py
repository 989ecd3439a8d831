"""Requests as they were sent: each once, whatever is written twice, and in the words of an operator."""

from decimal import Decimal

from botproof.events import RequestSent, Source
from botproof.invariants.shape import is_market
from botproof.money import plain


class Once:
    """Tells a request from a line that repeats it."""

    def __init__(self) -> None:
        self._known: set[tuple[Source, int]] = set()

    def is_new(self, sent: RequestSent) -> bool:
        """Whether this is the first line about the request; the next one about it is not."""
        request = (sent.src, sent.request)
        if request in self._known:
            return False
        self._known.add(request)
        return True


def value_usdt(sent: RequestSent, mark: Decimal | None) -> Decimal | None:
    """Own price x size, a market order at `mark`; None where either is missing."""
    price = mark if is_market(sent) else sent.price
    return None if price is None or sent.size is None else price * sent.size


def describe(sent: RequestSent) -> str:
    """An order that was asked for: "entry buy bot1-r1-1 67263.7 x 0.0001"."""
    kind = "exit" if sent.reduce_only else "entry"
    price = "at market" if sent.price is None else plain(sent.price)
    size = "no size" if sent.size is None else plain(sent.size)
    return f"{kind} {sent.side or ''} {sent.client_id} {price} x {size}"
