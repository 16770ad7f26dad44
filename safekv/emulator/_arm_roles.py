"""The control plane's endpoints for role definitions and assignments, on any scope down to one secret."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from safekv.emulator import _arm_paging
from safekv.emulator._access import Rights, Role, RoleAssignment, within
from safekv.emulator._answers import Refused
from safekv.emulator._arm_call import ArmCall, ArmRoute, is_guid, member, moment, wrong
from safekv.emulator._arm_vaults import named, resource_of
from safekv.emulator._messages import Response

_PROVIDER = "/providers/Microsoft.Authorization"
_ASSIGNMENTS = f"{{scope}}{_PROVIDER}/roleAssignments"
_DEFINITIONS = f"{{scope}}{_PROVIDER}/roleDefinitions"
_SCOPE = re.compile(
    r"/subscriptions/([^/]+)(?:/resourceGroups/([^/]+)(?:/providers/Microsoft\.KeyVault/vaults/([^/]+)(?:/.+)?)?)?",
    re.IGNORECASE,
)
_EQUALS = re.compile(r"(\w+) eq '([^']*)'", re.IGNORECASE)
_ASSIGNED_TO = re.compile(r"assignedTo\('([^']*)'\)", re.IGNORECASE)
_PRINCIPAL_TYPES = ("User", "Group", "ServicePrincipal", "ForeignGroup", "Device")
_RIGHTS = ("actions", "notActions", "dataActions", "notDataActions")
_MOST = 4_000


# Assignments


def list_assignments(call: ArmCall) -> Response:
    """Those on the scope, above it and below it; with ``atScope()`` none below."""
    scope, wanted = _scope(call), call.request.query.get("$filter", "")
    found = [each for each in _current(call) if each.covers(scope) or within(each.scope, scope)]
    if "atscope()" in wanted.lower():
        found = [each for each in found if each.covers(scope)]
    principals = _principals(call, wanted)
    if principals is not None:
        found = [each for each in found if each.principal.lower() in principals]
    return _arm_paging.page(call, [_assignment(call, each) for each in found])


def get_assignment(call: ArmCall) -> Response:
    return Response.json(200, _assignment(call, _assigned(call)))


def put_assignment(call: ArmCall) -> Response:
    scope, name = _scope(call), call.places["name"]
    if not is_guid(name):
        raise Refused("arm_400_assignment_id", name=name)
    wanted = _wanted_assignment(call, scope, name)
    for each in _current(call):
        if each.name.lower() == name.lower():
            if _what(each) != _what(wanted):
                raise Refused("arm_400_assignment_update")
            return Response.json(200, _assignment(call, each))
        if _what(each) == _what(wanted):
            raise Refused("arm_409_assignment")
    if len(_current(call)) >= _MOST:
        raise wrong("roleAssignments")
    call.estate.grants.assign(wanted, call.now)
    return Response.json(201, _assignment(call, wanted))


def delete_assignment(call: ArmCall) -> Response:
    try:
        found = _assigned(call)
    except Refused:
        return Response(204)
    call.estate.grants.withdraw([found], call.now)
    return Response.json(200, _assignment(call, found))


def _current(call: ArmCall) -> tuple[RoleAssignment, ...]:
    return call.estate.grants.assignments.current


def _assigned(call: ArmCall) -> RoleAssignment:
    scope, name = _scope(call), call.places["name"].lower()
    for each in _current(call):
        if each.name.lower() == name and each.scope.lower().rstrip("/") == scope.lower().rstrip("/"):
            return each
    raise Refused("arm_404_assignment", name=call.places["name"])


def _wanted_assignment(call: ArmCall, scope: str, name: str) -> RoleAssignment:
    properties = member(call.document(), "properties", dict) or {}
    definition = member(properties, "roleDefinitionId", str, within="properties.") or ""
    role = call.estate.grants.roles.get(definition.rsplit("/", 1)[-1].lower())
    if role is None:
        raise Refused("arm_400_role", name=definition.rsplit("/", 1)[-1])
    principal = member(properties, "principalId", str, within="properties.") or ""
    if not is_guid(principal):
        raise wrong("properties.principalId")
    kind = member(properties, "principalType", str, within="properties.") or _type_of(call, principal)
    if kind not in _PRINCIPAL_TYPES:
        raise wrong("properties.principalType")
    details = {"createdBy": call.caller.oid, "createdOn": moment(call.now)}
    for each in ("description", "condition", "conditionVersion"):
        text = member(properties, each, str, within="properties.")
        if text is not None:
            details[each] = text
    return RoleAssignment(name, role.id, principal, scope, kind, details)


def _type_of(call: ArmCall, principal: str) -> str:
    known = call.estate.directory.find(principal)
    groups = {group.lower() for each in call.estate.directory for group in each.groups}
    return "Group" if principal.lower() in groups else "User" if known.user else "ServicePrincipal"


def _principals(call: ArmCall, wanted: str) -> set[str] | None:
    """Whose assignments are asked for; None: everybody's."""
    equal = {name.lower(): value for name, value in _EQUALS.findall(wanted)}
    if "principalid" in equal:
        return {equal["principalid"].lower()}
    assigned = _ASSIGNED_TO.search(wanted)
    if assigned is None:
        return None
    groups = call.estate.directory.find(assigned[1]).groups
    return {assigned[1].lower(), *(each.lower() for each in groups)}


def _what(each: RoleAssignment) -> tuple[str, ...]:
    return each.role.lower(), each.principal.lower(), each.scope.lower().rstrip("/")


def _assignment(call: ArmCall, each: RoleAssignment) -> dict[str, Any]:
    properties = {
        "roleDefinitionId": f"/subscriptions/{call.subscription}{_PROVIDER}/roleDefinitions/{each.role}",
        "principalId": each.principal,
        "principalType": each.principal_type,
        "scope": each.scope,
        "condition": None,
        **each.details,
    }
    return {
        "id": f"{each.scope.rstrip('/')}{_PROVIDER}/roleAssignments/{each.name}",
        "name": each.name,
        "type": "Microsoft.Authorization/roleAssignments",
        "properties": properties,
    }


# Definitions


def list_definitions(call: ArmCall) -> Response:
    equal = {name.lower(): value.lower() for name, value in _EQUALS.findall(call.request.query.get("$filter", ""))}
    found: Iterable[Role] = call.estate.grants.roles.values()
    if "rolename" in equal:
        found = [each for each in found if each.name.lower() == equal["rolename"]]
    if "type" in equal:
        found = [each for each in found if _kind(each).lower() == equal["type"]]
    return _arm_paging.page(call, [_definition(call, each) for each in found])


def get_definition(call: ArmCall) -> Response:
    return Response.json(200, _definition(call, _defined(call)))


def put_definition(call: ArmCall) -> Response:
    """Make a role of one's own, or change it."""
    name, roles = call.places["name"], call.estate.grants.roles
    if not is_guid(name):
        raise Refused("arm_400_role_id", name=name)
    wanted = _wanted_role(call, name)
    for each in roles.values():
        if each.name.lower() == wanted.name.lower() and each.id.lower() != name.lower():
            raise Refused("arm_409_role_name")
    if name.lower() in roles and roles[name.lower()].built_in:
        raise wrong("properties.type")
    if len(roles) >= _MOST:
        raise wrong("roleDefinitions")
    roles[name.lower()] = wanted
    return Response.json(201, _definition(call, wanted))


def delete_definition(call: ArmCall) -> Response:
    role = call.estate.grants.roles.get(call.places["name"].lower())
    if role is None:
        return Response(204)
    if role.built_in:
        raise wrong("properties.type")
    if any(each.role.lower() == role.id.lower() for each in _current(call)):
        raise Refused("arm_409_role_used")
    del call.estate.grants.roles[role.id.lower()]
    return Response.json(200, _definition(call, role))


def _defined(call: ArmCall) -> Role:
    _scope(call)
    role = call.estate.grants.roles.get(call.places["name"].lower())
    if role is None:
        raise Refused("arm_404_role", name=call.places["name"])
    return role


def _wanted_role(call: ArmCall, name: str) -> Role:
    properties = member(call.document(), "properties", dict) or {}
    title = member(properties, "roleName", str, within="properties.")
    if not title:
        raise wrong("properties.roleName")
    permissions = member(properties, "permissions", list, within="properties.") or []
    rights = tuple(_read_rights(each) for each in permissions)
    scopes = _texts(properties, "assignableScopes")
    if not scopes:
        raise wrong("properties.assignableScopes")
    description = member(properties, "description", str, within="properties.") or ""
    return Role(name, title, rights, description, built_in=False, scopes=scopes)


def _read_rights(given: Any) -> Rights:
    if not isinstance(given, Mapping):
        raise wrong("properties.permissions")
    return Rights(*(_texts(given, name) for name in _RIGHTS))


def _texts(given: Mapping[str, Any], name: str) -> tuple[str, ...]:
    found = member(given, name, list, within="properties.") or []
    if not all(isinstance(each, str) for each in found):
        raise wrong(f"properties.{name}")
    return tuple(found)


def _kind(role: Role) -> str:
    return "BuiltInRole" if role.built_in else "CustomRole"


def _definition(call: ArmCall, role: Role) -> dict[str, Any]:
    rights = [
        dict(zip(_RIGHTS, map(list, (r.actions, r.not_actions, r.data_actions, r.not_data_actions)), strict=True))
        for r in role.rights
    ]
    return {
        "id": f"/subscriptions/{call.subscription}{_PROVIDER}/roleDefinitions/{role.id}",
        "name": role.id,
        "type": "Microsoft.Authorization/roleDefinitions",
        "properties": {
            "roleName": role.name,
            "type": _kind(role),
            "description": role.description,
            "assignableScopes": list(role.scopes),
            "permissions": rights,
        },
    }


# Both


def _scope(call: ArmCall) -> str:
    """The scope that the path names; refused if there is no such thing."""
    given = call.places["scope"]
    if not given or given.lower().startswith("/providers/microsoft.management/managementgroups/"):
        return given or "/"
    found = _SCOPE.fullmatch(given)
    if found is None:
        raise Refused("arm_404_path", method=call.request.method)
    subscription, group, vault = found.groups()
    if subscription.lower() != call.subscription.lower():
        raise Refused("arm_404_subscription", subscription=subscription)
    if group and group.lower() not in call.estate.groups:
        raise Refused("arm_404_group", group=group)
    known = named(call, vault) if vault else None
    if vault and (known is None or resource_of(known).group.lower() != group.lower()):
        raise Refused("arm_404_resource", name=vault, group=group)
    return given


_ACTION = "Microsoft.Authorization/roleAssignments/"
_DEFINITION = "Microsoft.Authorization/roleDefinitions/"
ROUTES = (
    ArmRoute("GET", _ASSIGNMENTS, f"{_ACTION}read", list_assignments),
    ArmRoute("GET", f"{_ASSIGNMENTS}/{{name}}", f"{_ACTION}read", get_assignment),
    ArmRoute("PUT", f"{_ASSIGNMENTS}/{{name}}", f"{_ACTION}write", put_assignment),
    ArmRoute("DELETE", f"{_ASSIGNMENTS}/{{name}}", f"{_ACTION}delete", delete_assignment),
    ArmRoute("GET", _DEFINITIONS, f"{_DEFINITION}read", list_definitions),
    ArmRoute("GET", f"{_DEFINITIONS}/{{name}}", f"{_DEFINITION}read", get_definition),
    ArmRoute("PUT", f"{_DEFINITIONS}/{{name}}", f"{_DEFINITION}write", put_definition),
    ArmRoute("DELETE", f"{_DEFINITIONS}/{{name}}", f"{_DEFINITION}delete", delete_definition),
)
