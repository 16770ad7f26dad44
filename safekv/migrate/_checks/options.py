"""SKV201 and SKV202: keywords that give away tokens and values."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from safekv.migrate._code import Code
from safekv.migrate._findings import Finding
from safekv.migrate._kinds import constructed, credential, kind


def check(code: Code) -> Iterator[Finding]:
    for call in code.calls():
        for keyword in call.keywords:
            if keyword.arg == "verify_challenge_resource" and _is(keyword.value, False):
                yield code.finding(keyword.value, "SKV201", "verify_challenge_resource=False")
            elif keyword.arg == "logging_enable" and _is(keyword.value, True) and _writes_bodies(code, call):
                yield code.finding(keyword.value, "SKV202", "logging_enable=True")


def _is(node: ast.expr, value: bool) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


def _writes_bodies(code: Code, call: ast.Call) -> bool:
    """The keyword is azure-core's; safekv's clients leave out bodies, and other services' are no concern here."""
    if credential(code, call) is not None:
        return True
    client = constructed(code, call)
    if client is None and isinstance(call.func, ast.Attribute):
        client = kind(code, call.func.value)
    return client is not None and not client.safe
