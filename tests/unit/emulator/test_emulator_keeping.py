"""Backups and snapshots."""

from __future__ import annotations

import base64
import copy
import json
from typing import Any

import pytest
from emulator_wire import Wire
from hypothesis import given
from hypothesis import strategies as some

from safekv.emulator import Emulator

PREFIX = base64.urlsafe_b64encode(b")AzureKeyVaultSecretBackupV1.microsoft.com").decode()


@pytest.fixture
def wire() -> Wire:
    wire = Wire()
    wire.put("/secrets/Name", {"value": "TOP-one", "tags": {"a": "b"}, "attributes": {"nbf": 1, "exp": 2}})
    wire.advance(5)
    wire.put("/secrets/name", {"value": "TOP-two", "contentType": "c", "attributes": {"enabled": False}})
    return wire


def test_a_backup_is_sealed_and_has_azures_prefix(wire: Wire) -> None:
    backup = wire.post("/secrets/name/backup").json["value"]
    assert backup.startswith(PREFIX)
    assert "=" not in backup
    blob = base64.urlsafe_b64decode(backup + "==")
    assert b"TOP" not in blob
    assert blob[42:].count(b".") == 4  # a compact JWE
    assert all(b"TOP" not in base64.urlsafe_b64decode(part + b"==") for part in blob[42:].split(b"."))


def test_all_versions_come_back_in_another_vault(wire: Wire) -> None:
    backup = wire.post("/secrets/name/backup").json["value"]
    versions = wire.get("/secrets/name/versions").json["value"]
    wire.advance(100)
    wire.vault = wire.emulator.add_vault("other")
    answer = wire.post("/secrets/restore", {"value": backup})
    assert answer.status == 200
    assert "value" not in answer.json
    assert (answer.json["contentType"], answer.json["attributes"]["enabled"]) == ("c", False)
    moved = json.loads(json.dumps(versions).replace("my.vault", "other.vault"))
    assert wire.get("/secrets/name/versions").json["value"] == moved
    wire.patch("/secrets/name", {"attributes": {"enabled": True}})
    assert wire.get("/secrets/name").json["value"] == "TOP-two"  # which one is the latest is kept too


def test_a_name_that_is_in_use_in_whatever_way(wire: Wire) -> None:
    backup = wire.post("/secrets/name/backup").json["value"]
    statuses = [wire.post("/secrets/restore", {"value": backup})]
    wire.delete("/secrets/name")
    statuses.append(wire.post("/secrets/restore", {"value": backup}))
    wire.advance(2)
    statuses.append(wire.post("/secrets/restore", {"value": backup}))
    for answer in statuses:
        assert (answer.status, answer.code, answer.inner_code) == (409, "Conflict", None)
        assert answer.message.startswith(
            "There was a conflict restoring the secret 'https://my.vault.azure.net/secrets/Name/"
        )
    wire.delete("/deletedsecrets/name")
    assert wire.post("/secrets/restore", {"value": backup}).status == 200


@given(some.data())
def test_damaged_backups(data: some.DataObject) -> None:
    wire = Wire()
    wire.vault.set_secret("name", "v")
    backup = wire.post("/secrets/name/backup").json["value"]
    wire.bin("name")
    wire.delete("/deletedsecrets/name")
    at = data.draw(some.integers(0, len(backup) - 1))
    other = data.draw(some.sampled_from("Aa0-_x").filter(lambda letter: letter != backup[at]))
    for damaged in (backup[:at] + other + backup[at + 1 :], backup[:at], backup + other):
        answer = wire.post("/secrets/restore", {"value": damaged})
        assert (answer.status, answer.code) == (400, "BadParameter")
    assert wire.post("/secrets/restore", {"value": backup}).status == 200


@pytest.mark.parametrize("name", ["n", "na", "nam"])
def test_bits_that_base64_leaves_unused_are_guarded_too(name: str) -> None:
    wire = Wire()
    wire.vault.set_secret(name, "v")
    backup = wire.post(f"/secrets/{name}/backup").json["value"]
    wire.vault = wire.emulator.add_vault("other")
    for last in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_":
        status = wire.post("/secrets/restore", {"value": backup[:-1] + last}).status
        assert status == (200 if last == backup[-1] else 400)


@pytest.mark.parametrize("value", [None, 1, "", "x", "é", PREFIX, PREFIX + "LmUu"])
def test_what_is_no_backup(value: Any) -> None:
    assert Wire().post("/secrets/restore", {"value": value}).status == 400


def test_a_backup_needs_the_seed_of_its_emulator() -> None:
    def backup_and_restore(seed: int) -> int:
        wires = [Wire(), Wire()]
        wires[1].emulator = Emulator(clock=wires[0].emulator.clock, seed=seed)
        wires[1].vault = wires[1].emulator.add_vault("my")
        wires[0].vault.set_secret("name", "v")
        backup = wires[0].post("/secrets/name/backup").json["value"]
        return wires[1].post("/secrets/restore", {"value": backup}).status

    assert (backup_and_restore(0), backup_and_restore(1)) == (200, 400)


def restarted(wire: Wire, document: dict[str, Any]) -> Wire:
    """Another emulator at the same time with the same contents."""
    other = Wire(purge_protection=wire.vault.policy.purge_protection)
    other.emulator.clock.advance(wire.emulator.clock.time() - other.emulator.clock.time())
    other.emulator.restore(json.loads(json.dumps(document)))
    return other


def everything(wire: Wire) -> list[Any]:
    paths = (
        "/secrets",
        "/deletedsecrets",
        "/secrets/name",
        "/secrets/name/versions",
        "/deletedsecrets/gone",
        "/secrets/back",
    )
    return [(answer.status, answer.json) for answer in (wire.get(path) for path in paths)]


def test_a_snapshot_keeps_everything(wire: Wire) -> None:
    for name in ("gone", "back", "going"):
        wire.vault.set_secret(name, name)
    wire.bin("gone")
    wire.bin("back")
    wire.post("/deletedsecrets/back/recover")
    wire.delete("/secrets/going")
    document = wire.emulator.snapshot()
    other = restarted(wire, document)
    assert other.emulator.snapshot() == document
    for seconds in (0, 1, 10, 91 * 86_400):
        wire.advance(seconds)
        other.advance(seconds)
        assert everything(other) == everything(wire)


def test_a_snapshot_is_a_copy(wire: Wire) -> None:
    document = wire.emulator.snapshot()
    before = copy.deepcopy(document)
    other = restarted(wire, document)
    other.emulator.restore(document)
    for each in (wire, other):
        each.patch("/secrets/name", {"tags": {"new": "tag"}, "contentType": "new"})
        each.put("/secrets/another", {"value": "v"})
    assert document == before


def test_what_was_there_before_is_gone(wire: Wire) -> None:
    empty = Wire().emulator.snapshot()
    wire.emulator.restore(empty)
    assert wire.get("/secrets").json["value"] == []
    second = wire.emulator.add_vault("second")
    second.set_secret("x", "v")
    wire.emulator.restore(empty)
    assert len(second.secrets) == 0


def version_of(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["vaults"]["my"]["secrets"][0]["versions"][0]
    return found


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda d: d.clear(), "snapshot must have exactly the members format, version, vaults"),
        (lambda d: d.update(format="x"), "this is not a snapshot that can be read: format 'x', version 1"),
        (lambda d: d.update(version=2), "format 'safekv-emulator', version 2, not 'safekv-emulator', version 1"),
        (lambda d: d.update(version=True), "snapshot.version is of the wrong type: bool"),
        (lambda d: d["vaults"].update(other={}), "has vaults that this emulator lacks: other; add_vault them first"),
        (
            lambda d: d["vaults"].update(my={"x": []}),
            "vaults.my must have exactly the members secrets, keys, certificates",
        ),
        (lambda d: d["vaults"].update(my=[]), "vaults.my must be an object, not list"),
        (
            lambda d: d["vaults"]["my"]["secrets"].append(d["vaults"]["my"]["secrets"][0]),
            "must all have different names",
        ),
        (lambda d: d["vaults"]["my"]["secrets"][0].update(name="a_b"), r"secrets\[0\].name must be 1 to 127 letters"),
        (lambda d: d["vaults"]["my"]["secrets"][0].update(versions=[]), "must have at least one version"),
        (lambda d: d["vaults"]["my"]["secrets"][0].update(deletion={}), "deletion must have exactly"),
        (lambda d: d["vaults"]["my"]["secrets"][0]["versions"].append(version_of(d)), "must all have different ids"),
        (lambda d: version_of(d).update(id="A" * 32), r"versions\[0\].id must be 32 hexadecimal digits"),
        (lambda d: version_of(d).update(enabled=1), r"versions\[0\].enabled is of the wrong type: int"),
        (lambda d: version_of(d).update(created="1"), "created is of the wrong type: str"),
        (lambda d: version_of(d).update(tags={"a": 1}), "tags must be texts"),
        (lambda d: version_of(d).update(content={"value": 1, "contentType": None}), "value is of the wrong type: int"),
        (lambda d: version_of(d).pop("managed"), r"differs in \['managed'\]"),
    ],
)
def test_spoilt_snapshots_are_refused_and_change_nothing(wire: Wire, spoil: Any, message: str) -> None:
    before = wire.emulator.snapshot()
    document = copy.deepcopy(before)
    spoil(document)
    with pytest.raises(ValueError, match=message) as refused:
        wire.emulator.restore(document)
    assert "TOP" not in str(refused.value)
    assert wire.emulator.snapshot() == before


def test_ids_do_not_collide_after_a_restart(wire: Wire) -> None:
    other = restarted(wire, wire.emulator.snapshot())
    other.put("/secrets/name", {"value": "third"})  # the same seed begins with the same ids
    assert len(other.get("/secrets/name/versions").json["value"]) == 3
