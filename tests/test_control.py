"""The control face without sockets: what it shows, what it does, what it refuses, and that nothing makes it raise."""

import json
from decimal import Decimal
from typing import Any

import pytest
from fake_on_hand import BOT, OPENED_US, SECOND_US, HandMarket, login_frame, order_body, signed, subscribe_frame
from hypothesis import given, settings
from hypothesis import strategies as st

from botproof.clock import ManualClock
from botproof.fakes.bitget.control.asked import BYTES_MAX
from botproof.fakes.bitget.control.calls import PREFIX, Control
from botproof.fakes.bitget.control.face import is_control, refusal
from botproof.fakes.bitget.core.exchange import Exchange
from botproof.fakes.bitget.journal import Journal
from botproof.fakes.bitget.market.synthetic import SyntheticMarket
from botproof.fakes.bitget.server import FakeBitget
from botproof.fakes.bitget.signing import keyring
from botproof.fakes.bitget.ws import Session

PLACE = "/api/v2/mix/order/place-order"
PENDING = "/api/v2/mix/order/orders-pending?productType=USDT-FUTURES"
TIME = "/api/v2/public/time"


class Bench:
    """A control face on a clock set by hand, and somebody who trades on its venue."""

    def __init__(self, *, volatility_percent: int = 0, is_recorded: bool = False) -> None:
        self.clock = ManualClock(OPENED_US)
        self._volatility_percent, self._is_recorded = volatility_percent, is_recorded
        self.control = Control(self._open, 1, Decimal(1000))

    def _open(self, seed: int, balance_usdt: Decimal) -> FakeBitget:
        now_us = self.clock.now_us()
        drawn = SyntheticMarket(seed=seed, opened_us=now_us, volatility_percent=self._volatility_percent)
        exchange = Exchange(market=HandMarket() if self._is_recorded else drawn, seed=seed, opened_us=now_us)
        exchange.open_account("main", balance_usdt)
        return FakeBitget(exchange, self.clock, [BOT], seed=seed, cadence="channel")

    def wait(self, seconds: int) -> None:
        self.clock.set_us(self.clock.now_us() + seconds * SECOND_US)

    def send(self, method: str, name: str, body: bytes = b"") -> tuple[int, Any]:
        reply = self.control.answer(method, f"{PREFIX}/{name}", body)
        return reply.status, json.loads(reply.body)

    def get(self, name: str) -> Any:
        status, told = self.send("GET", name)
        assert status == 200, told
        return told

    def post(self, name: str, **members: Any) -> Any:
        status, told = self.send("POST", name, json.dumps(members).encode())
        assert status == 200, told
        return told

    def refused(self, name: str, **members: Any) -> dict[str, str]:
        """The refusal of a POST, which has three parts and changed nothing."""
        before = self.get("state")
        status, told = self.send("POST", name, json.dumps(members).encode())
        assert status == 400, told
        assert set(told["refused"]) == {"expected", "found", "do"}
        assert all(told["refused"].values())
        assert self.get("state") == before
        return told["refused"]

    def ask(self, method: str, target: str, body: str = "") -> Any:
        """What the venue answers to a signed call: its envelope, or None where it never does."""
        headers = signed(BOT, self.clock.now_us(), method, target, body)
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        answer = self.control.faces.answer(method, target, raw, body.encode())
        return None if answer is None else json.loads(answer.body)

    def session(self, *, is_private: bool) -> Session:
        """A socket as the server opens it."""
        faces = self.control.faces
        return Session(
            exchange=faces.exchange,
            ring=keyring([BOT]),
            switches=faces.switches,
            is_private=is_private,
            connection_id="c0ffee",
            opened_us=self.clock.now_us(),
            skew=faces.skew,
        )

    def place(self, **changes: Any) -> Any:
        return self.ask("POST", PLACE, json.dumps(order_body(**changes)))


@pytest.fixture
def bench() -> Bench:
    return Bench()


# Looking


def test_index_lists_every_call_with_its_members(bench: Bench) -> None:
    listed = {call["call"]: call["members"] for call in bench.get("")["calls"]}
    assert "order_id" in listed[f"POST {PREFIX}/fill"]
    assert listed[f"GET {PREFIX}/state"] == []
    assert bench.send("GET", "/")[1] == bench.get("")


def test_state_shows_account_market_and_clock(bench: Bench) -> None:
    bench.place(clientOid="mine")
    state = bench.get("state")
    assert (state["seed"], state["now_us"], state["clock_offset_ms"]) == (1, OPENED_US, 0)
    assert state["market"]["symbol"] == "BTCUSDT"
    assert Decimal(state["market"]["bid"]) < Decimal(state["market"]["ask"])
    account = state["accounts"]["main"]
    assert (account["wallet"], account["positions"], account["orders"]) == ("1000", [], 1)
    assert [(order["client_id"], order["state"]) for order in account["open_orders"]] == [("mine", "live")]
    assert state["journal"]["calls"] == 1
    assert state["complaints"] == []


def test_state_complains_of_calls_that_the_fake_does_not_imitate(bench: Bench) -> None:
    bench.ask("POST", "/api/v2/mix/order/place-ordr", "{}")
    [complaint] = bench.get("state")["complaints"]
    assert "nearest known route is POST /api/v2/mix/order/place-order" in complaint


def test_seed_is_told(bench: Bench) -> None:
    assert bench.get("seed") == {"seed": 1}


# The journal


def test_journal_shows_the_newest_calls_oldest_first(bench: Bench) -> None:
    for number in range(3):
        bench.place(clientOid=f"c-{number}")
    assert [call["client_id"] for call in bench.get("journal")["entries"]] == ["c-0", "c-1", "c-2"]
    assert [call["client_id"] for call in bench.post("journal", limit=2)["entries"]] == ["c-1", "c-2"]
    assert [call["client_id"] for call in bench.post("journal", after_n=1)["entries"]] == ["c-2"]


def test_journal_finds_calls_by_what_they_asked_for(bench: Bench) -> None:
    bench.place(size="0.001", clientOid="small")
    bench.place(size="0.002", clientOid="large")
    bench.ask("GET", PENDING)
    found = bench.post("journal", method="POST", path=PLACE, params={"size": 0.002})
    assert (found["count"], [call["client_id"] for call in found["entries"]]) == (1, ["large"])
    assert bench.post("journal", params={"productType": "USDT-FUTURES"}, method="GET")["count"] == 1
    assert bench.post("journal", code="00000", status=200)["count"] == 3
    assert "nearest" not in found


def test_journal_shows_the_closest_call_and_what_differed(bench: Bench) -> None:
    bench.ask("GET", PENDING)
    bench.place(size="0.001", clientOid="mine")
    found = bench.post("journal", method="POST", path=PLACE, params={"size": "0.002", "side": "buy", "presetStop": "1"})
    assert (found["count"], found["entries"]) == (0, [])
    assert found["nearest"]["call"]["client_id"] == "mine"
    assert found["nearest"]["differs"] == [
        {"what": "params.size", "expected": "0.002", "found": "0.001"},
        {"what": "params.presetStop", "expected": "1", "found": None},
    ]


def test_closest_path_is_the_likest(bench: Bench) -> None:
    bench.ask("POST", "/api/v2/mix/order/place-ordr", "{}")
    bench.ask("GET", TIME)
    near = bench.post("journal", path=PLACE)["nearest"]
    assert near["call"]["path"] == "/api/v2/mix/order/place-ordr"
    assert [each["what"] for each in near["differs"]] == ["path"]


def test_latest_of_equally_close_calls_is_shown(bench: Bench) -> None:
    bench.place(clientOid="first")
    bench.place(clientOid="second")
    assert bench.post("journal", path=PLACE, code="40010")["nearest"]["call"]["client_id"] == "second"


def test_an_empty_journal_has_nothing_close(bench: Bench) -> None:
    assert bench.post("journal", path=PLACE) == {"kind": "call", "count": 0, "entries": [], "nearest": None}


def test_journal_shows_deeds_and_only_calls_can_be_asked_for_by_path(bench: Bench) -> None:
    bench.place(clientOid="mine")
    bench.post("fill", client_id="mine")
    [deed] = bench.post("journal", kind="deed")["entries"]
    assert (deed["command"], deed["client_id"], deed["code"]) == ("FillOrder", "mine", "00000")
    assert "calls alone" in bench.refused("journal", kind="deed", path=PLACE)["expected"]


def test_journal_that_runs_for_days_forgets_the_oldest_and_no_complaint(bench: Bench) -> None:
    journal = Journal(kept=3)
    bench.control.faces.journal = journal
    bench.ask("GET", "/api/v2/nowhere")
    for number in range(6):
        bench.place(clientOid=f"c-{number}")
    assert [call["n"] for call in bench.get("journal")["entries"]] == [3, 4, 5, 6]
    assert [call["client_id"] for call in bench.post("journal", after_n=4)["entries"]] == ["c-4", "c-5"]
    assert len(bench.get("state")["complaints"]) == 1


# Fills


def test_forced_fill_is_made_at_the_order_s_own_price_as_maker(bench: Bench) -> None:
    bench.place(clientOid="mine", price="66000", size="0.01")
    told = bench.post("fill", client_id="mine")
    [fill] = told["fills"]
    assert (fill["price"], fill["size"], fill["is_maker"], fill["fee"]) == ("66000", "0.01", True, "0.132")
    assert told["order"]["state"] == "filled"
    state = bench.get("state")
    [position] = state["accounts"]["main"]["positions"]
    assert (position["size"], position["entry_price"]) == ("0.01", "66000")
    assert state["complaints"] == []


def test_forced_fill_may_be_a_part_and_is_found_by_order_id(bench: Bench) -> None:
    order_id = bench.place(clientOid="mine", size="0.01")["data"]["orderId"]
    assert bench.post("fill", order_id=order_id, size="0.004")["order"]["state"] == "partially_filled"
    assert bench.post("fill", order_id=order_id, size=0.006)["order"]["state"] == "filled"
    assert bench.get("state")["accounts"]["main"]["fills"] == 2


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, "exactly one of order_id and client_id"),
        ({"client_id": "mine", "order_id": "1"}, "exactly one"),
        ({"client_id": "other"}, "client_id of an open order"),
        ({"client_id": ""}, "client_id of an open order"),
        ({"client_id": 7}, "a text"),
        ({"client_id": "mine", "size": "0.02"}, "0.0001 to 0.01"),
        ({"client_id": "mine", "size": 0}, "0.0001 to 0.01"),
        ({"client_id": "mine", "size": "0.00015"}, "multiple of 0.0001"),
        ({"client_id": "mine", "size": True}, "a number"),
        ({"client_id": "mine", "size": "1e-4"}, "a number"),
    ],
)
def test_fill_that_cannot_be_made_is_refused(bench: Bench, asked: dict[str, Any], expected: str) -> None:
    bench.place(clientOid="mine", size="0.01")
    assert expected in bench.refused("fill", **asked)["expected"]


def test_fill_of_a_finished_order_is_refused_with_its_state(bench: Bench) -> None:
    bench.place(clientOid="mine")
    bench.post("fill", client_id="mine")
    assert bench.refused("fill", client_id="mine")["found"] == "one that is filled"


def test_refused_fill_names_what_is_open(bench: Bench) -> None:
    bench.place(clientOid="mine")
    assert '"mine"' in bench.refused("fill", client_id="mime")["do"]


# The market


def bid(bench: Bench) -> Decimal:
    return Decimal(bench.get("state")["market"]["bid"])


def test_price_goes_where_it_is_sent_with_the_next_step(bench: Bench) -> None:
    told = bench.post("price", to_usdt="66000")
    assert (told["scripted"], told["settles_usdt"]) == ("price", "66000")
    bench.wait(1)
    assert abs(bid(bench) - 66000) <= Decimal("0.1")


def test_two_moves_within_one_step_end_where_the_second_says(bench: Bench) -> None:
    bench.post("price", to_usdt=66000)
    bench.post("price", to_usdt=67000)
    bench.wait(1)
    assert abs(bid(bench) - 67000) <= Decimal("0.2")


def test_price_falls_within_a_minute_and_recovers(bench: Bench) -> None:
    bench.post("price", change_percent=-0.4, over_s=60, recover_s=30)
    bench.wait(61)
    assert abs(bid(bench) - 67230) <= 20
    bench.wait(60)
    assert bid(bench) == 67500


def test_price_that_reaches_an_order_fills_it(bench: Bench) -> None:
    bench.place(clientOid="mine", price="66500")
    bench.post("price", to_usdt=66000)
    bench.wait(2)
    [position] = bench.get("state")["accounts"]["main"]["positions"]
    assert position["entry_price"] == "66500"


def test_mark_moves_alone(bench: Bench) -> None:
    before = bench.get("state")["market"]
    bench.post("mark", change_percent=1)
    bench.wait(1)
    after = bench.get("state")["market"]
    assert Decimal(after["mark"]) > Decimal(before["mark"]) * Decimal("1.009")
    assert after["bid"] == before["bid"]


def test_funding_is_scripted_and_given_back_to_chance(bench: Bench) -> None:
    bench.post("funding", rate_percent="0.05")
    bench.wait(1)
    assert bench.get("state")["market"]["funding_rate"] == "0.0005"
    bench.post("funding")
    bench.wait(1)
    assert bench.get("state")["market"]["funding_rate"] != "0.0005"


def test_empty_book_has_no_asks_for_as_long_as_it_is_said(bench: Bench) -> None:
    bench.post("book", share_percent=0, for_s=10, side="asks")
    bench.wait(2)
    assert bench.get("state")["market"]["ask"] is None
    assert bench.get("state")["market"]["bid"] is not None
    bench.wait(10)
    assert bench.get("state")["market"]["ask"] is not None


@pytest.mark.parametrize(
    ("name", "asked", "expected"),
    [
        ("price", {}, "exactly one of to_usdt and change_percent"),
        ("price", {"to_usdt": 66000, "change_percent": 1}, "exactly one"),
        ("price", {"to_usdt": "66,000"}, "a number"),
        ("price", {"to_usdt": 0}, "a number from 10"),
        ("price", {"to_usdt": 1e300}, "a number from 10"),
        ("price", {"to_usdt": 20}, "-99.9 % to 1000 %"),
        ("price", {"change_percent": -100}, "-99.9"),
        ("price", {"change_percent": 1, "over_s": -1}, "whole number"),
        ("price", {"change_percent": 1, "over_s": 1.5}, "whole number"),
        ("price", {"change_percent": 1, "over_s": 10**30}, "whole number"),
        ("price", {"change_percent": 1, "hold_s": 5}, "recover_s beside"),
        ("price", {"change_percent": 1, "recover_s": 0}, "a move that lasts"),
        ("price", {"change_percent": "1e-999999999"}, "a number"),
        ("mark", {"change": 1}, "members that this call knows"),
        ("funding", {"rate_percent": 0.31}, "-0.3 to 0.3"),
        ("book", {"share_percent": 101, "for_s": 1}, "0 to 100"),
        ("book", {"share_percent": 1}, "a member for_s"),
        ("book", {"share_percent": 1, "for_s": 1, "side": "buy"}, "asks, bids, both"),
    ],
)
def test_script_that_makes_no_sense_is_refused(bench: Bench, name: str, asked: dict[str, Any], expected: str) -> None:
    assert expected in bench.refused(name, **asked)["expected"]


def test_moves_that_would_carry_the_price_away_are_refused_together(bench: Bench) -> None:
    bench.post("price", change_percent=1000)
    bench.post("price", change_percent=900, over_s=3600)
    assert "once all moves are through" in bench.refused("price", change_percent=50)["expected"]
    bench.post("price", change_percent=-50)


def test_recovery_from_a_fall_counts_as_a_rise(bench: Bench) -> None:
    for _ in range(3):
        bench.post("price", change_percent=-99.9, hold_s=1, recover_s=60)
    bench.wait(2)
    assert "once all moves are through" in bench.refused("price", change_percent=1000, over_s=7200)["expected"]


def test_recorded_market_is_not_scripted() -> None:
    recorded = Bench(is_recorded=True)
    for name, asked in (("price", {"to_usdt": 66000}), ("funding", {}), ("book", {"share_percent": 0, "for_s": 1})):
        assert recorded.refused(name, **asked)["found"] == "a recorded one"


# The clock


@pytest.mark.parametrize("offset_ms", [31_000, -31_000])
def test_clock_that_is_off_expires_signed_calls_until_it_is_set_right(bench: Bench, offset_ms: int) -> None:
    assert bench.post("clock", offset_ms=offset_ms)["offset_ms"] == offset_ms
    assert bench.ask("GET", PENDING)["code"] == "40008"
    told = bench.ask("GET", TIME)
    told_ms = OPENED_US // 1000 + offset_ms
    assert (told["requestTime"], told["data"]["serverTime"]) == (told_ms, str(told_ms))
    bench.post("clock", offset_ms=0)
    assert bench.ask("GET", PENDING)["code"] == "00000"


def test_clock_within_the_tolerance_expires_nothing_and_hides_no_row(bench: Bench) -> None:
    bench.post("clock", offset_ms="-29000")
    bench.place(clientOid="mine")
    bench.wait(1)
    [order] = bench.ask("GET", PENDING)["data"]["entrustedList"]
    assert order["clientOid"] == "mine"
    assert order["cTime"] == str(OPENED_US // 1000)


@pytest.mark.parametrize("offset_ms", [31_000, -31_000])
def test_clock_that_is_off_shows_on_the_sockets_too(bench: Bench, offset_ms: int) -> None:
    told_ms = OPENED_US // 1000 + offset_ms
    bench.post("clock", offset_ms=offset_ms)
    public, private = bench.session(is_private=False), bench.session(is_private=True)
    frames = [json.loads(frame.text) for frame in public.receive(subscribe_frame("ticker", "books1"), OPENED_US)]
    pushed = [frame for frame in frames if "data" in frame]
    assert [(push["ts"], push["data"][0]["ts"]) for push in pushed] == [(told_ms, str(told_ms))] * 2
    [refused] = private.receive(login_frame(BOT, OPENED_US), OPENED_US)
    assert json.loads(refused.text)["code"] == 30014
    bench.post("clock", offset_ms=0)
    [accepted] = private.receive(login_frame(BOT, OPENED_US), OPENED_US)
    assert json.loads(accepted.text)["event"] == "login"


@pytest.mark.parametrize("offset_ms", [None, "", "x", 1.5, True, [], 86_400_001, -86_400_001, "1" * 400])
def test_clock_offset_that_is_none_is_refused(bench: Bench, offset_ms: Any) -> None:
    assert "offset_ms" in bench.refused("clock", offset_ms=offset_ms)["expected"]


# Answers


def codes(bench: Bench, count: int) -> list[str | None]:
    answers = [bench.place(clientOid=f"c-{number}") for number in range(count)]
    return [answer and answer["code"] for answer in answers]


def test_the_nth_call_is_refused_with_the_code_asked_for(bench: Bench) -> None:
    bench.post("answer", do="refuse", path=PLACE, nth=3, code="40010", message="busy", status=500)
    assert codes(bench, 4) == ["00000", "00000", "40010", "00000"]
    [fault] = bench.get("state")["faults"]
    assert (fault["seen"], fault["fired"], fault["left"]) == (3, 1, 0)


def test_answers_are_queued_by_the_number_of_the_call(bench: Bench) -> None:
    bench.post("answer", do="lose", path=PLACE, nth=1)
    bench.post("answer", do="drop", path=PLACE, nth=2)
    bench.post("answer", do="refuse", path=PLACE, nth=3, code="40010", times=2)
    assert codes(bench, 5) == [None, None, "40010", "40010", "00000"]
    assert bench.get("state")["accounts"]["main"]["orders"] == 2
    fates = [call["fate"] for call in bench.get("journal")["entries"]]
    assert fates == ["lost", "dropped", "refused", "refused", ""]


def test_delayed_answer_is_carried_out_at_once_and_held_back(bench: Bench) -> None:
    bench.post("answer", do="delay", path=PLACE, delay_ms=1500)
    body = json.dumps(order_body())
    headers = [(k.encode(), v.encode()) for k, v in signed(BOT, OPENED_US, "POST", PLACE, body).items()]
    answer = bench.control.faces.answer("POST", PLACE, headers, body.encode())
    assert answer is not None
    assert (answer.status, answer.after_us) == (200, 1_500_000)
    assert bench.get("state")["accounts"]["main"]["orders"] == 1
    assert bench.get("journal")["entries"][0]["fate"] == "delayed"


def test_answer_may_be_confined_to_a_key_and_last_for_good(bench: Bench) -> None:
    bench.post("answer", do="refuse", path=PLACE, code="1", api_key="somebody")
    bench.post("answer", do="refuse", path=PLACE, code="2", api_key=BOT.api_key, method="POST", times="always")
    assert codes(bench, 3) == ["2", "2", "2"]
    told = bench.post("mend")
    assert (told["lifted"], len(told["unfired"])) == (2, 1)
    assert codes(bench, 1) == ["00000"]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"path": PLACE}, "a member do"),
        ({"do": "lose"}, "a member path"),
        ({"do": "lsoe", "path": PLACE}, "delay, drop, lose, refuse"),
        ({"do": "lose", "path": "/api/v2/mix/order/place-ordr"}, "path as one of"),
        ({"do": "lose", "path": PLACE, "method": "GET"}, "method as one of POST"),
        ({"do": "lose", "path": PLACE, "nth": 0}, "from 1"),
        ({"do": "lose", "path": PLACE, "times": "forever"}, "whole number"),
        ({"do": "lose", "path": PLACE, "code": "40010"}, "no code where the call is to lose"),
        ({"do": "lose", "path": PLACE, "delay_ms": 5}, "no delay_ms"),
        ({"do": "refuse", "path": PLACE}, "a member code"),
        ({"do": "refuse", "path": PLACE, "code": "00000"}, "a refusal's code"),
        ({"do": "refuse", "path": PLACE, "code": 40010}, "a text"),
        ({"do": "refuse", "path": PLACE, "code": "1", "status": 700}, "200 to 599"),
        ({"do": "delay", "path": PLACE}, "a member delay_ms"),
    ],
)
def test_answer_that_could_never_be_given_is_refused(bench: Bench, asked: dict[str, Any], expected: str) -> None:
    assert expected in bench.refused("answer", **asked)["expected"]


def test_misspelt_path_is_refused_with_the_nearest(bench: Bench) -> None:
    told = bench.refused("answer", do="lose", path="/api/v2/mix/order/place-ordr")
    assert told["do"] == f"did you mean {PLACE}?"


def test_silenced_channel_says_nothing_for_a_while(bench: Bench) -> None:
    bench.post("silence", channel="ticker", for_s=31)
    faults = bench.control.faces.faults
    assert faults.silences("ticker", "", OPENED_US)
    assert not faults.silences("ticker", "", OPENED_US + 31 * SECOND_US)
    assert "orders" in bench.refused("silence", channel="tickers", for_s=1)["expected"]
    assert "for_s" in bench.refused("silence", channel="ticker")["expected"]


# Reset


def test_reset_brings_the_opening_state_back(bench: Bench) -> None:
    opening = bench.get("state")
    bench.place(clientOid="mine")
    bench.post("fill", client_id="mine")
    bench.post("answer", do="lose", path=PLACE)
    bench.post("clock", offset_ms=5000)
    assert bench.post("reset") == {"seed": 1, "balance_usdt": "1000", "hung_up": 0}
    assert bench.get("state") == opening
    assert bench.place(clientOid="mine")["code"] == "00000"


def test_reset_takes_another_seed_and_balance_and_keeps_them() -> None:
    bench = Bench(volatility_percent=100)
    bench.wait(600)
    one = bench.get("state")["market"]["bid"]
    bench.post("reset", seed=7, balance_usdt=20)
    bench.wait(600)
    state = bench.get("state")
    assert (state["seed"], state["accounts"]["main"]["wallet"]) == (7, "20")
    assert state["market"]["bid"] != one
    assert bench.post("reset")["seed"] == 7


@pytest.mark.parametrize("asked", [{"seed": -1}, {"seed": 2**63}, {"balance_usdt": 0}, {"balance": 5}, {"seed": "a"}])
def test_reset_to_nothing_sensible_is_refused(bench: Bench, asked: dict[str, Any]) -> None:
    bench.refused("reset", **asked)


# Refusals


@pytest.mark.parametrize(
    ("method", "name", "body", "status"),
    [
        ("GET", "sate", b"", 404),
        ("GET", "../api/v2/public/time", b"", 404),
        ("POST", "state", b"", 405),
        ("DELETE", "journal", b"", 405),
        ("GET", "state", b"{}", 400),
        ("GET", "state?seed=1", b"", 400),
        ("POST", "reset", b"seed=7", 400),
        ("POST", "reset", b"[7]", 400),
        ("POST", "reset", b"\xff", 400),
        ("POST", "reset", b"[" * 60_000, 400),
        ("POST", "reset", b'{"seed": NaN}', 400),
        ("POST", "reset", b'{"seed": ' + b"9" * 9_000 + b"}", 400),
        ("POST", "reset", b" " * (BYTES_MAX + 1), 413),
    ],
)
def test_request_that_is_none_is_refused(bench: Bench, method: str, name: str, body: bytes, status: int) -> None:
    found, told = bench.send(method, name, body)
    assert found == status
    assert set(told["refused"]) == {"expected", "found", "do"}


def test_unknown_call_names_the_nearest(bench: Bench) -> None:
    assert bench.send("POST", "rest")[1]["refused"]["do"] == "did you mean reset?"


# Who may drive it


def headers(**named: str) -> list[tuple[bytes, bytes]]:
    return [(name.replace("_", "-").encode(), value.encode()) for name, value in named.items()]


@pytest.mark.parametrize("host", ["127.0.0.1:8787", "127.0.0.1", "localhost:1", "LOCALHOST", "[::1]:8787", "[::1]"])
def test_program_on_this_machine_is_let_in(host: str) -> None:
    assert refusal(headers(Host=host)) is None
    assert refusal(headers(host=host, sec_fetch_site="none")) is None


@pytest.mark.parametrize(
    "named",
    [
        {},
        {"host": ""},
        {"host": "evil.example:8787"},
        {"host": "127.0.0.1.evil.example"},
        {"host": "localhost:8787.evil.example"},
        {"host": "127.0.0.1:8787", "origin": "https://evil.example"},
        {"host": "127.0.0.1:8787", "origin": "null"},
        {"host": "127.0.0.1:8787", "origin": "http://127.0.0.1:3000"},
        {"host": "127.0.0.1:8787", "sec_fetch_site": "cross-site"},
        {"host": "127.0.0.1:8787", "sec_fetch_site": "same-site"},
    ],
)
def test_page_from_elsewhere_is_kept_out(named: dict[str, str]) -> None:
    reply = refusal(headers(**named))
    assert reply is not None
    assert reply.status == 403
    assert set(json.loads(reply.body)["refused"]) == {"expected", "found", "do"}


@pytest.mark.parametrize("path", [PREFIX, f"{PREFIX}/", f"{PREFIX}/state", f"{PREFIX}/x/y"])
def test_control_has_paths_of_its_own(path: str) -> None:
    assert is_control(path)


@pytest.mark.parametrize("path", ["/", "/api/v2/public/time", f"{PREFIX}ler", f"/api{PREFIX}/state", "/v2/ws/public"])
def test_the_venue_keeps_its_own_paths(path: str) -> None:
    assert not is_control(path)


# Whatever is sent

NAMES = [
    *("state", "seed", "journal", "fill", "price", "mark", "funding", "book", "clock", "answer", "silence"),
    *("mend", "reset", "", "nothing"),
]
MEMBERS = [
    *("order_id", "client_id", "size", "to_usdt", "change_percent", "over_s", "hold_s", "recover_s", "rate_percent"),
    *("share_percent", "for_s", "side", "offset_ms", "do", "path", "method", "api_key", "nth", "times", "code"),
    *("message", "status", "delay_ms", "channel", "seed", "balance_usdt", "kind", "after_n", "limit"),
    *("params", "fate", "surprise"),
]
NUMBERS = st.one_of(st.integers(-(10**20), 10**20), st.floats(), st.integers(-5, 2_000), st.floats(-100, 100))
WORDS = st.sampled_from(
    ["refuse", "lose", "delay", "bids", "both", "ticker", "call", "push", "POST", PLACE, "mine", "1"]
)
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, NUMBERS.map(str), WORDS, st.text(max_size=20))
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)
BODIES = st.one_of(
    st.dictionaries(st.sampled_from(MEMBERS), JSON, max_size=5).map(lambda body: json.dumps(body).encode()),
    st.binary(max_size=40),
    JSON.map(lambda body: json.dumps(body).encode()),
)
REQUESTS = st.tuples(
    st.sampled_from(["GET", "POST", "PUT", "\0"]), st.sampled_from(NAMES) | st.text(max_size=12), BODIES
)


@settings(max_examples=60, deadline=None)
@given(st.lists(REQUESTS, max_size=12), st.integers(0, 90))
def test_nothing_that_is_sent_makes_it_raise_or_breaks_the_venue(requests: list[Any], seconds: int) -> None:
    bench = Bench(volatility_percent=100)
    bench.place(clientOid="mine")
    for method, name, body in requests:
        status, told = bench.send(method, name, body)
        assert status in (200, 400, 404, 405, 413)
        assert (status != 200) == (isinstance(told, dict) and "refused" in told)
        bench.wait(seconds)
    assert bench.get("state")["complaints"] == []
    assert bench.ask("GET", TIME)["code"] != ""


POINTED = st.one_of(
    st.tuples(st.just("price"), st.fixed_dictionaries({"change_percent": st.integers(-99, 1000)})),
    st.tuples(
        st.sampled_from(["price", "mark"]),
        st.fixed_dictionaries(
            {"to_usdt": st.integers(10, 10_000_000)},
            optional={"over_s": st.integers(0, 900), "hold_s": st.integers(0, 60), "recover_s": st.integers(0, 900)},
        ),
    ),
    st.tuples(
        st.just("book"), st.fixed_dictionaries({"share_percent": st.integers(0, 100), "for_s": st.integers(1, 99)})
    ),
    st.tuples(st.just("fill"), st.just({"client_id": "mine"})),
    st.tuples(st.just("clock"), st.fixed_dictionaries({"offset_ms": st.integers(-60_000, 60_000)})),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(POINTED, st.integers(0, 400)), max_size=15))
def test_money_adds_up_whatever_is_scripted(scripts: list[Any]) -> None:
    bench = Bench(volatility_percent=100)
    bench.place(clientOid="mine", price="66900", size="0.01")
    bench.place(clientOid="other", side="sell", price="68100", size="0.01")
    for (name, asked), seconds in scripts:
        bench.send("POST", name, json.dumps(asked).encode())
        bench.wait(seconds)
        assert bench.get("state")["complaints"] == []
    prices = bench.get("state")["market"]
    assert Decimal(10) <= Decimal(prices["last"]) <= 20_000_000
