"""The floors of docs/architecture.md as data, and the rules that hold on them, checked by reading every source.

A rule is a function from a module to what is wrong with it, one line each. Imports count wherever they stand, inside
functions too. Every rule is seen to fail below, on a planted source.
"""

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping

import pytest
from sources import FOLDERS, ROOT, Module, modules, within

# From the ground up: a floor is a row of strangers, a stranger a row of rooms of which each may use those to its left.
FLOORS = (
    (("errors", "money", "clock", "events", "notation"),),
    (("document", "schema", "profile", "terms", "feasibility", "invariants", "notrade", "incidents", "closure"),),
    (("ports",),),
    (("network", "virtual"), ("venue",), ("bots",), ("evidence",), ("circumstances",), ("tripwire",)),
    (("settings", "record", "trial", "watch", "world", "live", "run", "stage"),),
    (
        (
            *("plugin", "selection", "vocabulary", "progress", "session", "fixtures", "seeded", "search"),
            *("conformance", "loopback", "commands", "cli"),
        ),
    ),
)
PLACE = {
    room: (floor, stranger, place)
    for floor, strangers in enumerate(FLOORS)
    for stranger, rooms in enumerate(strangers)
    for place, room in enumerate(rooms)
}
FRONT_DOOR = len(FLOORS) - 1
STEPS_REACH = 2  # floors 0-2 for their types, and the one object behind the steps
FAKE = (
    *("core", "market", "faults", "wire", "signing", "journal", "ask", "agreement"),
    *("rest_account", "rest_market", "rest_order", "rest", "ws_rows", "ws", "pump", "server", "control"),
)
# What one module alone may know, that and no other.
KNOWN_TO = {
    "allure": {"botproof.evidence.attachments"},
    "allure_commons": {"botproof.evidence.attachments"},
    "allure_pytest": {"botproof.evidence.attachments"},
    "uvicorn": {"botproof.fakes.bitget.server"},
    "websockets": {
        *("botproof.venue.stream", "botproof.fakes.bitget.ws", "botproof.fakes.bitget.server"),
        "botproof.conformance.carriers",
    },
}
PURE = (*(f"botproof.{room}" for room, (floor, *_) in PLACE.items() if floor <= 2),)
PURE_FAKES = ("botproof.fakes.bitget.core", "botproof.fakes.bitget.market")
IMPURE_MODULES = frozenset(
    {
        *("asyncio", "concurrent", "httpx", "io", "multiprocessing", "os", "secrets", "select", "selectors", "shutil"),
        *("signal", "socket", "ssl", "subprocess", "sys", "tempfile", "threading", "time", "urllib", "uuid", "uvicorn"),
        "websockets",
    }
)
IMPURE_CALLS = frozenset(
    {
        *("now", "utcnow", "today", "sleep", "open", "read_text", "read_bytes", "write_text", "write_bytes", "input"),
        "print",
    }
)
RANDOM = ("random", "random.Random")
# The doors in the pure floors: the machine's clock, the reader of a YAML file, and the two that ask it to read.
DOORS = {
    "botproof.clock": {"time"},
    "botproof.document": {"open"},
    "botproof.profile": {"read_bytes"},
    "botproof.terms": {"read_bytes"},
}
MODULE_LINES_MAX, FUNCTION_LINES_MAX = 500, 70


def room(name: str) -> str:
    """The room of the library that a module or a name taken from it stands in; empty for the rest."""
    parts = name.split(".")
    return parts[1] if parts[0] == "botproof" and len(parts) > 1 and parts[1] in PLACE else ""


def may_use(user: str, used: str) -> bool:
    """Whether one room of the library may import another."""
    if user == used:
        return True
    (floor, stranger, place), (other_floor, other_stranger, other_place) = PLACE[user], PLACE[used]
    return other_floor < floor or (other_floor == floor and other_stranger == stranger and other_place < place)


# The rules.


def homeless(module: Module) -> Iterator[str]:
    """Every module has its room."""
    fake = module.name.removeprefix("botproof.fakes.bitget.")
    if within(module.name, "botproof.fakes"):
        if fake != module.name and fake.split(".")[0] not in FAKE:
            yield f"{module.name} stands in no room of the fake: add it to FAKE"
    elif (
        "." in module.name
        and not within(module.name, "botproof.steps")
        and not within(module.name, "botproof.features")
    ) and not room(module.name):
        yield f"{module.name} stands on no floor: add it to FLOORS and to docs/architecture.md"


def upward(module: Module) -> Iterator[str]:
    """The library imports downwards and to the left; only the front door knows the fakes, and nobody the steps."""
    here = room(module.name)
    if not here:
        return
    for each in module.imports:
        there = room(each.target)
        if here == "plugin" and each.on_demand:
            continue
        if there and not may_use(here, there):
            yield f"{module.name}:{each.line} imports {each.target}: {here} may not use {there}"
        if within(each.target, "botproof.fakes") and PLACE[here][0] < FRONT_DOOR:
            yield f"{module.name}:{each.line} imports {each.target}: only the front door knows the fakes"
        if within(each.target, "botproof.steps") or within(each.target, "botproof.features"):
            yield f"{module.name}:{each.line} imports {each.target}: steps are registered by name"


def fake_in_the_house(module: Module) -> Iterator[str]:
    """The fake stands on floor 0 alone, and inside it the faces stand on the core."""
    if not within(module.name, "botproof.fakes.bitget"):
        return
    here = module.name.removeprefix("botproof.fakes.bitget").strip(".").split(".")[0]
    for each in module.imports:
        there = room(each.target)
        if there and PLACE[there][0] > 0:
            yield f"{module.name}:{each.line} imports {each.target}: the fake stands on floor 0 alone"
        inner = each.target.removeprefix("botproof.fakes.bitget.").split(".")[0]
        if inner in FAKE and here in FAKE and FAKE.index(inner) > FAKE.index(here) and inner != each.target:
            yield f"{module.name}:{each.line} imports {each.target}: {here} may not use {inner}"


def steps_beyond_types(module: Module) -> Iterator[str]:
    """Steps take types from floors 0-2 and the stage; the rest comes as fixtures."""
    if not within(module.name, "botproof.steps"):
        return
    for each in module.imports:
        there = room(each.target)
        reaches = there and there != "stage" and PLACE[there][0] > STEPS_REACH
        if reaches or within(each.target, "botproof.fakes"):
            yield f"{module.name}:{each.line} imports {each.target}: steps get it as a fixture"


def misnamed(module: Module) -> Iterator[str]:
    """Siblings relatively inside steps and fakes, all else absolutely, and never by the name of a folder."""
    own = next((package for package in ("botproof.steps", "botproof.fakes") if within(module.name, package)), "")
    for each in module.imports:
        if each.target.split(".")[0] in FOLDERS.keys() - {"botproof"}:
            yield f"{module.name}:{each.line} imports {each.target}: say botproof.{each.target}"
        if own and within(each.target, own) and not each.relative:
            yield f"{module.name}:{each.line} imports {each.target}: a sibling is imported relatively"
        if each.relative and not (own and within(each.target, own)):
            yield f"{module.name}:{each.line} imports {each.target}: the library is imported absolutely"


def secrets_told(module: Module) -> Iterator[str]:
    """Allure, uvicorn and websockets are known to those who need them."""
    for each in module.imports:
        knowers = KNOWN_TO.get(each.target.split(".")[0])
        if knowers is not None and module.name not in knowers:
            yield f"{module.name}:{each.line} imports {each.target}: known to {', '.join(sorted(knowers))} only"


def impure(module: Module) -> Iterator[str]:
    """Floors 0-2, the core and the market: no clock, no file, no socket, no sleep, no thread, no common chance."""
    faked = any(within(module.name, package) for package in PURE_FAKES)
    if not faked and not any(within(module.name, package) for package in PURE):
        return
    doors = DOORS.get(module.name, set())
    modules_out = (IMPURE_MODULES | {"pathlib"} if faked else IMPURE_MODULES) - doors
    for each in module.imports:
        top = each.target.split(".")[0]
        if top in modules_out or (top == "random" and each.target not in RANDOM):
            yield f"{module.name}:{each.line} imports {each.target}: this floor is pure"
    for node in (node for node in ast.walk(module.tree) if isinstance(node, ast.expr)):
        name = _called(node, a_method_may_open=faked)
        if name in IMPURE_CALLS - doors:
            yield f"{module.name}:{node.lineno} calls {name}(): this floor is pure"
        if _shares_chance(node):
            yield f"{module.name}:{node.lineno} draws from the common random source: chance is handed in"


def _called(node: ast.expr, *, a_method_may_open: bool) -> str:
    """What is called; in the fake a method named `open` opens an exchange or lists orders, as there are no paths."""
    match node:
        case ast.Call(func=ast.Name(id=name)):
            return name
        case ast.Call(func=ast.Attribute(attr=name)) if not (a_method_may_open and name == "open"):
            return name
    return ""


def _shares_chance(node: ast.expr) -> bool:
    match node:
        case ast.Attribute(value=ast.Name(id="random"), attr=name):
            return name != "Random"
    return False


def oversized(module: Module) -> Iterator[str]:
    """Modules and functions that can be taken in."""
    lines = len(module.source.splitlines())
    if lines > MODULE_LINES_MAX:
        yield f"{module.name} has {lines} lines, {MODULE_LINES_MAX} are allowed"
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LINES_MAX:
                yield f"{module.name}:{node.lineno} {node.name} has {length} lines, {FUNCTION_LINES_MAX} are allowed"


Rule = Callable[[Module], Iterable[str]]
RULES: tuple[Rule, ...] = (
    homeless,
    upward,
    fake_in_the_house,
    steps_beyond_types,
    misnamed,
    secrets_told,
    impure,
    oversized,
)


@pytest.mark.parametrize("rule", RULES)
def test_the_house_keeps_its_rule(rule: Rule) -> None:
    assert [wrong for module in modules() for wrong in rule(module)] == []


def test_tests_name_the_fakes_and_the_steps_by_their_installed_names() -> None:
    tests = [Module(path.stem, path.read_text(encoding="utf-8")) for path in sorted((ROOT / "tests").rglob("*.py"))]
    assert [wrong for module in tests for wrong in misnamed(module)] == []


def test_the_walk_finds_the_house() -> None:
    names = {module.name for module in modules()}
    assert {"botproof.events", "botproof.fakes.bitget.core.messages", "botproof.steps", "botproof.invariants"} <= names


PLANTED: Mapping[Rule, tuple[tuple[str, str], ...]] = {
    homeless: (
        ("botproof.utils", ""),
        ("botproof.fakes.bitget.helpers", ""),
    ),
    upward: (
        ("botproof.events", "from botproof.profile import Profile"),
        ("botproof.money", "import botproof.events"),
        ("botproof.profile", "from botproof import closure"),
        ("botproof.venue.rest", "from botproof.evidence.rows import MINUTE"),
        ("botproof.bots.reference", "def f():\n    from botproof.venue.rest import Client"),
        ("botproof.watch", "from botproof.world import World"),
        ("botproof.run", "import botproof.plugin"),
        ("botproof.run", "from botproof.fakes.bitget.server import serve"),
        ("botproof.cli", "from botproof.steps import account"),
        ("botproof.plugin", "from botproof.session import Session"),
    ),
    fake_in_the_house: (
        ("botproof.fakes.bitget.rest", "from botproof.venue import signing"),
        ("botproof.fakes.bitget.core.orders", "from botproof.ports import Order"),
        ("botproof.fakes.bitget.core.orders", "from ..rest import Face"),
        ("botproof.fakes.bitget.journal", "def f():\n    from .server import serve"),
    ),
    steps_beyond_types: (
        ("botproof.steps.account", "from botproof.venue.rest import Client"),
        ("botproof.steps.account", "from botproof.fakes.bitget import server"),
        ("botproof.steps.account", "from botproof.run import Run"),
    ),
    misnamed: (
        ("botproof.run", "import steps"),
        ("tests.test_x", "from fakes.bitget import core"),
        ("botproof.steps.account", "from botproof.steps.tables import rows"),
        ("botproof.fakes.bitget.rest", "from botproof.fakes.bitget.core import messages"),
        ("botproof.run", "from .world import World"),
    ),
    secrets_told: (
        ("botproof.run", "import allure"),
        ("botproof.evidence.files", "from allure_commons.types import AttachmentType"),
        ("botproof.venue.rest", "import websockets"),
        ("botproof.fakes.bitget.rest", "import uvicorn"),
        ("botproof.evidence.picture", "def f():\n    import allure"),
    ),
    impure: (
        ("botproof.events", "import time"),
        ("botproof.invariants.sizing", "import socket"),
        ("botproof.ports", "import threading"),
        ("botproof.closure", "def f(path):\n    return path.read_text()"),
        ("botproof.terms", "def f(path):\n    return open(path)"),
        ("botproof.money", "from datetime import datetime\ndatetime.now()"),
        ("botproof.fakes.bitget.core.ids", "import random\nrandom.randint(0, 1)"),
        ("botproof.fakes.bitget.market.draw", "from random import random"),
        ("botproof.fakes.bitget.core.ids", "import asyncio"),
        ("botproof.fakes.bitget.core.ids", "open('seed')"),
        ("botproof.fakes.bitget.core.ids", "from pathlib import Path"),
        ("botproof.profile", "def f(path):\n    return path.open()"),
    ),
    oversized: (
        ("botproof.events", "\n" * (MODULE_LINES_MAX + 1)),
        ("botproof.events", "def f():\n" + "    pass\n" * FUNCTION_LINES_MAX),
    ),
}


@pytest.mark.parametrize(
    ("rule", "name", "source"), [(rule, name, source) for rule, planted in PLANTED.items() for name, source in planted]
)
def test_planted_breach_is_found(rule: Rule, name: str, source: str) -> None:
    assert list(rule(Module(name, source)))


ALLOWED = (
    ("botproof.run", "from botproof import __version__\nfrom botproof.evidence.tape import Tape"),
    ("botproof.plugin", "def f():\n    from botproof.session import Session"),
    ("botproof.fixtures", "from botproof.fakes.bitget.server import serve"),
    ("botproof.clock", "import time"),
    ("botproof.steps.account", "from botproof.stage import Stage\nfrom .tables import rows"),
    ("botproof.fakes.bitget.rest", "from .core.messages import PlaceOrder\nfrom botproof.errors import VenueError"),
    ("botproof.fakes.bitget.core.ids", "import random\nrandom.Random(1)"),
    ("botproof.fakes.bitget.core.ids", "\n" * MODULE_LINES_MAX),
    ("botproof.document", "def f(path):\n    return path.open('rb')"),
    ("botproof.fakes.bitget.core.orders", "def f(book):\n    return book.open()"),
    ("botproof.closure", "def f():\n" + "    pass\n" * (FUNCTION_LINES_MAX - 1)),
)


@pytest.mark.parametrize(("name", "source"), ALLOWED)
def test_what_is_allowed_is_left_alone(name: str, source: str) -> None:
    assert [wrong for rule in RULES for wrong in rule(Module(name, source))] == []


def test_every_rule_has_been_seen_to_fail() -> None:
    assert PLANTED.keys() == set(RULES)
