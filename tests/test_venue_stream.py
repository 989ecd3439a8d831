"""Streams against a scripted venue: they open, they deliver, they say when they are lost, and they come back."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from botproof.errors import Unanswered
from botproof.ports import AccountPush, PositionsPush, Push, StreamClosed, StreamOpened, TickerPush
from botproof.venue.stream import Subscription, stream
from botproof.virtual import VirtualLoop
from botproof.world import World

URL = "ws://127.0.0.1:8000/v2/ws/public"
TICKER = {"instType": "USDT-FUTURES", "channel": "ticker", "instId": "BTCUSDT"}
BOOKS = {"instType": "USDT-FUTURES", "channel": "books1", "instId": "BTCUSDT"}
ACCOUNT = {"instType": "USDT-FUTURES", "channel": "account", "coin": "default"}
POSITIONS = {"instType": "USDT-FUTURES", "channel": "positions", "instId": "default"}

Script = Callable[["Peer"], Awaitable[None]]


class Peer:
    """The venue's end of one connection, as a script uses it; text pings are answered unless `mute`."""

    def __init__(self, socket: ServerConnection, number: int) -> None:
        self.socket, self.number = socket, number

    async def hear(self) -> Any:
        while (text := await self.socket.recv()) == "ping":
            await self.socket.send("pong")
        return json.loads(text)

    async def say(self, frame: Mapping[str, Any] | str) -> None:
        await self.socket.send(frame if isinstance(frame, str) else json.dumps(frame))

    async def subscribe(self) -> None:
        """Hear the subscription and acknowledge all of it."""
        for argument in (await self.hear())["args"]:
            await self.say({"event": "subscribe", "arg": dict(reversed(argument.items()))})

    async def tick(self, price: int) -> None:
        row = {"instId": "BTCUSDT", "lastPr": str(price), "bidPr": "1", "askPr": "2", "ts": "1771722000000"}
        await self.say({"action": "snapshot", "arg": TICKER, "data": [row], "ts": 1771722000000})

    async def stay(self) -> None:
        """Answer pings until the client goes."""
        with contextlib.suppress(ConnectionClosed):
            await self.hear()


class Venue:
    """Runs one script for each connection, the last for all further ones."""

    def __init__(self, *scripts: Script) -> None:
        self._scripts, self.connections = scripts, 0

    async def __call__(self, socket: ServerConnection) -> None:
        self.connections += 1
        script = self._scripts[min(self.connections, len(self._scripts)) - 1]
        with contextlib.suppress(ConnectionClosed):
            await script(Peer(socket, self.connections))


class Listener:
    """Takes every push with the virtual second at which it came."""

    def __init__(self, pushes: AsyncIterator[Push]) -> None:
        self._pushes, self.heard = pushes, list[tuple[float, Push]]()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        async for push in self._pushes:
            self.heard.append((round(loop.time(), 3), push))

    def changes(self) -> list[tuple[float, str]]:
        """Openings and losses, with the reason of the latter."""
        return [
            (at, "open" if isinstance(push, StreamOpened) else push.reason)
            for at, push in self.heard
            if isinstance(push, (StreamOpened, StreamClosed))
        ]

    def prices(self) -> list[int]:
        return [int(push.ticker.last) for _, push in self.heard if isinstance(push, TickerPush)]


@pytest.fixture
def world() -> Iterator[World]:
    with World(epoch_us=1_771_722_000_000_000) as world:
        yield world


def listen(world: World, venue: Venue, subscription: Subscription | None = None) -> Listener:
    async def serving() -> None:
        async with serve(venue, "127.0.0.1", 8000):
            await asyncio.Event().wait()

    world.spawn(serving(), name="venue")
    world.run_for(0)
    listener = Listener(stream(subscription or Subscription(url=URL, arguments=(TICKER,))))
    world.spawn(listener.run(), name="listener")
    return listener


async def healthy(peer: Peer) -> None:
    await peer.subscribe()
    await peer.tick(peer.number)
    await peer.stay()


async def lasting(peer: Peer, seconds: float) -> None:
    """A healthy connection that the venue drops after `seconds`."""
    await peer.subscribe()
    await peer.tick(peer.number)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await peer.stay()
    peer.socket.transport.abort()


# Opening


def test_it_opens_when_every_channel_is_acknowledged_and_delivers_what_came_before(world: World) -> None:
    async def slow(peer: Peer) -> None:
        first, second = (await peer.hear())["args"]
        await peer.say({"event": "subscribe", "arg": first})
        await peer.tick(1)
        await asyncio.sleep(3)
        await peer.say({"event": "subscribe", "arg": second, "code": 0})
        await peer.tick(2)
        await peer.stay()

    listener = listen(world, Venue(slow), Subscription(url=URL, arguments=(TICKER, BOOKS)))
    world.run_for(2)
    assert listener.heard == []
    world.run_for(2)
    assert isinstance(listener.heard[0][1], StreamOpened)
    assert (listener.changes(), listener.prices()) == ([(3.0, "open")], [1, 2])


def test_a_missing_acknowledgement_is_a_loss_after_ten_seconds(world: World) -> None:
    async def forgetful(peer: Peer) -> None:
        await peer.hear()
        await peer.stay()

    listener = listen(world, Venue(forgetful, healthy))
    world.run_for(15)
    assert listener.changes() == [(10.0, "expected 1 acknowledgements within 10 s, found none"), (11.0, "open")]


def test_a_refused_channel_is_a_loss_that_names_code_and_text(world: World) -> None:
    async def refusing(peer: Peer) -> None:
        await peer.hear()
        await peer.say({"event": "error", "arg": TICKER, "code": 30001, "msg": "doesn't exist", "op": "subscribe"})
        await peer.stay()

    listener = listen(world, Venue(refusing, healthy))
    world.run_for(5)
    assert listener.changes() == [(0.0, "refused: 30001 doesn't exist"), (1.0, "open")]


def test_a_venue_that_nobody_serves_is_told_once_and_dialled_until_it_is_there(world: World) -> None:
    listener = Listener(stream(Subscription(url=URL, arguments=(TICKER,))))
    world.spawn(listener.run(), name="listener")
    world.run_for(5)
    assert [reason.split(":")[0] for _, reason in listener.changes()] == ["cannot connect"]

    async def serving() -> None:
        async with serve(Venue(healthy), "127.0.0.1", 8000):
            await asyncio.Event().wait()

    world.spawn(serving(), name="venue")
    world.run_for(5)
    assert listener.changes()[1:] == [(7.0, "open")]


# Logging in


async def credentials() -> Mapping[str, object]:
    return {"op": "login", "args": [{"apiKey": "k", "timestamp": "1771722000"}]}


PRIVATE = Subscription(url=URL, arguments=(ACCOUNT, POSITIONS), login=credentials)


@pytest.mark.parametrize("code", [0, "0", None])
def test_a_private_stream_logs_in_before_it_subscribes(world: World, code: object) -> None:
    heard: list[str] = []

    async def private(peer: Peer) -> None:
        heard.append((await peer.hear())["op"])
        await asyncio.sleep(6)
        await peer.say({"event": "login", "connId": "f00"} | ({} if code is None else {"code": code}))
        request = await peer.hear()
        heard.append(request["op"])
        for argument in request["args"]:
            await peer.say({"event": "subscribe", "arg": argument})
        row = {"marginCoin": "USDT", "available": "19", "equity": "20", "unrealizedPL": "0"}
        await peer.say({"action": "snapshot", "arg": ACCOUNT, "data": [row], "ts": 1})
        await peer.say({"action": "snapshot", "arg": POSITIONS, "data": [], "ts": 2})
        await peer.stay()

    listener = listen(world, Venue(private), PRIVATE)
    world.run_for(10)
    assert heard == ["login", "subscribe"]
    assert [type(push) for _, push in listener.heard] == [StreamOpened, AccountPush, PositionsPush]
    assert listener.heard[0] == (6.0, StreamOpened(private=True))


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"event": "error", "code": 30015, "msg": "Invalid sign"}, "refused: 30015 Invalid sign"),
        ({"event": "login", "code": 30005}, "login refused: {'event': 'login', 'code': 30005}"),
    ],
)
def test_a_refused_login_is_a_loss(world: World, answer: dict[str, Any], reason: str) -> None:
    async def refusing(peer: Peer) -> None:
        await peer.hear()
        await peer.say(answer)
        await peer.stay()

    listener = listen(world, Venue(refusing), PRIVATE)
    world.run_for(5)
    assert listener.heard == [(0.0, StreamClosed(private=True, reason=reason))]


def test_a_login_without_an_answer_is_a_loss_after_ten_seconds(world: World) -> None:
    async def silent(peer: Peer) -> None:
        await peer.hear()
        await peer.stay()

    listener = listen(world, Venue(silent), PRIVATE)
    world.run_for(12)
    assert listener.changes() == [(10.0, "expected an answer to the login within 10 s, found none")]


def test_a_login_that_cannot_be_stamped_is_a_loss(world: World) -> None:
    async def no_clock() -> Mapping[str, object]:
        raise Unanswered("GET /api/v2/public/time: no answer within 10 s")

    listener = listen(world, Venue(healthy), Subscription(url=URL, arguments=(ACCOUNT,), login=no_clock))
    world.run_for(1)
    [(_, reason)] = listener.changes()
    assert reason.startswith("cannot log in: GET /api/v2/public/time")


# Staying


def test_it_pings_every_30_seconds_and_a_pong_keeps_it_open(world: World) -> None:
    pings: list[float] = []

    async def quiet(peer: Peer) -> None:
        await peer.subscribe()
        async for text in peer.socket:
            assert text == "ping"
            pings.append(asyncio.get_running_loop().time())
            await peer.say("pong")

    listener = listen(world, Venue(quiet))
    world.run_for(300)
    assert pings == [30.0 * number for number in range(1, 11)]
    assert listener.changes() == [(0.0, "open")]


def test_a_listener_who_takes_his_time_is_not_taken_for_a_silent_line(world: World) -> None:
    async def quick(peer: Peer) -> None:
        await peer.subscribe()
        await peer.tick(1)
        await peer.tick(2)
        async for _ in peer.socket:
            await peer.say("pong")

    class Slow(Listener):
        async def run(self) -> None:
            async for push in self._pushes:
                self.heard.append((asyncio.get_running_loop().time(), push))
                await asyncio.sleep(200)

    async def serving() -> None:
        async with serve(Venue(quick), "127.0.0.1", 8000, ping_interval=None):
            await asyncio.Event().wait()

    world.spawn(serving(), name="venue")
    world.run_for(0)
    listener = Slow(stream(Subscription(url=URL, arguments=(TICKER,))))
    world.spawn(listener.run(), name="listener")
    world.run_for(650)
    assert listener.changes() == [(0.0, "open")]
    assert listener.prices() == [1, 2]


def test_silence_for_a_minute_is_a_loss(world: World) -> None:
    async def deaf(peer: Peer) -> None:
        await peer.subscribe()
        await asyncio.sleep(20)
        await peer.tick(7)
        await asyncio.sleep(3600)

    listener = listen(world, Venue(deaf, healthy))
    world.run_for(100)
    (_, opened), (at, reason), (_, again) = listener.changes()
    assert (opened, reason, again) == ("open", "silent: expected a frame within 60 s, found none", "open")
    assert 80 <= at <= 82


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        ("{torn", "expected a JSON object"),
        ("[1]", "expected a JSON object"),
        ({"event": "error", "code": 30006, "msg": "request too many"}, "refused: 30006 request too many"),
        ({"action": "snapshot", "arg": TICKER, "data": [{"instId": "BTCUSDT"}]}, "unreadable: ticker: expected"),
        ({"action": "snapshot", "arg": {"channel": "books50"}, "data": []}, "unreadable: frame: expected a channel"),
    ],
)
def test_a_frame_that_cannot_be_trusted_is_a_loss(world: World, frame: Any, reason: str) -> None:
    async def odd(peer: Peer) -> None:
        await peer.subscribe()
        await peer.tick(1)
        await peer.say(frame)
        await peer.stay()

    listener = listen(world, Venue(odd, healthy))
    world.run_for(3)
    changes = listener.changes()
    assert [at for at, _ in changes] == [0.0, 0.0, 1.0]
    assert changes[1][1].startswith(reason)
    assert listener.prices() == [1, 2]


def test_a_late_acknowledgement_changes_nothing(world: World) -> None:
    async def repeating(peer: Peer) -> None:
        await peer.subscribe()
        await peer.say({"event": "subscribe", "arg": TICKER})
        await peer.stay()

    listener = listen(world, Venue(repeating))
    world.run_for(30)
    assert listener.changes() == [(0.0, "open")]


# Coming back


def test_a_dropped_connection_is_dialled_again_and_subscribed_again(world: World) -> None:
    listener = listen(world, Venue(lambda peer: lasting(peer, 5), healthy))
    world.run_for(20)
    (_, opened), (lost_at, reason), (back_at, again) = listener.changes()
    assert (opened, again) == ("open", "open")
    assert reason.startswith("closed: ")
    assert (lost_at, back_at) == (5.0, 6.0)
    assert listener.prices() == [1, 2]


def test_waits_double_to_thirty_seconds_while_connections_do_not_last(world: World) -> None:
    listener = listen(world, Venue(lambda peer: lasting(peer, 0.5)))
    world.run_for(120)
    lost = [at for at, what in listener.changes() if what != "open"]
    opened = [at for at, what in listener.changes() if what == "open"]
    waits = [round(again - gone, 3) for gone, again in zip(lost, opened[1:], strict=False)]
    assert waits == [1, 2, 4, 8, 16, 30, 30]


def test_a_connection_that_lasted_starts_the_waits_anew(world: World) -> None:
    async def brief(peer: Peer) -> None:
        await lasting(peer, 0.5)

    async def steady(peer: Peer) -> None:
        await lasting(peer, 90)

    listener = listen(world, Venue(brief, brief, brief, steady, healthy))
    world.run_for(150)
    *_, (lost_at, _), (back_at, _) = listener.changes()
    assert round(back_at - lost_at, 3) == 1


def test_closing_the_iterator_closes_the_connection(world: World) -> None:
    ended: list[str] = []

    async def watching(peer: Peer) -> None:
        await healthy(peer)
        ended.append("connection")

    async def take_one() -> None:
        async with contextlib.aclosing(stream(Subscription(url=URL, arguments=(TICKER,)))) as pushes:
            async for _ in pushes:
                break

    listen(world, Venue(watching))
    world.run(take_one())
    world.run_for(1)
    assert ended == ["connection"]


def test_cancelling_the_listener_leaves_no_task_behind(world: World) -> None:
    listener = listen(world, Venue(healthy))
    world.run_for(30)
    assert listener.prices() == [1]
    loop = world.loop
    assert isinstance(loop, VirtualLoop)
    [task] = [task for task in loop.tasks() if task.get_name() == "listener"]
    task.cancel()
    world.run_for(5)
    assert not [task for task in loop.tasks() if task.get_name().startswith(("listener", "ping"))]
