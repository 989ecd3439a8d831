"""Where the time of a window goes: a deterministic profile, summed by layer.

A function's own time belongs to the layer of its file; what is written in C has no file, and its time belongs to
whoever called it, in the shares in which they did. A profile makes calls dearer and leaves C alone, so layers of many
small functions look somewhat larger than they are; the shares rank, and the seconds come from runs without a profile.
"""

import cProfile
import pstats
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path, PurePath
from typing import Any

Place = tuple[str, int, str]  # file, line, function, as the profile names them
Stats = dict[Place, Any]  # calls, primitive calls, own and whole time, callers

HOTTEST = 25
_C = "~"

# The first that fits names the layer; a pattern is a part of a path, with its slashes.
LAYERS = (
    ("signing", ("/botproof/venue/signing.py", "/fakes/bitget/signing.py", "/hmac.py", "/base64.py", "/hashlib.py")),
    ("tap", ("/botproof/venue/tap.py",)),
    ("client", ("/botproof/venue/",)),
    ("httpx", ("/httpx/", "/httpcore/", "/anyio/", "/sniffio/", "/idna/", "/urllib/", "/h11/")),
    ("websockets, uvicorn", ("/websockets/", "/uvicorn/", "/httptools/")),
    ("market", ("/fakes/bitget/market/",)),
    ("exchange", ("/fakes/bitget/core/",)),
    ("fake's faces", ("/fakes/",)),
    ("judge", ("/botproof/invariants/",)),
    ("tape", ("/botproof/evidence/tape.py", "/botproof/notation.py", "/botproof/events.py", "/dataclasses.py")),
    ("bot", ("/botproof/bots/", "/benchmarks/bot.py")),
    ("observer", ("/botproof/watch.py",)),
    ("evidence", ("/botproof/evidence/", "/botproof/record.py", "/shutil.py")),
    ("pytest, allure", ("/_pytest/", "/pluggy/", "/pytest_bdd/", "/allure_", "/gherkin/", "/attr/", "/parse.py")),
    ("transport", ("/botproof/fixtures.py", "/botproof/network.py")),
    ("loop", ("/botproof/virtual.py", "/asyncio/", "/selectors.py", "/botproof/world.py", "/weakref.py", "/socket.py")),
    ("json", ("/json/", "/orjson/")),
    ("money", ("/botproof/money.py", "/decimal.py", "/numbers.py")),
)
OTHER = "other"


def layer_of(file: str) -> str:
    """The layer of a source file."""
    path = PurePath(file).as_posix()
    return next((name for name, parts in LAYERS if any(part in path for part in parts)), OTHER)


class Profiler:
    """Profiles what it is called with."""

    def __init__(self) -> None:
        self._profile = cProfile.Profile()

    def __call__(self, move: Callable[[], None]) -> None:
        self._profile.runcall(move)

    def shares(self) -> dict[str, float]:
        """The share of each layer in the whole, the largest first."""
        return shares(stats_of(self._profile))

    def hottest(self) -> list[str]:
        """The dearest functions with what they call in C: share, layer, place."""
        seconds: dict[Place, float] = defaultdict(float)
        for place, own_s in own_times(stats_of(self._profile)):
            seconds[place] += own_s
        whole = sum(seconds.values()) or 1.0
        dearest = sorted(seconds.items(), key=lambda item: -item[1])[:HOTTEST]
        return [f"{own_s / whole:6.1%}  {layer_of(place[0]):20} {_shown(place)}" for place, own_s in dearest]


def stats_of(profile: cProfile.Profile | Path) -> Stats:
    """What a profile, or the file of one, has counted."""
    source = str(profile) if isinstance(profile, Path) else profile
    return pstats.Stats(source).stats  # type: ignore[attr-defined, no-any-return]


def shares(stats: Stats) -> dict[str, float]:
    """The share of each layer in the whole, the largest first."""
    seconds: dict[str, float] = defaultdict(float)
    for (file, _, _), own_s in own_times(stats):
        seconds[layer_of(file)] += own_s
    whole = sum(seconds.values()) or 1.0
    return dict(sorted(((name, s / whole) for name, s in seconds.items()), key=lambda share: -share[1]))


def own_times(stats: Stats) -> Iterator[tuple[Place, float]]:
    """Own time by function, in seconds; that of a function in C is booked to those who called it."""
    for place, (_, _, own_s, _, callers) in stats.items():
        if place[0] != _C:
            yield place, own_s
            continue
        told_s = sum(caller[2] for caller in callers.values())
        for caller, (*_, part_s, _) in callers.items():
            yield caller, part_s
        yield place, max(0.0, own_s - told_s)


def _shown(place: Place) -> str:
    file, line, function = place
    return f"{'/'.join(PurePath(file).parts[-2:])}:{line} {function}"
