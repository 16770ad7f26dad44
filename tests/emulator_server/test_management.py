"""The control plane over sockets: unmodified clients of azure-mgmt, real credentials, and the command's option."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from azure.core.exceptions import HttpResponseError
from azure.identity import ClientSecretCredential, ManagedIdentityCredential
from azure.keyvault.secrets import SecretClient
from azure.keyvault.secrets._shared import HttpChallengeCache
from click.testing import CliRunner

import safekv.cli.emulator
from safekv.emulator import Emulator, EmulatorServer, EmulatorSettings
from safekv.emulator.identity._directory import object_id

pytest.importorskip("azure.mgmt.keyvault")
pytest.importorskip("azure.mgmt.authorization")
pytestmark = pytest.mark.sockets

APP = "aaaaaaaa-0000-4000-8000-000000000001"
SECRETS_USER = "4633458b-17de-408a-b874-0445c86b69e6"
_FORGOTTEN = ("AZURE_", "IDENTITY_", "MSI_", "IMDS_")


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    import os

    for name in list(os.environ):
        if name.startswith(_FORGOTTEN):
            monkeypatch.delenv(name)
    HttpChallengeCache.clear()
    running: list[EmulatorServer] = []

    def start(**options: Any) -> EmulatorServer:
        server = EmulatorServer(**options).start()
        running.append(server)
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        return server

    yield start
    for server in running:
        server.stop()


def enforcing(**settings: Any) -> Emulator:
    from safekv._clock import VirtualClock

    return Emulator(clock=VirtualClock(running=True), settings=EmulatorSettings(enforce=True, **settings))


def clients(server: EmulatorServer, credential: Any, **options: Any) -> tuple[Any, Any]:
    """Microsoft's clients for vaults and for roles."""
    from azure.mgmt.authorization import AuthorizationManagementClient
    from azure.mgmt.keyvault import KeyVaultManagementClient

    subscription, base = server.emulator.settings.subscription, {"base_url": server.management_url, **options}
    return KeyVaultManagementClient(credential, subscription, **base), AuthorizationManagementClient(
        credential, subscription, **base
    )


def application(server: EmulatorServer, client_id: str = APP) -> ClientSecretCredential:
    settings = server.identity.settings
    return ClientSecretCredential(
        settings.tenant,
        client_id,
        settings.client_secret,
        authority=server.environment("workload")["AZURE_AUTHORITY_HOST"],
        disable_instance_discovery=True,
    )


def test_a_vault_is_made_opened_and_used(serve: Any) -> None:
    server = serve(emulator=enforcing(dns_delay=0.2), vaults=("first",))
    owner, app = ManagedIdentityCredential(), application(server)
    vaults, roles = clients(server, owner)
    tenant = server.identity.settings.tenant
    body = {"tenantId": tenant, "sku": {"family": "A", "name": "standard"}, "enableRbacAuthorization": True}
    given = {"location": "westeurope", "properties": body}
    made = vaults.vaults.begin_create_or_update("emulator", "second", given, polling_interval=0.1).result()
    assert made.properties.vault_uri.startswith("https://127.0.0.1:")
    assert {each.name for each in vaults.vaults.list_by_subscription()} == {"first", "second"}
    mine = SecretClient(made.properties.vault_uri, app)
    with pytest.raises(HttpResponseError, match=object_id(APP)):
        mine.set_secret("name", "no secret")
    officer = f"{made.id}/providers/Microsoft.Authorization/roleDefinitions/b86a8fe4-44ce-4948-aee5-eccb2c155cd7"
    properties = {"roleDefinitionId": officer, "principalId": object_id(APP)}
    roles.role_assignments.create(made.id, str(uuid4()), {"properties": properties})
    assert mine.set_secret("name", "no secret").name == "name"
    with pytest.raises(HttpResponseError, match="does not have authorization to perform action"):
        clients(server, app)[0].vaults.delete("emulator", "second")  # reading and writing is no managing
    with pytest.raises(HttpResponseError, match="ForbiddenByRbac"):
        SecretClient(made.properties.vault_uri, owner).get_secret("name")  # nor the other way round


def test_tokens_may_be_for_where_it_is(serve: Any) -> None:
    server = serve()
    vaults, _ = clients(server, ManagedIdentityCredential(), credential_scopes=[f"{server.management_url}/.default"])
    assert [each.name for each in vaults.vaults.list_by_subscription()] == ["emulator"]


def test_what_the_environment_says(serve: Any) -> None:
    server = serve()
    variables = server.environment()
    assert variables["SAFEKV_EMULATOR_MANAGEMENT_URL"] == server.management_url
    assert variables["AZURE_SUBSCRIPTION_ID"] == server.emulator.settings.subscription
    assert variables["SAFEKV_EMULATOR_RESOURCE_GROUP"] == "emulator"


def test_the_control_plane_is_kept_between_runs(serve: Any, tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    for run in (1, 2):
        emulator = enforcing(dns_delay=0.0)
        server = EmulatorServer(emulator, state=state, vaults=("first",)).start()
        try:
            vaults = {vault.name: vault for vault in emulator.vaults.values()}
            if run == 1:
                vaults["first"].allow(object_id(APP), {"secrets": ["get"]})
                made = emulator.new_vault("made", resource_group="elsewhere")
                made.set_secret("name", "no secret")
                made.assign(object_id(APP), "Key Vault Reader")
                emulator.directory.add("app", client_id=APP, groups=["readers"])
            else:
                assert set(vaults) == {"first", "made"}
                assert vaults["first"].access(0.0).policies[0].object_id == object_id(APP)
                assert len(vaults["made"].secrets) == 1
                assert vaults["made"].url.startswith("https://127.0.0.1:")
                assert [each.principal for each in vaults["made"].access(0.0).assignments][1:] == [object_id(APP)]
                assert emulator.directory.find(APP).name == "app"
        finally:
            server.stop()


def ask(server: EmulatorServer, path: str, body: Any = None) -> Any:
    import ssl

    data = None if body is None else json.dumps(body).encode()
    context = ssl.create_default_context(cafile=server.ca_file)
    with urllib.request.urlopen(f"{server.management_url}/_emulator/{path}", data, context=context) as answer:
        return json.load(answer)


def test_somebody_is_let_in_without_a_client(serve: Any) -> None:
    server = serve(emulator=enforcing())
    client = SecretClient(next(iter(server.vault_urls.values())), ManagedIdentityCredential())
    with pytest.raises(HttpResponseError, match="AccessDenied"):
        client.get_secret("name")
    who = server.identity.settings.client_id
    assert ask(server, "access", {"who": who, "secrets": ["get", "set"]})["vaults"] == ["emulator"]
    client.set_secret("name", "no secret")
    assert client.get_secret("name").name == "name"


def test_all_vaults_are_those_that_have_access_policies(serve: Any) -> None:
    emulator = enforcing()
    emulator.add_vault("one")
    emulator.add_vault("my-hsm", hsm=True)
    server = serve(emulator=emulator)
    who = server.identity.settings.client_id
    assert "my-hsm" not in ask(server, "access", {"who": who, "secrets": ["get"]})["vaults"]


def test_the_command_has_an_option_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[EmulatorServer] = []

    def stop_at_once(stopping: Any) -> None:
        pass

    class Watched(EmulatorServer):
        def start(self) -> EmulatorServer:
            seen.append(self)
            return super().start()

    monkeypatch.setattr(safekv.cli.emulator, "EmulatorServer", Watched)
    monkeypatch.setattr(safekv.cli.emulator, "_wait", stop_at_once)
    done = CliRunner().invoke(safekv.cli.emulator.command, ["--enforce", "--rbac", "--vault", "one"])
    assert done.exit_code == 0, done.output
    (vault,) = seen[0].emulator.vaults.values()
    assert vault.enforce
    assert vault.access(0.0).rbac
    assert seen[0].emulator.settings.enforce
