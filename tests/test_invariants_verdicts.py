"""Promise by promise: what a verdict says of a run that keeps it, and of one that breaks it.

What an operator reads is compared whole here, once for every promise; the tests of each fold say when it is said.
"""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

import pytest
from streams import MICRO_CAP, NO_TRADE, TERMS, judge, no_trade_run, verdict_of
from streams_broken import BREACHES, BROUGHT, told
from streams_full import full_run

from botproof.events import Fact
from botproof.invariants.catalogue import PROMISES
from botproof.invariants.judge import FOLDS, WITNESSES, Fold
from botproof.invariants.verdict import Outcome, Verdict
from botproof.money import plain
from botproof.profile import Profile

FOLD = pytest.mark.parametrize("fold", FOLDS, ids=lambda fold: fold.id)
BREAKABLE = pytest.mark.parametrize("fold", [fold for fold in FOLDS if fold.id in BREACHES], ids=lambda fold: fold.id)

HELD: dict[str, tuple[int, str | None, str | None, str, str]] = {
    "E1": (7, "13.5", "20", "USDT", "RequestSent"),
    "E2": (7, "6.77363", "20", "USDT", "RequestSent"),
    "E3": (7, "13.5", "100", "USDT", "RequestSent"),
    "E4": (7, None, None, "", "RequestSent"),
    "E5": (7, None, None, "", "RequestSent"),
    "E6": (7, "0", "0.1", "USDT", "RequestSent"),
    "E7": (1, "1.341291", "1.5", "x", "FillSeen"),
    "E8": (6, None, None, "", "SettingsRead"),
    "E9": (6, "6", "20", "cancels in 60 s", "RequestSent"),
    "E10": (1, "1.641", "5", "s", "FillSeen"),
    "E11": (1, "0.4", "2", "s", "TopOfBook"),
    "E12": (7, "5.02", "30", "s", "RequestAnswered"),
    "E13": (1, "0", "0", "entries", "OperatorAction"),
    "E14": (1, "1", "30", "s", "OpenOrdersRead"),
    "E15": (5, None, None, "", "BotSample"),
    "E16": (8, None, None, "", "OrderSeen"),
    "E17": (1, "0.16", "30", "s", "OperatorAction"),
    "E18": (2, "0.03227494", "0.6", "USDT", "FillSeen"),
    "N1": (3, "0", "0", "events", "OpenOrdersRead"),
    "C1": (2, "0", "0.00000001", "USDT", "BotFill"),
    "C2": (6, "0", "0", "fills", "BotSample"),
    "C3": (6, "0", "0.00000001", "USDT", "BotSample"),
    "C4": (6, "0", "0.000001", "of the notional", "BotSample"),
    "C5": (7, "0", "0.00000001", "bps", "BotSample"),
    "C6": (7, "0", "0.00000001", "of equity", "BotSample"),
    "C7": (5, None, None, "", "BotSample"),
    "C8": (2, None, None, "", "BotFill"),
    "C9": (2, None, None, "", "BotFill"),
    "C10": (2, None, None, "", "BotFill"),
    "C11": (2, "0", "0.01", "USDT", "BillSeen"),
    "C12": (2, "0", "0.1", "bps", "FillSeen"),
    "C13": (3, "0", "0", "cancels", "BotSample"),
    "C14": (7, "0", "0.01", "of the rows", "BotSample"),
    "C15": (7, None, None, "", "BotSample"),
    "C16": (7, None, None, "", "BotSample"),
}
"""By promise: exercise, peak, limit and unit of a correct run, and the kind of fact that proves it."""

COUNTED: dict[str, str] = {
    "E1": "entries sent",
    "E2": "entries sent",
    "E3": "entries sent",
    "E4": "entries sent",
    "E5": "entries sent",
    "E6": "entries with a book at most 1 s old",
    "E7": "fills of entries",
    "E8": "read-backs of the venue as declared",
    "E9": "cancels sent",
    "E10": "net positions opened by fills and exited",
    "E11": "positions closed by a stop or time exit",
    "E12": "orders answered in time",
    "E13": "hard stops watched for 60 s",
    "E14": "pairs of closing readings",
    "E15": "rows of minute.csv that are not running",
    "E16": "orders accepted: the window was idle",
    "E17": "times all three paths; missing: an accepted entry buy, an accepted entry sell, an operator's stop that cleared the account",
    "E18": "fills",
    "N1": "minutes in which open orders and position were polled",
    "C1": "rows of fills.csv",
    "C2": "minute rows with fills of their day before them",
    "C3": "minute rows with fills of their day before them",
    "C4": "minute rows with fills of their day before them",
    "C5": "minute rows",
    "C6": "minute rows",
    "C7": "minute rows after a counted fill of their day",
    "C8": "trades of the bot in fills.csv",
    "C9": "rows of fills.csv",
    "C10": "rows of fills.csv",
    "C11": "bills of the run",
    "C12": "fills at a known rate",
    "C13": "minute rows with a cancel in their minute",
    "C14": "minute rows",
    "C15": "minute rows inside the window",
    "C16": "minute rows",
}
"""By promise: what one exercise is, in the plural."""

BROKEN: dict[str, tuple[str | None, list[str], str]] = {
    "E1": (
        "20.22637",
        ["RequestSent"],
        "exposure 20.22637 USDT above 20.00 at 01:01:06.100 UTC, entry buy bot1-r1-3 67263.7 x 0.0001",
    ),
    "E2": (
        "20.17911",
        ["RequestSent"],
        "entry buy bot1-r1-1 67263.7 x 0.0003 at 01:01:01.020 UTC: worth 20.17911 USDT, above 20.00",
    ),
    "E3": (
        "100.89555",
        ["RequestSent", "RequestSent"],
        "entry buy bot1-r1-1 67263.7 x 0.0015 at 01:01:01.020 UTC: worth 100.89555 USDT, above the desk cap 100.00 (and 1 more)",
    ),
    "E4": (
        None,
        ["RequestSent"],
        "entry buy bot1-r1-1 67263.75 x 0.0001 at 01:01:01.020 UTC: price 67263.75 off the tick 0.1",
    ),
    "E5": (
        None,
        ["RequestSent"],
        "entry buy bot1-r1-1 67263.7 x 0.0002 at 01:01:01.020 UTC: the profile plans 0.0001 at 67263.7",
    ),
    "E6": (
        "36.299825",
        ["RequestSent"],
        "entry buy bot1-r1-1 67300 x 0.0001 at 01:01:01.020 UTC: 199.95 USDT from mid 67499.95, 0.0035 of it is 236.249825, less a tick of 0.1",
    ),
    "E7": (
        "2.341291",
        ["RequestSent", "RequestSent", "RequestSent", "RequestSent"],
        "entry sell bot1-r1-2 67736.3 x 0.0001 at 01:01:01.060 UTC: traded today 20.00 + open entries 13.50 USDT, above the cap 30.00 = 1.5 x 20.00 (and 3 more)",
    ),
    "E8": (
        None,
        [
            "RequestSent",
            "RequestSent",
            "RequestSent",
            "RequestSent",
            "RequestSent",
            "RequestSent",
            "RequestSent",
            "RequestSent",
        ],
        "an order was sent at 01:01:01.000 UTC, before the settings were read back as declared (and 7 more)",
    ),
    "E9": (
        "27",
        ["RequestSent", "RequestSent", "RequestSent", "RequestSent", "RequestSent", "RequestSent", "RequestSent"],
        "21 cancels in the 60 s up to 01:01:05.620 UTC, the budget is 20 (and 6 more)",
    ),
    "E10": (
        "1.52",
        ["RequestSent", "RequestSent"],
        "exit sell bot1-r1-7 67532.8 x 0.0001 was sent while exit sell bot1-r1-6 67532.8 x 0.0001 was working at 01:01:20.621 UTC (and 1 more)",
    ),
    "E11": (
        "3.4",
        ["TopOfBook"],
        "a long of 0.0001 from 67263.7 reached its stop of 66994.6452 at 01:01:20.581 UTC, and had no exit sent for it within 2 s",
    ),
    "E12": (
        "31",
        ["RequestAnswered"],
        "POST /api/v2/mix/place bot1-r1-1 of 01:01:01.020 UTC was answered or declared unknown after 31 s",
    ),
    "E13": (
        "1",
        ["RequestSent"],
        "the entry bot1-r1-9 was sent at 01:01:44.382 UTC, in its operator's hard stop of 01:01:39.202 UTC that nobody lifted",
    ),
    "E14": ("1", ["OpenOrdersRead"], "open after the stop at 01:04:01.000 UTC: o9"),
    "E15": (None, ["BotStateChanged"], "the bot said soft_pause at 01:01:01.020 UTC, and gives no reason"),
    "E18": ("0.7", ["BalanceSeen"], "0.70 USDT were lost at 01:01:44.382 UTC, the limit is 0.60"),
    "N1": (
        "3",
        ["RequestSent", "OrderSeen", "RequestSent"],
        "the bot sent POST /api/v2/mix/place bot1-r1-1 at 01:02:15.000 UTC (and 2 more)",
    ),
    "C1": ("0.07363", ["BotFill"], "the row of trade t1 says 6.8, price x amount is 6.72637"),
    "C2": (
        "1",
        ["BotSample"],
        "the row of 2026-02-22T01:04:00.000000+00:00 in minute.csv says fills_count_today 3, the rows of fills.csv make 2",
    ),
    "C3": (
        "0.99463506",
        ["BotSample"],
        "the row of 2026-02-22T01:04:00.000000+00:00 in minute.csv says fees_paid_today_quote 1, the rows of fills.csv make 0.00536494",
    ),
    "C4": (
        "0.4896658158192081979289176163",
        ["BotSample"],
        "the row of 2026-02-22T01:04:00.000000+00:00 in minute.csv says turnover_today_x x equity_quote 20, the rows of fills.csv make 13.42583",
    ),
    "C5": (
        "0.0052",
        ["BotSample"],
        "the row of 2026-02-22T01:04:00.000000+00:00 in minute.csv says 0.02 bps, 10000 x its fraction is 0.0148",
    ),
    "C6": (
        "0.001",
        ["BotSample"],
        "the row of 2026-02-22T01:04:00.000000+00:00 in minute.csv says a daily loss of 0.003 at a drawdown of 0.002",
    ),
    "C7": (
        None,
        ["BotSample"],
        "the row of 2026-02-22T01:04:00.000000+00:00 in minute.csv lets fills_count_today fall from 2 to 1",
    ),
    "C8": (None, ["FillSeen"], "the trade t1 of 01:01:20.440 UTC is not in fills.csv"),
    "C9": (
        None,
        ["BotFill"],
        "the row of trade t1 in fills.csv has the order id bot1-r0-1, those of this run begin with bot1-r1-",
    ),
    "C10": (None, ["PositionSeen"], "fills.csv adds up to a position of -0.0002, the venue shows 0"),
    "C11": (
        "1",
        ["BalanceSeen"],
        "equity moved by 0.96772506 USDT, bills -0.03227494 and unrealised profit 0.00 explain -0.03227494",
    ),
    "C12": (
        "1.999994053256065307141890797",
        ["FillSeen", "BotFill"],
        "the trade t1 of 01:01:20.440 UTC cost 0.00134527 USDT on 6.72637, the account pays as maker 0.0004 (and 1 more)",
    ),
    "C13": (
        "7",
        ["BotSample"],
        "the row of 2026-02-22T01:04:00.000000+00:00 in minute.csv says cancel_per_min 7, the venue confirmed 0 in the 60 s before",
    ),
    "C14": (
        "0.1428571428571428571428571429",
        ["BotSample"],
        "the row of 2026-02-22T01:04:00.000000+00:00 in minute.csv has an empty side: 1 of 7 rows have one",
    ),
    "C15": (
        None,
        ["BotSample"],
        "the row of 2026-02-22T01:04:00.000000+00:00 in minute.csv says run_id r0, the run has r1",
    ),
    "C16": (
        None,
        ["BotSample", "BotSample"],
        "the row of 2026-02-22T01:04:00.000000+00:00 in minute.csv has no column mid (and 1 more)",
    ),
}
"""By promise: the peak of the run that breaks it, the kinds of the facts that prove it, and the whole reason."""


def seen_by(fold: Fold, facts: Iterable[Fact], profile: Profile) -> Verdict:
    """The verdict of this fold alone."""
    seat = fold(profile, TERMS)
    for fact in facts:
        if type(fact) in seat.hears and fact.src in WITNESSES[type(fact)]:
            seat.see(fact)
    return seat.verdict()


def text(amount: Decimal | None) -> str | None:
    return None if amount is None else plain(amount)


@FOLD
def test_a_promise_that_was_kept_is_told_with_its_peak_its_limit_and_its_proof(fold: Fold) -> None:
    facts, profile = (no_trade_run(), NO_TRADE) if fold.id == "N1" else (full_run(), MICRO_CAP)
    verdict = seen_by(fold, facts, profile)
    assert (verdict.outcome, verdict.reason, verdict.promise) == (Outcome.HELD, "", PROMISES[fold.id])
    exercise, peak, limit, unit, kind = HELD[fold.id]
    assert (verdict.exercise, text(verdict.peak), text(verdict.limit), verdict.unit) == (exercise, peak, limit, unit)
    assert len(verdict.proof) == exercise
    assert {facts[seq].kind for seq in verdict.proof} == {kind}


@BREAKABLE
def test_a_promise_that_was_broken_is_told_in_one_sentence_with_its_peak_and_its_proof(fold: Fold) -> None:
    facts, profile = told(fold.id)
    verdict = seen_by(fold, facts, profile)
    peak, kinds, reason = BROKEN[fold.id]
    assert (verdict.outcome, verdict.reason, text(verdict.peak)) == (Outcome.BROKEN, reason, peak)
    assert [facts[seq].kind for seq in verdict.proof] == kinds


@pytest.mark.parametrize("promise", sorted(BROUGHT))
def test_a_breach_that_brings_others_is_proved_like_them_all(promise: str) -> None:
    profile = NO_TRADE if promise == "N1" else MICRO_CAP
    for run in BROUGHT[promise]:
        facts = run()
        for fold in FOLDS:
            verdict = seen_by(fold, facts, profile)
            assert all(facts[seq].seq == seq for seq in verdict.proof), verdict
            assert "None" not in verdict.reason, verdict


@FOLD
def test_too_little_exercise_is_told_with_what_is_counted(fold: Fold) -> None:
    facts, profile = (no_trade_run(), NO_TRADE) if fold.id == "N1" else (full_run(), MICRO_CAP)
    seat = fold(profile, replace(TERMS, exercise={fold.id: 1000}))
    for fact in facts:
        if type(fact) in seat.hears and fact.src in WITNESSES[type(fact)]:
            seat.see(fact)
    verdict = seat.verdict()
    assert verdict.lacks_only_exercise
    assert verdict.reason == f"{HELD[fold.id][0]} of 1000 {COUNTED[fold.id]}"


@pytest.mark.parametrize("promise", ["E7", "E10", "E11", "E16", "E17", "E18", "C8"])
def test_an_order_under_the_runs_prefix_is_the_bots_though_nobody_saw_it_being_sent(promise: str) -> None:
    fold = next(fold for fold in FOLDS if fold.id == promise)
    shown = [fact for fact in full_run() if not fact.kind.startswith("Request")]
    assert seen_by(fold, shown, MICRO_CAP).exercise == HELD[promise][0]


@FOLD
def test_the_terms_ask_for_exercise_by_the_promises_own_id(fold: Fold) -> None:
    seven = replace(TERMS, exercise={fold.id: 7})
    assert fold(MICRO_CAP, seven).verdict().needed == 7


@FOLD
def test_a_promise_that_the_terms_do_not_name_needs_one_exercise(fold: Fold) -> None:
    others = {id_: 7 for id_ in PROMISES if id_ != fold.id}
    assert fold(MICRO_CAP, replace(TERMS, exercise=others)).verdict().needed == 1


@FOLD
@pytest.mark.parametrize("profile", [MICRO_CAP, NO_TRADE], ids=["micro-cap", "no-trade"])
def test_a_fold_that_saw_nothing_shows_nothing_and_says_why(fold: Fold, profile) -> None:
    verdict = fold(profile, TERMS).verdict()
    assert (verdict.id, verdict.promise) == (fold.id, PROMISES[fold.id])
    assert verdict.outcome is Outcome.NOT_SHOWN
    assert (verdict.exercise, verdict.proof) == (0, ())
    assert verdict.reason


@pytest.mark.parametrize("no_trade", [False, True])
def test_a_promise_that_is_heard_alone_is_judged_as_among_all(no_trade: bool) -> None:
    facts, profile = (no_trade_run(), NO_TRADE) if no_trade else (full_run(), MICRO_CAP)
    among_all = judge(facts, profile, TERMS)
    assert [verdict_of(verdict.id, facts, profile) for verdict in among_all] == list(among_all)
