"""Which operation a request stands for, and whether it may be repeated."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safekv._operations import Repeat, operation_of

FREELY, READ_BACK, SETTLE, NEVER = Repeat.FREELY, Repeat.READ_BACK, Repeat.SETTLE, Repeat.NEVER
ROLES = "providers/Microsoft.Authorization"
ROUTES = [
    ("GET", "/secrets/name", "get_secret", FREELY),
    ("GET", "/secrets/name/", "get_secret", FREELY),
    ("get", "/secrets/name/0123abc", "get_secret", FREELY),
    ("GET", "/secrets/versions", "get_secret", FREELY),
    ("GET", "/secrets/restore", "get_secret", FREELY),
    ("GET", "/secrets/name/backup", "get_secret", FREELY),
    ("GET", "/secrets", "list_properties_of_secrets", FREELY),
    ("GET", "/secrets/", "list_properties_of_secrets", FREELY),
    ("GET", "/secrets/name/versions", "list_properties_of_secret_versions", FREELY),
    ("PUT", "/secrets/name", "set_secret", READ_BACK),
    ("PUT", "/secrets/restore", "set_secret", READ_BACK),
    ("PATCH", "/secrets/name", "update_secret_properties", FREELY),
    ("PATCH", "/secrets/name/", "update_secret_properties", FREELY),
    ("PATCH", "/secrets/name/0123abc", "update_secret_properties", FREELY),
    ("DELETE", "/secrets/name", "delete_secret", SETTLE),
    ("GET", "/deletedsecrets/name", "get_deleted_secret", FREELY),
    ("GET", "/deletedsecrets", "list_deleted_secrets", FREELY),
    ("POST", "/deletedsecrets/name/recover", "recover_deleted_secret", SETTLE),
    ("DELETE", "/deletedsecrets/name", "purge_deleted_secret", SETTLE),
    ("POST", "/secrets/name/backup", "backup_secret", FREELY),
    ("POST", "/secrets/restore", "restore_secret_backup", SETTLE),
    ("POST", "/secrets/restore/backup", "backup_secret", FREELY),
    ("GET", "/keys/name", "get_key", FREELY),
    ("GET", "/keys/name/0123abc", "get_key", FREELY),
    ("GET", "/keys/name/rotationpolicy", "get_key_rotation_policy", FREELY),
    ("PUT", "/keys/name/rotationpolicy", "update_key_rotation_policy", FREELY),
    ("POST", "/keys/name/create", "create_key", NEVER),
    ("POST", "/keys/name/rotate", "rotate_key", NEVER),
    ("PUT", "/keys/name", "import_key", NEVER),
    ("POST", "/keys/name//encrypt", "encrypt", FREELY),
    ("POST", "/keys/name/0123abc/unwrapkey", "unwrap_key", FREELY),
    ("POST", "/keys/name/0123abc/sign", "sign", FREELY),
    ("POST", "/keys/name/0123abc/release", "release_key", FREELY),
    ("GET", "/keys/name/0123abc/attestation", "get_key_attestation", FREELY),
    ("POST", "/rng", "get_random_bytes", FREELY),
    ("DELETE", "/deletedkeys/name", "purge_deleted_key", SETTLE),
    ("POST", "/certificates/name/create", "create_certificate", NEVER),
    ("POST", "/certificates/name/import", "import_certificate", NEVER),
    ("POST", "/certificates/name/pending/merge", "merge_certificate", NEVER),
    ("GET", "/certificates/name/pending", "get_certificate_operation", FREELY),
    ("GET", "/certificates/name/0123abc", "get_certificate_version", FREELY),
    ("GET", "/certificates/contacts", "get_contacts", FREELY),
    ("GET", "/certificates/issuers/name", "get_issuer", FREELY),
    ("GET", f"/{ROLES}/roleDefinitions", "list_role_definitions", FREELY),
    ("PUT", f"/{ROLES}/roleDefinitions/0123", "set_role_definition", FREELY),
    ("DELETE", f"/{ROLES}/roleDefinitions/0123", "delete_role_definition", FREELY),
    ("GET", f"/keys/{ROLES}/roleAssignments", "list_role_assignments", FREELY),
    ("GET", f"/keys/name/{ROLES}/roleAssignments/0123", "get_role_assignment", FREELY),
    ("PUT", f"/{ROLES}/roleAssignments/0123", "create_role_assignment", SETTLE),
    ("PUT", f"/keys/name/{ROLES}/roleAssignments/0123", "create_role_assignment", SETTLE),
    ("DELETE", f"/keys/{ROLES}/roleAssignments/0123", "delete_role_assignment", FREELY),
    ("PUT", f"/secrets/{ROLES}/roleAssignments/0123", "PUT", NEVER),
    ("GET", "/settings", "list_settings", FREELY),
    ("PATCH", "/settings/Allow", "update_setting", FREELY),
    ("POST", "/backup", "backup", NEVER),
    ("POST", "/prebackup", "pre_backup", FREELY),
    ("GET", "/backup/0123/pending", "backup_status", FREELY),
    ("PUT", "/restore", "restore", NEVER),
    ("PUT", "/prerestore", "pre_restore", FREELY),
    ("PUT", "/keys/name/restore", "selective_restore", NEVER),
    ("PUT", "/keys/restore", "import_key", NEVER),
    ("GET", "/restore/0123/pending", "restore_status", FREELY),
    ("HEAD", "/anything", "HEAD", FREELY),
    ("POST", "/keys/name/explode", "POST", NEVER),
    ("PUT", "/secrets/name/version", "PUT", NEVER),
    ("PATCH", "/secrets", "PATCH", NEVER),
    ("POST", "/secrets/name", "POST", NEVER),
    ("DELETE", "/secrets", "DELETE", NEVER),
    ("DELETE", "/secrets/name/version", "DELETE", NEVER),
    ("GET", "/secrets/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r/s/t/u/v/w/x/y/z", "GET", FREELY),
    ("GET", "/", "GET", FREELY),
    ("GET", "", "GET", FREELY),
]


@pytest.mark.parametrize(("method", "path", "name", "repeat"), ROUTES)
def test_routes(method: str, path: str, name: str, repeat: Repeat) -> None:
    assert operation_of(method, path) == (name, repeat)


COMPUTE = {"encrypt", "decrypt", "wrap_key", "unwrap_key", "sign", "verify", "release_key", "get_random_bytes"}
WORDS = ["secrets", "deletedsecrets", "keys", "certificates", "a", "versions", "backup", "restore", "create", "rotate"]
WORDS += ["import", "pending", "merge", "policy", "sign", "wrapkey", "recover", "contacts", "issuers", "rng", "*", ""]


@given(st.sampled_from(["PUT", "POST", "DELETE", "PATCH", "OPTIONS"]), st.lists(st.sampled_from(WORDS), max_size=5))
def test_what_makes_or_removes_something_is_never_repeated_freely(method: str, parts: list[str]) -> None:
    name, repeat = operation_of(method, "/" + "/".join(parts))
    if name == method or name.startswith(("create_key", "create_cert", "rotate", "import", "merge")):
        assert repeat is NEVER
    elif name.startswith(("delete", "purge", "recover", "restore", "set_secret")):
        assert repeat is not FREELY
    elif repeat is FREELY:
        assert name in COMPUTE or name.startswith(("update_", "backup_", "cancel_", "set_contacts", "create_issuer"))
