"""What each answer of the service becomes: class, bases, what it parsed, hint and URL. Any body becomes something."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
)
from hypothesis import given
from hypothesis import strategies as st

import safekv.errors as errors
from safekv.emulator._access_roles import BUILT_IN
from safekv.errors import SafeKVError
from safekv.errors._catalogue import ROWS, ServiceError, by_id
from safekv.errors._diagnosis import Answer, Asked, error_of
from safekv.errors._hsm_roles import LOCAL_NEEDS, LOCAL_ROLES
from safekv.errors._meanings import meaning_of
from safekv.errors._permissions import management_role_for
from safekv.errors._topic import GUIDE
from safekv.errors._topics import TOPICS

OID, APP = "00000000-0000-0000-0000-00000000b001", "00000000-0000-0000-0000-00000000a001"
TENANT, OTHER = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"
SCOPE = "/subscriptions/1/resourceGroups/g/providers/microsoft.keyvault/vaults/my"
PLACES = {
    "appid": APP,
    "oid": OID,
    "tenant": TENANT,
    "tenant1": TENANT,
    "tenant2": OTHER,
    "vault": "my",
    "region": "westeurope",
    "name": "db-password",
    "ip": "203.0.113.7",
    "guid": OID,
}
ASKED = Asked("my.vault.azure.net", "get_secret", {"collection": "secrets", "name": "db-password"})
BASES = {401: ClientAuthenticationError, 404: ResourceNotFoundError, 409: ResourceExistsError}


def error_for(row: ServiceError | str, asked: Asked = ASKED, **headers: str) -> SafeKVError:
    row = by_id(row) if isinstance(row, str) else row
    body = row.body(**PLACES).replace(b"/subscriptions/<...>", b"/subscriptions/1/resourceGroups/g")
    return error_of(Answer(row.status, "Reason", {"x-ms-request-id": "42", **headers}, body), asked)


def said(status: int, message: Any, code: Any = "Forbidden", inner: Any = None) -> SafeKVError:
    body = {"error": {"code": code, "message": message, "innererror": inner}}
    return error_of(Answer(status, "Reason", {}, json.dumps(body).encode()), ASKED)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_each_answer_of_the_service(row: ServiceError) -> None:
    error = error_for(row)
    assert type(error) is getattr(errors, row.kind)
    assert isinstance(error, BASES.get(row.status, HttpResponseError))
    assert type(error).__module__ == "safekv.errors"
    assert (error.status_code, error.code, error.inner_code) == (row.status, row.code, row.inner_code)
    assert (error.vault, error.operation, error.request_id) == ("my.vault.azure.net", "get_secret", "42")
    assert error.guide_url == row.topic.guide
    assert error.guide_url.startswith("https://")
    assert error.transient == row.transient == row.topic.transient
    assert error.hint
    assert "{" not in "".join((error.hint, *error.remedies))
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.details) == (type(error), str(error), error.details)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_none_is_left_to_the_status_alone(row: ServiceError) -> None:
    by_status = {"access-denied", "conflict", "invalid-request", "service-fault"}
    assert row.topic.slug not in by_status


@pytest.mark.parametrize("row", [row for row in ROWS if row.message], ids=lambda row: row.id)
def test_its_text_shows_everything(row: ServiceError) -> None:
    text = str(error_for(row))
    first = (row.message or "").splitlines()[0].partition("<")[0].strip()
    assert first in text
    for part in ("my.vault.azure.net", "get_secret", "42", row.topic.guide, row.code, row.inner_code):
        assert part is None or part in text


def test_every_topic_is_raised_as_a_class_of_ours_and_has_a_guide() -> None:
    for topic in TOPICS.values():
        assert issubclass(getattr(errors, topic.kind), SafeKVError)
        assert topic.guide.startswith("https://")
        assert topic.hint.endswith((".", "}"))
        assert not (topic.transient and topic.kind == "MissingPermission")


def test_what_may_stand_in_and_what_may_be_repeated() -> None:
    stale = {slug for slug, topic in TOPICS.items() if topic.stale}
    assert {"throttled", "service-fault", "no-answer", "vault-not-found"} <= stale
    assert not stale & {"missing-role", "missing-policy", "firewall", "secret-disabled", "not-found", "wrong-tenant"}
    unknown = {slug for slug, topic in TOPICS.items() if not topic.repeat}
    assert unknown == {
        "service-fault",
        "connection-lost",
        "no-answer",
        "ambiguous-write",
        "unreadable-answer",
        "incomplete-answer",
    }


# What is parsed, and what the hint makes of it.


def test_a_missing_permission_of_an_access_policy() -> None:
    error = error_for("403_policy")
    facts = {"permission": "get", "collection": "secrets", "oid": OID, "appid": APP, "vault": "my", "tenant": TENANT}
    assert facts.items() <= error.details.items()
    assert error.details["region"] == "westeurope"
    assert error.details["role"] == "Key Vault Secrets User"
    assert f"az keyvault set-policy --name my --object-id {OID} --secret-permissions get" in str(error)
    assert "'get' on secrets" in (error.hint or "")


def test_its_variants() -> None:
    text = json.loads(by_id("403_policy").body(**PLACES))["error"]["message"]
    for inner in ("ForbiddenByPolicy", "AccessDenied"):
        error = said(403, text.replace(";iss=", ";numgroups=7;iss="), inner={"code": inner})
        assert type(error) is errors.MissingPermission
        assert error.details["oid"] == OID
    older = said(403, 'Operation is not allowed.\r\nOperation: "encrypt"\r\nCaller: appid=x', "Forbidden")
    assert type(older) is errors.MissingPermission
    assert (older.details["permission"], older.details["role"]) == ("encrypt", "Key Vault Crypto User")


def test_a_missing_role() -> None:
    error = error_for("403_rbac")
    assert error.details["action"] == "Microsoft.KeyVault/vaults/secrets/getSecret/action"
    assert error.details["assignment"] == "(not found)"
    assert error.details["scope"] == SCOPE
    command = f"az role assignment create --role 'Key Vault Secrets User' --assignee-object-id {OID} --scope {SCOPE}"
    assert error.remedies[0] == command
    assert "10 minutes" in (error.hint or "")


def test_a_missing_role_in_the_control_plane() -> None:
    row = by_id("arm_403")
    action, scope = "Microsoft.KeyVault/vaults/accessPolicies/write", SCOPE
    body = row.body(client=APP, oid=OID, action=action, scope=scope)
    error = error_of(Answer(403, "Forbidden", {}, body), Asked("management.azure.com"))
    assert type(error) is errors.MissingPermission
    assert error.details["oid"] == OID
    assert (error.details["management_action"], error.details["management_scope"]) == (action, scope)
    assert "'Key Vault Contributor'" in (error.hint or "")
    role = "--role 'Key Vault Contributor'"
    assert error.remedies[0] == f"az role assignment create {role} --assignee-object-id {OID} --scope {scope}"


@pytest.mark.parametrize(
    ("action", "role"),
    [
        ("Microsoft.KeyVault/vaults/read", "Reader"),
        ("Microsoft.Authorization/roleAssignments/write", "Key Vault Data Access Administrator"),
        ("Microsoft.KeyVault/locations/deletedVaults/purge/action", "Key Vault Purge Operator"),
        ("Microsoft.Authorization/roleDefinitions/write", "User Access Administrator"),
        ("Microsoft.Resources/subscriptions/resourceGroups/write", "Contributor"),
    ],
)
def test_a_role_of_the_control_plane_allows_what_it_is_named_for(action: str, role: str) -> None:
    assert management_role_for(action) == role
    (definition,) = (each for each in BUILT_IN.values() if each.name == role)
    assert definition.allows(action)


ROLES = {
    "secrets/getSecret/action": "Key Vault Secrets User",
    "secrets/setSecret/action": "Key Vault Secrets Officer",
    "secrets/readMetadata/action": "Key Vault Reader",
    "keys/wrap/action": "Key Vault Crypto Service Encryption User",
    "keys/unwrap/action": "Key Vault Crypto Service Encryption User",
    "keys/sign/action": "Key Vault Crypto User",
    "keys/create/action": "Key Vault Crypto Officer",
    "keys/release/action": "Key Vault Crypto Service Release User",
    "certificates/read": "Key Vault Reader",
    "certificates/import/action": "Key Vault Certificates Officer",
    "keyrotationpolicies/write": "Key Vault Crypto Officer",
}


@pytest.mark.parametrize(("action", "role"), ROLES.items())
def test_the_smallest_role(action: str, role: str) -> None:
    message = f"Caller is not authorized to perform action on resource.\r\nAction: 'Microsoft.KeyVault/vaults/{action}'"
    error = said(403, message, inner={"code": "ForbiddenByRbac"})
    assert error.details["role"] == role
    assert role in (error.hint or "")


def test_a_deny_assignment_is_pointed_out() -> None:
    text = "Caller is not authorized to perform action on resource.\r\nDenyAssignmentId: '/subscriptions/1/deny/7'\r\n"
    error = said(403, text, inner={"code": "ForbiddenByRbac"})
    assert error.details["deny_assignment"] == "/subscriptions/1/deny/7"
    assert "/subscriptions/1/deny/7" in (error.hint or "")
    assert "deny_assignment" not in error_for("403_rbac").details


def test_a_local_role_of_a_managed_hsm() -> None:
    asked = Asked("my.managedhsm.azure.net", "create_key", {"collection": "keys"})
    error = error_of(
        Answer(403, "", {}, b'{"error":{"code":"AccessDenied","message":"Not authorized to access /keys/create on '
               b"'/keys' (Activity ID: 1)\"}}"),
        asked,
    )  # fmt: skip
    assert type(error) is errors.MissingPermission
    assert error.details["resource"] == "/keys"
    assert error.remedies[0].startswith("az keyvault role assignment create --hsm-name my --role 'Managed HSM Crypto")


def not_authorized(operation: str, action: str, scope: str) -> SafeKVError:
    message = f"Not authorized to access Microsoft.KeyVault/managedHsm/{action} on {scope} (Activity ID: 1)"
    body = json.dumps({"error": {"code": "AccessDenied", "message": message}}).encode()
    return error_of(Answer(403, "", {}, body), Asked("my.managedhsm.azure.net", operation, {}))


@pytest.mark.parametrize(
    ("operation", "action", "role"),
    [
        ("get_key", "keys/read/action", "Crypto Auditor"),
        ("wrap_key", "keys/wrap/action", "Crypto Service Encryption User"),
        ("create_key", "keys/create", "Crypto User"),
        ("purge_deleted_key", "keys/deletedKeys/delete", "Crypto Officer"),
        ("recover_deleted_key", "keys/deletedKeys/recover/action", "Crypto Officer"),
        ("list_deleted_keys", "keys/deletedKeys/read/action", "Crypto Auditor"),
        ("release_key", "keys/release/action", "Crypto Service Release User"),
        ("list_role_assignments", "roleAssignments/read/action", "Crypto Auditor"),
        ("create_role_assignment", "roleAssignments/write/action", "Policy Administrator"),
        ("backup", "backup/start/action", "Backup User"),
        ("restore", "restore/start/action", "Restore User"),
        ("update_setting", "settings/write/action", "Administrator"),
        ("whatever", "something/new/action", "Administrator"),
    ],
)
def test_the_smallest_local_role(operation: str, action: str, role: str) -> None:
    error = not_authorized(operation, action, "/keys/app")
    assert error.details["role"] == f"Managed HSM {role}"
    assert error.details["action"].endswith(action)
    assert f"--role 'Managed HSM {role}'" in error.remedies[0]
    assert "--scope /keys/app" in error.remedies[0]


def test_a_local_role_where_the_text_names_no_action() -> None:
    body = json.dumps({"error": {"code": "AccessDenied", "message": "Not authorized to access this"}}).encode()
    error = error_of(Answer(403, "", {}, body), Asked("my.managedhsm.azure.net", "update_setting", {}))
    assert error.details["action"] == "Microsoft.KeyVault/managedHsm/settings/write/action"
    assert error.details["role"] == "Managed HSM Administrator"


def test_every_action_that_is_needed_is_one_that_some_role_allows() -> None:
    allowed = {action for role in LOCAL_ROLES for action in role.actions}
    assert set(LOCAL_NEEDS.values()) <= allowed
    assert len({role.id for role in LOCAL_ROLES}) == len({role.name for role in LOCAL_ROLES}) == 10


def test_the_firewall_names_the_address_that_the_service_saw() -> None:
    error = error_for("403_firewall")
    assert error.details["address"] == "203.0.113.7"
    assert "203.0.113.7" in (error.hint or "")
    assert error.remedies == ("az keyvault network-rule add --name my --ip-address 203.0.113.7",)


def test_the_address_is_also_read_from_the_header() -> None:
    header = {"x-ms-keyvault-network-info": "conn_type=Ipv4;addr=198.51.100.9;act_addr_fam=InterNetwork;"}
    error = error_for("403_private", **header, **{"x-ms-keyvault-region": "northeurope"})
    assert error.details["address"] == "198.51.100.9"
    assert error.details["connection_type"] == "Ipv4"
    assert error.details["region"] == "westeurope"  # the body's own word counts
    assert "privatelink.vaultcore.azure.net" in (error.hint or "")


def test_two_tenants() -> None:
    error = error_for("401_issuer")
    assert (error.details["expected_tenant"], error.details["found_tenant"]) == (TENANT, OTHER)
    assert f"additionally_allowed_tenants=['{TENANT}']" in (error.hint or "")
    assert any("1.8.0" in remedy and "4.4.0" in remedy and "4.5.0" in remedy for remedy in error.remedies)


def test_two_audiences() -> None:
    assert error_for("401_audience").details["found_audience"] == "https://management.azure.com/"
    newer = said(
        401, "AKV10022: Invalid audience. Expected https://vault.azure.net or cfa8, found: spn:1-2", "Unauthorized"
    )
    assert type(newer) is errors.WrongAudience
    assert newer.details["expected_audience"] == "https://vault.azure.net or cfa8"
    assert newer.details["found_audience"] == "spn:1-2"


def test_a_key_operation_names_both_causes() -> None:
    error = error_for("403_key_ops", Asked("my.vault.azure.net", "decrypt", {"collection": "keys", "name": "app"}))
    assert error.details["permission"] == "decrypt"
    assert error.details["role"] == "Key Vault Crypto User"
    assert "key_operations first" in (error.hint or "")
    assert error.remedies[0] == "az keyvault key show --vault-name my --name app --query key.keyOps"


def test_a_disabled_secret_is_no_permission_problem() -> None:
    error = error_for("403_secret_disabled")
    assert not isinstance(error, errors.AccessDenied)
    assert "no permission problem" in TOPICS["secret-disabled"].meaning
    assert error.remedies[0] == "az keyvault secret set-attributes --vault-name my --name db-password --enabled true"


def test_what_is_not_there_may_be_recoverable() -> None:
    error = error_for("404_secret")
    assert "az keyvault secret recover --vault-name my --name db-password" in error.remedies
    other = error_for("404_cert", Asked("my.vault.azure.net", "get_certificate", {"collection": "certificates"}))
    assert 'az keyvault certificate list-deleted --vault-name my --query "[].name"' in other.remedies


def test_throttling_names_the_four_remedies_of_the_guide() -> None:
    error = error_for("429")
    words = ("One client", "One credential", "App Configuration", "Wrap and unwrap")
    assert all(any(word in remedy for remedy in error.remedies) for word in words)
    assert error.guide_url == f"{GUIDE}#http-429-too-many-requests"


def test_commands_are_quoted_for_a_shell() -> None:
    nasty = Asked("my.vault.azure.net", "get_secret", {"collection": "secrets", "name": "x; rm -rf ~ $(id)"})
    remedies = error_for("403_secret_disabled", nasty).remedies
    assert "--name 'x; rm -rf ~ $(id)'" in remedies[0]


def test_the_vaults_id_is_looked_up_where_the_service_does_not_tell_it() -> None:
    text = "Caller is not authorized to perform action on resource.\r\nCaller: appid=x"
    error = said(403, text, inner={"code": "ForbiddenByRbac"})
    assert '--scope "$(az keyvault show --name my --query id --output tsv)"' in error.remedies[0]
    assert "scope" not in error.details


# Anything else.


def test_another_language_finds_its_class_by_code() -> None:
    assert (
        type(said(403, "Der Aufrufer darf das nicht.", inner={"code": "ForbiddenByRbac"})) is errors.MissingPermission
    )
    assert type(said(403, "禁用", inner={"code": "SecretDisabled"})) is errors.SecretDisabled
    assert type(said(404, "introuvable", "KeyNotFound")) is errors.KeyNotFound
    assert type(said(409, "?", "Conflict", {"code": "ObjectIsBeingDeleted"})) is errors.BeingDeleted


STATUSES = {
    400: "InvalidRequest",
    401: "AuthenticationFailed",
    403: "AccessDenied",
    404: "NotFound",
    405: "InvalidRequest",
    408: "VaultUnavailable",
    409: "Conflict",
    418: "InvalidRequest",
    429: "VaultThrottled",
    500: "VaultUnavailable",
    503: "VaultUnavailable",
}


@pytest.mark.parametrize(("status", "kind"), STATUSES.items())
@pytest.mark.parametrize("body", [b"", b"<html>a proxy</html>", b"null", b"[]", b"{}", b"\xff\xfe", b"[" * 5_000])
def test_without_a_readable_body_the_status_decides(status: int, kind: str, body: bytes) -> None:
    error = error_of(Answer(status, "Reason", {}, body), ASKED)
    assert type(error).__name__ == kind
    assert error.message == "Operation returned an invalid status 'Reason'"
    assert bool(error.remedies and "proxy" in error.remedies[0]) == bool(body)


def test_a_body_of_a_megabyte_is_not_looked_at() -> None:
    huge = json.dumps({"error": {"code": "Forbidden", "message": "x" * 1_000_000}}).encode()
    error = error_of(Answer(403, "Forbidden", {}, huge), ASKED)
    assert type(error) is errors.AccessDenied
    assert len(pickle.dumps(error)) < 10_000


def test_no_token_is_repeated() -> None:
    head = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9"
    error = said(401, f"AKV10046: Unable to resolve the key. EncodedJwtHeader: '{head}'.", "Unauthorized")
    assert "eyJ" not in str(error) + repr(error) + str(error.details)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
ERROR = st.fixed_dictionaries({}, optional={"code": ANYTHING, "message": ANYTHING, "innererror": ANYTHING})
TEXTS = st.sampled_from([row.message for row in ROWS if row.message])


@given(
    status=st.integers(400, 599),
    body=st.one_of(
        st.binary(max_size=200),
        ANYTHING.map(json.dumps).map(str.encode),
        ERROR.map(lambda error: json.dumps({"error": error}).encode()),
        st.tuples(TEXTS, st.integers(0, 300), st.text(max_size=20)).map(
            lambda parts: json.dumps({"error": {"message": parts[0][: parts[1]] + parts[2]}}).encode()
        ),
    ),
    headers=st.dictionaries(
        st.sampled_from(["x-ms-request-id", "x-ms-keyvault-region", "x-ms-keyvault-network-info"]), st.text(max_size=40)
    ),
)
def test_any_body_becomes_an_error_of_ours(status: int, body: bytes, headers: dict[str, str]) -> None:
    error = error_of(Answer(status, None, headers, body), ASKED)
    assert isinstance(error, BASES.get(status, HttpResponseError))
    assert error.status_code == status
    assert error.hint
    assert error.guide_url
    assert "get_secret" in str(error)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


@given(st.integers(400, 599), st.none() | st.text(max_size=20), st.none() | st.text(max_size=20), st.text(max_size=80))
def test_any_answer_has_a_meaning_with_the_right_bases(status: int, code: Any, inner: Any, message: str) -> None:
    kind = getattr(errors, meaning_of(status, code, inner, message).kind)
    assert issubclass(kind, BASES.get(status, HttpResponseError))
