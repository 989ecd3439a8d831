"""What the bot writes of itself: rows of minute.csv and fills.csv, made from values, with every column named.

A minute row speaks of one instant, `at_us`: counters take in what had happened at the venue by then and nothing
later. The bot writes it a moment after, when the pushes of that instant have come in, so that a row never contradicts
the fills beside it. Amounts are USDT and BTC, rates fractions, written in full.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from botproof.money import ZERO, plain
from botproof.ports import Fill, Ticker
from botproof.profile import Profile

MINUTE_US = 60_000_000
DAY_US = 24 * 60 * MINUTE_US
DRIFT_US = 30_000_000
FILL_FACTOR = Decimal("0.4")  # the share of quotes that is expected to fill, in the edge
FUNDING_PERIOD_S = 28_800
REGIME = "neutral_low_vol"  # regimes and inventory skew are not modelled
EXCHANGE = "bitget_perpetual"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def utc_text(at_us: int) -> str:
    """ISO-8601 with microseconds: `2026-02-22T01:00:00.000000+00:00`."""
    return (_EPOCH + timedelta(microseconds=at_us)).isoformat(timespec="microseconds")


@dataclass(slots=True)
class Diary:
    """What happened so far, by the venue's time; counters of a day are counted from it when a row asks."""

    profile: Profile
    fills: list[Fill] = field(default_factory=list)
    cancels_us: list[int] = field(default_factory=list)
    rejects_us: list[int] = field(default_factory=list)
    timeouts_us: list[int] = field(default_factory=list)
    mids: list[tuple[int, Decimal]] = field(default_factory=list)  # samples of the last minute, oldest first
    stream_openings: int = 0
    day: int = -1
    open_equity: Decimal = ZERO
    peak_equity: Decimal = ZERO
    floor: Decimal = ZERO  # of the spread, as last refreshed
    floor_us: int | None = None

    def sample(self, at_us: int, mid: Decimal) -> None:
        """Keep a price for the drift."""
        self.mids = [(t_us, p) for t_us, p in self.mids if t_us > at_us - 2 * DRIFT_US] + [(at_us, mid)]

    def drift(self, at_us: int, mid: Decimal) -> Decimal:
        """|mid - newest sample at least 30 s old| / that sample; zero while there is none."""
        old = [price for t_us, price in self.mids if t_us <= at_us - DRIFT_US]
        return abs(mid - old[-1]) / old[-1] if old else ZERO

    def note_equity(self, at_us: int, equity: Decimal) -> None:
        """Open and peak of the UTC day."""
        if at_us // DAY_US != self.day:
            self.day, self.open_equity, self.peak_equity = at_us // DAY_US, equity, equity
        self.peak_equity = max(self.peak_equity, equity)

    def open_day(self, at_us: int, open_equity: Decimal, equity: Decimal) -> None:
        """The day opened with `open_equity`, before this start."""
        self.day, self.open_equity, self.peak_equity = at_us // DAY_US, open_equity, max(open_equity, equity)

    def turnover_x(self, at_us: int, equity: Decimal | None) -> Decimal:
        """The day's own notional up to `at_us`, both sides of every trip, in multiples of equity."""
        traded = sum((fill.price * fill.size for fill in self.fills_today(at_us)), ZERO)
        return traded / equity if equity else ZERO

    def refreshed_floor(self, at_us: int, floor: Decimal) -> Decimal:
        """The floor that is in force: `floor`, the fresh one, only every `spread_floor_recalc_s`."""
        if self.floor_us is None or at_us - self.floor_us >= self.profile.spread_floor_recalc_s * 1_000_000:
            self.floor, self.floor_us = floor, at_us
        return self.floor

    def fills_today(self, at_us: int) -> list[Fill]:
        """The day's fills up to and including `at_us`."""
        midnight_us = at_us // DAY_US * DAY_US
        return [fill for fill in self.fills if midnight_us <= fill.t_ms * 1000 <= at_us]

    def prune(self, at_us: int) -> None:
        """Forget what no later row can ask for."""
        midnight_us = at_us // DAY_US * DAY_US
        self.fills = [fill for fill in self.fills if fill.t_ms * 1000 >= midnight_us]
        self.cancels_us = [t_us for t_us in self.cancels_us if t_us > at_us - 2 * MINUTE_US]
        self.rejects_us = [t_us for t_us in self.rejects_us if t_us >= midnight_us]
        self.timeouts_us = [t_us for t_us in self.timeouts_us if t_us >= midnight_us]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Fee rates as fractions of value, negative for a rebate, and who said so."""

    maker: Decimal
    taker: Decimal
    source: str  # api:trade-rate, the account's own | connector:contracts, the contract list's


@dataclass(frozen=True, slots=True, kw_only=True)
class Instant:
    """What the bot knew when it wrote a row; None where the venue could not be asked."""

    at_us: int
    ticker: Ticker
    state: str
    reasons: tuple[str, ...]
    equity: Decimal | None
    wallet: Decimal | None
    position: Decimal
    entry_price: Decimal
    rates: Rates
    is_edge_open: bool
    orders_active: int
    venue_open_orders: int | None
    venue_plan_orders: int | None
    venue_fills_seen: int

    @property
    def mid(self) -> Decimal:
        return (self.ticker.bid + self.ticker.ask) / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """Floor and net edge by the profile's formula, fractions of price."""

    spread: Decimal
    floor: Decimal
    net_edge: Decimal


def quoted_spread(profile: Profile) -> Decimal:
    """The nearest buy distance plus the nearest sell distance."""
    return sum((min(side) for side in (profile.buy_spreads, profile.sell_spreads) if side), ZERO)


def costs(profile: Profile, *, maker_fee: Decimal, drift: Decimal, turnover_x: Decimal, funding: Decimal) -> Costs:
    """The quoted spread against what a round trip costs; no volatility band is modelled."""
    spread = quoted_spread(profile)
    penalty = max(ZERO, turnover_x - profile.turnover_cap_x) * profile.turnover_penalty_step
    funding_share = abs(funding) * max(30, profile.executor_refresh_time) / FUNDING_PERIOD_S
    paid = maker_fee + profile.slippage_est_pct + drift + penalty + funding_share
    edge_wanted = Decimal(profile.min_net_edge_bps) / 10_000
    return Costs(spread=spread, floor=(paid + edge_wanted) / FILL_FACTOR, net_edge=FILL_FACTOR * spread - paid)


def minute_row(diary: Diary, run_id: str, now: Instant) -> dict[str, str]:
    """One row of minute.csv by column name."""
    profile = diary.profile
    market_spread = (now.ticker.ask - now.ticker.bid) / now.mid
    drift = diary.drift(now.at_us, now.mid)
    turnover_x = diary.turnover_x(now.at_us, now.equity)
    funding = now.ticker.funding_rate
    edge = costs(profile, maker_fee=now.rates.maker, drift=drift, turnover_x=turnover_x, funding=funding or ZERO)
    return {
        "ts": utc_text(now.at_us),
        "bot_variant": str(profile.variant),
        "exchange": EXCHANGE,
        "trading_pair": profile.trading_pair,
        "state": now.state,
        "regime": REGIME,
        "mid": plain(now.mid),
        "equity_quote": _text(now.equity),
        "base_pct": plain(abs(now.position) * now.mid / now.equity if now.equity else ZERO),
        "target_base_pct": "0",
        "spread_pct": plain(edge.spread),
        "spread_floor_pct": plain(diary.refreshed_floor(now.at_us, edge.floor)),
        "net_edge_pct": plain(edge.net_edge),
        "skew": "0",
        "adverse_drift_30s": plain(drift),
        "soft_pause_edge": str(not now.is_edge_open),
        "base_balance": "0",
        "quote_balance": _text(now.wallet),
        "market_spread_pct": plain(market_spread),
        "market_spread_bps": plain(market_spread * 10_000),
        "best_bid_size": plain(now.ticker.bid_size),
        "best_ask_size": plain(now.ticker.ask_size),
        "turnover_today_x": plain(turnover_x),
        **_counters(diary, now),
        "risk_reasons": "|".join(now.reasons),
        "fee_source": now.rates.source,
        "maker_fee_pct": plain(now.rates.maker),
        "taker_fee_pct": plain(now.rates.taker),
        "profile_id": profile.id,
        "profile_sha256": profile.sha256,
        "run_id": run_id,
        "no_trade": str(profile.no_trade),
        "position_base": plain(now.position),
        "avg_entry_price": plain(now.entry_price),
        "venue_open_orders": _count(now.venue_open_orders),
        "venue_plan_orders": _count(now.venue_plan_orders),
        "venue_fills_seen": str(now.venue_fills_seen),
        "funding_rate": _text(funding),
    }


def fill_row(diary: Diary, fill: Fill, *, state: str, mid: Decimal, closed: Decimal, fee_source: str) -> dict[str, str]:
    """One row of fills.csv by column name; `closed` is how much of the fill closed a position (BTC)."""
    profile, at_us = diary.profile, fill.t_ms * 1000
    return {
        "ts": utc_text(at_us),
        "bot_variant": str(profile.variant),
        "exchange": EXCHANGE,
        "trading_pair": profile.trading_pair,
        "side": fill.side.value,
        "price": plain(fill.price),
        "amount_base": plain(fill.size),
        "notional_quote": plain(fill.price * fill.size),
        "fee_quote": plain(fill.fee_usdt),
        "order_id": fill.client_id,
        "state": state,
        "mid_ref": plain(mid),
        "expected_spread_pct": plain(quoted_spread(profile)),
        "adverse_drift_30s": plain(diary.drift(at_us, mid)),
        "fee_source": fee_source,
        "is_maker": str(fill.is_maker),
        "realized_pnl_quote": plain(fill.realized_usdt - fill.fee_usdt) if closed else "0",
        "exchange_trade_id": fill.trade_id,
    }


def _counters(diary: Diary, now: Instant) -> Mapping[str, str]:
    fills = diary.fills_today(now.at_us)
    equity = now.equity or ZERO

    def lost_from(height: Decimal) -> str:
        return plain(max(ZERO, (height - equity) / height)) if now.equity is not None and height > 0 else "0"

    def since(start_us: int, instants_us: list[int]) -> str:
        return str(sum(1 for t_us in instants_us if start_us < t_us <= now.at_us))

    midnight_us = now.at_us // DAY_US * DAY_US - 1
    return {
        "cancel_per_min": since(now.at_us - MINUTE_US, diary.cancels_us),
        "orders_active": str(now.orders_active),
        "fills_count_today": str(len(fills)),
        "fees_paid_today_quote": plain(sum((fill.fee_usdt for fill in fills), ZERO)),
        "daily_loss_pct": lost_from(diary.open_equity),
        "drawdown_pct": lost_from(diary.peak_equity),
        "ws_reconnect_count": str(max(0, diary.stream_openings - 2)),
        "order_rejects_today": since(midnight_us, diary.rejects_us),
        "ack_timeouts_today": since(midnight_us, diary.timeouts_us),
    }


def _text(amount: Decimal | None) -> str:
    return "" if amount is None else plain(amount)


def _count(count: int | None) -> str:
    return "" if count is None else str(count)
