"""`botproof fake` as a process: over real sockets, by its page, and with options that are none."""

import asyncio
import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner
from fake_on_hand import login_frame, order_body, signed, subscribe_frame
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from botproof.cli import main
from botproof.clock import SystemClock
from botproof.errors import Refusal
from botproof.fakes.bitget.control.calls import Control
from botproof.fakes.bitget.market.shifted import ShiftedMarket
from botproof.fakes.bitget.market.synthetic import SyntheticMarket
from botproof.fakes.bitget.signing import Key
from botproof.loopback import Offer, _Desk, read_offer

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "fake.md"
LAUNCH = "import botproof, sys; botproof.__path__.append(sys.argv.pop(1)); from botproof.cli import main; main()"
COMMAND = (sys.executable, "-c", LAUNCH, str(ROOT))
TOLD = ["rest_url", "ws_public_url", "ws_private_url", "control_url", "api_key", "api_secret", "passphrase", "seed"]
PLACE = "/api/v2/mix/order/place-order"
READY_S, IDLE_KIB = 10, 60 * 1024  # the time is for a busy machine; what is promised is measured below
ENVIRONMENT = {name: text for name, text in os.environ.items() if not name.startswith("PYTEST_")} | {
    "PYTHONPATH": str(ROOT)
}
slow = pytest.mark.slow


@dataclass
class Running:
    """A started fake, and what it told."""

    process: subprocess.Popen[str]
    told: dict[str, Any]

    @property
    def key(self) -> Key:
        return Key("main", self.told["api_key"], self.told["api_secret"], self.told["passphrase"])

    def control(self, name: str, **members: Any) -> Any:
        answer = httpx.post(f"{self.told['control_url']}/{name}", json=members)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def state(self) -> Any:
        return httpx.get(f"{self.told['control_url']}/state").json()

    def ask(self, method: str, target: str, body: str = "", timeout_s: float = 5) -> Any:
        headers = signed(self.key, SystemClock().now_us(), method, target, body)
        url = self.told["rest_url"] + target
        return httpx.request(method, url, content=body or None, headers=headers, timeout=timeout_s).json()

    def place(self, **changes: Any) -> Any:
        return self.ask("POST", PLACE, json.dumps(order_body(**changes)))

    def end(self, number: int) -> tuple[int, str]:
        """Exit code and stderr after a signal."""
        self.process.send_signal(number)
        _, said = self.process.communicate(timeout=READY_S)
        return self.process.returncode, said


@contextmanager
def started(*options: str) -> Iterator[Running]:
    process = subprocess.Popen(
        [*COMMAND, "fake", "--port", "0", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line, process.communicate()[1]
        yield Running(process, json.loads(line))
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with started("--seed", "7") as found:
        yield found


@pytest.fixture
def fake(running: Running) -> Running:
    running.control("reset", seed=7)
    return running


# Over real sockets


@slow
def test_it_tells_exactly_where_it_is_and_with_which_key(running: Running) -> None:
    assert list(running.told) == TOLD
    assert running.told["seed"] == 7
    port = running.told["rest_url"].rpartition(":")[2]
    assert running.told["ws_private_url"] == f"ws://127.0.0.1:{port}/v2/ws/private"
    assert running.told["control_url"] == f"http://127.0.0.1:{port}/_control"


@slow
def test_order_is_placed_filled_by_control_pushed_and_found_in_the_journal(fake: Running) -> None:
    async def scene() -> list[Any]:
        async with connect(fake.told["ws_private_url"], compression=None) as ws:
            await ws.send(login_frame(fake.key, SystemClock().now_us()))
            assert json.loads(await ws.recv())["event"] == "login"
            await ws.send(subscribe_frame("orders", "fill"))
            await ws.recv()
            await ws.recv()
            assert (await asyncio.to_thread(fake.place, clientOid="mine"))["code"] == "00000"
            resting = json.loads(await ws.recv())
            await asyncio.to_thread(fake.control, "fill", client_id="mine")
            return [resting, json.loads(await ws.recv()), json.loads(await ws.recv())]

    resting, filled, fill = asyncio.run(scene())
    assert (resting["arg"]["channel"], resting["data"][0]["status"]) == ("orders", "live")
    assert (filled["arg"]["channel"], filled["data"][0]["status"]) == ("orders", "filled")
    assert (fill["arg"]["channel"], fill["data"][0]["price"]) == ("fill", "67000")
    assert fake.control("journal", path=PLACE, client_id="mine")["count"] == 1
    assert fake.control("journal", kind="deed")["entries"][0]["command"] == "FillOrder"
    assert fake.state()["complaints"] == []


async def listen(socket: ClientConnection, seconds: float) -> list[dict[str, Any]]:
    heard = []
    try:
        async with asyncio.timeout(seconds):
            while True:
                heard.append(json.loads(await socket.recv()))
    except TimeoutError:
        return heard


@slow
def test_public_channels_keep_the_venue_s_cadence_until_one_is_silenced(fake: Running) -> None:
    async def scene() -> tuple[list[Any], list[Any]]:
        async with connect(fake.told["ws_public_url"], compression=None) as ws:
            await ws.send(subscribe_frame("ticker", "books1"))
            before = await listen(ws, 3)
            await asyncio.to_thread(fake.control, "silence", channel="ticker", for_s=60)
            await listen(ws, 0.2)
            return before, await listen(ws, 1)

    before, after = asyncio.run(scene())
    count = [sum(each["arg"]["channel"] == channel for each in before) for channel in ("ticker", "books1")]
    assert 6 <= count[0] <= 13  # every 300 ms, and the first
    assert 15 <= count[1] <= 33  # every 100 ms
    assert {each["arg"]["channel"] for each in after} == {"books1"}


@slow
def test_clock_offset_expires_a_login_too(fake: Running) -> None:
    fake.control("clock", offset_ms=-45_000)

    async def scene() -> Any:
        async with connect(fake.told["ws_private_url"], compression=None) as ws:
            await ws.send(login_frame(fake.key, SystemClock().now_us()))
            return json.loads(await ws.recv())

    assert asyncio.run(scene())["code"] == 30014
    assert fake.place()["code"] == "40008"


@slow
def test_delayed_answer_comes_late_and_a_lost_one_never(fake: Running) -> None:
    fake.control("answer", do="delay", path=PLACE, delay_ms=600)
    begin = time.monotonic()
    assert fake.place(clientOid="late")["code"] == "00000"
    assert 0.6 <= time.monotonic() - begin < 5
    fake.control("answer", do="lose", path=PLACE)
    with pytest.raises(httpx.ReadTimeout):
        fake.ask("POST", PLACE, json.dumps(order_body(clientOid="lost")), timeout_s=0.5)
    assert fake.state()["accounts"]["main"]["orders"] == 2


@slow
def test_reset_cuts_every_line(fake: Running) -> None:
    async def scene() -> Any:
        async with connect(fake.told["ws_public_url"], compression=None) as ws:
            await ws.send(subscribe_frame("ticker"))
            await ws.recv()
            told = await asyncio.to_thread(fake.control, "reset")
            with pytest.raises(ConnectionClosed):
                await listen(ws, 3)
            return told

    assert asyncio.run(scene())["hung_up"] == 1
    assert fake.state()["connections"] == []
    assert fake.place()["code"] == "00000"


@slow
@pytest.mark.parametrize(
    "headers", [{"Host": "evil.example"}, {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}]
)
def test_page_from_elsewhere_changes_nothing(fake: Running, headers: dict[str, str]) -> None:
    for method in ("POST", "OPTIONS"):
        answer = httpx.request(method, f"{fake.told['control_url']}/reset", content=b'{"seed": 99}', headers=headers)
        assert answer.status_code == 403
        assert not [name for name in answer.headers if name.startswith("access-control")]
    assert fake.state()["seed"] == 7


@slow
def test_endless_body_is_refused_before_it_is_read(fake: Running) -> None:
    answer = httpx.post(f"{fake.told['control_url']}/reset", content=b" " * 3_000_000)
    assert answer.status_code == 413
    assert fake.state()["seed"] == 7


# Beginning and end


@slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("asked", [b"", b"GET /", b"GET /api/v2/public/time HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"])
def test_signal_ends_it_cleanly_while_clients_wait(number: int, asked: bytes) -> None:
    with started() as fake:
        host, _, port = fake.told["rest_url"].removeprefix("http://").partition(":")
        fake.control("answer", do="lose", path="/api/v2/public/time", times="always")
        with socket.create_connection((host, int(port))) as waiting:
            waiting.sendall(asked)
            fake.state()  # it has heard what came before
            assert fake.end(number) == (0, "")


@slow
def test_signal_ends_it_cleanly_while_sockets_listen_and_an_answer_is_held_back() -> None:
    async def scene(fake: Running) -> tuple[int, str]:
        late = asyncio.create_task(asyncio.to_thread(fake.ask, "GET", "/api/v2/public/time"))
        public, private = fake.told["ws_public_url"], fake.told["ws_private_url"]
        async with connect(public, compression=None) as listening, connect(private, compression=None):
            await listening.send(subscribe_frame("ticker", "books1"))
            await listening.recv()
            ended = await asyncio.to_thread(fake.end, signal.SIGTERM)
            with pytest.raises(ConnectionClosed):
                await listen(listening, 3)
        with pytest.raises(httpx.TransportError):
            await late
        return ended

    with started() as fake:
        fake.control("answer", do="delay", path="/api/v2/public/time", delay_ms=60_000)
        assert asyncio.run(scene(fake)) == (0, "")


@slow
def test_idle_fake_is_small_and_listens_on_loopback_alone() -> None:
    with started() as fake:
        status = Path(f"/proc/{fake.process.pid}/status").read_text()
        peak_kib = int(re.search(r"VmHWM:\s+(\d+) kB", status)[1])  # type: ignore[index]
        assert peak_kib <= IDLE_KIB
        port = int(fake.told["rest_url"].rpartition(":")[2])
        listening = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        hosts = {
            address for _, address, _, state, *_ in listening if state == "0A" and address.endswith(f":{port:04X}")
        }
        assert hosts == {f"0100007F:{port:04X}"}


@slow
def test_it_is_ready_without_what_only_pytest_needs() -> None:
    """The time itself is the machine's; what would cost it is known by name."""
    code = LAUNCH.replace("from botproof.cli import main; main()", "import botproof.loopback; print(*sys.modules)")
    done = subprocess.run(
        [sys.executable, "-c", code, str(ROOT)], capture_output=True, text=True, env=ENVIRONMENT, check=True
    )
    heavy = {"pytest", "allure_commons", "hypothesis", "httpx", "rich", "yaml", "pytest_bdd", "botproof.settings"}
    assert heavy & set(done.stdout.split()) == set()


@slow
def test_recording_happens_from_now_on(tmp_path: Path) -> None:
    rows = "\n".join(f"{1_771_722_000_000 + n * 500},buy,{61_000 + n},0.01,{n}" for n in range(2_000))
    (tmp_path / "trades.csv").write_text(f"timestamp_ms,side,price,size,trade_id\n{rows}\n")
    offer = read_offer(port="0", seed="1", market=f"replay:{tmp_path / 'trades.csv'}", balance="20", folder=tmp_path)
    assert offer.recording is not None
    with started("--market", f"replay:{tmp_path / 'trades.csv'}", "--balance", "20") as fake:
        assert fake.process.stderr is not None
        assert "lasts 16 min; then its market stands still" in fake.process.stderr.readline()
        state = fake.state()
        assert 61_000 <= Decimal(state["market"]["last"]) <= 61_100
        assert state["accounts"]["main"]["wallet"] == "20"
        answer = httpx.post(f"{fake.told['control_url']}/price", json={"to_usdt": 66_000})
        assert answer.json()["refused"]["found"] == "a recorded one"


# Its page

BLOCK = re.compile(r"^```(sh|json)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
MARK = "@@@ next @@@"


def examples(page: str) -> list[tuple[str, list[Any]]]:
    """Each block of commands, and the answers shown below it."""
    blocks = [(kind, text) for kind, text in BLOCK.findall(page)]
    pairs = list(zip(blocks[::2], blocks[1::2], strict=False))
    unpaired = [sh for (kind, sh), (other, _) in pairs if (kind, other) != ("sh", "json")]
    assert not unpaired, f"each block of commands is followed by its answer: {unpaired}"
    assert len(blocks) % 2 == 0
    return [(sh, answers(shown)) for (_, sh), (_, shown) in pairs]


def answers(text: str) -> list[Any]:
    """One JSON value after another."""
    found, decoder = [], json.JSONDecoder()
    text = text.strip()
    while text:
        value, end = decoder.raw_decode(text)
        found.append(value)
        text = text[end:].strip()
    return found


def differs(shown: Any, found: Any, where: str = "answer") -> list[str]:
    """Where an answer is not as the page shows it; `"..."` stands for anything."""
    if shown == "...":
        return []
    if isinstance(shown, dict) and isinstance(found, dict):
        rest = "..." in shown
        names = shown.keys() - {"..."} if rest else shown.keys() | found.keys()
        missing = object()
        return [
            line
            for name in names
            for line in differs(shown.get(name, missing), found.get(name, missing), f"{where}.{name}")
        ]
    if isinstance(shown, list) and isinstance(found, list) and len(shown) == len(found):
        pairs = enumerate(zip(shown, found, strict=True))
        return [line for n, (a, b) in pairs for line in differs(a, b, f"{where}[{n}]")]
    return [] if shown == found else [f"{where}: the page shows {shown!r}, found {found!r}"]


@slow
@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("openssl")), reason="the page speaks curl and openssl")
def test_every_example_of_the_page_answers_as_shown(tmp_path: Path) -> None:
    command = tmp_path / "bin" / "botproof"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{LAUNCH}" {ROOT} "$@"\n')
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    shown = examples(PAGE.read_text(encoding="utf-8"))
    script = "\n".join(f"{commands}\necho '{MARK}'" for commands, _ in shown)
    environment = ENVIRONMENT | {"PATH": f"{command.parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["sh", "-e"],
        input=script,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env=environment,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    outputs = done.stdout.split(MARK)
    for (commands, expected), output in zip(shown, outputs, strict=False):
        assert differs(expected, answers(output)) == [], commands


def test_page_names_every_call_of_the_control_face() -> None:
    offer = Offer(port=0, seed=1, balance_usdt=Decimal(1))
    control = Control(_Desk(offer, SystemClock()).open, 1, Decimal(1))
    listed = json.loads(control.answer("GET", "/_control", b"").body)["calls"]
    commands = "\n".join(sh for sh, _ in examples(PAGE.read_text(encoding="utf-8")))
    page = PAGE.read_text(encoding="utf-8")
    for call in listed:
        name = call["call"].rpartition("/")[2]
        assert not name or f'"$CONTROL/{name}"' in commands, f"{name} has no example"
        assert [member for member in call["members"] if f"{member}`" not in page and f'"{member}"' not in page] == []


def test_answer_that_is_not_as_shown_is_noticed() -> None:
    assert differs({"a": 1, "b": "..."}, {"a": 1, "b": 5}) == []
    assert differs({"a": 1}, {"a": 1, "b": 5}) != []
    assert differs({"a": 1, "b": 2}, {"a": 1}) != []
    assert differs({"a": 1, "...": "..."}, {"a": 1, "b": 5}) == []
    assert differs([{"a": 1}], [{"a": 2}]) != []
    assert differs([1], [1, 2]) != []


# Options that are none


def refused(*options: str) -> str:
    result = CliRunner().invoke(main, ["fake", *options])
    assert isinstance(result.exception, SystemExit), result.exception
    assert (result.exit_code, result.stdout) == (2, "")
    assert 1 <= len(result.stderr.splitlines()) <= 2
    assert "Traceback" not in result.stderr
    return result.stderr


@pytest.mark.parametrize("option", ["--port", "--seed", "--balance", "--market"])
@pytest.mark.parametrize(
    "text", ["", "x", "-1", "1.5.5", "1e400", "nan", "²", "\udcff", "9" * 4_000, "replay:", "/", "\0"]
)
def test_option_that_is_none_is_refused(option: str, text: str) -> None:
    assert option in refused(option, text) if "\udcff" not in text else refused(option, text)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--port", "65536"), "from 0 to 65535"),
        (("--balance", "0"), "from 0.01"),
        (("--balance", "0.000000001"), "at most 8 decimals"),
        (("--balance", "1000000001"), "to 1000000000"),
        (("--market", "replay:no-such.csv"), "no-such.csv"),
        (("--market", "replay:/"), "directory"),
        (("--surprise",), "--surprise"),
        (("8787",), "8787"),
    ],
)
def test_refusal_says_what_was_expected(options: tuple[str, ...], said: str) -> None:
    assert said in refused(*options)


def test_port_in_use_is_refused_with_what_to_do() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert f"found {port}: in use; give another, or 0 for any" in refused("--port", str(port))


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=30), st.text(max_size=30), st.text(max_size=30))
def test_no_text_of_an_option_leaves_a_traceback(port: str, seed: str, balance: str) -> None:
    for options in ({"port": port}, {"seed": seed}, {"balance": balance}):
        asked = {"port": "0", "seed": "1", "balance": "1000"} | options
        try:
            read_offer(**asked, market="synthetic", folder=Path())
        except Refusal as refusal:
            assert len(str(refusal).splitlines()) == 1


# A recording, later


def test_shifted_market_shows_what_was_recorded_that_much_later() -> None:
    by_us, at_us, second_us = 90_000_000_000, 1_771_722_000_000_000, 1_000_000
    recorded = SyntheticMarket(seed=1, opened_us=at_us)
    market = ShiftedMarket(recorded, by_us)
    now_us = at_us + 60 * second_us
    assert market.top(now_us + by_us) == recorded.top(now_us)
    assert market.prices(now_us + by_us) == recorded.prices(now_us)
    assert market.step_us(now_us + by_us) == recorded.step_us(now_us) + by_us
    assert market.funding_rate(now_us + by_us) == recorded.funding_rate(now_us)
    bid, _ = recorded.top(now_us)
    reached = recorded.first_touch(now_us, now_us + 600 * second_us, bid - 1, None)
    assert reached is not None
    assert market.first_touch(now_us + by_us, now_us + by_us + 600 * second_us, bid - 1, None) == reached + by_us
    assert market.first_touch(now_us + by_us, now_us + by_us + second_us, 1, None) is None
    trades = recorded.trades(at_us, now_us)
    shifted = market.trades(at_us + by_us, now_us + by_us)
    assert [(trade.trade_id, trade.at_us + by_us) for trade in trades] == [(t.trade_id, t.at_us) for t in shifted]
