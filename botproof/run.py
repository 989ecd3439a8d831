"""One run, from the first reading of the venue to the sealed folder.

    RunStarted, preflight      the observer reads contract, settings, money, position and the open lists (twice)
    WindowOpened               on a UTC minute boundary; both ends are fixed then
    ... the bot trades, the observer watches ...
    WindowClosed               at the end fixed in advance
    StopStep asked, stopped    the bot winds down by itself, or is killed after the terms' limit
    closing reads              lists twice, histories to the last page, position, settings, money
    RunEnded, Covered          every source states how much it said; nothing follows

A micro-cap bot starts at the opening of its window, so that all of its trading lies inside. A no-trade bot starts
before: clean-up belongs to the start, and the window opens on the first minute boundary after the lists were read
empty twice, or 30 s after the bot's start all the same.

A bot that raises, in `run` or in `stop`, has crashed: that is written down, and the run goes on to its closing reads.
A window that did not last to its end, a bot that did not live to be stopped or cannot be killed, an observer that
failed or a venue that cannot be read leave the run incomplete: nothing of it is HELD.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from botproof.clock import Clock
from botproof.closure import RunRecord
from botproof.errors import HarnessError, Incomplete, NotShown
from botproof.events import (
    BotFill,
    BotRestarted,
    BotSample,
    BotStateChanged,
    Fact,
    OperatorAction,
    OrderSeen,
    RunEnded,
    RunStarted,
    Source,
    StopStep,
    WindowClosed,
    WindowOpened,
)
from botproof.evidence.files import RunFolder
from botproof.evidence.rows import FILLS, MINUTE, ORDERS, checked_row, row_text, values_text
from botproof.evidence.tape import Tape
from botproof.invariants.judge import judge
from botproof.invariants.verdict import Verdict
from botproof.money import plain
from botproof.ports import Bot, BotContext, BotFactory, Operated, Sink, Venue
from botproof.profile import Profile
from botproof.record import record_json, verdict_json
from botproof.terms import Terms
from botproof.watch import LISTS_APART_S, Observer

MINUTE_US = 60_000_000
START_LIMIT_US = 30_000_000  # how long a no-trade bot may take to clear its lists before the window opens all the same
READY_LIMIT_S = 30  # how long the observer's private stream may take to open
LOOK_US = 2_000_000  # how long before the opening the account is read once more: what the window is measured against
KILL_LIMIT_S = 5  # how long a cancelled bot may take to die
INCIDENTS_NOT_BUILT = '{"kind":"NotBuilt","text":"incidents are not classified yet: this log proves nothing"}\n'


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is run, fixed before anything is sent."""

    run_id: str
    scenario: str
    profile: Profile
    terms: Terms
    factory: BotFactory
    venue: str
    clock: str
    seed: int
    symbol: str
    client_id_prefix: str
    window_s: int
    declared_position: Decimal = Decimal(0)
    market: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clients:
    """The two keys of a run: the bot's, through the tap, and the observer's own."""

    bot: Venue
    observer: Venue


class Run:
    """Conducts one run. The coroutines are driven by a `World`; the verdicts stand once `close` has returned."""

    def __init__(
        self,
        plan: Plan,
        clock: Clock,
        folder: RunFolder,
        connect: Callable[[Sink], Clients],
        *,
        secrets: Sequence[str] = (),
    ) -> None:
        self.plan, self._clock, self._folder = plan, clock, folder
        self.tape = Tape(folder.tape_file, secrets=secrets)
        self.verdicts: tuple[Verdict, ...] = ()
        self.window: tuple[int, int] | None = None
        self.sealed: Path | None = None
        self.complete = False
        self.crash = ""
        self.disagreements: tuple[str, ...] = ()  # between the tape and the fake's own journal, where there is one
        self._clients = connect(self.tape)
        self._observer = Observer(self._clients.observer, self.tape, clock, plan.symbol)
        self._starts = 0
        self._bot = self._make_bot()
        self._bot_task: asyncio.Task[None] | None = None
        self._watch_task: asyncio.Task[None] | None = None
        self._started_us = clock.now_us()
        self._is_closed = self._is_dead = self._is_undead = False

    @property
    def facts(self) -> list[Fact]:
        """What is on the tape so far."""
        return self.tape.facts

    @property
    def state(self) -> tuple[str, tuple[str, ...]]:
        """What the bot said last of its state, and why; empty before it said anything."""
        return self._evidence.last_state

    async def open(self) -> None:
        """Preflight, then the opening of the window, then (micro-cap) the bot."""
        self._write_start()
        await self._observer.preflight()
        self._watch_task = asyncio.create_task(self._observer.watch(), name="observer")
        await self._observer.ready(self._watch_task, READY_LIMIT_S)
        if self.plan.profile.no_trade:
            self._start_bot()
            await self._until_lists_are_empty()
        start_us = self._next_minute_us(LOOK_US)
        await self._until_us(start_us - LOOK_US)
        await self._observer.look("preflight")
        await self._until_us(start_us)
        self.window = (start_us, start_us + self.plan.window_s * 1_000_000)
        self.tape.write(
            WindowOpened(
                src=Source.RUN, t_local_us=self._clock.now_us(), start_us=self.window[0], end_us=self.window[1]
            )
        )
        if not self.plan.profile.no_trade:
            self._start_bot()

    async def restart(self) -> None:
        """Kill the bot where it stands, without winding down, and start it anew: a process that died and came back.

        The client ids of the new start begin with the run's prefix and are longer by one part.
        """
        task = self._bot_task
        if task is None or task.done():
            raise HarnessError("this step restarts a running bot, and none is running")
        task.cancel()
        await asyncio.wait({task}, timeout=KILL_LIMIT_S)
        if not task.done():
            raise HarnessError(f"the bot did not die within {KILL_LIMIT_S} s of being cancelled")
        self._bot = self._make_bot()
        self.tape.write(
            BotRestarted(
                src=Source.RUN,
                t_local_us=self._clock.now_us(),
                start=self._starts,
                client_id_prefix=self._client_id_prefix(),
            )
        )
        self._start_bot()

    def operate(self, action: str) -> None:
        """The operator's switch: `stop` (cancel, flatten, stay stopped) or `resume` (lift a hard stop)."""
        bot = self._bot
        if not isinstance(bot, Operated):
            raise NotShown(f"the bot {bot.name} has no switch for an operator: it offers no operate(action)")
        fact = OperatorAction(src=Source.OPERATOR, t_local_us=self._clock.now_us(), action=action, detail="")
        self.tape.write(fact)
        try:
            bot.operate(action)
        except Exception as error:  # noqa: BLE001  as in `run`
            self._note_crash(error)

    async def close(self) -> None:
        """Close the window, stop the bot, read the venue's books, cover and judge; a second call does nothing."""
        if self._is_closed:
            return
        self._is_closed = True
        self.heed_evidence(_go_on)
        reason = self._close_window()
        await self._stop_bot()
        await self._clients.bot.close()  # cut off before the books are read: nothing may follow what they say
        lived = not self._is_dead and not self._is_undead
        written = self._folder.failure is None
        self.complete = await self._close_books() and reason == "ended" and lived and written
        await self._clients.observer.close()
        self._end(reason)

    def heed_evidence(self, fail: Callable[[Incomplete], None]) -> None:
        """Have `fail` called when the disk refuses the evidence: without it nothing goes on but the closing."""
        self._folder.on_failure = fail

    def abandon(self) -> None:
        """Let go of the files of a run that was never sealed; their folder's name says INCOMPLETE."""
        if self.sealed is None:
            self._folder.close()

    def _client_id_prefix(self) -> str:
        prefix = self.plan.client_id_prefix
        return prefix if self._starts == 1 else f"{prefix}r{self._starts}-"

    def _make_bot(self) -> Bot:
        self._starts += 1
        was_stopped = self._starts > 1 and self.state[0] == "hard_stop"
        self._evidence = _BotEvidence(self._folder, self.tape, self._clock)
        rows = (fact.row for fact in self.tape.facts if isinstance(fact, BotFill))
        context = BotContext(
            profile=self.plan.profile,
            venue=self._clients.bot,
            clock=self._clock,
            evidence=self._evidence,
            symbol=self.plan.symbol,
            client_id_prefix=self._client_id_prefix(),
            run_id=self.plan.run_id,
            run_prefix=self.plan.client_id_prefix,
            recorded_trades=frozenset(row.get("exchange_trade_id", "") for row in rows) - {""},
            was_stopped=was_stopped,
        )
        try:
            bot = self.plan.factory(context)
        except Exception as error:
            raise HarnessError(f"the bot's factory failed: {type(error).__name__}: {error}") from error
        named = all(isinstance(getattr(bot, name, None), str) for name in ("name", "version"))
        if not named or not callable(getattr(bot, "run", None)) or not callable(getattr(bot, "stop", None)):
            raise HarnessError(f"expected a bot with name and version as text, run and stop, found {bot!r}")
        return bot

    def _write_start(self) -> None:
        plan = self.plan
        self._started_us = self._clock.now_us()
        self.tape.write(
            RunStarted(
                src=Source.RUN,
                t_local_us=self._started_us,
                run_id=plan.run_id,
                scenario=plan.scenario,
                profile_id=plan.profile.id,
                profile_sha256=plan.profile.sha256,
                terms_sha256=plan.terms.sha256,
                bot=self._bot.name,
                bot_version=self._bot.version,
                venue=plan.venue,
                clock=plan.clock,
                seed=plan.seed,
                symbol=plan.symbol,
                client_id_prefix=plan.client_id_prefix,
                window_s=plan.window_s,
                declared_position=plan.declared_position,
                market=plan.market,
            )
        )

    def _start_bot(self) -> None:
        self._bot_task = asyncio.create_task(self._drive_bot(), name="bot")

    async def _drive_bot(self) -> None:
        try:
            await self._bot.run()
        except (Exception, SystemExit) as error:  # noqa: BLE001  a bot may fail in any way; its crash is evidence
            self._note_crash(error)

    def _note_crash(self, error: BaseException) -> None:
        self.crash = self.crash or f"{type(error).__name__}: {error}"
        self._step("crashed", "failed", f"{type(error).__name__}: {error}")

    async def _until_lists_are_empty(self) -> None:
        """Two readings in a row, `LISTS_APART_S` apart and both after the bot's start, or the limit."""
        deadline_us, in_a_row = self._clock.now_us() + START_LIMIT_US, 0
        while in_a_row < 2 and self._clock.now_us() < deadline_us:  # noqa: PLR2004  read empty twice
            await asyncio.sleep(LISTS_APART_S)
            in_a_row = in_a_row + 1 if await self._observer.read_lists("preflight") else 0

    async def _until_us(self, at_us: int) -> None:
        while (left_us := at_us - self._clock.now_us()) > 0:
            await asyncio.sleep(left_us / 1_000_000)

    def _next_minute_us(self, ahead_us: int) -> int:
        """The first minute boundary that is more than `ahead_us` away."""
        return ((self._clock.now_us() + ahead_us) // MINUTE_US + 1) * MINUTE_US

    def _close_window(self) -> str:
        """Close the window and say how: `ended` at its end, `stopped` before it or where it never opened."""
        if self.window is None:
            return "stopped"
        (start_us, end_us), now_us = self.window, self._clock.now_us()
        reason = "ended" if now_us >= end_us else "stopped"
        self.tape.write(
            WindowClosed(src=Source.RUN, t_local_us=now_us, start_us=start_us, end_us=end_us, reason=reason)
        )
        return reason

    async def _stop_bot(self) -> None:
        self._step("asked", "sent")
        task = self._bot_task
        if task is None:
            return
        if task.done():  # a dead bot is spotless: what it did not live to do is not shown
            self._is_dead = True
            self._step("stopped", "crashed" if self.crash else "before it was asked", self.crash)
            self.crash = self.crash or "it left before it was asked to stop"
            return
        try:
            self._bot.stop()
        except Exception as error:  # noqa: BLE001  as in `run`
            self._note_crash(error)
        done, _ = await asyncio.wait({task}, timeout=float(self.plan.terms.closing_s_max))
        if done:
            self._step("stopped", "crashed" if self.crash else "in time", self.crash)
        else:
            await self._kill_bot(task)

    async def _kill_bot(self, task: asyncio.Task[None]) -> None:
        task.cancel()
        done, _ = await asyncio.wait({task}, timeout=KILL_LIMIT_S)
        self._is_undead = not done
        late = f"still running {self.plan.terms.closing_s_max} s after it was asked to stop"
        self._step("killed", "done" if done else "it did not die", late)

    async def _close_books(self) -> bool:
        """Whether the venue's record of the run is whole."""
        try:
            await self._observer.close_books()
        except HarnessError as error:
            self._step("closing reads", "failed", str(error))
            return False
        finally:
            failure = await self._stop_watching()
        if failure:
            self._step("closing reads", "failed", failure)
        return not failure and self.window is not None

    async def _stop_watching(self) -> str:
        """Stop the observer; what had ended it before, if anything had."""
        task, self._watch_task = self._watch_task, None
        if task is None:
            return "nobody watched"
        failed = task.done()
        task.cancel()
        await asyncio.wait({task})
        return f"the observer failed during the run: {task.exception()!r}" if failed else ""

    def _end(self, reason: str) -> None:
        now_us = self._clock.now_us()
        self.tape.write(RunEnded(src=Source.RUN, t_local_us=now_us, reason=reason, complete=self.complete))
        if self.complete:
            for source in Source:
                self.tape.cover(source, self._started_us, now_us, now_us)
        self.verdicts = judge(self.facts, self.plan.profile, self.plan.terms)

    @property
    def record(self) -> RunRecord:
        """The run as the closure needs it; final once the run is closed."""
        plan = self.plan
        return RunRecord(
            run_id=plan.run_id,
            scenario=plan.scenario,
            bot=self._bot.name,
            bot_version=self._bot.version,
            venue=plan.venue,
            profile_id=plan.profile.id,
            profile_sha256=plan.profile.sha256,
            terms_sha256=plan.terms.sha256,
            mode=plan.profile.mode,
            complete=self.complete,
            agreement=not self.disagreements,
            window_s=plan.window_s,
            verdicts=self.verdicts,
        )

    def seal(self, circumstances: Mapping[str, Any]) -> Path:
        """Write what is derived from the tape, and put the folder under its own name."""
        for file in (self.plan.profile, self.plan.terms):
            self._folder.text(f"{file.id}.yml", file.source.decode())
        self._folder.text("orders.csv", _orders_csv(self.facts))
        self._folder.text("incidents.jsonl", INCIDENTS_NOT_BUILT)
        self._folder.json("verdicts.json", [verdict_json(verdict) for verdict in self.verdicts])
        run = {
            **record_json(self.record),
            "clock": self.plan.clock,
            "seed": self.plan.seed,
            "window_us": self.window,
            "disagreements": list(self.disagreements),
            "circumstances": dict(circumstances),
        }
        self._folder.json("run.json", run)
        self.sealed = self._folder.seal()
        return self.sealed

    def _step(self, step: str, outcome: str, detail: str = "") -> None:
        self.tape.write(
            StopStep(src=Source.RUN, t_local_us=self._clock.now_us(), step=step, outcome=outcome, detail=detail)
        )


def _go_on(_: Incomplete) -> None:
    """The run is closed whatever becomes of its evidence; it cannot be sealed."""


class _BotEvidence:
    """The bot's own words: onto the tape as a third witness, and into its files; a row that is none reaches neither."""

    def __init__(self, folder: RunFolder, sink: Sink, clock: Clock) -> None:
        self._folder, self._sink, self._clock = folder, sink, clock
        self.last_state: tuple[str, tuple[str, ...]] = ("", ())

    def minute(self, row: Mapping[str, str]) -> None:
        checked_row(MINUTE, row)
        self._sink.write(BotSample(src=Source.BOT, t_local_us=self._clock.now_us(), row=dict(row)))
        self._folder.minute(row)

    def fill(self, row: Mapping[str, str]) -> None:
        checked_row(FILLS, row)
        self._sink.write(BotFill(src=Source.BOT, t_local_us=self._clock.now_us(), row=dict(row)))
        self._folder.fill(row)

    def state(self, state: str, reasons: Sequence[str]) -> None:
        self.last_state = (state, tuple(reasons))
        self._sink.write(
            BotStateChanged(src=Source.BOT, t_local_us=self._clock.now_us(), state=state, reasons=tuple(reasons))
        )


def _orders_csv(facts: Sequence[Fact]) -> str:
    rows = [row_text(ORDERS, _order_row(fact)) for fact in facts if isinstance(fact, OrderSeen)]
    return values_text(ORDERS) + "".join(rows)


def _order_row(fact: OrderSeen) -> dict[str, str]:
    values = {column: getattr(fact, column) for column in ORDERS}
    return {
        column: "" if value is None else plain(value) if isinstance(value, Decimal) else str(value)
        for column, value in values.items()
    }
