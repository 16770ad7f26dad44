"""Who may do what in a Managed HSM, by its local roles. What vaults ask is in ``_access``."""

from __future__ import annotations

from collections.abc import Iterator

from safekv.emulator._access import Identity
from safekv.emulator._administration import Administration
from safekv.emulator._answers import error, reworded
from safekv.emulator._call import Call
from safekv.emulator._local_scopes import scope_of, within
from safekv.emulator._messages import Response
from safekv.emulator._role_definitions import BUILT_IN
from safekv.errors._hsm_roles import LOCAL_NEEDS, PREFIX

_EXAMPLE = f"{PREFIX}roleAssignments/read/action on /"
_MAKES_A_KEY = ("create_key", "import_key")


def refuse(call: Call, identity: Identity) -> Response | None:
    """The 403 that a request gets; None if a role allows it."""
    needed = LOCAL_NEEDS.get(call.operation or "")
    scope = resource_of(call, needed or "")
    if needed is None or allowed(call.vault.administration, identity, needed, scope):
        return None
    row = reworded("403_mhsm", {_EXAMPLE: f"{PREFIX}{needed} on {scope}"})
    return error(row, {"guid": call.vault.new_id()})


def allowed(state: Administration, identity: Identity, action: str, resource: str) -> bool:
    """Whether an assignment to the identity or a group of its, at the resource or above it, allows the action."""
    mine = [each for each in state.assignments.values() if identity.is_one_of(each["principal"])]
    return any(within(resource, each["scope"]) and _allows(state, each["role"], action) for each in mine)


def resource_of(call: Call, action: str) -> str:
    """The scope at which a request has to be allowed."""
    if "/providers/" in call.request.path:
        return scope_of(call)
    if not action.startswith("keys/"):
        return "/"
    return f"/keys/{call.name}" if call.name and call.operation not in _MAKES_A_KEY else "/keys"


def _allows(state: Administration, role: str, action: str) -> bool:
    """What is excluded is excluded from what the same permission gives."""
    wanted = (PREFIX + action).lower()
    return any(
        wanted in _lower(each["dataActions"]) and wanted not in _lower(each["notDataActions"])
        for each in _permissions(state, role)
    )


def _permissions(state: Administration, role: str) -> Iterator[dict[str, list[str]]]:
    definition = BUILT_IN.get(role) or state.definitions.get(role)
    yield from definition["permissions"] if definition else ()


def _lower(actions: list[str]) -> Iterator[str]:
    return map(str.lower, actions)
