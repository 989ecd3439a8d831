"""The two files that start a bot of the rollout, typed, frozen and closed.

A `Profile` is a controller file: every promise the bot makes, under the names of its YAML keys. A `ScriptWrapper` is
the script file that starts it. Both loaders refuse unknown keys, wrong types, wrong units and broken names, all at
once, each with its YAML path.

The name of a profile is a contract: `<strategy>_<version>_<bot>_<venue>_<mode>`, the file is called like its `id`, the
bot's token starts with its `instance_name` (`bot1u20` is bot1), and the mode agrees with `no_trade`. Only bot1 may be
live, only on BTC-USDT, and never with more than the desk cap.

>>> Profile.load(find_profile("epp_v2_4_bot1_bitget_live_microcap")).total_amount_quote
Decimal('5')
"""

import hashlib
import importlib.util
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Self

import botproof
from botproof.document import Entries, Items, find, nearest, parse, read_bytes, shown, shown_path
from botproof.errors import ProfileError
from botproof.money import plain
from botproof.schema import (
    Choice,
    Empty,
    Flag,
    Levels,
    Names,
    Nullable,
    Text,
    Violations,
    Whole,
    amount,
    fraction,
    read_settings,
    seconds,
    setting,
)

MODES = ("live_microcap", "live_notrade", "paper_smoke", "paper_notrade", "testnet_smoke", "testnet_notrade")
DESK_CAP_USDT = Decimal(100)  # policy of the desk for anything live; the framework's own cap is 1000
LIVE_INSTANCE = "bot1"
EXECUTORS_MAX = 10  # limit of the controller: one executor a level

_NAME = re.compile(
    r"(?P<strategy>[a-z]+)_(?P<version>v[0-9]+(?:_[0-9]+)*)_(?P<instance>bot[0-9]+)(?P<variation>[a-z][a-z0-9]*)?"
    r"_(?P<venue>bitget)_(?P<mode>" + "|".join(MODES) + ")"
)
_NAME_WORDS = f"<strategy>_<version>_<bot>_bitget_<mode>, mode one of {', '.join(MODES)}"
_PROFILE_NAME = Text(_NAME_WORDS, _NAME)
_SPREADS = Levels(fraction("of the mid"), EXECUTORS_MAX)
_SHARES = Levels(amount("percent", most="100"), EXECUTORS_MAX)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What a bot promises: USDT for amounts, fractions for spreads and stops, seconds for times.

    The promise is judged, whatever the bot makes of it. Levels of a side correspond: the n-th spread belongs to the
    n-th share of `total_amount_quote`, in percent; a side without levels is not quoted.
    """

    id: str = field(metadata=setting(_PROFILE_NAME))
    controller_name: str = field(metadata=setting(Text("<strategy>_<version>", re.compile("[a-z]+_v[0-9]+(_[0-9]+)*"))))
    controller_type: str = field(metadata=setting(Choice(("market_making",))))
    connector_name: str = field(metadata=setting(Choice(("bitget_perpetual",))))
    trading_pair: str = field(metadata=setting(Choice(("BTC-USDT",))))
    internal_paper_enabled: bool = field(metadata=setting(Flag()))

    total_amount_quote: Decimal = field(metadata=setting(amount("USDT", most="1000")))
    buy_spreads: tuple[Decimal, ...] = field(metadata=setting(_SPREADS))
    sell_spreads: tuple[Decimal, ...] = field(metadata=setting(_SPREADS))
    buy_amounts_pct: tuple[Decimal, ...] = field(metadata=setting(_SHARES))
    sell_amounts_pct: tuple[Decimal, ...] = field(metadata=setting(_SHARES))
    executor_refresh_time: int = field(metadata=setting(seconds()))
    cooldown_time: int = field(metadata=setting(seconds(0)))
    leverage: int = field(metadata=setting(Whole("a leverage", 1, 5)))
    position_mode: str = field(metadata=setting(Choice(("ONEWAY",))))

    stop_loss: Decimal = field(metadata=setting(fraction("of the entry price")))
    take_profit: Decimal = field(metadata=setting(fraction("of the entry price")))
    take_profit_order_type: str = field(metadata=setting(Choice(("LIMIT",))))
    time_limit: int = field(metadata=setting(seconds()))
    skip_rebalance: bool = field(metadata=setting(Flag()))

    variant: str = field(metadata=setting(Choice(("a", "b", "c", "d"))))
    enabled: bool = field(metadata=setting(Flag()))
    no_trade: bool = field(metadata=setting(Flag()))
    instance_name: str = field(metadata=setting(Text("a bot's name such as bot1", re.compile("bot[0-9]{1,6}"))))
    log_dir: str = field(metadata=setting(Text("an absolute path", re.compile(r"/[\x21-\x7e]{0,255}"))))

    fee_mode: str = field(metadata=setting(Choice(("auto", "project", "manual"))))
    fee_profile: str = field(metadata=setting(Text("a fee tier such as vip0", re.compile("vip[0-9]"))))
    require_fee_resolution: bool = field(metadata=setting(Flag()))
    spot_fee_pct: Decimal = field(metadata=setting(fraction("of the value traded", zero=True)))
    slippage_est_pct: Decimal = field(metadata=setting(fraction("of the value traded", zero=True)))

    turnover_cap_x: Decimal = field(metadata=setting(amount("multiples of equity", most="1000000")))
    turnover_penalty_step: Decimal = field(metadata=setting(fraction("per multiple of equity", zero=True)))
    min_net_edge_bps: Decimal = field(metadata=setting(amount("bps (3 is 0.0003)", least="0.1", most="1000")))
    sample_interval_s: int = field(metadata=setting(seconds()))
    spread_floor_recalc_s: int = field(metadata=setting(seconds()))
    cancel_budget_per_min: int = field(metadata=setting(Whole("cancels per 60 s", 1, 600)))
    edge_resume_bps: Decimal = field(
        default=Decimal(3), metadata=setting(amount("bps (3 is 0.0003)", least="0.1", most="1000"), optional=True)
    )
    edge_state_hold_s: int = field(default=60, metadata=setting(seconds(5), optional=True))

    path: Path
    sha256: str  # of the file's bytes: what a run is bound to
    source: bytes = field(repr=False)  # the file's bytes: they go into the evidence of every run

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Read a controller file. Raises `ProfileError` with every violation at once."""
        path = Path(path)
        return cls.parse(read_bytes(path), path)

    @classmethod
    def parse(cls, data: bytes, path: Path) -> Self:
        """The profile in `data`, as if read from `path`. Raises `ProfileError` with every violation at once."""
        violations = Violations()
        values = read_settings(parse(data, shown_path(path)), cls, violations)
        for rule in _RULES:
            rule(values, path.name, violations)
        if violations.lines:
            raise ProfileError(shown_path(path), violations.lines)
        return cls(**values, path=path, sha256=hashlib.sha256(data).hexdigest(), source=data)

    def but(self, changes: Mapping[str, str]) -> Self:
        """The same profile with other values, as text, for some of its keys; another file by its sha256.

        Raises `ProfileError` as `parse` does; a key that the file does not hold is added at its end.
        """
        lines = self.source.decode().splitlines()
        for key, value in changes.items():
            at = next((n for n, line in enumerate(lines) if line.startswith(f"{key}:")), len(lines))
            lines[at : at + 1] = [f"{key}: {value}"]
        return type(self).parse("\n".join([*lines, ""]).encode(), self.path)

    @property
    def mode(self) -> str:
        """The last part of the name: `live_microcap`, `live_notrade`, ..."""
        match = _NAME.fullmatch(self.id)
        return match["mode"] if match else ""

    @property
    def symbol(self) -> str:
        """The venue's name of the pair: `BTCUSDT`."""
        return self.trading_pair.replace("-", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptWrapper:
    """The script file that starts one controller; its drawdown limits are USDT, or None for none."""

    script_file_name: str = field(metadata=setting(Choice(("v2_with_controllers.py",))))
    markets: None = field(metadata=setting(Empty(Entries)))
    candles_config: None = field(metadata=setting(Empty(Items)))
    controllers_config: str = field(
        metadata=setting(Names(Text("the file name of a controller", re.compile(r"[A-Za-z0-9_]{1,120}\.yml"))))
    )
    max_global_drawdown_quote: Decimal | None = field(metadata=setting(Nullable(amount("USDT", most="1000"))))
    max_controller_drawdown_quote: Decimal | None = field(metadata=setting(Nullable(amount("USDT", most="1000"))))

    path: Path
    sha256: str
    controller: Path

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Read a script file; its controller must lie beside it in `../controllers`. Raises `ProfileError`."""
        path = Path(path)
        data, violations = read_bytes(path), Violations()
        values = read_settings(parse(data, shown_path(path)), cls, violations)
        folder = path.resolve().parent.parent / "controllers"
        controller = folder / str(values.get("controllers_config", ""))
        if "controllers_config" in values:
            _check_controller(controller, path.name, violations)
        if violations.lines:
            raise ProfileError(shown_path(path), violations.lines)
        return cls(**values, path=path, sha256=hashlib.sha256(data).hexdigest(), controller=controller)


def profiles_folder(kind: str) -> Path:
    """Where the shipped files of a kind lie: `controllers`, `scripts` or `terms`.

    Installed they are the package `botproof.profiles`; in a checkout that nobody installed, the folder beside the
    library.
    """
    spec = importlib.util.find_spec("botproof.profiles")
    places = list(spec.submodule_search_locations or ()) if spec else []
    places.append(str(Path(botproof.__file__).parent.parent / "profiles"))
    folders = [Path(place) / kind for place in places]
    return next((folder for folder in folders if folder.is_dir()), folders[0])


def find_profile(text: str) -> Path:
    """The controller file that `text` means: a path, or a shipped profile's name. Raises `Refusal`."""
    return find(text, profiles_folder("controllers"), "a profile")


def _check_controller(controller: Path, file: str, violations: Violations) -> None:
    where = "controllers_config[0]"
    if file != f"v2_{controller.name}":
        violations.add(where, f"{shown(file)} without its prefix v2_", controller.name)
    if not controller.is_file():
        others = [other.name for other in controller.parent.glob("*.yml")]
        violations.add(
            where, f"a file in ../controllers{nearest(controller.name, others)}", f"no {controller.name} there"
        )


# The rules that tie keys to one another. Each looks only at keys that were read without a violation of their own.


def _check_file_name(values: dict[str, object], file: str, violations: Violations) -> None:
    if "id" in values and file != f"{values['id']}.yml":
        violations.add("id", f"the file's name ({shown(file.removesuffix('.yml'))})", str(values["id"]))


def _check_name(values: dict[str, object], _file: str, violations: Violations) -> None:
    match = _NAME.fullmatch(str(values.get("id", "")))
    if match is None:
        return
    mode, instance = match["mode"], match["instance"]
    promised = {
        "controller_name": f"{match['strategy']}_{match['version']}",
        "instance_name": instance,
        "no_trade": mode.endswith("_notrade"),
        "internal_paper_enabled": mode.startswith("paper_"),
    }
    for key, value in promised.items():
        if key in values and values[key] != value:
            violations.add(key, f"{_word(value)} as the id says", _word(values[key]))
    if mode.startswith("live_") and instance != LIVE_INSTANCE:
        violations.add("id", f"{LIVE_INSTANCE}, the only bot that may be live", instance)


def _check_cap(values: dict[str, object], _file: str, violations: Violations) -> None:
    match, total = _NAME.fullmatch(str(values.get("id", ""))), values.get("total_amount_quote")
    if match and match["mode"].startswith("live_") and isinstance(total, Decimal) and total > DESK_CAP_USDT:
        violations.add("total_amount_quote", f"at most the desk cap of {plain(DESK_CAP_USDT)} USDT", plain(total))


def _check_levels(values: dict[str, object], _file: str, violations: Violations) -> None:
    total = 0
    for side in ("buy", "sell"):
        spreads, shares = values.get(f"{side}_spreads"), values.get(f"{side}_amounts_pct")
        if not (isinstance(spreads, tuple) and isinstance(shares, tuple)):
            return
        total += len(spreads)
        if len(spreads) != len(shares):
            violations.add(f"{side}_amounts_pct", f"one share for each of {len(spreads)} spreads", str(len(shares)))
    if not 1 <= total <= EXECUTORS_MAX:
        violations.add("buy_spreads", f"1 to {EXECUTORS_MAX} levels on both sides together", str(total))


def _check_variant(values: dict[str, object], _file: str, violations: Violations) -> None:
    if values.get("variant") == "d" and values.get("no_trade") is False:
        violations.add("variant", "a where no_trade is false (d places nothing)", "d")


def _check_edge(values: dict[str, object], _file: str, violations: Violations) -> None:
    least, resume = values.get("min_net_edge_bps"), values.get("edge_resume_bps", Decimal(3))
    if isinstance(least, Decimal) and isinstance(resume, Decimal) and resume < least:
        violations.add("edge_resume_bps", f"at least min_net_edge_bps {plain(least)} (unset reads 3)", plain(resume))


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


_RULES: tuple[Callable[[dict[str, object], str, Violations], None], ...] = (
    _check_file_name,
    _check_name,
    _check_cap,
    _check_levels,
    _check_variant,
    _check_edge,
)
