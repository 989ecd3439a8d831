"""How a fact stands on a line, and how it is read back: nothing is lost, nothing that does not fit is let in.

>>> line(WindowClosed(src=Source.RUN, t_local_us=1, start_us=0, end_us=1, reason="ended"))
b'{"seq":0,"kind":"WindowClosed","src":"run","t_venue_us":null,"t_local_us":1,"start_us":0,...}'
"""

import dataclasses
import operator
import re
import types
import typing
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import cache
from typing import Any

import orjson

from botproof.errors import HarnessError
from botproof.events import Fact
from botproof.money import plain

_COMMON = frozenset(f.name for f in dataclasses.fields(Fact))

PLAIN = re.compile(r"-?[0-9]{1,60}(\.[0-9]{1,60})?", re.ASCII)


def line(fact: Fact) -> bytes:
    """One fact as JSON: seq, kind, src and times first, then its own fields in the order above, no newline."""
    names, values = _columns(fact.kind)
    return orjson.dumps(dict(zip(names, values(fact), strict=True)), default=_digits)


def parse(body: Mapping[str, Any]) -> Fact:
    """The fact of one decoded line; raises `HarnessError` where the line does not fit its kind."""
    kind = Fact.kinds.get(str(body.get("kind")))
    if kind is None:
        raise HarnessError(f"a tape holds facts of known kinds; found {body.get('kind')!r}")
    readers = _readers(kind.__name__)
    if set(body) - {"kind"} != set(readers):
        odd = sorted(set(body).symmetric_difference({*readers, "kind"}))
        raise HarnessError(f"{kind.__name__} at seq {body.get('seq')}: missing or unknown fields {odd}")
    try:
        return kind(**{name: read(body[name]) for name, read in readers.items()})
    except (TypeError, ValueError, InvalidOperation) as error:
        raise HarnessError(f"{kind.__name__} at seq {body.get('seq')}: {error}") from error


@cache
def _columns(kind: str) -> tuple[tuple[str, ...], Callable[[Fact], tuple[Any, ...]]]:
    """The names on a line, and what reads their values off a fact."""
    own = tuple(f.name for f in dataclasses.fields(Fact.kinds[kind]) if f.name not in _COMMON)
    names = ("seq", "kind", "src", "t_venue_us", "t_local_us", *own)
    return names, operator.attrgetter(*names)


def _digits(value: object) -> str:
    if isinstance(value, Decimal):
        return plain(value)
    raise TypeError(f"a line holds text, whole numbers and amounts, found {type(value).__name__}")


@cache
def _readers(kind: str) -> dict[str, Callable[[Any], Any]]:
    hints = typing.get_type_hints(Fact.kinds[kind])
    return {f.name: _reader(hints[f.name]) for f in dataclasses.fields(Fact.kinds[kind])}


def _reader(hint: Any) -> Callable[[Any], Any]:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        inner = _reader(next(a for a in arguments if a is not type(None)))
        return lambda value: None if value is None else inner(value)
    if origin is tuple:
        return lambda value: tuple(_exactly(str)(v) for v in _exactly(list)(value))
    if origin is not None:  # Mapping[str, str]
        return lambda value: {str(k): _exactly(str)(v) for k, v in _exactly(dict)(value).items()}
    if hint is Decimal:
        return _amount
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return hint
    return _exactly(hint)


def _amount(value: Any) -> Decimal:
    """Plain digits, as `plain` writes them: no exponent that could ask for a gigabyte, no NaN."""
    if not isinstance(value, str) or PLAIN.fullmatch(value) is None:
        raise TypeError(f"expected an amount in plain digits, found {value!r}")
    return Decimal(value)


def _exactly(kind: type) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if type(value) is not kind:
            raise TypeError(f"expected {kind.__name__}, found {value!r}")
        return value

    return read
