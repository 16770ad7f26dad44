"""The doors against the emulator in this process: no sockets, and a registry for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from azure.keyvault.secrets._shared import HttpChallengeCache
from colours import Colour, aio_colour, sync_colour
from key_doors import Doors

from safekv._settings import Settings
from safekv.connection import _registry
from safekv.testing import LocalKeyVault


@pytest.fixture(autouse=True)
def _no_sockets(no_sockets: None) -> None:
    """See ``no_sockets``."""


@pytest.fixture(autouse=True)
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[_registry.Registry]:
    """What the process has is put aside, with the SDK's memory of challenges."""
    monkeypatch.delenv("AZURE_KEY_VAULT_URL", raising=False)
    HttpChallengeCache.clear()
    mine = _registry.Registry(Settings())
    before = _registry.replace(mine)
    yield mine
    _registry.replace(before)


@pytest.fixture
def local() -> LocalKeyVault:
    """Key Vaults with one secret, ``greeting``, in the vault ``local``."""
    local = LocalKeyVault()
    local.set_secret("greeting", "hello")
    return local


@pytest.fixture(params=["sync", "aio"])
def colour(request: pytest.FixtureRequest) -> Iterator[Colour]:
    """One body for both doors."""
    with sync_colour() if request.param == "sync" else aio_colour() as colour:
        yield colour


@pytest.fixture
def doors(colour: Colour, local: LocalKeyVault) -> Doors:
    """The clients for keys and certificates, in both colours."""
    return Doors(colour, local)
