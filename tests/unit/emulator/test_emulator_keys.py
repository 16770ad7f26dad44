"""Making, importing, reading and changing keys, as the wire shows it."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from emulator_keys import ask, create, ec_jwk, import_, inside, number, oct_jwk, rsa_jwk, value
from emulator_wire import START, Wire

from safekv.emulator import Limits
from safekv.emulator._base64url import decode, encode
from safekv.emulator.keys._material import load
from safekv.emulator.keys._rsa_pool import POOL

ID = "https://my.vault.azure.net/keys/name"


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def hsm() -> Wire:
    return Wire(hsm=True)


def test_a_new_rsa_key(wire: Wire) -> None:
    answer = wire.post("/keys/name/create", {"kty": "RSA"})
    version = answer.json["key"]["kid"].rsplit("/", 1)[1]
    numbers = inside(wire).public_key().public_numbers()
    assert answer.status == 200
    assert answer.json == {
        "key": {
            "kid": f"{ID}/{version}",
            "kty": "RSA",
            "key_ops": ["encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey"],
            "n": number(numbers.n),
            "e": "AQAB",
        },
        "attributes": {
            "enabled": True,
            "created": int(START),
            "updated": int(START),
            "recoveryLevel": "Recoverable+Purgeable",
            "recoverableDays": 90,
            "key_size": 2048,
            "exportable": False,
            "hsmPlatform": "0",
        },
    }
    assert wire.get("/keys/name").json == wire.get(f"/keys/name/{version}").json == answer.json


@pytest.mark.parametrize("kty", ["RSA", "EC", "oct"])
@pytest.mark.parametrize("hardware", ["", "-HSM"])
def test_types(wire: Wire, kty: str, hardware: str) -> None:
    answer = create(wire, kty=f"{kty}{hardware}".upper()).json
    assert answer["key"]["kty"] == f"{kty}{hardware}"
    assert answer["attributes"]["hsmPlatform"] == ("2" if hardware else "0")
    public = {"RSA": {"n", "e"}, "EC": {"crv", "x", "y"}, "oct": set()}
    assert set(answer["key"]) == {"kid", "kty", "key_ops", *public[kty]}


@pytest.mark.parametrize("size", [2048, 3072, 4096])
def test_rsa_sizes(wire: Wire, size: int) -> None:
    answer = create(wire, kty="RSA", key_size=size).json
    assert len(decode(answer["key"]["n"])) * 8 == answer["attributes"]["key_size"] == size


@pytest.mark.parametrize("exponent", [3, 5, 17, 257, 65_537])
def test_public_exponents(hsm: Wire, exponent: int) -> None:
    hsm.vault.limits = Limits(managed_hsm=None)
    answer = create(hsm, kty="RSA-HSM", public_exponent=exponent)
    assert int.from_bytes(decode(answer.json["key"]["e"]), "big") == exponent
    signature = value(ask(hsm, "sign", "RS256", value=bytes(32)))
    assert ask(hsm, "verify", "RS256", digest=bytes(32), value=signature).json["value"] is True


@pytest.mark.parametrize("curve", ["P-256", "P-384", "P-521", "P-256K"])
def test_curves(wire: Wire, curve: str) -> None:
    key = create(wire, crv=curve).json["key"]
    point = inside(wire).public_key().public_numbers()
    assert key["crv"] == curve
    assert [int.from_bytes(decode(key[name]), "big") for name in "xy"] == [point.x, point.y]
    assert len(decode(key["x"])) == len(decode(key["y"])) == {"P-384": 48, "P-521": 66}.get(curve, 32)
    assert "key_size" not in wire.get("/keys/name").json["attributes"]


@pytest.mark.parametrize("size", [128, 192, 256])
def test_symmetric_keys(wire: Wire, size: int) -> None:
    answer = create(wire, kty="oct-HSM", key_size=size).json
    assert answer["attributes"]["key_size"] == size == len(inside(wire)) * 8
    assert answer["key"]["key_ops"] == ["encrypt", "decrypt", "wrapKey", "unwrapKey"]


def test_a_managed_hsm_makes_only_keys_of_its_own(hsm: Wire) -> None:
    assert create(hsm, kty="EC").json["key"]["kty"] == "EC-HSM"
    for path in ("/secrets", "/deletedsecrets"):
        assert hsm.get(path).status == 400


def test_everything_that_a_key_can_have(wire: Wire) -> None:
    attributes = {"enabled": False, "nbf": 1, "exp": 2}
    answer = create(wire, key_ops=["sign", "sign"], tags={"a": "b"}, attributes=attributes).json
    assert (answer["key"]["key_ops"], answer["tags"]) == (["sign"], {"a": "b"})
    assert answer["attributes"].items() >= attributes.items()


def test_importing_what_the_service_then_has(wire: Wire) -> None:
    key = POOL.take(2048)
    answer = import_(wire, rsa_jwk(key, key_ops=["sign"]), tags={"a": "b"}).json
    assert (answer["key"]["key_ops"], answer["tags"]) == (["sign"], {"a": "b"})
    assert inside(wire).private_numbers() == key.private_numbers()
    without_primes = {name: text for name, text in rsa_jwk(key).items() if name in ("kty", "n", "e", "d")}
    assert import_(wire, without_primes).json["key"]["n"] == answer["key"]["n"]
    for curve in ("P-256", "P-521"):
        jwk = ec_jwk(curve)
        assert import_(wire, jwk).json["key"].items() >= {name: jwk[name] for name in ("crv", "x", "y")}.items()
    import_(wire, oct_jwk(bytes(range(32))))
    assert inside(wire) == bytes(range(32))


def test_importing_into_hardware(wire: Wire) -> None:
    assert import_(wire, rsa_jwk(), Hsm=True).json["key"]["kty"] == "RSA-HSM"
    assert import_(wire, {**ec_jwk(), "kty": "EC-HSM"}).json["key"]["kty"] == "EC-HSM"


def test_nothing_private_is_in_any_answer(wire: Wire) -> None:
    """Not in those that bring a key in, and in none after."""
    jwks = [rsa_jwk(), ec_jwk(), oct_jwk(os.urandom(32))]
    private = [jwk[name] for jwk in jwks for name in ("d", "p", "q", "dp", "dq", "qi", "k") if name in jwk]
    for name, jwk in zip("abc", jwks, strict=True):
        answers = [
            import_(wire, jwk, name),
            wire.get(f"/keys/{name}"),
            wire.patch(f"/keys/{name}", {"tags": {}}),
            wire.get(f"/keys/{name}/versions"),
            wire.post(f"/keys/{name}/rotate"),
            wire.post(f"/keys/{name}/backup"),
            wire.delete(f"/keys/{name}"),
        ]
        wire.advance(2)
        answers += [wire.get(f"/deletedkeys/{name}"), wire.post(f"/deletedkeys/{name}/recover")]
        assert {answer.status for answer in answers} == {200}
        text = json.dumps([answer.json for answer in answers])
        assert not any(each in text for each in private)
        assert not {"d", "p", "q", "k"} & set(answers[1].json["key"])
    assert private[0] not in repr(wire.vault.keys.find("a", START))


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"kty": "AES"},
        {"kty": 1},
        {"kty": None},
        {"kty": "RSA", "key_size": 1024},
        {"kty": "RSA", "key_size": 2048.0},
        {"kty": "RSA", "key_size": "2048"},
        {"kty": "RSA", "public_exponent": 4},
        {"kty": "RSA", "public_exponent": 15},
        {"kty": "RSA", "public_exponent": "3"},
        {"kty": "EC", "crv": "P-224"},
        {"kty": "EC", "crv": 256},
        {"kty": "oct", "key_size": 64},
        {"kty": "RSA", "key_ops": "sign"},
        {"kty": "RSA", "key_ops": ["dance"]},
        {"kty": "RSA", "key_ops": [[]]},
        {"kty": "RSA", "attributes": []},
        {"kty": "RSA", "attributes": {"exportable": 1}},
        {"kty": "RSA", "tags": {"a": "x" * 257}},
        {"kty": "RSA", "tags": {str(n): "" for n in range(16)}},
    ],
)
def test_keys_that_cannot_be_made(wire: Wire, body: dict[str, Any]) -> None:
    answer = wire.post("/keys/name/create", body)
    assert (answer.status, answer.code, answer.message) == (400, "BadParameter", "Property has invalid value\r\n")
    assert wire.get("/keys/name").status == 404


BAD_RSA = rsa_jwk()


@pytest.mark.parametrize(
    "jwk",
    [
        None,
        [],
        {},
        {"kty": "RSA"},
        {**BAD_RSA, "n": BAD_RSA["d"]},
        {**BAD_RSA, "d": BAD_RSA["n"]},
        {**BAD_RSA, "p": BAD_RSA["q"]},
        {**BAD_RSA, "p": ""},
        {**BAD_RSA, "e": "AA"},
        {**BAD_RSA, "e": 3},
        {**BAD_RSA, "e": "A" * 2_000},
        {"kty": "RSA", "n": "AQ", "e": "AQ", "d": "AQ"},
        {"kty": "EC", "crv": "P-256"},
        {**ec_jwk(), "crv": "P-384"},
        {**ec_jwk(), "crv": []},
        {**ec_jwk(), "d": "AA"},
        {**ec_jwk(), "x": "AQ"},
        {"kty": "oct"},
        {"kty": "oct", "k": None},
        {"kty": "oct", "k": "AAAA"},
        {"kty": "oct", "k": "*" * 43},
        {"kty": "oct-HSM", "k": encode(bytes(17))},
    ],
)
def test_keys_that_cannot_be_imported(wire: Wire, jwk: Any) -> None:
    answer = wire.put("/keys/name", {"key": jwk})
    assert (answer.status, answer.code) == (400, "BadParameter")
    assert wire.get("/keys/name").status == 404


def test_updating_changes_only_what_is_named(wire: Wire) -> None:
    first = create(wire, tags={"a": "b"}, attributes={"nbf": 10}).json
    second = create(wire).json
    wire.advance(5)
    version = first["key"]["kid"].rsplit("/", 1)[1]
    answer = wire.patch(f"/keys/name/{version}", {"key_ops": ["verify"], "attributes": {"exp": 20}}).json
    assert answer["key"] == {**first["key"], "key_ops": ["verify"]}
    assert answer["attributes"].items() >= {"nbf": 10, "exp": 20, "updated": int(START) + 5}.items()
    assert answer["tags"] == {"a": "b"}
    assert wire.get("/keys/name").json == second
    assert wire.patch("/keys/name", {"key_ops": ["verify"], "attributes": {"nbf": 30, "exp": 20}}).status == 400
    assert wire.get("/keys/name").json == second


def test_lists_have_no_material(wire: Wire) -> None:
    create(wire, "b")
    create(wire, "a", tags={"x": "y"})
    for _ in range(2):
        create(wire, "b")
    listed = wire.get("/keys").json["value"]
    assert [item["kid"] for item in listed] == [f"https://my.vault.azure.net/keys/{name}" for name in "ab"]
    assert set(listed[0]) == {"kid", "attributes", "tags"}
    versions = wire.get("/keys/b/versions").json["value"]
    assert len({item["kid"] for item in versions}) == 3
    assert set(versions[0]) == {"kid", "attributes"}
    assert wire.get("/keys/none/versions").json == {"value": [], "nextLink": None}


def test_pages_of_25(wire: Wire) -> None:
    wire.vault.limits = Limits(key_create=None)
    for n in range(27):
        create(wire, f"key-{n:02}", "oct")
    page = wire.get("/keys").json
    assert len(page["value"]) == 25
    token = page["nextLink"].partition("$skiptoken=")[2]
    rest = wire.ask("GET", "/keys", None, **{"$skiptoken": token}).json
    assert ([item["kid"].rsplit("/", 1)[1] for item in rest["value"]], rest["nextLink"]) == (["key-25", "key-26"], None)


def test_what_does_not_exist(wire: Wire) -> None:
    create(wire)
    for method, path in (
        ("GET", ""),
        ("PATCH", ""),
        ("DELETE", ""),
        ("POST", "/rotate"),
        ("POST", "/backup"),
        ("GET", "/rotationpolicy"),
        ("PUT", "/rotationpolicy"),
        ("POST", "/release"),
    ):
        answer = wire.ask(method, f"/keys/other{path}", {})
        assert (answer.status, answer.code) == (404, "KeyNotFound")
        assert answer.message == (
            "A key with (name/id) other was not found in this key vault. If you recently deleted this key you may be "
            "able to recover it using the correct recovery command. For help resolving this issue, please see "
            "https://go.microsoft.com/fwlink/?linkid=2125182"
        )
    assert f"(name/id) name/{'0' * 32} was" in wire.get(f"/keys/name/{'0' * 32}").message
    assert wire.get("/deletedkeys/name").message == "Deleted Key not found: name"
    assert wire.delete("/deletedkeys/name").message == "Deleted Key not found: name"
    assert wire.post("/deletedkeys/name/recover").message == "Key not found: name"
    for path in ("bad_name", "bad_name/create", "bad_name/rotate"):
        assert wire.ask("POST" if "/" in path else "GET", f"/keys/{path}", {"kty": "EC"}).code == "BadParameter"


def test_what_happens_while_a_key_is_deleted_and_recovered(wire: Wire) -> None:
    created = create(wire).json
    deleted = wire.delete("/keys/name").json
    assert deleted == {
        "recoveryId": "https://my.vault.azure.net/deletedkeys/name",
        "deletedDate": int(START),
        "scheduledPurgeDate": int(START) + 90 * 86_400,
        **created,
    }
    for answer in (create_again(wire), wire.delete("/keys/name"), wire.delete("/deletedkeys/name")):
        assert (answer.status, answer.inner_code) == (409, "ObjectIsBeingDeleted")
        assert answer.message == "Key is currently being deleted."
    assert wire.get("/deletedkeys/name").status == 404
    wire.advance(2)
    assert wire.get("/deletedkeys/name").json == deleted
    answer = create_again(wire)
    assert (answer.status, answer.inner_code) == (409, "ObjectIsDeletedButRecoverable")
    assert answer.message == (
        "Key name is currently in a deleted but recoverable state, and its name cannot be reused; "
        "in this state, the key can only be recovered or purged."
    )
    assert wire.post("/deletedkeys/name/recover").json == created
    answer = create_again(wire)
    assert (answer.status, answer.inner_code) == (409, "ObjectIsBeingRecovered")
    assert answer.message == "Key name is currently being recovered and cannot be re-created; retry later."
    wire.advance(2)
    assert wire.get("/keys/name").json == created


def create_again(wire: Wire) -> Any:
    return wire.post("/keys/name/create", {"kty": "EC"})


def test_a_disabled_key_can_be_read_when_it_is_deleted(wire: Wire) -> None:
    create(wire, attributes={"enabled": False})
    wire.delete("/keys/name")
    wire.advance(2)
    assert wire.get("/deletedkeys/name").json["attributes"]["enabled"] is False


def test_a_backup_brings_everything_back(wire: Wire) -> None:
    create(wire, kty="oct", key_size=256)
    data = value(ask(wire, "wrapkey", "A256KW", value=bytes(32)))
    create(wire, kty="EC", tags={"a": "b"})
    policy = wire.put("/keys/name/rotationpolicy", {"attributes": {"expiryTime": "P90D"}}).json
    backup = wire.post("/keys/name/backup").json["value"]
    shown = wire.get("/keys/name").json
    oldest = [item["kid"] for item in wire.get("/keys/name/versions").json["value"]]
    conflict = wire.post("/keys/restore", {"value": backup})
    assert (conflict.status, conflict.code, conflict.inner_code) == (409, "Conflict", None)
    assert conflict.message.startswith(f"There was a conflict restoring the key '{shown['key']['kid']}'. ")
    wire.delete("/keys/name")
    wire.advance(2)
    assert wire.delete("/deletedkeys/name").status == 204
    assert wire.post("/keys/restore", {"value": backup}).json == shown
    assert wire.get("/keys/name/rotationpolicy").json == policy
    for version in (kid.rsplit("/", 1)[1] for kid in oldest if kid != shown["key"]["kid"]):
        assert value(ask(wire, "unwrapkey", "A256KW", f"name/{version}", value=data)) == bytes(32)
    assert wire.post("/secrets/restore", {"value": backup}).message == "Cannot decrypt backup blob"


def test_a_key_of_a_certificate_is_managed(wire: Wire) -> None:
    create(wire)
    wire.vault.keys.find("name", START).latest.managed = True
    assert wire.get("/keys/name").json["managed"] is True
    for answer in (create_again(wire), wire.delete("/keys/name"), wire.post("/keys/name/rotate")):
        assert (answer.status, answer.inner_code) == (403, "KeyManagedByKeyVault")
        assert answer.message == 'Operation "delete" is not allowed as this object\'s lifetime is managed by Key Vault.'


def test_snapshots_keep_keys_and_refuse_spoilt_ones(wire: Wire) -> None:
    for name, kty in (("a", "RSA"), ("b", "EC"), ("c", "oct")):
        create(wire, name, kty)
    document = json.loads(json.dumps(wire.emulator.snapshot()))
    signature = value(ask(wire, "sign", "ES256", "b", value=bytes(32)))
    again = Wire()
    again.emulator.restore(document)
    assert again.get("/keys/a").json == wire.get("/keys/a").json
    assert ask(again, "verify", "ES256", "b", digest=bytes(32), value=signature).json["value"] is True
    contents = [key["versions"][0]["content"] for key in document["vaults"]["my"]["keys"]]
    before = [dict(content) for content in contents]
    for spoil in ({"material": "AAAA"}, {"material": "*"}, {"kty": "XYZ"}, {"material": contents[1]["material"] + "="}):
        contents[0].update({**before[0], **spoil})
        with pytest.raises(ValueError, match=r"vaults\.my\.keys\[0\]\.versions\[0\]\.content cannot be used"):
            again.emulator.restore(document)
    contents[0].update({**before[0], "kty": "EC"})
    with pytest.raises(ValueError, match="cannot be used"):
        again.emulator.restore(document)


def test_a_snapshot_from_before_there_were_keys(wire: Wire) -> None:
    wire.vault.set_secret("name", "v")
    document = json.loads(json.dumps(wire.emulator.snapshot()))
    del document["vaults"]["my"]["keys"]
    del document["vaults"]["my"]["secrets"][0]["details"]
    create(wire)
    wire.emulator.restore(document)
    assert wire.get("/secrets/name").json["value"] == "v"
    assert wire.get("/keys").json["value"] == []


def test_random_bytes(hsm: Wire, wire: Wire) -> None:
    seen = {hsm.post("/rng", {"count": 128}).json["value"] for _ in range(5)}
    assert {len(decode(each)) for each in seen} == {128}
    assert len(seen) == 5
    for count in (0, 129, -1, "8", None, 1.0):
        answer = hsm.post("/rng", {"count": count})
        assert (answer.status, answer.code) == (400, "BadParameter")
        assert answer.message.startswith("GetRandomBytesRequest: count cannot be greater than 128 or less than 1 (")
    assert wire.post("/rng", {"count": 8}).status == 400


def test_attestation(hsm: Wire, wire: Wire) -> None:
    created = create(hsm, kty="RSA-HSM").json
    version = created["key"]["kid"].rsplit("/", 1)[1]
    answers = [hsm.get(f"/keys/name{part}/attestation").json for part in ("", "/", f"/{version}")]
    attestation = answers[0]["attributes"].pop("attestation")
    assert set(attestation) == {"certificatePemFile", "privateKeyAttestation", "publicKeyAttestation", "version"}
    assert answers[0] == created
    assert answers[1]["attributes"]["attestation"] == answers[2]["attributes"]["attestation"] == attestation
    create(wire, kty="RSA-HSM")
    assert wire.get("/keys/name/attestation").status == 400


@pytest.mark.parametrize("api_version", ["7.0", "7.2", "7.3", "2025-07-01"])
def test_attributes_that_came_later(wire: Wire, api_version: str) -> None:
    wire.api_version = api_version
    assert ("exportable" in create(wire).json["attributes"]) == (api_version not in ("7.0", "7.2"))


def test_material_is_read_back_as_it_was_made(wire: Wire) -> None:
    for kty in ("RSA", "EC", "oct"):
        create(wire, kty, kty)
        content = wire.vault.keys.find(kty, START).latest.content
        assert load(kty, content["material"]) is load(kty, content["material"])
        assert content["material"] not in repr(wire.vault.keys.find(kty, START))
