"""Runs on a recorded market: time begins with it, nothing moves it, and what it cannot show is refused."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from recorded_floor import needs_recordings, us
from stages import judged
from test_recordings import candle_files, minutes_of_trades, opened

from botproof.errors import HarnessError
from botproof.events import FillSeen, RunStarted, TopOfBook
from botproof.fakes.bitget.journal import Push
from botproof.fakes.fixtures import ACCOUNT
from botproof.fixtures import FakeStageVenue, open_stage
from botproof.invariants.verdict import Outcome
from botproof.settings import read_settings
from botproof.stage import Stage

NEAR = {"executor_refresh_time": "20", "time_limit": "60", "turnover_cap_x": "6"}


@contextmanager
def a_stage(
    folder: Path, recording: Path | None = None, *, window: str = "3m", role: str = "no_trade"
) -> Iterator[Stage]:
    """A stage on the first segment of a file, or on a market that is yet to be said."""
    settings = read_settings({"reports": str(folder / "reports"), "window": window}, folder)
    if recording is not None:
        settings = replace(settings, recording=opened(recording, 1))
    stage = open_stage(settings, f"test {role} on a recording")
    stage.use_role(role)
    try:
        yield stage
    finally:
        stage.close()


def test_time_begins_with_the_recording_and_the_prices_are_its_own(tmp_path: Path) -> None:
    with a_stage(tmp_path, minutes_of_trades(tmp_path, (0, 300))) as stage:
        assert stage.world.clock.now_us() == us("2026-02-22T00:00")
        assert stage.venue.mid() == Decimal("67999.95")
        run = stage.start("BTCUSDT")
        assert run.window == (us("2026-02-22T00:01"), us("2026-02-22T00:04"))
        stage.finish()
        assert "N1" in judged(stage, Outcome.HELD)
        assert stage.settle() == []


def test_the_tape_says_in_which_market_the_run_took_place(tmp_path: Path) -> None:
    path = minutes_of_trades(tmp_path, (0, 300))
    for recording, market in ((path, f"replay:{path}#1"), (None, "synthetic")):
        with a_stage(tmp_path, recording) as stage:
            stage.start("BTCUSDT")
            stage.finish()
            assert [fact.market for fact in stage.facts if isinstance(fact, RunStarted)] == [market]


def test_a_recorded_market_is_not_moved_by_script(tmp_path: Path) -> None:
    with a_stage(tmp_path, minutes_of_trades(tmp_path, (0, 300))) as stage:
        with pytest.raises(HarnessError, match="is not moved by script"):
            stage.venue.move_price(Decimal("-0.004"), 10, None)
        with pytest.raises(HarnessError, match="is not moved by script"):
            stage.venue.script_funding(Decimal("0.0001"))


@pytest.mark.parametrize(
    ("key", "value"), [("price", Decimal(50_000)), ("volatility_percent", 0), ("funding_rate", Decimal("0.0001"))]
)
def test_a_price_or_a_rate_said_beside_a_recording_is_refused(tmp_path: Path, key: str, value: object) -> None:
    with a_stage(tmp_path, minutes_of_trades(tmp_path, (0, 300))) as stage:
        setattr(stage, key, value)
        with pytest.raises(HarnessError, match="has prices and funding of its own"):
            stage.start("BTCUSDT")


def test_a_time_said_beside_a_recording_is_refused_whichever_comes_first(tmp_path: Path) -> None:
    with a_stage(tmp_path, minutes_of_trades(tmp_path, (0, 300))) as stage:
        with pytest.raises(HarnessError, match="a recorded market has its own"):
            stage.begin_at(0)
        with pytest.raises(HarnessError, match="said once"):
            stage._replay(opened(tmp_path / "x_trades.csv", 1))
    with a_stage(tmp_path) as stage:
        stage.begin_at(0)
        with pytest.raises(HarnessError, match="said once"):
            stage._replay(opened(tmp_path / "x_trades.csv", 1))


def test_a_window_that_the_recording_does_not_span_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    with a_stage(tmp_path, minutes_of_trades(tmp_path, (0, 300)), window="5m") as stage:
        with pytest.raises(HarnessError, match="a window of 5 min from 2026-02-22 00:01:00 UTC ends outside"):
            stage.start("BTCUSDT")
        assert stage.runs == []


def test_a_window_over_a_settlement_without_a_rate_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    with a_stage(tmp_path, candle_files(tmp_path, count=40)) as stage:
        stage.epoch_us = us("2026-02-22T07:57")
        with pytest.raises(HarnessError, match="has no rate for it"):
            stage.start("BTCUSDT")
        assert stage.runs == []


@needs_recordings
def test_on_recorded_trades_every_fill_is_pushed_told_again_and_charged_at_the_rate_of_its_role(tmp_path: Path) -> None:
    with a_stage(tmp_path, window="5m", role="micro_cap") as stage:
        stage.change_profile({**NEAR, "buy_spreads": "0.0001"})
        stage.replay_trades(date(2026, 2, 21))
        stage.start("BTCUSDT")
        stage.finish()
        assert stage.settle() == []
        assert isinstance(stage.venue, FakeStageVenue)
        fake = stage.venue.fake
        fills = {fill.trade_id: fill for fill in fake.exchange.fills(ACCOUNT)}
        assert {fill.is_maker for fill in fills.values()} == {True, False}
        pushes = [entry for entry in fake.faces.journal.entries if isinstance(entry, Push) and entry.channel == "fill"]
        assert fills.keys() <= {each for push in pushes for each in push.ids}
        assert {fact.trade_id for fact in stage.facts if isinstance(fact, FillSeen)} == fills.keys()
        for fill in fills.values():
            rate = Decimal("0.0002") if fill.is_maker else Decimal("0.0006")
            assert fill.fee == (fill.price * fill.size * rate).quantize(Decimal("1E-8"))
        tops = [fact for fact in stage.facts if isinstance(fact, TopOfBook)]
        assert len({(top.bid, top.ask) for top in tops}) > 10
