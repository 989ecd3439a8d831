"""A correct no-trade window with all its files, and what a test makes of it.

The notation is that of the cases: `01:00 X S 0 0 / 01:01 X S 0 0` are rows of `ts,exchange,state,orders_active,
fills_count_today`, X is bitget_perpetual, S soft_pause. A row is expanded to the full columns, its mid moves, the window
goes from the first row to the last, the venue's record is clean and the run is sealed; then a test applies one defect.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from botproof.events import (
    Action,
    BotRestarted,
    BotStateChanged,
    Fact,
    RequestAnswered,
    RequestSent,
    RunEnded,
    RunStarted,
    StopStep,
    WindowClosed,
    WindowOpened,
)
from botproof.events import (
    Source as Src,
)
from botproof.evidence.files import RunFolder
from botproof.evidence.rows import FILLS, MINUTE, values_text
from botproof.evidence.tape import Tape
from botproof.evidence.venuefile import write_venue_record
from botproof.notrade.record import (
    KnownOrder,
    ListReading,
    PastFill,
    PastOrder,
    PositionReading,
    Price,
    SettingsReading,
    Source,
    VenueRecord,
)
from botproof.notrade.window import MINUTE_US, SECOND_US, iso, read_instant
from botproof.profile import Profile, find_profile
from botproof.terms import Terms, find_terms
from botproof.trial import Asked, Verdict, judge_window

DAY = "2026-02-22"
PROFILE = "epp_v2_4_bot1u20_bitget_live_notrade"
NAMES = {"X": "bitget_perpetual", "S": "soft_pause"}
NO_TRADE, DAY15 = Profile.load(find_profile(PROFILE)), Terms.load(find_terms("day15"))
COLUMNS = MINUTE[:33]
RUN_ID = "live-no-trade-1"
PREFIX = "bot1-0a1b2c3d-"
LEAD_US, TRAIL_US = 40 * SECOND_US, 60 * SECOND_US

QUIET = {
    "bot_variant": "a",
    "trading_pair": "BTC-USDT",
    "regime": "neutral_low_vol",
    "equity_quote": "20",
    "base_pct": "0",
    "target_base_pct": "0",
    "spread_pct": "0.007",
    "spread_floor_pct": "0.003",
    "net_edge_pct": "0.0019",
    "skew": "0",
    "adverse_drift_30s": "0",
    "soft_pause_edge": "False",
    "base_balance": "0",
    "quote_balance": "20",
    "market_spread_pct": "0.0000014812",
    "market_spread_bps": "0.014812",
    "best_bid_size": "0.5",
    "best_ask_size": "0.7",
    "turnover_today_x": "0",
    "cancel_per_min": "0",
    "fees_paid_today_quote": "0",
    "daily_loss_pct": "0",
    "drawdown_pct": "0",
    "risk_reasons": "no_trade",
    "fee_source": "api:trade-rate",
    "maker_fee_pct": "0.0002",
    "taker_fee_pct": "0.0006",
}


def ts(text: str, *, day: str = DAY) -> str:
    """`01:00` or `01:00:20` of the day as the bot writes it; a whole date is left alone."""
    if text.startswith("+"):
        return ts(text[1:], day="2026-02-23")
    clock = text if text.count(":") == 2 else f"{text}:00"
    return f"{day}T{clock}.000000+00:00" if len(text) <= 8 else text


def at(text: str) -> int:
    """The same in microseconds since the epoch."""
    found = read_instant(ts(text))
    assert found is not None, text
    return found


def minute_row(spec: str, number: int = 0) -> dict[str, str]:
    """`01:00 X S 0 0` as a whole row."""
    when, exchange, state, orders, fills = spec.split()
    return {
        **QUIET,
        "ts": ts(when),
        "exchange": NAMES.get(exchange, exchange),
        "state": NAMES.get(state, state),
        "mid": f"67500.{number:04}",
        "orders_active": orders,
        "fills_count_today": fills,
    }


def fill_row(when: str) -> dict[str, str]:
    """A row of fills.csv."""
    words = {"bot_variant": "a", "exchange": "bitget_perpetual", "trading_pair": "BTC-USDT", "side": "buy"}
    return dict.fromkeys(FILLS, "0") | words | {"ts": ts(when), "state": "running", "exchange_trade_id": "77"}


def table(columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> str:
    """Rows as a file."""
    return values_text(columns) + "".join(values_text([row.get(name, "") for name in columns]) for row in rows)


@dataclass
class NoTradeWindow:
    """One case: change what you like, then ask for the verdict."""

    folder: Path
    rows: list[dict[str, str]]
    start_us: int
    end_us: int
    columns: tuple[str, ...] = COLUMNS
    fills: list[dict[str, str]] = field(default_factory=list)
    restarts: tuple[int, ...] = ()
    record: VenueRecord | None = None
    text: str | None = None  # of minute.csv, where it is not what the rows make
    content: bytes | None = None  # the same, as bytes
    profile: Profile = NO_TRADE
    stop_after_us: int = 5 * SECOND_US
    requests: list[tuple[int, Action, str]] = field(default_factory=list)
    asked: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, folder: Path, specs: str, *, venue: str = "live") -> "NoTradeWindow":
        """The window from the first row to the last of ` / ` separated rows."""
        rows = [minute_row(spec.strip(), number) for number, spec in enumerate(specs.split("/"))]
        stamps = sorted(stamp for row in rows if (stamp := read_instant(row["ts"])) is not None)
        start_us, end_us = stamps[0] // MINUTE_US * MINUTE_US, -(-stamps[-1] // MINUTE_US) * MINUTE_US
        window = cls(folder, rows, start_us, max(end_us, start_us + MINUTE_US))
        window.record = clean_record(window.start_us, window.end_us, venue=venue)
        return window

    @classmethod
    def hour(cls, folder: Path, *, minutes: int = 60, begin: str = "01:00", venue: str = "live") -> "NoTradeWindow":
        """A whole window, a row a minute."""
        start_us = at(begin)
        rows = [minute_row(f"{iso(start_us + n * MINUTE_US)[11:16]} X S 0 0", n) for n in range(minutes)]
        for number, row in enumerate(rows):
            row["ts"] = f"{iso(start_us + number * MINUTE_US)[:-1]}.000000+00:00"
        window = cls(folder, rows, start_us, start_us + minutes * MINUTE_US)
        window.record = clean_record(window.start_us, window.end_us, venue=venue)
        return window

    def minute_bytes(self) -> bytes:
        """minute.csv."""
        if self.content is not None:
            return self.content
        return (table(self.columns, self.rows) if self.text is None else self.text).encode()

    def write(self) -> dict[str, str]:
        """All files; what the judge is asked, as text."""
        self.folder.mkdir(parents=True, exist_ok=True)
        files = {"minute.csv": self.minute_bytes(), "fills.csv": table(FILLS, self.fills).encode()}
        run = seal_run(self, files)
        for name, content in files.items():
            (self.folder / name).write_bytes(content)
        asked = {
            "minute_csv": str(self.folder / "minute.csv"),
            "fills_csv": str(self.folder / "fills.csv"),
            "profile": str(run / f"{self.profile.id}.yml"),
            "start": iso(self.start_us),
            "end": iso(self.end_us),
            "run_record": str(run),
        }
        if self.record is not None:
            write_venue_record(self.folder / "venue.json", self.record)
            asked["venue_record"] = str(self.folder / "venue.json")
        return asked | self.asked

    def judge(self) -> Verdict:
        """The verdict on the files."""
        return judge_window(Asked(**self.write(), reports=self.folder / "reports"))

    def change(self, source: str, *rows: Any) -> None:
        """Add rows to a source of the venue's record."""
        assert self.record is not None
        held = getattr(self.record, source)
        self.record = replace(self.record, **{source: replace(held, rows=(*held.rows, *rows))})


def clean_record(start_us: int, end_us: int, *, venue: str = "live") -> VenueRecord:
    """A venue that saw nothing in the window, and two orders of the closure before it, one cancelled unfilled."""
    before_us, after_us = start_us - LEAD_US, end_us + TRAIL_US
    began_us = start_us - 7200 * SECOND_US

    def source(*rows: Any, from_us: int = began_us) -> Source[Any]:
        return Source(from_us=from_us, to_us=after_us, read_us=after_us, via="GET", rows=rows)

    def order(number: int, state: str, filled: str) -> PastOrder:
        placed_us = began_us + number * MINUTE_US
        return PastOrder(
            order_id=f"10{number}",
            client_id=f"bot1-11111111-{number}",
            symbol="BTCUSDT",
            side="buy",
            size=Decimal("0.0001"),
            filled=Decimal(filled),
            state=state,
            created_us=placed_us,
            updated_us=placed_us + 30 * SECOND_US,
        )

    earlier = (order(1, "filled", "0.0001"), order(2, "canceled", "0"))
    lists = [ListReading(at_us=when, ids=()) for when in (before_us, after_us)]
    prices = [
        Price(at_us=when, bid=f"{67500 + number}", ask=f"{67501 + number}")
        for number, when in enumerate(range(start_us, end_us, 30 * SECOND_US))
    ]
    return VenueRecord(
        venue=venue,
        account="4711",
        key="5f2c0d",
        symbol="BTCUSDT",
        start_us=start_us,
        end_us=end_us,
        orders=source(*earlier),
        fills=source(),
        bills=source(),
        open_orders=source(*lists),
        trigger_orders=source(*lists),
        positions=source(
            *(PositionReading(at_us=when, symbol="BTCUSDT", size=Decimal(0)) for when in (before_us, after_us))
        ),
        settings=source(
            *(
                SettingsReading(at_us=when, position_mode="one_way_mode", margin_mode="crossed", leverage="1")
                for when in (before_us, after_us)
            )
        ),
        prices=source(*prices),
        known_orders=tuple(
            KnownOrder(order_id=each.order_id, client_id=each.client_id, run_id="micro-cap-1") for each in earlier
        ),
    )


def venue_order(began: str, ended: str, state: str = "canceled") -> PastOrder:
    """An order at the venue."""
    return PastOrder(
        order_id="900",
        client_id=f"{PREFIX}1",
        symbol="BTCUSDT",
        side="buy",
        size=Decimal("0.0001"),
        filled=Decimal(0),
        state=state,
        created_us=at(began),
        updated_us=at(ended),
    )


def venue_fill(when_us: int) -> PastFill:
    """A fill at the venue."""
    return PastFill(
        trade_id="800",
        order_id="900",
        symbol="BTCUSDT",
        side="buy",
        price=Decimal(67500),
        size=Decimal("0.0001"),
        at_us=when_us,
    )


def seal_run(window: NoTradeWindow, files: Mapping[str, bytes]) -> Path:
    """The folder of a run of the harness with these files of its bot."""
    folder = RunFolder(window.folder, RUN_ID)
    tape = Tape(folder.tape_file)
    for fact in run_facts(window):
        tape.write(fact)
    stop_us = window.end_us + window.stop_after_us + 10 * SECOND_US
    for source in Src:
        tape.cover(source, window.start_us - LEAD_US, stop_us, stop_us)
    folder.close()
    for name, content in files.items():
        (folder.path / name).write_bytes(content)
    for name in ("orders.csv", "incidents.jsonl", "verdicts.json"):
        (folder.path / name).write_text("")
    (folder.path / f"{window.profile.id}.yml").write_bytes(window.profile.source)
    folder.json("run.json", {"run_id": RUN_ID, "profile_sha256": window.profile.sha256})
    return folder.seal()


def run_facts(window: NoTradeWindow) -> list[Fact]:
    """What the harness wrote down: start, calls of the bot, restarts, window, stop, end."""
    begun_us = window.start_us - LEAD_US
    stop_us = window.end_us + window.stop_after_us
    facts: list[Fact] = [
        RunStarted(
            src=Src.RUN,
            t_local_us=begun_us,
            run_id=RUN_ID,
            scenario="no-trade window",
            profile_id=window.profile.id,
            profile_sha256=window.profile.sha256,
            terms_sha256=DAY15.sha256,
            bot="bot1",
            bot_version="2.12.0",
            venue="live",
            clock="real",
            seed=1,
            symbol="BTCUSDT",
            client_id_prefix=PREFIX,
            window_s=(window.end_us - window.start_us) // SECOND_US,
            declared_position=Decimal(0),
        ),
        BotStateChanged(src=Src.BOT, t_local_us=begun_us + 1, state="soft_pause", reasons=("no_trade",)),
        WindowOpened(src=Src.RUN, t_local_us=window.start_us, start_us=window.start_us, end_us=window.end_us),
    ]
    calls = [(when, Action.READ, "00000") for when in range(begun_us + 2, window.end_us, MINUTE_US)]
    for number, (when, action, code) in enumerate(sorted([*calls, *window.requests]), 1):
        facts += request(number, when, action, code)
    facts += [
        BotRestarted(src=Src.RUN, t_local_us=when, start=number, client_id_prefix=f"{PREFIX}r{number}-")
        for number, when in enumerate(window.restarts, 2)
    ]
    ends = {"start_us": window.start_us, "end_us": window.end_us}
    facts += [
        WindowClosed(src=Src.RUN, t_local_us=window.end_us, reason="ended", **ends),
        StopStep(src=Src.RUN, t_local_us=window.end_us, step="asked", outcome="sent"),
        StopStep(src=Src.RUN, t_local_us=stop_us, step="stopped", outcome="in time"),
        RunEnded(src=Src.RUN, t_local_us=stop_us + SECOND_US, reason="ended", complete=True),
    ]
    return facts


def request(number: int, when: int, action: Action, code: str) -> list[Fact]:
    """A signed request and its answer."""
    method, path = ("GET", "/api/v2/mix/account/account") if action is Action.READ else ("POST", "/api/v2/mix/order/x")
    sent = RequestSent(src=Src.TAP, t_local_us=when, request=number, method=method, path=path, action=action)
    answered = RequestAnswered(
        src=Src.TAP, t_local_us=when + 50_000, request=number, http_status=200, code=code, message="", order_id=""
    )
    return [sent, answered]


def latest(folder: Path) -> dict[str, Any]:
    """What latest.json says."""
    found: dict[str, Any] = json.loads((folder / "reports" / "notrade_validation" / "latest.json").read_bytes())
    return found


Defect = Callable[[NoTradeWindow], None]
