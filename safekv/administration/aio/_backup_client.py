"""The aio door to full backups. ``../_backup_client.py`` is its twin."""

from __future__ import annotations

from typing import Any

import azure.keyvault.administration.aio
from azure.core.polling import AsyncLROPoller
from azure.core.tracing.decorator_async import distributed_trace_async
from azure.keyvault.administration import ApiVersion, KeyVaultBackupResult

from safekv.administration import _jobs
from safekv.connection._aclient import AsyncSharedClient


class KeyVaultBackupClient(AsyncSharedClient, azure.keyvault.administration.aio.KeyVaultBackupClient):
    """``azure.keyvault.administration.aio.KeyVaultBackupClient``, shared, and usable from any event loop.

    As ``safekv.administration.KeyVaultBackupClient``. The credential may be a synchronous one.
    """

    _api_versions = tuple(version.value for version in ApiVersion)
    _on_hsm = True
    _on_vault = False

    @classmethod
    def _default_credential(cls) -> Any:
        from safekv.identity import DefaultAzureCredential

        return DefaultAzureCredential()

    # Ignored: what the decorator makes of a coroutine function is no coroutine function to mypy, in the SDK too.

    @distributed_trace_async
    async def begin_backup(  # type: ignore[override]  # a coroutine, as the SDK makes it
        self, blob_storage_url: str, *args: str, **kwargs: Any
    ) -> AsyncLROPoller[KeyVaultBackupResult]:
        """Back everything up into a folder of a container, of which the result has the ``folder_url``.

        :keyword bool use_managed_identity: True, unless there is a ``sas_token``.
        :keyword str continuation_token: of a poller, to wait for what that has begun.
        :keyword float timeout: seconds for all of it.
        """
        return await self._begin(_jobs.backup(self._models, blob_storage_url, args, kwargs), kwargs)

    @distributed_trace_async
    async def begin_restore(  # type: ignore[override]  # a coroutine, as the SDK makes it
        self, folder_url: str, *args: str, **kwargs: Any
    ) -> AsyncLROPoller[None]:
        """Restore a backup, which replaces all keys and roles; or one key of it.

        :keyword str key_name: of the one key.

        Other keywords as for :meth:`begin_backup`.
        """
        return await self._begin(_jobs.restore(self._models, folder_url, args, kwargs), kwargs)

    @distributed_trace_async
    async def begin_pre_backup(  # type: ignore[override]  # a coroutine, as the SDK makes it
        self, blob_storage_url: str, **kwargs: Any
    ) -> AsyncLROPoller[None]:
        """Check whether :meth:`begin_backup` with the same arguments would work."""
        return await self._begin(_jobs.pre_backup(self._models, blob_storage_url, kwargs), kwargs)

    @distributed_trace_async
    async def begin_pre_restore(  # type: ignore[override]  # a coroutine, as the SDK makes it
        self, folder_url: str, **kwargs: Any
    ) -> AsyncLROPoller[None]:
        """Check whether :meth:`begin_restore` with the same arguments would work."""
        return await self._begin(_jobs.pre_restore(self._models, folder_url, kwargs), kwargs)

    async def _begin(self, job: _jobs.Job, kwargs: dict[str, Any]) -> AsyncLROPoller[Any]:
        token = kwargs.pop("continuation_token", None)
        polling = _jobs.polling(_jobs.AsyncJobPolling, self, job, kwargs)
        kwargs["timeout"] = polling.look_timeout()
        if token is None:
            begin: Any = getattr(self._client, job.method)
            poller: AsyncLROPoller[Any] = await begin(**job.arguments, cls=job.result, polling=polling, **kwargs)
            return poller
        address = _jobs.address_in(token, self.vault_url)
        look: Any = getattr(self._client, job.status)
        seen = await look(job_id=_jobs.job_id(address), cls=_jobs.whole_answer, **kwargs)
        return AsyncLROPoller(self._client._client, _jobs.resumed(seen, address), job.resumed_result, polling)
