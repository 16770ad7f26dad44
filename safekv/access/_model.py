"""Who may do what in a vault, as values: policies, role assignments, and what else lets requests in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from safekv.access._names import COLLECTIONS, in_order, meant
from safekv.access._resource_ids import parse_resource_id
from safekv.errors import InvalidArgument


class PermissionModel(str, Enum):
    """What decides in a vault: its own list of access policies, or Azure's roles. Never both."""

    POLICIES = "policies"
    RBAC = "rbac"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom a policy is for; all parts are in lower case, so that case does not tell two apart.

    :ivar application_id: the application through which alone the object may act (on behalf of it), or None.
    """

    object_id: str
    tenant_id: str
    application_id: str | None = None

    @classmethod
    def of(cls, object_id: str, tenant_id: str, application_id: str | None = None) -> Identity:
        return cls(object_id.lower(), tenant_id.lower(), application_id.lower() if application_id else None)

    def __str__(self) -> str:
        return self.object_id + (f" through application {self.application_id}" if self.application_id else "")


@dataclass(frozen=True, slots=True)
class Permissions:
    """Sets of words, by kind of object, as Azure spells them."""

    keys: frozenset[str] = frozenset()
    secrets: frozenset[str] = frozenset()
    certificates: frozenset[str] = frozenset()
    storage: frozenset[str] = frozenset()

    @classmethod
    def of(cls, **words: Iterable[str]) -> Permissions:
        """From words in any case: ``Permissions.of(secrets=["get", "List"])``.

        :raises InvalidArgument: for another kind of object.
        """
        strange = [kind for kind in words if kind not in COLLECTIONS]
        if strange:
            raise InvalidArgument(f"{strange[0]!r} is no kind of object.", hint=f"There are {', '.join(COLLECTIONS)}.")
        return cls(**{kind: frozenset(in_order(kind, given)) for kind, given in words.items()})

    def words(self, collection: str) -> frozenset[str]:
        found: frozenset[str] = getattr(self, collection)
        return found

    def allows(self, collection: str, permission: str) -> bool:
        """Whether a permission is among them, by its name or by ``all``."""
        return permission in meant(collection, self.words(collection))

    def to_arm(self) -> dict[str, list[str]]:
        """As a template has it; kinds of which there are none are left out."""
        return {kind: list(in_order(kind, self.words(kind))) for kind in COLLECTIONS if self.words(kind)}

    def __or__(self, other: Permissions) -> Permissions:
        return Permissions(**{kind: self.words(kind) | other.words(kind) for kind in COLLECTIONS})

    def __sub__(self, other: Permissions) -> Permissions:
        return Permissions(**{kind: self.words(kind) - other.words(kind) for kind in COLLECTIONS})

    def __bool__(self) -> bool:
        return any(self.words(kind) for kind in COLLECTIONS)

    def __str__(self) -> str:
        parts = (f"{kind}: {', '.join(in_order(kind, self.words(kind)))}" for kind in COLLECTIONS if self.words(kind))
        return "; ".join(parts) or "nothing"


@dataclass(frozen=True, slots=True)
class Policy:
    """One entry of a vault's access policies."""

    identity: Identity
    permissions: Permissions

    def to_arm(self) -> dict[str, Any]:
        """The entry as a template has it."""
        found: dict[str, Any] = {"tenantId": self.identity.tenant_id, "objectId": self.identity.object_id}
        if self.identity.application_id:
            found["applicationId"] = self.identity.application_id
        return {**found, "permissions": self.permissions.to_arm()}


@dataclass(frozen=True, slots=True)
class Role:
    """What an assignment assigns.

    :ivar data_actions: patterns such as ``Microsoft.KeyVault/vaults/secrets/*``; None where they could not be read.
    """

    id: str
    name: str
    data_actions: tuple[str, ...] | None = None
    not_data_actions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RoleAssignment:
    """Somebody has a role at a scope.

    :ivar principal_type: ``User``, ``Group``, ``ServicePrincipal``, or "" where Azure does not say.
    :ivar condition: Azure's text of a condition under which alone it holds, or None.
    """

    principal_id: str
    role: Role
    scope: str
    principal_type: str = ""
    condition: str | None = None
    id: str = ""

    @property
    def is_group(self) -> bool:
        return "group" in self.principal_type.lower()


@dataclass(frozen=True, slots=True)
class Firewall:
    """Who may reach the vault at all, before any permission counts."""

    public_access: bool = True
    default_allow: bool = True
    bypass: str = "AzureServices"
    addresses: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    private_endpoints: tuple[str, ...] = ()

    @property
    def is_open(self) -> bool:
        return self.public_access and self.default_allow

    def __str__(self) -> str:
        if not self.public_access:
            return f"takes requests over private endpoints only ({len(self.private_endpoints)} of them)"
        if self.default_allow:
            return "is open to all networks"
        allowed = [*self.addresses, *self.networks]
        return f"lets in {', '.join(allowed) or 'no address'}; bypass: {self.bypass}"


@dataclass(frozen=True, slots=True)
class VaultAccess:
    """A vault's access as it is now.

    :ivar assignments: the role assignments at, above and below the vault; None where nobody asked for them, or the
        caller may not read them (``unread`` says which).
    :ivar soft_delete_days: for how long deleted objects are kept; None if they are not.
    :ivar enabled_for: what else may read the vault: ``deployment`` (virtual machines), ``diskEncryption``,
        ``templateDeployment``.
    """

    resource_id: str
    name: str
    tenant_id: str
    model: PermissionModel
    policies: tuple[Policy, ...] = ()
    assignments: tuple[RoleAssignment, ...] | None = None
    firewall: Firewall = field(default_factory=Firewall)
    soft_delete_days: int | None = 90
    purge_protection: bool = False
    enabled_for: tuple[str, ...] = ()
    location: str = ""
    uri: str = ""
    state: str = ""
    unread: str | None = None

    @property
    def subscription_id(self) -> str:
        return parse_resource_id(self.resource_id).subscription

    @property
    def resource_group(self) -> str:
        return parse_resource_id(self.resource_id).group

    def by_identity(self) -> dict[Identity, Permissions]:
        """The permissions of each identity; entries for the same one together."""
        return together(self.policies)


def together(policies: Iterable[Policy]) -> dict[Identity, Permissions]:
    """Entries for the same identity as one, in the order in which each comes first."""
    found: dict[Identity, Permissions] = {}
    for policy in policies:
        found[policy.identity] = found.get(policy.identity, Permissions()) | policy.permissions
    return found
