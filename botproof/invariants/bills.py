"""What a bill of the account is about, by its business type: one table for every judgement of money (documented)."""

import re
from typing import Protocol

FUNDING = "contract_settle_fee"
_TRADE = re.compile(r"buy|sell|(open|close|force|burst|adl|delivery)_.*")
_TRANSFER = re.compile(r"trans_.*")


class Billed(Protocol):
    """A bill, as a fact or as the venue's row."""

    @property
    def business_type(self) -> str: ...


def is_trade(bill: Billed) -> bool:
    """Whether it books a fill: profit or loss, and the fee."""
    return _TRADE.fullmatch(bill.business_type) is not None


def is_funding(bill: Billed) -> bool:
    """Whether it books funding, paid or received."""
    return bill.business_type == FUNDING


def is_transfer(bill: Billed) -> bool:
    """Whether the venue calls it a transfer, into the account or out of it."""
    return _TRANSFER.fullmatch(bill.business_type) is not None
