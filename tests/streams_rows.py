"""A run with everything that the identities look at: whole rows of both files, bills, balances and fee rates.

    facts = recorded()                                     # every identity is kept
    facts = changed(recorded(), BotSample, 2, mid="n/a")   # one cell of one row is spoilt; None takes it away

It is made of the correct run of `streams`, moved in time where a test wants a midnight in it, with the fees that the
venue would have charged; what stands in the rows is reckoned here, and not by the code under test.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from streams import MICRO_CAP, SYMBOL, micro_cap_run, retape

from botproof.events import (
    BalanceSeen,
    BillSeen,
    BotFill,
    BotSample,
    Covered,
    Fact,
    FeeRatesRead,
    FillSeen,
    OrderSeen,
    OrderState,
    RunEnded,
    Side,
    Source,
    WindowClosed,
    WindowOpened,
)
from botproof.evidence.rows import MINUTE
from botproof.money import ZERO, cut, plain

DAY_US = 86_400_000_000
DEPOSIT = Decimal(20)
MAKER, TAKER = Decimal("0.0002"), Decimal("0.0006")
MIDNIGHT_S = 22 * 3600 + 58 * 60 + 40
"""Moved by this much, the run opens its window at 23:59:40, buys at 23:59:56 and sells at 00:00:05."""

Kind = TypeVar("Kind", bound=Fact)


def recorded(
    told: Iterable[Fact] | None = None,
    *,
    every_s: int = 10,
    shift_s: int = 0,
    maker: Decimal = MAKER,
    known: Decimal | None = None,
) -> list[Fact]:
    """`told` (the correct run) with its records; the venue charges `maker` and tells of `known` as the maker rate."""
    facts = [_shifted(fact, shift_s * 1_000_000) for fact in (told or micro_cap_run()) if not isinstance(fact, Covered)]
    facts = [_charged(fact, maker) if isinstance(fact, FillSeen) else fact for fact in facts]
    fills = of(facts, FillSeen)
    by_trade = {fill.trade_id: fill for fill in fills}
    facts = [
        replace(fact, row=_fill_row(by_trade[fact.row["exchange_trade_id"]])) if isinstance(fact, BotFill) else fact
        for fact in facts
    ]
    window = of(facts, WindowOpened)[0]
    instants = range(window.start_us, window.end_us + 1, every_s * 1_000_000)
    samples = [_sample(at_us, facts) for at_us in instants]
    rates = MAKER if known is None else known
    head = [_balance(facts[0], ZERO, "preflight"), _rates(facts[0], rates)]
    tail = [*_bills(fills), _balance(facts[-1], _moved(fills), "closing"), _rates(facts[-1], rates)]
    assert isinstance(facts[-1], RunEnded)
    return retape([facts[0], *head, *facts[1:-1], *samples, *tail, facts[-1]])


def with_rows(facts: Sequence[Fact], state: str = "running") -> list[Fact]:
    """The same run with a row at the start of its window and at each minute of it, which tell the time and a state."""
    window = of(facts, WindowOpened)[0]
    instants = range(window.start_us, window.end_us + 1, 60_000_000)
    rows = [BotSample(src=Source.BOT, t_local_us=us, row={"ts": utc(us), "state": state}) for us in instants]
    return more(facts, *rows)


def of(facts: Iterable[Fact], kind: type[Kind]) -> list[Kind]:
    """The facts of one kind."""
    return [fact for fact in facts if isinstance(fact, kind)]


def changed(facts: Sequence[Fact], kind: type[BotSample] | type[BotFill], place: int, **cells: object) -> list[Fact]:
    """One row with other cells; None takes a cell away."""
    old = of(facts, kind)[place]
    row = {name: text for name, text in (dict(old.row) | cells).items() if text is not None}
    return retape([replace(fact, row=row) if fact is old else fact for fact in facts])  # type: ignore[arg-type]


def swapped(facts: Sequence[Fact], kind: type[Fact], place: int, **fields: object) -> list[Fact]:
    """One fact with other fields."""
    old = of(facts, kind)[place]
    return retape([replace(fact, **fields) if fact is old else fact for fact in facts])  # type: ignore[arg-type]


def more(facts: Sequence[Fact], *others: Fact) -> list[Fact]:
    """The same run with further facts before its end."""
    told = [fact for fact in facts if not isinstance(fact, Covered)]
    return retape([*told[:-1], *others, told[-1]])


def utc(at_us: int) -> str:
    """An instant as the rows write it."""
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at_us)
    return at.isoformat(timespec="microseconds")


def _shifted(fact: Fact, by_us: int) -> Fact:
    t_venue_us = None if fact.t_venue_us is None else fact.t_venue_us + by_us
    moved = replace(fact, t_venue_us=t_venue_us, t_local_us=fact.t_local_us + by_us)
    if isinstance(moved, WindowOpened | WindowClosed):
        return replace(moved, start_us=moved.start_us + by_us, end_us=moved.end_us + by_us)
    return moved


def _charged(fill: FillSeen, maker: Decimal) -> FillSeen:
    profit = (fill.price - Decimal("67263.7")) * fill.size if fill.side is Side.SELL else ZERO
    rate = maker if fill.is_maker else TAKER
    return replace(fill, fee_usdt=cut(8, fill.price * fill.size * rate), realized_usdt=profit)


def _fill_row(fill: FillSeen) -> dict[str, str]:
    assert fill.t_venue_us is not None
    return {
        "ts": utc(fill.t_venue_us),
        "side": str(fill.side),
        "price": plain(fill.price),
        "amount_base": plain(fill.size),
        "notional_quote": plain(fill.price * fill.size),
        "fee_quote": plain(fill.fee_usdt),
        "order_id": fill.client_id,
        "is_maker": str(fill.is_maker),
        "exchange_trade_id": fill.trade_id,
    }


def _sample(at_us: int, facts: Sequence[Fact]) -> BotSample:
    day = at_us // DAY_US
    fills = [f for f in of(facts, FillSeen) if f.t_venue_us // DAY_US == day and f.t_venue_us <= at_us]  # type: ignore[operator]
    ended = [f.t_venue_us for f in of(facts, OrderSeen) if f.state is OrderState.CANCELED]
    traded = sum((fill.price * fill.size for fill in fills), ZERO)
    row = dict.fromkeys(MINUTE, "0") | {
        "ts": utc(at_us),
        "bot_variant": "a",
        "exchange": "bitget_perpetual",
        "trading_pair": "BTC-USDT",
        "state": "running",
        "equity_quote": plain(DEPOSIT),
        "market_spread_pct": "0.00000148",
        "market_spread_bps": "0.0148",
        "best_bid_size": "1.5",
        "best_ask_size": "2",
        "turnover_today_x": plain(traded / DEPOSIT),
        "cancel_per_min": str(sum(1 for t_us in ended if t_us is not None and at_us - 60_000_000 < t_us <= at_us)),
        "fills_count_today": str(len(fills)),
        "fees_paid_today_quote": plain(sum((fill.fee_usdt for fill in fills), ZERO)),
        "daily_loss_pct": "0.001",
        "drawdown_pct": "0.002",
        "profile_sha256": MICRO_CAP.sha256,
        "run_id": "r1",
    }
    return BotSample(src=Source.BOT, t_local_us=at_us + 1_000_000, row=row)


def _bills(fills: Iterable[FillSeen]) -> list[Fact]:
    bills: list[Fact] = []
    balance = DEPOSIT
    for fill in fills:
        balance += fill.realized_usdt - fill.fee_usdt
        bills.append(
            BillSeen(
                src=Source.VENUE,
                t_venue_us=fill.t_venue_us,
                t_local_us=fill.t_local_us,
                bill_id=f"b{fill.trade_id}",
                symbol=SYMBOL,
                business_type=str(fill.side),
                amount=fill.realized_usdt,
                fee=-fill.fee_usdt,
                balance=balance,
            )
        )
    return bills


def _moved(fills: Iterable[FillSeen]) -> Decimal:
    return sum((fill.realized_usdt - fill.fee_usdt for fill in fills), ZERO)


def _balance(beside: Fact, moved: Decimal, via: str) -> BalanceSeen:
    equity = DEPOSIT + moved
    return BalanceSeen(
        src=Source.VENUE,
        t_local_us=beside.t_local_us,
        equity_usdt=equity,
        available_usdt=equity,
        unrealized_usdt=ZERO,
        via=via,
    )


def _rates(beside: Fact, maker: Decimal) -> FeeRatesRead:
    return FeeRatesRead(
        src=Source.VENUE, t_local_us=beside.t_local_us, symbol=SYMBOL, maker_fee_rate=maker, taker_fee_rate=TAKER
    )
