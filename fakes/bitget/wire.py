"""Texts of the wire: how the venue prints what the exchange holds, and the envelope around it.

Numbers are strings without exponent and without trailing zeros (captured); times are milliseconds, as a string in
rows and as a number in `requestTime` and the outer `ts` (captured). A refusal is a `VenueError`: raised where it is
found, printed here.
"""

from dataclasses import dataclass
from decimal import Decimal

import orjson

from botproof.errors import VenueError
from botproof.money import cut, plain

OK = "00000"
PRODUCT = "USDT-FUTURES"
MARGIN_COIN = "USDT"
DERIVED_PLACES = 16  # decimals of what the venue computes: liquidation price, ratios (captured)
MONEY_PLACES = 8  # decimals of wallet, equity and fees (captured)
QUOTE_PLACES = 4  # decimals of a quote volume (captured)

Headers = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP response, to be held back for `after_us`."""

    status: int
    headers: Headers
    body: bytes
    after_us: int = 0


@dataclass(slots=True)
class Skew:
    """How far the clock by which the faces check and tell the time is ahead of the present; one for all of a server."""

    us: int = 0

    def told_us(self, now_us: int) -> int:
        """What the venue's clock says."""
        return now_us + self.us


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceSwitches:
    """What the faces do where the venue's behaviour is inferred or has changed over time."""

    # Order of the frames that report one match; no order is documented (inferred). A channel left out is never pushed.
    push_order: tuple[str, ...] = ("orders", "fill", "positions", "account")
    # One symbol as selector of `orders` and `fill`: documented, and seen refused with 30001 in the field.
    symbol_selectors: bool = True
    # After a refused login: documented as a disconnect, seen left open for 8 s and more (live, v3).
    close_after_failed_login: bool = False
    # The login acknowledgement carries a connection id (live, 2026-10); older ones did not.
    login_conn_id: bool = True
    # Messages beyond ten a second answered with 30006 before 30007 and the close; the count is inferred.
    excess_messages_before_close: int = 10
    # A connection is recycled after a day (documented until 2025, still reported); None: never.
    connection_age_s_max: int | None = 86_400
    # Whether the keys here are demo keys: a call must then carry `paptrading: 1`, and else must not (40099).
    demo: bool = False


DEFAULT_SWITCHES = FaceSwitches()


def success(data: object, now_ms: int, headers: Headers = ()) -> Answer:
    """HTTP 200 with `data` in the envelope."""
    body = {"code": OK, "msg": "success", "requestTime": now_ms, "data": data}
    return Answer(200, (*JSON_HEADERS, *headers), orjson.dumps(body))


def failure(error: VenueError, now_ms: int, headers: Headers = ()) -> Answer:
    """The refusal in the envelope; HTTP 400 on all but the rate limit (captured)."""
    body = {"code": error.code, "msg": error.message, "requestTime": now_ms, "data": None}
    return Answer(error.status, (*JSON_HEADERS, *headers), orjson.dumps(body))


def page_not_found() -> Answer:
    """What the front answers outside the API prefix: HTTP 404 with a page, not an envelope (captured)."""
    page = b"<html><head><title>404 Not Found</title></head><body><h1>404 Not Found</h1></body></html>"
    return Answer(404, ((b"content-type", b"text/html"), (b"content-length", str(len(page)).encode())), page)


JSON_HEADERS: Headers = ((b"content-type", b"application/json;charset=UTF-8"),)


def ms(at_us: int) -> str:
    """Milliseconds as the rows print them."""
    return str(at_us // 1000)


def money(amount: Decimal) -> str:
    """Wallet money: cut at 8 decimals, no trailing zeros."""
    return plain(cut(MONEY_PLACES, amount))


def fixed(places: int, amount: Decimal) -> str:
    """Exactly `places` decimals, as the private pushes of the account print them (captured)."""
    text = format(cut(places, amount), "f")
    return text.removeprefix("-") if not amount or not text.strip("-0.") else text


def derived(amount: Decimal) -> str:
    """A computed figure: at most 16 decimals."""
    return plain(cut(DERIVED_PLACES, amount))


def charged(fee: Decimal) -> str:
    """A fee as the venue prints it: negative when paid, `0` when none; `fee` is positive when paid."""
    return money(-fee)


def volume(value: Decimal) -> str:
    """A quote volume: price x size cut at 4 decimals (captured: 8.34649 is printed 8.3464)."""
    return plain(cut(QUOTE_PLACES, value))


def number(amount: Decimal) -> orjson.Fragment:
    """A JSON number with exactly the digits of `amount`."""
    return orjson.Fragment(plain(amount).encode())


def optional(amount: Decimal | None) -> str:
    """The empty string where there is nothing to print."""
    return "" if amount is None else derived(amount)
