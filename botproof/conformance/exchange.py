"""Plays the scripted exchange through a carrier, and writes down what comes back."""

import asyncio
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from botproof.conformance.carriers import Carrier, Line, Way
from botproof.conformance.hand import HandClock
from botproof.conformance.keys import call_headers, login
from botproof.conformance.script import BEGINS_US, SCRIPT, Act, Call, Dial, HangUp, Login, Move, Mute, Pass, Say
from botproof.conformance.transcript import ANSWER, Transcript, answer_text
from botproof.conformance.watched import WatchedFake
from botproof.fakes.bitget.faults import Silence
from botproof.fakes.fixtures import FakeVenue, open_fake

SEED = 1
_PLACE_OF_AN_ID = re.compile(r"<([\w-]+)>")
_ACCEPTED = 200


def carry(way: Way, script: Sequence[Act] = SCRIPT) -> Transcript:
    """Play `script` on a fresh fake, brought to it by `way`."""
    with asyncio.Runner(loop_factory=way.loop) as runner:
        return runner.run(_carry(way, script))


async def _carry(way: Way, script: Sequence[Act]) -> Transcript:
    clock = HandClock(BEGINS_US)
    venue, fake = _open(clock)
    try:
        async with way.carry(venue, fake) as carrier:
            player = _Player(venue, fake, clock, carrier)
            for act in script:
                await player.play(act)
            return player.transcript
    finally:
        await fake.aclose()


def _open(clock: HandClock) -> tuple[FakeVenue, WatchedFake]:
    """A fake with 1000 USDT whose sockets are counted and whose channels push as often as the venue's."""
    venue = open_fake(clock=clock, seed=SEED, deposit=Decimal(1000), price=Decimal(67500))
    keys = [venue.bot_key, venue.observer_key]
    fake = WatchedFake(venue.exchange, clock, keys, seed=SEED, cadence="channel")
    return replace(venue, faces=fake), fake


@dataclass(slots=True)
class _End:
    """The client's end of a line: how much was said on it, and how much of what it heard is written down."""

    name: str
    line: Line
    said: int = 0
    written: int = 0
    is_told: bool = False  # that it ended

    @property
    def heard(self) -> int:
        return len(self.line.heard)

    @property
    def ended(self) -> str:
        return self.line.ended


class _Player:
    """Plays acts one after another; each is over when all that it caused has been heard."""

    def __init__(self, venue: FakeVenue, fake: WatchedFake, clock: HandClock, carrier: Carrier) -> None:
        self._venue, self._fake, self._clock, self._carrier = venue, fake, clock, carrier
        self._keys = {"bot": venue.bot_key, "observer": venue.observer_key}
        self._ends: dict[str, _End] = {}
        self._order_ids: dict[str, str] = {}
        self.transcript = Transcript()

    async def play(self, act: Act) -> None:
        match act:
            case Call():
                await self._call(act)
            case Dial(line=name, path=path):
                self._ends[name] = _End(name, await self._carrier.dial(path))
            case Say(line=name, text=text):
                await self._say(name, text)
            case Login(line=name, key=key, spoilt=spoilt):
                await self._say(name, json.dumps(login(self._keys[key], spoilt, self._clock.now_us())))
            case HangUp(line=name):
                await self._ends[name].line.hang_up()
            case Pass(us=us):
                await self._pass(act, self._clock.now_us() + us)
            case Move(change=change, over_us=over_us):
                self._move(change, over_us)
            case Mute(channel=channel, for_us=for_us):
                self._fake.arm(Silence(channel=channel, for_us=for_us))
        await self._listen(act)

    async def _call(self, call: Call) -> None:
        target, body = self._with_ids(call.target), self._with_ids(call.body).encode()
        headers = {"Content-Type": call.content_type} if body else {}
        if call.key:
            key, now_us = self._keys[call.key], self._clock.now_us()
            headers |= call_headers(key, call.spoilt, now_us, method=call.method, target=target, body=body)
        answer = await self._carrier.http.request(call.method, target, headers=headers, content=body or None)
        self._remember_ids(answer.content)
        kind = "calls answered" if answer.status_code == _ACCEPTED else "calls refused"
        text = answer_text(answer.status_code, answer.headers.raw, answer.content)
        self.transcript.note(str(call), ANSWER, text, kind)

    def _with_ids(self, text: str) -> str:
        return _PLACE_OF_AN_ID.sub(lambda place: self._order_ids[place[1]], text)

    def _remember_ids(self, body: bytes) -> None:
        if b'"orderId"' in body and isinstance(data := json.loads(body)["data"], dict) and data.get("clientOid"):
            self._order_ids[data["clientOid"]] = data["orderId"]

    async def _say(self, name: str, text: str) -> None:
        end = self._ends[name]
        end.said += 1
        await end.line.say(text)

    async def _pass(self, act: Pass, until_us: int) -> None:
        """Time goes on from one event to the next only when everybody has heard what the last one caused."""
        while self._clock.ring_next(until_us):
            await self._listen(act)

    def _move(self, change: Decimal, over_us: int) -> None:
        self._fake.advance()
        self._venue.market.script(from_us=self._clock.now_us() + 1, change=change, over_us=over_us, recover_us=None)
        self._fake.rearm()

    async def _listen(self, act: Act) -> None:
        """Wait until all is heard, and write down what each line heard, in the order in which they were dialled."""
        ends = list(self._ends.values())
        await self._fake.quiet(ends)
        for end in ends:
            for text in end.line.heard[end.written :]:
                self.transcript.note(str(act), end.name, text, _kind(text))
            end.written = end.heard
            if end.ended and not end.is_told:
                end.is_told = True
                self.transcript.note(str(act), end.name, end.ended, f"lines {end.ended.split()[0]}")


def _kind(text: str) -> str:
    """What a frame counts as: the channel of a push, else what it says."""
    if not text.startswith("{"):
        return f"{text}s heard"
    frame = json.loads(text)
    if "event" in frame:
        return "errors heard" if frame["event"] == "error" else f"{frame['event']} acknowledged"
    return f"{frame['arg']['channel']} pushed"
