"""What the command line asks for, checked once, before anything is sent or written.

Every refusal is one or two lines: what was expected, what was found, what to do.
"""

import importlib
import re
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from botproof.document import nearest, shown
from botproof.errors import Refusal
from botproof.ports import BotFactory
from botproof.profile import Profile, find_profile
from botproof.terms import Terms, find_terms

VENUES = ("fake", "rehearsal", "demo", "live")
LATER_BOTS = ("process", "attach")
SYNTHETIC = "synthetic"
WINDOW = re.compile(r"([1-9][0-9]{0,5})(m|h)")
WINDOW_MINUTES_MAX = 7 * 24 * 60
SEED_MAX = 2**63 - 1


class Recording(Protocol):
    """A stretch of a recorded market, as far as conduct needs to know; instants are microseconds since the epoch."""

    @property
    def name(self) -> str: ...
    @property
    def begins_us(self) -> int: ...
    def opens_us(self, now_us: int) -> int:
        """When a window opens whose run begins at `now_us`, at the latest."""
        ...

    def unfit(self, window_s: int, opens_us: int | None = None) -> str:
        """Why a window of that length cannot be shown on it, or an empty text."""
        ...


OpenRecording = Callable[[str, int], Recording]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of one acceptance session."""

    venue: str
    clock: str
    bot: str
    factory: BotFactory
    market: str
    seed: int
    window_s: int | None  # replaces the terms' window in steps that say "the bounded window"
    reports: Path
    terms: Terms
    profiles: Mapping[str, Profile]  # by role: micro_cap, no_trade
    typed: Mapping[str, str]  # the options that were given, as typed
    recording: Recording | None = None  # the market of every scenario, unless it is synthetic


def read_settings(
    options: Mapping[str, str | None], root: Path, open_recording: OpenRecording | None = None
) -> Settings:
    """Check the options (text as typed, None where not given); raises `Refusal`.

    `open_recording` reads what `--market=replay:...` names, for windows of so many seconds; without it there is none.
    """
    terms = Terms.load(find_terms("day15"))
    venue = _one_of("--venue", _given(options, "venue", "fake"), VENUES)
    if venue != "fake":
        raise Refusal(f"--venue={venue} is not built yet: nothing was sent. Expected --venue=fake.")
    clock = _one_of("--clock", _given(options, "clock", "virtual"), ("virtual", "real"))
    if clock != "virtual":
        raise Refusal(f"--clock={clock} is not built yet. Expected --clock=virtual.")
    window_s = _window(options.get("window"))
    market = _given(options, "market", SYNTHETIC)
    recording = _recording(market, window_s or terms.window_default_min * 60, open_recording)
    bot = _given(options, "bot", "reference")
    return Settings(
        venue=venue,
        clock=clock,
        bot=bot,
        factory=find_factory(bot),
        market=recording.name if recording else market,
        seed=_seed(options.get("seed")),
        window_s=window_s,
        terms=terms,
        profiles=_profiles(terms, options.get("profile")),
        recording=recording,
        typed={name: text for name, text in options.items() if text is not None},
        reports=_writable(root, options.get("reports") or "reports"),  # last: a refusal leaves no folder behind
    )


def find_factory(text: str) -> BotFactory:
    """The bot named on the command line: `reference`, or `python:module:factory`."""
    kind, _, rest = text.partition(":")
    if text == "reference":
        return _attribute("botproof.bots.reference", "create", text)
    if kind in LATER_BOTS:
        raise Refusal(f"--bot={text}: {kind} bots are not built yet. Expected reference or python:module:factory.")
    module, _, factory = rest.partition(":")
    if kind != "python" or not module or not factory:
        raise Refusal(f"--bot={text}: expected reference or python:module:factory.")
    return _attribute(module, factory, text)


def _attribute(module: str, name: str, asked: str) -> BotFactory:
    try:
        found: Callable[..., object] = getattr(importlib.import_module(module), name)
    except Exception as error:
        raise Refusal(f"--bot={asked}: {module}:{name} cannot be imported: {type(error).__name__}: {error}") from error
    if not callable(found):
        raise Refusal(f"--bot={asked}: expected a factory that takes a BotContext, found {type(found).__name__}.")
    return found  # type: ignore[return-value]


def _given(options: Mapping[str, str | None], name: str, default: str) -> str:
    """What was typed, an empty text included, else the default."""
    text = options.get(name)
    return default if text is None else text


def _one_of(option: str, value: str, known: tuple[str, ...]) -> str:
    if value not in known:
        raise Refusal(f"{option}: expected one of {', '.join(known)}, found {shown(value)}{nearest(value, known)}")
    return value


def _seed(text: str | None) -> int:
    if text is None:
        return 1
    if not text.isascii() or not text.isdigit() or int(text[:20]) > SEED_MAX:
        raise Refusal(f"--seed={text}: expected a whole number from 0 to {SEED_MAX}.")
    return int(text)


def _window(text: str | None) -> int | None:
    if text is None:
        return None
    match = WINDOW.fullmatch(text)
    minutes = int(match[1]) * (60 if match[2] == "h" else 1) if match else 0
    if not 0 < minutes <= WINDOW_MINUTES_MAX:
        raise Refusal(f"--window={text}: expected whole minutes or hours up to 7 days, such as 15m or 2h.")
    return minutes * 60


def _recording(market: str, window_s: int, open_recording: OpenRecording | None) -> Recording | None:
    """What `--market` names; None where it is synthetic."""
    if open_recording is not None and market.startswith("replay:"):
        return open_recording(market, window_s)
    _one_of("--market", market, (SYNTHETIC, "replay:FILE[#k]") if open_recording else (SYNTHETIC,))
    return None


def _writable(root: Path, text: str) -> Path:
    folder = Path(text) if Path(text).is_absolute() else root / text
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise Refusal(f"--reports={text}: expected a folder that can be written, found: {reason}.") from error
    return folder


def _profiles(terms: Terms, text: str | None) -> dict[str, Profile]:
    profiles = {role: Profile.load(find_profile(name)) for role, name in terms.roles.items()}
    if text is not None:
        profile = Profile.load(find_profile(text))
        profiles["no_trade" if profile.no_trade else "micro_cap"] = profile
    return profiles
