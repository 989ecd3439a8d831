"""What the harness itself knows of a run: who was launched, with which profile, when, and how it ended."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from botproof.money import ZERO
from botproof.notrade.record import Request, Source


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEvidence:
    """A sealed run of the harness. `flaws` say why it is no evidence, `gaps` why it may not show all of the run."""

    run_id: str = ""
    profile_id: str = ""
    profile_sha256: str = ""
    terms_sha256: str = ""
    bot: str = ""
    bot_version: str = ""
    venue: str = ""
    symbol: str = ""
    client_id_prefix: str = ""
    started_us: int = 0
    bot_started_us: int | None = None
    stopped_us: int | None = None  # when the bot had wound down, or was killed
    window_us: tuple[int, int] | None = None
    declared_position: Decimal = ZERO
    restarts_us: tuple[int, ...] = ()
    complete: bool = False
    death: str = ""  # how the bot ended before it was asked to
    files: Mapping[str, str] = field(default_factory=dict)  # by name: the sha256 of the manifest
    requests: Source[Request] | None = None
    lists_read_empty: int = 0  # readings of both lists in a row, empty, before the window
    flaws: tuple[str, ...] = ()
