"""What the venue's JSON says, read strictly: rows in, values of `ports` out. Pure.

A row that cannot be read raises `Unanswered`, never `KeyError`. What the venue is known to vary is read alike:

* an order's status is called `state` or `status`, a cancelled one `canceled` or `cancelled`, its instrument `symbol` or
  `instId`, by endpoint and channel (captured);
* fees carry the trade's sign in the venue's rows (negative = paid); here positive = paid.
"""

from collections.abc import Callable, Iterable
from decimal import Decimal, InvalidOperation
from typing import Any

from botproof.errors import Unanswered
from botproof.events import OrderState, OrderType, Side
from botproof.money import ZERO
from botproof.ports import (
    AccountPush,
    AccountState,
    Bill,
    BookPush,
    Contract,
    Depth,
    FeeRates,
    Fill,
    FillPush,
    KeyInfo,
    Order,
    OrderAck,
    OrderPush,
    Position,
    PositionsPush,
    Push,
    SymbolPrice,
    Ticker,
    TickerPush,
    TradePush,
)
from botproof.venue.envelope import Row, decimal, parsed, row_list, short

MARGIN_COIN = "USDT"

Level = tuple[Decimal, Decimal]

_STATES = {"canceled": OrderState.CANCELED, "cancelled": OrderState.CANCELED} | {
    state.value: state for state in OrderState
}
_IS_MAKER = {"maker": True, "m": True, "taker": False, "t": False}
_IS_REDUCE_ONLY = {"yes": True, "true": True, "no": False, "false": False, "": False}
_HOLD_SIGN = {"long": 1, "short": -1}


def only_row(data: Any, what: str, symbol: str) -> Any:
    """The one row of `symbol`; the venue wraps single rows in lists."""
    for body in row_list(data, what):
        if Row(body, what).text("symbol").upper() == symbol.upper():
            return body
    raise Unanswered(f"{what}: expected a row of {symbol}, found {short(data)}")


# Market


def contract(body: Any) -> Contract:
    """A row of the contract list; the tick is priceEndStep x 10^-pricePlace (documented)."""
    row = Row(body, "contract")
    return Contract(
        symbol=row.text("symbol"),
        min_qty=row.number("minTradeNum"),
        qty_step=row.number("sizeMultiplier"),
        min_value_usdt=row.number("minTradeUSDT"),
        tick=row.number("priceEndStep").scaleb(-row.whole("pricePlace")),
        maker_fee_rate=row.number("makerFeeRate"),
        taker_fee_rate=row.number("takerFeeRate"),
    )


def ticker(body: Any) -> Ticker:
    """A ticker of REST or of the channel; an empty side of the book has price and size 0."""
    row = Row(body, "ticker")
    return Ticker(
        symbol=row.text("symbol", "instId"),
        bid=row.number("bidPr", default=ZERO),
        bid_size=row.number("bidSz", default=ZERO),
        ask=row.number("askPr", default=ZERO),
        ask_size=row.number("askSz", default=ZERO),
        last=row.number("lastPr"),
        mark=row.maybe("markPrice"),
        index=row.maybe("indexPrice"),
        funding_rate=row.maybe("fundingRate"),
        t_ms=row.whole("ts"),
    )


def depth(body: Any, symbol: str) -> Depth:
    """A depth of merge-depth or of `books1`; neither names its symbol in the row."""
    row = Row(body, "depth")
    return Depth(symbol=symbol, bids=_levels(row, "bids"), asks=_levels(row, "asks"), t_ms=row.whole("ts"))


def symbol_price(body: Any) -> SymbolPrice:
    """Last, mark and index price."""
    row = Row(body, "symbol price")
    return SymbolPrice(
        last=row.number("price"), mark=row.number("markPrice"), index=row.number("indexPrice"), t_ms=row.whole("ts")
    )


def _trade(body: Any, symbol: str) -> TradePush:
    row = Row(body, "trade")
    return TradePush(
        symbol=symbol,
        side=row.word(_SIDES, "side"),
        price=row.number("price"),
        size=row.number("size"),
        trade_id=row.text("tradeId"),
        t_ms=row.whole("ts"),
    )


def _levels(row: Row, side: str) -> tuple[Level, ...]:
    levels = row_list(row.raw(side), f"depth {side}")
    try:
        return tuple((decimal(str(price)), decimal(str(size))) for price, size in levels)
    except (TypeError, ValueError, InvalidOperation):
        raise Unanswered(f"depth {side}: expected pairs of price and size, found {short(levels)}") from None


# Account


def account(body: Any, symbol: str) -> AccountState:
    """The account object; which leverage counts depends on the margin mode (captured)."""
    row = Row(body, "account")
    margin_mode = row.text("marginMode").lower()
    return AccountState(
        symbol=symbol,
        position_mode=row.text("posMode").lower(),
        margin_mode=margin_mode,
        leverage=row.whole("crossedMarginLeverage" if margin_mode == "crossed" else "isolatedLongLever"),
        equity_usdt=row.number("accountEquity", "usdtEquity"),
        available_usdt=row.number("available"),
        unrealized_usdt=row.number("unrealizedPL", default=ZERO),
    )


def fee_rates(body: Any) -> FeeRates:
    """The account's own rates; negative = a rebate."""
    row = Row(body, "trade rate")
    return FeeRates(maker=row.number("makerFeeRate"), taker=row.number("takerFeeRate"))


def position(body: Any) -> Position:
    """A position; `holdSide` gives the sign, in one-way mode too (captured)."""
    row = Row(body, "position")
    return Position(
        symbol=row.text("symbol", "instId"),
        size=row.word(_HOLD_SIGN, "holdSide") * row.number("total"),
        entry_price=row.number("openPriceAvg"),
        mark_price=row.maybe("markPrice"),
        leverage=row.whole("leverage"),
        margin_mode=row.text("marginMode").lower(),
        t_ms=row.whole("uTime", "cTime"),
    )


def bill(body: Any) -> Bill:
    """A line of the bill; amount and fee keep the venue's sign."""
    row = Row(body, "bill")
    return Bill(
        bill_id=row.text("billId"),
        symbol=row.text("symbol", default=""),
        business_type=row.text("businessType"),
        amount=row.number("amount", default=ZERO),
        fee=row.number("fee", default=ZERO),
        balance=row.number("balance"),
        t_ms=row.whole("cTime"),
    )


def key_info(body: Any) -> KeyInfo:
    """The key's owner and its permissions (`spot/account/info`)."""
    row = Row(body, "key")
    authorities = row_list(row.raw("authorities"), "authorities")
    return KeyInfo(user_id=row.text("userId"), authorities=tuple(str(word) for word in authorities))


def _account_push(body: Any, t_ms: int) -> AccountPush:
    row = Row(body, "account")
    return AccountPush(
        equity_usdt=row.number("equity", "usdtEquity", "accountEquity"),
        available_usdt=row.number("available"),
        unrealized_usdt=row.number("unrealizedPL", default=ZERO),
        t_ms=t_ms,
    )


# Orders and fills


def acknowledgement(body: Any) -> OrderAck:
    """The ids of a placed or cancelled order."""
    row = Row(body, "acknowledgement")
    return OrderAck(order_id=row.text("orderId", default=""), client_id=row.text("clientOid", default=""))


def order(body: Any) -> Order:
    """An order of detail, pending, history or the channel; a market order has no price, whatever the row prints."""
    row = Row(body, "order")
    order_type = row.word(_ORDER_TYPES, "orderType")
    return Order(
        order_id=row.text("orderId"),
        client_id=row.text("clientOid", default=""),
        symbol=row.text("symbol", "instId"),
        side=row.word(_SIDES, "side"),
        order_type=order_type,
        force=row.text("force", default="").lower(),
        price=row.number("price") if order_type is OrderType.LIMIT else None,
        size=row.number("size"),
        filled=_filled(row),
        average_price=row.maybe("priceAvg") or None,
        state=row.word(_STATES, "state", "status"),
        reduce_only=row.word(_IS_REDUCE_ONLY, "reduceOnly"),
        created_ms=row.whole("cTime"),
        updated_ms=row.whole("uTime", "cTime"),
    )


def _filled(row: Row) -> Decimal:
    """How much is filled in all: on the channel `baseVolume` is the last fill alone and `accBaseVolume` the sum."""
    return row.number("accBaseVolume") if row.has("accBaseVolume") else row.number("baseVolume", default=ZERO)


def fill(body: Any) -> Fill:
    """A fill of REST or of the `fill` channel."""
    row = Row(body, "fill")
    return Fill(
        trade_id=row.text("tradeId"),
        order_id=row.text("orderId"),
        client_id=row.text("clientOid", default=""),
        symbol=row.text("symbol", "instId"),
        side=row.word(_SIDES, "side"),
        price=row.number("price"),
        size=row.number("baseVolume"),
        fee_usdt=sum((_fee(part) for part in _fee_details(row)), ZERO),
        is_maker=row.word(_IS_MAKER, "tradeScope"),
        realized_usdt=row.number("profit", default=ZERO),
        t_ms=row.whole("cTime", "uTime"),
    )


def _fill_of_order(body: Any) -> Fill | None:
    """The fill that a row of the `orders` channel reports; it does where it has a trade id."""
    row = Row(body, "fill of an order")
    if not row.has("tradeId"):
        return None
    _check_coin(row.text("fillFeeCoin", default=MARGIN_COIN))
    return Fill(
        trade_id=row.text("tradeId"),
        order_id=row.text("orderId"),
        client_id=row.text("clientOid", default=""),
        symbol=row.text("instId", "symbol"),
        side=row.word(_SIDES, "side"),
        price=row.number("fillPrice"),
        size=row.number("baseVolume"),
        fee_usdt=-row.number("fillFee"),
        is_maker=row.word(_IS_MAKER, "tradeScope"),
        realized_usdt=row.number("pnl", default=ZERO),
        t_ms=row.whole("fillTime", "uTime"),
    )


def _fee_details(row: Row) -> list[Any]:
    details = row.raw("feeDetail")
    if isinstance(details, str) and details:
        try:
            details = parsed(details)
        except ValueError:
            raise Unanswered(f"fill: expected a list as feeDetail, found {short(details)}") from None
    details = [details] if isinstance(details, dict) else row_list(details, "feeDetail")
    if not details:
        raise Unanswered("fill: expected a fee in feeDetail, found none")
    return details


def _fee(body: Any) -> Decimal:
    row = Row(body, "feeDetail")
    fee = -row.number("totalFee")
    if fee:
        _check_coin(row.text("feeCoin"))
    return fee


def _check_coin(coin: str) -> None:
    if coin.upper() != MARGIN_COIN:
        raise Unanswered(f"fill: expected a fee in {MARGIN_COIN}, found {coin}")


# Pushes


def pushes(frame: dict[str, Any]) -> list[Push]:
    """What a data frame of a socket delivers, oldest first; raises `Unanswered` where it cannot be read."""
    argument = Row(frame.get("arg"), "frame")
    channel = argument.text("channel")
    if channel not in _CHANNELS:
        raise Unanswered(f"frame: expected a channel out of {', '.join(_CHANNELS)}, found {channel}")
    rows = row_list(frame.get("data"), channel)
    return list(_CHANNELS[channel](rows, Row(frame, channel), argument))


def _tickers(rows: list[Any], _frame: Row, _argument: Row) -> Iterable[Push]:
    return (TickerPush(ticker=ticker(body)) for body in rows)


def _books(rows: list[Any], _frame: Row, argument: Row) -> Iterable[Push]:
    return (BookPush(depth=depth(body, argument.text("instId"))) for body in rows)


def _trades(rows: list[Any], _frame: Row, argument: Row) -> Iterable[Push]:
    return (_trade(body, argument.text("instId")) for body in reversed(rows))


def _orders(rows: list[Any], _frame: Row, _argument: Row) -> Iterable[Push]:
    return (OrderPush(order=order(body), fill=_fill_of_order(body)) for body in rows)


def _fills(rows: list[Any], _frame: Row, _argument: Row) -> Iterable[Push]:
    return (FillPush(fill=fill(body)) for body in rows)


def _positions(rows: list[Any], frame: Row, _argument: Row) -> Iterable[Push]:
    held = tuple(found for found in map(position, rows) if found.size)
    return [PositionsPush(positions=held, t_ms=frame.whole("ts"))]


def _accounts(rows: list[Any], frame: Row, _argument: Row) -> Iterable[Push]:
    ours = [body for body in rows if Row(body, "account").text("marginCoin").upper() == MARGIN_COIN]
    return (_account_push(body, frame.whole("ts")) for body in ours)


_CHANNELS: dict[str, Callable[[list[Any], Row, Row], Iterable[Push]]] = {
    "ticker": _tickers,
    "books1": _books,
    "trade": _trades,
    "orders": _orders,
    "fill": _fills,
    "positions": _positions,
    "account": _accounts,
}
_SIDES = {side.value: side for side in Side}
_ORDER_TYPES = {kind.value: kind for kind in OrderType}
