"""Whether tape and fake tell one story: a tape that does, and each way in which one may not."""

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from fake_on_hand import BOT, OPENED_US, SECOND_US, WATCHER, Desk, order_body, signed

from botproof.events import (
    Action,
    BillSeen,
    Fact,
    FillSeen,
    OrderSeen,
    OrderState,
    OrderType,
    PositionSeen,
    RequestAnswered,
    RequestSent,
    RequestUnknown,
    Side,
    Source,
)
from botproof.fakes.bitget.agreement import disagreements
from botproof.fakes.bitget.core.messages import PlaceOrder
from botproof.fakes.bitget.faults import Drop, Lose, Refuse

PLACE = "/api/v2/mix/order/place-order"
POSITIONS = "/api/v2/mix/position/all-position"


class Story:
    """A short run: the bot reads, buys, rests an order and has one refused; and the honest tape of it."""

    def __init__(self) -> None:
        self.desk = Desk()
        self.facts: list[Fact] = []
        self._requests = 0
        self.ask("GET", POSITIONS, "00000", lambda: self.desk.get(POSITIONS + "?productType=USDT-FUTURES"))
        self.ask(
            "POST", PLACE, "00000", lambda: self.desk.place(clientOid="c-1", orderType="market", price=None), "c-1"
        )
        self.ask("POST", PLACE, "00000", lambda: self.desk.place(clientOid="c-2"), "c-2")
        self.ask(
            "POST", PLACE, "40762", lambda: self.desk.code_of_post(PLACE, order_body(clientOid="c-3", size=9)), "c-3"
        )
        self.desk.get(POSITIONS + "?productType=USDT-FUTURES", WATCHER)
        self.observe()

    def put(self, fact: Fact) -> None:
        self.facts.append(replace(fact, seq=len(self.facts) + 1))

    def ask(self, method: str, path: str, code: str, act: Callable[[], Any], client_id: str = "") -> None:
        self.desk.wait(1)
        self._requests += 1
        self.put(self.sent(method, path, client_id))
        act()
        status = 200 if code == "00000" else 400
        self.put(
            RequestAnswered(
                src=Source.TAP,
                t_local_us=self.desk.clock.now_us() + 1000,
                request=self._requests,
                http_status=status,
                code=code,
                message="",
            )
        )

    def sent(self, method: str, path: str, client_id: str, request: int = 0) -> RequestSent:
        return RequestSent(
            src=Source.TAP,
            t_local_us=self.desk.clock.now_us() - 1000,
            request=request or self._requests,
            method=method,
            path=path,
            action=Action.PLACE if path == PLACE else Action.READ,
            client_id=client_id,
        )

    def observe(self) -> None:
        """What an observer that misses nothing writes."""
        exchange = self.desk.fake.exchange
        for order in exchange.orders("main"):
            self.put(
                OrderSeen(
                    src=Source.VENUE,
                    t_local_us=OPENED_US,
                    order_id=order.order_id,
                    client_id=order.client_id,
                    symbol=order.symbol,
                    side=order.side,
                    order_type=order.order_type,
                    force=order.force,
                    price=order.price,
                    size=order.size,
                    filled=order.filled,
                    state=order.state,
                    reduce_only=False,
                    via="history",
                )
            )
        [fill] = exchange.fills("main")
        self.put(
            FillSeen(
                src=Source.VENUE,
                t_local_us=OPENED_US,
                trade_id=fill.trade_id,
                order_id=fill.order_id,
                client_id=fill.client_id,
                symbol=fill.symbol,
                side=fill.side,
                price=fill.price,
                size=fill.size,
                fee_usdt=fill.fee,
                is_maker=fill.is_maker,
                realized_usdt=fill.realized,
                via="history",
            )
        )
        [position] = exchange.positions("main")
        self.put(
            PositionSeen(
                src=Source.VENUE,
                t_local_us=OPENED_US,
                symbol=position.symbol,
                size=position.size,
                entry_price=position.entry_price,
                mark_price=None,
                via="closing",
            )
        )

    def change(self, kind: type[Fact], index: int = 0, **changes: Any) -> None:
        """Tell the `index`-th fact of a kind differently."""
        chosen = self.all_of(kind)[index]
        self.facts[self.facts.index(chosen)] = replace(chosen, **changes)

    def drop(self, kind: type[Fact], index: int = 0) -> Fact:
        """Leave out the `index`-th fact of a kind."""
        chosen = self.all_of(kind)[index]
        self.facts.remove(chosen)
        return chosen

    def all_of(self, kind: type[Fact]) -> list[Any]:
        return [fact for fact in self.facts if isinstance(fact, kind)]

    def complaints(self) -> list[str]:
        fake = self.desk.fake
        return disagreements(
            self.facts, exchange=fake.exchange, journal=fake.journal, account="main", bot_key=BOT.api_key
        )


@pytest.fixture
def story() -> Story:
    return Story()


def test_honest_tape_agrees(story: Story) -> None:
    assert story.complaints() == []


# Requests


def test_call_that_is_missing_on_the_tape(story: Story) -> None:
    story.drop(RequestSent, 1)
    assert story.complaints() == [f"call 1 (POST {PLACE} c-1) is not on the tape"]


def test_read_that_is_missing_on_the_tape(story: Story) -> None:
    story.drop(RequestSent, 0)
    assert story.complaints() == [f"call 0 (GET {POSITIONS}) is not on the tape"]


def test_calls_of_another_key_are_not_the_bots(story: Story) -> None:
    assert sum(call.path == POSITIONS for call in story.desk.fake.journal.calls) == 2


def test_request_that_never_reached_the_fake(story: Story) -> None:
    story.put(story.sent("POST", PLACE, "c-9", request=9))
    story.put(
        RequestAnswered(src=Source.TAP, t_local_us=OPENED_US, request=9, http_status=200, code="00000", message="")
    )
    assert story.complaints() == [f"request 9 (POST {PLACE} c-9) is on the tape and never reached the fake"]


def test_another_client_id_is_another_request(story: Story) -> None:
    story.change(RequestSent, 2, client_id="c-two")
    assert story.complaints() == [
        f"call 2 (POST {PLACE} c-2) is not on the tape",
        f"request 3 (POST {PLACE} c-two) is on the tape and never reached the fake",
    ]


def test_answer_with_another_code(story: Story) -> None:
    story.change(RequestAnswered, 3, code="00000")
    assert story.complaints() == [
        f"request 4 (POST {PLACE} c-3) was answered 00000 on the tape, and the fake answered 40762"
    ]


def test_request_of_unknown_fate_matches_any_code(story: Story) -> None:
    answered = story.drop(RequestAnswered, 3)
    story.put(RequestUnknown(src=Source.TAP, t_local_us=answered.t_local_us, request=4, reason="timed out"))
    assert story.complaints() == []


def test_request_of_unknown_fate_may_never_have_arrived(story: Story) -> None:
    story.put(story.sent("POST", PLACE, "c-9", request=9))
    story.put(RequestUnknown(src=Source.TAP, t_local_us=OPENED_US, request=9, reason="cut off"))
    assert story.complaints() == []


def test_lost_read_is_told_from_the_one_after_it_by_time(story: Story) -> None:
    first = story.drop(RequestAnswered, 0)
    story.put(RequestUnknown(src=Source.TAP, t_local_us=first.t_local_us, request=1, reason="timed out"))
    story.change(RequestSent, 0, t_local_us=OPENED_US - SECOND_US)
    story.put(replace(story.sent("GET", POSITIONS, "", request=9), t_local_us=OPENED_US + SECOND_US - 1))
    story.put(
        RequestAnswered(src=Source.TAP, t_local_us=OPENED_US, request=9, http_status=200, code="00000", message="")
    )
    assert [line for line in story.complaints() if "reached" not in line] == []


def test_requests_in_another_order(story: Story) -> None:
    for index, seq in ((1, 50), (2, 40)):
        story.change(RequestSent, index, seq=seq)
        story.change(RequestAnswered, index, seq=seq + 1)
    story.change(RequestSent, 3, seq=60)
    story.change(RequestAnswered, 3, seq=61)
    assert story.complaints() == [
        (
            f"request 3 (POST {PLACE} c-2) reached the fake after request 2 (POST {PLACE} c-1), "
            "and the tape has it answered before that was sent"
        )
    ]


def test_requests_under_way_together_may_overtake(story: Story) -> None:
    story.change(RequestSent, 1, seq=41)
    story.change(RequestSent, 2, seq=40)
    story.change(RequestAnswered, 1, seq=42)
    story.change(RequestAnswered, 2, seq=43)
    story.change(RequestSent, 3, seq=60)
    story.change(RequestAnswered, 3, seq=61)
    assert story.complaints() == []


# Fills


def test_fill_that_is_missing_on_the_tape(story: Story) -> None:
    fill = story.drop(FillSeen)
    assert isinstance(fill, FillSeen)
    assert story.complaints() == [f"fill {fill.trade_id} is on the tape 0 times, expected once"]


def test_fill_that_is_on_the_tape_twice(story: Story) -> None:
    [fill] = story.all_of(FillSeen)
    story.put(fill)
    assert story.complaints() == [f"fill {fill.trade_id} is on the tape 2 times, expected once"]


def test_fill_that_only_the_bot_tells_of_does_not_count(story: Story) -> None:
    story.change(FillSeen, src=Source.BOT)
    assert len(story.complaints()) == 1


def test_fill_that_the_fake_does_not_know(story: Story) -> None:
    story.put(replace(story.all_of(FillSeen)[0], trade_id="1"))
    assert story.complaints() == ["fill 1 is on the tape and unknown to the fake"]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"order_id": "1"}, "order 1, the fake "),
        ({"side": "sell"}, "side sell, the fake buy"),
        ({"price": Decimal("67500.1")}, "price 67500.1, the fake 67500"),
        ({"size": Decimal("0.0011")}, "size 0.0011, the fake 0.001"),
        ({"fee_usdt": Decimal("-0.0405")}, "fee -0.0405, the fake 0.0405"),
        ({"is_maker": True}, "role maker, the fake taker"),
    ],
)
def test_fill_that_is_told_differently(story: Story, change: dict[str, Any], line: str) -> None:
    story.change(FillSeen, **change)
    [complaint] = story.complaints()
    assert f"the tape says {line}" in complaint


# Orders


def test_order_that_is_missing_on_the_tape(story: Story) -> None:
    order = story.drop(OrderSeen)
    assert isinstance(order, OrderSeen)
    assert story.complaints() == [f"order {order.order_id} (c-2) is not on the tape"]


def test_order_that_the_fake_does_not_know(story: Story) -> None:
    story.put(replace(story.all_of(OrderSeen)[0], order_id="1"))
    assert story.complaints() == ["order 1 is on the tape and unknown to the fake"]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"state": OrderState.CANCELED}, "state canceled, the fake live"),
        ({"filled": Decimal("0.0001")}, "filled 0.0001, the fake 0"),
        ({"price": None}, "price none, the fake 67000"),
    ],
)
def test_order_that_is_told_differently(story: Story, change: dict[str, Any], line: str) -> None:
    story.change(OrderSeen, **change)
    [complaint] = story.complaints()
    assert complaint.endswith(f"(c-2): the tape says {line}")


def test_only_the_last_sighting_of_an_order_counts(story: Story) -> None:
    order = story.all_of(OrderSeen)[0]
    story.facts.insert(0, replace(order, filled=Decimal(1)))
    assert story.complaints() == []


# Position


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"size": Decimal("-0.001")}, "size -0.001, the fake 0.001"),
        ({"entry_price": Decimal(67000)}, "entry 67000, the fake 67500"),
    ],
)
def test_position_that_is_told_differently(story: Story, change: dict[str, Any], line: str) -> None:
    story.change(PositionSeen, **change)
    assert story.complaints() == [f"position BTCUSDT: the tape says {line}"]


def test_position_that_is_told_flat(story: Story) -> None:
    story.change(PositionSeen, size=Decimal(0), entry_price=None)
    assert story.complaints() == [
        "position BTCUSDT: the tape says size 0, the fake 0.001",
        "position BTCUSDT: the tape says entry none, the fake 67500",
    ]


def test_position_that_was_never_read(story: Story) -> None:
    story.drop(PositionSeen)
    assert story.complaints() == ["no position was ever read: the tape has no PositionSeen"]


def test_position_of_a_symbol_that_the_fake_does_not_trade(story: Story) -> None:
    story.put(replace(story.all_of(PositionSeen)[0], symbol="ETHUSDT"))
    assert len(story.complaints()) == 2


# Armed faults


PENDING = "/api/v2/mix/order/orders-pending"


def silent_call(story: Story, fault: Lose | Drop) -> None:
    """One more read of the bot, which a fault takes; the honest tape says that nobody knows what became of it."""
    story.desk.fake.arm(fault)
    story.desk.wait(1)
    story.put(story.sent("GET", PENDING, "", request=9))
    target = f"{PENDING}?productType=USDT-FUTURES"
    headers = signed(BOT, story.desk.clock.now_us(), "GET", target)
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    assert story.desk.fake.answer("GET", target, raw, b"") is None
    story.put(RequestUnknown(src=Source.TAP, t_local_us=story.desk.clock.now_us() + 5, request=9, reason="timed out"))


@pytest.mark.parametrize("fault", [Lose(path=PENDING), Drop(path=PENDING)])
def test_call_without_an_answer_is_a_request_of_unknown_fate(story: Story, fault: Lose | Drop) -> None:
    silent_call(story, fault)
    assert story.complaints() == []


@pytest.mark.parametrize("fault", [Lose(path=PENDING), Drop(path=PENDING)])
def test_call_without_an_answer_that_is_told_as_answered(story: Story, fault: Lose | Drop) -> None:
    silent_call(story, fault)
    story.drop(RequestUnknown)
    story.put(
        RequestAnswered(src=Source.TAP, t_local_us=OPENED_US, request=9, http_status=200, code="00000", message="")
    )
    [complaint] = story.complaints()
    assert complaint.startswith(
        f"request 9 (GET {PENDING}) was answered 00000 on the tape, and the fake never answered: "
    )


def test_call_without_an_answer_that_is_missing_on_the_tape(story: Story) -> None:
    silent_call(story, Lose(path=PENDING))
    story.drop(RequestSent, -1)
    [complaint] = story.complaints()
    assert complaint.endswith(f"(GET {PENDING}) is not on the tape")


def test_lost_and_answered_calls_of_one_kind_are_told_apart(story: Story) -> None:
    silent_call(story, Drop(path=PENDING))
    story.ask("GET", PENDING, "00000", lambda: story.desk.get(f"{PENDING}?productType=USDT-FUTURES"))
    assert story.complaints() == []


def test_call_that_a_fault_refused_is_told_with_its_code(story: Story) -> None:
    story.desk.fake.arm(Refuse(path=PLACE, code="40725", message="service return an error"))
    refused = lambda: story.desk.code_of_post(PLACE, order_body(clientOid="c-4"))  # noqa: E731
    story.ask("POST", PLACE, "40725", refused, "c-4")
    assert story.complaints() == []


def test_call_refused_at_the_gate_is_told_with_its_client_id(story: Story) -> None:
    body = json.dumps(order_body(clientOid="c-4"))
    headers = signed(BOT, OPENED_US, "POST", "/elsewhere", body)
    story.ask("POST", PLACE, "40009", lambda: story.desk.send("POST", PLACE, headers, body), "c-4")
    assert story.complaints() == []


# Deeds of the harness


def market_order(side: Side, client_id: str = "") -> PlaceOrder:
    return PlaceOrder(
        symbol="BTCUSDT", side=side, order_type=OrderType.MARKET, size=Decimal("0.002"), client_id=client_id
    )


def test_what_the_harness_did_before_the_tape_began_may_be_missing_from_it() -> None:
    desk = Desk()
    desk.fake.command("main", market_order(Side.BUY))
    desk.wait(1)
    read = PositionSeen(
        src=Source.VENUE,
        t_local_us=desk.clock.now_us(),
        symbol="BTCUSDT",
        size=Decimal("0.002"),
        entry_price=Decimal(67500),
        mark_price=None,
        via="preflight",
    )
    fake = desk.fake

    def complaints(fact: Fact) -> list[str]:
        return disagreements([fact], exchange=fake.exchange, journal=fake.journal, account="main", bot_key=BOT.api_key)

    assert complaints(read) == []
    early = complaints(replace(read, t_local_us=OPENED_US - 1))
    assert [line.split()[0] for line in early] == ["fill", "order"], "it was not over when the tape began"
    fake.journal.entries.clear()
    assert [line.split()[0] for line in complaints(read)] == ["fill", "order"], "it was not the harness that did it"


def test_what_the_harness_did_before_and_the_tape_has_must_still_agree() -> None:
    story = Story()
    story.desk.fake.command("main", market_order(Side.SELL, "foreign"))
    assert sorted(line.split()[0] for line in story.complaints()) == ["fill", "order", "position", "position"]


# Bills


def with_bills(story: Story) -> Story:
    for bill in story.desk.fake.exchange.bills("main"):
        story.put(
            BillSeen(
                src=Source.VENUE,
                t_local_us=OPENED_US,
                bill_id=bill.bill_id,
                symbol=bill.symbol,
                business_type=bill.business_type,
                amount=bill.amount,
                fee=-bill.fee,
                balance=bill.balance,
            )
        )
    return story


def test_honest_bills_agree_and_may_be_incomplete(story: Story) -> None:
    assert with_bills(story).complaints() == []
    story.drop(BillSeen)
    assert story.complaints() == []


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"amount": Decimal(1)}, "amount 1, the fake 0"),
        ({"fee": Decimal("0.0405")}, "fee 0.0405, the fake -0.0405"),
        ({"balance": Decimal(1000)}, "balance 1000, the fake 999.9595"),
        ({"business_type": "sell"}, "type sell, the fake buy"),
    ],
)
def test_bill_that_is_told_differently(story: Story, change: dict[str, Any], line: str) -> None:
    with_bills(story).change(BillSeen, **change)
    [complaint] = story.complaints()
    assert complaint.endswith(f": the tape says {line}")


def test_bill_told_twice_or_out_of_nowhere(story: Story) -> None:
    bill = with_bills(story).all_of(BillSeen)[0]
    story.put(bill)
    story.put(replace(bill, bill_id="7"))
    assert story.complaints() == [
        f"bill {bill.bill_id} is on the tape 2 times, expected once",
        "bill 7 is on the tape and unknown to the fake",
    ]
