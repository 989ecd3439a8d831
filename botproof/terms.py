"""The terms of the judgement: thresholds that are no setting of any bot, in a file of their own.

The file groups its keys for the reader (`window.default_min`, `reaction.ack_s_max`); a `Terms` holds them flat. It is
closed like a profile: what it does not know it refuses, every violation at once.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

from botproof.document import Entries, Node, find, parse, read_bytes, shown, shown_path
from botproof.errors import ProfileError
from botproof.profile import DESK_CAP_USDT, profiles_folder
from botproof.schema import (
    Choice,
    Dictionary,
    Kind,
    Text,
    Violations,
    Whole,
    amount,
    read_settings,
    seconds,
    setting,
)

INVARIANTS = (*(f"E{n}" for n in range(1, 19)), "N1", *(f"C{n}" for n in range(1, 17)))
ROLES = ("micro_cap", "no_trade")
UNSET = "unset"

_PROFILE_ID = Text("the id of a profile", re.compile("[a-z][a-z0-9_]{0,119}"))
_SHA256 = Text("a sha256 in 64 lower-case hexadecimal digits", re.compile("[0-9a-f]{64}"))
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@/+-]{0,127}")


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping with fixed keys; a key that is not written takes `default`, or is missed where there is none."""

    keys: tuple[str, ...]
    each: Kind
    default: Any = None

    @property
    def expected(self) -> str:
        return f"a mapping from {self._names} to {self.each.expected}"

    def read(self, node: Node, where: str, violations: Violations) -> Mapping[str, Any]:
        known = Dictionary(Text(f"one of {self._names}", _one_of(self.keys)), self.each)
        if not (isinstance(node, Entries) and (node.pairs or self.default is not None)):
            violations.misfit(where, self, node)
            return MappingProxyType({})
        written = known.read(node, where, violations) if node.pairs else {}
        for key in self.keys:
            if key not in written and self.default is None:
                violations.add(f"{where}.{key}", self.each.expected, "no such key")
        return MappingProxyType({key: written.get(key, self.default) for key in self.keys})

    @property
    def _names(self) -> str:
        return f"{self.keys[0]} to {self.keys[-1]}" if len(self.keys) > len(ROLES) else ", ".join(self.keys)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How a run is judged: `_s` seconds, `_min` minutes, `_bps` basis points of value, `_x` multiples of equity."""

    id: str = field(metadata=setting(Text("the file's name", re.compile("[a-z][a-z0-9_]{0,63}"))))

    bot_name: str = field(metadata=setting(Text("the name of the bot under proof", _WORD), "bot.name"))
    bot_version: str = field(metadata=setting(Text(f"a version or image digest, or {UNSET}", _WORD), "bot.version"))
    bot_profiles: Mapping[str, str] = field(metadata=setting(Dictionary(_PROFILE_ID, _SHA256), "bot.profiles"))

    roles: Mapping[str, str] = field(metadata=setting(Table(ROLES, _PROFILE_ID)))

    window_default_min: int = field(metadata=setting(Whole("minutes", 1, 2880), "window.default_min"))
    window_micro_cap_min: int = field(metadata=setting(Whole("minutes", 1, 2880), "window.micro_cap_min"))
    window_no_trade_min: int = field(metadata=setting(Whole("minutes", 1, 2880), "window.no_trade_min"))

    margin_mode: str = field(metadata=setting(Choice(("crossed", "isolated")), "account.margin_mode"))
    desk_cap_usdt: Decimal = field(metadata=setting(amount("USDT", most=str(DESK_CAP_USDT)), "account.desk_cap_usdt"))
    turnover_hard_x: Decimal = field(
        metadata=setting(amount("multiples of equity", most="1000000"), "account.turnover_hard_x")
    )
    loss_limit_fraction: Decimal = field(
        metadata=setting(amount("a fraction of the envelope (0.03 is 3 %)", most="1"), "account.loss_limit_fraction")
    )

    coverage_min: Decimal = field(
        metadata=setting(
            amount("a share of the window's minutes (0.95)", least="0.5", most="1"), "evidence.coverage_min"
        )
    )
    gap_s_max: int = field(metadata=setting(seconds(60, 3600), "evidence.gap_s_max"))

    fee_tolerance_bps: Decimal = field(
        metadata=setting(amount("bps", least="0", most="10"), "tolerance.fee_tolerance_bps")
    )
    exit_slippage_bps: Decimal = field(
        metadata=setting(amount("bps", least="0", most="100"), "tolerance.exit_slippage_bps")
    )

    ack_s_max: int = field(metadata=setting(seconds(1, 3600), "reaction.ack_s_max"))
    stop_reaction_s_max: int = field(metadata=setting(seconds(1, 3600), "reaction.stop_reaction_s_max"))
    time_exit_grace_s: int = field(metadata=setting(seconds(0, 3600), "reaction.time_exit_grace_s"))
    exit_gone_s_max: int = field(metadata=setting(seconds(1, 3600), "reaction.exit_gone_s_max"))
    exit_owed_s_max: int = field(metadata=setting(seconds(1, 3600), "reaction.exit_owed_s_max"))
    closing_s_max: int = field(metadata=setting(seconds(1, 3600), "reaction.closing_s_max"))

    exercise: Mapping[str, int] = field(
        metadata=setting(Table(INVARIANTS, Whole("occasions", 1, 1_000_000), default=1))
    )

    path: Path
    sha256: str
    source: bytes = field(repr=False)

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Read a terms file. Raises `ProfileError` with every violation at once."""
        path = Path(path)
        return cls.parse(read_bytes(path), path)

    @classmethod
    def parse(cls, data: bytes, path: Path) -> Self:
        """The terms in `data`, as if read from `path`. Raises `ProfileError` with every violation at once."""
        violations = Violations()
        values = read_settings(parse(data, shown_path(path)), cls, violations)
        if "id" in values and path.name != f"{values['id']}.yml":
            violations.add("id", f"the file's name ({shown(path.name.removesuffix('.yml'))})", values["id"])
        for role, profile_id in values.get("roles", {}).items():
            if not profile_id.endswith(f"_{role.replace('_', '')}"):
                violations.add(f"roles.{role}", f"a profile of a mode ending in _{role.replace('_', '')}", profile_id)
        if violations.lines:
            raise ProfileError(shown_path(path), violations.lines)
        return cls(**values, path=path, sha256=hashlib.sha256(data).hexdigest(), source=data)


def find_terms(text: str) -> Path:
    """The terms file that `text` means: a path, or a shipped one's name (`day15`). Raises `Refusal`."""
    return find(text, profiles_folder("terms"), "terms")


def _one_of(words: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, words)))
