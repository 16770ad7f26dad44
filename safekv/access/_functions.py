"""The functions of the template language that compute from their arguments alone.

Each takes values and gives a value; what it cannot do with them is ``CannotCompute``, which becomes an
``Unresolved`` value. Those that look at the template itself are in ``_evaluation``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

from safekv.access._json import member, name_in
from safekv.access._values import Unresolved, first_unresolved, is_unresolved, is_whole_number

#: Characters of a text, and items of a list, that are computed; Azure's limit of a text.
LONGEST_TEXT = 131_072
LONGEST_LIST = 10_000
LONGEST_UNION = 2_000
_PLACE = re.compile(r"\{\{|\}\}|\{(\d{1,3})\}|[{}]")


class CannotCompute(Exception):
    """Why a function gives no value for its arguments. Never leaves this package."""


def concat(*parts: Any) -> Any:
    if any(isinstance(part, list) for part in parts):
        return _together(list(parts))
    return first_unresolved(list(parts)) or _joined("", parts)


def _together(parts: list[Any]) -> list[Any]:
    """Lists after one another; one that is not known stands as one item that is not."""
    found: list[Any] = []
    for part in parts:
        if not isinstance(part, (list, Unresolved)):
            raise CannotCompute("lists and texts cannot be joined")
        found.extend([part] if isinstance(part, Unresolved) else part)
    return found


def union(*parts: Any) -> Any:
    if any(isinstance(part, list) for part in parts):
        found: list[Any] = []
        together = _together(list(parts))
        if len(together) > LONGEST_UNION:
            raise CannotCompute(f"the lists have more than {LONGEST_UNION:,} items")
        for item in together:
            if first_unresolved(item) or item not in found:
                found.append(item)
        return found
    unknown = next((part for part in parts if is_unresolved(part)), None)
    if unknown is not None:
        return unknown
    nothing: dict[str, Any] = {}
    return reduce(_merged, (_object(part) for part in parts), nothing)


def _merged(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    found = dict(first)
    for name, value in second.items():
        spelling = name_in(found, name) or name
        before = found.get(spelling)
        both = isinstance(before, dict) and isinstance(value, dict)
        found[spelling] = _merged(before, value) if both and isinstance(before, dict) else value
    return found


def intersection(*parts: Any) -> Any:
    first, *others = (_list(part) for part in parts)
    if sum(map(len, parts)) > LONGEST_UNION:
        raise CannotCompute(f"the lists have more than {LONGEST_UNION:,} items")
    return [item for item in first if all(item in other for other in others)]


def create_object(*parts: Any) -> Any:
    if len(parts) % 2:
        raise CannotCompute("createObject takes names and values in pairs")
    names = parts[::2]
    unknown = next((name for name in names if is_unresolved(name)), None)
    return unknown or {_text(name): value for name, value in zip(names, parts[1::2], strict=True)}


def array(value: Any) -> Any:
    return value if isinstance(value, (list, Unresolved)) else [value]


def flatten(value: Any) -> Any:
    return _together(list(value)) if isinstance(value, list) else _list(value)


def format_text(pattern: Any, *values: Any) -> str:
    lengths = []

    def filled(place: re.Match[str]) -> str:
        if place[1] is None:
            if len(place[0]) == 1:
                raise CannotCompute("this way of formatting is not known here")
            return place[0][0]
        if int(place[1]) >= len(values):
            raise CannotCompute("format has fewer values than places")
        lengths.append(len(_text(values[int(place[1])])))
        _check_length(sum(lengths))
        return _text(values[int(place[1])])

    return _PLACE.sub(filled, _text(pattern))


def length(value: Any) -> int:
    if isinstance(value, (str, list, dict)):
        return len(value)
    raise CannotCompute("length takes a text, a list or an object")


def contains(container: Any, item: Any) -> bool:
    if isinstance(container, dict):
        return name_in(container, _text(item)) is not None
    if isinstance(container, str):
        return _text(item) in container
    return item in _list(container)


def equals(first: Any, second: Any) -> bool:
    if isinstance(first, bool) is not isinstance(second, bool):  # to Python 1 is true
        return False
    return bool(first == second)


def empty(value: Any) -> bool:
    return value is None or length(value) == 0


def first(value: Any) -> Any:
    found = value if isinstance(value, str) else _list(value)
    return found[0] if found else ("" if isinstance(value, str) else None)


def last(value: Any) -> Any:
    found = value if isinstance(value, str) else _list(value)
    return found[-1] if found else ("" if isinstance(value, str) else None)


def take(value: Any, number: Any) -> Any:
    return _sequence(value)[: max(0, _number(number))]


def skip(value: Any, number: Any) -> Any:
    return _sequence(value)[max(0, _number(number)) :]


def split(text: Any, marks: Any) -> list[str]:
    parts = [_string(text)]
    for mark in marks if isinstance(marks, list) else [marks]:
        if not _string(mark):
            raise CannotCompute("split needs something to split at")
        parts = [piece for part in parts for piece in part.split(mark)]
    return parts


def join(parts: Any, mark: Any) -> str:
    return _joined(_string(mark), _list(parts))


def replace(text: Any, old: Any, new: Any) -> str:
    if not _string(old):
        raise CannotCompute("replace needs something to replace")
    _check_length(len(_string(text)) + text.count(old) * len(_string(new)))
    return str(text).replace(old, new)


def substring(text: Any, start: Any, number: Any = None) -> str:
    whole, begin = _string(text), _number(start)
    end = len(whole) if number is None else begin + _number(number)
    if not 0 <= begin <= end <= len(whole):
        raise CannotCompute("substring reaches beyond the text")
    return whole[begin:end]


def items(value: Any) -> list[dict[str, Any]]:
    return [{"key": key, "value": value[key]} for key in sorted(_object(value), key=str.lower)]


def number_range(start: Any, count: Any) -> list[int]:
    if not 0 <= _number(count) <= LONGEST_LIST:
        raise CannotCompute(f"range gives at most {LONGEST_LIST:,} numbers")
    return list(range(_number(start), _number(start) + count))


def as_text(value: Any) -> str:
    if isinstance(value, (dict, list)):
        _check_length(_weight(value))
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return "" if value is None else _text(value)


def as_number(value: Any) -> int:
    if is_whole_number(value):
        return value
    if isinstance(value, str) and re.fullmatch(r"\s*-?\d{1,18}\s*", value):
        return int(value)
    raise CannotCompute("int takes a number")


def as_bool(value: Any) -> bool:
    if isinstance(value, bool) or is_whole_number(value):
        return bool(value)
    if isinstance(value, str) and value.lower() in ("true", "false", "1", "0"):
        return value.lower() in ("true", "1")
    raise CannotCompute("bool takes true or false")


def from_json(text: Any) -> Any:
    try:
        return json.loads(_string(text))
    except (ValueError, RecursionError):
        raise CannotCompute("json takes a text that is JSON") from None


def try_get(value: Any, *keys: Any) -> Any:
    for key in keys:
        if isinstance(value, list):
            value = value[key] if is_whole_number(key) and 0 <= key < len(value) else None
        else:
            value = member(value, key) if isinstance(key, str) else None
    return value


def _arithmetic(compute: Callable[[int, int], int]) -> Callable[..., int]:
    return lambda one, other: compute(_number(one), _number(other))


def _divided(one: int, other: int) -> int:
    if other == 0:
        raise CannotCompute("nothing is divided by 0")
    whole = abs(one) // abs(other)
    return whole if (one < 0) == (other < 0) else -whole


def _compared(compute: Callable[[Any, Any], bool]) -> Callable[..., bool]:
    def of(one: Any, other: Any) -> bool:
        if isinstance(one, str) and isinstance(other, str):
            return compute(one, other)
        return compute(_number(one), _number(other))

    return of


def _joined(mark: str, parts: Sequence[Any]) -> str:
    texts = [_text(part) for part in parts]
    _check_length(sum(map(len, texts)) + len(mark) * len(texts))
    return mark.join(texts)


def _check_length(number: int) -> None:
    """Before the text is made: a short expression can ask for gigabytes."""
    if number > LONGEST_TEXT:
        raise CannotCompute(f"the text has more than {LONGEST_TEXT:,} characters")


def _weight(value: Any) -> int:
    """The characters of all texts in a value."""
    waiting, number = [value], 0
    while waiting and number <= LONGEST_TEXT:
        found = waiting.pop()
        if isinstance(found, str):
            number += len(found)
        elif isinstance(found, (dict, list)):
            waiting.extend([*found, *found.values()] if isinstance(found, dict) else found)
    return number


def _text(value: Any) -> str:
    """A value inside a text."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value)
    if is_whole_number(value):
        return str(value)
    raise CannotCompute("a text is needed")


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise CannotCompute("a text is needed")
    return value


def _number(value: Any) -> int:
    if not is_whole_number(value):
        raise CannotCompute("a whole number is needed")
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise CannotCompute("a list is needed")
    return value


def _sequence(value: Any) -> Any:
    return value if isinstance(value, str) else _list(value)


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise CannotCompute("an object is needed")
    return value


#: These take parts that are not known, and say what they know.
PASSING: dict[str, Callable[..., Any]] = {
    "array": array,
    "concat": concat,
    "createarray": lambda *parts: list(parts),
    "createobject": create_object,
    "flatten": flatten,
    "union": union,
}
#: These need to know all of every argument.
STRICT: dict[str, Callable[..., Any]] = {
    "add": _arithmetic(lambda one, other: one + other),
    "bool": as_bool,
    "contains": contains,
    "div": _arithmetic(_divided),
    "empty": empty,
    "endswith": lambda text, end: _string(text).lower().endswith(_string(end).lower()),
    "equals": equals,
    "false": lambda: False,
    "first": first,
    "format": format_text,
    "greater": _compared(lambda one, other: one > other),
    "greaterorequals": _compared(lambda one, other: one >= other),
    "indexof": lambda text, part: _string(text).lower().find(_string(part).lower()),
    "int": as_number,
    "intersection": intersection,
    "items": items,
    "join": join,
    "json": from_json,
    "last": last,
    "lastindexof": lambda text, part: _string(text).lower().rfind(_string(part).lower()),
    "length": length,
    "less": _compared(lambda one, other: one < other),
    "lessorequals": _compared(lambda one, other: one <= other),
    "mod": _arithmetic(lambda one, other: one - other * _divided(one, other)),
    "mul": _arithmetic(lambda one, other: one * other),
    "not": lambda value: not as_bool(value),
    "null": lambda: None,
    "objectkeys": lambda value: sorted(_object(value), key=str.lower),
    "range": number_range,
    "replace": replace,
    "skip": skip,
    "split": split,
    "startswith": lambda text, start: _string(text).lower().startswith(_string(start).lower()),
    "string": as_text,
    "sub": _arithmetic(lambda one, other: one - other),
    "substring": substring,
    "take": take,
    "tolower": lambda text: _string(text).lower(),
    "toupper": lambda text: _string(text).upper(),
    "trim": lambda text: _string(text).strip(),
    "true": lambda: True,
    "tryget": try_get,
}
#: What only a deployment knows, and why.
UNKNOWABLE = {
    "deployer": "who deploys is known only during the deployment",
    "environment": "it is known only during the deployment",
    "guid": "it is not computed here",
    "managementgroup": "it is known only during the deployment",
    "newguid": "it is another one at each deployment",
    "reference": "what other resources say is known only during the deployment",
    "uniquestring": "it is not computed here",
    "utcnow": "it is another one at each deployment",
}
