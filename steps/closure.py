"""What the rollout may claim after all this."""

from pytest_bdd import parsers, then, when

from botproof.closure import Closure
from botproof.stage import Stage

from .tables import Table, rows


@when("the closure is computed", target_fixture="closure")
def _(stage: Stage) -> Closure:
    return stage.closure()


@then("it is missing:")
def _(closure: Closure, datatable: Table) -> None:
    """Every missing item is in the table, and what is in it is missing."""
    missing = {item.id: item.reason for item in closure.missing}
    wanted = {row["item"]: row["because"] for row in rows(datatable, "item", "because")}
    assert set(wanted) == set(missing), f"missing are {sorted(missing)}"
    for item, reason in wanted.items():
        assert reason in missing[item], f"{item} is missing because: {missing[item]}"


@then(parsers.parse("the closure status is {status}"))
def _(closure: Closure, status: str) -> None:
    assert closure.status == status, f"the closure status is {closure.status}"
