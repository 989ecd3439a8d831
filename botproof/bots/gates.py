"""The gates in front of an entry, from values alone: edge, turnover, loss, and the budget of cancels.

Each is made so that the promise is *kept*, not noticed when it is broken: what an entry could bring about is weighed
before it is sent, together with everything that rests already.

1. Edge. What a quote earns against what it costs, with hold and hysteresis. A closed gate forbids new quotes; a quote
   that rests was sent with an edge and lives until its refresh. A gate that withdrew it would withdraw every quote just
   before its fill, since the price cannot come to it without the drift that closes the gate.
2. Turnover. Traded today, of whatever client id, plus open entries plus this one: at most cap x min(equity, envelope).
   Exits pass, always.
3. Loss. The day's loss plus what is lost where every resting entry and this one fill and are stopped out. An entry
   that fits no more is not sent (a pause: nothing was lost, and midnight lifts it); a loss that has come all the same,
   by a gap or by somebody else's trade, is a hard stop.
4. Cancels. At most so many sent in any trailing minute. A round begins only while what rests after it could be
   withdrawn whole, and one exit with it. Where a cancel finds no room all the same it waits for the window to slide,
   exits first: the number is a promise to the operator, and the venue's own limit stands behind it.
"""

from collections import deque
from collections.abc import Iterable
from decimal import Decimal

from botproof.money import ZERO
from botproof.profile import Profile

SECOND_US = 1_000_000
BPS = Decimal("0.0001")
TURNOVER_HARD_X = Decimal(6)  # limits of the controller, which no profile sets
DAILY_LOSS_MAX = Decimal("0.03")
DRAWDOWN_MAX = Decimal("0.05")
CANCEL_PAUSE_US = 120 * SECOND_US
CANCEL_WINDOW_US = 61 * SECOND_US  # a second more than promised: a request is stamped a moment after it is decided
EXIT_CANCELS = 1  # kept in reserve for the exit of what an entry may open
EDGE_HOLD_S_MIN = 5


class EdgeGate:
    """Open or closed, and for how long; the first reading decides at once, each later change waits for the hold.

    Closes below `min_net_edge_bps`, opens above `edge_resume_bps`. Exactly at it a closed gate opens only in a market
    without drift: more edge than that will never come, and where nothing moves nothing flickers.
    """

    def __init__(self, profile: Profile) -> None:
        self._closes_below = profile.min_net_edge_bps * BPS
        self._opens_above = profile.edge_resume_bps * BPS
        self._hold_us = max(EDGE_HOLD_S_MIN, profile.edge_state_hold_s) * SECOND_US
        self._since_us: int | None = None
        self.is_open = True

    def see(self, net_edge: Decimal, *, drift: Decimal, now_us: int) -> None:
        """Take a fresh net edge (fraction) in, and the drift (fraction) that it was computed with."""
        if self._since_us is None:
            self.is_open, self._since_us = net_edge >= self._closes_below, now_us
        elif now_us - self._since_us >= self._hold_us and self._turns(net_edge, drift):
            self.is_open, self._since_us = not self.is_open, now_us

    def _turns(self, net_edge: Decimal, drift: Decimal) -> bool:
        if self.is_open:
            return net_edge < self._closes_below
        return net_edge > self._opens_above or (net_edge == self._opens_above and not drift)


class CancelBudget:
    """The cancels that were sent, and how many more may be."""

    def __init__(self, per_min: int) -> None:
        self.per_min = per_min
        self._sent_us: deque[int] = deque()

    def sent(self, at_us: int) -> None:
        """A cancel goes out, whatever will become of it."""
        self._sent_us.append(at_us)

    def restore(self, sent_us: Iterable[int]) -> None:
        """Cancels of an earlier start count as well."""
        self._sent_us = deque(sorted((*self._sent_us, *sent_us)))

    def room(self, now_us: int) -> int:
        """How many cancels may be sent now."""
        while self._sent_us and self._sent_us[0] < now_us - CANCEL_WINDOW_US:
            self._sent_us.popleft()
        return self.per_min - len(self._sent_us)

    def frees_us(self, now_us: int) -> int | None:
        """When there will be more room than now; None where nothing is spent."""
        self.room(now_us)
        return self._sent_us[0] + CANCEL_WINDOW_US + 1 if self._sent_us else None


def turnover_room(profile: Profile, *, base_usdt: Decimal, traded_usdt: Decimal, pending_usdt: Decimal) -> Decimal:
    """How much an entry may be worth: `base_usdt` is min(equity, envelope), `pending_usdt` the open entries' value."""
    return min(profile.turnover_cap_x, TURNOVER_HARD_X) * base_usdt - traded_usdt - pending_usdt


def stopped_out(profile: Profile, value_usdt: Decimal, taker_fee: Decimal) -> Decimal:
    """What entries worth `value_usdt` lose at worst: stop loss, slippage, and the taker fee both ways."""
    return value_usdt * (profile.stop_loss + profile.slippage_est_pct + 2 * max(ZERO, taker_fee))


def breached(
    *,
    loss_usdt: Decimal,
    fall_usdt: Decimal,
    loss_base_usdt: Decimal,
    traded_usdt: Decimal,
    turnover_base_usdt: Decimal,
) -> tuple[str, ...]:
    """The hard limits that are exceeded: the day's loss, its fall from the peak, its turnover. Equal is within."""
    found = {
        "daily_loss": loss_usdt > DAILY_LOSS_MAX * loss_base_usdt,
        "drawdown": fall_usdt > DRAWDOWN_MAX * loss_base_usdt,
        "turnover_hard": traded_usdt > TURNOVER_HARD_X * turnover_base_usdt,
    }
    return tuple(reason for reason, holds in found.items() if holds)
