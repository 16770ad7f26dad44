"""Small helpers for libcst's nodes."""

from __future__ import annotations

import libcst as cst


def dotted(node: cst.CSTNode | None) -> str | None:
    """``a.b.c`` for names and attributes of names alone; None for anything else."""
    if isinstance(node, cst.Name):
        return node.value
    if isinstance(node, cst.Attribute):
        before = dotted(node.value)
        return f"{before}.{node.attr.value}" if before else None
    return None


def expression(name: str) -> cst.Attribute | cst.Name:
    """The node of a dotted name."""
    first, *rest = name.split(".")
    node: cst.Attribute | cst.Name = cst.Name(first)
    for part in rest:
        node = cst.Attribute(node, cst.Name(part))
    return node


def text_of(node: cst.CSTNode | None) -> str | None:
    """The text of a plain string literal; None for anything else: bytes, f-strings, and what has escapes in it."""
    if not isinstance(node, cst.SimpleString) or "b" in node.prefix.lower() or "\\" in node.raw_value:
        return None
    return node.raw_value


def with_text(node: cst.SimpleString, old: str, new: str) -> cst.SimpleString:
    """The same literal with the same quotes, with some of its text replaced."""
    return node.with_changes(value=node.value.replace(old, new))
