"""Amounts and instants in the words of an operator."""

from decimal import Decimal

from botproof.events import Fact
from botproof.money import plain

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US


def instant_us(fact: Fact) -> int:
    """When it happened: by the venue's clock where that is known, else when the harness learned of it.

    Nothing happened after the harness had learned of it, whatever a venue's clock that is ahead may say.
    """
    return fact.t_local_us if fact.t_venue_us is None else min(fact.t_venue_us, fact.t_local_us)


def clock_time(at_us: int) -> str:
    """The time of day: `clock_time(3_800_114_000)` is "01:03:20.114 UTC"."""
    milliseconds = at_us // 1000
    hours, rest = divmod(milliseconds % 86_400_000, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    seconds, thousandths = divmod(rest, 1000)
    return f"{hours:02}:{minutes:02}:{seconds:02}.{thousandths:03} UTC"


def usdt(amount: Decimal) -> str:
    """An amount with all its digits, cents at least: 20 is "20.00" and 20.0001 stays "20.0001"."""
    whole, _, cents = plain(amount).partition(".")
    return f"{whole}.{cents:<02}"


def seconds(duration_us: int) -> str:
    """A duration in seconds, to the millisecond: `seconds(5_001_000)` is "5.001"."""
    return plain(Decimal(duration_us // 1000) / 1000)


def to_us(duration_s: Decimal | int) -> int:
    """Seconds as whole microseconds."""
    return int(Decimal(duration_s) * SECOND_US)
