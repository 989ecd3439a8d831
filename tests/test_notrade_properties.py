"""Whatever is hidden in a no-trade window, or taken from it, in any way: the verdict is never PASS, and nothing falls."""

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from notrade_defects import ALL, REMOVALS, TRADES, Defect, draw

from botproof.notrade.answer import Answer

SEEDS = st.integers(0, 2**63)
CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@CALM
@given(SEEDS)
def test_a_correct_window_passes(seed: int) -> None:
    assert draw(Random(seed)).trial().judgement.reasons() == ()


@settings(CALM, max_examples=400)
@given(SEEDS, st.sampled_from(ALL))
def test_no_defect_passes(seed: int, defect: Defect) -> None:
    chance = Random(seed)
    pieces = draw(chance)
    defect(chance, pieces)
    assert pieces.answer() is not Answer.PASS


@settings(CALM, max_examples=100)
@given(SEEDS, st.lists(st.sampled_from(REMOVALS), min_size=1, max_size=3), st.sampled_from(TRADES))
def test_a_trade_is_not_hidden_by_taking_evidence_away(seed: int, removals: list[Defect], trade: Defect) -> None:
    chance = Random(seed)
    pieces = draw(chance)
    trade(chance, pieces)
    for removal in removals:
        try:
            removal(chance, pieces)
        except (AssertionError, AttributeError, IndexError, ValueError, TypeError):
            continue  # nothing of its kind is left to take away
    assert pieces.answer() is not Answer.PASS


@pytest.mark.parametrize("defect", ALL, ids=lambda defect: defect.__name__)
def test_each_defect_bites_by_itself(defect: Defect) -> None:
    for seed in range(25):
        chance = Random(seed)
        pieces = draw(chance)
        assert pieces.answer() is Answer.PASS
        defect(chance, pieces)
        assert pieces.answer() is not Answer.PASS, f"seed {seed}"


@pytest.mark.parametrize("trade", TRADES, ids=lambda trade: trade.__name__)
def test_a_trade_that_is_seen_beats_everything_that_is_missing(trade: Defect) -> None:
    chance = Random(7)
    pieces = draw(chance)
    trade(chance, pieces)
    if pieces.answer() is Answer.INVALID:
        pytest.skip("with this seed it is a contradiction, no trade")
    pieces.profile = None
    assert pieces.answer() is Answer.FAIL
