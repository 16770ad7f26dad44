"""Soft delete, recovery and purge, which take time on the clock."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import Any

import pytest
from emulator_wire import START, Answer, Wire

from safekv.emulator import Emulator, EmulatorSettings, Limits, Request, Response
from safekv.emulator._answers import Refused
from safekv.emulator._call import Call, Target
from safekv.emulator._common import CommonOperations, add_version
from safekv.emulator._rates import MANAGED_HSM
from safekv.emulator._router import ROUTES
from safekv.emulator._secrets import KIND
from safekv.emulator._settings import LIMIT_CLASSES

VALUE = {"value": "hidden"}
DAY = 86_400


@pytest.fixture
def wire() -> Wire:
    wire = Wire()
    wire.put("/secrets/name", {**VALUE, "tags": {"a": "b"}, "contentType": "c"})
    return wire


def conflict(answer: Answer) -> str | None:
    assert (answer.status, answer.code) == (409, "Conflict")
    return answer.inner_code


def test_deletion_takes_time(wire: Wire) -> None:
    answer = wire.delete("/secrets/name")
    assert answer.status == 200
    assert "value" not in answer.json
    assert answer.json["recoveryId"] == "https://my.vault.azure.net/deletedsecrets/name"
    assert (answer.json["deletedDate"], answer.json["scheduledPurgeDate"]) == (int(START), int(START) + 90 * DAY)
    assert answer.json["id"].startswith("https://my.vault.azure.net/secrets/name/")
    assert (answer.json["tags"], answer.json["contentType"]) == ({"a": "b"}, "c")

    wire.advance(1.49)
    assert wire.get("/secrets/name").status == 404
    assert wire.get("/deletedsecrets/name").message == "Deleted Secret not found: name"
    assert wire.get("/secrets").json["value"] == wire.get("/deletedsecrets").json["value"] == []
    assert wire.get("/secrets/name/versions").json == {"value": [], "nextLink": None}
    for between in (
        wire.put("/secrets/name", VALUE),
        wire.delete("/secrets/name"),
        wire.delete("/deletedsecrets/name"),
        wire.post("/deletedsecrets/name/recover"),
    ):
        assert conflict(between) == "ObjectIsBeingDeleted"
        assert between.message == "Secret is currently being deleted."

    wire.advance(0.01)
    deleted = wire.get("/deletedsecrets/name")
    assert deleted.json == answer.json
    item = {**answer.json, "id": "https://my.vault.azure.net/secrets/name"}
    assert wire.get("/deletedsecrets").json["value"] == [item]
    assert wire.get("/secrets/name").status == wire.delete("/secrets/name").status == 404
    again = wire.put("/secrets/NAME", VALUE)
    assert conflict(again) == "ObjectIsDeletedButRecoverable"
    assert again.message.startswith("Secret NAME is currently in a deleted but recoverable state")


def test_recovery_takes_time(wire: Wire) -> None:
    wire.put("/secrets/name", {"value": "second"})
    before = wire.get("/secrets/name").json
    wire.bin("name")
    answer = wire.post("/deletedsecrets/name/recover")
    assert answer.status == 200
    assert {**answer.json, "value": "second"} == before
    wire.advance(1.49)
    assert wire.get("/secrets/name").status == wire.get("/deletedsecrets/name").status == 404
    for between in (
        wire.put("/secrets/name", VALUE),
        wire.delete("/secrets/name"),
        wire.delete("/deletedsecrets/name"),
        wire.post("/deletedsecrets/name/recover"),
    ):
        assert conflict(between) == "ObjectIsBeingRecovered"
    assert wire.get("/secrets").json["value"] == []
    wire.advance(0.01)
    assert wire.get("/secrets/name").json == before
    assert len(wire.get("/secrets/name/versions").json["value"]) == 2
    assert wire.get("/deletedsecrets/name").status == 404


def test_purge(wire: Wire) -> None:
    wire.bin("name")
    answer = wire.delete("/deletedsecrets/name")
    assert (answer.status, answer.json, answer.headers.get("Content-Type")) == (204, None, None)
    assert wire.delete("/deletedsecrets/name").status == 404
    assert len(wire.vault.secrets) == 0
    assert wire.put("/secrets/name", VALUE).status == 200


def test_what_is_not_deleted_is_not_recovered_or_purged(wire: Wire) -> None:
    for name in ("name", "unknown"):
        recovered, purged = wire.post(f"/deletedsecrets/{name}/recover"), wire.delete(f"/deletedsecrets/{name}")
        assert (recovered.status, recovered.message) == (404, f"Secret not found: {name}")
        assert (purged.status, purged.message) == (404, f"Deleted Secret not found: {name}")
    assert wire.get("/secrets/name").status == 200


def test_a_deleted_secret_that_is_disabled(wire: Wire) -> None:
    wire.patch("/secrets/name", {"attributes": {"enabled": False}})
    wire.bin("name")
    answer = wire.get("/deletedsecrets/name")
    assert (answer.status, answer.message) == (403, "Operation get is not permitted on this object.")


@pytest.mark.parametrize(
    ("protection", "days", "level"),
    [
        (False, 90, "Recoverable+Purgeable"),
        (False, 7, "CustomizedRecoverable+Purgeable"),
        (True, 90, "Recoverable"),
        (True, 30, "CustomizedRecoverable"),
    ],
)
def test_recovery_levels_and_scheduled_purge(protection: bool, days: int, level: str) -> None:
    wire = Wire(purge_protection=protection, retention_days=days)
    attributes = wire.put("/secrets/name", VALUE).json["attributes"]
    assert (attributes["recoveryLevel"], attributes["recoverableDays"]) == (level, days)
    wire.bin("name")
    assert wire.delete("/deletedsecrets/other").status == 404
    answer = wire.delete("/deletedsecrets/name")
    assert answer.status == (403 if protection else 204)
    if protection:
        assert 'Operation "purge" is not allowed because purge protection is enabled' in answer.message
        assert answer.message.endswith("Vault: my;location=westeurope")
        wire.advance(days * DAY - 2)
        assert wire.get("/deletedsecrets/name").status == 200
        wire.advance(1)
        assert wire.get("/deletedsecrets").json["value"] == []
        assert wire.put("/secrets/name", VALUE).status == 200


def test_scheduled_purges_happen_one_by_one(wire: Wire) -> None:
    for number in range(3):
        wire.put(f"/secrets/other-{number}", VALUE)
        wire.bin(f"other-{number}")
        wire.advance(DAY)
    assert len(wire.get("/deletedsecrets").json["value"]) == 3
    wire.advance(88 * DAY - 10)
    assert [item["id"][-1] for item in wire.get("/deletedsecrets").json["value"]] == ["1", "2"]
    wire.post("/deletedsecrets/other-1/recover")
    wire.advance(5 * DAY)
    assert wire.get("/deletedsecrets").json["value"] == []
    assert wire.get("/secrets/other-1").status == 200


def test_delays_are_settings() -> None:
    wire = Wire(EmulatorSettings(delete_delay=0, recover_delay=20))
    wire.put("/secrets/name", VALUE)
    wire.delete("/secrets/name")
    assert wire.get("/deletedsecrets/name").status == 200
    wire.post("/deletedsecrets/name/recover")
    wire.advance(19)
    assert wire.get("/secrets/name").status == 404
    wire.advance(1)
    assert wire.get("/secrets/name").status == 200


@pytest.mark.parametrize("days", [6, 91, 30.0, True])
def test_retention_is_7_to_90_days(days: int) -> None:
    with pytest.raises(ValueError, match="retention_days must be 7 to 90, such as 90"):
        Emulator().add_vault("my", retention_days=days)


def test_another_kind_of_object_needs_only_its_kind_and_its_own_operations() -> None:
    things = replace(
        KIND,
        noun="Thing",
        segment="things",
        bundle=lambda stored, version, identifier: {"thing": {"kid": identifier, "size": version.content["size"]}},
        item=lambda version, identifier: {"kid": identifier},
        content={"size": int},
        not_found="404_key",
    )
    common = CommonOperations(things)
    vault = Wire().vault

    def call(query: dict[str, str] | None = None, body: bytes = b"") -> Call:
        request = Request("GET", vault.authority, "", {"api-version": "7.6", **(query or {})}, {}, body)
        return Call(vault, request, Target(None, "t"), "token", vault.surroundings.clock.time())

    def shown(response: Response) -> Any:
        return json.loads(response.body)

    for size in (1, 2):
        add_version(vault, things, "t", {"tags": {"n": str(size)}}, {"size": size}, call().now)
    assert shown(common.list_all(call()))["value"][0]["kid"] == "https://my.vault.azure.net/things/t"
    assert len(shown(common.list_versions(call()))["value"]) == 2
    backup = shown(common.backup(call()))["value"]
    deleted = shown(common.delete(call()))
    assert (deleted["thing"]["size"], deleted["recoveryId"]) == (2, "https://my.vault.azure.net/deletedthings/t")
    vault.surroundings.clock.advance(2)
    assert shown(common.recover(call()))["tags"] == {"n": "2"}
    vault.surroundings.clock.advance(2)
    common.delete(call())
    with pytest.raises(Refused, match="404_key"):
        common.backup(call())
    vault.surroundings.clock.advance(2)
    common.purge(call())
    assert shown(common.restore(call(body=json.dumps({"value": backup}).encode())))["thing"]["size"] == 2
    assert vault.sealer.open(KIND, backup) is None  # a thing is no secret
    assert {route.operation for route in common.routes()} >= {
        "list_properties_of_thing_versions",
        "recover_deleted_thing",
    }


def test_every_operation_counts_against_a_limit_that_exists() -> None:
    assert {route.limit for route in ROUTES} <= {*LIMIT_CLASSES, *MANAGED_HSM}
    assert set(LIMIT_CLASSES) <= set(asdict(Limits()))
