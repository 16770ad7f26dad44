"""Full backups of a Managed HSM, restoring them or one key of them, and the checks before.

A backup has the keys with all their versions, and the local roles. It lies in the emulator's storage, by the address of
its folder, and can be restored into any HSM of the emulator. There is no blob service: any container will do, unless
``Vault.storage_error`` says that it fails.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from safekv.emulator import _attributes, _stored
from safekv.emulator._answers import Refused
from safekv.emulator._call import Call, Route
from safekv.emulator._jobs import begin
from safekv.emulator._keys import KIND
from safekv.emulator._messages import Response

if TYPE_CHECKING:
    from safekv.emulator._vault import Vault

#: A full restore replaces everything, so the HSM wants a backup of what there is, no older than this (seconds).
SAFE_TIME = 1_800
#: The members of a backup.
MEMBERS = {"keys": list, "definitions": dict, "assignments": dict}
_Error = tuple[str, str]  # code and message; what the service says is not known but for SAFE_TIME


def backup(call: Call) -> Response:
    """What is there now is what will be in it."""
    container = _container(_attributes.read_json(call.request.body))
    vault = call.vault
    moment = datetime.fromtimestamp(call.now, timezone.utc)
    folder = f"{container}/mhsm-{vault.name}-{moment:%Y%m%d%H%M%S}{moment.microsecond // 10_000:02}"
    keys = [_stored.dump(stored) for stored in vault.collection(KIND)]
    content = copy.deepcopy({"keys": keys, **vault.administration.roles()})
    ends = call.now + vault.surroundings.settings.backup_delay

    def store(vault: Vault) -> None:
        vault.surroundings.backups[folder] = content
        vault.administration.backed_up = ends

    return _begin(call, "backup", effect=store, folder=folder)


def restore(call: Call) -> Response:
    """All keys and roles that are there make way for those of the backup."""
    folder = _folder(call, "folderToRestore")
    content, error = _read(call, folder)
    return _begin(call, "restore", error=error or _not_safe(call), effect=_restoring(content))


def selective_restore(call: Call) -> Response:
    """One key of the backup, with all its versions, in the place of what has its name."""
    folder = _folder(call, "folder")
    content, error = _read(call, folder)
    wanted = [each for each in content["keys"] if each["name"].lower() == call.name.lower()]
    if not wanted and error is None:
        error = ("KeyNotFound", f"The backup has no key {call.name}")

    def put(vault: Vault) -> None:
        vault.collection(KIND).replace(_stored.load(KIND, wanted[0], "backup"))

    return _begin(call, "restore", error=error, effect=put)


def pre_backup(call: Call) -> Response:
    _container(_attributes.read_json(call.request.body))
    return begin(call, "backup", 0, error=_storage_error(call))


def pre_restore(call: Call) -> Response:
    _, error = _read(call, _folder(call, "folderToRestore"))
    return begin(call, "restore", 0, error=error or _not_safe(call))


def _begin(call: Call, kind: str, *, error: _Error | None = None, **what: Any) -> Response:
    seconds = call.vault.surroundings.settings.backup_delay
    return begin(call, kind, seconds, error=_storage_error(call) or error, **what)


def _restoring(content: dict[str, Any]) -> Callable[[Vault], None]:
    def put(vault: Vault) -> None:
        keys = vault.collection(KIND)
        keys.clear()
        for document in content["keys"]:
            keys.add(_stored.load(KIND, document, "backup"))
        vault.administration.definitions = copy.deepcopy(content["definitions"])
        vault.administration.assignments = copy.deepcopy(content["assignments"])

    return put


def _read(call: Call, folder: str) -> tuple[dict[str, Any], _Error | None]:
    """The backup in a folder; an empty one with the error if it cannot be had."""
    nothing: dict[str, Any] = {"keys": [], "definitions": {}, "assignments": {}}
    error = _storage_error(call)
    found = call.vault.surroundings.backups.get(folder)
    if found is None and error is None:
        error = ("BackupNotFound", f"There is no backup at {folder}")
    return (nothing, error) if error else (found or nothing, None)


def _not_safe(call: Call) -> _Error | None:
    made = call.vault.administration.backed_up
    recently = made is not None and call.now - made <= SAFE_TIME
    if recently or not len(call.vault.collection(KIND)):
        return None
    return ("BackupRequired", "This Managed HSM hasn't been backed up within the safe time limit of 30 minutes")


def _storage_error(call: Call) -> _Error | None:
    error = call.vault.storage_error
    return None if error is None else ("StorageError", error)


def _folder(call: Call, member: str) -> str:
    document = _attributes.read_json(call.request.body)
    name, storage = document.get(member), document.get("sasTokenParameters")
    if not isinstance(name, str) or not name.strip("/") or not isinstance(storage, dict):
        raise Refused("400_value")
    return f"{_container(storage)}/{name.strip('/')}"


def _container(storage: dict[str, Any]) -> str:
    """The address of a container, to which either a token gives access or the HSM's managed identity."""
    address, token = storage.get("storageResourceUri"), storage.get("token")
    identity = storage.get("useManagedIdentity") or False
    if not isinstance(address, str) or type(identity) is not bool or not isinstance(token, str | None):
        raise Refused("400_value")
    parts = urlsplit(address)
    if parts.scheme != "https" or not parts.netloc or not parts.path.strip("/") or bool(token) == identity:
        raise Refused("400_value")
    return address.rstrip("/")


ROUTES = tuple(
    Route(operation, method, path, handler, limit, on_hsm=True, on_vault=False)
    for operation, method, path, handler, limit in (
        ("backup", "POST", "/backup", backup, "mhsm_full_backup"),
        ("pre_backup", "POST", "/prebackup", pre_backup, "other"),
        ("restore", "PUT", "/restore", restore, "mhsm_full_backup"),
        ("pre_restore", "PUT", "/prerestore", pre_restore, "other"),
        ("selective_restore", "PUT", "/keys/{name}/restore", selective_restore, "mhsm_full_backup"),
    )
)
