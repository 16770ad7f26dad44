"""A ``secret_resolver`` for azure-appconfiguration-provider: all references of a load at once, and no waiting in vain.

The provider asks for one secret after the other, and tries again for 100 seconds whatever the answer is.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

from safekv._fork import on_fork
from safekv._seconds import positive
from safekv.config._loader import Clients
from safekv.config._plan import Wanted
from safekv.config._references import parse
from safekv.config._request import TIMEOUT
from safekv.errors import LoadError

__all__ = ["Resolver"]


class Resolver:
    """``load(endpoint=..., secret_resolver=Resolver(prefetch=uris))``; ``close()`` gives its clients back.

    The first question, and the first of each refresh, reads everything in ``prefetch`` at once. What is read and then
    not asked for is dropped after ``timeout``; a URI that is not in ``prefetch`` is read by itself, each time. There is
    no async form: in the provider's ``aio`` it blocks the event loop while it reads.

    :param prefetch: URIs of secrets, as references in App Configuration have them.
    :param credential: as for ``SecretClient``.
    :param timeout: seconds for one such reading.
    :raises LoadError: (when called) naming every secret that is missing, forbidden or disabled: the provider does not
        try that again. Once all of ``prefetch`` was there, only if the one that is asked for is among them: what App
        Configuration no longer refers to may be gone. What may pass by itself is raised as the SDK does, and tried
        again.
    :raises InvalidArgument: for a URI that is not of a secret in Key Vault.
    """

    def __init__(self, prefetch: Iterable[str] = (), *, credential: Any = None, timeout: float = TIMEOUT) -> None:
        self._timeout = positive("timeout", timeout)
        self._clients = Clients(None, credential, timeout, max_age=0.0, progress=False, patient=False)
        self._listed = {uri: self._want(uri) for uri in prefetch}
        self._was_complete = False
        self.after_fork()
        on_fork(self)

    def after_fork(self) -> None:
        """A child waits for no thread of its parent, and reads for itself."""
        self._lock = threading.Lock()
        self._ready: dict[str, str] = {}
        self._until = 0.0

    def __call__(self, uri: str) -> str:
        with self._lock:
            if uri not in self._listed:
                return self._read(uri, [self._want(uri)])[uri]
            if uri not in self._ready or self._clients.now() >= self._until:
                self._ready = {}
                self._ready = self._read(uri, self._listed.values())
                self._until, self._was_complete = self._clients.now() + self._timeout, True
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

    def _read(self, asked: str, wanted: Iterable[Wanted]) -> dict[str, str]:
        self._clients.begin()
        plan = self._clients.read(wanted)
        if self._was_complete and asked not in plan.failures():
            return plan.values()  # of the others, those that were found
        try:
            plan.check()
        except LoadError as error:
            if not error.transient:
                raise
            passing = next(iter(error.failures.values()))
        else:
            return plan.values()
        raise passing
