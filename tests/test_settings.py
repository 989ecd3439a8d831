"""The command line's settings: refused in words, or right."""

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from botproof.bots import reference
from botproof.errors import Refusal
from botproof.fakes.recordings import open_recording
from botproof.settings import Settings, read_settings


def read(root: Path, **options: str) -> Settings:
    return read_settings(options, root, lambda text, window_s: open_recording(text, root, window_s))


def test_without_options_the_reference_bot_is_judged_on_the_fake_with_seed_1(tmp_path: Path) -> None:
    settings = read(tmp_path)
    assert (settings.venue, settings.clock, settings.bot, settings.seed) == ("fake", "virtual", "reference", 1)
    assert settings.factory is reference.create
    assert settings.reports == tmp_path / "reports"
    assert {role: profile.no_trade for role, profile in settings.profiles.items()} == {
        "micro_cap": False,
        "no_trade": True,
    }


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("venue", "live", "not built yet: nothing was sent"),
        ("venue", "demo", "not built yet"),
        ("venue", "rehearsal", "not built yet"),
        ("venue", "fale", "nearest: fake"),
        ("venue", "", "expected one of fake"),
        ("clock", "real", "not built yet"),
        ("clock", "sun", "expected one of virtual, real"),
        ("market", "moon", "expected one of synthetic"),
        ("bot", "", "expected reference or python:module:factory"),
        ("market", "replay:x.csv", "x.csv: expected a CSV file of recorded market data, found no such file"),
        ("market", "replay:", "expected replay:FILE or replay:FILE#k"),
        ("market", "replay", "expected one of synthetic, replay:FILE[#k]"),
        ("bot", "process:./bot", "not built yet"),
        ("bot", "attach", "not built yet"),
        ("bot", "mine", "expected reference or python:module:factory"),
        ("bot", "python:only", "expected reference or python:module:factory"),
        ("bot", "python:no_such_module:create", "cannot be imported: ModuleNotFoundError"),
        ("bot", "python:botproof.money:nothing", "cannot be imported: AttributeError"),
        ("bot", "python:botproof:__version__", "expected a factory"),
        ("seed", "one", "expected a whole number"),
        ("seed", "-1", "expected a whole number"),
        ("seed", "9" * 40, "expected a whole number"),
        ("window", "15", "such as 15m or 2h"),
        ("window", "0m", "such as 15m or 2h"),
        ("window", "900h", "such as 15m or 2h"),
        ("profile", "no_such_profile", "expected a profile by path or by name"),
    ],
)
def test_what_cannot_be_done_is_refused_with_what_was_expected(
    tmp_path: Path, option: str, value: str, said: str
) -> None:
    with pytest.raises(Refusal, match=re.escape(said)) as refusal:
        read(tmp_path, **{option: value})
    assert len(str(refusal.value).splitlines()) <= 2


def test_a_recorded_market_is_opened_for_the_bounded_window_and_named_with_its_segment(tmp_path: Path) -> None:
    times = range(1_771_718_400_000, 1_771_718_400_000 + 400_000, 10_000)
    rows = [f"{at},buy,68000.0,0.0010,{number}" for number, at in enumerate(times, 1)]
    (tmp_path / "t.csv").write_text("\n".join(["timestamp_ms,side,price,size,trade_id", *rows, ""]))
    settings = read(tmp_path, market="replay:t.csv", window="5m")
    assert settings.market == "replay:t.csv#1"
    assert settings.recording is not None
    assert settings.recording.begins_us == 1_771_718_400_000_000
    with pytest.raises(Refusal, match="a window of 15 min"):  # the terms'
        read(tmp_path, market="replay:t.csv", reports="never")
    assert not (tmp_path / "never").exists()


def test_without_a_reader_of_recordings_there_is_the_synthetic_market_alone(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r"expected one of synthetic, found 'replay:t\.csv'"):
        read_settings({"market": "replay:t.csv"}, tmp_path)
    assert read_settings({}, tmp_path).recording is None


def test_a_reports_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("")
    with pytest.raises(Refusal, match="--reports=reports: expected a folder that can be written"):
        read(tmp_path)


def test_a_profile_replaces_the_role_of_its_own_mode_only(tmp_path: Path) -> None:
    settings = read(tmp_path, profile="epp_v2_4_bot1_bitget_live_notrade")
    assert settings.profiles["no_trade"].id == "epp_v2_4_bot1_bitget_live_notrade"
    assert settings.profiles["micro_cap"].id == "epp_v2_4_bot1u20_bitget_live_microcap"


@pytest.mark.parametrize(("text", "seconds"), [("15m", 900), ("2h", 7200), ("168h", 604_800)])
def test_a_window_is_whole_minutes_or_hours(tmp_path: Path, text: str, seconds: int) -> None:
    assert read(tmp_path, window=text).window_s == seconds


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@given(option=st.sampled_from(["venue", "clock", "market", "bot", "seed", "window", "profile"]), value=st.text())
def test_no_text_brings_more_than_a_refusal(tmp_path: Path, option: str, value: str) -> None:
    try:
        read(tmp_path, **{option: value})
    except Refusal as refusal:
        assert str(refusal)
