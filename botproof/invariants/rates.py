"""E9: cancels stay within the budget and requests within the venue's limits.

Formula: cancels sent in any 60 s, both ends included <= cancel_budget_per_min;
    requests to one endpoint in any 1 s <= the venue's limit for it; signed requests in any 60 s <= 6000
Exercise: cancels sent.
Broken by: one cancel or one request more than a limit; equal is within.
Not shown: without a cancel, where the venue says that there were too many requests and the tape shows fewer, or where
    something was sent that cannot be counted (3, 5, 6).

1. Requests are counted when sent, whatever the venue made of them: a refused cancel was sent. A line that repeats a
   request says nothing new. A restart of the bot begins no new count.
2. The 60 s of the budget include both ends. The venue's windows include one: ten requests exactly 100 ms apart, for
   ever, are ten a second.
3. The limits are the venue's own, each endpoint counted alone (documented): 10 a second to place and to cancel, 5 a
   second to change a setting, of the others as listed below. An endpoint that is not listed is taken for one of the
   tightest class, 1 a second: more than that and nobody can say whether it was within, so nothing is HELD.
4. Only signed requests are on the tape. Public ones are counted by the venue per address and are not judged here; but
   where the venue answers a signed request with 429 (too many requests), and the tape shows none too many, nothing
   is HELD.
5. A request of an unnamed kind that changes something is counted; where its path says that it cancels, as one cancel at
   least. How many orders it touched is not known, so nothing is HELD beside it; nor where an answer has no request,
   or where the venue showed an order of the run that nobody saw being sent: what goes around the tap is not counted.
6. An order of the bot that was canceled, and that no request on the tape asked to cancel, was canceled around the tap.
   Not so what the venue itself ends: the rest of an order that may not rest, a post-only order within a tenth of a
   second of its beginning, and an exit while more is to be closed than the position holds.
7. Peak: the most cancels in 60 s.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from operator import attrgetter

from botproof.events import Action, Fact, OrderSeen, OrderState, RequestAnswered, RequestSent, RequestUnknown, Source
from botproof.invariants.cancels import Cancels
from botproof.invariants.ledger import Books, Ledger, Life, Move
from botproof.invariants.sent import Once
from botproof.invariants.tally import Tally
from botproof.invariants.verdict import Verdict
from botproof.invariants.wording import MINUTE_US, SECOND_US, clock_time, instant_us
from botproof.profile import Profile
from botproof.terms import Terms

TOO_MANY = "429"
ALL_PER_MINUTE_MAX = 6000  # documented, per address; only its signed part is on the tape
UNLISTED_PER_S_MAX = 1
AT_ONCE_US = 100_000  # a post-only order that would cross is shown and ended in one go
NEVER_RESTS = frozenset({"ioc", "fok"})

_OF_ACTIONS: Mapping[Action, int] = {
    Action.PLACE: 10,
    Action.CANCEL: 10,
    Action.SET_LEVERAGE: 5,
    Action.SET_POSITION_MODE: 5,
    Action.SET_MARGIN_MODE: 5,
}

_OF_PATHS: Mapping[int, tuple[str, ...]] = {
    20: (
        "account/liq-price",
        "account/max-open",
        "market/candles",
        "market/contracts",
        "market/current-fund-rate",
        "market/fills",
        "market/funding-time",
        "market/history-candles",
        "market/history-fund-rate",
        "market/merge-depth",
        "market/open-interest",
        "market/symbol-price",
        "market/ticker",
        "market/tickers",
        "position/history-position",
    ),
    10: (
        "account/account",
        "account/accounts",
        "account/bill",
        "account/isolated-symbols",
        "account/open-count",
        "market/fills-history",
        "market/query-position-lever",
        "order/batch-cancel-orders",
        "order/cancel-all-orders",
        "order/cancel-plan-order",
        "order/click-backhand",
        "order/detail",
        "order/fill-history",
        "order/fills",
        "order/modify-order",
        "order/modify-plan-order",
        "order/modify-tpsl-order",
        "order/orders-history",
        "order/orders-pending",
        "order/orders-plan-history",
        "order/orders-plan-pending",
        "order/place-plan-order",
        "order/place-pos-tpsl",
        "order/place-tpsl-order",
        "order/plan-sub-order",
        "position/single-position",
    ),
    5: (
        "account/set-all-leverage",
        "account/set-auto-margin",
        "account/set-margin",
        "order/batch-place-order",
        "position/adlRank",
        "position/all-position",
    ),
    2: ("account/set-asset-mode",),
    1: ("order/close-positions",),
}
"""How many a second, by path below /api/v2/mix/ (documented)."""

PER_SECOND_MAX: Mapping[str, int] = {
    "/api/v2/public/time": 20,
    "/api/v2/common/trade-rate": 10,
    "/api/v2/common/all-trade-rate": 10,
    "/api/v2/spot/account/info": 1,
    "/api/v2/spot/account/assets": 10,
    **{f"/api/v2/mix/{path}": limit for limit, paths in _OF_PATHS.items() for path in paths},
}
"""The venue's limit of each endpoint that is known by its path alone."""


class Rates:
    """E9."""

    id = "E9"
    needs = frozenset({Source.RUN, Source.VENUE, Source.TAP})
    hears = Ledger.hears | {RequestUnknown}

    def __init__(self, profile: Profile, terms: Terms) -> None:
        self._budget = profile.cancel_budget_per_min
        self._needed = terms.exercise.get(self.id, 1)
        self.ledger = Ledger(profile.symbol)
        self._cancels = Cancels()
        self._once = Once()
        self._sent: list[RequestSent] = []
        self._answers: list[RequestAnswered | RequestUnknown] = []

    def see(self, fact: Fact) -> None:
        self.ledger.see(fact)
        self._cancels.see(fact)
        match fact:
            case RequestSent() if self._once.is_new(fact):
                self._sent.append(fact)
            case RequestAnswered() | RequestUnknown():
                self._answers.append(fact)

    def verdict(self) -> Verdict:
        limit = Decimal(self._budget)
        tally = Tally(self.id, self._needed, "cancels sent", limit=limit, unit="cancels in 60 s")
        self._sent.sort(key=attrgetter("t_local_us"))
        self._judge_cancels(tally)
        self._judge_limits(tally)
        tally.doubt(self._around_the_tap())
        return tally.verdict()

    def _judge_cancels(self, tally: Tally) -> None:
        cancels = [sent for sent in self._sent if _cancels(sent)]
        for sent, count in _counted(cancels, MINUTE_US + 1):
            tally.exercised(sent.seq)
            tally.rise(Decimal(count))
            if count > self._budget:
                when = clock_time(sent.t_local_us)
                tally.broken(sent.seq, f"{count} cancels in the 60 s up to {when}, the budget is {self._budget}")

    def _judge_limits(self, tally: Tally) -> None:
        endpoints: dict[str, list[RequestSent]] = defaultdict(list)
        for sent in self._sent:
            endpoints[_endpoint(sent)].append(sent)
        for endpoint, requests in endpoints.items():
            limit = _limit(requests[0])
            for sent, count in _counted(requests, SECOND_US):
                if limit is not None and count > limit:
                    when = clock_time(sent.t_local_us)
                    tally.broken(sent.seq, f"{count} requests {endpoint} in the second up to {when}, {limit} may be")
                elif limit is None and count > UNLISTED_PER_S_MAX:
                    tally.doubt(f"{count} requests {endpoint} in a second (seq {sent.seq}): its limit is not known")
        for sent, count in _counted(self._sent, MINUTE_US):
            if count > ALL_PER_MINUTE_MAX:
                when = clock_time(sent.t_local_us)
                text = f"{count} requests in the 60 s up to {when}, {ALL_PER_MINUTE_MAX} may be"
                tally.broken(sent.seq, text)

    def _around_the_tap(self) -> str:
        """Why the count may not be whole; empty where it is."""
        known = {(sent.src, sent.request) for sent in self._sent}
        for answer in self._answers:
            if (answer.src, answer.request) not in known:
                return f"the request whose fate is told at seq {answer.seq} is not on the tape"
            if isinstance(answer, RequestAnswered) and TOO_MANY in (answer.code, str(answer.http_status)):
                when = clock_time(answer.t_local_us)
                return f"the venue answered with 429, too many requests, at {when}, and the tape shows none too many"
        for sent in self._sent:
            if sent.action is Action.OTHER and sent.changes_something:
                return f"what {sent.method} {sent.path} did (seq {sent.seq}) is not judged"
        return self.ledger.stray() or self._unasked()

    def _unasked(self) -> str:
        """An order of the bot that somebody canceled around the tap; empty where there is none."""
        asked = self._cancels.asked(self.ledger.lives)
        books = Books(self.ledger.start)
        for step in self.ledger.replay():
            life, ended = step.life, step.life.ended
            if step.move is Move.END and ended is not None and ended.state is OrderState.CANCELED:
                is_own = life.belongs_to(self.ledger.prefix)
                if is_own and life not in asked and not _ended_by_venue(life, ended, books):
                    when = clock_time(step.at_us)
                    return f"the order {life.name} was canceled at {when}, and nobody saw who asked for it"
            books.apply(step)
        return ""


def _cancels(sent: RequestSent) -> bool:
    """Whether it asks to cancel one order at least."""
    return sent.action is Action.CANCEL or (
        sent.action is Action.OTHER and sent.changes_something and "cancel" in sent.path.rpartition("/")[2]
    )


def _ended_by_venue(life: Life, ended: OrderSeen, books: Books) -> bool:
    """Whether the venue itself ends such an order in such a state of the books."""
    first = life.shown or ended
    if life.is_market or first.force in NEVER_RESTS:
        return True
    if life.reduce_only:
        resting = sum(rest for _, rest in books.rest(life.side, exits=True))
        if resting > -life.side.sign * books.position:
            return True
    rested = first.state.is_open and instant_us(ended) - instant_us(first) > AT_ONCE_US
    return first.force == "post_only" and not rested


def _endpoint(sent: RequestSent) -> str:
    """What the venue counts alone."""
    return f"to {sent.action}" if sent.action in _OF_ACTIONS else f"{sent.method} {sent.path}"


def _limit(sent: RequestSent) -> int | None:
    """How many a second the venue allows; None where it is not known."""
    return _OF_ACTIONS.get(sent.action) or PER_SECOND_MAX.get(sent.path)


def _counted(requests: Iterable[RequestSent], span_us: int) -> Iterator[tuple[RequestSent, int]]:
    """Each request with the number of requests in the `span_us` up to it: itself included, the far end not."""
    recent: deque[int] = deque()
    for sent in requests:
        recent.append(sent.t_local_us)
        while recent[0] <= sent.t_local_us - span_us:
            recent.popleft()
        yield sent, len(recent)
