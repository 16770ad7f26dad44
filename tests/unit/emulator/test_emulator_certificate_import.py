"""Certificates that come from outside: imported with their keys, or merged."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    NoEncryption,
    load_pem_private_key,
    pkcs12,
)
from emulator_certificates import certificate_of, create, der_of, key_and_certificate, pem_of
from emulator_keys import inside
from emulator_wire import Answer, Wire

from safekv.emulator.keys._rsa_pool import POOL

KEY, OWN = key_and_certificate()
CA_KEY, CA = key_and_certificate(subject="CN=ca")
ISSUED = key_and_certificate(KEY, CA_KEY)[1]


@pytest.fixture
def wire() -> Wire:
    return Wire()


def archive(password: bytes | None = None, key: Any = KEY, own: Any = OWN, others: Any = None) -> str:
    protection = BestAvailableEncryption(password) if password else NoEncryption()
    return base64.b64encode(pkcs12.serialize_key_and_certificates(b"n", key, own, others, protection)).decode()


def import_(wire: Wire, value: str, name: str = "name", **body: Any) -> Answer:
    return wire.post(f"/certificates/{name}/import", {"value": value, **body})


@pytest.mark.parametrize("wrapped", [False, True])
def test_pem(wire: Wire, wrapped: bool) -> None:
    pem = pem_of(KEY, ISSUED, CA)
    answer = import_(wire, base64.b64encode(pem.encode()).decode() if wrapped else pem, tags={"a": "b"})
    assert certificate_of(answer) == ISSUED
    assert (answer.json["tags"], answer.json["attributes"]["enabled"]) == ({"a": "b"}, True)
    assert inside(wire).private_numbers() == KEY.private_numbers()
    secret = wire.get("/secrets/name").json
    assert secret["contentType"] == "application/x-pem-file"
    assert x509.load_pem_x509_certificates(secret["value"].encode()) == [ISSUED, CA]
    assert load_pem_private_key(secret["value"].encode(), None).private_numbers() == KEY.private_numbers()  # type: ignore


@pytest.mark.parametrize("password", [None, b"1234"])
def test_pkcs12(wire: Wire, password: bytes | None) -> None:
    answer = import_(wire, archive(password, own=ISSUED, others=[CA]), pwd=password and password.decode())
    assert certificate_of(answer) == ISSUED
    secret = wire.get("/secrets/name").json
    loaded = pkcs12.load_pkcs12(base64.b64decode(secret["value"]), None)  # the password is gone
    assert loaded.cert is not None
    assert [loaded.cert.certificate, *(each.certificate for each in loaded.additional_certs)] == [ISSUED, CA]
    assert secret["contentType"] == "application/x-pkcs12"


def test_the_policy_describes_what_was_imported(wire: Wire) -> None:
    policy = import_(wire, pem_of(KEY, OWN)).json["policy"]
    assert policy["issuer"] == {"name": "Unknown"}
    assert policy["key_props"] == {
        "exportable": True,
        "reuse_key": False,
        "kty": "EC",
        "key_size": 256,
        "crv": "P-256",
    }
    x509_props = policy["x509_props"]
    assert (x509_props["subject"], x509_props["validity_months"]) == ("CN=own", 12)
    assert x509_props["sans"] == {"dns_names": ["a.example"], "ipAddresses": ["10.0.0.1"]}


def test_a_policy_of_ones_own(wire: Wire) -> None:
    given = {"secret_props": {"contentType": "application/x-pkcs12"}, "key_props": {"exportable": False, "kty": "RSA"}}
    answer = import_(wire, pem_of(KEY, OWN), policy=given).json
    assert answer["policy"]["key_props"].items() >= {"exportable": False, "kty": "EC", "crv": "P-256"}.items()
    loaded = pkcs12.load_pkcs12(base64.b64decode(wire.get("/secrets/name").json["value"]), None)
    assert loaded.key is None


def test_rsa_and_a_new_version(wire: Wire) -> None:
    first = import_(wire, pem_of(KEY, OWN)).json
    key, own = key_and_certificate(POOL.take(2048))
    second = import_(wire, pem_of(key, own))
    assert certificate_of(second) == own
    assert second.json["policy"]["key_props"].items() >= {"kty": "RSA", "key_size": 2048}.items()
    path = first["kid"].removeprefix("https://my.vault.azure.net")
    assert wire.get(path).json["key"]["kty"] == "EC"
    assert inside(wire).private_numbers() == key.private_numbers()


PKCS12 = (
    "The specified PKCS#12 X.509 certificate content can not be read. "
    "Please check if certificate is in valid PKCS#12 format."
)
PEM = (
    "The specified PEM X.509 certificate content is in an unexpected format. "
    "Please check if certificate is in valid PEM format."
)
NO_KEY = (
    "No certificate with private key found in the specified X.509 certificate content. Please specify X.509 "
    "certificate content with only one certificate containing private key."
)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("***", PKCS12),
        ("AAAA", PKCS12),
        (archive(b"other"), PKCS12),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", PEM),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", PEM),
        (pem_of(KEY), NO_KEY),
        (pem_of(None, OWN), NO_KEY),
        (pem_of(CA_KEY, OWN), NO_KEY),
        (pem_of(ed25519.Ed25519PrivateKey.generate(), OWN), NO_KEY),
        (archive(key=None), NO_KEY),
        ("", PKCS12),
    ],
)
def test_what_cannot_be_imported(wire: Wire, value: str, message: str) -> None:
    answer = import_(wire, value)
    assert (answer.status, answer.code, answer.message) == (400, "BadParameter", message)
    assert wire.get("/certificates/name").status == 404


def test_keys_that_key_vault_does_not_take(wire: Wire) -> None:
    for key in (rsa.generate_private_key(65_537, 1024), ec.generate_private_key(ec.SECP224R1())):
        answer = import_(wire, pem_of(*key_and_certificate(key)))
        assert (answer.status, answer.code) == (400, "BadParameter")


@pytest.mark.parametrize("body", [{}, {"value": 1}, {"value": pem_of(KEY, OWN), "pwd": 1}])
def test_bodies_that_make_no_sense(wire: Wire, body: Any) -> None:
    assert wire.post("/certificates/name/import", body).status == 400


# Merging


def signed(wire: Wire, signer: Any = CA_KEY) -> x509.Certificate:
    """What an authority makes of the request."""
    request = x509.load_der_x509_csr(base64.b64decode(wire.get("/certificates/name/pending").json["csr"]))
    return key_and_certificate(CA_KEY, signer, request.public_key(), "CN=name")[1]


@pytest.mark.parametrize("twice", [False, True])
def test_merging(wire: Wire, twice: bool) -> None:
    operation = create(wire, issuer="Unknown").json
    assert (operation["status"], operation["status_details"]) == (
        "inProgress",
        "Pending certificate created. Please Perform Merge to complete the request.",
    )
    wire.advance(1_000_000)
    assert wire.get("/certificates/name/pending").json["status"] == "inProgress"
    own = signed(wire)
    text = base64.b64encode(der_of(own).encode()).decode() if twice else der_of(own)
    answer = wire.post("/certificates/name/pending/merge", {"x5c": [text, der_of(CA)], "tags": {"a": "b"}})
    assert answer.status == 201
    assert certificate_of(answer) == certificate_of(wire.get("/certificates/name")) == own
    assert answer.json["tags"] == {"a": "b"}
    loaded = pkcs12.load_pkcs12(base64.b64decode(wire.get("/secrets/name").json["value"]), None)
    assert [each.certificate for each in loaded.additional_certs] == [CA]
    assert inside(wire).public_key() == own.public_key()
    assert wire.get("/certificates/name/pending").json["status"] == "completed"
    again = wire.post("/certificates/name/pending/merge", {"x5c": [der_of(own)]})
    assert again.status == 403


def test_merging_what_another_issuer_makes(wire: Wire) -> None:
    create(wire, wait=False)
    answer = wire.post("/certificates/name/pending/merge", {"x5c": [der_of(signed(wire))]})
    assert (answer.status, answer.code) == (403, "Forbidden")
    assert answer.message == "Merge is forbidden on pending object created with issuer : Self while it is in progess."


def test_merging_a_certificate_for_another_key(wire: Wire) -> None:
    create(wire, issuer="Unknown")
    answer = wire.post("/certificates/name/pending/merge", {"x5c": [der_of(OWN)]})
    assert (answer.status, answer.code) == (400, "BadParameter")
    assert answer.message.startswith("The public key of the end-entity certificate in the specified X.509 certificate")
    assert wire.get("/certificates/name/pending").json["status"] == "inProgress"


@pytest.mark.parametrize("x5c", [None, [], {}, [1], ["***"], ["AAAA"], [der_of(OWN)] * 101, ["LS0tLS1CRUdJTg=="]])
def test_merging_nonsense(wire: Wire, x5c: Any) -> None:
    create(wire, issuer="Unknown")
    answer = wire.post("/certificates/name/pending/merge", {"x5c": x5c})
    assert (answer.status, answer.code) == (400, "BadParameter")
