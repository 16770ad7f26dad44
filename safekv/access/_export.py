"""Present access as text: a section for a template, a child resource that adds, or a file to compare with later."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Literal

from safekv.access._model import Firewall, PermissionModel, Role, RoleAssignment, VaultAccess
from safekv.errors import InvalidArgument

Format = Literal["arm", "bicep", "json"]
FORMATS: tuple[Format, ...] = ("arm", "bicep", "json")
#: The api-version that exported resources have.
API_VERSION = "2023-07-01"
_NAME = re.compile(r"[A-Za-z_]\w*")


def exported(present: VaultAccess, format: str = "arm", *, child: bool = False) -> str:
    """The present access policies as text.

    :param format: ``arm`` or ``bicep``: the members to put into the vault's ``properties``. ``json``: all that was
        read, for ``--present``.
    :param child: a resource ``vaults/accessPolicies`` with the name ``add`` instead, which takes nothing away.
    :raises InvalidArgument: for another format, and for a child without policies to add.
    """
    if format not in FORMATS:
        raise InvalidArgument(f"{format!r} is no format to export to.", hint=f"There are {', '.join(FORMATS)}.")
    if format == "json":
        if child:
            raise InvalidArgument("A child resource is exported as arm or bicep.")
        return json.dumps(saved(present), indent=2, ensure_ascii=False) + "\n"
    if child:
        return _child(present, format)
    section = section_of(present)
    if format == "arm":
        return json.dumps(section, indent=2, ensure_ascii=False) + "\n"
    return "\n".join(f"{name}: {_bicep(value, '')}" for name, value in section.items()) + "\n"


def section_of(present: VaultAccess) -> dict[str, Any]:
    """The members of ``properties`` that keep access as it is.

    ``enablePurgeProtection`` is there only as true: Azure refuses false.
    """
    section: dict[str, Any] = {"enableRbacAuthorization": present.model is PermissionModel.RBAC}
    if present.purge_protection:
        section["enablePurgeProtection"] = True
    return {**section, "accessPolicies": [policy.to_arm() for policy in present.policies]}


def _child(present: VaultAccess, format: str) -> str:
    policies = [policy.to_arm() for policy in present.policies]
    if not policies:
        raise InvalidArgument(f"Vault {present.name} has no access policies to add.")
    if format == "arm":
        resource = {
            "type": "Microsoft.KeyVault/vaults/accessPolicies",
            "apiVersion": API_VERSION,
            "name": f"{present.name}/add",
            "properties": {"accessPolicies": policies},
        }
        return json.dumps(resource, indent=2, ensure_ascii=False) + "\n"
    return (
        f"resource vault 'Microsoft.KeyVault/vaults@{API_VERSION}' existing = {{\n"
        f"  name: {_bicep(present.name, '')}\n"
        "}\n\n"
        f"resource presentAccess 'Microsoft.KeyVault/vaults/accessPolicies@{API_VERSION}' = {{\n"
        "  parent: vault\n"
        "  name: 'add'\n"
        "  properties: {\n"
        f"    accessPolicies: {_bicep(policies, '    ')}\n"
        "  }\n"
        "}\n"
    )


def _bicep(value: Any, indent: str) -> str:
    """A value in Bicep."""
    deeper = indent + "  "
    if isinstance(value, Mapping):
        lines = [f"{deeper}{_bicep_name(name)}: {_bicep(each, deeper)}" for name, each in value.items()]
        return "\n".join(["{", *lines, f"{indent}}}"])
    if isinstance(value, list):
        return "\n".join(["[", *(f"{deeper}{_bicep(each, deeper)}" for each in value), f"{indent}]"]) if value else "[]"
    if isinstance(value, bool):
        return str(value).lower()
    return "'" + str(value).replace("\\", "\\\\").replace("'", "\\'").replace("${", "\\${") + "'"


def _bicep_name(name: str) -> str:
    return name if _NAME.fullmatch(name) else _bicep(name, "")


def saved(present: VaultAccess) -> dict[str, Any]:
    """All that was read, in the form in which Azure gives a vault; role assignments beside it."""
    firewall = present.firewall
    properties: dict[str, Any] = {
        "tenantId": present.tenant_id,
        "vaultUri": present.uri or None,
        **section_of(present),
        "enableSoftDelete": present.soft_delete_days is not None,
        "softDeleteRetentionInDays": present.soft_delete_days,
        "publicNetworkAccess": "Enabled" if firewall.public_access else "Disabled",
        "networkAcls": _acls(firewall),
        "privateEndpointConnections": [{"id": each} for each in firewall.private_endpoints],
        "provisioningState": present.state or None,
        **{f"enabledFor{each[0].upper()}{each[1:]}": True for each in present.enabled_for},
    }
    found: dict[str, Any] = {
        "id": present.resource_id,
        "name": present.name,
        "type": "Microsoft.KeyVault/vaults",
        "location": present.location or None,
        "properties": {name: value for name, value in properties.items() if value is not None},
    }
    if present.assignments is not None:
        found["roleAssignments"] = [_assignment(each) for each in present.assignments]
    elif present.unread:
        found["roleAssignmentsUnread"] = present.unread
    return {name: value for name, value in found.items() if value is not None}


def _acls(firewall: Firewall) -> dict[str, Any]:
    return {
        "bypass": firewall.bypass,
        "defaultAction": "Allow" if firewall.default_allow else "Deny",
        "ipRules": [{"value": each} for each in firewall.addresses],
        "virtualNetworkRules": [{"id": each} for each in firewall.networks],
    }


def _assignment(each: RoleAssignment) -> dict[str, Any]:
    return {
        "id": each.id,
        "principalId": each.principal_id,
        "principalType": each.principal_type,
        "scope": each.scope,
        "condition": each.condition,
        "role": _role(each.role),
    }


def _role(role: Role) -> dict[str, Any]:
    actions = None if role.data_actions is None else list(role.data_actions)
    return {"id": role.id, "name": role.name, "dataActions": actions, "notDataActions": list(role.not_data_actions)}
