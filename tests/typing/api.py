"""What typed code of a user looks like. Checked by mypy --strict, never run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from ssl import SSLContext

import azure.identity
import azure.keyvault.keys
import azure.keyvault.secrets
import azure.keyvault.secrets.aio
from azure.core.async_paging import AsyncItemPaged
from azure.core.credentials import AccessToken, TokenCredential
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestTimeoutError
from azure.core.paging import ItemPaged
from azure.core.polling import LROPoller
from azure.core.rest import AsyncHttpResponse, HttpRequest, HttpResponse
from cryptography.x509 import Certificate
from typing_extensions import assert_type

import safekv
import safekv.certificates.aio
import safekv.keys.aio
import safekv.keys.crypto.aio
import safekv.secrets.aio
from safekv import CacheSettings, Vault
from safekv.cache import CacheEvent, CacheInfo, SecretChange
from safekv.certificates import (
    CertificateClient,
    CertificateOperation,
    CertificatePolicy,
    CertificateWithKey,
    KeyVaultCertificate,
)
from safekv.emulator import Emulator, EmulatorSettings, Fault, Journal
from safekv.errors import AuthenticationFailed, CredentialTooOld, DeadlineExceeded, InvalidArgument, SafeKVError
from safekv.identity import AzureAuthorityHosts, DefaultAzureCredential, ManagedIdentityCredential
from safekv.identity.aio import DefaultAzureCredential as AsyncDefaultAzureCredential
from safekv.keys import DeletedKey, KeyClient, KeyOperation, KeyType, KeyVaultKey
from safekv.keys.crypto import CryptographyClient, KeyWrapAlgorithm, UnwrapResult, WrapResult
from safekv.secrets import (
    ApiVersion,
    ContentType,
    DeletedSecret,
    KeyVaultSecret,
    KeyVaultSecretIdentifier,
    SecretClient,
    SecretProperties,
)
from safekv.testing import LocalCredential, LocalKeyVault

URL = "https://my-vault.vault.azure.net"
NOW = datetime.now(timezone.utc)


def changed(change: SecretChange) -> None:
    assert_type(change.new_version, str | None)


def sync_door() -> None:
    client = SecretClient(URL, DefaultAzureCredential(), api_version=ApiVersion.V7_4, timeout=5)
    assert_type(client, SecretClient)
    SecretClient()
    SecretClient(URL)
    SecretClient(vault_url=URL, credential=None, retry_total=0)

    secret = client.get_secret("db-password")
    assert_type(secret, KeyVaultSecret)
    assert_type(secret.value, str | None)
    assert_type(client.get_secret("c", "version", out_content_type=ContentType.PEM), KeyVaultSecret)
    SecretClient(URL, cache=CacheSettings(ttl=60))
    SecretClient(URL, cache=None)
    assert_type(client.get_secret("name", max_age=0, timeout=5), KeyVaultSecret)
    assert_type(client.get_many(["a"], optional=("b",), timeout=5, concurrency=4), dict[str, KeyVaultSecret])
    assert_type(client.with_secret("name", lambda secret: len(secret.value or ""), retry_on=OSError), int)
    assert_type(client.cache_info(), CacheInfo)
    assert_type(client.last_event("name"), CacheEvent | None)
    stop = client.on_change(changed, names=["name"])
    stop()
    with client.watch(["name"], interval=60):
        client.invalidate()
    assert_type(client.handle_event({}), bool)
    stored = client.set_secret(
        "name", "value", enabled=True, tags={"a": "b"}, content_type="text", not_before=NOW, expires_on=NOW, timeout=3
    )
    assert_type(stored, KeyVaultSecret)
    assert_type(client.update_secret_properties("name", "version", tags={}), SecretProperties)
    assert_type(client.list_properties_of_secrets(max_page_size=5), ItemPaged[SecretProperties])
    assert_type(client.list_properties_of_secret_versions("name"), ItemPaged[SecretProperties])
    assert_type(client.list_deleted_secrets(), ItemPaged[DeletedSecret])
    for item in client.list_properties_of_secrets():
        assert_type(item, SecretProperties)
    assert_type(client.begin_delete_secret("name"), LROPoller[DeletedSecret])
    assert_type(client.begin_recover_deleted_secret("name"), LROPoller[SecretProperties])
    assert_type(client.get_deleted_secret("name"), DeletedSecret)
    client.purge_deleted_secret("name")
    backup = client.backup_secret("name")
    assert_type(backup, bytes)
    assert_type(client.restore_secret_backup(backup), SecretProperties)
    assert_type(client.send_request(HttpRequest("GET", "/secrets/name")), HttpResponse)
    assert_type(client.vault_url, str)
    assert_type(KeyVaultSecretIdentifier(secret.id or "").name, str)
    client.close()
    with SecretClient(URL) as entered:
        entered.get_secret("name")


def keys_and_certificates(vault: Vault) -> None:
    keys = KeyClient(URL, DefaultAzureCredential(), key_ttl=60)
    assert_type(vault.keys, KeyClient)
    assert_type(vault.certificates, CertificateClient)
    assert_type(vault.crypto("name", "version"), CryptographyClient)
    azures: list[azure.keyvault.keys.KeyClient] = [keys]
    assert azures
    key = keys.create_rsa_key("name", size=2048, tags={"a": "b"})
    assert_type(key, KeyVaultKey)
    assert_type(keys.create_key("name", KeyType.rsa, key_operations=[KeyOperation.sign, "verify"]), KeyVaultKey)
    assert_type(keys.begin_delete_key("name", timeout=60), LROPoller[DeletedKey])
    assert_type(keys.get_cryptography_client("name", local=False), CryptographyClient)

    crypto = CryptographyClient(key)
    CryptographyClient(f"{URL}/keys/name", credential=None, local=False)
    wrapped = crypto.wrap_key(KeyWrapAlgorithm.rsa_oaep_256, b"key")
    assert_type(wrapped, WrapResult)
    assert_type(crypto.unwrap_key(wrapped.algorithm, wrapped.encrypted_key, key_id=wrapped.key_id), UnwrapResult)
    assert_type(crypto.unwrap_key("RSA-OAEP-256", wrapped), UnwrapResult)

    certificates = CertificateClient(URL)
    found = certificates.get_private_key("name")
    assert_type(found, CertificateWithKey)
    assert_type(found.chain, tuple[Certificate, ...])
    assert_type(certificates.load_ssl_context("name", server_side=True), SSLContext)
    policy = CertificatePolicy("Self", subject="CN=name")
    assert_type(
        certificates.begin_create_certificate("name", policy), LROPoller[KeyVaultCertificate | CertificateOperation]
    )


async def aio_keys_and_certificates() -> None:
    keys = safekv.keys.aio.KeyClient(URL)
    key = await keys.get_key("name")
    assert_type(key, KeyVaultKey)
    assert_type(await keys.delete_key("name"), DeletedKey)
    crypto = keys.get_cryptography_client("name")
    assert_type(crypto, safekv.keys.crypto.aio.CryptographyClient)
    assert_type(await crypto.wrap_key(KeyWrapAlgorithm.rsa_oaep, b"key"), WrapResult)
    certificates = safekv.certificates.aio.CertificateClient(URL)
    assert_type(await certificates.get_private_key("name", "version"), CertificateWithKey)
    assert_type(await certificates.load_ssl_context("name"), SSLContext)


async def aio_door() -> None:
    client = safekv.secrets.aio.SecretClient(URL, AsyncDefaultAzureCredential(), timeout=5)
    assert_type(client, safekv.secrets.aio.SecretClient)
    safekv.secrets.aio.SecretClient(URL, DefaultAzureCredential())
    assert_type(await client.get_many(["a"], optional=["b"]), dict[str, KeyVaultSecret])
    assert_type(await client.with_secret("name", lambda secret: secret.name, retry_on=(OSError, KeyError)), str | None)
    async with client.watch():
        client.on_change(changed)

    assert_type(await client.get_secret("name"), KeyVaultSecret)
    assert_type(await client.set_secret("name", "value", expires_on=NOW), KeyVaultSecret)
    assert_type(await client.update_secret_properties("name", enabled=False), SecretProperties)
    assert_type(client.list_properties_of_secrets(), AsyncItemPaged[SecretProperties])
    assert_type(client.list_properties_of_secret_versions("name"), AsyncItemPaged[SecretProperties])
    async for item in client.list_deleted_secrets():
        assert_type(item, DeletedSecret)
    assert_type(await client.delete_secret("name"), DeletedSecret)
    assert_type(await client.get_deleted_secret("name"), DeletedSecret)
    assert_type(await client.recover_deleted_secret("name"), SecretProperties)
    await client.purge_deleted_secret("name")
    assert_type(await client.backup_secret("name"), bytes)
    assert_type(await client.send_request(HttpRequest("GET", "/secrets/name")), AsyncHttpResponse)
    await client.close()
    async with safekv.secrets.aio.SecretClient(URL) as entered:
        await entered.get_secret("name")


def takes_azures(client: azure.keyvault.secrets.SecretClient) -> None:
    """A function that was written for the SDK."""


def takes_azures_aio(client: azure.keyvault.secrets.aio.SecretClient) -> None:
    """Another."""


def takes_a_credential(credential: TokenCredential) -> None:
    """Another."""


def takes_an_async_credential(credential: AsyncTokenCredential) -> None:
    """Another."""


def drop_in() -> None:
    takes_azures(SecretClient(URL))
    takes_azures_aio(safekv.secrets.aio.SecretClient(URL))
    takes_a_credential(DefaultAzureCredential())
    takes_a_credential(ManagedIdentityCredential(client_id="id"))
    takes_an_async_credential(AsyncDefaultAzureCredential())
    default: azure.identity.DefaultAzureCredential = DefaultAzureCredential(exclude_cli_credential=True)
    assert_type(default.get_token("scope"), AccessToken)
    host: str = AzureAuthorityHosts.AZURE_CHINA
    assert host


class Mine(SecretClient):
    """A subclass."""

    def url(self) -> str:
        return self.vault_url


def subclass() -> None:
    assert_type(Mine(URL), Mine)
    assert_type(Mine(URL).url(), str)


def front_door() -> None:
    vault = Vault(URL, DefaultAzureCredential(), timeout=5)
    assert_type(vault, Vault)
    assert_type(vault.secrets, SecretClient)
    assert_type(vault.vault_url, str)
    with safekv.Vault() as entered:
        assert_type(entered, Vault)
    assert_type(safekv.__version__, str)


def errors() -> None:
    try:
        Vault("http://")
    except InvalidArgument as invalid:
        as_value_error: ValueError = invalid
        assert_type(invalid.hint, str | None)
        del as_value_error
    except CredentialTooOld as old:
        as_type_error: TypeError = old
        as_azures: ClientAuthenticationError = old
        del as_type_error, as_azures
    except AuthenticationFailed as failed:
        assert_type(failed.guide_url, str | None)
    except DeadlineExceeded as late:
        as_timeout: ServiceRequestTimeoutError = late
        del as_timeout
    except SafeKVError as error:
        assert_type(error.message, str)


def testing() -> None:
    with LocalKeyVault(seed=1, settings=EmulatorSettings()) as local:
        assert_type(local, LocalKeyVault)
        local.set_secret("name", "one", "two", vault="my-vault", tags={"a": "b"})
        assert_type(local.client, SecretClient)
        assert_type(local.vault("my-vault"), Vault)
        assert_type(local.aio_client(), safekv.secrets.aio.SecretClient)
        assert_type(local.credential(), LocalCredential)
        assert_type(local.fail(operation="get_secret", status=429, count=2), Fault)
        assert_type(local.journal, Journal)
        assert_type(local.emulator, Emulator)
        assert_type(local.url(), str)
        local.advance(seconds=301)
        takes_a_credential(local.credential())


def mapping(secrets: Mapping[str, KeyVaultSecret]) -> dict[str, str | None]:
    return {name: secret.value for name, secret in secrets.items()}


def wrong() -> None:
    """What has to be an error: an ignore that is not needed is one as well."""
    client = SecretClient(URL)
    client.get_secret(7)  # type: ignore[arg-type]
    client.set_secret("name", None)  # type: ignore[arg-type]
    client.get_secret("name", max_age="soon", version=7)  # type: ignore[arg-type]
    client.delete_secret("name")  # type: ignore[attr-defined]
    SecretClient(7)  # type: ignore[arg-type]
    Vault(URL).nothing  # type: ignore[attr-defined]  # noqa: B018
