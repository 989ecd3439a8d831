"""What a scenario sets up, runs and looks at: the one object behind the steps.

A stage has one venue, one account and any number of runs, one after another. Setting up is lazy: the venue opens at
the first step that needs it, with what was said until then. At the end of the scenario `settle` closes what is still
open and reports what nobody mentioned: nothing goes unnoticed.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import Literal, Protocol, TypeVar

from botproof.circumstances import circumstances
from botproof.clock import Clock
from botproof.closure import Closure, close
from botproof.document import nearest
from botproof.errors import Broken, HarnessError, NotShown
from botproof.events import BotStateChanged, Fact, OpenOrdersRead, OrderSeen, PositionSeen, RequestSent, Side
from botproof.evidence.files import RunFolder
from botproof.feasibility import Answer, Rules, judge_feasibility
from botproof.invariants.cadence import Cadence
from botproof.invariants.effects import effects, foreign_names, server_faults, unexpected_refusals
from botproof.invariants.verdict import Outcome, Verdict
from botproof.money import floor_to
from botproof.notrade.answer import Judgement
from botproof.ports import BotFactory, Sink
from botproof.profile import Profile, find_profile
from botproof.run import Clients, Plan, Run
from botproof.settings import SYNTHETIC, Recording, Settings
from botproof.trial import asked_of, judge_files
from botproof.world import World

Result = TypeVar("Result")

EPOCH_US = 1_771_722_000_000_000  # 2026-02-22T01:00:00Z, where virtual time begins unless a scenario says otherwise
DAY_US = 86_400_000_000
OPENING_PRICE = Decimal(67500)  # of a synthetic market
ORDINARY_PERCENT = 100
QUOTES_WITHIN_S = 30  # how long a bot may take until its first quotes rest


class StageVenue(Protocol):
    """The venue behind a stage, and what a scenario may do to it from behind; what it saw is read from the tape."""

    clock: Clock

    def connect(self, sink: Sink) -> Clients: ...
    def secrets(self) -> tuple[str, ...]: ...
    def rules(self) -> Rules: ...
    def mid(self) -> Decimal: ...
    def take_position(self, size: Decimal) -> None: ...
    def place_resting(self, client_id: str, side: Side, distance: Decimal) -> str: ...
    def move_price(self, change: Decimal, over_s: int, recover_s: int | None, after_s: int = 0) -> None: ...
    def thin_book(self, share: Decimal, for_s: int, side: Side | None = None) -> None: ...
    def script_funding(self, rate: Decimal) -> None: ...
    def strike(self, kind: str, call: str, *, times: int | None = 1, code: str = "") -> None: ...
    def silence(self, channel: str, for_s: int) -> None: ...
    def mend(self) -> None: ...
    def unfired(self) -> list[str]: ...
    def disagreements(self, run: Run) -> list[str]: ...
    async def start(self) -> None: ...
    async def stop(self) -> None: ...


OpenVenue = Callable[..., StageVenue]


class Recordings(Protocol):
    """The recorded markets that a scenario may name; both raise `Absent` where the data are not there."""

    def recorded_candles(self, day: date, minute: int) -> Recording: ...
    def recorded_trades(self, day: date) -> Recording: ...


@contextmanager
def _as_asked() -> Iterator[None]:
    """A value that the venue behind a scenario cannot take is a mistake in the feature, and told in words."""
    try:
        yield
    except (ValueError, OverflowError) as error:
        raise HarnessError(f"the venue behind the scenario cannot do that: {error}") from error


class Stage:
    """The state of one scenario."""

    def __init__(
        self,
        settings: Settings,
        scenario: str,
        open_venue: OpenVenue,
        rogues: Mapping[str, BotFactory],
        recordings: Recordings,
    ) -> None:
        self.settings, self.scenario = settings, scenario
        self._open_venue, self._recordings = open_venue, recordings
        self._world: World | None = None
        self._venue: StageVenue | None = None
        self._mentioned: set[str] = set()
        self._rogues = rogues
        self._profile: Profile | None = None
        self.factory: BotFactory = settings.factory
        self.deposit = Decimal(20)
        self.price = OPENING_PRICE
        self.volatility_percent = ORDINARY_PERCENT
        self.cadence: Literal["lazy", "channel"] = "lazy"  # of the public channels on the fake
        self.funding_rate: Decimal | None = None  # as a fraction; None leaves it to the market
        self.recording = settings.recording  # None: the market is synthetic
        self.epoch_us = EPOCH_US if self.recording is None else self.recording.begins_us
        self.declared = Decimal(0)  # the position that the plan says the account holds before the first order
        self.window_s: int | None = None  # fixed by the scenario's text; --window does not replace it
        self.runs: list[Run] = []

    # setting up

    @property
    def world(self) -> World:
        """The owner of time; it begins at `epoch_us`."""
        if self._world is None:
            self._world = World(epoch_us=self.epoch_us)
        return self._world

    @property
    def venue(self) -> StageVenue:
        """The venue, opened on first use with the account and price said so far."""
        if self._venue is None:
            self._refuse_a_second_market()
            with _as_asked():
                self._venue = self._open_venue(
                    inside=self._inside,
                    clock=self.world.clock,
                    seed=self.seed,
                    deposit=self.deposit,
                    price=self.price,
                    volatility_percent=self.volatility_percent,
                    cadence=self.cadence,
                    recording=self.recording,
                )
            self.world.run(self._venue.start())
            if self.funding_rate is not None:
                self._venue.script_funding(self.funding_rate)
        return self._venue

    def _inside(self, action: Callable[[], Result]) -> Result:
        """Do something on the loop, at this instant: what reaches behind the venue may set its timers."""

        async def act() -> Result:
            with _as_asked():
                return action()

        return self.world.run(act())

    @property
    def seed(self) -> int:
        """The scenario's own seed, derived from the session's and the scenario's name."""
        return int.from_bytes(hashlib.sha256(f"{self.settings.seed}:{self.scenario}".encode()).digest()[:6], "big")

    def open_account(self, deposit: Decimal) -> None:
        """A flat account of `deposit` USDT."""
        if self._venue is not None:
            raise HarnessError("an account is opened once, before anything happens at the venue")
        self.deposit = deposit

    def begin_at(self, time_of_day_us: int) -> None:
        """Virtual time begins at this time of the UTC day, instead of at 01:00."""
        if self._world is not None or self.recording is not None:
            raise HarnessError("the time of day is said once, before anything happens; a recorded market has its own")
        self.epoch_us = EPOCH_US // DAY_US * DAY_US + time_of_day_us

    def replay_candles(self, day: date, minute: int) -> None:
        """The market of a UTC day, from `minute` of it on, as candles recorded it. Raises `Absent`."""
        self._replay(self._recordings.recorded_candles(day, minute))

    def replay_trades(self, day: date) -> None:
        """The market of a UTC day, as far as its trades were recorded. Raises `Absent`."""
        self._replay(self._recordings.recorded_trades(day))

    def _replay(self, recording: Recording) -> None:
        """Virtual time begins where the recording does."""
        if self._world is not None or self.recording is not None or self.epoch_us != EPOCH_US:
            raise HarnessError("a market and its time are said once, before anything happens")
        self.recording, self.epoch_us = recording, recording.begins_us

    def _refuse_a_second_market(self) -> None:
        said = (self.price, self.volatility_percent, self.funding_rate)
        if self.recording is not None and said != (OPENING_PRICE, ORDINARY_PERCENT, None):
            raise HarnessError(f"the market is {self.recording.name}: it has prices and funding of its own")

    def hold(self, size: Decimal, *, is_declared: bool) -> None:
        """The account holds `size` (signed, BTC) before the run; `is_declared` says whether the plan knows of it."""
        self.venue.take_position(size)
        self.declared = size if is_declared else self.declared

    def use_role(self, role: str) -> None:
        """The profile that plays `role` (micro_cap, no_trade) by the terms, or by `--profile`."""
        self._profile = self.settings.profiles[role]

    def change_profile(self, changes: Mapping[str, str]) -> None:
        """Other values for some keys of the profile said so far: another profile, by its sha256."""
        self._profile = self.known_profile.but(changes)

    def use_profile(self, name: str) -> None:
        """A profile fixed by name; `--profile` does not replace it."""
        self._profile = Profile.load(find_profile(name))

    def use_rogue(self, misdeed: str) -> None:
        """A bot made to break or to leave out one thing, in place of the bot judged, by the sentence that tells it."""
        if misdeed not in self._rogues:
            raise HarnessError(f"no bot {misdeed!r} is known{nearest(misdeed, self._rogues)}")
        self.factory = self._rogues[misdeed]

    @property
    def known_profile(self) -> Profile:
        """The profile said so far."""
        if self._profile is None:
            raise HarnessError("this step needs a profile: say `the micro-cap profile` or `the no-trade profile` first")
        return self._profile

    def rules(self) -> Rules:
        """What the venue asks of an order."""
        return self.venue.rules()

    # running

    @property
    def run(self) -> Run:
        """The run of the scenario, the latest where there are several."""
        if not self.runs:
            raise HarnessError("this step looks at a run; start one first: `the bot is running on BTCUSDT`")
        return self.runs[-1]

    def start(self, symbol: str) -> Run:
        """Open a run on `symbol`: preflight, window, bot. One run at a time."""
        if self.runs and self.runs[-1].sealed is None:
            raise HarnessError("a run is under way: let the bounded window end before the bot is started again")
        self._refuse_unrecorded(None)
        self._refuse_infeasible()
        run = self._new_run()
        if run.plan.symbol != symbol:
            raise HarnessError(f"{run.plan.profile.id} trades {run.plan.symbol}, not {symbol}")
        self.world.run(run.open())
        self._refuse_unrecorded(run)
        self.world.run_until(_Arrival(run).is_up, QUOTES_WITHIN_S)
        return run

    def _refuse_unrecorded(self, run: Run | None) -> None:
        """A window that a recording does not span, or cannot settle, shows nothing; `run` where it has opened."""
        if self.recording is None:
            return
        opens_us = self.recording.opens_us(self.world.clock.now_us())
        if run is not None and run.window is not None:
            opens_us = run.window[0]
        if why := self.recording.unfit(self._window_s, opens_us):
            raise HarnessError(why)

    def _refuse_infeasible(self) -> None:
        """A profile that cannot place its orders at this price shows nothing: INFEASIBLE is a result, and it blocks."""
        if self.known_profile.no_trade:
            return
        rules = self.rules()
        result = judge_feasibility(self.known_profile, rules, floor_to(rules.tick, self.venue.mid()))
        if result.verdict is not Answer.FEASIBLE:
            raise NotShown("\n".join(result.lines()))

    def restart(self) -> None:
        """Kill the bot in mid-run and start it anew."""
        self.world.run(self.run.restart())

    def operate(self, action: str) -> None:
        """The operator's switch: `stop` or `resume`."""
        self._inside(lambda: self.run.operate(action))

    def finish(self) -> Run:
        """Let the window end, stop the bot, close the books, judge, seal."""
        run = self.run
        if run.window is not None and run.sealed is None:
            self.world.run_until_us(max(run.window[1], self.world.clock.now_us()))
        return self._close()

    def _close(self) -> Run:
        run = self.run
        if run.sealed is None:
            self.world.run(run.close())
            run.disagreements = tuple(self.venue.disagreements(run))
            run.seal(circumstances())
        return run

    def _new_run(self) -> Run:
        profile = self.known_profile
        run_id = self._run_id()
        part = hashlib.sha256(run_id.encode()).hexdigest()[:8]
        secrets = self.venue.secrets()
        plan = Plan(
            run_id=run_id,
            scenario=self.scenario,
            profile=profile,
            terms=self.settings.terms,
            factory=self.factory,
            venue=self.settings.venue,
            clock=self.settings.clock,
            seed=self.settings.seed,
            symbol=profile.symbol,
            client_id_prefix=f"{profile.instance_name}-{part}-",
            window_s=self._window_s,
            declared_position=self.declared,
            market=SYNTHETIC if self.recording is None else self.recording.name,
        )
        folder = RunFolder(self.settings.reports, run_id, secrets=secrets)
        try:
            run = Run(plan, self.world.clock, folder, self.venue.connect, secrets=secrets)
        except HarnessError:
            folder.discard()
            raise
        run.heed_evidence(self.world.fail)
        self.runs.append(run)
        return run

    @property
    def _window_s(self) -> int:
        return self.window_s or self.settings.window_s or self.settings.terms.window_default_min * 60

    def _run_id(self) -> str:
        slug = re.sub(r"[^a-z0-9]+", "-", self.scenario.lower()).strip("-")
        digest = hashlib.sha256(self.scenario.encode()).hexdigest()[:6]
        return f"{slug[:80]}-{digest}-seed{self.settings.seed}-run{len(self.runs) + 1}"

    # looking

    def entries_sent(self) -> int:
        """How many entries the bot has sent so far."""
        return sum(isinstance(fact, RequestSent) and fact.is_entry for fact in self.facts)

    def await_no_orders(self, limit_s: Decimal) -> None:
        """Let time pass until the venue has ended every order of the bot; raises `AssertionError` at the limit."""
        prefix, seen, is_open = self.run.plan.client_id_prefix, 0, dict[str, bool]()

        def are_gone() -> bool:
            nonlocal seen
            for fact in self.facts[seen:]:
                if isinstance(fact, OrderSeen) and fact.client_id.startswith(prefix):
                    is_open[fact.client_id] = fact.state.is_open
            seen = len(self.facts)
            return not any(is_open.values())

        if not self.world.run_until(are_gone, limit_s):
            raise AssertionError(f"still open are {sorted(name for name, rests in is_open.items() if rests)}")

    def await_state(self, state: str, reason: str, limit_s: Decimal) -> None:
        """Let time pass until the bot says that it is in `state` because of `reason` (any, where it is empty)."""

        def is_there() -> bool:
            now, reasons = self.run.state
            return now == state and (not reason or reason in reasons)

        if not self.world.run_until(is_there, limit_s):
            now, reasons = self.run.state
            why = f" because {', '.join(reasons)}" if reasons else ""
            raise AssertionError(f"the bot is not in {state} because {reason}, it is in {now or 'no state'}{why}")

    @property
    def facts(self) -> list[Fact]:
        """The tape of the run so far."""
        return self.run.facts

    def verdict(self, invariant: str) -> Verdict:
        """The verdict on one invariant; the run is finished first."""
        run = self.finish()
        found = [verdict for verdict in run.verdicts if verdict.id == invariant]
        if not found:
            raise HarnessError(f"there is no invariant {invariant}; known are {[v.id for v in run.verdicts]}")
        return found[0]

    def require_held(self, invariant: str) -> None:
        """State that an invariant is HELD; raises `Broken` or `NotShown` where it is not."""
        verdict = self.verdict(invariant)
        text = f"{verdict.id} {verdict.promise}: {verdict.reason}"
        if verdict.outcome is Outcome.BROKEN:
            self.mention(invariant)
            raise Broken(text)
        if verdict.outcome is Outcome.NOT_SHOWN:
            raise NotShown(text)

    def effects(self) -> Mapping[str, int]:
        """What the venue saw of the bot's orders in the whole run."""
        run = self.finish()
        return effects(run.facts, run.plan.client_id_prefix)

    def position(self) -> Decimal:
        """The net position, signed, BTC, as the venue showed it last."""
        seen = [fact for fact in self.facts if isinstance(fact, PositionSeen) and fact.symbol == self.run.plan.symbol]
        if not seen:
            raise NotShown("the venue has shown no position yet")
        return seen[-1].size

    def open_order_ids(self) -> tuple[str, ...]:
        """The account's open orders, as the venue listed them last."""
        read = [fact for fact in self.facts if isinstance(fact, OpenOrdersRead)]
        if not read:
            raise NotShown("the venue has listed no open orders yet")
        return read[-1].plain + read[-1].trigger

    def no_trade_judgement(self) -> Judgement:
        """What the no-trade judge says of the run, from the files in its sealed folder and nothing else."""
        run = self.finish()
        if run.sealed is None or run.window is None:
            raise NotShown("the run left no sealed window to judge")
        return judge_files(asked_of(run.sealed, run.plan.profile.id, run.window))

    def closure(self) -> Closure:
        """What the runs of this scenario may claim."""
        return close([run.record for run in self.runs], self.settings.terms)

    def require_rows(self) -> None:
        """The bot's rows tell of the whole window, as the terms ask; raises `NotShown` where they do not."""
        run = self.finish()
        cadence = Cadence(run.plan.terms)
        for fact in run.facts:
            if type(fact) in Cadence.hears:
                cadence.see(fact)
        if doubt := cadence.doubt():
            raise NotShown(doubt)

    def mention(self, what: str) -> None:
        """A step spoke of `what` (a refusal's code, an invariant's id): it does not fail the scenario's end."""
        self._mentioned.add(what)

    # the end

    def settle(self) -> list[str]:
        """Close what is open and name what no step mentioned; empty where all is accounted for."""
        if self.runs and self.run.sealed is None:
            self._close()
        return [complaint for run in self.runs for complaint in self._complaints(run)]

    def unfired(self) -> list[str]:
        """Faults that were armed and did not take effect: what they were to show is not shown."""
        return self._venue.unfired() if self._venue is not None else []

    def close(self) -> None:
        """Give everything back; called last, whatever happened."""
        for run in self.runs:
            run.abandon()
        if self._venue is not None:
            self.world.run(self._venue.stop())
        if self._world is not None:
            self._world.close()

    def _complaints(self, run: Run) -> Iterator[str]:
        if run.crash and "crash" not in self._mentioned:
            yield f"the bot crashed and no step mentions it: {run.crash}"
        for refusal in unexpected_refusals(run.facts):
            if refusal.code not in self._mentioned:
                yield f"the venue refused a request with {refusal.code} ({refusal.message}) and no step mentions it"
        for fault in server_faults(run.facts):
            if fault.code not in self._mentioned:
                yield (
                    f"the venue failed with HTTP {fault.http_status} ({fault.code} {fault.message}) and left unknown "
                    "what it did, and no step mentions it"
                )
        for client_id in foreign_names(run.facts, run.plan.client_id_prefix):
            yield f"the bot placed an order as {client_id!r}; its client ids begin with {run.plan.client_id_prefix}"
        for verdict in run.verdicts:
            if verdict.outcome is Outcome.BROKEN and verdict.id not in self._mentioned:
                yield f"{verdict.id} is BROKEN and no step mentions it: {verdict.reason}"
        yield from run.disagreements


class _Arrival:
    """Watches the tape of a run until the bot has come to rest; no fact is looked at twice."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._levels = len(run.plan.profile.buy_spreads) + len(run.plan.profile.sell_spreads)
        self._looked_at = 0
        self._live: set[str] = set()
        self._state = "running"

    def is_up(self) -> bool:
        """Whether all quotes are at the venue, or the bot is in a state in which it does not quote."""
        facts, prefix = self._run.facts, self._run.plan.client_id_prefix
        for fact in facts[self._looked_at :]:
            if isinstance(fact, OrderSeen) and fact.client_id.startswith(prefix):
                self._live.add(fact.order_id)
            elif isinstance(fact, BotStateChanged):
                self._state = fact.state
        self._looked_at = len(facts)
        return len(self._live) >= self._levels or self._state != "running"
