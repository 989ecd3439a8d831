"""Breaks E8: sets the leverage and trades without ever reading what the account then has."""

from botproof.bots.reference import ReferenceBot
from botproof.bots.settings import set_promised


class NeverReadsBack(ReferenceBot):
    """Fires and forgets."""

    name = "rogue never_reads_back"

    async def agree_settings(self) -> None:
        await set_promised(self.context.venue, self.profile, self.desk.symbol, "leverage")

    async def read_settings(self) -> None:
        """Nothing: what the account's settings are is never asked."""


create = NeverReadsBack
