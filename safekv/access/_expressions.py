"""The language in a template's texts, ``[concat(parameters('name'), '/add')]``: read, and not computed, here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn, Union

from safekv.access._errors import TemplateError

#: Characters of an expression; Azure's own limit.
LONGEST = 24_576
#: Calls and brackets within one another.
DEEPEST = 60

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>-?\d{1,18})(?![\w.])|(?P<name>[A-Za-z_]\w*)|(?P<mark>\.\?|\[\?|[\[\](),.]))"
)


@dataclass(frozen=True, slots=True)
class Literal:
    """A text or a whole number."""

    value: str | int


@dataclass(frozen=True, slots=True)
class Call:
    """A function of the language, or of the template's own (``namespace.name``); ``name`` is in lower case."""

    name: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Member:
    """``of.key``, ``of['key']`` or ``of[0]``; ``safe``: null where there is none."""

    of: Expression
    key: Expression
    safe: bool = False


Expression = Union[Literal, Call, Member]  # noqa: UP007  (its parts name it before it is there)


def is_expression(text: str) -> bool:
    """Whether a text of a template stands for what it computes. ``[[`` at the start means a bracket."""
    return text.startswith("[") and text.endswith("]") and not text.startswith("[[")


def plain(text: str) -> str:
    """A text that is no expression, as it is meant."""
    return text[1:] if text.startswith("[[") else text


def parse(text: str) -> Expression:
    """The expression between the brackets of ``text``.

    :raises TemplateError: saying where it cannot be read.
    """
    if len(text) > LONGEST:
        raise TemplateError(f"An expression has {len(text):,} characters; Azure takes {LONGEST:,}.")
    if not is_expression(text):
        raise TemplateError(f"{_shown(text)} is no expression: those stand in [brackets].")
    reader = _Reader(text[1:-1])
    found = reader.expression(0)
    reader.end()
    return found


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._kind = ""
        self._word = ""
        self._next()

    def expression(self, depth: int) -> Expression:
        if depth > DEEPEST:
            self._fail(f"more than {DEEPEST} levels")
        found = self._first(depth)
        while self._kind == "mark" and self._word in (".", ".?", "[", "[?"):
            safe = self._word.endswith("?")
            if self._take().startswith("."):
                key: Expression = Literal(self._take_kind("name"))
            else:
                key = self.expression(depth + 1)
                self._take_mark("]")
            found = Member(found, key, safe)
            depth += 1
            if depth > DEEPEST:
                self._fail(f"more than {DEEPEST} levels")
        return found

    def end(self) -> None:
        if self._kind:
            self._fail(f"{self._word!r} follows its end")

    def _first(self, depth: int) -> Expression:
        if self._kind == "text":
            return Literal(self._take()[1:-1].replace("''", "'"))
        if self._kind == "number":
            return Literal(int(self._take()))
        name = self._take_kind("name").lower()
        if self._word == ".":  # a function of the template's own
            self._take()
            name = f"{name}.{self._take_kind('name').lower()}"
        self._take_mark("(")
        arguments: list[Expression] = []
        while self._word != ")" or self._kind != "mark":
            if arguments:
                self._take_mark(",")
            arguments.append(self.expression(depth + 1))
        self._take()
        return Call(name, tuple(arguments))

    def _take(self) -> str:
        token = self._word
        self._next()
        return token

    def _take_kind(self, kind: str) -> str:
        if self._kind != kind:
            self._fail(f"a {kind} is missing")
        return self._take()

    def _take_mark(self, mark: str) -> None:
        if self._kind != "mark" or self._word != mark:
            self._fail(f"{mark!r} is missing")
        self._next()

    def _next(self) -> None:
        found = _TOKEN.match(self._text, self._at)
        if found is None:
            if self._text[self._at :].strip():
                self._fail("something cannot be read")
            self._kind = self._word = ""
            return
        self._kind = found.lastgroup or ""
        self._word = found[self._kind]
        self._at = found.end()

    def _fail(self, what: str) -> NoReturn:
        raise TemplateError(f"The expression {_shown(f'[{self._text}]')} cannot be read: {what}.")


def _shown(text: str) -> str:
    return repr(text if len(text) <= 120 else text[:117] + "...")
