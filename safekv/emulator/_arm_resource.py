"""A vault as the control plane knows it: where it is, its properties, its access policies."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from safekv.emulator._access import AccessPolicy
from safekv.emulator._propagating import Propagating

Policies = tuple[AccessPolicy, ...]


class Rules(NamedTuple):
    """What decides about access besides roles. With ``rbac`` the policies are kept, and mean nothing."""

    rbac: bool = False
    policies: Policies = ()


@dataclass(slots=True)
class VaultResource:
    """Times are in seconds since 1970. ``properties`` are those that only the control plane shows."""

    name: str
    subscription: str
    group: str
    location: str
    rules: Propagating[Rules]
    created: float
    ready: float  # when its name is registered
    tags: dict[str, str] = field(default_factory=dict)
    properties: dict[str, Any] = field(default_factory=dict)
    deleted: float | None = None
    purged: float = 0.0  # when a deleted one goes for ever
    made: bool = False  # through the control plane
    creator: str = ""
    changed: float = 0.0

    @property
    def id(self) -> str:
        scope = f"/subscriptions/{self.subscription}/resourceGroups/{self.group}"
        return f"{scope}/providers/Microsoft.KeyVault/vaults/{self.name}"

    def forget_policies(self) -> None:
        self.rules.begin_with(Rules(self.rules.current.rbac))

    def reachable(self, now: float) -> bool:
        return self.deleted is None and now >= self.ready


def changed(kind: str, present: Policies, given: Policies) -> Policies:
    """``add`` gives permissions more, ``replace`` others, ``remove`` takes them away; of these identities alone."""
    by_key = {each.key: each for each in present}
    for policy in given:
        before = by_key.get(policy.key)
        after = _CHANGES[kind](before, policy)
        if after is None:
            by_key.pop(policy.key, None)
        else:
            by_key[policy.key] = after
    return tuple(by_key.values())


def _added(before: AccessPolicy | None, given: AccessPolicy) -> AccessPolicy:
    if before is None:
        return given
    collections = dict.fromkeys((*before.permissions, *given.permissions))
    return replace(
        before,
        permissions={
            each: union(before.permissions.get(each, ()), given.permissions.get(each, ())) for each in collections
        },
    )


def _replaced(before: AccessPolicy | None, given: AccessPolicy) -> AccessPolicy:
    return given


def _removed(before: AccessPolicy | None, given: AccessPolicy) -> AccessPolicy | None:
    if before is None:
        return None
    left = {
        collection: tuple(each for each in permissions if each.lower() not in _lower(given, collection))
        for collection, permissions in before.permissions.items()
    }
    return replace(before, permissions=left) if any(left.values()) else None


_CHANGES = {"add": _added, "replace": _replaced, "remove": _removed}


def _lower(policy: AccessPolicy, collection: str) -> set[str]:
    return {each.lower() for each in policy.permissions.get(collection, ())}


def union(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    there = {each.lower() for each in first}
    return (*first, *(each for each in second if each.lower() not in there))
