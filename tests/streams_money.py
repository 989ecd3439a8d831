"""Streams with an account's money in them: balances, bills, what was done earlier on the day, and fresh books.

    facts = funded_run(flat=lambda stream: balance(stream, "19.4"))

A funded run is the micro-cap run of `streams` on 20 USDT: with a book before every entry, a closing reading of the
account, and nothing that moves the wallet unless a test says so.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from decimal import Decimal

from streams import MICRO_CAP, TERMS, Moment, Stream, micro_cap_run, nothing, retape

from botproof.events import BalanceSeen, BillSeen, EarlierToday, Fact, RequestSent, Source
from botproof.invariants.verdict import Invariant, Outcome, Verdict
from botproof.profile import Profile
from botproof.terms import Terms

MIDNIGHT_US = 1_771_804_800_000_000  # 2026-02-23T00:00:00Z, 23 h after the streams begin
Make = Callable[[Profile, Terms], Invariant]


def balance(
    stream: Stream, equity: str, *, unrealized: str = "0", via: str = "push", late: str = "0", polled: bool = False
) -> None:
    """The venue shows the account's money; the observer learns of it `late` seconds later."""
    stream.write(
        BalanceSeen(
            src=Source.VENUE,
            t_venue_us=None if polled else stream.now_us,
            t_local_us=stream.now_us + int(Decimal(late) * 1_000_000),
            equity_usdt=Decimal(equity),
            available_usdt=Decimal(equity),
            unrealized_usdt=Decimal(unrealized),
            via=via,
        )
    )


def earlier(stream: Stream, traded: str = "0", result: str = "0") -> None:
    """What the account had done on the day before the run."""
    stream.write(
        EarlierToday(
            src=Source.VENUE,
            t_local_us=stream.now_us,
            symbol="BTCUSDT",
            fills=int(Decimal(traded) != 0),
            traded_usdt=Decimal(traded),
            result_usdt=Decimal(result),
        )
    )


def bill(
    stream: Stream, amount: str, business_type: str = "trans_from_exchange", *, at_us: int | None = None, name: str = ""
) -> None:
    """A line of the account's bill: read now, of now or of `at_us`."""
    happened_us = stream.now_us if at_us is None else at_us
    stream.write(
        BillSeen(
            src=Source.VENUE,
            t_venue_us=happened_us,
            t_local_us=stream.now_us,
            bill_id=name or f"b{happened_us}",
            symbol="",
            business_type=business_type,
            amount=Decimal(amount),
            fee=Decimal(0),
            balance=Decimal(0),
        )
    )


def funded_run(
    profile: Profile = MICRO_CAP,
    *,
    equity: str = "20",
    traded: str = "0",
    result: str = "0",
    start: Moment = nothing,
    flat: Moment = nothing,
    quoted: Moment = nothing,
    held: Moment = nothing,
    exiting: Moment = nothing,
    closed: Moment = nothing,
    closing_equity: str | None = None,
    trades: bool = True,
) -> list[Fact]:
    """The moments are those of `micro_cap_run`; `start` is right after the preflight's reading of the account."""

    def begun(stream: Stream) -> None:
        balance(stream, equity, via="preflight", polled=True)
        earlier(stream, traded, result)
        start(stream)

    def with_a_book(stream: Stream) -> None:
        quoted(stream)
        stream.ticker()

    def end(stream: Stream) -> None:
        closed(stream)
        balance(stream, equity if closing_equity is None else closing_equity, via="closing", polled=True)

    return micro_cap_run(
        profile,
        begun=begun,
        flat=flat,
        quoted=with_a_book,
        held=held,
        exiting=exiting,
        closed=end,
        trades=trades,
    )


def folded(make: Make, facts: Iterable[Fact], profile: Profile = MICRO_CAP, terms: Terms = TERMS) -> Verdict:
    """What the fold itself makes of the facts it hears, covered or not; each seq of its proof is one of theirs."""
    fold, seqs = make(profile, terms), set()
    for fact in facts:
        seqs.add(fact.seq)
        if type(fact) in fold.hears:
            fold.see(fact)
    verdict = fold.verdict()
    assert seqs.issuperset(verdict.proof)
    return verdict


def held_without_one(make: Make, facts: list[Fact], profile: Profile = MICRO_CAP) -> list[Fact]:
    """The facts without which alone the fold would call the run HELD."""
    lives = range(len(facts))
    tapes = ((facts[gone], facts[:gone] + facts[gone + 1 :]) for gone in lives)
    return [gone for gone, left in tapes if folded(make, left, profile).outcome is Outcome.HELD]


def held_with_one_twice(make: Make, facts: list[Fact], profile: Profile = MICRO_CAP) -> list[Fact]:
    """The facts which, told once more at the end, would make the fold call the run HELD."""
    return [fact for fact in facts if folded(make, [*facts, fact], profile).outcome is Outcome.HELD]


def lost_with_one_twice(make: Make, facts: list[Fact], profile: Profile = MICRO_CAP) -> list[Fact]:
    """The facts which, told once more at the end, would take HELD away from the run."""
    return [fact for fact in facts if folded(make, [*facts, fact], profile).outcome is not Outcome.HELD]


def moved(facts: Iterable[Fact], kind: type[Fact], by_us: int) -> list[Fact]:
    """The same tape, with what the venue said of a kind reaching the harness later, and written down then."""
    told = [replace(fact, t_local_us=fact.t_local_us + by_us) if type(fact) is kind else fact for fact in facts]
    return retape(sorted(told, key=lambda fact: fact.t_local_us))


def requests_of(facts: Iterable[Fact]) -> list[RequestSent]:
    """The requests on the tape."""
    return [fact for fact in facts if isinstance(fact, RequestSent)]
