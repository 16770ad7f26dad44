"""SKV105: secrets that are read when a module is imported."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import PurePath

from safekv.migrate._code import Code
from safekv.migrate._findings import Finding
from safekv.migrate._kinds import kind

#: Functions whose call at the top says that the file is run, and not imported.
_SCRIPT_CALLS = frozenset(
    {"print", "run", "main", "exit", "run_until_complete", "input", "execute", "commit", "close", "write"}
)
_SCRIPT_STATEMENTS = (ast.For, ast.While, ast.With)


def check(code: Code) -> Iterator[Finding]:
    if _is_script(code):
        return
    for call in code.calls():
        if code.function(call) is not None or _is_guarded(code, call):
            continue
        if _reads(code, call):
            yield code.finding(call, "SKV105", "a secret is read when the module is imported")
        elif (called := code.local_function(call.func)) and _read_in(code, called):
            yield code.finding(call, "SKV105", f"{called.name} reads a secret when the module is imported")


def _reads(code: Code, call: ast.Call) -> bool:
    if not isinstance(call.func, ast.Attribute) or call.func.attr != "get_secret":
        return False
    client = kind(code, call.func.value)
    return client is not None and client.name == "SecretClient"


def _read_in(code: Code, function: ast.AST) -> bool:
    inside = (node for node in ast.walk(function) if isinstance(node, ast.Call) and code.function(node) is function)
    return any(_reads(code, call) for call in inside)


def _is_guarded(code: Code, node: ast.AST) -> bool:
    """Under ``if __name__ == "__main__"``, or another condition that an import may not meet."""
    return any(isinstance(above, ast.If) and child in above.body for above, child in code.around(node))


def _is_script(code: Code) -> bool:
    """A file that is run does at its top what it is for, unless it says where that begins.

    Nobody imports ``1-load.py``.
    """
    top = code.tree.body
    if any(isinstance(node, ast.If) and "__name__" in ast.unparse(node.test) for node in top):
        return False
    if any(isinstance(node, _SCRIPT_STATEMENTS) for node in top) or not PurePath(code.path).stem.isidentifier():
        return True
    calls = [node.value for node in top if isinstance(node, ast.Expr)]
    return any(isinstance(call, (ast.Call, ast.Await)) and _name(call) in _SCRIPT_CALLS for call in calls)


def _name(call: ast.expr) -> str:
    func = call.func if isinstance(call, ast.Call) else None
    return func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""
