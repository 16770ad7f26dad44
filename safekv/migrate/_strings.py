"""Strings that are names: of what a test patches, and of modules that are imported by name."""

from __future__ import annotations

import re

import libcst as cst

from safekv.migrate._exports import PACKAGES, place
from safekv.migrate._nodes import dotted, text_of

#: Functions whose first argument is the dotted name of something to import or to patch.
_TAKE_NAMES = frozenset(
    [
        "patch",
        "patch.multiple",
        "setattr",
        "delattr",
        "import_module",
        "importorskip",
        "find_spec",
        "__import__",
        "import_string",
        "ModuleType",
    ]
)
_MODULES = "sys.modules"
_DOTTED = re.compile(r"azure\.(?:keyvault|identity)(?:\.[A-Za-z_]\w*)*")
_IN_ANNOTATIONS = re.compile(r"\bazure\.(?:keyvault|identity)(?:\.[A-Za-z_]\w*)+")


def names_in_call(call: cst.Call) -> list[cst.SimpleString]:
    """The arguments of this call that name something of the SDK's modules."""
    called = dotted(call.func) or (call.func.attr.value if isinstance(call.func, cst.Attribute) else "")
    parts = called.split(".")
    given = [arg.value for arg in call.args]
    candidates: list[cst.BaseExpression | None] = []
    if given and _is_modules(given[0]) and parts[-1] == "dict" and "patch" in parts:
        candidates = [key for value in given[1:] for key in _keys(value)]
    elif given and _is_modules(given[0]) and parts[-1] in {"setitem", "delitem"}:
        candidates = [*given[1:2]]
    elif {parts[-1], ".".join(parts[-2:])} & _TAKE_NAMES or called.startswith(f"{_MODULES}."):
        candidates = [*given[:1]]
    return [each for each in candidates if isinstance(each, cst.SimpleString) and named(each)]


def _is_modules(node: cst.CSTNode) -> bool:
    return _MODULES in (text_of(node), dotted(node))


def names_in_subscript(node: cst.Subscript) -> list[cst.SimpleString]:
    """The key of ``sys.modules["azure.identity"]``."""
    if dotted(node.value) != _MODULES or len(node.slice) != 1 or not isinstance(node.slice[0].slice, cst.Index):
        return []
    key = node.slice[0].slice.value
    return [key] if isinstance(key, cst.SimpleString) and named(key) else []


def named(node: cst.SimpleString) -> str | None:
    """The name, if all of the string is one in the SDK's packages for Key Vault or identity."""
    value = text_of(node)
    return value if value and _DOTTED.fullmatch(value) and value not in PACKAGES else None


def names_in_annotation(text: str) -> list[str]:
    """The names of the SDK in an annotation that is a string."""
    return _IN_ANNOTATIONS.findall(text)


def annotation_replaced(node: cst.SimpleString) -> cst.SimpleString:
    """An annotation that is a string, with safekv's names."""

    def ours(match: re.Match[str]) -> str:
        found = place(match[0])
        return found.ours if found else match[0]

    return node.with_changes(value=_IN_ANNOTATIONS.sub(ours, node.value))


def _keys(node: cst.BaseExpression) -> list[cst.SimpleString]:
    if not isinstance(node, cst.Dict):
        return []
    keys = [element.key for element in node.elements if isinstance(element, cst.DictElement)]
    return [key for key in keys if isinstance(key, cst.SimpleString)]


def is_logger(call: cst.Call) -> bool:
    """``logging.getLogger("azure.identity")``: the SDK goes on logging under its own names."""
    return (dotted(call.func) or "").split(".")[-1] in {"getLogger", "get_logger"}
