"""The aio door to keys. ``../_client.py`` is its twin."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import azure.keyvault.keys.aio
from azure.core.async_paging import AsyncItemPaged
from azure.core.tracing.decorator_async import distributed_trace_async
from azure.keyvault.keys import (
    ApiVersion,
    DeletedKey,
    JsonWebKey,
    KeyCurveName,
    KeyExportEncryptionAlgorithm,
    KeyOperation,
    KeyProperties,
    KeyReleasePolicy,
    KeyRotationLifetimeAction,
    KeyRotationPolicy,
    KeyType,
    KeyVaultKey,
    ReleaseKeyResult,
)

from safekv._identifiers import object_name, some_name
from safekv.connection._aclient import AsyncSharedClient
from safekv.connection._polling import Waiting, wait_until
from safekv.keys import _arguments

if TYPE_CHECKING:
    from safekv.keys.crypto.aio import CryptographyClient


class KeyClient(AsyncSharedClient, azure.keyvault.keys.aio.KeyClient):
    """``azure.keyvault.keys.aio.KeyClient``, shared, and usable from any event loop.

    As ``safekv.keys.KeyClient``. The credential may be a synchronous one: it is then asked in
    a worker thread, and shares its tokens with the synchronous clients.
    """

    _api_versions = tuple(version.value for version in ApiVersion)
    _on_hsm = True

    @classmethod
    def _default_credential(cls) -> Any:
        from safekv.identity import DefaultAzureCredential

        return DefaultAzureCredential()

    def get_cryptography_client(
        self, key_name: str, *, key_version: str | None = None, **kwargs: Any
    ) -> CryptographyClient:
        """The ``CryptographyClient`` for a key, on this client's lease: it is closed with this client.

        :keyword bool local: False to have the service do what could be done here with the public key.
        """
        from safekv.keys.crypto.aio import CryptographyClient

        key_id = "/".join(filter(None, (self.vault_url, "keys", object_name(key_name, "key"), key_version)))
        return CryptographyClient._of(self, key_id, kwargs.get("local"))

    async def create_key(
        self,
        name: str,
        key_type: str | KeyType,
        *,
        size: int | None = None,
        curve: str | KeyCurveName | None = None,
        public_exponent: int | None = None,
        key_operations: list[str | KeyOperation] | None = None,
        enabled: bool | None = None,
        tags: dict[str, str] | None = None,
        not_before: datetime | None = None,
        expires_on: datetime | None = None,
        exportable: bool | None = None,
        release_policy: KeyReleasePolicy | None = None,
        **kwargs: Any,
    ) -> KeyVaultKey:
        _arguments.new_key(key_type, size, curve, key_operations, tags)
        return await super().create_key(
            some_name(
                name, "key"
            ),  # the rest is checked in the pipeline: the SDK's tests create "..." in a patched one
            key_type,
            size=size,
            curve=curve,
            public_exponent=public_exponent,
            key_operations=key_operations,
            enabled=enabled,
            tags=tags,
            not_before=not_before,
            expires_on=expires_on,
            exportable=exportable,
            release_policy=release_policy,
            **kwargs,
        )

    @distributed_trace_async
    async def delete_key(self, name: str, **kwargs: Any) -> DeletedKey:
        waiting = Waiting.of(self, "delete_key", kwargs)
        kwargs.pop("_polling_interval", None)
        bundle = await self._client.delete_key(key_name=object_name(name, "key"), **kwargs)
        deleted = DeletedKey._from_deleted_key_bundle(bundle)
        if deleted.recovery_id is not None:  # there is soft-delete
            await wait_until(partial(self.get_deleted_key, name, **kwargs), waiting, self._lease.sleep)
        return deleted

    async def get_key(self, name: str, version: str | None = None, **kwargs: Any) -> KeyVaultKey:
        return await super().get_key(object_name(name, "key"), version, **kwargs)

    async def get_deleted_key(self, name: str, **kwargs: Any) -> DeletedKey:
        return await super().get_deleted_key(object_name(name, "key"), **kwargs)

    def list_properties_of_key_versions(self, name: str, **kwargs: Any) -> AsyncItemPaged[KeyProperties]:
        return super().list_properties_of_key_versions(object_name(name, "key"), **kwargs)

    async def purge_deleted_key(self, name: str, **kwargs: Any) -> None:
        await super().purge_deleted_key(object_name(name, "key"), **kwargs)

    @distributed_trace_async
    async def recover_deleted_key(self, name: str, **kwargs: Any) -> KeyVaultKey:
        waiting = Waiting.of(self, "recover_deleted_key", kwargs)
        kwargs.pop("_polling_interval", None)
        bundle = await self._client.recover_deleted_key(key_name=object_name(name, "key"), **kwargs)
        await wait_until(partial(self.get_key, name, **kwargs), waiting, self._lease.sleep)
        return KeyVaultKey._from_key_bundle(bundle)

    async def update_key_properties(
        self,
        name: str,
        version: str | None = None,
        *,
        key_operations: list[str | KeyOperation] | None = None,
        enabled: bool | None = None,
        tags: dict[str, str] | None = None,
        not_before: datetime | None = None,
        expires_on: datetime | None = None,
        release_policy: KeyReleasePolicy | None = None,
        **kwargs: Any,
    ) -> KeyVaultKey:
        _arguments.key_attributes(key_operations, tags)
        return await super().update_key_properties(
            object_name(name, "key"),
            version,
            key_operations=key_operations,
            enabled=enabled,
            tags=tags,
            not_before=not_before,
            expires_on=expires_on,
            release_policy=release_policy,
            **kwargs,
        )

    async def backup_key(self, name: str, **kwargs: Any) -> bytes:
        return await super().backup_key(object_name(name, "key"), **kwargs)

    async def import_key(
        self,
        name: str,
        key: JsonWebKey,
        *,
        hardware_protected: bool | None = None,
        enabled: bool | None = None,
        tags: dict[str, str] | None = None,
        not_before: datetime | None = None,
        expires_on: datetime | None = None,
        exportable: bool | None = None,
        release_policy: KeyReleasePolicy | None = None,
        **kwargs: Any,
    ) -> KeyVaultKey:
        _arguments.key_to_import(key, tags)
        return await super().import_key(
            object_name(name, "key"),
            key,
            hardware_protected=hardware_protected,
            enabled=enabled,
            tags=tags,
            not_before=not_before,
            expires_on=expires_on,
            exportable=exportable,
            release_policy=release_policy,
            **kwargs,
        )

    async def release_key(
        self,
        name: str,
        target_attestation_token: str,
        *,
        version: str | None = None,
        algorithm: str | KeyExportEncryptionAlgorithm | None = None,
        nonce: str | None = None,
        **kwargs: Any,
    ) -> ReleaseKeyResult:
        return await super().release_key(
            object_name(name, "key"),
            target_attestation_token,
            version=version,
            algorithm=algorithm,
            nonce=nonce,
            **kwargs,
        )

    async def get_random_bytes(self, count: int, **kwargs: Any) -> bytes:
        _arguments.random_bytes(count)
        return await super().get_random_bytes(count, **kwargs)

    async def get_key_rotation_policy(self, key_name: str, **kwargs: Any) -> KeyRotationPolicy:
        return await super().get_key_rotation_policy(object_name(key_name, "key"), **kwargs)

    async def rotate_key(self, name: str, **kwargs: Any) -> KeyVaultKey:
        return await super().rotate_key(object_name(name, "key"), **kwargs)

    async def update_key_rotation_policy(
        self,
        key_name: str,
        policy: KeyRotationPolicy,
        *,
        lifetime_actions: list[KeyRotationLifetimeAction] | None = None,
        expires_in: str | None = None,
        **kwargs: Any,
    ) -> KeyRotationPolicy:
        return await super().update_key_rotation_policy(
            object_name(key_name, "key"), policy, lifetime_actions=lifetime_actions, expires_in=expires_in, **kwargs
        )

    async def get_key_attestation(self, name: str, version: str | None = None, **kwargs: Any) -> KeyVaultKey:
        return await super().get_key_attestation(object_name(name, "key"), version, **kwargs)
