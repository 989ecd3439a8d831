"""Which orders the bot asked to cancel: what the venue or somebody else ended is no cancel of the bot."""

from collections.abc import Iterable

from botproof.events import Action, Fact, RequestAnswered, RequestSent, Source
from botproof.invariants.ledger import Life


class Cancels:
    """Collects the requests to cancel an order, by either of its names. Of a batch nobody can say which it touched."""

    hears: frozenset[type[Fact]] = frozenset({RequestSent, RequestAnswered})

    def __init__(self) -> None:
        self._sent: dict[tuple[Source, int], RequestSent] = {}
        self._refused: set[tuple[Source, int]] = set()

    def see(self, fact: Fact) -> None:
        match fact:
            case RequestSent(action=Action.CANCEL):
                self._sent.setdefault((fact.src, fact.request), fact)
            case RequestAnswered() if not (fact.accepted or fact.leaves_unknown):
                self._refused.add((fact.src, fact.request))

    def asked(self, lives: Iterable[Life], *, granted: bool = False) -> set[Life]:
        """Those of `lives` that a request named; with `granted` one that the venue did not refuse."""
        sent = [sent for key, sent in self._sent.items() if not (granted and key in self._refused)]
        named = {name for one in sent for name in (one.order_id, one.client_id) if name}
        return {life for life in lives if not named.isdisjoint(_names(life))}


def _names(life: Life) -> set[str]:
    return {life.order_id, life.shown.client_id if life.shown else "", *(sent.client_id for sent in life.sent)}
