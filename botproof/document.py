"""YAML bytes to plain nodes: exact text, no types guessed, nothing constructed.

A profile decides about money, so what a scalar means is decided by the key it stands under (`schema`), never by YAML:
`1e-3`, `1:30`, `010`, `on` and `0.004` reach the reader as written. Nodes are therefore built from the parser's events
and not by a loader. That also leaves out everything a settings file has no use for, each refused by name: anchors and
aliases (the billion-laughs bomb), explicit tags (object construction), several documents in a file, nesting beyond
`DEPTH_MAX`, and files beyond `BYTES_MAX`.
"""

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import yaml

from botproof.errors import ProfileError, Refusal

BYTES_MAX = 64 * 1024
DEPTH_MAX = 8
_SHOWN_MAX = 60
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BARE_KEY = re.compile(r"[A-Za-z0-9_.-]{1,80}")
_NUMBER_LIKE = re.compile(r"[-+]?[0-9.][0-9.eE+-]{0,40}")


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value as written; `plain` tells that it stood without quotes."""

    text: str
    plain: bool
    line: int

    @property
    def is_null(self) -> bool:
        return self.plain and self.text in _NULLS


@dataclass(frozen=True, slots=True)
class Items:
    """A YAML sequence."""

    nodes: tuple["Node", ...]
    line: int


@dataclass(frozen=True, slots=True)
class Entries:
    """A YAML mapping in the order of the file; a key that is written twice is here twice."""

    pairs: tuple[tuple[str, "Node"], ...]
    line: int


Node = Scalar | Items | Entries


class _UnusableError(Exception):
    """The text is no document of ours; `str()` is the violation."""


def read_bytes(path: Path) -> bytes:
    """The bytes of a settings file. Raises `ProfileError` where there is no readable regular file of honest size."""
    found = _unreadable(path)
    if not found:
        try:
            with path.open("rb") as file:
                data = file.read(BYTES_MAX + 1)
        except OSError as error:
            found = f"a file that cannot be read ({error.strerror or 'unknown reason'})"
        else:
            if len(data) <= BYTES_MAX:
                return data
            found = "a longer one"
    raise ProfileError(shown_path(path), [f"expected a YAML file of at most {BYTES_MAX} bytes, found {found}"])


def parse(data: bytes, file: str) -> Node:
    """The one document in `data`. Raises `ProfileError`, naming `file`, where it cannot be read as exactly one."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ProfileError(
            file, [f"expected UTF-8 text, found byte 0x{data[error.start]:02x} at {error.start}"]
        ) from None
    try:
        return _document(text)
    except _UnusableError as unusable:
        raise ProfileError(file, [str(unusable)]) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise ProfileError(file, [f"{where}expected YAML, found a syntax error ({error.problem})"]) from None
    except yaml.YAMLError as error:
        raise ProfileError(file, [f"expected YAML, found {shown(str(error).splitlines()[0])}"]) from None
    except (ValueError, OverflowError):  # PyYAML does not guard the numbers of escapes and directives
        raise ProfileError(file, ["expected YAML, found an escape or a version out of range"]) from None


@lru_cache(maxsize=32)
def _document(text: str) -> Node:
    """The nodes of a text. A suite reads the same few files again and again, and the parser is slow."""
    return _Builder(yaml.parse(text, Loader=yaml.SafeLoader)).document()


def shown(text: str) -> str:
    """`text` in quotes, on one line, in ASCII, cut to a length that fits a message."""
    return ascii(text if len(text) <= _SHOWN_MAX else text[:_SHOWN_MAX] + "...")


def shown_path(path: Path) -> str:
    """A path for a message: as it is, or quoted and escaped where it could not be printed."""
    text = str(path)
    return text if text.isascii() and text.isprintable() else ascii(text)


def shown_key(key: str) -> str:
    """A key for a YAML path: as it is, or quoted where it is no plain name."""
    return key if _BARE_KEY.fullmatch(key) else shown(key)


def description(node: Node) -> str:
    """What a message says was found."""
    match node:
        case Entries(pairs=pairs):
            return "a mapping" if pairs else "an empty mapping"
        case Items(nodes=nodes):
            return "a list" if nodes else "an empty list"
        case Scalar() if node.is_null:
            return "nothing"
        case Scalar(text=text, plain=True) if text in ("true", "false") or _NUMBER_LIKE.fullmatch(text):
            return text
    return f"text {shown(node.text)}"


def nearest(name: str, known: Iterable[str]) -> str:
    """`" (nearest: a, b)"` from the known names, or nothing."""
    matches = difflib.get_close_matches(name[:200], sorted(known), n=2, cutoff=0.5)
    return f" (nearest: {', '.join(matches)})" if matches else ""


def find(text: str, folder: Path, what: str) -> Path:
    """The settings file that `text` means: a path, or a name (with or without `.yml`) inside `folder`.

    `what` says in the message what was looked for. Raises `Refusal` with the nearest names.
    """
    path, name = Path(text), text.removesuffix(".yml")
    names = _names(folder)
    if name in names:
        return folder / f"{name}.yml"
    if _is_there(path):
        return path
    raise Refusal(f"expected {what} by path or by name, found {shown(text)}{nearest(name, names) or _choices(names)}")


def _choices(names: Iterable[str]) -> str:
    return f" (known: {', '.join(sorted(names)) or 'none installed'})"


def _names(folder: Path) -> frozenset[str]:
    return frozenset(path.stem for path in folder.glob("*.yml")) if folder.is_dir() else frozenset()


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name too long for the file system, or one with a NUL
        return False


def _unreadable(path: Path) -> str:
    try:
        if path.is_dir():
            return "a directory"
        if not path.exists():
            return "no such file"
        return "" if path.is_file() else "something that is not a regular file"
    except (OSError, ValueError):
        return "a path that cannot exist"


class _Builder:
    """Nodes from parser events; recursion is bounded by `DEPTH_MAX`, and the first oddity ends it."""

    def __init__(self, events: Iterator[yaml.Event]) -> None:
        self._events = events
        self._depth = 0

    def document(self) -> Node:
        event = self._next()
        while isinstance(event, yaml.StreamStartEvent | yaml.DocumentStartEvent):
            event = self._next()
        if isinstance(event, yaml.StreamEndEvent):
            raise _UnusableError("expected a mapping of keys, found an empty file")
        node = self._node(event)
        self._next()  # the end of the document
        if not isinstance(self._next(), yaml.StreamEndEvent):
            raise _UnusableError("expected one YAML document, found a second one")
        return node

    def _next(self) -> yaml.Event:
        return next(self._events)

    def _node(self, event: yaml.Event) -> Node:
        self._refuse_machinery(event)
        line = _line(event)
        if isinstance(event, yaml.ScalarEvent):
            return Scalar(event.value, event.style is None, line)
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise _UnusableError(f"line {line}: expected at most {DEPTH_MAX} levels of nesting, found more")
        node = self._entries(line) if isinstance(event, yaml.MappingStartEvent) else self._items(line)
        self._depth -= 1
        return node

    def _items(self, line: int) -> Items:
        nodes = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            nodes.append(self._node(event))
        return Items(tuple(nodes), line)

    def _entries(self, line: int) -> Entries:
        pairs = []
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            key = self._node(event)
            if not isinstance(key, Scalar):
                raise _UnusableError(f"line {key.line}: expected a name as a key, found {description(key)}")
            pairs.append((key.text, self._node(self._next())))
        return Entries(tuple(pairs), line)

    def _refuse_machinery(self, event: yaml.Event) -> None:
        tag = getattr(event, "tag", None)
        if isinstance(event, yaml.NodeEvent) and event.anchor is not None:  # of an alias: what it refers to
            raise _UnusableError(f"line {_line(event)}: expected every value written out, found an anchor or alias")
        if tag is not None:
            raise _UnusableError(f"line {_line(event)}: expected a plain value, found the tag {shown(tag)}")


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 0
