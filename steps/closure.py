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
    missing = {item.id: item.reason for item in closure.missing}
    for row in rows(datatable, "item", "because"):
        assert row["item"] in missing, f"{row['item']} is not missing; missing are {sorted(missing)}"
        assert row["because"] in missing[row["item"]], f"{row['item']} is missing because: {missing[row['item']]}"


@then(parsers.parse("the closure status is {status}"))
def _(closure: Closure, status: str) -> None:
    assert closure.status == status, f"the closure status is {closure.status}"
