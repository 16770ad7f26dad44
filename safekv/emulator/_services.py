"""Who answers on a port: a vault, the control plane, or the token endpoints."""

from __future__ import annotations

import random
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from safekv.emulator._control import PREFIX
from safekv.emulator._emulator import Emulator
from safekv.emulator._identity import IdentityEndpoint
from safekv.emulator._messages import Network, NetworkFault, Reply, Request

# Decided when a connection is made, before any request on it is known.
CONNECTION_FAULTS = (Network.DNS, Network.REFUSED, Network.BAD_CERTIFICATE)
_MOST_DOOMED = 10_000
_ANY_REQUEST = Request("CONNECT", "", "")  # meets the faults that wait for no request in particular


class Service(Protocol):
    """What a port needs: ``authority`` is the port's own, for requests that name no host."""

    @property
    def authority(self) -> str: ...

    def answer(self, request: Request) -> Reply: ...

    def connection_fault(self) -> Network | None:
        """How the connection that has just been made is to fail; None: not at all."""
        ...


class VaultService:
    """One vault. ``changed`` is called after every request that may have changed something."""

    def __init__(self, emulator: Emulator, authority: str, changed: Callable[[], None]) -> None:
        self.authority = authority
        self._emulator = emulator
        self._changed = changed
        self._doomed: deque[Network] = deque(maxlen=_MOST_DOOMED)
        self._chance = random.Random(authority)  # noqa: S311  (repeatable on purpose)
        self._lock = threading.Lock()

    def answer(self, request: Request) -> Reply:
        if request.authority not in self._emulator.vaults:  # "localhost:…", say
            request = replace(request, authority=self.authority)
        reply = self._emulator.handle(request)
        if isinstance(reply, NetworkFault) and reply.kind in CONNECTION_FAULTS:
            self._doomed.append(reply.kind)
        if request.method not in ("GET", "HEAD"):
            self._changed()
        return reply

    def connection_fault(self) -> Network | None:
        with self._lock:
            return self._doomed.popleft() if self._doomed else self._due()

    def _due(self) -> Network | None:
        """What the emulator's faults say that wait for anything, and therefore for a connection too."""
        vault = self._emulator.vaults.get(self.authority)
        if vault is None or not vault.reachable:  # as if the name did not resolve
            return Network.DNS
        for fault in self._emulator.faults:
            waits_for_anything = fault.meets(_ANY_REQUEST, vault, None, bearer=False)
            if fault.network in CONNECTION_FAULTS and waits_for_anything and fault.fires(self._chance):
                return fault.network
        return None


@dataclass(frozen=True, slots=True)
class ManagementService:
    """The control plane. ``changed`` is called after every request that may have changed something."""

    emulator: Emulator
    authority: str
    changed: Callable[[], None]

    def answer(self, request: Request) -> Reply:
        if request.path.startswith(PREFIX):
            return self.emulator.handle(request)
        reply = self.emulator.manage(request)
        if request.method not in ("GET", "HEAD"):
            self.changed()
        return reply

    def connection_fault(self) -> None:
        return None


@dataclass(frozen=True, slots=True)
class TokenService:
    """The token endpoints."""

    identity: IdentityEndpoint
    authority: str

    def answer(self, request: Request) -> Reply:
        return self.identity.handle(request)

    def connection_fault(self) -> None:
        return None
