"""Closed settings: a table of kinds, one a key, and a reader that reports every violation at once.

A *kind* says in words what it expects, in the unit of its key, and reads a node of the document. The reader holds a
mapping against a table of dotted paths (`window.default_min`); whatever the table does not name is refused. Each
violation is one line, `path.to.key: expected ..., found ...`.

Kinds stand in the metadata of dataclass fields (`setting`), so that a class and its schema are one text:

    stop_loss: Decimal = field(metadata=setting(fraction("of the entry price")))
"""

import dataclasses
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Protocol

from botproof.document import Entries, Items, Node, Scalar, description, nearest, shown_key
from botproof.money import plain

# Either has a bounded length: no exponent can blow a Decimal up, and arithmetic on it stays exact.
_DECIMAL = re.compile(r"[-+]?(?:(?:0|[1-9][0-9]{0,8})(?:\.[0-9]{0,12})?|\.[0-9]{1,12})(?:[eE][-+]?[0-9])?")
_WHOLE = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,8})")
_ZERO, _TENTH = Decimal(0), Decimal("0.1")


class Violations:
    """What is wrong with a document, in the order in which it was found."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def add(self, where: str, expected: str, found: str) -> None:
        self.lines.append(
            f"{where}: expected {expected}, found {found}" if where else f"expected {expected}, found {found}"
        )

    def misfit(self, where: str, kind: "Kind", node: Node) -> None:
        self.add(where, kind.expected, description(node))


class Kind(Protocol):
    """How the value of one key is read."""

    @property
    def expected(self) -> str:
        """What a value must be, in words and with its unit."""
        ...

    def read(self, node: Node, where: str, violations: Violations) -> Any:
        """The typed value. A misfit is added to `violations`, and what is returned then must not be used."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """An interval; `above` and `below` exclude their end, `least` and `most` include it."""

    above: Decimal | None = None
    least: Decimal | None = None
    below: Decimal | None = None
    most: Decimal | None = None

    def holds(self, value: Decimal) -> bool:
        return (
            (self.above is None or value > self.above)
            and (self.least is None or value >= self.least)
            and (self.below is None or value < self.below)
            and (self.most is None or value <= self.most)
        )

    def __str__(self) -> str:
        named = (("above", self.above), ("from", self.least), ("below", self.below), ("up to", self.most))
        return " ".join(f"{word} {plain(end)}" for word, end in named if end is not None)


@dataclass(frozen=True, slots=True)
class Number:
    """An exact decimal number of a unit; never text, never in quotes."""

    unit: str
    bounds: Bounds

    @property
    def expected(self) -> str:
        return f"{self.unit} {self.bounds}"

    def read(self, node: Node, where: str, violations: Violations) -> Decimal:
        value = decimal_of(node.text) if isinstance(node, Scalar) and node.plain else None
        if value is None or not self.bounds.holds(value):
            violations.misfit(where, self, node)
            return _ZERO
        return value


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number of a unit."""

    unit: str
    least: int
    most: int

    @property
    def expected(self) -> str:
        return f"{self.unit} as a whole number from {self.least} up to {self.most}"

    def read(self, node: Node, where: str, violations: Violations) -> int:
        is_whole = isinstance(node, Scalar) and node.plain and _WHOLE.fullmatch(node.text)
        value = int(node.text) if is_whole and isinstance(node, Scalar) else None
        if value is None or not self.least <= value <= self.most:
            violations.misfit(where, self, node)
            return 0
        return value


@dataclass(frozen=True, slots=True)
class Flag:
    """`true` or `false`, and none of YAML's other spellings, on which its versions disagree."""

    expected: str = "true or false"

    def read(self, node: Node, where: str, violations: Violations) -> bool:
        if not (isinstance(node, Scalar) and node.plain and node.text in ("true", "false")):
            violations.misfit(where, self, node)
            return False
        return node.text == "true"


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words."""

    words: tuple[str, ...]

    @property
    def expected(self) -> str:
        return " or ".join(self.words)

    def read(self, node: Node, where: str, violations: Violations) -> str:
        if not (isinstance(node, Scalar) and node.text in self.words):
            violations.misfit(where, self, node)
            return ""
        return node.text


@dataclass(frozen=True, slots=True)
class Text:
    """Text of a form; `what` describes it."""

    what: str
    form: re.Pattern[str]

    @property
    def expected(self) -> str:
        return self.what

    def read(self, node: Node, where: str, violations: Violations) -> str:
        if not (isinstance(node, Scalar) and not node.is_null and self.form.fullmatch(node.text)):
            violations.misfit(where, self, node)
            return ""
        return node.text


@dataclass(frozen=True, slots=True)
class Levels:
    """Numbers, one a level: a number, a list, or text with commas, as the framework writes them. `[]` is no level."""

    each: Number
    most: int

    @property
    def expected(self) -> str:
        return f"up to {self.most} levels, each {self.each.expected}"

    def read(self, node: Node, where: str, violations: Violations) -> tuple[Decimal, ...]:
        nodes = self._split(node)
        if nodes is None or len(nodes) > self.most:
            violations.misfit(where, self, node)
            return ()
        single = isinstance(node, Scalar) and len(nodes) == 1
        places = [where if single else f"{where}[{place}]" for place in range(len(nodes))]
        return tuple(self.each.read(item, place, violations) for item, place in zip(nodes, places, strict=True))

    @staticmethod
    def _split(node: Node) -> tuple[Node, ...] | None:
        if isinstance(node, Items):
            return node.nodes
        if not isinstance(node, Scalar) or node.is_null:
            return None
        if node.plain and "," not in node.text:
            return (node,)
        parts = node.text.split(",") if node.text else []
        return tuple(Scalar(part.strip(), plain=True, line=node.line) for part in parts)


@dataclass(frozen=True, slots=True)
class Names:
    """A list of exactly one name of a form (the framework's lists allow more, the rollout does not)."""

    each: Text

    @property
    def expected(self) -> str:
        return f"a list of one entry, {self.each.expected}"

    def read(self, node: Node, where: str, violations: Violations) -> str:
        if not (isinstance(node, Items) and len(node.nodes) == 1):
            violations.misfit(where, self, node)
            return ""
        return self.each.read(node.nodes[0], f"{where}[0]", violations)


@dataclass(frozen=True, slots=True)
class Empty:
    """A list or mapping that must have nothing in it."""

    type: type[Items] | type[Entries]

    @property
    def expected(self) -> str:
        return "[] (an empty list)" if self.type is Items else "{} (an empty mapping)"

    def read(self, node: Node, where: str, violations: Violations) -> None:
        if not isinstance(node, self.type) or (node.nodes if isinstance(node, Items) else node.pairs):
            violations.misfit(where, self, node)


@dataclass(frozen=True, slots=True)
class Nullable:
    """Another kind, or null for none."""

    kind: Kind

    @property
    def expected(self) -> str:
        return f"null or {self.kind.expected}"

    def read(self, node: Node, where: str, violations: Violations) -> Any:
        if isinstance(node, Scalar) and node.is_null:
            return None
        return self.kind.read(node, where, violations)


@dataclass(frozen=True, slots=True)
class Dictionary:
    """A mapping whose keys have a form and whose values are of one kind."""

    key: Text
    each: Kind

    @property
    def expected(self) -> str:
        return f"a mapping from {self.key.expected} to {self.each.expected}"

    def read(self, node: Node, where: str, violations: Violations) -> Mapping[str, Any]:
        if not isinstance(node, Entries) or not node.pairs:
            violations.misfit(where, self, node)
            return MappingProxyType({})
        values = {}
        for name, child in _once(node, where, violations):
            path = _below(where, name)
            if not self.key.form.fullmatch(name):
                violations.add(path, self.key.expected, "another key")
            values[name] = self.each.read(child, path, violations)
        return MappingProxyType(values)


@dataclass(frozen=True, slots=True)
class Setting:
    """Of a field: its kind, dotted path where that is not the field's name, and if it may be unset."""

    kind: Kind
    path: str = ""
    optional: bool = False


def setting(kind: Kind, path: str = "", *, optional: bool = False) -> dict[str, Setting]:
    """Metadata for `dataclasses.field`; an optional setting that is missing or null takes the field's default."""
    return {"setting": Setting(kind, path, optional)}


def settings_of(cls: type) -> dict[str, Setting]:
    """The settings of a dataclass by field name; fields without one (a path, a digest) are not in the file."""
    return {item.name: item.metadata["setting"] for item in dataclasses.fields(cls) if "setting" in item.metadata}


def read_settings(document: Node, cls: type, violations: Violations) -> dict[str, Any]:
    """The values of `cls` from a document, by field name; only those that fit are in it."""
    settings = settings_of(cls)
    table = {known.path or name: name for name, known in settings.items()}
    nodes = _flatten(document, frozenset(table), violations)
    values: dict[str, Any] = {}
    for path, name in table.items():
        known, node = settings[name], nodes.get(path)
        if node is None or (known.optional and isinstance(node, Scalar) and node.is_null):
            if not known.optional and isinstance(document, Entries):
                violations.add(path, known.kind.expected, "no such key")
            continue
        before = len(violations.lines)
        value = known.kind.read(node, path, violations)
        if len(violations.lines) == before:
            values[name] = value
    return values


def decimal_of(text: str) -> Decimal | None:
    """The exact number that `text` writes plainly (`0.0035`, `-2`, `1.5e-3`), or None."""
    return Decimal(text) if _DECIMAL.fullmatch(text) else None


def fraction(of: str, *, zero: bool = False) -> Number:
    """A share below one tenth. A percentage or a figure in bps that was meant does not fit, and is refused."""
    low = Bounds(least=_ZERO, below=_TENTH) if zero else Bounds(above=_ZERO, below=_TENTH)
    return Number(f"a fraction {of} (0.0035 is 35 bps)", low)


def amount(unit: str, *, least: str = "", above: str = "", most: str) -> Number:
    """A number of `unit` within bounds given as text."""
    low = {"least": Decimal(least)} if least else {"above": Decimal(above or 0)}
    return Number(unit, Bounds(**low, most=Decimal(most)))


def seconds(least: int = 1, most: int = 86_400) -> Whole:
    """Whole seconds, at most a day."""
    return Whole("seconds", least, most)


def _flatten(document: Node, paths: frozenset[str], violations: Violations, prefix: str = "") -> dict[str, Node]:
    """The nodes at `paths`; what lies at no path is a violation."""
    if not isinstance(document, Entries):
        violations.add(prefix, "a mapping of keys", description(document))
        return {}
    below = len(prefix) + 1 if prefix else 0
    inside = [path[below:] for path in paths if path.startswith(f"{prefix}." if prefix else "")]
    names = {path.partition(".")[0] for path in inside}
    nodes: dict[str, Node] = {}
    for name, node in _once(document, prefix, violations):
        path = _below(prefix, name)
        if name not in names or "." in name:
            violations.add(path, f"a known key{nearest(name, names)}", "an unknown one")
        elif path in paths:
            nodes[path] = node
        else:
            nodes |= _flatten(node, paths, violations, path)
    return nodes


def _once(entries: Entries, prefix: str, violations: Violations) -> Iterable[tuple[str, Node]]:
    """The pairs of a mapping, each key once; a repeated key is a violation."""
    seen: dict[str, Node] = {}
    for name, node in entries.pairs:
        if name in seen:
            violations.add(_below(prefix, name), "the key once", f"it again in line {node.line}")
        else:
            seen[name] = node
    return seen.items()


def _below(prefix: str, name: str) -> str:
    return f"{prefix}.{shown_key(name)}" if prefix else shown_key(name)
