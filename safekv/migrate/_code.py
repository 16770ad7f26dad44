"""A module as the rules see it: what each name stands for, and where each thing happens."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from safekv.migrate._exports import theirs
from safekv.migrate._findings import Finding

Function = ast.FunctionDef | ast.AsyncFunctionDef
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
LOOPS = (ast.For, ast.AsyncFor, ast.While)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_SCOPES = (ast.Module, ast.ClassDef, *FUNCTIONS)


@dataclass(frozen=True, slots=True)
class Name:
    """What a name stands for: the SDK's dotted name, and whether it was imported from safekv."""

    sdk: str
    safe: bool


@dataclass(slots=True)
class Binding:
    """One way in which a name gets its value: an import, an expression, an annotation; or all None: unknown."""

    imported: str | None = None
    value: ast.expr | None = None
    annotation: ast.expr | None = None


@dataclass(slots=True, eq=False)
class Scope:
    node: ast.AST
    outer: Scope | None
    names: dict[str, list[Binding]] = field(default_factory=dict)
    #: What is assigned to ``self.x`` in a class's methods.
    attributes: dict[str, list[Binding]] = field(default_factory=dict)
    functions: dict[str, Function] = field(default_factory=dict)
    classes: dict[str, ast.ClassDef] = field(default_factory=dict)


class Code:
    """A parsed module with the text that it was parsed from."""

    def __init__(self, tree: ast.Module, text: str, path: str = "<text>") -> None:
        self.tree, self.path = tree, path
        self._lines = re.split(r"\r\n|\r|\n", text)
        self._parents: dict[ast.AST, ast.AST] = {}
        self._scopes: dict[ast.AST, Scope] = {tree: Scope(tree, None)}
        self.nodes: list[ast.AST] = []
        self._walk(tree, self._scopes[tree])

    # What is where

    def parent(self, node: ast.AST) -> ast.AST | None:
        return self._parents.get(node)

    def around(self, node: ast.AST) -> Iterator[tuple[ast.AST, ast.AST]]:
        """Each node around this one, from the inside, with the child that leads to this one."""
        child = node
        while (above := self._parents.get(child)) is not None:
            yield above, child
            child = above

    def function(self, node: ast.AST) -> ast.AST | None:
        """The function whose body this is in; defaults, decorators and annotations are outside."""
        for above, child in self.around(node):
            if isinstance(above, ast.Lambda) and child is above.body:
                return above
            if isinstance(above, (ast.FunctionDef, ast.AsyncFunctionDef)) and child in above.body:
                return above
        return None

    def calls(self) -> Iterator[ast.Call]:
        return (node for node in self.nodes if isinstance(node, ast.Call))

    def scope(self, node: ast.AST) -> Scope:
        """The scope that a name at this place is looked up in."""
        inside = self.function(node)
        for above, child in self.around(node):
            if isinstance(above, ast.ClassDef) and child in above.body:
                return self._scopes[above]
            if above is inside:
                break
        return self._scopes[inside or self.tree]

    def enclosing_class(self, node: ast.AST) -> Scope | None:
        for above, _ in self.around(node):
            if isinstance(above, ast.ClassDef):
                return self._scopes[above]
        return None

    def bindings(self, name: str, scope: Scope) -> list[Binding]:
        """How the name gets its value, as it is seen in this scope. Empty if nothing is known."""
        at: Scope | None = scope
        while at is not None:
            if name in at.names and (at is scope or not isinstance(at.node, ast.ClassDef)):
                return at.names[name]
            at = at.outer
        return []

    def local_function(self, called: ast.expr) -> Function | None:
        """The function of this module that ``f``, ``self.f``, or the class ``F`` in ``F()`` runs."""
        if isinstance(called, ast.Attribute):
            inside = self.enclosing_class(called) if of_self(called) else None
            return inside.functions.get(called.attr) if inside else None
        if not isinstance(called, ast.Name):
            return None
        at: Scope | None = self.scope(called)
        while at is not None:
            if called.id in at.functions and not isinstance(at.node, ast.ClassDef):
                return at.functions[called.id]
            if called.id in at.classes:
                return self._scopes[at.classes[called.id]].functions.get("__init__")
            at = at.outer
        return None

    # What names stand for

    def resolve(self, node: ast.expr | None, scope: Scope | None = None) -> Name | None:
        """The dotted name that this expression is, through the module's imports."""
        attributes: list[str] = []
        while isinstance(node, ast.Attribute):
            attributes.insert(0, node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return None
        found = self.bindings(node.id, scope or self.scope(node))
        imports = {binding.imported for binding in found}
        if len(imports) != 1 or None in imports:  # try: from a import X; except ImportError: X = None
            imports.discard(None)
            if len(imports) != 1 or any(not _is_none(each.value) for each in found if each.imported is None):
                return None
        dotted = ".".join((str(imports.pop()), *attributes))
        return Name(theirs(dotted), dotted.split(".")[0] == "safekv")

    def imports(self, *packages: str) -> bool:
        """Whether the module imports one of these packages, anywhere."""
        found = {each.imported for scope in self._scopes.values() for many in scope.names.values() for each in many}
        return any((name or "").split(".")[0] in packages for name in found)

    def finding(self, node: ast.expr | ast.stmt | ast.excepthandler, rule: str, message: str, fix: str = "") -> Finding:
        end = node.lineno if isinstance(node, ast.ExceptHandler) else node.end_lineno or node.lineno
        before = self._lines[node.lineno - 1].encode()[: node.col_offset]  # ast counts bytes
        return Finding(self.path, node.lineno, len(before.decode(errors="replace")) + 1, rule, message, end, fix)

    # Reading the tree

    def _walk(self, node: ast.AST, scope: Scope) -> None:
        stack = [(node, scope)]
        while stack:
            at, inside = stack.pop()
            self.nodes.append(at)
            _bind(at, inside)
            for child in ast.iter_child_nodes(at):
                self._parents[child] = at
                below = inside
                if isinstance(child, _SCOPES):
                    below = self._scopes[child] = Scope(child, inside)
                stack.append((child, below))
        self.nodes.sort(key=lambda each: (getattr(each, "lineno", 0), getattr(each, "col_offset", 0)))


def of_self(node: ast.Attribute) -> bool:
    """``self.x`` or ``cls.x``."""
    return isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")


def _is_none(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _bind(node: ast.AST, scope: Scope) -> None:
    """Note the names that this node binds. ``scope`` is the one around it, or its own if it makes one."""
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        _bind_import(node, scope)
    elif isinstance(node, (*FUNCTIONS, ast.ClassDef)):
        _bind_definition(node, scope)
    elif isinstance(node, ast.Assign):
        for target in node.targets:
            _bind_target(target, Binding(value=node.value), scope)
    elif isinstance(node, ast.AnnAssign):
        _bind_target(node.target, Binding(value=node.value, annotation=node.annotation), scope)
    elif isinstance(node, ast.NamedExpr):
        _bind_target(node.target, Binding(value=node.value), scope)
    elif isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension, ast.AugAssign)):
        _bind_target(node.target, Binding(), scope)
    elif isinstance(node, ast.withitem) and node.optional_vars is not None:
        _bind_target(node.optional_vars, Binding(value=node.context_expr), scope)


def _bind_import(node: ast.Import | ast.ImportFrom, scope: Scope) -> None:
    for alias in node.names:
        if isinstance(node, ast.ImportFrom):
            full = f"{node.module}.{alias.name}" if not node.level else f".{alias.name}"
            scope.names.setdefault(alias.asname or alias.name, []).append(Binding(imported=full))
        else:
            root = alias.name.split(".")[0]
            imported = alias.name if alias.asname else root
            scope.names.setdefault(alias.asname or root, []).append(Binding(imported=imported))


def _bind_definition(node: ast.AST, scope: Scope) -> None:
    outer = scope.outer or scope
    if isinstance(node, ast.ClassDef):
        outer.classes[node.name] = node
        outer.names.setdefault(node.name, []).append(Binding())
        return
    assert isinstance(node, FUNCTIONS)
    if not isinstance(node, ast.Lambda):
        outer.functions[node.name] = node
        outer.names.setdefault(node.name, []).append(Binding())
    given = node.args
    for arg in (*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg):
        if arg is not None:
            scope.names.setdefault(arg.arg, []).append(Binding(annotation=arg.annotation))


def _bind_target(target: ast.expr, binding: Binding, scope: Scope) -> None:
    if isinstance(target, ast.Name):
        _binding_scope(target.id, scope).names.setdefault(target.id, []).append(binding)
    elif isinstance(target, (ast.Tuple, ast.List)):
        for each in target.elts:
            _bind_target(each, Binding(), scope)
    elif isinstance(target, ast.Starred):
        _bind_target(target.value, Binding(), scope)
    elif (
        isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id in ("self", "cls")
    ):
        at: Scope | None = scope
        while at is not None and not isinstance(at.node, ast.ClassDef):
            at = at.outer
        if at is not None:
            at.attributes.setdefault(target.attr, []).append(binding)


def _binding_scope(name: str, scope: Scope) -> Scope:
    """The module's scope where the function says ``global``; a comprehension's walrus is of no concern here."""
    if not isinstance(scope.node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return scope
    if any(isinstance(node, ast.Global) and name in node.names for node in ast.walk(scope.node)):
        while scope.outer is not None:
            scope = scope.outer
    return scope
