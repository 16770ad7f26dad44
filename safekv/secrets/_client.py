"""The sync door to secrets. ``aio/_client.py`` is its twin."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import azure.keyvault.secrets
from azure.core.paging import ItemPaged
from azure.core.polling import LROPoller
from azure.keyvault.secrets import ApiVersion, ContentType, DeletedSecret, KeyVaultSecret, SecretProperties

from safekv._identifiers import object_name, secret_attributes, secret_value, some_name
from safekv.connection._client import SyncSharedClient


class SecretClient(SyncSharedClient, azure.keyvault.secrets.SecretClient):
    """``azure.keyvault.secrets.SecretClient``, shared: the same arguments give the same object.

    All methods and keywords are the SDK's. Names, values and tags that Key Vault would
    refuse raise ``safekv.errors.InvalidArgument`` (a ``ValueError``) before anything is
    sent. ``timeout=`` is the deadline of one call in seconds. ``close()`` gives back one
    lease; the last one closes the connection.
    """

    _api_versions = tuple(version.value for version in ApiVersion)

    @classmethod
    def _default_credential(cls) -> Any:
        from safekv.identity import DefaultAzureCredential

        return DefaultAzureCredential()

    def get_secret(
        self,
        name: str,
        version: str | None = None,
        *,
        out_content_type: str | ContentType | None = None,
        **kwargs: Any,
    ) -> KeyVaultSecret:
        return super().get_secret(object_name(name), version, out_content_type=out_content_type, **kwargs)

    def set_secret(
        self,
        name: str,
        value: str,
        *,
        enabled: bool | None = None,
        tags: dict[str, str] | None = None,
        content_type: str | None = None,
        not_before: datetime | None = None,
        expires_on: datetime | None = None,
        **kwargs: Any,
    ) -> KeyVaultSecret:
        secret_attributes(tags, content_type)
        return super().set_secret(
            some_name(name),  # the rest is checked in the pipeline: the SDK's tests set "..." in a patched one
            secret_value(value, name),
            enabled=enabled,
            tags=tags,
            content_type=content_type,
            not_before=not_before,
            expires_on=expires_on,
            **kwargs,
        )

    def update_secret_properties(
        self,
        name: str,
        version: str | None = None,
        *,
        enabled: bool | None = None,
        tags: dict[str, str] | None = None,
        content_type: str | None = None,
        not_before: datetime | None = None,
        expires_on: datetime | None = None,
        **kwargs: Any,
    ) -> SecretProperties:
        secret_attributes(tags, content_type)
        return super().update_secret_properties(
            object_name(name),
            version,
            enabled=enabled,
            tags=tags,
            content_type=content_type,
            not_before=not_before,
            expires_on=expires_on,
            **kwargs,
        )

    def list_properties_of_secret_versions(self, name: str, **kwargs: Any) -> ItemPaged[SecretProperties]:
        return super().list_properties_of_secret_versions(object_name(name), **kwargs)

    def backup_secret(self, name: str, **kwargs: Any) -> bytes:
        return super().backup_secret(object_name(name), **kwargs)

    def begin_delete_secret(self, name: str, **kwargs: Any) -> LROPoller[DeletedSecret]:
        return super().begin_delete_secret(object_name(name), **kwargs)

    def get_deleted_secret(self, name: str, **kwargs: Any) -> DeletedSecret:
        return super().get_deleted_secret(object_name(name), **kwargs)

    def purge_deleted_secret(self, name: str, **kwargs: Any) -> None:
        return super().purge_deleted_secret(object_name(name), **kwargs)

    def begin_recover_deleted_secret(self, name: str, **kwargs: Any) -> LROPoller[SecretProperties]:
        return super().begin_recover_deleted_secret(object_name(name), **kwargs)
