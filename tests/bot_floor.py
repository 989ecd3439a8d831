"""A bot on the fake venue over virtual time: what the tests of the reference bot and of the rogues stand on."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any, Self

import httpx

from botproof.bots.reference import create
from botproof.events import OrderType, Side
from botproof.fakes.bitget.core.exchange import Exchange
from botproof.fakes.bitget.core.messages import Command, FillView, OrderView, PlaceOrder
from botproof.fakes.bitget.journal import Call
from botproof.fakes.bitget.market.synthetic import SyntheticMarket
from botproof.fakes.bitget.server import FakeBitget
from botproof.fakes.bitget.signing import Key
from botproof.ports import BotContext, BotFactory
from botproof.profile import Profile
from botproof.venue.rest import BitgetVenue
from botproof.venue.signing import Credentials
from botproof.world import World

EPOCH_US = 1_771_722_000_000_000  # 2026-02-22T01:00:00Z
PREFIX = "bot1-run1-"
ACCOUNT, HOST, PORT = "main", "127.0.0.1", 8787
KEY = Key(
    account=ACCOUNT,
    api_key="bg_bot",
    secret="a secret of no use elsewhere",
    passphrase="passphrase",
    permissions=frozenset({"read", "trade"}),
)
PLACE, CANCEL = "/api/v2/mix/order/place-order", "/api/v2/mix/order/cancel-order"
SETTINGS = (
    "/api/v2/mix/account/set-leverage",
    "/api/v2/mix/account/set-position-mode",
    "/api/v2/mix/account/set-margin-mode",
)
FEE_RATES = "/api/v2/common/trade-rate"
CONTROLLERS = Path(__file__).parent.parent / "profiles" / "controllers"

Answers = Callable[[httpx.Request], bool]


def profile(name: str = "epp_v2_4_bot1u20_bitget_live_microcap", **changes: Any) -> Profile:
    """A shipped profile, by default the feasible micro-cap one, with `changes`."""
    return replace(Profile.load(CONTROLLERS / f"{name}.yml"), **changes)


def no_trade_profile() -> Profile:
    return profile("epp_v2_4_bot1u20_bitget_live_notrade")


class Line(httpx.AsyncBaseTransport):
    """Carries requests to the fake in 15-60 ms each way.

    `loses_request` and `loses_answer` pick what is lost on either way; `refuses` picks what never arrives and is
    refused with a code of the venue.
    """

    def __init__(self, faces: FakeBitget) -> None:
        self._faces, self._random = faces, Random(7)
        self.loses_request: Answers = lambda _: False
        self.loses_answer: Answers = lambda _: False
        self.refuses: Answers = lambda _: False
        self.refused = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        await self._travel()
        if self.loses_request(request):
            raise httpx.ReadTimeout("lost on the way there", request=request)
        if self.refuses(request):
            self.refused += 1
            return httpx.Response(400, json={"code": "40034", "msg": "refused", "requestTime": 0, "data": None})
        target = request.url.raw_path.decode("ascii")
        answer = self._faces.answer(request.method, target, request.headers.raw, body)
        if self.loses_answer(request):
            raise httpx.ReadTimeout("lost on the way back", request=request)
        await self._travel()
        return httpx.Response(answer.status, headers=list(answer.headers), content=answer.body)

    async def _travel(self) -> None:
        await asyncio.sleep(self._random.randint(15_000, 60_000) / 1_000_000)


class Record:
    """The bot's evidence, kept in lists."""

    def __init__(self) -> None:
        self.minutes: list[dict[str, str]] = []
        self.fills: list[dict[str, str]] = []
        self.states: list[tuple[str, tuple[str, ...]]] = []

    def minute(self, row: Mapping[str, str]) -> None:
        self.minutes.append(dict(row))

    def fill(self, row: Mapping[str, str]) -> None:
        self.fills.append(dict(row))

    def state(self, state: str, reasons: Sequence[str]) -> None:
        self.states.append((state, tuple(reasons)))


class Floor:
    """One bot, one account, one market that moves only by script unless a volatility is given."""

    def __init__(
        self,
        factory: BotFactory = create,
        *,
        settings: Profile | None = None,
        deposit: int = 1000,
        price: str = "67500",
        volatility_percent: int = 0,
        seed: int = 1,
        epoch_us: int = EPOCH_US,
    ) -> None:
        self.world = World(epoch_us=epoch_us)
        self._factory = factory
        opened_us = self.world.clock.now_us()
        self.market = SyntheticMarket(
            seed=seed, opened_us=opened_us, opening_price=Decimal(price), volatility_percent=volatility_percent
        )
        self.exchange = Exchange(market=self.market, seed=seed, opened_us=opened_us)
        self.exchange.open_account(ACCOUNT, Decimal(deposit))
        self.faces = FakeBitget(self.exchange, self.world.clock, [KEY], seed=seed)
        self.world.run(self._serve())
        self.record, self.line = Record(), Line(self.faces)
        self.context = BotContext(
            profile=settings or profile(),
            venue=self._client(),
            clock=self.world.clock,
            evidence=self.record,
            symbol="BTCUSDT",
            client_id_prefix=PREFIX,
            run_id="run1",
            run_prefix=PREFIX,
        )
        self.bot: Any = factory(self.context)
        self.task: asyncio.Task[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.world.run(self._kill())
        self.world.run(self.context.venue.close())
        self.world.run(self.faces.aclose())
        self.world.close()

    def start(self, seconds: int = 0) -> "Floor":
        """Start the bot, and let `seconds` pass."""
        self.task = self.world.spawn(self.bot.run(), name="bot")
        self.world.run_for(seconds)
        return self

    def restart(self, seconds: int = 0, *, start: int = 2) -> "Floor":
        """Kill the bot where it stands and start it anew in the same run."""
        self.world.run(self._kill())
        self.bot = self._factory(
            replace(
                self.context,
                client_id_prefix=f"{PREFIX}r{start}-",
                recorded_trades=frozenset(row["exchange_trade_id"] for row in self.record.fills),
            )
        )
        return self.start(seconds)

    def pass_time(self, seconds: Decimal | int) -> None:
        self.world.run_for(seconds)

    def until(self, holds: Callable[[], bool], limit_s: int = 60) -> None:
        assert self.world.run_until(holds, limit_s), f"did not happen within {limit_s} s: {self}"

    def stop(self, limit_s: int = 30) -> None:
        """Ask for the orderly end, and wait for it."""
        self.bot.stop()
        assert self.task is not None
        self.until(self.task.done, limit_s)

    def move(self, change: str, over_s: int = 5, recover_s: int | None = None) -> None:
        """Script a move of the price from now on."""
        self.world.run(self._script(Decimal(change), over_s, recover_s))

    def rest(self, client_id: str, side: Side, price: str, size: str = "0.0001") -> str:
        """Put an order on the account past the bot; its order id."""
        self.command(
            PlaceOrder(
                symbol="BTCUSDT",
                side=side,
                order_type=OrderType.LIMIT,
                size=Decimal(size),
                price=Decimal(price),
                client_id=client_id,
            )
        )
        placed = self.exchange.order(ACCOUNT, client_id=client_id)
        assert placed is not None
        return placed.order_id

    def rest_hedge(self, client_id: str) -> None:
        """Put a resting order on an account in hedge mode, past the bot; while it rests the mode cannot change."""
        self.command(
            PlaceOrder(
                symbol="BTCUSDT",
                side=Side.BUY,
                order_type=OrderType.LIMIT,
                size=Decimal("0.0001"),
                price=Decimal(66000),
                trade_side="open",
                client_id=client_id,
            )
        )

    def command(self, command: Command) -> None:
        self.world.run(self._command(command))

    @property
    def position(self) -> Decimal:
        """What the exchange says, at its last advance."""
        return sum((view.size for view in self.exchange.positions(ACCOUNT)), Decimal(0))

    @property
    def orders(self) -> list[OrderView]:
        """All orders, oldest first."""
        return list(reversed(self.exchange.orders(ACCOUNT)))

    @property
    def open_orders(self) -> list[OrderView]:
        return list(reversed(self.exchange.open_orders(ACCOUNT)))

    @property
    def fills(self) -> list[FillView]:
        return list(reversed(self.exchange.fills(ACCOUNT)))

    @property
    def exits(self) -> list[OrderView]:
        return [order for order in self.orders if order.reduce_only]

    def calls(self, *paths: str) -> list[Call]:
        """The bot's calls of these paths in order; all of them where none is named."""
        return [
            entry
            for entry in self.faces.journal
            if isinstance(entry, Call) and entry.api_key and (not paths or entry.path in paths)
        ]

    def __str__(self) -> str:
        return f"{self.exchange!r} states {self.record.states[-3:]} open {self.open_orders}"

    async def _script(self, change: Decimal, over_s: int, recover_s: int | None) -> None:
        self.faces.advance()
        self.market.script(
            from_us=self.world.clock.now_us() + 1,
            change=change,
            over_us=over_s * 1_000_000,
            recover_us=None if recover_s is None else recover_s * 1_000_000,
        )
        self.faces.rearm()

    async def _command(self, command: Command) -> None:
        self.faces.command(ACCOUNT, command)

    async def _kill(self) -> None:
        if self.task is not None and not self.task.done():
            self.task.cancel()
            await asyncio.wait({self.task})

    async def _serve(self) -> None:
        await self.faces.serve(HOST, PORT)

    def _client(self) -> BitgetVenue:
        return BitgetVenue(
            self.line,
            f"http://{HOST}:{PORT}",
            Credentials(api_key=KEY.api_key, secret=KEY.secret, passphrase=KEY.passphrase),
            self.world.clock,
            public_ws=f"ws://{HOST}:{PORT}/v2/ws/public",
            private_ws=f"ws://{HOST}:{PORT}/v2/ws/private",
        )
