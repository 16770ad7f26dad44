"""What a template wants for one vault: the lists of policies that it writes, and which model it sets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from safekv.access._errors import TemplateError
from safekv.access._json import member
from safekv.access._model import Identity, Permissions, Policy, VaultAccess
from safekv.access._names import COLLECTIONS, in_order
from safekv.access._place import Place
from safekv.access._templates import VAULT, Found, Template, find, flag
from safekv.access._values import Unresolved, first_unresolved, is_unresolved

_GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_WORD = re.compile(r"[A-Za-z]{1,40}")


@dataclass(frozen=True)
class Entry:
    """One item of a list of policies.

    :ivar policy: None if it is not known for whom it is.
    :ivar unknown: what of it is not known.
    """

    policy: Policy | None
    unknown: tuple[Unresolved, ...] = ()


@dataclass(frozen=True)
class PolicyList:
    """A list of policies; of one that is not known at all, ``entries`` is one entry."""

    entries: tuple[Entry, ...]

    @property
    def policies(self) -> tuple[Policy, ...]:
        return tuple(entry.policy for entry in self.entries if entry.policy is not None)

    @property
    def unknown(self) -> tuple[Unresolved, ...]:
        return tuple(each for entry in self.entries for each in entry.unknown)


@dataclass(frozen=True)
class Put:
    """The vault itself is deployed: its list of policies becomes this one.

    :ivar policies: None if the template says nothing of them.
    :ivar rbac: None if the template says nothing of it.
    :ivar recover: whether ``createMode`` is ``recover``.
    """

    found: Found
    policies: PolicyList | None
    rbac: bool | Unresolved | None
    recover: bool | Unresolved
    no_purge_protection: bool


@dataclass(frozen=True)
class Change:
    """A child resource changes the policies: ``add``, ``replace`` or ``remove`` for the identities that it names."""

    found: Found
    policies: PolicyList


@dataclass(frozen=True)
class Intent:
    """All that a template does to one vault's access. ``notes`` say what was assumed."""

    puts: tuple[Put, ...]
    changes: tuple[Change, ...]
    unknown: tuple[Unresolved, ...]
    notes: tuple[str, ...]


def intent_for(template: Template, present: VaultAccess) -> Intent:
    """What the template does to the access of this vault.

    :raises TemplateError: if it does nothing to it.
    """
    place = Place(present.subscription_id, present.resource_group, present.tenant_id)
    found, unknown = find(template, place)
    ours, notes, open_questions = _of_vault(found, present.name)
    if not ours and not unknown:
        raise _other_vault(template, found, present.name)
    puts = tuple(_put(each, present) for each in ours if each.kind == VAULT)
    changes = tuple(_change(each, present) for each in ours if each.kind != VAULT)
    return Intent(puts, changes, (*unknown, *open_questions), tuple(notes))


def _of_vault(found: list[Found], name: str) -> tuple[list[Found], list[str], list[Unresolved]]:
    """The resources of this vault; what was assumed; and what may be of it, too."""
    ours = [each for each in found if isinstance(each.name, str) and each.name.lower() == name.lower()]
    nameless = [each for each in found if is_unresolved(each.name)]
    if not nameless:
        return ours, [], []
    vaults = [each for each in found if each.kind == VAULT]
    if not ours and len(vaults) == 1 and not vaults[0].copied and all(is_unresolved(each.name) for each in found):
        note = f"The template's one vault, {vaults[0].name}, is taken for {name}."
        return nameless, [note], []
    return ours, [], [each.name for each in nameless if is_unresolved(each.name)]


def _other_vault(template: Template, found: list[Found], name: str) -> TemplateError:
    names = sorted({each.name for each in found if isinstance(each.name, str)})
    has = f"It is about {', '.join(names)[:300]}." if names else "It has no vault at all."
    return TemplateError(f"{template.name} does nothing to the access of vault {name}. {has}")


def _put(found: Found, present: VaultAccess) -> Put:
    properties = properties_of(found)

    def said(name: str) -> Any:
        return found.scope.member(member(found.raw, "properties"), name, found.local)

    policies = None
    if found.scope.has(properties, "accessPolicies"):
        policies = _list(said("accessPolicies"), present)
    elif is_unresolved(properties):
        policies = PolicyList((Entry(None, (properties,)),))
    rbac = said("enableRbacAuthorization") if not is_unresolved(properties) else properties
    mode = said("createMode") if not is_unresolved(properties) else "default"
    return Put(
        found,
        policies,
        flag(rbac, "enableRbacAuthorization"),
        mode if is_unresolved(mode) else str(mode).lower() == "recover",
        said("enablePurgeProtection") is False if not is_unresolved(properties) else False,
    )


def properties_of(found: Found) -> Any:
    """The properties of a resource: as the template has them, or computed where they are an expression.

    What is computed must not be computed again: a value may look like an expression, and is none.
    """
    raw = member(found.raw, "properties")
    return raw if isinstance(raw, dict) else found.scope.value(raw, found.local)


def _change(found: Found, present: VaultAccess) -> Change:
    properties = properties_of(found)
    if is_unresolved(properties):
        return Change(found, PolicyList((Entry(None, (properties,)),)))
    listed = found.scope.member(member(found.raw, "properties"), "accessPolicies", found.local)
    return Change(found, _list(listed, present))


def _list(value: Any, present: VaultAccess) -> PolicyList:
    if value is None:
        return PolicyList(())
    if not isinstance(value, list):
        unknown = first_unresolved(value) or Unresolved("accessPolicies", "it is no list")
        return PolicyList((Entry(None, (unknown,)),))
    return PolicyList(tuple(_entry(item, index, present) for index, item in enumerate(value)))


def _entry(value: Any, index: int, present: VaultAccess) -> Entry:
    where = f"accessPolicies[{index}]"
    if not isinstance(value, dict):
        return Entry(None, (first_unresolved(value) or Unresolved(where, "it is no object"),))
    unknown: list[Unresolved] = []
    object_id = _guid(member(value, "objectId"), f"{where}.objectId", unknown)
    tenant = _guid(member(value, "tenantId", present.tenant_id), f"{where}.tenantId", unknown)
    application = member(value, "applicationId")
    if application is not None:
        application = _guid(application, f"{where}.applicationId", unknown)
    permissions = _permissions(member(value, "permissions"), where, unknown)
    known = object_id is not None and tenant is not None
    if not known or (application is None and member(value, "applicationId") is not None):
        return Entry(None, tuple(unknown))
    identity = Identity.of(str(object_id), str(tenant), application)
    return Entry(Policy(identity, permissions), tuple(unknown))


def _guid(value: Any, where: str, unknown: list[Unresolved]) -> str | None:
    """An id; anything else is not repeated: it may be what was meant for another parameter."""
    if isinstance(value, str) and _GUID.fullmatch(value.strip()):
        return value.strip().lower()
    unknown.append(first_unresolved(value) or Unresolved(where, "it is no id: a GUID is needed"))
    return None


def _permissions(value: Any, where: str, unknown: list[Unresolved]) -> Permissions:
    found = {}
    if value is not None and not isinstance(value, dict):
        unknown.append(first_unresolved(value) or Unresolved(f"{where}.permissions", "it is no object"))
        value = None
    for kind in COLLECTIONS:
        listed = member(value, kind)
        place = f"{where}.permissions.{kind}"
        if listed is not None and not isinstance(listed, list):
            unknown.append(first_unresolved(listed) or Unresolved(place, "it is no list"))
            listed = None
        found[kind] = frozenset(in_order(kind, _words(listed or (), place, unknown)))
    return Permissions(**found)


def _words(listed: Any, where: str, unknown: list[Unresolved]) -> Iterator[str]:
    for each in listed:
        if isinstance(each, str) and _WORD.fullmatch(each):
            yield each
        else:
            unknown.append(first_unresolved(each) or Unresolved(where, "it has something that is no permission"))
