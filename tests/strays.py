"""What strays into a run, found by reading sources: rules, where each holds, and who may do it all the same.

Rules see names and shapes, not types: an integer division that gives a float is found where a float is written down or
made by `float()`, an order of sets where the set is made in sight.
"""

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from sources import Module, within

HOUSE = ("botproof",)
FAKE = "botproof.fakes"
STEPS = ("botproof.steps", "botproof.features")
# What a payload's bytes come from: words, judgement, the bots, the exchange and its market, rows and tape.
BYTES = (
    *(f"botproof.{room}" for room in ("errors", "money", "clock", "events", "notation", "document", "schema")),
    *(f"botproof.{room}" for room in ("profile", "terms", "feasibility", "invariants", "closure", "ports", "bots")),
    *("botproof.evidence.rows", "botproof.evidence.tape", "botproof.evidence.files", "botproof.seeded"),
    "botproof.fakes.bitget",
)
# Where a wait would be a second owner of time: time is moved by the world, and the fake wakes by its alarms.
WITHOUT_WAITING = (*STEPS, FAKE, *BYTES[:-1], "botproof.evidence", "botproof.conformance")

Found = Iterator[tuple[int, str]]


@dataclass(frozen=True)
class Rule:
    """What `find` finds in a source is forbidden in the packages of `where`."""

    name: str
    find: Callable[[ast.Module], Found]
    where: tuple[str, ...] = HOUSE
    but_not: tuple[str, ...] = ()

    def holds_in(self, module: str) -> bool:
        return any(within(module, package) for package in self.where) and not any(
            within(module, package) for package in self.but_not
        )


# Names as they are known where they are used


@cache
def nodes(tree: ast.Module) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(tree))


@cache
def imported(tree: ast.Module) -> dict[str, str]:
    """Local names and what they stand for: `from time import sleep as nap` gives nap: time.sleep."""
    names: dict[str, str] = {}
    for node in nodes(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                names[alias.asname or alias.name.split(".")[0]] = (
                    alias.name if alias.asname else alias.name.split(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return names


def full_name(node: ast.expr, names: Mapping[str, str]) -> str:
    """The dotted name of something imported; empty for anything else."""
    match node:
        case ast.Name(id=name):
            return names.get(name, "")
        case ast.Attribute(value=value, attr=attribute):
            base = full_name(value, names)
            return f"{base}.{attribute}" if base else ""
    return ""


@cache
def used(tree: ast.Module) -> tuple[tuple[int, str], ...]:
    """Everything imported, where it is imported and where it is used, in full."""
    names = imported(tree)
    found: list[tuple[int, str]] = []
    for node in nodes(tree):
        if isinstance(node, ast.Name | ast.Attribute) and (name := full_name(node, names)):
            found.append((node.lineno, name))
        elif isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found += [(node.lineno, f"{node.module}.{alias.name}") for alias in node.names]
    return tuple(found)


@cache
def calls(tree: ast.Module) -> tuple[tuple[ast.Call, str], ...]:
    """Every call with the full name of what is called, else `.method` or the bare name of a builtin."""
    names = imported(tree)
    found: list[tuple[ast.Call, str]] = []
    for node in nodes(tree):
        match node:
            case ast.Call(func=function) if name := full_name(function, names):
                found.append((node, name))
            case ast.Call(func=ast.Attribute(attr=method)):
                found.append((node, f".{method}"))
            case ast.Call(func=ast.Name(id=name)):
                found.append((node, name))
    return tuple(found)


def uses_of(*forbidden: str) -> Callable[[ast.Module], Found]:
    """Finds names: `time.time`, or everything of a module: `secrets.*`."""
    exact = {name for name in forbidden if not name.endswith(".*")}
    whole = tuple(name.removesuffix(".*") for name in forbidden if name.endswith(".*"))

    def find(tree: ast.Module) -> Found:
        for line, name in used(tree):
            if name in exact or name.split(".")[0] in whole:
                yield line, name

    return find


def imports_of(*forbidden: str) -> Callable[[ast.Module], Found]:
    """Finds imports of modules and of what is below them."""

    def find(tree: ast.Module) -> Found:
        for node in nodes(tree):
            if isinstance(node, ast.Import):
                targets = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                targets = [f"{node.module}.{alias.name}" for alias in node.names]
            else:
                continue
            for name in forbidden:
                if any(within(target, name) for target in targets):
                    yield node.lineno, name

    return find


def methods_of(*forbidden: str) -> Callable[[ast.Module], Found]:
    """Finds calls of methods by their own name, whatever they are called on."""

    def find(tree: ast.Module) -> Found:
        for node, name in calls(tree):
            method = name.rpartition(".")[2]
            if "." in name and method in forbidden:
                yield node.lineno, f"{method}()"

    return find


def either(*finders: Callable[[ast.Module], Found]) -> Callable[[ast.Module], Found]:
    def find(tree: ast.Module) -> Found:
        for finder in finders:
            yield from finder(tree)

    return find


# Findings that need a look at the arguments


def unseeded(tree: ast.Module) -> Found:
    """`Random()` takes its seed from the machine."""
    for node, name in calls(tree):
        if name == "random.Random" and not node.args and not node.keywords:
            yield node.lineno, "Random()"


def powers(tree: ast.Module) -> Found:
    """`**` is exact for integers and Decimals with a whole exponent; any other goes through the C library."""
    for node in nodes(tree):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
            is_whole = isinstance(node.right, ast.Constant) and isinstance(node.right.value, int)
            is_float = isinstance(node.left, ast.Constant) and isinstance(node.left.value, float)
            if not is_whole or is_float:
                yield node.lineno, "**"
    for node, name in calls(tree):
        if name == "pow" and len(node.args) < 3:
            yield node.lineno, "pow()"


def float_literals(tree: ast.Module) -> Found:
    for node in nodes(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, float | complex):
            yield node.lineno, repr(node.value)


def floats(tree: ast.Module) -> Found:
    for node, name in calls(tree):
        if name in ("float", "complex", "round") or name == "float.fromhex":
            yield node.lineno, f"{name}()"


def texts_without_encoding(tree: ast.Module) -> Found:
    """A text file without an encoding is read as the locale has it."""
    for node, name in calls(tree):
        given = {keyword.arg for keyword in node.keywords}
        method = name.rpartition(".")[2]
        if method in ("read_text", "write_text") and "encoding" not in given:
            is_named = len(node.args) > (method == "write_text")
            if not is_named:
                yield node.lineno, f"{method}() without an encoding"
        mode = _mode(node, position=int(name == "open"))
        if "b" not in mode and "encoding" not in given and (name == "open" or (name == ".open" and mode)):
            yield node.lineno, "open() of a text without an encoding"


def _mode(node: ast.Call, *, position: int) -> str:
    """The mode of an `open`; a method of that name without one may open anything."""
    given = [keyword.value for keyword in node.keywords if keyword.arg == "mode"] or node.args[position : position + 1]
    return str(given[0].value) if given and isinstance(given[0], ast.Constant) else ""


def naive_times(tree: ast.Module) -> Found:
    """What takes the machine's zone where it is told none."""
    for node, name in calls(tree):
        given = len(node.args) + len(node.keywords)
        if name.endswith("datetime.fromtimestamp") and given < 2:
            yield node.lineno, "fromtimestamp() without a zone"
        if name.endswith(".astimezone") and not given:
            yield node.lineno, "astimezone() without a zone"


# Orders that nobody promises

IN_HASHES = "a set in the order of its hashes"
_IN_NO_ORDER = frozenset({"all", "any", "frozenset", "len", "max", "min", "set", "sorted", "sum", "Counter"})
_IN_ORDER = frozenset({"list", "tuple", "enumerate", "iter", "reversed", "zip", "map", "filter", "dict"})
_SET_METHODS = frozenset({"union", "intersection", "difference", "symmetric_difference"})
_FOLDER = frozenset({"glob", "rglob", "iterdir", "listdir", "scandir", "walk"})


@cache
def parents(tree: ast.Module) -> dict[ast.AST, ast.AST]:
    return {child: node for node in nodes(tree) for child in ast.iter_child_nodes(node)}


def _taken_in_any_order(node: ast.AST, above: Mapping[ast.AST, ast.AST]) -> bool:
    """Whether the order in which `node` gives its elements is lost at once: `sorted(node)`, `{x for x in node}`."""
    parent = above.get(node)
    match parent:
        case ast.Call(func=ast.Name(id=name)):
            return name in _IN_NO_ORDER
        case ast.Call(func=ast.Attribute(attr=name)):
            return name in _SET_METHODS | {"update", "issubset", "issuperset", "isdisjoint"}
        case ast.comprehension():
            inside = above[parent]
            return isinstance(inside, ast.SetComp) or (
                isinstance(inside, ast.GeneratorExp | ast.ListComp) and _taken_in_any_order(inside, above)
            )
        case ast.Starred():
            return isinstance(above.get(parent), ast.Set)
    return False


def sets_in_order(tree: ast.Module) -> Found:
    """A set that is made in sight and walked in the order of its hashes."""
    above = parents(tree)
    for scope in (node for node in nodes(tree) if isinstance(node, _SCOPES)):
        known = frozenset(name for node in _inside(scope) for name in _set_names(node))
        if isinstance(scope, ast.ClassDef):  # its methods have in common what is of `self`, and no local name
            known = frozenset(name for name in known if "." in name)
        for node in _inside(scope):
            if isinstance(node, ast.expr) and _is_set(node, known) and _is_walked(node, above):
                yield node.lineno, IN_HASHES


_SCOPES = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def _inside(scope: ast.AST) -> Iterator[ast.AST]:
    """What stands in a scope: a class holds its methods, for their `self`; all others hold no further scope."""
    for child in ast.iter_child_nodes(scope):
        yield child
        if not isinstance(child, _SCOPES) or isinstance(scope, ast.ClassDef):
            yield from _inside(child)


def _set_names(node: ast.AST) -> Iterator[str]:
    """Names that stand for sets by how they are assigned or annotated."""
    match node:
        case ast.Assign(targets=[target], value=value) if _is_set(value, frozenset()):
            yield spelling(target)
        case ast.AnnAssign(target=target, annotation=annotation) if _is_set_type(annotation):
            yield spelling(target)
        case ast.arg(arg=name, annotation=annotation) if annotation is not None and _is_set_type(annotation):
            yield name


def spelling(node: ast.expr) -> str:
    """`name` or `self.name`; a space, which is no name, for anything else."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=ast.Name(id=owner), attr=name):
            return f"{owner}.{name}"
    return " "


def _is_set_type(annotation: ast.expr) -> bool:
    return ast.unparse(annotation).split("[")[0] in ("set", "frozenset", "Set", "AbstractSet", "MutableSet")


def _is_set(node: ast.expr, known: Iterable[str]) -> bool:
    match node:
        case ast.Set() | ast.SetComp():
            return True
        case ast.Call(func=ast.Name(id="set" | "frozenset")):
            return True
        case ast.Call(func=ast.Attribute(value=value, attr=name)) if name in _SET_METHODS:
            return _is_set(value, known)
        case ast.BinOp(left=left, op=ast.BitOr() | ast.BitAnd() | ast.Sub() | ast.BitXor(), right=right):
            return _is_set(left, known) or _is_set(right, known)
    return spelling(node) in known


def _is_walked(node: ast.expr, above: Mapping[ast.AST, ast.AST]) -> bool:
    match above.get(node):
        case ast.For(iter=walked) | ast.AsyncFor(iter=walked):
            return walked is node
        case ast.comprehension(iter=walked) if walked is node:
            return not _taken_in_any_order(node, above)
        case ast.Starred():
            return not _taken_in_any_order(node, above)
        case ast.Call(func=ast.Name(id=name), args=arguments):
            return name in _IN_ORDER and node in arguments
        case ast.Call(func=ast.Attribute(attr="join" | "extend" | "fromkeys"), args=arguments):
            return node in arguments
        case ast.Attribute(attr="pop") as method:
            call = above.get(method)
            return isinstance(call, ast.Call) and call.func is method and not call.args
    return False


def folders_in_order(tree: ast.Module) -> Found:
    """What a folder holds comes in the order of the file system."""
    above = parents(tree)
    for node, name in calls(tree):
        method = name.rpartition(".")[2]
        if "." in name and method in _FOLDER and name != "ast.walk" and not _taken_in_any_order(node, above):
            yield node.lineno, f"{method}() without sorted()"


def identities(tree: ast.Module) -> Found:
    """`hash` of a text differs from process to process, `id` from run to run."""
    for node, name in calls(tree):
        if name in ("hash", "id"):
            yield node.lineno, f"{name}()"


CLOCKS = uses_of(
    *(f"time.{name}" for name in ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns")),
    *(f"time.{name}" for name in ("process_time", "process_time_ns", "thread_time", "localtime", "ctime", "gmtime")),
    *("datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today", "datetime.date.today"),
)
LIBM = (
    *("acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cos", "cosh", "sin", "sinh", "tan", "tanh"),
    *("cbrt", "exp", "exp2", "expm1", "log", "log10", "log1p", "log2", "pow", "sqrt"),
    *("dist", "erf", "erfc", "fmod", "gamma", "hypot", "lgamma", "sumprod"),
)
DISTRIBUTIONS = (
    *("gauss", "normalvariate", "lognormvariate", "expovariate", "vonmisesvariate", "gammavariate", "betavariate"),
    *("paretovariate", "weibullvariate", "triangular", "binomialvariate", "uniform", "random"),
)
NETWORKS = (
    *("socket", "ssl", "select", "selectors", "http.client", "http.server", "ftplib", "smtplib", "requests", "aiohttp"),
    *("httpx", "websockets", "uvicorn", "socketserver", "xmlrpc", "urllib.request"),
)
STREAMS = ("open_connection", "start_server", "open_unix_connection", "start_unix_server")
THREADS = ("threading", "_thread", "multiprocessing", "concurrent", "subprocess", "signal")
LOCALES = ("locale.*", "time.tzset", "time.strftime", "os.getcwd", "pathlib.Path.cwd", "os.environ", "os.getenv")

RULES = (
    Rule("clock", CLOCKS),
    Rule("sleep", uses_of("time.sleep")),
    Rule("wait", uses_of("asyncio.sleep"), WITHOUT_WAITING, but_not=("botproof.bots",)),
    Rule("thread", either(imports_of(*THREADS), uses_of("asyncio.to_thread", "os.fork", "os.system"))),
    Rule(
        "chance",
        either(
            unseeded,
            uses_of("secrets.*", "os.urandom", "os.getrandom", "uuid.uuid1", "uuid.uuid4", "random.SystemRandom"),
            uses_of(*(f"random.{name}" for name in (*DISTRIBUTIONS, "randint", "randrange", "choice", "choices"))),
            uses_of(*(f"random.{name}" for name in ("shuffle", "sample", "seed", "getrandbits", "randbytes"))),
            uses_of("numpy.*"),
        ),
    ),
    Rule("distribution", methods_of(*DISTRIBUTIONS)),
    Rule(
        "socket",
        either(
            imports_of(*NETWORKS),
            uses_of(*(f"asyncio.{name}" for name in STREAMS)),
            methods_of("create_connection", "create_server", "sock_connect"),
        ),
    ),
    Rule("libm", either(uses_of(*(f"math.{name}" for name in LIBM), "cmath.*", "statistics.*"), powers)),
    Rule("float", either(floats, float_literals), BYTES),
    Rule("set order", sets_in_order),
    Rule("folder order", folders_in_order),
    Rule("identity", identities),
    Rule("encoding", texts_without_encoding),
    Rule("zone", naive_times),
    Rule("environment", uses_of(*LOCALES)),
)

# (rule, module or package): what it may do all the same, and why.
ALLOWED: Mapping[tuple[str, str], tuple[tuple[str, ...], str]] = {
    ("clock", "botproof.clock"): (("time.time_ns",), "SystemClock is where the machine's time comes in"),
    ("clock", "botproof.circumstances"): (("datetime.datetime.now",), "when a run was sealed: no part of its payload"),
    ("clock", "botproof.session"): (("datetime.datetime.now",), "the closure page is named by the day it is written"),
    ("clock", "botproof.trial"): (("datetime.datetime.now",), "when a trial was held, and its report's name"),
    ("thread", "botproof.world"): (
        ("threading", "concurrent", "signal"),
        "on the machine's clock the loop has a thread; Ctrl-C ends a move",
    ),
    ("thread", "botproof.virtual"): (("concurrent",), "the type of an executor that a program may bring along"),
    ("thread", "botproof.search"): (("concurrent", "signal"), "seeds are tried in processes of their own"),
    ("thread", "botproof.loopback"): (("signal",), "the fake serves until it is told to end"),
    ("thread", "botproof.conformance.__main__"): (("concurrent",), "seeds are run in processes of their own"),
    ("thread", "botproof.circumstances"): (("subprocess",), "git is asked for its commit"),
    ("thread", "botproof.evidence.html"): (("subprocess",), "the report is made by a program"),
    ("socket", "botproof.virtual"): (("socket", "selectors"), "the loop names and refuses the kernel's own"),
    ("socket", "botproof.network"): (("socket",), "a network in memory looks like the kernel's"),
    ("socket", "botproof.venue"): (("httpx", "websockets"), "the client"),
    ("socket", "botproof.fixtures"): (("httpx",), "the transport that leads to the fake"),
    ("socket", "botproof.fakes.bitget.server"): (("uvicorn", "websockets", "create_server()"), "the server"),
    ("socket", "botproof.conformance.carriers"): (("httpx", "websockets"), "clients that the house did not write"),
    ("float", "botproof.bots.reference"): (("28.0", "300.0", "600.0"), "waits of the loop, in seconds"),
    ("float", "botproof.document"): (("0.5",), "how alike two names are"),
    ("float", "botproof.fakes.bitget.rest"): (("0.5",), "how alike two routes are"),
    ("float", "botproof.fakes.bitget.control.asked"): (("0.5",), "how alike two names are"),
    ("float", "botproof.fakes.bitget.pump"): (("0.0", "2e-06"), "waits of the loop, in seconds"),
    ("float", "botproof.invariants.minutes"): (("round()",), "of a Decimal, to a whole one"),
    ("set order", "botproof.invariants.distance"): ((IN_HASHES,), "two whole numbers, which hash to themselves"),
    ("set order", "botproof.schema"): ((IN_HASHES,), "what is kept of the paths is a set again"),
    ("folder order", "botproof.evidence.html"): (("glob() without sorted()",), "the newest is asked for"),
    ("folder order", "botproof.profile"): (("glob() without sorted()",), "the nearest names are sorted"),
    ("environment", "botproof.cli"): (("pathlib.Path.cwd",), "paths on the command line begin where it was typed"),
    ("environment", "botproof.commands"): (("pathlib.Path.cwd",), "as the command line"),
    ("environment", "botproof.evidence.html"): (("os.environ",), "where the report's program lies"),
    ("environment", "botproof.fakes.recordings"): (("os.environ",), "where recorded markets lie"),
}


def breaches(rule: Rule, module: Module) -> list[str]:
    """What the module does against the rule, exceptions left out."""
    if not rule.holds_in(module.name):
        return []
    may = {what for what, _ in allowed_to(rule, module)}
    found = dict.fromkeys(rule.find(module.tree))
    return [f"{module.name}:{line} {rule.name}: {what}" for line, what in found if what not in may]


def allowed_to(rule: Rule, module: Module) -> list[tuple[str, str]]:
    """What this module may do against the rule, and by which entry of the table."""
    entries = ((package, names) for (name, package), (names, _) in ALLOWED.items() if name == rule.name)
    return [(name, package) for package, names in entries if within(module.name, package) for name in names]
