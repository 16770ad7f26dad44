"""LocalKeyVault and Vault: what a test of an application uses."""

from __future__ import annotations

import asyncio
from typing import Any

import azure.keyvault.secrets.aio
import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from colours import Colour
from doubles import TOKEN, AsyncCredential, InfoCredential

import safekv.identity
from safekv import Vault
from safekv.connection import _registry
from safekv.connection._connection import SyncConnection
from safekv.emulator import EmulatorSettings
from safekv.errors import VaultNotFound
from safekv.secrets import SecretClient
from safekv.secrets.aio import SecretClient as AsyncSecretClient
from safekv.testing import LocalCredential, LocalKeyVault


def test_clients_that_it_hands_out(local: LocalKeyVault) -> None:
    assert local.client.get_secret("greeting").value == "hello"
    assert local.client is local.vault().secrets is local.vault("LOCAL").secrets
    assert asyncio.run(local.aio_client().get_secret("greeting")).value == "hello"
    assert local.vault("other").vault_url == local.url("other") == "https://other.vault.azure.net"
    with pytest.raises(ResourceNotFoundError):
        local.vault("other").secrets.get_secret("greeting")


def test_secrets_without_a_request(local: LocalKeyVault) -> None:
    local.set_secret("name", "one", "two", "three", content_type="text", tags={"a": "b"})
    assert not list(local.journal)
    client = local.client
    assert client.get_secret("name").value == "three"
    versions = list(client.list_properties_of_secret_versions("name"))
    assert {client.get_secret("name", each.version).value for each in versions if each.version} == {
        "one",
        "two",
        "three",
    }
    assert {each.content_type for each in versions} == {"text"}


def test_a_vault_that_is_not_there_is_to_be_made(local: LocalKeyVault) -> None:
    local.vault("other")
    with local, pytest.raises(VaultNotFound) as caught:
        SecretClient("https://my-vault.vault.azure.net").get_secret("db-password")
    assert caught.value.hint == (
        "The LocalKeyVault that stands in for Azure here has no such vault, it has: local, other. Make it: "
        "local.vault('my-vault'), or @pytest.mark.vault_secret(name, value, vault='my-vault')."
    )
    assert caught.value.remedies == ()
    for url in ("https://my-vault.vault.azure.cn", "https://my-hsm.managedhsm.azure.net"):
        with local, pytest.raises(VaultNotFound) as caught:
            Vault(url).keys.get_key("app")
        exec(str(caught.value.hint).partition("Make it: ")[2].rstrip("."), {"local": local})
        with local, pytest.raises(ResourceNotFoundError):
            Vault(url).keys.get_key("app")
    with local, pytest.raises(VaultNotFound, match=r"it has: local, other, my-vault, my-hsm\. Give local\.url\(\)"):
        SecretClient("https://127.0.0.1:8443").get_secret("db-password")
    local.fail(operation="get_secret", network="dns", vault="my-vault", count=None)
    with local, pytest.raises(VaultNotFound, match="Check the spelling and the cloud"):  # as Azure's, for tests of that
        SecretClient("https://my-vault.vault.azure.cn").get_secret("db-password")


def test_a_vault_that_the_emulator_of_the_environment_lacks(
    local: LocalKeyVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAFEKV_EMULATOR_VAULTS", "emulator=https://127.0.0.1:8443")
    url, transport = "https://my-vault.vault.azure.net", local.transport()
    client = SecretClient(url, local.credential(), transport=transport)
    with pytest.raises(VaultNotFound, match=r"it has: emulator\. Start it with --vault my-vault") as caught:
        client.get_secret("a")
    assert caught.value.remedies == ()
    monkeypatch.delenv("SAFEKV_EMULATOR_VAULTS")
    with pytest.raises(VaultNotFound, match="Check the spelling and the cloud"):
        client.get_secret("a")


def test_it_is_asked_although_the_environment_has_an_emulator(
    local: LocalKeyVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAFEKV_EMULATOR_VAULTS", "my-vault=https://127.0.0.1:8443")
    local.set_secret("db-password", "only for this test", vault="my-vault")
    for url in ("https://my-vault.vault.azure.net", "my-vault"):
        with local:
            assert SecretClient(url).get_secret("db-password").value == "only for this test"
    assert SecretClient("my-vault", local.credential()).vault_url == "https://127.0.0.1:8443"


def test_failures(local: LocalKeyVault) -> None:
    fault = local.fail(operation="get_secret", status=403)
    with pytest.raises(HttpResponseError) as caught:
        local.client.get_secret("greeting")
    assert caught.value.status_code == 403
    assert fault.fired == 1
    assert local.client.get_secret("greeting").value == "hello"


def test_time(local: LocalKeyVault) -> None:
    before = local.emulator.clock.time()
    local.advance(seconds=301)
    assert local.emulator.clock.time() == before + 301


def test_settings_and_seed() -> None:
    ids = []
    for _ in range(2):
        local = LocalKeyVault(seed=7, settings=EmulatorSettings(region="northpole"))
        local.set_secret("greeting", "hello")
        ids.append(local.client.get_secret("greeting").properties.version)
        assert next(iter(local.emulator.vaults.values())).region == "northpole"
    assert ids[0] == ids[1]


def test_the_journal_shows_no_value(local: LocalKeyVault) -> None:
    local.client.set_secret("name", "s3cret")
    assert [(entry.method, entry.status) for entry in local.journal][-1] == ("PUT", 200)
    assert "s3cret" not in repr(list(local.journal)) + repr(local)


# Inside with


def test_every_client_reaches_it(colour: Colour, monkeypatch: pytest.MonkeyPatch) -> None:
    with LocalKeyVault() as local:
        local.set_secret("greeting", "hello")
        monkeypatch.setenv("AZURE_KEY_VAULT_URL", local.url())
        credentials: list[Any] = [None, InfoCredential(), safekv.identity.DefaultAzureCredential(), object()]
        for credential in credentials:
            assert colour.run(colour.client_class(credential=credential).get_secret("greeting")).value == "hello"
        assert Vault().secrets.get_secret("greeting").value == "hello"
    assert credentials[1].asked == []


def test_no_credential_is_made_for_it(monkeypatch: pytest.MonkeyPatch, colour: Colour) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a DefaultAzureCredential was made, which an emulator has no use for")

    monkeypatch.setattr(colour.client_class, "_default_credential", refuse)
    with LocalKeyVault() as local:
        local.set_secret("greeting", "hello")
        assert colour.run(colour.client_class(local.url()).get_secret("greeting")).value == "hello"


def test_a_transport_of_ones_own_is_left_alone(colour: Colour, local: LocalKeyVault) -> None:
    with LocalKeyVault():
        assert colour.run(colour.client(local).get_secret("greeting")).value == "hello"


def test_the_process_is_as_it_was_afterwards(registry: _registry.Registry) -> None:
    def use_and_fail() -> None:
        with LocalKeyVault() as outer:
            inside = SecretClient(outer.url(), outer.credential())
            with LocalKeyVault():
                assert SecretClient(outer.url(), outer.credential()) is not inside
            assert SecretClient(outer.url(), outer.credential()) is inside
            raise KeyError

    with pytest.raises(KeyError):
        use_and_fail()
    assert _registry.current() is registry
    assert len(registry) == 0


def test_each_has_its_own_secrets() -> None:
    for value in ("one", "two"):
        with LocalKeyVault() as local:
            local.set_secret("name", value)
            assert SecretClient(local.url()).get_secret("name").value == value


def test_waiting_takes_no_time(colour: Colour) -> None:
    with LocalKeyVault() as local:
        local.set_secret("greeting", "hello")
        local.fail(operation="get_secret", status=429, count=3)
        client = colour.client_class(local.url())
        assert colour.run(client.get_secret("greeting")).value == "hello"
        assert local.emulator.clock.monotonic() > 0.5


def test_a_vault_of_the_applications_own() -> None:
    """``vault = safekv.Vault(...)`` at the top of a module, used by one test after another."""
    vault = Vault("https://local.vault.azure.net", InfoCredential())
    for value in ("one", "two"):
        with LocalKeyVault() as local:
            local.set_secret("name", value)
            assert vault.secrets.get_secret("name").value == value


def test_a_client_of_the_applications_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SyncConnection, "_open", lambda self: pytest.fail("it reaches for the network"))
    client = SecretClient("https://local.vault.azure.net", InfoCredential())
    with LocalKeyVault() as local:
        local.set_secret("name", "value")
        assert client.get_secret("name").value == "value"


def test_each_begins_with_the_same_requests() -> None:
    lengths = []
    for _ in range(2):
        with LocalKeyVault() as local:
            local.set_secret("name", "value")
            SecretClient(local.url()).get_secret("name")
            lengths.append(len(local.journal))
    assert lengths[0] == lengths[1]


# Its credential


def test_the_credential_counts_and_serves_both_protocols(local: LocalKeyVault) -> None:
    credential = local.credential()
    assert isinstance(credential, LocalCredential)
    old = credential.get_token("https://vault.azure.net/.default", tenant_id="t", claims=None, enable_cae=True)
    new = credential.get_token_info("https://vault.azure.net/.default")
    assert old.token != new.token
    assert credential.requests == 2


def test_plain_sdk_clients_may_use_it(colour: Colour, local: LocalKeyVault) -> None:
    credential = local.credential() if colour.loop is None else AsyncCredential()  # it is a sync one
    client = colour.sdk_class(local.url(), credential, transport=local.transport(colour.name))
    assert colour.run(client.get_secret("greeting")).value == "hello"


def test_aio_clients_of_several_loops(local: LocalKeyVault) -> None:
    client = AsyncSecretClient(local.url(), local.credential(), transport=local.transport("aio"))
    for _ in range(2):
        assert asyncio.run(client.get_secret("greeting")).value == "hello"


def test_no_token_of_an_emulator_outlives_it() -> None:
    credential = InfoCredential()
    client = SecretClient("https://local.vault.azure.net", credential)
    with LocalKeyVault() as local:
        local.set_secret("name", "value")
        client.get_secret("name")
    tokens = client._lease.connection.tokens
    assert tokens.get_token_info("https://vault.azure.net/.default").token.startswith(TOKEN)
    assert not [entry for entry in tokens.cache._entries.values() if not entry.token.token.startswith(TOKEN)]


def test_the_sdks_own_aio_clients() -> None:
    local = LocalKeyVault()
    local.set_secret("name", "value")

    async def main() -> None:
        credential, transport = local.aio_credential(), local.transport("aio")
        async with azure.keyvault.secrets.aio.SecretClient(local.url(), credential, transport=transport) as client:
            assert (await client.get_secret("name")).value == "value"

    asyncio.run(main())
