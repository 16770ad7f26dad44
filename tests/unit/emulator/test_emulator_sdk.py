"""The wire is right if the real SDK is content with it."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
    ServiceRequestError,
)
from azure.keyvault.secrets import ApiVersion, SecretClient
from emulator_sdk import Credential, client_of

from safekv.emulator import EmulatedVault, Emulator

UTC = timezone.utc


@pytest.fixture
def emulator() -> Emulator:
    return Emulator()


@pytest.fixture
def vault(emulator: Emulator) -> EmulatedVault:
    return emulator.add_vault("my")


@pytest.fixture(params=list(ApiVersion))
def client(request: pytest.FixtureRequest, emulator: Emulator, vault: EmulatedVault) -> SecretClient:
    return client_of(vault, emulator, api_version=request.param)


def test_set_and_get(client: SecretClient, vault: EmulatedVault) -> None:
    begin, end = datetime(2020, 1, 1, tzinfo=UTC), datetime(2050, 1, 1, tzinfo=UTC)
    first = client.set_secret("Name", "välue", content_type="text", tags={"a": "b"}, not_before=begin, expires_on=end)
    second = client.set_secret("name", "newer", enabled=True)
    got = client.get_secret("NAME", first.properties.version)
    assert (got.value, got.properties.tags, got.properties.content_type) == ("välue", {"a": "b"}, "text")
    assert (got.properties.not_before, got.properties.expires_on) == (begin, end)
    assert got.properties.vault_url == vault.url
    assert got.id == first.id == f"{vault.url}/secrets/Name/{first.properties.version}"
    assert client.get_secret("name").value == "newer" != second.properties.version
    assert got.properties.recovery_level == "Recoverable+Purgeable"
    with pytest.raises(ResourceNotFoundError, match=r"SecretNotFound.*was not found in this key vault"):
        client.get_secret("other")


def test_update(client: SecretClient) -> None:
    first = client.set_secret("name", "value")
    client.set_secret("name", "second")
    changed = client.update_secret_properties(
        "name", first.properties.version, enabled=False, tags={"x": "y"}, content_type="c"
    )
    assert (changed.version, changed.enabled, changed.tags, changed.content_type) == (
        first.properties.version,
        False,
        {"x": "y"},
        "c",
    )
    assert client.get_secret("name").value == "second"
    with pytest.raises(HttpResponseError) as refused:
        client.get_secret("name", first.properties.version)
    assert refused.value.error is not None
    assert (refused.value.status_code, refused.value.error.innererror) == (403, {"code": "SecretDisabled"})
    client.update_secret_properties("name", expires_on=datetime(2001, 1, 1, tzinfo=UTC))
    assert client.get_secret("name").value == "second"  # expired is still readable


def test_lists(client: SecretClient) -> None:
    names = {f"secret-{number}" for number in range(60)}
    for name in names:
        client.set_secret(name, "x", tags={"of": name})
    assert {each.name: each.tags for each in client.list_properties_of_secrets()} == {
        name: {"of": name} for name in names
    }
    versions = {client.set_secret("secret-1", str(number)).properties.version for number in range(30)}
    listed = [each.version for each in client.list_properties_of_secret_versions("secret-1", max_page_size=7)]
    assert len(listed) == 31
    assert set(listed) > versions
    assert list(client.list_properties_of_secret_versions("unknown")) == []


def test_delete_recover_purge_by_pollers(client: SecretClient, emulator: Emulator) -> None:
    client.set_secret("name", "value")
    before = emulator.clock.time()
    poller = client.begin_delete_secret("name")
    deleted = poller.result()
    with pytest.raises(ResourceNotFoundError, match="Deleted Secret not found: name"):
        client.get_deleted_secret("name")
    poller.wait()
    assert emulator.clock.time() - before == pytest.approx(2.0)  # one poll of 2 s for 1.5 s of deletion
    assert deleted.recovery_id == client.get_deleted_secret("name").recovery_id
    assert deleted.scheduled_purge_date is not None
    assert deleted.deleted_date is not None
    assert (deleted.scheduled_purge_date - deleted.deleted_date).days == 90
    with pytest.raises(ResourceExistsError, match="currently in a deleted but recoverable state"):
        client.set_secret("name", "again")
    client.begin_recover_deleted_secret("name").wait()
    assert client.get_secret("name").value == "value"
    client.begin_delete_secret("name").wait()
    assert [each.name for each in client.list_deleted_secrets()] == ["name"]
    client.purge_deleted_secret("name")
    assert list(client.list_deleted_secrets()) == []
    client.set_secret("name", "again")


def test_backup_and_restore(client: SecretClient, emulator: Emulator) -> None:
    first = client.set_secret("name", "one")
    client.set_secret("name", "two", tags={"a": "b"})
    backup = client.backup_secret("name")
    assert backup.startswith(b")AzureKeyVaultSecretBackupV1.microsoft.com")
    with pytest.raises(ResourceExistsError, match="There was a conflict restoring the secret"):
        client.restore_secret_backup(backup)
    other = client_of(emulator.add_vault("other"), emulator)
    assert other.restore_secret_backup(backup).tags == {"a": "b"}
    assert other.get_secret("name").value == "two"
    assert other.get_secret("name", first.properties.version).value == "one"


def test_a_client_is_challenged_once(emulator: Emulator, vault: EmulatedVault) -> None:
    credential = Credential(emulator)
    client = client_of(vault, emulator, credential=credential)
    client.set_secret("name", "value", request_id="my-id")
    client.get_secret("name")
    assert [(each.status, each.bearer) for each in emulator.journal] == [(401, False), (200, True), (200, True)]
    assert credential.asked == [
        {"scope": "https://vault.azure.net/.default", "claims": None, "tenant_id": vault.tenant}
    ]
    assert {each.client_request_id for each in list(emulator.journal)[:2]} == {"my-id"}


def test_a_vault_moves_to_another_tenant(emulator: Emulator, vault: EmulatedVault) -> None:
    credential = Credential(emulator)
    client = client_of(vault, emulator, credential=credential)
    client.set_secret("name", "value")
    vault.tenant = "11111111-2222-3333-4444-555555555555"
    assert client.get_secret("name").value == "value"
    assert [each["tenant_id"] for each in credential.asked] == [emulator.settings.tenant, vault.tenant]


def test_claims_are_demanded(emulator: Emulator, vault: EmulatedVault) -> None:
    claims = '{"access_token": {"acrs": {"essential": true, "value": "c1"}}}'
    credential = Credential(emulator)
    client = client_of(vault, emulator, credential=credential)
    client.set_secret("name", "value")
    emulator.require_claims(claims)
    assert client.get_secret("name").value == "value"
    assert [each["claims"] for each in credential.asked] == [None, claims]
    # a new client is challenged for a token, and at once again for its claims
    fresh = client_of(vault, emulator)
    emulator.journal.clear()
    assert fresh.get_secret("name").value == "value"
    assert [each.status for each in emulator.journal] == [401, 401, 200]


def test_revoked_tokens_are_renewed(emulator: Emulator, vault: EmulatedVault) -> None:
    credential = Credential(emulator)
    client = client_of(vault, emulator, credential=credential)
    client.set_secret("name", "value")
    emulator.revoke_tokens()
    assert client.get_secret("name").value == "value"
    assert len(credential.asked) == 2


def test_a_token_for_something_else_is_refused(emulator: Emulator, vault: EmulatedVault) -> None:
    class Wrong(Credential):
        def get_token(self, scope: str, **keywords: Any) -> Any:
            return super().get_token("https://management.azure.com/.default", **keywords)

    with pytest.raises(
        ClientAuthenticationError, match=r"AKV10022: Invalid audience. Expected https://vault.azure.net,"
    ):
        client_of(vault, emulator, credential=Wrong(emulator)).get_secret("name")


def test_throttling_faults_are_retried_by_the_sdk(emulator: Emulator, vault: EmulatedVault) -> None:
    vault.set_secret("name", "value")
    emulator.fail(operation="get_secret", status=429, count=2, retry_after=7)
    before = emulator.clock.time()
    assert client_of(vault, emulator).get_secret("name").value == "value"
    assert emulator.clock.time() - before == pytest.approx(14)
    assert [each.status for each in emulator.journal] == [401, 429, 429, 200]


def test_a_vault_that_does_not_exist(emulator: Emulator, vault: EmulatedVault) -> None:
    client = client_of(vault, emulator, retry_total=0)
    client._client._config  # noqa: B018  (a real client, on a vault that then goes away)
    emulator._vaults.clear()
    with pytest.raises(ServiceRequestError, match="dns"):
        client.get_secret("name")
