"""Changes of a JSON text that leave everything else in it as it is: order, layout, comments."""

from __future__ import annotations

import json
import re
from typing import Any

from safekv.access._json import Array, Object, Span, name_in

_INDENT = re.compile(r"\n([ \t]+)\S")


class Edits:
    """Changes to be made to one text, all at once. The positions are those of the text as it was."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._made: list[tuple[Span, str]] = []
        self._members: dict[int, tuple[Object, dict[str, Any]]] = {}
        self._items: dict[int, tuple[Array, list[Any]]] = {}
        found = _INDENT.search(text)
        self._unit = found[1] if found else "  "
        self._line = "\r\n" if "\r\n" in text else "\n"

    def __bool__(self) -> bool:
        return bool(self._made or self._members or self._items)

    def replace(self, span: Span, value: Any) -> None:
        """Another value in the place of one."""
        self._made.append((span, self._written(value, self._indent_at(span.start))))

    def set_member(self, of: Object, name: str, value: Any) -> None:
        """A member with this value: in the place of the one of this name, or as the last one."""
        spelling = name_in(of, name)
        if spelling is not None:
            self.replace(of.values_at[spelling], value)
        else:
            self._members.setdefault(id(of), (of, {}))[1][name] = value

    def append(self, to: Array, value: Any) -> None:
        """One more item at the end."""
        self._items.setdefault(id(to), (to, []))[1].append(value)

    def remove_item(self, of: Array, index: int) -> None:
        """An item, and the comma that belongs to it."""
        self._cut(of.items_at, index)

    def replace_member(self, of: Object, name: str, new: str, value: Any) -> None:
        """Another member in the place of one."""
        self._made.append((of.keys_at[name], json.dumps(new)))
        self.replace(of.values_at[name], value)

    def _cut(self, spans: list[Span], index: int) -> None:
        if index + 1 < len(spans):
            span = Span(spans[index].start, spans[index + 1].start)
        elif index:
            span = Span(spans[index - 1].end, spans[index].end)
        else:
            span = spans[index]
        self._made.append((span, ""))

    def result(self) -> str:
        """The text with all changes."""
        made = [*self._made, *map(self._with_members, self._members.values())]
        made += [self._with_items(*each) for each in self._items.values()]
        text = self._text
        for span, new in sorted(made, reverse=True):
            text = text[: span.start] + new + text[span.end :]
        return text

    def _with_members(self, each: tuple[Object, dict[str, Any]]) -> tuple[Span, str]:
        of, new = each
        spans = [Span(of.keys_at[name].start, of.values_at[name].end) for name in of]
        indent, apart = self._inside(of.span, spans)
        pieces = [f"{json.dumps(name)}: {self._written(value, indent)}" for name, value in new.items()]
        return self._after(of.span, spans, pieces, apart, "{}")

    def _with_items(self, to: Array, new: list[Any]) -> tuple[Span, str]:
        indent, apart = self._inside(to.span, to.items_at)
        pieces = [self._written(value, indent) for value in new]
        return self._after(to.span, to.items_at, pieces, apart, "[]")

    def _inside(self, outer: Span, spans: list[Span]) -> tuple[str, str]:
        """How far what is in a container is indented, and what parts one thing from the next in it."""
        indent = self._indent_at(spans[-1].start) if spans else self._indent_at(outer.start) + self._unit
        one_line = bool(spans) and "\n" not in self._text[outer.start : spans[-1].start]
        return indent, " " if one_line else self._line + indent

    def _after(self, outer: Span, spans: list[Span], pieces: list[str], apart: str, marks: str) -> tuple[Span, str]:
        joined = f",{apart}".join(pieces)
        if spans:
            at = spans[-1].end
            return Span(at, at), f",{apart}{joined}"
        end = self._line + self._indent_at(outer.start)
        return outer, f"{marks[0]}{apart}{joined}{end}{marks[1]}"

    def _indent_at(self, at: int) -> str:
        """The blanks at the beginning of the line."""
        start = self._text.rfind("\n", 0, at) + 1
        found = re.match(r"[ \t]*", self._text[start:at])
        return found[0] if found else ""

    def _written(self, value: Any, indent: str) -> str:
        """A value as JSON; lists of texts on one line, as people write permissions."""
        if isinstance(value, dict) and value:
            deeper = indent + self._unit
            parts = [f"{deeper}{json.dumps(name)}: {self._written(each, deeper)}" for name, each in value.items()]
            return "{" + self._line + f",{self._line}".join(parts) + self._line + indent + "}"
        if isinstance(value, list) and any(isinstance(each, (dict, list)) for each in value):
            deeper = indent + self._unit
            parts = [deeper + self._written(each, deeper) for each in value]
            return "[" + self._line + f",{self._line}".join(parts) + self._line + indent + "]"
        return json.dumps(value, ensure_ascii=False)
