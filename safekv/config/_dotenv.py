"""``.env`` files, read as python-dotenv reads them; with the line of each value, and no line skipped in silence."""

from __future__ import annotations

import re
from collections.abc import Mapping

from safekv.errors import InvalidArgument

_LINE = re.compile(
    r"""
    [^\S\r\n]* (?:export[^\S\r\n]+)?
    (?P<key> '[^']+' | [^=\#\s]+ ) [^\S\r\n]*
    (?: = [^\S\r\n]* (?:
        '(?P<single> (?:\\.|[^'\\])* )'
      | "(?P<double> (?:\\.|[^"\\])* )"
      | (?P<plain> [^\r\n]* )
    ) )?
    [^\S\r\n]* (?:\#[^\r\n]*)? (?:\r\n|\n|\r|\Z)
    """,
    re.VERBOSE | re.DOTALL,
)
_EMPTY = re.compile(r"\s*(?:\#[^\r\n]*)?(?:\r\n|\n|\r|\Z)")
_REST = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)?")
_VARIABLE = re.compile(r"\$\{(?P<name>[^}:]*)(?::-(?P<default>[^}]*))?\}")
_IN_SINGLE = re.compile(r"\\[\\']")
_IN_DOUBLE = re.compile(r"\\[\\'\"abfnrtv]")
_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def read_dotenv(text: str, environ: Mapping[str, str], name: str = ".env") -> tuple[dict[str, str], dict[str, int]]:
    """The values and the line of each; ``${NAME}`` and ``${NAME:-default}`` are what stands above or in ``environ``.

    :raises InvalidArgument: naming every line that cannot be read, without its text.
    """
    values: dict[str, str] = {}
    lines: dict[str, int] = {}
    bad: list[int] = []
    position, line = 0, 1
    while position < len(text):
        empty = _EMPTY.match(text, position)
        found = None if empty and empty.end() > position else _LINE.match(text, position)
        if found and _is_broken(found):
            found = None
        match = found or (empty if empty and empty.end() > position else None)
        if match is None:
            bad.append(line)
            match = _REST.match(text, position)
            assert match
        elif found and (value := _value(found)) is not None:
            key = found["key"].strip("'")
            values[key], lines[key] = (
                _expanded(value, values, environ),
                line + _lines(found[0][: found.start("key") - found.start()]),
            )
        line += _lines(match[0])
        position = match.end() if match.end() > position else len(text)
    if bad:
        where = ", ".join(f"{name}:{number}" for number in bad)
        raise InvalidArgument(f"{where} cannot be read.", hint="Write NAME=value, NAME='value' or NAME=\"value\".")
    return values, lines


def _is_broken(found: re.Match[str]) -> bool:
    """A quote that does not end is no value."""
    return found["plain"] is not None and found["plain"][:1] in ("'", '"')


def _value(found: re.Match[str]) -> str | None:
    if found["single"] is not None:
        return _IN_SINGLE.sub(lambda match: match[0][1], found["single"])
    if found["double"] is not None:
        return _IN_DOUBLE.sub(lambda match: _ESCAPES.get(match[0][1], match[0][1]), found["double"])
    return None if found["plain"] is None else re.sub(r"\s+#.*", "", found["plain"]).rstrip()


def _expanded(value: str, values: Mapping[str, str], environ: Mapping[str, str]) -> str:
    def one(match: re.Match[str]) -> str:
        name = match["name"]
        return values.get(name, environ.get(name, match["default"] or ""))

    return _VARIABLE.sub(one, value)


def _lines(text: str) -> int:
    return len(re.findall(r"\r\n|\n|\r", text))
