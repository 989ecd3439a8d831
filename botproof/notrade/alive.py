"""R12: the bot was alive, and on this account. A dead bot is spotless.

The harness that launched it saw it live to the end; its key was used all through the window; its rows move with the
market; and on live an order of its own, accepted earlier in the closure, shows that this account is where it trades.
"""

from collections.abc import Sequence
from itertools import pairwise

from botproof.notrade.answer import Docket
from botproof.notrade.evidence import RunEvidence
from botproof.notrade.minute import FROZEN_S_MAX, Said
from botproof.notrade.record import Price, Request, Source, VenueRecord
from botproof.notrade.sensitivity import REAL
from botproof.notrade.window import EPOCH, MICROSECOND, SECOND_US, Window, duration, iso

CALLS_APART_S_MAX = 330
"""The bot of the rollout checks its position every 300 s, and the house's own asks more often."""
ACCEPTED = "00000"


class Alive:
    """The proofs of life of one run."""

    def __init__(
        self, *, run: RunEvidence | None, venue: VenueRecord | None, window: Window | None, said: Said, instance: str,
        docket: Docket,
    ) -> None:  # fmt: skip
        self._run, self._venue, self._window, self._said = run, venue, window, said
        self._instance, self._docket = instance, docket

    def judge(self) -> None:
        """All of them."""
        self._process()
        self._calls()
        self._rows_move()
        if self._venue is not None and self._venue.venue in REAL:
            self._on_this_account(self._venue)

    def _process(self) -> None:
        run, window = self._run, self._window
        if run is None:
            self._docket.invalid("R12", "no run record: nobody saw the bot live", "--run-record, the sealed run")
            return
        if run.death:
            self._docket.invalid(
                "R12", f"the bot did not live to its stop: {run.death}", "alive to the end of the window"
            )
        if not run.complete:
            self._docket.invalid("R12", "the run was cut short or could not be read whole", "a complete run")
        if window is None or run.bot_started_us is None or run.stopped_us is None:
            if not run.flaws:
                self._docket.invalid("R12", "the run record does not say when the bot ran", "its start and its stop")
            return
        self._docket.saw("R12", f"bot alive {iso(run.bot_started_us)} to {iso(run.stopped_us)}")
        if run.bot_started_us > window.start_us or run.stopped_us < window.end_us:
            seen = f"the bot ran from {iso(run.bot_started_us)} to {iso(run.stopped_us)}"
            self._docket.invalid("R12", seen, f"the whole window, {window}")

    def _calls(self) -> None:
        window, source = self._window, self._requests()
        if window is None or source is None:
            self._docket.invalid("R12", "no record of calls of the bot's key", "authenticated calls in the window")
            return
        calls = sorted(each.at_us for each in source.rows if each.code == ACCEPTED and window.holds(each.at_us))
        self._docket.saw("R12", f"{len(calls)} accepted calls of the bot's key in the window")
        hole_us = max(later - earlier for earlier, later in pairwise([window.start_us, *calls, window.end_us]))
        if hole_us > CALLS_APART_S_MAX * SECOND_US:
            seen = f"no accepted call of the bot's key for {duration(hole_us)}"
            self._docket.invalid("R12", seen, f"one every {CALLS_APART_S_MAX} s")

    def _requests(self) -> Source[Request] | None:
        if self._run is not None and self._run.requests is not None:
            return self._run.requests
        return self._venue.requests if self._venue else None

    def _rows_move(self) -> None:
        """A writer that is frozen writes the same mid, minute after minute, while the market moves."""
        still = self._said.longest_still
        if still is None or still.rows < 2:  # noqa: PLR2004  one row cannot stand still
            return
        seconds = int(still.length.total_seconds())
        if self._said.mids > 1 and seconds < FROZEN_S_MAX:
            return
        begins_us, ends_us = ((at - EPOCH) // MICROSECOND for at in (still.begins, still.ends))
        prices = self._prices(begins_us, ends_us)
        if prices and len({(price.bid, price.ask) for price in prices}) == 1:
            self._docket.note("R12", f"mid {still.mid} for {seconds} s, as at the venue")
            return
        seen = f"{still.rows} rows in a row say mid {still.mid}, for {seconds} s"
        moved = "the venue's price moved meanwhile" if prices else "no price of the venue says that it stood still"
        self._docket.invalid("R12", f"{seen}; {moved}", "rows that move with the market: the writer is frozen")

    def _prices(self, begins_us: int, ends_us: int) -> Sequence[Price]:
        source = self._venue.prices if self._venue else None
        return [price for price in source.rows if begins_us <= price.at_us <= ends_us] if source else []

    def _on_this_account(self, venue: VenueRecord) -> None:
        window, prefix = self._window, f"{self._instance}-"
        if not venue.account or not venue.key:
            self._docket.invalid("R12", "the venue record names no account or no key", "the account that was read")
        rows = venue.orders.rows if venue.orders else ()
        earlier = [
            order
            for order in rows
            if window is not None and order.created_us < window.start_us and order.client_id.startswith(prefix)
        ]
        if not self._instance or not earlier:
            seen = f"no accepted order {prefix}... of the bot before the window"
            self._docket.invalid("R12", seen, "an order of the bot on this account earlier in the closure")
        else:
            self._docket.saw("R12", f"{len(earlier)} earlier orders {prefix}... on this account")
