"""SKV104: all secrets listed, then each of them read."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from safekv.migrate._code import COMPREHENSIONS, Code
from safekv.migrate._findings import Finding
from safekv.migrate._loops import loop_around, varies

_LISTS = "list_properties_of_secrets"


def check(code: Code) -> Iterator[Finding]:
    if not any(isinstance(node, ast.Attribute) and node.attr == _LISTS for node in code.nodes):
        return
    for call in code.calls():
        if not isinstance(call.func, ast.Attribute) or call.func.attr != "get_secret":
            continue
        asked = [*call.args[:1], *(each.value for each in call.keywords if each.arg == "name")]
        loop = loop_around(code, call)
        if loop is None or not any(varies(code, each, loop) for each in asked):
            continue
        if any(_lists(code, source) for source in _sources(loop)):
            yield code.finding(call, "SKV104", f"get_secret for each secret that {_LISTS} names")


def _sources(loop: ast.AST) -> list[ast.expr]:
    if isinstance(loop, (ast.For, ast.AsyncFor)):
        return [loop.iter]
    return [each.iter for each in loop.generators] if isinstance(loop, COMPREHENSIONS) else []


def _lists(code: Code, node: ast.expr, depth: int = 5) -> bool:
    """Whether this goes over the list: the call itself, a variable of it, or ``sorted(...)`` and the like."""
    if depth == 0:
        return False
    if any(isinstance(each, ast.Attribute) and each.attr == _LISTS for each in ast.walk(node)):
        return True
    for each in ast.walk(node):
        if isinstance(each, ast.Name):
            values = [binding.value for binding in code.bindings(each.id, code.scope(each))]
            if any(value is not None and _lists(code, value, depth - 1) for value in values):
                return True
    return False
