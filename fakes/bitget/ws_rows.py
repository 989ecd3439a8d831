"""Rows of the socket's channels. They differ from REST in names, letter case and types; each keeps to its captures."""

from decimal import Decimal
from typing import Any

from botproof.events import OrderType
from botproof.money import plain

from .core.messages import AccountView, FillView, FundingView, MarketTrade, OrderView, PositionView, Quote
from .rest_account import hold_side
from .rest_market import prices
from .rest_order import position_side, scope
from .wire import MARGIN_COIN, charged, derived, fixed, ms, optional, volume

_NOT_ON_THE_SOCKET = ("usdtVolume", "changeUtc24h")


def ticker_row(symbol: str, quote: Quote, funding: FundingView, now_us: int) -> dict[str, str]:
    """All strings; `symbol` repeats instId and clients need it (live)."""
    shared = {name: text for name, text in prices(quote, funding).items() if name not in _NOT_ON_THE_SOCKET}
    return {
        "instId": symbol,
        **shared,
        "nextFundingTime": ms(funding.next_us),
        "symbolType": "1",
        "symbol": symbol,
        "ts": ms(now_us),
    }


def book_row(quote: Quote, seq: int, now_us: int) -> dict[str, Any]:
    """The best level of each side, as strings; `pseq` is 0 on a channel of snapshots (live)."""
    return {
        "asks": [[plain(price), plain(size)] for price, size in quote.asks[:1]],
        "bids": [[plain(price), plain(size)] for price, size in quote.bids[:1]],
        "ts": ms(now_us),
        "seq": seq,
        "pseq": 0,
    }


def trade_row(trade: MarketTrade) -> dict[str, str]:
    return {
        "ts": ms(trade.at_us),
        "price": plain(trade.price),
        "size": plain(trade.size),
        "side": trade.side.value,
        "tradeId": trade.trade_id,
    }


def account_row(view: AccountView) -> dict[str, str]:
    """Fixed decimals, trailing zeros kept (live)."""
    available = fixed(8, view.available)
    return {
        "marginCoin": MARGIN_COIN,
        "frozen": fixed(8, view.locked),
        "available": available,
        "maxOpenPosAvailable": available,
        "maxTransferOut": available,
        "equity": fixed(8, view.equity),
        "usdtEquity": fixed(12, view.equity),
        "crossedRiskRate": derived(view.risk_rate),
        "unrealizedPL": fixed(12, view.unrealized),
        "assetsMode": "single",
    }


def position_row(view: PositionView) -> dict[str, Any]:
    """`leverage` is a JSON number here and nowhere else (live)."""
    total = abs(view.size)
    return {
        "posId": view.position_id,
        "instId": view.symbol,
        "marginCoin": MARGIN_COIN,
        "marginSize": derived(view.margin),
        "marginMode": view.margin_mode,
        "holdSide": hold_side(view),
        "posMode": view.position_mode,
        "total": plain(total),
        "available": plain(total - view.locked),
        "frozen": plain(view.locked),
        "openPriceAvg": derived(view.entry_price),
        "leverage": view.leverage,
        "achievedProfits": derived(view.realized),
        "unrealizedPL": derived(view.unrealized),
        "unrealizedPLR": derived(view.unrealized / view.margin) if view.margin else "0",
        "liquidationPrice": derived(view.liquidation_price),
        "keepMarginRate": derived(view.maintenance_rate),
        "marginRate": derived(view.margin_ratio),
        "breakEvenPrice": derived(view.break_even_price),
        "totalFee": optional(view.funding),
        "deductedFee": derived(view.fees),
        "markPrice": plain(view.mark),
        "assetMode": "single",
        "autoMargin": "off",
        "cTime": ms(view.created_us),
        "uTime": ms(view.updated_us),
    }


def order_row(order: OrderView) -> dict[str, Any]:
    """An order as it stands; the keys of a fill are absent (live)."""
    is_market = order.order_type is OrderType.MARKET
    worth = (order.price or Decimal(0)) * order.size or order.filled_value
    return {
        "orderId": order.order_id,
        "clientOid": order.client_id,
        "instId": order.symbol,
        "marginCoin": MARGIN_COIN,
        "price": "0" if is_market else optional(order.price),
        "size": plain(order.size),
        "accBaseVolume": plain(order.filled),
        "notionalUsd": derived(worth),
        "orderType": order.order_type.value,
        "force": order.force,
        "side": order.side.value,
        "posSide": position_side(order),
        "tradeSide": order.trade_side,
        "posMode": order.position_mode,
        "marginMode": order.margin_mode,
        "leverage": str(order.leverage),
        "reduceOnly": "yes" if order.reduce_only else "no",
        "status": order.state.value,
        "cancelReason": order.cancel_reason,
        "enterPointSource": "API",
        "stpMode": "none",
        "totalProfits": derived(order.realized),
        "feeDetail": [{"feeCoin": MARGIN_COIN, "fee": charged(order.fee) if order.fee else "0.00000000"}],
        "presetStopSurplusExecutePrice": "",
        "presetStopSurplusType": "",
        "presetStopLossExecutePrice": "",
        "presetStopLossType": "",
        "cTime": ms(order.created_us),
        "uTime": ms(order.updated_us),
    }


def filled_order_row(order: OrderView, fill: FillView) -> dict[str, Any]:
    """An order that a fill changed; `baseVolume` is this fill's alone (live, and a known trap)."""
    return {
        **order_row(order),
        "fillPrice": plain(fill.price),
        "baseVolume": plain(fill.size),
        "fillNotionalUsd": derived(fill.price * fill.size),
        "fillFee": charged(fill.fee),
        "fillFeeCoin": MARGIN_COIN,
        "fillTime": ms(fill.at_us),
        "tradeId": fill.trade_id,
        "tradeScope": "M" if fill.is_maker else "T",
        "priceAvg": optional(order.average_price),
        "pnl": derived(fill.realized),
    }


def fill_row(fill: FillView, order: OrderView) -> dict[str, Any]:
    """A row of the `fill` channel: it says `symbol` where others say instId (documented)."""
    return {
        "orderId": fill.order_id,
        "clientOid": fill.client_id,
        "tradeId": fill.trade_id,
        "symbol": fill.symbol,
        "side": fill.side.value,
        "orderType": order.order_type.value,
        "posMode": fill.position_mode,
        "tradeSide": fill.trade_side,
        "price": plain(fill.price),
        "baseVolume": plain(fill.size),
        "quoteVolume": volume(fill.price * fill.size),
        "profit": derived(fill.realized),
        "tradeScope": scope(fill),
        "feeDetail": [
            {"feeCoin": MARGIN_COIN, "deduction": "no", "totalDeductionFee": "0", "totalFee": charged(fill.fee)}
        ],
        "cTime": ms(fill.at_us),
        "uTime": ms(fill.at_us),
    }
