"""What the reference bot's gates, limits and switch do in a run: on the real fake, over its faces, on virtual time."""

from collections.abc import Callable
from decimal import Decimal

import httpx
import pytest
from bot_floor import CANCEL, EPOCH_US, FEE_RATES, PLACE, PREFIX, Floor, profile

from botproof.bots.diary import DAY_US
from botproof.bots.gates import SECOND_US
from botproof.bots.reference import ReferenceBot
from botproof.events import OrderState, OrderType, Side
from botproof.fakes.bitget.core.messages import PlaceOrder

STEP = Decimal("0.0001")
MIDNIGHT_US = EPOCH_US // DAY_US * DAY_US + DAY_US


def to(path: str) -> Callable[[httpx.Request], bool]:
    return lambda request: request.url.path == path


def with_position(floor: Floor) -> Floor:
    """A buy is filled and its take-profit rests."""
    floor.start(10).move("-0.0036")
    floor.until(lambda: bool(floor.exits))
    return floor


def trip(floor: Floor) -> None:
    """The price falls onto the buy quote, and the operator's hand brings it back through the take-profit."""
    floor.until(lambda: len(floor.open_orders) == 2, 400)
    filled = len(floor.fills)
    floor.move("-0.0036", 2)
    floor.until(lambda: len(floor.fills) == filled + 1, 20)
    floor.until(lambda: any(order.reduce_only for order in floor.open_orders), 20)
    floor.move("0.0046", 2)
    floor.until(lambda: len(floor.fills) == filled + 2, 30)


def traded(floor: Floor) -> Decimal:
    return sum((fill.price * fill.size for fill in floor.fills), Decimal(0))


def all_reasons(floor: Floor) -> set[str]:
    return {reason for _, reasons in floor.record.states for reason in reasons}


def by_hand(floor: Floor, side: Side, size: str = "0.0001") -> None:
    order = PlaceOrder(
        symbol="BTCUSDT", side=side, order_type=OrderType.MARKET, size=Decimal(size), client_id=f"hand-{side}"
    )
    floor.command(order)


# fees


def test_the_rows_carry_the_accounts_own_rates() -> None:
    with Floor() as floor:
        floor.start(10)
        row = floor.record.minutes[-1]
        assert (row["fee_source"], row["maker_fee_pct"], row["taker_fee_pct"]) == ("api:trade-rate", "0.0002", "0.0006")


@pytest.mark.parametrize("failure", ["refuses", "loses_request"])
def test_without_its_fee_rates_a_bot_that_wants_them_sends_no_order_and_still_writes_its_rows(failure: str) -> None:
    with Floor() as floor:
        setattr(floor.line, failure, to(FEE_RATES))
        floor.start(400)
        assert floor.calls(PLACE) == []
        assert floor.record.states[-1] == ("hard_stop", ("fee_unresolved",))
        assert len(floor.record.minutes) == 7
        assert {row["state"] for row in floor.record.minutes} == {"hard_stop"}


def test_fees_that_come_later_help_only_after_the_operator_has_resumed() -> None:
    with Floor() as floor:
        floor.line.refuses = to(FEE_RATES)
        floor.start(30)
        floor.line.refuses = lambda _: False
        floor.pass_time(400)
        assert floor.calls(PLACE) == []
        floor.bot.operate("resume")
        floor.until(lambda: len(floor.open_orders) == 2, 10)


def test_a_resume_without_fees_stops_again() -> None:
    with Floor() as floor:
        floor.line.refuses = to(FEE_RATES)
        floor.start(30)
        floor.bot.operate("resume")
        floor.pass_time(60)
        assert floor.record.states[-1] == ("hard_stop", ("fee_unresolved",))
        assert floor.calls(PLACE) == []


def test_a_bot_that_may_do_without_its_fee_rates_takes_the_contracts() -> None:
    with Floor(settings=profile(require_fee_resolution=False)) as floor:
        floor.line.refuses = to(FEE_RATES)
        floor.start(30)
        assert len(floor.open_orders) == 2
        assert floor.record.minutes[-1]["fee_source"] == "connector:contracts"


def test_one_lost_answer_is_no_unresolved_fee() -> None:
    with Floor() as floor:
        lost: list[httpx.Request] = []

        def first(request: httpx.Request) -> bool:
            if request.url.path != FEE_RATES or lost:
                return False
            lost.append(request)
            return True

        floor.line.loses_request = first
        floor.start(30)
        assert len(floor.open_orders) == 2


# turnover


def test_after_two_round_trips_the_turnover_cap_lets_no_entry_pass_until_midnight() -> None:
    with Floor(deposit=20, epoch_us=MIDNIGHT_US - 1800 * SECOND_US) as floor:
        floor.start()
        trip(floor)
        trip(floor)
        placed = len(floor.calls(PLACE))
        floor.until(lambda: floor.record.states[-1] == ("soft_pause", ("turnover_cap",)), 300)
        assert 26 < traded(floor) < 28
        floor.pass_time(900)
        assert len(floor.calls(PLACE)) == placed
        assert "turnover_cap" in floor.record.minutes[-1]["risk_reasons"]
        floor.until(lambda: len(floor.open_orders) == 2, 1800)
        assert floor.orders[-1].created_us >= MIDNIGHT_US
        floor.pass_time(65)
        row = floor.record.minutes[-1]
        assert (row["fills_count_today"], row["turnover_today_x"], row["fees_paid_today_quote"]) == ("0", "0", "0")


def test_what_others_traded_on_the_account_today_counts_against_the_cap() -> None:
    with Floor() as floor:
        by_hand(floor, Side.BUY, "0.0002")
        by_hand(floor, Side.SELL, "0.0002")  # 27 USDT
        floor.start(60)
        assert floor.calls(PLACE) == []
        assert floor.record.states[-1] == ("soft_pause", ("turnover_cap",))


def test_an_entry_that_still_fits_under_the_cap_is_sent_and_the_other_is_not() -> None:
    with Floor() as floor:
        by_hand(floor, Side.BUY, "0.0001")
        by_hand(floor, Side.SELL, "0.0001")
        floor.start(60)
        assert len(floor.open_orders) == 2  # 13.5 + 13.5
        with Floor(settings=profile(turnover_cap_x=Decimal("1.1"))) as tighter:
            by_hand(tighter, Side.BUY, "0.0001")
            by_hand(tighter, Side.SELL, "0.0001")
            tighter.start(60)
            assert [order.side for order in tighter.open_orders] == [Side.BUY]
            assert tighter.record.states == [("running", ("turnover_cap",))]


def test_turnover_beyond_the_hard_limit_stops_the_bot() -> None:
    with Floor() as floor:
        by_hand(floor, Side.BUY, "0.0010")
        by_hand(floor, Side.SELL, "0.0010")  # 135 USDT of 120
        floor.start(60)
        assert floor.record.states[-1][0] == "hard_stop"
        assert "turnover_hard" in floor.record.states[-1][1]
        assert floor.calls(PLACE) == []


# loss


def test_an_entry_that_could_exceed_the_days_loss_is_not_sent() -> None:
    with Floor() as floor:
        by_hand(floor, Side.BUY, "0.0010")
        floor.move("-0.0070", 5)
        floor.pass_time(10)
        by_hand(floor, Side.SELL, "0.0010")  # about 0.55 of 0.60 USDT lost, fees included
        settings = floor.context.profile
        assert settings.total_amount_quote == 20
        floor.bot = ReferenceBot(floor.context)
        floor.bot.breaches = lambda: tuple(r for r in floor.bot.guard.breaches() if r != "turnover_hard")
        floor.bot.turnover_room = lambda: Decimal(1000)
        floor.start(60)
        assert floor.record.states[-1] == ("running", ("loss_projected",))
        assert len(floor.open_orders) == 1  # of 0.04 USDT at worst


def test_a_loss_of_this_morning_stops_the_bot_before_its_first_order() -> None:
    with Floor() as floor:
        by_hand(floor, Side.BUY, "0.0010")
        floor.move("-0.01", 5)
        floor.pass_time(10)
        by_hand(floor, Side.SELL, "0.0010")
        floor.start(60)
        state, reasons = floor.record.states[-1]
        assert state == "hard_stop"
        assert "daily_loss" in reasons
        assert floor.calls(PLACE) == []
        assert Decimal(floor.record.minutes[-1]["daily_loss_pct"]) > 0


# the budget of cancels


def sent_us(floor: Floor) -> list[int]:
    return [call.at_us for call in floor.calls(CANCEL)]


def most_in_a_minute(sent: list[int]) -> int:
    return max(sum(1 for other in sent if at_us - 60 * SECOND_US <= other <= at_us) for at_us in sent)


@pytest.mark.parametrize("budget", [3, 7, 20])
def test_a_fast_refresh_reaches_the_budget_and_stays_within_it(budget: int) -> None:
    with Floor(settings=profile(executor_refresh_time=5, cancel_budget_per_min=budget)) as floor:
        floor.start(600)
        assert budget - 2 <= most_in_a_minute(sent_us(floor)) <= budget
        assert ("soft_pause", ("cancel_budget",)) in floor.record.states
        assert any("cancel_budget" in row["risk_reasons"] for row in floor.record.minutes)
        floor.stop()
        assert most_in_a_minute(sent_us(floor)) <= budget


def test_a_budget_that_could_not_take_the_quotes_back_lets_none_out() -> None:
    with Floor(settings=profile(cancel_budget_per_min=2)) as floor:
        floor.start(300)
        assert floor.calls(PLACE) == []
        assert floor.record.states[-1] == ("soft_pause", ("cancel_budget",))


def test_refused_cancels_are_retried_without_a_shower_and_stop_the_bot_at_the_eighth() -> None:
    with Floor() as floor:
        floor.start(20)
        floor.line.refuses = to(CANCEL)
        floor.rest("hand-1", Side.BUY, "66000")  # makes the bot withdraw its quotes
        floor.pass_time(60)
        assert floor.record.states[-1][0] == "hard_stop"
        assert "cancels_refused" in floor.record.states[-1][1]
        assert floor.line.refused <= 16
        floor.line.refuses = lambda _: False
        floor.until(lambda: [order.client_id for order in floor.open_orders] == ["hand-1"], 40)
        floor.pass_time(100)
        assert floor.record.states[-1][0] == "hard_stop"


def test_cancels_whose_answers_are_lost_stay_within_the_budget() -> None:
    with Floor() as floor:
        floor.start(20)
        sent: list[int] = []

        def loses(request: httpx.Request) -> bool:
            if request.url.path == CANCEL:
                sent.append(floor.world.clock.now_us())
            return request.url.path == CANCEL

        floor.line.loses_request = loses
        floor.rest("hand-1", Side.BUY, "66000")
        floor.pass_time(300)
        assert most_in_a_minute(sent) <= 20
        assert "cancels_refused" in all_reasons(floor)


# the operator


def test_an_operators_stop_cancels_flattens_and_stays_until_he_resumes() -> None:
    with with_position(Floor()) as floor:
        floor.bot.operate("stop")
        floor.until(lambda: floor.position == 0, 5)
        assert floor.open_orders == []
        assert floor.exits[-1].order_type is OrderType.MARKET
        placed = len(floor.calls(PLACE))
        floor.pass_time(300)
        assert len(floor.calls(PLACE)) == placed
        assert floor.record.states[-1] == ("hard_stop", ("operator",))
        assert floor.record.minutes[-1]["state"] == "hard_stop"
        floor.bot.operate("resume")
        floor.until(lambda: len(floor.open_orders) == 2, 10)
        floor.pass_time(1)
        assert floor.record.states[-1] == ("running", ())


def test_an_operators_stop_is_told_at_once() -> None:
    with with_position(Floor()) as floor:
        floor.pass_time(1)
        floor.bot.operate("stop")
        floor.pass_time(Decimal("0.001"))
        assert floor.record.states[-1][0] == "hard_stop"


def test_a_resume_without_a_stop_changes_nothing() -> None:
    with Floor() as floor:
        floor.start(30)
        floor.bot.operate("resume")
        floor.pass_time(30)
        assert floor.record.states == [("running", ())]


def test_a_cause_that_still_holds_stops_the_bot_again() -> None:
    with Floor(settings=profile(enabled=False)) as floor:
        floor.start(10)
        floor.bot.operate("resume")
        floor.pass_time(30)
        assert floor.record.states[-1] == ("hard_stop", ("profile_disabled",))
        assert floor.calls(PLACE) == []


def test_an_operator_knows_two_words() -> None:
    with Floor() as floor, pytest.raises(ValueError, match="stop or resume"):
        floor.bot.operate("pause")


# the edge


def test_a_drift_shuts_the_gate_and_a_calm_market_opens_it_again() -> None:
    with Floor() as floor:
        floor.start(70).move("0.0025", 20)
        floor.until(lambda: "edge_gate_blocked" in all_reasons(floor), 60)
        assert floor.record.states[-1] == ("soft_pause", ("edge_gate_blocked",))
        floor.until(lambda: floor.record.minutes[-1]["soft_pause_edge"] == "True", 60)
        shut = [row for row in floor.record.minutes if row["soft_pause_edge"] == "True"]
        assert all("edge_gate_blocked" in row["risk_reasons"] for row in shut)
        floor.until(lambda: floor.record.states[-1] == ("running", ()), 240)
        floor.pass_time(61)
        assert floor.record.minutes[-1]["soft_pause_edge"] == "False"


# restart


def test_a_restarted_bot_clears_its_quotes_and_quotes_again_under_its_new_names() -> None:
    with Floor() as floor:
        floor.start(30).restart(30)
        assert floor.open_orders == []
        floor.pass_time(30)
        assert [order.client_id for order in floor.open_orders] == [f"{PREFIX}r2-1", f"{PREFIX}r2-2"]
        assert [order.state for order in floor.orders[:2]] == [OrderState.CANCELED] * 2
        floor.restart(60, start=3)
        assert [order.client_id for order in floor.open_orders] == [f"{PREFIX}r3-1", f"{PREFIX}r3-2"]


def test_a_restarted_bot_keeps_its_position_its_exit_and_its_time_limit() -> None:
    with with_position(Floor()) as floor:
        floor.restart(30)
        assert floor.open_orders == floor.exits
        assert len(floor.exits) == 1
        assert len(floor.record.fills) == 1
        assert "inherited_position" not in all_reasons(floor)
        floor.until(lambda: len(floor.exits) == 2, 700)
        assert 600_000_000 <= floor.exits[1].created_us - floor.fills[0].at_us <= 602_000_000
        floor.pass_time(5)
        assert floor.position == 0


def test_a_position_opened_while_the_bot_was_dead_is_its_own_and_exited_at_once() -> None:
    with Floor() as floor:
        floor.start(30)
        floor.world.run(floor._kill())
        floor.move("-0.0036")
        floor.pass_time(10)
        floor.restart(6)
        assert floor.position == STEP
        assert [row["exchange_trade_id"] for row in floor.record.fills] == [floor.fills[0].trade_id]
        assert [order.reduce_only for order in floor.open_orders] == [True]
        row = floor.record.minutes[-1]
        assert (row["fills_count_today"], row["position_base"]) == ("1", "0.0001")


def test_a_stop_due_while_the_bot_was_dead_is_done_at_once() -> None:
    with with_position(Floor()) as floor:
        floor.world.run(floor._kill())
        floor.move("-0.006")
        floor.pass_time(10)
        floor.restart(5)
        assert floor.position == 0
        assert floor.exits[-1].order_type is OrderType.MARKET
        assert floor.exits[-1].created_us > floor.exits[0].updated_us


def test_counters_of_the_day_go_on_after_a_restart() -> None:
    with Floor() as floor:
        floor.start()
        trip(floor)
        floor.pass_time(5)
        floor.restart(130)
        row = floor.record.minutes[-1]
        assert row["fills_count_today"] == "2" == str(len(floor.record.fills))
        fees = sum(Decimal(fill["fee_quote"]) for fill in floor.record.fills)
        assert Decimal(row["fees_paid_today_quote"]) == fees
        notional = sum(Decimal(fill["notional_quote"]) for fill in floor.record.fills)
        assert abs(Decimal(row["turnover_today_x"]) * Decimal(row["equity_quote"]) / notional - 1) < Decimal("1e-6")
        assert 0 <= Decimal(row["daily_loss_pct"]) <= Decimal(row["drawdown_pct"])


def test_a_restart_across_midnight_keeps_the_position_and_begins_a_new_day() -> None:
    with Floor(epoch_us=MIDNIGHT_US - 60 * SECOND_US) as floor:
        with_position(floor)
        floor.world.run(floor._kill())
        floor.pass_time(60)
        floor.restart(10)
        assert floor.open_orders == floor.exits
        assert floor.record.minutes[-1]["fills_count_today"] == "0"
        assert len(floor.record.fills) == 1
        assert floor.bot.desk.day.traded_usdt == 0
        floor.stop()
        assert floor.position == 0


def test_a_request_in_flight_when_the_bot_died_is_looked_for_before_anything_new_is_quoted() -> None:
    with Floor() as floor:
        floor.start(5)
        floor.line.loses_answer = to(PLACE)
        floor.world.run(floor._kill())
        floor.line.loses_answer = lambda _: False
        floor.restart(5)
        floor.rest(f"{PREFIX}3", Side.BUY, "67000")  # what was on its way lands now
        floor.pass_time(5)
        assert floor.open_orders == []
        asked = {call.client_id for call in floor.calls("/api/v2/mix/order/detail")}
        assert {f"{PREFIX}3", f"{PREFIX}4", f"{PREFIX}5"} <= asked
        floor.pass_time(60)
        assert all(order.created_us > EPOCH_US + 40 * SECOND_US for order in floor.orders if "r2-" in order.client_id)


def test_a_position_of_somebody_else_stays_inherited_after_a_restart() -> None:
    with Floor() as floor:
        by_hand(floor, Side.BUY)
        floor.start(30).restart(60)
        assert floor.position == STEP
        assert floor.calls(PLACE) == []
        assert ("soft_pause", ("inherited_position",)) in [(s, tuple(r[:1])) for s, r in floor.record.states]


def test_cancels_of_the_earlier_start_count_against_the_budget() -> None:
    settings = profile(executor_refresh_time=5, cancel_budget_per_min=20)
    with Floor(settings=settings) as floor:
        floor.start(44).restart(120)
        assert most_in_a_minute(sent_us(floor)) <= 20
        floor.restart(200, start=3)
        assert most_in_a_minute(sent_us(floor)) <= 20


# every reason is told


def test_a_pause_and_a_stop_never_come_without_a_reason() -> None:
    with Floor(volatility_percent=600, seed=4, deposit=20) as floor:
        floor.start(1800)
        floor.bot.operate("stop")
        floor.pass_time(120)
        assert all(reasons for state, reasons in floor.record.states if state != "running")
        assert all(row["risk_reasons"] for row in floor.record.minutes if row["state"] != "running")
