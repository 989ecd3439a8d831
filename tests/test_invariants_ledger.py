"""The ledger: every order from its sending to its end, and the position, in the order in which things happened."""

from dataclasses import dataclass, replace
from decimal import Decimal

import pytest
from streams import micro_cap_run

from botproof.events import (
    Action,
    Fact,
    FillSeen,
    OpenOrdersRead,
    OrderSeen,
    OrderState,
    OrderType,
    PositionSeen,
    RequestAnswered,
    RequestSent,
    RunStarted,
    Side,
    Source,
)
from botproof.invariants.ledger import Books, Ledger, Life, Move

SYMBOL, PREFIX, PRICE = "BTCUSDT", "bot1-", Decimal(67000)
NO_NAME = {"client_id": "", "order_id": ""}


@dataclass
class Tape:
    """Facts in the order of learning; `at` is when it happened, in microseconds, and learned `late` later."""

    facts: list[Fact]
    ledger: Ledger

    def add(self, fact: Fact) -> "Tape":
        self.facts.append(fact)
        self.ledger.see(fact)
        return self

    @property
    def _next(self) -> dict[str, int]:
        return {"seq": len(self.facts)}

    def start(self, at: int = 0, declared: str = "0", prefix: str = PREFIX) -> "Tape":
        begun = micro_cap_run()[0]
        assert isinstance(begun, RunStarted)
        values = {name: getattr(begun, name) for name in RunStarted.__dataclass_fields__ if name != "kinds"}
        values |= {"t_local_us": at, "declared_position": Decimal(declared), "client_id_prefix": prefix}
        return self.add(RunStarted(**(values | self._next)))

    def send(self, request: int, at: int, client_id: str = "bot1-a", **fields: object) -> "Tape":
        order = {"action": Action.PLACE, "symbol": SYMBOL, "side": Side.BUY, "price": PRICE, "size": Decimal(2)}
        order |= {"order_type": OrderType.LIMIT, "client_id": client_id, "method": "POST", "path": "/p"}
        sent = {"src": Source.TAP, "t_local_us": at, "request": request} | self._next
        return self.add(RequestSent(**(sent | order | fields)))  # type: ignore[arg-type]

    def answer(self, request: int, at: int, code: str = "00000", **fields: object) -> "Tape":
        told = {"http_status": 200, "code": code, "message": "", "request": request, "t_local_us": at}
        return self.add(RequestAnswered(src=Source.TAP, **(told | self._next | fields)))  # type: ignore[arg-type]

    def show(self, at: int, state: OrderState = OrderState.LIVE, *, late: int = 0, **fields: object) -> "Tape":
        order = {"order_id": "o1", "client_id": "bot1-a", "symbol": SYMBOL, "side": Side.BUY, "price": PRICE}
        order |= {"order_type": OrderType.LIMIT, "size": Decimal(2), "filled": Decimal(0), "reduce_only": False}
        told = {"src": Source.VENUE, "t_venue_us": at, "t_local_us": at + late, "force": "", "via": "push"}
        return self.add(OrderSeen(state=state, **(told | order | self._next | fields)))  # type: ignore[arg-type]

    def fill(self, trade_id: str, at: int, size: int = 1, *, late: int = 0, **fields: object) -> "Tape":
        names = {"order_id": "o1", "client_id": "bot1-a", "symbol": SYMBOL, "side": Side.BUY, "price": PRICE}
        money = {"fee_usdt": Decimal(0), "is_maker": True, "realized_usdt": Decimal(0), "via": "push"}
        told = {"src": Source.VENUE, "t_venue_us": at, "t_local_us": at + late, "size": Decimal(size)}
        return self.add(FillSeen(trade_id=trade_id, **(told | names | money | self._next | fields)))  # type: ignore[arg-type]

    def position(self, at: int, size: int, via: str = "push", symbol: str = SYMBOL) -> "Tape":
        told = {"t_venue_us": None, "t_local_us": at, "entry_price": None, "mark_price": None} | self._next
        return self.add(PositionSeen(src=Source.VENUE, symbol=symbol, size=Decimal(size), via=via, **told))  # type: ignore[arg-type]

    def lists(self, at: int, *orders: str) -> "Tape":
        return self.add(
            OpenOrdersRead(src=Source.VENUE, t_local_us=at, plain=orders, trigger=(), purpose="poll", **self._next)
        )

    # what came of it

    @property
    def story(self) -> list[tuple[int, str, str]]:
        return [(step.at_us, step.move.name, step.life.name) for step in self.ledger.replay()]

    @property
    def books(self) -> Books:
        books = Books(self.ledger.start)
        for step in self.ledger.replay():
            books.apply(step)
        return books

    @property
    def working(self) -> dict[str, Decimal]:
        return {life.name: rest for life, rest in self.books.working.items()}


def tape() -> Tape:
    return Tape([], Ledger(SYMBOL))


# 1 and 2: from the sending to the end


def test_an_order_works_from_its_sending_until_the_venue_has_ended_it() -> None:
    sent = tape().start().send(1, 10)
    assert sent.working == {"bot1-a": 2}
    shown = sent.answer(1, 20, order_id="o1", client_id="bot1-a").show(30)
    assert shown.working == {"bot1-a": 2}
    ended = shown.show(40, OrderState.CANCELED, late=9)
    assert ended.working == {}
    assert ended.story == [(10, "BEGIN", "bot1-a"), (40, "END", "bot1-a")]


def test_of_two_reports_of_the_end_the_earlier_counts_and_of_equal_ones_the_first() -> None:
    twice = tape().start().send(1, 10).show(40, OrderState.CANCELED).show(30, OrderState.CANCELED, late=20)
    assert twice.story[-1] == (30, "END", "bot1-a")
    same = tape().start().send(1, 10).show(40, OrderState.CANCELED).show(40, OrderState.CANCELED)
    assert same.ledger.replay()[-1].seq == 2


def test_an_order_that_was_refused_each_time_ends_with_the_last_refusal() -> None:
    retried = tape().start().send(1, 10).send(2, 20).answer(1, 30, "40762")
    assert retried.working == {"bot1-a": 2}
    refused = retried.answer(2, 40, "40762")
    assert (refused.working, refused.story[-1]) == ({}, (40, "END", "bot1-a"))
    crossed = tape().start().send(1, 10).send(2, 20).answer(2, 30, "40762").answer(1, 40, "40762")
    assert crossed.story[-1] == (40, "END", "bot1-a")


def test_a_refused_retry_does_not_end_what_the_first_request_began() -> None:
    began = tape().start().send(1, 10).answer(1, 20, order_id="o1").send(2, 30).answer(2, 40, "40762")
    assert began.working == {"bot1-a": 2}


def look_up(at: int, code: str, *, accepted: bool = False) -> Tape:
    begun = tape().start().send(1, 10)
    if accepted:
        begun.answer(1, 15, order_id="o1")
    return begun.send(2, at, action=Action.READ, method="GET").answer(2, at + 10, code)


@pytest.mark.parametrize("code", ["40109", "43001"])
def test_a_look_up_that_does_not_find_an_unanswered_order_ends_it(code: str) -> None:
    missed = look_up(20, code)
    assert (missed.working, missed.story[-1]) == ({}, (30, "END", "bot1-a"))


def test_a_look_up_that_finds_it_or_fails_otherwise_ends_nothing() -> None:
    assert look_up(20, "00000").working == {"bot1-a": 2}
    assert look_up(20, "40808").working == {"bot1-a": 2}


def test_a_look_up_does_not_end_what_the_venue_has_accepted() -> None:
    assert look_up(20, "40109", accepted=True).working == {"bot1-a": 2}


def test_a_look_up_of_an_order_that_was_never_sent_says_nothing() -> None:
    stranger = tape().start().send(1, 10, "bot1-z", action=Action.READ, method="GET").answer(1, 20, "40109")
    assert (stranger.story, stranger.ledger.unread()) == ([], "")


def test_sending_again_after_a_look_up_begins_anew() -> None:
    again = look_up(20, "40109").send(3, 40)
    assert again.working == {"bot1-a": 2}


# 3: fills


def test_a_fill_counts_once_and_moves_order_and_position_at_one_instant() -> None:
    filled = tape().start().send(1, 10).fill("t1", 20, late=50).fill("t1", 20).position(90, 1)
    assert (filled.working, filled.books.position) == ({"bot1-a": 1}, 1)
    assert filled.story[-1] == (20, "FILL", "bot1-a")


@pytest.mark.parametrize("ends_first", [True, False])
def test_a_filled_order_works_no_more_in_whatever_order_fill_and_end_are_told(ends_first: bool) -> None:
    begun = tape().start().send(1, 10)
    end = begun.show if ends_first else begun.fill
    if ends_first:
        end(20, OrderState.FILLED, filled=Decimal(2))  # type: ignore[arg-type]
        begun.fill("t1", 20, 2)
    else:
        begun.fill("t1", 20, 2)
        begun.show(20, OrderState.FILLED, filled=Decimal(2))
    assert (begun.working, begun.books.position) == ({}, 2)
    assert begun.position(30, 2).ledger.doubt() == ""


def test_a_sell_takes_from_the_position() -> None:
    sold = tape().start().send(1, 10, side=Side.SELL).fill("t1", 20, 1, side=Side.SELL)
    assert (sold.books.position, sold.working) == (-1, {"bot1-a": 1})


def test_a_fill_of_the_other_side_moves_the_position_by_its_own() -> None:
    odd = tape().start().send(1, 10).fill("t1", 20, 1, side=Side.SELL)
    assert odd.books.position == -1


def test_a_filled_size_that_no_fill_explains_is_taken_from_the_order_and_is_a_doubt() -> None:
    half = (
        tape().start().send(1, 10).show(20, OrderState.PARTIALLY_FILLED, filled=Decimal(1)).show(30, filled=Decimal(1))
    )
    assert (half.working, half.books.position) == ({"bot1-a": 1}, 1)
    assert half.story[1] == (20, "FILL", "bot1-a")  # the first report of it
    assert half.position(40, 1).ledger.doubt() == (
        "entry buy bot1-a 67000 x 2 was filled, and not all of its fills are on the tape"
    )
    assert half.fill("t1", 20, 1).ledger.doubt() == ""


def test_nothing_of_an_order_happened_before_it_was_sent() -> None:
    early = tape().start().send(1, 10).fill("t1", 5, late=15).show(6, OrderState.CANCELED, late=15)
    assert early.story == [(10, "BEGIN", "bot1-a"), (10, "FILL", "bot1-a"), (10, "END", "bot1-a")]


# 4: the position


def test_the_position_begins_as_declared_until_the_preflight_shows_it() -> None:
    assert tape().ledger.start == 0
    declared = tape().start(declared="3").start(declared="4")
    assert declared.ledger.start == 3
    assert declared.position(5, 7, "poll").ledger.start == 3
    assert declared.position(6, 5, "preflight").ledger.start == 5
    assert declared.fill("t1", 20).position(30, 9, "preflight").ledger.start == 5


def test_another_symbols_position_is_none_of_ours() -> None:
    other = tape().start().position(5, 7, "preflight", "ETHUSDT")
    assert (other.ledger.start, other.ledger.doubt()) == (0, "no position is on the tape")


@pytest.mark.parametrize(("at", "position"), [(49, 5), (50, 5), (51, 6)])
def test_a_fill_from_before_the_preflight_is_part_of_what_it_showed(at: int, position: int) -> None:
    known = tape().start().send(1, 10).position(50, 5, "preflight").fill("t1", at, late=100)
    assert known.books.position == position
    assert known.working == {"bot1-a": 1}
    assert known.story[-1] == (at, "TRIM" if position == 5 else "FILL", "bot1-a")


def test_a_position_that_the_fills_do_not_explain_is_a_doubt() -> None:
    filled = tape().start().send(1, 10).fill("t1", 20)
    assert filled.position(30, 1).ledger.doubt() == ""
    assert filled.position(30, 4).ledger.doubt() == (  # the last one told of an instant
        "the fills add up to a position of 1, the venue last showed 4"
    )
    assert filled.position(25, 1).ledger.doubt().endswith("the venue last showed 4")


def test_a_fill_after_the_last_reading_of_the_position_is_a_doubt_even_where_the_sums_agree() -> None:
    turned = tape().start().position(20, 0).fill("t1", 20).fill("t2", 21, side=Side.SELL, order_id="o2", client_id="b")
    assert turned.ledger.doubt() == "the fills add up to a position of 0, the venue last showed 0"
    assert turned.position(21, 0).ledger.doubt() == ""


# 5: one order under all its names


def test_an_order_sent_without_a_client_id_is_the_one_that_the_answer_names() -> None:
    by_order = tape().start().send(1, 10, "").answer(1, 20, order_id="o1").show(30, OrderState.CANCELED, client_id="")
    assert (len(by_order.ledger.lives), by_order.working) == (1, {})
    assert by_order.ledger.lives[0].name == "tap request 1"
    by_client = (
        tape().start().send(1, 10, "").answer(1, 20, client_id="v1").fill("t1", 30, 2, order_id="o9", client_id="v1")
    )
    assert (len(by_client.ledger.lives), by_client.working) == (1, {})


def test_an_order_that_the_venue_alone_tells_of_has_the_name_that_it_is_given() -> None:
    assert tape().show(10, client_id="").ledger.lives[0].name == "o1"
    assert tape().show(10, client_id="x").ledger.lives[0].name == "x"


def test_names_that_turn_out_to_mean_one_order_are_made_one() -> None:
    one = tape().start().send(1, 10).show(20, OrderState.CANCELED, client_id="", late=2)
    assert len(one.ledger.lives) == 2
    one.show(30, OrderState.CANCELED)  # under both names
    assert (len(one.ledger.lives), one.working) == (1, {})
    assert one.story == [(10, "BEGIN", "o1"), (20, "END", "o1")]
    one.fill("t1", 15, 2, order_id="")
    assert (len(one.ledger.lives), one.books.position) == (1, 2)


def test_three_names_of_one_order_are_made_one() -> None:
    three = tape().start().send(1, 10, "").show(20, client_id="").fill("t1", 30, 1, order_id="", client_id="v1")
    assert len(three.ledger.lives) == 3
    three.answer(1, 40, order_id="o1", client_id="v1")
    assert (len(three.ledger.lives), three.working) == (1, {"o1": 1})
    three.show(50, OrderState.CANCELED, client_id="v1", order_id="o1")
    assert three.working == {}


def test_what_is_known_under_either_name_is_known_of_the_order() -> None:
    known = tape().send(1, 10, "x").send(2, 20, "y").answer(1, 30, "40762").answer(2, 40, "40762")
    known.send(3, 50, "z", action=Action.READ).answer(3, 60, "40109")
    known.fill("t1", 70, order_id="p", client_id="").fill("t2", 80, order_id="q", client_id="")
    first, second, *_ = known.ledger.lives
    filled = known.ledger.lives[2:]
    first.accepted, second.odd, second.missed = True, "odd", known.facts[-3]  # type: ignore[assignment]
    first.fills, second.fills = filled[0].fills, filled[1].fills
    second.order_id = "q"
    first.absorb(second)
    assert [sent.request for sent in first.sent] == [1, 2]
    assert set(first.refused) == {"tap request 1", "tap request 2"}
    assert (first.accepted, first.odd, first.order_id) == (True, "odd", "q")
    assert first.missed is second.missed
    assert [fill.trade_id for fill in first.fills] == ["t1", "t2"]
    third = Life("third", order_id="r", odd="first", accepted=False)
    third.absorb(first)
    assert (third.accepted, third.odd, third.order_id) == (True, "first", "r")


def test_a_client_id_that_the_venue_gave_to_another_order_is_another_order() -> None:
    reused = tape().start().send(1, 10).answer(1, 20, order_id="o1").show(30, OrderState.CANCELED)
    reused.send(2, 40).answer(2, 50, order_id="o2")
    assert [(life.order_id, len(life.sent)) for life in reused.ledger.lives] == [("o1", 1), ("o2", 1)]
    assert reused.working == {"o2": 2}
    assert reused.show(60, OrderState.CANCELED, order_id="o2").working == {}


def test_a_client_id_whose_requests_were_all_refused_is_free_for_another_order() -> None:
    refused = tape().start().send(1, 10).answer(1, 20, "40762")
    again = refused.send(2, 30, side=Side.SELL)
    assert {life.side for life in again.ledger.lives} == set(Side)
    assert again.working == {"bot1-a": 2}
    assert again.ledger.unread() == ""


def test_a_refused_order_that_is_sent_again_as_it_was_begins_anew() -> None:
    again = tape().start().send(1, 10).answer(1, 20, "40762").send(2, 30)
    assert again.story == [(10, "BEGIN", "bot1-a"), (20, "END", "bot1-a"), (30, "BEGIN", "bot1-a")]
    assert again.working == {"bot1-a": 2}
    assert again.answer(2, 40, order_id="o1").show(50, OrderState.CANCELED).working == {}
    assert again.ledger.unread() == again.ledger.stray() == ""


@pytest.mark.parametrize(("sent_at", "orders"), [(19, 1), (20, 2)])
def test_a_request_from_before_the_refusal_is_a_retry_in_whatever_order_they_are_told(
    sent_at: int, orders: int
) -> None:
    told = tape().start().send(1, 10).answer(1, 20, "40762").send(2, sent_at)
    assert len(told.ledger.lives) == orders


def test_a_server_that_failed_refuses_nothing() -> None:
    failed = tape().start().send(1, 10).answer(1, 20, "50000", http_status=502)
    assert failed.working == {"bot1-a": 2}
    retried = failed.send(2, 30).answer(2, 40, "40786")
    assert (len(retried.ledger.lives), retried.working) == (1, {"bot1-a": 2})
    assert retried.send(3, 50, action=Action.READ, method="GET").answer(3, 60, "40109").working == {}
    assert tape().start().send(1, 10).answer(1, 20, "40762", http_status=499).working == {}


def test_a_look_up_that_a_failed_server_answers_does_not_end_an_order() -> None:
    looked = tape().start().send(1, 10).send(2, 20, action=Action.READ, method="GET")
    assert looked.answer(2, 30, "40109", http_status=500).working == {"bot1-a": 2}


def test_a_client_id_that_a_look_up_did_not_find_is_free_for_another_order() -> None:
    for fields in ({"side": Side.SELL}, {}):
        again = look_up(20, "40109").send(3, 40, **fields)
        assert again.story == [(10, "BEGIN", "bot1-a"), (30, "END", "bot1-a"), (40, "BEGIN", "bot1-a")]
        again.answer(3, 50, order_id="o1").show(60, OrderState.CANCELED, **fields)
        assert (again.working, again.ledger.unread(), again.ledger.stray()) == ({}, "", "")


def test_an_order_that_appears_after_its_client_id_was_used_again_is_a_doubt() -> None:
    late = look_up(20, "40109").send(3, 40, side=Side.SELL).show(50)
    assert late.ledger.unread() == "bot1-a is told of in two ways: side buy instead of sell"
    late.answer(3, 60, order_id="o2").show(70, order_id="o2", side=Side.SELL)
    assert (late.ledger.unread(), late.ledger.stray()) == (
        "",
        "the venue showed the order bot1-a, and nobody saw it being sent",
    )
    both = look_up(20, "40109").send(3, 40).answer(3, 50, order_id="o2").show(60)
    assert both.ledger.stray() == late.ledger.stray()


def test_a_client_id_stays_with_the_order_that_the_venue_took_or_showed() -> None:
    asked = look_up(20, "40109", accepted=True)
    assert len(asked.send(3, 40).ledger.lives) == 1
    assert len(look_up(20, "40109").show(35).send(3, 40).ledger.lives) == 1
    assert len(look_up(20, "40109").fill("t1", 35).send(3, 40).ledger.lives) == 1


def test_a_look_up_that_was_sent_before_an_order_says_nothing_of_it() -> None:
    crossed = tape().start().send(1, 10).send(2, 20, action=Action.READ, method="GET").send(3, 25)
    assert crossed.answer(2, 30, "40109").working == {"bot1-a": 2}
    assert crossed.send(4, 40, action=Action.READ, method="GET").answer(4, 50, "40109").working == {}


# whose it is


def test_an_order_is_the_bots_when_it_was_sent_through_the_tap_or_bears_its_prefix() -> None:
    def own(told: Tape) -> list[bool]:
        return [life.belongs_to(told.ledger.prefix) for life in told.ledger.lives]

    assert own(tape().start().send(1, 10, "any")) == [True]
    assert own(tape().start().show(10)) == [True]
    assert own(tape().start().fill("t1", 10)) == [True]
    assert (
        own(tape().start().show(10, client_id="other").fill("t1", 10, order_id="o2", client_id="other2")) == [False] * 2
    )
    assert own(tape().show(10, client_id="")) == [False]
    assert tape().ledger.prefix == ""
    assert own(tape().show(10)) == [False]  # without a start nobody knows the prefix


# 6: what cannot be known for sure


def test_the_venue_is_believed_before_the_request() -> None:
    told = tape().start().send(1, 10).show(20, price=Decimal(1), side=Side.SELL, size=Decimal(3), reduce_only=True)
    life = told.ledger.lives[0]
    assert (life.side, life.price, life.size, life.reduce_only) == (Side.SELL, 1, 3, True)
    assert told.ledger.unread() == "bot1-a is told of in two ways: side sell instead of buy"
    assert told.ledger.doubt() == told.ledger.unread()


def test_a_reduce_only_order_may_be_cut_again_and_again_in_whatever_order_it_is_told() -> None:
    for sizes in ((3, 2, 1), (1, 3, 2)):
        cut = tape().start().send(1, 10, size=Decimal(3), reduce_only=True)
        for at, size in enumerate(sizes, 20):
            cut.show(at, size=Decimal(size), reduce_only=True)
        assert cut.ledger.unread() == "", sizes


def test_two_reports_of_different_sizes_are_an_order_told_in_two_ways() -> None:
    odd = tape().start().show(20).show(30, size=Decimal(3)).show(40, price=Decimal(1))
    assert odd.ledger.unread() == "bot1-a is told of in two ways: size 3 instead of 2"


def test_an_order_that_cannot_be_read_is_told_with_what_it_lacks() -> None:
    def unread(**fields: object) -> str:
        return tape().start().send(1, 10, **fields).answer(1, 20, "40017").ledger.unread()

    assert unread() == ""
    assert unread(side=None) == "the order bot1-a sent at seq 1 is without a readable side"
    assert unread(size=None) == "the order bot1-a sent at seq 1 is without a readable size"
    assert unread(price=None) == "the order bot1-a sent at seq 1 is without a readable price"
    assert unread(symbol="ETHUSDT") == "the order bot1-a sent at seq 1 is not one on BTCUSDT"
    assert tape().start().send(1, 10, side=None).send(2, 20, size=None).story == []


def test_a_change_of_a_kind_that_nobody_reads_is_told_and_a_reading_is_none() -> None:
    other = tape().start().send(1, 10, action=Action.OTHER, path="/api/v2/other")
    assert other.ledger.unread() == "what POST /api/v2/other did (seq 1) is not judged"
    assert tape().start().send(1, 10, action=Action.OTHER, method="GET").ledger.unread() == ""


def test_an_answer_to_nothing_is_told_with_its_place() -> None:
    assert tape().start().answer(7, 10).ledger.unread() == "the request that was answered at seq 1 is not on the tape"
    assert tape().start().send(1, 10, "", action=Action.READ).answer(1, 20).ledger.unread() == ""


def test_the_first_thing_that_cannot_be_known_is_the_one_that_is_told() -> None:
    told = tape().start().answer(7, 10).send(1, 20, side=None).send(2, 30, action=Action.OTHER)
    assert told.ledger.unread() == "the request that was answered at seq 1 is not on the tape"
    told = tape().start().send(1, 20, side=None).send(2, 30, size=None).send(3, 40, action=Action.OTHER).answer(7, 50)
    assert told.ledger.unread() == "the order bot1-a sent at seq 1 is without a readable side"


@pytest.mark.parametrize(
    ("at", "stray"), [(99, ""), (100, "the venue showed the order x, and nobody saw it being sent")]
)
def test_an_order_that_nobody_saw_being_sent_is_a_stray_unless_it_is_older_than_the_run(at: int, stray: str) -> None:
    assert tape().start(100).send(1, 110).show(at, late=50, client_id="x").ledger.stray() == stray
    filled = tape().start(100).fill("t1", at, late=50, client_id="x")
    assert filled.ledger.stray() == stray


def test_an_order_listed_before_the_bot_sent_anything_is_no_stray_and_one_listed_later_is() -> None:
    assert tape().start().lists(5, "o1").send(1, 10).show(20, client_id="x").ledger.stray() == ""
    assert tape().start().send(1, 10).lists(15, "o1").show(20, client_id="x").ledger.stray() != ""


def test_without_a_start_every_order_that_nobody_saw_sent_is_a_stray() -> None:
    assert tape().show(0).ledger.stray() == "the venue showed the order bot1-a, and nobody saw it being sent"


def test_what_works_on_one_side_is_told_apart_by_side_and_by_reduce_only() -> None:
    working = tape().start().send(1, 10, "bot1-a").send(2, 20, "bot1-b", side=Side.SELL)
    working.send(3, 30, "bot1-c", side=Side.SELL, reduce_only=True)
    books = working.books
    assert [life.name for life, _ in books.rest(Side.BUY, exits=False)] == ["bot1-a"]
    assert [life.name for life, _ in books.rest(Side.SELL, exits=False)] == ["bot1-b"]
    assert [(life.name, rest) for life, rest in books.rest(Side.SELL, exits=True)] == [("bot1-c", 2)]
    assert books.rest(Side.BUY, exits=True) == []


def test_steps_of_one_instant_come_in_the_order_of_the_tape() -> None:
    same = tape().start().send(1, 10, "bot1-b").send(2, 10, "bot1-a").show(10, OrderState.CANCELED)
    assert [step.seq for step in same.ledger.replay()] == [1, 2, 3]
    assert {step.move for step in same.ledger.replay()} == {Move.BEGIN, Move.END}


def test_a_fact_shown_again_by_another_promise_is_taken_once() -> None:
    class Counting(Ledger):
        taken = 0

        def _take(self, fact: Fact) -> None:
            self.taken += 1
            super()._take(fact)

    ledger = Counting(SYMBOL)
    for fact in micro_cap_run()[:5]:
        ledger.see(fact)
        ledger.see(fact)
    assert ledger.taken == 5


def test_a_fact_that_cannot_be_taken_is_refused_to_everybody_who_shows_it() -> None:
    sent = next(fact for fact in micro_cap_run() if isinstance(fact, RequestSent) and fact.is_entry)
    odd = replace(sent, client_id=[])  # type: ignore[arg-type]
    ledger = Ledger(SYMBOL)
    for _ in range(3):
        with pytest.raises(TypeError):
            ledger.see(odd)


def test_what_was_read_of_the_books_is_read_anew_after_another_fact() -> None:
    facts = micro_cap_run()
    first = next(place for place, fact in enumerate(facts) if isinstance(fact, RequestSent) and fact.is_entry)
    ledger = Ledger(SYMBOL)
    for fact in facts[:first]:
        ledger.see(fact)
    before = ledger.lives, ledger.replay()
    ledger.see(facts[first])
    assert before == ((), ())
    assert (len(ledger.lives), len(ledger.replay())) == (1, 1)
