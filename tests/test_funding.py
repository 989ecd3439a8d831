"""Funding: who pays what at which instant, what the rate was, and what the faces say of it."""

import itertools
from collections import Counter
from decimal import Decimal

import pytest
from exchange_floor import OPENED_US, SECOND_US, Floor, TableMarket, book
from fake_on_hand import OPENED_US as DESK_OPENED_US
from fake_on_hand import OTHER, Desk

from botproof.fakes.bitget.core.messages import BalanceChanged, BillAdded, FundingPaid, PositionChanged
from botproof.fakes.bitget.market.synthetic import SyntheticMarket

HOUR_S = 3600
SETTLEMENT_S = 7 * HOUR_S  # 08:00 UTC; the floor opens at 01:00
SETTLEMENT_US = OPENED_US + SETTLEMENT_S * SECOND_US
INTERVAL_US = 8 * HOUR_S * SECOND_US
MARKET = "symbol=BTCUSDT&productType=USDT-FUTURES"


def floor(*, mark: str | None = None) -> Floor:
    """A market that stands at 67500.0 / 67500.1 for days."""
    return Floor(TableMarket({0: book("67500", "67500.1")}, mark=mark))


def paid(stage: Floor, until_s: int) -> list[FundingPaid]:
    outcomes = stage.exchange.advance(OPENED_US + until_s * SECOND_US)
    return [outcome for outcome in outcomes if isinstance(outcome, FundingPaid)]


def funding_bills(stage: Floor, account: str = "main") -> list[Decimal]:
    return [b.amount for b in stage.exchange.bills(account) if b.business_type == "contract_settle_fee"]


# What is paid


def test_long_pays_size_times_mark_times_rate_and_short_receives_it() -> None:
    stage = floor(mark="67600")
    stage.say("at 0: buy 0.01 as a")
    stage.say("at 0: sell 0.02 as b by other")
    amounts = {settled.account: settled.amount for settled in paid(stage, SETTLEMENT_S)}
    assert amounts == {"main": Decimal("-0.0676"), "other": Decimal("0.1352")}


def test_negative_rate_turns_the_payment_around() -> None:
    stage = floor(mark="67600")
    stage.market.rates.append((0, Decimal("-0.00005")))
    stage.say("at 0: buy 0.01 as a")
    assert [settled.amount for settled in paid(stage, SETTLEMENT_S)] == [Decimal("0.0338")]


def test_amount_is_cut_toward_zero_at_eight_decimals() -> None:
    stage = floor(mark="67543.7")
    stage.market.rates.append((0, Decimal("0.000033")))
    stage.say("at 0: buy 0.0001 as a")
    stage.say("at 0: sell 0.0001 as b by other")
    assert [s.amount for s in paid(stage, SETTLEMENT_S)] == [Decimal("-0.00022289"), Decimal("0.00022289")]


def test_settlement_leaves_payment_bill_position_and_balance_in_that_order() -> None:
    stage = floor()
    stage.say("at 0: buy 0.01 as a")
    before = stage.exchange.account_view("main").wallet
    outcomes = stage.exchange.advance(SETTLEMENT_US)
    assert [type(outcome) for outcome in outcomes] == [FundingPaid, BillAdded, PositionChanged, BalanceChanged]
    _, added, moved, balance = outcomes
    assert isinstance(added, BillAdded)
    assert (added.bill.amount, added.bill.fee, added.bill.at_us) == (Decimal("-0.0675"), 0, SETTLEMENT_US)
    assert isinstance(balance, BalanceChanged)
    assert balance.balance.wallet == added.bill.balance == before - Decimal("0.0675")
    assert isinstance(moved, PositionChanged)
    assert moved.position is not None
    assert (moved.position.funding, moved.position.updated_us) == (Decimal("-0.0675"), SETTLEMENT_US)


def test_funding_of_a_position_adds_up_and_ends_with_it() -> None:
    stage = floor()
    stage.say("at 0: buy 0.01 as a")
    assert stage.exchange.positions("main")[0].funding is None
    assert len(paid(stage, 3 * SETTLEMENT_S)) == 2
    assert stage.exchange.positions("main")[0].funding == Decimal("-0.135")
    stage.say(f"at {3 * SETTLEMENT_S}: sell 0.02 as b")
    assert stage.exchange.positions("main")[0].funding is None, "what was flipped into is a new position"


def test_both_legs_of_a_hedge_account_are_settled() -> None:
    stage = floor()
    stage.say("at 0: mode hedge_mode")
    stage.say("at 0: buy 0.01 open as a")
    stage.say("at 0: sell 0.02 open as b")
    assert [settled.amount for settled in paid(stage, SETTLEMENT_S)] == [Decimal("-0.0675"), Decimal("0.135")]


def test_rate_of_zero_leaves_a_bill_of_zero() -> None:
    stage = floor()
    stage.market.rates.append((0, Decimal(0)))
    stage.say("at 0: buy 0.01 as a")
    stage.say(f"at {SETTLEMENT_S}:")
    assert funding_bills(stage) == [0]


def test_flat_account_is_not_settled() -> None:
    stage = floor()
    stage.say("at 0: buy 0.01 as a")
    stage.say("at 1: sell 0.01 as b")
    assert paid(stage, 10 * SETTLEMENT_S) == []


# The instant


@pytest.mark.parametrize(("until_s", "times"), [(SETTLEMENT_S - 1, 0), (SETTLEMENT_S, 1), (SETTLEMENT_S + HOUR_S, 1)])
def test_settlement_happens_at_its_instant_and_once(until_s: int, times: int) -> None:
    stage = floor()
    stage.say("at 0: buy 0.01 as a")
    found = paid(stage, until_s)
    assert [settled.at_us for settled in found] == [SETTLEMENT_US] * times
    assert paid(stage, until_s) == []


def test_looking_often_or_once_settles_the_same() -> None:
    often, once = floor(), floor()
    for stage in (often, once):
        stage.say("at 0: buy 0.01 as a")
    for hour in range(60):
        often.exchange.advance(OPENED_US + hour * HOUR_S * SECOND_US)
    once.exchange.advance(OPENED_US + 59 * HOUR_S * SECOND_US)
    assert often.exchange.bills("main") == once.exchange.bills("main")
    assert len(funding_bills(once)) == 7


def test_position_opened_by_a_command_at_the_instant_does_not_pay() -> None:
    stage = floor()
    stage.say(f"at {SETTLEMENT_S}: buy 0.01 as a")
    assert paid(stage, SETTLEMENT_S + HOUR_S) == []
    assert len(paid(stage, SETTLEMENT_S + 8 * HOUR_S)) == 1


def test_position_closed_by_a_command_at_the_instant_pays() -> None:
    stage = floor()
    stage.say("at 0: buy 0.01 as a")
    stage.say(f"at {SETTLEMENT_S}: sell 0.01 reduce as b")
    assert (len(funding_bills(stage)), stage.exchange.positions("main")) == (1, [])


def at_the_instant_the_price_falls() -> Floor:
    """Two resting buys are touched at 08:00:00 exactly."""
    return Floor(TableMarket({0: book("67500", "67500.1"), SETTLEMENT_S: book("67400", "67400.1")}))


def test_position_that_a_touch_opens_at_the_instant_does_not_pay() -> None:
    stage = at_the_instant_the_price_falls()
    stage.say("at 0: buy 0.01 at 67450 as a")
    assert stage.say(f"at {SETTLEMENT_S}:") == ["filled a 0.01 at 67450 maker", "position 0.01"]
    assert funding_bills(stage) == []


def test_position_that_a_touch_closes_at_the_instant_pays_before() -> None:
    stage = at_the_instant_the_price_falls()
    stage.say("at 0: sell 0.01 as a")
    stage.say("at 0: buy 0.01 at 67450 reduce as b")
    assert stage.say(f"at {SETTLEMENT_S}:") == ["position -0.01", "filled b 0.01 at 67450 maker", "flat"]
    assert funding_bills(stage) == [Decimal("0.0674")], "at the mark of the instant"


def test_next_event_is_the_settlement_while_there_is_a_position() -> None:
    stage = floor()
    exchange = stage.exchange
    assert exchange.next_event_us(SETTLEMENT_US) is None
    stage.say("at 0: buy 0.01 as a")
    assert exchange.next_event_us(SETTLEMENT_US - 1) is None
    assert exchange.next_event_us(SETTLEMENT_US + INTERVAL_US) == SETTLEMENT_US
    exchange.advance(SETTLEMENT_US)
    assert exchange.next_event_us(SETTLEMENT_US + INTERVAL_US) == SETTLEMENT_US + INTERVAL_US


def test_midnight_is_a_settlement_and_a_week_has_twenty_one() -> None:
    stage = floor()
    stage.say("at 0: buy 0.01 as a")
    found = paid(stage, 7 * 24 * HOUR_S)
    hours = Counter(settled.at_us // (HOUR_S * SECOND_US) % 24 for settled in found)
    assert hours == {0: 7, 8: 7, 16: 7}


def test_rate_that_applies_is_the_last_one_before_the_instant() -> None:
    stage = floor()
    stage.market.rates += [(SETTLEMENT_S - 1, Decimal("0.0002")), (SETTLEMENT_S, Decimal("0.0003"))]
    stage.say("at 0: buy 0.01 as a")
    stage.say(f"at {SETTLEMENT_S}:")
    assert funding_bills(stage) == [Decimal("-0.135")]
    assert stage.exchange.funding().rate == Decimal("0.0003")
    [settled] = stage.exchange.settlements(0, 1)
    assert (settled.at_us, settled.rate) == (SETTLEMENT_US, Decimal("0.0002"))


# The rates of the synthetic market


def synthetic(seed: int = 1) -> SyntheticMarket:
    return SyntheticMarket(seed=seed, opened_us=OPENED_US)


def test_settled_rates_lie_where_those_of_february_lay() -> None:
    rates = [synthetic().funding_rate(OPENED_US // INTERVAL_US * INTERVAL_US + n * INTERVAL_US - 1) for n in range(400)]
    assert max(rates) == Decimal("0.0001")
    assert min(rates) > Decimal("-0.0002")
    assert sum(abs(rate) <= Decimal("0.0001") for rate in rates) > 340
    assert sum(rate < 0 for rate in rates) > 120
    assert sum(rate > 0 for rate in rates) > 120


def test_running_rate_is_republished_once_a_minute_and_settles_down() -> None:
    market, start_us = synthetic(), SETTLEMENT_US
    rates = [market.funding_rate(start_us + second * SECOND_US) for second in range(8 * HOUR_S)]
    changes = [second for second in range(1, len(rates)) if rates[second] != rates[second - 1]]
    assert all((after - before) % 60 == 0 for before, after in itertools.pairwise(changes))
    assert 100 < len(changes) <= 480
    early, late = set(rates[:1800]), set(rates[-1800:])
    assert max(late) - min(late) < max(early) - min(early)
    assert all(rate.as_tuple().exponent == -6 for rate in rates)


def test_at_the_instant_of_a_settlement_the_next_rate_is_published() -> None:
    differs = [
        synthetic(seed).funding_rate(SETTLEMENT_US - 1) != synthetic(seed).funding_rate(SETTLEMENT_US)
        for seed in range(20)
    ]
    assert sum(differs) > 10


def test_rate_hangs_on_the_seed_alone() -> None:
    one, same, other = synthetic(1), synthetic(1), synthetic(2)
    one.funding_rate(OPENED_US)
    at = [OPENED_US + n * 61 * SECOND_US for n in range(100)]
    assert [one.funding_rate(t) for t in at] == [same.funding_rate(t) for t in reversed(at)][::-1]
    assert [one.funding_rate(t) for t in at] != [other.funding_rate(t) for t in at]


def test_scripted_rate_holds_until_it_is_given_back() -> None:
    market, drawn = synthetic(), synthetic()
    market.script_funding(from_us=OPENED_US + 10, rate=Decimal("0.0001"))
    market.script_funding(from_us=SETTLEMENT_US, rate=Decimal("-0.0025"))
    market.script_funding(from_us=SETTLEMENT_US + 10, rate=None)
    found = [market.funding_rate(OPENED_US + 10), market.funding_rate(SETTLEMENT_US - 1)]
    assert found == [Decimal("0.0001"), Decimal("0.0001")]
    assert market.funding_rate(SETTLEMENT_US) == Decimal("-0.0025")
    for at_us in (OPENED_US + 9, SETTLEMENT_US + 10, SETTLEMENT_US + INTERVAL_US):
        assert market.funding_rate(at_us) == drawn.funding_rate(at_us)


@pytest.mark.parametrize("rate", ["0.0030001", "-0.0030001", "1"])
def test_scripted_rate_beyond_the_cap_is_refused(rate: str) -> None:
    with pytest.raises(ValueError, match="a funding rate lies within"):
        synthetic().script_funding(from_us=OPENED_US + 1, rate=Decimal(rate))


def test_scripted_rate_of_the_past_is_refused() -> None:
    market = synthetic()
    with pytest.raises(ValueError, match="begins after the present"):
        market.script_funding(from_us=OPENED_US, rate=Decimal(0))
    market.script_funding(from_us=OPENED_US + 10, rate=Decimal(0))
    with pytest.raises(ValueError, match="follow one another"):
        market.script_funding(from_us=OPENED_US + 9, rate=Decimal(0))


# The faces: the rate on hand is 0.0001 until 08:00, then -0.00005


def test_current_rate_says_what_runs_and_when_it_is_settled() -> None:
    desk = Desk()
    row = {
        "symbol": "BTCUSDT",
        "fundingRate": "0.0001",
        "fundingRateInterval": "8",
        "nextUpdate": str(SETTLEMENT_US // 1000),
        "minFundingRate": "-0.003",
        "maxFundingRate": "0.003",
    }
    assert desk.get(f"/api/v2/mix/market/current-fund-rate?{MARKET}", None) == [row]
    assert desk.get("/api/v2/mix/market/current-fund-rate?productType=USDT-FUTURES", None) == [row]
    assert desk.get("/api/v2/mix/market/current-fund-rate?productType=COIN-FUTURES", None) == []
    unknown = "/api/v2/mix/market/current-fund-rate?symbol=NOPEUSDT&productType=USDT-FUTURES"
    assert desk.code_of_get(unknown, None) == "40034 Parameter NOPEUSDT does not exist"


def test_at_the_instant_the_faces_show_the_next_rate_and_the_history_the_settled_one() -> None:
    desk = Desk()
    desk.wait(SETTLEMENT_S)
    [row] = desk.get(f"/api/v2/mix/market/current-fund-rate?{MARKET}", None)
    assert (row["fundingRate"], row["nextUpdate"]) == ("-0.00005", str((SETTLEMENT_US + INTERVAL_US) // 1000))
    [due] = desk.get(f"/api/v2/mix/market/funding-time?{MARKET}", None)
    assert due == {
        "symbol": "BTCUSDT",
        "nextFundingTime": str((SETTLEMENT_US + INTERVAL_US) // 1000),
        "ratePeriod": "8",
    }
    [newest] = desk.get(f"/api/v2/mix/market/history-fund-rate?{MARKET}&pageSize=1", None)
    assert newest == {"symbol": "BTCUSDT", "fundingRate": "0.0001", "fundingTime": str(SETTLEMENT_US // 1000)}
    [ticker] = desk.get(f"/api/v2/mix/market/ticker?{MARKET}", None)
    assert ticker["fundingRate"] == "-0.00005"


def test_history_of_rates_is_paged_newest_first() -> None:
    desk = Desk()
    path = f"/api/v2/mix/market/history-fund-rate?{MARKET}"
    first = desk.get(path, None)
    second = desk.get(f"{path}&pageNo=2", None)
    times = [int(row["fundingTime"]) for row in first + second]
    last_ms = DESK_OPENED_US // INTERVAL_US * INTERVAL_US // 1000
    assert times == [last_ms - n * INTERVAL_US // 1000 for n in range(40)]
    assert len(desk.get(f"{path}&pageSize=500", None)) == 100
    assert desk.get(f"{path}&pageNo=100", None) == []
    for wrong in ("0", "101"):
        assert desk.code_of_get(f"{path}&pageNo={wrong}", None).endswith("0 < pageNo <=100")


def test_bills_across_midnight_are_found_by_their_day() -> None:
    desk = Desk()
    desk.place(orderType="market", price=None)
    desk.wait(15 * HOUR_S)
    desk.get("/api/v2/public/time", None)
    midnight_ms = (SETTLEMENT_US + 2 * INTERVAL_US) // 1000
    bills = "/api/v2/mix/account/bill?productType=USDT-FUTURES&businessType=contract_settle_fee"
    desk.wait(8 * HOUR_S)
    rows = desk.get(bills)["bills"]
    assert [row["amount"] for row in rows] == ["0.00337499", "0.00337499", "-0.00674999"]
    assert [int(row["cTime"]) for row in rows] == [midnight_ms, midnight_ms - 28_800_000, midnight_ms - 57_600_000]
    assert all(row["fee"] == "0" and row["symbol"] == "BTCUSDT" for row in rows)
    [today] = desk.get(f"{bills}&startTime={midnight_ms}")["bills"]
    assert today["cTime"] == str(midnight_ms), "midnight belongs to the day that it begins"
    assert len(desk.get(f"{bills}&endTime={midnight_ms - 1}")["bills"]) == 2
    [position] = desk.get("/api/v2/mix/position/all-position?productType=USDT-FUTURES&marginCoin=USDT")
    assert Decimal(position["totalFee"]) == sum(Decimal(row["amount"]) for row in rows)
    assert desk.get(bills, OTHER)["bills"] == []
