"""Secure key release: who gets an exportable key, and how it is wrapped."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, keywrap
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_private_key
from emulator_keys import create, import_, inside, number, oct_jwk
from emulator_wire import START, Answer, Wire

from safekv.emulator._base64url import decode, encode
from safekv.emulator.keys._rsa_pool import POOL

AUTHORITY = "https://attest.example/"
RULE = {"anyOf": [{"authority": AUTHORITY, "allOf": [{"claim": "x-ms.level", "equals": "high"}]}], "version": "1.0.0"}
TARGET = POOL.take(2048)


def policy(rules: Any = RULE, **other: Any) -> dict[str, Any]:
    return {"data": encode(json.dumps(rules).encode()), **other}


def token(target: rsa.RSAPrivateKey = TARGET, **claims: Any) -> str:
    numbers = target.public_key().public_numbers()
    jwk = {"kty": "RSA", "n": number(numbers.n), "e": number(numbers.e)}
    fitting = {"iss": AUTHORITY, "x-ms": {"level": "high"}, "x-ms-runtime": {"keys": [{"kty": "EC"}, jwk]}}
    return f"e30.{encode(json.dumps({**fitting, **claims}).encode())}.sig"


def exportable(wire: Wire, **body: Any) -> dict[str, Any]:
    return create(wire, kty="RSA-HSM", attributes={"exportable": True}, release_policy=policy(), **body).json


def released(answer: Answer) -> bytes:
    """What the environment makes of the answer."""
    assert answer.status == 200, answer.json
    payload = answer.json["value"].split(".")[1]
    key = json.loads(decode(payload))["response"]["key"]["key"]
    sealed = decode(json.loads(decode(key["key_hsm"]))["ciphertext"])
    hashed: dict[str, hashes.HashAlgorithm] = {
        "RSA_AES_KEY_WRAP_256": hashes.SHA256(),
        "RSA_AES_KEY_WRAP_384": hashes.SHA384(),
    }
    digest = hashed.get(json.loads(decode(payload))["request"]["enc"], hashes.SHA1())
    secret = TARGET.decrypt(sealed[:256], padding.OAEP(padding.MGF1(digest), digest, None))
    return keywrap.aes_key_unwrap_with_padding(secret, sealed[256:])


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.mark.parametrize("enc", [None, "CKM_RSA_AES_KEY_WRAP", "RSA_AES_KEY_WRAP_256", "RSA_AES_KEY_WRAP_384"])
def test_the_environment_gets_the_key_and_nobody_else(wire: Wire, enc: str | None) -> None:
    version = exportable(wire)["key"]["kid"].rsplit("/", 1)[1]
    for path in ("name", "name/", f"name/{version}"):
        answer = wire.post(f"/keys/{path}/release", {"target": token(), "enc": enc, "nonce": "n"})
        key = load_der_private_key(released(answer), None)
        assert key.private_numbers() == inside(wire).private_numbers()
        assert number(inside(wire).private_numbers().d) not in json.dumps(answer.json)


def test_symmetric_keys_too(wire: Wire) -> None:
    import_(wire, oct_jwk(bytes(range(32))), attributes={"exportable": True}, release_policy=policy())
    assert released(wire.post("/keys/name/release", {"target": token()})) == bytes(range(32))


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://other.example"},
        {"x-ms": {"level": "low"}},
        {"x-ms": {}},
        {"x-ms": "high"},
    ],
)
def test_claims_that_do_not_satisfy(wire: Wire, claims: dict[str, Any]) -> None:
    exportable(wire)
    answer = wire.post("/keys/name/release", {"target": token(**claims)})
    assert (answer.status, answer.code) == (403, "Forbidden")
    assert answer.message == "Target environment attestation does not satisfy the key release policy."


@pytest.mark.parametrize(
    ("rules", "granted"),
    [
        ({"anyOf": [{"claim": "flag", "equals": True}, {"claim": "x", "equals": 1}]}, True),
        ({"anyOf": [{"claim": "flag", "equals": "true"}]}, True),
        ({"allOf": [{"claim": "flag", "equals": True}, {"claim": "x", "equals": 1}]}, False),
        ({"anyOf": []}, False),
        ({"anyOf": [1]}, False),
        ({}, False),
        ({"claim": "flag"}, False),
        ({"allOf": [{"claim": "flag", "equals": True}, {"claim": "flag", "exists": True}]}, False),
    ],
)
def test_rules(wire: Wire, rules: Any, granted: bool) -> None:
    create(wire, attributes={"exportable": True}, release_policy=policy(rules))
    assert wire.post("/keys/name/release", {"target": token(flag=True)}).status == (200 if granted else 403)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"target": 1},
        {"target": "no-token"},
        {"target": "a.***.c"},
        {"target": "a.W10.c"},
        {"target": f"e30.{encode(json.dumps({'iss': AUTHORITY, 'x-ms': {'level': 'high'}}).encode())}."},
        {"target": token(**{"x-ms-runtime": {"keys": [{"kty": "RSA", "n": "AQ", "e": 3}]}})},
        {"target": token(**{"x-ms-runtime": {"keys": []}})},
        {"target": token(), "enc": "ROT13"},
    ],
)
def test_bad_requests(wire: Wire, body: dict[str, Any]) -> None:
    exportable(wire)
    answer = wire.post("/keys/name/release", body)
    assert (answer.status, answer.code) == (400, "BadParameter")


def test_a_key_that_is_not_exportable_is_never_released(wire: Wire) -> None:
    create(wire)
    assert wire.post("/keys/name/release", {"target": token()}).status == 403


def test_an_expired_key_can_be_released_and_a_disabled_one_cannot(wire: Wire) -> None:
    exportable(wire)
    wire.patch("/keys/name", {"attributes": {"exp": int(START) - 1}})
    assert wire.post("/keys/name/release", {"target": token()}).status == 200
    wire.patch("/keys/name", {"attributes": {"enabled": False}})
    answer = wire.post("/keys/name/release", {"target": token()})
    assert (answer.status, answer.inner_code) == (403, "KeyDisabled")


def test_policies_and_exportable_keys_belong_together(wire: Wire) -> None:
    for body, message in (
        ({"attributes": {"exportable": True}}, "AKV.SKR.1004: Exportable keys must have release policy."),
        ({"release_policy": policy()}, "AKV.SKR.1005: Non-exportable keys must not have release policy."),
    ):
        answer = wire.post("/keys/name/create", {"kty": "RSA-HSM", **body})
        assert (answer.status, answer.message) == (400, message)


@pytest.mark.parametrize(
    "given", [[], {}, {"data": 1}, {"data": "***"}, {"data": "W10"}, policy(contentType=1), policy(immutable="x")]
)
def test_policies_that_make_no_sense(wire: Wire, given: Any) -> None:
    body = {"kty": "EC-HSM", "attributes": {"exportable": True}, "release_policy": given}
    assert wire.post("/keys/name/create", body).message == "Property has invalid value\r\n"


def test_policies_can_change_unless_they_are_immutable(wire: Wire) -> None:
    created = exportable(wire)
    assert created["release_policy"] == policy(contentType="application/json; charset=utf-8", immutable=False)
    other = policy({"anyOf": []}, immutable=True)
    answer = wire.patch("/keys/name", {"release_policy": other})
    assert answer.json["release_policy"].items() >= other.items()
    answer = wire.patch("/keys/name", {"release_policy": policy(), "tags": {"a": "b"}})
    assert answer.message == "AKV.SKR.1020: Immutable Key Release Policy cannot be modified."
    assert "tags" not in wire.get("/keys/name").json
