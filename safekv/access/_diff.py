"""What a deployment of a template would take away from whom, and add to whom. Nothing is asked of Azure here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from safekv.access._intents import Change, Intent, PolicyList, Put, intent_for
from safekv.access._json import member
from safekv.access._model import Identity, PermissionModel, Permissions, RoleAssignment, VaultAccess, together
from safekv.access._names import ALL, COLLECTIONS, missing
from safekv.access._roles import gives_data_access
from safekv.access._templates import Found, Template
from safekv.access._values import Unresolved, is_unresolved

_KEEPS_MODEL = "2026-02-01"
#: Why it is not known whether what one resource gives back is there in the end.
NO_ORDER = "another resource takes away what it gives, and no dependsOn says which of them comes last"
#: It was seen to leave the policies of a deleted vault as they were; of one that is there nothing is documented.
_RECOVERED = "it is for a deleted vault, and nobody says what it does to the policies of one that is there"
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True, slots=True)
class Loss:
    """What one identity loses, or gains.

    :ivar whole: whether nothing is left to it (it had nothing before).
    """

    identity: Identity
    permissions: Permissions
    whole: bool


@dataclass(frozen=True)
class Difference:
    """What a deployment changes.

    :ivar lost: by identity, the permissions that are taken away.
    :ivar gained: by identity, those that are added.
    :ivar kept: how many identities keep all that they have.
    :ivar roles_lost: role assignments that no longer count in the vault.
    :ivar unknown: what only the deployment knows; ``lost`` may be less, or more, because of it.
    :ivar notes: what else matters, and what was assumed.
    """

    vault: str
    before: PermissionModel
    after: PermissionModel
    lost: tuple[Loss, ...] = ()
    gained: tuple[Loss, ...] = ()
    kept: int = 0
    roles_lost: tuple[RoleAssignment, ...] = ()
    unknown: tuple[Unresolved, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def loses(self) -> bool:
        """Whether anybody certainly loses anything."""
        return bool(self.lost or self.roles_lost)

    def is_safe(self, *, allow_unknown: bool = False) -> bool:
        """Whether nobody loses anything. What is unknown counts as a loss unless it is allowed."""
        return not self.loses and (allow_unknown or not self.unknown)

    def to_dict(self) -> dict[str, Any]:
        """As plain data, for ``--json``."""
        return {
            "vault": self.vault,
            "model": {"before": self.before.value, "after": self.after.value},
            "lost": [_as_dict(each) for each in self.lost],
            "gained": [_as_dict(each) for each in self.gained],
            "kept": self.kept,
            "roles_lost": [
                {"principal": each.principal_id, "role": each.role.name, "scope": each.scope}
                for each in self.roles_lost
            ],
            "unknown": [{"expression": each.expression, "reason": each.reason} for each in self.unknown],
            "notes": list(self.notes),
            "loses": self.loses,
        }


def _as_dict(loss: Loss) -> dict[str, Any]:
    identity = loss.identity
    return {
        "object_id": identity.object_id,
        "tenant_id": identity.tenant_id,
        "application_id": identity.application_id,
        "permissions": loss.permissions.to_arm(),
        "whole": loss.whole,
    }


def difference(template: Template, present: VaultAccess) -> Difference:
    """What deploying the template would change in the access to the vault.

    :raises TemplateError: if it does nothing to this vault.
    """
    return of_intent(intent_for(template, present), present)


def of_intent(intent: Intent, present: VaultAccess) -> Difference:
    """The same, of what is known of the template already."""
    run = _Run(present, list(intent.unknown), list(intent.notes))
    for put in intent.puts:
        run.put(put)
    for change in intent.changes:
        run.change(change)
    return run.difference()


@dataclass
class _Run:
    """The vault while the template is deployed, as far as that can be said."""

    present: VaultAccess
    unknown: list[Unresolved]
    notes: list[str]
    policies: dict[Identity, Permissions] = field(default_factory=dict)
    deployed: list[Found] = field(default_factory=list)
    after: PermissionModel = PermissionModel.POLICIES
    between: int | None = None  # identities without access until the children are deployed

    def __post_init__(self) -> None:
        self.policies = dict(self.present.by_identity())
        self.after = self.present.model

    def put(self, put: Put) -> None:
        if put.found.condition is not None:
            self.unknown.append(put.found.condition)
        if put.no_purge_protection:
            self.notes.append("enablePurgeProtection is false, which Azure refuses: leave it out, or set it to true.")
        if is_unresolved(put.recover):
            self.unknown.append(put.recover)
        elif put.recover:
            self.unknown.append(Unresolved("createMode: recover", _RECOVERED))
            return
        self._set_model(put)
        if put.policies is None:
            self._without_policies()
            return
        self._doubt(put.policies)
        self._becomes(together(put.policies.policies), put.found)
        self.between = sum(1 for each in self.present.by_identity() if each not in self.policies)

    def _doubt(self, listed: PolicyList) -> None:
        """What is not known of policies matters where policies decide."""
        if self.after is PermissionModel.POLICIES:
            self.unknown.extend(listed.unknown)

    def _set_model(self, put: Put) -> None:
        if is_unresolved(put.rbac):
            self.unknown.append(put.rbac)
        elif put.rbac is not None:
            self.after = PermissionModel.RBAC if put.rbac else PermissionModel.POLICIES
        elif self.present.model is PermissionModel.RBAC and _version(put) < _KEEPS_MODEL:
            why = f"not stated; before api-version {_KEEPS_MODEL} the default is false, which ends what roles allow"
            self.unknown.append(Unresolved("enableRbacAuthorization", why))

    def _without_policies(self) -> None:
        if self.after is PermissionModel.RBAC:
            return
        self.policies = {}
        self.notes.append(
            "The template has no accessPolicies. Azure refuses that for a vault with access policies, or takes it for "
            "an empty list: counted as the loss of all."
        )

    def change(self, change: Change) -> None:
        operation = change.found.operation
        if change.found.condition is not None:
            self.unknown.append(change.found.condition)
        self._doubt(change.policies)
        if is_unresolved(operation):
            self.unknown.append(operation)
            return
        then = dict(self.policies)
        for identity, permissions in together(change.policies.policies).items():
            before = then.get(identity, Permissions())
            if operation == "add":
                then[identity] = before | permissions
            elif operation == "replace":
                then[identity] = permissions
            elif operation == "remove":
                then[identity] = self._without(before, permissions)
            else:
                why = "it ends in neither add, replace nor remove"
                self.unknown.append(Unresolved(f"{change.found.where}.name", why))
        self._becomes(then, change.found)

    def _becomes(self, then: dict[Identity, Permissions], found: Found) -> None:
        """What is given back after something else has taken it away is so only if it certainly comes last."""
        before, self.policies = self.policies, then
        others, self.deployed = self.deployed, [*self.deployed, found]
        if PermissionModel.RBAC in (self.present.model, self.after) or not any(map(found.may_precede, others)):
            return
        for identity, had in self.present.by_identity().items():
            now, was = then.get(identity, Permissions()), before.get(identity, Permissions())
            if any(
                set(missing(kind, had.words(kind), was.words(kind)))
                - set(missing(kind, had.words(kind), now.words(kind)))
                for kind in COLLECTIONS
            ):
                self.unknown.append(Unresolved(found.where, NO_ORDER))
                return

    def _without(self, before: Permissions, removed: Permissions) -> Permissions:
        """``all`` is taken away with any of its parts, since nobody says what is left of it."""
        left = {}
        for kind in COLLECTIONS:
            words, taken = before.words(kind), removed.words(kind)
            left[kind] = frozenset() if ALL in taken or (taken and ALL in words) else words - taken
        return Permissions(**left)

    def difference(self) -> Difference:
        present, after = self.present, self.after
        before = present.by_identity() if present.model is PermissionModel.POLICIES else {}
        then = self.policies if after is PermissionModel.POLICIES else {}
        lost, gained = tuple(_losses(before, then)), tuple(_losses(then, before))
        self._tell_of_models(len(before))
        self._tell_of_the_time_between(before, then)
        losers = {each.identity for each in lost}
        return Difference(
            present.name,
            present.model,
            after,
            lost,
            gained,
            sum(1 for each in before if each not in losers),
            self._roles_lost(),
            tuple(dict.fromkeys(self.unknown)),
            tuple(dict.fromkeys(self.notes)),
        )

    def _tell_of_models(self, number: int) -> None:
        models = (self.present.model, self.after)
        if models == (PermissionModel.POLICIES, PermissionModel.RBAC):
            self.notes.append(
                "enableRbacAuthorization becomes true: roles decide from then on, and no policy counts any more "
                f"({number} identities have one)."
            )
        elif models == (PermissionModel.RBAC, PermissionModel.POLICIES):
            self.notes.append("enableRbacAuthorization becomes false: policies decide, and no role counts any more.")
        elif models == (PermissionModel.RBAC, PermissionModel.RBAC) and self.present.policies:
            self.notes.append("The vault uses roles: its access policies have no effect, before and after.")

    def _tell_of_the_time_between(self, before: dict[Identity, Permissions], then: dict[Identity, Permissions]) -> None:
        restored = sum(1 for each in before if each in then) if self.between else 0
        still = sum(1 for each in before if each not in then)
        if self.between is not None and restored and self.between > still:
            self.notes.append(
                f"{self.between - still} identities have no access between the deployment of the vault and that of its "
                "accessPolicies."
            )

    def _roles_lost(self) -> tuple[RoleAssignment, ...]:
        if (self.present.model, self.after) != (PermissionModel.RBAC, PermissionModel.POLICIES):
            return ()
        if self.present.assignments is None:
            self.unknown.append(Unresolved("role assignments", self.present.unread or "they were not read"))
            return ()
        return tuple(each for each in self.present.assignments if gives_data_access(each.role))


def _losses(before: dict[Identity, Permissions], after: dict[Identity, Permissions]) -> Iterator[Loss]:
    for identity, had in before.items():
        has = after.get(identity, Permissions())
        words = {kind: missing(kind, had.words(kind), has.words(kind)) for kind in COLLECTIONS}
        if any(words.values()):
            yield Loss(identity, had if not has else Permissions.of(**words), not has)


def _version(put: Put) -> str:
    """The date of a resource's api-version; "" if it is not known."""
    found = _DATE.match(str(put.found.scope.value(member(put.found.raw, "apiVersion"), put.found.local)))
    return found[0] if found else ""
