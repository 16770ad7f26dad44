"""Loading in both colours, against vaults that every client reaches."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from colours import Colour

import safekv
import safekv.aio
from safekv.testing import LocalKeyVault


class Loading:
    """``safekv`` or ``safekv.aio``, behind one face; ``local`` stands in for Azure."""

    def __init__(self, colour: Colour, local: LocalKeyVault) -> None:
        self.colour, self.local = colour, local
        self._module: Any = safekv if colour.loop is None else safekv.aio

    def __getattr__(self, name: str) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            return self.colour.run(getattr(self._module, name)(*args, **kwargs))

        return call

    def client(self, vault: str = "local", **options: Any) -> Any:
        return self.colour.client_class(self.local.url(vault), **options)

    def asked(self, path: str = "") -> int:
        """How many requests were answered, of those whose path has this text; 401s apart."""
        return sum(path in entry.path and entry.status != 401 for entry in self.local.journal)

    def challenges(self) -> int:
        return sum(entry.status == 401 for entry in self.local.journal)


@contextmanager
def loading_from(colour: Colour, local: LocalKeyVault, monkeypatch: Any) -> Iterator[Loading]:
    with local:
        monkeypatch.setenv("AZURE_KEY_VAULT_URL", local.url())
        yield Loading(colour, local)
