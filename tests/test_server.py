"""The fake as a whole, met by unmodified clients on the virtual loop and on loopback."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from typing import Any

import httpx
import pytest
from fake_on_hand import (
    BOT,
    OPENED_US,
    SECOND_US,
    HandMarket,
    login_frame,
    open_fake,
    order_body,
    signed,
    subscribe_frame,
)
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from botproof.clock import Clock, SystemClock
from botproof.events import OrderType, Side
from botproof.fakes.bitget.core.exchange import Exchange
from botproof.fakes.bitget.core.messages import PlaceOrder
from botproof.fakes.bitget.faults import Silence
from botproof.fakes.bitget.market.synthetic import SyntheticMarket
from botproof.fakes.bitget.pump import LATENCY_US, Alarm
from botproof.fakes.bitget.server import FakeBitget
from botproof.fakes.bitget.wire import FaceSwitches
from botproof.virtual import VirtualClock, VirtualLoop

HOST, PORT = "api.bitget.com", 80
PLACE = "/api/v2/mix/order/place-order"
PRIVATE = ("account", "positions", "orders", "fill")


@dataclass
class Wire:
    """A serving fake and a clock; sockets to it note when each frame came (seconds since the start, exact)."""

    fake: FakeBitget
    market: HandMarket
    clock: Clock
    address: str = f"{HOST}:{PORT}"
    heard: list[tuple[Decimal, Any]] = field(default_factory=list)

    def at(self) -> Decimal:
        return Decimal(self.clock.now_us() - OPENED_US) / SECOND_US

    @asynccontextmanager
    async def socket(self, kind: str, *channels: str) -> AsyncIterator[ClientConnection]:
        """A client that is logged in where it must be, subscribed, and past its acknowledgements."""
        async with connect(f"ws://{self.address}/v2/ws/{kind}", compression=None, ping_interval=None) as socket:
            if kind == "private":
                await socket.send(login_frame(BOT, self.clock.now_us()))
                assert json.loads(await socket.recv())["event"] == "login"
            await socket.send(subscribe_frame(*channels))
            first_pushes = sum(channel not in ("orders", "fill") for channel in channels)
            for _ in range(len(channels) + first_pushes):
                json.loads(await socket.recv())
            yield socket

    async def listen(self, socket: ClientConnection, seconds: int) -> list[tuple[Decimal, Any]]:
        """What comes within `seconds`."""
        heard = []
        try:
            async with asyncio.timeout(seconds):
                while True:
                    text = await socket.recv()
                    heard.append((self.at(), json.loads(text) if text != "pong" else text))
        except TimeoutError:
            return heard

    async def post(self, http: httpx.AsyncClient, path: str, **changes: Any) -> Any:
        body = json.dumps(order_body(**changes))
        answer = await http.post(path, content=body, headers=signed(BOT, self.clock.now_us(), "POST", path, body))
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]


def on_virtual_time(scene: Callable[[Wire], Awaitable[Any]], **settings: Any) -> Any:
    """Play a scene against a serving fake on the virtual loop."""

    async def play() -> Any:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        clock, market = VirtualClock(loop, OPENED_US), HandMarket()
        fake = open_fake(clock, market, **settings)
        await fake.serve(HOST, PORT)
        try:
            return await scene(Wire(fake, market, clock))
        finally:
            await fake.aclose()

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(play())


def limit(price: Decimal | int, **changes: Any) -> PlaceOrder:
    settings: dict[str, Any] = {
        "symbol": "BTCUSDT",
        "side": Side.BUY,
        "order_type": OrderType.LIMIT,
        "size": Decimal("0.001"),
        "price": Decimal(price),
    }
    return PlaceOrder(**(settings | changes))


# Meeting it


def test_unmodified_clients_place_and_hear_on_the_virtual_loop() -> None:
    async def scene(wire: Wire) -> None:
        async with (
            httpx.AsyncClient(base_url=f"http://{wire.address}") as http,
            wire.socket("private", *PRIVATE) as socket,
        ):
            time = (await http.get("/api/v2/public/time")).json()["data"]["serverTime"]
            assert int(time) == wire.clock.now_us() // 1000
            placed = await wire.post(http, PLACE, orderType="market", price=None, clientOid="bot1-a-1")
            heard = [frame for _, frame in await wire.listen(socket, 1)]
            assert [frame["arg"]["channel"] for frame in heard] == ["orders", "orders", "fill", "positions", "account"]
            assert heard[1]["data"][0]["orderId"] == placed["orderId"]

    on_virtual_time(scene)


def test_unmodified_clients_place_and_hear_on_loopback() -> None:
    async def scene() -> None:
        clock, market = SystemClock(), HandMarket()
        exchange = Exchange(market=market, seed=1, opened_us=OPENED_US)
        exchange.open_account("main", Decimal(1000))
        fake = FakeBitget(exchange, clock, [BOT], seed=1)
        server = await fake.serve("127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()[:2]
        wire = Wire(fake, market, clock, address=f"{host}:{port}")
        async with (
            httpx.AsyncClient(base_url=f"http://{wire.address}", trust_env=False) as http,
            wire.socket("private", *PRIVATE) as socket,
        ):
            placed = await wire.post(http, PLACE, orderType="market", price=None)
            frames = [json.loads(await asyncio.wait_for(socket.recv(), 5)) for _ in range(5)]
            assert frames[1]["data"][0]["orderId"] == placed["orderId"]
            assert frames[1]["data"][0]["status"] == "filled"
        await fake.aclose()
        with pytest.raises(httpx.ConnectError):
            async with httpx.AsyncClient(trust_env=False) as http:
                await http.get(f"http://{wire.address}/api/v2/public/time")

    asyncio.run(scene())


def test_function_and_wire_answer_alike() -> None:
    async def scene(wire: Wire) -> None:
        async with httpx.AsyncClient(base_url=f"http://{wire.address}") as http:
            for target in ("/api/v2/public/time", "/api/v2/mix/market/ticker?symbol=BTCUSDT", "/nowhere"):
                direct = wire.fake.answer("GET", target, [], b"")
                carried = await http.get(target)
                assert (carried.status_code, carried.content) == (direct.status, direct.body)
                assert set(direct.headers) <= {(name.lower(), value) for name, value in carried.headers.raw}

    on_virtual_time(scene)


def test_percent_encoding_survives_the_wire_for_the_signature() -> None:
    async def scene(wire: Wire) -> None:
        target = "/api/v2/mix/order/orders-pending?productType=USDT%2DFUTURES&clientOid=a%2Cb"
        async with httpx.AsyncClient(base_url=f"http://{wire.address}") as http:
            answer = await http.get(target, headers=signed(BOT, wire.clock.now_us(), "GET", target))
        assert answer.json()["code"] == "00000"
        assert wire.fake.journal.calls[-1].query == target.partition("?")[2]

    on_virtual_time(scene)


def test_unknown_socket_is_refused_and_on_record() -> None:
    async def scene(wire: Wire) -> None:
        with pytest.raises(InvalidStatus):
            await connect(f"ws://{wire.address}/v3/ws/public")
        assert wire.fake.journal.unexpected() == ["connection: /v3/ws/public is no socket of the fake"]

    on_virtual_time(scene)


# What happens by itself


def test_fill_by_the_market_is_pushed_at_its_own_instant_without_anybody_looking() -> None:
    async def scene(wire: Wire) -> None:
        async with wire.socket("private", "orders", "fill") as socket:
            wire.fake.command("main", limit(67_000))
            wire.market.move(OPENED_US + 7_250_001, 669_990)
            wire.fake.rearm()
            heard = await wire.listen(socket, 20)
        filled = [(at, frame["data"][0]) for at, frame in heard if frame["arg"]["channel"] == "fill"]
        [(at, row)] = filled
        assert row["cTime"] == str((OPENED_US + 7_250_001) // 1000)
        earliest, latest = (Decimal(7_250_001 + latency) / SECOND_US for latency in LATENCY_US)
        assert earliest <= at <= latest

    on_virtual_time(scene)


def test_funding_is_pushed_at_its_own_instant_without_anybody_looking() -> None:
    async def scene(wire: Wire) -> list[tuple[Decimal, Any]]:
        wire.fake.command("main", limit(67_600))
        await asyncio.sleep(7 * 3600 - 2)
        async with wire.socket("private", *PRIVATE) as socket:
            await wire.listen(socket, 1)
            return await wire.listen(socket, 2)

    heard = on_virtual_time(scene)
    assert [frame["arg"]["channel"] for _, frame in heard] == ["positions", "account"]
    due_us = OPENED_US + 7 * 3600 * SECOND_US
    assert heard[0][1]["data"][0]["uTime"] == str(due_us // 1000)
    assert heard[0][1]["ts"] == due_us // 1000


def test_silent_ticker_falls_silent_on_the_wire_and_returns() -> None:
    async def scene(wire: Wire) -> list[Decimal]:
        wire.fake.command("other", limit(67_600))  # a position: a ticker each second
        async with wire.socket("public", "ticker", "books1") as socket:
            await wire.listen(socket, 5)
            armed = wire.fake.arm(Silence(channel="ticker", for_us=31 * SECOND_US))
            heard = await wire.listen(socket, 40)
            assert armed.fired == 31
        return [sum(frame["arg"]["channel"] == name for _, frame in heard) for name in ("ticker", "books1")]

    assert on_virtual_time(scene) == [9, 40]


def test_fill_by_the_market_is_there_for_rest_where_nobody_is_subscribed() -> None:
    async def scene(wire: Wire) -> None:
        wire.fake.command("main", limit(67_000))
        wire.market.move(OPENED_US + SECOND_US, 669_990)
        await asyncio.sleep(60)
        target = "/api/v2/mix/order/fills?productType=USDT-FUTURES"
        headers = [
            (name.encode(), text.encode()) for name, text in signed(BOT, wire.clock.now_us(), "GET", target).items()
        ]
        [row] = json.loads(wire.fake.answer("GET", target, headers, b"").body)["data"]["fillList"]
        assert row["cTime"] == str(OPENED_US // 1000 + 1000)

    on_virtual_time(scene)


def test_nothing_is_scheduled_while_nobody_is_subscribed() -> None:
    async def scene(wire: Wire) -> None:
        wire.fake.command("main", limit(67_000))
        async with wire.socket("public", "ticker"):
            assert _alarms() > 0
        await asyncio.sleep(11)  # the client's closing handshake is over
        assert _alarms() == 0

    on_virtual_time(scene)


def _alarms() -> int:
    """Timers of the fake on the running loop that have not been cancelled."""
    loop: Any = asyncio.get_running_loop()
    return sum("Alarm" in repr(handle) for handle in loop._scheduled if not handle.cancelled())


def _instants(heard: list[tuple[Decimal, Any]]) -> list[Decimal]:
    """When frames were made, by their own time stamp, in seconds since the start."""
    return [Decimal(frame["ts"] - OPENED_US // 1000) / 1000 for _, frame in heard]


def test_alarm_never_rings_before_its_instant_though_the_loop_runs_ahead_of_the_clock() -> None:
    class Behind:
        """A clock three microseconds behind its loop."""

        def now_us(self) -> int:
            return OPENED_US + round(asyncio.get_running_loop().time() * SECOND_US) - 3

    async def play() -> list[int]:
        clock, rang = Behind(), []
        Alarm(clock, lambda: rang.append(clock.now_us())).set(OPENED_US + SECOND_US)
        await asyncio.sleep(2)
        return rang

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        [rang_us] = runner.run(play())
    assert 0 <= rang_us - OPENED_US - SECOND_US <= 2


def test_the_fakes_time_does_not_go_back_with_the_machines_clock() -> None:
    class Wandering:
        """A clock that is set back."""

        def __init__(self) -> None:
            self.readings = [OPENED_US, OPENED_US + 5 * SECOND_US, OPENED_US + 2 * SECOND_US]

        def now_us(self) -> int:
            return self.readings.pop(0)

    fake = open_fake(Wandering(), HandMarket())
    stamps = [json.loads(fake.answer("GET", "/api/v2/public/time", [], b"").body)["requestTime"] for _ in range(3)]
    assert stamps == [OPENED_US // 1000, OPENED_US // 1000 + 5000, OPENED_US // 1000 + 5000]


def test_lazy_cadence_is_ten_seconds_while_flat() -> None:
    async def scene(wire: Wire) -> list[Decimal]:
        async with wire.socket("public", "ticker") as socket:
            return _instants(await wire.listen(socket, 60))

    instants = on_virtual_time(scene)
    assert len(instants) == 6
    assert {after - before for before, after in pairwise(instants)} == {Decimal(10)}


def test_lazy_cadence_is_a_second_while_any_account_holds_a_position() -> None:
    async def scene(wire: Wire) -> list[Decimal]:
        wire.fake.command("other", limit(67_600))
        async with wire.socket("public", "ticker") as socket:
            return _instants(await wire.listen(socket, 30))

    assert len(on_virtual_time(scene)) == 30


def test_lazy_cadence_pushes_at_once_where_the_market_fills_something() -> None:
    async def scene(wire: Wire) -> list[Decimal]:
        wire.fake.command("main", limit(67_000, reduce_only=False))
        wire.market.move(OPENED_US + 3_333_000, 669_990)
        async with wire.socket("public", "books1") as socket:
            return _instants(await wire.listen(socket, 5))

    assert Decimal("3.333") in on_virtual_time(scene)


def test_channel_cadence_is_the_venues() -> None:
    async def scene(wire: Wire) -> dict[str, int]:
        async with wire.socket("public", "ticker", "books1", "trade") as socket:
            heard = [frame["arg"]["channel"] for _, frame in await wire.listen(socket, 30)]
        return {channel: heard.count(channel) for channel in ("ticker", "books1", "trade")}

    counts = on_virtual_time(scene, cadence="channel")
    assert (counts["ticker"], counts["books1"]) == (100, 300)
    assert counts["trade"] in (29, 30)  # a frame only where something traded


def test_public_grids_share_no_instant_with_each_other_or_with_whole_seconds() -> None:
    async def scene(wire: Wire) -> list[Any]:
        instants: list[Any] = []
        publish = wire.fake._pump._publish

        def noted(channel: str, now_us: int) -> None:
            instants.append(now_us)
            publish(channel, now_us)

        wire.fake._pump._publish = noted  # type: ignore[method-assign]
        async with wire.socket("public", "ticker", "books1", "trade"):
            await asyncio.sleep(60)
        return instants

    instants = on_virtual_time(scene)
    assert len(instants) == len(set(instants)) == 18
    assert all(at_us % 1000 for at_us in instants)


def test_frames_arrive_in_order_after_a_latency() -> None:
    async def scene(wire: Wire) -> None:
        async with wire.socket("private", *PRIVATE) as socket:
            started = wire.at()
            for number in range(20):
                wire.fake.command("main", limit(60_000 + number, client_id=f"n-{number}"))
            heard = [(at, frame) for at, frame in await wire.listen(socket, 2) if frame["arg"]["channel"] == "orders"]
        assert [frame["data"][0]["clientOid"] for _, frame in heard] == [f"n-{number}" for number in range(20)]
        low, high = (Decimal(latency) / SECOND_US for latency in LATENCY_US)
        assert all(low <= at - started <= high for at, _ in heard)

    on_virtual_time(scene)


# Connections that end


async def _hear_out(socket: ClientConnection, heard: list[Any] | None = None) -> None:
    """Listen until the connection ends."""
    while True:
        text = await socket.recv()
        if heard is not None:
            heard.append(text)


async def _ping_on(socket: ClientConnection) -> None:
    """Keep the connection alive until it ends."""
    while True:
        await socket.send("ping")
        assert await socket.recv() == "pong"
        await asyncio.sleep(100)


@pytest.mark.parametrize("streaming", [False, True])
def test_connection_without_ping_is_cut_after_two_minutes_though_data_flows(streaming: bool) -> None:
    async def scene(wire: Wire) -> tuple[Decimal, Any]:
        channels = ("ticker",) if streaming else ("trade",)
        async with wire.socket("public", *channels) as socket:
            with pytest.raises(ConnectionClosed) as closed:
                await _hear_out(socket)
            return wire.at(), closed.value

    at, closed = on_virtual_time(scene, cadence="channel")
    assert 120 <= at <= 143
    assert closed.rcvd is None  # no close frame: the client sees 1006


def test_connection_with_ping_lives_on_for_a_day() -> None:
    async def scene(wire: Wire) -> Decimal:
        async with wire.socket("private", "orders") as socket:
            with pytest.raises(ConnectionClosed):
                await _ping_on(socket)
            return wire.at()

    assert 86_400 <= on_virtual_time(scene) <= 86_501


def test_client_that_floods_is_closed_with_a_frame() -> None:
    async def scene(wire: Wire) -> Any:
        async with wire.socket("public", "ticker") as socket:
            for _ in range(30):
                await socket.send("ping")
            heard: list[Any] = []
            with pytest.raises(ConnectionClosed) as closed:
                await _hear_out(socket, heard)
            return heard[-1], closed.value.rcvd

    last, frame = on_virtual_time(scene)
    assert json.loads(last)["code"] == 30007
    assert frame is not None


def test_refused_login_closes_where_the_switch_says_so() -> None:
    async def scene(wire: Wire) -> None:
        async with connect(f"ws://{wire.address}/v2/ws/private") as socket:
            await socket.send(login_frame(BOT, OPENED_US - 60 * SECOND_US))
            assert json.loads(await socket.recv())["code"] == 30014
            with pytest.raises(ConnectionClosed):
                await socket.recv()

    on_virtual_time(scene, switches=FaceSwitches(close_after_failed_login=True))


def test_connections_come_and_go_in_the_journal() -> None:
    async def scene(wire: Wire) -> None:
        async with wire.socket("private", "orders"):
            assert len(wire.fake.connections) == 1
            assert repr(wire.fake.connections[0]) == "<Connection 1 private ['orders']>"
        await asyncio.sleep(1)
        assert wire.fake.connections == ()
        events = [(event.connection, event.event, event.detail) for event in wire.fake.journal.socket_events]
        assert events == [
            (1, "opened", "private"),
            (1, "login", "bot-key"),
            (1, "subscribe", "orders"),
            (1, "closed", ""),
        ]

    on_virtual_time(scene)


def test_private_pushes_are_in_the_journal_and_public_ones_counted() -> None:
    async def scene(wire: Wire) -> None:
        async with wire.socket("private", "orders"), wire.socket("public", "ticker"):
            wire.fake.command("main", limit(67_000))
            await asyncio.sleep(30)
        order_id = wire.fake.exchange.open_orders("main")[0].order_id
        [push] = wire.fake.journal.pushes
        assert (push.channel, push.account, push.rows, push.ids) == ("orders", "main", 1, (order_id,))
        assert wire.fake.journal.public_pushes["ticker"] == 4

    on_virtual_time(scene)


def test_closing_the_fake_hangs_up() -> None:
    async def scene(wire: Wire) -> None:
        async with wire.socket("public", "ticker") as socket:
            await wire.fake.aclose()
            with pytest.raises(ConnectionClosed):
                await socket.recv()
        with pytest.raises(OSError, match=HOST):
            await connect(f"ws://{wire.address}/v2/ws/public")

    on_virtual_time(scene)


def test_closing_the_fake_while_a_client_takes_its_leave_cuts_the_line() -> None:
    async def scene(wire: Wire) -> None:
        async with wire.socket("public", "ticker") as socket:
            leaving = asyncio.create_task(socket.close())
            await asyncio.sleep(0)  # the client's close frame is on its way
            await asyncio.sleep(0)
            await wire.fake.aclose()
            await leaving

    on_virtual_time(scene)


# Sameness


def _digest(seed: int) -> str:
    """Every byte that a short session of trading hears, hashed."""

    async def play() -> str:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        clock = VirtualClock(loop, OPENED_US)
        exchange = Exchange(market=SyntheticMarket(seed=seed, opened_us=OPENED_US), seed=seed, opened_us=OPENED_US)
        exchange.open_account("main", Decimal(1000))
        fake = FakeBitget(exchange, clock, [BOT], seed=seed)
        await fake.serve(HOST, PORT)
        wire, heard = Wire(fake, HandMarket(), clock), hashlib.sha256()
        async with wire.socket("private", *PRIVATE) as private, wire.socket("public", "ticker", "trade") as public:
            quote = exchange.quote()
            for side, levels in ((Side.BUY, quote.bids), (Side.SELL, quote.asks)):
                fake.command("main", limit(levels[0][0], side=side, client_id=f"quote-{side}"))
            for socket in (private, public):
                for at, frame in await wire.listen(socket, 55):
                    heard.update(f"{at} {json.dumps(frame)}\n".encode())
        await fake.aclose()
        return heard.hexdigest()

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(play())


def test_one_seed_gives_one_story_and_another_seed_another() -> None:
    assert _digest(7) == _digest(7)
    assert _digest(7) != _digest(8)
