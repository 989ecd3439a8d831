"""Position mode, margin mode and leverage: what the profile promises, and how the account is brought to it."""

from botproof.errors import VenueError
from botproof.ports import AccountState, Venue
from botproof.profile import Profile

MARGIN_MODE = "crossed"  # the profile leaves it open; the terms of the judgement name it
POSITION_MODES = {"ONEWAY": "one_way_mode", "HEDGE": "hedge_mode"}


def mismatches(profile: Profile, account: AccountState) -> tuple[str, ...]:
    """The settings in which the account is not as promised: position_mode, margin_mode, leverage."""
    promised = {
        "position_mode": POSITION_MODES[profile.position_mode],
        "margin_mode": MARGIN_MODE,
        "leverage": profile.leverage,
    }
    return tuple(setting for setting, value in promised.items() if getattr(account, setting) != value)


async def set_promised(venue: Venue, profile: Profile, symbol: str, setting: str) -> bool:
    """Set one setting; whether the venue took it. Only a read-back tells what holds. Raises `Unanswered`."""
    try:
        match setting:
            case "position_mode":
                await venue.set_position_mode(POSITION_MODES[profile.position_mode])
            case "margin_mode":
                await venue.set_margin_mode(symbol, MARGIN_MODE)
            case _:
                await venue.set_leverage(symbol, profile.leverage)
    except VenueError:
        return False
    return True
