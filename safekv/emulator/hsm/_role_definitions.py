"""The role definitions of a Managed HSM: the built-in ones, which nobody changes, and custom ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from safekv.emulator._answers import Refused
from safekv.emulator._call import Call
from safekv.emulator._messages import Response
from safekv.emulator.hsm._local_scopes import is_scope, name_of, routes_at_each_scope, scope_of
from safekv.emulator.objects import _attributes
from safekv.errors._hsm_roles import LOCAL_ROLES, PREFIX

TYPE = "Microsoft.Authorization/roleDefinitions"
ID = f"Microsoft.KeyVault/providers/{TYPE}"
_PATH = "/providers/microsoft.authorization/roledefinitions"
_NOT_A_GUID = "400_mhsm_role"
_MOST = 50  # custom ones
_LONGEST = 1_024
_ACTIONS = ("actions", "dataActions", "notActions", "notDataActions")

#: By GUID, in the form of ``Administration.definitions``.
BUILT_IN: dict[str, dict[str, Any]] = {
    role.id: {
        "name": role.id,
        "role_name": role.name,
        "description": "",
        "permissions": [
            {**dict.fromkeys(_ACTIONS, ()), "dataActions": [PREFIX + each for each in role.actions]},
        ],
        "scopes": ["/"],
    }
    for role in LOCAL_ROLES
}


def list_definitions(call: Call) -> Response:
    """All of them apply at every scope."""
    return Response.json(200, {"value": [_shown(each) for each in _all(call)]})


def get_definition(call: Call) -> Response:
    return Response.json(200, _shown(_known(call)))


def set_definition(call: Call) -> Response:
    """Make one, or replace the one of this name."""
    name = name_of(call, _NOT_A_GUID)
    _only_at_the_root(call)
    _refuse_built_in(call, name)
    properties = _attributes.read_json(call.request.body).get("properties")
    if not isinstance(properties, dict):
        raise Refused("400_value")
    definitions = call.vault.administration.definitions
    definition = {
        "name": name,
        "role_name": _attributes.text(properties, "roleName", _LONGEST) or "",
        "description": _attributes.text(properties, "description", _LONGEST) or "",
        "permissions": _permissions(properties.get("permissions") or []),
        "scopes": _scopes(properties.get("assignableScopes") or ["/"]),
    }
    if name not in definitions and len(definitions) >= _MOST:
        raise Refused("400_mhsm_limit", guid=call.vault.new_id())
    definitions[name] = definition
    return Response.json(201, _shown(definition))


def delete_definition(call: Call) -> Response:
    definition = _known(call)
    _only_at_the_root(call)
    name = definition["name"]
    _refuse_built_in(call, name)
    state = call.vault.administration
    if any(each["role"] == name for each in state.assignments.values()):
        raise Refused("400_mhsm_assigned", guid=call.vault.new_id())
    del state.definitions[name]
    return Response.json(200, _shown(definition))


def named(call: Call, identifier: object) -> str | None:
    """The GUID of the definition that has this id; None if there is none."""
    if not isinstance(identifier, str):
        return None
    name = identifier.rpartition("/")[2].lower()
    return name if name in BUILT_IN or name in call.vault.administration.definitions else None


def _all(call: Call) -> Iterator[dict[str, Any]]:
    yield from BUILT_IN.values()
    yield from call.vault.administration.definitions.values()


def _known(call: Call) -> dict[str, Any]:
    name = name_of(call, _NOT_A_GUID)
    found = BUILT_IN.get(name) or call.vault.administration.definitions.get(name)
    if found is None:
        raise Refused("404_mhsm_definition", guid=call.vault.new_id())
    return found


def _refuse_built_in(call: Call, name: str) -> None:
    if name in BUILT_IN:
        raise Refused("400_mhsm_built_in", guid=call.vault.new_id())


def _only_at_the_root(call: Call) -> None:
    if scope_of(call) != "/":
        raise Refused("400_value")


def _shown(definition: dict[str, Any]) -> dict[str, Any]:
    name = definition["name"]
    return {
        "id": f"{ID}/{name}",
        "name": name,
        "properties": {
            "assignableScopes": definition["scopes"],
            "description": definition["description"],
            "permissions": definition["permissions"],
            "roleName": definition["role_name"],
            "type": "AKVBuiltInRole" if name in BUILT_IN else "CustomRole",
        },
        "type": TYPE,
    }


def _permissions(given: object) -> list[dict[str, list[str]]]:
    if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
        raise Refused("400_value")
    return [{member: _texts(each.get(member) or []) for member in _ACTIONS} for each in given]


def _scopes(given: object) -> list[str]:
    scopes = _texts(given)
    if not all(map(is_scope, scopes)):
        raise Refused("400_value")
    return scopes


def _texts(given: object) -> list[str]:
    if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
        raise Refused("400_value")
    return list(given)


ROUTES = routes_at_each_scope(
    _PATH,
    ("list_role_definitions", "GET", "", list_definitions),
    ("get_role_definition", "GET", "/{guid}", get_definition),
    ("set_role_definition", "PUT", "/{guid}", set_definition),
    ("delete_role_definition", "DELETE", "/{guid}", delete_definition),
)
