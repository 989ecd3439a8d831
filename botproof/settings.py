"""What the command line asks for, checked once, before anything is sent or written.

Every refusal is one or two lines: what was expected, what was found, what to do.
"""

import importlib
import re
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from botproof.document import nearest, shown
from botproof.errors import Refusal
from botproof.ports import BotFactory
from botproof.profile import Profile, find_profile
from botproof.terms import Terms, find_terms

VENUES = ("fake", "rehearsal", "demo", "live")
LATER_BOTS = ("process", "attach")
WINDOW = re.compile(r"([1-9][0-9]{0,5})(m|h)")
WINDOW_MINUTES_MAX = 7 * 24 * 60
SEED_MAX = 2**63 - 1


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


def read_settings(options: Mapping[str, str | None], root: Path) -> Settings:
    """Check the options (text as typed, None where not given); raises `Refusal`."""
    terms = Terms.load(find_terms("day15"))
    venue = _one_of("--venue", _given(options, "venue", "fake"), VENUES)
    if venue != "fake":
        raise Refusal(f"--venue={venue} is not built yet: nothing was sent. Expected --venue=fake.")
    clock = _one_of("--clock", _given(options, "clock", "virtual"), ("virtual", "real"))
    if clock != "virtual":
        raise Refusal(f"--clock={clock} is not built yet. Expected --clock=virtual.")
    market = _given(options, "market", "synthetic")
    if market.startswith("replay:"):
        raise Refusal(f"--market={market} is not built yet. Expected --market=synthetic.")
    _one_of("--market", market, ("synthetic",))
    bot = _given(options, "bot", "reference")
    return Settings(
        venue=venue,
        clock=clock,
        bot=bot,
        factory=find_factory(bot),
        market=market,
        seed=_seed(options.get("seed")),
        window_s=_window(options.get("window")),
        terms=terms,
        profiles=_profiles(terms, options.get("profile")),
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
