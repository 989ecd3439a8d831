"""Whether money adds up: it does after anything the exchange can do, and each way in which it may not is noticed."""

from dataclasses import replace
from decimal import Decimal

import pytest
from exchange_floor import Floor, TableMarket, book

from botproof.fakes.bitget.core.account import Account
from botproof.fakes.bitget.core.conservation import conservation

HOUR_S = 3600


@pytest.fixture
def stage() -> Floor:
    """`main` has opened, added, taken off and flipped across two settlements and holds a short."""
    stage = Floor(TableMarket({0: book("67500", "67500.1"), 20 * HOUR_S: book("67100", "67100.1")}))
    for sentence in (
        "at 0: buy 0.01 as a",
        "at 1: buy 0.003 as b",
        f"at {8 * HOUR_S}: sell 0.004 as c",
        f"at {16 * HOUR_S}: sell 0.02 as d",
        f"at {24 * HOUR_S}: buy 0.001 as e",
    ):
        stage.say(sentence)
    return stage


def books(stage: Floor) -> Account:
    return stage.exchange._accounts["main"]


def test_money_of_a_long_day_is_conserved(stage: Floor) -> None:
    assert conservation(stage.exchange, "main") == []
    assert conservation(stage.exchange, "other") == []
    assert sum(bill.business_type == "contract_settle_fee" for bill in books(stage).bills) == 3


def test_both_legs_of_a_hedge_account_are_summed_apart() -> None:
    stage = Floor(TableMarket({0: book("67500", "67500.1")}))
    for sentence in (
        "at 0: mode hedge_mode",
        "at 0: buy 0.01 open as a",
        "at 0: sell 0.02 open as b",
        f"at {8 * HOUR_S}: buy 0.01 close as c",
    ):
        stage.say(sentence)
    assert conservation(stage.exchange, "main") == []
    stage.exchange._accounts["main"].positions["short"].steps += 1
    assert any(line.startswith("position short: found -0.0199") for line in conservation(stage.exchange, "main"))


def test_wallet_that_no_bill_explains_is_noticed(stage: Floor) -> None:
    books(stage).wallet += Decimal("1e-16")
    found = conservation(stage.exchange, "main")
    assert [line.partition(":")[0] for line in found] == ["wallet after the last bill", "wallet"]


def test_lost_bill_is_noticed(stage: Floor) -> None:
    del books(stage).bills[3]
    found = conservation(stage.exchange, "main")
    assert any(line.startswith("balance after bill") for line in found)


def test_bill_that_is_off_by_one_unit_is_noticed(stage: Floor) -> None:
    bills = books(stage).bills
    bills[1] = replace(bills[1], fee=bills[1].fee + Decimal("1e-8"))
    found = " ".join(conservation(stage.exchange, "main"))
    assert "balance after bill" in found
    assert "fees of all bills" in found


def test_funding_billed_as_a_trade_is_noticed(stage: Floor) -> None:
    bills = books(stage).bills
    place = next(n for n, bill in enumerate(bills) if bill.business_type == "contract_settle_fee")
    bills[place] = replace(bills[place], business_type="buy")
    assert any(
        line.startswith("count of trading bills: found 6, expected 5") for line in conservation(stage.exchange, "main")
    )


def test_bills_out_of_order_are_noticed(stage: Floor) -> None:
    bills = books(stage).bills
    bills[2] = replace(bills[2], bill_id="1")
    assert any("and says it came before" in line for line in conservation(stage.exchange, "main"))


def test_fill_that_the_books_forgot_is_noticed(stage: Floor) -> None:
    del books(stage).fills[0]
    assert any(line.startswith("position net") for line in conservation(stage.exchange, "main"))


def test_position_that_no_fill_explains_is_noticed(stage: Floor) -> None:
    books(stage).positions.clear()
    assert "position net: found 0, expected -0.01" in conservation(stage.exchange, "main")


def test_funding_of_the_position_that_was_never_billed_is_noticed(stage: Floor) -> None:
    position = books(stage).positions["net"]
    position.funding = (position.funding or Decimal(0)) + Decimal("1e-8")
    assert [line.partition(":")[0] for line in conservation(stage.exchange, "main")] == ["funding of the position"]
