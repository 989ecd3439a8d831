"""The account, and what the venue saw of it."""

from collections import defaultdict
from decimal import Decimal

from pytest_bdd import given, parsers, then

from botproof.errors import NotShown
from botproof.events import FillSeen, FundingSettled, Side
from botproof.invariants.effects import holding_times_us, unexpected_refusals
from botproof.stage import Stage

from .tables import Table, count_fits, number, pairs, word

SIDES = {side.value: side for side in Side}
DIRECTIONS = {"long": 1, "short": -1}
DISTANCE = Decimal("0.02")  # an order this far from mid is not touched within a window


@given(parsers.parse("a flat account of {amount} USDT"))
def _(stage: Stage, amount: str) -> None:
    stage.open_account(number(amount))


@given(parsers.parse("a resting {side} order of an earlier run of the bot"), target_fixture="resting")
def _(stage: Stage, side: str) -> str:
    return stage.venue.place_resting(f"{stage.known_profile.instance_name}-earlier-1", word(side, SIDES), DISTANCE)


@given(parsers.parse("a resting {side} order of somebody else"), target_fixture="resting")
def _(stage: Stage, side: str) -> str:
    return stage.venue.place_resting("desk-by-hand-7", word(side, SIDES), DISTANCE)


@given(parsers.parse("the account is {direction} {size} BTC, as the plan declares"))
def _(stage: Stage, direction: str, size: str) -> None:
    stage.hold(word(direction, DIRECTIONS) * number(size), is_declared=True)


@given(parsers.parse("the account is {direction} {size} BTC, which the plan does not declare"))
def _(stage: Stage, direction: str, size: str) -> None:
    stage.hold(word(direction, DIRECTIONS) * number(size), is_declared=False)


@then(parsers.parse("an order was filled at {count:d} prices or more"))
def _(stage: Stage, count: int) -> None:
    prices: defaultdict[str, set[Decimal]] = defaultdict(set)
    for fact in stage.finish().facts:
        if isinstance(fact, FillSeen):
            prices[fact.order_id].add(fact.price)
    most = max(map(len, prices.values()), default=0)
    assert most >= count, f"no order was filled at more than {most} prices"


@then(parsers.parse("every position is closed within {seconds} s of its opening"))
def _(stage: Stage, seconds: str) -> None:
    times_us = holding_times_us(stage.finish().facts)
    if not times_us:
        raise NotShown("no position was opened and closed")
    assert max(times_us) <= number(seconds) * 1_000_000, f"a position was held for {max(times_us) / 1_000_000} s"


@then(parsers.parse("funding of {amount} USDT was {way}"))
def _(stage: Stage, amount: str, way: str) -> None:
    """To the decimals of the text; a mark is never known to the last of them."""
    expected = word(way, {"paid": -1, "received": 1}) * number(amount)
    settled = {fact.amount_usdt.quantize(expected) for fact in stage.finish().facts if isinstance(fact, FundingSettled)}
    assert settled == {expected}, f"settled were {sorted(settled)}"


@then("the account is flat")
def _(stage: Stage) -> None:
    assert stage.position() == 0, f"the account holds {stage.position()} BTC"


@then(parsers.parse("the account is still {direction} {size} BTC"))
def _(stage: Stage, direction: str, size: str) -> None:
    expected = word(direction, DIRECTIONS) * number(size)
    assert stage.position() == expected, f"the account holds {stage.position()} BTC, not {expected}"


@then("the resting order is gone")
def _(stage: Stage, resting: str) -> None:
    assert resting not in stage.open_order_ids(), f"order {resting} still rests at the venue"


@then("the resting order is still open")
def _(stage: Stage, resting: str) -> None:
    assert resting in stage.open_order_ids(), f"order {resting} is not open any more"


@then(parsers.parse("the venue refused requests of the bot with {code}"))
def _(stage: Stage, code: str) -> None:
    refused = {fact.code for fact in unexpected_refusals(stage.finish().facts)}
    stage.mention(code)
    assert code in refused, f"the venue refused with {sorted(refused) or 'nothing'}"


@then("the venue saw:")
def _(stage: Stage, datatable: Table) -> None:
    """Every effect is in the table, or it is zero."""
    wanted, seen = pairs(datatable), stage.effects()
    unknown = sorted(set(wanted) - set(seen))
    assert not unknown, f"expected effects out of {sorted(seen)}, found {unknown}"
    for effect, count in seen.items():
        expected = wanted.get(effect, "0")
        assert count_fits(count, expected), f"expected {expected} {effect}, the venue saw {count} (all: {seen})"
