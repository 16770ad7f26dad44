"""SKV203: a retry that does not look at what went wrong."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from safekv.migrate._code import LOOPS, Code
from safekv.migrate._findings import Finding
from safekv.migrate._kinds import kind
from safekv.migrate._loops import tries_again

_TOO_WIDE = frozenset({"azure.core.exceptions.HttpResponseError", "azure.core.exceptions.AzureError"})
_NO_REFUSALS = frozenset(
    {"ResourceNotFoundError", "ResourceExistsError", "ResourceModifiedError", "ResourceNotModifiedError"}
)
_REFUSALS = frozenset({"AccessDenied", "AuthenticationFailed", "MissingPermission", "SafeKVError"})
#: An attribute of the error that tells a refusal from throttling.
_TELLING = frozenset({"status_code", "response", "error", "reason", "code", "inner_code", "transient", "retry_in"})


def check(code: Code) -> Iterator[Finding]:
    for node in code.nodes:
        if not isinstance(node, ast.Try) or not any(_asks_a_vault(code, part) for part in node.body):
            continue
        told_apart = False  # whether a handler before this one takes refusals
        for handler in node.handlers:
            caught = _caught(code, handler)
            if caught in _TOO_WIDE and _tries_again(code, node, handler) and not _looks(handler) and not told_apart:
                name = caught.rpartition(".")[2]
                yield code.finding(handler, "SKV203", f"{name} is caught and the call repeated, whatever the status is")
            told_apart = told_apart or bool(caught and _takes_refusals(caught))


def _takes_refusals(caught: str) -> bool:
    """Whether a class is of refusals; one of what is missing, or there already, leaves 401 and 403 to be repeated."""
    name = caught.rpartition(".")[2]
    if caught.startswith("safekv."):
        return name in _REFUSALS
    return caught not in _TOO_WIDE and "Error" in name and name not in _NO_REFUSALS


def _caught(code: Code, handler: ast.ExceptHandler) -> str | None:
    """The class that is caught, the widest of several."""
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    names = [found.sdk for each in kinds if each is not None and (found := code.resolve(each))]
    return next((name for name in names if name in _TOO_WIDE), names[0] if names else None)


def _asks_a_vault(code: Code, node: ast.AST) -> bool:
    calls = (each for each in ast.walk(node) if isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute))
    return any(kind(code, call.func.value) is not None for call in calls if isinstance(call.func, ast.Attribute))


def _tries_again(code: Code, node: ast.Try, handler: ast.ExceptHandler) -> bool:
    """It sleeps, or it is in a loop that ends with the first success; and it does not raise again at once."""
    if isinstance(handler.body[-1], (ast.Raise, ast.Return, ast.Break)):
        return False
    loop = next((above for above, _ in code.around(node) if isinstance(above, LOOPS)), None)
    if loop is not None and tries_again(loop, node.body[0]):
        return True
    return any(isinstance(each, ast.Call) and "sleep" in ast.unparse(each.func) for each in ast.walk(handler))


def _looks(handler: ast.ExceptHandler) -> bool:
    """Whether it looks at the error's status, or hands the error to something that may."""
    if handler.name is None:
        return False
    for each in ast.walk(handler):
        if isinstance(each, ast.Attribute) and each.attr in _TELLING and _names(each.value, handler.name):
            return True
        if isinstance(each, ast.If) and handler.name in {n.id for n in ast.walk(each.test) if isinstance(n, ast.Name)}:
            return True
    return False


def _names(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name
