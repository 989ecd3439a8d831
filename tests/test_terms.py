"""Terms: the thresholds of the judgement, closed and flat."""

import re
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botproof.errors import ProfileError, Refusal
from botproof.profile import Profile, find_profile
from botproof.terms import INVARIANTS, Terms, find_terms

DAY_15 = find_terms("day15").read_text()


def load(text: str | bytes, name: str = "day15") -> Terms:
    return Terms.parse(text if isinstance(text, bytes) else text.encode(), Path(f"{name}.yml"))


def violations(text: str | bytes, name: str = "day15") -> tuple[str, ...]:
    with pytest.raises(ProfileError) as refusal:
        load(text, name)
    return refusal.value.violations


def edited(key: str, value: str | None) -> str:
    line = f"  {key}: {value}\n" if value is not None else ""
    text, count = re.subn(rf"^  {key}:.*\n", lambda _: line, DAY_15, flags=re.MULTILINE)
    assert count == 1
    return text


def test_the_terms_of_day_15_are_those_of_the_rollout():
    terms = Terms.load(find_terms("day15"))
    assert (terms.window_default_min, terms.window_micro_cap_min, terms.window_no_trade_min) == (15, 15, 60)
    assert (terms.margin_mode, terms.coverage_min, terms.gap_s_max) == ("crossed", Decimal("0.95"), 120)
    assert (terms.fee_tolerance_bps, terms.exit_slippage_bps) == (Decimal("0.5"), 7)
    assert (terms.ack_s_max, terms.stop_reaction_s_max, terms.time_exit_grace_s) == (30, 2, 30)
    assert (terms.exit_gone_s_max, terms.exit_owed_s_max, terms.closing_s_max) == (5, 5, 30)
    assert (terms.desk_cap_usdt, terms.turnover_hard_x, terms.loss_limit_fraction) == (100, 6, Decimal("0.03"))
    assert (terms.bot_name, terms.bot_version) == ("bot1", "unset")
    assert dict(terms.exercise) == dict.fromkeys(INVARIANTS, 1)
    assert len(INVARIANTS) == 18 + 1 + 16


def test_the_roles_name_the_feasible_pair_and_each_profile_has_its_mode():
    terms = Terms.load(find_terms("day15"))
    modes = {role: Profile.load(find_profile(name)).mode for role, name in terms.roles.items()}
    assert modes == {"micro_cap": "live_microcap", "no_trade": "live_notrade"}


def test_the_pinned_hashes_are_those_of_the_shipped_profiles():
    terms = Terms.load(find_terms("day15"))
    assert set(terms.bot_profiles) == set(terms.roles.values())
    for name, sha256 in terms.bot_profiles.items():
        assert Profile.load(find_profile(name)).sha256 == sha256


@pytest.mark.parametrize(
    ("key", "written", "path"),
    [
        ("default_min", "0", "window.default_min"),
        ("default_min", "15m", "window.default_min"),
        ("no_trade_min", "60.0", "window.no_trade_min"),
        ("coverage_min", "95", "evidence.coverage_min"),
        ("coverage_min", "0.49", "evidence.coverage_min"),
        ("gap_s_max", "2m", "evidence.gap_s_max"),
        ("fee_tolerance_bps", "-0.5", "tolerance.fee_tolerance_bps"),
        ("margin_mode", "cross", "account.margin_mode"),
        ("desk_cap_usdt", "101", "account.desk_cap_usdt"),
        ("loss_limit_fraction", "3", "account.loss_limit_fraction"),
        ("loss_limit_fraction", "3%", "account.loss_limit_fraction"),
        ("ack_s_max", "30s", "reaction.ack_s_max"),
        ("version", "null", "bot.version"),
        ("E1", "0", "exercise.E1"),
        ("C16", "many", "exercise.C16"),
        ("micro_cap", "5 USDT", "roles.micro_cap"),
        ("no_trade", "epp_v2_4_bot1u20_bitget_live_microcap", "roles.no_trade"),
    ],
)
def test_a_wrong_value_is_refused_at_its_path(key, written, path):
    (violation,) = violations(edited(key, written))
    assert violation.startswith(f"{path}: expected ")


@pytest.mark.parametrize(
    ("key", "path"), [("default_min", "window.default_min"), ("micro_cap", "roles.micro_cap"), ("name", "bot.name")]
)
def test_a_missing_key_is_refused(key, path):
    (violation,) = violations(edited(key, None))
    assert violation.startswith(f"{path}: expected ")
    assert violation.endswith("found no such key")


def test_an_exercise_that_is_not_written_is_one():
    assert load(edited("C7", None)).exercise["C7"] == 1
    assert load(edited("C7", "4")).exercise["C7"] == 4
    assert load(DAY_15.partition("exercise:")[0] + "exercise: {}\n").exercise["E1"] == 1


@pytest.mark.parametrize("invariant", ["E0", "E19", "C17", "N2", "e1", "E1 "])
def test_an_exercise_of_an_unknown_invariant_is_refused(invariant):
    (violation,) = violations(DAY_15 + f'  "{invariant}": 1\n')
    assert violation.startswith("exercise.")
    assert "one of E1 to C16" in violation


def test_a_key_outside_its_group_is_refused():
    lines = violations(DAY_15 + "window_default_min: 15\nwindow.default_min: 15\nbots: {name: x}\n")
    assert [line.partition(":")[0] for line in lines] == ["window_default_min", "window.default_min", "bots"]


def test_a_group_that_is_no_mapping_is_refused_with_all_it_should_hold():
    lines = violations(DAY_15.partition("exercise:")[0] + "exercise: 1\n")
    assert lines == (
        "exercise: expected a mapping from E1 to C16 to occasions as a whole number from 1 up to 1000000, found 1",
    )
    lines = violations(re.sub(r"(?m)^evidence:\n(  .*\n)+", "evidence: none\n", DAY_15))
    assert [line.partition(":")[0] for line in lines] == ["evidence", "evidence.coverage_min", "evidence.gap_s_max"]


def test_a_pinned_hash_has_the_form_of_one():
    (violation,) = violations(re.sub("fff3f5[0-9a-f]+", "fff3f5", DAY_15))
    assert violation.startswith("bot.profiles.epp_v2_4_bot1u20_bitget_live_microcap: expected a sha256")


def test_terms_are_called_like_their_id():
    assert violations(DAY_15, "day16") == ("id: expected the file's name ('day16'), found day15",)


def test_terms_of_an_unknown_name_are_refused_with_the_nearest():
    with pytest.raises(Refusal, match="nearest: day15"):
        find_terms("day51")


@settings(max_examples=100, deadline=None)
@given(data=st.binary(max_size=200))
def test_no_bytes_raise_anything_but_a_profile_error(data):
    with pytest.raises(ProfileError):
        load(data)


@settings(max_examples=100, deadline=None)
@given(place=st.integers(0, len(DAY_15)), length=st.integers(0, 60), piece=st.text("[]{}:,&*-# \n0e.a'\"", max_size=9))
def test_damaged_terms_are_read_or_refused(place, length, piece):
    try:
        load(DAY_15[:place] + piece + DAY_15[place + length :])
    except ProfileError as refusal:
        assert refusal.violations
