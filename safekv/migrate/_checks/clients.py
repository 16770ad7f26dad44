"""SKV101 and SKV102: clients and credentials that are made again and again."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from safekv.migrate._code import Code
from safekv.migrate._findings import Finding
from safekv.migrate._kinds import constructed, credential
from safekv.migrate._loops import loop_around, varies
from safekv.migrate._memory import remembers
from safekv.migrate._often import Reasons, often

#: All that is left to do where the client is safekv's already.
_LEAVE_OPEN = "Do not close it after each call: the last one to close it closes the connection."


def check(code: Code) -> Iterator[Finding]:
    """safekv's classes give the same object each time; only closing that at once undoes it."""
    reasons: Reasons | None = None
    for call in code.calls():
        made, rule = constructed(code, call), "SKV101"
        if made is None:
            made, rule = credential(code, call), "SKV102"
        if made is None or (made.safe and (rule == "SKV102" or not _closed(code, call))):
            continue
        reasons = often(code) if reasons is None else reasons
        if where := _where(code, call, reasons):
            again, fix = (" and closed", _LEAVE_OPEN) if made.safe else ("", "")
            yield code.finding(call, rule, f"{made.name} is constructed{again} {where}", fix)


def _where(code: Code, call: ast.Call, reasons: Reasons) -> str | None:
    if remembers(code, call):
        return None
    loop = loop_around(code, call)
    if loop is not None:
        return None if varies(code, call, loop) else f"in a loop (line {loop.lineno})"  # type: ignore[attr-defined]  # a loop
    function = code.function(call)
    return f"in {reasons[function]}" if function in reasons else None


def _closed(code: Code, call: ast.Call) -> bool:
    """Whether the function that constructs it also closes it."""
    around = code.parent(call)
    if isinstance(around, ast.withitem):
        return True
    if not isinstance(around, ast.Assign) or not isinstance(around.targets[0], ast.Name):
        return False
    name, function = around.targets[0].id, code.function(call)
    return any(_closes(node, name) for node in ast.walk(function or code.tree))


def _closes(node: ast.AST, name: str) -> bool:
    """``with client`` or ``client.close``."""
    if isinstance(node, ast.withitem):
        closed: ast.expr | None = node.context_expr
    else:
        closed = node.value if isinstance(node, ast.Attribute) and node.attr == "close" else None
    return isinstance(closed, ast.Name) and closed.id == name
