"""The engine alone: market events a second for one account with two resting orders.

An **event** is one step of the market's path, a second long, that the exchange holds against both resting orders: has
the price come to either? A buy and a sell rest 35 bps from mid over a simulated day; both are quoted anew every 90 s,
and a side that has filled with them. CPU time, in four figures:

- `advance`: `Exchange.advance` from one command to the next, on a path that is drawn already. This is the engine.
- `looking`: the same with a look every 10 s in between, as a run has them: a look costs what it costs, found or not.
- `drawing`: `advance` with the drawing of the path: what a run pays for its market.
- `quoting`: that with the commands as well: the whole exchange, without its faces.

None of it has a face, a signature or a loop in it: a run has, and its figures stand beside these.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from botproof.events import OrderType, Side
from botproof.fakes.bitget.core.contract import BTCUSDT
from botproof.fakes.bitget.core.exchange import Exchange
from botproof.fakes.bitget.core.messages import CancelOrder, PlaceOrder, Refused
from botproof.fakes.bitget.market.synthetic import STEP_US, SyntheticMarket
from botproof.money import floor_to

OPENED_US = 1_771_722_000_000_000
DAY_US = 86_400_000_000
EVENTS = DAY_US // STEP_US
LOOK_US, QUOTED_US = 10_000_000, 90_000_000
AWAY = Decimal("0.0035")
SIZE = Decimal("0.0002")
ACCOUNT = "main"


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """Market events a CPU second, and what happened meanwhile."""

    advance: float
    looking: float
    drawing: float
    quoting: float
    events: int
    orders: int
    fills: int


def engine() -> Engine:
    """Two simulated days of one path: one that is looked at every 90 s, one every 10 s."""
    seldom, often = _Day(QUOTED_US), _Day(LOOK_US)
    spent_s = seldom.spent_s
    drawn_s = spent_s["advance"] + spent_s["drawing"]
    return Engine(
        advance=EVENTS / spent_s["advance"],
        looking=EVENTS / often.spent_s["advance"],
        drawing=EVENTS / drawn_s,
        quoting=EVENTS / (drawn_s + spent_s["quoting"]),
        events=EVENTS,
        orders=seldom.placed,
        fills=seldom.fills,
    )


class _Day:
    """A day with a look every `look_us`; `spent_s` says where the CPU time went."""

    def __init__(self, look_us: int) -> None:
        self._market = SyntheticMarket(seed=1, opened_us=OPENED_US)
        self._exchange = Exchange(market=self._market, seed=1, opened_us=OPENED_US)
        self._exchange.open_account(ACCOUNT, Decimal(1_000))
        self.spent_s = dict.fromkeys(("drawing", "advance", "quoting"), 0.0)
        self.placed = 0
        for at_us in range(OPENED_US, OPENED_US + DAY_US, look_us):
            self._timed("drawing", self._market.top, at_us + look_us)
            self._timed("advance", self._exchange.advance, at_us)
            if (at_us - OPENED_US) % QUOTED_US == 0:
                self._timed("quoting", self._quote, at_us)

    @property
    def fills(self) -> int:
        return len(self._exchange.fills(ACCOUNT))

    def _timed(self, part: str, deed: Callable[[int], object], at_us: int) -> None:
        began = time.process_time()
        deed(at_us)
        self.spent_s[part] += time.process_time() - began

    def _quote(self, now_us: int) -> None:
        """Withdraw what rests, and place both sides anew."""
        for order in self._exchange.open_orders(ACCOUNT):
            self._exchange.apply(ACCOUNT, CancelOrder(symbol=BTCUSDT.symbol, order_id=order.order_id), now_us)
        quote = self._exchange.quote()
        mid = (quote.bids[0][0] + quote.asks[0][0]) / 2
        for side in Side:
            self._place(side, floor_to(BTCUSDT.tick, mid * (1 - side.sign * AWAY)), now_us)

    def _place(self, side: Side, price: Decimal, now_us: int) -> None:
        command = PlaceOrder(
            symbol=BTCUSDT.symbol, side=side, order_type=OrderType.LIMIT, size=SIZE, price=price, force="post_only"
        )
        outcomes = self._exchange.apply(ACCOUNT, command, now_us)
        assert not any(isinstance(outcome, Refused) for outcome in outcomes), outcomes
        self.placed += 1
