"""JSON as Azure Resource Manager takes it, with comments; each value knows where in the text it stands.

A template that is changed keeps everything else as it is: its order, its layout, its comments.
"""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from safekv.access._errors import TemplateError

#: Characters; Azure takes 4 MB.
MOST = 4 * 1024 * 1024
#: Objects and lists within one another.
DEEPEST = 100

_BLANK = re.compile(r"(?:[\s\ufeff]+|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,63})(?:\.\d{1,64})?(?:[eE][+-]?\d{1,3})?")
_WORDS = {"true": True, "false": False, "null": None}


class Span(NamedTuple):
    """From one character of the text up to another."""

    start: int
    end: int


class Object(dict[str, Any]):
    """A JSON object. ``span`` is all of it; ``keys_at`` and ``values_at`` are where its members stand."""

    def __init__(self) -> None:
        super().__init__()
        self.span = Span(0, 0)
        self.keys_at: dict[str, Span] = {}
        self.values_at: dict[str, Span] = {}

    def name_of(self, name: str) -> str | None:
        """How this object spells a member; case does not matter, as for Azure."""
        return name_in(self, name)


class Array(list[Any]):
    """A JSON array. ``items_at`` are where its items stand."""

    def __init__(self) -> None:
        super().__init__()
        self.span = Span(0, 0)
        self.items_at: list[Span] = []


def name_in(found: Any, name: str) -> str | None:
    """How an object spells a member; None if it has none of this name, or is no object."""
    if not isinstance(found, dict):
        return None
    if name in found:
        return name
    return next((each for each in found if each.lower() == name.lower()), None)


def member(found: Any, name: str, otherwise: Any = None) -> Any:
    """A member of an object, whatever the case of its name; ``otherwise`` if there is none."""
    if not isinstance(found, dict):
        return otherwise
    spelling = name_in(found, name)
    return otherwise if spelling is None else found[spelling]


def parse(text: str, what: str = "The template") -> Any:
    """The value in a text.

    :raises TemplateError: naming line and column of what is no JSON.
    """
    if len(text) > MOST:
        raise TemplateError(f"{what} has {len(text):,} characters; Azure takes {MOST:,}.")
    reader = _Reader(text, what)
    value, _ = reader.value(0)
    reader.skip()
    if reader.at < len(text):
        raise reader.problem("something follows the end")
    return value


class _Reader:
    def __init__(self, text: str, what: str) -> None:
        self._text = text
        self._what = what
        self.at = 0

    def skip(self) -> None:
        found = _BLANK.match(self._text, self.at)
        self.at = found.end() if found else self.at

    def problem(self, what: str) -> TemplateError:
        before = self._text[: self.at]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        return TemplateError(
            f"{self._what} is no JSON: {what} at line {line}, column {column}.",
            hint="Templates are JSON, with // and /* */ comments. A .bicep file is compiled first: "
            "az bicep build --file main.bicep.",
        )

    def value(self, depth: int) -> tuple[Any, Span]:
        self.skip()
        if depth > DEEPEST:
            raise self.problem(f"more than {DEEPEST} levels")
        start = self.at
        mark = self._text[start : start + 1]
        found = self._object(depth) if mark == "{" else self._array(depth) if mark == "[" else self._scalar(mark)
        span = Span(start, self.at)
        if isinstance(found, (Object, Array)):
            found.span = span
        return found, span

    def _scalar(self, mark: str) -> Any:
        if mark == '"':
            return self._string()
        for word, value in _WORDS.items():
            if self._text.startswith(word, self.at):
                self.at += len(word)
                return value
        number = _NUMBER.match(self._text, self.at)
        if number is None:
            raise self.problem("a value is missing" if mark in ("", "}", "]", ",") else "a value cannot be read")
        self.at = number.end()
        return json.loads(number[0])

    def _string(self) -> str:
        found = _STRING.match(self._text, self.at)
        if found is None:
            raise self.problem("a text has no end")
        try:
            text: str = json.loads(found[0], strict=False)  # Azure takes texts of several lines
        except ValueError:
            raise self.problem("a text cannot be read") from None
        self.at = found.end()
        return text

    def _object(self, depth: int) -> Object:
        found = Object()
        self.at += 1
        while not self._ends("}", empty=not found):
            self.skip()
            start = self.at
            if self._text[start : start + 1] != '"':
                raise self.problem("a name in quotes is missing")
            name = self._string()
            key_at = Span(start, self.at)
            self.skip()
            if self._text[self.at : self.at + 1] != ":":
                raise self.problem("a colon is missing")
            if name in found:
                raise self.problem(f"{name[:60]!r} is there twice")
            self.at += 1
            found[name], span = self.value(depth + 1)
            found.keys_at[name], found.values_at[name] = key_at, span
        return found

    def _array(self, depth: int) -> Array:
        found = Array()
        self.at += 1
        while not self._ends("]", empty=not found):
            item, span = self.value(depth + 1)
            found.append(item)
            found.items_at.append(span)
        return found

    def _ends(self, mark: str, *, empty: bool) -> bool:
        """Whether the closing mark is here; else a comma is passed, or one is missing."""
        self.skip()
        here = self._text[self.at : self.at + 1]
        if here == mark:
            self.at += 1
            return True
        if not empty:
            if here != ",":
                raise self.problem(f"a comma or {mark} is missing")
            self.at += 1
        elif not here:
            raise self.problem(f"{mark} is missing")
        return False
