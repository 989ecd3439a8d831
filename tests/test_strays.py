"""Nothing strays into a run: no clock, sleep, thread, chance, socket, libm, float, hash order, locale or folder order.

Same seed, same bytes holds only where nothing else is asked. The rules stand in `strays`, and the exceptions in one table
there, each with its reason; every rule is seen to fail below, and every exception is still needed. What a module may import
of the house is told in `test_architecture`.
"""

from collections.abc import Mapping
from functools import cache

import pytest
from sources import Module, modules, within
from strays import ALLOWED, RULES, Rule, breaches


@cache
def house() -> tuple[Module, ...]:
    return tuple(modules())


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_nothing_strays(rule: Rule) -> None:
    assert [wrong for module in house() for wrong in breaches(rule, module)] == []


def test_no_exception_is_out_of_date() -> None:
    """Each name in the table is still found where the table allows it."""
    rules = {rule.name: rule for rule in RULES}
    idle = [
        f"{name} in {package}: {what}"
        for (name, package), (names, reason) in ALLOWED.items()
        for what in names
        if not reason
        or not any(
            found == what
            for module in house()
            if within(module.name, package) and rules[name].holds_in(module.name)
            for _, found in rules[name].find(module.tree)
        )
    ]
    assert idle == []


PLANTED: Mapping[str, tuple[str, ...]] = {
    "clock": (
        "import time\ntime.time()",
        "from time import monotonic",
        "import time as t\nstart = t.perf_counter_ns()",
        "from datetime import datetime, UTC\ndatetime.now(UTC)",
        "import datetime\ndatetime.datetime.utcnow()",
        "def f():\n    from datetime import date\n    return date.today()",
    ),
    "sleep": ("import time\ntime.sleep(1)", "from time import sleep as nap\nnap(1)"),
    "wait": ("import asyncio\nasync def f():\n    await asyncio.sleep(1)",),
    "thread": (
        "import threading",
        "from concurrent.futures import ThreadPoolExecutor",
        "import asyncio\nasyncio.to_thread(print)",
        "import os\nos.system('true')",
    ),
    "chance": (
        "from random import Random\nRandom()",
        "import random\nrandom.randint(0, 1)",
        "from random import shuffle",
        "import random\nrandom.seed(1)",
        "import uuid\nuuid.uuid4()",
        "import secrets\nsecrets.token_hex()",
        "import os\nos.urandom(8)",
        "from random import SystemRandom",
    ),
    "distribution": (
        "def f(chance):\n    return chance.gauss(0, 1)",
        "self._random.expovariate(2)",
        "from random import Random\nRandom(1).uniform(0, 1)",
        "def f(chance):\n    return chance.random()",
    ),
    "socket": (
        "import socket",
        "from urllib.request import urlopen",
        "import httpx",
        "import asyncio\nasyncio.open_connection('a', 1)",
        "async def f(loop):\n    await loop.create_connection(print, 'a', 1)",
    ),
    "libm": (
        "import math\nmath.exp(1)",
        "from math import sqrt",
        "import math as m\nm.log(2)",
        "import statistics",
        "def f(x, y):\n    return x**y",
        "def f(x):\n    return x**0.5",
        "x = 1.5**2",
        "pow(2, 3)",
    ),
    "float": ("x = 0.1", "float('1')", "round(1)"),
    "set order": (
        "for x in {1, 2}:\n    print(x)",
        "def f(names: set[str]):\n    return list(names)",
        "def f(a):\n    seen = set(a)\n    return ', '.join(seen)",
        "def f(a, b):\n    return [x for x in set(a) - b]",
        "class A:\n    def __init__(self):\n        self._x: set[str] = set()\n    def f(self):\n        yield from [y for y in self._x]",
        "def f(a):\n    return [*frozenset(a)]",
        "def f(a):\n    left = set(a)\n    return left.pop()",
        "def f(a):\n    return dict.fromkeys(set(a))",
    ),
    "folder order": (
        "def f(path):\n    return list(path.iterdir())",
        "def f(path):\n    for each in path.rglob('*'):\n        print(each)",
        "import os\nos.listdir('.')",
    ),
    "identity": ("hash('a')", "def f(rows):\n    return sorted(rows, key=lambda row: id(row))"),
    "encoding": (
        "def f(path):\n    return path.read_text()",
        "def f(path):\n    path.write_text('a')",
        "open('a')",
        "open('a', 'w')",
        "def f(path):\n    return path.open('w')",
        "def f(path):\n    return path.open(mode='a')",
    ),
    "zone": (
        "from datetime import datetime\ndatetime.fromtimestamp(0)",
        "def f(at):\n    return at.astimezone()",
    ),
    "environment": (
        "import os\nos.environ['HOME']",
        "from os import getenv",
        "from pathlib import Path\nPath.cwd()",
        "import locale",
        "import time\ntime.strftime('%c')",
    ),
}


def planted(rule: Rule, source: str) -> list[str]:
    return breaches(rule, Module("botproof.money", source))


def rule_of(name: str) -> Rule:
    [rule] = [rule for rule in RULES if rule.name == name]
    return rule


@pytest.mark.parametrize(
    ("name", "source"), [(name, source) for name, sources in PLANTED.items() for source in sources]
)
def test_what_strays_is_found(name: str, source: str) -> None:
    assert planted(rule_of(name), source)


def test_every_rule_has_been_seen_to_fail() -> None:
    assert PLANTED.keys() == {rule.name for rule in RULES}


STRAIGHT = (
    "from random import Random\nRandom(1).getrandbits(8)",
    "import random\nchance = random.Random('seed/market')",
    "def f(time):\n    return time.time()",
    "from datetime import UTC, datetime\ndatetime.fromtimestamp(0, UTC)",
    "import math\nmath.isqrt(9), math.gcd(2, 4), math.prod([1]), math.comb(4, 2)",
    "from decimal import Decimal\nDecimal(10) ** 9",
    "pow(2, 3, 5)",
    "def f(a):\n    return sorted(set(a))",
    "def f(a):\n    return len({x for x in set(a)}), max(x for x in set(a)), any(x for x in {1, 2})",
    "def f(a):\n    return sorted(x + 1 for x in set(a))",
    "def f(a, b):\n    return b in set(a)",
    "def f():\n    names = set()\n\ndef g(names):\n    return list(names)",
    "def f(a):\n    return [*dict.fromkeys(a)]",
    "class A:\n    def f(self):\n        names = set()\n    def g(self, names):\n        return ', '.join(names)",
    "def f(path):\n    return sorted(path.glob('*.yml'))",
    "def f(path):\n    return path.read_text(encoding='utf-8'), path.read_text('utf-8'), path.open('rb')",
    "def f(path):\n    path.write_text('a', encoding='utf-8')",
    "open('a', 'rb'), open('a', encoding='ascii')",
    "def f(book):\n    return book.open()",
    "import http\nhttp.HTTPStatus.OK",
    "def f(at, zone):\n    return at.astimezone(zone)",
)


@pytest.mark.parametrize("source", STRAIGHT)
def test_what_is_straight_is_left_alone(source: str) -> None:
    assert [wrong for rule in RULES for wrong in planted(rule, source)] == []


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("float", "botproof.virtual"),
        ("wait", "botproof.bots.reference"),
        ("wait", "botproof.watch"),
        ("float", "botproof.evidence.drawing"),
    ],
)
def test_a_rule_holds_where_it_says_and_nowhere_else(name: str, module: str) -> None:
    assert breaches(rule_of(name), Module(module, PLANTED[name][0])) == []


def test_an_exception_covers_its_own_name_and_no_other() -> None:
    rule, source = rule_of("clock"), "import time\ntime.time_ns()\ntime.monotonic()"
    assert breaches(rule, Module("botproof.clock", source)) == ["botproof.clock:3 clock: time.monotonic"]
    assert len(breaches(rule, Module("botproof.world", source))) == 2
