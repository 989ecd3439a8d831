"""The bot's own files against the venue's record."""

from pytest_bdd import parsers, then

from botproof.errors import Broken, NotShown
from botproof.events import BotSample
from botproof.invariants.catalogue import FILES_AGREE
from botproof.notrade.answer import Answer, Judgement
from botproof.stage import Stage

from .tables import Table, pairs, word

ANSWERS = {"FAIL": Answer.FAIL, "INVALID": Answer.INVALID}


@then("every row of minute.csv has:")
def _(stage: Stage, datatable: Table) -> None:
    stage.require_rows()
    for row in (fact.row for fact in stage.facts if isinstance(fact, BotSample)):
        for column, value in pairs(datatable).items():
            if row.get(column) != value:
                raise Broken(f"minute.csv at {row.get('ts')}: {column} is {row.get(column)!r}, expected {value!r}")


@then("the bot's files agree with the venue")
def _(stage: Stage) -> None:
    for invariant in FILES_AGREE:
        stage.require_held(invariant)


@then("the no-trade judge says PASS")
def _(stage: Stage) -> None:
    judgement = stage.no_trade_judgement()
    if judgement.answer is not Answer.PASS:
        raise (Broken if judgement.answer is Answer.FAIL else NotShown)(_told(judgement))


@then(parsers.parse("the no-trade judge says {answer} because {reason}"))
def _(stage: Stage, answer: str, reason: str) -> None:
    judgement = stage.no_trade_judgement()
    assert judgement.answer == word(answer, ANSWERS), _told(judgement)
    assert reason in _told(judgement), _told(judgement)


def _told(judgement: Judgement) -> str:
    reasons = [f"{finding.rule} {finding.answer}: {finding.text()}" for finding in judgement.reasons()]
    return "\n".join([f"the no-trade judge says {judgement.answer}", *reasons])
