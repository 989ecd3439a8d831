"""The judge: one verdict for every promise, from a tape, a profile and the terms.

1. Every promise of the catalogue has an invariant that judges it, and gets a verdict in its order.
2. A fact is believed from the source that can know it, and from no other (`WITNESSES`).
3. Nothing is HELD unless the frame of the run stands (`botproof.invariants.frame`), every source that the invariant
   needs, and whoever else may state the same kinds of facts, is covered from the start of the run to its end
   (`botproof.invariants.coverage`), and the tape counts up without a gap. So a tape from which facts were taken never
   says more than the whole one.
4. The judge never raises. A number or a value that nobody can reckon with blinds the invariant that met it: not HELD.
5. Arithmetic runs in a decimal context of its own, so that equal tapes give equal verdicts in any process.
6. What only entries can show is never HELD for a no-trade run.
"""

from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_EVEN, Context, DivisionByZero, InvalidOperation, Overflow, localcontext
from typing import Protocol

from botproof.events import (
    BalanceSeen,
    BillSeen,
    BotFill,
    BotRestarted,
    BotSample,
    BotStateChanged,
    ContractRead,
    EarlierToday,
    Fact,
    FeeRatesRead,
    FillSeen,
    FundingSettled,
    ModeOrLeverageChanged,
    OpenOrdersRead,
    OperatorAction,
    OrderSeen,
    PositionSeen,
    RequestAnswered,
    RequestSent,
    RequestUnknown,
    RunEnded,
    RunStarted,
    SettingsRead,
    Source,
    StopStep,
    TopOfBook,
    WindowClosed,
    WindowOpened,
)
from botproof.invariants.activity import Activity
from botproof.invariants.answers import Answers
from botproof.invariants.catalogue import ENTRY_PROMISES, IMPLICATIONS, PROMISES
from botproof.invariants.closing import Closing
from botproof.invariants.columns import BookSizes, Columns, Constants, DayLoss, MarketSpread
from botproof.invariants.coverage import Coverage
from botproof.invariants.desk_cap import DeskCap
from botproof.invariants.distance import Distance
from botproof.invariants.equity import Equity
from botproof.invariants.exits import Exits
from botproof.invariants.exposure import Exposure
from botproof.invariants.fees import FeeOfRole
from botproof.invariants.fills import Balance, Notional, OrderIds, Trades
from botproof.invariants.frame import Frame
from botproof.invariants.latch import Latch
from botproof.invariants.ledger import Ledger
from botproof.invariants.loss import Loss
from botproof.invariants.minutes import CountedCancels, CountedFees, CountedFills, CountedTurnover, DayCounters
from botproof.invariants.no_trade import NoTrade
from botproof.invariants.paths import Paths
from botproof.invariants.rates import Rates
from botproof.invariants.reasons import Reasons
from botproof.invariants.settings import Settings
from botproof.invariants.sizing import OrderShape, OrderValue, PlannedSize
from botproof.invariants.stops import Stops
from botproof.invariants.turnover import Turnover
from botproof.invariants.verdict import Invariant, Outcome, Verdict
from botproof.profile import Profile
from botproof.terms import Terms

__all__ = ["BUILT", "FOLDS", "IMPLICATIONS", "WITNESSES", "Judge", "judge"]


class Fold(Protocol):
    """An invariant's class: what it is called, what it needs, and how one is made."""

    id: str
    needs: frozenset[Source]

    def __call__(self, profile: Profile, terms: Terms) -> Invariant: ...


FOLDS: tuple[Fold, ...] = (
    Exposure,
    OrderValue,
    DeskCap,
    OrderShape,
    PlannedSize,
    Distance,
    Turnover,
    Settings,
    Rates,
    Exits,
    Stops,
    Answers,
    Latch,
    Closing,
    Reasons,
    Activity,
    Paths,
    Loss,
    NoTrade,
    Notional,
    CountedFills,
    CountedFees,
    CountedTurnover,
    MarketSpread,
    DayLoss,
    DayCounters,
    Trades,
    OrderIds,
    Balance,
    Equity,
    FeeOfRole,
    CountedCancels,
    BookSizes,
    Constants,
    Columns,
)

BUILT: frozenset[str] = frozenset(fold.id for fold in FOLDS)

_REQUESTS = frozenset({Source.TAP, Source.FAKE_JOURNAL})
_VENUE = frozenset({Source.VENUE})
_RUN = frozenset({Source.RUN})
_BOT = frozenset({Source.BOT})

WITNESSES: Mapping[type[Fact], frozenset[Source]] = {
    RunStarted: _RUN,
    WindowOpened: _RUN,
    WindowClosed: _RUN,
    RunEnded: _RUN,
    StopStep: _RUN,
    BotRestarted: _RUN,
    OperatorAction: frozenset({Source.OPERATOR}),
    ContractRead: _VENUE,
    FeeRatesRead: _VENUE,
    EarlierToday: _VENUE,
    SettingsRead: frozenset({Source.VENUE, Source.TAP}),
    ModeOrLeverageChanged: _VENUE,
    OrderSeen: _VENUE,
    OpenOrdersRead: _VENUE,
    FillSeen: _VENUE,
    PositionSeen: _VENUE,
    BalanceSeen: _VENUE,
    BillSeen: _VENUE,
    FundingSettled: _VENUE,
    TopOfBook: frozenset({Source.VENUE, Source.TAP}),
    RequestSent: _REQUESTS,
    RequestAnswered: _REQUESTS,
    RequestUnknown: _REQUESTS,
    BotStateChanged: _BOT,
    BotSample: _BOT,
    BotFill: _BOT,
}
"""Who can know what. A fact of such a kind from anybody else is counted, and believed by nobody."""


_CONTEXT = Context(prec=28, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation, DivisionByZero, Overflow])
"""28 digits, and no silent nonsense: NaN, division by zero and overflow are signalled."""


def judge(facts: Iterable[Fact], profile: Profile, terms: Terms) -> tuple[Verdict, ...]:
    """One verdict per promise, in the order of the catalogue. Never raises, whatever `facts` hold."""
    bench = Judge(profile, terms)
    for fact in facts:
        bench.see(fact)
    return bench.verdicts()


class Judge:
    """All invariants over one tape, fact by fact."""

    def __init__(self, profile: Profile, terms: Terms) -> None:
        self._profile, self._terms = profile, terms
        self._frame = Frame()
        self._coverage = Coverage()
        self._seats = [_Seat(make(profile, terms)) for make in FOLDS]
        share_ledger([seat.fold for seat in self._seats], Ledger(profile.symbol))
        self._hearers: dict[type[Fact], list[_Seat]] = {
            kind: [seat for seat in self._seats if kind in seat.fold.hears] for kind in WITNESSES
        }
        self._next_seq: int | None = None
        self._gap = ""

    def see(self, fact: Fact) -> None:
        """Take the next fact of the tape."""
        if self._next_seq not in (None, fact.seq):
            self._gap = self._gap or f"the tape jumps to seq {fact.seq} where {self._next_seq} was due"
        self._next_seq = fact.seq + 1
        self._coverage.see(fact)
        if fact.src not in WITNESSES.get(type(fact), ()):
            return
        if type(fact) in Frame.hears:
            self._see_frame(fact)
        with localcontext(_CONTEXT):
            for seat in self._hearers[type(fact)]:
                try:
                    seat.fold.see(fact)
                except Exception as error:  # noqa: BLE001  a tape may hold anything, and a judge that falls judges nothing
                    seat.fail(fact, error)

    def verdicts(self) -> tuple[Verdict, ...]:
        """The verdicts on what was seen so far."""
        seats = {seat.fold.id: seat for seat in self._seats}
        doubt = self._doubt()
        with localcontext(_CONTEXT):
            return tuple(self._verdict(id_, promise, seats[id_], doubt) for id_, promise in PROMISES.items())

    def _see_frame(self, fact: Fact) -> None:
        try:
            self._frame.see(fact)
        except Exception as error:  # noqa: BLE001  a tape may hold anything, and a judge that falls judges nothing
            self._gap = self._gap or f"the {fact.kind} at seq {fact.seq} cannot be judged ({type(error).__name__})"

    def _doubt(self) -> str:
        """Why nothing at all may be HELD; empty where something may."""
        try:
            return self._frame.doubt(self._profile, self._terms) or self._gap
        except Exception as error:  # noqa: BLE001  as above
            return f"the frame of the run cannot be judged ({type(error).__name__})"

    def _verdict(self, id_: str, promise: str, seat: "_Seat", doubt: str) -> Verdict:
        verdict = seat.verdict(promise)
        if self._profile.no_trade and id_ in ENTRY_PROMISES:
            verdict = verdict.but_not_shown("a no-trade run: no entry is promised")
        doubt = doubt or self._uncovered(seat.needs)
        return verdict.but_not_shown(doubt) if doubt else verdict

    def _uncovered(self, needs: Iterable[Source]) -> str:
        started, ended = self._frame.started, self._frame.ended
        if started is None or ended is None:
            return "the run is not on the tape from start to end"
        missing = (self._coverage.missing(source, started.t_local_us, ended.t_local_us) for source in sorted(needs))
        try:
            return next((reason for reason in missing if reason), "")
        except Exception as error:  # noqa: BLE001  as above
            return f"what is covered cannot be judged ({type(error).__name__})"


def share_ledger(folds: Iterable[Invariant], ledger: Ledger) -> None:
    """Let every fold that keeps a ledger keep this one: what it is shown by the first, the others find in it."""
    for fold in folds:
        if isinstance(getattr(fold, "ledger", None), Ledger):
            fold.ledger = ledger  # type: ignore[attr-defined]  # just asked for


class _Seat:
    """One invariant, and whether it met something that it could not reckon with."""

    def __init__(self, fold: Invariant) -> None:
        self.fold = fold
        self.needs = _needed(fold)
        self._blind = ""

    def fail(self, fact: Fact, error: Exception) -> None:
        """It raised on `fact`: from here on it can hold nothing."""
        what = "the numbers of the" if isinstance(error, ArithmeticError) else "the"
        why = "be reckoned with" if isinstance(error, ArithmeticError) else f"be judged ({type(error).__name__})"
        self._blind = self._blind or f"{what} {fact.kind} at seq {fact.seq} cannot {why}"

    def verdict(self, promise: str) -> Verdict:
        try:
            verdict = self.fold.verdict()
        except ArithmeticError:
            return self._nothing(promise, "the tape holds numbers that cannot be reckoned with")
        except Exception as error:  # noqa: BLE001  as above
            return self._nothing(promise, f"the tape holds what cannot be judged ({type(error).__name__})")
        return verdict.but_not_shown(self._blind) if self._blind else verdict

    def _nothing(self, promise: str, reason: str) -> Verdict:
        return Verdict(id=self.fold.id, promise=promise, outcome=Outcome.NOT_SHOWN, reason=self._blind or reason)


def _needed(fold: Invariant) -> frozenset[Source]:
    """The sources that must be covered: those it needs, and whoever else may state what they state."""
    witnesses = (WITNESSES[kind] for kind in fold.hears)
    return fold.needs.union(*(sources for sources in witnesses if sources & fold.needs))
