"""Facts: one way onto a line and back, and nothing that does not fit its kind."""

from decimal import Decimal

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from botproof.errors import HarnessError
from botproof.events import Action, BotSample, Fact, OrderType, RequestSent, Side, Source, TopOfBook
from botproof.notation import line, parse

ENTRY = RequestSent(
    src=Source.TAP,
    t_local_us=5,
    request=1,
    method="POST",
    path="/api/v2/mix/order/place-order",
    action=Action.PLACE,
    side=Side.BUY,
    order_type=OrderType.LIMIT,
    price=Decimal("67263.7"),
    size=Decimal("0.0001"),
)


def test_a_line_names_seq_kind_source_and_times_first() -> None:
    assert list(orjson.loads(line(ENTRY)))[:5] == ["seq", "kind", "src", "t_venue_us", "t_local_us"]


def test_money_is_written_as_plain_text() -> None:
    assert orjson.loads(line(ENTRY))["price"] == "67263.7"


def test_a_fact_comes_back_as_it_was_written() -> None:
    assert parse(orjson.loads(line(ENTRY))) == ENTRY


@given(st.dictionaries(st.text(), st.text(), max_size=5))
def test_a_row_of_text_comes_back_as_it_was_written(row: dict[str, str]) -> None:
    try:
        written = line(BotSample(src=Source.BOT, t_local_us=1, row=row))
    except TypeError:  # lone surrogates are no UTF-8
        return
    assert parse(orjson.loads(written)) == BotSample(src=Source.BOT, t_local_us=1, row=row)


def test_a_kind_nobody_knows_is_refused() -> None:
    with pytest.raises(HarnessError, match="Rumour"):
        parse({"kind": "Rumour", "seq": 0})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("price", 67263.7),
        ("price", "cheap"),
        ("price", "NaN"),
        ("price", "1E+999999999"),
        ("side", "up"),
        ("reduce_only", 0),
        ("request", "1"),
        ("request", True),
    ],
)
def test_a_value_of_the_wrong_type_is_refused(field: str, value: object) -> None:
    body = orjson.loads(line(ENTRY)) | {field: value}
    with pytest.raises(HarnessError, match="RequestSent at seq 0"):
        parse(body)


def test_a_missing_field_and_an_unknown_one_are_refused() -> None:
    body = orjson.loads(line(ENTRY))
    body["colour"] = body.pop("price")
    with pytest.raises(HarnessError, match=r"colour.*price"):
        parse(body)


def test_only_orders_without_reduce_only_are_entries() -> None:
    assert ENTRY.is_entry
    assert not ENTRY.is_exit
    assert ENTRY.value_usdt() == Decimal("6.72637")


def test_a_reading_changes_nothing_and_an_unnamed_post_does() -> None:
    def sent(method: str, action: Action) -> RequestSent:
        return RequestSent(src=Source.TAP, t_local_us=1, request=1, method=method, path="/x", action=action)

    assert not sent("GET", Action.READ).changes_something
    assert not sent("GET", Action.OTHER).changes_something
    assert sent("POST", Action.OTHER).changes_something
    assert sent("POST", Action.CANCEL).changes_something
    assert sent("POST", Action.SET_LEVERAGE).changes_something


def test_mid_is_between_the_best_prices() -> None:
    top = TopOfBook(
        src=Source.TAP,
        t_local_us=1,
        symbol="BTCUSDT",
        bid=Decimal("67499.9"),
        bid_size=Decimal(1),
        ask=Decimal("67500.0"),
        ask_size=Decimal(1),
        via="depth",
    )
    assert top.mid == Decimal("67499.95")


def test_every_kind_of_fact_has_a_sentence() -> None:
    assert all(kind.__doc__ for kind in Fact.kinds.values())
