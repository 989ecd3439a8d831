"""The socket's face as a state machine: text in, texts out, no loop and no socket."""

import json
from decimal import Decimal
from typing import Any

import pytest
from fake_on_hand import BOT, OPENED_US, OTHER, SECOND_US, HandMarket, argument, login_frame, subscribe_frame
from hypothesis import given, settings
from hypothesis import strategies as st

from botproof.events import OrderType, Side
from botproof.fakes.bitget.core.exchange import Exchange
from botproof.fakes.bitget.core.messages import CancelOrder, Outcome, PlaceOrder, SetPositionMode
from botproof.fakes.bitget.signing import keyring
from botproof.fakes.bitget.wire import DEFAULT_SWITCHES, FaceSwitches
from botproof.fakes.bitget.ws import Session

NOW_MS = OPENED_US // 1000
PRIVATE = ("account", "positions", "orders", "fill")


class Line:
    """A session, its exchange, and what it said, as JSON."""

    def __init__(self, *, private: bool, switches: FaceSwitches = DEFAULT_SWITCHES) -> None:
        self.market, self.now_us = HandMarket(), OPENED_US
        self.exchange = Exchange(market=self.market, seed=1, opened_us=OPENED_US)
        self.exchange.open_account("main", Decimal(1000))
        self.exchange.open_account("other", Decimal(1000))
        self.session = Session(
            exchange=self.exchange,
            ring=keyring([BOT, OTHER]),
            switches=switches,
            is_private=private,
            connection_id="c0ffee",
            opened_us=OPENED_US,
        )

    def say(self, text: str) -> list[Any]:
        frames = self.session.receive(text, self.now_us)
        return [json.loads(frame.text) if frame.text != "pong" else "pong" for frame in frames]

    def wait(self, microseconds: int) -> None:
        self.now_us += microseconds

    def act(self, command: Any, account: str = "main") -> list[Any]:
        self.exchange.advance(self.now_us)
        return self.hear(self.exchange.apply(account, command, self.now_us))

    def market_moves(self, bid: int) -> list[Any]:
        self.wait(SECOND_US)
        self.market.move(self.now_us, bid)
        return self.hear(self.exchange.advance(self.now_us))

    def hear(self, outcomes: list[Outcome]) -> list[Any]:
        return [json.loads(frame.text) for frame in self.session.report(outcomes, self.now_us)]

    def publish(self, channel: str) -> list[Any]:
        self.exchange.advance(self.now_us)
        return [json.loads(frame.text) for frame in self.session.publish(channel, self.now_us)]


@pytest.fixture
def public() -> Line:
    return Line(private=False)


@pytest.fixture
def private() -> Line:
    return Line(private=True)


@pytest.fixture
def subscribed(private: Line) -> Line:
    private.say(login_frame(BOT, OPENED_US))
    private.say(subscribe_frame(*PRIVATE))
    return private


def limit(**changes: Any) -> PlaceOrder:
    settings: dict[str, Any] = {
        "symbol": "BTCUSDT",
        "side": Side.BUY,
        "order_type": OrderType.LIMIT,
        "size": Decimal("0.001"),
        "price": Decimal(67000),
        "client_id": "bot1-a-1",
    }
    return PlaceOrder(**(settings | changes))


def market(**changes: Any) -> PlaceOrder:
    return limit(order_type=OrderType.MARKET, price=None, **changes)


def channels(frames: list[Any]) -> list[str]:
    return [frame["arg"]["channel"] for frame in frames]


def error(code: int, message: str) -> dict[str, Any]:
    return {"event": "error", "code": code, "msg": message}


# Login


@pytest.mark.parametrize("in_ms", [False, True])
def test_login_is_acknowledged_with_a_number_and_a_connection_id(private: Line, in_ms: bool) -> None:
    assert private.say(login_frame(BOT, OPENED_US, in_ms=in_ms)) == [{"event": "login", "code": 0, "connId": "c0ffee"}]
    assert private.session.account == "main"


def test_login_without_connection_id_is_a_switch() -> None:
    line = Line(private=True, switches=FaceSwitches(login_conn_id=False))
    assert line.say(login_frame(BOT, OPENED_US)) == [{"event": "login", "code": 0}]


def test_refused_login_leaves_the_connection_open(private: Line) -> None:
    assert private.say(login_frame(BOT, OPENED_US - 31 * SECOND_US)) == [error(30014, "Request timestamp expired")]
    assert not private.session.is_closing
    assert private.say(subscribe_frame("orders")) == [error(30004, "User not logged in/User must be logged in")]


def test_refused_login_closes_the_connection_where_the_switch_says_so() -> None:
    line = Line(private=True, switches=FaceSwitches(close_after_failed_login=True))
    line.say('{"op":"login","args":[{}]}')
    assert line.session.is_closing


@pytest.mark.parametrize("frame", ['{"op":"login","args":[]}', '{"op":"login","args":[{"apiKey":5}]}'])
def test_login_that_names_no_key_is_refused(private: Line, frame: str) -> None:
    assert private.say(frame) == [error(30011, "Invalid ACCESS_KEY")]


def test_login_on_the_public_socket_is_no_operation_there(public: Line) -> None:
    assert public.say(login_frame(BOT, OPENED_US)) == [error(30003, "INVALID op:login")]


# Subscriptions


def test_each_argument_is_answered_on_its_own_before_its_first_push(public: Line) -> None:
    bad = {"instType": "USDT-FUTURES", "channel": "books50", "instId": "BTCUSDT"}
    frame = json.dumps({"op": "subscribe", "args": [argument("ticker"), bad, argument("books1")], "url": "tolerated"})
    said = public.say(frame)
    assert [reply.get("event", reply.get("action")) for reply in said] == [
        "subscribe", "snapshot", "error", "subscribe", "snapshot",
    ]  # fmt: skip
    assert said[0] == {"event": "subscribe", "arg": argument("ticker")}
    assert said[2] == {"event": "error", "arg": bad, "code": 30016, "msg": "Param error", "op": "subscribe"}


def test_unknown_symbol_is_refused_with_the_live_text(public: Line) -> None:
    asked = {"instType": "USDT-FUTURES", "channel": "ticker", "instId": "NOPEUSDT"}
    assert public.say(json.dumps({"op": "subscribe", "args": [asked]})) == [
        {
            "event": "error",
            "arg": asked,
            "code": 30001,
            "msg": "instType:USDT-FUTURES,channel:ticker,instId:NOPEUSDT,precision:null doesn't exist",
            "op": "subscribe",
        }
    ]


@pytest.mark.parametrize("line", ["MC", "usdt-futures", ""])
def test_unknown_product_line_is_a_parameter_error(public: Line, line: str) -> None:
    asked = {"instType": line, "channel": "ticker", "instId": "BTCUSDT"}
    assert public.say(json.dumps({"op": "subscribe", "args": [asked]}))[0]["code"] == 30016


def test_symbol_under_another_product_line_is_acknowledged_and_silent(public: Line) -> None:
    asked = {"instType": "SPOT", "channel": "ticker", "instId": "BTCUSDT"}
    assert public.say(json.dumps({"op": "subscribe", "args": [asked]})) == [{"event": "subscribe", "arg": asked}]
    assert public.publish("ticker") == []


def test_lower_case_symbol_is_acknowledged_as_upper_case(public: Line) -> None:
    asked = argument("ticker") | {"instId": "btcusdt"}
    assert public.say(json.dumps({"op": "subscribe", "args": [asked]}))[0]["arg"] == argument("ticker")


def test_private_channel_on_the_public_socket_is_a_parameter_error(public: Line) -> None:
    assert public.say(subscribe_frame("orders"))[0]["code"] == 30016


def test_private_subscription_before_login_is_refused_without_its_argument(private: Line) -> None:
    refused = error(30004, "User not logged in/User must be logged in")
    assert private.say(subscribe_frame("orders", "account")) == [refused, refused]


def test_first_pushes_are_account_and_positions_and_nothing_on_orders_and_fill(private: Line) -> None:
    private.say(login_frame(BOT, OPENED_US))
    said = private.say(subscribe_frame(*PRIVATE))
    assert [(reply.get("event", "push"), reply["arg"]["channel"]) for reply in said] == [
        ("subscribe", "account"),
        ("push", "account"),
        ("subscribe", "positions"),
        ("push", "positions"),
        ("subscribe", "orders"),
        ("subscribe", "fill"),
    ]
    assert said[1] == {
        "action": "snapshot",
        "arg": {"instType": "USDT-FUTURES", "channel": "account", "coin": "default"},
        "data": [
            {
                "marginCoin": "USDT",
                "frozen": "0.00000000",
                "available": "1000.00000000",
                "maxOpenPosAvailable": "1000.00000000",
                "maxTransferOut": "1000.00000000",
                "equity": "1000.00000000",
                "usdtEquity": "1000.000000000000",
                "crossedRiskRate": "0",
                "unrealizedPL": "0.000000000000",
                "assetsMode": "single",
            }
        ],
        "ts": NOW_MS,
    }
    assert said[3]["data"] == []


def test_coin_as_selector_of_orders_is_taken_and_echoed(private: Line) -> None:
    private.say(login_frame(BOT, OPENED_US))
    asked = {"instType": "USDT-FUTURES", "channel": "orders", "coin": "default"}
    assert private.say(json.dumps({"op": "subscribe", "args": [asked]})) == [{"event": "subscribe", "arg": asked}]
    assert private.act(limit())[0]["arg"] == asked


@pytest.mark.parametrize("channel", ["positions", "account"])
def test_symbol_as_selector_of_positions_and_account_does_not_exist(private: Line, channel: str) -> None:
    private.say(login_frame(BOT, OPENED_US))
    asked = {"instType": "USDT-FUTURES", "channel": channel, "instId": "BTCUSDT"}
    assert private.say(json.dumps({"op": "subscribe", "args": [asked]}))[0]["code"] == 30001


@pytest.mark.parametrize(("taken", "answer"), [(True, "subscribe"), (False, "error")])
def test_symbol_as_selector_of_orders_is_a_switch(taken: bool, answer: str) -> None:
    line = Line(private=True, switches=FaceSwitches(symbol_selectors=taken))
    line.say(login_frame(BOT, OPENED_US))
    asked = {"instType": "USDT-FUTURES", "channel": "orders", "instId": "BTCUSDT"}
    assert line.say(json.dumps({"op": "subscribe", "args": [asked]}))[0]["event"] == answer


def test_second_subscription_is_acknowledged_with_a_fresh_snapshot_and_doubles_nothing(public: Line) -> None:
    for _ in range(2):
        said = public.say(subscribe_frame("books1"))
        assert [reply.get("event", "push") for reply in said] == ["subscribe", "push"]
    assert len(public.publish("books1")) == 1


def test_unsubscribed_channel_is_silent(public: Line) -> None:
    public.say(subscribe_frame("ticker"))
    assert len(public.publish("ticker")) == 1
    assert public.say(subscribe_frame("ticker", op="unsubscribe")) == [
        {"event": "unsubscribe", "arg": argument("ticker")}
    ]
    assert public.publish("ticker") == []


@pytest.mark.parametrize(
    "text", ["hello", "{}", '{"op":"ping"}', '{"op":"trade","args":[]}', '{"op":"subscribe","args":["x"]}', "[1]", ""]
)
def test_what_is_not_understood_is_quoted_back(public: Line, text: str) -> None:
    assert public.say(text) == [error(30002, f"Unrecognized request:{text}")]


# Heartbeat and rate


def test_text_ping_is_answered_and_noted(public: Line) -> None:
    public.wait(SECOND_US)
    assert public.say("ping") == ["pong"]
    assert public.session.last_ping_us == OPENED_US + SECOND_US


def test_other_messages_do_not_count_as_ping(public: Line) -> None:
    public.wait(SECOND_US)
    public.say(subscribe_frame("ticker"))
    assert public.session.last_ping_us == OPENED_US


def test_eleventh_message_within_a_second_is_refused_and_not_acted_on(public: Line) -> None:
    for _ in range(10):
        assert public.say("ping") == ["pong"]
    assert public.say(subscribe_frame("ticker")) == [error(30006, "request too many")]
    assert public.publish("ticker") == []
    public.wait(SECOND_US)
    assert public.say("ping") == ["pong"]


def test_ten_messages_each_second_are_within_the_limit(public: Line) -> None:
    for _ in range(5):
        assert [public.say("ping") for _ in range(10)] == [["pong"]] * 10
        public.wait(SECOND_US)


def test_client_that_goes_on_is_told_and_closed(public: Line) -> None:
    said = [public.say("ping")[0] for _ in range(21)]
    assert said[10:20] == [error(30006, "request too many")] * 10
    assert said[20] == error(30007, "request over limit,connection close")
    assert public.session.is_closing


# Public channels


def test_ticker_row_has_the_live_fields_all_strings(public: Line) -> None:
    public.say(subscribe_frame("ticker"))
    [push] = public.publish("ticker")
    [row] = push["data"]
    assert (push["action"], push["ts"]) == ("snapshot", NOW_MS)
    assert set(row) == {
        "instId", "lastPr", "bidPr", "askPr", "bidSz", "askSz", "open24h", "high24h", "low24h", "change24h",
        "fundingRate", "nextFundingTime", "markPrice", "indexPrice", "holdingAmount", "baseVolume", "quoteVolume",
        "openUtc", "symbolType", "symbol", "ts",
    }  # fmt: skip
    assert all(isinstance(value, str) for value in row.values())
    assert (row["nextFundingTime"], row["symbolType"]) == ("1771747200000", "1")  # 08:00 UTC of the day


def test_best_book_is_a_snapshot_every_time_with_rising_sequence(public: Line) -> None:
    first = public.say(subscribe_frame("books1"))[1]["data"][0]
    [push] = public.publish("books1")
    [row] = push["data"]
    assert (row["bids"], row["asks"], row["ts"]) == ([["67499.9", "0.1"]], [["67500", "0.1"]], str(NOW_MS))
    assert (push["action"], row["pseq"]) == ("snapshot", 0)
    assert row["seq"] > first["seq"]


def test_trades_come_once_newest_first(public: Line) -> None:
    public.wait(10 * SECOND_US)
    public.exchange.advance(public.now_us)
    snapshot = public.say(subscribe_frame("trade"))[1]
    assert snapshot["action"] == "snapshot"
    assert snapshot["data"][0] == {
        "ts": str(public.now_us // 1000),
        "price": "67500",
        "size": "0.012",
        "side": "buy",
        "tradeId": str(public.now_us),
    }
    times = [row["ts"] for row in snapshot["data"]]
    assert times == sorted(times, reverse=True)
    assert public.publish("trade") == []
    public.wait(2 * SECOND_US)
    [update] = public.publish("trade")
    assert (update["action"], len(update["data"])) == ("update", 2)


# Private channels


def test_resting_order_is_pushed_live_without_the_keys_of_a_fill(subscribed: Line) -> None:
    frames = subscribed.act(limit())
    assert channels(frames)[0] == "orders"
    [row] = frames[0]["data"]
    assert row == {
        "orderId": row["orderId"], "clientOid": "bot1-a-1", "instId": "BTCUSDT", "marginCoin": "USDT",
        "price": "67000", "size": "0.001", "accBaseVolume": "0", "notionalUsd": "67", "orderType": "limit",
        "force": "gtc", "side": "buy", "posSide": "net", "tradeSide": "buy_single", "posMode": "one_way_mode",
        "marginMode": "crossed", "leverage": "20", "reduceOnly": "no", "status": "live", "cancelReason": "",
        "enterPointSource": "API", "stpMode": "none", "totalProfits": "0",
        "feeDetail": [{"feeCoin": "USDT", "fee": "0.00000000"}], "presetStopSurplusExecutePrice": "",
        "presetStopSurplusType": "", "presetStopLossExecutePrice": "", "presetStopLossType": "",
        "cTime": str(NOW_MS), "uTime": str(NOW_MS),
    }  # fmt: skip
    assert channels(frames) == ["orders", "account"]


def test_one_match_is_pushed_as_orders_fill_positions_account(subscribed: Line) -> None:
    frames = subscribed.act(market())
    assert channels(frames) == ["orders", "orders", "fill", "positions", "account"]
    assert [frame["action"] for frame in frames] == ["snapshot"] * 5
    live, filled = frames[0]["data"][0], frames[1]["data"][0]
    assert (live["status"], live["price"], "tradeId" in live) == ("live", "0", False)
    assert (filled["status"], filled["accBaseVolume"], filled["baseVolume"]) == ("filled", "0.001", "0.001")
    assert (filled["fillPrice"], filled["fillNotionalUsd"], filled["priceAvg"]) == ("67500", "67.5", "67500")
    assert (filled["fillFee"], filled["fillFeeCoin"], filled["tradeScope"]) == ("-0.0405", "USDT", "T")
    assert (filled["fillTime"], filled["pnl"]) == (str(NOW_MS), "0")
    assert filled["feeDetail"] == [{"feeCoin": "USDT", "fee": "-0.0405"}]


def test_order_of_pushes_for_one_match_is_a_switch() -> None:
    backwards = ("account", "positions", "fill", "orders")
    line = Line(private=True, switches=FaceSwitches(push_order=backwards))
    line.say(login_frame(BOT, OPENED_US))
    line.say(subscribe_frame(*PRIVATE))
    assert channels(line.act(market())) == ["orders", *backwards]


def test_channel_left_out_of_the_order_of_pushes_is_never_pushed() -> None:
    line = Line(private=True, switches=FaceSwitches(push_order=("orders", "positions")))
    line.say(login_frame(BOT, OPENED_US))
    line.say(subscribe_frame(*PRIVATE))
    assert channels(line.act(market())) == ["orders", "orders", "positions"]


def test_fill_row_says_symbol_and_spells_the_scope_out(subscribed: Line) -> None:
    frames = subscribed.act(market())
    order, [row] = frames[1]["data"][0], frames[2]["data"]
    assert row == {
        "orderId": order["orderId"], "clientOid": "bot1-a-1", "tradeId": order["tradeId"], "symbol": "BTCUSDT",
        "side": "buy", "orderType": "market", "posMode": "one_way_mode", "tradeSide": "buy_single", "price": "67500",
        "baseVolume": "0.001", "quoteVolume": "67.5", "profit": "0", "tradeScope": "taker",
        "feeDetail": [{"feeCoin": "USDT", "deduction": "no", "totalDeductionFee": "0", "totalFee": "-0.0405"}],
        "cTime": str(NOW_MS), "uTime": str(NOW_MS),
    }  # fmt: skip


def test_position_row_carries_leverage_as_a_number(subscribed: Line) -> None:
    [row] = subscribed.act(market(side=Side.SELL))[3]["data"]
    assert row["leverage"] == 20
    assert all(isinstance(value, str) for name, value in row.items() if name != "leverage")
    assert (row["holdSide"], row["total"], row["available"], row["frozen"]) == ("short", "0.001", "0.001", "0")
    assert set(row) == {
        "posId", "instId", "marginCoin", "marginSize", "marginMode", "holdSide", "posMode", "total", "available",
        "frozen", "openPriceAvg", "leverage", "achievedProfits", "unrealizedPL", "unrealizedPLR", "liquidationPrice",
        "keepMarginRate", "marginRate", "breakEvenPrice", "totalFee", "deductedFee", "markPrice", "assetMode",
        "autoMargin", "cTime", "uTime",
    }  # fmt: skip


def test_closed_position_is_missing_from_the_list(subscribed: Line) -> None:
    subscribed.act(market())
    frames = subscribed.act(market(side=Side.SELL, reduce_only=True, client_id="exit"))
    assert frames[1]["data"][0]["reduceOnly"] == "yes"
    [positions] = [frame for frame in frames if frame["arg"]["channel"] == "positions"]
    assert positions["data"] == []


def test_hedge_positions_are_both_in_the_list(subscribed: Line) -> None:
    subscribed.act(SetPositionMode(mode="hedge_mode"))
    subscribed.act(market(trade_side="open"))
    subscribed.act(market(trade_side="open", side=Side.SELL, client_id="short"))
    frames = subscribed.act(market(trade_side="close", client_id="close"))
    [positions] = [frame for frame in frames if frame["arg"]["channel"] == "positions"]
    assert [row["holdSide"] for row in positions["data"]] == ["short"]


def test_partial_fills_are_pushed_one_by_one_with_their_own_volume(subscribed: Line) -> None:
    subscribed.act(limit(size=Decimal("0.15"), price=Decimal(67400)))
    first = subscribed.market_moves(673_999)
    second = subscribed.market_moves(673_998)
    rows = [frame["data"][0] for frame in (*first, *second) if frame["arg"]["channel"] == "orders"]
    assert [(row["status"], row["accBaseVolume"], row["baseVolume"]) for row in rows] == [
        ("partially_filled", "0.1", "0.1"),
        ("filled", "0.15", "0.05"),
    ]
    assert [row["tradeScope"] for row in rows] == ["M", "M"]
    assert rows[0]["tradeId"] != rows[1]["tradeId"]


def test_canceled_order_is_pushed_with_its_reason_and_no_fill(subscribed: Line) -> None:
    subscribed.act(limit())
    subscribed.wait(SECOND_US)
    [row] = subscribed.act(CancelOrder(symbol="BTCUSDT", client_id="bot1-a-1"))[0]["data"]
    assert (row["status"], row["cancelReason"]) == ("canceled", "normal_cancel")
    assert not {"tradeId", "fillPrice", "priceAvg"} & set(row)
    assert int(row["uTime"]) == int(row["cTime"]) + 1000


def test_post_only_that_would_cross_is_pushed_live_then_canceled(subscribed: Line) -> None:
    frames = subscribed.act(limit(price=Decimal(67500), force="post_only"))
    rows = [frame["data"][0]["status"] for frame in frames if frame["arg"]["channel"] == "orders"]
    assert rows == ["live", "canceled"]


def test_refused_command_is_not_pushed(subscribed: Line) -> None:
    assert subscribed.act(limit(size=Decimal(100))) == []


def test_another_account_is_not_pushed(subscribed: Line) -> None:
    assert subscribed.act(limit(), account="other") == []


def test_unsubscribed_private_channel_is_silent_and_the_others_go_on(subscribed: Line) -> None:
    subscribed.say(subscribe_frame("orders", op="unsubscribe"))
    assert channels(subscribed.act(market())) == ["fill", "positions", "account"]


# Anything at all

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=4)
WORDS = st.sampled_from(["USDT-FUTURES", "SPOT", "ticker", "trade", "orders", "account", "default", "BTCUSDT"])
ARGUMENTS = st.dictionaries(st.sampled_from(["instType", "channel", "instId", "coin", "apiKey", "sign"]), JSON | WORDS)
MESSAGES = st.builds(
    lambda op, args: json.dumps({"op": op, "args": args}),
    st.sampled_from(["login", "subscribe", "unsubscribe"]) | JSON,
    st.lists(ARGUMENTS) | JSON,
)


@settings(max_examples=100, deadline=None)
@given(private=st.booleans(), text=MESSAGES | st.text(st.characters(codec="utf-8")))
def test_whatever_a_client_says_is_answered_with_json(private: bool, text: str) -> None:
    line = Line(private=private)
    if private:
        line.say(login_frame(BOT, OPENED_US))
    line.say(text)


# Funding


def test_settlement_is_pushed_as_position_with_its_funding_and_account(subscribed: Line) -> None:
    subscribed.act(market())
    subscribed.wait(7 * 3600 * SECOND_US)
    frames = subscribed.hear(subscribed.exchange.advance(subscribed.now_us))
    assert channels(frames) == ["positions", "account"]
    [position], [account] = frames[0]["data"], frames[1]["data"]
    assert position["totalFee"] == "-0.00674999"
    assert position["uTime"] == str(subscribed.now_us // 1000)
    assert Decimal(account["equity"]) == Decimal("999.9595") - Decimal("0.0001") - Decimal("0.00674999")


def test_ticker_shows_the_next_rate_and_settlement_at_the_instant_of_one(public: Line) -> None:
    public.say(subscribe_frame("ticker"))
    public.wait(7 * 3600 * SECOND_US)
    [row] = public.publish("ticker")[0]["data"]
    assert row["fundingRate"] == "-0.00005"
    assert row["nextFundingTime"] == str((OPENED_US + 15 * 3600 * SECOND_US) // 1000)
