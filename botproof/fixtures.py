"""Where the client and the fake meet, and the fixtures behind the steps.

In one process they meet through one function of the fake, `answer(request) -> response`, which `FakeTransport` hands
to httpx with a seeded latency each way; WebSockets run unmodified over the in-memory network of the virtual loop.
"""

import asyncio
from collections.abc import Callable, Iterator
from decimal import ROUND_DOWN, Decimal
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from pytest_bdd.scenario import scenario_wrapper_template_registry

from botproof.clock import Clock
from botproof.errors import HarnessError
from botproof.events import FaultArmed, FaultFired, OrderType, Side, Source
from botproof.fakes import recordings
from botproof.fakes.bitget.agreement import disagreements
from botproof.fakes.bitget.core.messages import PlaceOrder, Refused
from botproof.fakes.bitget.faults import FAULTS, FOR_GOOD, Armed, Silence
from botproof.fakes.fixtures import ACCOUNT, HOST, PORT, FakeVenue, OpenFake, derived_seed, open_fake
from botproof.fakes.rogues import ROGUES
from botproof.feasibility import Rules
from botproof.plugin import SETTINGS, STAGE
from botproof.ports import Sink
from botproof.run import Clients, Run
from botproof.settings import Settings
from botproof.stage import Stage
from botproof.venue.body import sent
from botproof.venue.rest import BitgetVenue
from botproof.venue.signing import Credentials
from botproof.venue.tap import Tap

if TYPE_CHECKING:
    from botproof.fakes.bitget.signing import Key

LATENCY_US = (15_000, 60_000)  # one way, between a client and the venue; order to fill in 46-56 ms was captured
SLOWEST_S = 2 * LATENCY_US[1] / 1_000_000
SYMBOL = "BTCUSDT"
CALLS = {
    "order": "/api/v2/mix/order/place-order",
    "cancel": "/api/v2/mix/order/cancel-order",
    "fee rates": "/api/v2/common/trade-rate",
}

Inside = Callable[[Callable[[], Any]], Any]


class FakeTransport(httpx.AsyncBaseTransport):
    """Carries requests to the fake and its answers back, each way taking a latency drawn from the seed."""

    def __init__(self, venue: FakeVenue, random: Random) -> None:
        self._venue, self._random = venue, random

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await sent(request)
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[httpx.Response] = loop.create_future()
        loop.call_later(self._latency_s(), self._arrive, request, body, answered)
        limit_s = request.extensions.get("timeout", {}).get("read")
        if limit_s is None or limit_s > SLOWEST_S:  # no answer can be late, so nobody need wait for it
            return await answered
        try:
            async with asyncio.timeout(limit_s):
                return await answered
        except TimeoutError as error:
            raise httpx.ReadTimeout(f"no answer within {limit_s} s", request=request) from error

    def _arrive(self, request: httpx.Request, body: bytes, answered: asyncio.Future[httpx.Response]) -> None:
        """The request is at the venue; one whose sender has given up by now never came."""
        if answered.done():
            return
        target = request.url.raw_path.decode("ascii")
        try:
            answer = self._venue.faces.answer(request.method, target, request.headers.raw, body)
        except Exception as error:  # noqa: BLE001  a fake that fails is the business of whoever waits for its answer
            answered.set_exception(error)
            return
        if answer is not None:  # else a fault of the scenario: nothing comes, and who asked gives up some time
            response = httpx.Response(answer.status, headers=list(answer.headers), stream=httpx.ByteStream(answer.body))
            asyncio.get_running_loop().call_later(self._latency_s(), _deliver, answered, response)

    def _latency_s(self) -> float:
        return self._random.randint(*LATENCY_US) / 1_000_000


def _deliver(answered: asyncio.Future[httpx.Response], response: httpx.Response) -> None:
    if not answered.done():
        answered.set_result(response)


class FakeStageVenue:
    """The fake behind a stage."""

    def __init__(self, fake: FakeVenue, seed: int, inside: Inside) -> None:
        self.fake, self._seed, self._inside = fake, seed, inside
        self.clock: Clock = fake.clock
        self._sink: Sink | None = None
        fake.faces.faults.listener = self._fault_fired

    def connect(self, sink: Sink) -> Clients:
        """The bot's client, tapped, and the observer's own; from now on what goes wrong at the venue is told."""
        self._sink = sink
        for armed in self.fake.faces.faults.armed:
            self._tell_armed(armed)
        bot = Tap(self._transport("bot"), sink, self.clock)
        observer = self._transport("observer")
        return Clients(
            bot=self._client(bot, self.fake.bot_key), observer=self._client(observer, self.fake.observer_key)
        )

    def secrets(self) -> tuple[str, ...]:
        """What must reach no file."""
        keys = (self.fake.bot_key, self.fake.observer_key)
        return tuple(text for key in keys for text in (key.secret, key.passphrase, key.api_key))

    def take_position(self, size: Decimal) -> None:
        """Put a position of `size` (signed, BTC) on the account, as if somebody had traded it by hand at market."""
        side = Side.BUY if size > 0 else Side.SELL
        command = PlaceOrder(
            symbol=SYMBOL, side=side, order_type=OrderType.MARKET, size=abs(size), client_id="desk-by-hand-1"
        )
        self._command(command)

    def place_resting(self, client_id: str, side: Side, distance: Decimal) -> str:
        """Put a resting order of 0.0001 BTC `distance` (fraction) away from mid on the account; its order id."""
        price = (self.mid() * (1 - side.sign * distance)).quantize(Decimal("0.1"), rounding=ROUND_DOWN)
        command = PlaceOrder(
            symbol=SYMBOL,
            side=side,
            order_type=OrderType.LIMIT,
            size=Decimal("0.0001"),
            price=price,
            client_id=client_id,
        )
        self._command(command)
        placed = self.fake.exchange.order(ACCOUNT, client_id=client_id)
        assert placed is not None
        return placed.order_id

    def _command(self, command: PlaceOrder) -> None:
        for outcome in self._inside(lambda: self.fake.faces.command(ACCOUNT, command)):
            if isinstance(outcome, Refused):
                raise HarnessError(f"the fake refused the order: {outcome.code} {outcome.message}")

    def move_price(self, change: Decimal, over_s: int, recover_s: int | None, after_s: int = 0) -> None:
        """Script a move that begins in `after_s`: `change` (signed fraction) within `over_s`, back in `recover_s`."""

        def script() -> None:
            self.fake.faces.advance()
            self.fake.market.script(
                from_us=self.clock.now_us() + after_s * 1_000_000 + 1,
                change=change,
                over_us=over_s * 1_000_000,
                recover_us=None if recover_s is None else recover_s * 1_000_000,
            )
            self.fake.faces.rearm()

        self._inside(script)

    def thin_book(self, share: Decimal, for_s: int, side: Side | None = None) -> None:
        """For `for_s` from now on a side of the book (None: both) holds `share` of its size, a fraction; 0: nothing."""

        def script() -> None:
            self.fake.faces.advance()
            now_us = self.clock.now_us()
            self.fake.market.script_depth(
                from_us=now_us + 1, share=share, until_us=now_us + 1 + for_s * 1_000_000, side=side
            )
            self.fake.faces.rearm()

        self._inside(script)

    def script_funding(self, rate: Decimal) -> None:
        """From now on the funding rate is `rate` (a fraction)."""

        def script() -> None:
            self.fake.faces.advance()
            self.fake.market.script_funding(from_us=self.clock.now_us() + 1, rate=rate)

        self._inside(script)

    def strike(self, kind: str, call: str, *, times: int | None = 1, code: str = "") -> None:
        """Arm a fault of the bot's next calls: `kind` refuse, lose or drop; `call` order, cancel or fee rates.

        `times` is None where it lasts to the end of the scenario.
        """
        hit: dict[str, Any] = {
            "path": CALLS[call],
            "api_key": self.fake.bot_key.api_key,
            "times": FOR_GOOD if times is None else times,
        }
        if kind == "refuse":
            hit |= {"code": code, "message": "refused by the scenario"}
        armed = self._inside(lambda: self.fake.faces.arm(FAULTS[kind](**hit)))
        self._tell_armed(armed)

    def silence(self, channel: str, for_s: int) -> None:
        """A channel of the sockets says nothing for a while, to nobody."""
        armed = self._inside(lambda: self.fake.faces.arm(Silence(channel=channel, for_us=for_s * 1_000_000)))
        self._tell_armed(armed)

    def mend(self) -> None:
        """Take every fault away; what they did stays on record."""
        for armed in self.fake.faces.faults.armed:
            self.fake.faces.faults.lift(armed)

    def unfired(self) -> list[str]:
        """Faults that were armed and did not take effect, or not as often as they were to."""
        return self.fake.faces.faults.unfired()

    def _tell_armed(self, armed: Armed) -> None:
        if self._sink is not None:
            now_us = self.clock.now_us()
            self._sink.write(
                FaultArmed(src=Source.FAULT, t_local_us=now_us, fault=armed.fault.name, detail=str(armed.fault))
            )

    def _fault_fired(self, armed: Armed, at_us: int, what: str) -> None:
        if self._sink is not None:
            self._sink.write(FaultFired(src=Source.FAULT, t_local_us=at_us, fault=armed.fault.name, detail=what))

    def rules(self) -> Rules:
        """The contract of the venue."""
        return self.fake.exchange.rules

    def disagreements(self, run: Run) -> list[str]:
        """Unknown calls, and every disagreement between the fake's journal and the tape."""
        return [
            *self.fake.faces.journal.unexpected(),
            *disagreements(
                run.facts,
                exchange=self.fake.exchange,
                journal=self.fake.faces.journal,
                account=ACCOUNT,
                bot_key=self.fake.bot_key.api_key,
            ),
        ]

    async def start(self) -> None:
        await self.fake.start()

    async def stop(self) -> None:
        await self.fake.stop()

    def mid(self) -> Decimal:
        """The middle of the market now."""
        self._inside(self.fake.faces.advance)
        quote = self.fake.exchange.quote()
        return (quote.bids[0][0] + quote.asks[0][0]) / 2

    def _transport(self, owner: str) -> FakeTransport:
        return FakeTransport(self.fake, Random(derived_seed(self._seed, f"latency of {owner}")))  # noqa: S311

    def _client(self, transport: httpx.AsyncBaseTransport, key: "Key") -> BitgetVenue:
        return BitgetVenue(
            transport,
            f"http://{HOST}:{PORT}",
            Credentials(api_key=key.api_key, secret=key.secret, passphrase=key.passphrase),
            self.clock,
            public_ws=f"ws://{HOST}:{PORT}/v2/ws/public",
            private_ws=f"ws://{HOST}:{PORT}/v2/ws/private",
        )


def open_stage(settings: Settings, scenario: str, open_venue: OpenFake = open_fake) -> Stage:
    """A stage with the fake venue behind it; close it when done."""

    def open_behind(*, inside: Inside, **wanted: Any) -> FakeStageVenue:
        return FakeStageVenue(open_venue(**wanted), wanted["seed"], inside)

    rogues = {rogue.does: rogue.create for rogue in ROGUES.values()}
    return Stage(settings, scenario, open_behind, rogues, recordings)


@pytest.fixture
def stage(request: pytest.FixtureRequest, fake_bitget: OpenFake) -> Iterator[Stage]:
    """The scenario's stage."""
    stage = open_stage(request.config.stash[SETTINGS], scenario_id(request.node), fake_bitget)
    request.node.stash[STAGE] = stage
    try:
        yield stage
    finally:
        stage.close()


def scenario_id(node: pytest.Item) -> str:
    """Feature file and scenario name, with the example's values: the same wherever the suite lies."""
    function = getattr(node, "function", None)
    template = None if function is None else scenario_wrapper_template_registry.get(function)
    if template is None:
        return node.name
    example = node.callspec.id if hasattr(node, "callspec") else ""
    file, folder = Path(template.feature.filename).resolve(), node.path.parent.resolve()
    name = file.relative_to(folder).as_posix() if file.is_relative_to(folder) else file.name
    return " ".join(filter(None, (name, template.name, example)))
