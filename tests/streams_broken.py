"""A full run for every promise that breaks it, and beside it no more than what that breach may bring along.

facts, profile = told("E4")
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache

from streams import BUY, MICRO_CAP, NO_TRADE, Moment, Placed, Stream, no_trade_run, without
from streams_full import FALLEN, LOWER_BUY, full_run
from streams_money import balance, earlier
from streams_rows import changed, of, swapped

from botproof.events import (
    Action,
    BalanceSeen,
    BotFill,
    BotSample,
    BotStateChanged,
    Fact,
    OperatorAction,
    OrderState,
    Side,
    Source,
)
from botproof.profile import Profile

LAST = 6
"""The last of the full run's rows of minute.csv: after both of its fills."""


def buys(price: str | None, size: str = "0.0001", times: int = 1) -> Moment:
    """Entries on a fresh book, taken by the venue, and withdrawn when all of them rest."""

    def passage(stream: Stream) -> None:
        stream.ticker()
        for order in [stream.place(Side.BUY, price, size) for _ in range(times)]:
            stream.cancel(order)

    return passage


def cancels_on(stream: Stream) -> None:
    """More cancels in a minute than the budget has, for an order that is gone."""
    for _ in range(21):
        sent = stream.wait("0.2").request(Action.CANCEL, order_id="o0")
        stream.wait("0.02").answer(sent.request, code="43001")


def rests_two_exits(stream: Stream) -> None:
    exits = [stream.place(Side.SELL, "67532.8", exits=True) for _ in range(2)]
    for order in exits:
        stream.cancel(order)


def waits_at_its_stop(stream: Stream) -> None:
    stream.ticker(FALLEN)
    stream.wait(2)


def answers_late(stream: Stream) -> None:
    order = stream.send(Side.BUY, BUY)
    stream.wait(31).answer(order.request, code="40762")


def pauses_without_a_word(stream: Stream) -> None:
    for state in ("soft_pause", "running"):
        stream.write(BotStateChanged(src=Source.BOT, t_local_us=stream.now_us, state=state, reasons=()))


def sampled(**cells: object) -> Callable[[], list[Fact]]:
    """The last minute row with other cells."""
    return lambda: changed(full_run(), BotSample, LAST, **cells)


def filled(**cells: object) -> Callable[[], list[Fact]]:
    """The first row of fills.csv with other cells."""
    return lambda: changed(full_run(), BotFill, 0, **cells)


def left_out() -> list[Fact]:
    facts = full_run()
    [first, _] = of(facts, BotFill)
    return without(facts, lambda fact: fact is first)


def paid_more() -> list[Fact]:
    facts = full_run()
    [*_, last] = of(facts, BalanceSeen)
    return swapped(facts, BalanceSeen, -1, equity_usdt=last.equity_usdt + 1)


def counts_anew() -> list[Fact]:
    """The counters fall, and one row of fills.csv without its time hides what they should be."""
    return changed(changed(full_run(), BotFill, 0, ts=""), BotSample, LAST, fills_count_today="1")


def sends_again_under_another_id(stream: Stream) -> None:
    """Beside two quotes that rest: an answer is lost, and the order is not looked up but doubled."""
    first = stream.send(Side.BUY, BUY)
    stream.wait(1).lose(first.request)
    second = stream.place(Side.BUY, BUY)
    stream.show(first, OrderState.LIVE)
    for order in (first, second):
        stream.cancel(order)


def doubles_its_exit(stream: Stream) -> None:
    first = stream.send(Side.SELL, "67532.8", exits=True)
    stream.wait(1).lose(first.request)
    second = stream.place(Side.SELL, "67532.8", exits=True)
    stream.show(first, OrderState.LIVE)
    for order in (first, second):
        stream.cancel(order)


def loses_on(stream: Stream) -> None:
    waits_at_its_stop(stream)
    balance(stream, "19.3")


def has_no_exit(stream: Stream) -> None:
    stream.ticker(FALLEN)
    stream.wait(6)


def leaves_a_position(stream: Stream) -> None:
    stream.fill(stream.place(Side.BUY, LOWER_BUY))


def resumes(stream: Stream) -> None:
    """The operator lifts the stop once it was watched for long enough."""
    stream.wait(61).write(
        OperatorAction(src=Source.OPERATOR, t_local_us=stream.now_us, action="resume", detail="the test is over")
    )
    balance(stream.wait(1), "20", via="poll", polled=True)


def resumes_and_buys(stream: Stream) -> None:
    resumes(stream)
    leaves_a_position(stream)


def filled_when_nobody_writes() -> list[Fact]:
    """A quote is left resting, and fills when the bot is gone."""
    left: list[Placed] = []

    def quotes(stream: Stream) -> None:
        resumes(stream)
        left.append(stream.place(Side.BUY, LOWER_BUY))

    return full_run(halted=quotes, stopped=lambda stream: stream.fill(left[0], row=False))


def trades_all_the_same(stream: Stream) -> None:
    """What a no-trade bot can do wrong at once: too large, off the tick, too near, and filled without an exit."""
    balance(stream, "20")
    earlier(stream)
    stream.ticker()
    buys("67463.75", "0.0015")(stream)
    leaves_a_position(stream)


BREACHES: Mapping[str, Callable[[], list[Fact]]] = {
    "E1": lambda: full_run(quoted=buys(BUY)),
    "E2": lambda: full_run(flat=buys(BUY, "0.0003")),
    "E3": lambda: full_run(flat=buys(BUY, "0.0015")),
    "E4": lambda: full_run(flat=buys("67263.75")),
    "E5": lambda: full_run(flat=buys(BUY, "0.0002")),
    "E6": lambda: full_run(flat=buys("67300")),
    "E7": lambda: full_run(traded="20"),
    "E8": lambda: full_run(reads_back=False),
    "E9": lambda: full_run(flat=cancels_on),
    "E10": lambda: full_run(held=rests_two_exits),
    "E11": lambda: full_run(held=waits_at_its_stop),
    "E12": lambda: full_run(flat=answers_late),
    "E13": lambda: full_run(halted=buys(LOWER_BUY)),
    "E14": lambda: full_run(stopped=lambda stream: stream.lists("closing", plain=("o9",))),
    "E15": lambda: full_run(flat=pauses_without_a_word),
    "E18": lambda: full_run(halted=lambda stream: balance(stream, "19.3")),
    "N1": lambda: no_trade_run(minutes=2, inside=buys(BUY)),
    "C1": filled(notional_quote="6.8"),
    "C2": sampled(fills_count_today="3"),
    "C3": sampled(fees_paid_today_quote="1"),
    "C4": sampled(turnover_today_x="1"),
    "C5": sampled(market_spread_bps="0.02"),
    "C6": sampled(daily_loss_pct="0.003"),
    "C7": counts_anew,
    "C8": left_out,
    "C9": filled(order_id="bot1-r0-1"),
    "C10": filled(side="sell"),
    "C11": paid_more,
    "C12": lambda: full_run(known=Decimal("0.0004")),
    "C13": sampled(cancel_per_min="7"),
    "C14": sampled(best_bid_size="0"),
    "C15": sampled(run_id="r0"),
    "C16": sampled(mid=None),
}
"""By promise: the run that breaks it. E16 and E17 are never BROKEN."""

BROUGHT: Mapping[str, tuple[Callable[[], list[Fact]], ...]] = {
    "E2": (lambda: full_run(flat=buys(BUY, "0.0005")),),
    "E5": (
        lambda: full_run(quoted=buys(BUY, "0.0002", times=2)),
        lambda: full_run(flat=buys(BUY, "0.0003")),
        lambda: full_run(flat=buys(None)),
        lambda: full_run(begun=lambda stream: stream.contract(min_value_usdt="10")),
    ),
    "E10": (lambda: full_run(held=has_no_exit),),
    "E11": (lambda: full_run(held=loses_on),),
    "E12": (lambda: full_run(quoted=sends_again_under_another_id), lambda: full_run(held=doubles_its_exit)),
    "E14": (lambda: full_run(halted=resumes_and_buys), filled_when_nobody_writes),
    "N1": (lambda: no_trade_run(minutes=2, inside=trades_all_the_same),),
    "C1": (filled(notional_quote="60"),),
    "C2": (sampled(fills_count_today="1"),),
    "C3": (sampled(fees_paid_today_quote="0"),),
    "C4": (sampled(turnover_today_x="0"),),
    "C7": (sampled(fills_count_today="1", fees_paid_today_quote="0", turnover_today_x="0"),),
    "C12": (filled(fee_quote="0.1"),),
}
"""By promise: further runs that break it, and bring what such a breach may bring."""


@cache
def told(promise: str) -> tuple[list[Fact], Profile]:
    """The run that breaks `promise`, and the profile that it was made with. The list is shared: leave it as it is."""
    return BREACHES[promise](), NO_TRADE if promise == "N1" else MICRO_CAP
