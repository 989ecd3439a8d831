"""E7 at its edges: which cap is told, what a base of nothing means, and what a bot need not know yet."""

from dataclasses import replace
from decimal import Decimal

import pytest
from streams import BUY, MICRO_CAP, PREFIX, SELL, TERMS, Placed, Stream, verdict_of, without
from streams_money import funded_run

from botproof.events import Fact, FillSeen, OpenOrdersRead, OrderState, Side
from botproof.invariants.verdict import Outcome


@pytest.mark.parametrize(("hard", "name"), [("1.5", "the cap 30.00"), ("1.49", "the hard limit 29.80")])
def test_the_cap_that_is_told_is_the_smaller_one_and_the_profiles_where_they_are_equal(hard: str, name: str) -> None:
    terms = replace(TERMS, turnover_hard_x=Decimal(hard))
    assert f"above {name} = " in verdict_of("E7", funded_run(traded="20"), MICRO_CAP, terms).reason


def test_without_equity_every_entry_is_above_the_cap() -> None:
    verdict = verdict_of("E7", funded_run(equity="0"))
    assert (verdict.outcome, verdict.peak) == (Outcome.BROKEN, None)
    assert "above the cap 0.00 = 1.5 x 0.00" in verdict.reason


def test_the_peak_is_a_multiple_of_the_equity_however_small() -> None:
    assert verdict_of("E7", funded_run(equity="1")).peak == Decimal("13.5")
    assert verdict_of("E7", funded_run(equity="0.5")).peak == Decimal(27)


def test_entries_that_filled_prove_it() -> None:
    facts = funded_run()
    assert [facts[seq].kind for seq in verdict_of("E7", facts).proof] == ["FillSeen"]


def peak_after_an_exit(*, maker: bool) -> Decimal | None:
    """The peak of a run that sends an entry right after its exit was filled."""

    def passage(stream: Stream) -> None:
        stream.fill(stream.place(Side.BUY, BUY))
        exit_ = stream.wait(2).place(Side.SELL, "67532.8", exits=True)
        stream.fill(exit_)
        stream.cancel(stream.wait("0.1").place(Side.SELL, SELL))
        stream.wait(2)

    def told(fact: Fact) -> Fact:
        return replace(fact, is_maker=maker) if isinstance(fact, FillSeen) and fact.side is Side.SELL else fact

    facts = funded_run(flat=passage, trades=False)
    return verdict_of("E7", without(map(told, facts), lambda _: False)).peak


def test_a_maker_fill_of_its_own_exit_is_not_known_at_once_and_a_taker_fill_is() -> None:
    assert peak_after_an_exit(maker=True) == Decimal("0.675")  # 6.72637 traded + 6.77363 open, of 20
    assert peak_after_an_exit(maker=False) == Decimal("1.012664")  # and the exit's 6.75328


def test_a_fill_at_market_counts_at_once() -> None:
    def passage(stream: Stream) -> None:
        stream.fill(stream.place(Side.BUY, None))
        stream.cancel(stream.wait("0.1").place(Side.SELL, SELL))
        stream.fill(stream.place(Side.SELL, "67532.8", exits=True))

    verdict = verdict_of("E7", funded_run(flat=passage, trades=False))
    assert (verdict.outcome, verdict.exercise) == (Outcome.HELD, 1)
    assert verdict.peak == Decimal("0.676182")  # 6.75 traded + 6.77363 open, of 20


@pytest.mark.parametrize(("named", "peak"), [(f"{PREFIX}0", "0.675"), ("manual-1", "0.338682")])
def test_what_the_bots_own_order_of_before_traded_is_known_to_it_at_once(named: str, peak: str) -> None:
    def passage(stream: Stream) -> None:
        order = Placed(named, "o900", Side.BUY, Decimal(BUY), Decimal("0.0001"), False)
        stream.show(order, OrderState.LIVE)
        stream.wait(5).fill(order)
        stream.cancel(stream.wait("0.1").place(Side.SELL, SELL))
        stream.fill(stream.wait(2).place(Side.SELL, None, exits=True))

    facts = [
        replace(fact, plain=("o900",)) if isinstance(fact, OpenOrdersRead) and fact.purpose == "preflight" else fact
        for fact in funded_run(flat=passage, trades=False)
    ]
    assert verdict_of("E7", without(facts, lambda _: False)).peak == Decimal(peak)
