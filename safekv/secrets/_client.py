"""The sync door to secrets. ``aio/_client.py`` is its twin."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import azure.keyvault.secrets
from azure.core.paging import ItemPaged
from azure.core.polling import LROPoller
from azure.keyvault.secrets import ApiVersion, ContentType, DeletedSecret, KeyVaultSecret, SecretProperties

from safekv._clock import SYSTEM_RANDOM
from safekv._identifiers import object_name, secret_attributes, secret_value, some_name
from safekv.connection._client import SyncSharedClient
from safekv.connection._polling import Waiting, bounded
from safekv.secrets._methods import CONCURRENCY, INTERVAL, JITTER, CacheMethods

if TYPE_CHECKING:
    from safekv.connection._connection import Connection
    from safekv.secrets._watch import Bad, Watch

T = TypeVar("T")


class SecretClient(CacheMethods, SyncSharedClient, azure.keyvault.secrets.SecretClient):
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

    def _prepare(self, connection: Connection, own: Mapping[str, Any]) -> None:
        from safekv.secrets._reads import SyncSecretCache

        self._begin_cache(SyncSecretCache, connection, own)

    def _give_back(self, lease: Any) -> None:
        super()._give_back(lease)
        if lease.leases <= 0:
            self._end_cache()

    def get_secret(
        self,
        name: str,
        version: str | None = None,
        *,
        out_content_type: str | ContentType | None = None,
        **kwargs: Any,
    ) -> KeyVaultSecret:
        """The secret, from the cache where there is one. See docs/cache.md.

        :keyword float max_age: how old the answer may be, in seconds; 0 reads the vault.
        :keyword float timeout: how long the call may take, in seconds.
        """
        if not kwargs and out_content_type is None:
            reads = self._reads
            try:
                entry = reads.entries[name, version]
            except (KeyError, TypeError):
                pass
            else:
                now = reads.now()
                if now < entry.look_at:  # nothing to decide: all of a hit is in these lines
                    entry.used = now
                    entry.hits += 1
                    return entry.value.secret()  # type: ignore[no-any-return]
        return self._get_secret(object_name(name), version, out_content_type, kwargs)

    def _get_secret(self, name: str, version: str | None, out_content_type: Any, kwargs: Any) -> KeyVaultSecret:
        if self._reads.may_answer(out_content_type, kwargs):
            answer: KeyVaultSecret = self._reads.read(self, name, version, **kwargs)
            return answer
        self._reads.noted(self._lease.connection, name, self._lease.clock.monotonic())
        kwargs.pop("max_age", None)  # ours; the SDK would complain
        return self._read_vault(name, version, out_content_type=out_content_type, **kwargs)

    def _read_vault(self, name: str, version: str | None, **kwargs: Any) -> KeyVaultSecret:
        return super().get_secret(name, version, **kwargs)

    def get_many(
        self,
        names: Iterable[str],
        optional: Iterable[str] = (),
        *,
        timeout: float | None = None,
        concurrency: int = CONCURRENCY,
    ) -> dict[str, KeyVaultSecret]:
        """Several secrets by name, through the cache, ``concurrency`` at once.

        :param names: what has to be there.
        :param optional: what is left out of the answer if there is no such secret.
        :param timeout: seconds for all of it; by default as long as one call of this client may take.
        :raises LoadError: naming every secret that could not be read, and what to do about it.
        """
        from safekv.secrets._many import Load, get_many

        seconds = self._call_timeout if timeout is None else timeout
        load = Load(urlsplit(self._url).netloc, names, optional, seconds, concurrency, self._lease.clock.monotonic)
        return get_many(load, self.get_secret)

    def with_secret(self, name: str, use: Callable[[KeyVaultSecret], T], *, retry_on: Bad) -> T:
        """``use(secret)``; if that raises ``retry_on``, once more with the version that the vault has now.

        For credentials that are rotated: the consumer is the first to know that one is bad. If the
        vault has no other version, or cannot be read, what ``use`` raised is raised.
        """
        from safekv.secrets._watch import with_secret

        return with_secret(self, name, use, retry_on)

    def watch(self, names: Iterable[str] | None = None, *, interval: float = INTERVAL, jitter: float = JITTER) -> Watch:
        """Look for new versions every ``interval`` seconds, in the background; up to a part ``jitter`` earlier.

        What has changed is read, and told to ``on_change``. Needs no permission to list.

        :param names: by default all secrets that are kept at the time.
        :returns: what ends it: ``stop()``, or leaving ``with``.
        """
        from safekv.secrets._rotation import Rounds, with_cache
        from safekv.secrets._watch import Watch

        return Watch(self, Rounds(with_cache(self._reads, "watch"), names, interval, jitter, SYSTEM_RANDOM))

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
        waiting = Waiting.of(self, "delete_secret", kwargs)
        return bounded(super().begin_delete_secret(object_name(name), **kwargs), waiting)

    def get_deleted_secret(self, name: str, **kwargs: Any) -> DeletedSecret:
        return super().get_deleted_secret(object_name(name), **kwargs)

    def purge_deleted_secret(self, name: str, **kwargs: Any) -> None:
        return super().purge_deleted_secret(object_name(name), **kwargs)

    def begin_recover_deleted_secret(self, name: str, **kwargs: Any) -> LROPoller[SecretProperties]:
        waiting = Waiting.of(self, "recover_deleted_secret", kwargs)
        return bounded(_Poller.of(self).begin_recover_deleted_secret(object_name(name), **kwargs), waiting)


class _Poller(azure.keyvault.secrets.SecretClient):
    """The client as the SDK's recover poller is to see it: what that reads is in no cache, and is news to all."""

    @classmethod
    def of(cls, client: SecretClient) -> _Poller:
        poller = object.__new__(cls)
        poller.__dict__ = client.__dict__  # one client, seen in another way
        return poller

    def get_secret(self, name: str, version: str | None = None, **kwargs: Any) -> KeyVaultSecret:
        secret = super().get_secret(name, version, **kwargs)
        SecretClient.invalidate(self, name)  # type: ignore[arg-type]
        return secret
