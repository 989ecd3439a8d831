"""Breaks E12: an order that was not answered is sent again at once, under another client id."""

from dataclasses import replace

from botproof.bots.execution import Execution
from botproof.bots.orders import Purpose
from botproof.bots.reference import ReferenceBot
from botproof.ports import OrderRequest


class _Hasty(Execution):
    async def lost(self, request: OrderRequest, purpose: Purpose) -> None:
        await super().lost(request, purpose)
        await self.place(replace(request, client_id=self.next_client_id(is_exit=request.reduce_only)), purpose)


class RetriesAnew(ReferenceBot):
    """Takes silence for a refusal."""

    name = "rogue retries_anew"

    def hands(self) -> Execution:
        return _Hasty(self.context, self.desk, self.diary)


create = RetriesAnew
