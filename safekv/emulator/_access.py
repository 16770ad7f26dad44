"""Who may do what in a vault, by access policies or by roles (Azure RBAC). Decisions alone: nothing is stored or sent.

>>> decide(model, identity, "get_secret", "db-password").allowed
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache

from safekv.emulator._access_needs import NEEDS, Need

_MANAGEMENT_GROUP = "/providers/microsoft.management/managementgroups/"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks, as a token says. ``delegated``: an application acts for a user, who has the object id."""

    oid: str
    appid: str
    tenant: str
    groups: tuple[str, ...] = ()
    delegated: bool = False

    def is_one_of(self, principal: str) -> bool:
        """Whether this principal's rights are the identity's: it is that, or a group of its."""
        mine = (self.oid.lower(), *(group.lower() for group in self.groups))
        return principal != "" and principal.lower() in mine


@dataclass(frozen=True, slots=True)
class AccessPolicy:
    """An entry of a vault's access policies. ``permissions`` is by collection: ``{"secrets": ("get", "list")}``."""

    tenant: str
    object_id: str
    permissions: Mapping[str, tuple[str, ...]]
    application_id: str | None = None

    @property
    def key(self) -> tuple[str, ...]:
        """What makes two entries the same one."""
        return tuple((each or "").lower() for each in (self.tenant, self.object_id, self.application_id))

    def gives(self, need: Need) -> bool:
        given = {permission.lower() for permission in self.permissions.get(need.collection, ())}
        return not given.isdisjoint(each.lower() for each in (need.permission, *need.instead, "all"))


@dataclass(frozen=True, slots=True)
class Rights:
    """A part of a role: patterns of actions, those of the control plane and those on data."""

    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()
    not_data_actions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Role:
    """A role definition. ``id`` is its GUID."""

    id: str
    name: str
    rights: tuple[Rights, ...]
    description: str = ""
    built_in: bool = True
    scopes: tuple[str, ...] = ("/",)

    def allows_data(self, action: str) -> bool:
        return any(
            _covered(action, each.data_actions) and not _covered(action, each.not_data_actions) for each in self.rights
        )

    def allows(self, action: str) -> bool:
        """Whether it allows an action of the control plane."""
        return any(_covered(action, each.actions) and not _covered(action, each.not_actions) for each in self.rights)


@dataclass(frozen=True, slots=True)
class RoleAssignment:
    """``role`` (a GUID) for ``principal`` (an object id) on ``scope`` and everything below it."""

    name: str
    role: str
    principal: str
    scope: str
    principal_type: str = "ServicePrincipal"
    details: Mapping[str, str] = field(default_factory=dict)

    def covers(self, resource: str) -> bool:
        return within(resource, self.scope)


@dataclass(frozen=True, slots=True)
class AccessModel:
    """All that decides about one vault. ``vault_id`` is its resource id; with ``rbac`` the policies mean nothing."""

    vault_id: str
    rbac: bool = False
    policies: tuple[AccessPolicy, ...] = ()
    assignments: tuple[RoleAssignment, ...] = ()
    roles: Mapping[str, Role] = field(default_factory=dict)  # by id, in lower case


class Reason(Enum):
    """Why it came out so."""

    POLICY = "an access policy gives it"
    ROLE = "a role gives it"
    FREE = "it needs no permission"
    NO_POLICY = "no access policy gives it"
    ON_BEHALF_OF = "the access policy is for an application that acts for a user"
    NO_ROLE = "no role assignment gives it"


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer, with the entry or assignment that allows it, or (``ON_BEHALF_OF``) that nearly would."""

    allowed: bool
    reason: Reason
    by: AccessPolicy | RoleAssignment | None = None
    need: Need | None = None
    resource: str = ""


def decide(model: AccessModel, identity: Identity, operation: str, name: str = "") -> Decision:
    """May this identity do this to the object of this name? ``operation`` is named as the SDK's method is."""
    need = NEEDS.get(operation)
    if need is None:
        return Decision(True, Reason.FREE)
    resource = f"{model.vault_id}/{need.collection}/{name}" if name and _is_object(operation) else model.vault_id
    if model.rbac:
        return _by_roles(model, identity, need, resource)
    return _by_policies(model, identity, need, resource)


def decide_management(
    assignments: Iterable[RoleAssignment], roles: Mapping[str, Role], identity: Identity, action: str, scope: str
) -> RoleAssignment | None:
    """The assignment that allows an action of the control plane (``Microsoft.KeyVault/vaults/read``) on a scope."""
    for each in assignments:
        role = roles.get(each.role.lower())
        if role and identity.is_one_of(each.principal) and each.covers(scope) and role.allows(action):
            return each
    return None


def within(resource: str, scope: str) -> bool:
    """Whether a resource id is a scope or lies below it. Management groups hold everything here."""
    resource, scope = resource.lower().rstrip("/"), scope.lower().rstrip("/")
    return resource == scope or resource.startswith(f"{scope}/") or scope.startswith(_MANAGEMENT_GROUP)


def _by_policies(model: AccessModel, identity: Identity, need: Need, resource: str) -> Decision:
    nearly: AccessPolicy | None = None
    for policy in model.policies:
        mine = policy.tenant.lower() == identity.tenant.lower() and identity.is_one_of(policy.object_id)
        if not mine or not policy.gives(need):
            continue
        if policy.application_id is None or _acts_for_user(identity, policy.application_id):
            return Decision(True, Reason.POLICY, policy, need, resource)
        if not identity.delegated:
            nearly = policy
    reason = Reason.ON_BEHALF_OF if nearly else Reason.NO_POLICY
    return Decision(False, reason, nearly, need, resource)


def _by_roles(model: AccessModel, identity: Identity, need: Need, resource: str) -> Decision:
    for assignment in model.assignments:
        role = model.roles.get(assignment.role.lower())
        if (
            role
            and identity.is_one_of(assignment.principal)
            and assignment.covers(resource)
            and role.allows_data(need.full_action)
        ):
            return Decision(True, Reason.ROLE, assignment, need, resource)
    return Decision(False, Reason.NO_ROLE, None, need, resource)


def _acts_for_user(identity: Identity, application_id: str) -> bool:
    return identity.delegated and identity.appid.lower() == application_id.lower()


def _is_object(operation: str) -> bool:
    """Contacts and issuers belong to the vault, although an issuer's name is in the path."""
    return not operation.endswith(("_contacts", "_issuer", "_issuers"))


def _covered(action: str, patterns: Iterable[str]) -> bool:
    return any(_pattern(each).fullmatch(action) for each in patterns)


@lru_cache(maxsize=1_024)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, text.split("*"))), re.IGNORECASE)
