"""Profiles: what ships, what is refused, and that nothing else comes out of any bytes."""

import os
import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from botproof.document import BYTES_MAX
from botproof.errors import ProfileError, Refusal
from botproof.profile import Profile, ScriptWrapper, find_profile, profiles_folder

ID = "epp_v2_4_bot1_bitget_live_microcap"
MICRO_CAP = find_profile(ID).read_text()
PAIRS = [
    ("epp_v2_4_bot1_bitget_live_microcap", "epp_v2_4_bot1_bitget_live_notrade"),
    ("epp_v2_4_bot1u20_bitget_live_microcap", "epp_v2_4_bot1u20_bitget_live_notrade"),
    ("v2_epp_v2_4_bot1_bitget_live_microcap", "v2_epp_v2_4_bot1_bitget_live_notrade"),
]


def load(text: str | bytes, name: str = ID) -> Profile:
    return Profile.parse(text if isinstance(text, bytes) else text.encode(), Path(f"{name}.yml"))


def edited(key: str, value: str | None) -> str:
    """The micro-cap profile with one key set to another text, or without it."""
    line = f"{key}: {value}\n" if value is not None else ""
    text, count = re.subn(rf"^{key}:.*\n", lambda _: line, MICRO_CAP, flags=re.MULTILINE)
    return text if count else text + line


def violations(text: str | bytes, name: str = ID) -> tuple[str, ...]:
    with pytest.raises(ProfileError) as refusal:
        load(text, name)
    return refusal.value.violations


def keys(path: Path) -> dict[str, str]:
    return dict(re.findall(r"^(\w+): (.*)$", path.read_text(), flags=re.MULTILINE))


# What ships


def test_the_micro_cap_profile_carries_the_values_of_the_rollout():
    profile = Profile.load(find_profile(ID))
    assert (profile.id, profile.mode, profile.symbol) == (ID, "live_microcap", "BTCUSDT")
    assert profile.total_amount_quote == 5
    assert profile.buy_spreads == profile.sell_spreads == (Decimal("0.0035"),)
    assert profile.buy_amounts_pct == profile.sell_amounts_pct == (Decimal(100),)
    assert (profile.executor_refresh_time, profile.cooldown_time, profile.time_limit) == (90, 10, 600)
    assert (profile.leverage, profile.position_mode) == (1, "ONEWAY")
    assert profile.stop_loss == profile.take_profit == Decimal("0.004")
    assert (profile.edge_resume_bps, profile.edge_state_hold_s) == (3, 60)
    assert (profile.no_trade, profile.turnover_cap_x) == (False, Decimal("1.5"))
    assert (profile.instance_name, profile.cancel_budget_per_min) == ("bot1", 20)


@pytest.mark.parametrize("pair", PAIRS[:2])
def test_micro_cap_and_no_trade_differ_in_three_keys(pair):
    traded, silent = (keys(find_profile(name)) for name in pair)
    assert {key for key in traded | silent if traded.get(key) != silent.get(key)} == {
        "id",
        "no_trade",
        "turnover_cap_x",
    }


def test_the_20_usdt_pair_differs_from_the_5_usdt_pair_in_id_and_envelope():
    five, twenty = (keys(find_profile(pair[0])) for pair in PAIRS[:2])
    assert {key for key in five | twenty if five.get(key) != twenty.get(key)} == {"id", "total_amount_quote"}
    assert twenty["total_amount_quote"] == "20"


def test_every_shipped_file_loads():
    controllers = [Profile.load(path) for path in profiles_folder("controllers").glob("*.yml")]
    wrappers = [ScriptWrapper.load(path) for path in profiles_folder("scripts").glob("*.yml")]
    assert len(controllers) == len(wrappers) == 4
    assert {wrapper.controller.stem for wrapper in wrappers} == {profile.id for profile in controllers}


def test_the_hash_is_of_the_bytes_so_a_comment_changes_it():
    assert load(MICRO_CAP).sha256 != load(MICRO_CAP + "# a word\n").sha256
    assert load(MICRO_CAP).sha256 == Profile.load(find_profile(ID)).sha256


def test_numbers_are_exact_and_never_floats():
    assert str(load(edited("stop_loss", "0.0040")).stop_loss) == "0.0040"
    assert load(edited("stop_loss", "4.0e-3")).stop_loss == Decimal("0.004")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("0.0035", ["0.0035"]),
        ("[0.0035, 0.004]", ["0.0035", "0.004"]),
        ("0.0035,0.004", ["0.0035", "0.004"]),
        ('"0.0035, 0.004"', ["0.0035", "0.004"]),
        ("\n  - 0.0035\n  - 0.004", ["0.0035", "0.004"]),
    ],
)
def test_levels_are_a_number_a_list_or_text_with_commas(written, read):
    shares = ",".join("50" for _ in read)
    text = edited("buy_spreads", written).replace("buy_amounts_pct: 100", f"buy_amounts_pct: {shares}")
    assert load(text).buy_spreads == tuple(map(Decimal, read))


def test_a_side_without_levels_is_not_quoted():
    text = edited("sell_spreads", "[]").replace("sell_amounts_pct: 100", 'sell_amounts_pct: ""')
    assert load(text).sell_spreads == load(text).sell_amounts_pct == ()


def test_both_sides_without_levels_are_refused():
    text = re.sub(r"^(\w+_spreads|\w+_amounts_pct):.*$", r"\1: []", MICRO_CAP, flags=re.MULTILINE)
    assert violations(text) == ("buy_spreads: expected 1 to 10 levels on both sides together, found 0",)


def test_keys_left_unset_or_null_take_their_default():
    assert load(edited("edge_resume_bps", "null")).edge_resume_bps == 3
    assert load(edited("edge_state_hold_s", "120")).edge_state_hold_s == 120


# What is refused

REFUSED = [
    ("stop_loss", "0.4", "0.4"),
    ("stop_loss", '"0.4%"', "text '0.4%'"),
    ("stop_loss", "0.4%", "text '0.4%'"),
    ("stop_loss", "0.1", "0.1"),
    ("stop_loss", "0", "0"),
    ("stop_loss", "-0.004", "-0.004"),
    ("stop_loss", '"0.004"', "text '0.004'"),
    ("stop_loss", ".nan", "text '.nan'"),
    ("take_profit", "1e-999999999", "1e-999999999"),
    ("take_profit", "", "nothing"),
    ("take_profit", "[0.004]", "a list"),
    ("take_profit", "{a: 1}", "a mapping"),
    ("buy_spreads", "35", "35"),
    ("buy_spreads", "35bps", "text '35bps'"),
    ("sell_spreads", "0.35", "0.35"),
    ("sell_spreads", "null", "nothing"),
    ("buy_amounts_pct", "0", "0"),
    ("buy_amounts_pct", "-100", "-100"),
    ("buy_amounts_pct", "100%", "text '100%'"),
    ("buy_amounts_pct", "[100, 100]", "2"),
    ("executor_refresh_time", "90s", "text '90s'"),
    ("executor_refresh_time", "90.0", "90.0"),
    ("executor_refresh_time", "1:30", "text '1:30'"),
    ("executor_refresh_time", "010", "010"),
    ("executor_refresh_time", "1_000", "text '1_000'"),
    ("time_limit", "0", "0"),
    ("time_limit", "86401", "86401"),
    ("leverage", "6", "6"),
    ("leverage", "true", "true"),
    ("position_mode", "HEDGE", "text 'HEDGE'"),
    ("no_trade", "yes", "text 'yes'"),
    ("no_trade", '"false"', "text 'false'"),
    ("enabled", "1", "1"),
    ("trading_pair", "ETH-USDT", "text 'ETH-USDT'"),
    ("connector_name", "bitget", "text 'bitget'"),
    ("controller_type", "directional", "text 'directional'"),
    ("take_profit_order_type", "limit", "text 'limit'"),
    ("variant", "e", "text 'e'"),
    ("log_dir", "logs", "text 'logs'"),
    ("fee_profile", "vip", "text 'vip'"),
    ("total_amount_quote", "5 USDT", "text '5 USDT'"),
    ("total_amount_quote", "5,0", "text '5,0'"),
    ("total_amount_quote", "100.01", "100.01"),
    ("total_amount_quote", "1e400", "1e400"),
    ("min_net_edge_bps", "0.0003", "0.0003"),
    ("turnover_cap_x", "0", "0"),
    ("cancel_budget_per_min", "0", "0"),
    ("instance_name", "bot2", "bot2"),
    ("controller_name", "epp_v2_3", "epp_v2_3"),
    ("internal_paper_enabled", "true", "true"),
    ("variant", "d", "d"),
    ("edge_resume_bps", "2", "2"),
    ("edge_state_hold_s", "4", "4"),
]


@pytest.mark.parametrize(("key", "written", "found"), REFUSED)
def test_a_value_of_a_wrong_type_or_unit_is_refused_at_its_path(key, written, found):
    (violation,) = violations(edited(key, written))
    assert violation.startswith(f"{key}: expected ")
    assert violation.endswith(f", found {found}")


@pytest.mark.parametrize("key", sorted(keys(find_profile(ID))))
def test_every_key_of_the_file_is_required(key):
    (violation,) = violations(edited(key, None))
    assert violation.startswith(f"{key}: expected ")
    assert violation.endswith(", found no such key")


def test_every_violation_is_reported_at_once():
    text = edited("stop_loss", "0.4").replace("leverage: 1\n", "leverage: 20\n").replace("time_limit", "timelimit")
    assert [line.partition(":")[0] for line in violations(text)] == ["timelimit", "leverage", "stop_loss", "time_limit"]


def test_an_unknown_key_is_refused_with_the_nearest():
    (violation,) = violations(MICRO_CAP + "stop_los: 0.004\n")
    assert violation == "stop_los: expected a known key (nearest: stop_loss), found an unknown one"


def test_a_key_written_twice_is_refused():
    (violation,) = violations(MICRO_CAP + "stop_loss: 0.004\n")
    assert re.fullmatch(r"stop_loss: expected the key once, found it again in line \d+", violation)


def test_a_level_in_a_list_is_named_by_its_place():
    text = edited("buy_spreads", "[0.0035, 35]").replace("buy_amounts_pct: 100", "buy_amounts_pct: [50, 50]")
    assert violations(text)[0].startswith("buy_spreads[1]: expected a fraction of the mid")


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("epp_v2_4_bot2_bitget_live_microcap", "bot2"),
        ("epp_v2_4_bot1_bitget_live_micro", "text"),
        ("epp_v2_4_bot1_binance_live_microcap", "text"),
        ("bot1", "text"),
    ],
)
def test_the_name_is_a_contract(name, found):
    text = edited("id", name).replace("instance_name: bot1", "instance_name: " + ("bot2" if "bot2" in name else "bot1"))
    (violation,) = violations(text, name)
    assert violation.startswith("id: expected")
    assert f"found {found}" in violation


def test_the_file_is_called_like_its_id():
    assert violations(MICRO_CAP, "other") == (f"id: expected the file's name ('other'), found {ID}",)


def test_no_trade_agrees_with_the_mode():
    assert violations(edited("no_trade", "true")) == ("no_trade: expected false as the id says, found true",)


def test_exactly_the_desk_cap_is_within():
    assert load(edited("total_amount_quote", "100")).total_amount_quote == 100


def test_a_paper_profile_may_promise_more_than_the_desk_cap():
    name = "epp_v2_4_bot2_bitget_paper_smoke"
    text = edited("id", name).replace("instance_name: bot1", "instance_name: bot2")
    text = text.replace("internal_paper_enabled: false", "internal_paper_enabled: true")
    assert load(text.replace("total_amount_quote: 5", "total_amount_quote: 500"), name).total_amount_quote == 500


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "an empty file"),
        (b"# nothing\n", "an empty file"),
        (b"- a\n", "a list"),
        (b"text\n", "text 'text'"),
        (b"{}\n", "no such key"),
        (b"a: &x 1\nb: *x\n", "an anchor or alias"),
        (b"a: *x\n", "an anchor or alias"),
        (b"a: !!python/object:os.system x\n", "the tag"),
        (b"a: 1\n---\nb: 2\n", "a second one"),
        (b"a: " + b"[" * 5000, "levels of nesting"),
        (b"? [a]\n: 1\n", "a list"),
        (b"a: [1\nb: 2\n", "a syntax error"),
        (b"a: \x00\n", "unacceptable character"),
        (b'a: "\\UFFFFFFFF"\n', "an escape or a version out of range"),
        (b"a: \xff\n", "byte 0xff"),
        ("a: 1\n".encode("utf-16"), "byte 0xff"),
        (b"%YAML 9" + b"9" * 5000 + b".1\n---\na: 1\n", "found"),
    ],
)
def test_a_document_that_is_none_of_ours_is_refused(text, words):
    lines = violations(text)
    assert words in "\n".join(lines)
    assert all(": expected " in f": {line}" and len(line) < 400 for line in lines)


def test_a_byte_order_mark_is_harmless():
    assert load(b"\xef\xbb\xbf" + MICRO_CAP.encode()).total_amount_quote == 5


def test_windows_line_ends_are_harmless():
    assert load(MICRO_CAP.replace("\n", "\r\n")).total_amount_quote == 5


def test_a_terminal_escape_in_a_key_or_value_is_shown_and_not_obeyed():
    lines = "\n".join(violations(edited("variant", '"\\e[31m\\n\\ud800"') + '"\\e]0;x": 1\n'))
    assert lines.isascii()
    assert "\x1b" not in lines
    assert len(lines.splitlines()) == 2


def test_the_same_bytes_are_parsed_once(monkeypatch):
    text, parsed = f"{MICRO_CAP}# seen for the first time\n", []
    parse = yaml.parse
    monkeypatch.setattr(yaml, "parse", lambda *args, **options: parsed.append(1) or parse(*args, **options))
    assert load(text) == load(text)
    assert len(parsed) == 1
    load(f"{text}# and changed\n")
    assert len(parsed) == 2


def test_a_refusal_names_the_file_of_its_own_every_time():
    for name in ("first", "second"):
        with pytest.raises(ProfileError) as refusal:
            Profile.parse(b"a: [", Path(f"{name}.yml"))
        assert refusal.value.file == f"{name}.yml"


@pytest.mark.parametrize("kind", ["missing", "directory", "fifo", "long name", "nul", "too large"])
def test_a_path_without_a_readable_file_of_honest_size_is_refused(kind, tmp_path):
    path = tmp_path / f"{ID}.yml"
    if kind == "directory":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "long name":
        path = tmp_path / ("x" * 5000)
    elif kind == "nul":
        path = tmp_path / "a\0b"
    elif kind == "too large":
        path.write_bytes(MICRO_CAP.encode() + b"#" * BYTES_MAX)
    with pytest.raises(ProfileError, match=f"expected a YAML file of at most {BYTES_MAX} bytes, found"):
        Profile.load(path)


@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=300))
def test_no_bytes_raise_anything_but_a_profile_error(data):
    with pytest.raises(ProfileError):
        load(data)


@settings(max_examples=200, deadline=None)
@given(
    place=st.integers(0, len(MICRO_CAP)),
    length=st.integers(0, 40),
    piece=st.text("[]{}:,&*!|>%@`\"'\\#- \n\t0123456789.eExU~?abc", max_size=20),
)
def test_a_damaged_profile_is_read_or_refused(place, length, piece):
    try:
        load(MICRO_CAP[:place] + piece + MICRO_CAP[place + length :])
    except ProfileError as refusal:
        assert refusal.violations


# Finding one, and the scripts that start them


def test_a_profile_is_found_by_name_and_by_path(tmp_path):
    own = tmp_path / "own.yml"
    own.write_text(MICRO_CAP)
    assert find_profile(ID) == find_profile(f"{ID}.yml") == profiles_folder("controllers") / f"{ID}.yml"
    assert find_profile(str(own)) == own


@pytest.mark.parametrize("text", ["epp_v2_4_bot1_bitget_live_microcup", "", "\0", "x" * 9000, "../nowhere.yml"])
def test_what_names_no_profile_is_refused_with_the_nearest(text):
    with pytest.raises(Refusal, match=ID if text.startswith("epp") else "expected a profile"):
        find_profile(text) if text else Profile.load(find_profile("/nowhere"))


def wrapper(folder: Path, text: str, name: str = f"v2_{ID}.yml", *, controller: bool = True) -> Path:
    (folder / "controllers").mkdir()
    (folder / "scripts").mkdir()
    if controller:
        (folder / "controllers" / f"{ID}.yml").write_text(MICRO_CAP)
    path = folder / "scripts" / name
    path.write_text(text)
    return path


WRAPPER = (profiles_folder("scripts") / f"v2_{ID}.yml").read_text()


def test_a_wrapper_names_its_controller(tmp_path):
    script = ScriptWrapper.load(wrapper(tmp_path, WRAPPER))
    assert script.controller == tmp_path / "controllers" / f"{ID}.yml"
    assert script.max_global_drawdown_quote is None


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("markets: {}", "markets: {bitget: [BTC-USDT]}", "markets"),
        ("candles_config: []", "candles_config: {}", "candles_config"),
        (f"  - {ID}.yml", "  []", "controllers_config"),
        (f"  - {ID}.yml", f"  - {ID}.yml\n  - {ID}.yml", "controllers_config"),
        (f"  - {ID}.yml", "  - ../../etc/passwd", "controllers_config[0]"),
        ("max_global_drawdown_quote: null", "max_global_drawdown_quote: -1", "max_global_drawdown_quote"),
        ("v2_with_controllers.py", "other.py", "script_file_name"),
        ("markets: {}", "markets: {}\nextra: 1", "extra"),
    ],
)
def test_a_wrapper_is_closed(tmp_path, old, new, path):
    with pytest.raises(ProfileError) as refusal:
        ScriptWrapper.load(wrapper(tmp_path, WRAPPER.replace(old, new)))
    assert refusal.value.violations[0].startswith(f"{path}: expected ")


def test_a_wrapper_without_its_controller_is_refused(tmp_path):
    with pytest.raises(ProfileError, match=f"found no {ID}.yml there"):
        ScriptWrapper.load(wrapper(tmp_path, WRAPPER, controller=False))


def test_a_wrapper_is_called_like_its_controller(tmp_path):
    with pytest.raises(ProfileError, match="without its prefix v2_"):
        ScriptWrapper.load(wrapper(tmp_path, WRAPPER, "v2_other.yml"))


def test_a_profile_is_frozen():
    profile = load(MICRO_CAP)
    with pytest.raises(AttributeError):
        profile.leverage = 2  # type: ignore[misc]
    assert replace(profile, leverage=2).leverage == 2
