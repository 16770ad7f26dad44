"""Unmodified clients in processes of their own: TLS and challenge verification on, real credentials."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from safekv._clock import VirtualClock
from safekv.emulator import Emulator, EmulatorServer, EmulatorSettings
from safekv.emulator.server._authority import make_certificates

pytestmark = pytest.mark.sockets

RunClient = Callable[..., "subprocess.CompletedProcess[str]"]

SYNC = """
import os
from azure.identity import DefaultAzureCredential
from azure.keyvault.secrets import SecretClient

with DefaultAzureCredential() as credential, SecretClient(os.environ["AZURE_KEY_VAULT_URL"], credential) as client:
    client.set_secret("greeting", "hello")
    print(client.get_secret("greeting").value, client.get_secret("greeting").id)
"""
AIO = """
import asyncio, os
from azure.identity.aio import DefaultAzureCredential
from azure.keyvault.secrets.aio import SecretClient

async def main():
    async with DefaultAzureCredential() as credential:
        async with SecretClient(os.environ["AZURE_KEY_VAULT_URL"], credential) as client:
            await client.set_secret("greeting", "hello")
            print((await client.get_secret("greeting")).value, (await client.get_secret("greeting")).id)

asyncio.run(main())
"""
CLIENT_SECRET = """
import os
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ClientSecretCredential
from azure.keyvault.secrets import SecretClient

credential = ClientSecretCredential(
    os.environ["AZURE_TENANT_ID"], "app", os.environ["SECRET"],
    authority=os.environ["AZURE_AUTHORITY_HOST"], disable_instance_discovery=True,
)
try:
    print(SecretClient(os.environ["AZURE_KEY_VAULT_URL"], credential).set_secret("greeting", "hello").value)
except ClientAuthenticationError as error:
    print(error)
"""


@pytest.fixture(scope="module")
def server() -> Iterator[EmulatorServer]:
    settings = EmulatorSettings(strict_tokens=True, check_issuer=True)
    with EmulatorServer(Emulator(clock=VirtualClock(running=True), settings=settings), vaults=("one", "two")) as server:
        yield server


@pytest.mark.parametrize("identity", ["managed", "workload"])
@pytest.mark.parametrize("source", [SYNC, AIO], ids=["sync", "aio"])
def test_default_azure_credential_and_secret_client_need_no_change(
    server: EmulatorServer, run_client: RunClient, source: str, identity: str
) -> None:
    before = dict(server.identity.requests)
    output = run_client(source, server.environment(identity)).stdout
    assert output.startswith(f"hello {server.vault_urls['one']}/secrets/greeting/")
    asked = {kind: count - before.get(kind, 0) for kind, count in server.identity.requests.items()}
    kind = "app-service" if identity == "managed" else "workload-identity"
    assert {name: count for name, count in asked.items() if count} == {kind: 1}


def test_a_proxy_of_the_environment_is_not_asked(server: EmulatorServer, run_client: RunClient) -> None:
    proxies = dict.fromkeys(("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"), "http://127.0.0.1:9")
    assert run_client(SYNC, {**proxies, **server.environment()}).stdout.startswith("hello ")


def test_without_the_certificate_the_client_does_not_trust_the_server(
    server: EmulatorServer, run_client: RunClient, tmp_path: Path
) -> None:
    other = tmp_path / "other.pem"
    other.write_bytes(make_certificates().ca)
    source = SYNC.replace("credential) as client", "credential, retry_total=0) as client")
    done = run_client(source, {**server.environment(), "REQUESTS_CA_BUNDLE": str(other)}, check=False)
    assert done.returncode != 0
    assert "CERTIFICATE_VERIFY_FAILED" in done.stderr


@pytest.mark.parametrize("right", [True, False])
def test_client_secrets(server: EmulatorServer, run_client: RunClient, right: bool) -> None:
    secret = server.identity.settings.client_secret if right else "guess"
    output = run_client(CLIENT_SECRET, {**server.environment("workload"), "SECRET": secret}).stdout
    if right:
        assert output == "hello\n"
    else:
        assert "AADSTS7000215" in output
        assert "guess" not in output


def test_imds(server: EmulatorServer, run_client: RunClient) -> None:
    variables = server.environment()
    host = variables.pop("IDENTITY_ENDPOINT").removesuffix("/msi/token")
    variables.pop("IDENTITY_HEADER")
    variables["AZURE_POD_IDENTITY_AUTHORITY_HOST"] = host
    assert run_client(SYNC, variables).stdout.startswith("hello ")
    assert run_client(AIO, variables).stdout.startswith("hello ")


def test_the_variables_name_every_vault(server: EmulatorServer, run_client: RunClient) -> None:
    output = run_client("import os; print(os.environ['SAFEKV_EMULATOR_VAULTS'])", server.environment()).stdout
    assert dict(pair.split("=") for pair in output.strip().split(",")) == server.vault_urls


EVENTS = """
import safekv
from safekv.events import TokenFetched
from safekv.secrets import SecretClient
told = []
safekv.subscribe(lambda event: isinstance(event, TokenFetched) and told.append(event.vault))
list(SecretClient("one").list_properties_of_secrets())
print(set(told))
"""


def test_the_event_of_a_token_has_the_vaults_address(server: EmulatorServer, run_client: RunClient) -> None:
    host = server.vault_urls["one"].removeprefix("https://")
    assert run_client(EVENTS, server.environment()).stdout == f"{{{host!r}}}\n"


UNCHANGED = """
import safekv
from azure.identity import DefaultAzureCredential
from safekv.envelope import Encryptor, KeyRing
from safekv.keys import KeyClient
from safekv.keys.crypto import CryptographyClient, EncryptionAlgorithm
from safekv.secrets import SecretClient

URL = "https://one.vault.azure.net"
credential = DefaultAzureCredential()
with SecretClient(URL, credential) as client:
    client.set_secret("db-password", "hello")
    assert client.get_secret("db-password").value == "hello"
    assert client is SecretClient("one", credential)
with KeyClient(URL, credential) as keys:
    keys.create_rsa_key("app-kek", size=2048)
    with CryptographyClient(f"{URL}/keys/app-kek", credential) as crypto:
        secret = crypto.encrypt(EncryptionAlgorithm.rsa_oaep_256, b"data")
        assert crypto.decrypt(secret.algorithm, secret.ciphertext).plaintext == b"data"
ring = KeyRing.create(f"{URL}/keys/app-kek", credential=credential)
token = Encryptor(ring).encrypt(b"data", aad=b"row")
for given, allow in (([f"{URL}/keys/app-kek"], None), ([], [f"{URL}/keys/app-kek"])):
    again = KeyRing(ring.to_json(), *given, credential=credential, allow=allow)
    assert Encryptor(again).decrypt(token, aad=b"row") == b"data"
reference = f"@Microsoft.KeyVault(SecretUri={URL}/secrets/db-password)"
assert safekv.resolve({"A": reference, "B": "kv://one.vault.azure.net/db-password"}) == {"A": "hello", "B": "hello"}
assert safekv.load(["db-password"], vault=URL, credential=credential)["db-password"] == "hello"
print("all of it")
"""


def test_an_application_that_names_its_vault_in_full_runs_unchanged(
    server: EmulatorServer, run_client: RunClient
) -> None:
    assert run_client(UNCHANGED, server.environment()).stdout.strip() == "all of it"
