"""The sync door to full backups. ``aio/_backup_client.py`` is its twin."""

from __future__ import annotations

from typing import Any

import azure.keyvault.administration
from azure.core.polling import LROPoller
from azure.core.tracing.decorator import distributed_trace
from azure.keyvault.administration import ApiVersion, KeyVaultBackupResult

from safekv.administration import _jobs
from safekv.connection._client import SyncSharedClient


class KeyVaultBackupClient(SyncSharedClient, azure.keyvault.administration.KeyVaultBackupClient):
    """``azure.keyvault.administration.KeyVaultBackupClient``, shared: the same arguments give the same object.

    All methods and keywords are the SDK's. An operation is begun once: where nobody knows whether it has begun,
    ``AmbiguousWrite`` is raised. Its poller ends after ``timeout=`` seconds (an hour by default) with
    ``DeadlineExceeded``, outlasts failures that pass, and raises ``OperationFailed`` with what the HSM says.
    """

    _api_versions = tuple(version.value for version in ApiVersion)
    _on_hsm = True
    _on_vault = False

    @classmethod
    def _default_credential(cls) -> Any:
        from safekv.identity import DefaultAzureCredential

        return DefaultAzureCredential()

    @distributed_trace
    def begin_backup(self, blob_storage_url: str, *args: str, **kwargs: Any) -> LROPoller[KeyVaultBackupResult]:
        """Back everything up into a folder of a container, of which the result has the ``folder_url``.

        :keyword bool use_managed_identity: True, unless there is a ``sas_token``.
        :keyword str continuation_token: of a poller, to wait for what that has begun.
        :keyword float timeout: seconds for all of it.
        """
        return self._begin(_jobs.backup(self._models, blob_storage_url, args, kwargs), kwargs)

    @distributed_trace
    def begin_restore(self, folder_url: str, *args: str, **kwargs: Any) -> LROPoller[None]:
        """Restore a backup, which replaces all keys and roles; or one key of it.

        :keyword str key_name: of the one key.

        Other keywords as for :meth:`begin_backup`.
        """
        return self._begin(_jobs.restore(self._models, folder_url, args, kwargs), kwargs)

    @distributed_trace
    def begin_pre_backup(self, blob_storage_url: str, **kwargs: Any) -> LROPoller[None]:
        """Check whether :meth:`begin_backup` with the same arguments would work."""
        return self._begin(_jobs.pre_backup(self._models, blob_storage_url, kwargs), kwargs)

    @distributed_trace
    def begin_pre_restore(self, folder_url: str, **kwargs: Any) -> LROPoller[None]:
        """Check whether :meth:`begin_restore` with the same arguments would work."""
        return self._begin(_jobs.pre_restore(self._models, folder_url, kwargs), kwargs)

    def _begin(self, job: _jobs.Job, kwargs: dict[str, Any]) -> LROPoller[Any]:
        token = kwargs.pop("continuation_token", None)
        polling = _jobs.polling(_jobs.JobPolling, self, job, kwargs)
        kwargs["timeout"] = polling.look_timeout()
        if token is None:
            begin: Any = getattr(self._client, job.method)
            poller: LROPoller[Any] = begin(**job.arguments, cls=job.result, polling=polling, **kwargs)
            return poller
        address = _jobs.address_in(token, self.vault_url)
        look: Any = getattr(self._client, job.status)
        seen = look(job_id=_jobs.job_id(address), cls=_jobs.whole_answer, **kwargs)
        return LROPoller(self._client._client, _jobs.resumed(seen, address), job.resumed_result, polling)
