"""What the control plane knows, as JSON-able data and back: resources, roles, assignments, identities.

Loading is strict, and everything is read before anything is changed.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

from safekv.emulator import _arm_policies
from safekv.emulator._access import Rights, Role, RoleAssignment
from safekv.emulator._answers import Refused
from safekv.emulator._arm_resource import Rules
from safekv.emulator._directory import Directory, Principal
from safekv.emulator._grants import Grants
from safekv.emulator._seeding import EmulatedVault
from safekv.emulator._stored import check

_MEMBERS = {"vaults": dict, "groups": list, "roles": list, "assignments": list, "identities": list}
_NUMBER = (int, float)
_VAULT = {
    "made": bool,
    "group": str,
    "location": str,
    "tags": dict,
    "properties": dict,
    "rbac": bool,
    "policies": list,
    "created": _NUMBER,
    "ready": _NUMBER,
    "deleted": (*_NUMBER, type(None)),
    "purged": _NUMBER,
    "creator": str,
    "changed": _NUMBER,
    "tenant": str,
    "retention_days": int,
    "purge_protection": bool,
}
_KEPT = ("group", "location", "tags", "properties", "created", "ready", "deleted", "purged", "creator", "changed")
_ROLE = {"id": str, "name": str, "rights": list, "description": str, "scopes": list}
_RIGHTS = dict.fromkeys(("actions", "not_actions", "data_actions", "not_data_actions"), list)
_ASSIGNMENT = {"name": str, "role": str, "principal": str, "scope": str, "principal_type": str, "details": dict}
_IDENTITY = {"name": str, "client_id": str, "oid": str, "groups": list, "user": bool}


@dataclass(frozen=True)
class ControlPlane:
    """What was read, ready to be put in place."""

    vaults: dict[str, tuple[dict[str, Any], Rules]]
    groups: set[str]
    roles: tuple[Role, ...]
    assignments: tuple[RoleAssignment, ...]
    identities: tuple[Principal, ...]

    def made(self) -> list[str]:
        """The vaults that were made through the control plane."""
        return [name for name, (each, _) in self.vaults.items() if each["made"]]

    def put(self, vaults: Iterable[EmulatedVault], grants: Grants, directory: Directory, groups: set[str]) -> None:
        for vault in vaults:
            if vault.arm is not None and vault.name in self.vaults:
                _put_vault(vault, *self.vaults[vault.name])
        groups.update(self.groups)
        grants.clear()
        grants.roles.update({each.id.lower(): each for each in self.roles})
        grants.assignments.begin_with(self.assignments)
        for each in self.identities:
            directory.add(each.name, client_id=each.client_id, oid=each.oid, groups=each.groups, user=each.user)


def dump(vaults: Iterable[EmulatedVault], grants: Grants, directory: Directory, groups: set[str]) -> dict[str, Any]:
    roles = [each for each in grants.roles.values() if not each.built_in]
    document = {
        "vaults": {vault.name: _dump_vault(vault) for vault in vaults if vault.arm is not None},
        "groups": sorted(groups),
        "roles": [_without(asdict(each), "built_in") for each in roles],
        "assignments": [asdict(each) for each in grants.assignments.current],
        "identities": [asdict(each) for each in directory],
    }
    copied: dict[str, Any] = json.loads(json.dumps(document))  # tuples become lists as well
    return copied


def taken_out(snapshot: Any) -> tuple[Any, ControlPlane | None]:
    """A snapshot without what the control plane knows, and that; older snapshots have none."""
    if not isinstance(snapshot, dict) or "control_plane" not in snapshot:
        return snapshot, None
    return _without(snapshot, "control_plane"), read(snapshot["control_plane"])


def read(document: Any, place: str = "control_plane") -> ControlPlane:
    """What :func:`dump` gave, as far as it makes sense; ``ValueError`` names the place that does not."""
    members = check(document, _MEMBERS, place)
    vaults = {name: _read_vault(each, f"{place}.vaults.{name}") for name, each in members["vaults"].items()}
    return ControlPlane(
        vaults,
        set(_texts(members["groups"], f"{place}.groups")),
        tuple(_each(members["roles"], _read_role, f"{place}.roles")),
        tuple(_each(members["assignments"], _read_assignment, f"{place}.assignments")),
        tuple(_each(members["identities"], _read_identity, f"{place}.identities")),
    )


def _dump_vault(vault: EmulatedVault) -> dict[str, Any]:
    assert vault.arm is not None  # the caller has looked
    rules = vault.arm.rules.current
    return {
        "made": vault.arm.made,
        **{name: getattr(vault.arm, name) for name in _KEPT},
        "rbac": rules.rbac,
        "policies": _arm_policies.written(rules.policies),
        "tenant": vault.tenant,
        "retention_days": vault.policy.retention_days,
        "purge_protection": vault.policy.purge_protection,
    }


def _put_vault(vault: EmulatedVault, members: dict[str, Any], rules: Rules) -> None:
    assert vault.arm is not None  # the caller has looked
    for name in _KEPT:
        setattr(vault.arm, name, copy.deepcopy(members[name]))
    vault.arm.rules.begin_with(rules)
    kept = {name: members[name] for name in ("retention_days", "purge_protection")}
    vault.change_policy(replace(vault.policy, **kept))
    if members["made"]:  # others have the tenant that they were given
        vault.tenant = members["tenant"]


def _read_vault(document: Any, place: str) -> tuple[dict[str, Any], Rules]:
    members = check(document, _VAULT, place)
    if not 7 <= members["retention_days"] <= 90:
        raise ValueError(f"{place}.retention_days must be 7 to 90")
    _texts([*members["tags"], *members["tags"].values()], f"{place}.tags")
    try:
        return members, Rules(members["rbac"], _arm_policies.read(members["policies"]))
    except Refused as problem:
        raise ValueError(f"{place}.policies: {problem.places.get('property', 'not to be read')}") from None


def _read_role(document: Any, place: str) -> Role:
    members = check(document, _ROLE, place)
    rights = [check(each, _RIGHTS, f"{place}.rights") for each in members["rights"]]
    read_rights = tuple(Rights(*(_texts(each[name], f"{place}.rights") for name in _RIGHTS)) for each in rights)
    scopes = _texts(members["scopes"], f"{place}.scopes")
    return Role(members["id"], members["name"], read_rights, members["description"], built_in=False, scopes=scopes)


def _read_assignment(document: Any, place: str) -> RoleAssignment:
    members = check(document, _ASSIGNMENT, place)
    _texts([*members["details"], *members["details"].values()], f"{place}.details")
    return RoleAssignment(**copy.deepcopy(members))


def _read_identity(document: Any, place: str) -> Principal:
    members = check(document, _IDENTITY, place)
    return Principal(**{**members, "groups": _texts(members["groups"], f"{place}.groups")})


def _each(documents: list[Any], reader: Callable[[Any, str], Any], place: str) -> list[Any]:
    return [reader(each, f"{place}[{index}]") for index, each in enumerate(documents)]


def _texts(given: list[Any], place: str) -> tuple[str, ...]:
    if not all(isinstance(each, str) for each in given):
        raise ValueError(f"{place} must be texts")
    return tuple(given)


def _without(document: dict[str, Any], name: str) -> dict[str, Any]:
    return {each: value for each, value in document.items() if each != name}
