"""The public calls: time, contracts, ticker, depth, prices, funding. Field for field as captured.

The day's statistics and the open interest are constants of the fake (invented): nothing here is judged by them.
"""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from botproof.errors import VenueError
from botproof.money import plain

from .ask import Ask
from .core.contract import ContractRules
from .core.messages import FundingView, Quote
from .wire import derived, ms, number

DEPTH_LEVELS_MAX = 100  # `max` on BTCUSDT (captured)
HOLDING_BTC = Decimal("31911.3455")
BASE_VOLUME_24H = Decimal("30736.4509")
FUNDING_PAGE_ROWS, FUNDING_PAGE_ROWS_MAX, FUNDING_PAGES_MAX = 20, 100, 100
SCALES = ("scale0", "scale1", "scale2", "scale3")

Level = tuple[Decimal, Decimal]


def server_time(ask: Ask) -> dict[str, str]:
    return {"serverTime": ms(ask.told_us)}


def contracts(ask: Ask) -> list[dict[str, Any]]:
    here = ask.is_here()
    if ask.params.text("symbol"):
        ask.symbol()
    return [contract_row(ask.exchange.rules)] if here else []


def contract_row(rules: ContractRules) -> dict[str, Any]:
    """A row of the contract list (live, 2026-09-25)."""
    return {
        "symbol": rules.symbol,
        "baseCoin": rules.base_coin,
        "quoteCoin": rules.quote_coin,
        "buyLimitPriceRatio": plain(rules.buy_limit_ratio),
        "sellLimitPriceRatio": plain(rules.sell_limit_ratio),
        "feeRateUpRatio": plain(rules.fee_rate_up_ratio),
        "makerFeeRate": plain(rules.maker_fee_rate),
        "takerFeeRate": plain(rules.taker_fee_rate),
        "openCostUpRatio": plain(rules.open_cost_up_ratio),
        "supportMarginCoins": [rules.quote_coin],
        "minTradeNum": plain(rules.min_qty),
        "priceEndStep": str(rules.price_end_step),
        "volumePlace": str(rules.volume_place),
        "pricePlace": str(rules.price_place),
        "sizeMultiplier": plain(rules.qty_step),
        "symbolType": rules.symbol_type,
        "minTradeUSDT": plain(rules.min_value_usdt),
        "maxSymbolOrderNum": str(rules.max_symbol_orders),
        "maxProductOrderNum": str(rules.max_product_orders),
        "maxPositionNum": str(rules.max_positions),
        "symbolStatus": rules.symbol_status,
        "offTime": "-1",
        "limitOpenTime": "-1",
        "deliveryTime": "",
        "deliveryStartTime": "",
        "deliveryPeriod": "",
        "launchTime": "",
        "fundInterval": str(rules.fund_interval_h),
        "minLever": str(rules.min_leverage),
        "maxLever": str(rules.max_leverage),
        "posLimit": plain(rules.position_limit),
        "maintainTime": "",
        "openTime": "",
        "maxMarketOrderQty": plain(rules.max_market_qty),
        "maxOrderQty": plain(rules.max_order_qty),
        "isRwa": rules.is_rwa,
    }


def ticker(ask: Ask) -> list[dict[str, Any]]:
    ask.product()
    quote = ask.exchange.quote(1)
    shown = prices(quote, ask.exchange.funding())
    return [{"symbol": ask.symbol(), **shown, "ts": ms(ask.told_us), **_REST_TICKER_TAIL}]


_REST_TICKER_TAIL = {"deliveryStartTime": None, "deliveryTime": None, "deliveryStatus": ""}


def prices(quote: Quote, funding: FundingView) -> dict[str, str]:
    """What a ticker says of the market, in the spelling that REST and the socket share."""
    bid, bid_size = quote.bids[0] if quote.bids else (Decimal(0), Decimal(0))
    ask, ask_size = quote.asks[0] if quote.asks else (Decimal(0), Decimal(0))
    turnover = plain(BASE_VOLUME_24H * quote.last)
    return {
        "lastPr": plain(quote.last),
        "askPr": plain(ask),
        "bidPr": plain(bid),
        "bidSz": plain(bid_size),
        "askSz": plain(ask_size),
        "high24h": plain(quote.last),
        "low24h": plain(quote.last),
        "change24h": "0",
        "baseVolume": plain(BASE_VOLUME_24H),
        "quoteVolume": turnover,
        "usdtVolume": turnover,
        "openUtc": plain(quote.last),
        "changeUtc24h": "0",
        "indexPrice": derived(quote.index),
        "fundingRate": plain(funding.rate),
        "holdingAmount": plain(HOLDING_BTC),
        "open24h": plain(quote.last),
        "markPrice": plain(quote.mark),
    }


def symbol_price(ask: Ask) -> list[dict[str, str]]:
    ask.product()
    quote = ask.exchange.quote(1)
    return [
        {
            "symbol": ask.symbol(),
            "price": plain(quote.last),
            "indexPrice": derived(quote.index),
            "markPrice": plain(quote.mark),
            "ts": ms(ask.told_us),
        }
    ]


def current_fund_rate(ask: Ask) -> list[dict[str, str]]:
    """The running rate: without a symbol, of all contracts of the product type (documented)."""
    if not ask.is_here():
        return []
    if ask.params.text("symbol"):
        ask.symbol()
    rules, funding = ask.exchange.rules, ask.exchange.funding()
    row = {
        "symbol": rules.symbol,
        "fundingRate": plain(funding.rate),
        "fundingRateInterval": str(rules.fund_interval_h),
        "nextUpdate": ms(funding.next_us),
        "minFundingRate": plain(-rules.funding_rate_cap),
        "maxFundingRate": plain(rules.funding_rate_cap),
    }
    return [row]


def funding_time(ask: Ask) -> list[dict[str, str]]:
    symbol = ask.contract()
    due, hours = ms(ask.exchange.funding().next_us), str(ask.exchange.rules.fund_interval_h)
    return [{"symbol": symbol, "nextFundingTime": due, "ratePeriod": hours}]


def history_fund_rate(ask: Ask) -> list[dict[str, str]]:
    """The settled rates, newest first; pages are counted from 1 to 100 (live)."""
    symbol = ask.contract()
    page = ask.params.whole("pageNo", 1)
    if not 0 < page <= FUNDING_PAGES_MAX:
        raise VenueError("40808", f"Parameter verification exception 0 < pageNo <={FUNDING_PAGES_MAX}")
    rows = min(ask.params.whole("pageSize", FUNDING_PAGE_ROWS) or FUNDING_PAGE_ROWS, FUNDING_PAGE_ROWS_MAX)
    return [
        {"symbol": symbol, "fundingRate": plain(settled.rate), "fundingTime": ms(settled.at_us)}
        for settled in ask.exchange.settlements((page - 1) * rows, rows)
    ]


def merge_depth(ask: Ask) -> dict[str, Any]:
    """The book: prices and sizes are JSON numbers here and nowhere else (captured)."""
    ask.symbol()
    ask.product()
    precision = ask.params.word("precision", SCALES, default=SCALES[0])
    levels = _levels(ask)
    step = ask.exchange.rules.tick.scaleb(SCALES.index(precision))
    quote = ask.exchange.quote(levels if precision == SCALES[0] else DEPTH_LEVELS_MAX)
    return {
        "asks": _ladder(quote.asks, step, ROUND_CEILING)[:levels],
        "bids": _ladder(quote.bids, step, ROUND_FLOOR)[:levels],
        "ts": ms(ask.told_us),
        "scale": plain(step),
        "precision": precision,
        "isMaxPrecision": "YES" if precision == SCALES[-1] else "NO",  # inferred
    }


def _levels(ask: Ask) -> int:
    """Any number is taken and cut to what the venue has (inferred: clients send 1 to 100)."""
    if ask.params.text("limit", "max").lower() == "max":
        return DEPTH_LEVELS_MAX
    return min(max(ask.params.whole("limit"), 1), DEPTH_LEVELS_MAX)


def _ladder(levels: tuple[Level, ...], step: Decimal, rounding: str) -> list[tuple[Any, Any]]:
    merged: dict[Decimal, Decimal] = {}
    for price, size in levels:
        rung = (price / step).to_integral_value(rounding=rounding) * step
        merged[rung] = merged.get(rung, Decimal(0)) + size
    return [(number(price), number(size)) for price, size in merged.items()]
