"""The picture of a run: what it shows, what it never does, and how large it may become."""

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest
from streams import BUY, MICRO_CAP, NO_TRADE, SELL, Stream, micro_cap_run, no_trade_run

from botproof.events import (
    BotRestarted,
    BotStateChanged,
    Fact,
    FillSeen,
    FundingSettled,
    OperatorAction,
    OrderSeen,
    OrderState,
    RunEnded,
    Side,
    Source,
    TopOfBook,
)
from botproof.evidence import picture
from botproof.evidence.drawing import LETTER_PX
from botproof.evidence.picture import MARKS_MAX, draw
from botproof.evidence.scene import scene

ROOT = Path(__file__).parents[1]
SVG = "{http://www.w3.org/2000/svg}"


def root(svg: str) -> ET.Element:
    """The picture as XML; whatever is not well-formed fails here."""
    return ET.fromstring(svg)


def said(svg: str) -> str:
    """Every word that can be read in the picture without pointing at anything."""
    return "\n".join(element.text or "" for element in root(svg).iter(f"{SVG}text"))


def paths(svg: str, kind: str) -> list[str]:
    """The commands of the paths of a class; the last of a kind with a legend is its sample."""
    found = [element for element in root(svg).iter(f"{SVG}path") if element.get("class") == kind]
    return [element.get("d", "") for element in found]


def test_the_base_line_of_a_panel_is_as_faint_as_its_grid() -> None:
    svg = draw(micro_cap_run(), MICRO_CAP)
    base = {f"M{picture.LEFT} {y}H{picture.RIGHT}" for y in (picture.PRICE_BOTTOM, picture.EXPOSURE_BOTTOM)}
    assert base <= set(paths(svg, "grid"))


def test_the_names_of_the_panels_stand_clear_of_every_line() -> None:
    names = [
        element for element in root(draw(micro_cap_run(), MICRO_CAP)).iter(f"{SVG}text") if element.get("transform")
    ]
    assert [name.text for name in names] == ["price, USDT", "exposure, USDT"]
    assert all(f"translate({picture.NAMES} " in name.get("transform", "") for name in names)
    assert picture.NAMES < picture.LEFT - 6 * LETTER_PX  # left of values of six letters


def state(stream: Stream, name: str, *reasons: str) -> None:
    stream.write(BotStateChanged(src=Source.BOT, t_local_us=stream.now_us, state=name, reasons=reasons))


def operate(stream: Stream, action: str) -> None:
    stream.write(OperatorAction(src=Source.OPERATOR, t_local_us=stream.now_us, action=action, detail=""))


def test_a_picture_has_a_title_a_description_its_own_background_and_nothing_from_outside() -> None:
    svg = draw(micro_cap_run(), MICRO_CAP)
    picture_root = root(svg)
    assert [child.tag for child in picture_root][:2] == [f"{SVG}title", f"{SVG}desc"]
    assert picture_root[0].text == "a stream"
    assert "4 orders" in (picture_root[1].text or "").replace("5 orders", "4 orders")
    assert picture_root.get("role") == "img"
    assert "prefers-color-scheme: dark" in svg
    assert 'class="bg"' in svg
    without_namespace = svg.replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"<script|href|url\(|@import|@font-face|http", without_namespace)


def test_run_bot_venue_profile_window_and_utc_are_named_in_words() -> None:
    words = said(draw(micro_cap_run(), MICRO_CAP))
    for text in ("a stream", "bot reference 1 on fake", MICRO_CAP.id, "window opens", "window ended", "2026-02-22 UTC"):
        assert text in words
    assert "bot asked to stop" in words
    assert "INCOMPLETE" not in words


def test_every_order_is_a_line_from_its_sending_to_its_end() -> None:
    facts = micro_cap_run()
    drawn = scene(facts, MICRO_CAP)
    own = [(order.side, order.exits, str(order.price)) for order in drawn.orders]
    assert own == [
        (Side.BUY, False, BUY),
        (Side.SELL, False, SELL),
        (Side.BUY, False, BUY),
        (Side.SELL, False, SELL),
        (Side.SELL, True, "67532.8"),
    ]
    assert all(drawn.from_us < order.from_us < order.to_us < drawn.to_us for order in drawn.orders)
    svg = draw(facts, MICRO_CAP)
    assert paths(svg, "entry buy")[0].count("H") == 2
    assert paths(svg, "exit sell")[0].count("H") == 1
    assert len(paths(svg, "exit buy")) == 1  # the sample in the legend alone


def test_maker_and_taker_buy_and_sell_have_shapes_of_their_own() -> None:
    facts = micro_cap_run()
    svg = draw(
        [replace(f, is_maker=False) if isinstance(f, FillSeen) and f.side is Side.SELL else f for f in facts], MICRO_CAP
    )
    [buy, sample] = paths(svg, "maker buy")
    assert buy.endswith(picture.UP)
    assert sample.endswith(picture.UP)
    [sell, _] = paths(svg, "taker sell")
    assert sell.endswith(picture.DOWN)
    assert len(paths(svg, "maker sell")) == 1


def test_exposure_above_the_envelope_is_filled_and_below_it_is_not() -> None:
    def a_third_quote(stream: Stream) -> None:
        stream.place(Side.BUY, BUY)

    def a_fourth_quote_too(stream: Stream) -> None:
        stream.place(Side.BUY, BUY)
        stream.place(Side.BUY, BUY)

    kept, broken = (
        draw(micro_cap_run(quoted=moment), MICRO_CAP) for moment in (lambda stream: None, a_fourth_quote_too)
    )
    assert paths(kept, "above") == []
    assert len(paths(broken, "above")) == 1
    assert "envelope 20 USDT" in said(broken)
    assert draw(micro_cap_run(quoted=a_third_quote), MICRO_CAP) != kept


def test_states_are_bands_and_their_reasons_can_be_read() -> None:
    def pause(stream: Stream) -> None:
        state(stream, "soft_pause", "edge_below_floor")
        state(stream.wait(20), "hard_stop", "operator_stop")

    facts = micro_cap_run(stopping=lambda stream: None, held=pause)
    drawn = scene(facts, MICRO_CAP)
    assert [(state.name, state.reason) for state in drawn.states] == [
        ("running", ""),
        ("soft_pause", "edge_below_floor"),
        ("hard_stop", "operator_stop"),
    ]
    assert all(earlier.to_us == later.from_us for earlier, later in zip(drawn.states, drawn.states[1:], strict=False))
    svg = draw(facts, MICRO_CAP)
    assert {"running", "soft_pause", "hard_stop"} <= {box.get("class") for box in root(svg).iter(f"{SVG}rect")}
    assert "soft_pause: edge_below_floor" in said(svg)
    assert "hard_stop: operator_stop" in said(svg)
    assert "<title>hard_stop: operator_stop</title>" in svg


def test_operator_restart_and_funding_are_notes() -> None:
    def much(stream: Stream) -> None:
        operate(stream, "stop")
        stream.write(BotRestarted(src=Source.RUN, t_local_us=stream.wait(20).now_us, start=2, client_id_prefix="r2-"))
        stream.write(
            FundingSettled(
                src=Source.VENUE,
                t_local_us=stream.wait(20).now_us,
                symbol="BTCUSDT",
                rate=None,
                amount_usdt=Decimal("-0.00067"),
            )
        )

    words = said(draw(micro_cap_run(held=much), MICRO_CAP))
    for text in ("operator: stop", "bot killed, start 2", "funding -0.00067 USDT"):
        assert text in words


def test_a_killed_bot_is_in_no_state_until_it_says_one() -> None:
    def restart(stream: Stream) -> None:
        stream.write(BotRestarted(src=Source.RUN, t_local_us=stream.now_us, start=2, client_id_prefix="r2-"))
        state(stream.wait(3), "running")

    first, second = scene(micro_cap_run(held=restart), MICRO_CAP).states
    assert second.from_us - first.to_us == 3_000_000


def test_an_order_of_somebody_else_is_told_apart_and_one_far_away_is_put_on_the_edge_and_counted() -> None:
    def theirs(stream: Stream) -> None:
        for at, (order_id, price) in enumerate((("hand", "67400"), ("far", "66000"))):
            stream.write(
                OrderSeen(
                    src=Source.VENUE,
                    t_local_us=stream.now_us + at,
                    order_id=order_id,
                    client_id=order_id,
                    symbol="BTCUSDT",
                    side=Side.BUY,
                    order_type="limit",
                    force="gtc",
                    price=Decimal(price),
                    size=Decimal("0.0001"),
                    filled=Decimal(0),
                    state=OrderState.LIVE,
                    reduce_only=False,
                    via="push",
                )
            )

    svg = draw(no_trade_run(inside=theirs), NO_TRADE)
    assert paths(svg, "other buy")[0].count("H") == 2
    assert f"H{picture.RIGHT}" in paths(svg, "other buy")[0]
    assert "beyond the scale, and drawn on its edge: 1 at 66000" in said(svg)


def test_a_refused_order_is_a_cross() -> None:
    def refused(stream: Stream) -> None:
        order = stream.send(Side.BUY, "67300")
        stream.wait("0.02").answer(order.request, code="40762")

    [cross, _] = paths(draw(micro_cap_run(quoted=refused), MICRO_CAP), "refused")
    assert cross.endswith(picture.CROSS)


def test_a_run_that_was_cut_short_is_drawn_and_says_so() -> None:
    facts = micro_cap_run()
    for length in (1, 2, 10, len(facts) // 2, len(facts) - 12):
        svg = draw(facts[:length], MICRO_CAP)
        assert "INCOMPLETE: the run was cut short" in said(svg)
    broken_off = [replace(f, complete=False) if isinstance(f, RunEnded) else f for f in facts]
    assert "INCOMPLETE" in said(draw(broken_off, MICRO_CAP))


def test_an_empty_tape_is_a_picture_that_says_what_is_missing() -> None:
    words = said(draw([], MICRO_CAP))
    assert "the start of the run is not on the tape" in words
    assert "no price is on the tape" in words


@pytest.mark.parametrize("price", ["NaN", "sNaN", "Infinity", "-1", "0", "1E+60", "1E-60", "9" * 60])
def test_numbers_that_are_none_are_left_out_or_put_on_the_edge(price: str) -> None:
    amount = Decimal(price)
    for kind, fields in (
        (TopOfBook, {"bid": amount, "mark": amount}),
        (FillSeen, {"price": amount}),
        (OrderSeen, {"price": amount, "size": amount}),
    ):
        facts = [replace(f, **fields) if type(f) is kind else f for f in micro_cap_run()]
        assert "bot reference 1 on fake" in said(draw(facts, MICRO_CAP))
        one = next(number for number, fact in enumerate(facts) if type(fact) is kind)
        only_one = [
            fact if number == one else whole
            for number, (fact, whole) in enumerate(zip(facts, micro_cap_run(), strict=True))
        ]
        assert "bot reference 1 on fake" in said(draw(only_one, MICRO_CAP))


def test_words_of_the_bot_are_escaped_and_cut() -> None:
    odd = ("\x00\ud800&" * 3, "long " * 2000)
    facts = [
        replace(f, state='</text><script>alert("x")</script>', reasons=odd) if isinstance(f, BotStateChanged) else f
        for f in micro_cap_run()
    ]
    svg = draw(facts, MICRO_CAP)
    svg.encode()
    assert "<script" not in svg
    assert len(svg) < 20_000
    root(svg)


def test_the_times_of_a_tape_may_be_anything() -> None:
    facts = micro_cap_run()
    for at_us in (0, -1, 1, -(10**20), 10**25):
        for some in (
            [replace(f, t_local_us=at_us) for f in facts],
            [*facts[:-1], replace(facts[-1], t_local_us=at_us)],
        ):
            root(draw(some, MICRO_CAP))


def shaken(random: Random) -> list[Fact]:
    """A run whose facts come in any order, some twice, some not at all, some from somebody who cannot know."""
    facts = random.choices(micro_cap_run(), k=random.randint(1, 120))
    return [replace(fact, src=random.choice(list(Source))) if random.random() < 0.2 else fact for fact in facts]


@pytest.mark.parametrize("seed", range(30))
def test_a_shaken_tape_never_raises_and_still_shows_its_panels(seed: int) -> None:
    words = said(draw(shaken(Random(seed)), MICRO_CAP))
    assert "price, USDT" in words
    assert "exposure, USDT" in words


def test_facts_that_are_none_never_raise() -> None:
    facts = micro_cap_run()
    for field, value in (
        ("symbol", None),
        ("price", "67"),
        ("side", 7),
        ("size", None),
        ("state", b""),
        ("reasons", None),
    ):
        bad = [replace(f, **{field: value}) if hasattr(f, field) else f for f in facts]
        root(draw(bad, MICRO_CAP))
    root(draw([None, 7, facts[0]], MICRO_CAP))  # type: ignore[list-item]


def test_what_only_the_bot_says_of_orders_and_fills_is_not_drawn() -> None:
    facts = [replace(f, src=Source.BOT) if isinstance(f, FillSeen | OrderSeen) else f for f in micro_cap_run()]
    drawn = scene(facts, MICRO_CAP)
    assert drawn.fills == []


def long_run(minutes: int, every_s: int = 1) -> Sequence[Fact]:
    """A price every so many seconds, two quotes every 90 s of which some fill, a state now and then."""
    random, stream, price = Random(1), Stream(MICRO_CAP), 675_000
    stream.start()
    stream.preflight()
    stream.to_minute()
    stream.open_window(minutes)
    state(stream, "running")
    resting = []
    for second in range(0, minutes * 60, every_s):
        price += random.randint(-40, 40)
        stream.wait(every_s).ticker(str(Decimal(price) / 10))
        if second % 90 == 5:
            for order in resting:
                stream.cancel(order)
            mid = Decimal(price) / 10
            resting = [stream.place(Side.BUY, str(mid - 235)), stream.place(Side.SELL, str(mid + 235))]
            if random.random() < 0.3:
                stream.fill(resting.pop(random.randint(0, 1)))
        if random.random() < 0.002:
            state(stream, random.choice(["running", "soft_pause"]), random.choice(["edge", "cooldown"]))
    stream.close_window()
    stream.step("asked")
    return stream.end()


@pytest.mark.parametrize(("minutes", "every_s", "bytes_max"), [(15, 1, 40_000), (540, 5, 100_000)])
def test_the_size_of_a_picture_is_bounded(minutes: int, every_s: int, bytes_max: int) -> None:
    svg = draw(long_run(minutes, every_s), MICRO_CAP)
    assert len(svg.encode()) <= bytes_max
    root(svg)


def test_marks_that_cannot_be_told_apart_are_drawn_as_ranges() -> None:
    stream = Stream(MICRO_CAP)
    stream.start()
    stream.preflight()
    random = Random(2)
    for _ in range(MARKS_MAX + 200):
        order = stream.wait("0.3").place(Side.BUY, str(67000 + random.randint(0, 300)))
        stream.wait("0.1").fill(order, row=False)
        state(stream, "running", str(random.random()))
    svg = draw(stream.end(), MICRO_CAP)
    assert len(svg.encode()) < 150_000
    [ranges, _] = paths(svg, "entry buy")
    assert "H" not in ranges
    assert "too many to be drawn" in said(svg)


def test_lowest_and_highest_price_of_a_column_survive_the_thinning() -> None:
    facts = list(long_run(120))
    books = [number for number, fact in enumerate(facts) if isinstance(fact, TopOfBook)]
    for number, mark in ((books[3000], "60000"), (books[5000], "70000")):
        facts[number] = replace(facts[number], bid=Decimal(mark), ask=Decimal(mark) + Decimal("0.1"))
    drawn = [int(y) for y in re.findall(r"V(\d+)", paths(draw(facts, MICRO_CAP), "mid")[0])]
    height = picture.PRICE_BOTTOM - picture.PRICE_TOP
    assert min(drawn) < picture.PRICE_TOP + height // 10
    assert max(drawn) > picture.PRICE_BOTTOM - height // 10


def test_equal_tapes_give_equal_bytes_in_any_process(tmp_path: Path) -> None:
    program = (
        "import hashlib, streams\nfrom botproof.evidence.picture import draw\n"
        "print(hashlib.sha256(draw(streams.micro_cap_run(), streams.MICRO_CAP).encode()).hexdigest())"
    )
    digests = set()
    for seed in ("1", "2"):
        environment = {
            "PATH": os.defpath,
            "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}",
            "PYTHONHASHSEED": seed,
            "LC_ALL": "C",
            "TZ": "America/Lima",
        }
        command = [sys.executable, "-c", program]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
        digests.add(done.stdout)
    assert len(digests) == 1
