"""Full backups of a Managed HSM, and what comes back from them, on the wire and on the clock."""

from __future__ import annotations

from typing import Any

import pytest
from emulator_wire import Answer, Wire

from safekv.emulator import EmulatorSettings, Limits
from safekv.errors._hsm_roles import LOCAL_ROLES

CONTAINER = "https://account.blob.core.windows.net/backups"
STORAGE = {"storageResourceUri": CONTAINER, "useManagedIdentity": True}
DELAY = 60.0


def hsm() -> Wire:
    settings = EmulatorSettings(backup_delay=DELAY, limits=Limits(managed_hsm=None))
    return Wire(settings, hsm=True)


def status(wire: Wire, begun: Answer) -> dict[str, Any]:
    """What the address says that the answer has named; it takes no api-version."""
    assert begun.status == 202, begun.json
    url = begun.headers["azure-asyncoperation"]
    assert url.startswith(f"{wire.vault.url}/")
    version, wire.api_version = wire.api_version, None
    answer = wire.get(url.removeprefix(wire.vault.url))
    wire.api_version = version
    assert answer.status == 200
    found: dict[str, Any] = answer.json
    return found


def backed_up(wire: Wire) -> str:
    """The folder of a new backup."""
    begun = wire.post("/backup", STORAGE)
    wire.advance(DELAY)
    folder = status(wire, begun)["azureStorageBlobContainerUri"]
    assert isinstance(folder, str)
    return folder.removeprefix(f"{CONTAINER}/")


def restored(wire: Wire, folder: str, key: str | None = None) -> dict[str, Any]:
    """The status of a restoration after its end."""
    if key is None:
        begun = wire.put("/restore", {"sasTokenParameters": STORAGE, "folderToRestore": folder})
    else:
        begun = wire.put(f"/keys/{key}/restore", {"sasTokenParameters": STORAGE, "folder": folder})
    assert set(status(wire, begun)) == {"status", "statusDetails", "error", "startTime", "endTime", "jobId"}
    wire.advance(DELAY)
    return status(wire, begun)


def create(wire: Wire, name: str) -> str:
    kid: str = wire.post(f"/keys/{name}/create", {"kty": "oct-HSM"}).json["key"]["kid"]
    return kid.removeprefix(wire.vault.url)


def keys(wire: Wire) -> list[str]:
    return [each["kid"].rpartition("/")[2] for each in wire.get("/keys").json["value"]]


def test_a_backup_takes_its_time() -> None:
    """As it was recorded."""
    wire = hsm()
    begun = wire.post("/backup", STORAGE)
    job = begun.json["jobId"]
    assert begun.headers["Retry-After"] == "10"
    assert begun.json == {
        "status": "InProgress",
        "statusDetails": None,
        "error": None,
        "startTime": 1_700_000_000,
        "endTime": None,
        "jobId": job,
        "azureStorageBlobContainerUri": None,
    }
    wire.advance(DELAY - 1)
    assert status(wire, begun) == begun.json
    wire.advance(1)
    folder = f"{CONTAINER}/mhsm-my-2023111422132000"
    done = {"status": "Succeeded", "endTime": 1_700_000_060, "azureStorageBlobContainerUri": folder}
    assert status(wire, begun) == {**begun.json, **done}
    assert wire.get(f"/restore/{job}/pending").code == wire.get("/backup/nothing/pending").code == "OperationNotFound"


def test_a_restoration_brings_back_what_was_there() -> None:
    wire = hsm()
    first = create(wire, "app")
    wrapped = wire.post(f"{first}/wrapkey", {"alg": "A256KW", "value": "A" * 43}).json["value"]
    role = {"roleDefinitionId": f"x/{LOCAL_ROLES[0].id}", "principalId": "00000000-0000-0000-0000-000000000001"}
    place = "/providers/Microsoft.Authorization/roleAssignments/00000000-0000-0000-0000-000000000002"
    assert wire.put(place, {"properties": role}).status == 201
    folder = backed_up(wire)

    second = create(wire, "app")
    create(wire, "later")
    assert wire.delete(place).status == 200
    assert restored(wire, folder)["status"] == "Succeeded"

    assert keys(wire) == ["app"]
    assert wire.get(first).status == wire.get("/keys/app").status == 200
    assert wire.get(second).status == 404
    assert wire.post(f"{first}/unwrapkey", {"alg": "A256KW", "value": wrapped}).json["value"] == "A" * 43
    assert wire.get(place).status == 200


def test_it_takes_effect_at_its_end() -> None:
    wire = hsm()
    folder = backed_up(wire)
    create(wire, "later")
    wire.put("/restore", {"sasTokenParameters": STORAGE, "folderToRestore": folder})
    wire.advance(DELAY - 1)
    assert keys(wire) == ["later"]
    wire.advance(1)
    assert keys(wire) == []


def test_a_backup_has_what_was_there_when_it_began() -> None:
    wire = hsm()
    create(wire, "before")
    begun = wire.post("/backup", STORAGE)
    create(wire, "meanwhile")
    wire.advance(DELAY)
    folder = status(wire, begun)["azureStorageBlobContainerUri"].removeprefix(f"{CONTAINER}/")
    restored(wire, folder)
    assert keys(wire) == ["before"]


def test_one_key_comes_back_alone() -> None:
    wire = hsm()
    first = create(wire, "app")
    create(wire, "other")
    folder = backed_up(wire)
    second = create(wire, "app")
    wire.delete("/keys/other")
    create(wire, "later")
    assert restored(wire, folder, "app")["status"] == "Succeeded"
    assert wire.get(first).status == 200
    assert wire.get(second).status == 404
    assert keys(wire) == ["app", "later"]
    assert restored(wire, folder, "other")["status"] == "Succeeded"  # although it is deleted
    assert keys(wire) == ["app", "later", "other"]
    missing = restored(wire, folder, "later")
    assert (missing["status"], missing["error"]["code"]) == ("Failed", "KeyNotFound")


@pytest.mark.parametrize("method", ["backup", "restore", "prebackup", "prerestore", "keys/app/restore"])
def test_one_at_a_time(method: str) -> None:
    wire = hsm()
    create(wire, "app")
    folder = backed_up(wire)
    wire.post("/backup", STORAGE)
    asked = {"sasTokenParameters": STORAGE, "folderToRestore": folder, "folder": folder, **STORAGE}
    verb = "POST" if method.endswith("backup") else "PUT"
    refused = wire.ask(verb, f"/{method}", asked)
    assert (refused.status, refused.code) == (409, "Conflict")
    wire.advance(DELAY)
    assert wire.ask(verb, f"/{method}", asked).status == 202


def test_one_begins_in_a_second() -> None:
    wire = Wire(EmulatorSettings(backup_delay=0.0), hsm=True)
    assert wire.post("/prebackup", STORAGE).status == 202
    assert wire.post("/backup", STORAGE).status == 202
    assert wire.post("/backup", STORAGE).status == 429
    wire.advance(1)
    assert wire.post("/backup", STORAGE).status == 202


def test_checks_are_done_at_the_first_look() -> None:
    wire = hsm()
    before = wire.post("/prebackup", STORAGE)
    assert before.json["status"] == "InProgress"
    assert status(wire, before)["status"] == "Succeeded"
    assert status(wire, before)["azureStorageBlobContainerUri"] is None
    folder = backed_up(wire)
    asked = {"sasTokenParameters": STORAGE, "folderToRestore": folder}
    assert status(wire, wire.put("/prerestore", asked))["status"] == "Succeeded"
    asked["folderToRestore"] = "elsewhere"
    failed = status(wire, wire.put("/prerestore", asked))
    assert (failed["status"], failed["error"]["code"]) == ("Failed", "BackupNotFound")


def test_what_is_there_must_have_been_backed_up_lately() -> None:
    wire = hsm()
    folder = backed_up(wire)
    wire.advance(1_801)
    assert restored(wire, folder)["status"] == "Succeeded"  # an empty one has nothing to lose
    create(wire, "app")
    asked = {"sasTokenParameters": STORAGE, "folderToRestore": folder}
    failed = status(wire, wire.put("/prerestore", asked))
    assert "hasn't been backed up within the safe time limit of 30 minutes" in failed["error"]["message"]
    assert restored(wire, folder)["status"] == "Failed"
    assert keys(wire) == ["app"]
    backed_up(wire)
    assert restored(wire, folder)["status"] == "Succeeded"


def test_a_container_that_fails() -> None:
    wire = hsm()
    folder = backed_up(wire)
    wire.vault.storage_error = "The container does not exist"
    for begun in (
        wire.post("/prebackup", STORAGE),
        wire.post("/backup", STORAGE),
        wire.put("/restore", {"sasTokenParameters": STORAGE, "folderToRestore": folder}),
    ):
        failed = status(wire, begun)
        assert failed["error"] == {"code": "StorageError", "message": "The container does not exist"}
        assert failed["status"] == "Failed"
    wire.vault.empty()
    assert status(wire, wire.post("/prebackup", STORAGE))["status"] == "Succeeded"


@pytest.mark.parametrize(
    "storage",
    [
        {},
        {"storageResourceUri": CONTAINER},
        {"storageResourceUri": CONTAINER, "useManagedIdentity": False},
        {"storageResourceUri": CONTAINER, "useManagedIdentity": True, "token": "sv=1"},
        {"storageResourceUri": CONTAINER, "useManagedIdentity": "yes"},
        {"storageResourceUri": CONTAINER, "token": 7},
        {"storageResourceUri": "http://account.blob.core.windows.net/backups", "token": "sv=1"},
        {"storageResourceUri": "https://account.blob.core.windows.net", "token": "sv=1"},
        {"storageResourceUri": 7, "token": "sv=1"},
    ],
)
def test_storage_that_is_refused(storage: dict[str, Any]) -> None:
    wire = hsm()
    assert wire.post("/backup", storage).status == 400
    assert wire.put("/restore", {"sasTokenParameters": storage, "folderToRestore": "folder"}).status == 400
    assert wire.post("/backup", {"storageResourceUri": CONTAINER, "token": "sv=1"}).status == 202


@pytest.mark.parametrize(
    "body", [{}, {"folderToRestore": "x"}, {"folderToRestore": "/", "sasTokenParameters": STORAGE}]
)
def test_restorations_that_are_refused(body: dict[str, Any]) -> None:
    assert hsm().put("/restore", body).status == 400


def test_another_hsm_takes_the_backup_and_a_reset_the_storage() -> None:
    wire = hsm()
    create(wire, "app")
    folder = backed_up(wire)
    wire.vault = wire.emulator.add_vault("second", hsm=True)
    assert restored(wire, folder)["status"] == "Succeeded"
    assert keys(wire) == ["app"]
    wire.emulator.reset()
    assert keys(wire) == []
    assert restored(wire, folder)["error"]["code"] == "BackupNotFound"


def test_a_snapshot_has_backups_roles_and_settings() -> None:
    wire = hsm()
    create(wire, "app")
    folder = backed_up(wire)
    name = "AllowKeyManagementOperationsThroughARM"
    wire.patch(f"/settings/{name}", {"value": "true"})
    document = wire.emulator.snapshot()
    other = hsm()
    other.emulator.restore(document)
    assert other.get(f"/settings/{name}").json["value"] == "true"
    create(other, "later")
    assert restored(other, folder)["status"] == "Succeeded"  # when it was backed up is known as well
    assert keys(other) == ["app"]
    del document["managed_hsms"], document["backups"]  # as an older one
    other.emulator.restore(document)
    assert other.get(f"/settings/{name}").json["value"] == "false"


@pytest.mark.parametrize(
    ("member", "value", "said"),
    [
        ("managed_hsms", {"my": {}}, r"managed_hsms\.my must have exactly"),
        (
            "managed_hsms",
            {"my": {"definitions": {}, "assignments": {"1": {}}, "settings": {}, "backed_up": None}},
            r"managed_hsms\.my\.assignments\.1 must have exactly",
        ),
        (
            "managed_hsms",
            {"my": {"definitions": {}, "assignments": {}, "settings": {}, "backed_up": None}},
            r"managed_hsms\.my\.settings must have exactly",
        ),
        ("backups", {"x": {"keys": [7], "definitions": {}, "assignments": {}}}, r"backups\.x\.keys\[0\]"),
        ("backups", {"x": 7}, r"backups\.x must be an object"),
    ],
)
def test_a_snapshot_that_is_wrong_changes_nothing(member: str, value: Any, said: str) -> None:
    wire = hsm()
    create(wire, "app")
    document = {**wire.emulator.snapshot(), member: value}
    with pytest.raises(ValueError, match=said):
        wire.emulator.restore(document)
    assert keys(wire) == ["app"]
