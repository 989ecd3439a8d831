"""E3 at its edges: which exits close what is held, and what an order is worth."""

from dataclasses import replace
from decimal import Decimal

import pytest
from streams import EPOCH_US, MICRO_CAP, Moment, Stream, micro_cap_run, verdict_of, without

from botproof.events import Fact, FillSeen, PositionSeen, RequestSent, Side, TopOfBook
from botproof.invariants.verdict import Outcome, Verdict

WIDE = replace(MICRO_CAP, total_amount_quote=Decimal(1000))
DEAR = "60000"
"""At this price 0.002 BTC are worth 120 USDT, above the cap of 100; at the mark of these runs they are worth 98."""


def cheap(fact: Fact) -> Fact:
    """A market at 49,000 USDT."""
    if isinstance(fact, TopOfBook):
        return replace(fact, mark=Decimal(49000))
    return replace(fact, mark_price=Decimal(49000)) if isinstance(fact, PositionSeen) else fact


def judged(passage: Moment) -> Verdict:
    facts = micro_cap_run(WIDE, flat=passage, trades=False)
    return verdict_of("E3", without(map(cheap, facts), lambda _: False), WIDE)


def held(stream: Stream, side: Side, *sizes: str) -> None:
    for size in sizes:
        stream.fill(stream.place(side, "49000", size), size)


def refused(stream: Stream, side: Side | None, price: str | None, size: str, **fields: object) -> None:
    order = stream.send(side or Side.BUY, price, size, **({"exits": True} | fields))  # type: ignore[arg-type]
    stream.wait("0.02").answer(order.request, code="40762")


def out(stream: Stream, side: Side, size: str) -> None:
    stream.fill(stream.place(side, "49000", size, exits=True), size)


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("sizes", [("0.002",), ("0.001", "0.001"), ("0.001", "0.0005", "0.0005")])
def test_an_exit_of_all_that_was_ever_held_is_no_order_of_its_own_however_dear(
    side: Side, sizes: tuple[str, ...]
) -> None:
    def passage(stream: Stream) -> None:
        held(stream, side, *sizes)
        refused(stream, side.opposite, DEAR, "0.002")
        out(stream, side.opposite, "0.002")

    assert judged(passage).outcome is Outcome.HELD


@pytest.mark.parametrize(("exits", "size"), [(True, "0.0020001"), (False, "0.002")])
def test_a_larger_exit_and_an_entry_of_that_size_are_judged_by_their_price(exits: bool, size: str) -> None:
    def passage(stream: Stream) -> None:
        held(stream, Side.BUY, "0.002")
        refused(stream, Side.SELL, DEAR, size, exits=exits)
        out(stream, Side.SELL, "0.002")

    verdict = judged(passage)
    assert verdict.outcome is Outcome.BROKEN
    assert f"{DEAR} x {size} at " in verdict.reason
    assert "above the desk cap 100.00" in verdict.reason


def test_a_long_excuses_no_exit_of_a_short() -> None:
    def passage(stream: Stream) -> None:
        held(stream, Side.BUY, "0.002")
        refused(stream, Side.BUY, DEAR, "0.002")
        out(stream, Side.SELL, "0.002")

    assert "exit buy" in judged(passage).reason


def test_what_was_filled_before_the_preflight_is_no_position_of_the_run() -> None:
    def passage(stream: Stream) -> None:
        held(stream, Side.BUY, "0.002")
        stream.position = Decimal(0)
        refused(stream, Side.SELL, DEAR, "0.002")

    facts = [cheap(fact) for fact in micro_cap_run(WIDE, flat=passage, trades=False)]
    entry = next(fact.request for fact in facts if isinstance(fact, RequestSent) and fact.is_entry)
    told = [
        replace(f, t_venue_us=EPOCH_US - 1) if isinstance(f, FillSeen) else f
        for f in facts
        if getattr(f, "request", None) != entry and not (isinstance(f, PositionSeen) and f.size)
    ]
    verdict = verdict_of("E3", without(told, lambda _: False), WIDE)
    assert f"{DEAR} x 0.002" in verdict.reason


def test_an_exit_whose_side_cannot_be_read_is_judged_by_its_price() -> None:
    def passage(stream: Stream) -> None:
        held(stream, Side.BUY, "0.002")
        refused(stream, Side.SELL, DEAR, "0.002", client_id="odd")
        out(stream, Side.SELL, "0.002")

    facts = [cheap(fact) for fact in micro_cap_run(WIDE, flat=passage, trades=False)]
    told = [replace(f, side=None) if isinstance(f, RequestSent) and f.client_id == "odd" else f for f in facts]
    verdict = verdict_of("E3", without(told, lambda _: False), WIDE)
    assert (verdict.outcome, "exit" in verdict.reason) == (Outcome.BROKEN, True)


def test_an_entry_at_market_is_worth_the_mark_and_more_than_the_cap_breaks_it_twice() -> None:
    def passage(stream: Stream, size: str) -> None:
        refused(stream, Side.BUY, None, size, exits=False)

    assert judged(lambda stream: passage(stream, "0.002")).outcome is Outcome.HELD
    verdict = judged(lambda stream: passage(stream, "0.0021"))
    assert (verdict.outcome, len(verdict.proof)) == (Outcome.BROKEN, 2)  # as an order, and as exposure
    assert "worth 102.90 USDT, above the desk cap 100.00" in verdict.reason


def test_an_order_at_market_on_another_symbol_cannot_be_valued() -> None:
    verdict = judged(lambda stream: refused(stream, Side.BUY, None, "9", exits=False, symbol="ETHUSDT"))
    assert (verdict.outcome, "cannot be valued" in verdict.reason) == (Outcome.NOT_SHOWN, True)


def test_the_peak_is_the_dearest_order_where_that_is_more_than_the_exposure() -> None:
    verdict = judged(lambda stream: refused(stream, Side.SELL, "49999", "0.002"))
    assert (verdict.outcome, verdict.peak) == (Outcome.NOT_SHOWN, Decimal("99.998"))
