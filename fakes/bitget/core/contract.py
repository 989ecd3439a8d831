"""The rules of a contract: what the venue's contract list and its tier table say.

Prices are counted in ticks and sizes in steps wherever orders meet, so that comparing and subtracting them is exact
integer work; money is `Decimal`.
"""

from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

_ADJUSTED_MAX = 15  # beyond 10^15 or below 10^-15 an amount is no amount of this market, and costly to compute with

_DECIMALS_MAX = 100
_DIGITS = 28  # what Decimal carries by default
_HOUR_US = 3_600_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeRates:
    """What an account pays of the value it trades, as fractions; a negative maker rate is a rebate.

    Raises ValueError for rates with which somebody who trades with himself would earn.
    """

    maker: Decimal
    taker: Decimal

    def __post_init__(self) -> None:
        is_sane = is_computable(self.maker) and is_computable(self.taker) and self.maker < 1 and self.taker < 1
        if not is_sane or self.taker < 0 or self.maker + self.taker < 0:
            raise ValueError(
                "a taker rate is at least 0, below 1 and no less than the maker rebate; "
                f"found maker {self.maker}, taker {self.taker}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """A slice of notional value, its leverage limit and its maintenance rate."""

    start_usdt: Decimal
    end_usdt: Decimal
    max_leverage: int
    maintenance_rate: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractRules:
    """One row of the contract list. Sizes in base coin, prices in quote coin, ratios and rates as fractions."""

    symbol: str
    base_coin: str
    quote_coin: str
    tick: Decimal
    price_place: int
    price_end_step: int = 1  # tick = price_end_step x 10^-price_place
    min_qty: Decimal
    qty_step: Decimal
    volume_place: int
    min_value_usdt: Decimal
    max_order_qty: Decimal
    max_market_qty: Decimal
    maker_fee_rate: Decimal
    taker_fee_rate: Decimal
    buy_limit_ratio: Decimal
    sell_limit_ratio: Decimal
    fee_rate_up_ratio: Decimal
    open_cost_up_ratio: Decimal
    max_symbol_orders: int
    max_product_orders: int
    max_positions: int
    min_leverage: int
    max_leverage: int
    position_limit: Decimal
    fund_interval_h: int
    funding_rate_cap: Decimal
    symbol_type: str = "perpetual"
    symbol_status: str = "normal"
    is_rwa: str = "NO"
    tiers: tuple[Tier, ...] = field(repr=False)

    def ticks(self, price: Decimal) -> int | None:
        """`price` in ticks, or None where it lies off the grid."""
        return _whole(price, self.tick)

    def steps(self, size: Decimal) -> int | None:
        """`size` in quantity steps, or None where it lies off the grid."""
        return _whole(size, self.qty_step)

    def price(self, ticks: int) -> Decimal:
        return self.tick * ticks

    def size(self, steps: int) -> Decimal:
        return self.qty_step * steps

    @property
    def fee_rates(self) -> FeeRates:
        """The base rates, which an account pays unless it has its own."""
        return FeeRates(maker=self.maker_fee_rate, taker=self.taker_fee_rate)

    @property
    def funding_interval_us(self) -> int:
        return self.fund_interval_h * _HOUR_US

    def next_funding_us(self, after_us: int) -> int:
        """The first settlement after `after_us`: on whole intervals from midnight UTC (documented)."""
        return (after_us // self.funding_interval_us + 1) * self.funding_interval_us


def is_computable(amount: Decimal) -> bool:
    """Whether `amount` is a finite number of a magnitude and length that a market knows (not NaN, not 1e400)."""
    exponent = amount.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -_DECIMALS_MAX:
        return False
    return not amount or -_ADJUSTED_MAX <= amount.adjusted() <= _ADJUSTED_MAX


def rounded(places: int, amount: Decimal) -> Decimal:
    """`amount` at no more than `places` decimals, half up; untouched where it has no more, or is too large to round."""
    exponent = amount.as_tuple().exponent
    if not isinstance(exponent, int) or exponent >= -places or amount.adjusted() + places >= _DIGITS:
        return amount
    return amount.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


def _whole(amount: Decimal, unit: Decimal) -> int | None:
    if not is_computable(amount):
        return None
    (amount_over, amount_under), (unit_over, unit_under) = amount.as_integer_ratio(), unit.as_integer_ratio()
    count, rest = divmod(amount_over * unit_under, amount_under * unit_over)
    return None if rest else count


def _tiers(*rows: tuple[int, int, int, str]) -> tuple[Tier, ...]:
    return tuple(
        Tier(start_usdt=Decimal(a), end_usdt=Decimal(b), max_leverage=leverage, maintenance_rate=Decimal(rate))
        for a, b, leverage, rate in rows
    )


# Live values of 2026-09-25.
BTCUSDT = ContractRules(
    symbol="BTCUSDT",
    base_coin="BTC",
    quote_coin="USDT",
    tick=Decimal("0.1"),
    price_place=1,
    min_qty=Decimal("0.0001"),
    qty_step=Decimal("0.0001"),
    volume_place=4,
    min_value_usdt=Decimal(5),
    max_order_qty=Decimal(1200),
    max_market_qty=Decimal(220),
    maker_fee_rate=Decimal("0.0002"),
    taker_fee_rate=Decimal("0.0006"),
    buy_limit_ratio=Decimal("0.05"),
    sell_limit_ratio=Decimal("0.05"),
    fee_rate_up_ratio=Decimal("0.005"),
    open_cost_up_ratio=Decimal("0.01"),
    max_symbol_orders=200,
    max_product_orders=1000,
    max_positions=200,
    min_leverage=1,
    max_leverage=150,
    position_limit=Decimal("0.2"),
    fund_interval_h=8,
    funding_rate_cap=Decimal("0.003"),
    tiers=_tiers(
        (0, 200_000, 150, "0.0040"),
        (200_000, 1_000_000, 100, "0.0050"),
        (1_000_000, 5_000_000, 75, "0.0070"),
        (5_000_000, 15_000_000, 50, "0.0100"),
        (15_000_000, 50_000_000, 25, "0.0200"),
        (50_000_000, 100_000_000, 20, "0.0300"),
        (100_000_000, 150_000_000, 10, "0.0600"),
        (150_000_000, 300_000_000, 5, "0.1200"),
        (300_000_000, 500_000_000, 4, "0.1500"),
        (500_000_000, 700_000_000, 3, "0.2000"),
        (700_000_000, 900_000_000, 2, "0.3000"),
        (900_000_000, 1_200_000_000, 1, "0.6000"),
    ),
)
