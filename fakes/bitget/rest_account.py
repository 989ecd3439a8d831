"""Account, positions, bills, settings and the owner of the key. Field for field as captured, where it was captured.

The exchange holds one ledger, so every figure of "what can open a position" is the same number here; the venue's are
equal while flat, and what tells them apart otherwise is not documented.
"""

import hashlib
from decimal import Decimal
from typing import Any

from botproof.errors import VenueError
from botproof.money import plain

from .ask import Ask, NotImitated
from .core.messages import (
    AccountView,
    BillView,
    PositionView,
    SetLeverage,
    SetMarginMode,
    SetPositionMode,
    SettingsView,
)
from .wire import MARGIN_COIN, charged, derived, money, ms, optional

# What a key's permission is called on the account's own page (documented by example).
AUTHORITIES = {
    "read": ("coor", "cpor", "stor", "readonly"),
    "trade": ("coow", "cpow", "trade"),
    "withdraw": ("wtow",),
}


def account(ask: Ask) -> dict[str, Any]:
    """The account as one symbol sees it; the three leverages are JSON numbers (captured; documented as strings)."""
    symbol = ask.contract()
    ask.margin_coin()
    view = ask.exchange.account_view(ask.account)
    settings = ask.exchange.settings(ask.account, symbol)
    return {
        **_funds(view),
        "usdtEquity": derived(view.equity),
        "btcEquity": _in_btc(ask, view.equity),
        "crossedRiskRate": derived(view.risk_rate),
        "crossedMarginLeverage": settings.leverage,
        "isolatedLongLever": settings.leverage,
        "isolatedShortLever": settings.leverage,
        "marginMode": settings.margin_mode,
        "posMode": view.position_mode,
        "unrealizedPL": derived(view.unrealized),
        "coupon": "0",
        "crossedUnrealizedPL": derived(view.unrealized),
        "isolatedUnrealizedPL": "",
        "grant": "",
        "assetMode": "single",
        "isolatedMargin": None,
        "crossedMargin": None,
    }


def accounts(ask: Ask) -> list[dict[str, Any]]:
    """The row of each margin coin (documented; not captured)."""
    if not ask.is_here():
        return []
    view = ask.exchange.account_view(ask.account)
    row = {
        **_funds(view),
        "usdtEquity": derived(view.equity),
        "btcEquity": _in_btc(ask, view.equity),
        "crossedRiskRate": derived(view.risk_rate),
        "unrealizedPL": derived(view.unrealized),
        "coupon": "0",
        "unionTotalMargin": "0",
        "unionAvailable": "0",
        "unionMm": "0",
        "assetList": [],
        "isolatedMargin": "0",
        "crossedMargin": "0",
        "crossedUnrealizedPL": derived(view.unrealized),
        "isolatedUnrealizedPL": "0",
        "assetMode": "single",
    }
    return [row]


def _funds(view: AccountView) -> dict[str, str]:
    available = money(view.available)
    return {
        "marginCoin": MARGIN_COIN,
        "locked": money(view.locked),
        "available": available,
        "crossedMaxAvailable": available,
        "isolatedMaxAvailable": available,
        "maxTransferOut": available,
        "accountEquity": money(view.equity),
    }


def _in_btc(ask: Ask, amount: Decimal) -> str:
    return derived(amount / ask.exchange.index_price())


def bills(ask: Ask) -> dict[str, Any]:
    """The account's bill, newest first."""
    chosen: list[BillView] = []
    if ask.is_here() and ask.params.text("coin", MARGIN_COIN).upper() == MARGIN_COIN:
        rows = [bill for bill in ask.exchange.bills(ask.account) if _bill_is_asked_for(ask, bill)]
        chosen = ask.page(
            rows, row_id=lambda row: row.bill_id, at_us=lambda row: row.at_us, rows_default=20, days_max=30
        )
    return {"bills": [_bill_row(bill) for bill in chosen], "endId": chosen[-1].bill_id if chosen else None}


def _bill_is_asked_for(ask: Ask, bill: BillView) -> bool:
    kind = ask.params.text("businessType").lower()
    only_funding = ask.params.text("onlyFunding").lower() == "yes"
    symbol = ask.params.text("symbol").upper()
    return (
        (not kind or bill.business_type.lower() == kind)
        and (not symbol or bill.symbol == symbol)
        and not (only_funding and bill.business_type == "append_margin")
    )


def _bill_row(bill: BillView) -> dict[str, str]:
    return {
        "billId": bill.bill_id,
        "symbol": bill.symbol,
        "amount": money(bill.amount),
        "fee": charged(bill.fee),
        "feeByCoupon": "",
        "businessType": bill.business_type,
        "coin": MARGIN_COIN,
        "balance": money(bill.balance),
        "cTime": ms(bill.at_us),
    }


def positions(ask: Ask) -> list[dict[str, str]]:
    """All open positions; flat is an empty list (inferred)."""
    if ask.params.text("marginCoin"):
        ask.margin_coin()
    return [position_row(view) for view in ask.exchange.positions(ask.account)] if ask.is_here() else []


def single_position(ask: Ask) -> list[dict[str, str]]:
    symbol = ask.contract()
    ask.margin_coin()
    return [position_row(view) for view in ask.exchange.positions(ask.account) if view.symbol == symbol]


def position_row(view: PositionView) -> dict[str, str]:
    """A row of the position list: every value a string (captured)."""
    total = abs(view.size)
    return {
        "marginCoin": MARGIN_COIN,
        "symbol": view.symbol,
        "holdSide": hold_side(view),
        "openDelegateSize": plain(view.opening),
        "marginSize": derived(view.margin),
        "available": plain(total - view.locked),
        "locked": plain(view.locked),
        "total": plain(total),
        "leverage": str(view.leverage),
        "achievedProfits": derived(view.realized),
        "openPriceAvg": derived(view.entry_price),
        "marginMode": view.margin_mode,
        "posMode": view.position_mode,
        "unrealizedPL": derived(view.unrealized),
        "liquidationPrice": derived(view.liquidation_price),
        "keepMarginRate": derived(view.maintenance_rate),
        "markPrice": plain(view.mark),
        "marginRatio": derived(view.margin_ratio),
        "breakEvenPrice": derived(view.break_even_price),
        "totalFee": optional(view.funding),
        "deductedFee": derived(view.fees),
        "grant": "",
        "assetMode": "single",
        "autoMargin": "off",
        "takeProfit": "",
        "stopLoss": "",
        "takeProfitId": "",
        "stopLossId": "",
        "cashDividend": "",
        "cTime": ms(view.created_us),
        "uTime": ms(view.updated_us),
    }


def hold_side(view: PositionView) -> str:
    """long or short, in one-way mode too (captured)."""
    return "long" if view.size > 0 else "short"


def set_leverage(ask: Ask) -> dict[str, str]:
    """`leverage`, else longLeverage, else shortLeverage: the order is documented for crossed margin."""
    symbol = ask.contract()
    ask.margin_coin()
    named = next((name for name in ("leverage", "longLeverage", "shortLeverage") if ask.params.text(name)), "leverage")
    ask.apply(SetLeverage(symbol=symbol, leverage=ask.params.whole(named)))
    settings = ask.exchange.settings(ask.account, symbol)
    crossed = settings.margin_mode == "crossed"
    return {**_levers(settings), "crossMarginLeverage": str(settings.leverage) if crossed else ""}


def set_margin_mode(ask: Ask) -> dict[str, str]:
    symbol = ask.contract()
    ask.margin_coin()
    mode = ask.params.word("marginMode", ("crossed", "isolated"), message="margin mode cannot be empty")
    ask.apply(SetMarginMode(symbol=symbol, mode=mode))
    return _levers(ask.exchange.settings(ask.account, symbol))


def _levers(settings: SettingsView) -> dict[str, str]:
    return {
        "symbol": settings.symbol,
        "marginCoin": MARGIN_COIN,
        "longLeverage": str(settings.leverage),
        "shortLeverage": str(settings.leverage),
        "marginMode": settings.margin_mode,
    }


def set_position_mode(ask: Ask) -> dict[str, str]:
    if not ask.is_here():
        raise VenueError("400172", "Parameter verification failed")
    mode = ask.params.word("posMode", ("one_way_mode", "hedge_mode"))
    ask.apply(SetPositionMode(mode=mode))
    return {"posMode": mode}


def trade_rate(ask: Ask) -> dict[str, str]:
    """The account's own rates, a rebate as a negative one (inferred).

    The table calls the parameter businessType, the documentation's example `business`: either will do.
    """
    business = "businessType" if ask.params.text("businessType") or not ask.params.text("business") else "business"
    ask.params.need(business)
    ask.symbol()
    if ask.params.word(business, ("mix", "spot", "margin")) != "mix":
        raise NotImitated("only the rates of business type mix are imitated")
    rates = ask.exchange.fee_rates(ask.account)
    return {"makerFeeRate": plain(rates.maker), "takerFeeRate": plain(rates.taker)}


def key_info(ask: Ask) -> dict[str, Any]:
    """Who owns the key and what it may do; the ids are derived from the account's name."""
    assert ask.key is not None, "the route is signed"
    user = _user_id(ask.account)
    granted = [
        name for permission in AUTHORITIES if permission in ask.key.permissions for name in AUTHORITIES[permission]
    ]
    if "trade" in ask.key.permissions:
        granted.remove("readonly")
    return {
        "userId": str(user),
        "inviterId": "",
        "ips": "",
        "authorities": granted,
        "parentId": user,
        "traderType": "not_trader",
        "channelCode": "",
        "channel": "",
        "regisTime": "1735689600000",
    }


def _user_id(account_name: str) -> int:
    return 1_000_000_000 + int.from_bytes(hashlib.sha256(account_name.encode()).digest()[:4], "big")


def unified_settings(_ask: Ask) -> None:
    """The unified account's own call: a classic account must refuse it, or clients change generation (captured)."""
    raise VenueError(
        "40084", "You are in Classic Account mode, and the Unified Account API is not supported at this time"
    )
