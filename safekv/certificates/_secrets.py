"""The client for secrets that a certificate client reads private keys with: on the same connection."""

from __future__ import annotations

import threading
from typing import Any

from safekv.connection._fork import on_fork


class WithSecrets:
    """Takes a lease on a client for secrets when it is first needed, and gives it back with its own last one."""

    _origin: tuple[str, Any, Any]
    _secret_client: Any = None

    def _built(self, *details: Any) -> Any:
        built = super()._built(*details)  # type: ignore[misc]
        self.after_fork()
        on_fork(self)
        return built

    def after_fork(self) -> None:
        """The lock may have been held by another thread."""
        self._secrets_lock = threading.Lock()

    def _secrets(self, kind: type) -> Any:
        """The client of this class."""
        with self._secrets_lock:
            if self._secret_client is None:
                url, credential, options = self._origin
                own = {name: value for name, value in options.items() if name != "api_version"}
                self._secret_client = kind(url, credential, **own)
            return self._secret_client

    def _drop_secrets(self) -> Any:
        """The client, if there is one; the caller closes it."""
        with self._secrets_lock:
            client, self._secret_client = self._secret_client, None
            return client
