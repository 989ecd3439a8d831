"""Whether an account's money adds up, from its bills and fills alone: for the end of a run, however long.

1. Every bill's balance is the one before it + amount - fee; the last is the wallet. Bill ids and times do not go back.
2. Trading bills are the fills: as many, the same profit, the same fees. No other bill has a fee.
3. wallet = transfers + realised - fees + funding, to the last unit.
4. The fills add up to the position of each leg.
5. equity = wallet + (mark - entry) x size over the open legs, and what is told as unrealised is the difference.
6. In one-way mode the funding of the open position is what was billed as funding since it was opened.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import pairwise

from botproof.events import Side
from botproof.money import ZERO, plain

from .exchange import Exchange
from .messages import BillView, FillView, PositionView

FUNDING = "contract_settle_fee"
_TRANSFERS = ("trans_from_exchange", "trans_to_exchange")


def conservation(exchange: Exchange, account: str) -> list[str]:
    """One line for each sum that does not come out; empty where money is conserved."""
    bills, fills = exchange.bills(account)[::-1], exchange.fills(account)[::-1]
    view, positions = exchange.account_view(account), exchange.positions(account)
    unrealized = sum(((p.mark - p.entry_price) * p.size for p in positions), ZERO)
    return [
        *_chain(bills, view.wallet),
        *_kinds(bills, fills, view.wallet),
        *_sizes(fills, positions),
        *_same("equity", view.equity, view.wallet + unrealized),
        *_same("unrealised profit", view.unrealized, unrealized),
        *_funded(bills, positions),
    ]


def _chain(bills: Sequence[BillView], wallet: Decimal) -> Iterator[str]:
    balance = ZERO
    for bill in bills:
        balance += bill.amount - bill.fee
        yield from _same(f"balance after bill {bill.bill_id}", bill.balance, balance)
        balance = bill.balance
    yield from _same("wallet after the last bill", wallet, balance)
    for before, after in pairwise(bills):
        if int(after.bill_id) <= int(before.bill_id) or after.at_us < before.at_us:
            yield f"bill {after.bill_id} comes after {before.bill_id}, and says it came before"


def _kinds(bills: Sequence[BillView], fills: Sequence[FillView], wallet: Decimal) -> Iterator[str]:
    trades = [bill for bill in bills if bill.business_type not in (FUNDING, *_TRANSFERS)]
    transfers = sum((bill.amount for bill in bills if bill.business_type in _TRANSFERS), ZERO)
    funding = sum((bill.amount for bill in bills if bill.business_type == FUNDING), ZERO)
    realized, fees = sum((fill.realized for fill in fills), ZERO), sum((fill.fee for fill in fills), ZERO)
    yield from _same("count of trading bills", Decimal(len(trades)), Decimal(len(fills)))
    yield from _same("profit of the trading bills", sum((bill.amount for bill in trades), ZERO), realized)
    yield from _same("fees of all bills", sum((bill.fee for bill in bills), ZERO), fees)
    yield from _same("wallet", wallet, transfers + realized - fees + funding)


def _sizes(fills: Sequence[FillView], positions: Sequence[PositionView]) -> Iterator[str]:
    traded: dict[str, Decimal] = defaultdict(Decimal)
    for fill in fills:
        closes_leg = fill.trade_side == "close"  # in hedge mode `side` is the side of the position (captured)
        leg = _leg(fill.position_mode, is_long=fill.side is Side.BUY)
        traded[leg] += fill.size * fill.side.sign * (-1 if closes_leg else 1)
    held = {_leg(p.position_mode, is_long=p.size > 0): p.size for p in positions}
    for leg in dict.fromkeys((*traded, *held)):
        yield from _same(f"position {leg}", held.get(leg, ZERO), traded[leg])


def _leg(position_mode: str, *, is_long: bool) -> str:
    if position_mode == "one_way_mode":
        return "net"
    return "long" if is_long else "short"


def _funded(bills: Sequence[BillView], positions: Sequence[PositionView]) -> Iterator[str]:
    """A bill does not say of which leg it is, so only a net position can be told from them."""
    for position in positions:
        if position.position_mode == "one_way_mode":
            since = [b.amount for b in bills if b.business_type == FUNDING and b.at_us > position.created_us]
            yield from _same("funding of the position", position.funding or ZERO, sum(since, ZERO))


def _same(what: str, found: Decimal, expected: Decimal) -> Iterator[str]:
    if found != expected:
        yield f"{what}: found {plain(found)}, expected {plain(expected)}"
