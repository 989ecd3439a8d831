"""A whole run in which an order is lost, or its answer: the books stay trusted, and no promise is taken from the bot."""

from decimal import Decimal
from pathlib import Path

import pytest
from stages import a_stage, judged

from botproof.invariants.verdict import Outcome


@pytest.mark.parametrize("fault", ["drop", "lose"])
def test_an_order_that_is_lost_takes_no_promise_from_a_correct_bot(tmp_path: Path, fault: str) -> None:
    with a_stage(tmp_path, window="6m") as stage:
        stage.start("BTCUSDT")
        stage.venue.strike(fault, "order")
        stage.world.run_for(200)
        stage.venue.move_price(Decimal("-0.0040"), 10, None)  # the entry fills
        stage.world.run_for(60)
        stage.finish()
        assert judged(stage, Outcome.BROKEN) == set()
        assert [
            v.reason for v in stage.run.verdicts if v.outcome is Outcome.NOT_SHOWN and not v.lacks_only_exercise
        ] == ["not a no-trade run"]
        assert judged(stage, Outcome.HELD) >= {"E1", "E2", "E3", "E4", "E5", "E6", "E7", "E12", "E14"}
