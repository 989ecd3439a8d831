"""Faults of the faces: what each does to a call, which calls it takes, what is put on record, and who is told."""

import asyncio
import json
from decimal import Decimal
from typing import Any

import httpx
import pytest
from fake_on_hand import (
    BOT,
    OPENED_US,
    OTHER,
    WATCHER,
    Desk,
    HandMarket,
    open_fake,
    order_body,
    signed,
    subscribe_frame,
)

from botproof.clock import ManualClock, SystemClock
from botproof.fakes.bitget.faults import FAULTS, Armed, Delay, Drop, Lose, Refuse, Silence
from botproof.fakes.bitget.journal import DELAYED, DROPPED, LOST, REFUSED
from botproof.fakes.bitget.wire import Answer

PLACE = "/api/v2/mix/order/place-order"
CANCEL = "/api/v2/mix/order/cancel-order"
TIME = "/api/v2/public/time"
PENDING = "/api/v2/mix/order/orders-pending?productType=USDT-FUTURES"
BUSY = Refuse(path=PLACE, code="40725", message="service return an error", status=500)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def ask(desk: Desk, **changes: Any) -> bytes | None:
    """The body of the answer to a place-order call, None where there is none."""
    answer = answered(desk, **changes)
    return None if answer is None else answer.body


def answered(desk: Desk, **changes: Any) -> Answer | None:
    """The answer to a place-order call, None where there is none."""
    body = json.dumps(order_body(**changes))
    headers = signed(BOT, desk.clock.now_us(), "POST", PLACE, body)
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    return desk.fake.answer("POST", PLACE, raw, body.encode())


def test_table_names_every_fault() -> None:
    assert {name: fault.name for name, fault in FAULTS.items()} == {name: name for name in FAULTS}
    assert set(FAULTS) == {"refuse", "lose", "drop", "delay", "silence"}


# Refuse


def test_refused_call_gets_the_code_and_is_not_carried_out(desk: Desk) -> None:
    armed = desk.fake.arm(BUSY)
    status, envelope = desk.try_post(PLACE, order_body(clientOid="mine"))
    assert (status, envelope["code"], envelope["msg"]) == (500, "40725", "service return an error")
    assert desk.get(PENDING)["entrustedList"] is None
    assert (armed.fired, armed.left, armed.fired_us) == (1, 0, [OPENED_US])
    assert desk.place(clientOid="mine")["clientOid"] == "mine", "the next one passes"


def test_fault_takes_as_many_calls_as_it_was_armed_for(desk: Desk) -> None:
    armed = desk.fake.arm(Refuse(path=PLACE, code="45001", message="Unknown error", times=3))
    codes = [desk.try_post(PLACE, order_body())[1]["code"] for _ in range(5)]
    assert codes == ["45001"] * 3 + ["00000"] * 2
    assert (armed.fired, armed.left) == (3, 0)


def test_fault_takes_only_calls_of_its_path_method_and_key(desk: Desk) -> None:
    armed = desk.fake.arm(Refuse(path=PLACE, method="POST", api_key=BOT.api_key, code="45001", message=""))
    desk.get(PENDING)
    desk.place(key=OTHER)
    assert armed.fired == 0
    assert desk.try_post(PLACE, order_body())[1]["code"] == "45001"
    other_method = desk.fake.arm(Refuse(path=TIME, method="POST", code="45001", message=""))
    desk.get(TIME, None)
    assert other_method.fired == 0


def test_fault_on_a_public_route_needs_no_key(desk: Desk) -> None:
    desk.fake.arm(Refuse(path=TIME, code="429", message="Too Many Requests", status=429))
    assert desk.send("GET", TIME, {})[0] == 429
    desk.fake.arm(Refuse(path=TIME, code="45001", message="", api_key=BOT.api_key))
    assert desk.send("GET", TIME, {})[0] == 200


def test_call_that_fails_the_gate_uses_no_fault_up(desk: Desk) -> None:
    armed = desk.fake.arm(BUSY)
    body = json.dumps(order_body())
    assert desk.send("POST", PLACE, signed(BOT, OPENED_US, "POST", "/elsewhere", body), body)[1]["code"] == "40009"
    assert desk.code_of_post(PLACE, order_body(), WATCHER).startswith("40014")
    assert (armed.fired, armed.left) == (0, 1)


def test_faults_strike_in_the_order_in_which_they_were_armed(desk: Desk) -> None:
    desk.fake.arm(Refuse(path=PLACE, code="45001", message=""))
    desk.fake.arm(BUSY)
    assert [desk.try_post(PLACE, order_body())[1]["code"] for _ in range(3)] == ["45001", "40725", "00000"]


def test_lifted_fault_strikes_no_more(desk: Desk) -> None:
    armed = desk.fake.arm(BUSY)
    desk.fake.faults.lift(armed)
    assert desk.place()["orderId"]
    assert (armed.fired, armed.left) == (0, 0)


# Lose and drop


def test_lost_call_is_carried_out_and_never_answered(desk: Desk) -> None:
    armed = desk.fake.arm(Lose(path=PLACE))
    assert ask(desk, clientOid="mine") is None
    [order] = desk.get(PENDING)["entrustedList"]
    assert order["clientOid"] == "mine"
    assert (armed.fired, armed.left) == (1, 0)
    assert ask(desk) is not None


def test_lost_call_that_the_exchange_refuses_is_not_answered_either(desk: Desk) -> None:
    desk.fake.arm(Lose(path=PLACE))
    assert ask(desk, size="0.00001", clientOid="mine") is None
    [call] = desk.fake.journal.calls
    assert (call.status, call.code, call.fate, call.client_id) == (400, "40808", LOST, "mine")


def test_dropped_call_is_neither_carried_out_nor_answered(desk: Desk) -> None:
    armed = desk.fake.arm(Drop(path=PLACE))
    assert ask(desk, clientOid="mine") is None
    assert desk.get(PENDING)["entrustedList"] is None
    assert armed.fired == 1


def test_journal_keeps_what_became_of_each_call(desk: Desk) -> None:
    for fault in (BUSY, Lose(path=PLACE), Drop(path=PLACE)):
        desk.fake.arm(fault)
    for number in range(4):
        ask(desk, clientOid=f"c-{number}")
    kept = [(call.client_id, call.status, call.code, call.fate) for call in desk.fake.journal.calls]
    assert kept == [
        ("c-0", 500, "40725", REFUSED),
        ("c-1", 200, "00000", LOST),
        ("c-2", 0, "", DROPPED),
        ("c-3", 200, "00000", ""),
    ]
    order_ids = [call.order_id for call in desk.fake.journal.calls]
    assert [bool(order_id) for order_id in order_ids] == [False, True, False, True]


def test_calls_that_a_fault_took_are_not_unexpected(desk: Desk) -> None:
    desk.fake.arm(Drop(path=PLACE))
    desk.fake.arm(Refuse(path=PLACE, code="40404", message="Request URL NOT FOUND"))
    ask(desk)
    ask(desk)
    assert desk.fake.journal.unexpected() == []


# The n-th call, and late answers


def test_strike_lets_the_calls_before_it_pass(desk: Desk) -> None:
    armed = desk.fake.arm(Refuse(path=PLACE, code="45001", message="", skip=2, times=2))
    found = [desk.try_post(PLACE, order_body())[1]["code"] for _ in range(5)]
    assert found == ["00000", "00000", "45001", "45001", "00000"]
    assert (armed.seen, armed.fired, armed.left) == (4, 2, 0)


def test_call_that_another_strike_takes_counts_as_passed(desk: Desk) -> None:
    desk.fake.arm(Refuse(path=PLACE, code="45002", message="", skip=1))
    desk.fake.arm(Refuse(path=PLACE, code="45001", message=""))
    assert [desk.try_post(PLACE, order_body())[1]["code"] for _ in range(3)] == ["45001", "45002", "00000"]


def test_strike_that_is_due_with_another_takes_the_call_after(desk: Desk) -> None:
    for code in ("45001", "45002"):
        desk.fake.arm(Refuse(path=PLACE, code=code, message="", skip=1))
    found = [desk.try_post(PLACE, order_body())[1]["code"] for _ in range(4)]
    assert found == ["00000", "45001", "45002", "00000"]


def test_calls_that_do_not_fit_are_not_counted(desk: Desk) -> None:
    armed = desk.fake.arm(Refuse(path=PLACE, code="45001", message="", skip=1))
    desk.get(TIME, None)
    desk.place()
    assert armed.seen == 1
    assert desk.try_post(PLACE, order_body())[1]["code"] == "45001"


def test_delayed_call_is_carried_out_at_once_and_its_answer_held_back(desk: Desk) -> None:
    desk.fake.arm(Delay(path=PLACE, for_us=1_500_000))
    answers = [answered(desk), answered(desk)]
    assert [answer and answer.after_us for answer in answers] == [1_500_000, 0]
    assert [(call.code, call.fate) for call in desk.fake.journal.calls] == [("00000", DELAYED), ("00000", "")]
    assert len(desk.get(PENDING)["entrustedList"]) == 2


def test_delayed_fault_tells_how_often_and_how_long() -> None:
    assert str(Delay(path=PLACE, for_us=1_500_000, skip=2)) == f"delay any {PLACE}, 1 times after 2 calls, by 1500 ms"


# On record


def test_fault_that_did_less_than_it_was_armed_for_is_told(desk: Desk) -> None:
    desk.fake.arm(Lose(path=PLACE, times=2))
    desk.fake.arm(Drop(path=CANCEL))
    desk.fake.arm(Silence(channel="ticker", for_us=31_000_000))
    ask(desk)
    assert desk.fake.faults.unfired() == [
        f"fault armed and fired only 1 times: lose any {PLACE}, 2 times",
        f"fault armed and never fired: drop any {CANCEL}, 1 times",
        "fault armed and never fired: silence ticker, 31000 ms",
    ]
    ask(desk)
    assert len(desk.fake.faults.unfired()) == 2


def test_lifted_fault_that_never_fired_is_still_told(desk: Desk) -> None:
    desk.fake.faults.lift(desk.fake.arm(BUSY))
    assert len(desk.fake.faults.unfired()) == 1


def test_listener_hears_of_each_effect(desk: Desk) -> None:
    heard: list[tuple[str, int, str]] = []

    def listen(armed: Armed, at_us: int, what: str) -> None:
        heard.append((armed.fault.name, at_us, what))

    desk.fake.faults.listener = listen
    desk.fake.arm(Lose(path=PLACE))
    desk.wait(3)
    ask(desk)
    assert heard == [("lose", OPENED_US + 3_000_000, f"POST {PLACE}")]


def test_faults_show_themselves(desk: Desk) -> None:
    assert repr(desk.fake.faults) == "<Faults none>"
    desk.fake.arm(BUSY)
    assert repr(desk.fake.faults) == f"<Faults refuse any {PLACE}, 1 times, with 40725: fired 0>"


def test_fault_that_could_never_fire_is_refused() -> None:
    with pytest.raises(ValueError, match="at least once"):
        Lose(path=PLACE, times=0)
    with pytest.raises(ValueError, match="at least a microsecond"):
        Silence(channel="ticker", for_us=0)
    with pytest.raises(ValueError, match="at least a microsecond"):
        Delay(path=PLACE, for_us=0)
    with pytest.raises(ValueError, match="after no call or more"):
        Lose(path=PLACE, skip=-1)


# Silence


def pushed(desk: Desk, channel: str, *, api_key: str = "") -> bool:
    """Whether a frame of `channel` would go out now."""
    return not desk.fake.faults.silences(channel, api_key, desk.clock.now_us())


def test_silence_withholds_its_channel_for_its_time(desk: Desk) -> None:
    armed = desk.fake.arm(Silence(channel="ticker", for_us=31_000_000))
    assert not pushed(desk, "ticker")
    assert pushed(desk, "books1")
    desk.wait(30)
    assert not pushed(desk, "ticker")
    desk.wait(1)
    assert pushed(desk, "ticker")
    assert (armed.fired, armed.left) == (2, 0)


def test_silence_of_a_private_channel_can_be_one_keys_alone(desk: Desk) -> None:
    desk.fake.arm(Silence(channel="orders", for_us=1_000_000, api_key=BOT.api_key))
    assert not pushed(desk, "orders", api_key=BOT.api_key)
    assert pushed(desk, "orders", api_key=WATCHER.api_key)


def test_subscriber_in_a_silence_is_acknowledged_and_sees_nothing() -> None:
    clock = ManualClock(OPENED_US)
    fake = open_fake(clock, HandMarket())

    async def subscribed() -> list[str]:
        sent: list[str] = []
        said = asyncio.Queue[dict[str, Any]]()
        for message in (
            {"type": "websocket.connect"},
            {"type": "websocket.receive", "text": subscribe_frame("ticker")},
        ):
            said.put_nowait(message)

        async def send(message: Any) -> None:
            if message["type"] == "websocket.send":
                sent.append(json.loads(message["text"]).get("event", "push"))

        scope = {"type": "websocket", "path": "/v2/ws/public"}
        socket = asyncio.ensure_future(fake.app(scope, said.get, send))
        for _ in range(20):
            await asyncio.sleep(0.005)
            clock.set_us(clock.now_us() + 50_000)
        said.put_nowait({"type": "websocket.disconnect"})
        await socket
        await fake.aclose()
        return sent

    fake.arm(Silence(channel="ticker", for_us=5_000_000))
    assert asyncio.run(subscribed()) == ["subscribe"]
    assert fake.journal.public_pushes["ticker"] == 0


# On the wire


def test_loopback_stays_silent_until_the_client_gives_up_and_the_server_can_still_stop() -> None:
    async def story() -> tuple[int, str]:
        fake = open_fake(SystemClock(), HandMarket())
        fake.arm(Lose(path=TIME))
        fake.arm(Drop(path=TIME))
        server = await fake.serve("127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=0.2) as client:
            with pytest.raises(httpx.ReadTimeout):
                await client.get(TIME)
            waiting = asyncio.create_task(client.get(TIME, timeout=30))
            await asyncio.sleep(0.05)
            status = (await client.get(TIME)).status_code
            await fake.aclose()
            with pytest.raises(httpx.TransportError):
                await waiting
        return status, str([call.fate for call in fake.journal.calls])

    assert asyncio.run(story()) == (200, "['lost', 'dropped', '']")


def test_position_and_wallet_after_a_lost_market_order_are_as_if_it_had_been_answered(desk: Desk) -> None:
    other = Desk()
    desk.fake.arm(Lose(path=PLACE))
    for each in (desk, other):
        ask(each, orderType="market", price=None, clientOid="mine")
    views = [each.fake.exchange.account_view("main") for each in (desk, other)]
    assert views[0] == views[1]
    assert views[0].wallet < Decimal(1000)
