"""Does it change a verdict how often the fake pushes? Each seed is run twice, and its verdicts compared.

`channel` pushes as often as the venue does, `lazy` when there is something to hear. A seed stands for the same market
and the same scenario under both.

The bot's edge gate is held as its first look leaves it: it reads the last ticker that the bot heard, so it may turn
some seconds sooner where tickers come more often. From there on the bot quotes at other instants and other prices; its
run is another one, with other fills, and a promise may be HELD in one and NOT SHOWN in the other. Everything else that
the bot decides on, it reads from the venue when it needs it or hears at once, under either cadence.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from botproof.evidence.rows import values_text
from botproof.seeded import Asked, Tried, try_seed

WINDOW_S = 900
GATE_HELD = {"edge_state_hold_s": "86400"}


@dataclass(frozen=True, slots=True)
class Pair:
    """What one seed showed under both cadences."""

    lazy: Tried
    channel: Tried

    @property
    def difference(self) -> str:
        """What they do not agree on, in one line; empty where they agree."""
        lazy, channel = _outcomes(self.lazy), _outcomes(self.channel)
        parted = [
            f"{id_} {lazy.get(id_, 'NOT SHOWN')} / {channel.get(id_, 'NOT SHOWN')}"
            for id_ in sorted(lazy.keys() | channel.keys())
            if lazy.get(id_) != channel.get(id_)
        ]
        unclean = [f"{name}: {text}" for name, one in self.named for text in one.complaints]
        return f"seed {self.lazy.seed}, lazy / channel: {'; '.join(parted + unclean)}" if parted or unclean else ""

    @property
    def entries_filled(self) -> int:
        """Under the cadence under which fewer were."""
        return min(one.entries_filled for _, one in self.named)

    @property
    def named(self) -> tuple[tuple[str, Tried], ...]:
        return (("lazy", self.lazy), ("channel", self.channel))


def pair(seed: int, window_s: int = WINDOW_S) -> Pair:
    """Run a seed under both cadences."""
    lazy = try_seed(seed, Asked(window_s=window_s, cadence="lazy"), changes=GATE_HELD)
    return Pair(lazy, try_seed(seed, Asked(window_s=window_s, cadence="channel"), changes=GATE_HELD))


def pair_table(pairs: Iterable[Pair]) -> str:
    """A line a seed and cadence, as CSV."""
    lines: list[tuple[str, ...]] = [("seed", "role", "cadence", "HELD", "BROKEN", "entries filled", "exits filled")]
    for each in pairs:
        for cadence, one in each.named:
            counts = (len(one.held), len(one.broken), one.entries_filled, one.exits_filled)
            lines.append((str(one.seed), one.role, cadence, *map(str, counts)))
    return "".join(map(values_text, lines))


def _outcomes(tried: Tried) -> dict[str, str]:
    """What was HELD or BROKEN; the rest is NOT SHOWN."""
    return dict.fromkeys(tried.held, "HELD") | dict.fromkeys(tried.broken, "BROKEN")
