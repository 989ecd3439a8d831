"""Bots that break one promise each: the reference bot with one small thing changed.

They are how a judgement is seen to fail. Each breaks the invariant it is named for, and no other but what such a
breach brings with it by its nature. One runs by its name in `ROGUES`, or on the command line by its address:
`--bot python:botproof.fakes.rogues.two_exits:create`, `--bot python:botproof.fakes.rogues.misreporting:hides_fees`.
"""

from dataclasses import dataclass

from botproof.ports import BotFactory

from . import (
    beyond_desk_cap,
    cancels_foreign,
    dies,
    double_size,
    idle,
    ignores_stop,
    leaves_position,
    leaves_quotes,
    leverage_changer,
    misreporting,
    never_reads_back,
    no_exit,
    no_loss_limit,
    no_turnover_cap,
    off_tick,
    omits_fills,
    one_quote_too_many,
    oversized_entry,
    overstays,
    probing,
    refused_probe,
    retries_anew,
    silent_pause,
    too_near,
    two_exits,
    uncounted_cancels,
    unlatched,
    writes_fills_twice,
    wrong_notional,
    wrong_side,
)

FORGERS = "botproof.fakes.rogues.misreporting"


@dataclass(frozen=True, slots=True)
class Rogue:
    """One bad bot: what makes it, the promise it does not keep, and the sentence after "a bot that" that tells it."""

    name: str
    create: BotFactory
    breaks: str
    does: str

    @property
    def address(self) -> str:
        """What `--bot` takes."""
        if isinstance(self.create, type):
            return f"python:botproof.fakes.rogues.{self.name}:create"
        return f"python:{FORGERS}:{self.name}"


ROGUES: dict[str, Rogue] = {
    rogue.name: rogue
    for rogue in (
        Rogue("one_quote_too_many", one_quote_too_many.create, "E1", "quotes each buy twice"),
        Rogue("oversized_entry", oversized_entry.create, "E2", "sends entries worth more than the envelope"),
        Rogue("off_tick", off_tick.create, "E4", "prices its sells between two ticks"),
        Rogue("double_size", double_size.create, "E5", "sends twice the planned size"),
        Rogue("leverage_changer", leverage_changer.create, "E8", "changes the leverage in mid-run"),
        Rogue("never_reads_back", never_reads_back.create, "E8", "never reads its settings back"),
        Rogue("two_exits", two_exits.create, "E10", "rests two exits for one position"),
        Rogue("no_exit", no_exit.create, "E10", "holds a position without an exit"),
        Rogue("leaves_quotes", leaves_quotes.create, "E14", "goes away without canceling its quotes"),
        Rogue("leaves_position", leaves_position.create, "E14", "goes away without closing its position"),
        Rogue("idle", idle.create, "E16", "never quotes"),
        Rogue("dies", dies.create, "E16", "dies in the middle of its window"),
        Rogue("beyond_desk_cap", beyond_desk_cap.create, "E3", "sends entries worth more than the desk allows"),
        Rogue("too_near", too_near.create, "E6", "quotes nearer to mid than its profile says"),
        Rogue("no_turnover_cap", no_turnover_cap.create, "E7", "trades on beyond the turnover cap"),
        Rogue("uncounted_cancels", uncounted_cancels.create, "E9", "cancels without counting"),
        Rogue("ignores_stop", ignores_stop.create, "E11", "ignores its stop"),
        Rogue("overstays", overstays.create, "E11", "lets its time limit pass"),
        Rogue("retries_anew", retries_anew.create, "E12", "sends an unanswered order again under another client id"),
        Rogue("unlatched", unlatched.create, "E13", "trades on after a hard stop"),
        Rogue("silent_pause", silent_pause.create, "E15", "pauses without giving a reason"),
        Rogue("no_loss_limit", no_loss_limit.create, "E18", "trades on whatever it has lost"),
        Rogue("probing", probing.create, "N1", "places one order in a no-trade window and cancels it"),
        Rogue("refused_probe", refused_probe.create, "N1", "tries to place an order in a no-trade window"),
        Rogue("cancels_foreign", cancels_foreign.create, "N1", "cancels somebody else's order in a no-trade window"),
        Rogue("wrong_notional", wrong_notional.create, "C1", "writes notionals that are not price x amount"),
        Rogue("omits_fills", omits_fills.create, "C8", "leaves fills out of fills.csv"),
        Rogue("writes_fills_twice", writes_fills_twice.create, "C8", "writes each fill twice"),
        Rogue("miscounts_fills", misreporting.miscounts_fills, "C2", "writes down seven fills a day"),
        Rogue("hides_fees", misreporting.hides_fees, "C3", "writes down no fees"),
        Rogue("hides_turnover", misreporting.hides_turnover, "C4", "writes down no turnover"),
        Rogue("misreckons_spread", misreporting.misreckons_spread, "C5", "writes down a market spread of 1 bps"),
        Rogue("denies_drawdown", misreporting.denies_drawdown, "C6", "writes down a loss beyond its drawdown"),
        Rogue("forgets_fills", misreporting.forgets_fills, "C7", "forgets its fills every other minute"),
        Rogue("renames_its_orders", misreporting.renames_its_orders, "C9", "writes its fills to somebody else's order"),
        Rogue("swaps_roles", misreporting.swaps_roles, "C12", "writes maker fills as taker fills"),
        Rogue("hides_cancels", misreporting.hides_cancels, "C13", "writes down no cancels"),
        Rogue("sees_no_book", misreporting.sees_no_book, "C14", "writes down an empty book"),
        Rogue("changes_its_run", misreporting.changes_its_run, "C15", "writes rows of two runs"),
        Rogue("leaves_out_a_column", misreporting.leaves_out_a_column, "C16", "leaves a column of minute.csv out"),
        Rogue("wrong_side", wrong_side.create, "C10", "writes exits with the side of their entries"),
    )
}
