"""What the runs of a rollout may claim: COMPLETED only where every requirement K0-K12 is shown, else PARTIAL and why.

1. Fail closed: a requirement is missing until something shows it, and says in one sentence what would.
2. Only runs of the bot under proof count: the name, the version and the profile bytes that the terms name. Runs of any
   other bot, the reference bot included, prove the harness and close nothing (K0).
3. Only complete runs count, whose tape agreed with the venue's journal where there is one, and which were judged by
   these very terms: a verdict by other thresholds answers another question. What they broke still counts (5).
4. The fake and the rehearsal never show K4 to K8. Only the promises in `REHEARSABLE` may be HELD in a rehearsal of the
   same bot and profile instead of live, of a window that is no shorter than a live one must be.
5. A promise that is BROKEN in any run of the bot under proof, wherever it ran, keeps K5 open; likewise an identity K8,
   and N1, in a no-trade run, K7. What shows K7 is HELD in one window of at least the terms' length.
6. Live windows of at least the terms' length add up (K5, K6, K8): a promise is HELD over them where it is HELD in one,
   or where what was exercised in those that lacked nothing but exercise reaches what the terms ask for. A window in
   which a fact was missing adds nothing, nor does a rehearsal.

The status of a closure is computed, never typed.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from botproof.invariants.verdict import Outcome, Verdict
from botproof.terms import UNSET, Terms

LIVE = "live"
REHEARSAL = "rehearsal"
MICRO_CAP = "live_microcap"
NO_TRADE = "live_notrade"

REHEARSABLE = frozenset({"E7", "E10", "E11", "E13", "E17", "E18"})
ENVELOPE = tuple(f"E{n}" for n in range(1, 19))
IDENTITIES = tuple(f"C{n}" for n in range(1, 17))


class Status(StrEnum):
    """The words of the rollout."""

    PLANNED = "PLANNED"
    BLOCKED = "BLOCKED"
    PARTIAL = "PARTIAL"
    COMPLETED = "COMPLETED"
    WAIVED = "WAIVED"
    REOPENED = "REOPENED"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """One run as the closure needs it."""

    run_id: str
    scenario: str
    bot: str
    bot_version: str
    venue: str  # fake | rehearsal | demo | live
    profile_id: str
    profile_sha256: str
    terms_sha256: str  # of the terms that the run was judged by
    mode: str  # live_microcap | live_notrade
    complete: bool
    agreement: bool  # the fake's journal and the tape agreed; true where there is no journal
    window_s: int
    verdicts: tuple[Verdict, ...]
    incidents: tuple[str, ...] = ()  # ids of incidents that are still open


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One of K0 to K12."""

    id: str
    text: str  # what is required
    shown: bool
    reason: str  # what shows it, or what is missing, in one sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Closure:
    """The status of the rollout, and every requirement with its reason."""

    status: Status
    requirements: tuple[Requirement, ...]

    @property
    def missing(self) -> tuple[Requirement, ...]:
        """What is not shown."""
        return tuple(requirement for requirement in self.requirements if not requirement.shown)


def close(runs: Sequence[RunRecord], terms: Terms) -> Closure:
    """What `runs` show of the rollout that `terms` describe."""
    case = _Case(runs, terms)
    requirements = tuple(_requirement(id_, text, case) for id_, text in REQUIREMENTS.items())
    completed = all(requirement.shown for requirement in requirements)
    return Closure(
        status=Status.COMPLETED if completed else Status.PARTIAL,
        requirements=requirements,
    )


REQUIREMENTS = {
    "K0": "the bot judged is the bot of the rollout, as the terms name it",
    "K1": "the operator accepted window and envelope in writing before the start",
    "K2": "the profile that was run is FEASIBLE at the live rules and price",
    "K3": "the live account was as declared before the start",
    "K4": "a bounded live micro-cap window ran to its end",
    "K5": "every promise of the envelope is HELD and none is BROKEN",
    "K6": "at least one accepted order, one fill and one exit at the live venue",
    "K7": "a live no-trade window passed after the micro-cap window",
    "K8": "the bot's files agree with the live venue in every identity",
    "K9": "every deviation has an incident entry, or there was explicitly none",
    "K10": "the rollback was rehearsed once with its end state proven",
    "K11": "the report was made from raw evidence, each attachment with hash and size",
    "K12": "outcomes and incidents are in the run document, changed in one review",
}

# What shows these is no run: the record of it does not exist yet, so each is missing until it can be read.
_UNRECORDED = {
    "K1": "no approval of the operator is on record",
    "K2": "no feasibility verdict at the live rules and price is on record",
    "K3": "no pre-flight of the live account is on record",
    "K9": "no incident log of a live run, nor an explicit none, is on record",
    "K10": "no rehearsal of the rollback is on record",
    "K11": "no sealed manifest of a live run is on record",
    "K12": "no reviewed change of the run document names a manifest",
}


class _Case:
    """The runs that may count, and what they show. Each method answers "" where shown, else what is missing."""

    def __init__(self, runs: Sequence[RunRecord], terms: Terms) -> None:
        self._terms = terms
        self._all = runs
        self._own = [run for run in runs if self._is_under_proof(run)]
        self._whole = [run for run in self._own if run.complete and run.agreement]
        self._counting = [run for run in self._whole if run.terms_sha256 == terms.sha256]
        self._live = [run for run in self._counting if run.venue == LIVE]

    def identity(self) -> str:
        """K0."""
        name, version = self._terms.bot_name, self._terms.bot_version
        if not self._all:
            return "no run was judged"
        others = sorted({run.bot for run in self._all if run.bot != name})
        if others and not any(run.bot == name for run in self._all):
            return (
                f"the bot judged is not the bot of the rollout: {', '.join(others)} was judged, the terms name {name}"
            )
        if version == UNSET:
            return f"the terms leave the version of {name} {UNSET}"
        if not self._own:
            return f"no run was of {name} {version} with a profile whose sha256 the terms name"
        return ""

    def micro_cap_window(self) -> str:
        """K4."""
        return self._window(MICRO_CAP, self._terms.window_micro_cap_min, "micro-cap")

    def promises(self) -> str:
        """K5."""
        if broken := self._broken(ENVELOPE):
            return broken
        live = self._added_up(self._windows(MICRO_CAP), ENVELOPE)
        rehearsed = _held(self._windows(MICRO_CAP, REHEARSAL))
        missing = [id_ for id_ in live if not (id_ in REHEARSABLE and id_ in rehearsed)]
        return f"not HELD in live micro-cap windows: {self._told(live, missing)}" if missing else ""

    def activity(self) -> str:
        """K6: the exit shows the fill, since an exit closes what a fill opened."""
        windows = self._windows(MICRO_CAP)
        if not windows:
            return "no complete live micro-cap window of the bot under proof, of sufficient length"
        missing = self._added_up(windows, ("E16", "E10"))
        if "E16" in missing:
            return "idle window: the live venue accepted no order of the bot"
        return "the live venue showed no fill with its exit" if "E10" in missing else ""

    def no_trade_window(self) -> str:
        """K7: the sensitivity proof cannot be made yet, so a window that held alone does not show it."""
        if broken := self._broken(("N1",)):
            return broken
        if missing := self._window(NO_TRADE, self._terms.window_no_trade_min, "no-trade"):
            return missing
        if "N1" not in _held(self._windows(NO_TRADE)):
            return "N1 is not HELD in the live no-trade window"
        return "the live no-trade window has no sensitivity proof (R11)"

    def identities(self) -> str:
        """K8."""
        if broken := self._broken(IDENTITIES):
            return broken
        missing = self._added_up([*self._windows(MICRO_CAP), *self._windows(NO_TRADE)], IDENTITIES)
        return f"not HELD in live windows: {self._told(missing, list(missing))}" if missing else ""

    def _broken(self, ids: tuple[str, ...]) -> str:
        """Where one of `ids` is BROKEN on the bot under proof, in any run of it; empty where none is."""
        broken = [f"{v.id} in {run.run_id}" for run in self._own for v in run.verdicts if _is(v, Outcome.BROKEN, ids)]
        return f"BROKEN on the bot under proof: {', '.join(broken)}" if broken else ""

    def _windows(self, mode: str, venue: str = LIVE) -> list[RunRecord]:
        """The windows of `mode` at `venue` that are long enough to close something, each run once."""
        least_s = 60 * {MICRO_CAP: self._terms.window_micro_cap_min, NO_TRADE: self._terms.window_no_trade_min}[mode]
        of_mode = [run for run in self._counting if (run.venue, run.mode) == (venue, mode)]
        return list({run.run_id: run for run in of_mode if run.window_s >= least_s}.values())

    def _added_up(self, windows: Iterable[RunRecord], ids: tuple[str, ...]) -> dict[str, int]:
        """Of `ids`, those that are not HELD over all `windows`, each with the exercise that it has so far."""
        exercise = dict.fromkeys(ids, 0)
        held: set[str] = set()
        for verdict in (verdict for run in windows for verdict in run.verdicts if verdict.id in exercise):
            if verdict.outcome is Outcome.HELD:
                held.add(verdict.id)
            elif verdict.lacks_only_exercise:
                exercise[verdict.id] += verdict.exercise
        return {id_: seen for id_, seen in exercise.items() if id_ not in held and seen < self._needed(id_)}

    def _told(self, exercise: dict[str, int], missing: list[str]) -> str:
        return ", ".join(f"{id_} ({exercise[id_]} of {self._needed(id_)})" for id_ in missing)

    def _needed(self, id_: str) -> int:
        return self._terms.exercise.get(id_, 1)

    def _window(self, mode: str, minutes: int, name: str) -> str:
        runs = [run for run in self._live if run.mode == mode]
        if not runs:
            if any((run.venue, run.mode) == (LIVE, mode) for run in self._whole):
                return f"each live {name} window was judged by other terms: judge it again by these"
            elsewhere = sorted({run.venue for run in self._all if run.mode == mode and run.venue != LIVE})
            proves = f"; runs on {', '.join(elsewhere)} prove the harness only" if elsewhere else ""
            return f"no complete live {name} window of the bot under proof{proves}"
        if all(run.window_s < minutes * 60 for run in runs):
            longest = max(run.window_s for run in runs) // 60
            return f"the longest live {name} window is {longest} min, {minutes} min is the least that counts"
        return ""

    def _is_under_proof(self, run: RunRecord) -> bool:
        terms = self._terms
        named = (run.bot, run.bot_version) == (terms.bot_name, terms.bot_version) and terms.bot_version != UNSET
        return named and terms.bot_profiles.get(run.profile_id) == run.profile_sha256


_SHOWN_BY: dict[str, tuple[Callable[[_Case], str], str]] = {
    "K0": (_Case.identity, "the runs are of the bot, the version and the profiles that the terms name"),
    "K4": (_Case.micro_cap_window, "a live micro-cap window of sufficient length is complete"),
    "K5": (_Case.promises, "every promise is HELD live or in a rehearsal where that is enough"),
    "K6": (_Case.activity, "the live venue showed an accepted order, a fill and its exit"),
    "K7": (_Case.no_trade_window, "a live no-trade window passed"),
    "K8": (_Case.identities, "every identity is HELD in live windows"),
}


def _requirement(id_: str, text: str, case: _Case) -> Requirement:
    if id_ in _UNRECORDED:
        return Requirement(id=id_, text=text, shown=False, reason=_UNRECORDED[id_])
    ask, shown = _SHOWN_BY[id_]
    missing = ask(case)
    return Requirement(id=id_, text=text, shown=not missing, reason=missing or shown)


def _held(runs: Iterable[RunRecord]) -> set[str]:
    return {verdict.id for run in runs for verdict in run.verdicts if verdict.outcome is Outcome.HELD}


def _is(verdict: Verdict, outcome: Outcome, ids: tuple[str, ...]) -> bool:
    return verdict.outcome is outcome and verdict.id in ids
