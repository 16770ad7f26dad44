"""From the text of a secret to the type of a field. No message has the text in it."""

from __future__ import annotations

import json
import types
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin
from uuid import UUID

from safekv.config._field import Secret, decoded
from safekv.errors import MalformedSecret

Parser = Callable[[str], Any]

_BOOLS = {word: word in ("true", "1", "yes", "on") for word in ("true", "1", "yes", "on", "false", "0", "no", "off")}
#: What JSON has for each.
_CONTAINERS: dict[Any, Any] = {
    **dict.fromkeys((list, Sequence, tuple, set, frozenset), list),
    **dict.fromkeys((dict, Mapping), dict),
}
_UNIONS = (Union, types.UnionType)


def parser(kind: Any, encoding: str = "utf-8", *, lenient: bool = False) -> Parser | None:
    """What makes a value of ``kind`` of a text; None if nothing here does.

    :param lenient: leave what is in JSON, and what is not known here, to the model itself (pydantic).
    """
    kind = getattr(kind, "__supertype__", kind)  # NewType
    if kind in (Any, object, str):
        return str
    if kind is Secret:
        return Secret
    if kind is bytes:
        return partial(decoded, encoding=encoding)
    if kind in _SCALARS:
        return _stripped(_SCALARS[kind])
    if get_origin(kind) is Literal:
        return _stripped(partial(_one_of, {str(each): each for each in get_args(kind)}))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _stripped(partial(_member, kind))
    if (get_origin(kind) or kind) in _CONTAINERS:
        return partial(_json, kind=kind, lenient=lenient)
    if isinstance(kind, type) and kind.__name__ in ("SecretStr", "SecretBytes") and _is_pydantics(kind):
        return str if lenient else (lambda text: kind(text.encode() if kind.__name__ == "SecretBytes" else text))
    return str if lenient else None


def parse(said: Parser, text: str, kind: Any) -> Any:
    """The value.

    :raises MalformedSecret: if the text is none of that kind.
    """
    try:
        return said(text)
    except (ValueError, ArithmeticError, TypeError, RecursionError, KeyError):
        pass  # outside of the handler: what was raised has the text in it
    raise MalformedSecret(f"Its value is not {described(kind)}.", hint=_HINTS.get(get_origin(kind) or kind))


def described(kind: Any) -> str:
    """A type as messages name it; of what a ``Literal`` or an enum allows, nothing is secret."""
    if get_origin(kind) is Literal:
        return f"one of {', '.join(map(str, get_args(kind)))}"
    if isinstance(kind, type) and issubclass(kind, Enum):
        return f"one of {', '.join(str(each.value) for each in kind)}"
    if (get_origin(kind) or kind) in _CONTAINERS:
        return f"JSON of the type {_name(kind)}"
    return f"of the type {_name(kind)}"


def without_none(kind: Any) -> tuple[Any, bool]:
    """``X`` of ``Optional[X]``, and whether None is allowed; a union of several others stays one."""
    if get_origin(kind) not in _UNIONS:
        return kind, False
    others = [each for each in get_args(kind) if each is not type(None)]
    if len(others) == len(get_args(kind)):
        return kind, False
    return (others[0] if len(others) == 1 else Union[tuple(others)]), True  # noqa: UP007


def _name(kind: Any) -> str:
    return kind.__name__ if isinstance(kind, type) and not get_args(kind) else str(kind).replace("typing.", "")


def _stripped(convert: Parser) -> Parser:
    return lambda text: convert(text.strip())


def _bool(text: str) -> bool:
    return _BOOLS[text.lower()]


def _datetime(text: str) -> datetime:
    return datetime.fromisoformat(f"{text[:-1]}+00:00" if text[-1:] in "Zz" and text else text)


def _one_of(allowed: Mapping[str, Any], text: str) -> Any:
    return allowed[text]


def _member(kind: type[Enum], text: str) -> Enum:
    by_value: dict[str, Enum] = {str(each.value): each for each in kind}
    return by_value[text] if text in by_value else kind[text]


def _json(text: str, *, kind: Any, lenient: bool) -> Any:
    value = json.loads(text)
    container = get_origin(kind) or kind
    if type(value) is not _CONTAINERS[container]:
        raise ValueError
    return value if lenient else _fitting(value, kind)


def _fitting(value: Any, kind: Any) -> Any:
    """A value of JSON as one of ``kind``: containers by their elements, texts by what parses them."""
    kind, allows_none = without_none(kind)
    if value is None and (allows_none or kind in (Any, object)):
        return None
    if kind in (Any, object):
        return value
    container, inner = get_origin(kind) or kind, get_args(kind)
    if container in _CONTAINERS:
        return _contained(value, container, inner)
    if kind is float and type(value) is int:
        return float(value)
    if kind in (str, int, float, bool) and type(value) is kind:
        return value
    convert = parser(kind) if isinstance(value, str) and kind not in (int, float, bool) else None
    if convert is None:
        raise ValueError
    return convert(value)


def _contained(value: Any, container: Any, inner: tuple[Any, ...]) -> Any:
    if not isinstance(value, _CONTAINERS[container]):
        raise ValueError
    if isinstance(value, dict):
        of = inner[1] if len(inner) == 2 else Any
        return {key: _fitting(each, of) for key, each in value.items()}
    if container is tuple and inner and inner[-1] is not Ellipsis:
        return tuple(_fitting(each, of) for each, of in zip(value, inner, strict=True))
    made = [_fitting(each, inner[0] if inner else Any) for each in value]
    return made if container in (list, Sequence) else container(made)


def _is_pydantics(kind: type) -> bool:
    return kind.__module__.partition(".")[0] == "pydantic"


_SCALARS: dict[Any, Parser] = {
    bool: _bool,
    int: int,
    float: float,
    Decimal: Decimal,
    datetime: _datetime,
    date: date.fromisoformat,
    time: time.fromisoformat,
    timedelta: lambda text: timedelta(seconds=float(text)),
    UUID: UUID,
    Path: Path,
}
_HINTS: dict[Any, str] = {
    bool: "Store true or false (or 1, 0, yes, no, on, off).",
    int: "Store a whole number, such as 5432.",
    float: "Store a number, such as 0.5.",
    Decimal: "Store a number, such as 19.90.",
    datetime: "Store it as 2030-01-31T12:00:00Z.",
    date: "Store it as 2030-01-31.",
    time: "Store it as 12:00:00.",
    timedelta: "Store seconds, such as 30.",
    bytes: "With encoding='base64', store base64.",
    **dict.fromkeys((list, set, frozenset, tuple), 'Store JSON, such as ["a", "b"].'),
    dict: 'Store JSON, such as {"a": "b"}.',
}
