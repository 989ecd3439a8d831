"""What a scenario sets up, runs and looks at: the one object behind the steps.

A stage has one venue, one account and any number of runs, one after another. Setting up is lazy: the venue opens at
the first step that needs it, with what was said until then. At the end of the scenario `settle` closes what is still
open and reports what nobody mentioned: nothing goes unnoticed.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Protocol, TypeVar

from botproof.circumstances import circumstances
from botproof.clock import Clock
from botproof.closure import Closure, close
from botproof.errors import Broken, HarnessError, NotShown
from botproof.events import BotStateChanged, Fact, OpenOrdersRead, OrderSeen, PositionSeen, Side
from botproof.evidence.files import RunFolder
from botproof.feasibility import Answer, Rules, judge_feasibility
from botproof.invariants.effects import effects, foreign_names, unexpected_refusals
from botproof.invariants.verdict import Outcome, Verdict
from botproof.money import floor_to, plain
from botproof.ports import BotFactory, Sink
from botproof.profile import Profile, find_profile
from botproof.run import MINUTE_US, Clients, Plan, Run
from botproof.settings import Settings
from botproof.world import World

Result = TypeVar("Result")

EPOCH_US = 1_771_722_000_000_000  # 2026-02-22T01:00:00Z, where virtual time begins
QUOTES_WITHIN_S = 30  # how long a bot may take until its first quotes rest


class StageVenue(Protocol):
    """The venue behind a stage, and what a scenario may do to it from behind; what it saw is read from the tape."""

    clock: Clock

    def connect(self, sink: Sink) -> Clients: ...
    def secrets(self) -> tuple[str, ...]: ...
    def rules(self) -> Rules: ...
    def mid(self) -> Decimal: ...
    def place_resting(self, client_id: str, side: Side, distance: Decimal) -> str: ...
    def move_price(self, change: Decimal, over_s: int, recover_s: int | None) -> None: ...
    def disagreements(self, run: Run) -> list[str]: ...
    async def start(self) -> None: ...
    async def stop(self) -> None: ...


OpenVenue = Callable[..., StageVenue]


class Stage:
    """The state of one scenario."""

    def __init__(
        self, settings: Settings, scenario: str, open_venue: OpenVenue, rogues: Mapping[str, BotFactory]
    ) -> None:
        self.settings, self.scenario = settings, scenario
        self._open_venue = open_venue
        self._world: World | None = None
        self._venue: StageVenue | None = None
        self._mentioned: set[str] = set()
        self._rogues = rogues
        self._profile: Profile | None = None
        self.factory: BotFactory = settings.factory
        self.deposit = Decimal(20)
        self.price = Decimal(67500)
        self.volatility_percent = 100
        self.runs: list[Run] = []

    # setting up

    @property
    def world(self) -> World:
        """The owner of time; it begins at 2026-02-22T01:00:00Z."""
        if self._world is None:
            self._world = World(epoch_us=EPOCH_US)
        return self._world

    @property
    def venue(self) -> StageVenue:
        """The venue, opened on first use with the account and price said so far."""
        if self._venue is None:
            self._venue = self._open_venue(
                inside=self._inside,
                clock=self.world.clock,
                seed=self.seed,
                deposit=self.deposit,
                price=self.price,
                volatility_percent=self.volatility_percent,
            )
            self.world.run(self._venue.start())
        return self._venue

    def _inside(self, action: Callable[[], Result]) -> Result:
        """Do something on the loop, at this instant: what reaches behind the venue may set its timers."""

        async def act() -> Result:
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

    def use_role(self, role: str) -> None:
        """The profile that plays `role` (micro_cap, no_trade) by the terms, or by `--profile`."""
        self._profile = self.settings.profiles[role]

    def use_profile(self, name: str) -> None:
        """A profile fixed by name; `--profile` does not replace it."""
        self._profile = Profile.load(find_profile(name))

    def use_rogue(self, name: str) -> None:
        """A bot made to break or to leave out one thing, in place of the bot judged."""
        self.factory = self._rogues[name]

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
        self._refuse_infeasible()
        run = self._new_run()
        if run.plan.symbol != symbol:
            raise HarnessError(f"{run.plan.profile.id} trades {run.plan.symbol}, not {symbol}")
        self.world.run(run.open())
        self.world.run_until(lambda: self._is_up(run), QUOTES_WITHIN_S)
        return run

    def _refuse_infeasible(self) -> None:
        """A profile that cannot place its orders at this price shows nothing: INFEASIBLE is a result, and it blocks."""
        if self.known_profile.no_trade:
            return
        rules = self.rules()
        result = judge_feasibility(self.known_profile, rules, floor_to(rules.tick, self.venue.mid()))
        if result.verdict is not Answer.FEASIBLE:
            raise NotShown("\n".join(result.lines()))

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
            window_s=self.settings.window_s or self.settings.terms.window_default_min * 60,
        )
        folder = RunFolder(self.settings.reports, run_id, secrets=secrets)
        try:
            run = Run(plan, self.world.clock, folder, self.venue.connect, secrets=secrets)
        except HarnessError:
            folder.discard()
            raise
        self.runs.append(run)
        return run

    def _run_id(self) -> str:
        slug = re.sub(r"[^a-z0-9]+", "-", self.scenario.lower()).strip("-")
        digest = hashlib.sha256(self.scenario.encode()).hexdigest()[:6]
        return f"{slug[:80]}-{digest}-seed{self.settings.seed}-run{len(self.runs) + 1}"

    def _is_up(self, run: Run) -> bool:
        """Whether the bot has come to rest: both quotes at the venue, or a state in which it does not quote."""
        profile, prefix = run.plan.profile, run.plan.client_id_prefix
        live = {
            fact.order_id for fact in run.facts if isinstance(fact, OrderSeen) and fact.client_id.startswith(prefix)
        }
        states = [fact.state for fact in run.facts if isinstance(fact, BotStateChanged)]
        levels = len(profile.buy_spreads) + len(profile.sell_spreads)
        return len(live) >= levels or (bool(states) and states[-1] != "running")

    # looking

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

    def hold(self, invariant: str) -> None:
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

    def closure(self) -> Closure:
        """What the runs of this scenario may claim."""
        return close([run.record for run in self.runs], self.settings.terms)

    def require_rows(self, rows: Sequence[Mapping[str, str]]) -> None:
        """The bot's rows cover the window as the terms ask, a row a minute; raises `NotShown` where they do not."""
        run = self.finish()
        assert run.window is not None
        minutes = {row.get("ts", "")[:16] for row in rows}
        wanted = [_minute(at_us) for at_us in range(*run.window, MINUTE_US)]
        share = Decimal(sum(minute in minutes for minute in wanted)) / len(wanted)
        if share < run.plan.terms.coverage_min:
            least = plain(run.plan.terms.coverage_min)
            raise NotShown(
                f"minute.csv has rows for {share:.2f} of the window's minutes; at least {least} are asked for"
            )

    def mention(self, what: str) -> None:
        """A step spoke of `what` (a refusal's code, an invariant's id): it does not fail the scenario's end."""
        self._mentioned.add(what)

    # the end

    def settle(self) -> list[str]:
        """Close what is open and name what no step mentioned; empty where all is accounted for."""
        if self.runs and self.run.sealed is None:
            self._close()
        return [complaint for run in self.runs for complaint in self._complaints(run)]

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
        for client_id in foreign_names(run.facts, run.plan.client_id_prefix):
            yield f"the bot placed an order as {client_id!r}; its client ids begin with {run.plan.client_id_prefix}"
        for verdict in run.verdicts:
            if verdict.outcome is Outcome.BROKEN and verdict.id not in self._mentioned:
                yield f"{verdict.id} is BROKEN and no step mentions it: {verdict.reason}"
        yield from run.disagreements


def _minute(at_us: int) -> str:
    return datetime.fromtimestamp(at_us // 1_000_000, UTC).isoformat()[:16]
