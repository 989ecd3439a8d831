"""What the market is made to do: moves of price and mark, funding, a thin or empty book. From the next step on.

A recorded market is not scripted: it would not be the one that was recorded. What is scripted must leave a market that
can still be computed with, so a move that would, together with those still under way, carry the price beyond
`PRICE_USDT_MAX` is refused; a fall ends at the market's own lowest price.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from botproof.events import Side

from ..core.exchange import Exchange
from ..market.scripts import Move
from ..market.synthetic import SyntheticMarket
from .asked import Asked, Unfit

PRICE_USDT_MAX = Decimal(10_000_000)
_LOWEST_USDT = Decimal(10)  # where the path of a price ends
SCRIPTS_MAX = 1_000  # until a reset: each costs a little at every stretch of the path that is drawn
_LASTS_S_MAX = 7 * 86_400
_SECOND_US = 1_000_000
_PERCENT = Decimal(100)
_FALL, _RISE = Decimal("-99.9"), Decimal(1_000)
_SIDES: dict[str, Side | None] = {"bids": Side.BUY, "asks": Side.SELL, "both": None}

MOVE_FIELDS = ("to_usdt", "change_percent", "over_s", "hold_s", "recover_s")
FUNDING_FIELDS = ("rate_percent",)
BOOK_FIELDS = ("share_percent", "for_s", "side")


class Scripts:
    """The scripts of one market, which has been advanced to the present."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._moves: dict[str, list[Move]] = {"price": [], "mark": []}
        self._count = 0

    def move(self, asked: Asked, what: str) -> dict[str, Any]:
        """Move the price, or the mark off it: `to_usdt` or `change_percent`, within `over_s`, back in `recover_s`."""
        market, now = self._market(), self._price_usdt(what)
        change = self._change(asked, self._settles_usdt(what, now))
        over_s, hold_s = (asked.whole(name, 0, _LASTS_S_MAX, 0) for name in ("over_s", "hold_s"))
        recover_s = asked.maybe("recover_s", lambda name: asked.whole(name, 0, _LASTS_S_MAX))
        if recover_s is None and hold_s:
            raise Unfit("recover_s beside hold_s", "hold_s alone", "say in how many seconds the price comes back")
        if recover_s == 0 and not over_s + hold_s:
            raise Unfit("a move that lasts", "one that is over as it begins", "give over_s, hold_s or recover_s")
        recover_us = None if recover_s is None else recover_s * _SECOND_US
        over_us, hold_us = over_s * _SECOND_US, hold_s * _SECOND_US
        move = Move.of(self._begin_us, change, over_us, hold_us, recover_us)
        self._refuse_beyond(what, move, now)
        script = market.script if what == "price" else market.script_mark
        script(from_us=move.from_us, change=change, over_us=over_us, hold_us=hold_us, recover_us=recover_us)
        self._moves[what].append(move)
        settles = self._settles_usdt(what, now).quantize(self._exchange.rules.tick)
        return self._told(scripted=what, from_usdt=now, change_percent=_percent(change), settles_usdt=settles)

    def funding(self, asked: Asked) -> dict[str, Any]:
        """From now on the running rate is `rate_percent`; without it, drawn again."""
        cap = self._exchange.rules.funding_rate_cap * _PERCENT
        rate = asked.maybe("rate_percent", lambda name: asked.amount(name, -cap, cap))
        self._market().script_funding(from_us=self._begin_us, rate=None if rate is None else rate / _PERCENT)
        return self._told(scripted="funding", rate_percent=rate)

    def book(self, asked: Asked) -> dict[str, Any]:
        """For `for_s` the levels of a side hold `share_percent` of their size; at 0 the side is empty."""
        share = asked.amount("share_percent", Decimal(0), _PERCENT)
        for_s = asked.whole("for_s", 1, _LASTS_S_MAX)
        side = asked.word("side", _SIDES, "both")
        until_us = self._begin_us + for_s * _SECOND_US
        self._market().script_depth(
            from_us=self._begin_us, share=share / _PERCENT, until_us=until_us, side=_SIDES[side]
        )
        return self._told(scripted="book", side=side, share_percent=share, for_s=for_s)

    @property
    def _begin_us(self) -> int:
        return self._exchange.now_us + 1

    @property
    def _step_us(self) -> int:
        """The instant whose price is shown now: a move that began after it does not show yet."""
        return self._exchange.market.step_us(self._exchange.now_us)

    def _told(self, **what: object) -> dict[str, Any]:
        self._count += 1
        return {**what, "from_us": self._begin_us}

    def _market(self) -> SyntheticMarket:
        market = self._exchange.market
        if not isinstance(market, SyntheticMarket):
            raise Unfit("a synthetic market", "a recorded one", "start with --market synthetic to script it")
        if self._count >= SCRIPTS_MAX:
            raise Unfit(f"at most {SCRIPTS_MAX} scripts on one market", "as many already", "reset the venue")
        return market

    def _price_usdt(self, what: str) -> Decimal:
        """The mark, or the best bid, or what it would be in an empty book."""
        if what == "mark":
            return self._exchange.quote().mark
        return self._exchange.rules.price(self._exchange.market.top(self._exchange.now_us)[0])

    def _settles_usdt(self, what: str, now: Decimal) -> Decimal:
        """Where the price would be once every move is through: what is drawn besides is not known to anybody."""
        for move in self._moves[what]:
            now *= Decimal(move.factor_ppb(_end_us(move))) / max(move.factor_ppb(self._step_us), 1)
        return now

    def _change(self, asked: Asked, now: Decimal) -> Decimal:
        """The move as a fraction of the price from which it is counted."""
        if asked.one_of("to_usdt", "change_percent") == "change_percent":
            return asked.amount("change_percent", _FALL, _RISE) / _PERCENT
        change = asked.amount("to_usdt", _LOWEST_USDT, PRICE_USDT_MAX) / now - 1
        if not _FALL <= change * _PERCENT <= _RISE:
            found = f"one of {_percent(change)} %"
            raise Unfit(f"a move of {_FALL} % to {_RISE} %", found, "go there in several moves")
        return change

    def _refuse_beyond(self, what: str, move: Move, now: Decimal) -> None:
        top = now * _headroom((*self._moves[what], move), self._step_us)
        if top > PRICE_USDT_MAX:
            raise Unfit(
                f"a price of at most {PRICE_USDT_MAX} USDT once all moves are through", f"{top:.3g}", "move it less"
            )


def _headroom(moves: Iterable[Move], now_us: int) -> Decimal:
    """By how much moves may still multiply a price: each by the highest point that is ahead of it."""
    factor = Decimal(1)
    for move in moves:
        now = move.factor_ppb(now_us)
        ahead = max(move.factor_ppb(max(now_us, at_us)) for at_us in (move.from_us + move.over_us, _end_us(move)))
        factor *= Decimal(max(now, ahead)) / max(now, 1)
    return factor


def _end_us(move: Move) -> int:
    """From when on a move changes nothing any more."""
    return move.from_us + move.over_us + move.hold_us + (move.recover_us or 0)


def _percent(change: Decimal) -> Decimal:
    return (change * _PERCENT).quantize(Decimal("0.000001"))
