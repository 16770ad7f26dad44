"""Every operation on a vault that enforces: denied, told what is missing, and allowed after exactly that.

What is missing is granted as the error says: its command is read, and done through the control plane.
"""

from __future__ import annotations

import argparse
import base64
import json
import shlex
import sys
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from functools import cache
from typing import Any
from uuid import uuid4

import pytest
from azure.core.exceptions import HttpResponseError
from azure.keyvault.certificates import (
    CertificateContact,
    CertificateContentType,
    CertificatePolicy,
    WellKnownIssuerNames,
)
from azure.keyvault.keys import JsonWebKey, KeyRotationPolicy
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from safekv.emulator import Request
from safekv.errors import MissingPackage, MissingPermission
from safekv.errors._permissions import NEEDS, full_action
from safekv.testing import LocalCredential, LocalKeyVault

VAULT = "my"
_DATA = b"0123456789abcdef0123456789abcdef"
_OTHERS = CertificatePolicy(WellKnownIssuerNames.unknown, subject="CN=pending", key_type="EC", key_curve_name="P-256")
_OWN = CertificatePolicy.get_default()


class Prepared:
    """A vault with something of everything, and what is needed to ask for it. Made once, copied for each test."""

    def __init__(self) -> None:
        local = LocalKeyVault()
        door = local.vault(VAULT)
        self.backups: dict[str, bytes] = {}
        self._secrets(door.secrets)
        self._keys(door)
        self._certificates(door.certificates)
        local.advance(seconds=60)
        self.snapshot, self.time = local.emulator.snapshot(), local.emulator.clock.time()

    def _secrets(self, client: Any) -> None:
        for name in ("here", "gone", "saved"):
            client.set_secret(name, "no secret")
        self.backups["secret"] = client.backup_secret("saved")
        for name in ("gone", "saved"):
            client.begin_delete_secret(name).wait()
        client.purge_deleted_secret("saved")

    def _keys(self, door: Any) -> None:
        client = door.keys
        self.key_id = client.create_rsa_key("rsa", size=2048).id
        for name in ("here", "gone", "saved"):
            client.create_ec_key(name)
        crypto = door.crypto("rsa")
        self.encrypted = crypto.encrypt("RSA-OAEP", _DATA).ciphertext
        self.wrapped = crypto.wrap_key("RSA-OAEP", _DATA).encrypted_key
        self.signature = crypto.sign("RS256", _DATA).signature
        self.backups["key"] = client.backup_key("saved")
        for name in ("gone", "saved"):
            client.begin_delete_key(name).wait()
        client.purge_deleted_key("saved")

    def _certificates(self, client: Any) -> None:
        for name in ("c-here", "c-gone", "c-saved"):
            client.begin_create_certificate(name, _OWN).result()
        client.begin_create_certificate("pending", _OTHERS, polling=False)
        self.version = client.get_certificate("c-here").properties.version
        self.backups["certificate"] = client.backup_certificate("c-saved")
        for name in ("c-gone", "c-saved"):
            client.begin_delete_certificate(name).wait()
        client.purge_deleted_certificate("c-saved")
        client.set_contacts([CertificateContact(email="admin@example.com")])
        client.create_issuer("issuer", "Test")

    def copy(self) -> LocalKeyVault:
        local = LocalKeyVault()
        local.url(VAULT)
        local.advance(seconds=max(0.0, self.time - local.emulator.clock.time()))
        local.emulator.restore(self.snapshot)
        return local


@cache
def prepared() -> Prepared:
    return Prepared()


def _pem() -> bytes:
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(timezone.utc)
    name = x509.Name.from_rfc4514_string("CN=imported")
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=30))
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private + builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


_ASK: dict[str, Callable[[Any, Prepared], Any]] = {
    "get_secret": lambda door, _: door.secrets.get_secret("here"),
    "set_secret": lambda door, _: door.secrets.set_secret("new", "no secret"),
    "update_secret_properties": lambda door, _: door.secrets.update_secret_properties("here", content_type="text"),
    "list_properties_of_secrets": lambda door, _: list(door.secrets.list_properties_of_secrets()),
    "list_properties_of_secret_versions": lambda door, _: list(door.secrets.list_properties_of_secret_versions("here")),
    "delete_secret": lambda door, _: door.secrets.begin_delete_secret("here"),
    "get_deleted_secret": lambda door, _: door.secrets.get_deleted_secret("gone"),
    "list_deleted_secrets": lambda door, _: list(door.secrets.list_deleted_secrets()),
    "recover_deleted_secret": lambda door, _: door.secrets.begin_recover_deleted_secret("gone"),
    "purge_deleted_secret": lambda door, _: door.secrets.purge_deleted_secret("gone"),
    "backup_secret": lambda door, _: door.secrets.backup_secret("here"),
    "restore_secret_backup": lambda door, made: door.secrets.restore_secret_backup(made.backups["secret"]),
    "create_key": lambda door, _: door.keys.create_ec_key("new"),
    "import_key": lambda door, _: door.keys.import_key("new", _json_web_key()),
    "get_key": lambda door, _: door.keys.get_key("here"),
    "list_properties_of_keys": lambda door, _: list(door.keys.list_properties_of_keys()),
    "list_properties_of_key_versions": lambda door, _: list(door.keys.list_properties_of_key_versions("here")),
    "get_deleted_key": lambda door, _: door.keys.get_deleted_key("gone"),
    "list_deleted_keys": lambda door, _: list(door.keys.list_deleted_keys()),
    "update_key_properties": lambda door, _: door.keys.update_key_properties("here", tags={"a": "b"}),
    "delete_key": lambda door, _: door.keys.begin_delete_key("here"),
    "recover_deleted_key": lambda door, _: door.keys.begin_recover_deleted_key("gone"),
    "purge_deleted_key": lambda door, _: door.keys.purge_deleted_key("gone"),
    "backup_key": lambda door, _: door.keys.backup_key("here"),
    "restore_key_backup": lambda door, made: door.keys.restore_key_backup(made.backups["key"]),
    "wrap_key": lambda door, _: door.crypto("rsa").wrap_key("RSA-OAEP", _DATA),
    "unwrap_key": lambda door, made: door.crypto("rsa").unwrap_key("RSA-OAEP", made.wrapped),
    "encrypt": lambda door, _: door.crypto("rsa").encrypt("RSA-OAEP", _DATA),
    "decrypt": lambda door, made: door.crypto("rsa").decrypt("RSA-OAEP", made.encrypted),
    "sign": lambda door, _: door.crypto("rsa").sign("RS256", _DATA),
    "verify": lambda door, made: door.crypto("rsa").verify("RS256", _DATA, made.signature),
    "release_key": lambda door, _: door.keys.release_key("here", "no.attestation."),
    "rotate_key": lambda door, _: door.keys.rotate_key("here"),
    "get_key_rotation_policy": lambda door, _: door.keys.get_key_rotation_policy("here"),
    "update_key_rotation_policy": lambda door, _: door.keys.update_key_rotation_policy("here", KeyRotationPolicy()),
    "get_certificate": lambda door, _: door.certificates.get_certificate("c-here"),
    "get_certificate_version": lambda door, made: door.certificates.get_certificate_version("c-here", made.version),
    "get_certificate_policy": lambda door, _: door.certificates.get_certificate_policy("c-here"),
    "get_certificate_operation": lambda door, _: door.certificates.get_certificate_operation("pending"),
    "list_properties_of_certificates": lambda door, _: list(door.certificates.list_properties_of_certificates()),
    "list_properties_of_certificate_versions": lambda door, _: list(
        door.certificates.list_properties_of_certificate_versions("c-here")
    ),
    "get_deleted_certificate": lambda door, _: door.certificates.get_deleted_certificate("c-gone"),
    "list_deleted_certificates": lambda door, _: list(door.certificates.list_deleted_certificates()),
    "create_certificate": lambda door, _: door.certificates.begin_create_certificate("new", _OTHERS, polling=False),
    "merge_certificate": lambda door, _: door.certificates.merge_certificate("pending", [b"none"]),
    "import_certificate": lambda door, _: door.certificates.import_certificate(
        "new", _pem(), policy=CertificatePolicy(content_type=CertificateContentType.pem)
    ),
    "update_certificate_properties": lambda door, _: door.certificates.update_certificate_properties(
        "c-here", tags={"a": "b"}
    ),
    "update_certificate_policy": lambda door, _: door.certificates.update_certificate_policy("c-here", _OWN),
    "cancel_certificate_operation": lambda door, _: door.certificates.cancel_certificate_operation("pending"),
    "delete_certificate_operation": lambda door, _: door.certificates.delete_certificate_operation("pending"),
    "delete_certificate": lambda door, _: door.certificates.begin_delete_certificate("c-here"),
    "recover_deleted_certificate": lambda door, _: door.certificates.begin_recover_deleted_certificate("c-gone"),
    "purge_deleted_certificate": lambda door, _: door.certificates.purge_deleted_certificate("c-gone"),
    "backup_certificate": lambda door, _: door.certificates.backup_certificate("c-here"),
    "restore_certificate_backup": lambda door, made: door.certificates.restore_certificate_backup(
        made.backups["certificate"]
    ),
    "get_contacts": lambda door, _: door.certificates.get_contacts(),
    "set_contacts": lambda door, _: door.certificates.set_contacts([CertificateContact(email="b@example.com")]),
    "delete_contacts": lambda door, _: door.certificates.delete_contacts(),
    "get_issuer": lambda door, _: door.certificates.get_issuer("issuer"),
    "list_properties_of_issuers": lambda door, _: list(door.certificates.list_properties_of_issuers()),
    "create_issuer": lambda door, _: door.certificates.create_issuer("new", "Test"),
    "update_issuer": lambda door, _: door.certificates.update_issuer("issuer", enabled=True),
    "delete_issuer": lambda door, _: door.certificates.delete_issuer("issuer"),
}
#: Allowed, these come as far as the service's own rules: what they send is not what it would have to be.
_REFUSED_AFTERWARDS = {"release_key", "merge_certificate", "cancel_certificate_operation"}


def _json_web_key() -> JsonWebKey:
    numbers = ec.generate_private_key(ec.SECP256R1()).private_numbers()
    public = numbers.public_numbers

    def member(number: int) -> bytes:
        return number.to_bytes(32, "big")

    return JsonWebKey(
        kty="EC",
        crv="P-256",
        x=member(public.x),
        y=member(public.y),
        d=member(numbers.private_value),
        key_ops=["sign", "verify"],
    )


def denied(door: Any, operation: str) -> MissingPermission:
    with pytest.raises(MissingPermission) as caught:
        _ASK[operation](door, prepared())
    return caught.value


def allowed(door: Any, operation: str) -> None:
    try:
        _ASK[operation](door, prepared())
    except HttpResponseError as error:
        if isinstance(error, MissingPermission) or operation not in _REFUSED_AFTERWARDS:
            raise


def _arm(local: LocalKeyVault, method: str, path: str, body: Any) -> Any:
    """Ask the control plane as the owner of the subscription, without a client."""
    token = LocalCredential(local.emulator).get_token("https://management.azure.com/.default").token
    headers = {"authorization": f"Bearer {token}"}
    query = {"api-version": "2022-04-01"}
    request = Request(method, "management.azure.com", path, query, headers, json.dumps(body).encode())
    reply = local.emulator.handle(request)
    assert reply.status in (200, 201), reply.body
    return json.loads(reply.body)


def follow(local: LocalKeyVault, command: str) -> None:
    """Do what a command of the Azure CLI does, with the requests that it makes."""
    words = shlex.split(command)
    parser = argparse.ArgumentParser(exit_on_error=False)
    if words[:3] == ["az", "keyvault", "set-policy"]:
        parser.add_argument("--name")
        parser.add_argument("--object-id")
        for kind in ("key", "secret", "certificate"):
            parser.add_argument(f"--{kind}-permissions", nargs="+", dest=f"{kind}s")
        _set_policy(local, parser.parse_args(words[3:]))
    else:
        assert words[:4] == ["az", "role", "assignment", "create"], command
        for name in ("--role", "--assignee-object-id", "--scope"):
            parser.add_argument(name)
        _create_assignment(local, parser.parse_args(words[4:]))


def _set_policy(local: LocalKeyVault, asked: Any) -> None:
    """The CLI reads the vault, replaces the lists that are given in the identity's entry, and puts it back."""
    path = local.arm.vault_id(asked.name)
    vault = _arm(local, "GET", path, {})
    entries = vault["properties"]["accessPolicies"]
    entry = next((each for each in entries if each["objectId"] == asked.object_id), None)
    if entry is None:
        entry = {"tenantId": vault["properties"]["tenantId"], "objectId": asked.object_id, "permissions": {}}
        entries.append(entry)
    for collection in ("keys", "secrets", "certificates"):
        given = getattr(asked, collection)
        if given is not None:
            entry["permissions"][collection] = given
    _arm(local, "PUT", path, vault)


def _create_assignment(local: LocalKeyVault, asked: Any) -> None:
    roles = _arm(local, "GET", f"{asked.scope}/providers/Microsoft.Authorization/roleDefinitions", {})["value"]
    role = next(each for each in roles if each["properties"]["roleName"] == asked.role)
    path = f"{asked.scope}/providers/Microsoft.Authorization/roleAssignments/{uuid4()}"
    body = {"roleDefinitionId": role["id"], "principalId": asked.assignee_object_id}
    _arm(local, "PUT", path, {"properties": body})


def command_of(error: MissingPermission) -> str:
    """The command to copy, which is in the error's text as well."""
    command = error.remedies[0]
    assert command in str(error)
    return command


def opened(local: LocalKeyVault, app: LocalCredential, **options: Any) -> Any:
    return local.vault(VAULT, enforce=True, credential=app, cache=None, **options)


def test_every_operation_is_tried() -> None:
    assert set(_ASK) == set(NEEDS)


@pytest.mark.parametrize("operation", NEEDS)
def test_by_access_policies(operation: str) -> None:
    local, need = prepared().copy(), NEEDS[operation]
    app = local.credential("app")
    door = opened(local, app)
    error = denied(door, operation)
    assert (error.details["collection"], error.details["permission"]) == (need.collection, need.permission)
    assert (error.details["oid"], error.details["appid"]) == (app.principal.oid, app.principal.client_id)
    assert f"'{need.permission}' on {need.collection}" in (error.hint or "")
    follow(local, command_of(error))
    given = _arm(local, "GET", local.arm.vault_id(VAULT), {})["properties"]["accessPolicies"]
    assert [(each["objectId"], each["permissions"]) for each in given] == [
        (app.principal.oid, {need.collection: [need.permission]})
    ]
    allowed(door, operation)


@pytest.mark.parametrize("operation", NEEDS)
def test_by_roles(operation: str) -> None:
    local, need = prepared().copy(), NEEDS[operation]
    app = local.credential("app")
    door = opened(local, app, rbac=True)
    error = denied(door, operation)
    assert error.inner_code == "ForbiddenByRbac"
    assert error.details["action"].lower() == full_action(need).lower()
    assert error.details["role"] in (error.hint or "")
    assert error.details["scope"].lower() == local.arm.vault_id(VAULT).lower()
    follow(local, command_of(error))
    assert [each.principal for each in local.emulator.grants.assignments.current][1:] == [app.principal.oid]
    allowed(door, operation)


# What the service says


def test_the_words_of_a_missing_policy() -> None:
    local = prepared().copy()
    app = local.credential("app", groups=["one", "two"])
    error = denied(opened(local, app), "get_secret")
    tenant = local.emulator.settings.tenant
    caller = (
        f"appid={app.principal.client_id};oid={app.principal.oid};numgroups=2;iss=https://sts.windows.net/{tenant}/"
    )
    assert error.message == (
        f"(Forbidden) The user, group or application '{caller}' does not have secrets get permission on key vault "
        "'my;location=westeurope'. For help resolving this issue, please see "
        "https://go.microsoft.com/fwlink/?linkid=2125287 (AccessDenied)"
    )


def test_the_words_of_a_missing_role() -> None:
    local = prepared().copy()
    app = local.credential("app")
    error = denied(opened(local, app, rbac=True), "sign")
    scope = local.arm.vault_id(VAULT).replace("Microsoft.KeyVault", "microsoft.keyvault")
    caller = f"appid={app.principal.client_id};oid={app.principal.oid};iss=https://sts.windows.net/"
    assert caller in error.message
    for line in (
        "Action: 'Microsoft.KeyVault/vaults/keys/sign/action'",
        f"Resource: '{scope}/keys/rsa'",
        "Assignment: (not found)",
        "DenyAssignmentId: null",
        "DecisionReason: 'DeniedWithNoValidRBAC'",
        "Vault: my;location=westeurope (ForbiddenByRbac)",
    ):
        assert line in error.message.splitlines()


# What follows from it


def test_a_permission_that_is_taken_away_is_missed_and_given_back() -> None:
    local = prepared().copy()
    app = local.credential("app")
    door = opened(local, app)
    local.allow(app, vault=VAULT, secrets=["get", "list"])
    allowed(door, "get_secret")
    taken = {"tenantId": local.emulator.settings.tenant, "objectId": app.principal.oid}
    body = {"properties": {"accessPolicies": [{**taken, "permissions": {"secrets": ["get"]}}]}}
    _arm(local, "PUT", f"{local.arm.vault_id(VAULT)}/accessPolicies/remove", body)
    error = denied(door, "get_secret")
    follow(local, command_of(error))
    allowed(door, "get_secret")
    # The CLI replaces a list, as the hint says: whoever names the new permission alone loses the others.
    assert "replaces the list" in (error.hint or "")
    denied(door, "list_properties_of_secrets")
    shown = next(each for each in error.remedies if "az keyvault show" in each)
    assert f"[?objectId=='{app.principal.oid}'].permissions.secrets" in shlex.split(shown)[-1]


def test_a_group_of_ones_own() -> None:
    local = prepared().copy()
    mine, other = local.credential("mine", groups=["readers"]), local.credential("other")
    local.allow("readers", vault=VAULT, secrets=["get"])
    allowed(opened(local, mine), "get_secret")
    denied(opened(local, other), "get_secret")
    denied(opened(local, mine, rbac=True), "get_secret")
    local.assign("readers", "Key Vault Secrets User", vault=VAULT)
    allowed(opened(local, mine, rbac=True), "get_secret")
    denied(opened(local, other, rbac=True), "get_secret")


def test_a_client_id_is_no_object_id() -> None:
    """What people get wrong most often: the policy names the application instead of its service principal."""
    local = prepared().copy()
    app = local.credential("app")
    local.emulator.vaults["my.vault.azure.net"].allow(app.principal.client_id, {"secrets": ["get"]})
    denied(opened(local, app), "get_secret")


def test_a_policy_for_an_application_on_behalf_of_users() -> None:
    local = prepared().copy()
    app = local.credential("app")
    entry = {
        "tenantId": local.emulator.settings.tenant,
        "objectId": app.principal.oid,
        "applicationId": app.principal.client_id,
        "permissions": {"secrets": ["get"]},
    }
    _arm(local, "PUT", f"{local.arm.vault_id(VAULT)}/accessPolicies/add", {"properties": {"accessPolicies": [entry]}})
    with pytest.raises(HttpResponseError, match="on-behalf-of") as caught:
        opened(local, app).secrets.get_secret("here")
    commands = [shlex.split(each) for each in caught.value.remedies if each.startswith("az ")]
    assert commands[0][2] == "delete-policy"
    assert commands[0][-2:] == ["--application-id", app.principal.client_id]


def test_a_token_that_says_nothing_gets_nowhere() -> None:
    local = prepared().copy()
    vault = local.emulator.vaults["my.vault.azure.net"]
    vault.enforce = True
    headers = {"authorization": "Bearer not-one-of-ours"}
    reply = local.emulator.handle(Request("GET", vault.authority, "/secrets/here", {"api-version": "7.6"}, headers))
    assert reply.status == 401
    payload = base64.urlsafe_b64encode(b'{"oid":7,"groups":"x"}').rstrip(b"=").decode()
    headers = {"authorization": f"Bearer eyJ0eXAiOiJKV1QiLCJhbGciOiJub25lIn0.{payload}."}
    reply = local.emulator.handle(Request("GET", vault.authority, "/secrets/here", {"api-version": "7.6"}, headers))
    assert reply.status in (401, 403)


def test_what_is_not_enforced_lets_anybody_in() -> None:
    local = prepared().copy()
    door = local.vault(VAULT, credential=local.credential("app"), cache=None)
    allowed(door, "get_secret")


def test_what_cannot_be_granted_is_said() -> None:
    local = LocalKeyVault()
    with pytest.raises(ValueError, match="'fly' is no permission on secrets; known: all, get"):
        local.allow("x", secrets=["fly"])
    with pytest.raises(ValueError, match="permissions are on keys, secrets"):
        local.allow("x", cats=["get"])
    with pytest.raises(ValueError, match="role='Cat' is unknown; known: Key Vault Administrator"):
        local.assign("x", "Cat")
    hsm = local.emulator.add_vault("hsm", hsm=True)
    with pytest.raises(ValueError, match="Managed HSM"):
        hsm.allow("x", {"keys": ["get"]})


def test_without_the_extra_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    local = LocalKeyVault()
    for module, make in (("keyvault", local.arm.keyvault), ("authorization", local.arm.authorization)):
        monkeypatch.setitem(sys.modules, f"azure.mgmt.{module}", None)
        with pytest.raises(MissingPackage, match=f"azure-mgmt-{module}") as caught:
            make()
        assert caught.value.hint == "pip install 'safekv[management]'"
