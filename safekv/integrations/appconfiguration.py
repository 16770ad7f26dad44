"""A ``secret_resolver`` for azure-appconfiguration-provider: all references of a load at once, and no waiting in vain.

The provider asks for one secret after the other, and tries again for 100 seconds whatever the answer is.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

from safekv.config._loader import Clients
from safekv.config._plan import Wanted
from safekv.config._references import parse
from safekv.config._request import TIMEOUT, positive
from safekv.errors import LoadError

__all__ = ["Resolver"]


class Resolver:
    """``load(endpoint=..., secret_resolver=Resolver(prefetch=uris))``; ``close()`` gives its clients back.

    The first question, and the first of each refresh, reads everything in ``prefetch`` at once.

    :param prefetch: URIs of secrets, as references in App Configuration have them.
    :param credential: as for ``SecretClient``.
    :param timeout: seconds for one such reading.
    :raises LoadError: (when called) naming every secret that is missing, forbidden or disabled: the provider does not
        try that again. What may pass by itself is raised as the SDK does, and tried again.
    :raises InvalidArgument: for a URI that is not of a secret in Key Vault.
    """

    def __init__(self, prefetch: Iterable[str] = (), *, credential: Any = None, timeout: float = TIMEOUT) -> None:
        self._clients = Clients(
            None, credential, positive("timeout", timeout), max_age=0.0, progress=False, patient=False
        )
        self._wanted = {uri: self._want(uri) for uri in prefetch}
        self._ready: dict[str, str] = {}
        self._lock = threading.Lock()

    def __call__(self, uri: str) -> str:
        with self._lock:
            if uri not in self._ready:
                self._wanted.setdefault(uri, self._want(uri))
                self._ready = self._read()
            return self._ready.pop(uri)  # asked again, it is a refresh

    def close(self) -> None:
        """Give back the clients."""
        self._ready = {}
        self._clients.close()

    def __enter__(self) -> Resolver:
        return self

    def __exit__(self, *details: object) -> None:
        self.close()

    def _want(self, uri: str) -> Wanted:
        return Wanted(uri, parse(f"@Microsoft.KeyVault(SecretUri={uri})", self._clients.targets.vaults))

    def _read(self) -> dict[str, str]:
        self._clients.begin()
        plan = self._clients.read(self._wanted.values())
        try:
            plan.check()
        except LoadError as error:
            if not error.transient:
                raise
            passing = next(iter(error.failures.values()))
        else:
            return plan.values()
        raise passing
