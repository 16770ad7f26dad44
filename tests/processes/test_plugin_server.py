"""The ``keyvault_server`` fixture, as another project's tests use it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from safekv.emulator import EmulatorServer

from .pages import files_of

pytestmark = pytest.mark.sockets

WITH_ITS_VAULTS_IN_IT = """
from safekv.secrets import SecretClient
for name, value in (("my-vault", "hers"), ("my-other-vault", "his")):
    assert SecretClient(f"https://{name}.vault.azure.net").get_secret("db-password").value == value
"""
PROJECT = """
import pytest
from safekv.secrets import SecretClient

@pytest.mark.vault_secret("db-password", "one")
@pytest.mark.vault_secret("db-password", "two", vault="my-vault")
def test_one(keyvault_server):
    client = SecretClient()
    assert client.get_secret("db-password").value == "one"
    client.set_secret("db-password", "three")
    assert client.get_secret("db-password").value == "three"
    assert SecretClient("my-vault").get_secret("db-password").value == "two"

@pytest.mark.vault_secret("db-password", "four", vault="Emulator")
@pytest.mark.vault_secret("db-password", "five", vault="MY-vault")
def test_another(keyvault_server):
    assert list(keyvault_server.vault_urls) == ["emulator", "my-vault"]
    assert SecretClient().get_secret("db-password").value == "four"
    assert SecretClient("https://my-vault.vault.azure.net").get_secret("db-password").value == "five"
"""
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


@pytest.mark.vault_secret("db-password", "hers", vault="my-vault")
@pytest.mark.vault_secret("db-password", "his", vault="my-other-vault")
def test_an_application_that_has_its_vaults_in_it(keyvault_server: EmulatorServer) -> None:
    assert next(iter(keyvault_server.vault_urls)) == "emulator"
    subprocess.run([sys.executable, "-W", "error", "-c", WITH_ITS_VAULTS_IN_IT], check=True, timeout=60)


def test_clients_in_the_test_itself(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        test_it=PROJECT, **{name.removesuffix(".py"): text for name, text in files_of("testing.md").items()}
    )
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-W", "error")
    result.assert_outcomes(passed=3)
