"""The bot's own files against the venue's record."""

from pytest_bdd import then

from botproof.errors import Broken
from botproof.events import BotSample
from botproof.stage import Stage

from .tables import Table, pairs

IDENTITIES = ("C1", "C8", "C10")  # grows as the folds land


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
    for invariant in IDENTITIES:
        stage.require_held(invariant)
