"""The doors to keys, cryptography and certificates, in both colours."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from colours import Colour

from safekv.testing import LocalKeyVault

SYNC_NAMES = {"delete": "begin_delete", "recover_deleted": "begin_recover_deleted", "create_cert": "begin_create_cert"}


@dataclass(frozen=True)
class Doors:
    """The clients of one colour for the vault ``local``, and what a test does with them."""

    colour: Colour
    local: LocalKeyVault

    def module(self, name: str, package: str = "safekv") -> Any:
        """``safekv.<name>``, or its aio twin; ``azure.keyvault`` gives the SDK's."""
        return importlib.import_module(f"{package}.{name}{'' if self.colour.loop is None else '.aio'}")

    def _options(self, options: dict[str, Any]) -> dict[str, Any]:
        return {"transport": self.local.transport(self.colour.name), **options}

    def keys(self, vault: str = "local", **options: Any) -> Any:
        """The client for keys."""
        kind = self.module("keys").KeyClient
        return kind(self.local.url(vault), self.local.credential(), **self._options(options))

    def certificates(self, vault: str = "local", **options: Any) -> Any:
        """The client for certificates."""
        kind = self.module("certificates").CertificateClient
        return kind(self.local.url(vault), self.local.credential(), **self._options(options))

    def crypto(self, key: Any, **options: Any) -> Any:
        """A new client for this key or key id."""
        kind = self.module("keys.crypto").CryptographyClient
        return kind(key, self.local.credential(), **self._options(options))

    def run(self, answer: Any) -> Any:
        return self.colour.run(answer)

    def wait(self, client: Any, method: str, *arguments: Any, **options: Any) -> Any:
        """The result of one of the long ones (``delete_key``), after waiting for its end."""
        if self.colour.loop is not None:
            return self.run(getattr(client, method)(*arguments, **options))
        for aio, sync in SYNC_NAMES.items():
            if method.startswith(aio):
                method = sync + method.removeprefix(aio)
                break
        poller = getattr(client, method)(*arguments, **options)
        poller.wait()
        return poller.result()

    def asked(self, since: int = 0) -> list[str]:
        """What the vault was asked, without the challenges: ``"POST wrapkey"``, ``"GET keys"``."""
        entries = [entry for entry in list(self.local.journal)[since:] if entry.status != 401]
        return [f"{entry.method} {entry.operation}" for entry in entries]

    def mark(self) -> int:
        """For :meth:`asked`: what has been asked before."""
        return len(list(self.local.journal))


def outcome(call: Callable[[], Any]) -> Any:
    """What ``call`` returns, or the exception that it raises."""
    try:
        return call()
    except Exception as error:
        return error
