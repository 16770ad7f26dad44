"""Imports of the SDK become imports of safekv, and so do the names that depend on them. All else stays as it was."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import libcst as cst
from libcst.metadata import CodeRange, MetadataWrapper, PositionProvider

from safekv.migrate import _strings
from safekv.migrate._dotted import Plan, plan
from safekv.migrate._exports import NAMES, PACKAGES, is_first_generation, of_keyvault, ours, place
from safekv.migrate._findings import Finding, ignored_lines, kept
from safekv.migrate._nodes import dotted, expression, text_of, with_text

_Lines = Sequence[cst.SimpleStatementLine]


@dataclass(frozen=True, slots=True)
class Rewritten:
    """The new text, what was replaced (SKV001) and what was left alone (SKV002 to SKV005)."""

    text: str
    replaced: tuple[Finding, ...] = ()
    left: tuple[Finding, ...] = ()


def rewrite(text: str, path: str = "<text>") -> Rewritten:
    """Replace what safekv has. ``text`` is Python that this Python can parse; its newlines stay.

    :raises SyntaxError: if libcst cannot read it, or if the result would be no Python.
    """
    try:
        wrapper = MetadataWrapper(cst.parse_module(text), unsafe_skip_copy=True)
    except cst.ParserSyntaxError as error:
        raise SyntaxError(error.message, (path, error.raw_line, error.raw_column + 1, None)) from None
    silenced = ignored_lines(text)
    rewriter = _Rewriter(path, plan(wrapper.module), wrapper.resolve(PositionProvider), silenced)
    new = wrapper.module.visit(rewriter).code
    if new != text:
        _check(new, path)
    return Rewritten(new, tuple(kept(rewriter.replaced, {})), tuple(kept(rewriter.left, silenced)))


def _check(text: str, path: str) -> None:
    """What is written back must be Python, come what may."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ast.parse(text, path)


class _Rewriter(cst.CSTTransformer):
    def __init__(
        self,
        path: str,
        plan: Plan,
        positions: Mapping[cst.CSTNode, CodeRange],
        silenced: Mapping[int, frozenset[str]],
    ) -> None:
        self._path, self._plan, self._positions, self._silenced = path, plan, positions, silenced
        self._names: set[cst.SimpleString] = set()
        self._unquestioned: set[cst.SimpleString] = set()  # strings that are names of something else
        self._rest: cst.ImportFrom | None = None  # what stays of the import on this line
        self._alone = False  # whether the statement has a line of its own
        self.replaced: list[Finding] = []
        self.left: list[Finding] = []

    # Imports

    def leave_Import(self, original_node: cst.Import, updated_node: cst.Import) -> cst.Import:
        if self._kept(original_node):
            return updated_node
        aliases = [self._alias(original_node, alias) for alias in updated_node.names]
        if all(new is old for new, old in zip(aliases, updated_node.names, strict=True)):
            return updated_node
        self._say_replaced(original_node)
        return updated_node.with_changes(names=aliases)

    def _alias(self, statement: cst.Import, alias: cst.ImportAlias) -> cst.ImportAlias:
        module = dotted(alias.name) or ""
        found = place(module)
        if found is None or found.rest:
            if found is not None or of_keyvault(module):
                first = self._plan.first if module == "azure.keyvault" else None
                self._say_not_ours(statement, first or module, "" if first else "module ")
            return alias
        if alias.asname is None and statement not in self._plan.imports:
            why = next((why for node, why in self._plan.stays if node is statement), "")
            self._say_left(statement, "SKV004", f"import {module} stays, because {why}")
            return alias
        return alias.with_changes(name=expression(ours(module)))

    def leave_ImportFrom(
        self, original_node: cst.ImportFrom, updated_node: cst.ImportFrom
    ) -> cst.ImportFrom | cst.FlattenSentinel[cst.BaseSmallStatement]:
        module = dotted(original_node.module) or ""
        if original_node.relative or self._kept(original_node):
            return updated_node
        known = NAMES.get(module) or PACKAGES.get(module)
        if known is None or isinstance(updated_node.names, cst.ImportStar):
            return self._whole(original_node, updated_node, module)
        moved = [alias for alias in updated_node.names if dotted(alias.name) in known]
        rest = [alias for alias in updated_node.names if dotted(alias.name) not in known]
        for alias in rest:
            name = f"{module}.{dotted(alias.name)}"
            if of_keyvault(name):
                self._say_not_ours(original_node, name)
        if not moved:
            return updated_node
        self._say_replaced(original_node)
        new = updated_node.with_changes(module=expression(ours(module) if module in NAMES else "safekv"), names=moved)
        return self._split(updated_node, new, rest) if rest else new

    def _whole(self, original: cst.ImportFrom, updated: cst.ImportFrom, module: str) -> cst.ImportFrom:
        """``import *``, or a module that safekv does not have."""
        if module in NAMES:
            self._say_replaced(original)
            return updated.with_changes(module=expression(ours(module)))
        if of_keyvault(module):
            self._say_not_ours(original, module, "module ")
        return updated

    def _split(
        self, old: cst.ImportFrom, new: cst.ImportFrom, rest: list[cst.ImportAlias]
    ) -> cst.ImportFrom | cst.FlattenSentinel[cst.BaseSmallStatement]:
        """Two statements of one; the second has only the names that stay."""
        assert not isinstance(old.names, cst.ImportStar)
        assert not isinstance(new.names, cst.ImportStar)
        *first, last = new.names
        new = new.with_changes(names=[*first, last.with_changes(comma=old.names[-1].comma)])
        plain = [alias.with_changes(comma=cst.MaybeSentinel.DEFAULT) for alias in rest]
        stays = old.with_changes(names=plain, lpar=None, rpar=None, semicolon=cst.MaybeSentinel.DEFAULT)
        if self._alone:
            self._rest = stays
            return new
        semicolon = new.semicolon
        return cst.FlattenSentinel(
            [new.with_changes(semicolon=cst.MaybeSentinel.DEFAULT), stays.with_changes(semicolon=semicolon)]
        )

    def visit_SimpleStatementLine(self, node: cst.SimpleStatementLine) -> None:
        self._alone, self._rest = len(node.body) == 1, None

    def visit_SimpleStatementSuite(self, node: cst.SimpleStatementSuite) -> None:
        self._alone = False

    def leave_SimpleStatementLine(
        self, original_node: cst.SimpleStatementLine, updated_node: cst.SimpleStatementLine
    ) -> cst.SimpleStatementLine | cst.FlattenSentinel[cst.SimpleStatementLine]:
        rest, self._rest = self._rest, None
        if rest is None:
            return updated_node
        return cst.FlattenSentinel([updated_node, updated_node.with_changes(leading_lines=(), body=[rest])])

    # Names

    def leave_Attribute(self, original_node: cst.Attribute, updated_node: cst.Attribute) -> cst.BaseExpression:
        if original_node not in self._plan.uses:
            return updated_node
        found = place(dotted(original_node) or "")
        assert found is not None
        return expression(found.ours).with_changes(lpar=updated_node.lpar, rpar=updated_node.rpar)

    def visit_Call(self, node: cst.Call) -> None:
        self._names.update(_strings.names_in_call(node))
        if _strings.is_logger(node):
            self._unquestioned.update(arg.value for arg in node.args if isinstance(arg.value, cst.SimpleString))

    def visit_Subscript(self, node: cst.Subscript) -> None:
        self._names.update(_strings.names_in_subscript(node))

    def leave_SimpleString(self, original_node: cst.SimpleString, updated_node: cst.SimpleString) -> cst.BaseExpression:
        if original_node in self._plan.uses:
            return _strings.annotation_replaced(updated_node)
        name = _strings.named(original_node)
        if name is None or original_node in self._unquestioned or self._kept(original_node):
            return updated_node
        found = place(name)
        if original_node not in self._names:
            if found is not None and found.known:
                self._say_left(original_node, "SKV003", f"the string {text_of(original_node)!r} stays")
        elif found is None or not found.known:
            self._say_not_ours(original_node, name)
        else:
            self._say_replaced(original_node)
            return with_text(updated_node, found.module, ours(found.module))
        return updated_node

    # What is said

    def _kept(self, node: cst.CSTNode) -> bool:
        """Whether a comment asks to leave this as it is."""
        if not self._silenced:
            return False
        at = self._positions[node]
        return any("SKV001" in self._silenced.get(line, ()) for line in range(at.start.line, at.end.line + 1))

    def _finding(self, node: cst.CSTNode, rule: str, message: str) -> Finding:
        at = self._positions[node]
        return Finding(self._path, at.start.line, at.start.column + 1, rule, message, at.end.line)

    def _say_replaced(self, node: cst.CSTNode) -> None:
        self.replaced.append(self._finding(node, "SKV001", "the SDK is named where safekv can be"))

    def _say_not_ours(self, node: cst.CSTNode, name: str, kind: str = "") -> None:
        if is_first_generation(name):
            self._say_left(node, "SKV005", f"{name} is of the SDK's first generation, azure-keyvault before 4.0")
        else:
            self._say_left(node, "SKV002", f"safekv has no {kind}{name}")

    def _say_left(self, node: cst.CSTNode, rule: str, message: str) -> None:
        self.left.append(self._finding(node, rule, message))
