"""Orders and fills: place, cancel, look up, list. Field for field as captured."""

from collections.abc import Callable, Sequence
from typing import Any

from botproof.errors import VenueError
from botproof.events import OrderType, Side
from botproof.money import plain

from .ask import Ask, NotImitated
from .core.messages import CancelOrder, FillView, OrderAccepted, OrderView, PlaceOrder
from .wire import MARGIN_COIN, charged, derived, ms, optional, volume

_PRESETS = (
    "presetStopSurplusPrice",
    "presetStopSurplusExecutePrice",
    "presetStopLossPrice",
    "presetStopLossExecutePrice",
)


def place_order(ask: Ask) -> dict[str, str]:
    """Place one order; the answer says that it was taken and no more."""
    command = read_order(ask)
    outcomes = ask.apply(command)
    order = next(outcome.order for outcome in outcomes if isinstance(outcome, OrderAccepted))
    return {"clientOid": order.client_id, "orderId": order.order_id}


def read_order(ask: Ask) -> PlaceOrder:
    """The command of a place-order body; raises `VenueError` for the first parameter that is wrong."""
    params = ask.params
    symbol = ask.contract()
    margin_mode = params.word("marginMode", ("crossed", "isolated"), message="margin mode cannot be empty")
    ask.margin_coin()
    order_type = OrderType(params.word("orderType", tuple(OrderType), message="The order type is illegal"))
    force = params.word(
        "force", ("gtc", "ioc", "fok", "post_only"), default="gtc", message="The order validity period is invalid"
    )
    is_limit = order_type is OrderType.LIMIT
    _refuse_what_is_not_imitated(ask)
    return PlaceOrder(
        symbol=symbol,
        side=Side(params.word("side", tuple(Side))),
        order_type=order_type,
        size=params.decimal("size"),
        price=params.decimal("price") if is_limit else None,
        force=force if is_limit else "gtc",  # stored as gtc on market orders, whatever was sent (captured)
        reduce_only=params.word("reduceOnly", ("YES", "NO"), default="NO") == "YES",
        trade_side=params.word("tradeSide", ("open", "close")) if params.text("tradeSide") else "",
        client_id=params.text("clientOid"),
        margin_mode=margin_mode,
    )


def _refuse_what_is_not_imitated(ask: Ask) -> None:
    """Stops attached to an entry and self-trade prevention: to drop them in silence would be a false safety."""
    for name in _PRESETS:
        if ask.params.text(name).strip("0."):
            raise NotImitated(f"{name} is not imitated")
    if ask.params.text("stpMode", "none").lower() != "none":
        raise NotImitated("stpMode is not imitated")


def cancel_order(ask: Ask) -> dict[str, str]:
    """Cancel by orderId, else by clientOid; raises 40924 without either."""
    symbol = ask.contract()
    order_id, client_id = _ids(ask)
    ask.apply(CancelOrder(symbol=symbol, order_id=order_id, client_id=client_id))
    order = ask.exchange.order(ask.account, order_id=order_id, client_id=client_id)
    assert order is not None, "the exchange cancelled it"
    return {"orderId": order.order_id, "clientOid": order.client_id}


def detail(ask: Ask) -> dict[str, Any]:
    ask.contract()
    order_id, client_id = _ids(ask)
    order = ask.exchange.order(ask.account, order_id=order_id, client_id=client_id)
    if order is None:
        raise VenueError("40109", "The data of the order cannot be found, please confirm the order number")
    return detail_row(order)


def _ids(ask: Ask) -> tuple[str, str]:
    """The order id wins where both are given (documented)."""
    order_id, client_id = ask.params.text("orderId"), ask.params.text("clientOid")
    if not (order_id or client_id):
        raise VenueError("40924", "orderId and clientOid must have one")
    return order_id, "" if order_id else client_id


def pending(ask: Ask) -> dict[str, Any]:
    """Open orders, newest first: live and partially filled alike where `status` is not given (inferred)."""
    wanted = ask.params.text("status").lower()
    rows = [order for order in _asked_for(ask, ask.exchange.open_orders) if wanted in ("", order.state)]
    return _order_list([pending_row(order) for order in _order_page(ask, rows)])


def history(ask: Ask) -> dict[str, Any]:
    """Finished orders, newest first."""
    rows = [order for order in _asked_for(ask, ask.exchange.orders) if not order.state.is_open]
    return _order_list([history_row(order) for order in _order_page(ask, rows)])


def plan_pending(ask: Ask) -> dict[str, Any]:
    """Trigger orders: the exchange has none, so the list is empty."""
    ask.product()
    ask.params.word("planType", ("normal_plan", "track_plan", "profit_loss"), message="planType Illegal type")
    return _order_list([])


def _asked_for(ask: Ask, orders: Callable[[str], list[OrderView]]) -> Sequence[OrderView]:
    if not ask.is_here():
        return ()
    symbol = ask.params.text("symbol").upper()
    order_id, client_id = ask.params.text("orderId"), ask.params.text("clientOid")
    return [
        order
        for order in orders(ask.account)
        if symbol in ("", order.symbol) and order_id in ("", order.order_id) and client_id in ("", order.client_id)
    ]


def _order_page(ask: Ask, rows: Sequence[OrderView]) -> list[OrderView]:
    return ask.page(rows, row_id=lambda row: row.order_id, at_us=lambda row: row.created_us)


def _order_list(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """An empty list is null, and so is its endId (captured)."""
    return {"entrustedList": rows or None, "endId": rows[-1]["orderId"] if rows else None}


def detail_row(order: OrderView) -> dict[str, Any]:
    """`state` is what the traffic says and `status` what the table says: both are given (inferred)."""
    return {
        **_order_row(order),
        "state": order.state.value,
        "presetStopSurplusType": "",
        "presetStopSurplusExecutePrice": "",
        "presetStopLossType": "",
        "presetStopLossExecutePrice": "",
        "enterPointSource": "API",
        "newTradeSide": None if order.position_mode == "one_way_mode" else order.trade_side,
        "cancelReason": order.cancel_reason,
    }


def pending_row(order: OrderView) -> dict[str, Any]:
    return {
        **_order_row(order),
        "presetStopSurplusTriggerType": "",
        "presetStopSurplusExecutePrice": "",
        "presetStopLossTriggerType": "",
        "presetStopLossExecutePrice": "",
        "enterPointSource": "api",
    }


def history_row(order: OrderView) -> dict[str, Any]:
    return {**_order_row(order), "enterPointSource": "api", "posAvg": "", "liqPrice": ""}


def _order_row(order: OrderView) -> dict[str, Any]:
    return {
        "symbol": order.symbol,
        "size": plain(order.size),
        "orderId": order.order_id,
        "clientOid": order.client_id,
        "baseVolume": plain(order.filled),
        "quoteVolume": volume(order.filled_value),
        "price": optional(order.price),
        "priceAvg": optional(order.average_price),
        "fee": charged(order.fee),
        "status": order.state.value,
        "side": order.side.value,
        "force": order.force,
        "totalProfits": derived(order.realized),
        "posSide": position_side(order),
        "marginCoin": MARGIN_COIN,
        "presetStopSurplusPrice": "",
        "presetStopLossPrice": "",
        "orderType": order.order_type.value,
        "leverage": str(order.leverage),
        "marginMode": order.margin_mode,
        "reduceOnly": "YES" if order.reduce_only else "NO",
        "tradeSide": order.trade_side,
        "posMode": order.position_mode,
        "orderSource": "market" if order.order_type is OrderType.MARKET else "normal",
        "cTime": ms(order.created_us),
        "uTime": ms(order.updated_us),
    }


def position_side(order: OrderView) -> str:
    """`net` in one-way mode; in hedge mode `side` is the side of the position (captured)."""
    if order.position_mode == "one_way_mode":
        return "net"
    return "long" if order.side is Side.BUY else "short"


def fills(ask: Ask) -> dict[str, Any]:
    """Fills, newest first; none is an empty list (inferred: known clients iterate it)."""
    chosen = _fill_page(ask, days_max=90)
    return {"fillList": [fill_row(fill) for fill in chosen], "endId": chosen[-1].trade_id if chosen else None}


def fill_history(ask: Ask) -> dict[str, Any]:
    """As fills, each row with its margin coin; at most seven days at once (documented)."""
    chosen = _fill_page(ask, days_max=7)
    rows = [{**fill_row(fill), "marginCoin": MARGIN_COIN} for fill in chosen]
    return {"fillList": rows, "endId": chosen[-1].trade_id if chosen else None}


def _fill_page(ask: Ask, *, days_max: int) -> list[FillView]:
    if not ask.is_here():
        return []
    symbol, order_id = ask.params.text("symbol").upper(), ask.params.text("orderId")
    rows = [
        fill
        for fill in ask.exchange.fills(ask.account)
        if symbol in ("", fill.symbol) and order_id in ("", fill.order_id)
    ]
    return ask.page(rows, row_id=lambda row: row.trade_id, at_us=lambda row: row.at_us, days_max=days_max)


def fill_row(fill: FillView) -> dict[str, Any]:
    return {
        "tradeId": fill.trade_id,
        "symbol": fill.symbol,
        "orderId": fill.order_id,
        "price": plain(fill.price),
        "baseVolume": plain(fill.size),
        "feeDetail": [
            {
                "deduction": "no",
                "feeCoin": MARGIN_COIN,
                "totalDeductionFee": None,
                "totalFee": charged(fill.fee),
            }
        ],
        "side": fill.side.value,
        "quoteVolume": volume(fill.price * fill.size),
        "profit": derived(fill.realized),
        "enterPointSource": "api",
        "tradeSide": fill.trade_side,
        "posMode": fill.position_mode,
        "tradeScope": scope(fill),
        "cTime": ms(fill.at_us),
    }


def scope(fill: FillView) -> str:
    return "maker" if fill.is_maker else "taker"
