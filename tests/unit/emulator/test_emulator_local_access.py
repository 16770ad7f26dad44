"""Local roles of a Managed HSM that enforces them, on the wire."""

from __future__ import annotations

import pytest
from emulator_wire import Answer, Wire, token

from safekv.emulator import EmulatorSettings, Limits
from safekv.emulator._directory import object_id
from safekv.emulator._router import ROUTES
from safekv.errors._hsm_roles import LOCAL_NEEDS, LOCAL_ROLES

RESOURCE = "https://managedhsm.azure.net"
APP, GROUP = object_id("app"), object_id("group")
ASSIGNMENTS = "/providers/Microsoft.Authorization/roleAssignments"
PREFIX = "Not authorized to access Microsoft.KeyVault/managedHsm/"


def hsm() -> Wire:
    """Asked by ``app``, which is in ``group`` and has no role yet."""
    wire = Wire(EmulatorSettings(enforce=True, limits=Limits(managed_hsm=None)), hsm=True)
    wire.token = token(wire, aud=RESOURCE, oid=APP, appid="app", groups=[GROUP])
    return wire


def denied(answer: Answer) -> str:
    """The action and the scope of the denial."""
    assert (answer.status, answer.code) == (403, "AccessDenied"), answer.json
    message: str = answer.message
    assert message.startswith(PREFIX)
    return message.removeprefix(PREFIX).partition(" (Activity ID: ")[0]


@pytest.mark.parametrize(
    ("method", "path", "said"),
    [
        ("POST", "/keys/app/create", "keys/create on /keys"),
        ("GET", "/keys/app", "keys/read/action on /keys/app"),
        ("GET", "/keys", "keys/read/action on /keys"),
        ("POST", "/keys/app//sign", "keys/sign/action on /keys/app"),
        ("DELETE", "/deletedkeys/app", "keys/deletedKeys/delete on /keys/app"),
        ("POST", "/rng", "rng/action on /"),
        ("GET", ASSIGNMENTS, "roleAssignments/read/action on /"),
        ("GET", f"/keys{ASSIGNMENTS}", "roleAssignments/read/action on /keys"),
        ("PUT", f"/keys/app{ASSIGNMENTS}/{APP}", "roleAssignments/write/action on /keys/app"),
        ("PATCH", "/settings/x", "settings/write/action on /"),
        ("POST", "/backup", "backup/start/action on /"),
        ("GET", "/backup/1/pending", "backup/status/action on /"),
        ("PUT", "/keys/app/restore", "keys/restore/action on /keys/app"),
        ("PUT", "/restore", "restore/start/action on /"),
    ],
)
def test_a_denial_says_what_is_missing_where(method: str, path: str, said: str) -> None:
    assert denied(hsm().ask(method, path)) == said


def test_every_operation_of_an_hsm_needs_something() -> None:
    assert {route.operation for route in ROUTES if route.on_hsm} == set(LOCAL_NEEDS)


@pytest.mark.parametrize("role", LOCAL_ROLES, ids=lambda role: role.name)
def test_a_role_allows_what_it_says_and_nothing_else(role: object) -> None:
    wire = hsm()
    assert isinstance(role, type(LOCAL_ROLES[0]))
    wire.vault.assign(APP, role.name)
    for operation, action in LOCAL_NEEDS.items():
        route = next(each for each in ROUTES if each.operation == operation and each.on_hsm)
        path = route.path.format(name="app", version="0" * 32, guid=APP, setting="x", job="1")
        assert (wire.ask(route.method, path).status != 403) == (action in role.actions), operation


def test_a_scope_holds_for_what_is_in_it() -> None:
    wire = hsm()
    wire.vault.assign(APP, "Managed HSM Crypto User", "/keys/app")
    assert wire.get("/keys/app").status == 404
    assert wire.get("/keys/App").status == 404
    assert denied(wire.get("/keys/apple")) == "keys/read/action on /keys/apple"
    assert denied(wire.get("/keys")) == "keys/read/action on /keys"
    wire.vault.assign(APP, "managed hsm crypto user", "/keys")
    assert wire.get("/keys").status == 200
    assert denied(wire.post("/rng", {"count": 8})) == "rng/action on /"
    wire.vault.assign(APP, LOCAL_ROLES[5].id)
    assert wire.post("/rng", {"count": 8}).status == 200


def test_a_group_and_a_custom_role_with_an_exclusion() -> None:
    wire = hsm()
    read = "Microsoft.KeyVault/managedHsm/keys/read/action"
    permissions = [{"dataActions": [read.upper(), PREFIX], "notDataActions": []}]
    administrator = token(wire, aud=RESOURCE, oid=wire.emulator.directory.default.oid)
    mine, wire.token = wire.token, administrator
    place = f"/providers/Microsoft.Authorization/roleDefinitions/{APP}"
    assert wire.put(place, {"properties": {"roleName": "reader", "permissions": permissions}}).status == 201
    wire.vault.assign(GROUP, "reader")
    wire.token = mine
    assert wire.get("/keys").status == 200
    wire.token = administrator
    permissions[0]["notDataActions"] = [read]
    assert wire.put(place, {"properties": {"roleName": "reader", "permissions": permissions}}).status == 201
    wire.token = mine
    assert denied(wire.get("/keys"))


def test_the_first_administrator_gives_himself_what_he_lacks() -> None:
    wire = hsm()
    oid = wire.emulator.directory.default.oid
    wire.token = token(wire, aud=RESOURCE, oid=oid)
    assert denied(wire.get("/keys"))
    body = {"properties": {"principalId": oid, "roleDefinitionId": f"x/{LOCAL_ROLES[5].id}"}}
    assert wire.put(f"{ASSIGNMENTS}/{APP}", body).status == 201
    assert wire.get("/keys").status == 200
    assert wire.delete(f"{ASSIGNMENTS}/{APP}").status == 200
    assert denied(wire.get("/keys"))


def test_without_enforcement_everybody_may_everything() -> None:
    wire = hsm()
    wire.vault.enforce = False
    assert wire.get("/keys").status == 200


@pytest.mark.parametrize(
    ("role", "scope", "said"),
    [("Owner", None, "is no local role"), ("Managed HSM Crypto User", "keys", "scope must be")],
)
def test_assignments_that_cannot_be(role: str, scope: str | None, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        hsm().vault.assign(APP, role, scope)
