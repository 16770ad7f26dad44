"""Which permission and which role an operation needs. Source: Microsoft's list of built-in roles and data actions."""

from __future__ import annotations

from typing import NamedTuple


class Need(NamedTuple):
    """What one operation needs: on which kind of object, in an access policy, and as an action of RBAC."""

    collection: str  # secrets, keys or certificates
    permission: str  # of an access policy
    action: str  # without "Microsoft.KeyVault/vaults/"


_PREFIX = "Microsoft.KeyVault/vaults/"

_SECRETS = {
    "get_secret": ("get", "secrets/getSecret/action"),
    "set_secret": ("set", "secrets/setSecret/action"),
    "update_secret_properties": ("set", "secrets/update/action"),
    "list_properties_of_secrets": ("list", "secrets/readMetadata/action"),
    "list_properties_of_secret_versions": ("list", "secrets/readMetadata/action"),
    "delete_secret": ("delete", "secrets/delete"),
    "get_deleted_secret": ("get", "secrets/readMetadata/action"),
    "list_deleted_secrets": ("list", "secrets/readMetadata/action"),
    "recover_deleted_secret": ("recover", "secrets/recover/action"),
    "purge_deleted_secret": ("purge", "secrets/purge/action"),
    "backup_secret": ("backup", "secrets/backup/action"),
    "restore_secret_backup": ("restore", "secrets/restore/action"),
}
_KEYS = {
    "create_key": ("create", "keys/create/action"),
    "import_key": ("import", "keys/import/action"),
    "get_key": ("get", "keys/read"),
    "list_properties_of_keys": ("list", "keys/read"),
    "list_properties_of_key_versions": ("list", "keys/read"),
    "get_deleted_key": ("get", "keys/read"),
    "list_deleted_keys": ("list", "keys/read"),
    "update_key_properties": ("update", "keys/update/action"),
    "delete_key": ("delete", "keys/delete"),
    "recover_deleted_key": ("recover", "keys/recover/action"),
    "purge_deleted_key": ("purge", "keys/purge/action"),
    "backup_key": ("backup", "keys/backup/action"),
    "restore_key_backup": ("restore", "keys/restore/action"),
    "wrap_key": ("wrapKey", "keys/wrap/action"),
    "unwrap_key": ("unwrapKey", "keys/unwrap/action"),
    "encrypt": ("encrypt", "keys/encrypt/action"),
    "decrypt": ("decrypt", "keys/decrypt/action"),
    "sign": ("sign", "keys/sign/action"),
    "verify": ("verify", "keys/verify/action"),
    "release_key": ("release", "keys/release/action"),
    "rotate_key": ("rotate", "keys/rotate/action"),
    "get_key_rotation_policy": ("getrotationpolicy", "keyrotationpolicies/read"),
    "update_key_rotation_policy": ("setrotationpolicy", "keyrotationpolicies/write"),
}
_CERTIFICATES = {
    "get_certificate": ("get", "certificates/read"),
    "get_certificate_version": ("get", "certificates/read"),
    "get_certificate_policy": ("get", "certificates/read"),
    "get_certificate_operation": ("get", "certificates/read"),
    "list_properties_of_certificates": ("list", "certificates/read"),
    "list_properties_of_certificate_versions": ("list", "certificates/read"),
    "get_deleted_certificate": ("get", "certificates/read"),
    "list_deleted_certificates": ("list", "certificates/read"),
    "create_certificate": ("create", "certificates/create/action"),
    "merge_certificate": ("create", "certificates/create/action"),
    "import_certificate": ("import", "certificates/import/action"),
    "update_certificate_properties": ("update", "certificates/update/action"),
    "update_certificate_policy": ("update", "certificates/update/action"),
    "cancel_certificate_operation": ("update", "certificates/update/action"),
    "delete_certificate_operation": ("update", "certificates/update/action"),
    "delete_certificate": ("delete", "certificates/delete"),
    "recover_deleted_certificate": ("recover", "certificates/recover/action"),
    "purge_deleted_certificate": ("purge", "certificates/purge/action"),
    "backup_certificate": ("backup", "certificates/backup/action"),
    "restore_certificate_backup": ("restore", "certificates/restore/action"),
    "get_contacts": ("managecontacts", "certificatecontacts/write"),
    "set_contacts": ("managecontacts", "certificatecontacts/write"),
    "delete_contacts": ("managecontacts", "certificatecontacts/write"),
    "get_issuer": ("getissuers", "certificatecas/read"),
    "list_properties_of_issuers": ("listissuers", "certificatecas/read"),
    "create_issuer": ("setissuers", "certificatecas/write"),
    "update_issuer": ("setissuers", "certificatecas/write"),
    "delete_issuer": ("deleteissuers", "certificatecas/delete"),
}

#: What each operation, named as the SDK names it, needs.
NEEDS = {
    operation: Need(collection, permission, action)
    for collection, operations in (("secrets", _SECRETS), ("keys", _KEYS), ("certificates", _CERTIFICATES))
    for operation, (permission, action) in operations.items()
}

#: The smallest built-in role for an action. What is not here needs the officer of its kind of object.
_SMALLEST = {
    "secrets/getsecret/action": "Key Vault Secrets User",
    "secrets/readmetadata/action": "Key Vault Reader",
    "keys/read": "Key Vault Reader",
    "keys/update/action": "Key Vault Crypto User",
    "keys/backup/action": "Key Vault Crypto User",
    "keys/wrap/action": "Key Vault Crypto Service Encryption User",
    "keys/unwrap/action": "Key Vault Crypto Service Encryption User",
    "keys/encrypt/action": "Key Vault Crypto User",
    "keys/decrypt/action": "Key Vault Crypto User",
    "keys/sign/action": "Key Vault Crypto User",
    "keys/verify/action": "Key Vault Crypto User",
    "keys/release/action": "Key Vault Crypto Service Release User",
    "certificates/read": "Key Vault Reader",
    "certificatecas/read": "Key Vault Reader",
}
_OFFICERS = {
    "secrets": "Key Vault Secrets Officer",
    "keys": "Key Vault Crypto Officer",
    "keyrotationpolicies": "Key Vault Crypto Officer",
    "certificates": "Key Vault Certificates Officer",
    "certificatecontacts": "Key Vault Certificates Officer",
    "certificatecas": "Key Vault Certificates Officer",
}
_MANAGEMENT_ROLES = (  # the first whose word is in the action
    ("roleassignments/write", "Key Vault Data Access Administrator"),
    ("roleassignments/delete", "Key Vault Data Access Administrator"),
    ("roledefinitions/", "User Access Administrator"),
    ("deletedvaults/purge/", "Key Vault Purge Operator"),
    ("/read", "Reader"),
    ("microsoft.keyvault/", "Key Vault Contributor"),
)


def role_for(action: str) -> str | None:
    """The smallest built-in role that allows a data action; None for an action of something else."""
    short = action.removeprefix(_PREFIX).lower()
    return _SMALLEST.get(short) or _OFFICERS.get(short.split("/", 1)[0])


def management_role_for(action: str) -> str:
    """A small built-in role that allows an action of the control plane."""
    lower = action.lower()
    return next((role for word, role in _MANAGEMENT_ROLES if word in lower), "Contributor")


def full_action(need: Need) -> str:
    """The action as RBAC spells it."""
    return _PREFIX + need.action
