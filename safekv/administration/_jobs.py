"""The four long operations of a Managed HSM: what is sent to begin one, and waiting until it has ended.

The SDK's poller looks for ever, gives up at the first failure of a look, and says "Operation failed or canceled".
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from azure.core.exceptions import AzureError, DecodeError
from azure.core.polling.base_polling import BadResponse
from azure.keyvault.administration import KeyVaultBackupResult
from azure.keyvault.administration._internal import parse_folder_url
from azure.keyvault.administration._internal.async_polling import KeyVaultAsyncBackupClientPollingMethod
from azure.keyvault.administration._internal.polling import (
    KeyVaultBackupClientPolling,
    KeyVaultBackupClientPollingMethod,
)

from safekv._identifiers import object_name
from safekv.administration import _arguments
from safekv.connection._polling import Waiting
from safekv.connection.pipeline._reading import error_in
from safekv.errors import InvalidArgument, OperationFailed, SafeKVError, UnreadableAnswer
from safekv.resilience._retry_after import retry_after

#: Seconds between two looks where the HSM asks for nothing else, as in the SDK.
INTERVAL = 5.0
#: Seconds after which waiting ends: a full backup of many keys takes long.
TIMEOUT = 3_600.0
#: What azure-core raises where an answer is no status: the last is for JSON of another kind.
_NO_STATUS = (BadResponse, DecodeError, AttributeError)


class Job(NamedTuple):
    """What begins an operation. ``method`` and ``status`` are those of the SDK's generated client."""

    operation: str
    method: str
    arguments: dict[str, Any]
    status: str
    result: Callable[..., Any]

    def resumed_result(self, pipeline_response: Any) -> Any:
        """The result, from the last answer of an operation that another poller has begun."""
        if self.operation != "backup":
            return None
        return KeyVaultBackupResult(folder_url=pipeline_response.http_response.json()["azureStorageBlobContainerUri"])


def backup(models: Any, blob_storage_url: str, positional: tuple[Any, ...], given: dict[str, Any]) -> Job:
    """A full backup. Takes what is its own from the keywords that were given, as the following do."""
    storage = _storage(models, _arguments.container(blob_storage_url), _access(positional, given))
    arguments = {"azure_storage_blob_container_uri": storage}
    return Job("backup", "begin_full_backup", arguments, "full_backup_status", KeyVaultBackupResult._from_generated)


def restore(models: Any, folder_url: str, positional: tuple[Any, ...], given: dict[str, Any]) -> Job:
    """A full restoration, or with ``key_name`` that of one key."""
    place = parse_folder_url(_arguments.folder(folder_url))
    storage = _storage(models, place.container_url, _access(positional, given))
    name = given.pop("key_name", None)
    if name is None:
        details = models.RestoreOperationParameters(sas_token_parameters=storage, folder_to_restore=place.folder_name)
        return _restoring("restore", "begin_full_restore_operation", restore_blob_details=details)
    object_name(name, "key")
    details = models.SelectiveKeyRestoreOperationParameters(sas_token_parameters=storage, folder=place.folder_name)
    method = "begin_selective_key_restore_operation"
    return _restoring("selective_restore", method, restore_blob_details=details, key_name=name)


def pre_backup(models: Any, blob_storage_url: str, given: dict[str, Any]) -> Job:
    """The check whether a backup is possible."""
    token, identity = _access((), given)
    parameters = models.PreBackupOperationParameters(
        storage_resource_uri=_arguments.container(blob_storage_url), token=token, use_managed_identity=identity
    )
    arguments = {"pre_backup_operation_parameters": parameters}
    return Job("pre_backup", "begin_pre_full_backup", arguments, "full_backup_status", _nothing)


def pre_restore(models: Any, folder_url: str, given: dict[str, Any]) -> Job:
    """The check whether a restoration is possible."""
    place = parse_folder_url(_arguments.folder(folder_url))
    storage = _storage(models, place.container_url, _access((), given))
    parameters = models.PreRestoreOperationParameters(folder_to_restore=place.folder_name, sas_token_parameters=storage)
    return _restoring("pre_restore", "begin_pre_full_restore_operation", pre_restore_operation_parameters=parameters)


def _restoring(operation: str, method: str, **arguments: Any) -> Job:
    return Job(operation, method, arguments, "restore_status", _nothing)


def _nothing(*_: Any) -> None:
    """The result of what has none."""


def _access(positional: tuple[Any, ...], given: dict[str, Any]) -> tuple[str | None, bool]:
    """The SAS token, which used to be positional, and whether the HSM's identity is to be used instead."""
    keyword, identity = given.pop("sas_token", None), given.pop("use_managed_identity", False)
    if len(positional) > 1:
        raise TypeError(f"only sas_token may follow the address, but {len(positional)} arguments do")
    token = positional[0] if positional else keyword
    _arguments.storage_access(token, identity)
    return token, bool(identity)


def _storage(models: Any, address: str, access: tuple[str | None, bool]) -> Any:
    return models.SASTokenParameter(storage_resource_uri=address, token=access[0], use_managed_identity=access[1])


def address_in(token: object, vault_url: str) -> str:
    """Where to look, as a poller's ``continuation_token()`` says. No request goes to anybody but this HSM.

    :raises InvalidArgument: for anything else.
    """
    try:
        text = base64.b64decode(str(token), validate=True).decode("ascii")
        address = urlsplit(text)
        path = address.path.split("/")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise _bad_token("The continuation_token is malformed.") from None
    if len(path) != 4 or path[1] not in ("backup", "restore") or path[3] != "pending":
        raise _bad_token("The continuation_token is malformed.")
    if address.scheme != "https" or address.netloc.lower() != urlsplit(vault_url).netloc.lower():
        raise _bad_token(f"The continuation_token is not one of an operation on {vault_url}.")
    return text


def job_id(address: str) -> str:
    """Of the operation that is looked at there."""
    return urlsplit(address).path.split("/")[2]


def whole_answer(pipeline_response: Any, _: Any, __: Any) -> Any:
    """The generated client's ``cls``: the answer as it came."""
    return pipeline_response


def resumed(seen: Any, address: str) -> Any:
    """The answer to a look, as if it were that to the request that began the operation."""
    seen.http_response.headers["azure-asyncoperation"] = address
    return seen


def _bad_token(problem: str) -> InvalidArgument:
    return InvalidArgument(problem, hint="A poller's continuation_token() gives one.")


class _Waited:
    """What both colours have in common, in front of the SDK's polling method."""

    _waiting: Waiting
    _now: Callable[[], float]
    _operation_name: str
    _host: str

    def prepared(self, waiting: Waiting, now: Callable[[], float], operation: str, host: str) -> Any:
        """``waiting`` bounds it, ``now`` is the time since 1970; the others are for messages."""
        self._waiting, self._now, self._operation_name, self._host = waiting, now, operation, host
        return self

    def look_timeout(self) -> float:
        """Seconds for the next request."""
        return self._waiting.look_timeout()

    def _before_look(self: Any) -> None:
        self._operation_config["timeout"] = self.look_timeout()

    def _look_failed(self, error: Exception) -> None:
        """What does not pass is raised."""
        if getattr(error, "transient", False) is True:
            self._waiting.is_over(error)
            return
        if isinstance(error, SafeKVError) or not isinstance(error, _NO_STATUS):
            raise error
        raise UnreadableAnswer(
            f"What {self._host} says of {self._operation_name} is no status of an operation: {error}",
            hint="A proxy or a gateway on the way may have given it. The operation goes on in the HSM.",
            vault=self._host,
            operation=self._operation_name,
        ) from error

    def _pause(self: Any) -> float:
        """Seconds until the next look: as the HSM has asked, else 5."""
        headers = self._pipeline_response.http_response.headers
        return self._waiting.pause(retry_after(headers, self._now()))  # type: ignore[no-any-return]  # the SDK does not say

    def _check(self: Any) -> None:
        if self.status().lower() != "succeeded":
            raise self._failure()

    def _failure(self: Any) -> OperationFailed:
        code, inner_code, message = error_in(self._pipeline_response.http_response) or (None, None, "")
        said = f": ({code}) {message}" if code or message else ""
        return OperationFailed(
            f"{self._operation_name} on {self._host} has ended as {self.status()!r}{said}",
            hint="See that the container exists and that the HSM may use it (its managed identity needs the role "
            "'Storage Blob Data Contributor'; a SAS token has to allow reading, writing, creating, deleting and "
            "listing); begin_pre_backup and begin_pre_restore say beforehand whether it would work.",
            code=code,
            inner_code=inner_code,
            vault=self._host,
            operation=self._operation_name,
        )


class JobPolling(_Waited, KeyVaultBackupClientPollingMethod):
    """In the SDK's poller."""

    def run(self) -> None:
        while not self.finished():
            self._before_look()
            try:
                self.update_status()
            except (AzureError, *_NO_STATUS) as error:
                self._look_failed(error)
            if not self.finished():
                self._sleep(self._pause())
        self._check()


class AsyncJobPolling(_Waited, KeyVaultAsyncBackupClientPollingMethod):
    """In the SDK's aio poller."""

    async def run(self) -> None:
        while not self.finished():
            self._before_look()
            try:
                await self.update_status()
            except (AzureError, *_NO_STATUS) as error:
                self._look_failed(error)
            if not self.finished():
                await self._sleep(self._pause())
        self._check()


def polling(kind: type[Any], client: Any, job: Job, given: dict[str, Any]) -> Any:
    """A polling method for a call of a client with these keywords; ``timeout`` is taken from them."""
    waiting = Waiting.of(client, job.operation, given, interval=INTERVAL, timeout=TIMEOUT)
    for name in ("timeout", "_polling_interval"):
        given.pop(name, None)
    method = kind(timeout=INTERVAL, lro_algorithms=[KeyVaultBackupClientPolling()], **given)
    now = client._lease.connection.clock.time
    return method.prepared(waiting, now, job.operation, urlsplit(client.vault_url).netloc)
