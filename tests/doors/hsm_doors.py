"""The doors to the administration of a Managed HSM named ``pool``, in both colours."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from colours import Colour

from safekv.emulator import EmulatedVault, EmulatorSettings
from safekv.testing import LocalKeyVault

CONTAINER = "https://account.blob.core.windows.net/backups"
CLIENTS = {
    "roles": "KeyVaultAccessControlClient",
    "backups": "KeyVaultBackupClient",
    "settings": "KeyVaultSettingsClient",
}


@dataclass(frozen=True)
class HsmDoors:
    """Clients for the HSM, and what tests do with them."""

    colour: Colour
    local: LocalKeyVault
    hsm: EmulatedVault

    def client(self, kind: str, *, package: str = "safekv", credential: Any = None, **options: Any) -> Any:
        """``kind`` is a key of ``CLIENTS``, or ``keys``; ``package`` may be ``azure.keyvault``."""
        aio = "" if self.colour.loop is None else ".aio"
        module = importlib.import_module(f"{package}.{'keys' if kind == 'keys' else 'administration'}{aio}")
        theirs = package != "safekv" and self.colour.loop is not None
        credential = self.local.aio_credential() if theirs else credential or self.local.credential()
        options = {"transport": self.local.transport(self.colour.name), **options}
        return getattr(module, CLIENTS.get(kind, "KeyClient"))(self.hsm.url, credential, **options)

    def run(self, answer: Any) -> Any:
        return self.colour.run(answer)

    def result(self, poller: Any) -> Any:
        """Of a long operation, or of the call that begins one, after waiting for its end."""
        begun = poller if hasattr(poller, "continuation_token") else self.run(poller)
        return self.run(begun.result())

    def backed_up(self, **options: Any) -> str:
        """The folder of a new backup."""
        begun = self.client("backups").begin_backup(CONTAINER, use_managed_identity=True, **options)
        folder: str = self.result(begun).folder_url
        return folder

    def asked(self) -> list[str]:
        """What the HSM was asked, without the challenges."""
        return [f"{each.status} {each.operation}" for each in self.local.journal if each.status != 401]


def hsm_doors(colour: Colour, **settings: Any) -> HsmDoors:
    local = LocalKeyVault(settings=EmulatorSettings(**settings))
    return HsmDoors(colour, local, local.emulator.add_vault("pool", hsm=True))


@contextlib.contextmanager
def nothing_sent(doors: HsmDoors) -> Iterator[None]:
    before = len(doors.local.journal)
    yield
    assert len(doors.local.journal) == before
