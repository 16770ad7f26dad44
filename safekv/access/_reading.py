"""A vault's access out of what Azure, the SDK, the Azure CLI or ``export --format json`` say of it.

Azure writes ``accessPolicies`` and ``keys``, the SDK ``access_policies`` and, for the same, ``keys_property``: all of
it is taken.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

from safekv.access import _json
from safekv.access._errors import TemplateError
from safekv.access._model import (
    Firewall,
    Identity,
    PermissionModel,
    Permissions,
    Policy,
    Role,
    RoleAssignment,
    VaultAccess,
)
from safekv.access._names import COLLECTIONS, in_order
from safekv.access._resource_ids import parse_resource_id
from safekv.access._templates import read_text
from safekv.errors import InvalidArgument

_ENABLED_FOR = ("deployment", "diskEncryption", "templateDeployment")


def load(path: str | os.PathLike[str]) -> VaultAccess:
    """The access that ``export --format json`` has saved; what ``az keyvault show`` prints is taken as well.

    :raises TemplateError: if the file is neither.
    :raises OSError: if it cannot be read.
    """
    found = _json.parse(read_text(path), os.fspath(path))
    try:
        return vault_access(found)
    except (InvalidArgument, TypeError, AttributeError) as error:
        raise TemplateError(
            f"{os.fspath(path)} says nothing of a vault's access: {error}".splitlines()[0],
            hint="`safekv access export VAULT --format json` writes such a file; so does `az keyvault show`.",
        ) from None


def vault_access(
    vault: Mapping[str, Any], assignments: tuple[RoleAssignment, ...] | None = None, unread: str | None = None
) -> VaultAccess:
    """A vault's access out of the resource as Azure gives it.

    :raises InvalidArgument: if it is none.
    """
    properties = said(vault, "properties")
    resource_id = str(said(vault, "id") or "")
    known = parse_resource_id(resource_id)
    if not isinstance(properties, Mapping):
        raise InvalidArgument("It has no properties.")
    tenant = str(said(properties, "tenantId") or "")
    listed = said(vault, "roleAssignments")
    if assignments is None and isinstance(listed, (list, tuple)):
        assignments = tuple(_saved_assignment(each) for each in listed)
    days = said(properties, "softDeleteRetentionInDays")
    return VaultAccess(
        resource_id=str(known),
        name=str(said(vault, "name") or known.name),
        tenant_id=tenant.lower(),
        model=PermissionModel.RBAC if said(properties, "enableRbacAuthorization") is True else PermissionModel.POLICIES,
        policies=tuple(policy(each, tenant) for each in said(properties, "accessPolicies") or ()),
        assignments=assignments,
        firewall=_firewall(properties),
        soft_delete_days=None if said(properties, "enableSoftDelete") is False else int(days or 90),
        purge_protection=said(properties, "enablePurgeProtection") is True,
        enabled_for=tuple(name for name in _ENABLED_FOR if said(properties, f"enabledFor{name}") is True),
        location=str(said(vault, "location") or ""),
        uri=str(said(properties, "vaultUri") or ""),
        state=str(said(properties, "provisioningState") or ""),
        unread=unread or said(vault, "roleAssignmentsUnread"),
    )


def said(of: Any, name: str) -> Any:
    """What an object says under a name, in Azure's spelling or in the SDK's; None if it says nothing."""
    if not isinstance(of, Mapping):
        return None
    wanted = name.lower()
    return next((value for key, value in of.items() if str(key).replace("_", "").lower() == wanted), None)


def policy(entry: Any, tenant: str = "") -> Policy:
    """A policy out of an entry as Azure or the SDK gives it.

    :raises InvalidArgument: if it does not say for whom it is.
    """
    if not isinstance(entry, Mapping) and hasattr(entry, "as_dict"):
        entry = entry.as_dict()
    object_id = said(entry, "objectId")
    if not isinstance(object_id, str) or not object_id:
        raise InvalidArgument("An access policy has no objectId.")
    permissions = said(entry, "permissions")
    words = {kind: said(permissions, kind) or () for kind in COLLECTIONS}
    words["keys"] = words["keys"] or said(permissions, "keysProperty") or ()
    found = {kind: frozenset(in_order(kind, map(_word, given))) for kind, given in words.items()}
    identity = Identity.of(object_id, str(said(entry, "tenantId") or tenant), said(entry, "applicationId"))
    return Policy(identity, Permissions(**found))


def _word(given: Any) -> str:
    return str(getattr(given, "value", given))


def _firewall(properties: Mapping[str, Any]) -> Firewall:
    rules = said(properties, "networkAcls") or {}
    private = said(properties, "privateEndpointConnections") or ()
    return Firewall(
        public_access=str(said(properties, "publicNetworkAccess") or "enabled").lower() != "disabled",
        default_allow=str(_word(said(rules, "defaultAction") or "Allow")).lower() != "deny",
        bypass=_word(said(rules, "bypass") or "AzureServices"),
        addresses=tuple(str(said(each, "value")) for each in said(rules, "ipRules") or ()),
        networks=tuple(str(said(each, "id")) for each in said(rules, "virtualNetworkRules") or ()),
        private_endpoints=tuple(str(said(each, "id") or "?") for each in private),
    )


def assignment(found: Mapping[str, Any], roles: Mapping[str, Role]) -> RoleAssignment:
    """A role assignment as Azure or the SDK gives it; ``roles`` are by their ids, in lower case."""
    properties = said(found, "properties")
    it = {**found, **properties} if isinstance(properties, Mapping) else found
    role_id = str(said(it, "roleDefinitionId") or "")
    return RoleAssignment(
        principal_id=str(said(it, "principalId") or "").lower(),
        role=roles.get(role_id.lower()) or Role(role_id, role_id.rsplit("/", 1)[-1]),
        scope=str(said(it, "scope") or ""),
        principal_type=_word(said(it, "principalType") or ""),
        condition=said(it, "condition") or None,
        id=str(said(it, "id") or ""),
    )


def role(found: Mapping[str, Any]) -> Role:
    """A role definition as Azure or the SDK gives it."""
    properties = said(found, "properties")
    it = {**found, **properties} if isinstance(properties, Mapping) else found
    permissions = said(it, "permissions") or ()
    parts = [each for each in permissions if said(each, "dataActions")]
    # What one part excludes another one may give: not said here, so as not to say too little.
    told = len(parts) < 2 or not any(said(each, "notDataActions") for each in parts)
    return Role(
        id=str(said(found, "id") or ""),
        name=str(said(it, "roleName") or said(found, "name") or ""),
        data_actions=_actions(permissions, "dataActions") if told else None,
        not_data_actions=_actions(permissions, "notDataActions"),
    )


def _actions(permissions: Iterable[Any], name: str) -> tuple[str, ...]:
    return tuple(str(action) for each in permissions for action in said(each, name) or ())


def _saved_assignment(found: Mapping[str, Any]) -> RoleAssignment:
    saved = said(found, "role")
    actions = said(saved, "dataActions")
    known = Role(
        str(said(saved, "id") or ""),
        str(said(saved, "name") or ""),
        None if actions is None else tuple(map(str, actions)),
        tuple(map(str, said(saved, "notDataActions") or ())),
    )
    return RoleAssignment(
        str(said(found, "principalId") or "").lower(),
        known,
        str(said(found, "scope") or ""),
        str(said(found, "principalType") or ""),
        said(found, "condition") or None,
        str(said(found, "id") or ""),
    )
