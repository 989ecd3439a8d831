"""The table of verdicts in a report."""

import csv
import io
from decimal import Decimal

from botproof.evidence.table import COLUMNS, verdict_counts, verdict_table
from botproof.invariants.catalogue import PROMISES
from botproof.invariants.verdict import Outcome, Verdict


def verdict(id_: str, outcome: Outcome, **fields: object) -> Verdict:
    return Verdict(id=id_, promise=PROMISES[id_], outcome=outcome, **fields)  # type: ignore[arg-type]


VERDICTS = (
    verdict("E1", Outcome.HELD, exercise=12, peak=Decimal("13.4527"), limit=Decimal(20), unit="USDT"),
    verdict("E2", Outcome.NOT_SHOWN, reason="no entry was valued"),
    verdict("E4", Outcome.BROKEN, exercise=3, reason='price "67,500.05" off the tick'),
    verdict("E5", Outcome.NOT_SHOWN, reason="0 of 1 entries sent"),
    verdict("E8", Outcome.BROKEN, peak=Decimal("1E+1")),
    verdict("E18", Outcome.HELD, exercise=2, needed=2, limit=Decimal("0.60"), unit="USDT"),
)


def rows() -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(verdict_table(VERDICTS))))


def ids() -> list[str]:
    return [row["promise"].split()[0] for row in rows()]


def by_id() -> dict[str, dict[str, str]]:
    return dict(zip(ids(), rows(), strict=True))


def test_every_verdict_has_one_row_under_the_header() -> None:
    assert verdict_table(VERDICTS).splitlines()[0] == ",".join(COLUMNS)
    assert sorted(ids()) == sorted(verdict.id for verdict in VERDICTS)


def test_what_was_broken_comes_first_and_each_group_keeps_its_order() -> None:
    assert ids() == ["E4", "E8", "E1", "E18", "E2", "E5"]


def test_a_row_says_outcome_promise_exercise_amounts_and_reason_in_words() -> None:
    assert by_id()["E1"] == {
        "verdict (exercise)": "HELD (12, needs 1)",
        "promise": f"E1 {PROMISES['E1']}",
        "peak / limit": "13.4527 / 20 USDT",
        "reason": "",
    }
    assert by_id()["E4"]["reason"] == 'price "67,500.05" off the tick'
    assert by_id()["E5"]["verdict (exercise)"] == "NOT SHOWN (0, needs 1)"


def test_an_amount_that_there_is_none_of_is_a_dash_and_two_are_nothing() -> None:
    assert by_id()["E8"]["peak / limit"] == "10 / -"
    assert by_id()["E18"]["peak / limit"] == "- / 0.6 USDT"
    assert by_id()["E2"]["peak / limit"] == ""


def test_the_counts_name_every_outcome() -> None:
    assert verdict_counts(VERDICTS) == "2 BROKEN, 2 HELD, 2 NOT SHOWN"
    assert verdict_counts(()) == "0 BROKEN, 0 HELD, 0 NOT SHOWN"


def test_a_table_of_nothing_is_its_header() -> None:
    assert verdict_table(()) == ",".join(COLUMNS) + "\n"
