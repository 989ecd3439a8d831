"""The scripted exchange: what it exercises, that every carrier brings back the same, and that a bent one is noticed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import cache

import httpx
import pytest

from botproof.conformance import __main__ as command
from botproof.conformance.cadences import Pair, pair_table
from botproof.conformance.carriers import WAYS, Carrier, Way, by_function
from botproof.conformance.exchange import carry
from botproof.conformance.hand import HandClock
from botproof.conformance.script import BEGINS_US, PUBLIC, SCRIPT, SECOND_US, Call, Dial, HangUp, Login, Pass, Say
from botproof.conformance.transcript import ANSWER, Entry, Transcript, answer_text, first_difference
from botproof.conformance.watched import WatchedFake
from botproof.errors import HarnessError
from botproof.fakes.bitget.rest import ROUTES
from botproof.fakes.bitget.ws import PRIVATE_CHANNELS, PUBLIC_CHANNELS
from botproof.seeded import Tried
from botproof.virtual import VirtualLoop

LISTEN = (
    Dial("public", PUBLIC),
    Say("public", '{"op":"subscribe","args":[{"instType":"USDT-FUTURES","channel":"books1","instId":"BTCUSDT"}]}'),
    Pass(SECOND_US),
    HangUp("public"),
)
TIME = Call(method="GET", target="/api/v2/public/time")


@cache
def carried(way: str) -> Transcript:
    return carry(WAYS[way])


# Carriers


@pytest.mark.parametrize("way", [name for name in WAYS if name != "function"])
def test_the_exchange_is_the_same_whatever_carries_it(way: str) -> None:
    assert first_difference(carried("function").entries, carried(way).entries) == ""
    assert carried(way).digest == carried("function").digest


def test_every_route_of_the_fake_is_called_and_every_one_but_the_unified_account_answers() -> None:
    answered = {
        tuple(entry.act.split("?")[0].split(" ")[:2])
        for entry in carried("function").entries
        if entry.source == ANSWER and entry.text.startswith("200\n")
    }
    assert {(route.method, route.path) for route in ROUTES} - answered == {("GET", "/api/v3/account/settings")}


def test_every_channel_of_the_fake_is_heard() -> None:
    heard = {kind.removesuffix(" pushed") for kind in carried("function").counts if kind.endswith(" pushed")}
    assert heard == {*PUBLIC_CHANNELS, *PRIVATE_CHANNELS}


def test_the_refusals_are_of_many_kinds() -> None:
    texts = [entry.text for entry in carried("function").entries]
    codes = {text.partition('"code":')[2].partition(",")[0].strip('"') for text in texts if '"code":' in text}
    assert {"40009", "40008", "40404", "40034", "45110", "40786", "43001", "30015", "30016", "30007"} <= codes
    assert len(codes) >= 35


def test_each_act_is_told_in_a_line() -> None:
    told = [str(act) for act in SCRIPT]
    assert all(told)
    assert not any("\n" in line for line in told)
    assert str(Login("private", "bot", "stale")) == "private logs in as bot (stale)"


# Each difference is noticed


def altered(*, drops_header: bytes = b"", swaps: int | None = None, ends: str = "") -> Way:
    """By function, but for one header of the answers, two neighbouring frames of a line, or how a line ends."""

    @asynccontextmanager
    async def bent(venue: object, fake: WatchedFake) -> AsyncIterator[Carrier]:
        async with by_function(venue, fake) as carrier:  # type: ignore[arg-type]

            async def dial(path: str) -> object:
                line = await carrier.dial(path)
                return Bent(line, swaps, ends)

            async def strip(response: httpx.Response) -> None:
                response.headers.pop(drops_header.decode(), None)

            carrier.http.event_hooks = {"response": [strip]}
            yield replace(carrier, dial=dial)

    return Way(VirtualLoop, bent)


class Bent:
    """A line that swaps a frame with the one after it, or ends otherwise."""

    def __init__(self, line: object, swaps: int | None, ends: str) -> None:
        self._line, self._swaps, self._ends = line, swaps, ends
        self.say, self.hang_up = line.say, line.hang_up

    @property
    def heard(self) -> list[str]:
        heard = list(self._line.heard)
        if self._swaps is not None and len(heard) > self._swaps + 1:
            heard[self._swaps : self._swaps + 2] = reversed(heard[self._swaps : self._swaps + 2])
        return heard

    @property
    def ended(self) -> str:
        return self._ends if self._ends and self._line.ended else self._line.ended


def test_a_dropped_header_is_noticed_and_the_message_names_where() -> None:
    straight, bent = carry(WAYS["function"], [TIME]), carry(altered(drops_header=b"x-mbx-used-remain-limit"), [TIME])
    assert straight.digest != bent.digest
    difference = first_difference(straight.entries, bent.entries)
    assert difference.startswith("entry 1, after `GET /api/v2/public/time`: answer, character ")
    assert "x-mbx-used" in difference.partition("expected ")[2].partition(", found ")[0]


def test_a_reordered_frame_is_noticed() -> None:
    straight, bent = carry(WAYS["function"], LISTEN), carry(altered(swaps=0), LISTEN)
    assert straight.counts == bent.counts
    assert straight.digest != bent.digest
    assert first_difference(straight.entries, bent.entries).startswith(f"entry 1, after `{SECOND_US} us pass`: public")


def test_another_end_of_a_connection_is_noticed() -> None:
    straight, bent = carry(WAYS["function"], LISTEN), carry(altered(ends="cut"), LISTEN)
    assert first_difference(straight.entries, bent.entries).endswith("expected 'closed 1000', found 'cut'")


def test_a_header_of_the_carrier_itself_is_no_difference() -> None:
    body = b'{"code":"00000"}'
    bare = answer_text(200, [(b"x-limit", b"19"), (b"Content-Type", b"application/json")], body)
    served = [(b"content-type", b"application/json"), (b"date", b"now"), (b"server", b"uvicorn"), (b"x-limit", b"19")]
    assert answer_text(200, served, body) == bare


def test_two_transcripts_part_where_one_ends() -> None:
    entry = Entry("a call", ANSWER, "200")
    assert first_difference([entry], [entry, entry]) == (
        "entry 2, after `a call`: answer: nothing was expected in place of '200'"
    )
    assert first_difference([entry], []) == "entry 1, after `a call`: answer: nothing was found in place of '200'"


def test_two_transcripts_part_where_another_line_spoke() -> None:
    one, other = Entry("a call", "public", "pong"), Entry("a call", "private", "pong")
    assert first_difference([one], [other]) == "entry 1: expected after `a call`: public, found after `a call`: private"


def test_parts_of_an_entry_cannot_be_taken_for_one_another() -> None:
    assert Transcript([Entry("ab", "c", "d")]).digest != Transcript([Entry("a", "bc", "d")]).digest


def test_the_table_has_a_line_an_entry() -> None:
    transcript = carry(WAYS["function"], [TIME])
    header, line = transcript.table().splitlines()
    assert header == "after,came,begins,sha256"
    assert line.startswith("GET /api/v2/public/time,answer,")


def test_a_frame_that_is_never_heard_is_an_error_and_no_wait_for_ever() -> None:
    @asynccontextmanager
    async def deaf(venue: object, fake: WatchedFake) -> AsyncIterator[Carrier]:
        async with by_function(venue, fake) as carrier:  # type: ignore[arg-type]

            async def dial(path: str) -> object:
                line = await carrier.dial(path)
                line.heard = Deaf()
                return line

            yield replace(carrier, dial=dial)

    class Deaf(list[str]):
        def append(self, _: str) -> None:
            """Hears nothing."""

    with pytest.raises(HarnessError, match="something said was never heard"):
        carry(Way(VirtualLoop, deaf), LISTEN)


# The command


def test_the_command_gives_a_digest_a_carrier_and_fails_on_a_bent_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["botproof.conformance"])
    monkeypatch.setattr(command, "carry", lambda way: carry(way, [TIME]))
    monkeypatch.setattr(command, "WAYS", {"function": WAYS["function"], "again": WAYS["function"]})
    assert command.main() == 0
    first, again = capsys.readouterr().out.splitlines()
    assert first.removesuffix(" function") == again.removesuffix(" again")
    bent = altered(drops_header=b"x-mbx-used-remain-limit")
    monkeypatch.setattr(command, "WAYS", {"function": WAYS["function"], "bent": bent})
    assert command.main() == 1
    assert "  entry 1, after `GET /api/v2/public/time`: answer" in capsys.readouterr().out


@pytest.mark.parametrize("seeds", ["5:1", "all", "1", ":", "-1:3", "1:\N{SUPERSCRIPT TWO}"])
def test_seeds_that_are_no_range_are_refused(
    seeds: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["botproof.conformance", f"--seeds={seeds}"])
    with pytest.raises(SystemExit) as refused:
        command.main()
    assert refused.value.code == 2
    assert "expected two whole numbers, the first smaller, such as 0:100" in capsys.readouterr().err


# The clock set by hand


def test_hand_clock_rings_in_order_of_time_and_then_of_making() -> None:
    clock, rung = HandClock(0), []
    for name, at_us in (("late", 30), ("first", 10), ("second", 10), ("beyond", 31)):
        clock.call_at(at_us, lambda name=name: rung.append((name, clock.now_us())))
    while clock.ring_next(30):
        pass
    assert rung == [("first", 10), ("second", 10), ("late", 30)]
    assert clock.now_us() == 30


def test_hand_clock_does_not_ring_what_was_called_off_and_rings_late_what_is_overdue() -> None:
    clock, rung = HandClock(100), []
    clock.call_at(120, lambda: rung.append("never")).cancel()
    clock.call_at(50, lambda: rung.append(clock.now_us()))
    assert clock.ring_next(200)
    assert not clock.ring_next(200)
    assert rung == [100]
    assert clock.now_us() == 200


def test_nothing_is_pushed_while_the_clock_stands() -> None:
    transcript = carry(WAYS["function"], [*LISTEN[:2], TIME, TIME])
    assert [entry.source for entry in transcript.entries] == [ANSWER, ANSWER]
    assert str(BEGINS_US // 1000) in transcript.entries[-1].text


# Cadences


def tried(**changes: object) -> Tried:
    return Tried(seed=3, role="micro_cap", held=("E1", "E2"), **changes)  # type: ignore[arg-type]


def test_equal_verdicts_are_no_difference_whatever_was_filled() -> None:
    assert Pair(tried(entries_filled=1), tried(entries_filled=2)).difference == ""
    assert Pair(tried(entries_filled=1), tried(entries_filled=2)).entries_filled == 1


def test_a_verdict_that_hangs_on_the_cadence_is_named_with_both_words() -> None:
    other = Tried(seed=3, role="micro_cap", held=("E1",), broken={"C1": "wrong"})
    assert Pair(tried(), other).difference == "seed 3, lazy / channel: C1 NOT SHOWN / BROKEN; E2 HELD / NOT SHOWN"


def test_what_went_wrong_under_a_cadence_is_a_difference() -> None:
    assert Pair(tried(), tried(complaints=("it fell",))).difference == "seed 3, lazy / channel: channel: it fell"


def test_the_table_of_pairs_has_a_line_a_seed_and_cadence() -> None:
    lines = pair_table([Pair(tried(entries_filled=1), tried())]).splitlines()
    assert lines[1:] == ["3,micro_cap,lazy,2,0,1,0", "3,micro_cap,channel,2,0,0,0"]
