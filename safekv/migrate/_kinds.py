"""Which expressions are clients of Key Vault, as far as the module itself shows it."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from safekv.migrate._code import Binding, Code, Scope, of_self

_CLIENTS = {
    f"azure.keyvault.{module}{colour}.{name}": name
    for module, name in (
        ("secrets", "SecretClient"),
        ("keys", "KeyClient"),
        ("keys.crypto", "CryptographyClient"),
        ("certificates", "CertificateClient"),
        ("administration", "KeyVaultAccessControlClient"),
        ("administration", "KeyVaultBackupClient"),
        ("administration", "KeyVaultSettingsClient"),
    )
    for colour in ("", ".aio")
} | {"safekv.Vault": "Vault", "safekv.vault.Vault": "Vault"}
_OF_A_VAULT = {"secrets": "SecretClient", "keys": "KeyClient", "certificates": "CertificateClient"}
_TRANSPARENT = frozenset({"Optional", "Annotated", "Union", "ClassVar", "Final"})
_DEEP = 6


@dataclass(frozen=True, slots=True)
class Kind:
    """A client's class, and whether it is safekv's."""

    name: str
    safe: bool


def constructed(code: Code, call: ast.Call) -> Kind | None:
    """The client that this call constructs."""
    found = code.resolve(call.func)
    return Kind(_CLIENTS[found.sdk], found.safe) if found and found.sdk in _CLIENTS else None


def credential(code: Code, call: ast.Call) -> Kind | None:
    """The credential of azure-identity that this call constructs."""
    found = code.resolve(call.func)
    if found is None or not found.sdk.startswith("azure.identity."):
        return None
    name = found.sdk.rpartition(".")[2]
    return Kind(name, found.safe) if name.endswith("Credential") else None


def kind(code: Code, node: ast.expr | None, depth: int = _DEEP) -> Kind | None:
    """The client that this expression is; None if it is none, or if nobody can tell."""
    if node is None or depth == 0:
        return None
    if isinstance(node, ast.Await):
        return kind(code, node.value, depth - 1)
    if isinstance(node, ast.Call):
        return _of_call(code, node, depth - 1)
    if isinstance(node, ast.Name):
        return _of_bindings(code, code.bindings(node.id, code.scope(node)), code.scope(node), depth - 1)
    if isinstance(node, ast.Attribute):
        return _of_attribute(code, node, depth - 1)
    if isinstance(node, (ast.BoolOp, ast.IfExp)):
        either = node.values if isinstance(node, ast.BoolOp) else [node.body, node.orelse]
        return _one([kind(code, each, depth - 1) for each in either if not _is_none(each)])
    return kind(code, node.value, depth - 1) if isinstance(node, ast.NamedExpr) else None


def _of_call(code: Code, call: ast.Call, depth: int) -> Kind | None:
    if (made := constructed(code, call)) is not None:
        return made
    if isinstance(call.func, ast.Attribute):
        owner = kind(code, call.func.value, depth)
        if owner and (owner.name, call.func.attr) in {("KeyClient", "get_cryptography_client"), ("Vault", "crypto")}:
            return Kind("CryptographyClient", owner.safe)
        if owner and call.func.attr in {"__enter__", "__aenter__"}:
            return owner
    return _of_function(code, call.func, depth)


def _of_function(code: Code, called: ast.expr, depth: int) -> Kind | None:
    """What a function of this module returns."""
    function = code.local_function(called)
    if function is None or depth <= 0:
        return None
    if function.returns is not None and (said := _of_annotation(code, function.returns, code.scope(function))):
        return said
    values = [
        node.value
        for node in ast.walk(function)
        if isinstance(node, (ast.Return, ast.Yield)) and code.function(node) is function and not _is_none(node.value)
    ]
    return _one([kind(code, value, depth - 1) for value in values])


def _of_attribute(code: Code, node: ast.Attribute, depth: int) -> Kind | None:
    if of_self(node):
        inside = code.enclosing_class(node)
        if inside is None:
            return None
        if node.attr in inside.functions:  # a property
            return _of_function(code, node, depth)
        bindings = inside.attributes.get(node.attr, []) + inside.names.get(node.attr, [])
        return _of_bindings(code, bindings, inside, depth)
    found = kind(code, node.value, depth)
    if found is not None and found.name == "Vault" and node.attr in _OF_A_VAULT:
        return Kind(_OF_A_VAULT[node.attr], found.safe)
    return None


def _of_bindings(code: Code, bindings: list[Binding], scope: Scope, depth: int) -> Kind | None:
    """The one kind that all of them have; ``client = None`` beside others says nothing."""
    said = [_of_binding(code, each, scope, depth) for each in bindings if each.annotation or not _is_none(each.value)]
    return _one(said)


def _of_binding(code: Code, binding: Binding, scope: Scope, depth: int) -> Kind | None:
    if binding.annotation is not None and (said := _of_annotation(code, binding.annotation, scope)):
        return said
    return kind(code, binding.value, depth)


def _of_annotation(code: Code, node: ast.expr, scope: Scope) -> Kind | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        try:
            node = ast.parse(node.value, mode="eval").body
        except SyntaxError:
            return None
    if isinstance(node, ast.BinOp):
        return _one([said for each in (node.left, node.right) if (said := _of_annotation(code, each, scope))])
    if isinstance(node, ast.Subscript):
        found = code.resolve(node.value, scope)
        if found is None or found.sdk.rpartition(".")[2] not in _TRANSPARENT:
            return None
        inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        return _one([said for each in inner if (said := _of_annotation(code, each, scope))])
    found = code.resolve(node, scope)
    return Kind(_CLIENTS[found.sdk], found.safe) if found and found.sdk in _CLIENTS else None


def _one(kinds: list[Kind | None]) -> Kind | None:
    return kinds[0] if kinds and len(set(kinds)) == 1 else None


def _is_none(node: ast.expr | None) -> bool:
    return node is None or (isinstance(node, ast.Constant) and node.value is None)
