"""The fake itself: is it one venue, however it is met and however often it pushes?"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from pytest_bdd import parsers, then, when

from .tables import Table, count_fits, pairs


class Pair(Protocol):
    """What one seed showed under both cadences."""

    @property
    def difference(self) -> str: ...
    @property
    def entries_filled(self) -> int: ...


class Conformance(Protocol):
    """Carries the scripted exchange, runs seeds under both cadences, and compares."""

    def carry(self, way: str) -> str: ...
    def difference(self, way: str) -> str: ...
    def counts(self, way: str) -> Mapping[str, int]: ...
    def run_seeds(self, seeds: Sequence[int]) -> Sequence[Pair]: ...


@when(parsers.parse("seeds {first:d} to {last:d} are run under both cadences"), target_fixture="seeds_run")
def _(conformance: Conformance, first: int, last: int) -> Sequence[Pair]:
    return conformance.run_seeds(range(first, last + 1))


@when(parsers.parse("the scripted exchange is carried by {way}"), target_fixture="way")
def _(conformance: Conformance, way: str) -> str:
    conformance.carry(way)
    return way


@then(parsers.parse("at least {count:d} entries were filled under each cadence"))
def _(seeds_run: Sequence[Pair], count: int) -> None:
    filled = sum(pair.entries_filled for pair in seeds_run)
    assert filled >= count, f"only {filled} entries were filled: too little was exercised"


@then("both cadences come to the same verdicts")
def _(seeds_run: Sequence[Pair]) -> None:
    differences = [pair.difference for pair in seeds_run if pair.difference]
    assert not differences, "\n".join(differences)


@then("every byte is the one that the function gives")
def _(conformance: Conformance, way: str) -> None:
    difference = conformance.difference(way)
    assert not difference, f"by {way} {difference}"


@then("the exchange brought back:")
def _(conformance: Conformance, way: str, datatable: Table) -> None:
    counts = conformance.counts(way)
    for kind, expected in pairs(datatable).items():
        assert count_fits(counts.get(kind, 0), expected), f"{kind}: expected {expected}, found {counts.get(kind, 0)}"
