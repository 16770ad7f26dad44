"""Which functions of a module run often: handlers, what loops call, what reads a secret whose name it is given."""

from __future__ import annotations

import ast

from safekv.migrate._code import Code, Function
from safekv.migrate._handlers import dependencies, handler, kept_by_decorator, last_name
from safekv.migrate._kinds import kind
from safekv.migrate._loops import assigned, loop_around
from safekv.migrate._memory import remembers

Reasons = dict[ast.AST, str]

#: Decorators of functions that a command line calls, once.
_COMMANDS = frozenset({"command", "callback"})


def often(code: Code) -> Reasons:
    """The functions, and why each of them runs often."""
    functions = [node for node in code.nodes if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    found: Reasons = {}
    asked = dependencies(code)
    for function in functions:
        why = _why(code, function, asked)
        if why and not kept_by_decorator(function):
            found[function] = why
    calls = [(call, called) for call in code.calls() if (called := code.local_function(call.func))]
    for call, called in calls:
        loop = loop_around(code, call)
        if loop is not None and not kept_by_decorator(called) and not remembers(code, call):
            found.setdefault(called, f"{called.name}, which is called in a loop (line {call.lineno})")
    _spread(code, calls, found)
    return found


def _why(code: Code, function: Function, asked: set[str]) -> str | None:
    if what := handler(code, function):
        return f"{function.name}, {what}"
    if function.name in asked:
        return f"{function.name}, which is called for each request (Depends)"
    if _reads_what_it_is_told(code, function):
        return f"{function.name}, which is called for each secret: its name is a parameter"
    return None


def _spread(code: Code, calls: list[tuple[ast.Call, Function]], found: Reasons) -> None:
    """What a function calls that runs often, runs often."""
    changed = True
    while changed:
        changed = False
        for call, called in calls:
            caller = code.function(call)
            if caller not in found or called in found or kept_by_decorator(called) or remembers(code, call):
                continue
            assert caller is not None
            found[called] = f"{called.name}, which is called by {found[caller]}"
            changed = True


def _reads_what_it_is_told(code: Code, function: Function) -> bool:
    """Whether it reads the secret whose name it is given, or a name made of what it is given."""
    if any(last_name(each) in _COMMANDS for each in function.decorator_list):
        return False
    given = {arg.arg for arg in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)}
    told = _spread_names(function, given - {"self", "cls"})
    for call in ast.walk(function):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "get_secret":
            asked = [*call.args[:1], *(each.value for each in call.keywords if each.arg == "name")]
            client = kind(code, call.func.value)
            if client and client.name == "SecretClient" and any(_wholly(each) & told for each in asked):
                return True
    return False


def _spread_names(function: Function, told: set[str]) -> set[str]:
    """These names, and those that are made of them."""
    inside = [each for each in ast.walk(function) if isinstance(each, (ast.Assign, ast.AnnAssign)) and each.value]
    while True:
        more = {name for each in inside if each.value and _wholly(each.value) & told for name in assigned(each)}
        if more <= told:
            return told
        told = told | more


def _wholly(node: ast.AST) -> set[str]:
    """The names in it, but for those of which it takes a part: ``args.name`` and ``config["name"]`` say nothing of how
    often the function is called; ``name.lower()`` does."""
    if isinstance(node, ast.Name):
        return {node.id}
    if isinstance(node, (ast.Attribute, ast.Subscript)):
        return set()
    inner = list(ast.iter_child_nodes(node))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        inner = [node.func.value, *node.args, *(each.value for each in node.keywords)]
    return set().union(*map(_wholly, inner)) if inner else set()
