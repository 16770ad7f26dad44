"""The ``keyvault_server`` fixture, as another project's tests use it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from safekv.emulator import EmulatorServer

pytestmark = pytest.mark.sockets

APPLICATION = """
from safekv.secrets import SecretClient
client = SecretClient()
assert client.get_secret("db-password").value == "new"
assert len(list(client.list_properties_of_secret_versions("db-password"))) == 2
"""


@pytest.mark.vault_secret("db-password", ["old", "new"], tags={"env": "test"})
@pytest.mark.vault_failure("get_secret", status=503, count=1)
def test_an_application_in_another_process(keyvault_server: EmulatorServer) -> None:
    subprocess.run([sys.executable, "-W", "error", "-c", APPLICATION], check=True, timeout=60)
    assert [entry.status for entry in keyvault_server.emulator.journal] == [401, 503, 200, 200]
