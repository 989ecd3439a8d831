"""Correct no-trade windows in memory, drawn from a seed, and every way we know to hide a trade in one or to thin it out.

A defect is a function that changes the pieces of one window. What it hides is in one place alone, so that the source
which holds it must see it by itself.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from random import Random
from typing import Any

import orjson
from notrade_windows import COLUMNS, DAY15, NO_TRADE, PREFIX, QUIET, RUN_ID, clean_record

from botproof.evidence.rows import FILLS
from botproof.evidence.venuefile import record_json
from botproof.notrade.answer import Answer
from botproof.notrade.columns import WORDS
from botproof.notrade.evidence import RunEvidence
from botproof.notrade.judge import Case, Trial, judge_no_trade
from botproof.notrade.record import (
    NEEDED,
    ListReading,
    PastBill,
    PastFill,
    PastOrder,
    PositionReading,
    Request,
    SettingsReading,
    Source,
    VenueRecord,
    read_record,
)
from botproof.notrade.window import DAY_US, MINUTE_US, SECOND_US, Window, iso

EPOCH_US = 1_771_718_400_000_000  # 2026-02-22T00:00:00Z
LEAD_US = 40 * SECOND_US
STOP_US = 5 * SECOND_US
SHA = "ab" * 32
BINDING = ("profile_id", "profile_sha256", "run_id", "no_trade")


class Rows:
    """A table in memory."""

    def __init__(self, header: list[str], rows: list[list[str] | None], sha256: str) -> None:
        self.header, self.rows, self.sha256 = header, rows, sha256
        self.empty_lines, self.ends_torn, self.has_mark = 0, False, False

    def __iter__(self) -> Iterator[tuple[int, list[str] | None]]:
        return iter([(line, row) for line, row in enumerate(self.rows, 2)])

    def damage(self) -> list[str]:
        return []


@dataclass
class Pieces:
    """One window, piece by piece."""

    window: Window
    columns: list[str]
    rows: list[list[str] | None]
    record: VenueRecord | None
    run: RunEvidence | None
    fills: list[list[str] | None] | None = field(default_factory=list)
    profile: Any = NO_TRADE
    minute_sha: str = SHA
    fills_sha: str = SHA

    def trial(self) -> Trial:
        return judge_no_trade(
            Case(
                terms=DAY15,
                window=self.window,
                minutes=Rows(self.columns, self.rows, self.minute_sha),
                fills=None if self.fills is None else Rows(list(FILLS), self.fills, self.fills_sha),
                profile=self.profile,
                run=self.run,
                venue=self.record,
            )
        )

    def answer(self) -> Answer:
        return self.trial().judgement.answer

    def put(self, number: int, **cells: str) -> None:
        """Other cells in a row."""
        row = self.rows[number]
        assert row is not None
        for name, text in cells.items():
            row[self.columns.index(name)] = text

    def cell(self, number: int, name: str) -> str:
        row = self.rows[number]
        assert row is not None
        return row[self.columns.index(name)]

    def add(self, source: str, *rows: Any) -> None:
        """More rows in a source of the venue's record."""
        assert self.record is not None
        held = getattr(self.record, source) or self.record.orders
        changed = replace(held, rows=tuple(sorted((*held.rows, *rows), key=str)))
        self.record = replace(self.record, **{source: changed})


def draw(chance: Random) -> Pieces:
    """A correct window of 6 to 40 minutes, now and then over midnight, with or without fills earlier in the day."""
    minutes = chance.randrange(6, 41)
    start_us = EPOCH_US + chance.choice((chance.randrange(60, 1200), 1440 - chance.randrange(1, minutes))) * MINUTE_US
    window = Window(start_us, start_us + minutes * MINUTE_US)
    bound = chance.random() < 0.5
    columns = [*COLUMNS, *(BINDING if bound else ())]
    fills, fees, traded = chance.choice(((0, "0", "0"), (3, "0.0081", "0.675")))
    rows: list[list[str] | None] = []
    for number in range(minutes):
        at_us = start_us + number * MINUTE_US + chance.randrange(0, 900_000)
        is_same_day = at_us // DAY_US == start_us // DAY_US
        cells = {
            **QUIET,
            "ts": f"{iso(at_us - at_us % SECOND_US)[:-1]}.{at_us % SECOND_US:06}+00:00",
            "exchange": "bitget_perpetual",
            "state": "soft_pause",
            "mid": f"{67500 + chance.randrange(-200, 200)}.{number:02}",
            "orders_active": "0",
            "fills_count_today": str(fills) if is_same_day else "0",
            "fees_paid_today_quote": fees if is_same_day else "0",
            "turnover_today_x": traded if is_same_day else "0E+2",
            "profile_id": NO_TRADE.id,
            "profile_sha256": NO_TRADE.sha256,
            "run_id": RUN_ID,
            "no_trade": "True",
        }
        rows.append([cells[name] for name in columns])
    return Pieces(window, columns, rows, clean_record(window.start_us, window.end_us), clean_run(window))


def clean_run(window: Window) -> RunEvidence:
    """A run that lived from before the window to its stop, and called once a minute."""
    begun_us, end_us = window.start_us - LEAD_US, window.end_us + STOP_US
    calls = tuple(
        Request(
            at_us=at_us, method="GET", path="/api/v2/mix/account/account", action="read", client_id="", code="00000"
        )
        for at_us in range(begun_us, window.end_us, MINUTE_US)
    )
    return RunEvidence(
        run_id=RUN_ID,
        profile_id=NO_TRADE.id,
        profile_sha256=NO_TRADE.sha256,
        bot="bot1",
        venue="live",
        symbol="BTCUSDT",
        client_id_prefix=PREFIX,
        started_us=begun_us,
        bot_started_us=begun_us,
        stopped_us=end_us,
        window_us=(window.start_us, window.end_us),
        complete=True,
        files={"minute.csv": SHA, "fills.csv": SHA},
        requests=Source(from_us=begun_us, to_us=end_us + SECOND_US, read_us=end_us, via="tap", rows=calls),
    )


Defect = Callable[[Random, Pieces], None]


def _inside(chance: Random, pieces: Pieces) -> int:
    """An instant of the window, its ends as often as what lies between."""
    window = pieces.window
    return chance.choice((window.start_us, window.end_us, chance.randrange(window.start_us, window.end_us)))


def _row(chance: Random, pieces: Pieces, first: int = 0) -> int:
    return chance.randrange(first, len(pieces.rows))


def _order(created_us: int, updated_us: int, state: str, client_id: str = "web-1") -> PastOrder:
    return PastOrder(
        order_id="555",
        client_id=client_id,
        symbol="BTCUSDT",
        side="sell",
        size=Decimal("0.0001"),
        filled=Decimal(0),
        state=state,
        created_us=created_us,
        updated_us=updated_us,
    )


# Trades.


def order_inside(chance: Random, pieces: Pieces) -> None:
    at_us = _inside(chance, pieces)
    state = chance.choice(("canceled", "cancelled", "filled", "live", "unheard_of"))
    pieces.add("orders", _order(at_us, at_us + chance.randrange(0, 40 * SECOND_US), state))


def order_from_before(chance: Random, pieces: Pieces) -> None:
    start_us = pieces.window.start_us
    created_us = start_us - chance.randrange(1, 3600 * SECOND_US)
    pieces.add("orders", _order(created_us, _inside(chance, pieces), chance.choice(("canceled", "filled"))))


def order_right_through(chance: Random, pieces: Pieces) -> None:
    window = pieces.window
    pieces.add("orders", _order(window.start_us - SECOND_US, window.end_us + SECOND_US, "canceled"))


def own_order_at_the_start(chance: Random, pieces: Pieces) -> None:
    at_us = pieces.window.start_us - chance.randrange(1, LEAD_US)
    ended_us = min(at_us + SECOND_US, pieces.window.start_us - 1)
    pieces.add("orders", _order(at_us, ended_us, "canceled", f"{PREFIX}1"))


def order_before_the_stop(chance: Random, pieces: Pieces) -> None:
    at_us = pieces.window.end_us + chance.randrange(0, STOP_US)
    pieces.add("orders", _order(at_us, at_us, "canceled"))


def trigger_that_ended(chance: Random, pieces: Pieces) -> None:
    at_us = _inside(chance, pieces)
    pieces.add("trigger_history", _order(at_us, at_us, "canceled"))


def list_with_an_order(chance: Random, pieces: Pieces) -> None:
    source = chance.choice(("open_orders", "trigger_orders"))
    pieces.add(source, ListReading(at_us=_inside(chance, pieces), ids=("555",)))


def rests_since_before(chance: Random, pieces: Pieces) -> None:
    source = chance.choice(("open_orders", "trigger_orders"))
    pieces.add(source, ListReading(at_us=pieces.window.start_us - chance.randrange(0, SECOND_US), ids=("555",)))


def venue_fill(chance: Random, pieces: Pieces) -> None:
    at_us = chance.choice((_inside(chance, pieces), pieces.window.end_us + chance.randrange(0, STOP_US)))
    pieces.add(
        "fills",
        PastFill(
            trade_id="1",
            order_id="555",
            symbol=chance.choice(("BTCUSDT", "ETHUSDT")),
            side="buy",
            price=Decimal(67500),
            size=Decimal("0.0001"),
            at_us=at_us,
        ),
    )


def trade_bill(chance: Random, pieces: Pieces) -> None:
    kind = chance.choice(("buy", "sell", "open_long", "close_short", "contract_settle_fee", "force_buy", "unheard_of"))
    pieces.add(
        "bills",
        PastBill(
            bill_id="1",
            symbol="BTCUSDT",
            business_type=kind,
            amount=Decimal(0),
            fee=Decimal("-0.004"),
            at_us=_inside(chance, pieces),
        ),
    )


def position_moves(chance: Random, pieces: Pieces) -> None:
    size, symbol = chance.choice((("0.0001", "BTCUSDT"), ("-0.0001", "BTCUSDT"), ("1", "ETHUSDT")))
    reading = PositionReading(at_us=_inside(chance, pieces), symbol=symbol, size=Decimal(size))
    pieces.add("positions", reading)


def ends_with_a_position(chance: Random, pieces: Pieces) -> None:
    assert pieces.record is not None
    held = pieces.record.positions
    assert held is not None
    last = max(held.rows, key=lambda reading: reading.at_us)
    rows = tuple(row._replace(size=Decimal("0.0001")) if row is last else row for row in held.rows)
    pieces.record = replace(pieces.record, positions=replace(held, rows=rows))


def settings_change(chance: Random, pieces: Pieces) -> None:
    mode, margin, leverage = chance.choice(
        (("hedge_mode", "crossed", "1"), ("one_way_mode", "isolated", "1"), ("one_way_mode", "crossed", "20"))
    )
    at_us = max(_inside(chance, pieces), pieces.window.start_us + 1)
    pieces.add("settings", SettingsReading(at_us=at_us, position_mode=mode, margin_mode=margin, leverage=leverage))


def request_sent(chance: Random, pieces: Pieces) -> None:
    assert pieces.run is not None
    assert pieces.run.requests is not None
    asked = Request(
        at_us=_inside(chance, pieces),
        method="POST",
        path="/api/v2/mix/order/place-order",
        action=chance.choice(("place", "cancel", "other", "set_leverage", "set_position_mode", "set_margin_mode")),
        client_id="x",
        code=chance.choice(("00000", "40815", "")),
    )
    source = replace(pieces.run.requests, rows=(*pieces.run.requests.rows, asked))
    pieces.run = replace(pieces.run, requests=source)


def request_before_the_window(chance: Random, pieces: Pieces) -> None:
    assert pieces.run is not None
    assert pieces.run.requests is not None
    at_us = pieces.window.start_us - chance.randrange(1, LEAD_US)
    asked = Request(at_us=at_us, method="POST", path="/p", action="place", client_id="x", code="45110")
    source = replace(pieces.run.requests, rows=(*pieces.run.requests.rows, asked))
    pieces.run = replace(pieces.run, requests=source)


def fill_in_the_file(chance: Random, pieces: Pieces) -> None:
    assert pieces.fills is not None
    at_us = chance.choice((_inside(chance, pieces), pieces.window.end_us + chance.randrange(0, STOP_US)))
    row = dict.fromkeys(FILLS, "0") | {"ts": iso(at_us)}
    pieces.fills.append([row[name] for name in FILLS][: chance.choice((18, 18, 17))])


def counter_moves(chance: Random, pieces: Pieces) -> None:
    """From one row on, or in one row alone."""
    name, more = chance.choice(
        (
            ("fills_count_today", lambda old: str(int(old) + chance.randrange(1, 9))),
            ("fees_paid_today_quote", lambda old: str(Decimal(old) + Decimal("0.004"))),
            ("turnover_today_x", lambda old: str(Decimal(old) + Decimal("0.01"))),
            ("equity_quote", lambda old: str(Decimal(old) - Decimal("0.01"))),
            ("base_balance", lambda old: str(Decimal(old) + Decimal("0.0001"))),
            ("orders_active", "1".format),
            ("state", lambda old: chance.choice(("running", "hard_stop", "paused", "Soft_pause"))),
        )
    )
    first = _row(chance, pieces, 1)
    last = chance.choice((first + 1, len(pieces.rows)))
    for number in range(first, last):
        pieces.put(number, **{name: more(pieces.cell(number, name))})


def cancel_counted(chance: Random, pieces: Pieces) -> None:
    pieces.put(_row(chance, pieces, 2), cancel_per_min=str(chance.randrange(1, 30)))


# Evidence that is gone.


def source_gone(chance: Random, pieces: Pieces) -> None:
    assert pieces.record is not None
    pieces.record = replace(pieces.record, **{chance.choice(NEEDED): None})


def source_cut_short(chance: Random, pieces: Pieces) -> None:
    assert pieces.record is not None
    name = chance.choice(("orders", "fills", "bills"))
    source = getattr(pieces.record, name)
    change = chance.choice(("from_us", "to_us", "read_us"))
    at_us = pieces.window.start_us + 1 if change == "from_us" else pieces.window.end_us - 1
    pieces.record = replace(pieces.record, **{name: replace(source, **{change: at_us})})


def readings_gone(chance: Random, pieces: Pieces) -> None:
    assert pieces.record is not None
    name, before = chance.choice(("open_orders", "trigger_orders", "positions", "settings")), chance.random() < 0.5
    source = getattr(pieces.record, name)
    kept = tuple(row for row in source.rows if (row.at_us >= pieces.window.start_us + 1) is before)
    pieces.record = replace(pieces.record, **{name: replace(source, rows=kept)})


def rows_cut_from_the_record(chance: Random, pieces: Pieces) -> None:
    """In the file, where the count and the digest stand beside the rows."""
    assert pieces.record is not None
    body = orjson.loads(orjson.dumps(record_json(pieces.record)))
    source = body["sources"][chance.choice([name for name, held in body["sources"].items() if held["rows"]])]
    del source["rows"][chance.randrange(len(source["rows"]))]
    if chance.random() < 0.5:
        source["count"] -= 1
    pieces.record = read_record(body)


def whole_piece_gone(chance: Random, pieces: Pieces) -> None:
    setattr(pieces, chance.choice(("record", "run", "profile", "fills")), None)


def hole(chance: Random, pieces: Pieces) -> None:
    length = chance.randrange(3, 6)
    first = chance.randrange(0, len(pieces.rows) - length + 1)
    del pieces.rows[first : first + length]


def column_gone(chance: Random, pieces: Pieces) -> None:
    place = pieces.columns.index(chance.choice(COLUMNS))
    del pieces.columns[place]
    for row in pieces.rows:
        assert row is not None
        del row[place]


def column_renamed(chance: Random, pieces: Pieces) -> None:
    place = pieces.columns.index(chance.choice(COLUMNS))
    name = pieces.columns[place]
    pieces.columns[place] = chance.choice(
        (f" {name}", f"{name} ", name.upper(), f"{name}\u200b", "", pieces.columns[0])
    )
    if place == 0 and pieces.columns[0] == name:
        pieces.columns[0] = ""


def cell_ruined(chance: Random, pieces: Pieces) -> None:
    name = chance.choice([name for name in COLUMNS if name not in WORDS])
    text = chance.choice(
        ("", "nan", "inf", "1,0", "8%", "3-", "0x1", "1_0", " 0", "one", "\u0661", "1e", "--1", "1.2.3")
    )
    pieces.put(_row(chance, pieces), **{name: text})


def word_ruined(chance: Random, pieces: Pieces) -> None:
    name, text = chance.choice(
        (
            ("ts", "1771722000"),
            ("ts", "2026-02-22 01:00"),
            ("ts", ""),
            ("exchange", "binance_perpetual"),
            ("exchange", "BITGET_PERPETUAL"),
            ("exchange", ""),
            ("trading_pair", "ETH-USDT"),
            ("bot_variant", "b"),
            ("regime", ""),
        )
    )
    pieces.put(_row(chance, pieces), **{name: text})


def row_ruined(chance: Random, pieces: Pieces) -> None:
    number = _row(chance, pieces)
    row = pieces.rows[number]
    assert row is not None
    pieces.rows[number] = chance.choice((None, row[:-1], [*row, "0"], row[:3], list(pieces.columns)))


def row_doubled(chance: Random, pieces: Pieces) -> None:
    number = _row(chance, pieces)
    row = pieces.rows[number]
    assert row is not None
    pieces.rows.insert(chance.randrange(0, len(pieces.rows) + 1), list(row))


def rows_swapped(chance: Random, pieces: Pieces) -> None:
    number = _row(chance, pieces, 1)
    pieces.rows[number - 1], pieces.rows[number] = pieces.rows[number], pieces.rows[number - 1]


def frozen(chance: Random, pieces: Pieces) -> None:
    for number in range(len(pieces.rows)):
        pieces.put(number, mid="67500")


def unbound(chance: Random, pieces: Pieces) -> None:
    """The file is not the run's, and its rows name nothing, or something else."""
    pieces.minute_sha = "cd" * 32
    if len(pieces.columns) > len(COLUMNS):
        name, text = chance.choice(
            (("profile_sha256", "00" * 32), ("profile_sha256", ""), ("no_trade", "False"), ("run_id", "another"))
        )
        pieces.put(_row(chance, pieces), **{name: text})


def dead(chance: Random, pieces: Pieces) -> None:
    assert pieces.run is not None
    window = pieces.window
    change: dict[str, Any] = chance.choice(
        (
            {"death": "it crashed"},
            {"complete": False},
            {"stopped_us": window.end_us - 1},
            {"stopped_us": None},
            {"bot_started_us": window.start_us + 1},
            {"profile_sha256": "00" * 32},
            {"run_id": ""} if len(pieces.columns) == len(COLUMNS) else {"run_id": "another"},
            {"window_us": (window.start_us, window.end_us + MINUTE_US)},
            {"requests": None},
            {"flaws": ("tape.jsonl is not the file that was sealed",)},
        )
    )
    pieces.run = replace(pieces.run, **change)


def silent(chance: Random, pieces: Pieces) -> None:
    """The key was not used, or every call was refused."""
    assert pieces.run is not None
    assert pieces.run.requests is not None
    kept = chance.choice(((), tuple(call._replace(code="40009") for call in pieces.run.requests.rows)))
    pieces.run = replace(pieces.run, requests=replace(pieces.run.requests, rows=kept))


def no_requests_of_a_part(chance: Random, pieces: Pieces) -> None:
    assert pieces.run is not None
    assert pieces.run.requests is not None
    window = pieces.window
    change = chance.choice(({"from_us": window.start_us + 1}, {"to_us": window.end_us - 1}))
    pieces.run = replace(pieces.run, requests=replace(pieces.run.requests, **change))


def nobody_known(chance: Random, pieces: Pieces) -> None:
    """Of the closure's earlier orders one or all are unknown, or the account is not named."""
    assert pieces.record is not None
    assert pieces.record.orders is not None
    record = pieces.record
    unfilled = tuple(row for row in record.orders.rows if row.filled)
    change: dict[str, Any] = chance.choice(
        (
            {"known_orders": ()},
            {"known_orders": record.known_orders[:1]},
            {"orders": replace(record.orders, rows=())},
            {"orders": replace(record.orders, rows=unfilled)},
            {"account": ""},
            {"key": ""},
            {"symbol": "ETHUSDT"},
            {"start_us": pieces.window.start_us + 1},
            {"end_us": pieces.window.end_us - 1},
            {"flaws": ("cut",)},
        )
    )
    pieces.record = replace(record, **change)


def another_window(chance: Random, pieces: Pieces) -> None:
    window = pieces.window
    pieces.window = chance.choice(
        (
            Window(window.start_us - 2 * MINUTE_US, window.end_us),
            Window(window.start_us, window.end_us + 2 * MINUTE_US),
            Window(window.start_us + MINUTE_US, window.end_us),
            Window(window.start_us + SECOND_US, window.end_us),
        )
    )


TRADES: tuple[Defect, ...] = (
    order_inside,
    order_from_before,
    order_right_through,
    own_order_at_the_start,
    order_before_the_stop,
    trigger_that_ended,
    list_with_an_order,
    rests_since_before,
    venue_fill,
    trade_bill,
    position_moves,
    ends_with_a_position,
    settings_change,
    request_sent,
    request_before_the_window,
    fill_in_the_file,
    counter_moves,
    cancel_counted,
)
REMOVALS: tuple[Defect, ...] = (
    source_gone,
    source_cut_short,
    readings_gone,
    rows_cut_from_the_record,
    whole_piece_gone,
    hole,
    column_gone,
    column_renamed,
    cell_ruined,
    word_ruined,
    row_ruined,
    row_doubled,
    rows_swapped,
    frozen,
    unbound,
    dead,
    silent,
    no_requests_of_a_part,
    nobody_known,
    another_window,
)
ALL = TRADES + REMOVALS
