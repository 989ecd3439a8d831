"""The promises of the envelope, and whether a profile can keep them at all."""

from pytest_bdd import parsers, then, when

from botproof.errors import Broken
from botproof.feasibility import Answer, Feasibility, judge_feasibility, suggest
from botproof.invariants.verdict import Outcome
from botproof.money import plain
from botproof.stage import Stage

from .tables import Table, number, rows


@when(parsers.parse("its feasibility is judged at {price} USDT"), target_fixture="feasibility")
def _(stage: Stage, price: str) -> Feasibility:
    return judge_feasibility(stage.known_profile, stage.rules(), number(price))


@then("no promise is broken")
def _(stage: Stage) -> None:
    for verdict in stage.finish().verdicts:
        if verdict.outcome is Outcome.BROKEN:
            raise Broken(f"{verdict.id} {verdict.promise}: {verdict.reason}")


@then(parsers.parse("promise {invariant} is BROKEN because {reason}"))
def _(stage: Stage, invariant: str, reason: str) -> None:
    stage.mention(invariant)
    verdict = stage.verdict(invariant)
    assert verdict.outcome is Outcome.BROKEN, f"{invariant} is {verdict.outcome}, not BROKEN: {verdict.reason}"
    assert reason in verdict.reason, f"{invariant} is BROKEN for another reason: {verdict.reason}"


@then("the arithmetic is:")
def _(feasibility: Feasibility, datatable: Table) -> None:
    wanted = rows(datatable, "side", "own price", "planned", "needed value")
    found = [
        {
            "side": str(order.side),
            "own price": plain(order.price),
            "planned": plain(order.size),
            "needed value": plain(order.needed_value_usdt),
        }
        for order in feasibility.orders
    ]
    assert found == wanted, f"the arithmetic is {found}"


@then("the profile is INFEASIBLE")
def _(feasibility: Feasibility) -> None:
    assert feasibility.verdict is Answer.INFEASIBLE, "\n".join(feasibility.lines())
    assert feasibility.reasons, "INFEASIBLE without a reason"


@then(parsers.parse("the smallest envelope that is FEASIBLE is {amount} USDT"))
def _(stage: Stage, feasibility: Feasibility, amount: str) -> None:
    smallest = suggest(stage.known_profile, stage.rules(), feasibility.price)
    assert smallest == number(amount), f"the smallest honest envelope is {smallest} USDT"


@then("these promises are held:")
def _(stage: Stage, datatable: Table) -> None:
    for row in rows(datatable, "promise", "about"):
        stage.require_held(row["promise"])


@then("these promises are NOT SHOWN:")
def _(stage: Stage, datatable: Table) -> None:
    for row in rows(datatable, "promise", "about"):
        verdict = stage.verdict(row["promise"])
        assert verdict.outcome is Outcome.NOT_SHOWN, f"{verdict.id} is {verdict.outcome}: {verdict.reason}"
