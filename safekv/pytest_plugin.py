"""pytest fixtures and markers: a Key Vault for each test. Loaded by pytest when safekv is installed.

``keyvault``: in this process, on a virtual clock; every safekv client reaches it.
``keyvault_server``: over TLS on the loopback interface, for other processes and other clients.
``@pytest.mark.vault_secret(name, value)``: a secret that is there; a list of values is its versions. With
``vault="my-vault"`` it is in the vault of this name.
``@pytest.mark.vault_failure(operation, status=429, retry_after=1, count=2)``: what fails.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from safekv.emulator import EmulatorServer
    from safekv.testing import LocalKeyVault


#: The vault of ``keyvault_server`` that is always there.
_SERVERS_OWN = "emulator"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "vault_secret(name, value, vault=..., **attributes): a secret in the keyvault fixtures' vault, or another one",
    )
    config.addinivalue_line(
        "markers", "vault_failure(operation, status=..., retry_after=..., count=...): make an operation fail"
    )


@pytest.fixture
def keyvault(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalKeyVault]:
    """A ``LocalKeyVault`` that all safekv clients reach; ``AZURE_KEY_VAULT_URL`` names its vault."""
    from safekv.testing import LocalKeyVault

    with LocalKeyVault() as local:
        for name, values, options in _secrets(request):
            local.set_secret(name, *values, **options)
        for fault in _failures(request):
            local.fail(**fault)
        monkeypatch.setenv("AZURE_KEY_VAULT_URL", local.url())
        yield local


@pytest.fixture
def keyvault_server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmulatorServer]:
    """An ``EmulatorServer`` over TLS; the environment lets an unmodified ``DefaultAzureCredential`` work."""
    from safekv.emulator import EmulatorServer

    secrets = [
        (options.pop("vault", _SERVERS_OWN), name, values, options) for name, values, options in _secrets(request)
    ]
    names = dict.fromkeys([_SERVERS_OWN, *(vault.lower() for vault, *_ in secrets)])
    with EmulatorServer(vaults=list(names)) as server:
        vaults = {vault.name: vault for vault in server.emulator.vaults.values()}
        for where, name, values, options in secrets:
            for value in values:
                vaults[where.lower()].set_secret(name, value, **options)
        for fault in _failures(request):
            server.emulator.fail(**fault)
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        yield server


def _secrets(request: pytest.FixtureRequest) -> Iterator[tuple[str, list[str], dict[str, Any]]]:
    for marker in reversed(list(request.node.iter_markers("vault_secret"))):
        name, value = _two(marker)
        yield name, [value] if isinstance(value, str) else list(value), dict(marker.kwargs)


def _two(marker: pytest.Mark) -> tuple[str, Any]:
    if len(marker.args) != 2:
        raise pytest.UsageError("vault_secret takes a name and a value: @pytest.mark.vault_secret('db-password', 'x')")
    return marker.args[0], marker.args[1]


def _failures(request: pytest.FixtureRequest) -> Iterator[dict[str, Any]]:
    for marker in reversed(list(request.node.iter_markers("vault_failure"))):
        operation = {"operation": marker.args[0]} if marker.args else {}
        yield {**operation, **marker.kwargs}
