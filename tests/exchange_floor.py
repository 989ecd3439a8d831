"""A trading floor for tests of the exchange: a market given as a table, commands and outcomes as short sentences.

at 0: buy 0.002 at 67400 as a     ->  accepted a 0.002
at 5:                             ->  filled a 0.002 at 67400 maker; position 0.002
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import pairwise

from botproof.events import OrderType, Side
from botproof.fakes.bitget.core.contract import BTCUSDT
from botproof.fakes.bitget.core.exchange import Exchange
from botproof.fakes.bitget.core.market import Prices
from botproof.fakes.bitget.core.messages import (
    CancelOrder,
    Command,
    MarketTrade,
    OrderAccepted,
    OrderCanceled,
    OrderFilled,
    Outcome,
    PlaceOrder,
    PositionChanged,
    Refused,
    SetLeverage,
    SetMarginMode,
    SetPositionMode,
    SettingsChanged,
)
from botproof.fakes.bitget.core.switches import Switches
from botproof.money import plain

OPENED_US = 1_771_722_000_000_000
SECOND_US = 1_000_000
SYMBOL = BTCUSDT.symbol

Levels = tuple[tuple[str, str], ...]


class TableMarket:
    """A market whose book changes at the seconds of a table: second -> (bids, asks), each best first."""

    def __init__(self, table: dict[int, tuple[Levels, Levels]], mark: str | None = None) -> None:
        self._table = {second: (_ints(bids), _ints(asks)) for second, (bids, asks) in table.items()}
        self._mark = None if mark is None else Decimal(mark)
        self.settled_us = OPENED_US
        self.rates = [(-1_000_000_000, Decimal("0.0001"))]

    def _second(self, at_us: int) -> int:
        since = (at_us - OPENED_US) // SECOND_US
        return max(second for second in self._table if second <= since)

    def step_us(self, at_us: int) -> int:
        return OPENED_US + self._second(at_us) * SECOND_US

    def top(self, at_us: int) -> tuple[int, int]:
        bids, asks = self._table[self._second(at_us)]
        return bids[0][0], asks[0][0]

    def levels(self, at_us: int, side: Side) -> Iterator[tuple[int, int]]:
        return iter(self._table[self._second(at_us)][side is Side.SELL])

    def prices(self, at_us: int) -> Prices:
        last = BTCUSDT.price(self.top(at_us)[0])
        return Prices(last=last, mark=last if self._mark is None else self._mark, index=last)

    def funding_rate(self, at_us: int) -> Decimal:
        """Scripted by test: (from second, rate) in order; 0.0001 before."""
        since = (at_us - OPENED_US) // SECOND_US
        return [rate for second, rate in self.rates if second <= since][-1]

    def first_touch(self, after_us: int, until_us: int, buy: int | None, sell: int | None) -> int | None:
        for second in sorted(self._table):
            at_us = OPENED_US + second * SECOND_US
            bid, ask = self.top(at_us)
            reached = (buy is not None and ask <= buy) or (sell is not None and bid >= sell)
            if reached and after_us < at_us <= until_us:
                return at_us
        return None

    def trades(self, after_us: int, until_us: int) -> list[MarketTrade]:
        return []

    def settle(self, now_us: int) -> None:
        assert now_us >= self.settled_us, "a market is never settled backwards"
        self.settled_us = now_us


def _ints(levels: Levels) -> list[tuple[int, int]]:
    return [(BTCUSDT.ticks(Decimal(price)) or 0, BTCUSDT.steps(Decimal(size)) or 0) for price, size in levels]


class Floor:
    """An exchange with the accounts `main` and `other`, driven by sentences."""

    def __init__(
        self,
        market: TableMarket,
        *,
        deposit: str = "1000",
        leverage: int = 20,
        switches: Switches = Switches(),  # noqa: B008 - frozen
    ) -> None:
        self.market = market
        self.exchange = Exchange(market=market, seed=7, opened_us=OPENED_US, switches=switches)
        for account in ("main", "other"):
            self.exchange.open_account(account, Decimal(deposit), leverage=leverage)
        self._names: dict[str, str] = {}

    def run(self, script: str) -> None:
        """Carry out `at SECOND: COMMAND -> OUTCOME; OUTCOME` line by line, and compare."""
        for row in script.strip().splitlines():
            if not row.strip() or row.strip().startswith("#"):
                continue
            said, _, expected = row.partition("->")
            found = "; ".join(self.say(said))
            assert found == " ".join(expected.split()), f"{row.strip()}\n     found: {found}"

    def say(self, sentence: str) -> list[str]:
        """Carry out one command; its outcomes as sentences, without bills and balances."""
        when, _, command = sentence.partition(":")
        at_us = OPENED_US + int(when.split()[1]) * SECOND_US
        outcomes = self.exchange.advance(at_us)
        if command.strip():
            words = command.split()
            account = words[words.index("by") + 1] if "by" in words else "main"
            outcomes += self.exchange.apply(account, command_of(words), at_us)
        return list(self.told(outcomes))

    def told(self, outcomes: Iterable[Outcome]) -> Iterator[str]:
        for outcome in outcomes:
            match outcome:
                case Refused(code=code):
                    yield f"refused {code}"
                case OrderAccepted(order=order):
                    yield f"accepted {order.client_id} {plain(order.size)}"
                case OrderFilled(order=order, fill=fill):
                    role = "maker" if fill.is_maker else "taker"
                    yield f"filled {order.client_id} {plain(fill.size)} at {plain(fill.price)} {role}"
                case OrderCanceled(order=order):
                    yield f"canceled {order.client_id} {order.cancel_reason}"
                case PositionChanged(position=None):
                    yield "flat"
                case PositionChanged(position=position) if position is not None:
                    yield f"position {plain(position.size)}"
                case SettingsChanged():
                    yield "set"


def command_of(words: list[str]) -> Command:
    """`buy 0.001 at 67400 post_only reduce as a`, `cancel a`, `leverage 3`, `mode hedge_mode`, `margin isolated`."""
    after = dict(pairwise(words))
    match words[0]:
        case "cancel":
            return CancelOrder(symbol=SYMBOL, client_id=words[1])
        case "leverage":
            return SetLeverage(symbol=SYMBOL, leverage=int(words[1]))
        case "mode":
            return SetPositionMode(mode=words[1])
        case "margin":
            return SetMarginMode(symbol=SYMBOL, mode=words[1])
    price = after.get("at")
    return PlaceOrder(
        symbol=SYMBOL,
        side=Side(words[0]),
        order_type=OrderType.MARKET if price is None else OrderType.LIMIT,
        size=Decimal(words[1]),
        price=None if price is None else Decimal(price),
        force=next((word for word in words if word in ("ioc", "fok", "post_only")), "gtc"),
        reduce_only="reduce" in words,
        trade_side=next((word for word in words if word in ("open", "close")), ""),
        client_id=after.get("as", ""),
    )


def book(bid: str, ask: str, size: str = "1") -> tuple[Levels, Levels]:
    """A book of one level a side."""
    return ((bid, size),), ((ask, size),)
