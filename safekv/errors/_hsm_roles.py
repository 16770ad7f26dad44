"""The built-in local roles of a Managed HSM, as the service lists them, and which action each operation needs.

Azure's roles mean nothing inside an HSM; these do. Actions come without ``PREFIX``.
"""

from __future__ import annotations

from typing import NamedTuple

PREFIX = "Microsoft.KeyVault/managedHsm/"


class LocalRole(NamedTuple):
    """A built-in role: its name, the GUID of its definition, and the data actions that it allows."""

    name: str
    id: str
    actions: tuple[str, ...]


_READ_ROLES = "roleDefinitions/read/action roleAssignments/read/action"
_MANAGE_ROLES = (
    "roleAssignments/delete/action roleAssignments/read/action roleAssignments/write/action "
    "roleDefinitions/read/action roleDefinitions/write/action roleDefinitions/delete/action"
)

#: From those that may do little to those that may do much: the first one that allows an action is the smallest.
LOCAL_ROLES = tuple(
    LocalRole(f"Managed HSM {name}", guid, tuple(actions.split()))
    for name, guid, actions in (
        (
            "Crypto Service Release User",
            "21dbd100-6940-42c2-9190-5d6cb909625c",
            "keys/release/action",
        ),
        (
            "Crypto Auditor",
            "2c18b078-7c48-4d3a-af88-5a3a1b3f82b3",
            f"{_READ_ROLES} keys/read/action keys/deletedKeys/read/action",
        ),
        (
            "Crypto Service Encryption User",
            "33413926-3206-4cdd-b39a-83574fe37a17",
            "keys/read/action keys/wrap/action keys/unwrap/action",
        ),
        (
            "Backup User",
            "7b127d3c-77bd-4e3e-bbe0-dbb8971fa7f8",
            "backup/start/action backup/status/action keys/backup/action",
        ),
        (
            "Restore User",
            "6efe6056-5259-49d2-8b3d-d3d73544b20b",
            "restore/start/action restore/status/action keys/restore/action",
        ),
        (
            "Crypto User",
            "21dbd100-6940-42c2-9190-5d6cb909625b",
            f"{_READ_ROLES} keys/read/action keys/write/action keys/delete keys/create keys/rotate/action "
            "keys/import/action keys/release/action keys/backup/action keys/restore/action keys/encrypt/action "
            "keys/decrypt/action keys/wrap/action keys/unwrap/action keys/sign/action keys/verify/action "
            "keys/derive/action rng/action",
        ),
        (
            "EKM Administrator",
            "abdd7ec4-a273-4265-bf38-e001014e2d8e",
            "ekm/read/action ekm/write/action ekm/delete/action",
        ),
        (
            "Policy Administrator",
            "4bd23610-cdcf-4971-bdee-bdc562cc28e4",
            _MANAGE_ROLES,
        ),
        (
            "Crypto Officer",
            "515eb02d-2335-4d2d-92f2-b1cbdf9c3778",
            f"{_MANAGE_ROLES} keys/deletedKeys/read/action keys/deletedKeys/delete keys/deletedKeys/recover/action "
            "keys/export/action",
        ),
        (
            "Administrator",
            "a290e904-7015-4bba-90c8-60543313cdb4",
            f"{_MANAGE_ROLES} securitydomain/download/action securitydomain/download/read "
            "securitydomain/upload/action securitydomain/upload/read securitydomain/transferkey/read "
            "backup/start/action restore/start/action backup/status/action restore/status/action "
            "settings/read/action settings/write/action",
        ),
    )
)

ADMINISTRATOR = LOCAL_ROLES[-1]

#: What each operation, named as the SDK names it, needs in an HSM. Those of rotation policies are inferred.
LOCAL_NEEDS = {
    "create_key": "keys/create",
    "import_key": "keys/import/action",
    "get_key": "keys/read/action",
    "get_key_attestation": "keys/read/action",
    "list_properties_of_keys": "keys/read/action",
    "list_properties_of_key_versions": "keys/read/action",
    "get_key_rotation_policy": "keys/read/action",
    "update_key_rotation_policy": "keys/write/action",
    "update_key_properties": "keys/write/action",
    "rotate_key": "keys/rotate/action",
    "delete_key": "keys/delete",
    "get_deleted_key": "keys/deletedKeys/read/action",
    "list_deleted_keys": "keys/deletedKeys/read/action",
    "recover_deleted_key": "keys/deletedKeys/recover/action",
    "purge_deleted_key": "keys/deletedKeys/delete",
    "backup_key": "keys/backup/action",
    "restore_key_backup": "keys/restore/action",
    "encrypt": "keys/encrypt/action",
    "decrypt": "keys/decrypt/action",
    "wrap_key": "keys/wrap/action",
    "unwrap_key": "keys/unwrap/action",
    "sign": "keys/sign/action",
    "verify": "keys/verify/action",
    "release_key": "keys/release/action",
    "get_random_bytes": "rng/action",
    "list_role_definitions": "roleDefinitions/read/action",
    "get_role_definition": "roleDefinitions/read/action",
    "set_role_definition": "roleDefinitions/write/action",
    "delete_role_definition": "roleDefinitions/delete/action",
    "list_role_assignments": "roleAssignments/read/action",
    "get_role_assignment": "roleAssignments/read/action",
    "create_role_assignment": "roleAssignments/write/action",
    "delete_role_assignment": "roleAssignments/delete/action",
    "list_settings": "settings/read/action",
    "get_setting": "settings/read/action",
    "update_setting": "settings/write/action",
    "backup": "backup/start/action",
    "pre_backup": "backup/start/action",
    "backup_status": "backup/status/action",
    "restore": "restore/start/action",
    "pre_restore": "restore/start/action",
    "selective_restore": "keys/restore/action",
    "restore_status": "restore/status/action",
}


def local_role_for(action: str) -> str:
    """The smallest built-in role that allows an action, given with ``PREFIX`` or without."""
    short = action.lower().removeprefix(PREFIX.lower()).strip("/")
    return next((role.name for role in LOCAL_ROLES if short in map(str.lower, role.actions)), ADMINISTRATOR.name)
