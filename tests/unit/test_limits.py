"""What is counted together, and what it costs there: Microsoft's table of service limits."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safekv._limits import KeyKind, Work, key_kind, work_of
from safekv._operations import operation_of


def rsa(bits: int, hsm: bool = False) -> KeyKind:
    return KeyKind("RSA", hsm, bits)


VAULT = [
    ("get_secret", "/secrets/a", None, Work("secrets", 1, 4_000, 10)),
    ("list_deleted_secrets", "/deletedsecrets", None, Work("secrets", 1, 4_000, 10)),
    ("set_secret", "/secrets/a", None, Work("secrets:create", 1, 300, 10)),
    ("sign", "/keys/a/b/sign", rsa(2048), Work("keys:software:rsa", 1, 4_000, 10)),
    ("sign", "/keys/a/b/sign", rsa(3072), Work("keys:software:rsa", 4, 4_000, 10)),
    ("sign", "/keys/a/b/sign", rsa(4096), Work("keys:software:rsa", 8, 4_000, 10)),
    ("unwrap_key", "/keys/a/b/unwrapkey", rsa(4096, True), Work("keys:hsm:rsa", 8, 2_000, 10)),
    ("verify", "/keys/a/b/verify", KeyKind("EC", False), Work("keys:software:ec", 1, 4_000, 10)),
    ("verify", "/keys/a/b/verify", KeyKind("EC", True), Work("keys:hsm:ec", 1, 2_000, 10)),
    ("get_key", "/keys/a", rsa(3072), Work("keys:software:rsa", 4, 4_000, 10)),
    ("sign", "/keys/a/b/sign", None, Work("keys", 1, 4_000, 10)),
    ("sign", "/keys/a/b/sign", KeyKind("oct", True), Work("keys", 1, 4_000, 10)),
    ("list_properties_of_keys", "/keys", None, Work("keys", 1, 4_000, 10)),
    ("create_key", "/keys/a/create", rsa(2048), Work("keys:create:software", 1, 20, 10)),
    ("create_key", "/keys/a/create", rsa(0, True), Work("keys:create:hsm", 1, 10, 10)),
    ("create_key", "/keys/a/create", None, Work("keys:create:software", 1, 20, 10)),
    ("create_certificate", "/certificates/a/create", None, Work("keys:create:software", 1, 20, 10)),
    ("get_certificate", "/certificates/a", None, Work("certificates", 1, 4_000, 10)),
    ("GET", "/healthstatus", None, Work("other", 1, 4_000, 10)),
]
ROLES = Work("hsm:roles", 1, 5, 1)
HSM = [
    ("get_key", "/keys/a", None, Work("hsm:get", 1, 1_100, 1)),
    ("create_key", "/keys/a/create", None, Work("hsm:create", 1, 1, 1)),
    ("delete_key", "/keys/a", None, Work("hsm:lifecycle", 1, 10, 1)),
    ("decrypt", "/keys/a/b/decrypt", rsa(2048, True), Work("hsm:rsa-2048:private", 1, 1_100, 1)),
    ("decrypt", "/keys/a/b/decrypt", rsa(4096, True), Work("hsm:rsa-4096:private", 1, 160, 1)),
    ("encrypt", "/keys/a/b/encrypt", rsa(3072, True), Work("hsm:rsa-3072:public", 1, 10_000, 1)),
    ("sign", "/keys/a/b/sign", KeyKind("EC", True, curve="P-521"), Work("hsm:p-521:private", 1, 56, 1)),
    ("verify", "/keys/a/b/verify", KeyKind("EC", True, curve="P-384"), Work("hsm:p-384:public", 1, 82, 1)),
    ("wrap_key", "/keys/a/b/wrapkey", KeyKind("oct", True), Work("hsm:aes:wrap", 1, 9_000, 1)),
    ("encrypt", "/keys/a/b/encrypt", KeyKind("oct", True), Work("hsm:aes:encrypt", 1, 8_000, 1)),
    ("PUT", "/providers/Microsoft.Authorization/roleAssignments/a", None, ROLES),
    ("create_role_assignment", "/keys/providers/Microsoft.Authorization/roleAssignments/a", None, ROLES),
    ("backup", "/backup", None, Work("hsm:backup", 1, 1, 1)),
    ("selective_restore", "/keys/a/restore", None, Work("hsm:backup", 1, 1, 1)),
    ("backup_status", "/backup/a/pending", None, Work("hsm:other", 1, 1_100, 1)),
    ("pre_restore", "/prerestore", None, Work("hsm:other", 1, 1_100, 1)),
    ("update_setting", "/settings/a", None, Work("hsm:other", 1, 1_100, 1)),
    ("sign", "/keys/a/b/sign", None, Work("hsm:other", 1, 1_100, 1)),
]


@pytest.mark.parametrize(("operation", "path", "key", "work"), VAULT)
def test_a_vault(operation: str, path: str, key: KeyKind | None, work: Work) -> None:
    assert work_of(operation, path, key=key) == work


@pytest.mark.parametrize(("operation", "path", "key", "work"), HSM)
def test_a_managed_hsm(operation: str, path: str, key: KeyKind | None, work: Work) -> None:
    assert work_of(operation, path, hsm=True, key=key) == work


@pytest.mark.parametrize("bits", [2048, 3072, 4096])
def test_the_size_of_an_rsa_key_is_that_of_its_modulus(bits: int) -> None:
    modulus = base64.urlsafe_b64encode(b"\x80" + bytes(bits // 8 - 1)).rstrip(b"=").decode()
    assert key_kind({"kty": "RSA-HSM", "n": modulus}) == KeyKind("RSA", True, bits)
    assert key_kind({"kty": "RSA", "key_size": bits}) == KeyKind("RSA", False, bits)


@given(st.recursive(st.none() | st.text() | st.integers(), lambda it: st.dictionaries(st.text(), it), max_leaves=5))
def test_anything_may_be_in_an_answer(body: Any) -> None:
    key_kind(body)
    key_kind({"kty": "RSA", "n": body, "key_size": body})


@given(st.sampled_from(["GET", "PUT", "POST"]), st.text(alphabet="/abkeysrt", max_size=20), st.booleans())
def test_every_request_has_a_lane(method: str, path: str, hsm: bool) -> None:
    work = work_of(operation_of(method, path).name, path, hsm=hsm)
    assert work.cost >= 1
    assert work.limit >= 1
