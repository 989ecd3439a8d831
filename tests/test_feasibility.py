"""Feasibility: every simultaneous order at its own price, against figures worked by hand."""

from dataclasses import replace
from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botproof.errors import Refusal
from botproof.events import Side
from botproof.feasibility import Answer, judge_feasibility, planned_size, quoted_price, suggest
from botproof.ports import Contract
from botproof.profile import Profile, find_profile

RULES = Contract(
    symbol="BTCUSDT",
    min_qty=Decimal("0.0001"),
    qty_step=Decimal("0.0001"),
    min_value_usdt=Decimal(5),
    tick=Decimal("0.1"),
    maker_fee_rate=Decimal("0.0002"),
    taker_fee_rate=Decimal("0.0006"),
)
FIVE = Profile.load(find_profile("epp_v2_4_bot1_bitget_live_microcap"))
TWENTY = Profile.load(find_profile("epp_v2_4_bot1u20_bitget_live_microcap"))
MID = Decimal(67_500)


def envelope(usdt: str | int, profile: Profile = TWENTY) -> Profile:
    return replace(profile, total_amount_quote=Decimal(usdt))


def one_sided(usdt: str | int) -> Profile:
    return replace(envelope(usdt), sell_spreads=(), sell_amounts_pct=())


def answer(profile: Profile, price: Decimal | int = MID, rules: Contract = RULES) -> Answer:
    return judge_feasibility(profile, rules, Decimal(price)).verdict


def test_the_5_usdt_profile_is_infeasible_and_the_arithmetic_can_be_checked_by_hand():
    result = judge_feasibility(FIVE, RULES, MID)
    assert result.verdict is Answer.INFEASIBLE
    buy, sell = result.orders
    assert (buy.price, sell.price) == (Decimal("67263.7"), Decimal("67736.3"))
    assert (buy.size, buy.budget_usdt, buy.needed_size) == (0, Decimal("2.5"), Decimal("0.0001"))
    assert (buy.needed_value_usdt, sell.needed_value_usdt) == (Decimal("6.72637"), Decimal("6.77363"))
    assert result.needed_usdt == Decimal("13.5")
    assert result.needed_backing_usdt == Decimal("13.5081")
    assert result.single_usdt == Decimal("6.72637")
    assert (
        "  buy  67263.7 x 0.0000 BTC: 2.5 USDT buys 0.00003716, rounded down 0.0000 < 0.0001 minimum (needs 6.73 USDT)"
        in result.lines()
    )


def test_at_exactly_50000_the_5_usdt_profile_is_still_infeasible():
    result = judge_feasibility(FIVE, RULES, Decimal(50_000))
    assert result.verdict is Answer.INFEASIBLE
    buy, sell = result.orders
    assert (buy.price, buy.needed_size, buy.needed_value_usdt) == (Decimal(49_825), Decimal("0.0002"), Decimal("9.965"))
    assert (sell.price, sell.needed_size, sell.needed_value_usdt) == (
        Decimal(50_175),
        Decimal("0.0001"),
        Decimal("5.0175"),
    )


@pytest.mark.parametrize("price", [16_666, 25_000, 40_000, 50_000, 64_406, 67_500, 68_175, 100_000])
def test_no_price_makes_the_5_usdt_profile_feasible(price):
    assert answer(FIVE, price) is Answer.INFEASIBLE


def test_one_buy_at_50000_is_worth_less_than_the_minimum_value():
    result = judge_feasibility(one_sided(5), RULES, Decimal(50_000))
    assert result.verdict is Answer.INFEASIBLE
    assert result.orders[0].size == Decimal("0.0001")
    assert "= 4.9825 USDT < 5 USDT minimum" in result.orders[0].reason


def test_the_20_usdt_profile_is_feasible():
    result = judge_feasibility(TWENTY, RULES, MID)
    assert (result.verdict, result.reasons) == (Answer.FEASIBLE, ())
    assert result.planned_usdt == Decimal("13.5")
    assert [order.size for order in result.orders] == [Decimal("0.0001")] * 2


def test_the_smallest_honest_envelope_is_14_for_two_sides_and_7_for_one():
    assert suggest(FIVE, RULES, MID) == 14
    assert suggest(TWENTY, RULES, MID) == 14
    assert suggest(one_sided(5), RULES, MID) == 7


@pytest.mark.parametrize("price", [16_667, 25_000, 50_000, 64_406, 67_500, 100_000, 999_999])
def test_a_suggestion_is_feasible_and_one_usdt_less_is_not(price):
    smallest = suggest(TWENTY, RULES, Decimal(price))
    assert answer(envelope(smallest), price) is Answer.FEASIBLE
    assert answer(envelope(smallest - 1), price) is Answer.INFEASIBLE


def test_shares_so_uneven_that_no_envelope_backs_them_have_no_suggestion():
    with pytest.raises(Refusal, match="found none"):
        suggest(replace(TWENTY, buy_amounts_pct=(Decimal("0.0001"),)), RULES, MID)


def test_an_envelope_that_only_just_holds_margin_and_fee_is_feasible_and_a_unit_less_is_not():
    needed = Decimal("6.72637") * Decimal("1.0006")
    assert answer(one_sided(str(needed))) is Answer.FEASIBLE
    result = judge_feasibility(one_sided(str(needed - Decimal("0.00000001"))), RULES, MID)
    assert result.verdict is Answer.INFEASIBLE
    assert result.reasons[0].startswith("margin and taker fee of the planned orders")


def test_leverage_lowers_the_margin_and_never_the_exposure():
    profile = replace(one_sided("6.72637"), leverage=2)
    result = judge_feasibility(profile, RULES, MID)
    assert result.verdict is Answer.FEASIBLE
    assert result.planned_usdt == result.envelope_usdt  # equal is within
    assert result.planned_backing_usdt == Decimal("6.72637") * Decimal("0.5006")


def test_a_minimum_quantity_above_the_minimum_value_decides():
    rules = replace(RULES, min_qty=Decimal("0.001"))
    result = judge_feasibility(TWENTY, rules, MID)
    assert result.verdict is Answer.INFEASIBLE
    assert result.orders[0].needed_size == Decimal("0.001")
    assert suggest(TWENTY, rules, MID) == 136


def test_levels_share_by_percent_of_both_sides_together():
    profile = replace(
        envelope(100),
        buy_spreads=(Decimal("0.0035"), Decimal("0.005")),
        buy_amounts_pct=(Decimal(60), Decimal(40)),
    )
    result = judge_feasibility(profile, RULES, MID)
    assert [(order.side, order.level, order.budget_usdt) for order in result.orders] == [
        (Side.BUY, 1, 30),
        (Side.BUY, 2, 20),
        (Side.SELL, 1, 50),
    ]
    assert [order.size for order in result.orders] == [Decimal("0.0004"), Decimal("0.0002"), Decimal("0.0007")]


def test_one_order_of_several_below_the_minimum_is_enough():
    profile = replace(
        TWENTY, buy_spreads=(Decimal("0.0035"), Decimal("0.005")), buy_amounts_pct=(Decimal(95), Decimal(5))
    )
    result = judge_feasibility(profile, RULES, MID)
    assert result.reasons == ("1 of 3 planned order(s) are below the venue's minimum",)


def test_a_no_trade_profile_is_judged_as_if_it_quoted_and_says_that_it_does_not():
    profile = Profile.load(find_profile("epp_v2_4_bot1u20_bitget_live_notrade"))
    result = judge_feasibility(profile, RULES, MID)
    assert result.verdict is Answer.FEASIBLE
    assert result.lines()[-1].startswith("no_trade is true: this profile places nothing")


def test_own_prices_never_lie_inside_the_promised_spread():
    assert quoted_price(Side.BUY, MID, Decimal("0.0035"), RULES.tick) == Decimal("67263.7")  # 67263.75 down
    assert quoted_price(Side.SELL, MID, Decimal("0.0035"), RULES.tick) == Decimal("67736.3")  # 67736.25 up
    assert quoted_price(Side.SELL, Decimal(50_000), Decimal("0.0035"), RULES.tick) == Decimal(50_175)


def test_a_budget_that_buys_whole_steps_to_the_last_digit_is_not_cut():
    profile = replace(
        envelope("20.1"), buy_spreads=(Decimal("0.0035"),) * 2, buy_amounts_pct=(Decimal(100), Decimal(100))
    )
    assert planned_size(profile, Side.BUY, 1, Decimal(67_000), RULES.qty_step) == Decimal("0.0001")  # a third of 20.1


def test_the_verdict_does_not_depend_on_the_callers_decimal_context():
    with localcontext(prec=3):
        result = judge_feasibility(TWENTY, RULES, MID)
    assert result.orders == judge_feasibility(TWENTY, RULES, MID).orders


@pytest.mark.parametrize("price", ["0", "-1", "NaN", "Infinity", "0.05", "1e10"])
def test_a_price_that_no_order_could_have_cannot_be_judged(price):
    with pytest.raises(Refusal, match="expected a price"):
        judge_feasibility(TWENTY, RULES, Decimal(price))


@pytest.mark.parametrize("rule", ["min_qty", "qty_step", "min_value_usdt", "tick"])
@pytest.mark.parametrize("value", ["0", "-1", "NaN"])
def test_rules_that_no_venue_could_have_cannot_be_judged(rule, value):
    with pytest.raises(Refusal, match="contract rules"):
        judge_feasibility(TWENTY, replace(RULES, **{rule: Decimal(value)}), MID)


@settings(max_examples=100, deadline=None)
@given(
    usdt=st.integers(1, 100),
    price=st.decimals(1_000, 200_000, places=1),
    pcts=st.lists(st.integers(1, 100), min_size=2, max_size=5),
)
def test_feasible_means_that_each_order_fits_in_exact_fractions(usdt, price, pcts):
    shares = tuple(map(Decimal, pcts))
    profile = replace(
        envelope(usdt),
        buy_amounts_pct=shares[1:],
        sell_amounts_pct=shares[:1],
        buy_spreads=tuple(Decimal("0.0035") for _ in shares[1:]),
    )
    result = judge_feasibility(profile, RULES, price)
    step, fits, value = Fraction(RULES.qty_step), True, Fraction(0)
    for order, pct in zip(result.orders, (*pcts[1:], pcts[0]), strict=True):
        own = Fraction(order.price)
        size = (Fraction(usdt) * pct / sum(pcts) / own) // step * step
        assert Fraction(order.size) == size
        fits = fits and size >= Fraction(RULES.min_qty) and size * own >= 5
        value += size * own
    fits = fits and value * (1 + Fraction(RULES.taker_fee_rate)) <= usdt
    assert (result.verdict is Answer.FEASIBLE) == fits
