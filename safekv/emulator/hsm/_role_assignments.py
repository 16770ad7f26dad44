"""The local role assignments of a Managed HSM: a role for a principal, at the HSM, all its keys, or one of them."""

from __future__ import annotations

import re
from typing import Any

from safekv.emulator._answers import Refused
from safekv.emulator._call import Call
from safekv.emulator._messages import Response
from safekv.emulator.hsm import _role_definitions
from safekv.emulator.hsm._local_scopes import is_guid, name_of, routes_at_each_scope, scope_of, within
from safekv.emulator.objects import _attributes

TYPE = "Microsoft.Authorization/roleAssignments"
_PATH = "/providers/microsoft.authorization/roleassignments"
_MOST = {"hsm": 50, "key": 10}
_OF_PRINCIPAL = re.compile(r"(?i)\s*principalId\s+eq\s+'?([0-9a-f-]{36})'?\s*")


def create_assignment(call: Call) -> Response:
    """The same again is the same. What else takes a name, or a role, that is given already is refused."""
    name, scope = name_of(call, "400_mhsm_assignment"), scope_of(call)
    properties = _attributes.read_json(call.request.body).get("properties")
    if not isinstance(properties, dict) or not is_guid(properties.get("principalId")):
        raise Refused("400_value")
    role = _role_definitions.named(call, properties.get("roleDefinitionId"))
    if role is None:
        raise Refused("400_mhsm_no_definition", guid=call.vault.new_id())
    assignment = {"name": name, "role": role, "principal": properties["principalId"].lower(), "scope": scope}
    _refuse_double(call, assignment)
    call.vault.administration.assignments[name] = assignment
    return Response.json(201, _shown(assignment))


def get_assignment(call: Call) -> Response:
    return Response.json(200, _shown(_known(call)))


def delete_assignment(call: Call) -> Response:
    assignment = _known(call)
    del call.vault.administration.assignments[assignment["name"]]
    return Response.json(200, _shown(assignment))


def list_assignments(call: Call) -> Response:
    """At, above and below the scope, unless ``$filter`` says otherwise."""
    scope = scope_of(call)
    found = [
        each
        for each in call.vault.administration.assignments.values()
        if within(scope, each["scope"]) or within(each["scope"], scope)
    ]
    wanted = call.query.get("$filter", "")
    principal = _OF_PRINCIPAL.fullmatch(wanted)
    if principal:
        found = [each for each in found if each["principal"] == principal[1].lower()]
    elif wanted.strip().lower() == "atscope()":
        found = [each for each in found if within(scope, each["scope"])]
    elif wanted:
        raise Refused("400_value")
    return Response.json(200, {"value": [_shown(each) for each in found]})


def _refuse_double(call: Call, assignment: dict[str, str]) -> None:
    others = dict(call.vault.administration.assignments)
    mine = others.pop(assignment["name"], None)
    if mine == assignment:
        return
    same = ("role", "principal", "scope")
    doubled = any(all(each[part] == assignment[part] for part in same) for each in others.values())
    if mine is not None or doubled:
        raise Refused("409_mhsm_assignment", guid=call.vault.new_id())
    there = sum(each["scope"].lower() == assignment["scope"].lower() for each in others.values())
    if there >= _MOST["key" if assignment["scope"].startswith("/keys/") else "hsm"]:
        raise Refused("400_mhsm_limit", guid=call.vault.new_id())


def _known(call: Call) -> dict[str, str]:
    found = call.vault.administration.assignments.get(name_of(call, "400_mhsm_assignment"))
    if found is None or found["scope"].lower() != scope_of(call).lower():
        raise Refused("404_mhsm_role", guid=call.vault.new_id())
    return found


def _shown(assignment: dict[str, str]) -> dict[str, Any]:
    name, scope = assignment["name"], assignment["scope"]
    return {
        "id": f"{scope.rstrip('/')}/providers/{TYPE}/{name}",
        "name": name,
        "properties": {
            "principalId": assignment["principal"],
            "roleDefinitionId": f"{_role_definitions.ID}/{assignment['role']}",
            "scope": scope,
        },
        "type": TYPE,
    }


ROUTES = routes_at_each_scope(
    _PATH,
    ("list_role_assignments", "GET", "", list_assignments),
    ("get_role_assignment", "GET", "/{guid}", get_assignment),
    ("create_role_assignment", "PUT", "/{guid}", create_assignment),
    ("delete_role_assignment", "DELETE", "/{guid}", delete_assignment),
)
