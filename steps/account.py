"""The account, and what the venue saw of it."""

from decimal import Decimal

from pytest_bdd import given, parsers, then

from botproof.events import Side
from botproof.stage import Stage

from .tables import Table, amount_fits, pairs

DISTANCE = Decimal("0.02")  # an order this far from mid is not touched within a window


@given(parsers.parse("a flat account of {amount} USDT"))
def _(stage: Stage, amount: str) -> None:
    stage.open_account(Decimal(amount))


@given(parsers.parse("a resting {side} order of an earlier run of the bot"), target_fixture="resting")
def _(stage: Stage, side: str) -> str:
    return stage.venue.place_resting(f"{stage.known_profile.instance_name}-earlier-1", Side(side), DISTANCE)


@given(parsers.parse("a resting {side} order of somebody else"), target_fixture="resting")
def _(stage: Stage, side: str) -> str:
    return stage.venue.place_resting("desk-by-hand-7", Side(side), DISTANCE)


@then("nothing of the bot reaches the venue")
def _(stage: Stage) -> None:
    _compare(stage, {})


@then("the account is flat")
def _(stage: Stage) -> None:
    assert stage.venue.position() == 0, f"the account holds {stage.venue.position()} BTC"


@then("the resting order is gone")
def _(stage: Stage, resting: str) -> None:
    assert resting not in stage.venue.open_order_ids(), f"order {resting} still rests at the venue"


@then("the resting order is still open")
def _(stage: Stage, resting: str) -> None:
    assert resting in stage.venue.open_order_ids(), f"order {resting} is not open any more"


@then("the venue saw:")
def _(stage: Stage, datatable: Table) -> None:
    _compare(stage, pairs(datatable))


def _compare(stage: Stage, wanted: dict[str, str]) -> None:
    """Every effect is in the table, or it is zero."""
    seen = stage.effects()
    unknown = sorted(set(wanted) - set(seen))
    assert not unknown, f"the venue counts {sorted(seen)}; it does not know {unknown}"
    for effect, count in seen.items():
        expected = wanted.get(effect, "0")
        assert amount_fits(count, expected), f"expected {expected} {effect}, the venue saw {count} (all: {seen})"
