"""The fixture behind the steps: exchanges carried, and seeds run, in this process, and compared there."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING

import pytest

from botproof.errors import HarnessError
from botproof.evidence.attachments import attach_text

if TYPE_CHECKING:
    from botproof.conformance.cadences import Pair
    from botproof.conformance.transcript import Transcript

BY_FUNCTION = "function"


class Conformance:
    """What the steps ask; an exchange is carried each way once a process, and a seed run once."""

    def carry(self, way: str) -> str:
        """Carry the scripted exchange, put it into the report, and give its digest."""
        carried = _carried(way)
        attach_text(f"exchange by {way}: {carried.digest}", carried.table(), "csv")
        return carried.digest

    def difference(self, way: str) -> str:
        """Where the exchange carried this way parts from the one by function; empty where they are equal."""
        from botproof.conformance.transcript import first_difference

        return first_difference(_carried(BY_FUNCTION).entries, _carried(way).entries)

    def counts(self, way: str) -> Mapping[str, int]:
        """How much of each kind the exchange carried this way brought back."""
        return _carried(way).counts

    def run_seeds(self, seeds: Iterable[int]) -> "list[Pair]":
        """Run each seed under both cadences, and put what they showed into the report."""
        from botproof.conformance.cadences import pair, pair_table

        pairs = [pair(seed) for seed in seeds]
        attach_text("verdicts under both cadences", pair_table(pairs), "csv")
        return pairs


@cache
def _carried(way: str) -> "Transcript":
    from botproof.conformance.carriers import WAYS
    from botproof.conformance.exchange import carry

    if way not in WAYS:
        raise HarnessError(f"expected one of {', '.join(WAYS)}, found {way!r}")
    return carry(WAYS[way])


@pytest.fixture
def conformance() -> Conformance:
    """Carries the scripted exchange, runs seeds under both cadences, and compares."""
    return Conformance()
