"""One vault: its address, its promises, and what it holds."""

from __future__ import annotations

import random
import re
import threading
from dataclasses import dataclass, field
from typing import Any

from safekv._clock import VirtualClock
from safekv.emulator._access import AccessModel
from safekv.emulator._administration import Administration
from safekv.emulator._arm_resource import VaultResource
from safekv.emulator._backup import Sealer
from safekv.emulator._directory import Directory
from safekv.emulator._grants import Grants
from safekv.emulator._lifecycle import Collection, Policy
from safekv.emulator._objects import Kind
from safekv.emulator._settings import EmulatorSettings, Limits
from safekv.emulator._throttle import Throttle
from safekv.errors._hsm_roles import ADMINISTRATOR


@dataclass(slots=True)
class Surroundings:
    """What all vaults of an emulator share."""

    clock: VirtualClock
    settings: EmulatorSettings
    random: random.Random
    sealer: Sealer
    lock: threading.RLock
    directory: Directory
    grants: Grants
    backups: dict[str, dict[str, Any]] = field(default_factory=dict, repr=False)  # of Managed HSMs, by their folders


class Vault:
    """A vault's state, whatever kinds of object it holds."""

    def __init__(
        self,
        name: str,
        *,
        authority: str,
        resource: str,
        tenant: str,
        hsm: bool,
        policy: Policy,
        limits: Limits,
        surroundings: Surroundings,
        resource_state: VaultResource | None = None,
        enforce: bool = False,
    ) -> None:
        self.surroundings = surroundings
        self.name = name
        self.authority = authority
        self.resource = resource
        self.hsm = hsm
        self.policy = policy
        self.limits = limits
        self.moved = False
        self.issuers: dict[str, dict[str, Any]] = {}  # certificate issuers, by their names in lower case
        self.contacts: list[dict[str, Any]] | None = None  # for certificates
        self.issuer_error: str | None = None
        self.administration = self._new_administration()  # of a Managed HSM
        self.storage_error: str | None = None
        self.throttle = Throttle()
        self.arm = resource_state  # what the control plane knows of it; None for a Managed HSM
        self.enforce = enforce
        self.collections: dict[str, Collection] = {}
        self._tenant = _checked_tenant(tenant)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name} at {self.url}>"

    @property
    def url(self) -> str:
        return f"https://{self.authority}"

    @property
    def tenant(self) -> str:
        return self._tenant

    @tenant.setter
    def tenant(self, tenant: str) -> None:
        self.moved = self.moved or tenant != self._tenant
        self._tenant = _checked_tenant(tenant)

    @property
    def region(self) -> str:
        return self.arm.location if self.arm is not None else self.surroundings.settings.region

    @property
    def sealer(self) -> Sealer:
        return self.surroundings.sealer

    @property
    def reachable(self) -> bool:
        """Whether its name resolves: not before it is registered, nor while the vault is deleted."""
        return self.arm is None or self.arm.reachable(self.surroundings.clock.time())

    def access(self, now: float) -> AccessModel:
        """Who may do what, as far as changes have arrived."""
        assert self.arm is not None  # a Managed HSM has roles of its own
        rules, grants = self.arm.rules.effective(now), self.surroundings.grants
        return AccessModel(self.arm.id, rules.rbac, rules.policies, grants.assignments.effective(now), grants.roles)

    def change_policy(self, policy: Policy) -> None:
        """Promise something else about deletion, of all objects."""
        self.policy = policy
        for collection in self.collections.values():
            collection.policy = policy

    def new_id(self) -> str:
        """32 hexadecimal digits, for a version."""
        return f"{self.surroundings.random.getrandbits(128):032x}"

    def empty(self) -> None:
        """Forget all objects and what was counted against the limits."""
        for collection in self.collections.values():
            collection.clear()
        self.issuers.clear()
        self.contacts = self.issuer_error = self.storage_error = None
        self.forget_administration()
        self.throttle.clear()
        if self.arm is not None:
            self.arm.forget_policies()

    def forget_administration(self) -> None:
        """Have the roles and the settings of a new HSM."""
        self.administration = self._new_administration()

    def _new_administration(self) -> Administration:
        """With its first administrator, who may give roles to others, and use no key."""
        administration = Administration()
        administration.assign(self.surroundings.directory.default.oid, ADMINISTRATOR.id, "/")
        return administration

    def settle(self, now: float) -> None:
        """Let everything happen that happens by itself: rotations, certificates that are issued, restores that end."""
        self.administration.settle(self, now)
        for collection in list(self.collections.values()):
            collection.settle(self, now)

    def collection(self, kind: Kind) -> Collection:
        """All objects of this kind."""
        if kind.segment not in self.collections:
            self.collections[kind.segment] = Collection(kind, self.policy)
        return self.collections[kind.segment]


def _checked_tenant(tenant: str) -> str:
    if not re.fullmatch(r"[0-9A-Za-z.-]+", tenant):
        raise ValueError(f"a tenant is a GUID or a domain, such as {EmulatorSettings().tenant}, not {tenant!r}")
    return tenant
