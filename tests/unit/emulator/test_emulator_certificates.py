"""Certificates that the vault makes: pending operations, the certificate, and its key and secret."""

from __future__ import annotations

import base64
import json
import os
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key, pkcs12
from cryptography.x509.oid import NameOID
from emulator_certificates import BEGIN, POLICY, certificate_of, create, policy
from emulator_wire import START, Wire

from safekv.emulator import EmulatorSettings
from safekv.emulator._base64url import decode, encode

URL = "https://my.vault.azure.net/certificates/name"
PROGRESS = (
    "Pending certificate created. Certificate request is in progress. "
    "This may take some time based on the issuer provider. Please check again later."
)


@pytest.fixture
def wire() -> Wire:
    return Wire()


def test_what_is_shown_while_a_certificate_is_made(wire: Wire) -> None:
    answer = create(wire, wait=False)
    operation = answer.json
    request = x509.load_der_x509_csr(base64.b64decode(operation["csr"]))
    assert (answer.status, answer.headers["Retry-After"]) == (202, "10")
    location = f"{URL}/pending?api-version=7.6&request_id={operation['request_id']}"
    assert answer.headers["Location"] == location
    assert operation == {
        "id": f"{URL}/pending",
        "issuer": {"name": "Self"},
        "csr": operation["csr"],
        "cancellation_requested": False,
        "status": "inProgress",
        "status_details": PROGRESS,
        "request_id": operation["request_id"],
    }
    assert request.is_signature_valid
    assert request.subject.rfc4514_string() == "CN=name"
    again = wire.get("/certificates/name/pending")
    assert (again.json, again.headers["Retry-After"]) == (operation, "10")
    assert "Location" not in again.headers
    blank = wire.get("/certificates/name").json
    assert blank["attributes"]["enabled"] is False
    assert blank["pending"] == {"id": f"{URL}/pending"}
    assert not {"cer", "kid", "sid", "x5t"} & set(blank)
    assert wire.get("/certificates").json["value"] == []
    assert len(wire.ask("GET", "/certificates", None, includePending="true").json["value"]) == 1
    assert wire.get("/secrets/name").status == wire.get("/keys/name").status == 404


def test_the_certificate_when_it_is_there(wire: Wire) -> None:
    operation = create(wire).json
    done = wire.get("/certificates/name/pending")
    completed = {**operation, "status": "completed", "target": URL}
    del completed["status_details"]
    assert done.json == completed
    assert "Retry-After" not in done.headers
    answer = wire.get("/certificates/name")
    certificate, shown = certificate_of(answer), answer.json
    version = shown["id"].rsplit("/", 1)[1]
    assert shown["kid"] == f"https://my.vault.azure.net/keys/name/{version}"
    assert shown["sid"] == f"https://my.vault.azure.net/secrets/name/{version}"
    assert decode(shown["x5t"]) == certificate.fingerprint(SHA1())
    made = int(START) + 5
    times = (int(certificate.not_valid_before_utc.timestamp()), int(certificate.not_valid_after_utc.timestamp()))
    assert times == (made - 600, made + 366 * 86_400)  # 2024 is a leap year
    assert shown["attributes"].items() >= {"enabled": True, "nbf": times[0], "exp": times[1]}.items()
    assert certificate.issuer == certificate.subject
    certificate.verify_directly_issued_by(certificate)
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.digital_signature, usage.key_encipherment, usage.key_cert_sign) == (True, True, False)
    assert wire.get(f"/certificates/name/{version}").json == shown


def test_the_policy_by_default(wire: Wire) -> None:
    body = {"policy": {"x509_props": {"subject": "cn=MyCert", "sans": {}}, "issuer": {"name": "self"}}}
    assert wire.post("/certificates/name/create", body).status == 202
    assert wire.get("/certificates/name/policy").json == {
        "id": f"{URL}/policy",
        "key_props": {"exportable": True, "kty": "RSA", "key_size": 2048, "reuse_key": False},
        "secret_props": {"contentType": "application/x-pkcs12"},
        "x509_props": {
            "subject": "cn=MyCert",
            "sans": {},
            "ekus": ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"],
            "key_usage": ["digitalSignature", "keyEncipherment"],
            "validity_months": 12,
            "basic_constraints": {"ca": False},
        },
        "lifetime_actions": [{"trigger": {"lifetime_percentage": 80}, "action": {"action_type": "AutoRenew"}}],
        "issuer": {"name": "Self"},
        "attributes": {"enabled": True, "created": int(START), "updated": int(START)},
    }


def secret_of(wire: Wire, **policies: Any) -> tuple[Any, Any, x509.Certificate]:
    """What the secret holds, and the certificate."""
    wire.post("/certificates/name/create", {"policy": policy(**policies)})
    wire.advance(5)
    secret = wire.get("/secrets/name").json
    if secret["contentType"] == "application/x-pem-file":
        text = secret["value"].encode()
        key = load_pem_private_key(text, None) if b"PRIVATE" in text else None
        chain = x509.load_pem_x509_certificates(text)
    else:
        loaded = pkcs12.load_pkcs12(base64.b64decode(secret["value"]), None)
        key = loaded.key
        chain = [each.certificate for each in [loaded.cert, *loaded.additional_certs] if each]
    return key, chain, certificate_of(wire.get("/certificates/name"))


@pytest.mark.parametrize("content_type", ["application/x-pem-file", "application/x-pkcs12"])
@pytest.mark.parametrize("key_props", [{"kty": "RSA"}, {"kty": "EC", "crv": "P-384"}, {"kty": "EC", "crv": "P-256K"}])
def test_the_secret_has_the_key_and_the_key_is_the_same(wire: Wire, content_type: str, key_props: Any) -> None:
    key, chain, certificate = secret_of(wire, secret_props={"contentType": content_type}, key_props=key_props)
    assert chain == [certificate]
    assert key.public_key() == certificate.public_key()
    digest = os.urandom(32)
    if isinstance(key, rsa.RSAPrivateKey):
        signed = wire.post("/keys/name/sign", {"alg": "RS256", "value": encode(digest)}).json["value"]
        key.public_key().verify(decode(signed), digest, padding.PKCS1v15(), utils.Prehashed(SHA256()))
    else:
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        assert wire.get("/keys/name").json["key"]["crv"] == key_props["crv"]


@pytest.mark.parametrize("content_type", ["application/x-pem-file", "application/x-pkcs12"])
def test_a_key_that_is_not_exportable_stays_out_of_the_secret(wire: Wire, content_type: str) -> None:
    key_props = {"kty": "EC-HSM", "exportable": False}
    key, chain, certificate = secret_of(wire, secret_props={"contentType": content_type}, key_props=key_props)
    assert (key, chain) == (None, [certificate])
    assert wire.get("/keys/name").json["attributes"]["exportable"] is False


def test_key_and_secret_belong_to_the_certificate(wire: Wire) -> None:
    create(wire)
    certificate, key, secret = (wire.get(f"/{kind}/name").json for kind in ("certificates", "keys", "secrets"))
    assert (key["key"]["kid"], secret["id"]) == (certificate["kid"], certificate["sid"])
    assert (key["managed"], secret["managed"], secret["kid"]) == (True, True, certificate["kid"])
    for part in (key, secret):
        assert [part["attributes"][each] for each in ("enabled", "nbf", "exp")] == [
            certificate["attributes"][each] for each in ("enabled", "nbf", "exp")
        ]
    for answer, code in (
        (wire.delete("/keys/name"), "KeyManagedByKeyVault"),
        (wire.post("/keys/name/create", {"kty": "EC"}), "KeyManagedByKeyVault"),
        (wire.delete("/secrets/name"), "SecretManagedByKeyVault"),
        (wire.put("/secrets/name", {"value": "v"}), "SecretManagedByKeyVault"),
    ):
        assert (answer.status, answer.code, answer.inner_code) == (403, "Forbidden", code)
    assert wire.patch("/keys/name", {"tags": {"a": "b"}}).status == 200


def test_a_name_that_a_secret_or_key_has_cannot_be_a_certificates(wire: Wire) -> None:
    wire.put("/secrets/name", {"value": "v"})
    wire.post("/keys/other/create", {"kty": "EC"})
    for name in ("name", "other"):
        answer = wire.post(f"/certificates/{name}/create", {"policy": POLICY})
        assert (answer.status, answer.code) == (409, "Conflict")
        assert wire.get(f"/certificates/{name}").status == 404
    wire.bin("name")
    answer = wire.post("/certificates/name/create", {"policy": POLICY})
    assert (answer.status, answer.inner_code) == (409, "ObjectIsDeletedButRecoverable")


def test_versions(wire: Wire) -> None:
    versions = []
    for serial in range(3):
        create(wire, tags={"n": str(serial)})
        versions.append(wire.get("/certificates/name").json)
    assert len({version["cer"] for version in versions}) == 3
    listed = {item["id"]: item for item in wire.get("/certificates/name/versions").json["value"]}
    assert set(listed) == {version["id"] for version in versions}
    assert all(listed[version["id"]]["x5t"] == version["x5t"] for version in versions)
    for kind, member in (("keys", "kid"), ("secrets", "sid")):
        path = versions[0][member].removeprefix("https://my.vault.azure.net")
        assert wire.get(path).status == 200
        assert len(wire.get(f"/{kind}/name/versions").json["value"]) == 3
    assert wire.get("/certificates").json["value"][0]["id"] == URL


def test_the_old_version_serves_while_a_new_one_is_made(wire: Wire) -> None:
    create(wire)
    old = wire.get("/certificates/name").json
    create(wire, wait=False)
    assert wire.get("/certificates/name").json["id"] == old["id"]
    wire.advance(5)
    assert wire.get("/certificates/name").json["id"] != old["id"]


def test_reusing_the_key(wire: Wire) -> None:
    for reuse, same in ((False, False), (True, True)):
        keys = []
        for _ in range(2):
            create(wire, policy=policy(key_props={"kty": "EC", "reuse_key": reuse}))
            key = wire.get("/keys/name").json["key"]
            keys.append((key["x"], key["y"]))
        assert (keys[0] == keys[1]) is same


def test_only_one_at_a_time(wire: Wire) -> None:
    create(wire, wait=False)
    for path in ("create", "import"):
        answer = wire.post(f"/certificates/name/{path}", {"policy": POLICY, "value": "x"})
        assert (answer.status, answer.code) == (409, "Forbidden")
        assert answer.message == (
            "A new key vault certificate can not be created or imported while a pending key vault certificate's "
            "status is inProgress."
        )


def test_cancelling(wire: Wire) -> None:
    operation = create(wire, wait=False).json
    cancelled = wire.patch("/certificates/name/pending", {"cancellation_requested": True})
    assert cancelled.json == {**operation, "cancellation_requested": True}
    wire.advance(5)
    assert wire.get("/certificates/name/pending").json["status"] == "cancelled"
    assert wire.get("/certificates/name").json["attributes"]["enabled"] is False
    assert wire.get("/secrets/name").status == 404
    assert wire.delete("/certificates/name/pending").json["status"] == "cancelled"
    assert "pending" not in wire.get("/certificates/name").json
    answer = wire.get("/certificates/name/pending")
    assert (answer.status, answer.code) == (404, "PendingCertificateNotFound")
    assert answer.message == "Pending certificate not found: name"
    create(wire)
    assert "cer" in wire.get("/certificates/name").json
    assert len(wire.get("/certificates/name/versions", includePending="true").json["value"]) == 1


def test_what_cannot_be_cancelled(wire: Wire) -> None:
    create(wire, "completed")
    create(wire, "unknown", "Unknown")
    for name in ("completed", "unknown"):
        answer = wire.patch(f"/certificates/{name}/pending", {"cancellation_requested": True})
        assert (answer.status, answer.code) == (403, "Forbidden")
    create(wire, wait=False)
    for body in ({}, {"cancellation_requested": False}, {"cancellation_requested": 1}):
        assert wire.patch("/certificates/name/pending", body).status == 400


def test_deleting_an_operation_ends_it(wire: Wire) -> None:
    create(wire, wait=False)
    assert wire.delete("/certificates/name/pending").json["status"] == "inProgress"
    wire.advance(100)
    assert "cer" not in wire.get("/certificates/name").json
    for method in ("GET", "PATCH", "DELETE"):
        assert wire.ask(method, "/certificates/name/pending", {}).code == "PendingCertificateNotFound"
    assert wire.post("/certificates/name/pending/merge", {}).code == "PendingCertificateNotFound"


def test_a_registered_issuer_signs_with_an_authority(wire: Wire) -> None:
    wire.put("/certificates/issuers/ca", {"provider": "Test"})
    create(wire, issuer="CA", policy=policy("CA", secret_props={"contentType": "application/x-pem-file"}))
    own, authority = x509.load_pem_x509_certificates(wire.get("/secrets/name").json["value"].encode())
    own.verify_directly_issued_by(authority)
    assert own == certificate_of(wire.get("/certificates/name"))
    assert authority.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_issuers_that_give_nothing(wire: Wire) -> None:
    wire.put("/certificates/issuers/off", {"provider": "Test", "attributes": {"enabled": False}})
    wire.put("/certificates/issuers/on", {"provider": "Test"})
    wire.vault.issuer_error = "The order was rejected."
    for issuer, code, message in (
        ("nobody", "CertificateIssuerNotFound", "Issuer not found"),
        ("off", "IssuerDisabled", "The issuer off is disabled."),
        ("on", "IssuerRefused", "The order was rejected."),
    ):
        create(wire, issuer, issuer)
        operation = wire.get(f"/certificates/{issuer}/pending").json
        assert (operation["status"], operation["status_details"]) == ("failed", message)
        assert operation["error"] == {"code": code, "message": message}
        assert wire.get(f"/secrets/{issuer}").status == 404
    create(wire)  # nothing is wrong with the vault itself
    assert wire.get("/certificates/name/pending").json["status"] == "completed"


def test_a_name_that_is_taken_meanwhile(wire: Wire) -> None:
    create(wire, wait=False)
    wire.put("/secrets/name", {"value": "mine"})
    wire.delete("/secrets/name")
    wire.advance(5)
    operation = wire.get("/certificates/name/pending").json
    assert (operation["status"], operation["error"]["code"]) == ("failed", "Conflict")
    assert wire.get("/keys/name").status == 404


def test_the_delay_is_settable() -> None:
    wire = Wire(EmulatorSettings(issue_delay=60.0))
    create(wire, wait=False)
    wire.advance(59)
    assert wire.get("/certificates/name/pending").json["status"] == "inProgress"
    wire.advance(1)
    assert wire.get("/secrets/name").status == 200  # whatever is read first
    with pytest.raises(ValueError, match="issue_delay must be"):
        EmulatorSettings(issue_delay=-1)


def test_all_names(wire: Wire) -> None:
    sans = {
        "emails": ["a@example.com"],
        "dns_names": ["a.example.com", "*.example.com"],
        "upns": ["user@example.com"],
        "uris": ["https://example.com/api"],
        "ipAddresses": ["10.0.0.1", "2001:db8::1"],
    }
    props = {"subject": "CN=MyCert, O=Org,S=State, e=a@b.c", "sans": sans, "key_usage": ["decipherOnly", "cRLSign"]}
    create(wire, policy=policy(x509_props={**props, "validity_months": 1, "ekus": ["1.3.6.1.5.5.7.3.3"]}))
    certificate = certificate_of(wire.get("/certificates/name"))
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.RFC822Name) == sans["emails"]
    assert names.get_values_for_type(x509.DNSName) == sans["dns_names"]
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == sans["uris"]
    assert [str(each) for each in names.get_values_for_type(x509.IPAddress)] == sans["ipAddresses"]
    assert names.get_values_for_type(x509.OtherName)[0].value == b"\x0c\x10user@example.com"
    subject = {each.oid: each.value for each in certificate.subject}
    assert (subject[NameOID.COMMON_NAME], subject[NameOID.STATE_OR_PROVINCE_NAME]) == ("MyCert", "State")
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.decipher_only, usage.crl_sign, usage.digital_signature) == (True, True, False)
    assert wire.get("/certificates/name/policy").json["x509_props"]["sans"] == sans
    assert (certificate.not_valid_after_utc - BEGIN).days in (30, 31)


@pytest.mark.parametrize(
    "wrong",
    [
        {"x509_props": {"subject": ""}},
        {"x509_props": {"subject": "name"}},
        {"x509_props": {"subject": "CN"}},
        {"x509_props": {"subject": 1}},
        {"x509_props": {"sans": {"ipAddresses": ["10.0.0.999"]}}},
        {"x509_props": {"sans": {"dns_names": ["\u00e9.example"]}}},
        {"x509_props": {"sans": {"dns_names": "a.example"}}},
        {"x509_props": {"sans": {"upns": ["u" * 128]}}},
        {"x509_props": {"sans": []}},
        {"x509_props": {"subject": "CN=a", "ekus": ["server"]}},
        {"x509_props": {"subject": "CN=a", "key_usage": ["dance"]}},
        {"x509_props": {"subject": "CN=a", "validity_months": 0}},
        {"x509_props": {"subject": "CN=a", "validity_months": 1201}},
        {"x509_props": []},
        {"key_props": {"kty": "oct"}},
        {"key_props": {"kty": "RSA", "key_size": 1024}},
        {"key_props": {"kty": "EC", "crv": "P-224"}},
        {"key_props": {"exportable": "yes"}},
        {"secret_props": {"contentType": "text/plain"}},
        {"lifetime_actions": {}},
        {"lifetime_actions": [{}]},
        {"lifetime_actions": [{"trigger": {"lifetime_percentage": 0}, "action": {"action_type": "AutoRenew"}}]},
        {"lifetime_actions": [{"trigger": {}, "action": {"action_type": "AutoRenew"}}]},
        {"lifetime_actions": [{"trigger": {"days_before_expiry": 1}, "action": {"action_type": "Dance"}}]},
        {"issuer": {"name": 1}},
        {"issuer": {"name": ""}},
        {"issuer": {"name": "Self", "cty": 1}},
        {"attributes": {"enabled": 1}},
        {"platformManaged": 1},
    ],
)
def test_policies_that_make_no_sense(wire: Wire, wrong: Any) -> None:
    answer = wire.post("/certificates/name/create", {"policy": {**POLICY, **wrong}})
    assert (answer.status, answer.code) == (400, "BadParameter")
    assert wire.get("/certificates/name").status == 404


def test_a_policy_that_is_refused_changes_nothing(wire: Wire) -> None:
    create(wire)
    before = wire.get("/certificates/name").json
    for wrong in ({"key_props": {"kty": "oct"}}, {"x509_props": {"key_usage": ["dance"]}}, {"issuer": {"name": 1}}):
        assert wire.patch("/certificates/name/policy", wrong).status == 400
        assert wire.patch("/certificates/name", {"policy": wrong, "tags": {"a": "b"}}).status == 400
    assert wire.get("/certificates/name").json == before


@pytest.mark.parametrize(
    "body",
    [{}, {"policy": None}, {"policy": []}, {"policy": POLICY, "tags": 1}, {"policy": POLICY, "preserveCertOrder": 1}],
)
def test_bodies_that_make_no_sense(wire: Wire, body: Any) -> None:
    assert wire.post("/certificates/name/create", body).status == 400
    assert wire.get("/certificates/name").status == 404


def test_updating(wire: Wire) -> None:
    create(wire, tags={"a": "b"}, preserveCertOrder=True, attributes={"enabled": False})
    made = wire.get("/certificates/name").json
    assert (made["attributes"]["enabled"], made["preserveCertOrder"], made["tags"]) == (False, True, {"a": "b"})
    wire.advance(5)
    version = made["id"].rsplit("/", 1)[1]
    answer = wire.patch(f"/certificates/name/{version}", {"attributes": {"enabled": True}, "tags": {}}).json
    assert (answer["attributes"]["enabled"], answer["tags"], answer["cer"]) == (True, {}, made["cer"])
    assert answer["attributes"]["updated"] == int(START) + 10
    answer = wire.patch("/certificates/name/policy", {"x509_props": {"validity_months": 3}}).json
    assert (answer["x509_props"]["validity_months"], answer["x509_props"]["subject"]) == (3, "CN=name")
    assert (answer["attributes"]["created"], answer["attributes"]["updated"]) == (int(START), int(START) + 10)
    answer = wire.patch("/certificates/name", {"policy": {"key_props": {"kty": "RSA"}}}).json
    assert answer["policy"]["key_props"]["key_size"] == 2048
    wire.post("/certificates/name/create", {})  # by the policy that it has
    wire.advance(5)
    assert wire.get("/keys/name").json["key"]["kty"] == "RSA"


def test_what_does_not_exist(wire: Wire) -> None:
    for method, path in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("GET", "/policy"), ("POST", "/backup")):
        answer = wire.ask(method, f"/certificates/other{path}", {})
        assert (answer.status, answer.code) == (404, "CertificateNotFound")
        assert answer.message.startswith("A certificate with (name/id) other was not found in this key vault. ")
    assert wire.get("/deletedcertificates/other").message == "Deleted Certificate not found: other"
    assert wire.post("/deletedcertificates/other/recover").message == "Certificate not found: other"
    assert Wire(hsm=True).get("/certificates").status == 400


def test_deletion_takes_key_and_secret_along(wire: Wire) -> None:
    create(wire)
    shown = wire.get("/certificates/name").json
    deleted = wire.delete("/certificates/name").json
    assert deleted["recoveryId"] == "https://my.vault.azure.net/deletedcertificates/name"
    assert deleted["cer"] == shown["cer"]
    answer = wire.post("/certificates/name/create", {"policy": POLICY})
    assert (answer.status, answer.message) == (409, "Certificate is currently being deleted.")
    wire.advance(2)
    for kind in ("keys", "secrets", "certificates"):
        assert wire.get(f"/{kind}/name").status == 404
        assert wire.get(f"/deleted{kind}/name").status == 200
    for kind in ("keys", "secrets"):
        for answer in (wire.post(f"/deleted{kind}/name/recover"), wire.delete(f"/deleted{kind}/name")):
            assert answer.status == 403
    answer = wire.post("/certificates/name/create", {"policy": POLICY})
    assert answer.message == (
        "Certificate name is currently in a deleted but recoverable state, and its name cannot be reused; "
        "in this state, the certificate can only be recovered or purged."
    )
    wire.post("/deletedcertificates/name/recover")
    wire.advance(2)
    for kind in ("keys", "secrets", "certificates"):
        assert wire.get(f"/{kind}/name").status == 200
    wire.delete("/certificates/name")
    wire.advance(2)
    assert wire.delete("/deletedcertificates/name").status == 204
    for kind in ("keys", "secrets", "certificates"):
        assert wire.get(f"/deleted{kind}/name").status == 404


def test_what_is_pending_rests_while_it_is_deleted(wire: Wire) -> None:
    create(wire, wait=False)
    wire.delete("/certificates/name")
    wire.advance(10)
    assert wire.get("/certificates/name/pending").status == 404
    assert wire.get("/secrets/name").status == 404
    wire.post("/deletedcertificates/name/recover")
    wire.advance(2)
    assert wire.get("/certificates/name/pending").json["status"] == "completed"
    assert wire.get("/secrets/name").status == 200


def test_a_backup_has_key_and_secret(wire: Wire) -> None:
    create(wire)
    kinds = ("keys", "secrets", "certificates")
    shown = [wire.get(f"/{kind}/name").json for kind in kinds]
    backup = wire.post("/certificates/name/backup").json["value"]
    answer = wire.post("/certificates/restore", {"value": backup})
    assert (answer.status, answer.code) == (409, "Conflict")
    assert answer.message.startswith(f"There was a conflict restoring the certificate '{URL}/")
    wire.delete("/certificates/name")
    wire.advance(2)
    wire.delete("/deletedcertificates/name")
    wire.put("/secrets/name", {"value": "in the way"})
    assert wire.post("/certificates/restore", {"value": backup}).message.startswith(
        "There was a conflict restoring the secret '"
    )
    assert wire.get("/keys/name").status == 404
    wire.bin("name")
    wire.delete("/deletedsecrets/name")
    assert wire.post("/certificates/restore", {"value": backup}).status == 200
    assert [wire.get(f"/{kind}/name").json for kind in kinds] == shown


def test_a_restart_forgets_nothing(wire: Wire) -> None:
    create(wire)
    create(wire, "pending", wait=False)
    wire.put("/certificates/issuers/ca", {"provider": "Test"})
    wire.put("/certificates/contacts", {"contacts": [{"email": "a@b.c"}]})
    document = json.loads(json.dumps(wire.emulator.snapshot()))
    again = Wire()
    again.emulator.restore(document)
    for path in ("/certificates/name", "/secrets/name", "/certificates/issuers/ca", "/certificates/contacts"):
        assert again.get(path).json == wire.get(path).json
    again.advance(10)
    assert again.get("/certificates/pending/pending").json["status"] == "completed"
    document["vaults"]["my"]["certificates"][0]["versions"][0]["content"]["cer"] = "AAAA"
    with pytest.raises(ValueError, match="content cannot be used"):
        again.emulator.restore(document)
    again.emulator.reset()
    assert again.get("/certificates/issuers/ca").status == again.get("/certificates/contacts").status == 404


def test_pages_go_on_with_what_is_pending(wire: Wire) -> None:
    for number in range(3):
        create(wire, f"n{number}", wait=False)
    page = wire.ask("GET", "/certificates", None, includePending="true", maxresults="2").json
    assert len(page["value"]) == 2
    assert page["nextLink"].endswith("&maxresults=2&includePending=true")
