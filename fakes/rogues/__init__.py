"""Bots that break one promise each: the reference bot with one small thing changed.

They are how a judgement is seen to fail. Each breaks the invariant it is named for, and no other but what such a
breach brings with it by its nature. One runs by its name in `ROGUES`, or as
`--bot python:botproof.fakes.rogues.<name>:create`.
"""

from dataclasses import dataclass

from botproof.ports import BotFactory

from . import (
    cancels_foreign,
    double_size,
    idle,
    leaves_position,
    leaves_quotes,
    leverage_changer,
    never_reads_back,
    no_exit,
    off_tick,
    omits_fills,
    one_quote_too_many,
    oversized_entry,
    probing,
    refused_probe,
    two_exits,
    writes_fills_twice,
    wrong_notional,
    wrong_side,
)


@dataclass(frozen=True, slots=True)
class Rogue:
    """One bad bot: what makes it, the invariant it does not keep, and how, in a sentence that begins with the bot."""

    name: str
    create: BotFactory
    breaks: str
    how: str


ROGUES: dict[str, Rogue] = {
    rogue.name: rogue
    for rogue in (
        Rogue(
            "one_quote_too_many",
            one_quote_too_many.create,
            "E1",
            "quotes each buy twice: three quotes of 6.7 USDT in an envelope of 20 USDT",
        ),
        Rogue(
            "oversized_entry",
            oversized_entry.create,
            "E2",
            "sends one entry of 0.0003 BTC, worth more than the envelope of 20 USDT",
        ),
        Rogue("off_tick", off_tick.create, "E4", "sends sells whose price lies between two ticks"),
        Rogue("double_size", double_size.create, "E5", "sends twice the planned size, still inside the envelope"),
        Rogue(
            "leverage_changer",
            leverage_changer.create,
            "E8",
            "changes the leverage to 2 in mid-run, flat and without orders",
        ),
        Rogue(
            "never_reads_back", never_reads_back.create, "E8", "sends orders without ever having read its settings back"
        ),
        Rogue("two_exits", two_exits.create, "E10", "rests two exits for one position"),
        Rogue("no_exit", no_exit.create, "E10", "holds a position without an exit until it is stopped"),
        Rogue("leaves_quotes", leaves_quotes.create, "E14", "goes away without canceling its quotes"),
        Rogue("leaves_position", leaves_position.create, "E14", "goes away without closing its position"),
        Rogue("idle", idle.create, "E16", "never quotes, so that nothing is shown"),
        Rogue("probing", probing.create, "N1", "as a no-trade bot places one order far away and cancels it"),
        Rogue("refused_probe", refused_probe.create, "N1", "as a no-trade bot tries to place an order and is refused"),
        Rogue("cancels_foreign", cancels_foreign.create, "N1", "as a no-trade bot cancels somebody else's order"),
        Rogue("wrong_notional", wrong_notional.create, "C1", "writes notionals that are not price x amount"),
        Rogue("omits_fills", omits_fills.create, "C8", "leaves fills out of fills.csv"),
        Rogue("writes_fills_twice", writes_fills_twice.create, "C8", "writes each fill twice"),
        Rogue("wrong_side", wrong_side.create, "C10", "writes exits with the side of their entries"),
    )
}
