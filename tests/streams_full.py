"""A full run: one story in which everything that can be promised of a trading run is promised, tried and kept.

    facts = full_run()                                               # all is HELD, but N1
    facts = full_run(flat=lambda stream: stream.place(...))          # and with a passage of a test's own

Told in order: the settings are read back; two quotes rest and are withdrawn; an answer is lost and its order looked up;
a buy fills and is stopped out; two quotes rest when the operator stops the bot, which clears the account and stays
stopped for a minute and a half; then the run ends. The rows of both files, bills, balances and fee rates go with it,
and every fact stands where the harness learned of it.
"""

from dataclasses import replace
from decimal import Decimal

from streams import BUY, MICRO_CAP, SELL, Moment, Stream, micro_cap_run, nothing, retape
from streams_money import balance, earlier
from streams_rows import DEPOSIT, MAKER, recorded

from botproof.events import (
    Action,
    BalanceSeen,
    BotSample,
    BotStateChanged,
    Covered,
    Fact,
    FillSeen,
    OperatorAction,
    OrderState,
    RunEnded,
    Side,
    Source,
)
from botproof.money import ZERO
from botproof.profile import Profile

FALLEN, STOPPED_AT = "66994.7", "66994.6"
"""The mark at which the best bid is beyond the stop of a long from `BUY`, and that bid."""
LOWER_BUY, LOWER_SELL = "66765.4", "67234.5"


def full_run(
    *,
    profile: Profile = MICRO_CAP,
    traded: str = "0",
    begun: Moment = nothing,
    flat: Moment = nothing,
    quoted: Moment = nothing,
    held: Moment = nothing,
    halted: Moment = nothing,
    stopped: Moment = nothing,
    closed: Moment = nothing,
    reads_back: bool = True,
    known: Decimal = MAKER,
) -> list[Fact]:
    """The story, with a test's own passages in it.

    The moments: `flat` before any order, `quoted` with both quotes resting, `held` with a long and no exit yet,
    `halted` a moment after the account was cleared on the operator's stop; the others are those of `micro_cap_run`.
    `traded` is what the account had traded earlier on the day, `known` the maker rate that the venue tells of.
    """

    def start(stream: Stream) -> None:
        earlier(stream, traded)
        begun(stream)

    def story(stream: Stream) -> None:
        flat(stream)
        _withdrawn(stream, quoted)
        _looked_up(stream)
        _stopped_out(stream, held)
        _operated(stream, halted)

    told = micro_cap_run(
        profile,
        begun=start,
        flat=story,
        stopped=stopped,
        closed=closed,
        trades=False,
        reads_back=reads_back,
        minutes=3,
    )
    return _as_learned(recorded(told, every_s=30, known=known))


def _withdrawn(stream: Stream, quoted: Moment) -> None:
    stream.ticker()
    quotes = stream.place(Side.BUY, BUY), stream.place(Side.SELL, SELL)
    quoted(stream.wait(5))
    for quote in quotes:
        stream.cancel(quote)


def _looked_up(stream: Stream) -> None:
    stream.wait(1).ticker()
    order = stream.send(Side.BUY, BUY)
    stream.wait("0.02").show(order, OrderState.LIVE)
    stream.wait(5).lose(order.request)
    sent = stream.request(Action.READ, path="/api/v2/mix/order/detail", client_id=order.client_id)
    stream.wait("0.02").answer(sent.request, order_id=order.order_id, client_id=order.client_id)
    stream.wait(1).cancel(order)


def _stopped_out(stream: Stream, held: Moment) -> None:
    stream.wait(2).poll()
    balance(stream, "20", via="poll", polled=True)
    buy, sell = stream.place(Side.BUY, BUY), stream.place(Side.SELL, SELL)
    stream.wait(5).ticker("67263.8")
    stream.wait("0.1").fill(buy)
    stream.wait("0.1").cancel(sell)
    held(stream)
    stream.wait(1).ticker(FALLEN)
    order = stream.wait("0.5").send(Side.SELL, None, exits=True)
    stream.wait("0.02").show(order, OrderState.LIVE)
    stream.wait("0.02").answer(order.request, order_id=order.order_id, client_id=order.client_id)
    stream.fill(order, at=STOPPED_AT, is_maker=False)


def _operated(stream: Stream, halted: Moment) -> None:
    stream.wait(11).poll()
    balance(stream, "20", via="poll", polled=True)
    stream.wait(1).ticker("67000")
    quotes = stream.place(Side.BUY, LOWER_BUY), stream.place(Side.SELL, LOWER_SELL)
    stream.wait(5).write(
        OperatorAction(src=Source.OPERATOR, t_local_us=stream.now_us, action="stop", detail="the operator's test")
    )
    stream.wait("0.1").write(
        BotStateChanged(src=Source.BOT, t_local_us=stream.now_us, state="hard_stop", reasons=("operator",))
    )
    for quote in quotes:
        stream.cancel(quote)
    halted(stream.wait(5))


def _as_learned(facts: list[Fact]) -> list[Fact]:
    """In the order in which the harness learned of them, with the equity of the polls and the state of the rows."""
    halted_us = next((fact.t_local_us for fact in facts if isinstance(fact, OperatorAction)), 1 << 62)
    fills = [fact for fact in facts if isinstance(fact, FillSeen)]

    def filled_in(fact: Fact) -> Fact:
        if isinstance(fact, BalanceSeen) and fact.via == "poll":
            known = (fill for fill in fills if fill.t_local_us <= fact.t_local_us)
            equity = DEPOSIT + sum((fill.realized_usdt - fill.fee_usdt for fill in known), ZERO)
            return replace(fact, equity_usdt=equity, available_usdt=equity)
        if isinstance(fact, BotSample) and fact.t_local_us > halted_us + 2_000_000:
            return replace(fact, row=dict(fact.row) | {"state": "hard_stop", "risk_reasons": "operator"})
        return fact

    told = [filled_in(fact) for fact in facts if not isinstance(fact, Covered | RunEnded)]
    ended = [fact for fact in facts if isinstance(fact, RunEnded)]
    return retape([*sorted(told, key=lambda fact: fact.t_local_us), *ended])
