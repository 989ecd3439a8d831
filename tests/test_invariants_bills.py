"""What a bill of the account is about, by its business type."""

from dataclasses import dataclass

import pytest

from botproof.invariants.bills import is_funding, is_trade, is_transfer


@dataclass
class Bill:
    business_type: str


@pytest.mark.parametrize(
    ("business_type", "trade", "funding", "transfer"),
    [
        ("buy", True, False, False),
        ("sell", True, False, False),
        ("open_long", True, False, False),
        ("close_short", True, False, False),
        ("force_close_long", True, False, False),
        ("burst_long_loss_query", True, False, False),
        ("adl_close_long", True, False, False),
        ("delivery_long", True, False, False),
        ("contract_settle_fee", False, True, False),
        ("trans_from_exchange", False, False, True),
        ("trans_to_contract", False, False, True),
        ("open", False, False, False),
        ("buyer", False, False, False),
        ("a_buy", False, False, False),
        ("retrans_to", False, False, False),
        ("contract_settle_fees", False, False, False),
        ("bonus_issue", False, False, False),
        ("", False, False, False),
    ],
)
def test_a_bill_is_of_one_kind_or_of_none(business_type: str, trade: bool, funding: bool, transfer: bool) -> None:
    bill = Bill(business_type)
    assert (is_trade(bill), is_funding(bill), is_transfer(bill)) == (trade, funding, transfer)
