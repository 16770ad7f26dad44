"""Templates, and the parts of them that decide who has access to a vault: the vault, and changes to its policies."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Union

from safekv.access import _json
from safekv.access._errors import TemplateError
from safekv.access._evaluation import Scope
from safekv.access._json import Object, member, name_in
from safekv.access._place import OUTSIDE, Local, Place
from safekv.access._values import Unresolved, is_unresolved

VAULT = "microsoft.keyvault/vaults"
POLICIES = "microsoft.keyvault/vaults/accesspolicies"
_DEPLOYMENT = "microsoft.resources/deployments"
#: Deployments within one another.
_DEEPEST = 12

Parameters = Union[str, "os.PathLike[str]", Mapping[str, Any]]


@dataclass(frozen=True)
class Template:
    """An ARM template: JSON, as written by hand or compiled from Bicep.

    :ivar parameters: the values that are given for its parameters.
    :ivar name: what messages call it.
    """

    text: str
    root: Object
    parameters: Mapping[str, Any]
    name: str = "the template"

    @classmethod
    def parse(cls, text: str, parameters: Mapping[str, Any] | None = None, *, name: str = "the template") -> Template:
        """The template in a text.

        :param parameters: values by the names of parameters.
        :raises TemplateError: if it is none, and for a value of a parameter that it does not have.
        """
        root = _json.parse(text, name)
        if not isinstance(root, Object) or not isinstance(member(root, "resources"), (list, dict)):
            raise TemplateError(
                f"{name} is no template: it has no resources.",
                hint="A parameter file is given with --parameters; Bicep is compiled with az bicep build.",
            )
        given = dict(parameters or {})
        declared = member(root, "parameters")
        strange = [each for each in given if not isinstance(declared, dict) or name_in(declared, each) is None]
        if strange:
            raise TemplateError(
                f"{name} has no parameter {', '.join(map(repr, strange[:5]))}, for which a value is given.",
                hint="Azure refuses such a deployment, too.",
            )
        return cls(text, root, given, name)

    @classmethod
    def load(cls, path: str | os.PathLike[str], parameters: Parameters | Iterable[Parameters] = ()) -> Template:
        """The template in a file.

        :param parameters: parameter files, or mappings of values; of several the later ones count.
        :raises TemplateError: if the files are not what they should be.
        :raises OSError: if they cannot be read.
        """
        several = [parameters] if isinstance(parameters, (str, os.PathLike, Mapping)) else list(parameters)
        values: dict[str, Any] = {}
        for each in several:
            values.update(each if isinstance(each, Mapping) else load_parameters(each))
        return cls.parse(read_text(path), values, name=os.fspath(path))


def read_text(path: str | os.PathLike[str]) -> str:
    """The text of a file, in UTF-8 or, as PowerShell writes it, in UTF-16; its ends of lines as they are.

    :raises TemplateError: for Bicep, for what is no text, and for what is too long.
    """
    if os.fspath(path).endswith((".bicep", ".bicepparam")):
        what = "build-params" if os.fspath(path).endswith("param") else "build"
        raise TemplateError(
            f"{os.fspath(path)} is Bicep, which is compiled first.", hint=f"az bicep {what} --file {os.fspath(path)}"
        )
    if os.path.getsize(path) > 4 * _json.MOST:
        raise TemplateError(f"{os.fspath(path)} is longer than any template that Azure takes.")
    data = Path(path).read_bytes()
    try:
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        raise TemplateError(f"{os.fspath(path)} is no text in UTF-8.") from None
    return text


def load_parameters(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The values in a parameter file. One that is a reference to a secret stays unknown.

    :raises TemplateError: if it is none.
    """
    found = _json.parse(read_text(path), os.fspath(path))
    given = member(found, "parameters", found)
    if not isinstance(given, dict) or not all(isinstance(each, dict) for each in given.values()):
        raise TemplateError(
            f"{os.fspath(path)} is no parameter file.",
            hint='It looks like {"parameters": {"name": {"value": "..."}}}.',
        )
    return {name: _given(name, each) for name, each in given.items()}


def _given(name: str, entry: dict[str, Any]) -> Any:
    if name_in(entry, "value") is not None:
        return member(entry, "value")
    return Unresolved(f"[parameters('{name}')]", "its value is in a key vault")


@dataclass(frozen=True)
class Found:
    """A resource of a template that decides about access.

    :ivar kind: ``VAULT`` or ``POLICIES``.
    :ivar name: of the vault.
    :ivar operation: of ``POLICIES``: ``add``, ``replace`` or ``remove``.
    :ivar raw: the resource as the template has it; ``scope`` and ``local`` compute what is in it.
    :ivar condition: what of its condition is not known; None if it certainly is deployed.
    :ivar copied: whether a loop makes several resources of this one.
    :ivar turns: of each deployment around it, and of itself, where that is and whether it waits for something. Azure
        deploys what waits for nothing in any order, a child and its vault as well.
    :ivar where: for messages.
    """

    kind: str
    name: str | Unresolved
    operation: str | Unresolved
    raw: Object
    scope: Scope
    local: Local
    condition: Unresolved | None
    copied: bool
    turns: tuple[tuple[str, bool], ...]
    where: str

    def may_precede(self, other: Found) -> bool:
        """Whether it may be deployed before ``other``: where their ways part, it waits for nothing."""
        apart = next((mine for mine, theirs in zip(self.turns, other.turns, strict=False) if mine != theirs), None)
        return apart is None or not apart[1]


def find(template: Template, place: Place) -> tuple[list[Found], list[Unresolved]]:
    """What decides about access in a template, and what of it cannot be looked into.

    :param place: where it is deployed to, as far as that is known.
    """
    walk = _Walk()
    scope = Scope(template.root, template.parameters, place)
    walk.resources(template.root, _Around(scope))
    return walk.found, walk.unknown


@dataclass(frozen=True)
class _Around:
    """What is around a resource: whose expressions count, and under which conditions and loops it stands."""

    scope: Scope
    local: Local = OUTSIDE
    condition: Unresolved | None = None
    copied: bool = False
    turns: tuple[tuple[str, bool], ...] = ()
    where: str = ""
    depth: int = 0
    parent: Found | None = None


class _Walk:
    def __init__(self) -> None:
        self.found: list[Found] = []
        self.unknown: list[Unresolved] = []

    def resources(self, holder: Object, around: _Around) -> None:
        listed = member(holder, "resources")
        if not isinstance(listed, (list, dict)):
            if listed is not None:
                self.unknown.append(Unresolved(f"{around.where}resources", "they are no list"))
            return
        for key, raw in _named(listed):
            if isinstance(raw, Object) and member(raw, "existing") is not True:
                self._resource(raw, replace(around, where=f"{around.where}resources[{key}]"))

    def _resource(self, raw: Object, around: _Around) -> None:
        loop = member(raw, "copy")
        if not isinstance(loop, dict):
            self._one(raw, around)
            return
        number = around.scope.count(loop, around.local)
        if isinstance(number, Unresolved):
            self._one(raw, replace(around, condition=around.condition or number, copied=True))
            return
        for index in range(number):
            local = around.local.inside(str(member(loop, "name")), index, resource=True)
            where, copied = f"{around.where}[{index}]", around.copied or number > 1
            self._one(raw, replace(around, local=local, copied=copied, where=where))

    def _one(self, raw: Object, around: _Around) -> None:
        scope, local = around.scope, around.local
        said = scope.member(raw, "type", local)
        if is_unresolved(said):
            self.unknown.append(Unresolved(f"{around.where}.type", said.reason))
        kind = _kind(said, around.parent)
        if kind not in (VAULT, POLICIES, _DEPLOYMENT):
            return
        stands = flag(scope.member(raw, "condition", local), "condition") if scope.has(raw, "condition") else True
        condition = around.condition or (stands if is_unresolved(stands) else None)
        turns = (*around.turns, (around.where, _waits(raw)))
        if kind == _DEPLOYMENT:
            if stands is not False:
                self._deployment(raw, replace(around, condition=condition, turns=turns))
            return
        vault, operation = _names(scope.member(raw, "name", local), kind, around.parent)
        found = Found(kind, vault, operation, raw, scope, local, condition, around.copied, turns, around.where)
        if stands is not False:
            self.found.append(found)
        if kind == VAULT:  # neither its condition nor its turn is that of its children
            self._children(member(raw, "resources"), replace(around, parent=found))

    def _children(self, listed: Any, around: _Around) -> None:
        for key, child in _named(listed) if isinstance(listed, (list, dict)) else ():
            if isinstance(child, Object) and member(child, "existing") is not True:
                self._resource(child, replace(around, where=f"{around.where}.resources[{key}]"))

    def _deployment(self, raw: Object, around: _Around) -> None:
        scope, local = around.scope, around.local
        properties = member(raw, "properties")
        inner = member(properties, "template")
        if not isinstance(inner, Object) or around.depth >= _DEEPEST:
            why = "a linked template is not read here: look at it separately"
            self.unknown.append(Unresolved(f"{around.where} (a deployment)", why))
            return
        around = replace(around, where=f"{around.where}.template.", depth=around.depth + 1, parent=None)
        if _has_scope_of_its_own(scope.member(properties, "expressionEvaluationOptions", local), scope.root):
            values = _values_for(inner, properties, scope, local)
            own = Scope(inner, values, _place_of(raw, scope, local), scope.budget)
            around = replace(around, scope=own, local=OUTSIDE)
        self.resources(inner, around)  # else its expressions are those of the template around it


def _named(listed: Any) -> Iterable[tuple[Any, Any]]:
    """Resources with their symbolic names, or else with their numbers."""
    return listed.items() if isinstance(listed, dict) else enumerate(listed)


def _waits(raw: Object) -> bool:
    """Whether a resource waits for another one."""
    return bool(member(raw, "dependsOn"))


def flag(value: Any, what: str) -> bool | Unresolved | None:
    """A value that is true or false, as a text too; None if there is none."""
    if value is None or isinstance(value, bool) or is_unresolved(value):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    return Unresolved(what, "it is neither true nor false")


def _has_scope_of_its_own(options: Any, root: Mapping[str, Any]) -> bool:
    """Whether the expressions of a nested template are its own; from language 2.0 on they are if nothing is said."""
    said = member(options, "scope")
    if isinstance(said, str):
        return said.lower() == "inner"
    return str(member(root, "languageVersion", "1")).partition(".")[0] not in ("", "1")


def _values_for(inner: Object, properties: Any, scope: Scope, local: Local) -> dict[str, Any]:
    """The values that a nested template is given; those from elsewhere are not known, whatever its defaults."""
    given = member(properties, "parameters")
    entries = given if isinstance(given, dict) else scope.value(given, local)
    values: dict[str, Any] = {}
    if member(properties, "parametersLink") is not None or not isinstance(entries, (dict, type(None))):
        declared = member(inner, "parameters")
        for name in declared if isinstance(declared, dict) else ():
            values[name] = Unresolved(f"[parameters('{name}')]", "its value is given from elsewhere")
    for name, entry in entries.items() if isinstance(entries, dict) else ():
        if entries is given and scope.has(entry, "value"):
            values[name] = scope.member(entry, "value", local)
        else:  # computed already: a value that looks like an expression is none
            values[name] = _given(name, entry if entries is not given and isinstance(entry, dict) else {})
    return values


def _kind(given: Any, parent: Found | None) -> str:
    """The type of a resource, in lower case; a child may say the last part of it alone."""
    kind = given.lower() if isinstance(given, str) else ""
    return f"{parent.kind}/{kind}" if parent is not None and "/" not in kind else kind


def _place_of(raw: Object, scope: Scope, local: Local) -> Place:
    """Where a deployment within a template goes."""
    place = scope.place
    group, subscription = (scope.member(raw, name, local) for name in ("resourceGroup", "subscriptionId"))
    if subscription is not None:
        place = replace(place, subscription=subscription if isinstance(subscription, str) else None, group=None)
    if group is not None:
        place = replace(place, group=group if isinstance(group, str) else None)
    return place


def _names(name: Any, kind: str, parent: Found | None) -> tuple[str | Unresolved, str | Unresolved]:
    """The vault's name, and what is done to its policies."""
    if parent is not None and isinstance(name, str) and "/" not in name:
        return parent.name, name.lower()
    if not isinstance(name, str):
        unknown = name if is_unresolved(name) else Unresolved("(a name)", "it is no text")
        return unknown, unknown
    vault, _, operation = name.partition("/")
    return vault, operation.lower() if kind == POLICIES else ""


def vault_named_in(template: Template) -> str | None:
    """The vault that a template is about, if it says so itself; None if it does not, or is about several."""
    found, _ = find(template, Place())
    names = {each.name.lower() for each in found if isinstance(each.name, str)}
    return names.pop() if len(names) == 1 and all(isinstance(each.name, str) for each in found) else None
