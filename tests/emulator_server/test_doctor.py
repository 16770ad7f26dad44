"""``safekv doctor`` against ten broken set-ups, and one that works: its first advice is the right one."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import azure.identity
import pytest
from azure.keyvault.secrets._shared import HttpChallengeCache
from click.testing import CliRunner

from safekv.cli import main
from safekv.cli.doctor import code_of, first_of
from safekv.cli.examination._check import Check
from safekv.cli.examination._machine import Machine, Resolved
from safekv.cli.examination._walk import walk
from safekv.connection import _registry
from safekv.emulator import Emulator, EmulatorServer, EmulatorSettings
from safekv.emulator.identity._identity import IdentitySettings
from safekv.errors import InvalidArgument

pytestmark = pytest.mark.sockets

NAMES = [
    "packages",
    "environment",
    "address",
    "name",
    "connection",
    "health",
    "challenge",
    "clock",
    "credential",
    "token",
    "get",
    "list",
    "key get",
    "wrap, unwrap",
    "access",
    "latency",
    "sharing",
]
_FORGOTTEN = (
    "AZURE_",
    "IDENTITY_",
    "MSI_",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "SSL_CERT_FILE",
    "HTTPS_PROXY",
    "https_proxy",
)
OTHER_TENANT = "22222222-2222-2222-2222-222222222222"


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No environment but the emulator's, and a registry for each test."""
    import os

    for name in list(os.environ):
        if name.startswith(_FORGOTTEN):
            monkeypatch.delenv(name)
    HttpChallengeCache.clear()
    before = _registry.replace(_registry.Registry())
    yield
    _registry.replace(before)


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., EmulatorServer]]:
    """Start a server whose variables are this process's environment."""
    running: list[EmulatorServer] = []

    def start(**options: Any) -> EmulatorServer:
        server = EmulatorServer(**options).start()
        running.append(server)
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        vault = next(iter(server.emulator.vaults.values()))
        vault.set_secret("planted", "a planted value")
        return server

    yield start
    for server in running:
        server.stop()


def examined(machine: Machine | None = None, vault: str | None = None, **options: Any) -> list[Check]:
    # Not safekv.identity's, which is the process's one: each test has an environment of its own.
    options.setdefault("credential", azure.identity.DefaultAzureCredential())
    checks = list(walk(vault, machine or Machine(), **options))
    assert [check.name for check in checks] == NAMES
    return checks


def first(checks: list[Check]) -> Check:
    found = first_of(checks)
    assert found is not None
    assert code_of(checks) == 2
    assert found.advice
    return found


def states(checks: list[Check]) -> dict[str, str]:
    return {check.name: check.state for check in checks}


def test_a_set_up_that_works(serve: Callable[..., EmulatorServer]) -> None:
    serve()
    checks = examined(secret="planted")
    assert {name for name, state in states(checks).items() if state != "ok"} == {"key get", "wrap, unwrap", "access"}
    assert first_of(checks) is None
    assert code_of(checks) == 0


# The ten


def test_wrong_tenant(serve: Callable[..., EmulatorServer]) -> None:
    serve(identity=IdentitySettings(tenant=OTHER_TENANT))
    found = first(examined())
    assert found.name == "token"
    assert OTHER_TENANT in found.said
    assert found.remedies[0].startswith("az login --tenant ")


def test_wrong_tenant_as_the_vault_says_it(serve: Callable[..., EmulatorServer]) -> None:
    serve().emulator.fail(operation="get_secret", error="401_issuer", count=None)
    found = first(examined())
    assert found.said.startswith("WrongTenant: ")
    assert found.guide_url is not None
    assert found.guide_url.endswith("#akv10032-invalid-issuer")


def test_no_credential(serve: Callable[..., EmulatorServer], monkeypatch: pytest.MonkeyPatch) -> None:
    serve()
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")
    checks = examined()
    found = first(checks)
    assert found.name == "credential"
    assert "EnvironmentCredential" in found.facts["chain"]
    assert found.remedies[0] == "az login"
    assert states(checks)["get"] == "skipped"


def test_expired_token(serve: Callable[..., EmulatorServer]) -> None:
    serve().emulator.fail(error="401_expired", count=None)
    found = first(examined())
    assert found.said.startswith("TokenExpired: ")
    assert "clock" in (found.advice or "")


def test_missing_role(serve: Callable[..., EmulatorServer]) -> None:
    server = serve()
    for operation in ("get_secret", "list_properties_of_secrets"):
        server.emulator.fail(operation=operation, error="403_rbac", count=None)
    found = first(examined())
    assert found.name == "get"
    assert "'Key Vault Secrets User'" in found.remedies[0]


def test_who_may_read_need_not_list(serve: Callable[..., EmulatorServer]) -> None:
    serve().emulator.fail(operation="list_properties_of_secrets", error="403_rbac", count=None)
    checks = examined()
    assert states(checks)["list"] == "warning"
    assert code_of(checks) == 1


def test_firewall(serve: Callable[..., EmulatorServer]) -> None:
    serve().emulator.fail(error="403_firewall", count=None)
    checks = examined()
    found = first(checks)
    assert found.name == "challenge"
    assert found.remedies == ("az keyvault network-rule add --name 127 --ip-address 203.0.113.7",) or (
        "--ip-address 203.0.113.7" in found.remedies[0]
    )
    assert states(checks)["credential"] == "skipped"


def test_private_endpoint(serve: Callable[..., EmulatorServer]) -> None:
    serve().emulator.fail(error="403_private", count=None)
    found = first(examined())
    assert "ForbiddenByConnection" in found.said
    assert "private endpoint" in (found.advice or "")


class Elsewhere(Machine):
    """A machine whose DNS answers what it is told to."""

    def __init__(self, answer: Resolved | None, environ: Mapping[str, str] | None = None) -> None:
        super().__init__(environ=environ or {})
        self._answer = answer

    def resolve(self, host: str, port: int) -> Resolved:
        if self._answer is None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return self._answer


def test_deleted_vault() -> None:
    checks = examined(Elsewhere(None), "https://gone.vault.azure.net")
    found = first(checks)
    assert found.name == "name"
    assert "there is no vault of this name" not in found.said
    assert 'az keyvault list-deleted --query "[].name"' in found.remedies
    assert set(states(checks).values()) == {"ok", "failed", "skipped"}


def test_a_vault_that_the_emulator_lacks() -> None:
    variables = {"SAFEKV_EMULATOR_VAULTS": "emulator=https://127.0.0.1:8443"}
    found = first(examined(Elsewhere(None, variables), "https://my-vault.vault.azure.net"))
    assert found.name == "name"
    assert "it has: emulator. Start it with --vault my-vault" in (found.advice or "")
    assert found.remedies == ()


def test_tokens_of_the_emulator_are_told_by_the_vaults_address(serve: Callable[..., EmulatorServer]) -> None:
    (url,) = serve().vault_urls.values()
    host = url.removeprefix("https://")
    said = {check.name: check.said for check in examined()}
    shown = f"https://{host.removeprefix('127.')} (the emulator's for {host})"
    assert f"resource {shown}" in said["challenge"]
    assert f"audience {shown}" in said["token"]


def test_throttled(serve: Callable[..., EmulatorServer]) -> None:
    serve().emulator.fail(operation="get_secret", error="429", count=None)
    found = first(examined())
    assert found.name == "get"
    assert any("App Configuration" in remedy for remedy in found.remedies)


def test_throttled_now_and_then(serve: Callable[..., EmulatorServer]) -> None:
    serve().emulator.fail(operation="list_properties_of_secrets", error="429", nth=4, count=None)
    found = first(examined())
    assert found.name == "latency"
    assert "answered 429" in found.said


class Old(Machine):
    def versions(self) -> dict[str, str]:
        return {**super().versions(), "azure-identity": "1.7.0"}


def test_old_package(serve: Callable[..., EmulatorServer]) -> None:
    serve()
    found = first(examined(Old()))
    assert found.name == "packages"
    assert "azure-identity 1.7.0 is older than" in found.said
    assert "pip install -U 'azure-identity>=" in (found.advice or "")


@pytest.mark.parametrize("ahead", [True, False])
def test_clock_skew(serve: Callable[..., EmulatorServer], ahead: bool) -> None:
    class Wrong(Machine):
        def time(self) -> float:
            return super().time() + (3_600 if ahead else -3_600)

    serve()
    found = first(examined(Wrong()))
    assert found.name == "clock"
    assert ("ahead of" if ahead else "behind") in found.said
    assert "clock" in (found.advice or "")


# What else can be wrong


@pytest.mark.parametrize("network", ["reset-before", "reset-after", "truncated", "dns", "refused", "bad-certificate"])
def test_it_stops_at_no_fault_of_the_network(serve: Callable[..., EmulatorServer], network: str) -> None:
    serve().emulator.fail(network=network, count=None)
    assert first(examined()).name in ("connection", "health", "challenge", "get")


@pytest.mark.parametrize("fault", [{"status": 500}, {"status": 503}, {"html": True}, {"status": 200, "body": "{"}])
def test_it_stops_at_no_answer(serve: Callable[..., EmulatorServer], fault: dict[str, Any]) -> None:
    serve().emulator.fail(**fault, count=None)
    assert first(examined()).advice


@pytest.mark.parametrize("row", ["401_sigkey", "403_policy", "403_secret_disabled", "404_secret", "400_value"])
def test_it_stops_at_no_error_of_the_service(serve: Callable[..., EmulatorServer], row: str) -> None:
    serve().emulator.fail(operation="get_secret", error=row, count=None)
    checks = examined(secret="planted")
    assert first(checks).name == "get"
    assert states(checks)["sharing"] == "ok"


def test_a_private_link_that_is_not_used() -> None:
    answer = Resolved(("20.1.2.3",), "my.privatelink.vaultcore.azure.net")
    name = examined(Refuses(answer), "https://my.vault.azure.net")[3]
    assert "the zone of the private link is not used here" in name.said


class Refuses(Elsewhere):
    """Nothing is asked over the network."""

    def __init__(self, answer: Resolved) -> None:
        super().__init__(answer)
        self.environ = {"HTTPS_PROXY": ""}


def test_a_url_that_is_none() -> None:
    checks = examined(Elsewhere(None), "http://my.vault.azure.net")
    assert first(checks).name == "address"
    assert InvalidArgument.__name__ in first(checks).said
    private = examined(Elsewhere(None), "https://my.privatelink.vaultcore.azure.net")
    assert "public name" in first(private).said


def test_a_proxy_is_shown_without_its_password() -> None:
    machine = Machine(
        environ={"HTTPS_PROXY": "http://user:hunter2@proxy.example:3128", "AZURE_CLIENT_SECRET": "hunter2"}
    )
    shown = [next(walk_until(machine, name)) for name in ("environment", "name")]
    assert "hunter2" not in str(shown)
    assert shown[0].state == "warning"
    assert "proxy.example:3128" in shown[1].said


def walk_until(machine: Machine, name: str) -> Iterator[Check]:
    return (check for check in walk("https://my.vault.azure.net", machine) if check.name == name)


def test_a_key_that_cannot_be_read_is_not_used(serve: Callable[..., EmulatorServer]) -> None:
    serve()
    checks = states(examined(key="app"))
    assert (checks["key get"], checks["wrap, unwrap"]) == ("failed", "skipped")


# The command


def run(*arguments: str) -> Any:
    return CliRunner().invoke(main, ["doctor", *arguments])


def test_the_command(serve: Callable[..., EmulatorServer]) -> None:
    server = serve()
    done = run("--secret", "planted")
    assert (done.exit_code, done.output.strip().splitlines()[-1]) == (0, "All is well.")
    server.emulator.fail(operation="get_secret", error="403_firewall", count=None)
    done = run()
    assert done.exit_code == 2
    assert "First: get" in done.output
    assert "$ az keyvault network-rule add" in done.output


def test_json(serve: Callable[..., EmulatorServer]) -> None:
    serve().emulator.fail(operation="get_secret", error="403_policy", count=None)
    done = run("--json")
    found = json.loads(done.output)
    assert [check["name"] for check in found["checks"]] == NAMES
    assert (found["first"], found["exit_code"], done.exit_code) == ("get", 2, 2)


def test_no_value_and_no_token_is_shown(serve: Callable[..., EmulatorServer]) -> None:
    serve()
    for arguments in (["--secret", "planted"], ["--secret", "planted", "--json"]):
        output = run(*arguments).output
        assert "a planted value" not in output
        assert "eyJ" not in output


def test_two_credentials_are_pointed_out(serve: Callable[..., EmulatorServer]) -> None:
    from safekv.identity import DefaultAzureCredential
    from safekv.secrets import SecretClient

    server = serve()
    url = next(iter(server.vault_urls.values()))
    kept = SecretClient(url, DefaultAzureCredential(exclude_cli_credential=True))
    with pytest.warns(UserWarning, match="Several credential objects"):
        checks = examined()
    assert states(checks)["sharing"] == "warning"
    kept.close()


def test_a_strict_emulator_and_its_own_tokens(serve: Callable[..., EmulatorServer]) -> None:
    serve(emulator=Emulator(settings=EmulatorSettings(strict_tokens=True, check_issuer=True)))
    assert states(examined())["get"] == "ok"
