"""The bot's own files against the venue's record."""

from pytest_bdd import then

from botproof.errors import Broken
from botproof.events import BotSample
from botproof.invariants.catalogue import FILES_AGREE
from botproof.stage import Stage

from .tables import Table, pairs


@then("every row of minute.csv has:")
def _(stage: Stage, datatable: Table) -> None:
    samples = [fact.row for fact in stage.finish().facts if isinstance(fact, BotSample)]
    stage.require_rows(samples)
    for row in samples:
        for column, value in pairs(datatable).items():
            if row.get(column) != value:
                raise Broken(f"minute.csv at {row.get('ts')}: {column} is {row.get(column)!r}, expected {value!r}")


@then("the bot's files agree with the venue")
def _(stage: Stage) -> None:
    for invariant in FILES_AGREE:
        stage.require_held(invariant)
