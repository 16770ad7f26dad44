"""``import azure.keyvault.secrets`` binds ``azure``. Which of these can become safekv's, with all that uses them?

Replaced, it binds ``safekv`` in the same scope, and no longer ``azure``. So each use in that scope is replaced too, and
an import stays, with its uses, where another use of ``azure`` would be left without a module.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import libcst as cst

from safekv.migrate._exports import is_first_generation, of_keyvault, place
from safekv.migrate._nodes import dotted, text_of
from safekv.migrate._strings import names_in_annotation

_FUNCTION, _CLASS = "function", "class"


@dataclass(slots=True, eq=False)
class _Scope:
    kind: str
    outer: _Scope | None = None
    replaceable: list[tuple[cst.Import, str]] = field(default_factory=list)
    others: bool = False  # an import that goes on binding azure here
    reasons: dict[str, None] = field(default_factory=dict)  # why its imports stay

    @property
    def binds(self) -> bool:
        return bool(self.replaceable) or self.others


@dataclass(frozen=True, slots=True)
class Plan:
    """``uses`` are replaced, with the plain names of ``imports``; ``stays`` are other imports, and why they stay.

    ``first`` is a name of the SDK's first generation that is used, if any is.
    """

    uses: frozenset[cst.Attribute | cst.SimpleString]
    imports: frozenset[cst.Import]
    stays: tuple[tuple[cst.Import, str], ...]
    first: str | None = None


def plan(module: cst.Module) -> Plan:
    """What can be replaced of the imports that bind ``azure`` itself."""
    seen = _Uses()
    module.visit(seen)
    for _, name, scope in seen.uses:
        home = _home(scope)
        if home is not None and (why := _hindrance(name, home)):
            home.reasons[why] = None
    if seen.bare:
        for scope in seen.scopes:
            scope.reasons["the name azure itself is used"] = None
    good = [scope for scope in seen.scopes if scope.replaceable and not scope.reasons]
    return Plan(
        frozenset(use for use, name, scope in seen.uses if of_keyvault(name) and _home(scope) in good),
        frozenset(node for scope in good for node, _ in scope.replaceable),
        tuple(
            (node, next(iter(scope.reasons))) for scope in seen.scopes if scope.reasons for node, _ in scope.replaceable
        ),
        next((name for _, name, _ in seen.uses if is_first_generation(name)), None),
    )


def _home(scope: _Scope) -> _Scope | None:
    """The scope whose ``azure`` is meant in this one."""
    at: _Scope | None = scope
    while at is not None:
        if at.binds and (at is scope or at.kind != _CLASS):
            return at
        at = at.outer
    return None


def _hindrance(name: str, home: _Scope) -> str:
    """Why this use keeps the imports of its scope; an empty string if it does not."""
    found = place(name)
    if not of_keyvault(name):
        return "" if home.others else f"{name} is used through it"
    if found is None or not found.known:
        return f"safekv has no {name}"
    if not any(module == found.module or module.startswith(found.module + ".") for _, module in home.replaceable):
        return f"{found.module} is used, but not imported here"
    return ""


class _Uses(cst.CSTVisitor):
    def __init__(self) -> None:
        self.scopes = [_Scope(_FUNCTION)]
        self._now = self.scopes[0]
        self.uses: list[tuple[cst.Attribute | cst.SimpleString, str, _Scope]] = []
        self.bare = False
        self._annotations = 0

    def _enter(self, kind: str) -> None:
        self._now = _Scope(kind, self._now)
        self.scopes.append(self._now)

    def _leave(self) -> None:
        assert self._now.outer is not None
        self._now = self._now.outer

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:
        for outside in (*node.decorators, node.params, node.returns):  # evaluated where the function is defined
            if outside is not None:
                outside.visit(self)
        self._enter(_FUNCTION)
        node.body.visit(self)
        self._leave()
        return False

    def visit_ClassDef(self, node: cst.ClassDef) -> None:
        self._enter(_CLASS)

    def leave_ClassDef(self, original_node: cst.ClassDef) -> None:
        self._leave()

    def visit_Import(self, node: cst.Import) -> bool:
        for module in _plain(node):
            found = place(module)
            if found is not None and not found.rest:
                self._now.replaceable.append((node, module))
            elif module.split(".")[0] == "azure":
                self._now.others = True
        return False

    def visit_ImportFrom(self, node: cst.ImportFrom) -> bool:
        return False

    def visit_Attribute(self, node: cst.Attribute) -> bool:
        name = dotted(node)
        if name is None:
            node.value.visit(self)
            return False
        if name.startswith("azure."):
            self.uses.append((node, name, self._now))
        return False

    def visit_Name(self, node: cst.Name) -> None:
        self.bare = self.bare or node.value == "azure"

    def visit_Annotation(self, node: cst.Annotation) -> None:
        self._annotations += 1

    def leave_Annotation(self, original_node: cst.Annotation) -> None:
        self._annotations -= 1

    def visit_SimpleString(self, node: cst.SimpleString) -> None:
        if self._annotations:
            self.uses += [(node, name, self._now) for name in names_in_annotation(text_of(node) or "")]

    def visit_Arg(self, node: cst.Arg) -> bool:
        node.value.visit(self)  # azure=... is a keyword, and no use of the name
        return False


def _plain(node: cst.Import) -> Iterator[str]:
    """The modules that this statement imports without a name of their own."""
    for alias in node.names:
        if alias.asname is None and (module := dotted(alias.name)):
            yield module
