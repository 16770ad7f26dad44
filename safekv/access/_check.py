"""Whether an identity may do something in a vault, by which entry, and the smallest change that would allow it."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from safekv import _identifiers
from safekv.access._model import Identity, PermissionModel, Permissions, RoleAssignment, VaultAccess
from safekv.access._names import in_order
from safekv.access._resource_ids import covers
from safekv.access._roles import permits
from safekv.errors import InvalidArgument
from safekv.errors._permissions import NEEDS, Need, full_action, role_for

_KINDS = {"secrets": "secret", "keys": "key", "certificates": "certificate"}
#: Operations that are about no one object, so that no scope below the vault allows them.
_OF_THE_VAULT = ("list_", "get_contacts", "set_contacts", "delete_contacts", "get_issuer", "create_issuer")
_VAULT_ONLY = (*_OF_THE_VAULT, "update_issuer", "delete_issuer", "restore_")
_POLICY_TIME = "An access policy takes effect within seconds; membership in a group, with the next token."
_ROLE_TIME = (
    "A role assignment takes up to 10 minutes to take effect, at the scope of a management group several hours; "
    "through a group, a managed identity keeps its token for up to a day."
)


@dataclass(frozen=True)
class Verdict:
    """Whether it is allowed.

    :ivar allowed: by what is known; where that is False, ``perhaps`` may still allow it.
    :ivar by: what allows it.
    :ivar perhaps: what allows it if somebody knows more than was asked: a group that the identity may be in, a
        condition that may hold, a role that could not be read.
    :ivar change: the smallest change that would allow it, in a sentence; None if it is allowed.
    :ivar command: the same to copy.
    :ivar takes: how long a change takes to count.
    :ivar notes: what else may stand in the way.
    """

    vault: str
    identity: str
    operation: str
    name: str | None
    model: PermissionModel
    need: str
    allowed: bool
    by: tuple[str, ...] = ()
    perhaps: tuple[str, ...] = ()
    change: str | None = None
    command: str | None = None
    takes: str = ""
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """As plain data, for ``--json``."""
        return {
            "vault": self.vault,
            "identity": self.identity,
            "operation": self.operation,
            "name": self.name,
            "model": self.model.value,
            "need": self.need,
            "allowed": self.allowed,
            "by": list(self.by),
            "perhaps": list(self.perhaps),
            "change": self.change,
            "command": self.command,
            "takes": self.takes,
            "notes": list(self.notes),
        }


def operation_named(given: str) -> str:
    """The operation of this name; the SDK's ``begin_…`` names are taken too.

    :raises InvalidArgument: naming those that are like it.
    """
    name = given.strip().removeprefix("begin_")
    if name in NEEDS:
        return name
    like = [each for each in NEEDS if any(part in each for part in name.lower().split("_") if len(part) > 3)]
    raise InvalidArgument(
        f"{given[:60]!r} is no operation of a vault.",
        hint=f"They are named as the SDK's methods: {', '.join((like or list(NEEDS))[:12])}.",
    )


def verdict(
    present: VaultAccess,
    identity: str,
    operation: str,
    name: str | None = None,
    *,
    groups: Collection[str] | None = None,
) -> Verdict:
    """Whether the identity may do it.

    :param identity: its object id.
    :param operation: as the SDK calls it: ``get_secret``.
    :param name: of the object; without one, whether it may for every object.
    :param groups: the object ids of all groups that it is in; None if that is not known.
    :raises InvalidArgument: for an operation that no vault has, and for a name that no object has.
    """
    operation = operation_named(operation)
    need = NEEDS[operation]
    if name is not None:
        _identifiers.object_name(name, _KINDS[need.collection])
    if not identity or any(mark.isspace() for mark in identity):
        raise InvalidArgument("An identity is given by its object id.", hint="az ad signed-in-user show --query id")
    question = _Question(present, identity.lower(), operation, need, name, groups)
    return question.by_policies() if present.model is PermissionModel.POLICIES else question.by_roles()


@dataclass(frozen=True)
class _Question:
    present: VaultAccess
    identity: str
    operation: str
    need: Need
    name: str | None
    groups: Collection[str] | None

    @property
    def _known_groups(self) -> frozenset[str]:
        return frozenset(each.lower() for each in self.groups or ())

    # -- access policies

    def by_policies(self) -> Verdict:
        collection, permission = self.need.collection, self.need.permission
        granting = [each for each, words in self.present.by_identity().items() if words.allows(collection, permission)]
        plain = [each for each in granting if each.application_id is None]
        by = [f"the access policy of {each}" for each in plain if each.object_id == self.identity]
        by += [f"the access policy of group {each}" for each in plain if each.object_id in self._known_groups]
        perhaps = list(self._perhaps_policies(granting)) if not by else []
        return self._verdict(
            f"{permission} on {collection}", by, perhaps, self._policy_change(), self._policy_command(), _POLICY_TIME
        )

    def _perhaps_policies(self, granting: Iterable[Identity]) -> Iterator[str]:
        for each in granting:
            if each.application_id is not None and each.object_id == self.identity:
                yield f"the access policy of {each}, which counts only through that application (on behalf of)"
            elif each.application_id is None and self.groups is None:
                yield f"the access policy of {each}, if that is a group that it is in (the directory was not asked)"

    def _policy_change(self) -> str:
        return (
            f"Add '{self.need.permission}' on {self.need.collection} to the access policy of {self.identity}; an "
            "access policy is for the whole vault."
        )

    def _policy_command(self) -> str:
        """``set-policy`` replaces the words of a kind: so those that are there come along."""
        identity = Identity.of(self.identity, self.present.tenant_id)
        present = self.present.by_identity().get(identity, Permissions()).words(self.need.collection)
        words = in_order(self.need.collection, {*present, self.need.permission})
        kind = _KINDS[self.need.collection]
        given = [f"--{kind}-permissions", *words]
        return shlex.join(
            ["az", "keyvault", "set-policy", "--name", self.present.name, "--object-id", self.identity, *given]
        )

    # -- roles

    def by_roles(self) -> Verdict:
        by: list[str] = []
        perhaps: list[str] = []
        for each in self.present.assignments or ():
            allows = permits(each.role, full_action(self.need))
            if allows is False or not covers(each.scope, self._resource):
                continue
            whose = self._whose(each)
            if whose is None:
                continue
            said = f"role {each.role.name} at {each.scope or '/'}{whose}"
            if allows is None:
                perhaps.append(f"{said}, if it allows that (what is in it could not be read)")
            elif each.condition is not None:
                perhaps.append(f"{said}, where its condition holds: {' '.join(each.condition.split())[:200]}")
            elif self._is_ours(each):
                by.append(said)
            else:
                perhaps.append(f"{said}, if that is a group that it is in (the directory was not asked)")
        if self.present.assignments is None:
            perhaps.append(f"role assignments that were not read: {self.present.unread or 'nobody asked for them'}")
        return self._verdict(
            full_action(self.need), by, [] if by else perhaps, self._role_change(), self._role_command(), _ROLE_TIME
        )

    def _is_ours(self, each: RoleAssignment) -> bool:
        return each.principal_id == self.identity or each.principal_id in self._known_groups

    def _whose(self, each: RoleAssignment) -> str | None:
        """For whom an assignment is, in words; None if certainly not for the identity."""
        if each.principal_id == self.identity:
            return ""
        if each.principal_id in self._known_groups or (self.groups is None and each.is_group):
            return f" of group {each.principal_id}"
        if self.groups is None and not each.principal_type:
            return f" of {each.principal_id}"
        return None

    @property
    def _scope(self) -> str:
        """The smallest scope that allows it."""
        of_one = self.operation.endswith("_versions") or not self.operation.startswith(_VAULT_ONLY)
        below = self.name is not None and of_one
        tail = f"/{self.need.collection}/{self.name}" if below else ""
        return f"{self.present.resource_id}{tail}"

    @property
    def _resource(self) -> str:
        return self._scope

    def _role_change(self) -> str:
        role = role_for(full_action(self.need))
        where = "for this object alone" if self._scope != self.present.resource_id else "for the vault"
        return f"Assign the role '{role}' to {self.identity} {where}; it is the smallest built-in one for that."

    def _role_command(self) -> str:
        role = str(role_for(full_action(self.need)))
        given = ["--role", role, "--assignee-object-id", self.identity, "--scope", self._scope]
        return shlex.join(["az", "role", "assignment", "create", *given])

    def _verdict(self, need: str, by: list[str], perhaps: list[str], change: str, command: str, takes: str) -> Verdict:
        allowed = bool(by)
        return Verdict(
            self.present.name,
            self.identity,
            self.operation,
            self.name,
            self.present.model,
            need,
            allowed,
            tuple(by),
            tuple(perhaps),
            None if allowed else change,
            None if allowed else command,
            takes,
            tuple(self._notes()),
        )

    def _notes(self) -> Iterator[str]:
        if not self.present.firewall.is_open:
            yield f"The vault's firewall comes first: it {self.present.firewall}."
        if self.present.model is PermissionModel.RBAC:
            yield "Deny assignments were not looked at; one of them overrides every role."
        if self.present.model is PermissionModel.POLICIES and self.present.assignments:
            yield "The vault uses access policies: roles do not count in it."
        if self.present.model is PermissionModel.RBAC and self.present.policies:
            yield "The vault uses roles: its access policies do not count."
