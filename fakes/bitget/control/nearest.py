"""Asking the journal: the calls that fit, and where none does, the one that came closest and what differed.

Closest is a sum over what was asked for: a path counts by its likeness, everything else as one where it differs, a
parameter that is missing as two. Of several that are equally close the latest is shown.
"""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from botproof.errors import VenueError

from ..ask import Params
from ..journal import Call

TEXTS = ("method", "path", "api_key", "account", "code", "order_id", "client_id", "fate")
LOOKED_AT_MAX = 500  # calls of which the closest is sought: the newest
_PATH_POINTS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a call should be: some of its texts by name, its HTTP status, and some of its parameters."""

    texts: Mapping[str, str] = field(default_factory=dict)
    status: int | None = None
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Difference:
    """One point in which a call is not what was asked for; `found` is None where the call has nothing there."""

    what: str
    expected: str
    found: str | None

    @property
    def distance(self) -> int:
        if self.what == "path":
            return 1 + int(_PATH_POINTS * (1 - _likeness(self.expected, self.found or "")))
        return 2 if self.found is None else 1


def fits(wanted: Wanted, call: Call) -> bool:
    """Whether a call is what was asked for; the first difference settles it."""
    return next(_differences(wanted, call), None) is None


def differences(wanted: Wanted, call: Call) -> list[Difference]:
    """In which points a call is not what was asked for; none where it fits."""
    return list(_differences(wanted, call))


def nearest(wanted: Wanted, calls: Sequence[Call]) -> dict[str, Any] | None:
    """The closest of some calls and what differs; None where there is no call at all."""
    found = [(sum(each.distance for each in differences(wanted, call)), -call.n, call) for call in calls]
    if not found:
        return None
    _, _, call = min(found)
    return {"call": call, "differs": differences(wanted, call)}


def _differences(wanted: Wanted, call: Call) -> Iterator[Difference]:
    for name, expected in wanted.texts.items():
        found = str(getattr(call, name))
        if found != expected:
            yield Difference(name, expected, found)
    if wanted.status is not None and wanted.status != call.status:
        yield Difference("status", str(wanted.status), str(call.status))
    asked = _params(call) if wanted.params else {}
    for name, expected in wanted.params.items():
        if asked.get(name) != expected:
            yield Difference(f"params.{name}", expected, asked.get(name))


def _params(call: Call) -> Mapping[str, str]:
    """The parameters of a call, out of its query or its body, as far as they can be read."""
    try:
        body = Params.of_body(call.body.encode("utf-8", "replace")) if call.body else Params({})
    except VenueError:
        body = Params({})
    return {**Params.of_query(call.query), **body}


@lru_cache(4_096)
def _likeness(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, one[:300], other[:300]).ratio()
