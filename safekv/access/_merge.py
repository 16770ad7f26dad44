"""A template that takes nothing away: the same one, with the present policies in it.

Only what has to be changed is. What the template gives beyond the present it still gives.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from safekv.access._diff import NO_ORDER, Difference, difference, of_intent
from safekv.access._edits import Edits
from safekv.access._errors import AccessUnknown, TemplateError
from safekv.access._evaluation import loop_of
from safekv.access._expressions import is_expression
from safekv.access._intents import Change, Entry, PolicyList, Put, intent_for
from safekv.access._json import Array, Object, member, name_in
from safekv.access._model import Identity, PermissionModel, Permissions, Policy, VaultAccess, together
from safekv.access._names import COLLECTIONS, in_order, missing
from safekv.access._templates import Found, Template
from safekv.access._values import Unresolved

VARIABLE = "presentAccessPolicies"


@dataclass(frozen=True)
class Merged:
    """A template in which the present policies are kept.

    :ivar text: the template.
    :ivar changes: what was changed, one line each; empty if nothing had to be.
    :ivar difference: what deploying it changes: nobody loses anything.
    """

    text: str
    changes: tuple[str, ...]
    difference: Difference


def merged(template: Template, present: VaultAccess, *, allow_unknown: bool = False) -> Merged:
    """The template with the present policies kept.

    :param allow_unknown: also where it is not known whom the template itself gives access; the present policies are
        then added to whatever that comes to.
    :raises AccessUnknown: if something is not known, and that is not allowed.
    :raises TemplateError: if it cannot be done in the template's text.
    """
    intent = intent_for(template, present)
    # Once nothing is taken away any more, nothing need be given back, in whatever order.
    unknown = [each for each in of_intent(intent, present).unknown if each.reason != NO_ORDER]
    if unknown and not allow_unknown:
        raise AccessUnknown(
            "What the template does to access depends on what only its deployment knows:\n"
            + "\n".join(f"  {each}" for each in unknown[:20]),
            hint="Give the values with a parameter file; or allow it (--allow-unknown): the present policies are then "
            "kept beside whatever that comes to.",
        )
    work = _Work(template, present)
    for put in intent.puts:
        work.put(put)
    for change in intent.changes:
        work.change(change)
    text = work.edits.result()
    result = difference(replace(template, text=text, root=_root_of(text, template)), present)
    if result.loses:
        names = ", ".join(str(each.identity) for each in result.lost[:5])
        raise TemplateError(
            f"{template.name} cannot be merged: {names or 'somebody'} would still lose access.",
            hint="Put the present policies in by hand: `safekv access export` prints them.",
        )
    return Merged(text, tuple(work.changes), result)


def _root_of(text: str, template: Template) -> Object:
    return Template.parse(text, name=template.name).root


class _Work:
    def __init__(self, template: Template, present: VaultAccess) -> None:
        self.edits = Edits(template.text)
        self.changes: list[str] = []
        self._made: set[str] = set()  # variables
        self._present = present
        self._policies = present.by_identity()

    def put(self, put: Put) -> None:
        if put.found.copied:
            raise _by_hand(put.found, "a loop makes several vaults of this resource")
        properties = member(put.found.raw, "properties")
        if not isinstance(properties, Object):
            raise _by_hand(put.found, "it has no properties of its own")
        self._keep_model(put, properties)
        if self._present.model is PermissionModel.POLICIES:
            self._keep_policies(put, properties)

    def _keep_model(self, put: Put, properties: Object) -> None:
        uses_roles = self._present.model is PermissionModel.RBAC
        if put.rbac is uses_roles:
            return
        self.edits.set_member(properties, "enableRbacAuthorization", uses_roles)
        said = "was not stated" if put.rbac is None else "is another in the template"
        self.changes.append(f"enableRbacAuthorization: {str(uses_roles).lower()}, as the vault has it; it {said}")

    def _keep_policies(self, put: Put, properties: Object) -> None:
        listed = put.policies or PolicyList(())
        spelling = name_in(properties, "accessPolicies")
        loop = loop_of(properties, "accessPolicies")
        raw = properties[spelling] if spelling else None
        if isinstance(raw, Array):
            self._into_list(raw, listed, put.found)
        elif loop is not None and spelling is None:
            if listed.unknown:
                raise _by_hand(put.found, "a loop makes its accessPolicies, and they are not all known")
            self._in_place_of_loop(properties, loop, listed)
        elif isinstance(raw, str) and is_expression(raw):
            self._beside_expression(put.found, properties, spelling or "", raw, listed)
        else:
            present = [policy.to_arm() for policy in self._kept(listed)]
            self.edits.set_member(properties, "accessPolicies", present)
            self.changes.append(f"accessPolicies: {len(present)} present policies")

    def _into_list(self, raw: Array, listed: PolicyList, found: Found) -> None:
        """Into a list that the template writes out: what is there gets the words that it lacks, others follow."""
        if len(raw) != len(listed.entries):
            raise _by_hand(found, "its accessPolicies are not as they seem")
        seen: set[Identity] = set()
        given = _by_identity(listed)
        for index, entry in enumerate(listed.entries):
            if entry.policy is None or entry.policy.identity in seen:
                continue
            identity = entry.policy.identity
            seen.add(identity)
            lacks = _lacking(self._policies.get(identity, Permissions()), given[identity])
            if lacks:
                self._extend(raw, index, entry, lacks)
                self.changes.append(f"{identity}: also {lacks}")
        for identity, permissions in self._policies.items():
            if identity not in seen:
                self.edits.append(raw, Policy(identity, permissions).to_arm())
                self.changes.append(f"{identity}: kept with {permissions}")

    def _extend(self, raw: Array, index: int, entry: Entry, lacks: Permissions) -> None:
        assert entry.policy is not None
        permissions = member(raw[index], "permissions") if isinstance(raw[index], Object) else None
        whole = replace(entry.policy, permissions=entry.policy.permissions | lacks)
        if not isinstance(permissions, Object):
            if entry.unknown:
                raise TemplateError(f"The permissions of {entry.policy.identity} are an expression that is not known.")
            if isinstance(raw[index], Object):
                self.edits.set_member(raw[index], "permissions", whole.permissions.to_arm())
            else:
                self.edits.replace(raw.items_at[index], whole.to_arm())
            return
        for kind in COLLECTIONS:
            words = in_order(kind, lacks.words(kind))
            there = member(permissions, kind)
            if not words:
                continue
            if isinstance(there, Array):
                for word in words:
                    self.edits.append(there, word)
            elif isinstance(there, str) and is_expression(there):
                more = ", ".join(f"'{word}'" for word in words)
                self.edits.set_member(permissions, kind, f"[union({there[1:-1].strip()}, createArray({more}))]")
            else:
                self.edits.set_member(permissions, kind, list(in_order(kind, whole.permissions.words(kind))))

    def _in_place_of_loop(self, properties: Object, loop: Any, listed: PolicyList) -> None:
        spelling = name_in(properties, "copy") or "copy"
        loops, kept = properties[spelling], self._kept(listed)
        policies = [policy.to_arm() for policy in kept]
        if isinstance(loops, Array) and len(loops) > 1:
            self.edits.remove_item(loops, next(index for index, each in enumerate(loops) if each is loop))
            self.edits.set_member(properties, "accessPolicies", policies)
        else:
            self.edits.replace_member(properties, spelling, "accessPolicies", policies)
        self.changes.append(f"accessPolicies: the loop is written out, with all {len(kept)} policies")

    def _beside_expression(self, found: Found, properties: Object, spelling: str, raw: str, listed: PolicyList) -> None:
        """Beside what an expression comes to: a variable with the others. Where an identity is in both, written out."""
        given = _by_identity(listed)
        if not listed.unknown and any(
            _lacking(permissions, given[identity])
            for identity, permissions in self._policies.items()
            if identity in given
        ):
            kept = self._kept(listed)
            self.edits.replace(properties.values_at[spelling], [policy.to_arm() for policy in kept])
            self.changes.append(f"accessPolicies: the expression is written out, with all {len(kept)} policies")
            return
        others = [
            Policy(identity, permissions).to_arm()
            for identity, permissions in self._policies.items()
            if identity not in given
        ]
        if not others:
            return
        name = self._variable(found, others)
        self.edits.replace(properties.values_at[spelling], f"[concat({raw[1:-1].strip()}, variables('{name}'))]")
        self.changes.append(f"accessPolicies: the expression, and {len(others)} present policies (variable {name})")

    def _variable(self, found: Found, value: Any) -> str:
        root = found.scope.root
        if not isinstance(root, Object):
            raise _by_hand(found, "its template is an expression")
        variables = member(root, "variables")
        name = VARIABLE
        while name in self._made or (isinstance(variables, dict) and name_in(variables, name)):
            name += "2"
        self._made.add(name)
        if isinstance(variables, Object):
            self.edits.set_member(variables, name, value)
        else:
            self.edits.set_member(root, "variables", {name: value})
        return name

    def change(self, change: Change) -> None:
        """A child that adds stays; one that replaces or removes takes nothing of the present away."""
        operation = change.found.operation
        if isinstance(operation, Unresolved):
            raise _by_hand(change.found, "its name is not known")
        if operation == "add" or self._present.model is PermissionModel.RBAC:
            return
        wanted, changed = [], False
        for identity, permissions in _by_identity(change.policies).items():
            had = self._policies.get(identity, Permissions())
            kept = self._kept_by(operation, had, permissions)
            changed = changed or kept != permissions
            if kept:
                wanted.append(Policy(identity, kept).to_arm())
        if not changed:
            return
        properties = member(change.found.raw, "properties")
        if change.policies.unknown or change.found.copied or not isinstance(properties, Object):
            raise _by_hand(change.found, f"it is not known what it {operation}s")
        self.edits.set_member(properties, "accessPolicies", wanted)
        self.changes.append(f"{change.found.where} ({operation}): nothing of the present is taken away")

    def _kept_by(self, operation: str, had: Permissions, given: Permissions) -> Permissions:
        if operation == "remove":
            return Permissions() if had else given
        return given | _lacking(had, given)

    def _kept(self, listed: PolicyList) -> list[Policy]:
        """All of the template's policies and the present ones, one for each identity."""
        found = _by_identity(listed)
        for identity, permissions in self._policies.items():
            given = found.get(identity, Permissions())
            found[identity] = given | _lacking(permissions, given)
        return [Policy(identity, permissions) for identity, permissions in found.items()]


def _lacking(had: Permissions, given: Permissions) -> Permissions:
    """The words to add so that nothing of ``had`` is lost."""
    words: dict[str, Iterable[str]] = {}
    for kind in COLLECTIONS:
        if missing(kind, had.words(kind), given.words(kind)):
            words[kind] = had.words(kind) - given.words(kind)
    return Permissions.of(**words)


def _by_identity(listed: PolicyList) -> dict[Identity, Permissions]:
    return together(listed.policies)


def _by_hand(found: Found, why: str) -> TemplateError:
    return TemplateError(
        f"{found.where} cannot be changed: {why}.",
        hint="Put the present policies in by hand: `safekv access export` prints them.",
    )
