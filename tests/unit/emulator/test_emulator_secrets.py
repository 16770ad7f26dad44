"""Setting, reading and changing secrets, as the wire shows it."""

from __future__ import annotations

from typing import Any

import pytest
from emulator_wire import START, Wire

VALUE = {"value": "hidden"}


@pytest.fixture
def wire() -> Wire:
    return Wire()


def test_a_new_secret(wire: Wire) -> None:
    answer = wire.put("/secrets/name", VALUE)
    version = answer.json["id"].rsplit("/", 1)[1]
    assert answer.status == 200
    assert answer.json == {
        "value": "hidden",
        "id": f"https://my.vault.azure.net/secrets/name/{version}",
        "attributes": {
            "enabled": True,
            "created": int(START),
            "updated": int(START),
            "recoveryLevel": "Recoverable+Purgeable",
            "recoverableDays": 90,
        },
    }
    assert len(version) == 32
    assert set(version) <= set("0123456789abcdef")
    assert wire.get("/secrets/name").json == answer.json


def test_everything_that_a_secret_can_have(wire: Wire) -> None:
    attributes = {"enabled": True, "nbf": 1, "exp": 2}
    body = {"value": "v", "contentType": "text/plain", "tags": {"a": "b"}, "attributes": attributes}
    answer = wire.put("/secrets/name", body).json
    assert (answer["contentType"], answer["tags"]) == ("text/plain", {"a": "b"})
    assert answer["attributes"].items() >= attributes.items()


def test_the_latest_version_is_the_one_created_last_even_within_a_second(wire: Wire) -> None:
    versions = [wire.put("/secrets/name", {"value": str(n)}).json["id"].rsplit("/", 1)[1] for n in range(20)]
    assert wire.get("/secrets/name").json["value"] == "19"
    assert [wire.get(f"/secrets/name/{each}").json["value"] for each in versions] == [str(n) for n in range(20)]
    wire.patch(f"/secrets/name/{versions[3]}", {"tags": {}})
    assert wire.get("/secrets/name/").json["value"] == "19"


def test_names_have_no_case(wire: Wire) -> None:
    first = wire.put("/secrets/Name", VALUE).json["id"]
    second = wire.put("/SECRETS/nAME", {"value": "second"}).json["id"]
    assert first.rsplit("/", 1)[0] == second.rsplit("/", 1)[0] == "https://my.vault.azure.net/secrets/Name"
    assert wire.get("/secrets/NAME").json["value"] == "second"
    assert len(wire.get("/secrets").json["value"]) == 1


def test_updating_gives_no_value_and_changes_only_what_is_named(wire: Wire) -> None:
    body = {"value": "hidden", "contentType": "old", "tags": {"a": "b"}, "attributes": {"nbf": 10}}
    wire.put("/secrets/name", body)
    wire.advance(5)
    answer = wire.patch("/secrets/name/", {"contentType": "new", "attributes": {"exp": 20}})
    assert answer.status == 200
    assert "value" not in answer.json
    assert (answer.json["contentType"], answer.json["tags"]) == ("new", {"a": "b"})
    assert (
        answer.json["attributes"].items()
        >= {"nbf": 10, "exp": 20, "updated": int(START) + 5, "created": int(START)}.items()
    )
    assert wire.patch("/secrets/name", {"tags": {}}).json["tags"] == {}
    assert wire.get("/secrets/name").json["value"] == "hidden"


def test_a_disabled_secret_is_forbidden_but_can_be_enabled(wire: Wire) -> None:
    wire.put("/secrets/name", {"value": "v", "attributes": {"enabled": False}})
    answer = wire.get("/secrets/name")
    assert (answer.status, answer.code, answer.inner_code) == (403, "Forbidden", "SecretDisabled")
    assert wire.patch("/secrets/name", {"attributes": {"enabled": True}}).status == 200
    assert wire.get("/secrets/name").json["value"] == "v"


@pytest.mark.parametrize("attributes", [{"exp": 1}, {"nbf": 4_000_000_000}])
def test_expired_and_future_secrets_are_readable(wire: Wire, attributes: dict[str, int]) -> None:
    wire.put("/secrets/name", {"value": "v", "attributes": attributes})
    assert wire.get("/secrets/name").json["value"] == "v"


def test_what_does_not_exist(wire: Wire) -> None:
    wire.put("/secrets/name", VALUE)
    for method in ("GET", "PATCH", "DELETE"):
        answer = wire.ask(method, "/secrets/other", {})
        assert (answer.status, answer.code) == (404, "SecretNotFound")
        assert answer.message.startswith("A secret with (name/id) other was not found in this key vault.")
    assert f"(name/id) name/{'0' * 32} was" in wire.get(f"/secrets/name/{'0' * 32}").message
    assert wire.post("/secrets/other/backup").status == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"value": None},
        {"value": 1},
        {"value": "x" * 25_601},
        {"value": "é" * 12_801},
        {"value": "\ud800"},
        {"value": "v", "contentType": "x" * 256},
        {"value": "v", "contentType": 1},
        {"value": "v", "tags": {str(n): "" for n in range(16)}},
        {"value": "v", "tags": {"k" * 513: ""}},
        {"value": "v", "tags": {"k": "v" * 513}},
        {"value": "v", "tags": {"k": 1}},
        {"value": "v", "tags": []},
        {"value": "v", "attributes": []},
        {"value": "v", "attributes": {"enabled": 1}},
        {"value": "v", "attributes": {"enabled": 1.0}},
        {"value": "v", "attributes": {"nbf": "1"}},
        {"value": "v", "attributes": {"exp": -1}},
        {"value": "v", "attributes": {"exp": 10**400}},
        {"value": "v", "attributes": {"nbf": True}},
        {"value": "v", "attributes": {"nbf": 2, "exp": 1}},
    ],
)
def test_bad_bodies(wire: Wire, body: dict[str, Any]) -> None:
    answer = wire.put("/secrets/name", body)
    assert (answer.status, answer.code, answer.message) == (400, "BadParameter", "Property has invalid value\r\n")
    assert wire.get("/secrets/name").status == 404


def test_limits_are_inclusive(wire: Wire) -> None:
    tags = {f"{n:0512}": "v" * 512 for n in range(15)}
    body = {"value": "é" * 12_800, "contentType": "c" * 255, "tags": tags, "attributes": {"nbf": 1, "exp": 1}}
    assert wire.put(f"/secrets/{'n' * 127}", body).status == 200
    assert wire.put("/secrets/empty", {"value": ""}).json["value"] == ""


@pytest.mark.parametrize("body", [b"no", b"[]", b"\xff", b'{"value": NaN}', b"[" * 100_000, b"9" * 10_000, b'"x"'])
def test_bodies_that_are_not_json_objects(wire: Wire, body: bytes) -> None:
    answer = wire.ask("PUT", "/secrets/name", body)
    assert (answer.status, answer.code) == (400, "BadParameter")


def test_a_patch_that_is_refused_changes_nothing(wire: Wire) -> None:
    before = wire.put("/secrets/name", {"value": "v", "attributes": {"exp": 100}}).json
    wire.advance(5)
    assert wire.patch("/secrets/name", {"attributes": {"nbf": 200, "enabled": False}}).status == 400
    assert wire.patch("/secrets/name", {"attributes": {"enabled": False}, "tags": {"a": 1}}).status == 400
    assert wire.patch("/secrets/name", {"attributes": {"enabled": False}, "contentType": "c" * 300}).status == 400
    assert wire.get("/secrets/name").json == before


@pytest.mark.parametrize("name", ["under_score", "dot.dot", "sp%20ace", "%41%c3%a9", "n" * 128, "*"])
def test_bad_names(wire: Wire, name: str) -> None:
    for path in (f"/secrets/{name}", f"/secrets/{name}/versions", f"/deletedsecrets/{name}"):
        answer = wire.get(path)
        assert (answer.status, answer.code) == (400, "BadParameter")
        assert answer.message.startswith("The request URI contains an invalid name: ")


@pytest.mark.parametrize(
    ("method", "path", "operation"),
    [
        ("GET", "", ""),
        ("GET", "/", ""),
        ("GET", "/nothing", "nothing"),
        ("GET", "/secrets/name/latest", "latest"),
        ("POST", "/secrets/name", "name"),
        ("DELETE", f"/secrets/name/{'0' * 32}", "0" * 32),
        ("DELETE", "/deletedsecrets/name/purge", "purge"),
        ("GET", "/secrets/a/b/c/d", "d"),
        ("BREW", "/secrets", "secrets"),
        ("GET", "/storage", "storage"),
    ],
)
def test_paths_that_lead_nowhere(wire: Wire, method: str, path: str, operation: str) -> None:
    answer = wire.ask(method, path)
    assert (answer.status, answer.code) == (400, "BadParameter")
    assert answer.message == f"Method {method} does not allow operation '{operation}'"


def test_an_hsm_has_no_secrets() -> None:
    assert Wire(hsm=True).get("/secrets").status == 400


@pytest.mark.parametrize(
    "api_version",
    [
        "2016-10-01",
        *(f"7.{n}" for n in range(7)),
        "2025-07-01",
        "2026-04-01",
        "7.6-preview.2",
        "7.5-preview",
        "2025-06-01-preview",
    ],
)
def test_known_api_versions(wire: Wire, api_version: str) -> None:
    wire.api_version = api_version
    attributes = wire.put("/secrets/name", VALUE).json["attributes"]
    assert ("recoverableDays" in attributes) == (api_version not in ("2016-10-01", "7.0"))


@pytest.mark.parametrize("api_version", [None, "", "7.7", "7.6.", "2015-06-01", "7.6-beta", "\u0667.6", "7.6\n"])
def test_unknown_api_versions(wire: Wire, api_version: str | None) -> None:
    wire.api_version = api_version
    answer = wire.get("/secrets")
    assert (answer.status, answer.code) == (400, "BadParameter")
    assert answer.message == (
        f"The specified version ({api_version or ''}) is not recognized. "
        "Consider using the latest supported version (2026-04-01)."
    )


def test_headers_of_every_answer(wire: Wire) -> None:
    wire.put("/secrets/name", VALUE)
    seen = set()
    for answer in (wire.get("/secrets/name"), wire.get("/secrets/other"), wire.get("/nowhere")):
        headers = answer.headers
        assert headers["Content-Type"] == "application/json; charset=utf-8"
        assert headers["x-ms-keyvault-region"] == "westeurope"
        assert headers["x-ms-keyvault-service-version"].startswith("1.9.")
        assert headers["x-ms-keyvault-network-info"] == "conn_type=Ipv4;addr=127.0.0.1;act_addr_fam=InterNetwork;"
        assert (headers["Cache-Control"], headers["Pragma"], headers["Expires"]) == ("no-cache", "no-cache", "-1")
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "Strict-Transport-Security" in headers
        assert "x-ms-client-request-id" not in headers
        seen.add(headers["x-ms-request-id"])
    assert len(seen) == 3


def test_seeding_without_a_request(wire: Wire) -> None:
    identifier = wire.vault.set_secret("name", "v", tags={"a": "b"}, content_type="c", not_before=1, expires_on=2)
    answer = wire.get("/secrets/name").json
    assert answer["id"] == identifier
    assert (answer["tags"], answer["contentType"]) == ({"a": "b"}, "c")
    assert len(wire.emulator.journal) == 1
    wire.bin("name")
    for name in ("name", "bad_name"):
        with pytest.raises(ValueError, match=f"the vault my refuses the secret '{name}'.*A name is 1 to 127 letters"):
            wire.vault.set_secret(name, "v")


def test_a_secret_of_a_certificate_is_managed(wire: Wire) -> None:
    wire.vault.set_secret("name", "v", managed=True)
    assert wire.get("/secrets/name").json["managed"] is True
    for answer in (wire.put("/secrets/name", VALUE), wire.delete("/secrets/name")):
        assert (answer.status, answer.inner_code) == (403, "SecretManagedByKeyVault")


def test_the_same_seed_gives_the_same_ids() -> None:
    first, second = (Wire().put("/secrets/name", VALUE).json for _ in range(2))
    assert first == second
