"""The fake's memory: what it holds, what it never holds, and what it complains of."""

import json
from decimal import Decimal

from fake_on_hand import BOT, OPENED_US, Desk, order_body, signed

from botproof.events import OrderType, Side
from botproof.fakes.bitget.core.messages import CancelOrder, PlaceOrder
from botproof.fakes.bitget.journal import UNKNOWN_SOCKET, Call, Deed, Journal, Push, SocketEvent

PLACE = "/api/v2/mix/order/place-order"
DETAIL = "/api/v2/mix/order/detail?symbol=BTCUSDT&productType=USDT-FUTURES"


def test_calls_are_kept_in_order_with_question_and_answer() -> None:
    desk = Desk()
    placed = desk.place(clientOid="mine")
    desk.code_of_get(f"{DETAIL}&clientOid=other")
    first, second = desk.fake.journal.calls
    assert first == Call(
        n=0,
        at_us=OPENED_US,
        api_key="bot-key",
        account="main",
        method="POST",
        path=PLACE,
        query="",
        body=json.dumps(order_body(clientOid="mine")),
        status=200,
        code="00000",
        order_id=placed["orderId"],
        client_id="mine",
    )
    assert (second.n, second.code, second.client_id, second.order_id) == (1, "40109", "other", "")
    assert second.query == "symbol=BTCUSDT&productType=USDT-FUTURES&clientOid=other"
    assert desk.fake.journal[0] == first


def test_cancel_by_order_id_is_kept_with_the_order_and_no_client_id() -> None:
    desk = Desk()
    order_id = desk.place(clientOid="mine")["orderId"]
    desk.post(
        "/api/v2/mix/order/cancel-order",
        {"symbol": "BTCUSDT", "productType": "USDT-FUTURES", "orderId": order_id},
    )
    cancel = desk.fake.journal.calls[-1]
    assert (cancel.order_id, cancel.client_id) == (order_id, "")


def test_calls_of_one_key_are_picked_out() -> None:
    desk = Desk()
    desk.get("/api/v2/public/time", None)
    desk.place()
    assert [call.path for call in desk.fake.journal.calls_of("bot-key")] == [PLACE]


def test_call_with_a_bad_signature_is_kept_without_an_account() -> None:
    desk = Desk()
    headers = signed(BOT, OPENED_US, "GET", "/elsewhere")
    desk.send("GET", "/api/v2/mix/position/all-position", headers)
    [call] = desk.fake.journal.calls
    assert (call.api_key, call.account, call.code) == ("bot-key", "", "40009")


def test_no_secret_is_kept() -> None:
    desk = Desk()
    desk.place()
    desk.code_of_get("/api/v2/nope")
    kept = repr(desk.fake.journal.entries) + repr(desk.fake)
    assert BOT.api_key in kept
    assert BOT.secret not in kept
    assert BOT.passphrase not in kept


def test_unknown_route_is_complained_of_with_the_nearest_known_one() -> None:
    desk = Desk()
    desk.code_of_get("/api/v2/mix/order/order-pending")
    desk.fake.answer("GET", "/robots.txt", [], b"")
    desk.get("/api/v2/public/time", None)
    assert desk.fake.journal.unexpected() == [
        (
            "call 0: GET /api/v2/mix/order/order-pending is no route of the fake; "
            "the nearest known route is GET /api/v2/mix/order/orders-pending"
        ),
        "call 1: GET /robots.txt is no route of the fake",
    ]


def test_refusals_of_known_routes_are_expected() -> None:
    desk = Desk()
    desk.code_of_post(PLACE, order_body(size="100"))
    assert desk.fake.journal.unexpected() == []


def test_unknown_socket_is_complained_of() -> None:
    journal = Journal()
    journal.write(SocketEvent(0, OPENED_US, 0, "", UNKNOWN_SOCKET, "/v3/ws/public"))
    assert journal.unexpected() == ["connection: /v3/ws/public is no socket of the fake"]


def test_entries_of_all_kinds_share_one_count() -> None:
    journal = Journal()
    journal.write(SocketEvent(7, OPENED_US, 1, "", "opened", "private"))
    journal.write(Push(7, OPENED_US, 1, "main", "orders", 1, ("1",)))
    assert [entry.n for entry in journal.entries] == [0, 1]
    assert (len(journal), len(journal.socket_events), len(journal.pushes)) == (2, 1, 1)
    assert repr(journal) == "<Journal Call: 0, SocketEvent: 1, Push: 1, Deed: 0>"


def order(**changes: object) -> PlaceOrder:
    told = {"symbol": "BTCUSDT", "side": Side.BUY, "order_type": OrderType.MARKET, "size": Decimal("0.002"), **changes}
    return PlaceOrder(**told)


def test_what_the_harness_does_is_kept_as_its_own_deed_and_is_no_call() -> None:
    desk = Desk()
    fake = desk.fake
    fake.command("main", order(client_id="earlier"))
    fake.command("main", order(client_id="rests", order_type=OrderType.LIMIT, price=Decimal(67000)))
    fake.command("main", CancelOrder(symbol="BTCUSDT", client_id="rests"))
    fake.command("other", order(size=Decimal(100)))
    bought, rested = (fake.exchange.order("main", client_id=name) for name in ("earlier", "rests"))
    assert bought is not None
    assert rested is not None
    assert fake.journal.deeds == [
        Deed(0, OPENED_US, "main", "PlaceOrder", "00000", bought.order_id, "earlier"),
        Deed(1, OPENED_US, "main", "PlaceOrder", "00000", rested.order_id, "rests"),
        Deed(2, OPENED_US, "main", "CancelOrder", "00000", rested.order_id, "rests"),
        Deed(3, OPENED_US, "other", "PlaceOrder", "40762"),
    ]
    assert (fake.journal.calls, fake.journal.unexpected()) == ([], [])
    [position] = fake.exchange.positions("main")
    assert position.size == Decimal("0.002"), "a market order before a run gives the account a position"


def test_deed_names_the_order_placed_and_not_the_one_that_made_room() -> None:
    desk = Desk()
    desk.fake.command("main", order())
    for name in ("first", "second"):
        exit_ = order(
            side=Side.SELL, order_type=OrderType.LIMIT, price=Decimal(68000), reduce_only=True, client_id=name
        )
        desk.fake.command("main", exit_)
    assert [deed.client_id for deed in desk.fake.journal.deeds[1:]] == ["first", "second"]
