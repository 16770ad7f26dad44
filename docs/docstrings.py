"""Docstrings as Markdown, for the API pages: a griffe extension that ``mkdocs.yml`` names.

Ours are reStructuredText as far as Sphinx's fields go. What else of it they use is rewritten: roles, literal blocks,
doctests, and a text that stands after the fields.
"""

from __future__ import annotations

import re
from typing import Any

import griffe

_ROLE = re.compile(r":\w+:`~?([^`]+)`")
_FIELD = re.compile(r":(?:param|raises|returns?|rtype|ivar|cvar|keyword|type)\b")


class Docstrings(griffe.Extension):
    """Called by griffe with each object that has been read."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        if obj.docstring is not None:
            obj.docstring.value = markdown(obj.docstring.value)


def markdown(text: str) -> str:
    blocks = [_block(block) for block in re.split(r"\n\n+(?!    )", _ROLE.sub(r"`\1`", text.replace("``", "`")))]
    fields = [block for block in blocks if _FIELD.match(block)]
    return "\n\n".join([*(block for block in blocks if not _FIELD.match(block)), *fields])


def _block(block: str) -> str:
    """One paragraph with the literal block that belongs to it."""
    if block.startswith(">>>"):
        shown = re.sub(r" *# doctest:.*", "", block)
        return f"```pycon\n{shown}\n```"
    said, marker, literal = block.partition("::\n\n    ")
    if not marker:
        return block
    code = "\n".join(line.removeprefix("    ") for line in f"    {literal}".splitlines())
    return f"{said}{':' if said else ''}\n\n```python\n{code}\n```"
