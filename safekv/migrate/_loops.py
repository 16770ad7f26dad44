"""What is repeated by a loop, and whether it is the same each time."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from safekv.migrate._code import COMPREHENSIONS, FUNCTIONS, LOOPS, Code


def loop_around(code: Code, node: ast.AST) -> ast.AST | None:
    """The innermost loop or comprehension that repeats this node within its function; no loop that only tries again."""
    for above, child in code.around(node):
        if isinstance(above, FUNCTIONS):
            return None
        if _repeats(code, above, child) and not tries_again(above, node):
            return above
    return None


def _repeats(code: Code, loop: ast.AST, child: ast.AST) -> bool:
    if isinstance(loop, ast.While):
        return child is loop.test or child in loop.body
    if isinstance(loop, (ast.For, ast.AsyncFor)):
        return child in loop.body
    return isinstance(loop, COMPREHENSIONS) and child is not loop.generators[0]


def tries_again(loop: ast.AST, node: ast.AST) -> bool:
    """Whether it is a loop that ends with the first success: a ``try`` around the node, left by return or break."""
    if not isinstance(loop, LOOPS):
        return False
    for each in ast.walk(loop):
        if isinstance(each, ast.Try) and any(inner is node for part in each.body for inner in ast.walk(part)):
            after = [*each.body, *each.orelse, loop.body[-1]]
            if any(isinstance(end, (ast.Return, ast.Break)) for part in after for end in _own_statements(part)):
                return True
    return False


def _own_statements(node: ast.AST) -> Iterator[ast.AST]:
    """This statement and those in it, but not those of an inner loop or function."""
    yield node
    if not isinstance(node, (*LOOPS, *FUNCTIONS)):
        for child in ast.iter_child_nodes(node):
            yield from _own_statements(child)


def varies(code: Code, node: ast.AST, loop: ast.AST) -> bool:
    """Whether the node is made of what differs from one turn of the loop to the next."""
    return bool(names(node) & _changing(loop))


def names(node: ast.AST) -> set[str]:
    """The names that are read in it."""
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load)}


def _changing(loop: ast.AST) -> set[str]:
    found = {name for target in _targets(loop) for name in _bound(target)}
    inside = [each for each in ast.walk(loop) if isinstance(each, (ast.Assign, ast.AnnAssign, ast.NamedExpr))]
    if isinstance(loop, ast.While):  # what each turn fetches: item = queue.get()
        found |= {name for each in inside if _fetches(each.value) for name in assigned(each)}
    while True:
        more = {name for each in inside if each.value and names(each.value) & found for name in assigned(each)}
        if more <= found:
            return found
        found |= more


def _targets(loop: ast.AST) -> list[ast.expr]:
    if isinstance(loop, (ast.For, ast.AsyncFor)):
        return [loop.target]
    return [each.target for each in getattr(loop, "generators", ())]


def _fetches(value: ast.expr | None) -> bool:
    """``queue.get()``, and not a constructor."""
    if isinstance(value, ast.Await):
        value = value.value
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and not value.func.attr[:1].isupper()


def assigned(node: ast.Assign | ast.AnnAssign | ast.NamedExpr) -> list[str]:
    """The names that get a value here."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return [name for target in targets for name in _bound(target)]


def _bound(target: ast.AST) -> list[str]:
    return [each.id for each in ast.walk(target) if isinstance(each, ast.Name)]
