"""The venue's answers as JSON, read strictly: the envelope around every answer, and rows of named values. Pure.

What cannot be read raises `Unanswered`, naming what was expected and what was found: a value that is guessed would be
believed. Numbers come as strings or as JSON numbers and never pass through a float; nothing is spelled `null`, `""` or
by a missing key (captured).
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from http import HTTPStatus
from typing import Any, TypeVar

from botproof.errors import Unanswered, VenueError

SUCCESS = "00000"

_LONGEST_QUOTE = 120  # characters of a foreign text in one of our messages

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """An answer of the venue: `code` "00000" is success."""

    status: int
    code: str
    message: str
    data: Any
    t_ms: int | None

    def unwrapped(self) -> Any:
        """The data of a success; raises `VenueError` otherwise."""
        if self.code != SUCCESS:
            raise VenueError(self.code, self.message, self.status)
        return self.data


class Row:
    """One JSON object of the venue. `what` names it in errors; values go by the first name that has one."""

    def __init__(self, body: Any, what: str) -> None:
        if not isinstance(body, dict):
            raise Unanswered(f"{what}: expected a JSON object, found {short(body)}")
        self._body, self._what = body, what

    def has(self, name: str) -> bool:
        """Whether `name` has a value: neither missing, null nor empty."""
        return self._body.get(name) not in (None, "")

    def raw(self, name: str) -> Any:
        """Whatever stands under `name`; None where nothing does."""
        return self._body.get(name)

    def text(self, *names: str, default: str | None = None) -> str:
        """A text, or the digits of a number; `default` where there is none."""
        for name in names:
            value = self._body.get(name)
            if type(value) is str and value:
                return value
            if value not in (None, ""):
                if isinstance(value, (str, int, Decimal)) and not isinstance(value, bool):
                    return str(value)
                raise self._unreadable("text", names, value)
        if default is None:
            raise self._unreadable("text", names, self._body.get(names[0]))
        return default

    def number(self, *names: str, default: Decimal | None = None) -> Decimal:
        """A number out of a text or a JSON number; `default` where there is none."""
        text = self.text(*names, default="")
        if not text and default is not None:
            return default
        return self._read(decimal, "a number", names, text)

    def maybe(self, *names: str) -> Decimal | None:
        """A number, or None where there is none."""
        return self.number(*names) if any(map(self.has, names)) else None

    def whole(self, *names: str) -> int:
        """A number without a fraction: milliseconds, leverage, places."""
        return self._read(_whole, "a whole number", names, self.text(*names, default=""))

    def word(self, known: Mapping[str, Value], *names: str) -> Value:
        """A word out of a closed list, whatever its case."""
        found = self.text(*names, default="").lower()
        if found not in known:
            raise self._unreadable(f"one of {', '.join(filter(None, known))}", names, found)
        return known[found]

    def _read(self, read: Callable[[str], Value], expected: str, names: Sequence[str], text: str) -> Value:
        try:
            return read(text)
        except (ValueError, InvalidOperation):
            raise self._unreadable(expected, names, text) from None

    def _unreadable(self, expected: str, names: Sequence[str], found: object) -> Unanswered:
        return Unanswered(f"{self._what}: expected {expected} as {' or '.join(names)}, found {short(found)}")


def envelope(status: int, content: bytes) -> Envelope:
    """The envelope of an answer; raises `Unanswered` where there is none that can be believed."""
    try:
        body = parsed(content)
    except ValueError:
        raise Unanswered(f"HTTP {status}: expected a JSON envelope, found {short(content)}") from None
    row = Row(body, f"HTTP {status}")
    answer = Envelope(
        status=status,
        code=row.text("code"),
        message=row.text("msg", "message", default=""),
        data=row.raw("data"),
        t_ms=row.whole("requestTime") if row.has("requestTime") else None,
    )
    if answer.code == SUCCESS and status >= HTTPStatus.BAD_REQUEST:
        raise Unanswered(f"HTTP {status} with code {SUCCESS}: refused and accepted at once")
    return answer


def parsed(content: bytes | str) -> Any:
    """JSON with exact numbers; raises `ValueError`."""
    if isinstance(content, bytes):
        content = content.decode(json.detect_encoding(content), "surrogatepass")
    return _DECODER.decode(content)


def row_list(data: Any, what: str) -> list[Any]:
    """A list of rows; nothing is an empty one."""
    if data is None or data == "":
        return []
    if not isinstance(data, list):
        raise Unanswered(f"{what}: expected a list, found {short(data)}")
    return data


def decimal(text: str) -> Decimal:
    """A finite number; raises `ValueError` or `InvalidOperation`."""
    value = Decimal(text)
    if not value.is_finite():
        raise ValueError(text)
    return value


def _whole(text: str) -> int:
    value = decimal(text)
    if value != int(value):
        raise ValueError(text)
    return int(value)


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)


_DECODER = json.JSONDecoder(parse_float=Decimal, parse_constant=_refuse_constant)


def short(found: object) -> str:
    """What was found, cut to fit into a message."""
    text = repr(found)
    return text if len(text) <= _LONGEST_QUOTE else f"{text[: _LONGEST_QUOTE - 3]}..."
