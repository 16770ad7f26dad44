"""SKV103: data encrypted by the vault, one request for each piece."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from safekv.migrate._code import Code
from safekv.migrate._findings import Finding
from safekv.migrate._kinds import kind
from safekv.migrate._loops import loop_around, varies
from safekv.migrate._often import often

_OPERATIONS = frozenset({"encrypt", "decrypt", "wrap_key", "unwrap_key"})


def check(code: Code) -> Iterator[Finding]:
    reasons = None
    for call in code.calls():
        if not isinstance(call.func, ast.Attribute) or call.func.attr not in _OPERATIONS:
            continue
        client = kind(code, call.func.value)
        if client is None or client.name != "CryptographyClient":
            continue
        loop = loop_around(code, call)
        if loop is not None and not varies(code, call.func.value, loop):  # another key each time is no bulk work
            yield code.finding(call, "SKV103", f"{call.func.attr} of a CryptographyClient in a loop")
        elif loop is None:
            reasons = often(code) if reasons is None else reasons
            why = reasons.get(code.function(call) or code.tree, "")
            if "in a loop" in why:
                yield code.finding(call, "SKV103", f"{call.func.attr} of a CryptographyClient in {why}")
