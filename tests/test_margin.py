"""Margin and derived prices against numbers captured from the venue."""

from decimal import Decimal

import pytest

from botproof.fakes.bitget.core import margin
from botproof.fakes.bitget.core.account import Account, Position, Trade
from botproof.fakes.bitget.core.contract import BTCUSDT, rounded

CAPTURED_LIQUIDATION = Decimal("-279781303.0828121933333334")
MARK = Decimal("83344.1")


def account(wallet: Decimal = Decimal(1000), *, leverage: int = 3, margin_mode: str = "crossed") -> Account:
    return Account(name="main", wallet=wallet, leverage=leverage, margin_mode=margin_mode)


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
    assert margin.maintenance(BTCUSDT, Decimal(330_000)).of(Decimal(330_000)) == 1648
    assert margin.maintenance(BTCUSDT, Decimal(200_000)).of(Decimal(200_000)) == 920
    assert margin.maintenance(BTCUSDT, Decimal(330_000)).rate == Decimal("0.0050")


@pytest.mark.parametrize("end", [tier.end_usdt for tier in BTCUSDT.tiers[:-1]])
def test_maintenance_does_not_jump_between_tiers(end: Decimal) -> None:
    below, above = margin.maintenance(BTCUSDT, end), margin.maintenance(BTCUSDT, end + Decimal("1e-9"))
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
