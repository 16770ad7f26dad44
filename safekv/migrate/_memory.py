"""Functions that keep what they make, and look there first: ``if self._client is None: self._client = …``."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from safekv.migrate._code import FUNCTIONS, Code, of_self


def remembers(code: Code, node: ast.AST) -> bool:
    """Whether the function around this node tests what it assigns to something that outlives the call.

    The tested name may be another one than this node is assigned to: a credential is made for the client that is kept.
    """
    function = code.function(node) or code.tree
    if _stands_in(code, node, function):
        return True
    kept = set(_kept(function))
    return bool(kept) and any(kept & set(_places(test)) for test in _tests(function))


def _stands_in(code: Code, node: ast.AST, function: ast.AST) -> bool:
    """Whether it is made where a parameter was not given: the caller decides how often that is."""
    if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return False
    given = {arg.arg for arg in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)}
    for above, child in code.around(node):
        if above is function:
            return False
        if isinstance(above, ast.BoolOp) and child is not above.values[0] and _name(above.values[0]) in given:
            return True
        if isinstance(above, (ast.If, ast.IfExp)) and child is not above.test and _asks_whether(above.test) in given:
            return True
    return False


def _asks_whether(test: ast.expr) -> str:
    """The name of which this asks whether it is there: ``name is None``, ``not name``, ``name``."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return _name(test.operand)
    if isinstance(test, ast.Compare) and isinstance(test.ops[0], (ast.Is, ast.IsNot)):
        return _name(test.left)
    return _name(test)


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else ""


def _kept(function: ast.AST) -> Iterator[str]:
    """What is assigned here that outlives the call: globals, attributes, entries of a mapping."""
    shared = {
        name for each in ast.walk(function) if isinstance(each, (ast.Global, ast.Nonlocal)) for name in each.names
    }
    for each in ast.walk(function):
        if not isinstance(each, (ast.Assign, ast.AnnAssign)):
            continue
        for target in each.targets if isinstance(each, ast.Assign) else [each.target]:
            if isinstance(target, ast.Subscript):
                yield ast.unparse(target.value)
            elif isinstance(target, ast.Attribute) and (of_self(target) or target.attr.startswith("_")):
                yield ast.unparse(target)
            elif isinstance(target, ast.Name) and target.id in shared:
                yield target.id


def _tests(function: ast.AST) -> Iterator[ast.AST]:
    for each in _own(function):
        if isinstance(each, (ast.If, ast.IfExp)):
            yield each.test
        elif isinstance(each, ast.BoolOp):
            yield each.values[0]
        elif isinstance(each, ast.Try) and any("KeyError" in ast.unparse(h.type) for h in each.handlers if h.type):
            yield from each.body


def _places(test: ast.AST) -> Iterator[str]:
    for each in ast.walk(test):
        if isinstance(each, (ast.Name, ast.Attribute)):
            yield ast.unparse(each)


def _own(function: ast.AST) -> Iterator[ast.AST]:
    """What is in this function, and not in one inside it."""
    for child in ast.iter_child_nodes(function):
        if not isinstance(child, FUNCTIONS):
            yield child
            yield from _own(child)
