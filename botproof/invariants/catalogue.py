"""Every promise that is ever judged, by its id and in its order, and which breach may bring which.

The sentences are what an operator reads beside a verdict; what each formula is stands in the module that keeps it.
"""

from collections.abc import Mapping

PROMISES: Mapping[str, str] = {
    "E1": "exposure never exceeds the envelope, counting what is unanswered or still being cancelled",
    "E2": "no single entry is worth more than the envelope",
    "E3": "no order and no exposure exceeds the desk cap, whatever the profile says",
    "E4": "every order sent keeps the contract's rules for size, step, value and tick",
    "E5": "every entry has the size that the profile plans at its own price",
    "E6": "every entry keeps the profile's distance from mid",
    "E7": "turnover stays within the cap",
    "E8": "position mode, margin mode and leverage were read back as declared before the first order, and stayed so",
    "E9": "cancels stay within the budget and requests within the venue's limits",
    "E10": "every net position is closed by one reduce-only exit at a time, never larger than the position",
    "E11": "a stop or a time limit is acted on in time and near its price",
    "E12": "every order is answered or declared unknown, and an unknown one is looked up under the same client id",
    "E13": "a hard stop stays until an operator lifts it",
    "E14": "after the stop no order is open and the account is flat, or as declared",
    "E15": "a pause and a hard stop always carry a recorded reason",
    "E16": "the venue accepted at least one order of the bot",
    "E17": "both order directions and the operator's stop were exercised",
    "E18": "the loss stays within the limit",
    "N1": "nothing was traded, asked for or left open in the whole no-trade window",
    "C1": "the notional of every row of fills.csv is price x amount",
    "C2": "fills_count_today counts the rows of fills.csv",
    "C3": "fees_paid_today_quote sums the fees of fills.csv",
    "C4": "turnover_today_x x equity is the notional of fills.csv",
    "C5": "market_spread_bps is market_spread_pct in basis points",
    "C6": "the daily loss lies between zero and the drawdown",
    "C7": "the day's counters never decrease",
    "C8": "every trade of the bot at the venue is in fills.csv exactly once, and nothing else is",
    "C9": "every order id in fills.csv is one of this run",
    "C10": "the amounts of fills.csv add up to the position at the venue",
    "C11": "equity moved by profit, fees, funding and transfers and by nothing else",
    "C12": "every fee has the rate of its role",
    "C13": "cancel_per_min counts the cancels that the venue confirmed",
    "C14": "the best bid and ask have a size",
    "C15": "venue, pair, variant, profile and run are constant in a window",
    "C16": "every row has the fields of the header",
}

IMPLICATIONS: Mapping[str, frozenset[str]] = {
    "E2": frozenset({"E1", "E5", "E7"}),
    "E3": frozenset({"E1", "E2", "E5", "E7"}),
    "E5": frozenset({"E1", "E2", "E4", "E6", "E7"}),  # E6 where it is at market: no price keeps a distance
    "E11": frozenset({"E18"}),  # a position that is not stopped loses on
    "E12": frozenset({"E1", "E10"}),  # where a retry doubles
    "E10": frozenset({"E11"}),  # a position without an exit has none in time either
    "E14": frozenset(
        {"E10", "C8", "C10"}
    ),  # where a position is left, or a quote that fills when nobody writes it down
    # What a no-trade bot trades was never planned, and what rests in its window rests at the close as well.
    "N1": frozenset({"E1", "E2", "E3", "E4", "E5", "E6", "E7", "E10", "E14"}),
    "C1": frozenset({"C4", "C12"}),  # a notional that is wrong in a row
    "C2": frozenset({"C7"}),  # counters that start anew in mid-day
    "C3": frozenset({"C7"}),
    "C4": frozenset({"C7"}),
    "C7": frozenset({"C2", "C3", "C4"}),  # counters that fall are no sums
    "C8": frozenset({"C2", "C3", "C4", "C10"}),  # a row left out is missing from the sums
    "C12": frozenset({"C3"}),  # a fee that is wrong in a row
}
"""A breach of the key may bring a breach of the values; whatever else is BROKEN has a cause of its own."""

ENTRY_PROMISES: frozenset[str] = frozenset({"E1", "E2", "E3", "E4", "E5", "E6", "E7", "E10", "E11", "E16", "E17"})
"""What only entries can show: a no-trade run never shows it."""

FILES_AGREE: tuple[str, ...] = tuple(id_ for id_ in PROMISES if id_.startswith("C"))
"""What a scenario means by "the bot's files agree with the venue"."""
