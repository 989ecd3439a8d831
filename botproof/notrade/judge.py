"""The judge: one verdict on one window, from the bot's rows, the run's record and the venue's.

Pure: what it is given is what it judges, `now` is not among it, and it can be asked again. The rules are R1 to R14 of
docs/judging-no-trade.md; each finding bears the name of its rule.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol

from botproof.document import shown
from botproof.money import ZERO, plain
from botproof.notrade.alive import Alive
from botproof.notrade.answer import Docket, Judgement
from botproof.notrade.cadence import Limits, Record, Told, WindowRows
from botproof.notrade.columns import MINUTE, read_header
from botproof.notrade.evidence import RunEvidence
from botproof.notrade.fills import FillRows
from botproof.notrade.minute import Expected, MinuteRows, Said
from botproof.notrade.record import VenueRecord
from botproof.notrade.sensitivity import Sensitivity
from botproof.notrade.venue import Scene, VenueJudge
from botproof.notrade.window import MINUTE_US, Window
from botproof.profile import Profile
from botproof.terms import Terms

EQUITY_TOLERANCE_USDT = Decimal("1e-8")
YES = ("True", "true")


class Table(Protocol):
    """A CSV file on its way through the judge: read once, and known by its bytes after the last record."""

    @property
    def header(self) -> Sequence[str]: ...
    @property
    def empty_lines(self) -> int: ...
    def __iter__(self) -> Iterator[Record]: ...
    @property
    def sha256(self) -> str: ...
    @property
    def ends_torn(self) -> bool: ...
    @property
    def has_mark(self) -> bool: ...
    def damage(self) -> list[str]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What is judged. What was not given, or could not be read, is None, and `unread` says why by its name."""

    terms: Terms
    window: Window | None = None
    run_id: str = ""  # as asked for; empty: whatever run the evidence is of
    minutes: Table | None = None
    fills: Table | None = None
    profile: Profile | None = None
    run: RunEvidence | None = None
    venue: VenueRecord | None = None
    position: Decimal | None = None  # as declared by whoever asks; None: as the run record says
    expected_exchange: str = ""  # as whoever asks says it; empty: as the profile says
    unread: Mapping[str, str] = field(default_factory=dict)
    without: tuple[str, ...] = ()  # what was not given and must be, in words
    overruled: tuple[str, ...] = ()  # what was asked for and is not done, in words

    @property
    def declared(self) -> Decimal:
        """The position that the plan declares, signed, BTC."""
        if self.position is not None:
            return self.position
        return self.run.declared_position if self.run else ZERO

    @property
    def restarts_us(self) -> tuple[int, ...]:
        """The restarts that the run log declares."""
        return self.run.restarts_us if self.run and not self.run.flaws else ()


@dataclass(frozen=True, slots=True)
class Trial:
    """A judgement, and what was counted on the way to it."""

    judgement: Judgement
    told: Told
    said: Said
    fill_rows: int


def judge_no_trade(case: Case) -> Trial:
    """Judge one window. Never raises on what a file may hold; `Refusal` where a file cannot be read to its end."""
    return _Hearing(case).verdict()


class _Hearing:
    """One case, rule by rule."""

    def __init__(self, case: Case) -> None:
        self._case, self._docket = case, Docket()
        self._told, self._said = Told(), Said()
        self._fill_rows = 0

    def verdict(self) -> Trial:
        self._bounds()
        self._minutes()
        self._binding()
        self._fills()
        judge = self._venue()
        self._active()
        self._equity(judge)
        Sensitivity(self._case.venue, self._scene(), self._docket).judge()
        Alive(
            run=self._case.run,
            venue=self._case.venue,
            window=self._case.window,
            said=self._said,
            instance=self._case.profile.instance_name if self._case.profile else "",
            docket=self._docket,
        ).judge()
        return Trial(self._docket.judgement(), self._told, self._said, self._fill_rows)

    # R2 and R14

    def _bounds(self) -> None:
        case, docket = self._case, self._docket
        for name, why in case.unread.items():
            docket.invalid("R10", f"{name}: {why}", "every input read whole")
        for text in case.without:
            docket.invalid("R1", text, "everything that a pass rests on")
        for text in case.overruled:
            docket.note("R1", text)
        if case.window is None:
            if "window" in case.unread:
                return
            docket.invalid("R2", "no window was given: nothing says what should be covered", "--start and --end in UTC")
            return
        docket.saw("R2", f"window {case.window}")
        docket.saw("R14", f"{case.window.minutes} minutes")
        if case.window.start_us % MINUTE_US or case.window.end_us % MINUTE_US:
            docket.invalid("R14", f"the window is {case.window}", "a start and an end on UTC minutes")
        if case.window.minutes < case.terms.window_no_trade_min:
            docket.note(
                "R14",
                f"a window of {case.window.minutes} min closes nothing: {case.terms.window_no_trade_min} is the least",
            )
        run = case.run
        if run is not None and run.window_us is not None:
            ran = Window(*run.window_us)
            if ran != case.window:
                docket.invalid(
                    "R14", f"the window of the run is {ran}", f"the window that was fixed, not {case.window}"
                )

    # R3 to R7

    def _minutes(self) -> None:
        case, docket = self._case, self._docket
        if case.minutes is None:
            if "minute.csv" not in case.unread:
                docket.invalid("R3", "no minute.csv was given", "the bot's minute rows")
            for rule in ("R3", "R4", "R5", "R6", "R7"):
                docket.invalid(rule, "no row could be judged", "rows that can be read", key="no row")
            return
        table, profile = case.minutes, case.profile
        header = read_header(table.header, MINUTE, "minute.csv", docket)
        if header is None:
            for _ in table:
                self._told.rows += 1
        else:
            limits = Limits(
                coverage_min=case.terms.coverage_min, gap_s_max=case.terms.gap_s_max, restarts_us=case.restarts_us
            )
            expected = Expected(
                exchange=profile.connector_name if profile else "",
                pair=profile.trading_pair if profile else "",
                variant=profile.variant if profile else "",
                position=case.declared,
                restarts_us=case.restarts_us,
            )
            rows = WindowRows(table, header, table.header, case.window, limits, docket)
            minutes = MinuteRows(header, case.window, expected, docket)
            minutes.judge(rows.batches())
            rows.close()
            self._told, self._said = rows.told, minutes.said
        self._whole("minute.csv", table)
        if not self._told.used:
            for rule in ("R4", "R6", "R7"):
                docket.invalid(rule, "no row of the window could be judged", "rows that can be read", key="no row")
        docket.saw("R3", f"{self._told.rows} rows, {self._told.used} used, {self._told.refused} refused")

    def _whole(self, name: str, table: Table) -> None:
        for damage in table.damage():
            self._docket.invalid("R3", f"{name}: {damage}", "UTF-8 text, whole")
        if table.ends_torn:
            self._docket.note("R3", f"{name}: the last line has no end, as a torn one")
        if table.has_mark:
            self._docket.note("R3", f"{name} begins with a byte-order mark")
        if table.empty_lines:
            self._docket.note("R3", f"{name} has {table.empty_lines} empty lines")

    # R4

    def _binding(self) -> None:
        case, docket = self._case, self._docket
        profile, run, bound = case.profile, case.run, self._said.bound
        if profile is None:
            if "profile" not in case.unread:
                docket.invalid(
                    "R4", "no profile: nothing says which bot this was to be", "--profile, the no-trade profile"
                )
            wanted = ""
        else:
            wanted = profile.sha256
            docket.saw("R4", f"profile {profile.id} {profile.sha256[:12]}")
            wished = case.expected_exchange
            if wished and wished != profile.connector_name:
                seen = f"the expected exchange is {shown(wished)}, the profile's {profile.connector_name}"
                docket.invalid("R4", seen, "one exchange, in the same letters")
            if not profile.no_trade:
                docket.invalid("R4", f"the profile {profile.id} says no_trade: false", "a profile with no_trade: true")
        by_columns = self._columns_bind(bound, wanted)
        by_run = self._run_binds(run, wanted)
        self._one_run(bound, run)
        if not by_columns and not by_run:
            docket.invalid(
                "R4",
                "the rows are bound to no profile, no run and no no_trade: a paused bot writes the same rows",
                "the columns profile_sha256, run_id and no_trade, or the sealed run whose minute.csv this is",
            )

    def _columns_bind(self, bound: Mapping[str, set[str]], wanted: str) -> bool:
        if not bound:
            return False
        right = True
        for name, is_right, required in (
            ("profile_sha256", lambda text: text == wanted, f"the profile's {wanted[:12]}"),
            ("no_trade", lambda text: text in YES, "True in every row"),
            ("run_id", bool, "one run"),
        ):
            values = bound.get(name, set())
            if len(values) != 1 or not all(is_right(text) for text in values):
                right = False
                if values - {""}:
                    found = ", ".join(sorted(shown(text) for text in values)[:3])
                    self._docket.invalid("R4", f"the rows say {name} {found}", required)
        return right

    def _run_binds(self, run: RunEvidence | None, wanted: str) -> bool:
        case, docket = self._case, self._docket
        if run is None:
            return False
        for flaw in run.flaws:
            docket.invalid("R4", f"the run record is no evidence: {flaw}", "the sealed folder of a run, whole")
        docket.saw("R4", f"run {run.run_id} of {run.bot} {run.bot_version} on {run.venue}")
        if run.profile_sha256 != wanted:
            docket.invalid(
                "R4", f"the run was made with the profile {run.profile_sha256[:12]}", f"{wanted[:12] or 'none'}"
            )
            return False
        if case.minutes is not None and run.files.get("minute.csv") != case.minutes.sha256:
            docket.note("R4", "minute.csv is not the file that the run sealed")
            return False
        return not run.flaws

    def _one_run(self, bound: Mapping[str, set[str]], run: RunEvidence | None) -> None:
        named = {text for text in bound.get("run_id", set()) if text}
        named |= {run.run_id} if run and run.run_id else set()
        named |= {self._case.run_id} if self._case.run_id else set()
        if len(named) > 1:
            found = ", ".join(shown(name) for name in sorted(named)[:3])
            self._docket.invalid("R2", f"the evidence names {len(named)} runs: {found}", "evidence of one run")
        elif not named:
            self._docket.invalid("R2", "nothing names the run", "a run id: in the rows, in the run record, or --run-id")
        else:
            self._docket.saw("R2", f"run {min(named)}")

    # R8, R9, R13

    def _fills(self) -> None:
        case, docket = self._case, self._docket
        if case.fills is None:
            if "fills.csv" not in case.unread:
                docket.invalid(
                    "R9", "no fills.csv was given", "the bot's fills, a file with its header where there is none"
                )
            return
        rows = FillRows(case.fills.header, case.window, case.run.stopped_us if case.run else None, docket)
        rows.judge(case.fills)
        self._fill_rows = rows.rows
        self._whole("fills.csv", case.fills)
        sealed = case.run.files.get("fills.csv") if case.run else None
        if sealed is not None and sealed != case.fills.sha256:
            docket.invalid("R9", "fills.csv is not the file that the run sealed", "the run's own fills.csv")

    def _scene(self) -> Scene | None:
        case = self._case
        if case.window is None:
            return None
        run = case.run if case.run and not case.run.flaws else None
        return Scene(
            window=case.window,
            symbol=case.profile.symbol if case.profile else (case.venue.symbol if case.venue else ""),
            position=case.declared,
            bot_started_us=run.bot_started_us if run else None,
            stopped_us=run.stopped_us if run else None,
            own_prefix=run.client_id_prefix if run else "",
            requests=run.requests if run else None,
        )

    def _venue(self) -> VenueJudge | None:
        case, scene = self._case, self._scene()
        if case.venue is None:
            self._docket.invalid(
                "R13", "no venue record: the bot's own files never prove that nothing was traded", "--venue-record"
            )
            self._docket.invalid("R8", "no venue record: nobody counted orders at the venue", "the venue's lists")
            self._docket.invalid("R9", "no venue record: nobody counted fills at the venue", "the venue's fills")
        if case.venue is None or scene is None:
            return None
        judge = VenueJudge(case.venue, scene, self._docket)
        judge.judge()
        return judge

    def _active(self) -> None:
        """The bot counts finished executors as active; so this alone is no trading, and no clean window either."""
        if self._said.orders_active:
            self._docket.invalid(
                "R8",
                f"orders_active is {self._said.orders_active}: executors of this process, finished ones included",
                "0 in every row: restart the bot so that finished executors do not count, then run the window",
                self._said.orders_where,
            )

    def _equity(self, judge: VenueJudge | None) -> None:
        """Without a position equity moves by transfers or by trading."""
        said = self._said
        if said.equity_first is None or said.equity_last is None or not said.equity_where:
            return
        moved = said.equity_last - said.equity_first
        text = f"equity_quote moved from {plain(said.equity_first)} to {plain(said.equity_last)}"
        if self._case.declared != ZERO or said.position != ZERO or (judge and judge.opening_position() != ZERO):
            self._docket.note("R9", f"{text}, with the position that the account holds")
        elif judge and moved and abs(judge.transfers_usdt() - moved) <= EQUITY_TOLERANCE_USDT:
            self._docket.note("R9", f"{text}, by transfers of {plain(judge.transfers_usdt())} USDT")
        else:
            self._docket.fail("R9", text, "no change of equity that no transfer explains", said.equity_where)
