"""Leverage, margin mode and position mode: when an account may change them.

Position mode belongs to the account; leverage and margin mode to a symbol, of which there is one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from . import margin
from .account import Account
from .contract import ContractRules
from .messages import Refused, SetLeverage, SetMarginMode, SetPositionMode, SettingsChanged, SettingsView
from .orders import HEDGE, ONE_WAY, Order
from .switches import Switches

Setting = SetLeverage | SetMarginMode | SetPositionMode


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a change of settings depends on."""

    account: Account
    resting: Sequence[Order]
    mark: Decimal
    rules: ContractRules
    switches: Switches

    @property
    def is_idle(self) -> bool:
        """Neither position nor order."""
        return not (self.account.positions or self.resting)


def settings_view(account: Account, rules: ContractRules) -> SettingsView:
    return SettingsView(
        account=account.name,
        symbol=rules.symbol,
        leverage=account.leverage,
        margin_mode=account.margin_mode,
        position_mode=account.position_mode,
    )


def change_setting(change: Change, command: Setting) -> Refused | SettingsChanged:
    """Change one setting, or say why not."""
    refused = _refusal(change, command)
    if refused:
        return refused
    account = change.account
    match command:
        case SetLeverage(leverage=leverage):
            account.leverage = leverage
        case SetMarginMode(mode=mode):
            account.margin_mode = mode
        case SetPositionMode(mode=mode):
            account.position_mode = mode
    return SettingsChanged(settings=settings_view(account, change.rules))


def _refusal(change: Change, command: Setting) -> Refused | None:
    if isinstance(command, SetPositionMode):
        return _position_mode(change, command.mode)
    if command.symbol != change.rules.symbol:
        return Refused(code="40034", message=f"Parameter {command.symbol} does not exist")
    if isinstance(command, SetMarginMode):
        return _margin_mode(change, command.mode)
    return _leverage(change, command.leverage)


def _leverage(change: Change, leverage: int) -> Refused | None:
    """Within the contract's range, and with margin enough for what is held; the same value is fine (inferred)."""
    rules = change.rules
    if not rules.min_leverage <= leverage <= rules.max_leverage:
        return Refused(code="40797", message="Exceeded the maximum settable leverage")
    if leverage == change.account.leverage:
        return None
    if change.resting and not change.switches.leverage_with_open_orders:
        text = "There is currently an order or a limit order, and the leverage cannot be adjusted"
        return Refused(code="45097", message=text)
    if _needed_at(change, leverage) > margin.equity(change.account, change.mark, rules):
        text = "Unable to update the leverage factor of this position, there is not enough margin!"
        return Refused(code="40893", message=text)
    return None


def _needed_at(change: Change, leverage: int) -> Decimal:
    """Margin of positions and resting orders, were the leverage `leverage`."""
    account, rules = change.account, change.rules
    held = margin.position_margins(account, change.mark, rules) * account.leverage / leverage
    return held + margin.order_margins(account, change.resting, rules, leverage)


def _margin_mode(change: Change, mode: str) -> Refused | None:
    if mode not in ("crossed", "isolated"):
        return Refused(code="400172", message="margin mode cannot be empty")
    same_is_fine = not (change.account.positions and change.switches.same_margin_mode_refused_with_position)
    if change.is_idle or (mode == change.account.margin_mode and same_is_fine):
        return None
    text = "Currently holding positions or orders, the margin mode cannot be adjusted"
    return Refused(code="45117", message=text)


def _position_mode(change: Change, mode: str) -> Refused | None:
    """Not while there is any position or order; the same mode always (captured)."""
    if mode not in (ONE_WAY, HEDGE):
        return Refused(code="400172", message="Parameter verification failed")
    if change.is_idle or mode == change.account.position_mode:
        return None
    return Refused(code="40920", message="Position or order exists, the position mode cannot be switched")
