"""Which operation a request stands for, and whether it may be repeated."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safekv._operations import operation_of

ROUTES = [
    ("GET", "/secrets/name", "get_secret", True),
    ("GET", "/secrets/name/", "get_secret", True),
    ("get", "/secrets/name/0123abc", "get_secret", True),
    ("GET", "/secrets/versions", "get_secret", True),
    ("GET", "/secrets/restore", "get_secret", True),
    ("GET", "/secrets/name/backup", "get_secret", True),
    ("GET", "/secrets", "list_properties_of_secrets", True),
    ("GET", "/secrets/", "list_properties_of_secrets", True),
    ("GET", "/secrets/name/versions", "list_properties_of_secret_versions", True),
    ("PUT", "/secrets/name", "set_secret", False),
    ("PUT", "/secrets/restore", "set_secret", False),
    ("PATCH", "/secrets/name", "update_secret_properties", True),
    ("PATCH", "/secrets/name/", "update_secret_properties", True),
    ("PATCH", "/secrets/name/0123abc", "update_secret_properties", True),
    ("DELETE", "/secrets/name", "delete_secret", False),
    ("GET", "/deletedsecrets/name", "get_deleted_secret", True),
    ("GET", "/deletedsecrets", "list_deleted_secrets", True),
    ("POST", "/deletedsecrets/name/recover", "recover_deleted_secret", False),
    ("DELETE", "/deletedsecrets/name", "purge_deleted_secret", False),
    ("POST", "/secrets/name/backup", "backup_secret", True),
    ("POST", "/secrets/restore", "restore_secret_backup", False),
    ("POST", "/secrets/restore/backup", "backup_secret", True),
    ("GET", "/keys/name", "GET", True),
    ("HEAD", "/anything", "HEAD", True),
    ("POST", "/keys/name/create", "POST", False),
    ("PUT", "/secrets/name/version", "PUT", False),
    ("PATCH", "/secrets", "PATCH", False),
    ("POST", "/secrets/name", "POST", False),
    ("DELETE", "/secrets", "DELETE", False),
    ("DELETE", "/secrets/name/version", "DELETE", False),
    ("GET", "/secrets/a/b/c", "GET", True),
    ("GET", "/", "GET", True),
    ("GET", "", "GET", True),
]


@pytest.mark.parametrize(("method", "path", "name", "repeatable"), ROUTES)
def test_routes(method: str, path: str, name: str, repeatable: bool) -> None:
    operation = operation_of(method, path)
    assert (operation.name, operation.repeatable) == (name, repeatable)


WRITES = {"set_secret", "delete_secret", "recover_deleted_secret", "purge_deleted_secret", "restore_secret_backup"}


@given(
    st.sampled_from(["PUT", "POST", "DELETE", "PATCH", "OPTIONS"]),
    st.lists(
        st.sampled_from(["secrets", "deletedsecrets", "keys", "a", "versions", "backup", "restore", "*", ""]),
        max_size=5,
    ),
)
def test_only_three_writes_are_ever_repeatable(method: str, parts: list[str]) -> None:
    operation = operation_of(method, "/" + "/".join(parts))
    if operation.repeatable:
        assert operation.name in ("update_secret_properties", "backup_secret")
    else:
        assert operation.name in {*WRITES, method}
