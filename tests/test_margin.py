"""Margin and derived prices against numbers captured from the venue."""

from decimal import Decimal

import pytest
from exchange_floor import Floor, TableMarket, book
from hypothesis import given
from hypothesis import strategies as st

from botproof.fakes.bitget.core import margin
from botproof.fakes.bitget.core.account import Account, Position, Trade
from botproof.fakes.bitget.core.contract import BTCUSDT, FeeRates, Tier, rounded
from botproof.money import plain

CAPTURED_LIQUIDATION = Decimal("-279781303.0828121933333334")
MARK = Decimal("83344.1")
TAKER = Decimal("0.0006")


def account(wallet: Decimal = Decimal(1000), *, leverage: int = 3, margin_mode: str = "crossed") -> Account:
    return Account(name="main", rates=BTCUSDT.fee_rates, wallet=wallet, leverage=leverage, margin_mode=margin_mode)


def traded(holder: Account, steps: int, price: str, *, leg: str = "net", rate: str = "0.0006") -> Position | None:
    trade = Trade(
        trade_id="1", leg=leg, steps=steps, price=Decimal(price), fee_rate=Decimal(rate), is_maker=False, at_us=0
    )
    holder.trade(trade, BTCUSDT)
    return holder.positions.get(leg)


def view(holder: Account, leg: str = "net", mark: Decimal = MARK):
    return margin.position_view(holder, holder.positions[leg], [], mark, BTCUSDT)


def captured_account() -> Account:
    """Long 0.0001 at 83343.3; the wallet follows from the captured liquidation price."""
    size = Decimal("0.0001")
    wallet = CAPTURED_LIQUIDATION * size * (Decimal("0.0046") - 1) + size * Decimal("83343.3")
    holder = account(wallet)
    traded(holder, 1, "83343.3")
    return holder


def test_captured_position_row_is_reproduced() -> None:
    row = view(captured_account())
    assert row.margin == Decimal("2.7781366666666667")
    assert row.unrealized == Decimal("0.00008")
    assert row.maintenance_rate == Decimal("0.004")
    assert row.margin_ratio == Decimal("0.0000013762154129")
    assert row.liquidation_price == pytest.approx(CAPTURED_LIQUIDATION, abs=Decimal("1e-11"))
    assert row.fees == Decimal("0.005000598")


def test_captured_profit_of_a_close_is_reproduced() -> None:
    holder = account()
    position = traded(holder, -1500, "2575.65")
    assert position is not None
    assert position.reduce(1500, Decimal("2567.4"), BTCUSDT) == Decimal("1.2375")


def test_captured_equal_hedge_legs_share_their_liquidation_price_and_ratio() -> None:
    holder = account(Decimal("27852.88"))
    holder.position_mode = "hedge_mode"
    traded(holder, 1, "83400", leg="long")
    traded(holder, -1, "83500", leg="short")
    long, short = view(holder, "long"), view(holder, "short")
    size = Decimal("0.0001")
    expected = (holder.wallet + size * (83500 - 83400)) / (size * Decimal("0.0046"))
    assert long.liquidation_price == short.liquidation_price == rounded(16, expected)
    assert long.margin_ratio == short.margin_ratio


def test_documented_tiers_charge_each_slice_at_its_own_rate() -> None:
    assert margin.maintenance(BTCUSDT, Decimal(330_000), TAKER).of(Decimal(330_000)) == 1648
    assert margin.maintenance(BTCUSDT, Decimal(200_000), TAKER).of(Decimal(200_000)) == 920
    assert margin.maintenance(BTCUSDT, Decimal(330_000), TAKER).rate == Decimal("0.0050")


@pytest.mark.parametrize("end", [tier.end_usdt for tier in BTCUSDT.tiers[:-1]])
def test_maintenance_does_not_jump_between_tiers(end: Decimal) -> None:
    below, above = margin.maintenance(BTCUSDT, end, TAKER), margin.maintenance(BTCUSDT, end + Decimal("1e-9"), TAKER)
    assert below.rate < above.rate
    assert above.of(end) == below.of(end)


def test_break_even_covers_the_fees_of_both_ways() -> None:
    holder = account()
    traded(holder, 10, "50000")
    assert view(holder).break_even_price == rounded(16, 50000 * Decimal("1.0006") / Decimal("0.9994"))
    short = account()
    traded(short, -10, "50000")
    assert view(short).break_even_price == rounded(16, 50000 * Decimal("0.9994") / Decimal("1.0006"))


def test_at_the_liquidation_price_the_margin_ratio_is_one() -> None:
    for steps in (100, -100):
        holder = account(Decimal(60), leverage=20)
        traded(holder, steps, "50000")
        price = view(holder, mark=Decimal(50000)).liquidation_price
        assert view(holder, mark=price).margin_ratio == pytest.approx(1, abs=Decimal("1e-9"))


def test_isolated_position_stands_on_its_own_margin() -> None:
    holder = account(Decimal(1_000_000), leverage=10, margin_mode="isolated")
    traded(holder, 100, "50000")
    row = view(holder, mark=Decimal(49000))
    assert row.margin == 50
    assert row.margin_ratio == rounded(16, Decimal("0.01") * 49000 * Decimal("0.0046") / (50 - 10))
    assert 45_000 < row.liquidation_price < 45_300


def test_isolated_position_without_risk_prints_no_liquidation_price() -> None:
    holder = account(leverage=1, margin_mode="isolated")
    traded(holder, 100, "50000")
    assert view(holder, mark=Decimal(50000)).liquidation_price == 0


def test_account_that_owes_more_than_it_has_reads_as_fully_at_risk() -> None:
    holder = account(Decimal(1))
    traded(holder, 100, "50000")
    assert margin.account_view(holder, [], Decimal(40000), BTCUSDT).risk_rate == 1


def test_flat_account_has_no_risk() -> None:
    flat = margin.account_view(account(), [], MARK, BTCUSDT)
    assert (flat.risk_rate, flat.unrealized, flat.available, flat.equity) == (0, 0, 1000, 1000)


def test_average_entry_that_never_ends_is_kept_at_twelve_decimals() -> None:
    holder = account()
    traded(holder, 1, "50000")
    position = traded(holder, 2, "50000.1")
    assert position is not None
    assert position.entry_price == Decimal("50000.066666666667")


# At any leverage, in both modes, on any fee tier


LEVERAGES = st.integers(BTCUSDT.min_leverage, BTCUSDT.max_leverage)
TICKS = st.integers(500_000, 900_000)
RATES = st.builds(
    FeeRates,
    maker=st.sampled_from([Decimal("-0.00005"), Decimal(0), Decimal("0.0002")]),
    taker=st.sampled_from([Decimal("0.00005"), Decimal("0.00032"), Decimal("0.0006")]),
)


def near(amount: Decimal) -> object:
    return pytest.approx(amount, abs=Decimal("1e-12"))


@given(
    leverage=LEVERAGES,
    mode=st.sampled_from(["crossed", "isolated"]),
    steps=st.integers(1, 5_000) | st.integers(-5_000, -1),
    entry=TICKS,
    mark=TICKS,
    rates=RATES,
)
def test_identities_of_margin_hold(
    leverage: int, mode: str, steps: int, entry: int, mark: int, rates: FeeRates
) -> None:
    holder = account(Decimal(100_000), leverage=leverage, margin_mode=mode)
    holder.rates = rates
    at, entered = BTCUSDT.price(mark), BTCUSDT.price(entry)
    traded(holder, steps, plain(entered), rate=plain(rates.taker))
    row, whole = view(holder, mark=at), margin.account_view(holder, [], at, BTCUSDT)
    size = abs(row.size)
    assert row.unrealized == (at - entered) * row.size
    assert (whole.equity, whole.unrealized) == (whole.wallet + row.unrealized, row.unrealized)
    crossed = mode == "crossed"
    assert row.margin == near(size * (at if crossed else entered) / leverage)
    assert whole.available == near(max(Decimal(0), (whole.equity if crossed else whole.wallet) - row.margin))
    tier = margin.maintenance(BTCUSDT, size * at, rates.taker)
    assert tier.charged == row.maintenance_rate + rates.taker
    backing = whole.equity if crossed else row.margin + row.unrealized
    assert row.margin_ratio == (near(tier.of(size * at) / backing) if backing > 0 else 1)
    backed = whole.wallet if crossed else row.margin
    slope = size * tier.charged - row.size
    price = (backed - row.size * entered + tier.offset) / slope
    assert row.liquidation_price == pytest.approx(price if crossed else max(price, Decimal(0)), abs=Decimal("1e-9"))
    sign = 1 if row.size > 0 else -1
    assert row.break_even_price == near((entered * size + sign * row.fees) / (size * (1 - sign * rates.taker)))


@given(leverage=LEVERAGES, mode=st.sampled_from(["crossed", "isolated"]), taker=st.sampled_from(["0.0003", "0.0006"]))
def test_order_opens_what_the_balance_backs_and_not_one_step_more(leverage: int, mode: str, taker: str) -> None:
    rates = FeeRates(maker=Decimal(0), taker=Decimal(taker))
    price = Decimal(67400)
    backed = 1000 / (price * BTCUSDT.qty_step * (Decimal(1) / leverage + rates.taker))
    codes = []
    for steps in (int(backed), int(backed) + 1):
        stage = Floor(TableMarket({0: book("67500", "67500.1")}), leverage=leverage)
        stage.exchange.set_fee_rates("main", rates)
        stage.say(f"at 0: margin {mode}")
        codes.append(stage.say(f"at 0: buy {plain(BTCUSDT.size(steps))} at {price} as a")[0].split()[0:2])
    assert codes == [["accepted", "a"], ["refused", "40762"]]


@pytest.mark.parametrize("tier", BTCUSDT.tiers[:4])
def test_position_beyond_the_tier_of_its_leverage_is_refused(tier: Tier) -> None:
    stage = Floor(TableMarket({0: book("50000", "50000.1")}), deposit="1000000000", leverage=tier.max_leverage)
    most = tier.end_usdt / 50_000
    stage.run(f"""
        at 0: buy {plain(most / 2)} at 50000 as a      -> accepted a {plain(most / 2)}
        at 0: buy {plain(most / 2)} at 50000.0 as b    -> accepted b {plain(most / 2)}
        at 0: buy 0.0001 at 50000 as c                 -> refused 40921
        at 0: sell 0.0002 at 50100 as d                -> accepted d 0.0002
    """)


def test_tier_does_not_hinder_an_order_that_makes_the_position_smaller() -> None:
    stage = Floor(TableMarket({0: book("50000", "50000.1", size="100")}), deposit="1000000000", leverage=50)
    stage.say("at 0: buy 90 as a")
    stage.say("at 0: leverage 150")
    stage.run("""
        at 1: buy 1 at 50000 as b     -> refused 40921
        at 1: sell 10 at 50100 as c   -> accepted c 10; position 90
        at 1: sell 90 at 50100 reduce as d -> accepted d 90; position 90
    """)


def test_profit_of_an_isolated_position_backs_nothing_else() -> None:
    holder = account(Decimal(100), leverage=10, margin_mode="isolated")
    traded(holder, 100, "50000")
    for mark in (Decimal(60_000), Decimal(49_000)):
        assert margin.account_view(holder, [], mark, BTCUSDT).available == 50


def test_mark_moves_margin_and_profit_and_the_book_moves_neither() -> None:
    stage = Floor(TableMarket({0: book("67500", "67500.1"), 10: book("60000", "60000.1")}, mark="67702.5"))
    stage.say("at 0: buy 0.01 as a")
    [before] = stage.exchange.positions("main")
    stage.say("at 10:")
    [after] = stage.exchange.positions("main")
    assert before.unrealized == after.unrealized == Decimal("2.024")
    assert before.margin == after.margin == Decimal("33.85125")


# Fee rates


@pytest.mark.parametrize(
    ("maker", "taker"), [("0.0002", "-0.0001"), ("-0.0003", "0.0002"), ("0", "1"), ("NaN", "0.1"), ("0", "Infinity")]
)
def test_rates_that_no_venue_has_are_refused(maker: str, taker: str) -> None:
    with pytest.raises(ValueError, match="a taker rate is at least 0"):
        FeeRates(maker=Decimal(maker), taker=Decimal(taker))


def test_rates_of_an_account_are_charged_from_when_they_are_set() -> None:
    stage = Floor(TableMarket({0: book("67500", "67500.1"), 10: book("67399.9", "67400")}))
    exchange = stage.exchange
    assert exchange.fee_rates("main") == BTCUSDT.fee_rates
    stage.say("at 0: buy 0.01 as a")
    exchange.set_fee_rates("main", FeeRates(maker=Decimal("-0.0001"), taker=Decimal("0.0003")))
    stage.say("at 1: buy 0.01 as b")
    stage.say("at 2: buy 0.01 at 67400 as c")
    stage.say("at 10:")
    fees = [fill.fee for fill in reversed(exchange.fills("main"))]
    assert fees == [Decimal("0.4050006"), Decimal("0.2025003"), Decimal("-0.0674")]
    wallet = exchange.account_view("main").wallet
    assert wallet == 1000 - sum(fees)
    assert exchange.fee_rates("other") == BTCUSDT.fee_rates
