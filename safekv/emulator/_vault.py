"""One vault: its address, its promises, and what it holds."""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass

from safekv._clock import VirtualClock
from safekv.emulator import _secrets
from safekv.emulator._answers import Refused
from safekv.emulator._backup import Sealer
from safekv.emulator._lifecycle import Collection, Policy
from safekv.emulator._objects import Kind
from safekv.emulator._settings import EmulatorSettings, Limits
from safekv.emulator._stored import NAME
from safekv.emulator._throttle import Throttle

_RULES = (
    "A name is 1 to 127 letters, digits and hyphens, and not the name of a deleted secret; a value has at most "
    f"{_secrets.MOST_BYTES} bytes of UTF-8; there are at most 15 tags of up to 512 characters; nbf is not after exp."
)


@dataclass(slots=True)
class Surroundings:
    """What all vaults of an emulator share."""

    clock: VirtualClock
    settings: EmulatorSettings
    random: random.Random
    sealer: Sealer
    lock: threading.RLock


class EmulatedVault:
    """A vault of an emulator; made by ``Emulator.add_vault``.

    ``tenant`` may be set: that moves the vault to another tenant, and tokens of the old one
    get a 401 with the new challenge. ``limits`` may be set as well.
    """

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
    ) -> None:
        self.name = name
        self.authority = authority
        self.resource = resource
        self.hsm = hsm
        self.policy = policy
        self.limits = limits
        self.moved = False
        self.throttle = Throttle()
        self.surroundings = surroundings
        self.collections: dict[str, Collection] = {}
        self._tenant = _checked_tenant(tenant)

    def __repr__(self) -> str:
        return f"<EmulatedVault {self.name} at {self.url}>"

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
    def secrets(self) -> Collection:
        return self.collection(_secrets.KIND)

    @property
    def region(self) -> str:
        return self.surroundings.settings.region

    @property
    def sealer(self) -> Sealer:
        return self.surroundings.sealer

    def new_id(self) -> str:
        """32 hexadecimal digits, for a version."""
        return f"{self.surroundings.random.getrandbits(128):032x}"

    def empty(self) -> None:
        """Forget all objects and what was counted against the limits."""
        for collection in self.collections.values():
            collection.clear()
        self.throttle.clear()

    def collection(self, kind: Kind) -> Collection:
        """All objects of this kind."""
        if kind.segment not in self.collections:
            self.collections[kind.segment] = Collection(kind, self.policy)
        return self.collections[kind.segment]

    def set_secret(
        self,
        name: str,
        value: str,
        *,
        content_type: str | None = None,
        tags: Mapping[str, str] | None = None,
        enabled: bool = True,
        not_before: int | None = None,
        expires_on: int | None = None,
        managed: bool = False,
    ) -> str:
        """Store a version without a request, and return its identifier (a URL).

        Times are in seconds since 1970. ``managed`` makes it look like a certificate's secret.
        ``ValueError`` if the service would refuse it; the emulator's own rules are the service's.
        """
        attributes = {"enabled": enabled, "nbf": not_before, "exp": expires_on}
        document = {"value": value, "contentType": content_type, "tags": tags and dict(tags), "attributes": attributes}
        with self.surroundings.lock:
            try:
                if not NAME.fullmatch(name):
                    raise Refused("400_name")
                now = self.surroundings.clock.time()
                stored, version = _secrets.store(self, name, document, now, managed=managed)
            except Refused as refused:
                raise ValueError(f"the vault {self.name} refuses the secret {name!r}: {refused}. {_RULES}") from None
        return f"{self.url}/secrets/{stored.name}/{version.id}"


def _checked_tenant(tenant: str) -> str:
    if not re.fullmatch(r"[0-9A-Za-z.-]+", tenant):
        raise ValueError(f"a tenant is a GUID or a domain, such as {EmulatorSettings().tenant}, not {tenant!r}")
    return tenant
