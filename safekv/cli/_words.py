"""Words for a terminal: counted, wrapped, and without what a terminal would take for a command."""

from __future__ import annotations

import textwrap

_WIDTH = 100


def counted(number: int, one: str, several: str | None = None) -> str:
    """``1 file``, ``2 files``."""
    return f"{number:,} {one if number == 1 else several or one + 's'}"


def clean(text: str) -> str:
    """A text from elsewhere, on one line and without control characters."""
    spaced = text.replace("\r\n", " ").replace("\n", " ").replace("\t", " ")
    return "".join(each if each.isprintable() else "?" for each in spaced)


def wrapped(text: str, first: str = "", then: str | None = None) -> str:
    """``text`` in lines, the first of which begins with ``first``, the others with ``then`` or ``first`` too."""
    return textwrap.fill(
        text,
        _WIDTH,
        initial_indent=first,
        subsequent_indent=first if then is None else then,
        break_long_words=False,
        break_on_hyphens=False,
    )
