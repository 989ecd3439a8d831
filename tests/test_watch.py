"""The observer: everything the venue said, once, and nothing it did not say."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from botproof.errors import HarnessError, Unanswered, VenueError
from botproof.events import (
    BillSeen,
    ConnectionChanged,
    EarlierToday,
    Fact,
    FeeRatesRead,
    FillSeen,
    FundingSettled,
    ModeOrLeverageChanged,
    OpenOrdersRead,
    OrderSeen,
    OrderState,
    OrderType,
    PositionSeen,
    Side,
    TopOfBook,
)
from botproof.evidence.tape import Tape
from botproof.ports import (
    AccountState,
    Bill,
    Contract,
    FeeRates,
    Fill,
    FillPush,
    Order,
    OrderPush,
    Position,
    PositionsPush,
    Push,
    StreamClosed,
    StreamOpened,
    Ticker,
    TickerPush,
)
from botproof.watch import DEAF_POLL_S, POLL_S, Observer
from botproof.world import World

T0 = 1_771_722_000_000
ACCOUNT = AccountState(
    symbol="BTCUSDT",
    position_mode="one_way_mode",
    margin_mode="crossed",
    leverage=1,
    equity_usdt=Decimal(20),
    available_usdt=Decimal(20),
    unrealized_usdt=Decimal(0),
)
ORDER = Order(
    order_id="1",
    client_id="bot1-x-1",
    symbol="BTCUSDT",
    side=Side.BUY,
    order_type=OrderType.LIMIT,
    force="post_only",
    price=Decimal("67263.7"),
    size=Decimal("0.0002"),
    filled=Decimal(0),
    average_price=None,
    state=OrderState.LIVE,
    reduce_only=False,
    created_ms=T0 + 1000,
    updated_ms=T0 + 1000,
)
FILL = Fill(
    trade_id="9",
    order_id="1",
    client_id="",
    symbol="BTCUSDT",
    side=Side.BUY,
    price=Decimal("67263.7"),
    size=Decimal("0.0001"),
    fee_usdt=Decimal("0.00134527"),
    is_maker=True,
    realized_usdt=Decimal(0),
    t_ms=T0 + 2000,
)
LONG = Position(
    symbol="BTCUSDT",
    size=Decimal("0.0001"),
    entry_price=Decimal("67263.7"),
    mark_price=Decimal(67300),
    leverage=1,
    margin_mode="crossed",
    t_ms=T0 + 2000,
)
PART = replace(ORDER, state=OrderState.PARTIALLY_FILLED, filled=Decimal("0.0001"))
DONE = replace(ORDER, state=OrderState.FILLED, filled=Decimal("0.0002"))


class Told:
    """A venue that answers what it was told to."""

    def __init__(self, world: World, pushes: Sequence[Push] = ()) -> None:
        self._world, self._pushes = world, pushes
        self.accounts, self.held = [ACCOUNT], [()] * 99
        self.orders: tuple[Order, ...] = ()
        self.trigger: tuple[str, ...] = ()
        self.history: tuple[Order, ...] = ()
        self.trades: tuple[Fill, ...] = ()
        self.billed: tuple[Bill, ...] = ()
        self.failure: Exception | None = None
        self.secretive: VenueError | None = None  # what it says to whoever asks for fee rates

    async def server_time_ms(self) -> int:
        return self._world.clock.now_us() // 1000

    async def contract(self, symbol: str) -> Contract:
        return Contract(
            symbol=symbol,
            min_qty=Decimal("0.0001"),
            qty_step=Decimal("0.0001"),
            min_value_usdt=Decimal(5),
            tick=Decimal("0.1"),
            maker_fee_rate=Decimal("0.0002"),
            taker_fee_rate=Decimal("0.0006"),
        )

    async def account(self, _symbol: str) -> AccountState:
        return self.accounts.pop(0) if len(self.accounts) > 1 else self.accounts[0]

    async def fee_rates(self, _symbol: str) -> FeeRates:
        if self.secretive is not None:
            raise self.secretive
        return FeeRates(maker=Decimal("0.0002"), taker=Decimal("0.0006"))

    async def positions(self) -> tuple[Position, ...]:
        return ()

    async def open_orders(self) -> tuple[Order, ...]:
        if self.failure is not None:
            raise self.failure
        return self.orders

    async def open_trigger_order_ids(self) -> tuple[str, ...]:
        return self.trigger

    async def order_history(self, _start_ms: int, _end_ms: int) -> tuple[Order, ...]:
        return self.history

    async def fills(self, _start_ms: int, _end_ms: int) -> tuple[Fill, ...]:
        return self.trades

    async def bills(self, start_ms: int, end_ms: int) -> tuple[Bill, ...]:
        return tuple(bill for bill in self.billed if start_ms <= bill.t_ms <= end_ms)

    async def private_stream(self) -> AsyncIterator[Push]:
        yield StreamOpened(private=True)
        for push in self._pushes:
            yield push
        await asyncio.Event().wait()

    async def public_stream(self, _symbol: str, _channels: Sequence[str]) -> AsyncIterator[Push]:
        yield StreamOpened(private=False)
        await asyncio.Event().wait()


def before_a_run(**told: Any) -> list[Fact]:
    """What the preflight writes of a venue that says these things."""
    with World(epoch_us=T0 * 1000) as world:
        venue = Told(world)
        for name, value in told.items():
            setattr(venue, name, value)
        tape = Tape()
        world.run(Observer(venue, tape, world.clock, "BTCUSDT").preflight())  # type: ignore[arg-type]
        return tape.facts


def bill_of(bill_id: str, business_type: str, amount: str, fee: str, t_ms: int) -> Bill:
    return Bill(
        bill_id=bill_id,
        symbol="BTCUSDT",
        business_type=business_type,
        amount=Decimal(amount),
        fee=Decimal(fee),
        balance=Decimal(20),
        t_ms=t_ms,
    )


def watched(pushes: Sequence[Push] = (), *, seconds: int = 1, close: bool = False, **told: Any) -> list[Fact]:
    """What an observer writes of a venue that says these things."""
    with World(epoch_us=T0 * 1000) as world:
        venue = Told(world, pushes)
        for name, value in told.items():
            setattr(venue, name, value)
        tape = Tape()
        observer = Observer(venue, tape, world.clock, "BTCUSDT")  # type: ignore[arg-type]
        world.spawn(observer.watch(), name="watch")
        world.run_for(seconds)
        if close:
            world.run(observer.close_books())
        return tape.facts


def of(kind: type[Fact], facts: Sequence[Fact]) -> list[Any]:
    return [fact for fact in facts if isinstance(fact, kind)]


def test_a_fill_reaches_the_tape_once_whichever_channel_brings_it() -> None:
    facts = watched([OrderPush(order=PART, fill=FILL), FillPush(fill=FILL), FillPush(fill=FILL)])
    assert [fact.trade_id for fact in of(FillSeen, facts)] == ["9"]


def test_two_fills_alike_but_for_their_trade_id_are_two() -> None:
    facts = watched([FillPush(fill=FILL), FillPush(fill=replace(FILL, trade_id="10"))])
    assert [fact.trade_id for fact in of(FillSeen, facts)] == ["9", "10"]


def test_a_fill_without_a_client_id_takes_that_of_its_order() -> None:
    facts = watched([OrderPush(order=PART, fill=None), FillPush(fill=FILL)])
    assert of(FillSeen, facts)[0].client_id == "bot1-x-1"


def test_an_order_is_written_when_it_moved_on_and_not_when_an_old_state_is_repeated() -> None:
    told = [ORDER, ORDER, PART, ORDER, DONE, PART, DONE]
    facts = watched([OrderPush(order=order, fill=None) for order in told])
    assert [(fact.state, str(fact.filled)) for fact in of(OrderSeen, facts)] == [
        ("live", "0"),
        ("partially_filled", "0.0001"),
        ("filled", "0.0002"),
    ]


def test_a_position_missing_from_the_list_is_flat() -> None:
    facts = watched([PositionsPush(positions=(LONG,), t_ms=T0), PositionsPush(positions=(), t_ms=T0)])
    assert [str(fact.size) for fact in of(PositionSeen, facts)] == ["0.0001", "0"]


def test_a_setting_that_changed_between_two_readings_is_named() -> None:
    accounts = [ACCOUNT, replace(ACCOUNT, leverage=2, position_mode="hedge_mode"), ACCOUNT]
    facts = watched(seconds=3 * POLL_S + 1, accounts=accounts)
    changes = [(fact.setting, fact.before, fact.after) for fact in of(ModeOrLeverageChanged, facts)]
    assert changes == [
        ("position_mode", "one_way_mode", "hedge_mode"),
        ("leverage", "1", "2"),
        ("position_mode", "hedge_mode", "one_way_mode"),
        ("leverage", "2", "1"),
    ]


def test_polls_read_the_lists_and_see_orders_that_nobody_pushed() -> None:
    facts = watched(seconds=POLL_S + 1, orders=(ORDER,), trigger=("77",))
    [lists] = of(OpenOrdersRead, facts)
    assert (lists.plain, lists.trigger, lists.purpose) == (("1",), ("77",), "poll")
    assert [fact.via for fact in of(OrderSeen, facts)] == ["pending"]


def test_polls_are_dense_while_the_private_stream_is_closed() -> None:
    deaf = watched([StreamClosed(private=True, reason="gone")], seconds=POLL_S + 1)
    assert len(of(OpenOrdersRead, deaf)) == POLL_S // DEAF_POLL_S
    again = [StreamClosed(private=True, reason="gone"), StreamOpened(private=True)]
    assert len(of(OpenOrdersRead, watched(again, seconds=POLL_S + 1))) == 1


def test_a_closed_public_stream_makes_no_poll_dense() -> None:
    facts = watched([StreamClosed(private=False, reason="gone")], seconds=POLL_S + 1)
    assert len(of(OpenOrdersRead, facts)) == 1


@pytest.mark.parametrize("failure", [VenueError("40015", "later"), Unanswered("timed out")])
def test_a_poll_that_fails_is_written_down_and_the_next_one_tried(failure: Exception) -> None:
    facts = watched(seconds=2 * POLL_S + 1, failure=failure)
    assert [(fact.channel, fact.state) for fact in of(ConnectionChanged, facts) if fact.channel == "rest"] == [
        ("rest", "closed"),
        ("rest", "closed"),
    ]


def test_closed_streams_are_written_down() -> None:
    facts = watched([StreamClosed(private=True, reason="no frame for 60 s"), StreamOpened(private=True)])
    private = [(fact.state, fact.detail) for fact in of(ConnectionChanged, facts) if fact.channel == "private"]
    assert private == [("open", ""), ("closed", "no frame for 60 s"), ("open", "")]


def test_tickers_are_tops_of_the_book() -> None:
    ticker = Ticker(
        symbol="BTCUSDT",
        bid=Decimal(1),
        bid_size=Decimal(2),
        ask=Decimal(3),
        ask_size=Decimal(4),
        last=Decimal(2),
        mark=Decimal("2.5"),
        index=None,
        funding_rate=None,
        t_ms=T0,
    )
    [top] = of(TopOfBook, watched([TickerPush(ticker=ticker)]))
    assert (top.mid, top.mark, top.via) == (2, Decimal("2.5"), "ticker")


def test_closing_reads_what_was_never_pushed_from_the_histories() -> None:
    bill = Bill(
        bill_id="5",
        symbol="BTCUSDT",
        business_type="buy",
        amount=Decimal(0),
        fee=Decimal("-0.00134527"),
        balance=Decimal("19.9"),
        t_ms=T0 + 2000,
    )
    facts = watched(close=True, history=(DONE,), trades=(FILL,), billed=(bill,))
    assert [(fact.via, fact.state) for fact in of(OrderSeen, facts)] == [("history", "filled")]
    assert [fact.via for fact in of(FillSeen, facts)] == ["history"]
    assert [fact.bill_id for fact in of(BillSeen, facts)] == ["5"]
    assert [fact.purpose for fact in of(OpenOrdersRead, facts)].count("closing") == 2


def test_closing_does_not_write_again_what_was_pushed() -> None:
    facts = watched([OrderPush(order=DONE, fill=FILL)], close=True, history=(DONE,), trades=(FILL,))
    assert len(of(OrderSeen, facts)) == len(of(FillSeen, facts)) == 1


def test_a_venue_that_cannot_be_read_at_the_end_closes_nothing() -> None:
    with pytest.raises(HarnessError, match="could not be read: timed out"):
        watched(close=True, failure=Unanswered("timed out"))


def test_the_account_s_own_fee_rates_are_read_before_the_run() -> None:
    [rates] = of(FeeRatesRead, before_a_run())
    assert (rates.maker_fee_rate, rates.taker_fee_rate) == (Decimal("0.0002"), Decimal("0.0006"))


def test_a_venue_that_tells_no_fee_rates_leaves_them_unknown_and_the_refusal_written() -> None:
    facts = before_a_run(secretive=VenueError("40010", "no", status=400))
    assert of(FeeRatesRead, facts) == []
    assert [(fact.channel, fact.state) for fact in of(ConnectionChanged, facts)] == [("rest", "closed")]


def test_what_the_account_did_earlier_on_the_day_is_one_fact() -> None:
    midnight = T0 // 86_400_000 * 86_400_000
    bills = (
        bill_of("1", "buy", "-0.5", "-0.01", midnight - 1),  # of the day before
        bill_of("2", "trans_from_exchange", "100", "0", midnight),
        bill_of("3", "sell", "-0.25", "-0.004", midnight),
        bill_of("4", "contract_settle_fee", "0.01", "0", T0 - 1),
    )
    [earlier] = of(
        EarlierToday, before_a_run(billed=bills, trades=(FILL, replace(FILL, trade_id="8", symbol="ETHUSDT")))
    )
    assert (earlier.fills, earlier.traded_usdt) == (1, Decimal("6.72637"))
    assert earlier.result_usdt == Decimal("-0.244")


def test_a_bill_of_funding_is_a_settlement_too() -> None:
    facts = watched(close=True, billed=(bill_of("6", "contract_settle_fee", "-0.0034", "0", T0 + 5),))
    assert [(fact.amount_usdt, fact.t_venue_us) for fact in of(FundingSettled, facts)] == [
        (Decimal("-0.0034"), (T0 + 5) * 1000)
    ]
