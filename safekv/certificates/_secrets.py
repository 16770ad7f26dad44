"""The client for secrets that a certificate client reads private keys with: on the same connection."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from safekv.connection._fork import on_fork


class SecretLease:
    """One lease on a client for secrets, taken when it is first needed."""

    def __init__(self, origin: tuple[str, Any, Mapping[str, Any]]) -> None:
        self._origin = origin
        self._client: Any = None
        self.after_fork()
        on_fork(self)

    def after_fork(self) -> None:
        """The lock may have been held by another thread."""
        self._lock = threading.Lock()

    def take(self, kind: type) -> Any:
        """The client of this class."""
        with self._lock:
            if self._client is None:
                url, credential, options = self._origin
                own = {name: value for name, value in options.items() if name != "api_version"}
                self._client = kind(url, credential, **own)
            return self._client

    def drop(self) -> Any:
        """The client, if there is one; the caller closes it."""
        with self._lock:
            client, self._client = self._client, None
            return client
