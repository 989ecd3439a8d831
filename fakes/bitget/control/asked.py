"""What a control call asks for: one JSON object, read strictly.

A member that a call does not know is refused with the nearest one that it does, so that a misspelt option never passes
for its default. Amounts may be JSON numbers or strings and become `Decimal` from the digits as written.
"""

import difflib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NoReturn, TypeVar

from botproof.money import plain

Value = TypeVar("Value")

BYTES_MAX = 65_536
TEXT_MAX = 200
_WHOLE = re.compile(r"[+-]?[0-9]{1,19}", re.ASCII)
_PLACES_MAX = 12
_DECIMAL = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{0,12})?", re.ASCII)
_SHOWN_MAX = 80


class Unfit(Exception):
    """A call that cannot be answered: what was expected, what was found, and what to do about it."""

    def __init__(self, expected: str, found: str, remedy: str, status: int = 400) -> None:
        super().__init__(f"expected {expected}, found {found}; {remedy}")
        self.expected, self.found, self.remedy, self.status = expected, found, remedy, status


def quoted(value: object) -> str:
    """A value as JSON would show it: on one line, in ASCII, cut to what fits a message."""
    text = json.dumps(value, default=str)
    return text if len(text) <= _SHOWN_MAX else f"{text[:_SHOWN_MAX]}..."


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint at the known name that is closest, or at all of them."""
    names = sorted(known)
    found = difflib.get_close_matches(name[:TEXT_MAX], names, n=1, cutoff=0.5)
    return f"did you mean {found[0]}?" if found else f"known are {', '.join(names) or 'none'}"


class Asked:
    """The members of one JSON object, out of those that a call knows. Every reader raises `Unfit`."""

    def __init__(self, members: Mapping[str, Any], known: Sequence[str]) -> None:
        for name in members:
            if name not in known:
                raise Unfit("members that this call knows", quoted(name), nearest(name, known))
        self._members = {name: value for name, value in members.items() if value is not None}

    @classmethod
    def of(cls, body: bytes, known: Sequence[str]) -> "Asked":
        """The object in `body`; an empty body is an empty object."""
        if len(body) > BYTES_MAX:
            raise Unfit(f"at most {BYTES_MAX} bytes", f"{len(body)}", "ask for less at once", 413)
        try:
            read = json.loads(body, parse_float=Decimal, parse_constant=_no_number) if body.strip() else {}
        except (ValueError, RecursionError):
            raise Unfit("a JSON object", quoted(body.decode("utf-8", "replace")), 'send e.g. {"seed": 7}') from None
        if not isinstance(read, dict):
            raise Unfit("a JSON object", quoted(read), 'send e.g. {"seed": 7}')
        return cls(read, known)

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def says(self, name: str, word: str) -> bool:
        """Whether a member is that very word, where it may also be something else."""
        return self._members.get(name) == word

    def one_of(self, *names: str) -> str:
        """The one of `names` that is there."""
        there = [name for name in names if name in self]
        if len(there) != 1:
            raise Unfit(f"exactly one of {' and '.join(names)}", " and ".join(there) or "neither", "give one of them")
        return there[0]

    def text(self, name: str, default: str | None = None) -> str:
        value = self._value(name, default)
        if not isinstance(value, str) or len(value) > TEXT_MAX:
            self._refuse(name, f"a text of at most {TEXT_MAX} characters", value)
        return value

    def word(self, name: str, allowed: Iterable[str], default: str | None = None) -> str:
        value, words = self._value(name, default), sorted(allowed)
        if not isinstance(value, str) or value not in words:
            remedy = nearest(value, words) if isinstance(value, str) else "give one of them"
            raise Unfit(f"{name} as one of {', '.join(words)}", quoted(value), remedy)
        return value

    def whole(self, name: str, low: int, high: int, default: int | None = None) -> int:
        value = self._value(name, default)
        if isinstance(value, str) and _WHOLE.fullmatch(value):
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            self._refuse(name, f"a whole number from {low} to {high}", value)
        return value

    def amount(self, name: str, low: Decimal, high: Decimal, default: Decimal | None = None) -> Decimal:
        """A number from `low` to `high`, in the unit that its name says."""
        value = self._value(name, default)
        found = _decimal(value)
        if found is None or not low <= found <= high:
            span = f"from {plain(low)} to {plain(high)}"
            self._refuse(name, f"a number {span} with at most {_PLACES_MAX} decimals", value)
        return found

    def maybe(self, name: str, read: Callable[[str], Value]) -> Value | None:
        """What `read` makes of a member, or None where it is not there."""
        return read(name) if name in self else None

    def texts(self, name: str) -> dict[str, str]:
        """An object of scalars, as texts; empty where it is not there."""
        value = self._members.get(name, {})
        if not isinstance(value, dict) or any(isinstance(each, dict | list) for each in value.values()):
            self._refuse(name, "an object of texts and numbers", value)
        return {key: _text(each) for key, each in value.items()}

    def _value(self, name: str, default: object) -> Any:
        value = self._members.get(name, default)
        if value is None:
            raise Unfit(f"a member {name}", "none", "give it")
        return value

    def _refuse(self, name: str, expected: str, value: object) -> NoReturn:
        raise Unfit(f"{name} as {expected}", quoted(value), "change it")


def _decimal(value: object) -> Decimal | None:
    """The number as written; None where it is none, or one that nobody means."""
    if isinstance(value, Decimal):
        exponent = value.as_tuple().exponent
        return value if isinstance(exponent, int) and -_PLACES_MAX <= exponent <= _PLACES_MAX else None
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    text = str(value)
    return Decimal(text) if _DECIMAL.fullmatch(text) else None


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)
